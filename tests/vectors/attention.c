// SPDX-License-Identifier: MIT
/* Vectors of ATTENTION, MERGE and KV_APPEND. */
#include <string.h>

#include "vectors.h"

enum {
	CAUSAL = 1 << 0,
	GROUPED = 1 << 1,	/* two heads of queries share one of keys */
	DECODE = 1 << 2,	/* one query, more than a block of keys */
	GAPS = 1 << 3,
	HEAD_MAJOR = 1 << 4,	/* keys and values: [head][key][dim] */
	SPECIAL = 1 << 5,	/* scales */
	/* the third record */
	WINDOW = 1 << 6,
	STATE = 1 << 7,
	PAGES = 1 << 8,
	S16 = 1 << 9,
	MORE = WINDOW | STATE | PAGES | S16,
	/* keys and values in bfloat16; queries in float32, or in bfloat16 too */
	BF16 = 1 << 10,
	Q_BF16 = 1 << 11,
};

/* So many keys to a page, in the middle of a pool of so many. */
#define PAGE_SIZE	16
#define POOL		7

static struct vector_region *make_table(struct vector *v)
{
	struct vector_region *table = vector_operand(v, 5 * 4);

	memcpy(table->buf->ptr, (const uint32_t[]){ 3, 1, 5, 0, 6 }, 5 * 4);
	return table;
}

/* @count elements of @type; a NaN or an infinity among floats, now and then. */
static struct vector_region *elements(struct vector *v, uint32_t type, size_t count, bool special)
{
	struct vector_region *f, *r;
	size_t i;

	if (type == QUILL_TYPE_S8)
		return vector_bytes(v, count);
	f = vector_floats(v, count, special);
	if (type == QUILL_TYPE_F32)
		return f;
	r = vector_operand(v, count * 2);
	for (i = 0; i < count; i++)
		((uint16_t *)r->buf->ptr)[i] = ref_to_bf16(((float *)f->buf->ptr)[i]);
	return r;
}

static void make_attention(struct vector *v, uint32_t mode)
{
	uint32_t n_q = mode & DECODE ? 1 : 3, n_kv = mode & DECODE ? 67 : 9;
	uint32_t kv_heads = mode & GROUPED || mode & HEAD_MAJOR ? 2 : 1;
	uint32_t heads = mode & GROUPED ? 2 * kv_heads : kv_heads, dim = mode & GAPS ? 32 : 16;
	uint32_t q_stride = (heads + !!(mode & GAPS)) * dim;
	uint32_t out_stride = heads * dim + (mode & GAPS ? 5 : 0);
	uint32_t kv_stride = mode & HEAD_MAJOR ? dim : (kv_heads + !!(mode & GAPS)) * dim;
	uint32_t head_stride = mode & HEAD_MAJOR ? n_kv * dim : dim;
	uint32_t page_stride = mode & PAGES ? (PAGE_SIZE + 1) * kv_stride : 0;
	size_t kv_size = mode & PAGES ? POOL * page_stride :
			 mode & HEAD_MAJOR ? (size_t)kv_heads * n_kv * dim : (size_t)n_kv * kv_stride;
	uint32_t type_kv = mode & BF16 ? QUILL_TYPE_BF16 : QUILL_TYPE_S8;
	uint32_t type_q = mode & Q_BF16 ? QUILL_TYPE_BF16 : mode & BF16 ? QUILL_TYPE_F32 : QUILL_TYPE_S8;
	struct vector_region *q = elements(v, type_q, n_q * q_stride, mode & SPECIAL);
	struct vector_region *k = elements(v, type_kv, kv_size, false);
	struct vector_region *val = elements(v, type_kv, kv_size, mode & SPECIAL);
	struct vector_region *q_scale = vector_floats(v, n_q * q_stride / dim, mode & SPECIAL);
	struct vector_region *k_scale = vector_floats(v, kv_size / dim, mode & SPECIAL);
	struct vector_region *v_scale = vector_floats(v, kv_size / dim, mode & SPECIAL);
	struct vector_region *out = vector_result(v, n_q * out_stride * 4);
	const struct qh_attention a = {
		.q = q->buf->va, .k = k->buf->va, .v = val->buf->va, .out = out->buf->va,
		.q_scale = q_scale->buf->va, .k_scale = k_scale->buf->va,
		.v_scale = v_scale->buf->va, .n_q = n_q, .n_kv = n_kv, .n_heads = heads,
		.n_kv_heads = kv_heads, .head_dim = dim, .q_stride = q_stride,
		.out_stride = out_stride, .kv_stride = kv_stride, .kv_head_stride = head_stride,
		.softmax_scale = 0x1p-12f, .causal = mode & CAUSAL,
	};

	struct vector_region *table = mode & PAGES ? make_table(v) : NULL;
	struct vector_region *state = mode & STATE ? vector_result(v, n_q * heads * 8) : NULL;
	union quill_cmd *cmd = qh_attention(&v->s, &a);

	cmd->hdr.type_a = type_q;
	cmd->hdr.type_b = type_kv;
	if (mode & BF16)
		cmd[1].attention_ext.q_scale = cmd[1].attention_ext.k_scale =
			cmd[1].attention_ext.v_scale = 0;
	if (mode & MORE) {
		cmd->hdr.ext = 2;
		qh_cmd(&v->s, QUILL_OP_EXT)->attention_more = (struct quill_ext_attention_more){
			cmd[2].hdr, state ? state->buf->va : 0, table ? table->buf->va : 0,
			mode & WINDOW ? 5 : 0, table ? PAGE_SIZE : 0, page_stride,
			table ? POOL : 0, mode & S16 ? QUILL_WEIGHTS_S16 : QUILL_WEIGHTS_F32, 0, 0,
		};
	}
	ref_attention(&(struct ref_attention){
		.type_q = type_q, .type_kv = type_kv,
		.q = q->buf->ptr, .k = k->buf->ptr, .v = val->buf->ptr,
		.q_scale = (float *)q_scale->buf->ptr, .k_scale = (float *)k_scale->buf->ptr,
		.v_scale = (float *)v_scale->buf->ptr, .out = (float *)out->want, .n_q = n_q,
		.n_kv = n_kv, .n_heads = heads, .n_kv_heads = kv_heads, .head_dim = dim,
		.q_stride = q_stride, .out_stride = out_stride, .kv_stride = kv_stride,
		.kv_head_stride = head_stride, .softmax_scale = 0x1p-12f, .causal = mode & CAUSAL,
		.window = mode & WINDOW ? 5 : 0, .round = mode & S16,
		.state = state ? (float *)state->want : NULL,
		.table = table ? (uint32_t *)table->buf->ptr : NULL, .page_size = PAGE_SIZE,
		.page_stride = page_stride,
	});
}

