// SPDX-License-Identifier: MIT
/*
 * Commands as text and as JSON: what is printed says all that the records do, so that the records can be made of it
 * again; and what breaks a rule is told.
 */
#include <glob.h>
#include <signal.h>
#include <sys/wait.h>

#include "libaccel_stream.h"
#include "quill/isa_fields.h"

/* Of one vector's stream. */
#define RECORDS	64

static char *print(const union quill_cmd *cmd, uint32_t count, bool json, int wrong)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(accel_stream_print(f, cmd, count, json), wrong);
	fclose(f);
	return text;
}

/* ---- From what was printed back to records ---- */

/* A number, or what the field calls one, @len bytes; @f may be NULL. */
static uint64_t number_of(const struct quill_field *f, const char *text, size_t len)
{
	const struct quill_name *n = quill_names;

	for (; f && (n = quill_field_name(f, n)); n++)
		if (len == strlen(n->name) && !strncmp(text, n->name, len))
			return n->value;
	return *text == '-' ? (uint64_t)strtoll(text, NULL, 0) : strtoull(text, NULL, 0);
}

/* Several with "|" between them are bits. */
static uint64_t value_of(const struct quill_field *f, const char *text)
{
	uint64_t value = 0;
	size_t len;

	for (text += *text == '"'; ; text += len + 1) {
		len = strcspn(text, "|\",] }");
		value |= number_of(f, text, len);
		if (text[len] != '|')
			return value;
	}
}

/* @text: a value, or several between brackets. */
static void put_value(union quill_cmd *cmd, const struct quill_field *f, const char *text)
{
	uint32_t size = accel_field_element(f), at;
	uint64_t value;

	for (at = 0; at < f->size; at += size) {
		text += strspn(text, "[, ");
		value = value_of(f, text);
		memcpy((char *)cmd + f->offset + at, &value, size);
		text += strcspn(text, ",");
	}
}

/* One "name=value" or "\"name\": value". */
static void put_field(union quill_cmd *cmd, const struct quill_op_info *op, uint32_t record,
		      const char *name, const char *value)
{
	const struct quill_field *f = quill_field_named(QUILL_RECORD_none, name);
	uint32_t i;

	if (!strcmp(name, "raw")) {
		for (i = 0; i < 8; i++) {
			value += strspn(value, "[, ");
			cmd->raw[i] = value_of(NULL, value);
			value += strcspn(value, ",");
		}
		return;
	}
	if (!f && op)
		f = quill_field_named(op->record[record], name);
	if (!f)
		fail_msg("there is no field \"%s\"", name);
	put_value(&cmd[record], f, value);
}

static const struct quill_op_info *op_named(const char *name, size_t len)
{
	uint32_t i;

	for (i = 0; i < QUILL_OP_EXT; i++)
		if (quill_op_info(i) && strlen(quill_op_info(i)->name) == len &&
		    !strncmp(quill_op_info(i)->name, name, len))
			return quill_op_info(i);
	return NULL;
}

/* Of the text for people: "+n" begins an extension, "^" what was wrong. */
static void parse_text(char *text, union quill_cmd *cmd)
{
	const struct quill_op_info *op = NULL;
	union quill_cmd *at = cmd;
	uint32_t record = 0;
	char *line, *word, *rest, *lines, *equals;

	for (line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		word = strtok_r(line, " ", &rest);
		if (*word == '^' || *word == '~')
			continue;
		if (word[0] != '+' && !strchr(word, '=')) {
			at = &cmd[strtoul(word, NULL, 10)];
			word = strtok_r(NULL, " ", &rest);
			op = op_named(word, strlen(word));
			record = 0;
			at->hdr.opcode = op ? op->opcode : 0;
			word = strtok_r(NULL, " ", &rest);
		}
		for (; word; word = strtok_r(NULL, " ", &rest)) {
			if (*word == '+') {
				record = (uint32_t)strtoul(word + 1, NULL, 10);
				at[record].hdr.opcode = QUILL_OP_EXT;
				continue;
			}
			equals = strchr(word, '=');
			assert_non_null(equals);
			*equals = '\0';
			put_field(at, op, record, word, equals + 1);
		}
	}
}

