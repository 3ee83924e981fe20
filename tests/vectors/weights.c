// SPDX-License-Identifier: MIT
/* Vectors of GEMM with block weights and in narrow floats, and of REPACK. */
#include <string.h>

#include "ref_block.h"
#include "vectors.h"

enum {
	BIAS = 1 << 0,		/* and scales of B's columns, but for S4 */
	ROW_SCALE = 1 << 1,
	GROUP_SCALE = 1 << 2,
	GAPS = 1 << 3,		/* between rows */
	SPECIAL = 1 << 4,	/* NaN, infinities and denormals among the floats */
	ONE_ROW = 1 << 5,
};

#define MODE(a, b, flags)	(QUILL_TYPE_##a << 16 | QUILL_TYPE_##b << 8 | (flags))

/* What of a command all kinds of weights have. */
struct product {
	struct vector *v;
	uint32_t mode, m, n, k, lda;
	uint32_t type_a, type_b;
	union quill_cmd *cmd;
	struct vector_region *a;
	struct ref_floats out;
};

static uint32_t random_number(struct vector *v, uint32_t type, bool special)
{
	if (special && !ref_random_below(&v->rnd, 20))
		return ref_random(&v->rnd);
	return type == QUILL_TYPE_S8 ? ref_random(&v->rnd) :
	       ref_narrow(type, ref_random_float(&v->rnd, -4, 4), false);
}

static struct vector_region *numbers(struct vector *v, uint32_t type, size_t count, bool special)
{
	uint32_t size = quill_type_size(type), x;
	struct vector_region *r = vector_operand(v, count * size);
	size_t i;

	for (i = 0; i < count; i++) {
		x = random_number(v, type, special);
		memcpy(r->buf->ptr + i * size, &x, size);
	}
	return r;
}

static struct product product_of(struct vector *v, uint32_t mode, uint32_t m, uint32_t n, uint32_t k)
{
	struct product p = {
		.v = v, .mode = mode, .m = mode & ONE_ROW ? 1 : m, .n = n, .k = k,
		.lda = mode & GAPS ? k + 3 : k, .type_a = mode >> 16, .type_b = mode >> 8 & 0xff,
	};
	uint32_t ldd = mode & GAPS ? n + 2 : n;
	struct vector_region *d, *r;

	p.a = numbers(v, p.type_a, (size_t)p.m * p.lda, mode & SPECIAL);
	d = vector_result(v, (size_t)p.m * ldd * 4);
	p.out = (struct ref_floats){ .d = (float *)d->want, .ldd = ldd };
	p.cmd = qh_gemm(&v->s, p.a->buf->va, 0, d->buf->va, p.m, n, k);
	p.cmd[0].hdr.type_a = (uint8_t)p.type_a;
	p.cmd[0].hdr.type_b = (uint8_t)p.type_b;
	p.cmd[0].hdr.type_d = QUILL_TYPE_F32;
	p.cmd[0].gemm.lda = p.lda;
	p.cmd[0].gemm.ldd = ldd;
	if (mode & BIAS) {
		r = vector_floats(v, n, mode & SPECIAL);
		p.out.bias = (float *)r->buf->ptr;
		p.cmd[1].gemm_ext.bias = r->buf->va;
	}
	if (mode & BIAS && p.type_b != QUILL_TYPE_S4) {
		r = vector_floats(v, n, mode & SPECIAL);
		p.out.scale = (float *)r->buf->ptr;
		p.cmd[1].gemm_ext.scale = r->buf->va;
	}
	if (mode & ROW_SCALE) {
		r = vector_floats(v, p.m, mode & SPECIAL);
		p.out.row_scale = (float *)r->buf->ptr;
		p.cmd[1].gemm_ext.row_scale = r->buf->va;
	}
	return p;
}

/* Blocks of any bytes; scales that are neither large nor, unless @special, odd. */
static struct vector_region *blocks(struct product *p, size_t ldb)
{
	struct vector_region *r = vector_bytes(p->v, p->n * ldb);
	uint32_t size = quill_block_size(p->type_b), i, j;

	for (i = 0; i < p->n; i++) {
		for (j = 0; j < p->k / QUILL_BLOCK; j++) {
			uint16_t d = (uint16_t)(0x1c00 + ref_random_below(&p->v->rnd, 0x800));

			if (p->mode & SPECIAL && !ref_random_below(&p->v->rnd, 20))
				d = (uint16_t)ref_random(&p->v->rnd);
			memcpy(r->buf->ptr + i * ldb + j * size, &d, sizeof(d));
		}
	}
	return r;
}

