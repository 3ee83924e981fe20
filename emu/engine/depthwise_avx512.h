/* SPDX-License-Identifier: MIT */
/*
 * Depthwise windows for AVX-512 VNNI. depthwise_plain.h says what is computed.
 *
 * vpdpbusd adds up four neighbouring bytes, so four taps of a channel have to be neighbours: taps above one another
 * (those of a column, in fours) are interleaved. A column is interleaved once and then serves all windows that it is
 * part of. The bytes of the input have their sign bit flipped (they are the unsigned operand), and 128 times the sum of
 * the weights is taken away again.
 *
 * Interleaving works within 128 bits, so columns and sums are in quarters (lanes_avx512.h). The weights are prepared in that
 * order; requantisation brings the usual one back without effort.
 */
#ifndef QUILL_DEPTHWISE_AVX512_H
#define QUILL_DEPTHWISE_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#include "depthwise_plain.h"
#include "micro_avx512.h"

/* Fours of taps of a window that are held prepared: 7 by 7 has 14. Larger ones are left to plain C. */
#define DEPTHWISE_FOURS 16

struct depthwise {
	const uint8_t *b;
	uint32_t high;		/* fours of a column; 0: too many */
	bool quarters;		/* leave the sums in quarters */
	/* -128 times the sum of the weights */
	__m512i base[4];
	/* of column j, four i: [j * high + i] */
	__m512i weight[DEPTHWISE_FOURS][4];
};

/* Four bytes above one another of 64 channels, as quarters of neighbours. */
static inline void depthwise_interleave(__m512i to[4], const __m512i t[4])
{
	__m512i lo01 = _mm512_unpacklo_epi8(t[0], t[1]), hi01 = _mm512_unpackhi_epi8(t[0], t[1]);
	__m512i lo23 = _mm512_unpacklo_epi8(t[2], t[3]), hi23 = _mm512_unpackhi_epi8(t[2], t[3]);

	to[0] = _mm512_unpacklo_epi16(lo01, lo23);
	to[1] = _mm512_unpackhi_epi16(lo01, lo23);
	to[2] = _mm512_unpacklo_epi16(hi01, hi23);
	to[3] = _mm512_unpackhi_epi16(hi01, hi23);
}

/* The packed weights' bytes tap by tap, sign bits as they should be. */
static inline void depthwise_unpack(int8_t (*taps)[QUILL_PANEL_N], const uint8_t *b, uint32_t count)
{
	const __m128i flip = _mm_set1_epi8(-128);
	uint32_t k, c;

	for (k = 0; k < count; k++) {
		const uint8_t *group = b + (k / QUILL_PANEL_K) * QUILL_PANEL_GROUP;
		__m128i shift = _mm_cvtsi32_si128((int)(8 * (k % QUILL_PANEL_K)));

		for (c = 0; c < QUILL_PANEL_N; c += 16) {
			__m512i four = _mm512_loadu_si512(group + c * QUILL_PANEL_K);
			__m128i tap = _mm512_cvtepi32_epi8(_mm512_srl_epi32(four, shift));

			_mm_storeu_si128((__m128i *)&taps[k][c], _mm_xor_si128(tap, flip));
		}
	}
}

static inline void depthwise_prepare(struct depthwise *d, const struct quill_windows *w,
				     const uint8_t *b)
{
	int8_t taps[4 * DEPTHWISE_FOURS][QUILL_PANEL_N] __attribute__((aligned(64)));
	const __m512i unit = _mm512_set1_epi8(-128);	/* unsigned: 128 */
	uint32_t high = (w->kh + 3) / 4, i, j, q, r;
	__m512i t[4];

	d->b = b;
	d->high = 0;
	d->quarters = false;
	if (w->kw > DEPTHWISE_FOURS / high)
		return;
	d->high = high;
	depthwise_unpack(taps, b, w->kh * w->kw);
	for (q = 0; q < 4; q++)
		d->base[q] = _mm512_setzero_si512();
	for (j = 0; j < w->kw; j++) {
		for (i = 0; i < high; i++) {
			__m512i *weight = d->weight[j * high + i];

			for (r = 0; r < 4; r++)
				t[r] = 4 * i + r < w->kh ?
				       _mm512_load_si512(taps[(4 * i + r) * w->kw + j]) :
				       _mm512_setzero_si512();
			depthwise_interleave(weight, t);
			for (q = 0; q < 4; q++)
				d->base[q] = micro_dot(d->base[q], unit, weight[q]);
		}
	}
	for (q = 0; q < 4; q++)
		d->base[q] = _mm512_sub_epi32(_mm512_setzero_si512(), d->base[q]);
}

/* Four taps above one another, @rows of which exist: those that do not have weight 0. */
static inline void depthwise_column(__m512i to[4], const int8_t *src, size_t tap_line,
				    uint32_t rows, __mmask64 mask)
{
	const __m512i flip = _mm512_set1_epi8(-128);
	__m512i t[4];

	_Pragma("GCC unroll 4")
	for (uint32_t i = 0; i < 4; i++)
		t[i] = i < rows ? _mm512_xor_si512(flip, _mm512_maskz_loadu_epi8(mask,
									src + i * tap_line)) : flip;
	depthwise_interleave(to, t);
}

