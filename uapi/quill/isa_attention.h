/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the commands of attention: ATTENTION of the TENSOR engine, MERGE and KV_APPEND of VECTOR. Included by isa.h.
 */
#ifndef QUILL_ISA_ATTENTION_H
#define QUILL_ISA_ATTENTION_H

/*
 * ATTENTION: out = softmax(Q K^T * softmax_scale) V, for n_heads heads of queries, of which
 * n_heads / n_kv_heads consecutive ones share a head of keys and values. Element (i, h, e)
 * of Q is at q + i * q_stride + h * head_dim + e, of out likewise (in elements); element
 * (j, g, e) of K and of V at j * kv_stride + g * kv_head_stride + e. Scales are float32, one
 * for each (i, h) or (j, g): the arrays of scales have the layout of their tensor with the last dimension
 * dropped, so the strides in them are these divided by head_dim. Keys and values are int8 with scales, and Q too, or
 * bfloat16 without, and Q float32 or bfloat16.
 *
 * Keys and values may be in pages: then key j is key j % page_size of page table[j / page_size] of a pool, element
 * (j, g, e) at table[j / page_size] * page_stride + j % page_size * kv_stride + g * kv_head_stride + e. The table is
 * one for K and V, their pools and those of their scales have the same layout.
 *
 * docs/isa.md defines the online softmax (blocks of QUILL_ATTENTION_BLOCK keys) to the bit.
 */
#define QUILL_ATTENTION_BLOCK		64
#define QUILL_ATTENTION_MAX_Q		65536u
#define QUILL_ATTENTION_MAX_KV		(1u << 20)
#define QUILL_ATTENTION_MAX_HEADS	1024u
#define QUILL_ATTENTION_MAX_HEAD_DIM	256u	/* and a multiple of 16 */
#define QUILL_ATTENTION_MAX_PAGE	65536u	/* keys, and a multiple of 16 */
#define QUILL_ATTENTION_MAX_PAGES	(1u << 24)

/* How weights are multiplied with values. */
enum quill_weights {
	QUILL_WEIGHTS_F32 = 0,	/* each in float32, key by key */
	QUILL_WEIGHTS_S16 = 1,	/* a block's rounded to 16 bits, the sum exact: faster */
	QUILL_WEIGHTS_COUNT = 2,
};

/**
 * struct quill_cmd_attention - ATTENTION, first record
 */
struct quill_cmd_attention {
	struct quill_cmd_hdr hdr;
	/** @q: device address of Q, aligned to its element. */
	__u64 q;
	/** @k: device address of K, aligned to its element. */
	__u64 k;
	/** @v: device address of V, likewise. */
	__u64 v;
	/** @out: device address of the result, float32, 4-byte aligned. */
	__u64 out;
	/** @n_q: queries, 1..QUILL_ATTENTION_MAX_Q; CAUSAL: at most @n_kv. */
	__u32 n_q;
	/** @n_kv: keys, 1..QUILL_ATTENTION_MAX_KV. */
	__u32 n_kv;
	/** @n_heads: heads of queries, a multiple of @n_kv_heads. */
	__u16 n_heads;
	/** @n_kv_heads: heads of keys and values, at least 1. */
	__u16 n_kv_heads;
	/** @head_dim: elements of a head, a multiple of 16, 16..QUILL_ATTENTION_MAX_HEAD_DIM. */
	__u16 head_dim;
	/** @reserved: zero. */
	__u16 reserved;
};

#define QUILL_FIELDS_attention(F) \
	F(attention, q, ADDR) F(attention, k, ADDR) F(attention, v, ADDR) F(attention, out, ADDR) \
	F(attention, n_q, DIM) F(attention, n_kv, DIM) F(attention, n_heads, DIM) \
	F(attention, n_kv_heads, DIM) F(attention, head_dim, DIM) F(attention, reserved, ZERO)

/**
 * struct quill_ext_attention - ATTENTION, second record
 */
struct quill_ext_attention {
	struct quill_cmd_hdr hdr;
	/** @q_scale: S8: device address, 4-byte aligned; else 0. */
	__u64 q_scale;
	/** @k_scale: S8: device address, 4-byte aligned; else 0. */
	__u64 k_scale;
	/** @v_scale: S8: device address, 4-byte aligned; else 0. */
	__u64 v_scale;
	/** @q_stride: elements from query to query, a multiple of head_dim, at least n_heads * head_dim. */
	__u32 q_stride;
	/** @out_stride: elements from query to query of the result, at least n_heads * head_dim. */
	__u32 out_stride;
	/** @kv_stride: elements from key to key, a multiple of head_dim, not 0. */
	__u32 kv_stride;
	/** @kv_head_stride: elements from head to head of K and V, a multiple of head_dim, not 0. */
	__u32 kv_head_stride;
	/** @softmax_scale: float32, finite. */
	__u32 softmax_scale;
	/** @reserved: zero. */
	__u32 reserved;
};

