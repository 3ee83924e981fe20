// SPDX-License-Identifier: MIT
/* TOPK and SAMPLE: their operands, and the kernel that gets them. */
#include <string.h>

#include "exec_vector.h"

/* Something for each row: @width words, @stride words apart. */
static void add_words(struct vector *v, uint64_t va, uint32_t stride, uint32_t width)
{
	v->op[v->ops++] = (struct vector_operand){
		.va = va, .stride = (uint64_t)stride * 4, .size = 4, .width = width, .write = true,
	};
}

static void add_rows(struct vector *v, uint64_t va, uint32_t stride)
{
	v->op[v->ops++] = (struct vector_operand){
		.va = va, .stride = (uint64_t)stride * 4, .size = 4, .share = 1,
	};
}

/* ---- TOPK ---- */

enum { TOPK_SRC, TOPK_VALUE, TOPK_INDEX };

static void run_topk(const struct vector *v, const struct vector_tile *t)
{
	struct quill_topk_tile tile = {
		.src = t->ptr[TOPK_SRC],
		.src_stride = t->stride[TOPK_SRC],
		.value = t->ptr[TOPK_VALUE],
		.value_stride = t->stride[TOPK_VALUE],
		.index = t->ptr[TOPK_INDEX],
		.index_stride = t->stride[TOPK_INDEX],
		.rows = t->rows,
		.n = t->cols,
		.k = v->cmd->topk.k,
	};

	v->x->emu->kernels->topk(&tile);
}

uint32_t exec_topk(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_topk *c = &x->cmd->topk;
	struct vector v = {
		.x = x, .cmd = x->cmd, .run = run_topk, .rows = c->rows, .n = c->n, .unit = c->n,
	};

	add_rows(&v, c->src, c->src_stride);
	add_words(&v, c->value, c->value_stride, c->k);
	add_words(&v, c->index, c->index_stride, c->k);
	return exec_vector(&v, fault);
}

/* ---- SAMPLE ---- */

enum { SAMPLE_SRC, SAMPLE_DST, SAMPLE_PROB };

static float float_of(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void run_sample(const struct vector *v, const struct vector_tile *t)
{
	const struct quill_cmd_sample *c = &v->cmd->sample;
	struct quill_sample_tile tile = {
		.src = t->ptr[SAMPLE_SRC],
		.src_stride = t->stride[SAMPLE_SRC],
		.dst = t->ptr[SAMPLE_DST],
		.prob = t->ptr[SAMPLE_PROB],
		.scratch = t->scratch,
		.rows = t->rows,
		.n = t->cols,
		.row = t->row,
		.temperature = float_of(c->temperature),
		.top_k = c->top_k,
		.top_p = float_of(c->top_p),
		.seed = v->cmd[1].sample_ext.seed,
		.counter = v->cmd[1].sample_ext.counter,
	};

	v->x->emu->kernels->sample(&tile);
}

uint32_t exec_sample(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_sample *c = &x->cmd->sample;
	struct vector v = {
		.x = x, .cmd = x->cmd, .run = run_sample, .rows = c->rows, .n = c->n, .unit = c->n,
		.scratch = (uint64_t)c->n * 4,
	};

	add_rows(&v, c->src, c->src_stride);
	add_words(&v, c->dst, 1, 1);
	add_words(&v, c->prob, 1, 1);
	return exec_vector(&v, fault);
}
