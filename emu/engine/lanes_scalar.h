/* SPDX-License-Identifier: MIT */
/*
 * Sixteen lanes, plain C: what every processor can do, and what the others must equal.
 *
 * lanes_avx2.h and lanes_avx512.h define the same types and functions; the loops above them are written once.
 */
#ifndef QUILL_LANES_SCALAR_H
#define QUILL_LANES_SCALAR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "quill/isa.h"

#define LANES 16

typedef struct { float v[LANES]; } vf;
typedef struct { int32_t v[LANES]; } vi;

/* vf_near_tie(): half an integer, less 2^-14 */
#define NEAR_TIE (0.5f - 0x1p-14f)

#define EACH_LANE(i) (int i = 0; i < LANES; i++)

static inline vf vf_load(const float *p)
{
	vf r;

	memcpy(r.v, p, sizeof(r.v));
	return r;
}

static inline void vf_store(float *p, vf a)
{
	memcpy(p, a.v, sizeof(a.v));
}

/* vf_store() past the caches; p is 64-byte aligned. What was streamed is in memory after vf_stream_end(). */
static inline void vf_stream(float *p, vf a)
{
	vf_store(p, a);
}

static inline void vf_stream_end(void)
{
}

/* The first n lanes, n 1..16, from memory of which no more is touched; the others are +0. */
static inline vf vf_load_first(const float *p, int n)
{
	vf r;

	for EACH_LANE(i)
		r.v[i] = i < n ? p[i] : 0.0f;
	return r;
}

static inline void vf_store_first(float *p, vf a, int n)
{
	memcpy(p, a.v, (size_t)n * sizeof(a.v[0]));
}

static inline vf vf_set1(float x)
{
	vf r;

	for EACH_LANE(i)
		r.v[i] = x;
	return r;
}

static inline vf vf_add(vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] += b.v[i];
	return a;
}

static inline vf vf_sub(vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] -= b.v[i];
	return a;
}

static inline vf vf_mul(vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] *= b.v[i];
	return a;
}

static inline vf vf_div(vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] /= b.v[i];
	return a;
}

static inline vf vf_fma(vf a, vf b, vf c)
{
	for EACH_LANE(i)
		a.v[i] = fmaf(a.v[i], b.v[i], c.v[i]);
	return a;
}

/* a > b ? a : b: with a NaN on either side, or two zeros, it is b. */
static inline vf vf_max(vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
	return a;
}

/* a < b ? a : b: with a NaN on either side, or two zeros, it is b. */
static inline vf vf_min(vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
	return a;
}

static inline vf vf_neg(vf a)
{
	for EACH_LANE(i)
		a.v[i] = -a.v[i];
	return a;
}

static inline vf vf_abs(vf a)
{
	for EACH_LANE(i)
		a.v[i] = fabsf(a.v[i]);
	return a;
}

static inline vf vf_copysign(vf a, vf sign)
{
	for EACH_LANE(i)
		a.v[i] = copysignf(a.v[i], sign.v[i]);
	return a;
}

/* -min(|x|, limit); of NaN: any number or NaN */
static inline vf vf_neg_within(vf x, vf limit)
{
	for EACH_LANE(i)
		x.v[i] = -fminf(fabsf(x.v[i]), limit.v[i]);
	return x;
}

/* By x's sign, that of -0 too; NaN: either. */
static inline vf vf_select_negative(vf x, vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] = signbit(x.v[i]) ? a.v[i] : b.v[i];
	return a;
}

/* x < limit ? a : b */
static inline vf vf_select_below(vf x, vf limit, vf a, vf b)
{
	for EACH_LANE(i)
		a.v[i] = x.v[i] < limit.v[i] ? a.v[i] : b.v[i];
	return a;
}

/* Bit i is set if lane i of a equals b's. */
static inline uint32_t vf_equal_bits(vf a, vf b)
{
	uint32_t bits = 0;

	for EACH_LANE(i)
		bits |= (uint32_t)(a.v[i] == b.v[i]) << i;
	return bits;
}

/* Bit i is set if lane i of a is above b's. */
static inline uint32_t vf_above_bits(vf a, vf b)
{
	uint32_t bits = 0;

	for EACH_LANE(i)
		bits |= (uint32_t)(a.v[i] > b.v[i]) << i;
	return bits;
}

/* Lanes where x < limit become +0. */
static inline vf vf_zero_below(vf a, vf x, vf limit)
{
	for EACH_LANE(i)
		a.v[i] = x.v[i] < limit.v[i] ? 0.0f : a.v[i];
	return a;
}

