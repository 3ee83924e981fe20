/* SPDX-License-Identifier: MIT */
/*
 * The reference: docs/isa.md in plain scalar C, obvious before fast, for tests only. Nothing of the
 * engine is in it. Beside it the outside check: the same commands in float64.
 */
#ifndef REF_H
#define REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/**
 * struct ref_gemm - a GEMM command, its operands in plain layouts
 */
struct ref_gemm {
	uint32_t m, n, k;
	/** @a: A[m][k] at a + m * lda + k. */
	const int8_t *a;
	size_t lda;
	/** @b: B[k][n] at b + k * n_columns + n. */
	const int8_t *b;
	uint32_t type_d;
	void *d;
	size_t ldd;
	/** @bias: int32_t[n] or (F32) float[n], or NULL. */
	const void *bias;
	const float *scale;
	const float *row_scale;
	const struct quill_requant *requant;
	int32_t zero, lo, hi;
	/** @accumulate: S32, F32: D is added. */
	bool accumulate;
	/** @act: F32, BF16: enum quill_act_op plus 1, or 0. */
	uint32_t act;
	/** @gate, @residual: F32, BF16: like D, with strides of their own, or NULL. */
	const float *gate, *residual;
	size_t gate_stride, residual_stride;
	/** @residual_s8: S8: like D, with @residual_stride, or NULL. */
	const int8_t *residual_s8;
	int32_t residual_zero;
	const int32_t *residual_mult;
};

/** ref_pack() - B[k][n] as isa.h packs it; padding bytes are set to @padding */
void ref_pack(const int8_t *b, uint32_t n, uint32_t k, uint8_t padding, uint8_t *packed);

/** ref_rescale() - x / 2^shift to the nearest, ties to even, plus zero, between lo and hi */
int8_t ref_rescale(int64_t x, int32_t shift, int32_t zero, int32_t lo, int32_t hi);
/** ref_requantise() - 32 to 8 bits */
int8_t ref_requantise(int32_t x, struct quill_requant r, int32_t zero, int32_t lo, int32_t hi);

/** ref_exp() - exp(x) for x <= 0 */
float ref_exp(float x);

void ref_gemm(const struct ref_gemm *g);

/** ref_tree() - 16 lanes folded in halves */
float ref_tree(float lane[16], float (*op)(float, float));
/** ref_larger() - max as isa.md has it, ref_plus() - the sum: for ref_tree() */
float ref_larger(float a, float b);
float ref_plus(float a, float b);
/** ref_stored() - a result as it is stored: NaN is 0x7fc00000 */
float ref_stored(float x);

/* ---- Numbers for tests ---- */

struct ref_random {
	uint64_t state;
};

uint32_t ref_random(struct ref_random *r);
/* 0 .. n - 1 */
uint32_t ref_random_below(struct ref_random *r, uint32_t n);
void ref_random_s8(struct ref_random *r, int8_t *p, size_t n);
/* lo .. hi */
float ref_random_float(struct ref_random *r, float lo, float hi);

#include "ref_attention.h"

#endif /* REF_H */
