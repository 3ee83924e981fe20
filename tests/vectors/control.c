// SPDX-License-Identifier: MIT
/* Vectors of the control processor's commands: what they do shows in what DMA commands write, and when. */
#include <stddef.h>
#include <string.h>

#include "vectors.h"

static uint64_t byte_of(const struct vector_region *r, uint32_t at)
{
	return r->buf->va + at;
}

/* Writes @value at @at, as the harness does it and as it must come out. */
static union quill_cmd *put(struct vector *v, struct vector_region *r, uint32_t at, uint8_t value)
{
	r->want[at] = value;
	return qh_fill(&v->s, byte_of(r, at), 1, value, 1);
}

static void make_nop(struct vector *v, uint32_t ordered)
{
	struct vector_region *r = vector_result(v, 16);

	put(v, r, 0, 1);
	qh_nop(&v->s)->hdr.flags = ordered ? QUILL_CMD_ORDERED : 0;
	put(v, r, 1, 2);
}

/* TENSOR and DMA, which would not wait for each other: the second reads what the first has written. */
static void make_order(struct vector *v, uint32_t opcode)
{
	struct vector_region *a = vector_bytes(v, 4), *b = vector_operand(v, 256);
	struct vector_region *d = vector_result(v, 4), *copy = vector_result(v, 4);
	int8_t plain[4] = { 1, -2, 3, -4 };
	int32_t sum = 0;
	uint32_t i;
	union quill_cmd *gemm;

	ref_pack(plain, 1, 4, 0x80, b->buf->ptr);
	for (i = 0; i < 4; i++)
		sum += (int8_t)a->buf->ptr[i] * plain[i];
	memcpy(d->want, &sum, 4);
	memcpy(copy->want, &sum, 4);

	gemm = qh_gemm(&v->s, a->buf->va, b->buf->va, d->buf->va, 1, 1, 4);
	switch (opcode) {
	case QUILL_OP_FENCE:
		qh_fence(&v->s);
		break;
	case QUILL_OP_SEM_WAIT:
		qh_signal_sem(gemm, 31);
		qh_sem_wait(&v->s, 31, 1);
		break;
	case QUILL_OP_SEM_SIGNAL:
		qh_sem_signal(&v->s, 1)->hdr.flags = QUILL_CMD_ORDERED;
		qh_sem_wait(&v->s, 1, 1);
		break;
	}
	qh_copy(&v->s, copy->buf->va, d->buf->va, 4);
	/* no command between: its header says what it waits for */
	if (opcode == QUILL_OP_COPY)
		v->s.cmd[v->s.count - 1].hdr.flags = QUILL_CMD_ORDERED;
}

/* A signal by the decoder itself, of the value that a command waits for. */
static void make_sem_signal(struct vector *v, uint32_t count)
{
	struct vector_region *r = vector_result(v, 16);
	uint32_t i;

	qh_wait_sem(put(v, r, 3, 9), 2, count);
	for (i = 0; i < count; i++)
		qh_sem_signal(&v->s, 2);
}

static void make_jump(struct vector *v, uint32_t mode)
{
	struct vector_region *r = vector_result(v, 16);

	put(v, r, 0, 1);
	qh_jump(&v->s, 3);
	/* jumped over */
	qh_fill(&v->s, byte_of(r, 1), 1, 2, 1);
	put(v, r, 2, 3);
}

static void make_call(struct vector *v, uint32_t times)
{
	struct vector_region *r = vector_result(v, 16), *callee = vector_operand(v, 3 * 64);
	struct vector inner = *v;
	uint32_t i;

	/* its own stream: a register counts the calls, and says where to write */
	inner.s.cmd = (union quill_cmd *)callee->buf->ptr;
	inner.s.buf = callee->buf;
	inner.s.count = 0;
	inner.s.max = 3;
	qh_set(&inner.s, 5, QUILL_SET_ADD, 2);
	qh_patch(&inner.s, 5, offsetof(struct quill_cmd_fill, dst), true, 1);
	qh_fill(&inner.s, byte_of(r, 0), 1, 7, 1);
	for (i = 0; i < times; i++) {
		qh_call(&v->s, &inner.s);
		r->want[2 * (i + 1)] = 7;
	}
}

