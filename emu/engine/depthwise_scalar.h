/* SPDX-License-Identifier: MIT */
/* Depthwise windows as depthwise_plain.h has them: nothing to prepare. */
#ifndef QUILL_DEPTHWISE_SCALAR_H
#define QUILL_DEPTHWISE_SCALAR_H

#include "depthwise_plain.h"

struct depthwise {
	const uint8_t *b;
};

static inline void depthwise_prepare(struct depthwise *d, const struct quill_windows *w,
				     const uint8_t *b)
{
	d->b = b;
}

static inline void depthwise_windows(const struct depthwise *d, const struct quill_windows *w,
				     const int8_t *src, uint32_t n, uint32_t pixels,
				     int32_t (*acc)[QUILL_PANEL_N])
{
	depthwise_plain(w, src, n, d->b, pixels, acc);
}

/* These sums are in order. */
static inline bool depthwise_in_quarters(struct depthwise *d, int32_t *bias,
					 struct quill_requant *channel)
{
	return false;
}

static inline void depthwise_requant(int8_t *p, const int32_t *acc, const int32_t *bias, uint32_t n,
				     const vrequant *q)
{
	vrequant_row(p, acc, bias, n, q);
}

#endif /* QUILL_DEPTHWISE_SCALAR_H */
