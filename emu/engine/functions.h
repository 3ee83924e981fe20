/* SPDX-License-Identifier: MIT */
/* sigmoid, silu, tanh, gelu and gelu_erf over lanes: docs/isa.md has a section for each. */
#ifndef QUILL_FUNCTIONS_H
#define QUILL_FUNCTIONS_H

#include "quill/isa.h"

#include "exp.h"

/* From here on tanh comes from exp, below from a polynomial: there 1 - 2e would cancel. */
#define TANH_LEAST	0.625f
/* the number before it */
#define TANH_BELOW	0x1.3ffffep-1f
/* 2 sqrt(2 / pi), and 0.044715 times that */
#define GELU_LINEAR	0x1.988454p+0f
#define GELU_CUBIC	0x1.2444f2p-4f
/* From there on exp(-a^2 / 2) is 0. */
#define GELU_ERF_FAR	13.25f

/* exp of what is never positive, so that nothing overflows: 1 / (1 + e) or e / (1 + e). */
static inline vf sigmoid_lanes(vf x)
{
	vf one = vf_set1(1.0f);
	vf e = exp_lanes(vf_neg(vf_abs(x)));

	return vf_div(vf_select_negative(x, e, one), vf_add(one, e));
}

/*
 * x * sigmoid(y), 0 where the sigmoid is, x infinite or not, and NaN where x is. Beyond the last exp that is not 0, that
 * one does as well: above, nothing is left of it in 1 + e, and below the result is 0.
 */
static inline vf gated_lanes(vf x, vf y)
{
	vf one = vf_set1(1.0f);
	vf e = exp_within(vf_neg_within(y, vf_set1(-EXP_LEAST)));
	vf s = vf_div(vf_select_negative(y, e, one), vf_add(one, e));

	return vf_zero_below(vf_mul(x, s), y, vf_set1(EXP_LEAST));
}

static inline vf silu_lanes(vf x)
{
	return gated_lanes(x, x);
}

/* (1 + tanh(u)) / 2 is sigmoid(2u), which loses nothing where tanh is near -1. */
static inline vf gelu_lanes(vf x)
{
	vf w = vf_fma(vf_mul(x, x), vf_set1(GELU_CUBIC), vf_set1(GELU_LINEAR));

	return gated_lanes(x, vf_mul(x, w));
}

/* a Phi(-a) = a p(a) / q(a) exp(-a^2 / 2): least relative error on 0 .. GELU_ERF_FAR, nothing cancels. */
static inline vf gelu_erf_lanes(vf x)
{
	vf a = vf_min(vf_set1(GELU_ERF_FAR), vf_abs(x));
	vf half = vf_mul(a, vf_set1(-0.5f));
	vf v = vf_mul(a, half);
	/* what v lacks: in the tail it is worth 87 roundings */
	vf low = vf_fma(a, half, vf_neg(v));
	vf p = vf_set1(0x1.073044p-8f);
	vf q = vf_set1(0x1.49da6ap-7f);

	p = vf_fma(p, a, vf_set1(0x1.475062p-5f));
	p = vf_fma(p, a, vf_set1(0x1.7323e6p-3f));
	p = vf_fma(p, a, vf_set1(0x1.be05fep-2f));
	p = vf_fma(p, a, vf_set1(0.5f));
	q = vf_fma(q, a, vf_set1(0x1.9a41f8p-4f));
	q = vf_fma(q, a, vf_set1(0x1.db4b0ep-2f));
	q = vf_fma(q, a, vf_set1(0x1.31b244p+0f));
	q = vf_fma(q, a, vf_set1(0x1.ab452ep+0f));
	q = vf_fma(q, a, vf_set1(1.0f));
	p = vf_mul(a, p);
	p = vf_div(vf_fma(p, low, p), q);
	return vf_fma(vf_neg(p), exp_lanes(v), vf_max(vf_set1(0.0f), x));
}

static inline vf tanh_lanes(vf x)
{
	vf one = vf_set1(1.0f);
	vf a = vf_abs(x);
	/* a + a^3 p(a^2): least relative error on 0 .. TANH_LEAST */
	vf z = vf_mul(a, a);
	vf p = vf_set1(-0x1.750ce4p-8f);
	/* 1 - 2e / (1 + e) */
	vf e = exp_within(vf_neg_within(vf_add(x, x), vf_set1(-EXP_LEAST)));
	vf far = vf_sub(one, vf_div(vf_add(e, e), vf_add(one, e)));

	p = vf_fma(p, z, vf_set1(0x1.51f8cep-6f));
	p = vf_fma(p, z, vf_set1(-0x1.b835a4p-5f));
	p = vf_fma(p, z, vf_set1(0x1.1106f6p-3f));
	p = vf_fma(p, z, vf_set1(-0x1.555532p-2f));
	p = vf_fma(vf_mul(a, z), p, a);
	/* NaN: of the polynomial */
	return vf_copysign(vf_select_below(vf_set1(TANH_BELOW), a, far, p), x);
}

/* @op: enum quill_act_op, a constant. */
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
	case QUILL_ACT_GELU:
		return gelu_lanes(x);
	default:
		return gelu_erf_lanes(x);
	}
}

#endif /* QUILL_FUNCTIONS_H */
