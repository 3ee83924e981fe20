/* SPDX-License-Identifier: MIT */
/*
 * The model on the device.
 *
 * All of it runs there: a call is one command stream and one job, from the tokens' embeddings to their logits, and to the
 * choice of the next token, which the device writes behind the others. So a whole generation is one job too: the stream of a
 * step, in a loop. The host only looks at what comes.
 */
#ifndef QUILL_RUN_MODEL_H
#define QUILL_RUN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <accel.h>

#include "sample.h"
#include "weights.h"

/**
 * struct trace - all int8 values that the device has made of activations, in order
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
 * model_forward() - append tokens to the text, in one job
 * @m: the model
 * @tokens: @n of them; NULL: the one that was chosen last, and @n is 1
 * @n: as many as still have a position, at most @max_rows
 * @all: compute the logits after each token, else after the last one only
 * @sampler: how to choose the token behind the last; NULL: not at all
 * @logits: float [n or 1][VOCAB]; valid until the next call
 *
 * Return: 0, or negative errno and model_error().
 */
int model_forward(struct model *m, const uint8_t *tokens, uint32_t n, bool all,
		  const struct sampler *sampler, const float **logits);

/**
 * model_generate() - go on with the text, in one job
 * @m: the model; its last call has chosen a token
 * @count: tokens to choose behind that one; @count positions are left
 * @sampler: how to choose them
 * @stop: the token behind which it ends; -1: none
 * @look: called with @arg now and then until it ends, to look at what has been chosen; may be NULL
 *
 * Return: 0, or negative errno and model_error().
 */
int model_generate(struct model *m, uint32_t count, const struct sampler *sampler, int stop,
		   void (*look)(void *arg), void *arg);

/** model_chosen() - the token that the device has chosen for a position, also while it generates; -1: none yet */
int model_chosen(const struct model *m, uint32_t position);

/** model_error() - what was wrong with the last call that failed */
const char *model_error(const struct model *m);

/** model_stats() - the queue's counters and the device's clock, in cycles a millisecond */
int model_stats(struct model *m, struct accel_queue_stats *stats, struct accel_counters *counters,
		uint32_t *clock_khz);

#endif /* QUILL_RUN_MODEL_H */
