// SPDX-License-Identifier: MIT
/*
 * Writes the seeds: usage: seeds DIRECTORY, which gets one folder a target. `make fuzz-seeds` keeps the tree's up to date.
 *
 * One small input for each thing that a target can do; the mutators do the rest.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stream.h"

static const char *root;

static void put(const char *target, const char *name, const void *data, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s.bin", root, target, name);
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
		perror(path);
		exit(1);
	}
}

/* ---- streams ---- */

static struct {
	struct stream_head head;
	union quill_cmd rec[STREAM_MAX];
} s;
static uint32_t n;

static union quill_cmd *add(uint8_t opcode, uint8_t ext)
{
	union quill_cmd *cmd = &s.rec[n];
	uint8_t i;

	cmd->hdr.opcode = opcode;
	cmd->hdr.ext = ext;
	for (i = 1; i <= ext; i++)
		cmd[i].hdr.opcode = QUILL_OP_EXT;
	n += 1 + ext;
	return cmd;
}

static union quill_cmd *add_typed(uint8_t opcode, uint8_t ext, uint8_t a, uint8_t b, uint8_t d)
{
	union quill_cmd *cmd = add(opcode, ext);

	cmd->hdr.type_a = a;
	cmd->hdr.type_b = b;
	cmd->hdr.type_d = d;
	return cmd;
}

/* For both that read streams; and the next one begins. */
static void put_stream(const char *name)
{
	uint8_t flat[sizeof(s)];

	memcpy(flat, &s.head, sizeof(s.head));
	memcpy(flat + sizeof(s.head), s.rec, n * sizeof(s.rec[0]));
	put("stream", name, flat, sizeof(s.head) + n * sizeof(s.rec[0]));
	put("isa_check", name, flat, sizeof(s.head) + n * sizeof(s.rec[0]));
	memset(&s, 0, sizeof(s));
	n = 0;
}

static void add_copy(uint64_t dst, uint64_t src, uint64_t width, uint32_t height, uint32_t stride)
{
	union quill_cmd *cmd = add(QUILL_OP_COPY, 0);

	cmd->copy.dst = dst;
	cmd->copy.src = src;
	cmd->copy.width = width;
	cmd->copy.height = height;
	cmd->copy.dst_stride = stride;
	cmd->copy.src_stride = stride;
}

static void add_fill(uint64_t dst, uint64_t width)
{
	union quill_cmd *cmd = add(QUILL_OP_FILL, 0);

	cmd->fill.dst = dst;
	cmd->fill.width = width;
	cmd->fill.height = 1;
	cmd->fill.elem = 4;
	cmd->fill.value = 0x3f800000;
}

static union quill_cmd *add_gemm(uint8_t type_d, uint64_t d, uint32_t m, uint32_t cols, uint32_t k)
{
	union quill_cmd *cmd = add_typed(QUILL_OP_GEMM, 1, QUILL_TYPE_S8, QUILL_TYPE_S8, type_d);

	cmd->gemm.a = VA_RO;
	cmd->gemm.b = VA_RO + 4096;
	cmd->gemm.d = d;
	cmd->gemm.m = m;
	cmd->gemm.n = cols;
	cmd->gemm.k = k;
	cmd->gemm.lda = k;
	cmd->gemm.ldd = cols;
	if (type_d != QUILL_TYPE_S32)
		cmd[1].gemm_ext.scale = VA_RO;
	if (type_d == QUILL_TYPE_S8) {
		cmd[1].gemm_ext.lo = -128;
		cmd[1].gemm_ext.hi = 127;
	}
	return cmd;
}

static void add_attention(uint16_t flags, uint32_t queries, uint32_t keys)
{
	union quill_cmd *cmd = add_typed(QUILL_OP_ATTENTION, 1, QUILL_TYPE_S8, QUILL_TYPE_S8,
					 QUILL_TYPE_F32);

	cmd->hdr.flags = flags;
	cmd->attention.q = VA_RO;
	cmd->attention.k = VA_RO + 8192;
	cmd->attention.v = VA_RO + 16384;
	cmd->attention.out = VA_RW;
	cmd->attention.n_q = queries;
	cmd->attention.n_kv = keys;
	cmd->attention.n_heads = 4;
	cmd->attention.n_kv_heads = 2;
	cmd->attention.head_dim = 16;
	cmd[1].attention_ext.q_scale = VA_RO + 32768;
	cmd[1].attention_ext.k_scale = VA_RO + 36864;
	cmd[1].attention_ext.v_scale = VA_RO + 40960;
	cmd[1].attention_ext.q_stride = 64;
	cmd[1].attention_ext.out_stride = 64;
	cmd[1].attention_ext.kv_stride = 32;
	cmd[1].attention_ext.kv_head_stride = 16;
	cmd[1].attention_ext.softmax_scale = 0x3e800000;
}

