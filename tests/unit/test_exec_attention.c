// SPDX-License-Identifier: MIT
/*
 * KV_APPEND, ATTENTION with pages, window, state and both kinds of weights, and MERGE through the whole device
 * (firmware, issue port, tiles, threads, views) against the reference, to the bit; and their faults.
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

static const struct quill_host_config configs[] = {
	{ .emu.threads = 1 },
	{ .emu.threads = 4 },
	{ .emu.threads = 3, .scatter = true },
	{ .emu.threads = 2, .map_limit = 1001 },
	{ .emu.threads = 2, .emu.kernels = "scalar" },
	{ .emu.threads = 2, .emu.kernels = "avx2" },
};

#define CONFIGS	(sizeof(configs) / sizeof(configs[0]))

/* A cache of so many keys in so many heads, and queries for its last tokens. */
struct cache {
	struct quill_host *h;
	struct qh_stream s;
	struct ref_random rnd;
	uint32_t as;
	uint32_t keys, heads, share, dim;
	uint32_t queries;
	/* bfloat16, without scales, queries in float32; else int8 */
	bool bf16;
	/* 0: contiguous; pages of the pool, and the table */
	uint32_t page_size, pages;
	struct qh_buf *table;
	/* elements */
	uint32_t stride, head_stride, page_stride;
	struct qh_buf *kv[2], *scale[2], *src[2], *q, *q_scale, *out, *state;
	/* what the reference has of them */
	uint8_t *want[4];
	float *want_out, *want_state;
};

static struct qh_buf *buf(struct cache *c, size_t size)
{
	return qh_alloc(c->h, c->as, size, QH_RW);
}

static struct qh_buf *floats(struct cache *c, size_t n, float lo, float hi)
{
	struct qh_buf *b = buf(c, n * 4);
	size_t i;

	for (i = 0; i < n; i++)
		((float *)b->ptr)[i] = ref_random_float(&c->rnd, lo, hi);
	return b;
}

/* Pages in any order, some of the pool unused. */
static void make_table(struct cache *c)
{
	uint32_t n = (c->keys + c->page_size - 1) / c->page_size, i, j, x, *entry;

	c->pages = n + 5;
	c->table = buf(c, c->pages * 4);
	entry = (uint32_t *)c->table->ptr;
	for (i = 0; i < c->pages; i++)
		entry[i] = i;
	for (i = c->pages - 1; i > 0; i--) {
		j = ref_random_below(&c->rnd, i + 1);
		x = entry[i];
		entry[i] = entry[j];
		entry[j] = x;
	}
	c->page_stride = c->page_size * c->stride + c->heads * c->head_stride;
}

static uint32_t type_of(const struct cache *c)
{
	return c->bf16 ? QUILL_TYPE_BF16 : QUILL_TYPE_S8;
}

static uint32_t type_size(const struct cache *c)
{
	return quill_type_size(type_of(c));
}

static size_t cache_elems(const struct cache *c)
{
	size_t keys = c->page_size ? (size_t)c->pages * c->page_stride : (size_t)c->keys * c->stride;

	return keys + c->heads * c->head_stride;
}

static void cache_open(struct cache *c, const struct quill_host_config *config)
{
	size_t elems;
	int i;

	c->h = qh_create(config);
	c->as = qh_as_create(c->h);
	c->rnd.state = 4711;
	assert_int_equal(qh_queue_create(c->h, 0, c->as, QUILL_FW_PRIORITY_MEDIUM, 8), 0);
	qh_stream_init(&c->s, c->h, c->as, 64);
	if (c->page_size)
		make_table(c);
	elems = cache_elems(c);
	for (i = 0; i < 2; i++) {
		c->kv[i] = buf(c, elems * type_size(c));
		c->scale[i] = buf(c, elems / c->dim * 4);
		memset(c->kv[i]->ptr, 0x5a, elems * type_size(c));
		memset(c->scale[i]->ptr, 0x5a, elems / c->dim * 4);
		c->want[i] = malloc(elems * type_size(c));
		c->want[2 + i] = malloc(elems / c->dim * 4);
		memset(c->want[i], 0x5a, elems * type_size(c));
		memset(c->want[2 + i], 0x5a, elems / c->dim * 4);
		c->src[i] = floats(c, (size_t)c->keys * c->heads * c->dim, -3, 3);
	}
	elems = (size_t)c->queries * c->heads * c->share * c->dim;
	c->q = c->bf16 ? floats(c, elems, -4, 4) : buf(c, elems);
	if (!c->bf16)
		ref_random_s8(&c->rnd, (int8_t *)c->q->ptr, elems);
	c->q_scale = floats(c, c->queries * c->heads * c->share, 0.001f, 0.02f);
	elems = (size_t)c->queries * c->heads * c->share;
	c->out = buf(c, elems * c->dim * 4);
	c->state = buf(c, elems * 8);
	c->want_out = malloc(elems * c->dim * 4);
	c->want_state = malloc(elems * 8);
}

