// SPDX-License-Identifier: MIT
/*
 * Jobs of several queues at a time: whose turn it is, and what they do not share. Engines share no memory here, so that
 * a sanitizer finds no races but the device's own.
 */
#include <unistd.h>

#include "firmware_fixture.h"

#define LOW	QUILL_FW_PRIORITY_LOW
#define MEDIUM	QUILL_FW_PRIORITY_MEDIUM
#define HIGH	QUILL_FW_PRIORITY_HIGH

static int setup_many(void **state)
{
	const struct quill_host_config c = { .emu = { .queues = QUILL_MAX_QUEUES } };

	return fixture_setup_config(state, &c);
}

static int setup_watched(void **state)
{
	const struct quill_host_config c = { .watchdog_us = 100000 };

	return fixture_setup_config(state, &c);
}

/* A job of @q that never ends by itself: commands of every kind, small and large. */
static uint32_t submit_endless(struct fixture *f, uint32_t q, struct qh_stream *s)
{
	struct qh_buf *b = qh_alloc(f->h, f->as, 1 << 20, QH_RW);

	qh_stream_init(s, f->h, f->as, 16);
	qh_nop(s);
	qh_gemm(s, b->va, b->va + 65536, b->va + 262144, 32, 256, 256);
	qh_fill(s, b->va + 524288, 1, 3, 65536);
	qh_copy(s, b->va + 524288, b->va + 786432, 262144);
	qh_jump(s, 0);
	return qh_submit_stream(f->h, q, s);
}

/* One DMA command that takes minutes, if nobody ends it. */
static uint32_t submit_stuck(struct fixture *f, uint32_t q, struct qh_stream *s)
{
	struct qh_buf *b = qh_alloc(f->h, f->as, 32 << 20, QH_RW);

	qh_stream_init(s, f->h, f->as, 4100);
	while (s->count < 4096)
		qh_copy_2d(s, b->va, 1, b->va, 0, 1, 1 << 24);
	return qh_submit_stream(f->h, q, s);
}