/* To the usual order. */
static inline void depthwise_transpose(int32_t *acc, const __m512i sum[4])
{
	__m512i a = _mm512_shuffle_i32x4(sum[0], sum[1], 0x44);
	__m512i b = _mm512_shuffle_i32x4(sum[2], sum[3], 0x44);
	__m512i c = _mm512_shuffle_i32x4(sum[0], sum[1], 0xee);
	__m512i d = _mm512_shuffle_i32x4(sum[2], sum[3], 0xee);

	_mm512_storeu_si512(acc, _mm512_shuffle_i32x4(a, b, 0x88));
	_mm512_storeu_si512(acc + 16, _mm512_shuffle_i32x4(a, b, 0xdd));
	_mm512_storeu_si512(acc + 32, _mm512_shuffle_i32x4(c, d, 0x88));
	_mm512_storeu_si512(acc + 48, _mm512_shuffle_i32x4(c, d, 0xdd));
}

/* Columns @from .. @from + @count - 1 of a line of windows, @step bytes apart. */
static inline void depthwise_columns(const struct depthwise *d, const struct quill_windows *w,
				     const int8_t *src, size_t step, uint32_t count,
				     __mmask64 mask, __m512i (*column)[4])
{
	uint32_t i, x;

	for (x = 0; x < count; x++, src += step)
		for (i = 0; i < d->high; i++)
			depthwise_column(*column++, src + 4 * i * w->tap_line, w->tap_line,
					 w->kh - 4 * i, mask);
}

/* @fours a constant where that pays: the weights then live in registers. */
static inline __attribute__((always_inline)) void
depthwise_dots(const struct depthwise *d, const uint32_t fours, const __m512i (*column)[4],
	       uint32_t apart, uint32_t pixels, int32_t (*acc)[QUILL_PANEL_N])
{
	uint32_t p, i, q;

	for (p = 0; p < pixels; p++, column += apart) {
		__m512i sum[4];

		_Pragma("GCC unroll 4")
		for (q = 0; q < 4; q++)
			sum[q] = d->base[q];
		_Pragma("GCC unroll 4")
		for (i = 0; i < fours; i++)
			_Pragma("GCC unroll 4")
			for (q = 0; q < 4; q++)
				sum[q] = micro_dot(sum[q], column[i][q], d->weight[i][q]);
		if (!d->quarters) {
			depthwise_transpose(acc[p], sum);
			continue;
		}
		_Pragma("GCC unroll 4")
		for (q = 0; q < 4; q++)
			_mm512_storeu_si512(&acc[p][16 * q], sum[q]);
	}
}

static inline void depthwise_windows(const struct depthwise *d, const struct quill_windows *w,
				     const int8_t *src, uint32_t n, uint32_t pixels,
				     int32_t (*acc)[QUILL_PANEL_N])
{
	__m512i column[DEPTHWISE_PIXELS * DEPTHWISE_FOURS][4];
	const uint32_t fours = w->kw * d->high;
	__mmask64 mask = ~0ull >> (64 - n);
	uint32_t apart, p;

	if (!d->high) {
		depthwise_plain(w, src, n, d->b, pixels, acc);
		return;
	}
	apart = w->tap_pixel ? (uint32_t)(w->pixel / w->tap_pixel) : 0;
	if (apart && apart <= w->kw && w->pixel % w->tap_pixel == 0) {
		/* windows that overlap share columns */
		depthwise_columns(d, w, src, w->tap_pixel, (pixels - 1) * apart + w->kw, mask,
				  column);
		apart *= d->high;
	} else {
		for (p = 0; p < pixels; p++)
			depthwise_columns(d, w, src + p * w->pixel, w->tap_pixel, w->kw, mask,
					  column + p * fours);
		apart = fours;
	}
	if (fours == 3)
		depthwise_dots(d, 3, column, apart, pixels, acc);
	else
		depthwise_dots(d, fours, column, apart, pixels, acc);
}

/* Have windows' sums in quarters from now on, and say so: @bias and @channel are brought into that order. */
static inline bool depthwise_in_quarters(struct depthwise *d, int32_t *bias,
					 struct quill_requant *channel)
{
	int32_t b[QUILL_PANEL_N];
	struct quill_requant c[QUILL_PANEL_N];
	uint32_t i, q;

	if (!d->high)
		return false;
	d->quarters = true;
	memcpy(b, bias, sizeof(b));
	memcpy(c, channel, sizeof(c));
	for (i = 0; i < 4; i++) {
		for (q = 0; q < 4; q++) {
			memcpy(bias + 16 * q + 4 * i, b + 16 * i + 4 * q, 4 * sizeof(*b));
			memcpy(channel + 16 * q + 4 * i, c + 16 * i + 4 * q, 4 * sizeof(*c));
		}
	}
	return true;
}

static inline void depthwise_requant(int8_t *p, const int32_t *acc, const int32_t *bias, uint32_t n,
				     const vrequant *q)
{
	avx512_requant_row(p, acc, bias, n, q, true);
}

#endif /* QUILL_DEPTHWISE_AVX512_H */
