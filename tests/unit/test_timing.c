// SPDX-License-Identifier: MIT
/* Device time: a function of command and profile, of nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"
#include "timing_internal.h"

static union quill_cmd cmd[QUILL_MAX_RECORDS];

static struct cost cost_of(const char *profile)
{
	struct cost cost;

	timing_cost(profile_get(profile), cmd, &cost);
	return cost;
}

static struct cost gemm(uint32_t m, uint32_t n, uint32_t k)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].gemm.hdr.opcode = QUILL_OP_GEMM;
	cmd[0].gemm.hdr.type_a = cmd[0].gemm.hdr.type_b = QUILL_TYPE_S8;
	cmd[0].gemm.hdr.type_d = QUILL_TYPE_S8;
	cmd[0].gemm.m = m;
	cmd[0].gemm.n = n;
	cmd[0].gemm.k = k;
	cmd[0].gemm.a = cmd[0].gemm.b = cmd[0].gemm.d = 0x100000;
	cmd[1].gemm_ext.scale = 0x100000;
	return cost_of("quill-1");
}

static struct cost attention(uint32_t n_q, uint32_t n_kv, uint32_t heads, uint32_t kv_heads,
			     uint32_t dim, bool causal)
{
	struct quill_cmd_attention *a = &cmd[0].attention;
	struct quill_ext_attention *e = &cmd[1].attention_ext;

	memset(cmd, 0, sizeof(cmd));
	a->hdr.opcode = QUILL_OP_ATTENTION;
	a->hdr.type_a = a->hdr.type_b = QUILL_TYPE_S8;
	a->hdr.flags = causal ? QUILL_CMD_CAUSAL : 0;
	a->n_q = n_q;
	a->n_kv = n_kv;
	a->n_heads = heads;
	a->n_kv_heads = kv_heads;
	a->head_dim = dim;
	a->q = a->k = a->v = a->out = 0x100000;
	e->q_scale = e->k_scale = e->v_scale = 0x100000;
	return cost_of("quill-1");
}

/* A VECTOR command whose body the caller has filled in, of one record. */
static struct cost vector(uint8_t opcode)
{
	cmd[0].hdr.opcode = opcode;
	return cost_of("quill-1");
}

static struct cost eltwise(uint32_t rows, uint32_t n, uint64_t at)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].eltwise.a = cmd[0].eltwise.b = cmd[0].eltwise.dst = at;
	cmd[0].eltwise.rows = rows;
	cmd[0].eltwise.n = n;
	cmd[0].eltwise.b_stride = n;
	return vector(QUILL_OP_ELTWISE);
}

static struct cost norm(uint8_t opcode, uint32_t rows, uint32_t n, uint64_t at)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].norm.src = cmd[0].norm.dst = cmd[0].norm.weight = at;
	cmd[0].norm.rows = rows;
	cmd[0].norm.n = n;
	return vector(opcode);
}

static struct cost quantise(uint8_t opcode, uint32_t rows, uint32_t n, uint32_t group, uint64_t at)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].quantise.src = cmd[0].quantise.dst = cmd[0].quantise.scale = at;
	cmd[0].quantise.rows = rows;
	cmd[0].quantise.n = n;
	cmd[0].quantise.group = group;
	cmd[0].quantise.scale_stride = n / group;
	return vector(opcode);
}

static double tops(struct cost c)
{
	return 2.0 * c.macs * profile_get("quill-1")->clock_khz * 1e3 / c.cycles / 1e12;
}

static void profile_has_the_peak_it_claims(void **state)
{
	const struct profile *p = profile_get(NULL);

	assert_ptr_equal(p, profile_get("quill-1"));
	/* 8 arrays of 128 x 128 at 1.45 GHz: 380 TOPS; 820 GB/s */
	assert_int_equal((int)(2e-9 * p->arrays * p->array_dim * p->array_dim * p->clock_khz), 380);
	assert_int_equal(p->mem_kbps, 820000000);
	assert_null(profile_get("quill-2"));
	assert_null(profile_get(""));
}

