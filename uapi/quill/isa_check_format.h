/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of CONVERT and REPACK. Included by isa_check.h.
 */
#ifndef QUILL_ISA_CHECK_FORMAT_H
#define QUILL_ISA_CHECK_FORMAT_H

static inline __u32 quill_check_convert(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_convert *c = &cmd->convert;

	QUILL_REQUIRE_DIMS(c, convert);
	QUILL_REQUIRE_MATRIX(c->src, c->rows, c->src_stride, c->n, quill_type_size(c->hdr.type_a), 0,
			     convert, src, src_stride);
	QUILL_REQUIRE_MATRIX(c->dst, c->rows, c->dst_stride, c->n, quill_type_size(c->hdr.type_d), 0,
			     convert, dst, dst_stride);
	QUILL_REQUIRE(c->saturate <= (c->hdr.type_d != QUILL_TYPE_F32), PARAM, 0, convert, saturate,
		      "0 or 1, and 0 for F32 (3)|type_d");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_repack(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_repack *c = &cmd->repack;
	int s4 = c->hdr.type_d == QUILL_TYPE_S4, nk = c->order == QUILL_REPACK_NK;
	__u64 size = quill_type_size(c->hdr.type_a), packed;
	__u32 rows = nk ? c->n : c->k, row = nk ? c->k : c->n;

	QUILL_REQUIRE(c->hdr.type_a == (s4 ? QUILL_TYPE_S8 : c->hdr.type_d), TYPE, 0, hdr, type_a,
		      "that of the result, or S8 (1) for S4 (10)|type_d");
	QUILL_REQUIRE(c->n && c->n <= QUILL_GEMM_MAX_MN, SHAPE, 0, repack, n, "1..2^24");
	QUILL_REQUIRE(c->k && c->k <= QUILL_GEMM_MAX_K, SHAPE, 0, repack, k, "1..65536");
	QUILL_REQUIRE(c->order < QUILL_REPACK_COUNT, PARAM, 0, repack, order, "0 (NK) or 1 (KN)");
	QUILL_REQUIRE_MATRIX_AS(c->src, rows, c->src_stride, row, size, 0, repack, src, src_stride,
				"at least a row: k elements for order 0 (NK), n for 1 (KN)|order");
	QUILL_REQUIRE(c->batch && c->batch <= QUILL_GEMM_MAX_BATCH, SHAPE, 0, repack, batch, "1..65536");
	QUILL_REQUIRE(c->src_step < QUILL_GEMM_MAX_STEP && !(c->src_step & (size - 1)), STRIDE, 0, repack,
		      src_step, "below 2^47, and a multiple of the element's size");
	QUILL_REQUIRE(quill_check_range(c->src, c->batch, c->src_step,
					((rows - 1ull) * c->src_stride + row) * size),
		      RANGE, 0, repack, src_step, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!(c->dst & 63), ALIGN, 0, repack, dst, "a multiple of 64");
	packed = quill_packed_size_of(c->hdr.type_d, c->n, c->k);
	QUILL_REQUIRE(quill_check_range(c->dst, c->batch, packed, packed), RANGE, 0, repack, dst,
		      QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

#endif /* QUILL_ISA_CHECK_FORMAT_H */
