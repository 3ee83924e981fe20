// SPDX-License-Identifier: MIT
/*
 * Slots: what jobs do not share although their commands are in the engines together, and whose
 * command an engine takes next.
 */
#include "issue_fixture.h"

#define DMA	QUILL_ENGINE_DMA

static void select_slot(struct rig *r, uint32_t slot, uint32_t class)
{
	wr(r, QUILL_CB_SLOT, slot | class << QUILL_SLOT_CLASS_SHIFT);
	assert_int_equal(rd(r, QUILL_CB_SLOT), slot | class << QUILL_SLOT_CLASS_SHIFT);
}

static uint64_t counter(struct rig *r, uint32_t i)
{
	return rd64(r, QUILL_CB_COUNTER_LO(i));
}

/* Something that runs until it is aborted, on the DMA engine: sixteen million rows of a byte. */
static uint32_t endless(struct rig *r, struct qh_buf *b)
{
	uint32_t index = r->s.count;

	qh_copy_2d(&r->s, b->va, 1, b->va + 4096, 0, 1, 1 << 24);
	return index;
}

static void start_endless(struct rig *r, uint32_t index, uint32_t slot, uint32_t tag)
{
	select_slot(r, slot, 0);
	assert_int_equal(issue(r, index, DMA, tag), 0);
	while (rd(r, QUILL_CB_ENGINE_RUNS(DMA)) != (QUILL_ENGINE_RUNS_VALID | slot))
		usleep(20);
}

static void end_endless(struct rig *r, uint32_t slot, uint32_t tag)
{
	select_slot(r, slot, rd(r, QUILL_CB_SLOT) >> QUILL_SLOT_CLASS_SHIFT);
	wr(r, QUILL_CB_ENGINE_ABORT, 1 << DMA);
	expect_retired(r, DMA, tag, QUILL_FAULT_KILLED);
	wr(r, QUILL_CB_ENGINE_RESUME, 1 << DMA);
}

static void slot_numbers_and_classes_have_their_bounds(void **state)
{
	struct rig *r = *state;

	select_slot(r, QUILL_SLOTS - 1, QUILL_CLASSES - 1);
	wr(r, QUILL_CB_SLOT, QUILL_SLOTS);
	wr(r, QUILL_CB_SLOT, QUILL_CLASSES << QUILL_SLOT_CLASS_SHIFT);
	wr(r, QUILL_CB_SLOT, 0xffffffff);
	assert_int_equal(rd(r, QUILL_CB_SLOT),
			 (QUILL_SLOTS - 1) | (QUILL_CLASSES - 1) << QUILL_SLOT_CLASS_SHIFT);
	wr(r, QUILL_CB_FLOOR, 77);
	assert_int_equal(rd(r, QUILL_CB_FLOOR), QUILL_CLASSES - 1);
	wr(r, QUILL_CB_DB_CLASS(7), 2);
	assert_int_equal(rd(r, QUILL_CB_DB_CLASS(7)), 2);
	assert_int_equal(rd(r, QUILL_CB_DB_CLASS(6)), 0);
}

static void device_time_and_counters_are_each_slots_own(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->as, 4096, QH_RW);
	uint64_t cost;
	unsigned int i;

	qh_fill(&r->s, b->va, 1, 7, 4096);
	select_slot(r, 5, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(issue(r, 0, DMA, i), 0);
	cost = rd64(r, QUILL_CB_ISSUE_END_LO) / 3;
	select_slot(r, 9, 0);
	assert_int_equal(issue(r, 0, DMA, 9), 0);
	assert_true(rd64(r, QUILL_CB_ISSUE_END_LO) == cost);
	assert_true(counter(r, QUILL_COUNTER_CYCLES) == cost);
	assert_int_equal(counter(r, QUILL_COUNTER_COMMANDS), 1);
	for (i = 0; i < 4; i++)
		pop_wait(r);
	wr(r, QUILL_CB_JOB_BEGIN, 1);
	assert_int_equal(counter(r, QUILL_COUNTER_COMMANDS), 0);
	select_slot(r, 5, 0);
	assert_true(counter(r, QUILL_COUNTER_CYCLES) == 3 * cost);
	assert_int_equal(counter(r, QUILL_COUNTER_COMMANDS), 3);
}

