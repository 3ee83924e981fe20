// SPDX-License-Identifier: MIT
/* CONV2D and POOL commands with random operands. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conv_cases.h"

#define SENTINEL 0x77

void conv_rig_open(struct conv_rig *r, const struct quill_host_config *config)
{
	memset(r, 0, sizeof(*r));
	r->h = qh_create(config);
	r->as = qh_as_create(r->h);
	r->rnd.state = 4711;
	assert_int_equal(qh_queue_create(r->h, 0, r->as, QUILL_FW_PRIORITY_MEDIUM, 8), 0);
	qh_stream_init(&r->s, r->h, r->as, 128);
}

void conv_rig_close(struct conv_rig *r)
{
	assert_int_equal(qh_dma_maps(r->h), 0);
	assert_int_equal(qh_read(r->h, QUILL_REG_RESET_COUNT), 0);
	qh_destroy(r->h);
}

struct quill_job_cpl conv_rig_run(struct conv_rig *r)
{
	struct quill_job_cpl cpl = qh_run(r->h, 0, &r->s);

	r->s.count = 0;
	return cpl;
}

static void or_one(uint32_t *x)
{
	*x = *x ? *x : 1;
}

struct ref_images conv_images(struct ref_images s)
{
	uint32_t high, wide;

	or_one(&s.batch);
	or_one(&s.groups);
	or_one(&s.stride_h);
	or_one(&s.stride_w);
	or_one(&s.dilation_h);
	or_one(&s.dilation_w);
	high = s.in_h + 2 * s.pad_top;
	wide = s.in_w + 2 * s.pad_left;
	if (!s.out_h)
		s.out_h = (high - (s.kh - 1) * s.dilation_h - 1) / s.stride_h + 1;
	if (!s.out_w)
		s.out_w = (wide - (s.kw - 1) * s.dilation_w - 1) / s.stride_w + 1;
	return s;
}

static struct qh_conv2d command(const struct ref_images *s, const struct conv_case *c)
{
	return (struct qh_conv2d){
		.src = c->src->va, .weight = c->weight ? c->weight->va : 0, .dst = c->dst->va,
		.batch = s->batch, .in_h = s->in_h, .in_w = s->in_w, .in_c = s->in_c,
		.out_h = s->out_h, .out_w = s->out_w, .out_c = s->out_c, .groups = s->groups,
		.kh = s->kh, .kw = s->kw, .stride_h = s->stride_h, .stride_w = s->stride_w,
		.dilation_h = s->dilation_h, .dilation_w = s->dilation_w, .pad_top = s->pad_top,
		.pad_left = s->pad_left, .pad_value = s->pad_value,
	};
}

static struct qh_buf *buffer(struct conv_rig *r, size_t size)
{
	return qh_alloc(r->h, r->as, size, QH_RW);
}

/* Source and result, the latter filled with what must stay in its gaps. */
static void make_images(struct conv_rig *r, struct conv_case *c, const struct ref_images *s,
			uint32_t gap, uint32_t src_size, uint32_t dst_size)
{
	size_t in = (size_t)s->batch * s->in_h * s->in_w, out = (size_t)s->batch * s->out_h * s->out_w;

	c->images = *s;
	c->images.src_stride = s->in_c + gap;
	c->images.dst_stride = s->out_c + gap;
	c->element = dst_size;
	c->src = buffer(r, in * c->images.src_stride * src_size);
	c->dst = buffer(r, out * c->images.dst_stride * dst_size + 64);
	memset(c->dst->ptr, SENTINEL, c->dst->size);
	c->want = malloc(c->dst->size);
	memset(c->want, SENTINEL, c->dst->size);
}

