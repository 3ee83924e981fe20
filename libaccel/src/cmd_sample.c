// SPDX-License-Identifier: MIT
/*
 * Encoders: TOPK and SAMPLE.
 */
#include <string.h>

#include "internal.h"

static uint32_t accel_float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

int accel_cmd_topk(struct accel_stream *stream, const struct accel_topk *topk,
		   const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_cmd_header(&cmd, QUILL_OP_TOPK, opts);
	cmd.hdr.type_a = QUILL_TYPE_F32;
	cmd.hdr.type_d = QUILL_TYPE_F32;
	cmd.topk.src = topk->src;
	cmd.topk.value = topk->value;
	cmd.topk.index = topk->index;
	cmd.topk.rows = topk->rows;
	cmd.topk.n = topk->n;
	cmd.topk.k = topk->k;
	cmd.topk.src_stride = topk->src_stride ? topk->src_stride : topk->n;
	cmd.topk.value_stride = topk->value_stride;
	if (topk->value && !topk->value_stride)
		cmd.topk.value_stride = topk->k;
	cmd.topk.index_stride = topk->index_stride ? topk->index_stride : topk->k;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_sample(struct accel_stream *stream, const struct accel_sample *sample,
		     const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd[2];

	accel_cmd_header(cmd, QUILL_OP_SAMPLE, opts);
	cmd->hdr.type_a = QUILL_TYPE_F32;
	cmd->hdr.type_d = QUILL_TYPE_S32;
	cmd->sample.src = sample->src;
	cmd->sample.dst = sample->dst;
	cmd->sample.prob = sample->prob;
	cmd->sample.rows = sample->rows;
	cmd->sample.n = sample->n;
	cmd->sample.src_stride = sample->src_stride ? sample->src_stride : sample->n;
	cmd->sample.temperature = accel_float_bits(sample->temperature);
	cmd->sample.top_k = sample->top_k;
	cmd->sample.top_p = accel_float_bits(sample->top_p == 0 ? 1 : sample->top_p);
	cmd[1].sample_ext.seed = sample->seed;
	cmd[1].sample_ext.counter = sample->counter;
	return accel_stream_emit(stream, cmd, 2);
}
