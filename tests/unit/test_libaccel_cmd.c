// SPDX-License-Identifier: MIT
/* Encoders of libaccel: what they write, and what they say about what they refuse. */
#include <math.h>

#include "libaccel_stream.h"

static struct accel_gemm good_gemm(void)
{
	return (struct accel_gemm) {
		.a = VA, .b = VA, .d = VA, .m = 3, .n = 5, .k = 7, .type_d = ACCEL_F32, .scale = VA,
	};
}

static struct accel_attention good_attention(void)
{
	return (struct accel_attention) {
		.q = VA, .k = VA, .v = VA, .out = VA, .q_scale = VA, .k_scale = VA, .v_scale = VA,
		.n_q = 2, .n_kv = 9, .n_heads = 4, .n_kv_heads = 2, .head_dim = 32,
		.softmax_scale = 0.5f, .causal = true,
	};
}

static void every_encoded_command_passes_the_device_check(void **state)
{
	struct accel_fill fill = { .dst = VA, .width = 64, .elem = 4, .value = 0x12345678 };
	struct accel_attention attention = good_attention();
	struct accel_gemm gemm = good_gemm();
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	uint32_t records, i;

	for (i = 0; i < 10; i++) {
		struct quill_check why;

		accel_stream_reset(s);
		records = i >= 8 ? 2 : 1;
		assert_int_equal(i == 0 ? accel_cmd_nop(s, NULL) :
				 i == 1 ? accel_cmd_fence(s, NULL) :
				 i == 2 ? accel_cmd_sem_wait(s, 31, 7) :
				 i == 3 ? accel_cmd_sem_signal(s, 1, NULL) :
				 i == 4 ? accel_cmd_jump(s, 0) :
				 i == 5 ? accel_cmd_timestamp(s, VA, NULL) :
				 i == 6 ? accel_cmd_copy(s, VA, VA + 1, 1ull << 40, NULL) :
				 i == 7 ? accel_cmd_fill(s, &fill, NULL) :
				 i == 8 ? accel_cmd_gemm(s, &gemm, NULL) :
					  accel_cmd_attention(s, &attention, NULL), 0);
		assert_int_equal(accel_stream_records(s), records);
		assert_int_equal(quill_cmd_check(f->cmds, records, &why), QUILL_FAULT_NONE);
	}
}

static void ordered_is_the_default_where_the_command_has_it(void **state)
{
	struct accel_cmd_opts unordered = { .unordered = true };
	struct fixture *f = *state;

	assert_int_equal(accel_cmd_timestamp(&f->stream, VA, NULL), 0);
	assert_int_equal(accel_cmd_timestamp(&f->stream, VA, &unordered), 0);
	assert_int_equal(accel_cmd_fence(&f->stream, NULL), 0);
	assert_int_equal(f->cmds[0].hdr.flags, QUILL_CMD_ORDERED);
	assert_int_equal(f->cmds[1].hdr.flags, 0);
	assert_int_equal(f->cmds[2].hdr.flags, 0);
}

static void options_go_to_the_header(void **state)
{
	struct accel_cmd_opts opts = {
		.wait_sem = 3, .wait_value = 70000, .signal_sem = 4, .seq = 0xbeef,
	};
	struct fixture *f = *state;

	assert_int_equal(accel_cmd_copy(&f->stream, VA, VA, 1, &opts), 0);
	assert_int_equal(f->cmds[0].hdr.wait_sem, 3);
	assert_int_equal(f->cmds[0].hdr.wait_value, 70000);
	assert_int_equal(f->cmds[0].hdr.signal_sem, 4);
	assert_int_equal(f->cmds[0].hdr.seq, 0xbeef);
}

static void gemm_fields_and_defaults(void **state)
{
	struct accel_gemm gemm = good_gemm();
	struct fixture *f = *state;
	const struct quill_cmd_gemm *c = &f->cmds[0].gemm;
	const struct quill_ext_gemm *e = &f->cmds[1].gemm_ext;

	gemm.type_d = ACCEL_S8;
	gemm.bias = VA + 4;
	gemm.zero = -3;
	assert_int_equal(accel_cmd_gemm(&f->stream, &gemm, NULL), 0);
	assert_int_equal(c->hdr.type_a, QUILL_TYPE_S8);
	assert_int_equal(c->hdr.type_b, QUILL_TYPE_S8);
	assert_int_equal(c->hdr.type_d, QUILL_TYPE_S8);
	assert_int_equal(c->lda, 7);
	assert_int_equal(c->ldd, 5);
	assert_int_equal(e->bias, VA + 4);
	assert_int_equal(e->scale, VA);
	assert_int_equal(e->zero, -3);
	assert_int_equal(e->lo, -128);
	assert_int_equal(e->hi, 127);
}

