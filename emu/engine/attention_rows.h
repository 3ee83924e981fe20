/* SPDX-License-Identifier: MIT */
/*
 * ATTENTION: what its kernels share, whatever the type of keys and values. A row is a query of one head; up to 64 rows
 * share what is done for a block of 64 keys.
 */
#ifndef QUILL_ATTENTION_ROWS_H
#define QUILL_ATTENTION_ROWS_H

#include "attention_softmax.h"

#define ATTENTION_ROWS QUILL_ATTENTION_TILE_ROWS
#define ATTENTION_GROUPS (ATTENTION_ROWS / LANES)
#define MAX_DIM QUILL_ATTENTION_MAX_HEAD_DIM

struct attention_rows {
	const struct quill_attention_tile *t;
	/* row r is query first + r / heads of head r % heads */
	uint32_t first;
	uint32_t rows;
	struct softmax_rows group[ATTENTION_GROUPS];
	/* head_dim elements a row */
	float acc[ATTENTION_ROWS * MAX_DIM];
	/* the values of the present block, for weights in float32 */
	struct weigh_values v;
	/* the present 16 rows in it */
	struct softmax_scratch scratch;
};

/* Rows in parts as equal as can be. */
#define EACH_PART(at, n, count, most)								\
	(uint32_t at = 0, parts_ = ((count) + (most) - 1) / (most), n;				\
	 n = parts_ ? ((count) - at + parts_ - 1) / parts_ : 0, parts_;				\
	 at += n, parts_--)

/* Keys that query @i sees: from *from to *to - 1. */
static inline void attention_seen(const struct quill_attention_tile *t, uint32_t i, uint32_t *from,
				  uint32_t *to)
{
	*to = t->causal ? t->n_kv + i : t->n_kv;
	*from = t->window && *to > t->window ? *to - t->window : 0;
}

/* What is beyond the keys, or of another row, takes part in computations; it must be some value. */
static inline void attention_init(struct attention_rows *s, const struct quill_attention_tile *t)
{
	s->t = t;
	memset(s->group, 0, sizeof(s->group));
	memset(s->scratch.lanes, 0, sizeof(s->scratch.lanes));
	memset(s->scratch.most, 0, sizeof(s->scratch.most));
}

static inline void attention_begin(struct attention_rows *s)
{
	uint32_t g;

	memset(s->acc, 0, s->rows * s->t->head_dim * sizeof(*s->acc));
	for (g = 0; g < ATTENTION_GROUPS; g++)
		softmax_start(&s->group[g]);
}

/* Which keys of the block at @key each row sees. Return: whether any row sees any. */
static inline bool attention_ranges(struct attention_rows *s, uint32_t key)
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

static inline bool attention_any(const struct softmax_rows *g, uint32_t rows)
{
	uint32_t r;

	for (r = 0; r < rows; r++)
		if (g->to[r])
			return true;
	return false;
}

/* One row's keys from .. to - 1 in float32; @alpha: NULL behind others of the block. */
static inline void attention_own(struct attention_rows *s, float *acc, const float *alpha,
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
static inline void attention_shared(struct attention_rows *s, struct softmax_rows *g, uint32_t first,
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

static inline void attention_plain(struct attention_rows *s, struct softmax_rows *g, uint32_t first,
				   uint32_t rows)
{
	for EACH_PART(at, n, rows, WEIGH_ROWS)
		attention_shared(s, g, first, at, n);
}

static inline void attention_finish(const struct attention_rows *s)
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

/* What differs by the type of keys: what is done for new rows, for a block, and for 16 rows in it. */
struct attention_kind {
	void (*start)(struct attention_rows *s);
	/* @key: in memory, @n: keys of the block that there are */
	void (*load)(struct attention_rows *s, size_t key, uint32_t n);
	void (*group)(struct attention_rows *s, struct softmax_rows *g, uint32_t first, uint32_t rows,
		      size_t key, uint32_t n);
};

static inline __attribute__((always_inline)) void
attention_block(struct attention_rows *s, const struct attention_kind *kind, uint32_t key, uint32_t end)
{
	uint32_t first, rows, n;

	if (!attention_ranges(s, key))
		return;
	n = end - key < BLOCK ? end - key : BLOCK;
	key -= s->t->first_key;
	kind->load(s, key, n);
	for (first = 0; first < s->rows; first += LANES) {
		struct softmax_rows *g = &s->group[first / LANES];

		rows = s->rows - first < LANES ? s->rows - first : LANES;
		if (attention_any(g, rows))
			kind->group(s, g, first, rows, key, n);
	}
}

/* All queries of the tile, so many at a time that their rows fit. @kind is a constant: calls are expanded. */
static inline __attribute__((always_inline)) void
attention_run(struct attention_rows *s, const struct attention_kind *kind)
{
	const struct quill_attention_tile *t = s->t;
	uint32_t most = ATTENTION_ROWS / t->heads, queries, key, from, end, none;

	for (s->first = 0; s->first < t->n_q; s->first += queries) {
		queries = t->n_q - s->first < most ? t->n_q - s->first : most;
		s->rows = queries * t->heads;
		attention_seen(t, s->first, &from, &none);
		attention_seen(t, s->first + queries - 1, &none, &end);
		attention_begin(s);
		kind->start(s);
		for (key = from / BLOCK * BLOCK; key < end; key += BLOCK)
			attention_block(s, kind, key, end);
		attention_finish(s);
	}
}

#endif /* QUILL_ATTENTION_ROWS_H */
