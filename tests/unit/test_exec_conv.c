// SPDX-License-Identifier: MIT
/*
 * CONV2D and POOL through the whole device (firmware, issue port, strips, tiles, threads) against the reference, to the
 * bit, wherever the operands lie; and their faults.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conv_cases.h"
#include "core.h"

#define PAGE	4096ull

static const struct quill_host_config configs[] = {
	{ .emu.threads = 1 },
	{ .emu.threads = 4 },
	{ .emu.threads = 4, .scatter = true },
	{ .emu.threads = 2, .map_limit = 1001 },
	{ .emu.threads = 2, .emu.kernels = "scalar" },
	{ .emu.threads = 2, .emu.kernels = "avx2" },
};

#define CONFIGS	(sizeof(configs) / sizeof(configs[0]))

static const uint32_t types[] = { QUILL_TYPE_S8, QUILL_TYPE_S32, QUILL_TYPE_F32 };

/* False where this processor does not have the kernels. */
static bool open_config(struct conv_rig *r, unsigned int i)
{
	if (configs[i].emu.kernels && !quill_engine_get(configs[i].emu.kernels))
		return false;
	conv_rig_open(r, &configs[i]);
	return true;
}

static void run_ok(struct conv_rig *r, const struct conv_case *c)
{
	struct quill_job_cpl cpl = conv_rig_run(r);

	if (cpl.status)
		fail_msg("%s: fault %u at %#llx", c->what, cpl.status,
			 (unsigned long long)cpl.address);
}

static void check_conv(struct conv_rig *r, struct ref_images s, uint32_t type_d, uint32_t gap)
{
	struct conv_case c;

	s = conv_images(s);
	c = conv_make(r, &s, type_d, gap);
	run_ok(r, &c);
	conv_check(&c);
	if (type_d != QUILL_TYPE_S8)
		return;
	c = conv_make(r, &s, type_d, gap);
	conv_add_residual(r, &c, gap + 1, gap % 2);
	run_ok(r, &c);
	conv_check(&c);
}

static void check_pool(struct conv_rig *r, struct ref_images s, uint32_t gap)
{
	struct conv_case c;
	uint32_t op, type;

	s = conv_images(s);
	for (op = 0; op < QUILL_POOL_COUNT; op++) {
		for (type = 0; type < 3; type += 2) {
			c = pool_make(r, &s, types[type], op, gap, true);
			run_ok(r, &c);
			conv_check(&c);
		}
	}
}

/* ---- Shapes ---- */

/* Of @n, or less where the command has it so. */
static uint32_t some(struct ref_random *rnd, uint32_t n)
{
	return 1 + ref_random_below(rnd, n);
}

static struct ref_images random_images(struct ref_random *rnd, uint32_t stride, uint32_t pad,
				       uint32_t dilation, uint32_t kind)
{
	struct ref_images s = {
		.batch = some(rnd, 3), .in_h = some(rnd, 9), .in_w = some(rnd, 9),
		.kh = some(rnd, 4), .kw = some(rnd, 4), .stride_h = stride, .stride_w = some(rnd, 3),
		.dilation_h = dilation, .dilation_w = some(rnd, dilation), .groups = some(rnd, 3),
		.pad_value = (int8_t)ref_random(rnd),
	};
	uint32_t high = (s.kh - 1) * s.dilation_h + 1, wide = (s.kw - 1) * s.dilation_w + 1;

	s.pad_top = pad < high ? pad : high - 1;
	s.pad_left = ref_random_below(rnd, wide < 4 ? wide : 4);
	s.out_h = some(rnd, (s.in_h + s.pad_top - 1) / s.stride_h + 1);
	s.out_w = some(rnd, (s.in_w + s.pad_left - 1) / s.stride_w + 1);
	if (kind == 0)
		s.groups = 1;
	if (kind == 2)		/* depthwise */
		s.groups = some(rnd, 140);
	s.in_c = kind == 2 ? s.groups : s.groups * some(rnd, 20);
	s.out_c = kind == 2 ? s.groups : s.groups * some(rnd, 70);
	return s;
}

