// SPDX-License-Identifier: MIT
/*
 * The device as a whole: made, reset, destroyed.
 *
 * Whatever stops threads is done by one thread, the supervisor: a register write asks it and returns,
 * quill_emu_reset() asks it and waits. So no caller of the device, who may hold locks that the device's own
 * threads want, ever stands between a thread and its end, and two resets never meet.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core.h"

#define MIN_MEM	(1ull << 20)
/* The largest that a 52-bit page-table address can reach is far more; this is what a host can reserve. */
#define MAX_MEM	(1ull << 40)

uint64_t core_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void core_trace(struct quill_emu *emu, const char *fmt, ...)
{
	char line[256];
	va_list args;

	if (!emu->ops.trace)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	emu->ops.trace(emu->opaque, line);
}

/* A thread that takes no signals: they are its host's. */
int core_thread(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_setname_np(*thread, name);
	return err;
}

/* ---- The supervisor ---- */

struct device_call {
	void (*fn)(struct quill_emu *emu, void *arg);
	void *arg;
	bool done;
};

/* Stop a core. Whether it was at work, so that this counts as a reset. */
static bool halt_core(struct core *core)
{
	bool counts;

	pthread_mutex_lock(&core->lock);
	counts = core->status != QUILL_CORE_OFF && core->status != QUILL_CORE_BOOT_FAILED;
	pthread_mutex_unlock(&core->lock);
	processor_stop(core);
	return counts;
}

void device_reset(struct quill_emu *emu)
{
	unsigned int i;

	for (i = 0; i < emu->cores; i++) {
		struct core *core = &emu->core[i];

		halt_core(core);
		pthread_mutex_lock(&core->lock);
		core->fw_addr = 0;
		core->fw_size = 0;
		core->boot_args = 0;
		core->want_stop = false;
		core->want_start = false;
		pthread_mutex_unlock(&core->lock);
		atomic_store(&core->pc, 0);
		atomic_store(&core->insn, 0);
	}
	mmu_reset(emu);
	atomic_store(&emu->inject.stuck_invalidate, false);
	atomic_fetch_add(&emu->reset_count, 1);
	core_event(emu, RESET, atomic_load(&emu->reset_count));
}

static void serve_core(struct core *core)
{
	bool wanted;

	pthread_mutex_lock(&core->lock);
	wanted = core->want_stop || core->want_start;
	pthread_mutex_unlock(&core->lock);
	if (!wanted)
		return;

	if (halt_core(core))
		atomic_fetch_add(&core->emu->reset_count, 1);
	pthread_mutex_lock(&core->lock);
	/* What was asked for meanwhile is served by the stop that just was. */
	if (core->want_start)
		processor_start(core);
	core->want_stop = false;
	core->want_start = false;
	pthread_mutex_unlock(&core->lock);
}

/* What somebody wants done between resets. Under the device's lock, which is let go meanwhile. */
static bool serve_call(struct quill_emu *emu)
{
	struct device_call *call = emu->call;

	if (!call)
		return false;
	pthread_mutex_unlock(&emu->lock);
	call->fn(emu, call->arg);
	pthread_mutex_lock(&emu->lock);
	call->done = true;
	emu->call = NULL;
	pthread_cond_broadcast(&emu->done);
	return true;
}

/* Serve one request, if there is one. Under the device's lock, which is let go meanwhile. */
static bool serve(struct quill_emu *emu)
{
	uint64_t wanted = emu->resets_wanted;
	unsigned int i;

	if (wanted != emu->resets_done) {
		pthread_mutex_unlock(&emu->lock);
		device_reset(emu);
		pthread_mutex_lock(&emu->lock);
		emu->resets_done = wanted;
		if (emu->resets_wanted == wanted)
			atomic_store(&emu->resetting, false);
		pthread_cond_broadcast(&emu->done);
		return true;
	}
	if (!emu->cores_wanted)
		return serve_call(emu);
	emu->cores_wanted = false;
	pthread_mutex_unlock(&emu->lock);
	for (i = 0; i < emu->cores; i++)
		serve_core(&emu->core[i]);
	pthread_mutex_lock(&emu->lock);
	return true;
}

static void *supervisor_main(void *arg)
{
	struct quill_emu *emu = arg;

	pthread_mutex_lock(&emu->lock);
	while (!emu->quit)
		if (!serve(emu))
			pthread_cond_wait(&emu->wake, &emu->lock);
	pthread_mutex_unlock(&emu->lock);
	return NULL;
}