static void cache_close(struct cache *c)
{
	int i;

	assert_int_equal(qh_dma_maps(c->h), 0);
	assert_int_equal(qh_read(c->h, QUILL_REG_RESET_COUNT), 0);
	qh_destroy(c->h);
	for (i = 0; i < 4; i++)
		free(c->want[i]);
	free(c->want_out);
	free(c->want_state);
}

static struct quill_job_cpl run(struct cache *c)
{
	struct quill_job_cpl cpl = qh_run(c->h, 0, &c->s);

	c->s.count = 0;
	return cpl;
}

/* ---- KV_APPEND ---- */

static union quill_cmd *encode_append(struct cache *c, uint32_t pos, uint32_t tokens)
{
	uint64_t from = (uint64_t)pos * c->heads * c->dim * 4;
	union quill_cmd *cmd = qh_cmd(&c->s, QUILL_OP_KV_APPEND);
	struct quill_ext_kv_append *e = &qh_cmd(&c->s, QUILL_OP_EXT)->kv_append_ext;

	cmd->hdr.ext = 1;
	cmd->hdr.flags = QUILL_CMD_ORDERED;
	cmd->hdr.type_a = QUILL_TYPE_F32;
	cmd->hdr.type_d = type_of(c);
	cmd->kv_append.k_src = c->src[0]->va + from;
	cmd->kv_append.v_src = c->src[1]->va + from;
	cmd->kv_append.k = c->kv[0]->va;
	cmd->kv_append.v = c->kv[1]->va;
	cmd->kv_append.tokens = tokens;
	cmd->kv_append.pos = pos;
	cmd->kv_append.heads = c->heads;
	cmd->kv_append.dim = c->dim;
	cmd->kv_append.src_stride = c->heads * c->dim;
	e->k_scale = c->bf16 ? 0 : c->scale[0]->va;
	e->v_scale = c->bf16 ? 0 : c->scale[1]->va;
	e->kv_stride = c->stride;
	e->kv_head_stride = c->head_stride;
	if (c->page_size) {
		e->table = c->table->va;
		e->page_size = c->page_size;
		e->page_stride = c->page_stride;
		e->pages = c->pages;
	}
	return cmd;
}

static void reference_append(struct cache *c)
{
	ref_kv_append(&(struct ref_kv_append){
		.k_src = (float *)c->src[0]->ptr, .v_src = (float *)c->src[1]->ptr,
		.type = type_of(c), .k = c->want[0], .v = c->want[1],
		.k_scale = (float *)c->want[2], .v_scale = (float *)c->want[3],
		.tokens = c->keys, .heads = c->heads, .dim = c->dim,
		.src_stride = c->heads * c->dim, .kv_stride = c->stride,
		.kv_head_stride = c->head_stride,
		.table = c->page_size ? (uint32_t *)c->table->ptr : NULL,
		.page_size = c->page_size, .page_stride = c->page_stride,
	});
}

