// SPDX-License-Identifier: MIT
/*
 * Slots: what belongs to one job alone, and whose command an engine takes next.
 *
 * Among slots of one class device time is shared out evenly. Each lane counts the device time that its slot has
 * had of the engine, and the one that has had least is next. One that had nothing to do meanwhile does not save up:
 * when it comes back, it counts as having had what the others had. Nothing here moves a job's own
 * device time, which starts at zero in each job and knows of no other.
 */
#include <string.h>
#include <sys/mman.h>

#include "core.h"

/* SLOT was written. */
void slot_select(struct core *core, uint32_t value)
{
	uint32_t slot = value & QUILL_SLOT_MASK, class = value >> QUILL_SLOT_CLASS_SHIFT;

	if (slot >= QUILL_SLOTS || class >= QUILL_CLASSES) {
		core_trace(core->emu, "core %u: SLOT: found slot %u class %u, required below %u and %u",
			   core->id, slot, class, QUILL_SLOTS, QUILL_CLASSES);
		return;
	}
	core->ports.slot = slot;
	if (core->slot[slot].class == class)
		return;
	pthread_mutex_lock(&core->lock);
	core->slot[slot].class = class;
	issue_kick(core);
	pthread_mutex_unlock(&core->lock);
}

/* ---- Whose turn it is in an engine; under the core's lock ---- */

bool slot_may_start(const struct core *core, unsigned int slot)
{
	unsigned int class = core->slot[slot].class;

	return class >= core->floor && class >= core->db_floor;
}

/* The slot whose command is next, or -1. */
int slot_next(const struct engine *engine)
{
	const struct core *core = engine->core;
	const struct slot *s, *best = NULL;
	uint64_t waiting = engine->waiting;

	for (; waiting; waiting &= waiting - 1) {
		s = &core->slot[__builtin_ctzll(waiting)];
		if (!slot_may_start(core, s - core->slot))
			continue;
		if (!best || s->class > best->class ||
		    (s->class == best->class &&
		     s->lane[engine->id].served < best->lane[engine->id].served))
			best = s;
	}
	return best ? best - core->slot : -1;
}

void slot_push(struct engine *engine, const struct issued *cmd)
{
	struct lane *lane = &engine->core->slot[cmd->slot].lane[engine->id];

	if (!lane->count && lane->served < engine->served)
		lane->served = engine->served;
	lane->fifo[(lane->head + lane->count++) % QUILL_ENGINE_FIFO] = *cmd;
	engine->waiting |= 1ull << cmd->slot;
}

/* The first of @slot's commands leaves its FIFO. */
void slot_take(struct engine *engine, unsigned int slot, struct issued *cmd)
{
	struct lane *lane = &engine->core->slot[slot].lane[engine->id];

	*cmd = lane->fifo[lane->head];
	lane->head = (lane->head + 1) % QUILL_ENGINE_FIFO;
	if (!--lane->count)
		engine->waiting &= ~(1ull << slot);
}

/* @cmd starts. */
void slot_serve(struct engine *engine, const struct issued *cmd)
{
	struct lane *lane = &engine->core->slot[cmd->slot].lane[engine->id];

	engine->running = true;
	engine->slot = cmd->slot;
	if (engine->served < lane->served)
		engine->served = lane->served;
	lane->served = engine->served + cmd->cycles;
}

/* Engines that have a command of @slot. */
uint32_t slot_busy(struct core *core, unsigned int slot)
{
	uint32_t mask = 0;
	unsigned int i;

	pthread_mutex_lock(&core->lock);
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		if (core->slot[slot].lane[i].count ||
		    (core->engine[i].running && core->engine[i].slot == slot))
			mask |= 1u << i;
	pthread_mutex_unlock(&core->lock);
	return mask;
}

/* ---- Scratchpads ---- */

