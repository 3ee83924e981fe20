/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the commands of the TENSOR engine, and packed layouts. Included by isa.h, after the header.
 */
#ifndef QUILL_ISA_TENSOR_H
#define QUILL_ISA_TENSOR_H

#include "isa_gemm.h"
#include "isa_weights.h"

/*
 * GEMM: D[m][n] = epilogue(sum over k of A[m][k] * B[k][n]). A is row-major. With int8 (type_a and type_b S8) the
 * sum is exact in 32 bits since k is limited, and B is packed: see quill_packed_*. Of other types the sums are
 * float32 and so is D: isa_weights.h.
 *
 * Epilogue by type_d (acc: the sum; all roundings to nearest even):
 *   S32: acc + bias[n], modulo 2^32; bias (s32[n]) may be absent;
 *   S8:  clamp(round((acc + bias[n]) * mult[n] / 2^shift[n]) + zero, lo, hi), in exact
 *        arithmetic with one rounding (acc + bias modulo 2^32);
 *   F32: s = scale[n], or scale[n] * row_scale[m] if row_scale is given;
 *        (float)acc * s, or fma((float)acc, s, bias[n]) if bias (f32[n]) is given.
 *        A NaN is stored as 0x7fc00000;
 *   BF16: as F32, rounded once more.
 * A third record has more to be done with floats, or quantises them; a fourth makes it many products: isa_gemm.h.
 */
#define QUILL_GEMM_MAX_MN	(1u << 24)
#define QUILL_GEMM_MAX_K	65536u	/* 128 * 128 * K stays below 2^31 */

/**
 * struct quill_cmd_gemm - GEMM, first record
 */
struct quill_cmd_gemm {
	struct quill_cmd_hdr hdr;
	/** @a: device address of A. */
	__u64 a;
	/**
	 * @b: device address of B: packed, 64-byte aligned; Q8_0, Q4_0: in blocks, 2-byte aligned; not packed (isa_gemm.h):
	 *	aligned to its element.
	 */
	__u64 b;
	/** @d: device address of D, aligned to its element. */
	__u64 d;
	/** @m: rows of A and D, 1..QUILL_GEMM_MAX_MN. */
	__u32 m;
	/** @n: columns of B and D, 1..QUILL_GEMM_MAX_MN. */
	__u32 n;
	/** @k: columns of A, rows of B, 1..QUILL_GEMM_MAX_K. */
	__u32 k;
	/** @lda: elements from row to row of A, at least @k (if @m is over 1). */
	__u32 lda;
	/** @ldd: elements from row to row of D, at least @n (if @m is over 1). */
	__u32 ldd;
	/**
	 * @ldb: Q8_0, Q4_0: bytes from row to row of blocks, even, at least a row (if @n is over 1); B that is not packed:
	 *	elements from row to row, at least a row (if there is more than one); else 0.
	 */
	__u32 ldb;
};

#define QUILL_FIELDS_gemm(F) \
	F(gemm, a, ADDR) F(gemm, b, ADDR) F(gemm, d, ADDR) F(gemm, m, DIM) F(gemm, n, DIM) \
	F(gemm, k, DIM) F(gemm, lda, STRIDE) F(gemm, ldd, STRIDE) F(gemm, ldb, STRIDE)

/**
 * struct quill_requant - how one output channel goes from 32 to 8 bits
 *
 * A real multiplier r is mult / 2^shift. An entry out of range is QUILL_FAULT_PARAM.
 */
struct quill_requant {
	/** @mult: 0..2^31-1. */
	__s32 mult;
	/** @shift: 0..62. */
	__s32 shift;
};

/**
 * struct quill_ext_gemm - GEMM, second record: the epilogue
 */
struct quill_ext_gemm {
	struct quill_cmd_hdr hdr;
	/** @bias: device address of s32[n] (F32: f32[n]), 4-byte aligned, or 0. */
	__u64 bias;
	/**
	 * @scale: by type_d S8: struct quill_requant[n], 8-byte aligned; F32: f32[n], 4-byte aligned; S32: 0. With B
	 *	of S4: f32[k / group][n]; of Q8_0, Q4_0 or floats f32[n], or 0.
	 */
	__u64 scale;
	/** @row_scale: F32: f32[m], or with @row_scale_stride f32[m][k / group], 4-byte aligned, or 0; else 0. */
	__u64 row_scale;
	/** @zero: S8, but not with a scale a row (isa_gemm.h): added after the rounding, -128..127; else 0. */
	__s32 zero;
	/** @lo: likewise: least result, -128..127; else 0. */
	__s32 lo;
	/** @hi: likewise: largest result, @lo..127; else 0. */
	__s32 hi;
	/** @group: S4: elements of K that share a scale, divides k, a multiple of 32; Q8_0, Q4_0: 32; else 0. */
	__u32 group;
	/** @row_scale_stride: with a @group and @row_scale: f32s from row to row of its groups' scales; else 0. */
	__u32 row_scale_stride;
	/** @residual_zero: S8 with a residual (isa_gemm.h): its zero point, -128..127; else 0. */
	__s32 residual_zero;
};

#define QUILL_FIELDS_gemm_ext(F) \
	F(gemm_ext, bias, ADDR) F(gemm_ext, scale, ADDR) F(gemm_ext, row_scale, ADDR) \
	F(gemm_ext, zero, SIGNED) F(gemm_ext, lo, SIGNED) F(gemm_ext, hi, SIGNED) \
	F(gemm_ext, group, DIM) F(gemm_ext, row_scale_stride, STRIDE) \
	F(gemm_ext, residual_zero, SIGNED)

/*
 * Packed B, for GEMM: panels of 64 columns; in a panel, groups of 4 rows (k), each of 256
 * bytes: column by column, 4 consecutive k each. A byte is the int8 value with its sign
 * bit flipped (value + 128), which is what lets one unsigned-by-signed dot-product instruction
 * do the work: sum a*b = sum a*(b+128) - 128 * sum a. What stands in the padding (columns
 * from n on, rows from k on) has no influence.
 */
#define QUILL_PANEL_N		64
#define QUILL_PANEL_K		4
#define QUILL_PANEL_GROUP	(QUILL_PANEL_N * QUILL_PANEL_K)

/* Bytes of one panel of B. */
static inline __u64 quill_packed_panel(__u32 k)
{
	return (__u64)((k + QUILL_PANEL_K - 1) / QUILL_PANEL_K) * QUILL_PANEL_GROUP;
}

/* Bytes of packed B. */
static inline __u64 quill_packed_size(__u32 n, __u32 k)
{
	return (__u64)((n + QUILL_PANEL_N - 1) / QUILL_PANEL_N) * quill_packed_panel(k);
}

/* Where B[k][n] is in packed B; kk is B's number of rows. */
static inline __u64 quill_packed_offset(__u32 n, __u32 k, __u32 kk)
{
	return (n / QUILL_PANEL_N) * quill_packed_panel(kk) +
	       (__u64)(k / QUILL_PANEL_K) * QUILL_PANEL_GROUP +
	       (n % QUILL_PANEL_N) * QUILL_PANEL_K + k % QUILL_PANEL_K;
}

#endif /* QUILL_ISA_TENSOR_H */
