/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kselftests share: thin calls of the ioctls, without libaccel, so that a test can get them wrong in
 * every way, and a fixture whose teardown compares the device's resets with those that
 * the test expected.
 */
#ifndef QUILL_TEST_H
#define QUILL_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <drm.h>
#include <linux/sync_file.h>

#include "drm/quill_accel.h"
#include "quill/isa.h"

#include "kselftest_harness.h"

#define PAGE		4096ull
#define SECOND		1000000000ll
/* Longer than any job here takes under emulation on a busy host; no test waits it out. */
#define LONG		(60 * SECOND)
#define BASE_VA		0x100000000ull

/* Of one test, in seconds: more than LONG, so that a job that does not end is told as what it is. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	150

/* 0 or -errno, so that a test can compare with ==. */
static inline int q_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret == -1 && (errno == EINTR || errno == EAGAIN));
	return ret == -1 ? -errno : ret;
}

/* The @nth of the Quill devices, or -1. */
static inline int q_open_nth(int nth)
{
	char name[64] = "", path[64];
	struct drm_version version;
	int fd, i;

	for (i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "/dev/accel/accel%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(&version, 0, sizeof(version));
		version.name = name;
		version.name_len = sizeof(name) - 1;
		if (!q_ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "quill") && !nth--)
			return fd;
		close(fd);
	}
	return -1;
}

static inline int q_open(void)
{
	return q_open_nth(0);
}

static inline int q_info(int fd, struct drm_quill_dev_info *info)
{
	struct drm_quill_dev_query query = {
		.type = DRM_QUILL_DEV_QUERY_INFO,
		.size = sizeof(*info),
		.ptr = (uintptr_t)info,
	};

	memset(info, 0, sizeof(*info));
	return q_ioctl(fd, DRM_IOCTL_QUILL_DEV_QUERY, &query);
}

static inline uint32_t q_resets(int fd)
{
	struct drm_quill_dev_info info;

	return q_info(fd, &info) ? ~0u : info.reset_count;
}

static inline int q_bo_create(int fd, uint64_t size, uint32_t *handle)
{
	struct drm_quill_bo_create create = { .size = size };
	int ret = q_ioctl(fd, DRM_IOCTL_QUILL_BO_CREATE, &create);

	*handle = create.handle;
	return ret;
}

static inline int q_bo_close(int fd, uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	return q_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &close);
}

static inline int q_bo_seal(int fd, uint32_t handle)
{
	struct drm_quill_bo_seal seal = { .handle = handle };

	return q_ioctl(fd, DRM_IOCTL_QUILL_BO_SEAL, &seal);
}

/* NULL and errno. */
static inline void *q_bo_map_prot(int fd, uint32_t handle, uint64_t size, int prot)
{
	struct drm_quill_bo_mmap_offset offset = { .handle = handle };
	void *ptr;

	if (q_ioctl(fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset))
		return NULL;
	ptr = mmap(NULL, size, prot, MAP_SHARED, fd, offset.offset);
	return ptr == MAP_FAILED ? NULL : ptr;
}

static inline void *q_bo_map(int fd, uint32_t handle, uint64_t size)
{
	return q_bo_map_prot(fd, handle, size, PROT_READ | PROT_WRITE);
}

static inline int q_import(int fd, int buf, uint32_t *handle)
{
	struct drm_prime_handle args = { .fd = buf };
	int ret = q_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return ret;
}

static inline int q_vm_create(int fd, uint32_t *vm)
{
	struct drm_quill_vm_create create = {};
	int ret = q_ioctl(fd, DRM_IOCTL_QUILL_VM_CREATE, &create);

	*vm = create.vm_id;
	return ret;
}

static inline int q_vm_destroy(int fd, uint32_t vm)
{
	struct drm_quill_vm_destroy destroy = { .vm_id = vm };

	return q_ioctl(fd, DRM_IOCTL_QUILL_VM_DESTROY, &destroy);
}

static inline int q_bind_op(int fd, uint32_t vm, const struct drm_quill_bind_op *op)
{
	struct drm_quill_vm_bind bind = {
		.vm_id = vm,
		.ops = { .ptr = (uintptr_t)op, .count = 1, .stride = sizeof(*op) },
	};

	return q_ioctl(fd, DRM_IOCTL_QUILL_VM_BIND, &bind);
}

