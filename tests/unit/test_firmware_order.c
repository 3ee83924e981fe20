// SPDX-License-Identifier: MIT
/*
 * Order between engines: semaphores, fences, ORDERED, deadlock; and device time, to the cycle.
 *
 * The profile "unit" makes every engine command one cycle long and decoding free, so that times
 * can be told by hand.
 */
#include "firmware_fixture.h"
#include "ref.h"

#define FW	QUILL_ENGINE_FW
#define ORDERED	QUILL_CMD_ORDERED

static int setup_unit(void **state)
{
	const struct quill_host_config c = { .emu = { .profile = "unit" } };

	return fixture_setup_config(state, &c);
}

/* One cycle of TENSOR. */
static union quill_cmd *gemm(struct fixture *f)
{
	return qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 32768, 1, 1, 4);
}

/* One cycle of DMA, which leaves the time of its end in slot @i. */
static union quill_cmd *stamp(struct fixture *f, uint32_t i)
{
	return qh_timestamp(&f->s, f->b->va + 4096 + i * 8);
}

static uint64_t stamped(struct fixture *f, uint32_t i)
{
	return ((uint64_t *)(f->b->ptr + 4096))[i];
}

/* ---- order of execution --------------------------------------------------------- */

/* A big copy makes a GEMM's operand: right only if the GEMM waits. */
static void make_dependency(struct fixture *f, int how)
{
	const uint32_t size = 8 << 20;
	struct qh_buf *src = qh_alloc(f->h, f->as, size, QH_R);
	struct qh_buf *dst = qh_alloc(f->h, f->as, size, QH_RW);
	union quill_cmd *copy, *mul;
	int8_t one = 1;

	src->ptr[size - 1] = 77;
	qh_pack_b(f->b->ptr, &one, 1, 1);
	copy = qh_copy(&f->s, dst->va, src->va, size);
	if (how == 1)
		qh_fence(&f->s);
	if (how == 2)
		qh_sem_wait(&f->s, 31, 1);
	mul = qh_gemm(&f->s, dst->va + size - 1, f->b->va, f->a->va, 1, 1, 1);
	if (how == 0)
		mul->hdr.flags = ORDERED;
	if (how >= 2)
		qh_signal_sem(copy, 31);
	if (how == 3)
		qh_wait_sem(mul, 31, 1);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(*(int32_t *)f->a->ptr, 77);
}

static void ordered_command_waits_for_other_engines(void **state)
{
	make_dependency(*state, 0);
}

static void fence_waits_for_other_engines(void **state)
{
	make_dependency(*state, 1);
}

static void decoder_waits_for_a_semaphore(void **state)
{
	make_dependency(*state, 2);
}

static void engine_waits_for_a_semaphore(void **state)
{
	make_dependency(*state, 3);
}

static void decoding_goes_on_past_a_command_that_waits(void **state)
{
	struct fixture *f = *state;

	/* TENSOR waits for a DMA command that comes later in the stream */
	qh_wait_sem(gemm(f), 1, 1);
	qh_fill(&f->s, f->b->va, 1, 1, 64);
	qh_signal_sem(qh_fill(&f->s, f->a->va, 1, 1, 64), 1);
	expect_ok(qh_run(f->h, 0, &f->s));
}

static void semaphores_count(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	for (i = 0; i < 40; i++)
		qh_signal_sem(qh_fill(&f->s, f->a->va + i, 1, i + 1, 1), 2);
	for (i = 0; i < 40; i++)
		qh_sem_signal(&f->s, 3);
	qh_sem_wait(&f->s, 3, 40);
	qh_wait_sem(gemm(f), 2, 40);
	qh_sem_wait(&f->s, 2, 1);
	qh_sem_wait(&f->s, 4, 0);
	expect_ok(qh_run(f->h, 0, &f->s));
}

