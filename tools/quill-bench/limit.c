// SPDX-License-Identifier: MIT
/*
 * What the machine can do: multiply-adds out of registers, and bytes out of memory, by so many threads. A figure is
 * worth what it is a part of, and that has to be measured in the same minute: clocks change, and neighbours come and go.
 */
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define PEAK_STEPS	100000u
/* Bytes that each thread reads in a call, of its own part of the memory. */
#define STREAM_BYTES	(32u << 20)
#define STREAM_AHEAD	4096u

struct bench_limit {
	struct bench_pool *pool;
	void (*work)(void *arg, uint32_t piece);
	double amount;		/* operations or bytes a call */
	const uint8_t *memory;
	size_t part;		/* of each thread */
	size_t at;		/* where in its part a call begins */
	unsigned int way;
	double seconds;		/* of the fastest call */
};

/* Sixteen sums cover the latency of two pipes of four steps each. */
#define TIMES16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

#define PEAK512(r)	"vpdpbusd %%zmm30, %%zmm31, %%zmm" #r "\n"
#define CLOBBER(r)	"xmm" #r,

__attribute__((target("avx512f,avx512vnni"))) static void peak_avx512(void *arg, uint32_t piece)
{
	uint32_t i;

	for (i = 0; i < PEAK_STEPS; i++)
		__asm__ volatile(TIMES16(PEAK512) ::: TIMES16(CLOBBER) "cc");
}

/* Widened to 16 bits beforehand, multiplied in pairs, then added: what exact sums take without VNNI. */
#define PEAK256(r)	"vpmaddwd %%ymm14, %%ymm15, %%ymm13\n vpaddd %%ymm13, %%ymm" #r ", %%ymm" #r "\n"
#define TIMES12(X)	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

__attribute__((target("avx2"))) static void peak_avx2(void *arg, uint32_t piece)
{
	uint32_t i;

	for (i = 0; i < PEAK_STEPS; i++)
		__asm__ volatile(TIMES12(PEAK256) ::: TIMES12(CLOBBER) "xmm13", "cc");
}

#define FMA512(r)	"vfmadd231ps %%zmm30, %%zmm31, %%zmm" #r "\n"

__attribute__((target("avx512f"))) static void fma_avx512(void *arg, uint32_t piece)
{
	uint32_t i;

	for (i = 0; i < PEAK_STEPS; i++)
		__asm__ volatile(TIMES16(FMA512) ::: TIMES16(CLOBBER) "cc");
}

#define FMA256(r)	"vfmadd231ps %%ymm14, %%ymm15, %%ymm" #r "\n"

__attribute__((target("avx2,fma"))) static void fma_avx2(void *arg, uint32_t piece)
{
	uint32_t i;

	for (i = 0; i < PEAK_STEPS; i++)
		__asm__ volatile(TIMES12(FMA256) ::: TIMES12(CLOBBER) "cc");
}

/* ---- Memory ----------------------------------------------------------------------- */

/*
 * Reads @size bytes as @streams sequences side by side, a cache line each in turn. Which is the fastest depends on the
 * processor's prefetchers and the page's size.
 */
static inline __attribute__((always_inline)) void read_lines(const uint8_t *from, size_t size,
							     const unsigned int streams, bool ahead)
{
	__m128i sum[4] = { 0 };
	size_t part = size / streams, i;
	unsigned int s;

	for (i = 0; i < part; i += 256) {
		for (s = 0; s < streams; s++) {
			const uint8_t *p = from + s * part + i;
			unsigned int l;

			for (l = 0; l < 4; l++) {
				if (ahead)
					_mm_prefetch((const char *)p + 64 * l + STREAM_AHEAD,
						     _MM_HINT_T0);
				/* One word of a line brings the line. */
				sum[l] = _mm_xor_si128(sum[l], *(const __m128i *)(p + 64 * l));
			}
		}
	}
	sum[0] = _mm_xor_si128(_mm_xor_si128(sum[0], sum[1]), _mm_xor_si128(sum[2], sum[3]));
	__asm__ volatile("" :: "x"(sum[0]));
}