static void gemm_takes_the_cycles_that_the_formula_gives(void **state)
{
	struct cost c = gemm(1024, 1024, 1024);

	/* 64 squares on 8 arrays: 8 passes of 1024 rows, 3 * 128 to fill; and the latency of memory */
	assert_int_equal(c.cycles, 8 * 1024 + 3 * 128 + 725);
	assert_int_equal(c.macs, 1ull << 30);
	assert_int_equal(c.read, 2 * 1024 * 1024 + 1024 * 8);
	assert_int_equal(c.written, 1024 * 1024);

	/* one row: memory sets the pace. 1 MiB of B, 1 KiB each of A and D, 8 KiB of table */
	c = gemm(1, 1024, 1024);
	assert_int_equal(c.read + c.written, 1024 * 1024 + 1024 * 10);
	assert_int_equal(c.cycles, (1058816ull * 1450 + 819999) / 820000 + 725);

	/* one square of weights: the eight arrays share the rows */
	c = gemm(8192, 128, 128);
	assert_int_equal(c.cycles, (2ull * 8192 * 128 + 16384 + 1024) * 1450 / 820000 + 1 + 725);
	cmd[0].gemm.a = cmd[0].gemm.b = cmd[0].gemm.d = QUILL_VA_SRAM;
	cmd[1].gemm_ext.scale = QUILL_VA_SRAM;
	c = cost_of("quill-1");
	assert_int_equal(c.cycles, 8192 / 8 + 3 * 128);
	assert_int_equal(c.read + c.written, 0);
}

/* A batch is so many products; what they share is read once, and what is done to their results is read and counted. */
static void gemm_of_a_batch_counts_what_is_read_beside(void **state)
{
	const uint64_t cells = 64ull * 128;
	struct cost one = gemm(64, 128, 256), c;

	cmd[0].gemm.hdr.ext = 3;
	cmd[3].gemm_batch.batch = 10;
	cmd[3].gemm_batch.a_step = cmd[3].gemm_batch.d_step = 0x10000;
	c = cost_of("quill-1");
	assert_int_equal(c.macs, 10 * one.macs);
	assert_int_equal(c.written, 10 * one.written);
	assert_int_equal(c.read, 10 * 64 * 256 + 128 * 256 + 128 * 8);
	assert_int_equal(c.vector_ops, 0);
	cmd[3].gemm_batch.b_step = 0x10000;
	cmd[3].gemm_batch.column_step = 128;
	assert_int_equal(cost_of("quill-1").read, 10 * one.read);

	/* each of the matrices beside: read, and an operation an element */
	cmd[0].gemm.hdr.ext = 2;
	cmd[0].gemm.hdr.type_d = QUILL_TYPE_F32;
	one = cost_of("quill-1");
	cmd[2].gemm_post.gate = cmd[2].gemm_post.residual = 0x100000;
	cmd[2].gemm_post.act = QUILL_ACT_RELU + 1;
	c = cost_of("quill-1");
	assert_int_equal(c.read - one.read, 2 * cells * 4);
	assert_int_equal(c.vector_ops, 3 * cells);
	cmd[2].gemm_post.act = QUILL_ACT_SILU + 1;
	assert_int_equal(cost_of("quill-1").vector_ops,
			 (2 + profile_get("quill-1")->function_ops) * cells);
	cmd[2].gemm_post.act = cmd[2].gemm_post.gate = cmd[2].gemm_post.residual = 0;
	cmd[2].gemm_post.options = QUILL_GEMM_ACCUMULATE;
	c = cost_of("quill-1");
	assert_int_equal(c.read - one.read, cells * 4);
	assert_int_equal(c.vector_ops, cells);

	/* to quantise by scales that are given: these, a quotient and a rounding */
	cmd[0].gemm.hdr.type_d = QUILL_TYPE_S8;
	cmd[2].gemm_post.d_scale = 0x100000;
	cmd[2].gemm_post.options = QUILL_GEMM_SCALE_COLUMNS;
	c = cost_of("quill-1");
	assert_int_equal(c.read - one.read, 128 * 4);
	assert_int_equal(c.vector_ops, 2 * cells);
	cmd[2].gemm_post.options = QUILL_GEMM_SCALE_TENSOR;
	assert_int_equal(cost_of("quill-1").read - one.read, 64);
	cmd[2].gemm_post.d_scale = 0;

	/* and of int8: a byte an element, and a multiplier a column */
	cmd[0].gemm.hdr.type_d = QUILL_TYPE_S8;
	cmd[2].gemm_post.options = 0;
	one = cost_of("quill-1");
	cmd[2].gemm_post.residual = cmd[2].gemm_post.residual_mult = 0x100000;
	assert_int_equal(cost_of("quill-1").read - one.read, cells + 128 * 4);
	assert_int_equal(cost_of("quill-1").vector_ops, cells);
}

