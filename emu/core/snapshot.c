// SPDX-License-Identifier: MIT
/*
 * Snapshots: what a guest can see of the device, but for its memory, which is its host's to keep.
 *
 * Taken while the device stands still: processors are between two instructions and engines between two commands, so
 * that there is nothing half done to write down. (A command could not begin again from its start: it may have
 * overwritten its own operands.) Threads, kernels, TLBs and decoded instructions are the host's business and not part of it; what
 * follows from the rest (the interrupt lines, which slots wait) is worked out anew.
 *
 * The supervisor does it, with everything else parked; locks are taken for those who read registers meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "snapshot.h"

#define MAGIC		0x4e534c51u	/* "QLSN" */
#define VERSION		3u
#define END		0x444e4551u
#define LOCAL_PAGE	4096u
/* 146 years: far from where nanoseconds wrap. */
#define MAX_TIME_US	(1ull << 52)

/* ---- whole device ---- */

static void snap_config(struct quill_emu *emu, struct snap *s)
{
	snap_same(s, "magic", MAGIC);
	snap_same(s, "snapshot version", VERSION);
	snap_same(s, "hardware version", QUILL_HW_MAJOR << 16 | QUILL_HW_MINOR);
	snap_same(s, "bytes of device memory", emu->mem_size);
	snap_same(s, "cores", emu->cores);
	snap_same(s, "queues", emu->queues);
#define X(key, ...) snap_same(s, "profile: " #key, emu->profile.key);
	PROFILE_KEYS(X)
#undef X
}

static void snap_device(struct quill_emu *emu, struct snap *s)
{
	uint64_t elapsed = (emu->paused_ns - atomic_load(&emu->power_on_ns)) / 1000;

	elapsed = snap_max(s, "device time of day", elapsed, MAX_TIME_US);
	if (s->load)
		atomic_store(&emu->power_on_ns, emu->paused_ns - elapsed * 1000);
	atomic_store(&emu->reset_count, snap_num(s, atomic_load(&emu->reset_count)));
}

static void snap_space(struct quill_emu *emu, unsigned int i, struct snap *s)
{
	struct mmu_as *as = &emu->mmu.as[i];

	atomic_store(&as->root, snap_mask(s, "root of an address space", atomic_load(&as->root),
					  QUILL_PTE_ADDR_MASK));
	atomic_store(&as->ctrl, snap_mask(s, "control of an address space", atomic_load(&as->ctrl),
					  QUILL_AS_CTRL_ENABLE));
	pthread_mutex_lock(&emu->mmu.lock);
	as->fault_status = snap_num(s, as->fault_status);
	as->fault_addr = snap_num(s, as->fault_addr);
	as->fault_count = snap_num(s, as->fault_count);
	pthread_mutex_unlock(&emu->mmu.lock);
}

/* ---- a core ---- */

/* Under the core's lock, as the next three. */
static void snap_registers(struct core *core, struct snap *s)
{
	core->status = snap_max(s, "status", core->status, QUILL_CORE_PANIC);
	core->error = snap_num(s, core->error);
	core->fw_version = snap_num(s, core->fw_version);
	core->fw_abi = snap_num(s, core->fw_abi);
	core->fw_features = snap_num(s, core->fw_features);
	core->heartbeat = snap_num(s, core->heartbeat);
	core->fw_addr = snap_num(s, core->fw_addr);
	core->fw_size = snap_num(s, core->fw_size);
	core->boot_args = snap_num(s, core->boot_args);
	core->admin_tail = snap_num(s, core->admin_tail);
	core->run = snap_max(s, "whether it is to boot", core->run, 1);
	core->frozen = snap_max(s, "whether it runs", core->frozen, 1);
	core->active = core->run || core->frozen;
}

static void snap_interrupts(struct core *core, struct snap *s)
{
	const uint32_t latched = QUILL_CB_IRQ_ADMIN | QUILL_CB_IRQ_TIMER;

	core->irq_latched = snap_mask(s, "pending interrupts", core->irq_latched, latched);
	core->irq_enable = snap_mask(s, "enabled interrupts", core->irq_enable,
				     latched | QUILL_CB_IRQ_DOORBELL | QUILL_CB_IRQ_ENGINE);
	core->timer = snap_num(s, core->timer);
	core->timer_armed = snap_max(s, "whether the timer is armed", core->timer_armed, 1);
}

/* The queues that are this core's, of the 32 from 32 * @word on. */
static uint32_t own_queues(const struct core *core, uint32_t word)
{
	uint32_t mask = 0, q;

	for (q = core->id; q < core->emu->queues; q += core->emu->cores)
		if (q / 32 == word)
			mask |= 1u << q % 32;
	return mask;
}

static void snap_doorbells(struct core *core, struct snap *s)
{
	unsigned int q, w;

	core->db_words = 0;
	for (w = 0; w < QUILL_MAX_QUEUES / 32; w++) {
		core->db_pending[w] = snap_mask(s, "pending doorbells", core->db_pending[w],
						own_queues(core, w));
		core->db_words |= (uint32_t)!!core->db_pending[w] << w;
	}
	for (q = 0; q < QUILL_MAX_QUEUES; q++) {
		core->db_tail[q] = snap_num(s, core->db_tail[q]);
		core->db_class[q] = snap_max(s, "class of a doorbell", core->db_class[q],
					     QUILL_CLASSES - 1);
	}
	core->floor = snap_max(s, "floor", core->floor, QUILL_CLASSES - 1);
	core->db_floor = snap_max(s, "floor of doorbells", core->db_floor, QUILL_CLASSES - 1);
}

