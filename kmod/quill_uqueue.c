// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: queues whose ring a process writes itself.
 *
 * DOC: User-mode queues
 *
 * The process maps three things of its queue: the ring, which it writes; records and state, which
 * it can only read; and the doorbell page. It submits without a call. The firmware trusts no ring,
 * and streams are read in the queue's address space, so a ring names nothing but its owner's
 * memory. Of what the process writes the driver reads one word, the tail that was rung, and does
 * with it what the process could have done: ring. Records come from the device alone.
 *
 * The driver does not see jobs come. So the doorbell page is mapped by a fault, which starts the
 * queue's watchdog; and when the firmware says that the queue is at rest, the page is unmapped and
 * the watchdog ends. A ring between the two is seen: the page goes before the question is asked.
 *
 * What a queue that is halted, banned, closed or unplugged has in place of its doorbell is a page
 * of its own that goes nowhere. What was rung there meanwhile is rung again after a recovery: the
 * tail is in the ring's memory, and counts outlive the restart.
 *
 * A fence for count n is one that a process can keep from ever being reached. It is no fence
 * without end all the same: jobs have a time limit, and if the queue comes to rest below n it ends
 * with -ECANCELED.
 */
#include <linux/atomic.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/drm_syncobj.h>

#include "quill_compat.h"
#include "quill_coredump.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_fence.h"
#include "quill_fw.h"
#include "quill_irq.h"
#include "quill_queue.h"
#include "quill_reset.h"
#include "quill_stats.h"
#include "quill_trace.h"
#include "quill_uqueue.h"

#define QUILL_UQUEUE_FENCES	256
#define QUILL_UQUEUE_REPLAYS	3
#define QUILL_UQUEUE_RINGS	4

struct quill_uqueue_fence {
	struct list_head node;
	u64 count;
	struct dma_fence *fence;
};

static struct quill_job_desc *quill_uqueue_desc(struct quill_uqueue *uq, u64 count)
{
	return &uq->rings->desc[(count - 1) % QUILL_RING_ENTRIES];
}

static struct quill_job_cpl *quill_uqueue_slot(struct quill_uqueue *uq, u64 count)
{
	return &uq->rings->cpl[(count - 1) % QUILL_RING_ENTRIES];
}

/* ---- Fences ----------------------------------------------------------------- */

static void quill_uqueue_end_fence(struct quill_queue *queue, struct quill_uqueue_fence *entry,
				   int error)
{
	lockdep_assert_held(&queue->lock);
	list_del(&entry->node);
	queue->uq->nr_fences--;
	quill_fence_signal(entry->fence, error);
	dma_fence_put(entry->fence);
	kfree(entry);
}

/* Job @count has ended with @error. */
static void quill_uqueue_signal(struct quill_queue *queue, u64 count, int error)
{
	struct quill_uqueue_fence *entry, *next;

	list_for_each_entry_safe(entry, next, &queue->uq->fences, node)
		if (entry->count <= count)
			quill_uqueue_end_fence(queue, entry, entry->count == count ? error : 0);
}

static void quill_uqueue_end_fences(struct quill_queue *queue, int error)
{
	struct quill_uqueue_fence *entry, *next;

	list_for_each_entry_safe(entry, next, &queue->uq->fences, node)
		quill_uqueue_end_fence(queue, entry, error);
}

/*
 * quill_uqueue_fail_all() - the queue takes no more jobs, and ends none any more
 */
void quill_uqueue_fail_all(struct quill_queue *queue, int error)
{
	lockdep_assert_held(&queue->lock);
	WRITE_ONCE(queue->uq->rings->state.error, -error);
	quill_uqueue_end_fences(queue, error);
	queue->uq->watched = false;
}

/* ---- Records ------------------------------------------------------------------ */

/* What a fence says of a job with this record. */
static int quill_uqueue_error(u32 status)
{
	if (!status)
		return 0;
	return status == QUILL_FAULT_KILLED ? -ECANCELED : -EIO;
}

static void quill_uqueue_ended(struct quill_queue *queue, int error)
{
	struct quill_uqueue *uq = queue->uq;

	queue->seen++;
	uq->count++;
	quill_queue_count(queue, error);
	quill_uqueue_signal(queue, uq->count, error);
	/* What is left of a queue that was banned just now is for a context that may sleep. */
	if (queue->error && uq->watched)
		mod_delayed_work(queue->qdev->reset_wq, &queue->watchdog, 0);
}

