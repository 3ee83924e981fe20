// SPDX-License-Identifier: MIT
/*
 * GEMM: from a command to tiles.
 *
 * A is copied, some rows at a time, to a buffer that all tiles share: it is read many times, its rows'
 * sums have to be those of the same bytes, and a stride that is no power of two is kinder to caches. A
 * tile is a block of those rows times a group of B's panels. B and D are used in place where
 * they are contiguous in the host, else through the scratch of the thread that runs the tile.
 */
#include <string.h>

#include "core.h"

/* Bytes of A that are prepared at once, and of a block of rows (it should stay in a core's L2, beside a panel of B). */
#define A_BYTES		(8u << 20)
#define BLOCK_BYTES	(640u << 10)
/* With fewer rows a block, B would be read from memory too often. */
#define MIN_BLOCK	96u
#define MAX_BLOCK	1024u
/* Blocks are of so many rows that no kernel is left with a few at their ends. */
#define BLOCK_STEP	48u
#define PREP_BYTES	(256u << 10)
/* Multiply-adds that make a tile worth its overhead. */
#define TILE_MACS	(2u << 20)
#define MAX_GROUP	32u
#define SMALL_GEMM	(16u << 20)

struct gemm {
	struct exec *x;
	const struct quill_cmd_gemm *cmd;
	const struct quill_ext_gemm *ext;
	int8_t *a;
	int32_t *sums;
	uint64_t lda;
	uint32_t size;		/* of an element of D */
	uint32_t first, rows;	/* of A, as prepared */
	uint32_t block;		/* rows of a tile */
	uint32_t blocks;
	uint32_t panels;	/* of B */
	uint32_t group;		/* panels of a tile */
	uint32_t groups;
	bool block_first;	/* all panels of a block of rows, then the next; or all blocks of a panel */
	uint32_t prep;		/* rows that are prepared at once */
};

/* What one tile works on. */
struct part {
	struct gemm *g;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	uint32_t row, rows;	/* row: within what was prepared */
	uint32_t col, cols;
	const uint8_t *bias;
	const uint8_t *scale;
	const float *row_scale;
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t prepare(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct gemm *g = arg;
	uint32_t row = index * g->prep;
	uint32_t rows = min32(g->prep, g->rows - row);
	struct dma_rows from = {
		.va = g->cmd->a + (uint64_t)(g->first + row) * g->cmd->lda,
		.rows = rows,
		.stride = g->cmd->lda,
		.width = g->cmd->k,
	};
	int8_t *to = g->a + row * g->lda;
	uint32_t what;

	what = dma_read_rows(ctx, &g->x->port, &from, to, g->lda, fault);
	if (!what)
		g->x->emu->kernels->row_sums(to, g->lda, rows, g->cmd->k, g->sums + row);
	return what;
}

/* A table of @count entries of @size, into scratch; *@to stays NULL if there is none. */
static uint32_t read_table(struct part *p, uint64_t va, uint64_t first, uint32_t count,
			   uint32_t size, enum dma_scratch scratch, const uint8_t **to)
{
	void *buf;

	if (!va)
		return QUILL_FAULT_NONE;
	buf = dma_scratch(p->ctx, scratch, (uint64_t)count * size);
	if (!buf)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, va);
	*to = buf;
	return dma_read(p->ctx, &p->g->x->port, va + first * size, buf, (uint64_t)count * size,
			p->fault);
}

static uint32_t check_requant(struct part *p)
{
	const struct quill_requant *table = (const struct quill_requant *)p->scale;
	uint32_t i;

	for (i = 0; i < p->cols; i++)
		if (table[i].mult < 0 || table[i].shift < 0 || table[i].shift > 62)
			return dma_fail(p->fault, QUILL_FAULT_PARAM, QUILL_ACCESS_READ,
					p->g->ext->scale + (uint64_t)(p->col + i) *
					sizeof(*table));
	return QUILL_FAULT_NONE;
}

