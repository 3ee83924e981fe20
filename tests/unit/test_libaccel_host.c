// SPDX-License-Identifier: MIT
/*
 * The parts of libaccel that surround the ioctls: device addresses, words for faults, failed opens,
 * and the library's face: what it exports is what the header declares, the map lists and a page
 * documents.
 */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "internal.h"

#define PAGE	0x1000ull
#define HUGE	0x200000ull

/* ---- Device addresses ---- */

static uint64_t take(struct accel_va *va, uint64_t size, uint64_t align)
{
	uint64_t at = accel_va_find(va, size, align, PAGE);

	assert_int_equal(accel_va_reserve(va), 0);
	if (at)
		accel_va_add(va, at, size);
	return at;
}

static void addresses_keep_a_guard_page_on_both_sides(void **state)
{
	struct accel_va va;

	accel_va_init(&va, PAGE, 16 * PAGE);
	assert_int_equal(take(&va, 2 * PAGE, PAGE), 2 * PAGE);
	assert_int_equal(take(&va, PAGE, PAGE), 5 * PAGE);
	/* 7..15 is left: 8 pages and the guard behind */
	assert_int_equal(take(&va, 9 * PAGE, PAGE), 0);
	assert_int_equal(take(&va, 8 * PAGE, PAGE), 7 * PAGE);
	assert_int_equal(take(&va, PAGE, PAGE), 0);
	accel_va_fini(&va);
}

static void addresses_are_aligned_and_gaps_are_used(void **state)
{
	struct accel_va va;

	accel_va_init(&va, PAGE, 1ull << 40);
	assert_int_equal(take(&va, PAGE, PAGE), 2 * PAGE);
	assert_int_equal(take(&va, HUGE, HUGE), HUGE);
	assert_int_equal(take(&va, PAGE, PAGE), 4 * PAGE);
	assert_int_equal(accel_va_find(&va, 1ull << 40, PAGE, PAGE), 0);
	assert_int_equal(accel_va_find(&va, UINT64_MAX - PAGE + 1, PAGE, PAGE), 0);
	accel_va_fini(&va);
}

static void removing_splits_trims_and_frees(void **state)
{
	struct accel_va va;

	accel_va_init(&va, PAGE, 1000 * PAGE);
	accel_va_reserve(&va);
	accel_va_add(&va, 10 * PAGE, 10 * PAGE);
	accel_va_reserve(&va);
	accel_va_add(&va, 30 * PAGE, 10 * PAGE);

	accel_va_reserve(&va);
	accel_va_remove(&va, 12 * PAGE, 2 * PAGE);
	assert_true(accel_va_in_use(&va, 11 * PAGE, PAGE));
	assert_false(accel_va_in_use(&va, 12 * PAGE, 2 * PAGE));
	assert_true(accel_va_in_use(&va, 13 * PAGE, 2 * PAGE));

	/* over the end of one, a gap, and the beginning of the next */
	accel_va_reserve(&va);
	accel_va_remove(&va, 18 * PAGE, 14 * PAGE);
	assert_true(accel_va_in_use(&va, 17 * PAGE, PAGE));
	assert_false(accel_va_in_use(&va, 18 * PAGE, 14 * PAGE));
	assert_true(accel_va_in_use(&va, 32 * PAGE, PAGE));

	accel_va_remove(&va, PAGE, 900 * PAGE);
	assert_null(va.root);
	accel_va_fini(&va);
}

/* The first of @n free pages with a free one before and behind; 0: none. */
static uint64_t first_free(const bool *used, uint32_t pages, uint32_t n)
{
	uint32_t at, run = 0;

	for (at = 1; at < pages; at++) {
		run = used[at] ? 0 : run + 1;
		if (run == n + 2)
			return at - n;
	}
	return 0;
}

/* Against a bitmap, at random: what is in use, and what is found. */
static void ranges_agree_with_a_bitmap(void **state)
{
	enum { PAGES = 256 };
	bool used[PAGES] = { false }, any;
	uint32_t seed = 1, i, j, at, n;
	struct accel_va va;
	uint64_t found;

	accel_va_init(&va, PAGE, PAGES * PAGE);
	for (i = 0; i < 20000; i++) {
		seed = seed * 1664525u + 1013904223u;
		at = 1 + (seed >> 8) % (PAGES - 1);
		n = 1 + (seed >> 20) % 9;
		n = at + n > PAGES ? PAGES - at : n;
		for (any = false, j = at; j < at + n; j++)
			any |= used[j];
		assert_int_equal(accel_va_in_use(&va, at * PAGE, n * PAGE), any);
		assert_int_equal(accel_va_reserve(&va), 0);
		if (!any && seed & 0x80) {
			accel_va_add(&va, at * PAGE, n * PAGE);
			memset(&used[at], true, n);
		} else if (any && !(seed & 0x40)) {
			accel_va_remove(&va, at * PAGE, n * PAGE);
			memset(&used[at], false, n);
		}
		found = accel_va_find(&va, n * PAGE, PAGE, PAGE) / PAGE;
		assert_int_equal(found, first_free(used, PAGES, n));
	}
	accel_va_fini(&va);
}

