// SPDX-License-Identifier: MIT
/*
 * A step, command by command. In a loop the register ROUND is added to whatever depends on the position; all else is
 * the same in each round.
 */
#include <math.h>

#include "step.h"

#define ROUND	0
/* Of a layer, patches and copies for the trace included; and of what stands before and behind the layers. */
#define LAYER_RECORDS	48
#define OTHER_RECORDS	32

/* What is under way: the first error ends it. */
struct encoder {
	struct accel_stream *stream;
	const struct step_memory *m;
	const struct weights *w;
	const struct step *s;
	uint64_t traced;		/* bytes */
	int ret;
};

uint32_t step_records(const struct weights *w)
{
	return w->n_layers * LAYER_RECORDS + OTHER_RECORDS;
}

uint64_t step_trace_size(const struct weights *w, uint32_t rows)
{
	uint64_t q = (uint64_t)w->n_heads * w->head_dim;

	return rows * (w->n_layers * (2 * w->d_model + 2 * q + w->d_ff) + (uint64_t)w->d_model);
}

static void done(struct encoder *e, int ret)
{
	if (!e->ret)
		e->ret = ret;
}

/* @field of the next command grows by @scale a round. */
static void follow_round(struct encoder *e, const char *field, uint32_t scale)
{
	const struct accel_patch patch = { field, ROUND, (int32_t)scale };

	if (e->s->rounds)
		done(e, accel_cmd_patch(e->stream, &patch, 1));
}

/* ---- Parts --------------------------------------------------------------------------- */

/* int8 values are overwritten soon: a copy for the check. */
static void keep(struct encoder *e, const struct accel_buffer *values, uint64_t bytes)
{
	if (!e->m->trace.ptr)
		return;
	done(e, accel_cmd_copy(e->stream, e->m->trace.va + e->traced, values->va, bytes, NULL));
	e->traced += bytes;
}

/* Rows of @k floats, @stride apart, become what the next GEMM reads. */
static void quantise(struct encoder *e, uint64_t src, uint32_t rows, uint32_t k, uint32_t stride)
{
	const struct accel_quantise c = {
		.src = src, .dst = e->m->a.values.va, .scale = e->m->a.scales.va,
		.rows = rows, .n = k, .src_stride = stride,
	};

	done(e, accel_cmd_quantise(e->stream, &c, NULL));
	keep(e, &e->m->a.values, (uint64_t)rows * k);
}

static void multiply(struct encoder *e, const struct accel_weights *weights, uint64_t dst,
		     uint32_t rows)
{
	struct accel_gemm gemm;

	done(e, accel_weights_gemm(weights, ACCEL_F32, &gemm));
	if (e->ret)
		return;
	gemm.a = e->m->a.values.va;
	gemm.row_scale = e->m->a.scales.va;
	gemm.d = dst;
	gemm.m = rows;
	done(e, accel_cmd_gemm(e->stream, &gemm, NULL));
}

/* norm = RMSNORM(x), or of x + d, which x then is. */
static void normalise(struct encoder *e, uint64_t weight, uint32_t first, uint32_t rows, bool add)
{
	uint64_t skip = (uint64_t)first * e->w->d_model * sizeof(float);
	struct accel_norm c = {
		.src = e->m->x.va + skip, .dst = e->m->norm.va, .weight = weight,
		.rows = rows, .n = e->w->d_model, .eps = (float)e->w->rms_eps,
	};

	if (add) {
		c.residual = e->m->d.va + skip;
		c.sum = c.src;
	}
	done(e, accel_cmd_rmsnorm(e->stream, &c, NULL));
}

/* ---- A layer ---------------------------------------------------------------------------- */

static void rotate(struct encoder *e)
{
	const struct weights *w = e->w;
	const struct accel_rope c = {
		.src = e->m->d.va, .dst = e->m->d.va,
		.table = e->m->rope.va + (uint64_t)e->s->position * w->head_dim * sizeof(float),
		.rows = e->s->rows, .heads = w->n_heads + w->n_kv_heads, .dim = w->head_dim,
		.src_stride = weights_qkv(w), .dst_stride = weights_qkv(w),
	};

	follow_round(e, "table", w->head_dim * sizeof(float));
	done(e, accel_cmd_rope(e->stream, &c, NULL));
}

/* Q to int8 with a scale a head; K and V into the cache. */
static void split_qkv(struct encoder *e, const struct device_layer *layer)
{
	const struct weights *w = e->w;
	uint32_t n_q = w->n_heads * w->head_dim, n_kv = w->n_kv_heads * w->head_dim;
	const struct accel_quantise q = {
		.src = e->m->d.va, .dst = e->m->q.values.va, .scale = e->m->q.scales.va,
		.rows = e->s->rows, .n = n_q, .group = w->head_dim, .src_stride = weights_qkv(w),
	};
	const struct accel_kv_append kv = {
		.k_src = e->m->d.va + n_q * sizeof(float),
		.v_src = e->m->d.va + (n_q + n_kv) * sizeof(float),
		.k = layer->k.values.va, .k_scale = layer->k.scales.va,
		.v = layer->v.values.va, .v_scale = layer->v.scales.va,
		.tokens = e->s->rows, .pos = e->s->position,
		.heads = w->n_kv_heads, .dim = w->head_dim, .src_stride = weights_qkv(w),
	};

	done(e, accel_cmd_quantise(e->stream, &q, NULL));
	keep(e, &e->m->q.values, (uint64_t)e->s->rows * n_q);
	follow_round(e, "pos", 1);
	done(e, accel_cmd_kv_append(e->stream, &kv, NULL));
}

