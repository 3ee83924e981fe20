// SPDX-License-Identifier: MIT
/* Vectors of GEMM. */
#include <string.h>

#include "vectors.h"

enum {
	BIAS = 1 << 0,
	ROW_SCALE = 1 << 1,
	GAPS = 1 << 2,		/* between rows */
	EXTREME = 1 << 3,	/* operands at the ends of their range */
	SMALL = 1 << 4,
};

#define MODE(type, flags)	((type) << 8 | (flags))

static void fill_extreme(struct ref_random *rnd, int8_t *p, size_t n)
{
	static const int8_t values[] = { -128, -127, -1, 0, 1, 127 };

	while (n--)
		*p++ = values[ref_random_below(rnd, 6)];
}

/* A requantisation that uses all of the range of D, and in the first columns ties and the ends of mult and shift. */
static void fill_requant(struct ref_random *rnd, struct quill_requant *r, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		r[i] = (struct quill_requant){ (int32_t)(1u << 30 | ref_random(rnd) >> 2),
					       38 + (int32_t)ref_random_below(rnd, 5) };
	r[0] = (struct quill_requant){ 1, 1 };
	if (n > 3) {
		r[1] = (struct quill_requant){ 0x7fffffff, 62 };
		r[2] = (struct quill_requant){ 0, 0 };
		r[3] = (struct quill_requant){ 1, 0 };
	}
}

static void make_gemm(struct vector *v, uint32_t mode)
{
	uint32_t type = mode >> 8, m = mode & SMALL ? 1 : 5, n = mode & SMALL ? 1 : 67,
		 k = mode & SMALL ? 1 : 39;
	uint32_t lda = mode & GAPS ? k + 5 : k, ldd = mode & GAPS ? n + 3 : n;
	uint32_t size = quill_type_size(type);
	struct vector_region *a = vector_bytes(v, (size_t)m * lda);
	struct vector_region *b = vector_operand(v, quill_packed_size(n, k));
	struct vector_region *d = vector_result(v, (size_t)m * ldd * size);
	struct vector_region *scale = NULL, *bias = NULL, *row_scale = NULL;
	int8_t plain[67 * 39];
	struct ref_gemm g = {
		.m = m, .n = n, .k = k, .a = (int8_t *)a->buf->ptr, .lda = lda, .b = plain,
		.type_d = type, .d = d->want, .ldd = ldd,
	};
	union quill_cmd *cmd = qh_gemm(&v->s, a->buf->va, b->buf->va, d->buf->va, m, n, k);

	ref_random_s8(&v->rnd, plain, (size_t)n * k);
	if (mode & EXTREME) {
		fill_extreme(&v->rnd, plain, (size_t)n * k);
		fill_extreme(&v->rnd, (int8_t *)a->buf->ptr, a->buf->size);
	}
	/* what stands in the padding has no influence */
	ref_pack(plain, n, k, 0x5a, b->buf->ptr);
	cmd[0].hdr.type_d = (uint8_t)type;
	cmd[0].gemm.lda = lda;
	cmd[0].gemm.ldd = ldd;
	if (mode & BIAS) {
		bias = type == QUILL_TYPE_F32 ? vector_floats(v, n, false) : vector_bytes(v, n * 4);
		g.bias = bias->buf->ptr;
		cmd[1].gemm_ext.bias = bias->buf->va;
	}
	if (type == QUILL_TYPE_S8) {
		scale = vector_operand(v, n * sizeof(struct quill_requant));
		fill_requant(&v->rnd, (struct quill_requant *)scale->buf->ptr, n);
		g.requant = (struct quill_requant *)scale->buf->ptr;
		cmd[1].gemm_ext.zero = g.zero = -3;
		cmd[1].gemm_ext.lo = g.lo = -100;
		cmd[1].gemm_ext.hi = g.hi = 120;
	} else if (type == QUILL_TYPE_F32) {
		scale = vector_floats(v, n, mode & EXTREME);
		g.scale = (float *)scale->buf->ptr;
	}
	cmd[1].gemm_ext.scale = scale ? scale->buf->va : 0;
	if (mode & ROW_SCALE) {
		row_scale = vector_floats(v, m, mode & EXTREME);
		g.row_scale = (float *)row_scale->buf->ptr;
		cmd[1].gemm_ext.row_scale = row_scale->buf->va;
	}
	ref_gemm(&g);
}

static const struct vector_row rows[] = {
	{ "gemm: S32", make_gemm, MODE(QUILL_TYPE_S32, 0) },
	{ "gemm: S32, of one element", make_gemm, MODE(QUILL_TYPE_S32, SMALL) },
	{ "gemm: S32, bias, gaps", make_gemm, MODE(QUILL_TYPE_S32, BIAS | GAPS) },
	{ "gemm: S32, extreme operands", make_gemm, MODE(QUILL_TYPE_S32, EXTREME) },
	{ "gemm: S8", make_gemm, MODE(QUILL_TYPE_S8, 0) },
	{ "gemm: S8, bias, gaps", make_gemm, MODE(QUILL_TYPE_S8, BIAS | GAPS) },
	{ "gemm: S8, extreme operands", make_gemm, MODE(QUILL_TYPE_S8, EXTREME | BIAS) },
	{ "gemm: F32", make_gemm, MODE(QUILL_TYPE_F32, 0) },
	{ "gemm: F32, bias", make_gemm, MODE(QUILL_TYPE_F32, BIAS) },
	{ "gemm: F32, scale of rows, gaps", make_gemm, MODE(QUILL_TYPE_F32, ROW_SCALE | GAPS) },
	{ "gemm: F32, everything", make_gemm, MODE(QUILL_TYPE_F32, BIAS | ROW_SCALE) },
	{ "gemm: F32, everything, special values", make_gemm,
	  MODE(QUILL_TYPE_F32, BIAS | ROW_SCALE | EXTREME) },
};

VECTOR_FILE(gemm, rows);
