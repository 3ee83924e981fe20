/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of a GEMM's third and fourth record, and what other rules ask of them. Included by isa_check_tensor.h.
 */
#ifndef QUILL_ISA_CHECK_GEMM_H
#define QUILL_ISA_CHECK_GEMM_H

static inline __u32 quill_gemm_options(const union quill_cmd *cmd)
{
	return cmd->hdr.ext >= 2 ? cmd[2].gemm_post.options : 0;
}

/* The results are floats that are quantised. */
static inline int quill_gemm_quantised(const union quill_cmd *cmd)
{
	return cmd->hdr.ext >= 2 && cmd[2].gemm_post.d_scale;
}

/* By scales that are given: how many of them; 0: by a scale a row, which is found. */
static inline __u32 quill_gemm_given_scales(const union quill_cmd *cmd)
{
	__u32 options = quill_gemm_options(cmd);

	return options & QUILL_GEMM_SCALE_COLUMNS ? cmd->gemm.n : !!(options & QUILL_GEMM_SCALE_TENSOR);
}

/* The results are floats, at least before they are quantised. */
static inline int quill_gemm_floats(const union quill_cmd *cmd)
{
	return cmd->hdr.type_d == QUILL_TYPE_F32 || cmd->hdr.type_d == QUILL_TYPE_BF16 ||
	       quill_gemm_quantised(cmd);
}

/* The results are requantised: int8 by a multiplier and a shift a column. */
static inline int quill_gemm_requantised(const union quill_cmd *cmd)
{
	return cmd->hdr.type_d == QUILL_TYPE_S8 && !quill_gemm_quantised(cmd);
}

/* A residual is of int8 where the results are requantised. */
static inline __u32 quill_gemm_residual_size(const union quill_cmd *cmd)
{
	return quill_gemm_requantised(cmd) ? 1 : 4;
}

static inline __u32 quill_gemm_batch(const union quill_cmd *cmd)
{
	return cmd->hdr.ext >= 3 ? cmd[3].gemm_batch.batch : 1;
}

/* Bytes of A, of B, and of a matrix of @size-byte elements with D's rows and columns: rows may have gaps. */
static inline __u64 quill_gemm_a_bytes(const union quill_cmd *cmd)
{
	const struct quill_cmd_gemm *c = &cmd->gemm;
	__u32 turned = quill_gemm_options(cmd) & QUILL_GEMM_A_TRANSPOSED;

	return ((__u64)((turned ? c->k : c->m) - 1) * c->lda + (turned ? c->m : c->k)) *
	       quill_type_size(c->hdr.type_a);
}

static inline __u64 quill_gemm_b_bytes(const union quill_cmd *cmd)
{
	const struct quill_cmd_gemm *c = &cmd->gemm;
	__u32 flags = quill_gemm_options(cmd), size = quill_type_size(c->hdr.type_b);

	if (flags & QUILL_GEMM_B_ROWS)
		return ((__u64)(c->k - 1) * c->ldb + c->n) * size;
	if (flags & QUILL_GEMM_B_COLUMNS)
		return ((__u64)(c->n - 1) * c->ldb + c->k) * size;
	if (quill_block_size(c->hdr.type_b))
		return (__u64)(c->n - 1) * c->ldb +
		       c->k / QUILL_BLOCK * quill_block_size(c->hdr.type_b);
	return quill_packed_size_of(c->hdr.type_b, c->n, c->k);
}

static inline __u64 quill_gemm_d_bytes(const union quill_cmd *cmd, __u64 stride, __u32 size)
{
	return ((__u64)(cmd->gemm.m - 1) * stride + cmd->gemm.n) * size;
}

