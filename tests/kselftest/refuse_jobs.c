// SPDX-License-Identifier: GPL-2.0-only
/* What is refused, field by field: queues, jobs and what they wait for. */
#include "quill_refuse.h"

Q_REFUSE_FIXTURE(refuse_jobs)

/* ---- QUEUE_CREATE ---------------------------------------------------------------------- */

static struct drm_quill_queue_create good_queue(const struct q_context *ctx)
{
	return (struct drm_quill_queue_create) {
		.vm_id = ctx->vm, .priority = DRM_QUILL_PRIORITY_MEDIUM,
	};
}

TEST_F(refuse_jobs, queue_create_on_what_is_not_the_files_own_vm_is_ENOENT)
{
	struct drm_quill_queue_create good = good_queue(&self->ctx);
	uint32_t dead;

	ASSERT_EQ(0, q_vm_create(self->ctx.fd, &dead));
	ASSERT_EQ(0, q_vm_destroy(self->ctx.fd, dead));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, vm_id,
		       0, dead, self->other.vm, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, queue_create_refuses_each_unknown_priority)
{
	struct drm_quill_queue_create good = good_queue(&self->ctx);

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, priority,
		       DRM_QUILL_PRIORITY_HIGH + 1, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, queue_create_of_high_priority_without_the_right_is_EACCES)
{
	struct drm_quill_queue_create good = good_queue(&self->ctx);

	/* The teardown reads what is root's. */
	ASSERT_EQ(0, seteuid(1000));
	EXPECT_REFUSED(-EACCES, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, priority,
		       DRM_QUILL_PRIORITY_HIGH);
	ASSERT_EQ(0, seteuid(0));
}

TEST_F(refuse_jobs, queue_create_refuses_unknown_flags)
{
	struct drm_quill_queue_create good = good_queue(&self->ctx);

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, flags,
		       1u << 30, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, queue_create_refuses_a_timeout_beyond_the_longest_and_takes_that)
{
	struct drm_quill_queue_create good = good_queue(&self->ctx);
	struct drm_quill_queue_query query;
	struct drm_quill_dev_info info;
	uint32_t queue, i;

	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, timeout_ms,
		       info.max_timeout_ms + 1, 1u << 31, ~0u - 1, ~0u);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, q_queue_create(self->ctx.fd, self->ctx.vm, info.max_timeout_ms - i, &queue));
		ASSERT_EQ(0, q_queue_query(self->ctx.fd, queue, &query));
		EXPECT_EQ(info.max_timeout_ms - i, query.timeout_ms);
		ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, queue));
	}
}

TEST_F(refuse_jobs, queue_create_refuses_each_pad)
{
	struct drm_quill_queue_create good = good_queue(&self->ctx);

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, pad,
		       1, 1u << 31, ~0u - 1, ~0u);
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, pad2,
		       1, 1u << 31, ~0u - 1, ~0u);
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, good, pad3,
		       1, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, queue_create_takes_any_number_of_faults)
{
	static const uint32_t most[] = { 0, 1, 1u << 31, ~0u - 1, ~0u };
	struct drm_quill_queue_create create;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(most); i++) {
		create = good_queue(&self->ctx);
		create.max_faults = most[i];
		ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
		EXPECT_NE(0, create.queue_id);
		EXPECT_EQ(0, q_queue_destroy(self->ctx.fd, create.queue_id));
	}
}

/* ---- QUEUE_DESTROY, QUEUE_QUERY ---------------------------------------------------------- */

TEST_F(refuse_jobs, queue_destroy_of_what_is_not_the_files_own_is_ENOENT)
{
	struct drm_quill_queue_destroy good = {};
	uint32_t dead;

	ASSERT_EQ(0, q_queue_create(self->ctx.fd, self->ctx.vm, 0, &dead));
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, dead));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_DESTROY, good, queue_id,
		       0, dead, self->other.queue, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, queue_destroy_with_a_pad_is_EINVAL_and_destroys_nothing)
{
	struct drm_quill_queue_destroy good = { .queue_id = self->ctx.queue };

	/* The teardown runs a job on it. */
	EXPECT_BITS_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_DESTROY, good, pad, 0u);
}

TEST_F(refuse_jobs, queue_query_of_what_is_not_the_files_own_is_ENOENT)
{
	struct drm_quill_queue_query good = {};
	uint32_t dead;

	ASSERT_EQ(0, q_queue_create(self->ctx.fd, self->ctx.vm, 0, &dead));
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, dead));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_QUERY, good, queue_id,
		       0, dead, self->other.queue, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, queue_query_of_jobs_that_it_does_not_remember_is_ENOENT)
{
	struct drm_quill_queue_query good = { .queue_id = self->ctx.queue };
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	int i;

	for (i = 0; i < DRM_QUILL_QUEUE_HISTORY + 1; i++)
		ASSERT_EQ(0, q_run_wait(&self->ctx, &nop, 1));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_QUERY, good, of_job,
		       1, DRM_QUILL_QUEUE_HISTORY + 2, 1ull << 63, ~0ull - 1, ~0ull);
	for (i = 2; i < DRM_QUILL_QUEUE_HISTORY + 2; i++) {
		struct drm_quill_queue_query query = { .queue_id = self->ctx.queue, .of_job = i };

		EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_QUERY, &query));
		EXPECT_EQ(i, query.of_job);
	}
}

