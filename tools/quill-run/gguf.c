// SPDX-License-Identifier: MIT
/*
 * GGUF reader. Every read goes through take(), which is the only place that moves the cursor and
 * so the only one that has to compare with the end of the file.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gguf.h"

#define MAGIC			0x46554747u	/* "GGUF" */
#define DEFAULT_ALIGNMENT	32
#define MAX_ALIGNMENT		65536
#define MAX_FILE		(4ull << 30)

/* Least bytes that a key or a tensor record takes: bounds a count before memory is allocated. */
#define MIN_KV_BYTES		(8 + 1 + 4 + 1)
#define MIN_TENSOR_BYTES	(8 + 1 + 4 + 8 + 4 + 8)

static const struct {
	const char *name;
	uint8_t size;	/* 0: not fixed */
} value_types[GGUF_TYPES] = {
	[GGUF_U8] = { "uint8", 1 },
	[GGUF_I8] = { "int8", 1 },
	[GGUF_U16] = { "uint16", 2 },
	[GGUF_I16] = { "int16", 2 },
	[GGUF_U32] = { "uint32", 4 },
	[GGUF_I32] = { "int32", 4 },
	[GGUF_F32] = { "float32", 4 },
	[GGUF_BOOL] = { "bool", 1 },
	[GGUF_STRING] = { "string", 0 },
	[GGUF_ARRAY] = { "array", 0 },
	[GGUF_U64] = { "uint64", 8 },
	[GGUF_I64] = { "int64", 8 },
	[GGUF_F64] = { "float64", 8 },
};

__attribute__((format(printf, 2, 3)))
static int fail(struct gguf *g, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(g->error, sizeof(g->error), fmt, args);
	va_end(args);
	return -EINVAL;
}

const char *gguf_quote(struct gguf_str s, char buf[80])
{
	size_t shown = s.len < 72 ? s.len : 72;
	size_t i;

	for (i = 0; i < shown; i++)
		buf[i] = s.text[i] >= ' ' && s.text[i] <= '~' ? s.text[i] : '?';
	strcpy(buf + shown, shown < s.len ? "..." : "");
	return buf;
}

const char *gguf_tensor_type_name(uint32_t type, char buf[24])
{
	if (type == GGUF_TENSOR_F32)
		return "F32";
	if (type == GGUF_TENSOR_Q8_0)
		return "Q8_0";
	snprintf(buf, 24, "type %" PRIu32, type);
	return buf;
}

static bool same(struct gguf_str a, struct gguf_str b)
{
	return a.len == b.len && !memcmp(a.text, b.text, a.len);
}

static struct gguf_str str(const char *text)
{
	return (struct gguf_str){ text, strlen(text) };
}

/* ---- The cursor ----------------------------------------------------------- */

struct cursor {
	struct gguf *g;
	size_t pos;
	/* What is being read, for messages: "key 3 'llama.block_count'". */
	char what[112];
};

__attribute__((format(printf, 2, 3)))
static void reading(struct cursor *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->what, sizeof(c->what), fmt, args);
	va_end(args);
}

/* The next @len bytes, or NULL at the end of the file. */
static const uint8_t *take(struct cursor *c, uint64_t len, const char *part)
{
	const uint8_t *at = c->g->data + c->pos;
	size_t left = c->g->size - c->pos;

	if (len > left) {
		fail(c->g, "byte %zu: %s: %s needs %" PRIu64 " bytes, but the file ends after %zu",
		     c->pos, c->what, part, len, left);
		return NULL;
	}
	c->pos += len;
	return at;
}

static int take_u32(struct cursor *c, uint32_t *value, const char *part)
{
	const uint8_t *p = take(c, 4, part);

	if (!p)
		return -EINVAL;
	memcpy(value, p, 4);
	*value = le32toh(*value);
	return 0;
}

static int take_u64(struct cursor *c, uint64_t *value, const char *part)
{
	const uint8_t *p = take(c, 8, part);

	if (!p)
		return -EINVAL;
	memcpy(value, p, 8);
	*value = le64toh(*value);
	return 0;
}

static int take_string(struct cursor *c, struct gguf_str *s, const char *part)
{
	const uint8_t *p;
	uint64_t len;

	if (take_u64(c, &len, part))
		return -EINVAL;
	p = take(c, len, part);
	if (!p)
		return -EINVAL;
	s->text = (const char *)p;
	s->len = len;
	return 0;
}

