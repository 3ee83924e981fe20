// SPDX-License-Identifier: MIT
/*
 * Commands as text and as JSON: every field by its name, from the lists in isa.h, so that a new command prints by being
 * in the table. Both forms hold all that the records do: fields that are left out are zero.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "quill/isa_fields.h"

#define ACCEL_COUNT(a)	(sizeof(a) / sizeof((a)[0]))

struct accel_printer {
	FILE *out;
	bool json;
	/* Something stands before, in the line or the object. */
	bool some;
};

/* Bytes of an element: lists name arrays like single fields. */
uint32_t accel_field_element(const struct quill_field *f)
{
	if (f->size <= sizeof(uint64_t))
		return f->size;
	return f->kind == QUILL_KIND_SIGNED || f->kind == QUILL_KIND_REAL ? 4 : 8;
}

static uint64_t accel_element(const union quill_cmd *cmd, uint32_t offset, uint32_t size)
{
	uint64_t value = 0;

	/* Little endian, as is every processor that the device is built for. */
	memcpy(&value, (const char *)cmd + offset, size);
	return value;
}

static void accel_print_name(struct accel_printer *p, const char *name)
{
	if (p->json)
		fprintf(p->out, "%s\"%s\": ", p->some ? ", " : "", name);
	else
		fprintf(p->out, "%s%s=", p->some ? " " : "", name);
	p->some = true;
}

/* A number whose digits are hexadecimal is a string in JSON, which has no such numbers, nor any of 64 bits. */
static void accel_print_hex(struct accel_printer *p, uint64_t value)
{
	fprintf(p->out, p->json ? "\"0x%" PRIx64 "\"" : "0x%" PRIx64, value);
}

/* A number that has a name, or bits of which some have: "A|B|0x80". False: @value has none. */
static bool accel_print_names(struct accel_printer *p, const struct quill_field *f, uint64_t value)
{
	const char *quote = p->json ? "\"" : "", *before = quote;
	const struct quill_name *n = quill_names;
	uint64_t rest = value;

	for (; (n = quill_field_name(f, n)); n++) {
		if (f->kind == QUILL_KIND_WORD ? !(value & n->value) : value != n->value)
			continue;
		fprintf(p->out, "%s%s", before, n->name);
		before = "|";
		rest &= ~(uint64_t)n->value;
	}
	if (before == quote)
		return false;
	if (rest)
		fprintf(p->out, "|0x%" PRIx64, rest);
	fputs(quote, p->out);
	return true;
}

static void accel_print_element(struct accel_printer *p, const struct quill_field *f, uint64_t value,
				uint32_t size)
{
	uint32_t bits = (uint32_t)value, shift = 64 - 8 * size;
	float real;

	if (accel_print_names(p, f, value))
		return;
	switch (f->kind) {
	case QUILL_KIND_SIGNED:
		fprintf(p->out, "%" PRId64, (int64_t)(value << shift) >> shift);
		break;
	case QUILL_KIND_REAL:
		memcpy(&real, &bits, sizeof(real));
		accel_print_hex(p, value);
		if (!p->json)
			fprintf(p->out, "(%g)", (double)real);
		break;
	case QUILL_KIND_DIM:
	case QUILL_KIND_STRIDE:
	case QUILL_KIND_NUMBER:
		fprintf(p->out, "%" PRIu64, value);
		break;
	default:
		accel_print_hex(p, value);
		break;
	}
}

static bool accel_is_zero(const union quill_cmd *cmd, const struct quill_field *f)
{
	uint32_t i;

	for (i = 0; i < f->size; i++)
		if (((const uint8_t *)cmd)[f->offset + i])
			return false;
	return true;
}

static void accel_print_field(struct accel_printer *p, const union quill_cmd *cmd,
			      const struct quill_field *f)
{
	uint32_t size = accel_field_element(f), at;

	accel_print_name(p, f->name);
	if (f->size == size) {
		accel_print_element(p, f, accel_element(cmd, f->offset, size), size);
		return;
	}
	fputc('[', p->out);
	for (at = 0; at < f->size; at += size) {
		if (at)
			fputs(p->json ? ", " : ",", p->out);
		accel_print_element(p, f, accel_element(cmd, f->offset + at, size), size);
	}
	fputc(']', p->out);
}

/* The next field of a record's body, from @f on: what is reserved only where it is not zero, as it should be. */
static const struct quill_field *accel_body_field(const union quill_cmd *cmd, uint32_t record,
						  const struct quill_field *f)
{
	for (; f < quill_fields + QUILL_FIELD_COUNT; f++)
		if (f->record == record && (f->kind != QUILL_KIND_ZERO || !accel_is_zero(cmd, f)))
			return f;
	return NULL;
}

static void accel_print_body(struct accel_printer *p, const union quill_cmd *cmd, uint32_t record)
{
	const struct quill_field *f = quill_fields;

	while ((f = accel_body_field(cmd, record, f)))
		accel_print_field(p, cmd, f++);
}

/* The header but for the opcode: what is not zero. */
static void accel_print_header(struct accel_printer *p, const union quill_cmd *cmd)
{
	const struct quill_field *f;

	for (f = quill_fields; f < quill_fields + QUILL_FIELD_COUNT; f++)
		if (f->record == QUILL_RECORD_none && f->offset && !accel_is_zero(cmd, f))
			accel_print_field(p, cmd, f);
}

