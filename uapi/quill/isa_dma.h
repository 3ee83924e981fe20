/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the commands of the DMA engine. Included by isa.h, after the header.
 */
#ifndef QUILL_ISA_DMA_H
#define QUILL_ISA_DMA_H

/**
 * struct quill_cmd_timestamp - TIMESTAMP: write the job's device time, in cycles
 *
 * The time is that at which this command ends, counted from the job's start, as a __u64.
 */
struct quill_cmd_timestamp {
	struct quill_cmd_hdr hdr;
	/** @dst: device address, 8-byte aligned. */
	__u64 dst;
	/** @reserved: zero. */
	__u64 reserved[5];
};

#define QUILL_FIELDS_timestamp(F) \
	F(timestamp, dst, ADDR) F(timestamp, reserved, ZERO)

/**
 * struct quill_cmd_copy - COPY: @height rows of @width bytes
 *
 * Rows are copied in order, each as if through a buffer of its own, which defines the result
 * for regions that overlap. A 1-D copy has height 1; its strides are not looked at.
 */
struct quill_cmd_copy {
	struct quill_cmd_hdr hdr;
	/** @dst: device address. */
	__u64 dst;
	/** @src: device address. */
	__u64 src;
	/** @width: bytes of a row, 1..2^40. */
	__u64 width;
	/** @dst_stride: bytes from row to row, at least @width. */
	__u32 dst_stride;
	/** @src_stride: bytes from row to row; 0 repeats one row. */
	__u32 src_stride;
	/** @height: rows, 1..2^24. */
	__u32 height;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved1: zero. */
	__u64 reserved1;
};

#define QUILL_FIELDS_copy(F) \
	F(copy, dst, ADDR) F(copy, src, ADDR) F(copy, width, SIZE) F(copy, dst_stride, STRIDE) \
	F(copy, src_stride, STRIDE) F(copy, height, DIM) F(copy, reserved0, ZERO) \
	F(copy, reserved1, ZERO)

/**
 * struct quill_cmd_fill - FILL: @height rows of @width bytes with one element
 */
struct quill_cmd_fill {
	struct quill_cmd_hdr hdr;
	/** @dst: device address, a multiple of @elem. */
	__u64 dst;
	/** @value: the element, in its low bytes; the others are zero. */
	__u64 value;
	/** @width: bytes of a row, a multiple of @elem, up to 2^40. */
	__u64 width;
	/** @dst_stride: bytes from row to row, a multiple of @elem, at least @width. */
	__u32 dst_stride;
	/** @height: rows, 1..2^24. */
	__u32 height;
	/** @elem: bytes of an element: 1, 2, 4 or 8. */
	__u32 elem;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved1: zero. */
	__u64 reserved1;
};

#define QUILL_FIELDS_fill(F) \
	F(fill, dst, ADDR) F(fill, value, WORD) F(fill, width, SIZE) F(fill, dst_stride, STRIDE) \
	F(fill, height, DIM) F(fill, elem, NUMBER) F(fill, reserved0, ZERO) \
	F(fill, reserved1, ZERO)

#define QUILL_TRANSPOSE_MAX	(1ull << 40)	/* elements, all matrices together */

/**
 * struct quill_cmd_transpose - TRANSPOSE: column j of a matrix becomes row j of another
 *
 * @batch matrices, one after the other: element (i, j) of the b-th is at src + (b * src_step + i * src_stride + j) * elem, and
 * goes to dst + (b * dst_step + j * dst_stride + i) * elem.
 */
struct quill_cmd_transpose {
	struct quill_cmd_hdr hdr;
	/** @dst: device address, a multiple of @elem. */
	__u64 dst;
	/** @src: device address, a multiple of @elem. */
	__u64 src;
	/** @rows: of src, columns of dst: 1..2^24. */
	__u32 rows;
	/** @cols: of src, rows of dst: 1..2^24. */
	__u32 cols;
	/** @dst_stride: elements from row to row, at least @rows (if @cols is over 1). */
	__u32 dst_stride;
	/** @src_stride: elements from row to row, at least @cols (if @rows is over 1). */
	__u32 src_stride;
	/** @dst_step: elements from matrix to matrix, not 0 (if @batch is over 1). */
	__u32 dst_step;
	/** @src_step: elements from matrix to matrix; 0: the same for all. */
	__u32 src_step;
	/** @batch: matrices, 1..2^24; rows * cols * batch is at most QUILL_TRANSPOSE_MAX. */
	__u32 batch;
	/** @elem: bytes of an element: 1, 2, 4 or 8. */
	__u32 elem;
};

#define QUILL_FIELDS_transpose(F) \
	F(transpose, dst, ADDR) F(transpose, src, ADDR) F(transpose, rows, DIM) \
	F(transpose, cols, DIM) F(transpose, dst_stride, STRIDE) F(transpose, src_stride, STRIDE) \
	F(transpose, dst_step, STRIDE) F(transpose, src_step, STRIDE) F(transpose, batch, DIM) \
	F(transpose, elem, NUMBER)

#endif /* QUILL_ISA_DMA_H */
