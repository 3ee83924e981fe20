// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: objects in the device's own memory, BAR4.
 *
 * DOC: Device memory
 *
 * A buddy allocator hands out blocks, each as large as can be had, so that 2 MiB leaves map most
 * of an object. To the page tables an object is a table of runs, as if mapped for DMA, whose
 * addresses are offsets into device memory (QUILL_PTE_DEVMEM). It is cleared, through the
 * processor's mapping, before anybody sees it.
 *
 * Processes map them write-combined, page fault by page fault. While the function is reset or
 * asleep, BAR4 does not answer: quill_vram_zap() takes the pages away before that. A fault waits
 * for the end of a reset (hw_lock), wakes a device that sleeps, and is SIGBUS after an unplug.
 *
 * No other device reaches this memory, so none can attach an object's dma-buf.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "quill_compat.h"
#include "quill_device.h"
#include "quill_fail.h"
#include "quill_gem.h"
#include "quill_pm.h"
#include "quill_vram.h"

/* What is cleared, or mapped by one fault, at a time. */
#define QUILL_VRAM_CHUNK	SZ_2M
/* A run's length is 32 bits wide. */
#define QUILL_VRAM_RUN		SZ_1G

static void quill_vram_fini(struct drm_device *drm, void *unused)
{
	gpu_buddy_fini(&to_quill(drm)->vram.buddy);
}

/*
 * quill_vram_init() - what BAR4 holds, if the system has found a place for it
 */
int quill_vram_init(struct quill_device *qdev)
{
	struct pci_dev *pdev = to_pci_dev(qdev->drm.dev);
	struct quill_vram *vram = &qdev->vram;
	resource_size_t len = pci_resource_len(pdev, QUILL_BAR_MEM);
	void __iomem *base;
	int ret;

	ret = drmm_mutex_init(&qdev->drm, &vram->lock);
	if (ret)
		return ret;
	vram->phys = pci_resource_start(pdev, QUILL_BAR_MEM);
	if (!vram->phys || len < qdev->mem_size || qdev->mem_size < QUILL_PAGE_SIZE) {
		drm_warn(&qdev->drm, "BAR4 has %pa bytes, %llu required: no device memory\n", &len,
			 qdev->mem_size);
		return 0;
	}
	len = ALIGN_DOWN(qdev->mem_size, QUILL_PAGE_SIZE);
	if (!devm_request_mem_region(&pdev->dev, vram->phys, len, "quill"))
		return -EBUSY;
	base = devm_ioremap_wc(&pdev->dev, vram->phys, len);
	if (!base)
		return -ENOMEM;
	ret = gpu_buddy_init(&vram->buddy, len, QUILL_PAGE_SIZE);
	if (ret)
		return ret;
	vram->base = base;
	return drmm_add_action_or_reset(&qdev->drm, quill_vram_fini, NULL);
}

u64 quill_vram_size(struct quill_device *qdev)
{
	return qdev->vram.buddy.size;
}

u64 quill_vram_free(struct quill_device *qdev)
{
	return READ_ONCE(qdev->vram.buddy.avail);
}

static int quill_vram_alloc(struct quill_vram *vram, struct quill_bo *bo)
{
	u64 size = bo->base.base.size;
	int ret = -ENOSPC;

	if (quill_fail(QUILL_FAIL_ALLOC))
		return -ENOMEM;
	mutex_lock(&vram->lock);
	if (size <= vram->buddy.avail)
		ret = gpu_buddy_alloc_blocks(&vram->buddy, 0, vram->buddy.size, size,
					     QUILL_PAGE_SIZE, &bo->blocks, 0);
	mutex_unlock(&vram->lock);
	return ret;
}

static unsigned int quill_vram_runs(struct quill_vram *vram, struct quill_bo *bo)
{
	struct gpu_buddy_block *block;
	unsigned int runs = 0;

	list_for_each_entry(block, &bo->blocks, link)
		runs += DIV_ROUND_UP_ULL(gpu_buddy_block_size(&vram->buddy, block), QUILL_VRAM_RUN);
	return runs;
}

