// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares: files that want the device at the same time get as much of it as each other, counted in device cycles, which do
 * not depend on the host.
 */
#include "quill_test.h"

#define MOST	8
#define JOBS	48
#define CMDS	(PAGE / 64 - 1)

/* Jobs that start when @gate, a syncobj of the first file, does. */
static int begin(struct q_context *ctx, const struct q_context *first, uint32_t gate,
		 uint32_t *last)
{
	struct drm_syncobj_handle share = { .handle = gate, .fd = -1 };
	struct drm_quill_sync syncs[2] = {};
	union quill_cmd cmd = q_fill(q_data(ctx), 1, 8 * PAGE);
	unsigned int i;
	int ret;

	for (i = 0; i < CMDS; i++)
		memcpy(ctx->ptr + i * sizeof(cmd), &cmd, sizeof(cmd));
	ret = q_ioctl(first->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &share);
	if (!ret)
		ret = q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &share);
	close(share.fd);
	if (!ret)
		ret = q_syncobj(ctx->fd, last);
	syncs[0].handle = share.handle;
	syncs[1] = (struct drm_quill_sync) { .handle = *last, .flags = DRM_QUILL_SYNC_SIGNAL };
	for (i = 0; i < JOBS && !ret; i++)
		ret = q_submit_syncs(ctx->fd, ctx->queue, ctx->va, CMDS * sizeof(cmd), syncs, 2);
	return ret;
}

static uint64_t cycles(const struct q_context *ctx)
{
	struct drm_quill_queue_query query;

	return q_queue_query(ctx->fd, ctx->queue, &query) ? ~0ull : query.cycles;
}

static uint64_t jobs(const struct q_context *ctx)
{
	struct drm_quill_queue_query query;

	return q_queue_query(ctx->fd, ctx->queue, &query) ? JOBS : query.jobs;
}

/* When the first has done half of its jobs, what has each had? */
static void compare(struct __test_metadata *_metadata, unsigned int count)
{
	uint64_t had[MOST], least = ~0ull, most = 0;
	struct q_context ctx[MOST];
	struct q_blocker blocker;
	uint32_t last[MOST], resets;
	unsigned int i;

	for (i = 0; i < count; i++)
		ASSERT_EQ(0, q_context_init(&ctx[i], 0));
	resets = q_resets(ctx[0].fd);
	ASSERT_EQ(0, q_block(&ctx[0], &blocker));
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, begin(&ctx[i], &ctx[0], blocker.sync, &last[i]));
	ASSERT_EQ(0, q_unblock(&ctx[0], &blocker));
	while (jobs(&ctx[0]) < JOBS / 2)
		usleep(100);
	for (i = 0; i < count; i++) {
		had[i] = cycles(&ctx[i]);
		least = had[i] < least ? had[i] : least;
		most = had[i] > most ? had[i] : most;
	}
	TH_LOG("%u files: from %llu to %llu cycles", count, (unsigned long long)least,
	       (unsigned long long)most);
	/* a job that is under way is not counted yet */
	EXPECT_LE(most * 2, least * 3);
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, q_finish(ctx[i].fd, last[i]));
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
