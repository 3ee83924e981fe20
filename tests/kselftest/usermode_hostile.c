// SPDX-License-Identifier: GPL-2.0-only
/* User-mode queues: what a process can do with its ring to others, which is nothing; and how such a queue ends. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

#include "quill_user.h"

UQ_FIXTURE(usermode_hostile)

/* Results of a kernel queue of another file beside it, bit for bit, @rounds times. */
static int others_work(struct q_context *ctx, int rounds)
{
	union quill_cmd cmds[8];
	uint32_t round, i, j;

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < 8; i++)
			cmds[i] = q_fill(q_data(ctx) + i * PAGE, 0x5000 + round * 8 + i, PAGE);
		if (q_run_wait(ctx, cmds, 8))
			return -1;
		for (i = 0; i < 8; i++)
			for (j = 0; j < PAGE / 4; j++)
				if (((uint32_t *)(ctx->ptr + (i + 1) * PAGE))[j] != 0x5000 + round * 8 + i)
					return -2;
	}
	return 0;
}

static uint32_t roll(uint32_t *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 8;
}

struct vandal {
	struct uq *q;
	atomic_bool stop;
	int how;
};

enum { GARBAGE, STORM, UNMAPPED };

/* Until stopped: anything in the ring, any tail; or the same doorbell for ever; or the ring unmapped beneath it. */
static void *vandalise(void *arg)
{
	struct vandal *v = arg;
	uint32_t x = 12345, *words = (uint32_t *)v->q->desc;
	uint64_t stream = uq_stream(v->q, 0, q_cmd(QUILL_OP_NOP));

	while (!atomic_load(&v->stop)) {
		switch (v->how) {
		case GARBAGE:
			words[roll(&x) % (2 * PAGE / 4)] = roll(&x) % 3 ? roll(&x) : 0;
			v->q->desc[roll(&x) % v->q->entries].stream = stream;
			if (roll(&x) % 8 == 0)
				*v->q->doorbell = roll(&x) % (2 * v->q->entries);
			break;
		case STORM:
			*v->q->doorbell = 0;
			break;
		case UNMAPPED:
			madvise(v->q->desc, RING_SIZE, MADV_DONTNEED);
			madvise((void *)v->q->doorbell, PAGE, MADV_DONTNEED);
			uq_write(v->q, stream, 64, 0);
			uq_ring(v->q);
			break;
		}
	}
	return NULL;
}

static int beside_vandal(struct uq *q, struct q_context *other, int how)
{
	struct vandal v = { .q = q, .how = how };
	pthread_t thread;
	int ret;

	if (pthread_create(&thread, NULL, vandalise, &v))
		return -ENOMEM;
	ret = others_work(other, 100);
	atomic_store(&v.stop, true);
	pthread_join(thread, NULL);
	return ret;
}

TEST_F_TIMEOUT(usermode_hostile, a_ring_full_of_garbage_leaves_others_right, 120)
{
	int i;

	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, beside_vandal(&self->q, &self->other, GARBAGE));
		uq_unmap(&self->q);
		ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, self->q.id));
		ASSERT_EQ(0, uq_open(&self->q, &self->ctx, 0, 0));
	}
	EXPECT_EQ(0, uq_fill(&self->q, 20, 0));
}

TEST_F_TIMEOUT(usermode_hostile, a_storm_of_doorbells_leaves_others_right, 120)
{
	EXPECT_EQ(0, beside_vandal(&self->q, &self->other, STORM));
	EXPECT_EQ(0, uq_fill(&self->q, 21, 0));
}

TEST_F_TIMEOUT(usermode_hostile, pages_dropped_while_the_ring_runs_leave_others_right, 120)
{
	EXPECT_EQ(0, beside_vandal(&self->q, &self->other, UNMAPPED));
}

TEST_F(usermode_hostile, a_tail_beyond_the_ring_bans_its_queue_only)
{
	struct drm_quill_queue_query query;
	struct uq *q = &self->q, good;
	const struct quill_job_cpl *record;

	ASSERT_EQ(0, uq_open(&good, &self->ctx, 0, 0));
	*q->doorbell = q->entries + 1;
	record = uq_poll(q, 1, LONG);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(QUILL_FAULT_RING, record->status);
	EXPECT_EQ(~0ull, record->job);
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, q->id, &query));
	EXPECT_NE(0, query.state & DRM_QUILL_QUEUE_BANNED);
	EXPECT_EQ(0, uq_fill(&good, 22, 0));
	uq_unmap(&good);
}

TEST_F(usermode_hostile, a_tail_that_goes_back_below_the_records_bans_its_queue_only)
{
	struct drm_quill_queue_query query;
	struct uq *q = &self->q;

	ASSERT_EQ(0, uq_fill(q, 23, 0));
	ASSERT_EQ(0, uq_fill(q, 24, 0));
	*q->doorbell = 1;
	ASSERT_NE(NULL, uq_poll(q, 3, LONG));
	EXPECT_EQ(QUILL_FAULT_RING, q->records[2].status);
	ASSERT_EQ(0, q_queue_query(self->ctx.fd, q->id, &query));
	EXPECT_NE(0, query.state & DRM_QUILL_QUEUE_BANNED);
}

TEST_F(usermode_hostile, a_malformed_descriptor_is_its_own_jobs_fault)
{
	const struct quill_job_desc good = { .stream = self->ctx.va, .size = 64 };
	struct quill_job_desc bad[] = { good, good, good, good, good };
	struct uq *q = &self->q;
	uint32_t i;

	uq_stream(q, 0, q_cmd(QUILL_OP_NOP));
	bad[0].flags = QUILL_JOB_QUIET << 1;
	bad[1].reserved = 1;
	bad[2].size = 63;
	bad[3].stream += 1;
	bad[4].stream = ~0ull << 6;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		q->desc[q->written++] = bad[i];
		uq_ring(q);
		ASSERT_NE(NULL, uq_poll(q, q->written, LONG));
		EXPECT_NE(0, q->records[i].status);
	}
	EXPECT_EQ(0, uq_fill(q, 25, 0));
}

