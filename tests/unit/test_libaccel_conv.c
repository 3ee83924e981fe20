// SPDX-License-Identifier: MIT
/* libaccel's encoders of CONV2D and POOL, and packing of weights: what they write, and what they refuse. */
#include "libaccel_stream.h"

static struct accel_conv2d good_conv2d(void)
{
	return (struct accel_conv2d){
		.src = VA, .weight = VA, .dst = VA, .in_c = 6, .out_c = 8, .type_d = ACCEL_S8,
		.scale = VA, .bias = VA,
		.window = { .in_h = 9, .in_w = 7, .kh = 3, .kw = 3, .stride_h = 2, .pad_top = 1,
			    .pad_left = 1, .pad_bottom = 1, .pad_right = 1 },
	};
}

static struct accel_pool good_pool(void)
{
	return (struct accel_pool){
		.src = VA, .dst = VA, .channels = 5, .type = ACCEL_F32, .op = ACCEL_POOL_MEAN,
		.window = { .in_h = 9, .in_w = 7, .kh = 2, .kw = 3, .stride_h = 2, .stride_w = 3 },
	};
}

static void conv_fields_and_defaults(void **state)
{
	struct accel_conv2d conv = good_conv2d();
	struct fixture *f = *state;
	const struct quill_cmd_conv2d *c = &f->cmds[0].conv2d;
	const struct quill_ext_conv2d *e = &f->cmds[1].conv2d_ext;
	struct quill_check why;

	conv.window.pad_value = -5;
	assert_int_equal(accel_cmd_conv2d(&f->stream, &conv, NULL), 0);
	assert_int_equal(quill_cmd_check(f->cmds, 2, &why), QUILL_FAULT_NONE);
	assert_int_equal(c->batch, 1);
	assert_int_equal(c->groups, 1);
	assert_int_equal(c->stride_w, 1);
	assert_int_equal(c->dilation_h, 1);
	assert_int_equal(c->dilation_w, 1);
	/* 9 + 2 lines by windows of 3, every other; 7 + 2 pixels */
	assert_int_equal(c->out_h, 5);
	assert_int_equal(c->out_w, 7);
	assert_int_equal(c->pad_value, -5);
	assert_int_equal(e->src_stride, 6);
	assert_int_equal(e->dst_stride, 8);
	assert_int_equal(e->lo, -128);
	assert_int_equal(e->hi, 127);

	accel_stream_reset(&f->stream);
	conv.window = (struct accel_window){
		.batch = 3, .in_h = 30, .in_w = 20, .kh = 5, .kw = 3, .stride_h = 2, .stride_w = 3,
		.dilation_h = 4, .dilation_w = 5, .pad_top = 2, .pad_left = 10, .out_h = 11, .out_w = 9,
		.src_stride = 12, .dst_stride = 16,
	};
	conv.groups = 2;
	conv.lo = 3;
	conv.hi = 90;
	conv.zero = 3;
	assert_int_equal(accel_cmd_conv2d(&f->stream, &conv, NULL), 0);
	assert_int_equal(c->out_h, 11);
	assert_int_equal(c->out_w, 9);
	assert_int_equal(c->dilation_w, 5);
	assert_int_equal(e->pad_left, 10);
	assert_int_equal(e->dst_stride, 16);
	assert_int_equal(e->lo, 3);
	assert_int_equal(e->zero, 3);
}

static void residual_is_a_third_record(void **state)
{
	struct accel_conv2d conv = good_conv2d();
	struct fixture *f = *state;
	const struct quill_ext_conv2d_residual *e = &f->cmds[2].conv2d_residual;
	struct quill_check why;

	conv.residual = VA + 1;
	conv.residual_mult = VA + 4;
	conv.residual_zero = -7;
	assert_int_equal(accel_cmd_conv2d(&f->stream, &conv, NULL), 0);
	assert_int_equal(accel_stream_records(&f->stream), 3);
	assert_int_equal(quill_cmd_check(f->cmds, 3, &why), QUILL_FAULT_NONE);
	assert_int_equal(e->residual, VA + 1);
	assert_int_equal(e->mult, VA + 4);
	assert_int_equal(e->stride, 8);
	assert_int_equal(e->zero, -7);
	accel_stream_reset(&f->stream);
	conv.residual_stride = 7;
	expect_refusal(f, accel_cmd_conv2d(&f->stream, &conv, NULL),
		       "CONV2D: stride is 7; required: at least out_c (out_c is 8)");
	conv.residual_stride = 0;
	conv.type_d = ACCEL_S32;
	conv.scale = 0;
	expect_refusal(f, accel_cmd_conv2d(&f->stream, &conv, NULL),
		       "CONV2D: type_d is 2; required: S8 (1), where there is a residual");
}

