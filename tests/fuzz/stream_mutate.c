// SPDX-License-Identifier: MIT
/*
 * Mutation of streams: whole commands are put in, taken out and swapped; a field is changed to
 * what is at home in it. Without this, nearly every input would end at its first reserved bit.
 */
#include <string.h>

#include "fuzz.h"
#include "quill/isa_fields.h"
#include "stream.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const uint8_t opcodes[] = {
#define QUILL_X(NAME, name, code, ...)	code,
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
	case QUILL_KIND_ADDR:
		return random_address();
	case QUILL_KIND_SIZE:
		return rnd(16) ? random_dim() : (uint64_t)random_dim() << rnd(20);
	case QUILL_KIND_STRIDE:
		return rnd(4) ? random_dim() : random_dim() * (1 + rnd(64));
	case QUILL_KIND_DIM:
		return random_dim();
	case QUILL_KIND_NUMBER:
	case QUILL_KIND_SIGNED:
		return rnd(4) ? rnd(9) : rnd(256) - 128u;
	case QUILL_KIND_REAL:
		return rnd(4) ? reals[rnd(COUNT(reals))] : rnd(0);
	case QUILL_KIND_TARGET:
		return (uint64_t)rnd(records + 1) * QUILL_CMD_SIZE;
	default:
		return (uint64_t)rnd(0) << rnd(33);
	}
}

static void set_field(union quill_cmd *rec, const struct quill_field *f, uint32_t records)
{
	uint64_t value;
	uint32_t done;

	if (f->kind == QUILL_KIND_ZERO)
		return;
	/* an array takes a value for each of its words */
	for (done = 0; done < f->size; done += 8) {
		value = random_value(f->kind, records);
		memcpy((uint8_t *)rec + f->offset + done, &value, f->size - done < 8 ? f->size - done : 8);
	}
}

/* One of the types that a mask permits. */
static uint8_t random_type(uint32_t mask)
{
	uint8_t t;

	do
		t = rnd(QUILL_TYPE_COUNT);
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

/* Set fields of one record of a command, each with a chance of 1 - 1 / @spare. */
static void random_fields(union quill_cmd *rec, uint32_t record, uint32_t spare, uint32_t records)
{
	uint32_t i;

	for (i = 0; i < QUILL_FIELD_COUNT; i++)
		if (record && quill_fields[i].record == record && rnd(spare))
			set_field(rec, &quill_fields[i], records);
}

/* A command, well-formed as far as single fields go; how many records it has. */
static uint32_t random_command(union quill_cmd rec[QUILL_MAX_RECORDS], uint32_t records)
{
	const struct quill_op_info *op = quill_op_info(opcodes[rnd(COUNT(opcodes))]);
	struct quill_cmd_hdr *h = &rec->hdr;
	uint32_t i;

	memset(rec, 0, QUILL_MAX_RECORDS * sizeof(*rec));
	h->opcode = op->opcode;
	h->flags = rnd(0) & op->flags;
	h->type_a = random_type(op->types_a);
	h->type_b = random_type(op->types_b);
	h->type_d = random_type(op->types_d);
	h->ext = op->ext + rnd(op->ext_max - op->ext + 1u);
	h->seq = rnd(65536);
	random_semaphores(h);
	for (i = 0; i <= h->ext; i++) {
		random_fields(&rec[i], op->record[i], 8, records);
		if (i)
			rec[i].hdr.opcode = QUILL_OP_EXT;
	}
	return 1 + h->ext;
}

/* Records of the command at @at, no more than there are. */
static uint32_t command_size(const union quill_cmd *rec, uint32_t at, uint32_t count)
{
	uint32_t n = 1 + (rec[at].hdr.ext <= QUILL_MAX_EXT ? rec[at].hdr.ext : 0);

	return n <= count - at ? n : count - at;
}

/* Change one field of a command that is there. */
static void change_field(union quill_cmd *rec, uint32_t count)
{
	uint32_t at = rnd(count), n = 0, i, pick = 0;
	const struct quill_op_info *op = quill_op_info(rec[at].hdr.opcode);
	uint32_t record = rnd(command_size(rec, at, count));

	for (i = 0; op && op->record[record] && i < QUILL_FIELD_COUNT; i++)
		if (quill_fields[i].record == op->record[record] && !rnd(++n))
			pick = i;
	if (n && rnd(8))
		set_field(&rec[at + record], &quill_fields[pick], count);
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
	union quill_cmd add[QUILL_MAX_RECORDS];
	uint32_t at, n;

	switch (count ? rnd(8) : 0) {
	case 0:
	case 1:
		n = random_command(add, count);
		return insert(rec, count, max, add, n);
	case 2:
		at = rnd(count);
		n = command_size(rec, at, count);
		memcpy(add, &rec[at], n * sizeof(*rec));
		return insert(rec, count, max, add, n);
	case 3:
		at = rnd(count);
		n = command_size(rec, at, count);
		memmove(&rec[at], &rec[at + n], (count - at - n) * sizeof(*rec));
		return count - n;
	default:
		change_field(rec, count);
		return count;
	}
}

size_t stream_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static union quill_cmd rec[STREAM_MAX + QUILL_MAX_RECORDS];
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
