// SPDX-License-Identifier: MIT
/* Encoders of libaccel: calls, loops, registers and patches. */
#include "libaccel_stream.h"

static struct accel_loop good_loop(void)
{
	return (struct accel_loop) {
		.record = 0, .reg = 2, .limit = 10, .word = VA, .stops = 2, .stop = { -5, 7 },
	};
}

static void control_fields(void **state)
{
	struct fixture *f = *state, callee = *f;
	struct accel_loop loop = good_loop();

	callee.stream.vm = &f->vm;
	callee.stream.buf.va = 0x4000;
	callee.stream.count = 3;
	assert_int_equal(accel_cmd_call(&f->stream, &callee.stream), 0);
	assert_int_equal(f->cmds[0].call.stream, 0x4000);
	assert_int_equal(f->cmds[0].call.size, 192);
	assert_int_equal(accel_cmd_loop(&f->stream, &loop), 0);
	assert_int_equal(f->cmds[1].loop.reg, 2);
	assert_int_equal(f->cmds[1].loop.limit, 10);
	assert_int_equal(f->cmds[1].loop.stop[0], -5);
	assert_int_equal(accel_cmd_set(&f->stream, 15, 0xffffffff), 0);
	assert_int_equal(f->cmds[2].set.op, QUILL_SET_VALUE);
	assert_int_equal(accel_cmd_add(&f->stream, 14, 3), 0);
	assert_int_equal(f->cmds[3].set.op, QUILL_SET_ADD);
	assert_int_equal(accel_cmd_load(&f->stream, 13, VA + 4, 9), 0);
	assert_int_equal(f->cmds[4].set.word, VA + 4);
	assert_int_equal(f->cmds[4].set.max, 9);
}

static void a_patch_names_fields_of_the_command_behind_it(void **state)
{
	struct accel_patch patches[] = {
		{ "n_kv", 1, 1 }, { "softmax_scale", 2, -3 }, { "k", 3, 64 }, { "wait_value", 4, 5 },
	};
	struct accel_attention attention = {
		.q = VA, .k = VA, .v = VA, .out = VA, .q_scale = VA, .k_scale = VA, .v_scale = VA,
		.n_q = 2, .n_kv = 9, .n_heads = 4, .n_kv_heads = 2, .head_dim = 32,
		.softmax_scale = 0.5f,
	};
	struct accel_cmd_opts opts = { .wait_sem = 1 };
	struct fixture *f = *state;

	assert_int_equal(accel_cmd_patch(&f->stream, patches, 4), 0);
	assert_int_equal(accel_stream_records(&f->stream), 0);
	assert_int_equal(accel_cmd_attention(&f->stream, &attention, &opts), 0);
	assert_int_equal(accel_stream_records(&f->stream), 3);
	assert_int_equal(f->cmds[0].hdr.opcode, QUILL_OP_PATCH);
	assert_int_equal(f->cmds[0].patch.entry[0], quill_patch_entry(
		1, QUILL_OFF(struct quill_cmd_attention, n_kv) / 4, 0, 1));
	assert_int_equal(f->cmds[0].patch.entry[1], quill_patch_entry(
		2, (64 + QUILL_OFF(struct quill_ext_attention, softmax_scale)) / 4, 0, -3));
	assert_int_equal(f->cmds[0].patch.entry[2], quill_patch_entry(
		3, QUILL_OFF(struct quill_cmd_attention, k) / 4, 1, 64));
	assert_int_equal(f->cmds[0].patch.entry[3], quill_patch_entry(4, 3, 0, 5));
	assert_int_equal(f->cmds[0].patch.entry[4], 0);

	/* for one command */
	assert_int_equal(accel_cmd_fence(&f->stream, NULL), 0);
	assert_int_equal(accel_stream_records(&f->stream), 4);
}

static void a_patch_that_fits_no_field_says_so(void **state)
{
	static const struct accel_patch unknown = { "nkv", 1, 1 }, small = { "n_heads", 1, 1 };
	static const struct accel_patch reg = { "dst", 16, 1 }, good = { "dst", 1, 1 };
	static const struct accel_patch reserved = { "reserved0", 1, 1 }, unnamed = { NULL, 1, 1 };
	struct accel_fill fill = { .dst = VA, .width = 64, .elem = 4 };
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;

	assert_int_equal(accel_cmd_patch(s, &unknown, 1), 0);
	expect_refusal(f, accel_cmd_fill(s, &fill, NULL),
		       "PATCH: nkv; required: a field of FILL with 32 or 64 bits");
	assert_int_equal(accel_cmd_patch(s, &small, 1), 0);
	expect_refusal(f, accel_cmd_fill(s, &fill, NULL),
		       "PATCH: n_heads; required: a field of FILL with 32 or 64 bits");
	assert_int_equal(accel_cmd_patch(s, &reserved, 1), 0);
	expect_refusal(f, accel_cmd_fill(s, &fill, NULL),
		       "PATCH: reserved0; required: a field of FILL with 32 or 64 bits");
	expect_refusal(f, accel_cmd_patch(s, &reg, 1), "PATCH: patches[0].reg is 16; required: 0..15");
	expect_refusal(f, accel_cmd_patch(s, &unnamed, 1),
		       "PATCH: patches[0].field is NULL; required: a field of the next command");
	expect_refusal(f, accel_cmd_patch(s, &good, 0), "PATCH: count is 0; required: 1..6");
	expect_refusal(f, accel_cmd_patch(s, &good, 7), "PATCH: count is 7; required: 1..6");
	assert_int_equal(accel_cmd_patch(s, &good, 1), 0);
	expect_refusal(f, accel_cmd_patch(s, &good, 1),
		       "PATCH: the command before is one too; required: the command that it is for");
	/* a command that is refused takes its patch along */
	fill.elem = 3;
	expect_refusal(f, accel_cmd_fill(s, &fill, NULL), "FILL: elem is 3; required: 1, 2, 4 or 8");
	fill.elem = 4;
	assert_int_equal(accel_cmd_fill(s, &fill, NULL), 0);
	assert_int_equal(accel_stream_records(s), 1);
}

