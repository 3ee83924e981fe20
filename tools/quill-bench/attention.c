// SPDX-License-Identifier: MIT
/*
 * Suite attention: ATTENTION on int8 Q, K and V against oneDNN's matmul (int8 to float32), softmax and matmul (float32).
 *
 * Equal precision is: int8 scores, exact; softmax in float32; weights in float32 times int8 values, which oneDNN
 * gets as float32. That is "f32" here. "s16" is the command with weights of 16 bits (docs/isa.md), whose results differ by some
 * 2e-5 of the largest value, beside the same peer. attention_peer.c says what is not counted against the peer: scales
 * of keys, conversion of values, and in "causal" cases the mask; it computes all pairs there, because that is what
 * these three primitives do, and we those that are seen.
 *
 * prefill: as many queries as keys, 4 heads that share 2 of keys. decode: one query, 32 heads that share 8 of keys
 * (gqa), or 8 of 8 (mha). The limit is the int8 peak, or where one query reads all keys out of memory the stream.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "bench.h"
#include "dnnl.h"

static const uint32_t prompts[] = { 128, 512, 1024, 2048, 4096 };
static const uint32_t contexts[] = { 512, 1024, 2048, 4096, 8192 };
static const uint32_t dims[] = { 64, 128 };
static const char *const modes[] = { "f32", "s16" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* struct attention - one shape with one number of threads, and the case that runs */
struct attention {
	struct bench *b;
	struct bench_device *device;
	unsigned int threads;
	struct attention_case c;
	const char *what;
	bool causal;
	union quill_cmd cmd[3];
	float *out;
	struct bench_limit *peak, *stream;
};

static bool run_device(void *arg)
{
	struct attention *a = arg;

	return bench_device_run(a->device, a->cmd);
}

/* ---- Operands ------------------------------------------------------------------ */

static size_t rows_of(const struct attention_case *c)
{
	return (size_t)c->kv_heads * c->share * c->n_q;
}

static void *random_bytes(size_t n, uint64_t seed)
{
	int8_t *p = bench_alloc(n);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (int8_t)bench_random(&seed);
	return p;
}

static void make_case(struct attention_case *c)
{
	size_t keys = (size_t)c->kv_heads * c->n_kv;

	c->q_scale = c->kv_scale = 0.02f;
	c->q = random_bytes(rows_of(c) * c->dim, 1);
	c->k = random_bytes(keys * c->dim, 2);
	c->v = random_bytes(keys * c->dim, 3);
	c->out = bench_alloc(rows_of(c) * c->dim * sizeof(float));
}

static void free_case(struct attention_case *c)
{
	free(c->q);
	free(c->k);
	free(c->v);
	free(c->out);
}

/* The device has queries and results as [query][head][dim], keys and values by head. */
static size_t device_row(const struct attention_case *c, size_t row)
{
	size_t group = row / ((size_t)c->n_q * c->share), query = row / c->share % c->n_q;

	return (query * c->kv_heads + group) * c->share + row % c->share;
}

static uint64_t device_scales(struct attention *a, size_t n, float scale)
{
	uint64_t va;
	float *p = bench_device_alloc(a->device, n * sizeof(*p), &va);

	while (n--)
		*p++ = scale;
	return va;
}

static uint64_t device_bytes(struct attention *a, const int8_t *from, size_t n)
{
	uint64_t va;

	memcpy(bench_device_alloc(a->device, n, &va), from, n);
	return va;
}

static void fill_command(struct attention *a)
{
	const struct attention_case *c = &a->c;
	uint32_t heads = c->kv_heads * c->share;
	float scale = attention_softmax_scale(c);

	a->cmd[0].attention.hdr = (struct quill_cmd_hdr){
		.opcode = QUILL_OP_ATTENTION, .ext = 2, .type_a = QUILL_TYPE_S8,
		.type_b = QUILL_TYPE_S8, .type_d = QUILL_TYPE_F32,
	};
	a->cmd[0].attention.n_q = c->n_q;
	a->cmd[0].attention.n_kv = c->n_kv;
	a->cmd[0].attention.n_heads = heads;
	a->cmd[0].attention.n_kv_heads = c->kv_heads;
	a->cmd[0].attention.head_dim = c->dim;
	a->cmd[1].hdr.opcode = QUILL_OP_EXT;
	a->cmd[1].attention_ext.q_stride = a->cmd[1].attention_ext.out_stride = heads * c->dim;
	a->cmd[1].attention_ext.kv_stride = c->dim;
	a->cmd[1].attention_ext.kv_head_stride = c->n_kv * c->dim;
	memcpy(&a->cmd[1].attention_ext.softmax_scale, &scale, sizeof(scale));
	a->cmd[2].hdr.opcode = QUILL_OP_EXT;
}

static bool make_operands(struct attention *a)
{
	const struct attention_case *c = &a->c;
	size_t keys = (size_t)c->kv_heads * c->n_kv, rows = rows_of(c), i;
	struct quill_cmd_attention *cmd = &a->cmd[0].attention;
	uint64_t va;
	int8_t *q;

	a->device = bench_device_new(a->b, a->threads,
				     2 * keys * (c->dim + 4) + rows * (5 * c->dim + 4) + (32u << 20));
	if (!a->device)
		return false;
	q = bench_device_alloc(a->device, rows * c->dim, &va);
	cmd->q = va;
	for (i = 0; i < rows; i++)
		memcpy(q + device_row(c, i) * c->dim, c->q + i * c->dim, c->dim);
	cmd->k = device_bytes(a, c->k, keys * c->dim);
	cmd->v = device_bytes(a, c->v, keys * c->dim);
	a->cmd[1].attention_ext.q_scale = device_scales(a, rows, c->q_scale);
	a->cmd[1].attention_ext.k_scale = device_scales(a, keys, c->kv_scale);
	a->cmd[1].attention_ext.v_scale = device_scales(a, keys, c->kv_scale);
	a->out = bench_device_alloc(a->device, rows * c->dim * sizeof(float), &va);
	cmd->out = va;
	fill_command(a);
	return true;
}

