// SPDX-License-Identifier: MIT
/*
 * The counters of a job, and with them its device time: when each command starts, and what its engine did until then.
 *
 * For each engine the time from the job's start to its end is cut without gap or overlap into what it was busy with, what
 * it waited for before each command, and what was left after its last, so that the parts add up to CYCLES.
 */
#include <string.h>

#include "core.h"

static uint64_t clamp64(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/*
 * The engine had nothing to do from @from to @start. Up to the moment at which decoding last went on (@held) it waited, as
 * decoding did, for other commands; then until its command was decoded, for the firmware; then for other commands again.
 */
static void count_wait(uint64_t *counters, unsigned int engine, uint64_t from, uint64_t held,
		       uint64_t decoded, uint64_t start)
{
	held = clamp64(held, from, start);
	decoded = clamp64(decoded, held, start);
	counters[QUILL_COUNTER_FIRMWARE + engine] += decoded - held;
	counters[QUILL_COUNTER_DEPENDENCY + engine] += (held - from) + (start - decoded);
}

/* Under the core's lock. The command at the issue port, of @cost, is its slot's next in @engine: when it ends. */
uint64_t counters_issue(struct core *core, unsigned int engine, const struct cost *cost)
{
	const struct cb_ports *p = &core->ports;
	struct slot *slot = &core->slot[p->slot];
	struct lane *lane = &slot->lane[engine];
	uint64_t *counters = slot->counters;
	uint64_t start = p->issue_ready;

	if (start < lane->free_at)
		start = lane->free_at;
	count_wait(counters, engine, lane->free_at, p->issue_held, p->issue_decoded, start);
	lane->free_at = start + cost->cycles;

	if (counters[QUILL_COUNTER_CYCLES] < lane->free_at)
		counters[QUILL_COUNTER_CYCLES] = lane->free_at;
	counters[QUILL_COUNTER_BUSY + engine] += cost->cycles;
	counters[QUILL_COUNTER_MEMORY + engine] += cost->cycles - cost->compute;
	counters[QUILL_COUNTER_COMMANDS]++;
	counters[QUILL_COUNTER_MACS] += cost->macs;
	counters[QUILL_COUNTER_VECTOR_OPS] += cost->vector_ops;
	counters[QUILL_COUNTER_BYTES_READ] += cost->read;
	counters[QUILL_COUNTER_BYTES_WRITTEN] += cost->written;
	counters[QUILL_COUNTER_SRAM_READ] += cost->sram_read;
	counters[QUILL_COUNTER_SRAM_WRITTEN] += cost->sram_written;
	counters[QUILL_COUNTER_ENERGY] += cost->energy;
	return lane->free_at;
}

/* The selected slot's job is over: decoding has come to @clock, and has decoded @records records. */
void counters_finish(struct core *core, uint64_t clock, uint64_t records)
{
	const struct profile *profile = &core->emu->profile;
	struct slot *slot = &core->slot[core->ports.slot];
	uint64_t *counters = slot->counters;
	uint64_t *cycles = &counters[QUILL_COUNTER_CYCLES];
	unsigned int i;

	pthread_mutex_lock(&core->lock);
	if (*cycles < clock)
		*cycles = clock;
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		counters[QUILL_COUNTER_IDLE + i] = *cycles - slot->lane[i].free_at;
	counters[QUILL_COUNTER_BYTES_LINK] = records * QUILL_CMD_SIZE;
	counters[QUILL_COUNTER_ENERGY] +=
		timing_link_energy(profile, counters[QUILL_COUNTER_BYTES_LINK]) +
		timing_static_energy(profile, *cycles);
	pthread_mutex_unlock(&core->lock);
}

/* Under the core's lock: quill_emu_dump() looks. */
void counters_reset(struct slot *slot)
{
	unsigned int i;

	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		slot->lane[i].free_at = 0;
	memset(slot->counters, 0, sizeof(slot->counters));
}
