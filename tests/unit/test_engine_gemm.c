// SPDX-License-Identifier: MIT
/*
 * GEMM: every set of kernels that this processor runs equals the reference to the bit. All operands
 * end at a page that faults, so that no case can read or write past an operand unseen.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "guard.h"
#include "ref.h"

#define SENTINEL 0x5a

struct problem {
	struct ref_gemm g;
	uint8_t *packed;
	uint8_t *want;
	size_t a_size, b_size, d_size, packed_size;
};

static size_t strided(uint32_t rows, size_t stride, uint32_t width, size_t elem)
{
	return ((rows - 1) * stride + width) * elem;
}

/* Operands of a random problem, without epilogue. */
static struct problem problem_make(struct ref_random *rnd, uint32_t m, uint32_t n, uint32_t k,
				   uint32_t type_d)
{
	struct problem p = { .g = { .m = m, .n = n, .k = k, .type_d = type_d } };
	int8_t *a, *b;

	p.g.lda = k + ref_random_below(rnd, 9);
	p.g.ldd = n + ref_random_below(rnd, 9);
	p.g.lo = -128;
	p.g.hi = 127;
	p.a_size = strided(m, p.g.lda, k, 1);
	p.b_size = (size_t)n * k;
	p.d_size = strided(m, p.g.ldd, n, quill_type_size(type_d));
	p.packed_size = quill_packed_size(n, k);
	p.g.a = a = guard_alloc(p.a_size);
	p.g.b = b = guard_alloc(p.b_size);
	p.g.d = guard_alloc(p.d_size);
	p.packed = guard_alloc(p.packed_size);
	p.want = guard_alloc(p.d_size);
	ref_random_s8(rnd, a, p.a_size);
	ref_random_s8(rnd, b, p.b_size);
	return p;
}

static void problem_free(struct problem *p)
{
	guard_free((void *)p->g.a, p->a_size);
	guard_free((void *)p->g.b, p->b_size);
	guard_free(p->g.d, p->d_size);
	guard_free(p->packed, p->packed_size);
	guard_free(p->want, p->d_size);
	guard_free((void *)p->g.bias, p->g.n * 4);
	guard_free((void *)p->g.scale, p->g.n * 4);
	guard_free((void *)p->g.row_scale, p->g.m * 4);
	guard_free((void *)p->g.requant, p->g.n * sizeof(*p->g.requant));
}

/* An epilogue that brings most sums into the range of the result. */
static void problem_epilogue(struct problem *p, struct ref_random *rnd, bool bias, bool row_scale)
{
	uint32_t n = p->g.n, m = p->g.m, i;

	if (p->g.type_d == QUILL_TYPE_S8) {
		struct quill_requant *r = guard_alloc(n * sizeof(*r));

		for (i = 0; i < n; i++) {
			r[i].mult = (int32_t)(ref_random(rnd) >> 1);
			r[i].shift = 31 + (int32_t)ref_random_below(rnd, 20);
		}
		p->g.requant = r;
		p->g.zero = (int32_t)ref_random_below(rnd, 256) - 128;
		p->g.lo = -128 + (int32_t)ref_random_below(rnd, 20);
		p->g.hi = 127 - (int32_t)ref_random_below(rnd, 20);
	}
	if (p->g.type_d == QUILL_TYPE_F32) {
		float *s = guard_alloc(n * 4);

		for (i = 0; i < n; i++)
			s[i] = ref_random_float(rnd, -0.01f, 0.01f);
		p->g.scale = s;
	}
	if (row_scale && p->g.type_d == QUILL_TYPE_F32) {
		float *s = guard_alloc(m * 4);

		for (i = 0; i < m; i++)
			s[i] = ref_random_float(rnd, -0.01f, 0.01f);
		p->g.row_scale = s;
	}
	if (bias) {
		uint32_t *b = guard_alloc(n * 4);

		for (i = 0; i < n; i++) {
			float x = ref_random_float(rnd, -10.0f, 10.0f);

			if (p->g.type_d == QUILL_TYPE_F32)
				memcpy(&b[i], &x, 4);
			else
				b[i] = ref_random(rnd) % 20000 - 10000u;
		}
		p->g.bias = b;
	}
}

