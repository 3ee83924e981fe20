/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: commands, data types and layouts.
 *
 * The contract between those who write command streams (libaccel, tools) and those who execute
 * them (firmware, emu). docs/isa.md is the specification of what each command computes;
 * isa_check.h holds the rules that a command must keep. Everything is little endian.
 *
 * A stream is an array of 64-byte records at a 64-byte aligned device address. Records
 * are decoded in order. TENSOR, VECTOR and DMA commands then run on their engine: in order
 * on one engine, in any order between engines, but for ORDERED, FENCE and semaphores.
 */
#ifndef QUILL_ISA_H
#define QUILL_ISA_H

#include "regs.h"
#include "types.h"

#define QUILL_CMD_SIZE		64
#define QUILL_SEMAPHORES	32	/* of a job; all 0 at its start; number 0 means none */

/* ---- Data types ----------------------------------------------------------- */

enum quill_type {
	QUILL_TYPE_NONE = 0,
	QUILL_TYPE_S8 = 1,
	QUILL_TYPE_S32 = 2,
	QUILL_TYPE_F32 = 3,
	QUILL_TYPE_BF16 = 4,
	QUILL_TYPE_F16 = 5,
	QUILL_TYPE_E4M3 = 6,	/* OCP 8-bit floats */
	QUILL_TYPE_E5M2 = 7,
	QUILL_TYPE_Q8_0 = 8,	/* blocks of 32 values, as in GGUF files */
	QUILL_TYPE_Q4_0 = 9,
	QUILL_TYPE_S4 = 10,	/* two to a byte, with a scale a group */
	QUILL_TYPE_COUNT = 11,
};

#define QUILL_TYPE_BIT(t)	(1u << (t))

/* Bytes of an element; 0 where it has no bytes of its own (NONE, and what comes in blocks or nibbles). */
static inline __u32 quill_type_size(__u32 type)
{
	switch (type) {
	case QUILL_TYPE_S8:
	case QUILL_TYPE_E4M3:
	case QUILL_TYPE_E5M2:
		return 1;
	case QUILL_TYPE_BF16:
	case QUILL_TYPE_F16:
		return 2;
	case QUILL_TYPE_S32:
	case QUILL_TYPE_F32:
		return 4;
	default:
		return 0;
	}
}

/* ---- The header ------------------------------------------------------------- */

/* This command starts when all earlier ones of the job have finished. */
#define QUILL_CMD_ORDERED	(1u << 0)
/* ATTENTION: query i sees keys 0 .. n_kv - n_q + i; else it sees all. */
#define QUILL_CMD_CAUSAL	(1u << 8)
/* ROPE: pairs are (e, e + rotary / 2), as in GPT-NeoX; else (2e, 2e + 1), as in Llama's GGUF files. */
#define QUILL_CMD_HALVES	(1u << 9)

/**
 * struct quill_cmd_hdr - first 16 bytes of every record
 */
struct quill_cmd_hdr {
	/** @opcode: enum quill_opcode. */
	__u8 opcode;
	/** @version: of the opcode's layout: 0. */
	__u8 version;
	/** @flags: QUILL_CMD_*, as the opcode permits. */
	__u16 flags;
	/** @type_a: enum quill_type of the first operand, or NONE. */
	__u8 type_a;
	/** @type_b: of the second. */
	__u8 type_b;
	/** @type_d: of the result. */
	__u8 type_d;
	/** @ext: extension records that follow: as many as the opcode's row permits. */
	__u8 ext;
	/** @wait_sem: semaphore that must have reached @wait_value before the start; 0: none. */
	__u8 wait_sem;
	/** @signal_sem: semaphore that grows by one at the end; 0: none. */
	__u8 signal_sem;
	/** @seq: the writer's own mark; comes back in the report of a fault. */
	__u16 seq;
	/** @wait_value: 0 if @wait_sem is. */
	__u32 wait_value;
};

/* ---- The command table -------------------------------------------------------- */

/* A command is its record and so many extension records at most. */
#define QUILL_MAX_EXT		3
#define QUILL_MAX_RECORDS	(1 + QUILL_MAX_EXT)

#define QUILL_TN	QUILL_TYPE_BIT(QUILL_TYPE_NONE)
#define QUILL_TS8	QUILL_TYPE_BIT(QUILL_TYPE_S8)
#define QUILL_TS32	QUILL_TYPE_BIT(QUILL_TYPE_S32)
#define QUILL_TF32	QUILL_TYPE_BIT(QUILL_TYPE_F32)
#define QUILL_TBF16	QUILL_TYPE_BIT(QUILL_TYPE_BF16)
/* What GEMM multiplies as floats, and weights with a scale a block. */
#define QUILL_TFLOATS	(QUILL_TYPE_BIT(QUILL_TYPE_BF16) | QUILL_TYPE_BIT(QUILL_TYPE_E4M3) | \
			 QUILL_TYPE_BIT(QUILL_TYPE_E5M2))
