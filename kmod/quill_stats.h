/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_STATS_H
#define QUILL_STATS_H

struct drm_device;
struct drm_file;
struct drm_quill_queue_query;
struct quill_device;
struct quill_job_cpl;
struct quill_queue;

int quill_stats_init(struct quill_queue *queue);
void quill_stats_fini(struct quill_queue *queue);
void quill_stats_end_job(struct quill_queue *queue, int error);
void quill_stats_count(struct quill_queue *queue, const struct quill_job_cpl *rec);
int quill_stats_device(struct quill_device *qdev, struct drm_quill_queue_query *answer);

int quill_ioctl_queue_query(struct drm_device *drm, void *data, struct drm_file *file);

#endif
