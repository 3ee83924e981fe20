// SPDX-License-Identifier: MIT
/* Device time of TENSOR commands. */
#include "quill/isa_check.h"
#include "timing_internal.h"

/* What multiplies is made for the wider of both. */
static enum mac_kind kind_of(uint32_t type_a, uint32_t type_b)
{
	if (type_a == QUILL_TYPE_BF16 || type_b == QUILL_TYPE_BF16)
		return MAC_BF16;
	return type_a == QUILL_TYPE_E4M3 || type_a == QUILL_TYPE_E5M2 ? MAC_F8 : MAC_S8;
}

/* B of @count products, each @passes times: blocks in rows of their own, panels, or a matrix as it is. */
static void cost_gemm_b(const struct profile *p, const union quill_cmd *cmd, uint64_t count,
			uint64_t passes, struct cost *cost)
{
	const struct quill_cmd_gemm *c = &cmd->gemm;
	uint64_t row = c->k / QUILL_BLOCK * quill_block_size(c->hdr.type_b);
	uint64_t size = quill_type_size(c->hdr.type_b);
	uint32_t options = quill_gemm_options(cmd);

	passes *= count;
	if (options & QUILL_GEMM_B_ROWS)
		cost_read(p, cost, c->b, passes * c->k, c->n * size);
	else if (options & QUILL_GEMM_B_COLUMNS)
		cost_read(p, cost, c->b, passes * c->n, c->k * size);
	else if (row && c->ldb == row)
		cost_read(p, cost, c->b, passes, c->n * row);
	else if (row)
		cost_read(p, cost, c->b, passes * c->n, row);
	else
		cost_read(p, cost, c->b, passes, quill_packed_size_of(c->hdr.type_b, c->n, c->k));
}

/* What the second record names, of @batch products with @sets of what belongs to columns. */
static void cost_gemm_scales(const struct profile *p, const union quill_cmd *cmd, uint64_t batch,
			     uint64_t sets, struct cost *cost)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	uint64_t groups = e->group ? c->k / e->group : 1;
	uint64_t scale = quill_gemm_requantised(cmd) ? sizeof(struct quill_requant) : 4;

	cost_read(p, cost, e->bias, sets, (uint64_t)c->n * 4);
	cost_read(p, cost, e->scale, sets * (c->hdr.type_b == QUILL_TYPE_S4 ? groups : 1),
		  c->n * scale);
	if (e->row_scale_stride)
		cost_read(p, cost, e->row_scale, batch * c->m, groups * 4);
	else
		cost_read(p, cost, e->row_scale, batch, (uint64_t)c->m * 4);
}

static uint64_t act_ops(const struct profile *p, uint32_t act)
{
	return !act ? 0 : act == QUILL_ACT_RELU + 1 ? 1 : p->function_ops;
}

/* And the third. The vector lanes work behind the arrays; rows to be quantised wait in the arrays' buffers. */
static void cost_gemm_post(const struct profile *p, const union quill_cmd *cmd, uint64_t batch,
			   uint64_t sets, struct cost *cost)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm_post *post = &cmd[2].gemm_post;
	uint64_t rows = batch * c->m, row = (uint64_t)c->n * 4;
	bool accumulates = post->options & QUILL_GEMM_ACCUMULATE;
	uint32_t given = quill_gemm_given_scales(cmd);

	cost_read(p, cost, post->gate, rows, row);
	cost_read(p, cost, post->residual, rows, (uint64_t)c->n * quill_gemm_residual_size(cmd));
	cost_read(p, cost, post->residual_mult, sets, row);
	if (accumulates)
		cost_read(p, cost, c->d, rows, row);
	if (given)
		cost_read(p, cost, post->d_scale, given > 1 ? sets : 1, given * 4ull);
	else
		cost_write(p, cost, post->d_scale, batch, (uint64_t)c->m * 4);
	/* to quantise: a maximum unless scales are given, a quotient, a rounding */
	cost->vector_ops = rows * c->n * (act_ops(p, post->act) + !!post->gate + !!post->residual +
					  accumulates + (given ? 2 : post->d_scale ? 3 : 0));
}

void cost_gemm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm_batch *b = &cmd[3].gemm_batch;
	uint64_t size = quill_type_size(c->hdr.type_d), batch = quill_gemm_batch(cmd);
	uint64_t a_size = quill_type_size(c->hdr.type_a);
	bool turned = quill_gemm_options(cmd) & QUILL_GEMM_A_TRANSPOSED;
	bool many = c->hdr.ext >= 3;
	uint64_t sets = many && b->column_step ? batch : 1;
	uint64_t blocks, passes, cycles;

	/* A stays in half of the SRAM; where it does not fit, B comes once for each part of A. */
	passes = div_up(a_size * c->m * c->k, p->sram_size / 2);
	cost->macs = batch * c->m * c->n * c->k;
	cost->mac_kind = kind_of(c->hdr.type_a, c->hdr.type_b);
	cost_read(p, cost, c->a, batch * (turned ? c->k : c->m),
		  (turned ? c->m : c->k) * a_size);
	/* What all products share is read once. */
	cost_gemm_b(p, cmd, many && b->b_step ? batch : 1, passes, cost);
	cost_gemm_scales(p, cmd, batch, sets, cost);
	if (c->hdr.ext >= 2)
		cost_gemm_post(p, cmd, batch, sets, cost);
	cost_write(p, cost, c->d, batch * c->m, c->n * size);
	blocks = batch * div_up(c->k, p->array_dim) * div_up(c->n, p->array_dim);
	cycles = systolic_cycles(p, blocks, c->m, cost->mac_kind);
	finish(p, max64(cycles, div_up(cost->vector_ops, p->vector_lanes)), cost);
}

/* Packed B goes through the arrays, which take a row of weights each in a cycle. */
void cost_repack(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_repack *c = &cmd->repack;
	uint64_t packed = c->batch * quill_packed_size_of(c->hdr.type_d, c->n, c->k);
	uint64_t rows = c->order == QUILL_REPACK_NK ? c->n : c->k;
	uint64_t size = quill_type_size(c->hdr.type_a);

	cost_read(p, cost, c->src, c->batch * rows, (uint64_t)c->n * c->k / rows * size);
	cost_write(p, cost, c->dst, 1, packed);
	finish(p, div_up(packed, (uint64_t)p->arrays * p->array_dim), cost);
}
