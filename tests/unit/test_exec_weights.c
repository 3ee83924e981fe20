// SPDX-License-Identifier: MIT
/*
 * GEMM with block weights and in floats through the whole device (firmware, issue port, tiles, threads, views)
 * against the reference, to the bit, wherever the operands lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"
#include "ref.h"
#include "ref_block.h"

struct rig {
	struct quill_host *h;
	uint32_t as;
	struct qh_stream s;
	struct ref_random rnd;
	/* of the command that is being made */
	union quill_cmd *cmd;
	struct qh_buf *d;
	uint8_t *want;
	struct ref_floats out;
};

/* What a command is to be. */
struct shape {
	uint32_t m, n, k, lda, ldd;
	uint32_t type_a, type_b, group;
	uint32_t with;
};

/* Scales of A: none, a row, a group; and bias and scales of B's columns. */
enum { NOTHING = 0, ROWS = 1, GROUPS = 2, BIAS = 4 };

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
	qh_destroy(r->h);
}

static struct qh_buf *buf(struct rig *r, size_t size)
{
	return qh_alloc(r->h, r->as, size, QH_RW);
}

static struct qh_buf *random_f32(struct rig *r, size_t n, float lo, float hi)
{
	struct qh_buf *b = buf(r, n * 4);
	size_t i;

	for (i = 0; i < n; i++)
		((float *)b->ptr)[i] = ref_random_float(&r->rnd, lo, hi);
	return b;
}

/* Numbers of a type that has bytes of its own. */
static struct qh_buf *random_elements(struct rig *r, uint32_t type, size_t n)
{
	uint32_t size = quill_type_size(type), x;
	struct qh_buf *b = buf(r, n * size);
	size_t i;

	for (i = 0; i < n; i++) {
		x = type == QUILL_TYPE_S8 ? ref_random(&r->rnd) :
		    ref_narrow(type, ref_random_float(&r->rnd, -4, 4), false);
		memcpy(b->ptr + i * size, &x, size);
	}
	return b;
}

static struct qh_buf *random_blocks(struct rig *r, uint32_t type, uint32_t n, size_t ldb, uint32_t k)
{
	struct qh_buf *b = buf(r, n * ldb);
	size_t size = quill_block_size(type), i, j;

	ref_random_s8(&r->rnd, (int8_t *)b->ptr, n * ldb);
	for (i = 0; i < n; i++) {
		for (j = 0; j < k / QUILL_BLOCK; j++) {
			uint16_t d = (uint16_t)(0x1c00 + ref_random_below(&r->rnd, 0x800));

			memcpy(b->ptr + i * ldb + j * size, &d, sizeof(d));
		}
	}
	return b;
}

/* D, the epilogue and what the reference needs of both. */
static void encode_out(struct rig *r, const struct shape *s)
{
	struct quill_ext_gemm *e = &r->cmd[1].gemm_ext;
	struct qh_buf *x;

	r->out.ldd = s->ldd;
	if (s->with & BIAS) {
		x = random_f32(r, s->n, -9, 9);
		e->bias = x->va;
		r->out.bias = (float *)x->ptr;
	}
	if (s->type_b != QUILL_TYPE_S4 && (s->with & BIAS)) {
		x = random_f32(r, s->n, -2, 2);
		e->scale = x->va;
		r->out.scale = (float *)x->ptr;
	}
	if (s->with & ROWS) {
		x = random_f32(r, s->m, -2, 2);
		e->row_scale = x->va;
		r->out.row_scale = (float *)x->ptr;
	}
}

