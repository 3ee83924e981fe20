// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces: what binds, what does not, and what the device then sees. */
#include "quill_test.h"

Q_FIXTURE(bind)

#define FREE_VA		(BASE_VA + 0x10000000ull)

TEST_F(bind, map_at_both_ends_of_the_space)
{
	struct drm_quill_dev_info info;
	struct q_context *ctx = &self->ctx;

	ASSERT_EQ(0, q_info(ctx->fd, &info));
	EXPECT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, 0, info.va_start, PAGE, 0));
	EXPECT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, 0, info.va_end - PAGE, PAGE, 0));
}

TEST_F(bind, map_outside_the_space_is_EINVAL)
{
	struct drm_quill_dev_info info;
	struct q_context *ctx = &self->ctx;
	uint64_t bad[7] = { 0, 1ull << 48, 1ull << 63, ~0ull - PAGE + 1 };
	uint32_t i;

	ASSERT_EQ(0, q_info(ctx->fd, &info));
	bad[4] = info.va_start - PAGE;
	bad[5] = info.va_end;
	bad[6] = info.va_end + PAGE;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 0, bad[i], PAGE, 0));
	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 0, info.va_end - PAGE, 2 * PAGE, 0));
}

TEST_F(bind, misaligned_fields_are_EINVAL)
{
	struct q_context *ctx = &self->ctx;

	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 0, FREE_VA + 64, PAGE, 0));
	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 1, FREE_VA, PAGE, 0));
	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 0, FREE_VA, PAGE - 1, 0));
	EXPECT_EQ(-EINVAL, q_unmap(ctx->fd, ctx->vm, ctx->va + 1, PAGE));
	EXPECT_EQ(-EINVAL, q_unmap(ctx->fd, ctx->vm, ctx->va, PAGE + 1));
}

TEST_F(bind, size_0_is_EINVAL)
{
	struct q_context *ctx = &self->ctx;

	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 0, FREE_VA, 0, 0));
	EXPECT_EQ(-EINVAL, q_unmap(ctx->fd, ctx->vm, ctx->va, 0));
}

TEST_F(bind, ranges_outside_the_object_are_EINVAL)
{
	struct q_context *ctx = &self->ctx;

	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 0, FREE_VA, Q_BUF_SIZE + PAGE, 0));
	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, PAGE, FREE_VA, Q_BUF_SIZE, 0));
	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, Q_BUF_SIZE, FREE_VA, PAGE, 0));
	/* offset + size wraps to something small */
	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, ~0ull - PAGE + 1, FREE_VA, 2 * PAGE, 0));
	EXPECT_EQ(-EINVAL, q_map(ctx->fd, ctx->vm, ctx->bo, 2 * PAGE, FREE_VA, ~0ull - PAGE + 1, 0));
}

TEST_F(bind, unknown_flags_ops_and_pads_are_EINVAL)
{
	struct drm_quill_bind_op good = {
		.op = DRM_QUILL_BIND_MAP, .handle = self->ctx.bo, .va = FREE_VA, .size = PAGE,
	}, op;
	struct q_context *ctx = &self->ctx;

	op = good;
	op.flags = DRM_QUILL_BIND_READONLY << 1;
	EXPECT_EQ(-EINVAL, q_bind_op(ctx->fd, ctx->vm, &op));
	op = good;
	op.op = 2;
	EXPECT_EQ(-EINVAL, q_bind_op(ctx->fd, ctx->vm, &op));
	op = good;
	op.pad = 1;
	EXPECT_EQ(-EINVAL, q_bind_op(ctx->fd, ctx->vm, &op));
	op = good;
	op.op = DRM_QUILL_BIND_UNMAP;
	EXPECT_EQ(-EINVAL, q_bind_op(ctx->fd, ctx->vm, &op)); /* with a handle */
	op.handle = 0;
	op.bo_offset = PAGE;
	EXPECT_EQ(-EINVAL, q_bind_op(ctx->fd, ctx->vm, &op));
	EXPECT_EQ(0, q_bind_op(ctx->fd, ctx->vm, &good));
}

TEST_F(bind, call_flags_and_pad_are_EINVAL)
{
	struct drm_quill_vm_bind bind = { .vm_id = self->ctx.vm, .flags = DRM_QUILL_VM_BIND_ASYNC << 1 };

	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.flags = 0;
	bind.pad = 1;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
}