/* ---- Words for faults ---- */

static void a_translation_fault_tells_who_where_and_why(void **state)
{
	struct drm_quill_queue_query query = {
		.fault_status = QUILL_FAULT_UNMAPPED, .fault_command = 3, .fault_addr = 0x123456789000,
		.fault_access = QUILL_ACCESS_WRITE, .fault_engine = QUILL_ENGINE_DMA,
	};
	union quill_cmd cmd = { .hdr.opcode = QUILL_OP_COPY };
	char text[ACCEL_ERROR_MAX];

	accel_describe_fault(&query, &cmd, 1, NULL, text, sizeof(text));
	assert_string_equal(text, "command 3 (COPY): write by DMA at device address 0x123456789000: "
			    "nothing is bound there");
	accel_describe_fault(&query, NULL, 0, NULL, text, sizeof(text));
	assert_string_equal(text, "command 3 (opcode unknown): write by DMA at device address "
			    "0x123456789000: nothing is bound there");
}

static void a_malformed_command_is_told_by_its_field(void **state)
{
	struct drm_quill_queue_query query = {
		.fault_status = QUILL_FAULT_SHAPE, .fault_command = 1, .fault_addr = 40,
		.fault_engine = QUILL_ENGINE_FW,
	};
	union quill_cmd cmd = {
		.gemm = {
			.hdr = { .opcode = QUILL_OP_GEMM, .ext = 1, .type_a = 1, .type_b = 1, .type_d = 2 },
		},
	};
	union quill_cmd cmds[2] = { cmd, { .hdr.opcode = QUILL_OP_EXT } };
	char text[ACCEL_ERROR_MAX];

	accel_describe_fault(&query, cmds, 2, NULL, text, sizeof(text));
	assert_string_equal(text, "command 1 is malformed: GEMM: m is 0; required: 1..2^24");
	accel_describe_fault(&query, NULL, 0, NULL, text, sizeof(text));
	assert_string_equal(text, "command 1 (opcode unknown): a dimension out of range (0x28)");
}

/* The stream has the command as it was before. */
static void a_command_that_patch_spoiled_is_told_by_its_field_and_the_rule(void **state)
{
	struct drm_quill_queue_query query = {
		.fault_status = QUILL_FAULT_STRIDE, .fault_command = 5, .fault_engine = QUILL_ENGINE_FW,
		.fault_addr = offsetof(struct quill_cmd_gemm, lda),
	};
	union quill_cmd cmd[3] = {
		{ .hdr.opcode = QUILL_OP_PATCH },
		{ .gemm = {
			.hdr = { .opcode = QUILL_OP_GEMM, .ext = 1, .type_a = 1, .type_b = 1, .type_d = 2 },
			.a = 0x1000, .b = 0x1000, .d = 0x1000, .m = 4, .n = 64, .k = 64, .lda = 64,
			.ldd = 64,
		} },
		{ .hdr.opcode = QUILL_OP_EXT },
	};
	char text[ACCEL_ERROR_MAX];

	cmd[0].patch.entry[0] = quill_patch_entry(3, offsetof(struct quill_cmd_gemm, d) / 4, 1, 1 << 20);
	cmd[0].patch.entry[1] = quill_patch_entry(2, offsetof(struct quill_cmd_gemm, k) / 4, 0, 1);
	accel_describe_fault(&query, cmd + 1, 2, cmd, text, sizeof(text));
	assert_string_equal(text, "command 5 is malformed: GEMM: lda after PATCH (d += r3 * 1048576, k += r2); "
			    "required: at least k");
	query.fault_status = QUILL_FAULT_RANGE;
	query.fault_addr = offsetof(struct quill_cmd_gemm, d);
	cmd[0].patch.entry[1] = quill_patch_entry(2, 16 + offsetof(struct quill_ext_gemm, bias) / 4, 1, -1);
	accel_describe_fault(&query, cmd + 1, 2, cmd, text, sizeof(text));
	assert_string_equal(text, "command 5 is malformed: GEMM: d after PATCH (d += r3 * 1048576, bias += r2 * -1); "
			    "required: an address that is not 0, from which all of the operand lies below 2^48");

	/* of what the registers cannot have done, and without the PATCH, the fault alone */
	query.fault_status = QUILL_FAULT_PARAM;
	accel_describe_fault(&query, cmd + 1, 2, cmd, text, sizeof(text));
	assert_string_equal(text, "command 5 (GEMM): a parameter out of range (0x20)");
	query.fault_status = QUILL_FAULT_RANGE;
	accel_describe_fault(&query, cmd + 1, 2, NULL, text, sizeof(text));
	assert_string_equal(text, "command 5 (GEMM): an operand beyond 48 bits (0x20)");
}

