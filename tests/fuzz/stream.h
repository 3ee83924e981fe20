/* SPDX-License-Identifier: MIT */
/*
 * The inputs of fuzz_stream and fuzz_isa_check: a head, then records of 64 bytes. And where, in the address
 * spaces of fuzz_stream, memory is.
 */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "quill/isa.h"

/* One page of them, so that the page behind is one that is not there. */
#define STREAM_MAX	64u

struct stream_head {
	/* Which address space, see LAYOUT_*. */
	uint8_t layout;
	/* How much memory the host maps at a time: 0, 7, 64, 4096 bytes by turns. */
	uint8_t map_limit;
	/* Records that the descriptor claims beyond those that are there; bit 7: end at the page's end. */
	uint8_t more;
	/* Which page of RW is none, from 1 on; 0: none. */
	uint8_t hole;
};

enum {
	LAYOUT_PLAIN,	/* pages follow each other in memory too */
	LAYOUT_SCATTER,	/* they do not */
	LAYOUT_HUGE,	/* RW is part of a 2 MiB page, WO of another's device memory */
	LAYOUT_DEVMEM,	/* RW and WO are device memory */
	LAYOUT_COUNT,
};

#define VA_RW		0x0000000000400000ull
#define VA_RO		0x0000000000800000ull
#define VA_WO		0x0000000000c00000ull
#define VA_STREAM	0x0000000000e00000ull
#define SIZE_RW		0x10000u
#define SIZE_RO		0x10000u
#define SIZE_WO		0x4000u

/* A mutator that knows records and their fields: stream_mutate.c. */
size_t stream_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed);

#endif /* FUZZ_STREAM_H */
