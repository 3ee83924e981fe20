// SPDX-License-Identifier: GPL-2.0-only
/* Memory that devices and others share: dma-buf. Needs two devices; those cases that use the second skip without. */
#include <poll.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include "quill_test.h"

#define SIZE		(256 * PAGE)
#define OTHER_VA	(BASE_VA + (1ull << 32))

FIXTURE(prime) {
	struct q_context ctx;
	struct q_context second;
	uint32_t resets[2];
};

FIXTURE_SETUP(prime)
{
	int fd = q_open_nth(1);

	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&self->ctx, 0, 0));
	ASSERT_EQ(0, q_context_init_nth(&self->second, 1, 0));
	self->resets[0] = q_resets(self->ctx.fd);
	self->resets[1] = q_resets(self->second.fd);
}

FIXTURE_TEARDOWN(prime)
{
	EXPECT_EQ(self->resets[0], q_resets(self->ctx.fd));
	EXPECT_EQ(self->resets[1], q_resets(self->second.fd));
	q_context_fini(&self->ctx);
	q_context_fini(&self->second);
}

/* A file descriptor, or -errno. */
static int p_export(int fd, uint32_t handle)
{
	struct drm_prime_handle args = { .handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret = q_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

static int p_heap_alloc(uint64_t size)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC), ret;

	if (heap < 0)
		return -errno;
	ret = q_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	return ret ? ret : (int)data.fd;
}

/* The pages of a memfd, which the caller maps and closes. */
static int p_udmabuf(uint64_t size, int *memfd)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = size };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), ret;

	if (dev < 0)
		return -errno;
	*memfd = memfd_create("prime", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (*memfd < 0 || ftruncate(*memfd, size) || fcntl(*memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		close(dev);
		return -errno;
	}
	create.memfd = *memfd;
	ret = ioctl(dev, UDMABUF_CREATE, &create);
	ret = ret < 0 ? -errno : ret;
	close(dev);
	return ret;
}

static void p_write(uint32_t *ptr, uint32_t seed)
{
	uint32_t i;

	for (i = 0; i < SIZE / 2 / 4; i++)
		ptr[i] = (i + seed) * 0x9e3779b1u;
}

/* How many words of the object are not as p_compute() makes them of p_write(). */
static uint32_t p_wrong(const uint32_t *ptr, uint32_t seed)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < SIZE / 2 / 4; i++) {
		wrong += ptr[i] != (i + seed) * 0x9e3779b1u;
		wrong += ptr[SIZE / 2 / 4 + i] != (i < 1024 ? 0xc0ffee : (i + seed) * 0x9e3779b1u);
	}
	return wrong;
}

/* Has @ctx copy the object's first half to its second, and fill that one's first page. */
static int p_compute(struct q_context *ctx, uint32_t handle)
{
	union quill_cmd cmds[] = {
		q_copy(OTHER_VA + SIZE / 2, OTHER_VA, SIZE / 2),
		q_cmd(QUILL_OP_FENCE),
		q_fill(OTHER_VA + SIZE / 2, 0xc0ffee, PAGE),
	};
	int ret = q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, SIZE, 0);

	if (!ret)
		ret = q_run_wait(ctx, cmds, ARRAY_SIZE(cmds));
	return ret ? ret : q_unmap(ctx->fd, ctx->vm, OTHER_VA, SIZE);
}

TEST_F(prime, an_object_of_another_device_is_computed_on)
{
	uint32_t handle, imported;
	uint32_t *ptr;
	int buf;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, SIZE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	buf = p_export(self->ctx.fd, handle);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(self->second.fd, buf, &imported));
	close(buf);

	p_write(ptr, 1);
	ASSERT_EQ(0, p_compute(&self->second, imported));
	EXPECT_EQ(0, p_wrong(ptr, 1));
	p_write(ptr, 2);
	ASSERT_EQ(0, p_compute(&self->ctx, handle));
	EXPECT_EQ(0, p_wrong(ptr, 2));
	munmap(ptr, SIZE);
}

