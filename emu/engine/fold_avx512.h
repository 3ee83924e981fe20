/* SPDX-License-Identifier: MIT */
/*
 * The trees of 16 rows, for AVX-512: while a tree halves the lanes of a row, rows move together, so that every step
 * works on full registers. The lower half of a row is always the first operand, as in the tree.
 */
#ifndef QUILL_FOLD_AVX512_H
#define QUILL_FOLD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

/* Where row 0, 1, ... is after the four steps. */
#define FOLD_ORDER _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15)

#define FOLD(name, type, cast, back, op)							\
	static inline type name(const void *from)						\
	{											\
		const __m512 *row = from;							\
		__m512 a[8], b[4], c[2], d;							\
												\
		_Pragma("GCC unroll 8")								\
		for (int r = 0; r < 8; r++) {							\
			__m512 x = _mm512_loadu_ps(row + r), y = _mm512_loadu_ps(row + r + 8);	\
												\
			a[r] = back(op(cast(_mm512_shuffle_f32x4(x, y, 0x44)),			\
				       cast(_mm512_shuffle_f32x4(x, y, 0xee))));		\
		}										\
		_Pragma("GCC unroll 4")								\
		for (int r = 0; r < 4; r++)							\
			b[r] = back(op(cast(_mm512_shuffle_f32x4(a[r], a[r + 4], 0x88)),	\
				       cast(_mm512_shuffle_f32x4(a[r], a[r + 4], 0xdd))));	\
		_Pragma("GCC unroll 2")								\
		for (int r = 0; r < 2; r++) {							\
			__m512d x = _mm512_castps_pd(b[r]), y = _mm512_castps_pd(b[r + 2]);	\
												\
			c[r] = back(op(cast(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y))),	\
				       cast(_mm512_castpd_ps(_mm512_unpackhi_pd(x, y)))));	\
		}										\
		d = back(op(cast(_mm512_shuffle_ps(c[0], c[1], 0x88)),				\
			    cast(_mm512_shuffle_ps(c[0], c[1], 0xdd))));			\
		return cast(_mm512_permutexvar_ps(FOLD_ORDER, d));				\
	}

#define FOLD_SAME(x) (x)

FOLD(fold_max_rows, __m512, FOLD_SAME, FOLD_SAME, _mm512_max_ps)
FOLD(fold_sum_rows, __m512, FOLD_SAME, FOLD_SAME, _mm512_add_ps)
FOLD(fold_most_rows, __m512i, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_max_epi32)
FOLD(fold_add_rows, __m512i, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_add_epi32)

#undef FOLD_SAME
#undef FOLD

static inline vf fold_max(const float (*x)[LANES])
{
	return fold_max_rows(x);
}

static inline vf fold_sum(const float (*x)[LANES])
{
	return fold_sum_rows(x);
}

static inline vi fold_most(const int32_t (*x)[LANES])
{
	return fold_most_rows(x);
}

#endif /* QUILL_FOLD_AVX512_H */
