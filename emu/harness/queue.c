// SPDX-License-Identifier: MIT
/*
 * The harness: hardware queues and jobs.
 */
#include <string.h>

#include "host_internal.h"

static uint32_t queue_op(struct quill_host *h, uint16_t op, uint32_t q)
{
	struct quill_admin_msg msg = { .op = op, .queue = q };
	struct quill_admin_cpl cpl;

	if (!qh_admin(h, q % h->config.emu.cores, &msg, &cpl))
		qh_die("queue %u: no answer to admin request %u", q, op);
	return cpl.status;
}

uint32_t qh_queue_create(struct quill_host *h, uint32_t q, uint32_t as, uint32_t priority,
			 uint32_t entries)
{
	struct qh_queue *queue = &h->queues[q];
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_CREATE,
		.queue = q,
		.as = as,
		.vector = 1 + q % (QUILL_MAX_VECTORS - 1),
		.priority = priority,
		.ring = qh_ram_alloc(h, entries * sizeof(struct quill_job_desc), 64),
		.cpl = qh_ram_alloc(h, entries * sizeof(struct quill_job_cpl), 64),
		.entries = entries,
	};
	struct quill_admin_cpl cpl;

	if (!qh_admin(h, q % h->config.emu.cores, &msg, &cpl))
		qh_die("queue %u: no answer to QUEUE_CREATE", q);
	if (cpl.status)
		return cpl.status;
	queue->ring = msg.ring;
	queue->cpl = msg.cpl;
	queue->entries = entries;
	queue->tail = 0;
	return QUILL_ADMIN_OK;
}

uint32_t qh_queue_destroy(struct quill_host *h, uint32_t q)
{
	return queue_op(h, QUILL_ADMIN_QUEUE_DESTROY, q);
}

uint32_t qh_queue_kill(struct quill_host *h, uint32_t q)
{
	return queue_op(h, QUILL_ADMIN_QUEUE_KILL, q);
}

uint64_t qh_queue_ring(struct quill_host *h, uint32_t q)
{
	return h->queues[q].ring;
}

uint64_t qh_queue_cpl(struct quill_host *h, uint32_t q)
{
	return h->queues[q].cpl;
}

void qh_doorbell(struct quill_host *h, uint32_t q, uint32_t tail)
{
	quill_emu_write(h->emu, QUILL_BAR_DOORBELL, QUILL_DOORBELL(q), tail, 4);
}

static struct quill_job_cpl *cpl_slot(struct quill_host *h, uint32_t q, uint32_t seq)
{
	struct qh_queue *queue = &h->queues[q];
	struct quill_job_cpl *ring = qh_ram(h, queue->cpl);

	return &ring[(seq - 1) % queue->entries];
}

uint32_t qh_submit_desc(struct quill_host *h, uint32_t q, const struct quill_job_desc *desc,
			bool ring)
{
	struct qh_queue *queue = &h->queues[q];
	struct quill_job_desc *slots = qh_ram(h, queue->ring);
	uint32_t oldest = queue->tail - queue->entries + 1;

	/* the slot is free when the job before it in that slot has completed */
	if (queue->tail >= queue->entries &&
	    !qh_wait_word(h, &cpl_slot(h, q, oldest)->seq, oldest, QH_TIMEOUT_MS))
		qh_die("queue %u: job %u did not end, so the ring is full", q, oldest);
	slots[queue->tail++ % queue->entries] = *desc;
	if (ring)
		qh_doorbell(h, q, queue->tail);
	return queue->tail;
}

uint32_t qh_submit(struct quill_host *h, uint32_t q, uint64_t stream, uint32_t size, uint64_t job)
{
	struct quill_job_desc desc = { .stream = stream, .size = size, .job = job };

	return qh_submit_desc(h, q, &desc, true);
}

bool qh_wait(struct quill_host *h, uint32_t q, uint32_t seq, unsigned int timeout_ms,
	     struct quill_job_cpl *cpl)
{
	struct quill_job_cpl *slot = cpl_slot(h, q, seq);

	if (!qh_wait_word(h, &slot->seq, seq, timeout_ms))
		return false;
	memcpy(cpl, slot, sizeof(*cpl));
	return true;
}
