/* SPDX-License-Identifier: MIT */
/* Rows of int8 as a panel of B (transposed), plain C. pack_avx512.h is the same for AVX-512. */
#ifndef QUILL_PACK_LOOPS_H
#define QUILL_PACK_LOOPS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "quill/isa.h"

/* Row j of @rows becomes column j; k is a multiple of 16. Columns from @rows on are left alone. */
static inline void micro_pack(uint8_t *panel, const int8_t *from, size_t stride, uint32_t rows,
			      uint32_t k)
{
	uint32_t j, g, x;

	for (j = 0; j < rows; j++, from += stride) {
		for (g = 0; g < k / QUILL_PANEL_K; g++) {
			memcpy(&x, from + g * QUILL_PANEL_K, QUILL_PANEL_K);
			x ^= 0x80808080;
			memcpy(panel + g * QUILL_PANEL_GROUP + j * QUILL_PANEL_K, &x,
			       QUILL_PANEL_K);
		}
	}
}

#endif /* QUILL_PACK_LOOPS_H */
