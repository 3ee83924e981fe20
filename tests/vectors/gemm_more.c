// SPDX-License-Identifier: MIT
/* Vectors of GEMM with a third and a fourth record, and with D of bfloat16, for all kinds of operands. */
#include <stdlib.h>
#include <string.h>

#include "ref_block.h"
#include "ref_gemm_post.h"
#include "vectors.h"

enum {
	GATE = 1 << 0,
	RESIDUAL = 1 << 1,
	ACCUMULATE = 1 << 2,
	TURNED_A = 1 << 3,
	ROWS_B = 1 << 4,
	COLUMNS_B = 1 << 5,
	BATCH = 1 << 6,
	SHARED = 1 << 7,	/* of a batch: B and what belongs to columns */
	WIDE = 1 << 8,		/* more than a panel of columns */
	SPECIAL = 1 << 9,	/* NaN, infinities and denormals among the floats */
	REQUANT = 1 << 10,	/* S8 by a multiplier and a shift a column */
	IN_PLACE = 1 << 11,	/* the residual is where D will be */
	BY_COLUMN = 1 << 12,	/* S8 by scales that are given */
	BY_TENSOR = 1 << 13,
};

#define MODE(a, b, d, act, flags)	\
	(QUILL_TYPE_##a << 28 | QUILL_TYPE_##b << 24 | QUILL_TYPE_##d << 20 | (act) << 16 | (flags))

#define MAX_CELLS	(3 * 70)

struct product {
	struct vector *v;
	uint32_t mode, type_a, type_b, type_d;
	uint32_t m, n, k, lda, ldb, ldd, batch;
	bool s8, by_row, block, exact;	/* exact: int32 or requantised results */
	size_t a_step, b_step, d_step, columns;
	union quill_cmd *cmd;
	struct vector_region *a, *b, *d, *d_scale, *scale, *bias, *row_scale, *gate, *residual, *mult;
	/* B of the first product and of those behind it: k rows of n, or n columns of k narrow floats */
	uint8_t plain[2][MAX_CELLS * 32];
	uint8_t rows[3 * 32 * 2];
};

static size_t up(size_t size, size_t to)
{
	return (size + to - 1) / to * to;
}

static void random_numbers(struct vector *v, uint32_t type, uint8_t *p, size_t count)
{
	uint32_t size = quill_type_size(type), x;

	for (; count--; p += size) {
		x = type == QUILL_TYPE_S8 ? ref_random(&v->rnd) :
		    ref_narrow(type, ref_random_float(&v->rnd, -2, 2), false);
		memcpy(p, &x, size);
	}
}

static uint8_t *plain_of(struct product *p, uint32_t i)
{
	return p->plain[p->mode & SHARED ? 0 : i];
}

/* ---- Operands ---- */

static void shape(struct product *p)
{
	bool s4 = p->type_b == QUILL_TYPE_S4;

	p->s8 = p->type_a == QUILL_TYPE_S8 && p->type_b == QUILL_TYPE_S8;
	p->block = p->type_b >= QUILL_TYPE_Q8_0;
	p->by_row = p->type_d == QUILL_TYPE_S8 && !(p->mode & (REQUANT | BY_COLUMN | BY_TENSOR));
	p->exact = p->type_d == QUILL_TYPE_S32 || p->mode & REQUANT;
	p->m = 3;
	p->n = p->mode & WIDE ? 66 : 5;
	p->k = p->block ? 32 : 7;
	p->batch = p->mode & BATCH ? 2 : 1;
	p->lda = (p->mode & TURNED_A ? p->m : p->k) + 1;
	p->ldd = p->n + 1;
	if (p->block && !s4)
		p->ldb = quill_block_size(p->type_b);
	if (p->mode & (ROWS_B | COLUMNS_B))
		p->ldb = (p->mode & ROWS_B ? p->n : p->k) + 2;
	p->columns = p->mode & BATCH && !(p->mode & SHARED) ? p->n + 1 : 0;
}

static void fill_a(struct product *p)
{
	size_t size = quill_type_size(p->type_a);

	p->a_step = (p->mode & TURNED_A ? p->k : p->m) * p->lda * size;
	p->a = vector_operand(p->v, p->batch * p->a_step);
	random_numbers(p->v, p->type_a, p->a->buf->ptr, p->batch * p->a_step / size);
}

static void fill_blocks(struct product *p, uint8_t *to)
{
	uint16_t d;
	uint32_t i;

	for (i = 0; i < p->n && p->type_b != QUILL_TYPE_S4; i++) {
		d = (uint16_t)(0x1c00 + ref_random_below(&p->v->rnd, 0x800));
		memcpy(to + i * p->ldb, &d, sizeof(d));
	}
}

/* B of one product, at @to. */
static void fill_b_of(struct product *p, uint32_t i, uint8_t *to)
{
	size_t size = quill_type_size(p->type_b), from, at;
	uint8_t *plain = plain_of(p, i);
	uint32_t n, k;

	if (p->block) {
		fill_blocks(p, to);
		return;
	}
	random_numbers(p->v, p->type_b, plain, (size_t)p->n * p->k);
	if (!p->ldb && !p->s8)
		ref_pack_float(plain, p->k, p->type_b, p->n, p->k, 0x7f, to);
	else if (!p->ldb)
		ref_pack((int8_t *)plain, p->n, p->k, 0x5a, to);
	for (n = 0; n < p->n && p->ldb; n++) {
		for (k = 0; k < p->k; k++) {
			from = p->s8 ? k * p->n + n : n * p->k + k;
			at = p->mode & ROWS_B ? k * p->ldb + n : n * p->ldb + k;
			memcpy(to + at * size, plain + from * size, size);
		}
	}
}

static void fill_b(struct product *p)
{
	uint32_t count = p->mode & SHARED ? 1 : p->batch, i;

	if (p->ldb)
		p->b_step = (p->mode & ROWS_B ? p->k : p->n) * p->ldb *
			    (p->block ? 1 : quill_type_size(p->type_b));
	else
		p->b_step = quill_packed_size_of(p->type_b, p->n, p->k);
	p->b_step = up(p->b_step, p->ldb ? 2 : 64);
	p->b = vector_bytes(p->v, count * p->b_step);
	for (i = 0; i < count; i++)
		fill_b_of(p, i, p->b->buf->ptr + i * p->b_step);
	if (p->mode & SHARED)
		p->b_step = 0;
}

static void fill_columns(struct product *p)
{
	size_t count = p->columns + p->n, i;
	struct quill_requant *r;

	p->bias = p->exact ? vector_bytes(p->v, count * 4) :
			     vector_floats(p->v, count, p->mode & SPECIAL);
	p->cmd[1].gemm_ext.bias = p->bias->buf->va;
	if (p->exact && p->type_d == QUILL_TYPE_S8) {
		p->scale = vector_operand(p->v, count * sizeof(*r));
		r = (struct quill_requant *)p->scale->buf->ptr;
		for (i = 0; i < count; i++)
			r[i] = (struct quill_requant){ 1 << 15, 24 + (int32_t)(i % 3) };
		p->cmd[1].gemm_ext.lo = -128;
		p->cmd[1].gemm_ext.hi = 127;
	} else if (!p->exact) {
		p->scale = vector_floats(p->v, count, p->mode & SPECIAL);
		for (i = 0; i < count && p->s8; i++)
			((float *)p->scale->buf->ptr)[i] *= 0x1p-14f;
		p->row_scale = vector_floats(p->v, p->batch * p->m, p->mode & SPECIAL);
		p->cmd[1].gemm_ext.row_scale = p->row_scale->buf->va;
	}
	if (p->scale)
		p->cmd[1].gemm_ext.scale = p->scale->buf->va;
	if (p->block)
		p->cmd[1].gemm_ext.group = QUILL_BLOCK;
}

static void fill_d(struct product *p)
{
	p->d_step = (size_t)p->m * p->ldd * quill_type_size(p->type_d);
	if (p->mode & (ACCUMULATE | IN_PLACE)) {
		p->d = p->type_d == QUILL_TYPE_F32 ?
		       vector_floats(p->v, p->batch * p->d_step / 4, p->mode & SPECIAL) :
		       vector_bytes(p->v, p->batch * p->d_step);
		vector_update(p->d);
		return;
	}
	p->d = vector_result(p->v, p->batch * p->d_step);
	if (p->mode & (BY_COLUMN | BY_TENSOR)) {
		p->d_scale = vector_floats(p->v, p->mode & BY_TENSOR ? 1 : p->columns + p->n,
					   p->mode & SPECIAL);
		p->cmd[1].gemm_ext.zero = 3;
		p->cmd[1].gemm_ext.lo = -100;
		p->cmd[1].gemm_ext.hi = 101;
	}
	if (p->by_row)
		p->d_scale = vector_result(p->v, p->batch * p->m * sizeof(float));
}

/* Of int8, with a multiplier of about the scale's for each column. */
static void fill_residual_s8(struct product *p, struct quill_ext_gemm_post *post)
{
	size_t count = p->columns + p->n, i;

	p->residual = p->mode & IN_PLACE ? p->d :
		      vector_bytes(p->v, (size_t)p->batch * p->m * (p->n + 2));
	post->residual = p->residual->buf->va;
	post->residual_stride = p->mode & IN_PLACE ? p->ldd : p->n + 2;
	p->mult = vector_operand(p->v, count * sizeof(int32_t));
	for (i = 0; i < count; i++)
		((int32_t *)p->mult->buf->ptr)[i] = (int32_t)ref_random(&p->v->rnd) >> 7;
	post->residual_mult = p->mult->buf->va;
	p->cmd[1].gemm_ext.residual_zero = -7;
}

static void fill_post(struct product *p)
{
	struct quill_ext_gemm_post *post = &qh_cmd(&p->v->s, QUILL_OP_EXT)->gemm_post;
	size_t count = (size_t)p->batch * p->m * (p->n + 2);

	p->cmd->hdr.ext = 2;
	post->act = p->mode >> 16 & 7;
	if (p->mode & GATE) {
		p->gate = vector_floats(p->v, count, p->mode & SPECIAL);
		post->gate = p->gate->buf->va;
		post->gate_stride = p->n + 2;
	}
	if (p->mode & RESIDUAL && p->mode & REQUANT) {
		fill_residual_s8(p, post);
	} else if (p->mode & RESIDUAL) {
		p->residual = vector_floats(p->v, count, p->mode & SPECIAL);
		post->residual = p->residual->buf->va;
		post->residual_stride = p->n + 2;
	}
	post->d_scale = p->d_scale ? p->d_scale->buf->va : 0;
	post->options = (p->mode & ACCUMULATE ? QUILL_GEMM_ACCUMULATE : 0) |
			(p->mode & TURNED_A ? QUILL_GEMM_A_TRANSPOSED : 0) |
			(p->mode & ROWS_B ? QUILL_GEMM_B_ROWS : 0) |
			(p->mode & COLUMNS_B ? QUILL_GEMM_B_COLUMNS : 0) |
			(p->mode & BY_COLUMN ? QUILL_GEMM_SCALE_COLUMNS : 0) |
			(p->mode & BY_TENSOR ? QUILL_GEMM_SCALE_TENSOR : 0);
}

static void fill_batch(struct product *p)
{
	struct quill_ext_gemm_batch *b = &qh_cmd(&p->v->s, QUILL_OP_EXT)->gemm_batch;
	size_t step = (size_t)p->m * (p->n + 2) * 4;

	p->cmd->hdr.ext = 3;
	*b = (struct quill_ext_gemm_batch){
		.hdr = b->hdr, .a_step = p->a_step, .b_step = p->b_step, .d_step = p->d_step,
		.gate_step = p->gate ? step : 0,
		.residual_step = !p->residual ? 0 : p->mode & IN_PLACE ? p->d_step :
				 p->mode & REQUANT ? step / 4 : step,
		.batch = p->batch, .column_step = (uint32_t)p->columns,
	};
}

/* ---- The reference ---- */

static const float *floats_at(const struct vector_region *r, size_t at)
{
	return r ? (const float *)r->buf->ptr + at : NULL;
}

/* A of one product as dense rows; the same place for all. */
static const void *rows_of_a(struct product *p, uint32_t i)
{
	const uint8_t *a = p->a->buf->ptr + i * p->a_step;
	size_t size = quill_type_size(p->type_a), at;
	uint32_t m, k;

	for (m = 0; m < p->m; m++) {
		for (k = 0; k < p->k; k++) {
			at = p->mode & TURNED_A ? k * p->lda + m : m * p->lda + k;
			memcpy(p->rows + (m * p->k + k) * size, a + at * size, size);
		}
	}
	return p->rows;
}

static void ref_s8(struct product *p, uint32_t i, struct ref_gemm *g)
{
	g->m = p->m;
	g->n = p->n;
	g->k = p->k;
	g->a = rows_of_a(p, i);
	g->lda = p->k;
	g->b = (int8_t *)plain_of(p, i);
	g->bias = floats_at(p->bias, i * p->columns);
	ref_gemm(g);
}

/* int32, and int8 of channels. */
static void ref_exact(struct product *p, uint32_t i)
{
	const struct quill_requant *requant = p->scale ?
		(struct quill_requant *)p->scale->buf->ptr + i * p->columns : NULL;
	struct ref_gemm g = {
		.type_d = p->type_d, .d = p->d->want + i * p->d_step, .ldd = p->ldd,
		.requant = requant, .lo = -128, .hi = 127, .accumulate = p->mode & ACCUMULATE,
	};

	if (p->residual) {
		g.residual_stride = p->mode & IN_PLACE ? p->ldd : p->n + 2;
		g.residual_s8 = (int8_t *)p->residual->buf->ptr + i * p->m * g.residual_stride;
		g.residual_mult = (int32_t *)p->mult->buf->ptr + i * p->columns;
		g.residual_zero = -7;
	}
	ref_s8(p, i, &g);
}

static struct ref_floats floats_of(struct product *p, uint32_t i, float *y)
{
	return (struct ref_floats){
		.d = y, .ldd = p->n, .bias = floats_at(p->bias, i * p->columns),
		.scale = floats_at(p->scale, i * p->columns),
		.row_scale = floats_at(p->row_scale, i * p->m),
	};
}

static void ref_sums(struct product *p, uint32_t i, float *y)
{
	struct ref_floats out = floats_of(p, i, y);
	const uint8_t *b = p->b->buf->ptr + i * p->b_step;

	if (p->s8) {
		ref_s8(p, i, &(struct ref_gemm){ .type_d = QUILL_TYPE_F32, .d = y, .ldd = p->n,
						 .scale = out.scale, .row_scale = out.row_scale });
	} else if (p->block) {
		struct ref_gemm_block g = {
			.m = p->m, .n = p->n, .k = p->k, .group = QUILL_BLOCK, .type_b = p->type_b,
			.a = rows_of_a(p, i), .lda = p->k, .b = b, .ldb = p->ldb, .out = out,
		};

		/* its one group's scales are those of the columns */
		if (p->type_b == QUILL_TYPE_S4) {
			g.b_scale = out.scale;
			g.b_scale_stride = p->n;
			g.out.scale = NULL;
		}
		ref_gemm_block(&g);
	} else {
		ref_gemm_float(&(struct ref_gemm_float){
			.m = p->m, .n = p->n, .k = p->k, .type_a = p->type_a, .type_b = p->type_b,
			.a = rows_of_a(p, i), .lda = p->k, .b = plain_of(p, i), .ldb = p->k, .out = out,
		});
	}
}

static void ref_product(struct product *p, uint32_t i)
{
	size_t other = (size_t)i * p->m * (p->n + 2);
	float y[MAX_CELLS];

	if (p->exact) {
		ref_exact(p, i);
		return;
	}
	ref_sums(p, i, y);
	ref_gemm_post(&(struct ref_gemm_post){
		.m = p->m, .n = p->n, .act = p->mode >> 16 & 7,
		.gate = floats_at(p->gate, other), .gate_stride = p->n + 2,
		.residual = floats_at(p->residual, other), .residual_stride = p->n + 2,
		.accumulate = p->mode & ACCUMULATE, .type_d = p->type_d,
		.d = p->d->want + i * p->d_step, .ldd = p->ldd,
		.d_scale = p->by_row ? (float *)p->d_scale->want + i * p->m : NULL,
		.given = p->by_row ? NULL :
			 floats_at(p->d_scale, p->mode & BY_COLUMN ? i * p->columns : 0),
		.given_one = p->mode & BY_TENSOR, .zero = 3, .lo = -100, .hi = 101,
	}, y);
}

static void make_product(struct vector *v, uint32_t mode, bool post)
{
	struct product *p = calloc(1, sizeof(*p));
	uint32_t i;

	*p = (struct product){
		.v = v, .mode = mode, .type_a = mode >> 28, .type_b = mode >> 24 & 15,
		.type_d = mode >> 20 & 15,
	};
	shape(p);
	p->cmd = qh_gemm(&v->s, 0, 0, 0, p->m, p->n, p->k);
	p->cmd->hdr.type_a = (uint8_t)p->type_a;
	p->cmd->hdr.type_b = (uint8_t)p->type_b;
	p->cmd->hdr.type_d = (uint8_t)p->type_d;
	fill_a(p);
	fill_b(p);
	fill_columns(p);
	fill_d(p);
	p->cmd->gemm.a = p->a->buf->va;
	p->cmd->gemm.b = p->b->buf->va;
	p->cmd->gemm.d = p->d->buf->va;
	p->cmd->gemm.lda = p->lda;
	p->cmd->gemm.ldb = p->ldb;
	p->cmd->gemm.ldd = p->ldd;
	if (post)
		fill_post(p);
	if (mode & BATCH)
		fill_batch(p);
	for (i = 0; i < p->batch; i++)
		ref_product(p, i);
	free(p);
}

static void make_post(struct vector *v, uint32_t mode)
{
	make_product(v, mode, true);
}

static void make_plain(struct vector *v, uint32_t mode)
{
	make_product(v, mode, false);
}

/* Every activation, and with it gate and residual in turn. */
#define ACTS(text, a, b, d)									\
	{ "gemm: " text ", gate", make_post, MODE(a, b, d, 0, GATE) },				\
	{ "gemm: " text ", relu", make_post, MODE(a, b, d, 1, RESIDUAL) },			\
	{ "gemm: " text ", sigmoid", make_post, MODE(a, b, d, 2, 0) },				\
	{ "gemm: " text ", silu", make_post, MODE(a, b, d, 3, GATE | RESIDUAL) },		\
	{ "gemm: " text ", tanh", make_post, MODE(a, b, d, 4, GATE) },				\
	{ "gemm: " text ", gelu", make_post, MODE(a, b, d, 5, RESIDUAL) },			\
	{ "gemm: " text ", gelu_erf", make_post, MODE(a, b, d, 6, GATE) }

#define OTHERS(text, a, b)									\
	{ "gemm: " text " to BF16", make_plain, MODE(a, b, BF16, 0, 0) },			\
	ACTS(text " to S8 by row", a, b, S8)

static const struct vector_row rows[] = {
	ACTS("F32", S8, S8, F32),
	ACTS("BF16", S8, S8, BF16),
	ACTS("S8 by row", S8, S8, S8),
	{ "gemm: F32, wide, silu, everything", make_post,
	  MODE(S8, S8, F32, 3, GATE | RESIDUAL | WIDE) },
	{ "gemm: F32, gelu, special values", make_post,
	  MODE(S8, S8, F32, 5, GATE | RESIDUAL | SPECIAL) },
	{ "gemm: F32, gelu_erf, special values", make_post,
	  MODE(S8, S8, F32, 6, GATE | RESIDUAL | SPECIAL) },
	{ "gemm: BF16, special values", make_post,
	  MODE(S8, S8, BF16, 0, GATE | RESIDUAL | SPECIAL) },
	{ "gemm: S8 by row, wide", make_post, MODE(S8, S8, S8, 0, WIDE) },
	{ "gemm: S8 by row, special values", make_post, MODE(S8, S8, S8, 0, SPECIAL | GATE) },
	{ "gemm: S32, accumulated", make_post, MODE(S8, S8, S32, 0, ACCUMULATE) },
	{ "gemm: S32, accumulated, wide", make_post, MODE(S8, S8, S32, 0, ACCUMULATE | WIDE) },
	{ "gemm: F32, accumulated", make_post, MODE(S8, S8, F32, 1, ACCUMULATE | GATE) },
	{ "gemm: S8 by given scales of columns, a batch, silu", make_post,
	  MODE(S8, S8, S8, 3, BY_COLUMN | BATCH | RESIDUAL) },
	{ "gemm: S8 by a given scale", make_post, MODE(S8, S8, S8, 0, BY_TENSOR | WIDE) },
	{ "gemm: S8 by given scales, special values", make_post,
	  MODE(S8, S8, S8, 0, BY_COLUMN | SPECIAL | GATE | WIDE) },
	{ "gemm: S8, int8 residual", make_post, MODE(S8, S8, S8, 0, REQUANT | RESIDUAL | WIDE) },
	{ "gemm: S8, a batch, int8 residual in place", make_post,
	  MODE(S8, S8, S8, 0, REQUANT | RESIDUAL | IN_PLACE | BATCH) },
	{ "gemm: S32, A transposed", make_post, MODE(S8, S8, S32, 0, TURNED_A) },
	{ "gemm: S32, B in rows", make_post, MODE(S8, S8, S32, 0, ROWS_B | WIDE) },
	{ "gemm: S32, B in columns", make_post, MODE(S8, S8, S32, 0, COLUMNS_B | WIDE) },
	{ "gemm: F32, A transposed, B in columns", make_post,
	  MODE(S8, S8, F32, 0, TURNED_A | COLUMNS_B) },
	{ "gemm: S32, a batch", make_post, MODE(S8, S8, S32, 0, BATCH) },
	{ "gemm: F32, a batch, everything", make_post,
	  MODE(S8, S8, F32, 3, BATCH | GATE | RESIDUAL) },
	{ "gemm: F32, a batch, B shared", make_post, MODE(S8, S8, F32, 0, BATCH | SHARED) },
	{ "gemm: S8 by row, a batch, B in rows", make_post, MODE(S8, S8, S8, 0, BATCH | ROWS_B) },
	{ "gemm: S32, a batch, accumulated, A transposed, B in columns", make_post,
	  MODE(S8, S8, S32, 0, BATCH | ACCUMULATE | TURNED_A | COLUMNS_B) },
	ACTS("Q8_0", S8, Q8_0, F32),
	{ "gemm: Q8_0, a batch", make_post, MODE(S8, Q8_0, F32, 3, BATCH | GATE | RESIDUAL) },
	{ "gemm: Q8_0, accumulated", make_post, MODE(S8, Q8_0, F32, 0, ACCUMULATE) },
	ACTS("BF16 with BF16", BF16, BF16, F32),
	{ "gemm: BF16 with BF16, a batch", make_post, MODE(BF16, BF16, F32, 0, BATCH | SHARED) },
	{ "gemm: BF16, A transposed, B in rows", make_post,
	  MODE(BF16, BF16, F32, 0, TURNED_A | ROWS_B | WIDE) },
	{ "gemm: BF16, a batch, A transposed, B in columns", make_post,
	  MODE(BF16, BF16, F32, 0, BATCH | TURNED_A | COLUMNS_B) },
	{ "gemm: BF16 with E4M3 to S8 by row, a batch, B in rows", make_post,
	  MODE(BF16, E4M3, S8, 0, BATCH | ROWS_B) },
	{ "gemm: E4M3 with BF16 to S8 by row, A transposed, B in columns", make_post,
	  MODE(E4M3, BF16, S8, 0, TURNED_A | COLUMNS_B | WIDE) },
	{ "gemm: E4M3 with E4M3 to S8 by row, A transposed, B in rows", make_post,
	  MODE(E4M3, E4M3, S8, 0, TURNED_A | ROWS_B) },
	{ "gemm: E5M2 with E5M2 to S8 by row, a batch, A transposed, B in columns", make_post,
	  MODE(E5M2, E5M2, S8, 0, BATCH | TURNED_A | COLUMNS_B) },
	{ "gemm: Q8_0 to S8 by given scales of columns, relu", make_post, MODE(S8, Q8_0, S8, 1, BY_COLUMN) },
	{ "gemm: Q4_0 to S8 by a given scale", make_post, MODE(S8, Q4_0, S8, 0, BY_TENSOR) },
	{ "gemm: S4 to S8 by given scales of columns", make_post, MODE(S8, S4, S8, 0, BY_COLUMN) },
	{ "gemm: BF16 with BF16 to S8 by given scales of columns, a batch", make_post,
	  MODE(BF16, BF16, S8, 5, BY_COLUMN | BATCH) },
	{ "gemm: BF16 with E4M3 to S8 by given scales of columns", make_post, MODE(BF16, E4M3, S8, 0, BY_COLUMN) },
	{ "gemm: E5M2 with E5M2 to S8 by a given scale, a batch", make_post,
	  MODE(E5M2, E5M2, S8, 0, BY_TENSOR | BATCH) },
	{ "gemm: Q8_0, A transposed", make_post, MODE(S8, Q8_0, F32, 0, TURNED_A) },
	{ "gemm: S4 to S8 by row, a batch, A transposed", make_post, MODE(S8, S4, S8, 0, TURNED_A | BATCH) },
	OTHERS("Q8_0", S8, Q8_0),
	OTHERS("Q4_0", S8, Q4_0),
	OTHERS("S4", S8, S4),
	OTHERS("BF16 with BF16", BF16, BF16),
	OTHERS("BF16 with E4M3", BF16, E4M3),
	OTHERS("BF16 with E5M2", BF16, E5M2),
	OTHERS("E4M3 with BF16", E4M3, BF16),
	OTHERS("E4M3 with E4M3", E4M3, E4M3),
	OTHERS("E4M3 with E5M2", E4M3, E5M2),
	OTHERS("E5M2 with BF16", E5M2, BF16),
	OTHERS("E5M2 with E4M3", E5M2, E4M3),
	OTHERS("E5M2 with E5M2", E5M2, E5M2),
};

VECTOR_FILE(gemm_more, rows);
