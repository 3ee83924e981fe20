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

/* Q8_0: rows i and i + 4 in the halves of register i, i + 8 and i + 12 in those of register i + 4. */
static inline __attribute__((always_inline)) void
block_dots_q8(const uint32_t rows, const int8_t *a, size_t lda, const uint8_t *b, size_t ldb,
	      vi *dot)
{
	const __m512i flip = _mm512_set1_epi8(-128);
	__m512i bb[8], v[8], x, y;

	_Pragma("GCC unroll 8")
	for (uint32_t i = 0; i < 8; i++) {
		const uint8_t *p = b + (i % 4 + i / 4 * 8) * ldb + 2;
		__m256i lo = _mm256_loadu_si256((const __m256i *)p);
		__m256i hi = _mm256_loadu_si256((const __m256i *)(p + 4 * ldb));

		bb[i] = _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1), flip);
	}
	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < rows; r++) {
		__m512i aa = _mm512_broadcast_i64x4(
			_mm256_loadu_si256((const __m256i *)(a + r * lda)));

		_Pragma("GCC unroll 8")
		for (uint32_t i = 0; i < 8; i++)
			v[i] = micro_dot(_mm512_setzero_si512(), bb[i], aa);
		x = block_add4(v);
		y = block_add4(v + 4);
		dot[r] = _mm512_add_epi32(_mm512_shuffle_i32x4(x, y, 0x88),
					  _mm512_shuffle_i32x4(x, y, 0xdd));
	}
}

/* Q4_0: rows i, i + 4, i + 8, i + 12 in the quarters of register i. */
static inline __attribute__((always_inline)) void
block_dots_q4(const uint32_t rows, const int8_t *a, size_t lda, const uint8_t *b, size_t ldb,
	      vi *dot)
{
	__m512i bb[4], v[4];

	_Pragma("GCC unroll 4")
	for (uint32_t i = 0; i < 4; i++) {
		const uint8_t *p = b + i * ldb + 2;
		__m256i lo = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p));
		__m256i hi = _mm256_castsi128_si256(
			_mm_loadu_si128((const __m128i *)(p + 8 * ldb)));

		lo = _mm256_inserti128_si256(lo, _mm_loadu_si128((const __m128i *)(p + 4 * ldb)), 1);
		hi = _mm256_inserti128_si256(hi, _mm_loadu_si128((const __m128i *)(p + 12 * ldb)), 1);
		bb[i] = _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
	}
	_Pragma("GCC unroll 4")
	for (uint32_t r = 0; r < rows; r++) {
		const __m128i *p = (const __m128i *)(a + r * lda);
		__m512i lo = _mm512_broadcast_i32x4(_mm_loadu_si128(p));
		__m512i hi = _mm512_broadcast_i32x4(_mm_loadu_si128(p + 1));

		_Pragma("GCC unroll 4")
		for (uint32_t i = 0; i < 4; i++)
			v[i] = micro_dot(micro_dot(_mm512_setzero_si512(), bcell_low(bb[i]), lo),
					 bcell_high(bb[i]), hi);
		dot[r] = block_add4(v);
	}
}

static inline __attribute__((always_inline)) void
block_dots(const uint32_t rows, const bool q4, const int8_t *a, size_t lda, const uint8_t *b,
	   size_t ldb, vi *dot)
{
	if (q4)
		block_dots_q4(rows, a, lda, b, ldb, dot);
	else
		block_dots_q8(rows, a, lda, b, ldb, dot);
}

/* The compiler is not to see where a value comes from: it would make vectors of scalars, and pointers of pointers. */
#define BLOCK_OPAQUE(x) __asm__("" : "+r"(x))

static inline int64_t block_scales4(const uint8_t *b, size_t ldb)
{
	uint16_t s[4];
	uint64_t x;

	_Pragma("GCC unroll 4")
	for (int i = 0; i < 4; i++)
		memcpy(&s[i], b + i * ldb, 2);
	x = (uint64_t)(s[0] | (uint32_t)s[1] << 16) | (uint64_t)(s[2] | (uint32_t)s[3] << 16) << 32;
	BLOCK_OPAQUE(x);
	return (int64_t)x;
}

static inline vf block_scales(const uint8_t *b, size_t ldb)
{
	const uint8_t *b4 = b + 4 * ldb, *b8 = b + 8 * ldb, *b12 = b + 12 * ldb;

	return _mm512_cvtph_ps(_mm256_setr_epi64x(block_scales4(b, ldb), block_scales4(b4, ldb),
						  block_scales4(b8, ldb), block_scales4(b12, ldb)));
}

static inline void block_prefetch(const uint8_t *p)
{
	_mm_prefetch((const char *)p, _MM_HINT_T0);
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
