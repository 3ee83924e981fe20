// SPDX-License-Identifier: MIT
/*
 * The issue port and the engines behind it.
 *
 * Issuing checks and times a command and puts a copy in its engine's FIFO, whose thread executes it. A
 * command that costs less than waking that thread runs at once on the control processor's, if the engine
 * is idle: nobody can tell, but by the clock on the wall.
 *
 * A command that faults or is aborted stops its slot in that engine: everything of the slot behind it
 * retires as KILLED until RESUME. The place of a command is free again when its retirement was popped, which
 * bounds the retirements that have to be kept.
 */
#include <stdio.h>
#include <string.h>

#include "quill/isa_check.h"

#include "core.h"

/* What runs at once: some ten microseconds of a host's work. */
#define SMALL_MACS	(1u << 20)
#define SMALL_BYTES	(128u << 10)

/* Under the core's lock. */
static void retire(struct engine *engine, const struct issued *cmd, const struct dma_fault *fault)
{
	struct core *core = engine->core;
	struct retirement *r;

	r = &core->retired[(core->retired_head + core->retired_count++) % CORE_RETIRE_RING];
	r->head = QUILL_RETIRE_VALID | engine->id << QUILL_RETIRE_ENGINE_SHIFT | cmd->tag;
	r->fault = fault->fault | fault->access << 8;
	r->addr = fault->addr;
	r->slot = cmd->slot;
	if (fault->fault || (!engine->running && slot_next(engine) < 0))
		core->retire_urgent = true;
	processor_irq(core);
}

static struct lane *lane_of(struct engine *engine, unsigned int slot)
{
	return &engine->core->slot[slot].lane[engine->id];
}

/* Retire those of @slot that wait and are doomed as KILLED. Under the core's lock. */
static void drop_doomed(struct engine *engine, unsigned int slot)
{
	const struct dma_fault killed = { .fault = QUILL_FAULT_KILLED };
	struct lane *lane = lane_of(engine, slot);
	struct issued cmd;

	for (; lane->doomed; lane->doomed--) {
		slot_take(engine, slot, &cmd);
		retire(engine, &cmd, &killed);
	}
}

/* What waits now will not run, and what is issued before RESUME neither. Under the core's lock. */
static void stop_lane(struct lane *lane)
{
	lane->stopped = true;
	lane->doomed = lane->count;
}

static void execute(struct engine *engine, const struct issued *cmd, struct dma_ctx *ctx)
{
	struct core *core = engine->core;
	struct exec x = {
		.emu = core->emu,
		.ctx = ctx,
		.port = { .core = core, .as = cmd->as, .engine = engine->id, .slot = cmd->slot },
		.cmd = cmd->rec,
		.end = cmd->end,
		.abort = &engine->abort,
		.small = cmd->small,
	};
	struct dma_fault fault;

	if (!cmd->small)
		inject_slow(core->emu, &engine->abort);
	if (exec_run(&x, &fault))
		mmu_record(core->emu, &x.port, &fault);

	pthread_mutex_lock(&core->lock);
	engine->running = false;
	/* An abort that came too late for the tiles still counts, and is over with this command. */
	if (atomic_exchange(&engine->abort, false))
		fault = (struct dma_fault){ .fault = QUILL_FAULT_KILLED };
	else if (fault.fault)
		stop_lane(lane_of(engine, cmd->slot));
	retire(engine, cmd, &fault);
	drop_doomed(engine, cmd->slot);
	if (atomic_load(&core->stop) || atomic_load(&core->pause))
		pthread_cond_broadcast(&core->idle);
	pthread_mutex_unlock(&core->lock);
}

static void *engine_main(void *arg)
{
	struct engine *engine = arg;
	struct core *core = engine->core;
	struct issued cmd;
	int slot;

	pthread_mutex_lock(&core->lock);
	while (!core->quit) {
		/* The control processor's thread may be running a small one. */
		slot = engine->running || atomic_load(&core->pause) ? -1 : slot_next(engine);
		if (slot < 0) {
			pthread_cond_wait(&engine->wake, &core->lock);
			continue;
		}
		slot_take(engine, slot, &cmd);
		slot_serve(engine, &cmd);
		pthread_mutex_unlock(&core->lock);
		execute(engine, &cmd, engine->ctx);
		pthread_mutex_lock(&core->lock);
	}
	pthread_mutex_unlock(&core->lock);
	return NULL;
}

