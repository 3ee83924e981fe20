// SPDX-License-Identifier: MIT
/*
 * The harness: encoding the VECTOR commands.
 */
#include <string.h>

#include "host_internal.h"

static union quill_cmd *vector_cmd(struct qh_stream *s, uint8_t opcode, uint8_t a, uint8_t b,
				   uint8_t d)
{
	union quill_cmd *cmd = qh_cmd(s, opcode);

	cmd->hdr.type_a = a;
	cmd->hdr.type_b = b;
	cmd->hdr.type_d = d;
	return cmd;
}

union quill_cmd *qh_norm(struct qh_stream *s, uint8_t opcode, uint64_t dst, uint64_t src,
			 uint64_t weight, uint32_t rows, uint32_t n, float eps)
{
	union quill_cmd *cmd = vector_cmd(s, opcode, QUILL_TYPE_F32, QUILL_TYPE_F32,
					  QUILL_TYPE_F32);
	struct quill_ext_norm *ext = &qh_cmd(s, QUILL_OP_EXT)->norm_ext;

	cmd->hdr.ext = 1;
	cmd->norm.dst = dst;
	cmd->norm.src = src;
	cmd->norm.weight = weight;
	cmd->norm.rows = rows;
	cmd->norm.n = n;
	cmd->norm.src_stride = n;
	cmd->norm.dst_stride = n;
	memcpy(&ext->eps, &eps, sizeof(ext->eps));
	return cmd;
}

union quill_cmd *qh_softmax(struct qh_stream *s, uint64_t dst, uint64_t src, uint32_t rows,
			    uint32_t n, float scale)
{
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_SOFTMAX, QUILL_TYPE_F32, QUILL_TYPE_NONE,
					  QUILL_TYPE_F32);

	cmd->softmax.dst = dst;
	cmd->softmax.src = src;
	cmd->softmax.rows = rows;
	cmd->softmax.n = n;
	cmd->softmax.src_stride = n;
	cmd->softmax.dst_stride = n;
	memcpy(&cmd->softmax.scale, &scale, sizeof(cmd->softmax.scale));
	return cmd;
}

union quill_cmd *qh_rope(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t table,
			 uint32_t rows, uint32_t heads, uint32_t dim)
{
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_ROPE, QUILL_TYPE_F32, QUILL_TYPE_F32,
					  QUILL_TYPE_F32);

	cmd->rope.dst = dst;
	cmd->rope.src = src;
	cmd->rope.table = table;
	cmd->rope.rows = rows;
	cmd->rope.heads = heads;
	cmd->rope.dim = dim;
	cmd->rope.src_stride = heads * dim;
	cmd->rope.dst_stride = heads * dim;
	return cmd;
}

static union quill_cmd *quantise(struct qh_stream *s, uint8_t opcode, uint64_t dst, uint64_t src,
				 uint64_t scale, uint32_t rows, uint32_t n, uint32_t group)
{
	bool from = opcode == QUILL_OP_DEQUANTISE;
	union quill_cmd *cmd = vector_cmd(s, opcode, from ? QUILL_TYPE_S8 : QUILL_TYPE_F32,
					  QUILL_TYPE_NONE, from ? QUILL_TYPE_F32 : QUILL_TYPE_S8);

	cmd->quantise.dst = dst;
	cmd->quantise.src = src;
	cmd->quantise.scale = scale;
	cmd->quantise.rows = rows;
	cmd->quantise.n = n;
	cmd->quantise.group = group;
	cmd->quantise.src_stride = n;
	cmd->quantise.dst_stride = n;
	cmd->quantise.scale_stride = n / group;
	return cmd;
}

union quill_cmd *qh_quantise(struct qh_stream *s, uint64_t dst, uint64_t scale, uint64_t src,
			     uint32_t rows, uint32_t n, uint32_t group)
{
	return quantise(s, QUILL_OP_QUANTISE, dst, src, scale, rows, n, group);
}

union quill_cmd *qh_quantise_by(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t scale,
				uint32_t rows, uint32_t n, uint32_t group)
{
	union quill_cmd *cmd = quantise(s, QUILL_OP_QUANTISE, dst, src, scale, rows, n, group);
	struct quill_ext_quantise *ext = &qh_cmd(s, QUILL_OP_EXT)->quantise_ext;

	cmd->hdr.ext = 1;
	ext->lo = -128;
	ext->hi = 127;
	return cmd;
}

union quill_cmd *qh_dequantise(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t scale,
			       uint32_t rows, uint32_t n, uint32_t group)
{
	return quantise(s, QUILL_OP_DEQUANTISE, dst, src, scale, rows, n, group);
}