static void pool_fields_and_defaults(void **state)
{
	struct accel_pool pool = good_pool();
	struct fixture *f = *state;
	const struct quill_cmd_pool *c = &f->cmds[0].pool;

	assert_int_equal(accel_cmd_pool(&f->stream, &pool, NULL), 0);
	assert_int_equal(accel_stream_records(&f->stream), 1);
	assert_int_equal(c->hdr.type_a, QUILL_TYPE_F32);
	assert_int_equal(c->hdr.type_d, QUILL_TYPE_F32);
	assert_int_equal(c->out_h, 4);
	assert_int_equal(c->out_w, 2);
	assert_int_equal(c->src_stride, 5);
	assert_int_equal(c->op, QUILL_POOL_MEAN);
	accel_stream_reset(&f->stream);
	/* global, of more taps than a byte counts */
	pool.window = (struct accel_window){ .in_h = 300, .in_w = 200, .kh = 300, .kw = 200 };
	assert_int_equal(accel_cmd_pool(&f->stream, &pool, NULL), 0);
	assert_int_equal(c->out_h, 1);
	assert_int_equal(c->out_w, 1);
}

#define REFUSE(kind, change, text)							\
	do {										\
		struct accel_##kind x = good_##kind();					\
											\
		change;									\
		expect_refusal(f, REFUSE_##kind(&f->stream, &x, NULL), text);		\
	} while (0)
#define REFUSE_conv2d	accel_cmd_conv2d
#define REFUSE_pool	accel_cmd_pool

static void conv_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

	REFUSE(conv2d, x.window.in_h = 0, "CONV2D: in_h is 0; required: at least 1");
	REFUSE(conv2d, x.window.in_w = 65536, "CONV2D: in_w is 65536; required: at most 65535");
	REFUSE(conv2d, x.window.kh = 256, "CONV2D: kh is 256; required: at most 255");
	REFUSE(conv2d, x.window.kw = 20, "CONV2D: out_w is 0; required: at least 1");
	REFUSE(conv2d, x.window.stride_w = 256, "CONV2D: stride_w is 256; required: at most 255");
	REFUSE(conv2d, x.window.batch = 65535; x.window.in_h = 300; x.window.in_w = 300,
	       "CONV2D: batch is 65535; required: at least 1, with at most 2^24 pixels in all images");
	REFUSE(conv2d, x.groups = 4,
	       "CONV2D: in_c is 6; required: over 0, and a multiple of groups (groups is 4)");
	REFUSE(conv2d, x.groups = 3,
	       "CONV2D: out_c is 8; required: over 0, and a multiple of groups (groups is 3)");
	REFUSE(conv2d, x.in_c = 9000,
	       "CONV2D: kh is 3; required: over 0, and kh * kw * in_c / groups at most 65536 (kw is 3)");
	REFUSE(conv2d, x.in_c = 72; x.window.dilation_h = 255; x.window.dilation_w = 255;
	       x.window.pad_top = 510; x.window.pad_left = 510,
	       "CONV2D: dilation_h is 255; required: over 0, and a window's height, width and channels "
	       "at most 2^24 bytes");
	REFUSE(conv2d, x.window.pad_top = 3,
	       "CONV2D: pad_top is 3; required: less than the height of a window");
	REFUSE(conv2d, x.window.pad_left = 3,
	       "CONV2D: pad_left is 3; required: less than the width of a window");
	REFUSE(conv2d, x.window.out_h = 6, "CONV2D: out_h is 6; required: so few that the last window "
	       "starts above the input's end (in_h is 9)");
	REFUSE(conv2d, x.window.out_w = 9, "CONV2D: out_w is 9; required: so few that the last window "
	       "starts left of the input's end (in_w is 7)");
	REFUSE(conv2d, x.window.pad_value = 128, "CONV2D: pad_value is 128; required: -128..127");
	REFUSE(conv2d, x.window.src_stride = 5,
	       "CONV2D: src_stride is 5; required: at least in_c (in_c is 6)");
	REFUSE(conv2d, x.window.dst_stride = 7,
	       "CONV2D: dst_stride is 7; required: at least out_c (out_c is 8)");
	REFUSE(conv2d, x.src = 0, "CONV2D: src" RANGE_TEXT);
	REFUSE(conv2d, x.weight = 32, "CONV2D: weight is 0x20; required: a multiple of 64");
	REFUSE(conv2d, x.type_d = ACCEL_F32; x.dst = 2,
	       "CONV2D: dst is 0x2; required: a multiple of the element's size");
	REFUSE(conv2d, x.scale = 0, "CONV2D: scale is 0x0; required: 0 for S32 (2), an address for S8 (1) "
	       "and F32 (3) (type_d is 1)");
	REFUSE(conv2d, x.bias = 2, "CONV2D: bias is 0x2; required: a multiple of 4");
	REFUSE(conv2d, x.lo = 5; x.hi = 4,
	       "CONV2D: hi is 4; required: lo..127 for S8 (1), else 0 (type_d is 1)");
	REFUSE(conv2d, x.zero = -129,
	       "CONV2D: zero is -129; required: -128..127 for S8 (1), else 0 (type_d is 1)");
}

