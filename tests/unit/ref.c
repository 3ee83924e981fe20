// SPDX-License-Identifier: MIT
/* The reference implementation: docs/isa.md, sentence by sentence. */
#include <math.h>
#include <string.h>

#include "ref.h"
#include "ref_vector.h"

/* ---- Numbers for tests ---- */

uint32_t ref_random(struct ref_random *r)
{
	/* a 64-bit linear congruential generator (Knuth's MMIX constants), upper half */
	r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(r->state >> 32);
}

uint32_t ref_random_below(struct ref_random *r, uint32_t n)
{
	return (uint32_t)(((uint64_t)ref_random(r) * n) >> 32);
}

void ref_random_s8(struct ref_random *r, int8_t *p, size_t n)
{
	while (n--)
		*p++ = (int8_t)ref_random(r);
}

float ref_random_float(struct ref_random *r, float lo, float hi)
{
	return lo + (hi - lo) * (float)(ref_random(r) >> 8) / 16777216.0f;
}

/* ---- What commands share ---- */

static float from_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

float ref_stored(float x)
{
	return isnan(x) ? from_bits(0x7fc00000) : x;
}

float ref_larger(float a, float b)
{
	return a > b ? a : b;
}

/* 16 lanes folded in halves. */
float ref_tree(float lane[16], float (*op)(float, float))
{
	int half, i;

	for (half = 8; half >= 1; half /= 2)
		for (i = 0; i < half; i++)
			lane[i] = op(lane[i], lane[i + half]);
	return lane[0];
}

float ref_plus(float a, float b)
{
	return a + b;
}

/* ---- GEMM ---- */

void ref_pack(const int8_t *b, uint32_t n, uint32_t k, uint8_t padding, uint8_t *packed)
{
	uint32_t i, j;

	memset(packed, padding, quill_packed_size(n, k));
	for (i = 0; i < k; i++)
		for (j = 0; j < n; j++)
			packed[quill_packed_offset(j, i, k)] = (uint8_t)(b[(size_t)i * n + j] + 128);
}

int8_t ref_rescale(int64_t x, int32_t shift, int32_t zero, int32_t lo, int32_t hi)
{
	int64_t unit = (int64_t)1 << shift;
	int64_t whole = x / unit;
	int64_t rest = x % unit;
	int64_t result;

	if (rest < 0) {
		rest += unit;
		whole -= 1;
	}
	/* x = whole * unit + rest, 0 <= rest < unit */
	if (rest > unit - rest)
		whole += 1;
	else if (rest == unit - rest && whole % 2)
		whole += 1;
	result = whole + zero;
	if (result < lo)
		return (int8_t)lo;
	if (result > hi)
		return (int8_t)hi;
	return (int8_t)result;
}

int8_t ref_requantise(int32_t x, struct quill_requant r, int32_t zero, int32_t lo, int32_t hi)
{
	return ref_rescale((int64_t)x * r.mult, r.shift, zero, lo, hi);
}

static int32_t wrap(int64_t x)
{
	return (int32_t)(uint32_t)(uint64_t)x;
}

/* Nearest, ties to even, in the 16 upper bits. */
static uint16_t to_bf16(float x)
{
	uint32_t bits, rest;

	if (isnan(x))
		return 0x7fc0;
	memcpy(&bits, &x, sizeof(bits));
	rest = bits & 0xffff;
	bits >>= 16;
	if (rest > 0x8000 || (rest == 0x8000 && bits % 2))
		bits++;
	return (uint16_t)bits;
}

static void ref_float_element(const struct ref_gemm *g, uint32_t m, uint32_t n, float acc)
{
	float s = g->scale ? g->scale[n] : 1.0f, y;

	if (g->row_scale)
		s = s * g->row_scale[m];
	y = g->bias ? fmaf(acc, s, ((const float *)g->bias)[n]) : acc * s;
	if (g->act)
		y = ref_function(g->act - 1, y);
	if (g->gate)
		y = y * g->gate[m * g->gate_stride + n];
	if (g->residual)
		y = y + g->residual[m * g->residual_stride + n];
	if (g->type_d == QUILL_TYPE_BF16) {
		((uint16_t *)g->d)[m * g->ldd + n] = to_bf16(y);
		return;
	}
	if (g->accumulate)
		y = y + ((float *)g->d)[m * g->ldd + n];
	((float *)g->d)[m * g->ldd + n] = ref_stored(y);
}

static void ref_element(const struct ref_gemm *g, uint32_t m, uint32_t n, int32_t acc)
{
	size_t at = m * g->ldd + n;

	if (g->type_d == QUILL_TYPE_F32 || g->type_d == QUILL_TYPE_BF16) {
		ref_float_element(g, m, n, (float)acc);
		return;
	}
	if (g->bias)
		acc = wrap((int64_t)acc + ((const int32_t *)g->bias)[n]);
	if (g->type_d == QUILL_TYPE_S8 && g->residual_s8)
		((int8_t *)g->d)[at] =
			ref_rescale((int64_t)acc * g->requant[n].mult +
				    (int64_t)(g->residual_s8[m * g->residual_stride + n] - g->residual_zero) *
				    g->residual_mult[n], g->requant[n].shift, g->zero, g->lo, g->hi);
	else if (g->type_d == QUILL_TYPE_S8)
		((int8_t *)g->d)[at] = ref_requantise(acc, g->requant[n], g->zero, g->lo, g->hi);
	else
		((int32_t *)g->d)[at] = g->accumulate ?
			wrap((int64_t)acc + ((int32_t *)g->d)[at]) : acc;
}

void ref_gemm(const struct ref_gemm *g)
{
	uint32_t m, n, k;

	for (m = 0; m < g->m; m++) {
		for (n = 0; n < g->n; n++) {
			int64_t acc = 0;

			for (k = 0; k < g->k; k++)
				acc += g->a[m * g->lda + k] * g->b[(size_t)k * g->n + n];
			ref_element(g, m, n, (int32_t)acc);
		}
	}
}

/* ---- exp ---- */

float ref_exp(float x)
{
	static const float c[] = { 0x1.6a2254p-10f, 0x1.123b02p-7f, 0x1.5558f8p-5f,
				   0x1.55549p-3f, 0x1.fffffcp-2f, 1.0f, 1.0f };
	float n, r, y;
	unsigned int i;

	if (isnan(x))
		return x;
	if (x < -87.0f)
		return 0.0f;
	n = fmaf(x, 0x1.715476p+0f, 0x1.8p23f) - 0x1.8p23f;
	r = fmaf(n, -0x1.62e43p-1f, x);
	r = fmaf(n, 0x1.05c61p-29f, r);
	y = c[0];
	for (i = 1; i < sizeof(c) / sizeof(c[0]); i++)
		y = fmaf(y, r, c[i]);
	return ldexpf(y, (int)n);
}
