// SPDX-License-Identifier: MIT
/*
 * CONV2D: from a command to tiles.
 *
 * A tile is some lines of the result (or some pixels of one that is long) times some panels of 64 output channels. It
 * copies the part of the input that its windows touch to a strip, makes rows of the windows, and gives
 * these to GEMM's kernel; depthwise has a kernel that works on the strip. Each tile gathers for itself: that costs
 * little beside the product, and nothing is shared. Tiles do not depend on the number of threads.
 */
#include <string.h>

#include "core.h"
#include "strip.h"

/* Bytes of a tile's windows, or of its strip if depthwise: they should stay in a core's L2. */
#define TILE_BYTES	(384u << 10)
#define MIN_PIXELS	48u
#define MAX_PIXELS	1024u
/*
 * So many tiles keep all threads busy: by fewer lines first, then by fewer panels, unless a tile would be smaller than
 * so many multiply-adds, or, if depthwise, panels: there a tile's part of a pixel is copied alone.
 */
#define MIN_TILES	16u
#define TILE_MACS	(2u << 20)
#define DEPTHWISE_PANELS	4u
#define MAX_PANELS	32u

struct conv {
	struct exec *x;
	const struct quill_cmd_conv2d *cmd;
	const struct quill_ext_conv2d *ext;
	const struct quill_ext_conv2d_residual *residual;	/* NULL: none */
	struct strip_source source;
	bool depthwise;
	bool rows;		/* a strip's pixels are the windows: 1 x 1 taps */
	uint32_t size;		/* of an element of D */
	uint32_t in, out;	/* channels of a group */
	uint32_t k;		/* rows of a group's weights */
	uint32_t panels;	/* of a group */
	uint64_t ld;		/* bytes from window to window */

	uint32_t pixels, across;	/* of a tile; tiles to a line */
	uint32_t lines, down;		/* of a tile; tiles to all lines */
	uint32_t units, parts;		/* panels of a tile, of any group; tiles to all panels */
};

/* What one tile works on. */
struct part {
	struct conv *c;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	uint32_t line, lines;	/* numbered through all images */
	uint32_t pixel, pixels;
	uint32_t unit, units;
	uint32_t col, cols;	/* output channels */
	const uint8_t *bias;
	const uint8_t *scale;
	const uint8_t *mult;		/* the residual's */
	struct dma_view residual;
	uint8_t *d;
	uint64_t ldd;
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t div_up(uint64_t a, uint64_t b)
{
	return (uint32_t)((a + b - 1) / b);
}

/* The first output channel of a panel, and behind its last one. */
static uint32_t unit_col(const struct conv *c, uint32_t unit)
{
	return unit / c->panels * c->out + unit % c->panels * QUILL_PANEL_N;
}

static uint32_t unit_end(const struct conv *c, uint32_t unit)
{
	uint32_t panel = unit % c->panels;

	return unit / c->panels * c->out + min32((panel + 1) * QUILL_PANEL_N, c->out);
}

/* ---- Epilogue ---- */

static uint32_t read_table(struct part *p, uint64_t va, uint32_t size, enum dma_scratch scratch,
			   const uint8_t **to)
{
	void *buf;

	if (!va)
		return QUILL_FAULT_NONE;
	buf = dma_scratch(p->ctx, scratch, (uint64_t)p->cols * size);
	if (!buf)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, va);
	*to = buf;
	return dma_read(p->ctx, &p->c->x->port, va + (uint64_t)p->col * size, buf,
			(uint64_t)p->cols * size, p->fault);
}

static uint32_t read_tables(struct part *p)
{
	const struct quill_ext_conv2d *ext = p->c->ext;
	bool s8 = p->c->cmd->hdr.type_d == QUILL_TYPE_S8;
	const struct quill_requant *r;
	uint32_t what, i;

	what = read_table(p, ext->bias, 4, DMA_SCRATCH_BIAS, &p->bias);
	if (!what)
		what = read_table(p, ext->scale, s8 ? sizeof(*r) : 4, DMA_SCRATCH_SCALE,
				  &p->scale);
	if (!what && p->c->residual)
		what = read_table(p, p->c->residual->mult, 4, DMA_SCRATCH_ROW_SCALE, &p->mult);
	r = (const struct quill_requant *)p->scale;
	for (i = 0; !what && s8 && i < p->cols; i++)
		if (r[i].mult < 0 || r[i].shift < 0 || r[i].shift > 62)
			what = dma_fail(p->fault, QUILL_FAULT_PARAM, QUILL_ACCESS_READ,
					ext->scale + (uint64_t)(p->col + i) * sizeof(*r));
	return what;
}

