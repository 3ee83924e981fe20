// SPDX-License-Identifier: MIT
/* Every VECTOR command in every mode: operands, command, expected result. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ref_block.h"
#include "ref_sample.h"
#include "ref_vector.h"
#include "vector_cases.h"

#define UNTOUCHED	0x77

static struct case_operand *add(struct vector_case *c, const char *name, uint32_t rows,
				uint64_t stride, uint64_t width)
{
	struct case_operand *op = &c->op[c->ops++];

	assert_true(c->ops <= sizeof(c->op) / sizeof(c->op[0]));
	*op = (struct case_operand){
		.name = name, .rows = rows, .stride = stride, .width = width,
		.buf = qh_alloc(c->h, c->as, rows * stride + 64, QH_RW),
	};
	return op;
}

static float any_float(struct vector_case *c)
{
	static const float special[] = { NAN, -NAN, INFINITY, -INFINITY, -0.0f, 0x1p-140f, -3e38f };

	if (c->shape.special && !ref_random_below(&c->rnd, 100))
		return special[ref_random_below(&c->rnd, 7)];
	return ref_random_float(&c->rnd, -4, 4);
}

/* Elements from row to row of the next operand: another for each, unless there are to be no gaps. */
static uint32_t next_stride(const struct vector_case *c, uint32_t n)
{
	return c->shape.pad ? n + c->shape.pad + c->ops : n;
}

/* Stride of a float operand, in elements. */
static uint32_t ld(const struct case_operand *op)
{
	return op->stride / 4;
}

/* A matrix of float to read, all of its memory filled; @stride 0: one of its own. */
static struct case_operand *floats(struct vector_case *c, const char *name, uint32_t rows,
				   uint32_t n, uint32_t stride)
{
	struct case_operand *op;
	size_t i;

	stride = stride ? stride : next_stride(c, n);
	op = add(c, name, rows, (uint64_t)stride * 4, (uint64_t)n * 4);
	for (i = 0; i < (size_t)rows * stride; i++)
		((float *)op->buf->ptr)[i] = any_float(c);
	return op;
}

/* A matrix to write; @stride 0: one of its own; @over: in place of this operand. */
static struct case_operand *result(struct vector_case *c, const char *name, uint32_t rows,
				   uint32_t stride, uint32_t n, uint32_t size,
				   const struct case_operand *over)
{
	struct case_operand *op = &c->op[c->ops];

	if (over && c->shape.in_place) {
		*op = *over;
		op->name = name;
		c->ops++;
	} else {
		stride = stride ? stride : next_stride(c, n);
		add(c, name, rows, (uint64_t)stride * size, (uint64_t)n * size);
		memset(op->buf->ptr, UNTOUCHED, op->buf->size);
	}
	op->write = true;
	op->want = malloc(op->buf->size);
	memcpy(op->want, op->buf->ptr, op->buf->size);
	return op;
}

static struct ref_rows ref_of(const struct case_operand *op)
{
	if (!op)
		return (struct ref_rows){ 0 };
	return (struct ref_rows){ (const float *)op->buf->ptr, ld(op) };
}

/* ---- The commands ---- */

enum { NORM_LAYER = 1, NORM_RESIDUAL = 2, NORM_SUM = 4, NORM_BIAS = 8, NORM_SUM_OVER = 16 };

static void make_norm(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	/* a sum has src's stride; to replace the residual, that too has to have it */
	struct case_operand *res = mode & NORM_RESIDUAL ?
		floats(c, "residual", rows, n, mode & NORM_SUM_OVER ? ld(src) : 0) : NULL;
	struct case_operand *weight = floats(c, "weight", 1, n, n);
	struct case_operand *bias = mode & NORM_BIAS ? floats(c, "bias", 1, n, n) : NULL;
	struct case_operand *sum = NULL, *dst;
	union quill_cmd *cmd;

	if (mode & NORM_SUM)
		sum = result(c, "sum", rows, ld(src), n, 4, mode & NORM_SUM_OVER ? res : NULL);
	dst = result(c, "dst", rows, 0, n, 4, src);
	cmd = qh_norm(c->s, mode & NORM_LAYER ? QUILL_OP_LAYERNORM : QUILL_OP_RMSNORM, dst->buf->va,
		      src->buf->va, weight->buf->va, rows, n, 1e-5f);
	cmd[0].norm.src_stride = ld(src);
	cmd[0].norm.dst_stride = ld(dst);
	cmd[0].norm.residual = res ? res->buf->va : 0;
	cmd[1].norm_ext.residual_stride = res ? ld(res) : 0;
	cmd[1].norm_ext.bias = bias ? bias->buf->va : 0;
	cmd[1].norm_ext.sum = sum ? sum->buf->va : 0;
	ref_norm(&(struct ref_norm){
		.dst = (float *)dst->want, .dst_stride = ld(dst),
		.sum = sum ? (float *)sum->want : NULL, .sum_stride = ld(src),
		.src = ref_of(src), .residual = ref_of(res),
		.weight = ref_of(weight).p, .bias = ref_of(bias).p,
		.rows = rows, .n = n, .eps = 1e-5f, .layer = mode & NORM_LAYER,
	});
}

