/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of TOPK and SAMPLE. Included by isa_check.h.
 */
#ifndef QUILL_ISA_CHECK_SAMPLE_H
#define QUILL_ISA_CHECK_SAMPLE_H

static inline __u32 quill_check_topk(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_topk *c = &cmd->topk;

	QUILL_REQUIRE_DIMS(c, topk);
	QUILL_REQUIRE(c->k && c->k <= QUILL_TOPK_MAX && c->k <= c->n, SHAPE, 0, topk, k,
		      "1..1024, at most n|n");
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, topk, src, src_stride);
	QUILL_REQUIRE(c->value || !c->value_stride, PARAM, 0, topk, value_stride,
		      "0, since value is 0");
	if (c->value)
		QUILL_REQUIRE_MATRIX_AS(c->value, c->rows, c->value_stride, c->k, 4, 0, topk,
					value, value_stride, "at least k|k");
	QUILL_REQUIRE_MATRIX_AS(c->index, c->rows, c->index_stride, c->k, 4, 0, topk, index,
				index_stride, "at least k|k");
	return QUILL_FAULT_NONE;
}

/* Floats that are not negative are in the order of their bits. */
static inline __u32 quill_check_sample(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_sample *c = &cmd->sample;

	QUILL_REQUIRE_DIMS(c, sample);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, 4, 0, sample, src,
			     src_stride);
	QUILL_REQUIRE_ROW(c->dst, c->rows, 0, sample, dst);
	if (c->prob)
		QUILL_REQUIRE_ROW(c->prob, c->rows, 0, sample, prob);
	QUILL_REQUIRE(!c->temperature || (c->temperature >= 0x00800000 &&
					  c->temperature < 0x7f800000), PARAM, 0, sample,
		      temperature, "the bits of 0 or of a finite float of at least 2^-126");
	QUILL_REQUIRE(c->top_p && c->top_p <= 0x3f800000, PARAM, 0, sample, top_p,
		      "the bits of a float above 0, at most 1");
	return QUILL_FAULT_NONE;
}

#endif /* QUILL_ISA_CHECK_SAMPLE_H */
