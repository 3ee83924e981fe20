// SPDX-License-Identifier: MIT
/*
 * The control processor: every RV32IMC instruction, its corners, traps, interrupts and limits.
 *
 * Programs are encoded by hand below, from the tables of the RISC-V manual, and not by the decoder's
 * own knowledge.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "quill/regs.h"
#include "rv32.h"

#define BASE	QUILL_RV_TCM_BASE
#define SIZE	QUILL_RV_TCM_SIZE
#define CB	QUILL_RV_CB_BASE
/* Where trap tests put their handler. */
#define HANDLER	(BASE + 0x1000)

static struct machine {
	uint8_t *tcm;
	struct rv32 *cpu;
	uint32_t at;
	uint32_t bus_offset, bus_value;
	unsigned int bus_reads, bus_writes;
	/* written by a bus write, as a transfer unit would */
	uint32_t overwrite_at, overwrite_with;
} m;

static uint32_t bus_read(void *opaque, uint32_t offset)
{
	m.bus_reads++;
	m.bus_offset = offset;
	return 0xc0de0000 + offset;
}

static void bus_write(void *opaque, uint32_t offset, uint32_t value)
{
	m.bus_writes++;
	m.bus_offset = offset;
	m.bus_value = value;
	if (m.overwrite_at) {
		memcpy(m.tcm + m.overwrite_at - BASE, &m.overwrite_with, 4);
		rv32_tcm_written(m.cpu, m.overwrite_at, 4);
	}
}

static int setup(void **state)
{
	static const struct rv32_bus bus = { bus_read, bus_write };

	memset(&m, 0, sizeof(m));
	m.tcm = calloc(1, SIZE);
	m.cpu = rv32_new(m.tcm, &bus, NULL);
	m.at = BASE;
	rv32_reset(m.cpu, BASE);
	return !m.tcm || !m.cpu;
}

static int teardown(void **state)
{
	rv32_free(m.cpu);
	free(m.tcm);
	return 0;
}

/* ---- encoders ------------------------------------------------------------------ */

static uint32_t r_type(uint32_t f7, uint32_t rs2, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t op)
{
	return f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}

static uint32_t i_type(int32_t imm, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t op)
{
	return (uint32_t)imm << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}

