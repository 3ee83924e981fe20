// SPDX-License-Identifier: MIT
/*
 * GEMM with block weights: every set of kernels that this processor runs equals the reference to the bit.
 * All operands end at a page that faults.
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
#include "ref_block.h"

#define SENTINEL 0x5a

static const uint32_t types[] = { QUILL_TYPE_Q8_0, QUILL_TYPE_Q4_0, QUILL_TYPE_S4 };

#define TYPES (sizeof(types) / sizeof(types[0]))

struct problem {
	struct ref_gemm_block g;
	float *want;
	size_t a_size, b_size, d_size, as_size, bs_size;
};

/* Block scales of 2^-12 to 2^-7, of either sign. */
static void random_blocks(struct ref_random *rnd, uint8_t *b, size_t bytes, uint32_t type)
{
	size_t size = type == QUILL_TYPE_Q8_0 ? sizeof(struct quill_q8_0) : sizeof(struct quill_q4_0);
	size_t i;

	for (i = 0; i + size <= bytes; i += size) {
		uint16_t d = (uint16_t)(0x0c00 + ref_random_below(rnd, 0x1400) +
					(ref_random(rnd) & 0x8000));

		memcpy(b + i, &d, sizeof(d));
	}
}

static struct problem problem_make(struct ref_random *rnd, uint32_t type, uint32_t m, uint32_t n,
				   uint32_t k, uint32_t group, bool scaled)
{
	struct problem p = { .g = { .m = m, .n = n, .k = k, .group = group, .type_b = type } };
	size_t size = type == QUILL_TYPE_Q8_0 ? sizeof(struct quill_q8_0) : sizeof(struct quill_q4_0);
	size_t i, groups = k / group;
	float *as, *bs;

	p.g.lda = k + ref_random_below(rnd, 9);
	p.g.out.ldd = n + ref_random_below(rnd, 9);
	p.g.ldb = k / QUILL_BLOCK * size + 2 * ref_random_below(rnd, 3);
	p.g.a_scale_stride = groups + ref_random_below(rnd, 3);
	p.g.b_scale_stride = (n + 63) / 64 * 64;
	p.a_size = (m - 1) * p.g.lda + k;
	p.b_size = type == QUILL_TYPE_S4 ? (size_t)(n + 63) / 64 * 32 * k :
					   (n - 1) * p.g.ldb + k / QUILL_BLOCK * size;
	p.d_size = ((m - 1) * p.g.out.ldd + n) * 4;
	p.as_size = ((m - 1) * p.g.a_scale_stride + groups) * 4;
	p.bs_size = groups * p.g.b_scale_stride * 4;
	p.g.a = guard_alloc(p.a_size);
	p.g.b = guard_alloc(p.b_size);
	p.g.out.d = guard_alloc(p.d_size);
	p.want = guard_alloc(p.d_size);
	ref_random_s8(rnd, (int8_t *)p.g.a, p.a_size);
	ref_random_s8(rnd, (int8_t *)p.g.b, p.b_size);
	as = guard_alloc(p.as_size);
	bs = guard_alloc(p.bs_size);
	for (i = 0; i < p.as_size / 4; i++)
		as[i] = ref_random_float(rnd, 0.001f, 0.1f);
	for (i = 0; i < p.bs_size / 4; i++)
		bs[i] = ref_random_float(rnd, -0.01f, 0.01f);
	p.g.a_scale = scaled ? as : NULL;
	p.g.b_scale = bs;
	if (!scaled)
		guard_free(as, p.as_size);
	for (i = 0; type != QUILL_TYPE_S4 && i < n; i++)
		random_blocks(rnd, (uint8_t *)p.g.b + i * p.g.ldb, k / QUILL_BLOCK * size, type);
	return p;
}