static void make_softmax(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 4, src);
	union quill_cmd *cmd = qh_softmax(c->s, dst->buf->va, src->buf->va, rows, n, 0.7f);

	cmd->softmax.src_stride = ld(src);
	cmd->softmax.dst_stride = ld(dst);
	ref_softmax(&(struct ref_softmax){
		.dst = (float *)dst->want, .dst_stride = ld(dst), .src = ref_of(src), .rows = rows,
		.n = n, .scale = 0.7f,
	});
}

enum { ROPE_HALVES = 1, ROPE_PART = 2 };

static void make_rope(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, dim = c->shape.n < 64 ? 2 * (c->shape.n % 32 + 1) : 96;
	uint32_t heads = c->shape.n / dim + 1, n = heads * dim;
	uint32_t rotary = !(mode & ROPE_PART) ? dim : dim == 96 ? 64 : (dim + 2) / 4 * 2;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	struct case_operand *table = floats(c, "table", rows, rotary, rotary);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 4, src);
	union quill_cmd *cmd = qh_rope(c->s, dst->buf->va, src->buf->va, table->buf->va, rows,
				       heads, dim);

	cmd->hdr.flags = mode & ROPE_HALVES ? QUILL_CMD_HALVES : 0;
	cmd->rope.rotary = mode & ROPE_PART ? rotary : 0;
	cmd->rope.src_stride = ld(src);
	cmd->rope.dst_stride = ld(dst);
	ref_rope(&(struct ref_rope){
		.dst = (float *)dst->want, .dst_stride = ld(dst), .src = ref_of(src),
		.table = ref_of(table), .rows = rows, .heads = heads, .dim = dim, .rotary = rotary,
		.halves = mode & ROPE_HALVES,
	});
}

/* @mode: elements of a group; 0: all of a row is one. */
static void make_quantise(struct vector_case *c, uint32_t mode)
{
	uint32_t group = mode ? mode : c->shape.n, groups = (c->shape.n + group - 1) / group;
	uint32_t rows = c->shape.rows, n = groups * group;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 1, NULL);
	struct case_operand *scale = result(c, "scale", rows, 0, groups, 4, NULL);
	union quill_cmd *cmd = qh_quantise(c->s, dst->buf->va, scale->buf->va, src->buf->va, rows,
					   n, group);

	cmd->quantise.src_stride = ld(src);
	cmd->quantise.dst_stride = dst->stride;
	cmd->quantise.scale_stride = ld(scale);
	ref_quantise(&(struct ref_quantise){
		.q = (int8_t *)dst->want, .q_stride = dst->stride, .f = (float *)src->buf->ptr,
		.f_stride = ld(src), .scale = (float *)scale->want, .scale_stride = ld(scale),
		.rows = rows, .n = n, .group = group,
	});
}

#define SCALE_ONE_ROW	0x100	/* of scales, for all */

