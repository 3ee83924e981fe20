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

/* Some windows' sums, from the tile's window @first on. */
static inline void depthwise_finish(const struct gemm_columns *columns,
				    const struct quill_gemm_tile *g, uint32_t first,
				    uint32_t count, int32_t (*acc)[QUILL_PANEL_N])
{
	uint32_t row, rows;

	for (row = 0; row < count; row += rows) {
		rows = count - row < MICRO_ROWS ? count - row : MICRO_ROWS;
		gemm_store(columns, g, first + row, rows, acc + row);
	}
}

static inline void depthwise_tile(const struct quill_depthwise_tile *t)
{
	int32_t acc[DEPTHWISE_PIXELS][QUILL_PANEL_N] __attribute__((aligned(64)));
	const struct quill_windows *w = &t->w;
	struct gemm_columns columns;
	struct depthwise d;
	uint32_t y, x, pixels;

	gemm_columns_fill(&columns, &t->gemm);
	depthwise_prepare(&d, w, t->gemm.b);
	for (y = 0; y < w->lines; y++) {
		for (x = 0; x < w->pixels; x += pixels) {
			pixels = w->pixels - x < DEPTHWISE_PIXELS ? w->pixels - x :
								    DEPTHWISE_PIXELS;
			depthwise_windows(&d, w, t->src + y * w->line + x * w->pixel, t->gemm.n,
					  pixels, acc);
			depthwise_finish(&columns, &t->gemm, y * w->pixels + x, pixels, acc);
		}
	}
}

#endif /* QUILL_CONV_LOOPS_H */
