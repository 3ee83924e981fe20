/* SPDX-License-Identifier: MIT */
/*
 * What queue.c, uqueue.c and wait.c know of a queue, and what it waits for.
 */
#ifndef ACCEL_QUEUE_H
#define ACCEL_QUEUE_H

#include <errno.h>

#include "internal.h"

#define ACCEL_FAILURES		64	/* accel.h promises as many */

/* A job that has not been reaped. */
struct accel_slot {
	uint32_t syncobj;
	uint64_t job;
	struct accel_stream *stream;
	uint64_t generation;
};

struct accel_failure {
	uint64_t point;
	uint64_t job;
	int error;
	char *text;
};

struct accel_queue {
	atomic_uint refs;
	struct accel_vm *vm;
	uint32_t id;
	uint32_t timeline;
	/* If the process serves its ring itself; then @timeline is a binary syncobj to sleep on, and slots have none. */
	struct accel_uqueue *user;
	/* Points given out, and of these, reaped. */
	uint64_t submitted, reaped;
	/* Of point p: slots[p % n_slots]; a power of two of them. */
	struct accel_slot *slots;
	uint32_t n_slots;
	/* The last failures, as a ring. */
	struct accel_failure failures[ACCEL_FAILURES];
	uint64_t n_failures;
	/* The driver's numbers of the last jobs, by point. */
	uint64_t recent[DRM_QUILL_QUEUE_HISTORY];
};

static inline struct accel_slot *accel_queue_slot(struct accel_queue *queue, uint64_t point)
{
	return &queue->slots[point & (queue->n_slots - 1)];
}

/* libdrm's syncobj functions return -errno or -1: agree on -errno. */
static inline int accel_drm_ret(int ret)
{
	return ret ? -errno : 0;
}

/* queue.c */
int accel_queue_query(struct accel_queue *queue, struct drm_quill_queue_query *query);
void accel_queue_remember(struct accel_queue *queue, uint64_t point, int error,
			  const struct drm_quill_queue_query *query);
int64_t accel_deadline(int64_t timeout_ns);

/* uqueue.c: queues whose ring the process serves */
int accel_uqueue_create(struct accel_queue *queue, const struct drm_quill_queue_create *args);
void accel_uqueue_destroy(struct accel_uqueue *user);
int accel_uqueue_make_room(struct accel_queue *queue);
int accel_uqueue_submit(struct accel_queue *queue, uint64_t stream, uint32_t size);
void accel_uqueue_reap(struct accel_queue *queue);
/* Until the job has ended, or the queue, or the deadline has come: -ETIME. */
int accel_uqueue_wait(struct accel_queue *queue, uint64_t point, int64_t deadline);
/* A syncobj that signals at the job's end; 0: it has ended. */
int accel_uqueue_fence(struct accel_queue *queue, uint64_t point, uint32_t *syncobj);

/* wait.c: what one call gives the driver; @fences are made for it alone */
struct accel_syncs {
	struct drm_quill_sync sync[DRM_QUILL_MAX_SYNCS];
	uint32_t count;
	uint32_t fences[ACCEL_MAX_WAITS];
	uint32_t n_fences;
};

int accel_waits_check(struct accel_device *dev, const char *what, const struct accel_wait *waits,
		      unsigned int n_waits);
/* Checked waits. On an error, too, there is something to free. */
int accel_syncs_init(struct accel_syncs *syncs, const struct accel_wait *waits, unsigned int n_waits);
void accel_syncs_signal(struct accel_syncs *syncs, uint32_t syncobj, uint64_t point);
void accel_syncs_free(struct accel_device *dev, const struct accel_syncs *syncs);

#endif /* ACCEL_QUEUE_H */
