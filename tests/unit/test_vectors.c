// SPDX-License-Identifier: MIT
/*
 * tests/vectors: the files are what their tables make, every vector holds with every set of kernels wherever its memory
 * lies, and every command in every mode has one. tests/vectors/README.md says how to add one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "quill/isa_fields.h"
#include "vectors.h"

/* Far from where vectors have their memory. */
#define STREAM_VA	0x7f0000000000ull

static char *file_text(const struct vector_file *file)
{
	char path[64], *text;
	long size;
	FILE *f;

	snprintf(path, sizeof(path), "tests/vectors/%s", file->name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: cannot be read; \"make vectors\" makes it", path);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	text = calloc(1, (size_t)size + 1);
	assert_int_equal(fread(text, 1, (size_t)size, f), size);
	fclose(f);
	return text;
}

/* Call @fn for every vector of every file. */
static void for_every_vector(void (*fn)(void *arg, const struct vector_script *s), void *arg)
{
	struct vector_script s;
	const char *at, *error;
	char *text;
	unsigned int i;

	for (i = 0; i < vector_file_count; i++) {
		text = file_text(vector_files[i]);
		for (at = text; vector_read(&at, &s, &error); vector_script_free(&s))
			fn(arg, &s);
		if (error)
			fail_msg("%s: vector \"%s\": %s", vector_files[i]->name, s.name, error);
		free(text);
	}
}

static void files_are_what_their_tables_make(void **state)
{
	unsigned int i, line;
	char *is, *must, *a, *b;

	for (i = 0; i < vector_file_count; i++) {
		is = file_text(vector_files[i]);
		must = vector_file_text(vector_files[i]);
		for (a = is, b = must, line = 1; *a && *a == *b; a++, b++)
			line += *a == '\n';
		if (*a != *b)
			fail_msg("%s, line %u: not what the tables make; \"make vectors\" makes it anew",
				 vector_files[i]->name, line);
		free(is);
		free(must);
	}
}

/* ---- Running ---- */

struct runner {
	struct quill_host_config config;
	struct quill_host *h;
	unsigned int vectors, ran;
};

static void expect_region(const struct runner *r, const struct vector_script *s, unsigned int region,
			  const struct qh_buf *buf)
{
	const uint8_t *want = s->region[region].out ? s->region[region].out : s->region[region].in;
	uint32_t at;

	for (at = 0; at < buf->size; at++)
		if (buf->ptr[at] != (want ? want[at] : UNTOUCHED))
			fail_msg("%s, %s%s: byte %u at 0x%llx is %02x, expected %02x", s->name,
				 r->config.emu.kernels, r->config.scatter ? ", scattered" : "", at,
				 (unsigned long long)buf->va, buf->ptr[at], want ? want[at] : UNTOUCHED);
}

static void run_vector(void *arg, const struct vector_script *s)
{
	struct qh_buf *buf[VECTOR_MAX_REGIONS], *stream;
	struct runner *r = arg;
	struct quill_job_cpl cpl;
	unsigned int i;
	uint32_t as;

	/* a device has few address spaces; each vector has one to itself */
	if (r->vectors++ % 48 == 0) {
		if (r->h)
			qh_destroy(r->h);
		r->h = qh_create(&r->config);
	}
	as = qh_as_create(r->h);
	stream = qh_alloc_at(r->h, as, STREAM_VA, sizeof(s->cmd), QH_R);
	memcpy(stream->ptr, s->cmd, s->records * QUILL_CMD_SIZE);
	for (i = 0; i < s->regions; i++) {
		buf[i] = qh_alloc_at(r->h, as, s->region[i].va, s->region[i].size,
				     s->region[i].out ? QH_RW : QH_R);
		memset(buf[i]->ptr, UNTOUCHED, buf[i]->size);
		if (s->region[i].in)
			memcpy(buf[i]->ptr, s->region[i].in, buf[i]->size);
	}

	assert_int_equal(qh_queue_create(r->h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 2), 0);
	if (!qh_wait(r->h, 0, qh_submit(r->h, 0, STREAM_VA, s->records * QUILL_CMD_SIZE, 1),
		     QH_TIMEOUT_MS, &cpl))
		fail_msg("%s: does not end", s->name);
	assert_int_equal(qh_queue_destroy(r->h, 0), 0);
	if (cpl.status)
		fail_msg("%s, %s: fault %u at command %u, address 0x%llx", s->name,
			 r->config.emu.kernels, cpl.status, cpl.command,
			 (unsigned long long)cpl.address);
	for (i = 0; i < s->regions; i++)
		expect_region(r, s, i, buf[i]);
	r->ran++;
}

