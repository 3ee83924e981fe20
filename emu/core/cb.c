// SPDX-License-Identifier: MIT
/*
 * The control block: what the control processor sees of the device.
 *
 * Reads and writes come from the control processor's thread. What other threads see too (interrupts,
 * doorbells, status) is under the core's lock; the ports' own registers are not.
 */
#include <stddef.h>
#include <string.h>

#include "quill/isa_check.h"

#include "core.h"

#define LATCHED	(QUILL_CB_IRQ_ADMIN | QUILL_CB_IRQ_TIMER)

static void set_lo(uint64_t *reg, uint32_t value)
{
	*reg = (*reg & ~0xffffffffull) | value;
}

static void set_hi(uint64_t *reg, uint32_t value)
{
	*reg = (*reg & 0xffffffffull) | (uint64_t)value << 32;
}

/* As at the start of a boot. The thread of the control processor sleeps. */
void cb_reset(struct core *core)
{
	pthread_mutex_lock(&core->lock);
	memset(&core->ports, 0, sizeof(core->ports));
	core->fw_version = 0;
	core->fw_abi = 0;
	core->fw_features = 0;
	core->heartbeat = 0;
	core->irq_latched = 0;
	core->irq_enable = 0;
	core->timer = 0;
	core->timer_armed = false;
	core->admin_tail = 0;
	core->db_words = 0;
	memset(core->db_pending, 0, sizeof(core->db_pending));
	memset(core->db_tail, 0, sizeof(core->db_tail));
	memset(core->db_class, 0, sizeof(core->db_class));
	core->db_floor = 0;
	core->floor = 0;
	core->retire_level = 1;
	pthread_mutex_unlock(&core->lock);
}

void cb_doorbell(struct core *core, uint32_t queue, uint32_t tail)
{
	bool taken;

	pthread_mutex_lock(&core->lock);
	core->db_tail[queue] = tail;
	core->db_pending[queue / 32] |= 1u << queue % 32;
	core->db_words |= 1u << queue / 32;
	if (core->db_floor < core->db_class[queue])
		core->db_floor = core->db_class[queue];
	taken = core->emu->lend && processor_take(core);
	processor_irq(core);
	pthread_mutex_unlock(&core->lock);
	if (taken)
		processor_lent(core);
}

void cb_admin(struct core *core, uint32_t tail)
{
	pthread_mutex_lock(&core->lock);
	core->admin_tail = tail;
	core->irq_latched |= QUILL_CB_IRQ_ADMIN;
	processor_irq(core);
	pthread_mutex_unlock(&core->lock);
}

static void put_char(struct core *core, uint32_t value)
{
	struct cb_ports *p = &core->ports;
	char c = value;

	if (c != '\n' && c != '\0')
		p->line[p->line_len++] = c >= ' ' && c < 0x7f ? c : '?';
	if (c != '\n' && p->line_len < sizeof(p->line) - 1)
		return;
	p->line[p->line_len] = '\0';
	p->line_len = 0;
	core_trace(core->emu, "core %u: fw: %s", core->id, p->line);
}

/* Bytes [addr, addr + len) of local memory, or NULL. */
static uint8_t *local(struct core *core, uint32_t addr, uint32_t len)
{
	uint32_t offset = addr - QUILL_RV_TCM_BASE;

	if (offset >= QUILL_RV_TCM_SIZE || len > QUILL_RV_TCM_SIZE - offset)
		return NULL;
	return core->tcm + offset;
}

