// SPDX-License-Identifier: MIT
/*
 * Which device addresses of a VM are in use.
 *
 * A sorted array: binds are rare beside jobs, and a program has hundreds of them, not millions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void accel_va_init(struct accel_va *va, uint64_t start, uint64_t end)
{
	*va = (struct accel_va) { .start = start, .end = end };
}

void accel_va_fini(struct accel_va *va)
{
	free(va->ranges);
}

/* Room for what one add or remove needs, so that these cannot fail after the ioctl. */
int accel_va_reserve(struct accel_va *va)
{
	size_t room = va->room ? va->room * 2 : 16;
	struct accel_va_range *ranges;

	if (va->count < va->room)
		return 0;
	ranges = realloc(va->ranges, room * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	va->ranges = ranges;
	va->room = room;
	return 0;
}

/* Index of the first range that ends behind @addr. */
static size_t accel_va_lookup(const struct accel_va *va, uint64_t addr)
{
	size_t lo = 0, hi = va->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (va->ranges[mid].end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

bool accel_va_in_use(const struct accel_va *va, uint64_t start, uint64_t size)
{
	size_t i = accel_va_lookup(va, start);

	return i < va->count && va->ranges[i].start < start + size;
}

/* First free range of @size bytes, with @guard free bytes on both sides; 0 if there is none. */
uint64_t accel_va_find(const struct accel_va *va, uint64_t size, uint64_t align, uint64_t guard)
{
	uint64_t free_from = va->start;
	size_t i;

	for (i = 0; i <= va->count; i++) {
		uint64_t free_to = i < va->count ? va->ranges[i].start : va->end;
		uint64_t at = ACCEL_ALIGN(free_from + guard, align);

		/* at is below 2^49, by the limits of a VM: only size can be absurd */
		if (at + guard <= free_to && size <= free_to - at - guard)
			return at;
		if (i < va->count)
			free_from = va->ranges[i].end;
	}
	return 0;
}

static void accel_va_insert(struct accel_va *va, size_t i, uint64_t start, uint64_t end)
{
	memmove(&va->ranges[i + 1], &va->ranges[i], (va->count - i) * sizeof(*va->ranges));
	va->ranges[i] = (struct accel_va_range) { start, end };
	va->count++;
}

/* After accel_va_reserve(); the range is free. */
void accel_va_add(struct accel_va *va, uint64_t start, uint64_t size)
{
	accel_va_insert(va, accel_va_lookup(va, start), start, start + size);
}

/* After accel_va_reserve(); cuts what overlaps. */
void accel_va_remove(struct accel_va *va, uint64_t start, uint64_t size)
{
	uint64_t end = start + size;
	size_t i = accel_va_lookup(va, start), gone;

	if (i < va->count && va->ranges[i].start < start) {
		uint64_t old_end = va->ranges[i].end;

		va->ranges[i++].end = start;
		if (old_end > end) {
			accel_va_insert(va, i, end, old_end);
			return;
		}
	}
	for (gone = i; gone < va->count && va->ranges[gone].end <= end; gone++)
		;
	memmove(&va->ranges[i], &va->ranges[gone], (va->count - gone) * sizeof(*va->ranges));
	va->count -= gone - i;
	if (i < va->count && va->ranges[i].start < end)
		va->ranges[i].start = end;
}
