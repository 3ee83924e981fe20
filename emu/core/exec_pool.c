// SPDX-License-Identifier: MIT
/*
 * POOL: from a command to tiles.
 *
 * A tile is some lines of the result, or some pixels of one that is long, and all channels or some. It copies the part of
 * the input that its windows touch to a strip and works on that. Tiles do not depend on the number of threads.
 */
#include <string.h>

#include "core.h"
#include "strip.h"

/* Bytes of a tile's strip: they should stay in a core's L2. */
#define TILE_BYTES	(384u << 10)
/* Channels of a tile, where windows are large. */
#define MIN_CHANNELS	64u
#define MIN_TILES	16u

struct pool_cmd {
	struct exec *x;
	const struct quill_cmd_pool *cmd;
	struct strip_source source;
	uint32_t size;
	uint32_t channels, parts;	/* of a tile; tiles to all channels */
	uint32_t pixels, across;
	uint32_t lines, down;
};

/* What one tile works on. */
struct part {
	struct pool_cmd *c;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	uint32_t line, lines;
	uint32_t pixel, pixels;
	uint32_t channel, channels;
	uint32_t *line_taps, *pixel_taps;
	uint8_t *d;
	uint64_t ldd;
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Taps of window @at that are inside an input of @length. */
static uint32_t taps_inside(uint32_t at, uint32_t stride, uint32_t taps, uint32_t pad,
			    uint32_t length)
{
	int64_t start = (int64_t)at * stride - pad, end = start + taps;

	start = start < 0 ? 0 : start;
	end = end > length ? length : end;
	return (uint32_t)(end - start);
}

static void count_taps(const struct part *p, const struct strip *strip)
{
	const struct strip_source *s = &p->c->source;
	bool all = p->c->cmd->op == QUILL_POOL_MEAN_PADDED;
	uint32_t i;

	for (i = 0; i < strip->lines; i++)
		p->line_taps[i] = all ? s->kh : taps_inside(strip->line + i, s->stride_h, s->kh,
							    s->pad_top, s->in_h);
	for (i = 0; i < strip->pixels; i++)
		p->pixel_taps[i] = all ? s->kw : taps_inside(strip->pixel + i, s->stride_w, s->kw,
							     s->pad_left, s->in_w);
}

static void *scratch(struct part *p, enum dma_scratch which, uint64_t size)
{
	void *buf = dma_scratch(p->ctx, which, size);

	if (!buf)
		dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, p->c->cmd->src);
	return buf;
}

static uint32_t run_strip(struct part *p, const struct strip *strip, uint8_t *d)
{
	struct pool_cmd *c = p->c;
	uint8_t *buf = scratch(p, DMA_SCRATCH_STRIP, strip_size(&c->source, strip));
	struct quill_pool_tile tile = {
		.w = strip_windows(&c->source, strip),
		.src = buf,
		.channels = p->channels,
		.type = c->cmd->hdr.type_a,
		.op = c->cmd->op,
		.line_taps = p->line_taps,
		.pixel_taps = p->pixel_taps,
		.dst = d,
		.dst_stride = p->ldd,
	};
	uint32_t what;

	if (!buf)
		return p->fault->fault;
	what = strip_read(c->x, p->ctx, &c->source, strip, buf, p->fault);
	if (what)
		return what;
	count_taps(p, strip);
	c->x->emu->kernels->pool(&tile);
	return QUILL_FAULT_NONE;
}

static uint32_t run_strips(struct part *p)
{
	const struct pool_cmd *c = p->c;
	struct strip strip = {
		.pixel = p->pixel, .pixels = p->pixels,
		.from = (uint64_t)p->channel * c->size, .bytes = (uint64_t)p->channels * c->size,
	};
	uint64_t row = 0;
	uint32_t what = 0;

	p->line_taps = scratch(p, DMA_SCRATCH_BIAS, (uint64_t)p->lines * sizeof(uint32_t));
	p->pixel_taps = scratch(p, DMA_SCRATCH_SCALE, (uint64_t)p->pixels * sizeof(uint32_t));
	if (!p->line_taps || !p->pixel_taps)
		return p->fault->fault;
	while (!what && strip_next(&c->source, &strip, p->line, p->line + p->lines)) {
		what = run_strip(p, &strip, p->d + row * p->ldd * c->size);
		row += (uint64_t)strip.lines * strip.pixels;
	}
	return what;
}

