// SPDX-License-Identifier: MIT
/*
 * GEMM in bfloat16 and 8-bit floats, and conversions: every set of kernels that this processor runs equals
 * the reference to the bit. All operands end at a page that faults.
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
#include "narrow.h"
#include "ref.h"
#include "ref_block.h"

#define SENTINEL 0x5a

static const uint32_t types[] = { QUILL_TYPE_BF16, QUILL_TYPE_E4M3, QUILL_TYPE_E5M2 };

#define TYPES (sizeof(types) / sizeof(types[0]))

static uint32_t size_of(uint32_t type)
{
	return type == QUILL_TYPE_F32 ? 4 : type == QUILL_TYPE_BF16 || type == QUILL_TYPE_F16 ? 2 : 1;
}

/* ---- GEMM ---- */

struct problem {
	struct ref_gemm_float g;
	uint8_t *packed;
	float *want;
	size_t a_size, b_size, d_size, packed_size;
};

/* Elements between -4 and 4, or (@any) any bits at all. */
static void *elements(struct ref_random *rnd, uint32_t type, size_t n, bool any)
{
	uint8_t *p = guard_alloc(n * size_of(type));
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t x = ref_narrow(type, ref_random_float(rnd, -4, 4), false);

		x = any ? ref_random(rnd) : x;
		memcpy(p + i * size_of(type), &x, size_of(type));
	}
	return p;
}

static struct problem problem_make(struct ref_random *rnd, uint32_t type_a, uint32_t type_b,
				   uint32_t m, uint32_t n, uint32_t k, bool any)
{
	struct problem p = { .g = { .m = m, .n = n, .k = k, .type_a = type_a, .type_b = type_b } };
	uint32_t in_group = 4 / size_of(type_b);

	p.g.lda = k + ref_random_below(rnd, 9);
	p.g.ldb = k;
	p.g.out.ldd = n + ref_random_below(rnd, 9);
	p.a_size = (m - 1) * p.g.lda + k;
	p.b_size = (size_t)n * k;
	p.d_size = ((m - 1) * p.g.out.ldd + n) * 4;
	p.packed_size = (size_t)(n + 63) / 64 * ((k + in_group - 1) / in_group) * 256;
	p.g.a = elements(rnd, type_a, p.a_size, any);
	p.g.b = elements(rnd, type_b, p.b_size, any);
	p.g.out.d = guard_alloc(p.d_size);
	p.want = guard_alloc(p.d_size);
	p.packed = guard_alloc(p.packed_size);
	/* bytes that are NaN in all types, were they to count */
	ref_pack_float(p.g.b, p.g.ldb, type_b, n, k, 0x7f, p.packed);
	return p;
}

static void problem_free(struct problem *p)
{
	guard_free((void *)p->g.a, p->a_size * size_of(p->g.type_a));
	guard_free((void *)p->g.b, p->b_size * size_of(p->g.type_b));
	guard_free(p->g.out.d, p->d_size);
	guard_free(p->want, p->d_size);
	guard_free(p->packed, p->packed_size);
}

/* From @row and @col on. */
static struct quill_gemm_floats out_at(const struct ref_floats *o, uint32_t row, uint32_t col)
{
	return (struct quill_gemm_floats){
		.d = o->d + row * o->ldd + col,
		.ldd = o->ldd,
		.bias = o->bias ? o->bias + col : NULL,
		.scale = o->scale ? o->scale + col : NULL,
		.row_scale = o->row_scale ? o->row_scale + row : NULL,
	};
}

/* As the device does it: A as bfloat16, panel by panel, the rows in parts. */
static void engine_run(const struct quill_kernels *e, const struct problem *p, uint32_t part)
{
	const struct ref_gemm_float *g = &p->g;
	size_t panel = p->packed_size / ((g->n + 63) / 64), scratch_size = quill_gemm_float_scratch(g->k);
	uint16_t *a = guard_alloc(p->a_size * 2);
	void *scratch = guard_alloc(scratch_size);
	uint32_t row, col;

	e->convert(&(struct quill_convert_tile){
		.src = g->a, .dst = a, .rows = 1, .n = (uint32_t)p->a_size, .type_a = g->type_a,
		.type_d = QUILL_TYPE_BF16,
	});
	for (col = 0; col < g->n; col += QUILL_PANEL_N) {
		for (row = 0; row < g->m; row += part) {
			struct quill_gemm_float_tile t = {
				.a = a + row * g->lda,
				.lda = g->lda,
				.b = p->packed + col / QUILL_PANEL_N * panel,
				.type_b = g->type_b,
				.m = g->m - row < part ? g->m - row : part,
				.n = g->n - col < QUILL_PANEL_N ? g->n - col : QUILL_PANEL_N,
				.k = g->k,
				.scratch = scratch,
				.out = out_at(&g->out, row, col),
			};

			e->gemm_float(&t);
		}
	}
	guard_free(a, p->a_size * 2);
	guard_free(scratch, scratch_size);
}

