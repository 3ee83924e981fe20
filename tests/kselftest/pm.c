// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power: an idle device goes to sleep, what needs the hardware wakes it and what does not does not, and nothing is lost
 * by it. Each teardown waits for the device to sleep again: no test may have left a reference behind.
 */
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "quill_user.h"

/* A file of the PCI device behind the file descriptor. */
static void sysfs_path(int fd, const char *name, char *path, size_t size)
{
	struct stat st = {};

	fstat(fd, &st);
	snprintf(path, size, "/sys/dev/char/%u:%u/device/%s", major(st.st_rdev), minor(st.st_rdev), name);
}

static int sysfs_put(int fd, const char *name, const char *value)
{
	char path[256];

	sysfs_path(fd, name, path, sizeof(path));
	return q_put(path, value);
}

static bool sysfs_is(int fd, const char *name, const char *value)
{
	char path[256], text[64] = "";
	FILE *f;

	sysfs_path(fd, name, path, sizeof(path));
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	return !strcmp(text, value);
}

static bool asleep(int fd)
{
	return sysfs_is(fd, "power/runtime_status", "suspended");
}

static bool falls_asleep(int fd)
{
	int i;

	for (i = 0; i < 1000 && !asleep(fd); i++)
		usleep(10000);
	return asleep(fd);
}

FIXTURE(pm) {
	struct q_context ctx;
	uint32_t resets;
	uint32_t expected_resets;
};

FIXTURE_SETUP(pm)
{
	ASSERT_EQ(0, q_context_init(&self->ctx, 0));
	self->resets = q_resets(self->ctx.fd);
	self->expected_resets = 0;
	ASSERT_EQ(0, sysfs_put(self->ctx.fd, "power/autosuspend_delay_ms", "20"));
	ASSERT_TRUE(falls_asleep(self->ctx.fd));
}

FIXTURE_TEARDOWN(pm)
{
	int fd = q_open();

	EXPECT_EQ(self->resets + self->expected_resets, q_resets(fd));
	q_context_fini(&self->ctx);
	EXPECT_TRUE(falls_asleep(fd));
	EXPECT_EQ(0, sysfs_put(fd, "power/autosuspend_delay_ms", "1000"));
	close(fd);
}

static int run_fill(struct q_context *ctx, uint32_t value)
{
	union quill_cmd fill = q_fill(q_data(ctx), value, PAGE);
	int ret = q_run_wait(ctx, &fill, 1);

	if (ret)
		return ret;
	return *(uint32_t *)(ctx->ptr + PAGE) == value && *(uint32_t *)(ctx->ptr + 2 * PAGE - 4) == value ?
	       0 : -EUCLEAN;
}

/* ---- It sleeps, it wakes ---------------------------------------------------------------- */

TEST_F(pm, an_idle_device_sleeps_in_D3hot)
{
	EXPECT_TRUE(asleep(self->ctx.fd));
	EXPECT_TRUE(sysfs_is(self->ctx.fd, "power_state", "D3hot"));
}

TEST_F(pm, a_job_wakes_it_and_is_right)
{
	EXPECT_EQ(0, run_fill(&self->ctx, 0x11111111));
	EXPECT_FALSE(asleep(self->ctx.fd));
	EXPECT_TRUE(falls_asleep(self->ctx.fd));
	EXPECT_EQ(0, run_fill(&self->ctx, 0x22222222));
}

TEST_F(pm, jobs_of_several_queues_that_come_at_once_wake_it_and_all_run)
{
	struct q_context *ctx = &self->ctx;
	uint32_t queue[4], sync[4 * 8], i, n = 0;
	union quill_cmd fill[4];

	for (i = 0; i < 4; i++) {
		fill[i] = q_fill(q_data(ctx) + i * PAGE, 0x100 + i, PAGE);
		ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue[i]));
	}
	memcpy(ctx->ptr, fill, sizeof(fill));
	ASSERT_TRUE(falls_asleep(ctx->fd));
	for (; n < ARRAY_SIZE(sync); n++)
		ASSERT_EQ(0, q_submit(ctx->fd, queue[n % 4], ctx->va + n % 4 * 64, 64, &sync[n]));
	while (n--)
		EXPECT_EQ(0, q_finish(ctx->fd, sync[n]));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0x100 + i, *(uint32_t *)(ctx->ptr + (i + 2) * PAGE - 4));
}

/* A syncobj of one file, in another. */
static int move_sync(int from, int to, uint32_t *handle)
{
	struct drm_syncobj_handle move = { .handle = *handle, .fd = -1 };
	int ret = q_ioctl(from, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &move);

	if (ret)
		return ret;
	ret = q_ioctl(to, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &move);
	close(move.fd);
	*handle = move.handle;
	return ret;
}