static void each_slot_has_its_own_fifo(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	uint32_t slow = endless(r, b), i;

	qh_fill(&r->s, b->va, 1, 7, 64);
	start_endless(r, slow, 1, 99);
	for (i = 1; i < QUILL_ENGINE_FIFO; i++)
		assert_int_equal(issue(r, slow + 1, DMA, i), 0);
	assert_int_equal(issue(r, slow + 1, DMA, i), QUILL_ISSUE_BUSY);
	select_slot(r, 2, 0);
	for (i = 0; i < QUILL_ENGINE_FIFO; i++)
		assert_int_equal(issue(r, slow + 1, DMA, 100 + i), 0);
	assert_int_equal(issue(r, slow + 1, DMA, 100 + i), QUILL_ISSUE_BUSY);
	select_slot(r, 1, 0);
	wr(r, QUILL_CB_ENGINE_ABORT, ~0u);
	expect_retired(r, DMA, 99, QUILL_FAULT_KILLED);
	for (i = 1; i < QUILL_ENGINE_FIFO; i++)
		expect_retired(r, DMA, i, QUILL_FAULT_KILLED);
	for (i = 0; i < QUILL_ENGINE_FIFO; i++)
		expect_retired(r, DMA, 100 + i, 0);
}

static void fault_stops_the_commands_of_its_slot_alone(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);

	qh_fill(&r->s, b->va, 1, 1, BIG);
	qh_fill(&r->s, b->va + BIG, 4, 1, 64);
	qh_fill(&r->s, b->va, 4, 2, 64);
	select_slot(r, 1, 0);
	assert_int_equal(issue(r, 0, DMA, 1), 0);
	assert_int_equal(issue(r, 1, DMA, 2), 0);
	assert_int_equal(issue(r, 2, DMA, 3), 0);
	expect_retired(r, DMA, 1, 0);
	expect_retired(r, DMA, 2, QUILL_FAULT_UNMAPPED);
	expect_retired(r, DMA, 3, QUILL_FAULT_KILLED);
	select_slot(r, 2, 0);
	assert_int_equal(issue(r, 2, DMA, 4), 0);
	expect_retired(r, DMA, 4, 0);
	/* RESUME is for the slot that is selected */
	wr(r, QUILL_CB_ENGINE_RESUME, ~0u);
	select_slot(r, 1, 0);
	assert_int_equal(issue(r, 2, DMA, 5), 0);
	expect_retired(r, DMA, 5, QUILL_FAULT_KILLED);
	wr(r, QUILL_CB_ENGINE_RESUME, ~0u);
	assert_int_equal(issue(r, 2, DMA, 6), 0);
	expect_retired(r, DMA, 6, 0);
}

static void abort_of_a_slot_that_waits_spares_what_runs(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	uint32_t slow = endless(r, b);

	qh_fill(&r->s, b->va, 1, 7, 64);
	start_endless(r, slow, 1, 1);
	select_slot(r, 2, 0);
	assert_int_equal(issue(r, slow + 1, DMA, 2), 0);
	assert_int_equal(rd(r, QUILL_CB_ENGINE_BUSY), 1 << DMA);
	wr(r, QUILL_CB_ENGINE_ABORT, ~0u);
	expect_retired(r, DMA, 2, QUILL_FAULT_KILLED);
	assert_int_equal(rd(r, QUILL_CB_ENGINE_BUSY), 0);
	assert_int_equal(rd(r, QUILL_CB_ENGINE_RUNS(DMA)), QUILL_ENGINE_RUNS_VALID | 1);
	assert_int_equal(rd(r, QUILL_CB_RETIRE), 0);
	end_endless(r, 1, 1);
	assert_int_equal(rd(r, QUILL_CB_ENGINE_RUNS(DMA)), 0);
}

static void the_highest_class_is_next(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	uint32_t slow = endless(r, b), class;

	qh_fill(&r->s, b->va, 1, 7, 64);
	start_endless(r, slow, 10, 1);
	for (class = 0; class < QUILL_CLASSES; class++) {
		select_slot(r, class, class);
		assert_int_equal(issue(r, slow + 1, DMA, 100 + class), 0);
		assert_int_equal(issue(r, slow + 1, DMA, 200 + class), 0);
	}
	/* a class may change while commands wait */
	select_slot(r, 1, 3);
	end_endless(r, 10, 1);
	expect_retired(r, DMA, 101, 0);
	expect_retired(r, DMA, 103, 0);
	expect_retired(r, DMA, 201, 0);
	expect_retired(r, DMA, 203, 0);
	expect_retired(r, DMA, 102, 0);
	expect_retired(r, DMA, 202, 0);
	expect_retired(r, DMA, 100, 0);
	expect_retired(r, DMA, 200, 0);
}

