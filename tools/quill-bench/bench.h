/* SPDX-License-Identifier: MIT */
/*
 * quill-bench: what its suites share.
 *
 * A suite is one file: it defines `const struct bench_suite suite_NAME` and stands in BENCH_SUITES. It measures sides
 * that take turns, so that whatever else the machine does meets all of them: the device first, then a peer,
 * then the limit that the machine itself sets (limit.c). Ratios are medians of the turns'.
 */
#ifndef QUILL_BENCH_H
#define QUILL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine.h"
#include "quill/isa.h"

/* In the order in which they run. */
#define BENCH_SUITES(X)		\
	X(gemm_s8)	\
	X(gemm_block)	\
	X(attention)	\
	X(conv)		\
	X(vector)	\
	X(firmware)	\
	X(scaling)

struct bench;

struct bench_suite {
	const char *name;
	const char *what;
	bool (*run)(struct bench *b);
};

#define BENCH_X(name) extern const struct bench_suite suite_##name;
BENCH_SUITES(BENCH_X)
#undef BENCH_X

struct bench {
	/* from the command line */
	const char *suite;
	const char *jsonl_path;
	const char *kernels_name;
	const char *wanted;
	bool cpu_time;
	bool quick;

	const struct quill_kernels *kernels;
	FILE *jsonl;
	/* the suite that runs, and what bench_report() has seen of it */
	const char *running;
	unsigned int ratios;
	double log_sum;
	double worst;
	char worst_case[64];
};

/* ---- common.c ------------------------------------------------------------------ */

double bench_now(void);
/** bench_wants() - the command line asks for this case: to be looked at before anything is made for it */
bool bench_wants(const struct bench *b, const char *name);
/** bench_alloc() - on huge pages where the host has them; exits if there is no memory */
void *bench_alloc(size_t size);
uint32_t bench_random(uint64_t *state);
/** bench_cache_bytes() - of the last cache level */
size_t bench_cache_bytes(void);
/** bench_copies() - how many operands of @size make sure that none is still in a cache when its turn comes again */
unsigned int bench_copies(size_t size);

#define BENCH_MAX_SIDES		4
#define BENCH_MAX_ROUNDS	15

/**
 * struct bench_side - one of those that take turns
 */
struct bench_side {
	/** @run: does its work once; false: it failed, and has said so. */
	bool (*run)(void *arg);
	void *arg;
	/** @work: what a call does, in any unit; 0: 1. */
	double work;
	/** @ours: what a call of side 0 does in that unit; 0: 1. */
	double ours;
};

/**
 * struct bench_times - of each side
 */
struct bench_times {
	/** @seconds: a call, median. */
	double seconds[BENCH_MAX_SIDES];
	/** @ratio: side 0's speed to this side's, median of the turns'. */
	double ratio[BENCH_MAX_SIDES];
};

/** bench_turns() - @count sides in turns, the first of them ours */
bool bench_turns(struct bench *b, const struct bench_side *sides, unsigned int count,
		 struct bench_times *times);

/**
 * struct bench_result - one line of the table and of the JSON
 */
struct bench_result {
	const char *name;
	const char *metric;
	const char *unit;
	double value;
	/** @peer: who it is held against, or NULL. */
	const char *peer;
	double peer_value;
	/** @ratio: to the peer, above 1: ours is better. */
	double ratio;
	/** @limit: "peak", "fma", "stream", or NULL. */
	const char *limit;
	/** @of_limit: the part of it that was reached. */
	double of_limit;
};

/** bench_head() - the suite's title and the table's head */
void bench_head(struct bench *b, const char *title);
void bench_report(struct bench *b, const struct bench_result *r);

/* ---- pool.c --------------------------------------------------------------------- */

struct bench_pool;

/** bench_pool_new() - @threads of them, the caller included; NULL if they cannot be had */
struct bench_pool *bench_pool_new(unsigned int threads);
void bench_pool_free(struct bench_pool *p);
/** bench_pool_run() - @work for pieces 0..@pieces-1, by all threads; below 2^20 pieces */
void bench_pool_run(struct bench_pool *p, void (*work)(void *arg, uint32_t piece), void *arg,
		    uint32_t pieces);
unsigned int bench_pool_threads(const struct bench_pool *p);

/* ---- limit.c -------------------------------------------------------------------- */

/*
 * What the machine can do with so many threads, whatever the program: to be measured beside what is held against it,
 * as one more side. bench_limit_side() fills in all but the side's @ours: operations or bytes of a call of side 0.
 */
struct bench_limit;

/** bench_peak_new() - int8 multiply-adds (two operations each) out of registers, by the kernels' instructions */
struct bench_limit *bench_peak_new(struct bench *b, unsigned int threads);
/** bench_fma_new() - float32 multiply-adds (two operations each) out of registers */
struct bench_limit *bench_fma_new(struct bench *b, unsigned int threads);
/** bench_stream_new() - bytes read from memory, by the fastest of several ways of reading */
struct bench_limit *bench_stream_new(struct bench *b, unsigned int threads);
void bench_limit_free(struct bench_limit *l);
/** bench_limit_seconds() - what a call of the side took, at best, when the limit was made */
double bench_limit_seconds(const struct bench_limit *l);
struct bench_side bench_limit_side(struct bench_limit *l, double ours);

/* ---- device.c ------------------------------------------------------------------- */

/*
 * The device without its firmware: commands go straight to their executor, as the issue port hands them on, with the
 * device's own threads, page tables and memory.
 */
struct bench_device;

struct bench_device *bench_device_new(struct bench *b, unsigned int threads, size_t memory);
void bench_device_free(struct bench_device *d);
/** bench_device_alloc() - memory of the device's address space; @va: where the device sees it */
void *bench_device_alloc(struct bench_device *d, size_t size, uint64_t *va);
/** bench_device_run() - one command to its end; false: it faulted, which is said */
bool bench_device_run(struct bench_device *d, const union quill_cmd *cmd);

#endif /* QUILL_BENCH_H */
