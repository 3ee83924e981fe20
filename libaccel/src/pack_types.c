// SPDX-License-Identifier: MIT
/*
 * Packing weights of other types than int8 (isa_weights.h): panels of 64 columns, groups of 256 bytes in
 * which a column has 4 bytes.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static bool accel_packs(enum accel_type type)
{
	return type == ACCEL_S8 || type == ACCEL_S4 || type == ACCEL_BF16 || type == ACCEL_E4M3 ||
	       type == ACCEL_E5M2;
}

uint64_t accel_packed_size_of(enum accel_type type, uint32_t n, uint32_t k)
{
	if (!n || n > QUILL_GEMM_MAX_MN || !k || k > QUILL_GEMM_MAX_K || !accel_packs(type))
		return 0;
	return quill_packed_size_of(type, n, k);
}

struct accel_pack {
	enum accel_type type;
	uint8_t *dst;
	const uint8_t *src;
	/* bytes from column to column, and from k to k */
	size_t step_n, step_k;
	uint32_t k;
};

/* A column's values from @k on that are in one group, as its 4 bytes; what does not exist is 0. */
static void accel_pack_cell(const struct accel_pack *p, const uint8_t *src, uint32_t k, uint8_t cell[4])
{
	uint32_t values = quill_packed_values(p->type), i;
	size_t size = p->type == ACCEL_BF16 ? 2 : 1;

	memset(cell, p->type == ACCEL_S8 ? 0x80 : p->type == ACCEL_S4 ? 0x88 : 0, 4);
	for (i = 0; i < values && k + i < p->k; i++, src += p->step_k) {
		if (p->type == ACCEL_S4)
			cell[i % 4] ^= (uint8_t)((*src & 15) << (i / 4 * 4));
		else if (p->type == ACCEL_S8)
			cell[i] ^= *src;
		else
			memcpy(cell + i * size, src, size);
	}
}

/* A value of 4 bits comes in a byte of its own. */
static bool accel_all_s4(const struct accel_pack *p, uint32_t n)
{
	uint32_t i, j;
	int8_t x;

	for (i = 0; i < n; i++)
		for (j = 0; j < p->k; j++) {
			x = (int8_t)p->src[i * p->step_n + j * p->step_k];
			if (x < -8 || x > 7)
				return false;
		}
	return true;
}

int accel_pack(void *dst, enum accel_type type, const void *src, uint32_t n, uint32_t k, size_t ld,
	       enum accel_order order)
{
	size_t size = type == ACCEL_BF16 ? 2 : 1;
	size_t row = order == ACCEL_ORDER_NK ? k : n;
	struct accel_pack p = { .type = type, .dst = dst, .src = src, .k = k };
	uint32_t values, i, j;
	uint8_t *panel;

	ld = ld ? ld : row;
	if (!accel_packed_size_of(type, n, k) || ld < row ||
	    (order != ACCEL_ORDER_NK && order != ACCEL_ORDER_KN))
		return -EINVAL;
	p.step_n = (order == ACCEL_ORDER_NK ? ld : 1) * size;
	p.step_k = (order == ACCEL_ORDER_NK ? 1 : ld) * size;
	if (type == ACCEL_S4 && !accel_all_s4(&p, n))
		return -EDOM;

	values = quill_packed_values(type);
	for (i = 0; i < (n + 63) / 64 * 64; i++) {
		panel = p.dst + i / 64 * quill_packed_panel_of(type, k) + i % 64 * 4;
		/* a column that is not there has no k either */
		p.k = i < n ? k : 0;
		for (j = 0; j < k; j += values, panel += 256)
			accel_pack_cell(&p, p.src + (i < n ? i * p.step_n + j * p.step_k : 0), j, panel);
	}
	return 0;
}