static uint32_t read_tables(struct part *p)
{
	const struct quill_ext_gemm *ext = p->g->ext;
	bool s8 = p->g->cmd->hdr.type_d == QUILL_TYPE_S8;
	const uint8_t *row_scale = NULL;
	uint32_t what;

	what = read_table(p, ext->bias, p->col, p->cols, 4, DMA_SCRATCH_BIAS, &p->bias);
	if (!what)
		what = read_table(p, ext->scale, p->col, p->cols,
				  s8 ? sizeof(struct quill_requant) : 4, DMA_SCRATCH_SCALE,
				  &p->scale);
	if (!what && s8)
		what = check_requant(p);
	if (!what)
		what = read_table(p, ext->row_scale, p->g->first + p->row, p->rows, 4,
				  DMA_SCRATCH_ROW_SCALE, &row_scale);
	p->row_scale = (const float *)row_scale;
	return what;
}

static void run_panel(struct part *p, const uint8_t *b, uint32_t panel, uint8_t *d, uint64_t ldd)
{
	const struct gemm *g = p->g;
	uint32_t col = panel * QUILL_PANEL_N;	/* within the part */
	const void *bias = p->bias ? p->bias + (uint64_t)col * 4 : NULL;
	struct quill_gemm_tile tile = {
		.a = g->a + p->row * g->lda,
		.a_sum = g->sums + p->row,
		.lda = g->lda,
		.b = b,
		.m = p->rows,
		.n = min32(QUILL_PANEL_N, p->cols - col),
		.k = g->cmd->k,
		.d = d + (uint64_t)col * g->size,
		.ldd = ldd,
		.type_d = g->cmd->hdr.type_d,
		.zero = g->ext->zero,
		.lo = g->ext->lo,
		.hi = g->ext->hi,
	};

	if (tile.type_d == QUILL_TYPE_F32)
		tile.out = (struct quill_gemm_floats){
			.d = tile.d, .ldd = ldd, .bias = bias,
			.scale = (const float *)p->scale + col,
			.row_scale = p->row_scale,
		};
	else
		tile.bias = bias;
	if (tile.type_d == QUILL_TYPE_S8)
		tile.requant = (const struct quill_requant *)p->scale + col;
	g->x->emu->kernels->gemm(&tile);
}

/* All panels of a part, into @d with rows @ldd elements apart. */
static uint32_t run_panels(struct part *p, uint8_t *d, uint64_t ldd)
{
	const struct gemm *g = p->g;
	uint64_t size = quill_packed_panel(g->cmd->k);
	uint32_t count = (p->cols + QUILL_PANEL_N - 1) / QUILL_PANEL_N;
	uint64_t va = g->cmd->b + (uint64_t)(p->col / QUILL_PANEL_N) * size;
	struct dma_rows all = { .va = va, .rows = 1, .width = count * size };
	struct dma_view whole, one;
	uint32_t i, what = 0;

	if (dma_view_direct(p->ctx, &g->x->port, &all, 64, false, &whole)) {
		for (i = 0; i < count; i++)
			run_panel(p, (uint8_t *)whole.ptr + i * size, i, d, ldd);
		dma_view_close(p->ctx, &whole);
		return QUILL_FAULT_NONE;
	}

	for (i = 0; i < count && !what; i++) {
		struct dma_rows rows = { .va = va + i * size, .rows = 1, .width = size };

		what = dma_view_read(p->ctx, &g->x->port, &rows, 64, DMA_SCRATCH_B, &one,
				     p->fault);
		if (!what)
			run_panel(p, one.ptr, i, d, ldd);
		dma_view_close(p->ctx, &one);
	}
	return what;
}

static uint32_t run_part(struct part *p)
{
	const struct gemm *g = p->g;
	uint64_t row = g->first + p->row;
	struct dma_rows out = {
		.va = g->cmd->d + (row * g->cmd->ldd + p->col) * g->size,
		.rows = p->rows,
		.stride = (uint64_t)g->cmd->ldd * g->size,
		.width = (uint64_t)p->cols * g->size,
	};
	struct dma_view view;
	uint32_t what;
	void *d;

	what = read_tables(p);
	if (what)
		return what;

	if (dma_view_direct(p->ctx, &g->x->port, &out, g->size, true, &view)) {
		what = run_panels(p, view.ptr, g->cmd->ldd);
		dma_view_close(p->ctx, &view);
		return what;
	}

	d = dma_scratch(p->ctx, DMA_SCRATCH_D, out.rows * out.width);
	if (!d)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, out.va);
	what = run_panels(p, d, p->cols);
	if (what)
		return what;
	return dma_write_rows(p->ctx, &g->x->port, &out, d, out.width, p->fault);
}

