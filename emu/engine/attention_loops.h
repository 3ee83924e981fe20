/* SPDX-License-Identifier: MIT */
/* ATTENTION, by the type of its keys. kernels_*.c includes it. */
#ifndef QUILL_ATTENTION_LOOPS_H
#define QUILL_ATTENTION_LOOPS_H

#include "attention_bf16.h"
#include "attention_s8.h"

static inline void attention_tile(const struct quill_attention_tile *t)
{
	if (t->type_kv == QUILL_TYPE_BF16)
		attention_bf16_tile(t);
	else
		attention_s8_tile(t);
}

#endif /* QUILL_ATTENTION_LOOPS_H */
