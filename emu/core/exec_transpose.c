// SPDX-License-Identifier: MIT
/*
 * TRANSPOSE: by blocks that fit into the first-level cache, one way and the other. It has no kernel: bytes move as
 * they are.
 */
#include "core.h"

/* Rows and columns of a block: a cache line of bytes at least. */
#define BLOCK	64u

/* One that is under way. */
struct turn {
	struct exec *x;
	const struct quill_cmd_transpose *cmd;
	struct dma_fault *fault;
	void *in, *out;
};

/* Part of matrix @batch. */
struct block {
	uint64_t batch;
	uint32_t row, rows;
	uint32_t col, cols;
};

#define TURN(type)								\
	do {									\
		const type *in = t->in;						\
		type *out = t->out;						\
		uint32_t i, j;							\
										\
		for (j = 0; j < b->cols; j++)					\
			for (i = 0; i < b->rows; i++)				\
				out[j * b->rows + i] = in[i * b->cols + j];	\
	} while (0)

static void turn_block(const struct turn *t, const struct block *b)
{
	switch (t->cmd->elem) {
	case 1:
		TURN(uint8_t);
		break;
	case 2:
		TURN(uint16_t);
		break;
	case 4:
		TURN(uint32_t);
		break;
	default:
		TURN(uint64_t);
	}
}

static uint32_t move_block(const struct turn *t, const struct block *b)
{
	const struct quill_cmd_transpose *c = t->cmd;
	uint64_t elem = c->elem;
	struct dma_rows src = {
		.va = c->src + (b->batch * c->src_step + (uint64_t)b->row * c->src_stride + b->col) * elem,
		.rows = b->rows, .stride = c->src_stride * elem, .width = b->cols * elem,
	};
	struct dma_rows dst = {
		.va = c->dst + (b->batch * c->dst_step + (uint64_t)b->col * c->dst_stride + b->row) * elem,
		.rows = b->cols, .stride = c->dst_stride * elem, .width = b->rows * elem,
	};
	uint32_t what;

	what = dma_read_rows(t->x->ctx, &t->x->port, &src, t->in, src.width, t->fault);
	if (what)
		return what;
	turn_block(t, b);
	return dma_write_rows(t->x->ctx, &t->x->port, &dst, t->out, dst.width, t->fault);
}

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Each block is an access of its own, so that an invalidation waits for no more than that. */
static uint32_t turn_matrix(const struct turn *t, uint64_t batch)
{
	const struct quill_cmd_transpose *c = t->cmd;
	struct block b = { .batch = batch };
	uint32_t what;

	for (b.row = 0; b.row < c->rows; b.row += b.rows) {
		b.rows = min32(BLOCK, c->rows - b.row);
		for (b.col = 0; b.col < c->cols; b.col += b.cols) {
			b.cols = min32(BLOCK, c->cols - b.col);
			if (exec_aborted(t->x))
				return QUILL_FAULT_KILLED;
			dma_begin(t->x->ctx);
			what = move_block(t, &b);
			dma_end(t->x->ctx);
			if (what)
				return what;
		}
	}
	return QUILL_FAULT_NONE;
}

uint32_t exec_transpose(struct exec *x, struct dma_fault *fault)
{
	struct turn t = { .x = x, .cmd = &x->cmd->transpose, .fault = fault };
	uint32_t what = 0;
	uint64_t batch;

	t.in = dma_scratch(x->ctx, DMA_SCRATCH_A, BLOCK * BLOCK * 8);
	t.out = dma_scratch(x->ctx, DMA_SCRATCH_D, BLOCK * BLOCK * 8);
	if (!t.in || !t.out)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, t.cmd->src);
	for (batch = 0; batch < t.cmd->batch && !what; batch++)
		what = turn_matrix(&t, batch);
	return what;
}
