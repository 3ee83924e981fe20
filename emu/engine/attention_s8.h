/* SPDX-License-Identifier: MIT */
/*
 * ATTENTION with int8 keys and values, written once over lanes and micro-kernels. attention_loops.h includes it.
 *
 * The keys of a block are packed like a
 * panel of B, so that scores are a small GEMM; the values are converted to float32, or, for weights of 16 bits, widened
 * in pairs of keys, so that results are another. Rows go through softmax and second product 16 at a time. One row or two
 * use keys and values as they lie in memory.
 */
#ifndef QUILL_ATTENTION_S8_H
#define QUILL_ATTENTION_S8_H

#include "attention_rows.h"

/* So few rows do not pay for packing keys. Values pay for conversion where they are used more than once. */
#define ATTENTION_FEW 2

struct attention_s8 {
	struct attention_rows c;
	/* head_dim elements a row */
	int8_t q[ATTENTION_ROWS * MAX_DIM];
	int32_t q_sum[ATTENTION_ROWS];
	/* q_scale * softmax_scale */
	float scale[ATTENTION_ROWS];

	/* the present block */
	float k_scale[BLOCK];
	float v_scale[BLOCK];
	uint8_t keys[BLOCK * MAX_DIM] __attribute__((aligned(64)));
	union {
		float plain[BLOCK * MAX_DIM];
		int16_t pairs[BLOCK * MAX_DIM];
	} values __attribute__((aligned(64)));

	/* the present 16 rows in it */
	int32_t dots[LANES][BLOCK];
	int16_t weights[LANES][BLOCK];
	int32_t sums[WIDE_ROWS * MAX_DIM];
};

static inline void attention_s8_start(struct attention_rows *c)
{
	struct attention_s8 *s = (struct attention_s8 *)c;
	const struct quill_attention_tile *t = c->t;
	uint32_t r;

	for (r = 0; r < c->rows; r++) {
		uint32_t i = c->first + r / t->heads, h = r % t->heads;

		memcpy(s->q + r * t->head_dim,
		       (const int8_t *)t->q + i * t->q_stride + h * t->head_dim, t->head_dim);
		s->scale[r] = t->q_scale[i * t->q_scale_stride + h] * t->softmax_scale;
	}
	gemm_row_sums(s->q, t->head_dim, c->rows, t->head_dim, s->q_sum);
}

static inline bool attention_few(const struct attention_s8 *s)
{
	return s->c.rows <= ATTENTION_FEW;
}

static inline void attention_convert(struct attention_s8 *s, const int8_t *v, uint32_t n)
{
	const struct quill_attention_tile *t = s->c.t;
	uint32_t j, e;

	for (j = 0; j < n; j++)
		for (e = 0; e < t->head_dim; e += LANES)
			vf_store(s->values.plain + j * t->head_dim + e,
				 vf_load_s8(v + j * t->kv_stride + e));
}

static inline void attention_load_values(struct attention_s8 *s, const int8_t *v, uint32_t n)
{
	const struct quill_attention_tile *t = s->c.t;
	uint32_t j;

	if (t->round) {
		for (j = 0; j < n; j += 2)
			wide_pack_pair(s->values.pairs + j * t->head_dim, v + j * t->kv_stride,
				       j + 1 < n ? v + (j + 1) * t->kv_stride : NULL, t->head_dim);
	} else if (s->c.rows <= WEIGH_ROWS) {
		s->c.v = (struct weigh_values){ WEIGH_S8, v, t->kv_stride, t->head_dim };
	} else {
		attention_convert(s, v, n);
		s->c.v = (struct weigh_values){ WEIGH_F32, s->values.plain, t->head_dim, t->head_dim };
	}
}

/* Scales, keys and values of a block; what is beyond @n keeps what it had. */
static inline void attention_s8_load(struct attention_rows *c, size_t key, uint32_t n)
{
	struct attention_s8 *s = (struct attention_s8 *)c;
	const struct quill_attention_tile *t = s->c.t;
	uint32_t j;

	for (j = 0; j < n; j++) {
		s->k_scale[j] = t->k_scale[(key + j) * t->kv_scale_stride];
		s->v_scale[j] = t->v_scale[(key + j) * t->kv_scale_stride];
	}
	if (!attention_few(s))
		micro_pack(s->keys, (const int8_t *)t->k + key * t->kv_stride, t->kv_stride, n, t->head_dim);
	attention_load_values(s, (const int8_t *)t->v + key * t->kv_stride, n);
}

