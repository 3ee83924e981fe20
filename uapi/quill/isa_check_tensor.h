/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of the TENSOR engine's commands. Included by isa_check.h.
 */
#ifndef QUILL_ISA_CHECK_TENSOR_H
#define QUILL_ISA_CHECK_TENSOR_H

#include "isa_check_gemm.h"
#include "isa_check_weights.h"

static inline __u32 quill_check_gemm_epilogue(const union quill_cmd *cmd,
					      struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	int floats = quill_gemm_floats(cmd);
	int s8 = quill_gemm_requantised(cmd);
	int residual = s8 && c->hdr.ext >= 2 && cmd[2].gemm_post.residual;
	__u32 scale_size = s8 ? sizeof(struct quill_requant) : 4;

	QUILL_REQUIRE(!(e->bias & 3), ALIGN, 1, gemm_ext, bias, "a multiple of 4");
	QUILL_REQUIRE(!e->bias || quill_check_range(e->bias, 1, 0, (__u64)c->n * 4), RANGE, 1,
		      gemm_ext, bias, QUILL_IN_48_BITS);
	QUILL_REQUIRE((s8 || floats) == (e->scale != 0), PARAM, 1, gemm_ext, scale,
		      "0 for S32 (2), an address for S8 (1) and floats (3, 4)|type_d");
	QUILL_REQUIRE(!(e->scale & (scale_size - 1)), ALIGN, 1, gemm_ext, scale,
		      "a multiple of 8 for S8 (1) without d_scale, else of 4|type_d");
	QUILL_REQUIRE(!e->scale || quill_check_range(e->scale, 1, 0, (__u64)c->n * scale_size),
		      RANGE, 1, gemm_ext, scale, QUILL_IN_48_BITS);
	QUILL_REQUIRE(floats || !e->row_scale, PARAM, 1, gemm_ext, row_scale,
		      "0, but for floats|type_d");
	QUILL_REQUIRE(!(e->row_scale & 3), ALIGN, 1, gemm_ext, row_scale, "a multiple of 4");
	QUILL_REQUIRE(!e->row_scale || quill_check_range(e->row_scale, 1, 0, (__u64)c->m * 4),
		      RANGE, 1, gemm_ext, row_scale, QUILL_IN_48_BITS);
	QUILL_REQUIRE(residual ? e->residual_zero >= -128 && e->residual_zero <= 127 : !e->residual_zero,
		      PARAM, 1, gemm_ext, residual_zero,
		      "-128..127 with a residual of S8 (1) without d_scale, else 0|type_d");
	QUILL_REQUIRE(!e->group, PARAM, 1, gemm_ext, group, "0 for S8 (1)|type_b");
	QUILL_REQUIRE(!e->row_scale_stride, STRIDE, 1, gemm_ext, row_scale_stride,
		      "0 for S8 (1)|type_b");
	return quill_check_gemm_clamp(cmd, why);
}

static inline __u32 quill_check_gemm(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd->gemm;
	__u32 size = quill_type_size(c->hdr.type_d), fault;

	QUILL_REQUIRE(c->m && c->m <= QUILL_GEMM_MAX_MN, SHAPE, 0, gemm, m, "1..2^24");
	QUILL_REQUIRE(c->n && c->n <= QUILL_GEMM_MAX_MN, SHAPE, 0, gemm, n, "1..2^24");
	QUILL_REQUIRE(c->k && c->k <= QUILL_GEMM_MAX_K, SHAPE, 0, gemm, k, "1..65536");
	QUILL_REQUIRE_MATRIX(c->d, c->m, c->ldd, c->n, size, 0, gemm, d, ldd);
	fault = c->hdr.ext >= 2 ? quill_check_gemm_options(cmd, why) : QUILL_FAULT_NONE;
	if (!fault)
		fault = quill_check_gemm_operands(cmd, why);
	if (fault)
		return fault;
	if (c->hdr.type_a == QUILL_TYPE_S8 && c->hdr.type_b == QUILL_TYPE_S8)
		fault = quill_check_gemm_epilogue(cmd, why);
	else
		fault = quill_check_gemm_floats(cmd, why);
	return fault ? fault : quill_check_gemm_more(cmd, why);
}

#endif /* QUILL_ISA_CHECK_TENSOR_H */
