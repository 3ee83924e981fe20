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

/*
 * What belongs to the panel's columns, 64 of each whatever the panel's width: the operands
 * themselves, or copies if they end before.
 */
struct gemm_columns {
	const int32_t *bias_s32;
	const float *bias_f32;
	const float *scale;
	const struct quill_requant *channel;
	vrequant requant;
	struct {
		uint32_t bias[QUILL_PANEL_N];
		float scale[QUILL_PANEL_N];
		struct quill_requant channel[QUILL_PANEL_N];
	} copy;
};

/* @from, or its first @size of @whole bytes in @copy with zeros behind. */
static inline const void *gemm_columns_widen(void *copy, const void *from, size_t size,
					     size_t whole)
{
	if (from && size == whole)
		return from;
	memset(copy, 0, whole);
	if (from)
		memcpy(copy, from, size);
	return copy;
}

static inline void gemm_columns_fill(struct gemm_columns *c, const struct quill_gemm_tile *t)
{
	c->bias_s32 = gemm_columns_widen(c->copy.bias, t->bias, t->n * 4, sizeof(c->copy.bias));
	c->bias_f32 = (const float *)c->bias_s32;
	if (t->type_d == QUILL_TYPE_F32)
		c->scale = gemm_columns_widen(c->copy.scale, t->scale, t->n * 4,
					      sizeof(c->copy.scale));
	if (t->type_d != QUILL_TYPE_S8)
		return;
	c->channel = gemm_columns_widen(c->copy.channel, t->requant, t->n * sizeof(*c->channel),
					sizeof(c->copy.channel));
	vrequant_load(&c->requant, c->channel, t->zero, t->lo, t->hi);
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

/* Of any width, unlike the others. */
static inline void gemm_store_s8(const struct gemm_columns *c, uint32_t n, uint32_t rows,
				 int32_t (*acc)[QUILL_PANEL_N], int8_t *d, size_t ldd)
{
	uint32_t r;

	for (r = 0; r < rows; r++)
		vrequant_row(d + r * ldd, acc[r], c->bias_s32, n, &c->requant);
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

/* A panel may be narrower than 64 columns: by way of a buffer. */
static inline void gemm_store_narrow(const struct gemm_columns *c, const struct quill_gemm_tile *t,
				     uint32_t row, uint32_t rows, int32_t (*acc)[QUILL_PANEL_N],
				     uint32_t *d, size_t ldd)
{
	uint32_t wide[MICRO_ROWS][QUILL_PANEL_N];
	uint32_t r;

	if (t->type_d == QUILL_TYPE_F32)
		gemm_store_f32(c, t, row, rows, acc, (float *)wide, QUILL_PANEL_N);
	else
		gemm_store_s32(c, rows, acc, (int32_t *)wide, QUILL_PANEL_N);
	for (r = 0; r < rows; r++)
		memcpy(d + r * ldd, wide[r], t->n * sizeof(wide[0][0]));
}

/* The tile's rows from @row on. */
static inline void gemm_store(const struct gemm_columns *c, const struct quill_gemm_tile *t,
			      uint32_t row, uint32_t rows, int32_t (*acc)[QUILL_PANEL_N])
{
	void *d = (uint8_t *)t->d + row * t->ldd * quill_type_size(t->type_d);

	if (t->type_d == QUILL_TYPE_S8)
		gemm_store_s8(c, t->n, rows, acc, d, t->ldd);
	else if (t->n < QUILL_PANEL_N)
		gemm_store_narrow(c, t, row, rows, acc, d, t->ldd);
	else if (t->type_d == QUILL_TYPE_F32)
		gemm_store_f32(c, t, row, rows, acc, d, t->ldd);
	else
		gemm_store_s32(c, rows, acc, d, t->ldd);
}

/*
 * Stores leave in order: a line of D that has to come from far would hold up all that follow. So it is sent for before
 * the sums are made.
 */
static inline void gemm_prefetch(const struct quill_gemm_tile *t, uint32_t row, uint32_t rows,
				 size_t size)
{
	const uint8_t *d = (const uint8_t *)t->d + row * t->ldd * size;
	uint32_t r, at;

	for (r = 0; r < rows; r++, d += t->ldd * size)
		for (at = 0; at < t->n * size; at += 64)
			__builtin_prefetch(d + at, 1);
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
		gemm_prefetch(t, row, rows, size);
		micro(rows, t->a + row * t->lda, t->lda, t->b, t->k, t->a_sum + row, acc);
		gemm_store(&columns, t, row, rows, acc);
	}
}

static inline void gemm_row_sums(const int8_t *a, size_t lda, uint32_t m, uint32_t k,
				 int32_t *sums)
{
	uint32_t i;

	for (i = 0; i + MICRO_SUMS <= m; i += MICRO_SUMS)
		micro_sums(a + i * lda, lda, k, sums + i);
	for (; i < m; i++)
		sums[i] = micro_sum(a + i * lda, k);
}

#endif /* QUILL_GEMM_LOOPS_H */
