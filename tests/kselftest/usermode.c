// SPDX-License-Identifier: GPL-2.0-only
/* User-mode queues: a process that writes its own ring and rings by itself. */
#include "quill_user.h"

UQ_FIXTURE(usermode)

/* ---- What it is for ---- */

TEST_F(usermode, the_device_says_that_it_has_them)
{
	struct drm_quill_dev_info info;

	ASSERT_EQ(0, q_info(self->ctx.fd, &info));
	EXPECT_NE(0, info.features & DRM_QUILL_FEATURE_USER_QUEUES);
}

TEST_F(usermode, a_job_is_rung_by_the_process_and_found_in_memory)
{
	const struct quill_job_cpl *record;

	ASSERT_EQ(0, uq_fill(&self->q, 0x11111111, QUILL_JOB_QUIET));
	record = uq_poll(&self->q, 1, 0);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(1001, record->job);
	EXPECT_EQ(1, record->counters[QUILL_COUNTER_COMMANDS]);
	EXPECT_EQ(0, self->q.state->error);
}

TEST_F(usermode, ten_laps_of_the_ring_and_every_job_is_counted)
{
	struct drm_quill_queue_query query;
	uint32_t i, n = 10 * self->q.entries;
	uint64_t stream = uq_stream(&self->q, 0, q_cmd(QUILL_OP_NOP));

	for (i = 0; i < n; i++) {
		if (self->q.written >= self->q.entries)
			ASSERT_NE(NULL, uq_poll(&self->q, self->q.written + 1 - self->q.entries, LONG));
		uq_write(&self->q, stream, 64, QUILL_JOB_QUIET);
		uq_ring(&self->q);
	}
	ASSERT_NE(NULL, uq_poll(&self->q, n, LONG));
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, self->q.id, &query));
	EXPECT_EQ(n, query.jobs);
	EXPECT_EQ(0, query.faults);
	EXPECT_EQ(0, query.state);
}

TEST_F(usermode, a_fault_is_in_its_record_and_in_the_query_and_the_next_job_runs)
{
	const struct quill_job_cpl *record;
	struct drm_quill_queue_query query;

	uq_write(&self->q, uq_stream(&self->q, 0, q_fill(0x7000, 1, PAGE)), 64, QUILL_JOB_QUIET);
	uq_ring(&self->q);
	record = uq_poll(&self->q, 1, LONG);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, record->status);
	EXPECT_EQ(0x7000, record->address);
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, self->q.id, &query));
	EXPECT_EQ(1, query.faults);
	EXPECT_EQ(1001, query.fault_job);
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, query.fault_status);
	EXPECT_EQ(0, uq_fill(&self->q, 2, 0));
}

TEST_F(usermode, counters_of_one_job_are_found_by_its_number)
{
	struct drm_quill_queue_query query = { .queue_id = self->q.id, .of_job = 1001 };

	ASSERT_EQ(0, uq_fill(&self->q, 3, QUILL_JOB_QUIET));
	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_QUERY, &query));
	EXPECT_EQ(1, query.commands);
	EXPECT_EQ(PAGE, query.bytes_written);
}

/* ---- Interrupts ---- */

TEST_F(usermode, a_syncobj_signals_at_the_end_of_a_quiet_job)
{
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_LOOP), q_fill(q_data(&self->ctx), 5, 64) };
	uint32_t sync;

	cmds[0].loop.limit = 50000;
	memcpy(self->ctx.ptr, cmds, sizeof(cmds));
	uq_write(&self->q, self->ctx.va, sizeof(cmds), QUILL_JOB_QUIET);
	uq_ring(&self->q);
	ASSERT_EQ(0, uq_signal(&self->q, 1, &sync));
	/* else it would signal only when the driver looks by itself */
	EXPECT_EQ(0, self->q.desc[0].flags);
	EXPECT_EQ(0, q_finish(self->ctx.fd, sync));
	EXPECT_NE(NULL, uq_poll(&self->q, 1, 0));
	EXPECT_EQ(5, *uq_data(&self->q));
}

TEST_F(usermode, a_job_that_has_ended_signals_at_once_and_with_its_error)
{
	uint32_t sync;

	ASSERT_EQ(0, uq_fill(&self->q, 6, QUILL_JOB_QUIET));
	uq_write(&self->q, uq_stream(&self->q, 0, q_fill(0x7000, 1, 64)), 64, QUILL_JOB_QUIET);
	uq_ring(&self->q);
	ASSERT_NE(NULL, uq_poll(&self->q, 2, LONG));
	ASSERT_EQ(0, uq_signal(&self->q, 1, &sync));
	EXPECT_EQ(1, q_status(self->ctx.fd, sync));
	ASSERT_EQ(0, uq_signal(&self->q, 2, &sync));
	EXPECT_EQ(-EIO, q_status(self->ctx.fd, sync));
}

