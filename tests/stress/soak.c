// SPDX-License-Identifier: GPL-2.0-only
/*
 * soak: processes that work without end, while everything happens to them that can.
 *
 * Workers open the device, run jobs of which each result is known, and compare bit by bit what was reported as good; some
 * jobs are wrong or endless on purpose. The parent kills workers in the middle of it, has the cores restarted and the device
 * reset, removes and rescans it, suspends the machine and takes its memory. At the end nothing may be left: no queue, no address
 * space, no reference on the module, no memory. Where --hotplug is given, who started the machine pulls the device on the line
 * "unplug" and puts it back on "plug".
 */
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "quill_test.h"

#define MAX_WORKERS	64
#define DEVICE		"/sys/bus/pci/devices/0000:01:00.0"
#define DATA		(4 * PAGE)
/* What may differ in MemAvailable from the beginning to the end, in KiB: caches of the kernel's. */
#define SLACK_KIB	(24 * 1024)

/* What all have done: shared by the processes. */
struct figures {
	atomic_ulong good, failed, wrong, bad_inputs, timeouts, opens;
	atomic_bool stop;
};

static struct figures *sum;
static unsigned int workers = 16;
static bool hotplug;

static uint32_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

/* ---- A worker's jobs: 0, or the error that the job or a call ended with ---------------- */

static int judge(int ret, bool right)
{
	if (ret) {
		atomic_fetch_add(&sum->failed, 1);
	} else if (right) {
		atomic_fetch_add(&sum->good, 1);
	} else {
		atomic_fetch_add(&sum->wrong, 1);
		printf("# wrong result in process %d\n", getpid());
	}
	return ret;
}

static int fill_job(struct q_context *ctx, uint64_t *state)
{
	uint32_t value = draw(state), *data = (uint32_t *)(ctx->ptr + PAGE), i;
	union quill_cmd cmd = q_fill(q_data(ctx), value, DATA);
	int ret = q_run_wait(ctx, &cmd, 1);
	bool right = true;

	for (i = 0; !ret && i < DATA / 4; i++)
		right &= data[i] == value;
	return judge(ret, right);
}

static int copy_job(struct q_context *ctx, uint64_t *state)
{
	uint32_t *from = (uint32_t *)(ctx->ptr + PAGE), i;
	union quill_cmd cmd = q_copy(q_data(ctx) + DATA, q_data(ctx), DATA);
	int ret;

	for (i = 0; i < DATA / 4; i++)
		from[i] = draw(state);
	ret = q_run_wait(ctx, &cmd, 1);
	return judge(ret, ret || !memcmp(from, from + DATA / 4, DATA));
}

static int gemm_job(struct q_context *ctx, uint64_t *state)
{
	enum { M = 4, N = 64, K = 48 };
	union quill_cmd cmds[2] = { q_cmd(QUILL_OP_GEMM), q_cmd(QUILL_OP_EXT) };
	int8_t *a = (int8_t *)ctx->ptr + PAGE, b[K][N];
	int32_t *d = (int32_t *)(ctx->ptr + 4 * PAGE), want;
	uint8_t *packed = ctx->ptr + 2 * PAGE;
	uint32_t i, j, k;
	bool right = true;
	int ret;

	for (i = 0; i < M * K; i++)
		a[i] = draw(state);
	for (k = 0; k < K; k++)
		for (j = 0; j < N; j++) {
			b[k][j] = draw(state);
			packed[quill_packed_offset(j, k, K)] = (uint8_t)b[k][j] ^ 0x80;
		}
	cmds[0].hdr.type_a = QUILL_TYPE_S8;
	cmds[0].hdr.type_b = QUILL_TYPE_S8;
	cmds[0].hdr.type_d = QUILL_TYPE_S32;
	cmds[0].hdr.ext = 1;
	cmds[0].gemm.a = ctx->va + PAGE;
	cmds[0].gemm.b = ctx->va + 2 * PAGE;
	cmds[0].gemm.d = ctx->va + 4 * PAGE;
	cmds[0].gemm.m = M;
	cmds[0].gemm.n = N;
	cmds[0].gemm.k = K;
	cmds[0].gemm.lda = K;
	cmds[0].gemm.ldd = N;
	ret = q_run_wait(ctx, cmds, 2);
	for (i = 0; !ret && i < M; i++)
		for (j = 0; j < N; j++) {
			for (want = 0, k = 0; k < K; k++)
				want += a[i * K + k] * b[k][j];
			right &= d[i * N + j] == want;
		}
	return judge(ret, right);
}