/* Where int8 results are moved and clamped. */
static inline __u32 quill_check_gemm_clamp(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	int s8 = quill_gemm_requantised(cmd) || quill_gemm_given_scales(cmd);

	QUILL_REQUIRE(s8 ? e->zero >= -128 && e->zero <= 127 : !e->zero, PARAM, 1, gemm_ext,
		      zero, "-128..127 for S8 (1) but not by row, else 0|type_d");
	QUILL_REQUIRE(s8 ? e->lo >= -128 && e->lo <= 127 : !e->lo, PARAM, 1, gemm_ext, lo,
		      "-128..127 for S8 (1) but not by row, else 0|type_d");
	QUILL_REQUIRE(s8 ? e->hi >= e->lo && e->hi <= 127 : !e->hi, PARAM, 1, gemm_ext, hi,
		      "lo..127 for S8 (1) but not by row, else 0|type_d");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_a(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd->gemm;
	int turned = !!(quill_gemm_options(cmd) & QUILL_GEMM_A_TRANSPOSED);
	__u32 size = quill_type_size(c->hdr.type_a);

	QUILL_REQUIRE(turned || c->m == 1 || c->lda >= c->k, STRIDE, 0, gemm, lda, "at least k|k");
	QUILL_REQUIRE(!turned || c->k == 1 || c->lda >= c->m, STRIDE, 0, gemm, lda,
		      "at least m, since A is transposed|m");
	QUILL_REQUIRE(!(c->a & (size - 1)), ALIGN, 0, gemm, a, "a multiple of the element's size");
	QUILL_REQUIRE(quill_check_range(c->a, turned ? c->k : c->m, (__u64)c->lda * size,
					(__u64)(turned ? c->m : c->k) * size),
		      RANGE, 0, gemm, a, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

/* Where B is not packed. */
static inline __u32 quill_check_gemm_plain_b(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd->gemm;
	int rows = !!(quill_gemm_options(cmd) & QUILL_GEMM_B_ROWS);
	__u32 size = quill_type_size(c->hdr.type_b);

	QUILL_REQUIRE((rows ? c->k : c->n) == 1 || c->ldb >= (rows ? c->n : c->k), STRIDE, 0, gemm,
		      ldb, "at least n, or k where B lies in columns|n");
	QUILL_REQUIRE(!(c->b & (size - 1)), ALIGN, 0, gemm, b, "a multiple of the element's size");
	QUILL_REQUIRE(quill_check_range(c->b, rows ? c->k : c->n, (__u64)c->ldb * size,
					(__u64)(rows ? c->n : c->k) * size),
		      RANGE, 0, gemm, b, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_options(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_ext_gemm_post *p = &cmd[2].gemm_post;
	__u32 type = cmd->hdr.type_d, both = QUILL_GEMM_B_ROWS | QUILL_GEMM_B_COLUMNS;
	__u32 given = QUILL_GEMM_SCALE_COLUMNS | QUILL_GEMM_SCALE_TENSOR;

	QUILL_REQUIRE(!(p->options & ~QUILL_GEMM_OPTIONS), PARAM, 2, gemm_post, options,
		      "1 + 2 + 4 + 8 + 16 + 32 at most");
	QUILL_REQUIRE((p->options & both) != both, PARAM, 2, gemm_post, options,
		      "4 (rows) or 8 (columns), not both");
	QUILL_REQUIRE(!(p->options & both) || !(QUILL_TYPE_BIT(cmd->hdr.type_b) & QUILL_TBLOCKS), PARAM,
		      2, gemm_post, options,
		      "without 4 (rows) and 8 (columns): blocks and groups run along k|type_b");
	QUILL_REQUIRE((p->options & given) != given && (p->d_scale || !(p->options & given)), PARAM, 2,
		      gemm_post, options, "16 (scales of columns) or 32 (of the tensor), not both, and with d_scale");
	QUILL_REQUIRE(!(p->options & QUILL_GEMM_ACCUMULATE) || type == QUILL_TYPE_S32 ||
		      type == QUILL_TYPE_F32, PARAM, 2, gemm_post, options,
		      "without 1 (accumulate), but for S32 (2) and F32 (3)|type_d");
	QUILL_REQUIRE(!(p->options & QUILL_GEMM_ACCUMULATE) || !p->residual, PARAM, 2, gemm_post,
		      residual, "0, since D is what is added (accumulate)");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_residual(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm_post *p = &cmd[2].gemm_post;
	int s8 = quill_gemm_requantised(cmd);

	QUILL_REQUIRE(s8 || quill_gemm_floats(cmd) || !p->residual, PARAM, 2, gemm_post, residual,
		      "0 for S32 (2)|type_d");
	QUILL_REQUIRE(p->residual || !p->residual_stride, STRIDE, 2, gemm_post, residual_stride,
		      "0 without residual");
	if (p->residual)
		QUILL_REQUIRE_MATRIX(p->residual, c->m, p->residual_stride, c->n,
				     quill_gemm_residual_size(cmd), 2, gemm_post, residual,
				     residual_stride);
	QUILL_REQUIRE((s8 && p->residual) == (p->residual_mult != 0), PARAM, 2, gemm_post,
		      residual_mult, "an address with a residual of S8 (1) without d_scale, else 0|type_d");
	if (p->residual_mult)
		QUILL_REQUIRE_ROW(p->residual_mult, c->n, 2, gemm_post, residual_mult);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_post(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm_post *p = &cmd[2].gemm_post;
	int floats = quill_gemm_floats(cmd);
	__u32 given = quill_gemm_given_scales(cmd);

	QUILL_REQUIRE(!p->d_scale || c->hdr.type_d == QUILL_TYPE_S8, PARAM, 2, gemm_post, d_scale,
		      "0, but for S8 (1)|type_d");
	QUILL_REQUIRE(p->act <= (floats ? QUILL_ACT_COUNT : 0), PARAM, 2, gemm_post, act,
		      "0, or for floats an operation of ACT plus 1|type_d");
	QUILL_REQUIRE(floats || !p->gate, PARAM, 2, gemm_post, gate, "0, but for floats|type_d");
	QUILL_REQUIRE(p->gate || !p->gate_stride, STRIDE, 2, gemm_post, gate_stride,
		      "0 without gate");
	if (p->gate)
		QUILL_REQUIRE_MATRIX(p->gate, c->m, p->gate_stride, c->n, 4, 2, gemm_post, gate,
				     gate_stride);
	if (p->d_scale)
		QUILL_REQUIRE_ROW(p->d_scale, given ? given : c->m, 2, gemm_post, d_scale);
	return quill_check_gemm_residual(cmd, why);
}

/* @bytes: of one product's operand at @addr, which may be absent. */
#define QUILL_REQUIRE_STEP(addr, bytes, align, step)						\
	do {											\
		QUILL_REQUIRE((addr) || !b->step, STRIDE, 3, gemm_batch, step,			\
			      "0 without the operand");						\
		QUILL_REQUIRE(b->step < QUILL_GEMM_MAX_STEP && !(b->step & ((align) - 1)), STRIDE,	\
			      3, gemm_batch, step,						\
			      "below 2^47, and a multiple of what the operand is aligned to");	\
		QUILL_REQUIRE(!(addr) || quill_check_range(addr, b->batch, b->step, bytes), RANGE,	\
			      3, gemm_batch, step, QUILL_IN_48_BITS);				\
	} while (0)

/* Scales and bias of all products. The second record's rules have looked at the first product's. */
static inline __u32 quill_check_gemm_batch_scales(const union quill_cmd *cmd,
						  struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	const struct quill_ext_gemm_batch *b = &cmd[3].gemm_batch;
	__u64 groups = e->group && c->hdr.type_b == QUILL_TYPE_S4 ? c->k / e->group : 1;
	__u64 size = quill_gemm_requantised(cmd) ? sizeof(struct quill_requant) : 4;
	/* m and batch are below 2^25, a row's scales below 2^34 bytes */
	__u64 row = (e->row_scale_stride ? (__u64)e->row_scale_stride : 1) * 4;
	__u32 given = quill_gemm_given_scales(cmd);

	QUILL_REQUIRE(!e->bias || quill_check_range(e->bias, b->batch, (__u64)b->column_step * 4,
						    (__u64)c->n * 4),
		      RANGE, 3, gemm_batch, column_step, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!e->scale || quill_check_range(e->scale, b->batch, b->column_step * size,
						     groups * c->n * size),
		      RANGE, 3, gemm_batch, column_step, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!cmd[2].gemm_post.residual_mult ||
		      quill_check_range(cmd[2].gemm_post.residual_mult, b->batch,
					(__u64)b->column_step * 4, (__u64)c->n * 4),
		      RANGE, 3, gemm_batch, column_step, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!e->row_scale || (row * c->m < QUILL_GEMM_MAX_STEP &&
					quill_check_range(e->row_scale, b->batch, row * c->m, row * c->m)),
		      RANGE, 1, gemm_ext, row_scale, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!quill_gemm_quantised(cmd) || given ||
		      quill_check_range(cmd[2].gemm_post.d_scale, b->batch, (__u64)c->m * 4,
					(__u64)c->m * 4),
		      RANGE, 2, gemm_post, d_scale, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!(quill_gemm_options(cmd) & QUILL_GEMM_SCALE_COLUMNS) ||
		      quill_check_range(cmd[2].gemm_post.d_scale, b->batch, (__u64)b->column_step * 4,
					(__u64)c->n * 4),
		      RANGE, 3, gemm_batch, column_step, QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_gemm_batch(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm_post *p = &cmd[2].gemm_post;
	const struct quill_ext_gemm_batch *b = &cmd[3].gemm_batch;
	__u32 size = quill_type_size(c->hdr.type_d), plain, b_align;
	__u32 residual = quill_gemm_residual_size(cmd);

	plain = p->options & (QUILL_GEMM_B_ROWS | QUILL_GEMM_B_COLUMNS);
	b_align = plain ? quill_type_size(c->hdr.type_b) : quill_block_size(c->hdr.type_b) ? 2 : 64;
	QUILL_REQUIRE(b->batch && b->batch <= QUILL_GEMM_MAX_BATCH, SHAPE, 3, gemm_batch, batch,
		      "1..65536");
	/* so that device time fits in 64 bits */
	QUILL_REQUIRE((__u64)c->m * c->n <= (1ull << 62) / ((__u64)b->batch * c->k), SHAPE, 3,
		      gemm_batch, batch, "such that m * n * k * batch is at most 2^62");
	QUILL_REQUIRE_STEP(c->a, quill_gemm_a_bytes(cmd), quill_type_size(c->hdr.type_a), a_step);
	QUILL_REQUIRE_STEP(c->b, quill_gemm_b_bytes(cmd), b_align, b_step);
	QUILL_REQUIRE_STEP(c->d, quill_gemm_d_bytes(cmd, c->ldd, size), size, d_step);
	QUILL_REQUIRE_STEP(p->gate, quill_gemm_d_bytes(cmd, p->gate_stride, 4), 4, gate_step);
	QUILL_REQUIRE_STEP(p->residual, quill_gemm_d_bytes(cmd, p->residual_stride, residual), residual,
			   residual_step);
	return quill_check_gemm_batch_scales(cmd, why);
}

#undef QUILL_REQUIRE_STEP

/* What follows the second record. */
static inline __u32 quill_check_gemm_more(const union quill_cmd *cmd, struct quill_check *why)
{
	__u32 fault = QUILL_FAULT_NONE;

	if (cmd->hdr.ext >= 2)
		fault = quill_check_gemm_post(cmd, why);
	if (!fault && cmd->hdr.ext >= 3)
		fault = quill_check_gemm_batch(cmd, why);
	return fault;
}

#endif /* QUILL_ISA_CHECK_GEMM_H */
