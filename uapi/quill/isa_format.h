/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: commands that change how numbers are written or where they lie. Included by isa.h, after the header.
 */
#ifndef QUILL_ISA_FORMAT_H
#define QUILL_ISA_FORMAT_H

/**
 * struct quill_cmd_convert - CONVERT: between F32, BF16, F16, E4M3 and E5M2, of type_a to type_d
 *
 * To the nearest, ties to even. Row i is at src or dst plus i strides.
 */
struct quill_cmd_convert {
	struct quill_cmd_hdr hdr;
	/** @src: device address, aligned to its element. */
	__u64 src;
	/** @dst: device address, aligned to its element; may be @src if the elements and strides are of one size. */
	__u64 dst;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @src_stride: elements, at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @dst_stride: elements, at least @n (if @rows is over 1). */
	__u32 dst_stride;
	/** @saturate: 1: what is too large becomes the largest finite number; else 0, as it is with F32. */
	__u32 saturate;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved1: zero. */
	__u64 reserved1;
};

#define QUILL_FIELDS_convert(F) \
	F(convert, src, ADDR) F(convert, dst, ADDR) F(convert, rows, DIM) F(convert, n, DIM) \
	F(convert, src_stride, STRIDE) F(convert, dst_stride, STRIDE) F(convert, saturate, NUMBER) \
	F(convert, reserved0, ZERO) F(convert, reserved1, ZERO)

enum quill_repack_order {
	QUILL_REPACK_NK = 0,	/* a row of the source is a column of B: k elements */
	QUILL_REPACK_KN = 1,	/* a row of the source is a row of B: n elements */
	QUILL_REPACK_COUNT = 2,
};

/**
 * struct quill_cmd_repack - REPACK: row-major matrices to packed B of a GEMM, one behind the other
 *
 * The elements are of type_a, which is type_d, but for S4: they come as S8, of which the low half counts.
 * Padding stands for 0.
 */
struct quill_cmd_repack {
	struct quill_cmd_hdr hdr;
	/** @src: device address, aligned to its element. */
	__u64 src;
	/** @dst: device address of @batch times quill_packed_size_of(type_d, n, k) bytes, 64-byte aligned. */
	__u64 dst;
	/** @n: columns of B, 1..QUILL_GEMM_MAX_MN. */
	__u32 n;
	/** @k: rows of B, 1..QUILL_GEMM_MAX_K. */
	__u32 k;
	/** @src_stride: elements from row to row, at least a row (if there is more than one). */
	__u32 src_stride;
	/** @order: enum quill_repack_order. */
	__u32 order;
	/** @src_step: bytes from matrix to matrix, below 2^47, a multiple of an element; 0: the same again. */
	__u64 src_step;
	/** @batch: matrices, 1..QUILL_GEMM_MAX_BATCH. */
	__u32 batch;
	/** @reserved: zero. */
	__u32 reserved;
};

#define QUILL_FIELDS_repack(F) \
	F(repack, src, ADDR) F(repack, dst, ADDR) F(repack, n, DIM) F(repack, k, DIM) \
	F(repack, src_stride, STRIDE) F(repack, order, NUMBER) F(repack, src_step, SIZE) \
	F(repack, batch, DIM) F(repack, reserved, ZERO)

#endif /* QUILL_ISA_FORMAT_H */
