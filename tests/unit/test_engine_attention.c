// SPDX-License-Identifier: MIT
/*
 * ATTENTION and exp: every set of kernels that this processor runs equals the reference to the bit, and
 * the reference is as near to real arithmetic as its roundings allow.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attention_cases.h"

/* ---- Shapes ---- */

static void every_head_dim(void **state)
{
	struct ref_random rnd = { 1 };
	uint32_t dim;

	for (dim = 16; dim <= QUILL_ATTENTION_MAX_HEAD_DIM; dim += 16) {
		problem_check_shape(&rnd, SHAPE(5, 70, 2, 1, dim, true));
		problem_check_shape(&rnd, SHAPE(3, 70, 2, 2, dim, false));
	}
}

static void every_number_of_keys_to_three_blocks(void **state)
{
	struct ref_random rnd = { 2 };
	uint32_t n;

	for (n = 1; n <= 3 * QUILL_ATTENTION_BLOCK + 2; n++) {
		problem_check_shape(&rnd, SHAPE(1, n, 1, 1, 32, false));
		problem_check_shape(&rnd, SHAPE(n < 7 ? n : 7, n, 1, 1, 16, true));
	}
}

static void every_number_of_queries_to_40(void **state)
{
	struct ref_random rnd = { 3 };
	uint32_t n;

	for (n = 1; n <= 40; n++) {
		problem_check_shape(&rnd, SHAPE(n, n, 2, 1, 32, true));
		problem_check_shape(&rnd, SHAPE(n, n + 50, 1, 1, 32, true));
		problem_check_shape(&rnd, SHAPE(n, 65, 1, 1, 16, false));
	}
}

static void grouped_queries_share_a_head(void **state)
{
	struct ref_random rnd = { 4 };

	problem_check_shape(&rnd, SHAPE(3, 100, 8, 2, 64, true));
	problem_check_shape(&rnd, SHAPE(3, 100, 6, 1, 64, true));
	problem_check_shape(&rnd, SHAPE(1, 300, 12, 4, 128, true));
}

static void queries_may_be_cut_anywhere(void **state)
{
	struct ref_random rnd = { 5 };
	struct problem p = problem_make(&rnd, SHAPE(45, 200, 2, 1, 32, true));
	uint32_t part;

	for (part = 1; part <= 45; part++)
		problem_check(&p, part);
	problem_free(&p);
}

/* ---- Values ---- */

static void one_key_gives_its_value(void **state)
{
	struct ref_random rnd = { 6 };
	struct problem p = problem_make(&rnd, SHAPE(1, 1, 1, 1, 16, true));
	uint32_t e;

	problem_check(&p, 1);
	for (e = 0; e < 16; e++)
		assert_true(p.t.out[e] == p.t.v_scale[0] * ((const int8_t *)p.t.v)[e]);
	problem_free(&p);
}

static void extremes_of_int8_are_exact(void **state)
{
	struct ref_random rnd = { 7 };
	struct problem p = problem_make(&rnd, SHAPE(6, 130, 1, 1, 256, false));

	memset((void *)p.t.q, -128, p.q_size);
	memset((void *)p.t.k, -128, p.kv_size);
	problem_check(&p, 6);
	memset((void *)p.t.k, 127, p.kv_size);
	problem_check(&p, 6);
	problem_free(&p);
}

static float bits(uint32_t x)
{
	float f;

	memcpy(&f, &x, 4);
	return f;
}

/* Each odd number in each kind of scale, at keys in the first block and in the last, partial one. */
static void nan_and_infinite_scales_store_what_the_isa_says(void **state)
{
	static const uint32_t odd[] = {
		0x7f800000, 0xff800000, 0x7fc00001, 0xffffffff, 0x7f800001, 0x00000001,
		0x80000000, 0x7f7fffff, 0xff7fffff, 0xbf800000,
	};
	static const uint32_t where[] = { 0, 3, 65, 99 };
	struct ref_random rnd = { 8 };
	unsigned int i, j, kind;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		for (j = 0; j < 4; j++) {
			for (kind = 0; kind < 3; kind++) {
				struct problem p = problem_make(&rnd, SHAPE(5, 100, 1, 1, 16, true));

				if (kind == 0)
					((float *)p.t.q_scale)[j * p.t.q_stride / 16] = bits(odd[i]);
				else
					((float *)(kind == 1 ? p.t.k_scale : p.t.v_scale))
						[where[j] * p.t.kv_stride / 16] = bits(odd[i]);
				problem_check(&p, 5);
				problem_free(&p);
			}
		}
	}
}

static void infinite_score_gives_the_canonical_nan(void **state)
{
	struct ref_random rnd = { 9 };
	struct problem p = problem_make(&rnd, SHAPE(1, 3, 1, 1, 16, false));

	memset((void *)p.t.q, 1, p.q_size);
	memset((void *)p.t.k, 1, p.kv_size);
	((float *)p.t.k_scale)[p.t.kv_stride / 16] = INFINITY;
	problem_check(&p, 1);
	assert_memory_equal(p.t.out, "\0\0\xc0\x7f", 4);
	/* minus infinity is a key that weighs nothing */
	((float *)p.t.k_scale)[p.t.kv_stride / 16] = -INFINITY;
	problem_check(&p, 1);
	assert_true(isfinite(p.t.out[0]));
	problem_free(&p);
}