/* A copy that waits, on another queue, for a fill. */
static int chain_job(struct q_context *ctx, uint64_t *state)
{
	union quill_cmd fill, copy;
	struct drm_quill_sync syncs[2] = {};
	uint32_t value = draw(state), other, i, *to = (uint32_t *)(ctx->ptr + PAGE + DATA);
	bool right = true;
	int ret;

	fill = q_fill(q_data(ctx), value, DATA);
	copy = q_copy(q_data(ctx) + DATA, q_data(ctx), DATA);
	memcpy(ctx->ptr, &fill, sizeof(fill));
	memcpy(ctx->ptr + 64, &copy, sizeof(copy));
	ret = q_queue_create(ctx->fd, ctx->vm, 0, &other);
	if (ret)
		return ret == -ENOSPC ? 0 : ret;
	ret = q_submit(ctx->fd, ctx->queue, ctx->va, 64, &syncs[0].handle);
	if (!ret)
		ret = q_syncobj(ctx->fd, &syncs[1].handle);
	syncs[1].flags = DRM_QUILL_SYNC_SIGNAL;
	if (!ret)
		ret = q_submit_syncs(ctx->fd, other, ctx->va + 64, 64, syncs, 2);
	if (!ret)
		ret = q_finish(ctx->fd, syncs[1].handle);
	/* the copy runs, well, behind a fill that failed */
	if (!ret)
		ret = q_finish(ctx->fd, syncs[0].handle);
	for (i = 0; !ret && i < DATA / 4; i++)
		right &= to[i] == value;
	q_queue_destroy(ctx->fd, other);
	return judge(ret, right);
}

/* Bytes that mean nothing: an error, or nothing that shows. */
static int bad_job(struct q_context *ctx, uint64_t *state)
{
	union quill_cmd cmds[4];
	size_t i;

	for (i = 0; i < sizeof(cmds); i++)
		((uint8_t *)cmds)[i] = draw(state);
	q_run_wait(ctx, cmds, 4);
	atomic_fetch_add(&sum->bad_inputs, 1);
	return 0;
}

static int endless_job(struct q_context *ctx, uint64_t *state)
{
	union quill_cmd cmd = q_endless();
	uint32_t queue, sync;
	int ret;

	memcpy(ctx->ptr, &cmd, sizeof(cmd));
	ret = q_queue_create(ctx->fd, ctx->vm, 50 + draw(state) % 200, &queue);
	if (ret)
		return ret == -ENOSPC ? 0 : ret;
	ret = q_submit(ctx->fd, queue, ctx->va, 64, &sync);
	if (!ret && q_finish(ctx->fd, sync) == 0) {
		atomic_fetch_add(&sum->wrong, 1);
		printf("# an endless job ended well\n");
	}
	atomic_fetch_add(&sum->timeouts, 1);
	q_queue_destroy(ctx->fd, queue);
	return 0;
}

static int bind_job(struct q_context *ctx, uint64_t *state)
{
	uint64_t va = BASE_VA + 0x10000000 + draw(state) % 16 * PAGE;
	int ret = q_map(ctx->fd, ctx->vm, ctx->bo, 0, va, Q_BUF_SIZE, 0);

	if (!ret)
		ret = q_unmap(ctx->fd, ctx->vm, va + PAGE, Q_BUF_SIZE / 2);
	if (!ret)
		ret = q_unmap(ctx->fd, ctx->vm, va, Q_BUF_SIZE);
	return ret;
}