/* Of what accel_stream_print() writes as JSON, not of all JSON. */
static void parse_json(char *text, union quill_cmd *cmd)
{
	const struct quill_op_info *op = NULL;
	union quill_cmd *at = cmd;
	uint32_t record = 0;
	char *name, *end;

	for (;;) {
		text += strcspn(text, "\"{");
		if (!*text)
			return;
		if (*text++ == '{') {
			/* in the array of extensions, the next of them */
			if (record)
				at[record++].hdr.opcode = QUILL_OP_EXT;
			continue;
		}
		name = text;
		end = strchr(text, '"');
		*end = '\0';
		text = end + 3;
		if (!strcmp(name, "record")) {
			at = &cmd[strtoul(text, NULL, 10)];
			op = NULL;
			record = 0;
		} else if (!strcmp(name, "opcode")) {
			op = op_named(text + 1, strcspn(text + 1, "\""));
			assert_non_null(op);
			at->hdr.opcode = op->opcode;
		} else if (!strcmp(name, "extensions")) {
			record = 1;
			continue;
		} else if (strcmp(name, "error") && strcmp(name, "patch") && strcmp(name, "unpatched")) {
			put_field(at, op, record ? record - 1 : 0, name, text);
		}
		/* behind the value */
		if (*text == '[')
			text = strchr(text, ']');
		else if (*text == '"')
			text = strchr(text + 1, '"') + 1;
		/* a command's last extension, and with it the command */
		if (!strncmp(text + strcspn(text, "}"), "}]}", 3) && text[strcspn(text, ",}")] == '}')
			record = 0;
	}
}

static void expect_same(const union quill_cmd *cmd, uint32_t count, bool json, int wrong)
{
	char *text = print(cmd, count, json, wrong), *copy = strdup(text);
	union quill_cmd back[RECORDS] = { 0 };

	(json ? parse_json : parse_text)(copy, back);
	if (memcmp(cmd, back, count * sizeof(*cmd)))
		fail_msg("this is not all that the records say:\n%s", text);
	free(copy);
	free(text);
}

/* ---- Tests ---- */

static uint64_t rng = 1;

static uint64_t random64(void)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return rng ^ rng >> 33;
}

/* Anything in any field, reserved ones included; each zero now and then. */
static void random_record(union quill_cmd *cmd, uint32_t record)
{
	const struct quill_field *f;
	uint64_t value;
	uint32_t at, size;

	for (f = quill_fields; f < quill_fields + QUILL_FIELD_COUNT; f++) {
		if (f->record != record && f->record != QUILL_RECORD_none)
			continue;
		size = accel_field_element(f);
		for (at = 0; at < f->size; at += size) {
			value = random64() % 3 ? random64() >> random64() % 64 : 0;
			memcpy((char *)cmd + f->offset + at, &value, size);
		}
	}
}

static void every_record_can_be_made_of_what_is_printed(void **state)
{
	union quill_cmd cmd[QUILL_MAX_RECORDS];
	const struct quill_op_info *op;
	struct quill_check why;
	uint32_t opcode, n, i, times;
	int wrong;

	for (opcode = 0; opcode < QUILL_OP_EXT; opcode++) {
		op = quill_op_info(opcode);
		for (times = 0; op && times < 200; times++) {
			memset(cmd, 0, sizeof(cmd));
			n = op->ext + (uint32_t)(random64() % (op->ext_max - op->ext + 1u));
			for (i = 0; i <= n; i++)
				random_record(&cmd[i], op->record[i]);
			cmd[0].hdr.opcode = op->opcode;
			cmd[0].hdr.ext = (uint8_t)n;
			for (i = 1; i <= n; i++)
				cmd[i].hdr.opcode = QUILL_OP_EXT;
			wrong = !!quill_cmd_check(cmd, n + 1, &why);
			expect_same(cmd, n + 1, false, wrong);
			expect_same(cmd, n + 1, true, wrong);
		}
	}
}

