// SPDX-License-Identifier: MIT
/*
 * Commands that need no engine: the decoder executes them as it meets them.
 *
 * They make a program of a stream: JUMP, LOOP and CALL say where decoding goes on, SET and LOOP change the job's
 * registers, and PATCH adds registers to fields of the command behind it. The engines know nothing of this: they are
 * given whole commands, checked as they are with the registers added. So what a command costs stays a function of
 * the command, and only a word in memory that LOOP or SET looks at can make device time depend on data.
 */
#include "fw.h"

/* The command at hand is at fault; @offset is the field's. */
static bool fault(struct job *j, const union quill_cmd *cmd, __u32 what, __u32 offset)
{
	stream_fail(j, cmd, j->stream.pc, what, QUILL_ACCESS_READ, offset);
	return false;
}

/* The word that LOOP or SET looks at; 0: none. */
static __u64 word_address(const union quill_cmd *cmd)
{
	switch (cmd->hdr.opcode) {
	case QUILL_OP_LOOP:
		return cmd->loop.word;
	case QUILL_OP_SET:
		return cmd->set.word;
	default:
		return 0;
	}
}

/* Decoding goes on only when all earlier commands have finished. */
static bool is_ordered(const union quill_cmd *cmd)
{
	return cmd->hdr.opcode == QUILL_OP_FENCE || cmd->hdr.flags & QUILL_CMD_ORDERED ||
	       word_address(cmd);
}

static bool jump(struct job *j, const union quill_cmd *cmd, __u64 target, __u32 offset)
{
	if (target >= (__u64)j->stream.records * QUILL_CMD_SIZE)
		return fault(j, cmd, QUILL_FAULT_JUMP, offset);
	j->stream.pc = (__u32)(target / QUILL_CMD_SIZE);
	return true;
}

static void enter(struct stream *s, __u64 addr, __u32 records, __u32 pc)
{
	s->addr = addr;
	s->records = records;
	s->pc = pc;
	/* what has been fetched is the other stream's */
	s->count = 0;
}

static bool call(struct job *j, const union quill_cmd *cmd)
{
	struct stream *s = &j->stream;

	if (s->depth == QUILL_CALL_DEPTH)
		return fault(j, cmd, QUILL_FAULT_CALL, QUILL_OFF(struct quill_cmd_hdr, opcode));
	s->caller[s->depth].addr = s->addr;
	s->caller[s->depth].records = s->records;
	s->caller[s->depth].pc = s->pc + 1;
	s->depth++;
	enter(s, cmd->call.stream, cmd->call.size / QUILL_CMD_SIZE, 0);
	return true;
}

void control_return(struct job *j)
{
	struct stream *s = &j->stream;

	s->depth--;
	enter(s, s->caller[s->depth].addr, s->caller[s->depth].records, s->caller[s->depth].pc);
}

static bool is_stop(const struct quill_cmd_loop *c, __s32 word)
{
	__u32 i;

	for (i = 0; i < c->stops; i++)
		if (c->stop[i] == word)
			return true;
	return false;
}

static bool loop(struct job *j, const union quill_cmd *cmd, __u32 word)
{
	const struct quill_cmd_loop *c = &cmd->loop;
	struct stream *s = &j->stream;

	/* a target outside is wrong in the last round too */
	if (c->target >= (__u64)s->records * QUILL_CMD_SIZE)
		return fault(j, cmd, QUILL_FAULT_JUMP, QUILL_OFF(struct quill_cmd_loop, target));
	s->reg[c->reg]++;
	if (s->reg[c->reg] >= c->limit || is_stop(c, (__s32)word)) {
		s->pc++;
		return true;
	}
	return jump(j, cmd, c->target, QUILL_OFF(struct quill_cmd_loop, target));
}

static bool set(struct job *j, const union quill_cmd *cmd, __u32 word)
{
	const struct quill_cmd_set *c = &cmd->set;
	struct stream *s = &j->stream;

	switch (c->op) {
	case QUILL_SET_LOAD:
		if (word > c->max)
			return fault(j, cmd, QUILL_FAULT_PARAM, QUILL_OFF(struct quill_cmd_set, max));
		s->reg[c->reg] = word;
		break;
	case QUILL_SET_ADD:
		s->reg[c->reg] += c->value;
		break;
	default:
		s->reg[c->reg] = c->value;
		break;
	}
	s->pc++;
	return true;
}

static bool patch(struct job *j, const union quill_cmd *cmd)
{
	struct stream *s = &j->stream;

	__builtin_memcpy(s->patch, cmd->patch.entry, sizeof(s->patch));
	s->patched = true;
	s->pc++;
	return true;
}

/* Where decoding goes on, and what the command does beside. False: it is at fault. */
static bool step(struct job *j, const union quill_cmd *cmd, __u32 word)
{
	switch (cmd->hdr.opcode) {
	case QUILL_OP_JUMP:
		return jump(j, cmd, cmd->jump.target, QUILL_OFF(struct quill_cmd_jump, target));
	case QUILL_OP_CALL:
		return call(j, cmd);
	case QUILL_OP_LOOP:
		return loop(j, cmd, word);
	case QUILL_OP_SET:
		return set(j, cmd, word);
	case QUILL_OP_PATCH:
		return patch(j, cmd);
	default:
		j->stream.pc++;
		return true;
	}
}

bool control_execute(struct job *j, const union quill_cmd *cmd, bool strict)
{
	const struct quill_cmd_hdr *h = &cmd->hdr;
	bool ordered = is_ordered(cmd);
	struct stream *s = &j->stream;
	__u64 at = word_address(cmd);
	struct sem_wait wait;
	__u32 word = 0, what;
	__u64 go_on;

	sem_decode_wait(j, &wait, h);
	if ((ordered && !window_empty(j)) || !sem_reached(j, &wait, strict))
		return false;
	if (at) {
		what = xfer_read(j->queue->as, at, &word, sizeof(word));
		if (what) {
			stream_fail(j, cmd, s->pc, what, QUILL_ACCESS_READ, xfer_fault_address());
			return false;
		}
	}

	/* PATCH sets it again */
	s->patched = false;
	if (!step(j, cmd, word))
		return false;
	s->clock += s->overhead;
	go_on = sem_time(j, &wait, strict);
	if (ordered)
		go_on = max64(go_on, j->window.end);
	if (go_on > s->clock) {
		s->clock = go_on;
		s->held = go_on;
	}
	if (h->signal_sem) {
		sem_issue_signal(j, h->signal_sem, sem_decode_signal(j, h->signal_sem), s->clock);
		sem_retire_signal(j, h->signal_sem);
	}
	s->order++;
	s->commands++;
	s->decoded++;
	return true;
}

bool control_patch(struct job *j, union quill_cmd *cmd, __u32 records)
{
	const struct stream *s = &j->stream;
	__u32 i, word;

	if (cmd->hdr.opcode == QUILL_OP_PATCH)
		return fault(j, cmd, QUILL_FAULT_PARAM, QUILL_OFF(struct quill_cmd_hdr, opcode));
	for (i = 0; i < QUILL_PATCHES && s->patch[i]; i++) {
		word = quill_patch_word(s->patch[i]);
		if (word >= records * (QUILL_CMD_SIZE / 4))
			return fault(j, cmd, QUILL_FAULT_PARAM, word * 4);
		quill_patch_add(cmd, s->patch[i], s->reg[s->patch[i] & QUILL_PATCH_REG_MASK]);
	}
	return true;
}