TEST_F(bind, dead_handles_and_ids_are_ENOENT)
{
	struct q_context *ctx = &self->ctx;

	EXPECT_EQ(-ENOENT, q_map(ctx->fd, ctx->vm, 0, 0, FREE_VA, PAGE, 0));
	EXPECT_EQ(-ENOENT, q_map(ctx->fd, ctx->vm, ~0u, 0, FREE_VA, PAGE, 0));
	EXPECT_EQ(-ENOENT, q_map(ctx->fd, 0, ctx->bo, 0, FREE_VA, PAGE, 0));
	EXPECT_EQ(-ENOENT, q_map(ctx->fd, ~0u, ctx->bo, 0, FREE_VA, PAGE, 0));
	EXPECT_EQ(-ENOENT, q_vm_destroy(ctx->fd, ~0u));
	EXPECT_EQ(-ENOENT, q_vm_destroy(ctx->fd, 0));
}

TEST_F(bind, map_on_a_range_in_use_is_EEXIST_and_changes_nothing)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd fill = q_fill(q_data(ctx), 0x11223344, 256);

	EXPECT_EQ(-EEXIST, q_map(ctx->fd, ctx->vm, ctx->bo, 0, ctx->va, PAGE, 0));
	EXPECT_EQ(-EEXIST, q_map(ctx->fd, ctx->vm, ctx->bo, 0, ctx->va - PAGE, 2 * PAGE, 0));
	EXPECT_EQ(-EEXIST, q_map(ctx->fd, ctx->vm, ctx->bo, 0, ctx->va + Q_BUF_SIZE - PAGE, 2 * PAGE, 0));
	EXPECT_EQ(0, q_run_wait(ctx, &fill, 1));
}

TEST_F(bind, array_limits_hold)
{
	struct drm_quill_bind_op op = {
		.op = DRM_QUILL_BIND_UNMAP, .va = FREE_VA, .size = PAGE,
	};
	struct drm_quill_vm_bind bind = {
		.vm_id = self->ctx.vm,
		.ops = { .ptr = (uintptr_t)&op, .count = 1, .stride = sizeof(op) },
	};
	int fd = self->ctx.fd;

	bind.ops.count = DRM_QUILL_MAX_BIND_OPS + 1;
	EXPECT_EQ(-E2BIG, q_ioctl(fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.ops.count = ~0u;
	EXPECT_EQ(-E2BIG, q_ioctl(fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.ops.count = 1;
	bind.ops.stride = 0;
	EXPECT_EQ(-EINVAL, q_ioctl(fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.ops.stride = 12;
	EXPECT_EQ(-EINVAL, q_ioctl(fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.ops.stride = sizeof(op);
	bind.ops.ptr = 8;
	EXPECT_EQ(-EFAULT, q_ioctl(fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
}

TEST_F(bind, a_longer_element_needs_a_zero_excess)
{
	struct {
		struct drm_quill_bind_op op;
		uint64_t excess;
	} op = {
		.op = { .op = DRM_QUILL_BIND_MAP, .handle = self->ctx.bo, .va = FREE_VA, .size = PAGE },
		.excess = 1,
	};
	struct drm_quill_vm_bind bind = {
		.vm_id = self->ctx.vm,
		.ops = { .ptr = (uintptr_t)&op, .count = 1, .stride = sizeof(op) },
	};

	EXPECT_EQ(-E2BIG, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	op.excess = 0;
	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
}

TEST_F(bind, an_array_stops_at_its_first_error_and_tells_where)
{
	struct drm_quill_bind_op ops[3] = {
		{ .op = DRM_QUILL_BIND_MAP, .handle = self->ctx.bo, .va = FREE_VA, .size = PAGE },
		{ .op = DRM_QUILL_BIND_MAP, .handle = ~0u, .va = FREE_VA + PAGE, .size = PAGE },
		{ .op = DRM_QUILL_BIND_MAP, .handle = self->ctx.bo, .va = FREE_VA + PAGE, .size = PAGE },
	};
	struct drm_quill_vm_bind bind = {
		.vm_id = self->ctx.vm, .done = 77,
		.ops = { .ptr = (uintptr_t)ops, .count = 3, .stride = sizeof(ops[0]) },
	};
	struct q_context *ctx = &self->ctx;

	EXPECT_EQ(-ENOENT, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	EXPECT_EQ(1, bind.done);
	EXPECT_EQ(-EEXIST, q_map(ctx->fd, ctx->vm, ctx->bo, 0, FREE_VA, PAGE, 0));
	EXPECT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, 0, FREE_VA + PAGE, PAGE, 0));
}

TEST_F(bind, the_device_reads_through_every_page_of_a_mapping)
{
	union quill_cmd cmds[Q_BUF_SIZE / PAGE - 1];
	struct q_context *ctx = &self->ctx;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = q_fill(q_data(ctx) + i * PAGE, 0x1000 + i, PAGE);
	ASSERT_EQ(0, q_run_wait(ctx, cmds, ARRAY_SIZE(cmds)));
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(0x1000 + i, *(uint32_t *)(ctx->ptr + (i + 1) * PAGE));
		EXPECT_EQ(0x1000 + i, *(uint32_t *)(ctx->ptr + (i + 2) * PAGE - 4));
	}
}

TEST_F(bind, the_same_page_at_two_addresses_is_one)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmds[2];

	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, PAGE, FREE_VA, PAGE, 0));
	cmds[0] = q_fill(FREE_VA, 0xfeedf00d, 64);
	cmds[1] = q_copy(q_data(ctx) + PAGE, q_data(ctx), 64);
	cmds[1].hdr.flags = QUILL_CMD_ORDERED;
	ASSERT_EQ(0, q_run_wait(ctx, cmds, 2));
	EXPECT_EQ(0xfeedf00d, *(uint32_t *)(ctx->ptr + 2 * PAGE));
}

TEST_F(bind, an_unmapped_page_faults_with_its_address_and_its_neighbours_do_not)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;
	uint64_t hole = q_data(ctx) + 4 * PAGE;
	union quill_cmd cmd;

	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, hole, PAGE));
	cmd = q_fill(hole - PAGE, 1, PAGE);
	EXPECT_EQ(0, q_run_wait(ctx, &cmd, 1));
	cmd = q_fill(hole + PAGE, 1, PAGE);
	EXPECT_EQ(0, q_run_wait(ctx, &cmd, 1));
	cmd = q_fill(hole - 64, 1, 128);
	EXPECT_EQ(-EIO, q_run_wait(ctx, &cmd, 1));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, query.fault_status);
	EXPECT_EQ(hole, query.fault_addr);
	EXPECT_EQ(QUILL_ACCESS_WRITE, query.fault_access);
	EXPECT_EQ(QUILL_ENGINE_DMA, query.fault_engine);
	EXPECT_EQ(0, query.fault_command);
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, 5 * PAGE, hole, PAGE, 0));
	EXPECT_EQ(0, q_run_wait(ctx, &cmd, 1));
}