static void slots_of_a_class_share_device_time(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	uint32_t slow = endless(r, b), i, head, large = 0;

	qh_fill(&r->s, b->va, 1, 7, 4 << 20);	/* nearly ten times the device time of the other */
	qh_fill(&r->s, b->va, 1, 7, 64 << 10);
	start_endless(r, slow, 10, 1);
	for (i = 0; i < 12; i++) {
		select_slot(r, 1, 0);
		assert_int_equal(issue(r, slow + 1, DMA, 100 + i), 0);
		select_slot(r, 2, 0);
		assert_int_equal(issue(r, slow + 2, DMA, 200 + i), 0);
	}
	end_endless(r, 10, 1);
	for (i = 0; i < 14; i++) {
		head = pop_wait(r);
		large += (head & QUILL_RETIRE_TAG_MASK) < 200;
	}
	assert_in_range(large, 1, 3);
	for (; i < 24; i++)
		pop_wait(r);
}

static void nothing_below_the_floor_starts(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);

	qh_fill(&r->s, b->va, 1, 7, 64);
	wr(r, QUILL_CB_FLOOR, 2);
	select_slot(r, 1, 1);
	assert_int_equal(issue(r, 0, DMA, 1), 0);
	select_slot(r, 2, 2);
	assert_int_equal(issue(r, 0, DMA, 2), 0);
	expect_retired(r, DMA, 2, 0);
	usleep(2000);
	assert_int_equal(rd(r, QUILL_CB_RETIRE), 0);
	wr(r, QUILL_CB_FLOOR, 1);
	expect_retired(r, DMA, 1, 0);
	/* or is let in by a higher class */
	wr(r, QUILL_CB_FLOOR, 3);
	select_slot(r, 1, 1);
	assert_int_equal(issue(r, 0, DMA, 3), 0);
	select_slot(r, 1, 3);
	expect_retired(r, DMA, 3, 0);
}

static void pending_doorbell_holds_lower_classes(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);

	qh_fill(&r->s, b->va, 1, 7, 64);
	wr(r, QUILL_CB_DB_CLASS(3), 2);
	qh_doorbell(r->h, 3, 1);
	qh_doorbell(r->h, 4, 1);
	select_slot(r, 1, 1);
	assert_int_equal(issue(r, 0, DMA, 1), 0);
	wr(r, QUILL_CB_DB_PENDING(0), 1 << 4);
	usleep(2000);
	assert_int_equal(rd(r, QUILL_CB_RETIRE), 0);
	wr(r, QUILL_CB_DB_PENDING(0), 1 << 3);
	expect_retired(r, DMA, 1, 0);
}

static void retirements_below_the_level_make_no_interrupt(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	uint32_t slow = endless(r, b), i;

	qh_fill(&r->s, b->va, 1, 1, 8 << 20);
	qh_fill(&r->s, b->va + BIG, 1, 1, 64);
	wr(r, QUILL_CB_RETIRE_LEVEL, 3);
	assert_int_equal(rd(r, QUILL_CB_RETIRE_LEVEL), 3);
	select_slot(r, 1, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(issue(r, slow + 1, DMA, i), 0);
	assert_int_equal(issue(r, slow, DMA, 3), 0);
	while (!(rd(r, QUILL_CB_IRQ_PENDING) & QUILL_CB_IRQ_ENGINE))
		usleep(20);
	for (i = 0; i < 3; i++)
		expect_retired(r, DMA, i, 0);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), 0);
	end_endless(r, 1, 3);
	/* the last of an engine does, and so does a fault */
	assert_int_equal(issue(r, slow + 1, DMA, 4), 0);
	while (!(rd(r, QUILL_CB_IRQ_PENDING) & QUILL_CB_IRQ_ENGINE))
		usleep(20);
	expect_retired(r, DMA, 4, 0);
	assert_int_equal(rd(r, QUILL_CB_IRQ_PENDING), 0);
	assert_int_equal(issue(r, slow + 2, DMA, 5), 0);
	select_slot(r, 2, 0);
	assert_int_equal(issue(r, slow, DMA, 6), 0);
	while (!(rd(r, QUILL_CB_IRQ_PENDING) & QUILL_CB_IRQ_ENGINE))
		usleep(20);
	expect_retired(r, DMA, 5, QUILL_FAULT_UNMAPPED);
	end_endless(r, 2, 6);
	wr(r, QUILL_CB_RETIRE_LEVEL, 0);
	assert_int_equal(rd(r, QUILL_CB_RETIRE_LEVEL), 1);
}

