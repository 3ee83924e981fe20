/* SPDX-License-Identifier: MIT */
/* Sixteen lanes as one AVX-512 register. lanes_scalar.h says what each function is. */
#ifndef QUILL_LANES_AVX512_H
#define QUILL_LANES_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "quill/isa.h"

#define LANES 16
#define NEAR_TIE (0.5f - 0x1p-14f)

typedef __m512 vf;
typedef __m512i vi;

static inline vf vf_load(const float *p)
{
	return _mm512_loadu_ps(p);
}

static inline void vf_store(float *p, vf x)
{
	_mm512_storeu_ps(p, x);
}

static inline void vf_stream(float *p, vf x)
{
	_mm512_stream_ps(p, x);
}

static inline void vf_stream_end(void)
{
	_mm_sfence();
}

static inline __mmask16 avx512_mask(int n)
{
	return n <= 0 ? 0 : n >= LANES ? 0xffff : (1u << n) - 1;
}

static inline vf vf_load_first(const float *p, int n)
{
	return _mm512_maskz_loadu_ps(avx512_mask(n), p);
}

static inline void vf_store_first(float *p, vf x, int n)
{
	_mm512_mask_storeu_ps(p, avx512_mask(n), x);
}

static inline vf vf_set1(float x)
{
	return _mm512_set1_ps(x);
}

static inline vf vf_add(vf x, vf y)
{
	return _mm512_add_ps(x, y);
}

static inline vf vf_sub(vf x, vf y)
{
	return _mm512_sub_ps(x, y);
}

static inline vf vf_mul(vf x, vf y)
{
	return _mm512_mul_ps(x, y);
}

static inline vf vf_div(vf x, vf y)
{
	return _mm512_div_ps(x, y);
}

static inline vf vf_fma(vf x, vf y, vf z)
{
	return _mm512_fmadd_ps(x, y, z);
}

/* VMAXPS is x > y ? x : y, NaN and zeros included. */
static inline vf vf_max(vf x, vf y)
{
	return _mm512_max_ps(x, y);
}

/* VMINPS is x < y ? x : y. */
static inline vf vf_min(vf x, vf y)
{
	return _mm512_min_ps(x, y);
}

static inline vf vf_neg(vf x)
{
	return _mm512_xor_ps(x, _mm512_set1_ps(-0.0f));
}

static inline vf vf_abs(vf x)
{
	return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), x);
}

static inline vf vf_copysign(vf x, vf s)
{
	const __m512i sign = _mm512_set1_epi32(INT32_MIN);

	/* bit by bit: sign ? s : x */
	return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(sign, _mm512_castps_si512(s),
							     _mm512_castps_si512(x), 0xca));
}

static inline vf vf_select_below(vf x, vf limit, vf a, vf b)
{
	return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ), a);
}

static inline uint32_t vf_equal_bits(vf x, vf y)
{
	return _mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ);
}

static inline vf vf_pair_first(vf x)
{
	return _mm512_moveldup_ps(x);
}

static inline vf vf_pair_second(vf x)
{
	return _mm512_movehdup_ps(x);
}

static inline vf vf_pair_swap(vf x)
{
	return _mm512_permute_ps(x, 0xb1);
}

static inline vf vf_pair_neg_first(vf x)
{
	return _mm512_xor_ps(x, _mm512_castsi512_ps(_mm512_set1_epi64(0x80000000)));
}

static inline vf vf_evens(vf x, vf y)
{
	const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
					       28, 30);

	return _mm512_permutex2var_ps(x, even, y);
}

static inline vf vf_odds(vf x, vf y)
{
	const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27,
					      29, 31);

	return _mm512_permutex2var_ps(x, odd, y);
}

static inline vf vf_zero_below(vf r, vf x, vf limit)
{
	return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLT_UQ), r);
}

static inline vf vf_first(vf x, int n, vf other)
{
	return _mm512_mask_mov_ps(other, avx512_mask(n), x);
}

static inline vf vf_scale(vf x, vf t, vf n)
{
	return _mm512_scalef_ps(x, n);
}

static inline vf vf_canonical(vf x)
{
	const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000));

	return _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
}

static inline float vf_tree_sum(vf x)
{
	__m256 s8 = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
	__m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
	__m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));

	return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
}

static inline float vf_tree_max(vf x)
{
	__m256 s8 = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
	__m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
	__m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));

	return _mm_cvtss_f32(_mm_max_ss(s2, _mm_movehdup_ps(s2)));
}

static inline vi vi_load(const int32_t *p)
{
	return _mm512_loadu_si512(p);
}

static inline void vi_store(int32_t *p, vi x)
{
	_mm512_storeu_si512(p, x);
}

static inline vi vi_add(vi x, vi y)
{
	return _mm512_add_epi32(x, y);
}

static inline vi vi_set1(int32_t x)
{
	return _mm512_set1_epi32(x);
}

static inline vi vi_max(vi x, vi y)
{
	return _mm512_max_epi32(x, y);
}

static inline int32_t vi_most(vi x)
{
	return _mm512_reduce_max_epi32(x);
}