/* Lanes from n on become @other's. */
static inline vf vf_first(vf a, int n, vf other)
{
	for EACH_LANE(i)
		a.v[i] = i < n ? a.v[i] : other.v[i];
	return a;
}

/* Lanes but for those from @from to @to - 1 become @other's; the limits may lie outside of 0 .. 16. */
static inline vf vf_range(vf a, int from, int to, vf other)
{
	for EACH_LANE(i)
		a.v[i] = i >= from && i < to ? a.v[i] : other.v[i];
	return a;
}

/* x * 2^n, where both are normal or x is NaN, for t = 1.5 * 2^23 + n: the low bits of t are n. Any t is allowed. */
static inline vf vf_scale(vf x, vf t, vf n)
{
	uint32_t bits;
	float power;

	for EACH_LANE(i) {
		memcpy(&bits, &t.v[i], 4);
		bits = (bits + 127) << 23;
		memcpy(&power, &bits, 4);
		x.v[i] *= power;
	}
	return x;
}

/* Pairs of lanes (2i, 2i + 1): the first twice, the second twice, both in the other order. */
static inline vf vf_pair_first(vf a)
{
	for (int i = 0; i < LANES; i += 2)
		a.v[i + 1] = a.v[i];
	return a;
}

static inline vf vf_pair_second(vf a)
{
	for (int i = 0; i < LANES; i += 2)
		a.v[i] = a.v[i + 1];
	return a;
}

static inline vf vf_pair_swap(vf a)
{
	vf r;

	for EACH_LANE(i)
		r.v[i] = a.v[i ^ 1];
	return r;
}

static inline vf vf_pair_neg_first(vf a)
{
	for (int i = 0; i < LANES; i += 2)
		a.v[i] = -a.v[i];
	return a;
}

/* Of the 32 lanes of a and b, those with even numbers, and those with odd ones. */
static inline vf vf_evens(vf a, vf b)
{
	vf r;

	for EACH_LANE(i)
		r.v[i] = i < LANES / 2 ? a.v[2 * i] : b.v[2 * i - LANES];
	return r;
}

static inline vf vf_odds(vf a, vf b)
{
	vf r;

	for EACH_LANE(i)
		r.v[i] = i < LANES / 2 ? a.v[2 * i + 1] : b.v[2 * i + 1 - LANES];
	return r;
}

/* Every NaN becomes 0x7fc00000. */
static inline vf vf_canonical(vf a)
{
	const uint32_t nan = 0x7fc00000;

	for EACH_LANE(i)
		if (a.v[i] != a.v[i])
			memcpy(&a.v[i], &nan, 4);
	return a;
}

/* The same where no NaN signals: of what arithmetic gave. */
static inline vf vf_canonical_result(vf a)
{
	return vf_canonical(a);
}

/* The tree: lane i with lane i + 8, then + 4, + 2, + 1. */
static inline float vf_tree_sum(vf a)
{
	for (int half = LANES / 2; half; half /= 2)
		for (int i = 0; i < half; i++)
			a.v[i] += a.v[i + half];
	return a.v[0];
}

static inline float vf_tree_max(vf a)
{
	for (int half = LANES / 2; half; half /= 2)
		for (int i = 0; i < half; i++)
			a.v[i] = a.v[i] > a.v[i + half] ? a.v[i] : a.v[i + half];
	return a.v[0];
}

static inline vi vi_load(const int32_t *p)
{
	vi r;

	memcpy(r.v, p, sizeof(r.v));
	return r;
}

static inline void vi_store(int32_t *p, vi a)
{
	memcpy(p, a.v, sizeof(a.v));
}

/* Modulo 2^32. */
static inline vi vi_add(vi a, vi b)
{
	for EACH_LANE(i)
		a.v[i] = (int32_t)((uint32_t)a.v[i] + (uint32_t)b.v[i]);
	return a;
}

static inline vi vi_set1(int32_t x)
{
	vi r;

	for EACH_LANE(i)
		r.v[i] = x;
	return r;
}

static inline vi vi_max(vi a, vi b)
{
	for EACH_LANE(i)
		a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
	return a;
}

/* Those lanes whose bit is set, in a row, and how many; up to LANES are written. */
static inline uint32_t vi_pick(int32_t *to, vi a, uint32_t bits)
{
	uint32_t count = 0;

	for EACH_LANE(i) {
		to[count] = a.v[i];
		count += bits >> i & 1;
	}
	return count;
}

