// SPDX-License-Identifier: GPL-2.0-only
/* The life of a buffer object. */
#include "quill_test.h"

Q_FIXTURE(mem)

TEST_F(mem, size_is_rounded_up_to_pages)
{
	struct drm_quill_bo_create create = { .size = PAGE + 1 };

	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_CREATE, &create));
	EXPECT_EQ(2 * PAGE, create.size);
	EXPECT_NE(0, create.handle);
}

TEST_F(mem, create_refuses_size_0)
{
	uint32_t handle;

	EXPECT_EQ(-EINVAL, q_bo_create(self->ctx.fd, 0, &handle));
}

TEST_F(mem, create_refuses_sizes_that_wrap_or_are_absurd)
{
	static const uint64_t sizes[] = { ~0ull, ~0ull - 1, ~0ull - PAGE + 2, 1ull << 63, 1ull << 48 };
	uint32_t handle, i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_GT(0, q_bo_create(self->ctx.fd, sizes[i], &handle));
}

TEST_F(mem, create_refuses_unknown_flags)
{
	struct drm_quill_bo_create create = { .size = PAGE };
	int bit;

	for (bit = 0; bit < 32; bit++) {
		if (1u << bit & DRM_QUILL_BO_FLAGS)
			continue;
		create.flags = 1u << bit;
		EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_CREATE, &create));
	}
}

TEST_F(mem, a_new_object_reads_as_zero)
{
	uint64_t *ptr;
	uint32_t handle, i;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, 64 * PAGE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, 64 * PAGE);
	ASSERT_NE(NULL, ptr);
	for (i = 0; i < 64 * PAGE / 8; i++)
		ASSERT_EQ(0, ptr[i]);
	munmap(ptr, 64 * PAGE);
}

TEST_F(mem, memory_of_a_freed_object_comes_back_as_zero)
{
	uint32_t handle, i, round;
	uint8_t *ptr;

	for (round = 0; round < 8; round++) {
		ASSERT_EQ(0, q_bo_create(self->ctx.fd, 256 * PAGE, &handle));
		ptr = q_bo_map(self->ctx.fd, handle, 256 * PAGE);
		ASSERT_NE(NULL, ptr);
		for (i = 0; i < 256; i++)
			ASSERT_EQ(0, ptr[i * PAGE]);
		memset(ptr, 0x5a, 256 * PAGE);
		munmap(ptr, 256 * PAGE);
		ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle));
	}
}

TEST_F(mem, write_combined_objects_map_and_hold_data)
{
	struct drm_quill_bo_create create = { .size = PAGE, .flags = DRM_QUILL_BO_WC };
	volatile uint32_t *ptr;

	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_CREATE, &create));
	ptr = q_bo_map(self->ctx.fd, create.handle, PAGE);
	ASSERT_NE(NULL, ptr);
	ptr[7] = 0x12345678;
	EXPECT_EQ(0x12345678, ptr[7]);
	munmap((void *)ptr, PAGE);
}

TEST_F(mem, mmap_offset_of_a_dead_handle_is_ENOENT)
{
	struct drm_quill_bo_mmap_offset offset = {};
	uint32_t handle;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, PAGE, &handle));
	ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle));
	offset.handle = handle;
	EXPECT_EQ(-ENOENT, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset));
	offset.handle = 0;
	EXPECT_EQ(-ENOENT, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset));
	offset.handle = ~0u;
	EXPECT_EQ(-ENOENT, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset));
}

TEST_F(mem, mmap_offset_refuses_flags)
{
	struct drm_quill_bo_mmap_offset offset = { .handle = self->ctx.bo, .flags = 1 };

	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset));
}

TEST_F(mem, mmap_beyond_the_object_is_refused)
{
	struct drm_quill_bo_mmap_offset offset = { .handle = self->ctx.bo };

	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, Q_BUF_SIZE + PAGE, PROT_READ, MAP_SHARED, self->ctx.fd,
				   offset.offset));
}

TEST_F(mem, a_mapping_outlives_handle_and_file)
{
	int fd = q_open();
	uint32_t handle;
	uint8_t *ptr;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, q_bo_create(fd, PAGE, &handle));
	ptr = q_bo_map(fd, handle, PAGE);
	ASSERT_NE(NULL, ptr);
	ASSERT_EQ(0, q_bo_close(fd, handle));
	close(fd);
	memset(ptr, 0x77, PAGE);
	EXPECT_EQ(0x77, ptr[PAGE - 1]);
	munmap(ptr, PAGE);
}

