// SPDX-License-Identifier: MIT
/*
 * The control processor: from instructions to slots.
 */
#include "rv32_internal.h"

/* Bits @from.. (@count of them) of @v, at bit @to. */
static uint32_t put(uint32_t v, unsigned int from, unsigned int count, unsigned int to)
{
	return (v >> from & ((1u << count) - 1)) << to;
}

static uint32_t sext(uint32_t v, unsigned int bits)
{
	return (uint32_t)((int32_t)(v << (32 - bits)) >> (32 - bits));
}

static void emit(struct rv32_slot *s, enum rv32_op op, uint32_t rd, uint32_t rs1, uint32_t rs2,
		 uint32_t imm)
{
	s->op = op;
	s->rd = rd ? rd : RV32_REG_VOID;
	s->rs1 = rs1;
	s->rs2 = rs2;
	s->imm = imm;
}

/* ---- 32 bits --------------------------------------------------------------- */

static uint32_t imm_b(uint32_t i)
{
	return sext(put(i, 31, 1, 12) | put(i, 7, 1, 11) | put(i, 25, 6, 5) | put(i, 8, 4, 1), 13);
}

static uint32_t imm_j(uint32_t i)
{
	return sext(put(i, 31, 1, 20) | put(i, 12, 8, 12) | put(i, 20, 1, 11) | put(i, 21, 10, 1),
		    21);
}

static enum rv32_op op_imm(uint32_t i)
{
	static const uint8_t ops[8] = {
		RV32_OP_ADDI, RV32_OP_ILLEGAL, RV32_OP_SLTI, RV32_OP_SLTIU,
		RV32_OP_XORI, RV32_OP_ILLEGAL, RV32_OP_ORI, RV32_OP_ANDI,
	};
	uint32_t funct3 = i >> 12 & 7;

	if (funct3 == 1)
		return i >> 25 == 0 ? RV32_OP_SLLI : RV32_OP_ILLEGAL;
	if (funct3 == 5)
		return i >> 25 == 0 ? RV32_OP_SRLI :
		       i >> 25 == 0x20 ? RV32_OP_SRAI : RV32_OP_ILLEGAL;
	return ops[funct3];
}

static enum rv32_op op_reg(uint32_t i)
{
	static const uint8_t base[8] = {
		RV32_OP_ADD, RV32_OP_SLL, RV32_OP_SLT, RV32_OP_SLTU,
		RV32_OP_XOR, RV32_OP_SRL, RV32_OP_OR, RV32_OP_AND,
	};
	static const uint8_t muldiv[8] = {
		RV32_OP_MUL, RV32_OP_MULH, RV32_OP_MULHSU, RV32_OP_MULHU,
		RV32_OP_DIV, RV32_OP_DIVU, RV32_OP_REM, RV32_OP_REMU,
	};
	uint32_t funct3 = i >> 12 & 7;

	switch (i >> 25) {
	case 0x00:
		return base[funct3];
	case 0x01:
		return muldiv[funct3];
	case 0x20:
		return funct3 == 0 ? RV32_OP_SUB : funct3 == 5 ? RV32_OP_SRA : RV32_OP_ILLEGAL;
	default:
		return RV32_OP_ILLEGAL;
	}
}

static enum rv32_op op_system(uint32_t i)
{
	if ((i >> 12 & 7) == 4)
		return RV32_OP_ILLEGAL;
	if (i >> 12 & 7)
		return RV32_OP_CSR;

	switch (i) {
	case 0x00000073:
		return RV32_OP_ECALL;
	case 0x00100073:
		return RV32_OP_EBREAK;
	case 0x30200073:
		return RV32_OP_MRET;
	case 0x10500073:
		return RV32_OP_WFI;
	default:
		return RV32_OP_ILLEGAL;
	}
}

