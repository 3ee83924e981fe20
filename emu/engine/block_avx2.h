/* SPDX-License-Identifier: MIT */
/* Cells of block weights for AVX2. block_scalar.h says what each function is. */
#ifndef QUILL_BLOCK_AVX2_H
#define QUILL_BLOCK_AVX2_H

#include "lanes_avx2.h"

/* 4 sums and 4 accumulators, 4 registers of B. */
#define BLOCK_ROWS	2
#define BLOCK_COLS	1
#define BLOCK_DIRECT	2
#define BLOCK_FEW	4

/* Bytes as 16 bits, the even and the odd ones of each 4: vpmaddubsw would saturate. */
typedef struct { __m256i even[2], odd[2]; } bcell;
typedef struct { __m256i even, odd; } acell;

static inline bcell bcell_split(__m256i x, __m256i y)
{
	const __m256i low = _mm256_set1_epi16(0xff);

	return (bcell){
		{ _mm256_and_si256(x, low), _mm256_and_si256(y, low) },
		{ _mm256_srli_epi16(x, 8), _mm256_srli_epi16(y, 8) },
	};
}

static inline bcell bcell_load(const uint8_t *p)
{
	return bcell_split(_mm256_loadu_si256((const __m256i *)p),
			   _mm256_loadu_si256((const __m256i *)(p + 32)));
}

static inline bcell bcell_low(bcell b)
{
	const __m256i low = _mm256_set1_epi16(15);

	for (int i = 0; i < 2; i++) {
		b.even[i] = _mm256_and_si256(b.even[i], low);
		b.odd[i] = _mm256_and_si256(b.odd[i], low);
	}
	return b;
}

static inline bcell bcell_high(bcell b)
{
	for (int i = 0; i < 2; i++) {
		b.even[i] = _mm256_srli_epi16(b.even[i], 4);
		b.odd[i] = _mm256_srli_epi16(b.odd[i], 4);
	}
	return b;
}

static inline acell acell_load(const int8_t *a)
{
	__m256i x;
	int32_t four;

	memcpy(&four, a, sizeof(four));
	x = _mm256_set1_epi32(four);
	return (acell){ _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8), _mm256_srai_epi16(x, 8) };
}

static inline vi cell_dot(vi sum, bcell b, acell a)
{
	sum.a = _mm256_add_epi32(sum.a, _mm256_madd_epi16(b.even[0], a.even));
	sum.b = _mm256_add_epi32(sum.b, _mm256_madd_epi16(b.even[1], a.even));
	sum.a = _mm256_add_epi32(sum.a, _mm256_madd_epi16(b.odd[0], a.odd));
	sum.b = _mm256_add_epi32(sum.b, _mm256_madd_epi16(b.odd[1], a.odd));
	return sum;
}

/* One block of each of 16 rows. */
struct block16 {
	const uint8_t *b;
	size_t ldb;
	vf scale;
};

static inline void block_load(struct block16 *b, const bool q4, const uint8_t *p, size_t ldb)
{
	uint16_t s[16];

	b->b = p;
	b->ldb = ldb;
	for (int i = 0; i < 16; i++, p += ldb)
		memcpy(&s[i], p, 2);
	b->scale = (vf){
		_mm256_cvtph_ps(_mm_setr_epi16((short)s[0], (short)s[1], (short)s[2], (short)s[3],
					       (short)s[4], (short)s[5], (short)s[6], (short)s[7])),
		_mm256_cvtph_ps(_mm_setr_epi16((short)s[8], (short)s[9], (short)s[10], (short)s[11],
					       (short)s[12], (short)s[13], (short)s[14], (short)s[15])),
	};
}

/* A row's first and last 16 weights as 16 bits. */
static inline __attribute__((always_inline)) void block_words(const uint8_t *b, const bool q4,
							      __m256i w[2])
{
	__m128i x = _mm_loadu_si128((const __m128i *)(b + 2)), y;

	if (q4) {
		y = _mm_and_si128(_mm_srli_epi16(x, 4), _mm_set1_epi8(15));
		x = _mm_and_si128(x, _mm_set1_epi8(15));
	} else {
		y = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(b + 18)), _mm_set1_epi8(-128));
		x = _mm_xor_si128(x, _mm_set1_epi8(-128));
	}
	w[0] = _mm256_cvtepu8_epi16(x);
	w[1] = _mm256_cvtepu8_epi16(y);
}

/* Eight sums across a register each: sum i in lane i. */
static inline __m256i block_add8(const __m256i v[8])
{
	__m256i x = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
	__m256i y = _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));

	return _mm256_add_epi32(_mm256_permute2x128_si256(x, y, 0x20),
				_mm256_permute2x128_si256(x, y, 0x31));
}

static inline __attribute__((always_inline)) vi
block_dot(const struct block16 *b, const bool q4, const int8_t *a)
{
	const __m256i lo = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)a));
	const __m256i hi = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)a + 1));
	const uint8_t *p = b->b;
	__m256i v[16], w[2];

	for (int i = 0; i < 16; i++, p += b->ldb) {
		block_words(p, q4, w);
		v[i] = _mm256_add_epi32(_mm256_madd_epi16(w[0], lo), _mm256_madd_epi16(w[1], hi));
	}
	return (vi){ block_add8(v), block_add8(v + 8) };
}

#include "block_unpack.h"

#endif /* QUILL_BLOCK_AVX2_H */
