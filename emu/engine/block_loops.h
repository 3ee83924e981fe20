/* SPDX-License-Identifier: MIT */
/*
 * GEMM with block weights, written once over cells: docs/isa.md, "Block weights". kernels_*.c includes it.
 *
 * Few rows of A: the weights are used as they lie in memory, 16 rows of B side by side, which reads
 * memory once and in order. More: 64 rows of B become cells first, and their scales a row of
 * 64 a block; then it is a GEMM that looks up from its sums after every block.
 */
#ifndef QUILL_BLOCK_LOOPS_H
#define QUILL_BLOCK_LOOPS_H

#include "engine.h"
#include "floats_store.h"
#include "narrow.h"

/* K is cut into chunks of so many, so that a panel's cells and A's rows stay in the second-level cache. */
#define BLOCK_CHUNK	QUILL_GEMM_BLOCK_CHUNK

/* A panel of 64 columns, as block_rows() wants it. */
struct block_panel {
	/* @half: bytes have two weights each, as in S4 */
	const uint8_t *cells;
	/* of block j at scale + j * stride */
	const float *scale;
	size_t stride;
	bool half;
};

/* Some rows of A. */
struct block_a {
	const int8_t *a;
	size_t lda;
	const int32_t *sum;
	size_t sum_stride;
	const float *scale;
	size_t scale_stride;
	/* 0: the row has one scale */
	size_t scale_step;
	/* what the bytes of B are too much, negated */
	int32_t excess;
	uint32_t blocks;
	/* elements of a block */
	uint32_t group;
};

/* Rows from @row on, blocks from @block on. */
static inline struct block_a block_a_rows(const struct quill_gemm_block_tile *t, uint32_t row,
					  uint32_t block, uint32_t blocks)
{
	static const float one = 1.0f;

	return (struct block_a){
		.a = t->a + row * t->lda + block * t->group,
		.lda = t->lda,
		.sum = t->a_sum + row * t->a_sum_stride + block,
		.sum_stride = t->a_sum_stride,
		.scale = t->a_scale ? t->a_scale + row * t->a_scale_stride + block : &one,
		.scale_stride = t->a_scale ? t->a_scale_stride : 0,
		.scale_step = t->a_scale ? 1 : 0,
		.excess = t->type_b == QUILL_TYPE_Q8_0 ? -128 : -8,
		.blocks = blocks,
		.group = t->group,
	};
}

/* acc + the block's sum times both scales. */
static inline vf block_add(vf acc, vi sum, vf scale, const struct block_a *a, uint32_t r, uint32_t j)
{
	vf s = vf_mul(scale, vf_set1(a->scale[r * a->scale_stride + j * a->scale_step]));

	return vf_fma(vi_to_vf(sum), s, acc);
}

static inline vi block_excess(const struct block_a *a, uint32_t r, uint32_t j)
{
	return vi_set1(a->excess * a->sum[r * a->sum_stride + j]);
}

/* @out goes on from what it holds. @rows and @half are constants wherever this is expanded. */
static inline __attribute__((always_inline)) void
block_rows(const uint32_t rows, const bool half, const struct block_a *a,
	   const struct block_panel *b, uint32_t col, float (*out)[QUILL_PANEL_N])
{
	const uint32_t steps = a->group / (half ? 8 : 4);
	const uint8_t *cells = b->cells + col * 4;
	const int8_t *aa = a->a;
	vf acc[BLOCK_ROWS][BLOCK_COLS];

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < BLOCK_COLS; c++)
			acc[r][c] = vf_load(&out[r][col + c * LANES]);

	for (uint32_t j = 0; j < a->blocks; j++) {
		vi sum[BLOCK_ROWS][BLOCK_COLS];
		vf scale[BLOCK_COLS];

		_Pragma("GCC unroll 8")
		for (uint32_t r = 0; r < rows; r++)
			_Pragma("GCC unroll 4")
			for (uint32_t c = 0; c < BLOCK_COLS; c++)
				sum[r][c] = block_excess(a, r, j);

		for (uint32_t i = 0; i < steps; i++, cells += QUILL_PANEL_GROUP, aa += half ? 8 : 4) {
			bcell x[BLOCK_COLS], low[BLOCK_COLS];

			_Pragma("GCC unroll 4")
			for (uint32_t c = 0; c < BLOCK_COLS; c++) {
				x[c] = bcell_load(cells + c * 64);
				low[c] = half ? bcell_low(x[c]) : x[c];
			}
			_Pragma("GCC unroll 8")
			for (uint32_t r = 0; r < rows; r++) {
				acell four = acell_load(aa + r * a->lda);

				_Pragma("GCC unroll 4")
				for (uint32_t c = 0; c < BLOCK_COLS; c++)
					sum[r][c] = cell_dot(sum[r][c], low[c], four);
			}
			if (!half)
				continue;
			_Pragma("GCC unroll 4")
			for (uint32_t c = 0; c < BLOCK_COLS; c++)
				x[c] = bcell_high(x[c]);
			_Pragma("GCC unroll 8")
			for (uint32_t r = 0; r < rows; r++) {
				acell four = acell_load(aa + r * a->lda + 4);

				_Pragma("GCC unroll 4")
				for (uint32_t c = 0; c < BLOCK_COLS; c++)
					sum[r][c] = cell_dot(sum[r][c], x[c], four);
			}
		}

		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < BLOCK_COLS; c++)
			scale[c] = vf_load(b->scale + j * b->stride + col + c * LANES);
		_Pragma("GCC unroll 8")
		for (uint32_t r = 0; r < rows; r++)
			_Pragma("GCC unroll 4")
			for (uint32_t c = 0; c < BLOCK_COLS; c++)
				acc[r][c] = block_add(acc[r][c], sum[r][c], scale[c], a, r, j);
	}

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < BLOCK_COLS; c++)
			vf_store(&out[r][col + c * LANES], acc[r][c]);
}