/* What keeps engines from commands that they have may have gone. Under the core's lock. */
void issue_kick(struct core *core)
{
	struct engine *engine;

	/* one without any is not woken: that would cost more than all else of an empty job */
	for (engine = core->engine; engine < core->engine + QUILL_ENGINE_COUNT; engine++)
		if (engine->waiting && !engine->running)
			pthread_cond_signal(&engine->wake);
}

/* Is @cmd one that @engine may execute? Return: enum quill_fault. */
uint32_t issue_check(const struct issued *cmd, uint32_t records, unsigned int engine)
{
	struct quill_check why;
	uint32_t what = quill_cmd_check(cmd->rec, records, &why);
	const struct quill_op_info *op;

	if (what)
		return what;
	op = quill_op_info(cmd->rec[0].hdr.opcode);
	if (op->engine >= QUILL_ENGINE_COUNT || op->engine != engine)
		return QUILL_FAULT_INTERNAL;
	if (cmd->as == QUILL_AS_HOST || cmd->as >= QUILL_MAX_AS)
		return QUILL_FAULT_AS;
	return QUILL_FAULT_NONE;
}

/* The command at the port's address, copied once; its engine's number has to be the opcode's. */
static uint32_t fetch(struct core *core, uint32_t go, struct issued *cmd)
{
	uint32_t offset = core->ports.issue_cmd - QUILL_RV_TCM_BASE;
	uint32_t records;

	if (offset > QUILL_RV_TCM_SIZE - QUILL_CMD_SIZE || offset % 4)
		return QUILL_FAULT_INTERNAL;
	records = (QUILL_RV_TCM_SIZE - offset) / QUILL_CMD_SIZE;
	if (records > QUILL_MAX_RECORDS)
		records = QUILL_MAX_RECORDS;
	memset(cmd, 0, sizeof(*cmd));
	memcpy(cmd->rec, core->tcm + offset, records * QUILL_CMD_SIZE);
	cmd->tag = go >> 8;
	cmd->slot = core->ports.slot;
	cmd->as = go >> 24;
	return issue_check(cmd, records, go & 0xff);
}

/* Take the command in. Return: it is to be executed at once, by the caller. */
static bool accept(struct engine *engine, const struct issued *cmd)
{
	const struct dma_fault killed = { .fault = QUILL_FAULT_KILLED };
	struct lane *lane = lane_of(engine, cmd->slot);

	lane->unpopped++;
	if (lane->stopped && !(engine->running && engine->slot == cmd->slot)) {
		retire(engine, cmd, &killed);
		return false;
	}
	if (cmd->small && !engine->running && !lane->count && slot_next(engine) < 0 &&
	    slot_may_start(engine->core, cmd->slot)) {
		slot_serve(engine, cmd);
		return true;
	}
	slot_push(engine, cmd);
	/* Behind the one that is being aborted: retirements keep their order. */
	if (lane->stopped)
		lane->doomed = lane->count;
	return false;
}

void issue_go(struct core *core, uint32_t go)
{
	struct cb_ports *p = &core->ports;
	struct engine *engine;
	struct issued cmd;
	struct cost cost;
	bool at_once;

	p->issue_end = 0;
	p->issue_result = fetch(core, go, &cmd);
	if (p->issue_result) {
		core_event(core->emu, REFUSE, core->id, go, p->issue_result);
		return;
	}

	engine = &core->engine[go & 0xff];
	timing_cost(&core->emu->profile, cmd.rec, &cost);
	cmd.small = cost.macs <= SMALL_MACS && cost.bytes <= SMALL_BYTES &&
		    !inject_armed(core->emu, QUILL_INJECT_SLOW);

	pthread_mutex_lock(&core->lock);
	if (lane_of(engine, cmd.slot)->unpopped == QUILL_ENGINE_FIFO || atomic_load(&core->stop)) {
		p->issue_result = QUILL_ISSUE_BUSY;
		pthread_mutex_unlock(&core->lock);
		return;
	}
	cmd.cycles = cost.cycles;
	cmd.end = counters_issue(core, engine->id, &cost);
	p->issue_end = cmd.end;
	at_once = accept(engine, &cmd);
	pthread_mutex_unlock(&core->lock);
	core_event(core->emu, ISSUE, core->id, engine->id, cmd.tag, cmd.rec[0].hdr.opcode, cmd.as,
		   cmd.end);

	if (at_once)
		execute(engine, &cmd, core->ctx);
	else
		pthread_cond_signal(&engine->wake);
}

/* Stop what runs of @slot at its next tile, drop what waits. An idle engine is left as it is. */
static void abort_lane(struct engine *engine, unsigned int slot)
{
	struct lane *lane = lane_of(engine, slot);
	bool runs = engine->running && engine->slot == slot;

	if (!runs && !lane->count)
		return;
	stop_lane(lane);
	if (runs)
		atomic_store(&engine->abort, true);
	else
		drop_doomed(engine, slot);
}