static inline int q_map(int fd, uint32_t vm, uint32_t handle, uint64_t offset, uint64_t va,
			uint64_t size, uint32_t flags)
{
	struct drm_quill_bind_op op = {
		.op = DRM_QUILL_BIND_MAP, .flags = flags, .handle = handle,
		.bo_offset = offset, .va = va, .size = size,
	};

	return q_bind_op(fd, vm, &op);
}

static inline int q_unmap(int fd, uint32_t vm, uint64_t va, uint64_t size)
{
	struct drm_quill_bind_op op = { .op = DRM_QUILL_BIND_UNMAP, .va = va, .size = size };

	return q_bind_op(fd, vm, &op);
}

static inline int q_bind_async(int fd, uint32_t vm, const struct drm_quill_bind_op *ops,
			       uint32_t n_ops, const struct drm_quill_sync *syncs, uint32_t n_syncs)
{
	struct drm_quill_vm_bind bind = {
		.vm_id = vm, .flags = DRM_QUILL_VM_BIND_ASYNC,
		.ops = { .ptr = (uintptr_t)ops, .count = n_ops, .stride = sizeof(*ops) },
		.syncs = { .ptr = (uintptr_t)syncs, .count = n_syncs, .stride = sizeof(*syncs) },
	};

	return q_ioctl(fd, DRM_IOCTL_QUILL_VM_BIND, &bind);
}

static inline int q_queue_create(int fd, uint32_t vm, uint32_t timeout_ms, uint32_t *queue)
{
	struct drm_quill_queue_create create = {
		.vm_id = vm, .priority = DRM_QUILL_PRIORITY_MEDIUM, .timeout_ms = timeout_ms,
	};
	int ret = q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create);

	*queue = create.queue_id;
	return ret;
}

static inline int q_queue_destroy(int fd, uint32_t queue)
{
	struct drm_quill_queue_destroy destroy = { .queue_id = queue };

	return q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_DESTROY, &destroy);
}

static inline int q_queue_query(int fd, uint32_t queue, struct drm_quill_queue_query *query)
{
	memset(query, 0, sizeof(*query));
	query->queue_id = queue;
	return q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_QUERY, query);
}

static inline int q_syncobj(int fd, uint32_t *handle)
{
	struct drm_syncobj_create create = {};
	int ret = q_ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &create);

	*handle = create.handle;
	return ret;
}

static inline int q_submit_syncs(int fd, uint32_t queue, uint64_t stream, uint32_t size,
				 const struct drm_quill_sync *syncs, uint32_t count)
{
	struct drm_quill_submit submit = {
		.queue_id = queue, .stream = stream, .stream_size = size,
		.syncs = { .ptr = (uintptr_t)syncs, .count = count, .stride = sizeof(*syncs) },
	};

	return q_ioctl(fd, DRM_IOCTL_QUILL_SUBMIT, &submit);
}

/* Submits; a fresh binary syncobj in *sync signals at the job's end. */
static inline int q_submit(int fd, uint32_t queue, uint64_t stream, uint32_t size, uint32_t *sync)
{
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL };
	int ret = q_syncobj(fd, &out.handle);

	if (ret)
		return ret;
	*sync = out.handle;
	return q_submit_syncs(fd, queue, stream, size, &out, 1);
}

static inline int64_t q_deadline(int64_t ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec + ns;
}