/* ---- scratchpads ---- */

static uint32_t sram_word(struct rig *r, uint32_t slot)
{
	struct qh_buf *out = qh_alloc(r->h, r->as, 4096, QH_RW);

	select_slot(r, slot, 0);
	r->s.count = 0;
	qh_copy(&r->s, out->va, QUILL_VA_SRAM + 4096, 4);
	assert_int_equal(issue(r, 0, DMA, 1), 0);
	expect_retired(r, DMA, 1, 0);
	return *(uint32_t *)out->ptr;
}

static void scratchpads_are_each_slots_own(void **state)
{
	struct rig *r = *state;
	uint32_t slot;

	for (slot = 0; slot < 3; slot++) {
		select_slot(r, slot, 0);
		r->s.count = 0;
		qh_fill(&r->s, QUILL_VA_SRAM + 4096, 4, 0x1000 + slot, 4);
		assert_int_equal(issue(r, 0, DMA, 1), 0);
		expect_retired(r, DMA, 1, 0);
	}
	for (slot = 0; slot < 3; slot++)
		assert_int_equal(sram_word(r, slot), 0x1000 + slot);
	assert_int_equal(sram_word(r, 3), 0);
	select_slot(r, 1, 0);
	wr(r, QUILL_CB_JOB_BEGIN, 1);
	assert_int_equal(sram_word(r, 1), 0);
	/* one that is given up is clean when the next slot gets it */
	select_slot(r, 2, 0);
	wr(r, QUILL_CB_JOB_END, 1);
	assert_int_equal(r->core->spare_srams, 1);
	assert_int_equal(sram_word(r, 60), 0);
	assert_int_equal(r->core->spare_srams, 0);
	assert_int_equal(sram_word(r, 2), 0);
	assert_int_equal(sram_word(r, 0), 0x1000);
}

static void transfers_reach_the_selected_scratchpad(void **state)
{
	struct rig *r = *state;

	select_slot(r, 4, 0);
	memcpy(r->core->tcm + 0x1000, "quill", 6);
	wr(r, QUILL_CB_XFER_ADDR_LO, (uint32_t)QUILL_VA_SRAM + 4096);
	wr(r, QUILL_CB_XFER_ADDR_HI, QUILL_VA_SRAM >> 32);
	wr(r, QUILL_CB_XFER_LOCAL, BUF);
	wr(r, QUILL_CB_XFER_LEN, 6);
	wr(r, QUILL_CB_XFER_GO, r->as | QUILL_XFER_TO_MEMORY);
	assert_int_equal(rd(r, QUILL_CB_XFER_RESULT), 0);
	assert_memory_equal(slot_sram(r->core, 4) + 4096, "quill", 6);
	assert_int_equal(sram_word(r, 5), 0);
}

static void a_job_may_not_end_while_its_commands_run(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = big(r);
	uint32_t slow = endless(r, b);

	qh_fill(&r->s, QUILL_VA_SRAM, 1, 1, 64);
	select_slot(r, 1, 0);
	assert_int_equal(issue(r, slow + 1, DMA, 1), 0);
	expect_retired(r, DMA, 1, 0);
	start_endless(r, slow, 1, 2);
	wr(r, QUILL_CB_JOB_END, 1);
	assert_non_null(atomic_load(&r->core->slot[1].sram));
	end_endless(r, 1, 2);
	wr(r, QUILL_CB_JOB_END, 1);
	assert_null(atomic_load(&r->core->slot[1].sram));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slot_numbers_and_classes_have_their_bounds),
		TEST(device_time_and_counters_are_each_slots_own),
		TEST(each_slot_has_its_own_fifo),
		TEST(fault_stops_the_commands_of_its_slot_alone),
		TEST(abort_of_a_slot_that_waits_spares_what_runs),
		TEST(the_highest_class_is_next),
		TEST(slots_of_a_class_share_device_time),
		TEST(nothing_below_the_floor_starts),
		TEST(pending_doorbell_holds_lower_classes),
		TEST(retirements_below_the_level_make_no_interrupt),
		TEST(scratchpads_are_each_slots_own),
		TEST(transfers_reach_the_selected_scratchpad),
		TEST(a_job_may_not_end_while_its_commands_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
