// SPDX-License-Identifier: MIT
/*
 * An int8 convolutional network, from image to class, as one stream: convolutions with stride, padding, dilation, groups and
 * depthwise, a residual, pooling, a fully connected layer, softmax and argmax. Every tensor on the way equals the composition of
 * the references to the bit; and no tensor is further from the network in float64 than the roundings on its way permit.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "quill_host.h"
#include "ref.h"
#include "ref_conv.h"
#include "ref_vector.h"

#define BATCH	2u
#define CLASSES	10u

/* struct tensor - images on the way: on the device, by the reference, and in float64 */
struct tensor {
	uint32_t h, w, c;
	double scale;		/* real value: scale * (int8 - zero) */
	int32_t zero;
	struct qh_buf *buf;
	int8_t *want;
	double *exact;
	double error;		/* no real value is further than this from the exact one */
};

struct net {
	struct quill_host *h;
	uint32_t as;
	struct qh_stream s;
	struct ref_random rnd;
	struct tensor t[16];
	unsigned int tensors;
};

/* struct layer - of a convolution or pooling */
struct layer {
	uint32_t out_c, groups, taps, stride, pad, dilation;
};

static size_t count(const struct tensor *t)
{
	return (size_t)BATCH * t->h * t->w * t->c;
}

static struct qh_buf *buffer(struct net *n, size_t size)
{
	return qh_alloc(n->h, n->as, size, QH_RW);
}

static struct tensor *new_tensor(struct net *n, uint32_t h, uint32_t w, uint32_t c)
{
	struct tensor *t = &n->t[n->tensors++];

	*t = (struct tensor){ .h = h, .w = w, .c = c };
	t->buf = buffer(n, count(t));
	t->want = malloc(count(t));
	t->exact = calloc(count(t), sizeof(double));
	return t;
}

/* An image whose int8 values have a zero point, as images do. */
static struct tensor *image(struct net *n, uint32_t side)
{
	struct tensor *t = new_tensor(n, side, side, 3);
	size_t i;

	t->scale = 1 / 127.0;
	t->zero = -11;
	ref_random_s8(&n->rnd, t->want, count(t));
	memcpy(t->buf->ptr, t->want, count(t));
	for (i = 0; i < count(t); i++)
		t->exact[i] = t->scale * (t->want[i] - t->zero);
	return t;
}

static struct ref_images images_of(const struct tensor *in, const struct layer *l)
{
	struct ref_images s = {
		.batch = BATCH, .in_h = in->h, .in_w = in->w, .in_c = in->c, .out_c = l->out_c,
		.groups = l->groups, .kh = l->taps, .kw = l->taps, .stride_h = l->stride,
		.stride_w = l->stride, .dilation_h = l->dilation, .dilation_w = l->dilation,
		.pad_top = l->pad, .pad_left = l->pad, .pad_value = (int8_t)in->zero,
		.src_stride = in->c, .dst_stride = l->out_c,
	};

	s.out_h = (in->h + 2 * l->pad - (l->taps - 1) * l->dilation - 1) / l->stride + 1;
	s.out_w = (in->w + 2 * l->pad - (l->taps - 1) * l->dilation - 1) / l->stride + 1;
	return s;
}

static struct qh_conv2d command_of(const struct ref_images *s, const struct tensor *in,
				   const struct tensor *out)
{
	return (struct qh_conv2d){
		.src = in->buf->va, .dst = out->buf->va, .batch = s->batch, .in_h = s->in_h,
		.in_w = s->in_w, .in_c = s->in_c, .out_h = s->out_h, .out_w = s->out_w,
		.out_c = s->out_c, .groups = s->groups, .kh = s->kh, .kw = s->kw,
		.stride_h = s->stride_h, .stride_w = s->stride_w, .dilation_h = s->dilation_h,
		.dilation_w = s->dilation_w, .pad_top = s->pad_top, .pad_left = s->pad_left,
		.pad_value = s->pad_value,
	};
}