static void quill_uqueue_take(struct quill_queue *queue, const struct quill_job_cpl *rec)
{
	int error = quill_uqueue_error(rec->status);

	quill_stats_count(queue, rec);
	if (rec->status == QUILL_FAULT_KILLED && queue->killing &&
	    queue->guilty == queue->uq->count + 1) {
		quill_irq_fault(queue, rec, queue->uq->served);
		quill_reset_count(queue->qdev, QUILL_RUNG_JOB);
		trace_quill_reset("job", BIT(queue->hwq % queue->qdev->nr_cores), 0);
		error = -ETIME;
	} else if (rec->status && !(rec->status == QUILL_FAULT_KILLED && queue->killing)) {
		/* Not of those that went with it: its fault is the one to be told. */
		quill_irq_fault(queue, rec, 0);
	}
	/* A doorbell that made no sense: the firmware has stopped the queue. */
	if (rec->status == QUILL_FAULT_RING && rec->job == ~0ull)
		quill_queue_ban(queue);
	quill_uqueue_ended(queue, error);
}

/*
 * The process may have lapped us, if the interrupt is slow. The record before this one tells: if it
 * is of the next lap, the firmware may be writing here.
 */
static bool quill_uqueue_lapped(struct quill_uqueue *uq, u64 count)
{
	u32 before;

	dma_rmb();
	before = READ_ONCE(quill_uqueue_slot(uq, count - 1 + QUILL_RING_ENTRIES)->seq);
	return before == (u32)count - 1 + QUILL_RING_ENTRIES;
}

static bool quill_uqueue_process_one(struct quill_queue *queue)
{
	struct quill_uqueue *uq = queue->uq;
	u64 count = uq->count + 1;
	const struct quill_job_cpl *slot = quill_uqueue_slot(uq, count);
	struct quill_job_cpl rec;
	u32 ahead, seq;

	if (queue->broken)
		return false;
	seq = READ_ONCE(slot->seq);
	ahead = seq - (u32)count;
	if (ahead == -QUILL_RING_ENTRIES || (!seq && count <= QUILL_RING_ENTRIES))
		return false;
	if (ahead % QUILL_RING_ENTRIES || (s32)ahead < 0) {
		quill_irq_broken(queue, "number", seq, (u32)count);
		return false;
	}
	dma_rmb();
	rec = *slot;
	if (ahead || quill_uqueue_lapped(uq, count)) {
		quill_uqueue_ended(queue, 0);
		return true;
	}
	if (!quill_irq_record_valid(&rec)) {
		quill_irq_broken(queue, "status", rec.status, QUILL_FAULT_NONE);
		return false;
	}
	quill_uqueue_take(queue, &rec);
	return true;
}

/*
 * quill_uqueue_process() - take in the records that are there. Under queue->lock.
 */
void quill_uqueue_process(struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	while (quill_uqueue_process_one(queue))
		;
}

/* ---- Watching --------------------------------------------------------------------- */

bool quill_uqueue_busy(struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	return queue->uq && queue->uq->watched;
}

/* Return: whether the process has rung, or was about to. @tail is untrusted, and stays so. */
static bool quill_uqueue_rung(struct quill_queue *queue, u32 *tail)
{
	*tail = quill_uqueue_tail(queue);
	return *tail != queue->seen && *tail - queue->seen <= QUILL_RING_ENTRIES;
}

/*
 * Ring for the process: a doorbell was lost, or went to the dummy page. If it has rung itself
 * meanwhile, its later tail is rung once more; but not for ever: the next look sees to the rest.
 */
static bool quill_uqueue_ring(struct quill_queue *queue)
{
	u32 last, tail;
	int rung;

	lockdep_assert_held(&queue->lock);
	for (rung = 0; rung < QUILL_UQUEUE_RINGS && quill_uqueue_rung(queue, &tail); rung++) {
		if (rung && tail == last)
			break;
		quill_doorbell(queue->qdev, queue->hwq, tail);
		last = tail;
		/* The doorbell goes before the next look. */
		mb();
	}
	return rung;
}

static int quill_uqueue_query(struct quill_queue *queue, u32 *pending)
{
	return quill_fw_served_ms(quill_queue_core(queue->qdev, queue->hwq), queue->hwq, pending);
}

/* Let the firmware end what is in the ring. Return: 0, or negative if it did not. */
static int quill_uqueue_kill(struct quill_queue *queue)
{
	int ret = quill_queue_admin(queue, QUILL_ADMIN_QUEUE_KILL);

	quill_irq_process(queue);
	return ret;
}

