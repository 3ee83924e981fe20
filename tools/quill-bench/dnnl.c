// SPDX-License-Identifier: MIT
/* oneDNN's engine, stream and reorders. */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "dnnl.h"

bool bench_dnnl_ok(dnnl_status_t status, const char *what)
{
	if (status == dnnl_success)
		return true;
	fprintf(stderr, "quill-bench: oneDNN: %s returned %d, expected 0\n", what, (int)status);
	return false;
}

const char *bench_dnnl_name(void)
{
	const dnnl_version_t *v = dnnl_version();
	static char name[32];

	snprintf(name, sizeof(name), "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
	return name;
}

bool bench_dnnl_init(struct bench_dnnl *d, unsigned int threads)
{
	memset(d, 0, sizeof(*d));
	omp_set_num_threads((int)threads);
	return DNNL(dnnl_engine_create(&d->engine, dnnl_cpu, 0)) &&
	       DNNL(dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags));
}

void bench_dnnl_exit(struct bench_dnnl *d)
{
	dnnl_stream_destroy(d->stream);
	dnnl_engine_destroy(d->engine);
}

bool bench_dnnl_reorder(struct bench_dnnl *d, const dnnl_memory_desc_t *plain, void *from,
			const dnnl_memory_desc_t *wanted, dnnl_memory_t *to)
{
	dnnl_primitive_t reorder = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_memory_t source = NULL;
	dnnl_exec_arg_t args[2];
	bool ok;

	ok = DNNL(dnnl_memory_create(&source, plain, d->engine, from)) &&
	     DNNL(dnnl_memory_create(to, wanted, d->engine, DNNL_MEMORY_ALLOCATE)) &&
	     DNNL(dnnl_reorder_primitive_desc_create(&desc, plain, d->engine, wanted, d->engine,
						     NULL)) &&
	     DNNL(dnnl_primitive_create(&reorder, desc));
	args[0] = (dnnl_exec_arg_t){ DNNL_ARG_FROM, source };
	args[1] = (dnnl_exec_arg_t){ DNNL_ARG_TO, *to };
	ok = ok && DNNL(dnnl_primitive_execute(reorder, d->stream, 2, args)) &&
	     DNNL(dnnl_stream_wait(d->stream));
	dnnl_primitive_destroy(reorder);
	dnnl_primitive_desc_destroy(desc);
	dnnl_memory_destroy(source);
	return ok;
}
