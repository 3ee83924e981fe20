// SPDX-License-Identifier: MIT
/*
 * Encoders: the commands on images, and packing of a convolution's weights.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static_assert((int)ACCEL_POOL_MAX == QUILL_POOL_MAX && (int)ACCEL_POOL_MEAN == QUILL_POOL_MEAN &&
	      (int)ACCEL_POOL_MEAN_PADDED == QUILL_POOL_MEAN_PADDED &&
	      QUILL_POOL_COUNT == 3, "operations of accel.h are those of isa.h");

static uint32_t accel_or(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

/* Windows that fit along one side, at least one of which is refused where none fits. */
static uint32_t accel_windows(uint32_t in, uint32_t before, uint32_t behind, uint32_t taps,
			      uint32_t dilation, uint32_t stride)
{
	uint64_t all = (uint64_t)in + before + behind, window;

	window = taps ? (taps - 1ull) * dilation + 1 : 1;
	if (all < window)
		return 0;
	return (uint32_t)((all - window) / stride + 1);
}

/* @window with its defaults filled in, @channels on both sides. */
static struct accel_window accel_window_fill(const struct accel_window *window, uint32_t in_c,
					     uint32_t out_c)
{
	struct accel_window w = *window;

	w.batch = accel_or(w.batch, 1);
	w.stride_h = accel_or(w.stride_h, 1);
	w.stride_w = accel_or(w.stride_w, 1);
	w.dilation_h = accel_or(w.dilation_h, 1);
	w.dilation_w = accel_or(w.dilation_w, 1);
	w.src_stride = accel_or(w.src_stride, in_c);
	w.dst_stride = accel_or(w.dst_stride, out_c);
	if (!w.out_h)
		w.out_h = accel_windows(w.in_h, w.pad_top, w.pad_bottom, w.kh, w.dilation_h,
					w.stride_h);
	if (!w.out_w)
		w.out_w = accel_windows(w.in_w, w.pad_left, w.pad_right, w.kw, w.dilation_w,
					w.stride_w);
	return w;
}

struct accel_limit {
	const char *field;
	uint32_t value, max;
};

/* Numbers that the record has fewer bits for than the caller. */
static int accel_check_limits(struct accel_stream *stream, const char *cmd,
			      const struct accel_limit *limits, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (limits[i].value > limits[i].max)
			return accel_error(stream->vm->dev, -EINVAL, "%s: %s is %u; required: at "
					   "most %u", cmd, limits[i].field, limits[i].value,
					   limits[i].max);
	return 0;
}

static int accel_check_window(struct accel_stream *stream, const char *cmd,
			      const struct accel_window *w, uint32_t taps)
{
	const struct accel_limit limits[] = {
		{ "batch", w->batch, UINT16_MAX }, { "in_h", w->in_h, UINT16_MAX },
		{ "in_w", w->in_w, UINT16_MAX }, { "out_h", w->out_h, UINT16_MAX },
		{ "out_w", w->out_w, UINT16_MAX }, { "kh", w->kh, taps }, { "kw", w->kw, taps },
		{ "stride_h", w->stride_h, UINT8_MAX }, { "stride_w", w->stride_w, UINT8_MAX },
		{ "dilation_h", w->dilation_h, UINT8_MAX },
		{ "dilation_w", w->dilation_w, UINT8_MAX },
		{ "pad_top", w->pad_top, UINT16_MAX }, { "pad_left", w->pad_left, UINT16_MAX },
	};

	if (w->pad_value < -128 || w->pad_value > 127)
		return accel_error(stream->vm->dev, -EINVAL, "%s: pad_value is %d; required: "
				   "-128..127", cmd, w->pad_value);
	return accel_check_limits(stream, cmd, limits, sizeof(limits) / sizeof(limits[0]));
}

