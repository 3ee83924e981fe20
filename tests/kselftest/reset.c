// SPDX-License-Identifier: GPL-2.0-only
/* The reset ladder: what it counts, whom it bans, and the coredump that it leaves. */
#include "quill_test.h"

#define DUMP_MAX	(1 << 20)

/* The dump that waits to be read, or -1. */
static int dump_open(int flags)
{
	struct dirent *entry;
	char path[512];
	DIR *dir = opendir("/sys/class/devcoredump");
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "devcd", 5))
			continue;
		snprintf(path, sizeof(path), "/sys/class/devcoredump/%s/data", entry->d_name);
		fd = open(path, flags);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* The dump's text, to be freed; NULL if none comes within @ms. */
static char *dump_read(int ms)
{
	char *text = calloc(1, DUMP_MAX);
	size_t size = 0;
	ssize_t n;
	int fd;

	while ((fd = dump_open(O_RDONLY)) < 0 && ms > 0) {
		usleep(10000);
		ms -= 10;
	}
	if (fd < 0) {
		free(text);
		return NULL;
	}
	while (size < DUMP_MAX - 1 && (n = read(fd, text + size, DUMP_MAX - 1 - size)) > 0)
		size += n;
	close(fd);
	return text;
}

/* Writing anything lets it go. */
static void dump_dismiss(void)
{
	int fd = dump_open(O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		perror("devcoredump");
	close(fd);
	while ((fd = dump_open(O_RDONLY)) >= 0) {
		close(fd);
		usleep(1000);
	}
}

/* The number behind the first "name=" that begins a line after @section; ~0 if there is none. */
static uint64_t dump_value(const char *text, const char *section, const char *name)
{
	const char *at = strstr(text, section);
	char key[64];

	snprintf(key, sizeof(key), "\n%s=", name);
	at = at ? strstr(at, key) : NULL;
	return at ? strtoull(at + strlen(key), NULL, 0) : ~0ull;
}

static int param(const char *name, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/module/quill/parameters/%s", name);
	return q_put(path, value);
}

static int rungs(int fd, struct drm_quill_dev_resets *resets)
{
	struct drm_quill_dev_query query = {
		.type = DRM_QUILL_DEV_QUERY_RESETS,
		.size = sizeof(*resets),
		.ptr = (uintptr_t)resets,
	};

	memset(resets, 0xff, sizeof(*resets));
	return q_ioctl(fd, DRM_IOCTL_QUILL_DEV_QUERY, &query);
}

static int queue_create(int fd, uint32_t vm, uint32_t timeout_ms, uint32_t max_faults,
			uint32_t *queue)
{
	struct drm_quill_queue_create create = {
		.vm_id = vm, .priority = DRM_QUILL_PRIORITY_MEDIUM, .timeout_ms = timeout_ms,
		.max_faults = max_faults,
	};
	int ret = q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create);

	*queue = create.queue_id;
	return ret;
}

FIXTURE(reset) {
	struct q_context ctx;
	uint32_t resets;
	uint32_t expected_resets;
};

FIXTURE_SETUP(reset)
{
	dump_dismiss();
	ASSERT_EQ(0, q_context_init(&self->ctx, 0));
	self->resets = q_resets(self->ctx.fd);
	self->expected_resets = 0;
}

FIXTURE_TEARDOWN(reset)
{
	EXPECT_EQ(self->resets + self->expected_resets, q_resets(self->ctx.fd));
	q_context_fini(&self->ctx);
	dump_dismiss();
}

/* A job that never ends on a queue of its own, until it has timed out; its queue. */
static uint32_t time_out(struct q_context *ctx, struct __test_metadata *_metadata,
			 uint32_t limit_ms, uint32_t max_faults)
{
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_NOP), q_endless() };
	uint32_t queue, sync;

	cmds[0].hdr.seq = 0x1234;
	cmds[1].jump.target = 64;
	ASSERT_EQ(0, queue_create(ctx->fd, ctx->vm, limit_ms, max_faults, &queue));
	memcpy(ctx->ptr, cmds, sizeof(cmds));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, sizeof(cmds), &sync));
	ASSERT_EQ(-ETIME, q_finish(ctx->fd, sync));
	return queue;
}

