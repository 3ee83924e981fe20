// SPDX-License-Identifier: MIT
/*
 * GEMM with a third and a fourth record through the whole device, where tests/vectors are too small: rows that do not fit
 * the buffers at once, batches of small and of large products, on several threads; and the faults of what is read beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"
#include "ref.h"
#include "ref_block.h"
#include "ref_gemm_post.h"

struct rig {
	struct quill_host *h;
	uint32_t as;
	struct qh_stream s;
	struct ref_random rnd;
};

static const struct quill_host_config configs[] = {
	{ .emu.threads = 1 },
	{ .emu.threads = 3 },
	{ .emu.threads = 2, .scatter = true },
};

#define CONFIGS	(sizeof(configs) / sizeof(configs[0]))

static void open_rig(struct rig *r, const struct quill_host_config *config)
{
	memset(r, 0, sizeof(*r));
	r->h = qh_create(config);
	r->as = qh_as_create(r->h);
	r->rnd.state = 99;
	assert_int_equal(qh_queue_create(r->h, 0, r->as, QUILL_FW_PRIORITY_MEDIUM, 8), 0);
	qh_stream_init(&r->s, r->h, r->as, 32);
}

static void close_rig(struct rig *r)
{
	assert_int_equal(qh_dma_maps(r->h), 0);
	qh_destroy(r->h);
}

static struct qh_buf *random_s8(struct rig *r, size_t size)
{
	struct qh_buf *b = qh_alloc(r->h, r->as, size, QH_RW);

	ref_random_s8(&r->rnd, (int8_t *)b->ptr, size);
	return b;
}

static struct qh_buf *random_f32(struct rig *r, size_t n)
{
	struct qh_buf *b = qh_alloc(r->h, r->as, n * 4, QH_RW);
	size_t i;

	for (i = 0; i < n; i++)
		((float *)b->ptr)[i] = ref_random_float(&r->rnd, -0.1f, 0.1f);
	return b;
}

/*
 * A product with B in rows, no scale but that of columns, silu and a residual; @type_d: F32, or S8 by row or by scales
 * that are given: QUILL_GEMM_SCALE_COLUMNS or _TENSOR.
 */
struct problem {
	uint32_t m, n, k, batch, type_d, given;
	struct qh_buf *a, *b, *d, *scale, *residual, *d_scale;
	union quill_cmd *cmd;
};

static void encode(struct rig *r, struct problem *p)
{
	size_t size = quill_type_size(p->type_d), cells = (size_t)p->m * p->n;

	p->a = random_s8(r, (size_t)p->batch * p->m * p->k);
	p->b = random_s8(r, (size_t)p->batch * p->n * p->k);
	p->d = qh_alloc(r->h, r->as, p->batch * cells * size, QH_RW);
	p->scale = random_f32(r, p->n);
	p->residual = random_f32(r, p->batch * cells);
	if (p->given)
		p->d_scale = random_f32(r, p->n);
	else
		p->d_scale = qh_alloc(r->h, r->as, (size_t)p->batch * p->m * 4, QH_RW);
	p->cmd = qh_gemm(&r->s, p->a->va, p->b->va, p->d->va, p->m, p->n, p->k);
	qh_cmd(&r->s, QUILL_OP_EXT);
	qh_cmd(&r->s, QUILL_OP_EXT);
	p->cmd->hdr.ext = 3;
	p->cmd->hdr.type_d = (uint8_t)p->type_d;
	p->cmd->gemm.ldb = p->n;
	p->cmd[1].gemm_ext.scale = p->scale->va;
	p->cmd[2].gemm_post.act = QUILL_ACT_SILU + 1;
	p->cmd[2].gemm_post.residual = p->residual->va;
	p->cmd[2].gemm_post.residual_stride = p->n;
	p->cmd[2].gemm_post.options = QUILL_GEMM_B_ROWS | p->given;
	p->cmd[1].gemm_ext.zero = p->given ? -1 : 0;
	p->cmd[1].gemm_ext.lo = p->given ? -128 : 0;
	p->cmd[1].gemm_ext.hi = p->given ? 120 : 0;
	p->cmd[2].gemm_post.d_scale = p->type_d == QUILL_TYPE_S8 ? p->d_scale->va : 0;
	p->cmd[3].gemm_batch.batch = p->batch;
	p->cmd[3].gemm_batch.a_step = (uint64_t)p->m * p->k;
	p->cmd[3].gemm_batch.b_step = (uint64_t)p->n * p->k;
	p->cmd[3].gemm_batch.d_step = cells * size;
	p->cmd[3].gemm_batch.residual_step = cells * 4;
}

