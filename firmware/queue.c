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
static struct queue_set ready[QUILL_FW_PRIORITY_COUNT];
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

/* ---- Sets ---- */

/* The number of the lowest bit that is set; there is one. */
static __u32 lowest_bit(__u32 bits)
{
	/* multiplied by it, each power of two has another number in its upper five bits (de Bruijn) */
	const __u32 sequence = 0x077cb531;
	static const __u8 number[32] = {
		0, 1, 28, 2, 29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4, 8,
		31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6, 11, 5, 10, 9,
	};

	return number[(bits & -bits) * sequence >> 27];
}

void queue_set_add(struct queue_set *s, __u32 n)
{
	s->word[n / 32] |= 1u << n % 32;
	s->some |= 1u << n / 32;
}

static void queue_set_remove(struct queue_set *s, __u32 n)
{
	s->word[n / 32] &= ~(1u << n % 32);
	if (!s->word[n / 32])
		s->some &= ~(1u << n / 32);
}

__u32 queue_set_next(const struct queue_set *s, __u32 from)
{
	__u32 word = from / 32, bits;

	if (!s->some || from >= QUILL_MAX_QUEUES)
		return QUILL_MAX_QUEUES;
	bits = s->word[word] & ~0u << from % 32;
	if (bits)
		return word * 32 + lowest_bit(bits);
	bits = s->some & ~1u << word;
	if (!bits)
		return QUILL_MAX_QUEUES;
	word = lowest_bit(bits);
	return word * 32 + lowest_bit(s->word[word]);
}

/* ---- Which queues are ready ---- */

void queue_update(struct queue *q)
{
	struct queue_set *set = &ready[q->priority];

	if (q->state == QUEUE_ACTIVE && !q->job && !q->suspended && !q->killing &&
	    (q->head != q->tail || q->overrun))
		queue_set_add(set, q->number);
	else
		queue_set_remove(set, q->number);
	if (set->some)
		queues_ready |= 1u << q->priority;
	else
		queues_ready &= ~(1u << q->priority);
}

void queue_start(struct queue *q, __u32 start)
{
	cb_write(QUILL_CB_DB_PENDING(q->number / 32), 1u << q->number % 32);
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

static void rung_word(__u32 word)
{
	__u32 pending = cb_read(QUILL_CB_DB_PENDING(word)), left;
	const struct queue *q;

	/* the hardware holds lower classes back while the doorbell is pending, and from then on we do */
	for (left = pending; left; left &= left - 1) {
		q = &queues[word * 32 + lowest_bit(left)];
		if (q->state == QUEUE_ACTIVE && !q->suspended)
			sched_announce(q->priority);
	}
	/* cleared before the tails are read: what comes after rings again */
	cb_write(QUILL_CB_DB_PENDING(word), pending);
	for (left = pending; left; left &= left - 1)
		rung(word * 32 + lowest_bit(left));
}

void queue_doorbells(void)
{
	__u32 words = cb_read(QUILL_CB_DB_WORDS);

	for (; words; words &= words - 1)
		rung_word(lowest_bit(words));
}

struct queue *queue_pick(__u32 priority)
{
	const struct queue_set *set = &ready[priority];
	__u32 n;

	if (!set->some)
		return NULL;
	/* those behind the last one first */
	n = queue_set_next(set, last[priority] + 1);
	if (n == QUILL_MAX_QUEUES)
		n = queue_set_next(set, 0);
	last[priority] = n;
	return &queues[n];
}

void queues_of_space(__u32 as, struct queue_set *found)
{
	__u32 n;

	for (n = 0; n < QUILL_MAX_QUEUES; n++)
		if (queues[n].state != QUEUE_NONE && queues[n].as == as)
			queue_set_add(found, n);
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
