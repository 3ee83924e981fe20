// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is refused, field by field: the device's description, objects, address spaces and binds. Queues and jobs are in
 * refuse_jobs.c.
 */
#include "quill_refuse.h"

Q_REFUSE_FIXTURE(refuse)

/* ---- Any ioctl's argument ----------------------------------------------------------- */

static const unsigned long requests[] = {
	DRM_IOCTL_QUILL_DEV_QUERY, DRM_IOCTL_QUILL_BO_CREATE, DRM_IOCTL_QUILL_BO_MMAP_OFFSET,
	DRM_IOCTL_QUILL_VM_CREATE, DRM_IOCTL_QUILL_VM_DESTROY, DRM_IOCTL_QUILL_VM_BIND,
	DRM_IOCTL_QUILL_QUEUE_CREATE, DRM_IOCTL_QUILL_QUEUE_DESTROY, DRM_IOCTL_QUILL_QUEUE_QUERY,
	DRM_IOCTL_QUILL_SUBMIT, DRM_IOCTL_QUILL_QUEUE_SIGNAL,
};

TEST_F(refuse, every_ioctl_whose_argument_cannot_be_read_is_EFAULT)
{
	const uint64_t bad[] = { 0, Q_BAD_ADDRESSES, self->pages.none, self->pages.torn + 4 };
	uint32_t i, j;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			EXPECT_EQ(-EFAULT, q_ioctl(self->ctx.fd, requests[i], (void *)(uintptr_t)bad[j]))
				TH_LOG("ioctl %u at 0x%llx", i, (unsigned long long)bad[j]);
		}
}

TEST_F(refuse, every_ioctl_whose_argument_cannot_be_written_is_EFAULT)
{
	uint32_t i;

	/* Zeros: what could be made by them (a VM) goes with its file. */
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		int fd = q_open();

		ASSERT_LE(0, fd);
		EXPECT_EQ(-EFAULT, q_ioctl(fd, requests[i], self->pages.base)) TH_LOG("ioctl %u", i);
		close(fd);
	}
}

TEST_F(refuse, a_misaligned_argument_is_as_good_as_an_aligned_one)
{
	struct drm_quill_queue_query query = { .queue_id = self->ctx.queue };
	uint8_t room[sizeof(query) + 1];

	memcpy(room + 1, &query, sizeof(query));
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_QUERY, room + 1));
	memcpy(&query, room + 1, sizeof(query));
	EXPECT_EQ(self->ctx.queue, query.queue_id);
	EXPECT_LT(0, query.timeout_ms);
}

TEST_F(refuse, an_older_and_a_newer_programs_argument_are_understood)
{
	struct {
		struct drm_quill_queue_query query;
		uint64_t excess;
	} newer = { .query.queue_id = self->ctx.queue, .excess = 0x1234 };
	uint32_t older[4] = { self->ctx.queue, 0, 0x55, 0x55 };

	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_QUEUE_QUERY, uint64_t),
			     older));
	EXPECT_EQ(0x55, older[2]);
	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_QUEUE_QUERY, newer),
			     &newer));
	EXPECT_LT(0, newer.query.timeout_ms);
}

/* ---- DEV_QUERY ------------------------------------------------------------------------ */

TEST_F(refuse, dev_query_of_no_known_type_is_EINVAL)
{
	struct drm_quill_dev_info info;
	struct drm_quill_dev_query good = { .size = sizeof(info), .ptr = (uintptr_t)&info };

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_DEV_QUERY, good, type,
		       1u << 8, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, dev_query_to_where_it_cannot_write_is_EFAULT)
{
	struct drm_quill_dev_query good = { .size = sizeof(struct drm_quill_dev_info) };

	EXPECT_REFUSED(-EFAULT, self->ctx.fd, DRM_IOCTL_QUILL_DEV_QUERY, good, ptr,
		       Q_BAD_ADDRESSES, self->pages.read_only, self->pages.none, self->pages.torn);
}

TEST_F(refuse, dev_query_writes_no_more_than_size_and_no_more_than_it_has)
{
	uint8_t room[sizeof(struct drm_quill_dev_info) + 8];
	struct drm_quill_dev_query query = { .ptr = (uintptr_t)room + 1 };
	static const uint32_t sizes[] = { 0, 1, 7, sizeof(struct drm_quill_dev_info) - 1 };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(room, 0xa5, sizeof(room));
		query.size = sizes[i];
		EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_DEV_QUERY, &query));
		EXPECT_EQ(sizes[i], query.size);
		EXPECT_EQ(0xa5, room[1 + sizes[i]]);
	}
	for (i = 0; i < 2; i++) {
		memset(room, 0xa5, sizeof(room));
		query.size = ~0u - i;
		EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_DEV_QUERY, &query));
		EXPECT_EQ(sizeof(struct drm_quill_dev_info), query.size);
		EXPECT_EQ(0xa5, room[1 + sizeof(struct drm_quill_dev_info)]);
	}
}

