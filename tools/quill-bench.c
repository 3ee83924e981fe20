// SPDX-License-Identifier: MIT
/*
 * quill-bench: how fast the device's arithmetic runs on this machine, beside a peer.
 *
 * Suite gemm_s8: int8 GEMM, requantised to int8 by channel, with weights packed beforehand: the engine
 * as the device drives it against oneDNN's matmul. Both compute the same product with the same number of threads,
 * in turns, so that whatever else the machine does meets both; the ratio is the median of the turns'.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <oneapi/dnnl/dnnl.h>

#include "engine.h"

#define MAX_THREADS	64
#define MAX_ROUNDS	15
/* Rows of a tile: A's part then stays in the second-level cache while the panels pass. */
#define TILE_ROWS	128

struct options {
	const char *suite;
	const char *jsonl;
	const char *kernels;
	bool quick;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pause_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

static void *allocate(size_t size)
{
	void *p = aligned_alloc(4096, (size + 4095) / 4096 * 4096);

	if (!p) {
		fprintf(stderr, "quill-bench: no memory for %zu bytes\n", size);
		exit(1);
	}
	return p;
}

/* ---- A pool of threads that share a counter of pieces ------------------------ */

/*
 * The counter holds the run's number, its pieces and the next piece to take, so that a thread that wakes late
 * finds nothing to do, and nobody waits for it.
 */
#define PIECE_BITS	20
#define PIECE_MASK	((1ull << PIECE_BITS) - 1)

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned int threads;
	pthread_t thread[MAX_THREADS];
	void (*work)(void *arg, uint32_t piece);
	void *arg;
	_Atomic uint64_t counter;
	_Atomic uint32_t done;
	atomic_bool stop;
};

static uint64_t pool_counter(uint64_t run, uint64_t pieces)
{
	return run << (2 * PIECE_BITS) | pieces << PIECE_BITS;
}

static uint64_t pool_run_of(struct pool *p)
{
	return atomic_load(&p->counter) >> (2 * PIECE_BITS);
}

static void pool_take(struct pool *p)
{
	uint64_t at = atomic_load(&p->counter);

	while ((at & PIECE_MASK) < (at >> PIECE_BITS & PIECE_MASK)) {
		if (!atomic_compare_exchange_weak(&p->counter, &at, at + 1))
			continue;
		p->work(p->arg, (uint32_t)(at & PIECE_MASK));
		atomic_fetch_add(&p->done, 1);
		at = atomic_load(&p->counter);
	}
}

/* Spins for some microseconds, as OpenMP's threads do, then sleeps. */
static uint64_t pool_wait(struct pool *p, uint64_t seen)
{
	unsigned int i;

	for (i = 0; i < 5000 && pool_run_of(p) == seen; i++)
		__builtin_ia32_pause();
	if (pool_run_of(p) != seen)
		return pool_run_of(p);
	pthread_mutex_lock(&p->lock);
	while (pool_run_of(p) == seen)
		pthread_cond_wait(&p->wake, &p->lock);
	pthread_mutex_unlock(&p->lock);
	return pool_run_of(p);
}

static void *pool_thread(void *arg)
{
	struct pool *p = arg;
	uint64_t seen = 0;

	for (;;) {
		seen = pool_wait(p, seen);
		if (atomic_load(&p->stop))
			return NULL;
		pool_take(p);
	}
}

/* The caller is one of the threads. */
static void pool_run(struct pool *p, void (*work)(void *, uint32_t), void *arg, uint32_t pieces)
{
	p->work = work;
	p->arg = arg;
	atomic_store(&p->done, 0);
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->counter, pool_counter(pool_run_of(p) + 1, pieces));
	if (p->threads > 1)
		pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pool_take(p);
	while (atomic_load(&p->done) < pieces)
		__builtin_ia32_pause();
}