static inline vi vf_magnitude(vf x)
{
	return _mm512_castps_si512(vf_abs(x));
}

static inline vf vi_to_vf(vi x)
{
	return _mm512_cvtepi32_ps(x);
}

static inline vf vf_low_halves(vi x)
{
	return _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
}

static inline vf vf_high_halves(vi x)
{
	return _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32(-65536)));
}

static inline vf vf_load_s8(const int8_t *p)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

static inline void vf_store_s8(int8_t *p, vf x)
{
	_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

static inline void vf_stream_s8(int8_t *p, vf x)
{
	_mm_stream_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

static inline bool vf_near_tie(vf x)
{
	enum { nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
	__m512 rest = _mm512_abs_ps(_mm512_reduce_ps(x, nearest));

	return _mm512_cmp_ps_mask(rest, _mm512_set1_ps(NEAR_TIE), _CMP_GT_OQ);
}

/*
 * Requantisation of 16 channels. float32 guesses: y = float(x) * float(mult / 2^shift) is wrong by less than
 * 3 * 2^-24 relatively, so for |y| up to 512 by less than 2^-13. Limits are whole numbers below 512,
 * so limiting before rounding changes nothing. Then the guess rounds as the exact number does, unless it is
 * within 2^-13 of a tie; in those few cases (and in each that is one) exact arithmetic decides.
 */
typedef struct {
	const struct quill_requant *channel;
	__m512 scale, lo, hi;
	__m512i zero;
	int32_t exact_lo, exact_hi;
} vrequant;

#define AVX512_NEAR_TIE (0.5f - 0x1p-12f)

static inline vrequant vrequant_load(const struct quill_requant *channel, int32_t zero,
				     int32_t lo, int32_t hi)
{
	const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
					       28, 30);
	__m512i a = _mm512_loadu_si512(channel), b = _mm512_loadu_si512(channel + 8);
	__m512i mult = _mm512_permutex2var_epi32(a, even, b);
	__m512i shift = _mm512_permutex2var_epi32(_mm512_srli_epi64(a, 32), even,
						  _mm512_srli_epi64(b, 32));

	return (vrequant){
		.channel = channel,
		.scale = _mm512_scalef_ps(_mm512_cvtepi32_ps(mult),
					  _mm512_sub_ps(_mm512_setzero_ps(),
							_mm512_cvtepi32_ps(shift))),
		.lo = _mm512_set1_ps((float)(lo - zero)),
		.hi = _mm512_set1_ps((float)(hi - zero)),
		.zero = _mm512_set1_epi32(zero),
		.exact_lo = lo - zero,
		.exact_hi = hi - zero,
	};
}

/* Eight channels, exactly: one rounding, half to even, then limits; the zero point is added later. */
static inline __m256i avx512_requant8(__m256i acc, const struct quill_requant *channel,
				      int32_t lo, int32_t hi)
{
	const __m512i one = _mm512_set1_epi64(1);
	__m512i both = _mm512_loadu_si512(channel);
	__m512i shift = _mm512_srli_epi64(both, 32);
	__mmask8 some = _mm512_test_epi64_mask(shift, shift);
	__m512i half = _mm512_srli_epi64(_mm512_sllv_epi64(one, shift), 1);
	/* the multiplication looks at the low halves alone: at mult */
	__m512i x = _mm512_mul_epi32(_mm512_cvtepi32_epi64(acc), both);
	__m512i last = _mm512_and_si512(_mm512_srlv_epi64(x, shift), one);
	__m512i round = _mm512_add_epi64(_mm512_sub_epi64(half, one), last);

	x = _mm512_srav_epi64(_mm512_mask_add_epi64(x, some, x, round), shift);
	x = _mm512_max_epi64(x, _mm512_set1_epi64(lo));
	x = _mm512_min_epi64(x, _mm512_set1_epi64(hi));
	return _mm512_cvtepi64_epi32(x);
}

static __attribute__((noinline, cold)) __m512i
avx512_requant_exactly(__m512i acc, const struct quill_requant *channel, int32_t lo, int32_t hi)
{
	__m256i a = avx512_requant8(_mm512_castsi512_si256(acc), channel, lo, hi);
	__m256i b = avx512_requant8(_mm512_extracti64x4_epi64(acc, 1), channel + 8, lo, hi);

	return _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
}

static inline void vrequant_store(int8_t *p, vi acc, vrequant q)
{
	enum { nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
	__m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), q.scale);
	__m512 rest;
	__m512i x;

	y = _mm512_min_ps(_mm512_max_ps(y, q.lo), q.hi);
	x = _mm512_cvt_roundps_epi32(y, nearest);
	rest = _mm512_abs_ps(_mm512_reduce_ps(y, nearest));
	if (_mm512_cmp_ps_mask(rest, _mm512_set1_ps(AVX512_NEAR_TIE), _CMP_GT_OQ))
		x = avx512_requant_exactly(acc, q.channel, q.exact_lo, q.exact_hi);
	_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_add_epi32(x, q.zero)));
}

#endif /* QUILL_LANES_AVX512_H */
