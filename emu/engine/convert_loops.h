/* SPDX-License-Identifier: MIT */
/* CONVERT: between float32 and narrower floats, by way of some float32. kernels_*.c includes it. */
#ifndef QUILL_CONVERT_LOOPS_H
#define QUILL_CONVERT_LOOPS_H

#include "engine.h"
#include "narrow.h"

/* Floats that are on their way at one time. */
#define CONVERT_CHUNK	256

/* Loops without branches: the compiler makes vectors of them. */
#define CONVERT_WIDEN(type, format)							\
	do {										\
		const type *x = (const type *)src + at;					\
											\
		for (i = 0; i < n; i++)							\
			to[i] = widen(x[i], format);					\
	} while (0)

#define CONVERT_NARROW(type, format)							\
	do {										\
		type *x = (type *)dst + at;						\
											\
		for (i = 0; i < n; i++)							\
			x[i] = (type)narrow(from[i], format, saturate);			\
	} while (0)

static inline void convert_widen(uint32_t type, const void *src, size_t at, float *restrict to,
				 uint32_t n)
{
	uint32_t i;

	switch (type) {
	case QUILL_TYPE_F16:	CONVERT_WIDEN(uint16_t, NARROW_F16); break;
	case QUILL_TYPE_BF16:	CONVERT_WIDEN(uint16_t, NARROW_BF16); break;
	case QUILL_TYPE_E4M3:	CONVERT_WIDEN(uint8_t, NARROW_E4M3); break;
	case QUILL_TYPE_E5M2:	CONVERT_WIDEN(uint8_t, NARROW_E5M2); break;
	default:		memcpy(to, (const float *)src + at, n * sizeof(*to));
	}
}

static inline __attribute__((always_inline)) void
convert_narrow(uint32_t type, const float *restrict from, void *dst, size_t at, uint32_t n,
	       const bool saturate)
{
	uint32_t i;

	switch (type) {
	case QUILL_TYPE_F16:	CONVERT_NARROW(uint16_t, NARROW_F16); break;
	case QUILL_TYPE_BF16:	CONVERT_NARROW(uint16_t, NARROW_BF16); break;
	case QUILL_TYPE_E4M3:	CONVERT_NARROW(uint8_t, NARROW_E4M3); break;
	case QUILL_TYPE_E5M2:	CONVERT_NARROW(uint8_t, NARROW_E5M2); break;
	default:
		for (EACH_VECTOR(e, m, n))
			vector_store((float *)dst + at + e, vector_load(from + e, m), m);
	}
}

static void convert_tile(const struct quill_convert_tile *t)
{
	float chunk[CONVERT_CHUNK];
	uint32_t row, at, n;

	for (row = 0; row < t->rows; row++) {
		for (at = 0; at < t->n; at += n) {
			n = t->n - at < CONVERT_CHUNK ? t->n - at : CONVERT_CHUNK;
			convert_widen(t->type_a, t->src, row * t->src_stride + at, chunk, n);
			if (t->saturate)
				convert_narrow(t->type_d, chunk, t->dst, row * t->dst_stride + at, n,
					       true);
			else
				convert_narrow(t->type_d, chunk, t->dst, row * t->dst_stride + at, n,
					       false);
		}
	}
}

#endif /* QUILL_CONVERT_LOOPS_H */
