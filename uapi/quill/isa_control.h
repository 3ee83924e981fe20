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

#endif /* QUILL_ISA_CONTROL_H */
