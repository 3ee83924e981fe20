/* SPDX-License-Identifier: MIT */
/*
 * TOPK and SAMPLE, written once over lanes. kernels_*.c includes it.
 *
 * SAMPLE's weights are whole numbers, so that their sums are exact and in whatever order: that is what lets it look at a
 * vocabulary once or twice instead of sorting it.
 */
#ifndef QUILL_SAMPLE_LOOPS_H
#define QUILL_SAMPLE_LOOPS_H

#include <math.h>

#include "engine.h"
#include "philox.h"
#include "select_loops.h"
#include "vector.h"
#include "vector_loops.h"

/* The weight of the most likely. */
#define SAMPLE_ONE	0x1p30f
#define SAMPLE_ONE_U32	(1u << 30)

/* ---- TOPK ---- */

static inline void topk_row(const struct quill_topk_tile *t, const float *x, float *value,
			    int32_t *index)
{
	struct select_best best;
	uint32_t i, at;

	select_first(&best, x, t->n, t->k);
	for (i = 0; i < t->k; i++) {
		at = select_index(best.place[i]);
		index[i] = (int32_t)at;
		if (value)
			value[i] = float_canonical(x[at]);
	}
}

static inline void topk_tile(const struct quill_topk_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++)
		topk_row(t, t->src + i * t->src_stride,
			 t->value ? t->value + i * t->value_stride : NULL,
			 t->index + i * t->index_stride);
}

/* ---- SAMPLE: weights ---- */

/* What turns values into weights: exp(x * scale - max) in units of 2^-30. */
struct sample_scale {
	float scale, max;
};

/* With an infinite maximum the elements that are as large weigh alike, and others nothing. */
static inline void sample_weights_infinite(const struct sample_scale *s, const float *x, uint32_t n,
					   uint32_t *weight)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		weight[i] = x[i] * s->scale == s->max ? SAMPLE_ONE_U32 : 0;
}

/* NaN weigh nothing. */
static inline void sample_weights(const struct sample_scale *s, const float *x, uint32_t n,
				  uint32_t *weight)
{
	vf scale = vf_set1(s->scale), max = vf_set1(s->max);

	if (!(fabsf(s->max) < INFINITY)) {
		sample_weights_infinite(s, x, n, weight);
		return;
	}
	OVER_VECTORS(e, m, n) {
		vf p = exp_lanes(vf_sub(vf_mul(vector_load(x + e, m), scale), max));
		int32_t w[LANES];

		p = vf_mul(vf_max(p, vf_set1(0.0f)), vf_set1(SAMPLE_ONE));
		if (m == LANES) {
			vi_store((int32_t *)weight + e, vf_to_vi(p));
			continue;
		}
		vi_store(w, vf_to_vi(p));
		memcpy(weight + e, w, m % LANES * sizeof(*w));
	}
}

static inline uint64_t sample_sum(const uint32_t *weight, uint32_t n)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		sum += weight[i];
	return sum;
}

/* ---- SAMPLE: what is kept ---- */

/* So much of a mass that top_p asks for; at least 1. */
static inline uint64_t sample_target(float top_p, uint64_t mass)
{
	uint64_t part = (uint64_t)rintf(top_p * 0x1p24f);
	unsigned __int128 target = (unsigned __int128)(part ? part : 1) * mass;

	return (uint64_t)((target + 0xffffff) >> 24);
}

/* Nothing behind @last, in the order, weighs anything any more. */
static inline void sample_drop(const float *x, uint32_t *weight, uint32_t n, uint64_t last)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		weight[i] = select_place(x[i], i) <= last ? weight[i] : 0;
}

static inline uint32_t sample_count(const float *x, uint32_t n)
{
	uint32_t i, count = 0;

	for (i = 0; i < n; i++)
		count += x[i] == x[i];
	return count;
}

/* The element at which the weights, added up by index, pass @at. */
static inline uint32_t sample_walk(const uint32_t *weight, uint32_t n, uint64_t at)
{
	enum { PART = 1024 };
	uint32_t i = 0;
	uint64_t sum;

	for (; n - i > PART; i += PART) {
		sum = sample_sum(weight + i, PART);
		if (at < sum)
			break;
		at -= sum;
	}
	for (; at >= weight[i]; i++)
		at -= weight[i];
	return i;
}

