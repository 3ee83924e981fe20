// SPDX-License-Identifier: MIT
/*
 * The model's memory on the device, and its jobs: one a call. step.c writes the streams.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "step.h"

/* How often a generation is looked at. */
#define LOOK_NS		20000000

struct model {
	const struct weights *w;
	struct accel_device *dev;
	struct accel_vm *vm;
	struct accel_queue *queue;
	struct accel_stream *stream;
	uint32_t clock_khz;

	struct step_memory mem;
	uint32_t max_rows, positions, position;
	struct trace *trace;
	struct accel_buffer traced;	/* where a job leaves what it quantised */
	char error[ACCEL_ERROR_MAX + 64];
};

static int fail(struct model *m, int ret, const char *what)
{
	snprintf(m->error, sizeof(m->error), "%s: %s", what,
		 m->dev && *accel_last_error(m->dev) ? accel_last_error(m->dev) : strerror(-ret));
	return ret;
}

/* ---- The trace ------------------------------------------------------------------------ */

static int record(struct model *m, const void *values, size_t n)
{
	struct trace *t = m->trace;
	size_t size;
	int8_t *data;

	if (n > t->size - t->used) {
		size = 2 * t->size + n;
		data = realloc(t->data, size);
		if (!data)
			return fail(m, -ENOMEM, "the check");
		t->data = data;
		t->size = size;
	}
	memcpy(t->data + t->used, values, n);
	t->used += n;
	return 0;
}

/* Q of each token, then its K and V, which are in the cache. */
static int record_qkv(struct model *m, const struct device_layer *layer, const int8_t *q,
		      uint32_t rows)
{
	const size_t n_q = (size_t)m->w->n_heads * m->w->head_dim;
	const size_t n_kv = (size_t)m->w->n_kv_heads * m->w->head_dim;
	const int8_t *k = layer->k.values.ptr, *v = layer->v.values.ptr;
	int ret = 0;
	size_t r;

	k += m->position * n_kv;
	v += m->position * n_kv;
	for (r = 0; r < rows && !ret; r++) {
		ret = record(m, q + r * n_q, n_q);
		if (!ret)
			ret = record(m, k + r * n_kv, n_kv);
		if (!ret)
			ret = record(m, v + r * n_kv, n_kv);
	}
	return ret;
}

/* What step.c has kept, in the order in which the reference comes by it. */
static int record_step(struct model *m, uint32_t rows, uint32_t last_rows)
{
	const struct weights *w = m->w;
	const size_t n_q = (size_t)rows * w->n_heads * w->head_dim, n = (size_t)rows * w->d_model;
	const int8_t *at = m->traced.ptr;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < w->n_layers && !ret; i++) {
		ret = record(m, at, n);
		if (!ret)
			ret = record_qkv(m, &m->mem.layers[i], at + n, rows);
		at += n + n_q;
		/* attention's output, the second norm, silu(gate) * up */
		if (!ret)
			ret = record(m, at, n_q + n + (size_t)rows * w->d_ff);
		at += n_q + n + (size_t)rows * w->d_ff;
	}
	return ret ? ret : record(m, at, (size_t)last_rows * w->d_model);
}

static int prepare_trace(struct model *m)
{
	int ret = 0;

	if (m->trace && !m->traced.ptr)
		ret = accel_buffer_create(m->vm, step_trace_size(m->w, m->max_rows), &m->traced);
	m->mem.trace = m->trace ? m->traced : (struct accel_buffer) { 0 };
	return ret ? fail(m, ret, "making a buffer for the check") : 0;
}

/* ---- Jobs ------------------------------------------------------------------------------- */

static int run(struct model *m, const struct step *s, void (*look)(void *arg), void *arg)
{
	uint64_t point;
	int ret;

	accel_stream_reset(m->stream);
	ret = step_encode(m->stream, &m->mem, s);
	if (ret)
		return fail(m, ret, "writing the step");
	ret = accel_queue_submit(m->queue, m->stream, NULL, 0, &point);
	while (!ret) {
		ret = accel_queue_wait(m->queue, point, look ? LOOK_NS : ACCEL_WAIT_FOREVER);
		if (look)
			look(arg);
		if (ret != -ETIMEDOUT)
			break;
		ret = 0;
	}
	return ret ? fail(m, ret, "running the step") : 0;
}

/* A NaN in an activation's scale makes NaN of what is computed from it, down to here. */
static int check_logits(struct model *m, uint32_t rows)
{
	const float *x = m->mem.logits.ptr;
	size_t i;

	for (i = 0; i < (size_t)rows * VOCAB; i++) {
		if (isfinite(x[i]))
			continue;
		snprintf(m->error, sizeof(m->error), "a logit at position %u is not finite",
			 m->position);
		return -EDOM;
	}
	return 0;
}

