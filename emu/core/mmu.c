// SPDX-License-Identifier: MIT
/*
 * Address translation: the page-table walk, the TLBs, invalidation, fault records.
 *
 * Each context (one a thread) has a TLB of its own. An entry is good while its generation is its
 * address space's; an invalidation makes the generation one more and touches no TLB. What it
 * has to wait for is accesses that began before: each context publishes the epoch in which its access
 * began, and the status register compares these with the epoch of the last invalidation.
 */
#include <string.h>

#include "core.h"

#define PTE_PERMS	(QUILL_PTE_READ | QUILL_PTE_WRITE)
#define LEAF_BITS	(QUILL_PTE_VALID | PTE_PERMS | QUILL_PTE_DEVMEM | QUILL_PTE_LEAF | \
			 QUILL_PTE_ADDR_MASK)
#define TABLE_BITS	(QUILL_PTE_VALID | QUILL_PTE_ADDR_MASK)

int mmu_init(struct quill_emu *emu)
{
	emu->mmu.epoch = 1;
	return pthread_mutex_init(&emu->mmu.lock, NULL);
}

void mmu_fini(struct quill_emu *emu)
{
	pthread_mutex_destroy(&emu->mmu.lock);
}

static uint64_t tlb_tag(uint32_t as, uint64_t page)
{
	return 1ull << 63 | (uint64_t)as << 36 | page;
}

/* Spaces use the same addresses: spread them. */
static struct tlb_entry *tlb_slot(struct dma_ctx *ctx, uint32_t as, uint64_t va)
{
	return &ctx->tlb[((va >> QUILL_PAGE_SHIFT) ^ as * 83) % DMA_TLB_ENTRIES];
}

static struct tlb_entry *huge_slot(struct dma_ctx *ctx, uint32_t as, uint64_t va)
{
	return &ctx->huge[(va / QUILL_HUGE_SIZE ^ as * 83) % DMA_HUGE_ENTRIES];
}

static void tlb_insert(struct tlb_entry *e, uint64_t tag, uint32_t gen, uint64_t pte)
{
	e->tag = tag;
	e->pte = pte;
	e->gen = gen;
}

static uint32_t leaf_check(uint64_t pte, unsigned int level)
{
	uint64_t low = (1ull << QUILL_PT_SHIFT(level)) - 1;

	if (!(pte & QUILL_PTE_VALID))
		return QUILL_FAULT_UNMAPPED;
	if (!(pte & QUILL_PTE_LEAF) || pte & ~LEAF_BITS || pte & QUILL_PTE_ADDR_MASK & low)
		return QUILL_FAULT_PTE;
	return QUILL_FAULT_NONE;
}

/* Entries of a level 0 table from @va's on: a neighbour that is bad is found when it is asked for. */
static uint32_t fill_pages(struct dma_ctx *ctx, uint32_t as, uint32_t gen, uint64_t va,
			   uint64_t table, uint32_t pages)
{
	uint32_t index = va >> QUILL_PAGE_SHIFT & (QUILL_PT_ENTRIES - 1);
	uint32_t count = QUILL_PT_ENTRIES - index;
	uint64_t pte[QUILL_PT_ENTRIES];
	uint32_t fault, i;

	if (count > pages)
		count = pages;
	if (!dma_bus_read(ctx->emu, table + index * 8, pte, count * 8)) {
		count = 1;
		if (!dma_bus_read(ctx->emu, table + index * 8, pte, 8))
			return QUILL_FAULT_BUS;
	}

	fault = leaf_check(pte[0], 0);
	if (fault)
		return fault;
	for (i = 0; i < count; i++)
		if (!leaf_check(pte[i], 0))
			tlb_insert(tlb_slot(ctx, as, va + (uint64_t)i * QUILL_PAGE_SIZE),
				   tlb_tag(as, (va >> QUILL_PAGE_SHIFT) + i), gen, pte[i]);
	return QUILL_FAULT_NONE;
}

/* Walk the tables for @va and put it, and up to @pages from it on, into the TLB. */
static uint32_t mmu_fill(struct dma_ctx *ctx, uint32_t as, uint32_t gen, uint64_t va,
			 uint32_t pages)
{
	uint64_t table = atomic_load_explicit(&ctx->emu->mmu.as[as].root, memory_order_relaxed);
	unsigned int level, index;
	uint32_t fault;
	uint64_t pte;

	for (level = QUILL_PT_LEVELS - 1; level > 0; level--) {
		index = va >> QUILL_PT_SHIFT(level) & (QUILL_PT_ENTRIES - 1);
		if (!dma_bus_read(ctx->emu, table + index * 8, &pte, sizeof(pte)))
			return QUILL_FAULT_BUS;
		if (!(pte & QUILL_PTE_VALID))
			return QUILL_FAULT_UNMAPPED;
		if (level == 1 && pte & QUILL_PTE_LEAF) {
			fault = leaf_check(pte, level);
			if (!fault)
				tlb_insert(huge_slot(ctx, as, va),
					   tlb_tag(as, va / QUILL_HUGE_SIZE), gen, pte);
			return fault;
		}
		if (pte & ~TABLE_BITS)
			return QUILL_FAULT_PTE;
		table = pte & QUILL_PTE_ADDR_MASK;
	}
	return fill_pages(ctx, as, gen, va, table, pages);
}

