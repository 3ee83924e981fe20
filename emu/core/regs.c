// SPDX-License-Identifier: MIT
/*
 * BAR0 and BAR2: the registers, as tables, and the doorbells.
 *
 * A block of registers repeats at a stride; its table says where each is and who reads and writes it. No
 * access waits for work: what takes time is asked of the supervisor or wakes a processor.
 */
#include "core.h"

struct reg {
	uint32_t offset;	/* in its block */
	uint32_t (*read)(struct quill_emu *emu, unsigned int index, uint32_t offset);
	void (*write)(struct quill_emu *emu, unsigned int index, uint32_t offset, uint32_t value);
};

struct block {
	uint32_t base, stride;
	unsigned int first;	/* index of the first that exists */
	const struct reg *regs;
	unsigned int count;
};

/* ---- whole device ---- */

static uint32_t read_device(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	switch (offset) {
	case QUILL_REG_ID:
		return QUILL_ID;
	case QUILL_REG_VERSION:
		return QUILL_HW_MAJOR << 16 | QUILL_HW_MINOR;
	case QUILL_REG_CAPS:
		return emu->cores | emu->queues << QUILL_CAPS_QUEUES_SHIFT |
		       QUILL_MAX_AS << QUILL_CAPS_AS_SHIFT;
	case QUILL_REG_CLOCK_KHZ:
		return emu->profile.clock_khz;
	case QUILL_REG_MEM_SIZE_LO:
		return emu->mem_size;
	case QUILL_REG_MEM_SIZE_HI:
		return emu->mem_size >> 32;
	case QUILL_REG_SRAM_SIZE:
		return emu->profile.sram_size;
	case QUILL_REG_RESET_COUNT:
		return atomic_load(&emu->reset_count);
	default:
		return 0;
	}
}

static uint32_t read_resetting(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	/* RESET in CONTROL and RESETTING in STATUS are the same bit */
	return atomic_load(&emu->resetting) ? QUILL_STATUS_RESETTING : 0;
}

static void write_control(struct quill_emu *emu, unsigned int index, uint32_t offset,
			  uint32_t value)
{
	if (value & QUILL_CONTROL_RESET)
		device_request_reset(emu);
}

static void write_invalidate(struct quill_emu *emu, unsigned int index, uint32_t offset,
			     uint32_t value)
{
	if (inject_take(emu, QUILL_INJECT_STUCK_INVALIDATE))
		atomic_store(&emu->inject.stuck_invalidate, true);
	mmu_invalidate(emu, value);
}

static uint32_t read_inject(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	return inject_read(emu);
}

static void write_inject(struct quill_emu *emu, unsigned int index, uint32_t offset, uint32_t value)
{
	inject_write(emu, value);
}

static uint32_t read_mmu_status(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	return mmu_busy(emu) || atomic_load(&emu->inject.stuck_invalidate) ? QUILL_MMU_STATUS_BUSY : 0;
}

static const struct reg device_regs[] = {
	{ QUILL_REG_ID, read_device, NULL },
	{ QUILL_REG_VERSION, read_device, NULL },
	{ QUILL_REG_CAPS, read_device, NULL },
	{ QUILL_REG_CLOCK_KHZ, read_device, NULL },
	{ QUILL_REG_MEM_SIZE_LO, read_device, NULL },
	{ QUILL_REG_MEM_SIZE_HI, read_device, NULL },
	{ QUILL_REG_SRAM_SIZE, read_device, NULL },
	{ QUILL_REG_CONTROL, read_resetting, write_control },
	{ QUILL_REG_STATUS, read_resetting, NULL },
	{ QUILL_REG_RESET_COUNT, read_device, NULL },
	{ QUILL_REG_MMU_INVALIDATE, NULL, write_invalidate },
	{ QUILL_REG_MMU_STATUS, read_mmu_status, NULL },
	{ QUILL_REG_INJECT, read_inject, write_inject },
};

/* ---- address spaces ---- */

static uint32_t read_as(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	const struct mmu_as *as = &emu->mmu.as[index];

	switch (offset) {
	case QUILL_AS_ROOT_LO:
		return atomic_load(&as->root);
	case QUILL_AS_ROOT_HI:
		return atomic_load(&as->root) >> 32;
	default:
		return atomic_load(&as->ctrl);
	}
}

static void write_as(struct quill_emu *emu, unsigned int index, uint32_t offset, uint32_t value)
{
	struct mmu_as *as = &emu->mmu.as[index];
	uint64_t root = atomic_load(&as->root);

	switch (offset) {
	case QUILL_AS_ROOT_LO:
		root = (root & ~0xffffffffull) | value;
		atomic_store(&as->root, root & QUILL_PTE_ADDR_MASK);
		break;
	case QUILL_AS_ROOT_HI:
		root = (root & 0xffffffffull) | (uint64_t)value << 32;
		atomic_store(&as->root, root & QUILL_PTE_ADDR_MASK);
		break;
	default:
		atomic_store(&as->ctrl, value & QUILL_AS_CTRL_ENABLE);
	}
}

