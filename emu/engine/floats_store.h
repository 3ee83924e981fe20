/* SPDX-License-Identifier: MIT */
/*
 * How sums that are floats become D, written once over lanes for every GEMM: docs/isa.md, "Float results".
 *
 * Scales and bias alone are done on the way from the sums to memory. The rest, if there is any, takes the sums some
 * rows at a time through one stage after the other; they stay in the first-level cache.
 */
#ifndef QUILL_FLOATS_STORE_H
#define QUILL_FLOATS_STORE_H

#include "engine.h"
#include "functions.h"
#include "narrow.h"
#include "vector.h"

/* Each row r, and in it vectors of m columns from c on. */
#define FLOATS_EACH(r, c, m, rows, col, end)						\
	for (uint32_t r = 0; r < (rows); r++)						\
		for (uint32_t c = (col), m; m = (end) - c < LANES ? (end) - c : LANES,	\
		     c < (end); c += LANES)

/* @m of the columns from @col on, of row @row. */
static inline vf floats_scale(const struct quill_gemm_floats *o, uint32_t row, uint32_t col,
			      uint32_t m, vf acc)
{
	vf s = o->scale ? vector_load(o->scale + col, m) : vf_set1(1.0f);

	if (o->row_scale)
		s = vf_mul(s, vf_set1(o->row_scale[row]));
	return o->bias ? vf_fma(acc, s, vector_load(o->bias + col, m)) : vf_mul(acc, s);
}

static inline __attribute__((always_inline)) void
floats_act_op(const uint32_t op, uint32_t rows, uint32_t col, uint32_t end,
	      float (*y)[QUILL_PANEL_N])
{
	FLOATS_EACH(r, c, m, rows, col, end)
		vf_store_first(&y[r][c], act_lanes(op, vector_load(&y[r][c], m)), (int)m);
}

static inline void floats_act(uint32_t act, uint32_t rows, uint32_t col, uint32_t end,
			      float (*y)[QUILL_PANEL_N])
{
	switch (act) {
	case QUILL_ACT_RELU + 1:
		return floats_act_op(QUILL_ACT_RELU, rows, col, end, y);
	case QUILL_ACT_SIGMOID + 1:
		return floats_act_op(QUILL_ACT_SIGMOID, rows, col, end, y);
	case QUILL_ACT_SILU + 1:
		return floats_act_op(QUILL_ACT_SILU, rows, col, end, y);
	case QUILL_ACT_TANH + 1:
		return floats_act_op(QUILL_ACT_TANH, rows, col, end, y);
	case QUILL_ACT_GELU + 1:
		return floats_act_op(QUILL_ACT_GELU, rows, col, end, y);
	case QUILL_ACT_GELU_ERF + 1:
		return floats_act_op(QUILL_ACT_GELU_ERF, rows, col, end, y);
	}
}

static inline void floats_store_bf16(uint16_t *p, vf x, uint32_t m)
{
	float one[LANES];
	uint32_t i;

	vf_store(one, x);
	for (i = 0; i < m; i++)
		p[i] = (uint16_t)narrow(one[i], NARROW_BF16, false);
}

/* Activation, gate, residual, type: @y has scales and bias behind it. */
static __attribute__((noinline)) void
floats_finish(const struct quill_gemm_floats *o, uint32_t row, uint32_t rows, uint32_t col,
	      uint32_t end, float (*y)[QUILL_PANEL_N])
{
	floats_act(o->act, rows, col, end, y);
	FLOATS_EACH(r, c, m, rows, col, end) {
		vf x = vector_load(&y[r][c], m);
		size_t at = (row + r) * o->ldd + c;

		if (o->gate)
			x = vf_mul(x, vector_load(o->gate + (row + r) * o->gate_stride + c, m));
		if (o->residual)
			x = vf_add(x, vector_load(o->residual + (row + r) * o->residual_stride + c,
						  m));
		if (o->type_d == QUILL_TYPE_BF16)
			floats_store_bf16((uint16_t *)o->d + at, x, m);
		else
			vector_store((float *)o->d + at, x, m);
	}
}

/* Sums of @rows rows from @row on, columns @col .. @end - 1, which are used up. */
static inline void floats_store(const struct quill_gemm_floats *o, uint32_t row, uint32_t rows,
				uint32_t col, uint32_t end, float (*acc)[QUILL_PANEL_N])
{
	bool more = o->act || o->gate || o->residual || o->type_d == QUILL_TYPE_BF16;

	FLOATS_EACH(r, c, m, rows, col, end) {
		vf x = floats_scale(o, row + r, c, m, vector_load(&acc[r][c], m));

		if (more)
			vf_store_first(&acc[r][c], x, (int)m);
		else
			vector_store((float *)o->d + (row + r) * o->ldd + c, x, m);
	}
	if (more)
		floats_finish(o, row, rows, col, end, acc);
}

#endif /* QUILL_FLOATS_STORE_H */