static void semaphores_are_zero_in_each_job(void **state)
{
	struct fixture *f = *state;

	qh_sem_signal(&f->s, 5);
	expect_ok(qh_run(f->h, 0, &f->s));
	f->s.count = 0;
	qh_sem_wait(&f->s, 5, 1);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_DEADLOCK, 0, 0, 0, FW);
}

/* ---- deadlock ----------------------------------------------------------------------- */

static void wait_that_nothing_signals_is_a_deadlock(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_fill(&f->s, f->a->va, 1, 1, 64);
	qh_nop(&f->s);
	qh_sem_wait(&f->s, 1, 1)->hdr.seq = 99;
	qh_nop(&f->s);
	cpl = qh_run(f->h, 0, &f->s);
	expect_fault(cpl, QUILL_FAULT_DEADLOCK, 2, 0, 0, FW);
	assert_int_equal(cpl.opcode, QUILL_OP_SEM_WAIT);
	assert_int_equal(cpl.cmd_seq, 99);
	assert_int_equal(f->a->ptr[0], 1);
}

static void engines_that_wait_for_each_other_are_a_deadlock(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_signal_sem(qh_wait_sem(gemm(f), 1, 1), 2)->hdr.seq = 5;
	qh_signal_sem(qh_wait_sem(qh_fill(&f->s, f->a->va, 1, 1, 64), 2, 1), 1);
	cpl = qh_run(f->h, 0, &f->s);
	expect_fault(cpl, QUILL_FAULT_DEADLOCK, 0, 0, 0, QUILL_ENGINE_TENSOR);
	assert_int_equal(cpl.opcode, QUILL_OP_GEMM);
	assert_int_equal(cpl.cmd_seq, 5);
}

static void command_behind_its_own_signaller_is_a_deadlock(void **state)
{
	struct fixture *f = *state;

	/* one engine works in order */
	qh_wait_sem(qh_fill(&f->s, f->a->va, 1, 1, 64), 1, 1);
	qh_signal_sem(qh_fill(&f->s, f->a->va, 1, 1, 64), 1);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_DEADLOCK, 0, 0, 0, QUILL_ENGINE_DMA);

	/* a command cannot wait for itself */
	f->s.count = 0;
	qh_nop(&f->s);
	qh_signal_sem(qh_wait_sem(gemm(f), 1, 1), 1);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_DEADLOCK, 1, 0, 0, QUILL_ENGINE_TENSOR);
}

static void signal_beyond_the_window_is_a_deadlock(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	/* README.md: decoding is at most 64 commands ahead of the oldest that has not retired */
	qh_wait_sem(gemm(f), 1, 1);
	for (i = 0; i < 62; i++)
		qh_nop(&f->s);
	qh_sem_signal(&f->s, 1);
	expect_ok(qh_run(f->h, 0, &f->s));
	f->s.count--;
	qh_nop(&f->s);
	qh_sem_signal(&f->s, 1);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_DEADLOCK, 0, 0, 0, QUILL_ENGINE_TENSOR);
}

static void loop_around_a_blocked_command_is_a_deadlock(void **state)
{
	struct fixture *f = *state;

	qh_wait_sem(gemm(f), 1, 1);
	qh_nop(&f->s);
	qh_jump(&f->s, 2);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_DEADLOCK, 0, 0, 0, QUILL_ENGINE_TENSOR);
}

static void a_bad_command_is_reported_rather_than_who_waits_for_it(void **state)
{
	struct fixture *f = *state;

	qh_wait_sem(gemm(f), 1, 1);
	qh_signal_sem(qh_cmd(&f->s, 0x66), 1);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_OPCODE, 2, 0, 0, FW);
}

static void a_job_behind_a_deadlock_runs(void **state)
{
	struct fixture *f = *state;

	wait_that_nothing_signals_is_a_deadlock(state);
	f->s.count = 0;
	gemm(f);
	qh_fill(&f->s, f->a->va, 1, 2, 64);
	expect_ok(qh_run(f->h, 0, &f->s));
}

/* ---- device time ------------------------------------------------------------------------ */

