/* SPDX-License-Identifier: MIT */
/* Bytes of a model on their way to a terminal. */
#ifndef QUILL_RUN_TEXT_H
#define QUILL_RUN_TEXT_H

#include <stdint.h>
#include <stdio.h>

/**
 * struct text - a stream of text
 *
 * UTF-8 passes; a sequence is written when it is whole. Bytes that are no UTF-8, and control characters but for
 * newline and tab, are written as \xNN: a model's output cannot steer a terminal.
 */
struct text {
	FILE *out;
	uint8_t pending[4];
	unsigned int n_pending;
};

/** text_put() - write a byte, and flush */
void text_put(struct text *t, uint8_t byte);

/** text_end() - write what is pending */
void text_end(struct text *t);

/** text_json() - write a string of JSON, quotes included; @s is valid UTF-8 */
void text_json(FILE *out, const char *s);

#endif /* QUILL_RUN_TEXT_H */