static void decode32(struct rv32_slot *s, uint32_t i)
{
	static const uint8_t loads[8] = {
		RV32_OP_LB, RV32_OP_LH, RV32_OP_LW, RV32_OP_ILLEGAL,
		RV32_OP_LBU, RV32_OP_LHU, RV32_OP_ILLEGAL, RV32_OP_ILLEGAL,
	};
	static const uint8_t stores[8] = {
		RV32_OP_SB, RV32_OP_SH, RV32_OP_SW, RV32_OP_ILLEGAL,
		RV32_OP_ILLEGAL, RV32_OP_ILLEGAL, RV32_OP_ILLEGAL, RV32_OP_ILLEGAL,
	};
	static const uint8_t branches[8] = {
		RV32_OP_BEQ, RV32_OP_BNE, RV32_OP_ILLEGAL, RV32_OP_ILLEGAL,
		RV32_OP_BLT, RV32_OP_BGE, RV32_OP_BLTU, RV32_OP_BGEU,
	};
	uint32_t rd = i >> 7 & 31, rs1 = i >> 15 & 31, rs2 = i >> 20 & 31;
	uint32_t funct3 = i >> 12 & 7;
	uint32_t imm_i = sext(i >> 20, 12);
	enum rv32_op op = RV32_OP_ILLEGAL;
	uint32_t imm = i;

	switch (i & 0x7f) {
	case 0x37:
		op = RV32_OP_LI;
		imm = i & 0xfffff000;
		break;
	case 0x17:
		op = RV32_OP_LI;
		imm = s->pc + (i & 0xfffff000);
		break;
	case 0x6f:
		op = RV32_OP_JAL;
		imm = s->pc + imm_j(i);
		break;
	case 0x67:
		op = funct3 ? RV32_OP_ILLEGAL : RV32_OP_JALR;
		imm = imm_i;
		break;
	case 0x63:
		op = branches[funct3];
		imm = s->pc + imm_b(i);
		break;
	case 0x03:
		op = loads[funct3];
		imm = imm_i;
		break;
	case 0x23:
		op = stores[funct3];
		imm = sext(put(i, 25, 7, 5) | put(i, 7, 5, 0), 12);
		break;
	case 0x13:
		op = op_imm(i);
		imm = funct3 == 1 || funct3 == 5 ? rs2 : imm_i;
		break;
	case 0x33:
		op = op_reg(i);
		break;
	case 0x0f:
		op = funct3 == 0 ? RV32_OP_FENCE : funct3 == 1 ? RV32_OP_FENCE_I : RV32_OP_ILLEGAL;
		break;
	case 0x73:
		op = op_system(i);
		break;
	}
	emit(s, op, rd, rs1, rs2, op == RV32_OP_ILLEGAL ? i : imm);
}

/* ---- 16 bits ----------------------------------------------------------------- */

static uint32_t imm_ci(uint32_t i)
{
	return sext(put(i, 12, 1, 5) | put(i, 2, 5, 0), 6);
}

static uint32_t imm_cj(uint32_t i)
{
	return sext(put(i, 12, 1, 11) | put(i, 11, 1, 4) | put(i, 9, 2, 8) | put(i, 8, 1, 10) |
		    put(i, 7, 1, 6) | put(i, 6, 1, 7) | put(i, 3, 3, 1) | put(i, 2, 1, 5), 12);
}

static uint32_t imm_cb(uint32_t i)
{
	return sext(put(i, 12, 1, 8) | put(i, 10, 2, 3) | put(i, 5, 2, 6) | put(i, 3, 2, 1) |
		    put(i, 2, 1, 5), 9);
}

/* C.LW and C.SW; the registers are x8..x15. */
static uint32_t imm_clw(uint32_t i)
{
	return put(i, 10, 3, 3) | put(i, 6, 1, 2) | put(i, 5, 1, 6);
}

static void decode_c0(struct rv32_slot *s, uint32_t i)
{
	uint32_t low = 8 + (i >> 2 & 7), high = 8 + (i >> 7 & 7);
	uint32_t imm = put(i, 11, 2, 4) | put(i, 7, 4, 6) | put(i, 6, 1, 2) | put(i, 5, 1, 3);

	switch (i >> 13) {
	case 0:		/* C.ADDI4SPN */
		if (imm)
			emit(s, RV32_OP_ADDI, low, 2, 0, imm);
		break;
	case 2:
		emit(s, RV32_OP_LW, low, high, 0, imm_clw(i));
		break;
	case 6:
		emit(s, RV32_OP_SW, 0, high, low, imm_clw(i));
		break;
	}
}

/* C.SRLI, C.SRAI, C.ANDI and the two-register ones. */
static void decode_c1_alu(struct rv32_slot *s, uint32_t i)
{
	static const uint8_t ops[4] = { RV32_OP_SUB, RV32_OP_XOR, RV32_OP_OR, RV32_OP_AND };
	uint32_t rd = 8 + (i >> 7 & 7);
	bool bit12 = i >> 12 & 1;

	switch (i >> 10 & 3) {
	case 0:
		if (!bit12)
			emit(s, RV32_OP_SRLI, rd, rd, 0, i >> 2 & 31);
		break;
	case 1:
		if (!bit12)
			emit(s, RV32_OP_SRAI, rd, rd, 0, i >> 2 & 31);
		break;
	case 2:
		emit(s, RV32_OP_ANDI, rd, rd, 0, imm_ci(i));
		break;
	case 3:
		if (!bit12)
			emit(s, ops[i >> 5 & 3], rd, rd, 8 + (i >> 2 & 7), 0);
		break;
	}
}

