// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each call with its first allocation failing, then its second, and so on until none is left to fail: it says -ENOMEM or
 * does without, leaves nothing behind, and works the next time. Needs a kernel with fault injection (make check-debug),
 * which also sees what was lost.
 */
#include "quill_test.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
/* No call here comes near it; a sweep that does has no end. */
#define MOST		5000
#define WIDE		(2ull << 20)
#define WIDE_VA		(BASE_VA + (1ull << 40))
#define RECORD		((uint32_t)sizeof(union quill_cmd))
#define SLOW		8

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Allocations that may sleep are left alone by default, and those are nearly all; and a stack is logged for each failure. */
static int failures_of_all_kinds(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };
	static const struct { const char *name, *value; } settings[] = {
		{ "ignore-gfp-wait", "0" }, { "verbose", "0" }, { "min-order", "0" }, { "ignore-gfp-highmem", "0" },
	};
	char path[128];
	size_t i, j;
	int ret;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (j = 0; j < ARRAY_SIZE(settings); j++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kinds[i], settings[j].name);
			ret = write_file(path, settings[j].value);
			if (ret && (ret != -ENOENT || j < 2))
				return ret;
		}
	}
	return 0;
}

FIXTURE(nomem) {
	struct q_context ctx;
	uint32_t resets;
	int fail_nth;
	/* what the call makes, or signals */
	uint32_t id;
	int fd;
	/* an object of WIDE bytes; a second queue, and its fence */
	uint32_t wide;
	uint32_t queue;
	uint32_t first;
};

FIXTURE_SETUP(nomem)
{
	self->fail_nth = open(FAIL_NTH, O_RDWR);
	if (self->fail_nth < 0)
		SKIP(return, "the kernel has no " FAIL_NTH);
	ASSERT_EQ(0, failures_of_all_kinds());
	ASSERT_EQ(0, q_context_init(&self->ctx, 0));
	ASSERT_EQ(0, q_bo_create(self->ctx.fd, WIDE, &self->wide));
	self->resets = q_resets(self->ctx.fd);
}

FIXTURE_TEARDOWN(nomem)
{
	union quill_cmd cmd = q_fill(q_data(&self->ctx), 0x900d, PAGE);

	if (self->fail_nth < 0)
		return;
	/* The file that saw the failures is as good as new. */
	EXPECT_EQ(0, q_run_wait(&self->ctx, &cmd, 1));
	EXPECT_EQ(0x900d, *(uint32_t *)(self->ctx.ptr + PAGE));
	EXPECT_EQ(self->resets, q_resets(self->ctx.fd));
	q_context_fini(&self->ctx);
	close(self->fail_nth);
}

typedef FIXTURE_DATA(nomem) nomem_data;

/* The call, with its nth allocation failing. *hit: it had so many. */
static int fail_nth(nomem_data *self, unsigned int nth, int (*call)(nomem_data *self), bool *hit)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);
	int ret;

	/* One write before and one read after, with nothing between that allocates but the call. */
	if (pwrite(self->fail_nth, text, len, 0) != len)
		return -EBADF;
	ret = call(self);
	len = pread(self->fail_nth, text, sizeof(text) - 1, 0);
	if (len <= 0 || pwrite(self->fail_nth, "0", 1, 0) != 1)
		return -EBADF;
	text[len] = 0;
	*hit = !atoi(text);
	return ret;
}

/* How many allocations failed. */
static unsigned int sweep(struct __test_metadata *_metadata, nomem_data *self,
			  int (*call)(nomem_data *self), int (*undo)(nomem_data *self))
{
	unsigned int nth, failed = 0;
	bool hit = true;
	int ret;

	for (nth = 1; hit && nth < MOST; nth++) {
		ret = fail_nth(self, nth, call, &hit);
		if (ret) {
			failed++;
			EXPECT_EQ(-ENOMEM, ret)
				TH_LOG("with allocation %u", nth);
			EXPECT_TRUE(hit);
		} else {
			EXPECT_EQ(0, undo(self));
		}
	}
	EXPECT_FALSE(hit);
	TH_LOG("%u allocations, %u of them made it fail", nth - 2, failed);
	return failed;
}

