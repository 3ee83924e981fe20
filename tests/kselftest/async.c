// SPDX-License-Identifier: GPL-2.0-only
/* Binds that do not wait: in what order they are done, what their fences say, and that they end, whatever ends. */
#include "quill_test.h"

Q_FIXTURE(async)

#define FREE_VA		(BASE_VA + 0x10000000ull)
/* Long enough for what could go on wrongly to do so. */
#define A_WHILE		(SECOND / 20)

static struct drm_quill_bind_op map_op(const struct q_context *ctx, uint64_t va)
{
	return (struct drm_quill_bind_op) {
		.op = DRM_QUILL_BIND_MAP, .handle = ctx->bo, .bo_offset = PAGE, .va = va, .size = PAGE,
	};
}

static struct drm_quill_bind_op unmap_op(uint64_t va)
{
	return (struct drm_quill_bind_op) { .op = DRM_QUILL_BIND_UNMAP, .va = va, .size = PAGE };
}

/* One operation behind @wait (0: nothing); a fresh syncobj in *done signals. */
static int bind_after(struct q_context *ctx, struct drm_quill_bind_op op, uint32_t wait, uint32_t *done)
{
	struct drm_quill_sync syncs[2] = { { .flags = DRM_QUILL_SYNC_SIGNAL }, { .handle = wait } };
	int ret = q_syncobj(ctx->fd, done);

	syncs[0].handle = *done;
	return ret ? ret : q_bind_async(ctx->fd, ctx->vm, &op, 1, syncs, wait ? 2 : 1);
}

/* Whether the device can write at @va. */
static int touch(struct q_context *ctx, uint64_t va)
{
	union quill_cmd fill = q_fill(va, 0x70c4ed, 64);

	return q_run_wait(ctx, &fill, 1);
}

TEST_F(async, the_feature_is_told)
{
	struct drm_quill_dev_info info;

	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	EXPECT_TRUE(info.features & DRM_QUILL_FEATURE_BIND_ASYNC);
}

TEST_F(async, a_job_behind_the_fence_of_a_map_sees_it)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd fill = q_fill(FREE_VA, 0x5eed, PAGE);
	struct drm_quill_sync syncs[2] = {};
	struct q_blocker blocker;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	memcpy(ctx->ptr, &fill, sizeof(fill));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	syncs[1].flags = DRM_QUILL_SYNC_SIGNAL;
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, syncs, 2));
	EXPECT_EQ(-ETIME, q_wait(ctx->fd, syncs[1].handle, A_WHILE));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[0].handle));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(0x5eed, *(uint32_t *)(ctx->ptr + 2 * PAGE - 4));
}

TEST_F(async, nothing_is_mapped_before_what_the_bind_waits_for)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA));
	EXPECT_EQ(0, q_status(ctx->fd, done));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, done));
	EXPECT_EQ(0, touch(ctx, FREE_VA));
}

TEST_F(async, a_bind_does_not_overtake_those_before_it)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done[3];
	int i;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done[0]));
	ASSERT_EQ(0, bind_after(ctx, unmap_op(FREE_VA), 0, &done[1]));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), 0, &done[2]));
	EXPECT_EQ(-ETIME, q_wait(ctx->fd, done[2], A_WHILE));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, q_finish(ctx->fd, done[i]));
	EXPECT_EQ(0, touch(ctx, FREE_VA));
}

TEST_F(async, a_bind_waits_for_its_own_vm_only)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done, vm;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done));
	ASSERT_EQ(0, q_vm_create(ctx->fd, &vm));
	EXPECT_EQ(0, q_map(ctx->fd, vm, ctx->bo, 0, FREE_VA, PAGE, 0));
	EXPECT_EQ(0, q_status(ctx->fd, done));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, done));
}

/* In another process: the pid; it exits with 0 if the call succeeds. */
static pid_t unmap_in_a_child(struct q_context *ctx, uint64_t va)
{
	pid_t pid = fork();

	if (!pid)
		_exit(!!q_unmap(ctx->fd, ctx->vm, va, PAGE));
	return pid;
}