/* The bytes of the file are what generation waits for. */
static void gemm_of_other_weights_counts_their_own_bytes(void **state)
{
	const uint64_t n = 1024, k = 1024;
	struct cost c;

	gemm(1, n, k);
	cmd[0].hdr.type_a = QUILL_TYPE_S8;
	cmd[0].hdr.type_b = QUILL_TYPE_Q8_0;
	cmd[0].hdr.type_d = QUILL_TYPE_F32;
	cmd[0].gemm.ldb = k / 32 * 34;
	cmd[1].gemm_ext.scale = 0;
	cmd[1].gemm_ext.group = 32;
	cmd[1].gemm_ext.row_scale = 0x100000;
	cmd[1].gemm_ext.row_scale_stride = k / 32;
	c = cost_of("quill-1");
	assert_int_equal(c.read, n * k / 32 * 34 + k + k / 32 * 4);
	assert_int_equal(c.macs, n * k);
	assert_int_equal(c.mac_kind, MAC_S8);

	cmd[0].hdr.type_b = QUILL_TYPE_S4;
	cmd[0].gemm.ldb = 0;
	cmd[1].gemm_ext.scale = 0x100000;
	c = cost_of("quill-1");
	assert_int_equal(c.read, n * k / 2 + n * k / 32 * 4 + k + k / 32 * 4);

	cmd[0].hdr.type_a = cmd[0].hdr.type_b = QUILL_TYPE_BF16;
	cmd[1].gemm_ext.group = cmd[1].gemm_ext.row_scale_stride = 0;
	cmd[1].gemm_ext.row_scale = cmd[1].gemm_ext.scale = 0;
	c = cost_of("quill-1");
	assert_int_equal(c.read, 2 * n * k + 2 * k);
	assert_int_equal(c.mac_kind, MAC_BF16);

	/* as it is it has as many, here without padding */
	cmd[0].hdr.ext = 2;
	cmd[2].gemm_post.options = QUILL_GEMM_B_ROWS;
	cmd[0].gemm.ldb = n;
	assert_int_equal(cost_of("quill-1").read, c.read);
	cmd[2].gemm_post.options = QUILL_GEMM_B_COLUMNS;
	cmd[0].gemm.ldb = k;
	assert_int_equal(cost_of("quill-1").read, c.read);
	/* A's one row, transposed: a burst an element */
	cmd[2].gemm_post.options |= QUILL_GEMM_A_TRANSPOSED;
	assert_int_equal(cost_of("quill-1").read, c.read + k * (64 - 2));
	cmd[0].hdr.ext = 1;
	cmd[0].gemm.ldb = 0;

	cmd[0].hdr.type_a = cmd[0].hdr.type_b = QUILL_TYPE_E4M3;
	c = cost_of("quill-1");
	assert_int_equal(c.read, n * k + k);
	assert_int_equal(c.mac_kind, MAC_F8);
}

static void repack_reads_matrices_and_writes_panels(void **state)
{
	struct cost one, c;

	memset(cmd, 0, sizeof(cmd));
	cmd[0].repack = (struct quill_cmd_repack){
		.hdr = { .opcode = QUILL_OP_REPACK, .type_a = QUILL_TYPE_BF16,
			 .type_d = QUILL_TYPE_BF16 },
		.src = 0x100000, .dst = 0x200000, .n = 1000, .k = 256, .src_stride = 256, .batch = 1,
	};
	one = cost_of("quill-1");
	assert_int_equal(one.read, 1000 * 256 * 2);
	assert_int_equal(one.written, 1024 * 256 * 2);
	cmd[0].repack.batch = 7;
	cmd[0].repack.src_step = 1000 * 256 * 2;
	c = cost_of("quill-1");
	assert_int_equal(c.read, 7 * one.read);
	assert_int_equal(c.written, 7 * one.written);
}

static void time_beyond_arithmetic_is_memory(void **state)
{
	struct cost c = gemm(1024, 1024, 1024);

	/* 8576 cycles of arithmetic; 3 MiB take less, but for the first byte */
	assert_int_equal(c.compute, 8 * 1024 + 3 * 128);
	assert_int_equal(c.cycles - c.compute, 725);
	/* one row: 8 passes that take as long as loading a square does; memory takes all the rest */
	c = gemm(1, 1024, 1024);
	assert_int_equal(c.compute, 8 * 128 + 3 * 128);
	assert_int_equal(c.cycles, (1058816ull * 1450 + 819999) / 820000 + 725);
	/* in the scratchpad it waits for nothing */
	c = eltwise(100, 1000, QUILL_VA_SRAM);
	assert_int_equal(c.compute, c.cycles);
	assert_int_equal(c.sram_read, 2 * 100 * 4000);
	assert_int_equal(c.sram_written, 100 * 4000);
	assert_int_equal(c.vector_ops, 100 * 1000);
}