/* The whole device: firmware, issue port, translation, executors, kernels. */
static void run_all(const char *kernels)
{
	unsigned int scatter;

	if (!quill_engine_get(kernels)) {
		print_message("# %s: this processor has it not\n", kernels);
		skip();
	}
	for (scatter = 0; scatter < 2; scatter++) {
		struct runner r = { .config = {
			.emu = { .profile = "unit", .threads = 1 + scatter, .kernels = kernels },
			.scatter = scatter,
		} };

		for_every_vector(run_vector, &r);
		qh_destroy(r.h);
		assert_in_range(r.ran, 100, 100000);
	}
}

static void vectors_hold_with_scalar_kernels(void **state)
{
	run_all("scalar");
}

static void vectors_hold_with_avx2_kernels(void **state)
{
	run_all("avx2");
}

static void vectors_hold_with_avx512_kernels(void **state)
{
	run_all("avx512");
}

/* ---- What has a vector ---- */

#define SEE	" (tests/vectors/README.md)"

/* Values that modes are looked for among. */
#define VALUES	32

static struct {
	bool seen, flag[16], ext[QUILL_MAX_RECORDS], types[VALUES][VALUES][VALUES];
} seen[QUILL_OP_EXT];

/* A command of these types with @value in a field that is a mode: @field is its place in quill_fields[]. */
static struct mode {
	uint8_t opcode, type_a, type_b, type_d, field, value;
} modes[4096];

static unsigned int mode_count;

/* Of the fields of each command: addresses that were 0 (the operand is absent), or not; bits that were set. */
static struct {
	bool absent, given;
	uint32_t bits;
} fields[QUILL_OP_EXT][QUILL_FIELD_COUNT];

static bool mode_seen(const struct mode *m)
{
	unsigned int i;

	for (i = 0; i < mode_count; i++)
		if (!memcmp(&modes[i], m, sizeof(*m)))
			return true;
	return false;
}

static struct mode mode_of(const struct quill_cmd_hdr *h, uint32_t field, uint32_t value)
{
	return (struct mode){ h->opcode, h->type_a, h->type_b, h->type_d, (uint8_t)field,
			      (uint8_t)value };
}

/* An operation or a mode. Others are a number among many: one is as good as another. */
static bool is_mode(const struct quill_field *f)
{
	return f->kind == QUILL_KIND_NUMBER && f->record != QUILL_RECORD_none &&
	       strcmp(f->name, "reg") && strcmp(f->name, "stops");
}

static bool has_record(const struct quill_op_info *op, const struct quill_field *f, uint32_t *at)
{
	for (*at = 0; *at < QUILL_MAX_RECORDS; ++*at)
		if (op->record[*at] == f->record)
			return true;
	return false;
}

static uint8_t *byte_of(union quill_cmd *cmd, uint32_t record, const struct quill_field *f)
{
	return (uint8_t *)&cmd[record] + f->offset;
}

/* Call @fn for every command of @s. */
static void for_every_command(const struct vector_script *s,
			      void (*fn)(const char *name, const union quill_cmd *cmd))
{
	unsigned int i;

	for (i = 0; i < s->records; i += 1 + s->cmd[i].hdr.ext)
		fn(s->name, &s->cmd[i]);
}

/* Extension records that are left out are @own's zeros: what they would have is absent. */
static void note_field(union quill_cmd *own, uint32_t field)
{
	const struct quill_field *f = &quill_fields[field];
	uint64_t value = 0;
	uint32_t at;

	if (!has_record(quill_op_info(own->hdr.opcode), f, &at))
		return;
	memcpy(&value, byte_of(own, at, f), f->size < sizeof(value) ? f->size : sizeof(value));
	if (value)
		fields[own->hdr.opcode][field].given = true;
	else
		fields[own->hdr.opcode][field].absent = true;
	fields[own->hdr.opcode][field].bits |= (uint32_t)value;
}

static void note_command(const char *name, const union quill_cmd *cmd)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	union quill_cmd own[QUILL_MAX_RECORDS] = { 0 };
	struct mode m;
	uint32_t i, at;

	assert_non_null(op);
	memcpy(own, cmd, (1 + cmd->hdr.ext) * sizeof(*cmd));
	seen[op->opcode].seen = true;
	seen[op->opcode].ext[cmd->hdr.ext] = true;
	seen[op->opcode].types[cmd->hdr.type_a][cmd->hdr.type_b][cmd->hdr.type_d] = true;
	for (i = 0; i < 16; i++)
		seen[op->opcode].flag[i] |= cmd->hdr.flags >> i & 1;
	for (i = 0; i < QUILL_FIELD_COUNT; i++) {
		note_field(own, i);
		if (!is_mode(&quill_fields[i]) || !has_record(op, &quill_fields[i], &at))
			continue;
		m = mode_of(&cmd->hdr, i, *byte_of(own, at, &quill_fields[i]));
		assert_true(mode_count < sizeof(modes) / sizeof(modes[0]));
		if (!mode_seen(&m))
			modes[mode_count++] = m;
	}
}

