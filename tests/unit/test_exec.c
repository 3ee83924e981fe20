// SPDX-License-Identifier: MIT
/*
 * Commands through the whole device (firmware, issue port, tiles, threads, views) against the reference,
 * to the bit, wherever the operands lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"
#include "ref.h"

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
	{ .emu.threads = 5, .map_limit = 1001 },
};

static void open_rig(struct rig *r, const struct quill_host_config *config)
{
	memset(r, 0, sizeof(*r));
	r->h = qh_create(config);
	r->as = qh_as_create(r->h);
	r->rnd.state = 4711;
	assert_int_equal(qh_queue_create(r->h, 0, r->as, QUILL_FW_PRIORITY_MEDIUM, 8), 0);
	qh_stream_init(&r->s, r->h, r->as, 32);
}

static void close_rig(struct rig *r)
{
	assert_int_equal(qh_dma_maps(r->h), 0);
	assert_int_equal(qh_read(r->h, QUILL_REG_RESET_COUNT), 0);
	qh_destroy(r->h);
}

static struct quill_job_cpl run(struct rig *r)
{
	struct quill_job_cpl cpl = qh_run(r->h, 0, &r->s);

	r->s.count = 0;
	return cpl;
}

static struct qh_buf *buf(struct rig *r, size_t size)
{
	return qh_alloc(r->h, r->as, size, QH_RW);
}

static struct qh_buf *random_s8(struct rig *r, size_t size)
{
	struct qh_buf *b = buf(r, size);

	ref_random_s8(&r->rnd, (int8_t *)b->ptr, size);
	return b;
}

static struct qh_buf *random_f32(struct rig *r, size_t n, float lo, float hi)
{
	struct qh_buf *b = buf(r, n * 4);
	size_t i;

	for (i = 0; i < n; i++)
		((float *)b->ptr)[i] = ref_random_float(&r->rnd, lo, hi);
	return b;
}

/* ---- GEMM ---- */

struct shape {
	uint32_t m, n, k, lda, ldd;
};

/* Encode a GEMM of @s with all of the epilogue that @type has; fill in the reference's description. */
static struct qh_buf *encode_gemm(struct rig *r, const struct shape *s, uint32_t type,
				  struct ref_gemm *g, uint64_t at)
{
	struct qh_buf *a = random_s8(r, (size_t)s->m * s->lda);
	struct qh_buf *b = buf(r, quill_packed_size(s->n, s->k));
	struct qh_buf *bias = random_s8(r, (size_t)s->n * 4), *d, *scale;
	int8_t *plain = malloc((size_t)s->n * s->k);
	uint32_t size = quill_type_size(type), i;
	union quill_cmd *c;

	ref_random_s8(&r->rnd, plain, (size_t)s->n * s->k);
	ref_pack(plain, s->n, s->k, 0x5a, b->ptr);
	d = buf(r, (size_t)s->m * s->ldd * size + 64);
	memset(d->ptr, 0x77, d->size);
	*g = (struct ref_gemm){
		.m = s->m, .n = s->n, .k = s->k, .a = (int8_t *)a->ptr, .lda = s->lda, .b = plain,
		.type_d = type, .ldd = s->ldd, .bias = bias->ptr,
	};
	c = qh_gemm(&r->s, a->va, b->va, at ? at : d->va, s->m, s->n, s->k);
	c[0].gemm.lda = s->lda;
	c[0].gemm.ldd = s->ldd;
	c[0].hdr.type_d = type;
	c[1].gemm_ext.bias = bias->va;
	if (type == QUILL_TYPE_S8) {
		struct quill_requant *table;

		scale = buf(r, (size_t)s->n * sizeof(*table));
		table = (struct quill_requant *)scale->ptr;
		for (i = 0; i < s->n; i++) {
			table[i].mult = ref_random(&r->rnd) >> 1;
			table[i].shift = 30 + ref_random_below(&r->rnd, 20);
		}
		g->requant = table;
		g->zero = c[1].gemm_ext.zero = -3;
		g->lo = c[1].gemm_ext.lo = -120;
		g->hi = c[1].gemm_ext.hi = 127;
		c[1].gemm_ext.scale = scale->va;
	} else if (type == QUILL_TYPE_F32) {
		struct qh_buf *rows = random_f32(r, s->m, 0, 2);

		for (i = 0; i < s->n; i++)
			((float *)bias->ptr)[i] = ref_random_float(&r->rnd, -9, 9);
		scale = random_f32(r, s->n, -1, 1);
		g->scale = (float *)scale->ptr;
		g->row_scale = (float *)rows->ptr;
		c[1].gemm_ext.scale = scale->va;
		c[1].gemm_ext.row_scale = rows->va;
	}
	return d;
}

