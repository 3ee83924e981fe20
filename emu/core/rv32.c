// SPDX-License-Identifier: MIT
/*
 * The control processor: life, traps, control registers, and what lies outside local memory.
 *
 * Choices that the RISC-V specification leaves open:
 *   - misaligned loads and stores work in local memory; in the control block they trap
 *     (cause 4, 6); other widths than 32 bits there are access faults (5, 7), as is
 *     everything outside the two windows and what reaches over an edge;
 *   - mtval holds the address at fault, or the instruction that was illegal; for EBREAK, its pc;
 *   - mcycle counts instructions, as minstret does;
 *   - a trap while another one is being handled (no MRET since) is fatal, since mepc would be lost.
 */
#include <stdlib.h>

#include "rv32_internal.h"

/* How many instructions pass until stop and interrupt are looked at: about a microsecond. */
#define SLICE	256

enum {
	CSR_MSTATUS = 0x300, CSR_MISA = 0x301, CSR_MIE = 0x304, CSR_MTVEC = 0x305,
	CSR_MSTATUSH = 0x310, CSR_MCOUNTINHIBIT = 0x320,
	CSR_MSCRATCH = 0x340, CSR_MEPC = 0x341, CSR_MCAUSE = 0x342, CSR_MTVAL = 0x343,
	CSR_MIP = 0x344,
	CSR_MCYCLE = 0xb00, CSR_MINSTRET = 0xb02, CSR_MCYCLEH = 0xb80, CSR_MINSTRETH = 0xb82,
	CSR_CYCLE = 0xc00, CSR_INSTRET = 0xc02, CSR_CYCLEH = 0xc80, CSR_INSTRETH = 0xc82,
	CSR_MVENDORID = 0xf11, CSR_MARCHID = 0xf12, CSR_MIMPID = 0xf13, CSR_MHARTID = 0xf14,
	CSR_MCONFIGPTR = 0xf15,
};

/* 32 bits; extensions C, I, M. */
#define MISA	(1u << 30 | 1u << 2 | 1u << 8 | 1u << 12)

struct rv32 *rv32_new(uint8_t *tcm, const struct rv32_bus *bus, void *opaque)
{
	struct rv32 *cpu = calloc(1, sizeof(*cpu));

	if (!cpu)
		return NULL;
	cpu->tcm = tcm;
	cpu->bus = *bus;
	cpu->opaque = opaque;
	cpu->low = RV32_SLOTS + RV32_GUARD;
	rv32_reset(cpu, QUILL_RV_TCM_BASE);
	return cpu;
}

void rv32_free(struct rv32 *cpu)
{
	free(cpu);
}

void rv32_forget(struct rv32 *cpu, uint32_t from, uint32_t to)
{
	if (from < cpu->low)
		from = cpu->low;
	if (to > cpu->high)
		to = cpu->high;
	if (from < to)
		memset(&cpu->slots[from], 0, (to - from) * sizeof(cpu->slots[0]));
}

void rv32_reset(struct rv32 *cpu, uint32_t pc)
{
	memset(cpu->x, 0, sizeof(cpu->x));
	cpu->mstatus = RV32_MSTATUS_MPP;
	cpu->mie = 0;
	cpu->mtvec = 0;
	cpu->mepc = 0;
	cpu->mcause = 0;
	cpu->mtval = 0;
	cpu->mscratch = 0;
	cpu->trap_depth = 0;
	cpu->dead = false;
	cpu->wfi = false;
	cpu->cycle_base = 0;
	cpu->instret_base = 0;
	cpu->retired = 0;
	cpu->pc = pc & ~1u;
	rv32_forget(cpu, 0, RV32_SLOTS + RV32_GUARD);
	cpu->low = RV32_SLOTS + RV32_GUARD;
	cpu->high = 0;
	atomic_store(&cpu->stop, false);
}

void rv32_tcm_written(struct rv32 *cpu, uint32_t addr, uint32_t len)
{
	uint32_t off = addr - QUILL_RV_TCM_BASE;
	uint32_t end;

	if (!len || off >= QUILL_RV_TCM_SIZE)
		return;
	end = len < QUILL_RV_TCM_SIZE - off ? off + len : QUILL_RV_TCM_SIZE;
	/* a 32-bit instruction may begin one halfword earlier */
	rv32_forget(cpu, off >= 2 ? off / 2 - 1 : 0, (end + 1) / 2);
}

