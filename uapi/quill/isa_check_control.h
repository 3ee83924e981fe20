/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: rules of the control processor's commands. Included by isa_check.h.
 */
#ifndef QUILL_ISA_CHECK_CONTROL_H
#define QUILL_ISA_CHECK_CONTROL_H

static inline __u32 quill_check_nop(const union quill_cmd *cmd, struct quill_check *why)
{
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_fence(const union quill_cmd *cmd, struct quill_check *why)
{
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_sem_wait(const union quill_cmd *cmd, struct quill_check *why)
{
	QUILL_REQUIRE(cmd->hdr.wait_sem, SEMAPHORE, 0, hdr, wait_sem, "1..31");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_sem_signal(const union quill_cmd *cmd, struct quill_check *why)
{
	QUILL_REQUIRE(cmd->hdr.signal_sem, SEMAPHORE, 0, hdr, signal_sem, "1..31");
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_jump(const union quill_cmd *cmd, struct quill_check *why)
{
	QUILL_REQUIRE(!(cmd->jump.target & (QUILL_CMD_SIZE - 1)), JUMP, 0, jump, target,
		      "a multiple of 64, inside the stream");
	return QUILL_FAULT_NONE;
}

#endif /* QUILL_ISA_CHECK_CONTROL_H */