TEST_F(usermode, a_job_of_another_queue_waits_for_one_of_this)
{
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_LOOP), q_fill(q_data(&self->ctx), 7, 64) };
	struct q_context *ctx = &self->ctx;
	struct drm_quill_sync syncs[2] = { {}, { .flags = DRM_QUILL_SYNC_SIGNAL } };

	cmds[0].loop.limit = 50000;
	memcpy(ctx->ptr, cmds, sizeof(cmds));
	uq_stream(&self->q, 8, q_copy(q_data(ctx) + 64, q_data(ctx), 64));
	uq_write(&self->q, ctx->va, sizeof(cmds), QUILL_JOB_QUIET);
	uq_ring(&self->q);
	ASSERT_EQ(0, uq_signal(&self->q, 1, &syncs[0].handle));
	ASSERT_EQ(0, q_syncobj(ctx->fd, &syncs[1].handle));
	ASSERT_EQ(0, q_submit_syncs(ctx->fd, ctx->queue, ctx->va + 8 * 64, 64, syncs, 2));
	EXPECT_EQ(0, q_finish(ctx->fd, syncs[1].handle));
	EXPECT_EQ(7, uq_data(&self->q)[16]);
}

TEST_F(usermode, a_count_that_nobody_rings_ends_with_ECANCELED)
{
	uint32_t sync;

	ASSERT_EQ(0, uq_signal(&self->q, 1, &sync));
	EXPECT_EQ(-ECANCELED, q_finish(self->ctx.fd, sync));
	EXPECT_EQ(0, uq_fill(&self->q, 8, 0));
}

TEST_F(usermode, a_queue_that_has_rested_is_rung_as_before)
{
	ASSERT_EQ(0, uq_fill(&self->q, 9, QUILL_JOB_QUIET));
	/* Its doorbell page is taken away meanwhile. */
	sleep(3);
	ASSERT_EQ(0, uq_fill(&self->q, 10, QUILL_JOB_QUIET));
}

TEST_F(usermode, a_tail_that_was_not_rung_is_rung_for_the_process)
{
	ASSERT_EQ(0, uq_fill(&self->q, 11, 0));
	uq_write(&self->q, uq_stream(&self->q, 2, q_fill(q_data(&self->ctx), 12, 64)), 64, 0);
	/* As if the doorbell had been lost. */
	__atomic_store_n(&self->q.control->tail, 2, __ATOMIC_RELEASE);
	EXPECT_NE(NULL, uq_poll(&self->q, 2, 9 * SECOND));
}

/* ---- Fields ---- */

TEST_F(usermode, signal_refuses_each_bad_field)
{
	struct drm_quill_queue_signal good = { .queue_id = self->q.id, .count = 1 }, bad;
	int fd = self->ctx.fd;

	ASSERT_EQ(0, q_syncobj(fd, &good.syncobj));
#define REFUSED(error, field, value) do {							\
		bad = good;									\
		bad.field = value;								\
		EXPECT_EQ(error, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &bad));		\
	} while (0)
	REFUSED(-ENOENT, queue_id, 0);
	REFUSED(-ENOENT, queue_id, ~0u);
	REFUSED(-EINVAL, queue_id, self->ctx.queue);
	REFUSED(-ENOENT, syncobj, 0);
	REFUSED(-ENOENT, syncobj, ~0u);
	REFUSED(-EINVAL, flags, 1);
	REFUSED(-EINVAL, flags, 1u << 31);
	REFUSED(-EINVAL, pad, 1);
	REFUSED(-EINVAL, count, 0);
	REFUSED(-EINVAL, count, self->q.entries + 1);
	REFUSED(-EINVAL, count, 1ull << 32 | 1);
	REFUSED(-EINVAL, count, ~0ull);
	bad = good;
	EXPECT_EQ(-ENOENT, q_ioctl(self->other.fd, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &bad));
	bad.count = self->q.entries;
	EXPECT_EQ(0, q_ioctl(fd, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &bad));
}

TEST_F(usermode, at_most_256_fences_wait_at_a_queue)
{
	struct drm_quill_queue_signal signal = { .queue_id = self->q.id };
	uint32_t i;

	uq_write(&self->q, uq_stream(&self->q, 0, q_endless()), 64, 0);
	uq_ring(&self->q);
	signal.count = 1;
	ASSERT_EQ(0, q_syncobj(self->ctx.fd, &signal.syncobj));
	for (i = 0; i < 256; i++)
		ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &signal));
	EXPECT_EQ(-ENOSPC, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_SIGNAL, &signal));
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, self->q.id));
	EXPECT_EQ(-ECANCELED, q_finish(self->ctx.fd, signal.syncobj));
}

