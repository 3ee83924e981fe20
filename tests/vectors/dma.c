// SPDX-License-Identifier: MIT
/* Vectors of the DMA engine. */
#include <string.h>

#include "vectors.h"

static void make_copy(struct vector *v, uint32_t width)
{
	struct vector_region *src = vector_bytes(v, width), *dst = vector_result(v, width + 8);

	qh_copy(&v->s, dst->buf->va + 3, src->buf->va, width);
	memcpy(dst->want + 3, src->buf->ptr, width);
}

static void make_copy_2d(struct vector *v, uint32_t repeat)
{
	struct vector_region *src = vector_bytes(v, 7 * 50), *dst = vector_result(v, 7 * 61 + 1);
	uint32_t i, stride = repeat ? 0 : 50;

	qh_copy_2d(&v->s, dst->buf->va + 1, 61, src->buf->va, stride, 37, 7);
	for (i = 0; i < 7; i++)
		memcpy(dst->want + 1 + i * 61, src->buf->ptr + i * stride, 37);
}

/* Rows that overlap, each as if through a buffer, in order. */
static void make_copy_over(struct vector *v, uint32_t forward)
{
	struct vector_region *r = vector_bytes(v, 300);
	uint32_t to = forward ? 20 : 0, from = forward ? 0 : 20, i;

	vector_update(r);
	qh_copy_2d(&v->s, r->buf->va + to, 60, r->buf->va + from, 60, 60, 4);
	for (i = 0; i < 4; i++)
		memmove(r->want + to + i * 60, r->want + from + i * 60, 60);
}

static void make_fill(struct vector *v, uint32_t elem)
{
	struct vector_region *dst = vector_result(v, 5 * 64);
	uint64_t value = 0x8877665544332211ull >> (64 - 8 * elem);
	uint32_t row, at;

	qh_fill(&v->s, dst->buf->va + 8, elem, value, 40);
	v->s.cmd[0].fill.height = 4;
	v->s.cmd[0].fill.dst_stride = 64;
	for (row = 0; row < 4; row++)
		for (at = 0; at < 40; at += elem)
			memcpy(dst->want + 8 + row * 64 + at, &value, elem);
}

static void make_transpose(struct vector *v, uint32_t elem)
{
	struct vector_region *src = vector_bytes(v, 2 * 9 * 13 * elem);
	struct vector_region *dst = vector_result(v, 2 * 13 * 11 * elem);
	struct quill_cmd_transpose *c = &qh_transpose(&v->s, dst->buf->va, src->buf->va, 9, 13,
						      elem)->transpose;
	uint32_t b, i, j;

	c->batch = 2;
	c->dst_stride = 11;
	c->dst_step = 13 * 11;
	c->src_step = 9 * 13;
	for (b = 0; b < 2; b++)
		for (i = 0; i < 9; i++)
			for (j = 0; j < 13; j++)
				memcpy(dst->want + ((b * 13 + j) * 11 + i) * elem,
				       src->buf->ptr + ((b * 9 + i) * 13 + j) * elem, elem);
}

/* With the profile unit a command takes a cycle. */
static void make_timestamp(struct vector *v, uint32_t commands)
{
	struct vector_region *dst = vector_result(v, 24), *other = vector_result(v, 8);
	uint64_t end = commands + 1;
	uint32_t i;

	for (i = 0; i < commands; i++)
		qh_fill(&v->s, other->buf->va, 1, 0, 8);
	memset(other->want, commands ? 0 : UNTOUCHED, 8);
	qh_timestamp(&v->s, dst->buf->va + 8)->hdr.flags = commands ? QUILL_CMD_ORDERED : 0;
	memcpy(dst->want + 8, &end, 8);
}

static const struct vector_row rows[] = {
	{ "copy: 1 byte", make_copy, 1 },
	{ "copy: 100 bytes", make_copy, 100 },
	{ "copy: rows", make_copy_2d, 0 },
	{ "copy: one row, again and again", make_copy_2d, 1 },
	{ "copy: rows over each other, forward", make_copy_over, 1 },
	{ "copy: rows over each other, backward", make_copy_over, 0 },
	{ "fill: elements of 1 byte", make_fill, 1 },
	{ "fill: elements of 2 bytes", make_fill, 2 },
	{ "fill: elements of 4 bytes", make_fill, 4 },
	{ "fill: elements of 8 bytes", make_fill, 8 },
	{ "transpose: elements of 1 byte", make_transpose, 1 },
	{ "transpose: elements of 2 bytes", make_transpose, 2 },
	{ "transpose: elements of 4 bytes", make_transpose, 4 },
	{ "transpose: elements of 8 bytes", make_transpose, 8 },
	{ "timestamp", make_timestamp, 0 },
	{ "timestamp: ordered", make_timestamp, 3 },
};

VECTOR_FILE(dma, rows);