static void check_gemm(struct rig *r, const struct shape *s, uint32_t type)
{
	struct quill_job_cpl cpl;
	struct qh_buf *d;
	struct ref_gemm g;
	uint8_t *want;

	d = encode_gemm(r, s, type, &g, 0);
	want = malloc(d->size);
	memset(want, 0x77, d->size);
	g.d = want;
	ref_gemm(&g);
	cpl = run(r);
	assert_int_equal(cpl.status, 0);
	if (memcmp(d->ptr, want, d->size))
		fail_msg("GEMM %ux%ux%u type %u differs from the reference", s->m, s->n, s->k,
			 type);
	free(want);
	free((void *)g.b);
}

static void gemm_equals_the_reference_wherever_operands_lie(void **state)
{
	const struct shape shapes[] = {
		{ 1, 1, 1, 1, 1 },
		{ 1, 65, 4099, 4099, 65 },
		{ 7, 200, 33, 40, 210 },
		{ 70, 130, 300, 5000, 2000 },	/* rows of A and D on pages of their own */
		{ 200, 64, 1024, 1024, 64 },
		{ 1100, 5, 17, 17, 5 },		/* more than one block of rows */
		{ 33, 1000, 512, 512, 1003 },
	};
	const uint32_t types[] = { QUILL_TYPE_S32, QUILL_TYPE_S8, QUILL_TYPE_F32 };
	unsigned int c, i, t;
	struct rig r;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
			for (t = 0; t < 3; t++)
				check_gemm(&r, &shapes[i], types[t]);
		close_rig(&r);
	}
}

static void gemm_of_more_rows_than_are_prepared_at_once(void **state)
{
	const struct shape s = { 600, 3, 32768, 32768, 3 };
	struct rig r;

	open_rig(&r, &configs[1]);
	check_gemm(&r, &s, QUILL_TYPE_S32);
	close_rig(&r);
}

static void gemm_into_sram_and_device_memory(void **state)
{
	const struct shape s = { 20, 100, 64, 64, 100 };
	const uint64_t window = 0x700000000ull;
	struct quill_job_cpl cpl;
	struct ref_gemm g;
	struct qh_buf *d;
	struct rig r;
	uint8_t *want;

	open_rig(&r, &configs[2]);
	want = malloc(100 * 20 * 4);
	qh_map(r.h, r.as, window, 0x4000, 0x4000, QH_RW | QUILL_PTE_DEVMEM);
	d = encode_gemm(&r, &s, QUILL_TYPE_S32, &g, QUILL_VA_SRAM + 4);
	qh_copy(&r.s, window + 8, QUILL_VA_SRAM + 4, 100 * 20 * 4)->hdr.flags = QUILL_CMD_ORDERED;
	qh_copy(&r.s, d->va, window + 8, 100 * 20 * 4)->hdr.flags = QUILL_CMD_ORDERED;
	cpl = run(&r);
	assert_int_equal(cpl.status, 0);
	g.d = want;
	ref_gemm(&g);
	assert_memory_equal(d->ptr, want, 100 * 20 * 4);
	assert_memory_equal((uint8_t *)quill_emu_mem(qh_emu(r.h)) + 0x4008, want, 100 * 20 * 4);
	free((void *)g.b);
	free(want);
	close_rig(&r);
}

/* Where the command faults, and that nothing outside of D's elements has changed. */
static void expect_gemm_fault(struct rig *r, const struct qh_buf *d, const struct shape *s,
			      uint32_t size, uint32_t fault, uint64_t addr)
{
	struct quill_job_cpl cpl = run(r);
	size_t i, row = (size_t)s->ldd * size;

	assert_int_equal(cpl.status, fault);
	assert_true(cpl.address == addr);
	for (i = 0; i < d->size; i++)
		if (i >= s->m * row || i % row >= (size_t)s->n * size)
			assert_int_equal(d->ptr[i], 0x77);
}