static void describe(struct conv_case *c, const char *name, uint32_t type, uint32_t op)
{
	const struct ref_images *s = &c->images;

	snprintf(c->what, sizeof(c->what),
		 "%s type %u op %u: batch %u, %ux%ux%u to %ux%ux%u, groups %u, taps %ux%u, stride %ux%u, "
		 "dilation %ux%u, padding %u,%u of %d", name, type, op, s->batch, s->in_h, s->in_w,
		 s->in_c, s->out_h, s->out_w, s->out_c, s->groups, s->kh, s->kw, s->stride_h,
		 s->stride_w, s->dilation_h, s->dilation_w, s->pad_top, s->pad_left, s->pad_value);
}

/* A table of scales, and a bias, for the type of the result. */
static void make_epilogue(struct conv_rig *r, struct conv_case *c, struct ref_conv2d *ref)
{
	struct quill_ext_conv2d *e = &c->cmd[1].conv2d_ext;
	uint32_t n = ref->s.out_c, i;

	c->bias = buffer(r, n * 4);
	for (i = 0; i < n; i++) {
		float x = ref_random_float(&r->rnd, -10.0f, 10.0f);
		uint32_t bits = ref_random_below(&r->rnd, 20000) - 10000u;

		if (ref->type_d == QUILL_TYPE_F32)
			memcpy(&bits, &x, sizeof(bits));
		((uint32_t *)c->bias->ptr)[i] = bits;
	}
	ref->bias = c->bias->ptr;
	e->bias = c->bias->va;
	if (ref->type_d == QUILL_TYPE_S32)
		return;
	c->scale = buffer(r, n * 8);
	e->scale = c->scale->va;
	if (ref->type_d == QUILL_TYPE_F32) {
		ref->scale = (float *)c->scale->ptr;
		for (i = 0; i < n; i++)
			((float *)c->scale->ptr)[i] = ref_random_float(&r->rnd, -0.01f, 0.01f);
		return;
	}
	ref->requant = (struct quill_requant *)c->scale->ptr;
	for (i = 0; i < n; i++)
		((struct quill_requant *)c->scale->ptr)[i] = (struct quill_requant){
			.mult = (int32_t)(ref_random(&r->rnd) >> 1),
			.shift = 34 + (int32_t)ref_random_below(&r->rnd, 10),
		};
	ref->zero = e->zero = (int32_t)ref_random_below(&r->rnd, 9) - 4;
	ref->lo = e->lo = -120;
	ref->hi = e->hi = 127;
}

struct conv_case conv_make(struct conv_rig *r, const struct ref_images *s, uint32_t type_d,
			   uint32_t gap)
{
	size_t weights = (size_t)s->out_c * s->kh * s->kw * (s->in_c / s->groups);
	struct conv_case c = { 0 };
	struct ref_conv2d ref = { .type_d = type_d };
	struct qh_conv2d command_fields;

	make_images(r, &c, s, gap, 1, quill_type_size(type_d));
	ref_random_s8(&r->rnd, (int8_t *)c.src->ptr, c.src->size);
	c.weight = buffer(r, quill_conv_packed_size(s->in_c, s->out_c, s->groups, s->kh, s->kw));
	c.plain = malloc(weights);
	ref_random_s8(&r->rnd, c.plain, weights);
	command_fields = command(s, &c);
	c.cmd = qh_conv2d(&r->s, &command_fields);
	c.cmd->hdr.type_d = (uint8_t)type_d;
	c.cmd[1].conv2d_ext.src_stride = (uint32_t)c.images.src_stride;
	c.cmd[1].conv2d_ext.dst_stride = (uint32_t)c.images.dst_stride;
	ref.s = c.images;
	ref.src = (int8_t *)c.src->ptr;
	ref.weight = c.plain;
	ref.dst = c.want;
	make_epilogue(r, &c, &ref);
	ref_conv2d_pack(&ref, (uint8_t)ref_random(&r->rnd), c.weight->ptr);
	ref_conv2d(&ref);
	c.ref = ref;
	describe(&c, "CONV2D", type_d, 0);
	return c;
}

