/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_GEM_H
#define QUILL_GEM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>

#include <drm/drm_gem_shmem_helper.h>

struct dma_buf;
struct dma_buf_attachment;
struct drm_file;
struct quill_device;

/**
 * struct quill_bo - a buffer object: pages of ours, a dma-buf, or device memory
 */
struct quill_bo {
	/**
	 * @base: first, for the helper frees it by its address; of device memory, a GEM object
	 * only.
	 */
	struct drm_gem_shmem_object base;
	/** @node: in qdev->bos, under bo_lock. */
	struct list_head node;
	/** @gpuva_lock: guards the object's list of mappings. */
	struct mutex gpuva_lock;
	/**
	 * @writers: mappings, into processes and VMs, through which the object can be written;
	 * -1: it is read-only, and gets none.
	 */
	atomic_t writers;
	/** @vram: it is device memory: @blocks, and @runs, the same as page tables want it. */
	bool vram;
	struct list_head blocks;
	struct sg_table runs;
	/** @pid: of the process that made it, as the first PID namespace has it. */
	pid_t pid;
};

static inline struct quill_bo *to_quill_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct quill_bo, base);
}

/* Before a mapping that can write: false if the object is read-only. */
static inline bool quill_bo_get_writer(struct quill_bo *bo)
{
	return atomic_inc_unless_negative(&bo->writers);
}

static inline void quill_bo_put_writer(struct quill_bo *bo)
{
	atomic_dec(&bo->writers);
}

static inline bool quill_bo_readonly(struct quill_bo *bo)
{
	return atomic_read(&bo->writers) < 0;
}

/* What page tables need of it is there, and stays where it is. */
static inline bool quill_bo_pinned(const struct quill_bo *bo)
{
	return bo->vram || READ_ONCE(bo->base.sgt);
}

/* A copy or a part of a mapping that is counted: it cannot be refused. */
static inline void quill_bo_vma_opened(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_MAYWRITE)
		atomic_inc(&to_quill_bo(vma->vm_private_data)->writers);
}

static inline void quill_bo_vma_closed(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_MAYWRITE)
		quill_bo_put_writer(to_quill_bo(vma->vm_private_data));
}

struct quill_bo *quill_gem_alloc(const struct drm_gem_object_funcs *funcs);
void quill_gem_add(struct quill_device *qdev, struct quill_bo *bo);
void quill_gem_free(struct drm_gem_object *obj);
int quill_gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma);
struct dma_buf *quill_gem_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *quill_gem_create_object(struct drm_device *drm, size_t size);
struct drm_gem_object *quill_gem_import(struct drm_device *drm, struct dma_buf *dma_buf);
struct drm_gem_object *quill_gem_import_sg_table(struct drm_device *drm,
						 struct dma_buf_attachment *attach,
						 struct sg_table *sgt);
struct sg_table *quill_gem_map_dma(struct quill_bo *bo);
void quill_gem_unplug_all(struct quill_device *qdev);
int quill_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int quill_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int quill_ioctl_bo_seal(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* QUILL_GEM_H */
