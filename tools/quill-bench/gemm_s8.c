// SPDX-License-Identifier: MIT
/*
 * Suite gemm_s8: int8 GEMM, requantised to int8 by channel, with weights packed beforehand, against oneDNN's matmul.
 *
 * Few rows are bound by the reading of the weights, many by the multipliers: the limit beside each case is that of
 * the two which would take longer. Weights that are larger than the cache come from memory.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "dnnl.h"
#include "gemm_s8.h"

#define MAX_M	2048u

static const uint32_t rows[] = { 1, 4, 16, 64, 128, 512, MAX_M };
static const uint32_t sides[] = { 1024, 4096, 11008 };
/* And a cube of this side, which is what peaks are quoted for. */
#define CUBE	2048u

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* struct gemm_s8 - one pair of n and k with one number of threads, and the case that runs */
struct gemm_s8 {
	struct bench *b;
	struct bench_device *device;
	unsigned int threads;
	struct gemm_case g;
	union quill_cmd cmd[2];
	uint64_t weights;	/* device address of the first copy */
	uint64_t step;		/* from copy to copy */
	unsigned int next;
	int8_t *a, *d;
	struct quill_requant *requant;
	struct bench_limit *peak, *stream;
};

static bool run_device(void *arg)
{
	struct gemm_s8 *s = arg;

	s->cmd[0].gemm.b = s->weights + s->next * s->step;
	s->next = (s->next + 1) % s->g.copies;
	return bench_device_run(s->device, s->cmd);
}

/* ---- Operands ------------------------------------------------------------------ */

/* A multiplier is a power of two times a 31-bit number, so that a float holds it nearly. */
static void fill_requant(struct gemm_s8 *s)
{
	uint64_t rnd = 3;
	uint32_t i;

	for (i = 0; i < s->g.n; i++) {
		s->requant[i].mult = (int32_t)(0x40000000 + (bench_random(&rnd) >> 2));
		/* a sum's spread is 74 * 74 * sqrt(k): bring it to some 40 */
		s->requant[i].shift = 30 + 7 + (int32_t)(log2((double)s->g.k) / 2);
		s->g.scale[i] = (float)ldexp(s->requant[i].mult, -s->requant[i].shift);
	}
}

static void pack(const struct gemm_case *g, uint8_t *packed)
{
	uint32_t n, k;

	for (k = 0; k < g->k; k++)
		for (n = 0; n < g->n; n++)
			packed[quill_packed_offset(n, k, g->k)] =
				(uint8_t)(g->b[(size_t)k * g->n + n] + 128);
}

static void fill_command(struct gemm_s8 *s, uint64_t a, uint64_t d, uint64_t requant)
{
	memset(s->cmd, 0, sizeof(s->cmd));
	s->cmd[0].gemm = (struct quill_cmd_gemm){
		.hdr = { .opcode = QUILL_OP_GEMM, .ext = 1, .type_a = QUILL_TYPE_S8,
			 .type_b = QUILL_TYPE_S8, .type_d = QUILL_TYPE_S8 },
		.a = a, .d = d, .n = s->g.n, .k = s->g.k, .lda = s->g.k, .ldd = s->g.n,
	};
	s->cmd[1].gemm_ext = (struct quill_ext_gemm){
		.hdr = { .opcode = QUILL_OP_EXT }, .scale = requant, .lo = -128, .hi = 127,
	};
}

static bool make_operands(struct gemm_s8 *s)
{
	size_t size_a = (size_t)MAX_M * s->g.k, size_d = (size_t)MAX_M * s->g.n;
	uint64_t a, d, requant, size = quill_packed_size(s->g.n, s->g.k);
	uint8_t *packed;
	unsigned int i;

	s->g.copies = bench_copies(size);
	s->step = (size + QUILL_HUGE_SIZE - 1) / QUILL_HUGE_SIZE * QUILL_HUGE_SIZE;
	s->device = bench_device_new(s->b, s->threads, s->g.copies * s->step + size_a + size_d);
	if (!s->device)
		return false;
	packed = bench_device_alloc(s->device, s->g.copies * s->step, &s->weights);
	s->a = bench_device_alloc(s->device, size_a, &a);
	s->d = bench_device_alloc(s->device, size_d, &d);
	s->requant = bench_device_alloc(s->device, s->g.n * sizeof(*s->requant), &requant);
	fill_requant(s);
	fill_command(s, a, d, requant);
	memcpy(s->a, s->g.a, size_a);
	pack(&s->g, packed);
	for (i = 1; i < s->g.copies; i++)
		memcpy(packed + i * s->step, packed, size);
	return true;
}

/* ---- A case ------------------------------------------------------------------------ */

/* Theirs rounds in float32, ours exactly: a result may differ by one. */
static bool same_product(const struct gemm_s8 *s)
{
	size_t i, n = (size_t)s->g.m * s->g.n;

	for (i = 0; i < n; i++)
		if (abs(s->d[i] - s->g.d[i]) > 1) {
			fprintf(stderr, "quill-bench: element %zu is %d here and %d in oneDNN, expected equal within 1\n",
				i, s->d[i], s->g.d[i]);
			return false;
		}
	return true;
}