static void make_blocks(struct vector *v, uint32_t mode)
{
	bool s4 = (mode >> 8 & 0xff) == QUILL_TYPE_S4;
	struct product p = product_of(v, mode, 3, s4 ? 66 : 18, s4 ? 192 : 96);
	uint32_t group = s4 ? 64 : QUILL_BLOCK, groups = p.k / group;
	struct ref_gemm_block g = {
		.m = p.m, .n = p.n, .k = p.k, .group = group, .type_b = p.type_b,
		.a = (int8_t *)p.a->buf->ptr, .lda = p.lda, .out = p.out,
	};
	struct vector_region *b, *scale;

	p.cmd[1].gemm_ext.group = group;
	if (s4) {
		b = vector_bytes(v, quill_packed_size_of(p.type_b, p.n, p.k));
		scale = vector_floats(v, (size_t)groups * p.n, mode & SPECIAL);
		p.cmd[1].gemm_ext.scale = scale->buf->va;
		g.b_scale = (float *)scale->buf->ptr;
		g.b_scale_stride = p.n;
	} else {
		g.ldb = groups * quill_block_size(p.type_b) + (mode & GAPS ? 2 : 0);
		p.cmd[0].gemm.ldb = (uint32_t)g.ldb;
		b = blocks(&p, g.ldb);
	}
	p.cmd[0].gemm.b = b->buf->va;
	g.b = b->buf->ptr;
	if (mode & GROUP_SCALE) {
		g.a_scale_stride = groups + (mode & GAPS ? 1 : 0);
		scale = vector_floats(v, p.m * g.a_scale_stride, mode & SPECIAL);
		g.a_scale = (float *)scale->buf->ptr;
		p.cmd[1].gemm_ext.row_scale = scale->buf->va;
		p.cmd[1].gemm_ext.row_scale_stride = (uint32_t)g.a_scale_stride;
	}
	ref_gemm_block(&g);
}

static void make_floats(struct vector *v, uint32_t mode)
{
	struct product p = product_of(v, mode, 3, 66, 7);
	uint8_t plain[66 * 7 * 2];
	struct ref_gemm_float g = {
		.m = p.m, .n = p.n, .k = p.k, .type_a = p.type_a, .type_b = p.type_b,
		.a = p.a->buf->ptr, .lda = p.lda, .b = plain, .ldb = p.k, .out = p.out,
	};
	uint32_t size = quill_type_size(p.type_b), i, x;
	struct vector_region *b;

	for (i = 0; i < p.n * p.k; i++) {
		x = random_number(v, p.type_b, mode & SPECIAL);
		memcpy(plain + i * size, &x, size);
	}
	b = vector_operand(v, quill_packed_size_of(p.type_b, p.n, p.k));
	/* what stands in the padding has no influence: here, NaN */
	ref_pack_float(plain, p.k, p.type_b, p.n, p.k, 0x7f, b->buf->ptr);
	p.cmd[0].gemm.b = b->buf->va;
	ref_gemm_float(&g);
}

#define REPACK(type, order, batch)	((batch) << 16 | QUILL_TYPE_##type << 8 | QUILL_REPACK_##order)

/* One matrix, at @from, packed at @to. */
static void repack_one(uint8_t *to, const uint8_t *src, uint32_t type, uint32_t n, uint32_t k,
		       size_t step_n, size_t step_k)
{
	const uint32_t size = type == QUILL_TYPE_BF16 ? 2 : 1, values = quill_packed_values(type);
	const uint8_t *from;
	uint32_t i, j, in;
	uint8_t *cell;

	for (i = 0; i < n; i++) {
		for (j = 0; j < k; j++) {
			in = j % values;
			cell = to + i / 64 * quill_packed_panel_of(type, k) + j / values * 256 + i % 64 * 4;
			from = src + (i * step_n + j * step_k) * size;
			if (type == QUILL_TYPE_S4)
				cell[in % 4] ^= (uint8_t)((*from & 15) << (in < 4 ? 0 : 4));
			else if (type == QUILL_TYPE_S8)
				cell[in] ^= *from;
			else
				memcpy(cell + in * size, from, size);
		}
	}
}

static void make_repack(struct vector *v, uint32_t mode)
{
	const uint32_t batch = mode >> 16, type = mode >> 8 & 0xff, order = mode & 0xff, n = 66, k = 13;
	const uint32_t size = type == QUILL_TYPE_BF16 ? 2 : 1;
	uint32_t stride = (order == QUILL_REPACK_NK ? k : n) + 1, i;
	size_t step = ((order == QUILL_REPACK_NK ? n : k) * stride + 3) * size;
	size_t packed = quill_packed_size_of(type, n, k);
	struct vector_region *src = vector_bytes(v, batch * step);
	struct vector_region *dst = vector_result(v, batch * packed);
	struct quill_cmd_repack *c;

	memset(dst->want, type == QUILL_TYPE_S8 ? 0x80 : type == QUILL_TYPE_S4 ? 0x88 : 0, dst->buf->size);
	for (i = 0; i < batch; i++)
		repack_one(dst->want + i * packed, src->buf->ptr + i * step, type, n, k,
			   order == QUILL_REPACK_NK ? stride : 1, order == QUILL_REPACK_NK ? 1 : stride);
	c = &qh_repack(&v->s, type, dst->buf->va, src->buf->va, n, k, order)->repack;
	c->src_stride = stride;
	c->batch = batch;
	c->src_step = batch > 1 ? step : 0;
}