/* The commands of tests/vectors: all keep the rules, and there is one of each. */
static void commands_that_keep_the_rules_are_printed_whole(void **state)
{
	union quill_cmd cmd[RECORDS];
	bool seen[256] = { false };
	uint32_t i, n = 0, byte;
	unsigned int value;
	char line[256];
	glob_t files;
	FILE *f;

	assert_int_equal(glob("tests/vectors/*.txt", 0, NULL, &files), 0);
	for (i = 0; i < files.gl_pathc; i++) {
		f = fopen(files.gl_pathv[i], "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			if (strncmp(line, "cmd ", 4)) {
				/* one vector's are a stream */
				if (n) {
					expect_same(cmd, n, false, 0);
					expect_same(cmd, n, true, 0);
				}
				n = 0;
				continue;
			}
			assert_true(n < RECORDS);
			memset(&cmd[n], 0, sizeof(cmd[n]));
			for (byte = 0; sscanf(line + 4 + 2 * byte, "%2x", &value) == 1; byte++)
				((uint8_t *)&cmd[n])[byte] = (uint8_t)value;
			seen[cmd[n++].hdr.opcode] = true;
		}
		fclose(f);
	}
	globfree(&files);
	for (i = 0; i < QUILL_OP_EXT; i++)
		assert_true(seen[i] || !quill_op_info(i));
}

static void text_is_as_people_read_it(void **state)
{
	union quill_cmd cmd[4] = { 0 };
	char *text;

	cmd[0].hdr.opcode = QUILL_OP_RMSNORM;
	cmd[0].hdr.flags = QUILL_CMD_ORDERED;
	cmd[0].hdr.type_a = cmd[0].hdr.type_b = cmd[0].hdr.type_d = QUILL_TYPE_F32;
	cmd[0].hdr.ext = 1;
	cmd[0].norm.src = 0x1000;
	cmd[0].norm.n = 7;
	cmd[1].hdr.opcode = QUILL_OP_EXT;
	cmd[1].norm_ext.eps = 0x3f000000;
	cmd[2].hdr.opcode = 0x99;
	cmd[3].hdr.opcode = QUILL_OP_JUMP;
	cmd[3].jump.target = 64;
	text = print(cmd, 4, false, 2);
	assert_string_equal(text,
		"     0  RMSNORM    flags=ORDERED type_a=F32 type_b=F32 type_d=F32 ext=1\n"
		"                  src=0x1000 dst=0x0 weight=0x0 residual=0x0 rows=0 n=7 src_stride=0 "
		"dst_stride=0\n"
		"                  +1 bias=0x0 sum=0x0 residual_stride=0 eps=0x3f000000(0.5)\n"
		"        ^ RMSNORM: rows is 0; required: 1..2^24\n"
		"     2  ?          raw=[0x99,0x0,0x0,0x0,0x0,0x0,0x0,0x0]\n"
		"        ^ command: opcode is 153; required: an opcode of isa.h\n"
		"     3  JUMP       target=0x40\n");
	free(text);
	text = print(cmd, 2, true, 1);
	assert_string_equal(text,
		"[{\"record\": 0, \"opcode\": \"RMSNORM\", \"flags\": \"ORDERED\", \"type_a\": \"F32\", "
		"\"type_b\": \"F32\", \"type_d\": \"F32\", \"ext\": 1, \"src\": \"0x1000\", "
		"\"dst\": \"0x0\", \"weight\": \"0x0\", \"residual\": \"0x0\", \"rows\": 0, \"n\": 7, "
		"\"src_stride\": 0, \"dst_stride\": 0, \"extensions\": [{\"bias\": \"0x0\", "
		"\"sum\": \"0x0\", \"residual_stride\": 0, \"eps\": \"0x3f000000\"}], "
		"\"error\": \"RMSNORM: rows is 0; required: 1..2^24\"}]\n");
	free(text);
}

static uint32_t names_of(const char *name, uint32_t record)
{
	const struct quill_field *f = quill_field_named(record, name);
	const struct quill_name *n = quill_names;
	uint32_t count = 0;

	assert_non_null(f);
	for (; (n = quill_field_name(f, n)); n++)
		count++;
	return count;
}