TEST_F(reset, a_timeout_leaves_a_coredump_of_the_job_that_ran_too_long)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;
	struct drm_quill_dev_info info;
	uint32_t queue;
	char *text;

	queue = time_out(ctx, _metadata, 250, 0);
	self->expected_resets = 1;
	text = dump_read(10000);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strncmp(text, "quill coredump 1\nreason=timeout\n", 32));
	ASSERT_EQ(0, q_queue_query(ctx->fd, queue, &query));
	EXPECT_EQ(query.fault_job, dump_value(text, "[job]", "job"));
	EXPECT_EQ(250, dump_value(text, "[job]", "limit_ms"));
	EXPECT_EQ(query.fault_elapsed_ms, dump_value(text, "[job]", "elapsed_ms"));
	EXPECT_EQ(QUILL_FAULT_KILLED, dump_value(text, "[job]", "status"));
	EXPECT_EQ(query.fault_command, dump_value(text, "[job]", "index"));
	EXPECT_EQ(ctx->va, dump_value(text, "[job]", "stream"));
	/* Before the step, the job was in the ring. */
	EXPECT_NE(NULL, strstr(text, "job=1 stream=0x100000000 size=128 posted=1"));
	EXPECT_NE(NULL, strstr(text, "ring=0 job=1 stream=0x100000000 size=128"));
	/* The commands: by name, with their fields, and as they lie in memory. */
	EXPECT_NE(NULL, strstr(text, "\ncommand=JUMP opcode=5 "));
	EXPECT_NE(NULL, strstr(text, " target=64"));
	EXPECT_NE(NULL, strstr(text, "\n  0x100000000: 0000000000000001 "));
	EXPECT_NE(NULL, strstr(text, "\n> 0x100000040: "));
	/* The device. */
	ASSERT_EQ(0, q_info(ctx->fd, &info));
	EXPECT_EQ(QUILL_ID, dump_value(text, "[device]", "ID"));
	EXPECT_EQ(info.fw_version, dump_value(text, "[core 0]", "FW_VERSION"));
	EXPECT_EQ(QUILL_CORE_READY, dump_value(text, "[core 0]", "STATUS"));
	EXPECT_LT(0, dump_value(text, "[log of core 0]", "written"));
	EXPECT_NE(0, dump_value(text, "[space ", "root"));
	EXPECT_EQ(dump_value(text, "[space ", "root") & 0xffffffff,
		  dump_value(text, "[space ", "ROOT_LO"));
	free(text);
}

TEST_F(reset, a_coredump_stays_until_it_is_read_and_let_go)
{
	struct q_context *ctx = &self->ctx;
	char *first, *second;

	time_out(ctx, _metadata, 100, 0);
	first = dump_read(10000);
	ASSERT_NE(NULL, first);
	time_out(ctx, _metadata, 150, 0);
	self->expected_resets = 2;
	second = dump_read(0);
	ASSERT_NE(NULL, second);
	EXPECT_EQ(0, strcmp(first, second));
	free(first);
	free(second);
	dump_dismiss();
	time_out(ctx, _metadata, 170, 0);
	self->expected_resets = 3;
	first = dump_read(10000);
	ASSERT_NE(NULL, first);
	EXPECT_EQ(170, dump_value(first, "[job]", "limit_ms"));
	free(first);
}

TEST_F(reset, a_restart_of_cores_dumps_the_jobs_that_run_and_they_run_again)
{
	union quill_cmd fill = q_fill(q_data(&self->ctx), 0x00c0ffee, 64);
	char *text;

	ASSERT_EQ(0, q_debugfs("recover", "cores"));
	self->expected_resets = 1;
	text = dump_read(10000);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strncmp(text, "quill coredump 1\nreason=cores\n", 30));
	free(text);
	EXPECT_EQ(0, q_run_wait(&self->ctx, &fill, 1));
	EXPECT_EQ(0x00c0ffee, *(uint32_t *)(self->ctx.ptr + PAGE));
}

TEST_F(reset, a_fault_is_dumped_when_it_is_asked_for)
{
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_NOP), q_fill(0x7fff0000000, 7, 64) };
	char *text;

	ASSERT_EQ(-EIO, q_run_wait(&self->ctx, cmds, 2));
	EXPECT_EQ(NULL, dump_read(100));
	ASSERT_EQ(0, param("dump_faults", "1"));
	EXPECT_EQ(-EIO, q_run_wait(&self->ctx, cmds, 2));
	text = dump_read(10000);
	ASSERT_EQ(0, param("dump_faults", "0"));
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strncmp(text, "quill coredump 1\nreason=fault\n", 30));
	EXPECT_EQ(2, dump_value(text, "[job]", "job"));
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, dump_value(text, "[job]", "status"));
	EXPECT_EQ(0x7fff0000000, dump_value(text, "[job]", "address"));
	EXPECT_NE(NULL, strstr(text, "\ncommand=FILL "));
	EXPECT_NE(NULL, strstr(text, " dst=0x7fff0000000 "));
	free(text);
}

TEST_F(reset, each_rung_is_counted_by_itself)
{
	struct drm_quill_dev_resets before, after;

	ASSERT_EQ(0, rungs(self->ctx.fd, &before));
	EXPECT_EQ(self->resets, before.job + before.core + before.device + before.function);
	EXPECT_EQ(0, before.dead);
	time_out(&self->ctx, _metadata, 100, 0);
	ASSERT_EQ(0, q_debugfs("recover", "cores"));
	ASSERT_EQ(0, q_debugfs("recover", "device"));
	self->expected_resets = 3;
	ASSERT_EQ(0, rungs(self->ctx.fd, &after));
	EXPECT_EQ(before.job + 1, after.job);
	EXPECT_EQ(before.core + 1, after.core);
	EXPECT_EQ(before.device + 1, after.device);
	EXPECT_EQ(before.function, after.function);
	EXPECT_LT(before.dumps, after.dumps);
	EXPECT_EQ(0, after.dead);
}

