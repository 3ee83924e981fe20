// SPDX-License-Identifier: MIT
/*
 * Encoders: one typed function per command, those of VECTOR in cmd_vector.c, of attention in
 * cmd_attention.c, of the control processor in cmd_control.c. What a command may be, isa_check.h says.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static_assert((int)ACCEL_S8 == QUILL_TYPE_S8 && (int)ACCEL_S32 == QUILL_TYPE_S32 &&
	      (int)ACCEL_F32 == QUILL_TYPE_F32 && (int)ACCEL_BF16 == QUILL_TYPE_BF16 &&
	      (int)ACCEL_S4 == QUILL_TYPE_S4, "types of accel.h are those of isa.h");
static_assert(sizeof(struct accel_requant) == sizeof(struct quill_requant), "same bytes");

/* A number that the record has fewer bits for than the caller: it must not be cut. */
int accel_check_u16(struct accel_stream *stream, const char *cmd, const char *field,
		    uint32_t value, uint32_t max)
{
	if (value <= UINT16_MAX)
		return 0;
	return accel_error(stream->vm->dev, -EINVAL, "%s: %s is %u; required: at most %u", cmd,
			   field, value, max);
}

/* Give the command @ext extension records, which @cmd has room for; those that it did not have are empty. */
void accel_cmd_extend(union quill_cmd *cmd, uint8_t ext)
{
	while (cmd->hdr.ext < ext) {
		cmd->hdr.ext++;
		memset(&cmd[cmd->hdr.ext], 0, sizeof(*cmd));
		cmd[cmd->hdr.ext].hdr.opcode = QUILL_OP_EXT;
	}
}

/*
 * The header that nearly every command has: opcode, what @opts says, and ORDERED unless told
 * otherwise.
 */
void accel_cmd_header(union quill_cmd *cmd, uint8_t opcode, const struct accel_cmd_opts *opts)
{
	const struct quill_op_info *op = quill_op_info(opcode);

	memset(cmd, 0, sizeof(*cmd));
	cmd->hdr.opcode = opcode;
	accel_cmd_extend(cmd, op->ext);
	if (!opts || !opts->unordered)
		cmd->hdr.flags = op->flags & QUILL_CMD_ORDERED;
	if (!opts)
		return;
	cmd->hdr.wait_sem = opts->wait_sem;
	cmd->hdr.wait_value = opts->wait_value;
	cmd->hdr.signal_sem = opts->signal_sem;
	cmd->hdr.seq = opts->seq;
}