TEST_F(usermode, submit_refuses_a_user_mode_queue)
{
	uint32_t sync;

	EXPECT_EQ(-EINVAL, q_submit(self->ctx.fd, self->q.id, self->ctx.va, 64, &sync));
}

TEST_F(usermode, a_kernel_queue_has_nothing_to_map)
{
	struct drm_quill_queue_create create = { .vm_id = self->ctx.vm, .map_offset = 1, .entries = 1 };

	ASSERT_EQ(0, q_ioctl(self->ctx.fd, DRM_IOCTL_QUILL_QUEUE_CREATE, &create));
	EXPECT_EQ(0, create.map_offset);
	EXPECT_EQ(0, create.entries);
}

TEST_F(usermode, mmap_refuses_what_is_no_part_of_the_queue)
{
	const int rw = PROT_READ | PROT_WRITE;
	uint64_t at = self->q.offset;
	int fd = self->ctx.fd;

	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + DRM_QUILL_USER_DOORBELL, 2 * PAGE, rw, MAP_SHARED));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + PAGE, PAGE, rw, MAP_SHARED));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + DRM_QUILL_USER_RING, PAGE, rw, MAP_SHARED));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + DRM_QUILL_USER_RING, 3 * PAGE, rw, MAP_SHARED));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + DRM_QUILL_USER_RING + PAGE, PAGE, rw, MAP_SHARED));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + DRM_QUILL_USER_STATE, STATE_SIZE + PAGE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + 0x30000, PAGE, rw, MAP_SHARED));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + DRM_QUILL_USER_DOORBELL, PAGE, rw, MAP_PRIVATE));
	EXPECT_EQ(-EINVAL, uq_map_error(fd, at + DRM_QUILL_USER_RING, RING_SIZE, rw, MAP_PRIVATE));
	EXPECT_NE(0, uq_map_error(fd, 0, PAGE, rw, MAP_SHARED));
	EXPECT_EQ(0, uq_map_error(fd, at + DRM_QUILL_USER_RING, RING_SIZE, rw, MAP_SHARED));
}