TEST_F(prime, an_object_whose_exporter_has_closed_it_is_computed_on)
{
	int fd = q_open_nth(1), buf;
	uint32_t handle, imported;
	uint32_t *ptr;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, q_bo_create(fd, SIZE, &handle));
	buf = p_export(fd, handle);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(self->ctx.fd, buf, &imported));
	close(buf);
	close(fd);

	ptr = q_bo_map(self->ctx.fd, imported, SIZE);
	ASSERT_NE(NULL, ptr);
	p_write(ptr, 3);
	ASSERT_EQ(0, p_compute(&self->ctx, imported));
	EXPECT_EQ(0, p_wrong(ptr, 3));
	munmap(ptr, SIZE);
}

TEST_F(prime, memory_of_a_dma_heap_is_computed_on)
{
	int buf = p_heap_alloc(SIZE);
	uint32_t handle;
	uint32_t *ptr;

	ASSERT_LE(0, buf);
	ptr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, ptr);
	ASSERT_EQ(0, q_import(self->ctx.fd, buf, &handle));
	close(buf);
	p_write(ptr, 4);
	ASSERT_EQ(0, p_compute(&self->ctx, handle));
	EXPECT_EQ(0, p_wrong(ptr, 4));
	munmap(ptr, SIZE);
}

TEST_F(prime, memory_of_a_udmabuf_is_computed_on)
{
	int memfd = -1, buf = p_udmabuf(SIZE, &memfd);
	uint32_t handle;
	uint32_t *ptr;

	ASSERT_LE(0, buf);
	ptr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, ptr);
	close(memfd);
	ASSERT_EQ(0, q_import(self->ctx.fd, buf, &handle));
	close(buf);
	p_write(ptr, 5);
	ASSERT_EQ(0, p_compute(&self->ctx, handle));
	EXPECT_EQ(0, p_wrong(ptr, 5));
	munmap(ptr, SIZE);
}

TEST_F(prime, two_devices_share_memory_of_a_third)
{
	int buf = p_heap_alloc(SIZE);
	uint32_t first, second;
	uint32_t *ptr;

	ASSERT_LE(0, buf);
	ptr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, ptr);
	ASSERT_EQ(0, q_import(self->ctx.fd, buf, &first));
	ASSERT_EQ(0, q_import(self->second.fd, buf, &second));
	close(buf);
	p_write(ptr, 6);
	ASSERT_EQ(0, p_compute(&self->ctx, first));
	EXPECT_EQ(0, p_wrong(ptr, 6));
	p_write(ptr, 7);
	ASSERT_EQ(0, p_compute(&self->second, second));
	EXPECT_EQ(0, p_wrong(ptr, 7));
	munmap(ptr, SIZE);
}

TEST_F(prime, an_own_object_comes_back_as_its_handle)
{
	int buf = p_export(self->ctx.fd, self->ctx.bo);
	uint32_t handle;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(self->ctx.fd, buf, &handle));
	EXPECT_EQ(self->ctx.bo, handle);
	close(buf);
}

TEST_F(prime, another_file_of_the_device_gets_the_same_object)
{
	int buf = p_export(self->ctx.fd, self->ctx.bo), fd = q_open();
	struct drm_quill_bo_mmap_offset offsets[2] = {};

	ASSERT_LE(0, buf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, q_import(fd, buf, &offsets[1].handle));
	offsets[0].handle = self->ctx.bo;
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offsets[0]));
	ASSERT_EQ(0, q_ioctl(fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offsets[1]));
	EXPECT_EQ(offsets[0].offset, offsets[1].offset);
	close(buf);
	close(fd);
}

TEST_F(prime, a_second_import_gives_the_first_ones_handle)
{
	int buf = p_export(self->ctx.fd, self->ctx.bo);
	uint32_t handle, again;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(self->second.fd, buf, &handle));
	ASSERT_EQ(0, q_import(self->second.fd, buf, &again));
	EXPECT_EQ(handle, again);
	close(buf);
}

TEST_F(prime, an_imported_object_is_exported_as_its_origin)
{
	int buf = p_export(self->ctx.fd, self->ctx.bo), again;
	struct stat a, b;
	uint32_t handle;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(self->second.fd, buf, &handle));
	again = p_export(self->second.fd, handle);
	ASSERT_LE(0, again);
	ASSERT_EQ(0, fstat(buf, &a));
	ASSERT_EQ(0, fstat(again, &b));
	EXPECT_EQ(a.st_ino, b.st_ino);
	close(buf);
	close(again);
}

