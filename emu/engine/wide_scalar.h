/* SPDX-License-Identifier: MIT */
/*
 * Attention's second product, plain C: a few rows of 16-bit weights times a panel of int8 values, exactly.
 *
 * A panel of values holds pairs of keys: for each pair, for each element of a head, the element of the first key and that
 * of the second, widened to 16 bits. So one multiply-add instruction of 16-bit pairs does two keys at a time.
 * wide_avx2.h and wide_avx512.h are the same functions.
 */
#ifndef QUILL_WIDE_SCALAR_H
#define QUILL_WIDE_SCALAR_H

#include <stddef.h>
#include <stdint.h>

/* Most rows of one call. */
#define WIDE_ROWS 4

/* The values of two keys, @dim elements of each, a multiple of 16; @b NULL: of one key and none. */
static inline void wide_pack_pair(int16_t *panel, const int8_t *a, const int8_t *b, uint32_t dim)
{
	uint32_t e;

	for (e = 0; e < dim; e++) {
		panel[2 * e] = a[e];
		panel[2 * e + 1] = b ? b[e] : 0;
	}
}

/*
 * sum[r * sum_stride + e] = sum over j < 2 * pairs of w[r * w_stride + j] * value e of key j: 64 elements from @panel
 * on, or @vectors times 16. |w| is at most 2^15 and there are at most 64 keys, so that nothing wraps.
 */
static inline void wide(uint32_t rows, uint32_t vectors, const int16_t *w, size_t w_stride,
			const int16_t *panel, size_t panel_stride, uint32_t pairs, int32_t *sum,
			size_t sum_stride)
{
	uint32_t r, p, e;

	for (r = 0; r < rows; r++, w += w_stride, sum += sum_stride) {
		memset(sum, 0, vectors * 16 * sizeof(*sum));
		for (p = 0; p < pairs; p++) {
			const int16_t *v = panel + p * panel_stride;

			for (e = 0; e < vectors * 16; e++)
				sum[e] += w[2 * p] * v[2 * e] + w[2 * p + 1] * v[2 * e + 1];
		}
	}
}

#endif /* QUILL_WIDE_SCALAR_H */
