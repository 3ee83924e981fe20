// SPDX-License-Identifier: MIT
/*
 * A job's stream: fetched up to a page at a time, each record checked from the copy and
 * executed from the copy, so that nothing is read twice.
 *
 * Commands without an engine execute in the decoder (control.c): what they wait for holds back decoding. The
 * others go into the window.
 *
 * What has been fetched stays as it is while decoding remains in that page, JUMPs included: a
 * stream that changes itself is not a program.
 */
#include "fw.h"

void stream_reset(struct job *j, __u64 addr, __u32 size)
{
	struct stream *s = &j->stream;

	s->addr = addr;
	s->records = size / QUILL_CMD_SIZE;
	s->pc = 0;
	s->order = 0;
	s->commands = 0;
	s->overhead = cb_read(QUILL_CB_CMD_OVERHEAD);
	s->ended = false;
	/* the first records are on their way */
	s->clock = cb_read(QUILL_CB_LINK_LATENCY);
	s->held = 0;
	s->decoded = 0;
	s->count = 0;
	s->depth = 0;
	s->patched = false;
	__builtin_memset(s->reg, 0, sizeof(s->reg));
}

void stream_fail(struct job *j, const union quill_cmd *cmd, __u32 index, __u32 fault,
		 __u32 access, __u64 address)
{
	struct report r = {
		.fault = fault,
		.order = j->stream.order,
		.stream = j->stream.addr,
		.index = index,
		.address = address,
		.access = access,
		.engine = QUILL_ENGINE_FW,
	};

	if (cmd) {
		r.opcode = cmd->hdr.opcode;
		r.cmd_seq = cmd->hdr.seq;
	}
	j->stream.ended = true;
	job_fault(j, &r, false);
}

void stream_position(const struct job *j, struct report *r)
{
	const struct stream *s = &j->stream;
	const union quill_cmd *cmd = &s->record[s->pc - s->first];

	r->stream = s->addr;
	r->index = s->pc < s->records ? s->pc : s->records - 1;
	r->engine = QUILL_ENGINE_FW;
	if (s->pc - s->first < s->count) {
		r->opcode = cmd->hdr.opcode;
		r->cmd_seq = cmd->hdr.seq;
	}
}

/* Have the page that holds record @index, from there on. NULL: it cannot be fetched, which is then the job's fault. */
static __attribute__((noinline)) const union quill_cmd *fetch_page(struct job *j, __u32 index)
{
	struct stream *s = &j->stream;
	__u64 addr = s->addr + (__u64)index * QUILL_CMD_SIZE;
	__u32 count, fault;

	/* not over the page's end: a page that is not there matters when its turn comes */
	count = (QUILL_PAGE_SIZE - ((__u32)addr & (QUILL_PAGE_SIZE - 1))) / QUILL_CMD_SIZE;
	if (count > s->records - index)
		count = s->records - index;
	s->count = 0;
	fault = xfer_read(j->queue->as, addr, s->record, count * QUILL_CMD_SIZE);
	if (fault) {
		stream_fail(j, NULL, index, fault, QUILL_ACCESS_FETCH, xfer_fault_address());
		return NULL;
	}
	s->first = index;
	s->count = count;
	return &s->record[0];
}

/* Record @index; NULL if it cannot be fetched. */
static inline const union quill_cmd *fetch(struct job *j, __u32 index)
{
	struct stream *s = &j->stream;

	if (likely(index - s->first < s->count))
		return &s->record[index - s->first];
	return fetch_page(j, index);
}

/* Nothing but an opcode, and perhaps a mark: the NOP that quill_cmd_check() would accept, word by word. */
static bool is_plain_nop(const union quill_cmd *cmd)
{
	const __u32 *w = (const __u32 *)cmd;

	return w[0] == QUILL_OP_NOP &&
	       !(w[1] | (w[2] & 0xffff) | w[3] | w[4] | w[5] | w[6] | w[7] | w[8] | w[9] |
		 w[10] | w[11] | w[12] | w[13] | w[14] | w[15]);
}

