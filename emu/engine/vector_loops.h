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

/* From here on @src is x: what it was made from may be gone. */
static inline void norm_is(struct norm_row *row, const float *src)
{
	row->src = src;
	row->residual = NULL;
}

/*
 * The first look: the mean of x, or of its squares. The sum is stored, if that is wanted, and x kept for the next
 * look: in the sum, or in @buffer where that streams.
 */
TEMPLATE float norm_look(struct norm_row *row, float *sum, float *buffer, const bool layer,
			 const bool stream)
{
	bool keep = stream && row->residual;
	vf total = vf_set1(0.0f);

	OVER_VECTORS(e, m, row->n) {
		vf x = norm_load(row, e, m);

		if (sum)
			vector_write(sum + e, x, m, stream);
		if (keep)
			vf_store(buffer + e, x);
		total = layer ? vf_add(total, x) : vf_fma(x, x, total);
	}
	if (keep)
		norm_is(row, buffer);
	else if (sum)
		norm_is(row, sum);
	return vf_tree_sum(total) / (float)row->n;
}

/* Mean of the squares of x - mean. */
static inline float norm_variance(const struct norm_row *row, float mean)
{
	vf total = vf_set1(0.0f);

	OVER_VECTORS(e, m, row->n) {
		vf x = vf_sub(norm_load(row, e, m), vf_set1(mean));

		x = vf_first(x, (int)m, vf_set1(0.0f));
		total = vf_fma(x, x, total);
	}
	return vf_tree_sum(total) / (float)row->n;
}

TEMPLATE void norm_row(const struct quill_norm_tile *t, size_t i, const bool layer,
		       const bool stream)
{
	float buffer[stream ? VECTOR_BUFFER : 1] __attribute__((aligned(64)));
	float *dst = t->dst + i * t->dst_stride;
	struct norm_row row = {
		.src = t->src + i * t->src_stride,
		.residual = t->residual ? t->residual + i * t->residual_stride : NULL,
		.n = t->n,
	};
	const float *next = row.src + t->src_stride, *next_residual = row.residual + t->residual_stride;
	bool two = row.residual;
	float mean = 0.0f, inverse;

	inverse = norm_look(&row, t->sum ? t->sum + i * t->sum_stride : NULL, buffer, layer, stream);
	if (layer) {
		mean = inverse;
		inverse = norm_variance(&row, mean);
	}
	inverse = 1.0f / sqrtf(inverse + t->eps);
	OVER_VECTORS(e, m, t->n) {
		vf x = norm_load(&row, e, m);
		vf w = vector_load(t->weight + e, m);

		vector_fetch(next + e, stream);
		if (two)
			vector_fetch(next_residual + e, stream);
		/* RMSNORM's mean would be +0: x - 0 is x, -0 included */
		x = layer ? vf_sub(x, vf_set1(mean)) : x;
		x = vf_mul(x, vf_set1(inverse));
		x = t->bias ? vf_fma(x, w, vector_load(t->bias + e, m)) : vf_mul(x, w);
		vector_result(dst + e, x, m, stream);
	}
}

TEMPLATE void norm_rows(const struct quill_norm_tile *t, const bool layer, const bool stream)
{
	size_t i;

	for (i = 0; i < t->rows; i++)
		norm_row(t, i, layer, stream);
	if (stream)
		vf_stream_end();
}

static inline void norm_tile(const struct quill_norm_tile *t)
{
	bool stream = vector_streams(t->stream, t->dst, t->dst_stride * sizeof(float)) &&
		      vector_streams(t->stream, t->sum, t->sum_stride * sizeof(float)) &&
		      t->n <= VECTOR_BUFFER;

	if (t->layer)
		return stream ? norm_rows(t, true, true) : norm_rows(t, true, false);
	return stream ? norm_rows(t, false, true) : norm_rows(t, false, false);
}

/* ---- SOFTMAX ---- */

static inline float reduce_max(const float *src, uint32_t n)
{
	vf low = vf_set1(-INFINITY), most = low;

	OVER_VECTORS(e, m, n)
		most = vf_max(vf_first(vector_load(src + e, m), (int)m, low), most);
	return vf_tree_max(most);
}

/* Rounding keeps the order: the largest product is that of the largest, but for scales that make NaN or turn it. */
static inline float softmax_max(const float *src, uint32_t n, float scale)
{
	vf low = vf_set1(-INFINITY), most = low;

	if (scale > 0 && scale < INFINITY)
		return reduce_max(src, n) * scale;
	OVER_VECTORS(e, m, n) {
		vf x = vf_mul(vector_load(src + e, m), vf_set1(scale));

		most = vf_max(vf_first(x, (int)m, low), most);
	}
	return vf_tree_max(most);
}

