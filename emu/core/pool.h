/* SPDX-License-Identifier: MIT */
/*
 * The workers: tiles of a command, run by whoever is free.
 *
 * The thread that brings a job works on it too, so `threads` of 1 means no worker at all.
 */
#ifndef QUILL_CORE_POOL_H
#define QUILL_CORE_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dma.h"

struct pool;

/* struct pool_job - tiles 0..@tiles-1, taken in this order, finished in any */
struct pool_job {
	uint32_t (*tile)(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault);
	void *arg;
	uint64_t tiles;
	_Atomic bool *abort;

	/* The pool's own. */
	_Atomic uint64_t next;
	_Atomic unsigned int active;
	uint64_t fault_tile;
	struct dma_fault fault;
	struct pool_job *link;
};

struct pool *pool_new(struct quill_emu *emu, unsigned int workers);
void pool_free(struct pool *pool);

/*
 * pool_run() - run all tiles of @job, with helpers if @helped
 *
 * Return: 0, QUILL_FAULT_KILLED if aborted, or the fault of the first tile (by number) that had
 * one, which is the same whoever ran what.
 */
uint32_t pool_run(struct pool *pool, struct pool_job *job, struct dma_ctx *ctx, bool helped,
		  struct dma_fault *fault);

#endif /* QUILL_CORE_POOL_H */
