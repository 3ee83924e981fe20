// SPDX-License-Identifier: MIT
/*
 * Mutation of streams: whole commands are put in, taken out and swapped; a field is changed to
 * what is at home in it. Without this, nearly every input would end at its first reserved bit.
 */
#include <string.h>

#include "fuzz.h"
#include "stream.h"

enum kind {
	ADDR,	/* 64 bits: an address */
	SIZE,	/* 64 bits: bytes */
	DIM,	/* 32 bits: a dimension */
	DIM16,
	STRIDE,	/* 32 bits: elements or bytes from row to row */
	SMALL,	/* 32 bits: an enumeration, a zero point */
	REAL,	/* 32 bits: a float32 */
	TARGET,	/* 64 bits: a record's place */
	WORD,	/* 64 bits: anything */
};

struct field {
	uint8_t opcode;
	uint8_t record;
	uint8_t offset;
	uint8_t kind;
};

#define F(OP, record, type, field, kind) \
	{ QUILL_OP_##OP, record, __builtin_offsetof(struct type, field), kind }
#define F_SRC_DST(OP, type)									\
	F(OP, 0, type, src, ADDR), F(OP, 0, type, dst, ADDR), F(OP, 0, type, rows, DIM),	\
	F(OP, 0, type, src_stride, STRIDE), F(OP, 0, type, dst_stride, STRIDE)
#define F_NORM(OP)										\
	F_SRC_DST(OP, quill_cmd_norm), F(OP, 0, quill_cmd_norm, n, DIM),			\
	F(OP, 0, quill_cmd_norm, weight, ADDR), F(OP, 0, quill_cmd_norm, residual, ADDR),	\
	F(OP, 1, quill_ext_norm, bias, ADDR), F(OP, 1, quill_ext_norm, sum, ADDR),		\
	F(OP, 1, quill_ext_norm, residual_stride, STRIDE), F(OP, 1, quill_ext_norm, eps, REAL)
#define F_QUANTISE(OP)										\
	F_SRC_DST(OP, quill_cmd_quantise), F(OP, 0, quill_cmd_quantise, n, DIM),		\
	F(OP, 0, quill_cmd_quantise, scale, ADDR), F(OP, 0, quill_cmd_quantise, group, DIM),	\
	F(OP, 0, quill_cmd_quantise, scale_stride, STRIDE)

static const struct field fields[] = {
	F(JUMP, 0, quill_cmd_jump, target, TARGET),
	F(TIMESTAMP, 0, quill_cmd_timestamp, dst, ADDR),
	F(COPY, 0, quill_cmd_copy, dst, ADDR),
	F(COPY, 0, quill_cmd_copy, src, ADDR),
	F(COPY, 0, quill_cmd_copy, width, SIZE),
	F(COPY, 0, quill_cmd_copy, dst_stride, STRIDE),
	F(COPY, 0, quill_cmd_copy, src_stride, STRIDE),
	F(COPY, 0, quill_cmd_copy, height, DIM),
	F(FILL, 0, quill_cmd_fill, dst, ADDR),
	F(FILL, 0, quill_cmd_fill, value, WORD),
	F(FILL, 0, quill_cmd_fill, width, SIZE),
	F(FILL, 0, quill_cmd_fill, dst_stride, STRIDE),
	F(FILL, 0, quill_cmd_fill, height, DIM),
	F(FILL, 0, quill_cmd_fill, elem, SMALL),
	F(GEMM, 0, quill_cmd_gemm, a, ADDR),
	F(GEMM, 0, quill_cmd_gemm, b, ADDR),
	F(GEMM, 0, quill_cmd_gemm, d, ADDR),
	F(GEMM, 0, quill_cmd_gemm, m, DIM),
	F(GEMM, 0, quill_cmd_gemm, n, DIM),
	F(GEMM, 0, quill_cmd_gemm, k, DIM),
	F(GEMM, 0, quill_cmd_gemm, lda, STRIDE),
	F(GEMM, 0, quill_cmd_gemm, ldd, STRIDE),
	F(GEMM, 1, quill_ext_gemm, bias, ADDR),
	F(GEMM, 1, quill_ext_gemm, scale, ADDR),
	F(GEMM, 1, quill_ext_gemm, row_scale, ADDR),
	F(GEMM, 1, quill_ext_gemm, zero, SMALL),
	F(GEMM, 1, quill_ext_gemm, hi, SMALL),
	F(ATTENTION, 0, quill_cmd_attention, q, ADDR),
	F(ATTENTION, 0, quill_cmd_attention, k, ADDR),
	F(ATTENTION, 0, quill_cmd_attention, v, ADDR),
	F(ATTENTION, 0, quill_cmd_attention, out, ADDR),
	F(ATTENTION, 0, quill_cmd_attention, n_q, DIM),
	F(ATTENTION, 0, quill_cmd_attention, n_kv, DIM),
	F(ATTENTION, 0, quill_cmd_attention, n_heads, DIM16),
	F(ATTENTION, 0, quill_cmd_attention, n_kv_heads, DIM16),
	F(ATTENTION, 0, quill_cmd_attention, head_dim, DIM16),
	F(ATTENTION, 1, quill_ext_attention, q_scale, ADDR),
	F(ATTENTION, 1, quill_ext_attention, k_scale, ADDR),
	F(ATTENTION, 1, quill_ext_attention, v_scale, ADDR),
	F(ATTENTION, 1, quill_ext_attention, q_stride, STRIDE),
	F(ATTENTION, 1, quill_ext_attention, out_stride, STRIDE),
	F(ATTENTION, 1, quill_ext_attention, kv_stride, STRIDE),
	F(ATTENTION, 1, quill_ext_attention, kv_head_stride, STRIDE),
	F(ATTENTION, 1, quill_ext_attention, softmax_scale, REAL),
	F_NORM(RMSNORM),
	F_NORM(LAYERNORM),
	F_SRC_DST(SOFTMAX, quill_cmd_softmax),
	F(SOFTMAX, 0, quill_cmd_softmax, n, DIM),
	F(SOFTMAX, 0, quill_cmd_softmax, scale, REAL),
	F_SRC_DST(ROPE, quill_cmd_rope),
	F(ROPE, 0, quill_cmd_rope, table, ADDR),
	F(ROPE, 0, quill_cmd_rope, heads, DIM16),
	F(ROPE, 0, quill_cmd_rope, dim, DIM16),
	F_QUANTISE(QUANTISE),
	F_QUANTISE(DEQUANTISE),
	F(ELTWISE, 0, quill_cmd_eltwise, a, ADDR),
	F(ELTWISE, 0, quill_cmd_eltwise, b, ADDR),
	F(ELTWISE, 0, quill_cmd_eltwise, dst, ADDR),
	F(ELTWISE, 0, quill_cmd_eltwise, rows, DIM),
	F(ELTWISE, 0, quill_cmd_eltwise, n, DIM),
	F(ELTWISE, 0, quill_cmd_eltwise, a_stride, STRIDE),
	F(ELTWISE, 0, quill_cmd_eltwise, b_stride, STRIDE),
	F(ELTWISE, 0, quill_cmd_eltwise, dst_stride, STRIDE),
	F(ELTWISE, 0, quill_cmd_eltwise, op, SMALL),
	F_SRC_DST(ACT, quill_cmd_act),
	F(ACT, 0, quill_cmd_act, n, DIM),
	F(ACT, 0, quill_cmd_act, gate, ADDR),
	F(ACT, 0, quill_cmd_act, gate_stride, STRIDE),
	F(ACT, 0, quill_cmd_act, op, SMALL),
	F(REDUCE, 0, quill_cmd_reduce, src, ADDR),
	F(REDUCE, 0, quill_cmd_reduce, dst, ADDR),
	F(REDUCE, 0, quill_cmd_reduce, rows, DIM),
	F(REDUCE, 0, quill_cmd_reduce, n, DIM),
	F(REDUCE, 0, quill_cmd_reduce, src_stride, STRIDE),
	F(REDUCE, 0, quill_cmd_reduce, op, SMALL),
	F(GATHER, 0, quill_cmd_gather, table, ADDR),
	F(GATHER, 0, quill_cmd_gather, index, ADDR),
	F(GATHER, 0, quill_cmd_gather, dst, ADDR),
	F(GATHER, 0, quill_cmd_gather, rows, DIM),
	F(GATHER, 0, quill_cmd_gather, n, DIM),
	F(GATHER, 0, quill_cmd_gather, table_rows, DIM),
	F(GATHER, 0, quill_cmd_gather, table_stride, STRIDE),
	F(GATHER, 0, quill_cmd_gather, dst_stride, STRIDE),
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	uint8_t opcode, engine, ext;
	uint16_t flags;
	uint32_t a, b, d;
} ops[] = {
#define QUILL_X(NAME, name, code, engine, ext, flags, a, b, d) \
	{ code, QUILL_ENGINE_##engine, ext, flags, a, b, d },
	QUILL_OPCODES(QUILL_X)
#undef QUILL_X
};

/* xorshift: all that is random comes from libFuzzer's seed. */
static uint32_t state;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return below ? state % below : state;
}

static uint64_t random_address(void)
{
	static const struct {
		uint64_t va;
		uint32_t size;
	} places[] = {
		{ VA_RW, SIZE_RW }, { VA_RW, SIZE_RW }, { VA_RW, SIZE_RW }, { VA_RO, SIZE_RO },
		{ VA_RO, SIZE_RO }, { VA_WO, SIZE_WO }, { QUILL_VA_SRAM, 1u << 20 },
		{ QUILL_VA_SRAM + (23u << 20), 1u << 20 }, { VA_STREAM, 4096 },
		{ 0, 8192 }, { QUILL_VA_END - 65536, 65536 },
	};
	uint32_t i = rnd(COUNT(places));
	uint64_t va = places[i].va + (rnd(3) ? rnd(places[i].size) & ~63u : 0);

	switch (rnd(6)) {
	case 0:
		/* close to the end */
		return places[i].va + places[i].size - rnd(256);
	case 1:
		return va + rnd(64);
	case 2:
		return va | rnd(4096);
	default:
		return va;
	}
}

static uint32_t random_dim(void)
{
	static const uint32_t dims[] = { 1, 2, 3, 4, 15, 16, 17, 31, 32, 63, 64, 65, 127, 128, 256, 1000 };

	switch (rnd(8)) {
	case 0:
		return 1u << rnd(25);
	case 1:
		return rnd(0) >> rnd(32);
	default:
		return rnd(2) ? dims[rnd(COUNT(dims))] : 1 + rnd(80);
	}
}

static uint64_t random_value(uint32_t kind, uint32_t records)
{
	static const uint32_t reals[] = {
		0, 0x80000000, 0x3f800000, 0x3e000000, 0x7f800000, 0xff800000, 0x7fc00000, 1,
		0x00800000, 0x7f7fffff,
	};

	switch (kind) {
	case ADDR:
		return random_address();
	case SIZE:
		return rnd(16) ? random_dim() : (uint64_t)random_dim() << rnd(20);
	case STRIDE:
		return rnd(4) ? random_dim() : random_dim() * (1 + rnd(64));
	case DIM:
	case DIM16:
		return random_dim();
	case SMALL:
		return rnd(4) ? rnd(9) : rnd(256) - 128u;
	case REAL:
		return rnd(4) ? reals[rnd(COUNT(reals))] : rnd(0);
	case TARGET:
		return (uint64_t)rnd(records + 1) * QUILL_CMD_SIZE;
	default:
		return (uint64_t)rnd(0) << rnd(33);
	}
}

static void set_field(union quill_cmd *rec, const struct field *f, uint64_t value)
{
	uint32_t size = f->kind == DIM16 ? 2 : 4;

	if (f->kind == ADDR || f->kind == SIZE || f->kind == TARGET || f->kind == WORD)
		size = 8;
	memcpy((uint8_t *)&rec[f->record] + f->offset, &value, size);
}

/* One of the types that a mask permits. */
static uint8_t random_type(uint32_t mask)
{
	uint8_t t;

	do
		t = rnd(4);
	while (!(mask >> t & 1));
	return t;
}

static void random_semaphores(struct quill_cmd_hdr *h)
{
	if (!rnd(3))
		h->signal_sem = rnd(4);
	if (!rnd(4))
		h->wait_sem = rnd(4);
	h->wait_value = h->wait_sem ? rnd(4) : 0;
}

/* A command, well-formed as far as single fields go; how many records it has. */
static uint32_t random_command(union quill_cmd rec[2], uint32_t records)
{
	uint32_t i, op = rnd(COUNT(ops));
	struct quill_cmd_hdr *h = &rec->hdr;

	memset(rec, 0, 2 * sizeof(*rec));
	h->opcode = ops[op].opcode;
	h->flags = rnd(0) & ops[op].flags;
	h->type_a = random_type(ops[op].a);
	h->type_b = random_type(ops[op].b);
	h->type_d = random_type(ops[op].d);
	h->ext = ops[op].ext;
	h->seq = rnd(65536);
	random_semaphores(h);
	rec[1].hdr.opcode = QUILL_OP_EXT;
	for (i = 0; i < COUNT(fields); i++)
		if (fields[i].opcode == h->opcode && rnd(8))
			set_field(rec, &fields[i], random_value(fields[i].kind, records));
	return 1 + h->ext;
}

/* Change one field of a command that is there. */
static void change_field(union quill_cmd *rec, uint32_t count)
{
	uint32_t at = rnd(count), n = 0, i, pick = 0;

	for (i = 0; i < COUNT(fields); i++)
		if (fields[i].opcode == rec[at].hdr.opcode && at + fields[i].record < count &&
		    !rnd(++n))
			pick = i;
	if (n && rnd(8))
		set_field(&rec[at], &fields[pick], random_value(fields[pick].kind, count));
	else
		random_semaphores(&rec[at].hdr);
}

/* Put @n records in at a random place; how many there are then. */
static uint32_t insert(union quill_cmd *rec, uint32_t count, uint32_t max,
		       const union quill_cmd *add, uint32_t n)
{
	uint32_t at = rnd(count + 1);

	if (count + n > max)
		return count;
	memmove(&rec[at + n], &rec[at], (count - at) * sizeof(*rec));
	memcpy(&rec[at], add, n * sizeof(*rec));
	return count + n;
}

static uint32_t change(union quill_cmd *rec, uint32_t count, uint32_t max)
{
	union quill_cmd add[2];
	uint32_t at, n;

	switch (count ? rnd(8) : 0) {
	case 0:
	case 1:
		n = random_command(add, count);
		return insert(rec, count, max, add, n);
	case 2:
		at = rnd(count);
		n = at + 1 < count && rec[at].hdr.ext == 1 ? 2 : 1;
		memcpy(add, &rec[at], n * sizeof(*rec));
		return insert(rec, count, max, add, n);
	case 3:
		at = rnd(count);
		n = at + 1 < count && rec[at].hdr.ext == 1 ? 2 : 1;
		memmove(&rec[at], &rec[at + n], (count - at - n) * sizeof(*rec));
		return count - n;
	default:
		change_field(rec, count);
		return count;
	}
}

size_t stream_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static union quill_cmd rec[STREAM_MAX + 2];
	uint32_t count, room, n;

	state = seed | 1;
	rnd(0);
	if (max < sizeof(struct stream_head) || size < sizeof(struct stream_head) || !rnd(4))
		return LLVMFuzzerMutate(data, size, max);
	if (!rnd(8))
		data[rnd(sizeof(struct stream_head))] = rnd(256);

	room = (max - sizeof(struct stream_head)) / sizeof(*rec);
	room = room < STREAM_MAX ? room : STREAM_MAX;
	count = (size - sizeof(struct stream_head)) / sizeof(*rec);
	count = count < room ? count : room;
	memcpy(rec, data + sizeof(struct stream_head), count * sizeof(*rec));
	for (n = 1 + rnd(4); n; n--)
		count = change(rec, count, room);
	memcpy(data + sizeof(struct stream_head), rec, count * sizeof(*rec));
	return sizeof(struct stream_head) + count * sizeof(*rec);
}