static void every_stride_padding_dilation_and_grouping(void **state)
{
	uint32_t stride, pad, dilation, kind, i;
	struct conv_rig r;

	for (i = 0; i < CONFIGS; i++) {
		for (kind = 0; kind < 3; kind++) {
			if (!open_config(&r, i))
				continue;
			r.rnd.state = 100 * i + kind;
			for (stride = 1; stride <= 3; stride++)
				for (pad = 0; pad <= 3; pad++)
					for (dilation = 1; dilation <= 3; dilation++)
						check_conv(&r, random_images(&r.rnd, stride, pad,
									     dilation, kind),
							   types[(stride + pad + dilation) % 3],
							   ref_random_below(&r.rnd, 3));
			conv_rig_close(&r);
		}
	}
}

static const struct ref_images shapes[] = {
	/* the first layer of most networks, and of some others */
	{ .in_h = 40, .in_w = 40, .in_c = 3, .out_c = 64, .kh = 7, .kw = 7, .stride_h = 2,
	  .stride_w = 2, .pad_top = 3, .pad_left = 3 },
	/* 3 x 3, several tiles of lines, two panels and a bit */
	{ .in_h = 56, .in_w = 30, .in_c = 16, .out_c = 130, .kh = 3, .kw = 3, .pad_top = 1,
	  .pad_left = 1 },
	/* 1 x 1: the input's pixels are the rows; and with a stride */
	{ .batch = 2, .in_h = 14, .in_w = 14, .in_c = 67, .out_c = 96, .kh = 1, .kw = 1 },
	{ .batch = 2, .in_h = 15, .in_w = 14, .in_c = 64, .out_c = 96, .kh = 1, .kw = 1,
	  .stride_h = 2, .stride_w = 2 },
	/* few pixels, many channels: cut by panels */
	{ .in_h = 4, .in_w = 4, .in_c = 256, .out_c = 1000, .kh = 3, .kw = 3, .pad_top = 1,
	  .pad_left = 1 },
	/* images of one pixel, as many windows as images */
	{ .batch = 40, .in_h = 3, .in_w = 3, .in_c = 20, .out_c = 65, .kh = 3, .kw = 3 },
	/* lines longer than a tile */
	{ .in_h = 2, .in_w = 3000, .in_c = 5, .out_c = 9, .kh = 1, .kw = 5, .pad_left = 4 },
	/* groups */
	{ .in_h = 12, .in_w = 11, .in_c = 32, .out_c = 48, .groups = 8, .kh = 3, .kw = 3,
	  .pad_top = 1, .pad_left = 1 },
	{ .in_h = 9, .in_w = 9, .in_c = 6, .out_c = 200, .groups = 2, .kh = 3, .kw = 2 },
	/* depthwise, with several results a channel: ordinary groups */
	{ .in_h = 9, .in_w = 9, .in_c = 7, .out_c = 21, .groups = 7, .kh = 3, .kw = 3 },
	/* depthwise: several tiles, strides, large taps, larger than are held prepared */
	{ .in_h = 60, .in_w = 60, .in_c = 96, .out_c = 96, .groups = 96, .kh = 3, .kw = 3,
	  .pad_top = 1, .pad_left = 1 },
	{ .batch = 3, .in_h = 13, .in_w = 13, .in_c = 200, .out_c = 200, .groups = 200, .kh = 3,
	  .kw = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1 },
	{ .in_h = 14, .in_w = 40, .in_c = 65, .out_c = 65, .groups = 65, .kh = 5, .kw = 5,
	  .pad_top = 2, .pad_left = 2 },
	{ .in_h = 14, .in_w = 40, .in_c = 20, .out_c = 20, .groups = 20, .kh = 7, .kw = 7,
	  .pad_top = 3, .pad_left = 3, .dilation_h = 2, .dilation_w = 3 },
	{ .in_h = 20, .in_w = 20, .in_c = 9, .out_c = 9, .groups = 9, .kh = 9, .kw = 11,
	  .stride_h = 3, .stride_w = 5, .pad_top = 4, .pad_left = 5 },
	{ .in_h = 1, .in_w = 2100, .in_c = 3, .out_c = 3, .groups = 3, .kh = 1, .kw = 4,
	  .stride_w = 6 },
	/* windows as large as the image, and larger */
	{ .in_h = 8, .in_w = 8, .in_c = 33, .out_c = 10, .kh = 8, .kw = 8 },
	{ .in_h = 2, .in_w = 3, .in_c = 4, .out_c = 5, .kh = 7, .kw = 9, .pad_top = 4,
	  .pad_left = 5, .out_h = 2, .out_w = 3 },
	/* taps so far apart that most are padding */
	{ .in_h = 9, .in_w = 9, .in_c = 4, .out_c = 5, .kh = 3, .kw = 3, .pad_top = 30,
	  .pad_left = 40, .dilation_h = 30, .dilation_w = 40 },
};