#define BLOCK_CASE(n) case n: return block_rows(n, half, a, b, col, out)

static inline __attribute__((always_inline)) void
block_rows_any(uint32_t rows, const bool half, const struct block_a *a, const struct block_panel *b,
	       uint32_t col, float (*out)[QUILL_PANEL_N])
{
	switch (rows) {
	BLOCK_CASE(1);
	BLOCK_CASE(2);
#if BLOCK_ROWS > 2
	BLOCK_CASE(3);
	BLOCK_CASE(4);
	BLOCK_CASE(5);
	BLOCK_CASE(6);
#endif
	}
}

#undef BLOCK_CASE

/* All rows of A times a panel of @blocks blocks, A's from @block on; @acc holds 64 sums a row. */
static void block_multiply(const struct quill_gemm_block_tile *t, const struct block_panel *b,
			   uint32_t block, uint32_t blocks, float (*acc)[QUILL_PANEL_N])
{
	uint32_t row, rows, col;

	for (row = 0; row < t->m; row += rows) {
		struct block_a a = block_a_rows(t, row, block, blocks);

		rows = t->m - row < BLOCK_ROWS ? t->m - row : BLOCK_ROWS;
		for (col = 0; col < t->n; col += BLOCK_COLS * LANES) {
			if (b->half)
				block_rows_any(rows, true, &a, b, col, acc + row);
			else
				block_rows_any(rows, false, &a, b, col, acc + row);
		}
	}
}

/* ---- Weights as they lie in memory ---- */

/*
 * 16 rows of B. Meanwhile the 16 behind them are fetched, in the order of memory: what the processor fetches of its own
 * accord cannot follow so many rows at once, and memory is fastest page by page.
 */
static inline __attribute__((always_inline)) void
block_direct(const uint32_t rows, const bool q4, const struct block_a *a, const uint8_t *b,
	     size_t ldb, float (*out)[QUILL_PANEL_N])
{
	const size_t size = q4 ? sizeof(struct quill_q4_0) : sizeof(struct quill_q8_0);
	const uint8_t *next = b + 16 * ldb;
	struct block16 block;
	vf acc[BLOCK_DIRECT];
	uint32_t j, r;

	_Pragma("GCC unroll 4")
	for (r = 0; r < rows; r++)
		acc[r] = vf_set1(0.0f);
	for (j = 0; j < a->blocks; j++, b += size, next += 16 * size) {
		_Pragma("GCC unroll 16")
		for (uint32_t i = 0; i < 16 * size; i += 64)
			__builtin_prefetch(next + i);
		block_load(&block, q4, b, ldb);
		_Pragma("GCC unroll 4")
		for (r = 0; r < rows; r++) {
			vi dot = block_dot(&block, q4, a->a + r * a->lda + j * QUILL_BLOCK);

			acc[r] = block_add(acc[r], vi_add(dot, block_excess(a, r, j)), block.scale,
					   a, r, j);
		}
	}
	_Pragma("GCC unroll 4")
	for (r = 0; r < rows; r++)
		vf_store(out[r], acc[r]);
}

#define BLOCK_CASE(n)								\
	case n: return q4 ? block_direct(n, true, a, b, ldb, out) :		\
			    block_direct(n, false, a, b, ldb, out)

