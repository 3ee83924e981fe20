// SPDX-License-Identifier: MIT
/* The main job: a prompt, its continuation, a summary, and the check. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "reference.h"
#include "run.h"
#include "text.h"

/* What one phase (prefill or decode) took. */
struct phase {
	uint32_t tokens;
	double seconds;
	struct accel_queue_stats device;
	struct accel_counters counters;
};

/* What the check needs: all that went in, and the logits that came out of the checked steps. */
struct record {
	struct trace trace;
	float *logits;			/* [steps][VOCAB]; step 0 is the prompt */
	uint32_t steps, max_steps;
};

struct check {
	double absolute, relative, bound;
	struct reference_report int8;
	bool ok;
};

struct run {
	const struct weights *w;
	const struct options *o;
	struct model *model;
	uint32_t clock_khz;
	const char *stop;		/* why the text ends */
	bool ended;			/* by the model's choice */
	struct text *out;

	uint8_t *tokens;		/* prompt and continuation */
	uint32_t n_prompt, n_tokens, max_tokens;
	struct record record;
	struct phase prefill, decode;
	double setup_seconds;
};

/* ---- The text ------------------------------------------------------------------------- */

/* One job of the model, and its logits kept if the check wants them. NULL @tokens: the one that it chose last. */
static int step(struct run *r, const uint8_t *tokens, uint32_t n)
{
	struct record *rec = &r->record;
	const float *logits;

	if (rec->steps == rec->max_steps)
		model_trace(r->model, NULL);
	if (model_forward(r->model, tokens, n, false, &r->o->sampler, &logits))
		return run_error("%s", model_error(r->model));
	if (rec->steps < rec->max_steps) {
		memcpy(rec->logits + (size_t)rec->steps * VOCAB, logits, VOCAB * sizeof(float));
		rec->steps++;
	}
	return RUN_OK;
}

/* How an engine's time has grown. */
static struct accel_engine_counters engine_since(const struct accel_engine_counters *now,
						 const struct accel_engine_counters *before)
{
	return (struct accel_engine_counters) {
		.compute = now->compute - before->compute,
		.memory = now->memory - before->memory,
		.dependency = now->dependency - before->dependency,
		.firmware = now->firmware - before->firmware,
		.idle = now->idle - before->idle,
	};
}

/* The phase that has just ended, behind @last: what the clock and the counters have gained. */
static int measure(struct run *r, struct phase *p, double start, const struct phase *last,
		   uint32_t tokens)
{
	const struct accel_queue_stats *before = &last->device;
	struct accel_queue_stats now;
	struct accel_counters counters;

	p->seconds = run_seconds() - start;
	p->tokens = tokens;
	if (model_stats(r->model, &now, &counters, &r->clock_khz))
		return run_error("%s", model_error(r->model));
	p->counters.energy_pj = counters.energy_pj - last->counters.energy_pj;
	p->counters.tensor = engine_since(&counters.tensor, &last->counters.tensor);
	p->counters.vector = engine_since(&counters.vector, &last->counters.vector);
	p->counters.dma = engine_since(&counters.dma, &last->counters.dma);
	p->device.jobs = now.jobs - before->jobs;
	p->device.cycles = now.cycles - before->cycles;
	p->device.busy_tensor = now.busy_tensor - before->busy_tensor;
	p->device.commands = now.commands - before->commands;
	p->device.macs = now.macs - before->macs;
	p->device.bytes_read = now.bytes_read - before->bytes_read;
	p->device.bytes_written = now.bytes_written - before->bytes_written;
	return RUN_OK;
}

/* Appends what the device has chosen since the last look; false: the text has ended. */
static bool take_chosen(struct run *r)
{
	int token;

	while (r->n_tokens < r->max_tokens && !r->ended) {
		token = model_chosen(r->model, r->n_tokens);
		if (token < 0)
			break;
		if (token == r->w->end_token) {
			r->stop = "the model ended its text";
			r->ended = true;
			break;
		}
		r->tokens[r->n_tokens++] = (uint8_t)token;
		text_put(r->out, (uint8_t)token);
	}
	return r->n_tokens < r->max_tokens && !r->ended;
}

