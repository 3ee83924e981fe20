/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of a GEMM's operands, and of what other types than int8 have beside. Included by isa_check_tensor.h.
 */
#ifndef QUILL_ISA_CHECK_WEIGHTS_H
#define QUILL_ISA_CHECK_WEIGHTS_H

/* Elements of K that share a scale: the groups. A GEMM of floats has one. */
static inline __u32 quill_check_gemm_groups(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	__u32 block = quill_block_size(c->hdr.type_b);

	if (c->hdr.type_b == QUILL_TYPE_S4) {
		QUILL_REQUIRE(e->group && e->group % QUILL_BLOCK == 0 && c->k % e->group == 0,
			      PARAM, 1, gemm_ext, group, "a multiple of 32 that divides k|k");
		QUILL_REQUIRE(e->scale, PARAM, 1, gemm_ext, scale, "an address for S4 (10)|type_b");
		return QUILL_FAULT_NONE;
	}
	QUILL_REQUIRE(!block || c->k % QUILL_BLOCK == 0, SHAPE, 0, gemm, k, "a multiple of 32");
	QUILL_REQUIRE(e->group == (block ? QUILL_BLOCK : 0), PARAM, 1, gemm_ext, group,
		      "32 for Q8_0 (8) and Q4_0 (9), 0 for floats|type_b");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_b(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	__u32 type = c->hdr.type_b, row = c->k / QUILL_BLOCK * quill_block_size(type);

	if (quill_gemm_options(cmd) & (QUILL_GEMM_B_ROWS | QUILL_GEMM_B_COLUMNS))
		return quill_check_gemm_plain_b(cmd, why);
	if (!row) {
		QUILL_REQUIRE(!c->ldb, STRIDE, 0, gemm, ldb, "0 for packed B");
		QUILL_REQUIRE(!(c->b & 63), ALIGN, 0, gemm, b, "a multiple of 64");
		QUILL_REQUIRE(quill_check_range(c->b, 1, 0, quill_packed_size_of(type, c->n, c->k)),
			      RANGE, 0, gemm, b, QUILL_IN_48_BITS);
		return QUILL_FAULT_NONE;
	}
	QUILL_REQUIRE(c->n == 1 || c->ldb >= row, STRIDE, 0, gemm, ldb,
		      "at least the bytes of k / 32 blocks|k");
	QUILL_REQUIRE(!(c->ldb & 1), STRIDE, 0, gemm, ldb, "even");
	QUILL_REQUIRE(!(c->b & 1), ALIGN, 0, gemm, b, "a multiple of 2 for blocks");
	QUILL_REQUIRE(quill_check_range(c->b, c->n, c->ldb, row), RANGE, 0, gemm, b,
		      QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_floats(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	__u32 groups = e->group ? c->k / e->group : 1;
	__u32 scales = c->hdr.type_b == QUILL_TYPE_S4 ? groups : 1;

	if (e->bias)
		QUILL_REQUIRE_ROW(e->bias, c->n, 1, gemm_ext, bias);
	QUILL_REQUIRE(!(e->scale & 3), ALIGN, 1, gemm_ext, scale, "a multiple of 4");
	QUILL_REQUIRE(!e->scale || quill_check_range(e->scale, scales, (__u64)c->n * 4, (__u64)c->n * 4),
		      RANGE, 1, gemm_ext, scale, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!e->row_scale_stride || (e->row_scale && e->group &&
					       e->row_scale_stride >= groups), STRIDE, 1, gemm_ext,
		      row_scale_stride, "0, or with row_scale at least k / group|k");
	QUILL_REQUIRE(!(e->row_scale & 3), ALIGN, 1, gemm_ext, row_scale, "a multiple of 4");
	QUILL_REQUIRE(!e->row_scale ||
		      quill_check_range(e->row_scale, c->m,
					(e->row_scale_stride ? (__u64)e->row_scale_stride : 1) * 4,
					(e->row_scale_stride ? (__u64)groups : 1) * 4),
		      RANGE, 1, gemm_ext, row_scale, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!e->residual_zero, PARAM, 1, gemm_ext, residual_zero, "0, but for S8 (1)|type_b");
	return quill_check_gemm_clamp(cmd, why);
}

/* What the first record names, and the groups of it. */
static inline __u32 quill_check_gemm_operands(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_hdr *h = &cmd->hdr;
	int floats = !!(QUILL_TYPE_BIT(h->type_a) & QUILL_TFLOATS);
	__u32 fault;

	QUILL_REQUIRE(QUILL_TYPE_BIT(h->type_b) & (floats ? QUILL_TFLOATS : QUILL_TS8 | QUILL_TBLOCKS),
		      TYPE, 0, hdr, type_b, "BF16 (4), E4M3 (6) or E5M2 (7) with another such, else S8 (1), "
		      "Q8_0 (8), Q4_0 (9) or S4 (10)|type_a");
	QUILL_REQUIRE(h->type_b == QUILL_TYPE_S8 || quill_gemm_floats(cmd), TYPE, 0, hdr, type_d,
		      "F32 (3), BF16 (4), or S8 (1) with d_scale, but for S8 with S8|type_b");
	fault = quill_check_gemm_a(cmd, why);
	if (!fault && h->type_b != QUILL_TYPE_S8)
		fault = quill_check_gemm_groups(cmd, why);
	return fault ? fault : quill_check_gemm_b(cmd, why);
}

#endif /* QUILL_ISA_CHECK_WEIGHTS_H */
