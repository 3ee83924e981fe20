/* SPDX-License-Identifier: MIT */
/*
 * The online softmax of ATTENTION over a block of 64 keys, for up to 16 rows at a time. A row is a query of one head.
 *
 * What is one number a row (maximum, sum, rescaling) is computed for all 16 rows in one vector. Rows that do not see
 * the block keep what they have.
 */
#ifndef QUILL_ATTENTION_SOFTMAX_H
#define QUILL_ATTENTION_SOFTMAX_H

#include <math.h>

#include "engine.h"
#include "exp.h"

#define BLOCK QUILL_ATTENTION_BLOCK
#define BLOCK_VECTORS (BLOCK / LANES)

/* The running state of 16 rows, and the block's. */
struct softmax_rows {
	float max[LANES];
	float sum[LANES];
	/* what the results so far are multiplied by */
	float alpha[LANES];
	/* weights are whole multiples of it; where they are float32: not used */
	float unit[LANES];
	/* keys of the present block that the row sees: from .. to - 1, none if to is 0 */
	uint8_t from[LANES];
	uint8_t to[LANES];
};

/* What passes between the steps for one block. */
struct softmax_scratch {
	/* scores, then weights */
	float x[LANES][BLOCK];
	/* the lanes of each row, to be folded */
	float lanes[LANES][LANES];
	int32_t most[LANES][LANES];
};

static inline void softmax_start(struct softmax_rows *s)
{
	vf_store(s->max, vf_set1(-INFINITY));
	vf_store(s->sum, vf_set1(0.0f));
}

static inline bool softmax_whole(const struct softmax_rows *s, uint32_t r)
{
	return s->from[r] == 0 && s->to[r] == BLOCK;
}

/* Keys that row @r does not see score -infinity, and the row's maximum by lanes. @x holds its scores. */
static inline void softmax_scores(const struct softmax_rows *s, struct softmax_scratch *w, uint32_t r,
				  vf x[BLOCK_VECTORS])
{
	vf low = vf_set1(-INFINITY), most = low;
	int c;

	for (c = 0; c < BLOCK_VECTORS; c++) {
		if (!softmax_whole(s, r))
			x[c] = vf_range(x[c], s->from[r] - c * LANES, s->to[r] - c * LANES, low);
		most = vf_max(x[c], most);
		vf_store(&w->x[r][c * LANES], x[c]);
	}
	vf_store(w->lanes[r], most);
}

/* Trees of the first @rows rows; of so few each on its own is cheaper than all at once. */
#define SOFTMAX_FEW 3

static inline vf softmax_fold_max(const float (*x)[LANES], uint32_t rows)
{
	float tree[LANES] = { 0 };

	if (rows > SOFTMAX_FEW)
		return fold_max(x);
	for (uint32_t r = 0; r < rows; r++)
		tree[r] = vf_tree_max(vf_load(x[r]));
	return vf_load(tree);
}

static inline vf softmax_fold_sum(const float (*x)[LANES], uint32_t rows)
{
	float tree[LANES] = { 0 };

	if (rows > SOFTMAX_FEW)
		return fold_sum(x);
	for (uint32_t r = 0; r < rows; r++)
		tree[r] = vf_tree_sum(vf_load(x[r]));
	return vf_load(tree);
}

/* a where the row sees the block, else b. */
static inline vf softmax_seen(const struct softmax_rows *s, vf a, vf b)
{
	float to[LANES];

	for (int r = 0; r < LANES; r++)
		to[r] = s->to[r];
	return vf_select_below(vf_load(to), vf_set1(0.5f), b, a);
}

/* From the lanes' maxima to the new maximum and alpha. */
static inline void softmax_maximum(struct softmax_rows *s, struct softmax_scratch *w, uint32_t rows)
{
	vf old = vf_load(s->max);
	vf max = softmax_seen(s, vf_max(softmax_fold_max(w->lanes, rows), old), old);

	vf_store(s->alpha, exp_lanes(vf_sub(old, max)));
	vf_store(s->max, max);
}

/* p of one vector, and its sum by lanes. */
static inline vf softmax_p(const struct softmax_scratch *w, uint32_t r, int c, vf max, vf *total)
{
	/* 0 for absent keys, unless all scores are -inf or NaN, and then so is the sum. */
	vf p = exp_lanes(vf_sub(vf_load(&w->x[r][c * LANES]), max));

	*total = vf_add(*total, p);
	return p;
}

/*
 * Weights p, or p * v_scale if there are scales, and with @most the bits of the largest of them by lanes. What
 * scales stand beside absent keys is no matter.
 */
static inline __attribute__((always_inline)) void
softmax_weights(struct softmax_rows *s, struct softmax_scratch *w, uint32_t r, const float *v_scale,
		const bool most)
{
	vf total = vf_set1(0.0f), max = vf_set1(s->max[r]);
	vi largest = vi_set1(0);
	int c;

	for (c = 0; c < BLOCK_VECTORS; c++) {
		vf x = softmax_p(w, r, c, max, &total);

		if (v_scale)
			x = vf_mul(x, vf_load(v_scale + c * LANES));
		if (v_scale && !softmax_whole(s, r))
			x = vf_range(x, s->from[r] - c * LANES, s->to[r] - c * LANES, vf_set1(0.0f));
		if (most)
			largest = vi_max(largest, vf_magnitude(x));
		vf_store(&w->x[r][c * LANES], x);
	}
	vf_store(w->lanes[r], total);
	if (most)
		vi_store(w->most[r], largest);
}

static inline void softmax_sum(struct softmax_rows *s, struct softmax_scratch *w, uint32_t rows)
{
	vf old = vf_load(s->sum);

	vf sum = vf_fma(old, vf_load(s->alpha), softmax_fold_sum(w->lanes, rows));

	vf_store(s->sum, softmax_seen(s, sum, old));
}

/* Weights are rounded to multiples of their largest's 32767th part. */
#define WEIGHT_STEPS	32767.0f
/* A largest weight below 2^-100 counts as that: its inverse must be a number. */
#define WEIGHT_LEAST	((127 - 100) << 23)

/*
 * The unit of each row, and the factor that brings weights to units. Where a weight is infinite or NaN the unit
 * is NaN, and so are the row's results.
 */
static inline void softmax_units(struct softmax_rows *s, const struct softmax_scratch *w,
				 float inverse[LANES])
{
	vf most = vi_as_vf(vi_max(fold_most(w->most), vi_set1(WEIGHT_LEAST)));
	vf unit = vf_div(most, vf_set1(WEIGHT_STEPS));

	vf_store(inverse, vf_div(vf_set1(WEIGHT_STEPS), most));
	/* infinity minus itself is NaN */
	vf_store(s->unit, vf_add(unit, vf_sub(most, most)));
}

static inline void softmax_round(const struct softmax_scratch *w, uint32_t r, float inverse,
				 int16_t *weights)
{
	int c;

	for (c = 0; c < BLOCK_VECTORS; c++)
		vf_store_s16(weights + c * LANES,
			     vf_mul(vf_load(&w->x[r][c * LANES]), vf_set1(inverse)));
}

#endif /* QUILL_ATTENTION_SOFTMAX_H */
