/* SPDX-License-Identifier: MIT */
/* MERGE, written once over lanes: parts of an attention, each with its largest score and its sum, become one. */
#ifndef QUILL_MERGE_LOOPS_H
#define QUILL_MERGE_LOOPS_H

#include <math.h>

#include "engine.h"
#include "exp.h"

/* What part @s of a row is multiplied by is @weight[s]; one without a sum has seen no key. */
static inline void merge_weights(const struct quill_merge_tile *t, const float *state, float *weight,
				 float *max, float *sum)
{
	uint32_t s;

	*max = -INFINITY;
	*sum = 0.0f;
	for (s = 0; s < t->parts; s++) {
		const float *part = state + s * t->state_stride;

		if (part[1] != 0 && part[0] > *max)
			*max = part[0];
	}
	for (s = 0; s < t->parts; s++) {
		const float *part = state + s * t->state_stride;

		weight[s] = part[1] * exp_one(part[0] - *max);
		if (part[1] != 0)
			*sum += weight[s];
	}
}

static inline void merge_row(const struct quill_merge_tile *t, const float *src, const float *state,
			     float *dst, float *dst_state)
{
	float weight[QUILL_MERGE_MAX_PARTS], max, sum;
	uint32_t e, s;

	merge_weights(t, state, weight, &max, &sum);
	for (e = 0; e < t->dim; e += LANES) {
		vf acc = vf_set1(0.0f);

		for (s = 0; s < t->parts; s++)
			if (state[s * t->state_stride + 1] != 0)
				acc = vf_fma(vf_set1(weight[s]),
					     vf_load(src + s * t->part_stride + e), acc);
		vf_store(dst + e, vf_canonical(vf_div(acc, vf_set1(sum))));
	}
	if (dst_state) {
		dst_state[0] = max;
		dst_state[1] = isnan(sum) ? __builtin_nanf("") : sum;
	}
}

static inline void merge_tile(const struct quill_merge_tile *t)
{
	size_t i, h;

	for (i = 0; i < t->rows; i++)
		for (h = 0; h < t->heads; h++)
			merge_row(t, t->src + i * t->src_stride + h * t->dim,
				  t->state + (i * t->heads + h) * 2,
				  t->dst + i * t->dst_stride + h * t->dim,
				  t->dst_state ? t->dst_state + (i * t->heads + h) * 2 : NULL);
}

#endif /* QUILL_MERGE_LOOPS_H */
