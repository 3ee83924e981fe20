// SPDX-License-Identifier: GPL-2.0-only
/* Queues and jobs: what is refused at the call, what runs, and in what order. */
#include "quill_test.h"

Q_FIXTURE(submit)

static struct drm_quill_submit good_submit(const struct q_context *ctx)
{
	return (struct drm_quill_submit) {
		.queue_id = ctx->queue, .stream = ctx->va, .stream_size = QUILL_CMD_SIZE,
		.syncs.stride = sizeof(struct drm_quill_sync),
	};
}

TEST_F(submit, a_nop_ends_well)
{
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);

	EXPECT_EQ(0, q_run_wait(&self->ctx, &nop, 1));
}

TEST_F(submit, job_numbers_are_unique_on_a_queue)
{
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	struct drm_quill_submit submit = good_submit(&self->ctx);
	uint64_t last = ~0ull;
	int i;

	memcpy(self->ctx.ptr, &nop, sizeof(nop));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
		EXPECT_NE(last, submit.job);
		last = submit.job;
	}
	EXPECT_EQ(0, q_run_wait(&self->ctx, &nop, 1));
}

TEST_F(submit, bad_stream_addresses_and_sizes_are_EINVAL)
{
	static const uint32_t sizes[] = { 0, 1, 63, 65, DRM_QUILL_MAX_STREAM_SIZE + 64, ~0u, ~0u - 63 };
	struct drm_quill_submit submit;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		submit = good_submit(&self->ctx);
		submit.stream_size = sizes[i];
		EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	}
	submit = good_submit(&self->ctx);
	submit.stream += 1;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	submit.stream = ~0ull - 63;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	submit.stream = 1ull << 48;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	submit.stream = 0;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
}

TEST_F(submit, flags_and_pads_are_EINVAL)
{
	struct drm_quill_submit submit = good_submit(&self->ctx);

	submit.flags = 1;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	submit = good_submit(&self->ctx);
	submit.pad = 1;
	EXPECT_EQ(-EINVAL, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
}

TEST_F(submit, dead_queues_and_syncobjs_are_ENOENT)
{
	struct drm_quill_submit submit = good_submit(&self->ctx);
	struct drm_quill_sync sync = { .handle = ~0u };

	submit.queue_id = 0;
	EXPECT_EQ(-ENOENT, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	submit.queue_id = ~0u;
	EXPECT_EQ(-ENOENT, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	EXPECT_EQ(-ENOENT, q_submit_syncs(self->ctx.fd, self->ctx.queue, self->ctx.va, 64, &sync, 1));
	sync.flags = DRM_QUILL_SYNC_SIGNAL;
	EXPECT_EQ(-ENOENT, q_submit_syncs(self->ctx.fd, self->ctx.queue, self->ctx.va, 64, &sync, 1));
}

TEST_F(submit, bad_syncs_are_refused)
{
	struct drm_quill_sync sync = { .flags = 2 };
	struct drm_quill_submit submit = good_submit(&self->ctx);

	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &sync.handle));
	EXPECT_EQ(-EINVAL, q_submit_syncs(self->ctx.fd, self->ctx.queue, self->ctx.va, 64, &sync, 1));
	submit.syncs.ptr = (uintptr_t)&sync;
	submit.syncs.count = DRM_QUILL_MAX_SYNCS + 1;
	EXPECT_EQ(-E2BIG, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
	submit.syncs.count = 1;
	submit.syncs.ptr = 8;
	EXPECT_EQ(-EFAULT, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_SUBMIT, &submit));
}

/* Interrupts that the driver has had. */
static unsigned long interrupts(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	unsigned long sum = 0, count;
	char line[1024], *at, *end;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, "quill"))
			continue;
		for (at = strchr(line, ':') + 1; count = strtoul(at, &end, 10), end != at; at = end)
			sum += count;
	}
	if (f)
		fclose(f);
	return sum;
}

/* On a busy host another thread may have to run it; so a few tries. */
TEST_F(submit, a_job_that_is_over_when_its_submit_returns_raises_no_interrupt)
{
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	unsigned long before = ~0ul, now = 0;
	int tries;

	for (tries = 0; now != before && tries < 100; tries++) {
		before = interrupts();
		ASSERT_EQ(0, q_run_wait(&self->ctx, &nop, 1));
		now = interrupts();
	}
	EXPECT_EQ(before, now);
}

