/* SPDX-License-Identifier: MIT */
/*
 * Every VECTOR command in every mode, ready to run: operands in the device's memory, the command in a stream, and
 * what the reference says the result is.
 */
#ifndef VECTOR_CASES_H
#define VECTOR_CASES_H

#include "quill_host.h"
#include "ref.h"

/* struct case_operand - rows of @width bytes, @stride apart */
struct case_operand {
	const char *name;
	struct qh_buf *buf;
	uint32_t rows;
	uint64_t stride, width;
	bool write;
	/* of a result: what all of @buf is to be afterwards */
	uint8_t *want;
	/* GATHER's table: row index[i] is looked at i-th, for i below @lookups */
	const int32_t *index;
	uint32_t lookups;
};

/* struct case_shape - as near to it as the command permits */
struct case_shape {
	uint32_t rows, n;
	uint32_t pad;		/* elements from a row's end to the next row, and some more */
	bool special;		/* some elements are NaN, infinite, -0, or denormal */
	bool in_place;		/* the result is the first operand, where that may be */
};

struct vector_case {
	struct quill_host *h;
	struct qh_stream *s;
	uint32_t as;
	struct ref_random rnd;
	struct case_shape shape;
	struct case_operand op[8];
	unsigned int ops;
};

struct case_kind {
	const char *name;
	void (*make)(struct vector_case *c, uint32_t mode);
	uint32_t mode;
};

extern const struct case_kind case_kinds[];
/* The first of them, among which all kinds of operands occur, and all. */
extern const unsigned int case_kinds_count;
extern const unsigned int case_kinds_all;

/** case_make() - append @kind's command to @c->s; @c has h, s, as, rnd and shape */
void case_make(struct vector_case *c, const struct case_kind *kind);
/** case_check() - fail unless all of the results' memory, gaps included, is as it should be */
void case_check(const struct vector_case *c, const struct case_kind *kind);
void case_free(struct vector_case *c);

#endif /* VECTOR_CASES_H */
