// SPDX-License-Identifier: MIT
/*
 * Five jobs a layer: QKV, attention, its output, gate and up, down. Each has to wait for the one before,
 * because the host quantises in between; so one stream of two records is enough, written anew for each.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* A tensor of int8 with its scales, in memory that the device sees. */
struct quantised {
	struct accel_buffer values, scales;
};

struct device_layer {
	struct accel_weights *qkv, *attn_output, *gate_up, *down;
	struct quantised k, v;		/* the KV cache: [positions][n_kv_heads][head_dim] */
};

struct model {
	const struct weights *w;
	struct accel_device *dev;
	struct accel_vm *vm;
	struct accel_queue *queue;
	struct accel_stream *stream;
	uint32_t clock_khz;

	struct device_layer *layers;
	struct accel_weights *output;
	struct quantised a;		/* what a GEMM reads */
	struct quantised q;		/* queries: [rows][n_heads][head_dim] */
	struct accel_buffer d;		/* what a command writes */

	float *x;			/* the residual stream: [rows][d_model] */
	float *norm;			/* [rows][d_model] */
	float *cos, *sin;		/* RoPE: [positions][head_dim / 2] */
	uint32_t max_rows, positions, position;
	struct trace *trace;
	char error[ACCEL_ERROR_MAX + 64];
};

/* ---- Running one command ---------------------------------------------------------- */

static int fail(struct model *m, int ret, const char *what)
{
	snprintf(m->error, sizeof(m->error), "%s: %s", what,
		 m->dev && *accel_last_error(m->dev) ? accel_last_error(m->dev) : strerror(-ret));
	return ret;
}

static int run(struct model *m, const char *what)
{
	uint64_t point;
	int ret;

	ret = accel_queue_submit(m->queue, m->stream, NULL, 0, &point);
	if (!ret)
		ret = accel_queue_wait(m->queue, point, ACCEL_WAIT_FOREVER);
	accel_stream_reset(m->stream);
	return ret ? fail(m, ret, what) : 0;
}

/* Keeps a copy of int8 values for the check. */
static int record(struct model *m, const int8_t *values, size_t n)
{
	struct trace *t = m->trace;
	size_t size;
	int8_t *data;

	if (!t)
		return 0;
	if (n > t->size - t->used) {
		size = 2 * t->size + n;
		data = realloc(t->data, size);
		if (!data) {
			snprintf(m->error, sizeof(m->error), "out of memory for the check");
			return -ENOMEM;
		}
		t->data = data;
		t->size = size;
	}
	memcpy(t->data + t->used, values, n);
	t->used += n;
	return 0;
}

/* Quantises @rows rows of @k floats to row @first of @dst. */
static int quantise(struct model *m, struct quantised *dst, size_t first, const float *src,
		    size_t rows, size_t k)
{
	int8_t *values = (int8_t *)dst->values.ptr + first * k;
	float *scales = (float *)dst->scales.ptr + first;

	if (accel_quantise_rows_s8(src, rows, k, 0, values, 0, scales)) {
		snprintf(m->error, sizeof(m->error), "an activation at position %u is not finite",
			 m->position);
		return -EDOM;
	}
	return record(m, values, rows * k);
}

/* m->d = src W^T, for @rows rows; @src may be m->d itself. */
static int linear(struct model *m, const struct accel_weights *weights, const float *src,
		  uint32_t k, uint32_t rows, const char *what)
{
	struct accel_gemm gemm;
	int ret;

	ret = quantise(m, &m->a, 0, src, rows, k);
	if (ret)
		return ret;
	ret = accel_weights_gemm(weights, ACCEL_F32, &gemm);
	if (ret)
		return fail(m, ret, what);
	gemm.a = m->a.values.va;
	gemm.row_scale = m->a.scales.va;
	gemm.d = m->d.va;
	gemm.m = rows;
	ret = accel_cmd_gemm(m->stream, &gemm, NULL);
	return ret ? fail(m, ret, what) : run(m, what);
}

/* ---- The host's part ----------------------------------------------------------------- */

