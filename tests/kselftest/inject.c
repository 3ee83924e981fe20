// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device with faults: what gets lost, stuck, corrupted or slow is made good or reported, and nobody waits for ever.
 * Needs `-device quill,inject=on`.
 */
#include "quill_test.h"

#define FILLS	16

/* What was armed and has not happened; -ENOENT: no such file, -ENXIO: the device was not made for it. */
static int left(void)
{
	char path[512], text[32];
	unsigned long value;
	int fd;

	if (q_debugfs_path("inject", path, sizeof(path)))
		return -ENOENT;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -ENOENT;
	memset(text, 0, sizeof(text));
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	value = strtoul(text, NULL, 0);
	return value & QUILL_INJECT_ON ? (int)(value & QUILL_INJECT_LEFT_MASK) : -ENXIO;
}

FIXTURE(inject) {
	struct q_context ctx;
	/* An innocent with a queue of its own. */
	struct q_context other;
	uint32_t resets;
	uint32_t expected_resets;
};

FIXTURE_SETUP(inject)
{
	if (left() < 0)
		SKIP(return, "the device injects nothing: found no inject=on");
	ASSERT_EQ(0, left());
	ASSERT_EQ(0, q_context_init(&self->ctx, 0));
	ASSERT_EQ(0, q_context_init(&self->other, 0));
	self->resets = q_resets(self->ctx.fd);
	self->expected_resets = 0;
}

FIXTURE_TEARDOWN(inject)
{
	int what;

	EXPECT_EQ(0, left());
	for (what = 1; what < QUILL_INJECT_COUNT; what++)
		q_inject(what, 0);
	EXPECT_EQ(self->resets + self->expected_resets, q_resets(self->ctx.fd));
	q_context_fini(&self->ctx);
	q_context_fini(&self->other);
}

/* FILLS commands that write @value + i, with a job of them: what the fence says. */
static int run_fills(struct q_context *ctx, uint32_t value)
{
	union quill_cmd fills[FILLS];
	int i, ret;

	memset(ctx->ptr + PAGE, 0, FILLS * 64);
	for (i = 0; i < FILLS; i++)
		fills[i] = q_fill(q_data(ctx) + i * 64, value + i, 64);
	ret = q_run_wait(ctx, fills, FILLS);
	if (ret)
		return ret;
	for (i = 0; i < FILLS * 16; i++)
		if (((uint32_t *)(ctx->ptr + PAGE))[i] != value + i / 16)
			return -EBADMSG;
	return 0;
}

TEST_F(inject, a_lost_interrupt_costs_a_second_and_nothing_else)
{
	union quill_cmd cmds[2] = { q_fill(q_data(&self->ctx), 0x600d, 64), q_cmd(QUILL_OP_LOOP) };
	int64_t before = q_deadline(0);

	/* too long for SUBMIT to see its end, which would need no interrupt */
	cmds[1].loop.limit = 10000;
	ASSERT_EQ(0, q_inject(QUILL_INJECT_LOST_IRQ, 1));
	EXPECT_EQ(0, q_run_wait(&self->ctx, cmds, 2));
	EXPECT_EQ(0x600d, *(uint32_t *)(self->ctx.ptr + PAGE));
	EXPECT_GT(9 * SECOND, q_deadline(0) - before);
	EXPECT_EQ(0, run_fills(&self->other, 0x2000));
}

TEST_F(inject, a_lost_doorbell_is_rung_again)
{
	int64_t before = q_deadline(0);

	ASSERT_EQ(0, q_inject(QUILL_INJECT_LOST_DOORBELL, 1));
	EXPECT_EQ(0, run_fills(&self->ctx, 0x1000));
	EXPECT_GT(9 * SECOND, q_deadline(0) - before);
	EXPECT_EQ(0, run_fills(&self->other, 0x2000));
}

TEST_F(inject, firmware_that_stands_still_is_restarted_and_the_jobs_run_again)
{
	union quill_cmd fill = q_fill(q_data(&self->other), 0x600d, 64);
	uint32_t sync;

	ASSERT_EQ(0, q_inject(QUILL_INJECT_STUCK_FIRMWARE, 1));
	/* This one's doorbell sticks it, and the other's comes too late. */
	ASSERT_EQ(0, q_run(&self->other, &fill, 1, &sync));
	EXPECT_EQ(0, run_fills(&self->ctx, 0x1000));
	EXPECT_EQ(0, q_finish(self->other.fd, sync));
	EXPECT_EQ(0x600d, *(uint32_t *)(self->other.ptr + PAGE));
	self->expected_resets = 1;
}

