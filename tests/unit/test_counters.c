// SPDX-License-Identifier: MIT
/*
 * The counters of a job: what the parts are, by hand; and that they add up to the whole, whatever the program and the host.
 */
#include "firmware_fixture.h"
#include "quill/isa_check.h"
#include "timing.h"

static int unit_setup(void **state)
{
	const struct quill_host_config c = { .emu = { .profile = "unit" } };

	return fixture_setup_config(state, &c);
}

/* @engine: what it was busy with, of that waiting for memory; waited for others, for the firmware; idle. */
static void expect_parts(const struct quill_job_cpl *cpl, unsigned int engine, uint64_t busy,
			 uint64_t memory, uint64_t dependency, uint64_t firmware, uint64_t idle)
{
	const __u64 *c = cpl->counters + engine;

	if (c[QUILL_COUNTER_BUSY] == busy && c[QUILL_COUNTER_MEMORY] == memory &&
	    c[QUILL_COUNTER_DEPENDENCY] == dependency && c[QUILL_COUNTER_FIRMWARE] == firmware &&
	    c[QUILL_COUNTER_IDLE] == idle)
		return;
	fail_msg("engine %u: busy %llu memory %llu dependency %llu firmware %llu idle %llu, "
		 "expected %llu %llu %llu %llu %llu", engine,
		 (unsigned long long)c[QUILL_COUNTER_BUSY],
		 (unsigned long long)c[QUILL_COUNTER_MEMORY],
		 (unsigned long long)c[QUILL_COUNTER_DEPENDENCY],
		 (unsigned long long)c[QUILL_COUNTER_FIRMWARE],
		 (unsigned long long)c[QUILL_COUNTER_IDLE], (unsigned long long)busy,
		 (unsigned long long)memory, (unsigned long long)dependency,
		 (unsigned long long)firmware, (unsigned long long)idle);
}

/* ---- By hand ---- */

/* One cycle a command, and decoding takes none, so all that is waited for is other commands. */
static void waiting_for_other_engines_is_dependency(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t i;

	/* DMA: 0..3; TENSOR waits until 2, then 2..3; VECTOR waits for TENSOR: 3..4 */
	for (i = 0; i < 3; i++)
		qh_signal_sem(qh_fill(&f->s, f->a->va + i * 64, 1, 0, 64), 1);
	qh_signal_sem(qh_wait_sem(qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 4096, 1, 1, 1), 1, 2),
		      2);
	qh_wait_sem(qh_act(&f->s, QUILL_ACT_RELU, f->b->va, f->a->va, 0, 1, 16), 2, 1);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	assert_int_equal(cpl.counters[QUILL_COUNTER_CYCLES], 4);
	expect_parts(&cpl, QUILL_ENGINE_DMA, 3, 0, 0, 0, 1);
	expect_parts(&cpl, QUILL_ENGINE_TENSOR, 1, 0, 2, 0, 1);
	expect_parts(&cpl, QUILL_ENGINE_VECTOR, 1, 0, 3, 0, 0);
	/* a multiply-add, an operation, a byte and a cycle are a picojoule each */
	assert_int_equal(cpl.counters[QUILL_COUNTER_MACS], 1);
	assert_int_equal(cpl.counters[QUILL_COUNTER_VECTOR_OPS], 16);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BYTES_READ], 64 + 256 + 64);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BYTES_WRITTEN], 3 * 64 + 64 + 64);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BYTES_LINK], 6 * 64);
	assert_int_equal(cpl.counters[QUILL_COUNTER_ENERGY], 1 + 16 + 384 + 320 + 384 + 4);
}

/* A FENCE holds back decoding: what comes behind it waits for what the FENCE waits for. */
static void waiting_behind_a_fence_is_dependency(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_fill(&f->s, f->a->va, 1, 0, 64);
	qh_fill(&f->s, f->a->va, 1, 0, 64);
	qh_fence(&f->s);
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 4096, 1, 1, 1);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	expect_parts(&cpl, QUILL_ENGINE_TENSOR, 1, 0, 2, 0, 0);
	expect_parts(&cpl, QUILL_ENGINE_VECTOR, 0, 0, 0, 0, 3);
}

