// SPDX-License-Identifier: MIT
/* The reference implementation: docs/isa.md, sentence by sentence. */
#include <math.h>
#include <string.h>

#include "ref.h"
#include "ref_vector.h"

/* ---- Numbers for tests ---- */

uint32_t ref_random(struct ref_random *r)
{
	/* a 64-bit linear congruential generator (Knuth's MMIX constants), upper half */
	r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(r->state >> 32);
}

uint32_t ref_random_below(struct ref_random *r, uint32_t n)
{
	return (uint32_t)(((uint64_t)ref_random(r) * n) >> 32);
}

void ref_random_s8(struct ref_random *r, int8_t *p, size_t n)
{
	while (n--)
		*p++ = (int8_t)ref_random(r);
}

float ref_random_float(struct ref_random *r, float lo, float hi)
{
	return lo + (hi - lo) * (float)(ref_random(r) >> 8) / 16777216.0f;
}

/* ---- What commands share ---- */

static float from_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static float stored(float x)
{
	return isnan(x) ? from_bits(0x7fc00000) : x;
}

static float larger(float a, float b)
{
	return a > b ? a : b;
}

/* 16 lanes folded in halves. */
static float tree(float lane[16], float (*op)(float, float))
{
	int half, i;

	for (half = 8; half >= 1; half /= 2)
		for (i = 0; i < half; i++)
			lane[i] = op(lane[i], lane[i + half]);
	return lane[0];
}

static float plus(float a, float b)
{
	return a + b;
}

/* ---- GEMM ---- */

void ref_pack(const int8_t *b, uint32_t n, uint32_t k, uint8_t padding, uint8_t *packed)
{
	uint32_t i, j;

	memset(packed, padding, quill_packed_size(n, k));
	for (i = 0; i < k; i++)
		for (j = 0; j < n; j++)
			packed[quill_packed_offset(j, i, k)] = (uint8_t)(b[(size_t)i * n + j] + 128);
}

int8_t ref_requantise(int32_t x, struct quill_requant r, int32_t zero, int32_t lo, int32_t hi)
{
	int64_t product = (int64_t)x * r.mult;
	int64_t unit = (int64_t)1 << r.shift;
	int64_t whole = product / unit;
	int64_t rest = product % unit;
	int64_t result;

	if (rest < 0) {
		rest += unit;
		whole -= 1;
	}
	/* product = whole * unit + rest, 0 <= rest < unit */
	if (rest > unit - rest)
		whole += 1;
	else if (rest == unit - rest && whole % 2)
		whole += 1;
	result = whole + zero;
	if (result < lo)
		return (int8_t)lo;
	if (result > hi)
		return (int8_t)hi;
	return (int8_t)result;
}

static int32_t wrap(int64_t x)
{
	return (int32_t)(uint32_t)(uint64_t)x;
}

/* Nearest, ties to even, in the 16 upper bits. */
static uint16_t to_bf16(float x)
{
	uint32_t bits, rest;

	if (isnan(x))
		return 0x7fc0;
	memcpy(&bits, &x, sizeof(bits));
	rest = bits & 0xffff;
	bits >>= 16;
	if (rest > 0x8000 || (rest == 0x8000 && bits % 2))
		bits++;
	return (uint16_t)bits;
}

static void ref_float_element(const struct ref_gemm *g, uint32_t m, uint32_t n, float acc)
{
	float s = g->scale ? g->scale[n] : 1.0f, y;

	if (g->row_scale)
		s = s * g->row_scale[m];
	y = g->bias ? fmaf(acc, s, ((const float *)g->bias)[n]) : acc * s;
	if (g->act)
		y = ref_function(g->act - 1, y);
	if (g->gate)
		y = y * g->gate[m * g->gate_stride + n];
	if (g->residual)
		y = y + g->residual[m * g->residual_stride + n];
	if (g->type_d == QUILL_TYPE_BF16) {
		((uint16_t *)g->d)[m * g->ldd + n] = to_bf16(y);
		return;
	}
	if (g->accumulate)
		y = y + ((float *)g->d)[m * g->ldd + n];
	((float *)g->d)[m * g->ldd + n] = stored(y);
}

static void ref_element(const struct ref_gemm *g, uint32_t m, uint32_t n, int32_t acc)
{
	size_t at = m * g->ldd + n;

	if (g->type_d == QUILL_TYPE_F32 || g->type_d == QUILL_TYPE_BF16) {
		ref_float_element(g, m, n, (float)acc);
		return;
	}
	if (g->bias)
		acc = wrap((int64_t)acc + ((const int32_t *)g->bias)[n]);
	if (g->type_d == QUILL_TYPE_S8)
		((int8_t *)g->d)[at] = ref_requantise(acc, g->requant[n], g->zero, g->lo, g->hi);
	else
		((int32_t *)g->d)[at] = g->accumulate ?
			wrap((int64_t)acc + ((int32_t *)g->d)[at]) : acc;
}

void ref_gemm(const struct ref_gemm *g)
{
	uint32_t m, n, k;

	for (m = 0; m < g->m; m++) {
		for (n = 0; n < g->n; n++) {
			int64_t acc = 0;

			for (k = 0; k < g->k; k++)
				acc += g->a[m * g->lda + k] * g->b[(size_t)k * g->n + n];
			ref_element(g, m, n, (int32_t)acc);
		}
	}
}

/* ---- exp ---- */

