/* SPDX-License-Identifier: MIT */
/*
 * ATTENTION with int8 keys and values, written once over lanes and micro-kernels. kernels_*.c includes it last.
 *
 * A row is a query of one head; up to 64 rows share what is done for a block of 64 keys. The keys are packed like a
 * panel of B, so that scores are a small GEMM; the values are converted to float32, or, for weights of 16 bits, widened
 * in pairs of keys, so that results are another. Rows go through softmax and second product 16 at a time. One row or two
 * use keys and values as they lie in memory.
 */
#ifndef QUILL_ATTENTION_LOOPS_H
#define QUILL_ATTENTION_LOOPS_H

#include "attention_softmax.h"

#define ATTENTION_ROWS 64
#define ATTENTION_GROUPS (ATTENTION_ROWS / LANES)
#define MAX_DIM QUILL_ATTENTION_MAX_HEAD_DIM
/* So few rows do not pay for packing keys. Values pay for conversion where they are used more than once. */
#define ATTENTION_FEW 2

struct attention_state {
	const struct quill_attention_tile *t;
	/* rows of this part: row r is query first + r / heads of head r % heads */
	uint32_t first;
	uint32_t rows;
	struct softmax_rows group[ATTENTION_GROUPS];
	/* head_dim elements a row */
	int8_t q[ATTENTION_ROWS * MAX_DIM];
	float acc[ATTENTION_ROWS * MAX_DIM];
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
	struct weigh_values v;

	/* the present 16 rows in it */
	struct softmax_scratch scratch;
	int32_t dots[LANES][BLOCK];
	int16_t weights[LANES][BLOCK];
	int32_t sums[WIDE_ROWS * MAX_DIM];
};

/* Keys that query @i sees: from *from to *to - 1. */
static inline void attention_seen(const struct quill_attention_tile *t, uint32_t i, uint32_t *from,
				  uint32_t *to)
{
	*to = t->causal ? t->n_kv + i : t->n_kv;
	*from = t->window && *to > t->window ? *to - t->window : 0;
}

static inline void attention_start(struct attention_state *s)
{
	const struct quill_attention_tile *t = s->t;
	uint32_t r, g;

	for (r = 0; r < s->rows; r++) {
		uint32_t i = s->first + r / t->heads, h = r % t->heads;

		memcpy(s->q + r * t->head_dim, t->q + i * t->q_stride + h * t->head_dim,
		       t->head_dim);
		s->scale[r] = t->q_scale[i * t->q_scale_stride + h] * t->softmax_scale;
	}
	gemm_row_sums(s->q, t->head_dim, s->rows, t->head_dim, s->q_sum);
	memset(s->acc, 0, s->rows * t->head_dim * sizeof(*s->acc));
	for (g = 0; g < ATTENTION_GROUPS; g++)
		softmax_start(&s->group[g]);
}

/* Which keys of the block at @key each row sees. Return: whether any row sees any. */
static inline bool attention_ranges(struct attention_state *s, uint32_t key)
{
	bool any = false;
	uint32_t r;

	for (r = 0; r < s->rows; r++) {
		struct softmax_rows *g = &s->group[r / LANES];
		uint32_t from, to;

		attention_seen(s->t, s->first + r / s->t->heads, &from, &to);
		from = from > key ? from - key : 0;
		to = to > key ? to - key : 0;
		to = from < BLOCK ? to : 0;
		g->from[r % LANES] = to ? from : 0;
		g->to[r % LANES] = to < BLOCK ? to : BLOCK;
		any |= to > 0;
	}
	return any;
}

static inline bool attention_few(const struct attention_state *s)
{
	return s->rows <= ATTENTION_FEW;
}

static inline void attention_convert(struct attention_state *s, const int8_t *v, uint32_t n)
{
	const struct quill_attention_tile *t = s->t;
	uint32_t j, e;

	for (j = 0; j < n; j++)
		for (e = 0; e < t->head_dim; e += LANES)
			vf_store(s->values.plain + j * t->head_dim + e,
				 vf_load_s8(v + j * t->kv_stride + e));
}

static inline void attention_load_values(struct attention_state *s, const int8_t *v, uint32_t n)
{
	const struct quill_attention_tile *t = s->t;
	uint32_t j;

	if (t->round) {
		for (j = 0; j < n; j += 2)
			wide_pack_pair(s->values.pairs + j * t->head_dim, v + j * t->kv_stride,
				       j + 1 < n ? v + (j + 1) * t->kv_stride : NULL, t->head_dim);
	} else if (s->rows <= WEIGH_ROWS) {
		s->v = (struct weigh_values){ WEIGH_S8, v, t->kv_stride, t->head_dim };
	} else {
		attention_convert(s, v, n);
		s->v = (struct weigh_values){ WEIGH_F32, s->values.plain, t->head_dim, t->head_dim };
	}
}

