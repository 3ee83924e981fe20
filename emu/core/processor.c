// SPDX-License-Identifier: MIT
/*
 * The control processor's thread: boots, runs the interpreter, and sleeps where the firmware does.
 *
 * Off, it waits to be asked to boot. In WFI it waits for its interrupt line, or for the time in its
 * timer; while engines work for it, it first waits awake for a moment, since what they do is often over
 * sooner than a thread is put to sleep and woken.
 *
 * To wake a thread that sleeps takes longer than an empty job. So the thread that writes a doorbell, if the host lets
 * it, takes the processor from the sleeping thread, runs it for a moment, and gives it back: to sleep on, or to go on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core.h"

/* Instructions between looks at the timer and the stop flag. */
#define SLICE		65536u
#define SPIN_MIN_NS	1000u
#define SPIN_MAX_NS	20000u
/* How long a processor is lent, and the instructions between looks at the clock. */
#define LEND_NS		100000u
#define LEND_SLICE	2048u
/* A timer that is further away is looked at again after this. */
#define MAX_SLEEP_US	3600000000ull

uint64_t processor_time_us(struct core *core)
{
	return (core_now_ns() - core->emu->power_on_ns) / 1000;
}

/* Set the interrupt line to what its sources say. Under the core's lock. */
void processor_irq(struct core *core)
{
	bool level = core_irq_pending(core) & core->irq_enable;

	if (level == atomic_load_explicit(&core->irq, memory_order_relaxed))
		return;
	atomic_store_explicit(&core->irq, level, memory_order_release);
	rv32_irq(core->cpu, level);
	/* who has it sees the line */
	if (level && core->place != PROCESSOR_LENT)
		pthread_cond_signal(&core->wake);
}

static void timer_locked(struct core *core)
{
	if (!core->timer_armed || processor_time_us(core) < core->timer)
		return;
	core->timer_armed = false;
	core->irq_latched |= QUILL_CB_IRQ_TIMER;
	processor_irq(core);
}

void processor_timer(struct core *core)
{
	pthread_mutex_lock(&core->lock);
	timer_locked(core);
	pthread_mutex_unlock(&core->lock);
}

static bool must_wake(struct core *core)
{
	return atomic_load_explicit(&core->irq, memory_order_acquire) ||
	       atomic_load_explicit(&core->stop, memory_order_relaxed) ||
	       atomic_load_explicit(&core->pause, memory_order_relaxed);
}

/* Wait awake, for longer where that has paid and for shorter where it has not. */
static void spin(struct core *core)
{
	uint64_t end = core_now_ns() + core->spin_ns;
	unsigned int i;

	while (!must_wake(core) && core_now_ns() < end)
		for (i = 0; i < 16; i++)
			__builtin_ia32_pause();
	if (must_wake(core))
		core->spin_ns = core->spin_ns * 2 < SPIN_MAX_NS ? core->spin_ns * 2 : SPIN_MAX_NS;
	else
		core->spin_ns = core->spin_ns / 2 > SPIN_MIN_NS ? core->spin_ns / 2 : SPIN_MIN_NS;
}

/* Sleep until woken or the timer's time. Under the core's lock. */
static void sleep_locked(struct core *core)
{
	uint64_t now = processor_time_us(core);
	uint64_t until = core->timer;
	struct timespec at;

	core->alarm = core->timer_armed ? until : UINT64_MAX;
	if (!core->timer_armed) {
		pthread_cond_wait(&core->wake, &core->lock);
		return;
	}
	if (until <= now) {
		timer_locked(core);
		return;
	}
	if (until - now > MAX_SLEEP_US)
		until = now + MAX_SLEEP_US;
	/* the condition's clock is the one that power_on_ns was read from */
	until = until * 1000 + core->emu->power_on_ns + 999;
	at.tv_sec = until / 1000000000;
	at.tv_nsec = until % 1000000000;
	pthread_cond_timedwait(&core->wake, &core->lock, &at);
	timer_locked(core);
}

static void wait_for_interrupt(struct core *core)
{
	if (!must_wake(core) && issue_any_busy(core))
		spin(core);

	pthread_mutex_lock(&core->lock);
	core->place = PROCESSOR_ASLEEP;
	while (core->place != PROCESSOR_OWN) {
		if (core->place == PROCESSOR_ASLEEP && must_wake(core))
			core->place = PROCESSOR_OWN;
		else
			sleep_locked(core);
	}
	pthread_mutex_unlock(&core->lock);
}