/* In three steps, the last of which is one token: bytes between heads and pages stay what they were. */
static void append_all(struct cache *c)
{
	size_t elems = cache_elems(c);
	uint32_t half = c->keys / 2;

	((float *)c->src[0]->ptr)[3] = 1.0f / 0.0f;
	((uint32_t *)c->src[1]->ptr)[c->dim] = 0xffffffff;
	encode_append(c, 0, half);
	encode_append(c, half, c->keys - half - 1);
	encode_append(c, c->keys - 1, 1);
	assert_int_equal(run(c).status, 0);
	reference_append(c);
	assert_memory_equal(c->kv[0]->ptr, c->want[0], elems * type_size(c));
	assert_memory_equal(c->kv[1]->ptr, c->want[1], elems * type_size(c));
	assert_memory_equal(c->scale[0]->ptr, c->want[2], elems / c->dim * 4);
	assert_memory_equal(c->scale[1]->ptr, c->want[3], elems / c->dim * 4);
	/* as odd numbers go on, so does everything else: no more of them */
	((float *)c->src[0]->ptr)[3] = 1;
	((float *)c->src[1]->ptr)[c->dim] = 1;
	encode_append(c, 0, 2);
	assert_int_equal(run(c).status, 0);
	reference_append(c);
	assert_memory_equal(c->scale[0]->ptr, c->want[2], elems / c->dim * 4);
}

/* ---- ATTENTION ---- */

static union quill_cmd *encode_attention(struct cache *c, uint32_t window, uint32_t weights)
{
	union quill_cmd *cmd = qh_attention(&c->s, &(struct qh_attention){
		.q = c->q->va, .k = c->kv[0]->va, .v = c->kv[1]->va, .out = c->out->va,
		.q_scale = c->q_scale->va, .k_scale = c->scale[0]->va,
		.v_scale = c->scale[1]->va, .n_q = c->queries, .n_kv = c->keys,
		.n_heads = c->heads * c->share, .n_kv_heads = c->heads, .head_dim = c->dim,
		.kv_stride = c->stride, .kv_head_stride = c->head_stride,
		.softmax_scale = 0.125f, .causal = true,
	});
	struct quill_ext_attention_more *m = &qh_cmd(&c->s, QUILL_OP_EXT)->attention_more;

	cmd->hdr.ext = 2;
	if (c->bf16) {
		cmd->hdr.type_a = QUILL_TYPE_F32;
		cmd->hdr.type_b = QUILL_TYPE_BF16;
		cmd[1].attention_ext.q_scale = 0;
		cmd[1].attention_ext.k_scale = cmd[1].attention_ext.v_scale = 0;
	}
	m->state = c->state->va;
	m->window = window;
	m->weights = weights;
	if (c->page_size) {
		m->table = c->table->va;
		m->page_size = c->page_size;
		m->page_stride = c->page_stride;
		m->pages = c->pages;
	}
	return cmd;
}

static void check_attention(struct cache *c, uint32_t window, uint32_t weights)
{
	size_t rows = (size_t)c->queries * c->heads * c->share;

	encode_attention(c, window, weights);
	memset(c->out->ptr, 0x77, rows * c->dim * 4);
	assert_int_equal(run(c).status, 0);
	ref_attention(&(struct ref_attention){
		.type_q = c->bf16 ? QUILL_TYPE_F32 : QUILL_TYPE_S8, .type_kv = type_of(c),
		.q = c->q->ptr, .k = c->want[0], .v = c->want[1],
		.q_scale = (float *)c->q_scale->ptr, .k_scale = (float *)c->want[2],
		.v_scale = (float *)c->want[3], .out = c->want_out, .state = c->want_state,
		.n_q = c->queries, .n_kv = c->keys, .n_heads = c->heads * c->share,
		.n_kv_heads = c->heads, .head_dim = c->dim,
		.q_stride = c->heads * c->share * c->dim,
		.out_stride = c->heads * c->share * c->dim, .kv_stride = c->stride,
		.kv_head_stride = c->head_stride, .softmax_scale = 0.125f, .causal = true,
		.round = weights == QUILL_WEIGHTS_S16, .window = window,
		.table = c->page_size ? (uint32_t *)c->table->ptr : NULL,
		.page_size = c->page_size, .page_stride = c->page_stride,
	});
	if (memcmp(c->out->ptr, c->want_out, rows * c->dim * 4) ||
	    memcmp(c->state->ptr, c->want_state, rows * 8))
		fail_msg("ATTENTION of %u queries and %u keys, pages of %u, window %u, weights %u differs",
			 c->queries, c->keys, c->page_size, window, weights);
}

