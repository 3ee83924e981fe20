// SPDX-License-Identifier: MIT
/*
 * The control processor: the loop.
 *
 * One label an operation, each ending in its own indirect jump, so that the host's predictor learns
 * what follows what. `ip` points to the slot of the instruction being executed. Whatever calls out
 * of this file may clear slots (a transfer into local memory does), so length and pc are read before.
 */
#include "rv32_internal.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

static int32_t div_signed(int32_t a, int32_t b)
{
	if (!b)
		return -1;
	if (a == INT32_MIN && b == -1)
		return a;
	return a / b;
}

static int32_t rem_signed(int32_t a, int32_t b)
{
	if (!b)
		return a;
	if (a == INT32_MIN && b == -1)
		return 0;
	return a % b;
}

#define DISPATCH()				\
	do {					\
		if (unlikely(!left))		\
			goto out;		\
		left--;				\
		goto *labels[ip->op];		\
	} while (0)

#define NEXT()		do { ip += ip->step; DISPATCH(); } while (0)

#define JUMP(target)							\
	do {								\
		uint32_t to_ = (target) - QUILL_RV_TCM_BASE;		\
		if (unlikely(to_ >= QUILL_RV_TCM_SIZE)) {		\
			away = (target);				\
			goto leave;					\
		}							\
		ip = &cpu->slots[to_ >> 1];				\
		DISPATCH();						\
	} while (0)

#define TRAP(c, v)	do { cause = (c); value = (v); goto trap; } while (0)

#define RD		x[ip->rd]
#define RS1		x[ip->rs1]
#define RS2		x[ip->rs2]
#define IMM		ip->imm

#define OP(name, expr)	op_##name: { RD = (expr); NEXT(); }

#define BRANCH(name, cond)			\
	op_##name: {				\
		if (cond)			\
			JUMP(IMM);		\
		NEXT();				\
	}

#define LOAD(name, type)							\
	op_##name: {								\
		uint32_t addr = RS1 + IMM, off = addr - QUILL_RV_TCM_BASE;	\
		type v;								\
		if (likely(off <= QUILL_RV_TCM_SIZE - sizeof(v))) {		\
			memcpy(&v, tcm + off, sizeof(v));			\
			RD = (uint32_t)(int32_t)v;				\
			NEXT();							\
		}								\
		value = addr;							\
		size = sizeof(v);						\
		goto bus_load;							\
	}

#define STORE(name, type)							\
	op_##name: {								\
		uint32_t addr = RS1 + IMM, off = addr - QUILL_RV_TCM_BASE;	\
		type v = (type)RS2;						\
		if (likely(off <= QUILL_RV_TCM_SIZE - sizeof(v))) {		\
			memcpy(tcm + off, &v, sizeof(v));			\
			NEXT();							\
		}								\
		value = addr;							\
		size = sizeof(v);						\
		goto bus_store;							\
	}

