// SPDX-License-Identifier: MIT
/*
 * Control flow in streams: CALL, LOOP, SET and PATCH, executed by the firmware.
 */
#include "firmware_fixture.h"
#include "quill/isa_check.h"

#define FILL_DST	QUILL_OFF(struct quill_cmd_fill, dst)
#define FILL_VALUE	QUILL_OFF(struct quill_cmd_fill, value)
#define COPY_WIDTH	QUILL_OFF(struct quill_cmd_copy, width)

static uint32_t *words(struct qh_buf *b)
{
	return (uint32_t *)b->ptr;
}

static struct qh_stream other_stream(struct fixture *f, uint32_t max)
{
	struct qh_stream s;

	qh_stream_init(&s, f->h, f->as, max);
	return s;
}

/* a[reg] = value of @reg, when the job is there. */
static void show(struct fixture *f, struct qh_stream *s, uint32_t reg)
{
	qh_patch(s, reg, FILL_VALUE, true, 1);
	qh_fill(s, f->a->va + 4 * reg, 4, 0, 4)->hdr.flags = QUILL_CMD_ORDERED;
}

static void a_loop_runs_as_often_as_its_limit_says(void **state)
{
	struct fixture *f = *state;

	/* b[4 * i] = 10 * i */
	qh_patch(&f->s, 3, FILL_DST, true, 16);
	f->s.cmd[0].patch.entry[1] = quill_patch_entry(3, FILL_VALUE / 4, 1, 10);
	qh_fill(&f->s, f->b->va, 4, 0, 4);
	qh_loop(&f->s, 0, 3, 100);
	show(f, &f->s, 3);
	memset(f->b->ptr, 0xff, 4096);
	expect_ok(qh_run(f->h, 0, &f->s));
	for (uint32_t i = 0; i < 101; i++)
		assert_int_equal(words(f->b)[4 * i], i < 100 ? 10 * i : ~0u);
	assert_int_equal(words(f->a)[3], 100);
}

static void registers_are_zero_when_a_job_starts(void **state)
{
	struct fixture *f = *state;

	for (uint32_t r = 0; r < QUILL_REGISTERS; r++) {
		show(f, &f->s, r);
		qh_set(&f->s, r, QUILL_SET_VALUE, 77 + r);
	}
	expect_ok(qh_run(f->h, 0, &f->s));
	memset(f->a->ptr, 0xff, 64);
	expect_ok(qh_run(f->h, 0, &f->s));
	for (uint32_t r = 0; r < QUILL_REGISTERS; r++)
		assert_int_equal(words(f->a)[r], 0);
}

static void set_gives_adds_and_loads(void **state)
{
	struct fixture *f = *state;

	words(f->b)[5] = 1000;
	qh_set(&f->s, 1, QUILL_SET_VALUE, 0xfffffffe);
	qh_set(&f->s, 1, QUILL_SET_ADD, 5);
	qh_set(&f->s, 2, QUILL_SET_LOAD, 0)->set.word = f->b->va + 20;
	f->s.cmd[2].set.max = 1000;
	show(f, &f->s, 1);
	show(f, &f->s, 2);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[1], 3);
	assert_int_equal(words(f->a)[2], 1000);
}

static void a_load_sees_what_commands_before_it_wrote(void **state)
{
	struct fixture *f = *state;

	qh_fill(&f->s, f->b->va, 4, 42, 65536);
	qh_set(&f->s, 2, QUILL_SET_LOAD, 0)->set.word = f->b->va + 65532;
	f->s.cmd[1].set.max = ~0u;
	show(f, &f->s, 2);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[2], 42);
}

static void a_load_over_its_maximum_is_a_fault(void **state)
{
	struct fixture *f = *state;

	words(f->b)[0] = 11;
	qh_nop(&f->s);
	qh_set(&f->s, 2, QUILL_SET_LOAD, 0)->set.word = f->b->va;
	f->s.cmd[1].set.max = 10;
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_PARAM, 1,
		     QUILL_OFF(struct quill_cmd_set, max), QUILL_ACCESS_READ, QUILL_ENGINE_FW);
}

