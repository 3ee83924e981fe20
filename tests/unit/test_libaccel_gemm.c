// SPDX-License-Identifier: MIT
/* accel_cmd_gemm(): the third and the fourth record, and every rule that they have. */
#include "libaccel_stream.h"

static const struct accel_gemm_batch good_batch = {
	.count = 3, .column_step = 80, .a_step = 100, .b_step = 64 * 64, .d_step = 1200,
	.gate_step = 1024, .residual_step = 2048,
};

static struct accel_gemm good_gemm(void)
{
	return (struct accel_gemm){
		.a = VA, .b = VA, .d = VA, .m = 4, .n = 70, .k = 7, .type_d = ACCEL_F32,
		.scale = VA, .bias = VA, .act = ACCEL_GEMM_SILU, .gate = VA + 4, .residual = VA + 8,
		.batch = &good_batch,
	};
}

static void one_record_more_for_each_that_is_needed(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_gemm c = good_gemm();

	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(accel_stream_records(s), 4);
	assert_int_equal(f->cmds[0].hdr.ext, 3);
	assert_int_equal(f->cmds[2].gemm_post.act, QUILL_ACT_SILU + 1);
	assert_int_equal(f->cmds[2].gemm_post.gate, VA + 4);
	assert_int_equal(f->cmds[2].gemm_post.gate_stride, 70);
	assert_int_equal(f->cmds[2].gemm_post.residual, VA + 8);
	assert_int_equal(f->cmds[2].gemm_post.residual_stride, 70);
	assert_int_equal(f->cmds[3].gemm_batch.batch, 3);
	assert_int_equal(f->cmds[3].gemm_batch.column_step, 80);
	assert_int_equal(f->cmds[3].gemm_batch.a_step, 100);
	assert_int_equal(f->cmds[3].gemm_batch.b_step, 4096);
	assert_int_equal(f->cmds[3].gemm_batch.d_step, 1200);
	assert_int_equal(f->cmds[3].gemm_batch.gate_step, 1024);
	assert_int_equal(f->cmds[3].gemm_batch.residual_step, 2048);

	expect_words_for_every_rule(f, 200);
	s->count = 0;
	c.batch = NULL;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(accel_stream_records(s), 3);
	assert_int_equal(f->cmds[0].hdr.ext, 2);
	s->count = 0;
	c.act = ACCEL_GEMM_NO_ACT;
	c.gate = c.residual = 0;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(accel_stream_records(s), 2);
	assert_int_equal(f->cmds[0].hdr.ext, 1);
}

static void layouts_have_strides_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_gemm c = good_gemm();

	c.batch = NULL;
	c.a_transposed = true;
	c.layout = ACCEL_GEMM_ROWS;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(f->cmds[0].gemm.lda, 4);
	assert_int_equal(f->cmds[0].gemm.ldb, 70);
	assert_int_equal(f->cmds[2].gemm_post.options, QUILL_GEMM_A_TRANSPOSED | QUILL_GEMM_B_ROWS);
	c.layout = ACCEL_GEMM_COLUMNS;
	c.accumulate = true;
	c.residual = 0;
	s->count = 0;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(f->cmds[0].gemm.ldb, 7);
	assert_int_equal(f->cmds[2].gemm_post.options,
			 QUILL_GEMM_A_TRANSPOSED | QUILL_GEMM_B_COLUMNS | QUILL_GEMM_ACCUMULATE);
	/* a residual of int8 has no alignment, and its own zero point and multipliers */
	c = (struct accel_gemm){ .a = VA, .b = VA, .d = VA, .m = 4, .n = 70, .k = 7, .type_d = ACCEL_S8,
				 .scale = VA, .residual = VA + 1, .residual_mult = VA + 4,
				 .residual_zero = -3 };
	s->count = 0;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(f->cmds[1].gemm_ext.residual_zero, -3);
	assert_int_equal(f->cmds[2].gemm_post.residual, VA + 1);
	assert_int_equal(f->cmds[2].gemm_post.residual_stride, 70);
	assert_int_equal(f->cmds[2].gemm_post.residual_mult, VA + 4);
	/* a scale a row: the other scale is of floats, and nothing is clamped */
	c = good_gemm();
	c.type_d = ACCEL_S8;
	c.d_scale = VA;
	c.batch = NULL;
	s->count = 0;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(f->cmds[1].gemm_ext.hi, 0);
	assert_int_equal(f->cmds[2].gemm_post.d_scale, VA);
	/* scales that are given: all of int8, unless told */
	c.d_scales = ACCEL_GEMM_SCALE_COLUMNS;
	s->count = 0;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(f->cmds[1].gemm_ext.lo, -128);
	assert_int_equal(f->cmds[1].gemm_ext.hi, 127);
	assert_int_equal(f->cmds[2].gemm_post.options, QUILL_GEMM_SCALE_COLUMNS);
	c.d_scales = ACCEL_GEMM_SCALE_TENSOR;
	c.zero = 5;
	c.lo = 5;
	c.hi = 100;
	s->count = 0;
	assert_int_equal(accel_cmd_gemm(s, &c, NULL), 0);
	assert_int_equal(f->cmds[1].gemm_ext.zero, 5);
	assert_int_equal(f->cmds[1].gemm_ext.lo, 5);
	assert_int_equal(f->cmds[2].gemm_post.options, QUILL_GEMM_SCALE_TENSOR);
}