static void bad_requant_entry_faults_at_its_address(void **state)
{
	const struct shape s = { 40, 300, 700, 700, 333 };
	const struct quill_requant bad[] = { { -1, 0 }, { 1, -1 }, { 1, 63 }, { INT32_MIN, 5 } };
	struct ref_gemm g;
	struct qh_buf *d;
	unsigned int i;
	struct rig r;

	open_rig(&r, &configs[1]);
	for (i = 0; i < 4; i++) {
		d = encode_gemm(&r, &s, QUILL_TYPE_S8, &g, 0);
		/* two of them: the first counts, whichever thread finds which */
		((struct quill_requant *)(uintptr_t)g.requant)[250] = bad[i];
		((struct quill_requant *)(uintptr_t)g.requant)[290] = bad[i];
		expect_gemm_fault(&r, d, &s, 1, QUILL_FAULT_PARAM,
				  r.s.cmd[1].gemm_ext.scale + 250 * 8);
		free((void *)g.b);
	}
	close_rig(&r);
}

static void unmapped_operands_fault_at_the_first_bad_byte(void **state)
{
	const struct shape s = { 64, 640, 1024, 1024, 640 };
	struct ref_gemm g;
	struct qh_buf *d;
	struct rig r;
	unsigned int c;
	uint64_t va;

	for (c = 1; c < 3; c++) {
		open_rig(&r, &configs[c]);
		d = encode_gemm(&r, &s, QUILL_TYPE_S32, &g, 0);
		va = r.s.cmd[0].gemm.b + 5 * quill_packed_panel(1024) + 8192;
		*qh_pte(r.h, r.as, va) = 0;
		expect_gemm_fault(&r, d, &s, 4, QUILL_FAULT_UNMAPPED, va);
		free((void *)g.b);

		d = encode_gemm(&r, &s, QUILL_TYPE_S32, &g, 0);
		va = r.s.cmd[0].gemm.a + 3 * 4096;
		*qh_pte(r.h, r.as, va) = 0;
		expect_gemm_fault(&r, d, &s, 4, QUILL_FAULT_UNMAPPED, va);
		free((void *)g.b);

		d = encode_gemm(&r, &s, QUILL_TYPE_S32, &g, 0);
		va = d->va + 4096;
		*qh_pte(r.h, r.as, va) &= ~QUILL_PTE_WRITE;
		qh_invalidate(r.h, r.as);
		assert_int_equal(run(&r).status, QUILL_FAULT_WRITE_PERM);
		assert_int_equal(d->ptr[4096], 0x77);
		free((void *)g.b);
		close_rig(&r);
	}
}

/* ---- the pool ---- */

struct race {
	uint64_t last;		/* the tile that fails last */
	_Atomic bool started[2], failed[2];
};

static void wait_for(_Atomic bool *flag)
{
	unsigned int tries;

	/* in vain where nobody came to help: then the test fails, but ends */
	for (tries = 0; !atomic_load(flag) && tries < 20000; tries++)
		usleep(100);
}

static uint32_t racing_fault(void *arg, struct dma_ctx *ctx, uint64_t index,
			     struct dma_fault *fault)
{
	struct race *race = arg;

	atomic_store(&race->started[index], true);
	wait_for(&race->started[!index]);
	if (index == race->last) {
		wait_for(&race->failed[!index]);
		/* for the other to be written down */
		usleep(20000);
	}
	atomic_store(&race->failed[index], true);
	return dma_fail(fault, QUILL_FAULT_PARAM, QUILL_ACCESS_READ, index);
}

static void fault_of_the_first_tile_counts_whichever_comes_first(void **state)
{
	_Atomic bool abort = false;
	struct dma_fault fault;
	struct dma_ctx *ctx;
	struct rig r;
	uint64_t last;

	open_rig(&r, &configs[1]);
	ctx = dma_ctx_new(qh_emu(r.h));
	for (last = 0; last < 2; last++) {
		struct race race = { .last = last };
		struct pool_job job = {
			.tile = racing_fault, .arg = &race, .tiles = 2, .abort = &abort,
		};

		fault = (struct dma_fault){ .addr = 99 };
		assert_int_equal(pool_run(qh_emu(r.h)->pool, &job, ctx, true, &fault),
				 QUILL_FAULT_PARAM);
		assert_true(atomic_load(&race.failed[0]) && atomic_load(&race.failed[1]));
		assert_int_equal(fault.addr, 0);
	}
	close_rig(&r);
}