static void gemm_types_and_their_defaults(void **state)
{
	struct accel_gemm gemm = good_gemm();
	struct fixture *f = *state;
	const struct quill_cmd_gemm *c = &f->cmds[0].gemm;
	const struct quill_ext_gemm *e = &f->cmds[1].gemm_ext;

	gemm.type_b = ACCEL_Q4_0;
	gemm.k = 96;
	gemm.row_scale = VA;
	gemm.row_scale_stride = 3;
	assert_int_equal(accel_cmd_gemm(&f->stream, &gemm, NULL), 0);
	assert_int_equal(c->hdr.type_a, QUILL_TYPE_S8);
	assert_int_equal(c->hdr.type_b, QUILL_TYPE_Q4_0);
	assert_int_equal(c->ldb, 3 * 18);
	assert_int_equal(e->group, 32);
	assert_int_equal(e->row_scale_stride, 3);

	c = &f->cmds[2].gemm;
	gemm.type_a = gemm.type_b = ACCEL_BF16;
	gemm.row_scale_stride = 0;
	assert_int_equal(accel_cmd_gemm(&f->stream, &gemm, NULL), 0);
	assert_int_equal(c->hdr.type_a, QUILL_TYPE_BF16);
	assert_int_equal(c->ldb, 0);
	assert_int_equal(f->cmds[3].gemm_ext.group, 0);

	accel_stream_reset(&f->stream);
	gemm.type_b = ACCEL_Q8_0;
	expect_refusal(f, accel_cmd_gemm(&f->stream, &gemm, NULL),
		       "GEMM: type_b is 8; required: BF16 (4), E4M3 (6) or E5M2 (7) with another such, "
		       "else S8 (1), Q8_0 (8), Q4_0 (9) or S4 (10) (type_a is 4)");
	gemm.type_a = (enum accel_type)260;
	expect_refusal(f, accel_cmd_gemm(&f->stream, &gemm, NULL),
		       "GEMM: type_a is 260; required: ACCEL_S8 (1) or a float type");
}

static void attention_fields_and_defaults(void **state)
{
	struct accel_attention attention = good_attention();
	struct fixture *f = *state;
	const struct quill_ext_attention *e = &f->cmds[1].attention_ext;

	assert_int_equal(accel_cmd_attention(&f->stream, &attention, NULL), 0);
	assert_int_equal(f->cmds[0].hdr.flags, QUILL_CMD_ORDERED | QUILL_CMD_CAUSAL);
	assert_int_equal(f->cmds[0].attention.n_heads, 4);
	assert_int_equal(e->q_stride, 128);
	assert_int_equal(e->out_stride, 128);
	assert_int_equal(e->kv_stride, 64);
	assert_int_equal(e->kv_head_stride, 32);
	assert_int_equal(e->softmax_scale, 0x3f000000);
}

static void header_errors_name_the_field(void **state)
{
	struct accel_cmd_opts wait = { .wait_sem = 32 }, signal = { .signal_sem = 40 };
	struct accel_cmd_opts value = { .wait_value = 5 }, both = { .signal_sem = 2 };
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;

	expect_refusal(f, accel_cmd_nop(s, &wait), "NOP: wait_sem is 32; required: 0 (none) or 1..31");
	expect_refusal(f, accel_cmd_nop(s, &signal),
		       "NOP: signal_sem is 40; required: 0 (none) or 1..31");
	expect_refusal(f, accel_cmd_nop(s, &value),
		       "NOP: wait_value is 5; required: 0, since wait_sem is 0");
	expect_refusal(f, accel_cmd_sem_wait(s, 0, 1), "SEM_WAIT: sem is 0; required: 1..31");
	/* 257 would be 1, if it were cut to the field's 8 bits */
	expect_refusal(f, accel_cmd_sem_wait(s, 257, 1), "SEM_WAIT: sem is 257; required: 1..31");
	expect_refusal(f, accel_cmd_sem_signal(s, 0, NULL), "SEM_SIGNAL: sem is 0; required: 1..31");
	expect_refusal(f, accel_cmd_sem_signal(s, 32, NULL),
		       "SEM_SIGNAL: sem is 32; required: 1..31");
	expect_refusal(f, accel_cmd_sem_signal(s, 1, &both), "SEM_SIGNAL: opts->signal_sem is 2; "
		       "required: 0, since sem says what to signal");
	expect_refusal(f, accel_cmd_jump(s, ROOM),
		       "JUMP: to record 8; required: below the stream's 8 records");
}

