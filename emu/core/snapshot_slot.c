// SPDX-License-Identifier: MIT
/*
 * Slots in a snapshot: commands that wait in FIFOs, retirements that nobody has popped, counters, scratchpads.
 *
 * A command that comes from a snapshot is held against the rules like one from the firmware. What the issue port keeps
 * true has to be true of what is loaded: a FIFO's places are enough for what waits and what has not been popped,
 * nothing waits that is doomed (nothing runs that it would wait for), and nothing waits in a slot that was stopped.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "snapshot.h"

/* ---- FIFOs ---- */

static void snap_issued(struct issued *cmd, unsigned int engine, struct snap *s)
{
	snap_bytes(s, cmd->rec, sizeof(cmd->rec));
	cmd->end = snap_num(s, cmd->end);
	cmd->cycles = snap_num(s, cmd->cycles);
	cmd->tag = snap_max(s, "tag of a command", cmd->tag, UINT16_MAX);
	cmd->as = snap_max(s, "address space of a command", cmd->as, QUILL_MAX_AS - 1);
	if (s->load && !s->failed) {
		uint32_t what = issue_check(cmd, QUILL_MAX_RECORDS, engine);

		if (what)
			snap_fail(s, "a command in a FIFO: found fault %u, required none", what);
	}
}

static void snap_lane(struct core *core, unsigned int slot, unsigned int engine, struct snap *s)
{
	struct lane *lane = &core->slot[slot].lane[engine];
	unsigned int i, count;
	struct issued cmd;

	lane->served = snap_num(s, lane->served);
	lane->free_at = snap_num(s, lane->free_at);
	lane->stopped = snap_max(s, "whether a lane is stopped", lane->stopped, 1);
	count = snap_max(s, "commands in a FIFO", lane->count, QUILL_ENGINE_FIFO);
	if (lane->stopped && count)
		snap_fail(s, "commands in a FIFO that is stopped: found %u, required none", count);

	for (i = 0; i < count && !s->failed; i++) {
		memset(&cmd, 0, sizeof(cmd));
		if (!s->load)
			cmd = lane->fifo[(lane->head + i) % QUILL_ENGINE_FIFO];
		snap_issued(&cmd, engine, s);
		if (!s->load || s->failed)
			continue;
		cmd.slot = slot;
		lane->fifo[(lane->head + lane->count++) % QUILL_ENGINE_FIFO] = cmd;
		core->engine[engine].waiting |= 1ull << slot;
	}
	if (s->load)
		lane->unpopped = lane->count;
}

/* ---- retirements ---- */

static void snap_retirement(struct core *core, struct retirement *r, struct snap *s)
{
	const uint32_t bits = QUILL_RETIRE_VALID | QUILL_RETIRE_TAG_MASK |
			      QUILL_RETIRE_ENGINE_MASK << QUILL_RETIRE_ENGINE_SHIFT;
	uint32_t engine;
	struct lane *lane;

	r->head = snap_mask(s, "a retirement", r->head, bits);
	r->fault = snap_mask(s, "fault of a retirement", r->fault, 0xffff);
	r->addr = snap_num(s, r->addr);
	r->slot = snap_max(s, "slot of a retirement", r->slot, QUILL_SLOTS - 1);
	if (!s->load || s->failed)
		return;

	engine = r->head >> QUILL_RETIRE_ENGINE_SHIFT & QUILL_RETIRE_ENGINE_MASK;
	if (!(r->head & QUILL_RETIRE_VALID) || engine >= QUILL_ENGINE_COUNT) {
		snap_fail(s, "a retirement: found 0x%x, required it valid, of an engine", r->head);
		return;
	}
	lane = &core->slot[r->slot].lane[engine];
	if (lane->unpopped == QUILL_ENGINE_FIFO)
		snap_fail(s, "commands that wait or were not popped: found more than %u, of slot %u",
			  QUILL_ENGINE_FIFO, r->slot);
	else
		lane->unpopped++;
}

static void snap_retirements(struct core *core, struct snap *s)
{
	unsigned int i, count;
	struct retirement r;

	core->retire_level = snap_num(s, core->retire_level);
	core->retire_urgent = snap_max(s, "whether a retirement is urgent", core->retire_urgent, 1);
	count = snap_max(s, "retirements", core->retired_count, CORE_RETIRE_RING);
	for (i = 0; i < count && !s->failed; i++) {
		r = core->retired[(core->retired_head + i) % CORE_RETIRE_RING];
		snap_retirement(core, &r, s);
		if (s->load && !s->failed)
			core->retired[core->retired_count++] = r;
	}
}

void snap_slots(struct core *core, struct snap *s)
{
	unsigned int slot, i;

	for (slot = 0; slot < QUILL_SLOTS && !s->failed; slot++) {
		core->slot[slot].class = snap_max(s, "class of a slot", core->slot[slot].class,
						  QUILL_CLASSES - 1);
		for (i = 0; i < QUILL_COUNTER_COUNT; i++)
			core->slot[slot].counters[i] = snap_num(s, core->slot[slot].counters[i]);
		for (i = 0; i < QUILL_ENGINE_COUNT; i++)
			snap_lane(core, slot, i, s);
	}
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		core->engine[i].served = snap_num(s, core->engine[i].served);
	snap_retirements(core, s);
}

/* ---- scratchpads: the pieces that were written to ---- */

static void snap_piece(struct core *core, unsigned int slot, uint32_t piece, struct snap *s)
{
	uint64_t size = core->emu->profile.sram_size, at = piece * (uint64_t)SRAM_GRANULE;
	uint64_t bit = 1ull << piece % 64;
	_Atomic uint64_t *dirty = &core->slot[slot].sram_dirty[piece / 64];
	uint8_t *sram;

	if (!snap_max(s, "whether a piece of a scratchpad is there", !!(atomic_load(dirty) & bit), 1))
		return;
	sram = slot_sram(core, slot);
	if (!sram) {
		snap_fail(s, "not enough memory for a scratchpad of %llu bytes",
			  (unsigned long long)size);
		return;
	}
	atomic_fetch_or(dirty, bit);
	snap_bytes(s, sram + at, size - at < SRAM_GRANULE ? size - at : SRAM_GRANULE);
}

static bool is_used(struct slot *slot)
{
	unsigned int i;

	for (i = 0; i < SRAM_MAX_GRANULES / 64; i++)
		if (atomic_load(&slot->sram_dirty[i]))
			return true;
	return false;
}

void snap_scratchpads(struct core *core, struct snap *s)
{
	uint32_t slot, piece;

	for (slot = 0; slot < QUILL_SLOTS && !s->failed; slot++) {
		if (!snap_max(s, "whether a scratchpad is there", is_used(&core->slot[slot]), 1))
			continue;
		for (piece = 0; (uint64_t)piece * SRAM_GRANULE < core->emu->profile.sram_size; piece++)
			snap_piece(core, slot, piece, s);
	}
}
