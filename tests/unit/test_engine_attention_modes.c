// SPDX-License-Identifier: MIT
/*
 * ATTENTION's window, its state and its weights of 16 bits, and MERGE: every set of kernels equals the reference to the
 * bit, and the reference is as near to real arithmetic as docs/isa.md says.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attention_cases.h"

static float bits(uint32_t x)
{
	float f;

	memcpy(&f, &x, 4);
	return f;
}

/* ---- Window ---- */

static void every_window_around_block_edges(void **state)
{
	struct ref_random rnd = { 1 };
	uint32_t w, round;

	for (round = 0; round < 2; round++)
		for (w = 1; w <= 140; w += w < 60 || (w > 66 && w < 122) ? 7 : 1)
			problem_check_shape(&rnd, SHAPE(9, 200, 2, 1, 32, true, .window = w, .state = true, .round = round));
}

static void a_window_that_holds_all_is_none(void **state)
{
	struct ref_random rnd = { 2 };
	struct problem p = problem_make(&rnd, SHAPE(7, 150, 2, 1, 32, true));

	p.t.window = 150;
	problem_check(&p, 7);
	p.t.window = 0;
	ref_attention(&p.t);
	assert_memory_equal(p.t.out, p.want, p.out_size);
	problem_free(&p);
}

/* Long before a query's window begins there are keys of any kind. */
static void keys_before_the_window_do_not_matter(void **state)
{
	struct ref_random rnd = { 3 };
	struct problem p = problem_make(&rnd, SHAPE(70, 300, 1, 1, 16, true, .window = 50, .state = true));
	unsigned int j, round;

	for (j = 0; j < 180; j++) {
		((float *)p.t.k_scale)[j * p.t.kv_stride / 16] = NAN;
		((float *)p.t.v_scale)[j * p.t.kv_stride / 16] = INFINITY;
	}
	for (round = 0; round < 2; round++) {
		p.t.round = round;
		problem_check(&p, 70);
		for (j = 0; j < 16; j++)
			assert_true(isfinite(p.t.out[j]));
	}
	problem_free(&p);
}

static void windowed_queries_may_be_cut_anywhere(void **state)
{
	struct ref_random rnd = { 4 };
	struct problem p = problem_make(&rnd, SHAPE(80, 260, 3, 1, 32, true, .window = 90, .state = true));
	uint32_t part;

	for (part = 1; part <= 80; part += 1 + part / 4) {
		p.t.round = part & 1;
		problem_check(&p, part);
	}
	problem_free(&p);
}

/* ---- State ---- */

static void state_is_the_largest_score_and_the_sum(void **state)
{
	struct ref_random rnd = { 5 };
	struct problem p = problem_make(&rnd, SHAPE(3, 1, 2, 1, 16, false, .state = true));
	uint32_t i;

	problem_check(&p, 3);
	/* one key: its score, and 1 */
	for (i = 0; i < 6; i++)
		assert_true(p.t.state[2 * i + 1] == 1.0f && isfinite(p.t.state[2 * i]));
	problem_free(&p);
}

static void state_of_odd_scores(void **state)
{
	static const uint32_t odd[] = { 0x7f800000, 0xff800000, 0x7fc00001, 0xffffffff };
	struct ref_random rnd = { 6 };
	unsigned int i, round;

	for (i = 0; i < 4; i++) {
		for (round = 0; round < 2; round++) {
			struct problem p = problem_make(&rnd, SHAPE(3, 70, 1, 1, 16, true, .state = true, .round = round));

			memset((void *)p.t.q, 1, p.q_size);
			memset((void *)p.t.k, 1, p.kv_size);
			((float *)p.t.k_scale)[p.t.kv_stride / 16] = bits(odd[i]);
			problem_check(&p, 3);
			problem_free(&p);
		}
	}
}

/* ---- Weights of 16 bits ---- */

static void rounded_weights_for_every_shape(void **state)
{
	struct ref_random rnd = { 7 };
	uint32_t n;

	for (n = 16; n <= QUILL_ATTENTION_MAX_HEAD_DIM; n += 16)
		problem_check_shape(&rnd, SHAPE(5, 70, 2, 1, n, true, .state = true, .round = true));
	for (n = 1; n <= 2 * QUILL_ATTENTION_BLOCK + 2; n++)
		problem_check_shape(&rnd, SHAPE(n < 7 ? n : 7, n, 1, 1, 64, true, .state = true, .round = true));
	for (n = 1; n <= 40; n++)
		problem_check_shape(&rnd, SHAPE(n, n + 50, 3, 1, 32, true, .state = true, .round = true));
}

