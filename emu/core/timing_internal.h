/* SPDX-License-Identifier: MIT */
/*
 * What the cost functions of timing_*.c are made of. One a command: it says what the command reads and writes
 * (cost_read(), cost_write()), how many multiply-adds and operations it makes (macs, mac_kind, vector_ops), what they
 * take, and ends in finish() or finish_vector().
 */
#ifndef QUILL_CORE_TIMING_INTERNAL_H
#define QUILL_CORE_TIMING_INTERNAL_H

#include "timing.h"

static inline uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

static inline uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * An operand of @rows rows of @width bytes is read once, or written. At address 0 there is none. Rows in memory are rounded up to
 * bursts; those in the scratchpad are no memory traffic.
 */
void cost_read(const struct profile *p, struct cost *cost, uint64_t addr, uint64_t rows,
	       uint64_t width);
void cost_write(const struct profile *p, struct cost *cost, uint64_t addr, uint64_t rows,
		uint64_t width);
/* The same, looked at @passes times: again only what half of the scratchpad cannot hold. */
void cost_read_again(const struct profile *p, struct cost *cost, uint64_t addr, uint64_t rows,
		     uint64_t width, uint64_t passes);

/* Arithmetic takes @compute cycles; memory is moved at the same time, but for the first byte's latency. */
void finish(const struct profile *p, uint64_t compute, struct cost *cost);
/* VECTOR: @ops operations for each of @n elements of each row. */
void finish_vector(const struct profile *p, uint64_t rows, uint64_t n, uint64_t ops,
		   struct cost *cost);

/*
 * Weight-stationary arrays: @blocks squares of weights are loaded one after the other, each behind the @rows rows that stream
 * through the one before it, so that a pass takes the longer of the two. Where there are fewer squares than arrays, the
 * arrays share the rows.
 */
uint64_t systolic_cycles(const struct profile *p, uint64_t blocks, uint64_t rows,
			 enum mac_kind kind);

/* One a command of the table that has an engine. */
#define COST_DECLARE_FW(name)
#define COST_DECLARE_TENSOR(name)	\
	void cost_##name(const struct profile *p, const union quill_cmd *cmd, struct cost *cost);
#define COST_DECLARE_VECTOR(name)	COST_DECLARE_TENSOR(name)
#define COST_DECLARE_DMA(name)		COST_DECLARE_TENSOR(name)
#define QUILL_X(NAME, name, code, engine, ...) COST_DECLARE_##engine(name)
QUILL_OPCODES(QUILL_X)
#undef QUILL_X

#endif /* QUILL_CORE_TIMING_INTERNAL_H */
