/* SPDX-License-Identifier: MIT */
/*
 * The model once more, on the host in float64: what the device's results are held against.
 *
 * REFERENCE_REAL computes with the file's weights and no other quantisation. REFERENCE_DEVICE computes
 * the device's scheme: the same int8 weights and scales, activations rounded to int8 by token, Q, K and V
 * by token and head. It shares no code with model.c.
 */
#ifndef QUILL_RUN_REFERENCE_H
#define QUILL_RUN_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"
#include "weights.h"

enum reference_mode {
	REFERENCE_REAL,
	REFERENCE_DEVICE,
};

/**
 * struct reference_report - how the device's int8 values compare (REFERENCE_DEVICE)
 */
struct reference_report {
	/** @values: int8 values compared. */
	uint64_t values;
	/** @ties: of these, those that the device rounded to the other side, near enough to a tie. */
	uint64_t ties;
	/** @wrong: those that no rounding explains. */
	uint64_t wrong;
	/** @excess: farthest that one was beyond half a step, in steps. */
	double excess;
	/** @first_wrong: where, "" if nowhere. */
	char first_wrong[160];
};

struct reference;

/**
 * reference_create() - make a computation
 * @w: must outlive it
 * @mode: what to compute
 * @positions: most tokens of a text
 * @max_rows: most tokens of one reference_forward()
 *
 * Return: it, or NULL: out of memory.
 */
struct reference *reference_create(const struct weights *w, enum reference_mode mode,
				   uint32_t positions, uint32_t max_rows);

void reference_destroy(struct reference *r);

/** reference_restart() - forget the text so far */
void reference_restart(struct reference *r);

/**
 * reference_follow() - hold each int8 value against the device's, and go on with the device's
 * @r: of REFERENCE_DEVICE
 * @trace: of model_trace(), over the same calls in the same order
 */
void reference_follow(struct reference *r, const struct trace *trace);

/**
 * reference_forward() - append tokens to the text
 *
 * As model_forward(). Return: double [n or 1][VOCAB], valid until the next call.
 */
const double *reference_forward(struct reference *r, const uint8_t *tokens, uint32_t n, bool all);

/**
 * reference_bound() - how far float32 arithmetic may be from float64, relative to a row's largest value
 *
 * reference.c says where it comes from.
 */
double reference_bound(const struct weights *w);

const struct reference_report *reference_report(const struct reference *r);

#endif /* QUILL_RUN_REFERENCE_H */
