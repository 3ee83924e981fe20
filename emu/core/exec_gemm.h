/* SPDX-License-Identifier: MIT */
/*
 * What GEMM's executors share: exec_gemm.c (the command, int8), exec_gemm_weights.c (block weights, floats).
 */
#ifndef QUILL_CORE_EXEC_GEMM_H
#define QUILL_CORE_EXEC_GEMM_H

#include "core.h"
#include "quill/isa_check.h"

/* One product, its command's records as if it were the only one. */
uint32_t exec_gemm_s8(struct exec *x, struct dma_fault *fault);
uint32_t exec_gemm_weights(struct exec *x, struct dma_fault *fault);

/* ---- exec_gemm_plain.c: operands as others store them ---- */

/* Rows @row .. of A, which lies transposed, to @to with rows @ld elements apart. */
uint32_t gemm_turn_a(struct exec *x, struct dma_ctx *ctx, uint32_t row, uint32_t rows, void *to,
		     uint64_t ld, struct dma_fault *fault);
/* Columns @col .. of B, at most a panel's, packed: in the thread's scratch, until the next. */
uint32_t gemm_pack_b(struct exec *x, struct dma_ctx *ctx, uint32_t col, uint32_t cols,
		     const uint8_t **panel, struct dma_fault *fault);
static inline bool gemm_is_plain_b(const struct exec *x)
{
	return quill_gemm_options(x->cmd) & (QUILL_GEMM_B_ROWS | QUILL_GEMM_B_COLUMNS);
}

/* ---- exec_gemm_out.c: from a tile to D ---- */

/*
 * struct gemm_out - where results go
 *
 * To D, or, where each row is quantised by a scale of its own, first to a buffer of whole rows; where scales are given, a
 * tile is quantised by itself.
 */
struct gemm_out {
	struct exec *x;
	const struct quill_cmd_gemm *cmd;
	const struct quill_ext_gemm_post *post;	/* zeros, if the command has none */
	uint32_t type;		/* of a tile's results: type_d, or F32 if they are quantised later */
	uint32_t size;		/* of such an element */
	bool by_row;
	uint32_t given;		/* scales that are given: 0, 1, or one a column */
	float *buffer;
	uint32_t first;		/* D's row that is the buffer's first */
};

/* struct gemm_place - the part of it that is a tile's, and what the tile reads beside */
struct gemm_place {
	const struct gemm_out *out;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	struct dma_rows rows;	/* of D */
	uint32_t col, cols;
	uint8_t *d;
	uint64_t ldd;		/* elements */
	struct dma_view direct, gate, residual;
};

void gemm_out_init(struct gemm_out *out, struct exec *x);
/* At most so many rows may be under way at one time. */
uint32_t gemm_out_rows(const struct gemm_out *out);
/* @rows of them, from @first on, are next. */
uint32_t gemm_out_begin(struct gemm_out *out, uint32_t first, uint32_t rows,
			struct dma_fault *fault);
/* They are done: quantise them, if that is to be. */
uint32_t gemm_out_end(struct gemm_out *out, uint32_t rows, struct dma_fault *fault);

/* Rows of D (@row: of the whole) and columns for a tile; @p has out, ctx and fault. */
uint32_t gemm_place_open(struct gemm_place *p, uint32_t row, uint32_t rows, uint32_t col,
			 uint32_t cols);
/* @what: how the tile went so far; what is in scratch goes to D if it went well. */
uint32_t gemm_place_close(struct gemm_place *p, uint32_t what);
/* For floats: fill in all but the scales and the bias, for columns from @col of the place on. */
struct quill_gemm_floats gemm_place_floats(const struct gemm_place *p, uint32_t col);

#endif /* QUILL_CORE_EXEC_GEMM_H */