static void xfer_go(struct core *core, uint32_t go)
{
	struct dma_port port = {
		.core = core, .as = go & QUILL_XFER_AS_MASK, .engine = QUILL_ENGINE_FW,
		.slot = core->ports.slot,
	};
	struct cb_ports *p = &core->ports;
	uint8_t *mem = local(core, p->xfer_local, p->xfer_len);
	/* A completion as the firmware writes it, first all but its number. */
	uint8_t record[offsetof(struct quill_job_cpl, seq)];
	struct dma_fault fault = { 0 };
	uint32_t what;

	p->xfer_fault = 0;
	p->xfer_result = QUILL_FAULT_INTERNAL;
	if (!mem || !p->xfer_len || p->xfer_len > QUILL_XFER_MAX ||
	    go & ~(QUILL_XFER_AS_MASK | QUILL_XFER_TO_MEMORY))
		return;
	/* Addresses do not wrap: the end of the space is the end of the transfer. */
	if (p->xfer_len - 1 > UINT64_MAX - p->xfer_addr) {
		p->xfer_result = QUILL_FAULT_ADDRESS;
		p->xfer_fault = p->xfer_addr;
		return;
	}

	if (go & QUILL_XFER_TO_MEMORY && port.as == QUILL_AS_HOST &&
	    p->xfer_len == sizeof(record) && inject_take(core->emu, QUILL_INJECT_CORRUPT_COMPLETION)) {
		memcpy(record, mem, sizeof(record));
		record[offsetof(struct quill_job_cpl, job) + 7] ^= 0x80;
		mem = record;
	}

	dma_begin(core->ctx);
	if (go & QUILL_XFER_TO_MEMORY)
		what = dma_write(core->ctx, &port, p->xfer_addr, mem, p->xfer_len, &fault);
	else
		what = dma_read(core->ctx, &port, p->xfer_addr, mem, p->xfer_len, &fault);
	dma_end(core->ctx);
	if (!(go & QUILL_XFER_TO_MEMORY))
		rv32_tcm_written(core->cpu, p->xfer_local, p->xfer_len);

	p->xfer_result = what;
	if (go & QUILL_XFER_TO_MEMORY)
		core_event(core->emu, STORE, core->id, port.as, p->xfer_addr, p->xfer_len, what);
	else
		core_event(core->emu, FETCH, core->id, port.as, p->xfer_addr, p->xfer_len, what);
	if (!what)
		return;
	p->xfer_fault = fault.addr;
	fault.access = QUILL_ACCESS_FETCH;
	mmu_record(core->emu, &port, &fault);
}

/* Hold a command that lies in local memory against the rules. */
static void check_go(struct core *core, uint32_t records)
{
	struct cb_ports *p = &core->ports;
	union quill_cmd cmd[QUILL_MAX_RECORDS];
	struct quill_check why;
	const uint8_t *mem;

	p->check_result = QUILL_FAULT_INTERNAL;
	if (!records || records > QUILL_MAX_RECORDS || p->check_cmd % 4)
		return;
	mem = local(core, p->check_cmd, records * QUILL_CMD_SIZE);
	if (!mem)
		return;
	memcpy(cmd, mem, records * QUILL_CMD_SIZE);
	p->check_result = quill_cmd_check(cmd, records, &why);
	if (p->check_result)
		p->check_result |= why.record << QUILL_CHECK_RECORD_SHIFT |
				   why.offset << QUILL_CHECK_OFFSET_SHIFT;
}

/* All counters of the slot, to local memory. */
static void write_counters(struct core *core, uint32_t addr)
{
	const uint64_t *counters = core->slot[core->ports.slot].counters;
	uint32_t size = QUILL_COUNTER_COUNT * sizeof(*counters);
	uint8_t *mem = local(core, addr, size);

	if (!mem)
		return;
	memcpy(mem, counters, size);
	rv32_tcm_written(core->cpu, addr, size);
}

static uint32_t read_time(struct core *core)
{
	uint64_t now = processor_time_us(core);

	core->ports.time_hi = now >> 32;
	return now;
}

static uint32_t read_counter(struct core *core, uint32_t offset)
{
	uint64_t value = core->slot[core->ports.slot].counters[(offset - QUILL_CB_COUNTER_LO(0)) / 8];

	return offset & 4 ? value >> 32 : value;
}