static uint32_t read_as_fault(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	const struct mmu_as *as = &emu->mmu.as[index];
	uint32_t value;

	pthread_mutex_lock(&emu->mmu.lock);
	switch (offset) {
	case QUILL_AS_FAULT_STATUS:
		value = as->fault_status;
		break;
	case QUILL_AS_FAULT_ADDR_LO:
		value = as->fault_addr;
		break;
	case QUILL_AS_FAULT_ADDR_HI:
		value = as->fault_addr >> 32;
		break;
	default:
		value = as->fault_count;
	}
	pthread_mutex_unlock(&emu->mmu.lock);
	return value;
}

static void clear_as_fault(struct quill_emu *emu, unsigned int index, uint32_t offset,
			   uint32_t value)
{
	pthread_mutex_lock(&emu->mmu.lock);
	emu->mmu.as[index].fault_status = 0;
	emu->mmu.as[index].fault_addr = 0;
	pthread_mutex_unlock(&emu->mmu.lock);
}

static const struct reg as_regs[] = {
	{ QUILL_AS_ROOT_LO, read_as, write_as },
	{ QUILL_AS_ROOT_HI, read_as, write_as },
	{ QUILL_AS_CTRL, read_as, write_as },
	{ QUILL_AS_FAULT_STATUS, read_as_fault, clear_as_fault },
	{ QUILL_AS_FAULT_ADDR_LO, read_as_fault, NULL },
	{ QUILL_AS_FAULT_ADDR_HI, read_as_fault, NULL },
	{ QUILL_AS_FAULT_COUNT, read_as_fault, NULL },
};

/* ---- cores ---- */

static uint32_t core_value(const struct core *core, uint32_t offset)
{
	switch (offset) {
	case QUILL_CORE_FW_ADDR_LO:
		return core->fw_addr;
	case QUILL_CORE_FW_ADDR_HI:
		return core->fw_addr >> 32;
	case QUILL_CORE_FW_SIZE:
		return core->fw_size;
	case QUILL_CORE_BOOT_ARGS_LO:
		return core->boot_args;
	case QUILL_CORE_BOOT_ARGS_HI:
		return core->boot_args >> 32;
	case QUILL_CORE_STATUS:
		/* A start that is on its way must not look like a core that is off. */
		return core->want_start ? QUILL_CORE_BOOTING : core->status;
	case QUILL_CORE_ERROR:
		return core->want_start ? 0 : core->error;
	case QUILL_CORE_HEARTBEAT:
		return core->heartbeat;
	case QUILL_CORE_FW_ABI:
		return core->fw_abi;
	case QUILL_CORE_FW_FEATURES:
		return core->fw_features;
	default:
		return core->fw_version;
	}
}

static uint32_t read_core(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	struct core *core = &emu->core[index];
	uint32_t value;

	pthread_mutex_lock(&core->lock);
	value = core_value(core, offset);
	pthread_mutex_unlock(&core->lock);
	return value;
}

static void write_core(struct quill_emu *emu, unsigned int index, uint32_t offset, uint32_t value)
{
	struct core *core = &emu->core[index];

	pthread_mutex_lock(&core->lock);
	switch (offset) {
	case QUILL_CORE_FW_ADDR_LO:
		core->fw_addr = (core->fw_addr & ~0xffffffffull) | value;
		break;
	case QUILL_CORE_FW_ADDR_HI:
		core->fw_addr = (core->fw_addr & 0xffffffffull) | (uint64_t)value << 32;
		break;
	case QUILL_CORE_FW_SIZE:
		core->fw_size = value;
		break;
	case QUILL_CORE_BOOT_ARGS_LO:
		core->boot_args = (core->boot_args & ~0xffffffffull) | value;
		break;
	case QUILL_CORE_BOOT_ARGS_HI:
		core->boot_args = (core->boot_args & 0xffffffffull) | (uint64_t)value << 32;
		break;
	}
	pthread_mutex_unlock(&core->lock);
}

static uint32_t read_progress(struct quill_emu *emu, unsigned int index, uint32_t offset)
{
	struct core *core = &emu->core[index];

	switch (offset) {
	case QUILL_CORE_PC:
		return atomic_load(&core->pc);
	case QUILL_CORE_INSN_LO:
		return atomic_load(&core->insn);
	default:
		return atomic_load(&core->insn) >> 32;
	}
}