/* Its first job has had its time. All that is in the ring ends with it. */
static s64 quill_uqueue_overdue(struct quill_queue *queue, u32 served)
{
	int ret;

	quill_coredump_state(queue->qdev, "timeout");
	spin_lock_irq(&queue->lock);
	queue->killing = true;
	queue->guilty = queue->uq->count + 1;
	queue->uq->served = served;
	spin_unlock_irq(&queue->lock);
	ret = quill_uqueue_kill(queue);
	if (ret)
		return ret;
	spin_lock_irq(&queue->lock);
	queue->killing = false;
	spin_unlock_irq(&queue->lock);
	return quill_uqueue_tick(queue);
}

/* It is banned: what it still has in the ring ends, and its doorbell leads nowhere. */
static s64 quill_uqueue_end(struct quill_queue *queue)
{
	int ret;

	WRITE_ONCE(queue->uq->rings->state.error, -READ_ONCE(queue->error));
	quill_uqueue_zap(queue);
	ret = quill_uqueue_kill(queue);
	if (ret)
		return ret;
	spin_lock_irq(&queue->lock);
	quill_uqueue_fail_all(queue, queue->error);
	spin_unlock_irq(&queue->lock);
	return 0;
}

/*
 * Nothing has happened since the last look, and nothing waits: who rings now shall fault. Only
 * then is the question whether somebody has rung a last time.
 */
static s64 quill_uqueue_rest(struct quill_queue *queue)
{
	u32 pending, tail;
	bool rest;
	int ret;

	spin_lock_irq(&queue->lock);
	queue->uq->armed = false;
	spin_unlock_irq(&queue->lock);
	quill_uqueue_zap(queue);
	ret = quill_uqueue_query(queue, &pending);
	if (ret < 0)
		return ret;
	quill_irq_process(queue);
	spin_lock_irq(&queue->lock);
	rest = !pending && !quill_uqueue_rung(queue, &tail) && !queue->uq->armed &&
	       queue->uq->looked == queue->uq->count;
	if (rest)
		quill_uqueue_end_fences(queue, -ECANCELED);
	queue->uq->watched = !rest;
	spin_unlock_irq(&queue->lock);
	return rest ? 0 : quill_uqueue_tick(queue);
}

/* Return: whether something has happened since the last look, or now will. */
static bool quill_uqueue_moves(struct quill_queue *queue, u32 pending)
{
	struct quill_uqueue *uq = queue->uq;
	bool moves;

	spin_lock_irq(&queue->lock);
	moves = pending || quill_uqueue_ring(queue) || uq->looked != uq->count;
	uq->looked = uq->count;
	spin_unlock_irq(&queue->lock);
	return moves;
}

/*
 * quill_uqueue_look() - is its job in time; is there one at all
 *
 * With hw_lock held for reading.
 *
 * Return: when to look again, in ms; 0: not before it is rung; negative: restart the core.
 */
s64 quill_uqueue_look(struct quill_queue *queue)
{
	u32 pending = 0;
	u64 before;
	int served;

	lockdep_assert_held(&queue->qdev->hw_lock);
	/* A recovery or the closer goes on with it. */
	if (!queue->created || queue->broken)
		return 0;
	quill_irq_process(queue);
	before = READ_ONCE(queue->uq->count);
	served = quill_uqueue_query(queue, &pending);
	if (served < 0)
		return served;
	quill_irq_process(queue);
	if (READ_ONCE(queue->error))
		return quill_uqueue_end(queue);
	if (READ_ONCE(queue->uq->count) == before && served >= queue->timeout_ms)
		return quill_uqueue_overdue(queue, served);
	if (quill_uqueue_moves(queue, pending))
		return clamp_t(s64, (s64)queue->timeout_ms - served, 1, quill_uqueue_tick(queue));
	return quill_uqueue_rest(queue);
}

/* ---- Restarts, with hw_lock held for writing or by the creator ------------------------ */

/*
 * quill_uqueue_prepare() - the queue's rings, and where its counts go on
 */
void quill_uqueue_prepare(struct quill_queue *queue, struct quill_admin_msg *msg)
{
	msg->ring = queue->uq->dma + offsetof(struct quill_uqueue_rings, desc);
	msg->cpl = queue->uq->dma + offsetof(struct quill_uqueue_rings, cpl);
	spin_lock_irq(&queue->lock);
	msg->start = queue->seen;
	queue->broken = false;
	spin_unlock_irq(&queue->lock);
}

/*
 * quill_uqueue_started() - the firmware knows it: what was rung at the dummy page is rung again
 */