/* The real input under a tap; padding is 0. */
static double exact_tap(const struct tensor *in, const struct ref_images *s, uint32_t b, uint32_t y,
			uint32_t x, uint32_t i, uint32_t j, uint32_t c)
{
	int64_t line = (int64_t)y * s->stride_h - s->pad_top + (int64_t)i * s->dilation_h;
	int64_t at = (int64_t)x * s->stride_w - s->pad_left + (int64_t)j * s->dilation_w;

	if (line < 0 || line >= s->in_h || at < 0 || at >= s->in_w)
		return 0;
	return in->exact[(((size_t)b * s->in_h + (size_t)line) * s->in_w + (size_t)at) * in->c + c];
}

/* struct weights - of a convolution: channel o's real weights are scale[o] * w */
struct weights {
	int8_t *w;
	double *scale, *bias;
	size_t each;	/* of a channel */
};

static struct weights random_weights(struct net *n, uint32_t out_c, size_t each)
{
	struct weights w = { malloc(out_c * each), malloc(out_c * 8), malloc(out_c * 8), each };
	uint32_t o;

	ref_random_s8(&n->rnd, w.w, out_c * each);
	for (o = 0; o < out_c; o++) {
		w.scale[o] = ref_random_float(&n->rnd, 0.5f, 1.0f) / 74 / sqrt((double)each);
		w.bias[o] = ref_random_float(&n->rnd, -0.2f, 0.3f);
	}
	return w;
}

static void free_weights(struct weights *w)
{
	free(w->w);
	free(w->scale);
	free(w->bias);
}

static double exact_sum(const struct tensor *in, const struct ref_images *s,
			const struct weights *w, uint32_t b, uint32_t y, uint32_t x, uint32_t o)
{
	uint32_t each = s->in_c / s->groups, first = o / (s->out_c / s->groups) * each, i, j, e;
	const int8_t *at = w->w + o * w->each;
	double sum = w->bias[o];

	for (i = 0; i < s->kh; i++)
		for (j = 0; j < s->kw; j++)
			for (e = 0; e < each; e++)
				sum += w->scale[o] * *at++ *
				       exact_tap(in, s, b, y, x, i, j, first + e);
	return sum;
}

/* With @residual, if there is one, and ReLU; the largest value. */
static double exact_conv(const struct tensor *in, const struct ref_images *s,
			 const struct weights *w, const struct tensor *residual, double *out)
{
	const double *add = residual ? residual->exact : NULL;
	uint32_t b, y, x, o;
	double most = 0;

	for (b = 0; b < s->batch; b++)
		for (y = 0; y < s->out_h; y++)
			for (x = 0; x < s->out_w; x++)
				for (o = 0; o < s->out_c; o++, out++) {
					*out = fmax(0, exact_sum(in, s, w, b, y, x, o) +
						    (add ? *add++ : 0));
					most = fmax(most, *out);
				}
	return most;
}

/* mult / 2^shift, the larger of it and the residual's in 2^30 .. 2^31 */
static struct quill_requant requant_of(double real, double residual)
{
	int shift = 0;

	while (ldexp(fmax(real, residual), shift) < 1 << 30)
		shift++;
	return (struct quill_requant){ (int32_t)nearbyint(ldexp(real, shift)), shift };
}

/*
 * How far the input's errors, a bias rounded to a step of the sum, and a multiplier of at least 18 bits move a channel's value,
 * before it is rounded to the result's own steps.
 */
static double conv_error(const struct tensor *in, const struct weights *w, uint32_t out_c, double most)
{
	double error = 0;
	uint32_t o;
	size_t i;

	for (o = 0; o < out_c; o++) {
		double magnitudes = 0;

		for (i = 0; i < w->each; i++)
			magnitudes += fabs(w->scale[o] * w->w[o * w->each + i]);
		error = fmax(error, magnitudes * in->error + 0.5 * in->scale * w->scale[o]);
	}
	return error + most * 0x1p-18;
}

