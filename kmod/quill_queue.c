// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: queues.
 *
 * DOC: Queues
 *
 * A queue owns one hardware queue: a doorbell page, a ring of descriptors and a ring of
 * completions of as many entries, served by the firmware of core (number % cores). It has a
 * scheduler and an entity of its own, so that queues wait for nobody's fences but their own.
 *
 * Its end has two parts. Closing (by its id, or with the file) is done by the caller and waits:
 * no new jobs, the firmware ends what runs and forgets the rings, every fence signals, the
 * hardware queue is free again. Releasing (memory) follows when the last job is freed, which a
 * fence of somebody else's that a waiting job depends on can put off. It runs in a work item of
 * its own: the last reference may be dropped by the scheduler that is to be freed.
 */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include <drm/drm_auth.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "quill_compat.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_fence.h"
#include "quill_fw.h"
#include "quill_irq.h"
#include "quill_job.h"
#include "quill_pm.h"
#include "quill_queue.h"
#include "quill_reset.h"
#include "quill_stats.h"
#include "quill_trace.h"
#include "quill_uqueue.h"
#include "quill_vm.h"

/* How long a close waits for the scheduler to free the jobs that it has ended. */
#define QUILL_IDLE_TIMEOUT	(2 * HZ)

struct quill_queue *quill_queue_get(struct quill_queue *queue)
{
	kref_get(&queue->ref);
	return queue;
}

static void quill_queue_release_work(struct work_struct *work)
{
	struct quill_queue *queue = container_of(work, struct quill_queue, release_work);

	drm_sched_fini(&queue->sched);
	quill_vm_put(queue->vm);
	quill_user_put(queue->user);
	mutex_destroy(&queue->submit_lock);
	quill_usage_put(queue->usage);
	quill_stats_fini(queue);
	quill_uqueue_fini(queue);
	kfree(queue);
}

static void quill_queue_release(struct kref *ref)
{
	struct quill_queue *queue = container_of(ref, struct quill_queue, ref);

	queue_work(quill_cleanup_wq, &queue->release_work);
}

void quill_queue_put(struct quill_queue *queue)
{
	kref_put(&queue->ref, quill_queue_release);
}

/*
 * quill_queue_lookup() - from id to a reference, or NULL
 */
struct quill_queue *quill_queue_lookup(struct quill_file *qfile, u32 id)
{
	struct quill_queue *queue;

	xa_lock(&qfile->queues);
	queue = xa_load(&qfile->queues, id);
	if (queue)
		quill_queue_get(queue);
	xa_unlock(&qfile->queues);
	return queue;
}

/* ---- Under queue->lock ------------------------------------------------------ */

static void quill_queue_write_desc(struct quill_queue *queue, struct quill_job *job)
{
	struct quill_job_desc *desc = &queue->rings->desc[queue->tail % QUILL_RING_ENTRIES];

	*desc = (struct quill_job_desc) {
		.stream = job->stream,
		.size = job->size,
		.flags = queue->quiet ? QUILL_JOB_QUIET : 0,
		.job = job->id,
	};
	queue->tail++;
	job->posted = true;
	trace_quill_run(job);
}

/*
 * quill_queue_post() - write what is not in the ring to the ring, and ring; if that cannot be now,
 * see that it will be
 *
 * There is room: see QUILL_RING_ENTRIES. Jobs that are not in the ring follow those that are.
 */
void quill_queue_post(struct quill_queue *queue)
{
	struct quill_device *qdev = queue->qdev;
	struct list_head *at = &queue->running;
	int idx;

	lockdep_assert_held(&queue->lock);
	if (!queue->rings || !drm_dev_enter(&qdev->drm, &idx))
		return;
	while (at->prev != &queue->running && !list_entry(at->prev, struct quill_job, node)->posted)
		at = at->prev;
	if (at == &queue->running)
		goto out;
	if (!queue->halted) {
		for (; at != &queue->running; at = at->next)
			quill_queue_write_desc(queue, list_entry(at, struct quill_job, node));
		quill_doorbell(qdev, queue->hwq, queue->tail);
	}
	/* If it is halted because the device sleeps, this wakes it. */
	quill_reset_watch(queue, queue->timeout_ms);
out:
	drm_dev_exit(idx);
}

