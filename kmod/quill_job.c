// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: jobs, from SUBMIT to the ring.
 *
 * DOC: Jobs
 *
 * A job waits in drm_sched for the fences it depends on and for room in the ring (one credit an
 * entry), is then appended to queue->running and written to the ring, and leaves both when its
 * completion record is read. One that waits for nothing, on a queue of which nothing waits in the
 * scheduler, goes to the ring at once: the scheduler's work item would cost it more than its
 * run. Each way has half of the ring's entries, so neither has to know of the other.
 *
 * queue->running, and not the scheduler's list, is what a recovery works on: a job that has to
 * run again is written to the ring again, and its fence never knows. So the scheduler's own
 * timeout is unused (its timer starts anew with each job that is pushed, and so could be put off
 * for long): see quill_reset.c for the watchdog.
 *
 * Every fence signals: by the completion record; by a recovery that gives the job up; by
 * run_job() if the queue has ended; or at last by free_job(), for those that never ran.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "quill_compat.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_fence.h"
#include "quill_irq.h"
#include "quill_job.h"
#include "quill_queue.h"
#include "quill_reset.h"
#include "quill_sync.h"
#include "quill_trace.h"

#define to_quill_job(j) container_of(j, struct quill_job, base)

/* Hand the job to the hardware, or end it. Under queue->lock. */
static void quill_job_start(struct quill_job *job)
{
	struct quill_queue *queue = job->queue;

	lockdep_assert_held(&queue->lock);
	if (queue->error) {
		quill_queue_end_job(queue, job, queue->error);
		return;
	}
	if (list_empty(&queue->running))
		queue->head_since = ktime_get();
	list_add_tail(&job->node, &queue->running);
	quill_queue_post(queue);
}

static struct dma_fence *quill_job_run(struct drm_sched_job *base)
{
	struct quill_job *job = to_quill_job(base);
	/* Taken first: the job may end before this returns. */
	struct dma_fence *fence = dma_fence_get(job->fence);
	struct quill_queue *queue = job->queue;

	spin_lock_irq(&queue->lock);
	queue->waiting--;
	quill_job_start(job);
	spin_unlock_irq(&queue->lock);
	return fence;
}

static void quill_job_release(struct quill_job *job)
{
	struct quill_queue *queue = job->queue;

	kfree(job);
	if (atomic_dec_and_test(&queue->jobs))
		wake_up_all(&queue->idle);
	quill_queue_put(queue);
}

/* Free a job that was, or was not, armed. */
static void quill_job_destroy(struct quill_job *job)
{
	if (job->scheduled)
		drm_sched_job_cleanup(&job->base);
	quill_job_release(job);
}

static void quill_job_free(struct drm_sched_job *base)
{
	struct quill_job *job = to_quill_job(base);

	quill_fence_signal(job->fence, -ECANCELED);
	dma_fence_put(job->fence);
	quill_job_destroy(job);
}

/*
 * quill_job_ended() - free a job that the scheduler does not know
 *
 * Its queue is in the table of hardware queues, or held by who calls: this reference is not the
 * last.
 */
void quill_job_ended(struct quill_job *job)
{
	struct quill_queue *queue = job->queue;

	lockdep_assert_held(&queue->lock);
	queue->direct--;
	dma_fence_put(job->fence);
	quill_job_release(job);
}

/* No timedout_job: the scheduler is told to never time out. */
const struct drm_sched_backend_ops quill_sched_ops = {
	.run_job = quill_job_run,
	.free_job = quill_job_free,
};

static struct quill_job *quill_job_create(struct quill_queue *queue)
{
	struct quill_job *job;

	job = quill_fail(QUILL_FAIL_ALLOC) ? NULL : kzalloc_obj(*job, GFP_KERNEL_ACCOUNT);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->fence = quill_fence_alloc();
	if (!job->fence) {
		kfree(job);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&job->node);
	job->queue = quill_queue_get(queue);
	atomic_inc(&queue->jobs);
	return job;
}

/* The scheduler is to run it. */
static int quill_job_schedule(struct quill_job *job, struct drm_file *file)
{
	int ret;

	if (job->scheduled)
		return 0;
	ret = quill_sched_job_init(&job->base, &job->queue->entity, file->client_id);
	job->scheduled = !ret;
	return ret;
}

/* Leave the waiting to the scheduler. */
static int quill_job_depend(struct quill_job *job, struct drm_file *file, struct quill_syncs *syncs)
{
	struct quill_sync *sync;
	struct dma_fence *fence;
	int ret = 0;

	for (sync = syncs->sync; sync < syncs->sync + syncs->count && !ret; sync++) {
		if (!sync->wait)
			continue;
		ret = quill_job_schedule(job, file);
		if (ret)
			break;
		fence = sync->wait;
		sync->wait = NULL;
		ret = drm_sched_job_add_dependency(&job->base, fence);
	}
	return ret;
}

