// SPDX-License-Identifier: MIT
/*
 * Words for what was wrong: with a command while it is encoded, and with a job on the device.
 *
 * isa_check.h says which field of which record broke a rule and what it must be; the lists of fields in isa.h say
 * what the field is called.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "quill/isa_fields.h"

#define ACCEL_COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Of an array, the first. */
static uint64_t accel_field_value(const union quill_cmd *cmd, const struct quill_field *f)
{
	uint64_t value = 0;

	/* Little endian, as is every processor that the device is built for. */
	memcpy(&value, (const char *)cmd + f->offset, accel_field_element(f));
	return value;
}

static void accel_print_value(char *text, size_t size, const struct quill_field *f, uint64_t value)
{
	uint32_t shift = 64 - 8 * accel_field_element(f);

	if (f->kind == QUILL_KIND_ADDR || f->kind == QUILL_KIND_REAL || f->kind == QUILL_KIND_WORD)
		snprintf(text, size, "0x%llx", (unsigned long long)value);
	else if (f->kind == QUILL_KIND_SIGNED)
		snprintf(text, size, "%d", (int32_t)((int64_t)(value << shift) >> shift));
	else
		snprintf(text, size, "%llu", (unsigned long long)value);
}

/* @cmd has the extension records behind it that @why speaks of. */
void accel_describe_cmd(const union quill_cmd *cmd, const struct quill_check *why, char *text,
			size_t size)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	const char *words = why->required ? why->required : "what isa.h says";
	const struct quill_field *f = NULL, *other = NULL;
	const char *name = op ? op->name : "command";
	int len = (int)strcspn(words, "|");
	char found[32], beside[64] = "";

	if (why->offset < sizeof(cmd->hdr))
		f = quill_field_at(QUILL_RECORD_none, why->offset);
	else if (op)
		f = quill_field_at(op->record[why->record], why->offset);
	if (!f || f->kind == QUILL_KIND_ZERO) {
		snprintf(text, size, "%s: byte %u of record %u is 0x%02x; required: %.*s", name,
			 why->offset, why->record, ((const uint8_t *)&cmd[why->record])[why->offset],
			 len, words);
		return;
	}

	if (words[len])
		other = quill_field_named(QUILL_RECORD_none, words + len + 1);
	if (words[len] && !other && op)
		other = quill_field_named(op->record[0], words + len + 1);
	if (other)
		snprintf(beside, sizeof(beside), " (%s is %llu)", other->name,
			 (unsigned long long)accel_field_value(cmd, other));
	accel_print_value(found, sizeof(found), f, accel_field_value(&cmd[why->record], f));
	snprintf(text, size, "%s: %s is %s; required: %.*s%s", name, f->name, found, len, words,
		 beside);
}

/* ---- Faults of jobs ---- */

