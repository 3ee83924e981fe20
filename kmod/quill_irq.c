// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: interrupts and completion records.
 *
 * DOC: Completions
 *
 * Vector 0 says that an admin answer is there; vector 1 + q that queue q has completions. With
 * fewer vectors than that, queues share. Handlers touch memory only, no register: they are
 * right at any time, also late ones, and when the device has gone. Fences signal right in the
 * handler, for a job's latency is what an inference waits for.
 *
 * A record comes from the device and so is copied once, then checked, then used. A record with
 * a number that is neither the next nor the one that the slot held a lap ago, or for another
 * job than the first in the ring, means that the firmware is broken: the queue is read no
 * further and the core is restarted.
 */
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <linux/string.h>

#include <drm/drm_print.h>

#include "quill_coredump.h"
#include "quill_device.h"
#include "quill_irq.h"
#include "quill_job.h"
#include "quill_queue.h"
#include "quill_reset.h"
#include "quill_stats.h"
#include "quill_trace.h"
#include "quill_uqueue.h"

/* The first job that is in the ring: the one that the next record is about. */
static struct quill_job *quill_irq_first_posted(struct quill_queue *queue)
{
	struct quill_job *job;

	list_for_each_entry(job, &queue->running, node)
		if (job->posted)
			return job;
	return NULL;
}

bool quill_irq_record_valid(const struct quill_job_cpl *rec)
{
	return rec->status <= QUILL_FAULT_INTERNAL && rec->access <= QUILL_ACCESS_FETCH &&
	       rec->engine <= QUILL_ENGINE_FW && !rec->reserved0 &&
	       !memchr_inv(rec->reserved1, 0, sizeof(rec->reserved1));
}

void quill_irq_broken(struct quill_queue *queue, const char *what, u64 found, u64 required)
{
	drm_err_ratelimited(&queue->qdev->drm, "queue %u: completion %u: %s %llu found, %llu required\n",
			    queue->hwq, queue->seen + 1, what, found, required);
	queue->broken = true;
	quill_reset_request(queue->qdev, BIT(queue->hwq % queue->qdev->nr_cores));
}

/* Copy the next record, if it is there. */
static bool quill_irq_next_record(struct quill_queue *queue, struct quill_job_cpl *rec)
{
	const struct quill_job_cpl *slot = &queue->rings->cpl[queue->seen % QUILL_RING_ENTRIES];
	u32 want = queue->seen + 1;
	u32 seq = READ_ONCE(slot->seq);

	if (seq != want) {
		if (seq && seq != want - QUILL_RING_ENTRIES)
			quill_irq_broken(queue, "number", seq, want);
		return false;
	}
	/* The number is written last: what is read after it is the record's. */
	dma_rmb();
	*rec = *slot;
	return true;
}

void quill_irq_fault(struct quill_queue *queue, const struct quill_job_cpl *rec, u32 elapsed)
{
	queue->stats.fault = *rec;
	queue->stats.fault_elapsed_ms = elapsed;
	trace_quill_fault(queue->hwq, rec);
	drm_dbg(&queue->qdev->drm, "queue %u: job %llu: fault %u at command %u, address 0x%llx\n",
		queue->hwq, rec->job, rec->status, rec->command, rec->address);
}

/*
 * A record says KILLED. If the watchdog asked for it, the job that ran too long ends; others of
 * the ring were ended with it for no fault of theirs and run again.
 */
static void quill_irq_killed(struct quill_queue *queue, struct quill_job *job,
			     const struct quill_job_cpl *rec)
{
	s64 elapsed = ktime_ms_delta(ktime_get(), queue->head_since);

	if (!queue->killing) {
		quill_irq_fault(queue, rec, 0);
		quill_queue_end_job(queue, job, queue->error ? queue->error : -ECANCELED);
		return;
	}
	if (job->id != queue->guilty) {
		job->posted = false;
		return;
	}
	quill_stats_count(queue, rec);
	quill_irq_fault(queue, rec, min_t(s64, elapsed, U32_MAX));
	quill_reset_count(queue->qdev, QUILL_RUNG_JOB);
	trace_quill_reset("job", BIT(queue->hwq % queue->qdev->nr_cores), 0);
	queue->guilty = 0;
	quill_queue_end_job(queue, job, -ETIME);
}

