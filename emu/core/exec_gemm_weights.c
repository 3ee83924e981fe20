// SPDX-License-Identifier: MIT
/*
 * GEMM with block weights and in floats: from a command to tiles. exec_gemm.c has the same order of things for int8.
 *
 * Rows of A are prepared, some at a time, in a buffer that all tiles share: int8 with the sums of its groups (and their
 * scales), or floats as bfloat16. A tile is a block of those rows times some panels of 64 columns.
 * Blocks of B are used where they lie if the host has them in one piece, else copied 64 rows at a time.
 */
#include <string.h>

#include "exec_gemm.h"

/* Bytes of A that are prepared at once, and of a block of rows (it should stay in a core's L2). */
#define A_BYTES		(8u << 20)
#define BLOCK_BYTES	(1u << 20)
#define MIN_BLOCK	48u
#define MAX_BLOCK	1024u
#define PREP_BYTES	(256u << 10)
/* Multiply-adds that make a tile worth its overhead. */
#define TILE_MACS	(2u << 20)
#define MAX_PANELS	32u

struct weights {
	struct exec *x;
	const struct quill_cmd_gemm *cmd;
	const struct quill_ext_gemm *ext;
	struct gemm_out out;
	bool floats;
	bool turned;		/* A lies transposed */
	uint32_t block_size;	/* bytes of a block of B; 0: B is packed */
	uint32_t groups;	/* of K, with a sum each; 0: floats */
	/* A as prepared, from row @first on */
	uint8_t *a;
	uint32_t elem;		/* bytes of an element of @a */
	uint64_t lda;		/* elements */
	int32_t *sums;		/* [row][groups] */
	float *scales;		/* [row][groups], or NULL */
	uint32_t first, rows;
	uint32_t block, blocks;	/* rows of a tile; blocks of what is prepared */
	uint32_t panels, share;	/* of B; of a tile */
	uint32_t prep;		/* rows that are prepared by one tile */
};

/* What one tile works on. */
struct part {
	struct weights *w;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	uint32_t row, rows;	/* row: within what was prepared */
	uint32_t col, cols;
	void *scratch;
	const float *bias, *scale, *row_scale;
	const float *b_scale;	/* S4: [groups][columns, whole panels] */
	uint32_t b_scale_stride;
	struct gemm_place place;
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t round_up32(uint64_t value, uint32_t to)
{
	return (uint32_t)((value + to - 1) / to * to);
}

static uint32_t no_memory(struct dma_fault *fault, uint64_t va)
{
	return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, va);
}

/* ---- A ---- */

static struct dma_rows rows_of_a(const struct weights *w, uint32_t row, uint32_t rows)
{
	uint32_t size = quill_type_size(w->cmd->hdr.type_a);

	return (struct dma_rows){
		.va = w->cmd->a + (uint64_t)(w->first + row) * w->cmd->lda * size,
		.rows = rows,
		.stride = (uint64_t)w->cmd->lda * size,
		.width = (uint64_t)w->cmd->k * size,
	};
}

/* Rows of 8-bit floats: where they lie, or turned in scratch. */
static uint32_t view_a(struct weights *w, struct dma_ctx *ctx, uint32_t row, uint32_t rows,
		       struct dma_view *view, struct dma_fault *fault)
{
	struct dma_rows from = rows_of_a(w, row, rows);

	if (!w->turned)
		return dma_view_read(ctx, &w->x->port, &from, 1, DMA_SCRATCH_STRIP, view, fault);
	*view = (struct dma_view){
		.ptr = dma_scratch(ctx, DMA_SCRATCH_UNPACK, (uint64_t)rows * w->cmd->k),
		.stride = w->cmd->k,
	};
	if (!view->ptr)
		return no_memory(fault, from.va);
	return gemm_turn_a(w->x, ctx, w->first + row, rows, view->ptr, w->cmd->k, fault);
}

