// SPDX-License-Identifier: MIT
/*
 * A virtual machine that is stopped, migrated, saved and loaded while its device works: jobs end with the same bits,
 * and take the same device time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine.h"

#define PROPS		"mem=16M,queues=4,threads=2"
#define QUEUES		3u
#define JOBS		3u
#define ROUNDS		48u
#define FLOATS		32768u
#define BYTES		(FLOATS * 4)
/* Where device memory is mapped: the second operands lie in it. */
#define DEVMEM_VA	0x80000000ull

static struct machine *m;
static struct device *d;
static struct space space;

struct outcome {
	struct quill_job_cpl cpl[QUEUES][JOBS];
	uint8_t data[QUEUES][BYTES];
};

static int setup(void **state)
{
	unsigned int i;

	m = machine_start(1, PROPS, NULL);
	d = &m->dev[0];
	device_boot_firmware(d);
	space_make(d, &space, 1);
	space_map(d, &space, 1, DEVMEM_VA, QUILL_PTE_VALID | QUILL_PTE_LEAF | QUILL_PTE_DEVMEM |
		  QUILL_PTE_READ | QUILL_PTE_WRITE);
	for (i = 0; i < QUEUES; i++)
		if (queue_make(d, i, &space))
			return -1;
	return 0;
}

static int teardown(void **state)
{
	machine_stop(m);
	return 0;
}

/* x += y, in place: not the same if it is done twice. */
static union quill_cmd cmd_add(uint64_t x, uint64_t y)
{
	return (union quill_cmd){
		.eltwise = {
			.hdr = {
				.opcode = QUILL_OP_ELTWISE, .flags = QUILL_CMD_ORDERED,
				.type_a = QUILL_TYPE_F32, .type_b = QUILL_TYPE_F32,
				.type_d = QUILL_TYPE_F32,
			},
			.a = x, .b = y, .dst = x, .rows = 1, .n = FLOATS,
			.a_stride = FLOATS, .b_stride = FLOATS, .dst_stride = FLOATS,
			.op = QUILL_ELTWISE_ADD,
		},
	};
}

static void submit_all(void)
{
	union quill_cmd cmd[2 + ROUNDS];
	unsigned int q, j, i;

	for (j = 0; j < JOBS; j++) {
		for (q = 0; q < QUEUES; q++) {
			const uint64_t x = DATA_VA + q * BYTES, y = DEVMEM_VA + q * BYTES;

			/* 1.0 or what the job before has left; 1/3, 2/3, 1 */
			cmd[0] = j ? cmd_add(x, y) : cmd_fill(x, 0x3f800000, BYTES);
			cmd[1] = cmd_fill(y, 0x3eaaaaab + (q << 22), BYTES);
			for (i = 0; i < ROUNDS; i++)
				cmd[2 + i] = cmd_add(x, y);
			queue_submit(d, q, &space, q * JOBS + j, cmd, 2 + ROUNDS);
		}
	}
}

static void collect(struct outcome *out)
{
	unsigned int q, j;

	for (q = 0; q < QUEUES; q++) {
		queue_wait(d, q);
		for (j = 0; j < JOBS; j++)
			qt_get(m->q, d->queue[q].cpl + j * sizeof(out->cpl[q][j]), &out->cpl[q][j],
			       sizeof(out->cpl[q][j]));
		qt_get(m->q, space.data + q * BYTES, out->data[q], BYTES);
	}
}

static void expect_same(const struct outcome *got, const struct outcome *want)
{
	unsigned int q, j;

	for (q = 0; q < QUEUES; q++) {
		for (j = 0; j < JOBS; j++) {
			assert_int_equal(got->cpl[q][j].status, 0);
			assert_memory_equal(got->cpl[q][j].counters, want->cpl[q][j].counters,
					    sizeof(want->cpl[q][j].counters));
		}
		assert_memory_equal(got->data[q], want->data[q], BYTES);
	}
}

/* What comes of the jobs if nothing happens meanwhile. In a machine of its own. */
static const struct outcome *undisturbed(void)
{
	static struct outcome want;
	static bool known;

	if (!known) {
		setup(NULL);
		submit_all();
		collect(&want);
		teardown(NULL);
		/* the sums are what they should be, roughly */
		assert_int_not_equal(*(uint32_t *)want.data[0], 0x3f800000);
		known = true;
	}
	return &want;
}

static unsigned int jobs_done(void)
{
	unsigned int q, j, n = 0;

	for (q = 0; q < QUEUES; q++)
		for (j = 0; j < JOBS; j++)
			n += !!qt_read(m->q, d->queue[q].cpl + j * sizeof(struct quill_job_cpl) +
				       offsetof(struct quill_job_cpl, seq), 4);
	return n;
}

static void hmp(const char *command)
{
	const char *answer = qt_hmp(m->q, command);

	if (!strstr(answer, "\"return\": \"\""))
		fail_msg("%s: %s", command, answer);
}

static void stopped_machine_has_a_device_that_stands_still(void **state)
{
	const struct outcome *want = undisturbed();
	static struct outcome got;
	unsigned int before, i;

	setup(NULL);
	submit_all();
	for (i = 0; i < 8; i++) {
		hmp("stop");
		before = jobs_done();
		qt_get(m->q, space.data, got.data[0], BYTES);
		usleep(5000);
		qt_get(m->q, space.data, got.data[1], BYTES);
		assert_memory_equal(got.data[0], got.data[1], BYTES);
		assert_int_equal(jobs_done(), before);
		hmp("cont");
		usleep(1000);
	}
	collect(&got);
	expect_same(&got, want);
	teardown(NULL);
}