static void timestamp_and_copy_errors_name_the_field(void **state)
{
	struct accel_copy_2d good = { VA, VA, 8, 2, 8, 8 }, c;
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;

	expect_refusal(f, accel_cmd_timestamp(s, VA + 4, NULL),
		       "TIMESTAMP: dst is 0x100004; required: a multiple of 8");
	expect_refusal(f, accel_cmd_timestamp(s, 0, NULL), "TIMESTAMP: dst" RANGE_TEXT);
	expect_refusal(f, accel_cmd_copy(s, VA, VA, 0, NULL), "COPY: width is 0; required: 1..2^40");
	expect_refusal(f, accel_cmd_copy(s, 0, VA, 1, NULL), "COPY: dst" RANGE_TEXT);
	expect_refusal(f, accel_cmd_copy(s, VA, TOP - 1, 2, NULL),
		       "COPY: src is 0xffffffffffff" TOP_TEXT);
	c = good, c.height = 0;
	expect_refusal(f, accel_cmd_copy_2d(s, &c, NULL), "COPY: height is 0; required: 1..2^24");
	c = good, c.dst_stride = 7;
	expect_refusal(f, accel_cmd_copy_2d(s, &c, NULL),
		       "COPY: dst_stride is 7; required: at least the width (width is 8)");
}

static void transpose_errors_name_the_field(void **state)
{
	struct accel_transpose good = { .dst = VA, .src = VA, .rows = 3, .cols = 5, .elem = 4 }, c;
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;

#define TRANSPOSE(change, text)	\
	c = good, change;	\
	expect_refusal(f, accel_cmd_transpose(s, &c, NULL), "TRANSPOSE: " text)
	TRANSPOSE(c.elem = 3, "elem is 3; required: 1, 2, 4 or 8");
	TRANSPOSE(c.rows = 0, "rows is 0; required: 1..2^24");
	TRANSPOSE(c.cols = 0, "cols is 0; required: 1..2^24");
	TRANSPOSE(c.batch = (1u << 24) + 1,
		  "batch is 16777217; required: 1..2^24, and rows * cols * batch at most 2^40");
	TRANSPOSE((c.rows = 1u << 24, c.cols = 1u << 17),
		  "batch is 1; required: 1..2^24, and rows * cols * batch at most 2^40");
	TRANSPOSE(c.dst_stride = 2, "dst_stride is 2; required: at least rows (rows is 3)");
	TRANSPOSE(c.src_stride = 4, "src_stride is 4; required: at least cols (cols is 5)");
	TRANSPOSE(c.dst = VA + 2, "dst is 0x100002; required: a multiple of elem (elem is 4)");
	TRANSPOSE(c.src = VA + 1, "src is 0x100001; required: a multiple of elem (elem is 4)");
	TRANSPOSE(c.dst = TOP - 4, "dst is 0xfffffffffffc" TOP_TEXT);
	TRANSPOSE(c.src = 0, "src" RANGE_TEXT);
#undef TRANSPOSE
	c = good, c.batch = 2;
	assert_int_equal(accel_cmd_transpose(s, &c, NULL), 0);
	assert_int_equal(f->cmds[0].transpose.dst_step, 15);
	assert_int_equal(f->cmds[0].transpose.src_step, 0);
	assert_int_equal(f->cmds[0].transpose.dst_stride, 3);
	assert_int_equal(f->cmds[0].transpose.src_stride, 5);
}