void conv_add_residual(struct conv_rig *r, struct conv_case *c, uint32_t gap, bool in_place)
{
	const struct ref_images *s = &c->images;
	uint32_t stride = in_place ? (uint32_t)s->dst_stride : s->out_c + gap, i;
	struct quill_requant *requant = (struct quill_requant *)c->scale->ptr;
	size_t windows = (size_t)s->batch * s->out_h * s->out_w, w;
	struct quill_ext_conv2d_residual *e;

	c->residual = in_place ? c->dst : buffer(r, windows * stride);
	for (w = 0; w < windows; w++)
		ref_random_s8(&r->rnd, (int8_t *)c->residual->ptr + w * stride, s->out_c);
	c->mult = buffer(r, s->out_c * 4);
	for (i = 0; i < s->out_c; i++) {
		/* a shift that leaves room for a residual's multiplier of about 1 */
		requant[i].mult >>= requant[i].shift - 24;
		requant[i].shift = 24;
		((int32_t *)c->mult->ptr)[i] = (int32_t)(ref_random(&r->rnd) >> 6) - (1 << 25);
	}
	c->ref.residual = (int8_t *)c->residual->ptr;
	c->ref.residual_stride = stride;
	c->ref.residual_zero = (int32_t)ref_random_below(&r->rnd, 256) - 128;
	c->ref.residual_mult = (int32_t *)c->mult->ptr;
	e = &qh_cmd(&r->s, QUILL_OP_EXT)->conv2d_residual;
	c->cmd->hdr.ext = 2;
	e->residual = c->residual->va;
	e->mult = c->mult->va;
	e->stride = stride;
	e->zero = c->ref.residual_zero;
	ref_conv2d(&c->ref);
}

static float special_float(struct ref_random *rnd)
{
	static const float values[] = { NAN, INFINITY, -INFINITY, -0.0f, 0.0f, 1e-42f, 3e38f };

	return values[ref_random_below(rnd, 7)];
}

struct conv_case pool_make(struct conv_rig *r, const struct ref_images *s, uint32_t type, uint32_t op,
			   uint32_t gap, bool special)
{
	uint32_t size = quill_type_size(type);
	struct ref_images images = *s;
	struct conv_case c = { 0 };
	struct qh_conv2d command_fields;
	struct ref_pool ref;
	size_t i;

	images.out_c = s->in_c;
	if (type != QUILL_TYPE_S8 || op != QUILL_POOL_MEAN_PADDED)
		images.pad_value = 0;
	make_images(r, &c, &images, gap, size, size);
	if (type == QUILL_TYPE_S8)
		ref_random_s8(&r->rnd, (int8_t *)c.src->ptr, c.src->size);
	for (i = 0; type == QUILL_TYPE_F32 && i < c.src->size / 4; i++)
		((float *)c.src->ptr)[i] = special && ref_random_below(&r->rnd, 9) == 0 ?
					   special_float(&r->rnd) :
					   ref_random_float(&r->rnd, -9, 9);
	command_fields = command(&images, &c);
	c.cmd = qh_pool(&r->s, &command_fields, type, op);
	c.cmd->pool.src_stride = (uint32_t)c.images.src_stride;
	c.cmd->pool.dst_stride = (uint32_t)c.images.dst_stride;
	ref = (struct ref_pool){
		.s = c.images, .type = type, .op = op, .src = c.src->ptr, .dst = c.want,
	};
	ref_pool(&ref);
	describe(&c, "POOL", type, op);
	return c;
}

void conv_check(struct conv_case *c)
{
	size_t i;

	for (i = 0; i < c->dst->size; i++)
		if (c->dst->ptr[i] != c->want[i])
			fail_msg("%s: byte %zu of the result is %02x, expected %02x", c->what, i,
				 c->dst->ptr[i], c->want[i]);
	conv_free(c);
}

void conv_free(struct conv_case *c)
{
	free(c->want);
	free(c->plain);
	c->want = NULL;
	c->plain = NULL;
}
