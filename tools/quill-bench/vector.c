// SPDX-License-Identifier: MIT
/*
 * Suite vector: commands of the VECTOR engine on arrays that no cache holds, beside a loop that reads as many cache
 * lines and writes as many, and does nothing with them: the faster of one that writes through the caches and one that
 * writes past them.
 */
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "quill_host.h"

#define ROWS	4096u
#define N	4096u
#define ELEMS	((size_t)ROWS * N)
#define LINE	64u
/* Pieces of the loop. */
#define PIECES	64u

/* Where the device sees the operands, and where they are. */
struct memory {
	uint64_t a, b, d, small, index;
	const uint8_t *from_a, *from_b;
	uint8_t *to;
};

/* struct vector_case - a command, and for each step of the loop the lines of a, of b, and of the result */
struct vector_case {
	const char *name;
	void (*make)(struct qh_stream *s, const struct memory *m);
	unsigned int a, b, d;
};

/* ---- The commands ---------------------------------------------------------------------- */

static void make_add(struct qh_stream *s, const struct memory *m)
{
	qh_eltwise(s, QUILL_ELTWISE_ADD, m->d, m->a, m->b, ROWS, N);
}

static void make_relu(struct qh_stream *s, const struct memory *m)
{
	qh_act(s, QUILL_ACT_RELU, m->d, m->a, 0, ROWS, N);
}

static void make_silu(struct qh_stream *s, const struct memory *m)
{
	qh_act(s, QUILL_ACT_SILU, m->d, m->a, 0, ROWS, N);
}

static void make_silu_gate(struct qh_stream *s, const struct memory *m)
{
	qh_act(s, QUILL_ACT_SILU, m->d, m->a, m->b, ROWS, N);
}

static void make_tanh(struct qh_stream *s, const struct memory *m)
{
	qh_act(s, QUILL_ACT_TANH, m->d, m->a, 0, ROWS, N);
}

static void make_gelu(struct qh_stream *s, const struct memory *m)
{
	qh_act(s, QUILL_ACT_GELU, m->d, m->a, 0, ROWS, N);
}

static void make_gelu_erf(struct qh_stream *s, const struct memory *m)
{
	qh_act(s, QUILL_ACT_GELU_ERF, m->d, m->a, 0, ROWS, N);
}

static void make_softmax(struct qh_stream *s, const struct memory *m)
{
	qh_softmax(s, m->d, m->a, ROWS, N, 0.5f);
}

static void make_rmsnorm(struct qh_stream *s, const struct memory *m)
{
	qh_norm(s, QUILL_OP_RMSNORM, m->d, m->a, m->b, ROWS, N, 1e-5f);
}

static void make_layernorm(struct qh_stream *s, const struct memory *m)
{
	qh_norm(s, QUILL_OP_LAYERNORM, m->d, m->a, m->b, ROWS, N, 1e-5f);
}

static void make_rope(struct qh_stream *s, const struct memory *m)
{
	qh_rope(s, m->d, m->a, m->b, ROWS, N / 128, 128);
}

static void make_quantise(struct qh_stream *s, const struct memory *m)
{
	qh_quantise(s, m->d, m->small, m->a, ROWS, N, N);
}

static void make_quantise_32(struct qh_stream *s, const struct memory *m)
{
	qh_quantise(s, m->d, m->small, m->a, ROWS, N, 32);
}

static void make_quantise_by(struct qh_stream *s, const struct memory *m)
{
	qh_quantise_by(s, m->d, m->a, m->b, ROWS, N, N)->quantise.scale_stride = 0;
}

static void make_dequantise(struct qh_stream *s, const struct memory *m)
{
	qh_dequantise(s, m->d, m->a, m->b, ROWS, N, N);
}

static void make_sum(struct qh_stream *s, const struct memory *m)
{
	qh_reduce(s, QUILL_REDUCE_SUM, m->small, m->a, ROWS, N);
}