static void a_timeout_is_told_with_both_times(void **state)
{
	struct drm_quill_queue_query query = {
		.fault_status = QUILL_FAULT_KILLED, .fault_command = 0, .fault_elapsed_ms = 2010,
		.timeout_ms = 2000,
	};
	union quill_cmd cmd = { .hdr.opcode = QUILL_OP_JUMP };
	char text[ACCEL_ERROR_MAX];

	accel_describe_fault(&query, &cmd, 1, NULL, text, sizeof(text));
	assert_string_equal(text, "it ran for 2010 ms, its queue's limit is 2000 ms; it was at "
			    "command 0 (JUMP)");
}

static void every_fault_has_words(void **state)
{
	static const uint8_t faults[] = {
		1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 32, 33, 34, 35, 36, 63,
	};
	struct drm_quill_queue_query query = { 0 };
	char text[ACCEL_ERROR_MAX];
	size_t i;

	for (i = 0; i < sizeof(faults); i++) {
		query.fault_status = faults[i];
		accel_describe_fault(&query, NULL, 0, NULL, text, sizeof(text));
		assert_null(strstr(text, "does not know"));
	}
	query.fault_status = 200;
	query.fault_engine = 77;
	query.fault_access = 77;
	accel_describe_fault(&query, NULL, 0, NULL, text, sizeof(text));
	assert_non_null(strstr(text, "does not know"));
}

/* ---- Opening ---- */

static void expect_open(const char *path, int want, const char *text)
{
	struct accel_device *dev = NULL;
	char err[ACCEL_ERROR_MAX];

	assert_int_equal(accel_device_open(path, &dev, err, sizeof(err)), want);
	assert_non_null(strstr(err, text));
	assert_null(dev);
}

static void a_failed_open_says_what_was_found_and_required(void **state)
{
	char path[200], tiny[4];
	struct accel_device *dev;

	expect_open("/nonexistent/accel0", -ENOENT, "cannot open /nonexistent/accel0: No such file");
	expect_open("/dev/null", -ENODEV, "/dev/null: the driver is none; required: quill");
	expect_open("emu:", -ENOTSUP, "not supported yet");
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	expect_open(path, -ENAMETOOLONG, "199 characters; required: at most 63");
	assert_int_equal(accel_device_open("emu:", &dev, NULL, 0), -ENOTSUP);
	assert_int_equal(accel_device_open("emu:", &dev, tiny, sizeof(tiny)), -ENOTSUP);
	assert_int_equal(strlen(tiny), 3);
}

static void destroying_nothing_does_nothing(void **state)
{
	struct accel_buffer buf = { 0 };

	accel_device_close(NULL);
	accel_bo_destroy(NULL);
	accel_vm_destroy(NULL);
	accel_buffer_destroy(NULL);
	accel_buffer_destroy(&buf);
	accel_stream_destroy(NULL);
	accel_queue_destroy(NULL);
	accel_weights_destroy(NULL);
	accel_ops_destroy(NULL);
}

/* ---- Errors and log ---- */

/* What an error and a log line of each level put on standard error, at the device's @level. */
static size_t logged(int level, char *text, size_t size)
{
	struct accel_device dev = { .fd = -1, .log_level = level, .path = "/dev/x" };
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	pthread_mutex_init(&dev.lock, NULL);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	assert_int_equal(accel_error(&dev, -EINVAL, "a is %d", 1), -EINVAL);
	accel_log(&dev, ACCEL_LOG_OBJECT, "object");
	accel_log(&dev, ACCEL_LOG_JOB, "job");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_string_equal(accel_last_error(&dev), "a is 1");
	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = 0;
	fclose(file);
	return n;
}

static void nothing_is_printed_unless_asked_for(void **state)
{
	char text[200];

	assert_int_equal(logged(0, text, sizeof(text)), 0);
	logged(1, text, sizeof(text));
	assert_string_equal(text, "libaccel: /dev/x: a is 1\n");
	logged(2, text, sizeof(text));
	assert_string_equal(text, "libaccel: /dev/x: a is 1\nlibaccel: /dev/x: object\n");
	logged(3, text, sizeof(text));
	assert_string_equal(text, "libaccel: /dev/x: a is 1\nlibaccel: /dev/x: object\n"
			    "libaccel: /dev/x: job\n");
}

