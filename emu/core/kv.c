// SPDX-License-Identifier: MIT
/*
 * The page table of a cache of keys and values: a word a page, written by the program, and so believed only after a
 * look. An entry beyond the pool is a fault at the entry's address.
 */
#include "kv.h"

/* Entries that are read at once. */
#define ENTRIES	64u

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t read_entries(struct dma_ctx *ctx, const struct kv_pages *pages, uint32_t first,
			     uint32_t n, uint32_t *entry, struct dma_fault *fault)
{
	uint64_t va = pages->table + (uint64_t)first * 4;
	uint32_t what, i;

	what = dma_read(ctx, pages->port, va, entry, (uint64_t)n * 4, fault);
	for (i = 0; i < n && !what; i++)
		if (entry[i] >= pages->count)
			what = dma_fail(fault, QUILL_FAULT_PARAM, QUILL_ACCESS_READ,
					va + (uint64_t)i * 4);
	return what;
}

/* The page that holds @key. */
uint32_t kv_page(struct dma_ctx *ctx, const struct kv_pages *pages, uint32_t key, uint32_t *page,
		 struct dma_fault *fault)
{
	*page = 0;
	if (!pages->table)
		return QUILL_FAULT_NONE;
	return read_entries(ctx, pages, key / pages->size, 1, page, fault);
}

/* Keys @key .. @key + @n - 1, of pages that there are, one behind the other at @to of each array. */
uint32_t kv_gather(struct dma_ctx *ctx, const struct kv_pages *pages, const struct kv_array *array,
		   uint8_t *const *to, unsigned int arrays, uint32_t key, uint32_t n,
		   struct dma_fault *fault)
{
	uint32_t first = key / pages->size, last = (key + n - 1) / pages->size;
	uint32_t page, at = 0, keys, what = 0, entry[ENTRIES];
	struct dma_rows rows;
	unsigned int i;

	for (page = first; page <= last && !what; page++) {
		uint32_t within = (key + at) % pages->size;

		if ((page - first) % ENTRIES == 0)
			what = read_entries(ctx, pages, page, min32(ENTRIES, last - page + 1), entry,
					    fault);
		keys = min32(pages->size - within, n - at);
		for (i = 0; i < arrays && !what; i++) {
			rows.va = array[i].va + entry[(page - first) % ENTRIES] * array[i].page_stride +
				  within * array[i].stride;
			rows.rows = keys;
			rows.stride = array[i].stride;
			rows.width = array[i].width;
			what = dma_read_rows(ctx, pages->port, &rows, to[i] + at * rows.width,
					     rows.width, fault);
		}
		at += keys;
	}
	return what;
}
