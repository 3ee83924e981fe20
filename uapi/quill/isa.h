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
};

#define QUILL_TYPE_BIT(t)	(1u << (t))

static inline __u32 quill_type_size(__u32 type)
{
	return type == QUILL_TYPE_S8 ? 1 : 4;
}

/* ---- The header ------------------------------------------------------------- */

/* This command starts when all earlier ones of the job have finished. */
#define QUILL_CMD_ORDERED	(1u << 0)
/* ATTENTION: query i sees keys 0 .. n_kv - n_q + i; else it sees all. */
#define QUILL_CMD_CAUSAL	(1u << 8)
/* ROPE: pairs are (e, e + dim / 2), as in GPT-NeoX; else (2e, 2e + 1), as in Llama's GGUF files. */
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
	/** @ext: extension records that follow: what the opcode needs. */
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

#define QUILL_TN	QUILL_TYPE_BIT(QUILL_TYPE_NONE)
#define QUILL_TS8	QUILL_TYPE_BIT(QUILL_TYPE_S8)
#define QUILL_TOUT	(QUILL_TYPE_BIT(QUILL_TYPE_S8) | QUILL_TYPE_BIT(QUILL_TYPE_S32) | \
			 QUILL_TYPE_BIT(QUILL_TYPE_F32))
#define QUILL_TS32	QUILL_TYPE_BIT(QUILL_TYPE_S32)
#define QUILL_TF32	QUILL_TYPE_BIT(QUILL_TYPE_F32)

/*
 * One row an opcode:
 * X(NAME, name, code, engine, ext, flags, types of a, of b, of d)
 * From it come the enumeration below, the checks (isa_check.h), the firmware's and the device's
 * dispatch, names in messages, and the tests' lists.
 */
