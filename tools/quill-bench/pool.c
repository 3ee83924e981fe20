// SPDX-License-Identifier: MIT
/* Threads for what is measured beside the device, which has its own. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MAX_THREADS	64

/*
 * The counter holds the run's number, its pieces and the next piece to take, so that a thread that wakes late
 * finds nothing to do, and nobody waits for it.
 */
#define PIECE_BITS	20
#define PIECE_MASK	((1ull << PIECE_BITS) - 1)

struct bench_pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned int threads;
	int caller;		/* the processor that the threads keep off; see emu/core/pool.c */
	pthread_t thread[MAX_THREADS];
	void (*work)(void *arg, uint32_t piece);
	void *arg;
	_Atomic uint64_t counter;
	_Atomic uint32_t done;
	atomic_bool stop;
};

static uint64_t counter_of(uint64_t run, uint64_t pieces)
{
	return run << (2 * PIECE_BITS) | pieces << PIECE_BITS;
}

static uint64_t run_of(struct bench_pool *p)
{
	return atomic_load(&p->counter) >> (2 * PIECE_BITS);
}

static void take(struct bench_pool *p)
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
static uint64_t wait_for_run(struct bench_pool *p, uint64_t seen)
{
	unsigned int i;

	for (i = 0; i < 5000 && run_of(p) == seen; i++)
		__builtin_ia32_pause();
	if (run_of(p) != seen)
		return run_of(p);
	pthread_mutex_lock(&p->lock);
	while (run_of(p) == seen)
		pthread_cond_wait(&p->wake, &p->lock);
	pthread_mutex_unlock(&p->lock);
	return run_of(p);
}

static void *thread_main(void *arg)
{
	struct bench_pool *p = arg;
	uint64_t seen = 0;

	for (;;) {
		seen = wait_for_run(p, seen);
		if (atomic_load(&p->stop))
			return NULL;
		take(p);
	}
}

static void keep_off(struct bench_pool *p)
{
	int here = sched_getcpu();
	unsigned int i;
	cpu_set_t set;

	if (here == p->caller || here < 0 || here >= CPU_SETSIZE ||
	    sched_getaffinity(0, sizeof(set), &set))
		return;
	p->caller = here;
	CPU_CLR(here, &set);
	for (i = 1; i < p->threads && CPU_COUNT(&set); i++)
		pthread_setaffinity_np(p->thread[i], sizeof(set), &set);
}

void bench_pool_run(struct bench_pool *p, void (*work)(void *, uint32_t), void *arg,
		    uint32_t pieces)
{
	p->work = work;
	p->arg = arg;
	atomic_store(&p->done, 0);
	keep_off(p);
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->counter, counter_of(run_of(p) + 1, pieces));
	if (p->threads > 1)
		pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	take(p);
	while (atomic_load(&p->done) < pieces)
		__builtin_ia32_pause();
}

unsigned int bench_pool_threads(const struct bench_pool *p)
{
	return p->threads;
}

struct bench_pool *bench_pool_new(unsigned int threads)
{
	struct bench_pool *p = calloc(1, sizeof(*p));

	if (!p || !threads || threads > MAX_THREADS) {
		free(p);
		return NULL;
	}
	p->caller = -1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	for (p->threads = 1; p->threads < threads; p->threads++) {
		int err = pthread_create(&p->thread[p->threads], NULL, thread_main, p);

		if (err) {
			fprintf(stderr, "quill-bench: cannot start a thread: %s\n", strerror(err));
			bench_pool_free(p);
			return NULL;
		}
	}
	return p;
}

void bench_pool_free(struct bench_pool *p)
{
	if (!p)
		return;
	atomic_store(&p->stop, true);
	bench_pool_run(p, NULL, NULL, 0);
	while (--p->threads)
		pthread_join(p->thread[p->threads], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
