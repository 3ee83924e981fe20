// SPDX-License-Identifier: MIT
/* Which kernels this processor can run, and which are the best. */
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "engine.h"
#include "kernels.h"

static bool supported_scalar(void)
{
	return true;
}

#if defined(__x86_64__)

/* __builtin_cpu_supports() of clang does not know it. */
static bool has_f16c(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_F16C;
}

static bool supported_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

/* Without VNNI the AVX2 kernels are as good. */
static bool supported_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vnni") && supported_avx2();
}

#endif

#define QUILL_TILE(kernel, set) .kernel = quill_##kernel##_##set,
#define QUILL_X(set)					\
	{						\
		.name = #set,				\
		.supported = supported_##set,		\
		.row_sums = quill_row_sums_##set,	\
		.block_sums = quill_block_sums_##set,	\
		QUILL_TILE_KERNELS(QUILL_TILE, set)	\
	},

static const struct quill_kernels engines[] = {
	QUILL_KERNEL_SETS(QUILL_X)
};

#undef QUILL_X
#undef QUILL_TILE

#define ENGINES (sizeof(engines) / sizeof(engines[0]))

const struct quill_kernels *quill_engine_at(unsigned int i)
{
	return i < ENGINES ? &engines[i] : NULL;
}

const struct quill_kernels *quill_engine_get(const char *name)
{
	unsigned int i;

	for (i = ENGINES; i-- > 0; ) {
		if (name && strcmp(name, engines[i].name))
			continue;
		if (engines[i].supported())
			return &engines[i];
	}
	return NULL;
}
