// SPDX-License-Identifier: MIT
/*
 * GEMM: A that lies transposed, and B that is not packed.
 *
 * Both are brought into the layout that the kernels want: A once for all tiles, B a panel at a time by each tile that
 * needs it, so that no buffer grows with the operand. With n rows of A, a panel's packing costs as much as some n / 100 of
 * its multiplication.
 */
#include <string.h>

#include "exec_gemm.h"

/* Rows of A and of its transpose that are looked at together: both then stay in the first-level cache. */
#define TURN	64u

static void turn(int8_t *to, uint64_t ld, const int8_t *from, uint64_t stride, uint32_t rows,
		 uint32_t k)
{
	uint32_t r, i;

	for (r = 0; r < rows; r++)
		for (i = 0; i < k; i++)
			to[r * ld + i] = from[i * stride + r];
}

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t gemm_turn_a(struct exec *x, struct dma_ctx *ctx, uint32_t row, uint32_t rows, int8_t *to,
		     uint64_t ld, struct dma_fault *fault)
{
	const struct quill_cmd_gemm *c = &x->cmd->gemm;
	struct dma_rows from = { .va = c->a + row, .rows = c->k, .stride = c->lda, .width = rows };
	struct dma_view view;
	uint32_t what, r, i;

	what = dma_view_read(ctx, &x->port, &from, 1, DMA_SCRATCH_STRIP, &view, fault);
	for (r = 0; r < rows && !what; r += TURN)
		for (i = 0; i < c->k; i += TURN)
			turn(to + r * ld + i, ld,
			     (const int8_t *)view.ptr + i * view.stride + r, view.stride,
			     min32(TURN, rows - r), min32(TURN, c->k - i));
	dma_view_close(ctx, &view);
	return what;
}

/* ---- B ---- */

/* Four bytes of a column, their signs flipped; of the last ones @count exist. */
static uint32_t quad(const uint8_t *p, uint64_t stride, uint32_t count)
{
	uint32_t x = 0, i;

	for (i = 0; i < count; i++)
		x |= (uint32_t)p[i * stride] << (8 * i);
	return x ^ 0x80808080;
}

static void pack_rows(uint32_t *to, const uint8_t *b, uint64_t stride, uint32_t k, uint32_t cols)
{
	uint32_t i, c;

	for (i = 0; i < k; i += QUILL_PANEL_K, to += QUILL_PANEL_N, b += QUILL_PANEL_K * stride) {
		if (i + QUILL_PANEL_K <= k)
			for (c = 0; c < cols; c++)
				to[c] = quad(b + c, stride, QUILL_PANEL_K);
		else
			for (c = 0; c < cols; c++)
				to[c] = quad(b + c, stride, k - i);
	}
}

static void pack_columns(uint32_t *to, const uint8_t *b, uint64_t stride, uint32_t k, uint32_t cols)
{
	uint32_t c, i, x;

	for (c = 0; c < cols; c++, b += stride) {
		for (i = 0; i + QUILL_PANEL_K <= k; i += QUILL_PANEL_K) {
			memcpy(&x, b + i, sizeof(x));
			to[i / QUILL_PANEL_K * QUILL_PANEL_N + c] = x ^ 0x80808080;
		}
		if (i < k)
			to[i / QUILL_PANEL_K * QUILL_PANEL_N + c] = quad(b + i, 1, k - i);
	}
}

uint32_t gemm_pack_b(struct exec *x, struct dma_ctx *ctx, uint32_t col, uint32_t cols, uint8_t *to,
		     struct dma_fault *fault)
{
	const struct quill_cmd_gemm *c = &x->cmd->gemm;
	bool by_rows = quill_gemm_options(x->cmd) & QUILL_GEMM_B_ROWS;
	struct dma_rows from = {
		.va = c->b + (by_rows ? col : (uint64_t)col * c->ldb),
		.rows = by_rows ? c->k : cols,
		.stride = c->ldb,
		.width = by_rows ? cols : c->k,
	};
	struct dma_view view;
	uint32_t what;

	what = dma_view_read(ctx, &x->port, &from, 1, DMA_SCRATCH_STRIP, &view, fault);
	/* What a narrower panel has behind its last column is what it had: of no influence. */
	if (!what && by_rows)
		pack_rows((uint32_t *)to, view.ptr, view.stride, c->k, cols);
	else if (!what)
		pack_columns((uint32_t *)to, view.ptr, view.stride, c->k, cols);
	dma_view_close(ctx, &view);
	return what;
}
