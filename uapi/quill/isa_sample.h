/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the commands of the VECTOR engine that choose among the elements of a row. Included by isa.h.
 */
#ifndef QUILL_ISA_SAMPLE_H
#define QUILL_ISA_SAMPLE_H

#define QUILL_TOPK_MAX	1024u

/**
 * struct quill_cmd_topk - TOPK: the k largest values of a row, largest first, and where they are
 */
struct quill_cmd_topk {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @value: device address of f32[rows][k], 4-byte aligned, or 0. */
	__u64 value;
	/** @index: device address of s32[rows][k], 4-byte aligned. */
	__u64 index;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @k: 1..QUILL_TOPK_MAX, at most @n. */
	__u32 k;
	/** @src_stride: at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @value_stride: at least @k (if @rows is over 1); 0 without @value. */
	__u32 value_stride;
	/** @index_stride: at least @k (if @rows is over 1). */
	__u32 index_stride;
};

#define QUILL_FIELDS_topk(F) \
	F(topk, src, ADDR) F(topk, value, ADDR) F(topk, index, ADDR) F(topk, rows, DIM) \
	F(topk, n, DIM) F(topk, k, DIM) F(topk, src_stride, STRIDE) F(topk, value_stride, STRIDE) \
	F(topk, index_stride, STRIDE)

/**
 * struct quill_cmd_sample - SAMPLE, first record: a token for each row of logits
 *
 * Of the @top_k most likely, those that together have @top_p of the probability; of these one at random. The random numbers
 * are a function of seed, counter and row alone.
 */
struct quill_cmd_sample {
	struct quill_cmd_hdr hdr;
	/** @src: device address of the logits, 4-byte aligned. */
	__u64 src;
	/** @dst: device address of s32[rows], 4-byte aligned: the tokens. */
	__u64 dst;
	/** @prob: device address of f32[rows], 4-byte aligned, or 0: their probabilities, as SOFTMAX has them. */
	__u64 prob;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @src_stride: at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @temperature: float32: +0, which takes the largest logit, or at least 2^-126 and finite. */
	__u32 temperature;
	/** @top_k: 0 or more than there are: all. */
	__u32 top_k;
	/** @top_p: float32, above 0, at most 1. */
	__u32 top_p;
};

#define QUILL_FIELDS_sample(F) \
	F(sample, src, ADDR) F(sample, dst, ADDR) F(sample, prob, ADDR) F(sample, rows, DIM) \
	F(sample, n, DIM) F(sample, src_stride, STRIDE) F(sample, temperature, REAL) \
	F(sample, top_k, DIM) F(sample, top_p, REAL)

/**
 * struct quill_ext_sample - SAMPLE, second record: which random numbers
 */
struct quill_ext_sample {
	struct quill_cmd_hdr hdr;
	/** @seed: the generator's key. */
	__u64 seed;
	/** @counter: where in its sequence: another for each step, the position of the token, say. */
	__u64 counter;
	/** @reserved: zero. */
	__u64 reserved[4];
};

#define QUILL_FIELDS_sample_ext(F) \
	F(sample_ext, seed, WORD) F(sample_ext, counter, WORD) F(sample_ext, reserved, ZERO)

#endif /* QUILL_ISA_SAMPLE_H */
