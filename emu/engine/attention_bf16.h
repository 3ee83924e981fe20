/* SPDX-License-Identifier: MIT */
/*
 * ATTENTION with bfloat16 keys and values, queries in float32 or bfloat16, written once over lanes. attention_loops.h
 * includes it.
 *
 * Keys and values of a block are widened to float32 once for all rows. A score's 16 lanes are those of a register, and the
 * trees of 16 keys are folded together.
 */
#ifndef QUILL_ATTENTION_BF16_H
#define QUILL_ATTENTION_BF16_H

#include "attention_rows.h"

struct attention_bf16 {
	struct attention_rows c;
	/* head_dim elements a row */
	float q[ATTENTION_ROWS * MAX_DIM];
	/* the present block, head_dim elements a key */
	float keys[BLOCK * MAX_DIM];
	float values[BLOCK * MAX_DIM];
	/* of 16 scores */
	float lanes[LANES][LANES];
};

static inline void attention_bf16_start(struct attention_rows *c)
{
	struct attention_bf16 *s = (struct attention_bf16 *)c;
	const struct quill_attention_tile *t = c->t;
	uint32_t r, e;

	for (r = 0; r < c->rows; r++) {
		size_t at = (c->first + r / t->heads) * t->q_stride + r % t->heads * t->head_dim;
		float *q = s->q + r * t->head_dim;

		for (e = 0; e < t->head_dim; e += LANES)
			vf_store(q + e, t->type_q == QUILL_TYPE_BF16 ?
					vf_load_bf16((const uint16_t *)t->q + at + e) :
					vf_load((const float *)t->q + at + e));
	}
}

static inline void attention_widen(const struct quill_attention_tile *t, float *to, const void *from,
				   size_t key, uint32_t n)
{
	uint32_t j, e;

	for (j = 0; j < n; j++)
		for (e = 0; e < t->head_dim; e += LANES)
			vf_store(to + j * t->head_dim + e,
				 vf_load_bf16((const uint16_t *)from + (key + j) * t->kv_stride + e));
}

static inline void attention_bf16_load(struct attention_rows *c, size_t key, uint32_t n)
{
	struct attention_bf16 *s = (struct attention_bf16 *)c;

	attention_widen(c->t, s->keys, c->t->k, key, n);
	attention_widen(c->t, s->values, c->t->v, key, n);
	c->v = (struct weigh_values){ WEIGH_F32, s->values, c->t->head_dim, c->t->head_dim };
}

/* A row's scores with keys 16 i .. of @n in the block; of those behind any number. */
static inline vf attention_bf16_scores(struct attention_bf16 *s, uint32_t row, uint32_t i, uint32_t n)
{
	uint32_t dim = s->c.t->head_dim, j, e;
	const float *q = s->q + row * dim;

	for (j = i; j < i + LANES && j < n; j++) {
		const float *k = s->keys + j * dim;
		vf sum = vf_set1(0.0f);

		for (e = 0; e < dim; e += LANES)
			sum = vf_fma(vf_load(q + e), vf_load(k + e), sum);
		vf_store(s->lanes[j - i], sum);
	}
	return vf_mul(fold_sum(s->lanes), vf_set1(s->c.t->softmax_scale));
}

static inline void attention_bf16_group(struct attention_rows *c, struct softmax_rows *g, uint32_t first,
					uint32_t rows, size_t key, uint32_t n)
{
	struct attention_bf16 *s = (struct attention_bf16 *)c;
	vf x[BLOCK_VECTORS];
	uint32_t r, i;

	for (r = 0; r < rows; r++) {
		for (i = 0; i < BLOCK_VECTORS; i++)
			x[i] = attention_bf16_scores(s, first + r, i * LANES, n);
		softmax_scores(g, &c->scratch, r, x);
	}
	softmax_maximum(g, &c->scratch, rows);
	for (r = 0; r < rows; r++)
		softmax_weights(g, &c->scratch, r, NULL, false);
	softmax_sum(g, &c->scratch, rows);
	attention_plain(c, g, first, rows);
}

static inline void attention_bf16_tile(const struct quill_attention_tile *t)
{
	static const struct attention_kind kind = {
		attention_bf16_start, attention_bf16_load, attention_bf16_group,
	};
	struct attention_bf16 s;

	attention_init(&s.c, t);
	memset(s.lanes, 0, sizeof(s.lanes));
	attention_run(&s.c, &kind);
}

#endif /* QUILL_ATTENTION_BF16_H */
