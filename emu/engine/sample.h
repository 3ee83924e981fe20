/* SPDX-License-Identifier: MIT */
/* The engine: tiles of TOPK, SAMPLE and GATHER. Included by engine.h. */
#ifndef QUILL_ENGINE_SAMPLE_H
#define QUILL_ENGINE_SAMPLE_H

/**
 * struct quill_topk_tile - whole rows of TOPK
 */
struct quill_topk_tile {
	const float *src;
	size_t src_stride;
	/** @value: k values a row, or NULL. */
	float *value;
	size_t value_stride;
	/** @index: k indices a row. */
	int32_t *index;
	size_t index_stride;
	uint32_t rows;
	uint32_t n;
	uint32_t k;
};

/**
 * struct quill_sample_tile - whole rows of SAMPLE
 */
struct quill_sample_tile {
	const float *src;
	size_t src_stride;
	/** @dst: one token a row. */
	int32_t *dst;
	/** @prob: one value a row, or NULL. */
	float *prob;
	/** @scratch: n words. */
	uint32_t *scratch;
	uint32_t rows;
	uint32_t n;
	/** @row: the command's number of the tile's first row. */
	uint32_t row;
	/** @temperature: 0 for the largest. */
	float temperature;
	/** @top_k: 0 for all. */
	uint32_t top_k;
	float top_p;
	uint64_t seed;
	uint64_t counter;
};

/**
 * struct quill_embed_tile - elements of one row of GATHER's table
 */
struct quill_embed_tile {
	/** @src: 2-byte aligned, but for S8. */
	const void *src;
	float *dst;
	/** @n: of blocks a whole number. */
	uint32_t n;
	/** @type: QUILL_TYPE_S8, BF16, F16, Q8_0 or Q4_0. */
	uint32_t type;
	/** @scale: of S8. */
	float scale;
};

#endif /* QUILL_ENGINE_SAMPLE_H */
