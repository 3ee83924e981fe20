/* SPDX-License-Identifier: MIT */
/* The scores of one row with keys as they lie in memory, for AVX-512 VNNI: 16 keys, then the sums of all at once. */
#ifndef QUILL_DOTS_AVX512_H
#define QUILL_DOTS_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* dots_loops.h says what it computes. The sign bit of keys is flipped, as in packed B. */
static inline void dots_keys(const int8_t *q, int32_t sum, const int8_t *key, size_t stride, uint32_t n,
			     uint32_t dim, int32_t *dots)
{
	const __m512i flip = _mm512_set1_epi8(-128);
	__mmask64 last = dim % 64 ? (1ull << dim % 64) - 1 : ~0ull;
	uint32_t whole = (dim - 1) / 64, parts = whole + 1, i, j, c, m;
	__m512i row[QUILL_ATTENTION_MAX_HEAD_DIM / 64];
	__m512i lanes[16];

	for (c = 0; c < parts; c++)
		row[c] = _mm512_maskz_loadu_epi8(c < whole ? ~0ull : last, q + 64 * c);
	for (i = 0; i < n; i += 16) {
		m = n - i < 16 ? n - i : 16;
		for (j = 0; j < m; j++, key += stride) {
			__m512i x = _mm512_setzero_si512();

			for (c = 0; c < whole; c++)
				x = micro_dot(x, _mm512_xor_si512(flip, _mm512_loadu_si512(key + 64 * c)),
					      row[c]);
			lanes[j] = micro_dot(x, _mm512_xor_si512(flip, _mm512_maskz_loadu_epi8(
				last, key + 64 * whole)), row[whole]);
		}
		for (; j < 16; j++)
			lanes[j] = flip;
		_mm512_mask_storeu_epi32(dots + i, (__mmask16)((1u << m) - 1),
					 _mm512_sub_epi32(fold_add_rows(lanes),
							  _mm512_set1_epi32(128 * sum)));
	}
}

#endif /* QUILL_DOTS_AVX512_H */