static uint32_t s_type(int32_t imm, uint32_t rs2, uint32_t rs1, uint32_t f3)
{
	uint32_t i = imm;

	return (i >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (i & 31) << 7 | 0x23;
}

static uint32_t b_type(int32_t imm, uint32_t rs2, uint32_t rs1, uint32_t f3)
{
	uint32_t i = imm;

	return (i >> 12 & 1) << 31 | (i >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 |
	       (i >> 1 & 15) << 8 | (i >> 11 & 1) << 7 | 0x63;
}

static uint32_t j_type(int32_t imm, uint32_t rd)
{
	uint32_t i = imm;

	return (i >> 20 & 1) << 31 | (i >> 1 & 0x3ff) << 21 | (i >> 11 & 1) << 20 |
	       (i >> 12 & 0xff) << 12 | rd << 7 | 0x6f;
}

#define LUI(rd, v)		((uint32_t)(v) << 12 | (rd) << 7 | 0x37)
#define AUIPC(rd, v)		((uint32_t)(v) << 12 | (rd) << 7 | 0x17)
#define ADDI(rd, rs1, imm)	i_type(imm, rs1, 0, rd, 0x13)
#define ADD(rd, rs1, rs2)	r_type(0, rs2, rs1, 0, rd, 0x33)
#define LW(rd, rs1, imm)	i_type(imm, rs1, 2, rd, 0x03)
#define SW(rs2, rs1, imm)	s_type(imm, rs2, rs1, 2)
#define JAL(rd, imm)		j_type(imm, rd)
#define JALR(rd, rs1, imm)	i_type(imm, rs1, 0, rd, 0x67)
#define CSRRW(rd, csr, rs1)	i_type(csr, rs1, 1, rd, 0x73)
#define CSRRS(rd, csr, rs1)	i_type(csr, rs1, 2, rd, 0x73)
#define CSRRC(rd, csr, rs1)	i_type(csr, rs1, 3, rd, 0x73)
#define CSRRWI(rd, csr, imm)	i_type(csr, imm, 5, rd, 0x73)
#define CSRRSI(rd, csr, imm)	i_type(csr, imm, 6, rd, 0x73)
#define CSRRCI(rd, csr, imm)	i_type(csr, imm, 7, rd, 0x73)
#define ECALL			0x00000073u
#define EBREAK			0x00100073u
#define MRET			0x30200073u
#define WFI			0x10500073u
#define FENCE			0x0ff0000fu
#define FENCE_I			0x0000100fu

enum { MSTATUS = 0x300, MISA = 0x301, MIE = 0x304, MTVEC = 0x305, MSCRATCH = 0x340, MEPC = 0x341,
       MCAUSE = 0x342, MTVAL = 0x343, MIP = 0x344, MCYCLE = 0xb00, MINSTRET = 0xb02,
       MCYCLEH = 0xb80, MINSTRETH = 0xb82, MHARTID = 0xf14, INSTRET = 0xc02 };

static void put32(uint32_t insn)
{
	memcpy(m.tcm + m.at - BASE, &insn, 4);
	m.at += 4;
}

static void put16(uint16_t insn)
{
	memcpy(m.tcm + m.at - BASE, &insn, 2);
	m.at += 2;
}

/* Two instructions: rd = value. */
static void put_li(uint32_t rd, uint32_t value)
{
	put32(LUI(rd, (value + 0x800) >> 12 & 0xfffff));
	put32(ADDI(rd, rd, (int32_t)(value << 20) >> 20));
}

static uint32_t reg(unsigned int n)
{
	return rv32_reg(m.cpu, n);
}

static void run(uint64_t n)
{
	assert_int_equal(rv32_run(m.cpu, n), RV32_BUDGET);
}

/* Start over with an empty memory. */
static void fresh(void)
{
	memset(m.tcm, 0, SIZE);
	rv32_reset(m.cpu, BASE);
	m.at = BASE;
}

static uint32_t alu(uint32_t insn, uint32_t a, uint32_t b)
{
	fresh();
	put_li(5, a);
	put_li(6, b);
	put32(insn);
	run(5);
	assert_int_equal(reg(5), a);
	assert_int_equal(reg(6), b);
	return reg(7);
}

/* ---- RV32I, RV32M -------------------------------------------------------------- */

struct alu_case {
	const char *name;
	uint32_t f7, f3, a, b, want;
};

static const struct alu_case alu_cases[] = {
	{ "add", 0, 0, 0xffffffff, 1, 0 },
	{ "add", 0, 0, 0x7fffffff, 1, 0x80000000 },
	{ "sub", 0x20, 0, 0, 1, 0xffffffff },
	{ "sll", 0, 1, 1, 31, 0x80000000 },
	{ "sll takes five bits", 0, 1, 0x12345678, 32, 0x12345678 },
	{ "slt", 0, 2, 0xffffffff, 0, 1 },
	{ "slt", 0, 2, 0x7fffffff, 0x80000000, 0 },
	{ "slt equal", 0, 2, 5, 5, 0 },
	{ "sltu", 0, 3, 0xffffffff, 0, 0 },
	{ "sltu", 0, 3, 0x7fffffff, 0x80000000, 1 },
	{ "xor", 0, 4, 0xff00ff00, 0x0ff00ff0, 0xf0f0f0f0 },
	{ "srl", 0, 5, 0x80000000, 31, 1 },
	{ "srl takes five bits", 0, 5, 0x80000000, 33, 0x40000000 },
	{ "sra", 0x20, 5, 0x80000000, 31, 0xffffffff },
	{ "sra positive", 0x20, 5, 0x7fffffff, 4, 0x07ffffff },
	{ "or", 0, 6, 0xf0f00000, 0x00000f0f, 0xf0f00f0f },
	{ "and", 0, 7, 0xffff0000, 0x0ff00ff0, 0x0ff00000 },
	{ "mul", 1, 0, 0x12345678, 0x9abcdef0, 0x242d2080 },
	{ "mul signs", 1, 0, 0xffffffff, 0xffffffff, 1 },
	{ "mulh", 1, 1, 0x80000000, 0x80000000, 0x40000000 },
	{ "mulh", 1, 1, 0xffffffff, 0xffffffff, 0 },
	{ "mulh", 1, 1, 0xffffffff, 1, 0xffffffff },
	{ "mulhsu", 1, 2, 0xffffffff, 0xffffffff, 0xffffffff },
	{ "mulhsu", 1, 2, 0x80000000, 0xffffffff, 0x80000000 },
	{ "mulhsu", 1, 2, 0x7fffffff, 0xffffffff, 0x7ffffffe },
	{ "mulhu", 1, 3, 0xffffffff, 0xffffffff, 0xfffffffe },
	{ "mulhu", 1, 3, 0x80000000, 2, 1 },
	{ "div", 1, 4, 7, 0xfffffffe, 0xfffffffd },
	{ "div rounds to zero", 1, 4, 0xfffffff9, 2, 0xfffffffd },
	{ "div by zero", 1, 4, 1234, 0, 0xffffffff },
	{ "div overflow", 1, 4, 0x80000000, 0xffffffff, 0x80000000 },
	{ "divu", 1, 5, 0xfffffffe, 2, 0x7fffffff },
	{ "divu by zero", 1, 5, 1234, 0, 0xffffffff },
	{ "divu has no overflow", 1, 5, 0x80000000, 0xffffffff, 0 },
	{ "rem takes the sign of the dividend", 1, 6, 0xfffffff9, 2, 0xffffffff },
	{ "rem", 1, 6, 7, 0xfffffffe, 1 },
	{ "rem by zero", 1, 6, 0xfffffff9, 0, 0xfffffff9 },
	{ "rem overflow", 1, 6, 0x80000000, 0xffffffff, 0 },
	{ "remu", 1, 7, 0xffffffff, 10, 5 },
	{ "remu by zero", 1, 7, 1234, 0, 1234 },
	{ "remu has no overflow", 1, 7, 0x80000000, 0xffffffff, 0x80000000 },
};

static void register_operations_compute(void **state)
{
	const struct alu_case *c;
	uint32_t got;
	size_t i;

	for (i = 0; i < sizeof(alu_cases) / sizeof(alu_cases[0]); i++) {
		c = &alu_cases[i];
		got = alu(r_type(c->f7, 6, 5, c->f3, 7, 0x33), c->a, c->b);
		if (got != c->want)
			fail_msg("%s %#x, %#x: expected %#x, got %#x", c->name, c->a, c->b, c->want,
				 got);
	}
}

static void immediate_operations_compute(void **state)
{
	assert_int_equal(alu(i_type(-1, 5, 0, 7, 0x13), 0, 0), 0xffffffff);
	assert_int_equal(alu(i_type(2047, 5, 0, 7, 0x13), 1, 0), 2048);
	assert_int_equal(alu(i_type(-2048, 5, 2, 7, 0x13), 0xfffff7ff, 0), 1);
	assert_int_equal(alu(i_type(-2048, 5, 2, 7, 0x13), 0xfffff800, 0), 0);
	/* sltiu: the immediate is sign-extended, then unsigned */
	assert_int_equal(alu(i_type(-1, 5, 3, 7, 0x13), 0xfffffffe, 0), 1);
	assert_int_equal(alu(i_type(1, 5, 3, 7, 0x13), 0, 0), 1);
	assert_int_equal(alu(i_type(-1, 5, 4, 7, 0x13), 0x0f0f0f0f, 0), 0xf0f0f0f0);
	assert_int_equal(alu(i_type(-256, 5, 6, 7, 0x13), 0x12, 0), 0xffffff12);
	assert_int_equal(alu(i_type(0x7f0, 5, 7, 7, 0x13), 0xffffffff, 0), 0x7f0);
	assert_int_equal(alu(i_type(31, 5, 1, 7, 0x13), 3, 0), 0x80000000);
	assert_int_equal(alu(i_type(31, 5, 5, 7, 0x13), 0x80000000, 0), 1);
	assert_int_equal(alu(i_type(0x400 | 31, 5, 5, 7, 0x13), 0x80000000, 0), 0xffffffff);
	assert_int_equal(alu(i_type(0x400, 5, 5, 7, 0x13), 0x80000001, 0), 0x80000001);
	assert_int_equal(alu(LUI(7, 0xfffff), 0, 0), 0xfffff000);
	/* the fifth instruction, at BASE + 16 */
	assert_int_equal(alu(AUIPC(7, 0), 0, 0), BASE + 16);
	assert_int_equal(alu(AUIPC(7, 0xfffff), 0, 0), BASE + 16 - 0x1000);
}

static void x0_stays_zero(void **state)
{
	put_li(5, 77);
	put32(ADDI(0, 5, 1));
	put32(LUI(0, 0x12345));
	put32(AUIPC(0, 1));
	put_li(8, BASE);
	put32(LW(0, 8, 0));
	put32(CSRRS(0, MISA, 0));
	put32(JAL(0, 4));
	put32(r_type(1, 5, 5, 0, 0, 0x33));
	put32(ADD(9, 0, 0));
	run(12);
	assert_int_equal(reg(0), 0);
	assert_int_equal(reg(9), 0);
}

struct branch_case {
	uint32_t f3, a, b;
	bool taken;
};

static void branches_compare(void **state)
{
	static const struct branch_case cases[] = {
		{ 0, 5, 5, true }, { 0, 5, 6, false },
		{ 1, 5, 6, true }, { 1, 5, 5, false },
		{ 4, 0xffffffff, 0, true }, { 4, 0, 0xffffffff, false }, { 4, 3, 3, false },
		{ 5, 0, 0xffffffff, true }, { 5, 3, 3, true }, { 5, 0x80000000, 1, false },
		{ 6, 0, 0xffffffff, true }, { 6, 0xffffffff, 0, false }, { 6, 3, 3, false },
		{ 7, 0xffffffff, 0, true }, { 7, 3, 3, true }, { 7, 1, 0x80000000, false },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fresh();
		put_li(5, cases[i].a);
		put_li(6, cases[i].b);
		put32(b_type(12, 6, 5, cases[i].f3));
		run(5);
		assert_int_equal(rv32_pc(m.cpu), BASE + 16 + (cases[i].taken ? 12 : 4));
	}
}

static void jumps_reach_far_both_ways(void **state)
{
	/* jal 1 MiB limits lie outside local memory: as far as it goes */
	put32(JAL(1, 0x3f000));
	m.at = BASE + 0x3f000;
	put32(JAL(5, -0x3e800));
	m.at = BASE + 0x800;
	put32(b_type(4094, 0, 0, 0));
	m.at = BASE + 0x800 + 4094;
	put32(b_type(-4096, 0, 0, 0));
	run(1);
	assert_int_equal(rv32_pc(m.cpu), BASE + 0x3f000);
	assert_int_equal(reg(1), BASE + 4);
	run(1);
	assert_int_equal(rv32_pc(m.cpu), BASE + 0x800);
	assert_int_equal(reg(5), BASE + 0x3f004);
	run(2);
	assert_int_equal(rv32_pc(m.cpu), BASE + 0x800 - 2);
}

static void jalr_clears_bit_0_and_may_use_its_own_base(void **state)
{
	put_li(5, BASE + 0x101);
	put32(JALR(5, 5, 2));
	run(3);
	assert_int_equal(rv32_pc(m.cpu), BASE + 0x102);
	assert_int_equal(reg(5), BASE + 12);
}

static void loads_and_stores_extend_and_truncate(void **state)
{
	uint32_t word;

	put_li(5, BASE + 0x800);
	put_li(6, 0x8899aabb);
	put32(SW(6, 5, 0));
	put32(s_type(5, 6, 5, 0));		/* sb */
	put32(s_type(-2, 6, 5, 1));		/* sh */
	put32(i_type(0, 5, 0, 10, 0x03));	/* lb */
	put32(i_type(0, 5, 4, 11, 0x03));	/* lbu */
	put32(i_type(0, 5, 1, 12, 0x03));	/* lh */
	put32(i_type(0, 5, 5, 13, 0x03));	/* lhu */
	put32(LW(14, 5, 0));
	put32(LW(15, 5, 1));			/* misaligned works in local memory */
	put32(s_type(17, 6, 5, 2));
	run(14);
	assert_int_equal(reg(10), 0xffffffbb);
	assert_int_equal(reg(11), 0xbb);
	assert_int_equal(reg(12), 0xffffaabb);
	assert_int_equal(reg(13), 0xaabb);
	assert_int_equal(reg(14), 0x8899aabb);
	assert_int_equal(reg(15), 0x008899aa);
	assert_int_equal(m.tcm[0x805], 0xbb);
	assert_int_equal(m.tcm[0x804], 0);
	assert_int_equal(m.tcm[0x806], 0);
	assert_int_equal(m.tcm[0x7fe] | m.tcm[0x7ff] << 8, 0xaabb);
	memcpy(&word, m.tcm + 0x811, 4);
	assert_int_equal(word, 0x8899aabb);
}

/* ---- RV32C ------------------------------------------------------------------------ */

/* Each compressed instruction from the manual's own bit patterns, against what it stands for. */
static void compressed_arithmetic(void **state)
{
	put_li(8, 100);
	put_li(9, 7);
	put_li(2, BASE + 0x1000);
	put16(0x0000 | 2 << 2 | 1 << 5);		/* c.addi4spn x10, 8 */
	put16(0x0001 | 8 << 7 | 1 << 12 | 31 << 2);	/* c.addi x8, -1 */
	put16(0x4001 | 11 << 7 | 1 << 12 | 0 << 2);	/* c.li x11, -32 */
	put16(0x6101 | 1 << 12 | 31 << 2);		/* c.addi16sp: nzimm all ones = -16 */
	put16(0x6001 | 12 << 7 | 1 << 12 | 31 << 2);	/* c.lui x12, 0xfffff */
	put16(0x4001 | 13 << 7 | 21 << 2);		/* c.li x13, 21 */
	run(6 + 6);
	assert_int_equal(reg(10), BASE + 0x1000 + 8);
	assert_int_equal(reg(8), 99);
	assert_int_equal(reg(11), (uint32_t)-32);
	assert_int_equal(reg(2), BASE + 0x1000 - 16);
	assert_int_equal(reg(12), 0xfffff000);
	assert_int_equal(reg(13), 21);
}

static void compressed_two_register_forms(void **state)
{
	static const uint32_t want[] = { 0xf0 - 0x3c, 0xf0 ^ 0x3c, 0xf0 | 0x3c, 0xf0 & 0x3c };
	uint32_t i;

	for (i = 0; i < 4; i++) {
		fresh();
		put_li(8, 0xf0);
		put_li(15, 0x3c);
		put16(0x8c01 | 0 << 7 | i << 5 | 7 << 2);	/* c.sub xor or and x8, x15 */
		run(5);
		assert_int_equal(reg(8), want[i]);
	}
	fresh();
	put_li(8, 0x80000010);
	put_li(9, 0x80000010);
	put_li(10, 0x80000013);
	put_li(20, 3);
	put16(0x8001 | 0 << 7 | 4 << 2);		/* c.srli x8, 4 */
	put16(0x8401 | 1 << 7 | 4 << 2);		/* c.srai x9, 4 */
	put16(0x8801 | 2 << 7 | 1 << 12 | 30 << 2);	/* c.andi x10, -2 */
	put16(0x0002 | 20 << 7 | 31 << 2);		/* c.slli x20, 31 */
	put16(0x8002 | 21 << 7 | 9 << 2);		/* c.mv x21, x9 */
	put16(0x9002 | 21 << 7 | 10 << 2);		/* c.add x21, x10 */
	run(8 + 6);
	assert_int_equal(reg(8), 0x08000001);
	assert_int_equal(reg(9), 0xf8000001);
	assert_int_equal(reg(10), 0x80000012);
	assert_int_equal(reg(20), 0x80000000);
	assert_int_equal(reg(21), 0xf8000001u + 0x80000012u);
}

static void compressed_loads_and_stores(void **state)
{
	uint32_t word;

	put_li(8, BASE + 0x800);
	put_li(2, BASE + 0x900);
	put_li(9, 0x11223344);
	put16(0xc000 | 7 << 10 | 0 << 7 | 1 << 6 | 1 << 5 | 1 << 2);	/* c.sw x9, 124(x8) */
	put16(0x4000 | 7 << 10 | 0 << 7 | 1 << 6 | 1 << 5 | 2 << 2);	/* c.lw x10, 124(x8) */
	put16(0xc002 | 0xf << 9 | 3 << 7 | 9 << 2);		/* c.swsp x9, 252 */
	put16(0x4002 | 1 << 12 | 21 << 7 | 7 << 4 | 3 << 2);	/* c.lwsp x21, 252 */
	run(6 + 4);
	memcpy(&word, m.tcm + 0x800 + 124, 4);
	assert_int_equal(word, 0x11223344);
	assert_int_equal(reg(10), 0x11223344);
	memcpy(&word, m.tcm + 0x900 + 252, 4);
	assert_int_equal(word, 0x11223344);
	assert_int_equal(reg(21), 0x11223344);
}

static uint16_t c_j(uint32_t funct3, int32_t off)
{
	uint32_t i = off;

	return funct3 << 13 | (i >> 11 & 1) << 12 | (i >> 4 & 1) << 11 | (i >> 8 & 3) << 9 |
	       (i >> 10 & 1) << 8 | (i >> 6 & 1) << 7 | (i >> 7 & 1) << 6 | (i >> 1 & 7) << 3 |
	       (i >> 5 & 1) << 2 | 1;
}

static uint16_t c_b(uint32_t funct3, uint32_t reg, int32_t off)
{
	uint32_t i = off;

	return funct3 << 13 | (i >> 8 & 1) << 12 | (i >> 3 & 3) << 10 | (reg - 8) << 7 |
	       (i >> 6 & 3) << 5 | (i >> 1 & 3) << 3 | (i >> 5 & 1) << 2 | 1;
}

static void compressed_jumps_and_branches(void **state)
{
	int32_t off;

	/* every offset that c.j and c.jal can hold */
	for (off = -2048; off <= 2046; off += 2) {
		if (!off)
			continue;
		fresh();
		m.at = BASE + 0x2000;
		put16(c_j(5, off));
		rv32_reset(m.cpu, BASE + 0x2000);
		run(1);
		assert_int_equal(rv32_pc(m.cpu), BASE + 0x2000 + off);
		assert_int_equal(reg(1), 0);
		m.at = BASE + 0x2000;
		put16(c_j(1, off));
		rv32_reset(m.cpu, BASE + 0x2000);
		run(1);
		assert_int_equal(rv32_pc(m.cpu), BASE + 0x2000 + off);
		assert_int_equal(reg(1), BASE + 0x2002);
	}
	for (off = -256; off <= 254; off += 2) {
		fresh();
		m.at = BASE + 0x2000;
		put16(c_b(7, 9, off));	/* c.bnez x9: not taken */
		put16(c_b(6, 9, off));	/* c.beqz x9: taken */
		rv32_reset(m.cpu, BASE + 0x2000);
		run(2);
		assert_int_equal(rv32_pc(m.cpu), BASE + 0x2002 + off);
	}
	fresh();
	put_li(9, 1);
	put16(c_b(6, 9, 100));
	put16(c_b(7, 9, 100));
	run(4);
	assert_int_equal(rv32_pc(m.cpu), BASE + 10 + 100);
}

static void compressed_jr_and_jalr(void **state)
{
	put_li(5, BASE + 0x100);
	put16(0x8002 | 5 << 7);		/* c.jr x5 */
	m.at = BASE + 0x100;
	put_li(6, BASE + 0x200);
	put16(0x9002 | 6 << 7);		/* c.jalr x6 */
	run(3);
	assert_int_equal(rv32_pc(m.cpu), BASE + 0x100);
	assert_int_equal(reg(1), 0);
	run(3);
	assert_int_equal(rv32_pc(m.cpu), BASE + 0x200);
	assert_int_equal(reg(1), BASE + 0x10a);
}

static void compressed_hints_do_nothing(void **state)
{
	static const uint16_t hints[] = {
		0x0001,				/* c.nop */
		0x0001 | 3 << 2,		/* c.nop with immediate */
		0x0001 | 9 << 7,		/* c.addi x9, 0 */
		0x4001 | 5 << 2,		/* c.li x0, 5 */
		0x6001 | 5 << 2,		/* c.lui x0, 5 */
		0x8001, 0x8401,			/* c.srli64, c.srai64 */
		0x0002 | 9 << 7,		/* c.slli x9, 0 */
		0x8002 | 0 << 7 | 9 << 2,	/* c.mv x0, x9 */
		0x9002 | 0 << 7 | 9 << 2,	/* c.add x0, x9 */
	};
	unsigned int i, r;

	put_li(9, 0x80000001);
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		put16(hints[i]);
	run(2 + i);
	for (r = 0; r < 32; r++)
		assert_int_equal(reg(r), r == 9 ? 0x80000001 : 0);
}

/* ---- traps -------------------------------------------------------------------------- */

static void set_handler(void)
{
	put_li(31, HANDLER);
	put32(CSRRW(0, MTVEC, 31));
	run(3);
}

/* The next instruction traps: check what the processor says about it. */
static void expect_trap(uint32_t cause, uint32_t value, uint32_t pc)
{
	uint32_t got_cause, got_value, after = m.at;

	m.at = HANDLER;
	put32(CSRRS(20, MCAUSE, 0));
	put32(CSRRS(21, MTVAL, 0));
	put32(CSRRS(22, MEPC, 0));
	put32(MRET);
	m.at = after;
	run(1);
	assert_int_equal(rv32_pc(m.cpu), HANDLER);
	rv32_cause(m.cpu, &got_cause, &got_value);
	assert_int_equal(got_cause, cause);
	assert_int_equal(got_value, value);
	run(3);
	assert_int_equal(reg(20), cause);
	assert_int_equal(reg(21), value);
	assert_int_equal(reg(22), pc);
	run(1);
	assert_int_equal(rv32_pc(m.cpu), pc & ~1u);
}

static void ecall_and_ebreak_trap(void **state)
{
	uint64_t before;

	set_handler();
	put32(ECALL);
	before = rv32_instret(m.cpu);
	run(1);
	assert_int_equal(rv32_instret(m.cpu), before);	/* it does not retire */
	fresh();
	set_handler();
	put32(ECALL);
	expect_trap(11, 0, m.at - 4);
	fresh();
	set_handler();
	put32(EBREAK);
	expect_trap(3, m.at - 4, m.at - 4);
	fresh();
	set_handler();
	put16(0x9002);	/* c.ebreak */
	expect_trap(3, m.at - 2, m.at - 2);
}

static void illegal_instructions_trap_with_their_bits(void **state)
{
	const uint32_t illegal[] = {
		0xffffffff,				/* longer than 32 bits, by its low bits */
		0x0000007f,
		r_type(0x40, 1, 1, 0, 1, 0x33),		/* funct7 */
		r_type(0x20, 1, 1, 1, 1, 0x33),
		r_type(0x20, 1, 1, 4, 1, 0x33),
		r_type(0x02, 1, 1, 0, 1, 0x33),
		0x00001013 | 1 << 25,			/* slli with shamt[5] */
		0x00005013 | 1 << 25,			/* srli with shamt[5] */
		0x00005013 | 0x20u << 26,
		0x00003003, 0x00006003, 0x00007003,	/* ld, lwu */
		0x00003023, 0x00004023,			/* sd */
		0x00002063, 0x00003063,			/* branch funct3 */
		0x00001067,				/* jalr funct3 */
		0x0000200f,				/* misc-mem funct3 */
		0x00004073,				/* system funct3 */
		0x00200073, 0x10200073, 0x7b200073,	/* uret, sret, dret */
		0x12000073,				/* sfence.vma */
		ECALL | 1 << 7, EBREAK | 1 << 15, MRET | 1 << 7, WFI | 1 << 15,
		0x0000202f,				/* amo: no A */
		0x00000007, 0x00000027, 0x00000053,	/* no F */
		0x0000003b, 0x0000001b,			/* no RV64 */
	};
	size_t i;

	for (i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
		fresh();
		set_handler();
		put32(illegal[i]);
		expect_trap(2, illegal[i], m.at - 4);
	}
}

static void reserved_compressed_encodings_trap(void **state)
{
	static const uint16_t reserved[] = {
		0x0000,				/* all zero */
		0x0004,				/* c.addi4spn with nzuimm 0 */
		0x2000, 0x6000, 0xa000, 0xe000,	/* c.fld c.flw c.fsd c.fsw: no F, no D */
		0x8000,				/* quadrant 0, funct3 100 */
		0x6101,				/* c.addi16sp 0 */
		0x6001 | 9 << 7,		/* c.lui x9, 0 */
		0x6001,				/* c.lui x0, 0 */
		0x8001 | 1 << 12,		/* c.srli with shamt[5] */
		0x8401 | 1 << 12,		/* c.srai with shamt[5] */
		0x9c01, 0x9c21, 0x9c41, 0x9c61,	/* c.subw c.addw and reserved */
		0x0002 | 9 << 7 | 1 << 12,	/* c.slli with shamt[5] */
		0x4002,				/* c.lwsp x0 */
		0x8002,				/* c.jr x0 */
		0x2002, 0x6002, 0xa002, 0xe002,	/* c.fldsp c.flwsp c.fsdsp c.fswsp */
	};
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		fresh();
		set_handler();
		put16(reserved[i]);
		expect_trap(2, reserved[i], m.at - 2);
	}
}

/* One access at @addr with the instruction @insn on x5: the trap's cause. */
static void expect_access_trap(uint32_t insn, uint32_t addr, uint32_t cause)
{
	fresh();
	set_handler();
	put_li(5, addr);
	put32(insn);
	run(2);
	expect_trap(cause, addr, m.at - 4);
	assert_int_equal(m.bus_reads, 0);
	assert_int_equal(m.bus_writes, 0);
}

static void accesses_outside_trap_and_touch_nothing(void **state)
{
	static const uint32_t outside[] = {
		0, BASE - 4, BASE - 1, BASE + SIZE, BASE + SIZE - 1, BASE + SIZE - 3,
		CB - 4, CB - 1, CB + QUILL_RV_CB_SIZE, 0x7ffffffc, 0x80000000, 0xfffffffc, 0xffffffff,
	};
	size_t i;

	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		expect_access_trap(LW(6, 5, 0), outside[i], 5);
		expect_access_trap(SW(6, 5, 0), outside[i], 7);
	}
	expect_access_trap(i_type(0, 5, 1, 6, 0x03), BASE + SIZE - 1, 5);
	expect_access_trap(s_type(0, 6, 5, 1), BASE + SIZE - 1, 7);
	expect_access_trap(i_type(0, 5, 0, 6, 0x03), BASE + SIZE, 5);
	expect_access_trap(s_type(0, 6, 5, 0), BASE - 1, 7);
}

