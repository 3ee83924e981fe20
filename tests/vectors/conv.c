// SPDX-License-Identifier: MIT
/* Vectors of CONV2D and POOL. */
#include <stdlib.h>
#include <string.h>

#include "conv_cases.h"
#include "vectors.h"

static const struct ref_images images[] = {
	/* 0: pointwise */
	{ .in_h = 2, .in_w = 3, .in_c = 5, .out_c = 3, .kh = 1, .kw = 1 },
	/* 1: a window, stride, padding */
	{ .in_h = 5, .in_w = 6, .in_c = 4, .out_c = 5, .kh = 3, .kw = 3, .stride_h = 2,
	  .stride_w = 1, .pad_top = 1, .pad_left = 1, .pad_value = -3 },
	/* 2: dilation, two images */
	{ .batch = 2, .in_h = 5, .in_w = 5, .in_c = 3, .out_c = 2, .kh = 2, .kw = 3,
	  .dilation_h = 2, .dilation_w = 2 },
	/* 3: groups */
	{ .in_h = 3, .in_w = 3, .in_c = 8, .out_c = 6, .groups = 2, .kh = 2, .kw = 2 },
	/* 4: depthwise */
	{ .in_h = 4, .in_w = 4, .in_c = 7, .out_c = 7, .groups = 7, .kh = 3, .kw = 3, .pad_top = 1,
	  .pad_left = 1 },
};

#define MODE(image, type, op, gap)	((gap) << 24 | (op) << 16 | (type) << 8 | (image))
#define IMAGE(mode)	((mode) & 0xff)
#define TYPE(mode)	((mode) >> 8 & 0xff)
#define OP(mode)	((mode) >> 16 & 0xff)
#define GAP(mode)	((mode) >> 24)

static void take(struct vector *v, struct conv_rig *rig, struct conv_case *c)
{
	v->s = rig->s;
	v->rnd = rig->rnd;
	vector_region(v, c->src, NULL);
	if (c->weight)
		vector_region(v, c->weight, NULL);
	if (c->bias)
		vector_region(v, c->bias, NULL);
	if (c->scale)
		vector_region(v, c->scale, NULL);
	if (c->residual) {
		vector_region(v, c->residual, NULL);
		vector_region(v, c->mult, NULL);
	}
	vector_region(v, c->dst, c->want);
	conv_free(c);
}

static void make_conv2d(struct vector *v, uint32_t mode)
{
	struct conv_rig rig = { .h = v->h, .as = v->as, .s = v->s, .rnd = v->rnd };
	struct ref_images s = conv_images(images[IMAGE(mode)]);
	struct conv_case c = conv_make(&rig, &s, TYPE(mode), GAP(mode));

	take(v, &rig, &c);
}

static void make_without_bias(struct vector *v, uint32_t mode)
{
	struct conv_rig rig = { .h = v->h, .as = v->as, .s = v->s, .rnd = v->rnd };
	struct ref_images s = conv_images(images[IMAGE(mode)]);
	struct conv_case c = conv_make(&rig, &s, TYPE(mode), GAP(mode));

	c.bias = NULL;
	c.cmd[1].conv2d_ext.bias = 0;
	c.ref.bias = NULL;
	ref_conv2d(&c.ref);
	take(v, &rig, &c);
}

static void make_residual(struct vector *v, uint32_t mode)
{
	struct conv_rig rig = { .h = v->h, .as = v->as, .s = v->s, .rnd = v->rnd };
	struct ref_images s = conv_images(images[IMAGE(mode)]);
	struct conv_case c = conv_make(&rig, &s, QUILL_TYPE_S8, GAP(mode));

	conv_add_residual(&rig, &c, 1, false);
	take(v, &rig, &c);
}

static void make_pool(struct vector *v, uint32_t mode)
{
	struct conv_rig rig = { .h = v->h, .as = v->as, .s = v->s, .rnd = v->rnd };
	struct ref_images s = images[IMAGE(mode)];
	struct conv_case c;

	s.out_c = s.in_c;
	s.groups = 0;
	s.dilation_h = s.dilation_w = 0;
	s = conv_images(s);
	c = pool_make(&rig, &s, TYPE(mode), OP(mode), GAP(mode), GAP(mode));
	take(v, &rig, &c);
}

static const struct vector_row rows[] = {
	{ "conv2d: S8, pointwise", make_conv2d, MODE(0, QUILL_TYPE_S8, 0, 0) },
	{ "conv2d: S8, stride and padding", make_conv2d, MODE(1, QUILL_TYPE_S8, 0, 0) },
	{ "conv2d: S32, stride and padding, gaps", make_conv2d, MODE(1, QUILL_TYPE_S32, 0, 3) },
	{ "conv2d: F32, dilation, two images", make_conv2d, MODE(2, QUILL_TYPE_F32, 0, 0) },
	{ "conv2d: S8, groups, gaps", make_conv2d, MODE(3, QUILL_TYPE_S8, 0, 2) },
	{ "conv2d: S32, depthwise", make_conv2d, MODE(4, QUILL_TYPE_S32, 0, 0) },
	{ "conv2d: F32, depthwise", make_conv2d, MODE(4, QUILL_TYPE_F32, 0, 0) },
	{ "conv2d: S8, no bias", make_without_bias, MODE(1, QUILL_TYPE_S8, 0, 0) },
	{ "conv2d: S32, no bias", make_without_bias, MODE(2, QUILL_TYPE_S32, 0, 0) },
	{ "conv2d: F32, no bias, gaps", make_without_bias, MODE(3, QUILL_TYPE_F32, 0, 1) },
	{ "conv2d: S8, residual", make_residual, MODE(1, QUILL_TYPE_S8, 0, 0) },
	{ "conv2d: S8, depthwise, residual, gaps", make_residual, MODE(4, QUILL_TYPE_S8, 0, 2) },
	{ "pool: S8, largest", make_pool, MODE(1, QUILL_TYPE_S8, QUILL_POOL_MAX, 0) },
	{ "pool: S8, mean, gaps", make_pool, MODE(1, QUILL_TYPE_S8, QUILL_POOL_MEAN, 3) },
	{ "pool: S8, mean with padding", make_pool, MODE(1, QUILL_TYPE_S8, QUILL_POOL_MEAN_PADDED, 0) },
	{ "pool: F32, largest, special values", make_pool,
	  MODE(1, QUILL_TYPE_F32, QUILL_POOL_MAX, 1) },
	{ "pool: F32, mean", make_pool, MODE(2, QUILL_TYPE_F32, QUILL_POOL_MEAN, 0) },
	{ "pool: F32, mean with padding", make_pool,
	  MODE(1, QUILL_TYPE_F32, QUILL_POOL_MEAN_PADDED, 0) },
};

VECTOR_FILE(conv, rows);
