/* SPDX-License-Identifier: MIT */
/* A cache of keys and values in pages, as ATTENTION and KV_APPEND see it. */
#ifndef QUILL_CORE_KV_H
#define QUILL_CORE_KV_H

#include "core.h"

/* struct kv_pages - where pages are */
struct kv_pages {
	const struct dma_port *port;
	uint64_t table;		/* 0: there is one page, which holds all */
	uint32_t size;		/* keys of a page */
	uint32_t count;		/* pages of the pool */
};

/* struct kv_array - keys, values or scales of one head: key j of page p at va + p * page_stride + j * stride, in bytes */
struct kv_array {
	uint64_t va;
	uint64_t page_stride;
	uint64_t stride;
	uint64_t width;
	uint32_t align;		/* of a pointer to it */
};

uint32_t kv_page(struct dma_ctx *ctx, const struct kv_pages *pages, uint32_t key, uint32_t *page,
		 struct dma_fault *fault);
uint32_t kv_gather(struct dma_ctx *ctx, const struct kv_pages *pages, const struct kv_array *array,
		   uint8_t *const *to, unsigned int arrays, uint32_t key, uint32_t n,
		   struct dma_fault *fault);

#endif /* QUILL_CORE_KV_H */
