/* SPDX-License-Identifier: MIT */
/* Sixteen lanes as two AVX2 registers. lanes_scalar.h says what each function is. */
#ifndef QUILL_LANES_AVX2_H
#define QUILL_LANES_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "quill/isa.h"

#define LANES 16
#define NEAR_TIE (0.5f - 0x1p-14f)

typedef struct { __m256 a, b; } vf;
typedef struct { __m256i a, b; } vi;

static inline vf vf_load(const float *p)
{
	return (vf){ _mm256_loadu_ps(p), _mm256_loadu_ps(p + 8) };
}

static inline void vf_store(float *p, vf x)
{
	_mm256_storeu_ps(p, x.a);
	_mm256_storeu_ps(p + 8, x.b);
}

static inline void vf_stream(float *p, vf x)
{
	_mm256_stream_ps(p, x.a);
	_mm256_stream_ps(p + 8, x.b);
}

static inline void vf_stream_end(void)
{
	_mm_sfence();
}

/* All bits set in the first n of eight lanes from @from on. */
static inline __m256i avx2_mask(int n, int from)
{
	const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n - from), lane);
}

static inline vf vf_load_first(const float *p, int n)
{
	return (vf){ _mm256_maskload_ps(p, avx2_mask(n, 0)),
		     _mm256_maskload_ps(p + 8, avx2_mask(n, 8)) };
}

static inline void vf_store_first(float *p, vf x, int n)
{
	_mm256_maskstore_ps(p, avx2_mask(n, 0), x.a);
	_mm256_maskstore_ps(p + 8, avx2_mask(n, 8), x.b);
}

static inline vf vf_set1(float x)
{
	return (vf){ _mm256_set1_ps(x), _mm256_set1_ps(x) };
}

static inline vf vf_add(vf x, vf y)
{
	return (vf){ _mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b) };
}

static inline vf vf_sub(vf x, vf y)
{
	return (vf){ _mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b) };
}

static inline vf vf_mul(vf x, vf y)
{
	return (vf){ _mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b) };
}

static inline vf vf_div(vf x, vf y)
{
	return (vf){ _mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b) };
}

static inline vf vf_fma(vf x, vf y, vf z)
{
	return (vf){ _mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b) };
}

/* MAXPS is x > y ? x : y, NaN and zeros included. */
static inline vf vf_max(vf x, vf y)
{
	return (vf){ _mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b) };
}

/* MINPS is x < y ? x : y. */
static inline vf vf_min(vf x, vf y)
{
	return (vf){ _mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b) };
}

static inline vf vf_neg(vf x)
{
	const __m256 sign = _mm256_set1_ps(-0.0f);

	return (vf){ _mm256_xor_ps(x.a, sign), _mm256_xor_ps(x.b, sign) };
}

static inline vf vf_abs(vf x)
{
	const __m256 sign = _mm256_set1_ps(-0.0f);

	return (vf){ _mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b) };
}

static inline vf vf_copysign(vf x, vf s)
{
	const __m256 sign = _mm256_set1_ps(-0.0f);

	/* blendv looks at the sign bits alone */
	return (vf){ _mm256_blendv_ps(_mm256_andnot_ps(sign, x.a), _mm256_or_ps(x.a, sign), s.a),
		     _mm256_blendv_ps(_mm256_andnot_ps(sign, x.b), _mm256_or_ps(x.b, sign), s.b) };
}

static inline vf vf_neg_within(vf x, vf limit)
{
	return vf_neg(vf_min(vf_abs(x), limit));
}

/* blendv looks at the sign bits alone. */
static inline vf vf_select_negative(vf x, vf a, vf b)
{
	return (vf){ _mm256_blendv_ps(b.a, a.a, x.a), _mm256_blendv_ps(b.b, a.b, x.b) };
}

static inline vf vf_select_below(vf x, vf limit, vf a, vf b)
{
	return (vf){ _mm256_blendv_ps(b.a, a.a, _mm256_cmp_ps(x.a, limit.a, _CMP_LT_OQ)),
		     _mm256_blendv_ps(b.b, a.b, _mm256_cmp_ps(x.b, limit.b, _CMP_LT_OQ)) };
}

