/* SPDX-License-Identifier: MIT */
/* REPACK: a matrix of any type that is packed, as a panel of B; plain C. kernels_*.c includes it. */
#ifndef QUILL_REPACK_LOOPS_H
#define QUILL_REPACK_LOOPS_H

#include "engine.h"

/* @count values of @size bytes, 4 bytes at most, @step apart; zeros behind. */
static inline uint32_t repack_load(const uint8_t *p, size_t step, uint32_t size, uint32_t count)
{
	uint32_t x = 0, one, i;

	if (step == size && count * size == 4) {
		memcpy(&x, p, 4);
		return x;
	}
	for (i = 0; i < count; i++, p += step) {
		one = 0;
		memcpy(&one, p, size);
		x |= one << (8 * size * i);
	}
	return x;
}

/* A column's bytes of a group, of which @count values exist. */
static inline uint32_t repack_cell(const uint8_t *p, size_t step, uint32_t type, uint32_t count)
{
	uint32_t low;

	if (type != QUILL_TYPE_S4)
		return repack_load(p, step, type == QUILL_TYPE_BF16 ? 2 : 1, count);
	low = repack_load(p, step, 1, count < 4 ? count : 4) & 0x0f0f0f0f;
	if (count <= 4)
		return low;
	return low | (repack_load(p + 4 * step, step, 1, count - 4) & 0x0f0f0f0f) << 4;
}

static void repack_tile(const struct quill_repack_tile *t)
{
	const uint32_t values = quill_packed_values(t->type);
	const size_t size = t->type == QUILL_TYPE_BF16 ? 2 : 1;
	const size_t step_n = t->columns ? t->src_stride : size;
	const size_t step_k = t->columns ? size : t->src_stride;
	/* what turns a value into the number that is stored: plus 128, plus 8 */
	const uint32_t flip = t->type == QUILL_TYPE_S8 ? 0x80808080 :
			      t->type == QUILL_TYPE_S4 ? 0x88888888 : 0;
	uint8_t *to = t->panel;
	uint32_t k, j, x;

	for (k = 0; k < t->k; k += values) {
		const uint8_t *from = t->src + k * step_k;
		uint32_t count = t->k - k < values ? t->k - k : values;

		for (j = 0; j < QUILL_PANEL_N; j++, from += step_n, to += sizeof(x)) {
			x = j < t->n ? repack_cell(from, step_k, t->type, count) ^ flip : flip;
			memcpy(to, &x, sizeof(x));
		}
	}
}

#endif /* QUILL_REPACK_LOOPS_H */
