/* SPDX-License-Identifier: MIT */
/*
 * quill-latency: what a job costs that does nothing, next to what a disk read costs in the same VM.
 *
 * Suite vm_latency of `make bench`. One NOP is submitted and waited for, by way of the driver (empty_job), then one by
 * a queue whose ring the process serves (user_job), then 4 KiB are read from the NVMe device with O_DIRECT, and so on in
 * turn, so that noise of the host meets all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <accel.h>

#define READ_SIZE	4096
#define WARM_UP		50

struct latency {
	struct accel_device *dev;
	struct accel_queue *queue, *user;
	struct accel_stream *stream;
	int nvme;
	void *block;
	off_t blocks;
};

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "quill-latency: %s: %s\n", what, why);
	return 1;
}

static int open_device(struct latency *l, const char *path)
{
	static const struct accel_queue_params user = { .flags = ACCEL_QUEUE_USER };
	char err[ACCEL_ERROR_MAX];
	struct accel_vm *vm;
	int ret;

	if (accel_device_open(path, &l->dev, err, sizeof(err)))
		return fail("open", err);
	ret = accel_vm_create(l->dev, &vm);
	if (!ret)
		ret = accel_queue_create(vm, NULL, &l->queue);
	if (!ret)
		ret = accel_queue_create(vm, &user, &l->user);
	if (!ret)
		ret = accel_stream_create(vm, 1, &l->stream);
	if (!ret)
		ret = accel_cmd_nop(l->stream, NULL);
	return ret ? fail("set up", accel_last_error(l->dev)) : 0;
}

static int open_nvme(struct latency *l, const char *path)
{
	off_t size;

	l->nvme = open(path, O_RDONLY | O_DIRECT);
	if (l->nvme < 0)
		return fail(path, strerror(errno));
	size = lseek(l->nvme, 0, SEEK_END);
	if (size < READ_SIZE)
		return fail(path, "holds less than one block of 4096 bytes");
	l->blocks = size / READ_SIZE;
	if (posix_memalign(&l->block, READ_SIZE, READ_SIZE))
		return fail("memory", strerror(ENOMEM));
	return 0;
}

static int one_job(struct latency *l, struct accel_queue *queue, double *us)
{
	double start = now_us();
	uint64_t point;

	if (accel_queue_submit(queue, l->stream, NULL, 0, &point) ||
	    accel_queue_wait(queue, point, ACCEL_WAIT_FOREVER))
		return fail("job", accel_last_error(l->dev));
	*us = now_us() - start;
	return 0;
}

static int one_read(struct latency *l, unsigned int i, double *us)
{
	off_t block = (off_t)i * 7919 % l->blocks;
	double start = now_us();

	if (pread(l->nvme, l->block, READ_SIZE, block * READ_SIZE) != READ_SIZE)
		return fail("read", strerror(errno));
	*us = now_us() - start;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_row(const char *name, const char *metric, double value, double peer, bool with_peer, bool json)
{
	if (!json) {
		printf("vm_latency  %-9s  %-6s %9.1f us", name, metric, value);
		if (with_peer)
			printf("   nvme_4k_read %9.1f us   ratio %.2f", peer, peer / value);
		putchar('\n');
		return;
	}
	printf("{\"suite\":\"vm_latency\",\"case\":\"%s\",\"metric\":\"%s\",\"value\":%.3f,\"unit\":\"us\"",
	       name, metric, value);
	if (with_peer)
		printf(",\"peer\":\"nvme_4k_read\",\"peer_value\":%.3f,\"ratio\":%.4f}\n", peer,
		       peer / value);
	else
		printf(",\"peer\":null,\"peer_value\":null,\"ratio\":null}\n");
}

static int one_of_each(struct latency *l, unsigned int i, double *job, double *user, double *read)
{
	return one_job(l, l->queue, job) || one_job(l, l->user, user) ||
	       (l->nvme >= 0 && one_read(l, i, read));
}

static void print_rows(const char *name, double *values, const double *peers, unsigned int count, bool with_peer,
		       bool json)
{
	qsort(values, count, sizeof(*values), by_value);
	print_row(name, "median", values[count / 2], peers[count / 2], with_peer, json);
	print_row(name, "p99", values[count * 99 / 100], peers[count * 99 / 100], with_peer, json);
}

static int measure(struct latency *l, unsigned int count, bool json)
{
	double *times = calloc(3 * count, sizeof(*times)), warm;
	double *job = times, *user = job + count, *read = user + count;
	int ret = times ? 0 : fail("memory", strerror(ENOMEM));
	unsigned int i;

	for (i = 0; !ret && i < WARM_UP; i++)
		ret = one_of_each(l, i, &warm, &warm, &warm);
	for (i = 0; !ret && i < count; i++)
		ret = one_of_each(l, i, &job[i], &user[i], &read[i]);
	if (!ret) {
		qsort(read, count, sizeof(*read), by_value);
		print_rows("empty_job", job, read, count, l->nvme >= 0, json);
		print_rows("user_job", user, read, count, l->nvme >= 0, json);
	}
	free(times);
	return ret;
}

static void usage(FILE *to)
{
	fputs("usage: quill-latency [--device PATH] [--nvme PATH] [--count N] [--json]\n"
	      "\n"
	      "Times an empty job's round trip, through the driver and by a user-mode queue, and with --nvme a\n"
	      "4 KiB read beside each.\n"
	      "\n"
	      "  --device PATH   accelerator (default: the first quill)\n"
	      "  --nvme PATH     block device to read from, the peer (ratio above 1: the job is faster)\n"
	      "  --count N       of each, 10..1000000 (default 2000)\n"
	      "  --json          one object a line\n"
	      "  --help          this text\n", to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "nvme", required_argument, NULL, 'n' },
		{ "count", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *device = NULL, *nvme = NULL;
	struct latency l = { .nvme = -1 };
	unsigned long count = 2000;
	bool json = false;
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'd':
			device = optarg;
			break;
		case 'n':
			nvme = optarg;
			break;
		case 'c':
			count = strtoul(optarg, &end, 10);
			if (*end || count < 10 || count > 1000000) {
				fprintf(stderr, "quill-latency: --count '%s': expected 10..1000000\n",
					optarg);
				return 2;
			}
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "quill-latency: '%s': no arguments are expected\n", argv[optind]);
		return 2;
	}
	if (open_device(&l, device) || (nvme && open_nvme(&l, nvme)))
		return 1;
	return measure(&l, count, json);
}
