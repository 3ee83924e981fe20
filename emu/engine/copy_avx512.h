/* SPDX-License-Identifier: MIT */
/* Copies of some bytes, too few for a call: for AVX-512. copy_loops.h is the same in plain C. */
#ifndef QUILL_COPY_AVX512_H
#define QUILL_COPY_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

static inline void micro_copy(int8_t *to, const int8_t *from, size_t n)
{
	for (; n >= 64; n -= 64, to += 64, from += 64)
		_mm512_storeu_si512(to, _mm512_loadu_si512(from));
	if (n) {
		__mmask64 mask = ~0ull >> (64 - n);

		_mm512_mask_storeu_epi8(to, mask, _mm512_maskz_loadu_epi8(mask, from));
	}
}

#endif /* QUILL_COPY_AVX512_H */