static int quill_vram_describe(struct quill_vram *vram, struct quill_bo *bo)
{
	struct gpu_buddy_block *block;
	struct scatterlist *sg;
	u64 at, left;
	int ret;

	ret = sg_alloc_table(&bo->runs, quill_vram_runs(vram, bo), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	sg = bo->runs.sgl;
	list_for_each_entry(block, &bo->blocks, link) {
		at = gpu_buddy_block_offset(block);
		left = gpu_buddy_block_size(&vram->buddy, block);
		while (left) {
			sg_dma_address(sg) = at;
			sg_dma_len(sg) = min_t(u64, left, QUILL_VRAM_RUN);
			at += sg_dma_len(sg);
			left -= sg_dma_len(sg);
			sg = sg_next(sg);
		}
	}
	return 0;
}

/* Where in device memory the object's byte @offset is, and how many bytes follow it there. */
static u64 quill_vram_at(struct quill_bo *bo, u64 offset, u64 *left)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(&bo->runs, sg, i) {
		if (offset < sg_dma_len(sg)) {
			*left = sg_dma_len(sg) - offset;
			return sg_dma_address(sg) + offset;
		}
		offset -= sg_dma_len(sg);
	}
	*left = 0;
	return 0;
}

/* Piece by piece, for a recovery may be waiting, and so may who wants to kill the caller. */
static int quill_vram_clear(struct quill_device *qdev, struct quill_bo *bo)
{
	struct scatterlist *sg;
	u32 done, part;
	int i;

	for_each_sgtable_dma_sg(&bo->runs, sg, i) {
		for (done = 0; done < sg_dma_len(sg); done += part) {
			part = min_t(u32, sg_dma_len(sg) - done, QUILL_VRAM_CHUNK);
			if (fatal_signal_pending(current))
				return -EINTR;
			down_read(&qdev->hw_lock);
			memset_io(qdev->vram.base + sg_dma_address(sg) + done, 0, part);
			up_read(&qdev->hw_lock);
			cond_resched();
		}
	}
	/* What was written past the caches is there before any handle to it is. */
	wmb();
	return 0;
}

/* ---- Objects ------------------------------------------------------------------------- */

static vm_fault_t quill_vram_insert(struct vm_fault *vmf, struct quill_device *qdev)
{
	struct vm_area_struct *vma = vmf->vma;
	struct quill_bo *bo = to_quill_bo(vma->vm_private_data);
	u64 offset = vmf->pgoff - drm_vma_node_start(&bo->base.base.vma_node);
	unsigned long addr = vmf->address & PAGE_MASK;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	u64 left, at, end;

	at = quill_vram_at(bo, offset << PAGE_SHIFT, &left);
	end = min3(addr + left, (u64)vma->vm_end, (u64)ALIGN(addr + 1, QUILL_VRAM_CHUNK));
	/* Only the first page has to be there: of the others some may be already. */
	for (; addr < end; addr += PAGE_SIZE, at += PAGE_SIZE) {
		vm_fault_t one = vmf_insert_pfn(vma, addr, PHYS_PFN(qdev->vram.phys + at));

		if (addr == (vmf->address & PAGE_MASK))
			ret = one;
		if (one & VM_FAULT_ERROR)
			break;
	}
	return ret;
}

static vm_fault_t quill_vram_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct quill_device *qdev = to_quill(obj->dev);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	int idx;

	if (!drm_dev_enter(obj->dev, &idx))
		return ret;
	if (!quill_pm_get(qdev)) {
		down_read(&qdev->hw_lock);
		ret = quill_vram_insert(vmf, qdev);
		up_read(&qdev->hw_lock);
		quill_pm_put(qdev);
	}
	drm_dev_exit(idx);
	return ret;
}

static void quill_vram_vm_open(struct vm_area_struct *vma)
{
	quill_bo_vma_opened(vma);
	drm_gem_vm_open(vma);
}

