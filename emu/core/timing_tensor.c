// SPDX-License-Identifier: MIT
/* Device time of TENSOR commands. */
#include "timing_internal.h"

void cost_gemm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	uint64_t size = quill_type_size(c->hdr.type_d);
	uint64_t blocks, passes, scale;

	scale = c->hdr.type_d == QUILL_TYPE_S8 ? sizeof(struct quill_requant) : 4;
	/* A stays in half of the SRAM; where it does not fit, B comes once for each part of A. */
	passes = div_up((uint64_t)c->m * c->k, p->sram_size / 2);
	cost->macs = (uint64_t)c->m * c->n * c->k;
	cost_read(p, cost, c->a, c->m, c->k);
	cost_read(p, cost, c->b, passes, quill_packed_size(c->n, c->k));
	cost_read(p, cost, e->bias, 1, (uint64_t)c->n * 4);
	cost_read(p, cost, e->scale, 1, c->n * scale);
	cost_read(p, cost, e->row_scale, 1, (uint64_t)c->m * 4);
	cost_write(p, cost, c->d, c->m, c->n * size);
	blocks = div_up(c->k, p->array_dim) * div_up(c->n, p->array_dim);
	finish(p, systolic_cycles(p, blocks, c->m, cost->mac_kind), cost);
}

void cost_attention(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_attention *c = &cmd[0].attention;
	const struct quill_ext_attention *e = &cmd[1].attention_ext;
	uint64_t row = (uint64_t)c->n_heads * c->head_dim;
	uint64_t kv_row = (uint64_t)c->n_kv_heads * c->head_dim;
	uint64_t pairs, keys, blocks, rows, tensor, vector;

	pairs = (uint64_t)c->n_q * c->n_kv;
	if (c->hdr.flags & QUILL_CMD_CAUSAL)
		pairs -= (uint64_t)c->n_q * (c->n_q - 1) / 2;
	keys = div_up(pairs, c->n_q);
	cost->macs = 2 * pairs * row;
	cost->vector_ops = pairs * c->n_heads * p->softmax_ops;
	cost_read(p, cost, c->q, c->n_q, row);
	cost_read(p, cost, c->k, c->n_kv, kv_row);
	cost_read(p, cost, c->v, c->n_kv, kv_row);
	cost_read(p, cost, e->q_scale, c->n_q, (uint64_t)c->n_heads * 4);
	cost_read(p, cost, e->k_scale, c->n_kv, (uint64_t)c->n_kv_heads * 4);
	cost_read(p, cost, e->v_scale, c->n_kv, (uint64_t)c->n_kv_heads * 4);
	cost_write(p, cost, c->out, c->n_q, row * 4);

	/* Q K^T and P V: the keys and values of a head are the weights for all its queries. */
	blocks = c->n_kv_heads * div_up(c->head_dim, p->array_dim) * div_up(keys, p->array_dim);
	rows = (uint64_t)c->n_q * (c->n_heads / c->n_kv_heads);
	tensor = 2 * systolic_cycles(p, blocks, rows, cost->mac_kind);
	vector = div_up(cost->vector_ops, p->vector_lanes);
	finish(p, max64(tensor, vector), cost);
}
