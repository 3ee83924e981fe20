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

/* Beside multiplications VRANGEPS is free: it runs where additions do. */
static inline vf vf_neg_within(vf x, vf limit)
{
	enum { least_magnitude = 2, negative = 3 << 2 };

	return _mm512_range_ps(x, limit, negative | least_magnitude);
}

/* Free likewise, which comparisons into a mask are not. */
static inline vf vf_select_negative(vf x, vf a, vf b)
{
	__m512i negative = _mm512_srai_epi32(_mm512_castps_si512(x), 31);

	/* bit by bit: negative ? a : b */
	return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(negative, _mm512_castps_si512(a),
							     _mm512_castps_si512(b), 0xca));
}

static inline vf vf_select_below(vf x, vf limit, vf a, vf b)
{
	return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ), a);
}

static inline uint32_t vf_equal_bits(vf x, vf y)
{
	return _mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ);
}

static inline uint32_t vf_above_bits(vf x, vf y)
{
	return _mm512_cmp_ps_mask(x, y, _CMP_GT_OQ);
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

static inline vf vf_range(vf x, int from, int to, vf other)
{
	return _mm512_mask_mov_ps(other, avx512_mask(to) & ~avx512_mask(from), x);
}

/* n is added to the exponent, of NaN 0: integers do not wait for multiplications, as VSCALEFPS does. */
static inline vf vf_scale(vf x, vf t, vf n)
{
	__m512i exponent = _mm512_slli_epi32(_mm512_cvtps_epi32(n), 23);

	return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), exponent));
}

static inline vf vf_canonical(vf x)
{
	const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000));

	return _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
}

/* The lesser of two: the other one if one is a quiet NaN, the first if both are. */
static inline vf vf_canonical_result(vf x)
{
	enum { least = 0, sign_as_is = 1 << 2 };
	const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000));

	return _mm512_range_ps(nan, x, sign_as_is | least);
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

static inline uint32_t vi_pick(int32_t *to, vi x, uint32_t bits)
{
	_mm512_storeu_si512(to, _mm512_maskz_compress_epi32((__mmask16)bits, x));
	return (uint32_t)__builtin_popcount(bits);
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

static inline vi vf_to_vi(vf x)
{
	return _mm512_cvtps_epi32(x);
}

static inline vf vf_load_s8(const int8_t *p)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

static inline vf vf_load_bf16(const uint16_t *p)
{
	__m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));

	return _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
}

static inline void vf_store_s8(int8_t *p, vf x)
{
	_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

static inline void vf_store_s16(int16_t *p, vf x)
{
	_mm256_storeu_si256((__m256i *)p, _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(x)));
}

static inline vf vi_as_vf(vi x)
{
	return _mm512_castsi512_ps(x);
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
 * Requantisation of a panel's channels. With r the exact product, float32 has float(x) * float(mult / 2^shift), which
 * is off by less than 2^-23 relatively. So r lies between the products with a scale that is three units in the last
 * place less, and with one that is as much more. fma(x, scale, 1.5 * 2^23 + zero) rounds each of these, plus the zero point, to a
 * whole number, in the low bits. Where both round alike r does too; in the few rows where they do not (and where r is a
 * tie, which the zero point might make round the wrong way) exact arithmetic decides.
 */
typedef struct {
	const struct quill_requant *channel;
	__m512 less[QUILL_PANEL_N / LANES], more[QUILL_PANEL_N / LANES];
	__m512 zero;
	__m512i lo, hi;
	/* the exact path's, before the zero point is added */
	int32_t exact_zero, exact_lo, exact_hi;
} vrequant;

#define AVX512_MAGIC	0x1.8p23f

/* mult / 2^shift in float32, its bits. */
static inline __m512i avx512_requant_scale(const struct quill_requant *channel)
{
	const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
					       28, 30);
	__m512i a = _mm512_loadu_si512(channel), b = _mm512_loadu_si512(channel + 8);
	__m512i mult = _mm512_permutex2var_epi32(a, even, b);
	__m512i shift = _mm512_permutex2var_epi32(_mm512_srli_epi64(a, 32), even,
						  _mm512_srli_epi64(b, 32));

	return _mm512_castps_si512(
		_mm512_scalef_ps(_mm512_cvtepi32_ps(mult),
				 _mm512_sub_ps(_mm512_setzero_ps(), _mm512_cvtepi32_ps(shift))));
}

