/* SPDX-License-Identifier: MIT */
/* Rows of int8 as a panel of B, for AVX-512: 16 rows of 64 bytes are a 16 x 16 matrix to transpose. */
#ifndef QUILL_PACK_AVX512_H
#define QUILL_PACK_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/* Rows pairwise, 4 bytes and then 8 at a time: x[4 i + j] is column 4 c + j of rows 4 i.. in quarter c. */
static inline void pack_quads(__m512i x[16])
{
	_Pragma("GCC unroll 4")
	for (int i = 0; i < 16; i += 4) {
		__m512i a = _mm512_unpacklo_epi32(x[i], x[i + 1]);
		__m512i b = _mm512_unpackhi_epi32(x[i], x[i + 1]);
		__m512i c = _mm512_unpacklo_epi32(x[i + 2], x[i + 3]);
		__m512i d = _mm512_unpackhi_epi32(x[i + 2], x[i + 3]);

		x[i] = _mm512_unpacklo_epi64(a, c);
		x[i + 1] = _mm512_unpackhi_epi64(a, c);
		x[i + 2] = _mm512_unpacklo_epi64(b, d);
		x[i + 3] = _mm512_unpackhi_epi64(b, d);
	}
}

/* Columns j, j + 4, j + 8, j + 12 of all 16 rows, from the quads; @groups columns exist. */
static inline void pack_columns(uint8_t *panel, const __m512i x[16], uint32_t j, uint32_t groups)
{
	__m512i lo02 = _mm512_shuffle_i32x4(x[j], x[4 + j], 0x88);
	__m512i lo13 = _mm512_shuffle_i32x4(x[j], x[4 + j], 0xdd);
	__m512i hi02 = _mm512_shuffle_i32x4(x[8 + j], x[12 + j], 0x88);
	__m512i hi13 = _mm512_shuffle_i32x4(x[8 + j], x[12 + j], 0xdd);
	uint32_t g;

	panel += j * QUILL_PANEL_GROUP;
	for (g = 0; g < groups; g += 4, panel += 4 * QUILL_PANEL_GROUP) {
		__m512i lo = g & 4 ? lo13 : lo02, hi = g & 4 ? hi13 : hi02;

		_mm512_storeu_si512(panel, g & 8 ? _mm512_shuffle_i32x4(lo, hi, 0xdd) :
						   _mm512_shuffle_i32x4(lo, hi, 0x88));
	}
}

/* Row j of @rows becomes column j; k is a multiple of 16. Columns from @rows on are any. */
static inline void micro_pack(uint8_t *panel, const int8_t *from, size_t stride, uint32_t rows,
			      uint32_t k)
{
	const __m512i flip = _mm512_set1_epi8(-128);
	uint32_t row, at, i, j;

	for (row = 0; row < rows; row += 16) {
		for (at = 0; at < k; at += 64) {
			uint32_t n = k - at < 64 ? k - at : 64;
			__mmask64 mask = ~0ull >> (64 - n);
			__m512i x[16];

			for (i = 0; i < 16; i++)
				x[i] = row + i < rows ? _mm512_xor_si512(flip, _mm512_maskz_loadu_epi8(
					mask, from + (row + i) * stride + at)) : flip;
			pack_quads(x);
			for (j = 0; j < 4; j++)
				pack_columns(panel + row * QUILL_PANEL_K +
					     at / QUILL_PANEL_K * QUILL_PANEL_GROUP, x, j,
					     n / QUILL_PANEL_K);
		}
	}
}

#endif /* QUILL_PACK_AVX512_H */
