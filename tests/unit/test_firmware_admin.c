// SPDX-License-Identifier: MIT
/*
 * The firmware and its driver: boot arguments, admin ring, queue rings, log, heartbeat, sleep.
 */
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "firmware_fixture.h"

/* ---- boot ---------------------------------------------------------------------- */

static int setup_unbooted(void **state)
{
	const struct quill_host_config c = { .no_boot = true };

	*state = qh_create(&c);
	return 0;
}

static int teardown_host(void **state)
{
	qh_destroy(*state);
	return 0;
}

static uint32_t core_error(struct quill_host *h)
{
	return qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_ERROR);
}

static uint32_t boot(struct quill_host *h, const struct quill_fw_boot *args)
{
	const void *image;
	size_t size;

	qh_write(h, QUILL_REG_CORE(0) + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	while (qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_STATUS) != QUILL_CORE_OFF)
		usleep(50);
	image = qh_image(h, &size);
	return qh_boot(h, 0, args, image, size);
}

struct bad_boot {
	const char *name;
	uint32_t error;
	size_t offset;
	size_t size;
	uint64_t value;
};

#define BOOT(field, value, error) \
	{ #field " = " #value, error, offsetof(struct quill_fw_boot, field), \
	  sizeof(((struct quill_fw_boot *)0)->field), value }

static const struct bad_boot bad_boots[] = {
	BOOT(magic, 0x12345678, QUILL_BOOT_ARGS),
	BOOT(abi_min, QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR) + 1, QUILL_BOOT_ARGS_VERSION),
	BOOT(abi_max, QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, 0) - 1, QUILL_BOOT_ARGS_VERSION),
	BOOT(abi_max, 0, QUILL_BOOT_ARGS_VERSION),
	BOOT(admin_ring, 0, QUILL_BOOT_ARGS),
	BOOT(admin_ring, QH_RAM_BASE + 4, QUILL_BOOT_ARGS),
	BOOT(admin_ring, 0x1000, QUILL_BOOT_DMA),
	BOOT(admin_ring, 0xfffffffffffffff8, QUILL_BOOT_DMA),
	BOOT(admin_cpl, 0, QUILL_BOOT_ARGS),
	BOOT(admin_cpl, QH_RAM_BASE + 1, QUILL_BOOT_ARGS),
	BOOT(admin_cpl, QH_RAM_BASE + (256 << 20) - 16, QUILL_BOOT_DMA),	/* the end is not RAM */
	BOOT(admin_entries, 0, QUILL_BOOT_ARGS),
	BOOT(admin_entries, 1, QUILL_BOOT_ARGS),
	BOOT(admin_entries, 12, QUILL_BOOT_ARGS),
	BOOT(admin_entries, QUILL_ADMIN_MAX_ENTRIES * 2, QUILL_BOOT_ARGS),
	BOOT(heartbeat_us, 999, QUILL_BOOT_ARGS),
	BOOT(heartbeat_us, 10000001, QUILL_BOOT_ARGS),
	BOOT(log, 0, QUILL_BOOT_ARGS),
	BOOT(log, QH_RAM_BASE + 4, QUILL_BOOT_ARGS),
	BOOT(log_size, 0, QUILL_BOOT_ARGS),
	BOOT(log_size, 128, QUILL_BOOT_ARGS),
	BOOT(log_size, 3000, QUILL_BOOT_ARGS),
	BOOT(log_size, 131072, QUILL_BOOT_ARGS),
	BOOT(watchdog_us, 999, QUILL_BOOT_ARGS),
	BOOT(watchdog_us, 60000001, QUILL_BOOT_ARGS),
	BOOT(reserved[0], 1, QUILL_BOOT_ARGS),
	BOOT(reserved[3], 0x80000000, QUILL_BOOT_ARGS),
};

