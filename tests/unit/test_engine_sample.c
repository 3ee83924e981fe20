// SPDX-License-Identifier: MIT
/*
 * TOPK and SAMPLE: every set of kernels that this processor runs equals the reference to the bit; and what the reference
 * draws is what docs/isa.md says, and has the right probabilities.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "philox.h"
#include "ref.h"
#include "ref_sample.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- Rows ---- */

enum row_kind { PLAIN, TIES, RISING, FALLING, WILD, ALL_NAN, ALL_LOW, ZEROS, ROW_KINDS };

static float wild_float(struct ref_random *rnd)
{
	static const float odd[] = { NAN, -NAN, INFINITY, -INFINITY, -0.0f, 0.0f, 0x1p-149f, -3e38f,
				     3e38f };

	return odd[ref_random_below(rnd, COUNT(odd))];
}

static float element(struct ref_random *rnd, enum row_kind kind, uint32_t i)
{
	switch (kind) {
	case TIES:
		return (float)ref_random_below(rnd, 4);
	case RISING:
		return (float)i * 0.01f;
	case FALLING:
		return (float)i * -0.01f;
	case WILD:
		return ref_random_below(rnd, 8) ? ref_random_float(rnd, -9, 9) : wild_float(rnd);
	case ALL_NAN:
		return ref_random_below(rnd, 2) ? NAN : -NAN;
	case ALL_LOW:
		return ref_random_below(rnd, 2) ? -INFINITY : NAN;
	case ZEROS:
		return ref_random_below(rnd, 2) ? 0.0f : -0.0f;
	default:
		return ref_random_float(rnd, -9, 9);
	}
}

static float *make_row(struct ref_random *rnd, enum row_kind kind, uint32_t n)
{
	float *x = malloc(n * sizeof(*x));
	uint32_t i;

	for (i = 0; i < n; i++)
		x[i] = element(rnd, kind, i);
	return x;
}

/* ---- TOPK ---- */

static void check_topk(const float *x, uint32_t n, uint32_t k)
{
	static float want_value[QUILL_TOPK_MAX], value[QUILL_TOPK_MAX];
	static int32_t want[QUILL_TOPK_MAX], index[QUILL_TOPK_MAX];
	const struct quill_kernels *e;
	unsigned int i;

	ref_topk(x, n, k, want_value, want);
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		e->topk(&(struct quill_topk_tile){ .src = x, .value = value, .index = index,
						   .rows = 1, .n = n, .k = k });
		if (memcmp(index, want, k * 4) || memcmp(value, want_value, k * 4))
			fail_msg("%s: the first %u of %u differ", e->name, k, n);
	}
}

static void topk_equals_the_reference(void **state)
{
	static const uint32_t ks[] = { 1, 2, 7, 16, 40, 256, 1024 };
	struct ref_random rnd = { 30 };
	uint32_t n, i, kind;

	for (n = 1; n < 80000; n += 1 + n / (n < 6000 ? 9 : 2)) {
		for (kind = 0; kind < ROW_KINDS; kind++) {
			float *x = make_row(&rnd, kind, n);

			for (i = 0; i < COUNT(ks) && ks[i] <= n; i++)
				check_topk(x, n, ks[i]);
			check_topk(x, n, n < QUILL_TOPK_MAX ? n : QUILL_TOPK_MAX);
			free(x);
		}
	}
}

static void topk_of_equals_takes_the_lowest_index_and_nan_last(void **state)
{
	const float x[] = { NAN, 1, 3, -0.0f, 3, -INFINITY, 0.0f, -NAN };
	const int32_t want[] = { 2, 4, 1, 3, 6, 5, 0, 7 };
	float value[8];
	int32_t index[8];
	uint32_t bits[8];

	quill_engine_get(NULL)->topk(&(struct quill_topk_tile){
		.src = x, .value = value, .index = index, .rows = 1, .n = 8, .k = 8 });
	assert_memory_equal(index, want, sizeof(want));
	memcpy(bits, value, sizeof(bits));
	assert_int_equal(bits[3], 0x80000000);
	assert_int_equal(bits[4], 0);
	assert_int_equal(bits[6], 0x7fc00000);
	assert_int_equal(bits[7], 0x7fc00000);
}

/* ---- SAMPLE ---- */

static int32_t draw(const struct quill_kernels *e, const struct ref_sample *s, const float *x,
		    uint32_t n, uint32_t row, float *prob)
{
	uint32_t *scratch = malloc(n * sizeof(*scratch));
	int32_t token;

	e->sample(&(struct quill_sample_tile){
		.src = x, .dst = &token, .prob = prob, .scratch = scratch, .rows = 1, .n = n,
		.row = row, .temperature = s->temperature, .top_k = s->top_k, .top_p = s->top_p,
		.seed = s->seed, .counter = s->counter,
	});
	free(scratch);
	return token;
}