TEST_F(bind, a_read_only_mapping_can_be_read_but_not_written)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;
	union quill_cmd cmd;

	*(uint32_t *)(ctx->ptr + PAGE) = 0x600dda7a;
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, PAGE, FREE_VA, PAGE, DRM_QUILL_BIND_READONLY));
	cmd = q_copy(q_data(ctx) + PAGE, FREE_VA, 4);
	EXPECT_EQ(0, q_run_wait(ctx, &cmd, 1));
	EXPECT_EQ(0x600dda7a, *(uint32_t *)(ctx->ptr + 2 * PAGE));
	cmd = q_fill(FREE_VA, 0xbad, 64);
	EXPECT_EQ(-EIO, q_run_wait(ctx, &cmd, 1));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(QUILL_FAULT_WRITE_PERM, query.fault_status);
	EXPECT_EQ(FREE_VA, query.fault_addr);
	EXPECT_EQ(0x600dda7a, *(uint32_t *)(ctx->ptr + PAGE));
}

TEST_F(bind, two_mebibyte_mappings_work_and_split)
{
	struct q_context *ctx = &self->ctx;
	uint64_t size = 4 * QUILL_HUGE_SIZE, va = FREE_VA;
	union quill_cmd cmd;
	uint32_t handle;
	uint32_t *ptr;

	ASSERT_EQ(0, q_bo_create(ctx->fd, size, &handle));
	ptr = q_bo_map(ctx->fd, handle, size);
	ASSERT_NE(NULL, ptr);
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, handle, 0, va, size, 0));
	cmd = q_fill(va, 0x51515151, size);
	ASSERT_EQ(0, q_run_wait(ctx, &cmd, 1));
	EXPECT_EQ(0x51515151, ptr[0]);
	EXPECT_EQ(0x51515151, ptr[size / 4 - 1]);
	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, va + QUILL_HUGE_SIZE + PAGE, PAGE));
	cmd = q_fill(va + QUILL_HUGE_SIZE + 2 * PAGE, 0x62626262, QUILL_HUGE_SIZE);
	EXPECT_EQ(0, q_run_wait(ctx, &cmd, 1));
	cmd = q_fill(va + QUILL_HUGE_SIZE, 0x73737373, PAGE);
	EXPECT_EQ(0, q_run_wait(ctx, &cmd, 1));
	cmd = q_fill(va + QUILL_HUGE_SIZE + PAGE, 0x84848484, 4);
	EXPECT_EQ(-EIO, q_run_wait(ctx, &cmd, 1));
	EXPECT_EQ(0x51515151, ptr[(QUILL_HUGE_SIZE + PAGE) / 4]);
	munmap(ptr, size);
}

