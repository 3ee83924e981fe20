// SPDX-License-Identifier: MIT
/* libaccel's encoders of the VECTOR commands: what they write, and what they say about what they refuse. */
#include <math.h>

#include "libaccel_stream.h"

static struct accel_norm good_norm(void)
{
	return (struct accel_norm) {
		.src = VA, .dst = VA, .weight = VA, .residual = VA, .sum = VA, .rows = 3, .n = 5,
		.eps = 1e-5f,
	};
}

static struct accel_softmax good_softmax(void)
{
	return (struct accel_softmax) { .src = VA, .dst = VA, .rows = 3, .n = 5 };
}

static struct accel_rope good_rope(void)
{
	return (struct accel_rope) {
		.src = VA, .dst = VA, .table = VA, .rows = 3, .heads = 4, .dim = 6,
	};
}

static struct accel_quantise good_quantise(void)
{
	return (struct accel_quantise) { .src = VA, .dst = VA, .scale = VA, .rows = 3, .n = 6 };
}

static struct accel_eltwise good_eltwise(void)
{
	return (struct accel_eltwise) { .a = VA, .b = VA, .dst = VA, .rows = 3, .n = 5 };
}

static struct accel_act good_act(void)
{
	return (struct accel_act) { .src = VA, .gate = VA, .dst = VA, .rows = 3, .n = 5 };
}

static struct accel_reduce good_reduce(void)
{
	return (struct accel_reduce) { .src = VA, .dst = VA, .rows = 3, .n = 5 };
}

static struct accel_gather good_gather(void)
{
	return (struct accel_gather) {
		.table = VA, .index = VA, .dst = VA, .rows = 3, .n = 5, .table_rows = 7,
	};
}

static struct accel_topk good_topk(void)
{
	return (struct accel_topk) { .src = VA, .value = VA, .index = VA, .rows = 3, .n = 5, .k = 2 };
}

static struct accel_sample good_sample(void)
{
	return (struct accel_sample) {
		.src = VA, .dst = VA, .prob = VA, .rows = 3, .n = 5, .temperature = 1,
	};
}

/* One of each, the i-th by its number. */
static int emit(struct accel_stream *s, unsigned int i)
{
	struct accel_norm norm = good_norm();
	struct accel_softmax softmax = good_softmax();
	struct accel_rope rope = good_rope();
	struct accel_quantise quantise = good_quantise();
	struct accel_eltwise eltwise = good_eltwise();
	struct accel_act act = good_act();
	struct accel_reduce reduce = good_reduce();
	struct accel_gather gather = good_gather();
	struct accel_topk topk = good_topk();
	struct accel_sample sample = good_sample();
	struct accel_pool pool = {
		.src = VA, .dst = VA, .channels = 5, .type = ACCEL_F32,
		.window = { .in_h = 2, .in_w = 3, .kh = 2, .kw = 2 },
	};
	struct accel_convert convert = {
		.src = VA, .dst = VA, .src_type = ACCEL_F32, .dst_type = ACCEL_BF16, .rows = 3, .n = 5,
	};

	struct accel_merge merge = {
		.src = VA, .state = VA, .dst = VA, .rows = 3, .parts = 2, .heads = 4, .dim = 32,
	};
	struct accel_kv_append append = {
		.k_src = VA, .v_src = VA, .k = VA, .v = VA, .k_scale = VA, .v_scale = VA,
		.tokens = 3, .heads = 4, .dim = 32,
	};

	switch (i) {
	case 0: return accel_cmd_merge(s, &merge, NULL);
	case 1: return accel_cmd_rmsnorm(s, &norm, NULL);
	case 2: return accel_cmd_layernorm(s, &norm, NULL);
	case 3: return accel_cmd_softmax(s, &softmax, NULL);
	case 4: return accel_cmd_rope(s, &rope, NULL);
	case 5: return accel_cmd_quantise(s, &quantise, NULL);
	case 6: return accel_cmd_dequantise(s, &quantise, NULL);
	case 7: return accel_cmd_eltwise(s, &eltwise, NULL);
	case 8: return accel_cmd_act(s, &act, NULL);
	case 9: return accel_cmd_reduce(s, &reduce, NULL);
	case 10: return accel_cmd_gather(s, &gather, NULL);
	case 11: return accel_cmd_kv_append(s, &append, NULL);
	case 12: return accel_cmd_topk(s, &topk, NULL);
	case 13: return accel_cmd_sample(s, &sample, NULL);
	case 14: return accel_cmd_pool(s, &pool, NULL);
	default: return accel_cmd_convert(s, &convert, NULL);
	}
}

