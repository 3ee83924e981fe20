# SPDX-License-Identifier: MIT
#
# unit: for tests of order. Every command takes one cycle of a nanosecond, decoding and fetching take none. A
# multiply-add, an operation and a byte take a picojoule each, and so does a cycle. Work and bytes are counted as by quill-1.

clock_khz = 1000000
sram_size = 25165824
cmd_overhead = 0
fixed_cycles = 1

arrays = 8
array_dim = 128
passes_s8 = 1
passes_f8 = 2
passes_bf16 = 2

vector_lanes = 1024
vector_row = 16
softmax_ops = 12
function_ops = 16

mem_kbps = 820000000
mem_latency = 0
burst = 64
dma_width = 512

link_kbps = 1000000000000
link_latency = 0

static_mw = 1
mac_s8_fj = 1000
mac_f8_fj = 1000
mac_bf16_fj = 1000
vector_op_fj = 1000
mem_byte_fj = 1000
sram_byte_fj = 1000
link_byte_fj = 1000
