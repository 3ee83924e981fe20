// SPDX-License-Identifier: MIT
/*
 * DOC: Queues whose ring the process serves
 *
 * The driver lets the process map ring, records and doorbell (drm/quill_accel.h, "User-mode queues"). A
 * job's point is its number in the ring, so that a wait for it is a look at one word. Jobs are quiet: no
 * interrupt. Who has looked for ACCEL_SPIN_NS has the driver signal a syncobj, and sleeps.
 *
 * A slot (queue.h) keeps a job's stream until it is reaped: at the latest when its place in the ring is
 * wanted again, so its record is there as long as anybody asks for it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xf86drm.h>

#include "quill/fw_abi.h"
#include "queue.h"

/* What sleeping and being woken costs, about. */
#define ACCEL_SPIN_NS	100000

struct accel_uqueue {
	uint32_t entries;
	/* Bytes of the mappings; of the ring, that before control. */
	size_t page, desc_size, ring_size, state_size;
	uint32_t *doorbell;
	struct quill_job_desc *desc;
	struct drm_quill_user_control *control;
	const struct drm_quill_user_state *state;
	const struct quill_job_cpl *records;
};

static void *accel_uqueue_map(struct accel_queue *queue, uint64_t offset, size_t size, int prot)
{
	void *ptr = mmap(NULL, size, prot, MAP_SHARED, queue->vm->dev->fd, (off_t)offset);

	return ptr == MAP_FAILED ? NULL : ptr;
}

int accel_uqueue_create(struct accel_queue *queue, const struct drm_quill_queue_create *args)
{
	const size_t page = queue->vm->dev->page_size;
	struct accel_uqueue *user;
	void *ring, *state;

	user = calloc(1, sizeof(*user));
	queue->slots = calloc(args->entries, sizeof(*queue->slots));
	if (!user || !queue->slots)
		goto err_free;
	queue->n_slots = args->entries;
	user->entries = args->entries;
	user->page = page;
	user->desc_size = ACCEL_ALIGN(args->entries * sizeof(*user->desc), page);
	user->ring_size = user->desc_size + page;
	user->state_size = page + ACCEL_ALIGN(args->entries * sizeof(*user->records), page);

	user->doorbell = accel_uqueue_map(queue, args->map_offset + DRM_QUILL_USER_DOORBELL, page,
					  PROT_READ | PROT_WRITE);
	ring = accel_uqueue_map(queue, args->map_offset + DRM_QUILL_USER_RING, user->ring_size,
				PROT_READ | PROT_WRITE);
	state = accel_uqueue_map(queue, args->map_offset + DRM_QUILL_USER_STATE, user->state_size,
				 PROT_READ);
	user->desc = ring;
	user->state = state;
	if (!user->doorbell || !ring || !state)
		goto err_unmap;
	user->control = (void *)((char *)ring + user->desc_size);
	user->records = (const void *)((char *)state + page);
	queue->user = user;
	return 0;

err_unmap:
	accel_uqueue_destroy(user);
	user = NULL;
err_free:
	free(user);
	free(queue->slots);
	queue->slots = NULL;
	return -ENOMEM;
}

void accel_uqueue_destroy(struct accel_uqueue *user)
{
	if (!user)
		return;
	if (user->doorbell)
		munmap(user->doorbell, user->page);
	if (user->desc)
		munmap(user->desc, user->ring_size);
	if (user->state)
		munmap((void *)user->state, user->state_size);
	free(user);
}

static const struct quill_job_cpl *accel_uqueue_record(const struct accel_uqueue *user, uint64_t point)
{
	return &user->records[(point - 1) % user->entries];
}

/* Of a job that has not been reaped. */
static bool accel_uqueue_ended(const struct accel_uqueue *user, uint64_t point)
{
	return __atomic_load_n(&accel_uqueue_record(user, point)->seq, __ATOMIC_ACQUIRE) ==
	       (uint32_t)point;
}

/* 0, or why the queue takes no more jobs, and ends none: to be asked before the record is. */
static int accel_uqueue_over(const struct accel_uqueue *user)
{
	return -(int)__atomic_load_n(&user->state->error, __ATOMIC_ACQUIRE);
}

/* ---- Submitting ---- */