static void decode_c1(struct rv32_slot *s, uint32_t i)
{
	uint32_t rd = i >> 7 & 31;
	uint32_t imm16 = sext(put(i, 12, 1, 9) | put(i, 6, 1, 4) | put(i, 5, 1, 6) |
			      put(i, 3, 2, 7) | put(i, 2, 1, 5), 10);

	switch (i >> 13) {
	case 0:
		emit(s, RV32_OP_ADDI, rd, rd, 0, imm_ci(i));
		break;
	case 1:
		emit(s, RV32_OP_JAL, 1, 0, 0, s->pc + imm_cj(i));
		break;
	case 2:
		emit(s, RV32_OP_LI, rd, 0, 0, imm_ci(i));
		break;
	case 3:
		if (!imm_ci(i))
			break;
		if (rd == 2)
			emit(s, RV32_OP_ADDI, 2, 2, 0, imm16);
		else
			emit(s, RV32_OP_LI, rd, 0, 0, imm_ci(i) << 12);
		break;
	case 4:
		decode_c1_alu(s, i);
		break;
	case 5:
		emit(s, RV32_OP_JAL, 0, 0, 0, s->pc + imm_cj(i));
		break;
	case 6:
		emit(s, RV32_OP_BEQ, 0, 8 + (i >> 7 & 7), 0, s->pc + imm_cb(i));
		break;
	case 7:
		emit(s, RV32_OP_BNE, 0, 8 + (i >> 7 & 7), 0, s->pc + imm_cb(i));
		break;
	}
}

/* C.JR, C.MV, C.EBREAK, C.JALR, C.ADD. */
static void decode_c2_misc(struct rv32_slot *s, uint32_t i)
{
	uint32_t rd = i >> 7 & 31, rs2 = i >> 2 & 31;
	bool bit12 = i >> 12 & 1;

	if (rs2)
		emit(s, RV32_OP_ADD, rd, bit12 ? rd : 0, rs2, 0);
	else if (rd)
		emit(s, RV32_OP_JALR, bit12, rd, 0, 0);
	else if (bit12)
		emit(s, RV32_OP_EBREAK, 0, 0, 0, 0);
}

static void decode_c2(struct rv32_slot *s, uint32_t i)
{
	uint32_t rd = i >> 7 & 31;

	switch (i >> 13) {
	case 0:
		if (!(i >> 12 & 1))
			emit(s, RV32_OP_SLLI, rd, rd, 0, i >> 2 & 31);
		break;
	case 2:
		if (rd)
			emit(s, RV32_OP_LW, rd, 2, 0,
			     put(i, 12, 1, 5) | put(i, 4, 3, 2) | put(i, 2, 2, 6));
		break;
	case 4:
		decode_c2_misc(s, i);
		break;
	case 6:
		emit(s, RV32_OP_SW, 0, 2, i >> 2 & 31, put(i, 9, 4, 2) | put(i, 7, 2, 6));
		break;
	}
}

static uint32_t halfword(const struct rv32 *cpu, uint32_t slot)
{
	uint16_t half;

	memcpy(&half, cpu->tcm + slot * 2, sizeof(half));
	return half;
}

void rv32_decode(struct rv32 *cpu, uint32_t slot)
{
	struct rv32_slot *s = &cpu->slots[slot];
	uint32_t i;

	if (slot < cpu->low)
		cpu->low = slot;
	if (slot >= cpu->high)
		cpu->high = slot + 1;
	s->pc = QUILL_RV_TCM_BASE + slot * 2;
	s->step = 1;
	if (slot >= RV32_SLOTS) {
		emit(s, RV32_OP_FETCH_FAULT, 0, 0, 0, s->pc);
		return;
	}

	i = halfword(cpu, slot);
	/* what is none of the forms below stays illegal */
	emit(s, RV32_OP_ILLEGAL, 0, 0, 0, i);
	switch (i & 3) {
	case 0:
		decode_c0(s, i);
		break;
	case 1:
		decode_c1(s, i);
		break;
	case 2:
		decode_c2(s, i);
		break;
	case 3:
		if (slot + 1 >= RV32_SLOTS) {
			emit(s, RV32_OP_FETCH_FAULT, 0, 0, 0, s->pc + 2);
			break;
		}
		s->step = 2;
		decode32(s, i | halfword(cpu, slot + 1) << 16);
		break;
	}
}