#define REFUSED(change, text) do { \
	c = good_gemm(); \
	b = good_batch; \
	c.batch = &b; \
	change; \
	expect_refusal(f, accel_cmd_gemm(s, &c, NULL), "GEMM: " text); \
} while (0)

static void errors_of_the_third_record_name_the_field(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_gemm_batch b;
	struct accel_gemm c;

	REFUSED(c.act = 7, "act is 7; required: 0, or for floats an operation of ACT plus 1 (type_d is 3)");
	REFUSED((c.type_d = ACCEL_S32, c.scale = 0), "act is 3; required: 0, or for floats an operation "
		"of ACT plus 1 (type_d is 2)");
	REFUSED((c.type_d = ACCEL_S32, c.scale = 0, c.act = 0),
		"gate is 0x100004; required: 0, but for floats (type_d is 2)");
	REFUSED((c.type_d = ACCEL_S32, c.scale = 0, c.act = 0, c.gate = 0),
		"residual is 0x100008; required: 0 for S32 (2) (type_d is 2)");
	REFUSED((c.type_d = ACCEL_S8, c.act = 0, c.gate = 0), "residual_mult is 0x0; required: an address "
		"with a residual of S8 (1) without d_scale, else 0 (type_d is 1)");
	REFUSED(c.residual_mult = VA, "residual_mult is 0x100000; required: an address with a residual of "
		"S8 (1) without d_scale, else 0 (type_d is 3)");
	REFUSED((c.type_d = ACCEL_S8, c.act = 0, c.gate = 0, c.residual_mult = VA + 2),
		"residual_mult is 0x100002; required: a multiple of 4");
	REFUSED((c.type_d = ACCEL_S8, c.act = 0, c.gate = 0, c.residual_mult = VA, c.residual_zero = 128),
		"residual_zero is 128; required: -128..127 with a residual of S8 (1) without d_scale, else 0 "
		"(type_d is 1)");
	REFUSED(c.residual_zero = 1, "residual_zero is 1; required: -128..127 with a residual of S8 (1) "
		"without d_scale, else 0 (type_d is 3)");
	REFUSED((c.type_a = c.type_b = ACCEL_BF16, c.residual_zero = 1),
		"residual_zero is 1; required: 0, but for S8 (1) (type_b is 4)");
	REFUSED(c.d_scale = VA, "d_scale is 0x100000; required: 0, but for S8 (1) (type_d is 3)");
	REFUSED((c.type_d = ACCEL_S8, c.d_scale = VA + 2), "d_scale is 0x100002; required: a multiple of 4");
	REFUSED((c.type_d = ACCEL_S8, c.d_scale = TOP - 4, c.d_scales = ACCEL_GEMM_SCALE_COLUMNS),
		"d_scale is 0xfffffffffffc" TOP_TEXT);
	REFUSED(c.d_scales = ACCEL_GEMM_SCALE_TENSOR, "options is 0x20; required: 16 (scales of columns) or 32 "
		"(of the tensor), not both, and with d_scale");
	REFUSED((c.type_d = ACCEL_S8, c.d_scale = VA, c.zero = 1),
		"zero is 1; required: -128..127 for S8 (1) but not by row, else 0 (type_d is 1)");
	REFUSED((c.type_d = ACCEL_S8, c.d_scale = VA, c.d_scales = ACCEL_GEMM_SCALE_COLUMNS, c.zero = 128),
		"zero is 128; required: -128..127 for S8 (1) but not by row, else 0 (type_d is 1)");
	REFUSED((c.type_a = c.type_b = ACCEL_BF16, c.hi = 1),
		"hi is 1; required: lo..127 for S8 (1) but not by row, else 0 (type_d is 3)");
	REFUSED(c.d_scales = 3,
		"d_scales is 3; required: ACCEL_GEMM_SCALE_ROWS (0), COLUMNS (1) or TENSOR (2)");
	REFUSED(c.gate_stride = 69, "gate_stride is 69; required: at least n (n is 70)");
	REFUSED(c.residual_stride = 69, "residual_stride is 69; required: at least n (n is 70)");
	REFUSED((c.gate = 0, c.gate_stride = 70), "gate_stride is 70; required: 0 without gate");
	REFUSED((c.residual = 0, c.residual_stride = 70),
		"residual_stride is 70; required: 0 without residual");
	REFUSED(c.gate += 1, "gate is 0x100005; required: a multiple of 4");
	REFUSED(c.residual = TOP - 4, "residual is 0xfffffffffffc" TOP_TEXT);
	REFUSED(c.accumulate = true,
		"residual is 0x100008; required: 0, since D is what is added (accumulate)");
	REFUSED((c.accumulate = true, c.residual = 0, c.type_d = ACCEL_BF16), "options is 0x1; required: "
		"without 1 (accumulate), but for S32 (2) and F32 (3) (type_d is 4)");
	REFUSED((c.layout = ACCEL_GEMM_ROWS, c.ldb = 69),
		"ldb is 69; required: at least n, or k where B lies in columns (n is 70)");
	REFUSED((c.a_transposed = true, c.lda = 3),
		"lda is 3; required: at least m, since A is transposed (m is 4)");
	REFUSED((c.type_a = c.type_b = ACCEL_BF16, c.a_transposed = true, c.lda = 3),
		"lda is 3; required: at least m, since A is transposed (m is 4)");
	REFUSED((c.type_a = c.type_b = ACCEL_BF16, c.a = VA + 1), "a is 0x100001; required: a multiple of "
		"the element's size");
	REFUSED((c.type_a = c.type_b = ACCEL_BF16, c.layout = ACCEL_GEMM_COLUMNS, c.b = VA + 1),
		"b is 0x100001; required: a multiple of the element's size");
	REFUSED((c.type_a = c.type_b = ACCEL_BF16, c.layout = ACCEL_GEMM_COLUMNS, b.b_step = 3),
		"b_step is 3; required: below 2^47, and a multiple of what the operand is aligned to");
	REFUSED((c.type_b = ACCEL_Q8_0, c.k = 32, c.layout = ACCEL_GEMM_ROWS), "options is 0x4; required: "
		"without 4 (rows) and 8 (columns): blocks and groups run along k (type_b is 8)");
	REFUSED((c.type_b = ACCEL_S4, c.k = c.group = 32, c.layout = ACCEL_GEMM_COLUMNS), "options is 0x8; "
		"required: without 4 (rows) and 8 (columns): blocks and groups run along k (type_b is 10)");
	REFUSED(c.layout = 3,
		"layout is 3; required: ACCEL_GEMM_PACKED (0), ROWS (1) or COLUMNS (2)");
}