/* int8 to int8: the zero point of the input goes to the bias, ReLU is the result's lower limit. */
static struct tensor *conv(struct net *n, struct tensor *in, struct layer l, struct tensor *residual)
{
	struct ref_images s = images_of(in, &l);
	struct weights w = random_weights(n, l.out_c, (size_t)l.taps * l.taps * (in->c / l.groups));
	struct tensor *out = new_tensor(n, s.out_h, s.out_w, l.out_c);
	struct qh_buf *weight = buffer(n, quill_conv_packed_size(s.in_c, s.out_c, s.groups, s.kh, s.kw));
	struct qh_buf *bias = buffer(n, l.out_c * 4), *requant = buffer(n, l.out_c * 8);
	struct ref_conv2d ref = {
		.s = s, .src = in->want, .weight = w.w, .type_d = QUILL_TYPE_S8, .dst = out->want,
		.bias = bias->ptr, .requant = (struct quill_requant *)requant->ptr, .zero = -128,
		.lo = -128, .hi = 127,
	};
	struct qh_conv2d fields = command_of(&s, in, out);
	struct qh_buf *mult = residual ? buffer(n, l.out_c * 4) : NULL;
	double most = exact_conv(in, &s, &w, residual, out->exact);
	double before = conv_error(in, &w, l.out_c, most) + (residual ? residual->error : 0);
	union quill_cmd *c;
	uint32_t o, i;

	out->zero = -128;
	/* no exact value is above what int8 holds, so that its limit brings a result nearer to it, if anything */
	out->scale = most / 255;
	out->error = before + 0.5 * out->scale;
	for (o = 0; o < l.out_c; o++) {
		int32_t sum = 0;

		for (i = 0; i < w.each; i++)
			sum += w.w[o * w.each + i];
		((int32_t *)bias->ptr)[o] =
			(int32_t)nearbyint(w.bias[o] / (in->scale * w.scale[o])) - in->zero * sum;
		((struct quill_requant *)requant->ptr)[o] =
			requant_of(in->scale * w.scale[o] / out->scale,
				   residual ? residual->scale / out->scale : 0);
		if (residual)
			((int32_t *)mult->ptr)[o] = (int32_t)nearbyint(
				ldexp(residual->scale / out->scale,
				      ((struct quill_requant *)requant->ptr)[o].shift));
	}
	if (residual) {
		ref.residual = residual->want;
		ref.residual_stride = residual->c;
		ref.residual_zero = residual->zero;
		ref.residual_mult = (int32_t *)mult->ptr;
	}
	ref_conv2d_pack(&ref, 0x33, weight->ptr);
	ref_conv2d(&ref);
	fields.weight = weight->va;
	c = qh_conv2d(&n->s, &fields);
	c->hdr.flags = QUILL_CMD_ORDERED;
	c->hdr.type_d = QUILL_TYPE_S8;
	c[1].conv2d_ext.bias = bias->va;
	c[1].conv2d_ext.scale = requant->va;
	c[1].conv2d_ext.zero = c[1].conv2d_ext.lo = -128;
	c[1].conv2d_ext.hi = 127;
	if (residual) {
		struct quill_ext_conv2d_residual *e = &qh_cmd(&n->s, QUILL_OP_EXT)->conv2d_residual;

		c->hdr.ext = 2;
		e->residual = residual->buf->va;
		e->mult = mult->va;
		e->stride = residual->c;
		e->zero = residual->zero;
	}
	free_weights(&w);
	return out;
}

static struct tensor *pool(struct net *n, struct tensor *in, uint32_t op, uint32_t taps, uint32_t stride)
{
	struct layer l = { in->c, 1, taps, stride, 0, 1 };
	struct ref_images s = images_of(in, &l);
	struct tensor *out = new_tensor(n, s.out_h, s.out_w, in->c);
	struct ref_pool ref = {
		.s = s, .type = QUILL_TYPE_S8, .op = op, .src = in->want, .dst = out->want,
	};
	struct qh_conv2d fields = command_of(&s, in, out);
	uint32_t b, y, x, c, i, j;
	double *to = out->exact;

	out->scale = in->scale;
	out->zero = in->zero;
	out->error = in->error + (op == QUILL_POOL_MAX ? 0 : 0.5 * in->scale);
	for (b = 0; b < BATCH; b++)
		for (y = 0; y < s.out_h; y++)
			for (x = 0; x < s.out_w; x++)
				for (c = 0; c < in->c; c++, to++)
					for (i = 0; i < taps; i++)
						for (j = 0; j < taps; j++) {
							double v = exact_tap(in, &s, b, y, x, i, j, c);

							*to = op == QUILL_POOL_MAX ? fmax(*to, v) :
							      *to + v / (taps * taps);
						}
	ref_pool(&ref);
	fields.pad_value = 0;
	qh_pool(&n->s, &fields, QUILL_TYPE_S8, op)->hdr.flags = QUILL_CMD_ORDERED;
	return out;
}