__attribute__((optimize("no-gcse", "no-crossjumping")))
uint32_t rv32_slice(struct rv32 *cpu, uint32_t n)
{
	static const void *const labels[RV32_OP_COUNT] = {
#define RV32_X(name) [RV32_OP_##name] = &&op_##name,
		RV32_OPS(RV32_X)
#undef RV32_X
	};
	const uint64_t retired = cpu->retired;
	uint32_t *const x = cpu->x;
	uint8_t *const tcm = cpu->tcm;
	uint32_t left = n, cause, value, size, away = cpu->pc, traps = 0;
	const struct rv32_slot *ip = NULL;

	if (away - QUILL_RV_TCM_BASE >= QUILL_RV_TCM_SIZE) {
		rv32_enter_trap(cpu, away, RV32_TRAP_FETCH, away);
		return 1;
	}
	JUMP(away);

op_DECODE:
	rv32_decode(cpu, ip - cpu->slots);
	goto *labels[ip->op];
op_ILLEGAL:
	TRAP(RV32_TRAP_ILLEGAL, IMM);
op_FETCH_FAULT:
	TRAP(RV32_TRAP_FETCH, IMM);

	OP(LI, IMM)
op_JAL: {
		RD = ip->pc + ip->step * 2;
		JUMP(IMM);
	}
op_JALR: {
		uint32_t target = (RS1 + IMM) & ~1u;

		RD = ip->pc + ip->step * 2;
		JUMP(target);
	}
	BRANCH(BEQ, RS1 == RS2)
	BRANCH(BNE, RS1 != RS2)
	BRANCH(BLT, (int32_t)RS1 < (int32_t)RS2)
	BRANCH(BGE, (int32_t)RS1 >= (int32_t)RS2)
	BRANCH(BLTU, RS1 < RS2)
	BRANCH(BGEU, RS1 >= RS2)

	LOAD(LB, int8_t)
	LOAD(LH, int16_t)
	LOAD(LW, int32_t)
	LOAD(LBU, uint8_t)
	LOAD(LHU, uint16_t)
	STORE(SB, uint8_t)
	STORE(SH, uint16_t)
	STORE(SW, uint32_t)

	OP(ADDI, RS1 + IMM)
	OP(SLTI, (int32_t)RS1 < (int32_t)IMM)
	OP(SLTIU, RS1 < IMM)
	OP(XORI, RS1 ^ IMM)
	OP(ORI, RS1 | IMM)
	OP(ANDI, RS1 & IMM)
	OP(SLLI, RS1 << IMM)
	OP(SRLI, RS1 >> IMM)
	OP(SRAI, (uint32_t)((int32_t)RS1 >> IMM))
	OP(ADD, RS1 + RS2)
	OP(SUB, RS1 - RS2)
	OP(SLL, RS1 << (RS2 & 31))
	OP(SLT, (int32_t)RS1 < (int32_t)RS2)
	OP(SLTU, RS1 < RS2)
	OP(XOR, RS1 ^ RS2)
	OP(SRL, RS1 >> (RS2 & 31))
	OP(SRA, (uint32_t)((int32_t)RS1 >> (RS2 & 31)))
	OP(OR, RS1 | RS2)
	OP(AND, RS1 & RS2)
	OP(MUL, RS1 * RS2)
	OP(MULH, (uint64_t)((int64_t)(int32_t)RS1 * (int32_t)RS2) >> 32)
	OP(MULHSU, (uint64_t)((int64_t)(int32_t)RS1 * (int64_t)RS2) >> 32)
	OP(MULHU, (uint64_t)RS1 * RS2 >> 32)
	OP(DIV, (uint32_t)div_signed(RS1, RS2))
	OP(DIVU, RS2 ? RS1 / RS2 : 0xffffffffu)
	OP(REM, (uint32_t)rem_signed(RS1, RS2))
	OP(REMU, RS2 ? RS1 % RS2 : RS1)

op_FENCE:
	/* one processor, and accesses in order: nothing to hold back */
	atomic_thread_fence(memory_order_seq_cst);
	NEXT();
op_FENCE_I: {
		uint32_t step = ip->step;

		rv32_forget(cpu, 0, RV32_SLOTS + RV32_GUARD);
		ip += step;
		DISPATCH();
	}
op_ECALL:
	TRAP(RV32_TRAP_ECALL, 0);
op_EBREAK:
	TRAP(RV32_TRAP_EBREAK, ip->pc);
op_MRET:
	cpu->mstatus = RV32_MSTATUS_MPP | RV32_MSTATUS_MPIE |
		       (cpu->mstatus & RV32_MSTATUS_MPIE ? RV32_MSTATUS_MIE : 0);
	if (cpu->trap_depth)
		cpu->trap_depth--;
	cpu->pc = cpu->mepc;
	goto end;
op_WFI:
	if (!atomic_load_explicit(&cpu->irq, memory_order_acquire)) {
		cpu->wfi = true;
		left++;		/* it has not retired */
		goto out;
	}
	cpu->pc = ip->pc + 4;
	goto end;
op_CSR:
	if (!rv32_csr(cpu, IMM, retired + (n - left) - 1))
		TRAP(RV32_TRAP_ILLEGAL, IMM);
	/* it may have let an interrupt in */
	cpu->pc = ip->pc + 4;
	goto end;

bus_load: {
		uint32_t step = ip->step, rd = ip->rd, v;

		cpu->pc = ip->pc;
		cause = rv32_bus_load(cpu, value, size, &v);
		if (unlikely(cause))
			goto trap;
		x[rd] = v;
		ip += step;
		DISPATCH();
	}
bus_store: {
		uint32_t step = ip->step;

		cpu->pc = ip->pc;
		cause = rv32_bus_store(cpu, value, size, RS2);
		if (unlikely(cause))
			goto trap;
		ip += step;
		DISPATCH();
	}
trap:
	rv32_enter_trap(cpu, ip->pc, cause, value);
	traps = 1;
	goto end;
leave:
	/* the jump has retired; the fetch behind it is what fails */
	rv32_enter_trap(cpu, away, RV32_TRAP_FETCH, away);
	goto end;
out:
	cpu->pc = QUILL_RV_TCM_BASE + 2 * (uint32_t)(ip - cpu->slots);
end:
	cpu->retired = retired + (n - left) - traps;
	return n - left;
}