/* ---- SUBMIT --------------------------------------------------------------------------------- */

static struct drm_quill_submit good_submit(const struct q_context *ctx)
{
	return (struct drm_quill_submit) {
		.queue_id = ctx->queue, .stream = ctx->va, .stream_size = QUILL_CMD_SIZE,
		.syncs.stride = sizeof(struct drm_quill_sync),
	};
}

TEST_F(refuse_jobs, submit_to_what_is_not_the_files_own_queue_is_ENOENT)
{
	struct drm_quill_submit good = good_submit(&self->ctx);
	uint32_t dead;

	ASSERT_EQ(0, q_queue_create(self->ctx.fd, self->ctx.vm, 0, &dead));
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, dead));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, queue_id,
		       0, dead, self->other.queue, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, submit_refuses_unknown_flags_and_pads)
{
	struct drm_quill_submit good = good_submit(&self->ctx);

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, flags,
		       1u << 30, 1u << 31, ~0u - 1, ~0u);
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, pad,
		       1, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, submit_refuses_each_bad_stream_address)
{
	struct drm_quill_submit good = good_submit(&self->ctx);
	struct drm_quill_dev_info info;

	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, stream,
		       0, 64, info.va_start - 64, self->ctx.va + 1, self->ctx.va + 32,
		       info.va_end - 63, info.va_end, 1ull << 48, 1ull << 63, ~0ull - 63,
		       ~0ull - 1, ~0ull);
}

TEST_F(refuse_jobs, submit_refuses_each_bad_stream_size)
{
	struct drm_quill_submit good = good_submit(&self->ctx);
	struct drm_quill_dev_info info;

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, stream_size,
		       0, 1, 63, 65, DRM_QUILL_MAX_STREAM_SIZE - 1, DRM_QUILL_MAX_STREAM_SIZE + 64,
		       1u << 31, ~0u - 63, ~0u - 1, ~0u);
	/* Not in itself, but with its address. */
	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	good.stream = info.va_end - 64;
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, stream_size,
		       128, DRM_QUILL_MAX_STREAM_SIZE);
}

TEST_F(refuse_jobs, a_refused_submit_takes_no_job_number)
{
	struct drm_quill_submit good = good_submit(&self->ctx), submit;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	uint64_t first;

	memcpy(self->ctx.ptr, &nop, sizeof(nop));
	submit = good;
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	first = submit.job;
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, pad, 1);
	good.syncs.count = 1;
	EXPECT_REFUSED(-EFAULT, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, syncs.ptr, 8);
	good.syncs.count = 0;
	submit = good;
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	EXPECT_EQ(first + 1, submit.job);
}

/* ---- SUBMIT: its array of syncs ---------------------------------------------------------------- */

TEST_F(refuse_jobs, submit_of_syncs_that_cannot_be_read_is_EFAULT)
{
	struct drm_quill_submit good = good_submit(&self->ctx);

	good.syncs.count = 1;
	EXPECT_REFUSED(-EFAULT, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, syncs.ptr,
		       0, Q_BAD_ADDRESSES, self->pages.none, self->pages.torn);
}

TEST_F(refuse_jobs, submit_of_too_many_syncs_is_E2BIG)
{
	struct drm_quill_sync syncs[DRM_QUILL_MAX_SYNCS + 1] = {};
	struct drm_quill_submit good = good_submit(&self->ctx);

	good.syncs.ptr = (uintptr_t)syncs;
	EXPECT_REFUSED(-E2BIG, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, syncs.count,
		       DRM_QUILL_MAX_SYNCS + 1, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse_jobs, submit_of_no_sync_and_of_the_most_succeeds)
{
	struct drm_quill_sync syncs[DRM_QUILL_MAX_SYNCS] = {};
	struct drm_quill_submit submit = good_submit(&self->ctx);
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	uint32_t i;

	memcpy(self->ctx.ptr, &nop, sizeof(nop));
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	for (i = 0; i < DRM_QUILL_MAX_SYNCS; i++) {
		syncs[i].flags = DRM_QUILL_SYNC_SIGNAL;
		ASSERT_EQ(0, q_syncobj(self->ctx.fd, &syncs[i].handle));
	}
	ASSERT_EQ(0, q_submit_syncs(self->ctx.fd, self->ctx.queue, self->ctx.va, 64, syncs,
				    DRM_QUILL_MAX_SYNCS));
	for (i = 0; i < DRM_QUILL_MAX_SYNCS; i++)
		EXPECT_EQ(0, q_finish(self->ctx.fd, syncs[i].handle));
}

TEST_F(refuse_jobs, submit_refuses_each_bad_stride_of_syncs)
{
	struct drm_quill_submit good = good_submit(&self->ctx);
	struct drm_quill_sync sync = { .flags = DRM_QUILL_SYNC_SIGNAL };

	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &sync.handle));
	good.syncs.ptr = (uintptr_t)&sync;
	good.syncs.count = 1;
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, syncs.stride,
		       0, 1, 4, 7, sizeof(sync) - 1, sizeof(sync) + 1, ~0u - 1, ~0u);
	EXPECT_REFUSED(-E2BIG, self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, good, syncs.stride,
		       PAGE + 8, 1u << 31, ~0u - 7);
	EXPECT_EQ(-EINVAL, q_status(self->ctx.fd, sync.handle));
}