static void encode_blocks(struct rig *r, const struct shape *s, struct ref_gemm_block *g)
{
	uint32_t groups = s->k / s->group;
	struct quill_ext_gemm *e = &r->cmd[1].gemm_ext;
	struct qh_buf *b, *x;

	*g = (struct ref_gemm_block){
		.m = s->m, .n = s->n, .k = s->k, .group = s->group, .type_b = s->type_b,
		.lda = s->lda, .out = r->out,
	};
	e->group = s->group;
	if (s->type_b == QUILL_TYPE_S4) {
		size_t size = quill_packed_size_of(s->type_b, s->n, s->k);

		b = buf(r, size);
		ref_random_s8(&r->rnd, (int8_t *)b->ptr, size);
		x = random_f32(r, (size_t)groups * s->n, -1, 1);
		e->scale = x->va;
		g->b_scale = (float *)x->ptr;
		g->b_scale_stride = s->n;
	} else {
		r->cmd->gemm.ldb = s->k / QUILL_BLOCK * quill_block_size(s->type_b) + (s->m & 2);
		b = random_blocks(r, s->type_b, s->n, r->cmd->gemm.ldb, s->k);
		g->ldb = r->cmd->gemm.ldb;
	}
	if (s->with & GROUPS) {
		e->row_scale_stride = groups + s->m % 3;
		x = random_f32(r, (size_t)s->m * e->row_scale_stride, 0, 1);
		e->row_scale = x->va;
		g->a_scale = (float *)x->ptr;
		g->a_scale_stride = e->row_scale_stride;
	}
	r->cmd->gemm.b = b->va;
	g->b = b->ptr;
}

static void encode_floats(struct rig *r, const struct shape *s, struct ref_gemm_float *g)
{
	size_t size = (size_t)s->n * s->k;
	struct qh_buf *plain = random_elements(r, s->type_b, size);
	struct qh_buf *b = buf(r, quill_packed_size_of(s->type_b, s->n, s->k));

	ref_pack_float(plain->ptr, s->k, s->type_b, s->n, s->k, 0x7f, b->ptr);
	r->cmd->gemm.b = b->va;
	*g = (struct ref_gemm_float){
		.m = s->m, .n = s->n, .k = s->k, .type_a = s->type_a, .type_b = s->type_b,
		.lda = s->lda, .b = plain->ptr, .ldb = s->k, .out = r->out,
	};
}

/* Encode a GEMM and compute its result in r->want. */
static void encode(struct rig *r, const struct shape *s)
{
	struct qh_buf *a = random_elements(r, s->type_a, (size_t)s->m * s->lda);
	struct ref_gemm_block blocks;
	struct ref_gemm_float floats;

	r->d = buf(r, (size_t)s->m * s->ldd * 4 + 64);
	memset(r->d->ptr, 0x77, r->d->size);
	r->want = malloc(r->d->size);
	memset(r->want, 0x77, r->d->size);
	r->out = (struct ref_floats){ .d = (float *)r->want };
	r->cmd = qh_gemm(&r->s, a->va, 0, r->d->va, s->m, s->n, s->k);
	r->cmd->hdr.type_a = (uint8_t)s->type_a;
	r->cmd->hdr.type_b = (uint8_t)s->type_b;
	r->cmd->hdr.type_d = QUILL_TYPE_F32;
	r->cmd->gemm.lda = s->lda;
	r->cmd->gemm.ldd = s->ldd;
	encode_out(r, s);
	if (s->type_a == QUILL_TYPE_S8) {
		encode_blocks(r, s, &blocks);
		blocks.a = (int8_t *)a->ptr;
		ref_gemm_block(&blocks);
	} else {
		encode_floats(r, s, &floats);
		floats.a = a->ptr;
		ref_gemm_float(&floats);
	}
}

static struct quill_job_cpl run(struct rig *r)
{
	struct quill_job_cpl cpl = qh_run(r->h, 0, &r->s);

	r->s.count = 0;
	free(r->want);
	return cpl;
}

static void check(struct rig *r, const struct shape *s)
{
	struct quill_job_cpl cpl;
	uint8_t *want;

	encode(r, s);
	want = r->want;
	r->want = NULL;
	cpl = run(r);
	assert_int_equal(cpl.status, 0);
	if (memcmp(r->d->ptr, want, r->d->size))
		fail_msg("GEMM %ux%ux%u types %u %u differs from the reference", s->m, s->n, s->k,
			 s->type_a, s->type_b);
	free(want);
}