static void int8_enters_an_array_twice_as_fast_as_floats(void **state)
{
	const struct profile *p = profile_get("quill-1");

	assert_int_equal(systolic_cycles(p, 64, 1000, MAC_S8), 8 * 1000 + 384);
	assert_int_equal(systolic_cycles(p, 64, 1000, MAC_BF16), 8 * 2000 + 384);
	assert_int_equal(systolic_cycles(p, 64, 1000, MAC_F8), 8 * 2000 + 384);
	/* 190 TFLOPS, published, of bfloat16 */
	assert_int_equal((int)(2e-9 * p->arrays * p->array_dim * p->array_dim * p->clock_khz /
			       p->passes_bf16), 190);
}

static void energy_is_that_of_the_work_and_the_bytes(void **state)
{
	struct cost c = gemm(1024, 1024, 1024);
	struct profile p = *profile_get("quill-1");

	/* 2^30 multiply-adds of 100 fJ; 3 MiB and 8 KiB of table, of 44 pJ a byte */
	assert_int_equal(c.energy, ((1ull << 30) * 100 + (3145728 + 8192) * 44000ull) / 1000);
	c = eltwise(100, 1000, QUILL_VA_SRAM);
	assert_int_equal(c.energy, (100000 * 1700ull + 1200000 * 1750ull) / 1000);
	/* 40 W for a second, 64 bytes of 40 pJ */
	assert_true(timing_static_energy(&p, 1450000000) == 40000000000000ull);
	assert_int_equal(timing_link_energy(&p, 64), 2560);

	/* it does not wrap */
	p.mac_s8_fj = 1000000;
	gemm(1u << 23, 1u << 24, 65536);
	timing_cost(&p, cmd, &c);
	assert_true(c.energy == UINT64_MAX);
	assert_true(timing_static_energy(&p, 1ull << 63) > 1ull << 63);
}

static void large_gemm_nears_the_peak_and_none_passes_it(void **state)
{
	uint32_t m, n, k;

	assert_true(tops(gemm(4096, 4096, 4096)) > 370);
	for (m = 1; m <= 1u << 14; m *= 5)
		for (n = 1; n <= 1u << 14; n *= 7)
			for (k = 1; k <= 1u << 16; k *= 9)
				assert_true(tops(gemm(m, n, k)) <= 380.2);
}

static void more_work_never_takes_less_time(void **state)
{
	uint64_t last = 0, now;
	uint32_t i;

	for (i = 1; i < 3000; i += 13, last = now) {
		now = gemm(i, 512, 512).cycles;
		assert_true(now >= last);
	}
	for (last = 0, i = 1; i < 3000; i += 13, last = now) {
		now = attention(1, i, 8, 2, 64, false).cycles;
		assert_true(now >= last);
	}
}

static void a_that_exceeds_sram_reads_b_again(void **state)
{
	uint64_t b = quill_packed_size(64, 65536);

	assert_int_equal(gemm(192, 64, 65536).read, 192ull * 65536 + b + 512);
	assert_int_equal(gemm(193, 64, 65536).read, 193ull * 65536 + 2 * b + 512);
}

static void attention_counts_the_pairs_that_are_seen(void **state)
{
	struct cost c = attention(10, 100, 8, 2, 64, false);

	assert_int_equal(c.macs, 2ull * 10 * 100 * 8 * 64);
	c = attention(10, 100, 8, 2, 64, true);
	/* 91 + 92 + ... + 100 */
	assert_int_equal(c.macs, 2ull * 955 * 8 * 64);
	assert_int_equal(c.written, 10 * 8 * 64 * 4);
	/* decoding one token over a long context reads all keys and values: memory sets the pace */
	c = attention(1, 1 << 20, 8, 8, 128, true);
	assert_true(c.cycles >= 2ull * (1 << 20) * 8 * 128 * 1450 / 820000);
}