static void check_product(const struct problem *p, uint32_t i)
{
	size_t cells = (size_t)p->m * p->n, size = cells * quill_type_size(p->type_d);
	float *y = malloc(cells * 4), *scale = malloc(p->m * 4);
	void *want = malloc(size);

	ref_gemm(&(struct ref_gemm){
		.m = p->m, .n = p->n, .k = p->k, .lda = p->k, .type_d = QUILL_TYPE_F32, .ldd = p->n,
		.a = (int8_t *)p->a->ptr + (size_t)i * p->m * p->k,
		.b = (int8_t *)p->b->ptr + (size_t)i * p->n * p->k,
		.d = y, .scale = (float *)p->scale->ptr,
	});
	ref_gemm_post(&(struct ref_gemm_post){
		.m = p->m, .n = p->n, .act = QUILL_ACT_SILU + 1,
		.residual = (float *)p->residual->ptr + i * cells, .residual_stride = p->n,
		.type_d = p->type_d, .d = want, .ldd = p->n, .d_scale = scale,
		.given = p->given ? (float *)p->d_scale->ptr : NULL,
		.given_one = p->given == QUILL_GEMM_SCALE_TENSOR, .zero = -1, .lo = -128, .hi = 120,
	}, y);
	assert_memory_equal(p->d->ptr + i * size, want, size);
	if (p->type_d == QUILL_TYPE_S8 && !p->given)
		assert_memory_equal(p->d_scale->ptr + (size_t)i * p->m * 4, scale, p->m * 4);
	free(y);
	free(scale);
	free(want);
}

static void check(struct rig *r, uint32_t m, uint32_t n, uint32_t k, uint32_t batch, uint32_t type_d,
		  uint32_t given)
{
	struct problem p = {
		.m = m, .n = n, .k = k, .batch = batch, .type_d = type_d, .given = given,
	};
	struct quill_job_cpl cpl;
	uint32_t i;

	encode(r, &p);
	cpl = qh_run(r->h, 0, &r->s);
	r->s.count = 0;
	if (cpl.status)
		fail_msg("fault %u at %#llx, expected 0", cpl.status, (unsigned long long)cpl.address);
	for (i = 0; i < batch; i++)
		check_product(&p, i);
}

static void batches_of_small_and_of_large_products_equal_the_reference(void **state)
{
	unsigned int c;
	struct rig r;

	for (c = 0; c < CONFIGS; c++) {
		open_rig(&r, &configs[c]);
		check(&r, 5, 70, 33, 40, QUILL_TYPE_F32, 0);
		check(&r, 5, 70, 33, 40, QUILL_TYPE_S8, 0);
		check(&r, 5, 70, 33, 40, QUILL_TYPE_S8, QUILL_GEMM_SCALE_COLUMNS);
		/* over 2^24 multiply-adds each: one after the other, each by all threads */
		check(&r, 130, 200, 700, 2, QUILL_TYPE_F32, 0);
		check(&r, 130, 200, 700, 2, QUILL_TYPE_S8, 0);
		check(&r, 130, 200, 700, 2, QUILL_TYPE_S8, QUILL_GEMM_SCALE_COLUMNS);
		check(&r, 130, 200, 700, 2, QUILL_TYPE_S8, QUILL_GEMM_SCALE_TENSOR);
		close_rig(&r);
	}
}

/* 8 MiB hold 20 rows of 100000 floats. */
static void rows_that_are_quantised_need_not_fit_the_buffer_at_once(void **state)
{
	struct rig r;

	open_rig(&r, &configs[1]);
	check(&r, 50, 100000, 3, 1, QUILL_TYPE_S8, 0);
	close_rig(&r);
}

/* ---- A residual of int8 ---- */

