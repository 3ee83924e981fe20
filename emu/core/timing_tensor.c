// SPDX-License-Identifier: MIT
/* Device time of TENSOR commands. */
#include "timing_internal.h"

/* What multiplies is made for the wider of both. */
static enum mac_kind kind_of(uint32_t type_a, uint32_t type_b)
{
	if (type_a == QUILL_TYPE_BF16 || type_b == QUILL_TYPE_BF16)
		return MAC_BF16;
	return type_a == QUILL_TYPE_E4M3 || type_a == QUILL_TYPE_E5M2 ? MAC_F8 : MAC_S8;
}

/* B once: blocks in rows of their own, or panels. */
static void cost_gemm_b(const struct profile *p, const struct quill_cmd_gemm *c, uint64_t passes,
			struct cost *cost)
{
	uint64_t row = c->k / QUILL_BLOCK * quill_block_size(c->hdr.type_b);

	if (row && c->ldb == row)
		cost_read(p, cost, c->b, passes, c->n * row);
	else if (row)
		cost_read(p, cost, c->b, passes * c->n, row);
	else
		cost_read(p, cost, c->b, passes, quill_packed_size_of(c->hdr.type_b, c->n, c->k));
}

void cost_gemm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	uint64_t size = quill_type_size(c->hdr.type_d);
	uint64_t width = c->hdr.type_a == QUILL_TYPE_BF16 ? 2ull * c->k : c->k;
	uint64_t groups = e->group ? c->k / e->group : 1;
	uint64_t blocks, passes, scale;

	scale = c->hdr.type_d == QUILL_TYPE_S8 ? sizeof(struct quill_requant) : 4;
	/* A stays in half of the SRAM; where it does not fit, B comes once for each part of A. */
	passes = div_up(c->m * width, p->sram_size / 2);
	cost->macs = (uint64_t)c->m * c->n * c->k;
	cost->mac_kind = kind_of(c->hdr.type_a, c->hdr.type_b);
	cost_read(p, cost, c->a, c->m, width);
	cost_gemm_b(p, c, passes, cost);
	cost_read(p, cost, e->bias, 1, (uint64_t)c->n * 4);
	cost_read(p, cost, e->scale, c->hdr.type_b == QUILL_TYPE_S4 ? groups : 1, c->n * scale);
	if (e->row_scale_stride)
		cost_read(p, cost, e->row_scale, c->m, groups * 4);
	else
		cost_read(p, cost, e->row_scale, 1, (uint64_t)c->m * 4);
	cost_write(p, cost, c->d, c->m, c->n * size);
	blocks = div_up(c->k, p->array_dim) * div_up(c->n, p->array_dim);
	finish(p, systolic_cycles(p, blocks, c->m, cost->mac_kind), cost);
}