/* What is shared with other threads. */
static uint32_t read_shared(struct core *core, uint32_t offset)
{
	if (offset >= QUILL_CB_DB_TAIL(0) && offset < QUILL_CB_DB_TAIL(QUILL_MAX_QUEUES))
		return core->db_tail[(offset - QUILL_CB_DB_TAIL(0)) / 4];
	if (offset >= QUILL_CB_DB_CLASS(0) && offset < QUILL_CB_DB_CLASS(QUILL_MAX_QUEUES))
		return core->db_class[(offset - QUILL_CB_DB_CLASS(0)) / 4];
	if (offset >= QUILL_CB_DB_PENDING(0) && offset < QUILL_CB_DB_PENDING(QUILL_MAX_QUEUES / 32))
		return core->db_pending[(offset - QUILL_CB_DB_PENDING(0)) / 4];

	switch (offset) {
	case QUILL_CB_STATUS:
		return core->status;
	case QUILL_CB_ERROR:
		return core->error;
	case QUILL_CB_FW_VERSION:
		return core->fw_version;
	case QUILL_CB_FW_ABI:
		return core->fw_abi;
	case QUILL_CB_FW_FEATURES:
		return core->fw_features;
	case QUILL_CB_HEARTBEAT:
		return core->heartbeat;
	case QUILL_CB_BOOT_ARGS_LO:
		return core->boot_args;
	case QUILL_CB_BOOT_ARGS_HI:
		return core->boot_args >> 32;
	case QUILL_CB_IRQ_PENDING:
		return core_irq_pending(core);
	case QUILL_CB_IRQ_ENABLE:
		return core->irq_enable;
	case QUILL_CB_ADMIN_TAIL:
		return core->admin_tail;
	case QUILL_CB_DB_WORDS:
		return core->db_words;
	case QUILL_CB_SLOT:
		return core->ports.slot |
		       core->slot[core->ports.slot].class << QUILL_SLOT_CLASS_SHIFT;
	case QUILL_CB_FLOOR:
		return core->floor;
	case QUILL_CB_RETIRE_LEVEL:
		return core->retire_level;
	default:
		return 0;
	}
}

static uint32_t read_retire(struct core *core)
{
	struct retirement *r = &core->ports.popped;

	issue_pop(core, r);
	if (r->head)
		core_event(core->emu, RETIRE, core->id,
			   r->head >> QUILL_RETIRE_ENGINE_SHIFT & QUILL_RETIRE_ENGINE_MASK,
			   r->head & QUILL_RETIRE_TAG_MASK, r->fault & 0xff, r->addr);
	return r->head;
}

static uint32_t cb_read(void *opaque, uint32_t offset)
{
	struct core *core = opaque;
	const struct cb_ports *p = &core->ports;
	uint32_t value;

	if (offset >= QUILL_CB_COUNTER_LO(0) && offset < QUILL_CB_COUNTER_LO(QUILL_COUNTER_COUNT))
		return read_counter(core, offset);

	switch (offset) {
	case QUILL_CB_CORE:
		return core->id;
	case QUILL_CB_QUEUES:
		return core->emu->queues;
	case QUILL_CB_CORES:
		return core->emu->cores;
	case QUILL_CB_HW_VERSION:
		return QUILL_HW_MAJOR << 16 | QUILL_HW_MINOR;
	case QUILL_CB_TIME_LO:
		return read_time(core);
	case QUILL_CB_TIME_HI:
		return p->time_hi;
	case QUILL_CB_XFER_RESULT:
		return p->xfer_result;
	case QUILL_CB_XFER_FAULT_LO:
		return p->xfer_fault;
	case QUILL_CB_XFER_FAULT_HI:
		return p->xfer_fault >> 32;
	case QUILL_CB_CHECK_RESULT:
		return p->check_result;
	case QUILL_CB_ISSUE_RESULT:
		return p->issue_result;
	case QUILL_CB_ISSUE_END_LO:
		return p->issue_end;
	case QUILL_CB_ISSUE_END_HI:
		return p->issue_end >> 32;
	case QUILL_CB_RETIRE:
		return read_retire(core);
	case QUILL_CB_RETIRE_FAULT:
		return p->popped.fault;
	case QUILL_CB_RETIRE_ADDR_LO:
		return p->popped.addr;
	case QUILL_CB_RETIRE_ADDR_HI:
		return p->popped.addr >> 32;
	case QUILL_CB_ENGINE_BUSY:
		return slot_busy(core, p->slot);
	case QUILL_CB_ENGINE_RUNS(0):
	case QUILL_CB_ENGINE_RUNS(1):
	case QUILL_CB_ENGINE_RUNS(2):
		return issue_runs(core, (offset - QUILL_CB_ENGINE_RUNS(0)) / 4);
	case QUILL_CB_CMD_OVERHEAD:
		return timing_decode_cycles(&core->emu->profile);
	case QUILL_CB_LINK_LATENCY:
		return core->emu->profile.link_latency;
	default:
		if (offset == QUILL_CB_IRQ_PENDING)
			processor_timer(core);
		pthread_mutex_lock(&core->lock);
		value = read_shared(core, offset);
		pthread_mutex_unlock(&core->lock);
		return value;
	}
}

