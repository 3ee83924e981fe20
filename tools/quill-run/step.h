/* SPDX-License-Identifier: MIT */
/*
 * A step of the model as a command stream, and the device's memory that it works on.
 */
#ifndef QUILL_RUN_STEP_H
#define QUILL_RUN_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include <accel.h>

#include "sample.h"
#include "weights.h"

/* A tensor of int8 with its scales. */
struct quantised {
	struct accel_buffer values, scales;
};

/* What a layer has to itself. */
struct device_layer {
	struct accel_weights *qkv, *attn_output, *gate_up, *down;
	struct accel_buffer attn_norm, ffn_norm;
	struct quantised k, v;		/* the KV cache: [positions][n_kv_heads][head_dim] */
};

/* Everything that a step reads and writes. */
struct step_memory {
	const struct weights *w;
	struct device_layer *layers;
	struct accel_weights *output;
	struct accel_buffer embedding, output_norm;
	struct accel_buffer rope;	/* [positions][head_dim]: cosine and sine in turn */

	struct accel_buffer tokens;	/* int32 [positions + 1] */
	struct accel_buffer x;		/* the residual stream: [rows][d_model] */
	struct accel_buffer norm;	/* [rows][d_model] */
	struct accel_buffer d;		/* what a GEMM or ATTENTION writes */
	struct accel_buffer logits;	/* [rows][VOCAB] */
	struct quantised a;		/* what a GEMM reads */
	struct quantised q;		/* queries: [rows][n_heads][head_dim] */
	struct accel_buffer trace;	/* int8 values, one tensor behind the other; ptr NULL: not wanted */
};

/* struct step - tokens to append, from the embedding to the choice of the next */
struct step {
	/* how many, behind so many that are in the cache */
	uint32_t rows, position;
	/* logits of the last alone, or of all */
	bool all;
	/* NULL: the next token is not chosen */
	const struct sampler *sampler;
	/* rounds of it, of one row each, each appending what the one before it chose; 0: it is no loop */
	uint32_t rounds;
	/* the loop ends behind this token; -1: behind none */
	int stop;
};

/* Records that the longest step of this model takes. */
uint32_t step_records(const struct weights *w);

/* Bytes of the trace of a step of @rows. */
uint64_t step_trace_size(const struct weights *w, uint32_t rows);

/* step_encode() - append a step's commands to @stream; 0 or a negative errno value */
int step_encode(struct accel_stream *stream, const struct step_memory *m, const struct step *s);

#endif /* QUILL_RUN_STEP_H */