static inline uint32_t vf_equal_bits(vf x, vf y)
{
	uint32_t a = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.a, y.a, _CMP_EQ_OQ));
	uint32_t b = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.b, y.b, _CMP_EQ_OQ));

	return a | b << 8;
}

static inline uint32_t vf_above_bits(vf x, vf y)
{
	uint32_t a = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.a, y.a, _CMP_GT_OQ));
	uint32_t b = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.b, y.b, _CMP_GT_OQ));

	return a | b << 8;
}

static inline vf vf_pair_first(vf x)
{
	return (vf){ _mm256_moveldup_ps(x.a), _mm256_moveldup_ps(x.b) };
}

static inline vf vf_pair_second(vf x)
{
	return (vf){ _mm256_movehdup_ps(x.a), _mm256_movehdup_ps(x.b) };
}

static inline vf vf_pair_swap(vf x)
{
	return (vf){ _mm256_permute_ps(x.a, 0xb1), _mm256_permute_ps(x.b, 0xb1) };
}

static inline vf vf_pair_neg_first(vf x)
{
	const __m256 sign = _mm256_castsi256_ps(_mm256_set1_epi64x(0x80000000));

	return (vf){ _mm256_xor_ps(x.a, sign), _mm256_xor_ps(x.b, sign) };
}

/* Every other one of eight pairs of lanes: the shuffle leaves them as two interleaved halves. */
static inline __m256 avx2_in_order(__m256 x)
{
	return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8));
}

static inline vf vf_evens(vf x, vf y)
{
	return (vf){ avx2_in_order(_mm256_shuffle_ps(x.a, x.b, 0x88)),
		     avx2_in_order(_mm256_shuffle_ps(y.a, y.b, 0x88)) };
}

static inline vf vf_odds(vf x, vf y)
{
	return (vf){ avx2_in_order(_mm256_shuffle_ps(x.a, x.b, 0xdd)),
		     avx2_in_order(_mm256_shuffle_ps(y.a, y.b, 0xdd)) };
}

static inline vf vf_zero_below(vf r, vf x, vf limit)
{
	return (vf){ _mm256_andnot_ps(_mm256_cmp_ps(x.a, limit.a, _CMP_LT_OQ), r.a),
		     _mm256_andnot_ps(_mm256_cmp_ps(x.b, limit.b, _CMP_LT_OQ), r.b) };
}

static inline vf vf_first(vf x, int n, vf other)
{
	__m256 a = _mm256_castsi256_ps(avx2_mask(n, 0)), b = _mm256_castsi256_ps(avx2_mask(n, 8));

	return (vf){ _mm256_blendv_ps(other.a, x.a, a), _mm256_blendv_ps(other.b, x.b, b) };
}

static inline vf vf_range(vf x, int from, int to, vf other)
{
	__m256i a = _mm256_andnot_si256(avx2_mask(from, 0), avx2_mask(to, 0));
	__m256i b = _mm256_andnot_si256(avx2_mask(from, 8), avx2_mask(to, 8));

	return (vf){ _mm256_blendv_ps(other.a, x.a, _mm256_castsi256_ps(a)),
		     _mm256_blendv_ps(other.b, x.b, _mm256_castsi256_ps(b)) };
}

static inline __m256 avx2_pow2(__m256 t)
{
	__m256i bits = _mm256_add_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(127));

	return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 23));
}

static inline vf vf_scale(vf x, vf t, vf n)
{
	return (vf){ _mm256_mul_ps(x.a, avx2_pow2(t.a)), _mm256_mul_ps(x.b, avx2_pow2(t.b)) };
}

static inline __m256 avx2_canonical(__m256 x)
{
	const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));

	return _mm256_blendv_ps(x, nan, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

static inline vf vf_canonical(vf x)
{
	return (vf){ avx2_canonical(x.a), avx2_canonical(x.b) };
}

static inline vf vf_canonical_result(vf x)
{
	return vf_canonical(x);
}

static inline float vf_tree_sum(vf x)
{
	__m256 s8 = _mm256_add_ps(x.a, x.b);
	__m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
	__m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));

	return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
}

