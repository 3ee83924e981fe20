/* SPDX-License-Identifier: MIT */
/*
 * Vectors: commands, the memory that they find, and the memory that they must leave, as text. README.md has the format.
 *
 * To add one, add a row to the table of a file here (gemm.c, say), which names a function that makes it:
 *
 *	static void make_fill(struct vector *v, uint32_t mode)
 *	{
 *		struct vector_region *dst = vector_result(v, 100);	// 100 bytes, all UNTOUCHED
 *
 *		qh_fill(&v->s, dst->buf->va, 1, mode, 90);		// the command
 *		memset(dst->want, mode, 90);				// what the reference says
 *	}
 *
 * and run "make vectors". The rows are made from their name alone: the same bytes on every machine.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdio.h>

#include "quill_host.h"
#include "ref.h"

/* What memory holds that nothing was said about. */
#define UNTOUCHED	0x77

#define VECTOR_MAX_REGIONS	24

/* struct vector_region - contiguous memory, not near any other */
struct vector_region {
	struct qh_buf *buf;
	/* of what commands write: the bytes that all of @buf is to have afterwards; else NULL */
	uint8_t *want;
};

struct vector {
	const char *name;
	struct quill_host *h;
	uint32_t as;
	struct qh_stream s;
	struct ref_random rnd;
	struct vector_region region[VECTOR_MAX_REGIONS];
	unsigned int regions;
};

struct vector_row {
	const char *name;
	void (*make)(struct vector *v, uint32_t mode);
	uint32_t mode;
};

/* struct vector_file - a table, and the file that is made of it */
struct vector_file {
	const char *name;
	const struct vector_row *(*table)(unsigned int *count);
};

#define VECTOR_FILE(file, rows)								\
	static const struct vector_row *table_##file(unsigned int *count)		\
	{										\
		*count = sizeof(rows) / sizeof((rows)[0]);				\
		return rows;								\
	}										\
	const struct vector_file vector_file_##file = { #file ".txt", table_##file }

extern const struct vector_file *const vector_files[];
extern const unsigned int vector_file_count;

/* ---- For makers ---- */

/* Memory that is read: the caller fills in buf->ptr. */
struct vector_region *vector_operand(struct vector *v, size_t size);
/* Memory that is written: the caller changes want, which begins as UNTOUCHED. */
struct vector_region *vector_result(struct vector *v, size_t size);
/* The same, of a buffer that the maker has got from elsewhere; @want NULL: it is read, else copied. */
void vector_region(struct vector *v, struct qh_buf *buf, const void *want);
/* It is read and written: want begins as what is in it now. */
void vector_update(struct vector_region *r);

/* Operands with contents from v->rnd. */
struct vector_region *vector_bytes(struct vector *v, size_t count);
/* -4 .. 4, and with @special now and then a NaN, an infinity, -0 or a denormal */
struct vector_region *vector_floats(struct vector *v, size_t count, bool special);

/* ---- Making and reading ---- */

void vector_open(struct vector *v, const struct vector_row *row);
void vector_close(struct vector *v);
/* The file as text; the caller frees. */
char *vector_file_text(const struct vector_file *file);

/* struct vector_script - a vector as read from text */
struct vector_script {
	char name[96];
	union quill_cmd cmd[64];
	unsigned int records;
	struct {
		uint64_t va;
		uint32_t size;
		uint8_t *in, *out;	/* NULL: UNTOUCHED; not written */
	} region[VECTOR_MAX_REGIONS];
	unsigned int regions;
};

/*
 * The next vector of @text, which moves on. False: there is none, or *@error tells what is wrong with the text.
 */
bool vector_read(const char **text, struct vector_script *script, const char **error);
void vector_script_free(struct vector_script *script);

#endif /* VECTORS_H */