static void look(void *arg)
{
	take_chosen(arg);
}

/* Steps that the check wants one by one, then all the others in one job. */
static int continue_text(struct run *r)
{
	while (take_chosen(r)) {
		if (r->record.steps < r->record.max_steps) {
			if (step(r, NULL, 1))
				return RUN_FAILED;
		} else if (model_generate(r->model, r->max_tokens - r->n_tokens, &r->o->sampler,
					  r->w->end_token, look, r)) {
			return run_error("%s", model_error(r->model));
		}
	}
	return RUN_OK;
}

static int write_text(struct run *r, struct text *out)
{
	const struct phase none = { 0 };
	double began;
	uint32_t i;
	int ret;

	r->out = out;
	for (i = 0; i < r->n_prompt && *r->o->prompt; i++)
		text_put(out, r->tokens[i]);

	began = run_seconds();
	if (step(r, r->tokens, r->n_prompt) ||
	    measure(r, &r->prefill, began, &none, r->n_prompt))
		return RUN_FAILED;

	began = run_seconds();
	ret = r->max_tokens > r->n_tokens ? continue_text(r) : RUN_OK;
	text_end(out);
	if (ret)
		return ret;
	if (ferror(out->out))
		return run_error("the text cannot be written");
	return measure(r, &r->decode, began, &r->prefill, model_position(r->model) - r->n_prompt);
}

/* ---- The check --------------------------------------------------------------------------- */

static void compare(struct check *c, const float *device, const double *exact)
{
	double largest = 0, difference = 0;
	int i;

	for (i = 0; i < VOCAB; i++) {
		largest = fmax(largest, fabs(exact[i]));
		/* fmax() would drop a NaN */
		difference = fabs(device[i] - exact[i]) <= difference ? difference :
			     fabs(device[i] - exact[i]);
	}
	if (!(difference <= c->absolute))
		c->absolute = difference;
	if (!(difference / largest <= c->relative))
		c->relative = difference / largest;
}

static int check(struct run *r, struct check *c)
{
	const struct record *rec = &r->record;
	struct reference *ref;
	const double *exact;
	uint32_t i;

	ref = reference_create(r->w, REFERENCE_DEVICE, r->n_prompt + rec->steps, r->n_prompt);
	if (!ref)
		return run_error("out of memory for the check");
	reference_follow(ref, &rec->trace);
	for (i = 0; i < rec->steps; i++) {
		exact = i ? reference_forward(ref, &r->tokens[r->n_prompt + i - 1], 1, false) :
			    reference_forward(ref, r->tokens, r->n_prompt, false);
		compare(c, rec->logits + (size_t)i * VOCAB, exact);
	}
	c->int8 = *reference_report(ref);
	c->bound = reference_bound(r->w);
	c->ok = c->relative <= c->bound && !c->int8.wrong;
	reference_destroy(ref);
	return RUN_OK;
}

/* ---- The summary ---------------------------------------------------------------------------- */

static double per(double total, double n)
{
	return n ? total / n : 0;
}

static void print_phase(const char *name, const struct phase *p)
{
	fprintf(stderr, "%-9s %u tokens in %.1f ms: %.1f tokens/s\n", name, p->tokens,
		1e3 * p->seconds, per(p->tokens, p->seconds));
}

static void print_engine(const char *name, const struct accel_engine_counters *e, uint64_t cycles)
{
	fprintf(stderr, "%s %.0f %% at work, waits %.0f %% for memory, %.0f %% for others, %.0f %% for "
		"firmware\n", name, 100 * per(e->compute, cycles), 100 * per(e->memory, cycles),
		100 * per(e->dependency, cycles), 100 * per(e->firmware, cycles));
}

