/* SPDX-License-Identifier: MIT */
/* Memory whose last byte lies before a page that cannot be touched. */
#ifndef GUARD_H
#define GUARD_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static inline size_t guard_mapped(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page + page;
}

/* @size bytes, zeroed; what is beyond them faults. */
static inline void *guard_alloc(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all = guard_mapped(size);
	uint8_t *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + all - page, page, PROT_NONE))
		abort();
	return p + all - page - size;
}

static inline void guard_free(void *p, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all = guard_mapped(size);

	if (p)
		munmap((uint8_t *)p + size + page - all, all);
}

#endif /* GUARD_H */