static void largest_commands_do_not_overflow(void **state)
{
	struct cost c = gemm(1u << 23, 1u << 24, 65536);

	assert_true(c.macs == 1ull << 63);
	/* 2^63 multiply-adds on 2^17 units */
	assert_true(c.cycles >= 1ull << 46 && c.cycles < 1ull << 47);
	c = attention(65536, 1 << 20, 1024, 1, 256, false);
	assert_true(c.macs == 1ull << 55);
	assert_true(c.cycles >= 1ull << 38);

	memset(cmd, 0, sizeof(cmd));
	cmd[0].copy.hdr.opcode = QUILL_OP_COPY;
	cmd[0].copy.width = 1ull << 40;
	cmd[0].copy.height = 1u << 8;
	cmd[0].copy.dst = cmd[0].copy.src = 4096;
	c = cost_of("quill-1");
	assert_true(c.read == 1ull << 48 && c.written == 1ull << 48);
	assert_true(c.cycles == ((1ull << 49) * (unsigned __int128)1450 + 819999) / 820000 + 725);
}

static void largest_vector_commands_do_not_overflow(void **state)
{
	const uint64_t elems = 1ull << 48;
	struct cost c = eltwise(1u << 24, 1u << 24, 0x100000);

	assert_true(c.read == 8 * elems && c.written == 4 * elems);
	c = norm(QUILL_OP_LAYERNORM, 1u << 24, 1u << 24, QUILL_VA_SRAM);
	assert_true(c.cycles == 6 * elems / 1024);
	memset(cmd, 0, sizeof(cmd));
	cmd[0].act.src = cmd[0].act.dst = QUILL_VA_SRAM;
	cmd[0].act.rows = cmd[0].act.n = 1u << 24;
	cmd[0].act.op = QUILL_ACT_TANH;
	assert_true(vector(QUILL_OP_ACT).cycles == 16 * elems / 1024);
	assert_true(vector(QUILL_OP_ACT).bytes > 12 * elems);
}

static void transpose_takes_the_longer_way(void **state)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].transpose.hdr.opcode = QUILL_OP_TRANSPOSE;
	cmd[0].transpose.rows = 1000;
	cmd[0].transpose.cols = 16;
	cmd[0].transpose.batch = 2;
	cmd[0].transpose.elem = 4;
	cmd[0].transpose.src = cmd[0].transpose.dst = 4096;
	assert_int_equal(cost_of("quill-1").read, 2 * 1000 * 64);
	assert_int_equal(cost_of("quill-1").written, 2 * 16 * 4032);
	/* 2000 rows of 64 bytes to read, 32 of 4000 to write */
	cmd[0].transpose.src = cmd[0].transpose.dst = QUILL_VA_SRAM;
	assert_int_equal(cost_of("quill-1").cycles, 2000);
}

static void copy_pays_a_burst_for_every_short_row(void **state)
{
	struct cost c;

	memset(cmd, 0, sizeof(cmd));
	cmd[0].copy.hdr.opcode = QUILL_OP_COPY;
	cmd[0].copy.width = 1;
	cmd[0].copy.height = 1000;
	cmd[0].copy.dst = cmd[0].copy.src = 4096;
	c = cost_of("quill-1");
	assert_int_equal(c.read, 64000);
	assert_int_equal(c.written, 64000);
	/* one row a cycle is slower than the bursts' bytes are */
	assert_int_equal(c.cycles, 1000 + 725);
}

/* Cycles that @bytes take at 820 GB/s and 1.45 GHz, behind the latency. */
static uint64_t streamed(uint64_t bytes)
{
	return (bytes * 1450 + 819999) / 820000 + 725;
}