static bool tlb_hit(const struct tlb_entry *e, uint64_t tag, uint32_t gen)
{
	return e->tag == tag && e->gen == gen;
}

/* The leaf of @va, if the TLBs have it; @size: its bytes. */
static const struct tlb_entry *tlb_find(struct dma_ctx *ctx, uint32_t as, uint32_t gen, uint64_t va,
					uint64_t *size)
{
	const struct tlb_entry *huge = huge_slot(ctx, as, va), *page = tlb_slot(ctx, as, va);

	*size = QUILL_HUGE_SIZE;
	if (tlb_hit(huge, tlb_tag(as, va / QUILL_HUGE_SIZE), gen))
		return huge;
	*size = QUILL_PAGE_SIZE;
	return tlb_hit(page, tlb_tag(as, va >> QUILL_PAGE_SHIFT), gen) ? page : NULL;
}

/**
 * mmu_translate() - the entry of the 4 KiB page that holds @va
 * @pages: how many from there on the caller will probably ask for next, at least 1
 * @pte: its QUILL_PTE_* bits and address
 * @left: bytes from @va to the end of the leaf, which may be a larger one: all of them are at the addresses that follow
 *
 * The caller is between dma_begin() and dma_end().
 */
uint32_t mmu_translate(struct dma_ctx *ctx, uint32_t as, uint64_t va, uint32_t pages, bool write,
		       uint64_t *pte, uint64_t *left)
{
	struct mmu_as *space = &ctx->emu->mmu.as[as];
	const struct tlb_entry *e;
	uint32_t fault, gen;
	uint64_t size;

	if (!(atomic_load_explicit(&space->ctrl, memory_order_relaxed) & QUILL_AS_CTRL_ENABLE))
		return QUILL_FAULT_AS;
	/* Page 0 is a trap, whatever the tables say. */
	if (va < QUILL_PAGE_SIZE)
		return QUILL_FAULT_UNMAPPED;
	/* Before the walk reads anything: what it finds is no newer than this. */
	gen = atomic_load_explicit(&space->gen, memory_order_acquire);
	e = tlb_find(ctx, as, gen, va, &size);
	if (!e) {
		fault = mmu_fill(ctx, as, gen, va, pages);
		if (fault)
			return fault;
		e = tlb_find(ctx, as, gen, va, &size);
	}
	if (!(e->pte & (write ? QUILL_PTE_WRITE : QUILL_PTE_READ)))
		return write ? QUILL_FAULT_WRITE_PERM : QUILL_FAULT_READ_PERM;
	*left = size - va % size;
	*pte = e->pte + (va % size & ~(uint64_t)(QUILL_PAGE_SIZE - 1));
	return QUILL_FAULT_NONE;
}

void mmu_invalidate(struct quill_emu *emu, uint32_t what)
{
	struct mmu *mmu = &emu->mmu;
	unsigned int i;

	if (what != QUILL_MMU_INVALIDATE_ALL && (what == QUILL_AS_HOST || what >= QUILL_MAX_AS))
		return;

	for (i = 1; i < QUILL_MAX_AS; i++)
		if (what == QUILL_MMU_INVALIDATE_ALL || what == i)
			atomic_fetch_add(&mmu->as[i].gen, 1);
	atomic_fetch_add(&mmu->epoch, 1);
	core_event(emu, INVALIDATE, what);
}

bool mmu_busy(struct quill_emu *emu)
{
	uint64_t now = atomic_load(&emu->mmu.epoch);
	unsigned int i;
	uint64_t began;

	for (i = 0; i < emu->mmu.ctxs; i++) {
		began = atomic_load(&emu->mmu.ctx[i]->epoch);
		if (began && began < now)
			return true;
	}
	return false;
}

/* Write a fault down in its space's registers, if it is one of translation. */
void mmu_record(struct quill_emu *emu, const struct dma_port *port, const struct dma_fault *fault)
{
	struct mmu_as *space = &emu->mmu.as[port->as % QUILL_MAX_AS];

	if (fault->fault < QUILL_FAULT_UNMAPPED || fault->fault > QUILL_FAULT_AS ||
	    port->as == QUILL_AS_HOST || port->as >= QUILL_MAX_AS)
		return;

	pthread_mutex_lock(&emu->mmu.lock);
	space->fault_status = fault->fault | fault->access << 8 | (uint32_t)port->engine << 16;
	space->fault_addr = fault->addr;
	space->fault_count++;
	pthread_mutex_unlock(&emu->mmu.lock);
	core_event(emu, FAULT, port->as, fault->fault, fault->access, port->engine, fault->addr);
}

void mmu_reset(struct quill_emu *emu)
{
	unsigned int i;

	pthread_mutex_lock(&emu->mmu.lock);
	for (i = 0; i < QUILL_MAX_AS; i++) {
		struct mmu_as *space = &emu->mmu.as[i];

		atomic_store(&space->root, 0);
		atomic_store(&space->ctrl, 0);
		space->fault_status = 0;
		space->fault_addr = 0;
		space->fault_count = 0;
	}
	pthread_mutex_unlock(&emu->mmu.lock);
	mmu_invalidate(emu, QUILL_MMU_INVALIDATE_ALL);
}
