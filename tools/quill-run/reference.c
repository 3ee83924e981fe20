// SPDX-License-Identifier: MIT
/*
 * DOC: how two computations can be compared that both round to int8
 *
 * The device's side works in float32, this one in float64. Everything in the scheme is continuous
 * but one step: rounding to int8. A value that lies at a tie to within float32's error can go
 * either way; that moves it by a whole step, about 1 % of its row's largest, and all that follows
 * moves too. A bound on the logits that allowed for this would allow for bugs of the same size.
 *
 * So the decisions are taken from the device, and each is checked. The run records all int8 values
 * (struct trace). At the same place this computation has its own value before rounding, v in
 * steps, and requires of the device's q that |v - q| <= 1/2 + slack, slack being float32's error
 * in steps; then it goes on with q. A q that is not explained this way is wrong, and reported with
 * its place. What remains is a continuous function computed twice, and the logits have to agree to
 * float32's error.
 *
 * That error, relative to the largest value of a row, with u = 2^-24:
 *
 * - a norm's sum of d_model squares is off by at most d_model * u, its root by half of that; two
 *   norms a layer: d_model * u;
 * - the rest of a layer is counted in roundings: attention 256 (a score carries 6, which at a
 *   magnitude of 32 are 192 in the exponential; 64 for exp, sums and rescaling), GEMM epilogues
 *   3 each (sums are exact), scales 2 each, RoPE 4, SiLU 8, residual sums 2: below 300;
 * - layers add, since the residual stream does, and since a scale's relative error passes through
 *   a GEMM unchanged; the last norm and GEMM are less than one layer more.
 *
 * In all (n_layers + 1) * (d_model + 300) * u: 1.7e-4 for four layers of width 256, or 0.02 steps.
 * It is a worst case to first order; since roundings are random, what is seen is some hundred
 * times less (5e-7). The figure that matters is what it lets pass: an int8 value that is wrong by
 * a fiftieth of a step, a logit by a sixtieth of a percent.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

#define UNIT_ROUNDOFF	(1.0 / (1 << 24))
#define LAYER_ROUNDINGS	300
#define INT8_STEPS	127

/* Rows that matmul_real() computes at once, two in each vector: what every x86-64 has registers for. */
#define BLOCK		8
typedef double pair __attribute__((vector_size(16)));
typedef pair block[BLOCK / 2];

struct reference {
	const struct weights *w;
	enum reference_mode mode;
	uint32_t position, positions;
	double *k, *v;			/* [n_layers][positions][n_kv_heads][head_dim] */
	double *x, *norm, *y;		/* [max_rows][d_model, d_model, widest] */
	double *logits;			/* [max_rows][VOCAB] */
	double *scores;			/* [positions] */
	int8_t *q;			/* one row as int8 */
	block *columns;			/* BLOCK rows, transposed */

	const struct trace *trace;
	size_t at;			/* next value of the trace */
	double slack;
	const char *tensor;		/* where we are, for the report */
	uint32_t layer, token;
	struct reference_report report;
};

double reference_bound(const struct weights *w)
{
	return (w->n_layers + 1) * (w->d_model + LAYER_ROUNDINGS) * UNIT_ROUNDOFF;
}

/* ---- Rounding to int8 ------------------------------------------------------------------ */

/* The device's value for @v (in steps), if @v allows it; else what @v says. */
static int8_t decide(struct reference *r, double v, uint32_t index)
{
	struct reference_report *report = &r->report;
	int8_t own = (int8_t)rint(v), device;
	double excess;

	if (!r->trace)
		return own;
	report->values++;
	if (r->at >= r->trace->used) {
		if (!report->wrong++)
			snprintf(report->first_wrong, sizeof(report->first_wrong),
				 "the run recorded %zu values, but more are required", r->at);
		return own;
	}
	device = r->trace->data[r->at++];
	excess = fabs(v - device) - 0.5;
	if (excess > report->excess)
		report->excess = excess;
	if (excess <= r->slack) {
		report->ties += device != own;
		return device;
	}
	if (!report->wrong++)
		snprintf(report->first_wrong, sizeof(report->first_wrong),
			 "layer %u, %s, position %u, element %u: %d, but %.4f rounded is required",
			 r->layer, r->tensor, r->position + r->token, index, device, v);
	return own;
}