/* What no list of fields speaks of, as eight words. */
static void accel_print_raw(struct accel_printer *p, const union quill_cmd *cmd)
{
	uint32_t i;

	accel_print_name(p, "raw");
	fputc('[', p->out);
	for (i = 0; i < ACCEL_COUNT(cmd->raw); i++) {
		if (i)
			fputs(p->json ? ", " : ",", p->out);
		accel_print_hex(p, cmd->raw[i]);
	}
	fputc(']', p->out);
}

/* What is said of a command beside its fields; each may be NULL. */
struct accel_remarks {
	/* what the PATCH before it does, and what it would break without */
	const char *patch, *unpatched;
	const char *error;
};

static void accel_print_text(struct accel_printer *p, const union quill_cmd *cmd, uint32_t at,
			     uint32_t records, const struct accel_remarks *remarks)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	uint32_t i;

	fprintf(p->out, "%6u  %-10s ", at, op ? op->name : "?");
	p->some = false;
	if (op)
		accel_print_header(p, cmd);
	else
		accel_print_raw(p, cmd);
	for (i = 0; op && i < records; i++) {
		if (i || (p->some && accel_body_field(cmd, op->record[0], quill_fields))) {
			fprintf(p->out, "\n%18s", "");
			p->some = false;
		}
		if (i) {
			fprintf(p->out, "+%u ", i);
			accel_print_header(p, &cmd[i]);
		}
		accel_print_body(p, &cmd[i], op->record[i]);
	}
	fputc('\n', p->out);
	if (remarks->patch)
		fprintf(p->out, "        ~ %s\n", remarks->patch);
	if (remarks->unpatched)
		fprintf(p->out, "        ~ with registers of 0: %s\n", remarks->unpatched);
	if (remarks->error)
		fprintf(p->out, "        ^ %s\n", remarks->error);
}

static void accel_print_json(struct accel_printer *p, const union quill_cmd *cmd, uint32_t at,
			     uint32_t records, const struct accel_remarks *remarks)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	uint32_t i;

	fprintf(p->out, "{\"record\": %u", at);
	p->some = true;
	if (op) {
		fprintf(p->out, ", \"opcode\": \"%s\"", op->name);
		accel_print_header(p, cmd);
		accel_print_body(p, cmd, op->record[0]);
		for (i = 1; i < records; i++) {
			fprintf(p->out, "%s{", i == 1 ? ", \"extensions\": [" : ", ");
			p->some = false;
			accel_print_header(p, &cmd[i]);
			accel_print_body(p, &cmd[i], op->record[i]);
			fputc('}', p->out);
		}
		fputs(records > 1 ? "]" : "", p->out);
	} else {
		accel_print_raw(p, cmd);
	}
	if (remarks->patch)
		fprintf(p->out, ", \"patch\": \"%s\"", remarks->patch);
	if (remarks->unpatched)
		fprintf(p->out, ", \"unpatched\": \"%s\"", remarks->unpatched);
	if (remarks->error)
		fprintf(p->out, ", \"error\": \"%s\"", remarks->error);
	fputc('}', p->out);
}

/* Records that belong to the command at @cmd, of @left. */
static uint32_t accel_command_records(const union quill_cmd *cmd, uint32_t left)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	uint32_t n = 1;

	while (op && n <= cmd->hdr.ext && n <= op->ext_max && n < left &&
	       cmd[n].hdr.opcode == QUILL_OP_EXT)
		n++;
	return n;
}

/* What the command at @at breaks, or NULL; of one behind a @patch, only what no register can mend. */
static const char *accel_wrong(const union quill_cmd *cmds, uint32_t at, uint32_t count,
			       const union quill_cmd *patch, struct accel_remarks *remarks, char *text,
			       size_t size)
{
	struct quill_check why;

	if (patch && accel_patch_misplaced(patch, &cmds[at], text, size))
		return text;
	if (cmds[at].hdr.opcode == QUILL_OP_PATCH && at + 1 == count) {
		snprintf(text, size, "PATCH: the last record; required: a command behind it");
		return text;
	}
	if (!quill_cmd_check(&cmds[at], count - at, &why))
		return NULL;
	accel_describe_cmd(&cmds[at], &why, text, size);
	if (!patch)
		return text;
	remarks->unpatched = text;
	return NULL;
}

int accel_stream_print(FILE *out, const void *records, uint32_t count, bool json)
{
	const union quill_cmd *cmds = records, *patch = NULL;
	struct accel_printer p = { .out = out, .json = json };
	char error[ACCEL_ERROR_MAX], sums[160];
	uint32_t at, n;
	int wrong = 0;

	if (json)
		fputc('[', out);
	for (at = 0; at < count; at += n) {
		struct accel_remarks remarks = { 0 };

		n = accel_command_records(&cmds[at], count - at);
		if (patch) {
			accel_describe_patch(patch, &cmds[at], sums, sizeof(sums));
			remarks.patch = sums;
		}
		remarks.error = accel_wrong(cmds, at, count, patch, &remarks, error, sizeof(error));
		wrong += !!remarks.error;
		patch = cmds[at].hdr.opcode == QUILL_OP_PATCH ? &cmds[at] : NULL;
		if (json) {
			fputs(at ? ",\n " : "", out);
			accel_print_json(&p, &cmds[at], at, n, &remarks);
		} else {
			accel_print_text(&p, &cmds[at], at, n, &remarks);
		}
	}
	if (json)
		fputs("]\n", out);
	return ferror(out) ? -EIO : wrong;
}