static void attention(struct encoder *e, const struct device_layer *layer)
{
	const struct weights *w = e->w;
	const struct accel_attention c = {
		.q = e->m->q.values.va, .q_scale = e->m->q.scales.va,
		.k = layer->k.values.va, .k_scale = layer->k.scales.va,
		.v = layer->v.values.va, .v_scale = layer->v.scales.va,
		.out = e->m->d.va,
		.n_q = e->s->rows, .n_kv = e->s->position + e->s->rows,
		.n_heads = w->n_heads, .n_kv_heads = w->n_kv_heads, .head_dim = w->head_dim,
		.softmax_scale = 1 / sqrtf(w->head_dim),
		.causal = true,
	};

	follow_round(e, "n_kv", 1);
	done(e, accel_cmd_attention(e->stream, &c, NULL));
}

/* silu(gate) * up, in the place of gate, then down. */
static void feed_forward(struct encoder *e, const struct device_layer *layer)
{
	const uint32_t rows = e->s->rows, n = e->w->d_ff;
	const struct accel_act c = {
		.src = e->m->d.va, .gate = e->m->d.va + n * sizeof(float), .dst = e->m->d.va,
		.op = ACCEL_ACT_SILU, .rows = rows, .n = n,
		.src_stride = 2 * n, .gate_stride = 2 * n, .dst_stride = 2 * n,
	};

	quantise(e, e->m->norm.va, rows, e->w->d_model, 0);
	multiply(e, layer->gate_up, e->m->d.va, rows);
	done(e, accel_cmd_act(e->stream, &c, NULL));
	quantise(e, e->m->d.va, rows, n, 2 * n);
	multiply(e, layer->down, e->m->d.va, rows);
}

static void layer(struct encoder *e, const struct device_layer *l, bool first)
{
	const struct weights *w = e->w;
	uint32_t rows = e->s->rows;

	normalise(e, l->attn_norm.va, 0, rows, !first);
	quantise(e, e->m->norm.va, rows, w->d_model, 0);
	multiply(e, l->qkv, e->m->d.va, rows);
	rotate(e);
	split_qkv(e, l);
	attention(e, l);
	quantise(e, e->m->d.va, rows, w->n_heads * w->head_dim, 0);
	multiply(e, l->attn_output, e->m->d.va, rows);
	normalise(e, l->ffn_norm.va, 0, rows, true);
	feed_forward(e, l);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void embed(struct encoder *e)
{
	const struct accel_gather c = {
		.table = e->m->embedding.va,
		.index = e->m->tokens.va + (uint64_t)e->s->position * sizeof(int32_t),
		.dst = e->m->x.va,
		.rows = e->s->rows, .n = e->w->d_model, .table_rows = VOCAB,
	};

	follow_round(e, "index", sizeof(int32_t));
	done(e, accel_cmd_gather(e->stream, &c, NULL));
}

static uint64_t next_token(const struct encoder *e)
{
	return e->m->tokens.va + (uint64_t)(e->s->position + e->s->rows) * sizeof(int32_t);
}

/* The token behind the last; its random number is that of its position. */
static void choose(struct encoder *e, uint32_t rows)
{
	const struct sampler *how = e->s->sampler;
	const struct accel_sample c = {
		.src = e->m->logits.va + (uint64_t)(rows - 1) * VOCAB * sizeof(float),
		.dst = next_token(e), .rows = 1, .n = VOCAB,
		.temperature = how->temperature, .top_k = how->top_k, .top_p = how->top_p,
		.seed = how->seed, .counter = e->s->position + e->s->rows,
	};
	const struct accel_patch patches[] = {
		{ "dst", ROUND, sizeof(int32_t) }, { "counter", ROUND, 1 },
	};

	if (e->s->rounds)
		done(e, accel_cmd_patch(e->stream, patches, 2));
	done(e, accel_cmd_sample(e->stream, &c, NULL));
}

static void again(struct encoder *e, uint32_t first)
{
	const struct accel_loop c = {
		.record = first, .reg = ROUND, .limit = e->s->rounds, .stops = e->s->stop >= 0,
		.stop = { e->s->stop >= 0 ? e->s->stop : 0 },
		.word = e->s->stop >= 0 ? next_token(e) : 0,
	};

	if (c.word)
		follow_round(e, "word", sizeof(int32_t));
	done(e, accel_cmd_loop(e->stream, &c));
}

int step_encode(struct accel_stream *stream, const struct step_memory *m, const struct step *s)
{
	struct encoder e = { .stream = stream, .m = m, .w = m->w, .s = s };
	uint32_t first = accel_stream_records(stream), rows = s->all ? s->rows : 1, i;

	embed(&e);
	for (i = 0; i < m->w->n_layers; i++)
		layer(&e, &m->layers[i], i == 0);
	normalise(&e, m->output_norm.va, s->rows - rows, rows, true);
	quantise(&e, m->norm.va, rows, m->w->d_model, 0);
	multiply(&e, m->output, m->logits.va, rows);
	if (s->sampler)
		choose(&e, rows);
	if (s->rounds)
		again(&e, first);
	return e.ret;
}