static void print_device(const struct run *r)
{
	const struct accel_queue_stats *d = &r->decode.device, *p = &r->prefill.device;
	uint32_t n = r->decode.tokens;

	fprintf(stderr, "device    prefill %" PRIu64 " cycles (%.1f us); decode %.0f cycles a token "
		"(%.1f us) at %.0f MHz\n", p->cycles, per(1e3 * p->cycles, r->clock_khz),
		per(d->cycles, n), per(1e3 * per(d->cycles, n), r->clock_khz), r->clock_khz / 1e3);
	fprintf(stderr, "          %" PRIu64 " jobs, %" PRIu64 " commands, %.1f million MACs, "
		"%.1f MB read, %.1f MB written\n", p->jobs + d->jobs, p->commands + d->commands,
		(p->macs + d->macs) / 1e6, (p->bytes_read + d->bytes_read) / 1e6,
		(p->bytes_written + d->bytes_written) / 1e6);
	fprintf(stderr, "          decode: %.1f uJ a token; ", 1e-6 * per(r->decode.counters.energy_pj, n));
	print_engine("TENSOR", &r->decode.counters.tensor, d->cycles);
	fprintf(stderr, "          ");
	print_engine("VECTOR", &r->decode.counters.vector, d->cycles);
}

static void print_check(const struct run *r, const struct check *c)
{
	fprintf(stderr, "check     logits of %u steps against float64: at most %.2e off, relative "
		"%.2e (bound %.2e)\n", r->record.steps, c->absolute, c->relative, c->bound);
	fprintf(stderr, "          %" PRIu64 " int8 values, %" PRIu64 " at a tie, %" PRIu64
		" wrong: %s\n", c->int8.values, c->int8.ties, c->int8.wrong, c->ok ? "ok" : "FAILED");
	if (c->int8.wrong)
		fprintf(stderr, "          first: %s\n", c->int8.first_wrong);
}

static void print_summary(const struct run *r)
{
	fprintf(stderr, "model     %s: %u layers, width %u, context %u; loaded in %.0f ms\n",
		r->o->model, r->w->n_layers, r->w->d_model, r->w->context, 1e3 * r->setup_seconds);
	fprintf(stderr, "text      %u + %u bytes; %s\n", r->n_prompt, r->n_tokens - r->n_prompt,
		r->stop);
	print_phase("prefill", &r->prefill);
	print_phase("decode", &r->decode);
	print_device(r);
}

static void json_engine(const char *name, const struct accel_engine_counters *e)
{
	printf(", \"%s\": {\"compute\": %" PRIu64 ", \"memory\": %" PRIu64 ", \"dependency\": %" PRIu64
	       ", \"firmware\": %" PRIu64 ", \"idle\": %" PRIu64 "}", name, e->compute, e->memory,
	       e->dependency, e->firmware, e->idle);
}

static void json_phase(const char *name, const struct run *r, const struct phase *p)
{
	const struct accel_queue_stats *d = &p->device;

	printf(", \"%s\": {\"tokens\": %u, \"seconds\": %.6f, \"tokens_per_second\": %.3f, "
	       "\"device_cycles\": %" PRIu64 ", \"device_cycles_per_token\": %.1f, "
	       "\"device_us_per_token\": %.3f, \"jobs\": %" PRIu64 ", \"commands\": %" PRIu64
	       ", \"macs\": %" PRIu64 ", \"bytes_read\": %" PRIu64 ", \"bytes_written\": %" PRIu64 ", \"energy_pj\": %" PRIu64,
	       name, p->tokens, p->seconds, per(p->tokens, p->seconds), d->cycles,
	       per(d->cycles, p->tokens), per(1e3 * per(d->cycles, p->tokens), r->clock_khz), d->jobs,
	       d->commands, d->macs, d->bytes_read, d->bytes_written, p->counters.energy_pj);
	json_engine("tensor", &p->counters.tensor);
	json_engine("vector", &p->counters.vector);
	json_engine("dma", &p->counters.dma);
	printf("}");
}