#define Q8(m, n, k, with) { m, n, k, k, n, QUILL_TYPE_S8, QUILL_TYPE_Q8_0, 32, with }
#define Q4(m, n, k, with) { m, n, k, k + 5, n + 3, QUILL_TYPE_S8, QUILL_TYPE_Q4_0, 32, with }
#define S4(m, n, k, group, with) { m, n, k, k, n, QUILL_TYPE_S8, QUILL_TYPE_S4, group, with }
#define FLOATS(a, b, m, n, k, with) \
	{ m, n, k, k + 1, n + 2, QUILL_TYPE_##a, QUILL_TYPE_##b, 0, with }

static void gemm_equals_the_reference_wherever_operands_lie(void **state)
{
	static const struct shape shapes[] = {
		Q8(1, 1, 32, NOTHING), Q8(1, 1000, 2048, GROUPS), Q8(2, 77, 4096, GROUPS | BIAS),
		Q8(70, 130, 320, GROUPS), Q8(33, 100, 64, ROWS | BIAS), Q8(1100, 5, 32, GROUPS),
		Q4(1, 1, 32, GROUPS), Q4(1, 999, 2048, GROUPS | BIAS), Q4(5, 300, 1024, ROWS),
		Q4(70, 130, 320, GROUPS), Q4(300, 65, 96, NOTHING | BIAS),
		S4(1, 1, 32, 32, NOTHING), S4(1, 700, 1024, 128, GROUPS | BIAS),
		S4(9, 130, 192, 96, ROWS), S4(80, 65, 256, 32, GROUPS),
		FLOATS(BF16, BF16, 1, 1, 1, NOTHING), FLOATS(BF16, BF16, 1, 500, 777, ROWS | BIAS),
		FLOATS(BF16, BF16, 70, 130, 301, NOTHING | BIAS),
		FLOATS(E4M3, E4M3, 3, 130, 333, ROWS | BIAS), FLOATS(E5M2, E5M2, 40, 65, 62, NOTHING),
		FLOATS(E4M3, E5M2, 12, 20, 35, ROWS), FLOATS(BF16, E4M3, 7, 66, 1001, NOTHING),
		FLOATS(E5M2, BF16, 7, 66, 99, NOTHING), FLOATS(E4M3, BF16, 1050, 3, 15, ROWS),
	};
	unsigned int c, i;
	struct rig r;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
			check(&r, &shapes[i]);
		close_rig(&r);
	}
}

static void more_rows_than_are_prepared_at_once(void **state)
{
	static const struct shape shapes[] = {
		Q8(600, 3, 32768, GROUPS), FLOATS(E4M3, BF16, 300, 3, 32768, NOTHING),
	};
	unsigned int i;
	struct rig r;

	for (i = 0; i < 2; i++) {
		open_rig(&r, &configs[1]);
		check(&r, &shapes[i]);
		close_rig(&r);
	}
}

static void expect_fault(struct rig *r, uint32_t fault, uint64_t addr)
{
	struct quill_job_cpl cpl = run(r);

	assert_int_equal(cpl.status, fault);
	assert_int_equal(cpl.address, addr);
}