TEST_F(pm, a_job_that_waits_for_a_fence_wakes_it_when_its_time_comes)
{
	struct drm_quill_sync syncs[2] = { {}, { .flags = DRM_QUILL_SYNC_SIGNAL } };
	struct q_context *ctx = &self->ctx, other;
	union quill_cmd endless = q_endless(), fill = q_fill(q_data(ctx), 0x5eed, 64);
	uint32_t queue;

	ASSERT_EQ(0, q_context_init_nth(&other, 1, 0));
	ASSERT_EQ(0, q_run(&other, &endless, 1, &syncs[0].handle));
	ASSERT_EQ(0, move_sync(other.fd, ctx->fd, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	memcpy(ctx->ptr, &fill, sizeof(fill));
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, queue, ctx->va, 64, syncs, 2));
	EXPECT_TRUE(falls_asleep(ctx->fd));
	q_context_fini(&other);
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(0x5eed, *(uint32_t *)(ctx->ptr + PAGE));
}

TEST_F(pm, a_device_with_work_stays_awake)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd endless = q_endless();
	uint32_t queue, sync;
	int i;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	memcpy(ctx->ptr, &endless, sizeof(endless));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &sync));
	for (i = 0; i < 30; i++) {
		usleep(100000);
		EXPECT_TRUE(sysfs_is(ctx->fd, "power/runtime_status", "active"));
	}
	EXPECT_EQ(0, q_status(ctx->fd, sync));
	ASSERT_EQ(0, q_queue_destroy(ctx->fd, queue));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, sync));
}

TEST_F(pm, a_job_that_times_out_lets_the_device_sleep)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd endless = q_endless();
	uint32_t queue, sync;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 300, &queue));
	memcpy(ctx->ptr, &endless, sizeof(endless));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &sync));
	EXPECT_EQ(-ETIME, q_finish(ctx->fd, sync));
	self->expected_resets = 1;
	EXPECT_TRUE(falls_asleep(ctx->fd));
	EXPECT_EQ(0, run_fill(ctx, 3));
}

/* The health check ends, and with it the last reference, about a second after a job. */
TEST_F_TIMEOUT(pm, jobs_that_come_as_it_goes_to_sleep_run, 120)
{
	int i;

	ASSERT_EQ(0, sysfs_put(self->ctx.fd, "power/autosuspend_delay_ms", "0"));
	for (i = 0; i < 16; i++) {
		ASSERT_EQ(0, run_fill(&self->ctx, 0x1000 + i));
		usleep(985000 + i * 2000);
	}
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, sysfs_put(self->ctx.fd, "power/control", i & 1 ? "on" : "auto"));
		ASSERT_EQ(0, run_fill(&self->ctx, 0x2000 + i));
	}
	ASSERT_EQ(0, sysfs_put(self->ctx.fd, "power/control", "auto"));
}

TEST_F(pm, control_keeps_it_awake_and_lets_it_sleep)
{
	int fd = self->ctx.fd;

	ASSERT_EQ(0, sysfs_put(fd, "power/control", "on"));
	EXPECT_FALSE(asleep(fd));
	usleep(300000);
	EXPECT_FALSE(asleep(fd));
	EXPECT_EQ(0, run_fill(&self->ctx, 1));
	ASSERT_EQ(0, sysfs_put(fd, "power/control", "auto"));
	EXPECT_TRUE(falls_asleep(fd));
	EXPECT_EQ(0, run_fill(&self->ctx, 2));
}

TEST_F(pm, a_negative_delay_keeps_it_awake)
{
	int fd = self->ctx.fd;

	ASSERT_EQ(0, sysfs_put(fd, "power/autosuspend_delay_ms", "-1"));
	EXPECT_EQ(0, run_fill(&self->ctx, 1));
	usleep(1500000);
	EXPECT_FALSE(asleep(fd));
	ASSERT_EQ(0, sysfs_put(fd, "power/autosuspend_delay_ms", "20"));
}

/* ---- What sleeps through ------------------------------------------------------------------ */