/* An object of device memory: filled there, and read back into the context's. */
static int device_job(struct q_context *ctx, uint64_t *state)
{
	uint64_t va = BASE_VA + 0x20000000, size = (16 + draw(state) % 512) * PAGE;
	struct drm_quill_bo_create create = { .size = size, .flags = DRM_QUILL_BO_DEVICE };
	uint32_t value = draw(state), *data = (uint32_t *)(ctx->ptr + PAGE), i;
	union quill_cmd cmds[] = {
		q_fill(va + size - DATA, value, DATA),
		q_cmd(QUILL_OP_FENCE),
		q_copy(q_data(ctx), va + size - DATA, DATA),
	};
	int ret = q_ioctl(ctx->fd, DRM_IOCTL_QUILL_BO_CREATE, &create);
	bool right = true;

	if (ret)
		return ret == -ENOSPC ? 0 : ret;
	ret = q_map(ctx->fd, ctx->vm, create.handle, 0, va, size, 0);
	q_bo_close(ctx->fd, create.handle);
	if (ret)
		return ret;
	ret = q_run_wait(ctx, cmds, ARRAY_SIZE(cmds));
	for (i = 0; !ret && i < DATA / 4; i++)
		right &= data[i] == value;
	q_unmap(ctx->fd, ctx->vm, va, size);
	return judge(ret, right);
}

/* A fill of what is bound when a job has ended and unbound when the fill has: nobody waits between. */
static int async_job(struct q_context *ctx, uint64_t *state)
{
	uint64_t va = BASE_VA + 0x40000000 + draw(state) % 16 * PAGE;
	struct drm_quill_bind_op op = {
		.op = DRM_QUILL_BIND_MAP, .handle = ctx->bo, .bo_offset = PAGE, .va = va, .size = DATA,
	};
	uint32_t value = draw(state), *data = (uint32_t *)(ctx->ptr + PAGE), i;
	union quill_cmd nop = q_cmd(QUILL_OP_NOP), fill = q_fill(va, value, DATA);
	struct drm_quill_sync syncs[2] = {};
	bool right = true;
	int ret;

	memcpy(ctx->ptr, &nop, sizeof(nop));
	memcpy(ctx->ptr + 64, &fill, sizeof(fill));
	ret = q_submit(ctx->fd, ctx->queue, ctx->va, 64, &syncs[0].handle);
	if (!ret)
		ret = q_syncobj(ctx->fd, &syncs[1].handle);
	syncs[1].flags = DRM_QUILL_SYNC_SIGNAL;
	if (!ret)
		ret = q_bind_async(ctx->fd, ctx->vm, &op, 1, syncs, 2);
	syncs[0].handle = syncs[1].handle;
	if (!ret)
		ret = q_submit_syncs(ctx->fd, ctx->queue, ctx->va + 64, 64, syncs, 2);
	op = (struct drm_quill_bind_op) { .op = DRM_QUILL_BIND_UNMAP, .va = va, .size = DATA };
	if (!ret)
		ret = q_bind_async(ctx->fd, ctx->vm, &op, 1, syncs, 1);
	if (!ret)
		ret = q_finish(ctx->fd, syncs[1].handle);
	for (i = 0; !ret && i < DATA / 4; i++)
		right &= data[i] == value;
	/* or the next would find the range in use */
	if (!ret)
		ret = q_unmap(ctx->fd, ctx->vm, va, DATA);
	return judge(ret, right);
}

