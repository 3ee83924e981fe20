// SPDX-License-Identifier: MIT
/*
 * quill-smi: which Quill devices there are, and what they are.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <accel.h>

#define MAX_DEVICES	64

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: quill-smi [--json] [--device PATH]\n"
	"\n"
	"Show the Quill accelerators of this machine: versions, limits, resets; and, to those who may know, what all\n"
	"users have had done since the driver was bound.\n"
	"\n"
	"  -d, --device PATH  only this device, such as /dev/accel/accel0\n"
	"  -j, --json         one JSON array, for programs\n"
	"  -h, --help         this text\n"
	"  -V, --version      version of libaccel that this was built with\n";

/* What a device has done, if we may know. */
struct work {
	bool known;
	uint64_t jobs;
	struct accel_counters counters;
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

static void print_engine(const char *name, const struct accel_engine_counters *e, uint64_t cycles)
{
	printf("  %-13s %.1f %% at work; waits: %.1f %% memory, %.1f %% other commands, %.1f %% firmware\n",
	       name, percent(e->compute, cycles), percent(e->memory, cycles),
	       percent(e->dependency, cycles), percent(e->firmware, cycles));
}

static void print_work(const struct accel_device_info *info, const struct work *work)
{
	const struct accel_counters *c = &work->counters;

	if (!work->known)
		return;
	printf("  jobs          %llu, %llu commands, %.6f s of device time, %.6f J\n",
	       (unsigned long long)work->jobs, (unsigned long long)c->commands,
	       1e-3 * c->cycles / info->clock_khz, 1e-12 * c->energy_pj);
	print_engine("TENSOR", &c->tensor, c->cycles);
	print_engine("VECTOR", &c->vector, c->cycles);
	print_engine("DMA", &c->dma, c->cycles);
}

static void print_text(const struct accel_device_info *info)
{
	printf("%s\n", info->path);
	printf("  driver        %s %u.%u\n", info->driver, info->driver_major, info->driver_minor);
	printf("  hardware      %u.%u\n", info->hw_major, info->hw_minor);
	printf("  firmware      %u.%u\n", info->fw_major, info->fw_minor);
	printf("  cores         %u, %u KiB scratchpad each\n", info->cores, info->sram_size / 1024);
	printf("  clock         %.3f MHz\n", info->clock_khz / 1000.0);
	printf("  memory        %llu MiB, %llu MiB free\n", (unsigned long long)(info->mem_size >> 20),
	       (unsigned long long)(info->mem_free >> 20));
	printf("  queues        %u; a user can have %u\n", info->hw_queues, info->max_queues);
	printf("  spaces        a user can have %u\n", info->max_vms);
	printf("  addresses     0x%llx..0x%llx, pages of %u\n", (unsigned long long)info->va_start,
	       (unsigned long long)info->va_end, info->page_size);
	printf("  job timeout   %u ms, at most %u ms\n", info->default_timeout_ms,
	       info->max_timeout_ms);
	printf("  stream        at most %u KiB\n", info->max_stream_size / 1024);
	printf("  resets        %u\n", info->reset_count);
}

/* Paths can hold what JSON cannot. */
static void print_json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void print_json(const struct accel_device_info *info)
{
	printf("{\"path\": ");
	print_json_string(info->path);
	printf(", \"driver\": ");
	print_json_string(info->driver);
	printf(", \"driver_version\": \"%u.%u\", \"hw_version\": \"%u.%u\", \"fw_version\": "
	       "\"%u.%u\", ", info->driver_major, info->driver_minor, info->hw_major,
	       info->hw_minor, info->fw_major, info->fw_minor);
	printf("\"features\": %llu, \"cores\": %u, \"clock_khz\": %u, \"sram_size\": %u, "
	       "\"mem_size\": %llu, \"mem_free\": %llu, ", (unsigned long long)info->features,
	       info->cores, info->clock_khz, info->sram_size, (unsigned long long)info->mem_size,
	       (unsigned long long)info->mem_free);
	printf("\"hw_queues\": %u, \"max_queues\": %u, \"max_vms\": %u, ", info->hw_queues,
	       info->max_queues, info->max_vms);
	printf("\"va_start\": %llu, \"va_end\": %llu, \"page_size\": %u, ",
	       (unsigned long long)info->va_start, (unsigned long long)info->va_end,
	       info->page_size);
	printf("\"default_timeout_ms\": %u, \"max_timeout_ms\": %u, \"max_stream_size\": %u, "
	       "\"reset_count\": %u", info->default_timeout_ms, info->max_timeout_ms,
	       info->max_stream_size, info->reset_count);
}

static void print_json_engine(const char *name, const struct accel_engine_counters *e)
{
	printf(", \"%s\": {\"compute\": %llu, \"memory\": %llu, \"dependency\": %llu, \"firmware\": %llu, "
	       "\"idle\": %llu}", name, (unsigned long long)e->compute, (unsigned long long)e->memory,
	       (unsigned long long)e->dependency, (unsigned long long)e->firmware,
	       (unsigned long long)e->idle);
}

static void print_json_work(const struct work *work)
{
	const struct accel_counters *c = &work->counters;

	if (!work->known)
		return;
	printf(", \"counters\": {\"jobs\": %llu, \"cycles\": %llu, \"commands\": %llu, \"macs\": %llu, "
	       "\"vector_ops\": %llu, ", (unsigned long long)work->jobs,
	       (unsigned long long)c->cycles, (unsigned long long)c->commands,
	       (unsigned long long)c->macs, (unsigned long long)c->vector_ops);
	printf("\"bytes_read\": %llu, \"bytes_written\": %llu, \"sram_read\": %llu, \"sram_written\": %llu, "
	       "\"link_bytes\": %llu, \"energy_pj\": %llu", (unsigned long long)c->bytes_read,
	       (unsigned long long)c->bytes_written, (unsigned long long)c->sram_read,
	       (unsigned long long)c->sram_written, (unsigned long long)c->link_bytes,
	       (unsigned long long)c->energy_pj);
	print_json_engine("tensor", &c->tensor);
	print_json_engine("vector", &c->vector);
	print_json_engine("dma", &c->dma);
	printf("}");
}

/* Returns 0, or -1 with a message. */
static int read_device(const char *path, struct accel_device_info *info, struct work *work)
{
	struct accel_device *dev;
	char err[ACCEL_ERROR_MAX];
	int ret;

	if (accel_device_open(path, &dev, err, sizeof(err))) {
		fprintf(stderr, "quill-smi: %s\n", err);
		return -1;
	}
	ret = accel_device_info(dev, info);
	if (ret)
		fprintf(stderr, "quill-smi: %s: %s\n", path ? path : "device",
			accel_last_error(dev));
	/* no error: who may not know is shown the rest */
	work->known = !accel_device_counters(dev, &work->jobs, &work->counters);
	accel_device_close(dev);
	return ret ? -1 : 0;
}

/* The first failed open says why there is nothing to show. */
static int list_devices(char (*paths)[ACCEL_PATH_MAX])
{
	struct accel_device_info info;
	struct work work;
	int n = accel_device_list(paths, MAX_DEVICES);

	if (n > 0)
		return n < MAX_DEVICES ? n : MAX_DEVICES;
	if (read_device(NULL, &info, &work))
		return -1;
	snprintf(paths[0], ACCEL_PATH_MAX, "%s", info.path);
	return 1;
}

static int show(char (*paths)[ACCEL_PATH_MAX], int n, int json)
{
	struct accel_device_info info;
	struct work work;
	int i, shown = 0, failed = 0;

	if (json)
		printf("[");
	for (i = 0; i < n; i++) {
		if (read_device(paths[i], &info, &work)) {
			failed = 1;
			continue;
		}
		if (shown++)
			printf(json ? ",\n " : "\n");
		if (json) {
			print_json(&info);
			print_json_work(&work);
			printf("}");
		} else {
			print_text(&info);
			print_work(&info, &work);
		}
	}
	if (json)
		printf("]\n");
	return failed || fflush(stdout) ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	static char paths[MAX_DEVICES][ACCEL_PATH_MAX];
	const char *device = NULL;
	int opt, n = 1, json = 0;

	while ((opt = getopt_long(argc, argv, "d:jhV", options, NULL)) != -1) {
		switch (opt) {
		case 'd':
			device = optarg;
			break;
		case 'j':
			json = 1;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		case 'V':
			printf("quill-smi %d.%d\n", ACCEL_VERSION_MAJOR, ACCEL_VERSION_MINOR);
			return EXIT_OK;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "quill-smi: \"%s\": no argument was expected\n%s", argv[optind],
			usage);
		return EXIT_USAGE;
	}
	if (device && strlen(device) >= ACCEL_PATH_MAX) {
		fprintf(stderr, "quill-smi: the path has %zu characters; required: at most %d\n",
			strlen(device), ACCEL_PATH_MAX - 1);
		return EXIT_USAGE;
	}

	if (device)
		strcpy(paths[0], device);
	else
		n = list_devices(paths);
	return n < 0 ? EXIT_FAILED : show(paths, n, json);
}