#define STREAM_WAYS	6

static void stream_piece(void *arg, uint32_t piece)
{
	const struct bench_limit *l = arg;
	const uint8_t *from = l->memory + piece * l->part + l->at;

	switch (l->way) {
	case 0: return read_lines(from, STREAM_BYTES, 1, false);
	case 1: return read_lines(from, STREAM_BYTES, 1, true);
	case 2: return read_lines(from, STREAM_BYTES, 2, true);
	case 3: return read_lines(from, STREAM_BYTES, 4, false);
	case 4: return read_lines(from, STREAM_BYTES, 4, true);
	case 5: return read_lines(from, STREAM_BYTES, 8, true);
	}
}

/* ---- As a side ---------------------------------------------------------------------- */

static bool limit_run(void *arg)
{
	struct bench_limit *l = arg;

	bench_pool_run(l->pool, l->work, l, bench_pool_threads(l->pool));
	if (l->part)
		l->at = (l->at + STREAM_BYTES) % l->part;
	return true;
}

struct bench_side bench_limit_side(struct bench_limit *l, double ours)
{
	return (struct bench_side){ .run = limit_run, .arg = l, .work = l->amount, .ours = ours };
}

static struct bench_limit *limit_new(unsigned int threads)
{
	struct bench_limit *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->pool = bench_pool_new(threads);
	if (l->pool)
		return l;
	free(l);
	return NULL;
}

/* The fastest of three runs of each way. */
static void choose_way(struct bench_limit *l, unsigned int ways)
{
	unsigned int way, fastest = 0, i;
	double time;

	for (way = 0; way < ways; way++) {
		l->way = way;
		for (i = 0; i < 3; i++) {
			time = bench_now();
			limit_run(l);
			time = bench_now() - time;
			if (l->seconds > 0 && time >= l->seconds)
				continue;
			l->seconds = time;
			fastest = way;
		}
	}
	l->way = fastest;
}

double bench_limit_seconds(const struct bench_limit *l)
{
	return l->seconds;
}

struct bench_limit *bench_peak_new(struct bench *b, unsigned int threads)
{
	bool wide = !strcmp(b->kernels->name, "avx512");
	struct bench_limit *l = limit_new(threads);

	if (!l)
		return NULL;
	l->work = wide ? peak_avx512 : peak_avx2;
	l->amount = 2.0 * threads * PEAK_STEPS * (wide ? 16 * 64 : 12 * 16);
	choose_way(l, 1);
	return l;
}

struct bench_limit *bench_fma_new(struct bench *b, unsigned int threads)
{
	bool wide = !strcmp(b->kernels->name, "avx512");
	struct bench_limit *l = limit_new(threads);

	if (!l)
		return NULL;
	l->work = wide ? fma_avx512 : fma_avx2;
	l->amount = 2.0 * threads * PEAK_STEPS * (wide ? 16 * 16 : 12 * 8);
	choose_way(l, 1);
	return l;
}

struct bench_limit *bench_stream_new(struct bench *b, unsigned int threads)
{
	struct bench_limit *l = limit_new(threads);
	uint8_t *memory;
	size_t size;

	if (!l)
		return NULL;
	/* What is prefetched behind the last byte is nobody's, and is not read. */
	l->part = (4 * bench_cache_bytes() / threads + STREAM_BYTES) / STREAM_BYTES * STREAM_BYTES;
	size = l->part * threads;
	memory = bench_alloc(size);
	memset(memory, 1, size);
	l->memory = memory;
	l->work = stream_piece;
	l->amount = (double)STREAM_BYTES * threads;
	choose_way(l, STREAM_WAYS);
	return l;
}

void bench_limit_free(struct bench_limit *l)
{
	if (!l)
		return;
	bench_pool_free(l->pool);
	free((void *)(uintptr_t)l->memory);
	free(l);
}