void quill_uqueue_started(struct quill_queue *queue)
{
	struct quill_uqueue *uq = queue->uq;

	quill_uqueue_zap(queue);
	spin_lock_irq(&queue->lock);
	uq->watched = false;
	if (quill_uqueue_ring(queue) || uq->nr_fences)
		quill_uqueue_watch(queue);
	spin_unlock_irq(&queue->lock);
}

/* The first job will not be tried again: its record comes from the driver. */
static void quill_uqueue_give_up_first(struct quill_queue *queue, int error)
{
	struct quill_uqueue *uq = queue->uq;
	struct quill_job_cpl *slot = quill_uqueue_slot(uq, uq->count + 1);
	struct quill_job_cpl rec = {
		.job = READ_ONCE(quill_uqueue_desc(uq, uq->count + 1)->job),
		.status = QUILL_FAULT_KILLED,
		.engine = QUILL_ENGINE_FW,
	};

	quill_irq_fault(queue, &rec, error == -ETIME ? uq->served : 0);
	*slot = rec;
	/* The number goes last, as with the firmware's. */
	smp_store_release(&slot->seq, queue->seen + 1);
	quill_uqueue_ended(queue, error);
}

/*
 * quill_uqueue_collect() - its core is stopped: decide about the first job, which may be what made
 * that necessary if there is anyone to @blame. Under queue->lock.
 */
void quill_uqueue_collect(struct quill_queue *queue, bool blame)
{
	struct quill_uqueue *uq = queue->uq;
	u32 tail;

	lockdep_assert_held(&queue->lock);
	if (queue->error)
		return;
	if (queue->killing) {
		quill_uqueue_give_up_first(queue, -ETIME);
		quill_queue_ban(queue);
		return;
	}
	if (!quill_uqueue_rung(queue, &tail))
		return;
	WRITE_ONCE(uq->rings->state.restarts, uq->rings->state.restarts + 1);
	if (!blame)
		return;
	uq->replays = uq->first == uq->count + 1 ? uq->replays + 1 : 1;
	uq->first = uq->count + 1;
	if (uq->replays > QUILL_UQUEUE_REPLAYS)
		quill_uqueue_give_up_first(queue, -EIO);
}

/* ---- Made, closed, freed ---------------------------------------------------------------- */

static int quill_uqueue_map_dma(struct quill_queue *queue)
{
	struct quill_uqueue *uq = queue->uq;
	struct device *dev = queue->qdev->drm.dev;

	if (quill_fail(QUILL_FAIL_DMA_MAP))
		return -ENOMEM;
	/* Coherent: a device that needs more is refused at probe. */
	uq->dma = dma_map_single(dev, uq->rings, sizeof(*uq->rings), DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, uq->dma))
		return -ENOMEM;
	uq->mapped = true;
	return 0;
}

/*
 * quill_uqueue_unmap_dma() - the device has no use for the rings any more
 */
void quill_uqueue_unmap_dma(struct quill_queue *queue)
{
	struct quill_uqueue *uq = queue->uq;

	if (uq->mapped)
		dma_unmap_single(queue->qdev->drm.dev, uq->dma, sizeof(*uq->rings),
				 DMA_BIDIRECTIONAL);
	uq->mapped = false;
}