static void note_vector(void *arg, const struct vector_script *s)
{
	for_every_command(s, note_command);
}

/* A command that is one mode away from @cmd, if it is a command, has to have a vector too. */
static void expect_neighbours(const char *name, const union quill_cmd *cmd)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	union quill_cmd own[QUILL_MAX_RECORDS];
	uint32_t records = 1 + cmd->hdr.ext, i, at, a, b, d;
	struct quill_check why;
	struct mode m;

	for (i = 0; i < QUILL_FIELD_COUNT; i++) {
		if (!is_mode(&quill_fields[i]) || !has_record(op, &quill_fields[i], &at) || at >= records)
			continue;
		memcpy(own, cmd, records * sizeof(*cmd));
		for (a = 0; a < VALUES; a++) {
			*byte_of(own, at, &quill_fields[i]) = (uint8_t)a;
			m = mode_of(&cmd->hdr, i, a);
			if (!quill_cmd_check(own, records, &why) && !mode_seen(&m))
				fail_msg("%s of types %u, %u, %u with %s %u: no vector; beside: %s",
					 op->name, m.type_a, m.type_b, m.type_d,
					 quill_fields[i].name, a, name);
		}
	}
	memcpy(own, cmd, records * sizeof(*cmd));
	for (a = 0; a < QUILL_TYPE_COUNT; a++)
		for (b = 0; b < QUILL_TYPE_COUNT; b++)
			for (d = 0; d < QUILL_TYPE_COUNT; d++) {
				own->hdr.type_a = (uint8_t)a;
				own->hdr.type_b = (uint8_t)b;
				own->hdr.type_d = (uint8_t)d;
				if (!quill_cmd_check(own, records, &why) &&
				    !seen[op->opcode].types[a][b][d])
					fail_msg("%s of types %u, %u, %u: no vector; beside: %s",
						 op->name, a, b, d, name);
			}
}

static void expect_vector(void *arg, const struct vector_script *s)
{
	for_every_command(s, expect_neighbours);
}

/* Bits of the types that vectors of @opcode have as a (0), b (1) or d (2). */
static uint32_t types_seen(uint32_t opcode, int which)
{
	uint32_t a, b, d, mask = 0;

	for (a = 0; a < VALUES; a++)
		for (b = 0; b < VALUES; b++)
			for (d = 0; d < VALUES; d++)
				if (seen[opcode].types[a][b][d])
					mask |= 1u << (which == 0 ? a : which == 1 ? b : d);
	return mask;
}

static void expect_row(const struct quill_op_info *op)
{
	uint32_t i;

	if (!seen[op->opcode].seen)
		fail_msg("%s has no vector" SEE, op->name);
	/* ORDERED means the same for all */
	for (i = 0; i < 16; i++)
		if ((op->flags & ~QUILL_CMD_ORDERED) >> i & 1 && !seen[op->opcode].flag[i])
			fail_msg("%s with flag %u has no vector" SEE, op->name, i);
	for (i = op->ext; i <= op->ext_max; i++)
		if (!seen[op->opcode].ext[i])
			fail_msg("%s with %u extension records has no vector" SEE, op->name, i);
	if (op->types_a & ~types_seen(op->opcode, 0) || op->types_b & ~types_seen(op->opcode, 1) ||
	    op->types_d & ~types_seen(op->opcode, 2))
		fail_msg("%s: vectors have types a 0x%x, b 0x%x, d 0x%x; it takes 0x%x, 0x%x, 0x%x",
			 op->name, types_seen(op->opcode, 0), types_seen(op->opcode, 1),
			 types_seen(op->opcode, 2), op->types_a, op->types_b, op->types_d);
}