/* The product of @m windows, the tile's from @row on, with a panel's columns, but for A and B. */
static struct quill_gemm_tile product(const struct part *p, uint32_t unit, uint32_t row, uint32_t m)
{
	const struct conv *c = p->c;
	uint32_t col = unit_col(c, unit) - p->col;
	const void *bias = p->bias ? p->bias + (uint64_t)col * 4 : NULL;
	struct quill_gemm_tile tile = {
		.m = m,
		.n = unit_end(c, unit) - unit_col(c, unit),
		.k = c->k,
		.d = p->d + (row * p->ldd + col) * c->size,
		.ldd = p->ldd,
		.type_d = c->cmd->hdr.type_d,
		.zero = c->ext->zero,
		.lo = c->ext->lo,
		.hi = c->ext->hi,
	};

	if (tile.type_d == QUILL_TYPE_F32) {
		tile.out = (struct quill_gemm_floats){
			.d = tile.d, .ldd = p->ldd, .bias = bias,
			.scale = (const float *)p->scale + col,
		};
		return tile;
	}
	tile.bias = bias;
	if (tile.type_d == QUILL_TYPE_S8)
		tile.requant = (const struct quill_requant *)p->scale + col;
	if (c->residual) {
		tile.residual = (const int8_t *)p->residual.ptr + row * p->residual.stride + col;
		tile.residual_stride = p->residual.stride;
		tile.residual_zero = c->residual->zero;
		tile.residual_mult = (const int32_t *)p->mult + col;
	}
	return tile;
}

static uint32_t open_panel(struct part *p, uint32_t unit, struct dma_view *view)
{
	uint64_t size = quill_packed_panel(p->c->k);
	struct dma_rows rows = {
		.va = p->c->cmd->weight + unit * size, .rows = 1, .width = size,
	};

	return dma_view_read(p->ctx, &p->c->x->port, &rows, 64, DMA_SCRATCH_B, view, p->fault);
}

/* ---- Windows as rows ---- */

static void *scratch(struct part *p, enum dma_scratch which, uint64_t size)
{
	void *buf = dma_scratch(p->ctx, which, size);

	if (!buf)
		dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, p->c->cmd->src);
	return buf;
}

static uint32_t gather_strip(struct part *p, const struct strip *strip, int8_t *to)
{
	const struct conv *c = p->c;
	struct quill_patches_tile tile;
	uint32_t what;
	uint8_t *buf;

	if (c->rows)
		return strip_read(c->x, p->ctx, &c->source, strip, (uint8_t *)to, p->fault);
	buf = scratch(p, DMA_SCRATCH_STRIP, strip_size(&c->source, strip));
	if (!buf)
		return p->fault->fault;
	what = strip_read(c->x, p->ctx, &c->source, strip, buf, p->fault);
	if (what)
		return what;
	tile = (struct quill_patches_tile){
		.w = strip_windows(&c->source, strip),
		.src = (int8_t *)buf,
		.channels = c->in,
		.dst = to,
		.ld = c->ld,
	};
	c->x->emu->kernels->patches(&tile);
	return QUILL_FAULT_NONE;
}

/* All of the tile's windows, those of one group's channels. */
static uint32_t gather(struct part *p, uint32_t group, int8_t *a, int32_t *sums)
{
	const struct conv *c = p->c;
	struct strip strip = {
		.pixel = p->pixel, .pixels = p->pixels,
		.from = (uint64_t)group * c->in, .bytes = c->in,
	};
	uint32_t what = 0, row = 0;

	while (!what && strip_next(&c->source, &strip, p->line, p->line + p->lines)) {
		what = gather_strip(p, &strip, a + row * c->ld);
		row += strip.lines * strip.pixels;
	}
	if (!what)
		c->x->emu->kernels->row_sums(a, c->ld, row, c->k, sums);
	return what;
}

static uint32_t run_groups(struct part *p)
{
	const struct conv *c = p->c;
	uint32_t rows = p->lines * p->pixels, unit, group, gathered = UINT32_MAX, what = 0;
	int8_t *a = scratch(p, DMA_SCRATCH_A, rows * c->ld + 64);
	int32_t *sums = scratch(p, DMA_SCRATCH_SUMS, rows * sizeof(*sums));
	struct quill_gemm_tile tile;
	struct dma_view view;

	if (!a || !sums)
		return p->fault->fault;
	for (unit = p->unit; unit < p->unit + p->units; unit++) {
		group = unit / c->panels;
		if (group != gathered)
			what = gather(p, group, a, sums);
		gathered = group;
		if (what)
			return what;
		what = open_panel(p, unit, &view);
		if (!what) {
			tile = product(p, unit, 0, rows);
			tile.a = a;
			tile.a_sum = sums;
			tile.lda = c->ld;
			tile.b = view.ptr;
			c->x->emu->kernels->gemm(&tile);
		}
		dma_view_close(p->ctx, &view);
	}
	return what;
}