/* Scales, keys and values of a block; what is beyond @n keeps what it had. */
static inline void attention_load_block(struct attention_state *s, size_t key, uint32_t n)
{
	const struct quill_attention_tile *t = s->t;
	uint32_t j;

	for (j = 0; j < n; j++) {
		s->k_scale[j] = t->k_scale[(key + j) * t->kv_scale_stride];
		s->v_scale[j] = t->v_scale[(key + j) * t->kv_scale_stride];
	}
	if (!attention_few(s))
		micro_pack(s->keys, t->k + key * t->kv_stride, t->kv_stride, n, t->head_dim);
	attention_load_values(s, t->v + key * t->kv_stride, n);
}

/* Rows in parts as equal as can be. */
#define EACH_PART(at, n, count, most)								\
	(uint32_t at = 0, parts_ = ((count) + (most) - 1) / (most), n;				\
	 n = parts_ ? ((count) - at + parts_ - 1) / parts_ : 0, parts_;				\
	 at += n, parts_--)

static inline void attention_dots(struct attention_state *s, uint32_t first, uint32_t rows, size_t key,
				  uint32_t n)
{
	const struct quill_attention_tile *t = s->t;
	uint32_t dim = t->head_dim, r;

	if (attention_few(s)) {
		for (r = 0; r < rows; r++)
			dots_keys(s->q + r * dim, s->q_sum[r], t->k + key * t->kv_stride,
				  t->kv_stride, n, dim, s->dots[r]);
		return;
	}
	for EACH_PART(at, part, rows, MICRO_ROWS)
		micro(part, s->q + (first + at) * dim, dim, s->keys, dim, &s->q_sum[first + at],
		      &s->dots[at]);
}

static inline void attention_scores(struct attention_state *s, const struct softmax_rows *g,
				    uint32_t first, uint32_t r)
{
	vf scale = vf_set1(s->scale[first + r]), x[BLOCK_VECTORS];
	int c;

	for (c = 0; c < BLOCK_VECTORS; c++)
		x[c] = vf_mul(vi_to_vf(vi_load(&s->dots[r][c * LANES])),
			      vf_mul(vf_load(&s->k_scale[c * LANES]), scale));
	softmax_scores(g, &s->scratch, r, x);
}

