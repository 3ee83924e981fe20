// SPDX-License-Identifier: MIT
/*
 * The control block, with the test in the firmware's place: issue port, retirements, transfer unit,
 * interrupts, counters.
 */
#include "issue_fixture.h"

/* ---- issue ---- */

static void command_runs_and_retires_with_its_tag(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_RW);

	qh_fill(&r->s, b->va, 4, 0xabcdef01, 4096);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 0xbeef), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 0xbeef, 0);
	assert_int_equal(*(uint32_t *)(b->ptr + 4092), 0xabcdef01);
	assert_int_equal(rd(r, QUILL_CB_RETIRE), 0);
	assert_int_equal(rd(r, QUILL_CB_ENGINE_BUSY), 0);
}

static void port_checks_commands_again(void **state)
{
	struct rig *r = *state;
	uint32_t top = QUILL_RV_TCM_BASE + QUILL_RV_TCM_SIZE;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_RW);

	qh_fill(&r->s, b->va, 4, 1, 4096);
	r->s.cmd[0].fill.reserved1 = 1;
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), QUILL_FAULT_RESERVED);
	r->s.cmd[0].fill.reserved1 = 0;
	/* the engine is not the opcode's, does not exist, or the opcode has none */
	assert_int_equal(issue(r, 0, QUILL_ENGINE_TENSOR, 1), QUILL_FAULT_INTERNAL);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_COUNT, 1), QUILL_FAULT_INTERNAL);
	assert_int_equal(issue(r, 0, 0xff, 1), QUILL_FAULT_INTERNAL);
	qh_nop(&r->s);
	assert_int_equal(issue(r, 1, QUILL_ENGINE_FW, 1), QUILL_FAULT_INTERNAL);
	r->s.cmd[1].hdr.opcode = 0xee;
	assert_int_equal(issue(r, 1, QUILL_ENGINE_DMA, 1), QUILL_FAULT_OPCODE);
	/* not in local memory, or not all of it */
	assert_int_equal(issue_at(r, CMD - 64, QUILL_ENGINE_DMA, 1, 0), QUILL_FAULT_INTERNAL);
	assert_int_equal(issue_at(r, CMD + 2, QUILL_ENGINE_DMA, 1, 0), QUILL_FAULT_INTERNAL);
	assert_int_equal(issue_at(r, top - 60, QUILL_ENGINE_DMA, 1, 0), QUILL_FAULT_INTERNAL);
	assert_int_equal(issue_at(r, 0xffffffff, QUILL_ENGINE_DMA, 1, 0), QUILL_FAULT_INTERNAL);
	/* the last record that fits may not have an extension */
	memcpy(r->core->tcm + QUILL_RV_TCM_SIZE - 64, &r->s.cmd[0], 64);
	assert_int_equal(issue_at(r, top - 64, QUILL_ENGINE_DMA, 1, 0), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 1, 0);
	qh_gemm(&r->s, b->va, b->va, b->va, 1, 1, 1);
	memcpy(r->core->tcm + QUILL_RV_TCM_SIZE - 64, &r->s.cmd[2], 64);
	assert_int_equal(issue_at(r, top - 64, QUILL_ENGINE_TENSOR, 1, 0), QUILL_FAULT_EXT);
	/* address space 0 is not for engines, and there are no more than QUILL_MAX_AS */
	r->as = 0;
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), QUILL_FAULT_AS);
	r->as = QUILL_MAX_AS;
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), QUILL_FAULT_AS);
	assert_int_equal(rd(r, QUILL_CB_RETIRE), 0);
	assert_int_equal(rd64(r, QUILL_CB_COUNTER_LO(QUILL_COUNTER_COMMANDS)), 1);
}

static void command_is_copied_at_issue(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);

	qh_fill(&r->s, b->va, 1, 0x11, BIG);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	memset(r->core->tcm, 0xff, 128);
	expect_retired(r, QUILL_ENGINE_DMA, 1, 0);
	assert_int_equal(b->ptr[BIG - 1], 0x11);
}

static void fifo_holds_sixteen_until_retirements_are_popped(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	unsigned int i;

	qh_fill(&r->s, b->va, 1, 1, 1 << 20);
	for (i = 0; i < QUILL_ENGINE_FIFO; i++)
		assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, i), 0);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, i), QUILL_ISSUE_BUSY);
	expect_retired(r, QUILL_ENGINE_DMA, 0, 0);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, i), 0);
	assert_int_equal(rd64(r, QUILL_CB_COUNTER_LO(QUILL_COUNTER_COMMANDS)), i + 1);
	for (i = 1; i <= QUILL_ENGINE_FIFO; i++)
		expect_retired(r, QUILL_ENGINE_DMA, i, 0);
}

