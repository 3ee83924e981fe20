/* SPDX-License-Identifier: MIT */
/*
 * Strips: the part of an image that some windows touch, copied to one place, padding included.
 *
 * CONV2D and POOL read their input this way, so that neither pages nor edges concern what works on it.
 */
#ifndef QUILL_CORE_STRIP_H
#define QUILL_CORE_STRIP_H

#include "core.h"

/* struct strip_source - images and the windows over them, of one command */
struct strip_source {
	uint64_t va;
	uint64_t pixel;			/* bytes from pixel to pixel */
	uint32_t in_h, in_w;
	uint32_t out_h;
	uint32_t kh, kw;
	uint32_t stride_h, stride_w;
	uint32_t dilation_h, dilation_w;
	uint32_t pad_top, pad_left;
	uint32_t size;			/* of an element */
	uint32_t pad;			/* the bits of one that is padding */
};

/* struct strip - windows of one image: lines and pixels of the result, and some bytes of each pixel */
struct strip {
	uint32_t image;
	uint32_t line, lines;
	uint32_t pixel, pixels;
	uint64_t from, bytes;
};

uint64_t strip_size(const struct strip_source *s, const struct strip *t);
/* The windows of a strip in memory. */
struct quill_windows strip_windows(const struct strip_source *s, const struct strip *t);
uint32_t strip_read(const struct exec *x, struct dma_ctx *ctx, const struct strip_source *s,
		    const struct strip *t, uint8_t *to, struct dma_fault *fault);

/*
 * A tile is windows of consecutive lines, numbered through all images: those of one image at a time. False when there
 * is none behind what @t has; begin with t->lines 0.
 */
bool strip_next(const struct strip_source *s, struct strip *t, uint32_t first, uint32_t end);

#endif /* QUILL_CORE_STRIP_H */
