// SPDX-License-Identifier: MIT
/* libaccel's encoders of MERGE, KV_APPEND and ATTENTION's third record: what they write, and what they refuse. */
#include <math.h>

#include "libaccel_stream.h"

static const struct accel_pages pages = { .table = VA, .page_size = 32, .count = 9 };

static struct accel_attention good_attention(void)
{
	return (struct accel_attention) {
		.q = VA, .k = VA, .v = VA, .out = VA, .q_scale = VA, .k_scale = VA, .v_scale = VA,
		.n_q = 2, .n_kv = 9, .n_heads = 4, .n_kv_heads = 2, .head_dim = 32,
		.softmax_scale = 0.5f, .causal = true, .window = 7, .state = VA + 4,
		.weights = ACCEL_WEIGHTS_S16, .pages = pages,
	};
}

static struct accel_merge good_merge(void)
{
	return (struct accel_merge) {
		.src = VA, .state = VA, .dst = VA, .dst_state = VA, .rows = 3, .parts = 5,
		.heads = 4, .dim = 32,
	};
}

static struct accel_kv_append good_append(void)
{
	return (struct accel_kv_append) {
		.k_src = VA, .v_src = VA, .k = VA, .v = VA, .k_scale = VA, .v_scale = VA,
		.tokens = 3, .pos = 11, .heads = 4, .dim = 32, .pages = pages,
	};
}

static void attention_has_a_third_record_only_if_it_needs_one(void **state)
{
	struct accel_attention c = good_attention();
	struct fixture *f = *state;
	const struct quill_ext_attention_more *m = &f->cmds[2].attention_more;

	assert_int_equal(accel_cmd_attention(&f->stream, &c, NULL), 0);
	assert_int_equal(accel_stream_records(&f->stream), 3);
	assert_int_equal(f->cmds[0].hdr.ext, 2);
	assert_int_equal(m->state, VA + 4);
	assert_int_equal(m->table, VA);
	assert_int_equal(m->window, 7);
	assert_int_equal(m->page_size, 32);
	assert_int_equal(m->page_stride, 32 * 64);
	assert_int_equal(m->pages, 9);
	assert_int_equal(m->weights, QUILL_WEIGHTS_S16);
	accel_stream_reset(&f->stream);

	c.pages = (struct accel_pages) { 0 };
	c.window = 0;
	c.state = 0;
	c.weights = ACCEL_WEIGHTS_F32;
	assert_int_equal(accel_cmd_attention(&f->stream, &c, NULL), 0);
	assert_int_equal(accel_stream_records(&f->stream), 2);
	assert_int_equal(f->cmds[0].hdr.ext, 1);
}