/* A pointer to element (row, col) of an operand that may be absent. */
static const float *element(const float *p, size_t row, size_t stride, uint32_t col)
{
	return p ? p + row * stride + col : NULL;
}

static struct quill_gemm_floats floats_at(const struct ref_gemm *g, uint32_t row, uint32_t col)
{
	return (struct quill_gemm_floats){
		.d = (uint8_t *)g->d + (row * g->ldd + col) * quill_type_size(g->type_d),
		.ldd = g->ldd,
		.type_d = g->type_d,
		.bias = element(g->bias, 0, 0, col),
		.scale = element(g->scale, 0, 0, col),
		.row_scale = element(g->row_scale, 0, 0, row),
		.act = g->act,
		.gate = element(g->gate, row, g->gate_stride, col),
		.gate_stride = g->gate_stride,
		.residual = g->accumulate ? element(g->d, row, g->ldd, col) :
					    element(g->residual, row, g->residual_stride, col),
		.residual_stride = g->accumulate ? g->ldd : g->residual_stride,
	};
}

/* At most @part rows of one panel. */
static struct quill_gemm_tile tile_at(const struct problem *p, uint32_t row, uint32_t col,
				      uint32_t part, const int32_t *sums)
{
	const struct ref_gemm *g = &p->g;
	bool floats = g->type_d == QUILL_TYPE_F32 || g->type_d == QUILL_TYPE_BF16;
	struct quill_gemm_tile t = {
		.a = g->a + row * g->lda,
		.a_sum = sums + row,
		.lda = g->lda,
		.b = p->packed + quill_packed_offset(col, 0, g->k),
		.m = g->m - row < part ? g->m - row : part,
		.n = g->n - col < QUILL_PANEL_N ? g->n - col : QUILL_PANEL_N,
		.k = g->k,
		.type_d = floats ? QUILL_TYPE_F32 : g->type_d,
		.zero = g->zero,
		.lo = g->lo,
		.hi = g->hi,
	};

	if (floats) {
		t.out = floats_at(g, row, col);
		return t;
	}
	t.d = (uint8_t *)g->d + (row * g->ldd + col) * quill_type_size(g->type_d);
	t.ldd = g->ldd;
	t.accumulate = g->accumulate;
	t.bias = g->bias ? (const int32_t *)g->bias + col : NULL;
	t.requant = g->requant ? g->requant + col : NULL;
	return t;
}

/* As the device does it: panel by panel, the rows in parts. */
static void engine_run(const struct quill_kernels *e, const struct problem *p, uint32_t part)
{
	const struct ref_gemm *g = &p->g;
	int32_t *sums = guard_alloc(g->m * sizeof(*sums));
	uint32_t row, col;

	e->row_sums(g->a, g->lda, g->m, g->k, sums);
	for (col = 0; col < g->n; col += QUILL_PANEL_N) {
		for (row = 0; row < g->m; row += part) {
			struct quill_gemm_tile t = tile_at(p, row, col, part, sums);

			e->gemm(&t);
		}
	}
	guard_free(sums, g->m * sizeof(*sums));
}

static void explain(const struct quill_kernels *e, const struct problem *p)
{
	const uint8_t *got = p->g.d;
	size_t i = 0;

	while (got[i] == p->want[i])
		i++;
	fail_msg("%s: m %u n %u k %u lda %zu ldd %zu type %u: byte %zu is %02x, expected %02x",
		 e->name, p->g.m, p->g.n, p->g.k, p->g.lda, p->g.ldd, p->g.type_d, i, got[i],
		 p->want[i]);
}

/* The reference's result in p->want, then every engine's must be the same, gaps of D included. */
static void check_with(struct problem *p, uint8_t padding, uint32_t part)
{
	const struct quill_kernels *e;
	unsigned int i;

	ref_pack(p->g.b, p->g.n, p->g.k, padding, p->packed);
	memset(p->g.d, SENTINEL, p->d_size);
	ref_gemm(&p->g);
	memcpy(p->want, p->g.d, p->d_size);
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		memset(p->g.d, SENTINEL, p->d_size);
		engine_run(e, p, part);
		if (memcmp(p->g.d, p->want, p->d_size))
			explain(e, p);
	}
}

