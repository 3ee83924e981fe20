/* SPDX-License-Identifier: MIT */
/*
 * ATTENTION, written once over lanes and a micro-kernel. kernels_*.c includes it last.
 *
 * A block of 64 keys is packed like a panel of B, so that its scores are a small GEMM; it then serves up
 * to 16 queries. Each query carries its running maximum, sum and result through the blocks.
 */
#ifndef QUILL_ATTENTION_LOOPS_H
#define QUILL_ATTENTION_LOOPS_H

#include <math.h>

#include "engine.h"
#include "exp.h"

#define BLOCK QUILL_ATTENTION_BLOCK
#define BLOCK_VECTORS (BLOCK / LANES)
/* Queries that share a packed block of keys, and those that share a converted value. */
#define ATTENTION_QUERIES 16
#define ATTENTION_SHARE 4
/* Vectors of the result that one query alone works on. */
#define ATTENTION_VECTORS 4

struct attention_state {
	float acc[ATTENTION_QUERIES][QUILL_ATTENTION_MAX_HEAD_DIM];
	float w[ATTENTION_QUERIES][BLOCK];
	float alpha[ATTENTION_QUERIES];
	float max[ATTENTION_QUERIES];
	float sum[ATTENTION_QUERIES];
	/* q_scale * softmax_scale */
	float scale[ATTENTION_QUERIES];
	int32_t q_sum[ATTENTION_QUERIES];
	/* keys of the present block that the query sees */
	uint32_t seen[ATTENTION_QUERIES];
	int32_t dots[ATTENTION_QUERIES][BLOCK];
	float k_scale[BLOCK];
	float v_scale[BLOCK];
	uint8_t keys[BLOCK * QUILL_ATTENTION_MAX_HEAD_DIM] __attribute__((aligned(64)));
};

static inline void attention_start(struct attention_state *s, const struct quill_attention_tile *t,
				   uint32_t first, uint32_t queries)
{
	uint32_t i;

	gemm_row_sums(t->q + first * t->q_stride, t->q_stride, queries, t->head_dim, s->q_sum);
	for (i = 0; i < queries; i++) {
		memset(s->acc[i], 0, t->head_dim * sizeof(float));
		s->max[i] = -INFINITY;
		s->sum[i] = 0.0f;
		s->scale[i] = t->q_scale[(first + i) * t->q_scale_stride] * t->softmax_scale;
	}
}

/* Scales and keys of a block, the keys as a panel; what is beyond @n keeps what it had. */
static inline void attention_load_block(struct attention_state *s,
					const struct quill_attention_tile *t, uint32_t key,
					uint32_t n)
{
	uint32_t j;

	for (j = 0; j < n; j++) {
		s->k_scale[j] = t->k_scale[(key + j) * t->kv_scale_stride];
		s->v_scale[j] = t->v_scale[(key + j) * t->kv_scale_stride];
	}
	micro_pack(s->keys, t->k + key * t->kv_stride, t->kv_stride, n, t->head_dim);
}

static inline void attention_dots(struct attention_state *s, const struct quill_attention_tile *t,
				  uint32_t first, uint32_t queries)
{
	uint32_t i, rows;

	for (i = 0; i < queries; i += rows) {
		rows = queries - i < MICRO_ROWS ? queries - i : MICRO_ROWS;
		micro(rows, t->q + (first + i) * t->q_stride, t->q_stride, s->keys, t->head_dim,
		      &s->q_sum[i], &s->dots[i]);
	}
}

/* One query, one block: from dot products to the weights of the values. */
static inline void attention_softmax(struct attention_state *s, uint32_t i)
{
	vf scale = vf_set1(s->scale[i]), most = vf_set1(-INFINITY), total = vf_set1(0.0f);
	int n = (int)s->seen[i];
	vf score[BLOCK_VECTORS];
	float max;
	int c;

	for (c = 0; c < BLOCK_VECTORS; c++) {
		vf ks = vf_mul(vf_load(&s->k_scale[c * LANES]), scale);
		vf x = vf_mul(vi_to_vf(vi_load(&s->dots[i][c * LANES])), ks);

		score[c] = vf_first(x, n - c * LANES, vf_set1(-INFINITY));
		most = vf_max(score[c], most);
	}
	max = vf_tree_max(most);
	max = max > s->max[i] ? max : s->max[i];
	for (c = 0; c < BLOCK_VECTORS; c++) {
		vf p = exp_lanes(vf_sub(score[c], vf_set1(max)));

		/* 0 for absent keys, unless all scores are -inf or NaN, and then so is the sum. */
		total = vf_add(total, p);
		vf_store(&s->w[i][c * LANES], vf_mul(p, vf_load(&s->v_scale[c * LANES])));
	}
	s->alpha[i] = exp_one(s->max[i] - max);
	s->sum[i] = __builtin_fmaf(s->sum[i], s->alpha[i], vf_tree_sum(total));
	s->max[i] = max;
}

/*
 * acc = acc * alpha, then plus the values from .. to - 1 in order, for some queries and some vectors of
 * the result from e on: constants, four accumulators at most, so that these live in registers.
 */