/* Returns the row's scale. */
static double quantise(struct reference *r, const double *x, uint32_t k)
{
	double largest = 0, scale;
	uint32_t i;

	for (i = 0; i < k; i++)
		largest = fmax(largest, fabs(x[i]));
	scale = largest / INT8_STEPS;
	if (scale < FLT_MIN)
		scale = 0;	/* as the scheme defines it */
	for (i = 0; i < k; i++)
		r->q[i] = decide(r, scale ? x[i] / scale : 0, i);
	return scale;
}

/* Q, K or V of one token: each head by itself, rounded and turned back into numbers. */
static void quantise_heads(struct reference *r, double *x, uint32_t heads, const char *tensor)
{
	const uint32_t dim = r->w->head_dim;
	double scale;
	uint32_t h, i;

	if (r->mode == REFERENCE_REAL)
		return;
	r->tensor = tensor;
	for (h = 0; h < heads; h++, x += dim) {
		scale = quantise(r, x, dim);
		for (i = 0; i < dim; i++)
			x[i] = r->q[i] * scale;
	}
}

/* ---- Matrix products ---------------------------------------------------------------------- */

/* With int8 operands: the sum is a whole number below 2^31, so integers give exactly what doubles would. */
static void matmul_device(struct reference *r, double *y, const double *x, const struct matrix *m,
			  uint32_t rows)
{
	const int8_t *weights;
	uint32_t n, k;
	int32_t sum;
	double scale;

	for (r->token = 0; r->token < rows; r->token++, x += m->k) {
		scale = quantise(r, x, m->k);
		weights = m->s8;
		for (n = 0; n < m->n; n++, weights += m->k) {
			sum = 0;
			for (k = 0; k < m->k; k++)
				sum += r->q[k] * weights[k];
			*y++ = sum * scale * m->scale[n];
		}
	}
}

/* y[BLOCK] = the sums over k of weights[k] * r->columns[k]. */
static void dot_block(const struct reference *r, double *y, const float *weights, uint32_t k)
{
	pair s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
	const block *x = r->columns;
	uint32_t i;
	double w;

	for (i = 0; i < k; i++) {
		w = weights[i];
		s0 += x[i][0] * w;
		s1 += x[i][1] * w;
		s2 += x[i][2] * w;
		s3 += x[i][3] * w;
	}
	memcpy(y, (block){ s0, s1, s2, s3 }, sizeof(block));
}

static void matmul_real(struct reference *r, double *y, const double *x, const struct matrix *m,
			uint32_t rows)
{
	uint32_t first, count, n, k, i;
	double sums[BLOCK];

	for (first = 0; first < rows; first += BLOCK, x += (size_t)BLOCK * m->k) {
		count = rows - first < BLOCK ? rows - first : BLOCK;
		memset(r->columns, 0, m->k * sizeof(*r->columns));
		for (i = 0; i < count; i++)
			for (k = 0; k < m->k; k++)
				r->columns[k][i / 2][i % 2] = x[(size_t)i * m->k + k];
		for (n = 0; n < m->n; n++) {
			dot_block(r, sums, m->f32 + (size_t)n * m->k, m->k);
			for (i = 0; i < count; i++)
				y[(size_t)(first + i) * m->n + n] = sums[i];
		}
	}
}

static void matmul(struct reference *r, double *y, const double *x, const struct matrix *m,
		   uint32_t rows, const char *tensor)
{
	r->tensor = tensor;
	if (r->mode == REFERENCE_DEVICE)
		matmul_device(r, y, x, m, rows);
	else
		matmul_real(r, y, x, m, rows);
}