/* A name: of keys and tensors. */
static int take_name(struct cursor *c, struct gguf_str *s, size_t max)
{
	size_t pos = c->pos;

	if (take_string(c, s, "the name"))
		return -EINVAL;
	if (!s->len || s->len > max)
		return fail(c->g, "byte %zu: %s: the name has %zu bytes, but 1..%zu are allowed",
			    pos, c->what, s->len, max);
	return 0;
}

/* ---- Metadata --------------------------------------------------------------- */

static int take_type(struct cursor *c, uint32_t *type, const char *part)
{
	size_t pos = c->pos;

	if (take_u32(c, type, part))
		return -EINVAL;
	if (*type >= GGUF_TYPES)
		return fail(c->g, "byte %zu: %s: %s is %" PRIu32 ", but types are 0..%d", pos,
			    c->what, part, *type, GGUF_TYPES - 1);
	return 0;
}

static int skip_array(struct cursor *c, uint32_t *elem_type, uint64_t *count, int nesting);

static int skip_value(struct cursor *c, uint32_t type, int nesting)
{
	uint32_t elem_type;
	struct gguf_str s;
	uint64_t count;
	size_t pos;

	pos = c->pos;
	switch (type) {
	case GGUF_STRING:
		return take_string(c, &s, "the string");
	case GGUF_ARRAY:
		return skip_array(c, &elem_type, &count, nesting + 1);
	case GGUF_BOOL:
		if (!take(c, 1, "the value"))
			return -EINVAL;
		if (c->g->data[pos] > 1)
			return fail(c->g, "byte %zu: %s: a bool is %d, but 0 or 1 is required", pos,
				    c->what, c->g->data[pos]);
		return 0;
	default:
		return take(c, value_types[type].size, "the value") ? 0 : -EINVAL;
	}
}

static int skip_array(struct cursor *c, uint32_t *elem_type, uint64_t *count, int nesting)
{
	uint64_t i, size;
	size_t pos;

	if (nesting > GGUF_MAX_NESTING)
		return fail(c->g, "byte %zu: %s: arrays are nested deeper than %d", c->pos, c->what,
			    GGUF_MAX_NESTING);
	if (take_type(c, elem_type, "the array's element type"))
		return -EINVAL;
	pos = c->pos;
	if (take_u64(c, count, "the array's length"))
		return -EINVAL;
	/* An element takes at least a byte, so this also bounds the product below. */
	if (*count > c->g->size - c->pos)
		return fail(c->g, "byte %zu: %s: the array has %" PRIu64
			    " elements, but the file ends after %zu bytes", pos, c->what, *count,
			    c->g->size - c->pos);
	size = value_types[*elem_type].size;
	if (size && *elem_type != GGUF_BOOL)
		return take(c, *count * size, "the array") ? 0 : -EINVAL;
	for (i = 0; i < *count; i++)
		if (skip_value(c, *elem_type, nesting))
			return -EINVAL;
	return 0;
}

static int read_kv(struct cursor *c, size_t index)
{
	struct gguf_kv *kv = &c->g->kv[index];
	size_t start = c->pos, i;
	char name[80];

	reading(c, "key %zu", index);
	if (take_name(c, &kv->key, GGUF_MAX_KEY))
		return -EINVAL;
	reading(c, "key '%s'", gguf_quote(kv->key, name));
	for (i = 0; i < index; i++)
		if (same(c->g->kv[i].key, kv->key))
			return fail(c->g, "byte %zu: %s is there twice", start, c->what);

	if (take_type(c, &kv->type, "the value's type"))
		return -EINVAL;
	kv->pos = c->pos;
	kv->count = 1;
	if (kv->type == GGUF_ARRAY)
		return skip_array(c, &kv->elem_type, &kv->count, 1);
	return skip_value(c, kv->type, 0);
}

/* ---- Tensors ------------------------------------------------------------------ */

/* Elements of the tensor; checked not to overflow when multiplied by an element's 4 bytes. */
static int read_dims(struct cursor *c, struct gguf_tensor *t, uint64_t *elements)
{
	size_t pos = c->pos;
	uint32_t i;

	if (take_u32(c, &t->n_dims, "the number of dimensions"))
		return -EINVAL;
	if (!t->n_dims || t->n_dims > GGUF_MAX_DIMS)
		return fail(c->g, "byte %zu: %s has %" PRIu32 " dimensions, but 1..%d are allowed",
			    pos, c->what, t->n_dims, GGUF_MAX_DIMS);
	*elements = 1;
	for (i = 0; i < GGUF_MAX_DIMS; i++)
		t->dims[i] = 1;
	for (i = 0; i < t->n_dims; i++) {
		pos = c->pos;
		if (take_u64(c, &t->dims[i], "a dimension"))
			return -EINVAL;
		if (!t->dims[i])
			return fail(c->g, "byte %zu: %s: dimension %" PRIu32
				    " is 0, but at least 1 is required", pos, c->what, i);
		if (__builtin_mul_overflow(*elements, t->dims[i], elements) ||
		    *elements > c->g->size)
			return fail(c->g, "byte %zu: %s: dimension %" PRIu32 " is %" PRIu64
				    ", more than a file of %zu bytes can hold (cut short?)", pos,
				    c->what, i, t->dims[i], c->g->size);
	}
	return 0;
}