/* A table of pages 1, 2, ... 7; keys appended to them and attended to, in two parts that are merged. */
static void add_cache(void)
{
	union quill_cmd *c;
	uint32_t i;

	for (i = 0; i < 7; i++) {
		add_fill(VA_RW + 32768 + i * 4, 4);
		s.rec[n - 1].fill.value = i + 1;
	}
	c = add_typed(QUILL_OP_KV_APPEND, 1, QUILL_TYPE_F32, QUILL_TYPE_NONE, QUILL_TYPE_S8);
	c->hdr.flags = QUILL_CMD_ORDERED;
	c->kv_append = (struct quill_cmd_kv_append){ c->hdr, VA_RO, VA_RO + 4096, VA_RW, VA_RW + 8192,
						     3, 30, 2, 16, 32 };
	c[1].kv_append_ext = (struct quill_ext_kv_append){
		c[1].hdr, VA_RW + 16384, VA_RW + 20480, VA_RW + 32768, 32, 16, 16, 512, 9, 0,
	};
	add_attention(QUILL_CMD_ORDERED | QUILL_CMD_CAUSAL, 2, 33);
	c = &s.rec[n - 2];
	c->hdr.ext = 2;
	s.rec[n++].hdr.opcode = QUILL_OP_EXT;
	c[2].attention_more = (struct quill_ext_attention_more){
		c[2].hdr, VA_RW + 24576, VA_RW + 32768, 20, 16, 512, 9, QUILL_WEIGHTS_S16, 0, 0,
	};
	c = add_typed(QUILL_OP_MERGE, 1, QUILL_TYPE_F32, QUILL_TYPE_F32, QUILL_TYPE_F32);
	c->merge = (struct quill_cmd_merge){ c->hdr, VA_RO, VA_RO + 4096, VA_RW + 40960, VA_RW + 45056,
					     2, 2, 4, 16, 0 };
	c[1].merge_ext = (struct quill_ext_merge){ c[1].hdr, 64, 64, 128, 16, { 0 } };
}

static void simple_streams(void)
{
	union quill_cmd *cmd;

	add(QUILL_OP_NOP, 0);
	add(QUILL_OP_FENCE, 0);
	add(QUILL_OP_TIMESTAMP, 0)->timestamp.dst = VA_RW;
	put_stream("plain");

	cmd = add(QUILL_OP_SEM_SIGNAL, 0);
	cmd->hdr.signal_sem = 1;
	cmd = add(QUILL_OP_SEM_WAIT, 0);
	cmd->hdr.wait_sem = 1;
	cmd->hdr.wait_value = 1;
	add_fill(VA_RW, 4096);
	s.rec[n - 1].hdr.signal_sem = 2;
	add_gemm(QUILL_TYPE_S32, VA_RW, 4, 4, 4);
	s.rec[n - 2].hdr.wait_sem = 2;
	s.rec[n - 2].hdr.wait_value = 1;
	put_stream("semaphores");

	add(QUILL_OP_NOP, 0);
	add(QUILL_OP_JUMP, 0);
	put_stream("forever");

	cmd = add(QUILL_OP_SEM_WAIT, 0);
	cmd->hdr.wait_sem = 3;
	cmd->hdr.wait_value = 1;
	put_stream("deadlock");

	s.head.more = 3;
	add_fill(VA_RW, 64);
	put_stream("cut");

	s.head.more = 0x81;
	add_fill(VA_RW, 64);
	put_stream("into-next-page");
}

