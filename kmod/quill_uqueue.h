/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_UQUEUE_H
#define QUILL_UQUEUE_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/quill_accel.h>
#include <quill/fw_abi.h>

#include "quill_queue.h"

struct drm_device;
struct drm_file;
struct file;
struct vm_area_struct;

/* What firmware, driver and process share: whole pages. */
struct quill_uqueue_rings {
	/* The process writes these. */
	struct quill_job_desc desc[QUILL_RING_ENTRIES];
	union {
		struct drm_quill_user_control control;
		u8 control_page[PAGE_SIZE];
	};
	/* And only reads these. */
	union {
		struct drm_quill_user_state state;
		u8 state_page[PAGE_SIZE];
	};
	struct quill_job_cpl cpl[QUILL_RING_ENTRIES];
};

static_assert(offsetof(struct quill_uqueue_rings, control) == PAGE_SIZE);
static_assert(offsetof(struct quill_uqueue_rings, cpl) % PAGE_SIZE == 0);
static_assert(sizeof(struct quill_uqueue_rings) % PAGE_SIZE == 0);
/* One that were larger would show a process the next queue's doorbell. */
static_assert(PAGE_SIZE == QUILL_DOORBELL_STRIDE);

/**
 * struct quill_uqueue - what a queue has beside, if a process writes its ring
 */
struct quill_uqueue {
	/**
	 * @rings: what is shared; @dma: where the device sees it; @mapped: it does. Under
	 * slot_lock.
	 */
	struct quill_uqueue_rings *rings;
	dma_addr_t dma;
	bool mapped;
	/** @dummy: in place of the doorbell page. The queue's own: nobody else can read it. */
	struct page *dummy;
	/**
	 * @map_lock: held while the doorbell page is looked up and mapped. Nests in mmap_lock and
	 * takes queue->lock.
	 */
	struct mutex map_lock;

	/* Below: queue->lock. */
	/** @count: jobs ended; queue->seen is its low half. */
	u64 count;
	/** @fences: to signal at a count; @nr_fences: how many. */
	struct list_head fences;
	u32 nr_fences;
	/**
	 * @watched: the watchdog runs, and the device is awake; @armed: anew since it began to ask
	 * whether the queue is at rest; @looked: what @count was when it last looked.
	 */
	bool watched;
	bool armed;
	u64 looked;
	/** @first: of the ring at the last restart; @replays: at how many in a row. */
	u64 first;
	u32 replays;
	/** @served: how long, in ms, the job had run that is being ended. */
	u32 served;
};

/* What the process says that it has rung last: untrusted. */
static inline u32 quill_uqueue_tail(const struct quill_queue *queue)
{
	return READ_ONCE(queue->uq->rings->control.tail);
}

int quill_uqueue_init(struct quill_queue *queue);
void quill_uqueue_fini(struct quill_queue *queue);
void quill_uqueue_offset(struct quill_queue *queue, struct drm_quill_queue_create *args);
void quill_uqueue_unmap_dma(struct quill_queue *queue);
void quill_uqueue_close(struct quill_queue *queue);

void quill_uqueue_prepare(struct quill_queue *queue, struct quill_admin_msg *msg);
void quill_uqueue_started(struct quill_queue *queue);
void quill_uqueue_collect(struct quill_queue *queue, bool blame);
void quill_uqueue_process(struct quill_queue *queue);
void quill_uqueue_fail_all(struct quill_queue *queue, int error);
bool quill_uqueue_busy(struct quill_queue *queue);
s64 quill_uqueue_look(struct quill_queue *queue);

/* quill_umap.c: what of it is mapped into the process */
void quill_uqueue_watch(struct quill_queue *queue);
s64 quill_uqueue_tick(const struct quill_queue *queue);
u64 quill_uqueue_window(const struct quill_queue *queue);
void quill_uqueue_zap(struct quill_queue *queue);
int quill_mmap(struct file *filp, struct vm_area_struct *vma);
int quill_ioctl_queue_signal(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* QUILL_UQUEUE_H */
