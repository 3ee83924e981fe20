/* SPDX-License-Identifier: MIT */
/* exp(x) for x <= 0, over lanes: docs/isa.md, "exp". */
#ifndef QUILL_EXP_H
#define QUILL_EXP_H

/* Below this the result is 0: exp(-87) is the last that is well above the least normal number. */
#define EXP_LEAST	-87.0f
/* 1.5 * 2^23: added to a small number, it leaves the number's nearest integer in the low bits. */
#define EXP_ROUND	0x1.8p23f
#define EXP_LOG2E	0x1.715476p+0f
/* ln 2, and what is missing from it */
#define EXP_LN2		0x1.62e43p-1f
#define EXP_LN2_LOW	-0x1.05c61p-29f

/* For x from EXP_LEAST to 0. */
static inline vf exp_within(vf x)
{
	/* 1 + r + ...: least relative error on |r| <= ln 2 / 2 */
	vf t = vf_fma(x, vf_set1(EXP_LOG2E), vf_set1(EXP_ROUND));
	vf n = vf_sub(t, vf_set1(EXP_ROUND));
	vf r = vf_fma(n, vf_set1(-EXP_LN2), x);
	vf y = vf_set1(0x1.6a2254p-10f);

	r = vf_fma(n, vf_set1(-EXP_LN2_LOW), r);
	y = vf_fma(y, r, vf_set1(0x1.123b02p-7f));
	y = vf_fma(y, r, vf_set1(0x1.5558f8p-5f));
	y = vf_fma(y, r, vf_set1(0x1.555490p-3f));
	y = vf_fma(y, r, vf_set1(0x1.fffffcp-2f));
	y = vf_fma(y, r, vf_set1(1.0f));
	y = vf_fma(y, r, vf_set1(1.0f));
	return vf_scale(y, t, n);
}

static inline vf exp_lanes(vf x)
{
	return vf_zero_below(exp_within(x), x, vf_set1(EXP_LEAST));
}

static inline float exp_one(float x)
{
	float y[LANES];

	vf_store(y, exp_lanes(vf_set1(x)));
	return y[0];
}

#endif /* QUILL_EXP_H */