static void convolution_equals_the_reference_wherever_operands_lie(void **state)
{
	unsigned int c, i;
	struct conv_rig r;

	for (c = 0; c < CONFIGS; c++) {
		if (!open_config(&r, c))
			continue;
		for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
			struct ref_images s = shapes[i];

			s.pad_value = (int8_t)(i * 17 - 90);
			check_conv(&r, s, types[(c + i) % 3], i % 2 * 7);
		}
		conv_rig_close(&r);
	}
}

static void pooling_equals_the_reference_wherever_operands_lie(void **state)
{
	unsigned int c, i;
	struct conv_rig r;

	for (c = 0; c < CONFIGS; c++) {
		if (!open_config(&r, c))
			continue;
		for (i = 0; i < 40; i++)
			check_pool(&r, random_images(&r.rnd, i % 3 + 1, i % 4, 1, 2), i % 3);
		check_pool(&r, (struct ref_images){ .in_h = 30, .in_w = 31, .in_c = 300, .kh = 3, .kw = 3,
						    .stride_h = 2, .stride_w = 2, .pad_top = 1,
						    .pad_left = 1, .pad_value = -77 }, 1);
		/* global; and of more than a byte's worth of taps */
		check_pool(&r, (struct ref_images){ .batch = 3, .in_h = 7, .in_w = 7, .in_c = 513,
						    .kh = 7, .kw = 7 }, 0);
		check_pool(&r, (struct ref_images){ .in_h = 300, .in_w = 70, .in_c = 70, .kh = 300,
						    .kw = 70 }, 2);
		check_pool(&r, (struct ref_images){ .in_h = 2, .in_w = 5000, .in_c = 3, .kh = 2,
						    .kw = 3, .stride_w = 2, .pad_left = 2 }, 0);
		conv_rig_close(&r);
	}
}

static void longest_window_of_extremes_is_exact(void **state)
{
	static const int8_t pairs[][2] = { { -128, -128 }, { -128, 127 }, { 127, -128 } };
	struct ref_images s = conv_images((struct ref_images){
		.in_h = 16, .in_w = 16, .in_c = 256, .out_c = 3, .kh = 16, .kw = 16,
	});
	struct conv_case c;
	struct conv_rig r;
	unsigned int i, k;

	for (k = 0; k < CONFIGS; k++) {
		if (!open_config(&r, k))
			continue;
		for (i = 0; i < 3; i++) {
			c = conv_make(&r, &s, QUILL_TYPE_S32, 0);
			c.cmd[1].conv2d_ext.bias = 0;
			memset(c.src->ptr, pairs[i][0], c.src->size);
			memset(c.weight->ptr, (uint8_t)(pairs[i][1] + 128), c.weight->size);
			run_ok(&r, &c);
			assert_int_equal(((int32_t *)c.dst->ptr)[2], 65536 * pairs[i][0] * pairs[i][1]);
			conv_free(&c);
		}
		conv_rig_close(&r);
	}
}

/* 128 * 65536 in float32, and quotients beside ties. */
static void means_of_most_taps_round_once(void **state)
{
	struct ref_images s = conv_images((struct ref_images){
		.in_h = 256, .in_w = 256, .in_c = 1, .out_c = 1, .kh = 256, .kw = 256,
	});
	struct conv_case c;
	struct conv_rig r;
	unsigned int k, i;
	int value, down;

	for (k = 0; k < CONFIGS; k++) {
		if (!open_config(&r, k))
			continue;
		for (i = 0; i < 12; i++) {
			static const int values[] = { -128, 126, 127 };
			int8_t *p;

			/* half of the taps one more, one less of them, one more */
			value = values[i / 4];
			down = (int)(i % 4) - 1;
			c = pool_make(&r, &s, QUILL_TYPE_S8, QUILL_POOL_MEAN, 0, false);
			p = (int8_t *)c.src->ptr;
			memset(p, value, 65536);
			memset(p, value + (value < 127), (size_t)(32768 + (down == 2 ? 0 : down)));
			run_ok(&r, &c);
			assert_int_equal((int8_t)c.dst->ptr[0],
					 value + (value < 127 &&
						  (down == 1 || (down != -1 && value % 2))));
			conv_free(&c);
		}
		conv_rig_close(&r);
	}
}