static void kill(struct fixture *f, uint32_t q, uint32_t seq)
{
	struct quill_job_cpl cpl;

	assert_int_equal(qh_queue_kill(f->h, q), QUILL_ADMIN_OK);
	assert_true(qh_wait(f->h, q, seq, 0, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
}

static uint32_t ask(struct fixture *f, uint16_t op, uint16_t queue, uint16_t as, uint32_t *detail)
{
	struct quill_admin_msg msg = { .op = op, .queue = queue, .as = as };
	struct quill_admin_cpl cpl;

	assert_true(qh_admin(f->h, 0, &msg, &cpl));
	if (detail)
		*detail = cpl.detail;
	return cpl.status;
}

static void make_queue(struct fixture *f, uint32_t q, uint32_t priority)
{
	assert_int_equal(qh_queue_create(f->h, q, f->as, priority, 4), QUILL_ADMIN_OK);
}

static bool ended(struct fixture *f, uint32_t q, uint32_t seq)
{
	struct quill_job_cpl cpl;

	return qh_wait(f->h, q, seq, 0, &cpl);
}

/* ---- whose turn it is ---- */

static void an_urgent_job_overtakes_one_that_runs(void **state)
{
	struct fixture *f = *state;
	struct qh_stream slow;
	uint32_t seq, i;

	make_queue(f, 1, LOW);
	make_queue(f, 2, HIGH);
	seq = submit_endless(f, 1, &slow);
	qh_fill(&f->s, f->a->va, 4, 7, 4096);
	for (i = 0; i < 50; i++) {
		expect_ok(qh_run(f->h, 0, &f->s));
		expect_ok(qh_run(f->h, 2, &f->s));
	}
	assert_false(ended(f, 1, seq));
	kill(f, 1, seq);
}

static void jobs_of_one_priority_take_turns(void **state)
{
	struct fixture *f = *state;
	struct qh_stream slow[3];
	uint32_t seq[3], i;

	for (i = 0; i < 3; i++) {
		make_queue(f, 1 + i, MEDIUM);
		seq[i] = submit_endless(f, 1 + i, &slow[i]);
	}
	for (i = 0; i < 50; i++)
		qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 32768, 16, 16, 16);
	expect_ok(qh_run(f->h, 0, &f->s));
	for (i = 0; i < 3; i++) {
		assert_false(ended(f, 1 + i, seq[i]));
		kill(f, 1 + i, seq[i]);
	}
}

/* How often it came round is in what it wrote. */
static uint32_t submit_counting(struct fixture *f, uint32_t q, struct qh_stream *s,
				struct qh_buf *b)
{
	qh_stream_init(s, f->h, f->as, 8);
	qh_timestamp(s, b->va);
	/* enough for a thread of its own, and soon over */
	qh_fill(s, b->va + 4096, 1, 3, 256 << 10);
	qh_jump(s, 0);
	return qh_submit_stream(f->h, q, s);
}

static uint64_t count(const struct qh_buf *b)
{
	return __atomic_load_n((const uint64_t *)b->ptr, __ATOMIC_RELAXED);
}

static void a_lower_priority_ages_and_a_higher_one_is_not_stopped(void **state)
{
	struct fixture *f = *state;
	struct qh_buf *b = qh_alloc(f->h, f->as, 1 << 20, QH_RW);
	struct qh_stream s;
	uint64_t before;
	uint32_t seq, i;

	make_queue(f, 1, HIGH);
	make_queue(f, 2, LOW);
	seq = submit_counting(f, 1, &s, b);
	for (i = 0; i < 300; i++)
		qh_fill(&f->s, f->a->va, 1, i & 0xff, 4096);
	/* MEDIUM and LOW: each ends although HIGH never does */
	expect_ok(qh_run(f->h, 0, &f->s));
	before = count(b);
	expect_ok(qh_run(f->h, 2, &f->s));
	assert_true(count(b) > before);
	assert_false(ended(f, 1, seq));
	kill(f, 1, seq);
}

static void a_lower_priority_gets_little_beside_a_higher_one(void **state)
{
	struct fixture *f = *state;
	struct qh_buf *high = qh_alloc(f->h, f->as, 1 << 20, QH_RW);
	struct qh_buf *low = qh_alloc(f->h, f->as, 1 << 20, QH_RW);
	struct qh_stream s[2];
	uint32_t seq[2];
	uint64_t h, l;

	make_queue(f, 1, HIGH);
	make_queue(f, 2, LOW);
	seq[0] = submit_counting(f, 1, &s[0], high);
	seq[1] = submit_counting(f, 2, &s[1], low);
	usleep(600000);
	h = count(high);
	l = count(low);
	kill(f, 1, seq[0]);
	kill(f, 2, seq[1]);
	assert_true(h > 0 && l > 0);
	/* a twelfth, where ticks are on time; as much if there were no priorities */
	if (l * 2 > h)
		fail_msg("the low one came to %llu, the high one to %llu: expected half of it at most",
			 (unsigned long long)l, (unsigned long long)h);
}

static void a_priority_that_takes_all_it_can_leaves_places_for_others(void **state)
{
	struct fixture *f = *state;
	struct qh_stream s[40];
	uint32_t seq[40], i;

	for (i = 0; i < 40; i++) {
		make_queue(f, 1 + i, i < 20 ? LOW : HIGH);
		seq[i] = submit_endless(f, 1 + i, &s[i]);
	}
	qh_nop(&f->s);
	/* MEDIUM among twenty above, which never end */
	expect_ok(qh_run(f->h, 0, &f->s));
	for (i = 0; i < 40; i++)
		kill(f, 1 + i, seq[i]);
	expect_ok(qh_run(f->h, 0, &f->s));
}

static void as_many_queues_as_there_may_be_are_served(void **state)
{
	struct fixture *f = *state;
	uint32_t q, round;
	struct quill_job_cpl cpl;

	qh_fill(&f->s, f->a->va, 4, 7, 4096);
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 4096, 8, 8, 8);
	for (q = 1; q < QUILL_MAX_QUEUES; q++)
		make_queue(f, q, q % 3);
	for (round = 1; round <= 5; round++) {
		for (q = 0; q < QUILL_MAX_QUEUES; q++)
			qh_submit_stream(f->h, q, &f->s);
		for (q = 0; q < QUILL_MAX_QUEUES; q++) {
			assert_true(qh_wait(f->h, q, round, QH_TIMEOUT_MS, &cpl));
			expect_ok(cpl);
		}
	}
}

/* ---- what jobs do not share ---- */

static void make_pipeline(struct qh_stream *s, struct qh_buf *a, struct qh_buf *b)
{
	uint32_t i;

	for (i = 0; i < 40; i++) {
		qh_signal_sem(qh_copy(s, a->va + i * 64, a->va + 16384, 300 + i * 97), 1 + i % 3);
		qh_signal_sem(qh_wait_sem(qh_gemm(s, b->va + 8192, b->va + 16384, b->va + 32768,
						  1 + i % 7, 64, 64), 1 + i % 3, 1 + i / 3), 4);
		if (i % 16 == 15)
			qh_fence(s);
		qh_fill(s, QUILL_VA_SRAM + i * 4096, 4, i, 4096);
	}
	qh_sem_wait(s, 4, 40);
	qh_timestamp(s, b->va + 4096);
}

