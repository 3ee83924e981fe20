// SPDX-License-Identifier: MIT
/* The client of qtest and QMP. Both are lines of text over a socket that QEMU inherits. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qtest.h"

#define MAX_ARGS	96
/* Bytes of memory in one line: qtest spells them in hexadecimal. */
#define CHUNK		2048
#define EVENTS		65536

struct line {
	int fd;
	char *buf;
	size_t size, used;
	/* of the line handed out last, which goes with the next call */
	size_t taken;
};

struct qtest {
	pid_t pid;
	struct line qtest, qmp;
	/* the events that have come and that nobody waited for yet */
	char events[EVENTS];
	size_t events_len;
};

void qt_die(const char *fmt, ...)
{
	va_list args;

	fputs("qtest: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

uint64_t qt_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* ---- lines ---- */

static void send_line(struct line *l, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= n) {
		n = send(l->fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			qt_die("QEMU is gone: %s", strerror(errno));
	}
}

static bool more(struct line *l, int timeout_ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, timeout_ms) <= 0)
		return false;
	if (l->size - l->used < 4096) {
		l->size = l->size * 2 + 8192;
		l->buf = realloc(l->buf, l->size);
		if (!l->buf)
			qt_die("no memory");
	}
	n = recv(l->fd, l->buf + l->used, l->size - l->used - 1, 0);
	if (n <= 0)
		qt_die("QEMU has closed its socket");
	l->used += n;
	return true;
}

/* The next line, without its end; NULL: none came in time. */
static char *get_line(struct line *l, int timeout_ms)
{
	uint64_t end = qt_now_ms() + timeout_ms, now;
	char *nl;

	if (l->taken)
		memmove(l->buf, l->buf + l->taken, l->used -= l->taken);
	l->taken = 0;
	while (!l->used || !(nl = memchr(l->buf, '\n', l->used))) {
		now = qt_now_ms();
		if (!more(l, now < end ? end - now : 0) && qt_now_ms() >= end)
			return NULL;
	}
	*nl = 0;
	l->taken = nl + 1 - l->buf;
	return l->buf;
}

/* ---- life ---- */