static void unmapped_operands_fault_at_the_first_bad_byte(void **state)
{
	static const struct shape q8 = Q8(16, 640, 1024, GROUPS);
	static const struct shape s4 = S4(16, 640, 1024, 32, GROUPS);
	static const struct shape f8 = FLOATS(E4M3, E4M3, 16, 640, 1024, ROWS | BIAS);
	unsigned int c;
	uint64_t va;
	struct rig r;

	for (c = 1; c < 3; c++) {
		open_rig(&r, &configs[c]);
		encode(&r, &q8);
		va = (r.cmd->gemm.b + 400ull * r.cmd->gemm.ldb + 4095) & ~4095ull;
		*qh_pte(r.h, r.as, va) = 0;
		expect_fault(&r, QUILL_FAULT_UNMAPPED, va);

		encode(&r, &q8);
		va = r.cmd[1].gemm_ext.row_scale;
		*qh_pte(r.h, r.as, va) = 0;
		expect_fault(&r, QUILL_FAULT_UNMAPPED, va);

		encode(&r, &s4);
		va = r.cmd[1].gemm_ext.scale + 4096;
		*qh_pte(r.h, r.as, va) = 0;
		assert_int_equal(run(&r).status, QUILL_FAULT_UNMAPPED);

		encode(&r, &f8);
		va = r.cmd->gemm.a + 2 * 4096;
		*qh_pte(r.h, r.as, va) = 0;
		expect_fault(&r, QUILL_FAULT_UNMAPPED, va);

		encode(&r, &f8);
		va = r.d->va + 4096;
		*qh_pte(r.h, r.as, va) &= ~QUILL_PTE_WRITE;
		qh_invalidate(r.h, r.as);
		assert_int_equal(run(&r).status, QUILL_FAULT_WRITE_PERM);
		assert_int_equal(r.d->ptr[4096], 0x77);
		close_rig(&r);
	}
}

/* ---- REPACK ---- */

struct repack {
	uint32_t type, n, k, stride, order;
};

static void check_repack(struct rig *r, const struct repack *p)
{
	uint32_t size = p->type == QUILL_TYPE_BF16 ? 2 : 1, i, j, x;
	uint32_t rows = p->order == QUILL_REPACK_NK ? p->n : p->k;
	uint64_t packed = quill_packed_size_of(p->type, p->n, p->k);
	struct qh_buf *src = buf(r, (size_t)rows * p->stride * size), *dst = buf(r, packed + 64);
	uint8_t *plain = calloc((size_t)p->n * p->k, size), *want = malloc(packed);

	ref_random_s8(&r->rnd, (int8_t *)src->ptr, (size_t)rows * p->stride * size);
	memset(dst->ptr, 0x77, dst->size);
	for (i = 0; i < p->n; i++)
		for (j = 0; j < p->k; j++)
			memcpy(plain + ((size_t)i * p->k + j) * size, src->ptr + size *
			       (p->order == QUILL_REPACK_NK ? (size_t)i * p->stride + j :
				(size_t)j * p->stride + i), size);
	if (p->type == QUILL_TYPE_S4) {
		memset(want, 0x88, packed);
		for (i = 0; i < p->n; i++)
			for (j = 0; j < p->k; j++) {
				x = ((uint32_t)plain[(size_t)i * p->k + j] & 15) << (j & 4);
				want[i / 64 * quill_packed_panel_of(p->type, p->k) + j / 8 * 256 +
				     i % 64 * 4 + j % 4] ^= (uint8_t)x;
			}
	} else {
		/* padding is 0: int8's is flipped below */
		ref_pack_float(plain, p->k, p->type, p->n, p->k, 0, want);
		for (i = 0; p->type == QUILL_TYPE_S8 && i < packed; i++)
			want[i] ^= 0x80;
	}
	qh_repack(&r->s, p->type, dst->va, src->va, p->n, p->k, p->order)->repack.src_stride = p->stride;
	r->want = NULL;
	assert_int_equal(run(r).status, 0);
	if (memcmp(dst->ptr, want, packed))
		fail_msg("REPACK of type %u, n %u k %u order %u differs", p->type, p->n, p->k, p->order);
	assert_int_equal(dst->ptr[packed], 0x77);
	free(plain);
	free(want);
}

