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
__u32 queues_ready;
/* The queue served last, a priority each. */
static __u32 last[QUILL_FW_PRIORITY_COUNT];

struct queue *queue_get(__u32 number)
{
	if (number >= cb_read(QUILL_CB_QUEUES) ||
	    number % cb_read(QUILL_CB_CORES) != cb_read(QUILL_CB_CORE))
		return NULL;
	return &queues[number];
}

void queue_update(struct queue *q)
{
	__u64 bit = 1ull << q->number;

	if (q->state == QUEUE_ACTIVE && !q->job && !q->suspended && !q->killing &&
	    (q->head != q->tail || q->overrun))
		ready[q->priority] |= bit;
	else
		ready[q->priority] &= ~bit;
	if (ready[q->priority])
		queues_ready |= 1u << q->priority;
	else
		queues_ready &= ~(1u << q->priority);
}

static __u32 doorbell_register(__u32 number)
{
	return number < 32 ? QUILL_CB_DB_PENDING_LO : QUILL_CB_DB_PENDING_HI;
}

void queue_start(struct queue *q, __u32 start)
{
	cb_write(doorbell_register(q->number), 1u << (q->number & 31));
	q->head = start;
	q->tail = start;
	q->seq = start;
	q->overrun = false;
	q->suspended = false;
	q->killing = false;
	q->state = QUEUE_ACTIVE;
	cb_write(QUILL_CB_DB_CLASS(q->number), queue_class(q));
	queue_update(q);
}

void queue_stop(struct queue *q)
{
	q->state = QUEUE_NONE;
	cb_write(QUILL_CB_DB_CLASS(q->number), 0);
	queue_update(q);
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
	queue_update(q);
}

static void rung_word(__u32 reg, __u32 first)
{
	__u32 pending = cb_read(reg), left = pending;
	__u32 n;

	if (!pending)
		return;
	/* the hardware holds lower classes back while the doorbell is pending, and from then on we do */
	for (n = first; left; n++, left >>= 1)
		if (left & 1 && queues[n].state == QUEUE_ACTIVE && !queues[n].suspended)
			sched_announce(queues[n].priority);
	/* cleared before the tails are read: what comes after rings again */
	cb_write(reg, pending);
	for (n = first; pending; n++, pending >>= 1)
		if (pending & 1)
			rung(n);
}

void queue_doorbells(void)
{
	rung_word(QUILL_CB_DB_PENDING_LO, 0);
	rung_word(QUILL_CB_DB_PENDING_HI, 32);
}

/* The lowest bit that is set; there is one. */
static __u32 first_bit(__u64 bits)
{
	__u32 word = (__u32)bits, n = 0;

	if (!word) {
		word = bits >> 32;
		n = 32;
	}
	for (; !(word & 0xff); word >>= 8)
		n += 8;
	for (; !(word & 1); word >>= 1)
		n++;
	return n;
}

struct queue *queue_pick(__u32 priority)
{
	__u64 bits = ready[priority];

	if (!bits)
		return NULL;
	/* those behind the last one first */
	if (bits & ~1ull << last[priority])
		bits &= ~1ull << last[priority];
	last[priority] = first_bit(bits);
	return &queues[last[priority]];
}

__u64 queues_of_space(__u32 as)
{
	__u64 found = 0;
	__u32 n;

	for (n = 0; n < QUILL_MAX_QUEUES; n++)
		if (queues[n].state != QUEUE_NONE && queues[n].as == as)
			found |= 1ull << n;
	return found;
}

static __u64 head_address(const struct queue *q)
{
	return q->ring + (q->head & (q->entries - 1)) * sizeof(struct quill_job_desc);
}

/* A ring that a process writes changes at any time: what is checked and used is this one copy. */
__u32 queue_fetch(struct queue *q, struct quill_job_desc *desc, __u64 *addr)
{
	__u32 fault = xfer_read(QUILL_AS_HOST, head_address(q), desc, sizeof(*desc));

	*addr = 0;
	if (fault) {
		*addr = xfer_fault_address();
		*desc = (struct quill_job_desc){ 0 };
		return fault;
	}
	if (desc->flags & ~QUILL_JOB_QUIET) {
		*addr = offsetof(struct quill_job_desc, flags);
		return QUILL_FAULT_RING;
	}
	if (desc->reserved) {
		*addr = offsetof(struct quill_job_desc, reserved);
		return QUILL_FAULT_RING;
	}
	return QUILL_FAULT_NONE;
}

bool queue_quiet(struct queue *q)
{
	__u64 at = head_address(q) + offsetof(struct quill_job_desc, flags);
	__u32 flags;

	return !xfer_read(QUILL_AS_HOST, at, &flags, sizeof(flags)) && flags & QUILL_JOB_QUIET;
}

void queue_advance(struct queue *q)
{
	q->head++;
	queue_update(q);
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
		complete(q, desc.job, &r, NULL, false);
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
	complete(q, ~0ull, &r, NULL, false);
	q->overrun = false;
	q->state = QUEUE_STOPPED;
	queue_update(q);
}
