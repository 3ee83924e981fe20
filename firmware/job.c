// SPDX-License-Identifier: MIT
/*
 * One job, from descriptor to completion record.
 *
 * What a fault does depends on who finds it. One that the decoder finds ends decoding; the commands
 * before it still run, since they come first. One that an engine finds takes down what the job has in
 * all engines. If several are found, the earliest command's is reported.
 */
#include "fw.h"

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

/* ---- The end ---- */

static void free_job(struct job *j)
{
	struct queue *q = j->queue;

	sched_ended(j);
	j->state = JOB_NONE;
	q->job = NULL;
	queue_advance(q);
	admin_job_ended(q);
}

static void finish(struct job *j)
{
	sched_select(j);
	cb_write64(QUILL_CB_JOB_CLOCK_LO, j->stream.clock);
	cb_write64(QUILL_CB_JOB_RECORDS_LO, j->stream.decoded);
	complete(j->queue, j->name, &j->report, &j->stream.commands, j->quiet);
	cb_write(QUILL_CB_JOB_END, 1);
	free_job(j);
	sched_changed();
}

/* Take down what it has in the engines; it is over when that has retired. */
static void stop(struct job *j)
{
	j->state = JOB_STOPS;
	sched_select(j);
	cb_write(QUILL_CB_ENGINE_ABORT, FW_ENGINES_ALL);
	if (j->window.in_flight) {
		sched_changed();
		return;
	}
	/* an engine that found a fault waits to be resumed, even if nothing is left in it */
	cb_write(QUILL_CB_ENGINE_RESUME, FW_ENGINES_ALL);
	finish(j);
}

void job_kill(struct job *j)
{
	if (j->state != JOB_RUNS)
		return;
	report_oldest(j, QUILL_FAULT_KILLED);
	stop(j);
}

void job_timeout(struct job *j)
{
	report_oldest(j, QUILL_FAULT_TIMEOUT);
	stop(j);
}

/* ---- On the way ---- */

/*
 * Nothing moved, and no engine has anything of it: let one command through whose semaphore is reached by
 * count alone (see sem.c), or the job is stuck. False: it is over.
 */
static bool unstick(struct job *j)
{
	if (window_issue(j, false) || stream_decode(j, 1, false))
		return true;
	/* stuck behind a command that could not be decoded: that one is to blame */
	if (!j->report.fault)
		report_oldest(j, QUILL_FAULT_DEADLOCK);
	return false;
}

void job_step(struct job *j)
{
	__u32 decoded;
	bool issued;

	sched_select(j);
	decoded = stream_decode(j, FW_BURST, true);
	issued = window_issue(j, true);
	if (decoded || issued)
		j->moved = true;
	if (j->stop)
		stop(j);
	else if (j->stream.ended && window_empty(j))
		finish(j);
	else if (j->window.in_flight) {
		/* what stopped decoding before the burst's end, only an engine can let go on */
		if (decoded < FW_BURST)
			sched_blocked(j);
	} else if (!decoded && !issued && (!unstick(j) || j->stop))
		stop(j);
}

static void retired(struct job *j, __u32 index)
{
	window_retire(j, index);
	j->blocked = false;
	j->moved = true;
	if (j->state == JOB_RUNS) {
		if (j->stop)
			stop(j);
	} else if (!j->window.in_flight) {
		sched_select(j);
		cb_write(QUILL_CB_ENGINE_RESUME, FW_ENGINES_ALL);
		finish(j);
	}
}

void job_retire_all(void)
{
	struct job *j;
	__u32 r, tag;

	while ((r = cb_read(QUILL_CB_RETIRE)) & QUILL_RETIRE_VALID) {
		tag = r & QUILL_RETIRE_TAG_MASK;
		j = sched_job(tag / FW_WINDOW);
		if (j)
			retired(j, tag % FW_WINDOW);
		else
			log_line("command %u retired, whose job has ended", (unsigned int)tag);
	}
}

/* ---- The beginning ---- */

static bool check_descriptor(struct job *j, struct quill_job_desc *desc)
{
	__u32 fault = queue_fetch(j->queue, desc, &j->report.address);

	j->report.engine = QUILL_ENGINE_FW;
	j->name = desc->job;
	j->quiet = desc->flags & QUILL_JOB_QUIET;
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

void job_begin(struct job *j, struct queue *q)
{
	struct quill_job_desc desc;

	j->queue = q;
	j->stop = false;
	j->blocked = false;
	j->report = (struct report){ .fault = QUILL_FAULT_NONE };
	heartbeat_work();
	if (!check_descriptor(j, &desc)) {
		complete(q, j->name, &j->report, NULL, false);
		free_job(j);
		return;
	}
	j->state = JOB_RUNS;
	q->job = j;
	queue_update(q);
	sched_select(j);
	cb_write(QUILL_CB_JOB_BEGIN, 1);
	sem_reset(j);
	window_reset(j);
	stream_reset(j, desc.stream, desc.size);
}