static void last_bytes_of_local_memory_can_be_used(void **state)
{
	put_li(5, BASE + SIZE - 4);
	put_li(6, 0x01020304);
	put32(SW(6, 5, 0));
	put32(LW(7, 5, 0));
	put32(i_type(3, 5, 4, 8, 0x03));
	put32(s_type(3, 5, 5, 0));
	run(8);
	assert_int_equal(reg(7), 0x01020304);
	assert_int_equal(reg(8), 1);
	assert_int_equal(m.tcm[SIZE - 1], (BASE + SIZE - 4) & 0xff);
}

static void control_block_takes_aligned_words_only(void **state)
{
	put_li(5, CB + 0x7f0);
	put_li(6, 0xfeedface);
	put32(LW(7, 5, 12));
	put32(SW(6, 5, 0x7ff - 15 + 12));
	run(5);
	assert_int_equal(reg(7), 0xc0de07fc);
	assert_int_equal(m.bus_reads, 1);
	run(1);
	assert_int_equal(m.bus_writes, 1);
	assert_int_equal(m.bus_offset, 0x7f0 + 0x7fc);
	assert_int_equal(m.bus_value, 0xfeedface);
	m.bus_reads = 0;
	m.bus_writes = 0;
	expect_access_trap(LW(6, 5, 0), CB + 2, 4);
	expect_access_trap(SW(6, 5, 0), CB + 1, 6);
	expect_access_trap(i_type(0, 5, 0, 6, 0x03), CB, 5);
	expect_access_trap(i_type(0, 5, 5, 6, 0x03), CB, 5);
	expect_access_trap(s_type(0, 6, 5, 0), CB, 7);
	expect_access_trap(s_type(0, 6, 5, 1), CB, 7);
}

