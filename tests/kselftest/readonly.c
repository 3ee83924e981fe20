// SPDX-License-Identifier: GPL-2.0-only
/* Objects that nobody may write: sealed ones, and dma-bufs whose file is read-only. */
#include <linux/dma-heap.h>

#include "quill_test.h"

Q_FIXTURE(readonly)

#define OTHER_VA	(BASE_VA + (1ull << 32))

/* A sealed object of a page of 0x5a. */
static int r_sealed(int fd, uint32_t *handle)
{
	int ret = q_bo_create(fd, PAGE, handle);
	uint8_t *ptr = ret ? NULL : q_bo_map(fd, *handle, PAGE);

	if (!ptr)
		return ret ? ret : -ENOMEM;
	memset(ptr, 0x5a, PAGE);
	munmap(ptr, PAGE);
	return q_bo_seal(fd, *handle);
}

TEST_F(readonly, a_sealed_object_cannot_be_mapped_to_write)
{
	uint32_t handle;
	uint8_t *ptr;

	ASSERT_EQ(0, r_sealed(self->ctx.fd, &handle));
	EXPECT_EQ(NULL, q_bo_map(self->ctx.fd, handle, PAGE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(NULL, q_bo_map_prot(self->ctx.fd, handle, PAGE, PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	ptr = q_bo_map_prot(self->ctx.fd, handle, PAGE, PROT_READ);
	ASSERT_NE(NULL, ptr);
	EXPECT_EQ(0x5a, ptr[PAGE - 1]);
	EXPECT_EQ(-1, mprotect(ptr, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	munmap(ptr, PAGE);
}

TEST_F(readonly, a_sealed_object_cannot_be_bound_to_write)
{
	uint32_t handle;

	ASSERT_EQ(0, r_sealed(self->ctx.fd, &handle));
	EXPECT_EQ(-EACCES, q_map(self->ctx.fd, self->ctx.vm, handle, 0, OTHER_VA, PAGE, 0));
	EXPECT_EQ(0, q_map(self->ctx.fd, self->ctx.vm, handle, 0, OTHER_VA, PAGE, DRM_QUILL_BIND_READONLY));
}

TEST_F(readonly, the_device_reads_a_sealed_object_and_faults_where_it_writes)
{
	union quill_cmd read = q_copy(q_data(&self->ctx), OTHER_VA, PAGE);
	union quill_cmd write = q_fill(OTHER_VA, 1, 64);
	struct drm_quill_queue_query query;
	uint32_t handle;
	uint8_t *ptr;

	ASSERT_EQ(0, r_sealed(self->ctx.fd, &handle));
	ASSERT_EQ(0, q_map(self->ctx.fd, self->ctx.vm, handle, 0, OTHER_VA, PAGE, DRM_QUILL_BIND_READONLY));
	ASSERT_EQ(0, q_run_wait(&self->ctx, &read, 1));
	EXPECT_EQ(0x5a, self->ctx.ptr[2 * PAGE - 1]);
	EXPECT_EQ(-EIO, q_run_wait(&self->ctx, &write, 1));
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, self->ctx.queue, &query));
	EXPECT_EQ(QUILL_FAULT_WRITE_PERM, query.fault_status);
	EXPECT_EQ(OTHER_VA, query.fault_addr);
	ptr = q_bo_map_prot(self->ctx.fd, handle, PAGE, PROT_READ);
	ASSERT_NE(NULL, ptr);
	EXPECT_EQ(0x5a, ptr[0]);
	munmap(ptr, PAGE);
}

TEST_F(readonly, an_object_that_a_process_can_write_is_not_sealed)
{
	uint8_t *ptr, *later;
	uint32_t handle;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, 2 * PAGE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, 2 * PAGE);
	later = q_bo_map_prot(self->ctx.fd, handle, 2 * PAGE, PROT_READ);
	ASSERT_NE(NULL, ptr);
	ASSERT_NE(NULL, later);
	EXPECT_EQ(-EBUSY, q_bo_seal(self->ctx.fd, handle));
	/* half a mapping is one */
	munmap(ptr, PAGE);
	EXPECT_EQ(-EBUSY, q_bo_seal(self->ctx.fd, handle));
	munmap(ptr + PAGE, PAGE);
	/* as is one that mprotect() could make writable */
	EXPECT_EQ(-EBUSY, q_bo_seal(self->ctx.fd, handle));
	munmap(later, 2 * PAGE);
	EXPECT_EQ(0, q_bo_seal(self->ctx.fd, handle));
}

TEST_F(readonly, an_object_that_the_device_can_write_is_not_sealed)
{
	struct q_context *ctx = &self->ctx;
	uint32_t handle;

	ASSERT_EQ(0, q_bo_create(ctx->fd, 3 * PAGE, &handle));
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, 3 * PAGE, 0));
	EXPECT_EQ(-EBUSY, q_bo_seal(ctx->fd, handle));
	/* what is left of a bind that was cut in two */
	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, OTHER_VA + PAGE, PAGE));
	EXPECT_EQ(-EBUSY, q_bo_seal(ctx->fd, handle));
	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, OTHER_VA, PAGE));
	EXPECT_EQ(-EBUSY, q_bo_seal(ctx->fd, handle));
	ASSERT_EQ(0, q_unmap(ctx->fd, ctx->vm, OTHER_VA + 2 * PAGE, PAGE));
	EXPECT_EQ(0, q_bo_seal(ctx->fd, handle));
}

