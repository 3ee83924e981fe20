/* SPDX-License-Identifier: MIT */
/*
 * The control processor's insides, shared by rv32.c (state, traps, CSRs), rv32_decode.c and
 * rv32_exec.c.
 *
 * Every halfword of local memory has a slot that holds the instruction starting there in decoded form.
 * A slot that is all zero is not decoded yet (RV32_OP_DECODE), so that forgetting is a memset.
 */
#ifndef QUILL_RV32_INTERNAL_H
#define QUILL_RV32_INTERNAL_H

#include <stdatomic.h>
#include <string.h>

#include "quill/regs.h"
#include "rv32.h"

#define RV32_SLOTS	(QUILL_RV_TCM_SIZE / 2)
/* Behind the last halfword: what runs off the end faults there. */
#define RV32_GUARD	2
/* Where writes to x0 go. */
#define RV32_REG_VOID	32

/* What an instruction does; compressed ones become what they stand for. */
#define RV32_OPS(X) \
	X(DECODE) X(ILLEGAL) X(FETCH_FAULT) \
	X(LI) X(JAL) X(JALR) \
	X(BEQ) X(BNE) X(BLT) X(BGE) X(BLTU) X(BGEU) \
	X(LB) X(LH) X(LW) X(LBU) X(LHU) X(SB) X(SH) X(SW) \
	X(ADDI) X(SLTI) X(SLTIU) X(XORI) X(ORI) X(ANDI) X(SLLI) X(SRLI) X(SRAI) \
	X(ADD) X(SUB) X(SLL) X(SLT) X(SLTU) X(XOR) X(SRL) X(SRA) X(OR) X(AND) \
	X(MUL) X(MULH) X(MULHSU) X(MULHU) X(DIV) X(DIVU) X(REM) X(REMU) \
	X(FENCE) X(FENCE_I) X(ECALL) X(EBREAK) X(MRET) X(WFI) \
	X(CSR)

enum rv32_op {
#define RV32_X(name) RV32_OP_##name,
	RV32_OPS(RV32_X)
#undef RV32_X
	RV32_OP_COUNT
};

/**
 * struct rv32_slot - one decoded instruction
 */
struct rv32_slot {
	uint8_t op;
	/** @rd: 1..31, or RV32_REG_VOID for x0. */
	uint8_t rd;
	uint8_t rs1;
	uint8_t rs2;
	/** @imm: immediate; branches and JAL: target address; LI: the value; else the raw instruction. */
	uint32_t imm;
	/** @pc: its own address. */
	uint32_t pc;
	/** @step: its length in slots: 1 or 2. */
	uint32_t step;
};

enum rv32_trap {
	RV32_TRAP_FETCH = 1,
	RV32_TRAP_ILLEGAL = 2,
	RV32_TRAP_EBREAK = 3,
	RV32_TRAP_LOAD_ALIGN = 4,
	RV32_TRAP_LOAD = 5,
	RV32_TRAP_STORE_ALIGN = 6,
	RV32_TRAP_STORE = 7,
	RV32_TRAP_ECALL = 11,
};

#define RV32_IRQ_EXTERNAL	11
#define RV32_CAUSE_IRQ		(1u << 31)
#define RV32_MSTATUS_MIE	(1u << 3)
#define RV32_MSTATUS_MPIE	(1u << 7)
#define RV32_MSTATUS_MPP	(3u << 11)

struct rv32 {
	uint32_t x[33];
	uint32_t mstatus, mie, mtvec, mepc, mcause, mtval, mscratch;
	/** @trap_depth: traps entered and not left by MRET. */
	uint32_t trap_depth;
	bool dead;
	/** @wfi: the last slice ended in a WFI that sleeps. */
	bool wfi;
	/** @pc: of the next instruction; other threads read it, so it is as of the last slice. */
	_Atomic uint32_t pc;
	/** @retired: instructions since reset, as of the last slice. */
	_Atomic uint64_t retired;
	/** @cycle_base: what mcycle is ahead of @retired, modulo 2^64; likewise minstret. */
	uint64_t cycle_base, instret_base;
	atomic_bool irq;
	atomic_bool stop;

	uint8_t *tcm;
	struct rv32_bus bus;
	void *opaque;

	/** @low: no slot below is decoded, and none from @high on. */
	uint32_t low, high;
	struct rv32_slot slots[RV32_SLOTS + RV32_GUARD];
};

/* Decode what starts at @slot, which is zero. */
void rv32_decode(struct rv32 *cpu, uint32_t slot);
/* Forget slots [from, to). */
void rv32_forget(struct rv32 *cpu, uint32_t from, uint32_t to);

/* Execute up to @n instructions; returns how many. Less than @n after a trap, WFI, MRET or CSR write. */
uint32_t rv32_slice(struct rv32 *cpu, uint32_t n);

/* Enter the trap handler; pc is where to resume. */
void rv32_enter_trap(struct rv32 *cpu, uint32_t pc, uint32_t cause, uint32_t value);
/*
 * Execute the CSR instruction @insn; @retired counts what came before it. False: illegal.
 * rd is written.
 */
bool rv32_csr(struct rv32 *cpu, uint32_t insn, uint64_t retired);

/* Accesses outside local memory: 0, or an enum rv32_trap. */
uint32_t rv32_bus_load(struct rv32 *cpu, uint32_t addr, uint32_t size, uint32_t *value);
uint32_t rv32_bus_store(struct rv32 *cpu, uint32_t addr, uint32_t size, uint32_t value);

#endif /* QUILL_RV32_INTERNAL_H */