static void every_vector_command_has_an_encoder(void **state)
{
	struct fixture *f = *state;
	struct quill_check why;
	unsigned int code, i = 0;

	for (code = 0; code < 256; code++) {
		const struct quill_op_info *op = quill_op_info(code);

		if (!op || op->engine != QUILL_ENGINE_VECTOR)
			continue;
		accel_stream_reset(&f->stream);
		assert_int_equal(emit(&f->stream, i++), 0);
		assert_int_equal(accel_stream_records(&f->stream), 1 + op->ext);
		assert_int_equal(f->cmds[0].hdr.opcode, code);
		assert_int_equal(f->cmds[0].hdr.flags, QUILL_CMD_ORDERED);
		assert_int_equal(quill_cmd_check(f->cmds, 1 + op->ext, &why), QUILL_FAULT_NONE);
	}
	assert_int_equal(i, 16);
}

static void norm_fields_and_defaults(void **state)
{
	struct accel_norm norm = good_norm();
	struct fixture *f = *state;
	const struct quill_cmd_norm *c = &f->cmds[0].norm;
	const struct quill_ext_norm *e = &f->cmds[1].norm_ext;

	norm.bias = VA + 4;
	norm.sum = VA + 8;
	norm.weight = VA + 12;
	norm.dst_stride = 9;
	assert_int_equal(accel_cmd_layernorm(&f->stream, &norm, NULL), 0);
	assert_int_equal(c->src_stride, 5);
	assert_int_equal(c->dst_stride, 9);
	assert_int_equal(c->weight, VA + 12);
	assert_int_equal(e->bias, VA + 4);
	assert_int_equal(e->sum, VA + 8);
	assert_int_equal(e->residual_stride, 5);
	assert_int_equal(e->eps, 0x3727c5ac);
	accel_stream_reset(&f->stream);
	norm.residual = norm.sum = norm.bias = 0;
	assert_int_equal(accel_cmd_rmsnorm(&f->stream, &norm, NULL), 0);
	assert_int_equal(c->residual, 0);
	assert_int_equal(e->residual_stride, 0);
}