/* The weights wait for their sum: in @dst, or in a buffer where that streams. */
TEMPLATE void softmax_row(const struct quill_softmax_tile *t, const float *src, float *dst,
			  const bool stream)
{
	float buffer[stream ? VECTOR_BUFFER : 1] __attribute__((aligned(64)));
	vf scale = vf_set1(t->scale), max = vf_set1(softmax_max(src, t->n, t->scale));
	vf total = vf_set1(0.0f), inverse;
	float *weights = stream ? buffer : dst;

	OVER_VECTORS(e, m, t->n) {
		vf p = exp_lanes(vf_sub(vf_mul(vector_load(src + e, m), scale), max));

		vector_fetch(src + t->src_stride + e, stream);
		total = vf_add(total, vf_first(p, (int)m, vf_set1(0.0f)));
		vector_put(weights + e, p, m, false);
	}
	inverse = vf_set1(1.0f / vf_tree_sum(total));
	OVER_VECTORS(e, m, t->n)
		vector_result(dst + e, vf_mul(vector_load(weights + e, m), inverse), m, stream);
}

TEMPLATE void softmax_rows(const struct quill_softmax_tile *t, const bool stream)
{
	size_t i;

	for (i = 0; i < t->rows; i++)
		softmax_row(t, t->src + i * t->src_stride, t->dst + i * t->dst_stride, stream);
	if (stream)
		vf_stream_end();
}

static inline void softmax_tile(const struct quill_softmax_tile *t)
{
	if (vector_streams(t->stream, t->dst, t->dst_stride * sizeof(float)) &&
	    t->n <= VECTOR_BUFFER)
		softmax_rows(t, true);
	else
		softmax_rows(t, false);
}

/* ---- ELTWISE ---- */

TEMPLATE vf eltwise_lanes(const uint32_t op, vf a, vf b)
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

/* With constants: no choice is left inside the loops. */
TEMPLATE void eltwise_rows(const uint32_t op, const struct quill_eltwise_tile *t, const bool stream)
{
	size_t i;

	for (i = 0; i < t->rows; i++) {
		const float *a = t->a + i * t->a_stride, *b = t->b + i * t->b_stride;
		float *dst = t->dst + i * t->dst_stride;

		OVER_VECTORS(e, m, t->n)
			vector_write(dst + e, eltwise_lanes(op, vector_load(a + e, m),
							    vector_load(b + e, m)), m, stream);
	}
	if (stream)
		vf_stream_end();
}

TEMPLATE void eltwise_op(const uint32_t op, const struct quill_eltwise_tile *t)
{
	if (vector_streams(t->stream, t->dst, t->dst_stride * sizeof(float)))
		eltwise_rows(op, t, true);
	else
		eltwise_rows(op, t, false);
}

static inline void eltwise_tile(const struct quill_eltwise_tile *t)
{
	switch (t->op) {
	case QUILL_ELTWISE_ADD:
		return eltwise_op(QUILL_ELTWISE_ADD, t);
	case QUILL_ELTWISE_SUB:
		return eltwise_op(QUILL_ELTWISE_SUB, t);
	case QUILL_ELTWISE_MUL:
		return eltwise_op(QUILL_ELTWISE_MUL, t);
	case QUILL_ELTWISE_MAX:
		return eltwise_op(QUILL_ELTWISE_MAX, t);
	case QUILL_ELTWISE_MIN:
		return eltwise_op(QUILL_ELTWISE_MIN, t);
	}
}

/* ---- ACT ---- */

TEMPLATE void act_rows(const uint32_t op, const struct quill_act_tile *t, const bool stream)
{
	size_t i;

	for (i = 0; i < t->rows; i++) {
		const float *src = t->src + i * t->src_stride;
		const float *gate = t->gate ? t->gate + i * t->gate_stride : NULL;
		float *dst = t->dst + i * t->dst_stride;

		OVER_VECTORS(e, m, t->n) {
			vf x = act_lanes(op, vector_load(src + e, m));

			if (gate)
				x = vf_mul(x, vector_load(gate + e, m));
			if (op == QUILL_ACT_RELU && !gate)
				vector_write(dst + e, x, m, stream);
			else
				vector_result(dst + e, x, m, stream);
		}
	}
	if (stream)
		vf_stream_end();
}

TEMPLATE void act_op(const uint32_t op, const struct quill_act_tile *t)
{
	if (vector_streams(t->stream, t->dst, t->dst_stride * sizeof(float)))
		act_rows(op, t, true);
	else
		act_rows(op, t, false);
}

static inline void act_tile(const struct quill_act_tile *t)
{
	switch (t->op) {
	case QUILL_ACT_RELU:
		return act_op(QUILL_ACT_RELU, t);
	case QUILL_ACT_SIGMOID:
		return act_op(QUILL_ACT_SIGMOID, t);
	case QUILL_ACT_SILU:
		return act_op(QUILL_ACT_SILU, t);
	case QUILL_ACT_TANH:
		return act_op(QUILL_ACT_TANH, t);
	case QUILL_ACT_GELU:
		return act_op(QUILL_ACT_GELU, t);
	case QUILL_ACT_GELU_ERF:
		return act_op(QUILL_ACT_GELU_ERF, t);
	}
}

/* ---- REDUCE ---- */

static inline float reduce_sum(const float *x, uint32_t n)
{
	vf total = vf_set1(0.0f);

	OVER_VECTORS(e, m, n)
		total = vf_add(total, vector_load(x + e, m));
	return vf_tree_sum(total);
}

/* The first element that equals @value, or @n. */
static inline uint32_t reduce_find(const float *x, uint32_t n, float value)
{
	OVER_VECTORS(e, m, n) {
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