/* A random number below @mass. */
static inline uint64_t sample_at(const struct quill_sample_tile *t, uint32_t row, uint64_t mass)
{
	const uint32_t key[2] = { (uint32_t)t->seed, (uint32_t)(t->seed >> 32) };
	const uint32_t counter[4] = { (uint32_t)t->counter, (uint32_t)(t->counter >> 32), row, 0 };
	uint32_t out[4];

	philox_4x32(key, counter, out);
	return (uint64_t)((unsigned __int128)((uint64_t)out[1] << 32 | out[0]) * mass >> 64);
}

/* Among the first few: they are found without a look at the others' weights. */
static inline uint32_t sample_few(const struct quill_sample_tile *t, const float *x, uint32_t row)
{
	float value[QUILL_TOPK_MAX];
	uint32_t weight[QUILL_TOPK_MAX], kept, i;
	struct sample_scale s = { .scale = 1.0f / t->temperature };
	struct select_best best;
	uint64_t target, sum = 0;

	select_first(&best, x, t->n, t->top_k);
	s.max = x[select_index(best.place[0])] * s.scale;
	/* a row of NaN alone has no choice */
	if (x[select_index(best.place[0])] != x[select_index(best.place[0])])
		return select_index(best.place[0]);
	for (i = 0; i < t->top_k; i++)
		value[i] = x[select_index(best.place[i])];
	sample_weights(&s, value, t->top_k, weight);
	target = sample_target(t->top_p, sample_sum(weight, t->top_k));
	for (kept = 0; sum < target; kept++)
		sum += weight[kept];

	/* by index from here on, each with its weight; both fit into a word */
	for (i = 0; i < kept; i++)
		best.place[i] = best.place[i] << 32 | weight[i];
	select_sort(best.place, kept);
	for (i = 0; i < kept; i++)
		weight[i] = (uint32_t)best.place[i];
	return (uint32_t)(best.place[sample_walk(weight, kept, sample_at(t, row, sum))] >> 32);
}

static inline uint32_t sample_many(const struct quill_sample_tile *t, const struct sample_scale *s,
				   const float *x, uint32_t row)
{
	uint32_t *weight = t->scratch;
	uint64_t mass;

	sample_weights(s, x, t->n, weight);
	if (t->top_k && t->top_k < t->n && t->top_k < sample_count(x, t->n))
		sample_drop(x, weight, t->n, select_to(x, NULL, t->n, t->top_k));
	mass = sample_sum(weight, t->n);
	if (t->top_p < 1.0f) {
		sample_drop(x, weight, t->n,
			    select_to(x, weight, t->n, sample_target(t->top_p, mass)));
		mass = sample_sum(weight, t->n);
	}
	return sample_walk(weight, t->n, sample_at(t, row, mass));
}

static inline uint32_t sample_row(const struct quill_sample_tile *t, const float *x, uint32_t row)
{
	struct sample_scale s;
	uint32_t first;

	if (t->temperature != 0 && t->top_k && t->top_k <= QUILL_TOPK_MAX && t->top_k < t->n)
		return sample_few(t, x, row);
	first = (uint32_t)reduce_argmax(x, t->n);
	/* a row of NaN alone has no choice either */
	if (t->temperature == 0 || x[first] != x[first])
		return first;
	s.scale = 1.0f / t->temperature;
	s.max = x[first] * s.scale;
	return sample_many(t, &s, x, row);
}

/* What SOFTMAX with scale 1 gives for one element. */
static inline float sample_prob(const float *x, uint32_t n, uint32_t at)
{
	float max = reduce_max(x, n);
	vf total = vf_set1(0.0f);

	OVER_VECTORS(e, m, n) {
		vf p = exp_lanes(vf_sub(vector_load(x + e, m), vf_set1(max)));

		total = vf_add(total, vf_first(p, (int)m, vf_set1(0.0f)));
	}
	return float_canonical(exp_one(x[at] - max) * (1.0f / vf_tree_sum(total)));
}

static inline void sample_tile(const struct quill_sample_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++) {
		const float *x = t->src + i * t->src_stride;

		t->dst[i] = (int32_t)sample_row(t, x, t->row + (uint32_t)i);
		if (t->prob)
			t->prob[i] = sample_prob(x, t->n, (uint32_t)t->dst[i]);
	}
}

#endif /* QUILL_SAMPLE_LOOPS_H */