/* 0 when signalled, -ETIME when not in time: says nothing of the job's success. */
static inline int q_wait(int fd, uint32_t sync, int64_t ns)
{
	struct drm_syncobj_wait wait = {
		.handles = (uintptr_t)&sync, .count_handles = 1, .timeout_nsec = q_deadline(ns),
	};

	return q_ioctl(fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
}

/* The fence in a binary syncobj, as a file: a descriptor, or -errno. */
static inline int q_sync_file(int fd, uint32_t sync)
{
	struct drm_syncobj_handle export = {
		.handle = sync, .flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE, .fd = -1,
	};
	int ret = q_ioctl(fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &export);

	return ret ? ret : export.fd;
}

/* What the fences in a sync file ended with: 1 all signalled well, 0 not yet, or -errno. */
static inline int q_file_status(int file)
{
	struct sync_file_info info = {};
	int ret = q_ioctl(file, SYNC_IOC_FILE_INFO, &info);

	return ret ? ret : info.status;
}

/* The same of the fence in a binary syncobj. */
static inline int q_status(int fd, uint32_t sync)
{
	int file = q_sync_file(fd, sync), ret;

	if (file < 0)
		return file;
	ret = q_file_status(file);
	close(file);
	return ret;
}

/* Waits for the job's end: 0 if it went well, else the fence's error. */
static inline int q_finish(int fd, uint32_t sync)
{
	int ret = q_wait(fd, sync, LONG);

	if (ret)
		return ret;
	ret = q_status(fd, sync);
	return ret == 1 ? 0 : ret;
}

/* ---- Files ------------------------------------------------------------------ */

static inline int q_put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* The PCI device's name of an open file: "0000:01:00.0". */
static inline int q_pci_name(int fd, char name[64])
{
	char path[64], link[256];
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st))
		return -errno;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev), minor(st.st_rdev));
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = '\0';
	snprintf(name, 64, "%s", strrchr(link, '/') + 1);
	return 0;
}

/*
 * The path of a file in the first device's debugfs. Who was bound again may have another place in /dev/accel than in
 * the order of names.
 */
static inline int q_debugfs_path(const char *name, char *path, size_t size)
{
	char device[64];
	int fd = q_open(), ret = q_pci_name(fd, device);

	close(fd);
	if (!ret)
		snprintf(path, size, "/sys/kernel/debug/accel/%s/%s", device, name);
	return ret;
}

/* Writes to such a file. */
static inline int q_debugfs(const char *name, const char *value)
{
	char path[512];
	int ret = q_debugfs_path(name, path, sizeof(path));

	return ret ? ret : q_put(path, value);
}

/* The number behind "@key:" in the file's fdinfo; ~0 if there is none. */
static inline uint64_t q_fdinfo(int fd, const char *key)
{
	uint64_t value = ~0ull;
	char path[64], line[256];
	size_t len = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == ':')
			value = strtoull(line + len + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

/* Reads such a file. */
static inline int q_debugfs_read(const char *name, char *text, size_t size)
{
	char path[512];
	size_t len;
	FILE *f;
	int ret = q_debugfs_path(name, path, sizeof(path));

	f = ret ? NULL : fopen(path, "r");
	if (!f)
		return -ENOENT;
	len = fread(text, 1, size - 1, f);
	text[len] = 0;
	fclose(f);
	return 0;
}

/* Arms the next @count of an event in the device: -ENOENT or -ENXIO where that cannot be. */
static inline int q_inject(enum quill_inject what, unsigned int count)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%x", what | count << 16);
	return q_debugfs("inject", text);
}

/* "bind" or "unbind". */
static inline int q_driver(const char *action, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/quill/%s", action);
	return q_put(path, name);
}

/* ---- Streams -------------------------------------------------------------- */

static inline union quill_cmd q_cmd(uint8_t opcode)
{
	union quill_cmd cmd = {};

	cmd.hdr.opcode = opcode;
	return cmd;
}

static inline union quill_cmd q_fill(uint64_t dst, uint32_t value, uint64_t width)
{
	union quill_cmd cmd = q_cmd(QUILL_OP_FILL);

	cmd.fill.dst = dst;
	cmd.fill.value = value;
	cmd.fill.width = width;
	cmd.fill.height = 1;
	cmd.fill.elem = 4;
	return cmd;
}

static inline union quill_cmd q_copy(uint64_t dst, uint64_t src, uint64_t width)
{
	union quill_cmd cmd = q_cmd(QUILL_OP_COPY);

	cmd.copy.dst = dst;
	cmd.copy.src = src;
	cmd.copy.width = width;
	cmd.copy.height = 1;
	return cmd;
}

/* Jumps to itself: without end. */
static inline union quill_cmd q_endless(void)
{
	return q_cmd(QUILL_OP_JUMP);
}

/* ---- A context: a file with a VM, a queue, and an object bound into the VM --- */