static int read_tensor_type(struct cursor *c, struct gguf_tensor *t, uint64_t elements)
{
	size_t pos = c->pos;

	if (take_u32(c, &t->type, "the type"))
		return -EINVAL;
	if (t->type == GGUF_TENSOR_F32) {
		t->size = elements * 4;
		return 0;
	}
	if (t->type != GGUF_TENSOR_Q8_0)
		return fail(c->g, "byte %zu: %s is of type %" PRIu32
			    ", but only F32 (%d) and Q8_0 (%d) are supported", pos, c->what,
			    t->type, GGUF_TENSOR_F32, GGUF_TENSOR_Q8_0);
	if (t->dims[0] % GGUF_Q8_0_VALUES)
		return fail(c->g, "byte %zu: %s is Q8_0 with rows of %" PRIu64
			    " values, but a multiple of %d is required", pos, c->what, t->dims[0],
			    GGUF_Q8_0_VALUES);
	t->size = elements / GGUF_Q8_0_VALUES * GGUF_Q8_0_BYTES;
	return 0;
}

/* All but t->data: where the data starts is not known yet. */
static int read_tensor(struct cursor *c, size_t index, uint64_t *offset)
{
	struct gguf_tensor *t = &c->g->tensors[index];
	uint64_t elements = 0;
	size_t pos, i;
	char name[80];

	t->pos = c->pos;
	reading(c, "tensor %zu", index);
	if (take_name(c, &t->name, GGUF_MAX_TENSOR_NAME))
		return -EINVAL;
	reading(c, "tensor '%s'", gguf_quote(t->name, name));
	for (i = 0; i < index; i++)
		if (same(c->g->tensors[i].name, t->name))
			return fail(c->g, "byte %zu: %s is there twice", t->pos, c->what);
	if (read_dims(c, t, &elements) || read_tensor_type(c, t, elements))
		return -EINVAL;

	pos = c->pos;
	if (take_u64(c, offset, "the offset"))
		return -EINVAL;
	if (*offset % c->g->alignment)
		return fail(c->g, "byte %zu: %s: offset %" PRIu64
			    " is not a multiple of the alignment, %" PRIu32, pos, c->what, *offset,
			    c->g->alignment);
	return 0;
}

static int place_tensors(struct gguf *g, const uint64_t *offset)
{
	size_t room = g->size - g->data_pos;
	struct gguf_tensor *t;
	char name[80];
	size_t i;

	for (i = 0; i < g->n_tensors; i++) {
		t = &g->tensors[i];
		if (offset[i] > room || t->size > room - offset[i])
			return fail(g, "byte %zu: tensor '%s' has %" PRIu64 " bytes at offset %"
				    PRIu64 ", but the file's data ends at %zu", t->pos,
				    gguf_quote(t->name, name), t->size, offset[i], room);
		t->data = g->data + g->data_pos + offset[i];
	}
	return 0;
}

static int by_data(const void *a, const void *b)
{
	const struct gguf_tensor *const *x = a, *const *y = b;

	return (*x)->data < (*y)->data ? -1 : (*x)->data > (*y)->data;
}

static int check_overlap(struct gguf *g)
{
	const struct gguf_tensor **sorted = calloc(g->n_tensors + 1, sizeof(*sorted));
	char a[80], b[80];
	int ret = 0;
	size_t i;

	if (!sorted)
		return fail(g, "out of memory for %zu tensors", g->n_tensors), -ENOMEM;
	for (i = 0; i < g->n_tensors; i++)
		sorted[i] = &g->tensors[i];
	qsort(sorted, g->n_tensors, sizeof(*sorted), by_data);
	for (i = 1; i < g->n_tensors && !ret; i++)
		if (sorted[i]->data < sorted[i - 1]->data + sorted[i - 1]->size)
			ret = fail(g, "byte %zu: the data of tensor '%s' overlaps that of '%s'",
				   sorted[i]->pos, gguf_quote(sorted[i]->name, a),
				   gguf_quote(sorted[i - 1]->name, b));
	free(sorted);
	return ret;
}

/* ---- The file ------------------------------------------------------------------- */