static void vector_commands_stream_from_memory(void **state)
{
	const uint64_t mib = 1 << 20;
	struct cost c = eltwise(1024, 1024, 0x100000);

	/* three matrices of 4 MiB */
	assert_int_equal(c.read, 8 * mib);
	assert_int_equal(c.written, 4 * mib);
	assert_int_equal(c.macs, 0);
	assert_int_equal(c.cycles, streamed(12 * mib));
	/* b is one row */
	cmd[0].eltwise.b_stride = 0;
	assert_int_equal(cost_of("quill-1").read, 4 * mib + 4096);

	c = norm(QUILL_OP_RMSNORM, 1024, 1024, 0x100000);
	assert_int_equal(c.read, 4 * mib + 4096);
	cmd[0].norm.residual = cmd[1].norm_ext.sum = cmd[1].norm_ext.bias = 0x100000;
	c = vector(QUILL_OP_LAYERNORM);
	assert_int_equal(c.read, 8 * mib + 8192);
	assert_int_equal(c.written, 8 * mib);
	assert_int_equal(c.cycles, streamed(16 * mib + 8192));

	c = quantise(QUILL_OP_QUANTISE, 1024, 1024, 32, 0x100000);
	assert_int_equal(c.read, 4 * mib);
	assert_int_equal(c.written, mib + 1024 * 128);
	/* scales that are given are read, once where there is one row of them */
	cmd[0].hdr.ext = 1;
	c = vector(QUILL_OP_QUANTISE);
	assert_int_equal(c.read, 4 * mib + 1024 * 128);
	assert_int_equal(c.written, mib);
	cmd[0].quantise.scale_stride = 0;
	assert_int_equal(vector(QUILL_OP_QUANTISE).read, 4 * mib + 128);
	c = quantise(QUILL_OP_DEQUANTISE, 1024, 1024, 32, 0x100000);
	assert_int_equal(c.read, mib + 1024 * 128);
	assert_int_equal(c.written, 4 * mib);
}

static void vector_commands_in_sram_take_their_operations(void **state)
{
	const uint64_t at = QUILL_VA_SRAM, elems = 100 * 1008;
	struct quill_cmd_act *act = &cmd[0].act;

	/* a row of 1000 takes 1008 lanes; 1024 of them work in a cycle */
	assert_int_equal(eltwise(100, 1000, at).cycles, (elems + 1023) / 1024);
	assert_int_equal(norm(QUILL_OP_RMSNORM, 100, 1000, at).cycles, (3 * elems + 1023) / 1024);
	assert_int_equal(norm(QUILL_OP_LAYERNORM, 100, 1000, at).cycles, (6 * elems + 1023) / 1024);
	assert_int_equal(quantise(QUILL_OP_QUANTISE, 100, 1000, 1000, at).cycles,
			 (3 * elems + 1023) / 1024);
	cmd[0].hdr.ext = 1;
	assert_int_equal(vector(QUILL_OP_QUANTISE).cycles, (2 * elems + 1023) / 1024);
	memset(cmd, 0, sizeof(cmd));
	act->src = act->dst = at;
	act->rows = 100;
	act->n = 1000;
	assert_int_equal(vector(QUILL_OP_ACT).cycles, (elems + 1023) / 1024);
	for (act->op = QUILL_ACT_SIGMOID; act->op < QUILL_ACT_COUNT; act->op++)
		assert_int_equal(vector(QUILL_OP_ACT).cycles, (16 * elems + 1023) / 1024);
	act->op = QUILL_ACT_GELU;
	act->gate = at;
	assert_int_equal(vector(QUILL_OP_ACT).cycles, (17 * elems + 1023) / 1024);
	assert_int_equal(vector(QUILL_OP_ACT).read, 0);
	/* what the host has to do counts all the same: a large one is not run at once */
	assert_true(vector(QUILL_OP_ACT).bytes > 100 * 1000 * 12);
	assert_true(eltwise(1, 100, at).bytes < 8192);
}

