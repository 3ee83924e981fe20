// SPDX-License-Identifier: MIT
/* CONVERT and REPACK: from a command to tiles. */
#include "exec_vector.h"

/* ---- CONVERT: a VECTOR command like the others ---- */

/* Where a row's columns may be cut: whole cache lines of either side. */
#define CONVERT_UNIT	64u

enum { CONVERT_SRC, CONVERT_DST };

static void run_convert(const struct vector *v, const struct vector_tile *t)
{
	const struct quill_cmd_convert *c = &v->cmd->convert;
	struct quill_convert_tile tile = {
		.src = t->ptr[CONVERT_SRC],
		.src_stride = t->stride[CONVERT_SRC],
		.dst = t->ptr[CONVERT_DST],
		.dst_stride = t->stride[CONVERT_DST],
		.rows = t->rows,
		.n = t->cols,
		.type_a = c->hdr.type_a,
		.type_d = c->hdr.type_d,
		.saturate = c->saturate,
	};

	v->x->emu->kernels->convert(&tile);
}

uint32_t exec_convert(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_convert *c = &x->cmd->convert;
	uint32_t from = quill_type_size(c->hdr.type_a), to = quill_type_size(c->hdr.type_d);
	struct vector v = {
		.x = x, .cmd = x->cmd, .run = run_convert, .rows = c->rows, .n = c->n,
		.unit = CONVERT_UNIT, .ops = 2,
	};

	v.op[CONVERT_SRC] = (struct vector_operand){
		.va = c->src, .stride = (uint64_t)c->src_stride * from, .size = from, .share = 1,
	};
	v.op[CONVERT_DST] = (struct vector_operand){
		.va = c->dst, .stride = (uint64_t)c->dst_stride * to, .size = to, .share = 1,
		.write = true,
	};
	return exec_vector(&v, fault);
}

/* ---- REPACK: a tile is a panel ---- */

/* Columns @col .. of the matrix at @src. */
static struct dma_rows source_of(const struct quill_cmd_repack *c, uint64_t src, uint32_t col,
				 uint32_t cols)
{
	uint64_t size = quill_type_size(c->hdr.type_a);

	if (c->order == QUILL_REPACK_NK)
		return (struct dma_rows){
			.va = src + col * (uint64_t)c->src_stride * size, .rows = cols,
			.stride = c->src_stride * size, .width = c->k * size,
		};
	return (struct dma_rows){
		.va = src + col * size, .rows = c->k, .stride = c->src_stride * size,
		.width = cols * size,
	};
}

static uint64_t panels_of(const struct quill_cmd_repack *c)
{
	return (c->n + QUILL_PANEL_N - 1) / QUILL_PANEL_N;
}

static uint32_t repack_panel(struct exec *x, struct dma_ctx *ctx, uint64_t index, uint8_t *to,
			     struct dma_fault *fault)
{
	const struct quill_cmd_repack *c = &x->cmd->repack;
	uint32_t col = (uint32_t)(index % panels_of(c)) * QUILL_PANEL_N;
	uint32_t cols = c->n - col < QUILL_PANEL_N ? c->n - col : QUILL_PANEL_N;
	struct dma_rows from = source_of(c, c->src + index / panels_of(c) * c->src_step, col, cols);
	struct dma_view view;
	uint32_t what;

	what = dma_view_read(ctx, &x->port, &from, 1, DMA_SCRATCH_A, &view, fault);
	if (!what)
		x->emu->kernels->repack(&(struct quill_repack_tile){
			.src = view.ptr,
			.src_stride = from.rows == 1 ? from.width : view.stride,
			.columns = c->order == QUILL_REPACK_NK,
			.panel = to,
			.n = cols,
			.k = c->k,
			.type = c->hdr.type_d,
		});
	dma_view_close(ctx, &view);
	return what;
}

static uint32_t repack(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct exec *x = arg;
	const struct quill_cmd_repack *c = &x->cmd->repack;
	uint64_t size = quill_packed_panel_of(c->hdr.type_d, c->k);
	struct dma_rows out = { .va = c->dst + index * size, .rows = 1, .width = size };
	struct dma_view view;
	uint32_t what;
	uint8_t *to;

	if (dma_view_direct(ctx, &x->port, &out, 64, true, &view)) {
		what = repack_panel(x, ctx, index, view.ptr, fault);
		dma_view_close(ctx, &view);
		return what;
	}
	to = dma_scratch(ctx, DMA_SCRATCH_D, size);
	if (!to)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, out.va);
	what = repack_panel(x, ctx, index, to, fault);
	return what ? what : dma_write_rows(ctx, &x->port, &out, to, size, fault);
}

uint32_t exec_repack(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_repack *c = &x->cmd->repack;
	struct pool_job job = { .tile = repack, .arg = x, .abort = x->abort };

	job.tiles = panels_of(c) * c->batch;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
