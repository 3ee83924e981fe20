// SPDX-License-Identifier: MIT
/*
 * Suite firmware: what the control processor and its program cost, and how long an urgent job waits.
 *
 * Latency is measured beside an endless job of low priority that keeps an engine busy with large GEMMs. What the
 * urgent job waits for is what runs when its doorbell rings; in device time that is one GEMM at most, and what of the
 * other job starts after the doorbell is to be nothing. The scheduler's books (struct lane) tell both.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"
#include "host.h"

#define NOPS		100000u
#define GEMMS		256u
#define GEMM_M		128u
#define GEMM_N		1024u
#define GEMM_K		1024u
#define URGENT		1u
#define BATCH		2u
/* The batch job is the first to begin, and never ends. */
#define BATCH_SLOT	0u
#define MAX_SAMPLES	2000u

/* ---- NOPs, and instructions ---------------------------------------------------- */

static uint64_t instructions(struct quill_host *h)
{
	uint64_t base = QUILL_REG_CORE(0), lo = qh_read(h, base + QUILL_CORE_INSN_LO);

	return (uint64_t)qh_read(h, base + QUILL_CORE_INSN_HI) << 32 | lo;
}

static bool nops(struct bench *b)
{
	struct bench_job job = { 0 };
	struct bench_side side = { .run = bench_job_run, .arg = &job, .work = NOPS };
	struct bench_times times;
	uint64_t before;
	uint32_t as, i;
	bool ok;

	if (!bench_wants(b, "nops"))
		return true;
	job.host = bench_host_new(b, 8, 64 << 20, &as);
	if (!job.host)
		return false;
	qh_stream_init(&job.stream, job.host, as, NOPS);
	for (i = 0; i < NOPS; i++)
		qh_nop(&job.stream);
	ok = bench_turns(b, &side, 1, &times);
	before = instructions(job.host);
	ok = ok && bench_job_run(&job);
	if (ok) {
		bench_report(b, &(struct bench_result){
			.name = "nops", .metric = "throughput", .unit = "M/s",
			.value = NOPS / times.seconds[0] / 1e6 });
		bench_report(b, &(struct bench_result){
			.name = "nops_instructions", .metric = "cost", .unit = "insn",
			.value = (double)(instructions(job.host) - before) / NOPS });
	}
	qh_destroy(job.host);
	return ok;
}

/* ---- The interpreter alone ------------------------------------------------------- */

#define LOOP_INSNS	7u
#define BUDGET		1000000u

static uint32_t no_read(void *opaque, uint32_t offset)
{
	return 0;
}

static void no_write(void *opaque, uint32_t offset, uint32_t value)
{
}

static bool interpret(void *cpu)
{
	return rv32_run(cpu, BUDGET) == RV32_BUDGET;
}

/* Loads, stores, arithmetic and a branch, some compressed, as a compiler mixes them. */
static bool interpreter(struct bench *b)
{
	static const uint32_t program[] = {
		0x10001537,	/* lui a0, 0x10001 */
		/* loop: */
		0x00052583,	/* lw a1, 0(a0) */
		0x00b60633,	/* add a2, a2, a1 */
		0x0015c593,	/* xori a1, a1, 1 */
		0x00b52023,	/* sw a1, 0(a0) */
		0x00068693,	/* mv a3, a3 */
		0x00d605b3,	/* add a1, a2, a3 */
		0xfe0004e3,	/* beq zero, zero, loop */
	};
	static const struct rv32_bus bus = { .read = no_read, .write = no_write };
	struct bench_side side = { .run = interpret, .work = BUDGET };
	struct bench_times times;
	struct rv32 *cpu;
	uint8_t *tcm;
	bool ok;

	if (!bench_wants(b, "rv32"))
		return true;
	tcm = bench_alloc(QUILL_RV_TCM_SIZE);
	memset(tcm, 0, QUILL_RV_TCM_SIZE);
	memcpy(tcm, program, sizeof(program));
	cpu = rv32_new(tcm, &bus, NULL);
	if (!cpu)
		return false;
	side.arg = cpu;
	ok = bench_turns(b, &side, 1, &times);
	if (ok)
		bench_report(b, &(struct bench_result){
			.name = "rv32", .metric = "throughput", .unit = "MIPS",
			.value = BUDGET / times.seconds[0] / 1e6 });
	rv32_free(cpu);
	free(tcm);
	return ok;
}

/* ---- What it costs in a GEMM ------------------------------------------------------- */