/* ---- Depthwise ---- */

static uint32_t depthwise_panels(struct part *p, const struct strip *strip, uint32_t row,
				 const int8_t *buf)
{
	const struct conv *c = p->c;
	struct quill_depthwise_tile tile = { .w = strip_windows(&c->source, strip) };
	struct dma_view view;
	uint32_t unit, what = 0;

	for (unit = p->unit; unit < p->unit + p->units && !what; unit++) {
		what = open_panel(p, unit, &view);
		if (!what) {
			tile.src = buf + (unit_col(c, unit) - p->col);
			tile.gemm = product(p, unit, row, strip->lines * strip->pixels);
			tile.gemm.b = view.ptr;
			c->x->emu->kernels->depthwise(&tile);
		}
		dma_view_close(p->ctx, &view);
	}
	return what;
}

static uint32_t run_depthwise(struct part *p)
{
	const struct conv *c = p->c;
	struct strip strip = {
		.pixel = p->pixel, .pixels = p->pixels, .from = p->col, .bytes = p->cols,
	};
	uint32_t what = 0, row = 0;
	uint8_t *buf;

	while (!what && strip_next(&c->source, &strip, p->line, p->line + p->lines)) {
		buf = scratch(p, DMA_SCRATCH_STRIP, strip_size(&c->source, &strip));
		if (!buf)
			return p->fault->fault;
		what = strip_read(c->x, p->ctx, &c->source, &strip, buf, p->fault);
		if (!what)
			what = depthwise_panels(p, &strip, row, (int8_t *)buf);
		row += strip.lines * strip.pixels;
	}
	return what;
}

/* ---- Tiles ---- */

/* The residual's rows, in place or copied: before anything of the result is written, whose place it may have. */
static uint32_t open_residual(struct part *p, uint64_t first)
{
	const struct quill_ext_conv2d_residual *e = p->c->residual;
	struct dma_rows rows = {
		.va = e->residual + first * e->stride + p->col,
		.rows = (uint64_t)p->lines * p->pixels,
		.stride = e->stride,
		.width = p->cols,
	};

	return dma_view_read(p->ctx, &p->c->x->port, &rows, 1, DMA_SCRATCH_RESIDUAL, &p->residual,
			     p->fault);
}

static uint32_t run_part(struct part *p)
{
	const struct conv *c = p->c;
	uint64_t first = (uint64_t)p->line * c->cmd->out_w + p->pixel;
	struct dma_rows out = {
		.va = c->cmd->dst + (first * c->ext->dst_stride + p->col) * c->size,
		.rows = (uint64_t)p->lines * p->pixels,
		.stride = (uint64_t)c->ext->dst_stride * c->size,
		.width = (uint64_t)p->cols * c->size,
	};
	struct dma_view view;
	uint32_t what;

	what = read_tables(p);
	if (!what && c->residual)
		what = open_residual(p, first);
	if (what)
		return what;
	if (dma_view_direct(p->ctx, &c->x->port, &out, c->size, true, &view)) {
		p->d = view.ptr;
		p->ldd = c->ext->dst_stride;
	} else {
		p->d = scratch(p, DMA_SCRATCH_D, out.rows * out.width);
		p->ldd = p->cols;
	}
	what = !p->d ? p->fault->fault : c->depthwise ? run_depthwise(p) : run_groups(p);
	if (!what && !view.direct)
		what = dma_write_rows(p->ctx, &c->x->port, &out, p->d, out.width, p->fault);
	dma_view_close(p->ctx, &view);
	dma_view_close(p->ctx, &p->residual);
	return what;
}

