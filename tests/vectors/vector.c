// SPDX-License-Identifier: MIT
/* Vectors of the VECTOR engine: all kinds of vector_cases.c, in a few shapes. */
#include <stdlib.h>

#include "vector_cases.h"
#include "vectors.h"

enum { PLAIN, SPECIAL, IN_PLACE, SHAPES };

static const struct case_shape shapes[SHAPES] = {
	[PLAIN] = { .rows = 2, .n = 37, .pad = 3 },
	[SPECIAL] = { .rows = 5, .n = 33, .special = true },
	[IN_PLACE] = { .rows = 1, .n = 20, .in_place = true },
};

static void make_case(struct vector *v, uint32_t mode)
{
	struct vector_case c = {
		.h = v->h, .s = &v->s, .as = v->as, .rnd = v->rnd, .shape = shapes[mode % SHAPES],
	};
	unsigned int i;

	case_make(&c, &case_kinds[mode / SHAPES]);
	for (i = 0; i < c.ops; i++)
		vector_region(v, c.op[i].buf, c.op[i].want);
	case_free(&c);
}

/* Each kind in each shape. */
static const struct vector_row *table(unsigned int *count)
{
	static const char *const suffix[SHAPES] = { "", ", special values", ", in place" };
	static struct vector_row rows[SHAPES * 128];
	static char names[SHAPES * 128][64];
	unsigned int i;

	*count = SHAPES * case_kinds_all;
	if (*count > SHAPES * 128)
		abort();
	for (i = 0; i < *count; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%s", case_kinds[i / SHAPES].name,
			 suffix[i % SHAPES]);
		rows[i] = (struct vector_row){ names[i], make_case, i };
	}
	return rows;
}

const struct vector_file vector_file_vector = { "vector.txt", table };
