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

#endif /* QUILL_ISA_WEIGHTS_H */