#define Q_BUF_SIZE	(16 * PAGE)
#define Q_STREAM_MAX	64

struct q_context {
	int fd;
	uint32_t vm;
	uint32_t queue;
	uint32_t bo;
	/* The object: the stream in its first page, data behind. */
	uint64_t va;
	uint8_t *ptr;
};

static inline int q_context_init_nth(struct q_context *ctx, int nth, uint32_t timeout_ms)
{
	int ret;

	memset(ctx, 0, sizeof(*ctx));
	ctx->fd = q_open_nth(nth);
	if (ctx->fd < 0)
		return -ENOENT;
	ctx->va = BASE_VA;
	ret = q_vm_create(ctx->fd, &ctx->vm);
	if (!ret)
		ret = q_queue_create(ctx->fd, ctx->vm, timeout_ms, &ctx->queue);
	if (!ret)
		ret = q_bo_create(ctx->fd, Q_BUF_SIZE, &ctx->bo);
	if (!ret)
		ret = q_map(ctx->fd, ctx->vm, ctx->bo, 0, ctx->va, Q_BUF_SIZE, 0);
	if (ret)
		return ret;
	ctx->ptr = q_bo_map(ctx->fd, ctx->bo, Q_BUF_SIZE);
	return ctx->ptr ? 0 : -ENOMEM;
}

static inline int q_context_init(struct q_context *ctx, uint32_t timeout_ms)
{
	return q_context_init_nth(ctx, 0, timeout_ms);
}

static inline void q_context_fini(struct q_context *ctx)
{
	if (ctx->ptr)
		munmap(ctx->ptr, Q_BUF_SIZE);
	if (ctx->fd >= 0)
		close(ctx->fd);
}

static inline uint64_t q_data(const struct q_context *ctx)
{
	return ctx->va + PAGE;
}

/* Puts the records where the stream goes and submits them. */
static inline int q_run(struct q_context *ctx, const union quill_cmd *cmds, unsigned int count,
			uint32_t *sync)
{
	memcpy(ctx->ptr, cmds, count * sizeof(*cmds));
	return q_submit(ctx->fd, ctx->queue, ctx->va, count * sizeof(*cmds), sync);
}

/* The same, and waits: 0, the error of the call, or that of the job. */
static inline int q_run_wait(struct q_context *ctx, const union quill_cmd *cmds,
			     unsigned int count)
{
	uint32_t sync;
	int ret = q_run(ctx, cmds, count, &sync);

	return ret ? ret : q_finish(ctx->fd, sync);
}

/* ---- A fence that does not signal before it is told to ----------------------------- */

struct q_blocker {
	uint32_t queue;
	/* binary */
	uint32_t sync;
};

/* An endless job, in the last record of the context's stream page, on a queue of its own. */
static inline int q_block(struct q_context *ctx, struct q_blocker *blocker)
{
	union quill_cmd endless = q_endless();
	int ret = q_queue_create(ctx->fd, ctx->vm, 0, &blocker->queue);

	if (ret)
		return ret;
	memcpy(ctx->ptr + PAGE - sizeof(endless), &endless, sizeof(endless));
	return q_submit(ctx->fd, blocker->queue, ctx->va + PAGE - sizeof(endless), sizeof(endless),
			&blocker->sync);
}

/* Its fence ends with -ECANCELED. */
static inline int q_unblock(struct q_context *ctx, struct q_blocker *blocker)
{
	return q_queue_destroy(ctx->fd, blocker->queue);
}

#define Q_FIXTURE(name)									\
	FIXTURE(name) {									\
		struct q_context ctx;							\
		uint32_t resets;							\
		uint32_t expected_resets;						\
	};										\
	FIXTURE_SETUP(name)								\
	{										\
		ASSERT_EQ(0, q_context_init(&self->ctx, 0));				\
		self->resets = q_resets(self->ctx.fd);					\
		self->expected_resets = 0;						\
	}										\
	FIXTURE_TEARDOWN(name)								\
	{										\
		EXPECT_EQ(self->resets + self->expected_resets, q_resets(self->ctx.fd));\
		q_context_fini(&self->ctx);						\
	}

#endif /* QUILL_TEST_H */