static void jumping_out_of_local_memory_faults_at_the_target(void **state)
{
	static const uint32_t targets[] = { 0, BASE - 2, BASE + SIZE, CB, 0xfffffffe };
	size_t i;

	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		uint32_t cause, value;

		fresh();
		set_handler();
		m.at = HANDLER;
		put32(CSRRS(22, MEPC, 0));
		m.at = BASE + 12;
		put_li(5, targets[i]);
		put32(JALR(1, 5, 0));
		run(3);
		assert_int_equal(rv32_pc(m.cpu), HANDLER);
		rv32_cause(m.cpu, &cause, &value);
		assert_int_equal(cause, 1);
		assert_int_equal(value, targets[i]);
		run(1);
		assert_int_equal(reg(22), targets[i]);
		assert_int_equal(reg(1), BASE + 24);	/* the jump itself has happened */
	}
	fresh();
	set_handler();
	put32(b_type(-4096, 0, 0, 0));
	run(1);
	assert_int_equal(rv32_pc(m.cpu), HANDLER);
}

static void running_off_the_end_faults(void **state)
{
	uint32_t cause, value;

	/* a 16-bit instruction as the last halfword, and nothing behind */
	set_handler();
	put_li(5, BASE + SIZE - 2);
	put32(JALR(0, 5, 0));
	m.at = BASE + SIZE - 2;
	put16(0x0001);
	run(4);
	run(1);
	assert_int_equal(rv32_pc(m.cpu), HANDLER);
	rv32_cause(m.cpu, &cause, &value);
	assert_int_equal(cause, 1);
	assert_int_equal(value, BASE + SIZE);

	/* the first half of a 32-bit instruction there */
	fresh();
	set_handler();
	put_li(5, BASE + SIZE - 2);
	put32(JALR(0, 5, 0));
	m.at = BASE + SIZE - 2;
	put16(0x0013);
	run(3);
	run(1);
	assert_int_equal(rv32_pc(m.cpu), HANDLER);
	rv32_cause(m.cpu, &cause, &value);
	assert_int_equal(cause, 1);
	assert_int_equal(value, BASE + SIZE);
}