union quill_cmd *qh_eltwise(struct qh_stream *s, uint32_t op, uint64_t dst, uint64_t a, uint64_t b,
			    uint32_t rows, uint32_t n)
{
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_ELTWISE, QUILL_TYPE_F32, QUILL_TYPE_F32,
					  QUILL_TYPE_F32);

	cmd->eltwise.dst = dst;
	cmd->eltwise.a = a;
	cmd->eltwise.b = b;
	cmd->eltwise.rows = rows;
	cmd->eltwise.n = n;
	cmd->eltwise.a_stride = n;
	cmd->eltwise.b_stride = n;
	cmd->eltwise.dst_stride = n;
	cmd->eltwise.op = op;
	return cmd;
}

union quill_cmd *qh_act(struct qh_stream *s, uint32_t op, uint64_t dst, uint64_t src, uint64_t gate,
			uint32_t rows, uint32_t n)
{
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_ACT, QUILL_TYPE_F32,
					  gate ? QUILL_TYPE_F32 : QUILL_TYPE_NONE, QUILL_TYPE_F32);

	cmd->act.dst = dst;
	cmd->act.src = src;
	cmd->act.gate = gate;
	cmd->act.rows = rows;
	cmd->act.n = n;
	cmd->act.src_stride = n;
	cmd->act.gate_stride = gate ? n : 0;
	cmd->act.dst_stride = n;
	cmd->act.op = op;
	return cmd;
}

union quill_cmd *qh_reduce(struct qh_stream *s, uint32_t op, uint64_t dst, uint64_t src,
			   uint32_t rows, uint32_t n)
{
	uint8_t type = op == QUILL_REDUCE_ARGMAX ? QUILL_TYPE_S32 : QUILL_TYPE_F32;
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_REDUCE, QUILL_TYPE_F32, QUILL_TYPE_NONE,
					  type);

	cmd->reduce.dst = dst;
	cmd->reduce.src = src;
	cmd->reduce.rows = rows;
	cmd->reduce.n = n;
	cmd->reduce.src_stride = n;
	cmd->reduce.op = op;
	return cmd;
}

union quill_cmd *qh_gather(struct qh_stream *s, uint64_t dst, uint64_t table, uint64_t index,
			   uint32_t rows, uint32_t n, uint32_t table_rows)
{
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_GATHER, QUILL_TYPE_F32, QUILL_TYPE_S32,
					  QUILL_TYPE_F32);

	cmd->gather.dst = dst;
	cmd->gather.table = table;
	cmd->gather.index = index;
	cmd->gather.rows = rows;
	cmd->gather.n = n;
	cmd->gather.table_rows = table_rows;
	cmd->gather.table_stride = n;
	cmd->gather.dst_stride = n;
	return cmd;
}

union quill_cmd *qh_gather_s8(struct qh_stream *s, uint64_t dst, uint64_t table, uint64_t scale,
			      uint64_t index, uint32_t rows, uint32_t n, uint32_t table_rows)
{
	union quill_cmd *cmd = qh_gather(s, dst, table, index, rows, n, table_rows);
	struct quill_ext_gather *ext = &qh_cmd(s, QUILL_OP_EXT)->gather_ext;

	cmd->hdr.type_a = QUILL_TYPE_S8;
	cmd->hdr.ext = 1;
	ext->scale = scale;
	ext->scale_stride = 1;
	return cmd;
}

union quill_cmd *qh_topk(struct qh_stream *s, uint64_t value, uint64_t index, uint64_t src,
			 uint32_t rows, uint32_t n, uint32_t k)
{
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_TOPK, QUILL_TYPE_F32, QUILL_TYPE_NONE,
					  QUILL_TYPE_F32);

	cmd->topk.src = src;
	cmd->topk.value = value;
	cmd->topk.index = index;
	cmd->topk.rows = rows;
	cmd->topk.n = n;
	cmd->topk.k = k;
	cmd->topk.src_stride = n;
	cmd->topk.value_stride = value ? k : 0;
	cmd->topk.index_stride = k;
	return cmd;
}

union quill_cmd *qh_sample(struct qh_stream *s, uint64_t dst, uint64_t src, uint32_t rows,
			   uint32_t n, float temperature)
{
	union quill_cmd *cmd = vector_cmd(s, QUILL_OP_SAMPLE, QUILL_TYPE_F32, QUILL_TYPE_NONE,
					  QUILL_TYPE_S32);
	const float one = 1.0f;

	qh_cmd(s, QUILL_OP_EXT);
	cmd->hdr.ext = 1;
	cmd->sample.src = src;
	cmd->sample.dst = dst;
	cmd->sample.rows = rows;
	cmd->sample.n = n;
	cmd->sample.src_stride = n;
	memcpy(&cmd->sample.temperature, &temperature, sizeof(temperature));
	memcpy(&cmd->sample.top_p, &one, sizeof(one));
	return cmd;
}
