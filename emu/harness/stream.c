// SPDX-License-Identifier: MIT
/*
 * The harness: encoding streams.
 */
#include <string.h>

#include "host_internal.h"

void qh_stream_init(struct qh_stream *s, struct quill_host *h, uint32_t as, uint32_t max)
{
	s->host = h;
	s->buf = qh_alloc(h, as, (size_t)max * QUILL_CMD_SIZE, QH_R);
	s->cmd = (union quill_cmd *)s->buf->ptr;
	s->count = 0;
	s->max = max;
}

uint32_t qh_submit_stream(struct quill_host *h, uint32_t q, const struct qh_stream *s)
{
	return qh_submit(h, q, s->buf->va, s->count * QUILL_CMD_SIZE, s->buf->va);
}

struct quill_job_cpl qh_run(struct quill_host *h, uint32_t q, const struct qh_stream *s)
{
	struct quill_job_cpl cpl;

	if (!qh_wait(h, q, qh_submit_stream(h, q, s), QH_TIMEOUT_MS, &cpl))
		qh_die("queue %u: a job of %u records did not end in %u ms", q, s->count,
		       QH_TIMEOUT_MS);
	return cpl;
}

union quill_cmd *qh_cmd(struct qh_stream *s, uint8_t opcode)
{
	union quill_cmd *cmd = &s->cmd[s->count];

	if (s->count >= s->max)
		qh_die("the stream has room for %u records", s->max);
	s->count++;
	memset(cmd, 0, sizeof(*cmd));
	cmd->hdr.opcode = opcode;
	return cmd;
}

union quill_cmd *qh_nop(struct qh_stream *s)
{
	return qh_cmd(s, QUILL_OP_NOP);
}

union quill_cmd *qh_fence(struct qh_stream *s)
{
	return qh_cmd(s, QUILL_OP_FENCE);
}

union quill_cmd *qh_sem_wait(struct qh_stream *s, uint8_t sem, uint32_t value)
{
	return qh_wait_sem(qh_cmd(s, QUILL_OP_SEM_WAIT), sem, value);
}

union quill_cmd *qh_sem_signal(struct qh_stream *s, uint8_t sem)
{
	return qh_signal_sem(qh_cmd(s, QUILL_OP_SEM_SIGNAL), sem);
}

union quill_cmd *qh_jump(struct qh_stream *s, uint32_t index)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_JUMP);

	cmd->jump.target = (uint64_t)index * QUILL_CMD_SIZE;
	return cmd;
}

union quill_cmd *qh_call(struct qh_stream *s, const struct qh_stream *callee)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_CALL);

	cmd->call.stream = callee->buf->va;
	cmd->call.size = callee->count * QUILL_CMD_SIZE;
	return cmd;
}

union quill_cmd *qh_loop(struct qh_stream *s, uint32_t index, uint16_t reg, uint32_t limit)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_LOOP);

	cmd->loop.target = (uint64_t)index * QUILL_CMD_SIZE;
	cmd->loop.reg = reg;
	cmd->loop.limit = limit;
	return cmd;
}

union quill_cmd *qh_set(struct qh_stream *s, uint16_t reg, uint16_t op, uint32_t value)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_SET);

	cmd->set.op = op;
	cmd->set.reg = reg;
	cmd->set.value = value;
	return cmd;
}

union quill_cmd *qh_patch(struct qh_stream *s, uint32_t reg, uint32_t offset, bool wide,
			  int32_t scale)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_PATCH);

	cmd->patch.entry[0] = quill_patch_entry(reg, offset / 4, wide, scale);
	return cmd;
}

union quill_cmd *qh_timestamp(struct qh_stream *s, uint64_t dst)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_TIMESTAMP);

	cmd->timestamp.dst = dst;
	return cmd;
}

union quill_cmd *qh_copy(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t bytes)
{
	return qh_copy_2d(s, dst, 0, src, 0, bytes, 1);
}

