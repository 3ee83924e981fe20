// SPDX-License-Identifier: MIT
/* GATHER: rows of a table, by index. Those of float32 move as they are; a kernel makes float32 of others. */
#include <string.h>

#include "quill/isa_check.h"

#include "core.h"

/* Elements of a tile. */
#define TILE_ELEMS	16384u

struct gather {
	struct exec *x;
	const struct quill_cmd_gather *cmd;
	uint32_t rows;		/* of a tile */
};

/* What one tile works on. */
struct part {
	struct gather *g;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	struct dma_cursor dst;
};

static uint32_t copy_row(struct part *p, uint32_t row, uint32_t index)
{
	const struct quill_cmd_gather *c = p->g->cmd;
	struct dma_rows from = {
		.va = c->table + (uint64_t)index * c->table_stride * 4,
		.rows = 1,
		.width = (uint64_t)c->n * 4,
	};
	uint64_t to = c->dst + (uint64_t)row * c->dst_stride * 4, done, part;
	struct dma_cursor src;
	uint8_t *in, *out;
	uint32_t what = 0;

	dma_cursor_init(&src, &p->g->x->port, &from, false);
	for (done = 0; done < from.width && !what; done += part) {
		what = dma_cursor_at(p->ctx, &src, from.va + done, from.width - done, &in, &part,
				     p->fault);
		if (!what)
			what = dma_cursor_at(p->ctx, &p->dst, to + done, part, &out, &part,
					     p->fault);
		/* The table may be the result: what comes of that is the program's concern. */
		if (!what)
			memmove(out, in, part);
	}
	dma_cursor_close(p->ctx, &src);
	return what;
}

/* What the elements of a row of int8 are times. */
static uint32_t read_scale(struct part *p, uint32_t index, float *scale)
{
	const struct quill_ext_gather *e = &p->g->x->cmd[1].gather_ext;

	return dma_read(p->ctx, &p->g->x->port, e->scale + (uint64_t)index * e->scale_stride * 4,
			scale, sizeof(*scale), p->fault);
}

/* A row, some elements at a time, by way of buffers where it is not in one piece. */
static uint32_t widen_row(struct part *p, uint32_t row, uint32_t index)
{
	const struct quill_cmd_gather *c = p->g->cmd;
	const struct dma_port *port = &p->g->x->port;
	uint32_t type = c->hdr.type_a, align = type == QUILL_TYPE_S8 ? 1 : 2, at, what;
	uint64_t from = c->table + index * quill_gather_bytes(type, c->table_stride);
	uint64_t to = c->dst + (uint64_t)row * c->dst_stride * 4;
	struct quill_embed_tile tile = { .type = type };
	struct dma_view view;

	tile.dst = dma_scratch(p->ctx, DMA_SCRATCH_D, TILE_ELEMS * 4);
	if (!tile.dst)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, to);
	if (type == QUILL_TYPE_S8) {
		what = read_scale(p, index, &tile.scale);
		if (what)
			return what;
	}
	for (at = 0; at < c->n; at += tile.n) {
		struct dma_rows src = { .va = from + quill_gather_bytes(type, at), .rows = 1 };

		tile.n = c->n - at < TILE_ELEMS ? c->n - at : TILE_ELEMS;
		src.width = quill_gather_bytes(type, tile.n);
		what = dma_view_read(p->ctx, port, &src, align, DMA_SCRATCH_B, &view, p->fault);
		if (what)
			return what;
		tile.src = view.ptr;
		p->g->x->emu->kernels->embed(&tile);
		dma_view_close(p->ctx, &view);
		what = dma_write(p->ctx, port, to + (uint64_t)at * 4, tile.dst,
				 (uint64_t)tile.n * 4, p->fault);
		if (what)
			return what;
	}
	return QUILL_FAULT_NONE;
}

static uint32_t gather(void *arg, struct dma_ctx *ctx, uint64_t tile, struct dma_fault *fault)
{
	struct gather *g = arg;
	const struct quill_cmd_gather *c = g->cmd;
	struct part p = { .g = g, .ctx = ctx, .fault = fault };
	uint32_t first = tile * g->rows, rows = c->rows - first, i, what;
	uint64_t index_va = c->index + (uint64_t)first * 4;
	struct dma_rows to = {
		.va = c->dst + (uint64_t)first * c->dst_stride * 4,
		.stride = (uint64_t)c->dst_stride * 4,
		.width = (uint64_t)c->n * 4,
	};
	uint32_t *index;

	to.rows = rows = rows < g->rows ? rows : g->rows;
	/* A copy: the program could change an index that has been checked. */
	index = dma_scratch(ctx, DMA_SCRATCH_A, (uint64_t)rows * 4);
	if (!index)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, index_va);
	what = dma_read(ctx, &g->x->port, index_va, index, (uint64_t)rows * 4, fault);

	dma_cursor_init(&p.dst, &g->x->port, &to, true);
	for (i = 0; i < rows && !what; i++) {
		/* negative ones are beyond it too */
		if (index[i] >= c->table_rows)
			what = dma_fail(fault, QUILL_FAULT_PARAM, QUILL_ACCESS_READ,
					index_va + (uint64_t)i * 4);
		else if (c->hdr.type_a == QUILL_TYPE_F32)
			what = copy_row(&p, first + i, index[i]);
		else
			what = widen_row(&p, first + i, index[i]);
	}
	dma_cursor_close(ctx, &p.dst);
	return what;
}

uint32_t exec_gather(struct exec *x, struct dma_fault *fault)
{
	struct gather g = { .x = x, .cmd = &x->cmd->gather };
	struct pool_job job = { .tile = gather, .arg = &g, .abort = x->abort };

	g.rows = TILE_ELEMS / g.cmd->n + !(TILE_ELEMS / g.cmd->n);
	job.tiles = (g.cmd->rows + g.rows - 1) / g.rows;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