static int open_device(nomem_data *self)
{
	self->fd = open("/dev/accel/accel0", O_RDWR | O_CLOEXEC);
	return self->fd < 0 ? -errno : 0;
}

static int close_device(nomem_data *self)
{
	return close(self->fd);
}

TEST_F(nomem, open)
{
	EXPECT_NE(0, sweep(_metadata, self, open_device, close_device));
}

static int bo_create(nomem_data *self)
{
	return q_bo_create(self->ctx.fd, 16 * PAGE, &self->id);
}

static int bo_close(nomem_data *self)
{
	return q_bo_close(self->ctx.fd, self->id);
}

TEST_F(nomem, bo_create)
{
	EXPECT_NE(0, sweep(_metadata, self, bo_create, bo_close));
}

static int vm_create(nomem_data *self)
{
	return q_vm_create(self->ctx.fd, &self->id);
}

static int vm_destroy(nomem_data *self)
{
	return q_vm_destroy(self->ctx.fd, self->id);
}

TEST_F(nomem, vm_create)
{
	EXPECT_NE(0, sweep(_metadata, self, vm_create, vm_destroy));
}

static int map_wide(nomem_data *self)
{
	return q_map(self->ctx.fd, self->ctx.vm, self->wide, 0, WIDE_VA, WIDE, 0);
}

static int unmap_wide(nomem_data *self)
{
	return q_unmap(self->ctx.fd, self->ctx.vm, WIDE_VA, WIDE);
}

TEST_F(nomem, vm_bind_map)
{
	EXPECT_NE(0, sweep(_metadata, self, map_wide, unmap_wide));
}

/* An object of its own each time, for its pages are allocated by the first bind. */
static int map_fresh(nomem_data *self)
{
	return q_map(self->ctx.fd, self->ctx.vm, self->id, 0, WIDE_VA, 16 * PAGE, 0);
}

static int close_fresh(nomem_data *self)
{
	int ret = q_unmap(self->ctx.fd, self->ctx.vm, WIDE_VA, 16 * PAGE);

	if (!ret)
		ret = q_bo_close(self->ctx.fd, self->id);
	return ret ? ret : q_bo_create(self->ctx.fd, 16 * PAGE, &self->id);
}

TEST_F(nomem, vm_bind_of_an_object_without_pages)
{
	ASSERT_EQ(0, bo_create(self));
	EXPECT_NE(0, sweep(_metadata, self, map_fresh, close_fresh));
}

/* A hole leaves two mappings where one was. */
static int unmap_middle(nomem_data *self)
{
	return q_unmap(self->ctx.fd, self->ctx.vm, WIDE_VA + 16 * PAGE, PAGE);
}

static int map_again(nomem_data *self)
{
	int ret = unmap_wide(self);

	return ret ? ret : map_wide(self);
}

TEST_F(nomem, vm_bind_unmap_of_a_part)
{
	ASSERT_EQ(0, map_wide(self));
	EXPECT_NE(0, sweep(_metadata, self, unmap_middle, map_again));
}

/* Of a bind that does not wait, nothing but the call may fail: the rest allocates nothing. */
static int map_async(nomem_data *self)
{
	struct drm_quill_bind_op op = {
		.op = DRM_QUILL_BIND_MAP, .handle = self->wide, .va = WIDE_VA, .size = WIDE,
	};
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL, .handle = self->id };

	return q_bind_async(self->ctx.fd, self->ctx.vm, &op, 1, &out, 1);
}

static int finish_and_unmap(nomem_data *self)
{
	int ret = q_finish(self->ctx.fd, self->id);

	return ret ? ret : unmap_wide(self);
}