static bool pool_start(struct pool *p, unsigned int threads)
{
	memset(p, 0, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	for (p->threads = 1; p->threads < threads; p->threads++) {
		int err = pthread_create(&p->thread[p->threads], NULL, pool_thread, p);

		if (err) {
			fprintf(stderr, "quill-bench: cannot start a thread: %s\n", strerror(err));
			return false;
		}
	}
	return true;
}

static void pool_stop(struct pool *p)
{
	atomic_store(&p->stop, true);
	pool_run(p, NULL, NULL, 0);
	while (--p->threads)
		pthread_join(p->thread[p->threads], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
}

/* ---- The product, as the engine computes it ------------------------------------- */

struct gemm {
	const struct quill_kernels *kernels;
	struct pool *pool;
	uint32_t m, n, k;
	uint32_t row_blocks;
	int8_t *a;
	int8_t *b;
	uint8_t *packed;
	int32_t *sums;
	struct quill_requant *requant;
	float *scale;
	int8_t *d;
	int8_t *peer_d;
};

static void gemm_sums(void *arg, uint32_t piece)
{
	struct gemm *g = arg;
	uint32_t row = piece * TILE_ROWS;
	uint32_t rows = g->m - row < TILE_ROWS ? g->m - row : TILE_ROWS;

	g->kernels->row_sums(g->a + (size_t)row * g->k, g->k, rows, g->k, g->sums + row);
}

static void gemm_piece(void *arg, uint32_t piece)
{
	struct gemm *g = arg;
	uint32_t row = piece % g->row_blocks * TILE_ROWS;
	uint32_t col = piece / g->row_blocks * QUILL_PANEL_N;
	struct quill_gemm_tile tile = {
		.a = g->a + (size_t)row * g->k,
		.a_sum = g->sums + row,
		.lda = g->k,
		.b = g->packed + quill_packed_offset(col, 0, g->k),
		.m = g->m - row < TILE_ROWS ? g->m - row : TILE_ROWS,
		.n = g->n - col < QUILL_PANEL_N ? g->n - col : QUILL_PANEL_N,
		.k = g->k,
		.d = g->d + (size_t)row * g->n + col,
		.ldd = g->n,
		.type_d = QUILL_TYPE_S8,
		.requant = g->requant + col,
		.lo = -128,
		.hi = 127,
	};

	g->kernels->gemm(&tile);
}

static void gemm_ours(struct gemm *g)
{
	uint32_t panels = (g->n + QUILL_PANEL_N - 1) / QUILL_PANEL_N;

	if (g->row_blocks == 1)
		gemm_sums(g, 0);
	else
		pool_run(g->pool, gemm_sums, g, g->row_blocks);
	pool_run(g->pool, gemm_piece, g, panels * g->row_blocks);
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 32);
}

/* Scales are powers of two times 31-bit numbers, so that a float holds them nearly. */
static void gemm_fill(struct gemm *g)
{
	uint64_t rnd = 1;
	size_t i, j;

	for (i = 0; i < (size_t)g->m * g->k; i++)
		g->a[i] = (int8_t)next_random(&rnd);
	for (i = 0; i < (size_t)g->n * g->k; i++)
		g->b[i] = (int8_t)next_random(&rnd);
	for (i = 0; i < g->k; i++)
		for (j = 0; j < g->n; j++)
			g->packed[quill_packed_offset(j, i, g->k)] =
				(uint8_t)(g->b[i * g->n + j] + 128);
	for (i = 0; i < g->n; i++) {
		g->requant[i].mult = (int32_t)(0x40000000 + (next_random(&rnd) >> 2));
		/* a sum's spread is 74 * 74 * sqrt(k): bring it to some 40 */
		g->requant[i].shift = 30 + 7 + (int32_t)(log2((double)g->k) / 2);
		g->scale[i] = (float)ldexp(g->requant[i].mult, -g->requant[i].shift);
	}
}

static void gemm_allocate(struct gemm *g)
{
	g->row_blocks = (g->m + TILE_ROWS - 1) / TILE_ROWS;
	g->a = allocate((size_t)g->m * g->k);
	g->b = allocate((size_t)g->n * g->k);
	g->packed = allocate(quill_packed_size(g->n, g->k));
	g->sums = allocate(g->m * sizeof(*g->sums));
	g->requant = allocate(g->n * sizeof(*g->requant));
	g->scale = allocate(g->n * sizeof(*g->scale));
	g->d = allocate((size_t)g->m * g->n);
	g->peer_d = allocate((size_t)g->m * g->n);
	gemm_fill(g);
}

static void gemm_free(struct gemm *g)
{
	free(g->a);
	free(g->b);
	free(g->packed);
	free(g->sums);
	free(g->requant);
	free(g->scale);
	free(g->d);
	free(g->peer_d);
}

/* ---- The same by oneDNN --------------------------------------------------------- */

struct peer {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_t matmul;
	dnnl_memory_t a, b, d;
};

static bool dnnl_ok(dnnl_status_t status, const char *what)
{
	if (status == dnnl_success)
		return true;
	fprintf(stderr, "quill-bench: oneDNN: %s returned %d, expected 0\n", what, (int)status);
	return false;
}

#define DNNL(call) dnnl_ok(call, #call)

/* Weights into the layout that the primitive wants. */
static bool peer_weights(struct peer *p, struct gemm *g, const dnnl_memory_desc_t *wanted)
{
	dnnl_dims_t dims = { g->k, g->n };
	dnnl_primitive_desc_t desc;
	dnnl_memory_desc_t plain;
	dnnl_primitive_t reorder;
	dnnl_memory_t from;
	dnnl_exec_arg_t args[2];
	bool ok;

	if (!DNNL(dnnl_memory_desc_init_by_tag(&plain, 2, dims, dnnl_s8, dnnl_ab)) ||
	    !DNNL(dnnl_memory_create(&from, &plain, p->engine, g->b)) ||
	    !DNNL(dnnl_memory_create(&p->b, wanted, p->engine, DNNL_MEMORY_ALLOCATE)) ||
	    !DNNL(dnnl_reorder_primitive_desc_create(&desc, &plain, p->engine, wanted, p->engine,
						     NULL)) ||
	    !DNNL(dnnl_primitive_create(&reorder, desc)))
		return false;
	args[0] = (dnnl_exec_arg_t){ DNNL_ARG_FROM, from };
	args[1] = (dnnl_exec_arg_t){ DNNL_ARG_TO, p->b };
	ok = DNNL(dnnl_primitive_execute(reorder, p->stream, 2, args)) &&
	     DNNL(dnnl_stream_wait(p->stream));
	dnnl_primitive_destroy(reorder);
	dnnl_primitive_desc_destroy(desc);
	dnnl_memory_destroy(from);
	return ok;
}

static bool peer_make(struct peer *p, struct gemm *g)
{
	dnnl_dims_t da = { g->m, g->k }, db = { g->k, g->n }, dd = { g->m, g->n };
	dnnl_memory_desc_t a, b, d;
	dnnl_primitive_desc_t desc;
	dnnl_primitive_attr_t attr;
	dnnl_matmul_desc_t op;
	bool ok;

	memset(p, 0, sizeof(*p));
	if (!DNNL(dnnl_engine_create(&p->engine, dnnl_cpu, 0)) ||
	    !DNNL(dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags)) ||
	    !DNNL(dnnl_memory_desc_init_by_tag(&a, 2, da, dnnl_s8, dnnl_ab)) ||
	    !DNNL(dnnl_memory_desc_init_by_tag(&b, 2, db, dnnl_s8, dnnl_format_tag_any)) ||
	    !DNNL(dnnl_memory_desc_init_by_tag(&d, 2, dd, dnnl_s8, dnnl_ab)) ||
	    !DNNL(dnnl_matmul_desc_init(&op, &a, &b, NULL, &d)) ||
	    !DNNL(dnnl_primitive_attr_create(&attr)) ||
	    !DNNL(dnnl_primitive_attr_set_output_scales(attr, g->n, 1 << 1, g->scale)) ||
	    !DNNL(dnnl_primitive_desc_create(&desc, &op, attr, p->engine, NULL)))
		return false;
	ok = DNNL(dnnl_primitive_create(&p->matmul, desc)) &&
	     DNNL(dnnl_memory_create(&p->a, &a, p->engine, g->a)) &&
	     DNNL(dnnl_memory_create(&p->d, &d, p->engine, g->peer_d)) &&
	     peer_weights(p, g, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0));
	dnnl_primitive_desc_destroy(desc);
	dnnl_primitive_attr_destroy(attr);
	return ok;
}

