/* SPDX-License-Identifier: MIT */
/*
 * What tests of libaccel's encoders share: a stream that lies in plain memory, and refusals by their
 * text. Encoding needs no device.
 */
#ifndef LIBACCEL_STREAM_H
#define LIBACCEL_STREAM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "internal.h"

/* Records: what the stream says that it has, and what it has for a test to raise that. */
#define ROOM	8
#define MOST	32
#define VA	0x100000
#define TOP	(1ull << 48)

struct fixture {
	struct accel_device dev;
	struct accel_vm vm;
	struct accel_stream stream;
	union quill_cmd cmds[MOST];
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->dev.fd = -1;
	pthread_mutex_init(&f->dev.lock, NULL);
	f->vm.dev = &f->dev;
	f->stream.vm = &f->vm;
	f->stream.cmds = f->cmds;
	f->stream.max = ROOM;
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	free(*state);
	return 0;
}

/* @ret is a refusal with this very text, and the stream is as it was: empty. */
static inline void expect_refusal(struct fixture *f, int ret, const char *text)
{
	assert_string_equal(accel_last_error(&f->dev), text);
	assert_int_equal(ret, -EINVAL);
	assert_int_equal(accel_stream_records(&f->stream), 0);
	f->dev.error[0] = 0;
}

#define RANGE_TEXT " is 0x0; required: an address that is not 0, from which all of the operand lies below 2^48"
#define TOP_TEXT "; required: an address that is not 0, from which all of the operand lies below 2^48"

/*
 * A field that is in no list of isa.h would be reported by a byte offset, a rule without words by isa.h.
 * Break the stream's commands everywhere, @least times at least, and see that only reserved bytes and the
 * extension's header are reported so.
 */
static inline void expect_words_for_every_rule(struct fixture *f, uint32_t least)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x03, 0x7f, 0x80, 0xff };
	uint32_t i, byte, failed = 0;
	union quill_cmd *good, bad[QUILL_MAX_RECORDS];
	struct quill_check why;
	char text[ACCEL_ERROR_MAX];

	for (i = 0; i < f->stream.count; i += 1 + good->hdr.ext) {
		good = &f->cmds[i];
		for (byte = 0; byte < 64u * (1 + good->hdr.ext) * 6; byte++) {
			memcpy(bad, good, (1 + good->hdr.ext) * sizeof(*good));
			((uint8_t *)bad)[byte / 6] = values[byte % 6];
			if (!quill_cmd_check(bad, 1 + good->hdr.ext, &why))
				continue;
			failed++;
			accel_describe_cmd(bad, &why, text, sizeof(text));
			if (why.fault == QUILL_FAULT_RESERVED || (why.record && why.offset < 16))
				continue;
			if (strstr(text, ": byte ") || strstr(text, "isa.h says"))
				fail_msg("no words for fault %u at offset %u of record %u: %s",
					 why.fault, why.offset, why.record, text);
		}
	}
	assert_in_range(failed, least, 100000);
}

#define STREAM_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* LIBACCEL_STREAM_H */