TEST_F(async, a_synchronous_bind_waits_for_those_before_it)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done;
	int status;
	pid_t pid;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done));
	pid = unmap_in_a_child(ctx, FREE_VA);
	ASSERT_LE(0, pid);
	usleep(A_WHILE / 1000);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, q_finish(ctx->fd, done));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA));
}

TEST_F(async, a_synchronous_bind_that_waits_can_be_killed_and_has_changed_nothing)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done;
	int status;
	pid_t pid;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done));
	pid = unmap_in_a_child(ctx, q_data(ctx));
	ASSERT_LE(0, pid);
	usleep(A_WHILE / 1000);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, done));
	EXPECT_EQ(0, touch(ctx, q_data(ctx)));
}

TEST_F(async, a_bind_of_no_operations_signals_behind_those_before_it)
{
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL };
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, NULL, 0, &out, 1));
	EXPECT_EQ(-ETIME, q_wait(ctx->fd, out.handle, A_WHILE));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, out.handle));
	EXPECT_EQ(1, q_status(ctx->fd, done));
}

TEST_F(async, a_bind_needs_no_syncobj)
{
	struct drm_quill_bind_op op = map_op(&self->ctx, FREE_VA);
	struct q_context *ctx = &self->ctx;

	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, &op, 1, NULL, 0));
	/* behind it */
	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, FREE_VA + PAGE, PAGE));
	EXPECT_EQ(0, touch(ctx, FREE_VA));
}

TEST_F(async, a_map_on_a_range_in_use_is_told_by_its_fence_and_stops_its_array_only)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_bind_op ops[3] = {
		map_op(ctx, FREE_VA), map_op(ctx, ctx->va), map_op(ctx, FREE_VA + PAGE),
	};
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL };
	uint32_t next;

	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, ops, 3, &out, 1));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA + 2 * PAGE), 0, &next));
	EXPECT_EQ(-EEXIST, q_finish(ctx->fd, out.handle));
	EXPECT_EQ(0, q_finish(ctx->fd, next));
	EXPECT_EQ(0, touch(ctx, FREE_VA));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA + PAGE));
	EXPECT_EQ(0, touch(ctx, FREE_VA + 2 * PAGE));
}

TEST_F(async, a_call_that_is_refused_queues_nothing_and_signals_nothing)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_bind_op good = map_op(ctx, FREE_VA), ops[2] = { good, good };
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL };

	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	ops[1].handle = ~0u;
	EXPECT_EQ(-ENOENT, q_bind_async(ctx->fd, ctx->vm, ops, 2, &out, 1));
	ops[1].handle = ctx->bo;
	ops[1].va = FREE_VA + 1;
	EXPECT_EQ(-EINVAL, q_bind_async(ctx->fd, ctx->vm, ops, 2, &out, 1));
	ops[1].va = FREE_VA;
	ops[1].size = Q_BUF_SIZE;
	EXPECT_EQ(-EINVAL, q_bind_async(ctx->fd, ctx->vm, ops, 2, &out, 1));
	EXPECT_EQ(-ENOENT, q_bind_async(ctx->fd, ~0u, ops, 1, &out, 1));
	EXPECT_EQ(-E2BIG, q_bind_async(ctx->fd, ctx->vm, ops, DRM_QUILL_MAX_BIND_OPS + 1, &out, 1));
	/* a syncobj without a fence cannot be exported */
	EXPECT_EQ(-EINVAL, q_status(ctx->fd, out.handle));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA));
}

