// SPDX-License-Identifier: MIT
/* Commands that change how numbers are written or where they lie: CONVERT and REPACK. */
#include <assert.h>
#include <errno.h>

#include "internal.h"

static_assert((int)ACCEL_ORDER_NK == QUILL_REPACK_NK && (int)ACCEL_ORDER_KN == QUILL_REPACK_KN,
	      "orders of accel.h are those of isa.h");

static int accel_format_type(struct accel_stream *stream, const char *cmd, const char *field,
			     enum accel_type type, uint8_t *to)
{
	if ((unsigned int)type > UINT8_MAX)
		return accel_error(stream->vm->dev, -EINVAL, "%s: %s is %d; required: an enum "
				   "accel_type", cmd, field, type);
	*to = (uint8_t)type;
	return 0;
}

int accel_cmd_convert(struct accel_stream *stream, const struct accel_convert *convert,
		      const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;
	int ret;

	accel_cmd_header(&cmd, QUILL_OP_CONVERT, opts);
	ret = accel_format_type(stream, "CONVERT", "src_type", convert->src_type, &cmd.hdr.type_a);
	if (!ret)
		ret = accel_format_type(stream, "CONVERT", "dst_type", convert->dst_type,
					&cmd.hdr.type_d);
	if (ret)
		return ret;
	cmd.convert.src = convert->src;
	cmd.convert.dst = convert->dst;
	cmd.convert.rows = convert->rows;
	cmd.convert.n = convert->n;
	cmd.convert.src_stride = convert->src_stride ? convert->src_stride : convert->n;
	cmd.convert.dst_stride = convert->dst_stride ? convert->dst_stride : convert->n;
	cmd.convert.saturate = convert->saturate;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_repack(struct accel_stream *stream, const struct accel_repack *repack,
		     const struct accel_cmd_opts *opts)
{
	bool nk = repack->order == ACCEL_ORDER_NK;
	union quill_cmd cmd;
	int ret;

	accel_cmd_header(&cmd, QUILL_OP_REPACK, opts);
	ret = accel_format_type(stream, "REPACK", "type", repack->type, &cmd.hdr.type_d);
	if (ret)
		return ret;
	cmd.hdr.type_a = repack->type == ACCEL_S4 ? QUILL_TYPE_S8 : cmd.hdr.type_d;
	cmd.repack.src = repack->src;
	cmd.repack.dst = repack->dst;
	cmd.repack.n = repack->n;
	cmd.repack.k = repack->k;
	cmd.repack.src_stride = repack->src_stride ? repack->src_stride : nk ? repack->k : repack->n;
	cmd.repack.order = repack->order;
	cmd.repack.batch = repack->batch ? repack->batch : 1;
	cmd.repack.src_step = repack->src_step;
	return accel_stream_emit(stream, &cmd, 1);
}