static void fields_and_defaults_of_one_record(void **state)
{
	struct accel_softmax softmax = good_softmax();
	struct accel_rope rope = good_rope();
	struct accel_quantise quantise = good_quantise();
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;

	assert_int_equal(accel_cmd_softmax(s, &softmax, NULL), 0);
	assert_int_equal(f->cmds[0].softmax.scale, 0x3f800000);
	assert_int_equal(f->cmds[0].softmax.src_stride, 5);
	softmax.scale = -0.5f;
	assert_int_equal(accel_cmd_softmax(s, &softmax, NULL), 0);
	assert_int_equal(f->cmds[1].softmax.scale, 0xbf000000);
	assert_int_equal(accel_cmd_rope(s, &rope, NULL), 0);
	assert_int_equal(f->cmds[2].rope.src_stride, 24);
	assert_int_equal(f->cmds[2].rope.dst_stride, 24);
	assert_int_equal(f->cmds[2].hdr.flags, QUILL_CMD_ORDERED);
	assert_int_equal(f->cmds[2].rope.rotary, 0);
	rope.halves = true;
	rope.rotary = 4;
	assert_int_equal(accel_cmd_rope(s, &rope, NULL), 0);
	assert_int_equal(f->cmds[3].hdr.flags, QUILL_CMD_ORDERED | QUILL_CMD_HALVES);
	assert_int_equal(f->cmds[3].rope.rotary, 4);
	assert_int_equal(accel_cmd_quantise(s, &quantise, NULL), 0);
	assert_int_equal(f->cmds[4].quantise.group, 6);
	assert_int_equal(f->cmds[4].quantise.scale_stride, 1);
	assert_int_equal(f->cmds[4].hdr.type_a, QUILL_TYPE_F32);
	assert_int_equal(f->cmds[4].hdr.type_d, QUILL_TYPE_S8);
	quantise.group = 2;
	assert_int_equal(accel_cmd_dequantise(s, &quantise, NULL), 0);
	assert_int_equal(f->cmds[5].quantise.scale_stride, 3);
	assert_int_equal(f->cmds[5].hdr.type_a, QUILL_TYPE_S8);
	assert_int_equal(f->cmds[5].hdr.type_d, QUILL_TYPE_F32);
}

static void absent_operands_go_to_types_and_strides(void **state)
{
	struct accel_eltwise eltwise = good_eltwise();
	struct accel_act act = good_act();
	struct accel_reduce reduce = good_reduce();
	struct fixture *f = *state;
	struct accel_stream *s = &f->stream;

	assert_int_equal(accel_cmd_eltwise(s, &eltwise, NULL), 0);
	assert_int_equal(f->cmds[0].eltwise.b_stride, 5);
	eltwise.b_row = true;
	eltwise.op = ACCEL_ELTWISE_MIN;
	assert_int_equal(accel_cmd_eltwise(s, &eltwise, NULL), 0);
	assert_int_equal(f->cmds[1].eltwise.b_stride, 0);
	assert_int_equal(f->cmds[1].eltwise.op, QUILL_ELTWISE_MIN);
	assert_int_equal(accel_cmd_act(s, &act, NULL), 0);
	assert_int_equal(f->cmds[2].hdr.type_b, QUILL_TYPE_F32);
	assert_int_equal(f->cmds[2].act.gate_stride, 5);
	act.gate = 0;
	act.op = ACCEL_ACT_GELU;
	assert_int_equal(accel_cmd_act(s, &act, NULL), 0);
	assert_int_equal(f->cmds[3].hdr.type_b, QUILL_TYPE_NONE);
	assert_int_equal(f->cmds[3].act.gate_stride, 0);
	assert_int_equal(f->cmds[3].act.op, QUILL_ACT_GELU);
	assert_int_equal(accel_cmd_reduce(s, &reduce, NULL), 0);
	assert_int_equal(f->cmds[4].hdr.type_d, QUILL_TYPE_F32);
	reduce.op = ACCEL_REDUCE_ARGMAX;
	assert_int_equal(accel_cmd_reduce(s, &reduce, NULL), 0);
	assert_int_equal(f->cmds[5].hdr.type_d, QUILL_TYPE_S32);
}

/* One field of a good command changed, and what is said of it. */
#define REFUSED(name, NAME, good, change, text) do { \
	struct accel_##good c = good_##good(); \
	change; \
	expect_refusal(f, accel_cmd_##name(&f->stream, &c, NULL), NAME ": " text); \
} while (0)

static void norm_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