bool processor_take(struct core *core)
{
	if (core->place != PROCESSOR_ASLEEP || atomic_load(&core->stop) || atomic_load(&core->pause) ||
	    atomic_load(&core->stuck))
		return false;
	core->place = PROCESSOR_LENT;
	return true;
}

static void publish(struct core *core)
{
	atomic_store_explicit(&core->pc, rv32_pc(core->cpu), memory_order_relaxed);
	atomic_store_explicit(&core->insn, rv32_instret(core->cpu), memory_order_relaxed);
}

void processor_lent(struct core *core)
{
	uint64_t end = core_now_ns() + LEND_NS;
	enum rv32_stop why;
	bool sleeps;

	do {
		why = rv32_run(core->cpu, LEND_SLICE);
		publish(core);
	} while ((why == RV32_BUDGET || (why == RV32_WFI && must_wake(core))) && core_now_ns() < end);

	pthread_mutex_lock(&core->lock);
	sleeps = why == RV32_WFI && !must_wake(core);
	core->place = sleeps ? PROCESSOR_ASLEEP : PROCESSOR_OWN;
	if (!sleeps || (core->timer_armed && core->timer < core->alarm))
		pthread_cond_signal(&core->wake);
	pthread_mutex_unlock(&core->lock);
}

static void set_status(struct core *core, uint32_t status, uint32_t error)
{
	pthread_mutex_lock(&core->lock);
	core->status = status;
	core->error = error;
	pthread_mutex_unlock(&core->lock);
	core_event(core->emu, CORE, core->id, status, error);
}

/* The processor is lost: say so in every way there is. */
static void dead(struct core *core)
{
	uint32_t cause, value;

	rv32_cause(core->cpu, &cause, &value);
	core_trace(core->emu, "core %u: fatal trap: cause %u, value 0x%x, pc 0x%x, ra 0x%x",
		   core->id, cause, value, rv32_pc(core->cpu), rv32_reg(core->cpu, 1));
	set_status(core, QUILL_CORE_PANIC, CORE_ERROR_TRAP | cause);
	core->emu->ops.msix(core->emu->opaque, QUILL_VECTOR_ADMIN);
}

/* Until it is stopped, or has to stand still for another reason. */
static void stand_still(struct core *core)
{
	pthread_mutex_lock(&core->lock);
	while (!atomic_load(&core->stop) && !atomic_load(&core->pause))
		pthread_cond_wait(&core->wake, &core->lock);
	pthread_mutex_unlock(&core->lock);
}

/* Return: true: left for a pause, to be gone on with. */
static bool run(struct core *core)
{
	enum rv32_stop why;

	while (!atomic_load_explicit(&core->stop, memory_order_acquire)) {
		if (atomic_load_explicit(&core->pause, memory_order_acquire))
			return true;
		if (atomic_load_explicit(&core->stuck, memory_order_relaxed)) {
			stand_still(core);
			continue;
		}
		why = rv32_run(core->cpu, SLICE);
		publish(core);
		if (why == RV32_DEAD) {
			dead(core);
			return false;
		}
		if (why == RV32_WFI)
			wait_for_interrupt(core);
		else
			processor_timer(core);
	}
	return false;
}

static bool boot(struct core *core)
{
	uint32_t entry, error;

	/* told here, so that it comes before what the firmware says of itself */
	core_event(core->emu, CORE, core->id, QUILL_CORE_BOOTING);
	error = boot_rom(core, &entry);
	if (error) {
		set_status(core, QUILL_CORE_BOOT_FAILED, error);
		return false;
	}
	rv32_reset(core->cpu, entry);
	pthread_mutex_lock(&core->lock);
	rv32_irq(core->cpu, atomic_load(&core->irq));
	pthread_mutex_unlock(&core->lock);
	return run(core);
}