static void device_time_is_the_same_beside_others(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl alone, beside;
	struct qh_stream other[3];
	uint32_t seq[3], i;

	make_pipeline(&f->s, f->a, f->b);
	alone = qh_run(f->h, 0, &f->s);
	expect_ok(alone);
	for (i = 0; i < 3; i++) {
		make_queue(f, 1 + i, MEDIUM);
		seq[i] = submit_endless(f, 1 + i, &other[i]);
	}
	for (i = 0; i < 10; i++) {
		beside = qh_run(f->h, 0, &f->s);
		expect_ok(beside);
		assert_memory_equal(beside.counters, alone.counters, sizeof(alone.counters));
	}
	for (i = 0; i < 3; i++)
		kill(f, 1 + i, seq[i]);
}

static void a_fault_concerns_its_own_job_alone(void **state)
{
	struct fixture *f = *state;
	struct qh_stream other;
	uint32_t seq, i;

	make_queue(f, 1, MEDIUM);
	seq = submit_endless(f, 1, &other);
	qh_fill(&f->s, f->a->va, 1, 1, 65536);
	qh_fill(&f->s, 0x40000000000, 1, 1, 16);
	qh_fill(&f->s, f->a->va, 1, 2, 65536);
	for (i = 0; i < 20; i++)
		expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_UNMAPPED, 1, 0x40000000000,
			     QUILL_ACCESS_WRITE, QUILL_ENGINE_DMA);
	assert_false(ended(f, 1, seq));
	kill(f, 1, seq);
}

static void scratchpads_of_jobs_that_alternate_are_their_own(void **state)
{
	struct fixture *f = *state;
	struct qh_stream s[2];
	struct quill_job_cpl cpl;
	uint32_t q, i, round;

	for (q = 0; q < 2; q++) {
		if (q)
			make_queue(f, q, MEDIUM);
		qh_stream_init(&s[q], f->h, f->as, 1024);
		for (i = 0; i < 200; i++) {
			qh_fill(&s[q], QUILL_VA_SRAM + i * 64, 4, 1 + q, 64);
			qh_copy(&s[q], f->b->va + q * 32768 + i * 64, QUILL_VA_SRAM + i * 64, 64);
		}
		/* what no command has written reads as zero */
		qh_copy(&s[q], f->b->va + q * 32768 + 16384, QUILL_VA_SRAM + 65536, 64);
	}
	for (round = 1; round <= 5; round++) {
		memset(f->b->ptr, 0xff, 65536);
		qh_submit_stream(f->h, 0, &s[0]);
		qh_submit_stream(f->h, 1, &s[1]);
		for (q = 0; q < 2; q++) {
			assert_true(qh_wait(f->h, q, round, QH_TIMEOUT_MS, &cpl));
			expect_ok(cpl);
			for (i = 0; i < 200 * 16; i++)
				assert_int_equal(((uint32_t *)(f->b->ptr + q * 32768))[i], 1 + q);
			assert_int_equal(f->b->ptr[q * 32768 + 16384], 0);
		}
	}
}

/* ---- suspend, context kill, query, watchdog ---- */

static void a_suspended_queue_stands_still_until_it_is_resumed(void **state)
{
	struct fixture *f = *state;
	struct qh_buf *b = qh_alloc(f->h, f->as, 1 << 20, QH_RW);
	struct qh_stream s;
	uint64_t before;
	uint32_t seq;

	make_queue(f, 1, MEDIUM);
	seq = submit_counting(f, 1, &s, b);
	while (!count(b))
		usleep(100);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_SUSPEND, 1, 0, NULL), QUILL_ADMIN_OK);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_SUSPEND, 1, 0, NULL), QUILL_ADMIN_OK);
	before = count(b);
	usleep(50000);
	assert_true(count(b) == before);
	/* others go on meanwhile */
	qh_fill(&f->s, f->a->va, 4, 7, 4096);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(qh_queue_destroy(f->h, 1), QUILL_ADMIN_BUSY);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_RESUME, 1, 0, NULL), QUILL_ADMIN_OK);
	while (count(b) == before)
		usleep(100);
	/* and a suspended one can be killed */
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_SUSPEND, 1, 0, NULL), QUILL_ADMIN_OK);
	kill(f, 1, seq);
	assert_int_equal(qh_queue_destroy(f->h, 1), QUILL_ADMIN_OK);
}

