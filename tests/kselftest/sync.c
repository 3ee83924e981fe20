// SPDX-License-Identifier: GPL-2.0-only
/* Fences: what jobs wait for and signal, who else can wait for them, and what they say when something went wrong. */
#include <poll.h>
#include <sys/eventfd.h>

#include "quill_test.h"

/* In DRM since 6.6, in libdrm's headers since 2.4.117. */
#ifndef DRM_IOCTL_SYNCOBJ_EVENTFD
struct drm_syncobj_eventfd {
	uint32_t handle, flags;
	uint64_t point;
	int32_t fd;
	uint32_t pad;
};
#define DRM_IOCTL_SYNCOBJ_EVENTFD	DRM_IOWR(0xCF, struct drm_syncobj_eventfd)
#endif

Q_FIXTURE(sync)

/* Long enough for what could go on wrongly to do so. */
#define A_WHILE		(SECOND / 20)

static struct drm_quill_sync sync_in(uint32_t handle, uint64_t point)
{
	return (struct drm_quill_sync) { .handle = handle, .point = point };
}

static struct drm_quill_sync sync_out(uint32_t handle, uint64_t point)
{
	return (struct drm_quill_sync) { .handle = handle, .flags = DRM_QUILL_SYNC_SIGNAL, .point = point };
}

/* A NOP, which is then at record 0. */
static int nop_on(struct q_context *ctx, uint32_t queue, const struct drm_quill_sync *syncs, uint32_t count)
{
	union quill_cmd cmd = q_cmd(QUILL_OP_NOP);

	memcpy(ctx->ptr, &cmd, sizeof(cmd));
	return q_submit_syncs(ctx->fd, queue, ctx->va, sizeof(cmd), syncs, count);
}

static int nop(struct q_context *ctx, const struct drm_quill_sync *syncs, uint32_t count)
{
	return nop_on(ctx, ctx->queue, syncs, count);
}

/* A job that faults; its fence in a fresh syncobj. */
static int bad_job(struct q_context *ctx, uint32_t *sync)
{
	union quill_cmd cmd = q_fill(BASE_VA - PAGE, 0, 64);

	memcpy(ctx->ptr + 64, &cmd, sizeof(cmd));
	return q_submit(ctx->fd, ctx->queue, ctx->va + 64, 64, sync);
}

static int wait_point(int fd, uint32_t handle, uint64_t point, int64_t ns, uint32_t flags)
{
	struct drm_syncobj_timeline_wait wait = {
		.handles = (uintptr_t)&handle, .points = (uintptr_t)&point, .count_handles = 1,
		.timeout_nsec = q_deadline(ns), .flags = flags,
	};

	return q_ioctl(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait);
}

/* The last point of a timeline that has signalled. */
static uint64_t reached(int fd, uint32_t handle)
{
	uint64_t point = ~0ull;
	struct drm_syncobj_timeline_array array = {
		.handles = (uintptr_t)&handle, .points = (uintptr_t)&point, .count_handles = 1,
	};

	return q_ioctl(fd, DRM_IOCTL_SYNCOBJ_QUERY, &array) ? ~0ull : point;
}