static void make_argmax(struct qh_stream *s, const struct memory *m)
{
	qh_reduce(s, QUILL_REDUCE_ARGMAX, m->small, m->a, ROWS, N);
}

static void make_gather(struct qh_stream *s, const struct memory *m)
{
	qh_gather(s, m->d, m->a, m->index, ROWS, N, ROWS);
}

static void make_gather_s8(struct qh_stream *s, const struct memory *m)
{
	qh_gather_s8(s, m->d, m->a, m->b, m->index, ROWS, N, ROWS);
}

/* The rows of a vocabulary of 32768, the 40 best of each, and one of these. */
static void make_topk(struct qh_stream *s, const struct memory *m)
{
	qh_topk(s, 0, m->small, m->a, ELEMS / 32768, 32768, 40);
}

static void make_sample(struct qh_stream *s, const struct memory *m)
{
	qh_sample(s, m->small, m->a, ELEMS / 32768, 32768, 0.8f)->sample.top_k = 40;
}

static const struct vector_case cases[] = {
	{ "add", make_add, 1, 1, 1 },
	{ "relu", make_relu, 1, 0, 1 },
	{ "silu", make_silu, 1, 0, 1 },
	{ "silu_gate", make_silu_gate, 1, 1, 1 },
	{ "tanh", make_tanh, 1, 0, 1 },
	{ "gelu", make_gelu, 1, 0, 1 },
	{ "gelu_erf", make_gelu_erf, 1, 0, 1 },
	{ "softmax", make_softmax, 1, 0, 1 },
	{ "rmsnorm", make_rmsnorm, 1, 0, 1 },
	{ "layernorm", make_layernorm, 1, 0, 1 },
	{ "rope", make_rope, 1, 0, 1 },
	{ "quantise_row", make_quantise, 4, 0, 1 },
	{ "quantise_32", make_quantise_32, 4, 0, 1 },
	{ "quantise_given", make_quantise_by, 4, 0, 1 },
	{ "dequantise_row", make_dequantise, 1, 0, 4 },
	{ "reduce_sum", make_sum, 1, 0, 0 },
	{ "reduce_argmax", make_argmax, 1, 0, 0 },
	{ "topk_40", make_topk, 1, 0, 0 },
	{ "sample_top_k_40", make_sample, 1, 0, 0 },
	{ "gather", make_gather, 1, 0, 1 },
	{ "gather_s8", make_gather_s8, 1, 0, 4 },
};

/* ---- The loop --------------------------------------------------------------------------- */

struct loop {
	const struct vector_case *c;
	const struct memory *m;
	struct bench_pool *pool;
	bool past;		/* the caches */
};

/* Steps of all pieces together. */
static size_t loop_steps(const struct vector_case *c)
{
	size_t widest = c->a > c->d ? c->a : c->d;

	return ELEMS * sizeof(float) / LINE / widest;
}

__attribute__((target("avx512f"))) static inline __m512i
read_lines(const uint8_t *from, unsigned int count, __m512i sum)
{
	for (; count; count--, from += LINE)
		sum = _mm512_xor_si512(sum, _mm512_load_si512(from));
	return sum;
}

__attribute__((target("avx512f"))) static void loop_piece(void *arg, uint32_t piece)
{
	const struct loop *l = arg;
	size_t steps = loop_steps(l->c) / PIECES, i, at = piece * steps;
	unsigned int d;
	__m512i sum = _mm512_setzero_si512();

	for (i = at; i < at + steps; i++) {
		sum = read_lines(l->m->from_a + i * l->c->a * LINE, l->c->a, sum);
		sum = read_lines(l->m->from_b + i * l->c->b * LINE, l->c->b, sum);
		for (d = 0; d < l->c->d; d++) {
			void *to = l->m->to + (i * l->c->d + d) * LINE;

			if (l->past)
				_mm512_stream_si512(to, sum);
			else
				_mm512_store_si512(to, sum);
		}
	}
	_mm_sfence();
	__asm__ volatile("" :: "v"(sum));
}