static inline int32_t vi_most(vi a)
{
	int32_t most = a.v[0];

	for EACH_LANE(i)
		most = a.v[i] > most ? a.v[i] : most;
	return most;
}

/* The bits of |a|: they order as the magnitudes do, infinity above numbers, NaN above all. */
static inline vi vf_magnitude(vf a)
{
	vi r;

	memcpy(&r, &a, sizeof(r));
	for EACH_LANE(i)
		r.v[i] &= 0x7fffffff;
	return r;
}

static inline vf vi_to_vf(vi a)
{
	vf r;

	for EACH_LANE(i)
		r.v[i] = (float)a.v[i];
	return r;
}

/* Lanes from the low halves of 16 times 32 bits, and from the high ones: bfloat16 as float32. */
static inline vf vf_low_halves(vi a)
{
	vf r;

	for EACH_LANE(i)
		a.v[i] = (int32_t)((uint32_t)a.v[i] << 16);
	memcpy(&r, &a, sizeof(r));
	return r;
}

static inline vf vf_high_halves(vi a)
{
	vf r;

	for EACH_LANE(i)
		a.v[i] = (int32_t)((uint32_t)a.v[i] & 0xffff0000);
	memcpy(&r, &a, sizeof(r));
	return r;
}

/* To the nearest integer, half to even; |a| is below 2^31. */
static inline vi vf_to_vi(vf a)
{
	vi r;

	for EACH_LANE(i)
		r.v[i] = (int32_t)rintf(a.v[i]);
	return r;
}

static inline vf vf_load_s8(const int8_t *p)
{
	vf r;

	for EACH_LANE(i)
		r.v[i] = (float)p[i];
	return r;
}

/* bfloat16: the upper half of a float's bits. */
static inline vf vf_load_bf16(const uint16_t *p)
{
	uint32_t bits;
	vf r;

	for EACH_LANE(i) {
		bits = (uint32_t)p[i] << 16;
		memcpy(&r.v[i], &bits, sizeof(bits));
	}
	return r;
}

/* Rounded to the nearest integer, half to even; |a| is below 128. */
static inline void vf_store_s8(int8_t *p, vf a)
{
	const float round = 0x1.8p23f;

	for EACH_LANE(i)
		p[i] = (int8_t)(a.v[i] + round - round);
}

/* Rounded likewise; |a| is below 2^15, or the result does not matter. */
static inline void vf_store_s16(int16_t *p, vf a)
{
	const float round = 0x1.8p23f;

	for EACH_LANE(i) {
		float x = a.v[i] + round - round;

		p[i] = x >= -32767.0f && x <= 32767.0f ? (int16_t)x : 0;
	}
}

/* The bits as numbers. */
static inline vf vi_as_vf(vi a)
{
	vf r;

	memcpy(&r, &a, sizeof(r));
	return r;
}

/* vf_store_s8() past the caches; p is 16-byte aligned. */
static inline void vf_stream_s8(int8_t *p, vf a)
{
	vf_store_s8(p, a);
}

/* Some lane is within 2^-14 of the middle between two integers; |a| is below 2^8. */
static inline bool vf_near_tie(vf a)
{
	const float round = 0x1.8p23f;

	for EACH_LANE(i)
		if (fabsf(a.v[i] - (a.v[i] + round - round)) > NEAR_TIE)
			return true;
	return false;
}

/* How 16 channels go from 32 to 8 bits. */
typedef struct {
	const struct quill_requant *channel;
	int64_t zero, lo, hi;
} vrequant;

static inline void vrequant_load(vrequant *q, const struct quill_requant *channel, int32_t zero,
				 int32_t lo, int32_t hi)
{
	*q = (vrequant){ channel, zero, lo, hi };
}

static inline void vrequant_row(int8_t *p, const int32_t *acc, const int32_t *bias, uint32_t n,
				const vrequant *q)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		int shift = q->channel[i].shift;
		int64_t x = (int32_t)((uint32_t)acc[i] + (uint32_t)bias[i]);

		/* Half to even: half - 1, plus the bit that will be the last. |x| is at most 2^62. */
		x *= q->channel[i].mult;
		if (shift)
			x = (x + (1ll << (shift - 1)) - 1 + (x >> shift & 1)) >> shift;
		x += q->zero;
		x = x < q->lo ? q->lo : x;
		p[i] = (int8_t)(x > q->hi ? q->hi : x);
	}
}

#endif /* QUILL_LANES_SCALAR_H */
