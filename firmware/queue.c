// SPDX-License-Identifier: MIT
/*
 * Hardware queues: rings, doorbells, and whose turn it is.
 *
 * A doorbell's value comes from whoever may write its page: it is believed only as far as the ring
 * reaches. The value is looked at when the doorbell rings, so what an earlier user of the
 * queue has left in it means nothing.
 */
#include "fw.h"

static struct queue queues[QUILL_MAX_QUEUES];
/* Queues with something to do, a priority each. */
static __u64 ready[QUILL_FW_PRIORITY_COUNT];
/* The queue served last, a priority each. */
static __u32 last[QUILL_FW_PRIORITY_COUNT];

struct queue *queue_get(__u32 number)
{
	if (number >= cb_read(QUILL_CB_QUEUES) ||
	    number % cb_read(QUILL_CB_CORES) != cb_read(QUILL_CB_CORE))
		return NULL;
	return &queues[number];
}

static void update(struct queue *q)
{
	__u64 bit = 1ull << q->number;

	if (q->state == QUEUE_ACTIVE && (q->head != q->tail || q->overrun))
		ready[q->priority] |= bit;
	else
		ready[q->priority] &= ~bit;
}

static __u32 doorbell_register(__u32 number)
{
	return number < 32 ? QUILL_CB_DB_PENDING_LO : QUILL_CB_DB_PENDING_HI;
}

void queue_start(struct queue *q)
{
	cb_write(doorbell_register(q->number), 1u << (q->number & 31));
	q->head = 0;
	q->tail = 0;
	q->seq = 0;
	q->overrun = false;
	q->state = QUEUE_ACTIVE;
	update(q);
}

void queue_stop(struct queue *q)
{
	q->state = QUEUE_NONE;
	update(q);
}

static void rung(__u32 number)
{
	struct queue *q = &queues[number];
	__u32 tail = cb_read(QUILL_CB_DB_TAIL(number));

	if (q->state != QUEUE_ACTIVE)
		return;
	if (tail - q->head > q->entries) {
		q->overrun = true;
		q->bad_tail = tail;
	} else {
		q->tail = tail;
	}
	update(q);
}

static void rung_word(__u32 reg, __u32 first)
{
	__u32 pending = cb_read(reg);
	__u32 n;

	if (!pending)
		return;
	/* cleared before the tails are read: what comes after rings again */
	cb_write(reg, pending);
	for (n = 0; pending; n++, pending >>= 1)
		if (pending & 1)
			rung(first + n);
}

void queue_doorbells(void)
{
	rung_word(QUILL_CB_DB_PENDING_LO, 0);
	rung_word(QUILL_CB_DB_PENDING_HI, 32);
}

struct queue *queue_pick(void)
{
	__u32 p, i, n;

	for (p = QUILL_FW_PRIORITY_COUNT; p-- > 0;) {
		if (!ready[p])
			continue;
		for (i = 1; i <= QUILL_MAX_QUEUES; i++) {
			n = (last[p] + i) % QUILL_MAX_QUEUES;
			if (!(ready[p] >> n & 1))
				continue;
			last[p] = n;
			return &queues[n];
		}
	}
	return NULL;
}

__u32 queue_fetch(struct queue *q, struct quill_job_desc *desc, __u64 *addr)
{
	__u64 at = q->ring + (q->head & (q->entries - 1)) * sizeof(*desc);
	__u32 fault = xfer_read(QUILL_AS_HOST, at, desc, sizeof(*desc));

	*addr = 0;
	if (fault) {
		*addr = xfer_fault_address();
		*desc = (struct quill_job_desc){ 0 };
		return fault;
	}
	if (desc->flags) {
		*addr = offsetof(struct quill_job_desc, flags);
		return QUILL_FAULT_RING;
	}
	if (desc->reserved) {
		*addr = offsetof(struct quill_job_desc, reserved);
		return QUILL_FAULT_RING;
	}
	return QUILL_FAULT_NONE;
}

void queue_advance(struct queue *q)
{
	q->head++;
	update(q);
}

void queue_flush(struct queue *q)
{
	struct report r = {
		.fault = QUILL_FAULT_KILLED,
		.engine = QUILL_ENGINE_FW,
	};
	struct quill_job_desc desc;
	__u64 addr;

	while (q->state == QUEUE_ACTIVE && q->head != q->tail) {
		queue_fetch(q, &desc, &addr);
		complete(q, desc.job, &r, NULL);
		queue_advance(q);
	}
}

void queue_report_overrun(struct queue *q)
{
	struct report r = {
		.fault = QUILL_FAULT_RING,
		.engine = QUILL_ENGINE_FW,
		.address = q->bad_tail,
	};

	log_line("queue %u: doorbell says %u, %u jobs ended, ring has %u: stopped",
		 (unsigned int)q->number, (unsigned int)q->bad_tail, (unsigned int)q->head,
		 (unsigned int)q->entries);
	complete(q, ~0ull, &r, NULL);
	q->overrun = false;
	q->state = QUEUE_STOPPED;
	update(q);
}