static void check(struct problem *p)
{
	check_with(p, 0xa5, p->g.m);
}

static void check_random(struct ref_random *rnd, uint32_t m, uint32_t n, uint32_t k, uint32_t type)
{
	struct problem p = problem_make(rnd, m, n, k, type);

	problem_epilogue(&p, rnd, ref_random(rnd) & 1, ref_random(rnd) & 1);
	check(&p);
	problem_free(&p);
}

static const uint32_t types[] = { QUILL_TYPE_S32, QUILL_TYPE_S8, QUILL_TYPE_F32 };

#define TYPES (sizeof(types) / sizeof(types[0]))

/* ---- Shapes ---- */

static void all_m_times_odd_n_and_k(void **state)
{
	static const uint32_t widths[] = { 1, 2, 15, 16, 17, 31, 63, 64, 65, 100, 128, 130 };
	struct ref_random rnd = { 1 };
	uint32_t m, i, t;

	for (m = 1; m <= 17; m++)
		for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
			for (t = 0; t < TYPES; t++)
				check_random(&rnd, m, widths[i], 1 + ref_random_below(&rnd, 300),
					     types[t]);
}

static void all_k_to_300(void **state)
{
	struct ref_random rnd = { 2 };
	uint32_t k;

	for (k = 1; k <= 300; k++)
		check_random(&rnd, 1 + k % 7, 1 + k % 5, k, types[k % TYPES]);
}

static void all_n_to_130(void **state)
{
	struct ref_random rnd = { 3 };
	uint32_t n, t;

	for (n = 1; n <= 130; n++)
		for (t = 0; t < TYPES; t++)
			check_random(&rnd, 1 + n % 3, n, 1 + n % 11, types[t]);
}

static void long_k_crosses_every_cache_block(void **state)
{
	static const uint32_t lengths[] = { 511, 512, 513, 1024, 1027, 2048, 4095, 4099 };
	struct ref_random rnd = { 4 };
	uint32_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		check_random(&rnd, 13, 70, lengths[i], types[i % TYPES]);
}

static void rows_may_be_cut_anywhere(void **state)
{
	struct ref_random rnd = { 5 };
	struct problem p = problem_make(&rnd, 37, 90, 131, QUILL_TYPE_F32);
	uint32_t part;

	problem_epilogue(&p, &rnd, true, true);
	for (part = 1; part <= 37; part++)
		check_with(&p, 0, part);
	problem_free(&p);
}

static void padding_of_packed_b_has_no_influence(void **state)
{
	struct ref_random rnd = { 6 };
	unsigned int padding, t;

	for (t = 0; t < TYPES; t++) {
		struct problem p = problem_make(&rnd, 5, 67, 133, types[t]);

		problem_epilogue(&p, &rnd, true, true);
		for (padding = 0; padding < 256; padding += 51)
			check_with(&p, (uint8_t)padding, 5);
		problem_free(&p);
	}
}

/* ---- Limits ---- */

static void longest_k_of_extremes_is_exact(void **state)
{
	static const int8_t pairs[][2] = {
		{ -128, -128 }, { -128, 127 }, { 127, -128 }, { 127, 127 }, { -1, -128 },
	};
	const uint32_t k = QUILL_GEMM_MAX_K;
	struct ref_random rnd = { 7 };
	struct problem p = problem_make(&rnd, 2, 3, k, QUILL_TYPE_S32);
	unsigned int i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		memset((void *)p.g.a, pairs[i][0], p.a_size);
		memset((void *)p.g.b, pairs[i][1], p.b_size);
		check(&p);
		assert_int_equal(((int32_t *)p.g.d)[0], pairs[i][0] * pairs[i][1] * (int32_t)k);
	}
	problem_free(&p);
}

