/* SPDX-License-Identifier: MIT */
/*
 * RMSNORM, LAYERNORM, SOFTMAX, ELTWISE, ACT and REDUCE, written once over lanes. kernels_*.c includes it.
 *
 * A row's last vector may be narrow: its absent lanes are loaded as +0, which changes no sum (these start at +0),
 * and are replaced where they would count.
 */
#ifndef QUILL_VECTOR_LOOPS_H
#define QUILL_VECTOR_LOOPS_H

#include <math.h>

#include "engine.h"
#include "functions.h"
#include "vector.h"

/* ---- RMSNORM, LAYERNORM ---- */

/* Where a row's x comes from: @src, plus @residual unless that is NULL. */
struct norm_row {
	const float *src;
	const float *residual;
	uint32_t n;
};

static inline vf norm_load(const struct norm_row *row, uint32_t e, uint32_t m)
{
	vf x = vector_load(row->src + e, m);

	return row->residual ? vf_add(x, vector_load(row->residual + e, m)) : x;
}

/* From here on the sum is x: in place, what it was made from is gone. */
static inline void norm_add(struct norm_row *row, float *sum)
{
	for (EACH_VECTOR(e, m, row->n))
		vector_store(sum + e, norm_load(row, e, m), m);
	row->src = sum;
	row->residual = NULL;
}

static inline float norm_mean(const struct norm_row *row)
{
	vf total = vf_set1(0.0f);

	for (EACH_VECTOR(e, m, row->n))
		total = vf_add(total, norm_load(row, e, m));
	return vf_tree_sum(total) / (float)row->n;
}

/* Mean of the squares of x - mean. RMSNORM's mean is +0: x - 0 is x, -0 included. */
static inline float norm_mean_square(const struct norm_row *row, float mean)
{
	vf total = vf_set1(0.0f);

	for (EACH_VECTOR(e, m, row->n)) {
		vf x = vf_sub(norm_load(row, e, m), vf_set1(mean));

		x = vf_first(x, (int)m, vf_set1(0.0f));
		total = vf_fma(x, x, total);
	}
	return vf_tree_sum(total) / (float)row->n;
}

static inline void norm_one(const struct quill_norm_tile *t, struct norm_row row, float *sum,
			    float *dst)
{
	float mean = 0.0f, inverse;

	if (sum)
		norm_add(&row, sum);
	if (t->layer)
		mean = norm_mean(&row);
	inverse = 1.0f / sqrtf(norm_mean_square(&row, mean) + t->eps);
	for (EACH_VECTOR(e, m, row.n)) {
		vf x = vf_sub(norm_load(&row, e, m), vf_set1(mean));
		vf w = vector_load(t->weight + e, m);

		x = vf_mul(x, vf_set1(inverse));
		x = t->bias ? vf_fma(x, w, vector_load(t->bias + e, m)) : vf_mul(x, w);
		vector_store(dst + e, x, m);
	}
}

static inline void norm_tile(const struct quill_norm_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++)
		norm_one(t,
			 (struct norm_row){
				 .src = t->src + i * t->src_stride,
				 .residual = t->residual ? t->residual + i * t->residual_stride : NULL,
				 .n = t->n,
			 },
			 t->sum ? t->sum + i * t->sum_stride : NULL, t->dst + i * t->dst_stride);
}

/* ---- SOFTMAX ---- */

static inline float softmax_max(const float *src, uint32_t n, vf scale)
{
	vf low = vf_set1(-INFINITY), most = low;

	for (EACH_VECTOR(e, m, n))
		most = vf_max(vf_first(vf_mul(vector_load(src + e, m), scale), (int)m, low), most);
	return vf_tree_max(most);
}

/* The weights wait in @dst for their sum. */
static inline void softmax_one(const float *src, float *dst, uint32_t n, float scale)
{
	vf s = vf_set1(scale), max = vf_set1(softmax_max(src, n, s)), total = vf_set1(0.0f);
	vf inverse;

	for (EACH_VECTOR(e, m, n)) {
		vf p = exp_lanes(vf_sub(vf_mul(vector_load(src + e, m), s), max));

		total = vf_add(total, vf_first(p, (int)m, vf_set1(0.0f)));
		vector_store(dst + e, p, m);
	}
	inverse = vf_set1(1.0f / vf_tree_sum(total));
	for (EACH_VECTOR(e, m, n))
		vector_store(dst + e, vf_mul(vector_load(dst + e, m), inverse), m);
}

static inline void softmax_tile(const struct quill_softmax_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++)
		softmax_one(t->src + i * t->src_stride, t->dst + i * t->dst_stride, t->n, t->scale);
}

/* ---- ELTWISE ---- */

static inline __attribute__((always_inline)) vf eltwise_lanes(const uint32_t op, vf a, vf b)
{
	switch (op) {
	case QUILL_ELTWISE_ADD:
		return vf_add(a, b);
	case QUILL_ELTWISE_SUB:
		return vf_sub(a, b);
	case QUILL_ELTWISE_MUL:
		return vf_mul(a, b);
	case QUILL_ELTWISE_MAX:
		return vf_max(a, b);
	default:
		return vf_min(a, b);
	}
}