#define QUILL_FIELDS_attention_ext(F) \
	F(attention_ext, q_scale, ADDR) F(attention_ext, k_scale, ADDR) \
	F(attention_ext, v_scale, ADDR) F(attention_ext, q_stride, STRIDE) \
	F(attention_ext, out_stride, STRIDE) F(attention_ext, kv_stride, STRIDE) \
	F(attention_ext, kv_head_stride, STRIDE) F(attention_ext, softmax_scale, REAL) \
	F(attention_ext, reserved, ZERO)

/**
 * struct quill_ext_attention_more - ATTENTION, third record; without it all of this is 0
 */
struct quill_ext_attention_more {
	struct quill_cmd_hdr hdr;
	/**
	 * @state: device address of f32[n_q][n_heads][2], 4-byte aligned: where the largest score and the sum of each
	 * query and head go, for MERGE; 0: nowhere.
	 */
	__u64 state;
	/** @table: device address of u32[n_kv / page_size, rounded up], 4-byte aligned; 0: no pages. */
	__u64 table;
	/** @window: CAUSAL: a query sees the last @window keys of those that it sees without; 0: all. */
	__u32 window;
	/** @page_size: keys of a page, a multiple of 16, up to QUILL_ATTENTION_MAX_PAGE; without @table 0. */
	__u32 page_size;
	/** @page_stride: elements from page to page, a multiple of head_dim, not 0; without @table 0. */
	__u32 page_stride;
	/** @pages: of the pool, 1..QUILL_ATTENTION_MAX_PAGES: entries are below it; without @table 0. */
	__u32 pages;
	/** @weights: enum quill_weights; BF16: QUILL_WEIGHTS_F32. */
	__u32 weights;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved1: zero. */
	__u64 reserved1;
};

#define QUILL_FIELDS_attention_more(F) \
	F(attention_more, state, ADDR) F(attention_more, table, ADDR) \
	F(attention_more, window, DIM) F(attention_more, page_size, DIM) \
	F(attention_more, page_stride, STRIDE) F(attention_more, pages, DIM) \
	F(attention_more, weights, NUMBER) F(attention_more, reserved0, ZERO) \
	F(attention_more, reserved1, ZERO)

#define QUILL_MERGE_MAX_PARTS	1024u

/**
 * struct quill_cmd_merge - MERGE, first record: attention over all keys from attention over parts of them
 *
 * Element (i, h, e) of part s is at src + s * part_stride + i * src_stride + h * dim + e, its (largest score, sum) at
 * state + s * state_stride + (i * heads + h) * 2: results of ATTENTION as they are.
 */
struct quill_cmd_merge {
	struct quill_cmd_hdr hdr;
	/** @src: device address, 4-byte aligned. */
	__u64 src;
	/** @state: device address, 4-byte aligned. */
	__u64 state;
	/** @dst: device address, 4-byte aligned. */
	__u64 dst;
	/** @dst_state: device address of f32[rows][heads][2], 4-byte aligned, for another MERGE; 0: nowhere. */
	__u64 dst_state;
	/** @rows: queries, 1..QUILL_ATTENTION_MAX_Q. */
	__u32 rows;
	/** @parts: 1..QUILL_MERGE_MAX_PARTS. */
	__u32 parts;
	/** @heads: 1..QUILL_ATTENTION_MAX_HEADS. */
	__u16 heads;
	/** @dim: elements of a head, a multiple of 16, 16..QUILL_ATTENTION_MAX_HEAD_DIM. */
	__u16 dim;
	/** @reserved: zero. */
	__u32 reserved;
};

#define QUILL_FIELDS_merge(F) \
	F(merge, src, ADDR) F(merge, state, ADDR) F(merge, dst, ADDR) F(merge, dst_state, ADDR) \
	F(merge, rows, DIM) F(merge, parts, DIM) F(merge, heads, DIM) F(merge, dim, DIM) \
	F(merge, reserved, ZERO)

