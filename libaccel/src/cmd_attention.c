// SPDX-License-Identifier: MIT
/*
 * Encoders: attention, merging its parts, and the cache of keys and values.
 */
#include <string.h>

#include "internal.h"

static_assert((int)ACCEL_WEIGHTS_F32 == QUILL_WEIGHTS_F32 &&
	      (int)ACCEL_WEIGHTS_S16 == QUILL_WEIGHTS_S16 && QUILL_WEIGHTS_COUNT == 2,
	      "weights of accel.h are those of isa.h");

static uint8_t accel_type_or(enum accel_type type, uint8_t otherwise)
{
	return type ? (uint8_t)type : otherwise;
}

static int accel_attention_check_widths(struct accel_stream *stream,
					const struct accel_attention *att)
{
	int ret;

	ret = accel_check_u16(stream, "ATTENTION", "n_heads", att->n_heads,
			      QUILL_ATTENTION_MAX_HEADS);
	if (!ret)
		ret = accel_check_u16(stream, "ATTENTION", "n_kv_heads", att->n_kv_heads,
				      QUILL_ATTENTION_MAX_HEADS);
	if (!ret)
		ret = accel_check_u16(stream, "ATTENTION", "head_dim", att->head_dim,
				      QUILL_ATTENTION_MAX_HEAD_DIM);
	return ret;
}

static void accel_attention_ext(struct quill_ext_attention *ext, const struct accel_attention *att)
{
	/* head counts and head_dim are below 2^16, and the check refuses those over 2^10 and 2^8 */
	uint32_t row = att->n_heads * att->head_dim;
	uint32_t kv_row = att->n_kv_heads * att->head_dim;

	ext->q_scale = att->q_scale;
	ext->k_scale = att->k_scale;
	ext->v_scale = att->v_scale;
	ext->q_stride = att->q_stride ? att->q_stride : row;
	ext->out_stride = att->out_stride ? att->out_stride : row;
	ext->kv_stride = att->kv_stride ? att->kv_stride : kv_row;
	ext->kv_head_stride = att->kv_head_stride ? att->kv_head_stride : att->head_dim;
	memcpy(&ext->softmax_scale, &att->softmax_scale, sizeof(ext->softmax_scale));
}

static bool accel_attention_wants_more(const struct accel_attention *att)
{
	return att->state || att->window || att->weights || att->pages.table ||
	       att->pages.page_size || att->pages.page_stride || att->pages.count;
}

/* The distance of pages that follow each other without gaps. */
static uint32_t accel_page_stride(const struct accel_pages *pages, uint32_t kv_stride)
{
	if (pages->page_stride || !pages->table)
		return pages->page_stride;
	return pages->page_size * kv_stride;
}

static void accel_attention_more(struct quill_ext_attention_more *more,
				 const struct accel_attention *att, uint32_t kv_stride)
{
	more->state = att->state;
	more->window = att->window;
	more->weights = att->weights;
	more->table = att->pages.table;
	more->page_size = att->pages.page_size;
	more->page_stride = accel_page_stride(&att->pages, kv_stride);
	more->pages = att->pages.count;
}

int accel_cmd_attention(struct accel_stream *stream, const struct accel_attention *attention,
			const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd[3];
	int ret;

	ret = accel_attention_check_widths(stream, attention);
	if (ret)
		return ret;

	accel_cmd_header(cmd, QUILL_OP_ATTENTION, opts);
	cmd[0].hdr.type_b = accel_type_or(attention->type_kv, QUILL_TYPE_S8);
	cmd[0].hdr.type_a = accel_type_or(attention->type_q,
					  cmd[0].hdr.type_b == QUILL_TYPE_BF16 ? QUILL_TYPE_F32 :
										 QUILL_TYPE_S8);
	cmd[0].hdr.type_d = QUILL_TYPE_F32;
	if (attention->causal)
		cmd[0].hdr.flags |= QUILL_CMD_CAUSAL;
	cmd[0].attention.q = attention->q;
	cmd[0].attention.k = attention->k;
	cmd[0].attention.v = attention->v;
	cmd[0].attention.out = attention->out;
	cmd[0].attention.n_q = attention->n_q;
	cmd[0].attention.n_kv = attention->n_kv;
	cmd[0].attention.n_heads = (uint16_t)attention->n_heads;
	cmd[0].attention.n_kv_heads = (uint16_t)attention->n_kv_heads;
	cmd[0].attention.head_dim = (uint16_t)attention->head_dim;
	accel_attention_ext(&cmd[1].attention_ext, attention);
	if (accel_attention_wants_more(attention)) {
		accel_cmd_extend(cmd, 2);
		accel_attention_more(&cmd[2].attention_more, attention,
				     cmd[1].attention_ext.kv_stride);
	}
	return accel_stream_emit(stream, cmd, 1 + cmd->hdr.ext);
}

