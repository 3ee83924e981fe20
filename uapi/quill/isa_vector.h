/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the commands of the VECTOR engine. Included by isa.h, after the header.
 */
#ifndef QUILL_ISA_VECTOR_H
#define QUILL_ISA_VECTOR_H

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

#define QUILL_FIELDS_norm(F) \
	F(norm, src, ADDR) F(norm, dst, ADDR) F(norm, weight, ADDR) F(norm, residual, ADDR) \
	F(norm, rows, DIM) F(norm, n, DIM) F(norm, src_stride, STRIDE) F(norm, dst_stride, STRIDE)

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

#define QUILL_FIELDS_norm_ext(F) \
	F(norm_ext, bias, ADDR) F(norm_ext, sum, ADDR) F(norm_ext, residual_stride, STRIDE) \
	F(norm_ext, eps, REAL) F(norm_ext, reserved, ZERO)

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

#define QUILL_FIELDS_softmax(F) \
	F(softmax, src, ADDR) F(softmax, dst, ADDR) F(softmax, rows, DIM) F(softmax, n, DIM) \
	F(softmax, src_stride, STRIDE) F(softmax, dst_stride, STRIDE) F(softmax, scale, REAL) \
	F(softmax, reserved0, ZERO) F(softmax, reserved1, ZERO)

/**
 * struct quill_cmd_rope - ROPE: turn pairs of elements by the angles of a table
 *
 * A row has @heads heads of @dim elements, of which the first @rotary turn and the others are copied. Row i of the
 * table holds rotary / 2 pairs (cos, sin), for pair j of every head of row i: (x, y) becomes
 * (x cos - y sin, x sin + y cos).
 */
struct quill_cmd_rope {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @table: device address of f32[rows][rotary], 4-byte aligned. */
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
	/** @rotary: even, at most @dim; 0: @dim. */
	__u32 rotary;
	/** @reserved: zero. */
	__u32 reserved;
};

#define QUILL_FIELDS_rope(F) \
	F(rope, src, ADDR) F(rope, dst, ADDR) F(rope, table, ADDR) F(rope, rows, DIM) \
	F(rope, heads, DIM) F(rope, dim, DIM) F(rope, src_stride, STRIDE) \
	F(rope, dst_stride, STRIDE) F(rope, rotary, DIM) F(rope, reserved, ZERO)

/* Elements of a head that turn. */
static inline __u32 quill_rope_rotary(const struct quill_cmd_rope *c)
{
	return c->rotary ? c->rotary : c->dim;
}

/**
 * struct quill_cmd_quantise - QUANTISE (float32 to int8) and DEQUANTISE (back), with a scale a group
 *
 * QUANTISE: scale = max |x| / 127 over the group, q = round(x / scale), as libaccel's
 * accel_quantise_rows_s8(); docs/isa.md has the rounding and what a NaN does. With a second record scales are
 * given. DEQUANTISE: q * scale.
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
	/** @scale_stride: at least n / group (if @rows is over 1); where scales are read, or 0: one row for all. */
	__u32 scale_stride;
};

#define QUILL_FIELDS_quantise(F) \
	F(quantise, src, ADDR) F(quantise, dst, ADDR) F(quantise, scale, ADDR) \
	F(quantise, rows, DIM) F(quantise, n, DIM) F(quantise, group, DIM) \
	F(quantise, src_stride, STRIDE) F(quantise, dst_stride, STRIDE) \
	F(quantise, scale_stride, STRIDE)

/**
 * struct quill_ext_quantise - QUANTISE, second record: scales are read, and
 * q = clamp(round(x / scale) + zero, lo, hi)
 */
struct quill_ext_quantise {
	struct quill_cmd_hdr hdr;
	/** @zero: -128..127. */
	__s32 zero;
	/** @lo: -128..127. */
	__s32 lo;
	/** @hi: @lo..127. */
	__s32 hi;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved: zero. */
	__u64 reserved[4];
};