/* What was found, so that it stays found. */
static void found_streams(void)
{
	union quill_cmd *cmd = add_typed(QUILL_OP_ROPE, 0, QUILL_TYPE_F32, QUILL_TYPE_F32,
					 QUILL_TYPE_F32);

	/* heads * dim was computed, before either was checked, as an int */
	cmd->rope.rows = 1;
	cmd->rope.heads = 59392;
	cmd->rope.dim = 60305;
	put_stream("rope-overflow");

	/* and again */
	cmd = add_typed(QUILL_OP_KV_APPEND, 1, QUILL_TYPE_F32, QUILL_TYPE_NONE, QUILL_TYPE_S8);
	cmd->kv_append.tokens = 1;
	cmd->kv_append.heads = 44404;
	cmd->kv_append.dim = 52305;
	put_stream("kv-append-overflow");
	cmd = add_typed(QUILL_OP_MERGE, 1, QUILL_TYPE_F32, QUILL_TYPE_F32, QUILL_TYPE_F32);
	cmd->merge.rows = 1;
	cmd->merge.heads = 44404;
	cmd->merge.dim = 52305;
	put_stream("merge-overflow");
}

static void memory_streams(void)
{
	s.head.layout = LAYOUT_SCATTER;
	s.head.map_limit = 1;
	add_fill(VA_RW, 5000);
	add_copy(VA_RW + 100, VA_RW, 5000, 1, 0);
	add_copy(VA_RW, VA_RO + 3, 100, 40, 120);
	put_stream("scattered");

	s.head.layout = LAYOUT_DEVMEM;
	add_copy(QUILL_VA_SRAM, VA_RO, SIZE_RO, 1, 0);
	add_copy(VA_RW, QUILL_VA_SRAM + 64, 4096, 1, 0);
	add_fill(VA_WO + SIZE_WO - 64, 64);
	put_stream("devmem");

	s.head.layout = LAYOUT_HUGE;
	s.head.hole = 3;
	add_fill(VA_RW, 1 << 20);
	add_copy(QUILL_VA_SRAM, QUILL_VA_SRAM + (8 << 20), 8 << 20, 1, 0);
	put_stream("huge");

	add_fill(VA_RW + SIZE_RW - 4, 8);
	put_stream("over-the-end");
}

static void tensor_streams(void)
{
	union quill_cmd *cmd;

	add_gemm(QUILL_TYPE_S32, VA_RW, 17, 65, 33);
	cmd = add_gemm(QUILL_TYPE_F32, VA_RW + 8192, 3, 70, 12);
	cmd[1].gemm_ext.row_scale = VA_RO + 64;
	cmd[1].gemm_ext.bias = VA_RO + 128;
	put_stream("gemm");

	s.head.layout = LAYOUT_SCATTER;
	add_gemm(QUILL_TYPE_S8, VA_RW + 1, 5, 64, 64)->gemm.ldd = 100;
	add_gemm(QUILL_TYPE_F32, VA_RW + 4092, 33, 128, 100);
	put_stream("gemm-scattered");

	cmd = add_gemm(QUILL_TYPE_S32, QUILL_VA_SRAM + (16 << 20), 512, 512, 2048);
	cmd->gemm.a = QUILL_VA_SRAM;
	cmd->gemm.b = QUILL_VA_SRAM + (8 << 20);
	put_stream("gemm-big");

	add_attention(0, 3, 70);
	add_attention(QUILL_CMD_CAUSAL, 8, 8);
	put_stream("attention");

	s.head.layout = LAYOUT_SCATTER;
	s.head.map_limit = 2;
	add_attention(QUILL_CMD_CAUSAL, 5, 100);
	put_stream("attention-scattered");

	add_cache();
	put_stream("attention-cache");
}