static void repack_puts_every_element_where_isa_says(void **state)
{
	static const uint32_t types[] = {
		QUILL_TYPE_S8, QUILL_TYPE_S4, QUILL_TYPE_BF16, QUILL_TYPE_E4M3, QUILL_TYPE_E5M2,
	};
	static const uint32_t ns[] = { 1, 64, 65, 200 }, ks[] = { 1, 3, 8, 70, 1024 };
	unsigned int c, t, i, j;
	struct rig r;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		for (t = 0; t < 5; t++)
			for (i = 0; i < 4; i++)
				for (j = 0; j < 5; j++) {
					check_repack(&r, &(struct repack){
						types[t], ns[i], ks[j], ks[j] + i, QUILL_REPACK_NK });
					check_repack(&r, &(struct repack){
						types[t], ns[i], ks[j], ns[i] + j, QUILL_REPACK_KN });
				}
		close_rig(&r);
	}
}

/* As one command a matrix does. */
static void repack_of_a_batch_is_that_of_each(void **state)
{
	const uint32_t n = 70, k = 33, batch = 5, step = n * k + 6;
	const size_t packed = quill_packed_size_of(QUILL_TYPE_BF16, n, k);
	struct qh_buf *src, *each, *all;
	union quill_cmd *cmd;
	unsigned int c;
	uint32_t i;
	struct rig r;

	for (c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		open_rig(&r, &configs[c]);
		src = random_elements(&r, QUILL_TYPE_BF16, batch * step);
		each = buf(&r, batch * packed);
		all = buf(&r, batch * packed);
		for (i = 0; i < batch; i++)
			qh_repack(&r.s, QUILL_TYPE_BF16, each->va + i * packed, src->va + i * step * 2,
				  n, k, QUILL_REPACK_NK);
		cmd = qh_repack(&r.s, QUILL_TYPE_BF16, all->va, src->va, n, k, QUILL_REPACK_NK);
		cmd->repack.batch = batch;
		cmd->repack.src_step = step * 2;
		r.want = NULL;
		assert_int_equal(run(&r).status, 0);
		assert_memory_equal(all->ptr, each->ptr, batch * packed);
		close_rig(&r);
	}
}

static void repack_faults_at_the_first_bad_byte(void **state)
{
	struct qh_buf *src, *dst;
	struct rig r;

	open_rig(&r, &configs[1]);
	src = buf(&r, 256 * 1024);
	dst = buf(&r, 256 * 1024);
	qh_repack(&r.s, QUILL_TYPE_S8, dst->va, src->va, 256, 1024, QUILL_REPACK_NK);
	*qh_pte(r.h, r.as, src->va + 5 * 4096) = 0;
	r.want = NULL;
	expect_fault(&r, QUILL_FAULT_UNMAPPED, src->va + 5 * 4096);
	close_rig(&r);
}

/* ---- Rules ---- */

#define FIELD(record, name) record, offsetof(union quill_cmd, name)