TEST_F(submit, as_many_syncs_as_there_may_be_are_waited_for_and_signalled)
{
	struct drm_quill_sync syncs[DRM_QUILL_MAX_SYNCS] = {};
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	struct q_context *ctx = &self->ctx;
	int i;

	ASSERT_EQ(0, q_run(ctx, &nop, 1, &syncs[0].handle));
	for (i = 1; i < DRM_QUILL_MAX_SYNCS; i++) {
		ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[i].handle));
		syncs[i].flags = DRM_QUILL_SYNC_SIGNAL;
	}
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, syncs, DRM_QUILL_MAX_SYNCS));
	for (i = 1; i < DRM_QUILL_MAX_SYNCS; i++)
		EXPECT_EQ(0, q_finish(ctx->fd, syncs[i].handle));
	ASSERT_EQ(-E2BIG, q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, syncs,
					 DRM_QUILL_MAX_SYNCS + 1));
}

TEST_F(submit, waiting_for_a_syncobj_that_nobody_will_signal_is_refused)
{
	struct drm_quill_sync sync = {};

	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &sync.handle));
	EXPECT_GT(0, q_submit_syncs(self->ctx.fd, self->ctx.queue, self->ctx.va, 64, &sync, 1));
}

TEST_F(submit, a_job_waits_for_its_in_fence_from_another_queue)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmds[2] = { q_fill(q_data(ctx), 0xaaaa5555, 8 * PAGE), };
	struct drm_quill_sync syncs[2] = {};
	uint32_t second;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &second));
	cmds[1] = q_copy(q_data(ctx) + 8 * PAGE, q_data(ctx), 4 * PAGE);
	memcpy(ctx->ptr, cmds, sizeof(cmds));
	ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, ctx->va, 64, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	syncs[1].flags = DRM_QUILL_SYNC_SIGNAL;
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, second, ctx->va + 64, 64, syncs, 2));
	ASSERT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(0xaaaa5555, *(uint32_t *)(ctx->ptr + 9 * PAGE));
}

TEST_F(submit, timeline_points_signal_and_are_waited_for)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	struct drm_quill_sync syncs[2] = {};
	struct drm_syncobj_timeline_wait wait = {};
	uint64_t point = 2;

	memcpy(ctx->ptr, &nop, sizeof(nop));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[0].handle));
	syncs[0].flags = DRM_QUILL_SYNC_SIGNAL;
	syncs[0].point = 1;
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, syncs, 1));
	syncs[1] = syncs[0];
	syncs[0].flags = 0;
	syncs[1].point = 2;
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, syncs, 2));
	wait.handles = (uintptr_t)&syncs[0].handle;
	wait.points = (uintptr_t)&point;
	wait.count_handles = 1;
	wait.timeout_nsec = q_deadline(LONG);
	EXPECT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait));
}

TEST_F(submit, jobs_of_a_queue_run_in_order)
{
	struct q_context *ctx = &self->ctx;
	uint32_t last = 0, i;

	/* More jobs than the ring has entries: job i checks nothing itself, the last one tells. */
	for (i = 0; i < Q_STREAM_MAX; i++) {
		union quill_cmd fill = q_fill(q_data(ctx), i, 64);

		memcpy(ctx->ptr + i * 64, &fill, sizeof(fill));
	}
	for (i = 0; i < 512; i++)
		ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, ctx->va + (i % 64) * 64, 64, &last));
	ASSERT_EQ(0, q_finish(ctx->fd, last));
	EXPECT_EQ(63, *(uint32_t *)(ctx->ptr + PAGE));
}

TEST_F(submit, a_job_that_waits_for_nothing_does_not_overtake_one_of_its_queue_that_waits)
{
	union quill_cmd endless = q_endless();
	struct drm_quill_sync syncs[2] = {};
	struct q_context *ctx = &self->ctx;
	uint32_t other, last;
	union quill_cmd fill;

	ASSERT_EQ(0, q_queue_create(ctx->fd, ctx->vm, 0, &other));
	memcpy(ctx->ptr + 2 * 64, &endless, sizeof(endless));
	ASSERT_EQ(0, q_submit(ctx->fd, other, ctx->va + 2 * 64, 64, &syncs[0].handle));
	fill = q_fill(q_data(ctx), 1, 64);
	memcpy(ctx->ptr, &fill, sizeof(fill));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	syncs[1].flags = DRM_QUILL_SYNC_SIGNAL;
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, ctx->queue, ctx->va, 64, syncs, 2));
	fill = q_fill(q_data(ctx), 2, 64);
	memcpy(ctx->ptr + 64, &fill, sizeof(fill));
	ASSERT_EQ(0, q_submit(ctx->fd, ctx->queue, ctx->va + 64, 64, &last));
	EXPECT_EQ(-ETIME, q_wait(ctx->fd, last, SECOND / 20));
	EXPECT_EQ(0, *(uint32_t *)(ctx->ptr + PAGE));

	ASSERT_EQ(0, q_queue_destroy(ctx->fd, other));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(0, q_finish(ctx->fd, last));
	EXPECT_EQ(2, *(uint32_t *)(ctx->ptr + PAGE));
}

