// SPDX-License-Identifier: MIT
/* Device time of ATTENTION, MERGE and KV_APPEND. */
#include "timing_internal.h"

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Pairs of a query and a key that it sees. */
static uint64_t attention_pairs(const struct quill_cmd_attention *c, uint64_t window)
{
	uint64_t first = c->n_kv - c->n_q + 1, growing = c->n_q;

	if (!(c->hdr.flags & QUILL_CMD_CAUSAL))
		return (uint64_t)c->n_q * c->n_kv;
	if (!window)
		window = c->n_kv;
	/* the first queries see one more each, the others a full window */
	growing = window < first ? 0 : min64(growing, window - first + 1);
	return growing * first + growing * (growing - 1) / 2 * !!growing +
	       (c->n_q - growing) * window;
}

static void read_cache(const struct profile *p, struct cost *cost, const struct quill_cmd_attention *c,
		       const struct quill_ext_attention *e, uint64_t keys)
{
	uint64_t row = (uint64_t)c->n_kv_heads * c->head_dim * quill_type_size(c->hdr.type_b);

	cost_read(p, cost, c->k, keys, row);
	cost_read(p, cost, c->v, keys, row);
	cost_read(p, cost, e->k_scale, keys, (uint64_t)c->n_kv_heads * 4);
	cost_read(p, cost, e->v_scale, keys, (uint64_t)c->n_kv_heads * 4);
}

void cost_attention(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	static const struct quill_ext_attention_more none;
	const struct quill_cmd_attention *c = &cmd[0].attention;
	const struct quill_ext_attention *e = &cmd[1].attention_ext;
	const struct quill_ext_attention_more *m = c->hdr.ext > 1 ? &cmd[2].attention_more : &none;
	uint64_t row = (uint64_t)c->n_heads * c->head_dim;
	uint64_t pairs = attention_pairs(c, m->window);
	uint64_t keys, blocks, rows, tensor, vector;

	keys = div_up(pairs, c->n_q);
	cost->mac_kind = c->hdr.type_b == QUILL_TYPE_BF16 ? MAC_BF16 : MAC_S8;
	cost->macs = 2 * pairs * row;
	cost->vector_ops = pairs * c->n_heads * p->softmax_ops;
	cost_read(p, cost, c->q, c->n_q, row * quill_type_size(c->hdr.type_a));
	read_cache(p, cost, c, e, m->window ? min64(c->n_kv, m->window + c->n_q - 1ull) : c->n_kv);
	cost_read(p, cost, e->q_scale, c->n_q, (uint64_t)c->n_heads * 4);
	if (m->table)
		cost_read(p, cost, m->table, 1, div_up(c->n_kv, m->page_size) * 4);
	cost_write(p, cost, c->out, c->n_q, row * 4);
	cost_write(p, cost, m->state, c->n_q, (uint64_t)c->n_heads * 8);

	/* Q K^T and P V: the keys and values of a head are the weights for all its queries. */
	blocks = c->n_kv_heads * div_up(c->head_dim, p->array_dim) * div_up(keys, p->array_dim);
	rows = (uint64_t)c->n_q * (c->n_heads / c->n_kv_heads);
	tensor = 2 * systolic_cycles(p, blocks, rows, cost->mac_kind);
	vector = div_up(cost->vector_ops, p->vector_lanes);
	finish(p, max64(tensor, vector), cost);
}

void cost_merge(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_merge *c = &cmd->merge;
	uint64_t row = (uint64_t)c->heads * c->dim;

	cost_read(p, cost, c->src, (uint64_t)c->parts * c->rows, row * 4);
	cost_read(p, cost, c->state, (uint64_t)c->parts * c->rows, (uint64_t)c->heads * 8);
	cost_write(p, cost, c->dst, c->rows, row * 4);
	cost_write(p, cost, c->dst_state, c->rows, (uint64_t)c->heads * 8);
	/* a multiply-add for each part, and the quotient; weights are few beside it */
	finish_vector(p, c->rows, row, c->parts + 1ull, cost);
}

void cost_kv_append(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_kv_append *c = &cmd[0].kv_append;
	const struct quill_ext_kv_append *e = &cmd[1].kv_append_ext;
	uint64_t row = (uint64_t)c->heads * c->dim;

	cost_read(p, cost, c->k_src, c->tokens, row * 4);
	cost_read(p, cost, c->v_src, c->tokens, row * 4);
	if (e->table)
		cost_read(p, cost, e->table, 1, div_up(c->tokens, e->page_size) * 4);
	cost_write(p, cost, c->k, c->tokens, row * quill_type_size(c->hdr.type_d));
	cost_write(p, cost, c->v, c->tokens, row * quill_type_size(c->hdr.type_d));
	cost_write(p, cost, e->k_scale, c->tokens, (uint64_t)c->heads * 4);
	cost_write(p, cost, e->v_scale, c->tokens, (uint64_t)c->heads * 4);
	/* maximum, quotient, conversion, as in QUANTISE */
	finish_vector(p, 2ull * c->tokens, row, 3, cost);
}