/* @mode: elements of a group, and whether there is one row of scales; those with many are a ReLU as well. */
static void make_quantise_by(struct vector_case *c, uint32_t mode)
{
	uint32_t group = mode & 0xff ? mode & 0xff : c->shape.n;
	uint32_t groups = (c->shape.n + group - 1) / group, rows = c->shape.rows, n = groups * group;
	bool one = mode & SCALE_ONE_ROW;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	struct case_operand *scale = floats(c, "scale", one ? 1 : rows, groups, 0);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 1, NULL);
	union quill_cmd *cmd = qh_quantise_by(c->s, dst->buf->va, src->buf->va, scale->buf->va, rows,
					      n, group);
	struct quill_ext_quantise *e = &cmd[1].quantise_ext;
	size_t i;

	for (i = 0; i < (size_t)scale->rows * ld(scale); i++)
		((float *)scale->buf->ptr)[i] /= 50;
	e->zero = group > 1 ? 0 : 5;
	if (!one)
		e->zero = e->lo = -7;
	cmd->quantise.src_stride = ld(src);
	cmd->quantise.dst_stride = dst->stride;
	cmd->quantise.scale_stride = one ? 0 : ld(scale);
	ref_quantise_by(&(struct ref_quantise){
		.q = (int8_t *)dst->want, .q_stride = dst->stride, .f = (float *)src->buf->ptr,
		.f_stride = ld(src), .scale = (float *)scale->buf->ptr,
		.scale_stride = one ? 0 : ld(scale), .rows = rows, .n = n, .group = group,
		.zero = e->zero, .lo = e->lo, .hi = e->hi,
	});
}

static void make_dequantise(struct vector_case *c, uint32_t mode)
{
	uint32_t group = mode & 0xff ? mode & 0xff : c->shape.n;
	uint32_t groups = (c->shape.n + group - 1) / group, rows = c->shape.rows, n = groups * group;
	bool one = mode & SCALE_ONE_ROW;
	struct case_operand *src = add(c, "src", rows, next_stride(c, n), n);
	struct case_operand *scale = floats(c, "scale", one ? 1 : rows, groups, 0);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 4, NULL);
	union quill_cmd *cmd = qh_dequantise(c->s, dst->buf->va, src->buf->va, scale->buf->va, rows,
					     n, group);

	ref_random_s8(&c->rnd, (int8_t *)src->buf->ptr, src->buf->size);
	cmd->quantise.src_stride = src->stride;
	cmd->quantise.dst_stride = ld(dst);
	cmd->quantise.scale_stride = one ? 0 : ld(scale);
	ref_dequantise(&(struct ref_quantise){
		.q = (int8_t *)src->buf->ptr, .q_stride = src->stride, .f = (float *)dst->want,
		.f_stride = ld(dst), .scale = (float *)scale->buf->ptr,
		.scale_stride = one ? 0 : ld(scale), .rows = rows, .n = n, .group = group,
	});
}

#define ELTWISE_ONE_ROW	0x100	/* of b, for all */

static void make_eltwise(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n, op = mode & 0xff;
	bool one = mode & ELTWISE_ONE_ROW;
	struct case_operand *a = floats(c, "a", rows, n, 0);
	struct case_operand *b = floats(c, "b", one ? 1 : rows, n, 0);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 4, a);
	union quill_cmd *cmd = qh_eltwise(c->s, op, dst->buf->va, a->buf->va, b->buf->va, rows, n);
	struct ref_rows rb = ref_of(b);

	cmd->eltwise.a_stride = ld(a);
	cmd->eltwise.b_stride = one ? 0 : ld(b);
	cmd->eltwise.dst_stride = ld(dst);
	if (one)
		rb.stride = 0;
	ref_eltwise(&(struct ref_eltwise){
		.dst = (float *)dst->want, .dst_stride = ld(dst), .a = ref_of(a), .b = rb,
		.rows = rows, .n = n, .op = op,
	});
}

#define ACT_GATED	0x100

static void make_act(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n, op = mode & 0xff;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	struct case_operand *gate = mode & ACT_GATED ? floats(c, "gate", rows, n, 0) : NULL;
	struct case_operand *dst = result(c, "dst", rows, 0, n, 4, src);
	union quill_cmd *cmd = qh_act(c->s, op, dst->buf->va, src->buf->va, gate ? gate->buf->va : 0,
				      rows, n);

	cmd->act.src_stride = ld(src);
	cmd->act.gate_stride = gate ? ld(gate) : 0;
	cmd->act.dst_stride = ld(dst);
	ref_act(&(struct ref_act){
		.dst = (float *)dst->want, .dst_stride = ld(dst), .src = ref_of(src),
		.gate = ref_of(gate), .rows = rows, .n = n, .op = op,
	});
}