/*
 * quill_queue_loud() - the job posted last is to raise an interrupt after all
 *
 * The firmware reads the flag again behind the record: either it sees this, or who looks for the
 * record after this sees it.
 */
void quill_queue_loud(struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (!queue->rings)
		return;
	WRITE_ONCE(queue->rings->desc[(queue->tail - 1) % QUILL_RING_ENTRIES].flags, 0);
	mb(); /* between the flag's write and the records' reads; the device has its own */
}

/*
 * quill_queue_ban() - no more jobs. What is in the ring already ends as it ends.
 */
void quill_queue_ban(struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->banned)
		return;
	queue->banned = true;
	if (!queue->error)
		queue->error = -ECANCELED;
	atomic_inc(&queue->qdev->banned);
	drm_dbg(&queue->qdev->drm, "queue %u: banned after %u faults, %u timeouts in a row\n",
		queue->hwq, queue->faults_in_a_row, queue->timeouts_in_a_row);
}

/*
 * Whoever's jobs fail again and again is not served for ever: a timeout costs all others of the
 * core time, a fault only himself, so for faults it is his to say how many.
 */
static void quill_queue_judge(struct quill_queue *queue, int error)
{
	unsigned int most = quill_max_timeouts();

	if (!error) {
		queue->faults_in_a_row = 0;
		queue->timeouts_in_a_row = 0;
		return;
	}
	if (error != -ETIME && error != -EIO)
		return;
	queue->faults_in_a_row++;
	queue->timeouts_in_a_row += error == -ETIME;
	if ((most && queue->timeouts_in_a_row >= most) ||
	    (queue->max_faults && queue->faults_in_a_row >= queue->max_faults))
		quill_queue_ban(queue);
}

/*
 * quill_queue_count() - a job of it has ended, and so
 */
void quill_queue_count(struct quill_queue *queue, int error)
{
	lockdep_assert_held(&queue->lock);
	queue->head_since = ktime_get();
	quill_stats_end_job(queue, error);
	quill_queue_judge(queue, error);
}

/*
 * quill_queue_end_job() - a job has ended: count it and signal its fence
 */
void quill_queue_end_job(struct quill_queue *queue, struct quill_job *job, int error)
{
	bool direct;

	lockdep_assert_held(&queue->lock);
	list_del_init(&job->node);
	quill_queue_count(queue, error);
	trace_quill_done(job, error);
	/* The job may be freed from here on, by the scheduler, unless that does not know it. */
	direct = job->direct;
	quill_fence_signal(job->fence, error);
	if (direct)
		quill_job_ended(job);
}

/*
 * quill_queue_fail_all() - end every job that the hardware has or was to get
 */
void quill_queue_fail_all(struct quill_queue *queue, int error)
{
	struct quill_job *job, *next;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry_safe(job, next, &queue->running, node)
		quill_queue_end_job(queue, job, error);
	if (queue->uq)
		quill_uqueue_fail_all(queue, error);
}

/*
 * quill_queue_nudge() - if an interrupt or a doorbell was lost: read what has completed, ring again
 *
 * Neither does harm where nothing was lost: the doorbell's value is a running count.
 */
void quill_queue_nudge(struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	quill_irq_process_locked(queue);
	if (queue->halted || queue->broken || !queue->created || list_empty(&queue->running))
		return;
	quill_doorbell(queue->qdev, queue->hwq, queue->tail);
}

/* ---- Hardware ---------------------------------------------------------------- */

int quill_queue_admin(struct quill_queue *queue, enum quill_admin_op op)
{
	struct quill_admin_msg msg = {
		.op = op,
		.queue = queue->hwq,
	};

	return quill_fw_admin(quill_queue_core(queue->qdev, queue->hwq), &msg);
}