/* From dot products to weights of @rows rows. */
static inline void attention_softmax(struct attention_state *s, struct softmax_rows *g,
				     uint32_t first, uint32_t rows)
{
	float inverse[LANES];
	uint32_t r;

	for (r = 0; r < rows; r++)
		attention_scores(s, g, first, r);
	softmax_maximum(g, &s->scratch, rows);
	for (r = 0; r < rows; r++) {
		if (s->t->round)
			softmax_weights(g, &s->scratch, r, s->v_scale, true);
		else
			softmax_weights(g, &s->scratch, r, s->v_scale, false);
	}
	softmax_sum(g, &s->scratch, rows);
	if (!s->t->round)
		return;
	softmax_units(g, &s->scratch, inverse);
	for (r = 0; r < rows; r++)
		softmax_round(&s->scratch, r, inverse[r], s->weights[r]);
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
static inline void attention_rounded(struct attention_state *s, const struct softmax_rows *g,
				     uint32_t first, uint32_t rows)
{
	uint32_t dim = s->t->head_dim, most = 0, r, e, i;

	for (r = 0; r < rows; r++)
		most = g->to[r] > most ? g->to[r] : most;
	for EACH_PART(at, n, rows, WIDE_ROWS) {
		for (e = 0; e < dim; e += 4 * LANES)
			wide(n, dim - e < 4 * LANES ? (dim - e) / LANES : 4, s->weights[at], BLOCK,
			     s->values.pairs + 2 * e, 2 * dim, (most + 1) / 2, s->sums + e, dim);
		for (i = 0; i < n; i++)
			if (g->to[at + i])
				attention_add(s->acc + (first + at + i) * dim, s->sums + i * dim,
					      dim, g->alpha[at + i], g->unit[at + i]);
	}
}

/* One row's keys from .. to - 1 in float32; @alpha: NULL behind others of the block. */
static inline void attention_own(struct attention_state *s, float *acc, const float *alpha,
				 const float *w, uint32_t from, uint32_t to)
{
	if (from < to)
		weigh(1, acc, alpha, w, BLOCK, &s->v, from, to);
}

/*
 * Weights in float32, the keys of each row in order: rows that follow each other share the keys that all of them see.
 * What comes before and behind is each row's own: first keys are seen later and last keys earlier by
 * earlier queries.
 */
static inline void attention_shared(struct attention_state *s, struct softmax_rows *g, uint32_t first,
				    uint32_t at, uint32_t n)
{
	float *acc = s->acc + (first + at) * s->t->head_dim;
	uint32_t from = 0, to = BLOCK, i;

	for (i = at; i < at + n; i++) {
		from = g->from[i] > from ? g->from[i] : from;
		to = g->to[i] < to ? g->to[i] : to;
	}
	if (from >= to)
		from = to = 0;
	for (i = 0; i < n; i++) {
		const float *w = s->scratch.x[at + i];
		float *own = acc + i * s->t->head_dim;

		if (from == to || g->from[at + i] < from) {
			attention_own(s, own, &g->alpha[at + i], w, g->from[at + i],
				      from == to ? g->to[at + i] : from);
			/* done: not once more with the others */
			g->alpha[at + i] = 1.0f;
		}
	}
	if (from == to)
		return;
	weigh(n, acc, &g->alpha[at], s->scratch.x[at], BLOCK, &s->v, from, to);
	for (i = 0; i < n; i++)
		attention_own(s, acc + i * s->t->head_dim, NULL, s->scratch.x[at + i], to,
			      g->to[at + i]);
}

static inline void attention_plain(struct attention_state *s, struct softmax_rows *g, uint32_t first,
				   uint32_t rows)
{
	for EACH_PART(at, n, rows, WEIGH_ROWS)
		attention_shared(s, g, first, at, n);
}

static inline bool attention_any(const struct softmax_rows *g, uint32_t rows)
{
	uint32_t r;

	for (r = 0; r < rows; r++)
		if (g->to[r])
			return true;
	return false;
}

static inline void attention_block(struct attention_state *s, uint32_t key, uint32_t end)
{
	uint32_t first, rows, n;

	if (!attention_ranges(s, key))
		return;
	n = end - key < BLOCK ? end - key : BLOCK;
	attention_load_block(s, key - s->t->first_key, n);
	for (first = 0; first < s->rows; first += LANES) {
		struct softmax_rows *g = &s->group[first / LANES];

		rows = s->rows - first < LANES ? s->rows - first : LANES;
		if (!attention_any(g, rows))
			continue;
		attention_dots(s, first, rows, key - s->t->first_key, n);
		attention_softmax(s, g, first, rows);
		if (s->t->round)
			attention_rounded(s, g, first, rows);
		else
			attention_plain(s, g, first, rows);
	}
}

static inline void attention_finish(const struct attention_state *s)
{
	const struct quill_attention_tile *t = s->t;
	uint32_t r, e;

	for (r = 0; r < s->rows; r++) {
		uint32_t i = s->first + r / t->heads, h = r % t->heads;
		const struct softmax_rows *g = &s->group[r / LANES];
		float *out = t->out + i * t->out_stride + h * t->head_dim;
		vf sum = vf_set1(g->sum[r % LANES]);

		for (e = 0; e < t->head_dim; e += LANES)
			vf_store(out + e, vf_canonical(vf_div(vf_load(s->acc + r * t->head_dim + e), sum)));
		if (t->state) {
			float *state = t->state + i * t->state_stride + 2 * h;

			state[0] = g->max[r % LANES];
			state[1] = isnan(g->sum[r % LANES]) ? __builtin_nanf("") : g->sum[r % LANES];
		}
	}
}

/* All keys for the rows of queries s->first .. first + queries - 1. */
static inline void attention_part(struct attention_state *s, uint32_t queries)
{
	uint32_t key, from, to, end, none;

	s->rows = queries * s->t->heads;
	attention_seen(s->t, s->first, &from, &none);
	attention_seen(s->t, s->first + queries - 1, &none, &end);
	attention_start(s);
	to = end;
	for (key = from / BLOCK * BLOCK; key < to; key += BLOCK)
		attention_block(s, key, end);
	attention_finish(s);
}

static inline void attention_tile(const struct quill_attention_tile *t)
{
	uint32_t most = ATTENTION_ROWS / t->heads, queries;
	struct attention_state s;

	/* What is beyond the keys, or of another row, takes part in computations; it must be some value. */
	memset(s.group, 0, sizeof(s.group));
	memset(s.scratch.lanes, 0, sizeof(s.scratch.lanes));
	memset(s.scratch.most, 0, sizeof(s.scratch.most));
	memset(s.k_scale, 0, sizeof(s.k_scale));
	memset(s.v_scale, 0, sizeof(s.v_scale));
	if (t->n_q * t->heads > ATTENTION_FEW)
		memset(s.keys, 0, BLOCK * t->head_dim);
	else
		memset(s.dots, 0, ATTENTION_FEW * sizeof(s.dots[0]));
	if (t->round)
		memset(s.values.pairs, 0, BLOCK * t->head_dim * sizeof(*s.values.pairs));
	s.t = t;
	for (s.first = 0; s.first < t->n_q; s.first += queries) {
		queries = t->n_q - s.first < most ? t->n_q - s.first : most;
		attention_part(&s, queries);
	}
}

#endif /* QUILL_ATTENTION_LOOPS_H */