static void make_reduce(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	struct case_operand *dst = result(c, "dst", 1, rows, rows, 4, NULL);

	qh_reduce(c->s, mode, dst->buf->va, src->buf->va, rows, n)->reduce.src_stride = ld(src);
	ref_reduce(&(struct ref_reduce){
		.dst = dst->want, .src = ref_of(src), .rows = rows, .n = n, .op = mode,
	});
}

static void make_gather(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n, entries = 7, i;
	struct case_operand *table = floats(c, "table", entries, n, 0);
	struct case_operand *index = add(c, "index", 1, rows * 4ull, rows * 4ull);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 4, NULL);
	int32_t *at = (int32_t *)index->buf->ptr;
	union quill_cmd *cmd = qh_gather(c->s, dst->buf->va, table->buf->va, index->buf->va, rows,
					 n, entries);

	cmd->gather.table_stride = ld(table);
	cmd->gather.dst_stride = ld(dst);
	for (i = 0; i < rows; i++) {
		at[i] = (int32_t)ref_random_below(&c->rnd, entries);
		/* the last row of the table is looked at */
		if (i == rows - 1)
			at[i] = (int32_t)entries - 1;
		memcpy(dst->want + i * dst->stride, table->buf->ptr + at[i] * table->stride,
		       dst->width);
	}
	table->index = at;
	table->lookups = rows;
}

/* Element @e of a row of a table. */
static float table_element(uint32_t type, const uint8_t *row, uint32_t e)
{
	const struct quill_q8_0 *q8 = (const struct quill_q8_0 *)row + e / QUILL_BLOCK;
	const struct quill_q4_0 *q4 = (const struct quill_q4_0 *)row + e / QUILL_BLOCK;
	uint32_t i = e % QUILL_BLOCK, half = QUILL_BLOCK / 2;

	switch (type) {
	case QUILL_TYPE_Q8_0:
		return (float)q8->q[i] * ref_widen(QUILL_TYPE_F16, q8->d);
	case QUILL_TYPE_Q4_0:
		return (float)((i < half ? q4->q[i] & 15 : q4->q[i - half] >> 4) - 8) *
		       ref_widen(QUILL_TYPE_F16, q4->d);
	case QUILL_TYPE_S8:
		return ((const int8_t *)row)[e];
	default:
		return ref_widen(type, ((const uint16_t *)row)[e]);
	}
}

#define EMBED_ONE_SCALE	0x100

/* The scales of a table of int8: one a row, or one. */
static struct case_operand *add_scales(struct vector_case *c, union quill_cmd *cmd, bool one,
				       uint32_t entries, const int32_t *at)
{
	struct case_operand *scale = floats(c, "scale", one ? 1 : entries, 1, 0);
	struct quill_ext_gather *ext = &qh_cmd(c->s, QUILL_OP_EXT)->gather_ext;

	cmd->hdr.ext = 1;
	ext->scale = scale->buf->va;
	ext->scale_stride = one ? 0 : ld(scale);
	if (!one) {
		scale->index = at;
		scale->lookups = c->shape.rows;
	}
	return scale;
}

/* @mode: type of the table, whose bytes are any, and of what kind S8's scales are. */
static void make_embed(struct vector_case *c, uint32_t mode)
{
	bool one = mode & EMBED_ONE_SCALE;
	uint32_t type = mode & 0xff, block = quill_block_size(type), unit = block ? QUILL_BLOCK : 1;
	uint32_t size = block ? block : quill_type_size(type);
	uint32_t rows = c->shape.rows, n = (c->shape.n + unit - 1) / unit * unit, entries = 7, i, e;
	uint32_t stride = (next_stride(c, n) + unit - 1) / unit * unit;
	struct case_operand *table = add(c, "table", entries, (uint64_t)stride / unit * size,
					 (uint64_t)n / unit * size);
	struct case_operand *index = add(c, "index", 1, rows * 4ull, rows * 4ull);
	struct case_operand *dst = result(c, "dst", rows, 0, n, 4, NULL);
	struct case_operand *scale = NULL;
	int32_t *at = (int32_t *)index->buf->ptr;
	union quill_cmd *cmd = qh_gather(c->s, dst->buf->va, table->buf->va, index->buf->va, rows,
					 n, entries);

	ref_random_s8(&c->rnd, (int8_t *)table->buf->ptr, table->buf->size);
	if (type == QUILL_TYPE_S8)
		scale = add_scales(c, cmd, one, entries, at);
	cmd->hdr.type_a = (uint8_t)type;
	cmd->gather.table_stride = stride;
	cmd->gather.dst_stride = ld(dst);
	for (i = 0; i < rows; i++) {
		float *want = (float *)(dst->want + i * dst->stride);

		at[i] = i == rows - 1 ? (int32_t)entries - 1 :
					(int32_t)ref_random_below(&c->rnd, entries);
		for (e = 0; e < n; e++) {
			float x = table_element(type, table->buf->ptr + at[i] * table->stride, e);

			if (scale)
				x *= ((float *)scale->buf->ptr)[one ? 0 : at[i] * ld(scale)];
			memcpy(&want[e], isnan(x) ? &(const uint32_t){ 0x7fc00000 } : (const void *)&x, 4);
		}
	}
	table->index = at;
	table->lookups = rows;
}

