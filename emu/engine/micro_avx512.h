/* SPDX-License-Identifier: MIT */
/*
 * The micro-kernel for AVX-512 VNNI. micro_scalar.h says what it computes.
 *
 * Six rows by 64 columns: 24 accumulators (vpdpbusd takes 4 cycles, two pipes at most: 8 would
 * do), 4 registers of B, and A comes as 4 broadcast bytes. A step of 4 k is 24 vpdpbusd
 * to 10 loads, so the multipliers are the limit. B is read in one sequence: the processor's own prefetchers reach 98 GB/s
 * from its last cache and 33 from memory, with prefetch instructions it was 76 and 30 (Zen 4, one row).
 */
#ifndef QUILL_MICRO_AVX512_H
#define QUILL_MICRO_AVX512_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "quill/isa.h"

#define MICRO_ROWS 6
#define MICRO_COLS (QUILL_PANEL_N / 16)

static inline int32_t micro_load4(const int8_t *p)
{
	int32_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* The last 1..3 bytes of a row, zeros behind: nothing beyond the row is read. */
static inline int32_t micro_load_tail(const int8_t *p, uint32_t n)
{
	uint32_t x = 0;

	while (n--)
		x = x << 8 | (uint8_t)p[n];
	return (int32_t)x;
}

/*
 * sum + unsigned bytes of b times signed bytes of a. Not the intrinsic: with 24 of them in a loop GCC 12 may
 * copy and spill accumulators, depending on what stands around it, which halves the speed.
 */
static inline __m512i micro_dot(__m512i sum, __m512i b, __m512i a)
{
	__asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(b), "v"(a));
	return sum;
}

#define MICRO_STEP(load)								\
	do {										\
		__m512i bb[MICRO_COLS];							\
											\
		_Pragma("GCC unroll 4")							\
		for (uint32_t c = 0; c < MICRO_COLS; c++)				\
			bb[c] = _mm512_loadu_si512(b + 64 * c);				\
		_Pragma("GCC unroll 8")							\
		for (uint32_t r = 0; r < rows; r++) {					\
			__m512i aa = _mm512_set1_epi32(load);				\
											\
			_Pragma("GCC unroll 4")						\
			for (uint32_t c = 0; c < MICRO_COLS; c++)			\
				sum[r][c] = micro_dot(sum[r][c], bb[c], aa);		\
		}									\
	} while (0)

/* @rows is a constant wherever this is expanded, so that @sum lives in registers. */
static inline __attribute__((always_inline)) void
micro_rows(const uint32_t rows, const int8_t *a, size_t lda, const uint8_t *b, uint32_t k,
	   const int32_t *a_sum, int32_t (*acc)[QUILL_PANEL_N])
{
	__m512i sum[MICRO_ROWS][MICRO_COLS];
	uint32_t i;

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < MICRO_COLS; c++)
			sum[r][c] = _mm512_set1_epi32(-128 * a_sum[r]);

	for (i = 0; i + QUILL_PANEL_K <= k; i += QUILL_PANEL_K) {
		MICRO_STEP(micro_load4(a + r * lda));
		a += QUILL_PANEL_K;
		b += QUILL_PANEL_GROUP;
	}
	if (i < k)
		MICRO_STEP(micro_load_tail(a + r * lda, k - i));

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < MICRO_COLS; c++)
			_mm512_storeu_si512(&acc[r][16 * c], sum[r][c]);
}

#undef MICRO_STEP

static inline void micro(uint32_t rows, const int8_t *a, size_t lda, const uint8_t *b, uint32_t k,
			 const int32_t *a_sum, int32_t (*acc)[QUILL_PANEL_N])
{
	switch (rows) {
	case 1: return micro_rows(1, a, lda, b, k, a_sum, acc);
	case 2: return micro_rows(2, a, lda, b, k, a_sum, acc);
	case 3: return micro_rows(3, a, lda, b, k, a_sum, acc);
	case 4: return micro_rows(4, a, lda, b, k, a_sum, acc);
	case 5: return micro_rows(5, a, lda, b, k, a_sum, acc);
	case 6: return micro_rows(6, a, lda, b, k, a_sum, acc);
	}
}

/* 1 times each byte. */
static inline int32_t micro_sum(const int8_t *a, uint32_t k)
{
	const __m512i one = _mm512_set1_epi8(1);
	__m512i even = _mm512_setzero_si512(), odd = even;

	for (; k >= 128; k -= 128, a += 128) {
		even = micro_dot(even, one, _mm512_loadu_si512(a));
		odd = micro_dot(odd, one, _mm512_loadu_si512(a + 64));
	}
	if (k >= 64) {
		even = micro_dot(even, one, _mm512_loadu_si512(a));
		k -= 64;
		a += 64;
	}
	odd = micro_dot(odd, one, _mm512_maskz_loadu_epi8((1ull << k) - 1, a));
	return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

/* Rows whose sums are made together: what is across a register is added up for all of them at once. */
#define MICRO_SUMS 4

static inline void micro_sums(const int8_t *a, size_t lda, uint32_t k, int32_t *sums)
{
	const __m512i one = _mm512_set1_epi8(1);
	__m512i s[MICRO_SUMS], ab, cd;
	__m256i half;
	uint32_t i, r;

	for (r = 0; r < MICRO_SUMS; r++)
		s[r] = _mm512_setzero_si512();
	for (i = 0; i + 64 <= k; i += 64)
		for (r = 0; r < MICRO_SUMS; r++)
			s[r] = micro_dot(s[r], one, _mm512_loadu_si512(a + r * lda + i));
	for (r = 0; i < k && r < MICRO_SUMS; r++)
		s[r] = micro_dot(s[r], one, _mm512_maskz_loadu_epi8((1ull << (k - i)) - 1,
								    a + r * lda + i));
	ab = _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
	cd = _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));
	ab = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
	half = _mm256_add_epi32(_mm512_castsi512_si256(ab), _mm512_extracti64x4_epi64(ab, 1));
	_mm_storeu_si128((__m128i *)sums, _mm_add_epi32(_mm256_castsi256_si128(half),
							_mm256_extracti128_si256(half, 1)));
}

/* GEMM in floats: rows, and vectors of 16 columns, of its accumulators. */
#define FLOAT_ROWS 6
#define FLOAT_COLS 4

#endif /* QUILL_MICRO_AVX512_H */
