/* SPDX-License-Identifier: MIT */
/* The reference for ATTENTION, MERGE and KV_APPEND, and the same in float64. ref.h says what a reference is. */
#ifndef REF_ATTENTION_H
#define REF_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct ref_attention - an ATTENTION command; fields as in isa_tensor.h
 */
struct ref_attention {
	/** @type_q: S8, F32 or BF16; @type_kv: S8 or BF16. 0: S8. */
	uint32_t type_q, type_kv;
	const void *q, *k, *v;
	const float *q_scale, *k_scale, *v_scale;
	float *out;
	/** @state: for each query and head the pair (m, l), or NULL. */
	float *state;
	uint32_t n_q, n_kv, n_heads, n_kv_heads, head_dim;
	size_t q_stride, out_stride, kv_stride, kv_head_stride;
	float softmax_scale;
	bool causal;
	/** @round: QUILL_WEIGHTS_S16. */
	bool round;
	/** @window: 0: none. */
	uint32_t window;
	/** @table: pages, or NULL: keys are contiguous. */
	const uint32_t *table;
	uint32_t page_size;
	size_t page_stride;
};

void ref_attention(const struct ref_attention *t);

/** exact_attention() - one element of the result in float64, from float32 operands taken as exact */
double exact_attention(const struct ref_attention *t, uint32_t query, uint32_t head, uint32_t e);

/**
 * struct ref_merge - a MERGE command; fields as in isa_vector.h
 */
struct ref_merge {
	const float *src;
	const float *state;
	float *dst;
	/** @dst_state: or NULL. */
	float *dst_state;
	uint32_t rows, parts, heads, dim;
	size_t src_stride, part_stride, state_stride, dst_stride;
};

void ref_merge(const struct ref_merge *t);

/**
 * struct ref_kv_append - a KV_APPEND command; fields as in isa_vector.h
 */
struct ref_kv_append {
	const float *k_src, *v_src;
	/** @type: S8 or BF16. */
	uint32_t type;
	void *k, *v;
	float *k_scale, *v_scale;
	uint32_t tokens, pos, heads, dim;
	size_t src_stride, kv_stride, kv_head_stride;
	const uint32_t *table;
	uint32_t page_size;
	size_t page_stride;
};

void ref_kv_append(const struct ref_kv_append *t);

/** ref_from_bf16() - exactly; ref_to_bf16() - to nearest even, a NaN as 0x7fc0 */
float ref_from_bf16(uint16_t x);
uint16_t ref_to_bf16(float x);

#endif /* REF_ATTENTION_H */