static void *processor_main(void *arg)
{
	struct core *core = arg;
	bool boots, more;

	pthread_mutex_lock(&core->lock);
	while (!core->quit) {
		if ((!core->run && !core->frozen) || atomic_load(&core->pause)) {
			pthread_cond_wait(&core->wake, &core->lock);
			continue;
		}
		boots = core->run;
		core->run = false;
		core->frozen = false;
		pthread_mutex_unlock(&core->lock);
		more = boots ? boot(core) : run(core);
		pthread_mutex_lock(&core->lock);
		core->frozen = more && !atomic_load(&core->stop);
		core->active = core->frozen;
		pthread_cond_broadcast(&core->idle);
	}
	pthread_mutex_unlock(&core->lock);
	return NULL;
}

/* Stop processor and engines and forget their work. The supervisor only, as all from here on. */
void processor_stop(struct core *core)
{
	bool was_on;

	atomic_store(&core->stop, true);
	rv32_stop(core->cpu);
	/* It may be executing a command itself. */
	issue_abort_all(core);
	pthread_mutex_lock(&core->lock);
	/* What has not begun, or stands still, needs no waiting for. */
	if (core->run || core->frozen)
		core->active = false;
	core->run = false;
	core->frozen = false;
	pthread_cond_broadcast(&core->wake);
	while (core->active)
		pthread_cond_wait(&core->idle, &core->lock);
	pthread_mutex_unlock(&core->lock);
	issue_drop(core);

	issue_reset(core);
	cb_reset(core);
	pthread_mutex_lock(&core->lock);
	was_on = core->status != QUILL_CORE_OFF;
	core->status = QUILL_CORE_OFF;
	core->error = 0;
	atomic_store(&core->stuck, false);
	processor_irq(core);
	pthread_mutex_unlock(&core->lock);
	if (was_on)
		core_event(core->emu, CORE, core->id, QUILL_CORE_OFF);
	atomic_store(&core->stop, false);
}

/* Boot a stopped processor. Under the core's lock. */
void processor_start(struct core *core)
{
	core->status = QUILL_CORE_BOOTING;
	core->error = 0;
	core->active = true;
	core->run = true;
	pthread_cond_signal(&core->wake);
}

/*
 * Let the processor stand still between two instructions and the engines behind the commands that they are at. Returns
 * when they do.
 */
void processor_pause(struct core *core)
{
	atomic_store(&core->pause, true);
	rv32_stop(core->cpu);
	pthread_mutex_lock(&core->lock);
	pthread_cond_broadcast(&core->wake);
	while ((core->active && !core->run && !core->frozen) || issue_any_runs(core))
		pthread_cond_wait(&core->idle, &core->lock);
	pthread_mutex_unlock(&core->lock);
}

void processor_resume(struct core *core)
{
	pthread_mutex_lock(&core->lock);
	rv32_go(core->cpu);
	atomic_store(&core->pause, false);
	pthread_cond_broadcast(&core->wake);
	issue_kick(core);
	pthread_mutex_unlock(&core->lock);
}

int processor_init(struct core *core)
{
	pthread_condattr_t monotonic;
	char name[16];

	core->spin_ns = SPIN_MIN_NS;
	core->retire_level = 1;
	pthread_mutex_init(&core->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&core->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&core->idle, NULL);

	core->tcm = calloc(1, QUILL_RV_TCM_SIZE);
	core->ctx = dma_ctx_new(core->emu);
	if (!core->tcm || !core->ctx)
		return -ENOMEM;
	core->cpu = rv32_new(core->tcm, &cb_bus, core);
	if (!core->cpu || issue_init(core))
		return -ENOMEM;
	snprintf(name, sizeof(name), "quill-c%u", core->id);
	if (core_thread(&core->thread, name, processor_main, core))
		return -EAGAIN;
	core->threaded = true;
	return 0;
}

/* What processor_init() made, as far as it came. The core is stopped. */
void processor_fini(struct core *core)
{
	pthread_mutex_lock(&core->lock);
	core->quit = true;
	pthread_cond_broadcast(&core->wake);
	pthread_mutex_unlock(&core->lock);
	issue_fini(core);
	if (core->threaded)
		pthread_join(core->thread, NULL);
	if (core->cpu)
		rv32_free(core->cpu);
	slot_fini(core);
	free(core->tcm);
	pthread_cond_destroy(&core->wake);
	pthread_cond_destroy(&core->idle);
	pthread_mutex_destroy(&core->lock);
}
