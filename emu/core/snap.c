// SPDX-License-Identifier: MIT
/* A snapshot's bytes: integers are 64 bits, little endian. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snap.h"

void snap_fail(struct snap *s, const char *fmt, ...)
{
	va_list args;
	int len = 0;

	if (s->failed)
		return;
	s->failed = true;
	if (!s->err || !s->err_size)
		return;
	if (s->core >= 0)
		len = snprintf(s->err, s->err_size, "core %d: ", s->core);
	if (len < 0 || (size_t)len >= s->err_size)
		return;
	va_start(args, fmt);
	vsnprintf(s->err + len, s->err_size - len, fmt, args);
	va_end(args);
}

static bool make_room(struct snap *s, size_t size)
{
	size_t want = s->at + size;
	uint8_t *buf;

	if (want <= s->size)
		return true;
	want += want / 2 + 65536;
	buf = realloc(s->buf, want);
	if (!buf) {
		snap_fail(s, "not enough memory for %zu bytes", want);
		return false;
	}
	s->buf = buf;
	s->size = want;
	return true;
}

static void get(struct snap *s, void *bytes, size_t size)
{
	if (!s->failed && size > s->size - s->at)
		snap_fail(s, "the snapshot ends after %zu bytes, required at least %zu", s->size,
			  s->at + size);
	if (s->failed) {
		memset(bytes, 0, size);
		return;
	}
	memcpy(bytes, s->buf + s->at, size);
	s->at += size;
}

void snap_bytes(struct snap *s, void *bytes, size_t size)
{
	if (s->load) {
		get(s, bytes, size);
	} else if (!s->failed && make_room(s, size)) {
		memcpy(s->buf + s->at, bytes, size);
		s->at += size;
	}
}

uint64_t snap_num(struct snap *s, uint64_t value)
{
	/* As is every processor that the device is built for. */
	snap_bytes(s, &value, sizeof(value));
	return value;
}

uint64_t snap_max(struct snap *s, const char *what, uint64_t value, uint64_t max)
{
	value = snap_num(s, value);
	if (value <= max)
		return value;
	snap_fail(s, "%s: found %llu, required at most %llu", what, (unsigned long long)value,
		  (unsigned long long)max);
	return 0;
}

uint64_t snap_mask(struct snap *s, const char *what, uint64_t value, uint64_t mask)
{
	value = snap_num(s, value);
	if (!(value & ~mask))
		return value;
	snap_fail(s, "%s: found 0x%llx, required no bits but 0x%llx", what, (unsigned long long)value,
		  (unsigned long long)mask);
	return 0;
}

void snap_same(struct snap *s, const char *what, uint64_t value)
{
	uint64_t found = snap_num(s, value);

	if (found != value)
		snap_fail(s, "%s: found %llu, required %llu", what, (unsigned long long)found,
			  (unsigned long long)value);
}
