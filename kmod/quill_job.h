/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_JOB_H
#define QUILL_JOB_H

#include <linux/list.h>
#include <linux/types.h>

#include <drm/gpu_scheduler.h>

struct drm_device;
struct drm_file;
struct quill_queue;

/**
 * struct quill_job - one command stream to run
 */
struct quill_job {
	/** @base: for the scheduler; unused if that does not know the job. */
	struct drm_sched_job base;
	/** @node: in queue->running. */
	struct list_head node;
	struct quill_queue *queue;
	/** @fence: what users and the scheduler wait for. */
	struct dma_fence *fence;
	u64 id;
	u64 stream;
	u32 size;
	/** @scheduled: the scheduler is to run it: @base is in use. */
	bool scheduled;
	/** @direct: it goes to the ring past the scheduler. */
	bool direct;
	/** @posted: it is in the ring. Under queue->lock. */
	bool posted;
	/** @replays: how often it was first in its queue when its core had to be restarted. */
	u8 replays;
};

extern const struct drm_sched_backend_ops quill_sched_ops;

void quill_job_ended(struct quill_job *job);

int quill_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* QUILL_JOB_H */