static void a_patch_and_its_command_need_room_for_both(void **state)
{
	static const struct accel_patch patch = { "dst", 1, 1 };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < ROOM - 1; i++)
		assert_int_equal(accel_cmd_nop(&f->stream, NULL), 0);
	assert_int_equal(accel_cmd_patch(&f->stream, &patch, 1), 0);
	assert_int_equal(accel_cmd_copy(&f->stream, VA, VA, 1, NULL), -ENOSPC);
	assert_string_equal(accel_last_error(&f->dev), "COPY: the stream has 7 of 8 records; "
			    "required: room for 2 more");
}

#define LOOP_REFUSED(change, text)							\
	do {										\
		struct accel_loop c = good_loop();					\
											\
		change;									\
		expect_refusal(f, accel_cmd_loop(&f->stream, &c), "LOOP: " text);	\
	} while (0)

static void control_errors_name_the_field(void **state)
{
	struct fixture *f = *state, callee = *f;
	struct accel_stream *s = &f->stream;

	LOOP_REFUSED(c.limit = 0, "limit is 0; required: 1 or more");
	LOOP_REFUSED(c.reg = 16, "reg is 16; required: 0..15");
	LOOP_REFUSED(c.reg = 65536, "reg is 65536; required: at most 15");
	LOOP_REFUSED(c.stops = 5, "stops is 5; required: 0..4, and 0 without a word to look at");
	LOOP_REFUSED(c.word = 0, "stops is 2; required: 0..4, and 0 without a word to look at");
	LOOP_REFUSED(c.stops = 1, "stop is -5; required: 0 behind the first stops (stops is 1)");
	LOOP_REFUSED(c.word += 2, "word is 0x100002; required: a multiple of 4");
	LOOP_REFUSED(c.word = TOP, "word is 0x1000000000000" TOP_TEXT);
	LOOP_REFUSED(c.record = 8, "to record 8; required: below the stream's 8 records");
	expect_refusal(f, accel_cmd_set(s, 16, 1), "SET: reg is 16; required: 0..15");
	expect_refusal(f, accel_cmd_load(s, 1, VA + 1, 1), "SET: word is 0x100001; required: a multiple of 4");
	expect_refusal(f, accel_cmd_load(s, 1, 0, 1), "SET: word" RANGE_TEXT);

	callee.stream.count = 0;
	expect_refusal(f, accel_cmd_call(s, &callee.stream),
		       "CALL: the callee has 0 records; required: a stream that is complete");
	callee.stream.count = 1;
	callee.stream.buf.va = 32;
	expect_refusal(f, accel_cmd_call(s, &callee.stream),
		       "CALL: stream is 0x20; required: a multiple of 64");
}

static void every_rule_has_words(void **state)
{
	static const struct accel_patch patch = { "dst", 1, 1 };
	struct accel_fill fill = { .dst = VA, .width = 64, .elem = 4 };
	struct fixture *f = *state, callee = *f;
	struct accel_loop loop = good_loop();

	callee.stream.count = 1;
	callee.stream.buf.va = VA;
	assert_int_equal(accel_cmd_call(&f->stream, &callee.stream), 0);
	assert_int_equal(accel_cmd_loop(&f->stream, &loop), 0);
	assert_int_equal(accel_cmd_set(&f->stream, 1, 1), 0);
	assert_int_equal(accel_cmd_load(&f->stream, 1, VA, 1), 0);
	assert_int_equal(accel_cmd_patch(&f->stream, &patch, 1), 0);
	assert_int_equal(accel_cmd_fill(&f->stream, &fill, NULL), 0);
	expect_words_for_every_rule(f, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(control_fields),
		STREAM_TEST(a_patch_names_fields_of_the_command_behind_it),
		STREAM_TEST(a_patch_that_fits_no_field_says_so),
		STREAM_TEST(a_patch_and_its_command_need_room_for_both),
		STREAM_TEST(control_errors_name_the_field),
		STREAM_TEST(every_rule_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