float ref_exp(float x)
{
	static const float c[] = { 0x1.6a2254p-10f, 0x1.123b02p-7f, 0x1.5558f8p-5f,
				   0x1.55549p-3f, 0x1.fffffcp-2f, 1.0f, 1.0f };
	float n, r, y;
	unsigned int i;

	if (isnan(x))
		return x;
	if (x < -87.0f)
		return 0.0f;
	n = fmaf(x, 0x1.715476p+0f, 0x1.8p23f) - 0x1.8p23f;
	r = fmaf(n, -0x1.62e43p-1f, x);
	r = fmaf(n, 0x1.05c61p-29f, r);
	y = c[0];
	for (i = 1; i < sizeof(c) / sizeof(c[0]); i++)
		y = fmaf(y, r, c[i]);
	return ldexpf(y, (int)n);
}

/* ---- ATTENTION ---- */

struct online {
	float max, sum;
	float acc[QUILL_ATTENTION_MAX_HEAD_DIM];
};

/* One block: keys first .. first + n - 1 of one head, n of them at most 64. */
static void ref_block(struct online *o, const struct ref_attention *t, const int8_t *q, float c,
		      uint32_t group, uint32_t first, uint32_t n)
{
	float score[QUILL_ATTENTION_BLOCK], p[QUILL_ATTENTION_BLOCK];
	float lane_max[16], lane_sum[16];
	float max, alpha;
	uint32_t j, e;

	for (j = 0; j < 16; j++) {
		lane_max[j] = -INFINITY;
		lane_sum[j] = 0.0f;
	}
	for (j = 0; j < n; j++) {
		size_t row = (first + j) * t->kv_stride + group * t->kv_head_stride;
		float scale = t->k_scale[row / t->head_dim] * c;
		int32_t dot = 0;

		for (e = 0; e < t->head_dim; e++)
			dot += q[e] * t->k[row + e];
		score[j] = (float)dot * scale;
		lane_max[j % 16] = larger(score[j], lane_max[j % 16]);
	}
	max = larger(tree(lane_max, larger), o->max);
	for (j = 0; j < n; j++) {
		p[j] = ref_exp(score[j] - max);
		lane_sum[j % 16] += p[j];
	}
	alpha = ref_exp(o->max - max);
	o->sum = fmaf(o->sum, alpha, tree(lane_sum, plus));
	o->max = max;
	for (e = 0; e < t->head_dim; e++)
		o->acc[e] *= alpha;
	for (j = 0; j < n; j++) {
		size_t row = (first + j) * t->kv_stride + group * t->kv_head_stride;
		float w = p[j] * t->v_scale[row / t->head_dim];

		for (e = 0; e < t->head_dim; e++)
			o->acc[e] = fmaf(w, (float)t->v[row + e], o->acc[e]);
	}
}

static uint32_t keys_seen(const struct ref_attention *t, uint32_t query)
{
	return t->causal ? t->n_kv - t->n_q + query + 1 : t->n_kv;
}

static void ref_query(const struct ref_attention *t, uint32_t query, uint32_t head)
{
	size_t row = query * t->q_stride + head * t->head_dim;
	float *out = t->out + query * t->out_stride + head * t->head_dim;
	float c = t->q_scale[row / t->head_dim] * t->softmax_scale;
	uint32_t group = head / (t->n_heads / t->n_kv_heads);
	uint32_t keys = keys_seen(t, query), first, n, e;
	struct online o = { .max = -INFINITY };

	for (first = 0; first < keys; first += QUILL_ATTENTION_BLOCK) {
		n = keys - first;
		if (n > QUILL_ATTENTION_BLOCK)
			n = QUILL_ATTENTION_BLOCK;
		ref_block(&o, t, t->q + row, c, group, first, n);
	}
	for (e = 0; e < t->head_dim; e++)
		out[e] = stored(o.acc[e] / o.sum);
}

void ref_attention(const struct ref_attention *t)
{
	uint32_t i, h;

	for (i = 0; i < t->n_q; i++)
		for (h = 0; h < t->n_heads; h++)
			ref_query(t, i, h);
}

/* ---- The outside check: real arithmetic, no blocks, no order ---- */

static double exact_score(const struct ref_attention *t, uint32_t query, uint32_t head, uint32_t key)
{
	size_t qi = query * t->q_stride + head * t->head_dim;
	size_t ki = key * t->kv_stride + head / (t->n_heads / t->n_kv_heads) * t->kv_head_stride;
	double dot = 0;
	uint32_t e;

	for (e = 0; e < t->head_dim; e++)
		dot += (double)t->q[qi + e] * t->k[ki + e];
	return dot * t->q_scale[qi / t->head_dim] * t->k_scale[ki / t->head_dim] *
	       t->softmax_scale;
}

double exact_attention(const struct ref_attention *t, uint32_t query, uint32_t head, uint32_t e)
{
	uint32_t group = head / (t->n_heads / t->n_kv_heads);
	uint32_t keys = keys_seen(t, query), j;
	double max = -INFINITY, sum = 0, result = 0;

	for (j = 0; j < keys; j++)
		max = fmax(max, exact_score(t, query, head, j));
	for (j = 0; j < keys; j++) {
		size_t row = j * t->kv_stride + group * t->kv_head_stride;
		double p = exp(exact_score(t, query, head, j) - max);

		sum += p;
		result += p * t->v_scale[row / t->head_dim] * t->v[row + e];
	}
	return result / sum;
}
