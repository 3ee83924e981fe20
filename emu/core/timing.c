// SPDX-License-Identifier: MIT
/*
 * The device-time model. docs/device.md explains it and says where the figures come from.
 *
 * A command takes what the slower of arithmetic and memory takes, behind the latency of its first byte. Nothing here
 * looks at data, at addresses (but for whether they lie in SRAM) or at the host.
 */
#include <string.h>

#include "timing.h"

static const struct profile profiles[] = {
	{
		.name = "quill-1",
		.clock_khz = 1450000,
		.sram_size = 24u << 20,
		.cmd_overhead = 96,
		.arrays = 8,
		.array_dim = 128,
		.vector_lanes = 1024,
		.vector_row = 16,
		.softmax_ops = 12,
		.function_ops = 16,
		.mem_kbps = 820000000,
		.mem_latency = 725,
		.burst = 64,
		.dma_width = 512,
	},
	{
		.name = "unit",
		.clock_khz = 1000000,
		.sram_size = 24u << 20,
		.unit = true,
	},
};

/* A profile by name, or the first for NULL; NULL if there is none of that name. */
const struct profile *profile_get(const char *name)
{
	unsigned int i;

	if (!name)
		return &profiles[0];
	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Bytes of memory traffic: none if the operand is absent or lies in SRAM. */
static uint64_t traffic(const struct profile *p, uint64_t addr, uint64_t rows, uint64_t width)
{
	if (!addr || addr >= QUILL_VA_SRAM)
		return 0;
	return rows * (div_up(width, p->burst) * p->burst);
}

static uint64_t mem_cycles(const struct profile *p, uint64_t bytes)
{
	/* bytes reach 2^58 here: the product needs more than 64 bits */
	unsigned __int128 cycles = (unsigned __int128)bytes * p->clock_khz;

	return (uint64_t)((cycles + p->mem_kbps - 1) / p->mem_kbps);
}

/* Memory and arithmetic overlap, but for the first byte's latency. */
static void finish(const struct profile *p, uint64_t compute, struct cost *cost)
{
	uint64_t bytes = cost->read + cost->written;

	cost->cycles = max64(compute, mem_cycles(p, bytes)) + (bytes ? p->mem_latency : 0);
	if (!cost->cycles)
		cost->cycles = 1;
}

/*
 * Weight-stationary arrays: @blocks squares of weights are loaded one after the other, each behind the
 * rows that stream through the one before it, so a pass takes the longer of the two. Where there are fewer squares
 * than arrays, the arrays share the rows.
 */
static uint64_t systolic_cycles(const struct profile *p, uint64_t blocks, uint64_t rows)
{
	uint64_t dim = p->array_dim;

	if (blocks < p->arrays)
		rows = div_up(rows, p->arrays / blocks);
	/* first load, then fill and drain of the last pass */
	return div_up(blocks, p->arrays) * max64(rows, dim) + 3 * dim;
}

/* ---- TENSOR ---- */

static void cost_gemm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_gemm *c = &cmd[0].gemm;
	const struct quill_ext_gemm *e = &cmd[1].gemm_ext;
	uint64_t size = quill_type_size(c->hdr.type_d);
	uint64_t blocks, passes, scale;

	scale = c->hdr.type_d == QUILL_TYPE_S8 ? sizeof(struct quill_requant) : 4;
	/* A stays in half of the SRAM; where it does not fit, B comes once for each part of A. */
	passes = div_up((uint64_t)c->m * c->k, p->sram_size / 2);
	cost->macs = (uint64_t)c->m * c->n * c->k;
	cost->read = traffic(p, c->a, c->m, c->k) +
		     traffic(p, c->b, passes, quill_packed_size(c->n, c->k)) +
		     traffic(p, e->bias, 1, (uint64_t)c->n * 4) +
		     traffic(p, e->scale, 1, c->n * scale) +
		     traffic(p, e->row_scale, 1, (uint64_t)c->m * 4);
	cost->written = traffic(p, c->d, c->m, c->n * size);
	blocks = div_up(c->k, p->array_dim) * div_up(c->n, p->array_dim);
	finish(p, systolic_cycles(p, blocks, c->m), cost);
}

