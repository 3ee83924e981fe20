// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: buffer objects.
 *
 * Pages of the shmem helper: zeroed by the kernel before anyone sees them, pinned from the
 * first bind or mmap on. An object lives while a handle, a mapping into a process or a mapping
 * in a VM holds it. Memory of others comes in as dma-buf: pinned and mapped from import on.
 *
 * An object is read-only from the moment that it is sealed, or if its dma-buf's file is. So that
 * nobody can write then, every mapping that can, or that mprotect() could make so, is counted.
 *
 * What is mapped for DMA is in qdev->bos, and is unmapped under bo_lock: by the object's end, or
 * by the unplug if that comes first. So nothing is mapped when the driver is unbound.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>
#include <drm/drm_vma_manager.h>
#include <drm/quill_accel.h>

#include "quill_compat.h"
#include "quill_device.h"
#include "quill_gem.h"
#include "quill_vram.h"

/* The helper's array of pages has to stay below what one kvmalloc() gives. */
#define QUILL_BO_MAX_SIZE	SZ_256G

/* Into the list: from here on it may be mapped for DMA. */
void quill_gem_add(struct quill_device *qdev, struct quill_bo *bo)
{
	drm_gem_gpuva_set_lock(&bo->base.base, &bo->gpuva_lock);
	mutex_lock(&qdev->bo_lock);
	list_add_tail(&bo->node, &qdev->bos);
	mutex_unlock(&qdev->bo_lock);
}

/* The attachment goes, not only the mapping: exporters may keep the second as long as the first. */
static void quill_gem_detach(struct drm_gem_shmem_object *shmem)
{
	struct drm_gem_object *obj = &shmem->base;

	drm_prime_gem_destroy(obj, shmem->sgt);
	shmem->sgt = NULL;
	obj->import_attach = NULL;
	/* The dma-buf's goes with it. */
	obj->resv = &obj->_resv;
}

/* Under bo_lock, when nobody maps any more. */
static void quill_gem_unmap_dma(struct quill_device *qdev, struct quill_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;

	lockdep_assert_held(&qdev->bo_lock);
	if (shmem->base.import_attach) {
		quill_gem_detach(shmem);
		return;
	}
	dma_resv_lock(shmem->base.resv, NULL);
	if (shmem->sgt) {
		dma_unmap_sgtable(qdev->drm.dev, shmem->sgt, DMA_BIDIRECTIONAL,
				  DMA_ATTR_SKIP_CPU_SYNC);
		sg_free_table(shmem->sgt);
		kfree(shmem->sgt);
		shmem->sgt = NULL;
		drm_gem_shmem_put_pages(shmem);
	}
	dma_resv_unlock(shmem->base.resv);
}

static struct sg_table *quill_gem_map_dma_locked(struct drm_gem_shmem_object *shmem)
{
	struct sg_table *sgt;
	int ret;

	if (shmem->sgt)
		return shmem->sgt;
	ret = drm_gem_shmem_pin_locked(shmem);
	if (ret)
		return ERR_PTR(ret);
	sgt = drm_gem_shmem_get_sg_table(shmem);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (ret)
		goto err_unpin;
	ret = dma_map_sgtable(shmem->base.dev->dev, sgt, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto err_free;
	shmem->sgt = sgt;
	return sgt;

err_free:
	sg_free_table(sgt);
	kfree(sgt);
err_unpin:
	drm_gem_shmem_unpin_locked(shmem);
	return ERR_PTR(ret);
}

/*
 * quill_gem_map_dma() - pin an object's pages and map them for the device, until the object's end
 *
 * As drm_gem_shmem_get_pages_sgt(), but nothing is synchronised: memory is coherent (probe makes
 * sure of that), and devices that share an object have the same pages mapped.
 *
 * Return: the table (of device memory: the offsets into it); or ERR_PTR(): -ENOMEM, or what an
 * interrupted wait returned.
 */
struct sg_table *quill_gem_map_dma(struct quill_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;
	struct sg_table *sgt;
	int ret;

	if (bo->vram)
		return &bo->runs;
	ret = dma_resv_lock_interruptible(shmem->base.resv, NULL);
	if (ret)
		return ERR_PTR(ret);
	sgt = quill_gem_map_dma_locked(shmem);
	dma_resv_unlock(shmem->base.resv);
	return sgt;
}

void quill_gem_free(struct drm_gem_object *obj)
{
	struct quill_device *qdev = to_quill(obj->dev);
	struct quill_bo *bo = to_quill_bo(obj);

	mutex_lock(&qdev->bo_lock);
	quill_gem_unmap_dma(qdev, bo);
	list_del(&bo->node);
	mutex_unlock(&qdev->bo_lock);
	mutex_destroy(&bo->gpuva_lock);
	if (bo->vram)
		quill_vram_release(bo);
	else
		drm_gem_shmem_free(&bo->base);
}

static int quill_gem_mmap_pages(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);
	int idx, ret;

