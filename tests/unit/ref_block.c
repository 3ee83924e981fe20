// SPDX-License-Identifier: MIT
/* The reference for block weights and narrow floats: docs/isa.md, sentence by sentence. */
#include <math.h>
#include <string.h>

#include "ref_block.h"

/* ---- Narrow floats ---- */

struct format {
	int fraction, bias, exponent_bits;
	bool infinite;
};

static struct format format_of(uint32_t type)
{
	switch (type) {
	case QUILL_TYPE_F16:	return (struct format){ 10, 15, 5, true };
	case QUILL_TYPE_BF16:	return (struct format){ 7, 127, 8, true };
	case QUILL_TYPE_E4M3:	return (struct format){ 3, 7, 4, false };
	default:		return (struct format){ 2, 15, 5, true };
	}
}

float ref_widen(uint32_t type, uint32_t bits)
{
	const struct format f = format_of(type);
	int fraction = (int)(bits & ((1u << f.fraction) - 1));
	int exponent = (int)(bits >> f.fraction & ((1u << f.exponent_bits) - 1));
	int top = (1 << f.exponent_bits) - 1;
	bool negative = bits >> (f.fraction + f.exponent_bits) & 1;
	float x;

	if (f.infinite && exponent == top)
		x = fraction ? NAN : INFINITY;
	else if (!f.infinite && exponent == top && fraction == (1 << f.fraction) - 1)
		x = NAN;
	else if (exponent)
		x = ldexpf((float)(fraction + (1 << f.fraction)), exponent - f.bias - f.fraction);
	else
		x = ldexpf((float)fraction, 1 - f.bias - f.fraction);
	return isnan(x) ? NAN : negative ? -x : x;
}

uint32_t ref_narrow(uint32_t type, float x, bool saturate)
{
	const struct format f = format_of(type);
	uint32_t sign = 1u << (f.fraction + f.exponent_bits);
	uint32_t top = ((1u << f.exponent_bits) - 1) << f.fraction;
	uint32_t most = f.infinite ? top - 1 : sign - 2;
	uint32_t nan = f.infinite ? top | 1u << (f.fraction - 1) : sign - 1;
	uint32_t low = 0, high = most, middle;
	double a = fabs((double)x), below, above, end;

	if (isnan(x))
		return nan;
	sign = signbit(x) ? sign : 0;
	/* half a step beyond the largest, and there the tie goes to the even one, which does not exist */
	end = ref_widen(type, most);
	end += (end - ref_widen(type, most - 1)) / 2;
	if (most % 2 ? a >= end : a > end) {
		if (saturate)
			return sign | most;
		return f.infinite ? sign | top : nan;
	}
	/* the largest that is not above a */
	while (low < high) {
		middle = (low + high + 1) / 2;
		if (ref_widen(type, middle) <= a)
			low = middle;
		else
			high = middle - 1;
	}
	if (low == most)
		return sign | low;
	below = a - ref_widen(type, low);
	above = ref_widen(type, low + 1) - a;
	if (below > above || (below == above && low % 2))
		low++;
	return sign | low;
}

/* ---- Float sums ---- */

static void store(const struct ref_floats *o, uint32_t m, uint32_t n, float acc)
{
	float s = o->scale ? o->scale[n] : 1.0f, x;

	if (o->row_scale)
		s = s * o->row_scale[m];
	x = o->bias ? fmaf(acc, s, o->bias[n]) : acc * s;
	o->d[m * o->ldd + n] = isnan(x) ? NAN : x;
}

/* ---- Block weights ---- */

static uint8_t byte(const struct ref_gemm_block *g, uint32_t n, uint32_t j, uint32_t at)
{
	size_t size = g->type_b == QUILL_TYPE_Q8_0 ? 34 : 18;

	return g->b[n * g->ldb + j * size + at];
}