static void trap_without_handler_is_the_end(void **state)
{
	uint32_t cause, value;

	put32(ADDI(5, 0, 1));
	put32(ECALL);
	put32(ADDI(5, 0, 2));
	assert_int_equal(rv32_run(m.cpu, 100), RV32_DEAD);
	rv32_cause(m.cpu, &cause, &value);
	assert_int_equal(cause, 11);
	assert_int_equal(rv32_pc(m.cpu), BASE + 4);
	assert_int_equal(rv32_run(m.cpu, 100), RV32_DEAD);
	assert_int_equal(reg(5), 1);
	rv32_reset(m.cpu, BASE);
	run(1);
}

static void trap_inside_a_trap_is_the_end(void **state)
{
	uint32_t cause, value;

	set_handler();
	put32(ECALL);
	m.at = HANDLER;
	put32(0xffffffff);
	assert_int_equal(rv32_run(m.cpu, 100), RV32_DEAD);
	rv32_cause(m.cpu, &cause, &value);
	assert_int_equal(cause, 2);
	assert_int_equal(rv32_pc(m.cpu), HANDLER);
}

static void traps_one_after_the_other_are_fine(void **state)
{
	unsigned int i;

	set_handler();
	m.at = HANDLER;
	put32(CSRRS(5, MEPC, 0));
	put32(ADDI(5, 5, 4));
	put32(CSRRW(0, MEPC, 5));
	put32(ADDI(6, 6, 1));
	put32(MRET);
	m.at = BASE + 12;
	for (i = 0; i < 10; i++)
		put32(ECALL);
	run(60);
	assert_int_equal(reg(6), 10);
	assert_int_equal(rv32_pc(m.cpu), BASE + 12 + 40);
}