/* ---- The layers, from the definition -------------------------------------------------------- */

static void rms_norm(const struct weights *w, double *out, const double *x, const float *weight,
		     uint32_t rows)
{
	double squares, root;
	uint32_t i;

	for (; rows--; x += w->d_model, out += w->d_model) {
		squares = 0;
		for (i = 0; i < w->d_model; i++)
			squares += x[i] * x[i];
		root = sqrt(squares / w->d_model + w->rms_eps);
		for (i = 0; i < w->d_model; i++)
			out[i] = x[i] / root * weight[i];
	}
}

static void rope(const struct weights *w, double *head, uint32_t position)
{
	double angle, a, b;
	uint32_t i;

	for (i = 0; i < w->head_dim; i += 2) {
		angle = position * pow(w->rope_base, -(double)i / w->head_dim);
		a = head[i];
		b = head[i + 1];
		head[i] = a * cos(angle) - b * sin(angle);
		head[i + 1] = b * cos(angle) + a * sin(angle);
	}
}

/* One head of queries at @position over keys and values 0..@position, @stride apart. */
static void attend(struct reference *r, double *out, const double *q, const double *k,
		   const double *v, size_t stride, uint32_t position)
{
	const uint32_t dim = r->w->head_dim;
	double largest = -INFINITY, total = 0;
	uint32_t j, i;

	for (j = 0; j <= position; j++) {
		r->scores[j] = 0;
		for (i = 0; i < dim; i++)
			r->scores[j] += q[i] * k[j * stride + i];
		r->scores[j] /= sqrt(dim);
		largest = fmax(largest, r->scores[j]);
	}
	memset(out, 0, dim * sizeof(*out));
	for (j = 0; j <= position; j++) {
		r->scores[j] = exp(r->scores[j] - largest);
		total += r->scores[j];
		for (i = 0; i < dim; i++)
			out[i] += r->scores[j] * v[j * stride + i];
	}
	for (i = 0; i < dim; i++)
		out[i] /= total;
}

/* From rows of Q, K and V, which it changes, to rows of the result. */
static void attention(struct reference *r, double *out, double *qkv, uint32_t rows)
{
	const struct weights *w = r->w;
	const uint32_t dim = w->head_dim, group = w->n_heads / w->n_kv_heads;
	const size_t stride = (size_t)w->n_kv_heads * dim;
	double *k = r->k + r->layer * r->positions * stride;
	double *v = r->v + r->layer * r->positions * stride;
	uint32_t position, h;

	for (r->token = 0; r->token < rows; r->token++, qkv += weights_qkv(w)) {
		position = r->position + r->token;
		for (h = 0; h < w->n_heads + w->n_kv_heads; h++)
			rope(w, qkv + h * dim, position);
		quantise_heads(r, qkv, w->n_heads, "Q");
		quantise_heads(r, qkv + w->n_heads * dim, w->n_kv_heads, "K");
		quantise_heads(r, qkv + w->n_heads * dim + stride, w->n_kv_heads, "V");
		memcpy(k + position * stride, qkv + w->n_heads * dim, stride * sizeof(*k));
		memcpy(v + position * stride, qkv + w->n_heads * dim + stride, stride * sizeof(*v));
		for (h = 0; h < w->n_heads; h++, out += dim)
			attend(r, out, qkv + h * dim, k + h / group * dim, v + h / group * dim,
			       stride, position);
	}
}

static void add(double *x, const double *y, size_t n)
{
	while (n--)
		*x++ += *y++;
}

