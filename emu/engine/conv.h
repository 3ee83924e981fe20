/* SPDX-License-Identifier: MIT */
/*
 * Tiles of CONV2D and POOL.
 *
 * Their input is a strip: lines of pixels in memory, with what the command pads already in place. So windows
 * never reach beyond it, and no kernel knows of edges.
 */
#ifndef QUILL_CONV_H
#define QUILL_CONV_H

/**
 * struct quill_windows - where windows and their taps are in a strip
 *
 * Tap (i, j) of window (y, x) is at i * tap_line + j * tap_pixel + y * line + x * pixel bytes from the first
 * window's first tap.
 */
struct quill_windows {
	uint32_t lines, pixels;		/* windows: down, across */
	uint32_t kh, kw;		/* taps of one: down, across */
	size_t line, pixel;
	size_t tap_line, tap_pixel;
};

/**
 * struct quill_patches_tile - windows as rows of a matrix, for the GEMM kernel
 */
struct quill_patches_tile {
	struct quill_windows w;
	const int8_t *src;
	/** @channels: bytes of each tap. */
	uint32_t channels;
	/**
	 * @dst: the windows, line by line, @ld bytes apart: kh * kw * channels bytes each. Behind these, up to 63
	 * bytes may be written, behind the last window too.
	 */
	int8_t *dst;
	size_t ld;
};

/**
 * struct quill_depthwise_tile - windows of up to 64 channels, each with taps of its own
 */
struct quill_depthwise_tile {
	struct quill_windows w;
	const int8_t *src;
	/**
	 * @gemm: the rest as in a product of m = lines * pixels windows by n channels by k = kh * kw taps: b is a
	 * panel of packed taps. a, a_sum and lda are not looked at.
	 */
	struct quill_gemm_tile gemm;
};

/**
 * struct quill_pool_tile - windows of POOL
 */
struct quill_pool_tile {
	struct quill_windows w;
	const void *src;
	/** @channels: elements of a tap. */
	uint32_t channels;
	/** @type: of source and result: S8 or F32. */
	uint32_t type;
	/** @op: enum quill_pool_op. */
	uint32_t op;
	/** @line_taps: by how many lines of taps window line y counts when averaged, @lines of them. */
	const uint32_t *line_taps;
	/** @pixel_taps: likewise across. */
	const uint32_t *pixel_taps;
	/** @dst: window (y, x) at dst + (y * pixels + x) * dst_stride elements. */
	void *dst;
	size_t dst_stride;
};

#endif /* QUILL_CONV_H */