static inline float vf_tree_max(vf x)
{
	__m256 s8 = _mm256_max_ps(x.a, x.b);
	__m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
	__m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));

	return _mm_cvtss_f32(_mm_max_ss(s2, _mm_movehdup_ps(s2)));
}

static inline vi vi_load(const int32_t *p)
{
	return (vi){ _mm256_loadu_si256((const __m256i *)p),
		     _mm256_loadu_si256((const __m256i *)(p + 8)) };
}

static inline void vi_store(int32_t *p, vi x)
{
	_mm256_storeu_si256((__m256i *)p, x.a);
	_mm256_storeu_si256((__m256i *)(p + 8), x.b);
}

static inline vi vi_add(vi x, vi y)
{
	return (vi){ _mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b) };
}

static inline vi vi_set1(int32_t x)
{
	return (vi){ _mm256_set1_epi32(x), _mm256_set1_epi32(x) };
}

static inline vi vi_max(vi x, vi y)
{
	return (vi){ _mm256_max_epi32(x.a, y.a), _mm256_max_epi32(x.b, y.b) };
}

static inline uint32_t vi_pick(int32_t *to, vi x, uint32_t bits)
{
	uint32_t count = (uint32_t)__builtin_popcount(bits);
	int32_t lane[LANES];

	vi_store(lane, x);
	for (; bits; bits &= bits - 1)
		*to++ = lane[__builtin_ctz(bits)];
	return count;
}

static inline int32_t vi_most(vi x)
{
	__m256i m8 = _mm256_max_epi32(x.a, x.b);
	__m128i m4 = _mm_max_epi32(_mm256_castsi256_si128(m8), _mm256_extracti128_si256(m8, 1));
	__m128i m2 = _mm_max_epi32(m4, _mm_unpackhi_epi64(m4, m4));

	return _mm_cvtsi128_si32(_mm_max_epi32(m2, _mm_shuffle_epi32(m2, 1)));
}

static inline vi vf_magnitude(vf x)
{
	vf m = vf_abs(x);

	return (vi){ _mm256_castps_si256(m.a), _mm256_castps_si256(m.b) };
}

static inline vf vi_to_vf(vi x)
{
	return (vf){ _mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b) };
}

static inline vf vf_low_halves(vi x)
{
	return (vf){ _mm256_castsi256_ps(_mm256_slli_epi32(x.a, 16)),
		     _mm256_castsi256_ps(_mm256_slli_epi32(x.b, 16)) };
}

static inline vf vf_high_halves(vi x)
{
	const __m256i high = _mm256_set1_epi32(-65536);

	return (vf){ _mm256_castsi256_ps(_mm256_and_si256(x.a, high)),
		     _mm256_castsi256_ps(_mm256_and_si256(x.b, high)) };
}

static inline vi vf_to_vi(vf x)
{
	return (vi){ _mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b) };
}

static inline vf vf_load_s8(const int8_t *p)
{
	__m128i x = _mm_loadu_si128((const __m128i *)p);

	return (vf){ _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x)),
		     _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(x, 8))) };
}

static inline __m128i avx2_to_s8(vf x)
{
	__m256i w = _mm256_packs_epi32(_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b));

	/* packing works on the halves of registers: lanes 0-3, 8-11, then 4-7, 12-15 */
	w = _mm256_permute4x64_epi64(w, 0xd8);
	return _mm_packs_epi16(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1));
}

static inline vf vf_load_bf16(const uint16_t *p)
{
	__m256i x = _mm256_loadu_si256((const __m256i *)p);
	__m256i a = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(x));
	__m256i b = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1));

	return (vf){ _mm256_castsi256_ps(_mm256_slli_epi32(a, 16)),
		     _mm256_castsi256_ps(_mm256_slli_epi32(b, 16)) };
}