static void forward_layer(struct reference *r, uint32_t rows)
{
	const struct weights *w = r->w;
	const struct layer *layer = &w->layers[r->layer];
	double *hidden = r->norm;
	uint32_t t, i;
	double g;

	rms_norm(w, r->norm, r->x, layer->attn_norm, rows);
	matmul(r, r->y, r->norm, &layer->qkv, rows, "input of QKV");
	attention(r, r->norm, r->y, rows);
	matmul(r, r->y, r->norm, &layer->attn_output, rows, "attention's result");
	add(r->x, r->y, (size_t)rows * w->d_model);

	rms_norm(w, r->norm, r->x, layer->ffn_norm, rows);
	matmul(r, r->y, r->norm, &layer->gate_up, rows, "input of gate and up");
	for (t = 0; t < rows; t++) {
		for (i = 0; i < w->d_ff; i++) {
			g = r->y[(size_t)t * 2 * w->d_ff + i];
			*hidden++ = g / (1 + exp(-g)) * r->y[(size_t)t * 2 * w->d_ff + w->d_ff + i];
		}
	}
	matmul(r, r->y, r->norm, &layer->down, rows, "input of down");
	add(r->x, r->y, (size_t)rows * w->d_model);
}

const double *reference_forward(struct reference *r, const uint8_t *tokens, uint32_t n, bool all)
{
	const struct weights *w = r->w;
	uint32_t skip = all ? 0 : n - 1;
	uint32_t t, i;

	for (t = 0; t < n; t++)
		for (i = 0; i < w->d_model; i++)
			r->x[(size_t)t * w->d_model + i] =
				w->embedding[(size_t)tokens[t] * w->d_model + i];
	for (r->layer = 0; r->layer < w->n_layers; r->layer++)
		forward_layer(r, n);
	r->position += skip;
	rms_norm(w, r->norm, r->x + (size_t)skip * w->d_model, w->output_norm, n - skip);
	matmul(r, r->logits, r->norm, &w->output, n - skip, "input of the output matrix");
	r->position += n - skip;
	return r->logits;
}

/* ---- Making and destroying ------------------------------------------------------------------- */

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

struct reference *reference_create(const struct weights *w, enum reference_mode mode,
				   uint32_t positions, uint32_t max_rows)
{
	size_t q = (size_t)w->n_heads * w->head_dim, widest_in, widest_out, cache;
	struct reference *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	widest_in = max(max(w->d_model, w->d_ff), q);
	widest_out = max(max(weights_qkv(w), 2 * (size_t)w->d_ff), w->d_model);
	cache = (size_t)w->n_layers * positions * w->n_kv_heads * w->head_dim;
	r->w = w;
	r->mode = mode;
	r->positions = positions;
	r->k = calloc(cache, sizeof(*r->k));
	r->v = calloc(cache, sizeof(*r->v));
	r->x = calloc(max_rows * (size_t)w->d_model, sizeof(*r->x));
	r->norm = calloc(max_rows * widest_in, sizeof(*r->norm));
	r->y = calloc(max_rows * widest_out, sizeof(*r->y));
	r->logits = calloc((size_t)max_rows * VOCAB, sizeof(*r->logits));
	r->scores = calloc(positions, sizeof(*r->scores));
	r->q = calloc(widest_in, sizeof(*r->q));
	r->columns = calloc(widest_in, sizeof(*r->columns));
	if (r->k && r->v && r->x && r->norm && r->y && r->logits && r->scores && r->q && r->columns)
		return r;
	reference_destroy(r);
	return NULL;
}

void reference_destroy(struct reference *r)
{
	if (!r)
		return;
	free(r->k);
	free(r->v);
	free(r->x);
	free(r->norm);
	free(r->y);
	free(r->logits);
	free(r->scores);
	free(r->q);
	free(r->columns);
	free(r);
}

void reference_restart(struct reference *r)
{
	r->position = 0;
}

void reference_follow(struct reference *r, const struct trace *trace)
{
	r->trace = trace;
	r->at = 0;
	r->slack = INT8_STEPS * reference_bound(r->w);
}

const struct reference_report *reference_report(const struct reference *r)
{
	return &r->report;
}
