// SPDX-License-Identifier: MIT
/*
 * What libaccel computes on the processor: packing and quantising, against their definitions.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accel.h"
#include "quill/isa.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static uint32_t next_random(void)
{
	static uint32_t seed = 12345;

	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

/* ---- Packing ---- */

/*
 * Pack a random n x k matrix of either order with some room between rows; every byte must be where
 * isa.h says.
 */
static void check_pack(uint32_t n, uint32_t k, uint32_t room, enum accel_order order)
{
	size_t ld = (order == ACCEL_ORDER_NK ? k : n) + room;
	size_t i, size = accel_packed_size(n, k), rows = order == ACCEL_ORDER_NK ? n : k;
	int8_t *src = malloc(rows * ld);
	uint8_t *dst = malloc(size + 1), *want = malloc(size);
	uint32_t x, y;

	for (i = 0; i < rows * ld; i++)
		src[i] = (int8_t)next_random();
	memset(dst, 0x55, size + 1);
	memset(want, 0x80, size);
	for (x = 0; x < n; x++)
		for (y = 0; y < k; y++)
			want[quill_packed_offset(x, y, k)] = (uint8_t)
				(src[order == ACCEL_ORDER_NK ? x * ld + y : y * ld + x] + 128);

	assert_int_equal(accel_pack_s8(dst, src, n, k, room ? ld : 0, order), 0);
	assert_memory_equal(dst, want, size);
	assert_int_equal(dst[size], 0x55);
	free(src);
	free(dst);
	free(want);
}

static void packing_puts_every_element_where_isa_says(void **state)
{
	static const uint32_t ns[] = { 1, 5, 63, 64, 65, 200 }, ks[] = { 1, 3, 4, 5, 64, 301 };
	uint32_t i, j, room;

	for (i = 0; i < COUNT(ns); i++)
		for (j = 0; j < COUNT(ks); j++)
			for (room = 0; room < 6; room += 5) {
				check_pack(ns[i], ks[j], room, ACCEL_ORDER_NK);
				check_pack(ns[i], ks[j], room, ACCEL_ORDER_KN);
			}
}

static void packed_size_is_that_of_whole_panels(void **state)
{
	assert_int_equal(accel_packed_size(1, 1), 256);
	assert_int_equal(accel_packed_size(64, 4), 256);
	assert_int_equal(accel_packed_size(65, 5), 1024);
	assert_int_equal(accel_packed_size(1u << 24, 65536), 1ull << 40);
	assert_int_equal(accel_packed_size(0, 4), 0);
	assert_int_equal(accel_packed_size(4, 0), 0);
	assert_int_equal(accel_packed_size((1u << 24) + 1, 4), 0);
	assert_int_equal(accel_packed_size(4, 65537), 0);
}

static void packing_refuses_bad_shapes(void **state)
{
	int8_t src[64] = { 0 };
	uint8_t dst[512];

	assert_int_equal(accel_pack_s8(dst, src, 0, 4, 0, ACCEL_ORDER_NK), -EINVAL);
	assert_int_equal(accel_pack_s8(dst, src, 4, 65537, 0, ACCEL_ORDER_NK), -EINVAL);
	assert_int_equal(accel_pack_s8(dst, src, 4, 8, 7, ACCEL_ORDER_NK), -EINVAL);
	assert_int_equal(accel_pack_s8(dst, src, 8, 4, 7, ACCEL_ORDER_KN), -EINVAL);
	assert_int_equal(accel_pack_s8(dst, src, 4, 4, 0, (enum accel_order)2), -EINVAL);
	assert_int_equal(accel_pack_s8(dst, src, 4, 8, 8, ACCEL_ORDER_NK), 0);
}

/* What stands at an element of packed B of any type, by the layout's words in isa_weights.h. */
static uint32_t packed_element(const uint8_t *packed, enum accel_type type, uint32_t n, uint32_t k,
			       uint32_t kk)
{
	uint32_t values = type == ACCEL_S4 ? 8 : type == ACCEL_BF16 ? 2 : 4, in = k % values;
	const uint8_t *cell = packed + ((size_t)n / 64 * ((kk + values - 1) / values) + k / values) * 256 +
			      n % 64 * 4;

	if (type == ACCEL_S4)
		return (uint32_t)((in < 4 ? cell[in] & 15 : cell[in - 4] >> 4) - 8) & 0xff;
	if (type == ACCEL_BF16)
		return cell[2 * in] | (uint32_t)cell[2 * in + 1] << 8;
	return type == ACCEL_S8 ? cell[in] ^ 0x80u : cell[in];
}

