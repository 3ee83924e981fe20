// SPDX-License-Identifier: MIT
/*
 * One job, from descriptor to completion record.
 *
 * What a fault does depends on who finds it. One that the decoder finds ends decoding; the commands
 * before it still run, since they come first. One that an engine finds stops all
 * engines. If several are found, the earliest command's is reported.
 */
#include "fw.h"

static struct {
	struct queue *queue;
	bool killed;
	bool stop;
	struct report report;
} job;

struct queue *job_queue(void)
{
	return job.queue;
}

bool job_stopping(void)
{
	return job.stop || job.killed;
}

void job_kill(void)
{
	job.killed = true;
}

void job_fault(const struct report *r, bool stop)
{
	job.stop |= stop;
	if (!job.report.fault || (__s32)(r->order - job.report.order) < 0)
		job.report = *r;
}

/* The command that stands at the head of all: the oldest that has not retired, or the decoder's. */
static void report_oldest(__u32 fault)
{
	const struct entry *e = window_oldest();

	job.report = (struct report){ .fault = fault };
	if (!e) {
		stream_position(&job.report);
		return;
	}
	job.report.index = e->index;
	job.report.engine = e->engine;
	job.report.opcode = e->cmd[0].hdr.opcode;
	job.report.cmd_seq = e->cmd[0].hdr.seq;
}

/*
 * Nothing moved, and no engine has anything: let one command through whose semaphore is reached by
 * count alone (see sem.c), or the job is stuck. False: it is over.
 */
static bool unstick(void)
{
	if (window_issue(false) || stream_decode(false))
		return true;
	/* stuck behind a command that could not be decoded: that one is to blame */
	if (!job.report.fault)
		report_oldest(QUILL_FAULT_DEADLOCK);
	return false;
}

static void run(void)
{
	bool moved;

	while (!stream_ended() || !window_empty()) {
		moved = stream_decode(true);
		moved |= window_issue(true);
		moved |= window_retire();
		service();
		if (job.killed || job.stop)
			break;
		if (moved)
			continue;
		if (window_in_flight())
			wait_for_interrupt();
		else if (!unstick() || job.stop)
			break;
	}
	if (job.killed)
		report_oldest(QUILL_FAULT_KILLED);
	/* an engine that found a fault waits to be resumed, even if nothing is left in it */
	if (job.stop || !window_empty())
		window_abort();
}

static bool check_descriptor(struct queue *q, struct quill_job_desc *desc)
{
	__u32 fault = queue_fetch(q, desc, &job.report.address);

	job.report.engine = QUILL_ENGINE_FW;
	if (fault) {
		job.report.fault = fault;
		job.report.access = QUILL_ACCESS_FETCH;
		return false;
	}
	if (!desc->size || desc->size % QUILL_CMD_SIZE || desc->stream % QUILL_CMD_SIZE ||
	    desc->stream + desc->size < desc->stream) {
		job.report.fault = QUILL_FAULT_STREAM;
		job.report.address = desc->stream;
		return false;
	}
	return true;
}

void job_run(struct queue *q)
{
	__u64 counters[QUILL_COUNTER_COUNT];
	struct quill_job_desc desc;
	__u32 i;

	job.queue = q;
	job.killed = false;
	job.stop = false;
	job.report = (struct report){ .fault = QUILL_FAULT_NONE };
	heartbeat_work();

	if (!check_descriptor(q, &desc)) {
		complete(q, desc.job, &job.report, NULL);
		goto out;
	}
	cb_write(QUILL_CB_JOB_BEGIN, 1);
	sem_reset();
	window_reset(q->as);
	stream_reset(q->as, desc.stream, desc.size);
	run();

	for (i = 0; i < QUILL_COUNTER_COUNT; i++)
		counters[i] = cb_read64(QUILL_CB_COUNTER_LO(i));
	counters[QUILL_COUNTER_CYCLES] = max64(counters[QUILL_COUNTER_CYCLES], stream_clock());
	counters[QUILL_COUNTER_COMMANDS] += stream_commands();
	complete(q, desc.job, &job.report, counters);
out:
	queue_advance(q);
	job.queue = NULL;
	admin_job_ended();
}
