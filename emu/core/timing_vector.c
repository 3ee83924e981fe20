// SPDX-License-Identifier: MIT
/* Device time of VECTOR commands. */
#include "quill/isa_check.h"

#include "timing_internal.h"

static void cost_norm(const struct profile *p, const union quill_cmd *cmd, bool layer,
		      struct cost *cost)
{
	const struct quill_cmd_norm *c = &cmd[0].norm;
	const struct quill_ext_norm *e = &cmd[1].norm_ext;
	uint64_t row = (uint64_t)c->n * 4, passes = layer ? 3 : 2;

	cost_read_again(p, cost, c->src, c->rows, row, passes);
	cost_read_again(p, cost, c->residual, c->rows, row, passes);
	cost_read(p, cost, c->weight, 1, row);
	cost_read(p, cost, e->bias, 1, row);
	cost_write(p, cost, c->dst, c->rows, row);
	cost_write(p, cost, e->sum, c->rows, row);
	/* square, scale, weigh; LAYERNORM: add up and subtract as well, in each of two passes */
	finish_vector(p, c->rows, c->n, (layer ? 6 : 3) + !!c->residual, cost);
}

void cost_rmsnorm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	cost_norm(p, cmd, false, cost);
}

void cost_layernorm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	cost_norm(p, cmd, true, cost);
}

void cost_softmax(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_softmax *c = &cmd->softmax;
	uint64_t row = (uint64_t)c->n * 4;

	/* for the maximum, the sum, the quotients */
	cost_read_again(p, cost, c->src, c->rows, row, 3);
	cost_write(p, cost, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, p->softmax_ops, cost);
}

void cost_rope(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_rope *c = &cmd->rope;
	uint64_t n = (uint64_t)c->heads * c->dim;

	cost_read(p, cost, c->src, c->rows, n * 4);
	cost_read(p, cost, c->table, c->rows, (uint64_t)quill_rope_rotary(c) * 4);
	cost_write(p, cost, c->dst, c->rows, n * 4);
	/* two products and what joins them */
	finish_vector(p, c->rows, n, 3, cost);
}

/* Scales that are read. */
static void cost_scales(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;

	cost_read(p, cost, c->scale, quill_scale_rows(cmd), (uint64_t)(c->n / c->group) * 4);
}

void cost_quantise(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;

	if (c->hdr.ext) {
		cost_read(p, cost, c->src, c->rows, (uint64_t)c->n * 4);
		cost_scales(p, cmd, cost);
		cost_write(p, cost, c->dst, c->rows, c->n);
		finish_vector(p, c->rows, c->n, 2, cost);
		return;
	}
	/* for the maximum, and for the quotients: from memory if half of the SRAM cannot hold a group */
	cost_read(p, cost, c->src, c->group > p->sram_size / 2 / 4 ? 2ull * c->rows : c->rows,
		  (uint64_t)c->n * 4);
	cost_write(p, cost, c->dst, c->rows, c->n);
	cost_write(p, cost, c->scale, c->rows, (uint64_t)(c->n / c->group) * 4);
	/* maximum, quotient, conversion */
	finish_vector(p, c->rows, c->n, 3, cost);
}

void cost_dequantise(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;

	cost_read(p, cost, c->src, c->rows, c->n);
	cost_scales(p, cmd, cost);
	cost_write(p, cost, c->dst, c->rows, (uint64_t)c->n * 4);
	finish_vector(p, c->rows, c->n, 2, cost);
}

void cost_eltwise(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_eltwise *c = &cmd->eltwise;
	uint64_t row = (uint64_t)c->n * 4;

	cost_read(p, cost, c->a, c->rows, row);
	cost_read(p, cost, c->b, c->b_stride ? c->rows : 1, row);
	cost_write(p, cost, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, 1, cost);
}

void cost_act(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_act *c = &cmd->act;
	uint64_t row = (uint64_t)c->n * 4;
	uint64_t ops = c->op == QUILL_ACT_RELU ? 1 : p->function_ops;

	cost_read(p, cost, c->src, c->rows, row);
	cost_read(p, cost, c->gate, c->rows, row);
	cost_write(p, cost, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, ops + !!c->gate, cost);
}

void cost_reduce(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_reduce *c = &cmd->reduce;

	cost_read(p, cost, c->src, c->rows, (uint64_t)c->n * 4);
	cost_write(p, cost, c->dst, 1, (uint64_t)c->rows * 4);
	/* ARGMAX keeps the index beside the value */
	finish_vector(p, c->rows, c->n, c->op == QUILL_REDUCE_ARGMAX ? 2 : 1, cost);
}

void cost_gather(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_gather *c = &cmd[0].gather;
	const struct quill_ext_gather *e = &cmd[1].gather_ext;
	uint64_t row = (uint64_t)c->n * 4;

	/* each row anew, even one that is wanted twice: time does not look at data */
	cost_read(p, cost, c->table, c->rows, quill_gather_bytes(c->hdr.type_a, c->n));
	cost_read(p, cost, c->index, 1, (uint64_t)c->rows * 4);
	if (c->hdr.ext)
		cost_read(p, cost, e->scale, e->scale_stride ? c->rows : 1, 4);
	cost_write(p, cost, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, 1, cost);
}

void cost_topk(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_topk *c = &cmd->topk;

	cost_read(p, cost, c->src, c->rows, (uint64_t)c->n * 4);
	cost_write(p, cost, c->value, c->rows, (uint64_t)c->k * 4);
	cost_write(p, cost, c->index, c->rows, (uint64_t)c->k * 4);
	/* a comparison with the least of the best so far, and its index beside the value */
	finish_vector(p, c->rows, c->n, 2, cost);
}

void cost_sample(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_sample *c = &cmd->sample;
	uint64_t row = (uint64_t)c->n * 4, ops = 2, passes = 1;

	/* the largest; then weights, what is kept of them (digit by digit), and the one that is hit */
	if (c->temperature) {
		ops += p->softmax_ops + 3 + 1;
		passes += 2;
	}
	if (c->prob) {
		ops += p->softmax_ops;
		passes++;
	}
	cost_read_again(p, cost, c->src, c->rows, row, passes);
	cost_write(p, cost, c->dst, 1, (uint64_t)c->rows * 4);
	cost_write(p, cost, c->prob, 1, (uint64_t)c->rows * 4);
	finish_vector(p, c->rows, c->n, ops, cost);
}

void cost_convert(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_convert *c = &cmd->convert;

	cost_read(p, cost, c->src, c->rows, (uint64_t)c->n * quill_type_size(c->hdr.type_a));
	cost_write(p, cost, c->dst, c->rows, (uint64_t)c->n * quill_type_size(c->hdr.type_d));
	finish_vector(p, c->rows, c->n, 1, cost);
}