static uint64_t request_reset(struct quill_emu *emu)
{
	uint64_t ticket = ++emu->resets_wanted;

	atomic_store(&emu->resetting, true);
	pthread_cond_signal(&emu->wake);
	return ticket;
}

void device_request_reset(struct quill_emu *emu)
{
	pthread_mutex_lock(&emu->lock);
	request_reset(emu);
	pthread_mutex_unlock(&emu->lock);
}

void device_request_core(struct core *core, bool stop, bool start)
{
	struct quill_emu *emu = core->emu;

	if (!stop && !start)
		return;
	pthread_mutex_lock(&emu->lock);
	/* A reset forgets what is asked while it runs. */
	if (!atomic_load(&emu->resetting)) {
		pthread_mutex_lock(&core->lock);
		if (stop) {
			core->want_stop = true;
			core->want_start = false;
		}
		if (start)
			core->want_start = true;
		pthread_mutex_unlock(&core->lock);
		emu->cores_wanted = true;
		pthread_cond_signal(&emu->wake);
	}
	pthread_mutex_unlock(&emu->lock);
}

void quill_emu_reset(struct quill_emu *emu)
{
	uint64_t ticket;

	pthread_mutex_lock(&emu->lock);
	ticket = request_reset(emu);
	while (emu->resets_done < ticket)
		pthread_cond_wait(&emu->done, &emu->lock);
	pthread_mutex_unlock(&emu->lock);
}

/* Have the supervisor do something, after what was asked of it before, and wait. */
void device_call(struct quill_emu *emu, void (*fn)(struct quill_emu *emu, void *arg), void *arg)
{
	struct device_call call = { .fn = fn, .arg = arg };

	pthread_mutex_lock(&emu->lock);
	while (emu->call)
		pthread_cond_wait(&emu->done, &emu->lock);
	emu->call = &call;
	pthread_cond_signal(&emu->wake);
	while (!call.done)
		pthread_cond_wait(&emu->done, &emu->lock);
	pthread_mutex_unlock(&emu->lock);
}

/* ---- Standing still ---- */

static void pause_device(struct quill_emu *emu, void *unused)
{
	unsigned int i;

	if (emu->paused)
		return;
	for (i = 0; i < emu->cores; i++)
		processor_pause(&emu->core[i]);
	emu->paused = true;
	emu->paused_ns = core_now_ns();
}

static void resume_device(struct quill_emu *emu, void *unused)
{
	unsigned int i;

	if (!emu->paused)
		return;
	atomic_fetch_add(&emu->power_on_ns, core_now_ns() - emu->paused_ns);
	emu->paused = false;
	for (i = 0; i < emu->cores; i++)
		processor_resume(&emu->core[i]);
}

void quill_emu_pause(struct quill_emu *emu)
{
	device_call(emu, pause_device, NULL);
}

void quill_emu_resume(struct quill_emu *emu)
{
	device_call(emu, resume_device, NULL);
}

/* ---- Made and destroyed ---- */

static struct quill_emu *fail(char *err, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static struct quill_emu *fail(char *err, size_t size, const char *fmt, ...)
{
	va_list args;

	if (!err || !size)
		return NULL;
	va_start(args, fmt);
	vsnprintf(err, size, fmt, args);
	va_end(args);
	return NULL;
}

static bool check_config(const struct quill_emu_config *c, char *err, size_t size)
{
	if (c->mem < MIN_MEM || c->mem > MAX_MEM || c->mem & (c->mem - 1)) {
		fail(err, size, "mem: found %llu bytes, required a power of two, %llu to %llu",
		     (unsigned long long)c->mem, MIN_MEM, MAX_MEM);
		return false;
	}
	if (c->cores < 1 || c->cores > QUILL_MAX_CORES) {
		fail(err, size, "cores: found %u, required 1 to %u", c->cores, QUILL_MAX_CORES);
		return false;
	}
	if (c->queues < c->cores || c->queues > QUILL_MAX_QUEUES) {
		fail(err, size, "queues: found %u, required %u (one a core) to %u", c->queues,
		     c->cores, QUILL_MAX_QUEUES);
		return false;
	}
	if (c->threads > CORE_MAX_THREADS) {
		fail(err, size, "threads: found %u, required 0 (one a host processor) to %u",
		     c->threads, CORE_MAX_THREADS);
		return false;
	}
	return true;
}

static uint32_t default_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n < CORE_MAX_THREADS ? n : CORE_MAX_THREADS;
}

