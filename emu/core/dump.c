// SPDX-License-Identifier: MIT
/*
 * The state of the device as text, for people: what registers, processors, queues and engines are at.
 *
 * Taken part by part under the locks of the parts while everything goes on; so the parts of a
 * device at work are of slightly different moments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const char *name_of(const char *const *names, unsigned int count, unsigned int i)
{
	return i < count && names[i] ? names[i] : "?";
}

static const char *engine_name(unsigned int engine)
{
	static const char *const names[] = {
		[QUILL_ENGINE_TENSOR] = "TENSOR",
		[QUILL_ENGINE_VECTOR] = "VECTOR",
		[QUILL_ENGINE_DMA] = "DMA",
		[QUILL_ENGINE_FW] = "FW",
	};

	return name_of(names, COUNT(names), engine);
}

static const char *status_name(unsigned int status)
{
	static const char *const names[] = {
		[QUILL_CORE_OFF] = "off",
		[QUILL_CORE_BOOTING] = "booting",
		[QUILL_CORE_BOOT_FAILED] = "boot failed",
		[QUILL_CORE_READY] = "ready",
		[QUILL_CORE_PANIC] = "panic",
	};

	return name_of(names, COUNT(names), status);
}

static const char *access_name(unsigned int access)
{
	static const char *const names[] = {
		[QUILL_ACCESS_READ] = "reading",
		[QUILL_ACCESS_WRITE] = "writing",
		[QUILL_ACCESS_FETCH] = "fetching",
	};

	return name_of(names, COUNT(names), access);
}

static const char *opcode_name(unsigned int opcode)
{
	static const char *const names[256] = {
#define QUILL_X(NAME, name, code, ...) [code] = #NAME,
		QUILL_OPCODES(QUILL_X)
#undef QUILL_X
	};

	return name_of(names, COUNT(names), opcode);
}

static void dump_device(struct quill_emu *emu, FILE *f)
{
	fprintf(f, "device: version %u.%u, profile %s at %" PRIu64 " kHz, %u cores, %u queues, %u threads, "
		"kernels %s\n", QUILL_HW_MAJOR, QUILL_HW_MINOR, emu->profile_name,
		emu->profile.clock_khz, emu->cores, emu->queues, emu->threads, emu->kernels->name);
	fprintf(f, "  memory %" PRIu64 " bytes, scratchpad %" PRIu64 " bytes a core, resets %u%s%s\n",
		emu->mem_size, emu->profile.sram_size, atomic_load(&emu->reset_count),
		atomic_load(&emu->resetting) ? ", resetting" : "",
		mmu_busy(emu) ? ", invalidation busy" : "");
}

static void dump_space(struct quill_emu *emu, unsigned int i, FILE *f)
{
	struct mmu_as *as = &emu->mmu.as[i];
	uint64_t root = atomic_load(&as->root), addr;
	uint32_t ctrl = atomic_load(&as->ctrl), status, count;

	pthread_mutex_lock(&emu->mmu.lock);
	status = as->fault_status;
	addr = as->fault_addr;
	count = as->fault_count;
	pthread_mutex_unlock(&emu->mmu.lock);

	if (!root && !ctrl && !count)
		return;
	fprintf(f, "space %u: %s, root 0x%" PRIx64 ", faults %u", i,
		ctrl & QUILL_AS_CTRL_ENABLE ? "enabled" : "disabled", root, count);
	if (status)
		fprintf(f, ", the last: %u at 0x%" PRIx64 " %s by %s", status & 0xff, addr,
			access_name(status >> 8 & 0xff), engine_name(status >> 16));
	fputc('\n', f);
}

/* Everything from here on: under the core's lock. */

static void dump_processor(struct core *core, FILE *f)
{
	uint32_t cause, value, i;

	fprintf(f, "  processor: %s, pc 0x%08x, %" PRIu64 " instructions, irq pending 0x%x enabled 0x%x",
		core->active ? "runs" : "stopped", atomic_load(&core->pc), atomic_load(&core->insn),
		core_irq_pending(core), core->irq_enable);
	if (core->timer_armed)
		fprintf(f, ", timer in %" PRId64 " us", (int64_t)(core->timer - processor_time_us(core)));
	fputc('\n', f);
	if (core->status != QUILL_CORE_PANIC || core->active)
		return;
	/* It stays as the trap left it. */
	rv32_cause(core->cpu, &cause, &value);
	fprintf(f, "  trap: cause 0x%x, value 0x%x\n", cause, value);
	for (i = 1; i < 32; i++)
		fprintf(f, "%s x%u 0x%08x%s", i % 8 == 1 ? "   " : "", i, rv32_reg(core->cpu, i),
			i % 8 == 0 || i == 31 ? "\n" : "");
}

static void dump_queues(struct core *core, FILE *f)
{
	unsigned int q, pending;

	for (q = core->id; q < core->emu->queues; q += core->emu->cores) {
		pending = core->db_pending[q / 32] >> q % 32 & 1;
		if (core->db_tail[q] || pending)
			fprintf(f, "  queue %u: doorbell %u%s\n", q, core->db_tail[q],
				pending ? ", not yet seen" : "");
	}
}

static void dump_engine(struct engine *engine, FILE *f)
{
	unsigned int slot, waiting = 0;

	for (slot = 0; slot < QUILL_SLOTS; slot++)
		waiting += engine->core->slot[slot].lane[engine->id].count;
	fprintf(f, "  engine %s: ", engine_name(engine->id));
	if (engine->running)
		fprintf(f, "runs a command of slot %u%s, ", engine->slot,
			atomic_load(&engine->abort) ? ", aborting" : "");
	else
		fputs("idle, ", f);
	fprintf(f, "%u waiting\n", waiting);
}