TEST_F(inject, stuck_firmware_is_not_blamed_on_the_job_that_waits_for_it)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;

	ASSERT_EQ(0, q_queue_destroy(ctx->fd, ctx->queue));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 200, &ctx->queue));
	ASSERT_EQ(0, q_inject(QUILL_INJECT_STUCK_FIRMWARE, 1));
	EXPECT_EQ(0, run_fills(ctx, 0x1000));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(0, query.state);
	self->expected_resets = 1;
}

TEST_F(inject, a_corrupt_completion_restarts_the_core_and_the_job_runs_again)
{
	ASSERT_EQ(0, q_inject(QUILL_INJECT_CORRUPT_COMPLETION, 1));
	EXPECT_EQ(0, run_fills(&self->ctx, 0x1000));
	self->expected_resets = 1;
	EXPECT_EQ(0, run_fills(&self->other, 0x2000));
}

TEST_F(inject, completions_that_are_always_corrupt_end_the_job_with_EIO)
{
	ASSERT_EQ(0, q_inject(QUILL_INJECT_CORRUPT_COMPLETION, 4));
	EXPECT_EQ(-EIO, run_fills(&self->ctx, 0x1000));
	self->expected_resets = 4;
	EXPECT_EQ(0, run_fills(&self->ctx, 0x2000));
	EXPECT_EQ(0, run_fills(&self->other, 0x3000));
}

TEST_F(inject, a_dma_error_fails_the_job_that_met_it_and_no_other)
{
	struct drm_quill_queue_query query;

	ASSERT_EQ(0, q_inject(QUILL_INJECT_DMA_ERROR, 1));
	EXPECT_EQ(-EIO, run_fills(&self->ctx, 0x1000));
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, self->ctx.queue, &query));
	EXPECT_EQ(QUILL_FAULT_BUS, query.fault_status);
	EXPECT_EQ(QUILL_ENGINE_DMA, query.fault_engine);
	EXPECT_EQ(q_data(&self->ctx), query.fault_addr);
	EXPECT_EQ(0, run_fills(&self->ctx, 0x2000));
	EXPECT_EQ(0, run_fills(&self->other, 0x3000));
}

TEST_F(inject, a_slow_device_is_waited_for)
{
	int64_t before = q_deadline(0);

	ASSERT_EQ(0, q_inject(QUILL_INJECT_SLOW, 5));
	EXPECT_EQ(0, run_fills(&self->ctx, 0x1000));
	EXPECT_LE(5 * QUILL_INJECT_SLOW_MS * 1000000ll, q_deadline(0) - before);
}

TEST_F(inject, a_device_slower_than_the_limit_is_a_timeout)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;

	ASSERT_EQ(0, q_queue_destroy(ctx->fd, ctx->queue));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 150, &ctx->queue));
	ASSERT_EQ(0, q_inject(QUILL_INJECT_SLOW, FILLS));
	EXPECT_EQ(-ETIME, run_fills(ctx, 0x1000));
	self->expected_resets = 1;
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(150, query.timeout_ms);
	EXPECT_LE(150, query.fault_elapsed_ms);
	ASSERT_EQ(0, q_inject(QUILL_INJECT_SLOW, 0));
	EXPECT_EQ(0, run_fills(ctx, 0x2000));
	EXPECT_EQ(0, run_fills(&self->other, 0x3000));
}

TEST_F(inject, an_invalidation_that_does_not_end_resets_the_device_and_the_unbind_is_done)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;
	union quill_cmd fill = q_fill(q_data(ctx) + PAGE, 1, 64);

	ASSERT_EQ(0, q_inject(QUILL_INJECT_STUCK_INVALIDATE, 1));
	EXPECT_EQ(0, q_unmap(ctx->fd, ctx->vm, q_data(ctx) + PAGE, PAGE));
	self->expected_resets = 1;
	EXPECT_EQ(-EIO, q_run_wait(ctx, &fill, 1));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, query.fault_status);
	EXPECT_EQ(0, run_fills(&self->other, 0x2000));
}

TEST_HARNESS_MAIN
