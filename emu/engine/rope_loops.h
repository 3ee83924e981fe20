/* SPDX-License-Identifier: MIT */
/* ROPE, written once over lanes. kernels_*.c includes it. */
#ifndef QUILL_ROPE_LOOPS_H
#define QUILL_ROPE_LOOPS_H

#include <string.h>

#include "engine.h"
#include "vector.h"

/* Pairs of neighbours: they and their cosines and sines lie alike. */
TEMPLATE void rope_neighbours(const float *src, float *dst, const float *table, uint32_t dim,
			      const bool stream)
{
	OVER_VECTORS(e, m, dim) {
		vf x = vector_load(src + e, m), t = vector_load(table + e, m);
		vf y = vf_mul(vf_pair_swap(x), vf_pair_second(t));

		vector_write(dst + e, vf_fma(x, vf_pair_first(t), vf_pair_neg_first(y)), m, stream);
	}
}

TEMPLATE void rope_halves(const float *src, float *dst, const float *table, uint32_t half,
			  const bool stream)
{
	OVER_VECTORS(e, m, half) {
		vf x = vector_load(src + e, m), y = vector_load(src + half + e, m);
		uint32_t first = 2 * m < LANES ? 2 * m : LANES;
		vf a = vector_load(table + 2 * e, first), b = vf_set1(0.0f);
		vf cos, sin;

		if (2 * m > LANES)
			b = vector_load(table + 2 * e + LANES, 2 * m - LANES);
		cos = vf_evens(a, b);
		sin = vf_odds(a, b);
		vector_write(dst + e, vf_fma(x, cos, vf_neg(vf_mul(y, sin))), m, stream);
		vector_write(dst + half + e, vf_fma(y, cos, vf_mul(x, sin)), m, stream);
	}
}

/* What does not turn, bit by bit; whole vectors if @stream. */
TEMPLATE void rope_rest(const float *src, float *dst, uint32_t n, const bool stream)
{
	uint32_t e;

	if (!stream)
		memcpy(dst, src, n * sizeof(*src));
	else
		for (e = 0; e < n; e += LANES)
			vf_stream(dst + e, vf_load(src + e));
}

TEMPLATE void rope_rows(const struct quill_rope_tile *t, const bool stream)
{
	size_t i, h;

	for (i = 0; i < t->rows; i++) {
		const float *table = t->table + i * t->table_stride;

		for (h = 0; h < t->heads; h++) {
			const float *src = t->src + i * t->src_stride + h * t->dim;
			float *dst = t->dst + i * t->dst_stride + h * t->dim;

			if (t->halves)
				rope_halves(src, dst, table, t->rotary / 2, stream);
			else
				rope_neighbours(src, dst, table, t->rotary, stream);
			if (src != dst && t->rotary < t->dim)
				rope_rest(src + t->rotary, dst + t->rotary, t->dim - t->rotary,
					  stream);
		}
	}
	if (stream)
		vf_stream_end();
}

static inline void rope_tile(const struct quill_rope_tile *t)
{
	/* halves begin at a vector, too */
	if (vector_streams(t->stream, t->dst, t->dst_stride * sizeof(float)) &&
	    t->rotary % (2 * LANES) == 0 && t->dim % LANES == 0)
		rope_rows(t, true);
	else
		rope_rows(t, false);
}

#endif /* QUILL_ROPE_LOOPS_H */
