// SPDX-License-Identifier: GPL-2.0-only
/* Objects in the device's own memory. */
#include <setjmp.h>
#include <signal.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "quill_test.h"

#define SIZE		(256 * PAGE)
#define OTHER_VA	(BASE_VA + (1ull << 32))

Q_FIXTURE(vram)

static int v_create(int fd, uint64_t size, uint32_t *handle)
{
	struct drm_quill_bo_create create = { .size = size, .flags = DRM_QUILL_BO_DEVICE };
	int ret = q_ioctl(fd, DRM_IOCTL_QUILL_BO_CREATE, &create);

	*handle = create.handle;
	return ret;
}

static uint64_t v_free(int fd)
{
	struct drm_quill_dev_info info;

	return q_info(fd, &info) ? 0 : info.mem_free;
}

static uint32_t v_word(uint32_t i, uint32_t seed)
{
	return (i + seed) * 0x9e3779b1u;
}

static void v_write(volatile uint32_t *ptr, uint64_t size, uint32_t seed)
{
	uint32_t i;

	for (i = 0; i < size / 4; i++)
		ptr[i] = v_word(i, seed);
}

static uint32_t v_wrong(volatile uint32_t *ptr, uint64_t size, uint32_t seed)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < size / 4; i++)
		wrong += ptr[i] != v_word(i, seed);
	return wrong;
}

TEST_F(vram, info_tells_size_and_what_is_free)
{
	struct drm_quill_dev_info info;
	uint32_t handle;
	uint64_t before;

	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	EXPECT_NE(0, info.features & DRM_QUILL_FEATURE_BO_DEVICE);
	EXPECT_LE(1 << 20, info.mem_size);
	EXPECT_LE(info.mem_free, info.mem_size);
	before = info.mem_free;
	ASSERT_EQ(0, v_create(self->ctx.fd, 3 * PAGE - 5, &handle));
	EXPECT_EQ(before - 3 * PAGE, v_free(self->ctx.fd));
	ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle));
	EXPECT_EQ(before, v_free(self->ctx.fd));
}

TEST_F(vram, the_process_sees_what_the_device_writes_and_the_other_way_round)
{
	union quill_cmd cmds[] = {
		q_copy(OTHER_VA + SIZE / 2, OTHER_VA, SIZE / 2),
		q_cmd(QUILL_OP_FENCE),
		q_copy(q_data(&self->ctx), OTHER_VA + SIZE / 2, 4 * PAGE),
		q_copy(OTHER_VA, q_data(&self->ctx) + 4 * PAGE, PAGE),
	};
	struct q_context *ctx = &self->ctx;
	uint32_t handle, *ptr;

	ASSERT_EQ(0, v_create(ctx->fd, SIZE, &handle));
	ptr = q_bo_map(ctx->fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	v_write(ptr, SIZE / 2, 1);
	v_write((void *)(ctx->ptr + 5 * PAGE), PAGE, 2);
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, SIZE, 0));
	ASSERT_EQ(0, q_run_wait(ctx, cmds, ARRAY_SIZE(cmds)));
	EXPECT_EQ(0, v_wrong(ptr + SIZE / 8, SIZE / 2, 1));
	EXPECT_EQ(0, v_wrong((void *)(ctx->ptr + PAGE), 4 * PAGE, 1));
	EXPECT_EQ(0, v_wrong(ptr, PAGE, 2));
	munmap(ptr, SIZE);
}

TEST_F(vram, a_stream_runs_from_device_memory)
{
	union quill_cmd fill = q_fill(q_data(&self->ctx), 0xabcd0123, 64);
	struct q_context *ctx = &self->ctx;
	uint32_t handle, sync;
	void *ptr;

	ASSERT_EQ(0, v_create(ctx->fd, PAGE, &handle));
	ptr = q_bo_map(ctx->fd, handle, PAGE);
	ASSERT_NE(NULL, ptr);
	memcpy(ptr, &fill, sizeof(fill));
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, PAGE, DRM_QUILL_BIND_READONLY));
	ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, OTHER_VA, sizeof(fill), &sync));
	EXPECT_EQ(0, q_finish(ctx->fd, sync));
	EXPECT_EQ(0xabcd0123, *(uint32_t *)(ctx->ptr + PAGE));
	munmap(ptr, PAGE);
}

/* All of device memory, in objects of a quarter: full of what the device wrote, then closed. */
static int v_dirty(struct q_context *ctx, uint64_t size)
{
	uint32_t handle[4], i;
	int ret = 0;

	for (i = 0; i < 4 && !ret; i++) {
		union quill_cmd fill = q_fill(OTHER_VA, 0x5a5a5a5a, size / 4);

		ret = v_create(ctx->fd, size / 4, &handle[i]);
		if (!ret)
			ret = q_map(ctx->fd, ctx->vm, handle[i], 0, OTHER_VA, size / 4, 0);
		if (!ret)
			ret = q_run_wait(ctx, &fill, 1);
		if (!ret)
			ret = q_unmap(ctx->fd, ctx->vm, OTHER_VA, size / 4);
	}
	while (i--)
		q_bo_close(ctx->fd, handle[i]);
	return ret;
}

