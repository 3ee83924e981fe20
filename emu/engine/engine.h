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
 * struct quill_gemm_floats - what becomes of sums that are floats: docs/isa.md, "Float results"
 *
 * Pointers are to the first row and column of the tile that this is part of.
 */
struct quill_gemm_floats {
	/** @d: row i at d + i * ldd elements of @type_d. */
	void *d;
	size_t ldd;
	/** @type_d: QUILL_TYPE_F32 or BF16; 0: F32. */
	uint32_t type_d;
	/** @bias: of the columns, or NULL. */
	const float *bias;
	/** @scale: of the columns, or NULL: 1. */
	const float *scale;
	/** @row_scale: of the rows, or NULL: 1. */
	const float *row_scale;
	/** @act: enum quill_act_op plus 1, or 0 for none. */
	uint32_t act;
	/** @gate: what the activation is multiplied by, or NULL. */
	const float *gate;
	size_t gate_stride;
	/** @residual: what is added last, or NULL; may be D itself, which is how F32 accumulates. */
	const float *residual;
	size_t residual_stride;
};

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
	/** @d: S8, S32: result, row i at d + i * ldd elements of @type_d. */
	void *d;
	size_t ldd;
	/** @type_d: enum quill_type: S8, S32, or for @out: F32. */
	uint32_t type_d;
	/** @bias: S8, S32: of this panel's columns, or NULL. */
	const int32_t *bias;
	/** @accumulate: S32: added to what D holds. */
	bool accumulate;
	/** @requant: S8, of this panel's columns; checked by the caller. */
	const struct quill_requant *requant;
	int32_t zero, lo, hi;
	/** @residual: S8: what is added before the rounding, or NULL; row i at residual + i * residual_stride; may be D. */
	const int8_t *residual;
	size_t residual_stride;
	int32_t residual_zero;
	/** @residual_mult: of this panel's columns: a residual less its zero point counts so much / 2^shift. */
	const int32_t *residual_mult;
	/** @out: F32: the rest, of this tile's rows and columns. */
	struct quill_gemm_floats out;
};

/**
 * struct quill_gemm_block_tile - rows of A times up to 64 rows of B with a scale a block
 */
struct quill_gemm_block_tile {
	/** @a: int8, row i at a + i * lda. */
	const int8_t *a;
	size_t lda;
	/** @a_sum: sums of row i's groups, from quill_kernels.block_sums, at a_sum + i * a_sum_stride. */
	const int32_t *a_sum;
	size_t a_sum_stride;
	/** @a_scale: of row i's groups, at a_scale + i * a_scale_stride, or NULL: all are 1. */
	const float *a_scale;
	size_t a_scale_stride;
	/** @b: Q8_0, Q4_0: row n at b + n * ldb; S4: a packed panel. */
	const uint8_t *b;
	size_t ldb;
	/** @b_scale: S4: those of group j at b_scale + j * b_scale_stride, QUILL_PANEL_N of them readable. */
	const float *b_scale;
	size_t b_scale_stride;
	/** @scratch: quill_gemm_block_scratch(m) bytes, aligned to 4. */
	void *scratch;
	/** @type_b: enum quill_type. */
	uint32_t type_b;
	uint32_t m;
	/** @n: 1..QUILL_PANEL_N. */
	uint32_t n;
	uint32_t k;
	/** @group: divides @k; QUILL_BLOCK, but for S4: a multiple of it. */
	uint32_t group;
	struct quill_gemm_floats out;
};

/* So much of K, all of it or a part, of 64 rows of blocks is unpacked at a time. */
#define QUILL_GEMM_BLOCK_CHUNK	2048u

/** quill_gemm_block_scratch() - bytes that a tile of block weights wants */
static inline size_t quill_gemm_block_scratch(uint32_t m)
{
	return QUILL_PANEL_N * (m * sizeof(float) + QUILL_GEMM_BLOCK_CHUNK +
				QUILL_GEMM_BLOCK_CHUNK / QUILL_BLOCK * sizeof(float));
}

/**
 * struct quill_gemm_float_tile - rows of A times one panel of packed B, in floats
 */