static int import_sync_file(int fd, uint32_t handle, int file)
{
	struct drm_syncobj_handle args = {
		.handle = handle, .fd = file, .flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
	};

	return q_ioctl(fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
}

/* A syncobj of one file, in another, of whichever device. */
static int share_syncobj(int from, uint32_t handle, int to, uint32_t *out)
{
	struct drm_syncobj_handle args = { .handle = handle, .fd = -1 };
	int ret = q_ioctl(from, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);

	if (ret)
		return ret;
	ret = q_ioctl(to, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
	close(args.fd);
	*out = args.handle;
	return ret;
}

/* One sync file for both, or -errno. */
static int merge(int a, int b)
{
	struct sync_merge_data args = { .name = "quill", .fd2 = b };
	int ret = q_ioctl(a, SYNC_IOC_MERGE, &args);

	return ret ? ret : args.fence;
}

/* ---- Arrays ------------------------------------------------------------------------ */

TEST_F(sync, arrays_of_none_one_and_the_most_are_taken_and_one_more_is_E2BIG)
{
	struct drm_quill_sync syncs[DRM_QUILL_MAX_SYNCS + 1];
	struct q_context *ctx = &self->ctx;
	uint32_t i, half = DRM_QUILL_MAX_SYNCS / 2;

	for (i = 0; i < ARRAY_SIZE(syncs); i++) {
		syncs[i] = sync_out(0, 0);
		ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[i].handle));
	}
	EXPECT_EQ(0, nop(ctx, NULL, 0));
	EXPECT_EQ(0, nop(ctx, syncs, 1));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[0].handle));
	EXPECT_EQ(0, nop(ctx, syncs, DRM_QUILL_MAX_SYNCS));
	for (i = 0; i < DRM_QUILL_MAX_SYNCS; i++)
		EXPECT_EQ(0, q_finish(ctx->fd, syncs[i].handle));
	for (i = 0; i < half; i++)
		syncs[i].flags = 0;
	EXPECT_EQ(0, nop(ctx, syncs, DRM_QUILL_MAX_SYNCS));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[half].handle));
	EXPECT_EQ(-E2BIG, nop(ctx, syncs, DRM_QUILL_MAX_SYNCS + 1));
}

TEST_F(sync, elements_may_be_shorter_or_have_a_zero_excess)
{
	struct q_context *ctx = &self->ctx;
	struct {
		struct drm_quill_sync sync;
		uint64_t excess;
	} longer = { .sync = sync_out(0, 0) };
	struct drm_quill_submit submit = {
		.queue_id = ctx->queue, .stream = ctx->va, .stream_size = 64,
		.syncs = { .ptr = (uintptr_t)&longer, .count = 1, .stride = sizeof(longer) },
	};

	ASSERT_EQ(0, nop(ctx, NULL, 0));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &longer.sync.handle));
	EXPECT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	EXPECT_EQ(0, q_finish(ctx->fd, longer.sync.handle));
	longer.excess = 1;
	EXPECT_EQ(-E2BIG, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	/* of a program that knows of no points */
	longer.sync.point = ~0ull;
	submit.syncs.stride = 8;
	EXPECT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	EXPECT_EQ(0, q_finish(ctx->fd, longer.sync.handle));
	submit.syncs.stride = 12;
	EXPECT_EQ(-EINVAL, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	submit.syncs.stride = 0;
	EXPECT_EQ(-EINVAL, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
}

TEST_F(sync, a_call_that_fails_at_its_last_sync_signals_none)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { sync_out(0, 0), sync_out(~0u, 0) };

	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[0].handle));
	EXPECT_EQ(-ENOENT, nop(ctx, syncs, 2));
	EXPECT_EQ(-EINVAL, q_sync_file(ctx->fd, syncs[0].handle));
}

TEST_F(sync, the_syncobjs_of_another_file_are_ENOENT)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync sync = sync_out(0, 0);
	struct q_context other;

	ASSERT_EQ(0, q_context_init(&other, 0));
	ASSERT_EQ(0, q_syncobj(other.fd, &sync.handle));
	EXPECT_EQ(-ENOENT, nop(ctx, &sync, 1));
	q_context_fini(&other);
}

TEST_F(sync, a_job_waits_for_all_of_its_fences)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker[3];
	struct drm_quill_sync syncs[4];
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, q_block(ctx, &blocker[i]));
		syncs[i] = sync_in(blocker[i].sync, 0);
	}
	syncs[3] = sync_out(0, 0);
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[3].handle));
	ASSERT_EQ(0, nop(ctx, syncs, 4));
	/* in another order than that of the array */
	for (i = 2; i >= 0; i--) {
		EXPECT_EQ(-ETIME, q_wait(ctx->fd, syncs[3].handle, A_WHILE));
		ASSERT_EQ(0, q_unblock(ctx, &blocker[i]));
	}
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[3].handle));
}

