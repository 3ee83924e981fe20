// SPDX-License-Identifier: MIT
/* quill-bench: how fast the device's arithmetic runs on this machine, beside peers. bench.h says how it is measured. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const struct bench_suite *const suites[] = {
#define BENCH_X(name) &suite_##name,
	BENCH_SUITES(BENCH_X)
#undef BENCH_X
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

/* OpenMP's threads wait for one another by spinning: beside other work, two of them measure that work. */
static void warn_if_busy(void)
{
	double load[1];

	if (getloadavg(load, 1) == 1 && load[0] > 0.5)
		fprintf(stderr,
			"quill-bench: the load average is %.1f, expected below 0.5: ratios, with 2 threads above all, will be off\n",
			load[0]);
}

static void usage(FILE *f)
{
	unsigned int i;

	fprintf(f, "Usage: quill-bench [options]\n"
		   "Measures the device's arithmetic on this machine beside a peer.\n\n"
		   "  -s, --suite NAME     run this suite alone\n"
		   "  -c, --case TEXT      only cases whose name holds TEXT\n"
		   "  -u, --cpu-time       processor time in place of wall time, where other work runs: with 1 thread only\n"
		   "  -j, --jsonl FILE     append one JSON object a result to FILE (--json: the same)\n"
		   "  -k, --kernels NAME   scalar, avx2 or avx512 (default: the best that run here)\n"
		   "  -q, --quick          fewer and shorter runs\n"
		   "  -h, --help           this text\n\nSuites:\n");
	for (i = 0; i < SUITES; i++)
		fprintf(f, "  %-18s   %s\n", suites[i]->name, suites[i]->what);
	fprintf(f, "\nExit status: 0 done, 1 a run failed, 2 used wrongly.\n");
}

static bool known_suite(const char *name)
{
	unsigned int i;

	for (i = 0; i < SUITES; i++)
		if (!strcmp(name, suites[i]->name))
			return true;
	return false;
}

/* Return: -1 to go on, else the exit status. */
static int parse(int argc, char **argv, struct bench *b)
{
	static const struct option longs[] = {
		{ "suite", required_argument, NULL, 's' },
		{ "case", required_argument, NULL, 'c' },
		{ "cpu-time", no_argument, NULL, 'u' },
		{ "jsonl", required_argument, NULL, 'j' },
		{ "json", required_argument, NULL, 'j' },
		{ "kernels", required_argument, NULL, 'k' },
		{ "quick", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "s:c:uj:k:qh", longs, NULL)) != -1) {
		switch (c) {
		case 's': b->suite = optarg; break;
		case 'c': b->wanted = optarg; break;
		case 'u': b->cpu_time = true; break;
		case 'j': b->jsonl_path = optarg; break;
		case 'k': b->kernels_name = optarg; break;
		case 'q': b->quick = true; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "quill-bench: unexpected argument \"%s\"\n", argv[optind]);
		return 2;
	}
	if (b->suite && !known_suite(b->suite)) {
		fprintf(stderr, "quill-bench: no suite \"%s\"; --help lists them\n", b->suite);
		return 2;
	}
	b->kernels = quill_engine_get(b->kernels_name);
	if (!b->kernels) {
		fprintf(stderr, "quill-bench: kernels \"%s\" are unknown or not for this processor; expected scalar, avx2 or avx512\n",
			b->kernels_name);
		return 2;
	}
	return -1;
}

static bool run_suite(struct bench *b, const struct bench_suite *suite)
{
	bool ok;

	b->running = suite->name;
	b->ratios = 0;
	b->log_sum = 0;
	ok = suite->run(b);
	if (b->ratios)
		printf("%s: ratio %.3f (geometric mean of %u), least %.3f (%s)\n", suite->name,
		       exp(b->log_sum / b->ratios), b->ratios, b->worst, b->worst_case);
	printf("\n");
	return ok;
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	int status = parse(argc, argv, &b);
	unsigned int i;

	if (status >= 0)
		return status;
	if (b.jsonl_path && !(b.jsonl = fopen(b.jsonl_path, "a"))) {
		fprintf(stderr, "quill-bench: cannot append to %s: %s\n", b.jsonl_path,
			strerror(errno));
		return 1;
	}
	status = 0;
	warn_if_busy();
	printf("Kernels: %s. A ratio above 1: quill is faster.\n\n", b.kernels->name);
	for (i = 0; i < SUITES; i++)
		if (!b.suite || !strcmp(b.suite, suites[i]->name))
			status |= !run_suite(&b, suites[i]);
	if (b.jsonl && fclose(b.jsonl)) {
		fprintf(stderr, "quill-bench: cannot write %s: %s\n", b.jsonl_path, strerror(errno));
		return 1;
	}
	return status;
}