	if (to_quill_bo(obj)->vram)
		return quill_vram_mmap(vma);
	/* Memory of others has no file here, and may be gone after an unplug. */
	if (obj->filp)
		return drm_gem_shmem_mmap(shmem, vma);
	if (!drm_dev_enter(obj->dev, &idx))
		return -ENODEV;
	ret = drm_gem_shmem_mmap(shmem, vma);
	drm_dev_exit(idx);
	return ret;
}

int quill_gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct quill_bo *bo = to_quill_bo(obj);
	bool writes = vma->vm_flags & VM_MAYWRITE && quill_bo_get_writer(bo);
	int ret;

	if (!writes && vma->vm_flags & VM_WRITE)
		return -EACCES;
	if (!writes)
		vm_flags_clear(vma, VM_MAYWRITE);
	ret = quill_gem_mmap_pages(obj, vma);
	/* A mapping of a dma-buf is its exporter's from here on; nobody can seal it. */
	if (writes && (ret || vma->vm_ops != obj->funcs->vm_ops))
		quill_bo_put_writer(bo);
	return ret;
}

static void quill_gem_vm_open(struct vm_area_struct *vma)
{
	quill_bo_vma_opened(vma);
	drm_gem_shmem_vm_ops.open(vma);
}

static void quill_gem_vm_close(struct vm_area_struct *vma)
{
	quill_bo_vma_closed(vma);
	drm_gem_shmem_vm_ops.close(vma);
}

static vm_fault_t quill_gem_fault(struct vm_fault *vmf)
{
	return drm_gem_shmem_vm_ops.fault(vmf);
}

static const struct vm_operations_struct quill_gem_vm_ops = {
	.open = quill_gem_vm_open,
	.close = quill_gem_vm_close,
	.fault = quill_gem_fault,
};

/* The file of a dma-buf is what others can write through: a read-only object's is not for that. */
struct dma_buf *quill_gem_export(struct drm_gem_object *obj, int flags)
{
	if (quill_bo_readonly(to_quill_bo(obj)) && (flags & O_ACCMODE) != O_RDONLY)
		return ERR_PTR(-EACCES);
	return drm_gem_prime_export(obj, flags);
}

static const struct drm_gem_object_funcs quill_gem_funcs = {
	.free = quill_gem_free,
	.export = quill_gem_export,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = quill_gem_mmap,
	.vm_ops = &quill_gem_vm_ops,
};

/* What all objects have; NULL without memory. */
struct quill_bo *quill_gem_alloc(const struct drm_gem_object_funcs *funcs)
{
	struct quill_bo *bo = kzalloc_obj(*bo, GFP_KERNEL_ACCOUNT);

	if (!bo)
		return NULL;
	INIT_LIST_HEAD(&bo->node);
	INIT_LIST_HEAD(&bo->blocks);
	mutex_init(&bo->gpuva_lock);
	bo->base.base.funcs = funcs;
	bo->pid = task_tgid_nr(current);
	return bo;
}

/*
 * quill_gem_create_object() - memory for an object; the shmem helper calls it
 */
struct drm_gem_object *quill_gem_create_object(struct drm_device *drm, size_t size)
{
	struct quill_bo *bo = quill_gem_alloc(&quill_gem_funcs);

	return bo ? &bo->base.base : ERR_PTR(-ENOMEM);
}

static bool quill_gem_dma_buf_readonly(const struct dma_buf *dma_buf)
{
	return !(dma_buf->file->f_mode & FMODE_WRITE);
}

/*
 * quill_gem_import() - take a dma-buf in; one of this device's own objects is that object
 *
 * Inside drm_dev_enter(), so that an unplug finds all that is mapped. A handle has no rights of its
 * own: a read-only file of an object that is not gives none.
 */
struct drm_gem_object *quill_gem_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj;
	int idx;

	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	obj = drm_gem_prime_import(drm, dma_buf);
	drm_dev_exit(idx);
	if (!IS_ERR(obj) && quill_gem_dma_buf_readonly(dma_buf) &&
	    !quill_bo_readonly(to_quill_bo(obj))) {
		drm_gem_object_put(obj);
		return ERR_PTR(-EACCES);
	}
	return obj;
}

