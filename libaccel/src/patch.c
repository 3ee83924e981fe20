// SPDX-License-Identifier: MIT
/*
 * Words for what PATCH does, and for a rule that a command breaks by it.
 *
 * The device tells the field and the fault, not what its registers were. So the rule is looked for: registers are given
 * what they may have had, until the command breaks a rule in that field with that fault.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "quill/isa_fields.h"

/* The field at byte @offset of a command's records, or NULL. */
static const struct quill_field *accel_field_of(const union quill_cmd *cmd, uint64_t offset)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	uint64_t record = offset / QUILL_CMD_SIZE, at = offset % QUILL_CMD_SIZE;

	if (!op || record > cmd->hdr.ext || record > op->ext_max)
		return NULL;
	return quill_field_at(at < sizeof(cmd->hdr) ? QUILL_RECORD_none : op->record[record], (uint32_t)at);
}

/* "n += r1 * 64, d += r2", of the command at @cmd. */
void accel_describe_patch(const union quill_cmd *patch, const union quill_cmd *cmd, char *text,
			  size_t size)
{
	const __u64 *entry = patch->patch.entry;
	const struct quill_field *f;
	char name[32], times[16];
	size_t len = 0;
	uint32_t i;

	text[0] = '\0';
	for (i = 0; i < QUILL_PATCHES && entry[i] && len < size; i++) {
		int32_t scale = (int32_t)(entry[i] >> QUILL_PATCH_SCALE_SHIFT);

		f = accel_field_of(cmd, 4ull * quill_patch_word(entry[i]));
		if (f && f->offset % QUILL_CMD_SIZE == 4 * quill_patch_word(entry[i]) % QUILL_CMD_SIZE)
			snprintf(name, sizeof(name), "%s", f->name);
		else
			snprintf(name, sizeof(name), "word %u", quill_patch_word(entry[i]));
		snprintf(times, sizeof(times), scale == 1 ? "" : " * %d", scale);
		len += (size_t)snprintf(text + len, size - len, "%s%s += r%u%s", i ? ", " : "", name,
					(uint32_t)entry[i] & QUILL_PATCH_REG_MASK, times);
	}
}

/* @cmd is none that @patch may go before, whatever the registers are. */
bool accel_patch_misplaced(const union quill_cmd *patch, const union quill_cmd *cmd, char *text,
			   size_t size)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	uint32_t words = (1u + cmd->hdr.ext) * (QUILL_CMD_SIZE / 4), i;

	if (cmd->hdr.opcode == QUILL_OP_PATCH) {
		snprintf(text, size, "PATCH: behind a PATCH; required: a command between them");
		return true;
	}
	for (i = 0; op && i < QUILL_PATCHES && patch->patch.entry[i]; i++) {
		if (quill_patch_word(patch->patch.entry[i]) < words)
			continue;
		snprintf(text, size, "%s: the PATCH before it has word %u; required: 4..%u", op->name,
			 quill_patch_word(patch->patch.entry[i]), words - 1);
		return true;
	}
	return false;
}

/*
 * What registers may be, one after the other: @only of the entries (a bit each) with 1, 2, 3, 4, 7, 8, ... 2^31, 2^32 - 1,
 * the others with 0. The words of the first rule that is broken so, or NULL.
 */
static const char *accel_try_registers(const union quill_cmd *patch, const union quill_cmd *cmd,
				       uint32_t records, uint32_t only, uint32_t fault, uint64_t offset)
{
	union quill_cmd own[QUILL_MAX_RECORDS];
	struct quill_check why;
	uint32_t bit, i;

	for (bit = 0; bit < 64; bit++) {
		uint32_t value = (uint32_t)(1ull << (bit / 2 + bit % 2)) - bit % 2;

		memcpy(own, cmd, records * sizeof(*cmd));
		for (i = 0; i < QUILL_PATCHES; i++)
			if (only >> i & 1 && patch->patch.entry[i])
				quill_patch_add(own, patch->patch.entry[i], value);
		if (quill_cmd_check(own, records, &why) == fault &&
		    why.record * (uint64_t)QUILL_CMD_SIZE + why.offset == offset)
			return why.required;
	}
	return NULL;
}

static const char *accel_patched_rule(const union quill_cmd *patch, const union quill_cmd *cmd,
				      uint32_t records, uint32_t fault, uint64_t offset)
{
	const char *words = NULL;
	uint32_t only;

	/* few entries at a time first: what one alone breaks is likelier */
	for (only = 1; !words && only < 1u << QUILL_PATCHES; only <<= 1)
		words = accel_try_registers(patch, cmd, records, only, fault, offset);
	for (only = 1; !words && only < 1u << QUILL_PATCHES; only++)
		words = accel_try_registers(patch, cmd, records, only, fault, offset);
	return words;
}

/*
 * A fault of @cmd, which the control processor found at @offset of its @records and which the command as it stands does not
 * have. False: PATCH has no part in it.
 */
bool accel_describe_patched(const union quill_cmd *patch, const union quill_cmd *cmd, uint32_t records,
			    uint32_t fault, uint64_t offset, char *text, size_t size)
{
	const struct quill_field *f = accel_field_of(cmd, offset);
	const char *words;
	char sums[160];

	if (!f || records <= cmd->hdr.ext)
		return false;
	words = accel_patched_rule(patch, cmd, 1u + cmd->hdr.ext, fault, offset);
	if (!words)
		return false;
	accel_describe_patch(patch, cmd, sums, sizeof(sums));
	snprintf(text, size, "%s: %s after PATCH (%s); required: %.*s", quill_op_info(cmd->hdr.opcode)->name,
		 f->name, sums, (int)strcspn(words, "|"), words);
	return true;
}
