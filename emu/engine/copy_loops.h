/* SPDX-License-Identifier: MIT */
/* Copies of some bytes, plain C. */
#ifndef QUILL_COPY_LOOPS_H
#define QUILL_COPY_LOOPS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void micro_copy(int8_t *to, const int8_t *from, size_t n)
{
	memcpy(to, from, n);
}

#endif /* QUILL_COPY_LOOPS_H */