union quill_cmd *qh_copy_2d(struct qh_stream *s, uint64_t dst, uint32_t dst_stride, uint64_t src,
			    uint32_t src_stride, uint64_t width, uint32_t height)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_COPY);

	cmd->copy.dst = dst;
	cmd->copy.src = src;
	cmd->copy.width = width;
	cmd->copy.dst_stride = dst_stride;
	cmd->copy.src_stride = src_stride;
	cmd->copy.height = height;
	return cmd;
}

union quill_cmd *qh_fill(struct qh_stream *s, uint64_t dst, uint32_t elem, uint64_t value,
			 uint64_t bytes)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_FILL);

	cmd->fill.dst = dst;
	cmd->fill.value = value;
	cmd->fill.width = bytes;
	cmd->fill.height = 1;
	cmd->fill.elem = elem;
	return cmd;
}

union quill_cmd *qh_transpose(struct qh_stream *s, uint64_t dst, uint64_t src, uint32_t rows,
			      uint32_t cols, uint32_t elem)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_TRANSPOSE);

	cmd->transpose.dst = dst;
	cmd->transpose.src = src;
	cmd->transpose.rows = rows;
	cmd->transpose.cols = cols;
	cmd->transpose.dst_stride = rows;
	cmd->transpose.src_stride = cols;
	cmd->transpose.batch = 1;
	cmd->transpose.elem = elem;
	return cmd;
}

union quill_cmd *qh_gemm(struct qh_stream *s, uint64_t a, uint64_t b, uint64_t d, uint32_t m,
			 uint32_t n, uint32_t k)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_GEMM);

	qh_cmd(s, QUILL_OP_EXT);
	cmd->hdr.ext = 1;
	cmd->hdr.type_a = QUILL_TYPE_S8;
	cmd->hdr.type_b = QUILL_TYPE_S8;
	cmd->hdr.type_d = QUILL_TYPE_S32;
	cmd->gemm.a = a;
	cmd->gemm.b = b;
	cmd->gemm.d = d;
	cmd->gemm.m = m;
	cmd->gemm.n = n;
	cmd->gemm.k = k;
	cmd->gemm.lda = k;
	cmd->gemm.ldd = n;
	return cmd;
}

union quill_cmd *qh_attention(struct qh_stream *s, const struct qh_attention *a)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_ATTENTION);
	struct quill_ext_attention *ext = &qh_cmd(s, QUILL_OP_EXT)->attention_ext;
	uint32_t row = a->n_heads * a->head_dim, kv_row = a->n_kv_heads * a->head_dim;

	cmd->hdr.ext = 1;
	cmd->hdr.flags = a->causal ? QUILL_CMD_CAUSAL : 0;
	cmd->hdr.type_a = QUILL_TYPE_S8;
	cmd->hdr.type_b = QUILL_TYPE_S8;
	cmd->hdr.type_d = QUILL_TYPE_F32;
	cmd->attention.q = a->q;
	cmd->attention.k = a->k;
	cmd->attention.v = a->v;
	cmd->attention.out = a->out;
	cmd->attention.n_q = a->n_q;
	cmd->attention.n_kv = a->n_kv;
	cmd->attention.n_heads = a->n_heads;
	cmd->attention.n_kv_heads = a->n_kv_heads;
	cmd->attention.head_dim = a->head_dim;
	ext->q_scale = a->q_scale;
	ext->k_scale = a->k_scale;
	ext->v_scale = a->v_scale;
	ext->q_stride = a->q_stride ? a->q_stride : row;
	ext->out_stride = a->out_stride ? a->out_stride : row;
	ext->kv_stride = a->kv_stride ? a->kv_stride : kv_row;
	ext->kv_head_stride = a->kv_head_stride ? a->kv_head_stride : a->head_dim;
	memcpy(&ext->softmax_scale, &a->softmax_scale, sizeof(ext->softmax_scale));
	return cmd;
}

void qh_pack_b(uint8_t *packed, const int8_t *b, uint32_t n, uint32_t k)
{
	uint32_t i, j;

	for (i = 0; i < k; i++)
		for (j = 0; j < n; j++)
			packed[quill_packed_offset(j, i, k)] = (uint8_t)b[(size_t)i * n + j] ^ 0x80;
}
