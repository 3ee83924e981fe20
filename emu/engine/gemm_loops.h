/* SPDX-License-Identifier: MIT */
/*
 * GEMM around a micro-kernel, written once. kernels_*.c includes lanes, a micro-kernel and this.
 *
 * The outer loops, over panels of 64 columns and blocks of rows, are the caller's (it spreads them over
 * threads); here are the loops over a few rows at a time and, in the micro-kernel, over K.
 */
#ifndef QUILL_GEMM_LOOPS_H
#define QUILL_GEMM_LOOPS_H

#include "engine.h"

/* What belongs to the panel's columns, 64 of each whatever the panel's width. */
struct gemm_columns {
	int32_t bias_s32[QUILL_PANEL_N];
	float bias_f32[QUILL_PANEL_N];
	float scale[QUILL_PANEL_N];
	struct quill_requant requant[QUILL_PANEL_N];
};

static inline void gemm_columns_fill(struct gemm_columns *c, const struct quill_gemm_tile *t)
{
	memset(c, 0, sizeof(*c));
	if (t->bias && t->type_d == QUILL_TYPE_F32)
		memcpy(c->bias_f32, t->bias, t->n * sizeof(float));
	else if (t->bias)
		memcpy(c->bias_s32, t->bias, t->n * sizeof(int32_t));
	if (t->type_d == QUILL_TYPE_F32)
		memcpy(c->scale, t->scale, t->n * sizeof(float));
	if (t->type_d == QUILL_TYPE_S8)
		memcpy(c->requant, t->requant, t->n * sizeof(struct quill_requant));
}

static inline void gemm_store_s32(const struct gemm_columns *c, uint32_t rows,
				  int32_t (*acc)[QUILL_PANEL_N], int32_t *d, size_t ldd)
{
	uint32_t r, at;

	for (r = 0; r < rows; r++)
		for (at = 0; at < QUILL_PANEL_N; at += LANES)
			vi_store(d + r * ldd + at,
				 vi_add(vi_load(&acc[r][at]), vi_load(&c->bias_s32[at])));
}

static inline void gemm_store_s8(const struct gemm_columns *c, const struct quill_gemm_tile *t,
				 uint32_t rows, int32_t (*acc)[QUILL_PANEL_N], int8_t *d,
				 size_t ldd)
{
	uint32_t r, at;

	for (at = 0; at < QUILL_PANEL_N; at += LANES) {
		vrequant q = vrequant_load(&c->requant[at], t->zero, t->lo, t->hi);
		vi bias = vi_load(&c->bias_s32[at]);

		for (r = 0; r < rows; r++)
			vrequant_store(d + r * ldd + at, vi_add(vi_load(&acc[r][at]), bias), &q);
	}
}

static inline void gemm_store_f32(const struct gemm_columns *c, const struct quill_gemm_tile *t,
				  uint32_t row, uint32_t rows, int32_t (*acc)[QUILL_PANEL_N],
				  float *d, size_t ldd)
{
	uint32_t r, at;

	for (r = 0; r < rows; r++) {
		for (at = 0; at < QUILL_PANEL_N; at += LANES) {
			vf x = vi_to_vf(vi_load(&acc[r][at]));
			vf s = vf_load(&c->scale[at]);

			if (t->row_scale)
				s = vf_mul(s, vf_set1(t->row_scale[row + r]));
			x = t->bias ? vf_fma(x, s, vf_load(&c->bias_f32[at])) : vf_mul(x, s);
			vf_store(d + r * ldd + at, vf_canonical(x));
		}
	}
}

static inline void gemm_store(const struct gemm_columns *c, const struct quill_gemm_tile *t,
			      uint32_t row, uint32_t rows, int32_t (*acc)[QUILL_PANEL_N], void *d,
			      size_t ldd)
{
	if (t->type_d == QUILL_TYPE_S8)
		gemm_store_s8(c, t, rows, acc, d, ldd);
	else if (t->type_d == QUILL_TYPE_F32)
		gemm_store_f32(c, t, row, rows, acc, d, ldd);
	else
		gemm_store_s32(c, rows, acc, d, ldd);
}

/* The last panel may be narrower than 64 columns: by way of a buffer. */
static inline void gemm_store_narrow(const struct gemm_columns *c, const struct quill_gemm_tile *t,
				     uint32_t row, uint32_t rows, int32_t (*acc)[QUILL_PANEL_N])
{
	size_t size = quill_type_size(t->type_d);
	uint8_t *d = (uint8_t *)t->d + row * t->ldd * size;
	uint32_t wide[MICRO_ROWS][QUILL_PANEL_N];
	uint32_t r;

	gemm_store(c, t, row, rows, acc, wide, QUILL_PANEL_N);
	for (r = 0; r < rows; r++)
		memcpy(d + r * t->ldd * size, (uint8_t *)wide + r * QUILL_PANEL_N * size,
		       t->n * size);
}

/* The accumulators' start takes back the 128 in each byte of B. */
static inline void gemm_start(int32_t (*acc)[QUILL_PANEL_N], const int32_t *a_sum, uint32_t rows)
{
	uint32_t r, c;

	for (r = 0; r < rows; r++) {
		int32_t start = (int32_t)(0u - 128u * (uint32_t)a_sum[r]);

		for (c = 0; c < QUILL_PANEL_N; c++)
			acc[r][c] = start;
	}
}

static inline void gemm_tile(const struct quill_gemm_tile *t)
{
	int32_t acc[MICRO_ROWS][QUILL_PANEL_N] __attribute__((aligned(64)));
	/* Rows in parts as equal as can be: 16 as 6, 5, 5 and not 6, 6, 4. */
	uint32_t parts = (t->m + MICRO_ROWS - 1) / MICRO_ROWS;
	size_t size = quill_type_size(t->type_d);
	struct gemm_columns columns;
	uint32_t row, rows;

	gemm_columns_fill(&columns, t);
	for (row = 0; parts; row += rows, parts--) {
		rows = (t->m - row + parts - 1) / parts;
		gemm_start(acc, t->a_sum + row, rows);
		micro(rows, t->a + row * t->lda, t->lda, t->b, t->k, acc);
		if (t->n < QUILL_PANEL_N)
			gemm_store_narrow(&columns, t, row, rows, acc);
		else
			gemm_store(&columns, t, row, rows, acc,
				   (uint8_t *)t->d + row * t->ldd * size, t->ldd);
	}
}

static inline void gemm_row_sums(const int8_t *a, size_t lda, uint32_t m, uint32_t k,
				 int32_t *sums)
{
	uint32_t i, j;

	for (i = 0; i < m; i++, a += lda) {
		int32_t sum = 0;

		for (j = 0; j < k; j++)
			sum += a[j];
		sums[i] = sum;
	}
}

#endif /* QUILL_GEMM_LOOPS_H */