/* ---- CSRs ---------------------------------------------------------------------------- */

static void csr_instructions_read_and_modify(void **state)
{
	put_li(5, 0xff00ff00);
	put_li(6, 0x0ff00ff0);
	put32(CSRRW(10, MSCRATCH, 5));
	put32(CSRRS(11, MSCRATCH, 6));
	put32(CSRRC(12, MSCRATCH, 5));
	put32(CSRRWI(13, MSCRATCH, 31));
	put32(CSRRSI(14, MSCRATCH, 0));
	put32(CSRRCI(15, MSCRATCH, 1));
	put32(CSRRSI(16, MSCRATCH, 1));
	put32(CSRRS(17, MSCRATCH, 0));
	put32(CSRRW(17, MSCRATCH, 17));
	run(13);
	assert_int_equal(reg(10), 0);
	assert_int_equal(reg(11), 0xff00ff00);
	assert_int_equal(reg(12), 0xfff0fff0);
	assert_int_equal(reg(13), 0x00f000f0);
	assert_int_equal(reg(14), 31);
	assert_int_equal(reg(15), 31);
	assert_int_equal(reg(16), 30);
	assert_int_equal(reg(17), 31);
}

static uint32_t csr_after_write(uint32_t csr, uint32_t value)
{
	fresh();
	put_li(5, value);
	put32(CSRRW(0, csr, 5));
	put32(CSRRS(7, csr, 0));
	run(4);
	return reg(7);
}