/*
 * quill_gem_import_sg_table() - an object for memory that others have pinned
 */
struct drm_gem_object *quill_gem_import_sg_table(struct drm_device *drm,
						 struct dma_buf_attachment *attach,
						 struct sg_table *sgt)
{
	struct drm_gem_object *obj;
	struct scatterlist *sg;
	int i;

	if (to_quill(drm)->bounces)
		return ERR_PTR(-EOPNOTSUPP);
	/* A page table's entry has no room for an offset in the page. */
	for_each_sgtable_dma_sg(sgt, sg, i)
		if (!PAGE_ALIGNED(sg_dma_address(sg) | sg_dma_len(sg)))
			return ERR_PTR(-EINVAL);
	obj = drm_gem_shmem_prime_import_sg_table(drm, attach, sgt);
	if (IS_ERR(obj))
		return obj;
	if (quill_gem_dma_buf_readonly(attach->dmabuf))
		atomic_set(&to_quill_bo(obj)->writers, -1);
	quill_gem_add(to_quill(drm), to_quill_bo(obj));
	return obj;
}

static int quill_gem_check_size(u64 size)
{
	if (!size)
		return -EINVAL;
	return size > QUILL_VA_END - QUILL_PAGE_SIZE ? -E2BIG : 0;
}

static struct quill_bo *quill_gem_create(struct drm_device *drm, u64 size, u32 flags)
{
	struct drm_gem_shmem_object *shmem;

	/* What could never be pinned is refused here, with fewer surprises. */
	if (size > QUILL_BO_MAX_SIZE || size > (u64)totalram_pages() << PAGE_SHIFT)
		return ERR_PTR(-ENOMEM);
	shmem = drm_gem_shmem_create(drm, PAGE_ALIGN(size));
	/* shmem calls it no space. That is a word for device memory. */
	if (IS_ERR(shmem))
		return ERR_PTR(PTR_ERR(shmem) == -ENOSPC ? -ENOMEM : PTR_ERR(shmem));
	shmem->map_wc = flags & DRM_QUILL_BO_WC;
	quill_gem_add(to_quill(drm), to_quill_bo(&shmem->base));
	return to_quill_bo(&shmem->base);
}

int quill_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_bo_create *args = data;
	struct drm_gem_object *obj;
	struct quill_bo *bo;
	int ret;

	if (args->flags & ~DRM_QUILL_BO_FLAGS)
		return -EINVAL;
	ret = quill_gem_check_size(args->size);
	if (ret)
		return ret;

	if (args->flags & DRM_QUILL_BO_DEVICE || to_quill(drm)->bounces)
		bo = quill_vram_create(drm, args->size);
	else
		bo = quill_gem_create(drm, args->size, args->flags);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	obj = &bo->base.base;
	ret = drm_gem_handle_create(file, obj, &args->handle);
	if (!ret)
		args->size = obj->size;
	drm_gem_object_put(obj);
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

/* Nobody exports it under object_name_lock; what is exported, or imported, others may write. */
static int quill_gem_seal(struct quill_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;
	int ret = 0;

	mutex_lock(&obj->dev->object_name_lock);
	if (quill_bo_readonly(bo))
		ret = 0;
	else if (!obj->filp && !bo->vram)
		ret = -EINVAL;
	else if (obj->dma_buf || atomic_cmpxchg(&bo->writers, 0, -1))
		ret = -EBUSY;
	mutex_unlock(&obj->dev->object_name_lock);
	return ret;
}

int quill_ioctl_bo_seal(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_bo_seal *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->flags)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = quill_gem_seal(to_quill_bo(obj));
	drm_gem_object_put(obj);
	return ret;
}

/*
 * quill_gem_unplug_all() - unmap every object for DMA
 *
 * Objects may outlive the device's binding; a DMA mapping may not. Nobody maps any more: the
 * device is unplugged. Who exports an object looks for its dma-buf under object_name_lock.
 */
void quill_gem_unplug_all(struct quill_device *qdev)
{
	struct quill_bo *bo;

	mutex_lock(&qdev->drm.object_name_lock);
	mutex_lock(&qdev->bo_lock);
	list_for_each_entry(bo, &qdev->bos, node)
		quill_gem_unmap_dma(qdev, bo);
	mutex_unlock(&qdev->bo_lock);
	mutex_unlock(&qdev->drm.object_name_lock);
}
