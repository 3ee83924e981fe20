// SPDX-License-Identifier: MIT
/* Reading vectors: README.md has the format. */
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pairs of digits up to the line's end: how many bytes, or -1. */
static long get_hex(const char *p, uint8_t *to, size_t room)
{
	size_t n = 0;

	for (; *p && *p != '\n'; p += 2) {
		if (digit(p[0]) < 0 || digit(p[1]) < 0 || n == room)
			return -1;
		to[n++] = (uint8_t)(digit(p[0]) << 4 | digit(p[1]));
	}
	return (long)n;
}

/* "N*xx", or nothing of the kind. */
static bool get_run(const char *p, unsigned long *count, uint8_t *byte)
{
	char *end;

	*count = strtoul(p, &end, 10);
	return *end == '*' && get_hex(end + 1, byte, 1) == 1;
}

static const char *next_line(const char *p)
{
	const char *end = strchr(p, '\n');

	return end ? end + 1 : p + strlen(p);
}

static const char *get_data(const char **text, uint8_t *to, size_t size)
{
	unsigned long count;
	size_t at = 0;
	uint8_t byte;
	long n;

	for (; at < size; *text = next_line(*text)) {
		if (strncmp(*text, "  ", 2))
			return "fewer bytes than the region has";
		if (get_run(*text + 2, &count, &byte)) {
			if (!count || count > size - at)
				return "more bytes than the region has";
			memset(to + at, byte, count);
			at += count;
			continue;
		}
		n = get_hex(*text + 2, to + at, size - at);
		if (n <= 0)
			return "no hexadecimal bytes, or more than the region has";
		at += (size_t)n;
	}
	return NULL;
}

static const char *get_region(const char **text, struct vector_script *s, bool out)
{
	unsigned long long va;
	unsigned int size, i;
	uint8_t **to;

	if (sscanf(*text, "%*s %llx %u", &va, &size) != 2 || !size || size > 1 << 20)
		return "\"in\" and \"out\" need an address and a size";
	*text = next_line(*text);
	for (i = 0; i < s->regions && s->region[i].va != va; i++)
		;
	if (i == VECTOR_MAX_REGIONS)
		return "too many regions";
	if (i == s->regions) {
		s->region[i].va = va;
		s->region[i].size = size;
		s->regions++;
	}
	to = out ? &s->region[i].out : &s->region[i].in;
	if (*to || s->region[i].size != size)
		return "a region twice, or of two sizes";
	*to = malloc(size);
	return *to ? get_data(text, *to, size) : "no memory";
}

static const char *get_command(const char **text, struct vector_script *s)
{
	long n;

	if (s->records == sizeof(s->cmd) / sizeof(s->cmd[0]))
		return "too many commands";
	n = get_hex(*text + 4, (uint8_t *)&s->cmd[s->records], QUILL_CMD_SIZE);
	if (n <= 0)
		return "\"cmd\" needs up to 64 bytes";
	s->records++;
	*text = next_line(*text);
	return NULL;
}

static const char *get_body(const char **text, struct vector_script *s)
{
	const char *error = NULL;

	while (!error && **text) {
		if (!strncmp(*text, "vector ", 7))
			break;
		if (!strncmp(*text, "cmd ", 4))
			error = get_command(text, s);
		else if (!strncmp(*text, "in ", 3))
			error = get_region(text, s, false);
		else if (!strncmp(*text, "out ", 4))
			error = get_region(text, s, true);
		else if (**text == '\n' || **text == '#')
			*text = next_line(*text);
		else
			error = "neither \"cmd\", \"in\", \"out\" nor \"vector\"";
	}
	if (!error && !s->records)
		error = "no command";
	return error;
}

bool vector_read(const char **text, struct vector_script *s, const char **error)
{
	size_t len;

	memset(s, 0, sizeof(*s));
	*error = NULL;
	while (**text == '#' || **text == '\n')
		*text = next_line(*text);
	if (!**text)
		return false;
	if (strncmp(*text, "vector ", 7)) {
		*error = "no \"vector\"";
		return false;
	}
	len = strcspn(*text + 7, "\n");
	if (len >= sizeof(s->name)) {
		*error = "the name is too long";
		return false;
	}
	memcpy(s->name, *text + 7, len);
	*text = next_line(*text);
	*error = get_body(text, s);
	return !*error;
}

void vector_script_free(struct vector_script *s)
{
	unsigned int i;

	for (i = 0; i < s->regions; i++) {
		free(s->region[i].in);
		free(s->region[i].out);
	}
}