static void idle_device_is_migrated(void **state)
{
	const struct outcome *want = undisturbed();
	static struct outcome got;
	uint32_t resets;

	setup(NULL);
	resets = device_read(d, QUILL_REG_RESET_COUNT);
	qt_write(m->q, d->bar[QUILL_BAR_MEM] + (16 << 20) - 4, 4, 0x12345678);
	machine_move(m);
	assert_int_equal(device_read(d, QUILL_REG_RESET_COUNT), resets);
	assert_int_equal(qt_read(m->q, d->bar[QUILL_BAR_MEM] + (16 << 20) - 4, 4), 0x12345678);
	submit_all();
	collect(&got);
	expect_same(&got, want);
	teardown(NULL);
}

/*
 * On a busy host the jobs may be over before this program comes to disturb them. The results have to be right then too, but
 * nothing is proved, so it is tried again.
 */
static void until_caught(bool (*attempt)(void))
{
	unsigned int tries;

	for (tries = 0; tries < 20; tries++)
		if (attempt())
			return;
	fail_msg("%u times the jobs were over before anything was done to them", tries);
}

/* Return: some jobs had not ended when the machine moved. */
static bool migrate_three_times(void)
{
	const struct outcome *want = undisturbed();
	static struct outcome got;
	unsigned int i;
	bool caught;

	setup(NULL);
	submit_all();
	caught = jobs_done() < QUEUES * JOBS;
	for (i = 0; i < 3; i++)
		machine_move(m);
	collect(&got);
	expect_same(&got, want);
	teardown(NULL);
	return caught;
}

static void jobs_under_way_are_migrated(void **state)
{
	until_caught(migrate_three_times);
}

static void vectors_raised_before_a_migration_are_not_lost(void **state)
{
	uint64_t messages;
	unsigned int tries;

	setup(NULL);
	messages = machine_alloc(m, 4096, 4096);
	/* masked, so that it is pending in the PBA when the machine moves */
	device_vector(d, 1, messages, 101, true);
	submit_all();
	queue_wait(d, 0);
	machine_move(m);
	qt_write(m->q, d->bar[QUILL_BAR_MSIX] + 16 + 12, 4, 0);
	for (tries = 0; tries < 1000 && !qt_read(m->q, messages, 4); tries++)
		usleep(1000);
	assert_int_equal(qt_read(m->q, messages, 4), 101);
	teardown(NULL);
}

/* ---- savevm, loadvm ---- */

static void must(const char *answer)
{
	if (strstr(answer, "\"error\""))
		fail_msg("QMP: %s", answer);
}

static void end_job(void)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;
	const char *answer;

	do {
		answer = qt_qmp(m->q, "{\"execute\": \"query-jobs\"}");
		assert_true(qt_now_ms() < end);
	} while (!strstr(answer, "concluded"));
	must(qt_qmp(m->q, "{\"execute\": \"job-dismiss\", \"arguments\": {\"id\": \"job0\"}}"));
}

/* A disk that holds snapshots and nothing else. */
static void add_snapshot_store(const char *file)
{
	must(qt_qmp(m->q, "{\"execute\": \"blockdev-add\", \"arguments\": {\"driver\": \"file\","
		    " \"node-name\": \"store-file\", \"filename\": \"%s\"}}", file));
	must(qt_qmp(m->q, "{\"execute\": \"blockdev-create\", \"arguments\": {\"job-id\": \"job0\", \"options\":"
		    " {\"driver\": \"qcow2\", \"file\": \"store-file\", \"size\": 1048576}}}"));
	end_job();
	must(qt_qmp(m->q, "{\"execute\": \"blockdev-add\", \"arguments\": {\"driver\": \"qcow2\","
		    " \"node-name\": \"store\", \"file\": \"store-file\"}}"));
}

/* Return: some jobs had not ended in the snapshot. */
static bool save_once_and_load_three_times(void)
{
	const struct outcome *want = undisturbed();
	char file[] = "/tmp/quill-qtest-XXXXXX";
	static struct outcome got;
	static uint8_t junk[BYTES];
	bool caught = false;
	unsigned int i;

	setup(NULL);
	close(mkstemp(file));
	add_snapshot_store(file);
	submit_all();
	hmp("savevm busy");
	collect(&got);
	expect_same(&got, want);

	memset(junk, 0x5a, sizeof(junk));
	for (i = 0; i < 3; i++) {
		qt_put(m->q, space.data + i % QUEUES * BYTES, junk, BYTES);
		hmp("loadvm busy");
		caught |= jobs_done() < QUEUES * JOBS;
		collect(&got);
		expect_same(&got, want);
	}
	unlink(file);
	teardown(NULL);
	return caught;
}

static void jobs_go_on_from_savevm_and_again_from_loadvm(void **state)
{
	until_caught(save_once_and_load_three_times);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_machine_has_a_device_that_stands_still),
		cmocka_unit_test(idle_device_is_migrated),
		cmocka_unit_test(jobs_under_way_are_migrated),
		cmocka_unit_test(vectors_raised_before_a_migration_are_not_lost),
		cmocka_unit_test(jobs_go_on_from_savevm_and_again_from_loadvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
