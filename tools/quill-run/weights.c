// SPDX-License-Identifier: MIT
/*
 * From GGUF to arrays. What the file asks for and this program cannot do (another architecture, RoPE
 * scaling, biases, experts) is refused: a model that runs is one that runs right.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <accel.h>

#include "weights.h"

#define MAX_LAYERS	256
#define MAX_DIM		65536		/* the device's largest K */
#define MAX_HEADS	1024
#define MAX_HEAD_DIM	256
#define MAX_CONTEXT	(1u << 20)

struct loader {
	struct gguf gguf;
	struct weights *w;
	/* Tensors that were asked for: the others would change what the model computes. */
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static int fail(struct loader *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(l->w->error, sizeof(l->w->error), fmt, args);
	va_end(args);
	return -EINVAL;
}

/* Passes on what the reader found. */
static int fail_gguf(struct loader *l, int ret)
{
	fail(l, "%s", l->gguf.error);
	return ret;
}

static void *alloc(struct loader *l, size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		fail(l, "out of memory for %zu elements of %zu bytes", n, size);
	return p;
}

/* ---- Keys --------------------------------------------------------------------- */

static int key_u32(struct loader *l, const char *key, uint32_t max, uint32_t *value)
{
	int ret = gguf_get_u32(&l->gguf, key, value);

	if (ret)
		return fail_gguf(l, ret);
	if (!*value || *value > max)
		return fail(l, "key '%s' is %" PRIu32 ", but 1..%" PRIu32 " is required", key,
			    *value, max);
	return 0;
}

/* A key that may be missing, and then has @value's value. */
static int key_u32_optional(struct loader *l, const char *key, uint32_t max, uint32_t *value)
{
	return gguf_has(&l->gguf, key) ? key_u32(l, key, max, value) : 0;
}

/* A key that may be missing, but must be @wanted if it is there. */
static int key_u32_equal(struct loader *l, const char *key, uint32_t wanted, const char *why)
{
	uint32_t value;
	int ret;

	if (!gguf_has(&l->gguf, key))
		return 0;
	ret = gguf_get_u32(&l->gguf, key, &value);
	if (ret)
		return fail_gguf(l, ret);
	if (value != wanted)
		return fail(l, "key '%s' is %" PRIu32 ", but %" PRIu32 " is required: %s", key, value,
			    wanted, why);
	return 0;
}

static int key_f64(struct loader *l, const char *key, double lo, double hi, double *value)
{
	int ret = gguf_get_f64(&l->gguf, key, value);

	if (ret)
		return fail_gguf(l, ret);
	if (!(*value >= lo && *value <= hi))	/* a NaN is not */
		return fail(l, "key '%s' is %g, but %g..%g is required", key, *value, lo, hi);
	return 0;
}

static int key_string_equal(struct loader *l, const char *key, const char *wanted)
{
	struct gguf_str s;
	char quoted[80];
	int ret;

	ret = gguf_get_string(&l->gguf, key, &s);
	if (ret)
		return fail_gguf(l, ret);
	if (s.len != strlen(wanted) || memcmp(s.text, wanted, s.len))
		return fail(l, "key '%s' is '%s', but '%s' is required", key, gguf_quote(s, quoted),
			    wanted);
	return 0;
}

static int read_attention(struct loader *l)
{
	struct weights *w = l->w;

	if (key_u32(l, "llama.attention.head_count", MAX_HEADS, &w->n_heads))
		return -EINVAL;
	w->n_kv_heads = w->n_heads;
	if (key_u32_optional(l, "llama.attention.head_count_kv", MAX_HEADS, &w->n_kv_heads))
		return -EINVAL;
	if (w->n_heads % w->n_kv_heads)
		return fail(l, "%" PRIu32 " heads of queries cannot share %" PRIu32
			    " heads of keys: a multiple is required", w->n_heads, w->n_kv_heads);

	w->head_dim = w->d_model / w->n_heads;
	if (key_u32_optional(l, "llama.attention.key_length", MAX_HEAD_DIM, &w->head_dim) ||
	    key_u32_equal(l, "llama.attention.value_length", w->head_dim,
			  "keys and values are of one length here") ||
	    key_u32_equal(l, "llama.rope.dimension_count", w->head_dim,
			  "RoPE rotates the whole head here"))
		return -EINVAL;
	if (w->head_dim < 16 || w->head_dim > MAX_HEAD_DIM || w->head_dim % 16)
		return fail(l, "a head has %" PRIu32
			    " elements, but the device requires a multiple of 16 up to %d",
			    w->head_dim, MAX_HEAD_DIM);
	if (w->n_heads * w->head_dim > MAX_DIM)
		return fail(l, "all heads together have %" PRIu32 " elements, but at most %d are "
			    "possible", w->n_heads * w->head_dim, MAX_DIM);
	return 0;
}

static int read_rope(struct loader *l)
{
	l->w->rope_base = 10000;
	if (gguf_has(&l->gguf, "llama.rope.freq_base") &&
	    key_f64(l, "llama.rope.freq_base", 1, 1e9, &l->w->rope_base))
		return -EINVAL;
	if (gguf_has(&l->gguf, "llama.rope.scaling.type"))
		return key_string_equal(l, "llama.rope.scaling.type", "none");
	return 0;
}

static int read_vocabulary(struct loader *l)
{
	uint64_t count = VOCAB;
	uint32_t end = VOCAB;

	if (key_u32_equal(l, "llama.vocab_size", VOCAB, "tokens are bytes here"))
		return -EINVAL;
	if (gguf_has(&l->gguf, "tokenizer.ggml.tokens") &&
	    gguf_get_count(&l->gguf, "tokenizer.ggml.tokens", &count))
		return fail_gguf(l, -EINVAL);
	if (count != VOCAB)
		return fail(l, "key 'tokenizer.ggml.tokens' has %" PRIu64
			    " tokens, but %d are required: tokens are bytes here", count, VOCAB);
	if (gguf_has(&l->gguf, "tokenizer.ggml.eos_token_id") &&
	    gguf_get_u32(&l->gguf, "tokenizer.ggml.eos_token_id", &end))
		return fail_gguf(l, -EINVAL);
	l->w->end_token = end < VOCAB ? (int)end : -1;
	return 0;
}

static int read_keys(struct loader *l)
{
	struct weights *w = l->w;

	if (key_string_equal(l, "general.architecture", "llama") ||
	    key_u32(l, "llama.block_count", MAX_LAYERS, &w->n_layers) ||
	    key_u32(l, "llama.embedding_length", MAX_DIM, &w->d_model) ||
	    key_u32(l, "llama.feed_forward_length", MAX_DIM / 2, &w->d_ff) ||
	    key_u32(l, "llama.context_length", MAX_CONTEXT, &w->context) ||
	    key_f64(l, "llama.attention.layer_norm_rms_epsilon", 1e-12, 1, &w->rms_eps) ||
	    key_u32_equal(l, "llama.expert_count", 0, "mixtures of experts are not supported") ||
	    read_attention(l) || read_rope(l) || read_vocabulary(l))
		return -EINVAL;
	if (gguf_has(&l->gguf, "quill.heldout_bpb_f32"))
		return key_f64(l, "quill.heldout_bpb_f32", 1e-3, 64, &w->heldout_bpb_f32);
	return 0;
}

/* ---- Tensors ---------------------------------------------------------------------- */

static float half_to_float(uint16_t h)
{
	uint32_t exponent = h >> 10 & 31, fraction = h & 1023;
	float magnitude;

	if (exponent == 31)
		magnitude = fraction ? NAN : INFINITY;
	else if (!exponent)
		magnitude = ldexpf(fraction, -24);
	else
		magnitude = ldexpf(1024 + fraction, (int)exponent - 25);
	return h & 0x8000 ? -magnitude : magnitude;
}

/* A tensor of @rows rows (0: a vector) of @cols values, or NULL. */
static const struct gguf_tensor *tensor(struct loader *l, const char *name, uint32_t type,
					uint32_t cols, uint32_t rows)
{
	const struct gguf_tensor *t = gguf_find_tensor(&l->gguf, name);
	char found[24], wanted[24];

	if (!t) {
		fail(l, "tensor '%s' is missing", name);
		return NULL;
	}
	l->used++;
	if (t->type != type) {
		fail(l, "byte %zu: tensor '%s' is of type %s, but %s is required", t->pos, name,
		     gguf_tensor_type_name(t->type, found), gguf_tensor_type_name(type, wanted));
		return NULL;
	}
	if (t->dims[0] != cols || t->dims[1] != (rows ? rows : 1) || t->dims[2] != 1 ||
	    t->dims[3] != 1) {
		fail(l, "byte %zu: tensor '%s' is %" PRIu64 " x %" PRIu64 " x %" PRIu64 " x %" PRIu64
		     ", but %" PRIu32 " x %" PRIu32 " is required", t->pos, name, t->dims[0],
		     t->dims[1], t->dims[2], t->dims[3], cols, rows ? rows : 1);
		return NULL;
	}
	return t;
}

static int load_vector(struct loader *l, const char *name, uint32_t n, float **out)
{
	const struct gguf_tensor *t = tensor(l, name, GGUF_TENSOR_F32, n, 0);
	uint32_t i;

	if (!t)
		return -EINVAL;
	*out = alloc(l, n, sizeof(float));
	if (!*out)
		return -ENOMEM;
	memcpy(*out, t->data, n * sizeof(float));
	for (i = 0; i < n; i++)
		if (!isfinite((*out)[i]))
			return fail(l, "byte %zu: tensor '%s': element %" PRIu32
				    " is not finite", (size_t)(t->data - l->gguf.data) + i * 4,
				    name, i);
	return 0;
}

/* Q8_0 to float32, which is exact: 11 bits of scale times 8 bits of value. */
static int load_rows(struct loader *l, const struct gguf_tensor *t, float *dst)
{
	const uint8_t *block;
	char name[80];
	float scale;
	uint64_t i;
	int j;

	for (i = 0; i < t->size / GGUF_Q8_0_BYTES; i++) {
		block = t->data + i * GGUF_Q8_0_BYTES;
		scale = half_to_float(block[0] | block[1] << 8);
		if (!isfinite(scale))
			return fail(l, "byte %zu: tensor '%s': the scale of block %" PRIu64
				    " is not finite", (size_t)(block - l->gguf.data),
				    gguf_quote(t->name, name), i);
		for (j = 0; j < GGUF_Q8_0_VALUES; j++)
			*dst++ = scale * (int8_t)block[2 + j];
	}
	return 0;
}

static int matrix_alloc(struct loader *l, struct matrix *m, uint32_t n, uint32_t k)
{
	m->n = n;
	m->k = k;
	m->f32 = alloc(l, (size_t)n * k, sizeof(*m->f32));
	m->s8 = alloc(l, (size_t)n * k, sizeof(*m->s8));
	m->scale = alloc(l, n, sizeof(*m->scale));
	return m->f32 && m->s8 && m->scale ? 0 : -ENOMEM;
}

/* One matrix out of up to three tensors, one below the other. */
static int load_matrix(struct loader *l, struct matrix *m, uint32_t k, const char *prefix,
		       const char *const *names, const uint32_t *rows, int count)
{
	const struct gguf_tensor *t[3];
	uint32_t n = 0;
	char name[96];
	int ret, i;

	/* Memory is asked for when the file is known to fill it. */
	for (i = 0; i < count; n += rows[i++]) {
		snprintf(name, sizeof(name), "%s%s.weight", prefix, names[i]);
		t[i] = tensor(l, name, GGUF_TENSOR_Q8_0, k, rows[i]);
		if (!t[i])
			return -EINVAL;
	}
	ret = matrix_alloc(l, m, n, k);
	for (i = 0, n = 0; i < count && !ret; n += rows[i++])
		ret = load_rows(l, t[i], m->f32 + (size_t)n * k);
	if (ret)
		return ret;
	/* The file's values are finite, so this cannot fail. */
	return accel_quantise_channels_s8(m->f32, m->n, k, 0, ACCEL_ORDER_NK, m->s8, m->scale);
}

static int load_layer(struct loader *l, uint32_t index)
{
	const struct weights *w = l->w;
	const uint32_t q = w->n_heads * w->head_dim, kv = w->n_kv_heads * w->head_dim;
	struct layer *layer = &w->layers[index];
	char prefix[32], name[64];
	int ret;

	snprintf(prefix, sizeof(prefix), "blk.%" PRIu32 ".", index);
	snprintf(name, sizeof(name), "%sattn_norm.weight", prefix);
	ret = load_vector(l, name, w->d_model, &layer->attn_norm);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "%sffn_norm.weight", prefix);
	ret = load_vector(l, name, w->d_model, &layer->ffn_norm);
	if (ret)
		return ret;
	ret = load_matrix(l, &layer->qkv, w->d_model, prefix,
			  (const char *[]){ "attn_q", "attn_k", "attn_v" },
			  (const uint32_t[]){ q, kv, kv }, 3);
	if (ret)
		return ret;
	ret = load_matrix(l, &layer->attn_output, q, prefix, (const char *[]){ "attn_output" },
			  &w->d_model, 1);
	if (ret)
		return ret;
	ret = load_matrix(l, &layer->gate_up, w->d_model, prefix,
			  (const char *[]){ "ffn_gate", "ffn_up" },
			  (const uint32_t[]){ w->d_ff, w->d_ff }, 2);
	if (ret)
		return ret;
	return load_matrix(l, &layer->down, w->d_ff, prefix, (const char *[]){ "ffn_down" },
			   &w->d_model, 1);
}