static void small_and_large_commands_retire_in_order(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	unsigned int i;

	qh_fill(&r->s, b->va, 1, 1, 4 << 20);
	qh_timestamp(&r->s, b->va);
	for (i = 0; i < 12; i++)
		assert_int_equal(issue(r, i % 3 ? 1 : 0, QUILL_ENGINE_DMA, i), 0);
	for (i = 0; i < 12; i++)
		expect_retired(r, QUILL_ENGINE_DMA, i, 0);
}

static void fault_stops_the_engine_until_resume(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_RW);
	struct qh_buf *slow = big(r);
	uint64_t bad = b->va + 4096;

	qh_fill(&r->s, slow->va, 1, 1, BIG);
	qh_fill(&r->s, bad, 4, 1, 64);
	qh_fill(&r->s, b->va, 4, 2, 64);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	assert_int_equal(issue(r, 1, QUILL_ENGINE_DMA, 2), 0);
	assert_int_equal(issue(r, 2, QUILL_ENGINE_DMA, 3), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 1, 0);
	expect_retired(r, QUILL_ENGINE_DMA, 2, QUILL_FAULT_UNMAPPED);
	assert_int_equal(rd(r, QUILL_CB_RETIRE_FAULT),
			 QUILL_FAULT_UNMAPPED | QUILL_ACCESS_WRITE << 8);
	assert_true(rd64(r, QUILL_CB_RETIRE_ADDR_LO) == bad);
	expect_retired(r, QUILL_ENGINE_DMA, 3, QUILL_FAULT_KILLED);
	assert_int_equal(issue(r, 2, QUILL_ENGINE_DMA, 4), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 4, QUILL_FAULT_KILLED);
	assert_int_equal(b->ptr[0], 0);
	wr(r, QUILL_CB_ENGINE_RESUME, 1 << QUILL_ENGINE_TENSOR);
	assert_int_equal(issue(r, 2, QUILL_ENGINE_DMA, 5), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 5, QUILL_FAULT_KILLED);
	wr(r, QUILL_CB_ENGINE_RESUME, 1 << QUILL_ENGINE_DMA);
	assert_int_equal(issue(r, 2, QUILL_ENGINE_DMA, 6), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 6, 0);
	assert_int_equal(b->ptr[0], 2);
	/* and it stands in the address space's registers */
	assert_int_equal(qh_read(r->h, QUILL_REG_AS(r->as) + QUILL_AS_FAULT_STATUS),
			 QUILL_FAULT_UNMAPPED | QUILL_ACCESS_WRITE << 8 | QUILL_ENGINE_DMA << 16);
	assert_int_equal(qh_read(r->h, QUILL_REG_AS(r->as) + QUILL_AS_FAULT_ADDR_LO),
			 (uint32_t)bad);
}

static void abort_stops_what_runs_and_drops_what_waits(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	uint64_t began;

	/* sixteen million rows of a byte: longer than this test waits */
	qh_copy_2d(&r->s, b->va, 1, b->va + 4096, 0, 1, 1 << 24);
	r->s.cmd[0].copy.width = 1;
	qh_fill(&r->s, b->va, 1, 1, 64);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	assert_int_equal(issue(r, 1, QUILL_ENGINE_DMA, 2), 0);
	assert_int_equal(rd(r, QUILL_CB_ENGINE_BUSY), 1 << QUILL_ENGINE_DMA);
	usleep(2000);
	began = core_now_ns();
	wr(r, QUILL_CB_ENGINE_ABORT, 1 << QUILL_ENGINE_DMA);
	/* behind the abort: killed too, and in order */
	assert_int_equal(issue(r, 1, QUILL_ENGINE_DMA, 3), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 1, QUILL_FAULT_KILLED);
	expect_retired(r, QUILL_ENGINE_DMA, 2, QUILL_FAULT_KILLED);
	expect_retired(r, QUILL_ENGINE_DMA, 3, QUILL_FAULT_KILLED);
	assert_true(core_now_ns() - began < 1000000000);
	assert_int_equal(rd(r, QUILL_CB_ENGINE_BUSY), 0);
	wr(r, QUILL_CB_ENGINE_RESUME, ~0u);
	assert_int_equal(issue(r, 1, QUILL_ENGINE_DMA, 4), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 4, 0);
}