static int read_count(struct cursor *c, size_t *count, size_t min_bytes, const char *of)
{
	size_t pos = c->pos;
	uint64_t value;

	if (take_u64(c, &value, of))
		return -EINVAL;
	if (value > GGUF_MAX_COUNT || value * min_bytes > c->g->size)
		return fail(c->g, "byte %zu: the header: %s is %" PRIu64
			    ", but at most %d are allowed, and no more than %zu bytes can hold", pos,
			    of, value, GGUF_MAX_COUNT, c->g->size);
	*count = value;
	return 0;
}

static int read_header(struct cursor *c)
{
	struct gguf *g = c->g;
	uint32_t magic;

	reading(c, "the header");
	if (take_u32(c, &magic, "the magic"))
		return -EINVAL;
	if (magic != MAGIC)
		return fail(g, "byte 0: the file starts with 0x%08" PRIx32
			    ", but a GGUF file starts with 0x%08x (\"GGUF\")", magic, MAGIC);
	if (take_u32(c, &g->version, "the version"))
		return -EINVAL;
	if (g->version != 2 && g->version != 3)
		return fail(g, "byte 4: GGUF version %" PRIu32 "%s, but 2 or 3 is required",
			    g->version, g->version << 8 ? "" : " (a big-endian file?)");
	if (read_count(c, &g->n_tensors, MIN_TENSOR_BYTES, "the number of tensors") ||
	    read_count(c, &g->n_kv, MIN_KV_BYTES, "the number of keys"))
		return -EINVAL;

	g->kv = calloc(g->n_kv + 1, sizeof(*g->kv));
	g->tensors = calloc(g->n_tensors + 1, sizeof(*g->tensors));
	if (!g->kv || !g->tensors)
		return fail(g, "out of memory for %zu keys and %zu tensors", g->n_kv,
			    g->n_tensors), -ENOMEM;
	return 0;
}

static int read_alignment(struct gguf *g)
{
	uint32_t a;
	int ret;

	g->alignment = DEFAULT_ALIGNMENT;
	ret = gguf_get_u32(g, "general.alignment", &a);
	if (ret == -ENOENT)
		return 0;
	if (ret)
		return ret;
	if (!a || a > MAX_ALIGNMENT || a & (a - 1))
		return fail(g, "key 'general.alignment' is %" PRIu32
			    ", but a power of two up to %d is required", a, MAX_ALIGNMENT);
	g->alignment = a;
	return 0;
}

static int read_tensors(struct cursor *c)
{
	struct gguf *g = c->g;
	uint64_t *offset;
	size_t pad, i;
	int ret = 0;

	offset = calloc(g->n_tensors + 1, sizeof(*offset));
	if (!offset)
		return fail(g, "out of memory for %zu tensors", g->n_tensors), -ENOMEM;
	for (i = 0; i < g->n_tensors && !ret; i++)
		ret = read_tensor(c, i, &offset[i]);
	if (!ret) {
		reading(c, "the padding before the tensors' data");
		pad = -c->pos & (g->alignment - 1);
		ret = take(c, pad, "the alignment") ? 0 : -EINVAL;
		g->data_pos = c->pos;
	}
	if (!ret)
		ret = place_tensors(g, offset);
	free(offset);
	return ret ? ret : check_overlap(g);
}

int gguf_parse(struct gguf *g, const void *data, size_t size)
{
	struct cursor c = { .g = g };
	size_t i;
	int ret;

	memset(g, 0, sizeof(*g));
	g->data = data;
	g->size = size;
	ret = read_header(&c);
	for (i = 0; i < g->n_kv && !ret; i++)
		ret = read_kv(&c, i);
	if (!ret)
		ret = read_alignment(g);
	return ret ? ret : read_tensors(&c);
}

/* Reads all of it: a file that shrinks under a mapping would kill the program instead. */
static int read_all(struct gguf *g, int fd, uint8_t *buf, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, buf + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(g, "byte %zu: cannot be read: %s", done, strerror(errno)), -EIO;
		if (!n)
			return fail(g, "byte %zu: the file ends, but it had %zu bytes when opened",
				    done, size), -EIO;
		done += n;
	}
	return 0;
}

/* The file's bytes, at g->file and g->size. */
static int read_file(struct gguf *g, int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return fail(g, "not a regular file");
	if ((uint64_t)st.st_size > MAX_FILE)
		return fail(g, "%lld bytes, but at most %llu are read", (long long)st.st_size,
			    MAX_FILE);
	g->size = st.st_size;
	g->file = malloc(g->size + 1);
	if (!g->file)
		return fail(g, "out of memory for %zu bytes", g->size), -ENOMEM;
	return read_all(g, fd, g->file, g->size);
}