static const struct cache shapes[] = {
	/* [key][head][dim], contiguous; [head][key][dim] in pages of 16; heads apart in pages of 48, 64 and 256 */
	{ .keys = 150, .heads = 2, .share = 4, .dim = 32, .queries = 9, .stride = 64, .head_stride = 32 },
	{ .keys = 150, .heads = 2, .share = 4, .dim = 32, .queries = 9, .stride = 32,
	  .head_stride = 512, .page_size = 16 },
	{ .keys = 200, .heads = 3, .share = 1, .dim = 16, .queries = 150, .stride = 64,
	  .head_stride = 16, .page_size = 48 },
	{ .keys = 321, .heads = 1, .share = 8, .dim = 64, .queries = 1, .stride = 64,
	  .head_stride = 64, .page_size = 64 },
	{ .keys = 300, .heads = 2, .share = 70, .dim = 16, .queries = 2, .stride = 48,
	  .head_stride = 16, .page_size = 256 },
	{ .keys = 150, .heads = 2, .share = 4, .dim = 32, .queries = 9, .stride = 64,
	  .head_stride = 32, .bf16 = true },
	{ .keys = 321, .heads = 2, .share = 1, .dim = 64, .queries = 70, .stride = 64,
	  .head_stride = 4096, .page_size = 32, .bf16 = true },
};

#define SHAPES	(sizeof(shapes) / sizeof(shapes[0]))

static void appended_keys_are_attended_to_wherever_pages_lie(void **state)
{
	static const uint32_t windows[] = { 0, 1, 33, 100 };
	unsigned int i, j, w;

	for (i = 0; i < CONFIGS; i++) {
		for (j = 0; j < SHAPES; j++) {
			struct cache c = shapes[j];

			cache_open(&c, &configs[i]);
			append_all(&c);
			for (w = 0; w < 4; w++) {
				check_attention(&c, windows[w], QUILL_WEIGHTS_F32);
				if (!c.bf16)
					check_attention(&c, windows[w], QUILL_WEIGHTS_S16);
			}
			cache_close(&c);
		}
	}
}

static void pages_change_no_bit(void **state)
{
	struct cache plain = shapes[0], paged;
	uint32_t size, elems = 9 * 8 * 32;

	cache_open(&plain, &configs[1]);
	append_all(&plain);
	check_attention(&plain, 77, QUILL_WEIGHTS_F32);
	for (size = 16; size <= 160; size += 48) {
		paged = shapes[0];
		paged.page_size = size;
		cache_open(&paged, &configs[1]);
		memcpy(paged.q->ptr, plain.q->ptr, 9 * 8 * 32);
		memcpy(paged.q_scale->ptr, plain.q_scale->ptr, 9 * 8 * 4);
		memcpy(paged.src[0]->ptr, plain.src[0]->ptr, 150 * 64 * 4);
		memcpy(paged.src[1]->ptr, plain.src[1]->ptr, 150 * 64 * 4);
		append_all(&paged);
		check_attention(&paged, 77, QUILL_WEIGHTS_F32);
		assert_memory_equal(paged.out->ptr, plain.out->ptr, elems * 4);
		cache_close(&paged);
	}
	cache_close(&plain);
}

/* The third record with nothing in it is as none. */
static void more_of_nothing_is_nothing(void **state)
{
	struct cache c = shapes[0];
	union quill_cmd *cmd;

	cache_open(&c, &configs[0]);
	append_all(&c);
	check_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd->hdr.ext = 1;
	c.s.count -= 1;
	memset(c.out->ptr, 0, 9 * 8 * 32 * 4);
	assert_int_equal(run(&c).status, 0);
	assert_memory_equal(c.out->ptr, c.want_out, 9 * 8 * 32 * 4);
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd[2].attention_more.state = 0;
	memset(c.out->ptr, 0, 9 * 8 * 32 * 4);
	memset(c.state->ptr, 0x33, 9 * 8 * 8);
	assert_int_equal(run(&c).status, 0);
	assert_memory_equal(c.out->ptr, c.want_out, 9 * 8 * 32 * 4);
	assert_int_equal(c.state->ptr[0], 0x33);
	cache_close(&c);
}