TEST_F(sync, a_syncobj_may_be_waited_for_and_signalled_by_one_job)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2];
	struct q_blocker blocker;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	syncs[0] = sync_in(blocker.sync, 0);
	syncs[1] = sync_out(blocker.sync, 0);
	ASSERT_EQ(0, nop(ctx, syncs, 2));
	EXPECT_EQ(-ETIME, q_wait(ctx->fd, blocker.sync, A_WHILE));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, blocker.sync));
}

/* ---- Binary: signalled, reset ------------------------------------------------------- */

TEST_F(sync, a_syncobj_that_the_processor_signalled_lets_a_job_run)
{
	struct q_context *ctx = &self->ctx;
	struct drm_syncobj_array array = { .count_handles = 1 };
	struct drm_quill_sync syncs[2] = { sync_in(0, 0), sync_out(0, 0) };

	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	array.handles = (uintptr_t)&syncs[0].handle;
	EXPECT_EQ(-EINVAL, nop(ctx, syncs, 2));
	ASSERT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_SIGNAL, &array));
	EXPECT_EQ(0, nop(ctx, syncs, 2));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	ASSERT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_RESET, &array));
	EXPECT_EQ(-EINVAL, nop(ctx, syncs, 2));
}

/* ---- Timelines ------------------------------------------------------------------------ */

TEST_F(sync, points_are_waited_for_in_any_order)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync sync = sync_out(0, 0), syncs[2];
	uint32_t i, other, done;

	ASSERT_EQ(0, q_syncobj(ctx->fd, &sync.handle));
	for (sync.point = 1; sync.point <= 8; sync.point++)
		ASSERT_EQ(0, nop(ctx, &sync, 1));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &other));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &done));
	for (i = 0; i < 8; i++) {
		syncs[0] = sync_in(sync.handle, (i * 5 + 3) % 8 + 1);
		syncs[1] = sync_out(done, 0);
		ASSERT_EQ(0, nop_on(ctx, other, syncs, 2));
		EXPECT_EQ(0, q_finish(ctx->fd, done));
		EXPECT_LE(syncs[0].point, reached(ctx->fd, sync.handle));
	}
	EXPECT_EQ(0, wait_point(ctx->fd, sync.handle, 8, LONG, 0));
	EXPECT_EQ(0, wait_point(ctx->fd, sync.handle, 3, 0, 0));
	EXPECT_EQ(8, reached(ctx->fd, sync.handle));
}

TEST_F(sync, a_point_signals_behind_all_below_it)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2];
	struct q_blocker blocker;
	uint32_t timeline, other;

	ASSERT_EQ(0, q_syncobj(ctx->fd, &timeline));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &other));
	ASSERT_EQ(0, q_block(ctx, &blocker));
	syncs[0] = sync_in(blocker.sync, 0);
	syncs[1] = sync_out(timeline, 1);
	ASSERT_EQ(0, nop(ctx, syncs, 2));
	/* of a job that ends at once */
	syncs[1].point = 2;
	ASSERT_EQ(0, nop_on(ctx, other, &syncs[1], 1));
	EXPECT_EQ(-ETIME, wait_point(ctx->fd, timeline, 2, A_WHILE, 0));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, wait_point(ctx->fd, timeline, 2, LONG, 0));
}

TEST_F(sync, a_point_that_was_left_out_is_reached_with_the_next)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync out = sync_out(0, 10), syncs[2];

	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	ASSERT_EQ(0, nop(ctx, &out, 1));
	syncs[0] = sync_in(out.handle, 7);
	syncs[1] = sync_out(0, 0);
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	EXPECT_EQ(0, nop(ctx, syncs, 2));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(0, wait_point(ctx->fd, out.handle, 7, LONG, 0));
}

/* DRM's rule: only what has been promised can be waited for by a job; a process may wait for a promise. */
TEST_F(sync, a_job_cannot_wait_for_a_point_that_nobody_has_promised)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync out = sync_out(0, 1), in;

	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	ASSERT_EQ(0, nop(ctx, &out, 1));
	in = sync_in(out.handle, 2);
	EXPECT_EQ(-EINVAL, nop(ctx, &in, 1));
	in.point = ~0ull;
	EXPECT_EQ(-EINVAL, nop(ctx, &in, 1));
	out.point = 2;
	ASSERT_EQ(0, nop(ctx, &out, 1));
	in.point = 2;
	EXPECT_EQ(0, nop(ctx, &in, 1));
}