/* ---- ATTENTION ---- */

static void check_attention(struct rig *r, struct ref_attention *t, bool causal)
{
	size_t q_rows = t->q_stride / t->head_dim, kv_rows = t->kv_stride / t->head_dim;
	size_t kv_size, kv_scales, out_size;
	struct qh_buf *q, *k, *v, *out, *qs, *ks, *vs;
	float *want;

	kv_size = (t->n_kv - 1) * t->kv_stride + (t->n_kv_heads - 1) * t->kv_head_stride +
		  t->head_dim;
	kv_scales = (t->n_kv - 1) * kv_rows +
		    (t->n_kv_heads - 1) * (t->kv_head_stride / t->head_dim) + 1;
	out_size = t->n_q * t->out_stride;
	q = random_s8(r, t->n_q * t->q_stride);
	k = random_s8(r, kv_size);
	v = random_s8(r, kv_size);
	qs = random_f32(r, t->n_q * q_rows, 0.001f, 0.02f);
	ks = random_f32(r, kv_scales, 0.001f, 0.02f);
	vs = random_f32(r, kv_scales, 0.001f, 0.02f);
	out = buf(r, out_size * 4);
	want = malloc(out_size * 4);
	memset(out->ptr, 0x77, out_size * 4);
	memset(want, 0x77, out_size * 4);

	t->q = (int8_t *)q->ptr, t->k = (int8_t *)k->ptr, t->v = (int8_t *)v->ptr;
	t->q_scale = (float *)qs->ptr, t->k_scale = (float *)ks->ptr;
	t->v_scale = (float *)vs->ptr;
	t->out = want;
	t->causal = causal;
	t->softmax_scale = 0.125f;
	ref_attention(t);
	qh_attention(&r->s, &(struct qh_attention){
		.q = q->va, .k = k->va, .v = v->va, .out = out->va, .q_scale = qs->va,
		.k_scale = ks->va, .v_scale = vs->va, .n_q = t->n_q, .n_kv = t->n_kv,
		.n_heads = t->n_heads, .n_kv_heads = t->n_kv_heads, .head_dim = t->head_dim,
		.q_stride = t->q_stride, .out_stride = t->out_stride, .kv_stride = t->kv_stride,
		.kv_head_stride = t->kv_head_stride, .softmax_scale = 0.125f, .causal = causal,
	});
	assert_int_equal(run(r).status, 0);
	if (memcmp(out->ptr, want, out_size * 4))
		fail_msg("ATTENTION %u queries, %u keys, %u/%u heads of %u differs", t->n_q,
			 t->n_kv, t->n_heads, t->n_kv_heads, t->head_dim);
	free(want);
}

static void attention_equals_the_reference_wherever_operands_lie(void **state)
{
	/* n_q, n_kv, heads, kv heads, dim, then strides: of Q, of out, of keys, of heads of keys */
	const uint32_t shapes[][9] = {
		{ 1, 1, 1, 1, 16, 16, 16, 16, 16 },
		{ 1, 300, 8, 2, 64, 512, 512, 128, 64 },	/* [key][head][dim] */
		{ 70, 100, 4, 4, 32, 160, 130, 32, 3200 },	/* [head][key][dim] */
		{ 33, 33, 6, 1, 48, 4800, 5000, 9600, 48 },	/* rows far apart */
		{ 5, 129, 2, 2, 256, 512, 512, 512, 256 },
	};
	unsigned int c, i, causal;
	struct rig r;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
			for (causal = 0; causal < 2; causal++) {
				const uint32_t *s = shapes[i];
				struct ref_attention t = {
					.n_q = s[0], .n_kv = s[1], .n_heads = s[2],
					.n_kv_heads = s[3], .head_dim = s[4], .q_stride = s[5],
					.out_stride = s[6], .kv_stride = s[7],
					.kv_head_stride = s[8],
				};

				check_attention(&r, &t, causal);
			}
		}
		close_rig(&r);
	}
}

