/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: layouts of weights, B of a GEMM, that are not int8: blocks as in GGUF files, and panels of
 * other types. Included by isa_tensor.h.
 */
#ifndef QUILL_ISA_WEIGHTS_H
#define QUILL_ISA_WEIGHTS_H

/*
 * Blocks, byte for byte as in a GGUF file: row n of the weights (an output's) is k / 32 blocks, one behind the
 * other. A weight is q * d, or for Q4_0 (q - 8) * d.
 */
#define QUILL_BLOCK	32

/** struct quill_q8_0 - 32 weights of 8 bits */
struct quill_q8_0 {
	/** @d: scale, float16. */
	__u16 d;
	/** @q: the weights, over @d. */
	__s8 q[QUILL_BLOCK];
};

/** struct quill_q4_0 - 32 weights of 4 bits */
struct quill_q4_0 {
	/** @d: scale, float16. */
	__u16 d;
	/** @q: weight i over @d, plus 8, in the low half of byte i; weight i + 16 in its high half. */
	__u8 q[QUILL_BLOCK / 2];
};

/* Bytes of a block; 0 for a type that has none. */
static inline __u32 quill_block_size(__u32 type)
{
	return type == QUILL_TYPE_Q8_0 ? sizeof(struct quill_q8_0) :
	       type == QUILL_TYPE_Q4_0 ? sizeof(struct quill_q4_0) : 0;
}

/*
 * Sums. With Q8_0, Q4_0 and S4, A is int8; for each group of k (32, but for S4) the sum is exact; then
 *	acc = fma(sum, scale of B * scale of A, acc)
 * group by group, in float32; the scale of A is 1 without row_scale_stride. With floats,
 *	acc = fma(A[m][k], B[k][n], acc)
 * k by k. Then D = acc * (scale[n] * row_scale[m]), fused with + bias[n] if there is one; what is absent is 1.
 *
 * Packed B of other types than int8 is panels of 64 columns too, groups of 256 bytes, 4 bytes a column: 2 values of
 * BF16; 4 of E4M3 or E5M2; or 8 of S4, plus 8 each, k = 0..3 of the group in the low halves of the 4 bytes,
 * k = 4..7 in the high ones.
 */

/* Values of a column in a group of packed B. */
static inline __u32 quill_packed_values(__u32 type)
{
	return type == QUILL_TYPE_S4 ? 8 : type == QUILL_TYPE_BF16 ? 2 : 4;
}

/* Bytes of one panel of packed B. */
static inline __u64 quill_packed_panel_of(__u32 type, __u32 k)
{
	__u32 values = quill_packed_values(type);

	return (__u64)((k + values - 1) / values) * 256;
}

/* Bytes of packed B. */
static inline __u64 quill_packed_size_of(__u32 type, __u32 n, __u32 k)
{
	return (__u64)((n + 63) / 64) * quill_packed_panel_of(type, k);
}

#endif /* QUILL_ISA_WEIGHTS_H */