/* 8-bit floats become bfloat16, which all of them are. */
static uint32_t prepare_widened(struct weights *w, struct dma_ctx *ctx, uint32_t row,
				uint32_t rows, struct dma_fault *fault)
{
	struct dma_view view;
	uint32_t what;

	what = view_a(w, ctx, row, rows, &view, fault);
	if (!what)
		w->x->emu->kernels->convert(&(struct quill_convert_tile){
			.src = view.ptr,
			.src_stride = view.stride,
			.dst = w->a + row * w->lda * w->elem,
			.dst_stride = w->lda,
			.rows = rows,
			.n = w->cmd->k,
			.type_a = w->cmd->hdr.type_a,
			.type_d = QUILL_TYPE_BF16,
		});
	dma_view_close(ctx, &view);
	return what;
}

/* int8, and what belongs to its groups. */
static uint32_t prepare_groups(struct weights *w, struct dma_ctx *ctx, uint32_t row, uint32_t rows,
			       struct dma_fault *fault)
{
	int8_t *a = (int8_t *)w->a + row * w->lda;
	struct dma_rows scales = {
		.va = w->ext->row_scale + (uint64_t)(w->first + row) * w->ext->row_scale_stride * 4,
		.rows = rows,
		.stride = (uint64_t)w->ext->row_scale_stride * 4,
		.width = (uint64_t)w->groups * 4,
	};

	w->x->emu->kernels->block_sums(a, w->lda, rows, w->cmd->k, w->ext->group,
				       w->sums + (uint64_t)row * w->groups);
	if (!w->scales)
		return QUILL_FAULT_NONE;
	return dma_read_rows(ctx, &w->x->port, &scales, w->scales + (uint64_t)row * w->groups,
			     scales.width, fault);
}

static uint32_t prepare(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct weights *w = arg;
	uint32_t row = (uint32_t)index * w->prep;
	uint32_t rows = min32(w->prep, w->rows - row), what;
	struct dma_rows from = rows_of_a(w, row, rows);
	uint8_t *to = w->a + row * w->lda * w->elem;

	if (quill_type_size(w->cmd->hdr.type_a) != w->elem)
		return prepare_widened(w, ctx, row, rows, fault);
	if (w->turned)
		what = gemm_turn_a(w->x, ctx, w->first + row, rows, to, w->lda, fault);
	else
		what = dma_read_rows(ctx, &w->x->port, &from, to, w->lda * w->elem, fault);
	if (!what && !w->floats)
		what = prepare_groups(w, ctx, row, rows, fault);
	return what;
}

/* ---- What belongs to D's rows and columns ---- */

static uint32_t read_table(struct part *p, uint64_t va, uint64_t first, uint32_t count,
			   enum dma_scratch scratch, const float **to)
{
	void *buf;

	if (!va)
		return QUILL_FAULT_NONE;
	buf = dma_scratch(p->ctx, scratch, (uint64_t)count * 4);
	if (!buf)
		return no_memory(p->fault, va);
	*to = buf;
	return dma_read(p->ctx, &p->w->x->port, va + first * 4, buf, (uint64_t)count * 4, p->fault);
}

/* S4's scales, a row a group, to the end of the last panel: what is behind the last column is any. */
static uint32_t read_group_scales(struct part *p)
{
	const struct weights *w = p->w;
	uint64_t n = w->cmd->n, width = round_up32(p->cols, QUILL_PANEL_N);
	struct dma_rows rows = {
		.va = w->ext->scale + (uint64_t)p->col * 4, .rows = w->groups, .stride = n * 4,
		.width = (uint64_t)p->cols * 4,
	};
	float *buf = dma_scratch(p->ctx, DMA_SCRATCH_SCALE, w->groups * width * 4);

	if (!buf)
		return no_memory(p->fault, rows.va);
	p->b_scale = buf;
	p->b_scale_stride = (uint32_t)width;
	return dma_read_rows(p->ctx, &w->x->port, &rows, buf, width * 4, p->fault);
}