/* The ring is empty, and jobs that were in it are to go there again. */
static void quill_queue_prepare(struct quill_queue *queue, struct quill_admin_msg *msg)
{
	struct quill_job *job;

	msg->ring = queue->rings_dma + offsetof(struct quill_rings, desc);
	msg->cpl = queue->rings_dma + offsetof(struct quill_rings, cpl);
	spin_lock_irq(&queue->lock);
	memset(queue->rings, 0, sizeof(*queue->rings));
	queue->tail = 0;
	queue->seen = 0;
	queue->broken = false;
	list_for_each_entry(job, &queue->running, node)
		job->posted = false;
	spin_unlock_irq(&queue->lock);
}

/*
 * quill_queue_hw_create() - make the queue known to its core's firmware, with an empty ring,
 * and post its jobs
 *
 * With hw_lock held, either way.
 */
int quill_queue_hw_create(struct quill_queue *queue)
{
	struct quill_core *core = quill_queue_core(queue->qdev, queue->hwq);
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_CREATE,
		.queue = queue->hwq,
		.as = queue->vm->mmu.as,
		.vector = queue->vector,
		.priority = queue->priority,
		.entries = QUILL_RING_ENTRIES,
	};
	int ret;

	lockdep_assert_held(&queue->qdev->hw_lock);
	if (queue->uq)
		quill_uqueue_prepare(queue, &msg);
	else
		quill_queue_prepare(queue, &msg);

	ret = quill_fw_admin(core, &msg);
	if (ret)
		return ret;
	queue->created = true;

	spin_lock_irq(&queue->lock);
	queue->halted = false;
	queue->head_since = ktime_get();
	quill_queue_post(queue);
	spin_unlock_irq(&queue->lock);
	if (queue->uq)
		quill_uqueue_started(queue);
	return 0;
}

static bool quill_queue_has_running(struct quill_queue *queue)
{
	bool running;

	spin_lock_irq(&queue->lock);
	running = !list_empty(&queue->running);
	spin_unlock_irq(&queue->lock);
	return running;
}

/* Let the firmware end the queue's jobs and forget its rings. Under hw_lock for reading. */
static int quill_queue_hw_forget(struct quill_queue *queue)
{
	int ret = 0;

	if (!queue->created || queue->qdev->dead)
		return 0;
	/* What a process may have rung is known to the firmware alone. */
	if (queue->uq || quill_queue_has_running(queue)) {
		ret = quill_queue_admin(queue, QUILL_ADMIN_QUEUE_KILL);
		quill_irq_process(queue);
	}
	if (!ret)
		ret = quill_queue_admin(queue, QUILL_ADMIN_QUEUE_DESTROY);
	if (!ret)
		queue->created = false;
	return ret;
}

/*
 * When it returns the device uses the rings no more: the firmware said so, or its core was
 * restarted (a recovery forgets queues that take no more jobs), or the device was given up, or
 * is unplugged and stopped.
 */
static void quill_queue_hw_destroy(struct quill_queue *queue)
{
	struct quill_device *qdev = queue->qdev;
	int idx, ret;

	if (drm_dev_enter(&qdev->drm, &idx)) {
		down_read(&qdev->hw_lock);
		ret = quill_queue_hw_forget(queue);
		up_read(&qdev->hw_lock);
		if (ret)
			quill_reset_sync(qdev, BIT(queue->hwq % qdev->nr_cores));
		drm_dev_exit(idx);
	} else {
		wait_for_completion(&qdev->stopped);
	}
	spin_lock_irq(&queue->lock);
	quill_queue_fail_all(queue, queue->error);
	spin_unlock_irq(&queue->lock);
}

/* ---- Slots ------------------------------------------------------------------- */

static unsigned int quill_queue_core_load(struct quill_device *qdev, unsigned int core)
{
	unsigned int i, load = 0;

	for (i = core; i < qdev->nr_queues; i += qdev->nr_cores)
		load += !!qdev->hwq[i];
	return load;
}

