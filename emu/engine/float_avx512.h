/* SPDX-License-Identifier: MIT */
/* 8-bit floats to bfloat16 for AVX-512: a table has all magnitudes. gemm_float_loops.h says what it computes. */
#ifndef QUILL_FLOAT_AVX512_H
#define QUILL_FLOAT_AVX512_H

#include "engine.h"
#include "lanes_avx512.h"
#include "narrow.h"

#define FLOAT_CELLS

/* 32 magnitudes a register */
struct float_cells {
	__m512i table[4];
};

static inline void float_cells_start(struct float_cells *c, uint32_t type)
{
	const struct narrow f = type == QUILL_TYPE_E4M3 ? NARROW_E4M3 : NARROW_E5M2;
	uint16_t table[128];
	uint32_t i;

	for (i = 0; i < 128; i++)
		table[i] = (uint16_t)(bits_of_float(widen(i, f)) >> 16);
	memcpy(c->table, table, sizeof(table));
}

/* Words whose low 7 bits are magnitudes, with the sign of those of @sign. A NaN's sign does not reach results. */
static inline __m512i float_cells_words(const struct float_cells *c, __m512i x, __m512i sign)
{
	__mmask32 high = _mm512_test_epi16_mask(x, _mm512_set1_epi16(0x40));
	__m512i y = _mm512_permutex2var_epi16(c->table[0], x, c->table[1]);
	__m512i z = _mm512_permutex2var_epi16(c->table[2], x, c->table[3]);

	/* y where there is no sign's bit */
	return _mm512_ternarylogic_epi32(_mm512_mask_mov_epi16(y, high, z), sign,
					 _mm512_set1_epi16((short)0x8000), 0xd8);
}

static inline void float_cells_widen(const struct float_cells *c, const uint8_t *b, vi *first, vi *last)
{
	__m512i x = _mm512_loadu_si512(b);
	__m512i even = float_cells_words(c, x, _mm512_slli_epi16(x, 8));
	__m512i odd = float_cells_words(c, _mm512_srli_epi16(x, 8), x);

	*first = _mm512_mask_blend_epi16(0xaaaaaaaa, even, _mm512_slli_epi32(odd, 16));
	*last = _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(even, 16), odd);
}

#endif /* QUILL_FLOAT_AVX512_H */