static void rms_norm(const struct weights *w, float *out, const float *x, const float *weight,
		     uint32_t rows)
{
	float sum, factor;
	uint32_t r, i;

	for (r = 0; r < rows; r++, x += w->d_model, out += w->d_model) {
		sum = 0;
		for (i = 0; i < w->d_model; i++)
			sum += x[i] * x[i];
		factor = 1 / sqrtf(sum / w->d_model + (float)w->rms_eps);
		for (i = 0; i < w->d_model; i++)
			out[i] = x[i] * factor * weight[i];
	}
}

/* Turns the pairs (x[2i], x[2i+1]) of @heads heads by the angles of @position. */
static void rotate(const struct model *m, float *x, uint32_t heads, uint32_t position)
{
	const uint32_t half = m->w->head_dim / 2;
	const float *cosines = m->cos + (size_t)position * half;
	const float *sines = m->sin + (size_t)position * half;
	float even, odd;
	uint32_t h, i;

	for (h = 0; h < heads; h++, x += 2 * half) {
		for (i = 0; i < half; i++) {
			even = x[2 * i];
			odd = x[2 * i + 1];
			x[2 * i] = even * cosines[i] - odd * sines[i];
			x[2 * i + 1] = even * sines[i] + odd * cosines[i];
		}
	}
}

/* silu(gate) * up, from rows of both into dense rows at the same place. */
static void gate(const struct weights *w, float *x, uint32_t rows)
{
	const float *g = x;
	float *out = x;
	uint32_t r, i;

	for (r = 0; r < rows; r++, g += 2 * w->d_ff, out += w->d_ff)
		for (i = 0; i < w->d_ff; i++)
			out[i] = g[i] / (1 + expf(-g[i])) * g[w->d_ff + i];
}

static void add(float *x, const float *d, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		x[i] += d[i];
}

/* ---- A layer ---------------------------------------------------------------------------- */

/* Rotates Q and K, and quantises Q, K and V by position and head: K and V into the cache. */
static int split_qkv(struct model *m, struct device_layer *layer, uint32_t rows)
{
	const struct weights *w = m->w;
	const uint32_t heads = w->n_heads, kv_heads = w->n_kv_heads, dim = w->head_dim;
	float *q = m->d.ptr, *k, *v;
	uint32_t r, position;
	int ret;

	for (r = 0; r < rows; r++, q += weights_qkv(w)) {
		position = m->position + r;
		k = q + heads * dim;
		v = k + kv_heads * dim;
		rotate(m, q, heads + kv_heads, position);
		ret = quantise(m, &m->q, (size_t)r * heads, q, heads, dim);
		if (!ret)
			ret = quantise(m, &layer->k, (size_t)position * kv_heads, k, kv_heads, dim);
		if (!ret)
			ret = quantise(m, &layer->v, (size_t)position * kv_heads, v, kv_heads, dim);
		if (ret)
			return ret;
	}
	return 0;
}

static int attention(struct model *m, struct device_layer *layer, uint32_t rows)
{
	const struct weights *w = m->w;
	const struct accel_attention cmd = {
		.q = m->q.values.va, .q_scale = m->q.scales.va,
		.k = layer->k.values.va, .k_scale = layer->k.scales.va,
		.v = layer->v.values.va, .v_scale = layer->v.scales.va,
		.out = m->d.va,
		.n_q = rows, .n_kv = m->position + rows,
		.n_heads = w->n_heads, .n_kv_heads = w->n_kv_heads, .head_dim = w->head_dim,
		.softmax_scale = 1 / sqrtf(w->head_dim),
		.causal = true,
	};
	int ret;

	ret = split_qkv(m, layer, rows);
	if (ret)
		return ret;
	ret = accel_cmd_attention(m->stream, &cmd, NULL);
	return ret ? fail(m, ret, "attention") : run(m, "attention");
}

static int forward_layer(struct model *m, uint32_t index, uint32_t rows)
{
	struct device_layer *on_device = &m->layers[index];
	const struct layer *layer = &m->w->layers[index];
	const struct weights *w = m->w;
	float *d = m->d.ptr;
	int ret;

	rms_norm(w, m->norm, m->x, layer->attn_norm, rows);
	ret = linear(m, on_device->qkv, m->norm, w->d_model, rows, "QKV");
	if (!ret)
		ret = attention(m, on_device, rows);
	if (!ret)
		ret = linear(m, on_device->attn_output, d, w->n_heads * w->head_dim, rows,
			     "attention output");
	if (ret)
		return ret;
	add(m->x, d, (size_t)rows * w->d_model);

	rms_norm(w, m->norm, m->x, layer->ffn_norm, rows);
	ret = linear(m, on_device->gate_up, m->norm, w->d_model, rows, "gate and up");
	if (ret)
		return ret;
	gate(w, d, rows);
	ret = linear(m, on_device->down, d, w->d_ff, rows, "down");
	if (ret)
		return ret;
	add(m->x, d, (size_t)rows * w->d_model);
	return 0;
}

