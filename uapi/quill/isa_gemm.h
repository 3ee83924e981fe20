/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the further extension records of a GEMM. Included by isa_tensor.h.
 */
#ifndef QUILL_ISA_GEMM_H
#define QUILL_ISA_GEMM_H

/* quill_ext_gemm_post.options */
/* D's old value is added last. type_d S32 (modulo 2^32) or F32; without @residual. */
#define QUILL_GEMM_ACCUMULATE	(1u << 0)
/* A lies as k rows of m elements; lda is at least m. */
#define QUILL_GEMM_A_TRANSPOSED	(1u << 1)
/* But for blocks: B is not packed: k rows of n elements as they are, ldb apart. */
#define QUILL_GEMM_B_ROWS	(1u << 2)
/* But for blocks: B is not packed: n rows of k elements, ldb apart. */
#define QUILL_GEMM_B_COLUMNS	(1u << 3)
/* @d_scale is read: a scale a column, f32[n]. */
#define QUILL_GEMM_SCALE_COLUMNS	(1u << 4)
/* @d_scale is read: one scale, f32[1]. */
#define QUILL_GEMM_SCALE_TENSOR		(1u << 5)
#define QUILL_GEMM_OPTIONS		0x3fu

/**
 * struct quill_ext_gemm_post - GEMM, third record: what is done with the results that the second describes
 *
 * For floats (type_d F32, BF16, or S8 with @d_scale): activation, then gate, then residual, each if given. Others have
 * none of them, but S8 may have a residual of int8: (residual - residual_zero) * residual_mult[n] joins (acc + bias[n]) *
 * mult[n] before both are divided by 2^shift[n] and rounded, once, as CONV2D has it.
 */
struct quill_ext_gemm_post {
	struct quill_cmd_hdr hdr;
	/** @gate: device address of f32[m][gate_stride], which results are multiplied by, 4-byte aligned, or 0. */
	__u64 gate;
	/**
	 * @residual: device address of f32[m][residual_stride], which is added, 4-byte aligned, or 0. S8 without @d_scale:
	 *	of s8[m][residual_stride]; may be D's, with its stride.
	 */
	__u64 residual;
	/**
	 * @d_scale: with type_d S8: device address of f32[m], a result: rows are quantised each by its own scale; or of what
	 *	@options say, an operand: q = clamp(round(x / scale) + zero, lo, hi) with the second record's; 4-byte
	 *	aligned, or 0.
	 */
	__u64 d_scale;
	/** @gate_stride: elements from row to row, at least n (if m is over 1); 0 without @gate. */
	__u32 gate_stride;
	/** @residual_stride: likewise. */
	__u32 residual_stride;
	/** @act: enum quill_act_op plus 1, or 0 for none. */
	__u32 act;
	/** @options: QUILL_GEMM_*. */
	__u32 options;
	/** @residual_mult: with a residual of int8: device address of s32[n], 4-byte aligned; else 0. */
	__u64 residual_mult;
};

#define QUILL_FIELDS_gemm_post(F) \
	F(gemm_post, gate, ADDR) F(gemm_post, residual, ADDR) F(gemm_post, d_scale, ADDR) \
	F(gemm_post, gate_stride, STRIDE) F(gemm_post, residual_stride, STRIDE) \
	F(gemm_post, act, NUMBER) F(gemm_post, options, WORD) F(gemm_post, residual_mult, ADDR)

#define QUILL_GEMM_MAX_BATCH	65536u
#define QUILL_GEMM_MAX_STEP	(1ull << 47)

/**
 * struct quill_ext_gemm_batch - GEMM, fourth record: many products, all alike but for where their operands are
 *
 * Steps are in bytes, below 2^47, from one product's operand to the next's: multiples of what the address is aligned to. 0:
 * all have the same. row_scale of all products, and a d_scale of rows, lie one behind the other.
 */
struct quill_ext_gemm_batch {
	struct quill_cmd_hdr hdr;
	__u64 a_step;
	__u64 b_step;
	__u64 d_step;
	/** @gate_step: 0 without gate; @residual_step likewise. */
	__u64 gate_step;
	__u64 residual_step;
	/** @batch: products, 1..QUILL_GEMM_MAX_BATCH. */
	__u32 batch;
	/** @column_step: entries of bias, scale, residual_mult and a d_scale of columns from one product to the next; 0: all have the same. */
	__u32 column_step;
};

#define QUILL_FIELDS_gemm_batch(F) \
	F(gemm_batch, a_step, SIZE) F(gemm_batch, b_step, SIZE) F(gemm_batch, d_step, SIZE) \
	F(gemm_batch, gate_step, SIZE) F(gemm_batch, residual_step, SIZE) \
	F(gemm_batch, batch, DIM) F(gemm_batch, column_step, STRIDE)

#endif /* QUILL_ISA_GEMM_H */
