// SPDX-License-Identifier: MIT
/*
 * CONV2D and POOL by way of library, driver and firmware: runs in the VM, in TAP. Weights go through the library's packing, and
 * plain loops say what the result is.
 */
#include "fixture.h"

#define SIDE	9
#define TAPS	3
#define PIXELS	(SIDE * SIDE)

/* Operand @i: a page of the buffer. */
static void *at(struct fixture *f, unsigned int i)
{
	return (char *)f->buf.ptr + i * PAGE;
}

static uint64_t va(struct fixture *f, unsigned int i)
{
	return f->buf.va + i * PAGE;
}

static int8_t next_s8(void)
{
	static uint32_t seed = 5;

	seed = seed * 1664525u + 1013904223u;
	return (int8_t)(seed >> 24);
}

static void fill(int8_t *p, unsigned int n)
{
	while (n--)
		*p++ = next_s8();
}

/* The channels of the pixel under tap (i, j) of window (y, x), with padding of 1; NULL: padding. */
static const int8_t *tap(const int8_t *src, uint32_t channels, int y, int x, int i, int j)
{
	y += i - 1;
	x += j - 1;
	return y < 0 || y >= SIDE || x < 0 || x >= SIDE ? NULL : src + (y * SIDE + x) * (int)channels;
}

/* Weights are [out_c][in_c / groups][3][3]. */
static int32_t sum(const int8_t *src, const int8_t *w, const struct accel_conv_shape *s, int y, int x,
		   uint32_t o)
{
	uint32_t in = s->in_c / s->groups, first = o / (s->out_c / s->groups) * in, e;
	int32_t total = 0;
	int i, j;

	for (i = 0; i < TAPS; i++)
		for (j = 0; j < TAPS; j++)
			for (e = 0; e < in; e++) {
				const int8_t *p = tap(src, s->in_c, y, x, i, j);

				total += (p ? p[first + e] : -3) *
					 w[((o * in + e) * TAPS + (uint32_t)i) * TAPS + (uint32_t)j];
			}
	return total;
}

static struct accel_window window(void)
{
	return (struct accel_window){
		.in_h = SIDE, .in_w = SIDE, .kh = TAPS, .kw = TAPS, .pad_top = 1, .pad_left = 1,
		.pad_bottom = 1, .pad_right = 1, .pad_value = -3,
	};
}

static void check_conv(struct fixture *f, const struct accel_conv_shape *s)
{
	struct accel_conv2d conv = {
		.src = va(f, 0), .weight = va(f, 1), .dst = va(f, 4), .window = window(), .in_c = s->in_c,
		.out_c = s->out_c, .groups = s->groups, .type_d = ACCEL_S32,
	};
	int8_t w[4096], *src = at(f, 0);
	int32_t *dst = at(f, 4);
	uint32_t o;
	int y, x;

	fill(src, PIXELS * s->in_c);
	fill(w, s->out_c * (s->in_c / s->groups) * TAPS * TAPS);
	assert_in_range(accel_conv_packed_size(s), 1, 3 * PAGE);
	assert_int_equal(accel_pack_conv_s8(at(f, 1), w, s, ACCEL_CONV_OIHW), 0);
	accel_stream_reset(f->stream);
	ok(f, accel_cmd_conv2d(f->stream, &conv, NULL));
	run(f);
	for (y = 0; y < SIDE; y++)
		for (x = 0; x < SIDE; x++)
			for (o = 0; o < s->out_c; o++, dst++)
				if (*dst != sum(src, w, s, y, x, o))
					fail_msg("channel %u at %d, %d is %d; expected: %d", o, y, x, *dst,
						 sum(src, w, s, y, x, o));
}

static void convolution_is_the_sum_of_its_taps(void **state)
{
	const struct accel_conv_shape shapes[] = {
		{ .in_c = 5, .out_c = 70, .groups = 1, .kh = TAPS, .kw = TAPS },
		{ .in_c = 6, .out_c = 4, .groups = 2, .kh = TAPS, .kw = TAPS },
		{ .in_c = 37, .out_c = 37, .groups = 37, .kh = TAPS, .kw = TAPS },
	};
	unsigned int i;

	for (i = 0; i < 3; i++)
		check_conv(*state, &shapes[i]);
}

/* 1 by 1, weights of the unit matrix: half of input and residual, rounded once, ties to even. */
static void residual_is_added_before_the_rounding(void **state)
{
	const struct accel_conv_shape s = { .in_c = 4, .out_c = 4, .kh = 1, .kw = 1 };
	struct fixture *f = *state;
	struct accel_conv2d conv = {
		.src = va(f, 0), .weight = va(f, 1), .dst = va(f, 2), .in_c = 4, .out_c = 4,
		.type_d = ACCEL_S8, .scale = va(f, 3), .residual = va(f, 5), .residual_mult = va(f, 6),
		.window = { .in_h = SIDE, .in_w = SIDE, .kh = 1, .kw = 1 },
	};
	const int8_t unit[16] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1 };
	int8_t *src = at(f, 0), *dst = at(f, 2), *residual = at(f, 5);
	int i;

	fill(src, PIXELS * 4);
	fill(residual, PIXELS * 4);
	for (i = 0; i < 4; i++) {
		((struct accel_requant *)at(f, 3))[i] = (struct accel_requant){ 1 << 10, 11 };
		((int32_t *)at(f, 6))[i] = 1 << 10;
	}
	assert_int_equal(accel_pack_conv_s8(at(f, 1), unit, &s, ACCEL_CONV_HWIO), 0);
	ok(f, accel_cmd_conv2d(f->stream, &conv, NULL));
	run(f);
	for (i = 0; i < PIXELS * 4; i++) {
		int twice = src[i] + residual[i], half = twice >> 1;

		assert_int_equal(dst[i], half + (twice % 2 && half % 2));
	}
}

static void pooling_leaves_padding_out(void **state)
{
	struct fixture *f = *state;
	struct accel_pool pool = {
		.src = va(f, 0), .dst = va(f, 1), .window = window(), .channels = 3, .type = ACCEL_S8,
		.op = ACCEL_POOL_MAX,
	};
	int8_t *src = at(f, 0), *dst = at(f, 1);
	int y, x, c, i, j;

	pool.window.pad_value = 0;
	fill(src, PIXELS * 3);
	ok(f, accel_cmd_pool(f->stream, &pool, NULL));
	run(f);
	for (y = 0; y < SIDE; y++)
		for (x = 0; x < SIDE; x++)
			for (c = 0; c < 3; c++, dst++) {
				int most = -128;

				for (i = 0; i < TAPS; i++)
					for (j = 0; j < TAPS; j++) {
						const int8_t *p = tap(src, 3, y, x, i, j);

						if (p && p[c] > most)
							most = p[c];
					}
				assert_int_equal(*dst, most);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(convolution_is_the_sum_of_its_taps),
		TEST(residual_is_added_before_the_rounding),
		TEST(pooling_leaves_padding_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
