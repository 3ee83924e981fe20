// SPDX-License-Identifier: MIT
/*
 * The control processor executes RV32IMC, Zicsr and Zifencei in machine mode, and traps at everything else: all 65536
 * compressed encodings, and every opcode, funct3 and funct7 of the long ones, against rules that are written
 * down here a second time, from the manual's tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "quill/regs.h"
#include "rv32.h"

#define BASE		QUILL_RV_TCM_BASE
#define CAUSE_ILLEGAL	2
#define MSCRATCH	0x340

static uint8_t *tcm;
static struct rv32 *cpu;

static uint32_t bus_read(void *opaque, uint32_t offset)
{
	return 0;
}

static void bus_write(void *opaque, uint32_t offset, uint32_t value)
{
}

static int setup(void **state)
{
	static const struct rv32_bus bus = { bus_read, bus_write };

	tcm = calloc(1, QUILL_RV_TCM_SIZE);
	cpu = rv32_new(tcm, &bus, NULL);
	return !tcm || !cpu;
}

static int teardown(void **state)
{
	rv32_free(cpu);
	free(tcm);
	return 0;
}

/* All registers are zero and there is no handler: whatever traps ends here, with its cause. */
static bool executes(uint32_t insn)
{
	uint32_t cause, value;

	memcpy(tcm, &insn, sizeof(insn));
	rv32_reset(cpu, BASE);
	if (rv32_run(cpu, 1) != RV32_DEAD)
		return true;
	rv32_cause(cpu, &cause, &value);
	return cause != CAUSE_ILLEGAL;
}

static uint32_t bits(uint32_t insn, unsigned int high, unsigned int low)
{
	return insn >> low & ((1u << (high - low + 1)) - 1);
}

/* ---- RV32C ---- */

static bool exists_in_quadrant_0(uint32_t i)
{
	switch (bits(i, 15, 13)) {
	case 0:			/* c.addi4spn */
		return bits(i, 12, 5);
	case 2: case 6:		/* c.lw, c.sw */
		return true;
	default:		/* floating point, reserved */
		return false;
	}
}

static bool exists_in_quadrant_1(uint32_t i)
{
	switch (bits(i, 15, 13)) {
	case 3:			/* c.lui, c.addi16sp */
		return bits(i, 12, 12) || bits(i, 6, 2);
	case 4:
		/* c.srli, c.srai: five bits; c.andi; c.sub, c.xor, c.or, c.and: no RV64 */
		return bits(i, 11, 10) == 2 || !bits(i, 12, 12);
	default:		/* c.addi, c.jal, c.li, c.j, c.beqz, c.bnez */
		return true;
	}
}

static bool exists_in_quadrant_2(uint32_t i)
{
	switch (bits(i, 15, 13)) {
	case 0:			/* c.slli: five bits */
		return !bits(i, 12, 12);
	case 2:			/* c.lwsp */
		return bits(i, 11, 7);
	case 4:			/* c.jr, c.mv; c.ebreak, c.jalr, c.add */
		return bits(i, 12, 12) || bits(i, 6, 2) || bits(i, 11, 7);
	case 6:			/* c.swsp */
		return true;
	default:
		return false;
	}
}

static void every_compressed_encoding_executes_or_traps(void **state)
{
	static bool (*const exists[3])(uint32_t insn) = {
		exists_in_quadrant_0, exists_in_quadrant_1, exists_in_quadrant_2,
	};
	uint32_t i, n = 0;

	for (i = 0; i < 0x10000; i++) {
		if ((i & 3) == 3)
			continue;
		if (executes(i) != exists[i & 3](i))
			fail_msg("%#06x: executes: %d, expected %d", i, executes(i), exists[i & 3](i));
		n++;
	}
	assert_int_equal(n, 3 * 0x4000);
}

/* ---- 32 bits ---- */

static bool exists_system(uint32_t i)
{
	switch (bits(i, 14, 12)) {
	case 0:
		return i == 0x00000073 || i == 0x00100073 ||	/* ecall, ebreak */
		       i == 0x30200073 || i == 0x10500073;	/* mret, wfi */
	case 4:
		return false;
	default:
		return bits(i, 31, 20) == MSCRATCH;
	}
}

static bool exists(uint32_t i)
{
	uint32_t f3 = bits(i, 14, 12), f7 = bits(i, 31, 25);

	switch (bits(i, 6, 0)) {
	case 0x37: case 0x17: case 0x6f:	/* lui, auipc, jal */
		return true;
	case 0x67:				/* jalr */
		return !f3;
	case 0x63:				/* branches */
		return f3 != 2 && f3 != 3;
	case 0x03:				/* loads: no lwu, no ld */
		return f3 != 3 && f3 < 6;
	case 0x23:				/* sb, sh, sw */
		return f3 < 3;
	case 0x13:				/* immediates; shifts of five bits */
		return f3 == 1 ? !f7 : f3 == 5 ? !f7 || f7 == 0x20 : true;
	case 0x33:				/* add.., mul.., sub and sra */
		return f7 < 2 || (f7 == 0x20 && (f3 == 0 || f3 == 5));
	case 0x0f:				/* fence, fence.i */
		return f3 < 2;
	case 0x73:
		return exists_system(i);
	default:
		return false;
	}
}

static void check(uint32_t insn)
{
	if (executes(insn) != exists(insn))
		fail_msg("%#010x: executes: %d, expected %d", insn, executes(insn), exists(insn));
}

static void every_long_encoding_executes_or_traps(void **state)
{
	/* rd, rs1, rs2: none, and some that no instruction reserves */
	static const uint32_t registers[] = { 0, 5u << 7 | 6u << 15 | 7u << 20 };
	uint32_t op, f3, f7, i;

	for (op = 3; op < 0x80; op += 4)
		for (f3 = 0; f3 < 8; f3++)
			for (f7 = 0; f7 < 0x80; f7++)
				for (i = 0; i < 2; i++) {
					/* control registers are another test's: see test_rv32.c */
					if (op == 0x73 && f3)
						continue;
					check(f7 << 25 | f3 << 12 | op | registers[i]);
				}
}

static void every_system_instruction_executes_or_traps(void **state)
{
	uint32_t f3, imm, i;

	for (imm = 0; imm < 0x1000; imm++)
		for (i = 0; i < 4; i++)
			check(imm << 20 | (i & 1) << 7 | (i & 2) << 14 | 0x73);
	for (f3 = 0; f3 < 8; f3++)
		for (i = 0; i < 32; i++)
			check((uint32_t)MSCRATCH << 20 | f3 << 12 | i << 7 | i << 15 | 0x73);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_compressed_encoding_executes_or_traps, setup,
						teardown),
		cmocka_unit_test_setup_teardown(every_long_encoding_executes_or_traps, setup, teardown),
		cmocka_unit_test_setup_teardown(every_system_instruction_executes_or_traps, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
