/* SPDX-License-Identifier: MIT */
/* Attention's second product for AVX2. wide_scalar.h says what it computes. */
#ifndef QUILL_WIDE_AVX2_H
#define QUILL_WIDE_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Four rows by 16 elements: 8 accumulators and 2 registers of values, in 16. */
#define WIDE_ROWS 4

static inline void wide_pack_pair(int16_t *panel, const int8_t *a, const int8_t *b, uint32_t dim)
{
	uint32_t e;

	for (e = 0; e < dim; e += 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(a + e)), y = _mm_setzero_si128();
		__m256i *to = (__m256i *)(panel + 2 * e);

		if (b)
			y = _mm_loadu_si128((const __m128i *)(b + e));
		_mm256_storeu_si256(to, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(x, y)));
		_mm256_storeu_si256(to + 1, _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(x, y)));
	}
}

/* @rows is a constant wherever this is expanded. */
static inline __attribute__((always_inline)) void
wide_rows(const uint32_t rows, const int16_t *w, size_t w_stride, const int16_t *panel,
	  size_t panel_stride, uint32_t pairs, int32_t *sum, size_t sum_stride)
{
	__m256i acc[WIDE_ROWS][2];
	uint32_t p;

	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < rows; r++)
		acc[r][0] = acc[r][1] = _mm256_setzero_si256();
	for (p = 0; p < pairs; p++, panel += panel_stride) {
		__m256i v0 = _mm256_loadu_si256((const __m256i *)panel);
		__m256i v1 = _mm256_loadu_si256((const __m256i *)(panel + 16));

		_Pragma("GCC unroll 4")
		for (uint32_t r = 0; r < rows; r++) {
			int32_t both;
			__m256i x;

			memcpy(&both, w + r * w_stride + 2 * p, sizeof(both));
			x = _mm256_set1_epi32(both);
			acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(v0, x));
			acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(v1, x));
		}
	}
	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < rows; r++) {
		_mm256_storeu_si256((__m256i *)(sum + r * sum_stride), acc[r][0]);
		_mm256_storeu_si256((__m256i *)(sum + r * sum_stride + 8), acc[r][1]);
	}
}

static inline void wide(uint32_t rows, uint32_t vectors, const int16_t *w, size_t w_stride,
			const int16_t *panel, size_t panel_stride, uint32_t pairs, int32_t *sum,
			size_t sum_stride)
{
#define WIDE(r) wide_rows(r, w, w_stride, panel, panel_stride, pairs, sum, sum_stride); break
	for (; vectors; vectors--, panel += 32, sum += 16) {
		switch (rows) {
		case 1: WIDE(1);
		case 2: WIDE(2);
		case 3: WIDE(3);
		case 4: WIDE(4);
		}
	}
#undef WIDE
}

#endif /* QUILL_WIDE_AVX2_H */
