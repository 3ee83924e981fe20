// SPDX-License-Identifier: MIT
/* The reference implementation of the VECTOR commands: docs/isa.md, sentence by sentence. */
#include <math.h>
#include <string.h>

#include "ref.h"
#include "ref_vector.h"

/* ---- What commands share ---- */

static float stored(float x)
{
	uint32_t nan = 0x7fc00000;

	if (isnan(x))
		memcpy(&x, &nan, sizeof(x));
	return x;
}

static float plus(float a, float b)
{
	return a + b;
}

static float larger(float a, float b)
{
	return a > b ? a : b;
}

static float smaller(float a, float b)
{
	return a < b ? a : b;
}

/* lane l with lane l + 8, then + 4, + 2, + 1 */
static float tree(const float lane[16], float (*op)(float, float))
{
	float eight[8], four[4], two[2];
	int l;

	for (l = 0; l < 8; l++)
		eight[l] = op(lane[l], lane[l + 8]);
	for (l = 0; l < 4; l++)
		four[l] = op(eight[l], eight[l + 4]);
	for (l = 0; l < 2; l++)
		two[l] = op(four[l], four[l + 2]);
	return op(two[0], two[1]);
}

static void lanes_set(float lane[16], float x)
{
	int l;

	for (l = 0; l < 16; l++)
		lane[l] = x;
}

static float lanes_sum(const float *x, uint32_t n)
{
	float lane[16];
	uint32_t e;

	lanes_set(lane, 0.0f);
	for (e = 0; e < n; e++)
		lane[e % 16] = lane[e % 16] + x[e];
	return tree(lane, plus);
}

static float lanes_sum_of_squares(const float *x, uint32_t n)
{
	float lane[16];
	uint32_t e;

	lanes_set(lane, 0.0f);
	for (e = 0; e < n; e++)
		lane[e % 16] = fmaf(x[e], x[e], lane[e % 16]);
	return tree(lane, plus);
}

static float lanes_max(const float *x, uint32_t n)
{
	float lane[16];
	uint32_t e;

	lanes_set(lane, -INFINITY);
	for (e = 0; e < n; e++)
		lane[e % 16] = larger(x[e], lane[e % 16]);
	return tree(lane, larger);
}

/* ---- RMSNORM, LAYERNORM ---- */

static void ref_norm_row(const struct ref_norm *c, float *x, float *dst)
{
	float mean, var, root, inverse;
	uint32_t e;

	if (c->layer) {
		mean = lanes_sum(x, c->n) / (float)c->n;
		for (e = 0; e < c->n; e++)
			x[e] = x[e] - mean;
	}
	var = lanes_sum_of_squares(x, c->n) / (float)c->n;
	root = sqrtf(var + c->eps);
	inverse = 1.0f / root;
	for (e = 0; e < c->n; e++) {
		float y = x[e] * inverse;

		if (c->bias)
			dst[e] = stored(fmaf(y, c->weight[e], c->bias[e]));
		else
			dst[e] = stored(y * c->weight[e]);
	}
}

void ref_norm(const struct ref_norm *c)
{
	float x[c->n];
	uint32_t i, e;

	for (i = 0; i < c->rows; i++) {
		for (e = 0; e < c->n; e++) {
			x[e] = c->src.p[i * c->src.stride + e];
			if (c->residual.p)
				x[e] = x[e] + c->residual.p[i * c->residual.stride + e];
		}
		if (c->sum)
			for (e = 0; e < c->n; e++)
				c->sum[i * c->sum_stride + e] = stored(x[e]);
		ref_norm_row(c, x, c->dst + i * c->dst_stride);
	}
}

/* ---- SOFTMAX ---- */

void ref_softmax(const struct ref_softmax *c)
{
	float s[c->n], max, inverse;
	uint32_t i, e;

	for (i = 0; i < c->rows; i++) {
		for (e = 0; e < c->n; e++)
			s[e] = c->src.p[i * c->src.stride + e] * c->scale;
		max = lanes_max(s, c->n);
		for (e = 0; e < c->n; e++)
			s[e] = ref_exp(s[e] - max);
		inverse = 1.0f / lanes_sum(s, c->n);
		for (e = 0; e < c->n; e++)
			c->dst[i * c->dst_stride + e] = stored(s[e] * inverse);
	}
}

/* ---- ROPE ---- */

