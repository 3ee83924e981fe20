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
		.softmax_ops = 12,
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