static void check_pack_of(enum accel_type type, uint32_t n, uint32_t k, enum accel_order order)
{
	size_t bytes = type == ACCEL_BF16 ? 2 : 1, size = accel_packed_size_of(type, n, k), i;
	uint8_t *src = malloc(n * k * bytes), *dst = malloc(size + 1);
	uint32_t x, y, want;

	for (i = 0; i < n * k * bytes; i++)
		src[i] = (uint8_t)(type == ACCEL_S4 ? next_random() % 16 - 8 : next_random());
	dst[size] = 0x55;
	assert_int_equal(accel_pack(dst, type, src, n, k, 0, order), 0);
	assert_int_equal(dst[size], 0x55);
	for (x = 0; x < (n + 63) / 64 * 64; x++)
		for (y = 0; y < k; y++) {
			want = 0;
			if (x < n)
				memcpy(&want, src + (order == ACCEL_ORDER_NK ? x * k + y : y * n + x) *
				       bytes, bytes);
			assert_int_equal(packed_element(dst, type, x, y, k), want);
		}
	free(src);
	free(dst);
}

static void packing_of_any_type_puts_every_element_where_isa_says(void **state)
{
	static const enum accel_type types[] = {
		ACCEL_S8, ACCEL_S4, ACCEL_BF16, ACCEL_E4M3, ACCEL_E5M2,
	};
	static const uint32_t ns[] = { 1, 63, 64, 65, 130 }, ks[] = { 1, 2, 7, 8, 64, 99 };
	uint32_t t, i, j;

	for (t = 0; t < COUNT(types); t++)
		for (i = 0; i < COUNT(ns); i++)
			for (j = 0; j < COUNT(ks); j++) {
				check_pack_of(types[t], ns[i], ks[j], ACCEL_ORDER_NK);
				check_pack_of(types[t], ns[i], ks[j], ACCEL_ORDER_KN);
			}
}

static void packing_of_any_type_refuses_what_it_must(void **state)
{
	int8_t src[64] = { 0 };
	uint8_t dst[512] = { 0x55 };

	assert_int_equal(accel_packed_size_of(ACCEL_BF16, 65, 5), 2 * 3 * 256);
	assert_int_equal(accel_packed_size_of(ACCEL_S4, 64, 9), 2 * 256);
	assert_int_equal(accel_packed_size_of(ACCEL_Q8_0, 64, 32), 0);
	assert_int_equal(accel_packed_size_of(ACCEL_F16, 64, 32), 0);
	assert_int_equal(accel_pack(dst, ACCEL_F32, src, 4, 4, 0, ACCEL_ORDER_NK), -EINVAL);
	assert_int_equal(accel_pack(dst, ACCEL_BF16, src, 4, 8, 7, ACCEL_ORDER_NK), -EINVAL);
	assert_int_equal(accel_pack(dst, ACCEL_BF16, src, 4, 4, 0, (enum accel_order)2), -EINVAL);
	src[63] = 8;
	assert_int_equal(accel_pack(dst, ACCEL_S4, src, 8, 8, 0, ACCEL_ORDER_NK), -EDOM);
	src[63] = -9;
	assert_int_equal(accel_pack(dst, ACCEL_S4, src, 8, 8, 0, ACCEL_ORDER_KN), -EDOM);
	assert_int_equal(dst[0], 0x55);
}

/* ---- Quantising ---- */

static void ties_go_to_the_even_neighbour(void **state)
{
	/* scale is exactly 1 */
	static const float x[] = { 127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 125.5f, 126.5f };
	static const int8_t want[] = { 127, 0, 2, 2, 0, -2, -2, 126, 126 };
	int8_t q[COUNT(x)];
	float scale;

	assert_int_equal(accel_quantise_rows_s8(x, 1, COUNT(x), 0, q, 0, &scale), 0);
	assert_true(scale == 1.0f);
	assert_memory_equal(q, want, sizeof(want));
}

static void quantised_rows_follow_the_definition(void **state)
{
	enum { M = 50, K = 37, LD = 40, LDD = 39 };
	float x[M * LD], scale[M], max, r;
	int8_t q[M * LDD];
	int i, j;

	for (i = 0; i < M * LD; i++)
		x[i] = ldexpf((float)(int32_t)(next_random() << 8), (int)(i / LD) * 4 - 140);
	memset(q, 99, sizeof(q));
	assert_int_equal(accel_quantise_rows_s8(x, M, K, LD, q, LDD, scale), 0);

	for (i = 0; i < M; i++) {
		for (max = 0, j = 0; j < K; j++)
			max = fmaxf(max, fabsf(x[i * LD + j]));
		r = max < 127 * FLT_MIN ? 0 : max / 127;
		assert_true(scale[i] == r);
		for (j = 0; j < K; j++)
			assert_int_equal(q[i * LDD + j],
					 r == 0 ? 0 : (int)rintf(x[i * LD + j] / r));
		/* what lies between the rows is not touched */
		assert_int_equal(q[i * LDD + K], 99);
	}
}