static void ref_rope_head(const float *src, float *dst, const float *table,
			  const struct ref_rope *c)
{
	uint32_t half = c->rotary / 2, j;

	for (j = 0; j < half; j++) {
		uint32_t first = c->halves ? j : 2 * j, second = c->halves ? j + half : 2 * j + 1;
		float x = src[first], y = src[second], cos = table[2 * j], sin = table[2 * j + 1];

		dst[first] = stored(fmaf(x, cos, -(y * sin)));
		dst[second] = stored(fmaf(y, cos, x * sin));
	}
	memmove(dst + c->rotary, src + c->rotary, (c->dim - c->rotary) * sizeof(*src));
}

void ref_rope(const struct ref_rope *c)
{
	uint32_t i, h;

	for (i = 0; i < c->rows; i++)
		for (h = 0; h < c->heads; h++)
			ref_rope_head(c->src.p + i * c->src.stride + h * c->dim,
				      c->dst + i * c->dst_stride + h * c->dim,
				      c->table.p + i * c->table.stride, c);
}

/* ---- QUANTISE, DEQUANTISE ---- */

static float ref_group_scale(const float *x, uint32_t n)
{
	float max = 0.0f;
	uint32_t e;

	for (e = 0; e < n; e++) {
		if (!isfinite(x[e]))
			return stored(NAN);
		max = larger(fabsf(x[e]), max);
	}
	return max < 127 * 0x1p-126f ? 0.0f : max / 127.0f;
}

void ref_quantise(const struct ref_quantise *c)
{
	uint32_t i, e, g;

	for (i = 0; i < c->rows; i++) {
		for (g = 0; g < c->n / c->group; g++) {
			const float *x = c->f + i * c->f_stride + g * c->group;
			int8_t *q = c->q + i * c->q_stride + g * c->group;
			float scale = ref_group_scale(x, c->group);

			c->scale[i * c->scale_stride + g] = scale;
			for (e = 0; e < c->group; e++)
				q[e] = scale > 0 ? (int8_t)nearbyintf(x[e] / scale) : 0;
		}
	}
}

/* @q: a quotient. */
static int8_t ref_clamp(const struct ref_quantise *c, float q)
{
	double i = (double)nearbyintf(q) + c->zero;

	/* a NaN is not above lo */
	return (int8_t)(i > c->lo ? fmin(i, c->hi) : c->lo);
}

void ref_quantise_by(const struct ref_quantise *c)
{
	uint32_t i, e;

	for (i = 0; i < c->rows; i++)
		for (e = 0; e < c->n; e++)
			c->q[i * c->q_stride + e] =
				ref_clamp(c, c->f[i * c->f_stride + e] /
					     c->scale[i * c->scale_stride + e / c->group]);
}

void ref_dequantise(const struct ref_quantise *c)
{
	uint32_t i, e;

	for (i = 0; i < c->rows; i++)
		for (e = 0; e < c->n; e++)
			c->f[i * c->f_stride + e] =
				stored((float)c->q[i * c->q_stride + e] *
				       c->scale[i * c->scale_stride + e / c->group]);
}

/* ---- ELTWISE ---- */

static float ref_op(uint32_t op, float a, float b)
{
	switch (op) {
	case QUILL_ELTWISE_ADD:
		return a + b;
	case QUILL_ELTWISE_SUB:
		return a - b;
	case QUILL_ELTWISE_MUL:
		return a * b;
	case QUILL_ELTWISE_MAX:
		return larger(a, b);
	default:
		return smaller(a, b);
	}
}

void ref_eltwise(const struct ref_eltwise *c)
{
	uint32_t i, e;

	for (i = 0; i < c->rows; i++)
		for (e = 0; e < c->n; e++)
			c->dst[i * c->dst_stride + e] = stored(ref_op(c->op,
				c->a.p[i * c->a.stride + e], c->b.p[i * c->b.stride + e]));
}

/* ---- ACT ---- */

static float ref_sigmoid(float x)
{
	float e = ref_exp(-fabsf(x));

	return x < 0 ? e / (1.0f + e) : 1.0f / (1.0f + e);
}

static float ref_tanh(float x)
{
	float a = fabsf(x), z, p, e, t;

	if (a < 0.625f) {
		z = a * a;
		p = fmaf(-0x1.750ce4p-8f, z, 0x1.51f8cep-6f);
		p = fmaf(p, z, -0x1.b835a4p-5f);
		p = fmaf(p, z, 0x1.1106f6p-3f);
		p = fmaf(p, z, -0x1.555532p-2f);
		t = fmaf(a * z, p, a);
	} else {
		e = ref_exp(-2.0f * a);
		t = 1.0f - (e + e) / (1.0f + e);
	}
	return copysignf(t, x);
}

static float ref_gelu(float x)
{
	float w = fmaf(x * x, 0x1.2444f2p-4f, 0x1.988454p+0f);
	float v = x * w;

	return v < -87.0f ? 0.0f : x * ref_sigmoid(v);
}

