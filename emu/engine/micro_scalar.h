/* SPDX-License-Identifier: MIT */
/*
 * The micro-kernel, plain C: a few rows of A times a panel of packed B.
 *
 * acc[r][c] = sum over k of a[r][k] * (unsigned byte of B) - 128 * a_sum[r], modulo 2^32: bytes of B are
 * 128 too much. micro_avx2.h and micro_avx512.h are the same function.
 */
#ifndef QUILL_MICRO_SCALAR_H
#define QUILL_MICRO_SCALAR_H

#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/* Most rows of one call. */
#define MICRO_ROWS 4

static inline void micro_step(const int8_t *a, const uint8_t *b, uint32_t n, int32_t *acc)
{
	uint32_t c, j;

	for (c = 0; c < QUILL_PANEL_N; c++) {
		uint32_t sum = (uint32_t)acc[c];

		for (j = 0; j < n; j++)
			sum += (uint32_t)(a[j] * b[c * QUILL_PANEL_K + j]);
		acc[c] = (int32_t)sum;
	}
}

static inline void micro(uint32_t rows, const int8_t *a, size_t lda, const uint8_t *b, uint32_t k,
			 const int32_t *a_sum, int32_t (*acc)[QUILL_PANEL_N])
{
	uint32_t r, i;

	for (r = 0; r < rows; r++) {
		const int8_t *row = a + r * lda;

		for (i = 0; i < QUILL_PANEL_N; i++)
			acc[r][i] = -128 * a_sum[r];
		for (i = 0; i + QUILL_PANEL_K <= k; i += QUILL_PANEL_K)
			micro_step(row + i, b + i * QUILL_PANEL_N, QUILL_PANEL_K, acc[r]);
		if (i < k)
			micro_step(row + i, b + i * QUILL_PANEL_N, k - i, acc[r]);
	}
}

static inline int32_t micro_sum(const int8_t *a, uint32_t k)
{
	int32_t sum = 0;

	while (k--)
		sum += *a++;
	return sum;
}

/* Rows whose sums are made together. */
#define MICRO_SUMS 1

static inline void micro_sums(const int8_t *a, size_t lda, uint32_t k, int32_t *sums)
{
	sums[0] = micro_sum(a, k);
}

/* GEMM in floats: rows, and vectors of 16 columns, of its accumulators. */
#define FLOAT_ROWS 2
#define FLOAT_COLS 1

#endif /* QUILL_MICRO_SCALAR_H */