static void work(unsigned int number)
{
	uint64_t state = (uint64_t)getpid() * 0x9e3779b97f4a7c15ull + number;
	struct q_context ctx;
	unsigned int i;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!atomic_load(&sum->stop)) {
		/* unplugged, or all queues in use */
		if (q_context_init(&ctx, 0)) {
			q_context_fini(&ctx);
			usleep(20000);
			continue;
		}
		atomic_fetch_add(&sum->opens, 1);
		for (i = 0, ret = 0; !ret && i < 200 && !atomic_load(&sum->stop); i++) {
			switch (draw(&state) % 32) {
			case 0: ret = endless_job(&ctx, &state); break;
			case 1 ... 3: ret = bad_job(&ctx, &state); break;
			case 4 ... 5: ret = bind_job(&ctx, &state); break;
			case 6: ret = async_job(&ctx, &state); break;
			case 7 ... 9: ret = chain_job(&ctx, &state); break;
			case 10 ... 15: ret = gemm_job(&ctx, &state); break;
			case 16 ... 17: ret = device_job(&ctx, &state); break;
			case 18 ... 23: ret = copy_job(&ctx, &state); break;
			default: ret = fill_job(&ctx, &state); break;
			}
		}
		q_context_fini(&ctx);
	}
	_exit(0);
}

/* ---- What the parent does to them --------------------------------------------------------- */

static pid_t pids[MAX_WORKERS];

static bool start_worker(unsigned int i)
{
	fflush(stdout);
	pids[i] = fork();
	if (!pids[i])
		work(i);
	return pids[i] > 0;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool is_there(void)
{
	return !access("/dev/accel/accel0", F_OK);
}

static void wait_until(bool there)
{
	unsigned int i;

	for (i = 0; i < 600 && is_there() != there; i++)
		usleep(50000);
}

static bool do_kill(uint64_t *state)
{
	unsigned int i = draw(state) % workers;

	kill(pids[i], SIGKILL);
	waitpid(pids[i], NULL, 0);
	return start_worker(i);
}

static bool do_restart(uint64_t *state)
{
	return write_file("/sys/kernel/debug/accel/0000:01:00.0/recover", draw(state) % 2 ? "cores" : "device");
}

static bool do_flr(uint64_t *state)
{
	return write_file(DEVICE "/reset", "1");
}

static bool do_remove(uint64_t *state)
{
	bool ok = write_file(DEVICE "/remove", "1");

	usleep(draw(state) % 300000);
	write_file("/sys/bus/pci/rescan", "1");
	wait_until(true);
	return ok;
}

static bool do_unplug(uint64_t *state)
{
	unsigned int i;

	if (!hotplug)
		return do_remove(state);
	puts("unplug");
	fflush(stdout);
	wait_until(false);
	/* the port has to have let go of the old one */
	for (i = 0; i < 30 && !is_there(); i++) {
		sleep(1);
		puts("plug");
		fflush(stdout);
		sleep(1);
	}
	return is_there();
}

static bool do_suspend(uint64_t *state)
{
	write_file("/sys/module/suspend/parameters/pm_test_delay", "0");
	return write_file("/sys/power/pm_test", "devices") && write_file("/sys/power/state", "mem");
}

static long available_kib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* Nearly all that is free, for a second. */
static bool do_pressure(uint64_t *state)
{
	size_t size = (size_t)(available_kib() - 64 * 1024) * 1024;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		write_file("/proc/self/oom_score_adj", "1000");
		sleep(p == MAP_FAILED ? 0 : 1);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid;
}

static struct event {
	const char *name;
	bool (*run)(uint64_t *state);
	unsigned int weight;
	unsigned long done, refused;
} events[] = {
	{ "kills", do_kill, 24, 0, 0 },		{ "restarts", do_restart, 6, 0, 0 },
	{ "function_resets", do_flr, 2, 0, 0 },	{ "unplugs", do_unplug, 2, 0, 0 },
	{ "removals", do_remove, 1, 0, 0 },	{ "suspends", do_suspend, 1, 0, 0 },
	{ "pressures", do_pressure, 2, 0, 0 },
};

static void one_event(uint64_t *state)
{
	unsigned int total = 0, at, i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		total += events[i].weight;
	at = draw(state) % total;
	for (i = 0; at >= events[i].weight; i++)
		at -= events[i].weight;
	if (events[i].run(state))
		events[i].done++;
	else
		events[i].refused++;
}

/* ---- The end ------------------------------------------------------------------------------ */

static void stop_workers(void)
{
	unsigned int i;

	atomic_store(&sum->stop, true);
	for (i = 0; i < workers; i++)
		waitpid(pids[i], NULL, 0);
}

/* Lines of a debugfs file that begin with @word. */
static int lines(const char *name, const char *word)
{
	char path[128], line[512];
	int count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/accel/0000:01:00.0/%s", name);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		count += !strncmp(line, word, strlen(word));
	fclose(f);
	return count;
}

static bool nothing_is_left(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		if (!lines("queues", "queue ") && !lines("vms", "as "))
			return true;
		usleep(100000);
	}
	printf("# %d queues and %d address spaces are left\n", lines("queues", "queue "), lines("vms", "as "));
	return false;
}