TEST_F(vram, memory_that_was_in_use_comes_back_as_zero)
{
	uint64_t size = v_free(self->ctx.fd) & -(16ull << 20);
	uint32_t handle, i;
	uint64_t *ptr;

	ASSERT_EQ(0, v_dirty(&self->ctx, size < (64 << 20) ? size : 64 << 20));
	ASSERT_EQ(0, v_create(self->ctx.fd, 64 << 20, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, 64 << 20);
	ASSERT_NE(NULL, ptr);
	for (i = 0; i < (64 << 20) / PAGE; i++)
		ASSERT_EQ(0, ptr[i * 512] | ptr[i * 512 + 511]);
	munmap(ptr, 64 << 20);
}

TEST_F(vram, full_memory_is_ENOSPC_and_what_is_closed_is_free_again)
{
	uint64_t before = v_free(self->ctx.fd), piece = before / 8 & -PAGE;
	uint32_t handle[16], again;
	int n = 0;

	while (n < 16 && !v_create(self->ctx.fd, piece, &handle[n]))
		n++;
	EXPECT_EQ(8, n);
	EXPECT_EQ(-ENOSPC, v_create(self->ctx.fd, v_free(self->ctx.fd) + PAGE, &again));
	/* half of the pieces, not next to one another, hold an object of their sum */
	for (n = 0; n < 8; n += 2)
		ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle[n]));
	EXPECT_EQ(0, v_create(self->ctx.fd, 4 * piece, &again));
	EXPECT_EQ(0, q_bo_close(self->ctx.fd, again));
	for (n = 1; n < 8; n += 2)
		ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle[n]));
	EXPECT_EQ(before, v_free(self->ctx.fd));
}

TEST_F(vram, an_object_larger_than_the_memory_is_ENOSPC)
{
	struct drm_quill_dev_info info;
	uint32_t handle;

	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	EXPECT_EQ(-ENOSPC, v_create(self->ctx.fd, info.mem_size + 1, &handle));
	EXPECT_EQ(-ENOSPC, v_create(self->ctx.fd, 1ull << 46, &handle));
	EXPECT_EQ(-EINVAL, v_create(self->ctx.fd, 0, &handle));
	EXPECT_EQ(-E2BIG, v_create(self->ctx.fd, ~0ull, &handle));
}

TEST_F(vram, an_object_of_all_memory_is_used_to_its_last_byte)
{
	uint64_t size = v_free(self->ctx.fd);
	union quill_cmd cmds[] = {
		q_fill(OTHER_VA + size - 64, 0x77, 64),
		q_cmd(QUILL_OP_FENCE),
		q_copy(q_data(&self->ctx), OTHER_VA + size - 64, 64),
	};
	struct q_context *ctx = &self->ctx;
	uint32_t handle;

	ASSERT_EQ(0, v_create(ctx->fd, size, &handle));
	ASSERT_EQ(0, q_map(ctx->fd, ctx->vm, handle, 0, OTHER_VA, size, 0));
	EXPECT_EQ(0, q_run_wait(ctx, cmds, ARRAY_SIZE(cmds)));
	EXPECT_EQ(0x77, *(uint32_t *)(ctx->ptr + PAGE + 60));
}

TEST_F(vram, a_closed_file_gives_its_memory_back)
{
	uint64_t before = v_free(self->ctx.fd);
	int fd = q_open(), i;
	uint32_t handle, vm;
	uint8_t *ptr;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, q_vm_create(fd, &vm));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, v_create(fd, SIZE, &handle));
		ASSERT_EQ(0, q_map(fd, vm, handle, 0, OTHER_VA + i * SIZE, SIZE, 0));
	}
	ptr = q_bo_map(fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	EXPECT_EQ(before - 4 * SIZE, v_free(self->ctx.fd));
	/* a mapping keeps the file */
	close(fd);
	ptr[SIZE - 1] = 1;
	munmap(ptr, SIZE);
	EXPECT_EQ(before, v_free(self->ctx.fd));
}