void rv32_enter_trap(struct rv32 *cpu, uint32_t pc, uint32_t cause, uint32_t value)
{
	bool irq = cause & RV32_CAUSE_IRQ;

	cpu->mcause = cause;
	cpu->mtval = value;
	if (!cpu->mtvec || (!irq && cpu->trap_depth)) {
		cpu->dead = true;
		cpu->pc = pc;
		return;
	}
	cpu->trap_depth++;
	cpu->mepc = pc;
	cpu->mstatus = RV32_MSTATUS_MPP |
		       (cpu->mstatus & RV32_MSTATUS_MIE ? RV32_MSTATUS_MPIE : 0);
	cpu->pc = (cpu->mtvec & ~3u) + (irq && cpu->mtvec & 1 ? 4 * RV32_IRQ_EXTERNAL : 0);
}

static void take_interrupt(struct rv32 *cpu)
{
	if (!(cpu->mstatus & RV32_MSTATUS_MIE) || !(cpu->mie & 1u << RV32_IRQ_EXTERNAL) ||
	    !atomic_load_explicit(&cpu->irq, memory_order_acquire))
		return;
	rv32_enter_trap(cpu, cpu->pc, RV32_CAUSE_IRQ | RV32_IRQ_EXTERNAL, 0);
}

enum rv32_stop rv32_run(struct rv32 *cpu, uint64_t budget)
{
	for (;;) {
		if (atomic_load_explicit(&cpu->stop, memory_order_acquire))
			return RV32_STOPPED;
		if (!cpu->dead)
			take_interrupt(cpu);
		if (cpu->dead)
			return RV32_DEAD;
		if (!budget)
			return RV32_BUDGET;
		budget -= rv32_slice(cpu, budget < SLICE ? budget : SLICE);
		if (cpu->wfi) {
			cpu->wfi = false;
			/* a line that has risen meanwhile finds the WFI again, and passes it */
			if (!atomic_load_explicit(&cpu->irq, memory_order_acquire))
				return RV32_WFI;
		}
	}
}

void rv32_irq(struct rv32 *cpu, bool level)
{
	atomic_store_explicit(&cpu->irq, level, memory_order_release);
}

void rv32_stop(struct rv32 *cpu)
{
	atomic_store_explicit(&cpu->stop, true, memory_order_release);
}

void rv32_go(struct rv32 *cpu)
{
	atomic_store_explicit(&cpu->stop, false, memory_order_release);
}

uint32_t rv32_pc(const struct rv32 *cpu)
{
	return cpu->pc;
}

uint64_t rv32_instret(const struct rv32 *cpu)
{
	return cpu->retired;
}

void rv32_cause(const struct rv32 *cpu, uint32_t *cause, uint32_t *value)
{
	*cause = cpu->mcause;
	*value = cpu->mtval;
}

uint32_t rv32_reg(const struct rv32 *cpu, unsigned int reg)
{
	return reg && reg < 32 ? cpu->x[reg] : 0;
}

/* ---- outside local memory ---------------------------------------------- */

uint32_t rv32_bus_load(struct rv32 *cpu, uint32_t addr, uint32_t size, uint32_t *value)
{
	uint32_t off = addr - QUILL_RV_CB_BASE;

	if (off >= QUILL_RV_CB_SIZE || size != 4)
		return RV32_TRAP_LOAD;
	if (off & 3)
		return RV32_TRAP_LOAD_ALIGN;
	*value = cpu->bus.read(cpu->opaque, off);
	return 0;
}

uint32_t rv32_bus_store(struct rv32 *cpu, uint32_t addr, uint32_t size, uint32_t value)
{
	uint32_t off = addr - QUILL_RV_CB_BASE;

	if (off >= QUILL_RV_CB_SIZE || size != 4)
		return RV32_TRAP_STORE;
	if (off & 3)
		return RV32_TRAP_STORE_ALIGN;
	cpu->bus.write(cpu->opaque, off, value);
	return 0;
}

/* ---- control registers ---------------------------------------------------- */

/* Hardware performance counters 3..31 and their events: present, and always zero. */
static bool csr_is_hpm(uint32_t csr)
{
	uint32_t low = csr & 0x1f;

	switch (csr & ~0x1fu) {
	case 0x320:
	case 0xb00:
	case 0xb80:
		return low >= 3;
	default:
		return false;
	}
}

