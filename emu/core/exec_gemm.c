// SPDX-License-Identifier: MIT
/*
 * GEMM: the command, and for int8 from a product to tiles.
 *
 * A is copied, some rows at a time, to a buffer that all tiles share: it is read many times, its rows'
 * sums have to be those of the same bytes, and a stride that is no power of two is kinder to caches. A
 * tile is a block of those rows times a group of B's panels. B and D are used in place where
 * they are contiguous in the host, else through the scratch of the thread that runs the tile.
 */
#include <string.h>

#include "exec_gemm.h"

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
	struct gemm_out out;
	uint32_t flags;		/* QUILL_GEMM_* */
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
	struct gemm_place place;
	const uint8_t *bias;
	const uint8_t *scale;
	const float *row_scale;
	const uint8_t *mult;	/* of a residual of int8 */
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

	if (g->flags & QUILL_GEMM_A_TRANSPOSED)
		what = gemm_turn_a(g->x, ctx, g->first + row, rows, to, g->lda, fault);
	else
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
	bool s8 = p->g->out.type == QUILL_TYPE_S8;
	const uint8_t *row_scale = NULL;
	uint32_t what;

	what = read_table(p, ext->bias, p->col, p->cols, 4, DMA_SCRATCH_BIAS, &p->bias);
	if (!what)
		what = read_table(p, ext->scale, p->col, p->cols,
				  s8 ? sizeof(struct quill_requant) : 4, DMA_SCRATCH_SCALE,
				  &p->scale);
	if (!what && s8)
		what = check_requant(p);
	if (!what && s8)
		what = read_table(p, p->g->out.post->residual_mult, p->col, p->cols, 4, DMA_SCRATCH_GATE,
				  &p->mult);
	if (!what)
		what = read_table(p, ext->row_scale, p->g->first + p->row, p->rows, 4,
				  DMA_SCRATCH_ROW_SCALE, &row_scale);
	p->row_scale = (const float *)row_scale;
	return what;
}

static bool is_float(uint32_t type)
{
	return type == QUILL_TYPE_F32 || type == QUILL_TYPE_BF16;
}

/* What the second record says of the results, for columns from @col of the part on. */
static void finish_panel(const struct part *p, uint32_t col, struct quill_gemm_tile *tile)
{
	const struct gemm *g = p->g;
	const void *bias = p->bias ? p->bias + (uint64_t)col * 4 : NULL;

	if (is_float(g->out.type)) {
		tile->type_d = QUILL_TYPE_F32;
		tile->out = gemm_place_floats(&p->place, col);
		tile->out.bias = bias;
		tile->out.scale = (const float *)p->scale + col;
		tile->out.row_scale = p->row_scale;
		return;
	}
	tile->type_d = g->out.type;
	tile->d = p->place.d + (uint64_t)col * g->out.size;
	tile->ldd = p->place.ldd;
	tile->accumulate = g->flags & QUILL_GEMM_ACCUMULATE;
	tile->bias = bias;
	tile->zero = g->ext->zero;
	tile->lo = g->ext->lo;
	tile->hi = g->ext->hi;
	if (tile->type_d != QUILL_TYPE_S8)
		return;
	tile->requant = (const struct quill_requant *)p->scale + col;
	if (!p->mult)
		return;
	tile->residual = (const int8_t *)p->place.residual.ptr + col;
	tile->residual_stride = p->place.residual.stride;
	tile->residual_zero = g->ext->residual_zero;
	tile->residual_mult = (const int32_t *)p->mult + col;
}

static void run_panel(struct part *p, const uint8_t *b, uint32_t panel)
{
	const struct gemm *g = p->g;
	uint32_t col = panel * QUILL_PANEL_N;	/* within the part */
	struct quill_gemm_tile tile = {
		.a = g->a + p->row * g->lda,
		.a_sum = g->sums + p->row,
		.lda = g->lda,
		.b = b,
		.m = p->rows,
		.n = min32(QUILL_PANEL_N, p->cols - col),
		.k = g->cmd->k,
	};

	finish_panel(p, col, &tile);
	g->x->emu->kernels->gemm(&tile);
}

/* Panels that are packed on the way. */
static uint32_t run_plain(struct part *p)
{
	const struct gemm *g = p->g;
	const uint8_t *b;
	uint32_t col, what = 0;

	for (col = 0; col < p->cols && !what; col += QUILL_PANEL_N) {
		what = gemm_pack_b(g->x, p->ctx, p->col + col, min32(QUILL_PANEL_N, p->cols - col),
				   &b, p->fault);
		if (!what)
			run_panel(p, b, col / QUILL_PANEL_N);
	}
	return what;
}