/* quill-1: 1450 cycles until the first record is there, 96 to decode each. */
static void waiting_for_records_is_firmware(void **state)
{
	const uint64_t copy = 725 + 1;	/* 64 bytes each way: the first byte's latency, and one cycle */
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t i;

	qh_copy(&f->s, f->a->va, f->b->va, 64);
	for (i = 0; i < 9; i++)
		qh_nop(&f->s);
	qh_copy(&f->s, f->a->va, f->b->va, 64);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	/* the first starts at 1450 + 96; the second is decoded at 1450 + 11 * 96, when the first has ended */
	assert_true(1450 + 11 * 96 > 1450 + 96 + copy);
	assert_int_equal(cpl.counters[QUILL_COUNTER_CYCLES], 1450 + 11 * 96 + copy);
	expect_parts(&cpl, QUILL_ENGINE_DMA, 2 * copy, 2 * (copy - 1), 0, 1450 + 11 * 96 - copy, 0);
	expect_parts(&cpl, QUILL_ENGINE_TENSOR, 0, 0, 0, 0, 1450 + 11 * 96 + copy);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BYTES_LINK], 11 * 64);
	/* 4 * 64 bytes of memory of 44 pJ, 11 records, and 40 W */
	assert_int_equal(cpl.counters[QUILL_COUNTER_ENERGY],
			 2 * (128 * 44) + 11 * 64 * 40 +
			 (1450 + 11 * 96 + copy) * 40 * 1000000000 / 1450000);
}

/* A command that was decoded in time and waits for another: both causes, one behind the other. */
static void firmware_and_dependency_are_told_apart(void **state)
{
	const uint64_t copy = 726, decoded = 1450 + 2 * 96, end = 1450 + 96 + copy;
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_signal_sem(qh_copy(&f->s, f->a->va, f->b->va, 64), 1);
	qh_wait_sem(qh_reduce(&f->s, QUILL_REDUCE_SUM, f->a->va, f->b->va, 1, 16), 1, 1);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	expect_parts(&cpl, QUILL_ENGINE_VECTOR, copy, copy - 1, end - decoded, decoded, 0);
	expect_parts(&cpl, QUILL_ENGINE_DMA, copy, copy - 1, 0, 1450 + 96, copy);
}

static void a_job_of_no_commands_is_idle(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	unsigned int e;

	qh_nop(&f->s);
	cpl = qh_run(f->h, 0, &f->s);
	assert_int_equal(cpl.counters[QUILL_COUNTER_CYCLES], 1450 + 96);
	for (e = 0; e < QUILL_ENGINE_COUNT; e++)
		expect_parts(&cpl, e, 0, 0, 0, 0, 1450 + 96);
}

/* ---- Programs at random ---- */

static uint64_t rng;

static uint32_t pick(uint32_t n)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(rng >> 33) % n;
}

static union quill_cmd *random_command(struct fixture *f)
{
	uint64_t a = f->a->va + 64 * pick(64), b = f->b->va + 64 * pick(64);
	uint64_t sram = QUILL_VA_SRAM + 64 * pick(64);

	switch (pick(9)) {
	case 0:
		return qh_copy(&f->s, a + 16384, b, 1 + pick(3000));
	case 1:
		return qh_fill(&f->s, pick(2) ? sram : a + 16384, 1, pick(256), 1 + pick(3000));
	case 2:
		return qh_timestamp(&f->s, a + 32768);
	case 3:
		return qh_gemm(&f->s, a, f->b->va + 32768, pick(2) ? sram : a + 16384, 1 + pick(9),
			       1 + pick(64), 1 + pick(64));
	case 4:
		return qh_eltwise(&f->s, QUILL_ELTWISE_ADD, a + 16384, pick(2) ? sram : b, b,
				  1 + pick(3), 1 + pick(200));
	case 5:
		return qh_act(&f->s, QUILL_ACT_GELU, sram, b, 0, 1 + pick(3), 1 + pick(200));
	case 6:
		return qh_nop(&f->s);
	case 7:
		return pick(4) ? qh_nop(&f->s) : qh_fence(&f->s);
	default:
		return qh_reduce(&f->s, QUILL_REDUCE_MAX, a + 16384, sram, 1 + pick(9), 1 + pick(50));
	}
}

/* It cannot be stuck: a wait is for signals of commands before it. */
static void random_program(struct fixture *f, uint64_t seed)
{
	uint32_t signals[4] = { 0 }, i, sem, count;
	union quill_cmd *cmd;

	rng = seed;
	count = 1 + pick(120);
	f->s.count = 0;
	for (i = 0; i < count; i++) {
		cmd = random_command(f);
		sem = pick(4);
		if (sem && signals[sem] && !pick(3))
			qh_wait_sem(cmd, (uint8_t)sem, 1 + pick(signals[sem]));
		if (cmd->hdr.opcode == QUILL_OP_FENCE)
			continue;
		if (!pick(6))
			cmd->hdr.flags |= QUILL_CMD_ORDERED;
		sem = pick(4);
		if (sem && pick(2)) {
			qh_signal_sem(cmd, (uint8_t)sem);
			signals[sem]++;
		}
	}
}

