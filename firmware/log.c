// SPDX-License-Identifier: MIT
/*
 * The log: lines for the device's trace, and for the driver if it gave a buffer.
 *
 * For what the driver or the firmware itself did wrong. Nothing that a user's stream can trigger is
 * logged: that goes into completion records.
 */
#include <stdarg.h>

#include "fw.h"

static struct {
	__u64 text;
	__u64 head;
	__u32 size;
	struct quill_fw_log state;
} log;

/* Longer lines are cut. */
static struct {
	char text[120];
	__u32 len;
} line;

void log_init(__u64 addr, __u32 size)
{
	log.head = addr;
	log.text = addr + sizeof(log.state);
	log.size = size ? size - sizeof(log.state) : 0;
	if (size)
		xfer_write(QUILL_AS_HOST, addr, &log.state, sizeof(log.state));
}

static void put(char c)
{
	if (line.len < sizeof(line.text) - 1)
		line.text[line.len++] = c;
}

static void put_string(const char *s)
{
	while (*s)
		put(*s++);
}

static void put_number(__u32 v, __u32 base)
{
	char digits[11];
	__u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		put(digits[--n]);
}

/* The text first, then its length, a word: a reader never sees bytes that are not there. */
static void flush_to_memory(void)
{
	__u32 done = 0;

	if (!log.size)
		return;
	while (done < line.len) {
		__u32 at = log.state.written % log.size;
		__u32 n = line.len - done;

		if (n > log.size - at)
			n = log.size - at;
		if (xfer_write(QUILL_AS_HOST, log.text + at, line.text + done, n))
			return;
		log.state.written += n;
		done += n;
	}
	xfer_write(QUILL_AS_HOST, log.head, &log.state.written, sizeof(log.state.written));
}

void log_line(const char *fmt, ...)
{
	va_list args;
	__u32 i;

	line.len = 0;
	va_start(args, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		fmt++;
		if (*fmt == 's')
			put_string(va_arg(args, const char *));
		else
			put_number(va_arg(args, unsigned int), *fmt == 'x' ? 16 : 10);
	}
	va_end(args);
	line.text[line.len++] = '\n';

	for (i = 0; i < line.len; i++)
		cb_write(QUILL_CB_PUTC, line.text[i]);
	flush_to_memory();
}
