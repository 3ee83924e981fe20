// SPDX-License-Identifier: GPL-2.0-only
/* Streams that are wrong, wait for ever or never end: each is reported as what it is, and harms nobody. */
#include "quill_test.h"

Q_FIXTURE(fault)

/* Runs @count records that must fail, and gives the report. */
static int run_bad(struct q_context *ctx, const union quill_cmd *cmds, unsigned int count,
		   struct drm_quill_queue_query *query)
{
	int ret = q_run_wait(ctx, cmds, count);

	return q_queue_query(ctx->fd, ctx->queue, query) ? -EBADF : ret;
}

TEST_F(fault, unknown_opcode_is_reported_with_its_index)
{
	union quill_cmd cmds[3] = { q_cmd(QUILL_OP_NOP), q_cmd(QUILL_OP_NOP), q_cmd(0xee) };
	struct drm_quill_queue_query query;

	EXPECT_EQ(-EIO, run_bad(&self->ctx, cmds, 3, &query));
	EXPECT_EQ(QUILL_FAULT_OPCODE, query.fault_status);
	EXPECT_EQ(2, query.fault_command);
	EXPECT_EQ(1, query.faults);
	EXPECT_TRUE(query.state & DRM_QUILL_QUEUE_FAULTED);
}

TEST_F(fault, a_zeroed_record_is_no_command)
{
	struct drm_quill_queue_query query;
	union quill_cmd cmd = {};

	EXPECT_EQ(-EIO, run_bad(&self->ctx, &cmd, 1, &query));
	EXPECT_EQ(QUILL_FAULT_OPCODE, query.fault_status);
}

TEST_F(fault, every_reserved_byte_of_a_nop_is_checked)
{
	struct drm_quill_queue_query query;
	union quill_cmd cmd;
	unsigned int i;

	for (i = sizeof(cmd.hdr); i < sizeof(cmd); i++) {
		cmd = q_cmd(QUILL_OP_NOP);
		((uint8_t *)&cmd)[i] = 1;
		ASSERT_EQ(-EIO, run_bad(&self->ctx, &cmd, 1, &query));
		ASSERT_EQ(QUILL_FAULT_RESERVED, query.fault_status);
		ASSERT_EQ(i, query.fault_addr);
	}
}

TEST_F(fault, unknown_flags_types_and_semaphores_are_reported)
{
	struct drm_quill_queue_query query;
	union quill_cmd cmd;

	cmd = q_cmd(QUILL_OP_NOP);
	cmd.hdr.flags = 0x8000;
	EXPECT_EQ(-EIO, run_bad(&self->ctx, &cmd, 1, &query));
	EXPECT_EQ(QUILL_FAULT_FLAGS, query.fault_status);
	cmd = q_cmd(QUILL_OP_NOP);
	cmd.hdr.type_a = QUILL_TYPE_S8;
	EXPECT_EQ(-EIO, run_bad(&self->ctx, &cmd, 1, &query));
	EXPECT_EQ(QUILL_FAULT_TYPE, query.fault_status);
	cmd = q_cmd(QUILL_OP_NOP);
	cmd.hdr.signal_sem = QUILL_SEMAPHORES;
	EXPECT_EQ(-EIO, run_bad(&self->ctx, &cmd, 1, &query));
	EXPECT_EQ(QUILL_FAULT_SEMAPHORE, query.fault_status);
}

TEST_F(fault, a_stream_that_leaves_its_mapping_faults)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	uint32_t sync;

	memcpy(ctx->ptr + Q_BUF_SIZE - 64, &nop, sizeof(nop));
	ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, ctx->va + Q_BUF_SIZE - 64, 128, &sync));
	EXPECT_EQ(-EIO, q_finish(ctx->fd, sync));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, query.fault_status);
	EXPECT_EQ(ctx->va + Q_BUF_SIZE, query.fault_addr);
	EXPECT_EQ(QUILL_ACCESS_FETCH, query.fault_access);
}

TEST_F(fault, an_extension_missing_at_the_end_is_reported)
{
	struct drm_quill_queue_query query;
	union quill_cmd cmd = q_cmd(QUILL_OP_GEMM);

	cmd.hdr.type_a = QUILL_TYPE_S8;
	cmd.hdr.type_b = QUILL_TYPE_S8;
	cmd.hdr.type_d = QUILL_TYPE_S32;
	cmd.hdr.ext = 1;
	EXPECT_EQ(-EIO, run_bad(&self->ctx, &cmd, 1, &query));
	EXPECT_EQ(QUILL_FAULT_EXT, query.fault_status);
}