TEST_F(vram, fdinfo_and_objects_tell_whose_it_is)
{
	uint64_t total = q_fdinfo(self->ctx.fd, "drm-total-memory");
	/* Where DMA is bounced, the context's own object is there too. */
	uint64_t before = q_fdinfo(self->ctx.fd, "drm-total-vram");
	char want[64], text[8192];
	uint32_t handle;
	int other = q_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, v_create(self->ctx.fd, 3 * PAGE, &handle));
	EXPECT_EQ(before + 3 * PAGE / 1024, q_fdinfo(self->ctx.fd, "drm-total-vram"));
	EXPECT_EQ(before + 3 * PAGE / 1024, q_fdinfo(self->ctx.fd, "drm-resident-vram"));
	EXPECT_EQ(total, q_fdinfo(self->ctx.fd, "drm-total-memory"));
	EXPECT_EQ(0, q_fdinfo(other, "drm-total-vram"));
	snprintf(want, sizeof(want), "pid %d: %llu bytes device, handles 1,", getpid(), 3 * PAGE);
	if (!q_debugfs_read("objects", text, sizeof(text)))
		EXPECT_NE(NULL, strstr(text, want)) { TH_LOG("%s", text); }
	ASSERT_EQ(0, q_bo_close(self->ctx.fd, handle));
	EXPECT_EQ(before, q_fdinfo(self->ctx.fd, "drm-total-vram"));
	close(other);
}

TEST_F(vram, mappings_beyond_the_object_or_private_are_refused)
{
	struct drm_quill_bo_mmap_offset offset = {};

	ASSERT_EQ(0, v_create(self->ctx.fd, PAGE, &offset.handle));
	EXPECT_EQ(NULL, q_bo_map(self->ctx.fd, offset.handle, 2 * PAGE));
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, self->ctx.fd, offset.offset));
}

