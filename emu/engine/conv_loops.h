/* SPDX-License-Identifier: MIT */
/*
 * CONV2D's own kernels, written once: windows as rows of a matrix, and depthwise convolution. What multiplies
 * the matrix is GEMM's kernel; so is the epilogue.
 */
#ifndef QUILL_CONV_LOOPS_H
#define QUILL_CONV_LOOPS_H

#include "engine.h"

/* One window: @high runs of @wide pieces of @bytes. */
static inline void patch_copy(const struct quill_windows *w, const int8_t *src, int8_t *dst,
			      uint32_t high, uint32_t wide, size_t bytes)
{
	uint32_t i, j;

	for (i = 0; i < high; i++)
		for (j = 0; j < wide; j++, dst += bytes)
			micro_copy(dst, src + i * w->tap_line + j * w->tap_pixel, bytes);
}

static inline void patches_tile(const struct quill_patches_tile *t)
{
	const struct quill_windows *w = &t->w;
	uint32_t y, x, high = w->kh, wide = w->kw;
	size_t bytes = t->channels;
	int8_t *dst = t->dst;

	/* Taps that lie side by side are one piece. */
	if (wide == 1 || w->tap_pixel == bytes) {
		bytes *= wide;
		wide = 1;
		if (high == 1 || w->tap_line == bytes) {
			bytes *= high;
			high = 1;
		}
	}
	for (y = 0; y < w->lines; y++)
		for (x = 0; x < w->pixels; x++, dst += t->ld)
			patch_copy(w, t->src + y * w->line + x * w->pixel, dst, high, wide, bytes);
}

/* struct depthwise_out - what becomes of sums: GEMM's epilogue, or requantisation in another order of channels */
struct depthwise_out {
	struct gemm_columns columns;
	bool quarters;
	int32_t bias[QUILL_PANEL_N];
	struct quill_requant channel[QUILL_PANEL_N];
	vrequant requant;
};

static inline void depthwise_out_fill(struct depthwise_out *out, const struct quill_gemm_tile *g,
				      struct depthwise *d)
{
	gemm_columns_fill(&out->columns, g);
	out->quarters = false;
	if (g->type_d != QUILL_TYPE_S8 || g->residual)
		return;
	memcpy(out->bias, out->columns.bias, sizeof(out->bias));
	memcpy(out->channel, out->columns.channel, sizeof(out->channel));
	out->quarters = depthwise_in_quarters(d, out->bias, out->channel);
	if (out->quarters)
		vrequant_load(&out->requant, out->channel, g->zero, g->lo, g->hi);
}

/* Some windows' sums, from the tile's window @first on. */
static inline void depthwise_finish(const struct depthwise_out *out, const struct quill_gemm_tile *g,
				    uint32_t first, uint32_t count, int32_t (*acc)[QUILL_PANEL_N])
{
	uint32_t row, rows;

	for (row = 0; out->quarters && row < count; row++)
		depthwise_requant((int8_t *)g->d + (first + row) * g->ldd, acc[row], out->bias, g->n,
				  &out->requant);
	for (row = 0; !out->quarters && row < count; row += rows) {
		rows = count - row < MICRO_ROWS ? count - row : MICRO_ROWS;
		gemm_store(&out->columns, g, first + row, rows, acc + row);
	}
}

static inline void depthwise_tile(const struct quill_depthwise_tile *t)
{
	int32_t acc[DEPTHWISE_PIXELS][QUILL_PANEL_N] __attribute__((aligned(64)));
	const struct quill_windows *w = &t->w;
	struct depthwise_out out;
	struct depthwise d;
	uint32_t y, x, pixels;

	depthwise_prepare(&d, w, t->gemm.b);
	depthwise_out_fill(&out, &t->gemm, &d);
	for (y = 0; y < w->lines; y++) {
		for (x = 0; x < w->pixels; x += pixels) {
			pixels = w->pixels - x < DEPTHWISE_PIXELS ? w->pixels - x :
								    DEPTHWISE_PIXELS;
			depthwise_windows(&d, w, t->src + y * w->line + x * w->pixel, t->gemm.n,
					  pixels, acc);
			depthwise_finish(&out, &t->gemm, y * w->pixels + x, pixels, acc);
		}
	}
}

#endif /* QUILL_CONV_LOOPS_H */