/* All VECTOR commands on matrices of 3 rows of 20, that lie where @layout says. */
static void vector_stream(uint8_t layout, const char *name)
{
	const uint8_t f32 = QUILL_TYPE_F32, none = QUILL_TYPE_NONE;
	union quill_cmd *c;

	s.head.layout = layout;
	c = add_typed(QUILL_OP_RMSNORM, 1, f32, f32, f32);
	c->norm = (struct quill_cmd_norm){ c->hdr, VA_RO, VA_RW, VA_RO + 64, VA_RO + 512, 3, 20, 20,
					   24 };
	c[1].norm_ext.sum = VA_RW + 4000;
	c[1].norm_ext.residual_stride = 20;
	c[1].norm_ext.eps = 0x3727c5ac;
	c = add_typed(QUILL_OP_LAYERNORM, 1, f32, f32, f32);
	c->norm = (struct quill_cmd_norm){ c->hdr, VA_RO, VA_RW, VA_RO + 64, 0, 3, 20, 20, 20 };
	c[1].norm_ext.bias = VA_RO;
	c = add_typed(QUILL_OP_SOFTMAX, 0, f32, none, f32);
	c->softmax = (struct quill_cmd_softmax){ c->hdr, VA_RO, VA_RW, 3, 20, 20, 20, 0x3f800000,
						 0, 0 };
	c = add_typed(QUILL_OP_ROPE, 0, f32, f32, f32);
	c->rope = (struct quill_cmd_rope){ c->hdr, VA_RO, VA_RW, VA_RO + 64, 3, 2, 10, 20, 20, 6, 0 };
	c = add_typed(QUILL_OP_QUANTISE, 0, f32, none, QUILL_TYPE_S8);
	c->quantise = (struct quill_cmd_quantise){ c->hdr, VA_RO, VA_RW, VA_RW + 4094 * 2, 3, 20, 10,
						   20, 20, 2 };
	c = add_typed(QUILL_OP_QUANTISE, 1, f32, none, QUILL_TYPE_S8);
	c->quantise = (struct quill_cmd_quantise){ c->hdr, VA_RO, VA_RW, VA_RO + 64, 3, 20, 1, 20, 20,
						   0 };
	c[1].quantise_ext.hi = 127;
	c = add_typed(QUILL_OP_DEQUANTISE, 0, QUILL_TYPE_S8, none, f32);
	c->quantise = (struct quill_cmd_quantise){ c->hdr, VA_RO, VA_RW, VA_RO + 64, 3, 20, 5, 20, 20,
						   4 };
	c = add_typed(QUILL_OP_ELTWISE, 0, f32, f32, f32);
	c->eltwise = (struct quill_cmd_eltwise){ c->hdr, VA_RO, VA_RO + 400, VA_RW, 3, 20, 20, 0, 20, 2 };
	c = add_typed(QUILL_OP_ACT, 0, f32, f32, f32);
	c->act = (struct quill_cmd_act){ c->hdr, VA_RO, VA_RO + 400, VA_RW + 4060, 3, 20, 20, 20, 20, 4 };
	c = add_typed(QUILL_OP_REDUCE, 0, f32, none, QUILL_TYPE_S32);
	c->reduce = (struct quill_cmd_reduce){ c->hdr, VA_RO, VA_RW, 3, 20, 20, 2, { 0 } };
	add_fill(VA_RW, 64);
	s.rec[n - 1].fill.value = 1;
	c = add_typed(QUILL_OP_GATHER, 0, f32, QUILL_TYPE_S32, f32);
	c->gather = (struct quill_cmd_gather){ c->hdr, VA_RO, VA_RW, VA_RW + 256, 3, 20, 5, 20, 20,
					       0 };
	c = add_typed(QUILL_OP_GATHER, 1, QUILL_TYPE_S8, QUILL_TYPE_S32, f32);
	c->gather = (struct quill_cmd_gather){ c->hdr, VA_RO + 1, VA_RW, VA_RW + 256, 3, 20, 5, 20,
					       20, 0 };
	c[1].gather_ext.scale = VA_RO + 4;
	c[1].gather_ext.scale_stride = 2;
	c->hdr.flags = QUILL_CMD_ORDERED;
	put_stream(name);
}

/* A convolution of two images of 9 by 7, @in_c to @out_c channels, 3 by 3 taps and padding. */
static union quill_cmd *add_conv2d(uint8_t type_d, uint8_t ext, uint16_t in_c, uint16_t out_c,
				   uint16_t groups)
{
	union quill_cmd *c = add_typed(QUILL_OP_CONV2D, ext, QUILL_TYPE_S8, QUILL_TYPE_S8, type_d);

	c->conv2d = (struct quill_cmd_conv2d){
		.hdr = c->hdr, .src = VA_RO + 1, .weight = VA_RO + 8192, .dst = VA_RW, .batch = 2,
		.in_h = 9, .in_w = 7, .out_h = 5, .out_w = 7, .in_c = in_c, .out_c = out_c,
		.groups = groups, .kh = 3, .kw = 3, .stride_h = 2, .stride_w = 1, .dilation_h = 1,
		.dilation_w = 1, .pad_value = -3,
	};
	c[1].conv2d_ext.src_stride = in_c + 1;
	c[1].conv2d_ext.dst_stride = out_c;
	c[1].conv2d_ext.pad_top = c[1].conv2d_ext.pad_left = 1;
	if (type_d != QUILL_TYPE_S32)
		c[1].conv2d_ext.scale = VA_RO + 4096;
	if (type_d == QUILL_TYPE_S8) {
		c[1].conv2d_ext.lo = -128;
		c[1].conv2d_ext.hi = 127;
	}
	return c;
}

