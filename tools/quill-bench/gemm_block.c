// SPDX-License-Identifier: MIT
/*
 * Suite gemm_block: GEMM with the block weights of GGUF files, A in int8 with a scale a group, and in bfloat16 and 8-bit
 * floats, against the device's own int8 GEMM of the same shape.
 *
 * One row (generation) is bound by the reading of the weights: the limit counts the file's bytes. Many (a prompt) are
 * bound by the multipliers: int8's, or float32's for floats.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MAX_M	512u
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const uint32_t rows[] = { 1, 8, MAX_M };
static const struct { uint32_t n, k; } sides[] = { { 4096, 4096 }, { 11008, 4096 }, { 4096, 11008 } };
static const struct kind {
	const char *name;
	uint32_t type_a, type_b;
} kinds[] = {
	{ "q8_0", QUILL_TYPE_S8, QUILL_TYPE_Q8_0 },
	{ "q4_0", QUILL_TYPE_S8, QUILL_TYPE_Q4_0 },
	{ "bf16", QUILL_TYPE_BF16, QUILL_TYPE_BF16 },
	{ "e4m3", QUILL_TYPE_E4M3, QUILL_TYPE_E4M3 },
};

/* struct weights - B of one type, in copies that are used in turn so that they come from memory */
struct weights {
	union quill_cmd cmd[2];
	uint64_t va, size, step;
	unsigned int copies, next;
};

struct block_bench {
	struct bench *b;
	struct bench_device *device;
	const struct kind *kind;
	unsigned int threads;
	uint32_t m, n, k;
	struct weights ours, s8;
	uint8_t *a, *blocks;
	float *d, *a_scale;
	struct bench_limit *peak, *fma, *stream;
};

/* A side of the bench. */
struct turn {
	struct block_bench *s;
	struct weights *w;
};

static bool run_device(void *arg)
{
	struct turn *t = arg;
	struct weights *w = t->w;

	w->cmd[0].gemm.b = w->va + w->next * w->step;
	w->next = (w->next + 1) % w->copies;
	return bench_device_run(t->s->device, w->cmd);
}

/* ---- Operands -------------------------------------------------------------------- */

static uint64_t row_of_blocks(const struct block_bench *s)
{
	return (uint64_t)s->k / QUILL_BLOCK * quill_block_size(s->kind->type_b);
}

static uint64_t weight_bytes(const struct block_bench *s, uint32_t type)
{
	return quill_block_size(type) ? s->n * row_of_blocks(s) :
					quill_packed_size_of(type, s->n, s->k);
}

static void size_weights(const struct block_bench *s, struct weights *w, uint32_t type)
{
	w->size = weight_bytes(s, type);
	w->copies = bench_copies(w->size);
	w->step = (w->size + QUILL_HUGE_SIZE - 1) / QUILL_HUGE_SIZE * QUILL_HUGE_SIZE;
}

/* Numbers of any type that are neither NaN nor large: bits from 0 to half of 1's exponent. */
static void fill(uint8_t *p, uint64_t size, uint32_t type)
{
	uint64_t rnd = size, i;

	for (i = 0; i < size; i++)
		p[i] = (uint8_t)(bench_random(&rnd) & (type == QUILL_TYPE_BF16 && i % 2 ? 0xbd : 0xff));
	for (i = 0; type == QUILL_TYPE_E4M3 && i < size; i++)
		p[i] &= 0xbf;
	for (i = 0; quill_block_size(type) && i < size; i += quill_block_size(type)) {
		uint16_t d = 0x1c00;

		memcpy(p + i, &d, sizeof(d));
	}
}

static uint8_t *make_weights(struct block_bench *s, struct weights *w, uint32_t type)
{
	uint8_t *p = bench_device_alloc(s->device, w->copies * w->step, &w->va);
	unsigned int i;

	fill(p, w->size, type);
	for (i = 1; i < w->copies; i++)
		memcpy(p + i * w->step, p, w->size);
	return p;
}

static void fill_command(const struct block_bench *s, union quill_cmd *cmd, uint32_t type_a,
			 uint32_t type_b, uint64_t a, uint64_t d)
{
	memset(cmd, 0, 2 * sizeof(*cmd));
	cmd[0].gemm = (struct quill_cmd_gemm){
		.hdr = { .opcode = QUILL_OP_GEMM, .ext = 1, .type_a = (uint8_t)type_a,
			 .type_b = (uint8_t)type_b, .type_d = QUILL_TYPE_F32 },
		.a = a, .d = d, .n = s->n, .k = s->k, .lda = s->k, .ldd = s->n,
	};
	cmd[1].hdr.opcode = QUILL_OP_EXT;
}

