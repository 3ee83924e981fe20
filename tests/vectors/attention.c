// SPDX-License-Identifier: MIT
/* Vectors of ATTENTION. */
#include <string.h>

#include "vectors.h"

enum {
	CAUSAL = 1 << 0,
	GROUPED = 1 << 1,	/* two heads of queries share one of keys */
	DECODE = 1 << 2,	/* one query, more than a block of keys */
	GAPS = 1 << 3,
	HEAD_MAJOR = 1 << 4,	/* keys and values: [head][key][dim] */
	SPECIAL = 1 << 5,	/* scales */
};

static void make_attention(struct vector *v, uint32_t mode)
{
	uint32_t n_q = mode & DECODE ? 1 : 3, n_kv = mode & DECODE ? 67 : 9;
	uint32_t kv_heads = mode & GROUPED || mode & HEAD_MAJOR ? 2 : 1;
	uint32_t heads = mode & GROUPED ? 2 * kv_heads : kv_heads, dim = mode & GAPS ? 32 : 16;
	uint32_t q_stride = (heads + !!(mode & GAPS)) * dim;
	uint32_t out_stride = heads * dim + (mode & GAPS ? 5 : 0);
	uint32_t kv_stride = mode & HEAD_MAJOR ? dim : (kv_heads + !!(mode & GAPS)) * dim;
	uint32_t head_stride = mode & HEAD_MAJOR ? n_kv * dim : dim;
	size_t kv_size = mode & HEAD_MAJOR ? (size_t)kv_heads * n_kv * dim : (size_t)n_kv * kv_stride;
	struct vector_region *q = vector_bytes(v, n_q * q_stride);
	struct vector_region *k = vector_bytes(v, kv_size), *val = vector_bytes(v, kv_size);
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

	qh_attention(&v->s, &a);
	ref_attention(&(struct ref_attention){
		.q = (int8_t *)q->buf->ptr, .k = (int8_t *)k->buf->ptr, .v = (int8_t *)val->buf->ptr,
		.q_scale = (float *)q_scale->buf->ptr, .k_scale = (float *)k_scale->buf->ptr,
		.v_scale = (float *)v_scale->buf->ptr, .out = (float *)out->want, .n_q = n_q,
		.n_kv = n_kv, .n_heads = heads, .n_kv_heads = kv_heads, .head_dim = dim,
		.q_stride = q_stride, .out_stride = out_stride, .kv_stride = kv_stride,
		.kv_head_stride = head_stride, .softmax_scale = 0x1p-12f, .causal = mode & CAUSAL,
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
};

VECTOR_FILE(attention, rows);