static void a_word_that_is_not_mapped_is_a_fault(void **state)
{
	struct fixture *f = *state;
	uint64_t nowhere = 0x700000000000;

	qh_set(&f->s, 2, QUILL_SET_LOAD, 0)->set.word = nowhere;
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_UNMAPPED, 0, nowhere,
		     QUILL_ACCESS_READ, QUILL_ENGINE_FW);
	f->s.count = 0;
	qh_nop(&f->s);
	qh_loop(&f->s, 0, 1, 5)->loop.word = nowhere;
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_UNMAPPED, 1, nowhere,
		     QUILL_ACCESS_READ, QUILL_ENGINE_FW);
}

/* A generation of tokens: a command makes the next word, the loop looks at it. */
static void a_loop_ends_when_its_word_is_a_stop(void **state)
{
	struct fixture *f = *state;
	union quill_cmd *loop;

	/* word = 7 * round; stops at 35, or at 1000 rounds */
	qh_patch(&f->s, 0, FILL_VALUE, true, 7);
	qh_fill(&f->s, f->b->va, 4, 0, 4);
	loop = qh_loop(&f->s, 0, 0, 1000);
	loop->loop.word = f->b->va;
	loop->loop.stops = 2;
	loop->loop.stop[0] = -1;
	loop->loop.stop[1] = 35;
	show(f, &f->s, 0);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[0], 6);
	assert_int_equal(words(f->b)[0], 35);

	/* a stop that does not count does not stop: round 0 makes 0 */
	loop->loop.stops = 1;
	loop->loop.stop[1] = 0;
	loop->loop.limit = 20;
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[0], 20);
}

static void loops_nest(void **state)
{
	struct fixture *f = *state;

	qh_set(&f->s, 1, QUILL_SET_VALUE, 0);
	qh_set(&f->s, 2, QUILL_SET_ADD, 1);
	qh_loop(&f->s, 1, 1, 7);
	qh_loop(&f->s, 0, 0, 5);
	show(f, &f->s, 2);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[2], 35);
}

static void a_called_stream_comes_back(void **state)
{
	struct fixture *f = *state;
	struct qh_stream callee = other_stream(f, 100);

	/* longer than a page, and called twice from one place */
	for (uint32_t i = 0; i < 100; i++)
		qh_set(&callee, 1, QUILL_SET_ADD, 1);
	qh_call(&f->s, &callee);
	qh_set(&f->s, 1, QUILL_SET_ADD, 1000);
	qh_loop(&f->s, 0, 0, 2);
	show(f, &f->s, 1);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[1], 2200);
}

static void a_call_at_the_end_returns_through_every_caller(void **state)
{
	struct fixture *f = *state;
	struct qh_stream inner = other_stream(f, 4), middle = other_stream(f, 4);

	show(f, &inner, 1);
	qh_call(&middle, &inner);
	qh_set(&f->s, 1, QUILL_SET_VALUE, 9);
	qh_call(&f->s, &middle);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[1], 9);
}

static void a_jump_in_a_called_stream_is_one_in_it(void **state)
{
	struct fixture *f = *state;
	struct qh_stream callee = other_stream(f, 4);
	struct quill_job_cpl cpl;

	qh_jump(&callee, 2);
	qh_set(&callee, 1, QUILL_SET_ADD, 1);
	qh_set(&callee, 1, QUILL_SET_ADD, 10);
	qh_call(&f->s, &callee);
	show(f, &f->s, 1);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[1], 10);

	/* the caller has such a record, the callee has not */
	callee.cmd[0].jump.target = 3 * QUILL_CMD_SIZE;
	for (uint32_t i = 0; i < 8; i++)
		qh_nop(&f->s);
	cpl = qh_run(f->h, 0, &f->s);
	expect_fault(cpl, QUILL_FAULT_JUMP, 0, QUILL_OFF(struct quill_cmd_jump, target),
		     QUILL_ACCESS_READ, QUILL_ENGINE_FW);
	assert_int_equal(cpl.stream, callee.buf->va);
}

static void a_fault_of_an_engine_tells_the_stream_of_its_command(void **state)
{
	struct fixture *f = *state;
	struct qh_stream callee = other_stream(f, 4);
	uint64_t nowhere = 0x700000000000;
	struct quill_job_cpl cpl;

	qh_nop(&callee);
	qh_fill(&callee, nowhere, 4, 0, 4);
	qh_call(&f->s, &callee);
	qh_nop(&f->s);
	cpl = qh_run(f->h, 0, &f->s);
	expect_fault(cpl, QUILL_FAULT_UNMAPPED, 1, nowhere, QUILL_ACCESS_WRITE, QUILL_ENGINE_DMA);
	assert_int_equal(cpl.stream, callee.buf->va);

	/* the caller's own, behind a call */
	callee.cmd[1].fill.dst = f->a->va;
	qh_fill(&f->s, nowhere, 4, 0, 4);
	cpl = qh_run(f->h, 0, &f->s);
	expect_fault(cpl, QUILL_FAULT_UNMAPPED, 2, nowhere, QUILL_ACCESS_WRITE, QUILL_ENGINE_DMA);
	assert_int_equal(cpl.stream, f->s.buf->va);
}

