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

#define QUILL_X(name)									\
	void quill_row_sums_##name(const int8_t *a, size_t lda, uint32_t m, uint32_t k,	\
				   int32_t *sums);					\
	void quill_gemm_##name(const struct quill_gemm_tile *tile);			\
	void quill_attention_##name(const struct quill_attention_tile *tile);
QUILL_KERNEL_SETS(QUILL_X)
#undef QUILL_X

/* What kernels_NAME.c ends with. */
#define QUILL_DEFINE_KERNELS(name)							\
	void quill_row_sums_##name(const int8_t *a, size_t lda, uint32_t m, uint32_t k,	\
				   int32_t *sums)					\
	{										\
		gemm_row_sums(a, lda, m, k, sums);					\
	}										\
											\
	void quill_gemm_##name(const struct quill_gemm_tile *tile)			\
	{										\
		gemm_tile(tile);							\
	}										\
											\
	void quill_attention_##name(const struct quill_attention_tile *tile)		\
	{										\
		attention_tile(tile);							\
	}

#endif /* QUILL_KERNELS_H */