static void report(struct gemm_s8 *s, const char *name, const struct bench_times *t, bool memory)
{
	double work = 2e-9 * s->g.m * s->g.n * s->g.k;

	bench_report(s->b, &(struct bench_result){
		.name = name, .metric = "throughput", .unit = "GOPS",
		.value = work / t->seconds[0],
		.peer = bench_dnnl_name(), .peer_value = work / t->seconds[1], .ratio = t->ratio[1],
		.limit = memory ? "stream" : "peak", .of_limit = t->ratio[2],
	});
}

/* Weights out of memory take longer to read than to multiply. */
static bool bound_by_memory(const struct gemm_s8 *s)
{
	struct bench_side peak = bench_limit_side(s->peak, 0);
	struct bench_side stream = bench_limit_side(s->stream, 0);
	double read = (double)s->g.n * s->g.k * bench_limit_seconds(s->stream) / stream.work;
	double multiply = 2.0 * s->g.m * s->g.n * s->g.k * bench_limit_seconds(s->peak) / peak.work;

	return s->g.copies > 1 && read > multiply;
}

static bool run_case(struct gemm_s8 *s, const char *name)
{
	struct gemm_peer *peer = gemm_peer_new(&s->g, s->threads);
	bool memory = bound_by_memory(s);
	struct bench_side side[] = {
		{ .run = run_device, .arg = s },
		{ .run = gemm_peer_run, .arg = peer },
		memory ? bench_limit_side(s->stream, (double)s->g.n * s->g.k) :
			 bench_limit_side(s->peak, 2.0 * s->g.m * s->g.n * s->g.k),
	};
	struct bench_times times;
	bool ok;

	s->cmd[0].gemm.m = s->g.m;
	ok = peer && bench_turns(s->b, side, COUNT(side), &times) && same_product(s);
	if (ok)
		report(s, name, &times, memory);
	gemm_peer_free(peer);
	return ok;
}

static bool wanted(const struct bench *b, const struct gemm_case *g, unsigned int threads,
		   uint32_t m, char name[64])
{
	if (g->n == CUBE && m != CUBE)
		return false;
	snprintf(name, 64, "m%u_n%u_k%u_t%u", m, g->n, g->k, threads);
	return bench_wants(b, name);
}

/* Is there any case for these, so that operands are worth making? */
static bool any_wanted(const struct bench *b, const struct gemm_case *g, unsigned int threads)
{
	unsigned int i;
	char name[64];

	for (i = 0; i < COUNT(rows); i++)
		if (wanted(b, g, threads, rows[i], name))
			return true;
	return false;
}

static bool run_threads(struct bench *b, const struct gemm_case *g, unsigned int threads)
{
	struct gemm_s8 s = { .b = b, .threads = threads, .g = *g };
	char name[64];
	unsigned int i;
	bool ok;

	s.peak = bench_peak_new(b, threads);
	s.stream = bench_stream_new(b, threads);
	ok = s.peak && s.stream && make_operands(&s);
	for (i = 0; i < COUNT(rows) && ok; i++) {
		s.g.m = rows[i];
		if (wanted(b, g, threads, s.g.m, name))
			ok = run_case(&s, name);
	}
	bench_device_free(s.device);
	bench_limit_free(s.peak);
	bench_limit_free(s.stream);
	return ok;
}

static bool run_sides(struct bench *b, uint32_t n, uint32_t k)
{
	struct gemm_case g = { .n = n, .k = k };
	unsigned int threads;
	uint64_t rnd = 1;
	bool ok = true;
	size_t i;

	if (!any_wanted(b, &g, 1) && !any_wanted(b, &g, 2))
		return true;

	g.a = bench_alloc((size_t)MAX_M * k);
	g.b = bench_alloc((size_t)n * k);
	g.d = bench_alloc((size_t)MAX_M * n);
	g.scale = bench_alloc(n * sizeof(*g.scale));
	for (i = 0; i < (size_t)MAX_M * k; i++)
		g.a[i] = (int8_t)bench_random(&rnd);
	for (i = 0; i < (size_t)n * k; i++)
		g.b[i] = (int8_t)bench_random(&rnd);
	for (threads = 1; threads <= 2 && ok; threads++)
		ok = !any_wanted(b, &g, threads) || run_threads(b, &g, threads);
	free(g.a);
	free(g.b);
	free(g.d);
	free(g.scale);
	return ok;
}

static bool run(struct bench *b)
{
	unsigned int n, k;
	bool ok = true;

	bench_head(b, "int8 GEMM with requantisation, and oneDNN's matmul");
	for (n = 0; n < COUNT(sides); n++)
		for (k = 0; k < COUNT(sides) && ok; k++)
			ok = run_sides(b, sides[n], sides[k]);
	return ok && run_sides(b, CUBE, CUBE);
}

const struct bench_suite suite_gemm_s8 = {
	.name = "gemm_s8",
	.what = "int8 GEMM with requantisation, against oneDNN",
	.run = run,
};
