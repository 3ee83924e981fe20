// SPDX-License-Identifier: MIT
/*
 * The window of a job: commands that have been decoded and have not retired, in the order of decoding.
 *
 * Each engine takes its commands in that order; the first one of each waits here until its
 * semaphore is reached. A command leaves the window when it and all before it have
 * retired, so that "all earlier ones have finished" is being the oldest.
 */
#include "fw.h"

enum {
	ENTRY_WAITING,
	ENTRY_ISSUED,
	ENTRY_RETIRED,
};

void window_reset(struct job *j)
{
	struct window *w = &j->window;
	__u32 e;

	w->head = 0;
	w->tail = 0;
	w->in_flight = 0;
	w->end = 0;
	for (e = 0; e < QUILL_ENGINE_COUNT; e++) {
		w->engine_has[e] = 0;
		w->fifo[e].head = 0;
		w->fifo[e].tail = 0;
	}
}

bool window_empty(const struct job *j)
{
	return j->window.head == j->window.tail;
}

struct entry *window_oldest(struct job *j)
{
	return window_empty(j) ? NULL : &j->window.entry[j->window.head % FW_WINDOW];
}

bool window_room(const struct job *j, __u32 order)
{
	const struct window *w = &j->window;

	return window_empty(j) || order - w->entry[w->head % FW_WINDOW].order < FW_WINDOW;
}

struct entry *window_slot(struct job *j)
{
	return &j->window.entry[j->window.tail % FW_WINDOW];
}

void window_push(struct job *j, struct entry *e)
{
	struct window *w = &j->window;

	e->state = ENTRY_WAITING;
	w->fifo[e->engine].entry[w->fifo[e->engine].tail++ % FW_WINDOW] = w->tail % FW_WINDOW;
	w->tail++;
}

/* Tell of a fault that command @e made. */
static void entry_fault(struct job *j, const struct entry *e, __u32 fault, __u32 access,
			__u64 address)
{
	struct report r = {
		.fault = fault,
		.order = e->order,
		.stream = e->stream,
		.index = e->index,
		.address = address,
		.access = access,
		.engine = e->engine,
		.opcode = e->cmd[0].hdr.opcode,
		.cmd_seq = e->cmd[0].hdr.seq,
	};

	job_fault(j, &r, true);
}

static bool may_issue(struct job *j, const struct entry *e, bool strict)
{
	if (j->window.engine_has[e->engine] >= QUILL_ENGINE_FIFO)
		return false;
	if (e->cmd[0].hdr.flags & QUILL_CMD_ORDERED && e != window_oldest(j))
		return false;
	return sem_reached(j, &e->wait, strict);
}

/* Hand @e to its engine. False: the engine did not take it. */
static bool issue(struct job *j, struct entry *e, bool strict)
{
	__u64 ready = max64(e->ready, sem_time(j, &e->wait, strict));
	__u32 tag = sched_index(j) * FW_WINDOW + (__u32)(e - j->window.entry);
	__u32 result;

	if (e->cmd[0].hdr.flags & QUILL_CMD_ORDERED)
		ready = max64(ready, j->window.end);
	cb_write(QUILL_CB_ISSUE_CMD, (__u32)e->cmd);
	cb_write64(QUILL_CB_ISSUE_READY_LO, ready);
	cb_write64(QUILL_CB_ISSUE_DECODED_LO, e->ready);
	cb_write64(QUILL_CB_ISSUE_HELD_LO, e->held);
	asm volatile("" ::: "memory");
	cb_write(QUILL_CB_ISSUE_GO, e->engine | tag << 8 | (__u32)j->queue->as << 24);
	result = cb_read(QUILL_CB_ISSUE_RESULT);
	if (result == QUILL_ISSUE_BUSY)
		return false;
	if (result) {
		entry_fault(j, e, result, QUILL_ACCESS_READ, 0);
		return false;
	}
	e->end = cb_read64(QUILL_CB_ISSUE_END_LO);
	e->state = ENTRY_ISSUED;
	j->window.in_flight++;
	j->window.engine_has[e->engine]++;
	if (e->cmd[0].hdr.signal_sem)
		sem_issue_signal(j, e->cmd[0].hdr.signal_sem, e->signal, e->end);
	return true;
}

bool window_issue(struct job *j, bool strict)
{
	struct window *w = &j->window;
	bool some = false;
	struct entry *e;
	__u32 i;

	for (i = 0; i < QUILL_ENGINE_COUNT; i++) {
		while (w->fifo[i].head != w->fifo[i].tail) {
			e = &w->entry[w->fifo[i].entry[w->fifo[i].head % FW_WINDOW]];
			if (!may_issue(j, e, strict) || !issue(j, e, strict))
				break;
			w->fifo[i].head++;
			some = true;
			if (!strict)
				return true;
		}
	}
	return some;
}

bool window_full(const struct job *j)
{
	const struct window *w = &j->window;
	__u32 e;

	for (e = 0; e < QUILL_ENGINE_COUNT; e++)
		if (w->fifo[e].head != w->fifo[e].tail && w->engine_has[e] < QUILL_ENGINE_FIFO)
			return false;
	return true;
}

static void retired(struct job *j, struct entry *e)
{
	__u32 fault = cb_read(QUILL_CB_RETIRE_FAULT);

	e->state = ENTRY_RETIRED;
	j->window.in_flight--;
	j->window.engine_has[e->engine]--;
	/* KILLED: another command's fault, or the driver, has taken it down; else it is no success either */
	if ((fault & 0xff) == QUILL_FAULT_KILLED) {
		if (j->state == JOB_RUNS && !j->stop)
			entry_fault(j, e, QUILL_FAULT_INTERNAL, 0, 0);
		return;
	}
	if (fault)
		entry_fault(j, e, fault & 0xff, fault >> 8 & 0xff,
			    cb_read64(QUILL_CB_RETIRE_ADDR_LO));
	else if (e->cmd[0].hdr.signal_sem)
		sem_retire_signal(j, e->cmd[0].hdr.signal_sem);
}

void window_retire(struct job *j, __u32 index)
{
	struct window *w = &j->window;
	struct entry *e = &w->entry[index];

	if (e->state != ENTRY_ISSUED || !w->in_flight) {
		log_line("window: command %u of queue %u retired, which no engine had",
			 (unsigned int)index, (unsigned int)j->queue->number);
		return;
	}
	retired(j, e);
	while (!window_empty(j) && w->entry[w->head % FW_WINDOW].state == ENTRY_RETIRED)
		w->end = max64(w->end, w->entry[w->head++ % FW_WINDOW].end);
}
