// SPDX-License-Identifier: MIT
/*
 * Weights: a matrix on the device, packed once, with the scales and the bias of its output
 * channels.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "weights.h"

static int accel_weights_check(struct accel_vm *vm, uint32_t n, uint32_t k, size_t ld,
			       enum accel_order order, const float *scale, const float *bias)
{
	size_t row = order == ACCEL_ORDER_NK ? k : n;

	if (!accel_packed_size(n, k))
		return accel_error(vm->dev, -EINVAL, "weights: n is %u, k is %u; required: 1..2^24 "
				   "and 1..65536", n, k);
	if (order != ACCEL_ORDER_NK && order != ACCEL_ORDER_KN)
		return accel_error(vm->dev, -EINVAL, "weights: order is %d; required: ACCEL_ORDER_NK "
				   "(0) or ACCEL_ORDER_KN (1)", order);
	if (ld && ld < row)
		return accel_error(vm->dev, -EINVAL, "weights: ld is %zu; required: 0, or at least a "
				   "row, %zu", ld, row);
	if (scale && !accel_all_finite(scale, n))
		return accel_error(vm->dev, -EDOM, "weights: a scale is NaN or infinite; required: "
				   "finite");
	if (bias && !accel_all_finite(bias, n))
		return accel_error(vm->dev, -EDOM, "weights: a bias is NaN or infinite; required: "
				   "finite");
	return 0;
}

/* Memory for packed B, scale[n], bias[n], in this order. */
static struct accel_weights *accel_weights_alloc(struct accel_vm *vm, uint32_t n, uint32_t k,
						 int *ret)
{
	struct accel_weights *weights = calloc(1, sizeof(*weights));
	uint64_t packed = accel_packed_size(n, k);

	if (!weights) {
		*ret = accel_error(vm->dev, -ENOMEM, "weights: no memory for the object");
		return NULL;
	}
	*ret = accel_buffer_create(vm, packed + 2ull * n * sizeof(float), &weights->buf);
	if (*ret) {
		free(weights);
		return NULL;
	}
	weights->n = n;
	weights->k = k;
	weights->scale_offset = packed;
	weights->bias_offset = packed + n * sizeof(float);
	return weights;
}

static float *accel_weights_floats(struct accel_weights *weights, uint64_t offset)
{
	return (float *)((char *)weights->buf.ptr + offset);
}

static void accel_weights_fill(struct accel_weights *weights, const int8_t *src, size_t ld,
			       enum accel_order order, const float *scale, const float *bias)
{
	float *to = accel_weights_floats(weights, weights->scale_offset);
	size_t bytes = weights->n * sizeof(float);
	uint32_t i;

	accel_pack_s8(weights->buf.ptr, src, weights->n, weights->k, ld, order);
	if (scale)
		memcpy(to, scale, bytes);
	for (i = 0; !scale && i < weights->n; i++)
		to[i] = 1.0f;
	if (bias)
		memcpy(accel_weights_floats(weights, weights->bias_offset), bias, bytes);
	weights->has_bias = bias;
}

int accel_weights_create_s8(struct accel_vm *vm, const int8_t *src, uint32_t n, uint32_t k,
			    size_t ld, enum accel_order order, const float *scale,
			    const float *bias, struct accel_weights **out)
{
	struct accel_weights *weights;
	int ret;

	ret = accel_weights_check(vm, n, k, ld, order, scale, bias);
	if (ret)
		return ret;
	weights = accel_weights_alloc(vm, n, k, &ret);
	if (!weights)
		return ret;
	accel_weights_fill(weights, src, ld, order, scale, bias);
	*out = weights;
	return 0;
}

int accel_weights_create_f32(struct accel_vm *vm, const float *src, uint32_t n, uint32_t k,
			     size_t ld, enum accel_order order, const float *bias,
			     struct accel_weights **out)
{
	float *scale;
	int8_t *q;
	int ret;

	ret = accel_weights_check(vm, n, k, ld, order, NULL, bias);
	if (ret)
		return ret;

	q = malloc((size_t)n * k);
	scale = malloc(n * sizeof(*scale));
	if (q && scale)
		ret = accel_quantise_channels_s8(src, n, k, ld, order, q, scale);
	if (!q || !scale)
		ret = accel_error(vm->dev, -ENOMEM, "weights: no memory to quantise %u x %u", n, k);
	else if (ret)
		accel_error(vm->dev, ret, "weights: a value is NaN or infinite; required: finite");
	else
		ret = accel_weights_create_s8(vm, q, n, k, 0, order, scale, bias, out);
	free(scale);
	free(q);
	return ret;
}

void accel_weights_destroy(struct accel_weights *weights)
{
	if (!weights)
		return;
	accel_buffer_destroy(&weights->buf);
	free(weights);
}

int accel_weights_gemm(const struct accel_weights *weights, enum accel_type type_d,
		       struct accel_gemm *gemm)
{
	if (type_d != ACCEL_F32 && type_d != ACCEL_S32)
		return accel_error(weights->buf.vm->dev, -EINVAL, "accel_weights_gemm: type_d is %d; "
				   "required: ACCEL_S32 (2) or ACCEL_F32 (3)", type_d);
	memset(gemm, 0, sizeof(*gemm));
	gemm->b = weights->buf.va;
	gemm->n = weights->n;
	gemm->k = weights->k;
	gemm->type_d = type_d;
	if (type_d == ACCEL_F32) {
		gemm->scale = weights->buf.va + weights->scale_offset;
		gemm->bias = weights->has_bias ? weights->buf.va + weights->bias_offset : 0;
	}
	return 0;
}
