// SPDX-License-Identifier: MIT
/*
 * Suite scaling: that nothing grows faster than its work. The cost of one unit, beside that of the largest case: of a
 * job with 1 to 64 queues, of a page with 1 to 100,000 bindings, of a command in streams of 1 to 1,000,000.
 */
#include <stdlib.h>

#include "host.h"

#define PAGE		4096u
#define MAX_QUEUES	256u
#define JOBS_A_QUEUE	32u
#define MAX_BINDINGS	100000u
#define MAX_COMMANDS	1000000u

static void report(struct bench *b, const char *what, uint32_t n, double seconds)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%u", what, n);
	bench_report(b, &(struct bench_result){ .name = name, .metric = "unit cost", .unit = "ns",
						.value = seconds * 1e9 });
}

/* ---- Queues -------------------------------------------------------------------------- */

struct queues {
	struct bench_job job;
	uint32_t count;
};

static bool run_queues(void *arg)
{
	struct queues *s = arg;
	uint32_t last[MAX_QUEUES], q, i;
	struct quill_job_cpl cpl;

	for (i = 0; i < JOBS_A_QUEUE; i++)
		for (q = 0; q < s->count; q++)
			last[q] = qh_submit_stream(s->job.host, q, &s->job.stream);
	for (q = 0; q < s->count; q++)
		if (!qh_wait(s->job.host, q, last[q], QH_TIMEOUT_MS, &cpl) || cpl.status)
			return false;
	return true;
}

static bool queues(struct bench *b)
{
	struct queues s = { 0 };
	struct bench_side side = { .run = run_queues, .arg = &s };
	struct bench_times times;
	uint32_t as, q;
	bool ok = true;

	if (!bench_wants(b, "queues"))
		return true;
	s.job.host = bench_host_new(b, MAX_QUEUES, 16 << 20, &as);
	if (!s.job.host)
		return false;
	for (q = 1; q < MAX_QUEUES; q++)
		ok = ok && !qh_queue_create(s.job.host, q, as, QUILL_FW_PRIORITY_MEDIUM, 64);
	qh_stream_init(&s.job.stream, s.job.host, as, 1);
	qh_nop(&s.job.stream);
	for (s.count = 1; ok && s.count <= MAX_QUEUES; s.count *= 2) {
		ok = bench_turns(b, &side, 1, &times);
		if (ok)
			report(b, "queues", s.count, times.seconds[0] / (s.count * JOBS_A_QUEUE));
	}
	qh_destroy(s.job.host);
	return ok;
}

/* ---- Bindings ------------------------------------------------------------------------ */

/* Pages that are mapped one by one, the first bytes of each written in turn. */
static bool bindings(struct bench *b)
{
	struct bench_job job = { 0 };
	struct bench_side side = { .run = bench_job_run, .arg = &job };
	const uint64_t window = 0x200000000ull;
	struct bench_times times;
	uint32_t as, n, mapped = 0;
	union quill_cmd *cmd;
	uint64_t bus;
	bool ok = true;

	if (!bench_wants(b, "bindings"))
		return true;
	job.host = bench_host_new(b, 8, (size_t)MAX_BINDINGS * PAGE * 2, &as);
	if (!job.host)
		return false;
	/* every second page, so that no two make one run */
	bus = qh_ram_alloc(job.host, (size_t)MAX_BINDINGS * PAGE * 2, PAGE);
	qh_stream_init(&job.stream, job.host, as, 16);
	for (n = 1; ok && n <= MAX_BINDINGS; n *= 10) {
		for (; mapped < n; mapped++)
			qh_map(job.host, as, window + (uint64_t)mapped * PAGE,
			       bus + 2ull * mapped * PAGE, PAGE, QUILL_PTE_READ | QUILL_PTE_WRITE);
		job.stream.count = 0;
		cmd = qh_fill(&job.stream, window, 8, 1, 8);
		cmd->fill.height = n;
		cmd->fill.dst_stride = PAGE;
		ok = bench_turns(b, &side, 1, &times);
		if (ok)
			report(b, "bindings", n, times.seconds[0] / n);
	}
	qh_destroy(job.host);
	return ok;
}

/* ---- Streams ------------------------------------------------------------------------- */

static bool streams(struct bench *b)
{
	struct bench_job job = { 0 };
	struct bench_side side = { .run = bench_job_run, .arg = &job };
	struct bench_times times;
	uint32_t as, n;
	bool ok = true;

	if (!bench_wants(b, "commands"))
		return true;
	job.host = bench_host_new(b, 8, (size_t)MAX_COMMANDS * QUILL_CMD_SIZE, &as);
	if (!job.host)
		return false;
	qh_stream_init(&job.stream, job.host, as, MAX_COMMANDS);
	for (n = 1; ok && n <= MAX_COMMANDS; n *= 10) {
		while (job.stream.count < n)
			qh_nop(&job.stream);
		ok = bench_turns(b, &side, 1, &times);
		if (ok)
			report(b, "commands", n, times.seconds[0] / n);
	}
	qh_destroy(job.host);
	return ok;
}

static bool run(struct bench *b)
{
	bench_head(b, "cost of one job, one page, one command; few of them bear the way to the device and back");
	return queues(b) && bindings(b) && streams(b);
}

const struct bench_suite suite_scaling = {
	.name = "scaling",
	.what = "the cost of a job, a page, a command, by how many there are",
	.run = run,
};