/*
 * Under submit_lock, so that no other job comes between: whether the queue takes the job, and
 * which way it goes. On an error nothing has changed.
 */
static int quill_job_accept(struct quill_job *job, struct drm_file *file)
{
	struct quill_queue *queue = job->queue;
	int ret;

	lockdep_assert_held(&queue->submit_lock);
	if (READ_ONCE(queue->qdev->dead))
		return -ENODEV;
	if (queue->closed)
		return -ENOENT;
	spin_lock_irq(&queue->lock);
	ret = queue->error;
	job->direct = !ret && !job->scheduled && !queue->waiting &&
		      queue->direct < QUILL_RING_DIRECT;
	queue->direct += job->direct;
	spin_unlock_irq(&queue->lock);
	if (ret || job->direct)
		return ret;

	ret = quill_job_schedule(job, file);
	if (ret)
		return ret;
	spin_lock_irq(&queue->lock);
	queue->waiting++;
	spin_unlock_irq(&queue->lock);
	return 0;
}

/*
 * Past the scheduler. The job may have ended when this returns.
 *
 * What takes no longer than its doorbell is found in the completion ring behind it, and needs no
 * interrupt, which may come to a sleeping processor.
 */
static void quill_job_pass_by(struct quill_job *job)
{
	struct quill_queue *queue = job->queue;

	spin_lock_irq(&queue->lock);
	queue->quiet = true;
	quill_job_start(job);
	queue->quiet = false;
	quill_irq_process_locked(queue);
	if (!list_empty(&queue->running)) {
		quill_queue_loud(queue);
		quill_irq_process_locked(queue);
	}
	spin_unlock_irq(&queue->lock);
}

/* Under submit_lock: the point of no return. Syncobjs get their fences in the order of the jobs. */
static void quill_job_push(struct quill_job *job, struct quill_syncs *syncs)
{
	struct quill_queue *queue = job->queue;

	lockdep_assert_held(&queue->submit_lock);
	job->id = ++queue->last_job;
	quill_fence_init(job->fence, "queue", queue->fence_context, job->id);
	if (!job->direct)
		drm_sched_job_arm(&job->base);
	quill_syncs_publish(syncs, job->fence);
	trace_quill_submit(job);
	if (job->direct)
		quill_job_pass_by(job);
	else
		drm_sched_entity_push_job(&job->base);
}

static int quill_submit(struct quill_queue *queue, struct drm_file *file,
			struct drm_quill_submit *args)
{
	struct quill_syncs syncs;
	struct quill_job *job;
	int ret;

	/* The ring keeps the order of one queue's jobs: waiting would only drain the pipe. */
	ret = quill_syncs_get(&syncs, file, &args->syncs, queue->fence_context);
	if (ret)
		return ret;
	job = quill_job_create(queue);
	ret = PTR_ERR_OR_ZERO(job);
	if (ret)
		goto out_syncs;
	job->stream = args->stream;
	job->size = args->stream_size;
	ret = quill_job_depend(job, file, &syncs);
	if (ret)
		goto err_job;
	ret = mutex_lock_interruptible(&queue->submit_lock);
	if (ret)
		goto err_job;
	ret = quill_job_accept(job, file);
	if (!ret) {
		quill_job_push(job, &syncs);
		args->job = queue->last_job;
	}
	mutex_unlock(&queue->submit_lock);
	if (!ret)
		goto out_syncs;

err_job:
	quill_fence_abandon(job->fence);
	quill_job_destroy(job);
out_syncs:
	quill_syncs_put(&syncs);
	return ret;
}

static int quill_submit_check(const struct drm_quill_submit *args)
{
	u64 end;

	if (args->flags || args->pad)
		return -EINVAL;
	if (!args->stream_size || args->stream_size > DRM_QUILL_MAX_STREAM_SIZE)
		return -EINVAL;
	if (!IS_ALIGNED(args->stream, 64) || !IS_ALIGNED(args->stream_size, 64))
		return -EINVAL;
	if (check_add_overflow(args->stream, (u64)args->stream_size, &end))
		return -EINVAL;
	return args->stream < QUILL_PAGE_SIZE || end > QUILL_VA_END ? -EINVAL : 0;
}

int quill_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_submit *args = data;
	struct quill_queue *queue;
	int idx, ret;

	ret = quill_submit_check(args);
	if (ret)
		return ret;
	queue = quill_queue_lookup(file->driver_priv, args->queue_id);
	if (!queue)
		return -ENOENT;
	ret = queue->uq ? -EINVAL : -ENODEV;
	if (!queue->uq && drm_dev_enter(drm, &idx)) {
		ret = quill_submit(queue, file, args);
		drm_dev_exit(idx);
	}
	quill_queue_put(queue);
	return ret;
}
