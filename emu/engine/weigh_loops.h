/* SPDX-License-Identifier: MIT */
/*
 * Attention's second product: a few rows of weights times the values of a block of keys, in float32 and in the order of
 * keys. Written once over lanes; a kernel set says how many rows and vectors its registers hold.
 */
#ifndef QUILL_WEIGH_LOOPS_H
#define QUILL_WEIGH_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#ifndef WEIGH_ROWS
#define WEIGH_ROWS 4
#define WEIGH_VECTORS 1
#endif

/* How values lie in memory. */
enum weigh_kind {
	WEIGH_F32,
	WEIGH_S8,
};

/* 16 values from element @at on. */
static inline __attribute__((always_inline)) vf weigh_load(const enum weigh_kind kind, const void *v,
							   size_t at)
{
	if (kind == WEIGH_S8)
		return vf_load_s8((const int8_t *)v + at);
	return vf_load((const float *)v + at);
}

/* acc = acc * alpha, then plus w[j] * v[j] for j = from .. to - 1. Constants, so that sums live in registers. */
static inline __attribute__((always_inline)) void
weigh_rows(const enum weigh_kind kind, const uint32_t rows, const uint32_t vectors, float *acc,
	   size_t acc_stride, const float *alpha, const float *w, size_t w_stride, const void *v,
	   size_t at, size_t v_stride, uint32_t from, uint32_t to)
{
	vf sum[WEIGH_ROWS][4];
	uint32_t j;

	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 8")
		for (uint32_t c = 0; c < vectors; c++) {
			sum[r][c] = vf_load(acc + r * acc_stride + c * LANES);
			if (alpha)
				sum[r][c] = vf_mul(sum[r][c], vf_set1(alpha[r]));
		}
	at += from * v_stride;
	for (j = from; j < to; j++, at += v_stride) {
		vf x[4];

		_Pragma("GCC unroll 8")
		for (uint32_t c = 0; c < vectors; c++)
			x[c] = weigh_load(kind, v, at + c * LANES);
		_Pragma("GCC unroll 8")
		for (uint32_t r = 0; r < rows; r++) {
			vf y = vf_set1(w[r * w_stride + j]);

			_Pragma("GCC unroll 8")
			for (uint32_t c = 0; c < vectors; c++)
				sum[r][c] = vf_fma(y, x[c], sum[r][c]);
		}
	}
	_Pragma("GCC unroll 8")
	for (uint32_t r = 0; r < rows; r++)
		_Pragma("GCC unroll 8")
		for (uint32_t c = 0; c < vectors; c++)
			vf_store(acc + r * acc_stride + c * LANES, sum[r][c]);
}

/* struct weigh_values - a block's values: key j at v + j * stride elements, @dim of them */
struct weigh_values {
	enum weigh_kind kind;
	const void *v;
	size_t stride;
	uint32_t dim;
};

static inline __attribute__((always_inline)) void
weigh_kind(const enum weigh_kind kind, uint32_t rows, float *acc, const float *alpha, const float *w,
	   size_t w_stride, const struct weigh_values *x, uint32_t from, uint32_t to)
{
	uint32_t dim = x->dim, e = 0, r;

#define WEIGH(r, c)										\
	case r:											\
		weigh_rows(kind, r, c, acc + e, dim, alpha, w, w_stride, x->v, e, x->stride,	\
			   from, to);								\
		break
	for (; e + WEIGH_VECTORS * LANES <= dim; e += WEIGH_VECTORS * LANES) {
		switch (rows) {
		WEIGH(1, WEIGH_VECTORS);
		WEIGH(2, WEIGH_VECTORS);
		WEIGH(3, WEIGH_VECTORS);
		WEIGH(4, WEIGH_VECTORS);
#if WEIGH_ROWS > 4
		WEIGH(5, WEIGH_VECTORS);
		WEIGH(6, WEIGH_VECTORS);
#endif
		}
	}
#undef WEIGH
	/* what is narrower is rare */
	for (; e < dim; e += LANES)
		for (r = 0; r < rows; r++)
			weigh_rows(kind, 1, 1, acc + r * dim + e, dim, alpha ? alpha + r : NULL,
				   w + r * w_stride, w_stride, x->v, e, x->stride, from, to);
}

/* weigh_rows() for whole rows, which lie one behind the other. NULL @alpha: none. */
static inline void weigh(uint32_t rows, float *acc, const float *alpha, const float *w, size_t w_stride,
			 const struct weigh_values *x, uint32_t from, uint32_t to)
{
	if (x->kind == WEIGH_S8)
		weigh_kind(WEIGH_S8, rows, acc, alpha, w, w_stride, x, from, to);
	else
		weigh_kind(WEIGH_F32, rows, acc, alpha, w, w_stride, x, from, to);
}

#endif /* QUILL_WEIGH_LOOPS_H */