static void accel_conv2d_window(struct quill_cmd_conv2d *c, struct quill_ext_conv2d *e,
				const struct accel_window *w)
{
	c->batch = (uint16_t)w->batch;
	c->in_h = (uint16_t)w->in_h;
	c->in_w = (uint16_t)w->in_w;
	c->out_h = (uint16_t)w->out_h;
	c->out_w = (uint16_t)w->out_w;
	c->kh = (uint8_t)w->kh;
	c->kw = (uint8_t)w->kw;
	c->stride_h = (uint8_t)w->stride_h;
	c->stride_w = (uint8_t)w->stride_w;
	c->dilation_h = (uint8_t)w->dilation_h;
	c->dilation_w = (uint8_t)w->dilation_w;
	c->pad_value = (int8_t)w->pad_value;
	e->src_stride = w->src_stride;
	e->dst_stride = w->dst_stride;
	e->pad_top = (uint16_t)w->pad_top;
	e->pad_left = (uint16_t)w->pad_left;
}

int accel_cmd_conv2d(struct accel_stream *stream, const struct accel_conv2d *conv,
		     const struct accel_cmd_opts *opts)
{
	struct accel_window w = accel_window_fill(&conv->window, conv->in_c, conv->out_c);
	const struct accel_limit limits[] = {
		{ "in_c", conv->in_c, UINT16_MAX }, { "out_c", conv->out_c, UINT16_MAX },
		{ "groups", conv->groups, UINT16_MAX },
		{ "type_d", (uint32_t)conv->type_d, UINT8_MAX },
	};
	bool full = conv->type_d == ACCEL_S8 && !conv->lo && !conv->hi;
	union quill_cmd cmd[3];
	struct quill_ext_conv2d *e = &cmd[1].conv2d_ext;
	int ret;

	ret = accel_check_window(stream, "CONV2D", &w, UINT8_MAX);
	if (!ret)
		ret = accel_check_limits(stream, "CONV2D", limits, 4);
	if (ret)
		return ret;
	accel_cmd_header(cmd, QUILL_OP_CONV2D, opts);
	cmd[0].hdr.type_a = QUILL_TYPE_S8;
	cmd[0].hdr.type_b = QUILL_TYPE_S8;
	cmd[0].hdr.type_d = (uint8_t)conv->type_d;
	cmd[0].conv2d.src = conv->src;
	cmd[0].conv2d.weight = conv->weight;
	cmd[0].conv2d.dst = conv->dst;
	cmd[0].conv2d.in_c = (uint16_t)conv->in_c;
	cmd[0].conv2d.out_c = (uint16_t)conv->out_c;
	cmd[0].conv2d.groups = (uint16_t)accel_or(conv->groups, 1);
	accel_conv2d_window(&cmd[0].conv2d, e, &w);
	e->bias = conv->bias;
	e->scale = conv->scale;
	e->zero = conv->zero;
	e->lo = full ? -128 : conv->lo;
	e->hi = full ? 127 : conv->hi;
	if (!conv->residual)
		return accel_stream_emit(stream, cmd, 2);
	accel_cmd_extend(cmd, 2);
	cmd[2].conv2d_residual.residual = conv->residual;
	cmd[2].conv2d_residual.mult = conv->residual_mult;
	cmd[2].conv2d_residual.stride = accel_or(conv->residual_stride, conv->out_c);
	cmd[2].conv2d_residual.zero = conv->residual_zero;
	return accel_stream_emit(stream, cmd, 3);
}

