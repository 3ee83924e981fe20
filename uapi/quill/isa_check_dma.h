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

#endif /* QUILL_ISA_CHECK_DMA_H */