static void make_loop(struct vector *v, uint32_t rounds)
{
	struct vector_region *r = vector_result(v, 64);
	uint32_t i;

	/* element i becomes 0x1000 + 16 i */
	qh_patch(&v->s, 3, offsetof(struct quill_cmd_fill, dst), true, 4)->patch.entry[1] =
		quill_patch_entry(3, offsetof(struct quill_cmd_fill, value) / 4, 0, 16);
	qh_fill(&v->s, byte_of(r, 0), 4, 0x1000, 4);
	qh_loop(&v->s, 0, 3, rounds);
	for (i = 0; i < rounds; i++)
		memcpy(r->want + 4 * i, &(uint32_t){ 0x1000 + 16 * i }, 4);
}

/* Words are copied until one is found that ends the loop. */
static void make_loop_until(struct vector *v, uint32_t found)
{
	const int32_t words[] = { 5, -1, 7, 11, -3, 13 };
	struct vector_region *src = vector_operand(v, sizeof(words)), *dst = vector_result(v, 32);
	union quill_cmd *loop;

	memcpy(src->buf->ptr, words, sizeof(words));
	memcpy(dst->want, &words[found], 4);
	qh_patch(&v->s, 0, offsetof(struct quill_cmd_copy, src), true, 4);
	qh_copy(&v->s, dst->buf->va, src->buf->va, 4);
	loop = qh_loop(&v->s, 0, 0, 6);
	loop->loop.word = dst->buf->va;
	loop->loop.stops = 2;
	loop->loop.stop[0] = -99;
	loop->loop.stop[1] = words[found];
}

static void make_set(struct vector *v, uint32_t op)
{
	struct vector_region *r = vector_result(v, 64), *word = vector_operand(v, 4);
	uint32_t at = op == QUILL_SET_LOAD ? 21 : op == QUILL_SET_ADD ? 13 : 10;
	union quill_cmd *set;

	memcpy(word->buf->ptr, &(uint32_t){ 21 }, 4);
	qh_set(&v->s, 15, QUILL_SET_VALUE, 10);
	if (op == QUILL_SET_ADD)
		qh_set(&v->s, 15, op, 3);
	if (op == QUILL_SET_LOAD) {
		set = qh_set(&v->s, 15, op, 0);
		set->set.word = word->buf->va;
		set->set.max = 21;
	}
	qh_patch(&v->s, 15, offsetof(struct quill_cmd_fill, dst), true, 1);
	qh_fill(&v->s, byte_of(r, 0), 1, 1, 1);
	r->want[at] = 1;
}

/* A negative scale; and what is patched stays as it is in memory, for the next round. */
static void make_patch(struct vector *v, uint32_t mode)
{
	struct vector_region *r = vector_result(v, 64);
	uint32_t i;

	qh_patch(&v->s, 1, offsetof(struct quill_cmd_fill, dst), true, -8)->patch.entry[1] =
		quill_patch_entry(1, offsetof(struct quill_cmd_fill, width) / 4, 1, 1);
	qh_fill(&v->s, byte_of(r, 40), 1, 0xee, 1);
	qh_loop(&v->s, 0, 1, 4);
	for (i = 0; i < 4; i++)
		memset(r->want + 40 - 8 * i, 0xee, 1 + i);
}

static const struct vector_row rows[] = {
	{ "nop", make_nop, 0 },
	{ "nop: ordered", make_nop, 1 },
	{ "fence", make_order, QUILL_OP_FENCE },
	{ "sem_wait", make_order, QUILL_OP_SEM_WAIT },
	{ "sem_signal: ordered", make_order, QUILL_OP_SEM_SIGNAL },
	{ "copy: ordered", make_order, QUILL_OP_COPY },
	{ "sem_signal", make_sem_signal, 1 },
	{ "sem_signal: three times", make_sem_signal, 3 },
	{ "jump", make_jump, 0 },
	{ "call", make_call, 1 },
	{ "call: three times", make_call, 3 },
	{ "loop: once", make_loop, 1 },
	{ "loop: 16 rounds", make_loop, 16 },
	{ "loop: until a word is found", make_loop_until, 3 },
	{ "loop: until a negative word is found", make_loop_until, 4 },
	{ "set: value", make_set, QUILL_SET_VALUE },
	{ "set: add", make_set, QUILL_SET_ADD },
	{ "set: load", make_set, QUILL_SET_LOAD },
	{ "patch", make_patch, 0 },
};

VECTOR_FILE(control, rows);