void issue_abort(struct core *core, uint32_t mask)
{
	unsigned int i;

	pthread_mutex_lock(&core->lock);
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		if (mask >> i & 1)
			abort_lane(&core->engine[i], core->ports.slot);
	pthread_mutex_unlock(&core->lock);
}

void issue_abort_all(struct core *core)
{
	unsigned int i, slot;

	pthread_mutex_lock(&core->lock);
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		for (slot = 0; slot < QUILL_SLOTS; slot++)
			abort_lane(&core->engine[i], slot);
	pthread_mutex_unlock(&core->lock);
}

void issue_resume(struct core *core, uint32_t mask)
{
	unsigned int i;

	pthread_mutex_lock(&core->lock);
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		if (mask >> i & 1)
			core->slot[core->ports.slot].lane[i].stopped = false;
	pthread_mutex_unlock(&core->lock);
}

/* Under the core's lock. */
bool issue_any_runs(const struct core *core)
{
	unsigned int i;

	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		if (core->engine[i].running)
			return true;
	return false;
}

/* Under the core's lock. */
static bool any_busy(const struct core *core)
{
	unsigned int i;

	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		if (core->engine[i].running || core->engine[i].waiting)
			return true;
	return false;
}

bool issue_any_busy(struct core *core)
{
	bool busy;

	pthread_mutex_lock(&core->lock);
	busy = any_busy(core);
	pthread_mutex_unlock(&core->lock);
	return busy;
}

/* As QUILL_CB_ENGINE_RUNS. */
uint32_t issue_runs(struct core *core, unsigned int engine)
{
	const struct engine *e = &core->engine[engine];
	uint32_t runs;

	pthread_mutex_lock(&core->lock);
	runs = e->running ? QUILL_ENGINE_RUNS_VALID | e->slot : 0;
	pthread_mutex_unlock(&core->lock);
	return runs;
}

void issue_pop(struct core *core, struct retirement *out)
{
	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&core->lock);
	if (core->retired_count) {
		*out = core->retired[core->retired_head];
		core->retired_head = (core->retired_head + 1) % CORE_RETIRE_RING;
		if (!--core->retired_count)
			core->retire_urgent = false;
		core->slot[out->slot].lane[out->head >> QUILL_RETIRE_ENGINE_SHIFT &
					   QUILL_RETIRE_ENGINE_MASK].unpopped--;
		processor_irq(core);
	}
	pthread_mutex_unlock(&core->lock);
}

/*
 * Drop all work and wait until no engine executes. Called by the supervisor with core->stop set, after
 * the control processor has stopped, so that nothing new comes.
 */
void issue_drop(struct core *core)
{
	issue_abort_all(core);
	pthread_mutex_lock(&core->lock);
	while (any_busy(core))
		pthread_cond_wait(&core->idle, &core->lock);
	pthread_mutex_unlock(&core->lock);
}

/* As after power-on. All threads sleep. */
void issue_reset(struct core *core)
{
	unsigned int i;

	slot_reset(core);
	pthread_mutex_lock(&core->lock);
	for (i = 0; i < QUILL_ENGINE_COUNT; i++) {
		core->engine[i].served = 0;
		atomic_store(&core->engine[i].abort, false);
	}
	core->retired_head = 0;
	core->retired_count = 0;
	core->retire_urgent = false;
	pthread_mutex_unlock(&core->lock);
}

int issue_init(struct core *core)
{
	char name[16];
	unsigned int i;

	for (i = 0; i < QUILL_ENGINE_COUNT; i++) {
		struct engine *engine = &core->engine[i];

		engine->core = core;
		engine->id = i;
		engine->ctx = dma_ctx_new(core->emu);
		if (!engine->ctx)
			return -1;
		pthread_cond_init(&engine->wake, NULL);
		snprintf(name, sizeof(name), "quill-c%ue%u", core->id, i);
		if (core_thread(&engine->thread, name, engine_main, engine))
			return -1;
		engine->threaded = true;
	}
	return 0;
}

/* core->quit is set. */
void issue_fini(struct core *core)
{
	unsigned int i;

	for (i = 0; i < QUILL_ENGINE_COUNT; i++) {
		struct engine *engine = &core->engine[i];

		if (!engine->threaded)
			continue;
		pthread_cond_broadcast(&engine->wake);
		pthread_join(engine->thread, NULL);
		pthread_cond_destroy(&engine->wake);
	}
}
