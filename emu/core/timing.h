/* SPDX-License-Identifier: MIT */
/*
 * Device time: what a command would take on the modelled chip. Pure functions of command and profile.
 */
#ifndef QUILL_CORE_TIMING_H
#define QUILL_CORE_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "quill/isa.h"

#include "profile.h"

/* enum mac_kind - what multiplies: it decides rate and energy of a multiply-add */
enum mac_kind {
	MAC_S8 = 0,	/* S8, and S4 and block weights, which are unpacked on their way */
	MAC_F8 = 1,	/* E4M3, E5M2 */
	MAC_BF16 = 2,	/* BF16, F16 */
};

/* struct cost - of one command */
struct cost {
	uint64_t cycles;
	uint64_t compute;	/* of these, at work; in the others it waited for memory */
	uint64_t macs;
	uint64_t vector_ops;
	uint64_t read;		/* bytes from device memory */
	uint64_t written;	/* bytes to it */
	uint64_t sram_read;	/* bytes from the scratchpad */
	uint64_t sram_written;
	uint64_t energy;	/* pJ, without the static power */
	uint64_t bytes;		/* that the host moves: not part of the model */
	enum mac_kind mac_kind;
};

/* What @cmd takes; it was checked, and it has an engine. */
void timing_cost(const struct profile *profile, const union quill_cmd *cmd, struct cost *cost);

/* What the decoding of a record takes. */
uint32_t timing_decode_cycles(const struct profile *p);

/* Energy in pJ of @cycles of static power; of @bytes over the link. */
uint64_t timing_static_energy(const struct profile *p, uint64_t cycles);
uint64_t timing_link_energy(const struct profile *p, uint64_t bytes);

#endif /* QUILL_CORE_TIMING_H */