static void softmax_rope_reduce_and_gather_take_what_is_documented(void **state)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].softmax.src = cmd[0].softmax.dst = QUILL_VA_SRAM;
	cmd[0].softmax.rows = 64;
	cmd[0].softmax.n = 256;
	assert_int_equal(vector(QUILL_OP_SOFTMAX).cycles, 64 * 256 * 12 / 1024);

	memset(cmd, 0, sizeof(cmd));
	cmd[0].rope.src = cmd[0].rope.dst = cmd[0].rope.table = 0x100000;
	cmd[0].rope.rows = 10;
	cmd[0].rope.heads = 32;
	cmd[0].rope.dim = 128;
	assert_int_equal(vector(QUILL_OP_ROPE).read, 10 * (32 + 1) * 128 * 4);
	assert_int_equal(vector(QUILL_OP_ROPE).written, 10 * 32 * 128 * 4);
	cmd[0].rope.rotary = 64;
	assert_int_equal(vector(QUILL_OP_ROPE).read, 10 * (32 * 128 + 64) * 4);

	memset(cmd, 0, sizeof(cmd));
	cmd[0].reduce.src = cmd[0].reduce.dst = 0x100000;
	cmd[0].reduce.rows = 100;
	cmd[0].reduce.n = 1024;
	assert_int_equal(vector(QUILL_OP_REDUCE).read, 100 * 4096);
	assert_int_equal(vector(QUILL_OP_REDUCE).written, 448);
	cmd[0].reduce.src = cmd[0].reduce.dst = QUILL_VA_SRAM;
	assert_int_equal(vector(QUILL_OP_REDUCE).cycles, 100);
	cmd[0].reduce.op = QUILL_REDUCE_ARGMAX;
	assert_int_equal(vector(QUILL_OP_REDUCE).cycles, 200);

	/* rows of 4 bytes: a burst each, to read and to write; and 1000 indices */
	memset(cmd, 0, sizeof(cmd));
	cmd[0].gather.hdr.type_a = QUILL_TYPE_F32;
	cmd[0].gather.table = cmd[0].gather.index = cmd[0].gather.dst = 0x100000;
	cmd[0].gather.rows = 1000;
	cmd[0].gather.n = 1;
	assert_int_equal(vector(QUILL_OP_GATHER).read, 1000 * 64 + 4032);
	assert_int_equal(vector(QUILL_OP_GATHER).written, 1000 * 64);
	/* and a scale */
	cmd[0].gather.hdr.type_a = QUILL_TYPE_S8;
	cmd[0].gather.hdr.ext = 1;
	cmd[1].gather_ext.scale = 0x100000;
	assert_int_equal(vector(QUILL_OP_GATHER).read, 1000 * 64 + 4032 + 64);
	cmd[1].gather_ext.scale_stride = 1;
	assert_int_equal(vector(QUILL_OP_GATHER).read, 2 * 1000 * 64 + 4032);
}

static void topk_and_sample_take_what_is_documented(void **state)
{
	memset(cmd, 0, sizeof(cmd));
	cmd[0].topk.src = cmd[0].topk.value = cmd[0].topk.index = 0x100000;
	cmd[0].topk.rows = 4;
	cmd[0].topk.n = 4096;
	cmd[0].topk.k = 20;
	assert_int_equal(vector(QUILL_OP_TOPK).read, 4 * 4096 * 4);
	assert_int_equal(vector(QUILL_OP_TOPK).written, 4 * 2 * 128);
	cmd[0].topk.src = cmd[0].topk.value = cmd[0].topk.index = QUILL_VA_SRAM;
	assert_int_equal(vector(QUILL_OP_TOPK).cycles, 4 * 4096 * 2 / 1024);

	memset(cmd, 0, sizeof(cmd));
	cmd[0].sample.src = cmd[0].sample.dst = QUILL_VA_SRAM;
	cmd[0].sample.rows = 4;
	cmd[0].sample.n = 4096;
	assert_int_equal(vector(QUILL_OP_SAMPLE).cycles, 4 * 4096 * 2 / 1024);
	cmd[0].sample.temperature = 0x3f800000;
	assert_int_equal(vector(QUILL_OP_SAMPLE).cycles, 4 * 4096 * 18 / 1024);
	cmd[0].sample.prob = 0x100000;
	assert_int_equal(vector(QUILL_OP_SAMPLE).written, 64);
	assert_int_equal(vector(QUILL_OP_SAMPLE).vector_ops, 4 * 4096 * 30);
}

static void rows_that_sram_cannot_hold_are_read_again(void **state)
{
	const uint32_t most = (24u << 20) / 2 / 4;

	assert_int_equal(norm(QUILL_OP_RMSNORM, 1, most, 0x100000).read, 8ull * most);
	assert_int_equal(norm(QUILL_OP_RMSNORM, 1, most + 16, 0x100000).read, 12ull * (most + 16));
	assert_int_equal(norm(QUILL_OP_LAYERNORM, 1, most + 16, 0x100000).read,
			 16ull * (most + 16));
	assert_int_equal(quantise(QUILL_OP_QUANTISE, 1, 2 * most, most, 0x100000).read, 8ull * most);
	assert_int_equal(quantise(QUILL_OP_QUANTISE, 1, 2 * most, 2 * most, 0x100000).read,
			 16ull * most);
}

static void unit_profile_takes_one_cycle_a_command(void **state)
{
	gemm(1000, 1000, 1000);
	assert_int_equal(cost_of("unit").cycles, 1);
	assert_int_equal(cost_of("unit").macs, 1000000000);
	attention(100, 100, 8, 8, 64, false);
	assert_int_equal(cost_of("unit").cycles, 1);
	eltwise(1000, 1000, 0x100000);
	assert_int_equal(cost_of("unit").cycles, 1);
	assert_true(cost_of("unit").read > 8000000);
}