static uint8_t *new_sram(struct core *core)
{
	void *ptr;

	if (core->spare_srams)
		return core->spare_sram[--core->spare_srams];
	ptr = mmap(NULL, core->emu->profile.sram_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return ptr == MAP_FAILED ? NULL : ptr;
}

/* @slot's scratchpad, which it gets when it first looks for it; NULL: the host has no memory. */
uint8_t *slot_sram(struct core *core, unsigned int slot)
{
	struct slot *s = &core->slot[slot];
	uint8_t *sram = atomic_load_explicit(&s->sram, memory_order_acquire);

	if (sram)
		return sram;
	pthread_mutex_lock(&core->lock);
	sram = atomic_load_explicit(&s->sram, memory_order_relaxed);
	if (!sram) {
		sram = new_sram(core);
		atomic_store_explicit(&s->sram, sram, memory_order_release);
	}
	pthread_mutex_unlock(&core->lock);
	return sram;
}

/* Clear what the job wrote to its scratchpad. */
static void clear_sram(struct core *core, struct slot *s)
{
	uint32_t size = core->emu->profile.sram_size;
	uint8_t *sram = atomic_load(&s->sram);
	unsigned int word, bit;
	uint64_t dirty, at;

	if (!sram)
		return;
	for (word = 0; word < SRAM_MAX_GRANULES / 64; word++) {
		dirty = atomic_exchange(&s->sram_dirty[word], 0);
		for (; dirty; dirty &= dirty - 1) {
			bit = __builtin_ctzll(dirty);
			at = (word * 64 + bit) * (uint64_t)SRAM_GRANULE;
			memset(sram + at, 0, size - at < SRAM_GRANULE ? size - at : SRAM_GRANULE);
		}
	}
}

static void give_up_sram(struct core *core, struct slot *s)
{
	uint8_t *sram;

	clear_sram(core, s);
	pthread_mutex_lock(&core->lock);
	sram = atomic_exchange(&s->sram, NULL);
	if (sram)
		core->spare_sram[core->spare_srams++] = sram;
	pthread_mutex_unlock(&core->lock);
}

/* ---- A job's bounds ---- */

/* The selected slot, if no engine has a command of it. */
static struct slot *idle_slot(struct core *core, const char *what)
{
	uint32_t busy = slot_busy(core, core->ports.slot);

	if (!busy)
		return &core->slot[core->ports.slot];
	core_trace(core->emu, "core %u: %s of slot %u: found busy engines 0x%x, required none",
		   core->id, what, core->ports.slot, busy);
	return NULL;
}

void slot_job_begin(struct core *core)
{
	struct slot *s = idle_slot(core, "JOB_BEGIN");

	if (!s)
		return;
	pthread_mutex_lock(&core->lock);
	counters_reset(s);
	pthread_mutex_unlock(&core->lock);
	clear_sram(core, s);
}

void slot_job_end(struct core *core)
{
	struct slot *s = idle_slot(core, "JOB_END");

	if (s)
		give_up_sram(core, s);
}

/* ---- Life ---- */

/* As after power-on. All threads sleep, the FIFOs are empty. */
void slot_reset(struct core *core)
{
	struct slot *s;
	unsigned int i;

	for (s = core->slot; s < core->slot + QUILL_SLOTS; s++) {
		give_up_sram(core, s);
		pthread_mutex_lock(&core->lock);
		s->class = 0;
		counters_reset(s);
		for (i = 0; i < QUILL_ENGINE_COUNT; i++) {
			s->lane[i].head = 0;
			s->lane[i].doomed = 0;
			s->lane[i].unpopped = 0;
			s->lane[i].stopped = false;
			s->lane[i].served = 0;
		}
		pthread_mutex_unlock(&core->lock);
	}
}

void slot_fini(struct core *core)
{
	unsigned int i;

	for (i = 0; i < QUILL_SLOTS; i++)
		if (core->slot[i].sram)
			munmap(core->slot[i].sram, core->emu->profile.sram_size);
	while (core->spare_srams)
		munmap(core->spare_sram[--core->spare_srams], core->emu->profile.sram_size);
}