static void engines_run_side_by_side_in_device_time(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t i;

	for (i = 0; i < 10; i++)
		gemm(f);
	for (i = 0; i < 5; i++)
		stamp(f, i);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	for (i = 0; i < 5; i++)
		assert_int_equal(stamped(f, i), i + 1);
	assert_int_equal(cpl.counters[QUILL_COUNTER_CYCLES], 10);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BUSY_TENSOR], 10);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BUSY_DMA], 5);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BUSY_VECTOR], 0);
	assert_int_equal(cpl.counters[QUILL_COUNTER_COMMANDS], 15);
	assert_int_equal(cpl.counters[QUILL_COUNTER_MACS], 40);
}

static void a_wait_ends_when_its_signal_did_in_device_time(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	for (i = 0; i < 10; i++)
		qh_signal_sem(gemm(f), 1);
	qh_wait_sem(stamp(f, 0), 1, 3);		/* starts at 3, though all ten precede it */
	qh_sem_wait(&f->s, 1, 6);
	stamp(f, 1);
	qh_wait_sem(stamp(f, 2), 1, 10);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(stamped(f, 0), 4);
	assert_int_equal(stamped(f, 1), 7);
	assert_int_equal(stamped(f, 2), 11);
}

static void signals_of_two_engines_count_in_order_of_device_time(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	/* TENSOR signals at 1, 2, 3, 4; DMA, held up until 3, at 4 and 5 */
	qh_signal_sem(gemm(f), 1);
	qh_signal_sem(gemm(f), 1);
	qh_signal_sem(qh_signal_sem(gemm(f), 2), 1);
	qh_signal_sem(gemm(f), 1);
	qh_sem_wait(&f->s, 1, 3);
	for (i = 0; i < 2; i++)
		qh_signal_sem(stamp(f, i), 1);
	/* ends in order: 1 2 3 4 4 5 */
	qh_wait_sem(gemm(f), 1, 5);		/* starts at 4, TENSOR's own time */
	qh_signal_sem(gemm(f), 3);		/* ends at 6 */
	qh_wait_sem(stamp(f, 2), 3, 1);
	qh_wait_sem(stamp(f, 3), 1, 6);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(stamped(f, 0), 4);
	assert_int_equal(stamped(f, 1), 5);
	assert_int_equal(stamped(f, 2), 7);
	assert_int_equal(stamped(f, 3), 8);
}

static void old_signals_keep_their_time(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	/* more signals than are remembered: the wait cannot end before the oldest that is */
	for (i = 0; i < 200; i++)
		qh_signal_sem(gemm(f), 1);
	qh_wait_sem(stamp(f, 0), 1, 190);
	qh_wait_sem(stamp(f, 1), 1, 1);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(stamped(f, 0), 191);
	assert_int_equal(stamped(f, 1), 192);
}

static void ordered_and_fence_take_the_latest_end(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	for (i = 0; i < 5; i++)
		gemm(f);
	stamp(f, 0)->hdr.flags = ORDERED;
	gemm(f);	/* on at 5: it did not have to wait */
	qh_fence(&f->s);
	stamp(f, 1);
	gemm(f);
	gemm(f);
	qh_nop(&f->s)->hdr.flags = ORDERED;
	stamp(f, 2);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(stamped(f, 0), 6);
	assert_int_equal(stamped(f, 1), 7);
	assert_int_equal(stamped(f, 2), 9);
}

static void waits_that_only_the_count_can_end_go_on(void **state)
{
	struct fixture *f = *state;

	/*
	 * TENSOR's first command signals 1 too, and precedes the wait for it, but waits for the waiter:
	 * DMA's signal alone has to do.
	 */
	qh_signal_sem(qh_wait_sem(gemm(f), 2, 1), 1);
	qh_signal_sem(stamp(f, 0), 1);
	qh_signal_sem(qh_wait_sem(stamp(f, 1), 1, 1), 2);
	qh_wait_sem(stamp(f, 2), 1, 2);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(stamped(f, 0), 1);
	assert_int_equal(stamped(f, 1), 2);
	assert_int_equal(stamped(f, 2), 4);

	/* the same with the wait in the decoder */
	f->s.count = 0;
	qh_signal_sem(qh_wait_sem(gemm(f), 2, 1), 1);
	qh_signal_sem(stamp(f, 0), 1);
	qh_sem_wait(&f->s, 1, 1);
	qh_sem_signal(&f->s, 2);
	expect_ok(qh_run(f->h, 0, &f->s));
}