/* What is known of the sums without knowing when anything ran. */
static void add_up(const struct fixture *f, const char *profile,
		   __u64 want[QUILL_COUNTER_COUNT])
{
	const struct profile *p = profile_get(profile);
	const struct quill_op_info *op;
	struct cost cost;
	uint32_t i;

	memset(want, 0, QUILL_COUNTER_COUNT * sizeof(*want));
	for (i = 0; i < f->s.count; i += 1 + f->s.cmd[i].hdr.ext) {
		want[QUILL_COUNTER_COMMANDS]++;
		op = quill_op_info(f->s.cmd[i].hdr.opcode);
		if (op->engine == QUILL_ENGINE_FW)
			continue;
		timing_cost(p, &f->s.cmd[i], &cost);
		want[QUILL_COUNTER_BUSY + op->engine] += cost.cycles;
		want[QUILL_COUNTER_MEMORY + op->engine] += cost.cycles - cost.compute;
		want[QUILL_COUNTER_MACS] += cost.macs;
		want[QUILL_COUNTER_VECTOR_OPS] += cost.vector_ops;
		want[QUILL_COUNTER_BYTES_READ] += cost.read;
		want[QUILL_COUNTER_BYTES_WRITTEN] += cost.written;
		want[QUILL_COUNTER_SRAM_READ] += cost.sram_read;
		want[QUILL_COUNTER_SRAM_WRITTEN] += cost.sram_written;
		want[QUILL_COUNTER_ENERGY] += cost.energy;
	}
	want[QUILL_COUNTER_BYTES_LINK] = f->s.count * QUILL_CMD_SIZE;
}

static void expect_sums(const struct fixture *f, const char *profile,
			const struct quill_job_cpl *cpl, uint64_t seed)
{
	__u64 want[QUILL_COUNTER_COUNT], cycles = cpl->counters[QUILL_COUNTER_CYCLES], sum;
	unsigned int e, i;

	add_up(f, profile, want);
	want[QUILL_COUNTER_ENERGY] +=
		timing_link_energy(profile_get(profile), want[QUILL_COUNTER_BYTES_LINK]) +
		timing_static_energy(profile_get(profile), cycles);
	for (e = 0; e < QUILL_ENGINE_COUNT; e++) {
		const __u64 *c = cpl->counters + e;

		sum = c[QUILL_COUNTER_BUSY] + c[QUILL_COUNTER_DEPENDENCY] +
		      c[QUILL_COUNTER_FIRMWARE] + c[QUILL_COUNTER_IDLE];
		if (sum != cycles)
			fail_msg("program %llu: engine %u: the parts are %llu cycles, the whole %llu",
				 (unsigned long long)seed, e, (unsigned long long)sum,
				 (unsigned long long)cycles);
		assert_true(c[QUILL_COUNTER_MEMORY] <= c[QUILL_COUNTER_BUSY]);
		/* known only to who knows when each command ran */
		want[QUILL_COUNTER_DEPENDENCY + e] = c[QUILL_COUNTER_DEPENDENCY];
		want[QUILL_COUNTER_FIRMWARE + e] = c[QUILL_COUNTER_FIRMWARE];
		want[QUILL_COUNTER_IDLE + e] = c[QUILL_COUNTER_IDLE];
	}
	want[QUILL_COUNTER_CYCLES] = cycles;
	for (i = 0; i < QUILL_COUNTER_COUNT; i++)
		if (want[i] != cpl->counters[i])
			fail_msg("program %llu: counter %u is %llu, expected %llu",
				 (unsigned long long)seed, i,
				 (unsigned long long)cpl->counters[i],
				 (unsigned long long)want[i]);
}

/* The first of @hosts sets what the others must do. */
static void random_programs(const char *profile)
{
	const struct quill_host_config hosts[] = {
		{ .emu = { .profile = profile, .threads = 1 } },
		{ .emu = { .profile = profile, .threads = 4, .kernels = "scalar" } },
		{ .emu = { .profile = profile, .threads = 2 }, .scatter = true, .map_limit = 512 },
	};
	enum { HOSTS = sizeof(hosts) / sizeof(hosts[0]), PROGRAMS = 150 };
	void *state[HOSTS];
	struct quill_job_cpl first, cpl;
	unsigned int i;
	uint64_t seed;

	for (i = 0; i < HOSTS; i++)
		assert_int_equal(fixture_setup_config(&state[i], &hosts[i]), 0);
	for (seed = 1; seed <= PROGRAMS; seed++) {
		for (i = 0; i < HOSTS; i++) {
			struct fixture *f = state[i];

			random_program(f, seed);
			cpl = qh_run(f->h, 0, &f->s);
			expect_ok(cpl);
			expect_sums(f, profile, &cpl, seed);
			if (!i)
				first = cpl;
			assert_memory_equal(cpl.counters, first.counters, sizeof(cpl.counters));
		}
	}
	for (i = 0; i < HOSTS; i++)
		fixture_teardown(&state[i]);
}

