/* SPDX-License-Identifier: GPL-2.0-only */
/* A user-mode queue as its owner sees it, and a fixture that has one beside another file that must not notice. */
#ifndef QUILL_USER_H
#define QUILL_USER_H

#include <sched.h>

#include "quill/fw_abi.h"
#include "quill_test.h"

#define RING_SIZE	(2 * PAGE)
#define STATE_SIZE	(9 * PAGE)

struct uq {
	struct q_context *ctx;
	uint32_t id, entries;
	uint64_t offset;
	volatile uint32_t *doorbell;
	struct quill_job_desc *desc;
	struct drm_quill_user_control *control;
	const struct drm_quill_user_state *state;
	const struct quill_job_cpl *records;
	/* Jobs written; of these, rung. */
	uint64_t written;
};

static inline int uq_create(struct q_context *ctx, uint32_t timeout_ms, uint32_t max_faults,
		     struct drm_quill_queue_create *create)
{
	*create = (struct drm_quill_queue_create) {
		.vm_id = ctx->vm, .priority = DRM_QUILL_PRIORITY_MEDIUM, .timeout_ms = timeout_ms,
		.flags = DRM_QUILL_QUEUE_CREATE_USER, .max_faults = max_faults,
	};
	return q_ioctl(ctx->fd, DRM_IOCTL_QUILL_QUEUE_CREATE, create);
}

static inline void *uq_map(struct uq *q, uint64_t part, size_t size, int prot)
{
	return mmap(NULL, size, prot, MAP_SHARED, q->ctx->fd, q->offset + part);
}

static inline int uq_open(struct uq *q, struct q_context *ctx, uint32_t timeout_ms, uint32_t max_faults)
{
	struct drm_quill_queue_create create;
	int ret = uq_create(ctx, timeout_ms, max_faults, &create);
	void *ring, *state;

	*q = (struct uq) { .ctx = ctx, .id = create.queue_id, .entries = create.entries,
			   .offset = create.map_offset };
	if (ret)
		return ret;
	q->doorbell = uq_map(q, DRM_QUILL_USER_DOORBELL, PAGE, PROT_READ | PROT_WRITE);
	ring = uq_map(q, DRM_QUILL_USER_RING, RING_SIZE, PROT_READ | PROT_WRITE);
	state = uq_map(q, DRM_QUILL_USER_STATE, STATE_SIZE, PROT_READ);
	if (q->doorbell == MAP_FAILED || ring == MAP_FAILED || state == MAP_FAILED)
		return -errno;
	q->desc = ring;
	q->control = ring + PAGE;
	q->state = state;
	q->records = state + PAGE;
	return 0;
}

static inline void uq_unmap(struct uq *q)
{
	munmap((void *)q->doorbell, PAGE);
	munmap(q->desc, RING_SIZE);
	munmap((void *)q->state, STATE_SIZE);
}

static inline uint64_t uq_write(struct uq *q, uint64_t stream, uint32_t size, uint32_t flags)
{
	q->desc[q->written++ % q->entries] = (struct quill_job_desc) {
		.stream = stream, .size = size, .flags = flags, .job = 1000 + q->written,
	};
	return q->written;
}

static inline void uq_ring(struct uq *q)
{
	__atomic_store_n(&q->control->tail, (uint32_t)q->written, __ATOMIC_RELEASE);
	*q->doorbell = (uint32_t)q->written;
}

/* The record of job @n: NULL if it does not come in time, or the queue ends. */
static inline const struct quill_job_cpl *uq_poll(struct uq *q, uint64_t n, int64_t ns)
{
	const struct quill_job_cpl *record = &q->records[(n - 1) % q->entries];
	int64_t end = q_deadline(ns);

	while (__atomic_load_n(&record->seq, __ATOMIC_ACQUIRE) != (uint32_t)n) {
		if (q_deadline(0) > end)
			return NULL;
		if (__atomic_load_n(&q->state->error, __ATOMIC_ACQUIRE) &&
		    __atomic_load_n(&record->seq, __ATOMIC_ACQUIRE) != (uint32_t)n)
			return NULL;
		sched_yield();
	}
	return record;
}

static inline int uq_signal(struct uq *q, uint64_t n, uint32_t *sync)
{
	struct drm_quill_queue_signal signal = { .queue_id = q->id, .count = n };
	int ret = q_syncobj(q->ctx->fd, sync);

	signal.syncobj = *sync;
	return ret ? ret : q_ioctl(q->ctx->fd, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &signal);
}

/* Puts @cmd where records of streams go, at @slot. */
static inline uint64_t uq_stream(struct uq *q, uint32_t slot, union quill_cmd cmd)
{
	memcpy(q->ctx->ptr + slot * sizeof(cmd), &cmd, sizeof(cmd));
	return q->ctx->va + slot * sizeof(cmd);
}

static inline uint32_t *uq_data(struct uq *q)
{
	return (uint32_t *)(q->ctx->ptr + PAGE);
}

/* One job that fills a page with @value: its status, or -1. */
static inline int uq_fill(struct uq *q, uint32_t value, uint32_t flags)
{
	const struct quill_job_cpl *record;
	int i;

	uq_write(q, uq_stream(q, 1, q_fill(q_data(q->ctx), value, PAGE)), 64, flags);
	uq_ring(q);
	record = uq_poll(q, q->written, LONG);
	if (!record)
		return -1;
	for (i = 0; !record->status && i < (int)PAGE / 4; i++)
		if (uq_data(q)[i] != value)
			return -2;
	return record->status;
}

static inline int uq_map_error(int fd, uint64_t offset, size_t size, int prot, int flags)
{
	void *ptr = mmap(NULL, size, prot, flags, fd, offset);

	if (ptr == MAP_FAILED)
		return -errno;
	munmap(ptr, size);
	return 0;
}

/* The teardown: whatever was done, others work, and nothing was reset but what the test expects. */
#define UQ_FIXTURE(name)									\
	FIXTURE(name) {										\
		struct q_context ctx, other;							\
		struct uq q;									\
		uint32_t resets, expected_resets;						\
	};											\
												\
	FIXTURE_SETUP(name)									\
	{											\
		ASSERT_EQ(0, q_context_init(&self->ctx, 0));					\
		ASSERT_EQ(0, q_context_init(&self->other, 0));					\
		ASSERT_EQ(0, uq_open(&self->q, &self->ctx, 0, 0));				\
		self->resets = q_resets(self->ctx.fd);						\
		self->expected_resets = 0;							\
	}											\
												\
	FIXTURE_TEARDOWN(name)									\
	{											\
		union quill_cmd fill = q_fill(q_data(&self->other), 0x1eaf, 64);		\
												\
		EXPECT_EQ(0, q_run_wait(&self->other, &fill, 1));				\
		uq_unmap(&self->q);								\
		q_context_fini(&self->ctx);							\
		EXPECT_EQ(self->resets + self->expected_resets, q_resets(self->other.fd));	\
		q_context_fini(&self->other);							\
	}

#endif /* QUILL_USER_H */