static void quill_vram_vm_close(struct vm_area_struct *vma)
{
	quill_bo_vma_closed(vma);
	drm_gem_vm_close(vma);
}

static const struct vm_operations_struct quill_vram_vm_ops = {
	.open = quill_vram_vm_open,
	.close = quill_vram_vm_close,
	.fault = quill_vram_fault,
};

/* Of another device, for DMA. */
static int quill_vram_pin(struct drm_gem_object *obj)
{
	return -EOPNOTSUPP;
}

static struct sg_table *quill_vram_get_sg_table(struct drm_gem_object *obj)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static const struct drm_gem_object_funcs quill_vram_funcs = {
	.free = quill_gem_free,
	.export = quill_gem_export,
	.pin = quill_vram_pin,
	.get_sg_table = quill_vram_get_sg_table,
	.mmap = quill_gem_mmap,
	.vm_ops = &quill_vram_vm_ops,
};

int quill_vram_mmap(struct vm_area_struct *vma)
{
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = pgprot_writecombine(vm_get_page_prot(vma->vm_flags));
	return 0;
}

static int quill_vram_fill(struct quill_device *qdev, struct quill_bo *bo)
{
	int ret, idx;

	ret = drm_gem_create_mmap_offset(&bo->base.base);
	if (!ret)
		ret = quill_vram_alloc(&qdev->vram, bo);
	if (!ret)
		ret = quill_vram_describe(&qdev->vram, bo);
	if (ret)
		return ret;
	if (!drm_dev_enter(&qdev->drm, &idx))
		return -ENODEV;
	ret = quill_pm_get(qdev);
	if (!ret) {
		ret = quill_vram_clear(qdev, bo);
		quill_pm_put(qdev);
	}
	drm_dev_exit(idx);
	return ret;
}

/*
 * quill_vram_create() - an object of device memory, cleared
 *
 * Return: the object, or -ENOSPC, -ENOMEM, -EINTR or -ENODEV.
 */
struct quill_bo *quill_vram_create(struct drm_device *drm, u64 size)
{
	struct quill_device *qdev = to_quill(drm);
	struct quill_bo *bo;
	int ret;

	if (size > quill_vram_size(qdev))
		return ERR_PTR(-ENOSPC);
	bo = quill_gem_alloc(&quill_vram_funcs);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->vram = true;
	drm_gem_private_object_init(drm, &bo->base.base, PAGE_ALIGN(size));
	quill_gem_add(qdev, bo);
	ret = quill_vram_fill(qdev, bo);
	if (!ret)
		return bo;
	drm_gem_object_put(&bo->base.base);
	return ERR_PTR(ret);
}

/*
 * quill_vram_release() - give the object's memory back: nobody reaches it any more
 */
void quill_vram_release(struct quill_bo *bo)
{
	struct quill_vram *vram = &to_quill(bo->base.base.dev)->vram;

	sg_free_table(&bo->runs);
	mutex_lock(&vram->lock);
	gpu_buddy_free_list(&vram->buddy, &bo->blocks, 0);
	mutex_unlock(&vram->lock);
	drm_gem_object_release(&bo->base.base);
	kfree(bo);
}

/*
 * quill_vram_read() - copy out of an object, for a dump; the device is awake
 */
bool quill_vram_read(struct quill_bo *bo, u64 offset, void *buf, size_t size)
{
	struct quill_device *qdev = to_quill(bo->base.base.dev);
	u64 left, at = quill_vram_at(bo, offset, &left);

	if (left < size)
		return false;
	memcpy_fromio(buf, qdev->vram.base + at, size);
	return true;
}

/*
 * quill_vram_zap() - BAR4 will not answer: take it from the processes until they fault
 *
 * With hw_lock for writing, which those faults wait for. Pages of system memory go too; they come
 * back.
 */
void quill_vram_zap(struct quill_device *qdev)
{
	lockdep_assert_held_write(&qdev->hw_lock);
	unmap_mapping_range(qdev->drm.anon_inode->i_mapping, 0, 0, 1);
}