int model_forward(struct model *m, const uint8_t *tokens, uint32_t n, bool all,
		  const float **logits)
{
	const struct weights *w = m->w;
	const size_t row = w->d_model;
	uint32_t skip = all ? 0 : n - 1;
	uint32_t i;
	int ret;

	if (!n || n > m->max_rows || n > m->positions - m->position) {
		snprintf(m->error, sizeof(m->error), "%u tokens at position %u, but 1..%u at once "
			 "and %u in all are possible", n, m->position, m->max_rows, m->positions);
		return -EINVAL;
	}
	for (i = 0; i < n; i++)
		memcpy(m->x + i * row, w->embedding + tokens[i] * row, row * sizeof(float));
	for (i = 0; i < w->n_layers; i++) {
		ret = forward_layer(m, i, n);
		if (ret)
			return ret;
	}
	rms_norm(w, m->norm, m->x + skip * row, w->output_norm, n - skip);
	ret = linear(m, m->output, m->norm, w->d_model, n - skip, "logits");
	if (ret)
		return ret;
	m->position += n;
	*logits = m->d.ptr;
	return 0;
}

/* ---- Making and destroying ---------------------------------------------------------------- */

static int upload(struct model *m, const struct matrix *matrix, struct accel_weights **out)
{
	int ret = accel_weights_create_s8(m->vm, matrix->s8, matrix->n, matrix->k, 0,
					  ACCEL_ORDER_NK, matrix->scale, NULL, out);

	return ret ? fail(m, ret, "putting the weights on the device") : 0;
}

static int create_quantised(struct model *m, struct quantised *q, size_t rows, size_t k)
{
	int ret;

	ret = accel_buffer_create(m->vm, rows * k, &q->values);
	if (!ret)
		ret = accel_buffer_create(m->vm, rows * sizeof(float), &q->scales);
	return ret ? fail(m, ret, "making a buffer") : 0;
}

