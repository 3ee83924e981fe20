// SPDX-License-Identifier: MIT
/*
 * The harness: encoding CONV2D and POOL.
 */
#include "host_internal.h"

static uint8_t or_one(uint32_t step)
{
	return (uint8_t)(step ? step : 1);
}

union quill_cmd *qh_conv2d(struct qh_stream *s, const struct qh_conv2d *c)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_CONV2D);
	struct quill_ext_conv2d *ext = &qh_cmd(s, QUILL_OP_EXT)->conv2d_ext;

	cmd->hdr.ext = 1;
	cmd->hdr.type_a = QUILL_TYPE_S8;
	cmd->hdr.type_b = QUILL_TYPE_S8;
	cmd->hdr.type_d = QUILL_TYPE_S32;
	cmd->conv2d.src = c->src;
	cmd->conv2d.weight = c->weight;
	cmd->conv2d.dst = c->dst;
	cmd->conv2d.batch = (uint16_t)c->batch;
	cmd->conv2d.in_h = (uint16_t)c->in_h;
	cmd->conv2d.in_w = (uint16_t)c->in_w;
	cmd->conv2d.out_h = (uint16_t)c->out_h;
	cmd->conv2d.out_w = (uint16_t)c->out_w;
	cmd->conv2d.in_c = (uint16_t)c->in_c;
	cmd->conv2d.out_c = (uint16_t)c->out_c;
	cmd->conv2d.groups = (uint16_t)c->groups;
	cmd->conv2d.kh = (uint8_t)c->kh;
	cmd->conv2d.kw = (uint8_t)c->kw;
	cmd->conv2d.stride_h = or_one(c->stride_h);
	cmd->conv2d.stride_w = or_one(c->stride_w);
	cmd->conv2d.dilation_h = or_one(c->dilation_h);
	cmd->conv2d.dilation_w = or_one(c->dilation_w);
	cmd->conv2d.pad_value = c->pad_value;
	ext->src_stride = c->in_c;
	ext->dst_stride = c->out_c;
	ext->pad_top = (uint16_t)c->pad_top;
	ext->pad_left = (uint16_t)c->pad_left;
	return cmd;
}

union quill_cmd *qh_pool(struct qh_stream *s, const struct qh_conv2d *c, uint32_t type, uint32_t op)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_POOL);

	cmd->hdr.type_a = (uint8_t)type;
	cmd->hdr.type_d = (uint8_t)type;
	cmd->pool.src = c->src;
	cmd->pool.dst = c->dst;
	cmd->pool.src_stride = c->in_c;
	cmd->pool.dst_stride = c->in_c;
	cmd->pool.batch = (uint16_t)c->batch;
	cmd->pool.in_h = (uint16_t)c->in_h;
	cmd->pool.in_w = (uint16_t)c->in_w;
	cmd->pool.out_h = (uint16_t)c->out_h;
	cmd->pool.out_w = (uint16_t)c->out_w;
	cmd->pool.channels = (uint16_t)c->in_c;
	cmd->pool.kh = (uint16_t)c->kh;
	cmd->pool.kw = (uint16_t)c->kw;
	cmd->pool.pad_top = (uint16_t)c->pad_top;
	cmd->pool.pad_left = (uint16_t)c->pad_left;
	cmd->pool.stride_h = or_one(c->stride_h);
	cmd->pool.stride_w = or_one(c->stride_w);
	cmd->pool.op = (uint8_t)op;
	cmd->pool.pad_value = c->pad_value;
	return cmd;
}