static void check_sample(const struct ref_sample *s, const float *x, uint32_t n, uint32_t row)
{
	const struct quill_kernels *e;
	float want_prob, prob;
	int32_t want, got;
	unsigned int i;

	want = ref_sample(s, x, n, row, &want_prob);
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		got = draw(e, s, x, n, row, &prob);
		if (got != want || memcmp(&prob, &want_prob, 4))
			fail_msg("%s: n %u temperature %g top_k %u top_p %g: token %d (%a), expected %d (%a)",
				 e->name, n, s->temperature, s->top_k, s->top_p, got, prob, want,
				 want_prob);
	}
}

static void check_samples_of(const float *x, uint32_t n, struct ref_random *rnd)
{
	static const float temperatures[] = { 0, 0.01f, 0.7f, 1, 3, 1e30f, 0x1p-126f };
	static const uint32_t ks[] = { 0, 1, 2, 40, 1024, 1025, 3000, UINT32_MAX };
	static const float ps[] = { 1, 0.95f, 0.5f, 1e-9f, 0x1.fffffep-1f };
	struct ref_sample s;
	uint32_t t, k, p;

	for (t = 0; t < COUNT(temperatures); t++) {
		for (k = 0; k < COUNT(ks); k++) {
			for (p = 0; p < COUNT(ps); p++) {
				s = (struct ref_sample){
					.temperature = temperatures[t], .top_k = ks[k],
					.top_p = ps[p],
					.seed = (uint64_t)ref_random(rnd) << 32 | ref_random(rnd),
					.counter = (uint64_t)ref_random(rnd) << 32 | ref_random(rnd),
				};
				check_sample(&s, x, n, ref_random(rnd) >> 20);
			}
		}
	}
}

static void sample_equals_the_reference(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 15, 16, 17, 100, 1000, 1025, 4001 };
	struct ref_random rnd = { 31 };
	uint32_t i, kind;

	for (i = 0; i < COUNT(sizes); i++) {
		for (kind = 0; kind < ROW_KINDS; kind++) {
			float *x = make_row(&rnd, kind, sizes[i]);

			check_samples_of(x, sizes[i], &rnd);
			free(x);
		}
	}
}

static void a_vocabulary_of_128000(void **state)
{
	struct ref_random rnd = { 32 };
	float *x = make_row(&rnd, PLAIN, 128000);
	struct ref_sample s = { .temperature = 1, .top_p = 1, .seed = 5 };

	for (s.counter = 0; s.counter < 3; s.counter++) {
		s.top_k = 0;
		check_sample(&s, x, 128000, 0);
		s.top_k = 50000;
		s.top_p = 0.9f;
		check_sample(&s, x, 128000, 1);
		s.top_k = 40;
		check_sample(&s, x, 128000, 2);
	}
	free(x);
}

/* ---- The generator ---- */

