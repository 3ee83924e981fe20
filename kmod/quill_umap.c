// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: what of a user-mode queue is mapped into its process: see quill_uqueue.c.
 */
#include <linux/mm.h>
#include <linux/pci.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "quill_drv.h"
#include "quill_reset.h"
#include "quill_uqueue.h"

#define QUILL_UQUEUE_TICK_MS	1000
/* Of the offsets to mmap below those of objects, each hardware queue has so many bytes. */
#define QUILL_UQUEUE_WINDOW	0x100000ul

/*
 * quill_uqueue_window() - where the queue's parts are among the offsets to mmap
 */
u64 quill_uqueue_window(const struct quill_queue *queue)
{
	return (queue->hwq + 1) * QUILL_UQUEUE_WINDOW;
}

/*
 * quill_uqueue_zap() - who touches the doorbell page from now on faults
 */
void quill_uqueue_zap(struct quill_queue *queue)
{
	struct drm_device *drm = &queue->qdev->drm;

	unmap_mapping_range(drm->anon_inode->i_mapping,
			    quill_uqueue_window(queue) + DRM_QUILL_USER_DOORBELL, PAGE_SIZE, 1);
}

/*
 * quill_uqueue_watch() - it was rung, or will be. Under queue->lock.
 */
void quill_uqueue_watch(struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	queue->uq->watched = true;
	queue->uq->armed = true;
	quill_reset_watch(queue, quill_uqueue_tick(queue));
}

/*
 * quill_uqueue_tick() - how often it is looked at, in ms
 */
s64 quill_uqueue_tick(const struct quill_queue *queue)
{
	return min_t(s64, queue->timeout_ms, QUILL_UQUEUE_TICK_MS);
}

/*
 * Return: whether the queue may be rung. Then somebody watches it from now on; and if it is halted
 * because the device sleeps, that wakes it.
 */
static bool quill_uqueue_arm(struct quill_queue *queue)
{
	bool live;

	spin_lock_irq(&queue->lock);
	live = !queue->halted && !queue->error;
	if (!queue->error)
		quill_uqueue_watch(queue);
	spin_unlock_irq(&queue->lock);
	return live;
}

static vm_fault_t quill_uqueue_insert(struct vm_fault *vmf, struct quill_queue *queue, bool live)
{
	struct pci_dev *pdev = to_pci_dev(queue->qdev->drm.dev);
	pgprot_t prot = vmf->vma->vm_page_prot;
	unsigned long pfn = page_to_pfn(queue->uq->dummy);

	if (live) {
		pfn = PHYS_PFN(pci_resource_start(pdev, QUILL_BAR_DOORBELL) +
			       QUILL_DOORBELL(queue->hwq));
		prot = pgprot_noncached(prot);
	}
	return vmf_insert_pfn_prot(vmf->vma, vmf->address, pfn, prot);
}

static vm_fault_t quill_uqueue_fault(struct vm_fault *vmf)
{
	struct quill_queue *queue = vmf->vma->vm_private_data;
	bool live = false, entered;
	vm_fault_t ret;
	int idx;

	entered = drm_dev_enter(&queue->qdev->drm, &idx);
	mutex_lock(&queue->uq->map_lock);
	if (entered)
		live = quill_uqueue_arm(queue);
	ret = quill_uqueue_insert(vmf, queue, live);
	/* A recovery does not wait for map_lock: it may have begun meanwhile. */
	if (live && !quill_uqueue_arm(queue))
		quill_uqueue_zap(queue);
	mutex_unlock(&queue->uq->map_lock);
	if (entered)
		drm_dev_exit(idx);
	return ret;
}

static void quill_uqueue_vm_open(struct vm_area_struct *vma)
{
	quill_queue_get(vma->vm_private_data);
}

static void quill_uqueue_vm_close(struct vm_area_struct *vma)
{
	quill_queue_put(vma->vm_private_data);
}

