/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_COREDUMP_H
#define QUILL_COREDUMP_H

#include <linux/types.h>

struct quill_device;
struct quill_job_cpl;
struct quill_queue;

#ifdef CONFIG_DEV_COREDUMP
int quill_coredump_init(struct quill_device *qdev);
void quill_coredump_fini(struct quill_device *qdev);
void quill_coredump_state(struct quill_device *qdev, const char *reason);
void quill_coredump_job(struct quill_queue *queue, u64 job);
void quill_coredump_publish(struct quill_device *qdev);
void quill_coredump_fault(struct quill_queue *queue, const struct quill_job_cpl *rec);
#else
static inline int quill_coredump_init(struct quill_device *qdev) { return 0; }
static inline void quill_coredump_fini(struct quill_device *qdev) {}
static inline void quill_coredump_state(struct quill_device *qdev, const char *reason) {}
static inline void quill_coredump_job(struct quill_queue *queue, u64 job) {}
static inline void quill_coredump_publish(struct quill_device *qdev) {}
static inline void quill_coredump_fault(struct quill_queue *queue,
					const struct quill_job_cpl *rec) {}
#endif

#endif /* QUILL_COREDUMP_H */
