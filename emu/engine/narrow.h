/* SPDX-License-Identifier: MIT */
/*
 * Between float32 and the narrower floats, one value at a time, without branches: loops over these become vectors.
 *
 * A value of a narrower format becomes a float32 by putting its exponent and fraction where a
 * float32 has its own, which is off by a power of two, denormals included; a multiplication mends it,
 * exactly. The other way, a number that will be normal is rounded as an integer; one that will not
 * is rounded by adding a number whose last place is the format's least.
 */
#ifndef QUILL_NARROW_H
#define QUILL_NARROW_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline uint32_t bits_of_float(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* How a format differs from float32. */
struct narrow {
	/* bits of the fraction, and the exponent's bias */
	uint32_t fraction, bias;
	/* the largest finite magnitude, what a larger one becomes, infinity (if there is one) and NaN */
	uint32_t most, over, infinity, nan;
	uint32_t sign;
};

/* E4M3 has no infinity: what is too large is NaN. */
#define NARROW_F16	((struct narrow){ 10, 15, 0x7bff, 0x7c00, 0x7c00, 0x7e00, 0x8000 })
#define NARROW_BF16	((struct narrow){ 7, 127, 0x7f7f, 0x7f80, 0x7f80, 0x7fc0, 0x8000 })
#define NARROW_E4M3	((struct narrow){ 3, 7, 0x7e, 0x7f, 0xffff, 0x7f, 0x80 })
#define NARROW_E5M2	((struct narrow){ 2, 15, 0x7b, 0x7c, 0x7c, 0x7e, 0x80 })

/* Exactly; every NaN as the one NaN. */
static inline float widen(uint32_t x, const struct narrow f)
{
	uint32_t magnitude = x & (f.sign - 1);
	uint32_t sign = (x & f.sign) * (0x80000000 / f.sign);
	uint32_t bits = bits_of_float(float_of_bits(magnitude << (23 - f.fraction)) *
				      float_of_bits((254 - f.bias) << 23));

	bits = (magnitude == f.infinity ? 0x7f800000 : bits) | sign;
	bits = magnitude > f.most && magnitude != f.infinity ? 0x7fc00000 : bits;
	return float_of_bits(bits);
}

/* To nearest, ties to even; what is too large, infinity included, is the largest finite number if @saturate. */
static inline uint32_t narrow(float x, const struct narrow f, bool saturate)
{
	const uint32_t drop = 23 - f.fraction;
	const uint32_t unit = (151 - f.bias - f.fraction) << 23;
	uint32_t bits = bits_of_float(x), a = bits & 0x7fffffff;
	uint32_t normal = ((a + (1u << (drop - 1)) - 1 + (a >> drop & 1)) >> drop) -
			  ((127 - f.bias) << f.fraction);
	uint32_t denormal = bits_of_float(float_of_bits(a) + float_of_bits(unit)) - unit;
	uint32_t r = a < (128 - f.bias) << 23 ? denormal : normal;
	bool too_large = r > f.most;

	r = too_large ? (saturate ? f.most : f.over) : r;
	r = a > 0x7f800000 ? f.nan : r;
	/* a NaN has no sign */
	return r == f.nan ? r : r | (bits >> 31) * f.sign;
}

static inline float widen_f16(uint16_t x)
{
	return widen(x, NARROW_F16);
}

#endif /* QUILL_NARROW_H */