TEST_F(async, bad_syncs_are_refused)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_bind_op op = map_op(ctx, FREE_VA);
	struct drm_quill_sync sync = { .flags = DRM_QUILL_SYNC_SIGNAL };
	struct drm_quill_vm_bind bind = {
		.vm_id = ctx->vm, .flags = DRM_QUILL_VM_BIND_ASYNC,
		.ops = { .ptr = (uintptr_t)&op, .count = 1, .stride = sizeof(op) },
		.syncs = { .ptr = 8, .count = 1, .stride = sizeof(sync) },
	};

	EXPECT_EQ(-EFAULT, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.syncs.ptr = (uintptr_t)&sync;
	EXPECT_EQ(-ENOENT, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &sync.handle));
	bind.syncs.stride = 12;
	EXPECT_EQ(-EINVAL, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.syncs.stride = sizeof(sync);
	bind.syncs.count = DRM_QUILL_MAX_SYNCS + 1;
	EXPECT_EQ(-E2BIG, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.syncs.count = 1;
	sync.flags = DRM_QUILL_SYNC_SIGNAL << 1;
	EXPECT_EQ(-EINVAL, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	/* to wait for what nobody has promised */
	sync.flags = 0;
	EXPECT_EQ(-EINVAL, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	/* who waits is told by the call's end, not by a syncobj */
	sync.flags = DRM_QUILL_SYNC_SIGNAL;
	bind.flags = 0;
	EXPECT_EQ(-EINVAL, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA));
}

TEST_F(async, timeline_points_are_waited_for_and_signalled)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_bind_op op = map_op(ctx, FREE_VA);
	union quill_cmd fill = q_fill(FREE_VA, 0x71e, 64);
	struct drm_quill_sync syncs[2] = {};

	memcpy(ctx->ptr, &fill, sizeof(fill));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[0].handle));
	syncs[1] = syncs[0];
	syncs[1].flags = DRM_QUILL_SYNC_SIGNAL;
	/* bind, job, unbind, each a point behind the last */
	syncs[1].point = 1;
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, &op, 1, &syncs[1], 1));
	syncs[0].point = 1;
	syncs[1].point = 2;
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, syncs, 2));
	syncs[0].point = 2;
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	syncs[1].point = 0;
	op = unmap_op(FREE_VA);
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, &op, 1, syncs, 2));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(0x71e, *(uint32_t *)(ctx->ptr + PAGE));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA));
}

TEST_F(async, an_unmap_behind_the_job_that_uses_it_does_not_hurt_it)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmds[Q_STREAM_MAX / 2];
	struct q_blocker blocker;
	uint32_t done, job, i;

	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, PAGE, FREE_VA, PAGE, 0));
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = q_fill(FREE_VA, i, PAGE);
	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, q_run(ctx, cmds, ARRAY_SIZE(cmds), &job));
	ASSERT_EQ(0, bind_after(ctx, unmap_op(FREE_VA), job, &done));
	EXPECT_EQ(0, q_finish(ctx->fd, done));
	EXPECT_EQ(1, q_status(ctx->fd, job));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA));
	EXPECT_EQ(0, q_unblock(ctx, &blocker));
}

TEST_F(async, an_unmap_while_a_job_uses_it_makes_the_job_fault)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmds[2] = { q_fill(FREE_VA, 1, PAGE), q_endless() };
	struct drm_quill_queue_query query;
	uint32_t done, job;

	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, PAGE, FREE_VA, PAGE, 0));
	ASSERT_EQ(0, q_run(ctx, cmds, 2, &job));
	EXPECT_EQ(-ETIME, q_wait(ctx->fd, job, A_WHILE));
	ASSERT_EQ(0, bind_after(ctx, unmap_op(FREE_VA), 0, &done));
	EXPECT_EQ(0, q_finish(ctx->fd, done));
	EXPECT_EQ(-EIO, q_finish(ctx->fd, job));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, query.fault_status);
	EXPECT_EQ(FREE_VA, query.fault_addr);
}

