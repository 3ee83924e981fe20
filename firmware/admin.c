// SPDX-License-Identifier: MIT
/*
 * The admin ring: what the driver asks of this core.
 *
 * Requests are answered in order. A KILL is answered when the jobs that it concerns have ended, SUSPEND when no
 * engine executes a command of the queue; until then the ring waits.
 */
#include "fw.h"

static struct {
	__u64 ring;
	__u64 cpl;
	__u32 entries;
	/* Running count of requests answered. */
	__u32 head;
	/* The request that waits, if one does: for a job of these queues to end, or for this one to stand still. */
	bool waits;
	__u32 seq;
	struct queue_set kills;
	struct queue *suspends;
	/* The tail made no sense, and that was said. */
	bool complained;
} admin;

#define FIELD(name)	QUILL_OFF(struct quill_admin_msg, name)

void admin_init(const struct quill_fw_boot *boot)
{
	admin.ring = boot->admin_ring;
	admin.cpl = boot->admin_cpl;
	admin.entries = boot->admin_entries;
}

static void answer(__u32 seq, __u32 status, __u32 detail, __u32 pending)
{
	__u64 addr = admin.cpl + (admin.head & (admin.entries - 1)) *
				 sizeof(struct quill_admin_cpl);
	struct quill_admin_cpl cpl = {
		.status = status,
		.detail = detail,
		.pending = pending,
		.seq = seq,
	};

	admin.head++;
	if (xfer_write(QUILL_AS_HOST, addr, &cpl, offsetof(struct quill_admin_cpl, seq)) ||
	    xfer_write(QUILL_AS_HOST, addr + offsetof(struct quill_admin_cpl, seq), &cpl.seq,
		       sizeof(cpl.seq))) {
		log_line("admin: answer %u cannot be written", (unsigned int)seq);
		return;
	}
	cb_write(QUILL_CB_MSIX, QUILL_VECTOR_ADMIN);
}

/* Bytes [from, to) of the message are zero; else *@detail is the first that is not. */
static bool unused_zero(const struct quill_admin_msg *m, __u32 from, __u32 to, __u32 *detail)
{
	const __u8 *bytes = (const __u8 *)m;

	for (; from < to; from++) {
		if (bytes[from]) {
			*detail = from;
			return false;
		}
	}
	return true;
}

static bool bad(__u32 *detail, __u32 offset)
{
	*detail = offset;
	return false;
}

static bool check_create(const struct quill_admin_msg *m, __u32 *detail)
{
	if (!m->as || m->as >= QUILL_MAX_AS)
		return bad(detail, FIELD(as));
	if (m->vector >= QUILL_VECTORS(cb_read(QUILL_CB_QUEUES)))
		return bad(detail, FIELD(vector));
	if (m->priority >= QUILL_FW_PRIORITY_COUNT)
		return bad(detail, FIELD(priority));
	if (m->flags)
		return bad(detail, FIELD(flags));
	if (!m->ring || m->ring & 7)
		return bad(detail, FIELD(ring));
	if (!m->cpl || m->cpl & 7)
		return bad(detail, FIELD(cpl));
	if (!is_power_of_two(m->entries) || m->entries < 2 ||
	    m->entries > QUILL_RING_MAX_ENTRIES)
		return bad(detail, FIELD(entries));
	return unused_zero(m, FIELD(reserved), sizeof(*m), detail);
}

static __u32 create(const struct quill_admin_msg *m, __u32 *detail)
{
	struct queue *q = queue_get(m->queue);

	if (!q)
		return QUILL_ADMIN_NO_QUEUE;
	if (!check_create(m, detail))
		return QUILL_ADMIN_BAD_PARAM;
	if (q->state != QUEUE_NONE)
		return QUILL_ADMIN_BUSY;
	if (!xfer_reachable(m->ring, m->entries, sizeof(struct quill_job_desc)) ||
	    !xfer_reachable(m->cpl, m->entries, sizeof(struct quill_job_cpl)))
		return QUILL_ADMIN_DMA;

	q->number = m->queue;
	q->priority = m->priority;
	q->as = m->as;
	q->vector = m->vector;
	q->entries = m->entries;
	q->ring = m->ring;
	q->cpl = m->cpl;
	queue_start(q, m->start);
	return QUILL_ADMIN_OK;
}

