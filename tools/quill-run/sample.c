// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "sample.h"
#include "weights.h"

struct candidate {
	double p;
	uint32_t token;
};

/* Most likely first; of equals, the lowest token. */
static int by_p(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->p != y->p)
		return x->p > y->p ? -1 : 1;
	return x->token < y->token ? -1 : 1;
}

/* splitmix64 (Steele, Lea, Flood 2014): 53 of its bits, in [0, 1). */
static double uniform(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return ((z ^ z >> 31) >> 11) * 0x1p-53;
}

uint8_t sample(struct sampler *s, const float *logits)
{
	struct candidate c[VOCAB];
	double sum = 0, mass = 0, at;
	uint32_t best = 0, n, i;

	for (i = 1; i < VOCAB; i++)
		if (logits[i] > logits[best])
			best = i;
	if (s->temperature == 0)
		return best;

	for (i = 0; i < VOCAB; i++) {
		c[i].token = i;
		c[i].p = exp(((double)logits[i] - logits[best]) / s->temperature);
	}
	qsort(c, VOCAB, sizeof(*c), by_p);
	n = s->top_k && s->top_k < VOCAB ? s->top_k : VOCAB;
	for (i = 0; i < n; i++)
		sum += c[i].p;
	for (i = 0; i < n && mass < s->top_p * sum; i++)
		mass += c[i].p;
	n = i ? i : 1;

	at = uniform(&s->state) * mass;
	for (i = 0; i < n - 1 && at >= c[i].p; i++)
		at -= c[i].p;
	return c[i].token;
}