TEST_F(async, a_bind_holds_its_object)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_bind_op op = map_op(ctx, FREE_VA);
	struct drm_quill_sync syncs[2] = { { .flags = DRM_QUILL_SYNC_SIGNAL } };
	struct q_blocker blocker;
	uint32_t *ptr;

	ASSERT_EQ(0, q_bo_create(ctx->fd, 2 * PAGE, &op.handle));
	ptr = q_bo_map(ctx->fd, op.handle, 2 * PAGE);
	ASSERT_NE(NULL, ptr);
	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[0].handle));
	syncs[1].handle = blocker.sync;
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, &op, 1, syncs, 2));
	ASSERT_EQ(0, q_bo_close(ctx->fd, op.handle));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	ASSERT_EQ(0, q_finish(ctx->fd, syncs[0].handle));
	EXPECT_EQ(0, touch(ctx, FREE_VA));
	EXPECT_EQ(0x70c4ed, ptr[PAGE / 4]);
	munmap(ptr, 2 * PAGE);
}

TEST_F(async, as_many_operations_as_a_call_takes_are_all_done)
{
	struct drm_quill_bind_op *ops = calloc(DRM_QUILL_MAX_BIND_OPS, sizeof(*ops));
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL };
	struct q_context *ctx = &self->ctx;
	uint32_t i;

	/* near each other and far apart, so that the tables of every level are needed */
	for (i = 0; i < DRM_QUILL_MAX_BIND_OPS; i++)
		ops[i] = map_op(ctx, FREE_VA + (uint64_t)i * 2 * PAGE + (i / 512ull << 39) + (i / 64ull << 30));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, ops, DRM_QUILL_MAX_BIND_OPS, &out, 1));
	ASSERT_EQ(0, q_finish(ctx->fd, out.handle));
	for (i = 0; i < DRM_QUILL_MAX_BIND_OPS; i += 273) {
		EXPECT_EQ(0, touch(ctx, ops[i].va));
		EXPECT_EQ(-EIO, touch(ctx, ops[i].va + PAGE));
	}
	ops[0] = (struct drm_quill_bind_op) { .op = DRM_QUILL_BIND_UNMAP_ALL };
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, ops, 1, &out, 1));
	EXPECT_EQ(0, q_finish(ctx->fd, out.handle));
	free(ops);
}

TEST_F(async, huge_pages_are_mapped_and_split)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_bind_op ops[3] = {
		{ .op = DRM_QUILL_BIND_MAP, .va = FREE_VA, .size = 4 * QUILL_HUGE_SIZE },
		{ .op = DRM_QUILL_BIND_UNMAP, .va = FREE_VA + PAGE, .size = PAGE },
		{ .op = DRM_QUILL_BIND_UNMAP, .va = FREE_VA + 2 * QUILL_HUGE_SIZE - PAGE, .size = 2 * PAGE },
	};
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL };

	ASSERT_EQ(0, q_bo_create(ctx->fd, ops[0].size, &ops[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &out.handle));
	ASSERT_EQ(0, q_bind_async(ctx->fd, ctx->vm, ops, 3, &out, 1));
	ASSERT_EQ(0, q_finish(ctx->fd, out.handle));
	EXPECT_EQ(0, touch(ctx, FREE_VA));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA + PAGE));
	EXPECT_EQ(0, touch(ctx, FREE_VA + 2 * PAGE));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA + 2 * QUILL_HUGE_SIZE - PAGE));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA + 2 * QUILL_HUGE_SIZE));
	EXPECT_EQ(0, touch(ctx, FREE_VA + 2 * QUILL_HUGE_SIZE + PAGE));
	EXPECT_EQ(0, touch(ctx, FREE_VA + 4 * QUILL_HUGE_SIZE - PAGE));
}

TEST_F(async, many_can_wait_at_once)
{
	struct q_context *ctx = &self->ctx;
	uint32_t last = 0, i, count = 100;
	struct q_blocker blocker;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA + i * PAGE), blocker.sync, &last));
	EXPECT_EQ(0, q_status(ctx->fd, last));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, last));
	EXPECT_EQ(0, touch(ctx, FREE_VA + (count - 1) * PAGE));
}

/* ---- Ends ------------------------------------------------------------------------ */