static void rounded_weights_of_odd_scales(void **state)
{
	static const uint32_t odd[] = {
		0x7f800000, 0xff800000, 0x7fc00001, 0xffffffff, 0x7f800001, 0x00000001,
		0x80000000, 0x7f7fffff, 0xff7fffff, 0xbf800000, 0x0d800000, 0x0d7fffff,
	};
	static const uint32_t where[] = { 0, 3, 65, 99 };
	struct ref_random rnd = { 8 };
	unsigned int i, j;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		for (j = 0; j < 4; j++) {
			struct problem p = problem_make(&rnd, SHAPE(5, 100, 1, 1, 16, true, .round = true));

			((float *)p.t.v_scale)[where[j] * p.t.kv_stride / 16] = bits(odd[i]);
			problem_check(&p, 5);
			problem_free(&p);
		}
	}
}

/* Where all scales are tiny the step is that of 2^-100. */
static void rounded_weights_that_are_tiny(void **state)
{
	struct ref_random rnd = { 9 };
	struct problem p = problem_make(&rnd, SHAPE(4, 100, 1, 1, 32, true, .round = true));
	unsigned int j;

	for (j = 0; j < p.kv_scales; j++)
		((float *)p.t.v_scale)[j] *= 0x1p-105f;
	problem_check(&p, 4);
	for (j = 0; j < p.kv_scales; j++)
		((float *)p.t.v_scale)[j] *= 0x1p-20f;
	problem_check(&p, 4);
	for (j = 0; j < 32; j++)
		assert_true(p.t.out[j] == 0);
	problem_free(&p);
}

/*
 * Rounding to 32767 steps moves each of a block's weights by up to 1 / 65534 of the largest, which is at most the block's
 * share of the whole: so 64 of them move the result by V * 64 / 65534 at most. The rest is as with float32.
 */
static void rounded_weights_are_within_their_bound(void **state)
{
	struct ref_random rnd = { 10 };
	struct problem p = problem_make(&rnd, SHAPE(6, 150, 4, 2, 64, true, .round = true));
	double worst = 0, value = 128 * 0.05, error;
	uint32_t i, h, e;

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
	print_message("weights of 16 bits: largest error %.2e, bound %.2e\n", worst,
		      value * 64 / 65534 + 1.4e-3);
	assert_true(worst <= value * 64 / 65534 + 1.4e-3 && worst > 0);
	problem_free(&p);
}

/* ---- bfloat16 ---- */

static void bf16_for_every_shape(void **state)
{
	struct ref_random rnd = { 20 };
	uint32_t n, q;

	for (q = 0; q < 2; q++) {
		for (n = 16; n <= QUILL_ATTENTION_MAX_HEAD_DIM; n += 16)
			problem_check_shape(&rnd, SHAPE(5, 70, 2, 1, n, true, .state = true,
							.bf16 = true, .q_bf16 = q));
		for (n = 1; n <= 2 * QUILL_ATTENTION_BLOCK + 2; n += 3)
			problem_check_shape(&rnd, SHAPE(n < 7 ? n : 7, n, 1, 1, 64, true,
							.bf16 = true, .q_bf16 = q));
		for (n = 1; n <= 40; n += 2)
			problem_check_shape(&rnd, SHAPE(n, n + 50, 3, 1, 32, true, .window = 45,
							.bf16 = true, .q_bf16 = q));
	}
}

/* As elements of keys, values and queries; what no query sees does not matter. */
static void bf16_of_odd_numbers(void **state)
{
	static const uint16_t odd[] = { 0x7f80, 0xff80, 0x7fc0, 0xffff, 0x7f81, 0x0001, 0x8000, 0x7f7f };
	struct ref_random rnd = { 21 };
	unsigned int i, where, kind;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		for (where = 0; where < 100; where += 33) {
			for (kind = 0; kind < 3; kind++) {
				struct problem p = problem_make(&rnd, SHAPE(5, 100, 1, 1, 16, true,
									    .state = true, .bf16 = true,
									    .q_bf16 = true));

				if (kind == 0)
					((uint16_t *)p.t.q)[where % 5 * p.t.q_stride + 3] = odd[i];
				else
					((uint16_t *)(kind == 1 ? p.t.k : p.t.v))
						[where * p.t.kv_stride + 5] = odd[i];
				problem_check(&p, 5);
				problem_free(&p);
			}
		}
	}
}

