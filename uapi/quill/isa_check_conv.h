/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of CONV2D and POOL. Included by isa_check.h.
 */
#ifndef QUILL_ISA_CHECK_CONV_H
#define QUILL_ISA_CHECK_CONV_H

/* Images, windows' steps, and that the last window starts inside; @c is a struct quill_cmd_conv2d or quill_cmd_pool. */
#define QUILL_REQUIRE_IMAGES(c, name)								\
	do {											\
		QUILL_REQUIRE((c)->in_h, SHAPE, 0, name, in_h, "at least 1");			\
		QUILL_REQUIRE((c)->in_w, SHAPE, 0, name, in_w, "at least 1");			\
		QUILL_REQUIRE((c)->out_h, SHAPE, 0, name, out_h, "at least 1");			\
		QUILL_REQUIRE((c)->out_w, SHAPE, 0, name, out_w, "at least 1");			\
		QUILL_REQUIRE((c)->batch &&							\
			      (__u64)(c)->batch * (c)->in_h * (c)->in_w <=			\
			      QUILL_CONV_MAX_PIXELS &&						\
			      (__u64)(c)->batch * (c)->out_h * (c)->out_w <=			\
			      QUILL_CONV_MAX_PIXELS, SHAPE, 0, name, batch,			\
			      "at least 1, with at most 2^24 pixels in all images");		\
		QUILL_REQUIRE((c)->stride_h, SHAPE, 0, name, stride_h, "at least 1");		\
		QUILL_REQUIRE((c)->stride_w, SHAPE, 0, name, stride_w, "at least 1");		\
	} while (0)

/* The last window starts before the input ends; the first ends behind its beginning. */
#define QUILL_REQUIRE_WINDOWS(c, name, p, rec, pad_name, high, wide)				\
	do {											\
		QUILL_REQUIRE((p)->pad_top < (high), SHAPE, rec, pad_name, pad_top,		\
			      "less than the height of a window");				\
		QUILL_REQUIRE((p)->pad_left < (wide), SHAPE, rec, pad_name, pad_left,		\
			      "less than the width of a window");				\
		QUILL_REQUIRE(((c)->out_h - 1u) * (c)->stride_h < (c)->in_h + (__u32)(p)->pad_top, \
			      SHAPE, 0, name, out_h,						\
			      "so few that the last window starts above the input's end|in_h");	\
		QUILL_REQUIRE(((c)->out_w - 1u) * (c)->stride_w < (c)->in_w + (__u32)(p)->pad_left, \
			      SHAPE, 0, name, out_w,						\
			      "so few that the last window starts left of the input's end|in_w"); \
	} while (0)

static inline __u32 quill_check_conv2d_epilogue(const union quill_cmd *cmd,
						struct quill_check *why)
{
	const struct quill_cmd_conv2d *c = &cmd[0].conv2d;
	const struct quill_ext_conv2d *e = &cmd[1].conv2d_ext;
	int s8 = c->hdr.type_d == QUILL_TYPE_S8;
	__u32 scale_size = s8 ? sizeof(struct quill_requant) : 4;

