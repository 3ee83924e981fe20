// SPDX-License-Identifier: MIT
/*
 * quill-run's reading of models: a small file is made in memory, damaged in every way that a file can be, and
 * each damage has to be refused with a text that names it. The sanitizers (make SAN=address,undefined unit)
 * tell what a refusal alone would not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "gguf.h"
#include "weights.h"

/* ---- A file to damage ------------------------------------------------------------------ */

struct test_kv {
	const char *key;
	uint32_t type;
	uint64_t value;			/* numbers, as bits */
	const char *string;		/* STRING */
	uint32_t nesting;		/* ARRAY: of so many arrays of one element, the innermost empty */
	uint64_t key_len;		/* 0: as it is */
};

struct test_tensor {
	const char *name;
	uint32_t type, n_dims;
	uint64_t dims[5];
	uint64_t offset;
	bool own_offset;		/* else: behind the one before */
};

#define MAX_KV		32
#define MAX_TENSORS	16

struct test_file {
	uint32_t magic, version;
	uint64_t n_tensors_said, n_kv_said;	/* UINT64_MAX: as many as there are */
	struct test_kv kv[MAX_KV];
	struct test_tensor tensors[MAX_TENSORS];
	size_t n_kv, n_tensors;

	uint8_t *bytes;
	size_t size, header;
};

static void put(struct test_file *f, const void *data, size_t len)
{
	f->bytes = realloc(f->bytes, f->size + len + 1);
	assert_non_null(f->bytes);
	memcpy(f->bytes + f->size, data, len);
	f->size += len;
}

static void put_u32(struct test_file *f, uint32_t v)
{
	put(f, &v, 4);
}

static void put_u64(struct test_file *f, uint64_t v)
{
	put(f, &v, 8);
}

static void put_string(struct test_file *f, const char *s)
{
	put_u64(f, strlen(s));
	put(f, s, strlen(s));
}

static void pad(struct test_file *f)
{
	while (f->size % 32)
		put(f, "", 1);
}

