// SPDX-License-Identifier: GPL-2.0-only
/* Opening, closing and asking the device. */
#include "quill_test.h"

TEST(open_gives_a_quill_accel_node)
{
	int fd = q_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, close(fd));
}

TEST(open_1000_times_leaks_nothing_that_stops_the_next)
{
	int i;

	for (i = 0; i < 1000; i++) {
		int fd = q_open();

		ASSERT_LE(0, fd);
		close(fd);
	}
}

TEST(sixteen_files_open_at_once)
{
	int fds[16], i;

	for (i = 0; i < 16; i++) {
		fds[i] = q_open();
		ASSERT_LE(0, fds[i]);
	}
	for (i = 0; i < 16; i++)
		close(fds[i]);
}

FIXTURE(dev) {
	int fd;
	uint32_t resets;
};

FIXTURE_SETUP(dev)
{
	self->fd = q_open();
	ASSERT_LE(0, self->fd);
	self->resets = q_resets(self->fd);
}

FIXTURE_TEARDOWN(dev)
{
	EXPECT_EQ(self->resets, q_resets(self->fd));
	close(self->fd);
}

TEST_F(dev, query_describes_a_device_that_makes_sense)
{
	struct drm_quill_dev_info info;

	ASSERT_EQ(0, q_info(self->fd, &info));
	EXPECT_EQ(QUILL_HW_MAJOR, info.hw_version >> 16);
	EXPECT_NE(0, info.fw_version);
	EXPECT_LE(1, info.cores);
	EXPECT_LE(info.cores, info.hw_queues);
	EXPECT_NE(0, info.clock_khz);
	EXPECT_LE(PAGE, info.va_start);
	EXPECT_LT(info.va_start, info.va_end);
	EXPECT_EQ(PAGE, info.page_size);
	EXPECT_NE(0, info.default_timeout_ms);
	EXPECT_LE(info.default_timeout_ms, info.max_timeout_ms);
	EXPECT_EQ(0, info.pad);
}

TEST_F(dev, query_without_room_tells_the_size)
{
	struct drm_quill_dev_query query = { .type = DRM_QUILL_DEV_QUERY_INFO };

	ASSERT_EQ(0, q_ioctl(self->fd, DRM_IOCTL_QUILL_DEV_QUERY, &query));
	EXPECT_EQ(sizeof(struct drm_quill_dev_info), query.size);
}

TEST_F(dev, query_writes_no_more_than_there_is_room_for)
{
	uint8_t room[sizeof(struct drm_quill_dev_info)];
	struct drm_quill_dev_query query = {
		.type = DRM_QUILL_DEV_QUERY_INFO, .size = 12, .ptr = (uintptr_t)room,
	};
	unsigned int i;

	memset(room, 0xa5, sizeof(room));
	ASSERT_EQ(0, q_ioctl(self->fd, DRM_IOCTL_QUILL_DEV_QUERY, &query));
	EXPECT_EQ(12, query.size);
	for (i = 12; i < sizeof(room); i++)
		ASSERT_EQ(0xa5, room[i]);
}

TEST_F(dev, query_of_unknown_type_is_EINVAL)
{
	struct drm_quill_dev_query query = { .type = DRM_QUILL_DEV_QUERY_RESETS + 1 };

	EXPECT_EQ(-EINVAL, q_ioctl(self->fd, DRM_IOCTL_QUILL_DEV_QUERY, &query));
	query.type = ~0u;
	EXPECT_EQ(-EINVAL, q_ioctl(self->fd, DRM_IOCTL_QUILL_DEV_QUERY, &query));
}

static int query_totals(int fd, struct drm_quill_queue_query *totals)
{
	struct drm_quill_dev_query query = {
		.type = DRM_QUILL_DEV_QUERY_COUNTERS,
		.size = sizeof(*totals), .ptr = (uintptr_t)totals,
	};

	return q_ioctl(fd, DRM_IOCTL_QUILL_DEV_QUERY, &query);
}

/* Of queues that are gone, too. */
TEST_F(dev, counters_of_the_device_are_those_of_its_queues)
{
	struct drm_quill_queue_query before, after, queue;
	struct q_context ctx;
	union quill_cmd copy;
	int i;

	ASSERT_EQ(0, query_totals(self->fd, &before));
	ASSERT_EQ(0, q_context_init(&ctx, 0));
	copy = q_copy(q_data(&ctx) + PAGE, q_data(&ctx), PAGE);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, q_run_wait(&ctx, &copy, 1));
	ASSERT_EQ(0, q_queue_query(ctx.fd, ctx.queue, &queue));
	close(ctx.fd);
	ASSERT_EQ(0, query_totals(self->fd, &after));
	EXPECT_EQ(before.jobs + 3, after.jobs);
	EXPECT_EQ(before.faults, after.faults);
	EXPECT_EQ(before.cycles + queue.cycles, after.cycles);
	EXPECT_EQ(before.bytes_read + 3 * PAGE, after.bytes_read);
	EXPECT_EQ(before.energy_pj + queue.energy_pj, after.energy_pj);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(after.cycles, after.busy[i] + after.stall_dependency[i] +
			  after.stall_firmware[i] + after.idle[i]);
	EXPECT_EQ(0, after.queue_id);
	EXPECT_EQ(0, after.fault_job);
}

TEST_F(dev, counters_of_the_device_are_not_for_everybody)
{
	struct drm_quill_queue_query totals;

	ASSERT_EQ(0, setresuid(1000, 1000, 1000));
	EXPECT_EQ(-EACCES, query_totals(self->fd, &totals));
}

TEST_F(dev, query_into_memory_that_is_not_there_is_EFAULT)
{
	struct drm_quill_dev_query query = {
		.type = DRM_QUILL_DEV_QUERY_INFO,
		.size = sizeof(struct drm_quill_dev_info), .ptr = 8,
	};

	EXPECT_EQ(-EFAULT, q_ioctl(self->fd, DRM_IOCTL_QUILL_DEV_QUERY, &query));
}

TEST_F(dev, an_ioctl_beyond_the_last_is_refused)
{
	uint64_t room[32] = {};

	EXPECT_EQ(-EINVAL, q_ioctl(self->fd, DRM_IOWR(DRM_COMMAND_END - 1, uint64_t[32]), room));
}

TEST_HARNESS_MAIN