/* Published with it, as known answers. */
static void philox_gives_its_known_answers(void **state)
{
	static const struct { uint32_t counter[4], key[2], out[4]; } known[] = {
		{ { 0, 0, 0, 0 }, { 0, 0 },
		  { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
		  { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
		  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};
	uint32_t out[4];
	unsigned int i;

	for (i = 0; i < COUNT(known); i++) {
		philox_4x32(known[i].key, known[i].counter, out);
		assert_memory_equal(out, known[i].out, sizeof(out));
		ref_philox(known[i].key, known[i].counter, out);
		assert_memory_equal(out, known[i].out, sizeof(out));
	}
}

/* ---- What is drawn ---- */

#define DRAWS 40000

static void count_draws(struct ref_sample s, const float *x, uint32_t n, uint32_t *count)
{
	uint32_t i;

	memset(count, 0, n * sizeof(*count));
	for (i = 0; i < DRAWS; i++, s.counter++)
		count[draw(quill_engine_get(NULL), &s, x, n, 0, NULL)]++;
}

/* Within five deviations of what real arithmetic has. */
static void check_counts(const uint32_t *count, const double *p, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		double want = p[i] * DRAWS, deviation = sqrt(want * (1 - p[i]));

		if (fabs(count[i] - want) > 5 * deviation)
			fail_msg("token %u came %u times, expected %.0f +- %.0f", i, count[i], want,
				 5 * deviation);
	}
}

static void tokens_come_as_often_as_they_should(void **state)
{
	const double p[] = { 0.05, 0.5, 0.15, 0.3 };
	const float x[] = { logf(0.05f), logf(0.5f), logf(0.15f), logf(0.3f) };
	const struct ref_sample s = { .temperature = 1, .top_p = 1, .seed = 42 };
	uint32_t count[4];

	count_draws(s, x, 4, count);
	check_counts(count, p, 4);
}

static void limits_keep_the_most_likely(void **state)
{
	/* two of them have 0.8, just more than is asked for; then three of four */
	const double two[] = { 0, 0.625, 0, 0.375 }, three[] = { 0, 10 / 19., 3 / 19., 6 / 19. };
	const float x[] = { logf(0.05f), logf(0.5f), logf(0.15f), logf(0.3f) };
	struct ref_sample s = { .temperature = 1, .top_p = 0.79f, .seed = 43 };
	uint32_t count[4];

	count_draws(s, x, 4, count);
	check_counts(count, two, 4);
	s.top_p = 0.81f;
	count_draws(s, x, 4, count);
	check_counts(count, three, 4);
	s.top_p = 1;
	s.top_k = 2;
	count_draws(s, x, 4, count);
	check_counts(count, two, 4);
	/* of those two, the first has 0.625 already */
	s.top_p = 0.6f;
	count_draws(s, x, 4, count);
	assert_int_equal(count[1], DRAWS);
}

static void temperature_sharpens_and_flattens(void **state)
{
	const float x[] = { logf(0.2f), logf(0.8f) };
	const double half[] = { 1 / 17., 16 / 17. }, twice[] = { 1 / 3., 2 / 3. };
	struct ref_sample s = { .temperature = 0.5f, .top_p = 1, .seed = 44 };
	uint32_t count[2];

	count_draws(s, x, 2, count);
	check_counts(count, half, 2);
	s.temperature = 2;
	count_draws(s, x, 2, count);
	check_counts(count, twice, 2);
}

static void temperature_0_takes_the_lowest_of_the_most_likely(void **state)
{
	float x[256] = { [7] = 3, [9] = 3, [200] = 2 };
	struct ref_sample s = { .temperature = 0, .top_p = 1 };

	for (s.seed = 0; s.seed < 50; s.seed++)
		assert_int_equal(draw(quill_engine_get(NULL), &s, x, 256, 0, NULL), 7);
}

static void a_seed_chooses_the_same_again_and_another_otherwise(void **state)
{
	const float x[256] = { 0 };
	struct ref_sample a = { .temperature = 1, .top_p = 1, .seed = 3 }, b = a;
	int i, seed = 0, counter = 0, row = 0;

	for (i = 0; i < 100; i++) {
		int32_t token = draw(quill_engine_get(NULL), &a, x, 256, 0, NULL);

		assert_int_equal(draw(quill_engine_get(NULL), &a, x, 256, 0, NULL), token);
		b.counter = a.counter;
		b.seed = 4;
		seed += draw(quill_engine_get(NULL), &b, x, 256, 0, NULL) != token;
		row += draw(quill_engine_get(NULL), &a, x, 256, 1, NULL) != token;
		a.counter++;
		counter += draw(quill_engine_get(NULL), &a, x, 256, 0, NULL) != token;
	}
	/* of 256, the same by chance hardly ever */
	assert_true(seed > 90 && counter > 90 && row > 90);
}

/*
 * A weight is exp's of a difference, with its errors (4 S u and 1.8 u relatively, S the largest scaled logit), and
 * half a unit of 2^-30. The distance of the two distributions is half the sum of the differences of probabilities.
 */
static void weights_are_near_the_exact_probabilities(void **state)
{
	enum { N = 32000 };
	const struct ref_sample s = { .temperature = 0.7f, .top_p = 1 };
	uint64_t *w = malloc(N * sizeof(*w));
	struct ref_random rnd = { 33 };
	double sum = 0, exact = 0, distance = 0, bound;
	float *x = make_row(&rnd, PLAIN, N);
	uint32_t i;

	ref_sample_weights(&s, x, N, w);
	for (i = 0; i < N; i++) {
		sum += (double)w[i];
		exact += exp((x[i] - 9) / 0.7);
	}
	for (i = 0; i < N; i++)
		distance += fabs((double)w[i] / sum - exp((x[i] - 9) / 0.7) / exact) / 2;
	/* temperature is rounded, its inverse too: 2 u more for each unit of S */
	bound = (6 * 9 / 0.7 + 1.8) * 0x1p-24 + N * 0x1p-31 / (sum * 0x1p-30);
	print_message("sample: n %d: distance from the exact distribution %.2g, bound %.2g\n", N,
		      distance, bound);
	assert_true(distance > 0 && distance <= bound);
	free(x);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topk_equals_the_reference),
		cmocka_unit_test(topk_of_equals_takes_the_lowest_index_and_nan_last),
		cmocka_unit_test(sample_equals_the_reference),
		cmocka_unit_test(a_vocabulary_of_128000),
		cmocka_unit_test(philox_gives_its_known_answers),
		cmocka_unit_test(tokens_come_as_often_as_they_should),
		cmocka_unit_test(limits_keep_the_most_likely),
		cmocka_unit_test(temperature_sharpens_and_flattens),
		cmocka_unit_test(temperature_0_takes_the_lowest_of_the_most_likely),
		cmocka_unit_test(a_seed_chooses_the_same_again_and_another_otherwise),
		cmocka_unit_test(weights_are_near_the_exact_probabilities),
	};

	return cmocka_run_group_tests_name("engine: TOPK, SAMPLE", tests, NULL, NULL);
}
