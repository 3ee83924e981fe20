/* SPDX-License-Identifier: MIT */
/*
 * The model as arrays: what a GGUF file of the "llama" architecture says, checked and converted.
 *
 * A matrix is there twice: as the file has it (Q8_0, which float32 holds exactly), and as the device
 * wants it: int8 with one scale an output channel. The device and both host computations (reference.h)
 * start from these very numbers.
 */
#ifndef QUILL_RUN_WEIGHTS_H
#define QUILL_RUN_WEIGHTS_H

#include <stdint.h>

#include "gguf.h"

#define VOCAB 256	/* tokens are bytes */

/** struct matrix - y = W x, W[n][k]: n output channels of k inputs */
struct matrix {
	uint32_t n, k;
	/** @f32: as in the file, [n][k]. */
	float *f32;
	/** @s8: f32 is about s8 * scale of the row. */
	int8_t *s8;
	/** @scale: [n]. */
	float *scale;
};

/** struct layer - one transformer block */
struct layer {
	float *attn_norm;
	/** @qkv: Q, K and V are rows of one matrix, so that one GEMM computes them. */
	struct matrix qkv;
	struct matrix attn_output;
	float *ffn_norm;
	/** @gate_up: gate and up, likewise. */
	struct matrix gate_up;
	struct matrix down;
};

/** struct weights - the model */
struct weights {
	uint32_t n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff, context;
	double rms_eps, rope_base;
	/** @end_token: ends a document; -1: the file names none. */
	int end_token;
	/** @heldout_bpb_f32: bits per byte of the float32 model on the held-out text; 0: not in the file. */
	double heldout_bpb_f32;
	/** @embedding: [VOCAB][d_model]. */
	float *embedding;
	struct layer *layers;
	float *output_norm;
	struct matrix output;
	/** @error: why weights_load() failed. */
	char error[384];
};

/**
 * weights_load() - read a model
 * @w: filled in; give it back with weights_free(), also after a failure
 * @path: of the file
 *
 * Return: 0, or negative errno and @w->error, which says what is wrong, where, and what was required.
 */
int weights_load(struct weights *w, const char *path);

void weights_free(struct weights *w);

/** Floats of a token's Q, K and V together. */
static inline uint32_t weights_qkv(const struct weights *w)
{
	return (w->n_heads + 2 * w->n_kv_heads) * w->head_dim;
}

#endif /* QUILL_RUN_WEIGHTS_H */
