/* SPDX-License-Identifier: MIT */
/*
 * GEMM in bfloat16 and 8-bit floats, written once over lanes: docs/isa.md, "Floats". kernels_*.c includes it.
 *
 * Each element of D is one chain of fused multiply-adds over k, in order; lanes are columns. (AVX-512's bfloat16
 * instructions flush denormals and round in their own way: they cannot be used.) An 8-bit float is a bfloat16,
 * exactly, so a panel of them becomes one of bfloat16 first.
 */
#ifndef QUILL_GEMM_FLOAT_LOOPS_H
#define QUILL_GEMM_FLOAT_LOOPS_H

#include "engine.h"
#include "floats_store.h"
#include "narrow.h"

/* One k: a column of A times a row of B; the operands are halves of @a and @b. */
#define FLOAT_STEP(half, load_a)							\
	do {										\
		vf bb[FLOAT_COLS];							\
											\
		_Pragma("GCC unroll 4")							\
		for (uint32_t c = 0; c < FLOAT_COLS; c++)				\
			bb[c] = half(vi_load((const int32_t *)b + c * LANES));		\
		_Pragma("GCC unroll 8")							\
		for (uint32_t r = 0; r < rows; r++) {					\
			vf aa = half(vi_set1(load_a(a + r * lda)));			\
											\
			_Pragma("GCC unroll 4")						\
			for (uint32_t c = 0; c < FLOAT_COLS; c++)			\
				acc[r][c] = vf_fma(aa, bb[c], acc[r][c]);		\
		}									\
	} while (0)

static inline int32_t float_load2(const uint16_t *a)
{
	int32_t x;

	memcpy(&x, a, sizeof(x));
	return x;
}

static inline int32_t float_load1(const uint16_t *a)
{
	return *a;
}

/* @rows is a constant wherever this is expanded, so that @acc lives in registers. */
static inline __attribute__((always_inline)) void
float_rows(const uint32_t rows, const uint16_t *a, size_t lda, const uint8_t *b, uint32_t k,
	   uint32_t col, float (*out)[QUILL_PANEL_N])
{
	vf acc[FLOAT_ROWS][FLOAT_COLS];

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < FLOAT_COLS; c++)
			acc[r][c] = vf_set1(0.0f);

	for (b += col * 4; k >= 2; k -= 2, a += 2, b += QUILL_PANEL_GROUP) {
		FLOAT_STEP(vf_low_halves, float_load2);
		FLOAT_STEP(vf_high_halves, float_load2);
	}
	if (k)
		FLOAT_STEP(vf_low_halves, float_load1);

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < FLOAT_COLS; c++)
			vf_store(&out[r][col + c * LANES], acc[r][c]);
}

#undef FLOAT_STEP

#define FLOAT_CASE(n) case n: return float_rows(n, a, lda, b, k, col, out)

static inline void float_rows_any(uint32_t rows, const uint16_t *a, size_t lda, const uint8_t *b,
				  uint32_t k, uint32_t col, float (*out)[QUILL_PANEL_N])
{
	switch (rows) {
	FLOAT_CASE(1);
	FLOAT_CASE(2);
#if FLOAT_ROWS > 2
	FLOAT_CASE(3);
	FLOAT_CASE(4);
#endif
#if FLOAT_ROWS > 4
	FLOAT_CASE(5);
	FLOAT_CASE(6);
#endif
	}
}

#undef FLOAT_CASE

/* A group of 4 k of 8-bit floats becomes two of 2 k of bfloat16. */
static inline __attribute__((always_inline)) void
float_widen_group(uint32_t *to, const uint32_t *from, const struct narrow f)
{
	uint32_t c, half;

	for (half = 0; half < 2; half++)
		for (c = 0; c < QUILL_PANEL_N; c++)
			to[half * QUILL_PANEL_N + c] =
				bits_of_float(widen(from[c] >> (16 * half) & 0xff, f)) >> 16 |
				(bits_of_float(widen(from[c] >> (16 * half + 8) & 0xff, f)) & 0xffff0000);
}

static void float_widen_panel(uint32_t *to, const uint8_t *from, uint32_t k, uint32_t type)
{
	uint32_t i;

	for (i = 0; i < k; i += 4, to += 2 * QUILL_PANEL_N, from += QUILL_PANEL_GROUP) {
		if (type == QUILL_TYPE_E4M3)
			float_widen_group(to, (const uint32_t *)from, NARROW_E4M3);
		else
			float_widen_group(to, (const uint32_t *)from, NARROW_E5M2);
	}
}

static void gemm_float_tile(const struct quill_gemm_float_tile *t)
{
	float out[FLOAT_ROWS][QUILL_PANEL_N];
	const uint8_t *b = t->b;
	uint32_t row, rows, col;

	if (t->type_b != QUILL_TYPE_BF16) {
		float_widen_panel(t->scratch, b, t->k, t->type_b);
		b = t->scratch;
	}
	for (row = 0; row < t->m; row += rows) {
		rows = t->m - row < FLOAT_ROWS ? t->m - row : FLOAT_ROWS;
		for (col = 0; col < t->n; col += FLOAT_COLS * LANES)
			float_rows_any(rows, t->a + row * t->lda, t->lda, b, t->k, col, out);
		floats_store(&t->out, row, rows, 0, t->n, out);
	}
}

#endif /* QUILL_GEMM_FLOAT_LOOPS_H */
