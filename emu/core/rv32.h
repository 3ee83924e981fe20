/* SPDX-License-Identifier: MIT */
/*
 * The control processor: an RV32IMC interpreter, machine mode only.
 *
 * It knows local memory, a bus for what lies in the control block's window, and one interrupt line.
 */
#ifndef QUILL_RV32_H
#define QUILL_RV32_H

#include <stdbool.h>
#include <stdint.h>

struct rv32;

/** struct rv32_bus - the control block: aligned 32-bit accesses at an offset in its window */
struct rv32_bus {
	uint32_t (*read)(void *opaque, uint32_t offset);
	void (*write)(void *opaque, uint32_t offset, uint32_t value);
};

/** enum rv32_stop - why rv32_run() came back */
enum rv32_stop {
	RV32_BUDGET,	/* as many instructions as asked for were executed */
	RV32_WFI,	/* sleeps; run again when the interrupt line has risen */
	RV32_STOPPED,	/* rv32_stop() was called */
	RV32_DEAD,	/* a trap without a handler (mtvec is 0), or a trap inside one; see rv32_cause() */
};

/**
 * rv32_new() - make a processor
 * @tcm: local memory, QUILL_RV_TCM_SIZE bytes at QUILL_RV_TCM_BASE; stays the caller's
 */
struct rv32 *rv32_new(uint8_t *tcm, const struct rv32_bus *bus, void *opaque);
void rv32_free(struct rv32 *cpu);

/** rv32_reset() - all registers zero, but pc; forgets decoded instructions */
void rv32_reset(struct rv32 *cpu, uint32_t pc);

/** rv32_run() - execute until a reason to stop comes up; at most @budget instructions */
enum rv32_stop rv32_run(struct rv32 *cpu, uint64_t budget);

/** rv32_irq() - set the level of the machine external interrupt; from any thread */
void rv32_irq(struct rv32 *cpu, bool level);

/** rv32_stop() - make a running rv32_run() return soon; from any thread. Cleared by rv32_reset(). */
void rv32_stop(struct rv32 *cpu);

/** rv32_go() - take an rv32_stop() back */
void rv32_go(struct rv32 *cpu);

/** rv32_tcm_written() - local memory was changed from outside: forget what was decoded there */
void rv32_tcm_written(struct rv32 *cpu, uint32_t addr, uint32_t len);

uint32_t rv32_pc(const struct rv32 *cpu);
uint64_t rv32_instret(const struct rv32 *cpu);
/** rv32_cause() - mcause and mtval of the last trap */
void rv32_cause(const struct rv32 *cpu, uint32_t *cause, uint32_t *value);
uint32_t rv32_reg(const struct rv32 *cpu, unsigned int reg);

#endif /* QUILL_RV32_H */
