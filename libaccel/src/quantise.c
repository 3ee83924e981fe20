// SPDX-License-Identifier: MIT
/*
 * From float to 8 bits and back to a scale: the arithmetic that accel.h defines, to the bit.
 *
 * All of it is binary32 arithmetic with one rounding an operation (build.mk: -ffp-contract=off).
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "internal.h"

/* Without a branch an element, so that the compiler makes vectors of it. */
bool accel_all_finite(const float *x, size_t n)
{
	uint32_t bits, bad = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(&bits, &x[i], sizeof(bits));
		bad |= (bits & 0x7f800000) == 0x7f800000;
	}
	return !bad;
}

static float accel_max_magnitude(const float *x, size_t n)
{
	float max = 0;
	size_t i;

	for (i = 0; i < n; i++)
		max = fabsf(x[i]) > max ? fabsf(x[i]) : max;
	return max;
}

/* Largest magnitude to scale; 0 where the quotients would lose their precision to denormals. */
static float accel_scale_of(float max)
{
	return max < 127 * FLT_MIN ? 0 : max / 127;
}

/*
 * round(x / scale), |x / scale| at most 128: adding 1.5 * 2^23 leaves no fraction bits to a float.
 */
static int8_t accel_quantise(float x, float scale)
{
	const float magic = 12582912.0f;
	float q = (x / scale + magic) - magic;

	/* x / scale can be 127 and a bit, since scale is rounded: that still rounds to 127 */
	return (int8_t)q;
}

static void accel_quantise_row(const float *src, size_t k, int8_t *dst, float scale)
{
	size_t i;

	if (scale == 0) {
		memset(dst, 0, k);
		return;
	}
	for (i = 0; i < k; i++)
		dst[i] = accel_quantise(src[i], scale);
}

int accel_quantise_rows_s8(const float *src, size_t m, size_t k, size_t ld, int8_t *dst,
			   size_t ldd, float *scale)
{
	size_t i;

	ld = ld ? ld : k;
	ldd = ldd ? ldd : k;
	if (!k || ld < k || ldd < k)
		return -EINVAL;
	for (i = 0; i < m; i++)
		if (!accel_all_finite(src + i * ld, k))
			return -EDOM;

	for (i = 0; i < m; i++) {
		scale[i] = accel_scale_of(accel_max_magnitude(src + i * ld, k));
		accel_quantise_row(src + i * ld, k, dst + i * ldd, scale[i]);
	}
	return 0;
}

/* Channels are columns: gather the largest magnitude of each while walking along the rows. */
static int accel_quantise_columns(const float *src, size_t n, size_t k, size_t ld, int8_t *dst,
				  float *scale)
{
	size_t i, j;

	for (i = 0; i < k; i++)
		if (!accel_all_finite(src + i * ld, n))
			return -EDOM;

	memset(scale, 0, n * sizeof(*scale));
	for (i = 0; i < k; i++)
		for (j = 0; j < n; j++)
			scale[j] = fmaxf(scale[j], fabsf(src[i * ld + j]));
	for (j = 0; j < n; j++)
		scale[j] = accel_scale_of(scale[j]);
	for (i = 0; i < k; i++)
		for (j = 0; j < n; j++)
			dst[i * n + j] = scale[j] == 0 ? 0 :
					 accel_quantise(src[i * ld + j], scale[j]);
	return 0;
}

int accel_quantise_channels_s8(const float *src, size_t n, size_t k, size_t ld,
			       enum accel_order order, int8_t *dst, float *scale)
{
	if (order == ACCEL_ORDER_NK)
		return accel_quantise_rows_s8(src, n, k, ld, dst, 0, scale);
	ld = ld ? ld : n;
	if (order != ACCEL_ORDER_KN || !k || ld < n)
		return -EINVAL;
	return accel_quantise_columns(src, n, k, ld, dst, scale);
}

int accel_requant_from_scale(double scale, struct accel_requant *out)
{
	double fraction, mult;
	int exponent, shift;

	if (!isfinite(scale) || scale < 0)
		return -EDOM;
	/* scale = fraction * 2^exponent, fraction in [1/2, 1): so mult is in [2^30, 2^31] */
	fraction = frexp(scale, &exponent);
	shift = 31 - exponent;
	shift = shift > 62 ? 62 : shift;
	if (shift < 0)
		return -ERANGE;
	mult = nearbyint(ldexp(fraction, exponent + shift));
	if (mult > INT32_MAX) {
		mult /= 2;
		shift--;
	}
	if (shift < 0)
		return -ERANGE;
	out->mult = (int32_t)mult;
	out->shift = mult == 0 ? 0 : shift;
	return 0;
}
