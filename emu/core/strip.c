// SPDX-License-Identifier: MIT
/* Strips of images, for CONV2D and POOL. */
#include <string.h>

#include "strip.h"

/*
 * One dimension of a strip: @count places of the input, @step apart from @start on. Where windows have a single tap,
 * only what they touch is in the strip.
 */
struct axis {
	int64_t start;
	uint32_t step, count;
	uint32_t first, end;	/* places that are inside */
};

static struct axis axis_of(uint32_t window, uint32_t windows, uint32_t stride, uint32_t taps,
			   uint32_t dilation, uint32_t pad, uint32_t length)
{
	struct axis a = { .start = (int64_t)window * stride - pad };
	int64_t left;

	a.step = taps == 1 ? stride : 1;
	a.count = taps == 1 ? windows : (windows - 1) * stride + (taps - 1) * dilation + 1;
	if (a.start < 0)
		a.first = (uint32_t)((-a.start + a.step - 1) / a.step);
	if (a.first > a.count)
		a.first = a.count;
	left = length > a.start ? (length - a.start + a.step - 1) / a.step : 0;
	a.end = left < a.count ? (uint32_t)left : a.count;
	if (a.end < a.first)
		a.end = a.first;
	return a;
}

static struct axis axis_h(const struct strip_source *s, const struct strip *t)
{
	return axis_of(t->line, t->lines, s->stride_h, s->kh, s->dilation_h, s->pad_top, s->in_h);
}

static struct axis axis_w(const struct strip_source *s, const struct strip *t)
{
	return axis_of(t->pixel, t->pixels, s->stride_w, s->kw, s->dilation_w, s->pad_left,
		       s->in_w);
}

uint64_t strip_size(const struct strip_source *s, const struct strip *t)
{
	return axis_h(s, t).count * (axis_w(s, t).count * t->bytes);
}

struct quill_windows strip_windows(const struct strip_source *s, const struct strip *t)
{
	uint64_t line = axis_w(s, t).count * t->bytes;

	return (struct quill_windows){
		.lines = t->lines,
		.pixels = t->pixels,
		.kh = s->kh,
		.kw = s->kw,
		.line = (s->kh == 1 ? 1 : s->stride_h) * line,
		.pixel = (s->kw == 1 ? 1 : s->stride_w) * t->bytes,
		.tap_line = s->dilation_h * line,
		.tap_pixel = s->dilation_w * t->bytes,
	};
}

static void fill(const struct strip_source *s, uint8_t *to, uint64_t bytes)
{
	uint64_t i;

	if (s->size == 1) {
		memset(to, (int)s->pad, bytes);
		return;
	}
	for (i = 0; i < bytes; i += sizeof(s->pad))
		memcpy(to + i, &s->pad, sizeof(s->pad));
}

static void fill_padding(const struct strip_source *s, const struct axis *h, const struct axis *w,
			 uint64_t bytes, uint8_t *to)
{
	uint64_t line = w->count * bytes;
	uint32_t i;

	fill(s, to, h->first * line);
	fill(s, to + h->end * line, (h->count - h->end) * line);
	if (!w->first && w->end == w->count)
		return;
	for (i = h->first; i < h->end; i++) {
		fill(s, to + i * line, w->first * bytes);
		fill(s, to + i * line + w->end * bytes, (w->count - w->end) * bytes);
	}
}

/* struct inside - what of a strip is inside the image: so many lines of so many pixels */
struct inside {
	uint64_t va;
	uint64_t lines, pixels;
	uint64_t down, across;		/* bytes from one to the next in the image */
	uint64_t bytes;			/* of a pixel */
	uint64_t line;			/* bytes from line to line of the strip */
};

/* Out of the host's own memory, where all of it is one run. */
static bool read_direct(const struct exec *x, struct dma_ctx *ctx, const struct inside *in,
			uint8_t *to)
{
	struct dma_rows all = {
		.va = in->va, .rows = in->lines, .stride = in->down,
		.width = (in->pixels - 1) * in->across + in->bytes,
	};
	const uint8_t *from;
	struct dma_view view;
	uint64_t i, j;

	if (!dma_view_direct(ctx, &x->port, &all, 1, false, &view))
		return false;
	from = view.ptr;
	for (i = 0; i < in->lines; i++, from += in->down, to += in->line) {
		if (in->across == in->bytes)
			memcpy(to, from, in->pixels * in->bytes);
		else
			for (j = 0; j < in->pixels; j++)
				memcpy(to + j * in->bytes, from + j * in->across, in->bytes);
	}
	dma_view_close(ctx, &view);
	return true;
}

/* Page by page: lines as rows if their pixels are dense, else pixels as rows. */
static uint32_t read_pages(const struct exec *x, struct dma_ctx *ctx, const struct inside *in,
			   uint8_t *to, struct dma_fault *fault)
{
	struct dma_rows rows = { .va = in->va };
	uint32_t what = 0;
	uint64_t i;

	if (in->across == in->bytes) {
		rows.rows = in->lines;
		rows.stride = in->down;
		rows.width = in->pixels * in->bytes;
		return dma_read_rows(ctx, &x->port, &rows, to, in->line, fault);
	}
	rows.rows = in->pixels;
	rows.stride = in->across;
	rows.width = in->bytes;
	for (i = 0; i < in->lines && !what; i++, rows.va += in->down, to += in->line)
		what = dma_read_rows(ctx, &x->port, &rows, to, in->bytes, fault);
	return what;
}

uint32_t strip_read(const struct exec *x, struct dma_ctx *ctx, const struct strip_source *s,
		    const struct strip *t, uint8_t *to, struct dma_fault *fault)
{
	struct axis h = axis_h(s, t), w = axis_w(s, t);
	struct inside in = {
		.va = s->va + t->from +
		      (((uint64_t)t->image * s->in_h + (uint64_t)(h.start + h.first * h.step)) *
		       s->in_w + (uint64_t)(w.start + w.first * w.step)) * s->pixel,
		.lines = h.end - h.first,
		.pixels = w.end - w.first,
		.down = s->pixel * s->in_w * h.step,
		.across = s->pixel * w.step,
		.bytes = t->bytes,
		.line = w.count * t->bytes,
	};

	fill_padding(s, &h, &w, t->bytes, to);
	if (!in.lines || !in.pixels)
		return QUILL_FAULT_NONE;
	to += h.first * in.line + w.first * t->bytes;
	if (read_direct(x, ctx, &in, to))
		return QUILL_FAULT_NONE;
	return read_pages(x, ctx, &in, to, fault);
}

bool strip_next(const struct strip_source *s, struct strip *t, uint32_t first, uint32_t end)
{
	uint32_t at = t->lines ? t->image * s->out_h + t->line + t->lines : first;

	if (at >= end)
		return false;
	t->image = at / s->out_h;
	t->line = at % s->out_h;
	t->lines = s->out_h - t->line < end - at ? s->out_h - t->line : end - at;
	return true;
}