static int weight(const struct ref_gemm_block *g, uint32_t n, uint32_t k)
{
	uint32_t j = k / 32, i = k % 32, cell;

	if (g->type_b == QUILL_TYPE_Q8_0)
		return (int8_t)byte(g, n, j, 2 + i);
	if (g->type_b == QUILL_TYPE_Q4_0)
		return (i < 16 ? byte(g, n, j, 2 + i) & 15 : byte(g, n, j, 2 + i - 16) >> 4) - 8;
	/* S4: 256 bytes are 8 k of 64 columns */
	cell = n / 64 * (g->k / 8 * 256) + k / 8 * 256 + n % 64 * 4 + k % 4;
	return (k % 8 < 4 ? g->b[cell] & 15 : g->b[cell] >> 4) - 8;
}

static float scale_b(const struct ref_gemm_block *g, uint32_t n, uint32_t j)
{
	if (g->type_b == QUILL_TYPE_S4)
		return g->b_scale[j * g->b_scale_stride + n];
	return ref_widen(QUILL_TYPE_F16, byte(g, n, j, 0) | (uint32_t)byte(g, n, j, 1) << 8);
}

static float scale_a(const struct ref_gemm_block *g, uint32_t m, uint32_t j)
{
	return g->a_scale ? g->a_scale[m * g->a_scale_stride + j] : 1.0f;
}

static int64_t block_dot(const struct ref_gemm_block *g, uint32_t m, uint32_t n, uint32_t j)
{
	int64_t dot = 0;
	uint32_t k;

	for (k = j * g->group; k < (j + 1) * g->group; k++)
		dot += g->a[m * g->lda + k] * weight(g, n, k);
	return dot;
}

void ref_gemm_block(const struct ref_gemm_block *g)
{
	uint32_t m, n, j;

	for (m = 0; m < g->m; m++) {
		for (n = 0; n < g->n; n++) {
			float acc = 0;

			for (j = 0; j < g->k / g->group; j++) {
				float s = scale_b(g, n, j) * scale_a(g, m, j);

				acc = fmaf((float)block_dot(g, m, n, j), s, acc);
			}
			store(&g->out, m, n, acc);
		}
	}
}

double exact_gemm_block(const struct ref_gemm_block *g, uint32_t m, uint32_t n, double *size)
{
	double sum = 0, x;
	uint32_t j;

	*size = 0;
	for (j = 0; j < g->k / g->group; j++) {
		x = (double)block_dot(g, m, n, j) * scale_b(g, n, j) * scale_a(g, m, j);
		sum += x;
		*size += fabs(x);
	}
	return sum;
}

/* ---- Floats ---- */

static float element(uint32_t type, const void *p, size_t at)
{
	if (type == QUILL_TYPE_BF16)
		return ref_widen(type, ((const uint16_t *)p)[at]);
	return ref_widen(type, ((const uint8_t *)p)[at]);
}

void ref_gemm_float(const struct ref_gemm_float *g)
{
	uint32_t m, n, k;

	for (m = 0; m < g->m; m++) {
		for (n = 0; n < g->n; n++) {
			float acc = 0;

			for (k = 0; k < g->k; k++)
				acc = fmaf(element(g->type_a, g->a, m * g->lda + k),
					   element(g->type_b, g->b, n * g->ldb + k), acc);
			store(&g->out, m, n, acc);
		}
	}
}

double exact_gemm_float(const struct ref_gemm_float *g, uint32_t m, uint32_t n, double *size)
{
	double sum = 0, x;
	uint32_t k;

	*size = 0;
	for (k = 0; k < g->k; k++) {
		x = (double)element(g->type_a, g->a, m * g->lda + k) *
		    element(g->type_b, g->b, n * g->ldb + k);
		sum += x;
		*size += fabs(x);
	}
	return sum;
}

void ref_pack_float(const void *b, size_t ldb, uint32_t type, uint32_t n, uint32_t k,
		    uint8_t padding, uint8_t *packed)
{
	/* 4 bytes a column in a group: k of one column, one behind the other */
	uint32_t size = type == QUILL_TYPE_BF16 ? 2 : 1, in_group = 4 / size, i, j;
	size_t panel = (size_t)(k + in_group - 1) / in_group * 256;

	memset(packed, padding, (n + 63) / 64 * panel);
	for (j = 0; j < n; j++)
		for (i = 0; i < k; i++)
			memcpy(packed + j / 64 * panel + i / in_group * 256 + j % 64 * 4 +
			       i % in_group * size, (const uint8_t *)b + (j * ldb + i) * size, size);
}