/* n roundings of a sum that never is above the sum of magnitudes, and one of the quotient. */
static void means_of_floats_are_as_near_as_their_number_permits(void **state)
{
	const struct ref_images sizes[] = {
		conv_images((struct ref_images){ .in_h = 40, .in_w = 50, .in_c = 64, .kh = 3, .kw = 3 }),
		conv_images((struct ref_images){ .in_h = 40, .in_w = 50, .in_c = 64, .kh = 40, .kw = 50 }),
	};
	struct conv_case c;
	struct conv_rig r;
	unsigned int i, k, e, t;

	conv_rig_open(&r, &configs[0]);
	for (i = 0; i < 2; i++) {
		uint32_t taps = sizes[i].kh * sizes[i].kw, windows = sizes[i].out_h * sizes[i].out_w;
		double worst = 0;

		c = pool_make(&r, &sizes[i], QUILL_TYPE_F32, QUILL_POOL_MEAN, 0, false);
		run_ok(&r, &c);
		for (k = 0; k < windows; k++) {
			for (e = 0; e < 64; e++) {
				double mean = 0, magnitude = 0;

				for (t = 0; t < taps; t++) {
					size_t line = k / sizes[i].out_w + t / sizes[i].kw;
					size_t at = k % sizes[i].out_w + t % sizes[i].kw;
					float x = ((float *)c.src->ptr)[(line * 50 + at) * 64 + e];

					mean += (double)x / taps;
					magnitude += fabs((double)x) / taps;
				}
				mean = fabs(((float *)c.dst->ptr)[k * 64 + e] - mean);
				worst = fmax(worst, mean / magnitude / 0x1p-24);
			}
		}
		printf("mean of %u: largest error %.2f u of the magnitudes' mean, the bound is %u u\n", taps,
		       worst, taps);
		assert_true(worst <= taps);
		conv_free(&c);
	}
	conv_rig_close(&r);
}

/* ---- Slices ---- */

/* Two convolutions write halves of one tensor's channels, which a third reads as a whole. */
static void results_may_be_slices_of_a_tensor(void **state)
{
	struct ref_images s = conv_images((struct ref_images){
		.in_h = 6, .in_w = 5, .in_c = 8, .out_c = 10, .kh = 1, .kw = 1,
	});
	struct conv_case a, b;
	struct conv_rig r;
	unsigned int i;

	conv_rig_open(&r, &configs[1]);
	a = conv_make(&r, &s, QUILL_TYPE_S8, 10);
	b = conv_make(&r, &s, QUILL_TYPE_S8, 10);
	b.cmd->conv2d.dst = a.dst->va + 10;
	run_ok(&r, &a);
	for (i = 0; i < 30; i++) {
		assert_memory_equal(a.dst->ptr + i * 20, a.want + i * 20, 10);
		assert_memory_equal(a.dst->ptr + i * 20 + 10, b.want + i * 20, 10);
	}
	conv_free(&a);
	conv_free(&b);
	conv_rig_close(&r);
}

/* ---- Faults ---- */

static void expect_fault(struct conv_rig *r, const struct conv_case *c, uint32_t fault,
			 uint32_t access, uint64_t addr)
{
	struct quill_job_cpl cpl = conv_rig_run(r);

	if (cpl.status != fault || cpl.access != access || cpl.address != addr || cpl.command != 0)
		fail_msg("%s: fault %u access %u command %u at %#llx; expected %u, %u at %#llx", c->what,
			 cpl.status, cpl.access, cpl.command, (unsigned long long)cpl.address, fault,
			 access, (unsigned long long)addr);
}