static void rules_that_are_broken_fault_with_the_field(void **state)
{
	static const struct shape shapes[] = {
		Q8(3, 20, 64, GROUPS), S4(3, 20, 128, 64, GROUPS), FLOATS(BF16, BF16, 3, 20, 64, ROWS),
	};
	static const struct {
		uint32_t shape;
		uint32_t record, offset, size;
		uint64_t value;
		uint32_t fault;
	} bad[] = {
		{ 0, FIELD(0, hdr.type_b), 1, QUILL_TYPE_BF16, QUILL_FAULT_TYPE },
		{ 0, FIELD(0, hdr.type_b), 1, QUILL_TYPE_F16, QUILL_FAULT_TYPE },
		{ 0, FIELD(0, hdr.type_d), 1, QUILL_TYPE_S8, QUILL_FAULT_TYPE },
		{ 0, FIELD(0, gemm.k), 4, 63, QUILL_FAULT_SHAPE },
		{ 0, FIELD(0, gemm.lda), 4, 63, QUILL_FAULT_STRIDE },
		{ 0, FIELD(0, gemm.ldd), 4, 19, QUILL_FAULT_STRIDE },
		{ 0, FIELD(0, gemm.ldb), 4, 66, QUILL_FAULT_STRIDE },
		{ 0, FIELD(0, gemm.ldb), 4, 69, QUILL_FAULT_STRIDE },
		{ 0, FIELD(0, gemm.b), 8, 0x100001, QUILL_FAULT_ALIGN },
		{ 0, FIELD(0, gemm.b), 8, (1ull << 48) - 64, QUILL_FAULT_RANGE },
		{ 0, FIELD(0, gemm.d), 8, 0x100002, QUILL_FAULT_ALIGN },
		{ 0, FIELD(1, gemm_ext.group), 4, 64, QUILL_FAULT_PARAM },
		{ 0, FIELD(1, gemm_ext.group), 4, 0, QUILL_FAULT_PARAM },
		{ 0, FIELD(1, gemm_ext.row_scale_stride), 4, 1, QUILL_FAULT_STRIDE },
		{ 0, FIELD(1, gemm_ext.row_scale), 8, 0x100001, QUILL_FAULT_ALIGN },
		{ 0, FIELD(1, gemm_ext.row_scale), 8, (1ull << 48) - 4, QUILL_FAULT_RANGE },
		{ 0, FIELD(1, gemm_ext.zero), 4, 1, QUILL_FAULT_PARAM },
		{ 0, FIELD(1, gemm_ext.lo), 4, 1, QUILL_FAULT_PARAM },
		{ 0, FIELD(1, gemm_ext.hi), 4, 1, QUILL_FAULT_PARAM },
		{ 1, FIELD(1, gemm_ext.group), 4, 48, QUILL_FAULT_PARAM },
		{ 1, FIELD(1, gemm_ext.group), 4, 96, QUILL_FAULT_PARAM },
		{ 1, FIELD(1, gemm_ext.scale), 8, 0, QUILL_FAULT_PARAM },
		{ 1, FIELD(1, gemm_ext.scale), 8, 0x100002, QUILL_FAULT_ALIGN },
		{ 1, FIELD(0, gemm.ldb), 4, 64, QUILL_FAULT_STRIDE },
		{ 1, FIELD(0, gemm.b), 8, 0x100020, QUILL_FAULT_ALIGN },
		{ 2, FIELD(0, hdr.type_b), 1, QUILL_TYPE_S8, QUILL_FAULT_TYPE },
		{ 2, FIELD(0, gemm.a), 8, 0x100001, QUILL_FAULT_ALIGN },
		{ 2, FIELD(0, gemm.k), 4, 65537, QUILL_FAULT_SHAPE },
		{ 2, FIELD(1, gemm_ext.group), 4, 32, QUILL_FAULT_PARAM },
		{ 2, FIELD(1, gemm_ext.row_scale_stride), 4, 1, QUILL_FAULT_STRIDE },
		{ 2, FIELD(1, gemm_ext.bias), 8, 0x100001, QUILL_FAULT_ALIGN },
	};
	struct quill_job_cpl cpl;
	unsigned int i;
	struct rig r;

	open_rig(&r, &configs[0]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		encode(&r, &shapes[bad[i].shape]);
		memcpy((uint8_t *)&r.cmd[bad[i].record] + bad[i].offset, &bad[i].value, bad[i].size);
		cpl = run(&r);
		if (cpl.status != bad[i].fault || cpl.address != 64 * bad[i].record + bad[i].offset)
			fail_msg("rule %u: fault %u at %llu, expected %u at %u", i, cpl.status,
				 (unsigned long long)cpl.address, bad[i].fault,
				 64 * bad[i].record + bad[i].offset);
	}
	close_rig(&r);
}

