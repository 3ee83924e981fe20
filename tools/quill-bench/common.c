// SPDX-License-Identifier: MIT
/* Time, memory, turns, and what is printed. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define HUGE_PAGE	(2u << 20)
/* Where the system does not say: more than most have, so that copies are out of cache all the same. */
#define CACHE_GUESS	(64u << 20)

static double read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

bool bench_wants(const struct bench *b, const char *name)
{
	return !b->wanted || strstr(name, b->wanted);
}

static void pause_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

void *bench_alloc(size_t size)
{
	size_t align = size < HUGE_PAGE ? 4096 : HUGE_PAGE;
	void *p = aligned_alloc(align, (size + align - 1) / align * align);

	if (!p) {
		fprintf(stderr, "quill-bench: no memory for %zu bytes\n", size);
		exit(1);
	}
	if (align == HUGE_PAGE)
		madvise(p, (size + align - 1) / align * align, MADV_HUGEPAGE);
	return p;
}

uint32_t bench_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 32);
}

/*
 * The largest that /sys lists for the first processor. (sysconf() may tell that of a whole package, of which a virtual
 * machine has a part.)
 */
size_t bench_cache_bytes(void)
{
	static size_t largest;
	unsigned int i, kib;
	char path[64];
	FILE *f;

	for (i = 0; !largest && i < 8; i++) {
		/* from the last level */
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%u/size", 7 - i);
		f = fopen(path, "r");
		if (f && fscanf(f, "%uK", &kib) == 1)
			largest = (size_t)kib * 1024;
		if (f)
			fclose(f);
	}
	if (!largest)
		largest = CACHE_GUESS;
	return largest;
}

/*
 * Those that fit stay in the cache, as they would in use. A cache that does not replace the oldest first keeps some of
 * what is little larger than it: four times its size leaves none to speak of.
 */
unsigned int bench_copies(size_t size)
{
	size_t cache = bench_cache_bytes();

	return size <= cache ? 1 : (unsigned int)((4 * cache + size - 1) / size);
}

/* ---- Turns ---------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *x, unsigned int n)
{
	qsort(x, n, sizeof(*x), compare);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* Seconds a call, over @least seconds or one call; below 0: it failed. */
static double measure(const struct bench *b, const struct bench_side *side, double least)
{
	clockid_t clock = b->cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
	unsigned int calls = 0;
	double start, time;

	/* OpenMP's threads, of the side before, spin for some milliseconds after their work. */
	pause_ms(12);
	if (!side->run(side->arg))
		return -1;
	start = read_clock(clock);
	do {
		if (!side->run(side->arg))
			return -1;
		calls++;
		time = read_clock(clock) - start;
	} while (time < least);
	return time / calls;
}

static double or_one(double x)
{
	return x > 0 ? x : 1;
}

bool bench_turns(struct bench *b, const struct bench_side *sides, unsigned int count,
		 struct bench_times *times)
{
	double seconds[BENCH_MAX_SIDES][BENCH_MAX_ROUNDS], ratio[BENCH_MAX_SIDES][BENCH_MAX_ROUNDS];
	double least = b->quick ? 0.003 : 0.010;
	unsigned int rounds = b->quick ? 3 : 11, r, i;

	for (r = 0; r < rounds; r++) {
		for (i = 0; i < count; i++) {
			seconds[i][r] = measure(b, &sides[i], least);
			if (seconds[i][r] < 0)
				return false;
			ratio[i][r] = or_one(sides[i].ours) / seconds[0][r] /
				      (or_one(sides[i].work) / seconds[i][r]);
		}
		/* What takes long is steadier. */
		if (seconds[0][0] > 0.2 && rounds > 5)
			rounds = 5;
	}
	for (i = 0; i < count; i++) {
		times->seconds[i] = median(seconds[i], rounds);
		times->ratio[i] = median(ratio[i], rounds);
	}
	return true;
}

/* ---- Output --------------------------------------------------------------------- */

void bench_head(struct bench *b, const char *title)
{
	printf("%s: %s\n", b->running, title);
	printf("%-30s %10s %-6s %10s %7s %14s\n", "case", "quill", "", "peer", "ratio", "of the limit");
}

static void print_json(const struct bench *b, const struct bench_result *r)
{
	fprintf(b->jsonl,
		"{\"suite\": \"%s\", \"case\": \"%s\", \"metric\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"",
		b->running, r->name, r->metric, r->value, r->unit);
	if (r->peer)
		fprintf(b->jsonl, ", \"peer\": \"%s\", \"peer_value\": %.6g, \"ratio\": %.3f",
			r->peer, r->peer_value, r->ratio);
	if (r->limit)
		fprintf(b->jsonl, ", \"limit\": \"%s\", \"of_limit\": %.3f", r->limit, r->of_limit);
	fprintf(b->jsonl, "}\n");
}

void bench_report(struct bench *b, const struct bench_result *r)
{
	printf("%-30s %10.4g %-6s", r->name, r->value, r->unit);
	if (r->peer)
		printf(" %10.4g %7.2f", r->peer_value, r->ratio);
	else
		printf(" %10s %7s", "-", "-");
	if (r->limit)
		printf(" %6.1f%% %s", 100 * r->of_limit, r->limit);
	printf("\n");
	fflush(stdout);
	if (b->jsonl)
		print_json(b, r);
	if (!r->peer)
		return;
	if (!b->ratios++ || r->ratio < b->worst) {
		b->worst = r->ratio;
		snprintf(b->worst_case, sizeof(b->worst_case), "%s", r->name);
	}
	b->log_sum += log(r->ratio);
}