static void cost_attention(const struct profile *p, const union quill_cmd *cmd,
			   struct cost *cost)
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
	cost->read = traffic(p, c->q, c->n_q, row) +
		     traffic(p, c->k, c->n_kv, kv_row) + traffic(p, c->v, c->n_kv, kv_row) +
		     traffic(p, e->q_scale, c->n_q, (uint64_t)c->n_heads * 4) +
		     traffic(p, e->k_scale, c->n_kv, (uint64_t)c->n_kv_heads * 4) +
		     traffic(p, e->v_scale, c->n_kv, (uint64_t)c->n_kv_heads * 4);
	cost->written = traffic(p, c->out, c->n_q, row * 4);

	/* Q K^T and P V: the keys and values of a head are the weights for all its queries. */
	blocks = c->n_kv_heads * div_up(c->head_dim, p->array_dim) * div_up(keys, p->array_dim);
	rows = (uint64_t)c->n_q * (c->n_heads / c->n_kv_heads);
	tensor = 2 * systolic_cycles(p, blocks, rows);
	vector = div_up(pairs * c->n_heads * p->softmax_ops, p->vector_lanes);
	finish(p, max64(tensor, vector), cost);
}

/* ---- VECTOR ---- */

/* @ops operations for each of @n elements of each row; traffic was added up before. */
static void finish_vector(const struct profile *p, uint64_t rows, uint64_t n, uint64_t ops,
			  struct cost *cost)
{
	uint64_t lanes = div_up(n, p->vector_row) * p->vector_row;

	/* What the host has to do: operands, arithmetic like so many bytes, and something for a row. */
	cost->bytes = rows * (p->burst + n * (12 + ops));
	finish(p, div_up(rows * lanes * ops, p->vector_lanes), cost);
}

/* Bytes of a matrix that is looked at @passes times: again only what half of the SRAM cannot hold. */
static uint64_t traffic_again(const struct profile *p, uint64_t addr, uint64_t rows, uint64_t width,
			      uint64_t passes)
{
	return traffic(p, addr, rows, width) * (width > p->sram_size / 2 ? passes : 1);
}

static void cost_norm(const struct profile *p, const union quill_cmd *cmd, bool layer,
		      struct cost *cost)
{
	const struct quill_cmd_norm *c = &cmd[0].norm;
	const struct quill_ext_norm *e = &cmd[1].norm_ext;
	uint64_t row = (uint64_t)c->n * 4, passes = layer ? 3 : 2;

	cost->read = traffic_again(p, c->src, c->rows, row, passes) +
		     traffic_again(p, c->residual, c->rows, row, passes) +
		     traffic(p, c->weight, 1, row) + traffic(p, e->bias, 1, row);
	cost->written = traffic(p, c->dst, c->rows, row) + traffic(p, e->sum, c->rows, row);
	/* square, scale, weigh; LAYERNORM: add up and subtract as well, in each of two passes */
	finish_vector(p, c->rows, c->n, (layer ? 6 : 3) + !!c->residual, cost);
}

static void cost_rmsnorm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	cost_norm(p, cmd, false, cost);
}

static void cost_layernorm(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	cost_norm(p, cmd, true, cost);
}

static void cost_softmax(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_softmax *c = &cmd->softmax;
	uint64_t row = (uint64_t)c->n * 4;

	/* for the maximum, the sum, the quotients */
	cost->read = traffic_again(p, c->src, c->rows, row, 3);
	cost->written = traffic(p, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, p->softmax_ops, cost);
}

static void cost_rope(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_rope *c = &cmd->rope;
	uint64_t n = (uint64_t)c->heads * c->dim;

	cost->read = traffic(p, c->src, c->rows, n * 4) +
		     traffic(p, c->table, c->rows, (uint64_t)c->dim * 4);
	cost->written = traffic(p, c->dst, c->rows, n * 4);
	/* two products and what joins them */
	finish_vector(p, c->rows, n, 3, cost);
}