static bool loop_run(void *arg)
{
	struct loop *l = arg;

	bench_pool_run(l->pool, loop_piece, l, PIECES);
	return true;
}

/* ---- A case ------------------------------------------------------------------------------- */

struct command {
	struct bench_device *device;
	union quill_cmd cmd[QUILL_MAX_RECORDS];
};

static bool command_run(void *arg)
{
	struct command *c = arg;

	return bench_device_run(c->device, c->cmd);
}

static bool run_case(struct bench *b, struct command *command, const struct vector_case *c,
		     const struct memory *m, struct bench_pool *pool)
{
	struct qh_stream s = { .cmd = command->cmd, .max = QUILL_MAX_RECORDS };
	struct loop through = { c, m, pool, false }, past = { c, m, pool, true };
	const struct bench_side sides[] = {
		{ .run = command_run, .arg = command }, { .run = loop_run, .arg = &through },
		{ .run = loop_run, .arg = &past },
	};
	double bytes = (double)loop_steps(c) * (c->a + c->b + c->d) * LINE;
	unsigned int peer, threads = bench_pool_threads(pool);
	struct bench_times times;
	char name[64];

	snprintf(name, sizeof(name), "%s_t%u", c->name, threads);
	if (!bench_wants(b, name))
		return true;
	memset(command->cmd, 0, sizeof(command->cmd));
	c->make(&s, m);
	if (!bench_turns(b, sides, 3, &times))
		return false;
	peer = times.seconds[1] < times.seconds[2] ? 1 : 2;
	bench_report(b, &(struct bench_result){
		.name = name, .metric = "bandwidth", .unit = "GB/s",
		.value = bytes * 1e-9 / times.seconds[0],
		.peer = peer == 1 ? "loop, cached" : "loop, uncached",
		.peer_value = bytes * 1e-9 / times.seconds[peer], .ratio = times.ratio[peer],
	});
	return true;
}

/* Logits and activations alike: -4 .. 4; and indices of rows in any order. */
static void fill(struct bench_device *d, struct memory *m)
{
	float *a = bench_device_alloc(d, ELEMS * sizeof(float), &m->a);
	float *b = bench_device_alloc(d, ELEMS * sizeof(float), &m->b);
	int32_t *index = bench_device_alloc(d, ROWS * sizeof(*index), &m->index);
	uint64_t state = 1;
	size_t i;

	bench_device_alloc(d, ELEMS / 32 * sizeof(float), &m->small);
	m->to = bench_device_alloc(d, ELEMS * sizeof(float), &m->d);
	m->from_a = (const uint8_t *)a;
	m->from_b = (const uint8_t *)b;
	for (i = 0; i < ELEMS; i++) {
		a[i] = (float)bench_random(&state) * 0x1p-29f - 4;
		b[i] = 1;
	}
	for (i = 0; i < ROWS; i++)
		index[i] = (int32_t)(i * 1103 % ROWS);
	memset(m->to, 0, ELEMS * sizeof(float));
}

static bool with_threads(struct bench *b, unsigned int threads)
{
	struct command command = {
		.device = bench_device_new(b, threads, 4 * ELEMS * sizeof(float)),
	};
	struct bench_pool *pool = bench_pool_new(threads);
	struct memory m;
	bool ok = command.device && pool;
	unsigned int i;

	if (ok)
		fill(command.device, &m);
	for (i = 0; ok && i < sizeof(cases) / sizeof(cases[0]); i++)
		ok = run_case(b, &command, &cases[i], &m, pool);
	bench_pool_free(pool);
	bench_device_free(command.device);
	return ok;
}

static bool run(struct bench *b)
{
	bench_head(b, "vector: VECTOR commands on 64 MiB, against a loop that reads and writes as much");
	return with_threads(b, 1) && with_threads(b, 2);
}

const struct bench_suite suite_vector = {
	"vector", "VECTOR commands, against streaming through memory", run,
};