	QUILL_REQUIRE(!(e->bias & 3), ALIGN, 1, conv2d_ext, bias, "a multiple of 4");
	QUILL_REQUIRE(!e->bias || quill_check_range(e->bias, 1, 0, (__u64)c->out_c * 4), RANGE, 1,
		      conv2d_ext, bias, QUILL_IN_48_BITS);
	QUILL_REQUIRE((c->hdr.type_d != QUILL_TYPE_S32) == (e->scale != 0), PARAM, 1, conv2d_ext,
		      scale, "0 for S32 (2), an address for S8 (1) and F32 (3)|type_d");
	QUILL_REQUIRE(!(e->scale & (scale_size - 1)), ALIGN, 1, conv2d_ext, scale,
		      "a multiple of 8 for S8 (1), of 4 for F32 (3)|type_d");
	QUILL_REQUIRE(!e->scale || quill_check_range(e->scale, 1, 0, (__u64)c->out_c * scale_size),
		      RANGE, 1, conv2d_ext, scale, QUILL_IN_48_BITS);
	QUILL_REQUIRE(s8 ? e->zero >= -128 && e->zero <= 127 : !e->zero, PARAM, 1, conv2d_ext,
		      zero, "-128..127 for S8 (1), else 0|type_d");
	QUILL_REQUIRE(s8 ? e->lo >= -128 && e->lo <= 127 : !e->lo, PARAM, 1, conv2d_ext, lo,
		      "-128..127 for S8 (1), else 0|type_d");
	QUILL_REQUIRE(s8 ? e->hi >= e->lo && e->hi <= 127 : !e->hi, PARAM, 1, conv2d_ext, hi,
		      "lo..127 for S8 (1), else 0|type_d");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_conv2d_residual(const union quill_cmd *cmd,
						struct quill_check *why)
{
	const struct quill_cmd_conv2d *c = &cmd[0].conv2d;
	const struct quill_ext_conv2d_residual *e = &cmd[2].conv2d_residual;
	__u32 out = (__u32)c->batch * c->out_h * c->out_w;

	QUILL_REQUIRE(c->hdr.type_d == QUILL_TYPE_S8, TYPE, 0, hdr, type_d,
		      "S8 (1), where there is a residual");
	QUILL_REQUIRE(out == 1 || e->stride >= c->out_c, STRIDE, 2, conv2d_residual, stride,
		      "at least out_c|out_c");
	QUILL_REQUIRE(quill_check_range(e->residual, out, e->stride, c->out_c), RANGE, 2,
		      conv2d_residual, residual, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!(e->mult & 3), ALIGN, 2, conv2d_residual, mult, "a multiple of 4");
	QUILL_REQUIRE(quill_check_range(e->mult, 1, 0, (__u64)c->out_c * 4), RANGE, 2,
		      conv2d_residual, mult, QUILL_IN_48_BITS);
	QUILL_REQUIRE(e->zero >= -128 && e->zero <= 127, PARAM, 2, conv2d_residual, zero,
		      "-128..127");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_conv2d_operands(const union quill_cmd *cmd,
						struct quill_check *why)
{
	const struct quill_cmd_conv2d *c = &cmd[0].conv2d;
	const struct quill_ext_conv2d *e = &cmd[1].conv2d_ext;
	__u32 size = quill_type_size(c->hdr.type_d);
	__u32 in = (__u32)c->batch * c->in_h * c->in_w, out = (__u32)c->batch * c->out_h * c->out_w;