/* ---- Objects -------------------------------------------------------------------------- */

TEST_F(refuse, bo_create_refuses_each_bad_size)
{
	struct drm_quill_bo_create good = { .size = PAGE };
	struct drm_quill_dev_info info;
	int fd = self->ctx.fd;

	ASSERT_EQ(0, q_info(fd, &info));
	EXPECT_REFUSED(-EINVAL, fd, DRM_IOCTL_QUILL_BO_CREATE, good, size, 0);
	EXPECT_REFUSED(-E2BIG, fd, DRM_IOCTL_QUILL_BO_CREATE, good, size,
		       info.va_end - info.va_start + 1, 1ull << 48, 1ull << 63, ~0ull - PAGE + 2,
		       ~0ull - 1, ~0ull);
	/* It would fit the address space, but not the machine. */
	EXPECT_REFUSED(-ENOMEM, fd, DRM_IOCTL_QUILL_BO_CREATE, good, size,
		       info.va_end - info.va_start, info.va_end - info.va_start - 1, 1ull << 40);
}

TEST_F(refuse, bo_create_refuses_each_unknown_flag)
{
	struct drm_quill_bo_create good = { .size = PAGE };

	EXPECT_BITS_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_BO_CREATE, good, flags,
			    DRM_QUILL_BO_FLAGS);
}

TEST_F(refuse, bo_mmap_offset_of_what_is_not_the_files_own_is_ENOENT)
{
	struct drm_quill_bo_mmap_offset good = {};
	uint32_t dead;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, PAGE, &dead));
	ASSERT_EQ(0, q_bo_close(self->ctx.fd, dead));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, good, handle,
		       0, dead, self->other.bo, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, bo_mmap_offset_refuses_each_flag)
{
	struct drm_quill_bo_mmap_offset good = { .handle = self->ctx.bo };

	EXPECT_BITS_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, good, flags, 0u);
}

TEST_F(refuse, mmap_of_offsets_that_nobody_gave_out_is_EINVAL)
{
	static const uint64_t offsets[] = { 0, PAGE, 1ull << 40, ~0ull - PAGE + 1 };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->ctx.fd, offsets[i]));
		EXPECT_TRUE(errno == EINVAL || errno == EOVERFLOW) TH_LOG("errno %d", errno);
	}
}

TEST_F(refuse, gem_close_of_what_is_not_the_files_own_is_EINVAL)
{
	struct drm_gem_close good = {};

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_GEM_CLOSE, good, handle,
		       0, self->other.bo, 1u << 31, ~0u - 1, ~0u);
}

/* ---- Address spaces --------------------------------------------------------------------- */

TEST_F(refuse, vm_create_refuses_each_flag)
{
	struct drm_quill_vm_create good = {};

	EXPECT_BITS_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_VM_CREATE, good, flags, 0u);
}

TEST_F(refuse, vm_destroy_of_what_is_not_the_files_own_is_ENOENT)
{
	struct drm_quill_vm_destroy good = {};
	uint32_t dead;

	ASSERT_EQ(0, q_vm_create(self->ctx.fd, &dead));
	ASSERT_EQ(0, q_vm_destroy(self->ctx.fd, dead));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_VM_DESTROY, good, vm_id,
		       0, dead, self->other.vm, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, vm_destroy_with_a_pad_is_EINVAL_and_destroys_nothing)
{
	struct drm_quill_vm_destroy good = {};

	ASSERT_EQ(0, q_vm_create(self->ctx.fd, &good.vm_id));
	EXPECT_BITS_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_VM_DESTROY, good, pad, 0u);
	EXPECT_EQ(0, q_vm_destroy(self->ctx.fd, good.vm_id));
}

/* ---- VM_BIND: the call -------------------------------------------------------------------- */

#define FREE_VA	(BASE_VA + 0x10000000ull)

static struct drm_quill_bind_op good_op(const struct q_context *ctx)
{
	return (struct drm_quill_bind_op) {
		.op = DRM_QUILL_BIND_MAP, .handle = ctx->bo, .va = FREE_VA, .size = PAGE,
	};
}

static struct drm_quill_vm_bind good_bind(const struct q_context *ctx,
					  const struct drm_quill_bind_op *op)
{
	return (struct drm_quill_vm_bind) {
		.vm_id = ctx->vm,
		.ops = { .ptr = (uintptr_t)op, .count = 1, .stride = sizeof(*op) },
	};
}