/* @cmd without one of its operands, if it is a command: some vector is without it. */
static void expect_absent(const char *name, const union quill_cmd *cmd)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	uint32_t records = 1 + cmd->hdr.ext, i, at;
	union quill_cmd own[QUILL_MAX_RECORDS];
	struct quill_check why;

	for (i = 0; i < QUILL_FIELD_COUNT; i++) {
		if (quill_fields[i].kind != QUILL_KIND_ADDR || !has_record(op, &quill_fields[i], &at) ||
		    at >= records)
			continue;
		memcpy(own, cmd, records * sizeof(*cmd));
		memset(byte_of(own, at, &quill_fields[i]), 0, quill_fields[i].size);
		if (!quill_cmd_check(own, records, &why) && !fields[op->opcode][i].absent)
			fail_msg("%s without %s: no vector; beside: %s", op->name,
				 quill_fields[i].name, name);
	}
}

static void expect_operands(void *arg, const struct vector_script *s)
{
	for_every_command(s, expect_absent);
}

/* RMSNORM and LAYERNORM have the same records, but only one of them a bias. */
static bool is_always_absent(const struct quill_op_info *op, const struct quill_field *f)
{
	return op->opcode == QUILL_OP_RMSNORM && !strcmp(f->name, "bias");
}

static void every_operand_has_a_vector_with_it_and_without_it(void **state)
{
	const struct quill_op_info *op;
	uint32_t opcode, i, at;

	for_every_vector(note_vector, NULL);
	for (opcode = 0; opcode < QUILL_OP_EXT; opcode++) {
		op = quill_op_info(opcode);
		for (i = 0; op && i < QUILL_FIELD_COUNT; i++)
			if (quill_fields[i].kind == QUILL_KIND_ADDR &&
			    has_record(op, &quill_fields[i], &at) && !fields[opcode][i].given &&
			    !is_always_absent(op, &quill_fields[i]))
				fail_msg("%s with %s has no vector" SEE, op->name, quill_fields[i].name);
	}
	for_every_vector(expect_operands, NULL);
}

static void every_option_of_gemm_has_a_vector(void **state)
{
	const struct quill_field *options = quill_field_named(QUILL_RECORD_gemm_post, "options");

	for_every_vector(note_vector, NULL);
	assert_non_null(options);
	assert_int_equal(fields[QUILL_OP_GEMM][options - quill_fields].bits, QUILL_GEMM_OPTIONS);
}

static void every_command_and_every_mode_has_a_vector(void **state)
{
	uint32_t opcode;

	for_every_vector(note_vector, NULL);
	for (opcode = 0; opcode < QUILL_OP_EXT; opcode++)
		if (quill_op_info(opcode))
			expect_row(quill_op_info(opcode));
	for_every_vector(expect_vector, NULL);
}

/* ---- The text ---- */

static void expect_error(const char *text, const char *message)
{
	struct vector_script s;
	const char *error;

	assert_false(vector_read(&text, &s, &error));
	vector_script_free(&s);
	if (!message)
		assert_null(error);
	else
		assert_string_equal(error, message);
}

static void mistakes_in_a_file_are_named(void **state)
{
	expect_error("", NULL);
	expect_error("# so\n\n", NULL);
	expect_error("cmd 01\n", "no \"vector\"");
	expect_error("vector a\n", "no command");
	expect_error("vector a\ncmd 0\n", "\"cmd\" needs up to 64 bytes");
	expect_error("vector a\ncmd 0G\n", "\"cmd\" needs up to 64 bytes");
	expect_error("vector a\ncmd 01\nmem 1\n", "neither \"cmd\", \"in\", \"out\" nor \"vector\"");
	expect_error("vector a\ncmd 01\nin 0x1000\n  00\n",
		     "\"in\" and \"out\" need an address and a size");
	expect_error("vector a\ncmd 01\nin 0x1000 3\n  0001\n", "fewer bytes than the region has");
	expect_error("vector a\ncmd 01\nin 0x1000 1\n  0001\n",
		     "no hexadecimal bytes, or more than the region has");
	expect_error("vector a\ncmd 01\nin 0x1000 3\n  4*00\n", "more bytes than the region has");
	expect_error("vector a\ncmd 01\nin 0x1000 1\n  00\nin 0x1000 1\n  00\n",
		     "a region twice, or of two sizes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_what_their_tables_make),
		cmocka_unit_test(vectors_hold_with_scalar_kernels),
		cmocka_unit_test(vectors_hold_with_avx2_kernels),
		cmocka_unit_test(vectors_hold_with_avx512_kernels),
		cmocka_unit_test(every_command_and_every_mode_has_a_vector),
		cmocka_unit_test(every_operand_has_a_vector_with_it_and_without_it),
		cmocka_unit_test(every_option_of_gemm_has_a_vector),
		cmocka_unit_test(mistakes_in_a_file_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