static void every_bad_boot_argument_is_refused(void **state)
{
	struct quill_host *h = *state;
	struct quill_fw_boot good = qh_boot_args(h, 0), args;
	const struct bad_boot *b;
	uint32_t status;

	for (b = bad_boots; b < bad_boots + sizeof(bad_boots) / sizeof(*bad_boots); b++) {
		args = good;
		memcpy((char *)&args + b->offset, &b->value, b->size);
		status = boot(h, &args);
		if (status != QUILL_CORE_PANIC || core_error(h) != b->error)
			fail_msg("%s: status %u error %u, expected %u (panic) and %u", b->name,
				 status, core_error(h), QUILL_CORE_PANIC, b->error);
	}
	assert_int_equal(boot(h, &good), QUILL_CORE_READY);
}

static void boot_without_a_log_is_fine(void **state)
{
	struct quill_host *h = *state;
	struct quill_fw_boot args = qh_boot_args(h, 0);
	struct quill_admin_msg ping = { .op = QUILL_ADMIN_PING };
	struct quill_admin_cpl cpl;

	args.log = 0;
	args.log_size = 0;
	assert_int_equal(boot(h, &args), QUILL_CORE_READY);
	assert_true(qh_admin(h, 0, &ping, &cpl));
}

static void boot_arguments_outside_ram_are_refused(void **state)
{
	struct quill_host *h = *state;
	uint64_t base = QUILL_REG_CORE(0);
	struct quill_fw_boot args = qh_boot_args(h, 0);
	uint32_t status;

	assert_int_equal(boot(h, &args), QUILL_CORE_READY);
	qh_write(h, base + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	while (qh_read(h, base + QUILL_CORE_STATUS) != QUILL_CORE_OFF)
		usleep(50);
	qh_write(h, base + QUILL_CORE_BOOT_ARGS_LO, 0x2000);
	qh_write(h, base + QUILL_CORE_BOOT_ARGS_HI, 0);
	qh_write(h, base + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	do {
		usleep(50);
		status = qh_read(h, base + QUILL_CORE_STATUS);
	} while (status == QUILL_CORE_BOOTING || status == QUILL_CORE_OFF);
	assert_true(status == QUILL_CORE_PANIC || status == QUILL_CORE_BOOT_FAILED);
	assert_int_equal(core_error(h), QUILL_BOOT_DMA);
}

/* A firmware that traps says so, and the device goes on. */
static void trap_in_the_firmware_is_a_panic(void **state)
{
	const uint32_t set_mtvec = 0x30529073, ebreak = 0x00100073;	/* csrw mtvec, t0 */
	struct quill_host *h = *state;
	struct quill_fw_boot args = qh_boot_args(h, 0);
	struct quill_fw_header *header;
	uint8_t image[QUILL_FW_MAX_SIZE];
	size_t size, at;

	memcpy(image, qh_image(h, &size), QUILL_FW_MAX_SIZE);
	header = (struct quill_fw_header *)image;
	for (at = sizeof(*header); memcmp(image + at, &set_mtvec, 4); at += 2)
		assert_true(at < size);
	memcpy(image + at + 4, &ebreak, 4);
	header->payload_crc = crc32(0, image + sizeof(*header), header->payload_size);
	header->header_crc = crc32(0, image, offsetof(struct quill_fw_header, header_crc));
	assert_int_equal(qh_boot(h, 0, &args, image, size), QUILL_CORE_PANIC);
	assert_int_equal(core_error(h), 0x1000 + 3);
	assert_int_equal(boot(h, &args), QUILL_CORE_READY);
}

static void version_is_shown(void **state)
{
	struct fixture *f = *state;
	const struct quill_fw_header *header;
	size_t size;

	header = qh_image(f->h, &size);
	assert_int_equal(header->version, 2 << 16 | 1);
	assert_int_equal(qh_read(f->h, QUILL_REG_CORE(0) + QUILL_CORE_FW_VERSION), header->version);
	assert_true(size < QUILL_FW_MAX_SIZE);
}

/* ---- admin requests ------------------------------------------------------------- */

static struct quill_admin_cpl ask(struct fixture *f, struct quill_admin_msg msg)
{
	struct quill_admin_cpl cpl;

	assert_true(qh_admin(f->h, 0, &msg, &cpl));
	assert_int_equal(cpl.pending, 0);
	return cpl;
}

static struct quill_admin_msg good_create(struct fixture *f)
{
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_CREATE, .queue = 2, .as = f->as, .vector = 3, .entries = 8,
		.ring = qh_ram_alloc(f->h, 8 * sizeof(struct quill_job_desc), 64),
		.cpl = qh_ram_alloc(f->h, 8 * sizeof(struct quill_job_cpl), 64),
	};

	return msg;
}

struct bad_admin {
	const char *name;
	uint32_t status;
	uint32_t detail;
	size_t offset;
	size_t size;
	uint64_t value;
};

#define MSG(field, value, status, detail) \
	{ #field " = " #value, QUILL_ADMIN_##status, detail, \
	  offsetof(struct quill_admin_msg, field), \
	  sizeof(((struct quill_admin_msg *)0)->field), value }
#define BAD(field, value) MSG(field, value, BAD_PARAM, offsetof(struct quill_admin_msg, field))

static const struct bad_admin bad_creates[] = {
	MSG(op, 0, BAD_OP, 0),
	MSG(op, 9, BAD_OP, 0),
	MSG(op, 0x102, BAD_OP, 0),
	MSG(queue, 8, NO_QUEUE, 0),
	MSG(queue, 0xffff, NO_QUEUE, 0),
	MSG(queue, 0, BUSY, 0),
	BAD(as, 0),
	BAD(as, QUILL_MAX_AS),
	BAD(vector, 9),
	BAD(priority, QUILL_FW_PRIORITY_COUNT),
	BAD(flags, 1),
	BAD(ring, 0),
	BAD(ring, QH_RAM_BASE + 4),
	MSG(ring, 0x1000, DMA, 0),
	MSG(ring, QH_RAM_BASE + (256 << 20) - 64, DMA, 0),
	BAD(cpl, 0),
	BAD(cpl, QH_RAM_BASE + 2),
	MSG(cpl, 0x1000, DMA, 0),
	MSG(cpl, 0xffffffffffffff00, DMA, 0),
	BAD(entries, 0),
	BAD(entries, 1),
	BAD(entries, 9),
	BAD(entries, QUILL_RING_MAX_ENTRIES * 2),
	BAD(reserved[0], 1),
	{ "reserved[5] = 1 << 24", QUILL_ADMIN_BAD_PARAM, 63, 63, 1, 1 },
};

static void every_bad_field_of_create_is_named(void **state)
{
	struct fixture *f = *state;
	struct quill_admin_msg good = good_create(f), msg;
	struct quill_admin_cpl cpl;
	const struct bad_admin *b;

	for (b = bad_creates; b < bad_creates + sizeof(bad_creates) / sizeof(*bad_creates); b++) {
		msg = good;
		memcpy((char *)&msg + b->offset, &b->value, b->size);
		cpl = ask(f, msg);
		if (cpl.status != b->status || cpl.detail != b->detail)
			fail_msg("%s: status %u detail %u, expected %u and %u", b->name,
				 cpl.status, cpl.detail, b->status, b->detail);
	}
	assert_int_equal(ask(f, good).status, QUILL_ADMIN_OK);
	assert_int_equal(ask(f, good).status, QUILL_ADMIN_BUSY);
}

static void unused_fields_of_the_others_must_be_zero(void **state)
{
	static const uint16_t ops[] = {
		QUILL_ADMIN_PING, QUILL_ADMIN_QUEUE_DESTROY, QUILL_ADMIN_QUEUE_KILL,
	};
	struct fixture *f = *state;
	struct quill_admin_cpl cpl;
	uint32_t i, at;

	for (i = 0; i < 3; i++) {
		for (at = 8; at < sizeof(struct quill_admin_msg); at++) {
			struct quill_admin_msg msg = { .op = ops[i] };

			((uint8_t *)&msg)[at] = 1;
			cpl = ask(f, msg);
			assert_int_equal(cpl.status, QUILL_ADMIN_BAD_PARAM);
			assert_int_equal(cpl.detail, at);
		}
	}
	cpl = ask(f, (struct quill_admin_msg){ .op = QUILL_ADMIN_PING, .queue = 1 });
	assert_int_equal(cpl.status, QUILL_ADMIN_BAD_PARAM);
	assert_int_equal(cpl.detail, 2);
}

static void queues_that_do_not_exist_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(qh_queue_destroy(f->h, 1), QUILL_ADMIN_NO_QUEUE);
	assert_int_equal(qh_queue_kill(f->h, 1), QUILL_ADMIN_NO_QUEUE);
	assert_int_equal(qh_queue_destroy(f->h, 63), QUILL_ADMIN_NO_QUEUE);
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_NO_QUEUE);
}

