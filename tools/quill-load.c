/* SPDX-License-Identifier: MIT */
/*
 * quill-load: what the whole stack does under load, in the VM. Suites of `make bench`:
 *
 * vm_throughput	jobs a second with 32 under way, next to 4 KiB reads of an NVMe disk with as many
 * vm_gemm		a GEMM of 2048^3, for tools/bench to put beside the native harness's
 * vm_scaling		what a bind, an unbind and a job cost, by how many there are
 *
 * Compared are neighbours in time, and medians of such turns.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <accel.h>

#define ROUNDS		9
#define DEPTH		32
#define READ_SIZE	4096
#define ROUND_JOBS	1000
#define GEMM_SIDE	2048
#define MAX_FILES	64
#define FILE_QUEUES	4
#define PAGE		4096

static bool json;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "quill-load: %s: %s\n", what, why);
	return 1;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *x, unsigned int n)
{
	qsort(x, n, sizeof(*x), by_value);
	return x[n / 2];
}

/* @peer: NULL: none. @ratio above 1: the device is better. */
static void report(const char *suite, const char *name, const char *metric, double value,
		   const char *unit, const char *peer, double peer_value, double ratio)
{
	if (!json) {
		printf("%-13s %-22s %12.4g %-6s", suite, name, value, unit);
		if (peer)
			printf(" %s %.4g, ratio %.2f", peer, peer_value, ratio);
		putchar('\n');
		return;
	}
	printf("{\"suite\":\"%s\",\"case\":\"%s\",\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"",
	       suite, name, metric, value, unit);
	if (peer)
		printf(",\"peer\":\"%s\",\"peer_value\":%.6g,\"ratio\":%.4f}\n", peer, peer_value, ratio);
	else
		printf(",\"peer\":null,\"peer_value\":null,\"ratio\":null}\n");
	fflush(stdout);
}

/* ---- A file with queues, each with a stream of one NOP --------------------------------- */

struct client {
	struct accel_device *dev;
	struct accel_vm *vm;
	struct accel_stream *nop;
	unsigned int queues;
	struct accel_queue *queue[FILE_QUEUES];
	uint64_t point[FILE_QUEUES];
};

static int client_open(struct client *c, const char *path, unsigned int queues)
{
	char err[ACCEL_ERROR_MAX];
	int ret;

	memset(c, 0, sizeof(*c));
	if (accel_device_open(path, &c->dev, err, sizeof(err)))
		return fail("open", err);
	ret = accel_vm_create(c->dev, &c->vm);
	if (!ret)
		ret = accel_stream_create(c->vm, 1, &c->nop);
	if (!ret)
		ret = accel_cmd_nop(c->nop, NULL);
	for (; !ret && c->queues < queues; c->queues++)
		ret = accel_queue_create(c->vm, NULL, &c->queue[c->queues]);
	return ret ? fail("set up", accel_last_error(c->dev)) : 0;
}

static void client_close(struct client *c)
{
	if (!c->dev)
		return;
	while (c->queues)
		accel_queue_destroy(c->queue[--c->queues]);
	if (c->nop)
		accel_stream_destroy(c->nop);
	if (c->vm)
		accel_vm_destroy(c->vm);
	accel_device_close(c->dev);
	c->dev = NULL;
}

/* ---- vm_throughput ------------------------------------------------------------------------ */

static int run_jobs(struct client *c, double *per_second)
{
	double start = now();
	uint64_t point = 0;
	unsigned int i;

	for (i = 0; i < ROUND_JOBS; i++) {
		if (accel_queue_submit(c->queue[0], c->nop, NULL, 0, &point))
			return fail("submit", accel_last_error(c->dev));
		if (point > DEPTH && i >= DEPTH &&
		    accel_queue_wait(c->queue[0], point - DEPTH, ACCEL_WAIT_FOREVER))
			return fail("wait", accel_last_error(c->dev));
	}
	if (accel_queue_wait(c->queue[0], point, ACCEL_WAIT_FOREVER))
		return fail("wait", accel_last_error(c->dev));
	*per_second = ROUND_JOBS / (now() - start);
	return 0;
}