static void write_status(struct core *core, uint32_t value)
{
	/* OFF is the device's word, not the firmware's. */
	if (value > QUILL_CORE_OFF && value <= QUILL_CORE_PANIC)
		core->status = value;
}

/* Doorbells were answered: what they kept from starting may. */
static void clear_doorbells(struct core *core, uint32_t word, uint32_t which)
{
	uint32_t words, left, queue;

	core->db_pending[word] &= ~which;
	if (!core->db_pending[word])
		core->db_words &= ~(1u << word);
	core->db_floor = 0;
	for (words = core->db_words; words; words &= words - 1)
		for (left = core->db_pending[__builtin_ctz(words)]; left; left &= left - 1) {
			queue = __builtin_ctz(words) * 32 + __builtin_ctz(left);
			if (core->db_floor < core->db_class[queue])
				core->db_floor = core->db_class[queue];
		}
	issue_kick(core);
}

static void write_class(struct core *core, uint8_t *class, uint32_t value)
{
	*class = value < QUILL_CLASSES ? value : QUILL_CLASSES - 1;
	issue_kick(core);
}

static void write_shared(struct core *core, uint32_t offset, uint32_t value)
{
	if (offset >= QUILL_CB_DB_CLASS(0) && offset < QUILL_CB_DB_CLASS(QUILL_MAX_QUEUES))
		write_class(core, &core->db_class[(offset - QUILL_CB_DB_CLASS(0)) / 4], value);
	if (offset >= QUILL_CB_DB_PENDING(0) && offset < QUILL_CB_DB_PENDING(QUILL_MAX_QUEUES / 32))
		clear_doorbells(core, (offset - QUILL_CB_DB_PENDING(0)) / 4, value);

	switch (offset) {
	case QUILL_CB_STATUS:
		write_status(core, value);
		break;
	case QUILL_CB_ERROR:
		core->error = value;
		break;
	case QUILL_CB_FW_VERSION:
		core->fw_version = value;
		break;
	case QUILL_CB_FW_ABI:
		core->fw_abi = value;
		break;
	case QUILL_CB_FW_FEATURES:
		core->fw_features = value;
		break;
	case QUILL_CB_HEARTBEAT:
		core->heartbeat = value;
		break;
	case QUILL_CB_IRQ_PENDING:
		core->irq_latched &= ~(value & LATCHED);
		break;
	case QUILL_CB_IRQ_ENABLE:
		core->irq_enable = value & (LATCHED | QUILL_CB_IRQ_DOORBELL | QUILL_CB_IRQ_ENGINE);
		break;
	case QUILL_CB_TIMER_HI:
		core->timer = (uint64_t)value << 32 | core->ports.timer_lo;
		core->timer_armed = true;
		break;
	case QUILL_CB_FLOOR:
		write_class(core, &core->floor, value);
		break;
	case QUILL_CB_RETIRE_LEVEL:
		core->retire_level = value ? value : 1;
		break;
	}
	processor_irq(core);
}