static bool make_operands(struct block_bench *s)
{
	size_t a_bytes = (size_t)MAX_M * s->k * quill_type_size(s->kind->type_a);
	size_t s8_bytes = (size_t)MAX_M * s->k, d_bytes = (size_t)MAX_M * s->n * 4;
	size_t scales = (size_t)MAX_M * s->k / QUILL_BLOCK;
	uint64_t a, a8, d, scale, a_scale;
	float *channel;
	size_t i;

	size_weights(s, &s->ours, s->kind->type_b);
	size_weights(s, &s->s8, QUILL_TYPE_S8);
	s->device = bench_device_new(s->b, s->threads, s->ours.copies * s->ours.step +
				     s->s8.copies * s->s8.step + a_bytes + s8_bytes + d_bytes +
				     scales * 4);
	if (!s->device)
		return false;
	s->blocks = make_weights(s, &s->ours, s->kind->type_b);
	make_weights(s, &s->s8, QUILL_TYPE_S8);
	s->a = bench_device_alloc(s->device, a_bytes, &a);
	fill(s->a, a_bytes, s->kind->type_a);
	fill(bench_device_alloc(s->device, s8_bytes, &a8), s8_bytes, QUILL_TYPE_S8);
	s->d = bench_device_alloc(s->device, d_bytes, &d);
	s->a_scale = bench_device_alloc(s->device, scales * 4, &a_scale);
	for (i = 0; i < scales; i++)
		s->a_scale[i] = 0x1p-7f;
	channel = bench_device_alloc(s->device, s->n * sizeof(*channel), &scale);
	for (i = 0; i < s->n; i++)
		channel[i] = 0x1p-10f;

	fill_command(s, s->ours.cmd, s->kind->type_a, s->kind->type_b, a, d);
	fill_command(s, s->s8.cmd, QUILL_TYPE_S8, QUILL_TYPE_S8, a8, d);
	s->s8.cmd[1].gemm_ext.scale = scale;
	if (!quill_block_size(s->kind->type_b))
		return true;
	s->ours.cmd[0].gemm.ldb = (uint32_t)row_of_blocks(s);
	s->ours.cmd[1].gemm_ext.group = QUILL_BLOCK;
	s->ours.cmd[1].gemm_ext.row_scale = a_scale;
	s->ours.cmd[1].gemm_ext.row_scale_stride = s->k / QUILL_BLOCK;
	return true;
}

/* ---- A case ------------------------------------------------------------------------ */

/* One element anew, of blocks: all their scales are 2^-8, and A's 2^-7. */
static bool first_element_is_right(const struct block_bench *s)
{
	uint32_t size = quill_block_size(s->kind->type_b), j, i;
	bool q4 = s->kind->type_b == QUILL_TYPE_Q4_0;
	int64_t sum = 0;
	double want;

	for (j = 0; size && j < s->k / QUILL_BLOCK; j++) {
		const uint8_t *q = s->blocks + j * size + 2;
		const int8_t *a = (const int8_t *)s->a + j * QUILL_BLOCK;

		for (i = 0; i < QUILL_BLOCK; i++)
			sum += a[i] * (q4 ? (q[i % 16] >> (i / 16 * 4) & 15) - 8 : (int8_t)q[i]);
	}
	want = (double)sum * 0x1p-15;
	if (!size || (s->d[0] > want - 1e-2 && s->d[0] < want + 1e-2))
		return true;
	fprintf(stderr, "quill-bench: the first element is %g, expected %g\n", s->d[0], want);
	return false;
}

static bool run_case(struct block_bench *s, const char *name)
{
	double bytes = (double)weight_bytes(s, s->kind->type_b);
	double work = 2.0 * s->m * s->n * s->k;
	bool memory = s->m == 1, floats = s->kind->type_a != QUILL_TYPE_S8;
	struct turn ours = { s, &s->ours }, s8 = { s, &s->s8 };
	struct bench_side side[] = {
		{ .run = run_device, .arg = &ours },
		{ .run = run_device, .arg = &s8 },
		memory ? bench_limit_side(s->stream, bytes) :
			 bench_limit_side(floats ? s->fma : s->peak, work),
	};
	struct bench_times times;

	s->ours.cmd[0].gemm.m = s->s8.cmd[0].gemm.m = s->m;
	if (!run_device(&ours) || !first_element_is_right(s) ||
	    !bench_turns(s->b, side, COUNT(side), &times))
		return false;
	bench_report(s->b, &(struct bench_result){
		.name = name, .metric = "throughput", .unit = memory ? "GB/s" : "GOPS",
		.value = (memory ? bytes : work) * 1e-9 / times.seconds[0],
		.peer = "S8", .peer_value = (memory ? (double)s->s8.size : work) * 1e-9 / times.seconds[1],
		.ratio = times.ratio[1],
		.limit = memory ? "stream" : floats ? "fma" : "peak", .of_limit = times.ratio[2],
	});
	return true;
}

static bool wanted(const struct block_bench *s, uint32_t m, char name[64])
{
	snprintf(name, 64, "%s_m%u_n%u_k%u_t%u", s->kind->name, m, s->n, s->k, s->threads);
	return bench_wants(s->b, name);
}

static bool any_wanted(const struct block_bench *s)
{
	char name[64];
	unsigned int i;

	for (i = 0; i < COUNT(rows); i++)
		if (wanted(s, rows[i], name))
			return true;
	return false;
}

static bool run_weights(struct block_bench *s)
{
	char name[64];
	unsigned int i;
	bool ok;

	if (!any_wanted(s))
		return true;
	s->peak = bench_peak_new(s->b, s->threads);
	s->fma = bench_fma_new(s->b, s->threads);
	s->stream = bench_stream_new(s->b, s->threads);
	ok = s->peak && s->fma && s->stream && make_operands(s);
	for (i = 0; i < COUNT(rows) && ok; i++) {
		s->m = rows[i];
		if (wanted(s, s->m, name))
			ok = run_case(s, name);
	}
	bench_device_free(s->device);
	bench_limit_free(s->peak);
	bench_limit_free(s->fma);
	bench_limit_free(s->stream);
	return ok;
}

static bool run(struct bench *b)
{
	unsigned int kind, side, threads;
	bool ok = true;

	bench_head(b, "GEMM with block weights and in floats, and the device's own int8");
	for (kind = 0; kind < COUNT(kinds); kind++)
		for (side = 0; side < COUNT(sides); side++)
			for (threads = 1; threads <= 2 && ok; threads++)
				ok = run_weights(&(struct block_bench){
					.b = b, .kind = &kinds[kind], .threads = threads,
					.n = sides[side].n, .k = sides[side].k,
				});
	return ok;
}

const struct bench_suite suite_gemm_block = {
	.name = "gemm_block",
	.what = "GEMM with GGUF's block weights, bfloat16 and 8-bit floats, against int8",
	.run = run,
};