static float ref_gelu_erf(float x)
{
	float a = fabsf(x) > 13.25f ? 13.25f : fabsf(x);
	float v = -(a * (a / 2)), low = fmaf(-a, a / 2, -v), p, q;

	p = fmaf(0x1.073044p-8f, a, 0x1.475062p-5f);
	p = fmaf(p, a, 0x1.7323e6p-3f);
	p = fmaf(p, a, 0x1.be05fep-2f);
	p = a * fmaf(p, a, 0.5f);
	q = fmaf(0x1.49da6ap-7f, a, 0x1.9a41f8p-4f);
	q = fmaf(q, a, 0x1.db4b0ep-2f);
	q = fmaf(q, a, 0x1.31b244p+0f);
	q = fmaf(q, a, 0x1.ab452ep+0f);
	q = fmaf(q, a, 1.0f);
	return fmaf(-(fmaf(p, low, p) / q), ref_exp(v), larger(0.0f, x));
}

float ref_function(uint32_t op, float x)
{
	switch (op) {
	case QUILL_ACT_RELU:
		return larger(0.0f, x);
	case QUILL_ACT_SIGMOID:
		return ref_sigmoid(x);
	case QUILL_ACT_SILU:
		return x < -87.0f ? 0.0f : x * ref_sigmoid(x);
	case QUILL_ACT_TANH:
		return ref_tanh(x);
	case QUILL_ACT_GELU:
		return ref_gelu(x);
	default:
		return ref_gelu_erf(x);
	}
}

void ref_act(const struct ref_act *c)
{
	uint32_t i, e;

	for (i = 0; i < c->rows; i++) {
		for (e = 0; e < c->n; e++) {
			float y = ref_function(c->op, c->src.p[i * c->src.stride + e]);

			if (c->gate.p)
				y = y * c->gate.p[i * c->gate.stride + e];
			c->dst[i * c->dst_stride + e] = stored(y);
		}
	}
}

/* ---- REDUCE ---- */

static int32_t ref_argmax(const float *x, uint32_t n)
{
	int64_t best = -1;
	uint32_t e;

	for (e = 0; e < n; e++)
		if (!isnan(x[e]) && (best < 0 || x[e] > x[best]))
			best = e;
	return best < 0 ? 0 : (int32_t)best;
}

void ref_reduce(const struct ref_reduce *c)
{
	uint32_t i;

	for (i = 0; i < c->rows; i++) {
		const float *x = c->src.p + i * c->src.stride;

		if (c->op == QUILL_REDUCE_SUM)
			((float *)c->dst)[i] = stored(lanes_sum(x, c->n));
		else if (c->op == QUILL_REDUCE_MAX)
			((float *)c->dst)[i] = stored(lanes_max(x, c->n));
		else
			((int32_t *)c->dst)[i] = ref_argmax(x, c->n);
	}
}

/* ---- The outside check: real arithmetic, no lanes, no special forms ---- */

void exact_norm(const struct ref_norm *c, const float *x, double *y)
{
	double mean = 0, var = 0;
	uint32_t e;

	for (e = 0; e < c->n && c->layer; e++)
		mean += (double)x[e] / c->n;
	for (e = 0; e < c->n; e++)
		var += (x[e] - mean) * (x[e] - mean) / c->n;
	for (e = 0; e < c->n; e++) {
		y[e] = (x[e] - mean) / sqrt(var + c->eps) * c->weight[e];
		if (c->bias)
			y[e] += c->bias[e];
	}
}

void exact_softmax(const float *x, uint32_t n, double scale, double *y)
{
	double max = -INFINITY, sum = 0;
	uint32_t e;

	for (e = 0; e < n; e++)
		max = fmax(max, x[e] * scale);
	for (e = 0; e < n; e++)
		sum += exp(x[e] * scale - max);
	for (e = 0; e < n; e++)
		y[e] = exp(x[e] * scale - max) / sum;
}

double exact_function(uint32_t op, double x)
{
	switch (op) {
	case QUILL_ACT_RELU:
		return fmax(x, 0);
	case QUILL_ACT_SIGMOID:
		return 1 / (1 + exp(-x));
	case QUILL_ACT_SILU:
		return x / (1 + exp(-x));
	case QUILL_ACT_TANH:
		return tanh(x);
	case QUILL_ACT_GELU_ERF:
		return x * erfc(-x / M_SQRT2) / 2;
	default:
		/* 0.5 x (1 + tanh(u)), where u is far below 0 and elsewhere */
		return x / (1 + exp(-2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
	}
}
