// SPDX-License-Identifier: MIT
/*
 * Standing still, and snapshots: work goes on in another device as if nothing had been, to the bit and to the cycle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

#define QUEUES	4u
#define JOBS	3u
#define ROWS	64u
#define COLS	256u
#define BYTES	(ROWS * COLS * 4)

static const struct quill_emu_config two_cores = {
	.mem = 1 << 20, .cores = 2, .queues = 8, .threads = 2,
};

static struct quill_host *make(const struct quill_emu_config *emu)
{
	const struct quill_host_config config = { .emu = *emu, .ram = 64 << 20 };

	return qh_create(&config);
}

/* ---- standing still ---- */

/* Fills that never end: one value after the other. */
static uint32_t submit_endless(struct quill_host *h, uint32_t as, struct qh_buf *buf)
{
	struct qh_stream s;

	qh_stream_init(&s, h, as, 4);
	qh_fill(&s, buf->va, 4, 0x11111111, buf->size);
	qh_fill(&s, buf->va, 4, 0x22222222, buf->size);
	qh_jump(&s, 0);
	return qh_submit_stream(h, 0, &s);
}

/* As a guest that looks at what the device is about to write: a race, and meant. */
__attribute__((no_sanitize("thread")))
static void wait_while(struct qh_buf *buf, uint32_t value)
{
	while (*(volatile uint32_t *)buf->ptr == value)
		usleep(100);
}

static void paused_device_touches_nothing_and_its_clock_stands(void **state)
{
	struct quill_host *h = make(&two_cores);
	uint32_t as = qh_as_create(h), beat, i;
	struct qh_buf *buf = qh_alloc(h, as, 256 << 10, QH_RW);
	uint64_t core = QUILL_REG_CORE(0);

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	submit_endless(h, as, buf);
	wait_while(buf, 0);
	for (i = 0; i < 20; i++) {
		quill_emu_pause(qh_emu(h));
		assert_int_equal(qh_dma_maps(h), 0);
		beat = qh_read(h, core + QUILL_CORE_HEARTBEAT);
		memset(buf->ptr, 0x33, 4096);
		usleep(i ? 500 : 30000);
		assert_int_equal(buf->ptr[0], 0x33);
		assert_int_equal(buf->ptr[4095], 0x33);
		assert_int_equal(qh_read(h, core + QUILL_CORE_HEARTBEAT), beat);
		quill_emu_resume(qh_emu(h));
		wait_while(buf, 0x33333333);
	}
	assert_int_equal(qh_queue_kill(h, 0), QUILL_ADMIN_OK);
	qh_destroy(h);
}

static void doorbells_of_a_paused_device_are_served_afterwards(void **state)
{
	struct quill_host *h = make(&two_cores);
	uint32_t as = qh_as_create(h), seq;
	struct qh_buf *buf = qh_alloc(h, as, 4096, QH_RW);
	struct quill_job_cpl cpl;
	struct qh_stream s;

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 4);
	qh_fill(&s, buf->va, 4, 5, 4096);
	quill_emu_pause(qh_emu(h));
	quill_emu_pause(qh_emu(h));
	seq = qh_submit_stream(h, 0, &s);
	assert_false(qh_wait(h, 0, seq, 20, &cpl));
	quill_emu_resume(qh_emu(h));
	assert_true(qh_wait(h, 0, seq, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, 0);
	quill_emu_resume(qh_emu(h));
	qh_destroy(h);
}