static void block_direct_any(uint32_t rows, bool q4, const struct block_a *a, const uint8_t *b,
			     size_t ldb, float (*out)[QUILL_PANEL_N])
{
	switch (rows) {
	BLOCK_CASE(1);
#if BLOCK_DIRECT > 1
	BLOCK_CASE(2);
#endif
#if BLOCK_DIRECT > 2
	BLOCK_CASE(3);
	BLOCK_CASE(4);
#endif
	}
}

#undef BLOCK_CASE

/* The last 16 columns may be some that have been before: they are computed again, and not stored. */
static void block_stream(const struct quill_gemm_block_tile *t)
{
	float out[BLOCK_DIRECT][QUILL_PANEL_N];
	uint32_t col, from, row, rows;

	for (col = 0; col < t->n; col += LANES) {
		from = t->n - col < LANES ? t->n - LANES : col;
		for (row = 0; row < t->m; row += rows) {
			struct block_a a = block_a_rows(t, row, 0, t->k / t->group);

			rows = t->m - row < BLOCK_DIRECT ? t->m - row : BLOCK_DIRECT;
			block_direct_any(rows, t->type_b == QUILL_TYPE_Q4_0, &a,
					 t->b + from * t->ldb, t->ldb,
					 (float (*)[QUILL_PANEL_N])&out[0][from]);
			floats_store(&t->out, row, rows, col, from + LANES, out);
		}
	}
}

/* ---- Weights as cells ---- */

/* The scales of a block of @rows rows; the other columns' are 0. */
static inline void block_scales(float *to, const uint8_t *b, size_t ldb, uint32_t rows)
{
	uint16_t d;
	uint32_t i;

	for (i = 0; i < LANES; i++) {
		d = 0;
		if (i < rows)
			memcpy(&d, b + i * ldb, sizeof(d));
		to[i] = widen(d, NARROW_F16);
	}
}

/* @blocks blocks of all columns, from @block on. */
static void block_unpack(const struct quill_gemm_block_tile *t, uint32_t block, uint32_t blocks,
			 uint8_t *cells, float *scale)
{
	const bool q4 = t->type_b == QUILL_TYPE_Q4_0;
	const size_t size = q4 ? sizeof(struct quill_q4_0) : sizeof(struct quill_q8_0);
	uint32_t col, n, j;

	for (col = 0; col < t->n; col += LANES) {
		const uint8_t *b = t->b + col * t->ldb + block * size;

		n = t->n - col < LANES ? t->n - col : LANES;
		block_unpack16(cells + col * 4, b, t->ldb, n, blocks, q4);
		for (j = 0; j < blocks; j++, b += size)
			block_scales(scale + j * QUILL_PANEL_N + col, b, t->ldb, n);
	}
}

static void block_unpack_and_multiply(const struct quill_gemm_block_tile *t,
				      float (*acc)[QUILL_PANEL_N])
{
	const uint32_t blocks = t->k / QUILL_BLOCK, most = BLOCK_CHUNK / QUILL_BLOCK;
	float *scale = (float *)(acc + t->m);
	uint8_t *cells = (uint8_t *)(scale + most * QUILL_PANEL_N);
	struct block_panel b = { .cells = cells, .scale = scale, .stride = QUILL_PANEL_N };
	uint32_t j, n;

	for (j = 0; j < blocks; j += n) {
		n = blocks - j < most ? blocks - j : most;
		block_unpack(t, j, n, cells, scale);
		block_multiply(t, &b, j, n, acc);
	}
}

static void gemm_block_tile(const struct quill_gemm_block_tile *t)
{
	float (*acc)[QUILL_PANEL_N] = t->scratch;

	if (t->type_b != QUILL_TYPE_S4 && t->m <= BLOCK_FEW && t->n >= LANES) {
		block_stream(t);
		return;
	}
	memset(acc, 0, t->m * sizeof(*acc));
	if (t->type_b == QUILL_TYPE_S4)
		block_multiply(t, &(struct block_panel){
			.cells = t->b, .scale = t->b_scale, .stride = t->b_scale_stride, .half = true,
		}, 0, t->k / t->group, acc);
	else
		block_unpack_and_multiply(t, acc);
	floats_store(&t->out, 0, t->m, 0, t->n, acc);
}

static void gemm_block_sums(const int8_t *a, size_t lda, uint32_t m, uint32_t k, uint32_t group,
			    int32_t *sums)
{
	uint32_t i, j;

	for (i = 0; i < m; i++, a += lda)
		for (j = 0; j < k; j += group)
			*sums++ = micro_sum(a + j, group);
}

#endif /* QUILL_BLOCK_LOOPS_H */
