/* SPDX-License-Identifier: MIT */
/* QUANTISE and DEQUANTISE, written once over lanes. kernels_*.c includes it. */
#ifndef QUILL_QUANTISE_LOOPS_H
#define QUILL_QUANTISE_LOOPS_H

#include <float.h>

#include "engine.h"
#include "vector.h"

/* The bits of the largest magnitude. */
static inline uint32_t quantise_max(const float *x, uint32_t n)
{
	vi most = vi_set1(0);

	for (EACH_VECTOR(e, m, n))
		most = vi_max(most, vf_magnitude(vector_load(x + e, m)));
	return (uint32_t)vi_most(most);
}

/* 0 where quotients would lose their precision to denormals, NaN if not all is finite. */
static inline float quantise_scale(uint32_t max_bits)
{
	float max;

	memcpy(&max, &max_bits, sizeof(max));
	if (max_bits >= 0x7f800000)
		return __builtin_nanf("");
	return max < 127 * FLT_MIN ? 0.0f : max / 127.0f;
}

static inline float quantise_group(const float *src, int8_t *dst, uint32_t n)
{
	float scale = quantise_scale(quantise_max(src, n));

	if (!(scale > 0)) {
		memset(dst, 0, n);
		return scale;
	}
	for (EACH_VECTOR(e, m, n))
		vector_store_s8(dst + e, vf_div(vector_load(src + e, m), vf_set1(scale)), m);
	return scale;
}

static inline void quantise_tile(const struct quill_quantise_tile *t)
{
	size_t i, g;

	for (i = 0; i < t->rows; i++) {
		const float *src = t->src + i * t->src_stride;
		int8_t *dst = t->dst + i * t->dst_stride;
		float *scale = t->scale + i * t->scale_stride;

		for (g = 0; g < t->n / t->group; g++)
			scale[g] = quantise_group(src + g * t->group, dst + g * t->group, t->group);
	}
}

static inline void dequantise_group(const int8_t *src, float *dst, uint32_t n, float scale)
{
	for (EACH_VECTOR(e, m, n))
		vector_store(dst + e, vf_mul(vector_load_s8(src + e, m), vf_set1(scale)), m);
}

static inline void dequantise_row(const int8_t *src, float *dst, const float *scale,
				  const struct quill_dequantise_tile *t)
{
	uint32_t at, part = t->group - t->skip;

	for (at = 0; at < t->n; at += part, part = t->group) {
		part = t->n - at < part ? t->n - at : part;
		dequantise_group(src + at, dst + at, part, *scale++);
	}
}

static inline void dequantise_tile(const struct quill_dequantise_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++)
		dequantise_row(t->src + i * t->src_stride, t->dst + i * t->dst_stride,
			       t->scale + i * t->scale_stride, t);
}

#endif /* QUILL_QUANTISE_LOOPS_H */