struct quill_gemm_float_tile {
	/** @a: bfloat16, row i at a + i * lda. */
	const uint16_t *a;
	size_t lda;
	/** @b: one packed panel, of @type_b: QUILL_TYPE_BF16, E4M3 or E5M2. */
	const uint8_t *b;
	uint32_t type_b;
	uint32_t m;
	/** @n: columns of the panel that exist, 1..QUILL_PANEL_N. */
	uint32_t n;
	uint32_t k;
	/** @scratch: for the 8-bit types: quill_gemm_float_scratch(k) bytes, aligned to 4. */
	void *scratch;
	struct quill_gemm_floats out;
};

/** quill_gemm_float_scratch() - bytes that a tile of 8-bit floats wants */
static inline size_t quill_gemm_float_scratch(uint32_t k)
{
	return ((size_t)k + 3) / 4 * 4 * QUILL_PANEL_N * sizeof(uint16_t);
}

/**
 * struct quill_repack_tile - a panel of packed B from a row-major matrix
 */
struct quill_repack_tile {
	/** @src: the panel's first element. */
	const uint8_t *src;
	/** @src_stride: bytes from row to row. */
	size_t src_stride;
	/** @columns: a row of @src is a column of B, else a row. */
	bool columns;
	/** @panel: quill_packed_panel_of(type, k) bytes, all written; aligned to 4. */
	uint8_t *panel;
	/** @n: columns that exist, 1..QUILL_PANEL_N; the others become 0, as do rows behind @k. */
	uint32_t n;
	uint32_t k;
	/** @type: of the result; S4 is made of int8. */
	uint32_t type;
};

/**
 * struct quill_convert_tile - rows of CONVERT, or any columns of them; strides are in elements
 */
struct quill_convert_tile {
	const void *src;
	size_t src_stride;
	void *dst;
	size_t dst_stride;
	uint32_t rows;
	uint32_t n;
	/** @type_a: of src, @type_d: of dst: QUILL_TYPE_F32, BF16, F16, E4M3 or E5M2. */
	uint32_t type_a, type_d;
	/** @saturate: what is too large becomes the largest finite number. */
	bool saturate;
};

/* Rows (queries times heads) of an attention tile that share its work on keys: multiples of it are cheapest. */
#define QUILL_ATTENTION_TILE_ROWS	64

/**
 * struct quill_attention_tile - some queries of some heads that share a head of keys and values
 */
struct quill_attention_tile {
	/** @type_kv: of k and v: QUILL_TYPE_S8, with q the same, or BF16; @type_q: then F32 or BF16. */
	uint32_t type_q, type_kv;
	/** @q: query i of head h at q + i * q_stride + h * head_dim, head_dim values. */
	const void *q;
	size_t q_stride;
	/** @q_scale: S8: of query i of head h at q_scale[i * q_scale_stride + h]. */
	const float *q_scale;
	size_t q_scale_stride;
	/** @k: key j at k + (j - first_key) * kv_stride. */
	const void *k;
	const void *v;
	size_t kv_stride;
	/** @k_scale: S8: of key j at k_scale[(j - first_key) * kv_scale_stride]. */
	const float *k_scale;
	const float *v_scale;
	size_t kv_scale_stride;
	/** @out: query i of head h at out + i * out_stride + h * head_dim, head_dim values. */
	float *out;
	size_t out_stride;
	/** @state: of query i of head h the largest score at state[i * state_stride + 2 * h], then the sum; or NULL. */
	float *state;
	size_t state_stride;
	uint32_t n_q;
	/** @heads: 1..QUILL_ATTENTION_TILE_ROWS. */
	uint32_t heads;
	/** @n_kv: query i sees keys below n_kv + i if @causal, else below n_kv. */
	uint32_t n_kv;
	/** @window: and of these the last @window; 0: all. */
	uint32_t window;
	/** @first_key: the first key in memory, a multiple of QUILL_ATTENTION_BLOCK; no query sees one before it. */
	uint32_t first_key;
	bool causal;
	/** @round: S8: weights of 16 bits (QUILL_WEIGHTS_S16). */
	bool round;
	uint32_t head_dim;
	float softmax_scale;
};