struct gemm_share {
	struct bench_job job;
	clockid_t processor;
	/* processor time: of the control processor's thread, and of all */
	double own, all;
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool run_share(void *arg)
{
	struct gemm_share *g = arg;
	double own = seconds(g->processor), all = seconds(CLOCK_PROCESS_CPUTIME_ID);
	bool ok = bench_job_run(&g->job);

	g->own += seconds(g->processor) - own;
	g->all += seconds(CLOCK_PROCESS_CPUTIME_ID) - all;
	return ok;
}

static void fill_gemms(struct bench_job *job, uint32_t as, uint32_t count)
{
	struct qh_buf *a = qh_alloc(job->host, as, GEMM_M * GEMM_K, QH_RW);
	struct qh_buf *w = qh_alloc(job->host, as, quill_packed_size(GEMM_N, GEMM_K), QH_RW);
	struct qh_buf *d = qh_alloc(job->host, as, GEMM_M * GEMM_N * 4, QH_RW);
	uint32_t i;

	for (i = 0; i < count; i++)
		qh_gemm(&job->stream, a->va, w->va, d->va, GEMM_M, GEMM_N, GEMM_K);
}

/*
 * The share of processor time that the control processor's thread takes, waiting awake included, in a job of nothing but
 * GEMMs; and the instructions for each.
 */
static bool gemm_share(struct bench *b)
{
	struct gemm_share g = { 0 };
	struct bench_side side = { .run = run_share, .arg = &g };
	struct bench_times times;
	uint64_t before;
	uint32_t as;
	bool ok;

	if (!bench_wants(b, "gemm_128x1024x1024"))
		return true;
	g.job.host = bench_host_new(b, 8, 64 << 20, &as);
	if (!g.job.host)
		return false;
	pthread_getcpuclockid(qh_emu(g.job.host)->core[0].thread, &g.processor);
	qh_stream_init(&g.job.stream, g.job.host, as, 2 * GEMMS);
	fill_gemms(&g.job, as, GEMMS);
	ok = bench_turns(b, &side, 1, &times);
	before = instructions(g.job.host);
	ok = ok && bench_job_run(&g.job);
	if (ok) {
		bench_report(b, &(struct bench_result){
			.name = "gemm_128x1024x1024", .metric = "share", .unit = "%",
			.value = 100 * g.own / g.all });
		bench_report(b, &(struct bench_result){
			.name = "gemm_instructions", .metric = "cost", .unit = "insn",
			.value = (double)(instructions(g.job.host) - before) / GEMMS });
	}
	qh_destroy(g.job.host);
	return ok;
}

/* ---- Latency of an urgent job --------------------------------------------------------- */

struct latency {
	struct quill_host *host;
	struct core *core;
	uint64_t urgent_cpl;
	/* set by the device's thread when the urgent job's command has retired */
	_Atomic uint64_t batch_served;
	_Atomic double retired_at;
	_Atomic bool armed;
};

/* Device time of the batch job's commands that have started on TENSOR; whether one runs. */
static uint64_t batch_served(struct core *core, bool *runs)
{
	uint64_t served;

	pthread_mutex_lock(&core->lock);
	served = core->slot[BATCH_SLOT].lane[QUILL_ENGINE_TENSOR].served;
	*runs = core->engine[QUILL_ENGINE_TENSOR].running &&
		core->engine[QUILL_ENGINE_TENSOR].slot == BATCH_SLOT;
	pthread_mutex_unlock(&core->lock);
	return served;
}

/* Before the firmware writes the urgent job's completion, nothing else is let in. */
static void hear(void *arg, const struct quill_event *e)
{
	struct latency *l = arg;
	bool runs;

	if (!atomic_load(&l->armed))
		return;
	if (e->type == QUILL_EVENT_RETIRE && e->arg[1] == QUILL_ENGINE_VECTOR)
		atomic_store(&l->retired_at, bench_now());
	if (e->type != QUILL_EVENT_STORE || e->arg[1] != QUILL_AS_HOST ||
	    e->arg[2] - l->urgent_cpl >= 64 * sizeof(struct quill_job_cpl))
		return;
	atomic_store(&l->batch_served, batch_served(l->core, &runs));
	atomic_store(&l->armed, false);
}

static struct quill_host *latency_host(struct bench *b, struct latency *l)
{
	const struct quill_host_config config = {
		.emu = { .kernels = b->kernels->name },
		.ram = 128u << 20,
		.event = hear,
		.event_arg = l,
	};

