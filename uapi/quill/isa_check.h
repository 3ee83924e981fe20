/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the rules that a command must keep, written once.
 *
 * libaccel calls this while it encodes (so that a caller hears at once), the firmware before it
 * issues, and the device's issue port again, because it does not trust the firmware. No
 * rule needs memory: what needs it (translation, the contents of a table) the engine finds.
 */
#ifndef QUILL_ISA_CHECK_H
#define QUILL_ISA_CHECK_H

#include "isa.h"

#define QUILL_OFF(type, field)	((__u32)__builtin_offsetof(type, field))

/**
 * struct quill_op_info - an opcode's row of the command table
 */
struct quill_op_info {
	const char *name;
	__u8 opcode;
	__u8 engine;
	__u8 ext;
	__u16 flags;
	__u32 types_a;
	__u32 types_b;
	__u32 types_d;
};

/* The row of @opcode, or NULL. */
static inline const struct quill_op_info *quill_op_info(__u32 opcode)
{
	static const struct quill_op_info table[] = {
#define QUILL_X(NAME, name, code, engine, ext, flags, ta, tb, td) \
		{ #NAME, code, QUILL_ENGINE_##engine, ext, flags, ta, tb, td },
		QUILL_OPCODES(QUILL_X)
#undef QUILL_X
	};
	__u32 i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].opcode == opcode)
			return &table[i];
	return (const struct quill_op_info *)0;
}

/**
 * struct quill_check - what was wrong
 */
struct quill_check {
	/** @fault: enum quill_fault. */
	__u32 fault;
	/** @record: 0, or 1 for the extension record. */
	__u32 record;
	/** @offset: of the field at fault in that record. */
	__u32 offset;
};

static inline __u32 quill_check_fail(struct quill_check *why, __u32 fault, __u32 record,
				     __u32 offset)
{
	why->fault = fault;
	why->record = record;
	why->offset = offset;
	return fault;
}

/* [addr, addr + (rows - 1) * stride + width), all in bytes, lies below 2^48 and not at 0. */
static inline int quill_check_range(__u64 addr, __u32 rows, __u64 stride, __u64 width)
{
	const __u64 end = 1ull << QUILL_VA_BITS;

	/* rows <= 2^24 and stride <= 2^34 by the callers' types and limits: no overflow */
	if (addr == 0 || addr >= end || width > end)
		return 0;
	return (__u64)(rows - 1) * stride + width <= end - addr;
}

static inline __u32 quill_check_zero(const union quill_cmd *cmd, __u32 record, __u32 from,
				     struct quill_check *why)
{
	const __u8 *bytes = (const __u8 *)cmd;
	__u32 i;

	for (i = from; i < QUILL_CMD_SIZE; i++)
		if (bytes[i])
			return quill_check_fail(why, QUILL_FAULT_RESERVED, record, i);
	return QUILL_FAULT_NONE;
}

#define QUILL_REQUIRE(cond, fault, rec, type, field)					\
	do {										\
		if (!(cond))								\
			return quill_check_fail(why, QUILL_FAULT_##fault, rec,		\
						QUILL_OFF(struct type, field));		\
	} while (0)