static int create_layer(struct model *m, uint32_t index)
{
	const struct layer *layer = &m->w->layers[index];
	struct device_layer *on_device = &m->layers[index];
	size_t kv_rows = (size_t)m->positions * m->w->n_kv_heads;
	int ret;

	ret = upload(m, &layer->qkv, &on_device->qkv);
	if (!ret)
		ret = upload(m, &layer->attn_output, &on_device->attn_output);
	if (!ret)
		ret = upload(m, &layer->gate_up, &on_device->gate_up);
	if (!ret)
		ret = upload(m, &layer->down, &on_device->down);
	if (!ret)
		ret = create_quantised(m, &on_device->k, kv_rows, m->w->head_dim);
	if (!ret)
		ret = create_quantised(m, &on_device->v, kv_rows, m->w->head_dim);
	return ret;
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Room for the largest operand and result of any command. */
static int create_buffers(struct model *m)
{
	const struct weights *w = m->w;
	size_t rows = m->max_rows, q = (size_t)w->n_heads * w->head_dim;
	size_t widest_a = max(max(w->d_model, w->d_ff), q);
	size_t widest_d = max(max(weights_qkv(w), 2 * (size_t)w->d_ff), max(w->d_model, VOCAB));
	int ret;

	ret = create_quantised(m, &m->a, rows, widest_a);
	if (!ret)
		ret = create_quantised(m, &m->q, rows * w->n_heads, w->head_dim);
	if (ret)
		return ret;
	ret = accel_buffer_create(m->vm, rows * widest_d * sizeof(float), &m->d);
	return ret ? fail(m, ret, "making a buffer") : 0;
}

static int create_host(struct model *m)
{
	const struct weights *w = m->w;
	size_t half = w->head_dim / 2, i;
	double angle;
	uint32_t p;

	m->x = calloc((size_t)m->max_rows * w->d_model, sizeof(float));
	m->norm = calloc((size_t)m->max_rows * w->d_model, sizeof(float));
	m->cos = calloc(m->positions * half, sizeof(float));
	m->sin = calloc(m->positions * half, sizeof(float));
	m->layers = calloc(w->n_layers, sizeof(*m->layers));
	if (!m->x || !m->norm || !m->cos || !m->sin || !m->layers)
		return fail(m, -ENOMEM, "the host's arrays");
	for (i = 0; i < half; i++) {
		angle = pow(w->rope_base, -2.0 * i / w->head_dim);
		for (p = 0; p < m->positions; p++) {
			m->cos[p * half + i] = cos(p * angle);
			m->sin[p * half + i] = sin(p * angle);
		}
	}
	return 0;
}

static int create(struct model *m, const char *path)
{
	struct accel_device_info info;
	char err[ACCEL_ERROR_MAX];
	uint32_t i;
	int ret;

	ret = accel_device_open(path, &m->dev, err, sizeof(err));
	if (ret) {
		snprintf(m->error, sizeof(m->error), "%s", err);
		return ret;
	}
	ret = accel_device_info(m->dev, &info);
	if (!ret)
		ret = accel_vm_create(m->dev, &m->vm);
	if (!ret)
		ret = accel_queue_create(m->vm, NULL, &m->queue);
	if (!ret)
		ret = accel_stream_create(m->vm, 2, &m->stream);
	if (ret)
		return fail(m, ret, "setting up the device");
	m->clock_khz = info.clock_khz;

	ret = create_host(m);
	if (!ret)
		ret = create_buffers(m);
	for (i = 0; i < m->w->n_layers && !ret; i++)
		ret = create_layer(m, i);
	return ret ? ret : upload(m, &m->w->output, &m->output);
}

int model_create(const struct weights *w, const char *path, uint32_t max_rows,
		 uint32_t positions, struct model **out, char *err, size_t err_size)
{
	struct model *m = calloc(1, sizeof(*m));
	int ret;

	if (!m) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	m->w = w;
	m->max_rows = max_rows;
	m->positions = positions;
	ret = create(m, path);
	if (ret) {
		snprintf(err, err_size, "%s", m->error);
		model_destroy(m);
		return ret;
	}
	*out = m;
	return 0;
}

static void destroy_quantised(struct quantised *q)
{
	accel_buffer_destroy(&q->values);
	accel_buffer_destroy(&q->scales);
}

void model_destroy(struct model *m)
{
	uint32_t i;

	if (!m)
		return;
	for (i = 0; m->layers && i < m->w->n_layers; i++) {
		accel_weights_destroy(m->layers[i].qkv);
		accel_weights_destroy(m->layers[i].attn_output);
		accel_weights_destroy(m->layers[i].gate_up);
		accel_weights_destroy(m->layers[i].down);
		destroy_quantised(&m->layers[i].k);
		destroy_quantised(&m->layers[i].v);
	}
	accel_weights_destroy(m->output);
	destroy_quantised(&m->a);
	destroy_quantised(&m->q);
	accel_buffer_destroy(&m->d);
	accel_stream_destroy(m->stream);
	accel_queue_destroy(m->queue);
	accel_vm_destroy(m->vm);
	if (m->dev)
		accel_device_close(m->dev);
	free(m->layers);
	free(m->x);
	free(m->norm);
	free(m->cos);
	free(m->sin);
	free(m);
}

/* ---- Asking ----------------------------------------------------------------------------------- */

void model_restart(struct model *m)
{
	m->position = 0;
}

void model_trace(struct model *m, struct trace *trace)
{
	m->trace = trace;
}

uint32_t model_position(const struct model *m)
{
	return m->position;
}

const char *model_error(const struct model *m)
{
	return m->error;
}

int model_stats(struct model *m, struct accel_queue_stats *stats, struct accel_counters *counters,
		uint32_t *clock_khz)
{
	int ret = accel_queue_stats(m->queue, stats);

	if (!ret)
		ret = accel_queue_counters(m->queue, 0, counters);
	*clock_khz = m->clock_khz;
	return ret ? fail(m, ret, "reading the counters") : 0;
}