/* B in rows; @in_place: the residual is where D will be. */
static void check_residual_s8(struct rig *r, bool in_place)
{
	const uint32_t m = 300, n = 200, k = 70, ldd = n + 1;
	struct qh_buf *a = random_s8(r, m * k), *b = random_s8(r, n * k), *d = random_s8(r, m * ldd);
	struct qh_buf *residual = in_place ? d : random_s8(r, m * ldd);
	struct qh_buf *requant = qh_alloc(r->h, r->as, n * sizeof(struct quill_requant), QH_RW);
	struct qh_buf *bias = random_s8(r, n * 4), *mult = random_s8(r, n * 4);
	union quill_cmd *cmd = qh_gemm(&r->s, a->va, b->va, d->va, m, n, k);
	int8_t *want = malloc(m * ldd);
	uint32_t i;

	for (i = 0; i < n; i++) {
		((struct quill_requant *)requant->ptr)[i] = (struct quill_requant){ 1 << 14, 24 };
		((int32_t *)bias->ptr)[i] >>= 16;
		((int32_t *)mult->ptr)[i] >>= 7;
	}
	memcpy(want, d->ptr, m * ldd);
	ref_gemm(&(struct ref_gemm){
		.m = m, .n = n, .k = k, .lda = k, .ldd = ldd, .type_d = QUILL_TYPE_S8,
		.a = (int8_t *)a->ptr, .b = (int8_t *)b->ptr, .d = want, .bias = bias->ptr,
		.requant = (struct quill_requant *)requant->ptr, .zero = 5, .lo = 5, .hi = 127,
		.residual_s8 = (int8_t *)residual->ptr, .residual_stride = ldd, .residual_zero = -9,
		.residual_mult = (int32_t *)mult->ptr,
	});
	qh_cmd(&r->s, QUILL_OP_EXT);
	cmd->hdr.ext = 2;
	cmd->hdr.type_d = QUILL_TYPE_S8;
	cmd->gemm.ldb = n;
	cmd->gemm.ldd = ldd;
	cmd[1].gemm_ext.bias = bias->va;
	cmd[1].gemm_ext.scale = requant->va;
	cmd[1].gemm_ext.zero = cmd[1].gemm_ext.lo = 5;
	cmd[1].gemm_ext.hi = 127;
	cmd[1].gemm_ext.residual_zero = -9;
	cmd[2].gemm_post.options = QUILL_GEMM_B_ROWS;
	cmd[2].gemm_post.residual = residual->va;
	cmd[2].gemm_post.residual_stride = ldd;
	cmd[2].gemm_post.residual_mult = mult->va;
	assert_int_equal(qh_run(r->h, 0, &r->s).status, 0);
	r->s.count = 0;
	assert_memory_equal(d->ptr, want, m * ldd);
	free(want);
}

static void a_residual_of_int8_is_added_before_the_rounding(void **state)
{
	unsigned int c;
	struct rig r;

	for (c = 0; c < CONFIGS; c++) {
		open_rig(&r, &configs[c]);
		check_residual_s8(&r, false);
		check_residual_s8(&r, true);
		close_rig(&r);
	}
}

/* ---- Operands as others store them ---- */

/* Numbers that are no NaN. */
static struct qh_buf *random_numbers(struct rig *r, uint32_t type, size_t count)
{
	size_t size = quill_type_size(type), i;
	struct qh_buf *b = qh_alloc(r->h, r->as, count * size, QH_RW);
	uint32_t x;

	for (i = 0; i < count; i++) {
		x = ref_narrow(type, ref_random_float(&r->rnd, -2, 2), false);
		memcpy(b->ptr + i * size, &x, size);
	}
	return b;
}

/* @from as columns; columns @gap apart from end to beginning. */
static struct qh_buf *turned(struct rig *r, const struct qh_buf *from, uint32_t size, uint32_t rows,
			     uint32_t cols, uint32_t gap)
{
	struct qh_buf *b = qh_alloc(r->h, r->as, (size_t)cols * (rows + gap) * size, QH_RW);
	uint32_t i, j;

	for (i = 0; i < rows; i++)
		for (j = 0; j < cols; j++)
			memcpy(b->ptr + ((size_t)j * (rows + gap) + i) * size,
			       from->ptr + ((size_t)i * cols + j) * size, size);
	return b;
}

