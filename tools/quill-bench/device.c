// SPDX-License-Identifier: MIT
/* The device, in this process, at the place where the issue port hands a command to its executor. */
#include <stdlib.h>

#include "bench.h"
#include "core.h"
#include "quill_host.h"

struct bench_device {
	struct quill_host *host;
	uint32_t as;
	struct dma_ctx *ctx;
	_Atomic bool abort;
};

struct bench_device *bench_device_new(struct bench *b, unsigned int threads, size_t memory)
{
	struct bench_device *d = calloc(1, sizeof(*d));
	struct quill_host_config config = {
		.emu = { .threads = threads, .kernels = b->kernels->name },
		/* the page tables, and what alignment costs */
		.ram = memory + (64u << 20),
		.no_boot = true,
		.huge = true,
	};

	if (!d)
		return NULL;
	d->host = qh_create(&config);
	d->as = qh_as_create(d->host);
	d->ctx = dma_ctx_new(qh_emu(d->host));
	if (d->ctx)
		return d;
	bench_device_free(d);
	return NULL;
}

void bench_device_free(struct bench_device *d)
{
	if (d)
		qh_destroy(d->host);
	free(d);
}

void *bench_device_alloc(struct bench_device *d, size_t size, uint64_t *va)
{
	struct qh_buf *buf = qh_alloc(d->host, d->as, size, QH_RW);

	*va = buf->va;
	return buf->ptr;
}

bool bench_device_run(struct bench_device *d, const union quill_cmd *cmd)
{
	struct quill_emu *emu = qh_emu(d->host);
	struct exec x = {
		.emu = emu,
		.ctx = d->ctx,
		.port = { .core = &emu->core[0], .as = d->as },
		.cmd = cmd,
		.abort = &d->abort,
	};
	struct dma_fault fault;

	if (!exec_run(&x, &fault))
		return true;
	fprintf(stderr, "quill-bench: opcode %#x faulted with %u at %#llx, expected 0\n",
		cmd->hdr.opcode, fault.fault, (unsigned long long)fault.addr);
	return false;
}