/**
 * struct quill_merge_tile - some queries of MERGE, all heads of them
 */
struct quill_merge_tile {
	/** @src: part s of query i of head h at src + s * part_stride + i * src_stride + h * dim. */
	const float *src;
	size_t src_stride;
	size_t part_stride;
	/** @state: its largest score and its sum at state + s * state_stride + (i * heads + h) * 2. */
	const float *state;
	size_t state_stride;
	float *dst;
	size_t dst_stride;
	/** @dst_state: rows * heads pairs, or NULL. */
	float *dst_state;
	uint32_t rows;
	/** @parts: 1..QUILL_MERGE_MAX_PARTS. */
	uint32_t parts;
	uint32_t heads;
	uint32_t dim;
};

/*
 * Tiles of the VECTOR commands: some rows of each operand, in order. Row i of an operand is at its pointer plus i
 * strides, in elements; strides may exceed the row, and those of operands that are only read may be 0. A result may be
 * the very operand (same pointer, same stride) where isa.h lets it. Any cut by rows is allowed; which cuts by columns
 * are too, each tile says. @stream is advice: the results are so large that they had better not go through the caches.
 */

/**
 * struct quill_norm_tile - whole rows of RMSNORM or LAYERNORM
 */
struct quill_norm_tile {
	const float *src;
	size_t src_stride;
	/** @residual: added to @src, or NULL. */
	const float *residual;
	size_t residual_stride;
	/** @sum: where src + residual goes, or NULL. */
	float *sum;
	size_t sum_stride;
	/** @weight: n values. */
	const float *weight;
	/** @bias: n values, or NULL: LAYERNORM alone has one. */
	const float *bias;
	float *dst;
	size_t dst_stride;
	uint32_t rows;
	uint32_t n;
	float eps;
	/** @layer: LAYERNORM. */
	bool layer;
	bool stream;
};

/**
 * struct quill_softmax_tile - whole rows of SOFTMAX
 */
struct quill_softmax_tile {
	const float *src;
	size_t src_stride;
	float *dst;
	size_t dst_stride;
	uint32_t rows;
	uint32_t n;
	float scale;
	bool stream;
};

/**
 * struct quill_rope_tile - rows of ROPE, all heads of them or some
 */
struct quill_rope_tile {
	const float *src;
	size_t src_stride;
	float *dst;
	size_t dst_stride;
	/** @table: rotary values a row: cosine and sine in turn. */
	const float *table;
	size_t table_stride;
	uint32_t rows;
	uint32_t heads;
	uint32_t dim;
	/** @rotary: elements of a head that turn; those behind them are copied. */
	uint32_t rotary;
	/** @halves: pairs are rotary / 2 apart (QUILL_CMD_HALVES). */
	bool halves;
	bool stream;
};

/**
 * struct quill_quantise_tile - rows of QUANTISE, all groups of them or some
 */
struct quill_quantise_tile {
	const float *src;
	size_t src_stride;
	int8_t *dst;
	size_t dst_stride;
	/** @scale: result: of group g of row i at scale[i * scale_stride + g]. */
	float *scale;
	size_t scale_stride;
	uint32_t rows;
	/** @n: a multiple of @group. */
	uint32_t n;
	uint32_t group;
	bool stream;
};

/**
 * struct quill_quantise_by_tile - rows of QUANTISE by given scales, or any columns of them
 */
struct quill_quantise_by_tile {
	const float *src;
	size_t src_stride;
	int8_t *dst;
	size_t dst_stride;
	/** @scale: as in struct quill_dequantise_tile, like @group and @skip. */
	const float *scale;
	size_t scale_stride;
	uint32_t rows;
	uint32_t n;
	uint32_t group;
	uint32_t skip;
	int32_t zero;
	int32_t lo;
	int32_t hi;
	bool stream;
};

/**
 * struct quill_dequantise_tile - rows of DEQUANTISE, or any columns of them
 */
