/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the rules that a command must keep, written once.
 *
 * libaccel calls this while it encodes (so that a caller hears at once), the firmware before it
 * issues, and the device's issue port again, because it does not trust the firmware. No
 * rule needs memory: what needs it (translation, the contents of a table) the engine finds.
 * The rules themselves are in isa_check_control.h, isa_check_dma.h, isa_check_tensor.h, isa_check_attention.h,
 * isa_check_vector.h, isa_check_sample.h and isa_check_conv.h.
 *
 * A rule carries the words for it. They are compiled in where QUILL_CHECK_WORDS is defined: in libaccel and the
 * tools, not in the firmware.
 */
#ifndef QUILL_ISA_CHECK_H
#define QUILL_ISA_CHECK_H

#include "isa.h"

#define QUILL_OFF(type, field)	((__u32)__builtin_offsetof(type, field))

/**
 * struct quill_op_info - an opcode's row of the command table
 */
struct quill_op_info {
	const char *name;
	__u8 opcode;
	__u8 engine;
	/** @ext: extension records, at least. */
	__u8 ext;
	/** @ext_max: and at most. */
	__u8 ext_max;
	/** @record: enum quill_record of each. */
	__u8 record[QUILL_MAX_RECORDS];
	__u16 flags;
	__u32 types_a;
	__u32 types_b;
	__u32 types_d;
};

