/* SPDX-License-Identifier: MIT */
/* A matrix of any type that is packed, as a panel of B; plain C. kernels_*.c includes it. */
#ifndef QUILL_REPACK_LOOPS_H
#define QUILL_REPACK_LOOPS_H

#include "engine.h"

/* So many groups of all columns, then the next: their lines on both sides stay in the first-level cache. */
#define REPACK_GROUPS	16u

/* What turns a value into the number that is stored: plus 128, plus 8. */
static inline uint32_t repack_flip(const uint32_t type)
{
	return type == QUILL_TYPE_S8 ? 0x80808080 : type == QUILL_TYPE_S4 ? 0x88888888 : 0;
}

/* A column's bytes of a group, of which @count values, @step bytes apart, exist; those behind are 0. */
static inline __attribute__((always_inline)) uint32_t
repack_cell(const uint8_t *p, size_t step, const uint32_t type, uint32_t count)
{
	uint32_t x = 0, i;
	uint16_t one;

	for (i = 0; i < count; i++, p += step) {
		if (type == QUILL_TYPE_BF16) {
			memcpy(&one, p, sizeof(one));
			x |= (uint32_t)one << (16 * i);
		} else if (type == QUILL_TYPE_S4) {
			x |= (*p & 15u) << (i < 4 ? 8 * i : 8 * i - 28);
		} else {
			x |= (uint32_t)*p << (8 * i);
		}
	}
	return x ^ repack_flip(type);
}

/* All columns of a group, whose rows are @stride bytes apart. */
static inline __attribute__((always_inline)) void
repack_by_rows(uint32_t *to, const uint8_t *from, size_t stride, const uint32_t type, uint32_t n,
	       uint32_t count)
{
	const uint32_t values = quill_packed_values(type);
	const size_t size = type == QUILL_TYPE_BF16 ? 2 : 1;
	uint32_t j;

	if (count == values)
		for (j = 0; j < n; j++)
			to[j] = repack_cell(from + j * size, stride, type, values);
	else
		for (j = 0; j < n; j++)
			to[j] = repack_cell(from + j * size, stride, type, count);
}

/* Some groups of a column, @k values of it. */
static inline __attribute__((always_inline)) void
repack_by_columns(uint32_t *to, const uint8_t *from, const uint32_t type, uint32_t k)
{
	const uint32_t values = quill_packed_values(type);
	const size_t size = type == QUILL_TYPE_BF16 ? 2 : 1;

	for (; k >= values; k -= values, from += values * size, to += QUILL_PANEL_N)
		*to = repack_cell(from, size, type, values);
	if (k)
		*to = repack_cell(from, size, type, k);
}

/* @type is a constant wherever this is expanded. */
static inline __attribute__((always_inline)) void
repack_panel(const struct quill_repack_tile *t, const uint32_t type)
{
	const uint32_t values = quill_packed_values(type), step = REPACK_GROUPS * values;
	const size_t size = type == QUILL_TYPE_BF16 ? 2 : 1;
	uint32_t *to = (uint32_t *)t->panel, k, j, count;

	for (k = 0; !t->columns && k < t->k; k += values, to += QUILL_PANEL_N) {
		count = t->k - k < values ? t->k - k : values;
		repack_by_rows(to, t->src + k * t->src_stride, t->src_stride, type, t->n, count);
	}
	for (k = 0; t->columns && k < t->k; k += step, to += REPACK_GROUPS * QUILL_PANEL_N) {
		count = t->k - k < step ? t->k - k : step;
		for (j = 0; j < t->n; j++)
			repack_by_columns(to + j, t->src + j * t->src_stride + k * size, type, count);
	}
	/* columns that do not exist */
	to = (uint32_t *)t->panel;
	for (k = 0; k < t->k; k += values, to += QUILL_PANEL_N)
		for (j = t->n; j < QUILL_PANEL_N; j++)
			to[j] = repack_flip(type);
}

static void repack_tile(const struct quill_repack_tile *t)
{
	switch (t->type) {
	case QUILL_TYPE_S8:
		return repack_panel(t, QUILL_TYPE_S8);
	case QUILL_TYPE_S4:
		return repack_panel(t, QUILL_TYPE_S4);
	case QUILL_TYPE_BF16:
		return repack_panel(t, QUILL_TYPE_BF16);
	default:	/* bytes as they are */
		return repack_panel(t, QUILL_TYPE_E4M3);
	}
}

#endif /* QUILL_REPACK_LOOPS_H */