static const struct {
	uint32_t fault;
	const char *text;
} accel_fault_texts[] = {
	{ QUILL_FAULT_UNMAPPED, "nothing is bound there" },
	{ QUILL_FAULT_READ_PERM, "the bind does not permit reading" },
	{ QUILL_FAULT_WRITE_PERM, "the bind is read-only" },
	{ QUILL_FAULT_PTE, "malformed page-table entry" },
	{ QUILL_FAULT_ADDRESS, "beyond 48 bits, or outside the scratchpad" },
	{ QUILL_FAULT_BUS, "the host refused the access: no memory there" },
	{ QUILL_FAULT_AS, "the address space is not enabled" },
	{ QUILL_FAULT_OPCODE, "unknown opcode or version" },
	{ QUILL_FAULT_RESERVED, "a reserved field is not 0" },
	{ QUILL_FAULT_FLAGS, "a flag that the opcode does not have" },
	{ QUILL_FAULT_TYPE, "a data type that the opcode does not take" },
	{ QUILL_FAULT_SHAPE, "a dimension out of range" },
	{ QUILL_FAULT_STRIDE, "a stride smaller than its row" },
	{ QUILL_FAULT_ALIGN, "a misaligned address" },
	{ QUILL_FAULT_RANGE, "an operand beyond 48 bits" },
	{ QUILL_FAULT_EXT, "extension record missing, superfluous or misplaced" },
	{ QUILL_FAULT_SEMAPHORE, "semaphore out of range" },
	{ QUILL_FAULT_PARAM, "a parameter out of range" },
	{ QUILL_FAULT_STREAM, "the stream is empty, misaligned, or is read past its end" },
	{ QUILL_FAULT_DEADLOCK, "every engine waits for a semaphore that no command will signal" },
	{ QUILL_FAULT_JUMP, "jump out of the stream" },
	{ QUILL_FAULT_TIMEOUT, "an engine did not come to an end with a command in time" },
	{ QUILL_FAULT_CALL, "streams call one another more than 8 deep" },
	{ QUILL_FAULT_KILLED, "the driver ended the job" },
	{ QUILL_FAULT_RING, "malformed job descriptor: a bug of the driver" },
	{ QUILL_FAULT_INTERNAL, "the firmware broke a rule of the hardware: a bug of it" },
};

static const char *accel_fault_text(uint32_t fault)
{
	size_t i;

	for (i = 0; i < ACCEL_COUNT(accel_fault_texts); i++)
		if (accel_fault_texts[i].fault == fault)
			return accel_fault_texts[i].text;
	return "a fault that this library does not know";
}

static const char *accel_access_text(uint32_t access)
{
	static const char *const texts[] = { "read", "write", "fetch" };

	return access < ACCEL_COUNT(texts) ? texts[access] : "access";
}

static const char *accel_engine_text(uint32_t engine)
{
	static const char *const texts[] = { "TENSOR", "VECTOR", "DMA", "control processor" };

	return engine < ACCEL_COUNT(texts) ? texts[engine] : "unknown engine";
}

/* @cmd: the command at fault and @records from it on, if the stream still has it; @patch: the PATCH before it; else NULL. */
void accel_describe_fault(const struct drm_quill_queue_query *fault, const union quill_cmd *cmd,
			  uint32_t records, const union quill_cmd *patch, char *text, size_t size)
{
	const struct quill_op_info *op = cmd ? quill_op_info(cmd->hdr.opcode) : NULL;
	const char *name = op ? op->name : "opcode unknown";
	struct quill_check why = { 0 };
	char field[ACCEL_ERROR_MAX / 2];

	if (fault->fault_elapsed_ms) {
		snprintf(text, size, "it ran for %u ms, its queue's limit is %u ms; it was at command "
			 "%u (%s)", fault->fault_elapsed_ms, fault->timeout_ms,
			 fault->fault_command, name);
	} else if (fault->fault_status && fault->fault_status < QUILL_FAULT_OPCODE) {
		snprintf(text, size, "command %u (%s): %s by %s at device address 0x%llx: %s",
			 fault->fault_command, name, accel_access_text(fault->fault_access),
			 accel_engine_text(fault->fault_engine),
			 (unsigned long long)fault->fault_addr,
			 accel_fault_text(fault->fault_status));
	} else if (cmd && quill_cmd_check(cmd, records, &why)) {
		accel_describe_cmd(cmd, &why, field, sizeof(field));
		snprintf(text, size, "command %u is malformed: %s", fault->fault_command, field);
	} else if (cmd && patch && fault->fault_engine == QUILL_ENGINE_FW &&
		   accel_describe_patched(patch, cmd, records, fault->fault_status, fault->fault_addr,
					  field, sizeof(field))) {
		snprintf(text, size, "command %u is malformed: %s", fault->fault_command, field);
	} else {
		snprintf(text, size, "command %u (%s): %s (0x%llx)", fault->fault_command, name,
			 accel_fault_text(fault->fault_status),
			 (unsigned long long)fault->fault_addr);
	}
}