TEST_F(vram, a_sealed_object_is_not_written)
{
	uint32_t handle;
	uint8_t *ptr;

	ASSERT_EQ(0, v_create(self->ctx.fd, PAGE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, PAGE);
	ASSERT_NE(NULL, ptr);
	ptr[5] = 7;
	EXPECT_EQ(-EBUSY, q_bo_seal(self->ctx.fd, handle));
	munmap(ptr, PAGE);
	ASSERT_EQ(0, q_bo_seal(self->ctx.fd, handle));
	EXPECT_EQ(NULL, q_bo_map(self->ctx.fd, handle, PAGE));
	EXPECT_EQ(-EACCES, q_map(self->ctx.fd, self->ctx.vm, handle, 0, OTHER_VA, PAGE, 0));
	ptr = q_bo_map_prot(self->ctx.fd, handle, PAGE, PROT_READ);
	ASSERT_NE(NULL, ptr);
	EXPECT_EQ(7, ptr[5]);
	EXPECT_EQ(-1, mprotect(ptr, PAGE, PROT_READ | PROT_WRITE));
	munmap(ptr, PAGE);
}

TEST_F(vram, a_child_shares_the_mapping)
{
	uint32_t handle;
	uint8_t *ptr;
	pid_t child;
	int status;

	ASSERT_EQ(0, v_create(self->ctx.fd, PAGE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, PAGE);
	ASSERT_NE(NULL, ptr);
	ptr[0] = 1;
	child = fork();
	if (!child) {
		ptr[1] = ptr[0] + 1;
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, ptr[1]);
	munmap(ptr, PAGE);
}

/* ---- dma-buf ---- */

TEST_F(vram, another_file_gets_it_by_dma_buf_and_another_device_does_not)
{
	struct drm_prime_handle args = { .flags = DRM_CLOEXEC | DRM_RDWR };
	int fd = q_open(), second = q_open_nth(1);
	uint32_t handle, imported;
	uint8_t *ptr, *other;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, v_create(self->ctx.fd, PAGE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, PAGE);
	ASSERT_NE(NULL, ptr);
	args.handle = handle;
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	ASSERT_EQ(0, q_import(fd, args.fd, &imported));
	other = q_bo_map(fd, imported, PAGE);
	ASSERT_NE(NULL, other);
	ptr[9] = 77;
	EXPECT_EQ(77, other[9]);
	munmap(other, PAGE);
	other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, args.fd, 0);
	ASSERT_NE(MAP_FAILED, other);
	EXPECT_EQ(77, other[9]);
	munmap(other, PAGE);
	munmap(ptr, PAGE);
	if (second >= 0) {
		EXPECT_EQ(-EOPNOTSUPP, q_import(second, args.fd, &imported));
		close(second);
	}
	close(args.fd);
	close(fd);
}

/* ---- Resets, sleep, unplug ---- */

TEST_F(vram, resets_keep_content_and_mappings)
{
	static const char * const steps[] = { "cores", "device" };
	uint32_t handle, *ptr, i;

	ASSERT_EQ(0, v_create(self->ctx.fd, SIZE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	v_write(ptr, SIZE, 3);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (q_debugfs("recover", steps[i]))
			SKIP(break, "no debugfs");
		self->expected_resets++;
		EXPECT_EQ(0, v_wrong(ptr, SIZE, 3));
	}
	munmap(ptr, SIZE);
}

/* The PCI device's folder in sysfs. */
static void v_sysfs(int fd, const char *file, char *path, size_t size)
{
	struct stat st = {};

	fstat(fd, &st);
	snprintf(path, size, "/sys/dev/char/%u:%u/device/%s", major(st.st_rdev), minor(st.st_rdev), file);
}

TEST_F(vram, a_function_level_reset_keeps_content_while_a_process_writes)
{
	uint32_t handle, *ptr, i;
	volatile uint32_t *mine;
	char path[128];
	pid_t child;
	int status;

	ASSERT_EQ(0, v_create(self->ctx.fd, SIZE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	v_write(ptr, SIZE, 4);
	child = fork();
	if (!child) {
		/* what it has written it must read, whatever happens meanwhile */
		mine = ptr + SIZE / 8;
		for (i = 1;; i++) {
			mine[i % 1024] = i;
			if (mine[i % 1024] != i)
				_exit(1);
		}
	}
	v_sysfs(self->ctx.fd, "reset", path, sizeof(path));
	ASSERT_EQ(0, q_put(path, "1"));
	self->expected_resets++;
	EXPECT_EQ(0, v_wrong(ptr, SIZE / 2, 4));
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	munmap(ptr, SIZE);
}

/* Sleeps until the device does; false where it does not. */
static bool v_sleep(int fd)
{
	char path[128], status[16];
	FILE *f;
	int i;

	v_sysfs(fd, "power/runtime_status", path, sizeof(path));
	for (i = 0; i < 150; i++) {
		f = fopen(path, "r");
		if (!f)
			return false;
		status[0] = 0;
		fgets(status, sizeof(status), f);
		fclose(f);
		if (!strncmp(status, "suspended", 9))
			return true;
		usleep(100000);
	}
	return false;
}

TEST_F(vram, a_sleeping_device_keeps_content_and_is_woken_by_an_access)
{
	uint32_t handle, *ptr;

	ASSERT_EQ(0, v_create(self->ctx.fd, SIZE, &handle));
	ptr = q_bo_map(self->ctx.fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	v_write(ptr, SIZE, 6);
	ASSERT_TRUE(v_sleep(self->ctx.fd));
	EXPECT_EQ(0, v_wrong(ptr, SIZE, 6));
	ASSERT_TRUE(v_sleep(self->ctx.fd));
	v_write(ptr, SIZE, 7);
	EXPECT_EQ(0, v_wrong(ptr, SIZE, 7));
	ASSERT_TRUE(v_sleep(self->ctx.fd));
	EXPECT_EQ(0, v_create(self->ctx.fd, SIZE, &handle));
	munmap(ptr, SIZE);
}

static sigjmp_buf v_bus_error;

static void v_on_bus_error(int number)
{
	siglongjmp(v_bus_error, number);
}

TEST(after_an_unplug_a_mapping_is_SIGBUS_and_the_rest_goes_on)
{
	struct q_context gone;
	char link[256], path[128];
	uint32_t handle, *ptr;
	char *name;
	ssize_t len;
	int fd;

	fd = q_open_nth(1);
	if (fd < 0)
		SKIP(return, "one device only");
	v_sysfs(fd, "", path, sizeof(path));
	path[strlen(path) - 1] = 0;
	close(fd);
	len = readlink(path, link, sizeof(link) - 1);
	ASSERT_LT(0, len);
	link[len] = 0;
	name = strrchr(link, '/') + 1;

	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	ASSERT_EQ(0, v_create(gone.fd, SIZE, &handle));
	ASSERT_EQ(0, q_map(gone.fd, gone.vm, handle, 0, OTHER_VA, SIZE, 0));
	ptr = q_bo_map(gone.fd, handle, SIZE);
	ASSERT_NE(NULL, ptr);
	v_write(ptr, SIZE, 5);
	ASSERT_EQ(0, q_put("/sys/bus/pci/drivers/quill/unbind", name));
	signal(SIGBUS, v_on_bus_error);
	if (!sigsetjmp(v_bus_error, 1)) {
		*(volatile uint32_t *)ptr = 1;
		EXPECT_TRUE(false) { TH_LOG("a mapping of a device that is gone can be written"); }
	}
	signal(SIGBUS, SIG_DFL);
	EXPECT_EQ(-ENODEV, v_create(gone.fd, SIZE, &handle));
	/* pages of system memory are there still */
	gone.ptr[0] = 1;
	munmap(ptr, SIZE);
	q_context_fini(&gone);

	ASSERT_EQ(0, q_put("/sys/bus/pci/drivers/quill/bind", name));
	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	EXPECT_EQ(0, v_create(gone.fd, v_free(gone.fd), &handle));
	q_context_fini(&gone);
}

TEST_HARNESS_MAIN