static int setup_two_cores(void **state)
{
	const struct quill_host_config c = { .emu = { .cores = 2, .queues = 4 } };

	return fixture_setup_config(state, &c);
}

static void queue_of_another_core_is_refused(void **state)
{
	struct fixture *f = *state;
	struct quill_admin_msg msg = good_create(f);

	msg.queue = 1;
	assert_int_equal(ask(f, msg).status, QUILL_ADMIN_NO_QUEUE);
	msg.queue = 2;
	assert_int_equal(ask(f, msg).status, QUILL_ADMIN_OK);
}

static void busy_queue_is_not_destroyed(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t seq;

	qh_jump(&f->s, 0);
	seq = qh_submit_stream(f->h, 0, &f->s);
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_BUSY);
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	assert_true(qh_wait(f->h, 0, seq, 0, &cpl));
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
}

static void queue_made_again_starts_from_zero(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t i;

	qh_nop(&f->s);
	for (i = 0; i < 5; i++)
		expect_ok(qh_run(f->h, 0, &f->s));
	/* the doorbell still says 5 */
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
	assert_int_equal(qh_queue_create(f->h, 0, f->as, 2, 2), QUILL_ADMIN_OK);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	assert_int_equal(cpl.seq, 1);
}

static void doorbell_before_create_means_nothing(void **state)
{
	struct fixture *f = *state;

	qh_doorbell(f->h, 3, 2);
	fixture_check_alive(f);
	assert_int_equal(qh_queue_create(f->h, 3, f->as, 1, 4), QUILL_ADMIN_OK);
	qh_nop(&f->s);
	expect_ok(qh_run(f->h, 3, &f->s));
}