/* @mode: how many, at most; 0: indices alone. */
static void make_topk(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n, k = mode ? mode : 3, i;
	struct case_operand *src = floats(c, "src", rows, n, 0), *value = NULL, *index;
	union quill_cmd *cmd;

	k = k < n ? k : n;
	if (mode)
		value = result(c, "value", rows, 0, k, 4, NULL);
	index = result(c, "index", rows, 0, k, 4, NULL);
	cmd = qh_topk(c->s, value ? value->buf->va : 0, index->buf->va, src->buf->va, rows, n, k);
	cmd->topk.src_stride = ld(src);
	cmd->topk.value_stride = value ? ld(value) : 0;
	cmd->topk.index_stride = ld(index);
	for (i = 0; i < rows; i++)
		ref_topk((const float *)(src->buf->ptr + i * src->stride), n, k,
			 value ? (float *)(value->want + i * value->stride) : NULL,
			 (int32_t *)(index->want + i * index->stride));
}

enum { SAMPLE_GREEDY = 1, SAMPLE_TOP_K = 2, SAMPLE_TOP_P = 4, SAMPLE_PROB = 8 };

static void make_sample(struct vector_case *c, uint32_t mode)
{
	const struct ref_sample s = {
		.temperature = mode & SAMPLE_GREEDY ? 0 : 0.9f,
		.top_k = mode & SAMPLE_TOP_K ? 20 : 0, .top_p = mode & SAMPLE_TOP_P ? 0.8f : 1,
		.seed = 0x123456789abcdef0ull, .counter = 0xfffffffff0ull,
	};
	uint32_t rows = c->shape.rows, n = c->shape.n, i;
	struct case_operand *src = floats(c, "src", rows, n, 0);
	struct case_operand *dst = result(c, "dst", 1, rows, rows, 4, NULL), *prob = NULL;
	union quill_cmd *cmd;
	float p;

	if (mode & SAMPLE_PROB)
		prob = result(c, "prob", 1, rows, rows, 4, NULL);
	cmd = qh_sample(c->s, dst->buf->va, src->buf->va, rows, n, s.temperature);
	cmd->sample.prob = prob ? prob->buf->va : 0;
	cmd->sample.src_stride = ld(src);
	cmd->sample.top_k = s.top_k;
	memcpy(&cmd->sample.top_p, &s.top_p, sizeof(s.top_p));
	cmd[1].sample_ext.seed = s.seed;
	cmd[1].sample_ext.counter = s.counter;
	for (i = 0; i < rows; i++) {
		((int32_t *)dst->want)[i] =
			ref_sample(&s, (const float *)(src->buf->ptr + i * src->stride), n, i, &p);
		if (prob)
			((float *)prob->want)[i] = p;
	}
}

#define CONVERT_SATURATE	0x10000
#define CONVERT(from, to)	(QUILL_TYPE_##from << 8 | QUILL_TYPE_##to)

static float value_of(uint32_t type, const uint8_t *p)
{
	uint32_t bits = 0;
	float x;

	memcpy(&bits, p, quill_type_size(type));
	if (type != QUILL_TYPE_F32)
		return ref_widen(type, bits);
	memcpy(&x, &bits, sizeof(x));
	return x;
}

