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

/* A 32-bit word that the control processor looks at. */
#define QUILL_REQUIRE_WORD(addr, name, field)							\
	QUILL_REQUIRE_MATRIX(addr, 1, 0, 1, 4, 0, name, field, field)

static inline __u32 quill_check_call(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_call *c = &cmd->call;

	QUILL_REQUIRE(c->size && !(c->size & (QUILL_CMD_SIZE - 1)), SHAPE, 0, call, size,
		      "a multiple of 64, not 0");
	QUILL_REQUIRE(!(c->stream & (QUILL_CMD_SIZE - 1)), ALIGN, 0, call, stream,
		      "a multiple of 64");
	QUILL_REQUIRE(quill_check_range(c->stream, 1, 0, c->size), RANGE, 0, call, stream,
		      QUILL_IN_48_BITS);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_loop(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_loop *c = &cmd->loop;
	__u32 i;

	QUILL_REQUIRE(!(c->target & (QUILL_CMD_SIZE - 1)), JUMP, 0, loop, target,
		      "a multiple of 64, inside the stream");
	QUILL_REQUIRE(c->limit, SHAPE, 0, loop, limit, "1 or more");
	QUILL_REQUIRE(c->reg < QUILL_REGISTERS, PARAM, 0, loop, reg, "0..15");
	QUILL_REQUIRE(c->stops <= (c->word ? QUILL_LOOP_STOPS : 0), PARAM, 0, loop, stops,
		      "0..4, and 0 without a word to look at");
	for (i = c->stops; i < QUILL_LOOP_STOPS; i++)
		QUILL_REQUIRE(!c->stop[i], PARAM, 0, loop, stop, "0 behind the first stops|stops");
	if (c->word)
		QUILL_REQUIRE_WORD(c->word, loop, word);
	return QUILL_FAULT_NONE;
}

static inline __u32 quill_check_set(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_set *c = &cmd->set;
	int load = c->op == QUILL_SET_LOAD;

	QUILL_REQUIRE(c->op < QUILL_SET_COUNT, PARAM, 0, set, op, "0..2 (VALUE, ADD, LOAD)");
	QUILL_REQUIRE(c->reg < QUILL_REGISTERS, PARAM, 0, set, reg, "0..15");
	QUILL_REQUIRE(load || !c->word, PARAM, 0, set, word, "0, but for LOAD (2)|op");
	QUILL_REQUIRE(load || !c->max, PARAM, 0, set, max, "0, but for LOAD (2)|op");
	QUILL_REQUIRE(!load || !c->value, PARAM, 0, set, value, "0 for LOAD (2)|op");
	if (load)
		QUILL_REQUIRE_WORD(c->word, set, word);
	return QUILL_FAULT_NONE;
}

/* An entry that is not 0: a register, and a field that lies in the body of a record or is wait_value. */
static inline int quill_check_patch_entry(__u64 entry)
{
	__u32 word = quill_patch_word(entry);
	int wide = !!(entry & QUILL_PATCH_WIDE);

	if ((entry & QUILL_PATCH_REG_MASK) >= QUILL_REGISTERS ||
	    (__u32)entry >> 16 > QUILL_PATCH_WIDE >> 16)
		return 0;
	if (word == 3)
		return !wide;
	return word < QUILL_MAX_RECORDS * 16 && word % 16 >= 4 && !(wide && word % 2);
}

static inline __u32 quill_check_patch(const union quill_cmd *cmd, struct quill_check *why)
{
	const struct quill_cmd_patch *c = &cmd->patch;
	__u32 i;

	QUILL_REQUIRE(c->entry[0], PARAM, 0, patch, entry, "one entry at least");
	for (i = 0; i < QUILL_PATCHES; i++) {
		QUILL_REQUIRE(!c->entry[i] || !i || c->entry[i - 1], PARAM, 0, patch, entry,
			      "nothing behind an entry that is 0");
		QUILL_REQUIRE(!c->entry[i] || quill_check_patch_entry(c->entry[i]), PARAM, 0,
			      patch, entry, "registers 0..15 and fields of the next command");
	}
	return QUILL_FAULT_NONE;
}

#endif /* QUILL_ISA_CHECK_CONTROL_H */