TEST_F(async, destroying_the_vm_cancels_what_waits_and_its_queue_goes_on)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done[2];

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done[0]));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA + PAGE), 0, &done[1]));
	ASSERT_EQ(0, q_vm_destroy(ctx->fd, ctx->vm));
	/* at once, for what they wait for has not ended */
	EXPECT_EQ(-ECANCELED, q_status(ctx->fd, done[0]));
	EXPECT_EQ(-ECANCELED, q_status(ctx->fd, done[1]));
	EXPECT_EQ(0, q_status(ctx->fd, blocker.sync));
	EXPECT_EQ(-EIO, touch(ctx, FREE_VA));
	EXPECT_EQ(0, touch(ctx, q_data(ctx)));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
}

/* What it waits for is of another file, so that nothing that the close ends could let it go on. */
TEST_F(async, closing_the_file_cancels_what_waits)
{
	struct drm_syncobj_handle share = { .fd = -1 };
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	struct q_context other;
	uint32_t done;
	int file;

	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, q_context_init(&other, 0));
	share.handle = blocker.sync;
	ASSERT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &share));
	ASSERT_EQ(0, q_ioctl(other.fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &share));
	ASSERT_EQ(0, bind_after(&other, map_op(&other, FREE_VA), share.handle, &done));
	file = q_sync_file(other.fd, done);
	ASSERT_LE(0, file);
	EXPECT_EQ(0, q_file_status(file));
	q_context_fini(&other);
	EXPECT_EQ(-ECANCELED, q_file_status(file));
	EXPECT_EQ(0, q_status(ctx->fd, blocker.sync));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	close(share.fd);
	close(file);
}

/* The same, of another device: the first is taken away, and what its bind waits for goes on. */
TEST(an_unplug_ends_what_waits_with_ENODEV)
{
	struct drm_syncobj_handle share = { .fd = -1 };
	struct q_context other, gone;
	struct q_blocker blocker;
	char name[64];
	uint32_t done;
	int file, fd = q_open_nth(1);

	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&other, 0, 0));
	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	ASSERT_EQ(0, q_pci_name(gone.fd, name));
	ASSERT_EQ(0, q_block(&other, &blocker));
	share.handle = blocker.sync;
	ASSERT_EQ(0, q_ioctl(other.fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &share));
	ASSERT_EQ(0, q_ioctl(gone.fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &share));
	ASSERT_EQ(0, bind_after(&gone, map_op(&gone, FREE_VA), share.handle, &done));
	file = q_sync_file(gone.fd, done);
	ASSERT_LE(0, file);

	ASSERT_EQ(0, q_driver("unbind", name));
	EXPECT_EQ(-ENODEV, q_file_status(file));
	EXPECT_EQ(-ENODEV, bind_after(&gone, map_op(&gone, FREE_VA), 0, &done));
	EXPECT_EQ(0, q_status(other.fd, blocker.sync));
	q_context_fini(&gone);
	EXPECT_EQ(0, q_driver("bind", name));
	EXPECT_EQ(0, q_unblock(&other, &blocker));
	q_context_fini(&other);
	close(share.fd);
	close(file);
}

TEST_F(async, binds_go_on_through_a_reset_of_the_device)
{
	struct q_context *ctx = &self->ctx;
	struct q_blocker blocker;
	uint32_t done;

	if (q_debugfs("recover", "cores"))
		SKIP(return, "no debugfs");
	self->expected_resets = 2;
	ASSERT_EQ(0, q_block(ctx, &blocker));
	ASSERT_EQ(0, bind_after(ctx, map_op(ctx, FREE_VA), blocker.sync, &done));
	ASSERT_EQ(0, q_debugfs("recover", "device"));
	EXPECT_EQ(0, q_status(ctx->fd, done));
	ASSERT_EQ(0, q_unblock(ctx, &blocker));
	EXPECT_EQ(0, q_finish(ctx->fd, done));
	EXPECT_EQ(0, touch(ctx, FREE_VA));
}

TEST_HARNESS_MAIN