static void resume_before_the_aborted_command_is_gone_spares_what_follows(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);

	qh_copy_2d(&r->s, b->va, 1, b->va + 4096, 0, 1, 1 << 24);
	qh_fill(&r->s, b->va, 1, 7, 64);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	assert_int_equal(issue(r, 1, QUILL_ENGINE_DMA, 2), 0);
	usleep(2000);
	wr(r, QUILL_CB_ENGINE_ABORT, ~0u);
	wr(r, QUILL_CB_ENGINE_RESUME, ~0u);
	assert_int_equal(issue(r, 1, QUILL_ENGINE_DMA, 3), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 1, QUILL_FAULT_KILLED);
	expect_retired(r, QUILL_ENGINE_DMA, 2, QUILL_FAULT_KILLED);
	expect_retired(r, QUILL_ENGINE_DMA, 3, 0);
}

static void abort_of_an_idle_engine_does_nothing(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_RW);

	wr(r, QUILL_CB_ENGINE_ABORT, ~0u);
	qh_fill(&r->s, b->va, 1, 7, 64);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 3), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 3, 0);
}

/* ---- device time and counters ---- */

static void start_is_the_later_of_ready_and_engine_free(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_RW);
	uint64_t first, second, cost;

	qh_fill(&r->s, b->va, 1, 7, 4096);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	cost = rd64(r, QUILL_CB_ISSUE_END_LO);
	assert_true(cost > 1);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	first = rd64(r, QUILL_CB_ISSUE_END_LO);
	assert_true(first == 2 * cost);
	assert_int_equal(issue_at(r, CMD, QUILL_ENGINE_DMA, 1, 1ull << 40), 0);
	second = rd64(r, QUILL_CB_ISSUE_END_LO);
	assert_true(second == (1ull << 40) + cost);
	assert_true(rd64(r, QUILL_CB_COUNTER_LO(QUILL_COUNTER_CYCLES)) == second);
	assert_true(rd64(r, QUILL_CB_COUNTER_LO(QUILL_COUNTER_BUSY_DMA)) == 3 * cost);
	assert_true(rd64(r, QUILL_CB_COUNTER_LO(QUILL_COUNTER_BYTES_WRITTEN)) == 3 * 4096);
	pop_wait(r), pop_wait(r), pop_wait(r);

	wr(r, QUILL_CB_JOB_BEGIN, 0);
	assert_true(rd64(r, QUILL_CB_COUNTER_LO(QUILL_COUNTER_CYCLES)) == 0);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	assert_true(rd64(r, QUILL_CB_ISSUE_END_LO) == cost);
}

static void timestamp_writes_the_time_of_its_end(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_RW);
	uint64_t time;

	qh_timestamp(&r->s, b->va + 8);
	memcpy(r->core->tcm, r->s.cmd, 64);
	assert_int_equal(issue_at(r, CMD, QUILL_ENGINE_DMA, 1, 0x123456789ull), 0);
	expect_retired(r, QUILL_ENGINE_DMA, 1, 0);
	memcpy(&time, b->ptr + 8, 8);
	assert_true(time == rd64(r, QUILL_CB_ISSUE_END_LO));
	assert_true(time > 0x123456789ull);
}

static void job_begin_is_refused_while_engines_work(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);

	qh_fill(&r->s, b->va, 1, 7, BIG);
	assert_int_equal(issue(r, 0, QUILL_ENGINE_DMA, 1), 0);
	wr(r, QUILL_CB_JOB_BEGIN, 1);
	assert_int_equal(rd64(r, QUILL_CB_COUNTER_LO(QUILL_COUNTER_COMMANDS)), 1);
	expect_retired(r, QUILL_ENGINE_DMA, 1, 0);
}

/* ---- transfer unit ---- */

static uint32_t xfer(struct rig *r, uint32_t go, uint64_t addr, uint32_t local, uint32_t len)
{
	wr(r, QUILL_CB_XFER_ADDR_LO, addr);
	wr(r, QUILL_CB_XFER_ADDR_HI, addr >> 32);
	wr(r, QUILL_CB_XFER_LOCAL, local);
	wr(r, QUILL_CB_XFER_LEN, len);
	wr(r, QUILL_CB_XFER_GO, go);
	return rd(r, QUILL_CB_XFER_RESULT);
}

static void transfers_go_both_ways(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 8192, QH_RW);
	uint8_t *tcm = r->core->tcm + 0x1000;
	unsigned int i;

	for (i = 0; i < 4096; i++)
		b->ptr[1000 + i] = i * 7;
	assert_int_equal(xfer(r, r->as, b->va + 1000, BUF, 4096), 0);
	assert_memory_equal(tcm, b->ptr + 1000, 4096);
	assert_int_equal(xfer(r, r->as | QUILL_XFER_TO_MEMORY, b->va + 4097, BUF, 77), 0);
	assert_memory_equal(b->ptr + 4097, tcm, 77);
	assert_int_equal(xfer(r, QUILL_AS_HOST, b->bus + 1000, BUF + 1, 4), 0);
	assert_memory_equal(tcm + 1, b->ptr + 1000, 4);
}