static bool peer_run(struct peer *p)
{
	dnnl_exec_arg_t args[] = {
		{ DNNL_ARG_SRC, p->a }, { DNNL_ARG_WEIGHTS, p->b }, { DNNL_ARG_DST, p->d },
	};

	return dnnl_primitive_execute(p->matmul, p->stream, 3, args) == dnnl_success &&
	       dnnl_stream_wait(p->stream) == dnnl_success;
}

static void peer_free(struct peer *p)
{
	dnnl_primitive_destroy(p->matmul);
	dnnl_memory_destroy(p->a);
	dnnl_memory_destroy(p->b);
	dnnl_memory_destroy(p->d);
	dnnl_stream_destroy(p->stream);
	dnnl_engine_destroy(p->engine);
}

/* ---- Turns ---------------------------------------------------------------------- */

struct result {
	double ours, peer;	/* seconds a call, median */
	double ratio;		/* median of the turns' */
};

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

static bool run_once(struct gemm *g, struct peer *p)
{
	if (p)
		return peer_run(p);
	gemm_ours(g);
	return true;
}

/* Seconds a call, over @least seconds or one call. NULL @p: ours. */
static double measure(struct gemm *g, struct peer *p, double least)
{
	unsigned int calls = 0;
	double start, time;

	/* OpenMP threads spin for some milliseconds after their work. */
	pause_ms(12);
	if (!run_once(g, p))
		return -1;
	start = now();
	do {
		if (!run_once(g, p))
			return -1;
		calls++;
		time = now() - start;
	} while (time < least);
	return time / calls;
}