static void row_sums_reach_their_limits(void **state)
{
	const uint32_t k = QUILL_GEMM_MAX_K;
	const struct quill_kernels *e;
	int32_t sums[2];
	int8_t *a = guard_alloc(2 * k);
	unsigned int i;

	memset(a, -128, k);
	memset(a + k, 127, k);
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		e->row_sums(a, k, 2, k, sums);
		assert_int_equal(sums[0], -128 * (int32_t)k);
		assert_int_equal(sums[1], 127 * (int32_t)k);
	}
	guard_free(a, 2 * k);
}

static void bias_wraps_modulo_2_to_the_32(void **state)
{
	static const int32_t biases[] = { INT32_MAX, INT32_MIN, -1, INT32_MAX - 5 };
	struct ref_random rnd = { 8 };
	unsigned int t, i;

	for (t = 0; t < 2; t++) {
		struct problem p = problem_make(&rnd, 3, 4, 8, types[t]);

		problem_epilogue(&p, &rnd, true, false);
		for (i = 0; i < 4; i++)
			((int32_t *)p.g.bias)[i] = biases[i];
		check(&p);
		problem_free(&p);
	}
}

/* ---- Requantisation ---- */

/* A is zero, so that the bias is the sum. */
static void check_requant(struct problem *p, int32_t sum, struct quill_requant r, int32_t zero,
			  int32_t lo, int32_t hi)
{
	uint32_t i;

	for (i = 0; i < p->g.n; i++) {
		((int32_t *)p->g.bias)[i] = (int32_t)((uint32_t)sum + i);
		((struct quill_requant *)p->g.requant)[i] = r;
	}
	p->g.zero = zero;
	p->g.lo = lo;
	p->g.hi = hi;
	check(p);
}

static void requantise_ties_extremes_and_clamps(void **state)
{
	static const int32_t sums[] = { INT32_MIN, INT32_MAX - 63, -64, -32, 0, 1000, -(1 << 24) };
	static const int32_t mults[] = {
		0, 1, 2, 3, 5, 1 << 30, INT32_MAX,
		/* a hair beside a tie: no float32 tells these apart */
		(1 << 30) + 1, (1 << 30) - 1,
	};
	static const int32_t shifts[] = { 0, 1, 2, 3, 5, 30, 31, 32, 33, 61, 62 };
	static const int32_t ranges[][3] = {
		{ 0, -128, 127 }, { 127, -128, 127 }, { -128, -128, 127 }, { 5, 0, 127 },
		{ -3, -7, -7 },
	};
	struct ref_random rnd = { 9 };
	struct problem p = problem_make(&rnd, 1, 64, 4, QUILL_TYPE_S8);
	unsigned int i, j, k, l;

	problem_epilogue(&p, &rnd, true, false);
	memset((void *)p.g.a, 0, p.a_size);
	for (i = 0; i < 7; i++)
		for (j = 0; j < 9; j++)
			for (k = 0; k < 11; k++)
				for (l = 0; l < 5; l++)
					check_requant(&p, sums[i],
						      (struct quill_requant){ mults[j], shifts[k] },
						      ranges[l][0], ranges[l][1], ranges[l][2]);
	problem_free(&p);
}

/* mult such that sum * mult is within sum / 2 of an odd multiple of 2^(shift - 1): nearer than floats tell. */
static struct quill_requant near_tie(int32_t sum, uint32_t result, int nudge)
{
	int64_t tie = 2 * (int64_t)result + 1;
	int32_t shift = 0;

	while ((tie << shift) / sum < 1 << 29)
		shift++;
	return (struct quill_requant){ (int32_t)((tie << shift) / sum) + nudge, shift + 1 };
}

