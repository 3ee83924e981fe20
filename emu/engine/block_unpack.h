/* SPDX-License-Identifier: MIT */
/* Blocks to cells, plain C. block_avx512.h has its own. */
#ifndef QUILL_BLOCK_UNPACK_H
#define QUILL_BLOCK_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "quill/isa.h"

/* One block as 32 unsigned bytes. */
static inline void block_bytes(uint8_t *to, const uint8_t *b, bool q4)
{
	uint32_t k;

	for (k = 0; !q4 && k < QUILL_BLOCK; k++)
		to[k] = b[2 + k] ^ 0x80;
	for (k = 0; q4 && k < QUILL_BLOCK / 2; k++) {
		to[k] = b[2 + k] & 15;
		to[k + QUILL_BLOCK / 2] = b[2 + k] >> 4;
	}
}

/* @rows up to 16 rows of B, @blocks blocks of each, as 16 columns of a panel; columns from @rows on are any. */
static inline void block_unpack16(uint8_t *cells, const uint8_t *b, size_t ldb, uint32_t rows,
				  uint32_t blocks, bool q4)
{
	const size_t size = q4 ? sizeof(struct quill_q4_0) : sizeof(struct quill_q8_0);
	uint32_t i, j, g;

	for (i = 0; i < blocks; i++) {
		for (j = 0; j < rows; j++) {
			uint8_t bytes[QUILL_BLOCK];

			block_bytes(bytes, b + j * ldb + i * size, q4);
			for (g = 0; g < QUILL_BLOCK / 4; g++)
				memcpy(cells + (i * 8 + g) * QUILL_PANEL_GROUP + j * 4, bytes + 4 * g, 4);
		}
	}
}

#endif /* QUILL_BLOCK_UNPACK_H */
