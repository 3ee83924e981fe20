// SPDX-License-Identifier: MIT
/* The reference implementation of TOPK and SAMPLE. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quill/isa.h"

#include "ref.h"
#include "ref_sample.h"
#include "ref_vector.h"

/* ---- The generator ---- */

static void ref_philox_round(const uint32_t key[2], uint32_t c[4])
{
	uint64_t p0 = 0xd2511f53ull * c[0], p1 = 0xcd9e8d57ull * c[2];
	uint32_t next[4] = {
		(uint32_t)(p1 >> 32) ^ c[1] ^ key[0], (uint32_t)p1,
		(uint32_t)(p0 >> 32) ^ c[3] ^ key[1], (uint32_t)p0,
	};

	memcpy(c, next, sizeof(next));
}

void ref_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
	uint32_t round_key[2];
	uint32_t r;

	memcpy(out, counter, 16);
	for (r = 0; r < 10; r++) {
		round_key[0] = key[0] + r * 0x9e3779b9u;
		round_key[1] = key[1] + r * 0xbb67ae85u;
		ref_philox_round(round_key, out);
	}
}

/* ---- The order ---- */

struct element {
	float x;
	uint32_t index;
};

/* Largest first, NaN last, then by index. */
static int in_order(const void *a, const void *b)
{
	const struct element *p = a, *q = b;

	if (isnan(p->x) != isnan(q->x))
		return isnan(p->x) ? 1 : -1;
	if (p->x > q->x || p->x < q->x)
		return p->x > q->x ? -1 : 1;
	return p->index < q->index ? -1 : 1;
}

static struct element *ordered(const float *x, uint32_t n)
{
	struct element *e = malloc(n * sizeof(*e));
	uint32_t i;

	for (i = 0; i < n; i++)
		e[i] = (struct element){ x[i], i };
	qsort(e, n, sizeof(*e), in_order);
	return e;
}

void ref_topk(const float *x, uint32_t n, uint32_t k, float *value, int32_t *index)
{
	const uint32_t nan = 0x7fc00000;
	struct element *e = ordered(x, n);
	uint32_t i;

	for (i = 0; i < k; i++) {
		index[i] = (int32_t)e[i].index;
		if (value)
			memcpy(&value[i], isnan(e[i].x) ? (const void *)&nan : &e[i].x, 4);
	}
	free(e);
}

/* ---- SAMPLE ---- */

void ref_sample_weights(const struct ref_sample *s, const float *x, uint32_t n, uint64_t *weight)
{
	float scale = 1.0f / s->temperature, max = -INFINITY, p;
	uint32_t i;

	for (i = 0; i < n; i++)
		if (x[i] * scale > max)
			max = x[i] * scale;
	for (i = 0; i < n; i++) {
		if (isnan(x[i]))
			p = 0.0f;
		else if (x[i] * scale == max)
			p = 1.0f;
		else
			p = ref_exp(x[i] * scale - max);
		weight[i] = (uint64_t)nearbyintf(p * 0x1p30f);
	}
}

/* Of @n elements in the order: how many are kept. */
static uint32_t ref_kept(const struct ref_sample *s, const struct element *e, uint32_t n,
			 const uint64_t *weight)
{
	unsigned __int128 all = 0, sum = 0, part;
	uint32_t i;

	while (n && isnan(e[n - 1].x))
		n--;
	if (s->top_k && s->top_k < n)
		n = s->top_k;
	if (s->top_p == 1)
		return n;
	for (i = 0; i < n; i++)
		all += weight[e[i].index];
	part = (unsigned __int128)nearbyintf(s->top_p * 0x1p24f);
	if (!part)
		part = 1;
	for (i = 0; i < n; i++) {
		sum += weight[e[i].index];
		if ((sum << 24) >= part * all)
			return i + 1;
	}
	return n;
}

static int32_t ref_draw(const struct ref_sample *s, const float *x, uint32_t n, uint32_t row)
{
	const uint32_t key[2] = { (uint32_t)s->seed, (uint32_t)(s->seed >> 32) };
	const uint32_t counter[4] = { (uint32_t)s->counter, (uint32_t)(s->counter >> 32), row };
	uint64_t *weight = calloc(n, sizeof(*weight)), *kept = calloc(n, sizeof(*kept));
	struct element *e = ordered(x, n);
	uint64_t mass = 0, at, sum = 0;
	uint32_t out[4], i, k;

	ref_sample_weights(s, x, n, weight);
	k = ref_kept(s, e, n, weight);
	for (i = 0; i < k; i++) {
		kept[e[i].index] = weight[e[i].index];
		mass += weight[e[i].index];
	}
	ref_philox(key, counter, out);
	at = (uint64_t)((((unsigned __int128)out[1] << 32 | out[0]) * mass) >> 64);
	for (i = 0; i < n; i++) {
		sum += kept[i];
		if (at < sum)
			break;
	}
	free(e);
	free(weight);
	free(kept);
	return (int32_t)i;
}

int32_t ref_sample(const struct ref_sample *s, const float *x, uint32_t n, uint32_t row, float *prob)
{
	float *p = malloc(n * sizeof(*p));
	int32_t token;

	ref_reduce(&(struct ref_reduce){ .dst = &token, .src = { x, n }, .rows = 1, .n = n,
					 .op = QUILL_REDUCE_ARGMAX });
	if (s->temperature > 0 && !isnan(x[token]))
		token = ref_draw(s, x, n, row);
	ref_softmax(&(struct ref_softmax){ .dst = p, .dst_stride = n, .src = { x, n }, .rows = 1,
					   .n = n, .scale = 1 });
	*prob = p[token];
	free(p);
	return token;
}