TEST_F(reset, a_queue_is_banned_after_the_faults_that_it_allows_itself)
{
	union quill_cmd bad = q_cmd(0xee), nop = q_cmd(QUILL_OP_NOP);
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;

	ASSERT_EQ(0, q_queue_destroy(ctx->fd, ctx->queue));
	ASSERT_EQ(0, queue_create(ctx->fd, ctx->vm, 0, 3, &ctx->queue));
	/* A job that ends well forgives what was before it. */
	EXPECT_EQ(-EIO, q_run_wait(ctx, &bad, 1));
	EXPECT_EQ(-EIO, q_run_wait(ctx, &bad, 1));
	EXPECT_EQ(0, q_run_wait(ctx, &nop, 1));
	EXPECT_EQ(-EIO, q_run_wait(ctx, &bad, 1));
	EXPECT_EQ(-EIO, q_run_wait(ctx, &bad, 1));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_FALSE(query.state & DRM_QUILL_QUEUE_BANNED);
	EXPECT_EQ(-EIO, q_run_wait(ctx, &bad, 1));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
	EXPECT_TRUE(query.state & DRM_QUILL_QUEUE_BANNED);
	EXPECT_EQ(-ECANCELED, q_run_wait(ctx, &nop, 1));
	/* Other queues of the same address space are not concerned. */
	ASSERT_EQ(0, q_queue_destroy(ctx->fd, ctx->queue));
	ASSERT_EQ(0, queue_create(ctx->fd, ctx->vm, 0, 0, &ctx->queue));
	EXPECT_EQ(0, q_run_wait(ctx, &nop, 1));
}

TEST_F(reset, repeated_timeouts_ban_a_queue_and_cancel_what_waits_in_it)
{
	union quill_cmd cmds[2] = { q_endless(), q_fill(q_data(&self->ctx), 0x600d, 64) };
	struct q_context *ctx = &self->ctx, other;
	uint32_t queue, sync[5], i;

	ASSERT_EQ(0, q_context_init(&other, 0));
	ASSERT_EQ(0, param("max_timeouts", "2"));
	ASSERT_EQ(0, queue_create(ctx->fd, ctx->vm, 100, 0, &queue));
	memcpy(ctx->ptr, cmds, sizeof(cmds));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &sync[i]));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va + 64, 64, &sync[3]));
	EXPECT_EQ(-ETIME, q_finish(ctx->fd, sync[0]));
	EXPECT_EQ(-ETIME, q_finish(ctx->fd, sync[1]));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, sync[2]));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, sync[3]));
	EXPECT_EQ(-ECANCELED, q_submit(ctx->fd, queue, ctx->va, 64, &sync[4]));
	self->expected_resets = 2;
	EXPECT_EQ(0, q_run_wait(&other, &cmds[1], 1));
	EXPECT_EQ(0x600d, *(uint32_t *)(other.ptr + PAGE));
	q_context_fini(&other);
	ASSERT_EQ(0, param("max_timeouts", "8"));
}

TEST_F(reset, jobs_survive_fifty_restarts_with_their_results)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd fills[Q_STREAM_MAX];
	uint32_t sync[4], i, j;

	for (i = 0; i < Q_STREAM_MAX; i++)
		fills[i] = q_fill(q_data(ctx) + i * 64, 0x7000 + i, 64);
	memcpy(ctx->ptr, fills, sizeof(fills));
	for (i = 0; i < 50; i++) {
		for (j = 0; j < 4; j++)
			ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, ctx->va, sizeof(fills), &sync[j]));
		ASSERT_EQ(0, q_debugfs("recover", i % 10 ? "cores" : "device"));
		for (j = 0; j < 4; j++)
			EXPECT_EQ(0, q_finish(ctx->fd, sync[j]));
	}
	for (j = 0; j < Q_STREAM_MAX; j++)
		EXPECT_EQ(0x7000 + j, *(uint32_t *)(ctx->ptr + PAGE + j * 64));
	self->expected_resets = 50;
}

TEST_F(reset, a_job_that_is_first_in_four_restarts_ends_with_EIO_and_the_next_runs)
{
	union quill_cmd cmds[2] = { q_endless(), q_fill(q_data(&self->ctx), 0x600d, 64) };
	struct q_context *ctx = &self->ctx;
	uint32_t first, next, i;

	memcpy(ctx->ptr, cmds, sizeof(cmds));
	ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, ctx->va, 64, &first));
	ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, ctx->va + 64, 64, &next));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, q_debugfs("recover", "cores"));
		EXPECT_EQ(0, q_status(ctx->fd, first));
	}
	ASSERT_EQ(0, q_debugfs("recover", "cores"));
	self->expected_resets = 4;
	EXPECT_EQ(-EIO, q_finish(ctx->fd, first));
	EXPECT_EQ(0, q_finish(ctx->fd, next));
	EXPECT_EQ(0x600d, *(uint32_t *)(ctx->ptr + PAGE));
}

TEST_HARNESS_MAIN