static void check(struct problem *p, uint32_t part)
{
	const struct quill_kernels *e;
	unsigned int i;
	size_t at;

	memset(p->g.out.d, SENTINEL, p->d_size);
	ref_gemm_float(&p->g);
	memcpy(p->want, p->g.out.d, p->d_size);
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		memset(p->g.out.d, SENTINEL, p->d_size);
		engine_run(e, p, part);
		for (at = 0; at < p->d_size / 4; at++)
			if (memcmp(&p->g.out.d[at], &p->want[at], 4))
				fail_msg("%s: types %u %u m %u n %u k %u: element %zu is %a, expected %a",
					 e->name, p->g.type_a, p->g.type_b, p->g.m, p->g.n, p->g.k,
					 at, (double)p->g.out.d[at], (double)p->want[at]);
	}
}

static void check_random(struct ref_random *rnd, uint32_t m, uint32_t n, uint32_t k, bool any)
{
	struct problem p = problem_make(rnd, types[ref_random_below(rnd, TYPES)],
					types[ref_random_below(rnd, TYPES)], m, n, k, any);

	check(&p, m);
	problem_free(&p);
}

static void all_m_times_odd_n_and_k(void **state)
{
	static const uint32_t widths[] = { 1, 2, 15, 16, 17, 31, 63, 64, 65, 100, 130 };
	struct ref_random rnd = { 1 };
	uint32_t m, i;

	for (m = 1; m <= 14; m++)
		for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
			check_random(&rnd, m, widths[i], 1 + ref_random_below(&rnd, 100), false);
}

static void all_k_to_200(void **state)
{
	struct ref_random rnd = { 2 };
	uint32_t k;

	for (k = 1; k <= 200; k++)
		check_random(&rnd, 1 + k % 9, 1 + k % 40, k, false);
}

static void rows_may_be_cut_anywhere(void **state)
{
	struct ref_random rnd = { 3 };
	uint32_t part, t;

	for (t = 0; t < TYPES; t++) {
		struct problem p = problem_make(&rnd, types[t], types[t], 23, 70, 37, false);

		for (part = 1; part <= 23; part++)
			check(&p, part);
		problem_free(&p);
	}
}

/* NaN, infinities and denormals, products that are denormal or too small, sums that overflow. */
static void any_bits_store_what_the_isa_says(void **state)
{
	struct ref_random rnd = { 4 };
	uint32_t i;

	for (i = 0; i < 300; i++)
		check_random(&rnd, 1 + i % 8, 1 + i % 70, 1 + i % 7, true);
}

/* One row times all 256 numbers of a type, and by 1, which stores each as it is. */
static void every_8_bit_number_is_a_weight(void **state)
{
	struct ref_random rnd = { 8 };
	uint32_t t, i;

	for (t = 1; t < TYPES; t++) {
		struct problem p = problem_make(&rnd, QUILL_TYPE_BF16, types[t], 1, 256, 1, false);

		((uint16_t *)p.g.a)[0] = 0x3f80;
		for (i = 0; i < 256; i++)
			((uint8_t *)p.g.b)[i] = (uint8_t)i;
		ref_pack_float(p.g.b, p.g.ldb, types[t], 256, 1, 0, p.packed);
		check(&p, 1);
		problem_free(&p);
	}
}

/* -0 stays where products vanish: nothing is added for an odd k's missing neighbour. */
static void nothing_is_added_beyond_the_last_k(void **state)
{
	struct ref_random rnd = { 5 };
	struct problem p = problem_make(&rnd, QUILL_TYPE_BF16, QUILL_TYPE_BF16, 3, 20, 1, false);
	uint32_t i;

	for (i = 0; i < p.a_size; i++)
		((uint16_t *)p.g.a)[i] = 0x0001;
	for (i = 0; i < p.b_size; i++)
		((uint16_t *)p.g.b)[i] = 0x8001;
	ref_pack_float(p.g.b, p.g.ldb, QUILL_TYPE_BF16, p.g.n, p.g.k, 0, p.packed);
	check(&p, 3);
	assert_memory_equal(p.g.out.d, "\0\0\0\x80", 4);
	problem_free(&p);
}