/* A free hardware queue of the core that has the fewest in use. */
static int quill_queue_take_slot(struct quill_queue *queue)
{
	unsigned int i, load, best_load = UINT_MAX, best = 0;
	struct quill_device *qdev = queue->qdev;

	mutex_lock(&qdev->slot_lock);
	for (i = 0; i < qdev->nr_queues; i++) {
		if (qdev->hwq[i])
			continue;
		load = quill_queue_core_load(qdev, i % qdev->nr_cores);
		if (load < best_load) {
			best_load = load;
			best = i;
		}
	}
	if (best_load != UINT_MAX) {
		queue->hwq = best;
		queue->vector = quill_irq_vector(qdev, best);
		spin_lock_irq(&qdev->hwq_lock);
		qdev->hwq[best] = queue;
		spin_unlock_irq(&qdev->hwq_lock);
	}
	mutex_unlock(&qdev->slot_lock);
	return best_load != UINT_MAX ? 0 : -ENOSPC;
}

static void quill_queue_free_rings(struct quill_queue *queue)
{
	struct quill_rings *rings;

	lockdep_assert_held(&queue->qdev->slot_lock);
	spin_lock_irq(&queue->lock);
	rings = queue->rings;
	queue->rings = NULL;
	spin_unlock_irq(&queue->lock);
	if (queue->uq)
		quill_uqueue_unmap_dma(queue);
	if (rings)
		dma_free_coherent(queue->qdev->drm.dev, sizeof(*rings), rings, queue->rings_dma);
}

/*
 * A recovery looks at the table under hw_lock, and so is either before this or sees nothing of
 * the queue.
 */
static void quill_queue_leave_slot(struct quill_queue *queue)
{
	struct quill_device *qdev = queue->qdev;

	mutex_lock(&qdev->slot_lock);
	down_read(&qdev->hw_lock);
	spin_lock_irq(&qdev->hwq_lock);
	qdev->hwq[queue->hwq] = NULL;
	spin_unlock_irq(&qdev->hwq_lock);
	up_read(&qdev->hw_lock);
	quill_queue_free_rings(queue);
	mutex_unlock(&qdev->slot_lock);
}

/* ---- Create, close ------------------------------------------------------------- */

/*
 * Jobs that the scheduler has not run end here. It must not be at work meanwhile: a job that it
 * takes while the entity is being killed puts the entity back into the tree from which the kill has
 * removed it, and then both take jobs from the same queue: some would be run, and freed, twice.
 */
static void quill_queue_end_entity(struct quill_queue *queue)
{
	drm_sched_wqueue_stop(&queue->sched);
	drm_sched_entity_fini(&queue->entity);
	drm_sched_wqueue_start(&queue->sched);
}

static void quill_queue_close(struct quill_queue *queue, int error)
{
	mutex_lock(&queue->submit_lock);
	queue->closed = true;
	mutex_unlock(&queue->submit_lock);
	spin_lock_irq(&queue->lock);
	if (!queue->error)
		queue->error = error;
	spin_unlock_irq(&queue->lock);

	if (queue->uq)
		quill_uqueue_close(queue);
	disable_delayed_work_sync(&queue->watchdog);
	quill_queue_end_entity(queue);
	quill_queue_hw_destroy(queue);
	quill_queue_leave_slot(queue);
	quill_user_uncharge(queue->user, QUILL_SHARE_QUEUE);
	wait_event_timeout(queue->idle, !atomic_read(&queue->jobs), QUILL_IDLE_TIMEOUT);
	quill_queue_put(queue);
}

void quill_queue_close_all(struct quill_file *qfile)
{
	struct quill_queue *queue;
	unsigned long id;

	xa_for_each(&qfile->queues, id, queue) {
		xa_erase(&qfile->queues, id);
		quill_queue_close(queue, -ECANCELED);
	}
}

