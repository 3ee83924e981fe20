// SPDX-License-Identifier: MIT
/*
 * MERGE: from a command to tiles. A tile is some queries and all heads, or some heads of one query where there are many
 * parts; its operands are copied to scratch, part behind part.
 */
#include "core.h"

/* Elements of a tile, of all parts. */
#define TILE_ELEMS	65536u

struct merge {
	struct exec *x;
	const struct quill_cmd_merge *cmd;
	const struct quill_ext_merge *ext;
	uint32_t rows, heads;	/* of a tile */
	uint32_t h_tiles;
};

/* What one tile works on. */
struct part {
	struct merge *m;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	uint32_t row, rows;
	uint32_t head, heads;
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Rows of a result or of one part of an operand: @stride elements apart, @unit elements a head. */
static struct dma_rows rows_of(const struct part *p, uint64_t va, uint64_t stride, uint32_t unit)
{
	return (struct dma_rows){
		.va = va + (p->row * stride + (uint64_t)p->head * unit) * 4,
		.rows = p->rows,
		.stride = stride * 4,
		.width = (uint64_t)p->heads * unit * 4,
	};
}

/* An operand's parts, one behind the other. */
static uint32_t read_parts(struct part *p, uint64_t va, uint64_t part_stride, uint64_t stride,
			   uint32_t unit, float *to)
{
	uint32_t s, what = 0;

	for (s = 0; s < p->m->cmd->parts && !what; s++) {
		struct dma_rows rows = rows_of(p, va + s * part_stride * 4, stride, unit);

		what = dma_read_rows(p->ctx, &p->m->x->port, &rows, to, rows.width, p->fault);
		to += rows.rows * rows.width / 4;
	}
	return what;
}

static uint32_t run_tile(struct part *p, struct quill_merge_tile *tile, float *src, float *state)
{
	const struct quill_cmd_merge *c = p->m->cmd;
	const struct quill_ext_merge *e = p->m->ext;
	const struct dma_port *port = &p->m->x->port;
	struct dma_rows rows;
	uint32_t what;

	what = read_parts(p, c->src, e->part_stride, e->src_stride, c->dim, src);
	if (!what)
		what = read_parts(p, c->state, e->state_stride, c->heads * 2, 2, state);
	if (what)
		return what;
	p->m->x->emu->kernels->merge(tile);

	rows = rows_of(p, c->dst, e->dst_stride, c->dim);
	what = dma_write_rows(p->ctx, port, &rows, tile->dst, rows.width, p->fault);
	if (what || !c->dst_state)
		return what;
	rows = rows_of(p, c->dst_state, c->heads * 2, 2);
	return dma_write_rows(p->ctx, port, &rows, tile->dst_state, rows.width, p->fault);
}

static uint32_t merge(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct merge *m = arg;
	const struct quill_cmd_merge *c = m->cmd;
	struct part p = { .m = m, .ctx = ctx, .fault = fault };
	uint64_t pairs, elems;
	float *src, *state, *dst, *dst_state;

	p.row = index / m->h_tiles * m->rows;
	p.rows = min32(m->rows, c->rows - p.row);
	p.head = index % m->h_tiles * m->heads;
	p.heads = min32(m->heads, c->heads - p.head);
	pairs = (uint64_t)p.rows * p.heads;
	elems = pairs * c->dim;

	src = dma_scratch(ctx, DMA_SCRATCH_A, elems * c->parts * 4);
	state = dma_scratch(ctx, DMA_SCRATCH_B, pairs * c->parts * 8);
	dst = dma_scratch(ctx, DMA_SCRATCH_D, elems * 4);
	dst_state = dma_scratch(ctx, DMA_SCRATCH_SCALE, pairs * 8);
	if (!src || !state || !dst || !dst_state)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, c->src);
	return run_tile(&p, &(struct quill_merge_tile){
		.src = src,
		.src_stride = p.heads * c->dim,
		.part_stride = elems,
		.state = state,
		.state_stride = pairs * 2,
		.dst = dst,
		.dst_stride = p.heads * c->dim,
		.dst_state = dst_state,
		.rows = p.rows,
		.parts = c->parts,
		.heads = p.heads,
		.dim = c->dim,
	}, src, state);
}

uint32_t exec_merge(struct exec *x, struct dma_fault *fault)
{
	struct merge m = { .x = x, .cmd = &x->cmd[0].merge, .ext = &x->cmd[1].merge_ext };
	struct pool_job job = { .tile = merge, .arg = &m, .abort = x->abort };
	uint32_t head = m.cmd->parts * m.cmd->dim, all = head * m.cmd->heads;

	m.rows = min32(m.cmd->rows, TILE_ELEMS / all + !(TILE_ELEMS / all));
	m.heads = m.cmd->heads;
	if (all > TILE_ELEMS)
		m.heads = TILE_ELEMS / head + !(TILE_ELEMS / head);
	m.h_tiles = (m.cmd->heads + m.heads - 1) / m.heads;
	job.tiles = (uint64_t)((m.cmd->rows + m.rows - 1) / m.rows) * m.h_tiles;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