/* The row of @opcode, or NULL. */
static inline const struct quill_op_info *quill_op_info(__u32 opcode)
{
	static const struct quill_op_info table[QUILL_OP_EXT] = {
#define QUILL_X(NAME, name, code, engine, ext, most, r0, r1, r2, r3, flags, ta, tb, td)		\
		[code] = { #NAME, code, QUILL_ENGINE_##engine, ext, most,			\
			   { QUILL_RECORD_##r0, QUILL_RECORD_##r1, QUILL_RECORD_##r2,		\
			     QUILL_RECORD_##r3 }, flags, ta, tb, td },
		QUILL_OPCODES(QUILL_X)
#undef QUILL_X
	};

	if (opcode >= QUILL_OP_EXT || !table[opcode].opcode)
		return (const struct quill_op_info *)0;
	return &table[opcode];
}

/* A bit for each byte of a record that has to be zero, from its list of fields. */
static inline __u64 quill_record_zero(__u32 record)
{
#define QUILL_BYTES(rec, field)									\
	(((sizeof(((union quill_cmd *)0)->rec.field) < 64 ?					\
	   1ull << sizeof(((union quill_cmd *)0)->rec.field) : 0) - 1) <<			\
	 QUILL_OFF(union quill_cmd, rec.field))
#define QUILL_ZERO_ADDR(rec, field)	0
#define QUILL_ZERO_DIM(rec, field)	0
#define QUILL_ZERO_STRIDE(rec, field)	0
#define QUILL_ZERO_SIZE(rec, field)	0
#define QUILL_ZERO_NUMBER(rec, field)	0
#define QUILL_ZERO_SIGNED(rec, field)	0
#define QUILL_ZERO_REAL(rec, field)	0
#define QUILL_ZERO_TARGET(rec, field)	0
#define QUILL_ZERO_WORD(rec, field)	0
#define QUILL_ZERO_ZERO(rec, field)	QUILL_BYTES(rec, field)
#define QUILL_F(rec, field, kind)	| QUILL_ZERO_##kind(rec, field)
	static const __u64 zero[] = {
		0,
#define QUILL_R(name, type)	0 QUILL_FIELDS_##name(QUILL_F),
		QUILL_RECORDS(QUILL_R)
#undef QUILL_R
#undef QUILL_F
	};
	/* A field that is missing in its list would be one that nobody checks. */
#define QUILL_F(rec, field, kind)	+ sizeof(((union quill_cmd *)0)->rec.field)
#define QUILL_R(name, type)									\
	_Static_assert(0 QUILL_FIELDS_##name(QUILL_F) + sizeof(struct quill_cmd_hdr) ==		\
		       QUILL_CMD_SIZE, "the fields of " #name " are its body");
	QUILL_RECORDS(QUILL_R)
#undef QUILL_R
#undef QUILL_F

	return zero[record];
}

/**
 * struct quill_check - what was wrong
 */
struct quill_check {
	/** @fault: enum quill_fault. */
	__u32 fault;
	/** @record: 0, or which of the extension records. */
	__u32 record;
	/** @offset: of the field at fault in that record. */
	__u32 offset;
	/**
	 * @required: what it has to be, where QUILL_CHECK_WORDS is defined, else NULL. Behind a "|" stands the name of
	 * a field of record 0 or of the header that the words speak of.
	 */
	const char *required;
};

#ifdef QUILL_CHECK_WORDS
#define QUILL_WORDS(words)	(words)
#else
#define QUILL_WORDS(words)	((const char *)0)
#endif

static inline __u32 quill_check_fail(struct quill_check *why, __u32 fault, __u32 record,
				     __u32 offset, const char *required)
{
	why->fault = fault;
	why->record = record;
	why->offset = offset;
	why->required = required;
	return fault;
}

/* [addr, addr + (rows - 1) * stride + width), all in bytes, lies below 2^48 and not at 0. */
static inline int quill_check_range(__u64 addr, __u32 rows, __u64 stride, __u64 width)
{
	const __u64 end = 1ull << QUILL_VA_BITS;

	/* rows <= 2^24 and stride <= 2^34 by the callers' types and limits: no overflow */
	if (addr == 0 || addr >= end || width > end)
		return 0;
	return (__u64)(rows - 1) * stride + width <= end - addr;
}

static inline int quill_f32_finite(__u32 bits)
{
	return (bits & 0x7f800000) != 0x7f800000;
}

/* The reserved bytes of one record. */
static inline __u32 quill_check_zero(const union quill_cmd *cmd, __u32 record, __u32 kind,
				     struct quill_check *why)
{
	const __u32 *words = (const __u32 *)&cmd[record];
	__u64 zero = quill_record_zero(kind);
	__u32 half, left, i, byte;

	/* The control processor does this for every command: by words, but where one may be at fault. */
	for (half = 0; half < 2; half++, words += 8) {
		left = (__u32)(zero >> (32 * half));
		for (i = 0; left; i++, left >>= 4) {
			if (!(left & 15) || !words[i])
				continue;
			for (byte = 0; byte < 4; byte++)
				if ((left >> byte & 1) && words[i] >> (8 * byte) & 0xff)
					return quill_check_fail(why, QUILL_FAULT_RESERVED, record,
								half * 32 + i * 4 + byte,
								QUILL_WORDS("0 (reserved)"));
		}
	}
	return QUILL_FAULT_NONE;
}

/* @rec: 0, or which extension; @name: the record in union quill_cmd; @words: as quill_check.required. */
#define QUILL_REQUIRE(cond, fault, rec, name, field, words)					\
	do {											\
		if (!(cond))									\
			return quill_check_fail(why, QUILL_FAULT_##fault, rec,			\
						QUILL_OFF(union quill_cmd, name.field),		\
						QUILL_WORDS(words));				\
	} while (0)

#define QUILL_IN_48_BITS	\
	"an address that is not 0, from which all of the operand lies below 2^48"

/*
 * A matrix of @size-byte elements: stride, alignment, range. @field names its address, @stride_field its stride, of which
 * @words say what it must be.
 */
#define QUILL_REQUIRE_MATRIX_AS(addr, rows, stride, n, size, rec, name, field, stride_field, words) \
	do {											\
		QUILL_REQUIRE((rows) == 1 || (stride) >= (n), STRIDE, rec, name, stride_field,	\
			      words);								\
		QUILL_REQUIRE(!((addr) & ((size) - 1)), ALIGN, rec, name, field,		\
			      (size) == 4 ? "a multiple of 4" :					\
					    "a multiple of the element's size");		\
		QUILL_REQUIRE(quill_check_range(addr, rows, (__u64)(stride) * (size),		\
						(__u64)(n) * (size)), RANGE, rec, name, field,	\
			      QUILL_IN_48_BITS);						\
	} while (0)

#define QUILL_REQUIRE_MATRIX(addr, rows, stride, n, size, rec, name, field, stride_field)	\
	QUILL_REQUIRE_MATRIX_AS(addr, rows, stride, n, size, rec, name, field, stride_field,	\
				"at least n|n")

/* One row, of @size-byte elements: no stride to name. */
#define QUILL_REQUIRE_ROW(addr, n, rec, name, field)						\
	QUILL_REQUIRE_MATRIX(addr, 1, 0, n, 4, rec, name, field, field)

/* Rows and columns of a VECTOR command. */
#define QUILL_REQUIRE_DIMS(c, name)								\
	do {											\
		QUILL_REQUIRE((c)->rows && (c)->rows <= QUILL_VECTOR_MAX_ROWS, SHAPE, 0, name,	\
			      rows, "1..2^24");							\
		QUILL_REQUIRE((c)->n && (c)->n <= QUILL_VECTOR_MAX_N, SHAPE, 0, name, n,	\
			      "1..2^24");							\
	} while (0)

#include "isa_check_control.h"
#include "isa_check_dma.h"
#include "isa_check_tensor.h"
#include "isa_check_attention.h"
#include "isa_check_vector.h"
#include "isa_check_sample.h"
#include "isa_check_conv.h"
#include "isa_check_format.h"

static inline __u32 quill_check_header(const union quill_cmd *cmd, __u32 records,
				       const struct quill_op_info *op, struct quill_check *why)
{
	const struct quill_cmd_hdr *h = &cmd->hdr;
	__u32 i;

	QUILL_REQUIRE(op, OPCODE, 0, hdr, opcode, "an opcode of isa.h");
	QUILL_REQUIRE(h->version == 0, OPCODE, 0, hdr, version, "0");
	QUILL_REQUIRE(!(h->flags & ~op->flags), FLAGS, 0, hdr, flags,
		      "none but the flags that the command has");
	QUILL_REQUIRE(h->type_a < 32 && op->types_a >> h->type_a & 1, TYPE, 0, hdr, type_a,
		      "a type that the command takes");
	QUILL_REQUIRE(h->type_b < 32 && op->types_b >> h->type_b & 1, TYPE, 0, hdr, type_b,
		      "a type that the command takes");
	QUILL_REQUIRE(h->type_d < 32 && op->types_d >> h->type_d & 1, TYPE, 0, hdr, type_d,
		      "a type that the command gives (1 S8, 2 S32, 3 F32 ...)");
	QUILL_REQUIRE(h->wait_sem < QUILL_SEMAPHORES, SEMAPHORE, 0, hdr, wait_sem,
		      "0 (none) or 1..31");
	QUILL_REQUIRE(h->signal_sem < QUILL_SEMAPHORES, SEMAPHORE, 0, hdr, signal_sem,
		      "0 (none) or 1..31");
	QUILL_REQUIRE(h->wait_sem || !h->wait_value, RESERVED, 0, hdr, wait_value,
		      "0, since wait_sem is 0");
	QUILL_REQUIRE(h->ext >= op->ext && h->ext <= op->ext_max && h->ext < records, EXT, 0, hdr,
		      ext, "the extension records of the command, all at hand");
	for (i = 1; i <= h->ext; i++) {
		QUILL_REQUIRE(cmd[i].hdr.opcode == QUILL_OP_EXT, EXT, i, hdr, opcode,
			      "127: an extension record");
		QUILL_REQUIRE((cmd[i].raw[0] & ~0xffull) == 0 && cmd[i].raw[1] == 0, RESERVED, i,
			      hdr, version, "0, as all of an extension's header but the opcode");
	}
	return QUILL_FAULT_NONE;
}

/**
 * quill_cmd_check() - hold a command against the rules of isa.h
 * @cmd: the record, and behind it as many as @records says
 * @records: records that can be read from @cmd on, at least 1
 * @why: what was wrong, if anything was
 *
 * A jump's target is left to the firmware, which knows the stream.
 *
 * Return: enum quill_fault, 0 if the command may run.
 */
static inline __u32 quill_cmd_check(const union quill_cmd *cmd, __u32 records,
				    struct quill_check *why)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	__u32 fault = quill_check_header(cmd, records, op, why);
	__u32 i;

	for (i = 0; !fault && i <= cmd->hdr.ext; i++)
		fault = quill_check_zero(cmd, i, op->record[i], why);
	if (fault)
		return fault;

	switch (cmd->hdr.opcode) {
#define QUILL_X(NAME, name, code, ...)								\
	case code:										\
		return quill_check_##name(cmd, why);
	QUILL_OPCODES(QUILL_X)
#undef QUILL_X
	default:
		return quill_check_fail(why, QUILL_FAULT_OPCODE, 0, 0, (const char *)0);
	}
}

#undef QUILL_REQUIRE_DIMS
#undef QUILL_REQUIRE_ROW
#undef QUILL_REQUIRE_MATRIX
#undef QUILL_REQUIRE_MATRIX_AS
#undef QUILL_REQUIRE

#endif /* QUILL_ISA_CHECK_H */
