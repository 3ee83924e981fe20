// SPDX-License-Identifier: MIT
/*
 * The workers.
 *
 * Jobs that want help stand in a list; a worker joins the first that has tiles left. Tiles are taken in
 * order from an atomic counter. Because of that order, when a tile fails all earlier ones have been
 * taken already, and the least number among the failed ones does not depend on the threads.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

/*
 * How long is waited awake before a thread sleeps. To be woken takes some 50 us on a machine with other work, as long as
 * many a tile, and jobs often follow each other closely. A worker's time doubles where a job came while it waited, and
 * halves where none did.
 */
#define SPIN_MIN_NS	1000u
#define SPIN_MAX_NS	50000u
/* For the last tiles of a job, whose end is near. */
#define SPIN_LEAVE_NS	30000u

struct worker {
	struct pool *pool;
	pthread_t thread;
	struct dma_ctx *ctx;
	unsigned int spin_ns;
};

struct pool {
	struct quill_emu *emu;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_cond_t left;	/* a worker has left a job */
	_Atomic uint32_t posted;	/* jobs that ever stood in the list, to be seen without the lock */
	struct pool_job *jobs;
	bool quit;
	int poster;		/* the processor that the workers keep off */
	unsigned int workers;
	struct worker worker[CORE_MAX_THREADS];
};

static bool has_tiles(struct pool_job *job)
{
	return atomic_load_explicit(&job->next, memory_order_relaxed) < job->tiles;
}

static void job_failed(struct pool *pool, struct pool_job *job, uint64_t tile,
		       const struct dma_fault *fault)
{
	pthread_mutex_lock(&pool->lock);
	if (tile < job->fault_tile) {
		job->fault_tile = tile;
		job->fault = *fault;
	}
	pthread_mutex_unlock(&pool->lock);
	/* Nobody takes another. */
	atomic_store_explicit(&job->next, job->tiles, memory_order_relaxed);
}

static void job_work(struct pool *pool, struct pool_job *job, struct dma_ctx *ctx)
{
	struct dma_fault fault;
	uint32_t what;
	uint64_t tile;

	while (!atomic_load_explicit(job->abort, memory_order_relaxed)) {
		/* Looked at first, so that the counter cannot run away. */
		if (!has_tiles(job))
			return;
		tile = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
		if (tile >= job->tiles)
			return;
		dma_begin(ctx);
		what = job->tile(job->arg, ctx, tile, &fault);
		dma_end(ctx);
		if (what)
			job_failed(pool, job, tile, &fault);
	}
}

static struct pool_job *find_job(struct pool *pool)
{
	struct pool_job *job;

	for (job = pool->jobs; job; job = job->link)
		if (has_tiles(job) && !atomic_load_explicit(job->abort, memory_order_relaxed))
			return job;
	return NULL;
}

/* Wait awake for a job after the @seen-th. */
static void worker_spin(struct worker *worker, uint32_t seen)
{
	uint64_t end = core_now_ns() + worker->spin_ns;
	bool came;
	unsigned int i;

	do {
		for (i = 0; i < 16; i++)
			__builtin_ia32_pause();
		came = atomic_load_explicit(&worker->pool->posted, memory_order_relaxed) != seen;
	} while (!came && core_now_ns() < end);
	if (came)
		worker->spin_ns = worker->spin_ns * 2 < SPIN_MAX_NS ? worker->spin_ns * 2 : SPIN_MAX_NS;
	else
		worker->spin_ns = worker->spin_ns / 2 > SPIN_MIN_NS ? worker->spin_ns / 2 : SPIN_MIN_NS;
}

