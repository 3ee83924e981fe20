/* SPDX-License-Identifier: MIT */
/*
 * What libaccel's tests in the VM share: a device with a space, a queue, a stream and a buffer. Every teardown
 * compares the device's resets with those expected.
 */
#ifndef LIBACCEL_FIXTURE_H
#define LIBACCEL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accel.h"

#define PAGE	4096ull
#define SECOND	INT64_C(1000000000)

struct fixture {
	struct accel_device *dev;
	struct accel_vm *vm;
	struct accel_queue *queue;
	struct accel_stream *stream;
	struct accel_buffer buf;
	uint32_t resets;
};

static inline uint32_t resets(struct accel_device *dev)
{
	struct accel_device_info info;

	assert_int_equal(accel_device_info(dev, &info), 0);
	return info.reset_count;
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char err[ACCEL_ERROR_MAX];

	*state = f;
	if (accel_device_open(NULL, &f->dev, err, sizeof(err))) {
		print_message("# %s\n", err);
		return -1;
	}
	f->resets = resets(f->dev);
	if (accel_vm_create(f->dev, &f->vm) || accel_queue_create(f->vm, NULL, &f->queue) ||
	    accel_stream_create(f->vm, 64, &f->stream) ||
	    accel_buffer_create(f->vm, 16 * PAGE, &f->buf)) {
		print_message("# %s\n", accel_last_error(f->dev));
		return -1;
	}
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	uint32_t now = f->dev ? resets(f->dev) : 0;

	accel_buffer_destroy(&f->buf);
	accel_stream_destroy(f->stream);
	accel_queue_destroy(f->queue);
	accel_vm_destroy(f->vm);
	accel_device_close(f->dev);
	if (now != f->resets)
		print_message("# the device was reset %u times; expected: %u\n", now, f->resets);
	return now == f->resets ? free(f), 0 : -1;
}

/* Succeeds, or says why not. */
#define ok(f, call) do { \
	int ret_ = (call); \
	if (ret_) \
		fail_msg("%s: %d: %s", #call, ret_, accel_last_error((f)->dev)); \
} while (0)

static inline void expect_text(struct fixture *f, const char *text)
{
	if (!strstr(accel_last_error(f->dev), text))
		fail_msg("found \"%s\", expected \"%s\" in it", accel_last_error(f->dev), text);
}

static inline uint64_t submit(struct fixture *f)
{
	uint64_t point = 0;

	ok(f, accel_queue_submit(f->queue, f->stream, NULL, 0, &point));
	return point;
}

static inline void run(struct fixture *f)
{
	uint64_t point = submit(f);

	ok(f, accel_queue_wait(f->queue, point, 60 * SECOND));
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* LIBACCEL_FIXTURE_H */