static uint32_t run_tile(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct conv *c = arg;
	struct part p = { .c = c, .ctx = ctx, .fault = fault };
	uint64_t blocks = (uint64_t)c->across * c->down;
	uint32_t block = (uint32_t)(index % blocks);

	/* The blocks of a panel follow each other: it is still in the cache. */
	p.unit = (uint32_t)(index / blocks) * c->units;
	p.units = min32(c->units, c->panels * (c->depthwise ? 1 : c->cmd->groups) - p.unit);
	p.col = unit_col(c, p.unit);
	p.cols = unit_end(c, p.unit + p.units - 1) - p.col;
	p.line = block / c->across * c->lines;
	p.lines = min32(c->lines, (uint32_t)c->cmd->batch * c->cmd->out_h - p.line);
	p.pixel = block % c->across * c->pixels;
	p.pixels = min32(c->pixels, c->cmd->out_w - p.pixel);
	return run_part(&p);
}

/* Cut @total into parts of like size, none above @most; the size of one. */
static uint32_t cut(uint32_t total, uint32_t most)
{
	return div_up(total, div_up(total, most));
}

/* Cut the command into tiles. Nothing of this shows in the result. */
static void plan(struct conv *c)
{
	const struct quill_cmd_conv2d *cmd = c->cmd;
	uint32_t total = c->panels * (c->depthwise ? 1 : cmd->groups);
	uint32_t lines = (uint32_t)cmd->batch * cmd->out_h, wide, few, least;
	uint64_t bytes = c->ld, macs;

	if (c->depthwise)
		bytes = (uint64_t)min32(c->out, MAX_PANELS * QUILL_PANEL_N) * cmd->stride_h *
			cmd->stride_w;
	wide = min32(MAX_PIXELS, (uint32_t)(TILE_BYTES / bytes));
	wide = wide < MIN_PIXELS ? MIN_PIXELS : wide;
	c->pixels = cut(cmd->out_w, wide);
	c->across = div_up(cmd->out_w, c->pixels);
	c->lines = c->across > 1 ? 1 : cut(lines, wide / c->pixels);
	few = div_up(MIN_PIXELS, c->pixels);
	if (c->lines > div_up(lines, MIN_TILES))
		c->lines = min32(c->lines, div_up(lines, MIN_TILES) < few ? few :
					   div_up(lines, MIN_TILES));
	c->down = div_up(lines, c->lines);

	macs = (uint64_t)c->lines * c->pixels * QUILL_PANEL_N * c->k;
	least = c->depthwise ? DEPTHWISE_PANELS : (uint32_t)(TILE_MACS / macs) + 1;
	c->units = total;
	if ((uint64_t)c->across * c->down < MIN_TILES)
		c->units = cut(total, div_up(total, div_up(MIN_TILES, (uint64_t)c->across * c->down)));
	c->units = min32(c->units < least ? least : c->units, min32(MAX_PANELS, total));
	c->parts = div_up(total, c->units);
}

static struct strip_source source_of(const union quill_cmd *cmd)
{
	const struct quill_cmd_conv2d *c = &cmd[0].conv2d;
	const struct quill_ext_conv2d *e = &cmd[1].conv2d_ext;

	return (struct strip_source){
		.va = c->src, .pixel = e->src_stride, .in_h = c->in_h, .in_w = c->in_w,
		.out_h = c->out_h, .kh = c->kh, .kw = c->kw,
		.stride_h = c->stride_h, .stride_w = c->stride_w,
		.dilation_h = c->dilation_h, .dilation_w = c->dilation_w,
		.pad_top = e->pad_top, .pad_left = e->pad_left,
		.size = 1, .pad = (uint8_t)c->pad_value,
	};
}

uint32_t exec_conv2d(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_conv2d *cmd = &x->cmd[0].conv2d;
	struct conv c = {
		.x = x,
		.cmd = cmd,
		.ext = &x->cmd[1].conv2d_ext,
		.residual = cmd->hdr.ext > 1 ? &x->cmd[2].conv2d_residual : NULL,
		.source = source_of(x->cmd),
		.depthwise = quill_conv_depthwise(cmd->in_c, cmd->out_c, cmd->groups),
		.size = quill_type_size(cmd->hdr.type_d),
		.in = cmd->in_c / cmd->groups,
		.out = cmd->out_c / cmd->groups,
	};
	struct pool_job job = { .tile = run_tile, .arg = &c, .abort = x->abort };

	if (c.depthwise)
		c.out = cmd->out_c;
	c.k = (uint32_t)cmd->kh * cmd->kw * c.in;
	c.panels = div_up(c.out, QUILL_PANEL_N);
	c.rows = cmd->kh == 1 && cmd->kw == 1;
	/* An odd number of cache lines, so that rows do not fall on one another in a cache's sets. */
	c.ld = c.rows ? c.in : ((c.k + 63) & ~63u) | 64;
	plan(&c);
	job.tiles = (uint64_t)c.across * c.down * c.parts;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