int model_forward(struct model *m, const uint8_t *tokens, uint32_t n, bool all,
		  const struct sampler *sampler, const float **logits)
{
	struct step s = {
		.rows = n, .position = m->position, .all = all, .sampler = sampler, .stop = -1,
	};
	int32_t *at = (int32_t *)m->mem.tokens.ptr + m->position;
	uint32_t i;
	int ret;

	if (!n || n > m->max_rows || n > m->positions - m->position) {
		snprintf(m->error, sizeof(m->error), "%u tokens at position %u, but 1..%u at once "
			 "and %u in all are possible", n, m->position, m->max_rows, m->positions);
		return -EINVAL;
	}
	for (i = 0; tokens && i < n; i++)
		at[i] = tokens[i];
	at[n] = -1;
	ret = prepare_trace(m);
	if (!ret)
		ret = run(m, &s, NULL, NULL);
	if (!ret)
		ret = check_logits(m, all ? n : 1);
	if (!ret && m->trace)
		ret = record_step(m, n, all ? n : 1);
	if (ret)
		return ret;
	m->position += n;
	*logits = m->mem.logits.ptr;
	return 0;
}

int model_generate(struct model *m, uint32_t count, const struct sampler *sampler, int stop,
		   void (*look)(void *arg), void *arg)
{
	const struct step s = {
		.rows = 1, .position = m->position, .sampler = sampler, .rounds = count,
		.stop = stop,
	};
	int32_t *at = (int32_t *)m->mem.tokens.ptr + m->position;
	uint32_t i;
	int ret;

	if (!count || count > m->positions - m->position) {
		snprintf(m->error, sizeof(m->error), "%u tokens to choose at position %u, but %u "
			 "positions are possible", count, m->position, m->positions);
		return -EINVAL;
	}
	for (i = 1; i <= count; i++)
		at[i] = -1;
	m->mem.trace = (struct accel_buffer) { 0 };
	ret = run(m, &s, look, arg);
	if (!ret)
		ret = check_logits(m, 1);
	if (ret)
		return ret;
	/* every token from which another was chosen has its place in the cache now */
	for (i = 0; i < count && model_chosen(m, m->position + 1) >= 0; i++)
		m->position++;
	return 0;
}

int model_chosen(const struct model *m, uint32_t position)
{
	const int32_t *tokens = m->mem.tokens.ptr;

	return __atomic_load_n(&tokens[position], __ATOMIC_RELAXED);
}

/* ---- Making and destroying ---------------------------------------------------------------- */

static int upload(struct model *m, const struct matrix *matrix, struct accel_weights **out)
{
	int ret = accel_weights_create_s8(m->vm, matrix->s8, matrix->n, matrix->k, 0,
					  ACCEL_ORDER_NK, matrix->scale, NULL, out);

	return ret ? fail(m, ret, "putting the weights on the device") : 0;
}

/* @n floats, as they are at @from; NULL: to be written. */
static int create_floats(struct model *m, struct accel_buffer *buffer, size_t n, const float *from)
{
	int ret = accel_buffer_create(m->vm, n * sizeof(float), buffer);

	if (ret)
		return fail(m, ret, "making a buffer");
	if (from)
		memcpy(buffer->ptr, from, n * sizeof(float));
	return 0;
}

static int create_quantised(struct model *m, struct quantised *q, size_t rows, size_t k)
{
	int ret = accel_buffer_create(m->vm, rows * k, &q->values);

	return ret ? fail(m, ret, "making a buffer") : create_floats(m, &q->scales, rows, NULL);
}

static int create_layer(struct model *m, uint32_t index)
{
	const struct layer *layer = &m->w->layers[index];
	struct device_layer *on_device = &m->mem.layers[index];
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
		ret = create_floats(m, &on_device->attn_norm, m->w->d_model, layer->attn_norm);
	if (!ret)
		ret = create_floats(m, &on_device->ffn_norm, m->w->d_model, layer->ffn_norm);
	if (!ret)
		ret = create_quantised(m, &on_device->k, kv_rows, m->w->head_dim);
	if (!ret)
		ret = create_quantised(m, &on_device->v, kv_rows, m->w->head_dim);
	return ret;
}

