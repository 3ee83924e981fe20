// SPDX-License-Identifier: MIT
/*
 * Operations on tensors: copy in, run one job, wait, copy out.
 *
 * The workspace is one buffer that holds the operands of one operation. Before it is sized by what
 * the caller asked for, the command is encoded once with its operands at a token address: so
 * dimensions are refused by the same rules and in the same words as everywhere, and no product of
 * dimensions is formed before they are known to be small.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "weights.h"

#define ACCEL_OPS_RECORDS	2
#define ACCEL_TOKEN		QUILL_PAGE_SIZE

struct accel_ops {
	struct accel_queue *queue;
	struct accel_stream *stream;
	struct accel_buffer buf;
};

int accel_ops_create(struct accel_queue *queue, struct accel_ops **out)
{
	struct accel_vm *vm = accel_queue_vm(queue);
	struct accel_ops *ops;
	int ret;

	ops = calloc(1, sizeof(*ops));
	if (!ops)
		return accel_error(vm->dev, -ENOMEM, "accel_ops_create: no memory");
	ret = accel_stream_create(vm, ACCEL_OPS_RECORDS, &ops->stream);
	if (ret) {
		free(ops);
		return ret;
	}
	ops->queue = accel_queue_get(queue);
	*out = ops;
	return 0;
}

void accel_ops_destroy(struct accel_ops *ops)
{
	if (!ops)
		return;
	accel_queue_destroy(ops->queue);
	accel_stream_destroy(ops->stream);
	accel_buffer_destroy(&ops->buf);
	free(ops);
}

static struct accel_device *accel_ops_device(struct accel_ops *ops)
{
	return ops->stream->vm->dev;
}

/* Place @bytes behind what @total counts, aligned for any element, and return where. */
static uint64_t accel_place(uint64_t *total, uint64_t bytes)
{
	uint64_t at = ACCEL_ALIGN(*total, 64);

	*total = at + bytes;
	return at;
}

/*
 * A workspace of @size bytes; room for half as much again, so that growth by a little costs
 * nothing.
 */
static int accel_ops_reserve(struct accel_ops *ops, uint64_t size)
{
	struct accel_buffer buf;
	int ret;

	if (ops->buf.size >= size)
		return 0;
	ret = accel_buffer_create(ops->stream->vm, size + size / 2, &buf);
	if (ret)
		return ret;
	accel_buffer_destroy(&ops->buf);
	ops->buf = buf;
	return 0;
}

static void *accel_ops_ptr(struct accel_ops *ops, uint64_t offset)
{
	return (char *)ops->buf.ptr + offset;
}

static int accel_ops_run(struct accel_ops *ops)
{
	uint64_t point;
	int ret;

	ret = accel_queue_submit(ops->queue, ops->stream, NULL, 0, &point);
	if (ret)
		return ret;
	return accel_queue_wait(ops->queue, point, ACCEL_WAIT_FOREVER);
}

/* Copy @rows rows of @width bytes; strides in bytes. */
static void accel_copy_rows(void *dst, size_t dst_stride, const void *src, size_t src_stride,
			    size_t rows, size_t width)
{
	size_t i;

	if (dst_stride == width && src_stride == width) {
		memcpy(dst, src, rows * width);
		return;
	}
	for (i = 0; i < rows; i++)
		memcpy((char *)dst + i * dst_stride, (const char *)src + i * src_stride, width);
}

/* ---- Matmul ---- */

/* Where a matmul's operands lie in the workspace. */
struct accel_matmul {
	struct accel_gemm gemm;
	uint64_t a, row_scale, d, total;
};

static int accel_matmul_check(struct accel_ops *ops, const struct accel_weights *weights,
			      size_t lda, size_t ldd)
{
	struct accel_device *dev = accel_ops_device(ops);

	if (weights->buf.vm != ops->stream->vm)
		return accel_error(dev, -EINVAL, "matmul: the weights are of vm %u; required: the "
				   "queue's, vm %u", weights->buf.vm->id, ops->stream->vm->id);
	if (lda && lda < weights->k)
		return accel_error(dev, -EINVAL, "matmul: lda is %zu; required: 0, or at least k, "
				   "%u", lda, weights->k);
	if (ldd && ldd < weights->n)
		return accel_error(dev, -EINVAL, "matmul: ldd is %zu; required: 0, or at least n, "
				   "%u", ldd, weights->n);
	return 0;
}

static int accel_matmul_encode(struct accel_ops *ops, struct accel_matmul *mm, uint64_t base)
{
	bool scaled = mm->gemm.type_d == ACCEL_F32;

	mm->gemm.a = base + mm->a;
	mm->gemm.d = base + mm->d;
	mm->gemm.row_scale = scaled ? base + mm->row_scale : 0;
	accel_stream_reset(ops->stream);
	return accel_cmd_gemm(ops->stream, &mm->gemm, NULL);
}

/* Everything up to the copy in: after it, the operands have their place and the stream is ready. */
static int accel_matmul_prepare(struct accel_ops *ops, const struct accel_weights *weights,
				enum accel_type type_d, uint32_t m, struct accel_matmul *mm)
{
	int ret;

	memset(mm, 0, sizeof(*mm));
	accel_weights_gemm(weights, type_d, &mm->gemm);
	mm->gemm.m = m;
	ret = accel_matmul_encode(ops, mm, ACCEL_TOKEN);
	if (ret)
		return ret;