static void csrs_keep_the_bits_that_exist(void **state)
{
	assert_int_equal(csr_after_write(MISA, 0), 0x40001104);
	assert_int_equal(csr_after_write(MSTATUS, 0xffffffff), 0x1888);
	assert_int_equal(csr_after_write(MSTATUS, 0), 0x1800);
	assert_int_equal(csr_after_write(MIE, 0xffffffff), 0x800);
	assert_int_equal(csr_after_write(MIP, 0xffffffff), 0);
	assert_int_equal(csr_after_write(MTVEC, 0xffffffff), 0xfffffffd);
	assert_int_equal(csr_after_write(MEPC, 0xffffffff), 0xfffffffe);
	assert_int_equal(csr_after_write(MCAUSE, 0x8000000b), 0x8000000b);
	assert_int_equal(csr_after_write(MTVAL, 0x12345678), 0x12345678);
	assert_int_equal(csr_after_write(0xb03, 0xffffffff), 0);	/* mhpmcounter3 */
	assert_int_equal(csr_after_write(0x33f, 0xffffffff), 0);	/* mhpmevent31 */
}

static void unknown_and_read_only_csrs_trap(void **state)
{
	static const uint32_t csrs[] = { 0x100, 0x180, 0x3a0, 0x7c0, 0xb01, 0x000 };
	size_t i;

	for (i = 0; i < sizeof(csrs) / sizeof(csrs[0]); i++) {
		fresh();
		set_handler();
		put32(CSRRS(5, csrs[i], 0));
		expect_trap(2, CSRRS(5, csrs[i], 0), m.at - 4);
	}
	fresh();
	set_handler();
	put32(CSRRS(5, MHARTID, 0));
	run(1);
	put32(CSRRWI(5, MHARTID, 0));
	expect_trap(2, CSRRWI(5, MHARTID, 0), m.at - 4);
}

static void counters_count_instructions(void **state)
{
	put32(ADDI(5, 0, 0));
	put32(CSRRS(10, MINSTRET, 0));
	put32(CSRRS(11, MINSTRET, 0));
	put32(CSRRS(12, INSTRET, 0));
	put32(CSRRWI(0, MINSTRET, 20));
	put32(CSRRS(13, MINSTRET, 0));
	put32(CSRRS(14, MINSTRET, 0));
	put32(CSRRWI(0, MCYCLEH, 3));
	put32(CSRRS(15, MCYCLEH, 0));
	put32(CSRRS(16, MCYCLE, 0));
	run(10);
	assert_int_equal(reg(10), 1);
	assert_int_equal(reg(11), 2);
	assert_int_equal(reg(12), 3);
	assert_int_equal(reg(13), 20);
	assert_int_equal(reg(14), 21);
	assert_int_equal(reg(15), 3);
	assert_true(reg(16) < 16);
	assert_int_equal(rv32_instret(m.cpu), 10);
}

/* ---- interrupts, WFI, stop -------------------------------------------------------------- */

static void enable_interrupts(uint32_t mtvec)
{
	put_li(31, mtvec);
	put32(CSRRW(0, MTVEC, 31));
	put_li(30, 0x800);
	put32(CSRRW(0, MIE, 30));
	put32(CSRRSI(0, MSTATUS, 8));
}

static void interrupt_is_taken_and_left(void **state)
{
	uint32_t cause, value;

	enable_interrupts(HANDLER);
	put32(ADDI(5, 5, 1));
	put32(JAL(0, -4));
	m.at = HANDLER;
	put32(CSRRS(10, MSTATUS, 0));
	put32(CSRRS(11, MEPC, 0));
	put32(CSRRS(12, MIP, 0));
	put32(MRET);
	run(8);
	assert_int_equal(reg(5), 1);
	rv32_irq(m.cpu, true);
	run(3);
	rv32_cause(m.cpu, &cause, &value);
	assert_int_equal(cause, 0x8000000b);
	assert_int_equal(reg(10), 0x1880);	/* MIE moved to MPIE */
	assert_int_equal(reg(11), BASE + 32);
	assert_int_equal(reg(12), 0x800);
	rv32_irq(m.cpu, false);
	run(1);
	assert_int_equal(rv32_pc(m.cpu), BASE + 32);
	run(2);
	assert_int_equal(reg(5), 2);
}

static void vectored_interrupts_go_to_their_slot(void **state)
{
	enable_interrupts(HANDLER | 1);
	put32(ECALL);
	m.at = HANDLER;
	put32(ADDI(6, 0, 1));
	m.at = HANDLER + 4 * 11;
	put32(ADDI(7, 0, 1));
	rv32_irq(m.cpu, true);
	run(8);
	assert_int_equal(reg(7), 1);
	assert_int_equal(reg(6), 0);
}

static void interrupts_stay_out_when_disabled(void **state)
{
	enable_interrupts(HANDLER);
	put32(CSRRCI(0, MSTATUS, 8));
	put32(ADDI(5, 0, 1));
	run(8);
	rv32_irq(m.cpu, true);
	run(1);
	assert_int_equal(reg(5), 1);
	assert_int_equal(rv32_pc(m.cpu), m.at);
}

static void wfi_sleeps_until_the_line_rises(void **state)
{
	put32(WFI);
	put32(ADDI(5, 0, 1));
	assert_int_equal(rv32_run(m.cpu, 100), RV32_WFI);
	assert_int_equal(rv32_run(m.cpu, 100), RV32_WFI);
	assert_int_equal(rv32_instret(m.cpu), 0);
	rv32_irq(m.cpu, true);
	run(2);		/* with interrupts off: goes on behind it */
	assert_int_equal(reg(5), 1);
	assert_int_equal(rv32_instret(m.cpu), 2);
}

static void *stop_later(void *cpu)
{
	usleep(20000);
	rv32_stop(cpu);
	return NULL;
}

static void stop_ends_an_endless_loop_from_another_thread(void **state)
{
	pthread_t thread;

	put32(JAL(0, 0));
	pthread_create(&thread, NULL, stop_later, m.cpu);
	assert_int_equal(rv32_run(m.cpu, UINT64_MAX), RV32_STOPPED);
	pthread_join(thread, NULL);
	assert_int_equal(rv32_run(m.cpu, 10), RV32_STOPPED);
	rv32_reset(m.cpu, BASE);
	run(10);
}

static void *interrupt_later(void *cpu)
{
	usleep(20000);
	rv32_irq(cpu, true);
	return NULL;
}

static void interrupt_reaches_an_endless_loop_from_another_thread(void **state)
{
	pthread_t thread;

	enable_interrupts(HANDLER);
	put32(JAL(0, 0));
	m.at = HANDLER;
	put32(ADDI(5, 0, 1));
	put32(WFI);
	put32(ECALL);
	pthread_create(&thread, NULL, interrupt_later, m.cpu);
	assert_int_equal(rv32_run(m.cpu, UINT64_MAX), RV32_DEAD);	/* the ecall in the handler */
	pthread_join(thread, NULL);
	assert_int_equal(reg(5), 1);
}