/*
 * A score of n products, each lane's sum of n / 16 of them and then a tree of 4: wrong by (n / 16 + 5) u times the sum of
 * magnitudes M * softmax_scale. As in test_engine_attention a weight is then wrong by twice that and 3 u, and so on.
 */
static void bf16_is_near_real_arithmetic(void **state)
{
	struct ref_random rnd = { 22 };
	struct problem p = problem_make(&rnd, SHAPE(6, 150, 4, 2, 64, true, .bf16 = true));
	double worst = 0, error, score = 64 * 16 * (double)p.t.softmax_scale * (64 / 16 + 5), bound;
	uint32_t i, h, e;

	bound = 2 * 4 * 0x1p-24 * ((2 * score + 2 * 128 + 6) * (150 / 64 + 2) + 150 + 4);
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
	print_message("bfloat16: largest error %.2e, bound %.2e\n", worst, bound);
	assert_true(worst <= bound && worst > 0);
	problem_free(&p);
}

/* ---- MERGE ---- */

struct split {
	struct problem p;
	uint32_t parts;
	float *src, *state, *dst, *dst_state, *want, *want_state;
	size_t elems, pairs;
};

/* The keys in @parts contiguous parts, each with a result of its own. */
static struct split split_make(struct ref_random *rnd, const struct problem_shape *shape, uint32_t parts)
{
	struct split s = { .p = problem_make(rnd, shape), .parts = parts };
	uint32_t i, from, to;

	s.elems = (size_t)shape->n_q * shape->heads * shape->dim;
	s.pairs = (size_t)shape->n_q * shape->heads * 2;
	s.src = guard_alloc(parts * s.elems * 4);
	s.state = guard_alloc(parts * s.pairs * 4);
	s.dst = guard_alloc(s.elems * 4);
	s.dst_state = guard_alloc(s.pairs * 4);
	s.want = guard_alloc(s.elems * 4);
	s.want_state = guard_alloc(s.pairs * 4);
	for (i = 0; i < parts; i++) {
		struct ref_attention t = s.p.t;

		from = (uint64_t)t.n_kv * i / parts;
		to = (uint64_t)t.n_kv * (i + 1) / parts;
		t.k = (const int8_t *)t.k + from * t.kv_stride;
		t.v = (const int8_t *)t.v + from * t.kv_stride;
		t.k_scale += from * t.kv_stride / t.head_dim;
		t.v_scale += from * t.kv_stride / t.head_dim;
		t.n_kv = to - from;
		t.out = s.src + i * s.elems;
		t.out_stride = shape->heads * shape->dim;
		t.state = s.state + i * s.pairs;
		ref_attention(&t);
	}
	return s;
}

static void split_free(struct split *s)
{
	guard_free(s->src, s->parts * s->elems * 4);
	guard_free(s->state, s->parts * s->pairs * 4);
	guard_free(s->dst, s->elems * 4);
	guard_free(s->dst_state, s->pairs * 4);
	guard_free(s->want, s->elems * 4);
	guard_free(s->want_state, s->pairs * 4);
	problem_free(&s->p);
}

static void split_check(struct split *s)
{
	const struct ref_attention *t = &s->p.t;
	const struct quill_kernels *e;
	unsigned int i;

	ref_merge(&(struct ref_merge){
		.src = s->src, .state = s->state, .dst = s->want, .dst_state = s->want_state,
		.rows = t->n_q, .parts = s->parts, .heads = t->n_heads, .dim = t->head_dim,
		.src_stride = t->n_heads * t->head_dim, .part_stride = s->elems,
		.state_stride = s->pairs, .dst_stride = t->n_heads * t->head_dim,
	});
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		memset(s->dst, 0x5a, s->elems * 4);
		memset(s->dst_state, 0x5a, s->pairs * 4);
		e->merge(&(struct quill_merge_tile){
			.src = s->src, .src_stride = t->n_heads * t->head_dim,
			.part_stride = s->elems, .state = s->state, .state_stride = s->pairs,
			.dst = s->dst, .dst_stride = t->n_heads * t->head_dim,
			.dst_state = s->dst_state, .rows = t->n_q, .parts = s->parts,
			.heads = t->n_heads, .dim = t->head_dim,
		});
		if (memcmp(s->dst, s->want, s->elems * 4) ||
		    memcmp(s->dst_state, s->want_state, s->pairs * 4))
			fail_msg("%s: MERGE of %u parts differs", e->name, s->parts);
	}
}

