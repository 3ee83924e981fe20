// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: fences of jobs and of binds.
 *
 * DOC: Fences
 *
 * One fence per job is both what drm_sched waits for and what users get. The scheduler's own
 * "finished" fence is never handed out: it points to the scheduler, which goes with its queue,
 * while a user can keep a fence (a sync_file, say) for as long as he likes. Ours holds nothing
 * that goes away: its lock is inside, its names are constants of the module, and a reference on
 * that keeps them and its operations there.
 */
#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "quill_compat.h"
#include "quill_fence.h"

struct quill_fence {
	struct dma_fence base;
	/** @lock: of @base. */
	spinlock_t lock;
	/** @timeline: what makes it; a constant. */
	const char *timeline;
};

static const char *quill_fence_driver_name(struct dma_fence *fence)
{
	return "quill";
}

static const char *quill_fence_timeline_name(struct dma_fence *fence)
{
	return container_of(fence, struct quill_fence, base)->timeline;
}

static void quill_fence_release(struct dma_fence *fence)
{
	/*
	 * RCU readers may still look at the fence. They do not call its operations, and module exit
	 * waits for them, so the module need not be held until then.
	 */
	dma_fence_free(fence);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops quill_fence_ops = {
	.get_driver_name = quill_fence_driver_name,
	.get_timeline_name = quill_fence_timeline_name,
	.release = quill_fence_release,
};

/*
 * quill_fence_alloc() - memory for a fence, before the point of no return
 */
struct dma_fence *quill_fence_alloc(void)
{
	struct quill_fence *fence = kzalloc_obj(*fence, GFP_KERNEL_ACCOUNT);

	return fence ? &fence->base : NULL;
}

/*
 * quill_fence_init() - make it a fence: from here on it must signal. Cannot fail.
 */
void quill_fence_init(struct dma_fence *base, const char *timeline, u64 context, u64 seqno)
{
	struct quill_fence *fence = container_of(base, struct quill_fence, base);

	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	fence->timeline = timeline;
	dma_fence_init(base, &quill_fence_ops, &fence->lock, context, seqno);
}

/*
 * quill_fence_abandon() - free one that was never initialised
 */
void quill_fence_abandon(struct dma_fence *base)
{
	kfree(container_of(base, struct quill_fence, base));
}

/*
 * quill_fence_signal() - signal it, unless that has happened
 * @error: 0 or a negative errno
 *
 * Return: whether this call did it.
 */
bool quill_fence_signal(struct dma_fence *base, int error)
{
	struct quill_fence *fence = container_of(base, struct quill_fence, base);
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&fence->lock, flags);
	first = !test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &base->flags);
	if (first) {
		if (error)
			dma_fence_set_error(base, error);
		dma_fence_signal_locked(base);
	}
	spin_unlock_irqrestore(&fence->lock, flags);
	return first;
}