static void fill_errors_name_the_field(void **state)
{
	struct accel_fill good = { .dst = VA, .value = 1, .width = 8, .elem = 4 }, c;
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;

	c = good, c.elem = 3;
	expect_refusal(f, accel_cmd_fill(s, &c, NULL), "FILL: elem is 3; required: 1, 2, 4 or 8");
	c = good, c.value = 1ull << 32;
	expect_refusal(f, accel_cmd_fill(s, &c, NULL),
		       "FILL: value is 0x100000000; required: no bits beyond the element (elem is 4)");
	c = good, c.width = 6;
	expect_refusal(f, accel_cmd_fill(s, &c, NULL),
		       "FILL: width is 6; required: 1..2^40 and a multiple of the element (elem is 4)");
	c = good, c.height = (1u << 24) + 1;
	expect_refusal(f, accel_cmd_fill(s, &c, NULL), "FILL: height is 16777217; required: 1..2^24");
	c = good, c.height = 2, c.dst_stride = 4;
	expect_refusal(f, accel_cmd_fill(s, &c, NULL), "FILL: dst_stride is 4; required: at least "
		       "the width, and a multiple of the element (width is 8)");
	c = good, c.dst = VA + 2;
	expect_refusal(f, accel_cmd_fill(s, &c, NULL),
		       "FILL: dst is 0x100002; required: a multiple of the element (elem is 4)");
	c = good, c.dst = 0;
	expect_refusal(f, accel_cmd_fill(s, &c, NULL), "FILL: dst" RANGE_TEXT);
}

#define GEMM_REFUSED(change, text) do { \
	c = good_gemm(); \
	change; \
	expect_refusal(f, accel_cmd_gemm(s, &c, NULL), "GEMM: " text); \
} while (0)

static void gemm_errors_name_the_field(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_gemm c;

	GEMM_REFUSED(c.m = 0, "m is 0; required: 1..2^24");
	GEMM_REFUSED(c.n = (1u << 24) + 1, "n is 16777217; required: 1..2^24");
	GEMM_REFUSED(c.k = 65537, "k is 65537; required: 1..65536");
	GEMM_REFUSED(c.lda = 6, "lda is 6; required: at least k (k is 7)");
	GEMM_REFUSED(c.ldd = 4, "ldd is 4; required: at least n (n is 5)");
	GEMM_REFUSED(c.b += 32, "b is 0x100020; required: a multiple of 64");
	GEMM_REFUSED(c.d += 2, "d is 0x100002; required: a multiple of 4");
	GEMM_REFUSED(c.a = 0, "a" RANGE_TEXT);
	GEMM_REFUSED(c.b = 0, "b" RANGE_TEXT);
	GEMM_REFUSED(c.d = TOP - 4, "d is 0xfffffffffffc" TOP_TEXT);
	GEMM_REFUSED(c.type_d = 0,
		     "type_d is 0; required: a type that the command gives (1 S8, 2 S32, 3 F32 ...)");
	GEMM_REFUSED(c.type_d = (enum accel_type)257,
		     "type_d is 257; required: ACCEL_S8 (1), ACCEL_S32 (2), ACCEL_F32 (3) or "
		     "ACCEL_BF16 (4)");
}

static void gemm_epilogue_errors_name_the_field(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_gemm c;

	GEMM_REFUSED(c.bias = VA + 1, "bias is 0x100001; required: a multiple of 4");
	GEMM_REFUSED(c.bias = TOP - 4, "bias is 0xfffffffffffc" TOP_TEXT);
	GEMM_REFUSED(c.scale = 0, "scale is 0x0; required: 0 for S32 (2), an address for S8 (1) and "
		     "floats (3, 4) (type_d is 3)");
	GEMM_REFUSED(c.type_d = ACCEL_S32, "scale is 0x100000; required: 0 for S32 (2), an address "
		     "for S8 (1) and floats (3, 4) (type_d is 2)");
	GEMM_REFUSED((c.type_d = ACCEL_S8, c.scale += 4), "scale is 0x100004; required: a multiple of "
		     "8 for S8 (1) without d_scale, else of 4 (type_d is 1)");
	GEMM_REFUSED(c.scale = TOP - 4, "scale is 0xfffffffffffc" TOP_TEXT);
	GEMM_REFUSED((c.type_d = ACCEL_S8, c.row_scale = VA),
		     "row_scale is 0x100000; required: 0, but for floats (type_d is 1)");
	GEMM_REFUSED(c.row_scale = VA + 2, "row_scale is 0x100002; required: a multiple of 4");
	GEMM_REFUSED(c.row_scale = TOP - 4, "row_scale is 0xfffffffffffc" TOP_TEXT);
	GEMM_REFUSED((c.type_d = ACCEL_S8, c.zero = -129),
		     "zero is -129; required: -128..127 for S8 (1) but not by row, else 0 (type_d is 1)");
	GEMM_REFUSED((c.type_d = ACCEL_S8, c.lo = -129),
		     "lo is -129; required: -128..127 for S8 (1) but not by row, else 0 (type_d is 1)");
	GEMM_REFUSED((c.type_d = ACCEL_S8, c.lo = 5, c.hi = 4),
		     "hi is 4; required: lo..127 for S8 (1) but not by row, else 0 (type_d is 1)");
	GEMM_REFUSED(c.hi = 1, "hi is 1; required: lo..127 for S8 (1) but not by row, else 0 (type_d is 3)");
}

