// SPDX-License-Identifier: MIT
/*
 * Programs for the control processor, from bytes.
 *
 * Random code traps at its first or second instruction. So most bytes choose what a program would do to
 * the device: write and read registers of the control block, move memory, issue commands. What
 * comes out is straight code, with a loop at its end.
 */
#include <string.h>

#include "rv32_script.h"
#include "stream.h"

#define T0	5u
#define T1	6u

struct code {
	uint32_t *at;
	uint32_t n;
	uint8_t *payload;
	uint32_t records;
};

static void emit(struct code *c, uint32_t insn)
{
	c->at[c->n++] = insn;
}

static void load_immediate(struct code *c, uint32_t rd, uint32_t value)
{
	emit(c, ((value + 0x800) & 0xfffff000) | rd << 7 | 0x37);
	emit(c, value << 20 | rd << 15 | rd << 7 | 0x13);
}

static void write_cb(struct code *c, uint32_t reg, uint32_t value)
{
	load_immediate(c, T0, QUILL_RV_CB_BASE + reg);
	load_immediate(c, T1, value);
	emit(c, T1 << 20 | T0 << 15 | 2 << 12 | 0x23);
}

static void read_cb(struct code *c, uint32_t reg)
{
	load_immediate(c, T0, QUILL_RV_CB_BASE + reg);
	emit(c, T0 << 15 | 2 << 12 | T1 << 7 | 3);
}

/* Mostly where memory is, as a bus address or as one of the address space's. */
static uint64_t make_address(struct fuzz_in *in)
{
	uint8_t kind = fuzz_u8(in);
	uint32_t at = fuzz_u16(in);

	switch (kind % 6) {
	case 0:
		return QH_RAM_BASE + at * 16;
	case 1:
		return VA_RW + at;
	case 2:
		return QUILL_VA_SRAM + at * 512ull;
	case 3:
		return QUILL_VA_END - 4096 + at;
	case 4:
		return UINT64_MAX - at;
	default:
		return fuzz_u64(in);
	}
}

/* In local memory: anywhere in its first half, or close to its end. */
static uint32_t make_local(struct fuzz_in *in, bool edge)
{
	uint32_t at = fuzz_u16(in);

	return QUILL_RV_TCM_BASE + (edge ? QUILL_RV_TCM_SIZE - at % 4608 : at);
}

static void transfer(struct code *c, struct fuzz_in *in)
{
	uint64_t addr = make_address(in);
	uint8_t how = fuzz_u8(in);

	write_cb(c, QUILL_CB_XFER_ADDR_LO, addr);
	write_cb(c, QUILL_CB_XFER_ADDR_HI, addr >> 32);
	write_cb(c, QUILL_CB_XFER_LOCAL, make_local(in, how & 0x80));
	write_cb(c, QUILL_CB_XFER_LEN, 1 + fuzz_u16(in) % (QUILL_XFER_MAX + 2));
	write_cb(c, QUILL_CB_XFER_GO, (how & 1) | (how & 2 ? QUILL_XFER_TO_MEMORY : 0) |
				      (how & 0x0c ? 0 : how >> 4 << 5));
}

/* A command of the input's, or one that is known to be whole. */
static void make_record(struct fuzz_in *in, union quill_cmd *rec, uint8_t how)
{
	fuzz_bytes(in, rec, how & 0x40 ? 2 * sizeof(*rec) : 0);
	if (how & 0x40)
		return;
	memset(rec, 0, 2 * sizeof(*rec));
	if (how & 0x20) {
		rec->hdr.opcode = QUILL_OP_GEMM;
		rec->hdr.ext = 1;
		rec->hdr.type_a = QUILL_TYPE_S8;
		rec->hdr.type_b = QUILL_TYPE_S8;
		rec->hdr.type_d = QUILL_TYPE_S32;
		rec->gemm.a = make_address(in);
		rec->gemm.b = make_address(in) & ~63ull;
		rec->gemm.d = make_address(in) & ~3ull;
		rec->gemm.m = 1 + fuzz_u16(in);
		rec->gemm.n = 1 + fuzz_u8(in) * 8;
		rec->gemm.k = 1 + fuzz_u8(in) * 16;
		rec->gemm.lda = rec->gemm.k;
		rec->gemm.ldd = rec->gemm.n;
		rec[1].hdr.opcode = QUILL_OP_EXT;
		return;
	}
	rec->hdr.opcode = QUILL_OP_COPY;
	rec->copy.dst = make_address(in);
	rec->copy.src = make_address(in);
	rec->copy.width = 1 + (uint64_t)fuzz_u16(in) * (how & 0x10 ? 256 : 1);
	rec->copy.dst_stride = rec->copy.width;
	rec->copy.height = 1 + fuzz_u8(in);
}

static void issue(struct code *c, struct fuzz_in *in)
{
	uint8_t how = fuzz_u8(in), as = fuzz_u8(in);
	uint32_t slot = c->records++ % SCRIPT_RECORDS, engine = how & 3;
	union quill_cmd rec[2];

	make_record(in, rec, how);
	memcpy(c->payload + SCRIPT_DATA + slot * sizeof(rec), rec, sizeof(rec));
	if (!(how & 0x40))
		engine = how & 0x20 ? QUILL_ENGINE_TENSOR : QUILL_ENGINE_DMA;
	if (how & 0x80)
		write_cb(c, QUILL_CB_ISSUE_CMD, make_local(in, true) & ~3u);
	else
		write_cb(c, QUILL_CB_ISSUE_CMD,
			 QUILL_RV_TCM_BASE + SCRIPT_DATA + slot * sizeof(rec));
	write_cb(c, QUILL_CB_ISSUE_GO, engine | slot << 8 | (as & 0xe0 ? 1u : as & 0x1f) << 24);
}

static void one_op(struct code *c, struct fuzz_in *in)
{
	uint8_t op = fuzz_u8(in);

	switch (op & 7) {
	case 0:
	case 1:
		write_cb(c, fuzz_u8(in) * 4 + (op & 8 ? 0x200 : 0), fuzz_u32(in));
		break;
	case 2:
		read_cb(c, (fuzz_u16(in) & 0xfff) & ~(op & 8 ? 0u : 3u));
		break;
	case 3:
		transfer(c, in);
		break;
	case 4:
		issue(c, in);
		break;
	case 5:
		read_cb(c, QUILL_CB_RETIRE);
		read_cb(c, QUILL_CB_RETIRE_FAULT);
		break;
	case 6:
		write_cb(c, op & 8 ? QUILL_CB_ENGINE_ABORT : QUILL_CB_ENGINE_RESUME, op >> 4);
		break;
	default:
		/* an instruction of the input's own */
		emit(c, fuzz_u32(in));
		break;
	}
}

void script_compile(struct fuzz_in *in, uint8_t *payload)
{
	struct code c = { .at = (uint32_t *)payload, .payload = payload };
	uint8_t end = fuzz_u8(in);
	uint32_t n, back;

	memset(payload, 0, SCRIPT_SIZE);
	for (n = 0; n < SCRIPT_OPS && in->left; n++)
		one_op(&c, in);
	if (end & 1)
		emit(&c, 0x10500073);		/* wfi */
	if (end & 2)
		emit(&c, 0x0000100f);		/* fence.i */
	back = -4 * c.n;
	if (end & 4)
		emit(&c, 0x0000006f);		/* here: j here */
	else
		/* j start */
		emit(&c, (back & 0x7fe) << 20 | (back & 0x800) << 9 | (back & 0xff000) |
			 1u << 31 | 0x6f);
}