static inline __u32 quill_check_copy(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_copy *c = &cmd->copy;

	QUILL_REQUIRE(c->width && c->width <= 1ull << 40, SHAPE, 0, quill_cmd_copy, width);
	QUILL_REQUIRE(c->height && c->height <= 1u << 24, SHAPE, 0, quill_cmd_copy, height);
	QUILL_REQUIRE(c->height == 1 || c->dst_stride >= c->width, STRIDE, 0, quill_cmd_copy,
		      dst_stride);
	QUILL_REQUIRE(quill_check_range(c->dst, c->height, c->dst_stride, c->width), RANGE, 0,
		      quill_cmd_copy, dst);
	QUILL_REQUIRE(quill_check_range(c->src, c->height, c->src_stride, c->width), RANGE, 0,
		      quill_cmd_copy, src);
	QUILL_REQUIRE(!c->reserved0, RESERVED, 0, quill_cmd_copy, reserved0);
	QUILL_REQUIRE(!c->reserved1, RESERVED, 0, quill_cmd_copy, reserved1);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_fill(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_fill *c = &cmd->fill;
	__u32 elem = c->elem;

	QUILL_REQUIRE(elem == 1 || elem == 2 || elem == 4 || elem == 8, PARAM, 0,
		      quill_cmd_fill, elem);
	QUILL_REQUIRE(elem == 8 || c->value >> (8 * elem) == 0, PARAM, 0, quill_cmd_fill, value);
	QUILL_REQUIRE(c->width && c->width <= 1ull << 40 && !(c->width & (elem - 1)), SHAPE, 0,
		      quill_cmd_fill, width);
	QUILL_REQUIRE(c->height && c->height <= 1u << 24, SHAPE, 0, quill_cmd_fill, height);
	QUILL_REQUIRE(c->height == 1 || (c->dst_stride >= c->width &&
					 !(c->dst_stride & (elem - 1))),
		      STRIDE, 0, quill_cmd_fill, dst_stride);
	QUILL_REQUIRE(!(c->dst & (elem - 1)), ALIGN, 0, quill_cmd_fill, dst);
	QUILL_REQUIRE(quill_check_range(c->dst, c->height, c->dst_stride, c->width), RANGE, 0,
		      quill_cmd_fill, dst);
	QUILL_REQUIRE(!c->reserved0, RESERVED, 0, quill_cmd_fill, reserved0);
	QUILL_REQUIRE(!c->reserved1, RESERVED, 0, quill_cmd_fill, reserved1);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_epilogue(const union quill_cmd *cmd,
					      struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	int s8 = c->hdr.type_d == QUILL_TYPE_S8;
	int f32 = c->hdr.type_d == QUILL_TYPE_F32;
	__u32 scale_size = s8 ? sizeof(struct quill_requant) : 4;

	QUILL_REQUIRE(!(e->bias & 3), ALIGN, 1, quill_ext_gemm, bias);
	QUILL_REQUIRE(!e->bias || quill_check_range(e->bias, 1, 0, (__u64)c->n * 4), RANGE, 1,
		      quill_ext_gemm, bias);
	QUILL_REQUIRE((s8 || f32) == (e->scale != 0), PARAM, 1, quill_ext_gemm, scale);
	QUILL_REQUIRE(!(e->scale & (scale_size - 1)), ALIGN, 1, quill_ext_gemm, scale);
	QUILL_REQUIRE(!e->scale || quill_check_range(e->scale, 1, 0, (__u64)c->n * scale_size),
		      RANGE, 1, quill_ext_gemm, scale);
	QUILL_REQUIRE(f32 || !e->row_scale, PARAM, 1, quill_ext_gemm, row_scale);
	QUILL_REQUIRE(!(e->row_scale & 3), ALIGN, 1, quill_ext_gemm, row_scale);
	QUILL_REQUIRE(!e->row_scale || quill_check_range(e->row_scale, 1, 0, (__u64)c->m * 4),
		      RANGE, 1, quill_ext_gemm, row_scale);
	QUILL_REQUIRE(s8 ? e->zero >= -128 && e->zero <= 127 : !e->zero, PARAM, 1,
		      quill_ext_gemm, zero);
	QUILL_REQUIRE(s8 ? e->lo >= -128 && e->lo <= 127 : !e->lo, PARAM, 1,
		      quill_ext_gemm, lo);
	QUILL_REQUIRE(s8 ? e->hi >= e->lo && e->hi <= 127 : !e->hi, PARAM, 1,
		      quill_ext_gemm, hi);
	return quill_check_zero(&cmd[1], 1, QUILL_OFF(struct quill_ext_gemm, reserved), why);
}

static inline __u32 quill_check_gemm(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd->gemm;
	__u32 size = quill_type_size(c->hdr.type_d);

	QUILL_REQUIRE(c->m && c->m <= QUILL_GEMM_MAX_MN, SHAPE, 0, quill_cmd_gemm, m);
	QUILL_REQUIRE(c->n && c->n <= QUILL_GEMM_MAX_MN, SHAPE, 0, quill_cmd_gemm, n);
	QUILL_REQUIRE(c->k && c->k <= QUILL_GEMM_MAX_K, SHAPE, 0, quill_cmd_gemm, k);
	QUILL_REQUIRE(c->m == 1 || c->lda >= c->k, STRIDE, 0, quill_cmd_gemm, lda);
	QUILL_REQUIRE(c->m == 1 || c->ldd >= c->n, STRIDE, 0, quill_cmd_gemm, ldd);
	QUILL_REQUIRE(!(c->b & 63), ALIGN, 0, quill_cmd_gemm, b);
	QUILL_REQUIRE(!(c->d & (size - 1)), ALIGN, 0, quill_cmd_gemm, d);
	QUILL_REQUIRE(quill_check_range(c->a, c->m, c->lda, c->k), RANGE, 0, quill_cmd_gemm, a);
	QUILL_REQUIRE(quill_check_range(c->b, 1, 0, quill_packed_size(c->n, c->k)), RANGE, 0,
		      quill_cmd_gemm, b);
	QUILL_REQUIRE(quill_check_range(c->d, c->m, (__u64)c->ldd * size, (__u64)c->n * size),
		      RANGE, 0, quill_cmd_gemm, d);
	QUILL_REQUIRE(!c->reserved, RESERVED, 0, quill_cmd_gemm, reserved);
	return quill_check_gemm_epilogue(cmd, why);
}

static inline __u32 quill_check_attention_ext(const union quill_cmd *cmd,
					      struct quill_check *why)
{
	const struct quill_cmd_attention *c = &cmd[0].attention;
	const struct quill_ext_attention *e = &cmd[1].attention_ext;
	__u32 dim = c->head_dim;
	__u32 row = c->n_heads * dim;
	__u64 kv_row = (__u64)(c->n_kv_heads - 1) * e->kv_head_stride + dim;
	__u64 kv_scales = ((__u64)(c->n_kv_heads - 1) * (e->kv_head_stride / dim) + 1) * 4;

	QUILL_REQUIRE(e->q_stride >= row && e->q_stride % dim == 0, STRIDE, 1,
		      quill_ext_attention, q_stride);
	QUILL_REQUIRE(e->out_stride >= row, STRIDE, 1, quill_ext_attention, out_stride);
	QUILL_REQUIRE(e->kv_stride && e->kv_stride % dim == 0, STRIDE, 1, quill_ext_attention,
		      kv_stride);
	QUILL_REQUIRE(e->kv_head_stride && e->kv_head_stride % dim == 0, STRIDE, 1,
		      quill_ext_attention, kv_head_stride);
	QUILL_REQUIRE((e->softmax_scale & 0x7f800000) != 0x7f800000, PARAM, 1,
		      quill_ext_attention, softmax_scale);
	QUILL_REQUIRE(quill_check_range(c->q, c->n_q, e->q_stride, row), RANGE, 0,
		      quill_cmd_attention, q);
	QUILL_REQUIRE(quill_check_range(c->k, c->n_kv, e->kv_stride, kv_row), RANGE, 0,
		      quill_cmd_attention, k);
	QUILL_REQUIRE(quill_check_range(c->v, c->n_kv, e->kv_stride, kv_row), RANGE, 0,
		      quill_cmd_attention, v);
	QUILL_REQUIRE(quill_check_range(c->out, c->n_q, (__u64)e->out_stride * 4, (__u64)row * 4),
		      RANGE, 0, quill_cmd_attention, out);
	QUILL_REQUIRE(!(e->q_scale & 3), ALIGN, 1, quill_ext_attention, q_scale);
	QUILL_REQUIRE(!(e->k_scale & 3), ALIGN, 1, quill_ext_attention, k_scale);
	QUILL_REQUIRE(!(e->v_scale & 3), ALIGN, 1, quill_ext_attention, v_scale);
	QUILL_REQUIRE(quill_check_range(e->q_scale, c->n_q, (__u64)(e->q_stride / dim) * 4,
					(__u64)c->n_heads * 4),
		      RANGE, 1, quill_ext_attention, q_scale);
	QUILL_REQUIRE(quill_check_range(e->k_scale, c->n_kv, (__u64)(e->kv_stride / dim) * 4,
					kv_scales),
		      RANGE, 1, quill_ext_attention, k_scale);
	QUILL_REQUIRE(quill_check_range(e->v_scale, c->n_kv, (__u64)(e->kv_stride / dim) * 4,
					kv_scales),
		      RANGE, 1, quill_ext_attention, v_scale);
	return quill_check_zero(&cmd[1], 1, QUILL_OFF(struct quill_ext_attention, reserved), why);
}

static inline __u32 quill_check_attention(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_attention *c = &cmd->attention;

	QUILL_REQUIRE(c->n_kv && c->n_kv <= QUILL_ATTENTION_MAX_KV, SHAPE, 0,
		      quill_cmd_attention, n_kv);
	QUILL_REQUIRE(c->n_q && c->n_q <= QUILL_ATTENTION_MAX_Q &&
		      (!(c->hdr.flags & QUILL_CMD_CAUSAL) || c->n_q <= c->n_kv), SHAPE, 0,
		      quill_cmd_attention, n_q);
	QUILL_REQUIRE(c->n_kv_heads && c->n_kv_heads <= QUILL_ATTENTION_MAX_HEADS, SHAPE, 0,
		      quill_cmd_attention, n_kv_heads);
	QUILL_REQUIRE(c->n_heads && c->n_heads <= QUILL_ATTENTION_MAX_HEADS &&
		      c->n_heads % c->n_kv_heads == 0, SHAPE, 0, quill_cmd_attention, n_heads);
	QUILL_REQUIRE(c->head_dim && c->head_dim % 16 == 0 &&
		      c->head_dim <= QUILL_ATTENTION_MAX_HEAD_DIM, SHAPE, 0,
		      quill_cmd_attention, head_dim);
	QUILL_REQUIRE(!(c->out & 3), ALIGN, 0, quill_cmd_attention, out);
	QUILL_REQUIRE(!c->reserved, RESERVED, 0, quill_cmd_attention, reserved);
	return quill_check_attention_ext(cmd, why);
}

/* ---- VECTOR ------------------------------------------------------------------- */

/* A matrix of @size-byte elements: alignment, stride, range. @field names its address, @stride_field its stride. */
#define QUILL_REQUIRE_MATRIX(addr, rows, stride, n, size, rec, type, field, stride_field)		\
	do {											\
		QUILL_REQUIRE((rows) == 1 || (stride) >= (n), STRIDE, rec, type, stride_field);	\
		QUILL_REQUIRE(!((addr) & ((size) - 1)), ALIGN, rec, type, field);		\
		QUILL_REQUIRE(quill_check_range(addr, rows, (__u64)(stride) * (size),		\
						(__u64)(n) * (size)), RANGE, rec, type, field);	\
	} while (0)

/* QUILL_REQUIRE_MATRIX for one row or none: no stride to name. */
#define QUILL_REQUIRE_ROW(addr, n, rec, type, field)						\
	QUILL_REQUIRE_MATRIX(addr, 1, 0, n, 4, rec, type, field, field)

#define QUILL_REQUIRE_DIMS(c, type)								\
	do {											\
		QUILL_REQUIRE((c)->rows && (c)->rows <= QUILL_VECTOR_MAX_ROWS, SHAPE, 0, type,	\
			      rows);								\
		QUILL_REQUIRE((c)->n && (c)->n <= QUILL_VECTOR_MAX_N, SHAPE, 0, type, n);	\
	} while (0)

static inline int quill_f32_finite(__u32 bits)
{
	return (bits & 0x7f800000) != 0x7f800000;
}

static inline __u32 quill_check_norm_ext(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_norm *c = &cmd[0].norm;
	const struct quill_ext_norm *e = &cmd[1].norm_ext;

	QUILL_REQUIRE(!e->bias || c->hdr.opcode == QUILL_OP_LAYERNORM, PARAM, 1, quill_ext_norm,
		      bias);
	if (e->bias)
		QUILL_REQUIRE_ROW(e->bias, c->n, 1, quill_ext_norm, bias);
	QUILL_REQUIRE(!e->sum || c->residual, PARAM, 1, quill_ext_norm, sum);
	if (e->sum)
		QUILL_REQUIRE_MATRIX(e->sum, c->rows, c->src_stride, c->n, 4, 1, quill_ext_norm,
				     sum, sum);
	QUILL_REQUIRE(c->residual || !e->residual_stride, PARAM, 1, quill_ext_norm,
		      residual_stride);
	if (c->residual) {
		QUILL_REQUIRE(c->rows == 1 || e->residual_stride >= c->n, STRIDE, 1,
			      quill_ext_norm, residual_stride);
		QUILL_REQUIRE_MATRIX(c->residual, c->rows, e->residual_stride, c->n, 4, 0,
				     quill_cmd_norm, residual, residual);
	}
	QUILL_REQUIRE(quill_f32_finite(e->eps) && !(e->eps >> 31), PARAM, 1, quill_ext_norm, eps);
	return quill_check_zero(&cmd[1], 1, QUILL_OFF(struct quill_ext_norm, reserved), why);
}

static inline __u32 quill_check_norm(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_norm *c = &cmd->norm;

	QUILL_REQUIRE_DIMS(c, quill_cmd_norm);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, quill_cmd_norm, src,
			     src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, quill_cmd_norm, dst,
			     dst_stride);
	QUILL_REQUIRE_ROW(c->weight, c->n, 0, quill_cmd_norm, weight);
	return quill_check_norm_ext(cmd, why);
}

static inline __u32 quill_check_softmax(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_softmax *c = &cmd->softmax;

	QUILL_REQUIRE_DIMS(c, quill_cmd_softmax);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, quill_cmd_softmax, src,
			     src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, quill_cmd_softmax, dst,
			     dst_stride);
	QUILL_REQUIRE(quill_f32_finite(c->scale), PARAM, 0, quill_cmd_softmax, scale);
	return quill_check_zero(cmd, 0, QUILL_OFF(struct quill_cmd_softmax, reserved0), why);
}

