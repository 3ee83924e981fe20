// SPDX-License-Identifier: MIT
/*
 * One job, from descriptor to completion record.
 *
 * What a fault does depends on who finds it. One that the decoder finds ends decoding; the commands
 * before it still run, since they come first. One that an engine finds stops all
 * engines. If several are found, the earliest command's is reported.
 */
#include "fw.h"

/* The job that runs; its queue is NULL if there is none. */
static struct job job;

struct queue *job_queue(void)
{
	return job.queue;
}

bool job_stopping(const struct job *j)
{
	return j->stop || j->killed;
}

void job_kill(void)
{
	job.killed = true;
}

void job_fault(struct job *j, const struct report *r, bool stop)
{
	j->stop |= stop;
	if (!j->report.fault || (__s32)(r->order - j->report.order) < 0)
		j->report = *r;
}

/* The command that stands at the head of all: the oldest that has not retired, or the decoder's. */
static void report_oldest(struct job *j, __u32 fault)
{
	const struct entry *e = window_oldest(j);

	j->report = (struct report){ .fault = fault };
	if (!e) {
		stream_position(j, &j->report);
		return;
	}
	j->report.stream = e->stream;
	j->report.index = e->index;
	j->report.engine = e->engine;
	j->report.opcode = e->cmd[0].hdr.opcode;
	j->report.cmd_seq = e->cmd[0].hdr.seq;
}

/*
 * Nothing moved, and no engine has anything: let one command through whose semaphore is reached by
 * count alone (see sem.c), or the job is stuck. False: it is over.
 */
static bool unstick(struct job *j)
{
	if (window_issue(j, false) || stream_decode(j, false))
		return true;
	/* stuck behind a command that could not be decoded: that one is to blame */
	if (!j->report.fault)
		report_oldest(j, QUILL_FAULT_DEADLOCK);
	return false;
}

static void run(struct job *j)
{
	bool moved;

	while (!j->stream.ended || !window_empty(j)) {
		moved = stream_decode(j, true);
		moved |= window_issue(j, true);
		moved |= window_retire(j);
		service();
		if (job_stopping(j))
			break;
		if (moved)
			continue;
		if (j->window.in_flight)
			wait_for_interrupt();
		else if (!unstick(j) || j->stop)
			break;
	}
	if (j->killed)
		report_oldest(j, QUILL_FAULT_KILLED);
	/* an engine that found a fault waits to be resumed, even if nothing is left in it */
	if (j->stop || !window_empty(j))
		window_abort(j);
}

static bool check_descriptor(struct job *j, struct quill_job_desc *desc)
{
	__u32 fault = queue_fetch(j->queue, desc, &j->report.address);

	j->report.engine = QUILL_ENGINE_FW;
	if (fault) {
		j->report.fault = fault;
		j->report.access = QUILL_ACCESS_FETCH;
		return false;
	}
	if (!desc->size || desc->size % QUILL_CMD_SIZE || desc->stream % QUILL_CMD_SIZE ||
	    desc->stream + desc->size < desc->stream) {
		j->report.fault = QUILL_FAULT_STREAM;
		j->report.address = desc->stream;
		return false;
	}
	return true;
}

void job_run(struct queue *q)
{
	__u64 counters[QUILL_COUNTER_COUNT];
	struct quill_job_desc desc;
	struct job *j = &job;
	__u32 i;

	j->queue = q;
	j->killed = false;
	j->stop = false;
	j->report = (struct report){ .fault = QUILL_FAULT_NONE };
	heartbeat_work();

	if (!check_descriptor(j, &desc)) {
		complete(q, desc.job, &j->report, NULL);
		goto out;
	}
	cb_write(QUILL_CB_JOB_BEGIN, 1);
	sem_reset(j);
	window_reset(j);
	stream_reset(j, desc.stream, desc.size);
	run(j);

	cb_write64(QUILL_CB_JOB_CLOCK_LO, j->stream.clock);
	cb_write64(QUILL_CB_JOB_RECORDS_LO, j->stream.decoded);
	for (i = 0; i < QUILL_COUNTER_COUNT; i++)
		counters[i] = cb_read64(QUILL_CB_COUNTER_LO(i));
	counters[QUILL_COUNTER_COMMANDS] += j->stream.commands;
	complete(q, desc.job, &j->report, counters);
out:
	queue_advance(q);
	j->queue = NULL;
	admin_job_ended();
}
