/* SPDX-License-Identifier: MIT */
/*
 * Device time: what a command would take on the modelled chip. Pure functions of command and profile.
 */
#ifndef QUILL_CORE_TIMING_H
#define QUILL_CORE_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "quill/isa.h"

/* struct profile - one core of a modelled chip; docs/device.md says where the figures come from */
struct profile {
	const char *name;
	uint32_t clock_khz;
	uint32_t sram_size;
	uint32_t cmd_overhead;	/* cycles to decode one command */
	uint32_t arrays;	/* systolic arrays, each @array_dim squared */
	uint32_t array_dim;
	uint32_t vector_lanes;	/* float32 operations a cycle */
	uint32_t vector_row;	/* a row takes a multiple of so many lanes */
	uint32_t softmax_ops;	/* operations for one score */
	uint32_t function_ops;	/* for one sigmoid or tanh */
	uint64_t mem_kbps;	/* device memory, 1000 bytes a second */
	uint32_t mem_latency;	/* cycles to the first byte */
	uint32_t burst;		/* bytes that memory moves at least */
	uint32_t dma_width;	/* bytes of a row that the DMA engine moves in a cycle */
	bool unit;		/* every command takes one cycle */
};

/* struct cost - of one command */
struct cost {
	uint64_t cycles;
	uint64_t macs;
	uint64_t read;		/* bytes from memory (SRAM does not count) */
	uint64_t written;
	uint64_t bytes;		/* that the host moves, SRAM's too: not part of the model */
};

const struct profile *profile_get(const char *name);
void timing_cost(const struct profile *profile, const union quill_cmd *cmd, struct cost *cost);

#endif /* QUILL_CORE_TIMING_H */
