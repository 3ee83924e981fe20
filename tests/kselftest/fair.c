// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares: files that want the device at the same time get as much of it as each other. Each runs one long job of equal
 * steps and notes each step in its memory; what counts is how many the device does for each while it does some for
 * all. So neither the host's speed nor the order in which they start matters.
 */
#include "quill_test.h"

#define MOST	8
#define STEPS	240
#define WORK	(1u << 20)
#define WORK_VA	(BASE_VA + 0x10000000ull)
#define NOTE	(12 * PAGE)

/* A job that starts when @gate, a syncobj of the first file, does. */
static int begin(struct q_context *ctx, const struct q_context *first, uint32_t gate, uint32_t *done)
{
	struct drm_syncobj_handle share = { .handle = gate, .fd = -1 };
	union quill_cmd *cmds = (union quill_cmd *)(ctx->ptr + PAGE);
	struct drm_quill_sync syncs[2] = {};
	uint32_t work, i;
	int ret;

	for (i = 0; i < STEPS; i++) {
		cmds[2 * i] = q_fill(WORK_VA, i, WORK);
		cmds[2 * i + 1] = q_fill(ctx->va + NOTE, i + 1, 4);
	}
	ret = q_bo_create(ctx->fd, WORK, &work);
	if (!ret)
		ret = q_map(ctx->fd, ctx->vm, work, 0, WORK_VA, WORK, 0);
	if (!ret)
		ret = q_ioctl(first->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &share);
	if (!ret)
		ret = q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &share);
	close(share.fd);
	if (!ret)
		ret = q_syncobj(ctx->fd, done);
	syncs[0].handle = share.handle;
	syncs[1] = (struct drm_quill_sync) { .handle = *done, .flags = DRM_QUILL_SYNC_SIGNAL };
	return ret ? ret : q_submit_syncs(ctx->fd, ctx->queue, ctx->va + PAGE,
					  2 * STEPS * sizeof(*cmds), syncs, 2);
}

static void look(const struct q_context *ctx, unsigned int count, uint32_t *steps, uint32_t *least, uint32_t *most)
{
	unsigned int i;

	*least = STEPS;
	*most = 0;
	for (i = 0; i < count; i++) {
		steps[i] = *(volatile uint32_t *)(ctx[i].ptr + NOTE);
		*least = steps[i] < *least ? steps[i] : *least;
		*most = steps[i] > *most ? steps[i] : *most;
	}
}

static void compare(struct __test_metadata *_metadata, unsigned int count)
{
	uint32_t from[MOST], to[MOST], done[MOST], least, most, resets, i;
	struct q_context ctx[MOST];
	struct q_blocker gate;

	for (i = 0; i < count; i++)
		ASSERT_EQ(0, q_context_init(&ctx[i], 0));
	resets = q_resets(ctx[0].fd);
	ASSERT_EQ(0, q_block(&ctx[0], &gate));
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, begin(&ctx[i], &ctx[0], gate.sync, &done[i]));
	ASSERT_EQ(0, q_unblock(&ctx[0], &gate));

	do {
		look(ctx, count, from, &least, &most);
	} while (!least);
	/* there has to be enough left for a comparison */
	ASSERT_GE(STEPS / 2, most);
	do {
		look(ctx, count, to, &least, &most);
	} while (most < STEPS - STEPS / 8);

	least = STEPS;
	most = 0;
	for (i = 0; i < count; i++) {
		to[i] -= from[i];
		least = to[i] < least ? to[i] : least;
		most = to[i] > most ? to[i] : most;
	}
	TH_LOG("%u files: from %u to %u steps", count, least, most);
	EXPECT_LE(most * 2, least * 3);
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, q_finish(ctx[i].fd, done[i]));
	EXPECT_EQ(resets, q_resets(ctx[0].fd));
	for (i = 0; i < count; i++)
		q_context_fini(&ctx[i]);
}

TEST(two_files_with_equal_jobs_get_equal_shares)
{
	compare(_metadata, 2);
}

TEST(eight_files_with_equal_jobs_get_equal_shares)
{
	compare(_metadata, 8);
}

TEST_HARNESS_MAIN