/* struct head - what stands behind the last image */
struct head {
	struct qh_buf *logits, *probabilities, *label;
	float want_logits[BATCH * CLASSES], want_probabilities[BATCH * CLASSES];
	int32_t want_label[BATCH];
	double exact[BATCH * CLASSES];
	double error;	/* of a logit */
};

/* A GEMM to float, its zero point in the bias; softmax; the best class. */
static struct head classify(struct net *n, struct tensor *in)
{
	struct weights w = random_weights(n, CLASSES, in->c);
	struct qh_buf *packed = buffer(n, quill_packed_size(CLASSES, in->c));
	struct qh_buf *bias = buffer(n, CLASSES * 4), *scale = buffer(n, CLASSES * 4);
	struct head h = { .logits = buffer(n, BATCH * CLASSES * 4),
			  .probabilities = buffer(n, BATCH * CLASSES * 4),
			  .label = buffer(n, BATCH * 4) };
	int8_t *columns = malloc(CLASSES * in->c);
	union quill_cmd *c;
	uint32_t o, k, b;

	for (o = 0; o < CLASSES; o++) {
		double sum = 0, magnitudes = 0;

		/* larger than elsewhere, so that classes differ */
		w.scale[o] *= 8;
		for (k = 0; k < in->c; k++) {
			columns[k * CLASSES + o] = w.w[o * in->c + k];
			sum += w.w[o * in->c + k];
			magnitudes += w.scale[o] * abs(w.w[o * in->c + k]);
		}
		((float *)scale->ptr)[o] = (float)(in->scale * w.scale[o]);
		((float *)bias->ptr)[o] = (float)(w.bias[o] - in->scale * w.scale[o] * in->zero * sum);
		/* the input's errors, and three float32 roundings of a sum of at most 255 steps */
		h.error = fmax(h.error, magnitudes * (in->error + 255 * in->scale * 3 * 0x1p-24) +
			       fabs(w.bias[o]) * 0x1p-23);
		for (b = 0; b < BATCH; b++) {
			double *to = &h.exact[b * CLASSES + o];

			*to = w.bias[o];
			for (k = 0; k < in->c; k++)
				*to += w.scale[o] * w.w[o * in->c + k] * in->exact[b * in->c + k];
		}
	}
	ref_pack(columns, CLASSES, in->c, 0x11, packed->ptr);
	ref_gemm(&(struct ref_gemm){ .m = BATCH, .n = CLASSES, .k = in->c, .a = in->want, .lda = in->c,
				     .b = columns, .type_d = QUILL_TYPE_F32, .d = h.want_logits,
				     .ldd = CLASSES, .bias = bias->ptr,
				     .scale = (float *)scale->ptr });
	ref_softmax(&(struct ref_softmax){ .dst = h.want_probabilities, .dst_stride = CLASSES,
					   .src = { h.want_logits, CLASSES }, .rows = BATCH,
					   .n = CLASSES, .scale = 1 });
	ref_reduce(&(struct ref_reduce){ .dst = h.want_label, .src = { h.want_probabilities, CLASSES },
					 .rows = BATCH, .n = CLASSES, .op = QUILL_REDUCE_ARGMAX });
	c = qh_gemm(&n->s, in->buf->va, packed->va, h.logits->va, BATCH, CLASSES, in->c);
	c->hdr.flags = QUILL_CMD_ORDERED;
	c->hdr.type_d = QUILL_TYPE_F32;
	c[1].gemm_ext.bias = bias->va;
	c[1].gemm_ext.scale = scale->va;
	qh_softmax(&n->s, h.probabilities->va, h.logits->va, BATCH, CLASSES, 1)->hdr.flags =
		QUILL_CMD_ORDERED;
	qh_reduce(&n->s, QUILL_REDUCE_ARGMAX, h.label->va, h.probabilities->va, BATCH, CLASSES)->hdr.flags =
		QUILL_CMD_ORDERED;
	free(columns);
	free_weights(&w);
	return h;
}

