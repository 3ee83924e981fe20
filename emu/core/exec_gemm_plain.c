// SPDX-License-Identifier: MIT
/*
 * GEMM: A that lies transposed, and B that is not packed.
 *
 * Both are brought into the layout that the kernels want: A once for all tiles, B a panel at a time by each tile that
 * needs it, so that no buffer grows with the operand. With n rows of A, a panel's packing costs as much as some n / 100 of
 * its multiplication.
 */
#include "exec_gemm.h"

/* Rows of A and of its transpose that are looked at together: both then stay in the first-level cache. */
#define TURN	64u

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void turn8(uint8_t *to, uint64_t ld, const uint8_t *from, uint64_t stride, uint32_t rows,
		  uint32_t k)
{
	uint32_t r, i;

	for (r = 0; r < rows; r++)
		for (i = 0; i < k; i++)
			to[r * ld + i] = from[i * stride + r];
}

static void turn16(uint16_t *to, uint64_t ld, const uint16_t *from, uint64_t stride, uint32_t rows,
		   uint32_t k)
{
	uint32_t r, i;

	for (r = 0; r < rows; r++)
		for (i = 0; i < k; i++)
			to[r * ld + i] = from[i * stride + r];
}

uint32_t gemm_turn_a(struct exec *x, struct dma_ctx *ctx, uint32_t row, uint32_t rows, void *to,
		     uint64_t ld, struct dma_fault *fault)
{
	const struct quill_cmd_gemm *c = &x->cmd->gemm;
	uint64_t size = quill_type_size(c->hdr.type_a), stride;
	struct dma_rows from = {
		.va = c->a + row * size, .rows = c->k, .stride = c->lda * size, .width = rows * size,
	};
	struct dma_view view;
	uint32_t what, r, i;

	what = dma_view_read(ctx, &x->port, &from, size, DMA_SCRATCH_STRIP, &view, fault);
	stride = what ? 0 : view.stride / size;
	for (r = 0; r < rows && !what; r += TURN)
		for (i = 0; i < c->k; i += TURN)
			if (size == 1)
				turn8((uint8_t *)to + r * ld + i, ld,
				      (const uint8_t *)view.ptr + i * stride + r, stride,
				      min32(TURN, rows - r), min32(TURN, c->k - i));
			else
				turn16((uint16_t *)to + r * ld + i, ld,
				       (const uint16_t *)view.ptr + i * stride + r, stride,
				       min32(TURN, rows - r), min32(TURN, c->k - i));
	dma_view_close(ctx, &view);
	return what;
}

uint32_t gemm_pack_b(struct exec *x, struct dma_ctx *ctx, uint32_t col, uint32_t cols,
		     const uint8_t **panel, struct dma_fault *fault)
{
	const struct quill_cmd_gemm *c = &x->cmd->gemm;
	bool by_rows = quill_gemm_options(x->cmd) & QUILL_GEMM_B_ROWS;
	uint64_t size = quill_type_size(c->hdr.type_b);
	struct dma_rows from = {
		.va = c->b + (by_rows ? col : (uint64_t)col * c->ldb) * size,
		.rows = by_rows ? c->k : cols,
		.stride = c->ldb * size,
		.width = (by_rows ? cols : c->k) * size,
	};
	uint8_t *to = dma_scratch(ctx, DMA_SCRATCH_B, quill_packed_panel_of(c->hdr.type_b, c->k));
	struct dma_view view;
	uint32_t what;

	if (!to)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, from.va);
	what = dma_view_read(ctx, &x->port, &from, 1, DMA_SCRATCH_STRIP, &view, fault);
	if (!what)
		x->emu->kernels->repack(&(struct quill_repack_tile){
			.src = view.ptr, .src_stride = view.stride, .columns = !by_rows,
			.panel = to, .n = cols, .k = c->k, .type = c->hdr.type_b,
		});
	dma_view_close(ctx, &view);
	*panel = to;
	return what;
}
