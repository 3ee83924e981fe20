// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: the syncobjs of a call: fences to wait for, and who is given the one that the call makes.
 *
 * All that can fail is done by quill_syncs_get(), before the call's point of no return.
 */
#include <linux/dma-fence-chain.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "quill_compat.h"
#include "quill_drv.h"
#include "quill_sync.h"

static int quill_sync_get_wait(struct quill_sync *sync, struct drm_file *file,
			       const struct drm_quill_sync *args, u64 context)
{
	struct dma_fence *fence;
	int ret;

	ret = drm_syncobj_find_fence(file, args->handle, args->point, 0, &fence);
	if (ret)
		return ret;
	if (fence->context == context || dma_fence_is_signaled(fence))
		dma_fence_put(fence);
	else
		sync->wait = fence;
	return 0;
}

static int quill_sync_get_signal(struct quill_sync *sync, struct drm_file *file,
				 const struct drm_quill_sync *args)
{
	sync->signal = drm_syncobj_find(file, args->handle);
	if (!sync->signal)
		return -ENOENT;
	sync->point = args->point;
	if (!args->point)
		return 0;
	sync->chain = dma_fence_chain_alloc();
	return sync->chain ? 0 : -ENOMEM;
}

static int quill_sync_get(struct quill_sync *sync, struct drm_file *file,
			  const struct drm_quill_sync *args, u64 context)
{
	if (args->flags & ~DRM_QUILL_SYNC_FLAGS)
		return -EINVAL;
	if (args->flags & DRM_QUILL_SYNC_SIGNAL)
		return quill_sync_get_signal(sync, file, args);
	return quill_sync_get_wait(sync, file, args, context);
}

/* Room for @count, and a copy of what the user passed: @few, if it is not more, or for kvfree(). */
static struct drm_quill_sync *quill_syncs_copy(struct quill_syncs *syncs,
					       const struct drm_quill_array *array,
					       struct drm_quill_sync *few)
{
	struct drm_quill_sync *args;
	int ret;

	if (array->count <= QUILL_FEW_SYNCS) {
		syncs->sync = syncs->few;
		ret = quill_copy_few(array, few, sizeof(*few));
		return ret ? ERR_PTR(ret) : few;
	}
	args = QUILL_COPY_ARRAY(struct drm_quill_sync, array, DRM_QUILL_MAX_SYNCS);
	if (IS_ERR(args))
		return args;
	syncs->sync = kvzalloc_objs(*syncs->sync, array->count, GFP_KERNEL_ACCOUNT);
	if (syncs->sync)
		return args;
	kvfree(args);
	return ERR_PTR(-ENOMEM);
}

/*
 * quill_syncs_get() - look all up
 * @array: of struct drm_quill_sync, as the user passed it
 * @context: of whose fences need not be waited for: they signal in the order of the calls anyway
 *
 * Return: 0, or an error with nothing to put.
 */
int quill_syncs_get(struct quill_syncs *syncs, struct drm_file *file,
		    const struct drm_quill_array *array, u64 context)
{
	struct drm_quill_sync few[QUILL_FEW_SYNCS], *args;
	int ret = 0;
	u32 i;

	*syncs = (struct quill_syncs) {};
	args = quill_syncs_copy(syncs, array, few);
	if (IS_ERR(args))
		return PTR_ERR(args);
	syncs->count = array->count;
	for (i = 0; i < syncs->count && !ret; i++)
		ret = quill_sync_get(&syncs->sync[i], file, &args[i], context);
	if (args != few)
		kvfree(args);
	if (ret)
		quill_syncs_put(syncs);
	return ret;
}

/*
 * quill_syncs_publish() - give the fence to those that are to signal. Once, and cannot fail.
 */
void quill_syncs_publish(struct quill_syncs *syncs, struct dma_fence *fence)
{
	struct quill_sync *sync;

	for (sync = syncs->sync; sync < syncs->sync + syncs->count; sync++) {
		if (sync->chain)
			drm_syncobj_add_point(sync->signal, sync->chain, fence, sync->point);
		else if (sync->signal)
			drm_syncobj_replace_fence(sync->signal, fence);
		sync->chain = NULL;
	}
}

void quill_syncs_put(struct quill_syncs *syncs)
{
	struct quill_sync *sync;

	for (sync = syncs->sync; sync < syncs->sync + syncs->count; sync++) {
		dma_fence_put(sync->wait);
		dma_fence_chain_free(sync->chain);
		if (sync->signal)
			drm_syncobj_put(sync->signal);
	}
	if (syncs->sync != syncs->few)
		kvfree(syncs->sync);
	*syncs = (struct quill_syncs) {};
}