static void make_convert(struct vector_case *c, uint32_t mode)
{
	uint32_t rows = c->shape.rows, n = c->shape.n, from = mode >> 8 & 0xff, to = mode & 0xff, i, e;
	uint32_t from_size = quill_type_size(from), to_size = quill_type_size(to), bits;
	struct case_operand *src = add(c, "src", rows, (uint64_t)next_stride(c, n) * from_size,
				       (uint64_t)n * from_size), *dst;
	union quill_cmd *cmd;
	float x;

	for (i = 0; i < src->buf->size / from_size; i++) {
		x = any_float(c);
		if (from == QUILL_TYPE_F32)
			memcpy(&bits, &x, sizeof(bits));
		else
			bits = ref_narrow(from, x, false);
		memcpy(src->buf->ptr + i * from_size, &bits, from_size);
	}
	dst = result(c, "dst", rows, 0, n, to_size, from_size == to_size ? src : NULL);
	cmd = qh_convert(c->s, to, dst->buf->va, from, src->buf->va, rows, n);
	cmd->convert.src_stride = (uint32_t)src->stride / from_size;
	cmd->convert.dst_stride = (uint32_t)dst->stride / to_size;
	cmd->convert.saturate = !!(mode & CONVERT_SATURATE);
	for (i = 0; i < rows; i++) {
		for (e = 0; e < n; e++) {
			x = value_of(from, src->buf->ptr + i * src->stride + e * from_size);
			x = x == x ? x : NAN;
			if (to == QUILL_TYPE_F32)
				memcpy(&bits, &x, sizeof(bits));
			else
				bits = ref_narrow(to, x, mode & CONVERT_SATURATE);
			memcpy(dst->want + i * dst->stride + e * to_size, &bits, to_size);
		}
	}
}