static void put_kv(struct test_file *f, const struct test_kv *kv)
{
	static const uint8_t size[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
	uint32_t i;

	put_u64(f, kv->key_len ? kv->key_len : strlen(kv->key));
	put(f, kv->key, strlen(kv->key));
	put_u32(f, kv->type);
	if (kv->type == GGUF_STRING) {
		put_string(f, kv->string);
	} else if (kv->type == GGUF_ARRAY) {
		for (i = 0; i < kv->nesting; i++) {
			put_u32(f, GGUF_ARRAY);
			put_u64(f, 1);
		}
		put_u32(f, kv->string ? GGUF_STRING : GGUF_U32);
		put_u64(f, kv->value);
		for (i = 0; kv->string && i < kv->value && i < VOCAB; i++)
			put_string(f, kv->string);
	} else {
		put(f, &kv->value, kv->type < GGUF_TYPES ? size[kv->type] : 4);
	}
}

static uint64_t tensor_size(const struct test_tensor *t)
{
	uint64_t n = 1;
	uint32_t i;

	for (i = 0; i < t->n_dims && i < 5; i++)
		n *= t->dims[i];
	return t->type == GGUF_TENSOR_F32 ? n * 4 : n / 32 * 34;
}

static void put_tensor(struct test_file *f, const struct test_tensor *t, uint64_t offset)
{
	uint32_t i;

	put_string(f, t->name);
	put_u32(f, t->n_dims);
	for (i = 0; i < t->n_dims && i < 5; i++)
		put_u64(f, t->dims[i]);
	put_u32(f, t->type);
	put_u64(f, t->own_offset ? t->offset : offset);
}

/* All ones: F32 as 1.0, Q8_0 with scales of 1.0 and values of 1. */
static void put_data(struct test_file *f, const struct test_tensor *t)
{
	const uint8_t block[34] = { [1] = 0x3c, [2 ... 33] = 1 };
	const float one = 1;
	uint64_t i, n = tensor_size(t);

	if (n > 1u << 20)
		return;
	for (i = 0; i < n; i += t->type == GGUF_TENSOR_F32 ? 4 : 34)
		put(f, t->type == GGUF_TENSOR_F32 ? (const void *)&one : block,
		    t->type == GGUF_TENSOR_F32 ? 4 : 34);
	pad(f);
}

static void serialise(struct test_file *f)
{
	uint64_t offset = 0;
	size_t i;

	f->size = 0;
	put_u32(f, f->magic);
	put_u32(f, f->version);
	put_u64(f, f->n_tensors_said == UINT64_MAX ? f->n_tensors : f->n_tensors_said);
	put_u64(f, f->n_kv_said == UINT64_MAX ? f->n_kv : f->n_kv_said);
	for (i = 0; i < f->n_kv; i++)
		put_kv(f, &f->kv[i]);
	for (i = 0; i < f->n_tensors; i++) {
		put_tensor(f, &f->tensors[i], offset);
		offset = (offset + tensor_size(&f->tensors[i]) + 31) / 32 * 32;
	}
	f->header = f->size;
	pad(f);
	for (i = 0; i < f->n_tensors; i++)
		put_data(f, &f->tensors[i]);
}

/* One layer of width 32: two heads of queries and one of keys, of 16. */
static void make(struct test_file *f)
{
	static const struct test_kv kv[] = {
		{ "general.architecture", GGUF_STRING, .string = "llama" },
		{ "llama.block_count", GGUF_U32, .value = 1 },
		{ "llama.context_length", GGUF_U64, .value = 64 },
		{ "llama.embedding_length", GGUF_U32, .value = 32 },
		{ "llama.feed_forward_length", GGUF_U16, .value = 64 },
		{ "llama.attention.head_count", GGUF_U32, .value = 2 },
		{ "llama.attention.head_count_kv", GGUF_I32, .value = 1 },
		{ "llama.attention.layer_norm_rms_epsilon", GGUF_F32, .value = 0x3727c5ac },
		{ "llama.rope.freq_base", GGUF_F32, .value = 0x461c4000 },
		{ "tokenizer.ggml.tokens", GGUF_ARRAY, .value = VOCAB, .string = "x" },
		{ "tokenizer.ggml.eos_token_id", GGUF_U32, .value = 0 },
		{ "quill.heldout_bpb_f32", GGUF_F32, .value = 0x40000000 },
		{ "a.bool", GGUF_BOOL, .value = 1 },
		{ "a.nest", GGUF_ARRAY, .value = 0, .nesting = 2 },
	};
	static const struct test_tensor tensors[] = {
		{ "token_embd.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 256 } },
		{ "blk.0.attn_norm.weight", GGUF_TENSOR_F32, 1, .dims = { 32 } },
		{ "blk.0.attn_q.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 32 } },
		{ "blk.0.attn_k.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 16 } },
		{ "blk.0.attn_v.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 16 } },
		{ "blk.0.attn_output.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 32 } },
		{ "blk.0.ffn_norm.weight", GGUF_TENSOR_F32, 1, .dims = { 32 } },
		{ "blk.0.ffn_gate.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 64 } },
		{ "blk.0.ffn_up.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 64 } },
		{ "blk.0.ffn_down.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 64, 32 } },
		{ "output_norm.weight", GGUF_TENSOR_F32, 1, .dims = { 32 } },
		{ "output.weight", GGUF_TENSOR_Q8_0, 2, .dims = { 32, 256 } },
	};

	memset(f, 0, sizeof(*f));
	f->magic = 0x46554747;
	f->version = 3;
	f->n_tensors_said = UINT64_MAX;
	f->n_kv_said = UINT64_MAX;
	memcpy(f->kv, kv, sizeof(kv));
	memcpy(f->tensors, tensors, sizeof(tensors));
	f->n_kv = sizeof(kv) / sizeof(kv[0]);
	f->n_tensors = sizeof(tensors) / sizeof(tensors[0]);
}

static struct test_kv *kv_of(struct test_file *f, const char *key)
{
	size_t i;

	for (i = 0; i < f->n_kv; i++)
		if (!strcmp(f->kv[i].key, key))
			return &f->kv[i];
	fail_msg("the test has no key '%s'", key);
	return NULL;
}

static struct test_tensor *tensor_of(struct test_file *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n_tensors; i++)
		if (!strcmp(f->tensors[i].name, name))
			return &f->tensors[i];
	fail_msg("the test has no tensor '%s'", name);
	return NULL;
}

static void drop_kv(struct test_file *f, const char *key)
{
	*kv_of(f, key) = f->kv[f->n_kv - 1];
	f->n_kv--;
}

static void drop_tensor(struct test_file *f, const char *name)
{
	*tensor_of(f, name) = f->tensors[f->n_tensors - 1];
	f->n_tensors--;
}

/* Parses a copy of the file of exactly its size, so that a read past its end is an invalid one. */
static int parse(const uint8_t *bytes, size_t size, char error[320])
{
	uint8_t *copy = malloc(size ? size : 1);
	struct gguf g;
	int ret;

	memcpy(copy, bytes, size);
	ret = gguf_parse(&g, copy, size);
	memcpy(error, g.error, sizeof(g.error));
	gguf_close(&g);
	free(copy);
	return ret;
}

static void expect_refused(int ret, const char *error, const char *wanted)
{
	if (!ret)
		fail_msg("accepted, but refusal for \"%s\" is required", wanted);
	if (!strstr(error, wanted))
		fail_msg("refused with \"%s\", but a text with \"%s\" is required", error, wanted);
}

/* weights_load() on a file in memory. */
static int load(const struct test_file *f, struct weights *w)
{
	int fd = memfd_create("model", MFD_CLOEXEC), ret;
	char path[64];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->bytes, f->size), f->size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = weights_load(w, path);
	close(fd);
	return ret;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static void a_good_file_is_read(void **state)
{
	const struct gguf_tensor *t;
	struct test_file f;
	struct gguf_str s;
	struct gguf g;
	uint64_t count;
	uint32_t u;
	double d;

	for (u = 2; u <= 3; u++) {
		make(&f);
		f.version = u;
		serialise(&f);
		assert_int_equal(gguf_parse(&g, f.bytes, f.size), 0);
		assert_int_equal(g.version, u);
		gguf_close(&g);
		free(f.bytes);
	}
	make(&f);
	serialise(&f);
	assert_int_equal(gguf_parse(&g, f.bytes, f.size), 0);
	assert_int_equal(gguf_get_string(&g, "general.architecture", &s), 0);
	assert_int_equal(s.len, 5);
	assert_memory_equal(s.text, "llama", 5);
	assert_int_equal(gguf_get_u32(&g, "llama.context_length", &u), 0);
	assert_int_equal(u, 64);
	assert_int_equal(gguf_get_f64(&g, "quill.heldout_bpb_f32", &d), 0);
	assert_true(d == 2.0);
	assert_int_equal(gguf_get_count(&g, "tokenizer.ggml.tokens", &count), 0);
	assert_int_equal(count, VOCAB);
	t = gguf_find_tensor(&g, "blk.0.ffn_down.weight");
	assert_non_null(t);
	assert_int_equal(t->dims[0], 64);
	assert_int_equal(t->dims[1], 32);
	assert_int_equal(t->dims[2], 1);
	assert_int_equal(t->size, 64 * 34);
	assert_null(gguf_find_tensor(&g, "blk.0"));
	gguf_close(&g);
	free(f.bytes);
}

static void values_of_a_wrong_type_or_range_are_refused(void **state)
{
	struct test_file f;
	struct gguf_str s;
	struct gguf g;
	uint64_t count;
	uint32_t u;
	double d;

	make(&f);
	f.kv[f.n_kv++] = (struct test_kv){ "negative", GGUF_I8, .value = 0xff };
	f.kv[f.n_kv++] = (struct test_kv){ "large", GGUF_U64, .value = 1ull << 32 };
	serialise(&f);
	assert_int_equal(gguf_parse(&g, f.bytes, f.size), 0);
	assert_int_equal(gguf_get_u32(&g, "no.such.key", &u), -ENOENT);
	expect_refused(-1, g.error, "key 'no.such.key' is missing");
	expect_refused(gguf_get_u32(&g, "negative", &u), g.error, "'negative' is negative");
	expect_refused(gguf_get_u32(&g, "large", &u), g.error, "'large' is too large");
	expect_refused(gguf_get_u32(&g, "a.bool", &u), g.error, "bool, but an integer");
	expect_refused(gguf_get_f64(&g, "large", &d), g.error, "uint64, but float32 or float64");
	expect_refused(gguf_get_string(&g, "large", &s), g.error, "uint64, but a string");
	expect_refused(gguf_get_count(&g, "large", &count), g.error, "uint64, but an array");
	gguf_close(&g);
	free(f.bytes);
}

static void a_file_cut_anywhere_is_refused_with_the_byte(void **state)
{
	char error[320];
	struct test_file f;
	size_t i;

	make(&f);
	serialise(&f);
	for (i = 0; i < f.size - 31; i += i < f.header + 64 ? 1 : 509)
		expect_refused(parse(f.bytes, i, error), error, "byte ");
	free(f.bytes);
}

static void no_flipped_bit_of_the_header_does_harm(void **state)
{
	size_t i, refused = 0;
	struct test_file f;
	struct weights w;
	char error[320];
	int ret;

	make(&f);
	serialise(&f);
	for (i = 0; i < f.header * 8; i++) {
		f.bytes[i / 8] ^= 1 << i % 8;
		ret = parse(f.bytes, f.size, error);
		if (ret && !*error)
			fail_msg("bit %zu: refused without a text", i);
		refused += !!ret;
		/* What the reader lets pass goes on to the loader, whose memory the flip must not blow up. */
		if (!ret && load(&f, &w) && !*w.error)
			fail_msg("bit %zu: not loaded, without a text", i);
		if (!ret)
			weights_free(&w);
		f.bytes[i / 8] ^= 1 << i % 8;
	}
	assert_true(refused > f.header);
	free(f.bytes);
}

/* ---- One damage, one text ------------------------------------------------------------------- */

static void bad_magic(struct test_file *f) { f->magic = 0x46475546; }
static void version_1(struct test_file *f) { f->version = 1; }
static void version_4(struct test_file *f) { f->version = 4; }
static void big_endian(struct test_file *f) { f->version = 0x03000000; }
static void many_tensors(struct test_file *f) { f->n_tensors_said = 1ull << 60; }
static void many_keys(struct test_file *f) { f->n_kv_said = 4097; }
static void one_key_too_many(struct test_file *f) { f->n_kv_said = f->n_kv + 1; }
static void empty_key(struct test_file *f) { f->kv[2].key = ""; }
static void long_key(struct test_file *f) { f->kv[2].key_len = UINT64_MAX; }
static void same_key(struct test_file *f) { f->kv[2].key = f->kv[1].key; }
static void bad_type(struct test_file *f) { f->kv[2].type = 13; }
static void bad_bool(struct test_file *f) { kv_of(f, "a.bool")->value = 2; }
static void deep(struct test_file *f) { kv_of(f, "a.nest")->nesting = 4; }
static void long_array(struct test_file *f) { kv_of(f, "a.nest")->value = 1ull << 62; }
static void array_past_end(struct test_file *f) { kv_of(f, "a.nest")->value = 20000; }
static void no_dims(struct test_file *f) { f->tensors[3].n_dims = 0; }
static void five_dims(struct test_file *f) { f->tensors[3].n_dims = 5; }
static void dim_zero(struct test_file *f) { f->tensors[3].dims[1] = 0; }
static void half_block(struct test_file *f) { f->tensors[3].dims[0] = 48; }
static void bad_tensor_type(struct test_file *f) { f->tensors[3].type = 2; }
static void same_tensor(struct test_file *f) { f->tensors[3].name = f->tensors[2].name; }
static void empty_name(struct test_file *f) { f->tensors[3].name = ""; }

static void dims_overflow(struct test_file *f)
{
	f->tensors[3] = (struct test_tensor){ "t", GGUF_TENSOR_F32, 4,
					      .dims = { 1 << 13, 1 << 13, 1 << 13, 1 << 13 } };
}

static void long_name(struct test_file *f)
{
	f->tensors[3].name = "0123456789012345678901234567890123456789012345678901234567890123456789";
}

static void odd_offset(struct test_file *f)
{
	f->tensors[3].own_offset = true;
	f->tensors[3].offset = 16;
}

static void far_offset(struct test_file *f)
{
	f->tensors[3].own_offset = true;
	f->tensors[3].offset = -32ull;
}

static void overlap(struct test_file *f)
{
	f->tensors[3].own_offset = true;
	f->tensors[3].offset = 64;
}

static void bad_alignment(struct test_file *f)
{
	f->kv[f->n_kv++] = (struct test_kv){ "general.alignment", GGUF_U32, .value = 24 };
}

static void zero_alignment(struct test_file *f)
{
	f->kv[f->n_kv++] = (struct test_kv){ "general.alignment", GGUF_U32, .value = 0 };
}

static const struct {
	void (*damage)(struct test_file *f);
	const char *wanted;
} file_damages[] = {
	{ bad_magic, "byte 0: the file starts with 0x46475546" },
	{ version_1, "byte 4: GGUF version 1, but 2 or 3 is required" },
	{ version_4, "GGUF version 4" },
	{ big_endian, "a big-endian file?" },
	{ many_tensors, "byte 8: the header: the number of tensors is 1152921504606846976" },
	{ many_keys, "byte 16: the header: the number of keys is 4097" },
	{ one_key_too_many, "tensor 0: the name needs 72057594037927936 bytes" },
	{ empty_key, "key 2: the name has 0 bytes" },
	{ long_key, "key 2: the name needs 18446744073709551615 bytes" },
	{ same_key, "key 'llama.block_count' is there twice" },
	{ bad_type, "key 'llama.context_length': the value's type is 13" },
	{ bad_bool, "key 'a.bool': a bool is 2" },
	{ deep, "key 'a.nest': arrays are nested deeper than 4" },
	{ long_array, "key 'a.nest': the array has 4611686018427387904 elements" },
	{ array_past_end, "key 'a.nest': the array needs 80000 bytes" },
	{ no_dims, "tensor 'blk.0.attn_k.weight' has 0 dimensions" },
	{ five_dims, "tensor 'blk.0.attn_k.weight' has 5 dimensions" },
	{ dim_zero, "tensor 'blk.0.attn_k.weight': dimension 1 is 0" },
	{ half_block, "rows of 48 values, but a multiple of 32" },
	{ bad_tensor_type, "tensor 'blk.0.attn_k.weight' is of type 2, but only F32" },
	{ same_tensor, "tensor 'blk.0.attn_q.weight' is there twice" },
	{ empty_name, "tensor 3: the name has 0 bytes" },
	{ long_name, "tensor 3: the name has 70 bytes, but 1..64" },
	{ dims_overflow, "tensor 't': dimension 1 is 8192" },
	{ odd_offset, "offset 16 is not a multiple of the alignment, 32" },
	{ far_offset, "at offset 18446744073709551584, but the file's data ends" },
	{ overlap, "overlaps that of 'token_embd.weight'" },
	{ bad_alignment, "'general.alignment' is 24" },
	{ zero_alignment, "'general.alignment' is 0" },
};

static void each_damage_of_a_file_is_named(void **state)
{
	char error[320];
	struct test_file f;
	size_t i;

	for (i = 0; i < sizeof(file_damages) / sizeof(file_damages[0]); i++) {
		make(&f);
		file_damages[i].damage(&f);
		serialise(&f);
		expect_refused(parse(f.bytes, f.size, error), error, file_damages[i].wanted);
		free(f.bytes);
	}
}

static void what_is_no_regular_file_is_refused(void **state)
{
	struct gguf g;

	expect_refused(gguf_open(&g, "/no/such/file"), g.error, "No such file");
	gguf_close(&g);
	expect_refused(gguf_open(&g, "/dev/zero"), g.error, "not a regular file");
	gguf_close(&g);
	expect_refused(gguf_open(&g, "/proc/self"), g.error, "not a regular file");
	gguf_close(&g);
}

/* ---- The model ------------------------------------------------------------------------------- */

static void a_good_model_is_loaded(void **state)
{
	struct test_file f;
	struct weights w;

	make(&f);
	serialise(&f);
	if (load(&f, &w))
		fail_msg("refused: %s", w.error);
	assert_int_equal(w.head_dim, 16);
	assert_int_equal(w.n_kv_heads, 1);
	assert_int_equal(w.end_token, 0);
	assert_int_equal(w.layers[0].qkv.n, 64);
	assert_int_equal(w.layers[0].gate_up.n, 128);
	assert_int_equal(w.layers[0].down.k, 64);
	assert_true(w.layers[0].down.f32[64 * 32 - 1] == 1);
	assert_int_equal(w.layers[0].down.s8[0], 127);
	weights_free(&w);
	free(f.bytes);
}

static void a_model_without_an_output_matrix_uses_the_embedding(void **state)
{
	struct test_file f;
	struct weights w;

	make(&f);
	drop_tensor(&f, "output.weight");
	serialise(&f);
	if (load(&f, &w))
		fail_msg("refused: %s", w.error);
	assert_int_equal(w.output.n, VOCAB);
	assert_memory_equal(w.output.f32, w.embedding, VOCAB * 32 * sizeof(float));
	weights_free(&w);
	free(f.bytes);
}

static void other_arch(struct test_file *f) { f->kv[0].string = "gpt\x1b[2J"; }
static void no_arch(struct test_file *f) { drop_kv(f, "general.architecture"); }
static void no_layers(struct test_file *f) { kv_of(f, "llama.block_count")->value = 0; }
static void more_layers(struct test_file *f) { kv_of(f, "llama.block_count")->value = 2; }
static void many_layers(struct test_file *f) { kv_of(f, "llama.block_count")->value = 1 << 20; }
static void odd_heads(struct test_file *f) { kv_of(f, "llama.attention.head_count_kv")->value = 3; }
static void small_heads(struct test_file *f) { kv_of(f, "llama.attention.head_count")->value = 4; }
static void epsilon_nan(struct test_file *f) { f->kv[7].value = 0x7fc00000; }
static void other_vocab(struct test_file *f) { kv_of(f, "tokenizer.ggml.tokens")->value = 255; }
static void no_tensor(struct test_file *f) { drop_tensor(f, "blk.0.ffn_up.weight"); }
static void wrong_shape(struct test_file *f) { tensor_of(f, "blk.0.attn_v.weight")->dims[1] = 32; }
static void f32_matrix(struct test_file *f) { f->tensors[2].type = GGUF_TENSOR_F32; }

static void extra_tensor(struct test_file *f)
{
	f->tensors[f->n_tensors++] = (struct test_tensor){ "blk.0.attn_q.bias", GGUF_TENSOR_F32, 1, .dims = { 32 } };
}

static void rope_scaling(struct test_file *f)
{
	f->kv[f->n_kv++] = (struct test_kv){ "llama.rope.scaling.type", GGUF_STRING, .string = "yarn" };
}

static void experts(struct test_file *f)
{
	f->kv[f->n_kv++] = (struct test_kv){ "llama.expert_count", GGUF_U32, .value = 8 };
}

static void part_rope(struct test_file *f)
{
	f->kv[f->n_kv++] = (struct test_kv){ "llama.rope.dimension_count", GGUF_U32, .value = 8 };
}

static const struct {
	void (*damage)(struct test_file *f);
	const char *wanted;
} model_damages[] = {
	{ bad_magic, "byte 0: the file starts with" },
	{ other_arch, "key 'general.architecture' is 'gpt?[2J', but 'llama' is required" },
	{ no_arch, "key 'general.architecture' is missing" },
	{ no_layers, "key 'llama.block_count' is 0, but 1..256 is required" },
	{ more_layers, "tensor 'blk.1.attn_norm.weight' is missing" },
	{ many_layers, "key 'llama.block_count' is 1048576" },
	{ odd_heads, "2 heads of queries cannot share 3 heads of keys" },
	{ small_heads, "a head has 8 elements" },
	{ epsilon_nan, "layer_norm_rms_epsilon' is nan" },
	{ other_vocab, "has 255 tokens, but 256 are required" },
	{ no_tensor, "tensor 'blk.0.ffn_up.weight' is missing" },
	{ wrong_shape, "tensor 'blk.0.attn_v.weight' is 32 x 32 x 1 x 1, but 32 x 16 is required" },
	{ f32_matrix, "tensor 'blk.0.attn_q.weight' is of type F32, but Q8_0 is required" },
	{ extra_tensor, "13 tensors, but this architecture with 1 layers has 12" },
	{ rope_scaling, "key 'llama.rope.scaling.type' is 'yarn', but 'none' is required" },
	{ experts, "key 'llama.expert_count' is 8, but 0 is required" },
	{ part_rope, "key 'llama.rope.dimension_count' is 8, but 16 is required" },
};

static void each_unfit_model_is_refused_with_the_reason(void **state)
{
	struct test_file f;
	struct weights w;
	size_t i;

	for (i = 0; i < sizeof(model_damages) / sizeof(model_damages[0]); i++) {
		make(&f);
		model_damages[i].damage(&f);
		serialise(&f);
		expect_refused(load(&f, &w), w.error, model_damages[i].wanted);
		weights_free(&w);
		free(f.bytes);
	}
}

/* Patches the data of the file at @name, offset @at. */
static void patch(struct test_file *f, const char *name, size_t at, const void *bytes, size_t len)
{
	struct gguf g;

	assert_int_equal(gguf_parse(&g, f->bytes, f->size), 0);
	memcpy((uint8_t *)gguf_find_tensor(&g, name)->data + at, bytes, len);
	gguf_close(&g);
}

static void weights_that_are_not_finite_are_refused(void **state)
{
	const uint8_t half_inf[] = { 0x00, 0x7c }, half_nan[] = { 0x01, 0xfe };
	const uint32_t nan = 0x7fc00000;
	struct test_file f;
	struct weights w;

	make(&f);
	serialise(&f);
	patch(&f, "blk.0.ffn_up.weight", 34, half_inf, 2);
	expect_refused(load(&f, &w), w.error,
		       "tensor 'blk.0.ffn_up.weight': the scale of block 1 is not finite");
	weights_free(&w);
	serialise(&f);
	patch(&f, "output.weight", 0, half_nan, 2);
	expect_refused(load(&f, &w), w.error, "'output.weight': the scale of block 0");
	weights_free(&w);
	serialise(&f);
	patch(&f, "blk.0.ffn_norm.weight", 12, &nan, 4);
	expect_refused(load(&f, &w), w.error, "'blk.0.ffn_norm.weight': element 3 is not finite");
	weights_free(&w);
	free(f.bytes);
}

static void half_precision_scales_are_converted_exactly(void **state)
{
	static const struct {
		uint16_t half;
		float value;
	} cases[] = {
		{ 0x0001, 0x1p-24f }, { 0x03ff, 0x3ffp-24f }, { 0x0400, 0x1p-14f },
		{ 0x3555, 0x1.554p-2f }, { 0x7bff, 65504 }, { 0xbc00, -1 }, { 0x8000, 0 },
	};
	struct test_file f;
	struct weights w;
	size_t i;

	make(&f);
	serialise(&f);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		patch(&f, "token_embd.weight", 0, &cases[i].half, 2);
		assert_int_equal(load(&f, &w), 0);
		assert_true(w.embedding[0] == cases[i].value);
		weights_free(&w);
	}
	free(f.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_read),
		cmocka_unit_test(values_of_a_wrong_type_or_range_are_refused),
		cmocka_unit_test(a_file_cut_anywhere_is_refused_with_the_byte),
		cmocka_unit_test(no_flipped_bit_of_the_header_does_harm),
		cmocka_unit_test(each_damage_of_a_file_is_named),
		cmocka_unit_test(what_is_no_regular_file_is_refused),
		cmocka_unit_test(a_good_model_is_loaded),
		cmocka_unit_test(a_model_without_an_output_matrix_uses_the_embedding),
		cmocka_unit_test(each_unfit_model_is_refused_with_the_reason),
		cmocka_unit_test(weights_that_are_not_finite_are_refused),
		cmocka_unit_test(half_precision_scales_are_converted_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
