/* SPDX-License-Identifier: MIT */
/* What the parts of quill-run know of each other. */
#ifndef QUILL_RUN_RUN_H
#define QUILL_RUN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"
#include "weights.h"

/* Exit codes. */
#define RUN_OK		0
#define RUN_FAILED	1
#define RUN_USAGE	2

/** struct options - the command line */
struct options {
	const char *model;
	/** @device: path, or NULL: the first. */
	const char *device;
	const char *prompt;
	/** @tokens: most to generate. */
	uint32_t tokens;
	struct sampler sampler;
	/** @check_steps: steps after the prompt to check as well; -1: no check. */
	int check_steps;
	/** @eval: text to measure on, or NULL. */
	const char *eval;
	/** @eval_on_host: measure the file's model in float64, not the device's. */
	bool eval_on_host;
	bool json, quiet;
};

/* Both return an exit code. */
int generate(const struct weights *w, const struct options *o);
int evaluate(const struct weights *w, const struct options *o);

/** run_error() - "quill-run: ..." to standard error. Return: RUN_FAILED. */
__attribute__((format(printf, 1, 2)))
int run_error(const char *fmt, ...);

/** run_seconds() - of a clock that only goes forward */
double run_seconds(void);

#endif /* QUILL_RUN_RUN_H */