/* ---- SUBMIT: one sync ----------------------------------------------------------------------------- */

static int with_sync(const struct q_context *ctx, struct drm_quill_sync sync)
{
	return q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, &sync, 1);
}

TEST_F(refuse_jobs, a_sync_that_is_not_the_files_own_is_ENOENT)
{
	uint32_t handles[] = { 0, 0, 0, 1u << 31, ~0u - 1, ~0u }, i, flags;
	struct drm_syncobj_destroy destroy = {};

	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &handles[1]));
	destroy.handle = handles[1];
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy));
	ASSERT_EQ(0, q_syncobj(self->other.fd, &handles[2]));
	for (i = 0; i < ARRAY_SIZE(handles); i++)
		for (flags = 0; flags <= DRM_QUILL_SYNC_SIGNAL; flags += DRM_QUILL_SYNC_SIGNAL) {
			struct drm_quill_sync sync = { .handle = handles[i], .flags = flags };

			EXPECT_EQ(-ENOENT, with_sync(&self->ctx, sync))
				TH_LOG("handle %u, flags %u", handles[i], flags);
		}
}

TEST_F(refuse_jobs, a_sync_with_each_unknown_flag_is_EINVAL)
{
	struct drm_quill_sync sync = {};
	int bit;

	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &sync.handle));
	for (bit = 0; bit < 32; bit++) {
		if (DRM_QUILL_SYNC_FLAGS >> bit & 1)
			continue;
		sync.flags = 1u << bit | DRM_QUILL_SYNC_SIGNAL;
		EXPECT_EQ(-EINVAL, with_sync(&self->ctx, sync)) TH_LOG("bit %d", bit);
	}
	sync.flags = ~0u;
	EXPECT_EQ(-EINVAL, with_sync(&self->ctx, sync));
}

TEST_F(refuse_jobs, waiting_for_a_point_that_nobody_has_promised_is_EINVAL)
{
	static const uint64_t points[] = { 0, 1, 1ull << 63, ~0ull - 1, ~0ull };
	struct drm_quill_sync sync = {};
	uint32_t i;

	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &sync.handle));
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		sync.point = points[i];
		EXPECT_EQ(-EINVAL, with_sync(&self->ctx, sync));
	}
}

TEST_F(refuse_jobs, signalling_the_last_point_there_can_be_works)
{
	struct drm_quill_sync sync = { .flags = DRM_QUILL_SYNC_SIGNAL, .point = ~0ull };
	struct drm_syncobj_timeline_wait wait = { .count_handles = 1 };
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);

	memcpy(self->ctx.ptr, &nop, sizeof(nop));
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &sync.handle));
	ASSERT_EQ(0, with_sync(&self->ctx, sync));
	wait.handles = (uintptr_t)&sync.handle;
	wait.points = (uintptr_t)&sync.point;
	wait.timeout_nsec = q_deadline(LONG);
	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait));
}

TEST_F(refuse_jobs, one_bad_sync_among_good_ones_and_nothing_is_signalled)
{
	struct drm_quill_sync syncs[3] = {
		{ .flags = DRM_QUILL_SYNC_SIGNAL },
		{ .flags = DRM_QUILL_SYNC_SIGNAL, .point = 5 },
		{ .flags = DRM_QUILL_SYNC_SIGNAL, .handle = ~0u },
	};

	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &syncs[1].handle));
	EXPECT_EQ(-ENOENT, q_submit_syncs(self->ctx.fd, self->ctx.queue, self->ctx.va, 64, syncs, 3));
	EXPECT_EQ(-EINVAL, q_status(self->ctx.fd, syncs[0].handle));
	EXPECT_EQ(-EINVAL, q_status(self->ctx.fd, syncs[1].handle));
}

TEST_HARNESS_MAIN
