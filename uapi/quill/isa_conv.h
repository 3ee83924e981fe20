/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the commands that slide a window over images, CONV2D of the TENSOR engine and POOL of VECTOR. Included
 * by isa.h.
 *
 * Images are NHWC: pixel (b, y, x) of an input is at its address plus ((b * in_h + y) * in_w + x) * src_stride
 * elements, its channels one behind the other; of a result likewise, by out_h, out_w and dst_stride. A stride
 * over the number of channels makes the tensor a slice of a wider one.
 *
 * Window (y, x) has its tap (i, j) at the input's line y * stride_h - pad_top + i * dilation_h and pixel
 * x * stride_w - pad_left + j * dilation_w. Where that is outside the image the tap is padding. How much of it there is
 * below and on the right follows from out_h and out_w.
 */
#ifndef QUILL_ISA_CONV_H
#define QUILL_ISA_CONV_H

/* Pixels of an input and of a result, all images together. */
#define QUILL_CONV_MAX_PIXELS	(1u << 24)
/*
 * Bytes of input under one window: its height and width with dilation, times the channels of a group (depthwise: times
 * 64). A window has to fit where the engine gathers it.
 */
#define QUILL_CONV_MAX_WINDOW	(1u << 24)
#define QUILL_POOL_MAX_TAPS	65536u	/* 128 * 65536 is exact in float32 */

/**
 * struct quill_cmd_conv2d - CONV2D, first record
 *
 * acc = sum over taps and the channels of a group of input * weight, exact; then the epilogue of GEMM.
 */
struct quill_cmd_conv2d {
	struct quill_cmd_hdr hdr;
	/** @src: device address of the input, int8. */
	__u64 src;
	/** @weight: device address of the packed weights, 64-byte aligned: see quill_conv_packed_size(). */
	__u64 weight;
	/** @dst: device address of the result, aligned to its element. */
	__u64 dst;
	/** @batch: images, at least 1. */
	__u16 batch;
	/** @in_h: lines of an image, at least 1. */
	__u16 in_h;
	/** @in_w: pixels of a line, at least 1. */
	__u16 in_w;
	/** @out_h: lines of a result; the last window starts above the input's end. */
	__u16 out_h;
	/** @out_w: pixels of a line; the last window starts left of the input's end. */
	__u16 out_w;
	/** @in_c: channels of the input, a multiple of @groups. */
	__u16 in_c;
	/** @out_c: channels of the result, a multiple of @groups. */
	__u16 out_c;
	/** @groups: channels fall into so many parts that do not mix, at least 1. */
	__u16 groups;
	/** @kh: taps of a window, down, at least 1; kh * kw * in_c / groups is at most QUILL_GEMM_MAX_K. */
	__u8 kh;
	/** @kw: across, at least 1. */
	__u8 kw;
	/** @stride_h: lines from window to window, at least 1. */
	__u8 stride_h;
	/** @stride_w: pixels from window to window, at least 1. */
	__u8 stride_w;
	/** @dilation_h: lines from tap to tap, at least 1. */
	__u8 dilation_h;
	/** @dilation_w: pixels from tap to tap, at least 1. */
	__u8 dilation_w;
	/** @pad_value: what a padded tap reads, in every channel: the input's zero point. */
	__s8 pad_value;
	/** @reserved: zero. */
	__u8 reserved;
};

#define QUILL_FIELDS_conv2d(F) \
	F(conv2d, src, ADDR) F(conv2d, weight, ADDR) F(conv2d, dst, ADDR) F(conv2d, batch, DIM) \
	F(conv2d, in_h, DIM) F(conv2d, in_w, DIM) F(conv2d, out_h, DIM) F(conv2d, out_w, DIM) \
	F(conv2d, in_c, DIM) F(conv2d, out_c, DIM) F(conv2d, groups, DIM) F(conv2d, kh, DIM) \
	F(conv2d, kw, DIM) F(conv2d, stride_h, STRIDE) F(conv2d, stride_w, STRIDE) \
	F(conv2d, dilation_h, STRIDE) F(conv2d, dilation_w, STRIDE) F(conv2d, pad_value, SIGNED) \
	F(conv2d, reserved, ZERO)

/**
 * struct quill_ext_conv2d - CONV2D, second record: strides and epilogue
 */
struct quill_ext_conv2d {
	struct quill_cmd_hdr hdr;
	/** @bias: device address of s32[out_c] (F32: f32[out_c]), 4-byte aligned, or 0. */
	__u64 bias;
	/** @scale: S8: struct quill_requant[out_c], 8-byte aligned; F32: f32[out_c], 4-byte aligned; S32: 0. */
	__u64 scale;
	/** @src_stride: elements from pixel to pixel of the input, at least in_c. */
	__u32 src_stride;
	/** @dst_stride: elements from pixel to pixel of the result, at least out_c. */
	__u32 dst_stride;
	/** @pad_top: lines of padding above an image, at most (kh - 1) * dilation_h. */
	__u16 pad_top;
	/** @pad_left: pixels of padding left of a line, at most (kw - 1) * dilation_w. */
	__u16 pad_left;
	/** @zero: S8: added after the rounding, -128..127; else 0. */
	__s32 zero;
	/** @lo: S8: least result, -128..127; else 0. */
	__s32 lo;
	/** @hi: S8: largest result, @lo..127; else 0. */
	__s32 hi;
	/** @reserved: zero. */
	__u64 reserved;
};

