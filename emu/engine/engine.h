/* SPDX-License-Identifier: MIT */
/*
 * The engine: Quill's arithmetic as pure functions on memory.
 *
 * Nothing here knows of a device, a thread or an address space. docs/isa.md says what each function computes;
 * every set of kernels gives the same bits. The caller (emu/core) cuts a command into tiles, gives
 * each a contiguous view of its operands, and may run tiles in any order and in parallel. The
 * thread's floating-point environment must be C's default: nearest even, denormals kept.
 */
#ifndef QUILL_ENGINE_H
#define QUILL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/**
 * struct quill_gemm_tile - rows of A times one panel of packed B
 */
struct quill_gemm_tile {
	/** @a: int8, row i at a + i * lda. */
	const int8_t *a;
	/** @a_sum: sum of row i of A (k values), from quill_kernels.row_sums. */
	const int32_t *a_sum;
	size_t lda;
	/** @b: one packed panel: quill_packed_panel(k) bytes. */
	const uint8_t *b;
	uint32_t m;
	/** @n: columns of the panel that exist, 1..QUILL_PANEL_N. */
	uint32_t n;
	uint32_t k;
	/** @d: result, row i at d + i * ldd elements of @type_d. */
	void *d;
	size_t ldd;
	/** @type_d: enum quill_type. */
	uint32_t type_d;
	/** @bias: of this panel's columns (S8, S32: int32; F32: float), or NULL. */
	const void *bias;
	/** @scale: F32, of this panel's columns. */
	const float *scale;
	/** @row_scale: F32, of these rows, or NULL. */
	const float *row_scale;
	/** @requant: S8, of this panel's columns; checked by the caller. */
	const struct quill_requant *requant;
	int32_t zero, lo, hi;
};

/**
 * struct quill_attention_tile - some queries of one head
 */
struct quill_attention_tile {
	/** @q: query i at q + i * q_stride, head_dim values. */
	const int8_t *q;
	size_t q_stride;
	/** @q_scale: of query i at q_scale[i * q_scale_stride]. */
	const float *q_scale;
	size_t q_scale_stride;
	/** @k: key j at k + j * kv_stride. */
	const int8_t *k;
	const int8_t *v;
	size_t kv_stride;
	/** @k_scale: of key j at k_scale[j * kv_scale_stride]. */
	const float *k_scale;
	const float *v_scale;
	size_t kv_scale_stride;
	/** @out: query i at out + i * out_stride, head_dim values. */
	float *out;
	size_t out_stride;
	uint32_t n_q;
	/** @n_kv: keys seen by query 0; query i sees n_kv + i of them if @causal, else n_kv. */
	uint32_t n_kv;
	bool causal;
	uint32_t head_dim;
	float softmax_scale;
};

/**
 * struct quill_kernels - one set of kernels
 *
 * (Not struct quill_engine: regs.h has an enum of that name.)
 */
struct quill_kernels {
	/** @name: "scalar", "avx2", "avx512". */
	const char *name;
	/** @supported: this processor can run it. */
	bool (*supported)(void);
	/** @row_sums: sums[i] = sum of the k values of row i. */
	void (*row_sums)(const int8_t *a, size_t lda, uint32_t m, uint32_t k, int32_t *sums);
	/** @gemm: one tile; all of K. */
	void (*gemm)(const struct quill_gemm_tile *tile);
	/** @attention: one tile; scratch on the stack. */
	void (*attention)(const struct quill_attention_tile *tile);
};

/** quill_engine_get() - kernels by name, or the best that run here (NULL); NULL if unknown or unsupported */
const struct quill_kernels *quill_engine_get(const char *name);

/** quill_engine_at() - the i-th set of kernels, slowest first, or NULL: for tests over all of them */
const struct quill_kernels *quill_engine_at(unsigned int i);

#endif /* QUILL_ENGINE_H */