TEST_F(sync, a_process_can_wait_for_a_point_before_its_job_is_submitted)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync out = sync_out(0, 3);
	int status;
	pid_t pid;

	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(!!wait_point(ctx->fd, out.handle, 3, LONG, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT));
	usleep(A_WHILE / 1000);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	ASSERT_EQ(0, nop(ctx, &out, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(sync, a_point_can_be_made_a_binary_syncobj)
{
	struct q_context *ctx = &self->ctx;
	struct drm_syncobj_transfer transfer = { .src_point = 1 };
	struct drm_quill_sync syncs[2];
	struct q_blocker blocker;

	ASSERT_EQ(0, q_syncobj(ctx->fd, &transfer.src_handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &transfer.dst_handle));
	ASSERT_EQ(0, q_block(ctx, &blocker));
	syncs[0] = sync_in(blocker.sync, 0);
	syncs[1] = sync_out(transfer.src_handle, 1);
	ASSERT_EQ(0, nop(ctx, syncs, 2));
	ASSERT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_TRANSFER, &transfer));
	EXPECT_EQ(0, q_status(ctx->fd, transfer.dst_handle));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, transfer.dst_handle));
}

TEST_F(sync, an_eventfd_tells_of_a_point)
{
	struct q_context *ctx = &self->ctx;
	struct drm_syncobj_eventfd args = { .point = 1 };
	struct drm_quill_sync syncs[2];
	struct q_blocker blocker;
	struct pollfd event = { .events = POLLIN };

	event.fd = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, event.fd);
	args.fd = event.fd;
	ASSERT_EQ(0, q_syncobj(ctx->fd, &args.handle));
	ASSERT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_EVENTFD, &args));
	ASSERT_EQ(0, q_block(ctx, &blocker));
	syncs[0] = sync_in(blocker.sync, 0);
	syncs[1] = sync_out(args.handle, 1);
	ASSERT_EQ(0, nop(ctx, syncs, 2));
	EXPECT_EQ(0, poll(&event, 1, A_WHILE / 1000000));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(1, poll(&event, 1, LONG / 1000000));
	close(event.fd);
}

/* ---- Sync files ------------------------------------------------------------------------ */

TEST_F(sync, a_sync_file_carries_a_fence_into_another_file)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { sync_in(0, 0), sync_out(0, 0) };
	struct q_blocker blocker;
	struct q_context other;
	int file;

	ASSERT_EQ(0, q_context_init(&other, 0));
	ASSERT_EQ(0, q_block(ctx, &blocker));
	file = q_sync_file(ctx->fd, blocker.sync);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, q_syncobj(other.fd, &syncs[0].handle));
	ASSERT_EQ(0, import_sync_file(other.fd, syncs[0].handle, file));
	close(file);
	ASSERT_EQ(0, q_syncobj(other.fd, &syncs[1].handle));
	ASSERT_EQ(0, nop(&other, syncs, 2));
	EXPECT_EQ(-ETIME, q_wait(other.fd, syncs[1].handle, A_WHILE));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(other.fd, syncs[1].handle));
	q_context_fini(&other);
}

