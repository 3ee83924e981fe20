// SPDX-License-Identifier: MIT
/*
 * What the firmware does for rings that a process writes: no interrupt for who looks himself, counts that outlive a
 * restart, whether a queue is at rest; and what such a ring cannot do.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "firmware_fixture.h"

#define VECTOR	1	/* of queue 0 */

static struct quill_job_desc *descriptor(struct fixture *f, uint32_t index)
{
	return (struct quill_job_desc *)qh_ram(f->h, qh_queue_ring(f->h, 0)) + index % ENTRIES;
}

static uint32_t submit(struct fixture *f, const struct qh_stream *s, uint32_t flags)
{
	struct quill_job_desc desc = {
		.stream = s->buf->va, .size = s->count * QUILL_CMD_SIZE, .flags = flags, .job = 7,
	};

	return qh_submit_desc(f->h, 0, &desc, true);
}

/* Looks again by itself: no vector may come. */
static struct quill_job_cpl wait_for(struct fixture *f, uint32_t seq)
{
	struct quill_job_cpl cpl;
	unsigned int ms;

	for (ms = 0; !qh_wait(f->h, 0, seq, 1, &cpl); ms++)
		assert_in_range(ms, 0, QH_TIMEOUT_MS);
	return cpl;
}

/* The admin ring is served in order: with its answer, what came before is over, vectors included. */
static uint32_t pending(struct fixture *f)
{
	struct quill_admin_msg msg = { .op = QUILL_ADMIN_QUEUE_QUERY };
	struct quill_admin_cpl cpl;

	assert_true(qh_admin(f->h, 0, &msg, &cpl));
	assert_int_equal(cpl.status, QUILL_ADMIN_OK);
	return cpl.pending;
}

static void quiet_jobs_raise_their_vector_every_half_ring(void **state)
{
	struct fixture *f = *state;
	uint32_t i, seq;

	qh_nop(&f->s);
	for (i = 1; i <= 4 * ENTRIES; i++) {
		seq = submit(f, &f->s, QUILL_JOB_QUIET);
		expect_ok(wait_for(f, seq));
		assert_int_equal(pending(f), 0);
		assert_int_equal(qh_msix_count(f->h, VECTOR), i / (ENTRIES / 2));
	}
	expect_ok(wait_for(f, submit(f, &f->s, 0)));
	assert_int_equal(pending(f), 0);
	assert_int_equal(qh_msix_count(f->h, VECTOR), 9);
}

static void quiet_job_that_fails_raises_its_vector(void **state)
{
	struct fixture *f = *state;

	qh_fill(&f->s, 0x10, 4, 1, 64);
	assert_int_equal(wait_for(f, submit(f, &f->s, QUILL_JOB_QUIET)).status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(pending(f), 0);
	assert_int_equal(qh_msix_count(f->h, VECTOR), 1);
}

/* Who has looked long enough clears the flag, looks once more, and sleeps. */
static void flag_cleared_while_the_job_runs_counts(void **state)
{
	struct fixture *f = *state;
	uint32_t seq;

	qh_nop(&f->s);
	qh_loop(&f->s, 0, 0, 1000000);
	seq = submit(f, &f->s, QUILL_JOB_QUIET);
	__atomic_store_n(&descriptor(f, seq - 1)->flags, 0, __ATOMIC_SEQ_CST);
	assert_int_equal(pending(f), 1);
	expect_ok(wait_for(f, seq));
	assert_int_equal(pending(f), 0);
	assert_int_equal(qh_msix_count(f->h, VECTOR), 1);
}

static void unknown_flag_is_a_fault_of_the_ring(void **state)
{
	struct fixture *f = *state;
	uint32_t bit;

	qh_nop(&f->s);
	for (bit = 1; bit < 32; bit++)
		expect_fault(wait_for(f, submit(f, &f->s, 1u << bit)), QUILL_FAULT_RING, 0,
			     offsetof(struct quill_job_desc, flags), QUILL_ACCESS_FETCH, QUILL_ENGINE_FW);
}

static void counts_go_on_from_where_an_earlier_life_ended(void **state)
{
	struct fixture *f = *state;
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_CREATE, .as = f->as, .vector = VECTOR, .entries = ENTRIES,
		.ring = qh_queue_ring(f->h, 0), .cpl = qh_queue_cpl(f->h, 0), .start = 0xfffffffe,
	};
	struct quill_job_cpl *records = qh_ram(f->h, msg.cpl);
	struct quill_admin_cpl cpl;
	uint32_t i;

	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
	assert_true(qh_admin(f->h, 0, &msg, &cpl));
	assert_int_equal(cpl.status, QUILL_ADMIN_OK);
	qh_nop(&f->s);
	for (i = 0; i < 4; i++)
		*descriptor(f, msg.start + i) = (struct quill_job_desc) {
			.stream = f->s.buf->va, .size = f->s.count * QUILL_CMD_SIZE, .job = 100 + i,
		};
	qh_doorbell(f->h, 0, msg.start + 4);
	wait_for(f, 2);
	for (i = 0; i < 4; i++) {
		struct quill_job_cpl *r = &records[(msg.start + i) % ENTRIES];

		assert_int_equal(r->seq, msg.start + i + 1);
		assert_int_equal(r->job, 100 + i);
		expect_ok(*r);
	}
}