/* With op a constant: no choice is left inside the loops. */
static inline __attribute__((always_inline)) void
eltwise_rows(const uint32_t op, const struct quill_eltwise_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++) {
		const float *a = t->a + i * t->a_stride, *b = t->b + i * t->b_stride;
		float *dst = t->dst + i * t->dst_stride;

		for (EACH_VECTOR(e, m, t->n))
			vector_store(dst + e, eltwise_lanes(op, vector_load(a + e, m),
							    vector_load(b + e, m)), m);
	}
}

static inline void eltwise_tile(const struct quill_eltwise_tile *t)
{
	switch (t->op) {
	case QUILL_ELTWISE_ADD:
		return eltwise_rows(QUILL_ELTWISE_ADD, t);
	case QUILL_ELTWISE_SUB:
		return eltwise_rows(QUILL_ELTWISE_SUB, t);
	case QUILL_ELTWISE_MUL:
		return eltwise_rows(QUILL_ELTWISE_MUL, t);
	case QUILL_ELTWISE_MAX:
		return eltwise_rows(QUILL_ELTWISE_MAX, t);
	case QUILL_ELTWISE_MIN:
		return eltwise_rows(QUILL_ELTWISE_MIN, t);
	}
}

/* ---- ACT ---- */

static inline __attribute__((always_inline)) vf act_lanes(const uint32_t op, vf x)
{
	switch (op) {
	case QUILL_ACT_RELU:
		return vf_max(vf_set1(0.0f), x);
	case QUILL_ACT_SIGMOID:
		return sigmoid_lanes(x);
	case QUILL_ACT_SILU:
		return silu_lanes(x);
	case QUILL_ACT_TANH:
		return tanh_lanes(x);
	default:
		return gelu_lanes(x);
	}
}

static inline __attribute__((always_inline)) void act_rows(const uint32_t op,
							   const struct quill_act_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++) {
		const float *src = t->src + i * t->src_stride;
		const float *gate = t->gate ? t->gate + i * t->gate_stride : NULL;
		float *dst = t->dst + i * t->dst_stride;

		for (EACH_VECTOR(e, m, t->n)) {
			vf x = act_lanes(op, vector_load(src + e, m));

			if (gate)
				x = vf_mul(x, vector_load(gate + e, m));
			vector_store(dst + e, x, m);
		}
	}
}

static inline void act_tile(const struct quill_act_tile *t)
{
	switch (t->op) {
	case QUILL_ACT_RELU:
		return act_rows(QUILL_ACT_RELU, t);
	case QUILL_ACT_SIGMOID:
		return act_rows(QUILL_ACT_SIGMOID, t);
	case QUILL_ACT_SILU:
		return act_rows(QUILL_ACT_SILU, t);
	case QUILL_ACT_TANH:
		return act_rows(QUILL_ACT_TANH, t);
	case QUILL_ACT_GELU:
		return act_rows(QUILL_ACT_GELU, t);
	}
}

/* ---- REDUCE ---- */

static inline float reduce_sum(const float *x, uint32_t n)
{
	vf total = vf_set1(0.0f);

	for (EACH_VECTOR(e, m, n))
		total = vf_add(total, vector_load(x + e, m));
	return vf_tree_sum(total);
}

static inline float reduce_max(const float *x, uint32_t n)
{
	return softmax_max(x, n, vf_set1(1.0f));
}

/* The first element that equals @value, or @n. */
static inline uint32_t reduce_find(const float *x, uint32_t n, float value)
{
	for (EACH_VECTOR(e, m, n)) {
		uint32_t equal = vf_equal_bits(vector_load(x + e, m), vf_set1(value));

		equal &= (1u << m) - 1;
		if (equal)
			return e + (uint32_t)__builtin_ctz(equal);
	}
	return n;
}

/* Elements that are looked at twice, where a new maximum is found: few enough to be in the cache still. */
#define REDUCE_PART 1024u

static inline int32_t reduce_argmax(const float *x, uint32_t n)
{
	float most = -INFINITY, max;
	bool found = false;
	uint32_t at = 0, first, part, i;

	for (first = 0; first < n; first += part) {
		part = n - first < REDUCE_PART ? n - first : REDUCE_PART;
		max = reduce_max(x + first, part);
		if (found && !(max > most))
			continue;
		/* in a part of NaN alone there is no maximum to find */
		i = reduce_find(x + first, part, max);
		if (i == part)
			continue;
		found = true;
		most = max;
		at = first + i;
	}
	return (int32_t)at;
}

static inline void reduce_tile(const struct quill_reduce_tile *t)
{
	size_t i;

	for (i = 0; i < t->rows; i++) {
		const float *x = t->src + i * t->src_stride;

		if (t->op == QUILL_REDUCE_ARGMAX)
			((int32_t *)t->dst)[i] = reduce_argmax(x, t->n);
		else if (t->op == QUILL_REDUCE_MAX)
			((float *)t->dst)[i] = reduce_max(x, t->n);
		else
			((float *)t->dst)[i] = float_canonical(reduce_sum(x, t->n));
	}
}

#endif /* QUILL_VECTOR_LOOPS_H */