int quill_uqueue_init(struct quill_queue *queue)
{
	struct quill_uqueue *uq = kzalloc_obj(*uq, GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!uq)
		return -ENOMEM;
	mutex_init(&uq->map_lock);
	INIT_LIST_HEAD(&uq->fences);
	queue->uq = uq;
	uq->dummy = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	uq->rings = alloc_pages_exact(sizeof(*uq->rings), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (uq->dummy && uq->rings)
		ret = quill_uqueue_map_dma(queue);
	if (ret)
		quill_uqueue_fini(queue);
	return ret;
}

/*
 * quill_uqueue_fini() - free it. Pages that a process has mapped are its own from here on.
 */
void quill_uqueue_fini(struct quill_queue *queue)
{
	struct quill_uqueue *uq = queue->uq;

	if (!uq)
		return;
	if (uq->rings) {
		quill_uqueue_unmap_dma(queue);
		free_pages_exact(uq->rings, sizeof(*uq->rings));
	}
	if (uq->dummy)
		__free_page(uq->dummy);
	mutex_destroy(&uq->map_lock);
	kfree(uq);
	queue->uq = NULL;
}

void quill_uqueue_offset(struct quill_queue *queue, struct drm_quill_queue_create *args)
{
	args->map_offset = queue->uq ? quill_uqueue_window(queue) : 0;
	args->entries = queue->uq ? QUILL_RING_ENTRIES : 0;
}

/*
 * quill_uqueue_close() - nobody rings any more. queue->error is set.
 */
void quill_uqueue_close(struct quill_queue *queue)
{
	/* Who has looked before maps before this returns. */
	mutex_lock(&queue->uq->map_lock);
	mutex_unlock(&queue->uq->map_lock);
	quill_uqueue_zap(queue);
}

/* ---- QUEUE_SIGNAL ------------------------------------------------------------------------- */

/* The job is no longer to end quietly. The firmware looks again behind the record. */
static void quill_uqueue_loud(struct quill_uqueue *uq, u64 count)
{
	atomic_andnot(QUILL_JOB_QUIET, (atomic_t *)&quill_uqueue_desc(uq, count)->flags);
	/* Before the records are looked at. */
	smp_mb__after_atomic();
}

/* What became of a job that has ended; 0 if that is forgotten. */
static int quill_uqueue_outcome(struct quill_uqueue *uq, u64 count)
{
	const struct quill_job_cpl *slot = quill_uqueue_slot(uq, count);

	if (READ_ONCE(slot->seq) != (u32)count)
		return 0;
	dma_rmb();
	return quill_uqueue_error(READ_ONCE(slot->status));
}

static int quill_uqueue_accept(struct quill_queue *queue, u64 count)
{
	struct quill_uqueue *uq = queue->uq;

	if (queue->error)
		return queue->error;
	if (count > uq->count + QUILL_RING_ENTRIES)
		return -EINVAL;
	return uq->nr_fences >= QUILL_UQUEUE_FENCES ? -ENOSPC : 0;
}

/* From here on the fence ends, with or without the job. */
static int quill_uqueue_add(struct quill_queue *queue, struct quill_uqueue_fence *entry)
{
	struct quill_uqueue *uq = queue->uq;
	int ret;

	spin_lock_irq(&queue->lock);
	quill_uqueue_process(queue);
	ret = quill_uqueue_accept(queue, entry->count);
	if (ret)
		goto out;
	quill_fence_init(entry->fence, "queue", dma_fence_context_alloc(1), 1);
	dma_fence_get(entry->fence);
	list_add_tail(&entry->node, &uq->fences);
	uq->nr_fences++;
	if (entry->count <= uq->count) {
		quill_uqueue_end_fence(queue, entry, quill_uqueue_outcome(uq, entry->count));
		goto out;
	}
	quill_uqueue_loud(uq, entry->count);
	quill_uqueue_watch(queue);
	quill_uqueue_process(queue);
out:
	spin_unlock_irq(&queue->lock);
	return ret;
}

static int quill_uqueue_signal_at(struct quill_queue *queue, struct drm_syncobj *syncobj,
				  const struct drm_quill_queue_signal *args)
{
	struct dma_fence_chain *chain = NULL;
	struct quill_uqueue_fence *entry;
	struct dma_fence *fence;
	int ret = -ENOMEM;

	entry = quill_fail(QUILL_FAIL_ALLOC) ? NULL : kzalloc_obj(*entry, GFP_KERNEL_ACCOUNT);
	fence = quill_fence_alloc();
	if (args->point)
		chain = dma_fence_chain_alloc();
	if (!entry || !fence || (args->point && !chain))
		goto err;
	entry->count = args->count;
	entry->fence = fence;
	ret = quill_uqueue_add(queue, entry);
	if (ret)
		goto err;
	if (chain)
		drm_syncobj_add_point(syncobj, chain, fence, args->point);
	else
		drm_syncobj_replace_fence(syncobj, fence);
	dma_fence_put(fence);
	return 0;

err:
	dma_fence_chain_free(chain);
	if (fence)
		quill_fence_abandon(fence);
	kfree(entry);
	return ret;
}

int quill_ioctl_queue_signal(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_queue_signal *args = data;
	struct drm_syncobj *syncobj;
	struct quill_queue *queue;
	int idx, ret = -EINVAL;

	if (args->flags || args->pad || !args->count)
		return -EINVAL;
	queue = quill_queue_lookup(file->driver_priv, args->queue_id);
	if (!queue)
		return -ENOENT;
	if (!queue->uq)
		goto out_queue;
	ret = -ENOENT;
	syncobj = drm_syncobj_find(file, args->syncobj);
	if (!syncobj)
		goto out_queue;
	ret = -ENODEV;
	if (drm_dev_enter(drm, &idx)) {
		ret = quill_uqueue_signal_at(queue, syncobj, args);
		drm_dev_exit(idx);
	}
	drm_syncobj_put(syncobj);
out_queue:
	quill_queue_put(queue);
	return ret;
}