static void admin_ring_wraps_and_takes_bursts(void **state)
{
	struct fixture *f = *state;
	struct quill_admin_cpl cpl;
	uint32_t i, seq = 0;

	for (i = 0; i < 200; i++) {
		struct quill_admin_msg ping = { .op = QUILL_ADMIN_PING };

		seq = qh_admin_send(f->h, 0, &ping);
		if (i % 16 == 15)
			assert_true(qh_admin_wait(f->h, 0, seq, &cpl));
	}
	assert_true(qh_admin_wait(f->h, 0, seq, &cpl));
	assert_int_equal(cpl.status, QUILL_ADMIN_OK);
	assert_true(qh_msix_count(f->h, QUILL_VECTOR_ADMIN) >= 200);
}

static void admin_tail_that_makes_no_sense_is_ignored_and_logged(void **state)
{
	struct fixture *f = *state;
	uint32_t seq = ask(f, (struct quill_admin_msg){ .op = QUILL_ADMIN_PING }).seq;
	char text[4096];
	int tries;

	qh_write(f->h, QUILL_REG_CORE(0) + QUILL_CORE_ADMIN_DB, seq + 1000);
	for (tries = 0; tries < 2000; tries++) {
		qh_log(f->h, 0, text, sizeof(text));
		if (strstr(text, "admin: doorbell says"))
			break;
		usleep(1000);
	}
	assert_non_null(strstr(text, "ring has 16\n"));
	/* the next good tail is served: teardown's PING */
}

/* ---- queue rings ------------------------------------------------------------------ */

