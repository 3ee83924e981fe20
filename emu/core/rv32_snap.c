// SPDX-License-Identifier: MIT
/* The control processor in a snapshot. It does not run; what was decoded is decoded again. */
#include "rv32_internal.h"
#include "snapshot.h"

void rv32_snap(struct rv32 *cpu, struct snap *s)
{
	unsigned int i;

	for (i = 1; i < 32; i++)
		cpu->x[i] = snap_num(s, cpu->x[i]);
	/* Bits that the registers do not have are dropped, as they are from a CSR write. */
	cpu->mstatus = RV32_MSTATUS_MPP |
		       (snap_num(s, cpu->mstatus) & (RV32_MSTATUS_MIE | RV32_MSTATUS_MPIE));
	cpu->mie = snap_num(s, cpu->mie) & 1u << RV32_IRQ_EXTERNAL;
	cpu->mtvec = snap_num(s, cpu->mtvec) & ~2u;
	cpu->mepc = snap_num(s, cpu->mepc) & ~1u;
	cpu->mcause = snap_num(s, cpu->mcause);
	cpu->mtval = snap_num(s, cpu->mtval);
	cpu->mscratch = snap_num(s, cpu->mscratch);
	cpu->trap_depth = snap_num(s, cpu->trap_depth);
	cpu->dead = snap_max(s, "whether the processor is dead", cpu->dead, 1);
	cpu->pc = snap_num(s, cpu->pc) & ~1u;
	cpu->retired = snap_num(s, cpu->retired);
	cpu->cycle_base = snap_num(s, cpu->cycle_base);
	cpu->instret_base = snap_num(s, cpu->instret_base);
}
