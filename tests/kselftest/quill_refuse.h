/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what is refused: an argument that is right but for one field; addresses that are not the caller's; and a
 * fixture with a second file, whose teardown counts what there is.
 */
#ifndef QUILL_REFUSE_H
#define QUILL_REFUSE_H

#include "quill_test.h"

/*
 * The result of a call whose argument is *@good, but for @size bytes at @at. What is refused comes back as it was given:
 * -EUCLEAN if not.
 */
static inline int q_with(int fd, unsigned long request, const void *good, size_t at, size_t size,
			 uint64_t value)
{
	uint8_t given[1024] = {}, args[1024];
	int ret;

	memcpy(given, good, _IOC_SIZE(request));
	memcpy(given + at, &value, size);
	memcpy(args, given, sizeof(args));
	ret = q_ioctl(fd, request, args);
	return ret && memcmp(args, given, sizeof(args)) ? -EUCLEAN : ret;
}

/* The call is refused with @error for each of these values of @good's @member. */
#define EXPECT_REFUSED(error, fd, request, good, member, ...) do {				\
	const uint64_t values_[] = { __VA_ARGS__ };						\
	uint32_t i_;										\
												\
	for (i_ = 0; i_ < ARRAY_SIZE(values_); i_++) {						\
		int ret_ = q_with(fd, request, &(good), offsetof(__typeof__(good), member),	\
				  sizeof((good).member), values_[i_]);				\
												\
		EXPECT_EQ(error, ret_)								\
			TH_LOG(#member " = 0x%llx", (unsigned long long)values_[i_]);		\
	}											\
} while (0)

/* ... for each bit of @member that is not in @known, and for all of them. */
#define EXPECT_BITS_REFUSED(error, fd, request, good, member, known) do {			\
	uint32_t bit_;										\
												\
	for (bit_ = 0; bit_ < 8 * sizeof((good).member); bit_++)				\
		if (!((known) >> bit_ & 1))							\
			EXPECT_REFUSED(error, fd, request, good, member, 1ull << bit_);		\
	EXPECT_REFUSED(error, fd, request, good, member, ~0ull, ~0ull - 1);			\
} while (0)

/* Pages of the caller's own: read-only, without access, and the last bytes before one of these. */
struct q_pages {
	uint8_t *base;
	uint64_t read_only;
	uint64_t none;
	uint64_t torn;
};

static inline int q_pages_init(struct q_pages *pages)
{
	pages->base = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages->base == MAP_FAILED)
		return -errno;
	if (mprotect(pages->base, PAGE, PROT_READ) || mprotect(pages->base + 2 * PAGE, PAGE, PROT_NONE))
		return -errno;
	pages->read_only = (uintptr_t)pages->base;
	pages->none = pages->read_only + 2 * PAGE;
	pages->torn = pages->none - 8;
	return 0;
}

/* Nobody's: NULL's page, what no address can be, the kernel's, and those whose end wraps. */
#define Q_BAD_ADDRESSES	8, 1ull << 47, 1ull << 63, 0xffff888000000000ull, ~0ull - 7, ~0ull

/* ---- What there is --------------------------------------------------------------- */

/* Lines of a debugfs file that begin with @word. */
static inline int q_count_lines(const char *file, const char *word)
{
	char path[512], line[256];
	int count = 0;
	FILE *f;

	if (q_debugfs_path(file, path, sizeof(path)))
		return -1;
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		count += !strncmp(line, word, strlen(word));
	if (f)
		fclose(f);
	return f ? count : -1;
}

struct q_counts {
	int queues;
	int vms;
	uint64_t kib;
};

static inline struct q_counts q_count(int fd)
{
	return (struct q_counts) {
		.queues = q_count_lines("queues", "queue "),
		.vms = q_count_lines("vms", "as "),
		.kib = q_fdinfo(fd, "drm-total-memory"),
	};
}

/*
 * Calls that are refused leave everything as it was: queues, address spaces, memory, resets; and the context still works.
 * @other is a second file, whose numbers the first has not: objects, VMs and queues are made there until they differ.
 */
#define Q_REFUSE_FIXTURE(name)									\
	FIXTURE(name) {										\
		struct q_context ctx;								\
		struct q_context other;								\
		struct q_pages pages;								\
		struct q_counts counts;								\
		uint32_t resets;								\
	};											\
	FIXTURE_SETUP(name)									\
	{											\
		ASSERT_EQ(0, q_context_init(&self->ctx, 0));					\
		ASSERT_EQ(0, q_context_init(&self->other, 0));					\
		ASSERT_EQ(0, q_bo_create(self->other.fd, PAGE, &self->other.bo));		\
		ASSERT_EQ(0, q_vm_create(self->other.fd, &self->other.vm));			\
		ASSERT_EQ(0, q_queue_create(self->other.fd, self->other.vm, 0,			\
					    &self->other.queue));				\
		ASSERT_NE(self->ctx.bo, self->other.bo);					\
		ASSERT_NE(self->ctx.vm, self->other.vm);					\
		ASSERT_NE(self->ctx.queue, self->other.queue);					\
		ASSERT_EQ(0, q_pages_init(&self->pages));					\
		self->resets = q_resets(self->ctx.fd);						\
		self->counts = q_count(self->ctx.fd);						\
		ASSERT_LE(2, self->counts.queues);						\
		ASSERT_LE(2, self->counts.vms);							\
	}											\
	FIXTURE_TEARDOWN(name)									\
	{											\
		struct q_counts counts = q_count(self->ctx.fd);					\
		union quill_cmd nop = q_cmd(QUILL_OP_NOP);					\
												\
		EXPECT_EQ(self->counts.queues, counts.queues);					\
		EXPECT_EQ(self->counts.vms, counts.vms);					\
		EXPECT_EQ(self->counts.kib, counts.kib);					\
		EXPECT_EQ(0, q_run_wait(&self->ctx, &nop, 1));					\
		EXPECT_EQ(self->resets, q_resets(self->ctx.fd));				\
		munmap(self->pages.base, 3 * PAGE);						\
		q_context_fini(&self->other);							\
		q_context_fini(&self->ctx);							\
	}

#endif /* QUILL_REFUSE_H */
