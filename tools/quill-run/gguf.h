/* SPDX-License-Identifier: MIT */
/*
 * GGUF, the file format of ggml's models: a reader that takes nothing on trust.
 *
 * A file is a header (magic, version, counts), key-value metadata, one record a tensor, padding to
 * the alignment, and the tensors' data. gguf_parse() checks all of it; afterwards every length,
 * offset and size in struct gguf is known to lie inside the file. What the keys and tensors
 * mean is for weights.c.
 */
#ifndef QUILL_RUN_GGUF_H
#define QUILL_RUN_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types of metadata values, as numbered in files. */
enum gguf_type {
	GGUF_U8 = 0,
	GGUF_I8 = 1,
	GGUF_U16 = 2,
	GGUF_I16 = 3,
	GGUF_U32 = 4,
	GGUF_I32 = 5,
	GGUF_F32 = 6,
	GGUF_BOOL = 7,
	GGUF_STRING = 8,
	GGUF_ARRAY = 9,
	GGUF_U64 = 10,
	GGUF_I64 = 11,
	GGUF_F64 = 12,
	GGUF_TYPES = 13,
};

/* Types of tensors that this program can use, as numbered in files. */
enum gguf_tensor_type {
	GGUF_TENSOR_F32 = 0,
	GGUF_TENSOR_Q8_0 = 8,
};

/* Q8_0: blocks of 32 values: one fp16 scale, then 32 int8. */
#define GGUF_Q8_0_VALUES	32
#define GGUF_Q8_0_BYTES		34

#define GGUF_MAX_COUNT		4096	/* of keys, and of tensors */
#define GGUF_MAX_DIMS		4
#define GGUF_MAX_NESTING	4	/* arrays of arrays */
#define GGUF_MAX_TENSOR_NAME	64
#define GGUF_MAX_KEY		65535

/** struct gguf_str - text in the file: not terminated, and of any bytes */
struct gguf_str {
	const char *text;
	size_t len;
};

/** struct gguf_kv - one key and its value */
struct gguf_kv {
	struct gguf_str key;
	/** @type: enum gguf_type. */
	uint32_t type;
	/** @pos: byte of the file at which the value starts. */
	size_t pos;
	/** @elem_type: ARRAY: type of its elements. */
	uint32_t elem_type;
	/** @count: ARRAY: elements; else 1. */
	uint64_t count;
};

/** struct gguf_tensor - one tensor */
struct gguf_tensor {
	struct gguf_str name;
	/** @pos: byte of the file at which its record starts. */
	size_t pos;
	uint32_t n_dims;
	/** @dims: innermost first, as in the file; 1 from @n_dims on. */
	uint64_t dims[GGUF_MAX_DIMS];
	/** @type: enum gguf_tensor_type. */
	uint32_t type;
	/** @data: its @size bytes. */
	const uint8_t *data;
	uint64_t size;
};

/** struct gguf - a file that was read */
struct gguf {
	const uint8_t *data;
	size_t size;
	uint32_t version;
	uint32_t alignment;
	struct gguf_kv *kv;
	size_t n_kv;
	struct gguf_tensor *tensors;
	size_t n_tensors;
	/** @data_pos: byte of the file at which the tensors' data starts. */
	size_t data_pos;
	/** @error: of the last call that failed: what, where, and what was required. */
	char error[320];
	/** @file: what gguf_open() read, or NULL. */
	uint8_t *file;
};

/** gguf_open() - read and check a file. Return: 0, or negative errno and @error. */
int gguf_open(struct gguf *g, const char *path);

/** gguf_parse() - check a file in memory, which must outlive @g. Return: as gguf_open(). */
int gguf_parse(struct gguf *g, const void *data, size_t size);

/** gguf_close() - free; also after a failed gguf_open() or gguf_parse() */
void gguf_close(struct gguf *g);

/** gguf_has() - is there such a key? */
bool gguf_has(const struct gguf *g, const char *key);

/*
 * Values by key. -ENOENT: no such key; -EINVAL: of another type or out of range; with @error.
 * An unsigned value may be of any integer type, a float of F32 or F64.
 */
int gguf_get_u32(struct gguf *g, const char *key, uint32_t *value);
int gguf_get_f64(struct gguf *g, const char *key, double *value);
int gguf_get_string(struct gguf *g, const char *key, struct gguf_str *value);
int gguf_get_count(struct gguf *g, const char *key, uint64_t *count);

/** gguf_find_tensor() - by name, or NULL */
const struct gguf_tensor *gguf_find_tensor(const struct gguf *g, const char *name);

/** gguf_tensor_type_name() - "F32", "Q8_0", or "type N" in @buf */
const char *gguf_tensor_type_name(uint32_t type, char buf[24]);

/** gguf_quote() - @s, printable and shortened to fit: for messages. Return: @buf. */
const char *gguf_quote(struct gguf_str s, char buf[80]);

#endif /* QUILL_RUN_GGUF_H */
