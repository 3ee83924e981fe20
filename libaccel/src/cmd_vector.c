// SPDX-License-Identifier: MIT
/*
 * Encoders: the commands of the VECTOR engine.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static_assert((int)ACCEL_ELTWISE_ADD == QUILL_ELTWISE_ADD &&
	      (int)ACCEL_ELTWISE_SUB == QUILL_ELTWISE_SUB &&
	      (int)ACCEL_ELTWISE_MUL == QUILL_ELTWISE_MUL &&
	      (int)ACCEL_ELTWISE_MAX == QUILL_ELTWISE_MAX &&
	      (int)ACCEL_ELTWISE_MIN == QUILL_ELTWISE_MIN &&
	      QUILL_ELTWISE_COUNT == 5, "operations of accel.h are those of isa.h");
static_assert((int)ACCEL_ACT_RELU == QUILL_ACT_RELU &&
	      (int)ACCEL_ACT_SIGMOID == QUILL_ACT_SIGMOID &&
	      (int)ACCEL_ACT_SILU == QUILL_ACT_SILU && (int)ACCEL_ACT_TANH == QUILL_ACT_TANH &&
	      (int)ACCEL_ACT_GELU == QUILL_ACT_GELU &&
	      (int)ACCEL_ACT_GELU_ERF == QUILL_ACT_GELU_ERF &&
	      QUILL_ACT_COUNT == 6, "functions of accel.h are those of isa.h");
static_assert((int)ACCEL_REDUCE_SUM == QUILL_REDUCE_SUM &&
	      (int)ACCEL_REDUCE_MAX == QUILL_REDUCE_MAX &&
	      (int)ACCEL_REDUCE_ARGMAX == QUILL_REDUCE_ARGMAX &&
	      QUILL_REDUCE_COUNT == 3, "operations of accel.h are those of isa.h");

/* Header of a command whose operands are float, but for what the caller changes. */
static void accel_vector_header(union quill_cmd *cmd, uint8_t opcode, uint8_t type_b,
				const struct accel_cmd_opts *opts)
{
	accel_cmd_header(cmd, opcode, opts);
	cmd->hdr.type_a = QUILL_TYPE_F32;
	cmd->hdr.type_b = type_b;
	cmd->hdr.type_d = QUILL_TYPE_F32;
}