	mm->a = accel_place(&mm->total, (uint64_t)m * weights->k);
	mm->row_scale = accel_place(&mm->total, (uint64_t)m * sizeof(float));
	mm->d = accel_place(&mm->total, (uint64_t)m * weights->n * 4);
	ret = accel_ops_reserve(ops, mm->total);
	if (ret)
		return ret;
	return accel_matmul_encode(ops, mm, ops->buf.va);
}

/* Run, and copy the result of 4-byte elements out. */
static int accel_matmul_finish(struct accel_ops *ops, const struct accel_matmul *mm, void *d,
			       size_t ldd)
{
	size_t width = (size_t)mm->gemm.n * 4;
	int ret;

	ret = accel_ops_run(ops);
	if (ret)
		return ret;
	accel_copy_rows(d, ldd ? ldd * 4 : width, accel_ops_ptr(ops, mm->d), width, mm->gemm.m,
			width);
	return 0;
}

int accel_matmul_s8(struct accel_ops *ops, const struct accel_weights *weights, const int8_t *a,
		    size_t lda, uint32_t m, int32_t *d, size_t ldd)
{
	struct accel_matmul mm;
	int ret;

	ret = accel_matmul_check(ops, weights, lda, ldd);
	if (ret)
		return ret;
	ret = accel_matmul_prepare(ops, weights, ACCEL_S32, m, &mm);
	if (ret)
		return ret;
	accel_copy_rows(accel_ops_ptr(ops, mm.a), weights->k, a, lda ? lda : weights->k, m,
			weights->k);
	return accel_matmul_finish(ops, &mm, d, ldd);
}

int accel_matmul_f32(struct accel_ops *ops, const struct accel_weights *weights, const float *a,
		     size_t lda, uint32_t m, float *d, size_t ldd)
{
	struct accel_matmul mm;
	int ret;

	ret = accel_matmul_check(ops, weights, lda, ldd);
	if (ret)
		return ret;
	ret = accel_matmul_prepare(ops, weights, ACCEL_F32, m, &mm);
	if (ret)
		return ret;
	ret = accel_quantise_rows_s8(a, m, weights->k, lda, accel_ops_ptr(ops, mm.a), 0,
				     accel_ops_ptr(ops, mm.row_scale));
	if (ret)
		return accel_error(accel_ops_device(ops), ret, "matmul: a value of A is NaN or "
				   "infinite; required: finite");
	return accel_matmul_finish(ops, &mm, d, ldd);
}

/* ---- Attention ---- */

/* A float tensor of heads to quantise, and where it goes. */
struct accel_heads {
	const char *name;
	const float *src;
	size_t rows;
	uint64_t data, scale;
};

static int accel_heads_quantise(struct accel_ops *ops, const struct accel_heads *heads,
				uint32_t head_dim)
{
	int ret;

	ret = accel_quantise_rows_s8(heads->src, heads->rows, head_dim, 0,
				     accel_ops_ptr(ops, heads->data), 0,
				     accel_ops_ptr(ops, heads->scale));
	if (ret)
		return accel_error(accel_ops_device(ops), ret, "attention: a value of %s is NaN or "
				   "infinite; required: finite", heads->name);
	return 0;
}

static int accel_attention_encode(struct accel_ops *ops, const struct accel_attention_f32 *p,
				  const struct accel_heads *heads, uint64_t out, uint64_t base)
{
	struct accel_attention cmd = {
		.q = base + heads[0].data,
		.k = base + heads[1].data,
		.v = base + heads[2].data,
		.out = base + out,
		.q_scale = base + heads[0].scale,
		.k_scale = base + heads[1].scale,
		.v_scale = base + heads[2].scale,
		.n_q = p->n_q,
		.n_kv = p->n_kv,
		.n_heads = p->n_heads,
		.n_kv_heads = p->n_kv_heads,
		.head_dim = p->head_dim,
		.softmax_scale = p->softmax_scale,
		.causal = p->causal,
	};

	accel_stream_reset(ops->stream);
	return accel_cmd_attention(ops->stream, &cmd, NULL);
}

int accel_attention_f32(struct accel_ops *ops, const struct accel_attention_f32 *attention)
{
	const struct accel_attention_f32 *p = attention;
	struct accel_heads heads[3] = {
		{ .name = "q", .src = p->q, .rows = (size_t)p->n_q * p->n_heads },
		{ .name = "k", .src = p->k, .rows = (size_t)p->n_kv * p->n_kv_heads },
		{ .name = "v", .src = p->v, .rows = (size_t)p->n_kv * p->n_kv_heads },
	};
	uint64_t out, out_bytes, total = 0;
	int i, ret;

	ret = accel_attention_encode(ops, p, heads, 0, ACCEL_TOKEN);
	if (ret)
		return ret;

	for (i = 0; i < 3; i++) {
		heads[i].data = accel_place(&total, (uint64_t)heads[i].rows * p->head_dim);
		heads[i].scale = accel_place(&total, heads[i].rows * sizeof(float));
	}
	out_bytes = (uint64_t)heads[0].rows * p->head_dim * sizeof(float);
	out = accel_place(&total, out_bytes);
	ret = accel_ops_reserve(ops, total);
	if (ret)
		return ret;

	for (i = 0; i < 3; i++) {
		ret = accel_heads_quantise(ops, &heads[i], p->head_dim);
		if (ret)
			return ret;
	}
	ret = accel_attention_encode(ops, p, heads, out, ops->buf.va);
	if (!ret)
		ret = accel_ops_run(ops);
	if (!ret)
		memcpy(p->out, accel_ops_ptr(ops, out), out_bytes);
	return ret;
}