/* What of the result was written is undefined, but its gaps were not. */
static void expect_gaps_untouched(const struct conv_case *c)
{
	size_t pixel = c->images.dst_stride * c->element, row = c->images.out_c * c->element, at;
	size_t end = (size_t)c->images.batch * c->images.out_h * c->images.out_w * pixel;

	for (at = 0; at < c->dst->size; at++)
		if ((at >= end || at % pixel >= row) && c->dst->ptr[at] != c->want[at])
			fail_msg("%s: byte %zu, a gap, was written", c->what, at);
}

static void fault_without(struct conv_rig *r, struct conv_case *c, const struct qh_buf *operand,
			  bool last)
{
	uint64_t end = operand->va + operand->size - (operand == c->dst ? 64 : 0) - 1;
	uint64_t page = last ? end & ~(PAGE - 1) : operand->va;
	bool write = operand == c->dst;

	*qh_pte(r->h, r->as, page) = 0;
	qh_invalidate(r->h, r->as);
	expect_fault(r, c, QUILL_FAULT_UNMAPPED, write ? QUILL_ACCESS_WRITE : QUILL_ACCESS_READ, page);
	expect_gaps_untouched(c);
	conv_free(c);
}

static void every_operand_faults_at_its_first_bad_byte(void **state)
{
	/* small enough for a tile to have all, and for a page to have a pixel's end */
	const struct ref_images s[] = {
		conv_images((struct ref_images){ .in_h = 20, .in_w = 20, .in_c = 16, .out_c = 64,
						 .kh = 3, .kw = 3, .pad_top = 1, .pad_left = 1 }),
		conv_images((struct ref_images){ .in_h = 20, .in_w = 20, .in_c = 64, .out_c = 64,
						 .groups = 64, .kh = 3, .kw = 3 }),
	};
	struct conv_case c;
	struct conv_rig r;
	unsigned int k, i, last;

	for (k = 0; k < 4; k++) {
		conv_rig_open(&r, &configs[k]);
		for (i = 0; i < 2; i++) {
			for (last = 0; last < 2; last++) {
				c = conv_make(&r, &s[i], QUILL_TYPE_S8, 0);
				fault_without(&r, &c, c.src, last);
				c = conv_make(&r, &s[i], QUILL_TYPE_S8, 0);
				fault_without(&r, &c, c.weight, last);
				c = conv_make(&r, &s[i], QUILL_TYPE_S32, 0);
				fault_without(&r, &c, c.dst, last);
				c = pool_make(&r, &s[i], QUILL_TYPE_S8, QUILL_POOL_MAX, 0, false);
				fault_without(&r, &c, c.src, last);
				c = pool_make(&r, &s[i], QUILL_TYPE_S8, QUILL_POOL_MAX, 0, false);
				fault_without(&r, &c, c.dst, last);
			}
			c = conv_make(&r, &s[i], QUILL_TYPE_F32, 0);
			fault_without(&r, &c, c.bias, false);
			c = conv_make(&r, &s[i], QUILL_TYPE_F32, 0);
			fault_without(&r, &c, c.scale, false);
			c = conv_make(&r, &s[i], QUILL_TYPE_S8, 0);
			conv_add_residual(&r, &c, 0, false);
			fault_without(&r, &c, c.residual, false);
			c = conv_make(&r, &s[i], QUILL_TYPE_S8, 0);
			conv_add_residual(&r, &c, 0, false);
			fault_without(&r, &c, c.mult, false);
		}
		conv_rig_close(&r);
	}
}

static void bad_requant_entry_faults_at_its_address(void **state)
{
	const struct ref_images s = conv_images((struct ref_images){
		.in_h = 30, .in_w = 30, .in_c = 40, .out_c = 700, .kh = 3, .kw = 3, .pad_top = 1,
		.pad_left = 1,
	});
	static const struct quill_requant bad[] = { { -1, 0 }, { 1, -1 }, { 1, 63 } };
	struct conv_case c;
	struct conv_rig r;
	unsigned int k, i;

	for (k = 0; k < 4; k++) {
		conv_rig_open(&r, &configs[k]);
		for (i = 0; i < 3; i++) {
			c = conv_make(&r, &s, QUILL_TYPE_S8, 3);
			((struct quill_requant *)c.scale->ptr)[333] = bad[i];
			((struct quill_requant *)c.scale->ptr)[699] = bad[i];
			expect_fault(&r, &c, QUILL_FAULT_PARAM, QUILL_ACCESS_READ,
				     c.scale->va + 333 * 8);
			expect_gaps_untouched(&c);
			conv_free(&c);
		}
		conv_rig_close(&r);
	}
}