/* Scores that grow from block to block, and fall: alpha far below 1, and weights that vanish. */
static void maximum_moves_through_the_blocks(void **state)
{
	struct ref_random rnd = { 10 };
	struct problem p = problem_make(&rnd, SHAPE(4, 400, 1, 1, 32, true));
	unsigned int down, j;

	memset((void *)p.t.q, 100, p.q_size);
	memset((void *)p.t.k, 100, p.kv_size);
	for (down = 0; down < 2; down++) {
		for (j = 0; j < p.kv_scales; j++)
			((float *)p.t.k_scale)[j] = 0.0005f * (float)(down ? p.kv_scales - j : j);
		problem_check(&p, 4);
	}
	problem_free(&p);
}

/* A sum that underflows to -0 must keep its sign where the keys behind are not seen. */
static void negative_zero_survives_keys_that_are_not_seen(void **state)
{
	struct ref_random rnd = { 11 };
	struct problem p = problem_make(&rnd, SHAPE(8, 136, 1, 1, 16, true));
	unsigned int j;

	memset((void *)p.t.q, 100, p.q_size);
	memset((void *)p.t.k, 100, p.kv_size);
	memset((void *)p.t.v, 1, p.kv_size);
	for (j = 0; j < p.kv_scales; j++) {
		((float *)p.t.k_scale)[j] = 0.003f * (float)(j / 64);
		((float *)p.t.v_scale)[j] = j < 128 ? -1e-44f : 0.0f;
	}
	for (j = 128; j < p.kv_scales; j++)
		((float *)p.t.v_scale)[j] = -0.0f;
	problem_check(&p, 8);
	problem_free(&p);
}

/* ---- The outside check ---- */

/*
 * A score has 3 roundings, at most S in size: wrong by 3uS, as is the maximum, and the difference is
 * rounded; exp is within 0.9 ulp, that is 1.8u. So a weight is wrong by (8S + 3)u relatively, and likewise each
 * of the factors alpha, one a block; sums of n terms add nu, products and the division a few u more. A
 * convex combination of values up to V with weights wrong by d is wrong by 2dV.
 */
static double attention_bound(const struct ref_attention *t, double score, double value)
{
	double blocks = t->n_kv / QUILL_ATTENTION_BLOCK + 1;

	return 2 * value * 0x1p-24 * ((8 * score + 6) * (blocks + 1) + t->n_kv + 4);
}

static void results_are_near_the_exact_ones(void **state)
{
	struct ref_random rnd = { 12 };
	struct problem p = problem_make(&rnd, SHAPE(6, 150, 4, 2, 64, true));
	double worst = 0, score, bound, error;
	uint32_t i, h, e;

	/* |dot| <= 64 * 128^2, scales at most 0.02, softmax_scale 1/8: no score is above this */
	score = 64.0 * 128 * 128 * 0.02 * 0.02 / 8;
	bound = attention_bound(&p.t, score, 128 * 0.05);
	problem_run(quill_engine_get(NULL), &p.t, 6);
	for (i = 0; i < p.t.n_q; i++) {
		for (h = 0; h < p.t.n_heads; h++) {
			for (e = 0; e < p.t.head_dim; e++) {
				error = p.t.out[i * p.t.out_stride + h * p.t.head_dim + e] -
					exact_attention(&p.t, i, h, e);
				worst = fmax(worst, fabs(error));
			}
		}
	}
	print_message("attention: largest error %.2e, bound %.2e\n", worst, bound);
	assert_true(worst <= bound && worst > 0);
	problem_free(&p);
}

/* ---- exp ---- */

/* In units of the last place of the result, against the C library's double. */
static double exp_error(float x)
{
	double exact = exp((double)x);
	int exponent;

	frexp(exact, &exponent);
	return fabs((double)ref_exp(x) - exact) / ldexp(1.0, exponent - 24);
}

static void exp_is_within_its_stated_error(void **state)
{
	/* the largest error from -2^-25 to -87, found once by trying all floats there: 0.8822 */
	float at = -0x1.aaf86cp+4f;
	double worst = exp_error(at), error;
	uint32_t i;

	/* every 499th float from -2^-30 to -87 */
	for (i = 0xb0800000; i <= 0xc2ae0000; i += 499) {
		error = exp_error(bits(i));
		if (error > worst) {
			worst = error;
			at = bits(i);
		}
	}
	print_message("exp: largest error %.4f ulp, at %a\n", worst, at);
	assert_true(worst < 0.9);
	assert_true(worst > 0.88);
}

static void exp_has_its_stated_values_at_the_edges(void **state)
{
	assert_true(ref_exp(0.0f) == 1.0f);
	assert_true(ref_exp(-0.0f) == 1.0f);
	assert_true(ref_exp(-87.0f) > 0x1p-126f);
	assert_true(ref_exp(nextafterf(-87.0f, -88.0f)) == 0.0f);
	assert_true(ref_exp(-INFINITY) == 0.0f);
	assert_true(isnan(ref_exp(NAN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_head_dim),
		cmocka_unit_test(every_number_of_keys_to_three_blocks),
		cmocka_unit_test(every_number_of_queries_to_40),
		cmocka_unit_test(grouped_queries_share_a_head),
		cmocka_unit_test(queries_may_be_cut_anywhere),
		cmocka_unit_test(one_key_gives_its_value),
		cmocka_unit_test(extremes_of_int8_are_exact),
		cmocka_unit_test(nan_and_infinite_scales_store_what_the_isa_says),
		cmocka_unit_test(infinite_score_gives_the_canonical_nan),
		cmocka_unit_test(maximum_moves_through_the_blocks),
		cmocka_unit_test(negative_zero_survives_keys_that_are_not_seen),
		cmocka_unit_test(results_are_near_the_exact_ones),
		cmocka_unit_test(exp_is_within_its_stated_error),
		cmocka_unit_test(exp_has_its_stated_values_at_the_edges),
	};

	return cmocka_run_group_tests_name("engine: ATTENTION", tests, NULL, NULL);
}
