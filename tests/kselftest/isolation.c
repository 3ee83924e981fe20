// SPDX-License-Identifier: GPL-2.0-only
/* Two processes at once: neither can read, write, name or disturb what is the other's. */
#include <sys/prctl.h>

#include "quill_test.h"

#define SECRET	0x5ec12e75u

Q_FIXTURE(isolation)

/* In a child process: 0 if everything it tried was refused or harmless, else the line. */
#define CHECK(cond) do { if (!(cond)) return __LINE__; } while (0)

static int run_child(int (*body)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(body(arg) & 0xff);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* The very addresses at which the parent has its data are nothing here, or our own. */
static int read_the_others_addresses(void *arg)
{
	struct drm_quill_queue_query query;
	struct q_context ctx;
	union quill_cmd cmd;

	CHECK(!q_context_init(&ctx, 0));
	/* same address as the parent's data: our own zeroed page, not the parent's secret */
	cmd = q_copy(q_data(&ctx) + PAGE, q_data(&ctx), PAGE);
	CHECK(!q_run_wait(&ctx, &cmd, 1));
	CHECK(*(uint32_t *)(ctx.ptr + 2 * PAGE) == 0);
	/* where only the parent has a mapping: a fault */
	cmd = q_copy(q_data(&ctx), BASE_VA + 0x40000000, PAGE);
	CHECK(q_run_wait(&ctx, &cmd, 1) == -EIO);
	CHECK(!q_queue_query(ctx.fd, ctx.queue, &query));
	CHECK(query.fault_status == QUILL_FAULT_UNMAPPED);
	cmd = q_fill(BASE_VA + 0x40000000, 0xdead, PAGE);
	CHECK(q_run_wait(&ctx, &cmd, 1) == -EIO);
	return 0;
}

TEST_F(isolation, device_addresses_of_one_process_are_nothing_in_another)
{
	struct q_context *ctx = &self->ctx;
	uint32_t *secret = (uint32_t *)(ctx->ptr + PAGE);
	uint32_t i;

	for (i = 0; i < PAGE / 4; i++)
		secret[i] = SECRET;
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, ctx->bo, PAGE, BASE_VA + 0x40000000, PAGE, 0));
	EXPECT_EQ(0, run_child(read_the_others_addresses, NULL));
	for (i = 0; i < PAGE / 4; i++)
		ASSERT_EQ(SECRET, secret[i]);
}

static int use_the_others_names(void *arg)
{
	const struct q_context *victim = arg;
	struct drm_quill_bo_mmap_offset offset = {};
	struct drm_quill_queue_query query;
	uint32_t sync, id;
	int fd = q_open();

	/* A file of our own: the victim's numbers must mean nothing in it. */
	CHECK(fd >= 0);
	for (id = 0; id < 64; id++) {
		offset.handle = id;
		CHECK(q_ioctl(fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset) == -ENOENT);
		CHECK(q_map(fd, id, victim->bo, 0, BASE_VA, PAGE, 0) == -ENOENT);
		CHECK(q_unmap(fd, id, victim->va, PAGE) == -ENOENT);
		CHECK(q_vm_destroy(fd, id) == -ENOENT);
		CHECK(q_queue_query(fd, id, &query) == -ENOENT);
		CHECK(q_submit(fd, id, victim->va, 64, &sync) == -ENOENT);
		CHECK(q_queue_destroy(fd, id) == -ENOENT);
		CHECK(q_queue_create(fd, id, 0, &sync) == -ENOENT);
	}
	close(fd);
	return 0;
}

TEST_F(isolation, handles_and_ids_of_one_file_are_nothing_in_another)
{
	union quill_cmd fill = q_fill(q_data(&self->ctx), SECRET, 64);

	EXPECT_EQ(0, run_child(use_the_others_names, &self->ctx));
	EXPECT_EQ(0, q_run_wait(&self->ctx, &fill, 1));
}

