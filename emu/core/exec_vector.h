/* SPDX-License-Identifier: MIT */
/*
 * VECTOR commands as tables of operands: what exec_vector_ops.c says and exec_vector.c runs.
 */
#ifndef QUILL_CORE_EXEC_VECTOR_H
#define QUILL_CORE_EXEC_VECTOR_H

#include <assert.h>

#include "core.h"

/* One scratch buffer each. */
#define VECTOR_OPERANDS	6
/* And one for the kernel. */
#define VECTOR_SCRATCH	((enum dma_scratch)VECTOR_OPERANDS)
static_assert(VECTOR_OPERANDS < DMA_SCRATCH_COUNT, "an operand has a scratch buffer");

/* struct vector_operand - a matrix that the command walks along; those that are read come first */
struct vector_operand {
	uint64_t va;		/* 0: absent */
	uint64_t stride;	/* bytes from row to row; 0: one row for all */
	uint32_t size;		/* of an element */
	/* Columns of the command to an element; 0: every tile has the same @width elements. */
	uint32_t share;
	uint32_t width;
	bool write;
};

/* struct vector_tile - rows and columns of a command, its operands as the kernel sees them */
struct vector_tile {
	uint32_t row, rows;
	uint32_t col, cols;
	void *ptr[VECTOR_OPERANDS];	/* NULL: absent */
	size_t stride[VECTOR_OPERANDS];	/* elements */
	void *scratch;
	bool stream;			/* results had better not go through the caches */
};

/* struct vector - a command that is under way */
struct vector {
	struct exec *x;
	const union quill_cmd *cmd;
	void (*run)(const struct vector *v, const struct vector_tile *t);
	uint32_t rows, n;
	uint32_t unit;		/* a tile's columns start at a multiple of it, and end at one or at @n */
	uint64_t scratch;	/* bytes that a tile wants to itself */
	struct vector_operand op[VECTOR_OPERANDS];
	unsigned int ops;

	/* exec_vector()'s own */
	bool stream;		/* for tiles whose results are in place */
	uint32_t tile_rows, tile_cols;
	uint32_t col_tiles;
};

uint32_t exec_vector(struct vector *v, struct dma_fault *fault);

#endif /* QUILL_CORE_EXEC_VECTOR_H */