static void doorbell_beyond_the_ring_stops_the_queue(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	char text[4096];

	qh_nop(&f->s);
	expect_ok(qh_run(f->h, 0, &f->s));
	qh_doorbell(f->h, 0, 1 + ENTRIES + 1);
	assert_true(qh_wait(f->h, 0, 2, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_RING);
	assert_true(cpl.job == ~0ull);
	assert_int_equal(cpl.address, 1 + ENTRIES + 1);
	qh_log(f->h, 0, text, sizeof(text));
	assert_non_null(strstr(text, "queue 0: doorbell says 18, 1 jobs ended, ring has 16"));
	/* it takes nothing more */
	qh_submit_stream(f->h, 0, &f->s);
	assert_false(qh_wait(f->h, 0, 3, 50, &cpl));
	/* others do */
	assert_int_equal(qh_queue_create(f->h, 1, f->as, 1, 4), 0);
	expect_ok(qh_run(f->h, 1, &f->s));
	/* after a KILL it does again, from its last good tail on */
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	qh_doorbell(f->h, 0, 2);
	assert_true(qh_wait(f->h, 0, 3, QH_TIMEOUT_MS, &cpl));
	expect_ok(cpl);
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
}

static void stopped_queue_can_be_destroyed(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_doorbell(f->h, 0, 0x80000000);
	assert_true(qh_wait(f->h, 0, 1, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_RING);
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
}

static void jobs_before_an_overrun_still_run(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	struct qh_stream e;
	uint32_t seq;

	qh_stream_init(&e, f->h, f->as, 4);
	qh_jump(&e, 0);
	qh_nop(&f->s);
	assert_int_equal(qh_queue_create(f->h, 1, f->as, QUILL_FW_PRIORITY_LOW, 4), 0);
	seq = qh_submit_stream(f->h, 0, &e);
	qh_submit_stream(f->h, 1, &f->s);
	fixture_check_alive(f);		/* both doorbells have been seen */
	qh_doorbell(f->h, 1, 77);
	fixture_check_alive(f);
	assert_int_equal(qh_queue_kill(f->h, 0), 0);
	assert_true(qh_wait(f->h, 0, seq, QH_TIMEOUT_MS, &cpl));
	assert_true(qh_wait(f->h, 1, 1, QH_TIMEOUT_MS, &cpl));
	expect_ok(cpl);
	assert_true(qh_wait(f->h, 1, 2, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_RING);
}

static void full_ring_is_not_an_overrun(void **state)
{
	struct fixture *f = *state;
	struct quill_job_desc desc = { .stream = f->s.buf->va, .size = 64 };
	struct quill_job_cpl cpl;
	uint32_t i;

	qh_nop(&f->s);
	for (i = 0; i < ENTRIES; i++)
		qh_submit_desc(f->h, 0, &desc, false);
	qh_doorbell(f->h, 0, ENTRIES);
	assert_true(qh_wait(f->h, 0, ENTRIES, QH_TIMEOUT_MS, &cpl));
	expect_ok(cpl);
}

/* ---- memory that goes away ------------------------------------------------------------- */

/* Wait until the log has @line. */
static void expect_log(struct fixture *f, const char *line)
{
	char text[4096] = "";
	int tries;

	for (tries = 0; tries < 5000 && !strstr(text, line); tries++) {
		usleep(1000);
		qh_log(f->h, 0, text, sizeof(text));
	}
	if (!strstr(text, line))
		fail_msg("the log has no '%s': %s", line, text);
}

static void completion_that_cannot_be_written_stops_the_queue(void **state)
{
	struct fixture *f = *state;

	qh_nop(&f->s);
	qh_hole(f->h, qh_queue_cpl(f->h, 0), ENTRIES * sizeof(struct quill_job_cpl));
	qh_submit_stream(f->h, 0, &f->s);
	expect_log(f, "queue 0: completion 1 cannot be written: stopped\n");
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);	/* nothing to tell */
	qh_hole(f->h, 0, 0);
	expect_ok(qh_run(f->h, 0, &f->s));
}

static void kill_that_cannot_be_told_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_jump(&f->s, 0);
	qh_submit_stream(f->h, 0, &f->s);
	qh_submit_stream(f->h, 0, &f->s);
	qh_hole(f->h, qh_queue_cpl(f->h, 0), ENTRIES * sizeof(struct quill_job_cpl));
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_DMA);
	qh_hole(f->h, 0, 0);
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	f->s.count = 0;
	qh_nop(&f->s);
	assert_true(qh_wait(f->h, 0, qh_submit_stream(f->h, 0, &f->s), QH_TIMEOUT_MS, &cpl));
}

