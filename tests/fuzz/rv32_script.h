/* SPDX-License-Identifier: MIT */
/* Programs for the control processor, from bytes: rv32_script.c. */
#ifndef RV32_SCRIPT_H
#define RV32_SCRIPT_H

#include "fuzz.h"

#define SCRIPT_OPS	48u
#define SCRIPT_RECORDS	16u
/* Where in local memory the commands lie that a script issues; its code comes before. */
#define SCRIPT_DATA	0x1800u
#define SCRIPT_SIZE	(SCRIPT_DATA + SCRIPT_RECORDS * 2 * QUILL_CMD_SIZE)

/** script_compile() - a program that pokes at the control block, SCRIPT_SIZE bytes */
void script_compile(struct fuzz_in *in, uint8_t *payload);

#endif /* RV32_SCRIPT_H */