TEST_F(prime, a_bind_beyond_an_imported_object_is_refused)
{
	int buf = p_heap_alloc(PAGE);
	uint32_t handle;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(self->ctx.fd, buf, &handle));
	close(buf);
	EXPECT_EQ(-EINVAL, q_map(self->ctx.fd, self->ctx.vm, handle, 0, OTHER_VA, 2 * PAGE, 0));
	EXPECT_EQ(-EINVAL, q_map(self->ctx.fd, self->ctx.vm, handle, PAGE, OTHER_VA, PAGE, 0));
}

TEST_F(prime, what_is_no_dma_buf_is_refused)
{
	int ends[2], memfd = memfd_create("none", MFD_CLOEXEC), null = open("/dev/null", O_RDWR);
	uint32_t handle;

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-EBADF, q_import(self->ctx.fd, -1, &handle));
	EXPECT_EQ(-EBADF, q_import(self->ctx.fd, 0x7fffffff, &handle));
	EXPECT_EQ(-EINVAL, q_import(self->ctx.fd, memfd, &handle));
	EXPECT_EQ(-EINVAL, q_import(self->ctx.fd, null, &handle));
	EXPECT_EQ(-EINVAL, q_import(self->ctx.fd, ends[0], &handle));
	EXPECT_EQ(-EINVAL, q_import(self->ctx.fd, self->ctx.fd, &handle));
	EXPECT_EQ(-EINVAL, q_import(self->ctx.fd, self->second.fd, &handle));
	close(ends[0]);
	close(ends[1]);
	close(memfd);
	close(null);
}

TEST_F(prime, export_refuses_flags_and_handles_that_are_not_the_files)
{
	struct drm_prime_handle args = { .handle = self->ctx.bo, .flags = 1 };
	int fd = q_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	EXPECT_EQ(-ENOENT, p_export(self->ctx.fd, 0));
	EXPECT_EQ(-ENOENT, p_export(self->ctx.fd, ~0u));
	EXPECT_EQ(-ENOENT, p_export(fd, self->ctx.bo));
	close(fd);
}

/* ---- Fences: the driver neither reads nor writes those of a dma-buf; the user does, by sync files ---- */

static bool p_busy(int buf)
{
	struct pollfd poll_fd = { .fd = buf, .events = POLLOUT };

	return poll(&poll_fd, 1, 0) == 0;
}

/* Starts a job on a queue of its own that does not end before that is destroyed. */
static int p_start_endless(struct q_context *ctx, uint32_t *queue, uint32_t *sync)
{
	union quill_cmd endless = q_endless();
	int ret = q_queue_create(ctx->fd, ctx->vm, 0, queue);

	if (ret)
		return ret;
	memcpy(ctx->ptr + 8 * 64, &endless, sizeof(endless));
	return q_submit(ctx->fd, *queue, ctx->va + 8 * 64, 64, sync);
}

static int p_sync_file(int fd, uint32_t sync)
{
	struct drm_syncobj_handle args = {
		.handle = sync, .flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE, .fd = -1,
	};
	int ret = q_ioctl(fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

TEST_F(prime, a_job_leaves_no_fence_in_a_dma_buf_by_itself)
{
	int buf = p_export(self->ctx.fd, self->ctx.bo);
	uint32_t queue, sync;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, p_start_endless(&self->ctx, &queue, &sync));
	EXPECT_FALSE(p_busy(buf));
	EXPECT_EQ(0, q_queue_destroy(self->ctx.fd, queue));
	close(buf);
}

TEST_F(prime, a_jobs_fence_that_is_put_into_a_dma_buf_holds_the_other_device)
{
	struct dma_buf_import_sync_file in = { .flags = DMA_BUF_SYNC_WRITE };
	struct dma_buf_export_sync_file out = { .flags = DMA_BUF_SYNC_READ };
	union quill_cmd fill = q_fill(q_data(&self->second), 9, 64);
	struct drm_syncobj_handle wait = { .flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE };
	int buf = p_export(self->ctx.fd, self->ctx.bo);
	struct drm_quill_sync syncs[2] = {};
	uint32_t queue, sync;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, p_start_endless(&self->ctx, &queue, &sync));
	in.fd = p_sync_file(self->ctx.fd, sync);
	ASSERT_LE(0, in.fd);
	ASSERT_EQ(0, q_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &in));
	EXPECT_TRUE(p_busy(buf));

	ASSERT_EQ(0, q_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &out));
	ASSERT_EQ(0, q_syncobj(self->second.fd, &syncs[0].handle));
	wait.handle = syncs[0].handle;
	wait.fd = out.fd;
	ASSERT_EQ(0, q_ioctl(self->second.fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &wait));
	ASSERT_EQ(0, q_syncobj(self->second.fd, &syncs[1].handle));
	syncs[1].flags = DRM_QUILL_SYNC_SIGNAL;
	memcpy(self->second.ptr, &fill, sizeof(fill));
	ASSERT_EQ(0, q_submit_syncs(self->second.fd, self->second.queue, self->second.va, 64, syncs, 2));
	EXPECT_EQ(-ETIME, q_wait(self->second.fd, syncs[1].handle, SECOND / 20));

	EXPECT_EQ(0, q_queue_destroy(self->ctx.fd, queue));
	EXPECT_EQ(0, q_finish(self->second.fd, syncs[1].handle));
	EXPECT_EQ(9, *(uint32_t *)(self->second.ptr + PAGE));
	EXPECT_FALSE(p_busy(buf));
	close(in.fd);
	close(out.fd);
	close(buf);
}