/**
 * struct quill_ext_merge - MERGE, second record
 */
struct quill_ext_merge {
	struct quill_cmd_hdr hdr;
	/** @src_stride: elements from query to query, at least heads * dim (if rows is over 1). */
	__u32 src_stride;
	/** @dst_stride: at least heads * dim (if rows is over 1). */
	__u32 dst_stride;
	/** @part_stride: elements from part to part of src. */
	__u32 part_stride;
	/** @state_stride: elements from part to part of state. */
	__u32 state_stride;
	/** @reserved: zero. */
	__u64 reserved[4];
};

#define QUILL_FIELDS_merge_ext(F) \
	F(merge_ext, src_stride, STRIDE) F(merge_ext, dst_stride, STRIDE) \
	F(merge_ext, part_stride, STRIDE) F(merge_ext, state_stride, STRIDE) \
	F(merge_ext, reserved, ZERO)

/**
 * struct quill_cmd_kv_append - KV_APPEND, first record: keys and values of new tokens into a cache
 *
 * Token i becomes key pos + i of the cache, which has the layout that ATTENTION reads. To S8, each head of each token is
 * quantised with a scale of its own, as by QUANTISE; to BF16, each element is rounded, as by CONVERT.
 */
struct quill_cmd_kv_append {
	struct quill_cmd_hdr hdr;
	/** @k_src: device address of f32 keys: (i, g, e) at i * src_stride + g * dim + e; 4-byte aligned. */
	__u64 k_src;
	/** @v_src: device address of values, likewise. */
	__u64 v_src;
	/** @k: device address of the cache's K. */
	__u64 k;
	/** @v: device address of the cache's V. */
	__u64 v;
	/** @tokens: 1..QUILL_ATTENTION_MAX_Q. */
	__u32 tokens;
	/** @pos: keys in the cache before these; with them at most QUILL_ATTENTION_MAX_KV. */
	__u32 pos;
	/** @heads: of keys and values, 1..QUILL_ATTENTION_MAX_HEADS. */
	__u16 heads;
	/** @dim: elements of a head, a multiple of 16, 16..QUILL_ATTENTION_MAX_HEAD_DIM. */
	__u16 dim;
	/** @src_stride: elements from token to token of k_src and v_src, at least heads * dim (if tokens is over 1). */
	__u32 src_stride;
};

#define QUILL_FIELDS_kv_append(F) \
	F(kv_append, k_src, ADDR) F(kv_append, v_src, ADDR) F(kv_append, k, ADDR) \
	F(kv_append, v, ADDR) F(kv_append, tokens, DIM) F(kv_append, pos, DIM) \
	F(kv_append, heads, DIM) F(kv_append, dim, DIM) F(kv_append, src_stride, STRIDE)

/**
 * struct quill_ext_kv_append - KV_APPEND, second record: the cache, as in ATTENTION's
 */
struct quill_ext_kv_append {
	struct quill_cmd_hdr hdr;
	/** @k_scale: S8: device address, 4-byte aligned; BF16: 0. */
	__u64 k_scale;
	/** @v_scale: S8: device address, 4-byte aligned; BF16: 0. */
	__u64 v_scale;
	/** @table: device address of u32[(pos + tokens) / page_size, rounded up], 4-byte aligned; 0: no pages. */
	__u64 table;
	/** @kv_stride: elements from key to key, a multiple of dim, not 0. */
	__u32 kv_stride;
	/** @kv_head_stride: elements from head to head, a multiple of dim, not 0. */
	__u32 kv_head_stride;
	/** @page_size: keys of a page, as in ATTENTION; without @table 0. */
	__u32 page_size;
	/** @page_stride: as in ATTENTION. */
	__u32 page_stride;
	/** @pages: as in ATTENTION. */
	__u32 pages;
	/** @reserved: zero. */
	__u32 reserved;
};

#define QUILL_FIELDS_kv_append_ext(F) \
	F(kv_append_ext, k_scale, ADDR) F(kv_append_ext, v_scale, ADDR) \
	F(kv_append_ext, table, ADDR) F(kv_append_ext, kv_stride, STRIDE) \
	F(kv_append_ext, kv_head_stride, STRIDE) F(kv_append_ext, page_size, DIM) \
	F(kv_append_ext, page_stride, STRIDE) F(kv_append_ext, pages, DIM) \
	F(kv_append_ext, reserved, ZERO)

#endif /* QUILL_ISA_ATTENTION_H */
