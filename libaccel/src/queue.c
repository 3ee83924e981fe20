// SPDX-License-Identifier: MIT
/*
 * DOC: Queues, and how a job's error finds its way back
 *
 * A queue owns a timeline syncobj: its n-th job signals point n, so that one number names a job
 * and waiting for it is one ioctl. A timeline tells that a point was reached, but not how: the
 * kernel drops the fences of points that have passed, and their errors with them. So every job also
 * signals a binary syncobj of its own, from a ring of slots that grows with the number of jobs
 * under way.
 *
 * Finished slots are reaped before a wait, so that what has ended costs none, and behind it. As a rule QUEUE_QUERY says in
 * one go that no job has failed. If one has, each slot's fence is asked for its error, and the words for it,
 * made from QUEUE_QUERY and from the stream that the slot still holds, are remembered for later
 * waits.
 */
#include <errno.h>
#include <linux/sync_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>

#include "queue.h"

#define ACCEL_FIRST_SLOTS	16

static_assert(ACCEL_MAX_WAITS + 2 == DRM_QUILL_MAX_SYNCS, "waits, point and binary signal");

/* ---- Making and ending ---- */

static void accel_slots_free(struct accel_queue *queue, struct accel_slot *slots, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		accel_stream_destroy(slots[i].stream);
		if (slots[i].syncobj)
			drmSyncobjDestroy(queue->vm->dev->fd, slots[i].syncobj);
	}
	free(slots);
}

/* Twice the slots (or the first ones), each job's moved to where its point now belongs. */
static int accel_queue_grow(struct accel_queue *queue)
{
	uint32_t i, n = queue->n_slots ? queue->n_slots * 2 : ACCEL_FIRST_SLOTS;
	struct accel_slot *slots;
	uint64_t point;
	bool *taken;

	slots = calloc(n, sizeof(*slots) + sizeof(*taken));
	if (!slots)
		return -ENOMEM;
	taken = (bool *)&slots[n];

	for (i = 0; i < queue->n_slots; i++) {
		point = queue->reaped + 1 + i;
		slots[point & (n - 1)] = *accel_queue_slot(queue, point);
		taken[point & (n - 1)] = true;
	}
	for (i = 0; i < n; i++) {
		if (taken[i] || !drmSyncobjCreate(queue->vm->dev->fd, 0, &slots[i].syncobj))
			continue;
		/* Only what is new goes; the jobs' slots stay where they are. */
		while (i--)
			if (!taken[i])
				drmSyncobjDestroy(queue->vm->dev->fd, slots[i].syncobj);
		free(slots);
		return -ENOMEM;
	}
	free(queue->slots);
	queue->slots = slots;
	queue->n_slots = n;
	return 0;
}

static int accel_queue_params_check(struct accel_device *dev,
				    const struct accel_queue_params *params)
{
	if ((unsigned int)params->priority > ACCEL_PRIORITY_HIGH)
		return accel_error(dev, -EINVAL, "accel_queue_create: priority is %d; required: one "
				   "of enum accel_priority", params->priority);
	if (params->flags & ~ACCEL_QUEUE_USER)
		return accel_error(dev, -EINVAL, "accel_queue_create: flags are 0x%x; required: none "
				   "but ACCEL_QUEUE_USER (0x%x)", params->flags, ACCEL_QUEUE_USER);
	if (params->timeout_ms > dev->max_timeout_ms)
		return accel_error(dev, -EINVAL, "accel_queue_create: timeout_ms is %u; required: "
				   "at most %u", params->timeout_ms, dev->max_timeout_ms);
	return 0;
}

static uint32_t accel_priority_drm(enum accel_priority priority)
{
	switch (priority) {
	case ACCEL_PRIORITY_LOW:
		return DRM_QUILL_PRIORITY_LOW;
	case ACCEL_PRIORITY_HIGH:
		return DRM_QUILL_PRIORITY_HIGH;
	default:
		return DRM_QUILL_PRIORITY_MEDIUM;
	}
}

static const char *accel_queue_hint(int err)
{
	switch (err) {
	case -ENOSPC:
		return " (all hardware queues, or this user's share of them, are in use)";
	case -EACCES:
		return " (priority high needs CAP_SYS_NICE)";
	default:
		return "";
	}
}

int accel_queue_create(struct accel_vm *vm, const struct accel_queue_params *params,
		       struct accel_queue **out)
{
	static const struct accel_queue_params defaults;
	struct drm_quill_queue_create args = { .vm_id = vm->id };
	struct drm_quill_queue_destroy destroy = { 0 };
	struct accel_device *dev = vm->dev;
	struct accel_queue *queue;
	int ret;