#define QUILL_FIELDS_conv2d_ext(F) \
	F(conv2d_ext, bias, ADDR) F(conv2d_ext, scale, ADDR) F(conv2d_ext, src_stride, STRIDE) \
	F(conv2d_ext, dst_stride, STRIDE) F(conv2d_ext, pad_top, DIM) F(conv2d_ext, pad_left, DIM) \
	F(conv2d_ext, zero, SIGNED) F(conv2d_ext, lo, SIGNED) F(conv2d_ext, hi, SIGNED) \
	F(conv2d_ext, reserved, ZERO)

/**
 * struct quill_ext_conv2d_residual - CONV2D to S8, third record, where there is a residual
 *
 * (residual - zero) * mult[o] joins the channel's sum * mult before both are divided by 2^shift and rounded, once.
 */
struct quill_ext_conv2d_residual {
	struct quill_cmd_hdr hdr;
	/** @residual: device address, int8, of the shape of the result; may be the result's, with its stride. */
	__u64 residual;
	/** @mult: device address of s32[out_c], 4-byte aligned. */
	__u64 mult;
	/** @stride: elements from pixel to pixel, at least out_c. */
	__u32 stride;
	/** @zero: the residual's zero point, -128..127. */
	__s32 zero;
	/** @reserved: zero. */
	__u64 reserved[3];
};

#define QUILL_FIELDS_conv2d_residual(F) \
	F(conv2d_residual, residual, ADDR) F(conv2d_residual, mult, ADDR) \
	F(conv2d_residual, stride, STRIDE) F(conv2d_residual, zero, SIGNED) \
	F(conv2d_residual, reserved, ZERO)

/*
 * Packed weights. Each group is a GEMM's B (see quill_packed_offset()) with a row for each (i, j, input channel of the
 * group), in this order, and a column for each output channel of the group; one group follows the other. But
 * depthwise (as many groups as input and as output channels, over 1) it is a single B with a row for each tap
 * (i, j) and a column for each channel.
 */
static inline int quill_conv_depthwise(__u32 in_c, __u32 out_c, __u32 groups)
{
	return groups > 1 && in_c == groups && out_c == groups;
}

/* Bytes of packed weights. */
static inline __u64 quill_conv_packed_size(__u32 in_c, __u32 out_c, __u32 groups, __u32 kh, __u32 kw)
{
	if (quill_conv_depthwise(in_c, out_c, groups))
		return quill_packed_size(out_c, kh * kw);
	return groups * quill_packed_size(out_c / groups, kh * kw * (in_c / groups));
}

enum quill_pool_op {
	QUILL_POOL_MAX = 0,		/* of the taps that are no padding */
	QUILL_POOL_MEAN = 1,		/* of the taps that are no padding */
	QUILL_POOL_MEAN_PADDED = 2,	/* of all taps */
	QUILL_POOL_COUNT = 3,
};

/**
 * struct quill_cmd_pool - POOL: the largest or the mean of each window, channel by channel
 *
 * Windows are not dilated. The type of the result is that of the input: int8 or float32.
 */
struct quill_cmd_pool {
	struct quill_cmd_hdr hdr;
	/** @src: device address, aligned to its element. */
	__u64 src;
	/** @dst: device address, aligned to its element. */
	__u64 dst;
	/** @src_stride: elements from pixel to pixel of the input, at least @channels. */
	__u32 src_stride;
	/** @dst_stride: elements from pixel to pixel of the result, at least @channels. */
	__u32 dst_stride;
	/** @batch: images, at least 1. */
	__u16 batch;
	/** @in_h: lines of an image, at least 1. */
	__u16 in_h;
	/** @in_w: pixels of a line, at least 1. */
	__u16 in_w;
	/** @out_h: lines of a result; the last window starts above the input's end. */
	__u16 out_h;
	/** @out_w: pixels of a line; the last window starts left of the input's end. */
	__u16 out_w;
	/** @channels: of input and result, at least 1. */
	__u16 channels;
	/** @kh: taps of a window, down, at least 1; kh * kw is at most QUILL_POOL_MAX_TAPS. */
	__u16 kh;
	/** @kw: across, at least 1. */
	__u16 kw;
	/** @pad_top: lines of padding above an image, below @kh. */
	__u16 pad_top;
	/** @pad_left: pixels of padding left of a line, below @kw. */
	__u16 pad_left;
	/** @stride_h: lines from window to window, at least 1. */
	__u8 stride_h;
	/** @stride_w: pixels from window to window, at least 1. */
	__u8 stride_w;
	/** @op: enum quill_pool_op. */
	__u8 op;
	/** @pad_value: MEAN_PADDED of int8: what a padded tap counts as, the input's zero point; else 0. */
	__s8 pad_value;
};

#define QUILL_FIELDS_pool(F) \
	F(pool, src, ADDR) F(pool, dst, ADDR) F(pool, src_stride, STRIDE) \
	F(pool, dst_stride, STRIDE) F(pool, batch, DIM) F(pool, in_h, DIM) F(pool, in_w, DIM) \
	F(pool, out_h, DIM) F(pool, out_w, DIM) F(pool, channels, DIM) F(pool, kh, DIM) \
	F(pool, kw, DIM) F(pool, pad_top, DIM) F(pool, pad_left, DIM) F(pool, stride_h, STRIDE) \
	F(pool, stride_w, STRIDE) F(pool, op, NUMBER) F(pool, pad_value, SIGNED)

#endif /* QUILL_ISA_CONV_H */