static struct quill_queue *quill_queue_alloc(struct quill_file *qfile,
					     const struct drm_quill_queue_create *args)
{
	struct quill_queue *queue;

	queue = quill_fail(QUILL_FAIL_ALLOC) ? NULL : kzalloc_obj(*queue, GFP_KERNEL_ACCOUNT);
	if (!queue)
		return NULL;
	if (quill_stats_init(queue)) {
		kfree(queue);
		return NULL;
	}
	kref_init(&queue->ref);
	queue->qdev = qfile->qdev;
	queue->priority = args->priority;
	queue->timeout_ms = args->timeout_ms ? args->timeout_ms : quill_default_timeout_ms();
	queue->max_faults = args->max_faults;
	queue->fence_context = dma_fence_context_alloc(1);
	queue->halted = true;
	INIT_WORK(&queue->release_work, quill_queue_release_work);
	INIT_DELAYED_WORK(&queue->watchdog, quill_reset_watchdog);
	INIT_LIST_HEAD(&queue->running);
	init_waitqueue_head(&queue->idle);
	mutex_init(&queue->submit_lock);
	spin_lock_init(&queue->lock);
	return queue;
}

/* The firmware's part. A core that does not answer is restarted once. */
static int quill_queue_start(struct quill_queue *queue)
{
	struct quill_device *qdev = queue->qdev;
	int tries, ret;

	ret = quill_pm_get(qdev);
	if (ret)
		return ret;
	for (tries = 0; tries < 2; tries++) {
		down_read(&qdev->hw_lock);
		ret = qdev->dead ? -ENODEV : 0;
		/* The recovery has created it with the others. */
		if (!ret && !queue->created)
			ret = quill_queue_hw_create(queue);
		up_read(&qdev->hw_lock);
		if (!ret || qdev->dead)
			break;
		quill_reset_sync(qdev, BIT(queue->hwq % qdev->nr_cores));
	}
	quill_pm_put(qdev);
	return ret ? -ENODEV : 0;
}

static int quill_queue_alloc_rings(struct quill_queue *queue, u32 flags)
{
	/* Its pages are in the process too. */
	if (flags & DRM_QUILL_QUEUE_CREATE_USER)
		return queue->qdev->bounces ? -EOPNOTSUPP : quill_uqueue_init(queue);
	if (quill_fail(QUILL_FAIL_DMA_MAP))
		return -ENOMEM;
	queue->rings = dma_alloc_coherent(queue->qdev->drm.dev, sizeof(*queue->rings),
					  &queue->rings_dma, GFP_KERNEL);
	return queue->rings ? 0 : -ENOMEM;
}

static struct quill_queue *quill_queue_create(struct quill_file *qfile, struct quill_vm *vm,
					      const struct drm_quill_queue_create *args)
{
	struct quill_device *qdev = qfile->qdev;
	struct drm_gpu_scheduler *sched;
	struct quill_queue *queue;
	int ret;

	ret = quill_user_charge(qdev, qfile->user, QUILL_SHARE_QUEUE);
	if (ret)
		return ERR_PTR(ret);
	ret = -ENOMEM;
	queue = quill_queue_alloc(qfile, args);
	if (!queue)
		goto err_uncharge;
	ret = quill_queue_alloc_rings(queue, args->flags);
	if (ret)
		goto err_free;
	ret = quill_sched_init(&queue->sched, &quill_sched_ops, qdev->submit_wq,
			       QUILL_RING_CREDITS, qdev->drm.dev);
	if (ret)
		goto err_rings;
	sched = &queue->sched;
	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_KERNEL, &sched, 1, NULL);
	if (ret)
		goto err_sched;
	queue->vm = quill_vm_get(vm);
	queue->user = quill_user_get(qfile->user);
	queue->usage = quill_usage_get(qfile->usage);
	ret = quill_queue_take_slot(queue);
	if (ret)
		goto err_entity;
	return queue;