static void add_pool(uint8_t type, uint8_t op)
{
	union quill_cmd *c = add_typed(QUILL_OP_POOL, 0, type, QUILL_TYPE_NONE, type);

	c->pool = (struct quill_cmd_pool){
		.hdr = c->hdr, .src = VA_RO, .dst = VA_RW + 4000, .src_stride = 20, .dst_stride = 20,
		.batch = 1, .in_h = 6, .in_w = 7, .out_h = 3, .out_w = 4, .channels = 19, .kh = 3,
		.kw = 2, .pad_top = 1, .stride_h = 2, .stride_w = 2, .op = op,
	};
}

static void conv_stream(uint8_t layout, const char *name)
{
	union quill_cmd *c;

	s.head.layout = layout;
	add_conv2d(QUILL_TYPE_S32, 1, 3, 70, 1);
	add_conv2d(QUILL_TYPE_F32, 1, 12, 6, 3);
	add_conv2d(QUILL_TYPE_S32, 1, 67, 67, 67);	/* depthwise */
	c = add_conv2d(QUILL_TYPE_S8, 2, 5, 8, 1);
	c[2].conv2d_residual.residual = VA_RW;
	c[2].conv2d_residual.mult = VA_RO;
	c[2].conv2d_residual.stride = 8;
	add_pool(QUILL_TYPE_S8, QUILL_POOL_MAX);
	add_pool(QUILL_TYPE_S8, QUILL_POOL_MEAN_PADDED);
	add_pool(QUILL_TYPE_F32, QUILL_POOL_MEAN);
	put_stream(name);
}

/* Weights in blocks and narrow floats, 5 by 64 by 70. */
static void weight_streams(void)
{
	static const uint8_t types[][2] = {
		{ QUILL_TYPE_S8, QUILL_TYPE_Q8_0 }, { QUILL_TYPE_S8, QUILL_TYPE_Q4_0 },
		{ QUILL_TYPE_S8, QUILL_TYPE_S4 }, { QUILL_TYPE_BF16, QUILL_TYPE_BF16 },
		{ QUILL_TYPE_E4M3, QUILL_TYPE_E5M2 },
	};
	union quill_cmd *c;
	unsigned int i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		c = add_gemm(QUILL_TYPE_F32, VA_RW + i * 1404, 5, 70, 64);
		c->hdr.type_a = types[i][0];
		c->hdr.type_b = types[i][1];
		if (i < 3)
			c[1].gemm_ext.group = 32;
		if (i < 2)
			c->gemm.ldb = i ? 36 : 68;
	}
	put_stream("gemm-weights");
}

/* A loop whose command moves with the register, and a stream that calls itself. */
static void control_streams(void)
{
	union quill_cmd *c;

	c = add(QUILL_OP_SET, 0);
	c->set.op = QUILL_SET_VALUE;
	c->set.reg = 1;
	c->set.value = 2;
	c = add(QUILL_OP_PATCH, 0);
	c->patch.entry[0] = quill_patch_entry(1, 4, 1, 64);
	add_fill(VA_RW, 32);
	c = add(QUILL_OP_LOOP, 0);
	c->loop.target = QUILL_CMD_SIZE;
	c->loop.reg = 1;
	c->loop.limit = 7;
	c = add(QUILL_OP_SET, 0);
	c->set.op = QUILL_SET_LOAD;
	c->set.word = VA_RW;
	c->set.max = 0xffffffff;
	put_stream("loop");

	c = add(QUILL_OP_CALL, 0);
	c->call.stream = VA_STREAM;
	c->call.size = QUILL_CMD_SIZE;
	put_stream("call");
}

/* ---- the others: their bytes, as the targets read them ---- */

