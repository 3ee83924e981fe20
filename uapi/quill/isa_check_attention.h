/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/* Rules of ATTENTION, MERGE and KV_APPEND. Included by isa_check.h. */
#ifndef QUILL_ISA_CHECK_ATTENTION_H
#define QUILL_ISA_CHECK_ATTENTION_H

/* struct quill_kv - a cache of keys and values as a command describes it; without pages, one page */
struct quill_kv {
	__u64 k, v, k_scale, v_scale, table;
	__u32 size;		/* of an element */
	__u32 keys, heads, dim;
	__u32 stride, head_stride;
	__u32 page_size, page_stride, pages;
};

/* Where the element at @offset of each key of @heads heads would be: does all of it lie in 48 bits? @size: bytes. */
static inline int quill_check_kv_range(const struct quill_kv *kv, __u64 addr, __u32 unit, __u32 size)
{
	__u64 row = ((__u64)(kv->heads - 1) * (kv->head_stride / unit) + kv->dim / unit) * size;
	__u64 stride = (__u64)(kv->stride / unit) * size;

	if (!kv->table)
		return quill_check_range(addr, kv->keys, stride, row);
	return quill_check_range(addr, kv->pages, (__u64)(kv->page_stride / unit) * size,
				 (kv->page_size - 1) * stride + row);
}

#define QUILL_REQUIRE_KV_SCALE(kv, rec, name, field)						\
	do {											\
		QUILL_REQUIRE((kv)->size == 1 || !(kv)->field, PARAM, rec, name, field,		\
			      "0, since keys and values have no scales");			\
		QUILL_REQUIRE(!((kv)->field & 3), ALIGN, rec, name, field, "a multiple of 4");	\
		QUILL_REQUIRE((kv)->size != 1 ||						\
			      quill_check_kv_range(kv, (kv)->field, (kv)->dim, 4), RANGE, rec,	\
			      name, field, QUILL_IN_48_BITS);					\
	} while (0)

#define QUILL_REQUIRE_KV_ARRAY(kv, name, field)							\
	do {											\
		QUILL_REQUIRE(!((kv)->field & ((kv)->size - 1)), ALIGN, 0, name, field,		\
			      "a multiple of the element's size");				\
		QUILL_REQUIRE(quill_check_kv_range(kv, (kv)->field, 1, (kv)->size), RANGE, 0,	\
			      name, field, QUILL_IN_48_BITS);					\
	} while (0)

/*
 * @cmd_name: the first record's name. @unit: words for a head's elements. @rec: the record with the strides,
 * @name: its name; @page_rec and @page: the one with the pages.
 */
#define QUILL_REQUIRE_KV(kv, cmd_name, rec, name, page_rec, page, unit)			\
	do {											\
		QUILL_REQUIRE((kv)->stride && (kv)->stride % (kv)->dim == 0, STRIDE, rec, name,	\
			      kv_stride, "over 0, and a multiple of " unit);			\
		QUILL_REQUIRE((kv)->head_stride && (kv)->head_stride % (kv)->dim == 0, STRIDE,	\
			      rec, name, kv_head_stride,					\
			      "over 0, and a multiple of " unit);				\
		QUILL_REQUIRE((kv)->table ? (kv)->page_size && (kv)->page_size % 16 == 0 &&	\
			      (kv)->page_size <= QUILL_ATTENTION_MAX_PAGE : !(kv)->page_size,	\
			      SHAPE, page_rec, page, page_size,					\
			      "16, 32, ... 65536, or 0 without a table");			\
		QUILL_REQUIRE((kv)->table ? (kv)->pages &&					\
			      (kv)->pages <= QUILL_ATTENTION_MAX_PAGES : !(kv)->pages,		\
			      SHAPE, page_rec, page, pages, "1..2^24, or 0 without a table");	\
		QUILL_REQUIRE((kv)->table ? (kv)->page_stride &&				\
			      (kv)->page_stride % (kv)->dim == 0 : !(kv)->page_stride,		\
			      STRIDE, page_rec, page, page_stride,				\
			      "0 without a table; else over 0, and a multiple of " unit);	\
		QUILL_REQUIRE(!((kv)->table & 3), ALIGN, page_rec, page, table,			\
			      "a multiple of 4");						\
		QUILL_REQUIRE(!(kv)->table ||							\
			      quill_check_range((kv)->table, 1, 0,				\
						(__u64)(((kv)->keys - 1) / (kv)->page_size + 1) * 4), \
			      RANGE, page_rec, page, table, QUILL_IN_48_BITS);			\
		QUILL_REQUIRE_KV_SCALE(kv, rec, name, k_scale);					\
		QUILL_REQUIRE_KV_SCALE(kv, rec, name, v_scale);					\
		QUILL_REQUIRE_KV_ARRAY(kv, cmd_name, k);					\
		QUILL_REQUIRE_KV_ARRAY(kv, cmd_name, v);					\
	} while (0)