#define RMSNORM(change, text)	REFUSED(rmsnorm, "RMSNORM", norm, change, text)
#define LAYERNORM(change, text)	REFUSED(layernorm, "LAYERNORM", norm, change, text)
	RMSNORM(c.rows = 0, "rows is 0; required: 1..2^24");
	RMSNORM(c.n = (1u << 24) + 1, "n is 16777217; required: 1..2^24");
	LAYERNORM(c.src_stride = 4, "src_stride is 4; required: at least n (n is 5)");
	RMSNORM(c.dst_stride = 4, "dst_stride is 4; required: at least n (n is 5)");
	LAYERNORM(c.residual_stride = 4, "residual_stride is 4; required: at least n (n is 5)");
	RMSNORM(c.src += 2, "src is 0x100002; required: a multiple of 4");
	LAYERNORM(c.src = 0, "src" RANGE_TEXT);
	RMSNORM(c.dst += 1, "dst is 0x100001; required: a multiple of 4");
	LAYERNORM(c.dst = TOP - 4, "dst is 0xfffffffffffc" TOP_TEXT);
	RMSNORM(c.weight += 3, "weight is 0x100003; required: a multiple of 4");
	LAYERNORM(c.weight = 0, "weight" RANGE_TEXT);
	RMSNORM(c.residual += 2, "residual is 0x100002; required: a multiple of 4");
	LAYERNORM(c.residual = TOP - 4, "residual is 0xfffffffffffc" TOP_TEXT);
	RMSNORM(c.bias = VA, "bias is 0x100000; required: 0, but for LAYERNORM");
	LAYERNORM(c.bias = VA + 2, "bias is 0x100002; required: a multiple of 4");
	LAYERNORM(c.bias = TOP - 4, "bias is 0xfffffffffffc" TOP_TEXT);
	RMSNORM(c.residual = 0, "sum is 0x100000; required: 0, since residual is 0");
	RMSNORM(c.sum += 2, "sum is 0x100002; required: a multiple of 4");
	LAYERNORM(c.sum = TOP - 4, "sum is 0xfffffffffffc" TOP_TEXT);
	RMSNORM((c.residual = c.sum = 0, c.residual_stride = 7),
		"residual_stride is 7; required: 0, since residual is 0");
	RMSNORM(c.eps = -1, "eps is 0xbf800000; required: the bits of a finite float that is not "
		"negative");
	LAYERNORM(c.eps = INFINITY, "eps is 0x7f800000; required: the bits of a finite float that is "
		  "not negative");
}

static void softmax_and_rope_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

#define SOFTMAX(change, text)	REFUSED(softmax, "SOFTMAX", softmax, change, text)
#define ROPE(change, text)	REFUSED(rope, "ROPE", rope, change, text)
	SOFTMAX(c.rows = 0, "rows is 0; required: 1..2^24");
	SOFTMAX(c.n = 0, "n is 0; required: 1..2^24");
	SOFTMAX(c.src_stride = 4, "src_stride is 4; required: at least n (n is 5)");
	SOFTMAX(c.dst_stride = 4, "dst_stride is 4; required: at least n (n is 5)");
	SOFTMAX(c.src += 1, "src is 0x100001; required: a multiple of 4");
	SOFTMAX(c.src = 0, "src" RANGE_TEXT);
	SOFTMAX(c.dst += 1, "dst is 0x100001; required: a multiple of 4");
	SOFTMAX(c.dst = 0, "dst" RANGE_TEXT);
	SOFTMAX(c.scale = INFINITY, "scale is 0x7f800000; required: the bits of a finite float");
	ROPE(c.rows = 0, "rows is 0; required: 1..2^24");
	ROPE(c.heads = 0, "heads is 0; required: 1..1024");
	/* 65537 would be 1, if it were cut to the field's 16 bits */
	ROPE(c.heads = 65537, "heads is 65537; required: at most 1024");
	ROPE(c.dim = 65538, "dim is 65538; required: at most 256");
	ROPE(c.dim = 7, "dim is 7; required: 2, 4, ... 256");
	ROPE(c.rotary = 3, "rotary is 3; required: even, and at most dim (dim is 6)");
	ROPE(c.rotary = 8, "rotary is 8; required: even, and at most dim (dim is 6)");
	ROPE(c.src_stride = 23, "src_stride is 23; required: at least heads * dim (dim is 6)");
	ROPE(c.dst_stride = 23, "dst_stride is 23; required: at least heads * dim (dim is 6)");
	ROPE(c.src += 1, "src is 0x100001; required: a multiple of 4");
	ROPE(c.src = 0, "src" RANGE_TEXT);
	ROPE(c.dst += 1, "dst is 0x100001; required: a multiple of 4");
	ROPE(c.dst = 0, "dst" RANGE_TEXT);
	ROPE(c.table += 1, "table is 0x100001; required: a multiple of 4");
	ROPE(c.table = 0, "table" RANGE_TEXT);
}