/* All that can be taken back by quill_emu_destroy(), as far as it comes. */
static bool build(struct quill_emu *emu, char *err, size_t size)
{
	unsigned int i;

	emu->mem = mmap(NULL, emu->mem_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (emu->mem == MAP_FAILED) {
		emu->mem = NULL;
		fail(err, size, "device memory: %llu bytes: %s", (unsigned long long)emu->mem_size,
		     strerror(errno));
		return false;
	}
	/* The thread that brings a job counts as one of them. */
	emu->pool = pool_new(emu, emu->threads - 1);
	if (!emu->pool) {
		fail(err, size, "cannot start %u worker threads", emu->threads - 1);
		return false;
	}
	for (i = 0; i < emu->cores; i++) {
		emu->core[i].emu = emu;
		emu->core[i].id = i;
		if (processor_init(&emu->core[i])) {
			fail(err, size, "core %u: not enough memory or threads", i);
			return false;
		}
	}
	if (core_thread(&emu->supervisor, "quill-super", supervisor_main, emu)) {
		fail(err, size, "cannot start the supervisor thread");
		return false;
	}
	emu->supervised = true;
	return true;
}

struct quill_emu *quill_emu_create(const struct quill_emu_config *config,
				   const struct quill_emu_ops *ops, void *opaque,
				   char *err, size_t err_size)
{
	struct quill_emu *emu;

	if (!ops->dma_map || !ops->dma_unmap || !ops->msix)
		return fail(err, err_size, "ops: required dma_map, dma_unmap and msix");
	if (!check_config(config, err, err_size))
		return NULL;

	emu = calloc(1, sizeof(*emu));
	if (!emu)
		return fail(err, err_size, "not enough memory");
	emu->ops = *ops;
	emu->opaque = opaque;
	emu->mem_size = config->mem;
	emu->lend = config->lend;
	emu->cores = config->cores;
	emu->queues = config->queues;
	emu->threads = config->threads ? config->threads : default_threads();
	emu->kernels = quill_engine_get(config->kernels);
	snprintf(emu->profile_name, sizeof(emu->profile_name), "%s",
		 config->profile ? config->profile : profile_builtin[0].name);
	emu->power_on_ns = core_now_ns();
	mmu_init(emu);
	pthread_mutex_init(&emu->lock, NULL);
	pthread_cond_init(&emu->wake, NULL);
	pthread_cond_init(&emu->done, NULL);

	if (!emu->kernels)
		fail(err, err_size, "kernels: found \"%s\", required \"scalar\", or \"avx2\" or "
		     "\"avx512\" where the processor has them", config->kernels);
	else if (quill_emu_inject(emu, config->inject, err, err_size) &&
		 profile_load(&emu->profile, config->profile, err, err_size) &&
		 build(emu, err, err_size))
		return emu;
	quill_emu_destroy(emu);
	return NULL;
}

static void join_supervisor(struct quill_emu *emu)
{
	if (!emu->supervised)
		return;
	quill_emu_reset(emu);
	pthread_mutex_lock(&emu->lock);
	emu->quit = true;
	pthread_cond_signal(&emu->wake);
	pthread_mutex_unlock(&emu->lock);
	pthread_join(emu->supervisor, NULL);
}

void quill_emu_destroy(struct quill_emu *emu)
{
	unsigned int i;

	if (!emu)
		return;
	join_supervisor(emu);
	for (i = 0; i < emu->cores; i++)
		if (emu->core[i].emu)
			processor_fini(&emu->core[i]);
	pool_free(emu->pool);
	for (i = 0; i < emu->mmu.ctxs; i++)
		dma_ctx_free(emu->mmu.ctx[i]);
	if (emu->mem)
		munmap(emu->mem, emu->mem_size);
	mmu_fini(emu);
	pthread_cond_destroy(&emu->wake);
	pthread_cond_destroy(&emu->done);
	pthread_mutex_destroy(&emu->lock);
	free(emu);
}

void *quill_emu_mem(struct quill_emu *emu)
{
	return emu->mem;
}

unsigned int quill_emu_abi(void)
{
	return QUILL_EMU_ABI;
}