static void pool_errors_name_the_field(void **state)
{
	struct fixture *f = *state;

	REFUSE(pool, x.channels = 0, "POOL: channels is 0; required: at least 1");
	REFUSE(pool, x.window.kh = 0; x.window.out_h = 1,
	       "POOL: kh is 0; required: over 0, and kh * kw at most 65536 (kw is 3)");
	REFUSE(pool, x.window.in_h = 300; x.window.in_w = 300; x.window.kh = 300; x.window.kw = 300,
	       "POOL: kh is 300; required: over 0, and kh * kw at most 65536 (kw is 300)");
	REFUSE(pool, x.window.pad_left = 3,
	       "POOL: pad_left is 3; required: less than the width of a window");
	REFUSE(pool, x.window.dilation_h = 2, "POOL: dilation_h is 2; required: at most 1");
	REFUSE(pool, x.type = ACCEL_S32, "POOL: type_a is 2; required: a type that the command takes");
	REFUSE(pool, x.src = VA + 2, "POOL: src is 0x100002; required: a multiple of 4");
	REFUSE(pool, x.window.dst_stride = 4,
	       "POOL: dst_stride is 4; required: at least channels (channels is 5)");
	REFUSE(pool, x.op = 3, "POOL: op is 3; required: 0 (MAX), 1 (MEAN) or 2 (MEAN_PADDED)");
	REFUSE(pool, x.type = ACCEL_S8; x.window.pad_value = -5,
	       "POOL: pad_value is -5; required: 0, but for MEAN_PADDED (2) of S8 (op is 1)");
}

static void every_rule_has_words(void **state)
{
	struct accel_conv2d conv = good_conv2d();
	struct accel_pool pool = good_pool();
	struct fixture *f = *state;

	assert_int_equal(accel_cmd_conv2d(&f->stream, &conv, NULL), 0);
	conv.residual = conv.residual_mult = VA;
	assert_int_equal(accel_cmd_conv2d(&f->stream, &conv, NULL), 0);
	assert_int_equal(accel_cmd_pool(&f->stream, &pool, NULL), 0);
	expect_words_for_every_rule(f, 300);
}

/* ---- Weights ---- */

/* Weight (o, tap, i) in the caller's order. */
static size_t at(const struct accel_conv_shape *s, enum accel_conv_order order, uint32_t o, uint32_t t,
		 uint32_t i)
{
	uint32_t taps = s->kh * s->kw, in = s->in_c / s->groups;

	if (order == ACCEL_CONV_OIHW)
		return ((size_t)o * in + i) * taps + t;
	if (order == ACCEL_CONV_OHWI)
		return ((size_t)o * taps + t) * in + i;
	return ((size_t)t * in + i) * s->out_c + o;
}