/* Under the lock, which is given up meanwhile. */
static void worker_wait(struct worker *worker)
{
	struct pool *pool = worker->pool;
	uint32_t seen = atomic_load(&pool->posted);

	pthread_mutex_unlock(&pool->lock);
	worker_spin(worker, seen);
	pthread_mutex_lock(&pool->lock);
	while (!pool->quit && atomic_load(&pool->posted) == seen)
		pthread_cond_wait(&pool->wake, &pool->lock);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct pool *pool = worker->pool;
	struct pool_job *job;

	pthread_mutex_lock(&pool->lock);
	while (!pool->quit) {
		job = find_job(pool);
		if (!job) {
			worker_wait(worker);
			continue;
		}
		atomic_fetch_add(&job->active, 1);
		pthread_mutex_unlock(&pool->lock);
		job_work(pool, job, worker->ctx);
		pthread_mutex_lock(&pool->lock);
		if (atomic_fetch_sub(&job->active, 1) == 1)
			pthread_cond_broadcast(&pool->left);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/*
 * A thread that wakes while the other processors are busy for a moment is put beside the one that woke it, and the
 * scheduler leaves it there for many milliseconds: two threads then take turns where either would have had a processor.
 * So the workers keep off the processor of the thread that brings them work.
 */
static void keep_off(struct pool *pool)
{
	int here = sched_getcpu();
	unsigned int i;
	cpu_set_t set;

	if (here == pool->poster || here < 0 || here >= CPU_SETSIZE ||
	    pthread_getaffinity_np(pthread_self(), sizeof(set), &set))
		return;
	pool->poster = here;
	CPU_CLR(here, &set);
	if (!CPU_COUNT(&set))
		return;
	/* Where it is refused, things stay as they are. */
	for (i = 0; i < pool->workers; i++)
		pthread_setaffinity_np(pool->worker[i].thread, sizeof(set), &set);
}

static void job_link(struct pool *pool, struct pool_job *job)
{
	struct pool_job **tail;

	pthread_mutex_lock(&pool->lock);
	keep_off(pool);
	for (tail = &pool->jobs; *tail; tail = &(*tail)->link)
		;
	*tail = job;
	atomic_fetch_add(&pool->posted, 1);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_broadcast(&pool->wake);
}

/* Until those who work on the job have left it, or not for much longer. */
static void job_spin(struct pool_job *job)
{
	uint64_t end = core_now_ns() + SPIN_LEAVE_NS;
	unsigned int i;

	while (atomic_load_explicit(&job->active, memory_order_relaxed) && core_now_ns() < end)
		for (i = 0; i < 16; i++)
			__builtin_ia32_pause();
}

/* Off the list nobody can join; then wait for those who have. */
static void job_unlink(struct pool *pool, struct pool_job *job)
{
	struct pool_job **at;

	job_spin(job);
	pthread_mutex_lock(&pool->lock);
	for (at = &pool->jobs; *at != job; at = &(*at)->link)
		;
	*at = job->link;
	while (atomic_load(&job->active))
		pthread_cond_wait(&pool->left, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

uint32_t pool_run(struct pool *pool, struct pool_job *job, struct dma_ctx *ctx, bool helped,
		  struct dma_fault *fault)
{
	bool shared = helped && pool->workers && job->tiles > 1;

	job->next = 0;
	atomic_init(&job->active, 0);
	job->fault_tile = UINT64_MAX;
	job->link = NULL;
	if (shared)
		job_link(pool, job);
	job_work(pool, job, ctx);
	if (shared)
		job_unlink(pool, job);

	if (atomic_load_explicit(job->abort, memory_order_relaxed))
		return dma_fail(fault, QUILL_FAULT_KILLED, 0, 0);
	if (job->fault_tile == UINT64_MAX)
		return QUILL_FAULT_NONE;
	*fault = job->fault;
	return fault->fault;
}

struct pool *pool_new(struct quill_emu *emu, unsigned int workers)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	char name[16];

	if (!pool)
		return NULL;
	pool->emu = emu;
	pool->poster = -1;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->wake, NULL);
	pthread_cond_init(&pool->left, NULL);
	while (pool->workers < workers) {
		struct worker *worker = &pool->worker[pool->workers];

		worker->pool = pool;
		worker->spin_ns = SPIN_MIN_NS;
		worker->ctx = dma_ctx_new(emu);
		snprintf(name, sizeof(name), "quill-w%u", pool->workers);
		if (!worker->ctx || core_thread(&worker->thread, name, worker_main, worker)) {
			pool_free(pool);
			return NULL;
		}
		pool->workers++;
	}
	return pool;
}

/* Nobody runs a job any more. The contexts go with the device's others. */
void pool_free(struct pool *pool)
{
	unsigned int i;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->quit = true;
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_broadcast(&pool->wake);
	for (i = 0; i < pool->workers; i++)
		pthread_join(pool->worker[i].thread, NULL);
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->wake);
	pthread_cond_destroy(&pool->left);
	free(pool);
}