TEST_F(usermode_hostile, a_ring_cannot_name_what_is_another_files)
{
	struct uq *q = &self->q;

	/* Only the other has something there. */
	ASSERT_EQ(0, q_map(self->other.fd, self->other.vm, self->other.bo, 0, BASE_VA + 0x40000000, PAGE, 0));
	uq_write(q, BASE_VA + 0x40000000, 64, 0);
	uq_write(q, uq_stream(q, 0, q_fill(BASE_VA + 0x40000000, 0xdead, 64)), 64, 0);
	uq_ring(q);
	ASSERT_NE(NULL, uq_poll(q, 2, LONG));
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, q->records[0].status);
	EXPECT_EQ(QUILL_FAULT_UNMAPPED, q->records[1].status);
	EXPECT_EQ(0, *(uint32_t *)self->other.ptr);
}

/* ---- The end ---- */

TEST_F(usermode_hostile, destroyed_with_jobs_under_way_its_fences_end_and_its_doorbell_leads_nowhere)
{
	struct uq *q = &self->q, next;
	uint32_t sync;

	uq_write(q, uq_stream(q, 0, q_endless()), 64, 0);
	uq_ring(q);
	ASSERT_EQ(0, uq_signal(q, 1, &sync));
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, q->id));
	EXPECT_EQ(-ECANCELED, q_finish(self->ctx.fd, sync));
	EXPECT_EQ(ECANCELED, q->state->error);
	/* Most likely the same hardware queue; what the old page says is not for it. */
	ASSERT_EQ(0, uq_open(&next, &self->ctx, 0, 0));
	*q->doorbell = 5000;
	EXPECT_EQ(0, uq_fill(&next, 26, 0));
	uq_unmap(&next);
}

TEST_F(usermode_hostile, no_part_of_a_destroyed_queue_can_be_mapped)
{
	ASSERT_EQ(0, q_queue_destroy(self->ctx.fd, self->q.id));
	EXPECT_EQ(-EACCES, uq_map_error(self->ctx.fd, self->q.offset, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED));
}

/* In a child: the line that is wrong, or 0. */
#define CHECK(cond) do { if (!(cond)) return __LINE__; } while (0)

static int use_inherited(struct uq *q)
{
	CHECK(!uq_fill(q, 27, QUILL_JOB_QUIET));
	CHECK(!uq_fill(q, 28, 0));
	return 0;
}

TEST_F(usermode_hostile, a_child_shares_what_it_inherits)
{
	struct uq *q = &self->q;
	int status;
	pid_t pid;

	ASSERT_EQ(0, uq_fill(q, 26, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(use_inherited(q) & 0xff);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	/* Its jobs are in the ring that both have. */
	EXPECT_EQ(3, q->control->tail);
	q->written = 3;
	EXPECT_EQ(0, uq_fill(q, 29, 0));
}

static int die_while_ringing(void)
{
	struct q_context ctx;
	struct uq q;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK(!q_context_init(&ctx, 0));
	CHECK(!uq_open(&q, &ctx, 0, 0));
	for (;;) {
		uq_write(&q, uq_stream(&q, 0, q_cmd(QUILL_OP_NOP)), 64, QUILL_JOB_QUIET);
		uq_ring(&q);
		if (q.written > q.entries / 2)
			CHECK(uq_poll(&q, q.written - q.entries / 2, LONG));
	}
}

TEST_F_TIMEOUT(usermode_hostile, a_process_killed_while_it_rings_harms_nobody, 120)
{
	int round, status;
	pid_t pid;

	for (round = 0; round < 20; round++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(die_while_ringing() & 0xff);
		usleep(20000 + 1000 * round);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(0, others_work(&self->other, 1));
	}
}

TEST_F(usermode_hostile, unplugged_with_its_doorbell_mapped_it_fails_cleanly)
{
	struct q_context gone;
	uint32_t sync, late;
	char name[64];
	struct uq q;
	int fd = q_open_nth(1);

	if (fd < 0)
		SKIP(return, "one device only");
	close(fd);
	ASSERT_EQ(0, q_context_init_nth(&gone, 1, 0));
	ASSERT_EQ(0, uq_open(&q, &gone, 0, 0));
	ASSERT_EQ(0, q_pci_name(gone.fd, name));
	ASSERT_EQ(0, uq_fill(&q, 30, 0));
	uq_write(&q, uq_stream(&q, 0, q_endless()), 64, 0);
	uq_ring(&q);
	ASSERT_EQ(0, uq_signal(&q, 2, &sync));

	ASSERT_EQ(0, q_driver("unbind", name));
	EXPECT_EQ(-ENODEV, q_finish(gone.fd, sync));
	EXPECT_EQ(ENODEV, q.state->error);
	EXPECT_EQ(NULL, uq_poll(&q, 2, LONG));
	/* Nobody is killed for it, and nobody hears it. */
	*q.doorbell = 3;
	uq_write(&q, gone.va, 64, 0);
	uq_ring(&q);
	EXPECT_EQ(-ENODEV, uq_signal(&q, 3, &late));
	EXPECT_NE(0, uq_map_error(gone.fd, q.offset, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED));
	uq_unmap(&q);
	q_context_fini(&gone);
	ASSERT_EQ(0, q_driver("bind", name));
}

TEST_HARNESS_MAIN