#define QUILL_OPCODES(X) \
	X(NOP, nop, 0x01, FW, 0, QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(FENCE, fence, 0x02, FW, 0, 0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(SEM_WAIT, sem_wait, 0x03, FW, 0, 0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(SEM_SIGNAL, sem_signal, 0x04, FW, 0, QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(JUMP, jump, 0x05, FW, 0, 0, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(TIMESTAMP, timestamp, 0x08, DMA, 0, QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(COPY, copy, 0x10, DMA, 0, QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(FILL, fill, 0x11, DMA, 0, QUILL_CMD_ORDERED, QUILL_TN, QUILL_TN, QUILL_TN) \
	X(GEMM, gemm, 0x20, TENSOR, 1, QUILL_CMD_ORDERED, QUILL_TS8, QUILL_TS8, QUILL_TOUT) \
	X(ATTENTION, attention, 0x30, TENSOR, 1, QUILL_CMD_ORDERED | QUILL_CMD_CAUSAL, \
	  QUILL_TS8, QUILL_TS8, QUILL_TF32) \
	X(RMSNORM, rmsnorm, 0x40, VECTOR, 1, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TF32, QUILL_TF32) \
	X(LAYERNORM, layernorm, 0x41, VECTOR, 1, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TF32, \
	  QUILL_TF32) \
	X(SOFTMAX, softmax, 0x42, VECTOR, 0, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TF32) \
	X(ROPE, rope, 0x43, VECTOR, 0, QUILL_CMD_ORDERED | QUILL_CMD_HALVES, QUILL_TF32, QUILL_TF32, \
	  QUILL_TF32) \
	X(QUANTISE, quantise, 0x44, VECTOR, 0, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, QUILL_TS8) \
	X(DEQUANTISE, dequantise, 0x45, VECTOR, 0, QUILL_CMD_ORDERED, QUILL_TS8, QUILL_TN, \
	  QUILL_TF32) \
	X(ELTWISE, eltwise, 0x46, VECTOR, 0, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TF32, QUILL_TF32) \
	X(ACT, act, 0x47, VECTOR, 0, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN | QUILL_TF32, \
	  QUILL_TF32) \
	X(REDUCE, reduce, 0x48, VECTOR, 0, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TN, \
	  QUILL_TF32 | QUILL_TS32) \
	X(GATHER, gather, 0x49, VECTOR, 0, QUILL_CMD_ORDERED, QUILL_TF32, QUILL_TS32, QUILL_TF32)

enum quill_opcode {
#define QUILL_X(NAME, name, code, ...) QUILL_OP_##NAME = code,
	QUILL_OPCODES(QUILL_X)
#undef QUILL_X
	/* Second record of a command whose ext says so; its header is otherwise zero. */
	QUILL_OP_EXT = 0x7f,
};

/* ---- Bodies --------------------------------------------------------------------- */

/**
 * struct quill_cmd_plain - NOP, FENCE, SEM_WAIT, SEM_SIGNAL: the header says it all
 *
 * NOP does nothing. FENCE holds back decoding until all earlier commands have finished; SEM_WAIT,
 * until wait_sem has reached wait_value. SEM_SIGNAL adds one to signal_sem.
 */
struct quill_cmd_plain {
	struct quill_cmd_hdr hdr;
	/** @reserved: zero. */
	__u64 reserved[6];
};

/**
 * struct quill_cmd_jump - JUMP: go on at another record of this stream
 */
struct quill_cmd_jump {
	struct quill_cmd_hdr hdr;
	/** @target: bytes from the stream's start, a multiple of 64, inside the stream. */
	__u64 target;
	/** @reserved: zero. */
	__u64 reserved[5];
};

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

/*
 * GEMM: D[m][n] = epilogue(sum over k of A[m][k] * B[k][n]), exact in 32 bits since k is
 * limited. A is row-major int8. B is packed: see quill_packed_*.
 *
 * Epilogue by type_d (acc: the sum; all roundings to nearest even):
 *   S32: acc + bias[n], modulo 2^32; bias (s32[n]) may be absent;
 *   S8:  clamp(round((acc + bias[n]) * mult[n] / 2^shift[n]) + zero, lo, hi), in exact
 *        arithmetic with one rounding (acc + bias modulo 2^32);
 *   F32: s = scale[n], or scale[n] * row_scale[m] if row_scale is given;
 *        (float)acc * s, or fma((float)acc, s, bias[n]) if bias (f32[n]) is given.
 *        A NaN is stored as 0x7fc00000.
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
	/** @b: device address of packed B, 64-byte aligned. */
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
	/** @reserved: zero. */
	__u32 reserved;
};

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
	/** @scale: S8: struct quill_requant[n], 8-byte aligned; F32: f32[n], 4-byte aligned; S32: 0. */
	__u64 scale;
	/** @row_scale: F32: f32[m], 4-byte aligned, or 0; else 0. */
	__u64 row_scale;
	/** @zero: S8: added after the rounding, -128..127; else 0. */
	__s32 zero;
	/** @lo: S8: least result, -128..127; else 0. */
	__s32 lo;
	/** @hi: S8: largest result, @lo..127; else 0. */
	__s32 hi;
	/** @reserved: zero. */
	__u32 reserved[3];
};

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

/*
 * ATTENTION: out = softmax(Q K^T * softmax_scale) V, for n_heads heads of queries, of which
 * n_heads / n_kv_heads consecutive ones share a head of keys and values. Element (i, h, e)
 * of Q is at q + i * q_stride + h * head_dim + e, of out likewise (in elements); element
 * (j, g, e) of K and of V at j * kv_stride + g * kv_head_stride + e. Scales are float32, one
 * for each (i, h) or (j, g): the arrays of scales have the layout of their tensor with the last dimension
 * dropped, so the strides in them are these divided by head_dim.
 *
 * docs/isa.md defines the online softmax (blocks of QUILL_ATTENTION_BLOCK keys) to the bit.
 */
#define QUILL_ATTENTION_BLOCK		64
#define QUILL_ATTENTION_MAX_Q		65536u
#define QUILL_ATTENTION_MAX_KV		(1u << 20)
#define QUILL_ATTENTION_MAX_HEADS	1024u
#define QUILL_ATTENTION_MAX_HEAD_DIM	256u	/* and a multiple of 16 */

/**
 * struct quill_cmd_attention - ATTENTION, first record
 */
struct quill_cmd_attention {
	struct quill_cmd_hdr hdr;
	/** @q: device address of Q, int8. */
	__u64 q;
	/** @k: device address of K, int8. */
	__u64 k;
	/** @v: device address of V, int8. */
	__u64 v;
	/** @out: device address of the result, float32, 4-byte aligned. */
	__u64 out;
	/** @n_q: queries, 1..QUILL_ATTENTION_MAX_Q; CAUSAL: at most @n_kv. */
	__u32 n_q;
	/** @n_kv: keys, 1..QUILL_ATTENTION_MAX_KV. */
	__u32 n_kv;
	/** @n_heads: heads of queries, a multiple of @n_kv_heads. */
	__u16 n_heads;
	/** @n_kv_heads: heads of keys and values, at least 1. */
	__u16 n_kv_heads;
	/** @head_dim: elements of a head, a multiple of 16, 16..QUILL_ATTENTION_MAX_HEAD_DIM. */
	__u16 head_dim;
	/** @reserved: zero. */
	__u16 reserved;
};

/**
 * struct quill_ext_attention - ATTENTION, second record
 */
struct quill_ext_attention {
	struct quill_cmd_hdr hdr;
	/** @q_scale: device address, 4-byte aligned. */
	__u64 q_scale;
	/** @k_scale: device address, 4-byte aligned. */
	__u64 k_scale;
	/** @v_scale: device address, 4-byte aligned. */
	__u64 v_scale;
	/** @q_stride: elements from query to query, a multiple of head_dim, at least n_heads * head_dim. */
	__u32 q_stride;
	/** @out_stride: elements from query to query of the result, at least n_heads * head_dim. */
	__u32 out_stride;
	/** @kv_stride: elements from key to key, a multiple of head_dim, not 0. */
	__u32 kv_stride;
	/** @kv_head_stride: elements from head to head of K and V, a multiple of head_dim, not 0. */
	__u32 kv_head_stride;
	/** @softmax_scale: float32, finite. */
	__u32 softmax_scale;
	/** @reserved: zero. */
	__u32 reserved;
};

/*
 * VECTOR commands work on matrices of float32, row-major: row i of an operand is at its address plus i
 * strides, in elements. A row of a result must not overlap another row, and a result must not overlap an
 * operand unless it is that very operand (same address, same stride).
 */
#define QUILL_VECTOR_MAX_ROWS	(1u << 24)
#define QUILL_VECTOR_MAX_N	(1u << 24)

/**
 * struct quill_cmd_norm - RMSNORM and LAYERNORM, first record: a row at a time
 *
 * x = src, or src + residual. RMSNORM: x / sqrt(mean(x^2) + eps) * weight. LAYERNORM:
 * (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias.
 */
struct quill_cmd_norm {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @weight: device address of f32[n], 4-byte aligned. */
	__u64 weight;
	/** @residual: device address, 4-byte aligned, or 0: none. */
	__u64 residual;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @src_stride: at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @dst_stride: at least @n (if @rows is over 1). */
	__u32 dst_stride;
};

/**
 * struct quill_ext_norm - RMSNORM and LAYERNORM, second record
 */
struct quill_ext_norm {
	struct quill_cmd_hdr hdr;
	/** @bias: LAYERNORM: device address of f32[n], 4-byte aligned, or 0; RMSNORM: 0. */
	__u64 bias;
	/** @sum: where src + residual goes, with @src's stride, 4-byte aligned, or 0; 0 without residual. */
	__u64 sum;
	/** @residual_stride: at least n (if rows is over 1); 0 without residual. */
	__u32 residual_stride;
	/** @eps: float32, finite, not negative. */
	__u32 eps;
	/** @reserved: zero. */
	__u64 reserved[3];
};

/**
 * struct quill_cmd_softmax - SOFTMAX: exp(x * scale - max) / sum, a row at a time
 */
struct quill_cmd_softmax {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @src_stride: at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @dst_stride: at least @n (if @rows is over 1). */
	__u32 dst_stride;
	/** @scale: float32, finite. */
	__u32 scale;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved1: zero. */
	__u64 reserved1;
};

/**
 * struct quill_cmd_rope - ROPE: turn pairs of elements by the angles of a table
 *
 * A row has @heads heads of @dim elements. Row i of the table holds dim / 2 pairs (cos, sin), for pair j
 * of every head of row i: (x, y) becomes (x cos - y sin, x sin + y cos).
 */
struct quill_cmd_rope {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @table: device address of f32[rows][dim], 4-byte aligned. */
	__u64 table;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @heads: 1..QUILL_ATTENTION_MAX_HEADS. */
	__u16 heads;
	/** @dim: elements of a head, even, 2..QUILL_ATTENTION_MAX_HEAD_DIM. */
	__u16 dim;
	/** @src_stride: at least heads * dim (if @rows is over 1). */
	__u32 src_stride;
	/** @dst_stride: at least heads * dim (if @rows is over 1). */
	__u32 dst_stride;
	/** @reserved: zero. */
	__u64 reserved;
};

/**
 * struct quill_cmd_quantise - QUANTISE (float32 to int8) and DEQUANTISE (back), with a scale a group
 *
 * QUANTISE: scale = max |x| / 127 over the group, q = round(x / scale), as libaccel's
 * accel_quantise_rows_s8(); docs/isa.md has the rounding and what a NaN does. DEQUANTISE: q * scale.
 */
struct quill_cmd_quantise {
	struct quill_cmd_hdr hdr;
	/** @src: device address, aligned to its element. */
	__u64 src;
	/** @dst: device address, aligned to its element. */
	__u64 dst;
	/** @scale: device address: group g of row i at scale + i * scale_stride + g, float32, 4-byte aligned. */
	__u64 scale;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @group: elements that share a scale: divides @n. */
	__u32 group;
	/** @src_stride: at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @dst_stride: at least @n (if @rows is over 1). */
	__u32 dst_stride;
	/** @scale_stride: at least n / group (if @rows is over 1). */
	__u32 scale_stride;
};

enum quill_eltwise_op {
	QUILL_ELTWISE_ADD = 0,
	QUILL_ELTWISE_SUB = 1,
	QUILL_ELTWISE_MUL = 2,
	QUILL_ELTWISE_MAX = 3,
	QUILL_ELTWISE_MIN = 4,
	QUILL_ELTWISE_COUNT = 5,
};

/**
 * struct quill_cmd_eltwise - ELTWISE: dst = a op b
 */
struct quill_cmd_eltwise {
	struct quill_cmd_hdr hdr;
	/** @a: device address, 4-byte aligned. */
	__u64 a;
	/** @b: device address, 4-byte aligned. */
	__u64 b;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @a_stride: at least @n (if @rows is over 1). */
	__u32 a_stride;
	/** @b_stride: at least @n, or 0: one row for all. */
	__u32 b_stride;
	/** @dst_stride: at least @n (if @rows is over 1). */
	__u32 dst_stride;
	/** @op: enum quill_eltwise_op. */
	__u32 op;
};

enum quill_act_op {
	QUILL_ACT_RELU = 0,
	QUILL_ACT_SIGMOID = 1,
	QUILL_ACT_SILU = 2,	/* x * sigmoid(x) */
	QUILL_ACT_TANH = 3,
	QUILL_ACT_GELU = 4,	/* the form with tanh */
	QUILL_ACT_COUNT = 5,
};

/**
 * struct quill_cmd_act - ACT: dst = f(src), or f(src) * gate
 */
struct quill_cmd_act {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @gate: device address, 4-byte aligned; 0 if type_b is NONE. */
	__u64 gate;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @src_stride: at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @gate_stride: at least @n (if @rows is over 1); 0 if type_b is NONE. */
	__u32 gate_stride;
	/** @dst_stride: at least @n (if @rows is over 1). */
	__u32 dst_stride;
	/** @op: enum quill_act_op. */
	__u32 op;
};

enum quill_reduce_op {
	QUILL_REDUCE_SUM = 0,
	QUILL_REDUCE_MAX = 1,
	QUILL_REDUCE_ARGMAX = 2,	/* type_d S32; ties: the lowest index */
	QUILL_REDUCE_COUNT = 3,
};

/**
 * struct quill_cmd_reduce - REDUCE: one value a row
 */
struct quill_cmd_reduce {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @dst: device address of f32[rows] or s32[rows], 4-byte aligned. */
	__u64 dst;
	/** @rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @src_stride: at least @n (if @rows is over 1). */
	__u32 src_stride;
	/** @op: enum quill_reduce_op. */
	__u32 op;
	/** @reserved: zero. */
	__u64 reserved[2];
};

/**
 * struct quill_cmd_gather - GATHER: row i of dst is row index[i] of a table (an embedding, say)
 *
 * An index outside the table is QUILL_FAULT_PARAM.
 */
struct quill_cmd_gather {
	struct quill_cmd_hdr hdr;
	/** @table: device address, 4-byte aligned. */
	__u64 table;
	/** @index: device address of s32[rows], 4-byte aligned. */
	__u64 index;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @rows: of dst, 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N. */
	__u32 n;
	/** @table_rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 table_rows;
	/** @table_stride: at least @n (if @table_rows is over 1). */
	__u32 table_stride;
	/** @dst_stride: at least @n (if @rows is over 1). */
	__u32 dst_stride;
	/** @reserved: zero. */
	__u32 reserved;
};

/** union quill_cmd - one record */
union quill_cmd {
	struct quill_cmd_hdr hdr;
	struct quill_cmd_plain plain;
	struct quill_cmd_jump jump;
	struct quill_cmd_timestamp timestamp;
	struct quill_cmd_copy copy;
	struct quill_cmd_fill fill;
	struct quill_cmd_gemm gemm;
	struct quill_ext_gemm gemm_ext;
	struct quill_cmd_attention attention;
	struct quill_ext_attention attention_ext;
	struct quill_cmd_norm norm;
	struct quill_ext_norm norm_ext;
	struct quill_cmd_softmax softmax;
	struct quill_cmd_rope rope;
	struct quill_cmd_quantise quantise;
	struct quill_cmd_eltwise eltwise;
	struct quill_cmd_act act;
	struct quill_cmd_reduce reduce;
	struct quill_cmd_gather gather;
	__u64 raw[8];
};

#endif /* QUILL_ISA_H */
