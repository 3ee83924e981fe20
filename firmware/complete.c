// SPDX-License-Identifier: MIT
/*
 * Completion records: written whole, sequence number last, then the interrupt, if one is wanted.
 */
#include "fw.h"

/* What is reserved in it stays zero. */
static struct quill_job_cpl cpl;

static void add_counters(const __u32 *commands)
{
	__u32 i;

	if (commands) {
		cb_write(QUILL_CB_COUNTERS_TO, (__u32)cpl.counters);
		asm volatile("" ::: "memory");
		cpl.counters[QUILL_COUNTER_COMMANDS] += *commands;
		return;
	}
	for (i = 0; i < QUILL_COUNTER_COUNT; i++)
		cpl.counters[i] = 0;
}

void complete(struct queue *q, __u64 job, const struct report *r, const __u32 *commands, bool quiet)
{
	__u64 addr = q->cpl + (q->seq & (q->entries - 1)) * sizeof(struct quill_job_cpl);

	cpl.job = job;
	cpl.status = r->fault;
	cpl.command = r->index;
	cpl.stream = r->stream;
	cpl.address = r->address;
	cpl.access = r->access;
	cpl.engine = r->engine;
	cpl.opcode = r->opcode;
	cpl.cmd_seq = r->cmd_seq;
	add_counters(commands);
	cpl.seq = ++q->seq;

	if (xfer_write(QUILL_AS_HOST, addr, &cpl, offsetof(struct quill_job_cpl, seq)) ||
	    xfer_write(QUILL_AS_HOST, addr + offsetof(struct quill_job_cpl, seq), &cpl.seq,
		       sizeof(cpl.seq))) {
		log_line("queue %u: completion %u cannot be written: stopped",
			 (unsigned int)q->number, (unsigned int)cpl.seq);
		q->state = QUEUE_STOPPED;
		return;
	}
	if (quiet && !r->fault && q->seq & (q->entries / 2 - 1) && queue_quiet(q))
		return;
	cb_write(QUILL_CB_MSIX, q->vector);
}
