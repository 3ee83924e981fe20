// SPDX-License-Identifier: MIT
/*
 * The built-in profiles are the files in emu/profiles, taken in whole.
 */
#include "profile.h"

#define EMBED(symbol, file)						\
	extern const char profile_##symbol[], profile_##symbol##_end[];	\
	__asm__(".pushsection .rodata, \"a\", %progbits\n"		\
		".hidden profile_" #symbol ", profile_" #symbol "_end\n" \
		".globl profile_" #symbol ", profile_" #symbol "_end\n"	\
		"profile_" #symbol ":\n"				\
		".incbin \"emu/profiles/" file "\"\n"			\
		"profile_" #symbol "_end:\n"				\
		".popsection\n")

EMBED(quill_1, "quill-1.profile");
EMBED(unit, "unit.profile");

const struct profile_text profile_builtin[] = {
	{ "quill-1", profile_quill_1, profile_quill_1_end },
	{ "unit", profile_unit, profile_unit_end },
	{ 0 },
};