#define QUILL_FIELDS_quantise_ext(F) \
	F(quantise_ext, zero, SIGNED) F(quantise_ext, lo, SIGNED) F(quantise_ext, hi, SIGNED) \
	F(quantise_ext, reserved0, ZERO) F(quantise_ext, reserved, ZERO)

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

#define QUILL_FIELDS_eltwise(F) \
	F(eltwise, a, ADDR) F(eltwise, b, ADDR) F(eltwise, dst, ADDR) F(eltwise, rows, DIM) \
	F(eltwise, n, DIM) F(eltwise, a_stride, STRIDE) F(eltwise, b_stride, STRIDE) \
	F(eltwise, dst_stride, STRIDE) F(eltwise, op, NUMBER)

enum quill_act_op {
	QUILL_ACT_RELU = 0,
	QUILL_ACT_SIGMOID = 1,
	QUILL_ACT_SILU = 2,	/* x * sigmoid(x) */
	QUILL_ACT_TANH = 3,
	QUILL_ACT_GELU = 4,	/* the form with tanh */
	QUILL_ACT_GELU_ERF = 5,	/* the form with erf */
	QUILL_ACT_COUNT = 6,
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

#define QUILL_FIELDS_act(F) \
	F(act, src, ADDR) F(act, gate, ADDR) F(act, dst, ADDR) F(act, rows, DIM) F(act, n, DIM) \
	F(act, src_stride, STRIDE) F(act, gate_stride, STRIDE) F(act, dst_stride, STRIDE) \
	F(act, op, NUMBER)

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

#define QUILL_FIELDS_reduce(F) \
	F(reduce, src, ADDR) F(reduce, dst, ADDR) F(reduce, rows, DIM) F(reduce, n, DIM) \
	F(reduce, src_stride, STRIDE) F(reduce, op, NUMBER) F(reduce, reserved, ZERO)

/**
 * struct quill_cmd_gather - GATHER: row i of dst is row index[i] of a table (an embedding, say)
 *
 * An index outside the table is QUILL_FAULT_PARAM.
 */
struct quill_cmd_gather {
	struct quill_cmd_hdr hdr;
	/** @table: device address, aligned to 4 bytes for F32, to 1 for S8, else to 2. */
	__u64 table;
	/** @index: device address of s32[rows], 4-byte aligned. */
	__u64 index;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @rows: of dst, 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 rows;
	/** @n: elements of a row, 1..QUILL_VECTOR_MAX_N; Q8_0, Q4_0: a multiple of 32. */
	__u32 n;
	/** @table_rows: 1..QUILL_VECTOR_MAX_ROWS. */
	__u32 table_rows;
	/** @table_stride: at least @n (if @table_rows is over 1); Q8_0, Q4_0: a multiple of 32. */
	__u32 table_stride;
	/** @dst_stride: at least @n (if @rows is over 1). */
	__u32 dst_stride;
	/** @reserved: zero. */
	__u32 reserved;
};

#define QUILL_FIELDS_gather(F) \
	F(gather, table, ADDR) F(gather, index, ADDR) F(gather, dst, ADDR) F(gather, rows, DIM) \
	F(gather, n, DIM) F(gather, table_rows, DIM) F(gather, table_stride, STRIDE) \
	F(gather, dst_stride, STRIDE) F(gather, reserved, ZERO)

/**
 * struct quill_ext_gather - GATHER from S8, second record: what its elements are times
 */
struct quill_ext_gather {
	struct quill_cmd_hdr hdr;
	/** @scale: device address: of row r of the table at scale + r * scale_stride, float32, 4-byte aligned. */
	__u64 scale;
	/** @scale_stride: in elements; 0: one scale for the table. */
	__u32 scale_stride;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved: zero. */
	__u64 reserved[4];
};

#define QUILL_FIELDS_gather_ext(F) \
	F(gather_ext, scale, ADDR) F(gather_ext, scale_stride, STRIDE) \
	F(gather_ext, reserved0, ZERO) F(gather_ext, reserved, ZERO)

#endif /* QUILL_ISA_VECTOR_H */