static void json(const struct run *r, const char *text, const struct check *c)
{
	printf("{\"model\": ");
	text_json(stdout, r->o->model);
	printf(", \"text\": ");
	text_json(stdout, text);
	printf(", \"prompt_tokens\": %u, \"generated_tokens\": %u, \"stop\": ", r->n_prompt,
	       r->n_tokens - r->n_prompt);
	text_json(stdout, r->stop);
	printf(", \"clock_khz\": %u", r->clock_khz);
	json_phase("prefill", r, &r->prefill);
	json_phase("decode", r, &r->decode);
	if (r->record.steps)
		printf(", \"check\": {\"steps\": %u, \"max_abs\": %.6e, \"max_rel\": %.6e, "
		       "\"bound_rel\": %.6e, \"int8_values\": %" PRIu64 ", \"int8_ties\": %" PRIu64
		       ", \"int8_wrong\": %" PRIu64 ", \"ok\": %s}", r->record.steps, c->absolute,
		       c->relative, c->bound, c->int8.values, c->int8.ties, c->int8.wrong,
		       c->ok ? "true" : "false");
	printf("}\n");
}

/* ---- All of it ------------------------------------------------------------------------------- */

static int prepare(struct run *r)
{
	const struct options *o = r->o;
	char err[ACCEL_ERROR_MAX + 64];
	double start = run_seconds();
	uint32_t context = r->w->context;
	size_t len = strlen(o->prompt);

	if (len > context) {
		run_error("the prompt has %zu bytes, but the model's context is %u", len, context);
		return RUN_USAGE;
	}
	if (!len && r->w->end_token < 0) {
		run_error("the prompt is empty, and the model names no token that starts a text");
		return RUN_USAGE;
	}
	/* A text starts where another ended. */
	r->n_prompt = len ? len : 1;
	r->max_tokens = o->tokens > context - r->n_prompt ? context : r->n_prompt + o->tokens;
	r->stop = r->max_tokens < (uint64_t)r->n_prompt + o->tokens ?
		  "the model's context is full" : "as many as were asked for";
	r->tokens = calloc(r->max_tokens, 1);
	if (o->check_steps >= 0)
		r->record.max_steps = o->check_steps + 1;
	r->record.logits = calloc(r->record.max_steps + 1, VOCAB * sizeof(float));
	if (!r->tokens || !r->record.logits)
		return run_error("out of memory");
	memcpy(r->tokens, o->prompt, len);
	if (!len)
		r->tokens[0] = r->w->end_token;
	r->n_tokens = r->n_prompt;

	if (model_create(r->w, o->device, r->n_prompt, r->max_tokens, &r->model, err, sizeof(err)))
		return run_error("%s", err);
	model_trace(r->model, r->record.max_steps ? &r->record.trace : NULL);
	r->setup_seconds = run_seconds() - start;
	return RUN_OK;
}

static int write_and_check(struct run *r)
{
	const struct options *o = r->o;
	struct check c = { .ok = true };
	struct text out = { .out = stdout };
	char *text = NULL;
	size_t size;
	int ret;

	if (o->json)
		out.out = open_memstream(&text, &size);
	if (!out.out)
		return run_error("out of memory for the text");
	ret = write_text(r, &out);
	if (o->json)
		fclose(out.out);
	else
		putchar('\n');
	if (!ret && !o->quiet && !o->json) {
		fflush(stdout);
		fputc('\n', stderr);
		print_summary(r);
	}
	if (!ret && r->record.steps)
		ret = check(r, &c);
	if (!ret && o->json)
		json(r, text, &c);
	if (!ret && !o->json && r->record.steps && (!o->quiet || !c.ok))
		print_check(r, &c);
	free(text);
	return ret ? ret : c.ok ? RUN_OK : RUN_FAILED;
}

int generate(const struct weights *w, const struct options *o)
{
	struct run r = { .w = w, .o = o };
	int ret;

	ret = prepare(&r);
	if (!ret)
		ret = write_and_check(&r);
	model_destroy(r.model);
	free(r.record.trace.data);
	free(r.record.logits);
	free(r.tokens);
	return ret;
}
