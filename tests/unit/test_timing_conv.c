// SPDX-License-Identifier: MIT
/* Device time of CONV2D and POOL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

#define AT 0x100000

static union quill_cmd cmd[2];

static struct cost cost_of(uint8_t opcode, uint8_t type_d)
{
	struct cost cost;

	cmd[0].hdr.opcode = opcode;
	cmd[0].hdr.type_a = type_d == QUILL_TYPE_F32 && opcode == QUILL_OP_POOL ? QUILL_TYPE_F32 :
										   QUILL_TYPE_S8;
	cmd[0].hdr.type_d = type_d;
	timing_cost(profile_get("quill-1"), cmd, &cost);
	return cost;
}

/* Of a square image of @side, with padding that keeps its size at stride 1. */
static struct cost conv(uint32_t side, uint32_t in_c, uint32_t out_c, uint32_t groups, uint32_t taps,
			uint32_t stride)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].conv2d = (struct quill_cmd_conv2d){
		.src = AT, .weight = AT, .dst = AT, .batch = 1, .in_h = side, .in_w = side,
		.out_h = side / stride, .out_w = side / stride, .in_c = in_c, .out_c = out_c,
		.groups = groups, .kh = taps, .kw = taps, .stride_h = stride, .stride_w = stride,
		.dilation_h = 1, .dilation_w = 1,
	};
	cmd[1].conv2d_ext.scale = AT;
	cmd[1].conv2d_ext.src_stride = in_c;
	cmd[1].conv2d_ext.dst_stride = out_c;
	return cost_of(QUILL_OP_CONV2D, QUILL_TYPE_S8);
}

static struct cost gemm(uint32_t m, uint32_t n, uint32_t k)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].gemm.m = m;
	cmd[0].gemm.n = n;
	cmd[0].gemm.k = k;
	cmd[0].gemm.a = cmd[0].gemm.b = cmd[0].gemm.d = AT;
	cmd[1].gemm_ext.scale = AT;
	return cost_of(QUILL_OP_GEMM, QUILL_TYPE_S8);
}

static void a_convolution_of_one_tap_takes_what_its_product_takes(void **state)
{
	struct cost a = conv(56, 128, 256, 1, 1, 1), b = gemm(56 * 56, 256, 128);

	assert_int_equal(a.macs, b.macs);
	assert_int_equal(a.compute, b.compute);
	assert_int_equal(a.cycles, b.cycles);
	assert_int_equal(a.read, b.read);
	assert_int_equal(a.written, b.written);
}

static void more_taps_are_a_longer_product_of_the_same_input(void **state)
{
	struct cost a = conv(56, 128, 256, 1, 3, 1), b = gemm(56 * 56, 256, 9 * 128);

	assert_int_equal(a.macs, b.macs);
	assert_int_equal(a.compute, b.compute);
	/* input, weights, requantisation: each once */
	assert_int_equal(a.read, 56 * 56 * 128 + 256 * 9 * 128 + 256 * 8);
}

/* 9 rows by one column each: 14 channels' taps stand on a square's diagonal. */
static void depthwise_shares_squares(void **state)
{
	struct cost c = conv(112, 112, 112, 112, 3, 1);

	assert_int_equal(c.macs, 112ull * 112 * 112 * 9);
	assert_int_equal(c.compute, 112 * 112 + 3 * 128);
	assert_int_equal(conv(112, 113, 113, 113, 3, 1).compute, 2 * 112 * 112 + 3 * 128);
	/* groups too large to share: a square each */
	assert_int_equal(conv(112, 640, 640, 8, 1, 1).compute, 112 * 112 + 3 * 128);
}

static void pool_takes_an_operation_a_tap(void **state)
{
	struct cost c;

	memset(cmd, 0, sizeof(cmd));
	cmd[0].pool = (struct quill_cmd_pool){
		.src = QUILL_VA_SRAM, .dst = QUILL_VA_SRAM, .src_stride = 64, .dst_stride = 64, .batch = 1,
		.in_h = 112, .in_w = 112, .out_h = 56, .out_w = 56, .channels = 64, .kh = 3, .kw = 3,
		.stride_h = 2, .stride_w = 2,
	};
	c = cost_of(QUILL_OP_POOL, QUILL_TYPE_S8);
	assert_int_equal(c.cycles, 56 * 56 * 64 * 9 / 1024);
	assert_int_equal(c.sram_read, 112 * 112 * 64);
	cmd[0].pool.op = QUILL_POOL_MEAN;
	c = cost_of(QUILL_OP_POOL, QUILL_TYPE_F32);
	assert_int_equal(c.cycles, 56 * 56 * 64 * 10 / 1024);
	assert_int_equal(c.sram_written, 56 * 56 * 64 * 4);
	/* a slice of a wider tensor costs a burst a pixel */
	cmd[0].pool.src = cmd[0].pool.dst = AT;
	cmd[0].pool.channels = 8;
	c = cost_of(QUILL_OP_POOL, QUILL_TYPE_S8);
	assert_int_equal(c.read, 112 * 112 * 64);
}

static void largest_commands_do_not_overflow(void **state)
{
	struct cost c;

	memset(cmd, 0xff, sizeof(cmd));
	cmd[0].conv2d.batch = cmd[0].pool.batch = 256;
	cmd[0].conv2d.in_h = cmd[0].conv2d.in_w = cmd[0].conv2d.out_h = cmd[0].conv2d.out_w = 256;
	cmd[0].conv2d.groups = cmd[0].conv2d.kh = cmd[0].conv2d.kw = 1;
	cmd[0].conv2d.src = cmd[0].conv2d.dst = cmd[0].conv2d.weight = AT;
	c = cost_of(QUILL_OP_CONV2D, QUILL_TYPE_F32);
	assert_true(c.macs == (1ull << 24) * 65535 * 65535);
	assert_true(c.cycles > c.macs / (8 * 128 * 128) && c.cycles < c.macs);
	cmd[0].pool.in_h = cmd[0].pool.in_w = cmd[0].pool.out_h = cmd[0].pool.out_w = 256;
	cmd[0].pool.kh = cmd[0].pool.kw = 256;
	cmd[0].pool.op = QUILL_POOL_MEAN;
	cmd[0].pool.channels = 65535;
	c = cost_of(QUILL_OP_POOL, QUILL_TYPE_F32);
	assert_true(c.cycles >= (1ull << 24) * 64 * 65537);
	assert_true(c.cycles < (1ull << 24) * 65 * 65537);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_convolution_of_one_tap_takes_what_its_product_takes),
		cmocka_unit_test(more_taps_are_a_longer_product_of_the_same_input),
		cmocka_unit_test(depthwise_shares_squares),
		cmocka_unit_test(pool_takes_an_operation_a_tap),
		cmocka_unit_test(largest_commands_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