/* ---- Faults ---- */

static void expect_fault(struct cache *c, uint32_t fault, uint64_t addr)
{
	struct quill_job_cpl cpl = run(c);

	if (cpl.status != fault || cpl.address != addr)
		fail_msg("fault %u at 0x%llx, expected %u at 0x%llx", cpl.status,
			 (unsigned long long)cpl.address, fault, (unsigned long long)addr);
}

static void an_entry_beyond_the_pool_is_a_fault_at_the_entry(void **state)
{
	static const uint32_t bad[] = { 0, 1, UINT32_MAX };
	unsigned int i, at;

	for (i = 0; i < 3; i++) {
		for (at = 0; at < 10; at += 3) {
			struct cache c = shapes[1];
			uint32_t *entry, good;

			cache_open(&c, &configs[1]);
			entry = (uint32_t *)c.table->ptr;
			good = entry[at];
			entry[at] = bad[i] == UINT32_MAX ? bad[i] : c.pages + bad[i];
			encode_attention(&c, 0, QUILL_WEIGHTS_F32);
			expect_fault(&c, QUILL_FAULT_PARAM, c.table->va + at * 4);
			encode_append(&c, at * 16 + 5, 1);
			expect_fault(&c, QUILL_FAULT_PARAM, c.table->va + at * 4);
			/* not where it is not needed */
			encode_append(&c, at ? 3 : 20, 1);
			assert_int_equal(run(&c).status, 0);
			entry[at] = good;
			cache_close(&c);
		}
	}
}

static void what_cannot_be_reached_is_a_fault_at_its_address(void **state)
{
	struct cache c = shapes[1];
	union quill_cmd *cmd;

	cache_open(&c, &configs[1]);
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd[2].attention_more.table = 0x7f0000000000;
	expect_fault(&c, QUILL_FAULT_UNMAPPED, 0x7f0000000000);
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd[2].attention_more.state = 0x7f0000000000;
	expect_fault(&c, QUILL_FAULT_UNMAPPED, 0x7f0000000000);
	cmd = encode_append(&c, 0, 1);
	cmd[0].kv_append.k_src = 0x7f0000000000;
	expect_fault(&c, QUILL_FAULT_UNMAPPED, 0x7f0000000000);
	cmd = encode_append(&c, 0, 1);
	cmd[1].kv_append_ext.table = 0x7f0000000000;
	expect_fault(&c, QUILL_FAULT_UNMAPPED, 0x7f0000000000);
	cache_close(&c);
}

/* Where the report says that a field is: counted from the first record. */
#define RECORD_quill_cmd_merge			0
#define RECORD_quill_cmd_kv_append		0
#define RECORD_quill_ext_merge			1
#define RECORD_quill_ext_kv_append		1
#define RECORD_quill_ext_attention_more		2
#define AT(type, field)	(RECORD_##type * 64 + offsetof(struct type, field))

