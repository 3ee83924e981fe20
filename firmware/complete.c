// SPDX-License-Identifier: MIT
/*
 * Completion records: written whole, sequence number last, then the interrupt, if one is wanted.
 */
#include "fw.h"

void complete(struct queue *q, __u64 job, const struct report *r, const __u64 *counters, bool quiet)
{
	__u64 addr = q->cpl + (q->seq & (q->entries - 1)) * sizeof(struct quill_job_cpl);
	struct quill_job_cpl cpl = {
		.job = job,
		.status = r->fault,
		.command = r->index,
		.stream = r->stream,
		.address = r->address,
		.access = r->access,
		.engine = r->engine,
		.opcode = r->opcode,
		.cmd_seq = r->cmd_seq,
	};
	__u32 i;

	if (counters)
		for (i = 0; i < QUILL_COUNTER_COUNT; i++)
			cpl.counters[i] = counters[i];
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
