// SPDX-License-Identifier: MIT
/*
 * A doorbell's thread that runs the control processor itself (quill_emu_config.lend): when it does, when it stops, and
 * that the processor's own thread, timers, pauses and resets do not mind.
 */
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

#define NOPS	1000000u

static pthread_t main_thread;
static atomic_uint stores_here, stores_elsewhere;

/* Completion records, heartbeats are none: the firmware's stores into the host's memory. */
static void hear(void *arg, const struct quill_event *e)
{
	if (e->type == QUILL_EVENT_STORE && e->arg[1] == QUILL_AS_HOST)
		atomic_fetch_add(pthread_equal(pthread_self(), main_thread) ? &stores_here : &stores_elsewhere, 1);
}

static struct quill_host *make(bool lend, uint32_t nops, struct qh_stream *s)
{
	const struct quill_host_config config = { .emu.lend = lend, .emu.threads = 2, .event = hear };
	struct quill_host *h = qh_create(&config);
	uint32_t as = qh_as_create(h), i;

	main_thread = pthread_self();
	assert_int_equal(qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16), 0);
	qh_stream_init(s, h, as, nops);
	for (i = 0; i < nops; i++)
		qh_nop(s);
	return h;
}

/* The thread may be awake for its heartbeat just then; so a few tries. */
static bool is_run_here(struct quill_host *h, const struct qh_stream *s)
{
	struct quill_job_cpl cpl;
	unsigned int i, here;
	uint32_t seq;

	for (i = 0; i < 50; i++) {
		usleep(2000);
		here = atomic_load(&stores_here);
		seq = qh_submit_stream(h, 0, s);
		/* the record is there when the doorbell has been written */
		if (atomic_load(&stores_here) != here) {
			assert_true(qh_wait(h, 0, seq, 0, &cpl));
			assert_int_equal(cpl.status, 0);
			return true;
		}
		assert_true(qh_wait(h, 0, seq, QH_TIMEOUT_MS, &cpl));
	}
	return false;
}

static void an_empty_job_is_run_by_its_doorbells_thread(void **state)
{
	struct qh_stream s;
	struct quill_host *h = make(true, 1, &s);

	assert_true(is_run_here(h, &s));
	qh_destroy(h);
}

static void without_leave_no_doorbells_thread_runs_anything(void **state)
{
	struct qh_stream s;
	struct quill_host *h = make(false, 1, &s);

	assert_false(is_run_here(h, &s));
	assert_int_equal(atomic_load(&stores_here), 0);
	qh_destroy(h);
}

static void a_long_job_goes_on_in_the_processors_own_thread(void **state)
{
	struct qh_stream s;
	struct quill_host *h = make(true, NOPS, &s);
	unsigned int i, elsewhere = 0;
	struct quill_job_cpl cpl;
	uint32_t seq;

	for (i = 0; i < 3; i++) {
		usleep(2000);
		elsewhere = atomic_load(&stores_elsewhere);
		seq = qh_submit_stream(h, 0, &s);
		assert_true(qh_wait(h, 0, seq, QH_TIMEOUT_MS, &cpl));
		assert_int_equal(cpl.status, 0);
		assert_int_equal(cpl.counters[QUILL_COUNTER_COMMANDS], NOPS);
		assert_true(atomic_load(&stores_elsewhere) > elsewhere);
	}
	qh_destroy(h);
}

/* How often the engines' threads were woken: Linux counts how often each has gone to sleep. */
static unsigned long engine_sleeps(void)
{
	char path[64], line[128], name[32];
	unsigned long sum = 0, n;
	struct dirent *task;
	DIR *dir = opendir("/proc/self/task");
	bool engine = false;
	FILE *f;

	while (dir && (task = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", task->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			if (sscanf(line, "Name: %31s", name) == 1)
				engine = !strncmp(name, "quill-c0e", 9);
			if (engine && sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
				sum += n;
		}
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static void an_empty_job_wakes_no_engine(void **state)
{
	struct qh_stream s;
	struct quill_host *h = make(true, 1, &s);
	unsigned long before;
	unsigned int i;

	assert_true(is_run_here(h, &s));
	usleep(2000);
	before = engine_sleeps();
	assert_in_range(before, 3, ULONG_MAX);
	for (i = 0; i < 100; i++)
		assert_int_equal(qh_run(h, 0, &s).status, 0);
	usleep(2000);
	assert_int_equal(engine_sleeps(), before);
	qh_destroy(h);
}

static void heartbeat_goes_on_behind_lent_jobs(void **state)
{
	struct qh_stream s;
	struct quill_host *h = make(true, 1, &s);
	uint32_t before;

	assert_true(is_run_here(h, &s));
	before = qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_HEARTBEAT);
	usleep(100000);
	assert_int_not_equal(qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_HEARTBEAT), before);
	qh_destroy(h);
}

static void *pause_and_resume(void *arg)
{
	struct quill_host *h = arg;
	unsigned int i;

	for (i = 0; i < 300; i++) {
		quill_emu_pause(qh_emu(h));
		usleep(i % 7 * 30);
		quill_emu_resume(qh_emu(h));
		usleep(i % 5 * 200);
	}
	return NULL;
}

static void pauses_lose_no_lent_job(void **state)
{
	struct qh_stream s;
	struct quill_host *h = make(true, 3, &s);
	struct quill_job_cpl cpl;
	pthread_t other;
	unsigned int i;
	uint32_t seq;

	assert_int_equal(pthread_create(&other, NULL, pause_and_resume, h), 0);
	for (i = 0; i < 1000; i++) {
		seq = qh_submit_stream(h, 0, &s);
		assert_true(qh_wait(h, 0, seq, QH_TIMEOUT_MS, &cpl));
		assert_int_equal(cpl.status, 0);
		if (i % 3)
			usleep(i % 3 * 100);
	}
	pthread_join(other, NULL);
	qh_destroy(h);
}

static void *reset_now_and_then(void *arg)
{
	struct quill_host *h = arg;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		usleep(500);
		quill_emu_reset(qh_emu(h));
	}
	return NULL;
}

static void resets_while_a_processor_is_lent_leave_nothing_behind(void **state)
{
	struct qh_stream s;
	struct quill_host *h = make(true, 3, &s);
	pthread_t other;
	unsigned int i;

	assert_int_equal(pthread_create(&other, NULL, reset_now_and_then, h), 0);
	for (i = 0; i < 3000; i++)
		qh_doorbell(h, 0, i);
	pthread_join(other, NULL);
	assert_int_equal(qh_read(h, QUILL_REG_CORE(0) + QUILL_CORE_STATUS), QUILL_CORE_OFF);
	assert_int_equal(qh_dma_maps(h), 0);
	qh_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* first: counts from zero */
		cmocka_unit_test(without_leave_no_doorbells_thread_runs_anything),
		cmocka_unit_test(an_empty_job_is_run_by_its_doorbells_thread),
		cmocka_unit_test(a_long_job_goes_on_in_the_processors_own_thread),
		cmocka_unit_test(an_empty_job_wakes_no_engine),
		cmocka_unit_test(heartbeat_goes_on_behind_lent_jobs),
		cmocka_unit_test(pauses_lose_no_lent_job),
		cmocka_unit_test(resets_while_a_processor_is_lent_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