/* ---- Unplug ---- */

/* Whether a dma-buf is attached to the device; without debugfs, unknown: -1. */
static int p_attached(const char *name)
{
	FILE *file = fopen("/sys/kernel/debug/dma_buf/bufinfo", "r");
	int attached = 0;
	char line[256];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		attached |= !!strstr(line, name);
	fclose(file);
	return attached;
}

TEST(an_unplug_lets_go_of_imported_memory_and_its_exporter_keeps_it)
{
	struct q_context ctx, gone;
	uint32_t handle, imported;
	char name[64];
	uint32_t *ptr;
	int buf, fd;

	fd = q_open_nth(1);
	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&ctx, 0, 0));
	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	ASSERT_EQ(0, q_pci_name(gone.fd, name));
	ASSERT_EQ(0, q_bo_create(ctx.fd, SIZE, &handle));
	ptr = q_bo_map(ctx.fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	buf = p_export(ctx.fd, handle);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(gone.fd, buf, &imported));
	ASSERT_EQ(0, q_map(gone.fd, gone.vm, imported, 0, OTHER_VA, SIZE, 0));
	EXPECT_NE(0, p_attached(name));

	ASSERT_EQ(0, q_driver("unbind", name));
	EXPECT_GE(0, p_attached(name));
	EXPECT_EQ(-ENODEV, q_import(gone.fd, buf, &imported));
	p_write(ptr, 8);
	EXPECT_EQ(0, p_compute(&ctx, handle));
	EXPECT_EQ(0, p_wrong(ptr, 8));

	q_context_fini(&gone);
	ASSERT_EQ(0, q_driver("bind", name));
	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	ASSERT_EQ(0, q_import(gone.fd, buf, &imported));
	p_write(ptr, 9);
	EXPECT_EQ(0, p_compute(&gone, imported));
	EXPECT_EQ(0, p_wrong(ptr, 9));
	q_context_fini(&gone);
	munmap(ptr, SIZE);
	close(buf);
	q_context_fini(&ctx);
}

TEST(memory_outlives_the_unplug_of_its_exporter)
{
	struct q_context ctx, gone;
	uint32_t handle, imported;
	char name[64];
	uint32_t *ptr;
	int buf, fd;

	fd = q_open_nth(1);
	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&ctx, 0, 0));
	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	ASSERT_EQ(0, q_pci_name(gone.fd, name));
	ASSERT_EQ(0, q_bo_create(gone.fd, SIZE, &handle));
	ASSERT_EQ(0, q_map(gone.fd, gone.vm, handle, 0, OTHER_VA, SIZE, 0));
	ptr = q_bo_map(gone.fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	buf = p_export(gone.fd, handle);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, q_import(ctx.fd, buf, &imported));
	close(buf);

	ASSERT_EQ(0, q_driver("unbind", name));
	p_write(ptr, 10);
	EXPECT_EQ(0, p_compute(&ctx, imported));
	EXPECT_EQ(0, p_wrong(ptr, 10));
	q_context_fini(&gone);
	EXPECT_EQ(0, p_wrong(ptr, 10));
	munmap(ptr, SIZE);
	q_context_fini(&ctx);
	EXPECT_EQ(0, q_driver("bind", name));
}

TEST_HARNESS_MAIN
