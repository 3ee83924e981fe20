// SPDX-License-Identifier: MIT
/* The reference of CONV2D and POOL. */
#include <math.h>
#include <string.h>

#include "ref.h"
#include "ref_conv.h"

/* The input pixel under tap (i, j) of window (y, x) of image b; false: padding. */
static bool tap(const struct ref_images *s, uint32_t b, uint32_t y, uint32_t x, uint32_t i,
		uint32_t j, size_t *pixel)
{
	int64_t line = (int64_t)y * s->stride_h - s->pad_top + (int64_t)i * s->dilation_h;
	int64_t at = (int64_t)x * s->stride_w - s->pad_left + (int64_t)j * s->dilation_w;

	if (line < 0 || line >= s->in_h || at < 0 || at >= s->in_w)
		return false;
	*pixel = ((size_t)b * s->in_h + (size_t)line) * s->in_w + (size_t)at;
	return true;
}

static size_t window(const struct ref_images *s, uint32_t b, uint32_t y, uint32_t x)
{
	return ((size_t)b * s->out_h + y) * s->out_w + x;
}

/* ---- CONV2D ---- */

void ref_conv2d_pack(const struct ref_conv2d *c, uint8_t padding, uint8_t *packed)
{
	const struct ref_images *s = &c->s;
	uint32_t in = s->in_c / s->groups, out = s->out_c / s->groups, taps = s->kh * s->kw;
	bool depthwise = s->groups > 1 && in == 1 && out == 1;
	uint32_t o, t, i;

	memset(packed, padding, quill_conv_packed_size(s->in_c, s->out_c, s->groups, s->kh, s->kw));
	for (o = 0; o < s->out_c; o++) {
		for (t = 0; t < taps; t++) {
			for (i = 0; i < in; i++) {
				uint8_t *group = packed + o / out * quill_packed_size(out, taps * in);
				uint8_t value = (uint8_t)(c->weight[((size_t)o * taps + t) * in + i] +
							  128);

				if (depthwise)
					packed[quill_packed_offset(o, t, taps)] = value;
				else
					group[quill_packed_offset(o % out, t * in + i, taps * in)] =
						value;
			}
		}
	}
}

static int64_t sum_of_window(const struct ref_conv2d *c, uint32_t b, uint32_t y, uint32_t x,
			     uint32_t o)
{
	const struct ref_images *s = &c->s;
	uint32_t in = s->in_c / s->groups, first = o / (s->out_c / s->groups) * in;
	uint32_t i, j, e;
	int64_t sum = 0;
	size_t pixel;

	for (i = 0; i < s->kh; i++) {
		for (j = 0; j < s->kw; j++) {
			bool inside = tap(s, b, y, x, i, j, &pixel);

			for (e = 0; e < in; e++)
				sum += (inside ? c->src[pixel * s->src_stride + first + e] :
						 s->pad_value) *
				       c->weight[(((size_t)o * s->kh + i) * s->kw + j) * in + e];
		}
	}
	return sum;
}

static float stored(float x)
{
	return isnan(x) ? nanf("") : x;
}

static int8_t with_residual(const struct ref_conv2d *c, size_t window, uint32_t o, int32_t acc)
{
	int64_t residual = c->residual[window * c->residual_stride + o] - c->residual_zero;

	return ref_rescale((int64_t)acc * c->requant[o].mult + residual * c->residual_mult[o],
			   c->requant[o].shift, c->zero, c->lo, c->hi);
}

static void finish(const struct ref_conv2d *c, size_t window, uint32_t o, int32_t acc)
{
	size_t at = window * c->s.dst_stride + o;

	if (c->type_d == QUILL_TYPE_F32) {
		float x = (float)acc;

		x = c->bias ? fmaf(x, c->scale[o], ((const float *)c->bias)[o]) : x * c->scale[o];
		((float *)c->dst)[at] = stored(x);
		return;
	}
	if (c->bias)
		acc = (int32_t)((uint32_t)acc + ((const uint32_t *)c->bias)[o]);
	if (c->type_d == QUILL_TYPE_S32)
		((int32_t *)c->dst)[at] = acc;
	else if (c->residual)
		((int8_t *)c->dst)[at] = with_residual(c, window, o, acc);
	else
		((int8_t *)c->dst)[at] = ref_requantise(acc, c->requant[o], c->zero, c->lo, c->hi);
}

void ref_conv2d(const struct ref_conv2d *c)
{
	const struct ref_images *s = &c->s;
	uint32_t b, y, x, o;

	for (b = 0; b < s->batch; b++)
		for (y = 0; y < s->out_h; y++)
			for (x = 0; x < s->out_w; x++)
				for (o = 0; o < s->out_c; o++)
					finish(c, window(s, b, y, x), o,
					       (int32_t)sum_of_window(c, b, y, x, o));
}

/* ---- POOL ---- */

/* num / den rounded to the nearest integer, ties to even. */
static int32_t divide(int32_t num, int32_t den)
{
	int32_t whole = num / den, rest = num % den;

	if (rest < 0) {
		rest += den;
		whole -= 1;
	}
	if (2 * rest > den || (2 * rest == den && whole % 2))
		whole += 1;
	return whole;
}

static int8_t pool_s8(const struct ref_pool *p, uint32_t b, uint32_t y, uint32_t x, uint32_t c)
{
	const struct ref_images *s = &p->s;
	int32_t most = -128, sum = 0, taps = 0;
	uint32_t i, j;
	size_t pixel;

	for (i = 0; i < s->kh; i++) {
		for (j = 0; j < s->kw; j++) {
			bool inside = tap(s, b, y, x, i, j, &pixel);
			int8_t value = s->pad_value;

			if (inside)
				value = ((const int8_t *)p->src)[pixel * s->src_stride + c];
			else if (p->op != QUILL_POOL_MEAN_PADDED)
				continue;
			most = value > most ? value : most;
			sum += value;
			taps++;
		}
	}
	return (int8_t)(p->op == QUILL_POOL_MAX ? most : divide(sum, taps));
}

static float pool_f32(const struct ref_pool *p, uint32_t b, uint32_t y, uint32_t x, uint32_t c)
{
	const struct ref_images *s = &p->s;
	float most = -INFINITY, sum = 0.0f;
	int32_t taps = 0;
	uint32_t i, j;
	size_t pixel;

	for (i = 0; i < s->kh; i++) {
		for (j = 0; j < s->kw; j++) {
			float value;

			if (!tap(s, b, y, x, i, j, &pixel)) {
				taps += p->op == QUILL_POOL_MEAN_PADDED;
				continue;
			}
			value = ((const float *)p->src)[pixel * s->src_stride + c];
			most = value > most ? value : most;
			sum = sum + value;
			taps++;
		}
	}
	return stored(p->op == QUILL_POOL_MAX ? most : sum / (float)taps);
}

void ref_pool(const struct ref_pool *p)
{
	const struct ref_images *s = &p->s;
	uint32_t b, y, x, c;
	size_t at;

	for (b = 0; b < s->batch; b++) {
		for (y = 0; y < s->out_h; y++) {
			for (x = 0; x < s->out_w; x++) {
				for (c = 0; c < s->in_c; c++) {
					at = window(s, b, y, x) * s->dst_stride + c;
					if (p->type == QUILL_TYPE_S8)
						((int8_t *)p->dst)[at] = pool_s8(p, b, y, x, c);
					else
						((float *)p->dst)[at] = pool_f32(p, b, y, x, c);
				}
			}
		}
	}
}