/* The queue that DESTROY and KILL are about. */
static __u32 existing(const struct quill_admin_msg *m, struct queue **q, __u32 *detail)
{
	if (!unused_zero(m, FIELD(as), sizeof(*m), detail))
		return QUILL_ADMIN_BAD_PARAM;
	*q = queue_get(m->queue);
	return *q && (*q)->state != QUEUE_NONE ? QUILL_ADMIN_OK : QUILL_ADMIN_NO_QUEUE;
}

static __u32 destroy(const struct quill_admin_msg *m, __u32 *detail)
{
	struct queue *q;
	__u32 status = existing(m, &q, detail);

	if (status)
		return status;
	if (q->job ||
	    (q->state == QUEUE_ACTIVE && (q->head != q->tail || q->overrun)))
		return QUILL_ADMIN_BUSY;
	queue_stop(q);
	return QUILL_ADMIN_OK;
}

/*
 * What KILL does when no job of the queue runs (any more). A queue that was stopped is usable again,
 * from its last good tail on, unless its completions still cannot be written.
 */
static __u32 kill_rest(struct queue *q)
{
	queue_doorbells();
	q->state = QUEUE_ACTIVE;
	queue_flush(q);
	if (q->state != QUEUE_ACTIVE)
		return QUILL_ADMIN_DMA;
	if (q->overrun)
		queue_report_overrun(q);
	q->state = QUEUE_ACTIVE;
	return QUILL_ADMIN_OK;
}

/* The jobs of these queues have ended: end what waits behind them. */
static __u32 kill_queues_rest(const struct queue_set *queues)
{
	__u32 status = QUILL_ADMIN_OK, one, n;
	struct queue *q;

	for_each_queue(n, queues) {
		q = queue_get(n);
		q->killing = false;
		one = kill_rest(q);
		queue_update(q);
		if (one)
			status = one;
	}
	return status;
}

static bool jobs_run(const struct queue_set *queues)
{
	__u32 n;

	for_each_queue(n, queues)
		if (queue_get(n)->job)
			return true;
	return false;
}

/* False: to be answered later. */
static bool kill_queues(const struct queue_set *queues, __u32 *status)
{
	struct queue *q;
	__u32 n;

	for_each_queue(n, queues) {
		q = queue_get(n);
		q->killing = true;
		queue_update(q);
		if (q->job)
			job_kill(q->job);
	}
	if (jobs_run(queues)) {
		admin.kills = *queues;
		return false;
	}
	*status = kill_queues_rest(queues);
	return true;
}

static bool kill(const struct quill_admin_msg *m, __u32 *status, __u32 *detail)
{
	struct queue_set one = { 0 };
	struct queue *q;

	*status = existing(m, &q, detail);
	if (*status)
		return true;
	queue_set_add(&one, q->number);
	return kill_queues(&one, status);
}

static bool context_kill(const struct quill_admin_msg *m, __u32 *status, __u32 *detail)
{
	struct queue_set all = { 0 };

	*status = QUILL_ADMIN_BAD_PARAM;
	if (!unused_zero(m, FIELD(queue), FIELD(seq), detail) ||
	    !unused_zero(m, FIELD(vector), sizeof(*m), detail))
		return true;
	if (!m->as || m->as >= QUILL_MAX_AS) {
		*detail = FIELD(as);
		return true;
	}
	queues_of_space(m->as, &all);
	return kill_queues(&all, status);
}

static void set_suspended(struct queue *q, bool suspended)
{
	q->suspended = suspended;
	cb_write(QUILL_CB_DB_CLASS(q->number), queue_class(q));
	queue_update(q);
	sched_update();
}

static bool suspend(const struct quill_admin_msg *m, __u32 *status, __u32 *detail)
{
	struct queue *q;

	*status = existing(m, &q, detail);
	if (*status)
		return true;
	set_suspended(q, true);
	if (!q->job || !sched_executes(q->job))
		return true;
	admin.suspends = q;
	return false;
}

