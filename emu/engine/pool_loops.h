/* SPDX-License-Identifier: MIT */
/* POOL, written once over lanes. kernels_*.c includes it. */
#ifndef QUILL_POOL_LOOPS_H
#define QUILL_POOL_LOOPS_H

#include <math.h>

#include "engine.h"
#include "vector.h"

/* For each tap x of window @src: as EACH_VECTOR, to stand in a for. */
#define EACH_TAP(w, i, j)	uint32_t i = 0; i < (w)->kh; i++) for (uint32_t j = 0; j < (w)->kw; j++

static inline const void *pool_tap(const struct quill_windows *w, const void *src, uint32_t i,
				   uint32_t j)
{
	return (const uint8_t *)src + i * w->tap_line + j * w->tap_pixel;
}

/* Channels of int8 whose maxima are sought at one time: the loop over them is whole vectors. */
#define POOL_BYTES 64

static inline void pool_max_s8(const struct quill_windows *w, const int8_t *src, int8_t *dst,
			       uint32_t n)
{
	int8_t most[POOL_BYTES];
	uint32_t c;

	memset(most, -128, sizeof(most));
	for (EACH_TAP(w, i, j)) {
		const int8_t *x = pool_tap(w, src, i, j);

		if (n == POOL_BYTES)
			for (c = 0; c < POOL_BYTES; c++)
				most[c] = x[c] > most[c] ? x[c] : most[c];
		else
			for (c = 0; c < n; c++)
				most[c] = x[c] > most[c] ? x[c] : most[c];
	}
	memcpy(dst, most, n);
}

/* Sums of bytes are below 2^24: float32 has them exactly. The quotient's rounding cannot reach a tie (docs/isa.md). */
static inline void pool_mean_s8(const struct quill_windows *w, const int8_t *src, int8_t *dst,
				uint32_t m, float taps)
{
	vf sum = vf_set1(0.0f);

	for (EACH_TAP(w, i, j))
		sum = vf_add(sum, vector_load_s8(pool_tap(w, src, i, j), m));
	vector_store_s8(dst, vf_div(sum, vf_set1(taps)), m);
}

static inline void pool_max_f32(const struct quill_windows *w, const float *src, float *dst,
				uint32_t m)
{
	vf most = vf_set1(-INFINITY);

	for (EACH_TAP(w, i, j))
		most = vf_max(vector_load(pool_tap(w, src, i, j), m), most);
	vector_store(dst, most, m);
}

static inline void pool_mean_f32(const struct quill_windows *w, const float *src, float *dst,
				 uint32_t m, float taps)
{
	vf sum = vf_set1(0.0f);

	for (EACH_TAP(w, i, j))
		sum = vf_add(sum, vector_load(pool_tap(w, src, i, j), m));
	vector_store(dst, vf_div(sum, vf_set1(taps)), m);
}

static inline void pool_window_s8(const struct quill_pool_tile *t, const int8_t *src, int8_t *dst,
				  float taps)
{
	uint32_t c;

	if (t->op == QUILL_POOL_MAX) {
		for (c = 0; c < t->channels; c += POOL_BYTES)
			pool_max_s8(&t->w, src + c, dst + c,
				    t->channels - c < POOL_BYTES ? t->channels - c : POOL_BYTES);
		return;
	}
	OVER_VECTORS(e, m, t->channels)
		pool_mean_s8(&t->w, src + e, dst + e, m, taps);
}

static inline void pool_window_f32(const struct quill_pool_tile *t, const float *src, float *dst,
				   float taps)
{
	OVER_VECTORS(e, m, t->channels) {
		if (t->op == QUILL_POOL_MAX)
			pool_max_f32(&t->w, src + e, dst + e, m);
		else
			pool_mean_f32(&t->w, src + e, dst + e, m, taps);
	}
}

static inline void pool_tile(const struct quill_pool_tile *t)
{
	const struct quill_windows *w = &t->w;
	size_t at = 0;
	uint32_t y, x;

	for (y = 0; y < w->lines; y++) {
		for (x = 0; x < w->pixels; x++, at += t->dst_stride) {
			const uint8_t *src = (const uint8_t *)t->src + y * w->line + x * w->pixel;
			float taps = (float)(t->line_taps[y] * t->pixel_taps[x]);

			if (t->type == QUILL_TYPE_S8)
				pool_window_s8(t, (const int8_t *)src, (int8_t *)t->dst + at, taps);
			else
				pool_window_f32(t, (const float *)src, (float *)t->dst + at, taps);
		}
	}
}

#endif /* QUILL_POOL_LOOPS_H */