static void rows_of_zeros_and_of_dust_get_scale_zero(void **state)
{
	float x[] = { 0, -0.0f, 0, 126 * FLT_MIN, -FLT_MIN, 0, 127 * FLT_MIN, 0, -127 * FLT_MIN };
	static const int8_t want[] = { 0, 0, 0, 0, 0, 0, 127, 0, -127 };
	float scale[3];
	int8_t q[9];

	assert_int_equal(accel_quantise_rows_s8(x, 3, 3, 0, q, 0, scale), 0);
	assert_true(scale[0] == 0 && scale[1] == 0 && scale[2] == FLT_MIN);
	assert_memory_equal(q, want, sizeof(want));
}

static void the_largest_floats_do_not_overflow(void **state)
{
	float x[] = { FLT_MAX, -FLT_MAX, FLT_MAX / 2, 0 }, scale;
	static const int8_t want[] = { 127, -127, 64, 0 };
	int8_t q[4];

	assert_int_equal(accel_quantise_rows_s8(x, 1, 4, 0, q, 0, &scale), 0);
	assert_true(scale == FLT_MAX / 127);
	/* 63.5 is a tie, if the scale's rounding leaves it one: compare with the definition */
	assert_int_equal(q[2], (int)rintf(x[2] / scale));
	assert_int_equal(q[0], want[0]);
	assert_int_equal(q[1], want[1]);
	assert_int_equal(q[3], want[3]);
}

/* Whatever the largest magnitude is, it becomes 127, though its scale is rounded. */
static void the_largest_magnitude_is_always_127(void **state)
{
	float x[2], scale;
	int8_t q[2];
	uint32_t bits;
	int i;

	for (i = 0; i < 100000; i++) {
		bits = 0x3f800000 | (next_random() & 0x7fffff);
		memcpy(&x[0], &bits, sizeof(bits));
		x[1] = -x[0];
		assert_int_equal(accel_quantise_rows_s8(x, 1, 2, 0, q, 0, &scale), 0);
		assert_int_equal(q[0], 127);
		assert_int_equal(q[1], -127);
	}
}

static void nan_and_infinity_are_refused_before_anything_is_written(void **state)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY };
	float x[4] = { 1, 2, 3, 4 }, scale[2] = { 77, 77 };
	int8_t q[4] = { 55, 55, 55, 55 };
	static const int8_t untouched[4] = { 55, 55, 55, 55 };
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		x[3] = bad[i];
		assert_int_equal(accel_quantise_rows_s8(x, 2, 2, 0, q, 0, scale), -EDOM);
		assert_int_equal(accel_quantise_channels_s8(x, 2, 2, 0, ACCEL_ORDER_KN, q, scale),
				 -EDOM);
		assert_int_equal(accel_quantise_channels_s8(x, 2, 2, 0, ACCEL_ORDER_NK, q, scale),
				 -EDOM);
	}
	assert_memory_equal(q, untouched, sizeof(q));
	assert_true(scale[0] == 77 && scale[1] == 77);
}

static void quantising_refuses_bad_strides(void **state)
{
	float x[4] = { 0 }, scale[2];
	int8_t q[4];

	assert_int_equal(accel_quantise_rows_s8(x, 1, 0, 0, q, 0, scale), -EINVAL);
	assert_int_equal(accel_quantise_rows_s8(x, 2, 2, 1, q, 0, scale), -EINVAL);
	assert_int_equal(accel_quantise_rows_s8(x, 2, 2, 0, q, 1, scale), -EINVAL);
	assert_int_equal(accel_quantise_channels_s8(x, 2, 2, 1, ACCEL_ORDER_KN, q, scale), -EINVAL);
	assert_int_equal(accel_quantise_channels_s8(x, 2, 2, 0, (enum accel_order)7, q, scale),
			 -EINVAL);
	assert_int_equal(accel_quantise_rows_s8(x, 0, 2, 0, q, 0, scale), 0);
}

