/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_QUEUE_H
#define QUILL_QUEUE_H

#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/gpu_scheduler.h>

#include <quill/fw_abi.h>
#include <quill/regs.h>

struct drm_device;
struct drm_file;
struct quill_device;
struct quill_file;
struct quill_job;
struct quill_uqueue;
struct quill_usage;
struct quill_user;
struct quill_vm;

/* Jobs that one queue can have in the hardware at once: by way of the scheduler, and past it. */
#define QUILL_RING_CREDITS	64
#define QUILL_RING_DIRECT	64
#define QUILL_RING_ENTRIES	(QUILL_RING_CREDITS + QUILL_RING_DIRECT)

/**
 * struct quill_rings - what the firmware and the driver share of a queue, in coherent memory
 */
struct quill_rings {
	struct quill_job_cpl cpl[QUILL_RING_ENTRIES];
	struct quill_job_desc desc[QUILL_RING_ENTRIES];
};

/**
 * struct quill_job_counters - the counters of one job that has ended
 */
struct quill_job_counters {
	u64 job;
	u64 counters[QUILL_COUNTER_COUNT];
};

/**
 * struct quill_queue_stats - what QUEUE_QUERY tells, under queue->lock
 */
struct quill_queue_stats {
	u64 jobs;
	u64 faults;
	u64 counters[QUILL_COUNTER_COUNT];
	/**
	 * @history: of the last DRM_QUILL_QUEUE_HISTORY records, the next going to @recorded modulo
	 * that.
	 */
	struct quill_job_counters *history;
	u64 recorded;
	/** @fault: the record of the last job that failed. */
	struct quill_job_cpl fault;
	u32 fault_elapsed_ms;
};

/**
 * struct quill_queue - a user's queue on a hardware queue of its own
 *
 * Held by its id and by every job. It holds the VM.
 */
struct quill_queue {
	struct kref ref;
	struct quill_device *qdev;
	struct quill_vm *vm;
	struct quill_user *user;
	struct quill_usage *usage;
	unsigned int hwq;
	unsigned int vector;
	u32 priority;
	u32 timeout_ms;
	/** @max_faults: so many in a row ban it; 0: none do. */
	u32 max_faults;
	struct drm_gpu_scheduler sched;
	struct drm_sched_entity entity;
	u64 fence_context;
	struct work_struct release_work;

	/** @submit_lock: numbers jobs and pushes them in that order. */
	struct mutex submit_lock;
	/** @closed: takes no more jobs, under @submit_lock. */
	bool closed;
	/** @last_job: number of the last job submitted, under @submit_lock. */
	u64 last_job;

	/** @jobs: not yet freed; @idle wakes when none is left. */
	atomic_t jobs;
	wait_queue_head_t idle;

	/** @rings: NULL once the hardware has no use for them. Freed under slot_lock. */
	struct quill_rings *rings;
	dma_addr_t rings_dma;
	/** @uq: if a process writes its ring; then there are no @rings, no jobs and no @tail. */
	struct quill_uqueue *uq;

	/**
	 * @created: the firmware knows it. Under hw_lock: written by its creator, its closer,
	 * or a recovery.
	 */
	bool created;

	/** @lock: all below. */
	spinlock_t lock;
	/** @running: jobs handed to the hardware, or waiting for it to come back; in order. */
	struct list_head running;
	/**
	 * @waiting: jobs that the scheduler has and has not run; @direct: those in @running that it
	 * does not know.
	 */
	u32 waiting;
	u32 direct;
	/** @tail: descriptors written; @seen: completions read. Running counts since CREATE. */
	u32 tail;
	u32 seen;
	/** @quiet: what is posted now needs no interrupt: see quill_job_pass_by(). */
	bool quiet;
	/** @halted: jobs are kept in @running but not written to the ring. */
	bool halted;
	/** @broken: the firmware wrote nonsense; not read until its restart. */
	bool broken;
	/** @banned: a job of it made the firmware stop answering, or too many failed in a row. */
	bool banned;
	u32 faults_in_a_row;
	u32 timeouts_in_a_row;
	/** @error: what jobs end with from now on, or 0. */
	int error;
	/** @killing: the watchdog has the ring emptied, because of the job with number @guilty. */
	bool killing;
	u64 guilty;
	/** @head_since: when the first job in @running became the first. */
	ktime_t head_since;
	struct quill_queue_stats stats;
	/** @watchdog: looks whether the first job has run too long. */
	struct delayed_work watchdog;
};

struct quill_queue *quill_queue_get(struct quill_queue *queue);
void quill_queue_put(struct quill_queue *queue);
struct quill_queue *quill_queue_lookup(struct quill_file *qfile, u32 id);
void quill_queue_close_all(struct quill_file *qfile);

int quill_queue_admin(struct quill_queue *queue, enum quill_admin_op op);
int quill_queue_hw_create(struct quill_queue *queue);
void quill_queue_post(struct quill_queue *queue);
void quill_queue_loud(struct quill_queue *queue);
void quill_queue_end_job(struct quill_queue *queue, struct quill_job *job, int error);
void quill_queue_count(struct quill_queue *queue, int error);
void quill_queue_ban(struct quill_queue *queue);
void quill_queue_nudge(struct quill_queue *queue);
void quill_queue_fail_all(struct quill_queue *queue, int error);
void quill_queue_unplug_all(struct quill_device *qdev);

int quill_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file);
int quill_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* QUILL_QUEUE_H */