#define QUILL_TNUMBERS	(QUILL_TFLOATS | QUILL_TF32 | QUILL_TYPE_BIT(QUILL_TYPE_F16))
#define QUILL_TBLOCKS	(QUILL_TYPE_BIT(QUILL_TYPE_Q8_0) | QUILL_TYPE_BIT(QUILL_TYPE_Q4_0) | \
			 QUILL_TYPE_BIT(QUILL_TYPE_S4))

/*
 * One row an opcode:
 * X(NAME, name, code, engine, least ext, most ext, record, extensions 1..3, flags, types of a, of b, of d)
 * From it come the enumeration below, the checks (isa_check.h calls quill_check_<name>), the firmware's and
 * the device's dispatch (exec_<name>, cost_<name>), names in messages, disassembler, fuzzers and tests.
 */
#define QUILL_OPCODES(X) \
	X(NOP, nop, 0x01, FW, 0, 0, plain, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(FENCE, fence, 0x02, FW, 0, 0, plain, none, none, none, \
	  0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(SEM_WAIT, sem_wait, 0x03, FW, 0, 0, plain, none, none, none, \
	  0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(SEM_SIGNAL, sem_signal, 0x04, FW, 0, 0, plain, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(JUMP, jump, 0x05, FW, 0, 0, jump, none, none, none, \
	  0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(CALL, call, 0x06, FW, 0, 0, call, none, none, none, \
	  0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(LOOP, loop, 0x07, FW, 0, 0, loop, none, none, none, \
	  0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(SET, set, 0x09, FW, 0, 0, set, none, none, none, \
	  0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(PATCH, patch, 0x0a, FW, 0, 0, patch, none, none, none, \
	  0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(TIMESTAMP, timestamp, 0x08, DMA, 0, 0, timestamp, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(COPY, copy, 0x10, DMA, 0, 0, copy, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(FILL, fill, 0x11, DMA, 0, 0, fill, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(TRANSPOSE, transpose, 0x12, DMA, 0, 0, transpose, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(GEMM, gemm, 0x20, TENSOR, 1, 3, gemm, gemm_ext, gemm_post, gemm_batch, \
	  QUILL_CMD_ORDERED, QUILL_TS8 | QUILL_TFLOATS, \
	  QUILL_TS8 | QUILL_TFLOATS | QUILL_TBLOCKS, \
	  QUILL_TS8 | QUILL_TS32 | QUILL_TF32 | QUILL_TBF16) \
	X(CONV2D, conv2d, 0x21, TENSOR, 1, 2, conv2d, conv2d_ext, conv2d_residual, none, \
	  QUILL_CMD_ORDERED, QUILL_TS8, QUILL_TS8, QUILL_TS8 | QUILL_TS32 | QUILL_TF32) \
	X(REPACK, repack, 0x22, TENSOR, 0, 0, repack, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TS8 | QUILL_TFLOATS, QUILL_TN, \
	  QUILL_TS8 | QUILL_TFLOATS | QUILL_TYPE_BIT(QUILL_TYPE_S4)) \
	X(ATTENTION, attention, 0x30, TENSOR, 1, 2, attention, attention_ext, attention_more, none, \
	  QUILL_CMD_ORDERED | QUILL_CMD_CAUSAL, QUILL_TS8 | QUILL_TF32 | QUILL_TBF16, \
	  QUILL_TS8 | QUILL_TBF16, QUILL_TF32) \
	X(MERGE, merge, 0x31, VECTOR, 1, 1, merge, merge_ext, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TF32, QUILL_TF32) \
	X(RMSNORM, rmsnorm, 0x40, VECTOR, 1, 1, norm, norm_ext, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TF32, QUILL_TF32) \
	X(LAYERNORM, layernorm, 0x41, VECTOR, 1, 1, norm, norm_ext, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TF32, QUILL_TF32) \
	X(SOFTMAX, softmax, 0x42, VECTOR, 0, 0, softmax, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TF32) \
	X(ROPE, rope, 0x43, VECTOR, 0, 0, rope, none, none, none, \
	  QUILL_CMD_ORDERED | QUILL_CMD_HALVES, QUILL_TF32, QUILL_TF32, QUILL_TF32) \
	X(QUANTISE, quantise, 0x44, VECTOR, 0, 1, quantise, quantise_ext, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TS8) \
	X(DEQUANTISE, dequantise, 0x45, VECTOR, 0, 0, quantise, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TS8, QUILL_TN, QUILL_TF32) \
	X(ELTWISE, eltwise, 0x46, VECTOR, 0, 0, eltwise, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TF32, QUILL_TF32) \
	X(ACT, act, 0x47, VECTOR, 0, 0, act, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN | QUILL_TF32, QUILL_TF32) \
	X(REDUCE, reduce, 0x48, VECTOR, 0, 0, reduce, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TF32 | QUILL_TS32) \
	X(GATHER, gather, 0x49, VECTOR, 0, 1, gather, gather_ext, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TS8 | QUILL_TF32 | QUILL_TYPE_BIT(QUILL_TYPE_BF16) | \
	  QUILL_TYPE_BIT(QUILL_TYPE_F16) | QUILL_TYPE_BIT(QUILL_TYPE_Q8_0) | \
	  QUILL_TYPE_BIT(QUILL_TYPE_Q4_0), QUILL_TS32, QUILL_TF32) \
	X(KV_APPEND, kv_append, 0x4a, VECTOR, 1, 1, kv_append, kv_append_ext, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TS8 | QUILL_TBF16) \
	X(TOPK, topk, 0x4b, VECTOR, 0, 0, topk, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TF32) \
	X(SAMPLE, sample, 0x4c, VECTOR, 1, 1, sample, sample_ext, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TS32) \
	X(POOL, pool, 0x4d, VECTOR, 0, 0, pool, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TS8 | QUILL_TF32, QUILL_TN, QUILL_TS8 | QUILL_TF32) \
	X(CONVERT, convert, 0x4e, VECTOR, 0, 0, convert, none, none, none, \
	  QUILL_CMD_ORDERED, QUILL_TNUMBERS, QUILL_TN, QUILL_TNUMBERS)

enum quill_opcode {
#define QUILL_X(NAME, name, code, ...) QUILL_OP_##NAME = code,
	QUILL_OPCODES(QUILL_X)
#undef QUILL_X
	/* The further records of a command that has them; their header is otherwise zero. */
	QUILL_OP_EXT = 0x7f,
};

/* ---- Bodies --------------------------------------------------------------------- */

/*
 * Behind each struct stands the list of its fields, F(record, field, kind), from which come the check of what has
 * to be zero, names in messages, disassembler and fuzzers. Kinds:
 *   ADDR    device address, or 0 where the operand is absent
 *   DIM     a count: rows, columns, heads ...
 *   STRIDE  elements or bytes from one row to the next
 *   SIZE    bytes
 *   NUMBER  one of a few: an operation, a mode
 *   SIGNED  two's complement
 *   REAL    the bits of a float32
 *   TARGET  a place in the stream, in bytes
 *   WORD    bits without a meaning of their own, or each with one
 *   ZERO    reserved
 */

#include "isa_control.h"
#include "isa_dma.h"
#include "isa_tensor.h"
#include "isa_attention.h"
#include "isa_vector.h"
#include "isa_format.h"
#include "isa_sample.h"
#include "isa_conv.h"

/*
 * The kinds of record: R(name in the union and of the list of fields, struct).
 */
#define QUILL_RECORDS(R) \
	R(plain, quill_cmd_plain) R(jump, quill_cmd_jump) R(call, quill_cmd_call) \
	R(loop, quill_cmd_loop) R(set, quill_cmd_set) R(patch, quill_cmd_patch) \
	R(timestamp, quill_cmd_timestamp) \
	R(copy, quill_cmd_copy) R(fill, quill_cmd_fill) R(transpose, quill_cmd_transpose) \
	R(gemm, quill_cmd_gemm) R(gemm_ext, quill_ext_gemm) \
	R(gemm_post, quill_ext_gemm_post) R(gemm_batch, quill_ext_gemm_batch) \
	R(attention, quill_cmd_attention) R(attention_ext, quill_ext_attention) \
	R(attention_more, quill_ext_attention_more) R(merge, quill_cmd_merge) \
	R(merge_ext, quill_ext_merge) R(kv_append, quill_cmd_kv_append) \
	R(kv_append_ext, quill_ext_kv_append) \
	R(norm, quill_cmd_norm) R(norm_ext, quill_ext_norm) R(softmax, quill_cmd_softmax) \
	R(rope, quill_cmd_rope) R(quantise, quill_cmd_quantise) \
	R(quantise_ext, quill_ext_quantise) R(eltwise, quill_cmd_eltwise) \
	R(act, quill_cmd_act) R(reduce, quill_cmd_reduce) R(gather, quill_cmd_gather) \
	R(gather_ext, quill_ext_gather) \
	R(topk, quill_cmd_topk) R(sample, quill_cmd_sample) R(sample_ext, quill_ext_sample) \
	R(conv2d, quill_cmd_conv2d) R(conv2d_ext, quill_ext_conv2d) \
	R(conv2d_residual, quill_ext_conv2d_residual) R(pool, quill_cmd_pool) \
	R(convert, quill_cmd_convert) R(repack, quill_cmd_repack)

enum quill_record {
	QUILL_RECORD_none,
#define QUILL_R(name, type) QUILL_RECORD_##name,
	QUILL_RECORDS(QUILL_R)
#undef QUILL_R
	QUILL_RECORD_COUNT,
};

/** union quill_cmd - one record */
union quill_cmd {
	struct quill_cmd_hdr hdr;
#define QUILL_R(name, type) struct type name;
	QUILL_RECORDS(QUILL_R)
#undef QUILL_R
	__u64 raw[8];
};

#endif /* QUILL_ISA_H */