static bool csr_read(struct rv32 *cpu, uint32_t csr, uint64_t retired, uint32_t *value)
{
	switch (csr) {
	case CSR_MSTATUS:	*value = cpu->mstatus; break;
	case CSR_MISA:		*value = MISA; break;
	case CSR_MIE:		*value = cpu->mie; break;
	case CSR_MTVEC:		*value = cpu->mtvec; break;
	case CSR_MSCRATCH:	*value = cpu->mscratch; break;
	case CSR_MEPC:		*value = cpu->mepc; break;
	case CSR_MCAUSE:	*value = cpu->mcause; break;
	case CSR_MTVAL:		*value = cpu->mtval; break;
	case CSR_MIP:
		*value = atomic_load(&cpu->irq) ? 1u << RV32_IRQ_EXTERNAL : 0;
		break;
	case CSR_CYCLE:
	case CSR_MCYCLE:	*value = retired + cpu->cycle_base; break;
	case CSR_CYCLEH:
	case CSR_MCYCLEH:	*value = (retired + cpu->cycle_base) >> 32; break;
	case CSR_INSTRET:
	case CSR_MINSTRET:	*value = retired + cpu->instret_base; break;
	case CSR_INSTRETH:
	case CSR_MINSTRETH:	*value = (retired + cpu->instret_base) >> 32; break;
	case CSR_MSTATUSH:
	case CSR_MCOUNTINHIBIT:
	case CSR_MVENDORID:
	case CSR_MARCHID:
	case CSR_MIMPID:
	case CSR_MHARTID:
	case CSR_MCONFIGPTR:	*value = 0; break;
	default:
		*value = 0;
		return csr_is_hpm(csr);
	}
	return true;
}

/* A counter reads as what was written when the next instruction looks. */
static uint64_t counter_base(uint64_t now, uint32_t value, bool high, uint64_t retired)
{
	uint64_t set = high ? (uint64_t)value << 32 | (uint32_t)now :
			      (now & ~0xffffffffull) | value;

	return set - (retired + 1);
}

static void csr_write(struct rv32 *cpu, uint32_t csr, uint64_t retired, uint32_t value)
{
	const uint64_t cycle = retired + cpu->cycle_base;
	const uint64_t instret = retired + cpu->instret_base;

	switch (csr) {
	case CSR_MSTATUS:
		cpu->mstatus = RV32_MSTATUS_MPP |
			       (value & (RV32_MSTATUS_MIE | RV32_MSTATUS_MPIE));
		break;
	case CSR_MIE:		cpu->mie = value & 1u << RV32_IRQ_EXTERNAL; break;
	case CSR_MTVEC:		cpu->mtvec = value & ~2u; break;
	case CSR_MSCRATCH:	cpu->mscratch = value; break;
	case CSR_MEPC:		cpu->mepc = value & ~1u; break;
	case CSR_MCAUSE:	cpu->mcause = value; break;
	case CSR_MTVAL:		cpu->mtval = value; break;
	case CSR_MCYCLE:
	case CSR_MCYCLEH:
		cpu->cycle_base = counter_base(cycle, value, csr == CSR_MCYCLEH, retired);
		break;
	case CSR_MINSTRET:
	case CSR_MINSTRETH:
		cpu->instret_base = counter_base(instret, value, csr == CSR_MINSTRETH, retired);
		break;
	default:
		break;	/* misa, mip, counters that do not count: writes have no effect */
	}
}

bool rv32_csr(struct rv32 *cpu, uint32_t insn, uint64_t retired)
{
	uint32_t csr = insn >> 20;
	uint32_t funct3 = insn >> 12 & 7;
	uint32_t rs1 = insn >> 15 & 31;
	uint32_t rd = insn >> 7 & 31;
	uint32_t operand = funct3 & 4 ? rs1 : cpu->x[rs1];
	bool write = (funct3 & 3) == 1 || rs1;
	uint32_t old;

	if (!csr_read(cpu, csr, retired, &old) || (write && csr >> 10 == 3))
		return false;
	if ((funct3 & 3) == 2)
		operand = old | operand;
	else if ((funct3 & 3) == 3)
		operand = old & ~operand;
	if (write)
		csr_write(cpu, csr, retired, operand);
	cpu->x[rd ? rd : RV32_REG_VOID] = old;
	return true;
}
