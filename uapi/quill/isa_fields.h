/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the fields of records as a table, from the lists in isa.h: for what prints commands, and what makes them up.
 */
#ifndef QUILL_ISA_FIELDS_H
#define QUILL_ISA_FIELDS_H

#if defined(__KERNEL__)
#include <linux/string.h>
#else
#include <string.h>
#endif

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

/**
 * struct quill_name - what a number that a field may have is called; in a field of kind WORD, a bit
 */
struct quill_name {
	/** @record: enum quill_record; QUILL_RECORD_none: the header. */
	__u8 record;
	__u8 offset;
	__u32 value;
	const char *name;
};

#define QUILL_NAME(id, rec, field, number, name)						\
	{ id, QUILL_OFF(union quill_cmd, rec.field), number, #name },
#define QUILL_N(rec, field, prefix, name)							\
	QUILL_NAME(QUILL_RECORD_##rec, rec, field, QUILL_##prefix##_##name, name)
#define QUILL_H(field, prefix, name)								\
	QUILL_NAME(QUILL_RECORD_none, hdr, field, QUILL_##prefix##_##name, name)
#define QUILL_TYPES(field)									\
	QUILL_H(field, TYPE, NONE) QUILL_H(field, TYPE, S8) QUILL_H(field, TYPE, S32)		\
	QUILL_H(field, TYPE, F32) QUILL_H(field, TYPE, BF16) QUILL_H(field, TYPE, F16)		\
	QUILL_H(field, TYPE, E4M3) QUILL_H(field, TYPE, E5M2) QUILL_H(field, TYPE, Q8_0)	\
	QUILL_H(field, TYPE, Q4_0) QUILL_H(field, TYPE, S4)
/* ACT's operation, or in a GEMM that plus 1. */
#define QUILL_ACTS(N, rec, field)								\
	N(rec, field, ACT, RELU) N(rec, field, ACT, SIGMOID) N(rec, field, ACT, SILU)		\
	N(rec, field, ACT, TANH) N(rec, field, ACT, GELU) N(rec, field, ACT, GELU_ERF)
#define QUILL_N_PLUS_1(rec, field, prefix, name)						\
	QUILL_NAME(QUILL_RECORD_##rec, rec, field, QUILL_##prefix##_##name + 1, name)

static const struct quill_name quill_names[] = {
	QUILL_H(flags, CMD, ORDERED) QUILL_H(flags, CMD, CAUSAL) QUILL_H(flags, CMD, HALVES)
	QUILL_TYPES(type_a) QUILL_TYPES(type_b) QUILL_TYPES(type_d)
	QUILL_N(set, op, SET, VALUE) QUILL_N(set, op, SET, ADD) QUILL_N(set, op, SET, LOAD)
	QUILL_NAME(QUILL_RECORD_gemm_post, gemm_post, act, 0, NONE)
	QUILL_ACTS(QUILL_N_PLUS_1, gemm_post, act)
	QUILL_N(gemm_post, options, GEMM, ACCUMULATE) QUILL_N(gemm_post, options, GEMM, A_TRANSPOSED)
	QUILL_N(gemm_post, options, GEMM, B_ROWS) QUILL_N(gemm_post, options, GEMM, B_COLUMNS)
	QUILL_N(gemm_post, options, GEMM, SCALE_COLUMNS) QUILL_N(gemm_post, options, GEMM, SCALE_TENSOR)
	QUILL_N(attention_more, weights, WEIGHTS, F32) QUILL_N(attention_more, weights, WEIGHTS, S16)
	QUILL_N(eltwise, op, ELTWISE, ADD) QUILL_N(eltwise, op, ELTWISE, SUB)
	QUILL_N(eltwise, op, ELTWISE, MUL) QUILL_N(eltwise, op, ELTWISE, MAX)
	QUILL_N(eltwise, op, ELTWISE, MIN)
	QUILL_ACTS(QUILL_N, act, op)
	QUILL_N(reduce, op, REDUCE, SUM) QUILL_N(reduce, op, REDUCE, MAX)
	QUILL_N(reduce, op, REDUCE, ARGMAX)
	QUILL_N(pool, op, POOL, MAX) QUILL_N(pool, op, POOL, MEAN) QUILL_N(pool, op, POOL, MEAN_PADDED)
	QUILL_N(repack, order, REPACK, NK) QUILL_N(repack, order, REPACK, KN)
};

#define QUILL_NAME_COUNT	(sizeof(quill_names) / sizeof(quill_names[0]))

/* The next name, from @n on, of a number that @f may have, or NULL. */
static inline const struct quill_name *quill_field_name(const struct quill_field *f,
							const struct quill_name *n)
{
	for (; n < quill_names + QUILL_NAME_COUNT; n++)
		if (n->record == f->record && n->offset == f->offset)
			return n;
	return NULL;
}

#endif /* QUILL_ISA_FIELDS_H */