static uint32_t run_part(struct part *p)
{
	const struct pool_cmd *c = p->c;
	uint64_t first = (uint64_t)p->line * c->cmd->out_w + p->pixel;
	struct dma_rows out = {
		.va = c->cmd->dst + (first * c->cmd->dst_stride + p->channel) * c->size,
		.rows = (uint64_t)p->lines * p->pixels,
		.stride = (uint64_t)c->cmd->dst_stride * c->size,
		.width = (uint64_t)p->channels * c->size,
	};
	struct dma_view view;
	uint32_t what;

	if (dma_view_direct(p->ctx, &c->x->port, &out, c->size, true, &view)) {
		p->d = view.ptr;
		p->ldd = c->cmd->dst_stride;
	} else {
		p->d = scratch(p, DMA_SCRATCH_D, out.rows * out.width);
		p->ldd = p->channels;
		if (!p->d)
			return p->fault->fault;
	}
	what = run_strips(p);
	if (!what && !view.direct)
		what = dma_write_rows(p->ctx, &c->x->port, &out, p->d, out.width, p->fault);
	dma_view_close(p->ctx, &view);
	return what;
}

static uint32_t run_tile(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct pool_cmd *c = arg;
	struct part p = { .c = c, .ctx = ctx, .fault = fault };
	uint32_t block = (uint32_t)(index / c->parts);

	p.channel = (uint32_t)(index % c->parts) * c->channels;
	p.channels = min32(c->channels, c->cmd->channels - p.channel);
	p.line = block / c->across * c->lines;
	p.lines = min32(c->lines, (uint32_t)c->cmd->batch * c->cmd->out_h - p.line);
	p.pixel = block % c->across * c->pixels;
	p.pixels = min32(c->pixels, c->cmd->out_w - p.pixel);
	return run_part(&p);
}

static uint32_t div_up(uint64_t a, uint64_t b)
{
	return (uint32_t)((a + b - 1) / b);
}

/* As many windows, one beside the other, as have their bytes in half of a tile; at least one. */
static uint32_t fitting(uint32_t windows, uint32_t stride, uint32_t taps, uint64_t bytes)
{
	uint64_t places = TILE_BYTES / 2 / bytes;

	if (places <= taps)
		return 1;
	return (uint32_t)((places - taps) / stride + 1 < windows ? (places - taps) / stride + 1 :
								   windows);
}

/* Cut the command into tiles. Nothing of this shows in the result. */
static void plan(struct pool_cmd *c)
{
	const struct quill_cmd_pool *cmd = c->cmd;
	uint32_t lines = (uint32_t)cmd->batch * cmd->out_h;
	uint64_t window = (uint64_t)cmd->kh * cmd->kw * c->size;

	c->channels = (uint32_t)(TILE_BYTES / window) / MIN_CHANNELS * MIN_CHANNELS;
	c->channels = min32(c->channels ? c->channels : MIN_CHANNELS, cmd->channels);
	c->pixels = fitting(cmd->out_w, cmd->stride_w, cmd->kw,
			    (uint64_t)c->channels * c->size * cmd->kh);
	c->across = div_up(cmd->out_w, c->pixels);
	c->lines = c->across > 1 ? 1 :
		   fitting(lines, cmd->stride_h, cmd->kh,
			   (uint64_t)c->channels * c->size * cmd->in_w);
	c->down = div_up(lines, c->lines);
	/* One window for all there is, say: the channels are then what threads can share. */
	if ((uint64_t)c->across * c->down < MIN_TILES && c->channels > MIN_CHANNELS)
		c->channels = (div_up(c->channels, div_up(MIN_TILES, (uint64_t)c->across * c->down)) +
			       MIN_CHANNELS - 1) / MIN_CHANNELS * MIN_CHANNELS;
	c->parts = div_up(cmd->channels, c->channels);
}

/* What padding is to the largest: nothing is less. */
static uint32_t padding(const struct quill_cmd_pool *cmd)
{
	if (cmd->op != QUILL_POOL_MAX)
		return (uint8_t)cmd->pad_value;
	return cmd->hdr.type_a == QUILL_TYPE_S8 ? 0x80 : 0xff800000;
}

uint32_t exec_pool(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_pool *cmd = &x->cmd->pool;
	uint32_t size = quill_type_size(cmd->hdr.type_a);
	struct pool_cmd c = {
		.x = x,
		.cmd = cmd,
		.size = size,
		.source = {
			.va = cmd->src, .pixel = (uint64_t)cmd->src_stride * size,
			.in_h = cmd->in_h, .in_w = cmd->in_w, .out_h = cmd->out_h,
			.kh = cmd->kh, .kw = cmd->kw,
			.stride_h = cmd->stride_h, .stride_w = cmd->stride_w,
			.dilation_h = 1, .dilation_w = 1,
			.pad_top = cmd->pad_top, .pad_left = cmd->pad_left,
			.size = size, .pad = padding(cmd),
		},
	};
	struct pool_job job = { .tile = run_tile, .arg = &c, .abort = x->abort };

	plan(&c);
	job.tiles = (uint64_t)c.across * c.down * c.parts;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