static void check_error(const struct net *n, const struct head *h)
{
	double worst = 0, logit = 0;
	unsigned int i, b;
	size_t e;

	for (i = 0; i < n->tensors; i++) {
		const struct tensor *t = &n->t[i];

		for (e = 0; e < count(t); e++)
			if (fabs(t->scale * (t->want[e] - t->zero) - t->exact[e]) >
			    t->error * (1 + 1e-9) + 1e-12)
				fail_msg("tensor %u, element %zu: %g, exactly %g, the bound is %g", i, e,
					 t->scale * (t->want[e] - t->zero), t->exact[e], t->error);
	}
	for (i = 0; i < BATCH * CLASSES; i++)
		logit = fmax(logit, fabs(h->want_logits[i] - h->exact[i]));
	for (b = 0; b < BATCH; b++) {
		double sum = 0;

		for (i = 0; i < CLASSES; i++)
			sum += exp(h->exact[b * CLASSES + i]);
		for (i = 0; i < CLASSES; i++)
			worst = fmax(worst, fabs(h->want_probabilities[b * CLASSES + i] -
						 exp(h->exact[b * CLASSES + i]) / sum));
	}
	printf("largest error of a logit %.3g, its bound is %.3g; of a probability %.3g\n", logit,
	       h->error, worst);
	assert_true(logit < h->error);
	/* the bound is for the worst of all weights and roundings, eight layers of them: this was measured */
	assert_true(worst < 0.007);
}

static void check_results(const struct net *n, const struct head *h)
{
	unsigned int i;

	for (i = 0; i < n->tensors; i++)
		if (memcmp(n->t[i].buf->ptr, n->t[i].want, count(&n->t[i])))
			fail_msg("tensor %u differs from the reference", i);
	assert_memory_equal(h->logits->ptr, h->want_logits, sizeof(h->want_logits));
	assert_memory_equal(h->probabilities->ptr, h->want_probabilities, sizeof(h->want_probabilities));
	assert_memory_equal(h->label->ptr, h->want_label, sizeof(h->want_label));
}

static void run_network(const struct quill_host_config *config, bool errors)
{
	struct net n = { .h = qh_create(config), .rnd.state = 7 };
	struct quill_job_cpl cpl;
	struct tensor *block, *t;
	struct head h;
	unsigned int i;

	n.as = qh_as_create(n.h);
	assert_int_equal(qh_queue_create(n.h, 0, n.as, QUILL_FW_PRIORITY_MEDIUM, 8), 0);
	qh_stream_init(&n.s, n.h, n.as, 64);
	block = conv(&n, image(&n, 32), (struct layer){ 16, 1, 3, 2, 1, 1 }, NULL);
	t = conv(&n, block, (struct layer){ 48, 1, 1, 1, 0, 1 }, NULL);
	t = conv(&n, t, (struct layer){ 48, 48, 3, 1, 1, 1 }, NULL);	/* depthwise */
	t = conv(&n, t, (struct layer){ 16, 1, 1, 1, 0, 1 }, block);
	t = pool(&n, t, QUILL_POOL_MAX, 2, 2);
	t = conv(&n, t, (struct layer){ 32, 4, 3, 1, 1, 1 }, NULL);	/* groups */
	t = conv(&n, t, (struct layer){ 70, 1, 3, 1, 2, 2 }, NULL);	/* dilation */
	t = pool(&n, t, QUILL_POOL_MEAN, 8, 1);
	h = classify(&n, t);
	cpl = qh_run(n.h, 0, &n.s);
	if (cpl.status)
		fail_msg("fault %u of command %u at %#llx", cpl.status, cpl.command,
			 (unsigned long long)cpl.address);
	check_results(&n, &h);
	if (errors)
		check_error(&n, &h);
	for (i = 0; i < n.tensors; i++) {
		free(n.t[i].want);
		free(n.t[i].exact);
	}
	qh_destroy(n.h);
}

static void network_is_one_stream_and_equals_the_references(void **state)
{
	const struct quill_host_config configs[] = {
		{ .emu.threads = 1 }, { .emu.threads = 4, .scatter = true }, { .emu.kernels = "scalar" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		run_network(&configs[i], i == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network_is_one_stream_and_equals_the_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