static void results_are_near_the_exact_ones(void **state)
{
	const uint32_t k = 4096;
	const double u = 0x1p-24;
	struct ref_random rnd = { 6 };
	uint32_t t, m, n;

	for (t = 0; t < TYPES; t++) {
		struct problem p = problem_make(&rnd, types[t], types[t], 9, 70, k, false);
		double worst = 0, most = 0, exact, size, error;

		engine_run(quill_engine_get(NULL), &p, 9);
		for (m = 0; m < p.g.m; m++) {
			for (n = 0; n < p.g.n; n++) {
				exact = exact_gemm_float(&p.g, m, n, &size);
				error = fabs(p.g.out.d[m * p.g.out.ldd + n] - exact);
				/* products are exact; a rounding for each k */
				worst = fmax(worst, error / (1.001 * k * u * size));
				most = fmax(most, error / (u * size));
			}
		}
		print_message("type %u, K %u: error at most %.3f u times the terms' magnitudes, %.6f of the bound\n",
			      types[t], k, most, worst);
		assert_true(worst <= 1.0 && most > 0);
		problem_free(&p);
	}
}

/* ---- Conversions ---- */

static const uint32_t narrow_types[] = {
	QUILL_TYPE_BF16, QUILL_TYPE_F16, QUILL_TYPE_E4M3, QUILL_TYPE_E5M2,
};

/* @n elements by every set of kernels, against @want. */
static void check_convert(uint32_t type_a, uint32_t type_d, const void *src, const void *want,
			  uint32_t n, bool saturate)
{
	size_t size = (size_t)n * size_of(type_d), i, at;
	const struct quill_kernels *e;
	uint8_t *dst = guard_alloc(size);

	for (i = 0; (e = quill_engine_at((unsigned int)i)); i++) {
		struct quill_convert_tile t = {
			.src = src, .dst = dst, .rows = 1, .n = n, .type_a = type_a,
			.type_d = type_d, .saturate = saturate,
		};

		if (!e->supported())
			continue;
		memset(dst, SENTINEL, size);
		e->convert(&t);
		for (at = 0; at < size; at++)
			if (dst[at] != ((const uint8_t *)want)[at])
				fail_msg("%s: from %u to %u, element %zu: wrong", e->name, type_a,
					 type_d, at / size_of(type_d));
	}
	guard_free(dst, size);
}

static void put(void *p, uint32_t type, size_t at, uint32_t bits)
{
	memcpy((uint8_t *)p + at * size_of(type), &bits, size_of(type));
}

static void every_narrow_number_widens(void **state)
{
	uint32_t t, i, count;

	for (t = 0; t < 4; t++) {
		uint32_t type = narrow_types[t];
		void *src;
		float *want;

		count = size_of(type) == 1 ? 256 : 65536;
		src = guard_alloc((size_t)count * size_of(type));
		want = guard_alloc((size_t)count * 4);
		for (i = 0; i < count; i++) {
			put(src, type, i, i);
			want[i] = ref_widen(type, i);
		}
		check_convert(type, QUILL_TYPE_F32, src, want, count, false);
		guard_free(src, (size_t)count * size_of(type));
		guard_free(want, (size_t)count * 4);
	}
}

static void every_pair_of_narrow_types_converts(void **state)
{
	uint32_t s, d, i, count;

	for (s = 0; s < 4; s++) {
		for (d = 0; d < 8; d++) {
			uint32_t from = narrow_types[s], to = narrow_types[d % 4];
			void *src, *want;

			count = size_of(from) == 1 ? 256 : 65536;
			src = guard_alloc((size_t)count * size_of(from));
			want = guard_alloc((size_t)count * size_of(to));
			for (i = 0; i < count; i++) {
				put(src, from, i, i);
				put(want, to, i, ref_narrow(to, ref_widen(from, i), d > 3));
			}
			check_convert(from, to, src, want, count, d > 3);
			guard_free(src, (size_t)count * size_of(from));
			guard_free(want, (size_t)count * size_of(to));
		}
	}
}