#define ATTENTION_REFUSED(change, text) do { \
	c = good_attention(); \
	change; \
	expect_refusal(f, accel_cmd_attention(s, &c, NULL), "ATTENTION: " text); \
} while (0)

static void attention_errors_name_the_field(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_attention c;

	ATTENTION_REFUSED(c.n_q = 0,
			  "n_q is 0; required: 1..65536, and at most n_kv if causal (n_kv is 9)");
	ATTENTION_REFUSED(c.n_q = 10,
			  "n_q is 10; required: 1..65536, and at most n_kv if causal (n_kv is 9)");
	ATTENTION_REFUSED(c.n_kv = 0, "n_kv is 0; required: 1..2^20");
	ATTENTION_REFUSED(c.n_kv_heads = 0, "n_kv_heads is 0; required: 1..1024");
	ATTENTION_REFUSED(c.n_heads = 3, "n_heads is 3; required: 1..1024, a multiple of n_kv_heads "
			  "(n_kv_heads is 2)");
	/* 65540 would be 4, if it were cut to the field's 16 bits */
	ATTENTION_REFUSED(c.n_heads = 65540, "n_heads is 65540; required: at most 1024");
	ATTENTION_REFUSED(c.n_kv_heads = 65538, "n_kv_heads is 65538; required: at most 1024");
	ATTENTION_REFUSED(c.head_dim = 65568, "head_dim is 65568; required: at most 256");
	ATTENTION_REFUSED(c.head_dim = 24, "head_dim is 24; required: 16, 32, ... 256");
	ATTENTION_REFUSED(c.q = 0, "q" RANGE_TEXT);
	ATTENTION_REFUSED(c.k = 0, "k" RANGE_TEXT);
	ATTENTION_REFUSED(c.v = 0, "v" RANGE_TEXT);
	ATTENTION_REFUSED(c.out = 0, "out" RANGE_TEXT);
	ATTENTION_REFUSED(c.out = VA + 2, "out is 0x100002; required: a multiple of 4");
}

static void attention_layout_errors_name_the_field(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;
	struct accel_attention c;

	ATTENTION_REFUSED(c.q_stride = 130, "q_stride is 130; required: at least n_heads * head_dim, "
			  "and a multiple of head_dim (head_dim is 32)");
	ATTENTION_REFUSED(c.out_stride = 127, "out_stride is 127; required: at least n_heads * "
			  "head_dim (head_dim is 32)");
	ATTENTION_REFUSED(c.kv_stride = 33, "kv_stride is 33; required: over 0, and a multiple of "
			  "head_dim (head_dim is 32)");
	ATTENTION_REFUSED(c.kv_head_stride = 31, "kv_head_stride is 31; required: over 0, and a "
			  "multiple of head_dim (head_dim is 32)");
	ATTENTION_REFUSED(c.softmax_scale = INFINITY,
			  "softmax_scale is 0x7f800000; required: the bits of a finite float");
	ATTENTION_REFUSED(c.q_scale = VA + 1, "q_scale is 0x100001; required: a multiple of 4");
	ATTENTION_REFUSED(c.k_scale = VA + 2, "k_scale is 0x100002; required: a multiple of 4");
	ATTENTION_REFUSED(c.v_scale = VA + 3, "v_scale is 0x100003; required: a multiple of 4");
	ATTENTION_REFUSED(c.q_scale = 0, "q_scale" RANGE_TEXT);
	ATTENTION_REFUSED(c.k_scale = 0, "k_scale" RANGE_TEXT);
	ATTENTION_REFUSED(c.v_scale = 0, "v_scale" RANGE_TEXT);
}