int gguf_open(struct gguf *g, const char *path)
{
	uint8_t *file;
	int ret, fd;

	memset(g, 0, sizeof(*g));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		ret = -errno;
		fail(g, "cannot be opened: %s", strerror(-ret));
		return ret;
	}
	ret = read_file(g, fd);
	close(fd);
	if (ret)
		return ret;
	file = g->file;
	ret = gguf_parse(g, file, g->size);
	g->file = file;
	return ret;
}

void gguf_close(struct gguf *g)
{
	free(g->kv);
	free(g->tensors);
	free(g->file);
	g->kv = NULL;
	g->tensors = NULL;
	g->file = NULL;
	g->n_kv = 0;
	g->n_tensors = 0;
}

/* ---- Asking ---------------------------------------------------------------------- */

static const struct gguf_kv *find(const struct gguf *g, const char *key)
{
	size_t i;

	for (i = 0; i < g->n_kv; i++)
		if (same(g->kv[i].key, str(key)))
			return &g->kv[i];
	return NULL;
}

bool gguf_has(const struct gguf *g, const char *key)
{
	return find(g, key);
}

static int require(struct gguf *g, const char *key, const struct gguf_kv **kv)
{
	*kv = find(g, key);
	if (*kv)
		return 0;
	fail(g, "key '%s' is missing", key);
	return -ENOENT;
}

static int wrong_type(struct gguf *g, const struct gguf_kv *kv, const char *wanted)
{
	char name[80];

	return fail(g, "byte %zu: key '%s' is of type %s, but %s is required", kv->pos,
		    gguf_quote(kv->key, name), value_types[kv->type].name, wanted);
}

int gguf_get_u32(struct gguf *g, const char *key, uint32_t *value)
{
	const struct gguf_kv *kv;
	uint64_t raw = 0;
	uint32_t size;
	bool negative;

	if (require(g, key, &kv))
		return -ENOENT;
	switch (kv->type) {
	case GGUF_U8: case GGUF_U16: case GGUF_U32: case GGUF_U64:
	case GGUF_I8: case GGUF_I16: case GGUF_I32: case GGUF_I64:
		break;
	default:
		return wrong_type(g, kv, "an integer");
	}
	size = value_types[kv->type].size;
	memcpy(&raw, g->data + kv->pos, size);
	raw = le64toh(raw);
	negative = (kv->type == GGUF_I8 || kv->type == GGUF_I16 || kv->type == GGUF_I32 ||
		    kv->type == GGUF_I64) && raw >> (8 * size - 1);
	if (negative || raw > UINT32_MAX)
		return fail(g, "byte %zu: key '%s' is %s, but 0..%" PRIu32 " is required", kv->pos,
			    key, negative ? "negative" : "too large", UINT32_MAX);
	*value = raw;
	return 0;
}

int gguf_get_f64(struct gguf *g, const char *key, double *value)
{
	const struct gguf_kv *kv;
	uint32_t raw32;
	uint64_t raw64;
	float f;

	if (require(g, key, &kv))
		return -ENOENT;
	if (kv->type == GGUF_F32) {
		memcpy(&raw32, g->data + kv->pos, 4);
		raw32 = le32toh(raw32);
		memcpy(&f, &raw32, 4);
		*value = f;
		return 0;
	}
	if (kv->type != GGUF_F64)
		return wrong_type(g, kv, "float32 or float64");
	memcpy(&raw64, g->data + kv->pos, 8);
	raw64 = le64toh(raw64);
	memcpy(value, &raw64, 8);
	return 0;
}

int gguf_get_string(struct gguf *g, const char *key, struct gguf_str *value)
{
	const struct gguf_kv *kv;
	uint64_t len;

	if (require(g, key, &kv))
		return -ENOENT;
	if (kv->type != GGUF_STRING)
		return wrong_type(g, kv, "a string");
	memcpy(&len, g->data + kv->pos, 8);
	value->len = le64toh(len);
	value->text = (const char *)g->data + kv->pos + 8;
	return 0;
}

int gguf_get_count(struct gguf *g, const char *key, uint64_t *count)
{
	const struct gguf_kv *kv;

	if (require(g, key, &kv))
		return -ENOENT;
	if (kv->type != GGUF_ARRAY)
		return wrong_type(g, kv, "an array");
	*count = kv->count;
	return 0;
}

const struct gguf_tensor *gguf_find_tensor(const struct gguf *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->n_tensors; i++)
		if (same(g->tensors[i].name, str(name)))
			return &g->tensors[i];
	return NULL;
}