static void quantise_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

#define QUANTISE(change, text)		REFUSED(quantise, "QUANTISE", quantise, change, text)
#define DEQUANTISE(change, text)	REFUSED(dequantise, "DEQUANTISE", quantise, change, text)
	QUANTISE(c.rows = 0, "rows is 0; required: 1..2^24");
	DEQUANTISE(c.n = 0, "n is 0; required: 1..2^24");
	QUANTISE(c.group = 4, "group is 4; required: a divisor of n (n is 6)");
	DEQUANTISE(c.group = 12, "group is 12; required: a divisor of n (n is 6)");
	QUANTISE(c.src_stride = 5, "src_stride is 5; required: at least n (n is 6)");
	DEQUANTISE(c.dst_stride = 5, "dst_stride is 5; required: at least n (n is 6)");
	QUANTISE((c.group = 2, c.scale_stride = 2),
		 "scale_stride is 2; required: at least n / group (group is 2)");
	QUANTISE(c.src += 2, "src is 0x100002; required: a multiple of 4");
	DEQUANTISE(c.dst += 2, "dst is 0x100002; required: a multiple of 4");
	DEQUANTISE(c.src = 0, "src" RANGE_TEXT);
	QUANTISE(c.dst = 0, "dst" RANGE_TEXT);
	QUANTISE(c.scale += 1, "scale is 0x100001; required: a multiple of 4");
	DEQUANTISE(c.scale = 0, "scale" RANGE_TEXT);
}