/* The product of packed operands, which test_exec_weights holds against the reference, is that of others. */
static void check_layouts(struct rig *r, uint32_t type_a, uint32_t type_b)
{
	const uint32_t m = 100, n = 200, k = 3001, size_b = quill_type_size(type_b);
	struct qh_buf *a = random_numbers(r, type_a, m * k), *b = random_numbers(r, type_b, n * k);
	struct qh_buf *a_turned = turned(r, a, quill_type_size(type_a), m, k, 3);
	struct qh_buf *b_turned = turned(r, b, size_b, n, k, 5);
	struct qh_buf *packed = qh_alloc(r->h, r->as, quill_packed_size_of(type_b, n, k), QH_RW);
	struct qh_buf *want = qh_alloc(r->h, r->as, m * n * 4, QH_RW);
	struct qh_buf *d = qh_alloc(r->h, r->as, m * n * 4, QH_RW);
	union quill_cmd *cmd;
	uint32_t way;

	ref_pack_float(b->ptr, k, type_b, n, k, 0x7f, packed->ptr);
	for (way = 0; way < 4; way++) {
		cmd = qh_gemm(&r->s, way & 1 ? a_turned->va : a->va, packed->va,
			      way ? d->va : want->va, m, n, k);
		cmd->hdr.type_a = (uint8_t)type_a;
		cmd->hdr.type_b = (uint8_t)type_b;
		cmd->hdr.type_d = QUILL_TYPE_F32;
		cmd->gemm.lda = way & 1 ? m + 3 : k;
		qh_cmd(&r->s, QUILL_OP_EXT);
		cmd->hdr.ext = 2;
		cmd[2].gemm_post.options = way & 1 ? QUILL_GEMM_A_TRANSPOSED : 0;
		if (way) {
			cmd->gemm.b = way & 2 ? b_turned->va : b->va;
			cmd->gemm.ldb = way & 2 ? n + 5 : k;
			cmd[2].gemm_post.options |= way & 2 ? QUILL_GEMM_B_ROWS : QUILL_GEMM_B_COLUMNS;
		}
		assert_int_equal(qh_run(r->h, 0, &r->s).status, 0);
		r->s.count = 0;
		if (way && memcmp(d->ptr, want->ptr, m * n * 4))
			fail_msg("types %u and %u, layout %u differs from packed", type_a, type_b, way);
		memset(d->ptr, 0x77, m * n * 4);
	}
}

static void operands_as_others_store_them_give_what_packed_ones_do(void **state)
{
	static const uint32_t types[] = { QUILL_TYPE_BF16, QUILL_TYPE_E4M3, QUILL_TYPE_E5M2 };
	unsigned int c, i;
	struct rig r;

	for (c = 0; c < CONFIGS; c++) {
		open_rig(&r, &configs[c]);
		for (i = 0; i < 3; i++) {
			check_layouts(&r, types[i], types[i]);
			check_layouts(&r, types[i], types[(i + 1) % 3]);
		}
		close_rig(&r);
	}
}

static void what_is_read_beside_faults_where_it_cannot_be(void **state)
{
	struct problem p = { .m = 4, .n = 70, .k = 9, .batch = 1, .type_d = QUILL_TYPE_F32 };
	struct quill_job_cpl cpl;
	struct qh_buf *out;
	struct rig r;

	open_rig(&r, &configs[0]);
	encode(&r, &p);
	p.cmd[2].gemm_post.residual = 0x7f0000000000;
	cpl = qh_run(r.h, 0, &r.s);
	assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(cpl.address, 0x7f0000000000);

	r.s.count = 0;
	encode(&r, &p);
	p.cmd[2].gemm_post.gate = 0x7f0000000000;
	p.cmd[2].gemm_post.gate_stride = p.n;
	cpl = qh_run(r.h, 0, &r.s);
	assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(cpl.address, 0x7f0000000000);

	r.s.count = 0;
	p.type_d = QUILL_TYPE_S8;
	p.given = QUILL_GEMM_SCALE_COLUMNS;
	encode(&r, &p);
	p.cmd[2].gemm_post.d_scale = 0x7f0000000000;
	cpl = qh_run(r.h, 0, &r.s);
	assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(cpl.address, 0x7f0000000000);
	p.type_d = QUILL_TYPE_F32;
	p.given = 0;

	/* D that may be written only is no operand to add to */
	r.s.count = 0;
	out = qh_alloc(r.h, r.as, (size_t)p.m * p.n * 4, QH_W);
	encode(&r, &p);
	p.cmd[0].gemm.d = out->va;
	p.cmd[2].gemm_post.residual = p.cmd[2].gemm_post.residual_stride = 0;
	p.cmd[3].gemm_batch.residual_step = 0;
	p.cmd[2].gemm_post.options |= QUILL_GEMM_ACCUMULATE;
	cpl = qh_run(r.h, 0, &r.s);
	assert_int_equal(cpl.status, QUILL_FAULT_READ_PERM);
	assert_int_equal(cpl.address, out->va);
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_of_small_and_of_large_products_equal_the_reference),
		cmocka_unit_test(rows_that_are_quantised_need_not_fit_the_buffer_at_once),
		cmocka_unit_test(a_residual_of_int8_is_added_before_the_rounding),
		cmocka_unit_test(operands_as_others_store_them_give_what_packed_ones_do),
		cmocka_unit_test(what_is_read_beside_faults_where_it_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