static void ring_that_cannot_be_read_is_a_bus_fault(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_nop(&f->s);
	qh_hole(f->h, qh_queue_ring(f->h, 0), 32);
	cpl = qh_run(f->h, 0, &f->s);
	expect_fault(cpl, QUILL_FAULT_BUS, 0, qh_queue_ring(f->h, 0), QUILL_ACCESS_FETCH,
		     QUILL_ENGINE_FW);
	assert_int_equal(cpl.job, 0);
	expect_ok(qh_run(f->h, 0, &f->s));	/* the next entry is RAM */
}

static void admin_request_that_cannot_be_read_is_answered_so(void **state)
{
	const struct quill_fw_boot *args = qh_core_args(((struct fixture *)*state)->h, 0);
	struct quill_admin_msg ping = { .op = QUILL_ADMIN_PING };
	struct fixture *f = *state;
	struct quill_admin_cpl *slot;
	uint32_t seq;

	qh_hole(f->h, args->admin_ring, args->admin_entries * sizeof(ping));
	seq = qh_admin_send(f->h, 0, &ping);
	expect_log(f, "admin: request 1 cannot be read\n");
	slot = (struct quill_admin_cpl *)qh_ram(f->h, args->admin_cpl) + (seq - 1);
	while (!qh_msix_count(f->h, QUILL_VECTOR_ADMIN))
		usleep(100);
	usleep(1000);
	assert_int_equal(slot->status, QUILL_ADMIN_DMA);
	assert_int_equal(slot->seq, 0);
	qh_hole(f->h, 0, 0);
}

static void admin_answer_that_cannot_be_written_is_logged(void **state)
{
	const struct quill_fw_boot *args = qh_core_args(((struct fixture *)*state)->h, 0);
	struct quill_admin_msg ping = { .op = QUILL_ADMIN_PING };
	struct fixture *f = *state;

	qh_hole(f->h, args->admin_cpl, args->admin_entries * sizeof(struct quill_admin_cpl));
	qh_admin_send(f->h, 0, &ping);
	expect_log(f, "admin: answer 2 cannot be written\n");
	qh_hole(f->h, 0, 0);
}

/* ---- log, heartbeat, sleep ------------------------------------------------------------ */

static void log_tells_of_the_start(void **state)
{
	struct fixture *f = *state;
	char text[4096];

	qh_log(f->h, 0, text, sizeof(text));
	assert_string_equal(text, "quill firmware 2.1 on core 0\n");
}

static void log_wraps(void **state)
{
	struct quill_host *h = *state;
	struct quill_fw_boot args = qh_boot_args(h, 0);
	struct quill_admin_msg msg = { .op = QUILL_ADMIN_QUEUE_CREATE, .as = 1, .vector = 1,
				       .entries = 2 };
	struct quill_admin_cpl cpl;
	char text[4096];
	uint32_t i;

	args.log_size = 256;
	assert_int_equal(boot(h, &args), QUILL_CORE_READY);
	msg.ring = qh_ram_alloc(h, 64, 64);
	msg.cpl = qh_ram_alloc(h, 256, 64);
	/* a line a round: the queue's doorbell overruns */
	for (i = 0; i < 10; i++) {
		assert_true(qh_admin(h, 0, &msg, &cpl));
		assert_int_equal(cpl.status, QUILL_ADMIN_OK);
		qh_doorbell(h, 0, 1000 + i);
		do {
			struct quill_admin_msg destroy = { .op = QUILL_ADMIN_QUEUE_DESTROY };

			assert_true(qh_admin(h, 0, &destroy, &cpl));
		} while (cpl.status == QUILL_ADMIN_BUSY);
		assert_int_equal(cpl.status, QUILL_ADMIN_OK);
	}
	assert_int_equal(qh_log(h, 0, text, sizeof(text)), 256 - 16);
	assert_non_null(strstr(text, "doorbell says 1009, 0 jobs ended, ring has 2: stopped\n"));
	assert_null(strstr(text, "1003"));
}

