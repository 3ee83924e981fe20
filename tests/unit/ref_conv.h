/* SPDX-License-Identifier: MIT */
/* The reference of CONV2D and POOL: docs/isa.md in plain loops, for tests only. */
#ifndef REF_CONV_H
#define REF_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/isa.h"

/**
 * struct ref_images - images and the windows over them; POOL has groups 1, dilation 1
 */
struct ref_images {
	uint32_t batch, in_h, in_w, in_c, out_h, out_w, out_c, groups;
	uint32_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
	int8_t pad_value;
	/** @src_stride: elements from pixel to pixel. */
	size_t src_stride, dst_stride;
};

/**
 * struct ref_conv2d - a CONV2D command
 */
struct ref_conv2d {
	struct ref_images s;
	const int8_t *src;
	/** @weight: [out_c][kh][kw][in_c / groups]. */
	const int8_t *weight;
	uint32_t type_d;
	void *dst;
	/** @bias: int32_t[out_c] or (F32) float[out_c], or NULL. */
	const void *bias;
	const float *scale;
	const struct quill_requant *requant;
	int32_t zero, lo, hi;
	/** @residual: S8: laid out as the result, residual_stride elements from pixel to pixel, or NULL. */
	const int8_t *residual;
	size_t residual_stride;
	int32_t residual_zero;
	const int32_t *residual_mult;
};

/**
 * struct ref_pool - a POOL command
 */
struct ref_pool {
	struct ref_images s;
	uint32_t type;
	uint32_t op;
	const void *src;
	void *dst;
};

/** ref_conv2d_pack() - weights as isa.h packs them; bytes that are padding become @padding */
void ref_conv2d_pack(const struct ref_conv2d *c, uint8_t padding, uint8_t *packed);

void ref_conv2d(const struct ref_conv2d *c);
void ref_pool(const struct ref_pool *p);

#endif /* REF_CONV_H */