static void paused_device_can_be_reset_started_and_destroyed(void **state)
{
	struct quill_host *h = make(&two_cores);
	uint32_t as = qh_as_create(h), tries;
	struct qh_buf *buf = qh_alloc(h, as, 256 << 10, QH_RW);
	uint64_t core = QUILL_REG_CORE(0);

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	submit_endless(h, as, buf);
	wait_while(buf, 0);
	quill_emu_pause(qh_emu(h));
	quill_emu_reset(qh_emu(h));
	assert_int_equal(qh_read(h, core + QUILL_CORE_STATUS), QUILL_CORE_OFF);

	/* START, and it boots no sooner than it may */
	qh_write(h, core + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	usleep(20000);
	assert_int_equal(qh_read(h, core + QUILL_CORE_STATUS), QUILL_CORE_BOOTING);
	quill_emu_resume(qh_emu(h));
	for (tries = 0; tries < 5000; tries++, usleep(1000))
		if (qh_read(h, core + QUILL_CORE_STATUS) == QUILL_CORE_BOOT_FAILED)
			break;
	/* the reset forgot the image */
	assert_int_equal(qh_read(h, core + QUILL_CORE_STATUS), QUILL_CORE_BOOT_FAILED);

	/* START taken back by a reset, both while paused */
	quill_emu_pause(qh_emu(h));
	qh_write(h, core + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	quill_emu_reset(qh_emu(h));
	assert_int_equal(qh_read(h, core + QUILL_CORE_STATUS), QUILL_CORE_OFF);
	qh_destroy(h);
}

/* ---- going on elsewhere ---- */

/* What the guest could tell two devices apart by. */
static void read_registers(struct quill_host *h, uint32_t *regs)
{
	uint32_t i;

	for (i = 0; i < QUILL_BAR_REGS_SIZE / 4; i++)
		regs[i] = qh_read(h, i * 4);
}

static void idle_device_goes_on_in_another(void **state)
{
	static uint32_t before[QUILL_BAR_REGS_SIZE / 4], after[QUILL_BAR_REGS_SIZE / 4];
	struct quill_host *h = make(&two_cores);
	uint32_t as = qh_as_create(h), i;
	struct qh_buf *buf = qh_alloc(h, as, 4096, QH_RW);
	struct qh_stream s;

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 8);
	qh_fill(&s, 0x700000, 4, 5, 4096);
	assert_int_equal(qh_run(h, 0, &s).status, QUILL_FAULT_UNMAPPED);
	memset(quill_emu_mem(qh_emu(h)), 0x77, 1 << 20);

	quill_emu_pause(qh_emu(h));
	read_registers(h, before);
	qh_move(h, NULL);
	read_registers(h, after);
	for (i = 0; i < QUILL_BAR_REGS_SIZE / 4; i++)
		if (before[i] != after[i])
			fail_msg("register %#x is %#x, expected %#x", i * 4, after[i], before[i]);
	assert_int_equal(*(uint8_t *)quill_emu_mem(qh_emu(h)), 0x77);
	quill_emu_resume(qh_emu(h));

	s.count = 0;
	qh_fill(&s, buf->va, 4, 5, 4096);
	assert_int_equal(qh_run(h, 0, &s).status, 0);
	assert_int_equal(buf->ptr[4092], 5);
	/* and the other core's firmware is well */
	assert_int_equal(qh_queue_create(h, 1, as, QUILL_FW_PRIORITY_LOW, 16), QUILL_ADMIN_OK);
	qh_destroy(h);
}

/* All that a set of jobs leaves behind. */
struct outcome {
	struct quill_job_cpl cpl[QUEUES][JOBS];
	uint8_t data[QUEUES][2 * BYTES];
};

/*
 * Commands that are not the same if they are done twice (x += y in place), that keep state in the scratchpad, wait for
 * each other by semaphores, tell the device's time, and some of which take long.
 */
static void make_stream(struct qh_stream *s, const struct qh_buf *b, uint32_t q)
{
	const uint64_t x = b->va, y = b->va + BYTES, pad = QUILL_VA_SRAM;
	uint32_t i;

	for (i = 0; i < 12; i++) {
		qh_eltwise(s, QUILL_ELTWISE_ADD, x, x, y, ROWS, COLS)->hdr.flags = QUILL_CMD_ORDERED;
		qh_copy(s, pad + i * 4096, x, BYTES)->hdr.flags = QUILL_CMD_ORDERED;
		qh_softmax(s, y, pad + i * 4096, ROWS, COLS, 0.5f)->hdr.flags = QUILL_CMD_ORDERED;
		if (i % 4 == q % 4)
			/* tens of milliseconds of scratchpad times scratchpad */
			qh_gemm(s, pad + (8 << 20), pad + (9 << 20), pad + (12 << 20), 512, 512, 1024);
		qh_signal_sem(qh_timestamp(s, x + BYTES - 8), 1);
		qh_wait_sem(qh_fill(s, x + BYTES - 64, 4, i + q, 32), 1, i + 1);
	}
}

static void run_jobs(struct outcome *out, unsigned int moves, const struct quill_emu_config *other)
{
	struct quill_host *h = make(&two_cores);
	struct qh_buf *b[QUEUES];
	struct qh_stream s[QUEUES];
	uint32_t q, j, as[QUEUES], seq[QUEUES][JOBS];
	unsigned int seed = 7 + moves;

	for (q = 0; q < QUEUES; q++) {
		as[q] = qh_as_create(h);
		qh_queue_create(h, q, as[q], q % QUILL_FW_PRIORITY_COUNT, 16);
		b[q] = qh_alloc(h, as[q], 2 * BYTES, QH_RW);
		for (j = 0; j < 2 * BYTES / 4; j++)
			((float *)b[q]->ptr)[j] = (float)(j % 97) / 97 + q;
		qh_stream_init(&s[q], h, as[q], 128);
		make_stream(&s[q], b[q], q);
	}
	for (j = 0; j < JOBS; j++)
		for (q = 0; q < QUEUES; q++)
			seq[q][j] = qh_submit_stream(h, q, &s[q]);
	while (moves--) {
		usleep(rand_r(&seed) % 20000);
		quill_emu_pause(qh_emu(h));
		qh_move(h, moves % 2 ? other : NULL);
		quill_emu_resume(qh_emu(h));
	}
	for (q = 0; q < QUEUES; q++) {
		for (j = 0; j < JOBS; j++)
			if (!qh_wait(h, q, seq[q][j], QH_TIMEOUT_MS, &out->cpl[q][j]))
				fail_msg("queue %u: job %u does not end", q, j);
		memcpy(out->data[q], b[q]->ptr, 2 * BYTES);
	}
	qh_destroy(h);
}

static void expect_same(const struct outcome *got, const struct outcome *want)
{
	uint32_t q, j, i;

	for (q = 0; q < QUEUES; q++) {
		for (j = 0; j < JOBS; j++) {
			assert_int_equal(got->cpl[q][j].status, 0);
			for (i = 0; i < QUILL_COUNTER_COUNT; i++)
				if (got->cpl[q][j].counters[i] != want->cpl[q][j].counters[i])
					fail_msg("queue %u job %u: counter %u is %llu, expected %llu", q, j, i,
						 (unsigned long long)got->cpl[q][j].counters[i],
						 (unsigned long long)want->cpl[q][j].counters[i]);
		}
		if (memcmp(got->data[q], want->data[q], 2 * BYTES))
			fail_msg("queue %u: results differ", q);
	}
}

static void jobs_under_way_give_the_same_bits_and_cycles(void **state)
{
	const struct quill_emu_config other = {
		.mem = 1 << 20, .cores = 2, .queues = 8, .threads = 1, .kernels = "scalar",
	};
	static struct outcome want, got;

	run_jobs(&want, 0, NULL);
	run_jobs(&got, 1, NULL);
	expect_same(&got, &want);
	/* threads and kernels of the one and of the other, in turn */
	run_jobs(&got, 12, &other);
	expect_same(&got, &want);
}

static void a_snapshot_of_a_snapshot_is_the_same(void **state)
{
	struct quill_host *h = make(&two_cores);
	uint32_t as = qh_as_create(h), i;
	struct qh_buf *b = qh_alloc(h, as, 2 * BYTES, QH_RW);
	size_t size, size2;
	struct qh_stream s;
	void *one, *two;

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 128);
	make_stream(&s, b, 0);
	for (i = 0; i < 4; i++)
		qh_submit_stream(h, 0, &s);
	usleep(30000);
	quill_emu_pause(qh_emu(h));
	one = quill_emu_save(qh_emu(h), &size);
	qh_move(h, NULL);
	two = quill_emu_save(qh_emu(h), &size2);
	assert_int_equal(size, size2);
	assert_memory_equal(one, two, size);
	free(one);
	free(two);
	qh_destroy(h);
}