static void make_merge(struct vector *v, uint32_t mode)
{
	enum { ROWS = 2, PARTS = 3, HEADS = 2, DIM = 16, ROW = HEADS * DIM, PAIRS = ROWS * HEADS * 2 };
	struct vector_region *src = vector_floats(v, PARTS * ROWS * ROW, mode & SPECIAL);
	struct vector_region *state = vector_floats(v, PARTS * PAIRS, false);
	struct vector_region *dst = vector_result(v, ROWS * ROW * 4);
	struct vector_region *dst_state = vector_result(v, PAIRS * 4);
	union quill_cmd *cmd = qh_cmd(&v->s, QUILL_OP_MERGE);
	float *sum = (float *)state->buf->ptr;
	int i;

	/* sums are not negative; one part of one row has seen no key */
	for (i = 1; i < PARTS * PAIRS; i += 2)
		sum[i] = sum[i] < 0 ? -sum[i] : sum[i];
	sum[PAIRS + 1] = 0;
	cmd->hdr.ext = 1;
	cmd->hdr.type_a = cmd->hdr.type_b = cmd->hdr.type_d = QUILL_TYPE_F32;
	cmd->merge = (struct quill_cmd_merge){
		cmd->hdr, src->buf->va, state->buf->va, dst->buf->va,
		mode & STATE ? dst_state->buf->va : 0, ROWS, PARTS, HEADS, DIM, 0,
	};
	qh_cmd(&v->s, QUILL_OP_EXT)->merge_ext = (struct quill_ext_merge){
		cmd[1].hdr, ROW, ROW, ROWS * ROW, PAIRS, { 0 },
	};
	ref_merge(&(struct ref_merge){
		.src = (float *)src->buf->ptr, .state = (float *)state->buf->ptr,
		.dst = (float *)dst->want,
		.dst_state = mode & STATE ? (float *)dst_state->want : NULL, .rows = ROWS,
		.parts = PARTS, .heads = HEADS, .dim = DIM, .src_stride = ROW,
		.part_stride = ROWS * ROW, .state_stride = PAIRS, .dst_stride = ROW,
	});
}