static void given_scales_take_a_second_record(void **state)
{
	struct accel_quantise c = good_quantise();
	struct fixture *f = *state;

	c.given = c.scale_row = true;
	assert_int_equal(accel_cmd_quantise(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[0].hdr.ext, 1);
	assert_int_equal(f->cmds[0].quantise.scale_stride, 0);
	assert_int_equal(f->cmds[1].quantise_ext.lo, -128);
	assert_int_equal(f->cmds[1].quantise_ext.hi, 127);
	c.scale_row = false;
	c.zero = c.lo = -5;
	c.hi = 100;
	assert_int_equal(accel_cmd_quantise(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[2].quantise.scale_stride, 1);
	assert_int_equal(f->cmds[3].quantise_ext.zero, -5);
	assert_int_equal(f->cmds[3].quantise_ext.lo, -5);
	assert_int_equal(f->cmds[3].quantise_ext.hi, 100);
	c.scale_row = true;
	assert_int_equal(accel_cmd_dequantise(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[4].hdr.ext, 0);
	assert_int_equal(f->cmds[4].quantise.scale_stride, 0);
}

static void errors_of_given_scales_name_the_field(void **state)
{
	struct fixture *f = *state;

	QUANTISE(c.zero = 1, "given is 0; required: 1, since there is a zero point or a clamp");
	QUANTISE(c.scale_row = true, "scale_stride is 0; required: at least n / group (group is 6)");
	QUANTISE((c.given = true, c.group = 2, c.scale_stride = 2),
		 "scale_stride is 2; required: at least n / group (group is 2)");
	QUANTISE((c.given = true, c.scale += 1), "scale is 0x100001; required: a multiple of 4");
	QUANTISE((c.given = true, c.zero = 128), "zero is 128; required: -128..127");
	QUANTISE((c.given = true, c.lo = -129), "lo is -129; required: -128..127");
	QUANTISE((c.given = true, c.lo = 3, c.hi = 2), "hi is 2; required: lo..127");
}

static void int8_operands_need_no_alignment(void **state)
{
	struct accel_quantise c = good_quantise();
	struct fixture *f = *state;

	c.dst++;
	assert_int_equal(accel_cmd_quantise(&f->stream, &c, NULL), 0);
	c.dst--;
	c.src++;
	assert_int_equal(accel_cmd_dequantise(&f->stream, &c, NULL), 0);
}

static void eltwise_and_act_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

#define ELTWISE(change, text)	REFUSED(eltwise, "ELTWISE", eltwise, change, text)
#define ACT(change, text)	REFUSED(act, "ACT", act, change, text)
	ELTWISE(c.rows = 0, "rows is 0; required: 1..2^24");
	ELTWISE(c.n = 0, "n is 0; required: 1..2^24");
	ELTWISE(c.a_stride = 4, "a_stride is 4; required: at least n (n is 5)");
	ELTWISE(c.b_stride = 4, "b_stride is 4; required: at least n (n is 5)");
	ELTWISE(c.dst_stride = 4, "dst_stride is 4; required: at least n (n is 5)");
	ELTWISE(c.a += 1, "a is 0x100001; required: a multiple of 4");
	ELTWISE(c.b = 0, "b" RANGE_TEXT);
	ELTWISE(c.dst = 0, "dst" RANGE_TEXT);
	ELTWISE(c.op = (enum accel_eltwise_op)5,
		"op is 5; required: 0..4 (ADD, SUB, MUL, MAX, MIN)");
	ACT(c.rows = 0, "rows is 0; required: 1..2^24");
	ACT(c.src_stride = 4, "src_stride is 4; required: at least n (n is 5)");
	ACT(c.gate_stride = 4, "gate_stride is 4; required: at least n (n is 5)");
	ACT(c.dst_stride = 4, "dst_stride is 4; required: at least n (n is 5)");
	ACT(c.src = 0, "src" RANGE_TEXT);
	ACT(c.gate += 1, "gate is 0x100001; required: a multiple of 4");
	ACT(c.gate = TOP - 4, "gate is 0xfffffffffffc" TOP_TEXT);
	ACT((c.gate = 0, c.gate_stride = 5),
	    "gate_stride is 5; required: 0, since there is no gate");
	ACT(c.dst += 2, "dst is 0x100002; required: a multiple of 4");
	ACT(c.op = (enum accel_act_op)6,
	    "op is 6; required: 0..5 (RELU, SIGMOID, SILU, TANH, GELU, GELU_ERF)");
}

static void reduce_and_gather_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

#define REDUCE(change, text)	REFUSED(reduce, "REDUCE", reduce, change, text)
#define GATHER(change, text)	REFUSED(gather, "GATHER", gather, change, text)
	REDUCE(c.rows = (1u << 24) + 1, "rows is 16777217; required: 1..2^24");
	REDUCE(c.src_stride = 4, "src_stride is 4; required: at least n (n is 5)");
	REDUCE(c.src = 0, "src" RANGE_TEXT);
	REDUCE(c.dst += 1, "dst is 0x100001; required: a multiple of 4");
	REDUCE(c.dst = TOP - 4, "dst is 0xfffffffffffc" TOP_TEXT);
	REDUCE(c.op = (enum accel_reduce_op)3, "op is 3; required: 0..2 (SUM, MAX, ARGMAX)");
	GATHER(c.n = 0, "n is 0; required: 1..2^24");
	GATHER(c.table_rows = 0, "table_rows is 0; required: 1..2^24");
	GATHER(c.table_stride = 4, "table_stride is 4; required: at least n (n is 5)");
	GATHER(c.dst_stride = 4, "dst_stride is 4; required: at least n (n is 5)");
	GATHER(c.table = 0, "table" RANGE_TEXT);
	GATHER(c.index += 2, "index is 0x100002; required: a multiple of 4");
	GATHER(c.index = 0, "index" RANGE_TEXT);
	GATHER(c.dst = TOP - 4, "dst is 0xfffffffffffc" TOP_TEXT);
	GATHER((c.type = ACCEL_BF16, c.table += 1),
	       "table is 0x100001; required: a multiple of 4 for F32 (3), of 2 for others but S8 (1) (type_a is 4)");
	GATHER(c.scale = VA, "ext is 1; required: 1 for S8 (1), else 0 (type_a is 3)");
	GATHER(c.type = ACCEL_S8, "scale" RANGE_TEXT);
	GATHER((c.type = ACCEL_S8, c.scale = VA + 2), "scale is 0x100002; required: a multiple of 4");
	GATHER((c.type = ACCEL_S8, c.scale = TOP - 4), "scale is 0xfffffffffffc" TOP_TEXT);
}

static void a_table_of_int8_has_scales(void **state)
{
	struct accel_gather c = good_gather();
	struct fixture *f = *state;

	c.type = ACCEL_S8;
	c.table++;
	c.scale = VA;
	assert_int_equal(accel_cmd_gather(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[0].hdr.ext, 1);
	assert_int_equal(f->cmds[1].gather_ext.scale, VA);
	assert_int_equal(f->cmds[1].gather_ext.scale_stride, 1);
	c.scale_stride = 3;
	assert_int_equal(accel_cmd_gather(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[3].gather_ext.scale_stride, 3);
	c.one_scale = true;
	assert_int_equal(accel_cmd_gather(&f->stream, &c, NULL), 0);
	assert_int_equal(f->cmds[5].gather_ext.scale_stride, 0);
}

static void topk_and_sample_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

#define TOPK(change, text)	REFUSED(topk, "TOPK", topk, change, text)
#define SAMPLE(change, text)	REFUSED(sample, "SAMPLE", sample, change, text)
	TOPK(c.k = 0, "k is 0; required: 1..1024, at most n (n is 5)");
	TOPK(c.k = 6, "k is 6; required: 1..1024, at most n (n is 5)");
	TOPK((c.n = 2000, c.k = 1025), "k is 1025; required: 1..1024, at most n (n is 2000)");
	TOPK(c.value_stride = 1, "value_stride is 1; required: at least k (k is 2)");
	TOPK((c.value = 0, c.value_stride = 2), "value_stride is 2; required: 0, since value is 0");
	TOPK(c.index_stride = 1, "index_stride is 1; required: at least k (k is 2)");
	TOPK(c.index = 0, "index" RANGE_TEXT);
	SAMPLE(c.n = 0, "n is 0; required: 1..2^24");
	SAMPLE(c.src_stride = 4, "src_stride is 4; required: at least n (n is 5)");
	SAMPLE(c.dst += 2, "dst is 0x100002; required: a multiple of 4");
	SAMPLE(c.prob = TOP - 4, "prob is 0xfffffffffffc" TOP_TEXT);
	SAMPLE(c.temperature = -1, "temperature is 0xbf800000; required: the bits of 0 or of a finite float of at least 2^-126");
	SAMPLE(c.temperature = 0x1p-127f, "temperature is 0x400000; required: the bits of 0 or of a finite float of at least 2^-126");
	SAMPLE(c.top_p = 1.5f, "top_p is 0x3fc00000; required: the bits of a float above 0, at most 1");
	SAMPLE(c.top_p = -0.5f, "top_p is 0xbf000000; required: the bits of a float above 0, at most 1");
}

static void fields_and_defaults_of_topk_and_sample(void **state)
{
	struct accel_sample sample = good_sample();
	struct accel_topk topk = good_topk();
	struct fixture *f = *state;

	topk.value = 0;
	assert_int_equal(accel_cmd_topk(&f->stream, &topk, NULL), 0);
	assert_int_equal(f->cmds[0].topk.src_stride, 5);
	assert_int_equal(f->cmds[0].topk.value_stride, 0);
	assert_int_equal(f->cmds[0].topk.index_stride, 2);
	accel_stream_reset(&f->stream);
	sample.seed = 1ull << 63 | 5;
	sample.counter = 1ull << 40;
	sample.top_k = 40;
	assert_int_equal(accel_cmd_sample(&f->stream, &sample, NULL), 0);
	assert_int_equal(f->cmds[0].sample.src_stride, 5);
	assert_int_equal(f->cmds[0].sample.temperature, 0x3f800000);
	assert_int_equal(f->cmds[0].sample.top_p, 0x3f800000);
	assert_int_equal(f->cmds[0].sample.top_k, 40);
	assert_true(f->cmds[1].sample_ext.seed == sample.seed);
	assert_true(f->cmds[1].sample_ext.counter == sample.counter);
}

static void result_of_a_reduction_has_the_type_of_its_kind(void **state)
{
	struct accel_reduce reduce = good_reduce();
	struct fixture *f = *state;
	union quill_cmd cmd;

	assert_int_equal(accel_cmd_reduce(&f->stream, &reduce, NULL), 0);
	cmd = f->cmds[0];
	accel_stream_reset(&f->stream);
	cmd.hdr.type_d = QUILL_TYPE_S32;
	expect_refusal(f, accel_stream_emit(&f->stream, &cmd, 1), "REDUCE: type_d is 2; required: "
		       "S32 (2) for ARGMAX (2), else F32 (3) (op is 0)");
	/* without a type for it, a gate is none */
	cmd = (union quill_cmd){ .act = { .src = VA, .dst = VA, .gate = VA, .rows = 1, .n = 1 } };
	cmd.hdr.opcode = QUILL_OP_ACT;
	cmd.hdr.type_a = cmd.hdr.type_d = QUILL_TYPE_F32;
	expect_refusal(f, accel_stream_emit(&f->stream, &cmd, 1),
		       "ACT: gate is 0x100000; required: 0, since type_b is NONE");
}

static void every_rule_has_words(void **state)
{
	struct accel_quantise given = good_quantise();
	struct accel_gather gather = good_gather();
	struct fixture *f = *state;
	unsigned int i;

	f->stream.max = MOST;
	for (i = 0; i < 14; i++)
		assert_int_equal(emit(&f->stream, i), 0);
	given.given = true;
	assert_int_equal(accel_cmd_quantise(&f->stream, &given, NULL), 0);
	gather.type = ACCEL_S8;
	gather.scale = VA;
	assert_int_equal(accel_cmd_gather(&f->stream, &gather, NULL), 0);
	expect_words_for_every_rule(f, 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(every_vector_command_has_an_encoder),
		STREAM_TEST(norm_fields_and_defaults),
		STREAM_TEST(fields_and_defaults_of_one_record),
		STREAM_TEST(absent_operands_go_to_types_and_strides),
		STREAM_TEST(norm_errors_name_the_field),
		STREAM_TEST(softmax_and_rope_errors_name_the_field),
		STREAM_TEST(quantise_errors_name_the_field),
		STREAM_TEST(given_scales_take_a_second_record),
		STREAM_TEST(errors_of_given_scales_name_the_field),
		STREAM_TEST(int8_operands_need_no_alignment),
		STREAM_TEST(eltwise_and_act_errors_name_the_field),
		STREAM_TEST(reduce_and_gather_errors_name_the_field),
		STREAM_TEST(a_table_of_int8_has_scales),
		STREAM_TEST(topk_and_sample_errors_name_the_field),
		STREAM_TEST(fields_and_defaults_of_topk_and_sample),
		STREAM_TEST(result_of_a_reduction_has_the_type_of_its_kind),
		STREAM_TEST(every_rule_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
