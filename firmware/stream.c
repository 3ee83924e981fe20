// SPDX-License-Identifier: MIT
/*
 * The stream: fetched up to a page at a time, each record checked from the copy and
 * executed from the copy, so that nothing is read twice.
 *
 * Commands without an engine (NOP, FENCE, SEM_WAIT, SEM_SIGNAL, JUMP) execute in the decoder: what they wait
 * for holds back decoding. The others go into the window.
 *
 * What has been fetched stays as it is while decoding remains in that page, JUMPs included: a
 * stream that changes itself is not a program.
 */
#include "fw.h"

/* Records decoded between two looks at the admin ring. */
#define BURST	32

static struct {
	__u32 as;
	__u64 addr;
	/* Records of the stream; the next one to decode. */
	__u32 records;
	__u32 pc;
	/* Commands decoded: their order. */
	__u32 order;
	__u32 commands;
	__u32 overhead;
	bool ended;
	__u64 clock;
} stream;

/* Records [first, first + count) of the stream. */
static struct {
	__u32 first;
	__u32 count;
	union quill_cmd record[QUILL_XFER_MAX / QUILL_CMD_SIZE];
} chunk;

void stream_reset(__u32 as, __u64 addr, __u32 size)
{
	stream.as = as;
	stream.addr = addr;
	stream.records = size / QUILL_CMD_SIZE;
	stream.pc = 0;
	stream.order = 0;
	stream.commands = 0;
	stream.overhead = cb_read(QUILL_CB_CMD_OVERHEAD);
	stream.ended = false;
	stream.clock = 0;
	chunk.count = 0;
}

bool stream_ended(void)
{
	return stream.ended;
}

__u64 stream_clock(void)
{
	return stream.clock;
}

__u32 stream_commands(void)
{
	return stream.commands;
}

/* Decoding cannot go on: @cmd is what could not be decoded, if it could be fetched. */
static void fail(const union quill_cmd *cmd, __u32 index, __u32 fault, __u32 access,
		 __u64 address)
{
	struct report r = {
		.fault = fault,
		.order = stream.order,
		.index = index,
		.address = address,
		.access = access,
		.engine = QUILL_ENGINE_FW,
	};

	if (cmd) {
		r.opcode = cmd->hdr.opcode;
		r.cmd_seq = cmd->hdr.seq;
	}
	stream.ended = true;
	job_fault(&r, false);
}

void stream_position(struct report *r)
{
	const union quill_cmd *cmd = &chunk.record[stream.pc - chunk.first];

	r->index = stream.pc < stream.records ? stream.pc : stream.records - 1;
	r->engine = QUILL_ENGINE_FW;
	if (stream.pc - chunk.first < chunk.count) {
		r->opcode = cmd->hdr.opcode;
		r->cmd_seq = cmd->hdr.seq;
	}
}

/* Record @index; NULL if it cannot be fetched, which is then the job's fault. */
static const union quill_cmd *fetch(__u32 index)
{
	__u64 addr = stream.addr + (__u64)index * QUILL_CMD_SIZE;
	__u32 count, fault;

	if (likely(index - chunk.first < chunk.count))
		return &chunk.record[index - chunk.first];

	/* not over the page's end: a page that is not there matters when its turn comes */
	count = (QUILL_PAGE_SIZE - ((__u32)addr & (QUILL_PAGE_SIZE - 1))) / QUILL_CMD_SIZE;
	if (count > stream.records - index)
		count = stream.records - index;
	chunk.count = 0;
	fault = xfer_read(stream.as, addr, chunk.record, count * QUILL_CMD_SIZE);
	if (fault) {
		fail(NULL, index, fault, QUILL_ACCESS_FETCH, xfer_fault_address());
		return NULL;
	}
	chunk.first = index;
	chunk.count = count;
	return &chunk.record[0];
}

/* Nothing but an opcode, and perhaps a mark: the NOP that quill_cmd_check() would accept, word by word. */
static bool is_plain_nop(const union quill_cmd *cmd)
{
	const __u32 *w = (const __u32 *)cmd;

	return w[0] == QUILL_OP_NOP &&
	       !(w[1] | (w[2] & 0xffff) | w[3] | w[4] | w[5] | w[6] | w[7] | w[8] | w[9] |
		 w[10] | w[11] | w[12] | w[13] | w[14] | w[15]);
}