static const struct vector_row rows[] = {
	{ "repack: S8, NK", make_repack, REPACK(S8, NK, 1) },
	{ "repack: S8, KN", make_repack, REPACK(S8, KN, 1) },
	{ "repack: S4, NK", make_repack, REPACK(S4, NK, 1) },
	{ "repack: S4, KN", make_repack, REPACK(S4, KN, 1) },
	{ "repack: BF16, NK", make_repack, REPACK(BF16, NK, 1) },
	{ "repack: BF16, KN", make_repack, REPACK(BF16, KN, 1) },
	{ "repack: E4M3, NK", make_repack, REPACK(E4M3, NK, 1) },
	{ "repack: E4M3, KN", make_repack, REPACK(E4M3, KN, 1) },
	{ "repack: E5M2, NK", make_repack, REPACK(E5M2, NK, 1) },
	{ "repack: E5M2, KN", make_repack, REPACK(E5M2, KN, 1) },
	{ "repack: a batch of BF16, KN", make_repack, REPACK(BF16, KN, 3) },
	{ "repack: a batch of S4, NK", make_repack, REPACK(S4, NK, 2) },
	{ "gemm: Q8_0", make_blocks, MODE(S8, Q8_0, 0) },
	{ "gemm: Q8_0, one row, scale of groups", make_blocks, MODE(S8, Q8_0, ONE_ROW | GROUP_SCALE) },
	{ "gemm: Q8_0, everything, gaps", make_blocks, MODE(S8, Q8_0, BIAS | GROUP_SCALE | GAPS) },
	{ "gemm: Q8_0, scale of rows, special values", make_blocks,
	  MODE(S8, Q8_0, BIAS | ROW_SCALE | SPECIAL) },
	{ "gemm: Q4_0", make_blocks, MODE(S8, Q4_0, 0) },
	{ "gemm: Q4_0, one row, scale of groups", make_blocks, MODE(S8, Q4_0, ONE_ROW | GROUP_SCALE) },
	{ "gemm: Q4_0, everything, gaps", make_blocks, MODE(S8, Q4_0, BIAS | GROUP_SCALE | GAPS) },
	{ "gemm: Q4_0, scale of groups, special values", make_blocks,
	  MODE(S8, Q4_0, GROUP_SCALE | SPECIAL) },
	{ "gemm: S4", make_blocks, MODE(S8, S4, 0) },
	{ "gemm: S4, scale of groups, bias, gaps", make_blocks, MODE(S8, S4, BIAS | GROUP_SCALE | GAPS) },
	{ "gemm: S4, scale of rows, special values", make_blocks, MODE(S8, S4, ROW_SCALE | SPECIAL) },
	{ "gemm: BF16", make_floats, MODE(BF16, BF16, 0) },
	{ "gemm: BF16, everything, gaps", make_floats, MODE(BF16, BF16, BIAS | ROW_SCALE | GAPS) },
	{ "gemm: BF16, special values", make_floats, MODE(BF16, BF16, SPECIAL) },
	{ "gemm: E4M3", make_floats, MODE(E4M3, E4M3, BIAS) },
	{ "gemm: E4M3, special values", make_floats, MODE(E4M3, E4M3, SPECIAL) },
	{ "gemm: E5M2", make_floats, MODE(E5M2, E5M2, ROW_SCALE) },
	{ "gemm: E5M2, special values", make_floats, MODE(E5M2, E5M2, SPECIAL) },
	{ "gemm: BF16 with E4M3", make_floats, MODE(BF16, E4M3, 0) },
	{ "gemm: BF16 with E5M2", make_floats, MODE(BF16, E5M2, 0) },
	{ "gemm: E4M3 with BF16", make_floats, MODE(E4M3, BF16, GAPS) },
	{ "gemm: E4M3 with E5M2", make_floats, MODE(E4M3, E5M2, 0) },
	{ "gemm: E5M2 with BF16", make_floats, MODE(E5M2, BF16, 0) },
	{ "gemm: E5M2 with E4M3", make_floats, MODE(E5M2, E4M3, 0) },
};

VECTOR_FILE(weights, rows);
