// SPDX-License-Identifier: MIT
/*
 * The harness: guest memory, page tables, buffers.
 *
 * Guest memory is a memfd, so that pages which lie scattered in it can be shown to the test as one
 * piece: the test's view of a buffer is a second mapping.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host_internal.h"

#define PAGE		QUILL_PAGE_SIZE
#define FIRST_VA	0x100000ull

/* Not of the memfd: the host may have no huge pages for one. */
static void map_huge(struct quill_host *h)
{
	h->ram = mmap(NULL, h->config.ram, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (h->ram != MAP_FAILED)
		madvise(h->ram, h->config.ram, MADV_HUGEPAGE);
}

static void map_memfd(struct quill_host *h)
{
	h->memfd = memfd_create("quill-ram", MFD_CLOEXEC);
	if (h->memfd < 0 || ftruncate(h->memfd, h->config.ram))
		qh_die("guest memory of %zu bytes: %s", h->config.ram, strerror(errno));
	h->ram = mmap(NULL, h->config.ram, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		      h->memfd, 0);
}

void qh_memory_init(struct quill_host *h)
{
	h->memfd = -1;
	if (h->config.huge && !h->config.scatter)
		map_huge(h);
	else
		map_memfd(h);
	if (h->ram == MAP_FAILED)
		qh_die("guest memory of %zu bytes: %s", h->config.ram, strerror(errno));
	pthread_mutex_init(&h->memory_lock, NULL);
}

void qh_memory_exit(struct quill_host *h)
{
	size_t i;

	for (i = 0; i < h->n_bufs; i++) {
		if (h->config.scatter)
			munmap(h->bufs[i]->ptr, (h->bufs[i]->size + PAGE - 1) & ~(PAGE - 1ul));
		free(h->bufs[i]);
	}
	free(h->bufs);
	munmap(h->ram, h->config.ram);
	if (h->memfd >= 0)
		close(h->memfd);
	pthread_mutex_destroy(&h->memory_lock);
}

void *qh_dma_map(void *opaque, uint64_t addr, uint64_t *len, bool write)
{
	struct quill_host *h = opaque;
	uint64_t hole = atomic_load(&h->hole);
	uint64_t off = addr - QH_RAM_BASE;

	if (off >= h->config.ram || addr - hole < atomic_load(&h->hole_size))
		return NULL;
	if (addr < hole && *len > hole - addr)
		*len = hole - addr;
	if (*len > h->config.ram - off)
		*len = h->config.ram - off;
	if (h->config.map_limit && *len > h->config.map_limit)
		*len = h->config.map_limit;
	atomic_fetch_add(&h->maps, 1);
	return h->ram + off;
}

void qh_dma_unmap(void *opaque, void *ptr, uint64_t len, bool write, uint64_t written)
{
	struct quill_host *h = opaque;

	if (written > len || (written && !write))
		qh_die("dma_unmap: %llu bytes written of %llu mapped for %s",
		       (unsigned long long)written, (unsigned long long)len,
		       write ? "writing" : "reading");
	atomic_fetch_sub(&h->maps, 1);
}

void qh_hole(struct quill_host *h, uint64_t bus, uint64_t size)
{
	atomic_store(&h->hole_size, 0);
	atomic_store(&h->hole, bus);
	atomic_store(&h->hole_size, size);
}

long qh_dma_maps(struct quill_host *h)
{
	return atomic_load(&h->maps);
}

void *qh_ram(struct quill_host *h, uint64_t bus)
{
	if (bus - QH_RAM_BASE >= h->config.ram)
		qh_die("bus address %#llx is not RAM", (unsigned long long)bus);
	return h->ram + (bus - QH_RAM_BASE);
}

static uint64_t ram_alloc(struct quill_host *h, size_t size, size_t align)
{
	uint64_t at = (h->ram_used + align - 1) & ~(align - 1);

	if (at > h->config.ram || size > h->config.ram - at)
		qh_die("guest memory is used up: %zu bytes wanted, %zu of %zu are left", size,
		       h->config.ram - (size_t)h->ram_used, h->config.ram);
	h->ram_used = at + size;
	return QH_RAM_BASE + at;
}

uint64_t qh_ram_alloc(struct quill_host *h, size_t size, size_t align)
{
	uint64_t bus;

	pthread_mutex_lock(&h->memory_lock);
	bus = ram_alloc(h, size, align);
	pthread_mutex_unlock(&h->memory_lock);
	return bus;
}

/* ---- page tables ------------------------------------------------------------ */

uint32_t qh_as_create(struct quill_host *h)
{
	struct qh_space *s;
	uint32_t as;

	pthread_mutex_lock(&h->memory_lock);
	as = ++h->n_spaces;
	if (as >= QUILL_MAX_AS)
		qh_die("address spaces are used up: there are %u", QUILL_MAX_AS - 1);
	s = &h->spaces[as];
	s->root = ram_alloc(h, PAGE, PAGE);
	s->next = FIRST_VA;
	pthread_mutex_unlock(&h->memory_lock);
	qh_write(h, QUILL_REG_AS(as) + QUILL_AS_ROOT_LO, s->root);
	qh_write(h, QUILL_REG_AS(as) + QUILL_AS_ROOT_HI, s->root >> 32);
	qh_write(h, QUILL_REG_AS(as) + QUILL_AS_CTRL, QUILL_AS_CTRL_ENABLE);
	return as;
}

void qh_as_disable(struct quill_host *h, uint32_t as)
{
	qh_write(h, QUILL_REG_AS(as) + QUILL_AS_CTRL, 0);
	qh_invalidate(h, as);
}

/* The entry of @va at @level; tables on the way are made. */
static uint64_t *entry_at(struct quill_host *h, uint32_t as, uint64_t va, int level)
{
	uint64_t *table = qh_ram(h, h->spaces[as].root);
	uint64_t *e;
	int l;

	for (l = QUILL_PT_LEVELS - 1; ; l--) {
		e = &table[va >> QUILL_PT_SHIFT(l) & (QUILL_PT_ENTRIES - 1)];
		if (l == level)
			return e;
		if (*e & QUILL_PTE_LEAF)
			qh_die("%#llx lies in a 2 MiB page", (unsigned long long)va);
		if (!*e)
			__atomic_store_n(e, ram_alloc(h, PAGE, PAGE) | QUILL_PTE_VALID,
					 __ATOMIC_RELEASE);
		table = qh_ram(h, *e & QUILL_PTE_ADDR_MASK);
	}
}

uint64_t *qh_pte(struct quill_host *h, uint32_t as, uint64_t va)
{
	uint64_t *e;

	pthread_mutex_lock(&h->memory_lock);
	e = entry_at(h, as, va, 0);
	pthread_mutex_unlock(&h->memory_lock);
	return e;
}

void qh_map(struct quill_host *h, uint32_t as, uint64_t va, uint64_t bus, uint64_t size,
	    uint64_t bits)
{
	uint64_t step, *e;
	bool huge;

	pthread_mutex_lock(&h->memory_lock);
	for (; size; va += step, bus += step, size -= step) {
		huge = !((va | bus) & (QUILL_HUGE_SIZE - 1)) && size >= QUILL_HUGE_SIZE;
		step = huge ? QUILL_HUGE_SIZE : PAGE;
		if (step > size)
			qh_die("qh_map: size is not a multiple of the page");
		e = entry_at(h, as, va, huge);
		__atomic_store_n(e, bus | bits | QUILL_PTE_VALID | QUILL_PTE_LEAF,
				 __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&h->memory_lock);
}

void qh_invalidate(struct quill_host *h, uint32_t as)
{
	qh_write(h, QUILL_REG_MMU_INVALIDATE, as);
	while (qh_read(h, QUILL_REG_MMU_STATUS) & QUILL_MMU_STATUS_BUSY)
		usleep(20);
}

void qh_unmap(struct quill_host *h, uint32_t as, uint64_t va, uint64_t size)
{
	uint64_t step, *e;

	pthread_mutex_lock(&h->memory_lock);
	for (; size; va += step, size -= step < size ? step : size) {
		step = QUILL_HUGE_SIZE;
		e = entry_at(h, as, va, 1);
		if (!(*e & QUILL_PTE_LEAF)) {
			step = PAGE;
			e = entry_at(h, as, va, 0);
		}
		__atomic_store_n(e, 0, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&h->memory_lock);
	qh_invalidate(h, as);
}

/* ---- buffers ------------------------------------------------------------------ */

/*
 * Show the pages of @b in the order that the device sees, which is the reverse of that
 * in memory: every page boundary is then a break.
 */
static void map_scattered(struct quill_host *h, struct qh_buf *b, size_t pages, uint64_t rights)
{
	uint64_t bus;
	size_t i;

	b->ptr = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->ptr == MAP_FAILED)
		qh_die("a buffer of %zu bytes: %s", b->size, strerror(errno));
	for (i = 0; i < pages; i++) {
		bus = b->bus + (pages - 1 - i) * PAGE;
		if (mmap(b->ptr + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 h->memfd, bus - QH_RAM_BASE) == MAP_FAILED)
			qh_die("a scattered buffer of %zu pages: %s", pages, strerror(errno));
		qh_map(h, b->as, b->va + i * PAGE, bus, PAGE, rights);
	}
	b->bus += (pages - 1) * PAGE;
}

struct qh_buf *qh_alloc_at(struct quill_host *h, uint32_t as, uint64_t va, size_t size,
			   uint64_t rights)
{
	size_t pages = (size + PAGE - 1) / PAGE;
	struct qh_buf *b = calloc(1, sizeof(*b));

	if (!b)
		qh_die("no memory");
	b->as = as;
	b->va = va;
	b->size = size;
	pthread_mutex_lock(&h->memory_lock);
	b->bus = ram_alloc(h, pages * PAGE,
			   va & (QUILL_HUGE_SIZE - 1) || size < QUILL_HUGE_SIZE ?
			   PAGE : QUILL_HUGE_SIZE);
	h->bufs = realloc(h->bufs, (h->n_bufs + 1) * sizeof(*h->bufs));
	if (!h->bufs)
		qh_die("no memory");
	h->bufs[h->n_bufs++] = b;
	pthread_mutex_unlock(&h->memory_lock);
	if (h->config.scatter) {
		map_scattered(h, b, pages, rights);
	} else {
		b->ptr = qh_ram(h, b->bus);
		qh_map(h, as, va, b->bus, pages * PAGE, rights);
	}
	return b;
}

struct qh_buf *qh_alloc(struct quill_host *h, uint32_t as, size_t size, uint64_t rights)
{
	uint64_t align = size >= QUILL_HUGE_SIZE ? QUILL_HUGE_SIZE : PAGE;
	struct qh_space *s = &h->spaces[as];
	uint64_t va;

	pthread_mutex_lock(&h->memory_lock);
	va = (s->next + PAGE + align - 1) & ~(align - 1);
	s->next = va + ((size + PAGE - 1) & ~(PAGE - 1ull));
	pthread_mutex_unlock(&h->memory_lock);
	return qh_alloc_at(h, as, va, size, rights);
}