static void write_msix(struct core *core, uint32_t vector)
{
	if (vector != QUILL_VECTOR_ADMIN && inject_take(core->emu, QUILL_INJECT_LOST_IRQ))
		return;
	if (vector < QUILL_VECTORS(core->emu->queues))
		core->emu->ops.msix(core->emu->opaque, vector);
	else
		core_trace(core->emu, "core %u: MSI-X vector: found %u, required below %u",
			   core->id, vector, QUILL_VECTORS(core->emu->queues));
}

static void cb_write(void *opaque, uint32_t offset, uint32_t value)
{
	struct core *core = opaque;
	struct cb_ports *p = &core->ports;

	switch (offset) {
	case QUILL_CB_PUTC:
		put_char(core, value);
		break;
	case QUILL_CB_TIMER_LO:
		p->timer_lo = value;
		break;
	case QUILL_CB_MSIX:
		write_msix(core, value);
		break;
	case QUILL_CB_XFER_ADDR_LO:
		set_lo(&p->xfer_addr, value);
		break;
	case QUILL_CB_XFER_ADDR_HI:
		set_hi(&p->xfer_addr, value);
		break;
	case QUILL_CB_XFER_LOCAL:
		p->xfer_local = value;
		break;
	case QUILL_CB_XFER_LEN:
		p->xfer_len = value;
		break;
	case QUILL_CB_XFER_GO:
		xfer_go(core, value);
		break;
	case QUILL_CB_SLOT:
		slot_select(core, value);
		break;
	case QUILL_CB_CHECK_CMD:
		p->check_cmd = value;
		break;
	case QUILL_CB_CHECK_GO:
		check_go(core, value);
		break;
	case QUILL_CB_COUNTERS_TO:
		write_counters(core, value);
		break;
	case QUILL_CB_ISSUE_CMD:
		p->issue_cmd = value;
		break;
	case QUILL_CB_ISSUE_READY_LO:
		set_lo(&p->issue_ready, value);
		break;
	case QUILL_CB_ISSUE_READY_HI:
		set_hi(&p->issue_ready, value);
		break;
	case QUILL_CB_ISSUE_DECODED_LO:
		set_lo(&p->issue_decoded, value);
		break;
	case QUILL_CB_ISSUE_DECODED_HI:
		set_hi(&p->issue_decoded, value);
		break;
	case QUILL_CB_ISSUE_HELD_LO:
		set_lo(&p->issue_held, value);
		break;
	case QUILL_CB_ISSUE_HELD_HI:
		set_hi(&p->issue_held, value);
		break;
	case QUILL_CB_ISSUE_GO:
		issue_go(core, value);
		break;
	case QUILL_CB_JOB_CLOCK_LO:
		set_lo(&p->job_clock, value);
		break;
	case QUILL_CB_JOB_CLOCK_HI:
		set_hi(&p->job_clock, value);
		break;
	case QUILL_CB_JOB_RECORDS_LO:
		set_lo(&p->job_records, value);
		break;
	case QUILL_CB_JOB_RECORDS_HI:
		set_hi(&p->job_records, value);
		counters_finish(core, p->job_clock, p->job_records);
		break;
	case QUILL_CB_ENGINE_ABORT:
		issue_abort(core, value);
		break;
	case QUILL_CB_ENGINE_RESUME:
		issue_resume(core, value);
		break;
	case QUILL_CB_JOB_BEGIN:
		slot_job_begin(core);
		break;
	case QUILL_CB_JOB_END:
		slot_job_end(core);
		break;
	default:
		pthread_mutex_lock(&core->lock);
		write_shared(core, offset, value);
		pthread_mutex_unlock(&core->lock);
		if (offset == QUILL_CB_STATUS)
			core_event(core->emu, CORE, core->id, core->status, core->error);
	}
}

const struct rv32_bus cb_bus = { .read = cb_read, .write = cb_write };
