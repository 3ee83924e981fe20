// SPDX-License-Identifier: MIT
/*
 * Bits per byte on a held-out text, as tools/models/README.md defines it: windows of the model's context that do
 * not overlap, each run from position 0; every byte but a window's first is predicted; the mean of -log2 p.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "reference.h"
#include "run.h"
#include "text.h"

#define MAX_LOSS_PERCENT	2.0
#define MAX_TEXT		(64u << 20)
#define PROGRESS_WINDOWS	16

/* Who computes: one of them is set. */
struct evaluator {
	struct model *model;
	struct reference *reference;
};

static uint8_t *read_text(const char *path, size_t *size)
{
	uint8_t *text = malloc(MAX_TEXT + 1);
	FILE *f = fopen(path, "rb");

	if (!f || !text) {
		run_error("%s: %s", path, strerror(f ? ENOMEM : errno));
		goto err;
	}
	*size = fread(text, 1, MAX_TEXT + 1, f);
	if (ferror(f)) {
		run_error("%s: cannot be read: %s", path, strerror(errno));
		goto err;
	}
	if (*size > MAX_TEXT) {
		run_error("%s: more than %u bytes", path, MAX_TEXT);
		goto err;
	}
	fclose(f);
	return text;
err:
	if (f)
		fclose(f);
	free(text);
	return NULL;
}

/* -log2 of the probability that @logits give @byte. */
static double bits_of(const double *logits, uint8_t byte)
{
	double largest = logits[0], sum = 0;
	int i;

	for (i = 1; i < VOCAB; i++)
		largest = fmax(largest, logits[i]);
	for (i = 0; i < VOCAB; i++)
		sum += exp(logits[i] - largest);
	return (log(sum) + largest - logits[byte]) / M_LN2;
}

/* Bits of the @n bytes after a window's first; negative: failed. */
static double window_bits(struct evaluator *e, const uint8_t *window, uint32_t n)
{
	const double *exact = NULL;
	const float *logits;
	double row[VOCAB], bits = 0;
	uint32_t t, i;

	if (e->model) {
		model_restart(e->model);
		if (model_forward(e->model, window, n, true, NULL, &logits)) {
			run_error("%s", model_error(e->model));
			return -1;
		}
	} else {
		reference_restart(e->reference);
		exact = reference_forward(e->reference, window, n, true);
	}
	for (t = 0; t < n; t++) {
		for (i = 0; i < VOCAB; i++)
			row[i] = exact ? exact[t * VOCAB + i] : logits[t * VOCAB + i];
		bits += bits_of(row, window[t + 1]);
	}
	return bits;
}

static int report(const struct weights *w, const struct options *o, double bpb, size_t bytes,
		  double seconds)
{
	const char *what = o->eval_on_host ? "host, float64 of the Q8_0 weights" : "device, int8";
	double loss = w->heldout_bpb_f32 ? 100 * (bpb / w->heldout_bpb_f32 - 1) : 0;
	bool ok = loss <= MAX_LOSS_PERCENT;	/* a NaN is not */

	if (o->json) {
		printf("{\"eval\": ");
		text_json(stdout, o->eval);
		printf(", \"where\": \"%s\", \"predicted_bytes\": %zu, \"bits_per_byte\": %.6f",
		       o->eval_on_host ? "host" : "device", bytes, bpb);
		if (w->heldout_bpb_f32)
			printf(", \"bits_per_byte_f32\": %.6f, \"loss_percent\": %.4f",
			       w->heldout_bpb_f32, loss);
		printf(", \"seconds\": %.3f, \"ok\": %s}\n", seconds, ok ? "true" : "false");
	} else if (w->heldout_bpb_f32) {
		printf("bits per byte on %zu held-out bytes\n", bytes);
		printf("  %-36s %.4f\n", "float32, as trained (from the file)", w->heldout_bpb_f32);
		printf("  %-36s %.4f  loss %+.2f %% (at most %.0f %% is good): %s\n", what, bpb, loss,
		       MAX_LOSS_PERCENT, ok ? "ok" : "FAILED");
	} else {
		printf("bits per byte on %zu held-out bytes\n  %-36s %.4f\n", bytes, what, bpb);
		printf("  the file has no float32 figure (key quill.heldout_bpb_f32) to compare\n");
	}
	if (!o->quiet && !o->json)
		printf("  %.1f s, %.0f bytes/s\n", seconds, bytes / seconds);
	return ok ? RUN_OK : RUN_FAILED;
}

static int run_windows(const struct weights *w, const struct options *o, struct evaluator *e,
		       const uint8_t *text, size_t windows)
{
	double start = run_seconds(), bits = 0, more;
	const uint32_t n = w->context - 1;
	size_t i;

	for (i = 0; i < windows; i++) {
		more = window_bits(e, text + i * w->context, n);
		if (more < 0)
			return RUN_FAILED;
		bits += more;
		if (!o->quiet && (i + 1) % PROGRESS_WINDOWS == 0)
			fprintf(stderr, "%zu of %zu windows, %.4f bits per byte\n", i + 1, windows,
				bits / ((i + 1) * (double)n));
	}
	return report(w, o, bits / (windows * (double)n), windows * n, run_seconds() - start);
}

int evaluate(const struct weights *w, const struct options *o)
{
	struct evaluator e = { 0 };
	char err[ACCEL_ERROR_MAX + 64];
	int ret = RUN_FAILED;
	uint8_t *text;
	size_t size;

	text = read_text(o->eval, &size);
	if (!text)
		return RUN_FAILED;
	if (w->context < 2 || size < w->context) {
		run_error("%s: %zu bytes, but a window of the model's context, %u bytes, is required",
			  o->eval, size, w->context);
	} else if (o->eval_on_host) {
		e.reference = reference_create(w, REFERENCE_REAL, w->context, w->context - 1);
		if (!e.reference)
			run_error("out of memory for the host's computation");
	} else if (model_create(w, o->device, w->context - 1, w->context, &e.model, err,
				sizeof(err))) {
		run_error("%s", err);
	}
	if (e.model || e.reference)
		ret = run_windows(w, o, &e, text, size / w->context);
	model_destroy(e.model);
	reference_destroy(e.reference);
	free(text);
	return ret;
}