TEST_F(fault, a_jump_out_of_the_stream_is_reported)
{
	struct drm_quill_queue_query query;
	union quill_cmd cmd = q_cmd(QUILL_OP_JUMP);

	cmd.jump.target = 64;
	EXPECT_EQ(-EIO, run_bad(&self->ctx, &cmd, 1, &query));
	EXPECT_EQ(QUILL_FAULT_JUMP, query.fault_status);
}

TEST_F(fault, a_semaphore_that_nobody_signals_is_a_deadlock_at_once)
{
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_NOP), q_cmd(QUILL_OP_SEM_WAIT) };
	struct drm_quill_queue_query query;

	cmds[1].hdr.wait_sem = 3;
	cmds[1].hdr.wait_value = 1;
	EXPECT_EQ(-EIO, run_bad(&self->ctx, cmds, 2, &query));
	EXPECT_EQ(QUILL_FAULT_DEADLOCK, query.fault_status);
	EXPECT_EQ(1, query.fault_command);
	EXPECT_EQ(0, query.fault_elapsed_ms);
}

TEST_F(fault, a_queue_goes_on_after_a_fault)
{
	union quill_cmd bad = q_cmd(0xee), fill = q_fill(q_data(&self->ctx), 0x0badcafe, 64);
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(-EIO, q_run_wait(&self->ctx, &bad, 1));
		ASSERT_EQ(0, q_run_wait(&self->ctx, &fill, 1));
	}
	EXPECT_EQ(0x0badcafe, *(uint32_t *)(self->ctx.ptr + PAGE));
}

TEST_F(fault, an_endless_stream_is_ended_by_the_timeout)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;
	union quill_cmd cmd = q_endless();
	uint32_t sync;

	ASSERT_EQ(0, q_queue_destroy(ctx->fd, ctx->queue));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 200, &ctx->queue));
	ASSERT_EQ(0, q_run(ctx, &cmd, 1, &sync));
	EXPECT_EQ(-ETIME, q_finish(ctx->fd, sync));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(QUILL_FAULT_KILLED, query.fault_status);
	EXPECT_LE(200, query.fault_elapsed_ms);
	EXPECT_EQ(200, query.timeout_ms);
	self->expected_resets = 1;
}

TEST_F(fault, a_timeout_in_one_queue_leaves_the_jobs_of_others_right)
{
	struct q_context *ctx = &self->ctx, other;
	union quill_cmd endless = q_endless(), fills[Q_STREAM_MAX];
	uint32_t sync, syncs[8], queue, i;

	ASSERT_EQ(0, q_context_init(&other, 0));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 300, &queue));
	memcpy(ctx->ptr, &endless, sizeof(endless));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &sync));
	for (i = 0; i < Q_STREAM_MAX; i++)
		fills[i] = q_fill(q_data(&other) + i * 64, 0x5000 + i, 64);
	memcpy(other.ptr, fills, sizeof(fills));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, q_submit(other.fd, other.queue, other.va, sizeof(fills), &syncs[i]));
	EXPECT_EQ(-ETIME, q_finish(ctx->fd, sync));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0, q_finish(other.fd, syncs[i]));
	for (i = 0; i < Q_STREAM_MAX; i++)
		EXPECT_EQ(0x5000 + i, *(uint32_t *)(other.ptr + PAGE + i * 64));
	q_context_fini(&other);
	self->expected_resets = 1;
}

TEST_F(fault, destroying_a_queue_cancels_what_runs_and_what_waits)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd endless = q_endless(), nop = q_cmd(QUILL_OP_NOP);
	uint32_t running, waiting, queue;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	memcpy(ctx->ptr, &endless, sizeof(endless));
	memcpy(ctx->ptr + 64, &nop, sizeof(nop));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &running));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va + 64, 64, &waiting));
	usleep(20000);
	ASSERT_EQ(0, q_queue_destroy(ctx->fd, queue));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, running));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, waiting));
	EXPECT_EQ(0, q_run_wait(ctx, &nop, 1));
}

TEST_F(fault, closing_a_file_with_an_endless_job_frees_the_device)
{
	union quill_cmd endless = q_endless(), nop = q_cmd(QUILL_OP_NOP);
	struct q_context other;
	uint32_t sync;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, q_context_init(&other, 0));
		ASSERT_EQ(0, q_run(&other, &endless, 1, &sync));
		q_context_fini(&other);
		ASSERT_EQ(0, q_run_wait(&self->ctx, &nop, 1));
	}
}

TEST_HARNESS_MAIN