static void every_type_flag_option_and_operation_has_a_name(void **state)
{
	const struct quill_op_info *op;
	const struct quill_field *f;
	uint32_t opcode, flags = 0;

	for (opcode = 0; opcode < QUILL_OP_EXT; opcode++) {
		op = quill_op_info(opcode);
		flags |= op ? op->flags : 0;
	}
	/* others are numbers in truth */
	for (f = quill_fields; f < quill_fields + QUILL_FIELD_COUNT; f++)
		if (f->record != QUILL_RECORD_none && f->kind == QUILL_KIND_NUMBER &&
		    strcmp(f->name, "reg") && strcmp(f->name, "stops") && strcmp(f->name, "elem") &&
		    strcmp(f->name, "saturate") && !names_of(f->name, f->record))
			fail_msg("no number of \"%s\" has a name", f->name);
	assert_int_equal(names_of("flags", QUILL_RECORD_none), __builtin_popcount(flags));
	assert_int_equal(names_of("type_a", QUILL_RECORD_none), QUILL_TYPE_COUNT);
	assert_int_equal(names_of("type_b", QUILL_RECORD_none), QUILL_TYPE_COUNT);
	assert_int_equal(names_of("type_d", QUILL_RECORD_none), QUILL_TYPE_COUNT);
	assert_int_equal(names_of("op", QUILL_RECORD_set), QUILL_SET_COUNT);
	assert_int_equal(names_of("act", QUILL_RECORD_gemm_post), 1 + QUILL_ACT_COUNT);
	assert_int_equal(names_of("options", QUILL_RECORD_gemm_post),
			 __builtin_popcount(QUILL_GEMM_OPTIONS));
	assert_int_equal(names_of("weights", QUILL_RECORD_attention_more), QUILL_WEIGHTS_COUNT);
	assert_int_equal(names_of("op", QUILL_RECORD_eltwise), QUILL_ELTWISE_COUNT);
	assert_int_equal(names_of("op", QUILL_RECORD_act), QUILL_ACT_COUNT);
	assert_int_equal(names_of("op", QUILL_RECORD_reduce), QUILL_REDUCE_COUNT);
	assert_int_equal(names_of("op", QUILL_RECORD_pool), QUILL_POOL_COUNT);
	assert_int_equal(names_of("order", QUILL_RECORD_repack), QUILL_REPACK_COUNT);
}

static void what_has_a_name_is_printed_by_it(void **state)
{
	union quill_cmd cmd[3] = { 0 };
	char *text;

	cmd[0].hdr.opcode = QUILL_OP_GEMM;
	cmd[0].hdr.flags = 0x8000 | QUILL_CMD_ORDERED;
	cmd[0].hdr.type_b = 99;
	cmd[0].hdr.ext = 2;
	cmd[1].hdr.opcode = cmd[2].hdr.opcode = QUILL_OP_EXT;
	cmd[2].gemm_post.act = QUILL_ACT_SILU + 1;
	cmd[2].gemm_post.options = QUILL_GEMM_B_ROWS | QUILL_GEMM_ACCUMULATE;
	text = print(cmd, 3, false, 1);
	assert_non_null(strstr(text, " flags=ORDERED|0x8000 type_b=99 "));
	assert_non_null(strstr(text, " act=SILU options=ACCUMULATE|B_ROWS "));
	free(text);
	text = print(cmd, 3, true, 1);
	assert_non_null(strstr(text, "\"flags\": \"ORDERED|0x8000\", \"type_b\": 99, "));
	assert_non_null(strstr(text, "\"act\": \"SILU\", \"options\": \"ACCUMULATE|B_ROWS\", "));
	free(text);
}

/* Only the device knows what a patched command is: it is told what is added, and what is missing without. */
static void a_patched_command_is_not_held_against_the_rules(void **state)
{
	union quill_cmd cmd[3] = { 0 };
	char *text;

	cmd[0].hdr.opcode = QUILL_OP_PATCH;
	cmd[0].patch.entry[0] = quill_patch_entry(1, 4, 1, 8);
	cmd[0].patch.entry[1] = quill_patch_entry(15, 3, 0, 1);
	cmd[1].hdr.opcode = QUILL_OP_FILL;
	cmd[2].hdr.opcode = QUILL_OP_FILL;
	text = print(cmd, 2, false, 0);
	assert_non_null(strstr(text, "\n        ~ dst += r1 * 8, wait_value += r15\n"
			       "        ~ with registers of 0: FILL: elem is 0; required: 1, 2, 4 or 8\n"));
	free(text);
	text = print(cmd, 2, true, 0);
	assert_non_null(strstr(text, ", \"patch\": \"dst += r1 * 8, wait_value += r15\", "
			       "\"unpatched\": \"FILL: elem is 0; required: 1, 2, 4 or 8\"}"));
	free(text);
	free(print(cmd, 3, false, 1));
	expect_same(cmd, 3, false, 1);
	expect_same(cmd, 3, true, 1);
}

