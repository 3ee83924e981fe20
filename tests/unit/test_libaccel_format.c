// SPDX-License-Identifier: MIT
/* libaccel: CONVERT and REPACK as records. */
#include "libaccel_stream.h"

static struct accel_convert good_convert(void)
{
	return (struct accel_convert) {
		.src = VA, .dst = VA, .src_type = ACCEL_F32, .dst_type = ACCEL_E4M3, .rows = 3, .n = 5,
	};
}

static struct accel_repack good_repack(void)
{
	return (struct accel_repack) { .src = VA, .dst = VA, .type = ACCEL_S4, .n = 5, .k = 7 };
}

static void convert_fields_and_defaults(void **state)
{
	struct accel_convert convert = good_convert();
	struct fixture *f = *state;
	const struct quill_cmd_convert *c = &f->cmds[0].convert;

	convert.dst_stride = 9;
	convert.saturate = true;
	assert_int_equal(accel_cmd_convert(&f->stream, &convert, NULL), 0);
	assert_int_equal(accel_stream_records(&f->stream), 1);
	assert_int_equal(c->hdr.opcode, QUILL_OP_CONVERT);
	assert_int_equal(c->hdr.type_a, QUILL_TYPE_F32);
	assert_int_equal(c->hdr.type_b, QUILL_TYPE_NONE);
	assert_int_equal(c->hdr.type_d, QUILL_TYPE_E4M3);
	assert_int_equal(c->rows, 3);
	assert_int_equal(c->n, 5);
	assert_int_equal(c->src_stride, 5);
	assert_int_equal(c->dst_stride, 9);
	assert_int_equal(c->saturate, 1);
}

static void repack_fields_and_defaults(void **state)
{
	struct accel_repack repack = good_repack();
	struct fixture *f = *state;
	const struct quill_cmd_repack *c = &f->cmds[0].repack;

	assert_int_equal(accel_cmd_repack(&f->stream, &repack, NULL), 0);
	assert_int_equal(c->hdr.opcode, QUILL_OP_REPACK);
	assert_int_equal(c->hdr.type_a, QUILL_TYPE_S8);
	assert_int_equal(c->hdr.type_d, QUILL_TYPE_S4);
	assert_int_equal(c->n, 5);
	assert_int_equal(c->k, 7);
	assert_int_equal(c->src_stride, 7);
	assert_int_equal(c->order, QUILL_REPACK_NK);
	assert_int_equal(c->batch, 1);
	accel_stream_reset(&f->stream);
	repack.type = ACCEL_BF16;
	repack.order = ACCEL_ORDER_KN;
	assert_int_equal(accel_cmd_repack(&f->stream, &repack, NULL), 0);
	assert_int_equal(c->hdr.type_a, QUILL_TYPE_BF16);
	assert_int_equal(c->src_stride, 5);
	assert_int_equal(c->order, QUILL_REPACK_KN);
	accel_stream_reset(&f->stream);
	repack.batch = 12;
	repack.src_step = 70;
	assert_int_equal(accel_cmd_repack(&f->stream, &repack, NULL), 0);
	assert_int_equal(c->batch, 12);
	assert_int_equal(c->src_step, 70);
}

static void errors_name_the_field(void **state)
{
	struct accel_convert convert = good_convert();
	struct accel_repack repack = good_repack();
	struct fixture *f = *state;

	convert.dst_type = ACCEL_F32;
	convert.saturate = true;
	expect_refusal(f, accel_cmd_convert(&f->stream, &convert, NULL),
		       "CONVERT: saturate is 1; required: 0 or 1, and 0 for F32 (3) (type_d is 3)");
	convert.src_type = (enum accel_type)259;
	expect_refusal(f, accel_cmd_convert(&f->stream, &convert, NULL),
		       "CONVERT: src_type is 259; required: an enum accel_type");
	repack.batch = 65537;
	expect_refusal(f, accel_cmd_repack(&f->stream, &repack, NULL),
		       "REPACK: batch is 65537; required: 1..65536");
	repack.batch = 2;
	repack.src_step = (1ull << 47) - 1;
	repack.src = (1ull << 47) + 1;
	expect_refusal(f, accel_cmd_repack(&f->stream, &repack, NULL),
		       "REPACK: src_step is 140737488355327; required: an address that is not 0, from which all "
		       "of the operand lies below 2^48");
	repack.src_stride = 6;
	expect_refusal(f, accel_cmd_repack(&f->stream, &repack, NULL),
		       "REPACK: src_stride is 6; required: at least a row: k elements for order 0 (NK), "
		       "n for 1 (KN) (order is 0)");
	repack.type = (enum accel_type)259;
	expect_refusal(f, accel_cmd_repack(&f->stream, &repack, NULL),
		       "REPACK: type is 259; required: an enum accel_type");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(convert_fields_and_defaults),
		STREAM_TEST(repack_fields_and_defaults),
		STREAM_TEST(errors_name_the_field),
	};

	return cmocka_run_group_tests_name("libaccel: CONVERT and REPACK", tests, NULL, NULL);
}