TEST_F(pm, what_needs_no_hardware_does_not_wake_it)
{
	struct drm_quill_queue_query query;
	struct q_context *ctx = &self->ctx;
	struct drm_quill_dev_info info;
	uint32_t queue, bo, vm;
	uint8_t *ptr;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	ASSERT_TRUE(falls_asleep(ctx->fd));
	EXPECT_EQ(0, q_info(ctx->fd, &info));
	EXPECT_EQ(0, q_queue_query(ctx->fd, queue, &query));
	EXPECT_EQ(0, q_bo_create(ctx->fd, PAGE, &bo));
	ptr = q_bo_map(ctx->fd, bo, PAGE);
	EXPECT_NE(NULL, ptr);
	munmap(ptr, PAGE);
	EXPECT_EQ(0, q_vm_create(ctx->fd, &vm));
	EXPECT_EQ(0, q_map(ctx->fd, vm, bo, 0, BASE_VA, PAGE, 0));
	EXPECT_EQ(0, q_unmap(ctx->fd, vm, BASE_VA, PAGE));
	EXPECT_EQ(0, q_vm_destroy(ctx->fd, vm));
	EXPECT_EQ(0, q_bo_close(ctx->fd, bo));
	EXPECT_EQ(0, q_queue_destroy(ctx->fd, queue));
	EXPECT_EQ(-EINVAL, q_submit(ctx->fd, ctx->queue, 1, 64, &bo));
	EXPECT_TRUE(asleep(ctx->fd));
}

TEST_F(pm, opening_and_closing_does_not_wake_it)
{
	int fd = q_open();

	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_TRUE(asleep(self->ctx.fd));
}

TEST_F(pm, a_queue_made_while_it_sleeps_works)
{
	struct q_context *ctx = &self->ctx;
	uint32_t queue, sync;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	EXPECT_FALSE(asleep(ctx->fd));
	memcpy(ctx->ptr, &nop, sizeof(nop));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &sync));
	EXPECT_EQ(0, q_finish(ctx->fd, sync));
}

TEST_F(pm, a_context_closed_while_it_sleeps_is_gone)
{
	struct q_context other;
	int i;

	/* Else queues or address spaces would run out. */
	for (i = 0; i < 6; i++) {
		uint32_t more;

		ASSERT_EQ(0, q_context_init(&other, 0));
		while (!q_queue_create(other.fd, other.vm, 0, &more))
			;
		ASSERT_TRUE(falls_asleep(other.fd));
		q_context_fini(&other);
		EXPECT_TRUE(asleep(self->ctx.fd));
	}
}

TEST_F(pm, what_was_unmapped_while_it_slept_faults)
{
	struct q_context *ctx = &self->ctx;

	ASSERT_EQ(0, run_fill(ctx, 1));
	ASSERT_TRUE(falls_asleep(ctx->fd));
	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, q_data(ctx), PAGE));
	EXPECT_TRUE(asleep(ctx->fd));
	EXPECT_EQ(-EIO, run_fill(ctx, 2));
	EXPECT_EQ(1, *(uint32_t *)(ctx->ptr + PAGE));
}

TEST_F(pm, what_was_mapped_elsewhere_while_it_slept_is_what_the_device_sees)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd fill = q_fill(q_data(ctx), 7, 64);
	uint32_t *ptr, bo;

	ASSERT_EQ(0, run_fill(ctx, 1));
	ASSERT_EQ(0, q_bo_create(ctx->fd, PAGE, &bo));
	ptr = q_bo_map(ctx->fd, bo, PAGE);
	ASSERT_NE(NULL, ptr);
	ASSERT_TRUE(falls_asleep(ctx->fd));
	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, q_data(ctx), PAGE));
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, bo, 0, q_data(ctx), PAGE, 0));
	EXPECT_EQ(0, q_run_wait(ctx, &fill, 1));
	EXPECT_EQ(7, *ptr);
	EXPECT_EQ(1, *(uint32_t *)(ctx->ptr + PAGE));
	munmap(ptr, PAGE);
}

TEST_F(pm, a_vm_made_while_it_sleeps_works)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd fill = q_fill(BASE_VA + 2 * PAGE, 9, 64);
	uint32_t vm, queue, sync;

	ASSERT_EQ(0, q_vm_create(ctx->fd, &vm));
	ASSERT_EQ(0, q_map(ctx->fd, vm, ctx->bo, 0, BASE_VA, Q_BUF_SIZE, 0));
	EXPECT_TRUE(asleep(ctx->fd));
	ASSERT_EQ(0, q_queue_create(ctx->fd, vm, 0, &queue));
	memcpy(ctx->ptr, &fill, sizeof(fill));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &sync));
	EXPECT_EQ(0, q_finish(ctx->fd, sync));
	EXPECT_EQ(9, *(uint32_t *)(ctx->ptr + 2 * PAGE));
}

/* ---- From outside --------------------------------------------------------------------------- */

