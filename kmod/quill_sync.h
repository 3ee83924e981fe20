/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_SYNC_H
#define QUILL_SYNC_H

#include <linux/types.h>

struct dma_fence;
struct dma_fence_chain;
struct drm_file;
struct drm_quill_array;
struct drm_syncobj;

/**
 * struct quill_sync - a fence to wait for, or a syncobj to give one to
 */
struct quill_sync {
	/** @wait: NULL: nothing to wait for, or somebody took it. */
	struct dma_fence *wait;
	struct drm_syncobj *signal;
	/** @chain: of @signal's timeline point; NULL for a binary syncobj. */
	struct dma_fence_chain *chain;
	u64 point;
};

/* A call with so many syncs, or fewer, needs no memory for them. */
#define QUILL_FEW_SYNCS	4

/**
 * struct quill_syncs - what a call waits for and signals
 */
struct quill_syncs {
	/** @sync: @few, if they are. */
	struct quill_sync *sync;
	u32 count;
	struct quill_sync few[QUILL_FEW_SYNCS];
};

int quill_syncs_get(struct quill_syncs *syncs, struct drm_file *file,
		    const struct drm_quill_array *array, u64 context);
void quill_syncs_publish(struct quill_syncs *syncs, struct dma_fence *fence);
void quill_syncs_put(struct quill_syncs *syncs);

#endif /* QUILL_SYNC_H */
