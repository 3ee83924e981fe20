// SPDX-License-Identifier: MIT
/*
 * quill-run's parts that need no device: what reaches a terminal, how bytes are chosen, and the float64
 * computation that the device is held against.
 */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <accel.h>
#include <cmocka.h>

#include "reference.h"
#include "text.h"

/* ---- Text --------------------------------------------------------------------------------- */

static void expect_text(const char *in, const char *wanted)
{
	char *got = NULL;
	struct text t = { 0 };
	size_t size;

	t.out = open_memstream(&got, &size);
	for (; *in; in++)
		text_put(&t, *in);
	text_end(&t);
	fclose(t.out);
	assert_string_equal(got, wanted);
	free(got);
}

static void utf8_passes_and_all_else_is_escaped(void **state)
{
	expect_text("plain\ttext\n", "plain\ttext\n");
	expect_text("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	expect_text("\x1b[2J\r\x7f", "\\x1b[2J\\x0d\\x7f");
	expect_text("\xff\xc0\xaf", "\\xff\\xc0\\xaf");		/* no lead, overlong */
	expect_text("\xe0\x80\x80", "\\xe0\\x80\\x80");		/* overlong */
	expect_text("\xed\xa0\x80", "\\xed\\xa0\\x80");		/* surrogate */
	expect_text("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");	/* beyond U+10FFFF */
	expect_text("\xc2\x9b", "\\xc2\\x9b");			/* a control character, as UTF-8 */
	expect_text("\xe2\x82x", "\\xe2\\x82x");		/* broken off */
	expect_text("\xe2\x82\xc3\xa9", "\\xe2\\x82\xc3\xa9");
	expect_text("a\xf0\x9f", "a\\xf0\\x9f");		/* at the end */
}

static void a_sequence_is_written_when_it_is_whole(void **state)
{
	char *got = NULL;
	struct text t = { 0 };
	size_t size;

	t.out = open_memstream(&got, &size);
	text_put(&t, 0xc3);
	assert_int_equal(size, 0);
	text_put(&t, 0xa9);
	assert_int_equal(size, 2);
	fclose(t.out);
	free(got);
}

static void json_strings_are_escaped(void **state)
{
	char *got = NULL;
	size_t size;
	FILE *f = open_memstream(&got, &size);

	text_json(f, "a\"b\\c\n\t\xc3\xa9");
	fclose(f);
	assert_string_equal(got, "\"a\\\"b\\\\c\\u000a\\u0009\xc3\xa9\"");
	free(got);
}

/* ---- The float64 computation ----------------------------------------------------------------- */

#define WIDTH	32
#define HEAD	16
#define CONTEXT	24

static float random_float(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return (int32_t)*state / 2147483648.0f;
}

static float *random_floats(uint32_t *state, size_t n, float middle)
{
	float *x = malloc(n * sizeof(*x));
	size_t i;

	for (i = 0; i < n; i++)
		x[i] = middle + random_float(state) * 0.3f;
	return x;
}

static void make_matrix(uint32_t *state, struct matrix *m, uint32_t n, uint32_t k)
{
	m->n = n;
	m->k = k;
	m->f32 = random_floats(state, (size_t)n * k, 0);
	m->s8 = malloc((size_t)n * k);
	m->scale = malloc(n * sizeof(*m->scale));
	assert_int_equal(accel_quantise_channels_s8(m->f32, n, k, 0, ACCEL_ORDER_NK, m->s8,
						    m->scale), 0);
}

/* Two layers; two heads of queries on one of keys. */
static void make_weights(struct weights *w)
{
	uint32_t state = 1, i;

	*w = (struct weights){ .n_layers = 2, .d_model = WIDTH, .n_heads = 2, .n_kv_heads = 1,
			       .head_dim = HEAD, .d_ff = 48, .context = CONTEXT, .rms_eps = 1e-5,
			       .rope_base = 10000 };
	w->embedding = random_floats(&state, VOCAB * WIDTH, 0);
	w->layers = calloc(w->n_layers, sizeof(*w->layers));
	for (i = 0; i < w->n_layers; i++) {
		w->layers[i].attn_norm = random_floats(&state, WIDTH, 1);
		w->layers[i].ffn_norm = random_floats(&state, WIDTH, 1);
		make_matrix(&state, &w->layers[i].qkv, 4 * HEAD, WIDTH);
		make_matrix(&state, &w->layers[i].attn_output, WIDTH, 2 * HEAD);
		make_matrix(&state, &w->layers[i].gate_up, 2 * w->d_ff, WIDTH);
		make_matrix(&state, &w->layers[i].down, WIDTH, w->d_ff);
	}
	w->output_norm = random_floats(&state, WIDTH, 1);
	make_matrix(&state, &w->output, VOCAB, WIDTH);
}

static const uint8_t tokens[CONTEXT] = "The text of a test, so.";

/* Largest difference of two rows of logits, relative to the largest logit. */
static double difference(const double *a, const double *b)
{
	double most = 0, largest = 0;
	int i;

	for (i = 0; i < VOCAB; i++) {
		most = fmax(most, fabs(a[i] - b[i]));
		largest = fmax(largest, fabs(a[i]));
	}
	return most / largest;
}

static void expect_one_by_one_equals_all_at_once(enum reference_mode mode)
{
	struct reference *batch, *single;
	const double *all, *one;
	struct weights w;
	uint32_t i;

	make_weights(&w);
	batch = reference_create(&w, mode, CONTEXT, CONTEXT);
	single = reference_create(&w, mode, CONTEXT, 1);
	assert_true(batch && single);
	all = reference_forward(batch, tokens, CONTEXT, true);
	for (i = 0; i < CONTEXT; i++) {
		one = reference_forward(single, tokens + i, 1, false);
		assert_true(difference(all + i * VOCAB, one) < 1e-12);
	}
	/* and once more from the start, with the last row alone */
	reference_restart(batch);
	assert_true(difference(reference_forward(batch, tokens, CONTEXT, false), one) < 1e-12);
	reference_destroy(batch);
	reference_destroy(single);
	weights_free(&w);
}

static void tokens_one_by_one_give_what_all_at_once_give(void **state)
{
	expect_one_by_one_equals_all_at_once(REFERENCE_REAL);
	expect_one_by_one_equals_all_at_once(REFERENCE_DEVICE);
}

static void int8_is_near_the_real_numbers_but_not_equal(void **state)
{
	struct reference *real, *device;
	struct weights w;
	double d;

	make_weights(&w);
	real = reference_create(&w, REFERENCE_REAL, CONTEXT, CONTEXT);
	device = reference_create(&w, REFERENCE_DEVICE, CONTEXT, CONTEXT);
	d = difference(reference_forward(real, tokens, CONTEXT, false),
		       reference_forward(device, tokens, CONTEXT, false));
	assert_true(d > 1e-4 && d < 0.1);
	reference_destroy(real);
	reference_destroy(device);
	weights_free(&w);
}

static void int8_values_that_no_rounding_explains_are_reported(void **state)
{
	struct trace trace = { calloc(1, 1 << 20), 1 << 20, 1 << 20 };
	struct trace cut = { trace.data, 10, 10 };
	const struct reference_report *report;
	struct reference *r;
	struct weights w;

	make_weights(&w);
	r = reference_create(&w, REFERENCE_DEVICE, CONTEXT, CONTEXT);
	reference_follow(r, &trace);
	reference_forward(r, tokens, 1, false);
	report = reference_report(r);
	assert_true(report->wrong > 100 && report->excess > 100);
	assert_non_null(strstr(report->first_wrong, "layer 0, input of QKV, position 0, element 0: 0, but"));
	reference_destroy(r);

	r = reference_create(&w, REFERENCE_DEVICE, CONTEXT, CONTEXT);
	memset(trace.data, 0, 10);
	reference_follow(r, &cut);
	reference_forward(r, tokens, 1, false);
	assert_true(reference_report(r)->wrong > WIDTH);
	reference_destroy(r);
	weights_free(&w);
	free(trace.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_passes_and_all_else_is_escaped),
		cmocka_unit_test(a_sequence_is_written_when_it_is_whole),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(tokens_one_by_one_give_what_all_at_once_give),
		cmocka_unit_test(int8_is_near_the_real_numbers_but_not_equal),
		cmocka_unit_test(int8_values_that_no_rounding_explains_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