/* Add the registers that a PATCH named, and check what came of it. False: that is the job's fault. */
static bool patch_and_check(struct job *j, union quill_cmd *cmd, __u32 records)
{
	__u32 what;

	if (j->stream.patched && !control_patch(j, cmd, records))
		return false;
	cb_write(QUILL_CB_CHECK_CMD, (__u32)cmd);
	asm volatile("" ::: "memory");
	cb_write(QUILL_CB_CHECK_GO, records);
	what = cb_read(QUILL_CB_CHECK_RESULT);
	if (likely(!what))
		return true;
	stream_fail(j, cmd, j->stream.pc, what & QUILL_CHECK_FAULT_MASK, QUILL_ACCESS_READ,
		    (what >> QUILL_CHECK_RECORD_SHIFT & QUILL_CHECK_RECORD_MASK) * QUILL_CMD_SIZE +
		    (what >> QUILL_CHECK_OFFSET_SHIFT));
	return false;
}

/* Sixteen words, without a loop: this is done for every record. */
static inline void copy_record(union quill_cmd *to, const union quill_cmd *from)
{
	typedef __u32 __attribute__((may_alias)) word;
	const word *f = (const word *)from;
	word *t = (word *)to;
	__u32 i;

#pragma GCC unroll 16
	for (i = 0; i < QUILL_CMD_SIZE / 4; i++)
		t[i] = f[i];
}

/* A command for an engine: into the window. False: it is at fault. */
static bool enqueue(struct job *j, const union quill_cmd *cmd, const struct quill_op_info *op)
{
	struct stream *s = &j->stream;
	struct entry *e = window_slot(j);
	const union quill_cmd *ext;
	__u32 records = 1;

	/* one that claims more extensions than it may have is refused with those that it may */
	copy_record(&e->cmd[0], cmd);
	for (; records <= e->cmd[0].hdr.ext && records <= op->ext_max; records++) {
		if (s->pc + records >= s->records)
			break;
		ext = fetch(j, s->pc + records);
		if (!ext)
			return false;
		copy_record(&e->cmd[records], ext);
	}
	if (!patch_and_check(j, e->cmd, records))
		return false;

	s->patched = false;
	s->clock += records * s->overhead;
	s->decoded += records;
	e->ready = s->clock;
	e->held = s->held;
	e->order = s->order++;
	e->stream = s->addr;
	e->index = s->pc;
	e->engine = op->engine;
	sem_decode_wait(j, &e->wait, &e->cmd[0].hdr);
	if (e->cmd[0].hdr.signal_sem)
		e->signal = sem_decode_signal(j, e->cmd[0].hdr.signal_sem);
	window_push(j, e);
	s->pc += records;
	return true;
}

/* A command without an engine. False: it has to wait, or is at fault. */
static bool execute(struct job *j, const union quill_cmd *cmd, bool strict)
{
	union quill_cmd own = *cmd;

	return patch_and_check(j, &own, 1) && control_execute(j, &own, strict);
}

/* False: nothing was decoded. */
static bool decode_one(struct job *j, bool strict)
{
	struct stream *s = &j->stream;
	const struct quill_op_info *op;
	const union quill_cmd *cmd;

	if (!window_room(j, s->order))
		return false;
	cmd = fetch(j, s->pc);
	if (!cmd)
		return false;
	if (is_plain_nop(cmd) && !s->patched) {
		s->clock += s->overhead;
		s->order++;
		s->commands++;
		s->decoded++;
		s->pc++;
		return true;
	}
	op = quill_op_info(cmd->hdr.opcode);
	if (op && op->engine != QUILL_ENGINE_FW)
		return enqueue(j, cmd, op);
	return execute(j, cmd, strict);
}

/* Decoding has come to a stream's end: back to its caller, and to that one's if it is at its end too. */
static void end_of_stream(struct job *j)
{
	struct stream *s = &j->stream;

	while (!s->ended && s->pc >= s->records) {
		if (s->patched)
			stream_fail(j, NULL, s->records - 1, QUILL_FAULT_STREAM, QUILL_ACCESS_FETCH,
				    s->addr + (__u64)s->records * QUILL_CMD_SIZE);
		else if (s->depth)
			control_return(j);
		else
			s->ended = true;
	}
}

__u32 stream_decode(struct job *j, __u32 most, bool strict)
{
	struct stream *s = &j->stream;
	__u32 n = 0;

	while (n < most && !s->ended && decode_one(j, strict)) {
		n++;
		if (unlikely(s->pc >= s->records))
			end_of_stream(j);
	}
	return n;
}