static inline __attribute__((always_inline)) void
attention_vectors(const uint32_t queries, const uint32_t vectors, struct attention_state *s,
		  uint32_t i, const struct quill_attention_tile *t, const int8_t *v, uint32_t e,
		  uint32_t from, uint32_t to, bool rescale)
{
	vf acc[ATTENTION_SHARE][ATTENTION_VECTORS];
	uint32_t j;

	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < queries; r++) {
		vf alpha = vf_set1(rescale ? s->alpha[i + r] : 1.0f);

		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < vectors; c++)
			acc[r][c] = vf_mul(vf_load(&s->acc[i + r][e + c * LANES]), alpha);
	}
	for (j = from; j < to; j++) {
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < vectors; c++) {
			vf x = vf_load_s8(v + j * t->kv_stride + e + c * LANES);

			_Pragma("GCC unroll 4")
			for (uint32_t r = 0; r < queries; r++)
				acc[r][c] = vf_fma(vf_set1(s->w[i + r][j]), x, acc[r][c]);
		}
	}
	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < queries; r++)
		_Pragma("GCC unroll 4")
		for (uint32_t c = 0; c < vectors; c++)
			vf_store(&s->acc[i + r][e + c * LANES], acc[r][c]);
}

static inline void attention_shared_values(struct attention_state *s, uint32_t i,
					   const struct quill_attention_tile *t, const int8_t *v,
					   uint32_t to)
{
	uint32_t e;

	for (e = 0; e < t->head_dim; e += LANES)
		attention_vectors(ATTENTION_SHARE, 1, s, i, t, v, e, 0, to, true);
}

static inline void attention_own_values(struct attention_state *s, uint32_t i,
					const struct quill_attention_tile *t, const int8_t *v,
					uint32_t from, uint32_t to, bool rescale)
{
	uint32_t e = 0;

	for (; e + ATTENTION_VECTORS * LANES <= t->head_dim; e += ATTENTION_VECTORS * LANES)
		attention_vectors(1, ATTENTION_VECTORS, s, i, t, v, e, from, to, rescale);
	for (; e < t->head_dim; e += LANES)
		attention_vectors(1, 1, s, i, t, v, e, from, to, rescale);
}

/* Four queries share the values that all of them see; the rest is each one's own. */
static inline void attention_accumulate(struct attention_state *s,
					const struct quill_attention_tile *t, uint32_t queries,
					const int8_t *v)
{
	uint32_t i = 0, r, shared;

	for (; i + ATTENTION_SHARE <= queries; i += ATTENTION_SHARE) {
		/* query i sees no more than those behind it */
		shared = s->seen[i];
		if (!shared)
			break;
		attention_shared_values(s, i, t, v, shared);
		for (r = i + 1; r < i + ATTENTION_SHARE; r++)
			if (s->seen[r] > shared)
				attention_own_values(s, r, t, v, shared, s->seen[r], false);
	}
	for (; i < queries; i++)
		if (s->seen[i])
			attention_own_values(s, i, t, v, 0, s->seen[i], true);
}

static inline uint32_t attention_keys(const struct quill_attention_tile *t, uint32_t query)
{
	return t->causal ? t->n_kv + query : t->n_kv;
}

static inline void attention_block(struct attention_state *s, const struct quill_attention_tile *t,
				   uint32_t first, uint32_t queries, uint32_t key)
{
	uint32_t last = attention_keys(t, first + queries - 1);
	uint32_t i, keys;

	attention_load_block(s, t, key, last - key < BLOCK ? last - key : BLOCK);
	attention_dots(s, t, first, queries);
	for (i = 0; i < queries; i++) {
		keys = attention_keys(t, first + i);
		keys = keys > key ? keys - key : 0;
		s->seen[i] = keys < BLOCK ? keys : BLOCK;
		if (keys)
			attention_softmax(s, i);
	}
	attention_accumulate(s, t, queries, t->v + key * t->kv_stride);
}

static inline void attention_finish(const struct attention_state *s,
				    const struct quill_attention_tile *t, uint32_t first,
				    uint32_t queries)
{
	uint32_t i, e;

	for (i = 0; i < queries; i++) {
		float *out = t->out + (first + i) * t->out_stride;
		vf sum = vf_set1(s->sum[i]);

		for (e = 0; e < t->head_dim; e += LANES)
			vf_store(out + e, vf_canonical(vf_div(vf_load(&s->acc[i][e]), sum)));
	}
}

static inline void attention_tile(const struct quill_attention_tile *t)
{
	struct attention_state s;
	uint32_t first, queries, key;

	/* Padding keys take part in the dot products; they must be some value. */
	memset(s.keys, 0, sizeof(s.keys));
	memset(s.k_scale, 0, sizeof(s.k_scale));
	memset(s.v_scale, 0, sizeof(s.v_scale));
	for (first = 0; first < t->n_q; first += queries) {
		queries = t->n_q - first;
		if (queries > ATTENTION_QUERIES)
			queries = ATTENTION_QUERIES;
		attention_start(&s, t, first, queries);
		for (key = 0; key < attention_keys(t, first + queries - 1); key += BLOCK)
			attention_block(&s, t, first, queries, key);
		attention_finish(&s, t, first, queries);
	}
}

#endif /* QUILL_ATTENTION_LOOPS_H */