/* Theirs rounds in float32, ours exactly: a result may differ by one. */
static bool same_product(const struct gemm *g)
{
	size_t i, n = (size_t)g->m * g->n;

	for (i = 0; i < n; i++)
		if (abs(g->d[i] - g->peer_d[i]) > 1) {
			fprintf(stderr,
				"quill-bench: element %zu is %d here and %d in oneDNN, expected equal within 1\n",
				i, g->d[i], g->peer_d[i]);
			return false;
		}
	return true;
}

static bool take_turns(struct gemm *g, struct peer *p, const struct options *o, struct result *r)
{
	unsigned int rounds = o->quick ? 3 : 9, i;
	double ours[MAX_ROUNDS], peer[MAX_ROUNDS], ratio[MAX_ROUNDS];
	double least = o->quick ? 0.003 : 0.010;

	for (i = 0; i < rounds; i++) {
		ours[i] = measure(g, NULL, least);
		peer[i] = measure(g, p, least);
		if (peer[i] < 0) {
			fprintf(stderr, "quill-bench: oneDNN failed in its run\n");
			return false;
		}
		ratio[i] = peer[i] / ours[i];
	}
	r->ours = median(ours, rounds);
	r->peer = median(peer, rounds);
	r->ratio = median(ratio, rounds);
	return same_product(g);
}

/* ---- Suite gemm_s8 ---------------------------------------------------------------- */

static void report(const struct gemm *g, unsigned int threads, const struct result *r, FILE *jsonl)
{
	const dnnl_version_t *v = dnnl_version();
	double work = 2e-9 * g->m * g->n * g->k;

	printf("%6u %6u %6u %8u %12.1f %12.1f %8.2f\n", g->m, g->n, g->k, threads, work / r->ours,
	       work / r->peer, r->ratio);
	fflush(stdout);
	if (!jsonl)
		return;
	fprintf(jsonl,
		"{\"suite\": \"gemm_s8\", \"case\": \"m%u_n%u_k%u_t%u\", \"metric\": \"throughput\", "
		"\"value\": %.2f, \"unit\": \"GOPS\", \"peer\": \"oneDNN %d.%d.%d\", "
		"\"peer_value\": %.2f, \"ratio\": %.3f}\n",
		g->m, g->n, g->k, threads, work / r->ours, v->major, v->minor, v->patch,
		work / r->peer, r->ratio);
}

static bool gemm_case(struct gemm *g, unsigned int threads, const struct options *o, FILE *jsonl)
{
	struct result r;
	struct peer p;
	struct pool pool;
	bool ok;

	omp_set_num_threads((int)threads);
	if (!pool_start(&pool, threads))
		return false;
	g->pool = &pool;
	ok = peer_make(&p, g) && take_turns(g, &p, o, &r);
	pool_stop(&pool);
	if (!ok)
		return false;
	peer_free(&p);
	report(g, threads, &r, jsonl);
	return true;
}

/* OpenMP's threads wait for one another by spinning: beside other work, two of them measure that work. */
static void warn_if_busy(void)
{
	double load[1];

	if (getloadavg(load, 1) == 1 && load[0] > 0.5)
		fprintf(stderr,
			"quill-bench: the load average is %.1f, expected below 0.5: ratios, with 2 threads above all, will be off\n",
			load[0]);
}