static bool unloads(void)
{
	return !system("rmmod quill") && !system("insmod /lib/modules/quill.ko") && (wait_until(true), is_there());
}

static bool memory_is_back(long before)
{
	long now = 0;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		write_file("/proc/sys/vm/drop_caches", "3");
		now = available_kib();
		if (now >= before - SLACK_KIB)
			return true;
		usleep(200000);
	}
	printf("# %ld KiB are available, %ld KiB were\n", now, before);
	return false;
}

static int result(int number, bool ok, const char *what)
{
	printf("%sok %d %s\n", ok ? "" : "not ", number, what);
	fflush(stdout);
	return !ok;
}

static void print_figures(double minutes)
{
	unsigned int i;

	printf("# minutes %.1f, processes %u, opens %lu, jobs_good %lu, jobs_failed %lu, wrong %lu, bad_inputs %lu, timeouts %lu",
	       minutes, workers, sum->opens, sum->good, sum->failed, sum->wrong, sum->bad_inputs, sum->timeouts);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		printf(", %s %lu", events[i].name, events[i].done);
		if (events[i].refused)
			printf(" (refused %lu)", events[i].refused);
	}
	putchar('\n');
}

static bool soak(uint64_t seed, double minutes)
{
	int64_t end = q_deadline(minutes * 60 * SECOND);
	uint64_t state = seed;
	unsigned int i;

	for (i = 0; i < workers; i++)
		if (!start_worker(i))
			return false;
	while (q_deadline(0) < end) {
		usleep(draw(&state) % 500000);
		one_event(&state);
	}
	stop_workers();
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "minutes", required_argument, NULL, 'm' }, { "seed", required_argument, NULL, 's' },
		{ "processes", required_argument, NULL, 'p' }, { "hotplug", no_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' }, { 0 },
	};
	static const char usage[] = "usage: soak [--minutes N] [--seed N] [--processes 1..64] [--hotplug]\n";
	uint64_t seed = 1;
	double minutes = 0.5;
	int opt, bad = 0;
	long before;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'm': minutes = strtod(optarg, NULL); break;
		case 's': seed = strtoull(optarg, NULL, 0); break;
		case 'p': workers = strtoul(optarg, NULL, 0); break;
		case 'u': hotplug = true; break;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (minutes <= 0 || !workers || workers > MAX_WORKERS || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	sum = mmap(NULL, sizeof(*sum), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sum == MAP_FAILED)
		return 1;
	printf("TAP version 13\n1..5\n# seed %llu\n", (unsigned long long)seed);
	unloads();
	write_file("/proc/sys/vm/drop_caches", "3");
	before = available_kib();
	bad |= result(1, soak(seed, minutes) && sum->good, "jobs_run_through_kills_resets_unplugs_suspends_and_pressure");
	print_figures(minutes);
	bad |= result(2, !sum->wrong, "every_result_that_was_reported_good_is_exact");
	bad |= result(3, nothing_is_left(), "no_queue_and_no_address_space_is_left");
	bad |= result(4, unloads(), "nobody_holds_the_module");
	bad |= result(5, memory_is_back(before), "memory_is_back");
	return bad;
}
