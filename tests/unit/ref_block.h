/* SPDX-License-Identifier: MIT */
/* The reference for GEMM with block weights and for the narrow floats: docs/isa.md in plain C. */
#ifndef REF_BLOCK_H
#define REF_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/**
 * struct ref_floats - how a sum that is a float becomes D
 */
struct ref_floats {
	float *d;
	size_t ldd;
	/** @bias, @scale: float[n], @row_scale: float[m], each or NULL. */
	const float *bias, *scale, *row_scale;
};

/**
 * struct ref_gemm_block - a GEMM with block weights
 */
struct ref_gemm_block {
	uint32_t m, n, k, group;
	uint32_t type_b;
	const int8_t *a;
	size_t lda;
	/** @a_scale: of group j of row i at a_scale + i * a_scale_stride + j, or NULL. */
	const float *a_scale;
	size_t a_scale_stride;
	/** @b: Q8_0, Q4_0: row n at b + n * ldb; S4: packed. */
	const uint8_t *b;
	size_t ldb;
	/** @b_scale: S4: of group j of column n at b_scale + j * b_scale_stride + n. */
	const float *b_scale;
	size_t b_scale_stride;
	struct ref_floats out;
};

void ref_gemm_block(const struct ref_gemm_block *g);

/** exact_gemm_block() - a sum in float64, and the sum of its terms' magnitudes in *@size */
double exact_gemm_block(const struct ref_gemm_block *g, uint32_t m, uint32_t n, double *size);

/** ref_widen() - the float32 that 8 or 16 bits of a narrow type are */
float ref_widen(uint32_t type, uint32_t bits);

/** ref_narrow() - the nearest of a narrow type's numbers: by search among all of them */
uint32_t ref_narrow(uint32_t type, float x, bool saturate);

/**
 * struct ref_gemm_float - a GEMM in floats; B is given by columns
 */
struct ref_gemm_float {
	uint32_t m, n, k;
	/** @type_a, @type_b: BF16, E4M3 or E5M2. */
	uint32_t type_a, type_b;
	/** @a: A[m][k] at element m * lda + k. */
	const void *a;
	size_t lda;
	/** @b: B[k][n] at element n * ldb + k. */
	const void *b;
	size_t ldb;
	struct ref_floats out;
};

void ref_gemm_float(const struct ref_gemm_float *g);
double exact_gemm_float(const struct ref_gemm_float *g, uint32_t m, uint32_t n, double *size);

/** ref_pack_float() - columns of B as isa.h packs them; padding bytes are set to @padding */
void ref_pack_float(const void *b, size_t ldb, uint32_t type, uint32_t n, uint32_t k,
		    uint8_t padding, uint8_t *packed);

#endif /* REF_BLOCK_H */