	params = params ? params : &defaults;
	ret = accel_queue_params_check(dev, params);
	if (ret)
		return ret;

	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return accel_error(dev, -ENOMEM, "accel_queue_create: no memory");
	queue->vm = vm;

	args.priority = accel_priority_drm(params->priority);
	args.timeout_ms = params->timeout_ms;
	if (params->flags & ACCEL_QUEUE_USER)
		args.flags |= DRM_QUILL_QUEUE_CREATE_USER;
	ret = accel_ioctl(dev, DRM_IOCTL_QUILL_QUEUE_CREATE, &args);
	if (ret) {
		accel_error(dev, ret, "accel_queue_create: the driver refused%s: %s",
			    accel_queue_hint(ret), strerror(-ret));
		goto err_free;
	}
	ret = accel_drm_ret(drmSyncobjCreate(dev->fd, 0, &queue->timeline));
	if (!ret)
		ret = args.flags ? accel_uqueue_create(queue, &args) : accel_queue_grow(queue);
	if (ret) {
		accel_error(dev, ret, "accel_queue_create: cannot make %s: %s",
			    args.flags ? "its mappings" : "syncobjs", strerror(-ret));
		goto err_destroy;
	}

	atomic_init(&queue->refs, 1);
	queue->vm = accel_vm_get(vm);
	queue->id = args.queue_id;
	accel_log(dev, ACCEL_LOG_OBJECT, "queue %u: created on vm %u", queue->id, vm->id);
	*out = queue;
	return 0;

err_destroy:
	if (queue->timeline)
		drmSyncobjDestroy(dev->fd, queue->timeline);
	destroy.queue_id = args.queue_id;
	accel_ioctl(dev, DRM_IOCTL_QUILL_QUEUE_DESTROY, &destroy);
err_free:
	free(queue);
	return ret;
}

struct accel_queue *accel_queue_get(struct accel_queue *queue)
{
	atomic_fetch_add(&queue->refs, 1);
	return queue;
}

struct accel_vm *accel_queue_vm(struct accel_queue *queue)
{
	return queue->vm;
}

void accel_queue_destroy(struct accel_queue *queue)
{
	struct drm_quill_queue_destroy args = { 0 };
	unsigned int i;

	if (!queue || atomic_fetch_sub(&queue->refs, 1) != 1)
		return;
	accel_log(queue->vm->dev, ACCEL_LOG_OBJECT, "queue %u: destroyed", queue->id);
	args.queue_id = queue->id;
	/* First the jobs, then the streams that they read. */
	accel_ioctl(queue->vm->dev, DRM_IOCTL_QUILL_QUEUE_DESTROY, &args);
	accel_uqueue_destroy(queue->user);
	accel_slots_free(queue, queue->slots, queue->n_slots);
	drmSyncobjDestroy(queue->vm->dev->fd, queue->timeline);
	for (i = 0; i < ACCEL_FAILURES; i++)
		free(queue->failures[i].text);
	accel_vm_destroy(queue->vm);
	free(queue);
}

/* ---- What became of jobs ---- */

int accel_queue_query(struct accel_queue *queue, struct drm_quill_queue_query *query)
{
	memset(query, 0, sizeof(*query));
	query->queue_id = queue->id;
	return accel_ioctl(queue->vm->dev, DRM_IOCTL_QUILL_QUEUE_QUERY, query);
}

/* The error that a finished job's fence carries, or 0. */
static int accel_slot_error(struct accel_queue *queue, const struct accel_slot *slot)
{
	struct sync_file_info info = { 0 };
	int ret, fd = -1;

	ret = accel_drm_ret(drmSyncobjExportSyncFile(queue->vm->dev->fd, slot->syncobj, &fd));
	if (ret)
		return ret;
	ret = ioctl(fd, SYNC_IOC_FILE_INFO, &info) ? -errno : info.status;
	close(fd);
	return ret < 0 ? ret : 0;
}

/*
 * Words for a failed job. The last fault of the queue may be that of a later job: then its details
 * are lost.
 */
static void accel_slot_describe(const struct accel_slot *slot, int error,
				const struct drm_quill_queue_query *query, char *text, size_t size)
{
	const struct accel_stream *stream = slot->stream;
	const union quill_cmd *cmd = NULL, *patch = NULL;
	uint32_t at = query->fault_command;

	if (!(query->state & DRM_QUILL_QUEUE_FAULTED) || query->fault_job != slot->job) {
		snprintf(text, size, "%s; its details are gone%s", strerror(-error),
			 query->state & DRM_QUILL_QUEUE_FAULTED ? ": a later job failed too" : "");
		return;
	}
	if (stream && stream->generation == slot->generation &&
	    query->fault_stream == stream->buf.va && at < stream->count)
		cmd = &stream->cmds[at];
	if (cmd && at && cmd[-1].hdr.opcode == QUILL_OP_PATCH)
		patch = cmd - 1;
	accel_describe_fault(query, cmd, cmd ? stream->count - at : 0, patch, text, size);
}