/* ---- what is refused ---- */

static void running_devices_are_neither_saved_nor_loaded(void **state)
{
	struct quill_host *h = make(&two_cores);
	char err[256] = "";
	size_t size;
	void *data;

	assert_null(quill_emu_save(qh_emu(h), &size));
	quill_emu_pause(qh_emu(h));
	data = quill_emu_save(qh_emu(h), &size);
	assert_non_null(data);
	quill_emu_resume(qh_emu(h));
	assert_false(quill_emu_load(qh_emu(h), data, size, err, sizeof(err)));
	assert_string_equal(err, "the device is not paused");
	assert_int_equal(qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_STATUS), QUILL_CORE_READY);
	free(data);
	qh_destroy(h);
}

static void expect_refused(const void *data, size_t size, struct quill_emu_config emu, const char *want)
{
	const struct quill_host_config config = { .emu = emu, .no_boot = true };
	struct quill_host *h = qh_create(&config);
	char err[256] = "";

	quill_emu_pause(qh_emu(h));
	assert_false(quill_emu_load(qh_emu(h), data, size, err, sizeof(err)));
	if (!strstr(err, want))
		fail_msg("refused with \"%s\", expected \"%s\"", err, want);
	qh_destroy(h);
}

static void another_configuration_is_refused_with_what_differs(void **state)
{
	struct quill_host *h = make(&two_cores);
	struct quill_emu_config other;
	size_t size;
	void *data;

	quill_emu_pause(qh_emu(h));
	data = quill_emu_save(qh_emu(h), &size);
	qh_destroy(h);

	other = two_cores;
	other.mem = 2 << 20;
	expect_refused(data, size, other, "bytes of device memory: found 1048576, required 2097152");
	other = two_cores;
	other.cores = 1;
	expect_refused(data, size, other, "cores: found 2, required 1");
	other = two_cores;
	other.queues = 16;
	expect_refused(data, size, other, "queues: found 8, required 16");
	other = two_cores;
	other.profile = "unit";
	expect_refused(data, size, other, "profile: ");
	expect_refused(data, size - 1, two_cores, "the snapshot ends after");
	expect_refused(data, 0, two_cores, "the snapshot ends after 0 bytes");
	expect_refused("12345678", 8, two_cores, "magic: found");
	data = realloc(data, size + 1);
	((uint8_t *)data)[size] = 0;
	expect_refused(data, size + 1, two_cores, "bytes behind the end: found 1, required none");
	free(data);
}