	return qh_create(&config);
}

struct samples {
	double after[MAX_SAMPLES];	/* cycles of the batch job that started after the doorbell */
	double waited[MAX_SAMPLES];	/* these, and all of what ran when it rang */
	double wall[MAX_SAMPLES];	/* us, doorbell to the first command's end */
};

static bool sample(struct latency *l, struct bench_job *urgent, uint64_t cycles, struct samples *s,
		   unsigned int i)
{
	uint64_t before;
	double start;
	bool runs, ok;

	before = batch_served(l->core, &runs);
	atomic_store(&l->armed, true);
	start = bench_now();
	ok = bench_job_run(urgent);
	s->after[i] = (double)(atomic_load(&l->batch_served) - before);
	s->waited[i] = s->after[i] + (runs ? (double)cycles : 0);
	s->wall[i] = (atomic_load(&l->retired_at) - start) * 1e6;
	return ok;
}

static void report_latency(struct bench *b, const char *name, double *values, unsigned int n,
			   const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_median", name);
	bench_report(b, &(struct bench_result){ .name = text, .metric = "latency", .unit = unit,
						.value = bench_percentile(values, n, 50) });
	snprintf(text, sizeof(text), "%s_p99", name);
	bench_report(b, &(struct bench_result){ .name = text, .metric = "latency", .unit = unit,
						.value = bench_percentile(values, n, 99) });
}

/* Device time of one of the batch's GEMMs. */
static uint64_t gemm_cycles(struct bench_job *batch)
{
	struct quill_job_cpl cpl;

	cpl = qh_run(batch->host, batch->queue, &batch->stream);
	return cpl.counters[QUILL_COUNTER_BUSY_TENSOR] / (batch->stream.count / 2);
}

static bool take_samples(struct bench *b, struct latency *l, struct bench_job *urgent,
			 struct bench_job *batch)
{
	unsigned int n = b->quick ? 200 : MAX_SAMPLES, i;
	struct samples *s = calloc(1, sizeof(*s));
	uint64_t cycles = gemm_cycles(batch), rnd = 1;
	struct quill_job_cpl cpl;
	uint32_t seq;
	bool ok = s;

	qh_jump(&batch->stream, 0);
	seq = qh_submit_stream(l->host, BATCH, &batch->stream);
	for (i = 0; i < n && ok; i++) {
		struct timespec pause = { 0, 200000 + bench_random(&rnd) % 1000000 };

		nanosleep(&pause, NULL);
		ok = sample(l, urgent, cycles, s, i);
	}
	qh_queue_kill(l->host, BATCH);
	ok = ok && qh_wait(l->host, BATCH, seq, QH_TIMEOUT_MS, &cpl);
	if (ok) {
		bench_report(b, &(struct bench_result){ .name = "urgent_batch_command",
			.metric = "size", .unit = "cycles", .value = (double)cycles });
		report_latency(b, "urgent_started_after", s->after, n, "cycles");
		report_latency(b, "urgent_waited_at_most", s->waited, n, "cycles");
		report_latency(b, "urgent_wall", s->wall, n, "us");
	}
	free(s);
	return ok;
}

static bool latency(struct bench *b)
{
	struct latency l = { 0 };
	struct bench_job urgent = { .queue = URGENT }, batch = { .queue = BATCH };
	struct qh_buf *buf;
	uint32_t as;
	bool ok;

	if (!bench_wants(b, "urgent"))
		return true;
	l.host = latency_host(b, &l);
	l.core = &qh_emu(l.host)->core[0];
	as = qh_as_create(l.host);
	urgent.host = batch.host = l.host;
	if (qh_queue_create(l.host, URGENT, as, QUILL_FW_PRIORITY_HIGH, 64) ||
	    qh_queue_create(l.host, BATCH, as, QUILL_FW_PRIORITY_LOW, 64))
		return false;
	l.urgent_cpl = qh_queue_cpl(l.host, URGENT);
	buf = qh_alloc(l.host, as, 8192, QH_RW);
	qh_stream_init(&urgent.stream, l.host, as, 4);
	qh_softmax(&urgent.stream, buf->va, buf->va + 4096, 1, 64, 1.0f);
	qh_stream_init(&batch.stream, l.host, as, 64);
	fill_gemms(&batch, as, 16);
	ok = take_samples(b, &l, &urgent, &batch);
	qh_destroy(l.host);
	return ok;
}

static bool run(struct bench *b)
{
	bench_head(b, "commands through the firmware, the interpreter, and an urgent job's wait beside a batch job");
	return nops(b) && interpreter(b) && gemm_share(b) && latency(b);
}

const struct bench_suite suite_firmware = {
	.name = "firmware",
	.what = "NOPs a second, RV32 instructions, share in a GEMM, latency of an urgent job",
	.run = run,
};
