// SPDX-License-Identifier: MIT
/*
 * Reading profiles: lines "key = value", value a decimal number, # begins a comment. Every key of PROFILE_KEYS is there
 * exactly once. Whoever writes a profile hears which line is wrong, what stands there, and what should.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile.h"

/* A profile has a page of text. */
#define TEXT_MAX	65536

static const struct key {
	const char *name;
	size_t offset;
	uint64_t least, largest;
} keys[] = {
#define X(key, least, largest, what) { #key, offsetof(struct profile, key), least, largest },
	PROFILE_KEYS(X)
#undef X
};

#define KEYS	(sizeof(keys) / sizeof(keys[0]))

struct parser {
	struct profile *p;
	const char *file;
	unsigned int line;
	unsigned int seen[KEYS];	/* the line of each key, or 0 */
	char *err;
	size_t err_size;
};

static __attribute__((format(printf, 2, 3))) bool fail(struct parser *s, const char *fmt, ...)
{
	int len = snprintf(s->err, s->err_size, "profile: %s:%u: ", s->file, s->line);
	va_list args;

	if (len < 0 || (size_t)len >= s->err_size)
		return false;
	va_start(args, fmt);
	vsnprintf(s->err + len, s->err_size - (size_t)len, fmt, args);
	va_end(args);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Take @c off both ends of [*begin, *end) while it is blank. */
static void trim(const char **begin, const char **end)
{
	while (*begin < *end && is_blank(**begin))
		++*begin;
	while (*begin < *end && is_blank((*end)[-1]))
		--*end;
}

static int find_key(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < KEYS; i++)
		if (strlen(keys[i].name) == len && !memcmp(keys[i].name, name, len))
			return (int)i;
	return -1;
}

/* False: it is no decimal number, or far too large for any key. */
static bool parse_number(const char *begin, const char *end, uint64_t *value)
{
	*value = 0;
	if (begin == end || end - begin > 18)
		return false;
	for (; begin < end; begin++) {
		if (*begin < '0' || *begin > '9')
			return false;
		*value = *value * 10 + (uint64_t)(*begin - '0');
	}
	return true;
}

static bool parse_value(struct parser *s, int i, const char *begin, const char *end)
{
	const struct key *k = &keys[i];
	uint64_t value;

	if (!parse_number(begin, end, &value) || value < k->least || value > k->largest)
		return fail(s, "%s: found \"%.*s\", required a number from %llu to %llu", k->name,
			    (int)(end - begin), begin, (unsigned long long)k->least,
			    (unsigned long long)k->largest);
	memcpy((char *)s->p + k->offset, &value, sizeof(value));
	return true;
}

static bool parse_line(struct parser *s, const char *begin, const char *end)
{
	const char *comment = memchr(begin, '#', (size_t)(end - begin));
	const char *equals, *key_end, *value;
	int i;

	if (comment)
		end = comment;
	trim(&begin, &end);
	if (begin == end)
		return true;
	equals = memchr(begin, '=', (size_t)(end - begin));
	if (!equals)
		return fail(s, "found \"%.*s\", required \"key = value\"", (int)(end - begin), begin);
	key_end = equals;
	value = equals + 1;
	trim(&begin, &key_end);
	trim(&value, &end);

	i = find_key(begin, (size_t)(key_end - begin));
	if (i < 0)
		return fail(s, "found the key \"%.*s\", required one of docs/device.md",
			    (int)(key_end - begin), begin);
	if (s->seen[i])
		return fail(s, "found %s again, required it once; it is in line %u", keys[i].name,
			    s->seen[i]);
	s->seen[i] = s->line;
	return parse_value(s, i, value, end);
}

bool profile_parse(struct profile *p, const char *file, const char *text, size_t len, char *err,
		   size_t err_size)
{
	struct parser s = { .p = p, .file = file, .err = err, .err_size = err_size };
	const char *end = text + len, *next;
	unsigned int i;

	for (; text < end; text = next < end ? next + 1 : end) {
		s.line++;
		next = memchr(text, '\n', (size_t)(end - text));
		if (!next)
			next = end;
		if (!parse_line(&s, text, next))
			return false;
	}
	for (i = 0; i < KEYS; i++)
		if (!s.seen[i])
			return fail(&s, "found the end, required a line \"%s = value\"",
				    keys[i].name);
	return true;
}

static const struct profile_text *find_builtin(const char *name)
{
	const struct profile_text *t;

	for (t = profile_builtin; t->name; t++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

static bool load_file(struct profile *p, const char *path, char *err, size_t err_size)
{
	char *text = malloc(TEXT_MAX);
	FILE *f = fopen(path, "re");
	bool ok = false;
	size_t len = 0;

	if (!f) {
		snprintf(err, err_size, "profile: found \"%s\" (%s), required \"quill-1\", \"unit\" or a file",
			 path, strerror(errno));
		free(text);
		return false;
	}
	if (text)
		len = fread(text, 1, TEXT_MAX, f);
	if (!text || ferror(f))
		snprintf(err, err_size, "profile: %s: cannot be read: %s", path, strerror(errno));
	else if (len == TEXT_MAX)
		snprintf(err, err_size, "profile: %s: found %d bytes or more, required less", path,
			 TEXT_MAX);
	else
		ok = profile_parse(p, path, text, len, err, err_size);
	fclose(f);
	free(text);
	return ok;
}

bool profile_load(struct profile *p, const char *name, char *err, size_t err_size)
{
	const struct profile_text *t = name ? find_builtin(name) : profile_builtin;

	if (!t)
		return load_file(p, name, err, err_size);
	return profile_parse(p, t->name, t->begin, (size_t)(t->end - t->begin), err, err_size);
}

#define BUILTIN_MAX	8

static struct profile builtin[BUILTIN_MAX];

static void parse_builtin(void)
{
	char err[256];
	unsigned int i;

	for (i = 0; i < BUILTIN_MAX && profile_builtin[i].name; i++) {
		if (profile_load(&builtin[i], profile_builtin[i].name, err, sizeof(err)))
			continue;
		/* a file of the tree, held by a test */
		fprintf(stderr, "%s\n", err);
		abort();
	}
}

const struct profile *profile_get(const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct profile_text *t = name ? find_builtin(name) : profile_builtin;

	pthread_once(&once, parse_builtin);
	return t ? &builtin[t - profile_builtin] : NULL;
}