static void channels_are_the_same_in_either_order(void **state)
{
	enum { N = 13, K = 29, LD = 17 };
	float nk[N][K], kn[K][LD], scale_nk[N], scale_kn[N];
	int8_t q_nk[N][K], q_kn[K][N];
	int n, k;

	for (n = 0; n < N; n++)
		for (k = 0; k < K; k++)
			nk[n][k] = kn[k][n] = n == 4 ? 0 : (float)(int32_t)(next_random() << 8) * 1e-8f;
	assert_int_equal(accel_quantise_channels_s8(&nk[0][0], N, K, 0, ACCEL_ORDER_NK, &q_nk[0][0],
						    scale_nk), 0);
	assert_int_equal(accel_quantise_channels_s8(&kn[0][0], N, K, LD, ACCEL_ORDER_KN,
						    &q_kn[0][0], scale_kn), 0);
	assert_memory_equal(scale_nk, scale_kn, sizeof(scale_nk));
	assert_true(scale_nk[4] == 0);
	for (n = 0; n < N; n++)
		for (k = 0; k < K; k++)
			assert_int_equal(q_nk[n][k], q_kn[k][n]);
}

/* ---- Requantisation ---- */

static void requant_is_exact_for_what_it_can_hold(void **state)
{
	static const struct {
		double scale;
		int32_t mult, shift;
	} rows[] = {
		{ 0, 0, 0 },
		{ 1, 1 << 30, 30 },
		{ 0.5, 1 << 30, 31 },
		{ 2147483647.0, INT32_MAX, 0 },
		{ 0x1p-32, 1 << 30, 62 },
		{ 0x1p-62, 1, 62 },
		/* ties, to even */
		{ 0x1p-63, 0, 0 },
		{ 0x3p-63, 2, 62 },
		{ 0x5p-63, 2, 62 },
		/* mult would be 2^31: carries into the shift */
		{ 0.99999999999, 1 << 30, 30 },
		{ 1e-300, 0, 0 },
	};
	struct accel_requant r;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(accel_requant_from_scale(rows[i].scale, &r), 0);
		assert_int_equal(r.mult, rows[i].mult);
		assert_int_equal(r.shift, rows[i].shift);
	}
}

static void requant_error_is_at_most_half_a_unit_of_31_bits(void **state)
{
	struct accel_requant r;
	double scale;
	int i;

	for (i = 0; i < 10000; i++) {
		scale = ldexp(1 + next_random() / 16777216.0 + 1e-9, (int)(next_random() % 62) - 31);
		assert_int_equal(accel_requant_from_scale(scale, &r), 0);
		assert_in_range(r.mult, 1 << 30, INT32_MAX);
		assert_in_range(r.shift, 0, 62);
		assert_true(fabs(ldexp(r.mult, -r.shift) - scale) <= scale * 0x1p-31);
	}
}

static void requant_refuses_what_it_cannot_hold(void **state)
{
	struct accel_requant r = { 7, 7 };

	assert_int_equal(accel_requant_from_scale(NAN, &r), -EDOM);
	assert_int_equal(accel_requant_from_scale(INFINITY, &r), -EDOM);
	assert_int_equal(accel_requant_from_scale(-0x1p-10, &r), -EDOM);
	assert_int_equal(accel_requant_from_scale(0x1p31, &r), -ERANGE);
	assert_int_equal(accel_requant_from_scale(0x1p31 - 0.25, &r), -ERANGE);
	assert_int_equal(accel_requant_from_scale(0x1p1000, &r), -ERANGE);
	assert_int_equal(r.mult, 7);
	assert_int_equal(r.shift, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packing_puts_every_element_where_isa_says),
		cmocka_unit_test(packed_size_is_that_of_whole_panels),
		cmocka_unit_test(packing_refuses_bad_shapes),
		cmocka_unit_test(packing_of_any_type_puts_every_element_where_isa_says),
		cmocka_unit_test(packing_of_any_type_refuses_what_it_must),
		cmocka_unit_test(ties_go_to_the_even_neighbour),
		cmocka_unit_test(quantised_rows_follow_the_definition),
		cmocka_unit_test(rows_of_zeros_and_of_dust_get_scale_zero),
		cmocka_unit_test(the_largest_floats_do_not_overflow),
		cmocka_unit_test(the_largest_magnitude_is_always_127),
		cmocka_unit_test(nan_and_infinity_are_refused_before_anything_is_written),
		cmocka_unit_test(quantising_refuses_bad_strides),
		cmocka_unit_test(channels_are_the_same_in_either_order),
		cmocka_unit_test(requant_is_exact_for_what_it_can_hold),
		cmocka_unit_test(requant_error_is_at_most_half_a_unit_of_31_bits),
		cmocka_unit_test(requant_refuses_what_it_cannot_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