static void requantise_near_ties_is_exact(void **state)
{
	struct ref_random rnd = { 13 };
	struct problem p = problem_make(&rnd, 1, 64, 4, QUILL_TYPE_S8);
	int32_t *bias;
	uint32_t i, j;

	problem_epilogue(&p, &rnd, true, false);
	bias = (int32_t *)p.g.bias;
	memset((void *)p.g.a, 0, p.a_size);
	p.g.zero = 0;
	p.g.lo = -128;
	p.g.hi = 127;
	for (j = 0; j < 1500; j++) {
		for (i = 0; i < 64; i++) {
			struct quill_requant *r = (struct quill_requant *)p.g.requant + i;

			bias[i] = 1 + (int32_t)ref_random_below(&rnd, 1u << 24);
			*r = near_tie(bias[i], ref_random_below(&rnd, 127),
				      (int)ref_random_below(&rnd, 5) - 2);
			/* one in a vector, lest its neighbours draw it into the exact path */
			if (i % 16 != j % 16)
				r->mult = 0;
			if (ref_random(&rnd) & 1)
				bias[i] = -bias[i];
		}
		check(&p);
	}
	problem_free(&p);
}

static void reference_rounds_half_to_even_once(void **state)
{
	const struct quill_requant half = { 1, 1 }, quarter = { 1, 2 };

	assert_int_equal(ref_requantise(1, half, 0, -128, 127), 0);
	assert_int_equal(ref_requantise(3, half, 0, -128, 127), 2);
	assert_int_equal(ref_requantise(5, half, 0, -128, 127), 2);
	assert_int_equal(ref_requantise(-1, half, 0, -128, 127), 0);
	assert_int_equal(ref_requantise(-3, half, 0, -128, 127), -2);
	assert_int_equal(ref_requantise(2, quarter, 0, -128, 127), 0);
	assert_int_equal(ref_requantise(3, quarter, 0, -128, 127), 1);
	assert_int_equal(ref_requantise(-7, quarter, 0, -128, 127), -2);
	/* the zero point comes after the rounding, the clamp after the zero point */
	assert_int_equal(ref_requantise(3, half, 1, -128, 127), 3);
	assert_int_equal(ref_requantise(INT32_MAX, (struct quill_requant){ INT32_MAX, 0 }, -128,
					-128, 100), 100);
}

/* ---- Floats ---- */

static float bits(uint32_t x)
{
	float f;

	memcpy(&f, &x, 4);
	return f;
}

static void nan_and_infinite_scales_store_what_the_isa_says(void **state)
{
	static const uint32_t odd[] = {
		0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001, 0x00000001,
		0x80000001, 0x80000000, 0x7f7fffff, 0x00000000,
	};
	const uint32_t n = sizeof(odd) / sizeof(odd[0]);
	struct ref_random rnd = { 10 };
	unsigned int bias, row;
	uint32_t i;

	for (bias = 0; bias < 2; bias++) {
		for (row = 0; row < 2; row++) {
			struct problem p = problem_make(&rnd, n, n, 7, QUILL_TYPE_F32);

			problem_epilogue(&p, &rnd, bias, row);
			memset((void *)p.g.a, 0, 7);
			for (i = 0; i < n; i++) {
				((float *)p.g.scale)[i] = bits(odd[i]);
				if (row)
					((float *)p.g.row_scale)[i] = bits(odd[n - 1 - i]);
				if (bias)
					((float *)p.g.bias)[i] = bits(odd[(i + 3) % n]);
			}
			check(&p);
			/* 0 * infinity */
			assert_memory_equal(p.g.d, "\0\0\xc0\x7f", 4);
			problem_free(&p);
		}
	}
}

/* ---- The outside check: exact real arithmetic ---- */

static double exact_dot(const struct ref_gemm *g, uint32_t m, uint32_t n)
{
	double sum = 0;
	uint32_t k;

	for (k = 0; k < g->k; k++)
		sum += (double)g->a[m * g->lda + k] * g->b[(size_t)k * g->n + n];
	return sum;
}