static int accel_check_heads(struct accel_stream *stream, const char *cmd, uint32_t heads, uint32_t dim)
{
	int ret;

	ret = accel_check_u16(stream, cmd, "heads", heads, QUILL_ATTENTION_MAX_HEADS);
	if (!ret)
		ret = accel_check_u16(stream, cmd, "dim", dim, QUILL_ATTENTION_MAX_HEAD_DIM);
	return ret;
}

int accel_cmd_merge(struct accel_stream *stream, const struct accel_merge *merge,
		    const struct accel_cmd_opts *opts)
{
	uint32_t row = merge->heads * merge->dim;
	union quill_cmd cmd[2];
	struct quill_ext_merge *ext = &cmd[1].merge_ext;
	int ret;

	ret = accel_check_heads(stream, "MERGE", merge->heads, merge->dim);
	if (ret)
		return ret;

	accel_cmd_header(cmd, QUILL_OP_MERGE, opts);
	cmd[0].hdr.type_a = QUILL_TYPE_F32;
	cmd[0].hdr.type_b = QUILL_TYPE_F32;
	cmd[0].hdr.type_d = QUILL_TYPE_F32;
	cmd[0].merge.src = merge->src;
	cmd[0].merge.state = merge->state;
	cmd[0].merge.dst = merge->dst;
	cmd[0].merge.dst_state = merge->dst_state;
	cmd[0].merge.rows = merge->rows;
	cmd[0].merge.parts = merge->parts;
	cmd[0].merge.heads = (uint16_t)merge->heads;
	cmd[0].merge.dim = (uint16_t)merge->dim;
	ext->src_stride = merge->src_stride ? merge->src_stride : row;
	ext->dst_stride = merge->dst_stride ? merge->dst_stride : row;
	ext->part_stride = merge->part_stride ? merge->part_stride : merge->rows * ext->src_stride;
	ext->state_stride = merge->state_stride ? merge->state_stride :
						  merge->rows * merge->heads * 2;
	return accel_stream_emit(stream, cmd, 2);
}

int accel_cmd_kv_append(struct accel_stream *stream, const struct accel_kv_append *append,
			const struct accel_cmd_opts *opts)
{
	uint32_t row = append->heads * append->dim;
	union quill_cmd cmd[2];
	struct quill_ext_kv_append *ext = &cmd[1].kv_append_ext;
	int ret;

	ret = accel_check_heads(stream, "KV_APPEND", append->heads, append->dim);
	if (ret)
		return ret;

	accel_cmd_header(cmd, QUILL_OP_KV_APPEND, opts);
	cmd[0].hdr.type_a = QUILL_TYPE_F32;
	cmd[0].hdr.type_d = accel_type_or(append->type_kv, QUILL_TYPE_S8);
	cmd[0].kv_append.k_src = append->k_src;
	cmd[0].kv_append.v_src = append->v_src;
	cmd[0].kv_append.k = append->k;
	cmd[0].kv_append.v = append->v;
	cmd[0].kv_append.tokens = append->tokens;
	cmd[0].kv_append.pos = append->pos;
	cmd[0].kv_append.heads = (uint16_t)append->heads;
	cmd[0].kv_append.dim = (uint16_t)append->dim;
	cmd[0].kv_append.src_stride = append->src_stride ? append->src_stride : row;
	ext->k_scale = append->k_scale;
	ext->v_scale = append->v_scale;
	ext->kv_stride = append->kv_stride ? append->kv_stride : row;
	ext->kv_head_stride = append->kv_head_stride ? append->kv_head_stride : append->dim;
	ext->table = append->pages.table;
	ext->page_size = append->pages.page_size;
	ext->page_stride = accel_page_stride(&append->pages, ext->kv_stride);
	ext->pages = append->pages.count;
	return accel_stream_emit(stream, cmd, 2);
}