static void check_packing(const struct accel_conv_shape *s, enum accel_conv_order order)
{
	uint32_t taps = s->kh * s->kw, in = s->in_c / s->groups, out = s->out_c / s->groups, o, t, i;
	bool depthwise = s->groups > 1 && in == 1 && out == 1;
	uint64_t size = accel_conv_packed_size(s), real = 0;
	int8_t *src = malloc((size_t)s->out_c * taps * in);
	uint8_t *dst = malloc(size);

	for (i = 0; i < s->out_c * taps * in; i++)
		src[i] = (int8_t)(i * 7 + 1);
	assert_int_equal(accel_pack_conv_s8(dst, src, s, order), 0);
	for (o = 0; o < s->out_c; o++) {
		for (t = 0; t < taps; t++) {
			for (i = 0; i < in; i++) {
				uint64_t place = depthwise ? quill_packed_offset(o, t, taps) :
					o / out * quill_packed_size(out, taps * in) +
					quill_packed_offset(o % out, t * in + i, taps * in);

				assert_int_equal((int8_t)(dst[place] ^ 0x80), src[at(s, order, o, t, i)]);
				dst[place] = 1;
				real++;
			}
		}
	}
	/* and all else is padding */
	for (i = 0; i < size; i++)
		real += dst[i] == 0x80;
	assert_int_equal(real, size);
	free(src);
	free(dst);
}

static void weights_of_every_order_are_packed(void **state)
{
	static const struct accel_conv_shape shapes[] = {
		{ .in_c = 3, .out_c = 64, .groups = 1, .kh = 7, .kw = 7 },
		{ .in_c = 5, .out_c = 70, .groups = 1, .kh = 1, .kw = 1 },
		{ .in_c = 12, .out_c = 6, .groups = 3, .kh = 3, .kw = 2 },
		{ .in_c = 70, .out_c = 70, .groups = 70, .kh = 3, .kw = 3 },
		{ .in_c = 4, .out_c = 8, .groups = 4, .kh = 3, .kw = 3 },
		{ .in_c = 1, .out_c = 1, .groups = 1, .kh = 5, .kw = 5 },
	};
	unsigned int i, order;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (order = 0; order < 3; order++)
			check_packing(&shapes[i], (enum accel_conv_order)order);
}

static void impossible_shapes_have_no_size(void **state)
{
	static const struct accel_conv_shape shapes[] = {
		{ .in_c = 0, .out_c = 1, .kh = 1, .kw = 1 }, { .in_c = 1, .out_c = 0, .kh = 1, .kw = 1 },
		{ .in_c = 65536, .out_c = 1, .kh = 1, .kw = 1 }, { .in_c = 1, .out_c = 1, .kh = 0, .kw = 1 },
		{ .in_c = 1, .out_c = 1, .kh = 1, .kw = 256 }, { .in_c = 8, .out_c = 9, .groups = 2, .kh = 1, .kw = 1 },
		{ .in_c = 9000, .out_c = 1, .kh = 3, .kw = 3 },
	};
	struct accel_conv_shape good = { .in_c = 4, .out_c = 4, .kh = 1, .kw = 1 };
	unsigned int i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		assert_int_equal(accel_conv_packed_size(&shapes[i]), 0);
		assert_int_equal(accel_pack_conv_s8(NULL, NULL, &shapes[i], ACCEL_CONV_OIHW), -EINVAL);
	}
	assert_int_equal(accel_conv_packed_size(&good), 256);
	assert_int_equal(accel_pack_conv_s8(NULL, NULL, &good, (enum accel_conv_order)3), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(conv_fields_and_defaults),
		STREAM_TEST(residual_is_a_third_record),
		STREAM_TEST(pool_fields_and_defaults),
		STREAM_TEST(conv_errors_name_the_field),
		STREAM_TEST(pool_errors_name_the_field),
		STREAM_TEST(every_rule_has_words),
		cmocka_unit_test(weights_of_every_order_are_packed),
		cmocka_unit_test(impossible_shapes_have_no_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