/* A text that is made from the last one, and one that is too long. */
static void an_error_can_quote_the_last_and_is_cut_at_its_limit(void **state)
{
	struct accel_device dev = { .fd = -1 };
	char lots[2 * ACCEL_ERROR_MAX];

	pthread_mutex_init(&dev.lock, NULL);
	accel_error(&dev, -1, "inner");
	accel_error(&dev, -1, "outer: %s", accel_last_error(&dev));
	assert_string_equal(accel_last_error(&dev), "outer: inner");
	memset(lots, 'x', sizeof(lots) - 1);
	lots[sizeof(lots) - 1] = 0;
	accel_error(&dev, -1, "%s", lots);
	assert_int_equal(strlen(accel_last_error(&dev)), ACCEL_ERROR_MAX - 1);
}

/* ---- The library's face ---- */

#define MAX_NAMES	200

struct names {
	char name[MAX_NAMES][64];
	size_t count;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The lines that a command prints, sorted, each once. */
static void read_names(struct names *names, const char *command)
{
	FILE *pipe = popen(command, "r");
	size_t i, n = 0;

	assert_non_null(pipe);
	names->count = 0;
	while (names->count < MAX_NAMES &&
	       fscanf(pipe, "%63s", names->name[names->count]) == 1)
		names->count++;
	assert_int_equal(pclose(pipe), 0);
	qsort(names->name, names->count, sizeof(names->name[0]), compare_names);
	for (i = 0; i < names->count; i++)
		if (!n || strcmp(names->name[n - 1], names->name[i]))
			memmove(names->name[n++], names->name[i], sizeof(names->name[0]));
	names->count = n;
}

static void expect_same(const struct names *a, const char *a_is, const struct names *b,
			const char *b_is)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if (!bsearch(a->name[i], b->name, b->count, sizeof(b->name[0]), compare_names))
			fail_msg("%s: %s, but not %s", a->name[i], a_is, b_is);
	for (i = 0; i < b->count; i++)
		if (!bsearch(b->name[i], a->name, a->count, sizeof(a->name[0]), compare_names))
			fail_msg("%s: %s, but not %s", b->name[i], b_is, a_is);
}

static void exports_are_the_map_the_header_and_the_pages(void **state)
{
	static struct names exported, mapped, declared, documented;

	read_names(&exported, "nm -D --defined-only '" LIBACCEL_SO "' | awk '$2 == \"T\" "
		   "{ sub(/@.*/, \"\", $3); print $3 }'");
	read_names(&mapped, "sed -n 's/^\\t\\t\\([a-z0-9_]*\\);$/\\1/p' '" LIBACCEL_TREE
		   "/libaccel/libaccel.map'");
	read_names(&declared, "gcc -E -P '" LIBACCEL_TREE "/libaccel/include/accel.h' | tr '\\n' ' ' "
		   "| grep -oE '\\baccel_[a-z0-9_]+ ?\\(' | tr -d ' ('");
	read_names(&documented, "sed -n 's/^\\.Nm \\(accel_[a-z0-9_]*\\).*/\\1/p' '" LIBACCEL_TREE
		   "'/libaccel/man/*.3");
	assert_in_range(exported.count, 50, MAX_NAMES - 1);
	expect_same(&exported, "exported", &mapped, "in libaccel.map");
	expect_same(&exported, "exported", &declared, "in accel.h");
	expect_same(&exported, "exported", &documented, "in a man page");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_keep_a_guard_page_on_both_sides),
		cmocka_unit_test(addresses_are_aligned_and_gaps_are_used),
		cmocka_unit_test(removing_splits_trims_and_frees),
		cmocka_unit_test(ranges_agree_with_a_bitmap),
		cmocka_unit_test(a_translation_fault_tells_who_where_and_why),
		cmocka_unit_test(a_malformed_command_is_told_by_its_field),
		cmocka_unit_test(a_command_that_patch_spoiled_is_told_by_its_field_and_the_rule),
		cmocka_unit_test(a_timeout_is_told_with_both_times),
		cmocka_unit_test(every_fault_has_words),
		cmocka_unit_test(a_failed_open_says_what_was_found_and_required),
		cmocka_unit_test(destroying_nothing_does_nothing),
		cmocka_unit_test(nothing_is_printed_unless_asked_for),
		cmocka_unit_test(an_error_can_quote_the_last_and_is_cut_at_its_limit),
		cmocka_unit_test(exports_are_the_map_the_header_and_the_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