/* An entry of a table: which table, index, kind (fuzz_mmu's make_entry), number. */
#define TO_TABLE(from, index, to)	from, index, 1, to
#define TO_PAGE(from, index, page)	from, index, 3, page
/* FILL: odd gap; COPY: even gap. Then the address: not SRAM, four indices as they are, offset. */
#define U16(v)				(v) & 0xff, (v) >> 8
#define VA(i3, i2, i1, i0, offset)	0, (i3) | 0x40, (i2) | 0x40, (i1) | 0x40, (i0) | 0x40, U16(offset)

static void mmu_seeds(void)
{
	static const uint8_t pages[] = {
		0, 0, 0, 5, TO_TABLE(0, 1, 1), TO_TABLE(1, 0, 2), TO_TABLE(2, 0, 3),
		TO_PAGE(3, 0, 1), TO_PAGE(3, 1, 2), 2,
		U16(5000), 0, U16(1), VA(1, 0, 0, 0, 100),
		U16(100), 15, U16(4), VA(1, 0, 0, 1, 0), VA(1, 0, 0, 0, 7),
		U16(8191), 0, U16(1), VA(1, 0, 0, 0, 4090),
	};
	static const uint8_t huge[] = {
		2, 16, 2, 3, TO_TABLE(0, 2, 1), TO_TABLE(1, 0, 2), 2, 3, 6, 1, 1,
		U16(12000), 7, U16(3), VA(2, 0, 3, 9, 1),
		U16(12000), 7, U16(4), VA(2, 0, 3, 9, 1), VA(2, 0, 3, 0, 1),
	};
	static const uint8_t itself[] = {
		1, 0, 0, 3, TO_TABLE(0, 0x80, 0), TO_TABLE(0, 3, 0), TO_PAGE(0, 4, 9), 1,
		U16(64), 3, U16(1), VA(3, 3, 3, 4, 0),
		U16(64), 3, U16(1), VA(0x80, 3, 3, 4, 0),
		/* the next round: another page there */
		1, TO_PAGE(0, 4, 16), 0, U16(64), 3, U16(1), VA(3, 3, 3, 4, 0),
	};
	static const uint8_t devmem[] = {
		0, 0, 0, 5, TO_TABLE(0, 0, 1), TO_TABLE(1, 0, 2), TO_TABLE(2, 0, 3),
		3, 1, 5, 255, 3, 2, 5, 0, 1,
		U16(7000), 0, U16(1), VA(0, 0, 0, 1, 200),
		/* from the edge of the scratchpad */
		U16(10), 2, U16(2), VA(0, 0, 0, 2, 0), 15, U16(8192),
	};

	put("mmu", "pages", pages, sizeof(pages));
	put("mmu", "huge", huge, sizeof(huge));
	put("mmu", "itself", itself, sizeof(itself));
	put("mmu", "devmem", devmem, sizeof(devmem));
}

static void regs_seeds(void)
{
	/* low four bits: what to do; high four: with what (fuzz_regs's one_op) */
	static const uint8_t job[] = { 0, 0x06, 0x07, 0x49, 0xbb, 0x0c, 0x2c };
	static const uint8_t stop_busy[] = { 1, 0x06, 0x0a, 0x4b, 0x4c, 0x05, 0x0d };
	static const uint8_t both[] = { 0, 0x06, 0x16, 0x09, 0x59, 0x1f, 0x1d, 0x06, 0x4a, 0x1f };
	static const uint8_t destroy[] = { 15, 0x06, 0x16, 0x49, 0x5a, 0x3b };
	static const uint8_t kill[] = { 2, 0x06, 0x0a, 0x1b, 0xc8, 0x88, 0x08 };
	static const uint8_t odd[] = {
		3, 0x01, 0x00, 0x14, 0x10, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x05, 0, 0, 0, 0, 0x03,
		0x50, 5, 0, 1, 0, 0, 0, 0x0e, 0xff, 0x02, 0xa0, 3,
	};

	put("regs", "job", job, sizeof(job));
	put("regs", "stop-busy", stop_busy, sizeof(stop_busy));
	put("regs", "both-cores", both, sizeof(both));
	put("regs", "destroy-busy", destroy, sizeof(destroy));
	put("regs", "kill", kill, sizeof(kill));
	put("regs", "odd-sizes", odd, sizeof(odd));
}