static inline void vrequant_load(vrequant *q, const struct quill_requant *channel, int32_t zero,
				 int32_t lo, int32_t hi)
{
	const __m512i three = _mm512_set1_epi32(3);
	uint32_t i;

	q->channel = channel;
	for (i = 0; i < QUILL_PANEL_N / LANES; i++) {
		__m512i scale = avx512_requant_scale(channel + i * LANES);

		/* of a scale of 0, too: its products are 0 */
		q->less[i] = _mm512_castsi512_ps(_mm512_max_epi32(_mm512_sub_epi32(scale, three),
								  _mm512_setzero_si512()));
		q->more[i] = _mm512_castsi512_ps(_mm512_add_epi32(scale, three));
	}
	q->zero = _mm512_set1_ps(AVX512_MAGIC + (float)zero);
	q->lo = _mm512_set1_epi8((char)lo);
	q->hi = _mm512_set1_epi8((char)hi);
	q->exact_zero = zero;
	q->exact_lo = lo - zero;
	q->exact_hi = hi - zero;
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

static inline __m128i avx512_requant16(__m512i acc, const struct quill_requant *channel,
				       const vrequant *q)
{
	__m256i a = avx512_requant8(_mm512_castsi512_si256(acc), channel, q->exact_lo, q->exact_hi);
	__m256i b = avx512_requant8(_mm512_extracti64x4_epi64(acc, 1), channel + 8, q->exact_lo,
				    q->exact_hi);
	__m512i x = _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);

	return _mm512_cvtepi32_epi8(_mm512_add_epi32(x, _mm512_set1_epi32(q->exact_zero)));
}

static __attribute__((noinline, cold)) __m512i
avx512_requant_exactly(const int32_t *acc, const int32_t *bias, const vrequant *q)
{
	int8_t row[QUILL_PANEL_N];
	uint32_t i;

	for (i = 0; i < QUILL_PANEL_N; i += LANES)
		_mm_storeu_si128((__m128i *)(row + i),
				 avx512_requant16(vi_add(vi_load(acc + i), vi_load(bias + i)),
						  q->channel + i, q));
	return _mm512_loadu_si512(row);
}

/*
 * "In quarters" is an order of a panel's 64 channels: 16 q + 4 i + j is the place of channel 16 i + 4 q + j. It is
 * what packing within 128 bits makes of the usual order, and of which it makes that: a transposition, of fours.
 */
static inline __m512i avx512_transpose_fours(__m512i x)
{
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11,
						15);

	return _mm512_permutexvar_epi32(order, x);
}

/* Whole numbers in the low bits of floats, to bytes that saturate; their order changes. */
static inline __m512i avx512_requant_pack(const __m512i t[4])
{
	const __m512i magic = _mm512_castps_si512(_mm512_set1_ps(AVX512_MAGIC));
	/* what is far below, or negative, must not wrap */
	const __m512i least = _mm512_castps_si512(_mm512_set1_ps(0x1p23f));
	__m512i x[4];
	uint32_t i;

	_Pragma("GCC unroll 4")
	for (i = 0; i < 4; i++)
		x[i] = _mm512_sub_epi32(_mm512_max_epi32(t[i], least), magic);
	return _mm512_packs_epi16(_mm512_packs_epi32(x[0], x[1]), _mm512_packs_epi32(x[2], x[3]));
}

/* @quarters, a constant: sums, bias and channels are in quarters. */
static inline __attribute__((always_inline)) void
avx512_requant_row(int8_t *p, const int32_t *acc, const int32_t *bias, uint32_t n,
		   const vrequant *q, const bool quarters)
{
	__m512i less[4], differ = _mm512_setzero_si512(), bytes;
	uint32_t i;

	_Pragma("GCC unroll 4")
	for (i = 0; i < 4; i++) {
		__m512 x = _mm512_cvtepi32_ps(vi_add(vi_load(acc + i * LANES),
						     vi_load(bias + i * LANES)));
		__m512i more = _mm512_castps_si512(_mm512_fmadd_ps(x, q->more[i], q->zero));

		less[i] = _mm512_castps_si512(_mm512_fmadd_ps(x, q->less[i], q->zero));
		/* differ | less ^ more */
		differ = _mm512_ternarylogic_epi32(differ, less[i], more, 0xf6);
	}
	bytes = avx512_requant_pack(less);
	if (!quarters)
		bytes = avx512_transpose_fours(bytes);
	bytes = _mm512_min_epi8(_mm512_max_epi8(bytes, q->lo), q->hi);
	if (__builtin_expect(_mm512_test_epi32_mask(differ, differ), 0)) {
		bytes = avx512_requant_exactly(acc, bias, q);
		if (quarters)
			bytes = avx512_transpose_fours(bytes);
	}
	if (n == QUILL_PANEL_N)
		_mm512_storeu_si512(p, bytes);
	else
		_mm512_mask_storeu_epi8(p, (1ull << n) - 1, bytes);
}

/* A row of sums plus bias, requantised; the first @n of its 64 are stored. */
static inline void vrequant_row(int8_t *p, const int32_t *acc, const int32_t *bias, uint32_t n,
				const vrequant *q)
{
	avx512_requant_row(p, acc, bias, n, q, false);
}

#endif /* QUILL_LANES_AVX512_H */