static void dump_lane(const struct lane *lane, unsigned int engine, FILE *f)
{
	const struct issued *cmd;
	unsigned int i;

	fprintf(f, "    %s: %u waiting, %u of %u places used%s, free at cycle %" PRIu64 "\n",
		engine_name(engine), lane->count, lane->unpopped, QUILL_ENGINE_FIFO,
		lane->stopped ? ", stopped" : "", lane->free_at);
	for (i = 0; i < lane->count; i++) {
		cmd = &lane->fifo[(lane->head + i) % QUILL_ENGINE_FIFO];
		fprintf(f, "      waits: tag %u, %s, space %u, ends at cycle %" PRIu64 "%s\n", cmd->tag,
			opcode_name(cmd->rec[0].hdr.opcode), cmd->as, cmd->end,
			i < lane->doomed ? ", will be killed" : "");
	}
}

static void dump_retired(struct core *core, FILE *f)
{
	const struct retirement *r;
	unsigned int i;

	for (i = 0; i < core->retired_count; i++) {
		r = &core->retired[(core->retired_head + i) % CORE_RETIRE_RING];
		fprintf(f, "  retired: tag %u of slot %u, %s, fault %u at 0x%" PRIx64 "\n",
			r->head & QUILL_RETIRE_TAG_MASK, r->slot,
			engine_name(r->head >> QUILL_RETIRE_ENGINE_SHIFT & QUILL_RETIRE_ENGINE_MASK),
			r->fault & 0xff, r->addr);
	}
}

#define EACH_ENGINE(counter, what)					\
	[QUILL_COUNTER_##counter + QUILL_ENGINE_TENSOR] = "TENSOR " what,	\
	[QUILL_COUNTER_##counter + QUILL_ENGINE_VECTOR] = "VECTOR " what,	\
	[QUILL_COUNTER_##counter + QUILL_ENGINE_DMA] = "DMA " what

static void dump_counters(const struct slot *slot, FILE *f)
{
	static const char *const names[QUILL_COUNTER_COUNT] = {
		[QUILL_COUNTER_CYCLES] = "cycles",
		EACH_ENGINE(BUSY, "busy"),
		[QUILL_COUNTER_COMMANDS] = "commands",
		[QUILL_COUNTER_MACS] = "MACs",
		[QUILL_COUNTER_BYTES_READ] = "bytes read",
		[QUILL_COUNTER_BYTES_WRITTEN] = "bytes written",
		EACH_ENGINE(MEMORY, "of it for memory"),
		EACH_ENGINE(DEPENDENCY, "waited for others"),
		EACH_ENGINE(FIRMWARE, "waited for firmware"),
		EACH_ENGINE(IDLE, "idle"),
		[QUILL_COUNTER_VECTOR_OPS] = "vector operations",
		[QUILL_COUNTER_SRAM_READ] = "scratchpad bytes read",
		[QUILL_COUNTER_SRAM_WRITTEN] = "scratchpad bytes written",
		[QUILL_COUNTER_BYTES_LINK] = "bytes of streams",
		[QUILL_COUNTER_ENERGY] = "pJ",
	};
	unsigned int i;

	fputs("    counters:", f);
	for (i = 0; i < QUILL_COUNTER_COUNT; i++)
		fprintf(f, "%s %s %" PRIu64, i ? "," : "", name_of(names, COUNT(names), i),
			slot->counters[i]);
	fputc('\n', f);
}

static unsigned int dirty_granules(const struct slot *slot)
{
	unsigned int i, n = 0;

	for (i = 0; i < COUNT(slot->sram_dirty); i++)
		n += __builtin_popcountll(atomic_load(&slot->sram_dirty[i]));
	return n;
}

/* One that a job has used since it was reset. */
static void dump_slot(struct core *core, unsigned int number, FILE *f)
{
	const struct slot *slot = &core->slot[number];
	unsigned int i;

	if (!slot->counters[QUILL_COUNTER_COMMANDS] && !atomic_load(&slot->sram))
		return;
	fprintf(f, "  slot %u: class %u, scratchpad: %u pieces of %u KiB written to\n", number,
		slot->class, dirty_granules(slot), SRAM_GRANULE >> 10);
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		dump_lane(&slot->lane[i], i, f);
	dump_counters(slot, f);
}

static void dump_core(struct core *core, FILE *f)
{
	unsigned int i;

	pthread_mutex_lock(&core->lock);
	fprintf(f, "core %u: %s, error 0x%x, firmware %u.%u, heartbeat %u, admin doorbell %u\n", core->id,
		status_name(core->status), core->error, core->fw_version >> 16,
		core->fw_version & 0xffff, core->heartbeat, core->admin_tail);
	fprintf(f, "  image 0x%" PRIx64 ", %u bytes; boot arguments 0x%" PRIx64 "\n", core->fw_addr,
		core->fw_size, core->boot_args);
	dump_processor(core, f);
	dump_queues(core, f);
	for (i = 0; i < QUILL_ENGINE_COUNT; i++)
		dump_engine(&core->engine[i], f);
	dump_retired(core, f);
	if (core->floor || core->db_floor)
		fprintf(f, "  nothing starts below class %u\n",
			core->floor > core->db_floor ? core->floor : core->db_floor);
	for (i = 0; i < QUILL_SLOTS; i++)
		dump_slot(core, i, f);
	pthread_mutex_unlock(&core->lock);
}

char *quill_emu_dump(struct quill_emu *emu)
{
	char *text = NULL;
	size_t size;
	unsigned int i;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	dump_device(emu, f);
	for (i = 1; i < QUILL_MAX_AS; i++)
		dump_space(emu, i, f);
	for (i = 0; i < emu->cores; i++)
		dump_core(&emu->core[i], f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