TEST_F(nomem, vm_bind_that_does_not_wait)
{
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &self->id));
	EXPECT_NE(0, sweep(_metadata, self, map_async, finish_and_unmap));
}

static int queue_create(nomem_data *self)
{
	return q_queue_create(self->ctx.fd, self->ctx.vm, 0, &self->id);
}

static int queue_destroy(nomem_data *self)
{
	return q_queue_destroy(self->ctx.fd, self->id);
}

TEST_F(nomem, queue_create)
{
	EXPECT_NE(0, sweep(_metadata, self, queue_create, queue_destroy));
}

static int user_queue_create(nomem_data *self)
{
	struct drm_quill_queue_create create = {
		.vm_id = self->ctx.vm, .flags = DRM_QUILL_QUEUE_CREATE_USER,
	};
	int ret = q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create);

	self->id = create.queue_id;
	return ret;
}

TEST_F(nomem, queue_create_user)
{
	EXPECT_NE(0, sweep(_metadata, self, user_queue_create, queue_destroy));
}

/* Of a job that is never rung: its fence ends with the queue. */
static int queue_signal(nomem_data *self)
{
	struct drm_quill_queue_signal signal = {
		.queue_id = self->queue, .syncobj = self->id, .point = 1, .count = 1,
	};

	return q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &signal);
}

static int nothing(nomem_data *self)
{
	return 0;
}

TEST_F(nomem, queue_signal)
{
	ASSERT_EQ(0, user_queue_create(self));
	self->queue = self->id;
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &self->id));
	EXPECT_NE(0, sweep(_metadata, self, queue_signal, nothing));
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, self->queue));
}

static int submit(nomem_data *self)
{
	struct drm_quill_sync out = { .flags = DRM_QUILL_SYNC_SIGNAL, .handle = self->id };

	return q_submit_syncs(self->ctx.fd, self->ctx.queue, self->ctx.va, RECORD, &out, 1);
}

static int finish(nomem_data *self)
{
	return q_finish(self->ctx.fd, self->id);
}

TEST_F(nomem, submit)
{
	union quill_cmd cmd = q_fill(q_data(&self->ctx), 1, PAGE);

	memcpy(self->ctx.ptr, &cmd, sizeof(cmd));
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &self->id));
	EXPECT_NE(0, sweep(_metadata, self, submit, finish));
}

/* With a fence to wait for, that of a job in another queue, a job takes the way through the scheduler. */
static int submit_two(nomem_data *self)
{
	struct drm_quill_sync syncs[] = {
		{ .flags = DRM_QUILL_SYNC_SIGNAL, .handle = self->first }, { .handle = self->first },
		{ .flags = DRM_QUILL_SYNC_SIGNAL, .handle = self->id },
	};
	struct q_context *ctx = &self->ctx;
	int ret = q_submit_syncs(ctx->fd, self->queue, ctx->va + RECORD, SLOW * RECORD, syncs, 1);

	return ret ? ret : q_submit_syncs(ctx->fd, ctx->queue, ctx->va, RECORD, syncs + 1, 2);
}

TEST_F(nomem, submit_with_a_fence_to_wait_for)
{
	union quill_cmd cmds[1 + SLOW];
	unsigned int i;

	cmds[0] = q_fill(q_data(&self->ctx), 1, PAGE);
	for (i = 1; i <= SLOW; i++)
		cmds[i] = q_fill(WIDE_VA, i, WIDE);
	memcpy(self->ctx.ptr, cmds, sizeof(cmds));
	ASSERT_EQ(0, map_wide(self));
	ASSERT_EQ(0, q_queue_create(self->ctx.fd, self->ctx.vm, 0, &self->queue));
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &self->first));
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &self->id));
	EXPECT_NE(0, sweep(_metadata, self, submit_two, finish));
}

TEST_HARNESS_MAIN