/* Every number of the type, every middle between two, and the floats beside both; then any bits. */
static void floats_round_to_the_nearest(void **state)
{
	struct ref_random rnd = { 7 };
	uint32_t t, i, j, n, count;

	for (t = 0; t < 8; t++) {
		uint32_t type = narrow_types[t % 4];
		bool saturate = t > 3;
		float *src;
		void *want;

		count = size_of(type) == 1 ? 256 : 65536;
		n = 6 * count + 20000;
		src = guard_alloc((size_t)n * 4);
		want = guard_alloc((size_t)n * size_of(type));
		for (i = 0; i < count; i++) {
			float x = ref_widen(type, i), next = ref_widen(type, (i + 1) % count);
			float middle = x / 2 + next / 2;

			src[6 * i] = x;
			src[6 * i + 1] = nextafterf(x, INFINITY);
			src[6 * i + 2] = nextafterf(x, -INFINITY);
			src[6 * i + 3] = middle;
			src[6 * i + 4] = nextafterf(middle, INFINITY);
			src[6 * i + 5] = nextafterf(middle, -INFINITY);
		}
		for (j = 6 * count; j < n; j++) {
			uint32_t bits = ref_random(&rnd);

			memcpy(&src[j], &bits, 4);
		}
		for (j = 0; j < n; j++)
			put(want, type, j, ref_narrow(type, src[j], saturate));
		check_convert(QUILL_TYPE_F32, type, src, want, n, saturate);
		guard_free(src, (size_t)n * 4);
		guard_free(want, (size_t)n * size_of(type));
	}
}

static void too_large_numbers_become_what_the_isa_says(void **state)
{
	static const struct {
		uint32_t type;
		float x;
		uint32_t want, saturated;
	} cases[] = {
		{ QUILL_TYPE_F16, 65519.996f, 0x7bff, 0x7bff },
		{ QUILL_TYPE_F16, 65520.0f, 0x7c00, 0x7bff },
		{ QUILL_TYPE_F16, -INFINITY, 0xfc00, 0xfbff },
		{ QUILL_TYPE_BF16, 0x1.fffffep127f, 0x7f80, 0x7f7f },
		{ QUILL_TYPE_E4M3, 464.0f, 0x7e, 0x7e },
		{ QUILL_TYPE_E4M3, 464.00003f, 0x7f, 0x7e },
		{ QUILL_TYPE_E4M3, -1e9f, 0x7f, 0xfe },
		{ QUILL_TYPE_E4M3, INFINITY, 0x7f, 0x7e },
		{ QUILL_TYPE_E5M2, 61439.996f, 0x7b, 0x7b },
		{ QUILL_TYPE_E5M2, 61440.0f, 0x7c, 0x7b },
		{ QUILL_TYPE_E5M2, -NAN, 0x7e, 0x7e },
		{ QUILL_TYPE_E4M3, -0.0f, 0x80, 0x80 },
		{ QUILL_TYPE_E4M3, 0x1p-10f, 0x00, 0x00 },
		{ QUILL_TYPE_E4M3, 0x1.000002p-10f, 0x01, 0x01 },
	};
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_convert(QUILL_TYPE_F32, cases[i].type, &cases[i].x, &cases[i].want, 1, false);
		check_convert(QUILL_TYPE_F32, cases[i].type, &cases[i].x, &cases[i].saturated, 1,
			      true);
	}
}

static void strides_are_kept(void **state)
{
	uint16_t src[3][5], dst[3][7];
	const struct quill_kernels *e;
	uint32_t i, j, k;

	for (i = 0; i < 3; i++)
		for (j = 0; j < 5; j++)
			src[i][j] = (uint16_t)(0x3f80 + 16 * i + j);
	for (k = 0; (e = quill_engine_at(k)); k++) {
		struct quill_convert_tile t = {
			.src = src, .src_stride = 5, .dst = dst, .dst_stride = 7, .rows = 3, .n = 4,
			.type_a = QUILL_TYPE_BF16, .type_d = QUILL_TYPE_F16,
		};

		if (!e->supported())
			continue;
		memset(dst, SENTINEL, sizeof(dst));
		e->convert(&t);
		for (i = 0; i < 3; i++)
			for (j = 0; j < 7; j++)
				assert_int_equal(dst[i][j], j > 3 ? 0x5a5a : (int)ref_narrow(
					QUILL_TYPE_F16, ref_widen(QUILL_TYPE_BF16, src[i][j]), false));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_m_times_odd_n_and_k),
		cmocka_unit_test(all_k_to_200),
		cmocka_unit_test(rows_may_be_cut_anywhere),
		cmocka_unit_test(any_bits_store_what_the_isa_says),
		cmocka_unit_test(every_8_bit_number_is_a_weight),
		cmocka_unit_test(nothing_is_added_beyond_the_last_k),
		cmocka_unit_test(results_are_near_the_exact_ones),
		cmocka_unit_test(every_narrow_number_widens),
		cmocka_unit_test(every_pair_of_narrow_types_converts),
		cmocka_unit_test(floats_round_to_the_nearest),
		cmocka_unit_test(too_large_numbers_become_what_the_isa_says),
		cmocka_unit_test(strides_are_kept),
	};

	return cmocka_run_group_tests_name("engine: floats", tests, NULL, NULL);
}