	QUILL_REQUIRE(in == 1 || e->src_stride >= c->in_c, STRIDE, 1, conv2d_ext, src_stride,
		      "at least in_c|in_c");
	QUILL_REQUIRE(out == 1 || e->dst_stride >= c->out_c, STRIDE, 1, conv2d_ext, dst_stride,
		      "at least out_c|out_c");
	QUILL_REQUIRE(quill_check_range(c->src, in, e->src_stride, c->in_c), RANGE, 0, conv2d,
		      src, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!(c->weight & 63), ALIGN, 0, conv2d, weight, "a multiple of 64");
	QUILL_REQUIRE(quill_check_range(c->weight, 1, 0,
					quill_conv_packed_size(c->in_c, c->out_c, c->groups, c->kh,
							       c->kw)),
		      RANGE, 0, conv2d, weight, QUILL_IN_48_BITS);
	QUILL_REQUIRE(!(c->dst & (size - 1)), ALIGN, 0, conv2d, dst,
		      "a multiple of the element's size");
	QUILL_REQUIRE(quill_check_range(c->dst, out, (__u64)e->dst_stride * size,
					(__u64)c->out_c * size), RANGE, 0, conv2d, dst,
		      QUILL_IN_48_BITS);
	if (c->hdr.ext > 1 && quill_check_conv2d_residual(cmd, why))
		return why->fault;
	return quill_check_conv2d_epilogue(cmd, why);
}

static inline __u32 quill_check_conv2d(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_conv2d *c = &cmd[0].conv2d;
	const struct quill_ext_conv2d *e = &cmd[1].conv2d_ext;
	__u32 high = (c->kh - 1u) * c->dilation_h + 1, wide = (c->kw - 1u) * c->dilation_w + 1;
	__u32 channels;

	QUILL_REQUIRE_IMAGES(c, conv2d);
	QUILL_REQUIRE(c->groups, SHAPE, 0, conv2d, groups, "at least 1");
	QUILL_REQUIRE(c->in_c && c->in_c % c->groups == 0, SHAPE, 0, conv2d, in_c,
		      "over 0, and a multiple of groups|groups");
	QUILL_REQUIRE(c->out_c && c->out_c % c->groups == 0, SHAPE, 0, conv2d, out_c,
		      "over 0, and a multiple of groups|groups");
	QUILL_REQUIRE(c->kw, SHAPE, 0, conv2d, kw, "at least 1");
	channels = c->in_c / c->groups;
	QUILL_REQUIRE(c->kh && (__u64)c->kh * c->kw * channels <= QUILL_GEMM_MAX_K, SHAPE, 0,
		      conv2d, kh, "over 0, and kh * kw * in_c / groups at most 65536|kw");
	QUILL_REQUIRE(c->dilation_w, SHAPE, 0, conv2d, dilation_w, "at least 1");
	channels = quill_conv_depthwise(c->in_c, c->out_c, c->groups) ? QUILL_PANEL_N : channels;
	QUILL_REQUIRE(c->dilation_h && (__u64)high * wide * channels <= QUILL_CONV_MAX_WINDOW,
		      SHAPE, 0, conv2d, dilation_h,
		      "over 0, and a window's height, width and channels at most 2^24 bytes");
	QUILL_REQUIRE_WINDOWS(c, conv2d, e, 1, conv2d_ext, high, wide);
	return quill_check_conv2d_operands(cmd, why);
}

static inline __u32 quill_check_pool(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_pool *c = &cmd->pool;
	__u32 size = quill_type_size(c->hdr.type_a);
	__u32 in, out;

	QUILL_REQUIRE_IMAGES(c, pool);
	QUILL_REQUIRE(c->channels, SHAPE, 0, pool, channels, "at least 1");
	QUILL_REQUIRE(c->kw, SHAPE, 0, pool, kw, "at least 1");
	QUILL_REQUIRE(c->kh && (__u32)c->kh * c->kw <= QUILL_POOL_MAX_TAPS, SHAPE, 0, pool, kh,
		      "over 0, and kh * kw at most 65536|kw");
	QUILL_REQUIRE_WINDOWS(c, pool, c, 0, pool, c->kh, c->kw);
	QUILL_REQUIRE(c->hdr.type_d == c->hdr.type_a, TYPE, 0, hdr, type_d,
		      "the type of the input|type_a");
	in = (__u32)c->batch * c->in_h * c->in_w;
	out = (__u32)c->batch * c->out_h * c->out_w;
	QUILL_REQUIRE_MATRIX_AS(c->src, in, c->src_stride, c->channels, size, 0, pool, src,
				src_stride, "at least channels|channels");
	QUILL_REQUIRE_MATRIX_AS(c->dst, out, c->dst_stride, c->channels, size, 0, pool, dst,
				dst_stride, "at least channels|channels");
	QUILL_REQUIRE(c->op < QUILL_POOL_COUNT, PARAM, 0, pool, op,
		      "0 (MAX), 1 (MEAN) or 2 (MEAN_PADDED)");
	QUILL_REQUIRE(!c->pad_value || (c->op == QUILL_POOL_MEAN_PADDED && size == 1), PARAM, 0,
		      pool, pad_value, "0, but for MEAN_PADDED (2) of S8|op");
	return QUILL_FAULT_NONE;
}

#undef QUILL_REQUIRE_WINDOWS
#undef QUILL_REQUIRE_IMAGES

#endif /* QUILL_ISA_CHECK_CONV_H */