void accel_queue_remember(struct accel_queue *queue, uint64_t point, int error,
			  const struct drm_quill_queue_query *query)
{
	struct accel_failure *failure = &queue->failures[queue->n_failures % ACCEL_FAILURES];
	struct accel_slot *slot = accel_queue_slot(queue, point);
	char text[ACCEL_ERROR_MAX];

	accel_slot_describe(slot, error, query, text, sizeof(text));
	free(failure->text);
	*failure = (struct accel_failure) {
		.point = point,
		.job = slot->job,
		.error = error,
		.text = strdup(text),
	};
	queue->n_failures++;
}

/* Let go of the streams of all jobs up to @point. @query: one of them may have failed: see which. */
static void accel_queue_release(struct accel_queue *queue, uint64_t point,
				const struct drm_quill_queue_query *query)
{
	struct accel_slot *slot;
	int error;

	while (queue->reaped < point) {
		slot = accel_queue_slot(queue, queue->reaped + 1);
		error = query ? accel_slot_error(queue, slot) : 0;
		if (error)
			accel_queue_remember(queue, queue->reaped + 1, error, query);
		accel_stream_destroy(slot->stream);
		slot->stream = NULL;
		queue->reaped++;
	}
}

/*
 * Jobs have ended, at least those up to @point: note which failed, and let go of their streams. Where none has failed, that is
 * said of all that have ended, so that who keeps many jobs under way asks once for many.
 */
static void accel_queue_reap(struct accel_queue *queue, uint64_t point)
{
	struct drm_quill_queue_query query;
	bool all_well;

	if (queue->user) {
		accel_uqueue_reap(queue);
		return;
	}
	all_well = !accel_queue_query(queue, &query) && query.jobs >= point &&
		   query.faults == queue->n_failures;
	if (!all_well)
		accel_queue_release(queue, point, &query);
	else
		accel_queue_release(queue, query.jobs < queue->submitted ? query.jobs : queue->submitted,
				    NULL);
}

static const struct accel_failure *accel_queue_failure(const struct accel_queue *queue,
						       uint64_t point)
{
	unsigned int i;

	for (i = 0; i < ACCEL_FAILURES; i++)
		if (queue->failures[i].point == point)
			return &queue->failures[i];
	return NULL;
}