static void firmware_seeds(void)
{
	/* li t0, 0x20000000; lw t1, 0(t0); wfi; j back */
	static const uint8_t raw[] = {
		0x1c, 0xb7, 0x02, 0x00, 0x20, 0x03, 0xa3, 0x02, 0x00, 0x73, 0x00, 0x50, 0x10, 0x6f,
		0xf0, 0x5f, 0xff,
	};
	/* a transfer each way, a copy, a GEMM, their retirements, abort; then over again */
	static const uint8_t script[] = {
		0x1d, 0, 3, 0, U16(0x1000), 0x80, U16(4096), U16(4095),
		3, 1, U16(0x100), 3, U16(0x800), U16(255),
		4, 0x10, 0xff, 1, U16(0), 1, U16(8192), U16(100), 3,
		4, 0x20, 0xff, 2, U16(0), 2, U16(64), 2, U16(256), U16(64), 31, 15,
		4, 0x80, 0xff, 1, U16(0), 1, U16(8192), U16(100), 3, U16(128),
		5, 5, 0x76, 0x7e, 0x76, 5,
	};
	/* a program with a trap handler: mtvec, an ecall, JOB_BEGIN, status, then busy for ever */
	static const uint8_t trap[] = {
		0x19, 4, 7, 0xb7, 0x02, 0x00, 0x10, 7, 0x73, 0x90, 0x52, 0x30, 7, 0x73, 0, 0, 0,
		0, 0x38, 1, 0, 0, 0, 0, 3, 3, 0, 0, 0,
	};
	static const uint8_t patched[] = { 2, U16(0x200), 1, U16(0x900), 0x80, U16(0x1500), 4 };
	/* at the end of local memory, just; and the header's own mistakes behind the program */
	static const uint8_t header[] = { 0x0f, 0, 0x22, 0, 0, 0, 1 };
	static const uint8_t crc[] = { 0x0f, 3, 0, 0, 0, 0, 1, U16(36), 1 };

	put("firmware", "raw", raw, sizeof(raw));
	put("firmware", "script", script, sizeof(script));
	put("firmware", "trap-handler", trap, sizeof(trap));
	put("firmware", "real", "\x02", 2);
	put("firmware", "patched", patched, sizeof(patched));
	put("firmware", "layout", header, sizeof(header));
	put("firmware", "payload-crc", crc, sizeof(crc));
}

/* Which snapshot, then edits: what to do, where (in words), with what (fuzz_snapshot's edit). */
static void snapshot_seeds(void)
{
	static const uint8_t idle[] = { 7 };
	static const uint8_t busy[] = { 1 };
	static const uint8_t later[] = { 2 };
	static const uint8_t magic[] = { 0, 0, U16(0), 1 };
	static const uint8_t cut[] = { 1, 5, U16(300), 0 };
	static const uint8_t word[] = { 1, 1, U16(40), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t bits[] = { 15, 2, U16(600), 3, 2, U16(900), 63, 2, U16(5000), 0 };
	static const uint8_t counts[] = { 1, 3, U16(12000), 1, 3, U16(12001), 0xff, 0, U16(12002), 17 };
	static const uint8_t spliced[] = { 1, 7, U16(8000), 2 };
	static const uint8_t shifted[] = { 2, 6, U16(7000), 8 };
	static const uint8_t bytes[] = { 1, 4, U16(3000), 5, 1, 2, 3, 4, 5 };

	put("snapshot", "idle", idle, sizeof(idle));
	put("snapshot", "busy", busy, sizeof(busy));
	put("snapshot", "later", later, sizeof(later));
	put("snapshot", "magic", magic, sizeof(magic));
	put("snapshot", "cut", cut, sizeof(cut));
	put("snapshot", "word", word, sizeof(word));
	put("snapshot", "bits", bits, sizeof(bits));
	put("snapshot", "counts", counts, sizeof(counts));
	put("snapshot", "spliced", spliced, sizeof(spliced));
	put("snapshot", "shifted", shifted, sizeof(shifted));
	put("snapshot", "bytes", bytes, sizeof(bytes));
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	root = argv[1];
	simple_streams();
	memory_streams();
	tensor_streams();
	found_streams();
	vector_stream(LAYOUT_PLAIN, "vector");
	vector_stream(LAYOUT_SCATTER, "vector-scattered");
	conv_stream(LAYOUT_PLAIN, "conv");
	conv_stream(LAYOUT_SCATTER, "conv-scattered");
	weight_streams();
	control_streams();
	mmu_seeds();
	regs_seeds();
	firmware_seeds();
	snapshot_seeds();
	return 0;
}
