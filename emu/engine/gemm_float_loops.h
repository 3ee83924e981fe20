/* SPDX-License-Identifier: MIT */
/*
 * GEMM in bfloat16 and 8-bit floats, written once over lanes: docs/isa.md, "Floats". kernels_*.c includes it.
 *
 * Each element of D is one chain of fused multiply-adds over k, in order; lanes are columns. (AVX-512's bfloat16
 * instructions flush denormals and round in their own way: they cannot be used.) An 8-bit float is a bfloat16,
 * exactly: for few rows of A they are widened on the way to the multiplications, for more a panel of them becomes one of
 * bfloat16 first.
 */
#ifndef QUILL_GEMM_FLOAT_LOOPS_H
#define QUILL_GEMM_FLOAT_LOOPS_H

#include "engine.h"
#include "floats_store.h"
#include "narrow.h"

#ifndef FLOAT_CELLS

/* How the widening goes; a set of kernels may have its own. */
struct float_cells {
	struct narrow f;
};

static inline void float_cells_start(struct float_cells *c, uint32_t type)
{
	c->f = type == QUILL_TYPE_E4M3 ? NARROW_E4M3 : NARROW_E5M2;
}

static inline uint32_t float_cells_pair(uint32_t two, const struct narrow f)
{
	return bits_of_float(widen(two & 0xff, f)) >> 16 |
	       (bits_of_float(widen(two >> 8 & 0xff, f)) & 0xffff0000);
}

/* 4 k of 16 columns: the first two as pairs of bfloat16, and the others. */
static inline void float_cells_widen(const struct float_cells *c, const uint8_t *b, vi *first, vi *last)
{
	uint32_t x[LANES], y[LANES], i;

	memcpy(x, b, sizeof(x));
	for (i = 0; i < LANES; i++) {
		y[i] = float_cells_pair(x[i] >> 16, c->f);
		x[i] = float_cells_pair(x[i] & 0xffff, c->f);
	}
	*first = vi_load((const int32_t *)x);
	*last = vi_load((const int32_t *)y);
}

#endif

/* One k: a column of A times a row of B; the operands are halves of @a and @b, vectors of two k. */
#define FLOAT_STEP(half, load_a, a, b)							\
	do {										\
		vf bb[FLOAT_COLS];							\
											\
		_Pragma("GCC unroll 4")							\
		for (uint32_t c = 0; c < FLOAT_COLS; c++)				\
			bb[c] = half((b)[c]);						\
		_Pragma("GCC unroll 8")							\
		for (uint32_t r = 0; r < rows; r++) {					\
			vf aa = half(vi_set1(load_a((a) + r * lda)));			\
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

/* The vectors of a group of 8-bit floats: of its first two k, and its last two. */
static inline __attribute__((always_inline)) void
float_widen_group(const struct float_cells *cells, const uint8_t *b, vi x[FLOAT_COLS], vi y[FLOAT_COLS])
{
	_Pragma("GCC unroll 4")
	for (uint32_t c = 0; c < FLOAT_COLS; c++)
		float_cells_widen(cells, b + c * LANES * 4, &x[c], &y[c]);
}

/* The vectors of a group of bfloat16. */
static inline __attribute__((always_inline)) void float_load_group(vi x[FLOAT_COLS], const uint8_t *b)
{
	_Pragma("GCC unroll 4")
	for (uint32_t c = 0; c < FLOAT_COLS; c++)
		x[c] = vi_load((const int32_t *)b + c * LANES);
}

/* @rows and whether @cells is NULL are constants wherever this is expanded, so that @acc lives in registers. */
static inline __attribute__((always_inline)) void
float_rows(const uint32_t rows, const struct float_cells *cells, const uint16_t *a, size_t lda,
	   const uint8_t *b, uint32_t k, uint32_t col, float (*out)[QUILL_PANEL_N])
{
	vf acc[FLOAT_ROWS][FLOAT_COLS];
	vi x[FLOAT_COLS], y[FLOAT_COLS];

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < FLOAT_COLS; c++)
			acc[r][c] = vf_set1(0.0f);

	for (b += col * 4; cells && k >= 4; k -= 4, a += 4, b += QUILL_PANEL_GROUP) {
		float_widen_group(cells, b, x, y);
		FLOAT_STEP(vf_low_halves, float_load2, a, x);
		FLOAT_STEP(vf_high_halves, float_load2, a, x);
		FLOAT_STEP(vf_low_halves, float_load2, a + 2, y);
		FLOAT_STEP(vf_high_halves, float_load2, a + 2, y);
	}
	for (; !cells && k >= 2; k -= 2, a += 2, b += QUILL_PANEL_GROUP) {
		float_load_group(x, b);
		FLOAT_STEP(vf_low_halves, float_load2, a, x);
		FLOAT_STEP(vf_high_halves, float_load2, a, x);
	}
	if (k && cells)
		float_widen_group(cells, b, x, y);
	else if (k)
		float_load_group(x, b);
	if (k >= 2) {
		FLOAT_STEP(vf_low_halves, float_load2, a, x);
		FLOAT_STEP(vf_high_halves, float_load2, a, x);
		if (k == 3)
			FLOAT_STEP(vf_low_halves, float_load1, a + 2, y);
	} else if (k) {
		FLOAT_STEP(vf_low_halves, float_load1, a, x);
	}

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < FLOAT_COLS; c++)
			vf_store(&out[r][col + c * LANES], acc[r][c]);
}

#undef FLOAT_STEP

#define FLOAT_CASE(n)									\
	case n: return cells ? float_rows(n, cells, a, lda, b, k, col, out) :		\
			       float_rows(n, NULL, a, lda, b, k, col, out)

static inline void float_rows_any(uint32_t rows, const struct float_cells *cells, const uint16_t *a,
				  size_t lda, const uint8_t *b, uint32_t k, uint32_t col,
				  float (*out)[QUILL_PANEL_N])
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

/* A group of 4 k becomes two of 2 k. */
static void float_widen_panel(const struct float_cells *cells, int32_t *to, const uint8_t *from, uint32_t k)
{
	uint32_t i, c;
	vi x, y;

	for (i = 0; i < k; i += 4, to += QUILL_PANEL_N, from += QUILL_PANEL_GROUP - QUILL_PANEL_N * 4)
		for (c = 0; c < QUILL_PANEL_N; c += LANES, to += LANES, from += LANES * 4) {
			float_cells_widen(cells, from, &x, &y);
			vi_store(to, x);
			vi_store(to + QUILL_PANEL_N, y);
		}
}

static void gemm_float_tile(const struct quill_gemm_float_tile *t)
{
	float out[FLOAT_ROWS][QUILL_PANEL_N];
	struct float_cells cells, *on_the_way = NULL;
	const uint8_t *b = t->b;
	uint32_t row, rows, col;

	if (t->type_b != QUILL_TYPE_BF16) {
		float_cells_start(&cells, t->type_b);
		on_the_way = &cells;
	}
	if (on_the_way && t->m > FLOAT_ROWS) {
		float_widen_panel(&cells, t->scratch, b, t->k);
		b = t->scratch;
		on_the_way = NULL;
	}
	for (row = 0; row < t->m; row += rows) {
		rows = t->m - row < FLOAT_ROWS ? t->m - row : FLOAT_ROWS;
		for (col = 0; col < t->n; col += FLOAT_COLS * LANES)
			float_rows_any(rows, on_the_way, t->a + row * t->lda, t->lda, b, t->k, col,
				       out);
		floats_store(&t->out, row, rows, 0, t->n, out);
	}
}

#endif /* QUILL_GEMM_FLOAT_LOOPS_H */