static void transfer_faults_are_reported_with_their_address(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_R);

	assert_int_equal(xfer(r, r->as, b->va + 4090, BUF, 64), QUILL_FAULT_UNMAPPED);
	assert_true(rd64(r, QUILL_CB_XFER_FAULT_LO) == b->va + 4096);
	assert_int_equal(qh_read(r->h, QUILL_REG_AS(r->as) + QUILL_AS_FAULT_STATUS),
			 QUILL_FAULT_UNMAPPED | QUILL_ACCESS_FETCH << 8 | QUILL_ENGINE_FW << 16);
	assert_int_equal(xfer(r, r->as | QUILL_XFER_TO_MEMORY, b->va, BUF, 4),
			 QUILL_FAULT_WRITE_PERM);
	assert_int_equal(xfer(r, QUILL_AS_HOST, 0xfe000000, BUF, 4), QUILL_FAULT_BUS);
	assert_int_equal(xfer(r, QUILL_AS_HOST, UINT64_MAX - 2, BUF, 4), QUILL_FAULT_ADDRESS);
	assert_int_equal(xfer(r, 64, b->va, BUF, 4), QUILL_FAULT_AS);
	/* a good one clears the address */
	assert_int_equal(xfer(r, r->as, b->va, BUF, 4), 0);
	assert_true(rd64(r, QUILL_CB_XFER_FAULT_LO) == 0);
}

static void transfers_keep_to_local_memory(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 8192, QH_RW);
	uint32_t top = QUILL_RV_TCM_BASE + QUILL_RV_TCM_SIZE;

	assert_int_equal(xfer(r, r->as, b->va, BUF, 0), QUILL_FAULT_INTERNAL);
	assert_int_equal(xfer(r, r->as, b->va, BUF, QUILL_XFER_MAX + 1), QUILL_FAULT_INTERNAL);
	assert_int_equal(xfer(r, r->as, b->va, BUF, 0xffffffff), QUILL_FAULT_INTERNAL);
	assert_int_equal(xfer(r, r->as, b->va, top - 3, 4), QUILL_FAULT_INTERNAL);
	assert_int_equal(xfer(r, r->as, b->va, QUILL_RV_TCM_BASE - 1, 4), QUILL_FAULT_INTERNAL);
	assert_int_equal(xfer(r, r->as, b->va, QUILL_RV_CB_BASE, 4), QUILL_FAULT_INTERNAL);
	assert_int_equal(xfer(r, r->as | 1 << 9, b->va, BUF, 4), QUILL_FAULT_INTERNAL);
	assert_int_equal(xfer(r, r->as, b->va, top - 4, 4), 0);
}

/* ---- interrupts, doorbells, time ---- */

static void doorbells_latch_until_cleared(void **state)
{
	struct rig *r = *state;

	wr(r, QUILL_CB_IRQ_ENABLE, QUILL_CB_IRQ_DOORBELL | QUILL_CB_IRQ_ADMIN);
	assert_false(atomic_load(&r->core->irq));
	quill_emu_write(qh_emu(r->h), QUILL_BAR_DOORBELL, QUILL_DOORBELL(3), 17, 4);
	assert_true(atomic_load(&r->core->irq));
	assert_int_equal(rd(r, QUILL_CB_DB_PENDING(0)), 1 << 3);
	assert_int_equal(rd(r, QUILL_CB_DB_TAIL(3)), 17);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), QUILL_CB_IRQ_DOORBELL);
	/* it follows its source */
	wr(r, QUILL_CB_IRQ_PENDING, ~0u);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), QUILL_CB_IRQ_DOORBELL);
	wr(r, QUILL_CB_DB_PENDING(0), 1 << 3);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), 0);
	assert_false(atomic_load(&r->core->irq));
	/* a queue that is not there, and what is not the doorbell of its page */
	quill_emu_write(qh_emu(r->h), QUILL_BAR_DOORBELL, QUILL_DOORBELL(8), 1, 4);
	quill_emu_write(qh_emu(r->h), QUILL_BAR_DOORBELL, QUILL_DOORBELL(2) + 4, 1, 4);
	assert_int_equal(rd(r, QUILL_CB_DB_PENDING(0)), 0);

	qh_write(r->h, QUILL_REG_CORE(0) + QUILL_CORE_ADMIN_DB, 5);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), QUILL_CB_IRQ_ADMIN);
	assert_int_equal(rd(r, QUILL_CB_ADMIN_TAIL), 5);
	wr(r, QUILL_CB_IRQ_PENDING, QUILL_CB_IRQ_ADMIN);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), 0);
}