/* ---- Rules ---- */

#define CONV(field, to, what)	\
	{ QUILL_OP_CONV2D, 0, offsetof(struct quill_cmd_conv2d, field), \
	  sizeof(((union quill_cmd *)0)->conv2d.field), to, QUILL_FAULT_##what }
#define EXT(field, to, what)	\
	{ QUILL_OP_CONV2D, 1, offsetof(struct quill_ext_conv2d, field), \
	  sizeof(((union quill_cmd *)0)->conv2d_ext.field), to, QUILL_FAULT_##what }
#define RESIDUAL(field, to, what)	\
	{ QUILL_OP_CONV2D, 2, offsetof(struct quill_ext_conv2d_residual, field), \
	  sizeof(((union quill_cmd *)0)->conv2d_residual.field), to, QUILL_FAULT_##what }
#define POOL(field, to, what)	\
	{ QUILL_OP_POOL, 0, offsetof(struct quill_cmd_pool, field), \
	  sizeof(((union quill_cmd *)0)->pool.field), to, QUILL_FAULT_##what }

/* A field of a good command, what it becomes, and the fault that names it. */
static const struct rule {
	uint8_t opcode, record, offset, size;
	uint64_t value;
	uint32_t fault;
} rules[] = {
	CONV(hdr.flags, QUILL_CMD_CAUSAL, FLAGS), CONV(hdr.type_a, QUILL_TYPE_F32, TYPE),
	CONV(hdr.type_b, QUILL_TYPE_NONE, TYPE), CONV(hdr.type_d, QUILL_TYPE_BF16, TYPE),
	CONV(hdr.ext, 0, EXT), CONV(in_h, 0, SHAPE), CONV(in_w, 0, SHAPE),
	CONV(out_h, 0, SHAPE), CONV(out_w, 0, SHAPE), CONV(batch, 0, SHAPE),
	CONV(in_c, 0, SHAPE), CONV(in_c, 7, SHAPE),
	CONV(out_c, 0, SHAPE), CONV(out_c, 9, SHAPE), CONV(groups, 0, SHAPE),
	CONV(kh, 0, SHAPE), CONV(kw, 0, SHAPE), CONV(stride_h, 0, SHAPE),
	CONV(stride_w, 0, SHAPE), CONV(dilation_h, 0, SHAPE),
	CONV(dilation_w, 0, SHAPE), CONV(out_h, 12, SHAPE), CONV(out_w, 12, SHAPE),
	CONV(reserved, 1, RESERVED), CONV(src, 0, RANGE),
	CONV(src, (1ull << 48) - 100, RANGE), CONV(weight, 0x100020, ALIGN),
	CONV(weight, (1ull << 48) - 64, RANGE), CONV(dst, 0, RANGE),
	EXT(bias, 1, ALIGN), EXT(bias, 1ull << 48, RANGE), EXT(scale, 0, PARAM), EXT(scale, 4, ALIGN),
	EXT(scale, 1ull << 48, RANGE), EXT(src_stride, 7, STRIDE), EXT(dst_stride, 9, STRIDE),
	EXT(pad_top, 3, SHAPE), EXT(pad_left, 3, SHAPE), EXT(zero, 128, PARAM),
	EXT(lo, (uint32_t)-129, PARAM), EXT(hi, (uint32_t)-121, PARAM), EXT(reserved, 1, RESERVED),
	RESIDUAL(residual, 0, RANGE), RESIDUAL(mult, 2, ALIGN), RESIDUAL(mult, 0, RANGE),
	RESIDUAL(stride, 9, STRIDE), RESIDUAL(zero, 128, PARAM), RESIDUAL(hdr.opcode, 1, EXT),
	POOL(hdr.type_a, QUILL_TYPE_S32, TYPE), POOL(hdr.type_b, QUILL_TYPE_S8, TYPE),
	POOL(hdr.type_d, QUILL_TYPE_F32, TYPE), POOL(hdr.ext, 1, EXT), POOL(in_h, 0, SHAPE),
	POOL(out_w, 0, SHAPE), POOL(batch, 0, SHAPE), POOL(channels, 0, SHAPE), POOL(kh, 0, SHAPE),
	POOL(kw, 0, SHAPE), POOL(kh, 22000, SHAPE), POOL(stride_h, 0, SHAPE), POOL(pad_top, 3, SHAPE),
	POOL(pad_left, 3, SHAPE), POOL(out_h, 12, SHAPE), POOL(src, 0, RANGE),
	POOL(dst, 1ull << 48, RANGE), POOL(src_stride, 7, STRIDE), POOL(dst_stride, 7, STRIDE),
	POOL(op, QUILL_POOL_COUNT, PARAM), POOL(pad_value, 1, PARAM),
};

static void every_rule_is_kept_by_the_firmware(void **state)
{
	const struct ref_images s = conv_images((struct ref_images){
		.in_h = 9, .in_w = 9, .in_c = 8, .out_c = 10, .groups = 2, .kh = 3, .kw = 3,
		.pad_top = 1, .pad_left = 1,
	});
	struct quill_job_cpl cpl;
	struct conv_case c;
	struct conv_rig r;
	unsigned int i;

	conv_rig_open(&r, &configs[1]);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *rule = &rules[i];
		uint32_t at = rule->record * QUILL_CMD_SIZE + rule->offset;

		c = rule->opcode == QUILL_OP_POOL ?
		    pool_make(&r, &s, QUILL_TYPE_S8, QUILL_POOL_MEAN, 0, false) :
		    conv_make(&r, &s, QUILL_TYPE_S8, 0);
		if (rule->record == 2)
			conv_add_residual(&r, &c, 0, false);
		memcpy((uint8_t *)c.cmd + at, &rule->value, rule->size);
		cpl = conv_rig_run(&r);
		if (cpl.status != rule->fault || cpl.address != at || cpl.engine != QUILL_ENGINE_FW)
			fail_msg("rule %u: fault %u at %#llx, engine %u; expected %u at %#x", i,
				 cpl.status, (unsigned long long)cpl.address, cpl.engine,
				 rule->fault, at);
		conv_free(&c);
	}
	conv_rig_close(&r);
}

/* ---- Time ---- */

static void run_once(const struct quill_host_config *config,
		     uint64_t counters[QUILL_COUNTER_COUNT])
{
	struct quill_job_cpl cpl;
	struct conv_case c;
	struct conv_rig r;
	unsigned int i;

	conv_rig_open(&r, config);
	for (i = 0; i < 6; i++) {
		struct ref_images s = conv_images(shapes[i]);

		c = conv_make(&r, &s, types[i % 3], i);
		conv_free(&c);
		c = pool_make(&r, &s, types[i % 2 * 2], i % 3, i, false);
		conv_free(&c);
	}
	cpl = conv_rig_run(&r);
	assert_int_equal(cpl.status, 0);
	memcpy(counters, cpl.counters, sizeof(cpl.counters));
	conv_rig_close(&r);
}

static void device_time_and_counters_are_those_of_the_commands(void **state)
{
	uint64_t want[QUILL_COUNTER_COUNT], got[QUILL_COUNTER_COUNT];
	unsigned int i;

	run_once(&configs[0], want);
	assert_int_equal(want[QUILL_COUNTER_COMMANDS], 12);
	assert_true(want[QUILL_COUNTER_BUSY_TENSOR] > 0);
	assert_true(want[QUILL_COUNTER_BUSY_TENSOR + QUILL_ENGINE_VECTOR] > 0);
	for (i = 1; i < 4; i++) {
		run_once(&configs[i], got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stride_padding_dilation_and_grouping),
		cmocka_unit_test(convolution_equals_the_reference_wherever_operands_lie),
		cmocka_unit_test(pooling_equals_the_reference_wherever_operands_lie),
		cmocka_unit_test(longest_window_of_extremes_is_exact),
		cmocka_unit_test(means_of_most_taps_round_once),
		cmocka_unit_test(means_of_floats_are_as_near_as_their_number_permits),
		cmocka_unit_test(results_may_be_slices_of_a_tensor),
		cmocka_unit_test(every_operand_faults_at_its_first_bad_byte),
		cmocka_unit_test(bad_requant_entry_faults_at_its_address),
		cmocka_unit_test(every_rule_is_kept_by_the_firmware),
		cmocka_unit_test(device_time_and_counters_are_those_of_the_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