static uint32_t multiply(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct gemm *g = arg;
	struct part p = { .g = g, .ctx = ctx, .fault = fault };
	uint32_t panel = (g->block_first ? index % g->groups : index / g->blocks) * g->group;

	p.row = (g->block_first ? index / g->groups : index % g->blocks) * g->block;
	p.rows = min32(g->block, g->rows - p.row);
	p.col = panel * QUILL_PANEL_N;
	p.cols = min32(g->group * QUILL_PANEL_N, g->cmd->n - p.col);
	return run_part(&p);
}

static uint64_t round_up(uint64_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

static uint64_t divide_up(uint64_t value, uint64_t by)
{
	return (value + by - 1) / by;
}

/* Panels of a tile: enough to be worth its overhead, few enough that all threads have some. */
static uint32_t plan_group(const struct gemm *g)
{
	uint64_t macs = (uint64_t)min32(g->block, g->rows) * QUILL_PANEL_N * g->cmd->k;
	uint64_t tiles = (uint64_t)g->panels * g->blocks;
	uint32_t threads = g->x->emu->threads;
	uint32_t group = min32(TILE_MACS / macs + 1, MAX_GROUP);
	/* The last tiles end at different times: small ones by little, and of small products there are few. */
	uint32_t least = threads == 1 ? 1 : tiles * macs < SMALL_GEMM ? 2 * threads : 4 * threads;

	if (tiles / group < least)
		group = tiles / least;
	return group ? group : 1;
}

/* Cut the command into tiles. Nothing of this shows in the result. */
static void plan(struct gemm *g)
{
	uint32_t m = g->cmd->m, block;

	/* An odd number of cache lines, so that rows do not fall on one another in a cache's sets. */
	g->lda = round_up(g->cmd->k, 64) | 64;
	g->prep = PREP_BYTES / g->lda + 1;
	block = BLOCK_BYTES / g->lda;
	block = block < MIN_BLOCK ? MIN_BLOCK : min32(block, MAX_BLOCK);
	/* Blocks of like size, rather than full ones and a rest. */
	g->block = round_up(divide_up(m, divide_up(m, block)), m > block ? BLOCK_STEP : 1);
	/* Rows that stay in a core's cache meet all panels; where they cannot, a panel stays at least in the last cache. */
	g->block_first = block > MIN_BLOCK;
	g->rows = A_BYTES / g->lda / g->block * g->block;
	if (!g->rows)
		g->rows = g->block;
	g->rows = min32(g->rows, m);
	g->blocks = divide_up(g->rows, g->block);
	g->panels = divide_up(g->cmd->n, QUILL_PANEL_N);
	g->group = plan_group(g);
	g->groups = divide_up(g->panels, g->group);
}

/* Rows @g->first on: copy them, then multiply them with all of B. */
static uint32_t run_rows(struct gemm *g, struct dma_fault *fault)
{
	struct exec *x = g->x;
	struct pool_job job = { .tile = prepare, .arg = g, .abort = x->abort };
	uint32_t what;

	job.tiles = divide_up(g->rows, g->prep);
	what = pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
	if (what)
		return what;

	g->blocks = divide_up(g->rows, g->block);
	job.tile = multiply;
	job.tiles = (uint64_t)g->groups * g->blocks;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}

uint32_t exec_gemm(struct exec *x, struct dma_fault *fault)
{
	struct gemm g = {
		.x = x,
		.cmd = &x->cmd[0].gemm,
		.ext = &x->cmd[1].gemm_ext,
		.size = quill_type_size(x->cmd->hdr.type_d),
	};
	uint32_t step, what = 0;

	if (g.cmd->hdr.type_a != QUILL_TYPE_S8 || g.cmd->hdr.type_b != QUILL_TYPE_S8)
		return exec_gemm_weights(x, fault);
	plan(&g);
	step = g.rows;
	g.a = dma_scratch(x->ctx, DMA_SCRATCH_A, step * g.lda + 64);
	g.sums = dma_scratch(x->ctx, DMA_SCRATCH_SUMS, (uint64_t)step * sizeof(*g.sums));
	if (!g.a || !g.sums)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, g.cmd->a);

	for (g.first = 0; g.first < g.cmd->m && !what; g.first += step) {
		g.rows = min32(step, g.cmd->m - g.first);
		what = run_rows(&g, fault);
	}
	return what;
}
