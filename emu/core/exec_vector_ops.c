// SPDX-License-Identifier: MIT
/*
 * The VECTOR commands, but for GATHER: their operands, and the kernel that gets them.
 *
 * Each executor lists operands in the order in which faults are looked for, results last, and its run_ function
 * finds them by the same numbers.
 */
#include <string.h>

#include "exec_vector.h"

/* Where a row's columns may be cut: whole vectors of any kernel, whole cache lines. */
#define ANY_COLUMN	16u

/* The executor's @v, but for operands and columns' cuts. */
#define VECTOR(x, kernel, c, columns)	\
	{ .x = (x), .cmd = (x)->cmd, .run = (kernel), .rows = (c)->rows, .n = (columns) }

static void add(struct vector *v, struct vector_operand op)
{
	v->op[v->ops++] = op;
}

/* A matrix of float32 or, if @size is 1, int8; 0 for @va: absent. */
static void add_matrix(struct vector *v, uint64_t va, uint32_t stride, uint32_t size, bool write)
{
	add(v, (struct vector_operand){
		.va = va, .stride = (uint64_t)stride * size, .size = size, .share = 1, .write = write,
	});
}

static void add_input(struct vector *v, uint64_t va, uint32_t stride)
{
	add_matrix(v, va, stride, 4, false);
}

static void add_result(struct vector *v, uint64_t va, uint32_t stride)
{
	add_matrix(v, va, stride, 4, true);
}

