// SPDX-License-Identifier: MIT
/*
 * Faults on demand: that each happens as often as it was armed, to what it is about and to nothing else; and that a device
 * that was not made for it has none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

struct rig {
	struct quill_host *h;
	struct qh_buf *buf;
	struct qh_stream s;
};

/* A queue, and a stream that fills a page. */
static void make(struct rig *r, const char *inject)
{
	const struct quill_host_config config = { .emu.inject = inject, .emu.threads = 2 };
	uint32_t as;

	r->h = qh_create(&config);
	as = qh_as_create(r->h);
	r->buf = qh_alloc(r->h, as, 4096, QH_RW);
	assert_int_equal(qh_queue_create(r->h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16), 0);
	qh_stream_init(&r->s, r->h, as, 8);
	qh_fill(&r->s, r->buf->va, 4, 0x12345678, 4096);
}

static void arm(struct rig *r, enum quill_inject what, uint32_t count)
{
	qh_write(r->h, QUILL_REG_INJECT, what | count << 16);
}

static uint32_t left(struct rig *r)
{
	uint32_t value = qh_read(r->h, QUILL_REG_INJECT);

	assert_int_equal(value & QUILL_INJECT_ON, QUILL_INJECT_ON);
	return value & ~QUILL_INJECT_ON;
}

static void a_device_not_made_for_it_injects_nothing(void **state)
{
	static const char *const off[] = { NULL, "", "off" };
	unsigned int i, what;
	struct rig r;

	for (i = 0; i < 3; i++) {
		make(&r, off[i]);
		for (what = 0; what < 256; what++)
			arm(&r, what, 1);
		assert_int_equal(qh_read(r.h, QUILL_REG_INJECT), 0);
		assert_int_equal(qh_run(r.h, 0, &r.s).status, 0);
		qh_destroy(r.h);
	}
}

static void text_and_register_arm_and_take_back(void **state)
{
	char err[512] = "";
	struct rig r;

	make(&r, "stuck-invalidate:3+stuck-firmware");
	assert_int_equal(left(&r), 4);
	arm(&r, QUILL_INJECT_STUCK_INVALIDATE, 0);
	assert_int_equal(left(&r), 1);
	arm(&r, 0, 7);
	arm(&r, QUILL_INJECT_COUNT, 7);
	qh_write(r.h, QUILL_REG_INJECT, QUILL_INJECT_SLOW | 0x100 | 7 << 16);
	assert_int_equal(left(&r), 1);
	assert_false(quill_emu_inject(qh_emu(r.h), "slow+fast", err, sizeof(err)));
	assert_non_null(strstr(err, "found \"fast\", required"));
	assert_int_equal(left(&r), 1);
	assert_true(quill_emu_inject(qh_emu(r.h), "on", err, sizeof(err)));
	assert_int_equal(left(&r), 0);
	assert_true(quill_emu_inject(qh_emu(r.h), "off", err, sizeof(err)));
	assert_int_equal(qh_read(r.h, QUILL_REG_INJECT), 0);
	qh_destroy(r.h);
}

static void as_many_interrupts_are_lost_as_armed(void **state)
{
	struct rig r;
	int i;

	make(&r, "on");
	arm(&r, QUILL_INJECT_LOST_IRQ, 2);
	for (i = 0; i < 5; i++)
		assert_int_equal(qh_run(r.h, 0, &r.s).status, 0);
	usleep(10000);
	assert_int_equal(qh_msix_count(r.h, 1), 3);
	assert_int_equal(left(&r), 0);
	qh_destroy(r.h);
}