struct disk {
	int fd;
	off_t blocks;
	aio_context_t aio;
	struct iocb iocb[DEPTH];
	void *memory;
};

static int disk_open(struct disk *d, const char *path)
{
	off_t size;

	memset(d, 0, sizeof(*d));
	d->fd = open(path, O_RDONLY | O_DIRECT);
	if (d->fd < 0)
		return fail(path, strerror(errno));
	size = lseek(d->fd, 0, SEEK_END);
	if (size < READ_SIZE)
		return fail(path, "holds less than one block of 4096 bytes");
	d->blocks = size / READ_SIZE;
	if (posix_memalign(&d->memory, READ_SIZE, DEPTH * READ_SIZE))
		return fail("memory", strerror(ENOMEM));
	return syscall(SYS_io_setup, DEPTH, &d->aio) ? fail("io_setup", strerror(errno)) : 0;
}

static int disk_submit(struct disk *d, unsigned int slot, unsigned int number)
{
	struct iocb *cb = &d->iocb[slot];

	*cb = (struct iocb){
		.aio_data = slot, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (uint32_t)d->fd,
		.aio_buf = (uintptr_t)d->memory + slot * READ_SIZE, .aio_nbytes = READ_SIZE,
		.aio_offset = (off_t)number * 7919 % d->blocks * READ_SIZE,
	};
	return syscall(SYS_io_submit, d->aio, 1, &cb) == 1 ? 0 : fail("io_submit", strerror(errno));
}

static int run_reads(struct disk *d, double *per_second)
{
	unsigned int sent, done = 0;
	struct io_event event[DEPTH];
	double start = now();
	long n, i;

	for (sent = 0; sent < DEPTH; sent++)
		if (disk_submit(d, sent, sent))
			return 1;
	while (done < ROUND_JOBS) {
		n = syscall(SYS_io_getevents, d->aio, 1, DEPTH, event, NULL);
		if (n < 1)
			return fail("io_getevents", strerror(errno));
		for (i = 0; i < n; i++) {
			if (event[i].res != READ_SIZE)
				return fail("read", "short");
			done++;
			if (sent < ROUND_JOBS && disk_submit(d, event[i].data, sent++))
				return 1;
		}
	}
	*per_second = ROUND_JOBS / (now() - start);
	return 0;
}

static int throughput(const char *device, const char *nvme)
{
	double jobs[ROUNDS], reads[ROUNDS], ratio[ROUNDS];
	struct disk d = { .fd = -1 };
	struct client c;
	unsigned int i;
	int ret;

	ret = client_open(&c, device, 1) || (nvme && disk_open(&d, nvme));
	for (i = 0; !ret && i < ROUNDS; i++) {
		ret = run_jobs(&c, &jobs[i]) || (nvme && run_reads(&d, &reads[i]));
		if (!ret && nvme)
			ratio[i] = jobs[i] / reads[i];
	}
	if (!ret)
		report("vm_throughput", "jobs_depth_32", "rate", median(jobs, ROUNDS), "1/s",
		       nvme ? "nvme_4k_reads" : NULL, nvme ? median(reads, ROUNDS) : 0,
		       nvme ? median(ratio, ROUNDS) : 0);
	if (d.aio)
		syscall(SYS_io_destroy, d.aio);
	if (d.fd >= 0)
		close(d.fd);
	free(d.memory);
	client_close(&c);
	return ret;
}

/* ---- vm_gemm -------------------------------------------------------------------------------- */

