/* SPDX-License-Identifier: MIT */
/* Cells of block weights for AVX-512 VNNI. block_scalar.h says what each function is. */
#ifndef QUILL_BLOCK_AVX512_H
#define QUILL_BLOCK_AVX512_H

#include "lanes_avx512.h"
#include "micro_avx512.h"
#include "pack_avx512.h"

/* 12 sums and 12 accumulators; 2 registers of B, 2 of scales, 1 of A. */
#define BLOCK_ROWS	6
#define BLOCK_COLS	2
/* Rows at once of weights as they come; with more than so many, unpacking them pays. */
#define BLOCK_DIRECT	4
#define BLOCK_FEW	8

typedef __m512i bcell;
typedef __m512i acell;

static inline bcell bcell_load(const uint8_t *p)
{
	return _mm512_loadu_si512(p);
}

static inline bcell bcell_low(bcell b)
{
	return _mm512_and_si512(b, _mm512_set1_epi8(15));
}

static inline bcell bcell_high(bcell b)
{
	return _mm512_and_si512(_mm512_srli_epi16(b, 4), _mm512_set1_epi8(15));
}

static inline acell acell_load(const int8_t *a)
{
	return _mm512_set1_epi32(micro_load4(a));
}

static inline vi cell_dot(vi sum, bcell b, acell a)
{
	return micro_dot(sum, b, a);
}

/* Four registers, each with several rows' partial sums in its quarters, as one: row i of quarter q in lane 4 q + i. */
static inline __m512i block_add4(const __m512i v[4])
{
	__m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]),
				      _mm512_unpackhi_epi32(v[0], v[1]));
	__m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]),
				      _mm512_unpackhi_epi32(v[2], v[3]));

	return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

/* One block of each of 16 rows. */
struct block16 {
	/*
	 * Q8_0: rows i and i + 4 in the halves of v[i], i + 8 and i + 12 in those of v[i + 4].
	 * Q4_0: rows i, i + 4, i + 8, i + 12 in the quarters of v[i].
	 */
	__m512i v[8];
	vf scale;
};

/* Where row 4 q + i, at @p, goes: quarters of a sort. */
static inline __attribute__((always_inline)) void
block_put(struct block16 *b, const bool q4, const uint32_t i, const uint32_t q, const uint8_t *p)
{
	if (q4) {
		__m128i x = _mm_loadu_si128((const __m128i *)(p + 2));

		b->v[i] = q ? _mm512_inserti32x4(b->v[i], x, q) : _mm512_castsi128_si512(x);
	} else {
		__m256i x = _mm256_loadu_si256((const __m256i *)(p + 2));
		__m512i *v = &b->v[q / 2 * 4 + i];

		*v = q % 2 ? _mm512_inserti64x4(*v, x, 1) : _mm512_castsi256_si512(x);
	}
}

/*
 * Row by row, and what comes @ahead fetched. The compiler is to hold one pointer, not sixteen, and to leave scales in
 * scalar registers, of which there are enough.
 */
static inline __attribute__((always_inline)) void
block_load(struct block16 *b, const bool q4, const uint8_t *p, size_t ldb)
{
	uint64_t scale[4] = { 0 };
	uint16_t d;

	_Pragma("GCC unroll 16")
	for (uint32_t r = 0; r < 16; r++) {
		memcpy(&d, p, sizeof(d));
		scale[r / 4] |= (uint64_t)d << (r % 4 * 16);
		block_put(b, q4, r % 4, r / 4, p);
		p += ldb;
		__asm__("" : "+r"(p), "+r"(scale[r / 4]));
	}
	b->scale = _mm512_cvtph_ps(_mm256_setr_epi64x((int64_t)scale[0], (int64_t)scale[1],
						      (int64_t)scale[2], (int64_t)scale[3]));
	_Pragma("GCC unroll 8")
	for (uint32_t i = 0; i < 8 && !q4; i++)
		b->v[i] = _mm512_xor_si512(b->v[i], _mm512_set1_epi8(-128));
}

static inline __attribute__((always_inline)) vi
block_dot(const struct block16 *b, const bool q4, const int8_t *a)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i v[8], x, y;

	if (q4) {
		__m512i lo = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)a));
		__m512i hi = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)a + 1));

		_Pragma("GCC unroll 4")
		for (uint32_t i = 0; i < 4; i++)
			v[i] = micro_dot(micro_dot(zero, bcell_low(b->v[i]), lo),
					 bcell_high(b->v[i]), hi);
		return block_add4(v);
	}
	x = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)a));
	_Pragma("GCC unroll 8")
	for (uint32_t i = 0; i < 8; i++)
		v[i] = micro_dot(zero, b->v[i], x);
	x = block_add4(v);
	y = block_add4(v + 4);
	return _mm512_add_epi32(_mm512_shuffle_i32x4(x, y, 0x88), _mm512_shuffle_i32x4(x, y, 0xdd));
}

/* Two blocks of a row, or (@blocks 1) one and nothing, as 64 unsigned bytes. */
static inline __m512i block_bytes(const uint8_t *b, uint32_t blocks, bool q4)
{
	const size_t next = blocks > 1 ? (q4 ? sizeof(struct quill_q4_0) : sizeof(struct quill_q8_0)) : 0;
	__m256i lo, hi;

	if (!q4) {
		lo = _mm256_loadu_si256((const __m256i *)(b + 2));
		hi = _mm256_loadu_si256((const __m256i *)(b + 2 + next));
		return _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1),
					_mm512_set1_epi8(-128));
	}
	lo = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(b + 2)));
	hi = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(b + 2 + next)));
	/* the low nibbles stay in the even quarters, the high ones come down in the odd */
	return _mm512_and_si512(
		_mm512_srlv_epi64(_mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1),
				  _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4)),
		_mm512_set1_epi8(15));
}

static inline void block_unpack16(uint8_t *cells, const uint8_t *b, size_t ldb, uint32_t rows,
				  uint32_t blocks, bool q4)
{
	const size_t size = q4 ? sizeof(struct quill_q4_0) : sizeof(struct quill_q8_0);
	uint32_t i, j, n;

	for (i = 0; i < blocks; i += n, b += n * size, cells += n * 8 * QUILL_PANEL_GROUP) {
		__m512i x[16];

		n = blocks - i < 2 ? 1 : 2;
		for (j = 0; j < 16; j++)
			x[j] = block_bytes(b + (j < rows ? j : 0) * ldb, n, q4);
		pack_quads(x);
		for (j = 0; j < 4; j++)
			pack_columns(cells, x, j, 8 * n);
	}
}

#endif /* QUILL_BLOCK_AVX512_H */
