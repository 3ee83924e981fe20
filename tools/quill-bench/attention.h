/* SPDX-License-Identifier: MIT */
/* Suite attention: a case, and its peer. */
#ifndef QUILL_BENCH_ATTENTION_H
#define QUILL_BENCH_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

/* struct attention_case - heads of keys with so many rows (queries times heads that share them) each */
struct attention_case {
	uint32_t kv_heads, share;
	uint32_t n_q, n_kv, dim;
	/* of all queries, keys and values, and what a dot product is multiplied by beside softmax_scale */
	float q_scale, kv_scale;
	/* [kv head][query][share][dim], [kv head][key][dim] */
	int8_t *q, *k, *v;
	/* the peer's result, as q */
	float *out;
};

static inline float attention_softmax_scale(const struct attention_case *c)
{
	return c->dim == 64 ? 0.125f : 0.08838834764f;
}

struct attention_peer;

struct attention_peer *attention_peer_new(const struct attention_case *c, unsigned int threads);
bool attention_peer_run(void *peer);
void attention_peer_free(struct attention_peer *p);

#endif /* QUILL_BENCH_ATTENTION_H */
