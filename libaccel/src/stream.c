// SPDX-License-Identifier: MIT
/*
 * Streams: commands, one behind the other, in memory that the device reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static_assert(ACCEL_RECORD_SIZE == QUILL_CMD_SIZE, "a record is a record");
static_assert(sizeof(union quill_cmd) == QUILL_CMD_SIZE, "isa.h");

int accel_stream_create(struct accel_vm *vm, uint32_t max_records, struct accel_stream **out)
{
	uint32_t limit = vm->dev->max_stream_size / QUILL_CMD_SIZE;
	struct accel_stream *stream;
	int ret;

	if (!max_records || max_records > limit)
		return accel_error(vm->dev, -EINVAL, "accel_stream_create: max_records is %u; "
				   "required: 1..%u", max_records, limit);

	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return accel_error(vm->dev, -ENOMEM, "accel_stream_create: no memory");
	ret = accel_buffer_create(vm, (size_t)max_records * QUILL_CMD_SIZE, &stream->buf);
	if (ret) {
		free(stream);
		return ret;
	}
	atomic_init(&stream->refs, 1);
	stream->vm = accel_vm_get(vm);
	stream->cmds = stream->buf.ptr;
	stream->max = max_records;
	*out = stream;
	return 0;
}

struct accel_stream *accel_stream_get(struct accel_stream *stream)
{
	atomic_fetch_add(&stream->refs, 1);
	return stream;
}

void accel_stream_destroy(struct accel_stream *stream)
{
	if (!stream || atomic_fetch_sub(&stream->refs, 1) != 1)
		return;
	accel_buffer_destroy(&stream->buf);
	accel_vm_destroy(stream->vm);
	free(stream);
}

void accel_stream_reset(struct accel_stream *stream)
{
	stream->count = 0;
	stream->jump_end = 0;
	stream->patches = 0;
	stream->generation++;
}

uint32_t accel_stream_records(const struct accel_stream *stream)
{
	return stream->count;
}

uint64_t accel_stream_va(const struct accel_stream *stream)
{
	return stream->buf.va;
}

const void *accel_stream_data(const struct accel_stream *stream)
{
	return stream->cmds;
}

/* Records that the command takes must be those at hand: a surplus would be lost without a word. */
static int accel_stream_check_count(struct accel_stream *stream, const union quill_cmd *cmd,
				    uint32_t count)
{
	const struct quill_op_info *op = count ? quill_op_info(cmd->hdr.opcode) : NULL;
	struct accel_device *dev = stream->vm->dev;

	uint32_t most = 1;

	if (op)
		most += cmd->hdr.ext > op->ext && cmd->hdr.ext <= op->ext_max ? cmd->hdr.ext : op->ext;
	if (!count || count > most)
		return accel_error(dev, -EINVAL, "%s: %u records given; required: %u",
				   op ? op->name : "command", count, most);
	if (stream->patches)
		count++;
	if (count > stream->max - stream->count)
		return accel_error(dev, -ENOSPC, "%s: the stream has %u of %u records; required: "
				   "room for %u more", op ? op->name : "command", stream->count,
				   stream->max, count);
	return 0;
}

/* A place in the stream where JUMP or LOOP goes; it may be still to come, up to what the stream has room for. */
static int accel_stream_target(struct accel_stream *stream, const union quill_cmd *cmd)
{
	uint64_t target;

	if (cmd->hdr.opcode == QUILL_OP_JUMP)
		target = cmd->jump.target / QUILL_CMD_SIZE;
	else if (cmd->hdr.opcode == QUILL_OP_LOOP)
		target = cmd->loop.target / QUILL_CMD_SIZE;
	else
		return 0;
	if (target >= stream->max)
		return accel_error(stream->vm->dev, -EINVAL, "%s: to record %llu; required: below the "
				   "stream's %u records", quill_op_info(cmd->hdr.opcode)->name,
				   (unsigned long long)target, stream->max);
	if (target >= stream->jump_end)
		stream->jump_end = (uint32_t)target + 1;
	return 0;
}

static int accel_stream_append(struct accel_stream *stream, const void *records, uint32_t count)
{
	union quill_cmd cmd[1 + QUILL_MAX_RECORDS];
	uint32_t at = stream->patches ? 1 : 0;
	char text[ACCEL_ERROR_MAX];
	struct quill_check why;
	int ret;

	ret = accel_stream_check_count(stream, records, count);
	if (ret)
		return ret;

	memset(cmd, 0, sizeof(cmd));
	memcpy(&cmd[at], records, (size_t)count * sizeof(cmd[0]));
	if (quill_cmd_check(&cmd[at], count, &why)) {
		accel_describe_cmd(&cmd[at], &why, text, sizeof(text));
		return accel_error(stream->vm->dev, -EINVAL, "%s", text);
	}
	if (at) {
		ret = accel_patch_encode(stream, &cmd[at], cmd);
		if (ret)
			return ret;
	}
	ret = accel_stream_target(stream, &cmd[at]);
	if (ret)
		return ret;
	memcpy(&stream->cmds[stream->count], cmd, (size_t)(at + count) * sizeof(cmd[0]));
	stream->count += at + count;
	return 0;
}

int accel_stream_emit(struct accel_stream *stream, const void *records, uint32_t count)
{
	int ret = accel_stream_append(stream, records, count);

	/* for this command or for none */
	stream->patches = 0;
	return ret;
}