/* A bit here, a word there: taken or refused, the device lives, and after a reset it works. */
static void damaged_snapshots_are_survived(void **state)
{
	struct quill_host *h = make(&two_cores);
	uint32_t as = qh_as_create(h), i, loaded = 0, refused = 0;
	struct qh_buf *b = qh_alloc(h, as, 2 * BYTES, QH_RW);
	unsigned int seed = 5;
	struct qh_stream s;
	char err[256];
	uint8_t *data, *bad;
	size_t size, at;

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 128);
	make_stream(&s, b, 0);
	qh_submit_stream(h, 0, &s);
	usleep(20000);
	quill_emu_pause(qh_emu(h));
	data = quill_emu_save(qh_emu(h), &size);
	bad = malloc(size);
	for (i = 0; i < 300; i++) {
		memcpy(bad, data, size);
		/* the first few KiB are what is not plain memory */
		at = rand_r(&seed) % (i % 2 ? 8192 : size);
		bad[at] ^= 1u << rand_r(&seed) % 8;
		err[0] = 0;
		if (quill_emu_load(qh_emu(h), bad, size, err, sizeof(err))) {
			loaded++;
			quill_emu_resume(qh_emu(h));
			if (i % 16 == 0)
				usleep(1000);
			quill_emu_pause(qh_emu(h));
		} else {
			refused++;
			assert_true(err[0]);
			assert_int_equal(qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_STATUS), QUILL_CORE_OFF);
		}
	}
	assert_true(loaded && refused);
	assert_true(quill_emu_load(qh_emu(h), data, size, err, sizeof(err)));
	quill_emu_resume(qh_emu(h));
	free(data);
	free(bad);
	qh_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paused_device_touches_nothing_and_its_clock_stands),
		cmocka_unit_test(doorbells_of_a_paused_device_are_served_afterwards),
		cmocka_unit_test(paused_device_can_be_reset_started_and_destroyed),
		cmocka_unit_test(idle_device_goes_on_in_another),
		cmocka_unit_test(jobs_under_way_give_the_same_bits_and_cycles),
		cmocka_unit_test(a_snapshot_of_a_snapshot_is_the_same),
		cmocka_unit_test(running_devices_are_neither_saved_nor_loaded),
		cmocka_unit_test(another_configuration_is_refused_with_what_differs),
		cmocka_unit_test(damaged_snapshots_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