static bool suite_gemm_s8(const struct options *o, FILE *jsonl)
{
	static const uint32_t rows[] = { 1, 16, 128, 1024 };
	static const uint32_t sides[] = { 1024, 4096 };
	const struct quill_kernels *kernels = quill_engine_get(o->kernels);
	unsigned int i, j, threads;
	bool ok = true;

	if (!kernels) {
		fprintf(stderr, "quill-bench: no kernels \"%s\" for this processor\n", o->kernels);
		return false;
	}
	printf("gemm_s8: quill (%s) and oneDNN %d.%d.%d, GOPS; ratio above 1: quill is faster\n",
	       kernels->name, dnnl_version()->major, dnnl_version()->minor, dnnl_version()->patch);
	printf("%6s %6s %6s %8s %12s %12s %8s\n", "m", "n", "k", "threads", "quill", "oneDNN",
	       "ratio");
	for (j = 0; j < 2; j++) {
		for (i = 0; i < 4; i++) {
			struct gemm g = { .kernels = kernels, .m = rows[i], .n = sides[j],
					  .k = sides[j] };

			gemm_allocate(&g);
			for (threads = 1; threads <= 2 && ok; threads++)
				ok = gemm_case(&g, threads, o, jsonl);
			gemm_free(&g);
		}
	}
	return ok;
}

/* ---- Command line ------------------------------------------------------------------- */

static const struct suite {
	const char *name;
	const char *what;
	bool (*run)(const struct options *o, FILE *jsonl);
} suites[] = {
	{ "gemm_s8", "int8 GEMM with requantisation, against oneDNN", suite_gemm_s8 },
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

static void usage(FILE *f)
{
	unsigned int i;

	fprintf(f, "Usage: quill-bench [options]\n"
		   "Measures the device's arithmetic on this machine beside a peer.\n\n"
		   "  -s, --suite NAME     run this suite alone\n"
		   "  -j, --jsonl FILE     append one JSON object a result to FILE (--json: the same)\n"
		   "  -k, --kernels NAME   scalar, avx2 or avx512 (default: the best that run here)\n"
		   "  -q, --quick          fewer and shorter runs\n"
		   "  -h, --help           this text\n\nSuites:\n");
	for (i = 0; i < SUITES; i++)
		fprintf(f, "  %-18s   %s\n", suites[i].name, suites[i].what);
	fprintf(f, "\nExit status: 0 done, 1 a run failed, 2 used wrongly.\n");
}

static bool known_suite(const char *name)
{
	unsigned int i;

	for (i = 0; i < SUITES; i++)
		if (!strcmp(name, suites[i].name))
			return true;
	return false;
}

/* Return: -1 to go on, else the exit status. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "suite", required_argument, NULL, 's' },
		{ "jsonl", required_argument, NULL, 'j' },
		{ "json", required_argument, NULL, 'j' },
		{ "kernels", required_argument, NULL, 'k' },
		{ "quick", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "s:j:k:qh", longs, NULL)) != -1) {
		switch (c) {
		case 's': o->suite = optarg; break;
		case 'j': o->jsonl = optarg; break;
		case 'k': o->kernels = optarg; break;
		case 'q': o->quick = true; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "quill-bench: unexpected argument \"%s\"\n", argv[optind]);
		return 2;
	}
	if (o->suite && !known_suite(o->suite)) {
		fprintf(stderr, "quill-bench: no suite \"%s\"; --help lists them\n", o->suite);
		return 2;
	}
	if (o->kernels && !quill_engine_get(o->kernels)) {
		fprintf(stderr, "quill-bench: kernels \"%s\" are unknown or not for this processor; expected scalar, avx2 or avx512\n",
			o->kernels);
		return 2;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	FILE *jsonl = NULL;
	int status = parse(argc, argv, &o);
	unsigned int i;

	if (status >= 0)
		return status;
	if (o.jsonl && !(jsonl = fopen(o.jsonl, "a"))) {
		fprintf(stderr, "quill-bench: cannot append to %s: %s\n", o.jsonl, strerror(errno));
		return 1;
	}
	status = 0;
	warn_if_busy();
	for (i = 0; i < SUITES; i++)
		if (!o.suite || !strcmp(o.suite, suites[i].name))
			status |= !suites[i].run(&o, jsonl);
	if (jsonl && fclose(jsonl)) {
		fprintf(stderr, "quill-bench: cannot write %s: %s\n", o.jsonl, strerror(errno));
		return 1;
	}
	return status;
}
