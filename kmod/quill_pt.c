// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: tables of an address space: where they come from.
 *
 * DOC: Reserves
 *
 * While tables change nothing is allocated, so that a change neither fails halfway nor waits for
 * memory, which may wait for fences. The tables that a bind may need are reserved before it
 * begins: as many as if there were none yet, for which there are is known only when its turn
 * comes. What it did not use, and what became empty, is kept for the next bind, up to a few.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/slab.h>

#include "quill_fail.h"
#include "quill_pt.h"

/* Tables of each kind that an address space keeps. */
#define QUILL_PT_KEEP	8

static unsigned int quill_pt_kind(unsigned int level)
{
	return level ? 1 : 0;
}

/* ---- One table ------------------------------------------------------------------ */

/*
 * quill_pt_alloc() - an empty table, mapped for the device to read; NULL without memory
 */
struct quill_pt *quill_pt_alloc(struct quill_pt_cache *cache, unsigned int level)
{
	struct quill_pt *pt;

	pt = kzalloc(struct_size(pt, child, level ? QUILL_PT_ENTRIES : 0), GFP_KERNEL_ACCOUNT);
	if (!pt)
		return NULL;
	pt->level = level;
	pt->entry = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!pt->entry)
		goto err_free;
	if (quill_fail(QUILL_FAIL_DMA_MAP))
		goto err_page;
	pt->dma = dma_map_single(cache->dev, pt->entry, QUILL_PAGE_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(cache->dev, pt->dma))
		goto err_page;
	if (pt->dma & ~QUILL_PTE_ADDR_MASK)
		goto err_unmap;
	return pt;

err_unmap:
	dma_unmap_single(cache->dev, pt->dma, QUILL_PAGE_SIZE, DMA_TO_DEVICE);
err_page:
	free_page((unsigned long)pt->entry);
err_free:
	kfree(pt);
	return NULL;
}

static void quill_pt_free(struct quill_pt_cache *cache, struct quill_pt *pt)
{
	dma_unmap_single(cache->dev, pt->dma, QUILL_PAGE_SIZE, DMA_TO_DEVICE);
	free_page((unsigned long)pt->entry);
	kfree(pt);
}

void quill_pt_free_tree(struct quill_pt_cache *cache, struct quill_pt *pt)
{
	unsigned int i;

	for (i = 0; pt->level && i < QUILL_PT_ENTRIES; i++)
		if (pt->child[i])
			quill_pt_free_tree(cache, pt->child[i]);
	quill_pt_free(cache, pt);
}

/* ---- Those that are kept ---------------------------------------------------------- */

void quill_pt_cache_init(struct quill_pt_cache *cache, struct device *dev)
{
	unsigned int kind;

	cache->dev = dev;
	spin_lock_init(&cache->lock);
	for (kind = 0; kind < QUILL_PT_KINDS; kind++)
		INIT_LIST_HEAD(&cache->tables[kind]);
}

static struct quill_pt *quill_pt_pop(struct list_head *list)
{
	struct quill_pt *pt = list_first_entry_or_null(list, struct quill_pt, node);

	if (pt)
		list_del(&pt->node);
	return pt;
}

/*
 * quill_pt_put() - take an empty table back
 */
void quill_pt_put(struct quill_pt_cache *cache, struct quill_pt *pt)
{
	unsigned int kind = quill_pt_kind(pt->level);
	bool keep;

	spin_lock(&cache->lock);
	keep = !cache->closed && cache->count[kind] < QUILL_PT_KEEP;
	if (keep) {
		list_add(&pt->node, &cache->tables[kind]);
		cache->count[kind]++;
	}
	spin_unlock(&cache->lock);
	if (!keep)
		quill_pt_free(cache, pt);
}

static struct quill_pt *quill_pt_get(struct quill_pt_cache *cache, unsigned int level)
{
	unsigned int kind = quill_pt_kind(level);
	struct quill_pt *pt;

	spin_lock(&cache->lock);
	pt = quill_pt_pop(&cache->tables[kind]);
	if (pt)
		cache->count[kind]--;
	spin_unlock(&cache->lock);
	return pt ? pt : quill_pt_alloc(cache, level);
}

/*
 * quill_pt_cache_close() - keep none from here on
 */
void quill_pt_cache_close(struct quill_pt_cache *cache)
{
	unsigned int kind;
	struct quill_pt *pt;

	spin_lock(&cache->lock);
	cache->closed = true;
	spin_unlock(&cache->lock);
	for (kind = 0; kind < QUILL_PT_KINDS; kind++)
		while ((pt = quill_pt_pop(&cache->tables[kind])))
			quill_pt_free(cache, pt);
}

/* ---- Reserves --------------------------------------------------------------------- */

void quill_pt_reserve_init(struct quill_pt_reserve *reserve)
{
	unsigned int kind;

	for (kind = 0; kind < QUILL_PT_KINDS; kind++)
		INIT_LIST_HEAD(&reserve->tables[kind]);
	memset(reserve->last, 0, sizeof(reserve->last));
}

static int quill_pt_reserve_add(struct quill_pt_cache *cache, struct quill_pt_reserve *reserve,
				unsigned int level, u64 count)
{
	struct quill_pt *pt;

	while (count--) {
		pt = quill_pt_get(cache, level);
		if (!pt)
			return -ENOMEM;
		list_add(&pt->node, &reserve->tables[quill_pt_kind(level)]);
	}
	return 0;
}

/*
 * quill_pt_reserve_span() - the tables of a level that cover [va, va + size)
 */
int quill_pt_reserve_span(struct quill_pt_cache *cache, struct quill_pt_reserve *reserve,
			  unsigned int level, u64 va, u64 size)
{
	unsigned int shift = QUILL_PT_SHIFT(level + 1);
	u64 first = va >> shift, last = (va + size - 1) >> shift;
	u64 count = last - first + 1;

	if (reserve->last[level] == first + 1)
		count--;
	reserve->last[level] = last + 1;
	return quill_pt_reserve_add(cache, reserve, level, count);
}

/*
 * quill_pt_reserve_splits() - tables of pages for leaves that an unmap may have to split
 *
 * It may empty other tables, so what follows it in the same reserve counts anew.
 */
int quill_pt_reserve_splits(struct quill_pt_cache *cache, struct quill_pt_reserve *reserve,
			    unsigned int count)
{
	memset(reserve->last, 0, sizeof(reserve->last));
	return quill_pt_reserve_add(cache, reserve, 0, count);
}

/*
 * quill_pt_unreserve() - give back what was not used
 */
void quill_pt_unreserve(struct quill_pt_cache *cache, struct quill_pt_reserve *reserve)
{
	unsigned int kind;
	struct quill_pt *pt;

	for (kind = 0; kind < QUILL_PT_KINDS; kind++)
		while ((pt = quill_pt_pop(&reserve->tables[kind])))
			quill_pt_put(cache, pt);
}

/*
 * quill_pt_take() - one of those reserved. There is one: see those who reserve.
 */
struct quill_pt *quill_pt_take(struct quill_pt_reserve *reserve, unsigned int level)
{
	struct quill_pt *pt = quill_pt_pop(&reserve->tables[quill_pt_kind(level)]);

	pt->level = level;
	return pt;
}