static void float_results_are_near_the_exact_ones(void **state)
{
	struct ref_random rnd = { 11 };
	struct problem p = problem_make(&rnd, 9, 70, 999, QUILL_TYPE_F32);
	double worst = 0, exact, product, bound;
	uint32_t m, n;

	problem_epilogue(&p, &rnd, true, true);
	ref_pack(p.g.b, p.g.n, p.g.k, 0, p.packed);
	engine_run(quill_engine_get(NULL), &p, 9);
	for (m = 0; m < p.g.m; m++) {
		for (n = 0; n < p.g.n; n++) {
			product = exact_dot(&p.g, m, n) * p.g.scale[n] * p.g.row_scale[m];
			exact = product + ((const float *)p.g.bias)[n];
			/* conversion, product of scales: half an ulp each; then one rounding */
			bound = (2.01 * fabs(product) + 1.01 * fabs(exact)) * 0x1p-24;
			exact = fabs(((float *)p.g.d)[m * p.g.ldd + n] - exact);
			worst = fmax(worst, exact / bound);
		}
	}
	print_message("F32: largest error is %.3f of the bound\n", worst);
	assert_true(worst <= 1.0 && worst > 0.01);
	problem_free(&p);
}

static void quantised_results_are_within_half_a_step(void **state)
{
	struct ref_random rnd = { 12 };
	struct problem p = problem_make(&rnd, 9, 70, 999, QUILL_TYPE_S8);
	unsigned int inside = 0;
	double worst = 0, exact;
	uint32_t m, n;

	problem_epilogue(&p, &rnd, true, false);
	ref_pack(p.g.b, p.g.n, p.g.k, 0, p.packed);
	engine_run(quill_engine_get(NULL), &p, 9);
	for (m = 0; m < p.g.m; m++) {
		for (n = 0; n < p.g.n; n++) {
			int8_t d = ((int8_t *)p.g.d)[m * p.g.ldd + n];

			exact = exact_dot(&p.g, m, n) + ((const int32_t *)p.g.bias)[n];
			exact = ldexp(exact * p.g.requant[n].mult, -p.g.requant[n].shift);
			exact += p.g.zero;
			if (exact <= p.g.lo || exact >= p.g.hi)
				continue;
			inside++;
			worst = fmax(worst, fabs(exact - d));
		}
	}
	print_message("S8: %u results inside the clamp, largest error %.4f steps\n", inside, worst);
	assert_true(inside > 50);
	assert_true(worst <= 0.5 + 1e-9 && worst > 0.4);
	problem_free(&p);
}

/* ---- Selection ---- */

static void kernels_are_found_by_name_and_the_best_by_default(void **state)
{
	const struct quill_kernels *e, *best = NULL;
	unsigned int i;

	assert_string_equal(quill_engine_at(0)->name, "scalar");
	assert_true(quill_engine_at(0)->supported());
	for (i = 0; (e = quill_engine_at(i)); i++) {
		print_message("%s: %s\n", e->name, e->supported() ? "runs here" : "not on this processor");
		assert_ptr_equal(quill_engine_get(e->name), e->supported() ? e : NULL);
		if (e->supported())
			best = e;
	}
	assert_ptr_equal(quill_engine_get(NULL), best);
	assert_null(quill_engine_get("avx"));
	assert_null(quill_engine_get(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_are_found_by_name_and_the_best_by_default),
		cmocka_unit_test(all_m_times_odd_n_and_k),
		cmocka_unit_test(all_k_to_300),
		cmocka_unit_test(all_n_to_130),
		cmocka_unit_test(long_k_crosses_every_cache_block),
		cmocka_unit_test(rows_may_be_cut_anywhere),
		cmocka_unit_test(padding_of_packed_b_has_no_influence),
		cmocka_unit_test(longest_k_of_extremes_is_exact),
		cmocka_unit_test(row_sums_reach_their_limits),
		cmocka_unit_test(bias_wraps_modulo_2_to_the_32),
		cmocka_unit_test(requantise_ties_extremes_and_clamps),
		cmocka_unit_test(requantise_near_ties_is_exact),
		cmocka_unit_test(reference_rounds_half_to_even_once),
		cmocka_unit_test(nan_and_infinite_scales_store_what_the_isa_says),
		cmocka_unit_test(float_results_are_near_the_exact_ones),
		cmocka_unit_test(quantised_results_are_within_half_a_step),
	};

	return cmocka_run_group_tests_name("engine: GEMM", tests, NULL, NULL);
}