/* Tokens 14 .. 16: the last of them in another page. */
static void make_append(struct vector *v, uint32_t mode)
{
	enum { TOKENS = 3, POS = 14, HEADS = 2, DIM = 16, ROW = HEADS * DIM };
	uint32_t page_stride = mode & PAGES ? PAGE_SIZE * ROW : 0;
	size_t size = mode & PAGES ? POOL * page_stride : (POS + TOKENS) * ROW;
	uint32_t type = mode & BF16 ? QUILL_TYPE_BF16 : QUILL_TYPE_S8;
	struct vector_region *k_src = vector_floats(v, TOKENS * ROW, mode & SPECIAL);
	struct vector_region *v_src = vector_floats(v, TOKENS * ROW, mode & SPECIAL);
	struct vector_region *k = vector_result(v, size * quill_type_size(type));
	struct vector_region *val = vector_result(v, size * quill_type_size(type));
	struct vector_region *k_scale = vector_result(v, size / DIM * 4);
	struct vector_region *v_scale = vector_result(v, size / DIM * 4);
	struct vector_region *table = mode & PAGES ? make_table(v) : NULL;
	union quill_cmd *cmd = qh_cmd(&v->s, QUILL_OP_KV_APPEND);

	cmd->hdr.ext = 1;
	cmd->hdr.type_a = QUILL_TYPE_F32;
	cmd->hdr.type_d = type;
	cmd->kv_append = (struct quill_cmd_kv_append){
		cmd->hdr, k_src->buf->va, v_src->buf->va, k->buf->va, val->buf->va, TOKENS, POS, HEADS,
		DIM, ROW,
	};
	qh_cmd(&v->s, QUILL_OP_EXT)->kv_append_ext = (struct quill_ext_kv_append){
		cmd[1].hdr, mode & BF16 ? 0 : k_scale->buf->va, mode & BF16 ? 0 : v_scale->buf->va, table ? table->buf->va : 0, ROW, DIM,
		table ? PAGE_SIZE : 0, page_stride, table ? POOL : 0, 0,
	};
	ref_kv_append(&(struct ref_kv_append){
		.k_src = (float *)k_src->buf->ptr, .v_src = (float *)v_src->buf->ptr,
		.type = type, .k = k->want, .v = val->want,
		.k_scale = (float *)k_scale->want, .v_scale = (float *)v_scale->want,
		.tokens = TOKENS, .pos = POS, .heads = HEADS, .dim = DIM, .src_stride = ROW,
		.kv_stride = ROW, .kv_head_stride = DIM,
		.table = table ? (uint32_t *)table->buf->ptr : NULL, .page_size = PAGE_SIZE,
		.page_stride = page_stride,
	});
}

static const struct vector_row rows[] = {
	{ "attention: S8", make_attention, 0 },
	{ "attention: S8, causal", make_attention, CAUSAL },
	{ "attention: S8, grouped heads", make_attention, GROUPED },
	{ "attention: S8, causal, grouped heads, gaps", make_attention, CAUSAL | GROUPED | GAPS },
	{ "attention: S8, one query, two blocks of keys", make_attention, DECODE },
	{ "attention: S8, keys by head", make_attention, DECODE | HEAD_MAJOR | CAUSAL },
	{ "attention: S8, special scales", make_attention, SPECIAL },
	{ "attention: S8, window", make_attention, CAUSAL | WINDOW },
	{ "attention: S8, window in the second block, state", make_attention,
	  CAUSAL | DECODE | WINDOW | STATE },
	{ "attention: S8, pages, grouped heads", make_attention, CAUSAL | DECODE | GROUPED | PAGES },
	{ "attention: S8, state", make_attention, STATE | GROUPED },
	{ "attention: S8, weights of 16 bits", make_attention, CAUSAL | S16 },
	{ "attention: S8, weights of 16 bits, two blocks", make_attention, DECODE | GROUPED | S16 | STATE },
	{ "attention: S8, weights of 16 bits, special scales", make_attention, SPECIAL | S16 },
	{ "attention: S8, all of it", make_attention, CAUSAL | DECODE | GROUPED | MORE },
	{ "attention: BF16, queries F32", make_attention, CAUSAL | GROUPED | BF16 },
	{ "attention: BF16", make_attention, BF16 | Q_BF16 },
	{ "attention: BF16, two blocks, pages, window, state", make_attention,
	  CAUSAL | DECODE | GROUPED | WINDOW | STATE | PAGES | BF16 | Q_BF16 },
	{ "attention: BF16, queries F32, state", make_attention, DECODE | STATE | BF16 },
	{ "attention: BF16, causal, special values", make_attention, CAUSAL | SPECIAL | BF16 | Q_BF16 },
	{ "merge: three parts", make_merge, 0 },
	{ "merge: three parts, special values, state", make_merge, SPECIAL | STATE },
	{ "kv_append: S8", make_append, 0 },
	{ "kv_append: S8, special values", make_append, SPECIAL },
	{ "kv_append: S8, pages", make_append, PAGES },
	{ "kv_append: BF16", make_append, BF16 },
	{ "kv_append: BF16, pages, special values", make_append, BF16 | PAGES | SPECIAL },
};

VECTOR_FILE(attention, rows);