/* All panels of a part. */
static uint32_t run_panels(struct part *p)
{
	const struct gemm *g = p->g;
	uint64_t size = quill_packed_panel(g->cmd->k);
	uint32_t count = (p->cols + QUILL_PANEL_N - 1) / QUILL_PANEL_N;
	uint64_t va = g->cmd->b + (uint64_t)(p->col / QUILL_PANEL_N) * size;
	struct dma_rows all = { .va = va, .rows = 1, .width = count * size };
	struct dma_view whole, one;
	uint32_t i, what = 0;

	if (gemm_is_plain_b(g->x))
		return run_plain(p);
	if (dma_view_direct(p->ctx, &g->x->port, &all, 64, false, &whole)) {
		for (i = 0; i < count; i++)
			run_panel(p, (uint8_t *)whole.ptr + i * size, i);
		dma_view_close(p->ctx, &whole);
		return QUILL_FAULT_NONE;
	}

	for (i = 0; i < count && !what; i++) {
		struct dma_rows rows = { .va = va + i * size, .rows = 1, .width = size };

		what = dma_view_read(p->ctx, &g->x->port, &rows, 64, DMA_SCRATCH_B, &one,
				     p->fault);
		if (!what)
			run_panel(p, one.ptr, i);
		dma_view_close(p->ctx, &one);
	}
	return what;
}

static uint32_t run_part(struct part *p)
{
	const struct gemm *g = p->g;
	uint32_t what;

	what = read_tables(p);
	if (what)
		return what;
	p->place = (struct gemm_place){ .out = &g->out, .ctx = p->ctx, .fault = p->fault };
	what = gemm_place_open(&p->place, g->first + p->row, p->rows, p->col, p->cols);
	if (!what)
		what = run_panels(p);
	return gemm_place_close(&p->place, what);
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
	g->rows = min32(min32(g->rows, m), gemm_out_rows(&g->out));
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

	what = gemm_out_begin(&g->out, g->first, g->rows, fault);
	if (what)
		return what;
	job.tiles = divide_up(g->rows, g->prep);
	what = pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
	if (what)
		return what;

	g->blocks = divide_up(g->rows, g->block);
	job.tile = multiply;
	job.tiles = (uint64_t)g->groups * g->blocks;
	what = pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
	return what ? what : gemm_out_end(&g->out, g->rows, fault);
}

uint32_t exec_gemm_s8(struct exec *x, struct dma_fault *fault)
{
	struct gemm g = {
		.x = x,
		.cmd = &x->cmd[0].gemm,
		.ext = &x->cmd[1].gemm_ext,
		.flags = quill_gemm_options(x->cmd),
	};
	uint32_t step, what = 0;

	gemm_out_init(&g.out, x);
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

/* ---- The command ---- */

/* The command's records for its product number @i. */
static void product(union quill_cmd *to, const union quill_cmd *cmd, uint32_t i)
{
	const struct quill_ext_gemm_batch *b = &cmd[3].gemm_batch;
	struct quill_ext_gemm *e = &to[1].gemm_ext;
	uint64_t rows = (uint64_t)i * cmd->gemm.m * 4, columns = (uint64_t)i * b->column_step;
	uint32_t entry = quill_gemm_requantised(cmd) ? sizeof(struct quill_requant) : 4;

	memcpy(to, cmd, 3 * sizeof(*cmd));
	to->hdr.ext = 2;
	to->gemm.a += i * b->a_step;
	to->gemm.b += i * b->b_step;
	to->gemm.d += i * b->d_step;
	if (e->bias)
		e->bias += columns * 4;
	if (e->scale)
		e->scale += columns * entry;
	if (e->row_scale)
		e->row_scale += rows * (e->row_scale_stride ? e->row_scale_stride : 1);
	if (to[2].gemm_post.gate)
		to[2].gemm_post.gate += i * b->gate_step;
	if (to[2].gemm_post.residual)
		to[2].gemm_post.residual += i * b->residual_step;
	if (to[2].gemm_post.residual_mult)
		to[2].gemm_post.residual_mult += columns * 4;
	if (quill_gemm_options(cmd) & QUILL_GEMM_SCALE_COLUMNS)
		to[2].gemm_post.d_scale += columns * 4;
	else if (quill_gemm_quantised(cmd) && !quill_gemm_given_scales(cmd))
		to[2].gemm_post.d_scale += rows;
}

static uint32_t run_product(struct exec *x, struct dma_fault *fault)
{
	if (x->cmd->hdr.type_a != QUILL_TYPE_S8 || x->cmd->hdr.type_b != QUILL_TYPE_S8)
		return exec_gemm_weights(x, fault);
	return exec_gemm_s8(x, fault);
}

/* One of many small products, by the thread that took it. */
static uint32_t small_product(void *arg, struct dma_ctx *ctx, uint64_t index,
			      struct dma_fault *fault)
{
	union quill_cmd cmd[3];
	struct exec x = *(struct exec *)arg;

	product(cmd, x.cmd, index);
	x.cmd = cmd;
	x.ctx = ctx;
	x.small = true;
	return run_product(&x, fault);
}

uint32_t exec_gemm(struct exec *x, struct dma_fault *fault)
{
	uint32_t batch = quill_gemm_batch(x->cmd), i, what = 0;
	const struct quill_cmd_gemm *c = &x->cmd->gemm;
	struct pool_job job = {
		.tile = small_product, .arg = x, .abort = x->abort, .tiles = batch,
	};
	struct exec one = *x;
	union quill_cmd cmd[3];

	if (x->cmd->hdr.ext < 3)
		return run_product(x, fault);
	if ((uint64_t)c->m * c->n * c->k < SMALL_GEMM)
		return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
	one.cmd = cmd;
	for (i = 0; i < batch && !what; i++) {
		product(cmd, x->cmd, i);
		what = run_product(&one, fault);
	}
	return what;
}