static int mmap_every_offset(void *arg)
{
	const struct q_context *victim = arg;
	struct drm_quill_bo_mmap_offset offset = { .handle = victim->bo };
	int fd = q_open();
	void *ptr;

	/* The offset is not secret; the right to map it belongs to who has a handle. */
	CHECK(!q_ioctl(victim->fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset));
	CHECK(fd >= 0);
	ptr = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, offset.offset);
	CHECK(ptr == MAP_FAILED);
	close(fd);
	return 0;
}

TEST_F(isolation, an_mmap_offset_of_another_file_does_not_map)
{
	EXPECT_EQ(0, run_child(mmap_every_offset, &self->ctx));
}

static int fault_and_hang(void *arg)
{
	union quill_cmd bad = q_fill(0x7000, 1, PAGE), endless = q_endless();
	struct q_context ctx;
	uint32_t sync;
	int i;

	CHECK(!q_context_init(&ctx, 100));
	for (i = 0; i < 50; i++)
		CHECK(q_run_wait(&ctx, &bad, 1) == -EIO);
	CHECK(!q_run(&ctx, &endless, 1, &sync));
	CHECK(q_finish(ctx.fd, sync) == -ETIME);
	CHECK(!q_run(&ctx, &endless, 1, &sync));
	/* and dies with an endless job under way */
	return 0;
}

TEST_F(isolation, faults_and_hangs_of_one_process_leave_the_others_results_right)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmds[8];
	uint32_t round, i;
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(fault_and_hang(NULL) & 0xff);
	for (round = 0; round < 100; round++) {
		for (i = 0; i < 8; i++)
			cmds[i] = q_fill(q_data(ctx) + i * PAGE, round * 8 + i, PAGE);
		ASSERT_EQ(0, q_run_wait(ctx, cmds, 8));
		for (i = 0; i < 8; i++)
			ASSERT_EQ(round * 8 + i, *(uint32_t *)(ctx->ptr + (i + 2) * PAGE - 4));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	self->expected_resets = 1;
}

static int copy_until_killed(void *arg)
{
	struct q_context ctx;
	union quill_cmd cmds[4];
	uint32_t sync, i;

	CHECK(!q_context_init(&ctx, 0));
	for (i = 0; i < 4; i++)
		cmds[i] = q_copy(q_data(&ctx) + PAGE, q_data(&ctx), PAGE);
	for (;;)
		CHECK(!q_run(&ctx, cmds, 4, &sync));
}

/*
 * Also guards, with some luck, against the scheduler taking jobs from the list that the end of the queue empties:
 * a job was then freed twice.
 */
TEST_F_TIMEOUT(isolation, a_process_killed_while_it_submits_harms_nobody, 120)
{
	union quill_cmd fill = q_fill(q_data(&self->ctx), SECRET, PAGE);
	int round, status;

	for (round = 0; round < 60; round++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(copy_until_killed(NULL) & 0xff);
		usleep(10000 + round * 500);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(0, q_run_wait(&self->ctx, &fill, 1));
	}
}

TEST_F(isolation, scratchpad_contents_do_not_pass_from_job_to_job)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_dev_info info;
	union quill_cmd cmd;
	uint32_t i;

	ASSERT_EQ(0, q_info(ctx->fd, &info));
	if (!info.sram_size)
		SKIP(return, "no scratchpad");
	cmd = q_fill(QUILL_VA_SRAM, SECRET, PAGE);
	ASSERT_EQ(0, q_run_wait(ctx, &cmd, 1));
	memset(ctx->ptr + PAGE, 0xff, PAGE);
	cmd = q_copy(q_data(ctx), QUILL_VA_SRAM, PAGE);
	ASSERT_EQ(0, q_run_wait(ctx, &cmd, 1));
	for (i = 0; i < PAGE / 4; i++)
		ASSERT_EQ(0, ((uint32_t *)(ctx->ptr + PAGE))[i]);
}

TEST_HARNESS_MAIN
