// SPDX-License-Identifier: MIT
/* The reference for ATTENTION, MERGE and KV_APPEND: docs/isa.md, sentence by sentence. */
#include <math.h>
#include <string.h>

#include "ref.h"
#include "ref_vector.h"

/* ---- bfloat16 ---- */

float ref_from_bf16(uint16_t x)
{
	uint32_t bits = (uint32_t)x << 16;
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

uint16_t ref_to_bf16(float x)
{
	uint32_t bits, rest;

	if (isnan(x))
		return 0x7fc0;
	memcpy(&bits, &x, sizeof(bits));
	rest = bits & 0xffff;
	bits >>= 16;
	if (rest > 0x8000 || (rest == 0x8000 && bits & 1))
		bits++;
	return (uint16_t)bits;
}

/* ---- Operands ---- */

/* Where the first element of key @j of head @g is, in elements. */
static size_t key_at(const struct ref_attention *t, uint32_t j, uint32_t g)
{
	size_t at = g * t->kv_head_stride;

	if (!t->table)
		return at + j * t->kv_stride;
	return at + t->table[j / t->page_size] * t->page_stride + j % t->page_size * t->kv_stride;
}

static float element(uint32_t type, const void *p, size_t at)
{
	if (type == QUILL_TYPE_F32)
		return ((const float *)p)[at];
	if (type == QUILL_TYPE_BF16)
		return ref_from_bf16(((const uint16_t *)p)[at]);
	return ((const int8_t *)p)[at];
}

static bool is_int8(const struct ref_attention *t)
{
	return t->type_kv != QUILL_TYPE_BF16;
}

/* ---- ATTENTION ---- */

struct online {
	float max, sum;
	float acc[QUILL_ATTENTION_MAX_HEAD_DIM];
};

static float score(const struct ref_attention *t, size_t q, size_t k)
{
	float lane[16] = { 0 }, c;
	int32_t dot = 0;
	uint32_t e;

	if (is_int8(t)) {
		for (e = 0; e < t->head_dim; e++)
			dot += ((const int8_t *)t->q)[q + e] * ((const int8_t *)t->k)[k + e];
		c = t->q_scale[q / t->head_dim] * t->softmax_scale;
		return (float)dot * (t->k_scale[k / t->head_dim] * c);
	}
	for (e = 0; e < t->head_dim; e++)
		lane[e % 16] = fmaf(element(t->type_q, t->q, q + e),
				    element(t->type_kv, t->k, k + e), lane[e % 16]);
	return ref_tree(lane, ref_plus) * t->softmax_scale;
}

/* acc + the sum of w[j] * v[j], by way of integers: keys first .. first + n - 1. */
static void add_rounded(struct online *o, const struct ref_attention *t, const float *p,
			uint32_t group, uint32_t first, uint32_t n)
{
	float w[QUILL_ATTENTION_BLOCK], most = 0.0f, unit, inverse;
	int32_t r[QUILL_ATTENTION_BLOCK], sum;
	bool odd = false;
	uint32_t j, e;

	for (j = 0; j < n; j++) {
		w[j] = p[j] * t->v_scale[key_at(t, first + j, group) / t->head_dim];
		odd |= !isfinite(w[j]);
		most = fmaxf(most, fabsf(w[j]));
	}
	if (odd) {
		for (e = 0; e < t->head_dim; e++)
			o->acc[e] = NAN;
		return;
	}
	most = fmaxf(most, 0x1p-100f);
	unit = most / 32767.0f;
	inverse = 32767.0f / most;
	for (j = 0; j < n; j++)
		r[j] = (int32_t)rintf(w[j] * inverse);
	for (e = 0; e < t->head_dim; e++) {
		sum = 0;
		for (j = 0; j < n; j++)
			sum += r[j] * ((const int8_t *)t->v)[key_at(t, first + j, group) + e];
		o->acc[e] = fmaf((float)sum, unit, o->acc[e]);
	}
}

static void add_plain(struct online *o, const struct ref_attention *t, const float *p,
		      uint32_t group, uint32_t first, uint32_t n)
{
	uint32_t j, e;

	for (j = 0; j < n; j++) {
		size_t at = key_at(t, first + j, group);
		float w = is_int8(t) ? p[j] * t->v_scale[at / t->head_dim] : p[j];

		for (e = 0; e < t->head_dim; e++)
			o->acc[e] = fmaf(w, element(t->type_kv, t->v, at + e), o->acc[e]);
	}
}

/* Keys first .. first + n - 1 of one block, those that the query sees; the block begins at @start. */
static void ref_block(struct online *o, const struct ref_attention *t, size_t q, uint32_t group,
		      uint32_t start, uint32_t first, uint32_t n)
{
	float s[QUILL_ATTENTION_BLOCK], p[QUILL_ATTENTION_BLOCK];
	float lane_max[16], lane_sum[16];
	float max, alpha;
	uint32_t j, e, lane;

	for (j = 0; j < 16; j++) {
		lane_max[j] = -INFINITY;
		lane_sum[j] = 0.0f;
	}
	for (j = 0; j < n; j++) {
		lane = (first - start + j) % 16;
		s[j] = score(t, q, key_at(t, first + j, group));
		lane_max[lane] = ref_larger(s[j], lane_max[lane]);
	}
	max = ref_larger(ref_tree(lane_max, ref_larger), o->max);
	for (j = 0; j < n; j++) {
		p[j] = ref_exp(s[j] - max);
		lane_sum[(first - start + j) % 16] += p[j];
	}
	alpha = ref_exp(o->max - max);
	o->sum = fmaf(o->sum, alpha, ref_tree(lane_sum, ref_plus));
	o->max = max;
	for (e = 0; e < t->head_dim; e++)
		o->acc[e] *= alpha;
	if (t->round)
		add_rounded(o, t, p, group, first, n);
	else
		add_plain(o, t, p, group, first, n);
}

/* Keys from .. to - 1 are seen. */
static void keys_seen(const struct ref_attention *t, uint32_t query, uint32_t *from, uint32_t *to)
{
	*to = t->causal ? t->n_kv - t->n_q + query + 1 : t->n_kv;
	*from = t->window && *to > t->window ? *to - t->window : 0;
}

static void ref_query(const struct ref_attention *t, uint32_t query, uint32_t head)
{
	size_t row = query * t->q_stride + head * t->head_dim;
	float *out = t->out + query * t->out_stride + head * t->head_dim;
	uint32_t group = head / (t->n_heads / t->n_kv_heads);
	struct online o = { .max = -INFINITY };
	uint32_t from, to, first, end, e;

	keys_seen(t, query, &from, &to);
	for (first = from; first < to; first = end) {
		uint32_t start = first / QUILL_ATTENTION_BLOCK * QUILL_ATTENTION_BLOCK;

		end = start + QUILL_ATTENTION_BLOCK < to ? start + QUILL_ATTENTION_BLOCK : to;
		ref_block(&o, t, row, group, start, first, end - first);
	}
	for (e = 0; e < t->head_dim; e++)
		out[e] = ref_stored(o.acc[e] / o.sum);
	if (t->state) {
		t->state[(query * t->n_heads + head) * 2] = ref_stored(o.max);
		t->state[(query * t->n_heads + head) * 2 + 1] = ref_stored(o.sum);
	}
}

void ref_attention(const struct ref_attention *t)
{
	uint32_t i, h;

	for (i = 0; i < t->n_q; i++)
		for (h = 0; h < t->n_heads; h++)
			ref_query(t, i, h);
}

/* ---- MERGE ---- */

static void merge_row(const struct ref_merge *t, uint32_t row, uint32_t head)
{
	size_t at = (row * t->heads + head) * 2, e, s;
	float *dst = t->dst + row * t->dst_stride + head * t->dim;
	float max = -INFINITY, sum = 0.0f, acc[QUILL_ATTENTION_MAX_HEAD_DIM] = { 0 };

	for (s = 0; s < t->parts; s++)
		if (t->state[s * t->state_stride + at + 1] != 0)
			max = ref_larger(t->state[s * t->state_stride + at], max);
	for (s = 0; s < t->parts; s++) {
		const float *state = t->state + s * t->state_stride + at;
		const float *src = t->src + s * t->part_stride + row * t->src_stride + head * t->dim;
		float w;

		if (state[1] == 0)
			continue;
		w = state[1] * ref_exp(state[0] - max);
		sum += w;
		for (e = 0; e < t->dim; e++)
			acc[e] = fmaf(w, src[e], acc[e]);
	}
	for (e = 0; e < t->dim; e++)
		dst[e] = ref_stored(acc[e] / sum);
	if (t->dst_state) {
		t->dst_state[at] = ref_stored(max);
		t->dst_state[at + 1] = ref_stored(sum);
	}
}

void ref_merge(const struct ref_merge *t)
{
	uint32_t row, head;

	for (row = 0; row < t->rows; row++)
		for (head = 0; head < t->heads; head++)
			merge_row(t, row, head);
}

/* ---- KV_APPEND ---- */

static void append_head(const struct ref_kv_append *t, const float *src, void *to, float *scales,
			size_t at)
{
	uint32_t e;

	if (t->type == QUILL_TYPE_S8) {
		ref_quantise(&(struct ref_quantise){
			.q = (int8_t *)to + at, .f = (float *)src, .scale = scales + at / t->dim,
			.rows = 1, .n = t->dim, .group = t->dim,
		});
		return;
	}
	for (e = 0; e < t->dim; e++)
		((uint16_t *)to)[at + e] = ref_to_bf16(src[e]);
}

void ref_kv_append(const struct ref_kv_append *t)
{
	uint32_t i, g;

	for (i = 0; i < t->tokens; i++) {
		for (g = 0; g < t->heads; g++) {
			size_t from = i * t->src_stride + g * t->dim;
			size_t at = g * t->kv_head_stride;
			uint32_t key = t->pos + i;

			if (t->table)
				at += t->table[key / t->page_size] * t->page_stride +
				      key % t->page_size * t->kv_stride;
			else
				at += key * t->kv_stride;
			append_head(t, t->k_src + from, t->k, t->k_scale, at);
			append_head(t, t->v_src + from, t->v, t->v_scale, at);
		}
	}
}

/* ---- The outside check: real arithmetic, no blocks, no order ---- */

static double exact_score(const struct ref_attention *t, uint32_t query, uint32_t head, uint32_t key)
{
	size_t q = query * t->q_stride + head * t->head_dim;
	size_t k = key_at(t, key, head / (t->n_heads / t->n_kv_heads));
	double dot = 0;
	uint32_t e;

	for (e = 0; e < t->head_dim; e++)
		dot += (double)element(t->type_q, t->q, q + e) * element(t->type_kv, t->k, k + e);
	if (is_int8(t))
		dot = dot * t->q_scale[q / t->head_dim] * t->k_scale[k / t->head_dim];
	return dot * t->softmax_scale;
}

double exact_attention(const struct ref_attention *t, uint32_t query, uint32_t head, uint32_t e)
{
	uint32_t group = head / (t->n_heads / t->n_kv_heads), from, to, j;
	double max = -INFINITY, sum = 0, result = 0, value;

	keys_seen(t, query, &from, &to);
	for (j = from; j < to; j++)
		max = fmax(max, exact_score(t, query, head, j));
	for (j = from; j < to; j++) {
		size_t row = key_at(t, j, group);
		double p = exp(exact_score(t, query, head, j) - max);

		value = element(t->type_kv, t->v, row + e);
		if (is_int8(t))
			value *= t->v_scale[row / t->head_dim];
		sum += p;
		result += p * value;
	}
	return result / sum;
}