TEST_F(usermode, records_and_state_can_only_be_read)
{
	EXPECT_EQ(-EACCES, uq_map_error(self->ctx.fd, self->q.offset + DRM_QUILL_USER_STATE, STATE_SIZE,
				     PROT_READ | PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(-1, mprotect((void *)self->q.state, STATE_SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(usermode, another_file_cannot_map_any_part)
{
	const int rw = PROT_READ | PROT_WRITE;

	EXPECT_EQ(-EACCES, uq_map_error(self->other.fd, self->q.offset, PAGE, rw, MAP_SHARED));
	EXPECT_EQ(-EACCES, uq_map_error(self->other.fd, self->q.offset + DRM_QUILL_USER_RING, RING_SIZE, rw,
				     MAP_SHARED));
	EXPECT_EQ(-EACCES, uq_map_error(self->other.fd, self->q.offset + DRM_QUILL_USER_STATE, STATE_SIZE,
				     PROT_READ, MAP_SHARED));
}

TEST_F(usermode, mappings_do_not_grow)
{
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->q.doorbell, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(self->q.desc, RING_SIZE, RING_SIZE + PAGE, MREMAP_MAYMOVE));
}

TEST_F(usermode, discarded_pages_come_back_with_what_they_held)
{
	ASSERT_EQ(0, uq_fill(&self->q, 13, 0));
	madvise(self->q.desc, RING_SIZE, MADV_DONTNEED);
	madvise((void *)self->q.state, STATE_SIZE, MADV_DONTNEED);
	EXPECT_EQ(1, self->q.records[0].seq);
	EXPECT_EQ(1, self->q.control->tail);
	EXPECT_EQ(0, uq_fill(&self->q, 14, 0));
}

/* ---- Time limits and restarts ---- */

TEST_F(usermode, a_job_that_runs_too_long_ends_and_all_behind_it_and_the_queue_goes_on)
{
	struct drm_quill_queue_query query;
	struct uq *q = &self->q;
	uint32_t sync, behind;

	uq_unmap(q);
	ASSERT_EQ(0, uq_open(q, &self->ctx, 300, 0));
	uq_write(q, uq_stream(q, 0, q_endless()), 64, QUILL_JOB_QUIET);
	uq_write(q, uq_stream(q, 1, q_cmd(QUILL_OP_NOP)), 64, QUILL_JOB_QUIET);
	uq_ring(q);
	ASSERT_EQ(0, uq_signal(q, 1, &sync));
	ASSERT_EQ(0, uq_signal(q, 2, &behind));
	EXPECT_EQ(-ETIME, q_finish(self->ctx.fd, sync));
	EXPECT_EQ(-ECANCELED, q_finish(self->ctx.fd, behind));
	self->expected_resets = 1;
	EXPECT_EQ(QUILL_FAULT_KILLED, q->records[0].status);
	EXPECT_EQ(QUILL_FAULT_KILLED, q->records[1].status);
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, q->id, &query));
	EXPECT_EQ(1001, query.fault_job);
	EXPECT_LE(300, query.fault_elapsed_ms);
	EXPECT_EQ(0, query.state & DRM_QUILL_QUEUE_BANNED);
	EXPECT_EQ(0, uq_fill(q, 15, 0));
}

TEST_F(usermode, jobs_survive_restarts_of_cores_and_device)
{
	struct uq *q = &self->q;
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_LOOP), q_fill(q_data(&self->ctx), 16, 64) };
	uint32_t round, i, sync;

	cmds[0].loop.limit = 50000;
	memcpy(self->ctx.ptr, cmds, sizeof(cmds));
	for (round = 0; round < 6; round++) {
		*uq_data(q) = 0;
		for (i = 0; i < 4; i++)
			uq_write(q, self->ctx.va, sizeof(cmds), QUILL_JOB_QUIET);
		uq_ring(q);
		ASSERT_EQ(0, uq_signal(q, q->written, &sync));
		ASSERT_EQ(0, q_debugfs("recover", round % 3 ? "cores" : "device"));
		EXPECT_EQ(0, q_finish(self->ctx.fd, sync));
		for (i = 0; i < 4; i++)
			EXPECT_NE(NULL, uq_poll(q, q->written - i, 0));
		EXPECT_EQ(16, *uq_data(q));
	}
	self->expected_resets = 6;
	EXPECT_EQ(6, q->state->restarts);
	EXPECT_EQ(0, uq_fill(q, 17, QUILL_JOB_QUIET));
}

TEST_F(usermode, a_job_that_is_first_in_four_restarts_is_given_up_and_the_next_runs)
{
	struct uq *q = &self->q;
	uint32_t i, sync;

	uq_write(q, uq_stream(q, 0, q_endless()), 64, 0);
	uq_write(q, uq_stream(q, 1, q_fill(q_data(&self->ctx), 18, 64)), 64, 0);
	uq_ring(q);
	ASSERT_EQ(0, uq_signal(q, 1, &sync));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, q_status(self->ctx.fd, sync));
		ASSERT_EQ(0, q_debugfs("recover", "cores"));
	}
	self->expected_resets = 4;
	EXPECT_EQ(-EIO, q_finish(self->ctx.fd, sync));
	EXPECT_EQ(QUILL_FAULT_KILLED, q->records[0].status);
	ASSERT_NE(NULL, uq_poll(q, 2, LONG));
	EXPECT_EQ(0, q->records[1].status);
	EXPECT_EQ(18, *uq_data(q));
}

TEST_F(usermode, so_many_faults_in_a_row_ban_the_queue_and_it_shows)
{
	struct drm_quill_queue_query query;
	struct uq *q = &self->q;
	uint32_t sync, late;
	int i;

	uq_unmap(q);
	ASSERT_EQ(0, uq_open(q, &self->ctx, 0, 3));
	for (i = 0; i < 3; i++)
		uq_write(q, uq_stream(q, 0, q_fill(0x7000, 1, 64)), 64, 0);
	uq_write(q, uq_stream(q, 1, q_endless()), 64, 0);
	ASSERT_EQ(0, uq_signal(q, 4, &sync));
	uq_ring(q);
	EXPECT_EQ(-ECANCELED, q_finish(self->ctx.fd, sync));
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, q->id, &query));
	EXPECT_NE(0, query.state & DRM_QUILL_QUEUE_BANNED);
	EXPECT_EQ(ECANCELED, q->state->error);
	EXPECT_EQ(-ECANCELED, uq_signal(q, 5, &late));
	/* Its doorbell leads nowhere now. */
	uq_write(q, uq_stream(q, 2, q_fill(q_data(&self->ctx), 19, 64)), 64, 0);
	uq_ring(q);
	usleep(100000);
	EXPECT_NE(19, *uq_data(q));
}

TEST_HARNESS_MAIN