static void write_core_ctrl(struct quill_emu *emu, unsigned int index, uint32_t offset,
			    uint32_t value)
{
	device_request_core(&emu->core[index], value & QUILL_CORE_CTRL_STOP,
			    value & QUILL_CORE_CTRL_START);
}

static void write_admin(struct quill_emu *emu, unsigned int index, uint32_t offset, uint32_t value)
{
	cb_admin(&emu->core[index], value);
}

static const struct reg core_regs[] = {
	{ QUILL_CORE_FW_ADDR_LO, read_core, write_core },
	{ QUILL_CORE_FW_ADDR_HI, read_core, write_core },
	{ QUILL_CORE_FW_SIZE, read_core, write_core },
	{ QUILL_CORE_BOOT_ARGS_LO, read_core, write_core },
	{ QUILL_CORE_BOOT_ARGS_HI, read_core, write_core },
	{ QUILL_CORE_CTRL, NULL, write_core_ctrl },
	{ QUILL_CORE_STATUS, read_core, NULL },
	{ QUILL_CORE_ERROR, read_core, NULL },
	{ QUILL_CORE_HEARTBEAT, read_core, NULL },
	{ QUILL_CORE_ADMIN_DB, NULL, write_admin },
	{ QUILL_CORE_FW_VERSION, read_core, NULL },
	{ QUILL_CORE_FW_ABI, read_core, NULL },
	{ QUILL_CORE_FW_FEATURES, read_core, NULL },
	{ QUILL_CORE_PC, read_progress, NULL },
	{ QUILL_CORE_INSN_LO, read_progress, NULL },
	{ QUILL_CORE_INSN_HI, read_progress, NULL },
};

/* ---- dispatch ---- */

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct block device_block = { 0, 0, 0, device_regs, COUNT(device_regs) };
static const struct block core_block = {
	QUILL_REG_CORE(0), QUILL_REG_CORE(1) - QUILL_REG_CORE(0), 0, core_regs, COUNT(core_regs),
};
static const struct block as_block = {
	QUILL_REG_AS(0), QUILL_REG_AS(1) - QUILL_REG_AS(0), 1, as_regs, COUNT(as_regs),
};

static const struct reg *find(struct quill_emu *emu, uint64_t offset, unsigned int *index)
{
	const struct block *block = &device_block;
	uint32_t i, at = offset, n = 0;

	if (offset >= QUILL_REG_AS(0) && offset < QUILL_REG_AS(QUILL_MAX_AS))
		block = &as_block;
	else if (offset >= QUILL_REG_CORE(0) && offset < QUILL_REG_CORE(emu->cores))
		block = &core_block;
	else if (offset >= QUILL_REG_CORE(0))
		return NULL;

	if (block->stride) {
		n = (at - block->base) / block->stride;
		at = (at - block->base) % block->stride;
	}
	if (n < block->first)
		return NULL;
	*index = n;
	for (i = 0; i < block->count; i++)
		if (block->regs[i].offset == at)
			return &block->regs[i];
	return NULL;
}

static bool odd_access(unsigned int bar, uint64_t offset, unsigned int size)
{
	return (bar != QUILL_BAR_REGS && bar != QUILL_BAR_DOORBELL) || size != 4 || offset % 4;
}

uint64_t quill_emu_read(struct quill_emu *emu, unsigned int bar, uint64_t offset, unsigned int size)
{
	const struct reg *reg;
	unsigned int index;

	if (odd_access(bar, offset, size))
		return size >= 8 ? UINT64_MAX : (1ull << size * 8) - 1;
	if (bar == QUILL_BAR_DOORBELL)
		return 0;
	reg = find(emu, offset, &index);
	if (!reg || !reg->read)
		return 0;
	return reg->read(emu, index, reg->offset);
}

static void ring(struct quill_emu *emu, uint64_t offset, uint32_t tail)
{
	uint64_t queue = offset / QUILL_DOORBELL_STRIDE;

	if (queue >= emu->queues || offset % QUILL_DOORBELL_STRIDE)
		return;
	if (inject_take(emu, QUILL_INJECT_STUCK_FIRMWARE))
		atomic_store(&core_of_queue(emu, queue)->stuck, true);
	else if (!inject_take(emu, QUILL_INJECT_LOST_DOORBELL))
		cb_doorbell(core_of_queue(emu, queue), queue, tail);
}

void quill_emu_write(struct quill_emu *emu, unsigned int bar, uint64_t offset, uint64_t value,
		     unsigned int size)
{
	const struct reg *reg;
	unsigned int index;

	if (odd_access(bar, offset, size))
		return;
	if (bar == QUILL_BAR_DOORBELL) {
		ring(emu, offset, value);
		return;
	}
	reg = find(emu, offset, &index);
	if (reg && reg->write)
		reg->write(emu, index, reg->offset, value);
}