static inline void attention_dots(struct attention_s8 *s, uint32_t first, uint32_t rows, size_t key,
				  uint32_t n)
{
	const struct quill_attention_tile *t = s->c.t;
	uint32_t dim = t->head_dim, r;

	if (attention_few(s)) {
		for (r = 0; r < rows; r++)
			dots_keys(s->q + r * dim, s->q_sum[r],
				  (const int8_t *)t->k + key * t->kv_stride, t->kv_stride, n, dim,
				  s->dots[r]);
		return;
	}
	for EACH_PART(at, part, rows, MICRO_ROWS)
		micro(part, s->q + (first + at) * dim, dim, s->keys, dim, &s->q_sum[first + at],
		      &s->dots[at]);
}

static inline void attention_scores(struct attention_s8 *s, const struct softmax_rows *g,
				    uint32_t first, uint32_t r)
{
	vf scale = vf_set1(s->scale[first + r]), x[BLOCK_VECTORS];
	int c;

	for (c = 0; c < BLOCK_VECTORS; c++)
		x[c] = vf_mul(vi_to_vf(vi_load(&s->dots[r][c * LANES])),
			      vf_mul(vf_load(&s->k_scale[c * LANES]), scale));
	softmax_scores(g, &s->c.scratch, r, x);
}

/* From dot products to weights of @rows rows. */
static inline void attention_softmax(struct attention_s8 *s, struct softmax_rows *g,
				     uint32_t first, uint32_t rows)
{
	float inverse[LANES];
	uint32_t r;

	for (r = 0; r < rows; r++)
		attention_scores(s, g, first, r);
	softmax_maximum(g, &s->c.scratch, rows);
	for (r = 0; r < rows; r++) {
		if (s->c.t->round)
			softmax_weights(g, &s->c.scratch, r, s->v_scale, true);
		else
			softmax_weights(g, &s->c.scratch, r, s->v_scale, false);
	}
	softmax_sum(g, &s->c.scratch, rows);
	if (!s->c.t->round)
		return;
	softmax_units(g, &s->c.scratch, inverse);
	for (r = 0; r < rows; r++)
		softmax_round(&s->c.scratch, r, inverse[r], s->weights[r]);
}

/* acc = acc * alpha + sums * unit */
static inline void attention_add(float *acc, const int32_t *sums, uint32_t dim, float alpha, float unit)
{
	uint32_t e;

	for (e = 0; e < dim; e += LANES) {
		vf x = vf_mul(vf_load(acc + e), vf_set1(alpha));

		vf_store(acc + e, vf_fma(vi_to_vf(vi_load(sums + e)), vf_set1(unit), x));
	}
}

/* Weights of 16 bits: absent keys weigh 0, and integers do not care about them. */
static inline void attention_rounded(struct attention_s8 *s, const struct softmax_rows *g,
				     uint32_t first, uint32_t rows)
{
	uint32_t dim = s->c.t->head_dim, most = 0, r, e, i;

	for (r = 0; r < rows; r++)
		most = g->to[r] > most ? g->to[r] : most;
	for EACH_PART(at, n, rows, WIDE_ROWS) {
		for (e = 0; e < dim; e += 4 * LANES)
			wide(n, dim - e < 4 * LANES ? (dim - e) / LANES : 4, s->weights[at], BLOCK,
			     s->values.pairs + 2 * e, 2 * dim, (most + 1) / 2, s->sums + e, dim);
		for (i = 0; i < n; i++)
			if (g->to[at + i])
				attention_add(s->c.acc + (first + at + i) * dim, s->sums + i * dim,
					      dim, g->alpha[at + i], g->unit[at + i]);
	}
}

static inline void attention_s8_group(struct attention_rows *c, struct softmax_rows *g, uint32_t first,
				      uint32_t rows, size_t key, uint32_t n)
{
	struct attention_s8 *s = (struct attention_s8 *)c;

	attention_dots(s, first, rows, key, n);
	attention_softmax(s, g, first, rows);
	if (c->t->round)
		attention_rounded(s, g, first, rows);
	else
		attention_plain(c, g, first, rows);
}

static inline void attention_s8_tile(const struct quill_attention_tile *t)
{
	static const struct attention_kind kind = {
		attention_s8_start, attention_s8_load, attention_s8_group,
	};
	struct attention_s8 s;

	attention_init(&s.c, t);
	memset(s.k_scale, 0, sizeof(s.k_scale));
	memset(s.v_scale, 0, sizeof(s.v_scale));
	if (t->n_q * t->heads > ATTENTION_FEW)
		memset(s.keys, 0, BLOCK * t->head_dim);
	else
		memset(s.dots, 0, ATTENTION_FEW * sizeof(s.dots[0]));
	if (t->round)
		memset(s.values.pairs, 0, BLOCK * t->head_dim * sizeof(*s.values.pairs));
	attention_run(&s.c, &kind);
}

#endif /* QUILL_ATTENTION_S8_H */
