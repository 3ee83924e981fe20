/* SPDX-License-Identifier: MIT */
/* How sums that are floats become D: docs/isa.md, "Float sums". */
#ifndef QUILL_FLOATS_STORE_H
#define QUILL_FLOATS_STORE_H

#include "engine.h"
#include "vector.h"

/* @m of the columns from @col on, of row @row. */
static inline vf floats_finish(const struct quill_gemm_floats *o, uint32_t row, uint32_t col,
			       uint32_t m, vf acc)
{
	vf s = o->scale ? vector_load(o->scale + col, m) : vf_set1(1.0f);

	if (o->row_scale)
		s = vf_mul(s, vf_set1(o->row_scale[row]));
	return o->bias ? vf_fma(acc, s, vector_load(o->bias + col, m)) : vf_mul(acc, s);
}

/* Sums of @rows rows from @row on, columns @col .. @end - 1. */
static inline void floats_store(const struct quill_gemm_floats *o, uint32_t row, uint32_t rows,
				uint32_t col, uint32_t end, float (*acc)[QUILL_PANEL_N])
{
	uint32_t r, c, m;

	for (r = 0; r < rows; r++) {
		for (c = col; c < end; c += LANES) {
			m = end - c < LANES ? end - c : LANES;
			vector_store(o->d + (row + r) * o->ldd + c,
				     floats_finish(o, row + r, c, m, vector_load(&acc[r][c], m)), m);
		}
	}
}

#endif /* QUILL_FLOATS_STORE_H */
