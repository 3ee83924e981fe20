/* SPDX-License-Identifier: MIT */
/*
 * The model on the device.
 *
 * Every matrix product and all attention are commands of the device; what lies between them (norms,
 * RoPE, SiLU, residual sums, quantising) is done here, in float32, in the buffers that both share.
 */
#ifndef QUILL_RUN_MODEL_H
#define QUILL_RUN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <accel.h>

#include "weights.h"

/**
 * struct trace - all int8 values that a run handed to the device, in order
 *
 * For reference.c: rounding to int8 is the one step of the scheme that is not continuous.
 */
struct trace {
	int8_t *data;
	size_t used, size;
};

struct model;

/**
 * model_create() - put a model on a device
 * @w: must outlive the model
 * @path: of the device, or NULL: the first one
 * @max_rows: most tokens of one model_forward()
 * @positions: most tokens of a text; 1..@w->context
 * @out: the model; give it back with model_destroy()
 * @err: on failure, what was wrong
 *
 * Return: 0, or negative errno.
 */
int model_create(const struct weights *w, const char *path, uint32_t max_rows,
		 uint32_t positions, struct model **out, char *err, size_t err_size);

void model_destroy(struct model *m);

/** model_restart() - forget the text so far */
void model_restart(struct model *m);

/** model_trace() - record into @trace from now on; NULL: no more */
void model_trace(struct model *m, struct trace *trace);

/** model_position() - tokens of the text so far */
uint32_t model_position(const struct model *m);

/**
 * model_forward() - append tokens to the text
 * @m: the model
 * @tokens: @n of them: as many as still have a position, at most @max_rows
 * @all: compute the logits after each token, else after the last one only
 * @logits: float [n or 1][VOCAB]; valid until the next call
 *
 * Return: 0, or negative errno and model_error().
 */
int model_forward(struct model *m, const uint8_t *tokens, uint32_t n, bool all,
		  const float **logits);

/** model_error() - what was wrong with the last call that failed */
const char *model_error(const struct model *m);

/** model_stats() - the queue's counters and the device's clock, in cycles a millisecond */
int model_stats(struct model *m, struct accel_queue_stats *stats, struct accel_counters *counters,
		uint32_t *clock_khz);

#endif /* QUILL_RUN_MODEL_H */
