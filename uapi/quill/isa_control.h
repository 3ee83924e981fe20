/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the commands of the control processor. Included by isa.h, after the header.
 */
#ifndef QUILL_ISA_CONTROL_H
#define QUILL_ISA_CONTROL_H

/**
 * struct quill_cmd_plain - NOP, FENCE, SEM_WAIT, SEM_SIGNAL: the header says it all
 *
 * NOP does nothing. FENCE holds back decoding until all earlier commands have finished; SEM_WAIT,
 * until wait_sem has reached wait_value. SEM_SIGNAL adds one to signal_sem.
 */
struct quill_cmd_plain {
	struct quill_cmd_hdr hdr;
	/** @reserved: zero. */
	__u64 reserved[6];
};

#define QUILL_FIELDS_plain(F) \
	F(plain, reserved, ZERO)

/**
 * struct quill_cmd_jump - JUMP: go on at another record of this stream
 */
struct quill_cmd_jump {
	struct quill_cmd_hdr hdr;
	/** @target: bytes from the stream's start, a multiple of 64, inside the stream. */
	__u64 target;
	/** @reserved: zero. */
	__u64 reserved[5];
};

#define QUILL_FIELDS_jump(F) \
	F(jump, target, TARGET) F(jump, reserved, ZERO)

/*
 * A job has registers 0 to 15, unsigned, 32 bits, all 0 at its start. SET and LOOP change them; PATCH adds
 * them to fields of the command behind it. So one stream serves every step of a loop.
 */
#define QUILL_REGISTERS		16
/* Streams that have called one another and have not ended. */
#define QUILL_CALL_DEPTH	8

/**
 * struct quill_cmd_call - CALL: decode another stream to its end, then go on here
 */
struct quill_cmd_call {
	struct quill_cmd_hdr hdr;
	/** @stream: device address, 64-byte aligned. */
	__u64 stream;
	/** @size: its bytes, a multiple of 64, not 0. */
	__u32 size;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved1: zero. */
	__u64 reserved1[4];
};

#define QUILL_FIELDS_call(F) \
	F(call, stream, ADDR) F(call, size, DIM) F(call, reserved0, ZERO) F(call, reserved1, ZERO)

#define QUILL_LOOP_STOPS	4

/**
 * struct quill_cmd_loop - LOOP: once more from @target, or on
 *
 * The register grows by one. Decoding goes on behind LOOP if it is @limit or more now, or if the word in memory is one
 * of @stop; else at @target.
 */
struct quill_cmd_loop {
	struct quill_cmd_hdr hdr;
	/** @target: bytes from the stream's start, a multiple of 64, inside the stream. */
	__u64 target;
	/**
	 * @word: device address of an s32 to look at, 4-byte aligned, or 0. With it, LOOP waits until all
	 * earlier commands have finished.
	 */
	__u64 word;
	/** @limit: 1 or more. */
	__u32 limit;
	/** @reg: 0..QUILL_REGISTERS - 1. */
	__u16 reg;
	/** @stops: how many of @stop count, 0..QUILL_LOOP_STOPS; 0 without @word. */
	__u16 stops;
	/** @stop: values that end the loop; those that do not count are zero. */
	__s32 stop[QUILL_LOOP_STOPS];
	/** @reserved: zero. */
	__u64 reserved;
};

#define QUILL_FIELDS_loop(F) \
	F(loop, target, TARGET) F(loop, word, ADDR) F(loop, limit, DIM) F(loop, reg, NUMBER) \
	F(loop, stops, NUMBER) F(loop, stop, SIGNED) F(loop, reserved, ZERO)

enum quill_set_op {
	QUILL_SET_VALUE = 0,	/* register = value */
	QUILL_SET_ADD = 1,	/* register += value, modulo 2^32 */
	QUILL_SET_LOAD = 2,	/* register = the u32 in memory, which is at most max; waits as LOOP does */
	QUILL_SET_COUNT = 3,
};

/**
 * struct quill_cmd_set - SET: change a register
 */
struct quill_cmd_set {
	struct quill_cmd_hdr hdr;
	/** @word: LOAD: device address of a u32, 4-byte aligned; else 0. */
	__u64 word;
	/** @value: VALUE, ADD: the operand; LOAD: 0. */
	__u32 value;
	/** @max: LOAD: a larger one is QUILL_FAULT_PARAM; else 0. */
	__u32 max;
	/** @op: enum quill_set_op. */
	__u16 op;
	/** @reg: 0..QUILL_REGISTERS - 1. */
	__u16 reg;
	/** @reserved0: zero. */
	__u32 reserved0;
	/** @reserved1: zero. */
	__u64 reserved1[3];
};

#define QUILL_FIELDS_set(F) \
	F(set, word, ADDR) F(set, value, DIM) F(set, max, DIM) F(set, op, NUMBER) F(set, reg, NUMBER) \
	F(set, reserved0, ZERO) F(set, reserved1, ZERO)

#define QUILL_PATCHES		6

/*
 * An entry of PATCH: field += register * scale, modulo 2^32, or 2^64 if WIDE. The field begins @WORD words of 32 bits
 * from the start of the command that follows (from 16 on: in its extensions). It lies in the body of a record, or is
 * wait_value. An entry of 0 is none.
 */
#define QUILL_PATCH_REG_MASK	0xffu
#define QUILL_PATCH_WORD_SHIFT	8
#define QUILL_PATCH_WORD_MASK	0xffu
#define QUILL_PATCH_WIDE	(1u << 16)
#define QUILL_PATCH_SCALE_SHIFT	32	/* s32 */

static inline __u64 quill_patch_entry(__u32 reg, __u32 word, int wide, __s32 scale)
{
	return (__u64)(__u32)scale << QUILL_PATCH_SCALE_SHIFT | (wide ? QUILL_PATCH_WIDE : 0) |
	       word << QUILL_PATCH_WORD_SHIFT | reg;
}

static inline __u32 quill_patch_word(__u64 entry)
{
	return entry >> QUILL_PATCH_WORD_SHIFT & QUILL_PATCH_WORD_MASK;
}

/* What an entry does to the command that begins at @cmd and has the word, with @value in the register. */
static inline void quill_patch_add(void *cmd, __u64 entry, __u32 value)
{
	__u64 add = (__s64)value * ((__s64)entry >> QUILL_PATCH_SCALE_SHIFT), wide;
	__u32 *at = (__u32 *)cmd + quill_patch_word(entry);

	if (entry & QUILL_PATCH_WIDE) {
		__builtin_memcpy(&wide, at, sizeof(wide));
		wide += add;
		__builtin_memcpy(at, &wide, sizeof(wide));
	} else {
		*at += (__u32)add;
	}
}

/**
 * struct quill_cmd_patch - PATCH: add registers to fields of the next command, as it is decoded now
 *
 * The next command must be there, and is not a PATCH. What it is with the registers added has to keep all rules.
 */
struct quill_cmd_patch {
	struct quill_cmd_hdr hdr;
	/** @entry: quill_patch_entry(), at least one; behind one that is 0 all are. */
	__u64 entry[QUILL_PATCHES];
};

#define QUILL_FIELDS_patch(F) \
	F(patch, entry, WORD)

#endif /* QUILL_ISA_CONTROL_H */