/* ---- COPY, FILL ---- */

static void copies_of_overlapping_rows_are_as_if_buffered(void **state)
{
	const size_t size = 600000;
	const uint64_t moves[][3] = {	/* to, from, bytes: both ways, by little and by much */
		{ 1, 0, 500000 }, { 0, 1, 500000 }, { 70000, 0, 500000 }, { 0, 70000, 500000 },
		{ 3, 3, 1000 }, { 4096, 0, 8192 }, { 100, 4000, 5000 }, { 599999, 0, 1 },
	};
	unsigned int c, i;
	struct qh_buf *b;
	struct rig r;
	uint8_t *want;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		b = random_s8(&r, size);
		want = malloc(size);
		for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
			memcpy(want, b->ptr, size);
			memmove(want + moves[i][0], want + moves[i][1], moves[i][2]);
			qh_copy(&r.s, b->va + moves[i][0], b->va + moves[i][1], moves[i][2]);
			assert_int_equal(run(&r).status, 0);
			assert_memory_equal(b->ptr, want, size);
		}
		free(want);
		close_rig(&r);
	}
}

static void rows_of_a_copy_follow_each_other(void **state)
{
	struct qh_buf *b;
	unsigned int c, i;
	struct rig r;
	uint8_t *want;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		b = random_s8(&r, 200000);
		want = malloc(200000);
		memcpy(want, b->ptr, 200000);
		/* each row reads what the one before it wrote */
		for (i = 0; i < 50; i++)
			memmove(want + 1000 + i * 3000, want + i * 3000, 1500);
		qh_copy_2d(&r.s, b->va + 1000, 3000, b->va, 3000, 1500, 50);
		assert_int_equal(run(&r).status, 0);
		assert_memory_equal(b->ptr, want, 200000);
		/* a source stride of 0 repeats one row */
		qh_copy_2d(&r.s, b->va + 100, 777, b->va, 0, 99, 200);
		assert_int_equal(run(&r).status, 0);
		for (i = 0; i < 200; i++) {
			assert_memory_equal(b->ptr + 100 + i * 777, want, 99);
			memcpy(want + 100 + i * 777, want, 99);
		}
		assert_memory_equal(b->ptr, want, 200000);
		free(want);
		close_rig(&r);
	}
}

static void check_transpose(struct rig *r, const struct quill_cmd_transpose *shape)
{
	uint32_t elem = shape->elem, b, i, j;
	uint32_t src_step = shape->rows * shape->src_stride;
	uint32_t dst_step = shape->cols * shape->dst_stride;
	struct qh_buf *src = random_s8(r, shape->batch * src_step * elem);
	struct qh_buf *dst = random_s8(r, shape->batch * dst_step * elem);
	struct quill_cmd_transpose *c;
	uint8_t *want = malloc(dst->size);

	memcpy(want, dst->ptr, dst->size);
	for (b = 0; b < shape->batch; b++)
		for (i = 0; i < shape->rows; i++)
			for (j = 0; j < shape->cols; j++)
				memcpy(want + (b * dst_step + j * shape->dst_stride + i) * elem,
				       src->ptr + (b * src_step + i * shape->src_stride + j) * elem,
				       elem);
	c = &qh_transpose(&r->s, dst->va, src->va, shape->rows, shape->cols, elem)->transpose;
	c->batch = shape->batch;
	c->src_stride = shape->src_stride;
	c->dst_stride = shape->dst_stride;
	c->src_step = src_step;
	c->dst_step = dst_step;
	assert_int_equal(run(r).status, 0);
	assert_memory_equal(dst->ptr, want, dst->size);
	free(want);
}

static void transposing_moves_each_element_to_its_place(void **state)
{
	static const struct quill_cmd_transpose shapes[] = {
		{ .rows = 1, .cols = 1, .src_stride = 1, .dst_stride = 1, .batch = 1 },
		{ .rows = 1, .cols = 300, .src_stride = 300, .dst_stride = 1, .batch = 2 },
		{ .rows = 300, .cols = 1, .src_stride = 2, .dst_stride = 300, .batch = 1 },
		{ .rows = 64, .cols = 128, .src_stride = 128, .dst_stride = 64, .batch = 3 },
		{ .rows = 65, .cols = 130, .src_stride = 133, .dst_stride = 70, .batch = 5 },
	};
	struct quill_cmd_transpose shape;
	unsigned int c, i;
	struct rig r;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
			for (shape = shapes[i], shape.elem = 1; shape.elem <= 8; shape.elem *= 2)
				check_transpose(&r, &shape);
		close_rig(&r);
	}
}

