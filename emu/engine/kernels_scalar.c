// SPDX-License-Identifier: MIT
/* Kernels in plain C: the definition of what the others must equal. */
#include "lanes_scalar.h"
#include "micro_scalar.h"
#include "pack_loops.h"
#include "gemm_loops.h"
#include "block_scalar.h"
#include "block_loops.h"
#include "gemm_float_loops.h"
#include "attention_loops.h"
#include "vector_loops.h"
#include "rope_loops.h"
#include "quantise_loops.h"
#include "copy_loops.h"
#include "depthwise_scalar.h"
#include "conv_loops.h"
#include "pool_loops.h"
#include "convert_loops.h"
#include "kernels.h"

QUILL_DEFINE_KERNELS(scalar)
