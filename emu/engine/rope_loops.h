/* SPDX-License-Identifier: MIT */
/* ROPE, written once over lanes. kernels_*.c includes it. */
#ifndef QUILL_ROPE_LOOPS_H
#define QUILL_ROPE_LOOPS_H

#include "engine.h"
#include "vector.h"

/* Pairs of neighbours: they and their cosines and sines lie alike. */
static inline void rope_neighbours(const float *src, float *dst, const float *table, uint32_t dim)
{
	for (EACH_VECTOR(e, m, dim)) {
		vf x = vector_load(src + e, m), t = vector_load(table + e, m);
		vf y = vf_mul(vf_pair_swap(x), vf_pair_second(t));

		vector_store(dst + e, vf_fma(x, vf_pair_first(t), vf_pair_neg_first(y)), m);
	}
}

static inline void rope_halves(const float *src, float *dst, const float *table, uint32_t half)
{
	for (EACH_VECTOR(e, m, half)) {
		vf x = vector_load(src + e, m), y = vector_load(src + half + e, m);
		uint32_t first = 2 * m < LANES ? 2 * m : LANES;
		vf a = vector_load(table + 2 * e, first), b = vf_set1(0.0f);
		vf cos, sin;

		if (2 * m > LANES)
			b = vector_load(table + 2 * e + LANES, 2 * m - LANES);
		cos = vf_evens(a, b);
		sin = vf_odds(a, b);
		vector_store(dst + e, vf_fma(x, cos, vf_neg(vf_mul(y, sin))), m);
		vector_store(dst + half + e, vf_fma(y, cos, vf_mul(x, sin)), m);
	}
}

static inline void rope_tile(const struct quill_rope_tile *t)
{
	size_t i, h;

	for (i = 0; i < t->rows; i++) {
		const float *table = t->table + i * t->table_stride;

		for (h = 0; h < t->heads; h++) {
			const float *src = t->src + i * t->src_stride + h * t->dim;
			float *dst = t->dst + i * t->dst_stride + h * t->dim;

			if (t->halves)
				rope_halves(src, dst, table, t->dim / 2);
			else
				rope_neighbours(src, dst, table, t->dim);
		}
	}
}

#endif /* QUILL_ROPE_LOOPS_H */