static inline __u32 quill_check_rope(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_rope *c = &cmd->rope;
	__u32 n = (__u32)c->heads * c->dim;

	QUILL_REQUIRE(c->rows && c->rows <= QUILL_VECTOR_MAX_ROWS, SHAPE, 0, quill_cmd_rope, rows);
	QUILL_REQUIRE(c->heads && c->heads <= QUILL_ATTENTION_MAX_HEADS, SHAPE, 0, quill_cmd_rope,
		      heads);
	QUILL_REQUIRE(c->dim && c->dim % 2 == 0 && c->dim <= QUILL_ATTENTION_MAX_HEAD_DIM, SHAPE, 0,
		      quill_cmd_rope, dim);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, n, 4, 0, quill_cmd_rope, src,
			     src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, n, 4, 0, quill_cmd_rope, dst,
			     dst_stride);
	QUILL_REQUIRE_MATRIX(c->table, c->rows, c->dim, c->dim, 4, 0, quill_cmd_rope, table, table);
	return quill_check_zero(cmd, 0, QUILL_OFF(struct quill_cmd_rope, reserved), why);
}

/* QUANTISE and DEQUANTISE differ in which side is int8. */
static inline __u32 quill_check_quantise(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;
	__u32 src = quill_type_size(c->hdr.type_a), dst = quill_type_size(c->hdr.type_d);

	QUILL_REQUIRE_DIMS(c, quill_cmd_quantise);
	QUILL_REQUIRE(c->group && c->n % c->group == 0, SHAPE, 0, quill_cmd_quantise, group);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, src, 0, quill_cmd_quantise, src,
			     src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, dst, 0, quill_cmd_quantise, dst,
			     dst_stride);
	QUILL_REQUIRE_MATRIX(c->scale, c->rows, c->scale_stride, c->n / c->group, 4, 0,
			     quill_cmd_quantise, scale, scale_stride);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_eltwise(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_eltwise *c = &cmd->eltwise;

	QUILL_REQUIRE_DIMS(c, quill_cmd_eltwise);
	QUILL_REQUIRE_MATRIX(c->a, c->rows, c->a_stride, c->n, 4, 0, quill_cmd_eltwise, a,
			     a_stride);
	QUILL_REQUIRE_MATRIX(c->b, c->b_stride ? c->rows : 1, c->b_stride, c->n, 4, 0,
			     quill_cmd_eltwise, b, b_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, quill_cmd_eltwise, dst,
			     dst_stride);
	QUILL_REQUIRE(c->op < QUILL_ELTWISE_COUNT, PARAM, 0, quill_cmd_eltwise, op);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_act(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_act *c = &cmd->act;
	int gated = c->hdr.type_b != QUILL_TYPE_NONE;

	QUILL_REQUIRE_DIMS(c, quill_cmd_act);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, quill_cmd_act, src,
			     src_stride);
	QUILL_REQUIRE(gated || !c->gate, PARAM, 0, quill_cmd_act, gate);
	QUILL_REQUIRE(gated || !c->gate_stride, PARAM, 0, quill_cmd_act, gate_stride);
	if (gated)
		QUILL_REQUIRE_MATRIX(c->gate, c->rows, c->gate_stride, c->n, 4, 0, quill_cmd_act,
				     gate, gate_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, quill_cmd_act, dst,
			     dst_stride);
	QUILL_REQUIRE(c->op < QUILL_ACT_COUNT, PARAM, 0, quill_cmd_act, op);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_reduce(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_reduce *c = &cmd->reduce;

	QUILL_REQUIRE_DIMS(c, quill_cmd_reduce);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, quill_cmd_reduce, src,
			     src_stride);
	QUILL_REQUIRE_ROW(c->dst, c->rows, 0, quill_cmd_reduce, dst);
	QUILL_REQUIRE(c->op < QUILL_REDUCE_COUNT, PARAM, 0, quill_cmd_reduce, op);
	QUILL_REQUIRE((c->op == QUILL_REDUCE_ARGMAX) == (c->hdr.type_d == QUILL_TYPE_S32), TYPE, 0,
		      quill_cmd_hdr, type_d);
	return quill_check_zero(cmd, 0, QUILL_OFF(struct quill_cmd_reduce, reserved), why);
}