static const struct vm_operations_struct quill_uqueue_vm_ops = {
	.open = quill_uqueue_vm_open,
	.close = quill_uqueue_vm_close,
	.fault = quill_uqueue_fault,
};

static int quill_uqueue_mmap_doorbell(struct quill_queue *queue, struct vm_area_struct *vma)
{
	if (vma_pages(vma) != 1)
		return -EINVAL;
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	vma->vm_private_data = quill_queue_get(queue);
	vma->vm_ops = &quill_uqueue_vm_ops;
	return 0;
}

/* A page of the rings: they live as long as the queue, which a mapping holds. */
static vm_fault_t quill_uqueue_ring_fault(struct vm_fault *vmf)
{
	struct quill_queue *queue = vmf->vma->vm_private_data;
	u64 at = ((u64)vmf->pgoff << PAGE_SHIFT) % QUILL_UQUEUE_WINDOW;
	void *from = queue->uq->rings;

	if (at >= DRM_QUILL_USER_STATE)
		from += offsetof(struct quill_uqueue_rings, state) - DRM_QUILL_USER_STATE;
	else
		from -= DRM_QUILL_USER_RING;
	vmf->page = virt_to_page(from + at);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct quill_uqueue_ring_vm_ops = {
	.open = quill_uqueue_vm_open,
	.close = quill_uqueue_vm_close,
	.fault = quill_uqueue_ring_fault,
};

static int quill_uqueue_mmap_pages(struct quill_queue *queue, struct vm_area_struct *vma,
				   size_t size)
{
	if (vma->vm_end - vma->vm_start != size)
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	vma->vm_private_data = quill_queue_get(queue);
	vma->vm_ops = &quill_uqueue_ring_vm_ops;
	return 0;
}

static int quill_uqueue_mmap_one(struct quill_queue *queue, struct vm_area_struct *vma, u64 offset)
{
	const size_t ring_size = offsetof(struct quill_uqueue_rings, state);

	switch (offset) {
	case DRM_QUILL_USER_DOORBELL:
		return quill_uqueue_mmap_doorbell(queue, vma);
	case DRM_QUILL_USER_RING:
		return quill_uqueue_mmap_pages(queue, vma, ring_size);
	case DRM_QUILL_USER_STATE:
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
		return quill_uqueue_mmap_pages(queue, vma,
					       sizeof(struct quill_uqueue_rings) - ring_size);
	default:
		return -EINVAL;
	}
}

/* A reference to the file's queue on a hardware queue, if a process writes its ring; or NULL. */
static struct quill_queue *quill_uqueue_of(struct quill_file *qfile, u64 hwq)
{
	struct quill_queue *queue, *found = NULL;
	unsigned long id;

	xa_lock(&qfile->queues);
	xa_for_each(&qfile->queues, id, queue) {
		if (queue->uq && queue->hwq == hwq) {
			found = quill_queue_get(queue);
			break;
		}
	}
	xa_unlock(&qfile->queues);
	return found;
}

/*
 * quill_mmap() - an object, by its fake offset, or a part of a user-mode queue
 */
int quill_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct drm_file *file = filp->private_data;
	u64 at = (u64)vma->vm_pgoff << PAGE_SHIFT;
	struct quill_queue *queue;
	int ret;

	if (vma->vm_pgoff >= DRM_FILE_PAGE_OFFSET_START || at < QUILL_UQUEUE_WINDOW)
		return drm_gem_mmap(filp, vma);
	if (drm_dev_is_unplugged(file->minor->dev))
		return -ENODEV;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	queue = quill_uqueue_of(file->driver_priv, at / QUILL_UQUEUE_WINDOW - 1);
	if (!queue)
		return -EACCES;
	ret = quill_uqueue_mmap_one(queue, vma, at % QUILL_UQUEUE_WINDOW);
	quill_queue_put(queue);
	return ret;
}