#define CONVERT_CASE(from, to)								\
	{ "CONVERT " #from " to " #to, make_convert, CONVERT(from, to) },
#define CONVERT_BOTH(from, to)								\
	CONVERT_CASE(from, to)								\
	{ "CONVERT " #from " to " #to ", saturating", make_convert,			\
	  CONVERT(from, to) | CONVERT_SATURATE },
#define CONVERT_CASES(from)								\
	CONVERT_CASE(from, F32) CONVERT_BOTH(from, BF16) CONVERT_BOTH(from, F16)	\
	CONVERT_BOTH(from, E4M3) CONVERT_BOTH(from, E5M2)

/* Five types to float32, and to four with and without saturation. */
#define CONVERT_KINDS	(5 * 9)

const struct case_kind case_kinds[] = {
	{ "RMSNORM", make_norm, 0 },
	{ "RMSNORM of a sum", make_norm, NORM_RESIDUAL },
	{ "RMSNORM and the sum", make_norm, NORM_RESIDUAL | NORM_SUM },
	{ "RMSNORM and the sum in place", make_norm, NORM_RESIDUAL | NORM_SUM | NORM_SUM_OVER },
	{ "LAYERNORM", make_norm, NORM_LAYER },
	{ "LAYERNORM with bias", make_norm, NORM_LAYER | NORM_BIAS },
	{ "LAYERNORM with everything", make_norm,
	  NORM_LAYER | NORM_RESIDUAL | NORM_SUM | NORM_BIAS },
	{ "SOFTMAX", make_softmax, 0 },
	{ "ROPE", make_rope, 0 },
	{ "ROPE of halves", make_rope, ROPE_HALVES },
	{ "ROPE of a part", make_rope, ROPE_PART },
	{ "ROPE of a part in halves", make_rope, ROPE_PART | ROPE_HALVES },
	{ "QUANTISE", make_quantise, 0 },
	{ "QUANTISE by 32", make_quantise, 32 },
	{ "QUANTISE by 1", make_quantise, 1 },
	{ "QUANTISE by a given scale", make_quantise_by, SCALE_ONE_ROW },
	{ "QUANTISE by given scales of columns", make_quantise_by, SCALE_ONE_ROW | 1 },
	{ "QUANTISE by given scales by 32", make_quantise_by, 32 },
	{ "DEQUANTISE", make_dequantise, 0 },
	{ "DEQUANTISE by 48", make_dequantise, 48 },
	{ "DEQUANTISE by scales of columns", make_dequantise, SCALE_ONE_ROW | 1 },
	{ "ELTWISE ADD", make_eltwise, QUILL_ELTWISE_ADD },
	{ "ELTWISE SUB", make_eltwise, QUILL_ELTWISE_SUB },
	{ "ELTWISE MUL of one row", make_eltwise, QUILL_ELTWISE_MUL | ELTWISE_ONE_ROW },
	{ "ELTWISE MAX", make_eltwise, QUILL_ELTWISE_MAX },
	{ "ELTWISE MIN", make_eltwise, QUILL_ELTWISE_MIN },
	{ "ACT RELU", make_act, QUILL_ACT_RELU },
	{ "ACT RELU with gate", make_act, QUILL_ACT_RELU | ACT_GATED },
	{ "ACT SIGMOID", make_act, QUILL_ACT_SIGMOID },
	{ "ACT SIGMOID with gate", make_act, QUILL_ACT_SIGMOID | ACT_GATED },
	{ "ACT SILU", make_act, QUILL_ACT_SILU },
	{ "ACT SILU with gate", make_act, QUILL_ACT_SILU | ACT_GATED },
	{ "ACT TANH", make_act, QUILL_ACT_TANH },
	{ "ACT TANH with gate", make_act, QUILL_ACT_TANH | ACT_GATED },
	{ "ACT GELU", make_act, QUILL_ACT_GELU },
	{ "ACT GELU with gate", make_act, QUILL_ACT_GELU | ACT_GATED },
	{ "ACT GELU_ERF", make_act, QUILL_ACT_GELU_ERF },
	{ "ACT GELU_ERF with gate", make_act, QUILL_ACT_GELU_ERF | ACT_GATED },
	{ "REDUCE SUM", make_reduce, QUILL_REDUCE_SUM },
	{ "REDUCE MAX", make_reduce, QUILL_REDUCE_MAX },
	{ "REDUCE ARGMAX", make_reduce, QUILL_REDUCE_ARGMAX },
	{ "CONVERT", make_convert, CONVERT(F32, BF16) },
	{ "CONVERT of bytes", make_convert, CONVERT(E5M2, F16) | CONVERT_SATURATE },
	{ "CONVERT of one size", make_convert, CONVERT(BF16, F16) },
	{ "GATHER", make_gather, 0 },
	{ "GATHER from S8", make_embed, QUILL_TYPE_S8 },
	{ "GATHER from S8 with one scale", make_embed, QUILL_TYPE_S8 | EMBED_ONE_SCALE },
	{ "GATHER from BF16", make_embed, QUILL_TYPE_BF16 },
	{ "GATHER from F16", make_embed, QUILL_TYPE_F16 },
	{ "GATHER from Q8_0", make_embed, QUILL_TYPE_Q8_0 },
	{ "GATHER from Q4_0", make_embed, QUILL_TYPE_Q4_0 },
	{ "TOPK", make_topk, 9 },
	{ "TOPK without values", make_topk, 0 },
	{ "SAMPLE the largest", make_sample, SAMPLE_GREEDY },
	{ "SAMPLE of all", make_sample, SAMPLE_PROB },
	{ "SAMPLE by top_k", make_sample, SAMPLE_TOP_K | SAMPLE_TOP_P },
	{ "SAMPLE by top_p", make_sample, SAMPLE_TOP_P | SAMPLE_PROB },
	/* from here on for tests/vectors alone: the same command, in every mode */
	CONVERT_CASES(F32) CONVERT_CASES(BF16) CONVERT_CASES(F16) CONVERT_CASES(E4M3)
	CONVERT_CASES(E5M2)
};

const unsigned int case_kinds_all = sizeof(case_kinds) / sizeof(case_kinds[0]);
const unsigned int case_kinds_count = sizeof(case_kinds) / sizeof(case_kinds[0]) - CONVERT_KINDS;

void case_make(struct vector_case *c, const struct case_kind *kind)
{
	c->ops = 0;
	kind->make(c, kind->mode);
}

void case_check(const struct vector_case *c, const struct case_kind *kind)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < c->ops; i++) {
		const struct case_operand *op = &c->op[i];

		for (at = 0; op->want && at < op->buf->size; at++)
			if (op->buf->ptr[at] != op->want[at])
				fail_msg("%s, %u rows of %u, pad %u: byte %zu of %s is %#x, expected %#x",
					 kind->name, c->shape.rows, c->shape.n, c->shape.pad, at,
					 op->name, op->buf->ptr[at], op->want[at]);
	}
}

void case_free(struct vector_case *c)
{
	unsigned int i;

	for (i = 0; i < c->ops; i++)
		free(c->op[i].want);
	c->ops = 0;
}