static void problem_free(struct problem *p)
{
	guard_free((void *)p->g.a, p->a_size);
	guard_free((void *)p->g.b, p->b_size);
	guard_free(p->g.out.d, p->d_size);
	guard_free(p->want, p->d_size);
	guard_free((void *)p->g.a_scale, p->as_size);
	guard_free((void *)p->g.b_scale, p->bs_size);
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

/* As the device does it: 64 columns at a time, the rows in parts. */
static void engine_run(const struct quill_kernels *e, const struct problem *p, uint32_t part)
{
	const struct ref_gemm_block *g = &p->g;
	size_t groups = g->k / g->group, sums_size = g->m * groups * sizeof(int32_t);
	size_t scratch_size = quill_gemm_block_scratch(part);
	int32_t *sums = guard_alloc(sums_size);
	void *scratch = guard_alloc(scratch_size);
	uint32_t row, col;

	e->block_sums(g->a, g->lda, g->m, g->k, g->group, sums);
	for (col = 0; col < g->n; col += QUILL_PANEL_N) {
		for (row = 0; row < g->m; row += part) {
			struct quill_gemm_block_tile t = {
				.a = g->a + row * g->lda,
				.lda = g->lda,
				.a_sum = sums + row * groups,
				.a_sum_stride = groups,
				.a_scale = g->a_scale ? g->a_scale + row * g->a_scale_stride : NULL,
				.a_scale_stride = g->a_scale_stride,
				.b = g->type_b == QUILL_TYPE_S4 ? g->b + (size_t)col / 2 * g->k :
								  g->b + col * g->ldb,
				.ldb = g->ldb,
				.b_scale = g->b_scale + col,
				.b_scale_stride = g->b_scale_stride,
				.scratch = scratch,
				.type_b = g->type_b,
				.m = g->m - row < part ? g->m - row : part,
				.n = g->n - col < QUILL_PANEL_N ? g->n - col : QUILL_PANEL_N,
				.k = g->k,
				.group = g->group,
				.out = out_at(&g->out, row, col),
			};

			e->gemm_block(&t);
		}
	}
	guard_free(sums, sums_size);
	guard_free(scratch, scratch_size);
}

static void explain(const struct quill_kernels *e, const struct problem *p)
{
	size_t i = 0;

	while (!memcmp(&p->g.out.d[i], &p->want[i], 4))
		i++;
	fail_msg("%s: type %u m %u n %u k %u group %u ldd %zu: element %zu is %a, expected %a",
		 e->name, p->g.type_b, p->g.m, p->g.n, p->g.k, p->g.group, p->g.out.ldd, i,
		 (double)p->g.out.d[i], (double)p->want[i]);
}

static void check(struct problem *p, uint32_t part)
{
	const struct quill_kernels *e;
	unsigned int i;

	memset(p->g.out.d, SENTINEL, p->d_size);
	ref_gemm_block(&p->g);
	memcpy(p->want, p->g.out.d, p->d_size);
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		memset(p->g.out.d, SENTINEL, p->d_size);
		engine_run(e, p, part);
		if (memcmp(p->g.out.d, p->want, p->d_size))
			explain(e, p);
	}
}

static void check_random(struct ref_random *rnd, uint32_t type, uint32_t m, uint32_t n, uint32_t k)
{
	struct problem p = problem_make(rnd, type, m, n, k, QUILL_BLOCK, ref_random(rnd) & 1);

	check(&p, m);
	problem_free(&p);
}

/* ---- Shapes ---- */

static void all_m_times_odd_n(void **state)
{
	static const uint32_t widths[] = { 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 130 };
	struct ref_random rnd = { 1 };
	uint32_t m, i, t;

	for (m = 1; m <= 14; m++)
		for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
			for (t = 0; t < TYPES; t++)
				check_random(&rnd, types[t], m, widths[i],
					     QUILL_BLOCK * (1 + ref_random_below(&rnd, 5)));
}

static void all_n_to_130(void **state)
{
	struct ref_random rnd = { 2 };
	uint32_t n, t;

	for (n = 1; n <= 130; n++)
		for (t = 0; t < TYPES; t++)
			check_random(&rnd, types[t], 1 + n % 9, n, QUILL_BLOCK * (1 + n % 3));
}

static void all_blocks_to_70(void **state)
{
	struct ref_random rnd = { 3 };
	uint32_t j, t;

	for (j = 1; j <= 70; j++)
		for (t = 0; t < TYPES; t++)
			check_random(&rnd, types[t], 1 + j % 10, 17 + j % 5, QUILL_BLOCK * j);
}

static void groups_of_s4_of_any_size(void **state)
{
	static const uint32_t groups[] = { 32, 64, 96, 128, 256, 1024 };
	struct ref_random rnd = { 4 };
	uint32_t i, m;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		for (m = 1; m <= 8; m++) {
			struct problem p = problem_make(&rnd, QUILL_TYPE_S4, m, 70,
							groups[i] * (1 + m % 3), groups[i], m & 1);

			check(&p, m);
			problem_free(&p);
		}
	}
}

static void rows_may_be_cut_anywhere(void **state)
{
	struct ref_random rnd = { 5 };
	uint32_t part, t;

	for (t = 0; t < TYPES; t++) {
		struct problem p = problem_make(&rnd, types[t], 23, 90, 96, QUILL_BLOCK, true);

		for (part = 1; part <= 23; part++)
			check(&p, part);
		problem_free(&p);
	}
}

/* ---- Limits ---- */

static void longest_k_of_extremes_is_exact_in_its_blocks(void **state)
{
	static const int8_t pairs[][2] = { { -128, -128 }, { -128, 127 }, { 127, -128 }, { 127, 127 } };
	const uint32_t k = QUILL_GEMM_MAX_K;
	struct ref_random rnd = { 6 };
	unsigned int i, t;
	uint32_t j, m;

	for (t = 0; t < TYPES; t++) {
		for (m = 1; m < 10; m += 8) {
			uint32_t group = types[t] == QUILL_TYPE_S4 ? k : QUILL_BLOCK;
			struct problem p = problem_make(&rnd, types[t], m, 17, k, group, true);

			for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
				memset((void *)p.g.a, pairs[i][0], p.a_size);
				memset((void *)p.g.b, pairs[i][1], p.b_size);
				for (j = 0; t < 2 && j < p.g.n; j++)
					random_blocks(&rnd, (uint8_t *)p.g.b + j * p.g.ldb,
						      k / QUILL_BLOCK * (t ? 18 : 34), types[t]);
				check(&p, m);
			}
			problem_free(&p);
		}
	}
}