static void a_transpose_faults_at_its_first_bad_byte(void **state)
{
	struct quill_job_cpl cpl;
	struct qh_buf *b;
	struct rig r;

	open_rig(&r, &configs[0]);
	b = random_s8(&r, 8 * 4096);
	qh_unmap(r.h, r.as, b->va + 2 * 4096, 4096);
	/* 64 rows of 100: the third page begins in row 20; the second block of columns is read later */
	qh_transpose(&r.s, b->va + 16384, b->va, 64, 100, 4);
	cpl = run(&r);
	assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(cpl.access, QUILL_ACCESS_READ);
	assert_true(cpl.address == b->va + 2 * 4096);
	qh_transpose(&r.s, b->va + 4096, b->va + 16384, 100, 20, 4);
	cpl = run(&r);
	assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(cpl.access, QUILL_ACCESS_WRITE);
	assert_true(cpl.address == b->va + 2 * 4096);
	close_rig(&r);
}

static void fills_write_whole_elements_and_no_more(void **state)
{
	const uint64_t value = 0x8877665544332211ull;
	unsigned int c, elem;
	union quill_cmd *cmd;
	struct qh_buf *b;
	struct rig r;
	size_t i;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		for (elem = 1; elem <= 8; elem *= 2) {
			uint64_t v = elem == 8 ? value : value & ((1ull << 8 * elem) - 1);

			b = buf(&r, 300000);
			/* 3 rows of 70008 bytes, 80000 apart, 16 from the start */
			cmd = qh_fill(&r.s, b->va + 16, elem, v, 70008);
			cmd->fill.height = 3;
			cmd->fill.dst_stride = 80000;
			assert_int_equal(run(&r).status, 0);
			for (i = 0; i < b->size; i++) {
				size_t at = i - 16;
				bool in = i >= 16 && at / 80000 < 3 && at % 80000 < 70008;

				assert_int_equal(b->ptr[i],
						 in ? (uint8_t)(v >> at % elem * 8) : 0);
			}
		}
		close_rig(&r);
	}
}

static void copy_faults_name_the_side_and_the_byte(void **state)
{
	struct quill_job_cpl cpl;
	struct qh_buf *a, *b;
	struct rig r;

	open_rig(&r, &configs[1]);
	a = buf(&r, 8192);
	b = qh_alloc(r.h, r.as, 8192, QH_R);
	qh_copy(&r.s, a->va, b->va + 100, 8192);
	cpl = run(&r);
	assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(cpl.access, QUILL_ACCESS_READ);
	assert_true(cpl.address == b->va + 8192);
	qh_copy(&r.s, b->va, a->va, 64);
	cpl = run(&r);
	assert_int_equal(cpl.status, QUILL_FAULT_WRITE_PERM);
	assert_int_equal(cpl.access, QUILL_ACCESS_WRITE);
	assert_true(cpl.address == b->va);
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gemm_equals_the_reference_wherever_operands_lie),
		cmocka_unit_test(gemm_of_more_rows_than_are_prepared_at_once),
		cmocka_unit_test(gemm_into_sram_and_device_memory),
		cmocka_unit_test(bad_requant_entry_faults_at_its_address),
		cmocka_unit_test(unmapped_operands_fault_at_the_first_bad_byte),
		cmocka_unit_test(fault_of_the_first_tile_counts_whichever_comes_first),
		cmocka_unit_test(attention_equals_the_reference_wherever_operands_lie),
		cmocka_unit_test(copies_of_overlapping_rows_are_as_if_buffered),
		cmocka_unit_test(rows_of_a_copy_follow_each_other),
		cmocka_unit_test(transposing_moves_each_element_to_its_place),
		cmocka_unit_test(a_transpose_faults_at_its_first_bad_byte),
		cmocka_unit_test(fills_write_whole_elements_and_no_more),
		cmocka_unit_test(copy_faults_name_the_side_and_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
