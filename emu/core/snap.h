/* SPDX-License-Identifier: MIT */
/*
 * A snapshot being written, or read: each function does both, so that what is saved and what is loaded cannot differ.
 *
 *	core->error = snap_num(s, core->error);
 *
 * appends the value and gives it back, or gives the one that was saved. What is read is not trusted: a value that
 * cannot be is refused by its name, and from then on everything reads as zero.
 */
#ifndef QUILL_CORE_SNAP_H
#define QUILL_CORE_SNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snap {
	bool load;
	bool failed;
	int core;		/* for messages; -1: the device */
	uint8_t *buf;
	size_t size;		/* load: of all; save: that the buffer has */
	size_t at;
	char *err;
	size_t err_size;
};

void snap_fail(struct snap *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void snap_bytes(struct snap *s, void *bytes, size_t size);
/* An integer of any size. */
uint64_t snap_num(struct snap *s, uint64_t value);
/* One that is at most @max. */
uint64_t snap_max(struct snap *s, const char *what, uint64_t value, uint64_t max);
/* One that has no bits but these. */
uint64_t snap_mask(struct snap *s, const char *what, uint64_t value, uint64_t mask);
/* One that has to be what the device has. */
void snap_same(struct snap *s, const char *what, uint64_t value);

#endif /* QUILL_CORE_SNAP_H */
