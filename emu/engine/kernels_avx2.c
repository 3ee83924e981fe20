// SPDX-License-Identifier: MIT
/* Kernels for AVX2 with FMA. */
#if defined(__x86_64__)
#include "lanes_avx2.h"
#include "micro_avx2.h"
#include "pack_loops.h"
#include "weigh_loops.h"
#include "wide_avx2.h"
#include "fold_loops.h"
#include "dots_loops.h"
#include "gemm_loops.h"
#include "block_avx2.h"
#include "block_loops.h"
#include "gemm_float_loops.h"
#include "attention_loops.h"
#include "merge_loops.h"
#include "vector_loops.h"
#include "sample_loops.h"
#include "rope_loops.h"
#include "quantise_loops.h"
#include "copy_loops.h"
#include "depthwise_scalar.h"
#include "conv_loops.h"
#include "pool_loops.h"
#include "convert_loops.h"
#include "repack_loops.h"
#include "embed_loops.h"
#include "kernels.h"

QUILL_DEFINE_KERNELS(avx2)
#endif