static void a_lost_doorbell_can_be_rung_again(void **state)
{
	struct quill_job_cpl cpl;
	struct rig r;
	uint32_t seq;

	make(&r, "lost-doorbell");
	seq = qh_submit_stream(r.h, 0, &r.s);
	assert_false(qh_wait(r.h, 0, seq, 50, &cpl));
	qh_doorbell(r.h, 0, seq);
	assert_true(qh_wait(r.h, 0, seq, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, 0);
	qh_destroy(r.h);
}

static void stuck_firmware_stands_still_until_it_is_started_again(void **state)
{
	const uint32_t core = QUILL_REG_CORE(0);
	struct quill_fw_boot args;
	const void *image;
	struct rig r;
	size_t size;
	uint32_t pc;

	make(&r, "on");
	arm(&r, QUILL_INJECT_STUCK_FIRMWARE, 1);
	qh_submit_stream(r.h, 0, &r.s);
	/* Admin requests are not answered, nor does anything move. */
	qh_write(r.h, core + QUILL_CORE_ADMIN_DB, 2);
	usleep(20000);
	pc = qh_read(r.h, core + QUILL_CORE_INSN_LO);
	usleep(20000);
	assert_int_equal(qh_read(r.h, core + QUILL_CORE_INSN_LO), pc);
	assert_int_equal(qh_read(r.h, core + QUILL_CORE_STATUS), QUILL_CORE_READY);
	quill_emu_pause(qh_emu(r.h));
	quill_emu_resume(qh_emu(r.h));
	qh_write(r.h, core + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	while (qh_read(r.h, core + QUILL_CORE_STATUS) != QUILL_CORE_OFF)
		usleep(50);
	args = qh_boot_args(r.h, 0);
	image = qh_image(r.h, &size);
	assert_int_equal(qh_boot(r.h, 0, &args, image, size), QUILL_CORE_READY);
	assert_int_equal(left(&r), 0);
	qh_destroy(r.h);
}

static void a_corrupt_completion_names_another_job(void **state)
{
	struct quill_job_cpl bad, good;
	struct rig r;

	make(&r, "corrupt-completion");
	bad = qh_run(r.h, 0, &r.s);
	good = qh_run(r.h, 0, &r.s);
	assert_int_equal(bad.job >> 63, 1);
	assert_int_equal(good.job >> 63, 0);
	assert_int_equal(good.status, 0);
	qh_destroy(r.h);
}

static void a_dma_error_is_a_bus_fault_of_one_job(void **state)
{
	struct quill_job_cpl cpl;
	struct rig r;

	make(&r, "dma-error");
	cpl = qh_run(r.h, 0, &r.s);
	assert_int_equal(cpl.status, QUILL_FAULT_BUS);
	assert_int_equal(cpl.address, r.buf->va);
	assert_int_equal(cpl.engine, QUILL_ENGINE_DMA);
	assert_int_equal(qh_run(r.h, 0, &r.s).status, 0);
	qh_destroy(r.h);
}

static void slow_commands_have_the_same_results_and_device_time(void **state)
{
	uint64_t cycles, before;
	struct rig r;

	make(&r, "on");
	cycles = qh_run(r.h, 0, &r.s).counters[QUILL_COUNTER_CYCLES];
	memset(r.buf->ptr, 0, 4096);
	arm(&r, QUILL_INJECT_SLOW, 1);
	before = core_now_ns();
	assert_int_equal(qh_run(r.h, 0, &r.s).counters[QUILL_COUNTER_CYCLES], cycles);
	assert_true(core_now_ns() - before >= QUILL_INJECT_SLOW_MS * 1000000ull);
	assert_int_equal(((uint32_t *)r.buf->ptr)[1023], 0x12345678);
	qh_destroy(r.h);
}

static void a_slow_command_can_be_killed(void **state)
{
	struct quill_job_cpl cpl;
	struct rig r;
	uint32_t seq;

	make(&r, "slow:1000");
	seq = qh_submit_stream(r.h, 0, &r.s);
	usleep(20000);
	assert_int_equal(qh_queue_kill(r.h, 0), QUILL_ADMIN_OK);
	assert_true(qh_wait(r.h, 0, seq, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
	qh_destroy(r.h);
}

static void a_stuck_invalidation_ends_with_a_reset(void **state)
{
	struct rig r;

	make(&r, "stuck-invalidate");
	qh_write(r.h, QUILL_REG_MMU_INVALIDATE, QUILL_MMU_INVALIDATE_ALL);
	usleep(10000);
	assert_int_equal(qh_read(r.h, QUILL_REG_MMU_STATUS), QUILL_MMU_STATUS_BUSY);
	quill_emu_reset(qh_emu(r.h));
	assert_int_equal(qh_read(r.h, QUILL_REG_MMU_STATUS), 0);
	assert_int_equal(left(&r), 0);
	qh_destroy(r.h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_not_made_for_it_injects_nothing),
		cmocka_unit_test(text_and_register_arm_and_take_back),
		cmocka_unit_test(as_many_interrupts_are_lost_as_armed),
		cmocka_unit_test(a_lost_doorbell_can_be_rung_again),
		cmocka_unit_test(stuck_firmware_stands_still_until_it_is_started_again),
		cmocka_unit_test(a_corrupt_completion_names_another_job),
		cmocka_unit_test(a_dma_error_is_a_bus_fault_of_one_job),
		cmocka_unit_test(slow_commands_have_the_same_results_and_device_time),
		cmocka_unit_test(a_slow_command_can_be_killed),
		cmocka_unit_test(a_stuck_invalidation_ends_with_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