TEST_F(readonly, binds_and_maps_that_only_read_do_not_hinder_a_seal)
{
	struct q_context *ctx = &self->ctx;
	uint32_t handle;

	ASSERT_EQ(0, q_bo_create(ctx->fd, PAGE, &handle));
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, PAGE, DRM_QUILL_BIND_READONLY));
	/* a map and a bind that fail leave no trace */
	EXPECT_EQ(-EEXIST, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, PAGE, 0));
	EXPECT_EQ(NULL, q_bo_map(ctx->fd, handle, 2 * PAGE));
	EXPECT_EQ(0, q_bo_seal(ctx->fd, handle));
	EXPECT_EQ(0, q_bo_seal(ctx->fd, handle));
}

TEST_F(readonly, seal_refuses_flags_and_dead_handles)
{
	struct drm_quill_bo_seal seal = { .handle = self->ctx.bo, .flags = 1 };
	int fd = q_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_SEAL, &seal));
	EXPECT_EQ(-ENOENT, q_bo_seal(self->ctx.fd, 0));
	EXPECT_EQ(-ENOENT, q_bo_seal(self->ctx.fd, ~0u));
	EXPECT_EQ(-ENOENT, q_bo_seal(fd, self->ctx.bo));
	close(fd);
}

/* ---- dma-buf ---- */

static int r_export(int fd, uint32_t handle, uint32_t flags, int *buf)
{
	struct drm_prime_handle args = { .handle = handle, .flags = flags | DRM_CLOEXEC };
	int ret = q_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	*buf = args.fd;
	return ret;
}

static int r_heap_alloc(int *buf)
{
	struct dma_heap_allocation_data data = { .len = PAGE, .fd_flags = O_RDONLY | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC), ret;

	if (heap < 0)
		return -errno;
	ret = q_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	*buf = data.fd;
	return ret;
}

TEST_F(readonly, a_sealed_object_is_exported_read_only)
{
	uint32_t handle;
	uint8_t *ptr;
	int buf;

	ASSERT_EQ(0, r_sealed(self->ctx.fd, &handle));
	EXPECT_EQ(-EACCES, r_export(self->ctx.fd, handle, DRM_RDWR, &buf));
	ASSERT_EQ(0, r_export(self->ctx.fd, handle, 0, &buf));
	EXPECT_EQ(O_RDONLY, fcntl(buf, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0));
	ptr = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, ptr);
	EXPECT_EQ(0x5a, ptr[0]);
	EXPECT_EQ(-1, mprotect(ptr, PAGE, PROT_WRITE));
	munmap(ptr, PAGE);
	close(buf);
}