/* Each field at something that its rule does not permit. */
static void bad_fields_are_refused(void **state)
{
	struct cache c = shapes[1];
	union quill_cmd *cmd;

#define ATTENTION_REFUSED(change, why, field)							\
	do {											\
		struct quill_ext_attention_more *m;						\
												\
		cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);				\
		m = &cmd[2].attention_more;							\
		change;										\
		(void)m;									\
		expect_fault(&c, QUILL_FAULT_##why, AT(quill_ext_attention_more, field));	\
	} while (0)
#define APPEND_REFUSED(change, why, type, field)						\
	do {											\
		struct quill_cmd_kv_append *a;							\
		struct quill_ext_kv_append *e;							\
												\
		cmd = encode_append(&c, 0, 2);							\
		a = &cmd[0].kv_append, e = &cmd[1].kv_append_ext;				\
		change;										\
		(void)a, (void)e;								\
		expect_fault(&c, QUILL_FAULT_##why, AT(type, field));				\
	} while (0)

	cache_open(&c, &configs[0]);
	ATTENTION_REFUSED(cmd->hdr.flags = 0; m->window = 1, PARAM, window);
	ATTENTION_REFUSED(m->weights = 2, PARAM, weights);
	ATTENTION_REFUSED(m->state++, ALIGN, state);
	ATTENTION_REFUSED(m->state = (1ull << 48) - 4, RANGE, state);
	ATTENTION_REFUSED(m->table += 2, ALIGN, table);
	ATTENTION_REFUSED(m->table = (1ull << 48) - 4, RANGE, table);
	ATTENTION_REFUSED(m->table = 0, SHAPE, page_size);
	ATTENTION_REFUSED(m->page_size = 24, SHAPE, page_size);
	ATTENTION_REFUSED(m->page_size = 65552, SHAPE, page_size);
	ATTENTION_REFUSED(m->pages = 0, SHAPE, pages);
	ATTENTION_REFUSED(m->pages = (1 << 24) + 1, SHAPE, pages);
	ATTENTION_REFUSED(m->page_stride = 0, STRIDE, page_stride);
	ATTENTION_REFUSED(m->page_stride = 33, STRIDE, page_stride);
	ATTENTION_REFUSED(m->reserved0 = 1, RESERVED, reserved0);
	ATTENTION_REFUSED(m->reserved1 = 1, RESERVED, reserved1);
	APPEND_REFUSED(a->tokens = 0, SHAPE, quill_cmd_kv_append, tokens);
	APPEND_REFUSED(a->tokens = 65537, SHAPE, quill_cmd_kv_append, tokens);
	APPEND_REFUSED(a->pos = 1 << 20, SHAPE, quill_cmd_kv_append, pos);
	APPEND_REFUSED(a->heads = 0, SHAPE, quill_cmd_kv_append, heads);
	APPEND_REFUSED(a->dim = 24, SHAPE, quill_cmd_kv_append, dim);
	APPEND_REFUSED(a->src_stride = 63, STRIDE, quill_cmd_kv_append, src_stride);
	APPEND_REFUSED(a->k_src += 2, ALIGN, quill_cmd_kv_append, k_src);
	APPEND_REFUSED(a->v_src = 0, RANGE, quill_cmd_kv_append, v_src);
	APPEND_REFUSED(a->k = 0, RANGE, quill_cmd_kv_append, k);
	APPEND_REFUSED(a->v = (1ull << 48) - 64, RANGE, quill_cmd_kv_append, v);
	APPEND_REFUSED(cmd->hdr.type_d = QUILL_TYPE_BF16, PARAM, quill_ext_kv_append, k_scale);
	APPEND_REFUSED(e->k_scale++, ALIGN, quill_ext_kv_append, k_scale);
	APPEND_REFUSED(e->v_scale = 0, RANGE, quill_ext_kv_append, v_scale);
	APPEND_REFUSED(e->kv_stride = 0, STRIDE, quill_ext_kv_append, kv_stride);
	APPEND_REFUSED(e->kv_head_stride = 40, STRIDE, quill_ext_kv_append, kv_head_stride);
	APPEND_REFUSED(e->page_size = 8, SHAPE, quill_ext_kv_append, page_size);
	APPEND_REFUSED(e->table = 0, SHAPE, quill_ext_kv_append, page_size);
	cache_close(&c);
}

static void bad_types_are_refused(void **state)
{
	struct cache c = shapes[5];
	union quill_cmd *cmd;

	cache_open(&c, &configs[0]);
	encode_attention(&c, 0, QUILL_WEIGHTS_F32)->hdr.type_a = QUILL_TYPE_S8;
	expect_fault(&c, QUILL_FAULT_TYPE, offsetof(struct quill_cmd_hdr, type_b));
	encode_attention(&c, 0, QUILL_WEIGHTS_F32)->hdr.type_b = QUILL_TYPE_S8;
	expect_fault(&c, QUILL_FAULT_TYPE, offsetof(struct quill_cmd_hdr, type_b));
	encode_attention(&c, 0, QUILL_WEIGHTS_S16);
	expect_fault(&c, QUILL_FAULT_PARAM, AT(quill_ext_attention_more, weights));
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd[0].attention.k++;
	expect_fault(&c, QUILL_FAULT_ALIGN, offsetof(struct quill_cmd_attention, k));
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd[0].attention.q += 2;
	expect_fault(&c, QUILL_FAULT_ALIGN, offsetof(struct quill_cmd_attention, q));
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd[1].attention_ext.v_scale = c.scale[1]->va;
	expect_fault(&c, QUILL_FAULT_PARAM, 64 + offsetof(struct quill_ext_attention, v_scale));
	cmd = encode_attention(&c, 0, QUILL_WEIGHTS_F32);
	cmd[1].attention_ext.q_scale = c.scale[1]->va;
	expect_fault(&c, QUILL_FAULT_PARAM, 64 + offsetof(struct quill_ext_attention, q_scale));
	cache_close(&c);
}

/* ---- MERGE ---- */

struct merge {
	uint32_t rows, parts, heads, dim, gap;
};

static void check_merge(const struct quill_host_config *config, const struct merge *t)
{
	uint32_t row = t->heads * t->dim + t->gap, part = t->rows * row + 3, pairs;
	uint32_t states = t->rows * t->heads * 2 + 2, i;
	struct cache c = { .rnd.state = 99 };
	struct qh_buf *src, *state, *dst, *dst_state;
	float *want, *want_state;
	union quill_cmd *cmd;

	c.h = qh_create(config);
	c.as = qh_as_create(c.h);
	assert_int_equal(qh_queue_create(c.h, 0, c.as, QUILL_FW_PRIORITY_MEDIUM, 8), 0);
	qh_stream_init(&c.s, c.h, c.as, 8);
	src = floats(&c, (size_t)t->parts * part, -5, 5);
	state = floats(&c, (size_t)t->parts * states, 0, 20);
	dst = buf(&c, (size_t)t->rows * row * 4);
	pairs = t->rows * t->heads;
	dst_state = buf(&c, pairs * 8);
	want = malloc((size_t)t->rows * row * 4);
	want_state = malloc(pairs * 8);
	memset(dst->ptr, 0x77, (size_t)t->rows * row * 4);
	memset(want, 0x77, (size_t)t->rows * row * 4);
	/* some that have seen nothing */
	for (i = 1; i < t->parts * states; i += 14)
		((float *)state->ptr)[i] = 0;

	cmd = qh_cmd(&c.s, QUILL_OP_MERGE);
	cmd->hdr.ext = 1;
	cmd->hdr.type_a = cmd->hdr.type_b = cmd->hdr.type_d = QUILL_TYPE_F32;
	cmd->merge.src = src->va;
	cmd->merge.state = state->va;
	cmd->merge.dst = dst->va;
	cmd->merge.dst_state = dst_state->va;
	cmd->merge.rows = t->rows;
	cmd->merge.parts = t->parts;
	cmd->merge.heads = t->heads;
	cmd->merge.dim = t->dim;
	qh_cmd(&c.s, QUILL_OP_EXT);
	cmd[1].merge_ext.src_stride = cmd[1].merge_ext.dst_stride = row;
	cmd[1].merge_ext.part_stride = part;
	cmd[1].merge_ext.state_stride = states;
	assert_int_equal(run(&c).status, 0);
	ref_merge(&(struct ref_merge){
		.src = (float *)src->ptr, .state = (float *)state->ptr, .dst = want,
		.dst_state = want_state, .rows = t->rows, .parts = t->parts, .heads = t->heads,
		.dim = t->dim, .src_stride = row, .part_stride = part, .state_stride = states,
		.dst_stride = row,
	});
	if (memcmp(dst->ptr, want, (size_t)t->rows * row * 4) ||
	    memcmp(dst_state->ptr, want_state, pairs * 8))
		fail_msg("MERGE of %u parts, %u rows, %u heads of %u differs", t->parts, t->rows,
			 t->heads, t->dim);
	assert_int_equal(qh_dma_maps(c.h), 0);
	qh_destroy(c.h);
	free(want);
	free(want_state);
}

static void merges_equal_the_reference_wherever_parts_lie(void **state)
{
	static const struct merge merges[] = {
		{ 1, 2, 1, 16, 0 }, { 9, 3, 8, 64, 5 }, { 300, 2, 4, 32, 0 }, { 2, 16, 32, 256, 0 },
		{ 2, 1024, 3, 16, 0 },
	};
	unsigned int i, j;

	for (i = 0; i < CONFIGS; i++)
		for (j = 0; j < sizeof(merges) / sizeof(merges[0]); j++)
			check_merge(&configs[i], &merges[j]);
}

static void bad_merges_are_refused(void **state)
{
	struct cache c = shapes[0];
	union quill_cmd *cmd;

#define MERGE_REFUSED(change, why, type, field)							\
	do {											\
		struct quill_cmd_merge *m;							\
		struct quill_ext_merge *e;							\
												\
		cmd = qh_cmd(&c.s, QUILL_OP_MERGE);						\
		qh_cmd(&c.s, QUILL_OP_EXT);							\
		cmd->hdr.ext = 1;								\
		cmd->hdr.type_a = cmd->hdr.type_b = cmd->hdr.type_d = QUILL_TYPE_F32;		\
		m = &cmd[0].merge, e = &cmd[1].merge_ext;					\
		m->src = m->state = m->dst = m->dst_state = c.out->va;				\
		m->rows = m->parts = 2, m->heads = 1, m->dim = 16;				\
		e->src_stride = e->dst_stride = 16;						\
		change;										\
		(void)m, (void)e;								\
		expect_fault(&c, QUILL_FAULT_##why, AT(type, field));				\
	} while (0)

	cache_open(&c, &configs[0]);
	MERGE_REFUSED(m->rows = 0, SHAPE, quill_cmd_merge, rows);
	MERGE_REFUSED(m->rows = 65537, SHAPE, quill_cmd_merge, rows);
	MERGE_REFUSED(m->parts = 0, SHAPE, quill_cmd_merge, parts);
	MERGE_REFUSED(m->parts = 1025, SHAPE, quill_cmd_merge, parts);
	MERGE_REFUSED(m->heads = 1025, SHAPE, quill_cmd_merge, heads);
	MERGE_REFUSED(m->dim = 272, SHAPE, quill_cmd_merge, dim);
	MERGE_REFUSED(m->src = 0, RANGE, quill_cmd_merge, src);
	MERGE_REFUSED(m->src += 2, ALIGN, quill_cmd_merge, src);
	MERGE_REFUSED(m->state = 0, RANGE, quill_cmd_merge, state);
	MERGE_REFUSED(m->state += 2, ALIGN, quill_cmd_merge, state);
	MERGE_REFUSED(m->dst = 0, RANGE, quill_cmd_merge, dst);
	MERGE_REFUSED(m->dst += 2, ALIGN, quill_cmd_merge, dst);
	MERGE_REFUSED(m->dst_state += 2, ALIGN, quill_cmd_merge, dst_state);
	MERGE_REFUSED(m->dst_state = (1ull << 48) - 4, RANGE, quill_cmd_merge, dst_state);
	MERGE_REFUSED(m->reserved = 1, RESERVED, quill_cmd_merge, reserved);
	MERGE_REFUSED(e->src_stride = 15, STRIDE, quill_ext_merge, src_stride);
	MERGE_REFUSED(e->dst_stride = 15, STRIDE, quill_ext_merge, dst_stride);
	MERGE_REFUSED(e->reserved[3] = 1, RESERVED, quill_ext_merge, reserved[3]);
	cache_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appended_keys_are_attended_to_wherever_pages_lie),
		cmocka_unit_test(pages_change_no_bit),
		cmocka_unit_test(more_of_nothing_is_nothing),
		cmocka_unit_test(an_entry_beyond_the_pool_is_a_fault_at_the_entry),
		cmocka_unit_test(what_cannot_be_reached_is_a_fault_at_its_address),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(bad_types_are_refused),
		cmocka_unit_test(merges_equal_the_reference_wherever_parts_lie),
		cmocka_unit_test(bad_merges_are_refused),
	};

	return cmocka_run_group_tests_name("device: attention with a cache", tests, NULL, NULL);
}
