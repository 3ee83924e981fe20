/* SPDX-License-Identifier: MIT */
/*
 * The micro-kernel for AVX2. micro_scalar.h says what it computes.
 *
 * vpmaddubsw would saturate (255 * 127 * 2 > 32767). So bytes are widened: in each 32-bit lane,
 * which is 4 k of one column, the even bytes are masked out and the odd ones shifted down,
 * which makes two pairs of 16 bits for vpmaddwd: 255 * 128 * 2 is far from 2^31. A is split likewise
 * once per call and block of K, into pairs (k, k + 2) and (k + 1, k + 3).
 */
#ifndef QUILL_MICRO_AVX2_H
#define QUILL_MICRO_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "quill/isa.h"

/* Four rows by 16 columns: 8 accumulators, 2 registers of B, in 16. */
#define MICRO_ROWS 4
#define MICRO_COLS 16
/* K is cut so that the split rows of A stay in the first-level cache. */
#define MICRO_GROUPS 128

struct micro_split {
	/* [group][row]: two 16-bit values each */
	int32_t even[MICRO_GROUPS][MICRO_ROWS];
	int32_t odd[MICRO_GROUPS][MICRO_ROWS];
};

static inline int32_t micro_pair(int8_t lo, int8_t hi)
{
	return (int32_t)((uint32_t)(uint16_t)lo | (uint32_t)(uint16_t)hi << 16);
}

static inline void micro_split_rows(struct micro_split *s, uint32_t rows, const int8_t *a,
				    size_t lda, uint32_t k)
{
	uint32_t r, g;

	for (r = 0; r < rows; r++, a += lda) {
		for (g = 0; (g + 1) * QUILL_PANEL_K <= k; g++) {
			s->even[g][r] = micro_pair(a[4 * g], a[4 * g + 2]);
			s->odd[g][r] = micro_pair(a[4 * g + 1], a[4 * g + 3]);
		}
		if (k % QUILL_PANEL_K) {
			int8_t last[QUILL_PANEL_K] = { 0 };

			memcpy(last, a + 4 * g, k % QUILL_PANEL_K);
			s->even[g][r] = micro_pair(last[0], last[2]);
			s->odd[g][r] = micro_pair(last[1], last[3]);
		}
	}
}

/* @rows is a constant wherever this is expanded, so that @sum lives in registers. */
static inline __attribute__((always_inline)) void
micro_columns(const uint32_t rows, const struct micro_split *s, uint32_t groups, const uint8_t *b,
	      int32_t (*acc)[QUILL_PANEL_N])
{
	const __m256i low = _mm256_set1_epi16(0xff);
	__m256i sum[MICRO_ROWS][2];
	uint32_t g;

	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < rows; r++) {
		sum[r][0] = _mm256_loadu_si256((const __m256i *)&acc[r][0]);
		sum[r][1] = _mm256_loadu_si256((const __m256i *)&acc[r][8]);
	}
	for (g = 0; g < groups; g++, b += QUILL_PANEL_GROUP) {
		__m256i b0 = _mm256_loadu_si256((const __m256i *)b);
		__m256i b1 = _mm256_loadu_si256((const __m256i *)(b + 32));
		__m256i e0 = _mm256_and_si256(b0, low), e1 = _mm256_and_si256(b1, low);
		__m256i o0 = _mm256_srli_epi16(b0, 8), o1 = _mm256_srli_epi16(b1, 8);

		_Pragma("GCC unroll 4")
		for (uint32_t r = 0; r < rows; r++) {
			__m256i e = _mm256_set1_epi32(s->even[g][r]);
			__m256i o = _mm256_set1_epi32(s->odd[g][r]);

			sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(e0, e));
			sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(e1, e));
			sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(o0, o));
			sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(o1, o));
		}
	}
	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < rows; r++) {
		_mm256_storeu_si256((__m256i *)&acc[r][0], sum[r][0]);
		_mm256_storeu_si256((__m256i *)&acc[r][8], sum[r][1]);
	}
}

static inline void micro_block(uint32_t rows, const struct micro_split *s, uint32_t groups,
			       const uint8_t *b, int32_t (*acc)[QUILL_PANEL_N])
{
	switch (rows) {
	case 1: return micro_columns(1, s, groups, b, acc);
	case 2: return micro_columns(2, s, groups, b, acc);
	case 3: return micro_columns(3, s, groups, b, acc);
	case 4: return micro_columns(4, s, groups, b, acc);
	}
}

static inline void micro(uint32_t rows, const int8_t *a, size_t lda, const uint8_t *b, uint32_t k,
			 const int32_t *a_sum, int32_t (*acc)[QUILL_PANEL_N])
{
	const uint32_t block = MICRO_GROUPS * QUILL_PANEL_K;
	struct micro_split s;
	uint32_t at, n, c, r;

	for (r = 0; r < rows; r++)
		for (c = 0; c < QUILL_PANEL_N; c++)
			acc[r][c] = -128 * a_sum[r];
	for (at = 0; at < k; at += block) {
		n = k - at < block ? k - at : block;
		micro_split_rows(&s, rows, a + at, lda, n);
		for (c = 0; c < QUILL_PANEL_N; c += MICRO_COLS)
			micro_block(rows, &s, (n + QUILL_PANEL_K - 1) / QUILL_PANEL_K,
				    b + (size_t)at * QUILL_PANEL_N + c * QUILL_PANEL_K,
				    (int32_t (*)[QUILL_PANEL_N])&acc[0][c]);
	}
}

/* Left to the compiler, which has the instruction set. */
static inline int32_t micro_sum(const int8_t *a, uint32_t k)
{
	int32_t sum = 0;
	uint32_t i;

	for (i = 0; i < k; i++)
		sum += a[i];
	return sum;
}

/* Rows whose sums are made together. */
#define MICRO_SUMS 1

static inline void micro_sums(const int8_t *a, size_t lda, uint32_t k, int32_t *sums)
{
	sums[0] = micro_sum(a, k);
}

/* GEMM in floats: rows, and vectors of 16 columns, of its accumulators. */
#define FLOAT_ROWS 4
#define FLOAT_COLS 1

#endif /* QUILL_MICRO_AVX2_H */
