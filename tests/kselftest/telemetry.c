// SPDX-License-Identifier: GPL-2.0-only
/* What can be seen of the device's work from outside: fdinfo and trace events. */
#include "quill_test.h"

Q_FIXTURE(telemetry)

TEST_F(telemetry, fdinfo_names_every_engine_and_its_time)
{
	static const char *const engines[] = { "tensor", "vector", "dma" };
	int fd = self->ctx.fd;
	char key[64];
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(engines); i++) {
		snprintf(key, sizeof(key), "drm-engine-%s", engines[i]);
		EXPECT_EQ(0, q_fdinfo(fd, key));
		snprintf(key, sizeof(key), "drm-cycles-%s", engines[i]);
		EXPECT_EQ(0, q_fdinfo(fd, key));
		snprintf(key, sizeof(key), "drm-maxfreq-%s", engines[i]);
		EXPECT_LT(0, q_fdinfo(fd, key));
		EXPECT_NE(~0ull, q_fdinfo(fd, key));
	}
}

TEST_F(telemetry, fdinfo_counts_the_cycles_of_this_files_jobs_also_of_queues_that_are_gone)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd fill = q_fill(q_data(ctx), 1, 4 * PAGE);
	struct drm_quill_queue_query query;
	int other = q_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, q_run_wait(ctx, &fill, 1));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_LT(0, query.busy[2]);
	EXPECT_EQ(query.busy[2], q_fdinfo(ctx->fd, "drm-cycles-dma"));
	EXPECT_LT(0, q_fdinfo(ctx->fd, "drm-engine-dma"));
	EXPECT_EQ(0, q_fdinfo(other, "drm-cycles-dma"));
	ASSERT_EQ(0, q_queue_destroy(ctx->fd, ctx->queue));
	EXPECT_EQ(query.busy[2], q_fdinfo(ctx->fd, "drm-cycles-dma"));
	close(other);
}

TEST_F(telemetry, fdinfo_counts_the_files_memory)
{
	uint64_t before = q_fdinfo(self->ctx.fd, "drm-total-memory");
	uint32_t handle;

	EXPECT_EQ(Q_BUF_SIZE / 1024, before);
	ASSERT_EQ(0, q_bo_create(self->ctx.fd, 1 << 20, &handle));
	EXPECT_EQ(before + 1024, q_fdinfo(self->ctx.fd, "drm-total-memory"));
	ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle));
	EXPECT_EQ(before, q_fdinfo(self->ctx.fd, "drm-total-memory"));
}

/* ---- Trace events ---- */

#define TRACING	"/sys/kernel/tracing/"

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), ret = -1;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return ret;
}

static int count_in_trace(const char *event)
{
	FILE *f = fopen(TRACING "trace", "r");
	char line[512];
	int count = 0;

	while (f && fgets(line, sizeof(line), f))
		count += line[0] != '#' && strstr(line, event);
	if (f)
		fclose(f);
	return count;
}

TEST_F(telemetry, each_step_of_a_job_and_each_bind_is_an_event)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmd = q_cmd(QUILL_OP_NOP);

	if (access(TRACING "events/quill", F_OK))
		SKIP(return, "no tracefs");
	ASSERT_EQ(0, write_to(TRACING "trace", ""));
	ASSERT_EQ(0, write_to(TRACING "events/quill/enable", "1"));
	EXPECT_EQ(0, q_run_wait(ctx, &cmd, 1));
	cmd.hdr.opcode = 0xff;
	EXPECT_EQ(-EIO, q_run_wait(ctx, &cmd, 1));
	EXPECT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, 0, BASE_VA + (1 << 30), PAGE, 0));
	EXPECT_EQ(0, q_unmap(ctx->fd, ctx->vm, BASE_VA + (1 << 30), PAGE));
	EXPECT_EQ(-EINVAL, q_unmap(ctx->fd, ctx->vm, 1, PAGE));
	EXPECT_EQ(0, write_to(TRACING "events/quill/enable", "0"));
	EXPECT_EQ(2, count_in_trace("quill_submit:"));
	EXPECT_EQ(2, count_in_trace("quill_run:"));
	EXPECT_EQ(2, count_in_trace("quill_done:"));
	EXPECT_EQ(1, count_in_trace("quill_fault:"));
	EXPECT_EQ(3, count_in_trace("quill_bind:"));
	EXPECT_EQ(1, count_in_trace("error=-22"));
	EXPECT_EQ(0, write_to(TRACING "trace", ""));
}

TEST_HARNESS_MAIN