static float float_of(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* ---- RMSNORM, LAYERNORM ---- */

enum { NORM_SRC, NORM_RESIDUAL, NORM_WEIGHT, NORM_BIAS, NORM_SUM, NORM_DST };

static void run_norm(const struct vector *v, const struct vector_tile *t)
{
	struct quill_norm_tile tile = {
		.src = t->ptr[NORM_SRC],
		.src_stride = t->stride[NORM_SRC],
		.residual = t->ptr[NORM_RESIDUAL],
		.residual_stride = t->stride[NORM_RESIDUAL],
		.sum = t->ptr[NORM_SUM],
		.sum_stride = t->stride[NORM_SUM],
		.weight = t->ptr[NORM_WEIGHT],
		.bias = t->ptr[NORM_BIAS],
		.dst = t->ptr[NORM_DST],
		.dst_stride = t->stride[NORM_DST],
		.rows = t->rows,
		.n = t->cols,
		.eps = float_of(v->cmd[1].norm_ext.eps),
		.layer = v->cmd->hdr.opcode == QUILL_OP_LAYERNORM,
		.stream = t->stream,
	};

	v->x->emu->kernels->norm(&tile);
}

static uint32_t exec_norm(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_norm *c = &x->cmd[0].norm;
	const struct quill_ext_norm *e = &x->cmd[1].norm_ext;
	struct vector v = VECTOR(x, run_norm, c, c->n);

	v.unit = c->n;
	add_input(&v, c->src, c->src_stride);
	add_input(&v, c->residual, e->residual_stride);
	add_input(&v, c->weight, 0);
	add_input(&v, e->bias, 0);
	add_result(&v, e->sum, c->src_stride);
	add_result(&v, c->dst, c->dst_stride);
	return exec_vector(&v, fault);
}

uint32_t exec_rmsnorm(struct exec *x, struct dma_fault *fault)
{
	return exec_norm(x, fault);
}

uint32_t exec_layernorm(struct exec *x, struct dma_fault *fault)
{
	return exec_norm(x, fault);
}

/* ---- SOFTMAX ---- */

enum { SOFTMAX_SRC, SOFTMAX_DST };

static void run_softmax(const struct vector *v, const struct vector_tile *t)
{
	struct quill_softmax_tile tile = {
		.src = t->ptr[SOFTMAX_SRC],
		.src_stride = t->stride[SOFTMAX_SRC],
		.dst = t->ptr[SOFTMAX_DST],
		.dst_stride = t->stride[SOFTMAX_DST],
		.rows = t->rows,
		.n = t->cols,
		.scale = float_of(v->cmd->softmax.scale),
		.stream = t->stream,
	};

	v->x->emu->kernels->softmax(&tile);
}

uint32_t exec_softmax(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_softmax *c = &x->cmd->softmax;
	struct vector v = VECTOR(x, run_softmax, c, c->n);

	v.unit = c->n;
	add_input(&v, c->src, c->src_stride);
	add_result(&v, c->dst, c->dst_stride);
	return exec_vector(&v, fault);
}

/* ---- ROPE ---- */

enum { ROPE_SRC, ROPE_TABLE, ROPE_DST };

static void run_rope(const struct vector *v, const struct vector_tile *t)
{
	const struct quill_cmd_rope *c = &v->cmd->rope;
	struct quill_rope_tile tile = {
		.src = t->ptr[ROPE_SRC],
		.src_stride = t->stride[ROPE_SRC],
		.dst = t->ptr[ROPE_DST],
		.dst_stride = t->stride[ROPE_DST],
		.table = t->ptr[ROPE_TABLE],
		.table_stride = t->stride[ROPE_TABLE],
		.rows = t->rows,
		.heads = t->cols / c->dim,
		.dim = c->dim,
		.rotary = quill_rope_rotary(c),
		.halves = c->hdr.flags & QUILL_CMD_HALVES,
		.stream = t->stream,
	};

	v->x->emu->kernels->rope(&tile);
}

uint32_t exec_rope(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_rope *c = &x->cmd->rope;
	struct vector v = VECTOR(x, run_rope, c, (uint32_t)c->heads * c->dim);

	v.unit = c->dim;
	add_input(&v, c->src, c->src_stride);
	add(&v, (struct vector_operand){
		.va = c->table, .stride = quill_rope_rotary(c) * 4, .size = 4,
		.width = quill_rope_rotary(c),
	});
	add_result(&v, c->dst, c->dst_stride);
	return exec_vector(&v, fault);
}

/* ---- QUANTISE, DEQUANTISE ---- */

enum { QUANTISE_SRC, QUANTISE_DST, QUANTISE_SCALE };
/* DEQUANTISE, and QUANTISE by given scales */
enum { GIVEN_SRC, GIVEN_SCALE, GIVEN_DST };

static void add_scales(struct vector *v, const struct quill_cmd_quantise *c, bool write)
{
	add(v, (struct vector_operand){
		.va = c->scale, .stride = (uint64_t)c->scale_stride * 4, .size = 4,
		.share = c->group, .write = write,
	});
}

static void run_quantise(const struct vector *v, const struct vector_tile *t)
{
	struct quill_quantise_tile tile = {
		.src = t->ptr[QUANTISE_SRC],
		.src_stride = t->stride[QUANTISE_SRC],
		.dst = t->ptr[QUANTISE_DST],
		.dst_stride = t->stride[QUANTISE_DST],
		.scale = t->ptr[QUANTISE_SCALE],
		.scale_stride = t->stride[QUANTISE_SCALE],
		.rows = t->rows,
		.n = t->cols,
		.group = v->cmd->quantise.group,
		.stream = t->stream,
	};

	v->x->emu->kernels->quantise(&tile);
}

static void run_quantise_by(const struct vector *v, const struct vector_tile *t)
{
	const struct quill_ext_quantise *e = &v->cmd[1].quantise_ext;
	uint32_t group = v->cmd->quantise.group;
	struct quill_quantise_by_tile tile = {
		.src = t->ptr[GIVEN_SRC],
		.src_stride = t->stride[GIVEN_SRC],
		.dst = t->ptr[GIVEN_DST],
		.dst_stride = t->stride[GIVEN_DST],
		.scale = t->ptr[GIVEN_SCALE],
		.scale_stride = t->stride[GIVEN_SCALE],
		.rows = t->rows,
		.n = t->cols,
		.group = group,
		.skip = t->col % group,
		.zero = e->zero,
		.lo = e->lo,
		.hi = e->hi,
		.stream = t->stream,
	};

	v->x->emu->kernels->quantise_by(&tile);
}

static uint32_t exec_quantise_by(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_quantise *c = &x->cmd->quantise;
	struct vector v = VECTOR(x, run_quantise_by, c, c->n);

	v.unit = ANY_COLUMN;
	add_input(&v, c->src, c->src_stride);
	add_scales(&v, c, false);
	add_matrix(&v, c->dst, c->dst_stride, 1, true);
	return exec_vector(&v, fault);
}

uint32_t exec_quantise(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_quantise *c = &x->cmd->quantise;
	struct vector v = VECTOR(x, run_quantise, c, c->n);

	if (c->hdr.ext)
		return exec_quantise_by(x, fault);
	v.unit = c->group;
	add_input(&v, c->src, c->src_stride);
	add_matrix(&v, c->dst, c->dst_stride, 1, true);
	add_scales(&v, c, true);
	return exec_vector(&v, fault);
}

static void run_dequantise(const struct vector *v, const struct vector_tile *t)
{
	uint32_t group = v->cmd->quantise.group;
	struct quill_dequantise_tile tile = {
		.src = t->ptr[GIVEN_SRC],
		.src_stride = t->stride[GIVEN_SRC],
		.dst = t->ptr[GIVEN_DST],
		.dst_stride = t->stride[GIVEN_DST],
		.scale = t->ptr[GIVEN_SCALE],
		.scale_stride = t->stride[GIVEN_SCALE],
		.rows = t->rows,
		.n = t->cols,
		.group = group,
		.skip = t->col % group,
		.stream = t->stream,
	};

	v->x->emu->kernels->dequantise(&tile);
}

uint32_t exec_dequantise(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_quantise *c = &x->cmd->quantise;
	struct vector v = VECTOR(x, run_dequantise, c, c->n);

	v.unit = ANY_COLUMN;
	add_matrix(&v, c->src, c->src_stride, 1, false);
	add_scales(&v, c, false);
	add_result(&v, c->dst, c->dst_stride);
	return exec_vector(&v, fault);
}

/* ---- ELTWISE ---- */

enum { ELTWISE_A, ELTWISE_B, ELTWISE_DST };

static void run_eltwise(const struct vector *v, const struct vector_tile *t)
{
	struct quill_eltwise_tile tile = {
		.a = t->ptr[ELTWISE_A],
		.a_stride = t->stride[ELTWISE_A],
		.b = t->ptr[ELTWISE_B],
		.b_stride = t->stride[ELTWISE_B],
		.dst = t->ptr[ELTWISE_DST],
		.dst_stride = t->stride[ELTWISE_DST],
		.rows = t->rows,
		.n = t->cols,
		.op = v->cmd->eltwise.op,
		.stream = t->stream,
	};

	v->x->emu->kernels->eltwise(&tile);
}

uint32_t exec_eltwise(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_eltwise *c = &x->cmd->eltwise;
	struct vector v = VECTOR(x, run_eltwise, c, c->n);

	v.unit = ANY_COLUMN;
	add_input(&v, c->a, c->a_stride);
	add_input(&v, c->b, c->b_stride);
	add_result(&v, c->dst, c->dst_stride);
	return exec_vector(&v, fault);
}

/* ---- ACT ---- */

enum { ACT_SRC, ACT_GATE, ACT_DST };

static void run_act(const struct vector *v, const struct vector_tile *t)
{
	struct quill_act_tile tile = {
		.src = t->ptr[ACT_SRC],
		.src_stride = t->stride[ACT_SRC],
		.gate = t->ptr[ACT_GATE],
		.gate_stride = t->stride[ACT_GATE],
		.dst = t->ptr[ACT_DST],
		.dst_stride = t->stride[ACT_DST],
		.rows = t->rows,
		.n = t->cols,
		.op = v->cmd->act.op,
		.stream = t->stream,
	};

	v->x->emu->kernels->act(&tile);
}

uint32_t exec_act(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_act *c = &x->cmd->act;
	struct vector v = VECTOR(x, run_act, c, c->n);

	v.unit = ANY_COLUMN;
	add_input(&v, c->src, c->src_stride);
	add_input(&v, c->gate, c->gate_stride);
	add_result(&v, c->dst, c->dst_stride);
	return exec_vector(&v, fault);
}

/* ---- REDUCE ---- */

enum { REDUCE_SRC, REDUCE_DST };

static void run_reduce(const struct vector *v, const struct vector_tile *t)
{
	struct quill_reduce_tile tile = {
		.src = t->ptr[REDUCE_SRC],
		.src_stride = t->stride[REDUCE_SRC],
		.dst = t->ptr[REDUCE_DST],
		.rows = t->rows,
		.n = t->cols,
		.op = v->cmd->reduce.op,
	};

	v->x->emu->kernels->reduce(&tile);
}

uint32_t exec_reduce(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_reduce *c = &x->cmd->reduce;
	struct vector v = VECTOR(x, run_reduce, c, c->n);

	v.unit = c->n;
	add_input(&v, c->src, c->src_stride);
	add(&v, (struct vector_operand){
		.va = c->dst, .stride = 4, .size = 4, .width = 1, .write = true,
	});
	return exec_vector(&v, fault);
}