int accel_cmd_pool(struct accel_stream *stream, const struct accel_pool *pool,
		   const struct accel_cmd_opts *opts)
{
	struct accel_window w = accel_window_fill(&pool->window, pool->channels, pool->channels);
	const struct accel_limit limits[] = {
		{ "channels", pool->channels, UINT16_MAX }, { "dilation_h", w.dilation_h, 1 },
		{ "dilation_w", w.dilation_w, 1 }, { "type", (uint32_t)pool->type, UINT8_MAX },
		{ "op", (uint32_t)pool->op, UINT8_MAX },
	};
	union quill_cmd cmd;
	int ret;

	ret = accel_check_window(stream, "POOL", &w, UINT16_MAX);
	if (!ret)
		ret = accel_check_limits(stream, "POOL", limits, 5);
	if (ret)
		return ret;
	accel_cmd_header(&cmd, QUILL_OP_POOL, opts);
	cmd.hdr.type_a = (uint8_t)pool->type;
	cmd.hdr.type_d = (uint8_t)pool->type;
	cmd.pool = (struct quill_cmd_pool){
		.hdr = cmd.hdr, .src = pool->src, .dst = pool->dst, .src_stride = w.src_stride,
		.dst_stride = w.dst_stride, .batch = (uint16_t)w.batch, .in_h = (uint16_t)w.in_h,
		.in_w = (uint16_t)w.in_w, .out_h = (uint16_t)w.out_h, .out_w = (uint16_t)w.out_w,
		.channels = (uint16_t)pool->channels, .kh = (uint16_t)w.kh, .kw = (uint16_t)w.kw,
		.pad_top = (uint16_t)w.pad_top, .pad_left = (uint16_t)w.pad_left,
		.stride_h = (uint8_t)w.stride_h, .stride_w = (uint8_t)w.stride_w,
		.op = (uint8_t)pool->op, .pad_value = (int8_t)w.pad_value,
	};
	return accel_stream_emit(stream, &cmd, 1);
}

/* ---- Weights ---- */

uint64_t accel_conv_packed_size(const struct accel_conv_shape *s)
{
	uint32_t groups = accel_or(s->groups, 1);

	if (!s->in_c || s->in_c > UINT16_MAX || !s->out_c || s->out_c > UINT16_MAX ||
	    s->in_c % groups || s->out_c % groups || !s->kh || s->kh > UINT8_MAX || !s->kw ||
	    s->kw > UINT8_MAX || (uint64_t)s->kh * s->kw * (s->in_c / groups) > QUILL_GEMM_MAX_K)
		return 0;
	return quill_conv_packed_size(s->in_c, s->out_c, groups, s->kh, s->kw);
}

/* Where one weight is in the caller's memory: steps of output channel, tap, input channel. */
struct accel_conv_steps {
	size_t o, tap, i;
};

static struct accel_conv_steps accel_conv_steps(const struct accel_conv_shape *s, uint32_t in,
						enum accel_conv_order order)
{
	size_t taps = (size_t)s->kh * s->kw;

	if (order == ACCEL_CONV_OIHW)
		return (struct accel_conv_steps){ .o = taps * in, .tap = 1, .i = taps };
	if (order == ACCEL_CONV_OHWI)
		return (struct accel_conv_steps){ .o = taps * in, .tap = in, .i = 1 };
	return (struct accel_conv_steps){ .o = 1, .tap = (size_t)in * s->out_c, .i = s->out_c };
}

int accel_pack_conv_s8(void *dst, const int8_t *src, const struct accel_conv_shape *shape,
		       enum accel_conv_order order)
{
	uint32_t groups = accel_or(shape->groups, 1), taps = shape->kh * shape->kw, o, t, i;
	uint64_t size = accel_conv_packed_size(shape), group;
	uint32_t in = shape->in_c / groups, out = shape->out_c / groups;
	struct accel_conv_steps step = accel_conv_steps(shape, in, order);
	uint8_t *to;

	if (!size || (unsigned int)order > ACCEL_CONV_HWIO)
		return -EINVAL;
	/* all channels are columns of one matrix */
	if (quill_conv_depthwise(shape->in_c, shape->out_c, groups))
		out = shape->out_c;
	group = quill_packed_size(out, taps * in);
	memset(dst, ACCEL_PAD, size);
	for (o = 0; o < shape->out_c; o++) {
		to = (uint8_t *)dst + o / out * group;
		for (t = 0; t < taps; t++)
			for (i = 0; i < in; i++)
				to[quill_packed_offset(o % out, t * in + i, taps * in)] =
					(uint8_t)src[o * step.o + t * step.tap + i * step.i] ^
					ACCEL_PAD;
	}
	return 0;
}