static inline __u32 quill_check_gather(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gather *c = &cmd->gather;

	QUILL_REQUIRE_DIMS(c, quill_cmd_gather);
	QUILL_REQUIRE(c->table_rows && c->table_rows <= QUILL_VECTOR_MAX_ROWS, SHAPE, 0,
		      quill_cmd_gather, table_rows);
	QUILL_REQUIRE_MATRIX(c->table, c->table_rows, c->table_stride, c->n, 4, 0, quill_cmd_gather,
			     table, table_stride);
	QUILL_REQUIRE_ROW(c->index, c->rows, 0, quill_cmd_gather, index);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, quill_cmd_gather, dst,
			     dst_stride);
	QUILL_REQUIRE(!c->reserved, RESERVED, 0, quill_cmd_gather, reserved);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_header(const union quill_cmd *cmd, __u32 records,
				       const struct quill_op_info *op, struct quill_check *why)
{
	const struct quill_cmd_hdr *h = &cmd->hdr;

	QUILL_REQUIRE(op, OPCODE, 0, quill_cmd_hdr, opcode);
	QUILL_REQUIRE(h->version == 0, OPCODE, 0, quill_cmd_hdr, version);
	QUILL_REQUIRE(!(h->flags & ~op->flags), FLAGS, 0, quill_cmd_hdr, flags);
	QUILL_REQUIRE(h->type_a < 32 && op->types_a >> h->type_a & 1, TYPE, 0, quill_cmd_hdr, type_a);
	QUILL_REQUIRE(h->type_b < 32 && op->types_b >> h->type_b & 1, TYPE, 0, quill_cmd_hdr, type_b);
	QUILL_REQUIRE(h->type_d < 32 && op->types_d >> h->type_d & 1, TYPE, 0, quill_cmd_hdr, type_d);
	QUILL_REQUIRE(h->wait_sem < QUILL_SEMAPHORES, SEMAPHORE, 0, quill_cmd_hdr, wait_sem);
	QUILL_REQUIRE(h->signal_sem < QUILL_SEMAPHORES, SEMAPHORE, 0, quill_cmd_hdr, signal_sem);
	QUILL_REQUIRE(h->wait_sem || !h->wait_value, RESERVED, 0, quill_cmd_hdr, wait_value);
	QUILL_REQUIRE(h->ext == op->ext && op->ext < records, EXT, 0, quill_cmd_hdr, ext);
	if (op->ext) {
		QUILL_REQUIRE(cmd[1].hdr.opcode == QUILL_OP_EXT, EXT, 1, quill_cmd_hdr, opcode);
		QUILL_REQUIRE((cmd[1].raw[0] & ~0xffull) == 0 && cmd[1].raw[1] == 0, RESERVED, 1,
			      quill_cmd_hdr, version);
	}
	return QUILL_FAULT_NONE;
}

