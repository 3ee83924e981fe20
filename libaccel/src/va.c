// SPDX-License-Identifier: MIT
/*
 * Which device addresses of a VM are in use.
 *
 * A treap by address, in which each subtree knows its largest gap: a bind, an unbind and the search for a free range
 * take logarithmic time, however many there are and in whatever order.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct accel_va_range {
	uint64_t start, end;
	struct accel_va_range *left, *right;
	/* A heap by this keeps the tree balanced. */
	uint32_t rank;
	/* Of the subtree: its first and its last address, and its largest gap between ranges. */
	uint64_t first, last, gap;
};

void accel_va_init(struct accel_va *va, uint64_t start, uint64_t end)
{
	*va = (struct accel_va) { .start = start, .end = end, .random = 1 };
}

static void accel_va_free(struct accel_va_range *r)
{
	if (!r)
		return;
	accel_va_free(r->left);
	accel_va_free(r->right);
	free(r);
}

void accel_va_fini(struct accel_va *va)
{
	accel_va_free(va->root);
	free(va->spare);
}

/* A range for what one add or remove needs, so that these cannot fail after the ioctl. */
int accel_va_reserve(struct accel_va *va)
{
	if (!va->spare)
		va->spare = calloc(1, sizeof(*va->spare));
	return va->spare ? 0 : -ENOMEM;
}

/* ---- The tree ---- */

static uint64_t accel_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct accel_va_range *accel_va_update(struct accel_va_range *r)
{
	r->first = r->left ? r->left->first : r->start;
	r->last = r->right ? r->right->last : r->end;
	r->gap = 0;
	if (r->left)
		r->gap = accel_max(r->left->gap, r->start - r->left->last);
	if (r->right)
		r->gap = accel_max(r->gap, accel_max(r->right->gap, r->right->first - r->end));
	return r;
}

/* Into those that start below @addr, and the others. */
static void accel_va_split(struct accel_va_range *r, uint64_t addr, struct accel_va_range **below,
			   struct accel_va_range **others)
{
	if (!r) {
		*below = *others = NULL;
	} else if (r->start < addr) {
		accel_va_split(r->right, addr, &r->right, others);
		*below = accel_va_update(r);
	} else {
		accel_va_split(r->left, addr, below, &r->left);
		*others = accel_va_update(r);
	}
}

/* All of @a is below all of @b. */
static struct accel_va_range *accel_va_join(struct accel_va_range *a, struct accel_va_range *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->rank > b->rank) {
		a->right = accel_va_join(a->right, b);
		return accel_va_update(a);
	}
	b->left = accel_va_join(a, b->left);
	return accel_va_update(b);
}

static struct accel_va_range *accel_va_use_spare(struct accel_va *va, uint64_t start, uint64_t end)
{
	struct accel_va_range *r = va->spare;

	va->spare = NULL;
	va->random = va->random * 1664525u + 1013904223u;
	*r = (struct accel_va_range) { .start = start, .end = end, .rank = va->random };
	return accel_va_update(r);
}

/* The last range of @r now ends at @end. */
static void accel_va_trim_last(struct accel_va_range *r, uint64_t end)
{
	if (r->right)
		accel_va_trim_last(r->right, end);
	else
		r->end = end;
	accel_va_update(r);
}

/* ---- What a VM asks ---- */

bool accel_va_in_use(const struct accel_va *va, uint64_t start, uint64_t size)
{
	const struct accel_va_range *r = va->root;

	while (r && !(r->start < start + size && r->end > start))
		r = r->end <= start ? r->right : r->left;
	return r;
}

/* Where @size bytes go in the gap from @from to @to; 0: nowhere. */
static uint64_t accel_va_fit(uint64_t from, uint64_t to, uint64_t size, uint64_t align, uint64_t guard)
{
	uint64_t at = ACCEL_ALIGN(from + guard, align);

	/* at is below 2^49, by the limits of a VM: only size can be absurd */
	return at + guard <= to && size <= to - at - guard ? at : 0;
}

/* The first gap between ranges of @r that does. */
static uint64_t accel_va_find_in(const struct accel_va_range *r, uint64_t size, uint64_t align, uint64_t guard)
{
	uint64_t at = 0;

	/* a gap can be large enough but for its alignment: then the search goes on */
	if (!r || r->gap < size)
		return 0;
	if (r->left) {
		at = accel_va_find_in(r->left, size, align, guard);
		if (!at)
			at = accel_va_fit(r->left->last, r->start, size, align, guard);
	}
	if (!at && r->right) {
		at = accel_va_fit(r->end, r->right->first, size, align, guard);
		if (!at)
			at = accel_va_find_in(r->right, size, align, guard);
	}
	return at;
}

/* First free range of @size bytes, with @guard free bytes on both sides; 0 if there is none. */
uint64_t accel_va_find(const struct accel_va *va, uint64_t size, uint64_t align, uint64_t guard)
{
	const struct accel_va_range *r = va->root;
	uint64_t at = accel_va_fit(va->start, r ? r->first : va->end, size, align, guard);

	if (!at)
		at = accel_va_find_in(r, size, align, guard);
	if (!at && r)
		at = accel_va_fit(r->last, va->end, size, align, guard);
	return at;
}

/* After accel_va_reserve(); the range is free. */
void accel_va_add(struct accel_va *va, uint64_t start, uint64_t size)
{
	struct accel_va_range *below, *above;

	accel_va_split(va->root, start, &below, &above);
	below = accel_va_join(below, accel_va_use_spare(va, start, start + size));
	va->root = accel_va_join(below, above);
}

/* After accel_va_reserve(); cuts what overlaps. */
void accel_va_remove(struct accel_va *va, uint64_t start, uint64_t size)
{
	struct accel_va_range *below, *cut, *above;
	uint64_t end = start + size, last = 0;

	accel_va_split(va->root, start, &below, &above);
	accel_va_split(above, end, &cut, &above);
	if (cut)
		last = cut->last;
	if (below && below->last > start) {
		last = accel_max(last, below->last);
		accel_va_trim_last(below, start);
	}
	accel_va_free(cut);
	if (last > end)
		above = accel_va_join(accel_va_use_spare(va, end, last), above);
	va->root = accel_va_join(below, above);
}
