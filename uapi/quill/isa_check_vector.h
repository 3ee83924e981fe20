/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of the VECTOR engine's commands. Included by isa_check.h.
 */
#ifndef QUILL_ISA_CHECK_VECTOR_H
#define QUILL_ISA_CHECK_VECTOR_H

static inline __u32 quill_check_norm_ext(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_norm *c = &cmd[0].norm;
	const struct quill_ext_norm *e = &cmd[1].norm_ext;

	QUILL_REQUIRE(!e->bias || c->hdr.opcode == QUILL_OP_LAYERNORM, PARAM, 1, norm_ext, bias,
		      "0, but for LAYERNORM");
	if (e->bias)
		QUILL_REQUIRE_ROW(e->bias, c->n, 1, norm_ext, bias);
	QUILL_REQUIRE(!e->sum || c->residual, PARAM, 1, norm_ext, sum, "0, since residual is 0");
	if (e->sum)
		QUILL_REQUIRE_MATRIX(e->sum, c->rows, c->src_stride, c->n, 4, 1, norm_ext, sum,
				     sum);
	QUILL_REQUIRE(c->residual || !e->residual_stride, PARAM, 1, norm_ext, residual_stride,
		      "0, since residual is 0");
	if (c->residual) {
		QUILL_REQUIRE(c->rows == 1 || e->residual_stride >= c->n, STRIDE, 1, norm_ext,
			      residual_stride, "at least n|n");
		QUILL_REQUIRE_MATRIX(c->residual, c->rows, e->residual_stride, c->n, 4, 0, norm,
				     residual, residual);
	}
	QUILL_REQUIRE(quill_f32_finite(e->eps) && !(e->eps >> 31), PARAM, 1, norm_ext, eps,
		      "the bits of a finite float that is not negative");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_norm(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_norm *c = &cmd->norm;

	QUILL_REQUIRE_DIMS(c, norm);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, norm, src, src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, norm, dst, dst_stride);
	QUILL_REQUIRE_ROW(c->weight, c->n, 0, norm, weight);
	return quill_check_norm_ext(cmd, why);
}

static inline __u32 quill_check_rmsnorm(const union quill_cmd *cmd, struct quill_check *why)
{
	return quill_check_norm(cmd, why);
}

static inline __u32 quill_check_layernorm(const union quill_cmd *cmd, struct quill_check *why)
{
	return quill_check_norm(cmd, why);
}

static inline __u32 quill_check_softmax(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_softmax *c = &cmd->softmax;

	QUILL_REQUIRE_DIMS(c, softmax);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, softmax, src,
			     src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, softmax, dst,
			     dst_stride);
	QUILL_REQUIRE(quill_f32_finite(c->scale), PARAM, 0, softmax, scale,
		      "the bits of a finite float");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_rope(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_rope *c = &cmd->rope;
	__u32 n = (__u32)c->heads * c->dim;

	QUILL_REQUIRE(c->rows && c->rows <= QUILL_VECTOR_MAX_ROWS, SHAPE, 0, rope, rows,
		      "1..2^24");
	QUILL_REQUIRE(c->heads && c->heads <= QUILL_ATTENTION_MAX_HEADS, SHAPE, 0, rope, heads,
		      "1..1024");
	QUILL_REQUIRE(c->dim && c->dim % 2 == 0 && c->dim <= QUILL_ATTENTION_MAX_HEAD_DIM, SHAPE,
		      0, rope, dim, "2, 4, ... 256");
	QUILL_REQUIRE(c->rotary % 2 == 0 && c->rotary <= c->dim, SHAPE, 0, rope, rotary,
		      "even, and at most dim|dim");
	QUILL_REQUIRE_MATRIX_AS(c->src, c->rows, c->src_stride, n, 4, 0, rope, src,
				src_stride, "at least heads * dim|dim");
	QUILL_REQUIRE_MATRIX_AS(c->dst, c->rows, c->dst_stride, n, 4, 0, rope, dst,
				dst_stride, "at least heads * dim|dim");
	QUILL_REQUIRE_MATRIX(c->table, c->rows, quill_rope_rotary(c), quill_rope_rotary(c), 4, 0, rope,
			     table, table);
	return QUILL_FAULT_NONE;
}

/* Rows of scales: one for all may do where they are read. */
static inline __u32 quill_scale_rows(const union quill_cmd *cmd)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;
	int given = c->hdr.ext || c->hdr.opcode == QUILL_OP_DEQUANTISE;

	return given && !c->scale_stride ? 1 : c->rows;
}

static inline __u32 quill_check_quantise_ext(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_ext_quantise *e = &cmd[1].quantise_ext;

	QUILL_REQUIRE(e->zero >= -128 && e->zero <= 127, PARAM, 1, quantise_ext, zero, "-128..127");
	QUILL_REQUIRE(e->lo >= -128 && e->lo <= 127, PARAM, 1, quantise_ext, lo, "-128..127");
	QUILL_REQUIRE(e->hi >= e->lo && e->hi <= 127, PARAM, 1, quantise_ext, hi, "lo..127");
	return QUILL_FAULT_NONE;
}

/* QUANTISE and DEQUANTISE differ in which side is int8. */
static inline __u32 quill_check_quantise(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;
	__u32 src = quill_type_size(c->hdr.type_a), dst = quill_type_size(c->hdr.type_d);

	QUILL_REQUIRE_DIMS(c, quantise);
	QUILL_REQUIRE(c->group && c->n % c->group == 0, SHAPE, 0, quantise, group,
		      "a divisor of n|n");
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, src, 0, quantise, src,
			     src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, dst, 0, quantise, dst,
			     dst_stride);
	QUILL_REQUIRE_MATRIX_AS(c->scale, quill_scale_rows(cmd), c->scale_stride, c->n / c->group,
				4, 0, quantise, scale, scale_stride, "at least n / group|group");
	return c->hdr.ext ? quill_check_quantise_ext(cmd, why) : QUILL_FAULT_NONE;
}

