/* SPDX-License-Identifier: MIT */
/*
 * Copies of some bytes, too few for a call: for AVX-512. copy_loops.h is the same in plain C, but that here up to 63 bytes
 * behind the copy are written, too.
 */
#ifndef QUILL_COPY_AVX512_H
#define QUILL_COPY_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

static inline void micro_copy(int8_t *to, const int8_t *from, size_t n)
{
	for (; n >= 64; n -= 64, to += 64, from += 64)
		_mm512_storeu_si512(to, _mm512_loadu_si512(from));
	if (n)
		_mm512_storeu_si512(to, _mm512_maskz_loadu_epi8((1ull << n) - 1, from));
}

#endif /* QUILL_COPY_AVX512_H */
