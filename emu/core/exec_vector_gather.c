// SPDX-License-Identifier: MIT
/* GATHER: rows of a table, by index. It has no kernel: bytes move as they are. */
#include <string.h>

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
		else
			what = copy_row(&p, first + i, index[i]);
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