static inline void vf_store_s8(int8_t *p, vf x)
{
	_mm_storeu_si128((__m128i *)p, avx2_to_s8(x));
}

static inline void vf_stream_s8(int8_t *p, vf x)
{
	_mm_stream_si128((__m128i *)p, avx2_to_s8(x));
}

static inline __m256 avx2_near_tie(__m256 x)
{
	__m256 rest = _mm256_sub_ps(x, _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT |
							  _MM_FROUND_NO_EXC));

	rest = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), rest);
	return _mm256_cmp_ps(rest, _mm256_set1_ps(NEAR_TIE), _CMP_GT_OQ);
}

static inline bool vf_near_tie(vf x)
{
	return _mm256_movemask_ps(_mm256_or_ps(avx2_near_tie(x.a), avx2_near_tie(x.b)));
}

static inline void vf_store_s16(int16_t *p, vf x)
{
	__m256i w = _mm256_packs_epi32(_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b));

	_mm256_storeu_si256((__m256i *)p, _mm256_permute4x64_epi64(w, 0xd8));
}

static inline vf vi_as_vf(vi x)
{
	return (vf){ _mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b) };
}

typedef struct {
	const struct quill_requant *channel;
	int64_t zero, lo, hi;
} vrequant;

static inline void vrequant_load(vrequant *q, const struct quill_requant *channel, int32_t zero,
				 int32_t lo, int32_t hi)
{
	*q = (vrequant){ channel, zero, lo, hi };
}

/* AVX2 has no arithmetic shift of 64 bits: shift what is made unsigned by adding 2^63. */
static inline __m256i avx2_sra64(__m256i x, __m256i shift)
{
	const __m256i top = _mm256_set1_epi64x(INT64_MIN);

	return _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(x, top), shift),
				_mm256_srlv_epi64(top, shift));
}

/* Four products, in the low halves of @acc and of @channel (mult | shift << 32). */
static inline __m256i avx2_requant4(__m256i acc, __m256i channel, const vrequant *q)
{
	const __m256i one = _mm256_set1_epi64x(1);
	__m256i lo = _mm256_set1_epi64x(q->lo), hi = _mm256_set1_epi64x(q->hi);
	__m256i shift = _mm256_srli_epi64(channel, 32);
	__m256i x = _mm256_mul_epi32(acc, channel);
	/* 2^(shift - 1) - 1 and the bit that will be the last; neither if there is no shift. */
	__m256i none = _mm256_cmpeq_epi64(shift, _mm256_setzero_si256());
	__m256i half = _mm256_srli_epi64(_mm256_sllv_epi64(one, shift), 1);
	__m256i last = _mm256_and_si256(_mm256_srlv_epi64(x, shift), one);
	__m256i round = _mm256_add_epi64(_mm256_sub_epi64(half, one), last);

	x = avx2_sra64(_mm256_add_epi64(x, _mm256_andnot_si256(none, round)), shift);
	x = _mm256_add_epi64(x, _mm256_set1_epi64x(q->zero));
	x = _mm256_blendv_epi8(x, lo, _mm256_cmpgt_epi64(lo, x));
	return _mm256_blendv_epi8(x, hi, _mm256_cmpgt_epi64(x, hi));
}

static inline void vrequant_row(int8_t *p, const int32_t *acc, const int32_t *bias, uint32_t n,
				const vrequant *q)
{
	const __m256i *channel = (const __m256i *)q->channel;
	uint32_t i, j;

	for (i = 0; i < n; i += 4) {
		__m128i sum = _mm_add_epi32(_mm_loadu_si128((const __m128i *)(acc + i)),
					    _mm_loadu_si128((const __m128i *)(bias + i)));
		int64_t x[4];

		_mm256_storeu_si256((__m256i *)x,
				    avx2_requant4(_mm256_cvtepi32_epi64(sum),
						  _mm256_loadu_si256(channel + i / 4), q));
		for (j = 0; j < 4 && i + j < n; j++)
			p[i + j] = (int8_t)x[j];
	}
}

#endif /* QUILL_LANES_AVX2_H */