static void merge_fields_and_defaults(void **state)
{
	struct accel_merge c = good_merge();
	struct fixture *f = *state;
	const struct quill_ext_merge *e = &f->cmds[1].merge_ext;

	assert_int_equal(accel_cmd_merge(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[0].merge.rows, 3);
	assert_int_equal(f->cmds[0].merge.parts, 5);
	assert_int_equal(f->cmds[0].merge.dst_state, VA);
	assert_int_equal(e->src_stride, 128);
	assert_int_equal(e->dst_stride, 128);
	assert_int_equal(e->part_stride, 384);
	assert_int_equal(e->state_stride, 24);
	accel_stream_reset(&f->stream);
	c.src_stride = 200, c.dst_stride = 201, c.part_stride = 1000, c.state_stride = 30;
	assert_int_equal(accel_cmd_merge(&f->stream, &c, NULL), 0);
	assert_int_equal(e->src_stride, 200);
	assert_int_equal(e->dst_stride, 201);
	assert_int_equal(e->part_stride, 1000);
	assert_int_equal(e->state_stride, 30);
}

static void append_fields_and_defaults(void **state)
{
	struct accel_kv_append c = good_append();
	struct fixture *f = *state;
	const struct quill_ext_kv_append *e = &f->cmds[1].kv_append_ext;

	assert_int_equal(accel_cmd_kv_append(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[0].kv_append.tokens, 3);
	assert_int_equal(f->cmds[0].kv_append.pos, 11);
	assert_int_equal(f->cmds[0].kv_append.src_stride, 128);
	assert_int_equal(e->kv_stride, 128);
	assert_int_equal(e->kv_head_stride, 32);
	assert_int_equal(e->page_stride, 32 * 128);
	assert_int_equal(e->pages, 9);
	accel_stream_reset(&f->stream);
	c.kv_stride = 32, c.kv_head_stride = 4096, c.src_stride = 500;
	c.pages = (struct accel_pages) { 0 };
	assert_int_equal(accel_cmd_kv_append(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[0].kv_append.src_stride, 500);
	assert_int_equal(e->kv_stride, 32);
	assert_int_equal(e->kv_head_stride, 4096);
	assert_int_equal(e->table, 0);
	assert_int_equal(e->page_stride, 0);
}

static void bfloat16_has_no_scales(void **state)
{
	struct accel_attention a = good_attention();
	struct accel_kv_append k = good_append();
	struct fixture *f = *state;

	a.type_kv = k.type_kv = ACCEL_BF16;
	a.q_scale = a.k_scale = a.v_scale = k.k_scale = k.v_scale = 0;
	a.weights = ACCEL_WEIGHTS_F32;
	assert_int_equal(accel_cmd_attention(&f->stream, &a, NULL), 0);
	assert_int_equal(accel_cmd_kv_append(&f->stream, &k, NULL), 0);
	assert_int_equal(f->cmds[0].hdr.type_a, QUILL_TYPE_F32);
	assert_int_equal(f->cmds[0].hdr.type_b, QUILL_TYPE_BF16);
	assert_int_equal(f->cmds[3].hdr.type_d, QUILL_TYPE_BF16);
	accel_stream_reset(&f->stream);
	a.type_q = ACCEL_BF16;
	assert_int_equal(accel_cmd_attention(&f->stream, &a, NULL), 0);
	assert_int_equal(f->cmds[0].hdr.type_a, QUILL_TYPE_BF16);
	accel_stream_reset(&f->stream);
	a.weights = ACCEL_WEIGHTS_S16;
	expect_refusal(f, accel_cmd_attention(&f->stream, &a, NULL), "ATTENTION: weights is 1; "
		       "required: 0 (float32), unless values are S8 (1) (type_b is 4)");
	a.weights = ACCEL_WEIGHTS_F32;
	a.k_scale = VA;
	expect_refusal(f, accel_cmd_attention(&f->stream, &a, NULL),
		       "ATTENTION: k_scale is 0x100000; required: 0, since keys and values have no scales");
}

#define REFUSED(call, name, change, text)							\
	do {											\
		c = good_##call();								\
		change;										\
		expect_refusal(f, accel_cmd_##name(&f->stream, &c, NULL), text);		\
	} while (0)

static void errors_name_the_field(void **state)
{
	struct fixture *f = *state;

	{
		struct accel_attention c;

		REFUSED(attention, attention, c.causal = false,
			"ATTENTION: window is 7; required: 0, unless causal (flags is 1)");
		REFUSED(attention, attention, c.pages.page_size = 24, "ATTENTION: page_size is 24; "
			"required: 16, 32, ... 65536, or 0 without a table");
		REFUSED(attention, attention, c.pages.page_stride = 40, "ATTENTION: page_stride is 40; "
			"required: 0 without a table; else over 0, and a multiple of head_dim "
			"(head_dim is 32)");
		REFUSED(attention, attention, c.weights = 2,
			"ATTENTION: weights is 2; required: 0 (float32) or 1 (16 bits)");
	}
	{
		struct accel_merge c;

		REFUSED(merge, merge, c.parts = 0, "MERGE: parts is 0; required: 1..1024");
		REFUSED(merge, merge, c.heads = 65537, "MERGE: heads is 65537; required: at most 1024");
		REFUSED(merge, merge, c.src = 0, "MERGE: src" RANGE_TEXT);
		REFUSED(merge, merge, c.src_stride = 127,
			"MERGE: src_stride is 127; required: at least heads * dim (dim is 32)");
	}
	{
		struct accel_kv_append c;

		REFUSED(append, kv_append, c.dim = 20, "KV_APPEND: dim is 20; required: 16, 32, ... 256");
		REFUSED(append, kv_append, c.pos = 1 << 20,
			"KV_APPEND: pos is 1048576; required: with tokens at most 2^20 (tokens is 3)");
		REFUSED(append, kv_append, c.kv_stride = 33, "KV_APPEND: kv_stride is 33; required: "
			"over 0, and a multiple of dim (dim is 32)");
		REFUSED(append, kv_append, c.pages.count = 0,
			"KV_APPEND: pages is 0; required: 1..2^24, or 0 without a table");
	}
}

static void every_rule_has_words(void **state)
{
	struct accel_attention attention = good_attention();
	struct accel_merge merge = good_merge();
	struct accel_kv_append append = good_append();
	struct fixture *f = *state;

	assert_int_equal(accel_cmd_attention(&f->stream, &attention, NULL), 0);
	assert_int_equal(accel_cmd_merge(&f->stream, &merge, NULL), 0);
	assert_int_equal(accel_cmd_kv_append(&f->stream, &append, NULL), 0);
	expect_words_for_every_rule(f, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(attention_has_a_third_record_only_if_it_needs_one),
		STREAM_TEST(merge_fields_and_defaults),
		STREAM_TEST(append_fields_and_defaults),
		STREAM_TEST(bfloat16_has_no_scales),
		STREAM_TEST(errors_name_the_field),
		STREAM_TEST(every_rule_has_words),
	};

	return cmocka_run_group_tests_name("libaccel: attention", tests, NULL, NULL);
}