/**
 * quill_cmd_check() - hold a command against the rules of isa.h
 * @cmd: the record, and behind it as many as @records says
 * @records: records that can be read from @cmd on, at least 1
 * @why: what was wrong, if anything was
 *
 * A jump's target is left to the firmware, which knows the stream.
 *
 * Return: enum quill_fault, 0 if the command may run.
 */
static inline __u32 quill_cmd_check(const union quill_cmd *cmd, __u32 records,
				    struct quill_check *why)
{
	__u32 fault = quill_check_header(cmd, records, quill_op_info(cmd->hdr.opcode), why);

	if (fault)
		return fault;

	switch (cmd->hdr.opcode) {
	case QUILL_OP_SEM_WAIT:
		QUILL_REQUIRE(cmd->hdr.wait_sem, SEMAPHORE, 0, quill_cmd_hdr, wait_sem);
		return quill_check_zero(cmd, 0, sizeof(cmd->hdr), why);
	case QUILL_OP_SEM_SIGNAL:
		QUILL_REQUIRE(cmd->hdr.signal_sem, SEMAPHORE, 0, quill_cmd_hdr, signal_sem);
		return quill_check_zero(cmd, 0, sizeof(cmd->hdr), why);
	case QUILL_OP_NOP:
	case QUILL_OP_FENCE:
		return quill_check_zero(cmd, 0, sizeof(cmd->hdr), why);
	case QUILL_OP_JUMP:
		QUILL_REQUIRE(!(cmd->jump.target & (QUILL_CMD_SIZE - 1)), JUMP, 0,
			      quill_cmd_jump, target);
		return quill_check_zero(cmd, 0, QUILL_OFF(struct quill_cmd_jump, reserved), why);
	case QUILL_OP_TIMESTAMP:
		QUILL_REQUIRE(!(cmd->timestamp.dst & 7), ALIGN, 0, quill_cmd_timestamp, dst);
		QUILL_REQUIRE(quill_check_range(cmd->timestamp.dst, 1, 0, 8), RANGE, 0,
			      quill_cmd_timestamp, dst);
		return quill_check_zero(cmd, 0, QUILL_OFF(struct quill_cmd_timestamp, reserved),
					why);
	case QUILL_OP_COPY:
		return quill_check_copy(cmd, why);
	case QUILL_OP_FILL:
		return quill_check_fill(cmd, why);
	case QUILL_OP_GEMM:
		return quill_check_gemm(cmd, why);
	case QUILL_OP_ATTENTION:
		return quill_check_attention(cmd, why);
	case QUILL_OP_RMSNORM:
	case QUILL_OP_LAYERNORM:
		return quill_check_norm(cmd, why);
	case QUILL_OP_SOFTMAX:
		return quill_check_softmax(cmd, why);
	case QUILL_OP_ROPE:
		return quill_check_rope(cmd, why);
	case QUILL_OP_QUANTISE:
	case QUILL_OP_DEQUANTISE:
		return quill_check_quantise(cmd, why);
	case QUILL_OP_ELTWISE:
		return quill_check_eltwise(cmd, why);
	case QUILL_OP_ACT:
		return quill_check_act(cmd, why);
	case QUILL_OP_REDUCE:
		return quill_check_reduce(cmd, why);
	case QUILL_OP_GATHER:
		return quill_check_gather(cmd, why);
	default:
		return quill_check_fail(why, QUILL_FAULT_OPCODE, 0, 0);
	}
}

#undef QUILL_REQUIRE_DIMS
#undef QUILL_REQUIRE_ROW
#undef QUILL_REQUIRE_MATRIX
#undef QUILL_REQUIRE

#endif /* QUILL_ISA_CHECK_H */
