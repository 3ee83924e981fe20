/* SPDX-License-Identifier: MIT */
/*
 * Depthwise windows, plain C: what depthwise_avx2.h and depthwise_avx512.h compute as well.
 *
 * acc[p][c] = sum over taps of window p's bytes of channel c times the channel's weights, exact: the packed weights
 * are 128 too much, which is taken away here.
 */
#ifndef QUILL_DEPTHWISE_PLAIN_H
#define QUILL_DEPTHWISE_PLAIN_H

#include "engine.h"

/* Windows of one call, one beside the other. */
#define DEPTHWISE_PIXELS 16

/* The weights of taps @k .. @k + 3, or fewer, tap by tap. */
static inline void depthwise_taps(int16_t taps[QUILL_PANEL_K][QUILL_PANEL_N], const uint8_t *b,
				  uint32_t k)
{
	const uint8_t *group = b + (size_t)(k / QUILL_PANEL_K) * QUILL_PANEL_GROUP;
	uint32_t c, j;

	for (c = 0; c < QUILL_PANEL_N; c++)
		for (j = 0; j < QUILL_PANEL_K; j++)
			taps[j][c] = (int16_t)(group[c * QUILL_PANEL_K + j] - 128);
}

static inline void depthwise_plain(const struct quill_windows *w, const int8_t *src, uint32_t n,
				   const uint8_t *b, uint32_t pixels,
				   int32_t (*acc)[QUILL_PANEL_N])
{
	int16_t taps[QUILL_PANEL_K][QUILL_PANEL_N];
	uint32_t k, p, c, count = w->kh * w->kw;

	memset(acc, 0, pixels * sizeof(*acc));
	for (k = 0; k < count; k++) {
		const int8_t *x = src + k / w->kw * w->tap_line + k % w->kw * w->tap_pixel;
		const int16_t *tap = taps[k % QUILL_PANEL_K];

		if (k % QUILL_PANEL_K == 0)
			depthwise_taps(taps, b, k);
		for (p = 0; p < pixels; p++, x += w->pixel)
			for (c = 0; c < n; c++)
				acc[p][c] += x[c] * tap[c];
	}
}

#endif /* QUILL_DEPTHWISE_PLAIN_H */