struct quill_dequantise_tile {
	const int8_t *src;
	size_t src_stride;
	float *dst;
	size_t dst_stride;
	/** @scale: of the group of the tile's first column; row i's at scale + i * scale_stride. */
	const float *scale;
	size_t scale_stride;
	uint32_t rows;
	uint32_t n;
	uint32_t group;
	/** @skip: columns of the first group that lie before the tile, below @group. */
	uint32_t skip;
	bool stream;
};

/**
 * struct quill_eltwise_tile - rows of ELTWISE, or any columns of them
 */
struct quill_eltwise_tile {
	const float *a;
	size_t a_stride;
	const float *b;
	size_t b_stride;
	float *dst;
	size_t dst_stride;
	uint32_t rows;
	uint32_t n;
	/** @op: enum quill_eltwise_op. */
	uint32_t op;
	bool stream;
};

/**
 * struct quill_act_tile - rows of ACT, or any columns of them
 */
struct quill_act_tile {
	const float *src;
	size_t src_stride;
	/** @gate: what the result is multiplied by, or NULL. */
	const float *gate;
	size_t gate_stride;
	float *dst;
	size_t dst_stride;
	uint32_t rows;
	uint32_t n;
	/** @op: enum quill_act_op. */
	uint32_t op;
	bool stream;
};

/**
 * struct quill_reduce_tile - whole rows of REDUCE
 */
struct quill_reduce_tile {
	const float *src;
	size_t src_stride;
	/** @dst: one value a row: int32_t for QUILL_REDUCE_ARGMAX, else float. */
	void *dst;
	uint32_t rows;
	uint32_t n;
	/** @op: enum quill_reduce_op. */
	uint32_t op;
};

#include "conv.h"
#include "sample.h"

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
	/** @block_sums: sums[i * (k / group) + j] = sum of the values of group j of row i. */
	void (*block_sums)(const int8_t *a, size_t lda, uint32_t m, uint32_t k, uint32_t group,
			   int32_t *sums);
	/** @gemm_block: one tile; all of K. */
	void (*gemm_block)(const struct quill_gemm_block_tile *tile);
	/** @gemm_float: one tile; all of K. */
	void (*gemm_float)(const struct quill_gemm_float_tile *tile);
	/** @gemm: one tile; all of K. */
	void (*gemm)(const struct quill_gemm_tile *tile);
	/** @attention: one tile; scratch on the stack. */
	void (*attention)(const struct quill_attention_tile *tile);
	void (*merge)(const struct quill_merge_tile *tile);
	/* The VECTOR commands, one tile each. GATHER of F32 has none: it copies rows. */
	void (*norm)(const struct quill_norm_tile *tile);
	void (*softmax)(const struct quill_softmax_tile *tile);
	void (*rope)(const struct quill_rope_tile *tile);
	void (*quantise)(const struct quill_quantise_tile *tile);
	void (*quantise_by)(const struct quill_quantise_by_tile *tile);
	void (*dequantise)(const struct quill_dequantise_tile *tile);
	void (*eltwise)(const struct quill_eltwise_tile *tile);
	void (*act)(const struct quill_act_tile *tile);
	void (*reduce)(const struct quill_reduce_tile *tile);
	void (*topk)(const struct quill_topk_tile *tile);
	void (*sample)(const struct quill_sample_tile *tile);
	void (*embed)(const struct quill_embed_tile *tile);
	/* CONV2D: what @gemm then multiplies; and POOL. */
	void (*patches)(const struct quill_patches_tile *tile);
	void (*depthwise)(const struct quill_depthwise_tile *tile);
	void (*pool)(const struct quill_pool_tile *tile);
	void (*convert)(const struct quill_convert_tile *tile);
	void (*repack)(const struct quill_repack_tile *tile);
};

/** quill_engine_get() - kernels by name, or the best that run here (NULL); NULL if unknown or unsupported */
const struct quill_kernels *quill_engine_get(const char *name);

/** quill_engine_at() - the i-th set of kernels, slowest first, or NULL: for tests over all of them */
const struct quill_kernels *quill_engine_at(unsigned int i);

#endif /* QUILL_ENGINE_H */
