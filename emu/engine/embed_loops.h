/* SPDX-License-Identifier: MIT */
/* GATHER from a table that is not float32: elements become float32. kernels_*.c includes it. */
#ifndef QUILL_EMBED_LOOPS_H
#define QUILL_EMBED_LOOPS_H

#include "convert_loops.h"
#include "engine.h"
#include "vector.h"

static inline void embed_block(const int8_t q[QUILL_BLOCK], uint16_t d, float *dst)
{
	vf scale = vf_set1(widen_f16(d));
	uint32_t e;

	for (e = 0; e < QUILL_BLOCK; e += LANES)
		vector_store(dst + e, vf_mul(vf_load_s8(q + e), scale), LANES);
}

static inline void embed_q8_0(const struct quill_q8_0 *src, float *dst, uint32_t n)
{
	for (; n; n -= QUILL_BLOCK, src++, dst += QUILL_BLOCK)
		embed_block(src->q, src->d, dst);
}

static inline void embed_q4_0(const struct quill_q4_0 *src, float *dst, uint32_t n)
{
	int8_t q[QUILL_BLOCK];
	int i;

	for (; n; n -= QUILL_BLOCK, src++, dst += QUILL_BLOCK) {
		for (i = 0; i < QUILL_BLOCK / 2; i++) {
			q[i] = (int8_t)((src->q[i] & 15) - 8);
			q[i + QUILL_BLOCK / 2] = (int8_t)((src->q[i] >> 4) - 8);
		}
		embed_block(q, src->d, dst);
	}
}

static inline void embed_s8(const int8_t *src, float scale, float *dst, uint32_t n)
{
	OVER_VECTORS(e, m, n)
		vector_store(dst + e, vf_mul(vector_load_s8(src + e, m), vf_set1(scale)), m);
}

static inline void embed_tile(const struct quill_embed_tile *t)
{
	switch (t->type) {
	case QUILL_TYPE_S8:
		return embed_s8(t->src, t->scale, t->dst, t->n);
	case QUILL_TYPE_Q8_0:
		return embed_q8_0(t->src, t->dst, t->n);
	case QUILL_TYPE_Q4_0:
		return embed_q4_0(t->src, t->dst, t->n);
	default:
		convert_widen(t->type, t->src, 0, t->dst, t->n);
	}
}

#endif /* QUILL_EMBED_LOOPS_H */