TEST_F(sync, merged_sync_files_signal_with_the_last_and_tell_of_each)
{
	struct q_context *ctx = &self->ctx;
	struct sync_fence_info fences[2] = {};
	struct sync_file_info info = { .num_fences = 2, .sync_fence_info = (uintptr_t)fences };
	struct q_blocker blocker[2];
	struct pollfd both = { .events = POLLIN };
	int file[2], i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, q_block(ctx, &blocker[i]));
		file[i] = q_sync_file(ctx->fd, blocker[i].sync);
		ASSERT_LE(0, file[i]);
	}
	both.fd = merge(file[0], file[1]);
	ASSERT_LE(0, both.fd);
	ASSERT_EQ(0, q_unblock(ctx, &blocker[1]));
	EXPECT_EQ(0, poll(&both, 1, A_WHILE / 1000000));
	ASSERT_EQ(0, q_unblock(ctx, &blocker[0]));
	EXPECT_EQ(1, poll(&both, 1, LONG / 1000000));
	ASSERT_EQ(0, q_ioctl(both.fd, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(2, info.num_fences);
	for (i = 0; i < 2; i++) {
		EXPECT_STREQ("quill", fences[i].driver_name);
		EXPECT_EQ(-ECANCELED, fences[i].status);
		close(file[i]);
	}
	close(both.fd);
}

TEST_F(sync, a_job_can_wait_for_a_merged_sync_file)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { sync_in(0, 0), sync_out(0, 0) };
	struct q_blocker blocker[2];
	int file[2], both, i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, q_block(ctx, &blocker[i]));
		file[i] = q_sync_file(ctx->fd, blocker[i].sync);
	}
	both = merge(file[0], file[1]);
	ASSERT_LE(0, both);
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[0].handle));
	ASSERT_EQ(0, import_sync_file(ctx->fd, syncs[0].handle, both));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	ASSERT_EQ(0, nop(ctx, syncs, 2));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-ETIME, q_wait(ctx->fd, syncs[1].handle, A_WHILE));
		ASSERT_EQ(0, q_unblock(ctx, &blocker[i]));
		close(file[i]);
	}
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	close(both);
}

/* ---- Errors ------------------------------------------------------------------------------ */

TEST_F(sync, a_failed_job_s_fence_says_so_and_those_that_wait_for_it_run)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { sync_in(0, 0), sync_out(0, 0) };
	uint32_t other;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &other));
	ASSERT_EQ(0, bad_job(ctx, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	ASSERT_EQ(0, nop_on(ctx, other, syncs, 2));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(-EIO, q_finish(ctx->fd, syncs[0].handle));
}

TEST_F(sync, a_cancelled_queue_s_jobs_all_say_so)
{
	union quill_cmd endless = q_endless();
	struct q_context *ctx = &self->ctx;
	uint32_t queue, fences[4];
	int i;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	memcpy(ctx->ptr, &endless, sizeof(endless));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &fences[i]));
	ASSERT_EQ(0, q_queue_destroy(ctx->fd, queue));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-ECANCELED, q_status(ctx->fd, fences[i]));
}

TEST_F(sync, a_job_that_was_cancelled_while_it_waited_says_so)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2];
	struct q_blocker blocker;
	uint32_t queue;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	syncs[0] = sync_in(blocker.sync, 0);
	syncs[1] = sync_out(0, 0);
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	ASSERT_EQ(0, nop_on(ctx, queue, syncs, 2));
	ASSERT_EQ(0, q_queue_destroy(ctx->fd, queue));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, syncs[1].handle));
}

/* ---- Across files, devices and lifetimes ----------------------------------------------------- */

TEST_F(sync, a_shared_syncobj_orders_jobs_of_two_files)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { sync_in(0, 4), sync_out(0, 5) }, out;
	struct q_context other;
	uint32_t timeline;

	ASSERT_EQ(0, q_context_init(&other, 0));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &timeline));
	ASSERT_EQ(0, share_syncobj(ctx->fd, timeline, other.fd, &syncs[0].handle));
	syncs[1].handle = syncs[0].handle;
	EXPECT_EQ(-EINVAL, nop(&other, syncs, 2));
	out = sync_out(timeline, 4);
	ASSERT_EQ(0, nop(ctx, &out, 1));
	ASSERT_EQ(0, nop(&other, syncs, 2));
	EXPECT_EQ(0, wait_point(ctx->fd, timeline, 5, LONG, 0));
	q_context_fini(&other);
}

