// SPDX-License-Identifier: MIT
/*
 * Queues whose ring the process serves (ACCEL_QUEUE_USER), through libaccel: to an application they are like others.
 */
#include <errno.h>

#include "fixture.h"

#define ENTRIES	128

static int setup_user(void **state)
{
	static const struct accel_queue_params user = { .flags = ACCEL_QUEUE_USER };
	struct fixture *f;

	if (setup(state))
		return -1;
	f = *state;
	accel_queue_destroy(f->queue);
	f->queue = NULL;
	if (accel_queue_create(f->vm, &user, &f->queue)) {
		print_message("# %s\n", accel_last_error(f->dev));
		return -1;
	}
	return 0;
}

static void unknown_flags_are_refused_in_words(void **state)
{
	struct accel_queue_params params = { .flags = ACCEL_QUEUE_USER << 1 };
	struct fixture *f = *state;
	struct accel_queue *queue;

	assert_int_equal(accel_queue_create(f->vm, &params, &queue), -EINVAL);
	expect_text(f, "accel_queue_create: flags are 0x2; required: none but ACCEL_QUEUE_USER (0x1)");
}

static void a_job_does_what_it_says(void **state)
{
	struct fixture *f = *state;
	uint32_t *p = f->buf.ptr;

	ok(f, accel_cmd_fill(f->stream, &(struct accel_fill) {
		.dst = f->buf.va, .value = 0x12345678, .width = PAGE, .elem = 4 }, NULL));
	run(f);
	assert_int_equal(p[0], 0x12345678);
	assert_int_equal(p[PAGE / 4 - 1], 0x12345678);
}

static void more_jobs_than_the_ring_holds_all_end_well(void **state)
{
	struct fixture *f = *state;
	struct accel_queue_stats stats;
	uint64_t point = 0, i;

	ok(f, accel_cmd_nop(f->stream, NULL));
	for (i = 1; i <= 5 * ENTRIES; i++) {
		point = submit(f);
		assert_int_equal(point, i);
	}
	ok(f, accel_queue_wait(f->queue, point, 60 * SECOND));
	for (i = 1; i <= point; i++)
		ok(f, accel_queue_wait(f->queue, i, 0));
	ok(f, accel_queue_stats(f->queue, &stats));
	assert_int_equal(stats.jobs, point);
	assert_int_equal(stats.faults, 0);
	/* Who laps the driver has jobs counted all the same, but commands only of what the ring still holds. */
	assert_in_range(stats.commands, ENTRIES, point);
}

static void long_jobs_are_slept_for(void **state)
{
	struct fixture *f = *state;
	uint64_t point;

	ok(f, accel_cmd_loop(f->stream, &(struct accel_loop) { .limit = 100000 }));
	point = submit(f);
	assert_int_equal(accel_queue_wait(f->queue, point, 0), -ETIMEDOUT);
	assert_int_equal(accel_queue_wait(f->queue, point, 1000000), -ETIMEDOUT);
	ok(f, accel_queue_wait(f->queue, point, 60 * SECOND));
}

static void each_job_has_its_own_error_and_counters(void **state)
{
	struct fixture *f = *state;
	struct accel_counters counters;
	struct accel_stream *bad;
	struct accel_fault fault;
	uint64_t good, wrong, last;

	ok(f, accel_stream_create(f->vm, 1, &bad));
	ok(f, accel_cmd_fill(bad, &(struct accel_fill) {
		.dst = 0x7000000000, .value = 1, .width = 64, .elem = 4 }, NULL));
	ok(f, accel_cmd_nop(f->stream, NULL));
	good = submit(f);
	ok(f, accel_queue_submit(f->queue, bad, NULL, 0, &wrong));
	last = submit(f);
	ok(f, accel_queue_wait(f->queue, last, 60 * SECOND));
	assert_int_equal(accel_queue_wait(f->queue, wrong, 60 * SECOND), -EIO);
	expect_text(f, "job 2 failed: command 0 (FILL)");
	ok(f, accel_queue_wait(f->queue, good, 60 * SECOND));
	ok(f, accel_queue_counters(f->queue, last, &counters));
	assert_int_equal(counters.commands, 1);
	ok(f, accel_queue_fault(f->queue, &fault));
	assert_int_equal(fault.point, wrong);
	assert_int_equal(fault.address, 0x7000000000);
	accel_stream_destroy(bad);
}