/* Cosines and sines of every position. */
static int create_rope(struct model *m)
{
	const size_t dim = m->w->head_dim;
	double angle;
	float *table;
	uint32_t p;
	size_t i;
	int ret;

	ret = create_floats(m, &m->mem.rope, m->positions * dim, NULL);
	if (ret)
		return ret;
	table = m->mem.rope.ptr;
	for (i = 0; i < dim / 2; i++) {
		angle = pow(m->w->rope_base, -2.0 * i / dim);
		for (p = 0; p < m->positions; p++) {
			table[p * dim + 2 * i] = cos(p * angle);
			table[p * dim + 2 * i + 1] = sin(p * angle);
		}
	}
	return 0;
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Room for the largest operand and result of any command. */
static int create_activations(struct model *m)
{
	const struct weights *w = m->w;
	struct step_memory *mem = &m->mem;
	size_t rows = m->max_rows, q = (size_t)w->n_heads * w->head_dim;
	size_t widest_a = max(max(w->d_model, w->d_ff), q);
	size_t widest_d = max(max(weights_qkv(w), 2 * (size_t)w->d_ff), w->d_model);
	int ret;

	ret = create_floats(m, &mem->tokens, m->positions + 1, NULL);
	/* -1: not chosen yet */
	if (!ret)
		memset(mem->tokens.ptr, 0xff, (m->positions + 1) * sizeof(int32_t));
	if (!ret)
		ret = create_floats(m, &mem->x, rows * w->d_model, NULL);
	if (!ret)
		ret = create_floats(m, &mem->norm, rows * w->d_model, NULL);
	if (!ret)
		ret = create_floats(m, &mem->d, rows * widest_d, NULL);
	if (!ret)
		ret = create_floats(m, &mem->logits, rows * VOCAB, NULL);
	if (!ret)
		ret = create_quantised(m, &mem->a, rows, widest_a);
	if (!ret)
		ret = create_quantised(m, &mem->q, rows * w->n_heads, w->head_dim);
	return ret;
}

static int create_memory(struct model *m)
{
	const struct weights *w = m->w;
	uint32_t i;
	int ret;

	m->mem.w = w;
	m->mem.layers = calloc(w->n_layers, sizeof(*m->mem.layers));
	if (!m->mem.layers)
		return fail(m, -ENOMEM, "the layers");
	ret = create_activations(m);
	if (!ret)
		ret = create_rope(m);
	if (!ret)
		ret = create_floats(m, &m->mem.embedding, (size_t)VOCAB * w->d_model, w->embedding);
	if (!ret)
		ret = create_floats(m, &m->mem.output_norm, w->d_model, w->output_norm);
	for (i = 0; i < w->n_layers && !ret; i++)
		ret = create_layer(m, i);
	return ret ? ret : upload(m, &w->output, &m->mem.output);
}

static int create(struct model *m, const char *path)
{
	struct accel_queue_params params = { 0 };
	struct accel_device_info info;
	char err[ACCEL_ERROR_MAX];
	int ret;

	ret = accel_device_open(path, &m->dev, err, sizeof(err));
	if (ret) {
		snprintf(m->error, sizeof(m->error), "%s", err);
		return ret;
	}
	ret = accel_device_info(m->dev, &info);
	if (!ret)
		ret = accel_vm_create(m->dev, &m->vm);
	/* a generation is one job */
	if (!ret)
		params.timeout_ms = info.max_timeout_ms;
	if (!ret)
		ret = accel_queue_create(m->vm, &params, &m->queue);
	if (!ret)
		ret = accel_stream_create(m->vm, step_records(m->w), &m->stream);
	if (ret)
		return fail(m, ret, "setting up the device");
	m->clock_khz = info.clock_khz;
	return create_memory(m);
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

static void destroy_layer(struct device_layer *layer)
{
	accel_weights_destroy(layer->qkv);
	accel_weights_destroy(layer->attn_output);
	accel_weights_destroy(layer->gate_up);
	accel_weights_destroy(layer->down);
	accel_buffer_destroy(&layer->attn_norm);
	accel_buffer_destroy(&layer->ffn_norm);
	destroy_quantised(&layer->k);
	destroy_quantised(&layer->v);
}

static void destroy_memory(struct model *m)
{
	struct step_memory *mem = &m->mem;
	uint32_t i;

	for (i = 0; mem->layers && i < m->w->n_layers; i++)
		destroy_layer(&mem->layers[i]);
	free(mem->layers);
	accel_weights_destroy(mem->output);
	accel_buffer_destroy(&mem->embedding);
	accel_buffer_destroy(&mem->output_norm);
	accel_buffer_destroy(&mem->rope);
	accel_buffer_destroy(&mem->tokens);
	accel_buffer_destroy(&mem->x);
	accel_buffer_destroy(&mem->norm);
	accel_buffer_destroy(&mem->d);
	accel_buffer_destroy(&mem->logits);
	destroy_quantised(&mem->a);
	destroy_quantised(&mem->q);
	accel_buffer_destroy(&m->traced);
}

void model_destroy(struct model *m)
{
	if (!m)
		return;
	destroy_memory(m);
	accel_stream_destroy(m->stream);
	accel_queue_destroy(m->queue);
	accel_vm_destroy(m->vm);
	if (m->dev)
		accel_device_close(m->dev);
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