/* As the native suite's: int8 in and out, a multiplier a column. */
static int gemm_stream(struct client *c, struct accel_stream **s)
{
	size_t side = GEMM_SIDE, packed = accel_packed_size(GEMM_SIDE, GEMM_SIDE);
	struct accel_buffer a, b, d, requant;
	struct accel_gemm gemm;
	uint32_t i;
	int ret;

	ret = accel_buffer_create(c->vm, side * side, &a);
	if (!ret)
		ret = accel_buffer_create(c->vm, packed, &b);
	if (!ret)
		ret = accel_buffer_create(c->vm, side * side, &d);
	if (!ret)
		ret = accel_buffer_create(c->vm, side * sizeof(struct accel_requant), &requant);
	if (ret)
		return ret;
	for (i = 0; i < side * side; i++)
		((uint8_t *)a.ptr)[i] = (uint8_t)(i * 2654435761u >> 24);
	for (i = 0; i < packed; i++)
		((uint8_t *)b.ptr)[i] = (uint8_t)(i * 2246822519u >> 24);
	for (i = 0; i < side; i++)
		accel_requant_from_scale(1e-4 * (1 + i % 7), (struct accel_requant *)requant.ptr + i);
	gemm = (struct accel_gemm){
		.a = a.va, .b = b.va, .d = d.va, .m = GEMM_SIDE, .n = GEMM_SIDE, .k = GEMM_SIDE,
		.type_d = ACCEL_S8, .scale = requant.va,
	};
	ret = accel_stream_create(c->vm, 4, s);
	return ret ? ret : accel_cmd_gemm(*s, &gemm, NULL);
}

static int gemm(const char *device)
{
	double work = 2e-9 * GEMM_SIDE * GEMM_SIDE * GEMM_SIDE, rate[3 * ROUNDS], start;
	struct accel_stream *s = NULL;
	struct client c;
	uint64_t point;
	unsigned int i;
	int ret;

	ret = client_open(&c, device, 1);
	if (!ret && gemm_stream(&c, &s))
		ret = fail("gemm", accel_last_error(c.dev));
	for (i = 0; !ret && i < 3 * ROUNDS; i++) {
		start = now();
		if (accel_queue_submit(c.queue[0], s, NULL, 0, &point) ||
		    accel_queue_wait(c.queue[0], point, ACCEL_WAIT_FOREVER))
			ret = fail("gemm", accel_last_error(c.dev));
		rate[i] = work / (now() - start);
	}
	if (!ret)
		report("vm_gemm", "m2048_n2048_k2048", "throughput", median(rate, 3 * ROUNDS), "GOPS",
		       NULL, 0, 0);
	if (s)
		accel_stream_destroy(s);
	client_close(&c);
	return ret;
}

/* ---- vm_scaling ------------------------------------------------------------------------------ */

/* @count binds of a page each, a page apart, then @count unbinds. Microseconds each. */
static int bind_pages(struct client *c, struct accel_bo *bo, unsigned int count, double *bind,
		      double *unbind)
{
	uint64_t va = 1ull << 32, at;
	double start = now();
	unsigned int i;

	for (i = 0; i < count; i++) {
		at = va + 2ull * i * PAGE;
		if (accel_vm_bind(c->vm, bo, 0, PAGE, 0, &at))
			return fail("bind", accel_last_error(c->dev));
	}
	*bind = (now() - start) * 1e6 / count;
	start = now();
	for (i = 0; i < count; i++)
		if (accel_vm_unbind(c->vm, va + 2ull * i * PAGE, PAGE))
			return fail("unbind", accel_last_error(c->dev));
	*unbind = (now() - start) * 1e6 / count;
	return 0;
}

static int scaling_binds(const char *device)
{
	static const unsigned int counts[] = { 100, 1000, 10000 };
	double bind[3], unbind[3];
	struct accel_bo *bo = NULL;
	struct client c;
	char name[32];
	unsigned int i;
	int ret;

	ret = client_open(&c, device, 0);
	if (!ret && accel_bo_create(c.dev, PAGE, 0, &bo))
		ret = fail("object", accel_last_error(c.dev));
	if (!ret)	/* warm */
		ret = bind_pages(&c, bo, counts[0], &bind[0], &unbind[0]);
	for (i = 0; !ret && i < 3; i++) {
		ret = bind_pages(&c, bo, counts[i], &bind[i], &unbind[i]);
		if (ret)
			break;
		snprintf(name, sizeof(name), "bind_%u", counts[i]);
		report("vm_scaling", name, "cost", bind[i], "us", i ? "bind_100" : NULL, bind[0],
		       bind[0] / bind[i]);
		snprintf(name, sizeof(name), "unbind_%u", counts[i]);
		report("vm_scaling", name, "cost", unbind[i], "us", i ? "unbind_100" : NULL, unbind[0],
		       unbind[0] / unbind[i]);
	}
	if (bo)
		accel_bo_destroy(bo);
	client_close(&c);
	return ret;
}