static void calls_nest_eight_deep_and_no_deeper(void **state)
{
	struct fixture *f = *state;
	struct qh_stream s[QUILL_CALL_DEPTH + 1];

	for (uint32_t i = 0; i <= QUILL_CALL_DEPTH; i++) {
		s[i] = other_stream(f, 2);
		qh_set(&s[i], 1, QUILL_SET_ADD, 1);
		if (i)
			qh_call(&s[i], &s[i - 1]);
	}
	qh_call(&f->s, &s[QUILL_CALL_DEPTH - 1]);
	show(f, &f->s, 1);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[1], QUILL_CALL_DEPTH);

	f->s.count = 0;
	qh_call(&f->s, &s[QUILL_CALL_DEPTH]);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_CALL, 1, 0, QUILL_ACCESS_READ,
		     QUILL_ENGINE_FW);
}

static void a_stream_that_calls_itself_ends_with_a_fault(void **state)
{
	struct fixture *f = *state;

	qh_call(&f->s, &f->s)->call.size = QUILL_CMD_SIZE;
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_CALL, 0, 0, QUILL_ACCESS_READ,
		     QUILL_ENGINE_FW);
}

static void a_called_stream_that_is_not_mapped_is_a_fault(void **state)
{
	struct fixture *f = *state;
	uint64_t nowhere = 0x700000000000;

	qh_call(&f->s, &f->s)->call.stream = nowhere;
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_UNMAPPED, 0, nowhere,
		     QUILL_ACCESS_FETCH, QUILL_ENGINE_FW);
}

static void a_patch_reaches_extensions_and_semaphores(void **state)
{
	struct fixture *f = *state;
	float *out = (float *)f->a->ptr, *in = (float *)f->b->ptr;
	union quill_cmd *cmd;

	/* RMSNORM whose eps is 0 but for what the register adds: x / sqrt(x^2 + eps) */
	in[0] = 0;
	in[1] = 1;
	qh_sem_signal(&f->s, 1);
	qh_set(&f->s, 4, QUILL_SET_VALUE, 1);
	qh_patch(&f->s, 4, QUILL_CMD_SIZE + QUILL_OFF(struct quill_ext_norm, eps), false,
		 0x3f800000);
	f->s.cmd[2].patch.entry[1] =
		quill_patch_entry(4, QUILL_OFF(struct quill_cmd_hdr, wait_value) / 4, 0, 1);
	cmd = qh_norm(&f->s, QUILL_OP_RMSNORM, f->a->va, f->b->va, f->b->va + 4, 1, 1, 0);
	cmd->hdr.wait_sem = 1;
	out[0] = 99;
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_true(out[0] == 0);
}

static void what_a_patch_makes_of_a_command_is_checked(void **state)
{
	struct fixture *f = *state;

	qh_set(&f->s, 1, QUILL_SET_VALUE, 1);
	qh_patch(&f->s, 1, COPY_WIDTH, true, -16);
	qh_copy(&f->s, f->a->va, f->b->va, 16);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_SHAPE, 2, COPY_WIDTH, QUILL_ACCESS_READ,
		     QUILL_ENGINE_FW);
	/* a NOP has no field that may be anything */
	f->s.count = 1;
	qh_patch(&f->s, 1, 16, false, 1);
	qh_nop(&f->s);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_RESERVED, 2, 16, QUILL_ACCESS_READ,
		     QUILL_ENGINE_FW);
}

static void a_patch_counts_for_one_command(void **state)
{
	struct fixture *f = *state;

	qh_set(&f->s, 1, QUILL_SET_VALUE, 5);
	qh_patch(&f->s, 1, FILL_VALUE, true, 1);
	qh_fill(&f->s, f->b->va, 4, 1, 4);
	qh_fill(&f->s, f->b->va + 4, 4, 1, 4);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->b)[0], 6);
	assert_int_equal(words(f->b)[1], 1);
}

