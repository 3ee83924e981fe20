// SPDX-License-Identifier: MIT
#include <stdbool.h>

#include "text.h"

/* Bytes of the sequence that starts with this one; 0: none does. */
static unsigned int sequence_length(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* May @byte follow what is pending? (RFC 3629, section 4) */
static bool continues(const struct text *t, uint8_t byte)
{
	uint8_t lo = 0x80, hi = 0xbf;

	if (t->n_pending == 1) {
		if (t->pending[0] == 0xc2)
			lo = 0xa0;	/* U+0080..U+009F are control characters */
		else if (t->pending[0] == 0xe0)
			lo = 0xa0;
		else if (t->pending[0] == 0xed)
			hi = 0x9f;
		else if (t->pending[0] == 0xf0)
			lo = 0x90;
		else if (t->pending[0] == 0xf4)
			hi = 0x8f;
	}
	return byte >= lo && byte <= hi;
}

static void escape_pending(struct text *t)
{
	unsigned int i;

	for (i = 0; i < t->n_pending; i++)
		fprintf(t->out, "\\x%02x", t->pending[i]);
	t->n_pending = 0;
}

static void put(struct text *t, uint8_t byte)
{
	if (t->n_pending && !continues(t, byte))
		escape_pending(t);
	t->pending[t->n_pending++] = byte;
	if (t->n_pending < sequence_length(t->pending[0]))
		return;

	if (!sequence_length(t->pending[0]) || byte == 0x7f ||
	    (byte < ' ' && byte != '\n' && byte != '\t')) {
		escape_pending(t);
		return;
	}
	fwrite(t->pending, 1, t->n_pending, t->out);
	t->n_pending = 0;
}

void text_put(struct text *t, uint8_t byte)
{
	put(t, byte);
	fflush(t->out);
}

void text_end(struct text *t)
{
	escape_pending(t);
	fflush(t->out);
}

void text_json(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			fprintf(out, "\\u%04x", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}
