/* SPDX-License-Identifier: MIT */
/*
 * Cells of block weights, plain C. block_avx2.h and block_avx512.h define the same.
 *
 * A cell is 16 columns of B by 4 k, as unsigned bytes: the weights plus 128 (Q8_0) or 8 (Q4_0, S4).
 */
#ifndef QUILL_BLOCK_SCALAR_H
#define QUILL_BLOCK_SCALAR_H

#include "lanes_scalar.h"
#include "narrow.h"

/* Rows of A, and vectors of 16 columns, of one call of block_rows(). */
#define BLOCK_ROWS	2
#define BLOCK_COLS	1
/* Rows of A at once where weights are used as they come, and with how many rows at most they are. */
#define BLOCK_DIRECT	1
#define BLOCK_FEW	2

typedef struct { uint8_t v[LANES * 4]; } bcell;
typedef struct { int8_t v[4]; } acell;

static inline bcell bcell_load(const uint8_t *p)
{
	bcell b;

	memcpy(b.v, p, sizeof(b.v));
	return b;
}

/* S4: the low and the high half of each byte. */
static inline bcell bcell_low(bcell b)
{
	for (uint32_t i = 0; i < sizeof(b.v); i++)
		b.v[i] &= 15;
	return b;
}

static inline bcell bcell_high(bcell b)
{
	for (uint32_t i = 0; i < sizeof(b.v); i++)
		b.v[i] >>= 4;
	return b;
}

static inline acell acell_load(const int8_t *a)
{
	acell r;

	memcpy(r.v, a, sizeof(r.v));
	return r;
}

/* sum + the products of each column's 4 bytes with those of A. */
static inline vi cell_dot(vi sum, bcell b, acell a)
{
	for EACH_LANE(i)
		for (int j = 0; j < 4; j++)
			sum.v[i] += b.v[4 * i + j] * a.v[j];
	return sum;
}

static inline int32_t block_weight(const uint8_t *b, uint32_t k, bool q4)
{
	if (q4)
		return k < 16 ? b[2 + k] & 15 : b[2 + k - 16] >> 4;
	return b[2 + k] ^ 0x80;
}

/* One block of each of 16 rows of B, @ldb bytes apart. */
struct block16 {
	const uint8_t *b;
	size_t ldb;
	vf scale;
};

static inline void block_load(struct block16 *b, const bool q4, const uint8_t *p, size_t ldb)
{
	uint16_t x;

	b->b = p;
	b->ldb = ldb;
	for EACH_LANE(i) {
		memcpy(&x, p + i * ldb, sizeof(x));
		b->scale.v[i] = widen_f16(x);
	}
}

/* The products with a block of A, each row's added up. */
static inline vi block_dot(const struct block16 *b, const bool q4, const int8_t *a)
{
	vi dot = vi_set1(0);

	for EACH_LANE(i)
		for (uint32_t k = 0; k < QUILL_BLOCK; k++)
			dot.v[i] += a[k] * block_weight(b->b + i * b->ldb, k, q4);
	return dot;
}

#include "block_unpack.h"

#endif /* QUILL_BLOCK_SCALAR_H */
