/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of the DMA engine's commands. Included by isa_check.h.
 */
#ifndef QUILL_ISA_CHECK_DMA_H
#define QUILL_ISA_CHECK_DMA_H

static inline __u32 quill_check_timestamp(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_timestamp *c = &cmd->timestamp;

	QUILL_REQUIRE(!(c->dst & 7), ALIGN, 0, timestamp, dst, "a multiple of 8");
	QUILL_REQUIRE(quill_check_range(c->dst, 1, 0, 8), RANGE, 0, timestamp, dst,
		      QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_copy(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_copy *c = &cmd->copy;

	QUILL_REQUIRE(c->width && c->width <= 1ull << 40, SHAPE, 0, copy, width, "1..2^40");
	QUILL_REQUIRE(c->height && c->height <= 1u << 24, SHAPE, 0, copy, height, "1..2^24");
	QUILL_REQUIRE(c->height == 1 || c->dst_stride >= c->width, STRIDE, 0, copy, dst_stride,
		      "at least the width|width");
	QUILL_REQUIRE(quill_check_range(c->dst, c->height, c->dst_stride, c->width), RANGE, 0,
		      copy, dst, QUILL_IN_48_BITS);
	QUILL_REQUIRE(quill_check_range(c->src, c->height, c->src_stride, c->width), RANGE, 0,
		      copy, src, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_fill(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_fill *c = &cmd->fill;
	__u32 elem = c->elem;

	QUILL_REQUIRE(elem == 1 || elem == 2 || elem == 4 || elem == 8, PARAM, 0, fill, elem,
		      "1, 2, 4 or 8");
	QUILL_REQUIRE(elem == 8 || c->value >> (8 * elem) == 0, PARAM, 0, fill, value,
		      "no bits beyond the element|elem");
	QUILL_REQUIRE(c->width && c->width <= 1ull << 40 && !(c->width & (elem - 1)), SHAPE, 0,
		      fill, width, "1..2^40 and a multiple of the element|elem");
	QUILL_REQUIRE(c->height && c->height <= 1u << 24, SHAPE, 0, fill, height, "1..2^24");
	QUILL_REQUIRE(c->height == 1 || (c->dst_stride >= c->width &&
		      !(c->dst_stride & (elem - 1))), STRIDE, 0, fill, dst_stride,
		      "at least the width, and a multiple of the element|width");
	QUILL_REQUIRE(!(c->dst & (elem - 1)), ALIGN, 0, fill, dst,
		      "a multiple of the element|elem");
	QUILL_REQUIRE(quill_check_range(c->dst, c->height, c->dst_stride, c->width), RANGE, 0,
		      fill, dst, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

/* Matrices of a batch, bytes of one of them from its first element to its last. */
static inline int quill_check_batch(__u64 addr, __u32 batch, __u64 step, __u32 rows, __u64 stride,
				    __u64 width)
{
	return quill_check_range(addr, batch, step, (__u64)(rows - 1) * stride + width);
}

static inline __u32 quill_check_transpose(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_transpose *c = &cmd->transpose;
	__u32 elem = c->elem;

	QUILL_REQUIRE(elem == 1 || elem == 2 || elem == 4 || elem == 8, PARAM, 0, transpose, elem,
		      "1, 2, 4 or 8");
	QUILL_REQUIRE(c->rows && c->rows <= 1u << 24, SHAPE, 0, transpose, rows, "1..2^24");
	QUILL_REQUIRE(c->cols && c->cols <= 1u << 24, SHAPE, 0, transpose, cols, "1..2^24");
	QUILL_REQUIRE(c->batch && c->batch <= 1u << 24 &&
		      (__u64)c->rows * c->cols <= QUILL_TRANSPOSE_MAX &&
		      (__u64)c->rows * c->cols * c->batch <= QUILL_TRANSPOSE_MAX, SHAPE, 0,
		      transpose, batch, "1..2^24, and rows * cols * batch at most 2^40");
	QUILL_REQUIRE(c->cols == 1 || c->dst_stride >= c->rows, STRIDE, 0, transpose, dst_stride,
		      "at least rows|rows");
	QUILL_REQUIRE(c->rows == 1 || c->src_stride >= c->cols, STRIDE, 0, transpose, src_stride,
		      "at least cols|cols");
	QUILL_REQUIRE(c->batch == 1 || c->dst_step, STRIDE, 0, transpose, dst_step,
		      "not 0, since there are several matrices|batch");
	QUILL_REQUIRE(!(c->dst & (elem - 1)), ALIGN, 0, transpose, dst, "a multiple of elem|elem");
	QUILL_REQUIRE(!(c->src & (elem - 1)), ALIGN, 0, transpose, src, "a multiple of elem|elem");
	QUILL_REQUIRE(quill_check_batch(c->dst, c->batch, (__u64)c->dst_step * elem, c->cols,
					(__u64)c->dst_stride * elem, (__u64)c->rows * elem),
		      RANGE, 0, transpose, dst, QUILL_IN_48_BITS);
	QUILL_REQUIRE(quill_check_batch(c->src, c->batch, (__u64)c->src_step * elem, c->rows,
					(__u64)c->src_stride * elem, (__u64)c->cols * elem),
		      RANGE, 0, transpose, src, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

#endif /* QUILL_ISA_CHECK_DMA_H */
