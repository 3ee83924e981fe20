/* SPDX-License-Identifier: MIT */
/*
 * The scores of one row with keys as they lie in memory: for so few rows that packing the keys is dearer than using
 * them. Plain C; dots_avx512.h is the same for AVX-512.
 */
#ifndef QUILL_DOTS_LOOPS_H
#define QUILL_DOTS_LOOPS_H

#include <stddef.h>
#include <stdint.h>

/* dots[j] = sum over e of q[e] * key j[e] for j below @n; @sum is that of q. @dim is a multiple of 16. */
static inline void dots_keys(const int8_t *q, int32_t sum, const int8_t *key, size_t stride, uint32_t n,
			     uint32_t dim, int32_t *dots)
{
	uint32_t j, e;

	for (j = 0; j < n; j++, key += stride) {
		dots[j] = 0;
		for (e = 0; e < dim; e++)
			dots[j] += q[e] * key[e];
	}
}

#endif /* QUILL_DOTS_LOOPS_H */