int accel_cmd_timestamp(struct accel_stream *stream, uint64_t dst,
			const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_cmd_header(&cmd, QUILL_OP_TIMESTAMP, opts);
	cmd.timestamp.dst = dst;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_copy(struct accel_stream *stream, uint64_t dst, uint64_t src, uint64_t size,
		   const struct accel_cmd_opts *opts)
{
	struct accel_copy_2d copy = { .dst = dst, .src = src, .width = size, .height = 1 };

	return accel_cmd_copy_2d(stream, &copy, opts);
}

int accel_cmd_copy_2d(struct accel_stream *stream, const struct accel_copy_2d *copy,
		      const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_cmd_header(&cmd, QUILL_OP_COPY, opts);
	cmd.copy.dst = copy->dst;
	cmd.copy.src = copy->src;
	cmd.copy.width = copy->width;
	cmd.copy.height = copy->height;
	cmd.copy.dst_stride = copy->dst_stride;
	cmd.copy.src_stride = copy->src_stride;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_transpose(struct accel_stream *stream, const struct accel_transpose *transpose,
			const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;
	struct quill_cmd_transpose *c = &cmd.transpose;

	accel_cmd_header(&cmd, QUILL_OP_TRANSPOSE, opts);
	c->dst = transpose->dst;
	c->src = transpose->src;
	c->rows = transpose->rows;
	c->cols = transpose->cols;
	c->dst_stride = transpose->dst_stride ? transpose->dst_stride : transpose->rows;
	c->src_stride = transpose->src_stride ? transpose->src_stride : transpose->cols;
	c->batch = transpose->batch ? transpose->batch : 1;
	c->dst_step = transpose->dst_step;
	if (!transpose->dst_step && c->batch > 1)
		c->dst_step = transpose->rows * transpose->cols;
	c->src_step = transpose->src_step;
	c->elem = transpose->elem;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_fill(struct accel_stream *stream, const struct accel_fill *fill,
		   const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_cmd_header(&cmd, QUILL_OP_FILL, opts);
	cmd.fill.dst = fill->dst;
	cmd.fill.value = fill->value;
	cmd.fill.width = fill->width;
	cmd.fill.elem = fill->elem;
	cmd.fill.height = fill->height ? fill->height : 1;
	cmd.fill.dst_stride = fill->dst_stride;
	return accel_stream_emit(stream, &cmd, 1);
}

static void accel_gemm_epilogue(struct quill_ext_gemm *ext, const struct accel_gemm *gemm)
{
	bool full = gemm->type_d == ACCEL_S8 && (!gemm->d_scale || gemm->d_scales) && !gemm->lo &&
		    !gemm->hi;

	ext->bias = gemm->bias;
	ext->scale = gemm->scale;
	ext->row_scale = gemm->row_scale;
	ext->zero = gemm->zero;
	ext->lo = full ? -128 : gemm->lo;
	ext->hi = full ? 127 : gemm->hi;
	ext->residual_zero = gemm->residual_zero;
}

static void accel_gemm_post(struct quill_ext_gemm_post *post, const struct accel_gemm *gemm)
{
	post->gate = gemm->gate;
	post->residual = gemm->residual;
	post->residual_mult = gemm->residual_mult;
	post->d_scale = gemm->d_scale;
	post->gate_stride = gemm->gate && !gemm->gate_stride ? gemm->n : gemm->gate_stride;
	post->residual_stride = gemm->residual && !gemm->residual_stride ? gemm->n :
									  gemm->residual_stride;
	post->act = (uint32_t)gemm->act;
	post->options = (gemm->accumulate ? QUILL_GEMM_ACCUMULATE : 0) |
			(gemm->d_scales == ACCEL_GEMM_SCALE_COLUMNS ? QUILL_GEMM_SCALE_COLUMNS : 0) |
			(gemm->d_scales == ACCEL_GEMM_SCALE_TENSOR ? QUILL_GEMM_SCALE_TENSOR : 0) |
			(gemm->a_transposed ? QUILL_GEMM_A_TRANSPOSED : 0) |
			(gemm->layout == ACCEL_GEMM_ROWS ? QUILL_GEMM_B_ROWS : 0) |
			(gemm->layout == ACCEL_GEMM_COLUMNS ? QUILL_GEMM_B_COLUMNS : 0);
}

static void accel_gemm_batch(struct quill_ext_gemm_batch *to, const struct accel_gemm_batch *batch)
{
	to->a_step = batch->a_step;
	to->b_step = batch->b_step;
	to->d_step = batch->d_step;
	to->gate_step = batch->gate_step;
	to->residual_step = batch->residual_step;
	to->batch = batch->count;
	to->column_step = batch->column_step;
}

/* The strides of 0. */
static void accel_gemm_strides(struct quill_cmd_gemm *cmd, const struct accel_gemm *gemm)
{
	uint32_t block = quill_block_size(cmd->hdr.type_b);
	uint32_t ldb = gemm->layout == ACCEL_GEMM_ROWS ? gemm->n :
		       gemm->layout == ACCEL_GEMM_COLUMNS ? gemm->k :
		       gemm->k / QUILL_BLOCK * block;

	cmd->lda = gemm->lda ? gemm->lda : gemm->a_transposed ? gemm->m : gemm->k;
	cmd->ldd = gemm->ldd ? gemm->ldd : gemm->n;
	cmd->ldb = gemm->ldb ? gemm->ldb : ldb;
}

/* A type that is given, and one that has a default: as a byte of the header. */
static int accel_gemm_type(struct accel_stream *stream, const char *name, enum accel_type type,
			   const char *required, uint8_t *to)
{
	if ((unsigned int)type > UINT8_MAX)
		return accel_error(stream->vm->dev, -EINVAL, "GEMM: %s is %d; required: %s", name,
				   type, required);
	*to = (uint8_t)type;
	return 0;
}

static int accel_gemm_types(struct accel_stream *stream, const struct accel_gemm *gemm,
			    struct quill_cmd_hdr *hdr)
{
	int ret;

	ret = accel_gemm_type(stream, "type_a", gemm->type_a ? gemm->type_a : ACCEL_S8,
			      "ACCEL_S8 (1) or a float type", &hdr->type_a);
	if (!ret)
		ret = accel_gemm_type(stream, "type_b", gemm->type_b ? gemm->type_b : ACCEL_S8,
				      "ACCEL_S8 (1), a block or a float type", &hdr->type_b);
	if (!ret)
		ret = accel_gemm_type(stream, "type_d", gemm->type_d,
				      "ACCEL_S8 (1), ACCEL_S32 (2), ACCEL_F32 (3) or ACCEL_BF16 (4)",
				      &hdr->type_d);
	return ret;
}

int accel_cmd_gemm(struct accel_stream *stream, const struct accel_gemm *gemm,
		   const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd[QUILL_MAX_RECORDS];
	bool post = gemm->gate || gemm->residual || gemm->d_scale || gemm->gate_stride ||
		    gemm->residual_stride || gemm->residual_mult || gemm->d_scales || gemm->act || gemm->accumulate || gemm->a_transposed ||
		    gemm->layout;
	int ret;

	accel_cmd_header(cmd, QUILL_OP_GEMM, opts);
	accel_cmd_extend(cmd, gemm->batch ? 3 : post ? 2 : 1);
	ret = accel_gemm_types(stream, gemm, &cmd[0].hdr);
	if (ret)
		return ret;
	if (gemm->layout > ACCEL_GEMM_COLUMNS)
		return accel_error(stream->vm->dev, -EINVAL, "GEMM: layout is %u; required: "
				   "ACCEL_GEMM_PACKED (0), ROWS (1) or COLUMNS (2)", gemm->layout);
	if (gemm->d_scales > ACCEL_GEMM_SCALE_TENSOR)
		return accel_error(stream->vm->dev, -EINVAL, "GEMM: d_scales is %u; required: "
				   "ACCEL_GEMM_SCALE_ROWS (0), COLUMNS (1) or TENSOR (2)", gemm->d_scales);
	cmd[0].gemm.a = gemm->a;
	cmd[0].gemm.b = gemm->b;
	cmd[0].gemm.d = gemm->d;
	cmd[0].gemm.m = gemm->m;
	cmd[0].gemm.n = gemm->n;
	cmd[0].gemm.k = gemm->k;
	accel_gemm_strides(&cmd[0].gemm, gemm);
	accel_gemm_epilogue(&cmd[1].gemm_ext, gemm);
	cmd[1].gemm_ext.group = quill_block_size(cmd[0].hdr.type_b) && !gemm->group ? QUILL_BLOCK :
										       gemm->group;
	cmd[1].gemm_ext.row_scale_stride = gemm->row_scale_stride;
	if (cmd->hdr.ext >= 2)
		accel_gemm_post(&cmd[2].gemm_post, gemm);
	if (gemm->batch)
		accel_gemm_batch(&cmd[3].gemm_batch, gemm->batch);
	return accel_stream_emit(stream, cmd, 1 + cmd->hdr.ext);
}