static void decoding_takes_device_time(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t i;

	/* behind the round trip that brings the first records */
	qh_nop(&f->s);
	cpl = qh_run(f->h, 0, &f->s);
	assert_int_equal(cpl.counters[QUILL_COUNTER_CYCLES], 1450 + 96);
	for (i = 0; i < 99; i++)
		qh_nop(&f->s);
	cpl = qh_run(f->h, 0, &f->s);
	assert_int_equal(cpl.counters[QUILL_COUNTER_CYCLES], 1450 + 100 * 96);
}

/* Engines that take turns, with waits of every kind. */
static void make_pipeline(struct fixture *f)
{
	uint32_t i;

	for (i = 0; i < 60; i++) {
		qh_signal_sem(qh_copy(&f->s, f->a->va + i * 64, f->b->va, 300 + i * 97), 1 + i % 3);
		qh_signal_sem(qh_wait_sem(qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 40000,
						  1 + i % 7, 64, 64), 1 + i % 3, 1 + i / 3), 4);
		if (i % 8 == 7)
			qh_wait_sem(stamp(f, i), 4, i / 2);
		if (i % 16 == 15)
			qh_fence(&f->s);
		if (i % 20 == 19)
			gemm(f)->hdr.flags = ORDERED;
	}
	qh_sem_wait(&f->s, 4, 60);
	stamp(f, 60);
}

static void device_time_is_the_same_whatever_the_host_does(void **state)
{
	const struct quill_host_config other = {
		.emu = { .kernels = "scalar", .threads = 1 }, .scatter = true, .map_limit = 256,
	};
	struct fixture *f = *state;
	struct quill_job_cpl first, cpl;
	uint64_t stamps[61];
	uint32_t i;

	make_pipeline(f);
	first = qh_run(f->h, 0, &f->s);
	expect_ok(first);
	assert_true(first.counters[QUILL_COUNTER_CYCLES] > 10000);
	memcpy(stamps, f->b->ptr + 4096, sizeof(stamps));
	for (i = 0; i < 30; i++) {
		cpl = qh_run(f->h, 0, &f->s);
		assert_memory_equal(cpl.counters, first.counters, sizeof(cpl.counters));
		assert_memory_equal(f->b->ptr + 4096, stamps, sizeof(stamps));
	}
	fixture_teardown(state);

	assert_int_equal(fixture_setup_config(state, &other), 0);
	f = *state;
	make_pipeline(f);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	assert_memory_equal(cpl.counters, first.counters, sizeof(cpl.counters));
	assert_memory_equal(f->b->ptr + 4096, stamps, sizeof(stamps));
}

/*
 * Semaphores signalled and waited for at random, by everybody: many of these programs deadlock. The engines
 * share no memory, so that a sanitizer finds no races but the device's own.
 */