static const char *env_or(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

static void run(const char *const *args, int qtest, int qmp)
{
	const char *argv[MAX_ARGS] = { env_or("QUILL_QEMU", "build/qemu/qemu-system-x86_64") };
	char qtest_arg[64], qmp_arg[64];
	unsigned int n = 1;
	const char *const last[] = {
		"-accel", "qtest", "-display", "none", "-nodefaults", "-no-user-config",
		"-L", "/usr/share/seabios", "-L", "/usr/share/qemu",
		"-chardev", qtest_arg, "-qtest", "chardev:qtest", "-qtest-log", "none",
		"-chardev", qmp_arg, "-mon", "chardev=qmp,mode=control",
	};
	unsigned int i;

	snprintf(qtest_arg, sizeof(qtest_arg), "socket,id=qtest,fd=%d", qtest);
	snprintf(qmp_arg, sizeof(qmp_arg), "socket,id=qmp,fd=%d", qmp);
	for (; *args; args++)
		argv[n++ % MAX_ARGS] = *args;
	for (i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		argv[n++ % MAX_ARGS] = last[i];
	if (n >= MAX_ARGS)
		_exit(127);
	/* Nobody else ends it when a test aborts. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("QUILL_EMU_LIB", env_or("QUILL_EMU_LIB", "build/lib/libquill-emu.so.1"), 1);
	execv(argv[0], (char **)argv);
	fprintf(stderr, "qtest: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

struct qtest *qt_start(const char *const *args)
{
	struct qtest *q = calloc(1, sizeof(*q));
	int qtest[2], qmp[2];

	if (!q || socketpair(AF_UNIX, SOCK_STREAM, 0, qtest) || socketpair(AF_UNIX, SOCK_STREAM, 0, qmp))
		qt_die("socketpair: %s", strerror(errno));
	fflush(NULL);
	q->pid = fork();
	if (q->pid < 0)
		qt_die("fork: %s", strerror(errno));
	if (!q->pid) {
		close(qtest[0]);
		close(qmp[0]);
		run(args, qtest[1], qmp[1]);
	}
	close(qtest[1]);
	close(qmp[1]);
	q->qtest.fd = qtest[0];
	q->qmp.fd = qmp[0];
	if (!get_line(&q->qmp, QT_TIMEOUT_MS))
		qt_die("QEMU's monitor has not greeted in %u ms", QT_TIMEOUT_MS);
	qt_qmp(q, "{\"execute\": \"qmp_capabilities\"}");
	return q;
}

int qt_wait_exit(struct qtest *q)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;
	int status = 0;

	while (waitpid(q->pid, &status, WNOHANG) == 0) {
		if (qt_now_ms() > end) {
			kill(q->pid, SIGKILL);
			qt_die("QEMU does not end");
		}
		usleep(1000);
	}
	close(q->qtest.fd);
	close(q->qmp.fd);
	free(q->qtest.buf);
	free(q->qmp.buf);
	free(q);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void qt_stop(struct qtest *q)
{
	int status;

	qt_qmp(q, "{\"execute\": \"quit\"}");
	status = qt_wait_exit(q);
	if (status)
		qt_die("QEMU's status is %d, expected 0", status);
}

/* ---- ports and memory ---- */

/* What stands behind OK. */
static char *ask(struct qtest *q, const char *text, size_t len)
{
	char *answer;

	send_line(&q->qtest, text, len);
	do {
		answer = get_line(&q->qtest, QT_TIMEOUT_MS);
		if (!answer)
			qt_die("no answer to \"%.60s\"", text);
	} while (!strncmp(answer, "IRQ", 3));
	if (strncmp(answer, "OK", 2))
		qt_die("\"%.60s\": \"%s\"", text, answer);
	return answer + 2;
}

static uint64_t ask_number(struct qtest *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static uint64_t ask_number(struct qtest *q, const char *fmt, ...)
{
	char text[128];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return strtoull(ask(q, text, len), NULL, 16);
}

static char suffix(unsigned int size)
{
	return size == 1 ? 'b' : size == 2 ? 'w' : size == 4 ? 'l' : 'q';
}

void qt_outl(struct qtest *q, uint16_t port, uint32_t value)
{
	ask_number(q, "outl 0x%x 0x%x\n", port, value);
}

uint32_t qt_inl(struct qtest *q, uint16_t port)
{
	return ask_number(q, "inl 0x%x\n", port);
}

uint64_t qt_read(struct qtest *q, uint64_t addr, unsigned int size)
{
	return ask_number(q, "read%c 0x%llx\n", suffix(size), (unsigned long long)addr);
}

void qt_write(struct qtest *q, uint64_t addr, unsigned int size, uint64_t value)
{
	ask_number(q, "write%c 0x%llx 0x%llx\n", suffix(size), (unsigned long long)addr,
		   (unsigned long long)value);
}

static unsigned int nibble(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

void qt_get(struct qtest *q, uint64_t addr, void *to, size_t size)
{
	uint8_t *byte = to;
	size_t part, i;
	char text[96];
	char *hex;

	for (; size; size -= part, addr += part) {
		part = size < CHUNK ? size : CHUNK;
		hex = ask(q, text, snprintf(text, sizeof(text), "read 0x%llx 0x%zx\n",
					    (unsigned long long)addr, part));
		/* " 0x..." */
		for (i = 0, hex += 3; i < part; i++, hex += 2)
			*byte++ = nibble(hex[0]) << 4 | nibble(hex[1]);
	}
}

void qt_put(struct qtest *q, uint64_t addr, const void *from, size_t size)
{
	char text[64 + 2 * CHUNK];
	const uint8_t *byte = from;
	size_t part, i;
	int len;

	for (; size; size -= part, addr += part) {
		part = size < CHUNK ? size : CHUNK;
		len = snprintf(text, sizeof(text), "write 0x%llx 0x%zx 0x", (unsigned long long)addr,
			       part);
		for (i = 0; i < part; i++)
			len += sprintf(text + len, "%02x", *byte++);
		text[len++] = '\n';
		ask(q, text, len);
	}
}

/* ---- the monitor ---- */

static void keep_event(struct qtest *q, const char *text)
{
	size_t len = strlen(text) + 1;

	if (len > EVENTS - q->events_len)
		qt_die("too many events");
	memcpy(q->events + q->events_len, text, len);
	q->events_len += len;
}

static bool is_event(const char *line)
{
	return strstr(line, "\"event\": ");
}

const char *qt_qmp(struct qtest *q, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	char *line;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	text[len++] = '\n';
	send_line(&q->qmp, text, len);
	for (;;) {
		line = get_line(&q->qmp, QT_TIMEOUT_MS);
		if (!line)
			qt_die("no answer to \"%.80s\"", text);
		if (!is_event(line))
			return line;
		keep_event(q, line);
	}
}

const char *qt_hmp(struct qtest *q, const char *command)
{
	return qt_qmp(q, "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"%s\"}}",
		      command);
}

static bool take_event(struct qtest *q, const char *what)
{
	size_t at, len;

	for (at = 0; at < q->events_len; at += len) {
		len = strlen(q->events + at) + 1;
		if (!strstr(q->events + at, what))
			continue;
		q->events_len -= len;
		memmove(q->events + at, q->events + at + len, q->events_len - at);
		return true;
	}
	return false;
}

bool qt_event(struct qtest *q, const char *what)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;
	char *line;

	while (!take_event(q, what)) {
		if (qt_now_ms() > end)
			return false;
		line = get_line(&q->qmp, 100);
		if (line && is_event(line))
			keep_event(q, line);
	}
	return true;
}