static void snap_ports(struct cb_ports *p, struct snap *s)
{
	unsigned int i;

	p->xfer_addr = snap_num(s, p->xfer_addr);
	p->xfer_local = snap_num(s, p->xfer_local);
	p->xfer_len = snap_num(s, p->xfer_len);
	p->xfer_result = snap_num(s, p->xfer_result);
	p->xfer_fault = snap_num(s, p->xfer_fault);
	p->slot = snap_max(s, "selected slot", p->slot, QUILL_SLOTS - 1);
	p->check_cmd = snap_num(s, p->check_cmd);
	p->check_result = snap_num(s, p->check_result);
	p->issue_cmd = snap_num(s, p->issue_cmd);
	p->issue_ready = snap_num(s, p->issue_ready);
	p->issue_decoded = snap_num(s, p->issue_decoded);
	p->issue_held = snap_num(s, p->issue_held);
	p->issue_result = snap_num(s, p->issue_result);
	p->issue_end = snap_num(s, p->issue_end);
	p->job_clock = snap_num(s, p->job_clock);
	p->job_records = snap_num(s, p->job_records);
	p->popped.head = snap_num(s, p->popped.head);
	p->popped.fault = snap_num(s, p->popped.fault);
	p->popped.addr = snap_num(s, p->popped.addr);
	p->time_hi = snap_num(s, p->time_hi);
	p->timer_lo = snap_num(s, p->timer_lo);
	p->line_len = snap_max(s, "characters of a line", p->line_len, sizeof(p->line) - 2);
	snap_bytes(s, p->line, p->line_len);
	for (i = 0; i < p->line_len; i++)
		if (p->line[i] < ' ' || p->line[i] > '~')
			snap_fail(s, "character %u of a line: found %d, required one to print", i,
				  p->line[i]);
}

/* Pages that are not all zero. On load it is zero before. */
static void snap_local_memory(struct core *core, struct snap *s)
{
	static const uint8_t zero[LOCAL_PAGE];
	const uint32_t pages = QUILL_RV_TCM_SIZE / LOCAL_PAGE;
	uint32_t page;

	for (page = 0; page < pages; page++) {
		uint8_t *bytes = core->tcm + page * LOCAL_PAGE;

		if (snap_max(s, "whether a page of local memory is there",
			     memcmp(bytes, zero, LOCAL_PAGE) != 0, 1))
			snap_bytes(s, bytes, LOCAL_PAGE);
	}
	if (s->load)
		rv32_tcm_written(core->cpu, QUILL_RV_TCM_BASE, QUILL_RV_TCM_SIZE);
}

static void snap_core(struct core *core, struct snap *s)
{
	s->core = core->id;
	/* A reset leaves it for dumps. */
	if (s->load)
		memset(core->tcm, 0, QUILL_RV_TCM_SIZE);
	pthread_mutex_lock(&core->lock);
	snap_registers(core, s);
	snap_interrupts(core, s);
	snap_doorbells(core, s);
	snap_ports(&core->ports, s);
	rv32_snap(core->cpu, s);
	snap_local_memory(core, s);
	snap_slots(core, s);
	atomic_store(&core->pc, rv32_pc(core->cpu));
	atomic_store(&core->insn, rv32_instret(core->cpu));
	processor_irq(core);
	pthread_mutex_unlock(&core->lock);
	snap_scratchpads(core, s);
	s->core = -1;
}

static void snap_all(struct quill_emu *emu, struct snap *s)
{
	unsigned int i;

	snap_config(emu, s);
	snap_device(emu, s);
	for (i = 1; i < QUILL_MAX_AS && !s->failed; i++)
		snap_space(emu, i, s);
	for (i = 0; i < emu->cores && !s->failed; i++)
		snap_core(&emu->core[i], s);
	snap_same(s, "mark of the end", END);
}

/* ---- save and load ---- */

static void save(struct quill_emu *emu, void *arg)
{
	struct snap *s = arg;

	if (!emu->paused)
		snap_fail(s, "the device is not paused");
	else
		snap_all(emu, s);
}

void *quill_emu_save(struct quill_emu *emu, size_t *size)
{
	struct snap s = { .core = -1 };

	device_call(emu, save, &s);
	if (s.failed) {
		free(s.buf);
		return NULL;
	}
	*size = s.at;
	return s.buf;
}

static void load(struct quill_emu *emu, void *arg)
{
	struct snap *s = arg;

	if (!emu->paused) {
		snap_fail(s, "the device is not paused");
		return;
	}
	device_reset(emu);
	snap_all(emu, s);
	if (!s->failed && s->at != s->size)
		snap_fail(s, "bytes behind the end: found %zu, required none", s->size - s->at);
	if (s->failed)
		device_reset(emu);
}

bool quill_emu_load(struct quill_emu *emu, const void *data, size_t size, char *err, size_t err_size)
{
	struct snap s = {
		.load = true,
		.core = -1,
		.buf = (uint8_t *)(uintptr_t)data,
		.size = size,
		.err = err,
		.err_size = err_size,
	};

	device_call(emu, load, &s);
	return !s.failed;
}