/* A job with every engine in it; its counters and its timestamp. */
static void run_job(const struct quill_host_config *config, uint64_t result[QUILL_COUNTER_COUNT + 1])
{
	struct quill_host *h = qh_create(config);
	uint32_t as = qh_as_create(h);
	struct qh_buf *b = qh_alloc(h, as, 8 << 20, QH_RW);
	struct quill_job_cpl cpl;
	struct qh_stream s;

	assert_int_equal(qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 4), 0);
	qh_stream_init(&s, h, as, 32);
	qh_fill(&s, b->va + (2 << 20), 1, 3, 1 << 20);
	qh_signal_sem(qh_gemm(&s, b->va, b->va + (1 << 20), b->va + (4 << 20), 64, 512, 512), 1);
	qh_gemm(&s, b->va, b->va + (1 << 20), b->va + (5 << 20), 3, 512, 512);
	qh_wait_sem(qh_copy(&s, b->va + (6 << 20), b->va + (4 << 20), 12345), 1, 1);
	qh_copy_2d(&s, b->va + (6 << 20) + 65536, 100, b->va, 70, 60, 33);
	qh_timestamp(&s, b->va + (7 << 20))->hdr.flags = QUILL_CMD_ORDERED;
	cpl = qh_run(h, 0, &s);
	assert_int_equal(cpl.status, 0);
	memcpy(result, cpl.counters, sizeof(cpl.counters));
	memcpy(&result[QUILL_COUNTER_COUNT], b->ptr + (7 << 20), 8);
	qh_destroy(h);
}

static void device_time_is_the_same_whatever_the_host_does(void **state)
{
	const struct quill_host_config configs[] = {
		{ .emu.threads = 1 },
		{ .emu.threads = 4, .emu.kernels = "scalar" },
		{ .emu.threads = 2, .scatter = true },
		{ .emu.threads = 2, .map_limit = 100, .emu.cores = 2 },
	};
	uint64_t want[QUILL_COUNTER_COUNT + 1], got[QUILL_COUNTER_COUNT + 1];
	unsigned int i;

	run_job(&configs[0], want);
	assert_true(want[QUILL_COUNTER_CYCLES] >= want[QUILL_COUNTER_COUNT]);
	assert_true(want[QUILL_COUNTER_COUNT] > 0);
	assert_int_equal(want[QUILL_COUNTER_MACS], 67ull * 512 * 512);
	for (i = 0; i < 8; i++) {
		run_job(&configs[i % 4], got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_has_the_peak_it_claims),
		cmocka_unit_test(gemm_takes_the_cycles_that_the_formula_gives),
		cmocka_unit_test(gemm_of_a_batch_counts_what_is_read_beside),
		cmocka_unit_test(gemm_of_other_weights_counts_their_own_bytes),
		cmocka_unit_test(repack_reads_matrices_and_writes_panels),
		cmocka_unit_test(time_beyond_arithmetic_is_memory),
		cmocka_unit_test(int8_enters_an_array_twice_as_fast_as_floats),
		cmocka_unit_test(energy_is_that_of_the_work_and_the_bytes),
		cmocka_unit_test(large_gemm_nears_the_peak_and_none_passes_it),
		cmocka_unit_test(more_work_never_takes_less_time),
		cmocka_unit_test(a_that_exceeds_sram_reads_b_again),
		cmocka_unit_test(attention_counts_the_pairs_that_are_seen),
		cmocka_unit_test(largest_commands_do_not_overflow),
		cmocka_unit_test(transpose_takes_the_longer_way),
		cmocka_unit_test(copy_pays_a_burst_for_every_short_row),
		cmocka_unit_test(largest_vector_commands_do_not_overflow),
		cmocka_unit_test(vector_commands_stream_from_memory),
		cmocka_unit_test(vector_commands_in_sram_take_their_operations),
		cmocka_unit_test(topk_and_sample_take_what_is_documented),
		cmocka_unit_test(softmax_rope_reduce_and_gather_take_what_is_documented),
		cmocka_unit_test(rows_that_sram_cannot_hold_are_read_again),
		cmocka_unit_test(unit_profile_takes_one_cycle_a_command),
		cmocka_unit_test(device_time_is_the_same_whatever_the_host_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