static int read_all(const char *name)
{
	char path[512], text[4096];
	int fd, ret = q_debugfs_path(name, path, sizeof(path));
	ssize_t n;

	if (ret)
		return ret;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	do
		n = read(fd, text, sizeof(text));
	while (n > 0);
	ret = n ? -errno : 0;
	close(fd);
	return ret;
}

TEST_F(pm, debugfs_can_be_read_while_it_sleeps)
{
	static const char *const files[] = { "queues", "vms", "fw_log" };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(0, read_all(files[i]));
		EXPECT_TRUE(asleep(self->ctx.fd));
	}
	/* A register: it wakes for that. */
	EXPECT_EQ(0, read_all("inject"));
	EXPECT_FALSE(asleep(self->ctx.fd));
}

TEST_F(pm, fdinfo_can_be_read_while_it_sleeps)
{
	ASSERT_EQ(0, run_fill(&self->ctx, 1));
	ASSERT_TRUE(falls_asleep(self->ctx.fd));
	EXPECT_LT(0, q_fdinfo(self->ctx.fd, "drm-cycles-dma"));
	EXPECT_EQ(Q_BUF_SIZE / 1024, q_fdinfo(self->ctx.fd, "drm-total-memory"));
	EXPECT_TRUE(asleep(self->ctx.fd));
}

TEST_F(pm, a_recovery_of_a_sleeping_device_works)
{
	EXPECT_EQ(0, q_debugfs("recover", "cores"));
	EXPECT_EQ(0, run_fill(&self->ctx, 1));
	ASSERT_TRUE(falls_asleep(self->ctx.fd));
	EXPECT_EQ(0, q_debugfs("recover", "device"));
	self->expected_resets = 2;
	EXPECT_EQ(0, run_fill(&self->ctx, 2));
}

TEST_F(pm, a_reset_through_sysfs_of_a_sleeping_device_works)
{
	EXPECT_EQ(0, sysfs_put(self->ctx.fd, "reset", "1"));
	self->expected_resets = 1;
	EXPECT_EQ(0, run_fill(&self->ctx, 1));
}

TEST_F(pm, a_sleeping_device_is_unbound_and_bound_again)
{
	struct q_context *ctx = &self->ctx;
	char path[256], link[256] = "", *name;
	uint32_t queue, sync;

	sysfs_path(ctx->fd, "", path, sizeof(path));
	ASSERT_NE(NULL, realpath(path, link));
	name = strrchr(link, '/') + 1;
	ASSERT_TRUE(asleep(ctx->fd));
	ASSERT_EQ(0, q_put("/sys/bus/pci/drivers/quill/unbind", name));
	EXPECT_EQ(-ENODEV, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	EXPECT_EQ(-ENODEV, q_submit(ctx->fd, ctx->queue, ctx->va, 64, &sync));
	q_context_fini(ctx);
	ASSERT_EQ(0, q_put("/sys/bus/pci/drivers/quill/bind", name));
	ASSERT_EQ(0, q_context_init(ctx, 0));
	self->resets = 0;
	ASSERT_EQ(0, sysfs_put(ctx->fd, "power/autosuspend_delay_ms", "20"));
	EXPECT_EQ(0, run_fill(ctx, 1));
	EXPECT_TRUE(falls_asleep(ctx->fd));
	EXPECT_EQ(0, run_fill(ctx, 2));
}

TEST_F(pm, a_job_that_is_waking_the_device_ends_when_that_is_unbound)
{
	struct q_context *ctx = &self->ctx;
	char path[256], link[256] = "", *name;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	uint32_t sync;
	int ret;

	sysfs_path(ctx->fd, "", path, sizeof(path));
	ASSERT_NE(NULL, realpath(path, link));
	name = strrchr(link, '/') + 1;
	ASSERT_EQ(0, q_run(ctx, &nop, 1, &sync));
	ASSERT_EQ(0, q_put("/sys/bus/pci/drivers/quill/unbind", name));
	ret = q_finish(ctx->fd, sync);
	EXPECT_TRUE(!ret || ret == -ENODEV) TH_LOG("%d", ret);
	q_context_fini(ctx);
	ASSERT_EQ(0, q_put("/sys/bus/pci/drivers/quill/bind", name));
	ASSERT_EQ(0, q_context_init(ctx, 0));
	self->resets = 0;
	ASSERT_EQ(0, sysfs_put(ctx->fd, "power/autosuspend_delay_ms", "20"));
}

/* ---- The system's sleep ---------------------------------------------------------------------- */

/* As far as the devices, and back. */
static int system_sleep(void)
{
	int ret = q_put("/sys/power/pm_test", "devices");

	q_put("/sys/module/suspend/parameters/pm_test_delay", "0");
	return ret ? ret : q_put("/sys/power/state", "mem");
}

TEST_F_TIMEOUT(pm, a_sleeping_device_sleeps_through_the_systems_sleep, 60)
{
	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "no pm_test");
	ASSERT_EQ(0, system_sleep());
	EXPECT_EQ(0, run_fill(&self->ctx, 1));
	EXPECT_TRUE(falls_asleep(self->ctx.fd));
	EXPECT_EQ(0, run_fill(&self->ctx, 2));
}

