// SPDX-License-Identifier: MIT
/*
 * VECTOR: from a command's operands to tiles.
 *
 * A tile is some rows, or some columns of one where a row is long and the command permits it. Operands are used in
 * place where they are contiguous in the host, else by way of a scratch buffer each: so a tile stays small
 * enough that all of them fit into a core's cache. None of this shows in the result. Tiles do not depend on the
 * number of threads, so that the fault that is reported does not either.
 */
#include "exec_vector.h"

/* Elements of a tile, and of one of a command that is larger than the caches: there, what a tile costs counts. */
#define TILE_ELEMS	16384u
#define TILE_ELEMS_LARGE	32768u
/* Rows that are so far apart that a tile would span more are taken alone: pages between them cost, too. */
#define TILE_SPAN	(1u << 20)

/*
 * What a host's caches can be expected to hold of one command's operands and results. (A constant: what sysconf() says
 * of the last level is, in a guest, up to ten times of what there is.)
 */
#define CACHE_SIZE	(32u << 20)

/* What one tile works on. */
struct part {
	struct vector *v;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	struct vector_tile t;
	struct dma_rows rows[VECTOR_OPERANDS];
	struct dma_view view[VECTOR_OPERANDS];
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The bytes of an operand that the tile has. */
static struct dma_rows operand_rows(const struct vector_operand *op, const struct vector_tile *t)
{
	uint64_t first = op->share ? t->col / op->share : 0;
	uint64_t end = op->share ? (t->col + t->cols - 1) / op->share + 1 : op->width;
	struct dma_rows rows = {
		.va = op->va + first * op->size,
		.rows = 1,
		.width = (end - first) * op->size,
	};

	if (!op->stride)
		return rows;
	rows.va += t->row * op->stride;
	rows.stride = op->stride;
	rows.rows = t->rows;
	/* Without gaps it is one row, for views that copy. */
	if (rows.width == rows.stride) {
		rows.width *= rows.rows;
		rows.rows = 1;
	}
	return rows;
}

/* Where the kernel finds operand @i, or puts it. */
static uint32_t open_operand(struct part *p, unsigned int i)
{
	const struct vector_operand *op = &p->v->op[i];
	const struct dma_port *port = &p->v->x->port;
	struct dma_rows *rows = &p->rows[i];
	struct dma_view *view = &p->view[i];
	uint32_t what = 0;

	*rows = operand_rows(op, &p->t);
	if (!dma_view_direct(p->ctx, port, rows, op->size, op->write, view)) {
		if (op->write) {
			p->t.stream = false;
			view->ptr = dma_scratch(p->ctx, i, rows->rows * rows->width);
			view->stride = rows->width;
		} else {
			what = dma_view_copy(p->ctx, port, rows, i, view, p->fault);
		}
	}
	if (!view->ptr)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL,
				op->write ? QUILL_ACCESS_WRITE : QUILL_ACCESS_READ, rows->va);
	p->t.ptr[i] = view->ptr;
	/* One row for all, or one that was several without gaps: as the command says. */
	p->t.stride[i] = (rows->rows == 1 ? op->stride : view->stride) / op->size;
	return what;
}

static uint32_t open_operands(struct part *p)
{
	unsigned int i;
	uint32_t what = 0;

	for (i = 0; i < p->v->ops && !what; i++)
		if (p->v->op[i].va)
			what = open_operand(p, i);
	return what;
}

static uint32_t write_results(struct part *p)
{
	unsigned int i;
	uint32_t what = 0;

	for (i = 0; i < p->v->ops && !what; i++)
		if (p->v->op[i].va && p->v->op[i].write && !p->view[i].direct)
			what = dma_write_rows(p->ctx, &p->v->x->port, &p->rows[i], p->t.ptr[i],
					      p->rows[i].width, p->fault);
	return what;
}

static uint32_t run_tile(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct vector *v = arg;
	struct part p = { .v = v, .ctx = ctx, .fault = fault };
	unsigned int i;
	uint32_t what;

	p.t.row = index / v->col_tiles * v->tile_rows;
	p.t.rows = min32(v->tile_rows, v->rows - p.t.row);
	p.t.col = index % v->col_tiles * v->tile_cols;
	p.t.cols = min32(v->tile_cols, v->n - p.t.col);

	p.t.stream = v->stream;
	what = open_operands(&p);
	if (!what && v->scratch) {
		p.t.scratch = dma_scratch(ctx, VECTOR_SCRATCH, v->scratch);
		if (!p.t.scratch)
			what = dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, 0);
	}
	if (!what) {
		v->run(v, &p.t);
		what = write_results(&p);
	}
	for (i = 0; i < v->ops; i++)
		dma_view_close(ctx, &p.view[i]);
	return what;
}

static uint64_t operand_bytes(const struct vector *v, const struct vector_operand *op)
{
	uint64_t width = op->share ? (v->n - 1) / op->share + 1 : op->width;

	return op->va ? (op->stride ? v->rows : 1) * width * op->size : 0;
}

/* Some result is in the place of an operand, whose lines are in the cache when it is written. */
static bool in_place(const struct vector *v)
{
	unsigned int i, j;

	for (i = 0; i < v->ops; i++)
		for (j = 0; v->op[i].write && j < i; j++)
			if (v->op[i].va && v->op[i].va == v->op[j].va)
				return true;
	return false;
}

/* No cache holds what the command touches: a result that goes past them is read no later for it. */
static bool is_large(const struct vector *v)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < v->ops; i++)
		bytes += operand_bytes(v, &v->op[i]);
	return bytes > CACHE_SIZE;
}

/* Cut the command into tiles. Nothing of this shows in the result. */
static void plan(struct vector *v)
{
	uint32_t elems = is_large(v) ? TILE_ELEMS_LARGE : TILE_ELEMS;
	uint64_t stride = 1;
	unsigned int i;

	for (i = 0; i < v->ops; i++)
		if (v->op[i].stride > stride)
			stride = v->op[i].stride;
	v->tile_cols = v->n;
	if (v->n > elems)
		v->tile_cols = v->unit < elems ? elems / v->unit * v->unit : v->unit;
	v->tile_rows = min32(v->rows, elems / v->tile_cols + !(elems / v->tile_cols));
	if (v->tile_rows > 1 && v->tile_rows * stride > TILE_SPAN)
		v->tile_rows = TILE_SPAN / stride + !(TILE_SPAN / stride);
	v->col_tiles = (v->n + v->tile_cols - 1) / v->tile_cols;
	v->stream = is_large(v) && !in_place(v);
}

/* Run the command that @v's first fields describe. */
uint32_t exec_vector(struct vector *v, struct dma_fault *fault)
{
	struct pool_job job = { .tile = run_tile, .arg = v, .abort = v->x->abort };

	plan(v);
	job.tiles = (uint64_t)((v->rows + v->tile_rows - 1) / v->tile_rows) * v->col_tiles;
	return pool_run(v->x->emu->pool, &job, v->x->ctx, !v->x->small, fault);
}