static void a_suspended_queue_begins_no_job(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t seq;

	qh_nop(&f->s);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_SUSPEND, 0, 0, NULL), QUILL_ADMIN_OK);
	seq = qh_submit_stream(f->h, 0, &f->s);
	assert_false(qh_wait(f->h, 0, seq, 50, &cpl));
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_RESUME, 0, 0, NULL), QUILL_ADMIN_OK);
	assert_true(qh_wait(f->h, 0, seq, QH_TIMEOUT_MS, &cpl));
	expect_ok(cpl);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_SUSPEND, 5, 0, NULL), QUILL_ADMIN_NO_QUEUE);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_RESUME, 5, 0, NULL), QUILL_ADMIN_NO_QUEUE);
}

static void a_job_goes_on_with_the_same_result_after_a_suspend(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl alone, cpl;
	uint32_t seq, i;

	make_pipeline(&f->s, f->a, f->b);
	alone = qh_run(f->h, 0, &f->s);
	for (i = 0; i < 30; i++) {
		seq = qh_submit_stream(f->h, 0, &f->s);
		usleep(i * 17);
		assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_SUSPEND, 0, 0, NULL), QUILL_ADMIN_OK);
		assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_RESUME, 0, 0, NULL), QUILL_ADMIN_OK);
		assert_true(qh_wait(f->h, 0, seq, QH_TIMEOUT_MS, &cpl));
		expect_ok(cpl);
		assert_memory_equal(cpl.counters, alone.counters, sizeof(alone.counters));
	}
}

static void a_context_kill_ends_all_of_a_space_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	uint32_t other_as = qh_as_create(f->h), own = f->as, seq[3], detail, i;
	const uint32_t of_space[2] = { 1, QUILL_MAX_QUEUES - 1 };
	struct quill_job_cpl cpl;
	struct qh_stream s[3];

	make_queue(f, of_space[0], LOW);
	make_queue(f, of_space[1], HIGH);
	assert_int_equal(qh_queue_create(f->h, 3, other_as, MEDIUM, 4), QUILL_ADMIN_OK);
	seq[0] = submit_endless(f, of_space[0], &s[0]);
	seq[1] = submit_endless(f, of_space[1], &s[1]);
	f->as = other_as;
	seq[2] = submit_endless(f, 3, &s[2]);
	f->as = own;
	qh_nop(&f->s);
	qh_submit_stream(f->h, of_space[0], &f->s);
	qh_submit_stream(f->h, of_space[1], &f->s);

	assert_int_equal(ask(f, QUILL_ADMIN_CONTEXT_KILL, 0, own, NULL), QUILL_ADMIN_OK);
	for (i = 0; i < 2; i++) {
		assert_true(qh_wait(f->h, of_space[i], seq[i], 0, &cpl));
		assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
		assert_true(qh_wait(f->h, of_space[i], seq[i] + 1, 0, &cpl));
		assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
	}
	assert_false(ended(f, 3, seq[2]));
	expect_ok(qh_run(f->h, 1, &f->s));
	/* of a space that no queue uses: nothing to do */
	assert_int_equal(ask(f, QUILL_ADMIN_CONTEXT_KILL, 0, 60, NULL), QUILL_ADMIN_OK);
	assert_int_equal(ask(f, QUILL_ADMIN_CONTEXT_KILL, 0, 0, &detail), QUILL_ADMIN_BAD_PARAM);
	assert_int_equal(detail, offsetof(struct quill_admin_msg, as));
	assert_int_equal(ask(f, QUILL_ADMIN_CONTEXT_KILL, 0, QUILL_MAX_AS, &detail),
			 QUILL_ADMIN_BAD_PARAM);
	assert_int_equal(ask(f, QUILL_ADMIN_CONTEXT_KILL, 1, own, &detail), QUILL_ADMIN_BAD_PARAM);
	assert_int_equal(detail, offsetof(struct quill_admin_msg, queue));
	kill(f, 3, seq[2]);
}

