// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: buffer objects.
 *
 * Pages of the shmem helper: zeroed by the kernel before anyone sees them, pinned from the
 * first bind or mmap on. An object lives while a handle, a mapping into a process or a mapping
 * in a VM holds it.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_vma_manager.h>
#include <drm/quill_accel.h>

#include "quill_compat.h"
#include "quill_device.h"
#include "quill_gem.h"

/* The helper's array of pages has to stay below what one kvmalloc() gives. */
#define QUILL_BO_MAX_SIZE	SZ_256G

static void quill_gem_free(struct drm_gem_object *obj)
{
	struct quill_device *qdev = to_quill(obj->dev);
	struct quill_bo *bo = to_quill_bo(obj);

	mutex_lock(&qdev->bo_lock);
	list_del(&bo->node);
	mutex_unlock(&qdev->bo_lock);
	mutex_destroy(&bo->gpuva_lock);
	drm_gem_shmem_free(&bo->base);
}

static const struct drm_gem_object_funcs quill_gem_funcs = {
	.free = quill_gem_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/*
 * quill_gem_create_object() - memory for an object; the shmem helper calls it
 */
struct drm_gem_object *quill_gem_create_object(struct drm_device *drm, size_t size)
{
	struct quill_bo *bo;

	bo = kzalloc_obj(*bo, GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&bo->node);
	mutex_init(&bo->gpuva_lock);
	bo->base.base.funcs = &quill_gem_funcs;
	return &bo->base.base;
}

static int quill_gem_check_size(u64 size)
{
	if (!size)
		return -EINVAL;
	if (size > QUILL_VA_END - QUILL_PAGE_SIZE)
		return -E2BIG;
	/* What could never be pinned is refused here, with fewer surprises. */
	if (size > QUILL_BO_MAX_SIZE || size > (u64)totalram_pages() << PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

int quill_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct quill_device *qdev = to_quill(drm);
	struct drm_quill_bo_create *args = data;
	struct drm_gem_shmem_object *shmem;
	struct quill_bo *bo;
	int ret;

	if (args->flags & ~DRM_QUILL_BO_FLAGS)
		return -EINVAL;
	ret = quill_gem_check_size(args->size);
	if (ret)
		return ret;

	shmem = drm_gem_shmem_create(drm, PAGE_ALIGN(args->size));
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);
	shmem->map_wc = args->flags & DRM_QUILL_BO_WC;
	bo = to_quill_bo(&shmem->base);
	drm_gem_gpuva_set_lock(&shmem->base, &bo->gpuva_lock);
	mutex_lock(&qdev->bo_lock);
	list_add_tail(&bo->node, &qdev->bos);
	mutex_unlock(&qdev->bo_lock);

	ret = drm_gem_handle_create(file, &shmem->base, &args->handle);
	if (!ret)
		args->size = shmem->base.size;
	drm_gem_object_put(&shmem->base);
	return ret;
}

int quill_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_bo_mmap_offset *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->flags)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}

/*
 * quill_gem_unplug_all() - unmap every object for DMA
 *
 * Objects may outlive the device's binding; a DMA mapping may not. Nobody maps any more: the
 * device is unplugged.
 */
void quill_gem_unplug_all(struct quill_device *qdev)
{
	struct quill_bo *bo;

	mutex_lock(&qdev->bo_lock);
	list_for_each_entry(bo, &qdev->bos, node) {
		struct drm_gem_shmem_object *shmem = &bo->base;

		dma_resv_lock(shmem->base.resv, NULL);
		if (shmem->sgt) {
			dma_unmap_sgtable(qdev->drm.dev, shmem->sgt, DMA_BIDIRECTIONAL, 0);
			sg_free_table(shmem->sgt);
			kfree(shmem->sgt);
			shmem->sgt = NULL;
			drm_gem_shmem_put_pages(shmem);
		}
		dma_resv_unlock(shmem->base.resv);
	}
	mutex_unlock(&qdev->bo_lock);
}
