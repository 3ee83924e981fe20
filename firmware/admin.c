// SPDX-License-Identifier: MIT
/*
 * The admin ring: what the driver asks of this core.
 *
 * Requests are answered in order. QUEUE_KILL of the queue whose job runs is answered when that
 * job has ended; until then the ring waits.
 */
#include "fw.h"

static struct {
	__u64 ring;
	__u64 cpl;
	__u32 entries;
	/* Running count of requests answered. */
	__u32 head;
	/* Set while a KILL waits for the job to end; and the request. */
	struct queue *killing;
	__u32 kill_seq;
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

static void answer(__u32 seq, __u32 status, __u32 detail)
{
	__u64 addr = admin.cpl + (admin.head & (admin.entries - 1)) *
				 sizeof(struct quill_admin_cpl);
	struct quill_admin_cpl cpl = {
		.status = status,
		.detail = detail,
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
	if (m->vector > cb_read(QUILL_CB_QUEUES))
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
	queue_start(q);
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
	if (q == job_queue() ||
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

/* False: to be answered later. */
static bool kill(const struct quill_admin_msg *m, __u32 *status, __u32 *detail)
{
	struct queue *q;

	*status = existing(m, &q, detail);
	if (*status)
		return true;
	if (q == job_queue()) {
		admin.killing = q;
		admin.kill_seq = m->seq;
		job_kill();
		return false;
	}
	*status = kill_rest(q);
	return true;
}

static bool dispatch(const struct quill_admin_msg *m, __u32 *status, __u32 *detail)
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
	__u32 status = QUILL_ADMIN_OK, detail = 0;
	struct quill_admin_msg m;

	if (xfer_read(QUILL_AS_HOST, addr, &m, sizeof(m))) {
		/* without the request, its number is not known */
		log_line("admin: request %u cannot be read", (unsigned int)admin.head);
		answer(0, QUILL_ADMIN_DMA, 0);
		return;
	}
	/* what rang before the request counts for it */
	queue_doorbells();
	if (dispatch(&m, &status, &detail))
		answer(m.seq, status, detail);
}

void admin_serve(void)
{
	__u32 tail;

	heartbeat_beat();
	while (!admin.killing) {
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

void admin_job_ended(void)
{
	__u32 status;

	if (!admin.killing)
		return;
	status = kill_rest(admin.killing);
	admin.killing = NULL;
	answer(admin.kill_seq, status, 0);
	admin_serve();
}
