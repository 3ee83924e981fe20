/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_PT_H
#define QUILL_PT_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <quill/regs.h>

struct device;

/* Tables of pages, and tables of tables. */
#define QUILL_PT_KINDS	2

/**
 * struct quill_pt - one table
 */
struct quill_pt {
	struct list_head node;
	u64 *entry;
	dma_addr_t dma;
	/** @used: entries that are not 0. */
	unsigned int used;
	unsigned int level;
	/** @child: tables below, for levels above 0. */
	struct quill_pt *child[];
};

/**
 * struct quill_pt_cache - empty tables that an address space keeps
 */
struct quill_pt_cache {
	struct device *dev;
	/** @lock: the rest; innermost. */
	spinlock_t lock;
	struct list_head tables[QUILL_PT_KINDS];
	unsigned int count[QUILL_PT_KINDS];
	bool closed;
};

/**
 * struct quill_pt_reserve - empty tables for changes to come
 */
struct quill_pt_reserve {
	struct list_head tables[QUILL_PT_KINDS];
	/**
	 * @last: number of the last span, plus 1, that has a table of each level here: the next
	 * change in it needs no second one.
	 */
	u64 last[QUILL_PT_LEVELS];
};

void quill_pt_cache_init(struct quill_pt_cache *cache, struct device *dev);
void quill_pt_cache_close(struct quill_pt_cache *cache);

struct quill_pt *quill_pt_alloc(struct quill_pt_cache *cache, unsigned int level);
void quill_pt_put(struct quill_pt_cache *cache, struct quill_pt *pt);
void quill_pt_free_tree(struct quill_pt_cache *cache, struct quill_pt *pt);

void quill_pt_reserve_init(struct quill_pt_reserve *reserve);
int quill_pt_reserve_span(struct quill_pt_cache *cache, struct quill_pt_reserve *reserve,
			  unsigned int level, u64 va, u64 size);
int quill_pt_reserve_splits(struct quill_pt_cache *cache, struct quill_pt_reserve *reserve,
			    unsigned int count);
void quill_pt_unreserve(struct quill_pt_cache *cache, struct quill_pt_reserve *reserve);
struct quill_pt *quill_pt_take(struct quill_pt_reserve *reserve, unsigned int level);

#endif /* QUILL_PT_H */
