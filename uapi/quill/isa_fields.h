/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the fields of records as a table, from the lists in isa.h: for what prints commands, and what makes them up.
 */
#ifndef QUILL_ISA_FIELDS_H
#define QUILL_ISA_FIELDS_H

#include <string.h>

#include "isa_check.h"

/* As isa.h explains them. */
enum quill_kind {
	QUILL_KIND_ADDR,
	QUILL_KIND_DIM,
	QUILL_KIND_STRIDE,
	QUILL_KIND_SIZE,
	QUILL_KIND_NUMBER,
	QUILL_KIND_SIGNED,
	QUILL_KIND_REAL,
	QUILL_KIND_TARGET,
	QUILL_KIND_WORD,
	QUILL_KIND_ZERO,
};

/**
 * struct quill_field - a field of a record
 */
struct quill_field {
	/** @record: enum quill_record; QUILL_RECORD_none: the header. */
	__u8 record;
	__u8 offset;
	/** @size: bytes; of an array, all of them. */
	__u8 size;
	/** @kind: enum quill_kind. */
	__u8 kind;
	const char *name;
};

#define QUILL_FIELD(id, rec, field, kind)							\
	{ id, QUILL_OFF(union quill_cmd, rec.field),						\
	  sizeof(((union quill_cmd *)0)->rec.field), QUILL_KIND_##kind, #field },

/* Every field, the header's first, record by record. */
static const struct quill_field quill_fields[] = {
	QUILL_FIELD(QUILL_RECORD_none, hdr, opcode, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, version, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, flags, WORD)
	QUILL_FIELD(QUILL_RECORD_none, hdr, type_a, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, type_b, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, type_d, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, ext, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, wait_sem, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, signal_sem, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, seq, NUMBER)
	QUILL_FIELD(QUILL_RECORD_none, hdr, wait_value, NUMBER)
#define QUILL_F(rec, field, kind)	QUILL_FIELD(QUILL_RECORD_##rec, rec, field, kind)
#define QUILL_R(name, type)		QUILL_FIELDS_##name(QUILL_F)
	QUILL_RECORDS(QUILL_R)
#undef QUILL_R
#undef QUILL_F
};

#define QUILL_FIELD_COUNT	(sizeof(quill_fields) / sizeof(quill_fields[0]))

/* The field of that kind of record that holds byte @offset, or NULL. */
static inline const struct quill_field *quill_field_at(__u32 record, __u32 offset)
{
	__u32 i;

	for (i = 0; i < QUILL_FIELD_COUNT; i++)
		if (quill_fields[i].record == record &&
		    offset - quill_fields[i].offset < quill_fields[i].size)
			return &quill_fields[i];
	return NULL;
}

/* The field of that kind of record by its name, or NULL. */
static inline const struct quill_field *quill_field_named(__u32 record, const char *name)
{
	__u32 i;

	for (i = 0; i < QUILL_FIELD_COUNT; i++)
		if (quill_fields[i].record == record && !strcmp(quill_fields[i].name, name))
			return &quill_fields[i];
	return NULL;
}

#endif /* QUILL_ISA_FIELDS_H */