TEST_F(sync, a_job_waits_for_one_of_another_device)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { sync_in(0, 0), sync_out(0, 0) };
	struct q_blocker blocker;
	struct q_context other;
	int fd = q_open_nth(1);

	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&other, 1, 0));
	ASSERT_EQ(0, q_block(&other, &blocker));
	ASSERT_EQ(0, share_syncobj(other.fd, blocker.sync, ctx->fd, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	ASSERT_EQ(0, nop(ctx, syncs, 2));
	EXPECT_EQ(-ETIME, q_wait(ctx->fd, syncs[1].handle, A_WHILE));
	ASSERT_EQ(0, q_unblock(&other, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	q_context_fini(&other);
}

/* Each job copies what the one before it, on another queue, has copied. */
TEST_F(sync, a_chain_over_64_queues_runs_in_its_order)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2];
	struct drm_quill_dev_info info;
	uint32_t queue[64], i, jobs, n;
	struct q_blocker blocker;
	union quill_cmd cmd;
	uint64_t data = q_data(ctx);

	ASSERT_EQ(0, q_info(ctx->fd, &info));
	/* the context's, the blocker's, and what others of the machine may have */
	n = info.hw_queues < 66 ? info.hw_queues - 2 : 64;
	jobs = 50;
	ASSERT_EQ(0, q_block(ctx, &blocker));
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue[i]));
	memset(ctx->ptr + PAGE, 0, PAGE);
	for (i = 0; i < jobs; i++) {
		cmd = q_copy(data + (i + 1) * 64, data + i * 64, 64);
		memcpy(ctx->ptr + i * 64, &cmd, sizeof(cmd));
	}
	syncs[0] = sync_in(blocker.sync, 0);
	for (i = 0; i < n; i++) {
		syncs[1] = sync_out(0, 0);
		ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
		ASSERT_EQ(0, q_submit_syncs(ctx->fd, queue[i], ctx->va + i % jobs * 64, 64, syncs, 2));
		syncs[0] = sync_in(syncs[1].handle, 0);
	}
	*(uint32_t *)(ctx->ptr + PAGE) = 0xc4a1;
	EXPECT_EQ(0, q_status(ctx->fd, syncs[0].handle));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[0].handle));
	for (i = 0; i <= jobs && i <= n; i++)
		EXPECT_EQ(0xc4a1, *(uint32_t *)(ctx->ptr + PAGE + i * 64));
}

TEST_F(sync, a_fence_outlives_its_queue_and_its_file)
{
	struct q_context *ctx = &self->ctx;
	struct sync_fence_info fence = {};
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&fence };
	struct drm_quill_sync sync = sync_in(0, 0);
	struct q_blocker blocker;
	struct q_context other;
	int file;

	ASSERT_EQ(0, q_context_init(&other, 0));
	ASSERT_EQ(0, q_block(&other, &blocker));
	file = q_sync_file(other.fd, blocker.sync);
	ASSERT_LE(0, file);
	q_context_fini(&other);
	ASSERT_EQ(0, q_ioctl(file, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(-ECANCELED, info.status);
	EXPECT_STREQ("quill", fence.driver_name);
	EXPECT_STREQ("queue", fence.obj_name);
	/* and can be waited for */
	ASSERT_EQ(0, q_syncobj(ctx->fd, &sync.handle));
	ASSERT_EQ(0, import_sync_file(ctx->fd, sync.handle, file));
	EXPECT_EQ(0, nop(ctx, &sync, 1));
	close(file);
}

TEST_F(sync, a_fence_outlives_its_device)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { sync_in(0, 0), sync_out(0, 0) };
	struct q_blocker blocker;
	struct q_context gone;
	char name[64];
	int file, fd = q_open_nth(1);

	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	ASSERT_EQ(0, q_pci_name(gone.fd, name));
	ASSERT_EQ(0, q_block(&gone, &blocker));
	file = q_sync_file(gone.fd, blocker.sync);
	ASSERT_LE(0, file);
	/* here a job waits for it */
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[0].handle));
	ASSERT_EQ(0, import_sync_file(ctx->fd, syncs[0].handle, file));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	ASSERT_EQ(0, nop(ctx, syncs, 2));
	ASSERT_EQ(0, q_driver("unbind", name));
	EXPECT_EQ(-ENODEV, q_file_status(file));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	q_context_fini(&gone);
	EXPECT_EQ(-ENODEV, q_file_status(file));
	EXPECT_EQ(0, q_driver("bind", name));
	close(file);
}

TEST_HARNESS_MAIN