static int load_output(struct loader *l)
{
	const char *name = "output";

	/* A file without an output matrix uses the embedding's, as llama.cpp has it. */
	if (!gguf_find_tensor(&l->gguf, "output.weight")) {
		name = "token_embd";
		l->used--;
	}
	return load_matrix(l, &l->w->output, l->w->d_model, "", &name, (const uint32_t[]){ VOCAB }, 1);
}

static int load_tensors(struct loader *l)
{
	const struct gguf_tensor *embedding;
	struct weights *w = l->w;
	uint32_t i;
	int ret;

	embedding = tensor(l, "token_embd.weight", GGUF_TENSOR_Q8_0, w->d_model, VOCAB);
	if (!embedding)
		return -EINVAL;
	w->embedding = alloc(l, (size_t)VOCAB * w->d_model, sizeof(float));
	w->layers = alloc(l, w->n_layers, sizeof(*w->layers));
	if (!w->embedding || !w->layers)
		return -ENOMEM;
	ret = load_rows(l, embedding, w->embedding);
	for (i = 0; i < w->n_layers && !ret; i++)
		ret = load_layer(l, i);
	if (!ret)
		ret = load_vector(l, "output_norm.weight", w->d_model, &w->output_norm);
	if (!ret)
		ret = load_output(l);
	if (ret)
		return ret;
	if (l->used != l->gguf.n_tensors)
		return fail(l, "%zu tensors, but this architecture with %" PRIu32
			    " layers has %zu: the others (biases? RoPE factors?) are not supported",
			    l->gguf.n_tensors, w->n_layers, l->used);
	return 0;
}

int weights_load(struct weights *w, const char *path)
{
	struct loader l = { .w = w };
	int ret;

	memset(w, 0, sizeof(*w));
	ret = gguf_open(&l.gguf, path);
	if (ret)
		fail_gguf(&l, ret);
	else
		ret = read_keys(&l);
	if (!ret)
		ret = load_tensors(&l);
	gguf_close(&l.gguf);
	return ret;
}

static void matrix_free(struct matrix *m)
{
	free(m->f32);
	free(m->s8);
	free(m->scale);
}

void weights_free(struct weights *w)
{
	uint32_t i;

	for (i = 0; w->layers && i < w->n_layers; i++) {
		free(w->layers[i].attn_norm);
		free(w->layers[i].ffn_norm);
		matrix_free(&w->layers[i].qkv);
		matrix_free(&w->layers[i].attn_output);
		matrix_free(&w->layers[i].gate_up);
		matrix_free(&w->layers[i].down);
	}
	free(w->layers);
	free(w->embedding);
	free(w->output_norm);
	matrix_free(&w->output);
	memset(w, 0, sizeof(*w));
}