TEST_F(submit, counters_of_a_queue_grow_by_what_was_done)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query before, after;
	union quill_cmd copy = q_copy(q_data(ctx) + PAGE, q_data(ctx), PAGE);

	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &before));
	ASSERT_EQ(0, q_run_wait(ctx, &copy, 1));
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &after));
	EXPECT_EQ(before.jobs + 1, after.jobs);
	EXPECT_EQ(before.commands + 1, after.commands);
	EXPECT_EQ(before.bytes_read + PAGE, after.bytes_read);
	EXPECT_EQ(before.bytes_written + PAGE, after.bytes_written);
	EXPECT_LT(before.cycles, after.cycles);
	EXPECT_EQ(before.faults, after.faults);
}

/* Runs the stream that is in place; the job's number. */
static uint64_t run_again(struct __test_metadata *_metadata, struct q_context *ctx)
{
	struct drm_quill_sync sync = { .flags = DRM_QUILL_SYNC_SIGNAL };
	struct drm_quill_submit args = {
		.queue_id = ctx->queue,
		.stream = ctx->va,
		.stream_size = 64,
		.syncs = { .ptr = (uintptr_t)&sync, .count = 1, .stride = sizeof(sync) },
	};

	ASSERT_EQ(0, q_syncobj(ctx->fd, &sync.handle));
	ASSERT_EQ(0, q_ioctl(ctx->fd, DRM_IOCTL_QUILL_SUBMIT, &args));
	ASSERT_EQ(0, q_finish(ctx->fd, sync.handle));
	return args.job;
}

static int query_job(struct q_context *ctx, uint64_t job, struct drm_quill_queue_query *query)
{
	*query = (struct drm_quill_queue_query) { .queue_id = ctx->queue, .of_job = job };
	return q_ioctl(ctx->fd, DRM_IOCTL_QUILL_QUEUE_QUERY, query);
}

/* The parts of an engine's time are the whole; and jobs are what the queue is the sum of. */
TEST_F(submit, counters_add_up)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd copy = q_copy(q_data(ctx) + PAGE, q_data(ctx), PAGE);
	struct drm_quill_queue_query sum, job;
	uint64_t ids[66], cycles = 0, energy = 0;
	int i, e;

	memcpy(ctx->ptr, &copy, sizeof(copy));
	for (i = 0; i < 66; i++) {
		ids[i] = run_again(_metadata, ctx);
		ASSERT_EQ(0, query_job(ctx, ids[i], &job));
		EXPECT_EQ(PAGE, job.bytes_read);
		cycles += job.cycles;
		energy += job.energy_pj;
	}
	ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &sum));
	EXPECT_EQ(cycles, sum.cycles);
	EXPECT_EQ(energy, sum.energy_pj);
	EXPECT_EQ(66 * 64, sum.link_bytes);
	for (e = 0; e < 3; e++)
		EXPECT_EQ(sum.cycles, sum.busy[e] + sum.stall_dependency[e] +
			  sum.stall_firmware[e] + sum.idle[e]);
	EXPECT_GE(sum.busy[2], sum.stall_memory[2]);

	/* 64 are remembered */
	EXPECT_EQ(0, query_job(ctx, ids[2], &job));
	EXPECT_EQ(-ENOENT, query_job(ctx, ids[1], &job));
	EXPECT_EQ(-ENOENT, query_job(ctx, ids[65] + 1, &job));
}

TEST_F(submit, device_time_is_the_same_for_the_same_stream)
{
	struct q_context *ctx = &self->ctx;
	struct drm_quill_queue_query query;
	union quill_cmd cmds[8];
	uint64_t last = 0, first = 0;
	int i;

	for (i = 0; i < 8; i++)
		cmds[i] = q_copy(q_data(ctx) + PAGE * (i & 1), q_data(ctx) + 4 * PAGE, 100 * i + 4);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, q_run_wait(ctx, cmds, 8));
		ASSERT_EQ(0, q_queue_query(ctx->fd, ctx->queue, &query));
		if (!i)
			first = query.cycles;
		else
			EXPECT_EQ(first, query.cycles - last);
		last = query.cycles;
	}
}