static void timer_fires_once_when_its_time_has_come(void **state)
{
	struct rig *r = *state;
	uint64_t now = rd64(r, QUILL_CB_TIME_LO);

	wr(r, QUILL_CB_TIMER_LO, now + 20000);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), 0);
	wr(r, QUILL_CB_TIMER_HI, (now + 20000) >> 32);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), 0);
	usleep(25000);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), QUILL_CB_IRQ_TIMER);
	wr(r, QUILL_CB_IRQ_PENDING, QUILL_CB_IRQ_TIMER);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), 0);
	assert_true(rd64(r, QUILL_CB_TIME_LO) >= now + 25000);
}

static void msix_reaches_only_vectors_that_exist(void **state)
{
	struct rig *r = *state;

	wr(r, QUILL_CB_MSIX, 8);
	wr(r, QUILL_CB_MSIX, 9);
	wr(r, QUILL_CB_MSIX, 0xffffffff);
	assert_int_equal(qh_msix_count(r->h, 8), 1);
	assert_int_equal(qh_msix_count(r->h, 9), 0);
}

static void firmware_cannot_claim_to_be_off(void **state)
{
	struct rig *r = *state;
	uint64_t base = QUILL_REG_CORE(0);

	wr(r, QUILL_CB_STATUS, QUILL_CORE_READY);
	assert_int_equal(qh_read(r->h, base + QUILL_CORE_STATUS), QUILL_CORE_READY);
	wr(r, QUILL_CB_STATUS, QUILL_CORE_OFF);
	wr(r, QUILL_CB_STATUS, 77);
	assert_int_equal(qh_read(r->h, base + QUILL_CORE_STATUS), QUILL_CORE_READY);
	wr(r, QUILL_CB_ERROR, 17);
	wr(r, QUILL_CB_FW_VERSION, 0x10002);
	wr(r, QUILL_CB_HEARTBEAT, 4);
	assert_int_equal(qh_read(r->h, base + QUILL_CORE_ERROR), 17);
	assert_int_equal(qh_read(r->h, base + QUILL_CORE_FW_VERSION), 0x10002);
	assert_int_equal(qh_read(r->h, base + QUILL_CORE_HEARTBEAT), 4);
}

static void any_write_to_the_control_block_is_survived(void **state)
{
	struct rig *r = *state;
	uint64_t x = 88172645463325252ull;
	struct qh_buf *b = big(r);
	unsigned int i;

	for (i = 0; i < 30000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		/* often values that get further than noise does */
		uint32_t value = x >> 63 ? x >> 20 : (x >> 62 & 1) ? (uint32_t)b->va :
				 QUILL_RV_TCM_BASE + (x >> 20) % 0x40000;

		if (x & 1)
			wr(r, (x >> 8) % 0x400 / 4 * 4, value);
		else
			rd(r, (x >> 8) % 0x1000 / 4 * 4);
	}
	quill_emu_reset(qh_emu(r->h));
	assert_int_equal(qh_dma_maps(r->h), 0);
	assert_int_equal(rd(r, QUILL_CB_RETIRE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(command_runs_and_retires_with_its_tag),
		TEST(port_checks_commands_again),
		TEST(command_is_copied_at_issue),
		TEST(fifo_holds_sixteen_until_retirements_are_popped),
		TEST(small_and_large_commands_retire_in_order),
		TEST(fault_stops_the_engine_until_resume),
		TEST(abort_stops_what_runs_and_drops_what_waits),
		TEST(resume_before_the_aborted_command_is_gone_spares_what_follows),
		TEST(abort_of_an_idle_engine_does_nothing),
		TEST(start_is_the_later_of_ready_and_engine_free),
		TEST(timestamp_writes_the_time_of_its_end),
		TEST(job_begin_is_refused_while_engines_work),
		TEST(transfers_go_both_ways),
		TEST(transfer_faults_are_reported_with_their_address),
		TEST(transfers_keep_to_local_memory),
		TEST(doorbells_latch_until_cleared),
		TEST(timer_fires_once_when_its_time_has_come),
		TEST(msix_reaches_only_vectors_that_exist),
		TEST(firmware_cannot_claim_to_be_off),
		TEST(any_write_to_the_control_block_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