static void make_random(struct fixture *f, struct qh_buf *t, struct ref_random *r)
{
	uint32_t n = 1 + ref_random_below(r, 120), i;
	union quill_cmd *c;

	f->s.count = 0;
	for (i = 0; i < n; i++) {
		switch (ref_random_below(r, 8)) {
		case 0:
			c = qh_nop(&f->s);
			break;
		case 1:
			c = qh_fill(&f->s, f->a->va, 1, i, 1 + ref_random_below(r, 60000));
			break;
		case 2:
			c = stamp(f, i);
			break;
		case 3:
			/* more work than runs at once, in the control processor's thread */
			c = qh_copy_2d(&f->s, f->a->va, 540, f->b->va + 32768, 0, 540, 121);
			break;
		default:
			/* less and more work than that */
			c = qh_gemm(&f->s, t->va, t->va + 32768, t->va + 98304, 14 + ref_random_below(r, 6),
				    64, 1000);
		}
		if (!ref_random_below(r, 3))
			qh_signal_sem(c, 1 + ref_random_below(r, 3));
		if (!ref_random_below(r, 5))
			qh_wait_sem(c, 1 + ref_random_below(r, 3), ref_random_below(r, i / 12 + 1));
		if (!ref_random_below(r, 30))
			c->hdr.flags |= ORDERED;
		if (!ref_random_below(r, 40))
			qh_fence(&f->s);
		if (!ref_random_below(r, 20))
			qh_sem_wait(&f->s, 1 + ref_random_below(r, 3),
				    ref_random_below(r, i / 12 + 1));
	}
}

static void random_programs_take_the_same_time_again(void **state)
{
	struct ref_random r = { .state = 2026 };
	struct fixture *f = *state;
	struct qh_buf *t = qh_alloc(f->h, f->as, 131072, QH_RW);
	struct quill_job_cpl first, again;
	uint32_t i, j, ok = 0;

	for (i = 0; i < 1000; i++) {
		make_random(f, t, &r);
		first = qh_run(f->h, 0, &f->s);
		assert_true(!first.status || first.status == QUILL_FAULT_DEADLOCK);
		ok += !first.status;
		for (j = 0; j < 3; j++) {
			again = qh_run(f->h, 0, &f->s);
			again.seq = first.seq;
			if (memcmp(&again, &first, sizeof(first)))
				fail_msg("program %u: fault %u command %u cycles %llu, then fault %u "
					 "command %u cycles %llu", i, first.status, first.command,
					 (unsigned long long)first.counters[0], again.status,
					 again.command, (unsigned long long)again.counters[0]);
		}
	}
	/* both kinds were there */
	assert_in_range(ok, 100, 900);
}

#define UNIT_TEST(name)	cmocka_unit_test_setup_teardown(name, setup_unit, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(ordered_command_waits_for_other_engines),
		FIXTURE_TEST(fence_waits_for_other_engines),
		FIXTURE_TEST(decoder_waits_for_a_semaphore),
		FIXTURE_TEST(engine_waits_for_a_semaphore),
		FIXTURE_TEST(decoding_goes_on_past_a_command_that_waits),
		FIXTURE_TEST(semaphores_count),
		FIXTURE_TEST(semaphores_are_zero_in_each_job),
		FIXTURE_TEST(wait_that_nothing_signals_is_a_deadlock),
		FIXTURE_TEST(engines_that_wait_for_each_other_are_a_deadlock),
		FIXTURE_TEST(command_behind_its_own_signaller_is_a_deadlock),
		FIXTURE_TEST(signal_beyond_the_window_is_a_deadlock),
		FIXTURE_TEST(loop_around_a_blocked_command_is_a_deadlock),
		FIXTURE_TEST(a_bad_command_is_reported_rather_than_who_waits_for_it),
		FIXTURE_TEST(a_job_behind_a_deadlock_runs),
		UNIT_TEST(engines_run_side_by_side_in_device_time),
		UNIT_TEST(a_wait_ends_when_its_signal_did_in_device_time),
		UNIT_TEST(signals_of_two_engines_count_in_order_of_device_time),
		UNIT_TEST(old_signals_keep_their_time),
		UNIT_TEST(ordered_and_fence_take_the_latest_end),
		UNIT_TEST(waits_that_only_the_count_can_end_go_on),
		FIXTURE_TEST(decoding_takes_device_time),
		FIXTURE_TEST(device_time_is_the_same_whatever_the_host_does),
		FIXTURE_TEST(random_programs_take_the_same_time_again),
	};

	return cmocka_run_group_tests_name("firmware_order", tests, NULL, NULL);
}
