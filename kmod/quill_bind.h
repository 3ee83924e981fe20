/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_BIND_H
#define QUILL_BIND_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct drm_device;
struct drm_file;
struct quill_device;
struct quill_vm;

/**
 * struct quill_bind_queue - the asynchronous binds of a VM
 */
struct quill_bind_queue {
	/** @mutex: numbers binds and queues them in that order. */
	struct mutex mutex;
	/** @closed: takes no more, under @mutex. */
	bool closed;
	u64 fence_context;
	/** @last: number of the last bind, under @mutex. */
	u64 last;
	/** @lock: the lists. */
	spinlock_t lock;
	/** @queued: not ended, in order; none but @work ends them. */
	struct list_head queued;
	/** @ended: for @cleanup. */
	struct list_head ended;
	/** @error: what binds end with from now on, or 0. */
	int error;
	struct work_struct work;
	struct work_struct cleanup;
};

void quill_bind_queue_init(struct quill_bind_queue *binds);
void quill_bind_queue_close(struct quill_vm *vm);
void quill_bind_queue_fini(struct quill_vm *vm);
void quill_bind_unplug_all(struct quill_device *qdev);

int quill_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* QUILL_BIND_H */