static uint32_t accel_or(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static uint32_t accel_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static int accel_cmd_norm(struct accel_stream *stream, uint8_t opcode,
			  const struct accel_norm *norm, const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd[2];
	struct quill_cmd_norm *c = &cmd[0].norm;
	struct quill_ext_norm *e = &cmd[1].norm_ext;

	accel_vector_header(cmd, opcode, QUILL_TYPE_F32, opts);
	c->src = norm->src;
	c->dst = norm->dst;
	c->weight = norm->weight;
	c->residual = norm->residual;
	c->rows = norm->rows;
	c->n = norm->n;
	c->src_stride = accel_or(norm->src_stride, norm->n);
	c->dst_stride = accel_or(norm->dst_stride, norm->n);
	e->bias = norm->bias;
	e->sum = norm->sum;
	e->residual_stride = norm->residual_stride;
	if (norm->residual)
		e->residual_stride = accel_or(norm->residual_stride, norm->n);
	e->eps = accel_bits(norm->eps);
	return accel_stream_emit(stream, cmd, 2);
}

int accel_cmd_rmsnorm(struct accel_stream *stream, const struct accel_norm *norm,
		      const struct accel_cmd_opts *opts)
{
	return accel_cmd_norm(stream, QUILL_OP_RMSNORM, norm, opts);
}

int accel_cmd_layernorm(struct accel_stream *stream, const struct accel_norm *norm,
			const struct accel_cmd_opts *opts)
{
	return accel_cmd_norm(stream, QUILL_OP_LAYERNORM, norm, opts);
}

int accel_cmd_softmax(struct accel_stream *stream, const struct accel_softmax *softmax,
		      const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_vector_header(&cmd, QUILL_OP_SOFTMAX, QUILL_TYPE_NONE, opts);
	cmd.softmax.src = softmax->src;
	cmd.softmax.dst = softmax->dst;
	cmd.softmax.rows = softmax->rows;
	cmd.softmax.n = softmax->n;
	cmd.softmax.src_stride = accel_or(softmax->src_stride, softmax->n);
	cmd.softmax.dst_stride = accel_or(softmax->dst_stride, softmax->n);
	cmd.softmax.scale = accel_bits(softmax->scale == 0 ? 1 : softmax->scale);
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_rope(struct accel_stream *stream, const struct accel_rope *rope,
		   const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;
	int ret;

	ret = accel_check_u16(stream, "ROPE", "heads", rope->heads, QUILL_ATTENTION_MAX_HEADS);
	if (!ret)
		ret = accel_check_u16(stream, "ROPE", "dim", rope->dim,
				      QUILL_ATTENTION_MAX_HEAD_DIM);
	if (ret)
		return ret;

	accel_vector_header(&cmd, QUILL_OP_ROPE, QUILL_TYPE_F32, opts);
	if (rope->halves)
		cmd.hdr.flags |= QUILL_CMD_HALVES;
	cmd.rope.src = rope->src;
	cmd.rope.dst = rope->dst;
	cmd.rope.table = rope->table;
	cmd.rope.rows = rope->rows;
	cmd.rope.heads = (uint16_t)rope->heads;
	cmd.rope.dim = (uint16_t)rope->dim;
	cmd.rope.rotary = rope->rotary;
	cmd.rope.src_stride = accel_or(rope->src_stride, rope->heads * rope->dim);
	cmd.rope.dst_stride = accel_or(rope->dst_stride, rope->heads * rope->dim);
	return accel_stream_emit(stream, &cmd, 1);
}

static void accel_scaled(union quill_cmd *cmd, const struct accel_quantise *quantise)
{
	struct quill_cmd_quantise *c = &cmd->quantise;

	c->src = quantise->src;
	c->dst = quantise->dst;
	c->scale = quantise->scale;
	c->rows = quantise->rows;
	c->n = quantise->n;
	c->group = accel_or(quantise->group, quantise->n);
	c->src_stride = accel_or(quantise->src_stride, quantise->n);
	c->dst_stride = accel_or(quantise->dst_stride, quantise->n);
	c->scale_stride = quantise->scale_stride;
	/* n of 0 is refused in words, not divided by */
	if (!quantise->scale_stride && !quantise->scale_row && c->group)
		c->scale_stride = quantise->n / c->group;
}

/* What only commands with scales that are given have. */
static void accel_given(union quill_cmd *cmd, const struct accel_quantise *quantise)
{
	struct quill_ext_quantise *e = &cmd[1].quantise_ext;
	bool full = !quantise->lo && !quantise->hi;

	accel_cmd_extend(cmd, 1);
	e->zero = quantise->zero;
	e->lo = full ? -128 : quantise->lo;
	e->hi = full ? 127 : quantise->hi;
}

int accel_cmd_quantise(struct accel_stream *stream, const struct accel_quantise *quantise,
		       const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd[2];

	if (!quantise->given && (quantise->zero || quantise->lo || quantise->hi))
		return accel_error(stream->vm->dev, -EINVAL, "QUANTISE: given is 0; required: 1, "
				   "since there is a zero point or a clamp");
	accel_vector_header(cmd, QUILL_OP_QUANTISE, QUILL_TYPE_NONE, opts);
	cmd->hdr.type_d = QUILL_TYPE_S8;
	accel_scaled(cmd, quantise);
	if (quantise->given)
		accel_given(cmd, quantise);
	return accel_stream_emit(stream, cmd, 1 + cmd->hdr.ext);
}

int accel_cmd_dequantise(struct accel_stream *stream, const struct accel_quantise *quantise,
			 const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_vector_header(&cmd, QUILL_OP_DEQUANTISE, QUILL_TYPE_NONE, opts);
	cmd.hdr.type_a = QUILL_TYPE_S8;
	accel_scaled(&cmd, quantise);
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_eltwise(struct accel_stream *stream, const struct accel_eltwise *eltwise,
		      const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_vector_header(&cmd, QUILL_OP_ELTWISE, QUILL_TYPE_F32, opts);
	cmd.eltwise.a = eltwise->a;
	cmd.eltwise.b = eltwise->b;
	cmd.eltwise.dst = eltwise->dst;
	cmd.eltwise.rows = eltwise->rows;
	cmd.eltwise.n = eltwise->n;
	cmd.eltwise.a_stride = accel_or(eltwise->a_stride, eltwise->n);
	if (!eltwise->b_row)
		cmd.eltwise.b_stride = accel_or(eltwise->b_stride, eltwise->n);
	cmd.eltwise.dst_stride = accel_or(eltwise->dst_stride, eltwise->n);
	cmd.eltwise.op = eltwise->op;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_act(struct accel_stream *stream, const struct accel_act *act,
		  const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_vector_header(&cmd, QUILL_OP_ACT, act->gate ? QUILL_TYPE_F32 : QUILL_TYPE_NONE, opts);
	cmd.act.src = act->src;
	cmd.act.gate = act->gate;
	cmd.act.dst = act->dst;
	cmd.act.rows = act->rows;
	cmd.act.n = act->n;
	cmd.act.src_stride = accel_or(act->src_stride, act->n);
	cmd.act.gate_stride = act->gate ? accel_or(act->gate_stride, act->n) : act->gate_stride;
	cmd.act.dst_stride = accel_or(act->dst_stride, act->n);
	cmd.act.op = act->op;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_reduce(struct accel_stream *stream, const struct accel_reduce *reduce,
		     const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_vector_header(&cmd, QUILL_OP_REDUCE, QUILL_TYPE_NONE, opts);
	if (reduce->op == ACCEL_REDUCE_ARGMAX)
		cmd.hdr.type_d = QUILL_TYPE_S32;
	cmd.reduce.src = reduce->src;
	cmd.reduce.dst = reduce->dst;
	cmd.reduce.rows = reduce->rows;
	cmd.reduce.n = reduce->n;
	cmd.reduce.src_stride = accel_or(reduce->src_stride, reduce->n);
	cmd.reduce.op = reduce->op;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_gather(struct accel_stream *stream, const struct accel_gather *gather,
		     const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd[2];
	struct quill_cmd_gather *c = &cmd[0].gather;
	struct quill_ext_gather *e = &cmd[1].gather_ext;

	accel_vector_header(cmd, QUILL_OP_GATHER, QUILL_TYPE_S32, opts);
	if (gather->type)
		cmd->hdr.type_a = gather->type;
	c->table = gather->table;
	c->index = gather->index;
	c->dst = gather->dst;
	c->rows = gather->rows;
	c->n = gather->n;
	c->table_rows = gather->table_rows;
	c->table_stride = accel_or(gather->table_stride, gather->n);
	c->dst_stride = accel_or(gather->dst_stride, gather->n);
	if (gather->type == ACCEL_S8 || gather->scale) {
		accel_cmd_extend(cmd, 1);
		e->scale = gather->scale;
		e->scale_stride = gather->one_scale ? 0 : accel_or(gather->scale_stride, 1);
	}
	return accel_stream_emit(stream, cmd, 1 + cmd->hdr.ext);
}