TEST_F(readonly, an_exported_object_is_not_sealed)
{
	uint32_t handle;
	int buf;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, PAGE, &handle));
	ASSERT_EQ(0, r_export(self->ctx.fd, handle, DRM_RDWR, &buf));
	EXPECT_EQ(-EBUSY, q_bo_seal(self->ctx.fd, handle));
	close(buf);
}

/* What @buf holds can be read, and not be written, by @ctx's process and device. */
static void r_expect_readonly(struct __test_metadata *_metadata, struct q_context *ctx, int buf)
{
	union quill_cmd read = q_copy(q_data(ctx), OTHER_VA, PAGE);
	uint32_t handle;
	uint8_t *ptr;

	ASSERT_EQ(0, q_import(ctx->fd, buf, &handle));
	EXPECT_EQ(NULL, q_bo_map(ctx->fd, handle, PAGE));
	EXPECT_EQ(EACCES, errno);
	ptr = q_bo_map_prot(ctx->fd, handle, PAGE, PROT_READ);
	ASSERT_NE(NULL, ptr);
	EXPECT_EQ(-1, mprotect(ptr, PAGE, PROT_READ | PROT_WRITE));
	munmap(ptr, PAGE);
	EXPECT_EQ(-EACCES, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, PAGE, 0));
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, PAGE, DRM_QUILL_BIND_READONLY));
	EXPECT_EQ(0, q_run_wait(ctx, &read, 1));
	EXPECT_EQ(0, q_bo_seal(ctx->fd, handle));
}

TEST_F(readonly, a_sealed_object_stays_so_in_another_device)
{
	struct q_context second;
	uint32_t handle;
	int buf, fd;

	fd = q_open_nth(1);
	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&second, 1, 0));
	ASSERT_EQ(0, r_sealed(self->ctx.fd, &handle));
	ASSERT_EQ(0, r_export(self->ctx.fd, handle, 0, &buf));
	r_expect_readonly(_metadata, &second, buf);
	EXPECT_EQ(0x5a, second.ptr[PAGE]);
	close(buf);
	q_context_fini(&second);
}

TEST_F(readonly, a_sealed_object_stays_so_in_another_file)
{
	struct q_context second;
	uint32_t handle;
	int buf;

	ASSERT_EQ(0, q_context_init(&second, 0));
	ASSERT_EQ(0, r_sealed(self->ctx.fd, &handle));
	ASSERT_EQ(0, r_export(self->ctx.fd, handle, 0, &buf));
	r_expect_readonly(_metadata, &second, buf);
	EXPECT_EQ(0x5a, second.ptr[PAGE]);
	close(buf);
	q_context_fini(&second);
}

TEST_F(readonly, a_dma_buf_whose_file_is_read_only_is_not_written)
{
	int buf;

	ASSERT_EQ(0, r_heap_alloc(&buf));
	r_expect_readonly(_metadata, &self->ctx, buf);
	close(buf);
}

TEST_F(readonly, a_read_only_file_of_a_writable_object_gives_no_other_file_a_handle)
{
	int buf, fd = q_open();
	uint32_t handle;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, r_export(self->ctx.fd, self->ctx.bo, 0, &buf));
	EXPECT_EQ(-EACCES, q_import(fd, buf, &handle));
	ASSERT_EQ(0, q_import(self->ctx.fd, buf, &handle));
	EXPECT_EQ(self->ctx.bo, handle);
	close(buf);
	close(fd);
}

TEST_F(readonly, a_dma_buf_of_others_is_not_sealed)
{
	struct q_context second;
	uint32_t handle;
	int buf, fd;

	fd = q_open_nth(1);
	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&second, 1, 0));
	ASSERT_EQ(0, r_export(self->ctx.fd, self->ctx.bo, DRM_RDWR, &buf));
	ASSERT_EQ(0, q_import(second.fd, buf, &handle));
	EXPECT_EQ(-EINVAL, q_bo_seal(second.fd, handle));
	close(buf);
	q_context_fini(&second);
}

TEST_HARNESS_MAIN