static void cost_quantise(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;

	cost->read = traffic(p, c->src, c->rows, (uint64_t)c->n * 4);
	if (c->group > p->sram_size / 2 / 4)
		cost->read *= 2;
	cost->written = traffic(p, c->dst, c->rows, c->n) +
			traffic(p, c->scale, c->rows, (uint64_t)(c->n / c->group) * 4);
	/* maximum, quotient, conversion */
	finish_vector(p, c->rows, c->n, 3, cost);
}

static void cost_dequantise(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_quantise *c = &cmd->quantise;

	cost->read = traffic(p, c->src, c->rows, c->n) +
		     traffic(p, c->scale, c->rows, (uint64_t)(c->n / c->group) * 4);
	cost->written = traffic(p, c->dst, c->rows, (uint64_t)c->n * 4);
	finish_vector(p, c->rows, c->n, 2, cost);
}

static void cost_eltwise(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_eltwise *c = &cmd->eltwise;
	uint64_t row = (uint64_t)c->n * 4;

	cost->read = traffic(p, c->a, c->rows, row) + traffic(p, c->b, c->b_stride ? c->rows : 1, row);
	cost->written = traffic(p, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, 1, cost);
}

static void cost_act(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_act *c = &cmd->act;
	uint64_t row = (uint64_t)c->n * 4;
	uint64_t ops = c->op == QUILL_ACT_RELU ? 1 : p->function_ops;

	cost->read = traffic(p, c->src, c->rows, row) + traffic(p, c->gate, c->rows, row);
	cost->written = traffic(p, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, ops + !!c->gate, cost);
}

static void cost_reduce(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_reduce *c = &cmd->reduce;

	cost->read = traffic(p, c->src, c->rows, (uint64_t)c->n * 4);
	cost->written = traffic(p, c->dst, 1, (uint64_t)c->rows * 4);
	/* ARGMAX keeps the index beside the value */
	finish_vector(p, c->rows, c->n, c->op == QUILL_REDUCE_ARGMAX ? 2 : 1, cost);
}

static void cost_gather(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_gather *c = &cmd->gather;
	uint64_t row = (uint64_t)c->n * 4;

	/* each row anew, even one that is wanted twice: time does not look at data */
	cost->read = traffic(p, c->table, c->rows, row) +
		     traffic(p, c->index, 1, (uint64_t)c->rows * 4);
	cost->written = traffic(p, c->dst, c->rows, row);
	finish_vector(p, c->rows, c->n, 1, cost);
}

/* ---- DMA ---- */

static void cost_copy(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_copy *c = &cmd->copy;

	cost->read = traffic(p, c->src, c->height, c->width);
	cost->written = traffic(p, c->dst, c->height, c->width);
	cost->bytes = c->height * (p->burst + 2 * c->width);
	/* The DMA engine takes a cycle for a row at least. */
	finish(p, c->height * div_up(c->width, p->dma_width), cost);
}

static void cost_fill(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_fill *c = &cmd->fill;

	cost->written = traffic(p, c->dst, c->height, c->width);
	cost->bytes = c->height * (p->burst + c->width);
	finish(p, c->height * div_up(c->width, p->dma_width), cost);
}

static void cost_timestamp(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	cost->written = traffic(p, cmd->timestamp.dst, 1, sizeof(__u64));
	/* posted: nothing waits for it */
	cost->cycles = 1;
}

#define COST_FW(name)		NULL
#define COST_TENSOR(name)	cost_##name
#define COST_VECTOR(name)	cost_##name
#define COST_DMA(name)		cost_##name

static void (*const costs[256])(const struct profile *p, const union quill_cmd *cmd,
				struct cost *cost) = {
#define QUILL_X(NAME, name, code, engine, ...) [code] = COST_##engine(name),
	QUILL_OPCODES(QUILL_X)
#undef QUILL_X
};

/* What @cmd takes; it was checked, and it has an engine. */
void timing_cost(const struct profile *profile, const union quill_cmd *cmd, struct cost *cost)
{
	/* The unit profile counts bytes and work like the first. */
	const struct profile *p = profile->unit ? &profiles[0] : profile;

	memset(cost, 0, sizeof(*cost));
	costs[cmd->hdr.opcode](p, cmd, cost);
	cost->bytes = max64(cost->bytes, cost->read + cost->written);
	if (profile->unit)
		cost->cycles = 1;
}
