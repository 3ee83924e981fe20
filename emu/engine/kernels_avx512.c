// SPDX-License-Identifier: MIT
/* Kernels for AVX-512 F, BW, VL, DQ and VNNI. */
#if defined(__x86_64__)
#include "lanes_avx512.h"
#include "micro_avx512.h"
#include "pack_avx512.h"
#define WEIGH_ROWS 6
#define WEIGH_VECTORS 4
#include "weigh_loops.h"
#include "wide_avx512.h"
#include "fold_avx512.h"
#include "dots_avx512.h"
#include "gemm_loops.h"
#include "block_avx512.h"
#include "block_loops.h"
#include "float_avx512.h"
#include "gemm_float_loops.h"
#include "attention_loops.h"
#include "merge_loops.h"
#include "vector_loops.h"
#include "sample_loops.h"
#include "rope_loops.h"
#include "quantise_loops.h"
#include "copy_avx512.h"
#include "depthwise_avx512.h"
#include "conv_loops.h"
#include "pool_loops.h"
#include "convert_loops.h"
#include "repack_loops.h"
#include "embed_loops.h"
#include "kernels.h"

QUILL_DEFINE_KERNELS(avx512)
#endif