/* ---- A case ------------------------------------------------------------------------ */

/* Where both see all pairs; the largest value is 2.56. */
static bool same_result(const struct attention *a)
{
	const struct attention_case *c = &a->c;
	size_t rows = rows_of(c), i, e;

	for (i = 0; i < rows && !a->causal; i++) {
		const float *ours = a->out + device_row(c, i) * c->dim, *theirs = c->out + i * c->dim;

		for (e = 0; e < c->dim; e++)
			if (!(fabsf(ours[e] - theirs[e]) < 1e-3f)) {
				fprintf(stderr, "quill-bench: element %zu of row %zu is %g here and %g in oneDNN, expected equal within 1e-3\n",
					e, i, ours[e], theirs[e]);
				return false;
			}
	}
	return true;
}

/* Operations of both products, over the pairs that are seen. */
static double work_of(const struct attention *a)
{
	double pairs = (double)a->c.n_q * a->c.n_kv;

	if (a->causal)
		pairs -= (double)a->c.n_q * (a->c.n_q - 1) / 2;
	return 4 * pairs * a->c.kv_heads * a->c.share * a->c.dim;
}

static double bytes_of(const struct attention_case *c)
{
	return 2.0 * c->kv_heads * c->n_kv * (c->dim + 4);
}

static bool run_mode(struct attention *a, struct attention_peer *peer, const char *name)
{
	bool memory = a->c.n_q == 1 && bytes_of(&a->c) > (double)bench_cache_bytes();
	struct bench_side side[] = {
		{ .run = run_device, .arg = a },
		{ .run = attention_peer_run, .arg = peer },
		memory ? bench_limit_side(a->stream, bytes_of(&a->c)) :
			 bench_limit_side(a->peak, work_of(a)),
	};
	struct bench_times times;

	if (!bench_turns(a->b, side, COUNT(side), &times) || !same_result(a))
		return false;
	bench_report(a->b, &(struct bench_result){
		.name = name, .metric = "time", .unit = "us", .value = times.seconds[0] * 1e6,
		.peer = bench_dnnl_name(), .peer_value = times.seconds[1] * 1e6,
		.ratio = times.ratio[1], .limit = memory ? "stream" : "peak",
		.of_limit = times.ratio[2],
	});
	return true;
}

static bool wanted(const struct attention *a, unsigned int mode, char name[64])
{
	snprintf(name, 64, "%s_%s_n%u_d%u_t%u", a->what, modes[mode], a->c.n_kv, a->c.dim, a->threads);
	return bench_wants(a->b, name);
}

static bool run_modes(struct attention *a, struct attention_peer *peer)
{
	unsigned int mode;
	bool ok = true;
	char name[64];

	a->cmd[0].hdr.flags = a->causal ? QUILL_CMD_CAUSAL : 0;
	for (mode = 0; mode < COUNT(modes) && ok; mode++) {
		a->cmd[2].attention_more.weights = mode ? QUILL_WEIGHTS_S16 : QUILL_WEIGHTS_F32;
		if (wanted(a, mode, name))
			ok = run_mode(a, peer, name);
	}
	return ok;
}

static bool run_threads(struct bench *b, const char *what, bool causal, struct attention_case c,
			unsigned int threads)
{
	struct attention a = { .b = b, .what = what, .causal = causal, .threads = threads, .c = c };
	struct attention_peer *peer = NULL;
	char name[64];
	bool ok;

	if (!wanted(&a, 0, name) && !wanted(&a, 1, name))
		return true;
	make_case(&a.c);
	a.peak = bench_peak_new(b, threads);
	a.stream = bench_stream_new(b, threads);
	ok = a.peak && a.stream && make_operands(&a) && (peer = attention_peer_new(&a.c, threads)) &&
	     run_modes(&a, peer);
	attention_peer_free(peer);
	bench_device_free(a.device);
	bench_limit_free(a.peak);
	bench_limit_free(a.stream);
	free_case(&a.c);
	return ok;
}

static bool run_both(struct bench *b, const char *what, bool causal, const struct attention_case *c)
{
	return run_threads(b, what, causal, *c, 1) && run_threads(b, what, causal, *c, 2);
}

static bool run(struct bench *b)
{
	unsigned int i, d;
	bool ok = true;

	bench_head(b, "ATTENTION against oneDNN's matmul, softmax, matmul");
	for (d = 0; d < COUNT(dims); d++) {
		for (i = 0; i < COUNT(prompts) && ok; i++) {
			struct attention_case c = { .kv_heads = 2, .share = 2, .n_q = prompts[i],
						    .n_kv = prompts[i], .dim = dims[d] };

			ok = run_both(b, "prefill_causal", true, &c) &&
			     run_both(b, "prefill_full", false, &c);
		}
		for (i = 0; i < COUNT(contexts) && ok; i++) {
			struct attention_case c = { .kv_heads = 8, .share = 4, .n_q = 1,
						    .n_kv = contexts[i], .dim = dims[d] };

			ok = run_both(b, "decode_gqa", false, &c);
			c.share = 1;
			ok = ok && run_both(b, "decode_mha", false, &c);
		}
	}
	return ok;
}

const struct bench_suite suite_attention = {
	"attention", "attention on int8, against oneDNN's three primitives", run,
};