static void a_patched_command_that_waits_is_patched_once(void **state)
{
	struct fixture *f = *state;

	/* SET waits for the copy: it is decoded many times, its value counts once */
	qh_set(&f->s, 1, QUILL_SET_VALUE, 5);
	qh_copy(&f->s, f->a->va + 4096, f->b->va, 32768);
	qh_sem_wait(&f->s, 2, 0);
	qh_patch(&f->s, 1, QUILL_OFF(struct quill_cmd_set, max), false, 1);
	qh_set(&f->s, 2, QUILL_SET_LOAD, 0)->set.word = f->b->va;
	words(f->b)[0] = 5;
	show(f, &f->s, 2);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(words(f->a)[2], 5);
}

static void a_patch_has_a_command_behind_it(void **state)
{
	struct fixture *f = *state;
	uint64_t end = f->s.buf->va + 2 * QUILL_CMD_SIZE;
	struct qh_stream callee = other_stream(f, 1);

	qh_nop(&f->s);
	qh_patch(&f->s, 1, 16, false, 1);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_STREAM, 1, end, QUILL_ACCESS_FETCH,
		     QUILL_ENGINE_FW);
	/* not the caller's */
	qh_patch(&callee, 1, 16, false, 1);
	f->s.count = 0;
	qh_call(&f->s, &callee);
	qh_nop(&f->s);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_STREAM, 0, callee.buf->va + QUILL_CMD_SIZE,
		     QUILL_ACCESS_FETCH, QUILL_ENGINE_FW);
	/* and that is no PATCH */
	f->s.count = 0;
	qh_patch(&f->s, 1, 16, false, 1);
	qh_patch(&f->s, 1, 16, false, 1);
	qh_nop(&f->s);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_PARAM, 1, 0, QUILL_ACCESS_READ,
		     QUILL_ENGINE_FW);
}

static void a_patch_beyond_the_commands_records_is_a_fault(void **state)
{
	struct fixture *f = *state;

	qh_patch(&f->s, 1, QUILL_CMD_SIZE + 16, false, 1);
	qh_fill(&f->s, f->b->va, 4, 1, 4);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_PARAM, 1, QUILL_CMD_SIZE + 16,
		     QUILL_ACCESS_READ, QUILL_ENGINE_FW);
}

static void device_time_does_not_depend_on_the_host(void **state)
{
	struct fixture *f = *state;
	uint64_t cycles = 0;

	qh_patch(&f->s, 1, FILL_DST, true, 64);
	qh_fill(&f->s, f->b->va, 4, 1, 64);
	qh_copy(&f->s, f->a->va, f->b->va, 4096);
	qh_loop(&f->s, 0, 1, 50)->loop.word = f->a->va;
	for (uint32_t i = 0; i < 5; i++) {
		struct quill_job_cpl cpl = qh_run(f->h, 0, &f->s);

		expect_ok(cpl);
		assert_true(!i || cpl.counters[QUILL_COUNTER_CYCLES] == cycles);
		cycles = cpl.counters[QUILL_COUNTER_CYCLES];
		assert_int_equal(cpl.counters[QUILL_COUNTER_COMMANDS], 200);
	}
}

#define T(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_loop_runs_as_often_as_its_limit_says),
		T(registers_are_zero_when_a_job_starts),
		T(set_gives_adds_and_loads),
		T(a_load_sees_what_commands_before_it_wrote),
		T(a_load_over_its_maximum_is_a_fault),
		T(a_word_that_is_not_mapped_is_a_fault),
		T(a_loop_ends_when_its_word_is_a_stop),
		T(loops_nest),
		T(a_called_stream_comes_back),
		T(a_call_at_the_end_returns_through_every_caller),
		T(a_jump_in_a_called_stream_is_one_in_it),
		T(a_fault_of_an_engine_tells_the_stream_of_its_command),
		T(calls_nest_eight_deep_and_no_deeper),
		T(a_stream_that_calls_itself_ends_with_a_fault),
		T(a_called_stream_that_is_not_mapped_is_a_fault),
		T(a_patch_reaches_extensions_and_semaphores),
		T(what_a_patch_makes_of_a_command_is_checked),
		T(a_patch_counts_for_one_command),
		T(a_patched_command_that_waits_is_patched_once),
		T(a_patch_has_a_command_behind_it),
		T(a_patch_beyond_the_commands_records_is_a_fault),
		T(device_time_does_not_depend_on_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