TEST_F_TIMEOUT(pm, jobs_in_flight_run_again_after_the_systems_sleep, 120)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmds[2] = { q_fill(q_data(ctx), 0xf1f1, 64), q_endless() };
	volatile uint32_t *written = (uint32_t *)(ctx->ptr + PAGE);
	uint32_t queue, first, next;
	int i, ms;

	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "no pm_test");
	cmds[1].jump.target = 64;
	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &queue));
	memcpy(ctx->ptr, cmds, sizeof(cmds));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 128, &first));
	ASSERT_EQ(0, q_submit(ctx->fd, queue, ctx->va, 64, &next));
	/* From its start each time: what it writes it writes again. No number of sleeps is held against it. */
	for (i = 0; i < 3; i++) {
		for (ms = 0; *written != 0xf1f1 && ms < 10000; ms++)
			usleep(1000);
		EXPECT_EQ(0xf1f1, *written) TH_LOG("round %d", i);
		*written = 0;
		ASSERT_EQ(0, system_sleep());
		EXPECT_EQ(0, q_status(ctx->fd, first));
	}
	ASSERT_EQ(0, q_queue_destroy(ctx->fd, queue));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, first));
	EXPECT_EQ(-ECANCELED, q_finish(ctx->fd, next));
	EXPECT_EQ(0, run_fill(ctx, 5));
}

/* ---- User-mode queues -------------------------------------------------------------------- */

TEST_F(pm, a_doorbell_that_a_process_rings_wakes_it_and_nothing_is_lost)
{
	struct uq q;
	uint32_t i;

	ASSERT_EQ(0, uq_open(&q, &self->ctx, 0, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(falls_asleep(self->ctx.fd));
		EXPECT_EQ(0, uq_fill(&q, 0x3300 + i, QUILL_JOB_QUIET));
		EXPECT_FALSE(asleep(self->ctx.fd));
	}
	uq_unmap(&q);
}

TEST_F(pm, a_job_that_a_process_has_rung_keeps_it_awake)
{
	struct uq q;

	ASSERT_EQ(0, uq_open(&q, &self->ctx, 0, 0));
	uq_write(&q, uq_stream(&q, 0, q_endless()), 64, QUILL_JOB_QUIET);
	uq_ring(&q);
	sleep(4);
	EXPECT_FALSE(asleep(self->ctx.fd));
	EXPECT_EQ(0, q.records[0].seq);
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, q.id));
	uq_unmap(&q);
}

TEST_F(pm, a_count_that_nobody_has_rung_ends_and_the_device_sleeps)
{
	uint32_t sync;
	struct uq q;

	ASSERT_EQ(0, uq_open(&q, &self->ctx, 0, 0));
	ASSERT_TRUE(falls_asleep(self->ctx.fd));
	ASSERT_EQ(0, uq_signal(&q, 1, &sync));
	EXPECT_EQ(-ECANCELED, q_finish(self->ctx.fd, sync));
	EXPECT_TRUE(falls_asleep(self->ctx.fd));
	uq_unmap(&q);
}

TEST_F_TIMEOUT(pm, the_systems_sleep_leaves_the_jobs_of_a_ring_right, 60)
{
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_LOOP), q_fill(q_data(&self->ctx), 0x4444, 64) };
	uint32_t sync;
	struct uq q;

	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "no pm_test");
	cmds[0].loop.limit = 200000;
	ASSERT_EQ(0, uq_open(&q, &self->ctx, 0, 0));
	memcpy(self->ctx.ptr, cmds, sizeof(cmds));
	uq_write(&q, self->ctx.va, sizeof(cmds), QUILL_JOB_QUIET);
	uq_ring(&q);
	ASSERT_EQ(0, uq_signal(&q, 1, &sync));
	ASSERT_EQ(0, system_sleep());
	EXPECT_EQ(0, q_finish(self->ctx.fd, sync));
	EXPECT_EQ(0x4444, *uq_data(&q));
	EXPECT_EQ(0, uq_fill(&q, 0x5555, QUILL_JOB_QUIET));
	uq_unmap(&q);
}

TEST_HARNESS_MAIN