static void the_parts_add_up_with_quill_1(void **state)
{
	random_programs("quill-1");
}

static void the_parts_add_up_with_unit(void **state)
{
	random_programs("unit");
}

/* What else runs on a core, before it or beside it, changes nothing: neither a job's time nor what it is charged. */
static void a_job_costs_the_same_beside_others(void **state)
{
	enum { QUEUES = 4, PROGRAMS = 40 };
	struct quill_job_cpl alone[QUEUES], cpl;
	struct fixture *f = *state;
	struct qh_stream s[QUEUES];
	uint32_t seq[QUEUES], q;
	uint64_t seed;

	for (q = 0; q < QUEUES; q++) {
		qh_stream_init(&s[q], f->h, f->as, 512);
		if (q)
			assert_int_equal(qh_queue_create(f->h, q, f->as, q % QUILL_FW_PRIORITY_COUNT,
							 ENTRIES), 0);
	}
	for (seed = 1; seed <= PROGRAMS; seed++) {
		for (q = 0; q < QUEUES; q++) {
			f->s = s[q];
			random_program(f, seed * QUEUES + q);
			s[q] = f->s;
			alone[q] = qh_run(f->h, q, &s[q]);
			expect_ok(alone[q]);
		}
		for (q = 0; q < QUEUES; q++)
			seq[q] = qh_submit_stream(f->h, q, &s[q]);
		for (q = 0; q < QUEUES; q++) {
			assert_true(qh_wait(f->h, q, seq[q], QH_TIMEOUT_MS, &cpl));
			expect_ok(cpl);
			assert_memory_equal(cpl.counters, alone[q].counters, sizeof(cpl.counters));
		}
	}
}

/* Rounds of a loop, and calls: each record counts as often as it is decoded. */
static void records_count_as_often_as_they_are_decoded(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	struct qh_stream inner;

	qh_stream_init(&inner, f->h, f->as, 4);
	qh_fill(&inner, f->a->va, 1, 0, 64);
	qh_nop(&inner);
	qh_call(&f->s, &inner);
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 4096, 1, 1, 1);
	qh_loop(&f->s, 0, 1, 5);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BYTES_LINK], 5 * (1 + 2 + 2 + 1) * 64);
	assert_int_equal(cpl.counters[QUILL_COUNTER_COMMANDS], 5 * (1 + 2 + 1 + 1));
	assert_int_equal(cpl.counters[QUILL_COUNTER_MACS], 5);
}

/* What is cut short counts what was issued, and its parts add up too. */
static void the_parts_of_a_job_that_faults_add_up(void **state)
{
	struct fixture *f = *state;
	const __u64 *c;
	struct quill_job_cpl cpl;
	unsigned int e;

	random_program(f, 5);
	qh_fence(&f->s);
	qh_copy(&f->s, 0x1000, f->b->va, 64);
	cpl = qh_run(f->h, 0, &f->s);
	assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
	for (e = 0; e < QUILL_ENGINE_COUNT; e++) {
		c = cpl.counters + e;
		assert_true(c[QUILL_COUNTER_BUSY] + c[QUILL_COUNTER_DEPENDENCY] +
			    c[QUILL_COUNTER_FIRMWARE] + c[QUILL_COUNTER_IDLE] ==
			    cpl.counters[QUILL_COUNTER_CYCLES]);
	}
}

#define UNIT_TEST(name)	cmocka_unit_test_setup_teardown(name, unit_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(waiting_for_other_engines_is_dependency),
		UNIT_TEST(waiting_behind_a_fence_is_dependency),
		FIXTURE_TEST(waiting_for_records_is_firmware),
		FIXTURE_TEST(firmware_and_dependency_are_told_apart),
		FIXTURE_TEST(a_job_of_no_commands_is_idle),
		cmocka_unit_test(the_parts_add_up_with_quill_1),
		cmocka_unit_test(the_parts_add_up_with_unit),
		FIXTURE_TEST(a_job_costs_the_same_beside_others),
		FIXTURE_TEST(records_count_as_often_as_they_are_decoded),
		FIXTURE_TEST(the_parts_of_a_job_that_faults_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