static void report_check(const union quill_cmd *cmd, const struct quill_check *why)
{
	fail(cmd, stream.pc, why->fault, QUILL_ACCESS_READ,
	     why->record * QUILL_CMD_SIZE + why->offset);
}

/* NOP, FENCE, SEM_WAIT, SEM_SIGNAL, JUMP. False: it has to wait, or is at fault. */
static bool execute(const union quill_cmd *cmd, bool strict)
{
	const struct quill_cmd_hdr *h = &cmd->hdr;
	bool ordered = h->opcode == QUILL_OP_FENCE || h->flags & QUILL_CMD_ORDERED;
	struct quill_check why;
	struct sem_wait wait;

	if (quill_cmd_check(cmd, 1, &why)) {
		report_check(cmd, &why);
		return false;
	}
	if (h->opcode == QUILL_OP_JUMP &&
	    cmd->jump.target >= (__u64)stream.records * QUILL_CMD_SIZE) {
		fail(cmd, stream.pc, QUILL_FAULT_JUMP, QUILL_ACCESS_READ,
		     QUILL_OFF(struct quill_cmd_jump, target));
		return false;
	}
	sem_decode_wait(&wait, h);
	if ((ordered && !window_empty()) || !sem_reached(&wait, strict))
		return false;

	stream.clock = max64(stream.clock + stream.overhead, sem_time(&wait, strict));
	if (ordered)
		stream.clock = max64(stream.clock, window_end());
	if (h->signal_sem) {
		sem_issue_signal(h->signal_sem, sem_decode_signal(h->signal_sem), stream.clock);
		sem_retire_signal(h->signal_sem);
	}
	stream.order++;
	stream.commands++;
	if (h->opcode == QUILL_OP_JUMP)
		stream.pc = (__u32)(cmd->jump.target / QUILL_CMD_SIZE);
	else
		stream.pc++;
	return true;
}

/* A command for an engine: into the window. False: it is at fault. */
static bool enqueue(const union quill_cmd *cmd, const struct quill_op_info *op)
{
	struct entry *e = window_slot();
	const union quill_cmd *ext;
	struct quill_check why;
	__u32 records = 1;

	/* one that claims more extensions than it may have is refused with those that it may */
	e->cmd[0] = *cmd;
	for (; records <= e->cmd[0].hdr.ext && records <= op->ext_max; records++) {
		if (stream.pc + records >= stream.records)
			break;
		ext = fetch(stream.pc + records);
		if (!ext)
			return false;
		e->cmd[records] = *ext;
	}
	if (quill_cmd_check(e->cmd, records, &why)) {
		report_check(e->cmd, &why);
		return false;
	}

	stream.clock += records * stream.overhead;
	e->ready = stream.clock;
	e->order = stream.order++;
	e->index = stream.pc;
	e->engine = op->engine;
	sem_decode_wait(&e->wait, &e->cmd[0].hdr);
	if (e->cmd[0].hdr.signal_sem)
		e->signal = sem_decode_signal(e->cmd[0].hdr.signal_sem);
	window_push(e);
	stream.pc += records;
	return true;
}

/* False: nothing was decoded. */
static bool decode_one(bool strict)
{
	const struct quill_op_info *op;
	const union quill_cmd *cmd;

	if (!window_room(stream.order))
		return false;
	cmd = fetch(stream.pc);
	if (!cmd)
		return false;
	if (is_plain_nop(cmd)) {
		stream.clock += stream.overhead;
		stream.order++;
		stream.commands++;
		stream.pc++;
		return true;
	}
	op = quill_op_info(cmd->hdr.opcode);
	if (op && op->engine != QUILL_ENGINE_FW)
		return enqueue(cmd, op);
	return execute(cmd, strict);
}

bool stream_decode(bool strict)
{
	__u32 n = 0;

	while (n < (strict ? BURST : 1) && !stream.ended && decode_one(strict)) {
		n++;
		if (stream.pc >= stream.records)
			stream.ended = true;
	}
	return n;
}
