/* SPDX-License-Identifier: MIT */
/* Each instruction set's kernels: kernels_NAME.c makes them, engine.c chooses. */
#ifndef QUILL_KERNELS_H
#define QUILL_KERNELS_H

#include "engine.h"

/* From the slowest to the fastest. */
#if defined(__x86_64__)
#define QUILL_KERNEL_SETS(X) X(scalar) X(avx2) X(avx512)
#else
#define QUILL_KERNEL_SETS(X) X(scalar)
#endif

/* Kernels that run one tile: KERNEL_tile() in the loops. */
#define QUILL_TILE_KERNELS(X, set)							\
	X(gemm, set) X(gemm_block, set) X(gemm_float, set)				\
	X(attention, set) X(merge, set) X(norm, set) X(softmax, set) X(rope, set)			\
	X(quantise, set) X(quantise_by, set) X(dequantise, set) X(eltwise, set)		\
	X(act, set) X(reduce, set)							\
	X(topk, set) X(sample, set) X(embed, set)					\
	X(patches, set) X(depthwise, set) X(pool, set) X(convert, set) X(repack, set)

#define QUILL_DECLARE_TILE(kernel, set)							\
	void quill_##kernel##_##set(const struct quill_##kernel##_tile *tile);

#define QUILL_X(set)									\
	void quill_row_sums_##set(const int8_t *a, size_t lda, uint32_t m, uint32_t k,	\
				  int32_t *sums);					\
	void quill_block_sums_##set(const int8_t *a, size_t lda, uint32_t m, uint32_t k,	\
				    uint32_t group, int32_t *sums);			\
	QUILL_TILE_KERNELS(QUILL_DECLARE_TILE, set)
QUILL_KERNEL_SETS(QUILL_X)
#undef QUILL_X

#define QUILL_DEFINE_TILE(kernel, set)							\
	void quill_##kernel##_##set(const struct quill_##kernel##_tile *tile)		\
	{										\
		kernel##_tile(tile);							\
	}

/* What kernels_NAME.c ends with. */
#define QUILL_DEFINE_KERNELS(set)							\
	void quill_row_sums_##set(const int8_t *a, size_t lda, uint32_t m, uint32_t k,	\
				  int32_t *sums)					\
	{										\
		gemm_row_sums(a, lda, m, k, sums);					\
	}										\
	void quill_block_sums_##set(const int8_t *a, size_t lda, uint32_t m, uint32_t k,	\
				    uint32_t group, int32_t *sums)			\
	{										\
		gemm_block_sums(a, lda, m, k, group, sums);				\
	}										\
	QUILL_TILE_KERNELS(QUILL_DEFINE_TILE, set)

#endif /* QUILL_KERNELS_H */
