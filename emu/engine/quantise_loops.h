/* SPDX-License-Identifier: MIT */
/* QUANTISE, by scales that it finds or that are given, and DEQUANTISE, written once over lanes. kernels_*.c includes it. */
#ifndef QUILL_QUANTISE_LOOPS_H
#define QUILL_QUANTISE_LOOPS_H

#include <float.h>

#include "engine.h"
#include "vector.h"

/* The bits of the largest magnitude. */
static inline uint32_t quantise_max(const float *x, uint32_t n)
{
	vi most = vi_set1(0);

	OVER_VECTORS(e, m, n)
		most = vi_max(most, vf_magnitude(vector_load(x + e, m)));
	return (uint32_t)vi_most(most);
}

/* Groups whose scales are computed side by side, where groups are short. */
#define QUANTISE_SIDE		LANES
#define QUANTISE_SHORT		64u
/* Below this quotients would lose their precision to denormals. */
#define QUANTISE_LEAST		(127 * FLT_MIN)

static inline bool quantise_is_normal(uint32_t max_bits)
{
	float max;

	memcpy(&max, &max_bits, sizeof(max));
	return max >= QUANTISE_LEAST && max_bits < 0x7f800000;
}

/* By the inverse, which costs no division, where that cannot round another way: away from ties. */
TEMPLATE void quantise_values(const float *src, int8_t *dst, uint32_t n, float scale, float inverse,
			      const float *next, const bool stream)
{
	OVER_VECTORS(e, m, n) {
		vf x = vector_load(src + e, m), q = vf_mul(x, vf_set1(inverse));

		vector_fetch(next + e, stream);
		if (vf_near_tie(q))
			q = vf_div(x, vf_set1(scale));
		vector_write_s8(dst + e, q, m, stream);
	}
}

TEMPLATE float quantise_group(const float *src, int8_t *dst, uint32_t n, const float *next,
			      const bool stream)
{
	uint32_t max_bits = quantise_max(src, n);
	float max, scale;

	if (!quantise_is_normal(max_bits)) {
		memset(dst, 0, n);
		return max_bits < 0x7f800000 ? 0.0f : __builtin_nanf("");
	}
	memcpy(&max, &max_bits, sizeof(max));
	scale = max / 127.0f;
	quantise_values(src, dst, n, scale, 1.0f / scale, next, stream);
	return scale;
}

/* QUANTISE_SIDE groups, if all of them have a scale above 0. */
TEMPLATE bool quantise_side(const float *src, int8_t *dst, float *scale, uint32_t n,
			    const float *next, const bool stream)
{
	float max[QUANTISE_SIDE], inverse[QUANTISE_SIDE];
	bool normal = true;
	uint32_t g, bits;
	vf s;

	for (g = 0; g < QUANTISE_SIDE; g++) {
		bits = quantise_max(src + g * n, n);
		normal &= quantise_is_normal(bits);
		memcpy(&max[g], &bits, sizeof(bits));
	}
	if (!normal)
		return false;
	s = vf_div(vf_load(max), vf_set1(127.0f));
	vf_store(scale, s);
	vf_store(inverse, vf_div(vf_set1(1.0f), s));
	for (g = 0; g < QUANTISE_SIDE; g++)
		quantise_values(src + g * n, dst + g * n, n, scale[g], inverse[g], next + g * n,
				stream);
	return true;
}

TEMPLATE void quantise_rows(const struct quill_quantise_tile *t, const bool stream)
{
	size_t i, g, n = t->group, groups = t->n / n, ahead;

	/* while a group is looked at for the second time: the next, or what is some way off */
	ahead = n < 1024 ? 1024 : n;
	for (i = 0; i < t->rows; i++) {
		const float *src = t->src + i * t->src_stride;
		int8_t *dst = t->dst + i * t->dst_stride;
		float *scale = t->scale + i * t->scale_stride;

		for (g = 0; g < groups; ) {
			if (n <= QUANTISE_SHORT && groups - g >= QUANTISE_SIDE &&
			    quantise_side(src + g * n, dst + g * n, scale + g, n,
					  src + g * n + ahead, stream)) {
				g += QUANTISE_SIDE;
				continue;
			}
			scale[g] = quantise_group(src + g * n, dst + g * n, n,
						  src + g * n + ahead, stream);
			g++;
		}
	}
	if (stream)
		vf_stream_end();
}

static inline void quantise_tile(const struct quill_quantise_tile *t)
{
	if (vector_streams(t->stream, t->dst, t->dst_stride) && t->group % LANES == 0)
		quantise_rows(t, true);
	else
		quantise_rows(t, false);
}

/* What a quotient becomes: its clamp is [lo, hi], and ROUND - zero brings it back from ROUND. */
#define QUANTISE_ROUND	0x1.8p23f

struct quantise_by {
	vf lo, hi, back;
};