static inline __u32 quill_check_dequantise(const union quill_cmd *cmd, struct quill_check *why)
{
	return quill_check_quantise(cmd, why);
}

static inline __u32 quill_check_eltwise(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_eltwise *c = &cmd->eltwise;

	QUILL_REQUIRE_DIMS(c, eltwise);
	QUILL_REQUIRE_MATRIX(c->a, c->rows, c->a_stride, c->n, 4, 0, eltwise, a, a_stride);
	QUILL_REQUIRE_MATRIX(c->b, c->b_stride ? c->rows : 1, c->b_stride, c->n, 4, 0, eltwise,
			     b, b_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, eltwise, dst,
			     dst_stride);
	QUILL_REQUIRE(c->op < QUILL_ELTWISE_COUNT, PARAM, 0, eltwise, op,
		      "0..4 (ADD, SUB, MUL, MAX, MIN)");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_act(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_act *c = &cmd->act;
	int gated = c->hdr.type_b != QUILL_TYPE_NONE;

	QUILL_REQUIRE_DIMS(c, act);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, act, src, src_stride);
	QUILL_REQUIRE(gated || !c->gate, PARAM, 0, act, gate, "0, since type_b is NONE");
	QUILL_REQUIRE(gated || !c->gate_stride, PARAM, 0, act, gate_stride,
		      "0, since there is no gate");
	if (gated)
		QUILL_REQUIRE_MATRIX(c->gate, c->rows, c->gate_stride, c->n, 4, 0, act, gate,
				     gate_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, act, dst, dst_stride);
	QUILL_REQUIRE(c->op < QUILL_ACT_COUNT, PARAM, 0, act, op,
		      "0..5 (RELU, SIGMOID, SILU, TANH, GELU, GELU_ERF)");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_reduce(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_reduce *c = &cmd->reduce;

	QUILL_REQUIRE_DIMS(c, reduce);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, reduce, src, src_stride);
	QUILL_REQUIRE_ROW(c->dst, c->rows, 0, reduce, dst);
	QUILL_REQUIRE(c->op < QUILL_REDUCE_COUNT, PARAM, 0, reduce, op,
		      "0..2 (SUM, MAX, ARGMAX)");
	QUILL_REQUIRE((c->op == QUILL_REDUCE_ARGMAX) == (c->hdr.type_d == QUILL_TYPE_S32), TYPE,
		      0, hdr, type_d, "S32 (2) for ARGMAX (2), else F32 (3)|op");
	return QUILL_FAULT_NONE;
}

/* Bytes of @n elements of a table, whole blocks of them where the type has blocks. */
static inline __u64 quill_gather_bytes(__u32 type, __u64 n)
{
	__u32 block = quill_block_size(type);

	return block ? n / QUILL_BLOCK * block : n * quill_type_size(type);
}

static inline __u32 quill_check_gather_ext(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_ext_gather *e = &cmd[1].gather_ext;

	QUILL_REQUIRE_MATRIX_AS(e->scale, e->scale_stride ? cmd->gather.table_rows : 1,
				e->scale_stride, 1, 4, 1, gather_ext, scale, scale_stride,
				"0, or at least 1");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gather(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gather *c = &cmd->gather;
	__u32 unit = quill_block_size(c->hdr.type_a) ? QUILL_BLOCK : 1;
	int s8 = c->hdr.type_a == QUILL_TYPE_S8;

	QUILL_REQUIRE(c->hdr.ext == s8, EXT, 0, hdr, ext, "1 for S8 (1), else 0|type_a");
	QUILL_REQUIRE_DIMS(c, gather);
	QUILL_REQUIRE(c->table_rows && c->table_rows <= QUILL_VECTOR_MAX_ROWS, SHAPE, 0, gather,
		      table_rows, "1..2^24");
	QUILL_REQUIRE(c->n % unit == 0, SHAPE, 0, gather, n, "a multiple of 32 with blocks|type_a");
	QUILL_REQUIRE(c->table_rows == 1 || c->table_stride >= c->n, STRIDE, 0, gather,
		      table_stride, "at least n|n");
	QUILL_REQUIRE(c->table_rows == 1 || c->table_stride % unit == 0, STRIDE, 0, gather,
		      table_stride, "a multiple of 32 with blocks|type_a");
	QUILL_REQUIRE(!(c->table & (c->hdr.type_a == QUILL_TYPE_F32 ? 3 : !s8)), ALIGN, 0, gather,
		      table, "a multiple of 4 for F32 (3), of 2 for others but S8 (1)|type_a");
	QUILL_REQUIRE(quill_check_range(c->table, c->table_rows,
					quill_gather_bytes(c->hdr.type_a, c->table_stride),
					quill_gather_bytes(c->hdr.type_a, c->n)), RANGE, 0, gather,
		      table, QUILL_IN_48_BITS);
	QUILL_REQUIRE_ROW(c->index, c->rows, 0, gather, index);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, 4, 0, gather, dst, dst_stride);
	return s8 ? quill_check_gather_ext(cmd, why) : QUILL_FAULT_NONE;
}

#endif /* QUILL_ISA_CHECK_VECTOR_H */