/* A job on each queue of each file, then wait for all: microseconds a job. */
static int one_lap(struct client *c, unsigned int files, double *cost)
{
	unsigned int f, q, jobs = 0;
	double start = now();

	for (f = 0; f < files; f++)
		for (q = 0; q < c[f].queues; q++, jobs++)
			if (accel_queue_submit(c[f].queue[q], c[f].nop, NULL, 0, &c[f].point[q]))
				return fail("submit", accel_last_error(c[f].dev));
	for (f = 0; f < files; f++)
		for (q = 0; q < c[f].queues; q++)
			if (accel_queue_wait(c[f].queue[q], c[f].point[q], ACCEL_WAIT_FOREVER))
				return fail("wait", accel_last_error(c[f].dev));
	*cost = (now() - start) * 1e6 / jobs;
	return 0;
}

static int laps(struct client *c, unsigned int files, double *cost)
{
	double x[ROUNDS * 4];
	unsigned int i;

	for (i = 0; i < ROUNDS * 4; i++)
		if (one_lap(c, files, &x[i]))
			return 1;
	*cost = median(x, ROUNDS * 4);
	return 0;
}

/* Up to 64 files of so many queues each. */
static int scaling_files(const char *device, unsigned int queues)
{
	static struct client c[MAX_FILES];
	double one = 0, cost;
	unsigned int files, open = 0;
	char name[32];
	int ret = 0;

	for (files = 1; !ret && files <= MAX_FILES; files *= 4) {
		for (; !ret && open < files; open++)
			ret = client_open(&c[open], device, queues);
		if (!ret)
			ret = laps(c, files, &cost);
		if (ret)
			break;
		snprintf(name, sizeof(name), "files_%u_queues_%u", files, queues);
		one = files == 1 ? cost : one;
		report("vm_scaling", name, "cost", cost, "us", files > 1 ? "one file" : NULL, one,
		       one / cost);
	}
	while (open)
		client_close(&c[--open]);
	return ret;
}

static int scaling(const char *device)
{
	struct accel_device_info info;
	char err[ACCEL_ERROR_MAX];
	struct accel_device *dev;

	if (accel_device_open(device, &dev, err, sizeof(err)))
		return fail("open", err);
	accel_device_info(dev, &info);
	accel_device_close(dev);
	if (info.hw_queues < MAX_FILES * FILE_QUEUES)
		return fail("files", "the device has fewer than 256 queues: use tools/vm --device queues=256");
	return scaling_binds(device) || scaling_files(device, 1) || scaling_files(device, FILE_QUEUES);
}

/* ---- -------------------------------------------------------------------------------------------- */

static void usage(FILE *to)
{
	fputs("usage: quill-load [--device PATH] [--nvme PATH] [--suite NAME] [--json]\n"
	      "\n"
	      "Measures the device under load.\n"
	      "\n"
	      "  --device PATH   accelerator (default: the first quill)\n"
	      "  --nvme PATH     block device to read from, the peer of vm_throughput\n"
	      "  --suite NAME    vm_throughput, vm_gemm or vm_scaling (default: all)\n"
	      "  --json          one object a line\n"
	      "  --help          this text\n", to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "nvme", required_argument, NULL, 'n' },
		{ "suite", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *device = NULL, *nvme = NULL, *suite = NULL;
	int opt, ret = 0;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'd': device = optarg; break;
		case 'n': nvme = optarg; break;
		case 's': suite = optarg; break;
		case 'j': json = true; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "quill-load: '%s': no arguments are expected\n", argv[optind]);
		return 2;
	}
	if (suite && strcmp(suite, "vm_throughput") && strcmp(suite, "vm_gemm") && strcmp(suite, "vm_scaling")) {
		fprintf(stderr, "quill-load: --suite '%s': expected vm_throughput, vm_gemm or vm_scaling\n", suite);
		return 2;
	}
	if (!suite || !strcmp(suite, "vm_throughput"))
		ret = throughput(device, nvme);
	if (!ret && (!suite || !strcmp(suite, "vm_gemm")))
		ret = gemm(device);
	if (!ret && (!suite || !strcmp(suite, "vm_scaling")))
		ret = scaling(device);
	return ret;
}
