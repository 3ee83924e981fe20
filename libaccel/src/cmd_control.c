// SPDX-License-Identifier: MIT
/*
 * Encoders: the commands of the control processor.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "quill/isa_fields.h"

static_assert(ACCEL_REGISTERS == QUILL_REGISTERS && ACCEL_PATCHES == QUILL_PATCHES &&
	      ACCEL_LOOP_STOPS == QUILL_LOOP_STOPS, "limits of accel.h are those of isa.h");

int accel_cmd_nop(struct accel_stream *stream, const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_cmd_header(&cmd, QUILL_OP_NOP, opts);
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_fence(struct accel_stream *stream, const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	accel_cmd_header(&cmd, QUILL_OP_FENCE, opts);
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_sem_wait(struct accel_stream *stream, uint32_t sem, uint32_t value)
{
	union quill_cmd cmd;

	if (!sem || sem >= QUILL_SEMAPHORES)
		return accel_error(stream->vm->dev, -EINVAL, "SEM_WAIT: sem is %u; required: 1..%u",
				   sem, QUILL_SEMAPHORES - 1);
	accel_cmd_header(&cmd, QUILL_OP_SEM_WAIT, NULL);
	cmd.hdr.wait_sem = (uint8_t)sem;
	cmd.hdr.wait_value = value;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_sem_signal(struct accel_stream *stream, uint32_t sem,
			 const struct accel_cmd_opts *opts)
{
	union quill_cmd cmd;

	if (!sem || sem >= QUILL_SEMAPHORES)
		return accel_error(stream->vm->dev, -EINVAL, "SEM_SIGNAL: sem is %u; required: "
				   "1..%u", sem, QUILL_SEMAPHORES - 1);
	if (opts && opts->signal_sem)
		return accel_error(stream->vm->dev, -EINVAL, "SEM_SIGNAL: opts->signal_sem is %u; "
				   "required: 0, since sem says what to signal", opts->signal_sem);
	accel_cmd_header(&cmd, QUILL_OP_SEM_SIGNAL, opts);
	cmd.hdr.signal_sem = (uint8_t)sem;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_jump(struct accel_stream *stream, uint32_t record)
{
	union quill_cmd cmd;

	accel_cmd_header(&cmd, QUILL_OP_JUMP, NULL);
	cmd.jump.target = (uint64_t)record * QUILL_CMD_SIZE;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_call(struct accel_stream *stream, const struct accel_stream *callee)
{
	struct accel_device *dev = stream->vm->dev;
	union quill_cmd cmd;

	if (callee->vm != stream->vm)
		return accel_error(dev, -EINVAL, "CALL: the callee is of vm %u; required: the "
				   "stream's, vm %u", callee->vm->id, stream->vm->id);
	if (!callee->count || callee->jump_end > callee->count || callee->patches)
		return accel_error(dev, -EINVAL, "CALL: the callee has %u records%s; required: a "
				   "stream that is complete", callee->count,
				   callee->patches ? " and ends with a PATCH" : "");
	accel_cmd_header(&cmd, QUILL_OP_CALL, NULL);
	cmd.call.stream = callee->buf.va;
	cmd.call.size = callee->count * QUILL_CMD_SIZE;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_loop(struct accel_stream *stream, const struct accel_loop *loop)
{
	union quill_cmd cmd;
	int ret;

	ret = accel_check_u16(stream, "LOOP", "reg", loop->reg, QUILL_REGISTERS - 1);
	if (!ret)
		ret = accel_check_u16(stream, "LOOP", "stops", loop->stops, QUILL_LOOP_STOPS);
	if (ret)
		return ret;

	accel_cmd_header(&cmd, QUILL_OP_LOOP, NULL);
	cmd.loop.target = (uint64_t)loop->record * QUILL_CMD_SIZE;
	cmd.loop.word = loop->word;
	cmd.loop.limit = loop->limit;
	cmd.loop.reg = (uint16_t)loop->reg;
	cmd.loop.stops = (uint16_t)loop->stops;
	memcpy(cmd.loop.stop, loop->stop, sizeof(cmd.loop.stop));
	return accel_stream_emit(stream, &cmd, 1);
}

static int accel_cmd_register(struct accel_stream *stream, uint16_t op, uint32_t reg,
			      uint32_t value, uint64_t word, uint32_t max)
{
	union quill_cmd cmd;
	int ret;

	ret = accel_check_u16(stream, "SET", "reg", reg, QUILL_REGISTERS - 1);
	if (ret)
		return ret;
	accel_cmd_header(&cmd, QUILL_OP_SET, NULL);
	cmd.set.op = op;
	cmd.set.reg = (uint16_t)reg;
	cmd.set.value = value;
	cmd.set.word = word;
	cmd.set.max = max;
	return accel_stream_emit(stream, &cmd, 1);
}

int accel_cmd_set(struct accel_stream *stream, uint32_t reg, uint32_t value)
{
	return accel_cmd_register(stream, QUILL_SET_VALUE, reg, value, 0, 0);
}

int accel_cmd_add(struct accel_stream *stream, uint32_t reg, uint32_t value)
{
	return accel_cmd_register(stream, QUILL_SET_ADD, reg, value, 0, 0);
}

int accel_cmd_load(struct accel_stream *stream, uint32_t reg, uint64_t word, uint32_t max)
{
	return accel_cmd_register(stream, QUILL_SET_LOAD, reg, 0, word, max);
}

int accel_cmd_patch(struct accel_stream *stream, const struct accel_patch *patches,
		    unsigned int count)
{
	struct accel_device *dev = stream->vm->dev;
	unsigned int i;

	if (stream->patches)
		return accel_error(dev, -EINVAL, "PATCH: the command before is one too; required: "
				   "the command that it is for");
	if (!count || count > QUILL_PATCHES)
		return accel_error(dev, -EINVAL, "PATCH: count is %u; required: 1..%u", count,
				   QUILL_PATCHES);
	for (i = 0; i < count; i++) {
		if (patches[i].reg >= QUILL_REGISTERS)
			return accel_error(dev, -EINVAL, "PATCH: patches[%u].reg is %u; required: "
					   "0..%u", i, patches[i].reg, QUILL_REGISTERS - 1);
		if (!patches[i].field || strlen(patches[i].field) >= sizeof(stream->patch[i].field))
			return accel_error(dev, -EINVAL, "PATCH: patches[%u].field is %s; required: "
					   "a field of the next command", i,
					   patches[i].field ? patches[i].field : "NULL");
	}
	for (i = 0; i < count; i++) {
		stream->patch[i].reg = patches[i].reg;
		stream->patch[i].scale = patches[i].scale;
		strcpy(stream->patch[i].field, patches[i].field);
	}
	stream->patches = count;
	return 0;
}

/* The field of one of the command's records that may be patched: a number of 32 or 64 bits. */
static const struct quill_field *accel_patch_field(const union quill_cmd *cmd, const char *name,
						   unsigned int *record)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	const struct quill_field *f;

	*record = 0;
	if (!strcmp(name, "wait_value"))
		return quill_field_named(QUILL_RECORD_none, name);
	for (; *record <= cmd->hdr.ext; (*record)++) {
		f = quill_field_named(op->record[*record], name);
		if (f)
			return f->kind != QUILL_KIND_ZERO && (f->size == 4 || f->size == 8) ? f : NULL;
	}
	return NULL;
}

/* The PATCH that goes before @cmd, from the names that accel_cmd_patch() was given. */
int accel_patch_encode(struct accel_stream *stream, const union quill_cmd *cmd,
		       union quill_cmd *patch)
{
	const struct quill_field *f;
	unsigned int i, record;

	accel_cmd_header(patch, QUILL_OP_PATCH, NULL);
	for (i = 0; i < stream->patches; i++) {
		f = accel_patch_field(cmd, stream->patch[i].field, &record);
		if (!f)
			return accel_error(stream->vm->dev, -EINVAL, "PATCH: %s; required: a field of "
					   "%s with 32 or 64 bits", stream->patch[i].field,
					   quill_op_info(cmd->hdr.opcode)->name);
		patch->patch.entry[i] =
			quill_patch_entry(stream->patch[i].reg,
					  (record * QUILL_CMD_SIZE + f->offset) / 4, f->size == 8,
					  stream->patch[i].scale);
	}
	return 0;
}
