/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_STATS_H
#define QUILL_STATS_H

#include <linux/kref.h>
#include <linux/spinlock.h>

#include <quill/fw_abi.h>

struct drm_device;
struct drm_file;
struct drm_printer;
struct drm_quill_queue_query;
struct quill_device;
struct quill_job_cpl;
struct quill_queue;

/**
 * struct quill_usage - what the jobs of one file have cost, for its fdinfo
 *
 * Held by the file and its queues: jobs that end late still count.
 */
struct quill_usage {
	struct kref ref;
	/** @lock: spinlock, irqs. */
	spinlock_t lock;
	u64 counters[QUILL_COUNTER_COUNT];
};

struct quill_usage *quill_usage_new(void);
struct quill_usage *quill_usage_get(struct quill_usage *usage);
void quill_usage_put(struct quill_usage *usage);
void quill_stats_fdinfo(struct drm_printer *p, struct drm_file *file);

int quill_stats_init(struct quill_queue *queue);
void quill_stats_fini(struct quill_queue *queue);
void quill_stats_end_job(struct quill_queue *queue, int error);
void quill_stats_count(struct quill_queue *queue, const struct quill_job_cpl *rec);
int quill_stats_device(struct quill_device *qdev, struct drm_quill_queue_query *answer);

int quill_ioctl_queue_query(struct drm_device *drm, void *data, struct drm_file *file);

#endif
