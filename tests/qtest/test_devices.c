// SPDX-License-Identifier: MIT
/*
 * Several devices in one machine: what is done to one is nothing to the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine.h"

#define DEVICES	4u
#define JOBS	6u
#define BYTES	(512u << 10)

static struct machine *m;
static struct space space[DEVICES];

static int setup(void **state)
{
	unsigned int i;

	m = machine_start(DEVICES, "mem=1M,queues=4,cores=2,threads=2", NULL);
	for (i = 0; i < DEVICES; i++) {
		device_boot_firmware(&m->dev[i]);
		space_make(&m->dev[i], &space[i], 1);
		if (queue_make(&m->dev[i], 0, &space[i]))
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	machine_stop(m);
	return 0;
}

/* Many short rounds over the same memory, the last with @value. */
static void submit_fills(unsigned int i, uint32_t value)
{
	union quill_cmd cmd[32];
	unsigned int n;

	for (n = 0; n < 32; n++) {
		cmd[n] = cmd_fill(DATA_VA, n < 31 ? ~value : value, BYTES);
		cmd[n].hdr.flags = QUILL_CMD_ORDERED;
	}
	queue_submit(&m->dev[i], 0, &space[i], 0, cmd, 32);
}

static void expect_filled(unsigned int i, uint32_t value)
{
	uint32_t at;

	for (at = 0; at < BYTES; at += 65532)
		assert_int_equal(qt_read(m->q, space[i].data + at, 4), value);
}

static void jobs_of_all_devices_run_at_once(void **state)
{
	unsigned int i, n;

	for (n = 0; n < JOBS; n++) {
		for (i = 0; i < DEVICES; i++)
			submit_fills(i, i << 16 | n);
		for (i = 0; i < DEVICES; i++)
			assert_int_equal(queue_wait(&m->dev[i], 0).status, 0);
		for (i = 0; i < DEVICES; i++)
			expect_filled(i, i << 16 | n);
	}
}

static void a_fault_in_one_device_is_nothing_to_the_others(void **state)
{
	const union quill_cmd bad = cmd_fill(DATA_VA - 4096, 1, 64);
	unsigned int i;

	for (i = 1; i < DEVICES; i++)
		submit_fills(i, i);
	assert_int_equal(queue_run(&m->dev[0], 0, &space[0], &bad, 1).status, QUILL_FAULT_UNMAPPED);
	for (i = 1; i < DEVICES; i++) {
		assert_int_equal(queue_wait(&m->dev[i], 0).status, 0);
		expect_filled(i, i);
		assert_int_equal(device_read(&m->dev[i], QUILL_REG_AS(1) + QUILL_AS_FAULT_COUNT), 0);
	}
	assert_int_equal(device_read(&m->dev[0], QUILL_REG_AS(1) + QUILL_AS_FAULT_COUNT), 1);
}

static void reset_of_one_device_leaves_the_others_alone(void **state)
{
	uint32_t resets[DEVICES];
	unsigned int i;

	for (i = 0; i < DEVICES; i++) {
		resets[i] = device_read(&m->dev[i], QUILL_REG_RESET_COUNT);
		submit_fills(i, 0x100 + i);
	}
	device_flr(&m->dev[1]);
	device_place(&m->dev[1]);
	device_write(&m->dev[2], QUILL_REG_CONTROL, QUILL_CONTROL_RESET);
	for (i = 0; i < DEVICES; i += 3) {
		assert_int_equal(queue_wait(&m->dev[i], 0).status, 0);
		expect_filled(i, 0x100 + i);
	}
	assert_true(device_wait(&m->dev[2], QUILL_REG_CONTROL, 0));
	for (i = 0; i < DEVICES; i++)
		assert_int_equal(device_read(&m->dev[i], QUILL_REG_RESET_COUNT),
				 resets[i] + (i == 1 || i == 2));
	/* and the two work again */
	for (i = 1; i < 3; i++) {
		device_boot_firmware(&m->dev[i]);
		space_make(&m->dev[i], &space[i], 1);
		assert_int_equal(queue_make(&m->dev[i], 0, &space[i]), QUILL_ADMIN_OK);
		submit_fills(i, 0x200 + i);
		assert_int_equal(queue_wait(&m->dev[i], 0).status, 0);
		expect_filled(i, 0x200 + i);
	}
}

static void interrupts_come_from_the_device_that_raised_them(void **state)
{
	uint64_t messages = machine_alloc(m, 4096, 4096);
	unsigned int i, tries;

	for (i = 0; i < DEVICES; i++)
		device_vector(&m->dev[i], 1, messages + i * 4, 100 + i, false);
	submit_fills(2, 1);
	assert_int_equal(queue_wait(&m->dev[2], 0).status, 0);
	for (tries = 0; tries < 1000 && !qt_read(m->q, messages + 8, 4); tries++)
		usleep(1000);
	for (i = 0; i < DEVICES; i++)
		assert_int_equal(qt_read(m->q, messages + i * 4, 4), i == 2 ? 102 : 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(jobs_of_all_devices_run_at_once),
		TEST(a_fault_in_one_device_is_nothing_to_the_others),
		TEST(reset_of_one_device_leaves_the_others_alone),
		TEST(interrupts_come_from_the_device_that_raised_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