int64_t accel_deadline(int64_t timeout_ns)
{
	struct timespec now;
	int64_t at;

	if (timeout_ns <= 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	at = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	return timeout_ns > INT64_MAX - at ? INT64_MAX : at + timeout_ns;
}

/* Sleep, or look, until a job has ended; -ETIME if it has not by the deadline. */
static int accel_queue_wait_end(struct accel_queue *queue, uint64_t point, int64_t deadline)
{
	if (queue->user)
		return accel_uqueue_wait(queue, point, deadline);
	return accel_drm_ret(drmSyncobjTimelineWait(queue->vm->dev->fd, &queue->timeline, &point, 1,
						    deadline, 0, NULL));
}

int accel_queue_wait(struct accel_queue *queue, uint64_t point, int64_t timeout_ns)
{
	struct accel_device *dev = queue->vm->dev;
	const struct accel_failure *failure;
	int ret;

	if (!point)
		return 0;
	if (point > queue->submitted)
		return accel_error(dev, -EINVAL, "accel_queue_wait: point is %llu; required: at most "
				   "%llu, that of the last job", (unsigned long long)point,
				   (unsigned long long)queue->submitted);

	/* a short job is over by now */
	if (point > queue->reaped)
		accel_queue_reap(queue, 0);
	if (point > queue->reaped) {
		ret = accel_queue_wait_end(queue, point, accel_deadline(timeout_ns));
		if (ret == -ETIME)
			return accel_error(dev, -ETIMEDOUT, "job %llu has not ended within %lld ns",
					   (unsigned long long)point, (long long)timeout_ns);
		if (ret)
			return accel_error(dev, ret, "cannot wait for job %llu: %s",
					   (unsigned long long)point, strerror(-ret));
		accel_queue_reap(queue, point);
	}
	accel_log(dev, ACCEL_LOG_JOB, "queue %u: job %llu has ended", queue->id,
		  (unsigned long long)point);

	failure = accel_queue_failure(queue, point);
	if (!failure)
		return 0;
	return accel_error(dev, failure->error, "job %llu failed: %s", (unsigned long long)point,
			   failure->text ? failure->text : strerror(-failure->error));
}

/* ---- Submitting ---- */

static int accel_submit_check(struct accel_queue *queue, struct accel_stream *stream,
			      const struct accel_wait *waits, unsigned int n_waits)
{
	struct accel_device *dev = queue->vm->dev;

	if (stream->vm != queue->vm)
		return accel_error(dev, -EINVAL, "accel_queue_submit: the stream is of vm %u; "
				   "required: the queue's, vm %u", stream->vm->id, queue->vm->id);
	if (!stream->count)
		return accel_error(dev, -EINVAL, "accel_queue_submit: the stream is empty; required: "
				   "at least one command");
	if (stream->patches)
		return accel_error(dev, -EINVAL, "accel_queue_submit: the stream ends with a PATCH; "
				   "required: the command that it is for");
	if (stream->jump_end > stream->count)
		return accel_error(dev, -EINVAL, "accel_queue_submit: a JUMP or LOOP goes to record %u; "
				   "required: below %u, the end of the stream",
				   stream->jump_end - 1, stream->count);
	return accel_waits_check(dev, "accel_queue_submit", waits, n_waits);
}

/* A free slot for the next point: reap what has ended without being waited for, else grow. */
static int accel_queue_make_room(struct accel_queue *queue)
{
	uint64_t reached = 0;
	int ret;

	if (queue->user)
		return accel_uqueue_make_room(queue);
	if (queue->submitted - queue->reaped < queue->n_slots)
		return 0;
	ret = accel_drm_ret(drmSyncobjQuery(queue->vm->dev->fd, &queue->timeline, &reached, 1));
	if (!ret && reached <= queue->submitted)
		accel_queue_reap(queue, reached);
	if (queue->submitted - queue->reaped < queue->n_slots)
		return 0;
	return accel_queue_grow(queue);
}

/* By the driver. *@job is its number for the job. */
static int accel_queue_push(struct accel_queue *queue, const struct accel_stream *stream,
			    const struct accel_wait *waits, unsigned int n_waits, uint64_t *job)
{
	struct drm_quill_submit args = {
		.queue_id = queue->id,
		.stream = stream->buf.va,
		.stream_size = stream->count * QUILL_CMD_SIZE,
	};
	uint64_t point = queue->submitted + 1;
	struct accel_syncs syncs;
	int ret;

	ret = accel_syncs_init(&syncs, waits, n_waits);
	accel_syncs_signal(&syncs, queue->timeline, point);
	accel_syncs_signal(&syncs, accel_queue_slot(queue, point)->syncobj, 0);
	args.syncs.ptr = (uintptr_t)syncs.sync;
	args.syncs.count = syncs.count;
	args.syncs.stride = sizeof(syncs.sync[0]);
	if (!ret)
		ret = accel_ioctl(queue->vm->dev, DRM_IOCTL_QUILL_SUBMIT, &args);
	accel_syncs_free(queue->vm->dev, &syncs);
	if (ret)
		return ret;
	queue->submitted++;
	*job = args.job;
	return 0;
}

/* By the process itself. The ring knows no waits: they are over before the doorbell. */
static int accel_queue_ring(struct accel_queue *queue, const struct accel_stream *stream,
			    const struct accel_wait *waits, unsigned int n_waits, uint64_t *job)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n_waits && !ret; i++)
		if (waits[i].queue && waits[i].point)
			ret = accel_queue_wait_end(waits[i].queue, waits[i].point, INT64_MAX);
		else if (waits[i].point)
			ret = accel_vm_wait(waits[i].vm, waits[i].point, ACCEL_WAIT_FOREVER);
	if (!ret)
		ret = accel_uqueue_submit(queue, stream->buf.va, stream->count * QUILL_CMD_SIZE);
	*job = queue->submitted;
	return ret;
}