static void budget_is_exact(void **state)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		put32(ADDI(5, 5, 1));
	for (i = 1; i <= 5; i++) {
		run(1);
		assert_int_equal(reg(5), i);
	}
	run(795);
	assert_int_equal(reg(5), 800);
	run(0);
	assert_int_equal(reg(5), 800);
}

/* ---- code that changes ------------------------------------------------------------------- */

static void fence_i_shows_new_code(void **state)
{
	/* a loop runs an instruction, overwrites it, and runs it again */
	put_li(5, ADDI(7, 7, 100));
	put_li(6, BASE + 28);
	put32(JAL(0, 12));
	put32(SW(5, 6, 0));
	put32(FENCE_I);
	put32(ADDI(7, 7, 1));		/* BASE + 28 */
	put32(JAL(0, -12));
	run(5 + 2 + 4);
	assert_int_equal(reg(7), 101);
	put32(FENCE);
}

static void code_written_from_outside_is_seen(void **state)
{
	put_li(5, CB);
	put32(ADDI(7, 7, 1));
	put32(SW(0, 5, 0));
	put32(JAL(0, -8));
	run(5);
	assert_int_equal(reg(7), 1);
	m.overwrite_at = BASE + 8;
	m.overwrite_with = ADDI(7, 7, 50);
	run(3);		/* once more the old one, then the bus write changes it */
	assert_int_equal(reg(7), 2);
	run(1);
	assert_int_equal(reg(7), 52);
}

static void a_bus_write_may_change_the_storing_instruction_itself(void **state)
{
	put_li(5, CB);
	m.overwrite_at = m.at;
	m.overwrite_with = 0;
	put32(SW(0, 5, 0));
	put32(ADDI(7, 0, 3));
	run(4);
	assert_int_equal(reg(7), 3);
	assert_int_equal(rv32_pc(m.cpu), m.at);
}

static void a_write_to_the_second_half_of_an_instruction_is_seen(void **state)
{
	uint32_t insn = ADDI(7, 0, 9);

	put32(ADDI(7, 0, 1));
	put32(JAL(0, -4));
	run(2);
	assert_int_equal(reg(7), 1);
	memcpy(m.tcm, &insn, 4);
	rv32_tcm_written(m.cpu, BASE + 2, 2);
	run(1);
	assert_int_equal(reg(7), 9);
	/* ranges outside are ignored */
	rv32_tcm_written(m.cpu, BASE + SIZE, 4);
	rv32_tcm_written(m.cpu, BASE + SIZE - 2, 0xffffffff);
	rv32_tcm_written(m.cpu, 0, 4);
}

/* ---- everything at once -------------------------------------------------------------------- */

/* Random bits as a program: whatever happens, it stays in its memory and comes back. */
static void random_programs_stay_inside(void **state)
{
	uint32_t seed = 12345, word, i, n;
	uint8_t *wide = malloc(SIZE + 8192);
	static const struct rv32_bus bus = { bus_read, bus_write };
	struct rv32 *cpu;

	assert_non_null(wide);
	memset(wide, 0xa5, SIZE + 8192);
	cpu = rv32_new(wide + 4096, &bus, NULL);
	for (n = 0; n < 300; n++) {
		for (i = 0; i < SIZE; i += 4) {
			seed = seed * 1664525 + 1013904223;
			word = seed ^ seed >> 15;
			/* half of them likely instructions */
			if (word & 0x10000)
				word = (word & ~0x7fu) |
				       (const uint8_t[]){ 0x13, 0x33, 0x03, 0x23, 0x63, 0x6f,
							  0x37, 0x17 }[word >> 20 & 7];
			memcpy(wide + 4096 + i, &word, 4);
			if (n && i > 4096)
				break;
		}
		rv32_reset(cpu, BASE + (seed >> 8) % 4096);
		rv32_run(cpu, 2000);
		assert_int_equal(rv32_reg(cpu, 0), 0);
	}
	for (i = 0; i < 4096; i++) {
		assert_int_equal(wide[i], 0xa5);
		assert_int_equal(wide[4096 + SIZE + i], 0xa5);
	}
	rv32_free(cpu);
	free(wide);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(register_operations_compute),
		TEST(immediate_operations_compute),
		TEST(x0_stays_zero),
		TEST(branches_compare),
		TEST(jumps_reach_far_both_ways),
		TEST(jalr_clears_bit_0_and_may_use_its_own_base),
		TEST(loads_and_stores_extend_and_truncate),
		TEST(compressed_arithmetic),
		TEST(compressed_two_register_forms),
		TEST(compressed_loads_and_stores),
		TEST(compressed_jumps_and_branches),
		TEST(compressed_jr_and_jalr),
		TEST(compressed_hints_do_nothing),
		TEST(ecall_and_ebreak_trap),
		TEST(illegal_instructions_trap_with_their_bits),
		TEST(reserved_compressed_encodings_trap),
		TEST(accesses_outside_trap_and_touch_nothing),
		TEST(last_bytes_of_local_memory_can_be_used),
		TEST(control_block_takes_aligned_words_only),
		TEST(jumping_out_of_local_memory_faults_at_the_target),
		TEST(running_off_the_end_faults),
		TEST(trap_without_handler_is_the_end),
		TEST(trap_inside_a_trap_is_the_end),
		TEST(traps_one_after_the_other_are_fine),
		TEST(csr_instructions_read_and_modify),
		TEST(csrs_keep_the_bits_that_exist),
		TEST(unknown_and_read_only_csrs_trap),
		TEST(counters_count_instructions),
		TEST(interrupt_is_taken_and_left),
		TEST(vectored_interrupts_go_to_their_slot),
		TEST(interrupts_stay_out_when_disabled),
		TEST(wfi_sleeps_until_the_line_rises),
		TEST(stop_ends_an_endless_loop_from_another_thread),
		TEST(interrupt_reaches_an_endless_loop_from_another_thread),
		TEST(budget_is_exact),
		TEST(fence_i_shows_new_code),
		TEST(code_written_from_outside_is_seen),
		TEST(a_bus_write_may_change_the_storing_instruction_itself),
		TEST(a_write_to_the_second_half_of_an_instruction_is_seen),
		TEST(random_programs_stay_inside),
	};

	return cmocka_run_group_tests_name("rv32", tests, NULL, NULL);
}