/* The error of a merge is that of its parts and of a few roundings a part. */
static void merges_of_2_to_16_splits(void **state)
{
	struct ref_random rnd = { 11 };
	double worst = 0, error;
	uint32_t parts, i, h, e;

	for (parts = 1; parts <= 16; parts++) {
		struct split s = split_make(&rnd, SHAPE(5, 500, 4, 2, 32, false), parts);

		split_check(&s);
		for (i = 0; i < 5; i++) {
			for (h = 0; h < 4; h++) {
				for (e = 0; e < 32; e++) {
					error = s.dst[(i * 4 + h) * 32 + e] -
						exact_attention(&s.p.t, i, h, e);
					worst = fmax(worst, fabs(error));
				}
			}
		}
		split_free(&s);
	}
	print_message("MERGE: largest error against one pass in real arithmetic %.2e\n", worst);
	assert_true(worst > 0 && worst < 128 * 0.05 * 0x1p-20);
}

static void a_merge_of_one_part_is_that_part(void **state)
{
	struct ref_random rnd = { 12 };
	struct split s = split_make(&rnd, SHAPE(2, 90, 2, 1, 16, false), 1);
	uint32_t i;

	split_check(&s);
	assert_memory_equal(s.dst_state, s.state, s.pairs * 4);
	for (i = 0; i < s.elems; i++)
		assert_true(fabsf(s.dst[i] - s.src[i]) <= fabsf(s.src[i]) * 0x1p-22f);
	split_free(&s);
}

/* A part that has seen no key may hold anything. */
static void parts_without_a_sum_do_not_matter(void **state)
{
	struct ref_random rnd = { 13 };
	struct split s = split_make(&rnd, SHAPE(2, 90, 2, 1, 16, false), 3);
	uint32_t i;

	for (i = 0; i < s.elems; i++)
		s.src[s.elems + i] = NAN;
	for (i = 0; i < s.pairs; i += 2) {
		s.state[s.pairs + i] = i & 2 ? INFINITY : NAN;
		s.state[s.pairs + i + 1] = i & 2 ? 0.0f : -0.0f;
	}
	split_check(&s);
	for (i = 0; i < s.elems; i++)
		assert_true(isfinite(s.dst[i]));
	/* none at all: the sum is 0, and there is no mean of nothing */
	memset(s.state, 0, 3 * s.pairs * 4);
	split_check(&s);
	assert_memory_equal(s.dst, "\0\0\xc0\x7f", 4);
	assert_true(s.dst_state[0] == -INFINITY && s.dst_state[1] == 0);
	split_free(&s);
}

static void merges_of_odd_states(void **state)
{
	static const uint32_t odd[] = {
		0x7f800000, 0xff800000, 0x7fc00001, 0xffffffff, 0x00000001, 0x80000001, 0x7f7fffff,
		0xff7fffff, 0xbf800000,
	};
	struct ref_random rnd = { 14 };
	unsigned int i, j;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		for (j = 0; j < 6; j++) {
			struct split s = split_make(&rnd, SHAPE(1, 90, 1, 1, 16, false), 3);

			if (j < 3)
				s.state[j * 2] = bits(odd[i]);
			else
				s.state[(j - 3) * 2 + 1] = bits(odd[i]);
			split_check(&s);
			s.src[5] = bits(odd[i]);
			split_check(&s);
			split_free(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_window_around_block_edges),
		cmocka_unit_test(a_window_that_holds_all_is_none),
		cmocka_unit_test(keys_before_the_window_do_not_matter),
		cmocka_unit_test(windowed_queries_may_be_cut_anywhere),
		cmocka_unit_test(state_is_the_largest_score_and_the_sum),
		cmocka_unit_test(state_of_odd_scores),
		cmocka_unit_test(rounded_weights_for_every_shape),
		cmocka_unit_test(rounded_weights_of_odd_scales),
		cmocka_unit_test(rounded_weights_that_are_tiny),
		cmocka_unit_test(rounded_weights_are_within_their_bound),
		cmocka_unit_test(bf16_for_every_shape),
		cmocka_unit_test(bf16_of_odd_numbers),
		cmocka_unit_test(bf16_is_near_real_arithmetic),
		cmocka_unit_test(merges_of_2_to_16_splits),
		cmocka_unit_test(a_merge_of_one_part_is_that_part),
		cmocka_unit_test(parts_without_a_sum_do_not_matter),
		cmocka_unit_test(merges_of_odd_states),
	};

	return cmocka_run_group_tests_name("engine: ATTENTION's modes, MERGE", tests, NULL, NULL);
}
