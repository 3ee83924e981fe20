// SPDX-License-Identifier: MIT
/*
 * The device-time model. docs/device.md explains it; emu/profiles has the figures and where they come from.
 *
 * A command takes what the slower of arithmetic and memory takes, behind the latency of its first byte. Nothing here
 * looks at data, at addresses (but for whether they lie in the scratchpad) or at the host.
 */
#include <string.h>

#include "timing_internal.h"

/* What memory can take for one command: an absurd profile is no reason to wrap. */
#define MOST_CYCLES	(1ull << 60)

static bool in_sram(uint64_t addr)
{
	return addr >= QUILL_VA_SRAM;
}

/* Bytes that move for rows of @width bytes. */
static uint64_t traffic(const struct profile *p, uint64_t addr, uint64_t rows, uint64_t width)
{
	return rows * (in_sram(addr) ? width : div_up(width, p->burst) * p->burst);
}

void cost_read(const struct profile *p, struct cost *cost, uint64_t addr, uint64_t rows,
	       uint64_t width)
{
	if (addr)
		*(in_sram(addr) ? &cost->sram_read : &cost->read) += traffic(p, addr, rows, width);
}

void cost_write(const struct profile *p, struct cost *cost, uint64_t addr, uint64_t rows,
		uint64_t width)
{
	if (addr)
		*(in_sram(addr) ? &cost->sram_written : &cost->written) +=
			traffic(p, addr, rows, width);
}

void cost_read_again(const struct profile *p, struct cost *cost, uint64_t addr, uint64_t rows,
		     uint64_t width, uint64_t passes)
{
	cost_read(p, cost, addr, width > p->sram_size / 2 ? rows * passes : rows, width);
}

static uint64_t mem_cycles(const struct profile *p, uint64_t bytes)
{
	/* bytes reach 2^58 here: the product needs more than 64 bits */
	unsigned __int128 cycles = (unsigned __int128)bytes * p->clock_khz;

	cycles = (cycles + p->mem_kbps - 1) / p->mem_kbps;
	return cycles > MOST_CYCLES ? MOST_CYCLES : (uint64_t)cycles;
}

void finish(const struct profile *p, uint64_t compute, struct cost *cost)
{
	uint64_t bytes = cost->read + cost->written;

	cost->cycles = max64(compute, mem_cycles(p, bytes)) + (bytes ? p->mem_latency : 0);
	cost->compute = compute;
	if (!cost->cycles)
		cost->cycles = cost->compute = 1;
}

void finish_vector(const struct profile *p, uint64_t rows, uint64_t n, uint64_t ops,
		   struct cost *cost)
{
	uint64_t lanes = div_up(n, p->vector_row) * p->vector_row;

	/* What the host has to do: operands, arithmetic like so many bytes, and something for a row. */
	cost->bytes = rows * (p->burst + n * (12 + ops));
	cost->vector_ops = rows * n * ops;
	finish(p, div_up(rows * lanes * ops, p->vector_lanes), cost);
}

uint64_t systolic_cycles(const struct profile *p, uint64_t blocks, uint64_t rows,
			 enum mac_kind kind)
{
	const uint64_t passes[] = {
		[MAC_S8] = p->passes_s8, [MAC_F8] = p->passes_f8, [MAC_BF16] = p->passes_bf16,
	};
	uint64_t dim = p->array_dim;

	if (blocks < p->arrays)
		rows = div_up(rows, p->arrays / blocks);
	/* first load, then fill and drain of the last pass */
	return div_up(blocks, p->arrays) * max64(rows * passes[kind], dim) + 3 * dim;
}

/* ---- Energy ---- */

static uint64_t picojoules(unsigned __int128 femtojoules)
{
	femtojoules /= 1000;
	return femtojoules > UINT64_MAX ? UINT64_MAX : (uint64_t)femtojoules;
}

static uint64_t energy(const struct profile *p, const struct cost *c)
{
	const uint64_t mac[] = {
		[MAC_S8] = p->mac_s8_fj, [MAC_F8] = p->mac_f8_fj, [MAC_BF16] = p->mac_bf16_fj,
	};

	return picojoules((unsigned __int128)c->macs * mac[c->mac_kind] +
			  (unsigned __int128)c->vector_ops * p->vector_op_fj +
			  (unsigned __int128)(c->read + c->written) * p->mem_byte_fj +
			  (unsigned __int128)(c->sram_read + c->sram_written) * p->sram_byte_fj);
}

/* 1 mW for 1 ms is 10^9 fJ. */
uint64_t timing_static_energy(const struct profile *p, uint64_t cycles)
{
	return picojoules((unsigned __int128)cycles * p->static_mw * 1000000000 / p->clock_khz);
}

uint64_t timing_link_energy(const struct profile *p, uint64_t bytes)
{
	return picojoules((unsigned __int128)bytes * p->link_byte_fj);
}

/* The firmware's work, or what the record's bytes take to come, whichever is longer. */
uint32_t timing_decode_cycles(const struct profile *p)
{
	return (uint32_t)max64(p->cmd_overhead, QUILL_CMD_SIZE * p->clock_khz / p->link_kbps);
}

/* ---- Dispatch ---- */

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

void timing_cost(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	memset(cost, 0, sizeof(*cost));
	costs[cmd->hdr.opcode](p, cmd, cost);
	cost->bytes = max64(cost->bytes, cost->read + cost->written);
	cost->energy = energy(p, cost);
	if (p->fixed_cycles)
		cost->cycles = cost->compute = p->fixed_cycles;
}