/* Less zero, so that it can be clamped before it is rounded: the edges are whole. A NaN becomes lo. */
static inline vf quantise_clamp(const struct quantise_by *by, vf q)
{
	return vf_min(vf_max(q, by->lo), by->hi);
}

TEMPLATE void quantise_by_store(const struct quantise_by *by, int8_t *dst, vf q, uint32_t m,
				const bool stream)
{
	q = vf_sub(vf_add(q, vf_set1(QUANTISE_ROUND)), by->back);
	vector_write_s8(dst, q, m, stream);
}

/* By the inverse if it is @exact enough, as in quantise_values(): quotients are -255 .. 255 here. */
TEMPLATE void quantise_by_one(const struct quantise_by *by, const float *src, int8_t *dst,
			      uint32_t n, float scale, const bool exact, const bool stream)
{
	vf inverse = vf_set1(1.0f / scale);

	OVER_VECTORS(e, m, n) {
		vf x = vector_load(src + e, m), q = quantise_clamp(by, vf_mul(x, inverse));

		if (!exact || vf_near_tie(q))
			q = quantise_clamp(by, vf_div(x, vf_set1(scale)));
		quantise_by_store(by, dst + e, q, m, stream);
	}
}

TEMPLATE void quantise_by_group(const struct quantise_by *by, const float *src, int8_t *dst,
				uint32_t n, float scale, const bool stream)
{
	if (scale >= FLT_MIN && scale <= 1 / FLT_MIN)
		quantise_by_one(by, src, dst, n, scale, true, stream);
	else
		quantise_by_one(by, src, dst, n, scale, false, stream);
}

/* A scale an element. */
TEMPLATE void quantise_by_each(const struct quantise_by *by, const float *src, int8_t *dst,
			       uint32_t n, const float *scale, const bool stream)
{
	OVER_VECTORS(e, m, n) {
		vf q = vf_div(vector_load(src + e, m), vector_load(scale + e, m));

		quantise_by_store(by, dst + e, quantise_clamp(by, q), m, stream);
	}
}

TEMPLATE void quantise_by_rows(const struct quill_quantise_by_tile *t, const bool stream)
{
	const struct quantise_by by = {
		.lo = vf_set1((float)(t->lo - t->zero)), .hi = vf_set1((float)(t->hi - t->zero)),
		.back = vf_set1(QUANTISE_ROUND - (float)t->zero),
	};
	uint32_t at, part;
	size_t i;

	for (i = 0; i < t->rows; i++) {
		const float *src = t->src + i * t->src_stride;
		const float *scale = t->scale + i * t->scale_stride;
		int8_t *dst = t->dst + i * t->dst_stride;

		if (t->group == 1) {
			quantise_by_each(&by, src, dst, t->n, scale, stream);
			continue;
		}
		for (at = 0, part = t->group - t->skip; at < t->n; at += part, part = t->group) {
			part = t->n - at < part ? t->n - at : part;
			quantise_by_group(&by, src + at, dst + at, part, *scale++, stream);
		}
	}
	if (stream)
		vf_stream_end();
}

static inline void quantise_by_tile(const struct quill_quantise_by_tile *t)
{
	bool whole = t->group == 1 || (t->group % LANES == 0 && t->skip % LANES == 0);

	if (whole && vector_streams(t->stream, t->dst, t->dst_stride))
		quantise_by_rows(t, true);
	else
		quantise_by_rows(t, false);
}

TEMPLATE void dequantise_group(const int8_t *src, float *dst, uint32_t n, float scale,
			       const bool stream)
{
	OVER_VECTORS(e, m, n)
		vector_write(dst + e, vf_mul(vector_load_s8(src + e, m), vf_set1(scale)), m, stream);
}

TEMPLATE void dequantise_row(const int8_t *src, float *dst, const float *scale,
			     const struct quill_dequantise_tile *t, const bool stream)
{
	uint32_t at, part = t->group - t->skip;

	for (at = 0; at < t->n; at += part, part = t->group) {
		part = t->n - at < part ? t->n - at : part;
		dequantise_group(src + at, dst + at, part, *scale++, stream);
	}
}

TEMPLATE void dequantise_rows(const struct quill_dequantise_tile *t, const bool stream)
{
	size_t i;

	for (i = 0; i < t->rows; i++)
		dequantise_row(t->src + i * t->src_stride, t->dst + i * t->dst_stride,
			       t->scale + i * t->scale_stride, t, stream);
	if (stream)
		vf_stream_end();
}

static inline void dequantise_tile(const struct quill_dequantise_tile *t)
{
	/* a group after the first begins at a vector if its size and what is left of the first are whole */
	if (vector_streams(t->stream, t->dst, t->dst_stride * sizeof(float)) &&
	    t->group % LANES == 0 && t->skip % LANES == 0)
		dequantise_rows(t, true);
	else
		dequantise_rows(t, false);
}

#endif /* QUILL_QUANTISE_LOOPS_H */