static void an_endless_job_is_ended_at_its_limit_and_those_behind_it_with_it(void **state)
{
	struct accel_queue_params params = { .timeout_ms = 300, .flags = ACCEL_QUEUE_USER };
	struct fixture *f = *state;
	struct accel_stream *nop;
	struct accel_queue *queue;
	uint64_t point, behind;

	ok(f, accel_queue_create(f->vm, &params, &queue));
	ok(f, accel_stream_create(f->vm, 1, &nop));
	ok(f, accel_cmd_nop(nop, NULL));
	ok(f, accel_cmd_jump(f->stream, 0));
	ok(f, accel_queue_submit(queue, f->stream, NULL, 0, &point));
	ok(f, accel_queue_submit(queue, nop, NULL, 0, &behind));
	assert_int_equal(accel_queue_wait(queue, point, 60 * SECOND), -ETIME);
	f->resets++;
	assert_int_equal(accel_queue_wait(queue, behind, 60 * SECOND), -ECANCELED);
	ok(f, accel_queue_submit(queue, nop, NULL, 0, &point));
	ok(f, accel_queue_wait(queue, point, 60 * SECOND));
	accel_stream_destroy(nop);
	accel_queue_destroy(queue);
}

/* The first is long enough that the second would overtake it. */
static void chain(struct fixture *f, struct accel_queue *first, struct accel_queue *second, uint32_t value)
{
	struct accel_wait wait = { .queue = first };
	uint32_t *p = f->buf.ptr;
	struct accel_stream *copy;
	uint64_t point;

	ok(f, accel_stream_create(f->vm, 1, &copy));
	ok(f, accel_cmd_copy(copy, f->buf.va + PAGE, f->buf.va, 64, NULL));
	accel_stream_reset(f->stream);
	ok(f, accel_cmd_loop(f->stream, &(struct accel_loop) { .limit = 20000 }));
	ok(f, accel_cmd_fill(f->stream, &(struct accel_fill) {
		.dst = f->buf.va, .value = value, .width = 64, .elem = 4 }, NULL));
	ok(f, accel_queue_submit(first, f->stream, NULL, 0, &wait.point));
	ok(f, accel_queue_submit(second, copy, &wait, 1, &point));
	ok(f, accel_queue_wait(second, point, 60 * SECOND));
	assert_int_equal(p[PAGE / 4], value);
	/* and of what has ended long ago */
	ok(f, accel_queue_submit(second, copy, &wait, 1, &point));
	ok(f, accel_queue_wait(second, point, 60 * SECOND));
	accel_stream_destroy(copy);
}

static void jobs_wait_for_those_of_other_queues_either_way(void **state)
{
	struct fixture *f = *state;
	struct accel_queue *kernel;

	ok(f, accel_queue_create(f->vm, NULL, &kernel));
	chain(f, f->queue, kernel, 0x1111);
	chain(f, kernel, f->queue, 0x2222);
	accel_queue_destroy(kernel);
}

static void a_queue_destroyed_with_a_job_under_way_lets_go(void **state)
{
	struct fixture *f = *state;

	ok(f, accel_cmd_jump(f->stream, 0));
	submit(f);
	accel_queue_destroy(f->queue);
	f->queue = NULL;
	ok(f, accel_queue_create(f->vm, NULL, &f->queue));
	accel_stream_reset(f->stream);
	ok(f, accel_cmd_nop(f->stream, NULL));
	run(f);
}

#define USER_TEST(name)	cmocka_unit_test_setup_teardown(name, setup_user, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		USER_TEST(unknown_flags_are_refused_in_words),
		USER_TEST(a_job_does_what_it_says),
		USER_TEST(more_jobs_than_the_ring_holds_all_end_well),
		USER_TEST(long_jobs_are_slept_for),
		USER_TEST(each_job_has_its_own_error_and_counters),
		USER_TEST(an_endless_job_is_ended_at_its_limit_and_those_behind_it_with_it),
		USER_TEST(jobs_wait_for_those_of_other_queues_either_way),
		USER_TEST(a_queue_destroyed_with_a_job_under_way_lets_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