static inline __u32 quill_check_attention_more(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_attention *c = &cmd[0].attention;
	const struct quill_ext_attention_more *m = &cmd[2].attention_more;

	QUILL_REQUIRE(!m->window || c->hdr.flags & QUILL_CMD_CAUSAL, PARAM, 2, attention_more,
		      window, "0, unless causal|flags");
	QUILL_REQUIRE(m->weights < QUILL_WEIGHTS_COUNT, PARAM, 2, attention_more, weights,
		      "0 (float32) or 1 (16 bits)");
	QUILL_REQUIRE(m->weights == QUILL_WEIGHTS_F32 || c->hdr.type_b == QUILL_TYPE_S8, PARAM, 2,
		      attention_more, weights, "0 (float32), unless values are S8 (1)|type_b");
	QUILL_REQUIRE(!(m->state & 3), ALIGN, 2, attention_more, state, "a multiple of 4");
	QUILL_REQUIRE(!m->state || quill_check_range(m->state, c->n_q, (__u64)c->n_heads * 8,
						     (__u64)c->n_heads * 8),
		      RANGE, 2, attention_more, state, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_attention_kv(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_attention *c = &cmd[0].attention;
	const struct quill_ext_attention *e = &cmd[1].attention_ext;
	struct quill_kv kv = {
		.k = c->k, .v = c->v, .k_scale = e->k_scale, .v_scale = e->v_scale,
		.size = quill_type_size(c->hdr.type_b),
		.keys = c->n_kv, .heads = c->n_kv_heads, .dim = c->head_dim,
		.stride = e->kv_stride, .head_stride = e->kv_head_stride,
	};

	if (c->hdr.ext > 1) {
		const struct quill_ext_attention_more *m = &cmd[2].attention_more;

		kv.table = m->table;
		kv.page_size = m->page_size;
		kv.page_stride = m->page_stride;
		kv.pages = m->pages;
	}
	QUILL_REQUIRE_KV(&kv, attention, 1, attention_ext, 2, attention_more, "head_dim|head_dim");
	return QUILL_FAULT_NONE;
}

/* Queries and their scales. */
static inline __u32 quill_check_attention_q(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_attention *c = &cmd[0].attention;
	const struct quill_ext_attention *e = &cmd[1].attention_ext;
	__u32 dim = c->head_dim, row = c->n_heads * dim, size = quill_type_size(c->hdr.type_a);
	int s8 = c->hdr.type_a == QUILL_TYPE_S8;

	QUILL_REQUIRE(!(c->q & (size - 1)), ALIGN, 0, attention, q,
		      "a multiple of the element's size");
	QUILL_REQUIRE(quill_check_range(c->q, c->n_q, (__u64)e->q_stride * size, (__u64)row * size),
		      RANGE, 0, attention, q, QUILL_IN_48_BITS);
	QUILL_REQUIRE(s8 || !e->q_scale, PARAM, 1, attention_ext, q_scale,
		      "0, since queries have no scales");
	QUILL_REQUIRE(!(e->q_scale & 3), ALIGN, 1, attention_ext, q_scale, "a multiple of 4");
	QUILL_REQUIRE(!s8 || quill_check_range(e->q_scale, c->n_q, (__u64)(e->q_stride / dim) * 4,
					       (__u64)c->n_heads * 4),
		      RANGE, 1, attention_ext, q_scale, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_attention_ext(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_attention *c = &cmd[0].attention;
	const struct quill_ext_attention *e = &cmd[1].attention_ext;
	__u32 dim = c->head_dim, row = c->n_heads * dim, fault;

	QUILL_REQUIRE(e->q_stride >= row && e->q_stride % dim == 0, STRIDE, 1, attention_ext,
		      q_stride,
		      "at least n_heads * head_dim, and a multiple of head_dim|head_dim");
	QUILL_REQUIRE(e->out_stride >= row, STRIDE, 1, attention_ext, out_stride,
		      "at least n_heads * head_dim|head_dim");
	QUILL_REQUIRE(quill_f32_finite(e->softmax_scale), PARAM, 1, attention_ext, softmax_scale,
		      "the bits of a finite float");
	QUILL_REQUIRE(quill_check_range(c->out, c->n_q, (__u64)e->out_stride * 4, (__u64)row * 4),
		      RANGE, 0, attention, out, QUILL_IN_48_BITS);
	fault = quill_check_attention_q(cmd, why);
	if (fault)
		return fault;
	fault = quill_check_attention_kv(cmd, why);
	if (fault || c->hdr.ext < 2)
		return fault;
	return quill_check_attention_more(cmd, why);
}

static inline __u32 quill_check_attention(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_attention *c = &cmd->attention;

	QUILL_REQUIRE((c->hdr.type_a == QUILL_TYPE_S8) == (c->hdr.type_b == QUILL_TYPE_S8), TYPE, 0,
		      hdr, type_b, "S8 (1) if type_a is, else BF16 (4)|type_a");
	QUILL_REQUIRE(c->n_kv && c->n_kv <= QUILL_ATTENTION_MAX_KV, SHAPE, 0, attention, n_kv,
		      "1..2^20");
	QUILL_REQUIRE(c->n_q && c->n_q <= QUILL_ATTENTION_MAX_Q &&
		      (!(c->hdr.flags & QUILL_CMD_CAUSAL) || c->n_q <= c->n_kv), SHAPE, 0,
		      attention, n_q, "1..65536, and at most n_kv if causal|n_kv");
	QUILL_REQUIRE(c->n_kv_heads && c->n_kv_heads <= QUILL_ATTENTION_MAX_HEADS, SHAPE, 0,
		      attention, n_kv_heads, "1..1024");
	QUILL_REQUIRE(c->n_heads && c->n_heads <= QUILL_ATTENTION_MAX_HEADS &&
		      c->n_heads % c->n_kv_heads == 0, SHAPE, 0, attention, n_heads,
		      "1..1024, a multiple of n_kv_heads|n_kv_heads");
	QUILL_REQUIRE(c->head_dim && c->head_dim % 16 == 0 &&
		      c->head_dim <= QUILL_ATTENTION_MAX_HEAD_DIM, SHAPE, 0, attention, head_dim,
		      "16, 32, ... 256");
	QUILL_REQUIRE(!(c->out & 3), ALIGN, 0, attention, out, "a multiple of 4");
	return quill_check_attention_ext(cmd, why);
}

/* Heads of MERGE and KV_APPEND. */
#define QUILL_REQUIRE_HEADS(c, name)								\
	do {											\
		QUILL_REQUIRE((c)->heads && (c)->heads <= QUILL_ATTENTION_MAX_HEADS, SHAPE, 0,	\
			      name, heads, "1..1024");						\
		QUILL_REQUIRE((c)->dim && (c)->dim % 16 == 0 &&					\
			      (c)->dim <= QUILL_ATTENTION_MAX_HEAD_DIM, SHAPE, 0, name, dim,	\
			      "16, 32, ... 256");						\
	} while (0)

static inline __u32 quill_check_merge(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_merge *c = &cmd[0].merge;
	const struct quill_ext_merge *e = &cmd[1].merge_ext;
	__u32 row = (__u32)c->heads * c->dim;
	__u64 span = ((__u64)(c->rows - 1) * e->src_stride + row) * 4;
	__u64 states = (__u64)c->rows * c->heads * 8;

	QUILL_REQUIRE(c->rows && c->rows <= QUILL_ATTENTION_MAX_Q, SHAPE, 0, merge, rows,
		      "1..65536");
	QUILL_REQUIRE(c->parts && c->parts <= QUILL_MERGE_MAX_PARTS, SHAPE, 0, merge, parts,
		      "1..1024");
	QUILL_REQUIRE_HEADS(c, merge);
	QUILL_REQUIRE(c->rows == 1 || e->src_stride >= row, STRIDE, 1, merge_ext, src_stride,
		      "at least heads * dim|dim");
	QUILL_REQUIRE(!(c->src & 3), ALIGN, 0, merge, src, "a multiple of 4");
	QUILL_REQUIRE(quill_check_range(c->src, c->parts, (__u64)e->part_stride * 4, span), RANGE,
		      0, merge, src, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!(c->state & 3), ALIGN, 0, merge, state, "a multiple of 4");
	QUILL_REQUIRE(quill_check_range(c->state, c->parts, (__u64)e->state_stride * 4, states),
		      RANGE, 0, merge, state, QUILL_IN_48_BITS);
	QUILL_REQUIRE(c->rows == 1 || e->dst_stride >= row, STRIDE, 1, merge_ext, dst_stride,
		      "at least heads * dim|dim");
	QUILL_REQUIRE(!(c->dst & 3), ALIGN, 0, merge, dst, "a multiple of 4");
	QUILL_REQUIRE(quill_check_range(c->dst, c->rows, (__u64)e->dst_stride * 4, (__u64)row * 4),
		      RANGE, 0, merge, dst, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!(c->dst_state & 3), ALIGN, 0, merge, dst_state, "a multiple of 4");
	QUILL_REQUIRE(!c->dst_state || quill_check_range(c->dst_state, 1, 0, states), RANGE, 0,
		      merge, dst_state, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_kv_append(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_kv_append *c = &cmd[0].kv_append;
	const struct quill_ext_kv_append *e = &cmd[1].kv_append_ext;
	__u32 row = (__u32)c->heads * c->dim;
	struct quill_kv kv = {
		.k = c->k, .v = c->v, .k_scale = e->k_scale, .v_scale = e->v_scale,
		.table = e->table, .size = quill_type_size(c->hdr.type_d),
		.keys = c->pos + c->tokens, .heads = c->heads, .dim = c->dim,
		.stride = e->kv_stride, .head_stride = e->kv_head_stride,
		.page_size = e->page_size, .page_stride = e->page_stride, .pages = e->pages,
	};

	QUILL_REQUIRE(c->tokens && c->tokens <= QUILL_ATTENTION_MAX_Q, SHAPE, 0, kv_append,
		      tokens, "1..65536");
	QUILL_REQUIRE(c->pos <= QUILL_ATTENTION_MAX_KV - c->tokens, SHAPE, 0, kv_append, pos,
		      "with tokens at most 2^20|tokens");
	QUILL_REQUIRE_HEADS(c, kv_append);
	QUILL_REQUIRE_MATRIX_AS(c->k_src, c->tokens, c->src_stride, row, 4, 0, kv_append, k_src,
				src_stride, "at least heads * dim|dim");
	QUILL_REQUIRE_MATRIX_AS(c->v_src, c->tokens, c->src_stride, row, 4, 0, kv_append, v_src,
				src_stride, "at least heads * dim|dim");
	QUILL_REQUIRE_KV(&kv, kv_append, 1, kv_append_ext, 1, kv_append_ext, "dim|dim");
	return QUILL_FAULT_NONE;
}

#undef QUILL_REQUIRE_HEADS
#undef QUILL_REQUIRE_KV
#undef QUILL_REQUIRE_KV_ARRAY
#undef QUILL_REQUIRE_KV_SCALE

#endif /* QUILL_ISA_CHECK_ATTENTION_H */
