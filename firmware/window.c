// SPDX-License-Identifier: MIT
/*
 * The window: commands that have been decoded and have not retired, in the order of decoding.
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

static struct entry entries[FW_WINDOW];

static struct {
	__u32 as;
	/* Running counts: oldest entry, next entry. */
	__u32 head;
	__u32 tail;
	/* Commands that the engines have: all, and of each. */
	__u32 in_flight;
	__u32 engine_has[QUILL_ENGINE_COUNT];
	__u64 end;
} window;

/* Entries of each engine that are not issued, in order. */
static struct {
	__u8 entry[FW_WINDOW];
	__u32 head;
	__u32 tail;
} fifo[QUILL_ENGINE_COUNT];

void window_reset(__u32 as)
{
	__u32 e;

	window.as = as;
	window.head = 0;
	window.tail = 0;
	window.in_flight = 0;
	window.end = 0;
	for (e = 0; e < QUILL_ENGINE_COUNT; e++) {
		window.engine_has[e] = 0;
		fifo[e].head = 0;
		fifo[e].tail = 0;
	}
}

bool window_empty(void)
{
	return window.head == window.tail;
}

__u32 window_in_flight(void)
{
	return window.in_flight;
}

__u64 window_end(void)
{
	return window.end;
}

struct entry *window_oldest(void)
{
	return window_empty() ? NULL : &entries[window.head % FW_WINDOW];
}

bool window_room(__u32 order)
{
	return window_empty() || order - entries[window.head % FW_WINDOW].order < FW_WINDOW;
}

struct entry *window_slot(void)
{
	return &entries[window.tail % FW_WINDOW];
}

void window_push(struct entry *e)
{
	e->state = ENTRY_WAITING;
	fifo[e->engine].entry[fifo[e->engine].tail++ % FW_WINDOW] = window.tail % FW_WINDOW;
	window.tail++;
}

/* Tell of a fault that command @e made. */
static void entry_fault(const struct entry *e, __u32 fault, __u32 access, __u64 address)
{
	struct report r = {
		.fault = fault,
		.order = e->order,
		.index = e->index,
		.address = address,
		.access = access,
		.engine = e->engine,
		.opcode = e->cmd[0].hdr.opcode,
		.cmd_seq = e->cmd[0].hdr.seq,
	};

	job_fault(&r, true);
}

static bool may_issue(const struct entry *e, bool strict)
{
	if (window.engine_has[e->engine] >= QUILL_ENGINE_FIFO)
		return false;
	if (e->cmd[0].hdr.flags & QUILL_CMD_ORDERED && e != window_oldest())
		return false;
	return sem_reached(&e->wait, strict);
}

/* Hand @e to its engine. False: the engine did not take it. */
static bool issue(struct entry *e, bool strict)
{
	__u64 ready = max64(e->ready, sem_time(&e->wait, strict));
	__u32 result;

	if (e->cmd[0].hdr.flags & QUILL_CMD_ORDERED)
		ready = max64(ready, window.end);
	cb_write(QUILL_CB_ISSUE_CMD, (__u32)e->cmd);
	cb_write64(QUILL_CB_ISSUE_READY_LO, ready);
	asm volatile("" ::: "memory");
	cb_write(QUILL_CB_ISSUE_GO, e->engine | (__u32)(e - entries) << 8 | window.as << 24);
	result = cb_read(QUILL_CB_ISSUE_RESULT);
	if (result == QUILL_ISSUE_BUSY)
		return false;
	if (result) {
		entry_fault(e, result, QUILL_ACCESS_READ, 0);
		return false;
	}
	e->end = cb_read64(QUILL_CB_ISSUE_END_LO);
	e->state = ENTRY_ISSUED;
	window.in_flight++;
	window.engine_has[e->engine]++;
	if (e->cmd[0].hdr.signal_sem)
		sem_issue_signal(e->cmd[0].hdr.signal_sem, e->signal, e->end);
	return true;
}

bool window_issue(bool strict)
{
	bool some = false;
	struct entry *e;
	__u32 i;

	for (i = 0; i < QUILL_ENGINE_COUNT; i++) {
		while (fifo[i].head != fifo[i].tail) {
			e = &entries[fifo[i].entry[fifo[i].head % FW_WINDOW]];
			if (!may_issue(e, strict) || !issue(e, strict))
				break;
			fifo[i].head++;
			some = true;
			if (!strict)
				return true;
		}
	}
	return some;
}

static void retired(struct entry *e)
{
	__u32 fault = cb_read(QUILL_CB_RETIRE_FAULT);

	e->state = ENTRY_RETIRED;
	window.in_flight--;
	window.engine_has[e->engine]--;
	/* KILLED: another command's fault, or the driver, has taken it down; else it is no success either */
	if ((fault & 0xff) == QUILL_FAULT_KILLED) {
		if (!job_stopping())
			entry_fault(e, QUILL_FAULT_INTERNAL, 0, 0);
		return;
	}
	if (fault)
		entry_fault(e, fault & 0xff, fault >> 8 & 0xff,
			    cb_read64(QUILL_CB_RETIRE_ADDR_LO));
	else if (e->cmd[0].hdr.signal_sem)
		sem_retire_signal(e->cmd[0].hdr.signal_sem);
}

bool window_retire(void)
{
	bool some = false;
	struct entry *e;
	__u32 r;

	while ((r = cb_read(QUILL_CB_RETIRE)) & QUILL_RETIRE_VALID) {
		e = &entries[(r & QUILL_RETIRE_TAG_MASK) % FW_WINDOW];
		if (e->state != ENTRY_ISSUED || !window.in_flight) {
			log_line("window: command %u retired, which no engine had",
				 (unsigned int)(r & QUILL_RETIRE_TAG_MASK));
			continue;
		}
		retired(e);
		some = true;
	}
	while (!window_empty() && entries[window.head % FW_WINDOW].state == ENTRY_RETIRED)
		window.end = max64(window.end, entries[window.head++ % FW_WINDOW].end);
	return some;
}

void window_abort(void)
{
	__u32 as = window.as;

	cb_write(QUILL_CB_ENGINE_ABORT, FW_ENGINES_ALL);
	while (window.in_flight) {
		wait_for_interrupt();
		service();
		window_retire();
	}
	cb_write(QUILL_CB_ENGINE_RESUME, FW_ENGINES_ALL);
	window_reset(as);
}