TEST_F(bind, unmap_of_nothing_succeeds)
{
	EXPECT_EQ(0, q_unmap(self->ctx.fd, self->ctx.vm, FREE_VA, 16 * PAGE));
}

TEST_F(bind, a_destroyed_vm_serves_its_queue_but_no_more_binds)
{
	union quill_cmd fill = q_fill(q_data(&self->ctx), 5, 64);
	struct q_context *ctx = &self->ctx;

	ASSERT_EQ(0, q_vm_destroy(ctx->fd, ctx->vm));
	EXPECT_EQ(-ENOENT, q_vm_destroy(ctx->fd, ctx->vm));
	EXPECT_EQ(-ENOENT, q_unmap(ctx->fd, ctx->vm, ctx->va, PAGE));
	EXPECT_EQ(0, q_run_wait(ctx, &fill, 1));
}

TEST_F(bind, a_thousand_vms_made_and_destroyed_leave_room_for_the_next)
{
	uint32_t vm, i;

	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, q_vm_create(self->ctx.fd, &vm));
		ASSERT_EQ(0, q_vm_destroy(self->ctx.fd, vm));
	}
}

TEST_F(bind, vms_run_out_with_ENOSPC)
{
	uint32_t vms[2 * QUILL_MAX_AS], count = 0, i;
	int ret = 0;

	while (count < ARRAY_SIZE(vms)) {
		ret = q_vm_create(self->ctx.fd, &vms[count]);
		if (ret)
			break;
		count++;
	}
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_LT(0, count);
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, q_vm_destroy(self->ctx.fd, vms[i]));
}

TEST_F(bind, unmap_all_leaves_nothing_mapped)
{
	struct drm_quill_bind_op all = { .op = DRM_QUILL_BIND_UNMAP_ALL };
	struct q_context *ctx = &self->ctx;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	uint32_t i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, i % 16 * PAGE, BASE_VA + (1ull << (30 + i % 16)) + 2 * i * PAGE, PAGE, 0));
	EXPECT_EQ(0, q_bind_op(ctx->fd, ctx->vm, &all));
	EXPECT_EQ(-EIO, q_run_wait(ctx, &nop, 1));
	/* every address is free again, and nothing to unmap is no error */
	EXPECT_EQ(0, q_bind_op(ctx->fd, ctx->vm, &all));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, 0, BASE_VA + (1ull << (30 + i % 16)) + 2 * i * PAGE, PAGE, 0));
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, 0, ctx->va, Q_BUF_SIZE, 0));
	EXPECT_EQ(0, q_run_wait(ctx, &nop, 1));
}

TEST_F(bind, unmap_all_takes_no_other_field)
{
	const struct drm_quill_bind_op bad[] = {
		{ .op = DRM_QUILL_BIND_UNMAP_ALL, .flags = DRM_QUILL_BIND_READONLY },
		{ .op = DRM_QUILL_BIND_UNMAP_ALL, .handle = 1 },
		{ .op = DRM_QUILL_BIND_UNMAP_ALL, .pad = 1 },
		{ .op = DRM_QUILL_BIND_UNMAP_ALL, .bo_offset = PAGE },
		{ .op = DRM_QUILL_BIND_UNMAP_ALL, .va = PAGE },
		{ .op = DRM_QUILL_BIND_UNMAP_ALL, .size = PAGE },
		{ .op = DRM_QUILL_BIND_UNMAP_ALL + 1, .va = BASE_VA, .size = PAGE },
	};
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, q_bind_op(self->ctx.fd, self->ctx.vm, &bad[i]));
	EXPECT_EQ(0, q_run_wait(&self->ctx, &nop, 1));
}

TEST_HARNESS_MAIN
