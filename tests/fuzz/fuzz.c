// SPDX-License-Identifier: MIT
/* What the fuzz targets share. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include "fuzz.h"

/* ---- the input ---- */

void fuzz_bytes(struct fuzz_in *in, void *to, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset(to, 0, size);
	if (n)
		memcpy(to, in->p, n);
	in->p += n;
	in->left -= n;
}

uint8_t fuzz_u8(struct fuzz_in *in)
{
	uint8_t v;

	fuzz_bytes(in, &v, sizeof(v));
	return v;
}

uint16_t fuzz_u16(struct fuzz_in *in)
{
	uint16_t v;

	fuzz_bytes(in, &v, sizeof(v));
	return v;
}

uint32_t fuzz_u32(struct fuzz_in *in)
{
	uint32_t v;

	fuzz_bytes(in, &v, sizeof(v));
	return v;
}

uint64_t fuzz_u64(struct fuzz_in *in)
{
	uint64_t v;

	fuzz_bytes(in, &v, sizeof(v));
	return v;
}

void fuzz_expect(bool ok, const char *fmt, ...)
{
	va_list args;

	if (ok)
		return;
	fputs("fuzz: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* ---- the device ---- */

struct quill_job_cpl fuzz_end(struct quill_host *h, uint32_t q, uint32_t seq)
{
	struct quill_job_cpl cpl;
	uint32_t status;

	if (qh_wait(h, q, seq, FUZZ_JOB_MS, &cpl))
		return cpl;
	status = qh_queue_kill(h, q);
	fuzz_expect(status == QUILL_ADMIN_OK, "QUEUE_KILL: answer %u, expected 0", status);
	/* its completion is written before the answer */
	fuzz_expect(qh_wait(h, q, seq, 0, &cpl), "QUEUE_KILL: answered, but job %u has not ended",
		    seq);
	return cpl;
}

void fuzz_no_maps(struct quill_host *h)
{
	unsigned int tries;

	/* the firmware's own last transfer may still be on its way out */
	for (tries = 0; qh_dma_maps(h) && tries < 20000; tries++)
		usleep(50);
	fuzz_expect(!qh_dma_maps(h), "%ld DMA mappings are left, expected none", qh_dma_maps(h));
}

/* ---- memory that must not change ---- */

void fuzz_watch_init(struct fuzz_watch *w, const char *name, void *mem, size_t size)
{
	w->name = name;
	w->mem = mem;
	w->size = size;
	w->copy = malloc(size);
	w->may = calloc(1, size);
	fuzz_expect(w->copy && w->may, "no memory to watch %zu bytes of %s", size, name);
	memcpy(w->copy, mem, size);
}

void fuzz_watch_allow(struct fuzz_watch *w, size_t offset, size_t size)
{
	memset(w->may + offset, 0xff, size);
}

void fuzz_watch_forbid(struct fuzz_watch *w, size_t offset, size_t size)
{
	memset(w->may + offset, 0, size);
	memcpy(w->mem + offset, w->copy + offset, size);
}

void fuzz_watch_update(struct fuzz_watch *w, size_t offset, size_t size)
{
	memcpy(w->copy + offset, w->mem + offset, size);
}

void fuzz_watch_guard(struct fuzz_watch *w, size_t offset, size_t size)
{
	ASAN_POISON_MEMORY_REGION(w->mem + offset, size);
}

/* Not instrumented: it looks at what is poisoned for everyone else, and there is much of it. */
__attribute__((no_sanitize("address", "undefined", "coverage")))
void fuzz_watch_check(const struct fuzz_watch *w)
{
	const uint64_t *mem = (const uint64_t *)w->mem, *copy = (const uint64_t *)w->copy;
	size_t i, j, words = w->size / 8;
	uint64_t diff;

	for (i = 0; i < words; i += 512) {
		diff = 0;
		for (j = i; j < i + 512; j++)
			diff |= mem[j] ^ copy[j];
		if (!diff)
			continue;
		for (j = i * 8; j < (i + 512) * 8; j++)
			if ((w->mem[j] ^ w->copy[j]) & ~w->may[j])
				break;
		if (j == (i + 512) * 8)
			continue;
		fuzz_expect(false, "%s: byte %#zx is %#x, expected %#x: nothing may write it",
			    w->name, j, w->mem[j], w->copy[j]);
	}
}