static void rules_of_repack_and_convert(void **state)
{
	static const struct {
		bool repack;
		uint32_t record, offset, size;
		uint64_t value;
		uint32_t fault;
	} bad[] = {
		{ true, FIELD(0, hdr.type_a), 1, QUILL_TYPE_E4M3, QUILL_FAULT_TYPE },
		{ true, FIELD(0, repack.n), 4, 0, QUILL_FAULT_SHAPE },
		{ true, FIELD(0, repack.k), 4, 65537, QUILL_FAULT_SHAPE },
		{ true, FIELD(0, repack.order), 4, 2, QUILL_FAULT_PARAM },
		{ true, FIELD(0, repack.src_stride), 4, 31, QUILL_FAULT_STRIDE },
		{ true, FIELD(0, repack.batch), 4, 0, QUILL_FAULT_SHAPE },
		{ true, FIELD(0, repack.batch), 4, 65537, QUILL_FAULT_SHAPE },
		{ true, FIELD(0, repack.src_step), 8, 1, QUILL_FAULT_STRIDE },
		{ true, FIELD(0, repack.src_step), 8, 1ull << 47, QUILL_FAULT_STRIDE },
		{ true, FIELD(0, repack.src), 8, 0x100001, QUILL_FAULT_ALIGN },
		{ true, FIELD(0, repack.src), 8, 0, QUILL_FAULT_RANGE },
		{ true, FIELD(0, repack.dst), 8, 0x100020, QUILL_FAULT_ALIGN },
		{ true, FIELD(0, repack.dst), 8, (1ull << 48) - 64, QUILL_FAULT_RANGE },
		{ false, FIELD(0, hdr.type_a), 1, QUILL_TYPE_S8, QUILL_FAULT_TYPE },
		{ false, FIELD(0, convert.rows), 4, 0, QUILL_FAULT_SHAPE },
		{ false, FIELD(0, convert.n), 4, (1u << 24) + 1, QUILL_FAULT_SHAPE },
		{ false, FIELD(0, convert.src_stride), 4, 31, QUILL_FAULT_STRIDE },
		{ false, FIELD(0, convert.dst_stride), 4, 31, QUILL_FAULT_STRIDE },
		{ false, FIELD(0, convert.src), 8, 0x100001, QUILL_FAULT_ALIGN },
		{ false, FIELD(0, convert.dst), 8, 0x100002, QUILL_FAULT_ALIGN },
		{ false, FIELD(0, convert.dst), 8, (1ull << 48) - 64, QUILL_FAULT_RANGE },
		{ false, FIELD(0, convert.saturate), 4, 1, QUILL_FAULT_PARAM },
	};
	struct quill_job_cpl cpl;
	union quill_cmd *cmd;
	unsigned int i;
	struct rig r;

	open_rig(&r, &configs[0]);
	r.want = NULL;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (bad[i].repack)
			cmd = qh_repack(&r.s, QUILL_TYPE_BF16, 0x100000, 0x100000, 20, 32,
					QUILL_REPACK_NK);
		else
			cmd = qh_convert(&r.s, QUILL_TYPE_F32, 0x100000, QUILL_TYPE_BF16, 0x100000, 3,
					 32);
		memcpy((uint8_t *)&cmd[bad[i].record] + bad[i].offset, &bad[i].value, bad[i].size);
		cpl = run(&r);
		if (cpl.status != bad[i].fault || cpl.address != bad[i].offset)
			fail_msg("rule %u: fault %u at %llu, expected %u at %u", i, cpl.status,
				 (unsigned long long)cpl.address, bad[i].fault, bad[i].offset);
	}
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gemm_equals_the_reference_wherever_operands_lie),
		cmocka_unit_test(more_rows_than_are_prepared_at_once),
		cmocka_unit_test(unmapped_operands_fault_at_the_first_bad_byte),
		cmocka_unit_test(repack_puts_every_element_where_isa_says),
		cmocka_unit_test(repack_of_a_batch_is_that_of_each),
		cmocka_unit_test(repack_faults_at_the_first_bad_byte),
		cmocka_unit_test(rules_of_repack_and_convert),
		cmocka_unit_test(rules_that_are_broken_fault_with_the_field),
	};

	return cmocka_run_group_tests_name("device: GEMM with block weights and floats", tests, NULL,
					   NULL);
}