static void a_full_stream_refuses_and_stays_as_it_was(void **state)
{
	struct accel_gemm gemm = good_gemm();
	struct fixture *f = *state;
	uint32_t i;

	for (i = 0; i < ROOM - 1; i++)
		assert_int_equal(accel_cmd_nop(&f->stream, NULL), 0);
	assert_int_equal(accel_cmd_gemm(&f->stream, &gemm, NULL), -ENOSPC);
	assert_string_equal(accel_last_error(&f->dev),
			    "GEMM: the stream has 7 of 8 records; required: room for 2 more");
	assert_int_equal(accel_stream_records(&f->stream), ROOM - 1);
	assert_int_equal(accel_cmd_nop(&f->stream, NULL), 0);
	assert_int_equal(accel_cmd_nop(&f->stream, NULL), -ENOSPC);
	accel_stream_reset(&f->stream);
	assert_int_equal(accel_cmd_gemm(&f->stream, &gemm, NULL), 0);
}

static void raw_records_are_held_to_the_same_rules(void **state)
{
	struct fixture *f = *state;
	union quill_cmd raw[2] = { 0 };

	expect_refusal(f, accel_stream_emit(&f->stream, raw, 1),
		       "command: opcode is 0; required: an opcode of isa.h");
	expect_refusal(f, accel_stream_emit(&f->stream, raw, 0),
		       "command: 0 records given; required: 1");
	raw[0].hdr.opcode = QUILL_OP_NOP;
	expect_refusal(f, accel_stream_emit(&f->stream, raw, 2), "NOP: 2 records given; required: 1");
	raw[0].plain.reserved[1] = 0x100;
	expect_refusal(f, accel_stream_emit(&f->stream, raw, 1),
		       "NOP: byte 25 of record 0 is 0x01; required: 0 (reserved)");
	raw[0].plain.reserved[1] = 0;
	raw[0].hdr.flags = 2;
	expect_refusal(f, accel_stream_emit(&f->stream, raw, 1),
		       "NOP: flags is 0x2; required: none but the flags that the command has");
	raw[0].hdr.flags = 0;
	raw[0].hdr.version = 1;
	expect_refusal(f, accel_stream_emit(&f->stream, raw, 1), "NOP: version is 1; required: 0");
	raw[0].hdr.version = 0;
	raw[0].hdr.opcode = QUILL_OP_GEMM;
	raw[0].hdr.type_a = raw[0].hdr.type_b = raw[0].hdr.type_d = QUILL_TYPE_S8;
	raw[0].hdr.ext = 1;
	expect_refusal(f, accel_stream_emit(&f->stream, raw, 1), "GEMM: ext is 1; required: the "
		       "extension records of the command, all at hand");
}

static void every_rule_has_words(void **state)
{
	struct accel_attention attention = good_attention();
	struct accel_gemm gemm = good_gemm();
	struct fixture *f = *state;

	assert_int_equal(accel_cmd_gemm(&f->stream, &gemm, NULL), 0);
	assert_int_equal(accel_cmd_attention(&f->stream, &attention, NULL), 0);
	assert_int_equal(accel_cmd_copy(&f->stream, VA, VA, 8, NULL), 0);
	assert_int_equal(accel_cmd_jump(&f->stream, 0), 0);
	assert_int_equal(accel_cmd_timestamp(&f->stream, VA, NULL), 0);
	expect_words_for_every_rule(f, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(every_encoded_command_passes_the_device_check),
		STREAM_TEST(ordered_is_the_default_where_the_command_has_it),
		STREAM_TEST(options_go_to_the_header),
		STREAM_TEST(gemm_fields_and_defaults),
		STREAM_TEST(gemm_types_and_their_defaults),
		STREAM_TEST(attention_fields_and_defaults),
		STREAM_TEST(header_errors_name_the_field),
		STREAM_TEST(timestamp_and_copy_errors_name_the_field),
		STREAM_TEST(transpose_errors_name_the_field),
		STREAM_TEST(fill_errors_name_the_field),
		STREAM_TEST(gemm_errors_name_the_field),
		STREAM_TEST(gemm_epilogue_errors_name_the_field),
		STREAM_TEST(attention_errors_name_the_field),
		STREAM_TEST(attention_layout_errors_name_the_field),
		STREAM_TEST(a_full_stream_refuses_and_stays_as_it_was),
		STREAM_TEST(raw_records_are_held_to_the_same_rules),
		STREAM_TEST(every_rule_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