static void query_tells_how_many_jobs_wait_or_run(void **state)
{
	struct fixture *f = *state;
	uint32_t i, seq = 0;

	assert_int_equal(pending(f), 0);
	qh_jump(&f->s, 0);
	for (i = 1; i <= 5; i++) {
		seq = submit(f, &f->s, 0);
		assert_int_equal(pending(f), i);
	}
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	assert_int_equal(wait_for(f, seq).status, QUILL_FAULT_KILLED);
	assert_int_equal(pending(f), 0);
}

/* ---- hostile ---- */

struct vandal {
	struct fixture *f;
	atomic_bool stop;
};

static uint32_t next(uint32_t *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 8;
}

/* Writes anything anywhere in the ring, all the time, and rings with anything. */
static void *scribble(void *arg)
{
	struct vandal *v = arg;
	struct fixture *f = v->f;
	uint32_t x = 1, *words = (uint32_t *)descriptor(f, 0);

	while (!atomic_load(&v->stop)) {
		words[next(&x) % (ENTRIES * 8)] = next(&x) % 3 ? next(&x) : 0;
		if (next(&x) % 4 == 0)
			descriptor(f, next(&x))->stream = f->s.buf->va;
		if (next(&x) % 8 == 0)
			qh_doorbell(f->h, 0, next(&x) % 16 ? next(&x) % 64 : next(&x) << 8);
		if (next(&x) % 4096 == 0)
			qh_queue_kill(f->h, 0);
	}
	return NULL;
}

static void ring_full_of_garbage_hurts_its_own_queue_only(void **state)
{
	struct fixture *f = *state;
	struct vandal v = { .f = f };
	struct qh_stream s;
	pthread_t thread;
	uint32_t i;

	assert_int_equal(qh_queue_create(f->h, 1, f->as, QUILL_FW_PRIORITY_MEDIUM, 8), QUILL_ADMIN_OK);
	qh_nop(&f->s);
	qh_stream_init(&s, f->h, f->as, 4096);
	qh_fill(&s, f->a->va, 4, 5, 4096);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &v), 0);
	for (i = 0; i < 2000; i++)
		expect_ok(qh_run(f->h, 1, &s));
	atomic_store(&v.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(quiet_jobs_raise_their_vector_every_half_ring),
		FIXTURE_TEST(quiet_job_that_fails_raises_its_vector),
		FIXTURE_TEST(flag_cleared_while_the_job_runs_counts),
		FIXTURE_TEST(unknown_flag_is_a_fault_of_the_ring),
		FIXTURE_TEST(counts_go_on_from_where_an_earlier_life_ended),
		FIXTURE_TEST(query_tells_how_many_jobs_wait_or_run),
		FIXTURE_TEST(ring_full_of_garbage_hurts_its_own_queue_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