TEST_F(submit, gemm_gives_the_product)
{
	struct q_context *ctx = &self->ctx;
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_GEMM), q_cmd(QUILL_OP_EXT) };
	uint32_t m = 5, n = 70, k = 37, i, j, l;
	int8_t *a = (int8_t *)ctx->ptr + PAGE, b[37][70];
	uint8_t *packed = ctx->ptr + 2 * PAGE;
	int32_t *d = (int32_t *)(ctx->ptr + 8 * PAGE);

	for (i = 0; i < m * k; i++)
		a[i] = (int8_t)(i * 37 + 11);
	for (l = 0; l < k; l++)
		for (j = 0; j < n; j++) {
			b[l][j] = (int8_t)(l * 59 + j * 101);
			packed[quill_packed_offset(j, l, k)] = (uint8_t)b[l][j] ^ 0x80;
		}
	cmds[0].hdr.type_a = QUILL_TYPE_S8;
	cmds[0].hdr.type_b = QUILL_TYPE_S8;
	cmds[0].hdr.type_d = QUILL_TYPE_S32;
	cmds[0].hdr.ext = 1;
	cmds[0].gemm.a = ctx->va + PAGE;
	cmds[0].gemm.b = ctx->va + 2 * PAGE;
	cmds[0].gemm.d = ctx->va + 8 * PAGE;
	cmds[0].gemm.m = m;
	cmds[0].gemm.n = n;
	cmds[0].gemm.k = k;
	cmds[0].gemm.lda = k;
	cmds[0].gemm.ldd = n;
	ASSERT_EQ(0, q_run_wait(ctx, cmds, 2));
	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++) {
			int32_t want = 0;

			for (l = 0; l < k; l++)
				want += a[i * k + l] * b[l][j];
			ASSERT_EQ(want, d[i * n + j]);
		}
}

TEST_F(submit, queue_create_refuses_what_it_does_not_know)
{
	struct drm_quill_dev_info info;
	struct drm_quill_queue_create good = { .vm_id = self->ctx.vm, .priority = 1 }, create;
	int fd = self->ctx.fd;

	ASSERT_EQ(0, q_info(fd, &info));
	create = good;
	create.vm_id = 0;
	EXPECT_EQ(-ENOENT, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	create = good;
	create.priority = 3;
	EXPECT_EQ(-EINVAL, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	create = good;
	create.flags = DRM_QUILL_QUEUE_CREATE_USER << 1;
	EXPECT_EQ(-EINVAL, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	create = good;
	create.pad = 1;
	EXPECT_EQ(-EINVAL, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	create = good;
	create.pad2 = 1;
	EXPECT_EQ(-EINVAL, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	create = good;
	create.timeout_ms = info.max_timeout_ms + 1;
	EXPECT_EQ(-EINVAL, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	EXPECT_EQ(-ENOENT, q_queue_destroy(fd, 0));
	EXPECT_EQ(-ENOENT, q_queue_destroy(fd, ~0u));
}

TEST_F(submit, queues_run_out_with_ENOSPC_and_come_back)
{
	uint32_t queues[2 * QUILL_MAX_QUEUES], count = 0, i, round;
	int ret = 0;

	for (round = 0; round < 2; round++) {
		for (count = 0; count < ARRAY_SIZE(queues); count++) {
			ret = q_queue_create(self->ctx.fd, self->ctx.vm, 0, &queues[count]);
			if (ret)
				break;
		}
		EXPECT_EQ(-ENOSPC, ret);
		EXPECT_LT(0, count);
		for (i = 0; i < count; i++)
			EXPECT_EQ(0, q_queue_destroy(self->ctx.fd, queues[i]));
	}
}

TEST_F(submit, as_many_queues_as_there_are_run_jobs)
{
	uint32_t queues[QUILL_MAX_QUEUES], syncs[QUILL_MAX_QUEUES], count, i;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP);
	struct q_context *ctx = &self->ctx;

	memcpy(ctx->ptr, &nop, sizeof(nop));
	for (count = 0; count < QUILL_MAX_QUEUES; count++)
		if (q_queue_create(ctx->fd, ctx->vm, 0, &queues[count]))
			break;
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, q_submit(ctx->fd, queues[i], ctx->va, sizeof(nop), &syncs[i]));
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, q_finish(ctx->fd, syncs[i]));
}

TEST_F(submit, a_user_who_is_not_root_gets_half_of_the_queues_and_no_high_priority)
{
	struct drm_quill_queue_create create = { .priority = DRM_QUILL_PRIORITY_HIGH };
	struct drm_quill_dev_info info;
	struct q_context ctx;
	uint32_t queue, count = 1;

	ASSERT_EQ(0, chmod("/dev/accel/accel0", 0666));
	ASSERT_EQ(0, setresuid(1000, 1000, 1000));
	ASSERT_EQ(0, q_context_init(&ctx, 0));
	ASSERT_EQ(0, q_info(ctx.fd, &info));
	create.vm_id = ctx.vm;
	EXPECT_EQ(-EACCES, q_ioctl(ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	while (!q_queue_create(ctx.fd, ctx.vm, 0, &queue))
		count++;
	EXPECT_EQ(info.max_queues, count);
	EXPECT_GE(info.hw_queues / 2, count);
	q_context_fini(&ctx);
}

TEST_HARNESS_MAIN
