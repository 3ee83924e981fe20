/* SPDX-License-Identifier: MIT */
/* Attention's second product for AVX-512 VNNI. wide_scalar.h says what it computes. */
#ifndef QUILL_WIDE_AVX512_H
#define QUILL_WIDE_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Six rows by 64 elements: 24 accumulators, as in micro_avx512.h. */
#define WIDE_ROWS 6

/* 16 elements of two keys, alternating. */
static inline void wide_pack_16(int16_t *panel, __m128i a, __m128i b)
{
	__m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi8(a, b)),
					       _mm_unpackhi_epi8(a, b), 1);

	_mm512_storeu_si512(panel, _mm512_cvtepi8_epi16(both));
}

/* 64 of them: interleaved within quarters, the quarters put in order, widened. */
static inline void wide_pack_64(int16_t *panel, __m512i a, __m512i b)
{
	const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
	const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
	__m512i low = _mm512_unpacklo_epi8(a, b), high = _mm512_unpackhi_epi8(a, b);
	__m512i x = _mm512_permutex2var_epi64(low, first, high);
	__m512i y = _mm512_permutex2var_epi64(low, second, high);

	_mm512_storeu_si512(panel, _mm512_cvtepi8_epi16(_mm512_castsi512_si256(x)));
	_mm512_storeu_si512(panel + 32, _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(x, 1)));
	_mm512_storeu_si512(panel + 64, _mm512_cvtepi8_epi16(_mm512_castsi512_si256(y)));
	_mm512_storeu_si512(panel + 96, _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(y, 1)));
}

static inline void wide_pack_pair(int16_t *panel, const int8_t *a, const int8_t *b, uint32_t dim)
{
	uint32_t e;

	for (e = 0; e + 64 <= dim; e += 64)
		wide_pack_64(panel + 2 * e, _mm512_loadu_si512(a + e),
			     b ? _mm512_loadu_si512(b + e) : _mm512_setzero_si512());
	for (; e < dim; e += 16)
		wide_pack_16(panel + 2 * e, _mm_loadu_si128((const __m128i *)(a + e)),
			     b ? _mm_loadu_si128((const __m128i *)(b + e)) : _mm_setzero_si128());
}

/* sum + pairs of 16-bit products; not the intrinsic, for the reason that micro_dot() gives. */
static inline __m512i wide_dot(__m512i sum, __m512i v, __m512i w)
{
	__asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(v), "v"(w));
	return sum;
}

/* @rows and @vectors are constants wherever this is expanded, so that the sums live in registers. */
static inline __attribute__((always_inline)) void
wide_rows(const uint32_t rows, const uint32_t vectors, const int16_t *w, size_t w_stride,
	  const int16_t *panel, size_t panel_stride, uint32_t pairs, int32_t *sum, size_t sum_stride)
{
	__m512i acc[WIDE_ROWS][4];
	uint32_t p;

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < vectors; c++)
			acc[r][c] = _mm512_setzero_si512();
	for (p = 0; p < pairs; p++, panel += panel_stride) {
		__m512i v[4];

		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < vectors; c++)
			v[c] = _mm512_loadu_si512(panel + 32 * c);
		_Pragma("GCC unroll 8")
		for (uint32_t r = 0; r < rows; r++) {
			int32_t both;

			memcpy(&both, w + r * w_stride + 2 * p, sizeof(both));
			_Pragma("GCC unroll 4")
			for (uint32_t c = 0; c < vectors; c++)
				acc[r][c] = wide_dot(acc[r][c], v[c], _mm512_set1_epi32(both));
		}
	}
	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < vectors; c++)
			_mm512_storeu_si512(sum + r * sum_stride + 16 * c, acc[r][c]);
}

static inline void wide(uint32_t rows, uint32_t vectors, const int16_t *w, size_t w_stride,
			const int16_t *panel, size_t panel_stride, uint32_t pairs, int32_t *sum,
			size_t sum_stride)
{
#define WIDE(r, v) wide_rows(r, v, w, w_stride, panel, panel_stride, pairs, sum, sum_stride)
	/* what is narrower than 64 is rare: row by row */
	if (vectors < 4) {
		for (; rows; rows--, w += w_stride, sum += sum_stride) {
			switch (vectors) {
			case 1: WIDE(1, 1); break;
			case 2: WIDE(1, 2); break;
			case 3: WIDE(1, 3); break;
			}
		}
		return;
	}
	switch (rows) {
	case 1: return WIDE(1, 4);
	case 2: return WIDE(2, 4);
	case 3: return WIDE(3, 4);
	case 4: return WIDE(4, 4);
	case 5: return WIDE(5, 4);
	case 6: return WIDE(6, 4);
	}
#undef WIDE
}

#endif /* QUILL_WIDE_AVX512_H */