static __u32 resume(const struct quill_admin_msg *m, __u32 *detail)
{
	struct queue *q;
	__u32 status = existing(m, &q, detail);

	if (!status)
		set_suspended(q, false);
	return status;
}

static __u32 query(const struct quill_admin_msg *m, __u32 *detail, __u32 *pending)
{
	struct queue *q;
	__u32 status = existing(m, &q, detail);

	if (status)
		return status;
	if (q->job)
		*detail = (__u32)(sched_served(q->job) / 1000);
	if (q->state == QUEUE_ACTIVE)
		*pending = q->tail - q->head + q->overrun;
	return status;
}

static bool dispatch(const struct quill_admin_msg *m, __u32 *status, __u32 *detail, __u32 *pending)
{
	switch (m->op) {
	case QUILL_ADMIN_PING:
		*status = QUILL_ADMIN_OK;
		if (!unused_zero(m, FIELD(queue), FIELD(seq), detail) ||
		    !unused_zero(m, FIELD(as), sizeof(*m), detail))
			*status = QUILL_ADMIN_BAD_PARAM;
		return true;
	case QUILL_ADMIN_QUEUE_CREATE:
		*status = create(m, detail);
		return true;
	case QUILL_ADMIN_QUEUE_DESTROY:
		*status = destroy(m, detail);
		return true;
	case QUILL_ADMIN_QUEUE_KILL:
		return kill(m, status, detail);
	case QUILL_ADMIN_CONTEXT_KILL:
		return context_kill(m, status, detail);
	case QUILL_ADMIN_QUEUE_SUSPEND:
		return suspend(m, status, detail);
	case QUILL_ADMIN_QUEUE_RESUME:
		*status = resume(m, detail);
		return true;
	case QUILL_ADMIN_QUEUE_QUERY:
		*status = query(m, detail, pending);
		return true;
	default:
		*status = QUILL_ADMIN_BAD_OP;
		*detail = FIELD(op);
		return true;
	}
}

static void serve_one(void)
{
	__u64 addr = admin.ring + (admin.head & (admin.entries - 1)) *
				  sizeof(struct quill_admin_msg);
	__u32 status = QUILL_ADMIN_OK, detail = 0, pending = 0;
	struct quill_admin_msg m;

	if (xfer_read(QUILL_AS_HOST, addr, &m, sizeof(m))) {
		/* without the request, its number is not known */
		log_line("admin: request %u cannot be read", (unsigned int)admin.head);
		answer(0, QUILL_ADMIN_DMA, 0, 0);
		return;
	}
	/* what rang before the request counts for it */
	queue_doorbells();
	if (dispatch(&m, &status, &detail, &pending)) {
		answer(m.seq, status, detail, pending);
		return;
	}
	admin.waits = true;
	admin.seq = m.seq;
}

void admin_serve(void)
{
	__u32 tail;

	heartbeat_beat();
	while (!admin.waits) {
		tail = cb_read(QUILL_CB_ADMIN_TAIL);
		if (tail == admin.head)
			break;
		if (tail - admin.head > admin.entries) {
			if (!admin.complained)
				log_line("admin: doorbell says %u, %u requests answered, ring has %u",
					 (unsigned int)tail, (unsigned int)admin.head,
					 (unsigned int)admin.entries);
			admin.complained = true;
			break;
		}
		admin.complained = false;
		serve_one();
	}
}

/* What the request waited for has come. */
static void done(__u32 status)
{
	admin.waits = false;
	admin.kills.some = 0;
	admin.suspends = NULL;
	answer(admin.seq, status, 0, 0);
	admin_serve();
}

void admin_job_ended(struct queue *q)
{
	if (!admin.waits)
		return;
	if (admin.suspends == q)
		done(QUILL_ADMIN_OK);
	else if (admin.kills.some && !jobs_run(&admin.kills))
		done(kill_queues_rest(&admin.kills));
}

bool admin_waits(void)
{
	return admin.waits;
}

void admin_poll(void)
{
	if (admin.suspends && !(admin.suspends->job && sched_executes(admin.suspends->job)))
		done(QUILL_ADMIN_OK);
}