static uint32_t read_tables(struct part *p)
{
	const struct quill_ext_gemm *ext = p->w->ext;
	uint32_t what;

	what = read_table(p, ext->bias, p->col, p->cols, DMA_SCRATCH_BIAS, &p->bias);
	if (!what && p->w->cmd->hdr.type_b == QUILL_TYPE_S4)
		what = read_group_scales(p);
	else if (!what)
		what = read_table(p, ext->scale, p->col, p->cols, DMA_SCRATCH_SCALE, &p->scale);
	if (!what && !ext->row_scale_stride)
		what = read_table(p, ext->row_scale, p->w->first + p->row, p->rows,
				  DMA_SCRATCH_ROW_SCALE, &p->row_scale);
	return what;
}

static struct quill_gemm_floats out_of(const struct part *p, uint32_t col)
{
	struct quill_gemm_floats out = gemm_place_floats(&p->place, col);

	out.bias = p->bias ? p->bias + col : NULL;
	out.scale = p->scale ? p->scale + col : NULL;
	out.row_scale = p->row_scale;
	return out;
}

/* ---- Products ---- */

/* A panel's columns, from @col of the part on. */
static void run_blocks(struct part *p, const uint8_t *b, uint64_t ldb, uint32_t col, uint32_t cols)
{
	const struct weights *w = p->w;
	struct quill_gemm_block_tile tile = {
		.a = (int8_t *)w->a + p->row * w->lda,
		.lda = w->lda,
		.a_sum = w->sums + (uint64_t)p->row * w->groups,
		.a_sum_stride = w->groups,
		.a_scale = w->scales ? w->scales + (uint64_t)p->row * w->groups : NULL,
		.a_scale_stride = w->groups,
		.b = b,
		.ldb = ldb,
		.b_scale = p->b_scale ? p->b_scale + col : NULL,
		.b_scale_stride = p->b_scale_stride,
		.scratch = p->scratch,
		.type_b = w->cmd->hdr.type_b,
		.m = p->rows,
		.n = cols,
		.k = w->cmd->k,
		.group = w->ext->group,
		.out = out_of(p, col),
	};

	w->x->emu->kernels->gemm_block(&tile);
}

static void run_floats(struct part *p, const uint8_t *b, uint32_t col, uint32_t cols)
{
	const struct weights *w = p->w;
	struct quill_gemm_float_tile tile = {
		.a = (uint16_t *)w->a + p->row * w->lda,
		.lda = w->lda,
		.b = b,
		.type_b = w->cmd->hdr.type_b,
		.m = p->rows,
		.n = cols,
		.k = w->cmd->k,
		.scratch = p->scratch,
		.out = out_of(p, col),
	};

	w->x->emu->kernels->gemm_float(&tile);
}

/* B of @cols columns from @col of the part on: rows of blocks, or whole panels. */
static struct dma_rows rows_of_b(const struct part *p, uint32_t col, uint32_t cols)
{
	const struct weights *w = p->w;
	uint64_t panel = quill_packed_panel_of(w->cmd->hdr.type_b, w->cmd->k);
	uint32_t at = p->col + col;

	if (w->block_size)
		return (struct dma_rows){
			.va = w->cmd->b + (uint64_t)at * w->cmd->ldb,
			.rows = cols,
			.stride = w->cmd->ldb,
			.width = (uint64_t)w->cmd->k / QUILL_BLOCK * w->block_size,
		};
	return (struct dma_rows){
		.va = w->cmd->b + at / QUILL_PANEL_N * panel,
		.rows = 1,
		.width = round_up32(cols, QUILL_PANEL_N) / QUILL_PANEL_N * panel,
	};
}

static void run_panel(struct part *p, const uint8_t *b, uint64_t ldb, uint32_t col)
{
	uint32_t cols = min32(QUILL_PANEL_N, p->cols - col);

	if (p->w->floats)
		run_floats(p, b, col, cols);
	else
		run_blocks(p, b, ldb, col, cols);
}