TEST_F(refuse, vm_bind_on_what_is_not_the_files_own_vm_is_ENOENT)
{
	struct drm_quill_bind_op op = good_op(&self->ctx);
	struct drm_quill_vm_bind good = good_bind(&self->ctx, &op);
	uint32_t dead;

	ASSERT_EQ(0, q_vm_create(self->ctx.fd, &dead));
	ASSERT_EQ(0, q_vm_destroy(self->ctx.fd, dead));
	EXPECT_REFUSED(-ENOENT, self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, good, vm_id,
		       0, dead, self->other.vm, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, vm_bind_refuses_unknown_flags_and_pads)
{
	struct drm_quill_bind_op op = good_op(&self->ctx);
	struct drm_quill_vm_bind good = good_bind(&self->ctx, &op);

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, good, flags,
		       1u << 30, 1u << 31, ~0u - 1, ~0u);
	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, good, pad,
		       1, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, vm_bind_of_operations_that_cannot_be_read_is_EFAULT)
{
	struct drm_quill_vm_bind good = good_bind(&self->ctx, NULL);

	EXPECT_REFUSED(-EFAULT, self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, good, ops.ptr,
		       0, Q_BAD_ADDRESSES, self->pages.none, self->pages.torn);
}

TEST_F(refuse, vm_bind_reads_operations_from_read_only_and_from_misaligned_memory)
{
	struct drm_quill_bind_op op = { .op = DRM_QUILL_BIND_UNMAP, .va = FREE_VA, .size = PAGE };
	struct drm_quill_vm_bind bind = good_bind(&self->ctx, NULL);
	uint8_t *room = self->pages.base + PAGE + 1;

	memcpy(room, &op, sizeof(op));
	bind.ops.ptr = (uintptr_t)room;
	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	EXPECT_EQ(1, bind.done);
	/* Zeros are a MAP without an object. */
	bind.ops.ptr = self->pages.read_only;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
}

TEST_F(refuse, vm_bind_of_too_many_operations_is_E2BIG)
{
	struct drm_quill_bind_op op = good_op(&self->ctx);
	struct drm_quill_vm_bind good = good_bind(&self->ctx, &op);

	EXPECT_REFUSED(-E2BIG, self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, good, ops.count,
		       DRM_QUILL_MAX_BIND_OPS + 1, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, vm_bind_of_no_operation_and_of_the_most_succeeds)
{
	struct drm_quill_vm_bind bind = good_bind(&self->ctx, NULL);
	struct drm_quill_bind_op *ops;
	uint32_t i;

	bind.ops.count = 0;
	bind.done = 7;
	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	EXPECT_EQ(0, bind.done);
	ops = calloc(DRM_QUILL_MAX_BIND_OPS, sizeof(*ops));
	ASSERT_NE(NULL, ops);
	for (i = 0; i < DRM_QUILL_MAX_BIND_OPS; i++)
		ops[i] = (struct drm_quill_bind_op) {
			.op = DRM_QUILL_BIND_UNMAP, .va = FREE_VA + i * PAGE, .size = PAGE,
		};
	bind = good_bind(&self->ctx, ops);
	bind.ops.count = DRM_QUILL_MAX_BIND_OPS;
	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	EXPECT_EQ(DRM_QUILL_MAX_BIND_OPS, bind.done);
	free(ops);
}

TEST_F(refuse, vm_bind_refuses_each_bad_stride)
{
	struct drm_quill_bind_op op = good_op(&self->ctx);
	struct drm_quill_vm_bind good = good_bind(&self->ctx, &op);

	EXPECT_REFUSED(-EINVAL, self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, good, ops.stride,
		       0, 1, 4, 7, sizeof(op) - 1, sizeof(op) + 1, ~0u - 1, ~0u);
	EXPECT_REFUSED(-E2BIG, self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, good, ops.stride,
		       PAGE + 8, 1u << 31, ~0u - 7);
}

TEST_F(refuse, vm_bind_of_shorter_operations_extends_them_with_zeros)
{
	struct drm_quill_bind_op op = { .op = DRM_QUILL_BIND_UNMAP_ALL, .va = 0x5555 };
	struct drm_quill_vm_bind bind;
	uint32_t vm;

	ASSERT_EQ(0, q_vm_create(self->ctx.fd, &vm));
	bind = good_bind(&self->ctx, &op);
	bind.vm_id = vm;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	bind.ops.stride = offsetof(struct drm_quill_bind_op, va);
	EXPECT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_VM_BIND, &bind));
	EXPECT_EQ(0, q_vm_destroy(self->ctx.fd, vm));
}

/* ---- VM_BIND: an operation ------------------------------------------------------------------ */