static void expect_remark(const union quill_cmd *cmd, uint32_t count, const char *remark)
{
	char *text = print(cmd, count, false, 1);
	bool found = strstr(text, remark) != NULL;

	free(text);
	assert_true(found);
}

static void a_patch_out_of_place_is_told(void **state)
{
	union quill_cmd cmd[3] = { 0 };

	cmd[0].hdr.opcode = cmd[1].hdr.opcode = QUILL_OP_PATCH;
	cmd[0].patch.entry[0] = cmd[1].patch.entry[0] = quill_patch_entry(1, 4, 1, 8);
	cmd[2].hdr.opcode = QUILL_OP_FILL;
	expect_remark(cmd, 1, "^ PATCH: the last record; required: a command behind it\n");
	expect_remark(cmd, 3, "^ PATCH: behind a PATCH; required: a command between them\n");
	cmd[1] = cmd[2];
	cmd[0].patch.entry[0] = quill_patch_entry(1, 20, 1, 8);
	expect_remark(cmd, 2, "^ FILL: the PATCH before it has word 20; required: 4..15\n");
}

/* An extension record that is missing, and one that no command wants. */
static void extensions_out_of_place_are_told(void **state)
{
	union quill_cmd cmd[3] = { 0 };

	cmd[0].hdr.opcode = QUILL_OP_NOP;
	cmd[1].hdr.opcode = QUILL_OP_EXT;
	cmd[2].hdr.opcode = QUILL_OP_GEMM;
	cmd[2].hdr.ext = 1;
	expect_same(cmd, 2, false, 1);
	expect_same(cmd, 3, false, 2);
	expect_same(cmd, 3, true, 2);
	free(print(cmd, 0, true, 0));
}

/* What the program exits with, given @size bytes of @data. */
static int run_program(const char *options, const void *data, size_t size)
{
	char command[128];
	FILE *f;

	snprintf(command, sizeof(command), "build/bin/quill-dis %s >/dev/null 2>&1", options);
	f = popen(command, "w");
	assert_non_null(f);
	fwrite(data, 1, size, f);
	return WEXITSTATUS(pclose(f));
}

static void the_program_exits_with_what_it_found(void **state)
{
	union quill_cmd cmd[2] = { 0 };

	/* one that does not read gets no signal for it */
	signal(SIGPIPE, SIG_IGN);
	cmd[0].hdr.opcode = cmd[1].hdr.opcode = QUILL_OP_NOP;
	assert_int_equal(run_program("", cmd, 128), 0);
	assert_int_equal(run_program("--json -", cmd, 128), 0);
	assert_int_equal(run_program("--help", cmd, 0), 0);
	assert_int_equal(run_program("", cmd, 0), 1);
	assert_int_equal(run_program("", cmd, 100), 1);
	assert_int_equal(run_program("/nonexistent/stream", cmd, 0), 1);
	cmd[1].hdr.version = 1;
	assert_int_equal(run_program("", cmd, 128), 1);
	assert_int_equal(run_program("--binary", cmd, 0), 2);
	assert_int_equal(run_program("a b", cmd, 0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_can_be_made_of_what_is_printed),
		cmocka_unit_test(commands_that_keep_the_rules_are_printed_whole),
		cmocka_unit_test(text_is_as_people_read_it),
		cmocka_unit_test(every_type_flag_option_and_operation_has_a_name),
		cmocka_unit_test(what_has_a_name_is_printed_by_it),
		cmocka_unit_test(a_patch_out_of_place_is_told),
		cmocka_unit_test(a_patched_command_is_not_held_against_the_rules),
		cmocka_unit_test(extensions_out_of_place_are_told),
		cmocka_unit_test(the_program_exits_with_what_it_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
