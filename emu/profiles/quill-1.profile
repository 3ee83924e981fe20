# SPDX-License-Identifier: MIT
#
# quill-1: one core of a chip of Inferentia2's class. docs/device.md says what each key means and how time and energy
# follow from it. "Published" is what AWS says of Inferentia2; "chosen" is chosen, and measured on no chip.

clock_khz = 1450000		# chosen: with the arrays, 380 TOPS of int8, which is published
sram_size = 25165824		# published: 24 MiB
cmd_overhead = 96		# chosen: cycles of the control processor for a record
fixed_cycles = 0		# none: the model says what a command takes

# TENSOR. 2 * 8 * 128 * 128 * 1.45 GHz = 380 TOPS. A row of int8 enters an array in one cycle; one of bfloat16 or FP8 in
# two, which makes 190 TFLOPS of either: published.
arrays = 8			# chosen
array_dim = 128			# chosen
passes_s8 = 1
passes_f8 = 2
passes_bf16 = 2

# VECTOR, all chosen.
vector_lanes = 1024		# float32 operations a cycle
vector_row = 16			# lanes that a row fills up
softmax_ops = 12		# operations for one score
function_ops = 16		# for one sigmoid or tanh

# Device memory. Bandwidth is published: 820 GB/s.
mem_kbps = 820000000
mem_latency = 725		# chosen: 500 ns to the first byte
burst = 64			# chosen
dma_width = 512			# chosen: bytes of a row that the DMA engine moves in a cycle

# The link to the host, over which streams come: a PCIe 4.0 slot of 16 lanes, and a round trip over it. Chosen.
link_kbps = 32000000
link_latency = 1450		# 1 us

# Energy, all chosen: of the order that is published for 7 nm (arithmetic from 0.1 pJ for an int8 multiply-add to some 1.7 pJ
# for a float32 one; SRAM of 1 MiB 14 pJ and HBM some 350 pJ for 8 bytes; serial links some 5 pJ a bit).
static_mw = 40000
mac_s8_fj = 100
mac_f8_fj = 450
mac_bf16_fj = 600
vector_op_fj = 1700
mem_byte_fj = 44000
sram_byte_fj = 1750
link_byte_fj = 40000
