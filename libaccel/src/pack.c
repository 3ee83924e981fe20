// SPDX-License-Identifier: MIT
/*
 * Packing: from a plain matrix to the panels that the TENSOR engine reads (isa.h: "Packed B").
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

uint64_t accel_packed_size(uint32_t n, uint32_t k)
{
	if (!n || n > QUILL_GEMM_MAX_MN || !k || k > QUILL_GEMM_MAX_K)
		return 0;
	return quill_packed_size(n, k);
}

/* One group: 4 rows (k) of 64 columns, column by column. @n, @k: what of it exists. */
static void accel_pack_group(uint8_t *dst, const int8_t *src, uint32_t n, uint32_t k,
			     size_t step_n, size_t step_k)
{
	uint32_t i, j;

	if (n < QUILL_PANEL_N || k < QUILL_PANEL_K)
		memset(dst, ACCEL_PAD, QUILL_PANEL_GROUP);
	for (i = 0; i < n; i++)
		for (j = 0; j < k; j++)
			dst[i * QUILL_PANEL_K + j] =
				(uint8_t)src[i * step_n + j * step_k] ^ ACCEL_PAD;
}

static uint32_t accel_min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int accel_pack_s8(void *dst, const int8_t *src, uint32_t n, uint32_t k, size_t ld,
		  enum accel_order order)
{
	bool nk = order == ACCEL_ORDER_NK;
	size_t row = nk ? k : n, step_n, step_k;
	uint8_t *out = dst;
	uint32_t i, j;

	ld = ld ? ld : row;
	if (!accel_packed_size(n, k) || ld < row || (!nk && order != ACCEL_ORDER_KN))
		return -EINVAL;
	step_n = nk ? ld : 1;
	step_k = nk ? 1 : ld;

	for (i = 0; i < n; i += QUILL_PANEL_N) {
		for (j = 0; j < k; j += QUILL_PANEL_K) {
			accel_pack_group(out, src + i * step_n + j * step_k,
					 accel_min(n - i, QUILL_PANEL_N),
					 accel_min(k - j, QUILL_PANEL_K), step_n, step_k);
			out += QUILL_PANEL_GROUP;
		}
	}
	return 0;
}