static void a_query_counts_the_time_in_which_a_job_was_served(void **state)
{
	struct fixture *f = *state;
	uint32_t seq[2], low, high, none;
	struct qh_stream s[2];

	make_queue(f, 1, LOW);
	make_queue(f, 2, HIGH);
	seq[0] = submit_endless(f, 1, &s[0]);
	seq[1] = submit_endless(f, 2, &s[1]);
	usleep(300000);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_QUERY, 1, 0, &low), QUILL_ADMIN_OK);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_QUERY, 2, 0, &high), QUILL_ADMIN_OK);
	assert_int_equal(ask(f, QUILL_ADMIN_QUEUE_QUERY, 0, 0, &none), QUILL_ADMIN_OK);
	assert_int_equal(none, 0);
	assert_true(high >= 150);
	assert_true(low < high / 2);
	kill(f, 1, seq[0]);
	kill(f, 2, seq[1]);
}

static void the_watchdog_ends_a_command_that_does_not_end(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	struct qh_stream s[2];
	uint32_t stuck, fine;

	make_queue(f, 1, MEDIUM);
	make_queue(f, 2, MEDIUM);
	stuck = submit_stuck(f, 1, &s[0]);
	usleep(2000);
	/* waits for the same engine all the time, and is not to blame; the other one is busy with many commands */
	qh_fill(&f->s, f->a->va, 4, 7, 4096);
	expect_ok(qh_run(f->h, 0, &f->s));
	fine = submit_endless(f, 2, &s[1]);
	assert_true(qh_wait(f->h, 1, stuck, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_TIMEOUT);
	assert_int_equal(cpl.engine, QUILL_ENGINE_DMA);
	assert_int_equal(cpl.opcode, QUILL_OP_COPY);
	usleep(300000);
	assert_false(ended(f, 2, fine));
	kill(f, 2, fine);
}

/* ---- versions ---- */

static void version_and_features_are_shown(void **state)
{
	struct fixture *f = *state;
	uint64_t base = QUILL_REG_CORE(0);

	assert_int_equal(qh_read(f->h, base + QUILL_CORE_FW_ABI),
			 QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR));
	assert_int_equal(qh_read(f->h, base + QUILL_CORE_FW_FEATURES),
			 QUILL_FW_FEATURE_PREEMPT | QUILL_FW_FEATURE_SUSPEND |
			 QUILL_FW_FEATURE_CONTEXT_KILL | QUILL_FW_FEATURE_WATCHDOG |
			 QUILL_FW_FEATURE_QUERY | QUILL_FW_FEATURE_USER);
}

static void the_latest_version_that_both_speak_is_taken(void **state)
{
	struct quill_host *h = qh_create(&(struct quill_host_config){ .no_boot = true });
	struct quill_fw_boot args = qh_boot_args(h, 0);
	const void *image;
	size_t size;

	/* a driver that speaks older and newer languages too */
	args.abi_min = QUILL_FW_ABI(QUILL_FW_ABI_MAJOR - 1, 0);
	args.abi_max = QUILL_FW_ABI(QUILL_FW_ABI_MAJOR + 1, 3);
	image = qh_image(h, &size);
	assert_int_equal(qh_boot(h, 0, &args, image, size), QUILL_CORE_READY);
	assert_int_equal(qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_FW_ABI),
			 QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR));
	qh_destroy(h);
}

#define MANY_TEST(name)	cmocka_unit_test_setup_teardown(name, setup_many, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(an_urgent_job_overtakes_one_that_runs),
		FIXTURE_TEST(jobs_of_one_priority_take_turns),
		FIXTURE_TEST(a_lower_priority_ages_and_a_higher_one_is_not_stopped),
		FIXTURE_TEST(a_lower_priority_gets_little_beside_a_higher_one),
		MANY_TEST(a_priority_that_takes_all_it_can_leaves_places_for_others),
		MANY_TEST(as_many_queues_as_there_may_be_are_served),
		FIXTURE_TEST(device_time_is_the_same_beside_others),
		FIXTURE_TEST(a_fault_concerns_its_own_job_alone),
		FIXTURE_TEST(scratchpads_of_jobs_that_alternate_are_their_own),
		FIXTURE_TEST(a_suspended_queue_stands_still_until_it_is_resumed),
		FIXTURE_TEST(a_suspended_queue_begins_no_job),
		FIXTURE_TEST(a_job_goes_on_with_the_same_result_after_a_suspend),
		MANY_TEST(a_context_kill_ends_all_of_a_space_and_nothing_else),
		FIXTURE_TEST(a_query_counts_the_time_in_which_a_job_was_served),
		cmocka_unit_test_setup_teardown(the_watchdog_ends_a_command_that_does_not_end,
						setup_watched, fixture_teardown),
		FIXTURE_TEST(version_and_features_are_shown),
		cmocka_unit_test(the_latest_version_that_both_speak_is_taken),
	};

	return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
