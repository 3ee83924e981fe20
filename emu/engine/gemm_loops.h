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
#include "floats_store.h"

/*
 * What belongs to the panel's columns, 64 of each whatever the panel's width: the operands
 * themselves, or copies if they end before.
 */
struct gemm_columns {
	const int32_t *bias;
	const struct quill_requant *channel;
	vrequant requant;
	struct {
		int32_t bias[QUILL_PANEL_N];
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
	if (t->type_d == QUILL_TYPE_F32)
		return;
	c->bias = gemm_columns_widen(c->copy.bias, t->bias, t->n * 4, sizeof(c->copy.bias));
	if (t->type_d != QUILL_TYPE_S8)
		return;
	c->channel = gemm_columns_widen(c->copy.channel, t->requant, t->n * sizeof(*c->channel),
					sizeof(c->copy.channel));
	vrequant_load(&c->requant, c->channel, t->zero, t->lo, t->hi);
}

static inline void gemm_store_s32(const struct gemm_columns *c, bool accumulate, uint32_t rows,
				  int32_t (*acc)[QUILL_PANEL_N], int32_t *d, size_t ldd)
{
	uint32_t r, at;

	for (r = 0; r < rows; r++) {
		for (at = 0; at < QUILL_PANEL_N; at += LANES) {
			vi x = vi_add(vi_load(&acc[r][at]), vi_load(&c->bias[at]));

			if (accumulate)
				x = vi_add(x, vi_load(d + r * ldd + at));
			vi_store(d + r * ldd + at, x);
		}
	}
}

/*
 * A row with a residual. In 64 bits, one rounding, half to even: half - 1, plus the bit that will be the last. Neither product
 * nor sum reaches 2^63. Left to the compiler, which has the instruction set.
 */
static inline void gemm_residual_row(const struct gemm_columns *c, const struct quill_gemm_tile *t,
				     const int32_t *acc, const int8_t *residual, int8_t *d)
{
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		int64_t shift = c->channel[i].shift, some = shift > 0;
		int64_t x = (int32_t)((uint32_t)acc[i] + (uint32_t)c->bias[i]);

		x = x * c->channel[i].mult +
		    (int64_t)(residual[i] - t->residual_zero) * t->residual_mult[i];
		x = (x + ((1ll << shift) >> 1) - some + (x >> shift & some)) >> shift;
		x += t->zero;
		x = x < t->lo ? t->lo : x;
		d[i] = (int8_t)(x > t->hi ? t->hi : x);
	}
}

/* Of any width, unlike S32. */
static inline void gemm_store_s8(const struct gemm_columns *c, const struct quill_gemm_tile *t,
				 uint32_t row, uint32_t rows, int32_t (*acc)[QUILL_PANEL_N], int8_t *d)
{
	uint32_t r;

	for (r = 0; r < rows; r++, d += t->ldd) {
		if (t->residual)
			gemm_residual_row(c, t, acc[r],
					  t->residual + (row + r) * t->residual_stride, d);
		else
			vrequant_row(d, acc[r], c->bias, t->n, &c->requant);
	}
}

/* Sums become floats where they are. */
static inline void gemm_store_floats(const struct quill_gemm_tile *t, uint32_t row, uint32_t rows,
				     int32_t (*acc)[QUILL_PANEL_N])
{
	float y[MICRO_ROWS][QUILL_PANEL_N] __attribute__((aligned(64)));
	uint32_t r, at;

	for (r = 0; r < rows; r++)
		for (at = 0; at < QUILL_PANEL_N; at += LANES)
			vf_store(&y[r][at], vi_to_vf(vi_load(&acc[r][at])));
	floats_store(&t->out, row, rows, 0, t->n, y);
}

/* A panel may be narrower than 64 columns: by way of a buffer. */
static inline void gemm_store_narrow(const struct gemm_columns *c, const struct quill_gemm_tile *t,
				     uint32_t rows, int32_t (*acc)[QUILL_PANEL_N], int32_t *d)
{
	int32_t wide[MICRO_ROWS][QUILL_PANEL_N];
	uint32_t r;

	for (r = 0; r < rows && t->accumulate; r++)
		memcpy(wide[r], d + r * t->ldd, t->n * sizeof(*d));
	gemm_store_s32(c, t->accumulate, rows, acc, wide[0], QUILL_PANEL_N);
	for (r = 0; r < rows; r++)
		memcpy(d + r * t->ldd, wide[r], t->n * sizeof(*d));
}

/* The tile's rows from @row on, at most MICRO_ROWS. */
static inline void gemm_store(const struct gemm_columns *c, const struct quill_gemm_tile *t,
			      uint32_t row, uint32_t rows, int32_t (*acc)[QUILL_PANEL_N])
{
	if (t->type_d == QUILL_TYPE_F32)
		gemm_store_floats(t, row, rows, acc);
	else if (t->type_d == QUILL_TYPE_S8)
		gemm_store_s8(c, t, row, rows, acc, (int8_t *)t->d + row * t->ldd);
	else if (t->n < QUILL_PANEL_N)
		gemm_store_narrow(c, t, rows, acc, (int32_t *)t->d + row * t->ldd);
	else
		gemm_store_s32(c, t->accumulate, rows, acc, (int32_t *)t->d + row * t->ldd,
			       t->ldd);
}

/*
 * Stores leave in order: a line of D that has to come from far would hold up all that follow. So it is sent for before
 * the sums are made.
 */
static inline void gemm_prefetch(const uint8_t *d, size_t stride, uint32_t rows, size_t width)
{
	uint32_t r, at;

	for (r = 0; r < rows; r++, d += stride)
		for (at = 0; at < width; at += 64)
			__builtin_prefetch(d + at, 1);
}

static inline void gemm_prefetch_rows(const struct quill_gemm_tile *t, uint32_t row, uint32_t rows)
{
	bool floats = t->type_d == QUILL_TYPE_F32;
	size_t size = quill_type_size(floats && t->out.type_d ? t->out.type_d : t->type_d);
	size_t stride = (floats ? t->out.ldd : t->ldd) * size;

	gemm_prefetch((const uint8_t *)(floats ? t->out.d : t->d) + row * stride, stride, rows,
		      t->n * size);
}

static inline void gemm_tile(const struct quill_gemm_tile *t)
{
	int32_t acc[MICRO_ROWS][QUILL_PANEL_N] __attribute__((aligned(64)));
	/* Rows in parts as equal as can be: 16 as 6, 5, 5 and not 6, 6, 4. */
	uint32_t parts = (t->m + MICRO_ROWS - 1) / MICRO_ROWS;
	struct gemm_columns columns;
	uint32_t row, rows;

	gemm_columns_fill(&columns, t);
	for (row = 0; parts; row += rows, parts--) {
		rows = (t->m - row + parts - 1) / parts;
		gemm_prefetch_rows(t, row, rows);
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