static void errors_of_the_fourth_record_name_the_field(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_gemm_batch b;
	struct accel_gemm c;

	REFUSED(b.count = 0, "batch is 0; required: 1..65536");
	REFUSED(b.count = 65537, "batch is 65537; required: 1..65536");
	REFUSED((b.count = 65536, c.m = c.n = 1 << 22, c.gate = c.residual = 0), "batch is 65536; "
		"required: such that m * n * k * batch is at most 2^62");
	REFUSED(b.b_step = 32, "b_step is 32; required: below 2^47, and a multiple of what the operand "
		"is aligned to");
	REFUSED(b.d_step = 2, "d_step is 2; required: below 2^47, and a multiple of what the operand is "
		"aligned to");
	REFUSED(b.a_step = 1ull << 47, "a_step is 140737488355328; required: below 2^47, and a multiple "
		"of what the operand is aligned to");
	REFUSED((b.count = 5, b.a_step = (1ull << 47) - 1), "a_step is 140737488355327" TOP_TEXT);
	REFUSED((c.gate = 0), "gate_step is 1024; required: 0 without the operand");
	REFUSED((c.residual = 0), "residual_step is 2048; required: 0 without the operand");
	REFUSED((c.bias = TOP - 300), "column_step is 80" TOP_TEXT);
	REFUSED((c.type_d = ACCEL_S8, c.act = 0, c.gate = 0, b.gate_step = 0, c.row_scale = 0, c.residual_mult =
		 TOP - 300), "column_step is 80" TOP_TEXT);
	REFUSED((c.type_d = ACCEL_S8, c.row_scale = 0, c.d_scale = TOP - 300, c.d_scales =
		 ACCEL_GEMM_SCALE_COLUMNS), "column_step is 80" TOP_TEXT);
	REFUSED((c.row_scale = TOP - 16), "row_scale is 0xfffffffffff0" TOP_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(one_record_more_for_each_that_is_needed),
		STREAM_TEST(layouts_have_strides_of_their_own),
		STREAM_TEST(errors_of_the_third_record_name_the_field),
		STREAM_TEST(errors_of_the_fourth_record_name_the_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
