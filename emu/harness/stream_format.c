// SPDX-License-Identifier: MIT
/* CONVERT and REPACK in a stream. */
#include "quill_host.h"

union quill_cmd *qh_convert(struct qh_stream *s, uint32_t type_d, uint64_t dst, uint32_t type_a,
			    uint64_t src, uint32_t rows, uint32_t n)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_CONVERT);

	cmd->hdr.type_a = (uint8_t)type_a;
	cmd->hdr.type_d = (uint8_t)type_d;
	cmd->convert.src = src;
	cmd->convert.dst = dst;
	cmd->convert.rows = rows;
	cmd->convert.n = n;
	cmd->convert.src_stride = n;
	cmd->convert.dst_stride = n;
	return cmd;
}

union quill_cmd *qh_repack(struct qh_stream *s, uint32_t type, uint64_t dst, uint64_t src,
			   uint32_t n, uint32_t k, uint32_t order)
{
	union quill_cmd *cmd = qh_cmd(s, QUILL_OP_REPACK);

	cmd->hdr.type_a = type == QUILL_TYPE_S4 ? QUILL_TYPE_S8 : (uint8_t)type;
	cmd->hdr.type_d = (uint8_t)type;
	cmd->repack.src = src;
	cmd->repack.dst = dst;
	cmd->repack.n = n;
	cmd->repack.k = k;
	cmd->repack.order = order;
	cmd->repack.batch = 1;
	cmd->repack.src_stride = order == QUILL_REPACK_NK ? k : n;
	return cmd;
}