/* ---- Floats ---- */

static void every_float16_is_a_scale(void **state)
{
	struct ref_random rnd = { 7 };
	uint32_t bits, t, i, m;

	for (t = 0; t < 2; t++) {
		for (m = 1; m < 14; m += 12) {
			struct problem p = problem_make(&rnd, types[t], m, 64, QUILL_BLOCK,
							QUILL_BLOCK, false);

			for (bits = 0; bits < 65536; bits += p.g.n) {
				for (i = 0; i < p.g.n; i++) {
					uint16_t d = (uint16_t)(bits + i);

					memcpy((uint8_t *)p.g.b + i * p.g.ldb, &d, sizeof(d));
				}
				check(&p, m);
			}
			problem_free(&p);
		}
	}
}

static void odd_scales_store_what_the_isa_says(void **state)
{
	static const uint32_t odd[] = {
		0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001, 0x00000001,
		0x80000001, 0x80000000, 0x7f7fffff, 0x00000000,
	};
	const uint32_t count = sizeof(odd) / sizeof(odd[0]);
	struct ref_random rnd = { 8 };
	uint32_t t, i;

	for (t = 0; t < TYPES; t++) {
		struct problem p = problem_make(&rnd, types[t], count, 64, 64, QUILL_BLOCK, true);

		memset((void *)p.g.a, 0, 33);
		for (i = 0; i < p.as_size / 4; i++)
			memcpy((float *)p.g.a_scale + i, &odd[ref_random_below(&rnd, count)], 4);
		for (i = 0; i < p.bs_size / 4; i += 5)
			memcpy((float *)p.g.b_scale + i, &odd[ref_random_below(&rnd, count)], 4);
		for (i = 1; i <= count; i++)
			check(&p, i);
		problem_free(&p);
	}
}

/* Each with and without; ends of the arrays fault. */
static void bias_and_scales_in_every_combination(void **state)
{
	struct ref_random rnd = { 10 };
	uint32_t mode, i, m, n = 83;

	for (mode = 0; mode < 8; mode++) {
		for (m = 1; m < 14; m += 4) {
			struct problem p = problem_make(&rnd, types[mode % TYPES], m, n, 64,
							QUILL_BLOCK, true);
			float *bias = guard_alloc(n * 4), *scale = guard_alloc(n * 4);
			float *row_scale = guard_alloc(m * 4);

			for (i = 0; i < n; i++) {
				bias[i] = ref_random_float(&rnd, -9, 9);
				scale[i] = ref_random_float(&rnd, -2, 2);
			}
			for (i = 0; i < m; i++)
				row_scale[i] = ref_random_float(&rnd, -2, 2);
			p.g.out.bias = mode & 1 ? bias : NULL;
			p.g.out.scale = mode & 2 ? scale : NULL;
			p.g.out.row_scale = mode & 4 ? row_scale : NULL;
			check(&p, m);
			guard_free(bias, n * 4);
			guard_free(scale, n * 4);
			guard_free(row_scale, m * 4);
			problem_free(&p);
		}
	}
}

/* ---- The outside check ---- */

static void results_are_near_the_exact_ones(void **state)
{
	const double u = 0x1p-24;
	struct ref_random rnd = { 9 };
	uint32_t t, m, n;

	for (t = 0; t < TYPES; t++) {
		struct problem p = problem_make(&rnd, types[t], 9, 70, 4096, QUILL_BLOCK, true);
		double worst = 0, most = 0, exact, size, bound, error;

		engine_run(quill_engine_get(NULL), &p, 9);
		for (m = 0; m < p.g.m; m++) {
			for (n = 0; n < p.g.n; n++) {
				exact = exact_gemm_block(&p.g, m, n, &size);
				/* the product of scales, and an addition for each block */
				bound = 1.001 * (4096 / QUILL_BLOCK + 1) * u * size;
				error = fabs(p.g.out.d[m * p.g.out.ldd + n] - exact);
				worst = fmax(worst, error / bound);
				most = fmax(most, error / (u * size));
			}
		}
		print_message("type %u, K 4096: error at most %.3f u times the terms' magnitudes, %.4f of the bound\n",
			      types[t], most, worst);
		assert_true(worst <= 1.0 && worst > 0.001);
		problem_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_m_times_odd_n),
		cmocka_unit_test(all_n_to_130),
		cmocka_unit_test(all_blocks_to_70),
		cmocka_unit_test(groups_of_s4_of_any_size),
		cmocka_unit_test(rows_may_be_cut_anywhere),
		cmocka_unit_test(longest_k_of_extremes_is_exact_in_its_blocks),
		cmocka_unit_test(every_float16_is_a_scale),
		cmocka_unit_test(odd_scales_store_what_the_isa_says),
		cmocka_unit_test(bias_and_scales_in_every_combination),
		cmocka_unit_test(results_are_near_the_exact_ones),
	};

	return cmocka_run_group_tests_name("engine: GEMM with block weights", tests, NULL, NULL);
}