static bool quill_irq_process_one(struct quill_queue *queue)
{
	struct quill_job_cpl rec;
	struct quill_job *job;

	if (queue->broken || !queue->rings || !quill_irq_next_record(queue, &rec))
		return false;
	job = quill_irq_first_posted(queue);
	if (!job || rec.job != job->id) {
		quill_irq_broken(queue, "job", rec.job, job ? job->id : 0);
		return false;
	}
	if (!quill_irq_record_valid(&rec)) {
		quill_irq_broken(queue, "status", rec.status, QUILL_FAULT_NONE);
		return false;
	}

	queue->seen++;
	if (rec.status == QUILL_FAULT_KILLED) {
		quill_irq_killed(queue, job, &rec);
		return true;
	}
	quill_stats_count(queue, &rec);
	if (rec.status) {
		quill_irq_fault(queue, &rec, 0);
		quill_coredump_fault(queue, &rec);
	}
	quill_queue_end_job(queue, job, rec.status ? -EIO : 0);
	return true;
}

/*
 * quill_irq_process_locked() - read the completions that are there. Under queue->lock.
 */
void quill_irq_process_locked(struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->uq) {
		quill_uqueue_process(queue);
		return;
	}
	while (quill_irq_process_one(queue))
		;
}

void quill_irq_process(struct quill_queue *queue)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	quill_irq_process_locked(queue);
	spin_unlock_irqrestore(&queue->lock, flags);
}

/*
 * quill_irq_vector() - the vector that a hardware queue uses
 */
unsigned int quill_irq_vector(struct quill_device *qdev, unsigned int hwq)
{
	return qdev->nr_vectors > 1 ? 1 + hwq % (qdev->nr_vectors - 1) : QUILL_VECTOR_ADMIN;
}

static void quill_irq_queues(struct quill_device *qdev, unsigned int first, unsigned int step)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&qdev->hwq_lock, flags);
	for (i = first; i < qdev->nr_queues; i += step)
		if (qdev->hwq[i])
			quill_irq_process(qdev->hwq[i]);
	spin_unlock_irqrestore(&qdev->hwq_lock, flags);
}

static irqreturn_t quill_irq_admin(int irq, void *arg)
{
	struct quill_device *qdev = ((struct quill_vector *)arg)->qdev;
	unsigned int i;

	for (i = 0; i < qdev->nr_cores; i++)
		wake_up_all(&qdev->core[i].admin_wait);
	if (qdev->nr_vectors == 1)
		quill_irq_queues(qdev, 0, 1);
	return IRQ_HANDLED;
}

static irqreturn_t quill_irq_queue(int irq, void *arg)
{
	struct quill_vector *vector = arg;

	quill_irq_queues(vector->qdev, vector->number - 1, vector->qdev->nr_vectors - 1);
	return IRQ_HANDLED;
}

/*
 * quill_irq_init() - get vectors, one a queue if there are as many, and handlers
 */
int quill_irq_init(struct quill_device *qdev)
{
	unsigned int wanted = QUILL_VECTORS(qdev->nr_queues);
	struct pci_dev *pdev = to_pci_dev(qdev->drm.dev);
	int i, ret;

	ret = pci_alloc_irq_vectors(pdev, 1, wanted, PCI_IRQ_MSIX);
	if (ret < 0) {
		drm_err(&qdev->drm, "no MSI-X vector: error %d; 1 required, %u wanted\n", ret,
			wanted);
		return ret;
	}
	qdev->nr_vectors = ret;
	for (i = 0; i < qdev->nr_vectors; i++) {
		struct quill_vector *vector = &qdev->vector[i];

		vector->qdev = qdev;
		vector->number = i;
		ret = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, i),
				       i ? quill_irq_queue : quill_irq_admin, 0, "quill", vector);
		if (ret) {
			drm_err(&qdev->drm, "vector %d: no handler: error %d\n", i, ret);
			return ret;
		}
	}
	return 0;
}