/* Bytes from panel to panel of B, as rows @ldb bytes apart. */
static uint64_t panel_step(const struct weights *w, uint64_t ldb)
{
	return w->block_size ? QUILL_PANEL_N * ldb :
			       quill_packed_panel_of(w->cmd->hdr.type_b, w->cmd->k);
}

/* Panels that are packed on the way. */
static uint32_t run_plain(struct part *p)
{
	const uint8_t *b;
	uint32_t col, what = 0;

	for (col = 0; col < p->cols && !what; col += QUILL_PANEL_N) {
		what = gemm_pack_b(p->w->x, p->ctx, p->col + col, min32(QUILL_PANEL_N, p->cols - col),
				   &b, p->fault);
		if (!what)
			run_panel(p, b, 0, col);
	}
	return what;
}

static uint32_t run_panels(struct part *p)
{
	struct weights *w = p->w;
	uint32_t align = w->block_size ? 1 : 64, col, what = 0;
	struct dma_rows all = rows_of_b(p, 0, p->cols);
	struct dma_view view;

	if (gemm_is_plain_b(w->x))
		return run_plain(p);
	if (dma_view_direct(p->ctx, &w->x->port, &all, align, false, &view)) {
		for (col = 0; col < p->cols; col += QUILL_PANEL_N)
			run_panel(p, (uint8_t *)view.ptr +
				  col / QUILL_PANEL_N * panel_step(w, view.stride), view.stride, col);
		dma_view_close(p->ctx, &view);
		return QUILL_FAULT_NONE;
	}
	for (col = 0; col < p->cols && !what; col += QUILL_PANEL_N) {
		struct dma_rows rows = rows_of_b(p, col, min32(QUILL_PANEL_N, p->cols - col));

		what = dma_view_read(p->ctx, &w->x->port, &rows, align, DMA_SCRATCH_B, &view,
				     p->fault);
		if (!what)
			run_panel(p, view.ptr, view.stride, col);
		dma_view_close(p->ctx, &view);
	}
	return what;
}

static uint32_t run_part(struct part *p)
{
	const struct weights *w = p->w;
	uint32_t what;

	p->place = (struct gemm_place){ .out = &w->out, .ctx = p->ctx, .fault = p->fault };
	what = gemm_place_open(&p->place, w->first + p->row, p->rows, p->col, p->cols);
	if (!what)
		what = run_panels(p);
	return gemm_place_close(&p->place, what);
}

static uint32_t multiply(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct weights *w = arg;
	uint64_t scratch = w->floats ? quill_gemm_float_scratch(w->cmd->k) :
				       quill_gemm_block_scratch(w->block);
	struct part p = { .w = w, .ctx = ctx, .fault = fault };
	uint32_t what;

	/* The blocks of rows of a panel follow each other: it is still in the cache. */
	p.row = (uint32_t)(index % w->blocks) * w->block;
	p.rows = min32(w->block, w->rows - p.row);
	p.col = (uint32_t)(index / w->blocks) * w->share * QUILL_PANEL_N;
	p.cols = min32(w->share * QUILL_PANEL_N, w->cmd->n - p.col);
	p.scratch = dma_scratch(ctx, DMA_SCRATCH_UNPACK, scratch);
	if (!p.scratch)
		return no_memory(fault, w->cmd->b);
	what = read_tables(&p);
	return what ? what : run_part(&p);
}

/* ---- The command ---- */

