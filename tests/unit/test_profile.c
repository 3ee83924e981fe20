// SPDX-License-Identifier: MIT
/* Timing profiles: the built-in ones are the files of the tree; what is wrong with one is said to the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile.h"
#include "quill/regs.h"
#include "quill_emu.h"

static char err[512];

/* The text of "quill-1", with @from replaced by @to, where it is first found (NULL: as it is). */
static const char *text_with(const char *from, const char *to)
{
	static char whole[16384], text[16384];
	const struct profile_text *t = &profile_builtin[0];
	char *found;

	snprintf(whole, sizeof(whole), "%.*s", (int)(t->end - t->begin), t->begin);
	if (!from)
		return whole;
	found = strstr(whole, from);
	assert_non_null(found);
	*found = '\0';
	snprintf(text, sizeof(text), "%s%s%s", whole, to, found + strlen(from));
	return text;
}

static bool parse(const char *text)
{
	struct profile p;

	return profile_parse(&p, "file", text, strlen(text), err, sizeof(err));
}

static void expect_error(const char *from, const char *to, const char *message)
{
	assert_false(parse(text_with(from, to)));
	if (strcmp(err, message))
		fail_msg("error \"%s\", expected \"%s\"", err, message);
}

/* The number of the line in which @what begins. */
static unsigned int line_of(const char *what)
{
	const char *text = text_with(NULL, NULL), *end = strstr(text, what);
	unsigned int line = 1;

	assert_non_null(end);
	for (; text < end; text++)
		line += *text == '\n';
	return line;
}

static const char *message(unsigned int line, const char *rest)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "profile: file:%u: %s", line, rest);
	return buf;
}

static void built_in_profiles_are_whole(void **state)
{
	const struct profile_text *t;
	struct profile p;

	for (t = profile_builtin; t->name; t++) {
		if (!profile_load(&p, t->name, err, sizeof(err)))
			fail_msg("%s", err);
		assert_memory_equal(&p, profile_get(t->name), sizeof(p));
	}
	assert_int_equal(t - profile_builtin, 2);
	assert_ptr_equal(profile_get(NULL), profile_get("quill-1"));
	assert_null(profile_get("quill-2"));
}

static void what_is_no_line_of_a_profile_is_refused(void **state)
{
	unsigned int line = line_of("clock_khz");
	char rest[128];

	expect_error("clock_khz = 1450000", "clock_khz 1450000  # so",
		     message(line, "found \"clock_khz 1450000\", required \"key = value\""));
	expect_error("clock_khz", "clock_mhz",
		     message(line, "found the key \"clock_mhz\", required one of docs/device.md"));
	expect_error("clock_khz", "",
		     message(line, "found the key \"\", required one of docs/device.md"));
	snprintf(rest, sizeof(rest), "found burst again, required it once; it is in line %u",
		 line_of("arrays = 8"));
	expect_error("arrays = 8", "burst = 8", message(line_of("burst"), rest));
}

static void what_is_no_value_is_refused(void **state)
{
	const char *const bad[] = { "", "12x", "-1", "0x10", "1e6", "1 2", "1234567890123456789" };
	char rest[128], value[64];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(value, sizeof(value), "array_dim = %s", bad[i]);
		snprintf(rest, sizeof(rest),
			 "array_dim: found \"%s\", required a number from 16 to 1024", bad[i]);
		expect_error("array_dim = 128", value, message(line_of("array_dim"), rest));
	}
}

/* Each key: one below its least value, and one above its largest; and without it. */
static void every_key_has_its_bounds_and_is_required(void **state)
{
	char line[96], rest[160], value[32];
	const char *text;

#define OUT_OF_RANGE(key, n, least, largest) do { \
		snprintf(value, sizeof(value), "%lld", (long long)(n)); \
		snprintf(line, sizeof(line), "%s = %s # ", #key, value); \
		snprintf(rest, sizeof(rest), "%s: found \"%s\", required a number from %llu to %llu", \
			 #key, value, (unsigned long long)(least), (unsigned long long)(largest)); \
		expect_error(#key " = ", line, message(line_of(#key " = "), rest)); \
	} while (0)
#define X(key, least, largest, what) \
	OUT_OF_RANGE(key, (least) - 1ll, least, largest); \
	OUT_OF_RANGE(key, (largest) + 1ll, least, largest); \
	text = text_with(#key " = ", "# "); \
	assert_false(parse(text)); \
	assert_non_null(strstr(err, "found the end, required a line \"" #key " = value\""));
	PROFILE_KEYS(X)
#undef X
}

static void blanks_comments_and_an_unfinished_last_line_are_no_errors(void **state)
{
	struct profile p;
	const char *text = text_with("clock_khz = 1450000", "\r\n \t# = = \n\tclock_khz=1234567\t#\r");
	size_t len = strlen(text);

	assert_true(profile_parse(&p, "file", text, len, err, sizeof(err)));
	assert_int_equal(p.clock_khz, 1234567);
	assert_true(profile_parse(&p, "file", text, len - 1, err, sizeof(err)));
	assert_false(profile_parse(&p, "file", text, 0, err, sizeof(err)));
	assert_non_null(strstr(err, "file:0: found the end"));
}

static void *no_map(void *opaque, uint64_t addr, uint64_t *len, bool write)
{
	return NULL;
}

static void no_unmap(void *opaque, void *ptr, uint64_t len, bool write, uint64_t written)
{
}

static void no_msix(void *opaque, unsigned int vector)
{
}

/* A device with the profile @path. NULL: @err says why not. */
static struct quill_emu *device_with(const char *path)
{
	const struct quill_emu_ops ops = {
		.dma_map = no_map, .dma_unmap = no_unmap, .msix = no_msix,
	};
	const struct quill_emu_config config = { .mem = 1 << 20, .cores = 1, .queues = 1,
						 .profile = path };

	return quill_emu_create(&config, &ops, NULL, err, sizeof(err));
}

static void a_profile_may_be_a_file(void **state)
{
	const char *text = text_with("clock_khz = 1450000", "clock_khz = 777777");
	char path[] = "/tmp/quill-profile-XXXXXX";
	int fd = mkstemp(path);
	struct quill_emu *emu;
	FILE *f;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	emu = device_with(path);
	if (!emu)
		fail_msg("%s", err);
	assert_int_equal(quill_emu_read(emu, QUILL_BAR_REGS, QUILL_REG_CLOCK_KHZ, 4), 777777);
	quill_emu_destroy(emu);

	/* it is read to its end, and said to be too long */
	f = fdopen(fd, "w");
	assert_int_equal(fseek(f, 1 << 20, SEEK_SET), 0);
	fputc('\n', f);
	fclose(f);
	assert_null(device_with(path));
	assert_non_null(strstr(err, "found 65536 bytes or more"));
	unlink(path);
	assert_null(device_with(path));
	assert_non_null(strstr(err, path));
	assert_non_null(strstr(err, "required \"quill-1\", \"unit\" or a file"));
	assert_null(device_with("/"));
	assert_non_null(strstr(err, "profile: /: cannot be read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_profiles_are_whole),
		cmocka_unit_test(what_is_no_line_of_a_profile_is_refused),
		cmocka_unit_test(what_is_no_value_is_refused),
		cmocka_unit_test(every_key_has_its_bounds_and_is_required),
		cmocka_unit_test(blanks_comments_and_an_unfinished_last_line_are_no_errors),
		cmocka_unit_test(a_profile_may_be_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