/* The result of one operation that is right but for one field; one that is refused must not count as done. */
static int with_op(const struct q_context *ctx, const struct drm_quill_bind_op *good, size_t at,
		   size_t size, uint64_t value)
{
	struct drm_quill_bind_op op = *good;
	struct drm_quill_vm_bind bind = good_bind(ctx, &op);
	int ret;

	memcpy((uint8_t *)&op + at, &value, size);
	ret = q_ioctl(ctx->fd, DRM_IOCTL_QUILL_VM_BIND, &bind);
	return bind.done == !ret ? ret : -EUCLEAN;
}

#define EXPECT_OP_REFUSED(error, good, member, ...) do {					\
	const uint64_t values_[] = { __VA_ARGS__ };						\
	uint32_t i_;										\
												\
	for (i_ = 0; i_ < ARRAY_SIZE(values_); i_++) {						\
		EXPECT_EQ(error, with_op(&self->ctx, &(good),					\
					 offsetof(struct drm_quill_bind_op, member),		\
					 sizeof((good).member), values_[i_]))			\
			TH_LOG(#member " = 0x%llx", (unsigned long long)values_[i_]);		\
	}											\
} while (0)

TEST_F(refuse, bind_op_refuses_each_unknown_operation)
{
	struct drm_quill_bind_op good = good_op(&self->ctx);

	EXPECT_OP_REFUSED(-EINVAL, good, op, 1u << 8, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, bind_op_refuses_each_unknown_flag)
{
	struct drm_quill_bind_op good = good_op(&self->ctx);
	int bit;

	for (bit = 0; bit < 32; bit++)
		if (!(DRM_QUILL_BIND_FLAGS >> bit & 1))
			EXPECT_OP_REFUSED(-EINVAL, good, flags, 1u << bit);
	EXPECT_OP_REFUSED(-EINVAL, good, flags, ~0u);
}

TEST_F(refuse, bind_op_of_what_is_not_the_files_own_object_is_ENOENT)
{
	struct drm_quill_bind_op good = good_op(&self->ctx);
	uint32_t dead;

	ASSERT_EQ(0, q_bo_create(self->ctx.fd, PAGE, &dead));
	ASSERT_EQ(0, q_bo_close(self->ctx.fd, dead));
	EXPECT_OP_REFUSED(-ENOENT, good, handle, 0, dead, self->other.bo, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, bind_op_refuses_each_pad)
{
	struct drm_quill_bind_op good = good_op(&self->ctx);

	EXPECT_OP_REFUSED(-EINVAL, good, pad, 1, 1u << 31, ~0u - 1, ~0u);
}

TEST_F(refuse, bind_op_refuses_each_bad_offset)
{
	struct drm_quill_bind_op good = good_op(&self->ctx);

	EXPECT_OP_REFUSED(-EINVAL, good, bo_offset, 1, PAGE - 1, Q_BUF_SIZE - 1, Q_BUF_SIZE,
			  1ull << 63, ~0ull - PAGE + 1, ~0ull - 1, ~0ull);
}

TEST_F(refuse, bind_op_refuses_each_bad_address)
{
	struct drm_quill_bind_op good = good_op(&self->ctx);
	struct drm_quill_dev_info info;

	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	EXPECT_OP_REFUSED(-EINVAL, good, va, 0, 1, info.va_start - 1, info.va_start - PAGE,
			  info.va_end - 1, info.va_end, 1ull << 48, 1ull << 63, ~0ull - PAGE + 1,
			  ~0ull - 1, ~0ull);
	EXPECT_OP_REFUSED(-EEXIST, good, va, self->ctx.va, self->ctx.va + Q_BUF_SIZE - PAGE);
}

TEST_F(refuse, bind_op_refuses_each_bad_size)
{
	struct drm_quill_bind_op good = good_op(&self->ctx);

	EXPECT_OP_REFUSED(-EINVAL, good, size, 0, 1, PAGE - 1, PAGE + 1, Q_BUF_SIZE + PAGE,
			  1ull << 48, 1ull << 63, 0 - FREE_VA, ~0ull - PAGE + 1, ~0ull - 1, ~0ull);
}

TEST_F(refuse, unmap_takes_no_object_no_offset_and_no_flag)
{
	struct drm_quill_bind_op good = {
		.op = DRM_QUILL_BIND_UNMAP, .va = self->ctx.va, .size = PAGE,
	};

	EXPECT_OP_REFUSED(-EINVAL, good, handle, 1, self->ctx.bo, ~0u);
	EXPECT_OP_REFUSED(-EINVAL, good, bo_offset, PAGE, ~0ull - PAGE + 1, ~0ull);
	EXPECT_OP_REFUSED(-EINVAL, good, flags, DRM_QUILL_BIND_READONLY, 1u << 31, ~0u);
	EXPECT_OP_REFUSED(-EINVAL, good, pad, 1, ~0u);
}

TEST_HARNESS_MAIN