static void accel_uqueue_ring(struct accel_queue *queue)
{
	struct accel_uqueue *user = queue->user;

	__atomic_store_n(&user->control->tail, (uint32_t)queue->submitted, __ATOMIC_RELEASE);
	/* The doorbell is no memory: nothing may pass it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)user->doorbell = (uint32_t)queue->submitted;
}

int accel_uqueue_submit(struct accel_queue *queue, uint64_t stream, uint32_t size)
{
	struct accel_uqueue *user = queue->user;
	int ret = accel_uqueue_over(user);

	if (ret)
		return ret;
	user->desc[queue->submitted % user->entries] = (struct quill_job_desc) {
		.stream = stream,
		.size = size,
		.flags = QUILL_JOB_QUIET,
		.job = queue->submitted + 1,
	};
	queue->submitted++;
	accel_uqueue_ring(queue);
	return 0;
}

int accel_uqueue_make_room(struct accel_queue *queue)
{
	int ret;

	if (queue->submitted - queue->reaped < queue->n_slots)
		return 0;
	ret = accel_uqueue_wait(queue, queue->reaped + 1, INT64_MAX);
	if (!ret)
		accel_uqueue_reap(queue);
	return ret;
}

/* ---- What became of jobs ---- */

/* @query: of the queue, after the job's end. */
static int accel_uqueue_error(const struct accel_uqueue *user, uint64_t point,
			      const struct drm_quill_queue_query *query)
{
	if (!accel_uqueue_ended(user, point))
		return accel_uqueue_over(user);
	if (accel_uqueue_record(user, point)->status != QUILL_FAULT_KILLED)
		return -EIO;
	return query->fault_job == point && query->fault_elapsed_ms ? -ETIME : -ECANCELED;
}

static bool accel_uqueue_well(const struct accel_uqueue *user, uint64_t point)
{
	return accel_uqueue_ended(user, point) && !accel_uqueue_record(user, point)->status;
}

void accel_uqueue_reap(struct accel_queue *queue)
{
	struct accel_uqueue *user = queue->user;
	struct drm_quill_queue_query query;
	int over = accel_uqueue_over(user);
	struct accel_slot *slot;
	bool asked = false;
	uint64_t point;

	while (queue->reaped < queue->submitted) {
		point = queue->reaped + 1;
		if (!accel_uqueue_ended(user, point) && !over)
			break;
		slot = accel_queue_slot(queue, point);
		if (!accel_uqueue_well(user, point)) {
			if (!asked && accel_queue_query(queue, &query))
				memset(&query, 0, sizeof(query));
			asked = true;
			accel_queue_remember(queue, point, accel_uqueue_error(user, point, &query),
					     &query);
		}
		accel_stream_destroy(slot->stream);
		slot->stream = NULL;
		queue->reaped++;
	}
}

/* ---- Waiting ---- */

static int64_t accel_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool accel_uqueue_settled(const struct accel_uqueue *user, uint64_t point)
{
	return accel_uqueue_ended(user, point) || accel_uqueue_over(user);
}

static bool accel_uqueue_spin(const struct accel_uqueue *user, uint64_t point, int64_t deadline)
{
	int64_t end, now;

	if (accel_uqueue_settled(user, point))
		return true;
	now = accel_now();
	end = deadline - now < ACCEL_SPIN_NS ? deadline : now + ACCEL_SPIN_NS;
	while (accel_now() < end) {
		if (accel_uqueue_settled(user, point))
			return true;
		__builtin_ia32_pause();
	}
	return accel_uqueue_settled(user, point);
}

static int accel_uqueue_signal(struct accel_queue *queue, uint64_t point, uint32_t syncobj)
{
	struct drm_quill_queue_signal args = {
		.queue_id = queue->id, .syncobj = syncobj, .count = point,
	};

	return accel_ioctl(queue->vm->dev, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &args);
}

int accel_uqueue_wait(struct accel_queue *queue, uint64_t point, int64_t deadline)
{
	struct accel_device *dev = queue->vm->dev;
	struct accel_uqueue *user = queue->user;
	int ret;

	if (point <= queue->reaped)
		return 0;
	while (!accel_uqueue_spin(user, point, deadline)) {
		if (accel_now() >= deadline)
			return -ETIME;
		ret = accel_uqueue_signal(queue, point, queue->timeline);
		if (!ret)
			ret = accel_drm_ret(drmSyncobjWait(dev->fd, &queue->timeline, 1, deadline, 0,
							   NULL));
		if (accel_uqueue_settled(user, point))
			break;
		if (ret)
			return ret;
		/* The queue is at rest without the job: its doorbell was lost. */
		accel_uqueue_ring(queue);
	}
	return 0;
}

int accel_uqueue_fence(struct accel_queue *queue, uint64_t point, uint32_t *syncobj)
{
	int ret;

	*syncobj = 0;
	if (point <= queue->reaped || accel_uqueue_settled(queue->user, point))
		return 0;
	ret = accel_drm_ret(drmSyncobjCreate(queue->vm->dev->fd, 0, syncobj));
	if (ret)
		return ret;
	ret = accel_uqueue_signal(queue, point, *syncobj);
	if (!ret)
		return 0;
	drmSyncobjDestroy(queue->vm->dev->fd, *syncobj);
	*syncobj = 0;
	return accel_uqueue_over(queue->user) ? 0 : ret;
}
