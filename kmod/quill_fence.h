/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_FENCE_H
#define QUILL_FENCE_H

#include <linux/dma-fence.h>

struct dma_fence *quill_fence_alloc(void);
void quill_fence_init(struct dma_fence *fence, const char *timeline, u64 context, u64 seqno);
void quill_fence_abandon(struct dma_fence *fence);
bool quill_fence_signal(struct dma_fence *fence, int error);

#endif /* QUILL_FENCE_H */