TEST_F(mem, a_closed_handle_stays_usable_to_the_device_while_it_is_bound)
{
	union quill_cmd fill = q_fill(q_data(&self->ctx), 0xabcd0123, 64);

	ASSERT_EQ(0, q_bo_close(self->ctx.fd, self->ctx.bo));
	ASSERT_EQ(0, q_run_wait(&self->ctx, &fill, 1));
	EXPECT_EQ(0xabcd0123, *(uint32_t *)(self->ctx.ptr + PAGE));
}

/* ---- What debugfs tells of objects ---- */

/* The line of the object of @size bytes that this process has made; "" if there is none. */
static const char *m_line(uint64_t size)
{
	static char text[65536];
	char start[64], *line;

	snprintf(start, sizeof(start), "pid %d: %llu bytes", getpid(), (unsigned long long)size);
	line = q_debugfs_read("objects", text, sizeof(text)) ? NULL : strstr(text, start);
	if (!line)
		return "";
	line[strcspn(line, "\n")] = 0;
	return line;
}

TEST_F(mem, debugfs_lists_objects_with_what_holds_them)
{
	struct drm_prime_handle args = { .flags = DRM_CLOEXEC | DRM_RDWR };
	const uint64_t size = 77 * PAGE;
	uint32_t handle;
	void *ptr;

	if (q_debugfs_path("objects", (char [512]){}, 512))
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, q_bo_create(self->ctx.fd, size, &handle));
	EXPECT_NE(NULL, strstr(m_line(size), "system, handles 1, writable mappings 0"));
	EXPECT_EQ(NULL, strstr(m_line(size), "pinned"));
	ASSERT_EQ(0, q_map(self->ctx.fd, self->ctx.vm, handle, 0, BASE_VA + (1ull << 32), size, 0));
	ptr = q_bo_map(self->ctx.fd, handle, size);
	EXPECT_NE(NULL, strstr(m_line(size), "writable mappings 2, pinned"));
	munmap(ptr, size);
	EXPECT_EQ(NULL, strstr(m_line(size), "exported"));
	args.handle = handle;
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	EXPECT_NE(NULL, strstr(m_line(size), "exported"));
	close(args.fd);
	ASSERT_EQ(0, q_unmap(self->ctx.fd, self->ctx.vm, BASE_VA + (1ull << 32), size));
	ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle));
	EXPECT_STREQ("", m_line(size));
}

/* ---- Sizes ---- */

TEST_F(mem, an_object_larger_than_the_machines_memory_is_ENOMEM)
{
	uint64_t size = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE * 2;
	uint32_t handle;

	EXPECT_EQ(-ENOMEM, q_bo_create(self->ctx.fd, size, &handle));
}

TEST_F(mem, an_object_of_an_eighth_of_memory_is_used_to_its_last_byte)
{
	uint64_t size = (uint64_t)sysconf(_SC_AVPHYS_PAGES) / 8 * PAGE, va = BASE_VA + (1ull << 32);
	union quill_cmd fill = q_fill(va + size - 64, 0x77, 64);
	uint32_t handle;
	uint8_t *ptr;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, size, &handle));
	ASSERT_EQ(0, q_map(self->ctx.fd, self->ctx.vm, handle, 0, va, size, 0));
	EXPECT_EQ(0, q_run_wait(&self->ctx, &fill, 1));
	ptr = q_bo_map(self->ctx.fd, handle, size);
	ASSERT_NE(NULL, ptr);
	EXPECT_EQ(0, ptr[size - 65]);
	EXPECT_EQ(0x77, ptr[size - 4]);
	munmap(ptr, size);
}

TEST_F(mem, cached_and_write_combined_mappings_see_what_the_device_writes)
{
	uint64_t va = BASE_VA + (1ull << 32);
	uint32_t flags;

	for (flags = 0; flags <= DRM_QUILL_BO_WC; flags += DRM_QUILL_BO_WC) {
		struct drm_quill_bo_create create = { .size = 2 * PAGE, .flags = flags };
		union quill_cmd copy = q_copy(va + PAGE, va, PAGE);
		uint8_t *ptr;

		ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_CREATE, &create));
		ptr = q_bo_map(self->ctx.fd, create.handle, create.size);
		ASSERT_NE(NULL, ptr);
		memset(ptr, 0x42 + flags, PAGE);
		ASSERT_EQ(0, q_map(self->ctx.fd, self->ctx.vm, create.handle, 0, va, create.size, 0));
		ASSERT_EQ(0, q_run_wait(&self->ctx, &copy, 1));
		EXPECT_EQ(0, memcmp(ptr, ptr + PAGE, PAGE));
		ASSERT_EQ(0, q_unmap(self->ctx.fd, self->ctx.vm, va, create.size));
		munmap(ptr, create.size);
	}
}

TEST_HARNESS_MAIN