int accel_queue_submit(struct accel_queue *queue, struct accel_stream *stream,
		       const struct accel_wait *waits, unsigned int n_waits, uint64_t *point)
{
	struct accel_device *dev = queue->vm->dev;
	struct accel_slot *slot;
	uint64_t job;
	int ret;

	ret = accel_submit_check(queue, stream, waits, n_waits);
	if (ret)
		return ret;
	ret = accel_queue_make_room(queue);
	if (ret)
		return accel_error(dev, ret, "accel_queue_submit: no room for another job: %s",
				   strerror(-ret));
	if (queue->user)
		ret = accel_queue_ring(queue, stream, waits, n_waits, &job);
	else
		ret = accel_queue_push(queue, stream, waits, n_waits, &job);
	if (ret)
		return accel_error(dev, ret, "accel_queue_submit: the driver refused%s: %s",
				   ret == -ECANCELED ? " (a job of the queue could only be ended by a restart, and it is "
				   "banned)" : "", strerror(-ret));

	slot = accel_queue_slot(queue, queue->submitted);
	slot->job = job;
	queue->recent[queue->submitted % DRM_QUILL_QUEUE_HISTORY] = job;
	slot->stream = accel_stream_get(stream);
	slot->generation = stream->generation;
	accel_log(dev, ACCEL_LOG_JOB, "queue %u: job %llu: %u records at va 0x%llx", queue->id,
		  (unsigned long long)queue->submitted, stream->count,
		  (unsigned long long)stream->buf.va);
	if (point)
		*point = queue->submitted;
	return 0;
}

/* ---- Asking ---- */

int accel_queue_stats(struct accel_queue *queue, struct accel_queue_stats *stats)
{
	struct drm_quill_queue_query query;
	int ret;

	ret = accel_queue_query(queue, &query);
	if (ret)
		return accel_error(queue->vm->dev, ret, "accel_queue_stats: cannot query queue %u: "
				   "%s", queue->id, strerror(-ret));
	*stats = (struct accel_queue_stats) {
		.jobs = query.jobs,
		.faults = query.faults,
		.cycles = query.cycles,
		.busy_tensor = query.busy[QUILL_ENGINE_TENSOR],
		.busy_vector = query.busy[QUILL_ENGINE_VECTOR],
		.busy_dma = query.busy[QUILL_ENGINE_DMA],
		.commands = query.commands,
		.macs = query.macs,
		.bytes_read = query.bytes_read,
		.bytes_written = query.bytes_written,
		.timeout_ms = query.timeout_ms,
		.banned = query.state & DRM_QUILL_QUEUE_BANNED,
	};
	return 0;
}

int accel_queue_counters(struct accel_queue *queue, uint64_t point,
			 struct accel_counters *counters)
{
	struct drm_quill_queue_query query = { .queue_id = queue->id };
	int ret;

	if (point > queue->submitted)
		return accel_error(queue->vm->dev, -EINVAL, "accel_queue_counters: point %llu found; "
				   "required at most %llu, the last job's", (unsigned long long)point,
				   (unsigned long long)queue->submitted);
	if (point)
		query.of_job = queue->recent[point % DRM_QUILL_QUEUE_HISTORY];
	ret = -ENOENT;
	if (!point || queue->submitted - point < DRM_QUILL_QUEUE_HISTORY)
		ret = accel_ioctl(queue->vm->dev, DRM_IOCTL_QUILL_QUEUE_QUERY, &query);
	if (ret)
		return accel_error(queue->vm->dev, ret, "accel_queue_counters: no counters of job %llu "
				   "of queue %u: %s", (unsigned long long)point, queue->id,
				   ret == -ENOENT ? "it has not ended, or is forgotten" :
				   strerror(-ret));
	accel_counters_from_drm(counters, &query);
	return 0;
}

/* Which point the driver's job number stands for; 0 if it is forgotten. */
static uint64_t accel_queue_point(struct accel_queue *queue, uint64_t job)
{
	uint64_t point;
	unsigned int i;

	for (point = queue->reaped + 1; point <= queue->submitted; point++)
		if (accel_queue_slot(queue, point)->job == job)
			return point;
	for (i = 0; i < ACCEL_FAILURES; i++)
		if (queue->failures[i].point && queue->failures[i].job == job)
			return queue->failures[i].point;
	return 0;
}

int accel_queue_fault(struct accel_queue *queue, struct accel_fault *fault)
{
	struct drm_quill_queue_query query;
	int ret;

	ret = accel_queue_query(queue, &query);
	if (ret)
		return accel_error(queue->vm->dev, ret, "accel_queue_fault: cannot query queue %u: "
				   "%s", queue->id, strerror(-ret));
	memset(fault, 0, sizeof(*fault));
	if (!(query.state & DRM_QUILL_QUEUE_FAULTED))
		return 0;
	fault->point = accel_queue_point(queue, query.fault_job);
	fault->address = query.fault_addr;
	fault->status = query.fault_status;
	fault->record = query.fault_command;
	fault->stream = query.fault_stream;
	fault->access = query.fault_access;
	fault->engine = query.fault_engine;
	fault->elapsed_ms = query.fault_elapsed_ms;
	return 0;
}