err_entity:
	quill_usage_put(queue->usage);
	quill_user_put(queue->user);
	quill_vm_put(queue->vm);
	drm_sched_entity_fini(&queue->entity);
err_sched:
	drm_sched_fini(&queue->sched);
err_rings:
	quill_uqueue_fini(queue);
	if (queue->rings)
		dma_free_coherent(qdev->drm.dev, sizeof(*queue->rings), queue->rings,
				  queue->rings_dma);
err_free:
	quill_stats_fini(queue);
	kfree(queue);
err_uncharge:
	quill_user_uncharge(qfile->user, QUILL_SHARE_QUEUE);
	return ERR_PTR(ret);
}

/*
 * quill_queue_unplug_all() - the hardware has gone: end all jobs, free what is mapped for DMA
 *
 * What it had completed counts as such.
 */
void quill_queue_unplug_all(struct quill_device *qdev)
{
	struct quill_queue *queue;
	unsigned int i;

	mutex_lock(&qdev->slot_lock);
	for (i = 0; i < qdev->nr_queues; i++) {
		queue = qdev->hwq[i];
		if (!queue)
			continue;
		quill_irq_process(queue);
		spin_lock_irq(&queue->lock);
		queue->error = -ENODEV;
		quill_queue_fail_all(queue, -ENODEV);
		spin_unlock_irq(&queue->lock);
		quill_queue_free_rings(queue);
	}
	mutex_unlock(&qdev->slot_lock);
}

/* ---- Ioctls -------------------------------------------------------------------- */

static int quill_queue_check_priority(u32 priority, struct drm_file *file)
{
	if (priority > DRM_QUILL_PRIORITY_HIGH)
		return -EINVAL;
	if (priority < DRM_QUILL_PRIORITY_HIGH)
		return 0;
	return capable(CAP_SYS_NICE) || drm_is_current_master(file) ? 0 : -EACCES;
}

int quill_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct quill_file *qfile = file->driver_priv;
	struct drm_quill_queue_create *args = data;
	struct quill_queue *queue;
	struct quill_vm *vm;
	int idx, ret;

	BUILD_BUG_ON((int)DRM_QUILL_PRIORITY_LOW != (int)QUILL_FW_PRIORITY_LOW);
	BUILD_BUG_ON((int)DRM_QUILL_PRIORITY_HIGH != (int)QUILL_FW_PRIORITY_HIGH);

	if (args->flags & ~DRM_QUILL_QUEUE_CREATE_FLAGS || args->pad || args->pad2 || args->pad3 ||
	    args->timeout_ms > QUILL_MAX_TIMEOUT_MS)
		return -EINVAL;
	ret = quill_queue_check_priority(args->priority, file);
	if (ret)
		return ret;
	vm = quill_vm_lookup(qfile, args->vm_id);
	if (!vm)
		return -ENOENT;
	if (!drm_dev_enter(drm, &idx)) {
		quill_vm_put(vm);
		return -ENODEV;
	}

	queue = quill_queue_create(qfile, vm, args);
	ret = PTR_ERR_OR_ZERO(queue);
	if (!ret)
		ret = quill_queue_start(queue);
	if (!ret)
		ret = xa_alloc(&qfile->queues, &args->queue_id, queue, xa_limit_31b,
			       GFP_KERNEL_ACCOUNT);
	if (!ret)
		quill_uqueue_offset(queue, args);
	drm_dev_exit(idx);
	/* Not before: a close may wait for an unplug, and that waits for who has entered. */
	if (ret && !IS_ERR(queue))
		quill_queue_close(queue, -ECANCELED);
	quill_vm_put(vm);
	return ret;
}

int quill_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct quill_file *qfile = file->driver_priv;
	struct drm_quill_queue_destroy *args = data;
	struct quill_queue *queue;

	if (args->pad)
		return -EINVAL;
	queue = xa_erase(&qfile->queues, args->queue_id);
	if (!queue)
		return -ENOENT;
	quill_queue_close(queue, -ECANCELED);
	return 0;
}