static uint64_t instructions(struct fixture *f)
{
	uint64_t hi = qh_read(f->h, QUILL_REG_CORE(0) + QUILL_CORE_INSN_HI);

	return hi << 32 | qh_read(f->h, QUILL_REG_CORE(0) + QUILL_CORE_INSN_LO);
}

static uint32_t beats(struct fixture *f)
{
	return qh_read(f->h, QUILL_REG_CORE(0) + QUILL_CORE_HEARTBEAT);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void heart_beats_while_a_job_runs(void **state)
{
	const uint32_t period = 10000;
	struct fixture *f = *state;
	uint64_t start = now_us();
	uint32_t before = beats(f), seen;

	qh_jump(&f->s, 0);
	qh_submit_stream(f->h, 0, &f->s);
	do {
		usleep(1000);
		seen = beats(f) - before;
	} while (seen < 10 && now_us() - start < 10000000);
	assert_true(seen >= 10);
	/* and not faster than asked for */
	assert_true(now_us() - start >= (uint64_t)seen * period);
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
}

static void idle_firmware_sleeps(void **state)
{
	struct fixture *f = *state;
	uint64_t before;
	uint32_t beat;

	qh_nop(&f->s);
	expect_ok(qh_run(f->h, 0, &f->s));
	usleep(50000);		/* the timer's last shot */
	before = instructions(f);
	beat = beats(f);
	assert_true(before > 0);
	usleep(100000);
	assert_true(instructions(f) == before);
	assert_int_equal(beats(f), beat);
	expect_ok(qh_run(f->h, 0, &f->s));
	usleep(1000);
	assert_true(instructions(f) > before);
}

#define UNBOOTED(name)	cmocka_unit_test_setup_teardown(name, setup_unbooted, teardown_host)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNBOOTED(every_bad_boot_argument_is_refused),
		UNBOOTED(boot_without_a_log_is_fine),
		UNBOOTED(boot_arguments_outside_ram_are_refused),
		UNBOOTED(trap_in_the_firmware_is_a_panic),
		FIXTURE_TEST(version_is_shown),
		FIXTURE_TEST(every_bad_field_of_create_is_named),
		FIXTURE_TEST(unused_fields_of_the_others_must_be_zero),
		FIXTURE_TEST(queues_that_do_not_exist_are_refused),
		cmocka_unit_test_setup_teardown(queue_of_another_core_is_refused, setup_two_cores,
						fixture_teardown),
		FIXTURE_TEST(busy_queue_is_not_destroyed),
		FIXTURE_TEST(queue_made_again_starts_from_zero),
		FIXTURE_TEST(doorbell_before_create_means_nothing),
		FIXTURE_TEST(admin_ring_wraps_and_takes_bursts),
		FIXTURE_TEST(admin_tail_that_makes_no_sense_is_ignored_and_logged),
		FIXTURE_TEST(doorbell_beyond_the_ring_stops_the_queue),
		FIXTURE_TEST(stopped_queue_can_be_destroyed),
		FIXTURE_TEST(jobs_before_an_overrun_still_run),
		FIXTURE_TEST(full_ring_is_not_an_overrun),
		FIXTURE_TEST(completion_that_cannot_be_written_stops_the_queue),
		FIXTURE_TEST(kill_that_cannot_be_told_is_an_error),
		FIXTURE_TEST(ring_that_cannot_be_read_is_a_bus_fault),
		FIXTURE_TEST(admin_request_that_cannot_be_read_is_answered_so),
		FIXTURE_TEST(admin_answer_that_cannot_be_written_is_logged),
		FIXTURE_TEST(log_tells_of_the_start),
		UNBOOTED(log_wraps),
		FIXTURE_TEST(heart_beats_while_a_job_runs),
		FIXTURE_TEST(idle_firmware_sleeps),
	};

	return cmocka_run_group_tests_name("firmware_admin", tests, NULL, NULL);
}
