/* SPDX-License-Identifier: MIT */
/*
 * Timing profiles: the figures of a modelled chip, as data. emu/profiles has the built-in ones.
 */
#ifndef QUILL_CORE_PROFILE_H
#define QUILL_CORE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One row a key: X(key, least, largest, what it is). A profile has a line "key = value" for each; the bounds keep
 * the model's sums within 64 bits (or, where they are greater, within the 128 that it takes for them).
 */
#define PROFILE_KEYS(X) \
	X(clock_khz, 1000, 100000000, "device cycles in a millisecond") \
	X(sram_size, 65536, 67108864, "bytes of scratchpad of a core") \
	X(cmd_overhead, 0, 1000000, "cycles to decode one record") \
	X(fixed_cycles, 0, 1000000, "cycles of every command, or 0: as the model says") \
	X(arrays, 1, 1024, "systolic arrays of a core") \
	X(array_dim, 16, 1024, "rows and columns of an array") \
	X(passes_s8, 1, 64, "cycles for a row of int8 to enter an array") \
	X(passes_f8, 1, 64, "the same for FP8") \
	X(passes_bf16, 1, 64, "the same for bfloat16 and float16") \
	X(vector_lanes, 1, 1048576, "float32 operations a cycle") \
	X(vector_row, 1, 1024, "a row takes a multiple of so many lanes") \
	X(softmax_ops, 1, 1024, "operations for one score") \
	X(function_ops, 1, 1024, "operations for one sigmoid or tanh") \
	X(mem_kbps, 1000, 1000000000000, "device memory, 1000 bytes a second") \
	X(mem_latency, 0, 1000000, "cycles to memory's first byte") \
	X(burst, 1, 4096, "bytes that memory moves at least") \
	X(dma_width, 1, 65536, "bytes of a row that the DMA engine moves in a cycle") \
	X(link_kbps, 1000, 1000000000000, "link to the host, 1000 bytes a second") \
	X(link_latency, 0, 100000000, "cycles of a round trip over the link") \
	X(static_mw, 0, 10000000, "power of a core that does nothing, mW") \
	X(mac_s8_fj, 0, 1000000, "energy of a multiply-add of int8, fJ") \
	X(mac_f8_fj, 0, 1000000, "of FP8") \
	X(mac_bf16_fj, 0, 1000000, "of bfloat16 and float16") \
	X(vector_op_fj, 0, 1000000, "of a float32 operation of the VECTOR engine, fJ") \
	X(mem_byte_fj, 0, 10000000, "of a byte of device memory, fJ") \
	X(sram_byte_fj, 0, 10000000, "of a byte of scratchpad, fJ") \
	X(link_byte_fj, 0, 10000000, "of a byte over the link, fJ")

/* struct profile - one core of a modelled chip */
struct profile {
#define X(key, ...) uint64_t key;
	PROFILE_KEYS(X)
#undef X
};

/* A built-in profile, or the first for NULL; NULL if there is none of that name. */
const struct profile *profile_get(const char *name);

/*
 * Read the profile @name: a built-in one, or the path of a file. On failure, @err says what was found, where, and what
 * was required.
 */
bool profile_load(struct profile *p, const char *name, char *err, size_t err_size);

/* The same from @len bytes of text; @file is for messages. */
bool profile_parse(struct profile *p, const char *file, const char *text, size_t len, char *err,
		   size_t err_size);

/* profile_data.c: the built-in ones, the first being the default; a NULL name ends them. */
struct profile_text {
	const char *name;
	const char *begin, *end;
};

extern const struct profile_text profile_builtin[];

#endif /* QUILL_CORE_PROFILE_H */
