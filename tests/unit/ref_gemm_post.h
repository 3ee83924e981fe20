/* SPDX-License-Identifier: MIT */
/* The reference for what a GEMM does with float results: docs/isa.md, "Float results", in plain C. */
#ifndef REF_GEMM_POST_H
#define REF_GEMM_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/**
 * struct ref_gemm_post - from results with scales and bias behind them to D
 */
struct ref_gemm_post {
	uint32_t m, n;
	/** @act: enum quill_act_op plus 1, or 0. */
	uint32_t act;
	/** @gate, @residual: float[m][stride], or NULL. */
	const float *gate, *residual;
	size_t gate_stride, residual_stride;
	/** @accumulate: D of F32 is added. */
	bool accumulate;
	/** @type_d: F32, BF16, or S8: each row by its own scale, which goes to @d_scale, or by @given. */
	uint32_t type_d;
	void *d;
	size_t ldd;
	float *d_scale;
	/** @given: scales of the columns, or @given_one for all; then zero and clamp. NULL: none are. */
	const float *given;
	bool given_one;
	int32_t zero, lo, hi;
};

/** ref_gemm_post() - @y: float[m][n], which is used up */
void ref_gemm_post(const struct ref_gemm_post *p, float *y);

#endif /* REF_GEMM_POST_H */