/* Cut it into tiles. Nothing of this shows in the result. */
static void plan(struct weights *w)
{
	const struct quill_cmd_gemm *c = w->cmd;
	uint32_t threads = w->x->emu->threads, block, share;
	uint64_t tiles, row, part;

	/* An odd number of cache lines, so that rows do not fall on one another in a cache's sets. */
	row = round_up32((uint64_t)c->k * w->elem, 64) | 64;
	w->lda = row / w->elem;
	w->prep = (uint32_t)(PREP_BYTES / row + 1);
	/* Blocks of B are taken a part of K at a time, and A's rows with them. */
	part = w->floats ? row : min32(row, QUILL_GEMM_BLOCK_CHUNK);
	block = (uint32_t)(BLOCK_BYTES / part);
	block = block < MIN_BLOCK ? MIN_BLOCK : min32(block, MAX_BLOCK);
	/* Blocks of like size, rather than full ones and a rest. */
	block = (c->m + block - 1) / block;
	w->block = round_up32((c->m + block - 1) / block, 16);
	w->rows = (uint32_t)(A_BYTES / row) / w->block * w->block;
	w->rows = min32(min32(w->rows ? w->rows : w->block, c->m), gemm_out_rows(&w->out));
	w->blocks = (w->rows + w->block - 1) / w->block;

	w->panels = (c->n + QUILL_PANEL_N - 1) / QUILL_PANEL_N;
	share = (uint32_t)(TILE_MACS / ((uint64_t)min32(w->block, w->rows) * QUILL_PANEL_N * c->k)) + 1;
	tiles = (uint64_t)w->panels * w->blocks;
	if (share > 1 && tiles / share < 4 * threads)
		share = (uint32_t)(tiles / (4 * threads)) + 1;
	w->share = min32(min32(share, MAX_PANELS), w->panels);
}

static uint32_t get_buffers(struct weights *w, struct dma_fault *fault)
{
	uint64_t cells = (uint64_t)w->rows * w->groups;
	uint8_t *sums = NULL;

	w->a = dma_scratch(w->x->ctx, DMA_SCRATCH_A, w->rows * w->lda * w->elem + 64);
	if (!w->floats)
		sums = dma_scratch(w->x->ctx, DMA_SCRATCH_SUMS, cells * 8);
	if (!w->a || (!w->floats && !sums))
		return no_memory(fault, w->cmd->a);
	w->sums = (int32_t *)sums;
	if (w->ext->row_scale_stride)
		w->scales = (float *)(sums + cells * 4);
	return QUILL_FAULT_NONE;
}

static uint32_t run_rows(struct weights *w, struct dma_fault *fault)
{
	struct exec *x = w->x;
	struct pool_job job = { .tile = prepare, .arg = w, .abort = x->abort };
	uint32_t what;

	what = gemm_out_begin(&w->out, w->first, w->rows, fault);
	if (what)
		return what;
	job.tiles = (w->rows + w->prep - 1) / w->prep;
	what = pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
	if (what)
		return what;

	w->blocks = (w->rows + w->block - 1) / w->block;
	job.tile = multiply;
	job.tiles = (uint64_t)((w->panels + w->share - 1) / w->share) * w->blocks;
	what = pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
	return what ? what : gemm_out_end(&w->out, w->rows, fault);
}

uint32_t exec_gemm_weights(struct exec *x, struct dma_fault *fault)
{
	struct weights w = {
		.x = x,
		.cmd = &x->cmd[0].gemm,
		.ext = &x->cmd[1].gemm_ext,
	};
	uint32_t step, what;

	gemm_out_init(&w.out, x);
	w.floats = w.cmd->hdr.type_a != QUILL_TYPE_S8;
	w.turned = quill_gemm_options(x->cmd) & QUILL_GEMM_A_TRANSPOSED;
	w.elem = w.floats ? sizeof(uint16_t) : 1;
	w.block_size = quill_block_size(w.cmd->hdr.type_b);
	w.groups = w.floats ? 0 : w.cmd->k / w.ext->group;
	plan(&w);
	step = w.rows;
	what = get_buffers(&w, fault);
	for (w.first = 0; w.first < w.cmd->m && !what; w.first += step) {
		w.rows = min32(step, w.cmd->m - w.first);
		what = run_rows(&w, fault);
	}
	return what;
}
