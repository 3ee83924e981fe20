/* SPDX-License-Identifier: MIT */
/*
 * The reference for the VECTOR commands: docs/isa.md in plain scalar C, for tests only. Nothing of the
 * engine is in it. Beside it the outside check: the same commands in float64.
 */
#ifndef REF_VECTOR_H
#define REF_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/* A matrix in memory: row i at p + i * stride elements. */
struct ref_rows {
	const float *p;
	size_t stride;
};

/* Pointers of results first; an operand whose pointer is NULL is absent. */

struct ref_norm {
	float *dst;
	size_t dst_stride;
	float *sum;
	size_t sum_stride;
	struct ref_rows src, residual;
	const float *weight, *bias;
	uint32_t rows, n;
	float eps;
	bool layer;
};

struct ref_softmax {
	float *dst;
	size_t dst_stride;
	struct ref_rows src;
	uint32_t rows, n;
	float scale;
};

struct ref_rope {
	float *dst;
	size_t dst_stride;
	struct ref_rows src, table;
	uint32_t rows, heads, dim, rotary;
	bool halves;
};

/* QUANTISE, where scale is a result or (by) given; and with f and q exchanged DEQUANTISE. */
struct ref_quantise {
	int8_t *q;
	size_t q_stride;
	float *f;
	size_t f_stride;
	float *scale;
	size_t scale_stride;
	uint32_t rows, n, group;
	int32_t zero, lo, hi;	/* by given scales */
};

struct ref_eltwise {
	float *dst;
	size_t dst_stride;
	struct ref_rows a, b;
	uint32_t rows, n, op;
};

struct ref_act {
	float *dst;
	size_t dst_stride;
	struct ref_rows src, gate;
	uint32_t rows, n, op;
};

struct ref_reduce {
	void *dst;
	struct ref_rows src;
	uint32_t rows, n, op;
};

void ref_norm(const struct ref_norm *c);
void ref_softmax(const struct ref_softmax *c);
void ref_rope(const struct ref_rope *c);
void ref_quantise(const struct ref_quantise *c);
void ref_quantise_by(const struct ref_quantise *c);
void ref_dequantise(const struct ref_quantise *c);
void ref_eltwise(const struct ref_eltwise *c);
void ref_act(const struct ref_act *c);
void ref_reduce(const struct ref_reduce *c);

/** ref_function() - ACT's f(x) for one of enum quill_act_op, before a NaN is stored */
float ref_function(uint32_t op, float x);

/* In float64, a row at a time, from float32 taken as exact. */

/** exact_norm() - a row of the result (no residual) */
void exact_norm(const struct ref_norm *c, const float *x, double *y);
void exact_softmax(const float *x, uint32_t n, double scale, double *y);
/** exact_function() - ACT's f(x) */
double exact_function(uint32_t op, double x);

#endif /* REF_VECTOR_H */
