// SPDX-License-Identifier: MIT
/* Making vectors: from a row of a table to text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

#define FILES(X) X(control) X(dma) X(gemm) X(gemm_more) X(weights) X(attention) X(vector) X(conv)

#define X(file) extern const struct vector_file vector_file_##file;
FILES(X)
#undef X

const struct vector_file *const vector_files[] = {
#define X(file) &vector_file_##file,
	FILES(X)
#undef X
};

const unsigned int vector_file_count = sizeof(vector_files) / sizeof(vector_files[0]);

static void die(const struct vector *v, const char *what)
{
	fprintf(stderr, "vector %s: %s\n", v->name, what);
	abort();
}

static struct vector_region *add(struct vector *v, struct qh_buf *buf)
{
	struct vector_region *r = &v->region[v->regions];

	if (v->regions++ == VECTOR_MAX_REGIONS)
		die(v, "too many regions");
	*r = (struct vector_region){ .buf = buf };
	return r;
}

struct vector_region *vector_operand(struct vector *v, size_t size)
{
	return add(v, qh_alloc(v->h, v->as, size, QH_RW));
}

void vector_update(struct vector_region *r)
{
	free(r->want);
	r->want = malloc(r->buf->size);
	if (!r->want)
		abort();
	memcpy(r->want, r->buf->ptr, r->buf->size);
}

struct vector_region *vector_result(struct vector *v, size_t size)
{
	struct vector_region *r = vector_operand(v, size);

	memset(r->buf->ptr, UNTOUCHED, size);
	vector_update(r);
	return r;
}

void vector_region(struct vector *v, struct qh_buf *buf, const void *want)
{
	struct vector_region *r = NULL;
	unsigned int i;

	/* a result in the place of an operand is the same memory */
	for (i = 0; i < v->regions; i++)
		if (v->region[i].buf == buf)
			r = &v->region[i];
	if (!r)
		r = add(v, buf);
	if (!want)
		return;
	if (r->want)
		die(v, "two results are the same memory");
	vector_update(r);
	memcpy(r->want, want, buf->size);
}

struct vector_region *vector_bytes(struct vector *v, size_t count)
{
	struct vector_region *r = vector_operand(v, count);

	ref_random_s8(&v->rnd, (int8_t *)r->buf->ptr, count);
	return r;
}

struct vector_region *vector_floats(struct vector *v, size_t count, bool special)
{
	static const float values[] = { NAN, -NAN, INFINITY, -INFINITY, -0.0f, 0x1p-140f, -3e38f };
	struct vector_region *r = vector_operand(v, count * sizeof(float));
	float *p = (float *)r->buf->ptr;
	size_t i;

	for (i = 0; i < count; i++)
		p[i] = special && !ref_random_below(&v->rnd, 20) ?
		       values[ref_random_below(&v->rnd, 7)] : ref_random_float(&v->rnd, -4, 4);
	return r;
}

void vector_open(struct vector *v, const struct vector_row *row)
{
	const struct quill_host_config config = {
		.emu = { .threads = 1, .kernels = "scalar" }, .no_boot = true,
	};
	const char *c;

	memset(v, 0, sizeof(*v));
	v->name = row->name;
	v->h = qh_create(&config);
	v->as = qh_as_create(v->h);
	qh_stream_init(&v->s, v->h, v->as, 64);
	for (c = row->name; *c; c++)
		v->rnd.state = (v->rnd.state ^ (uint8_t)*c) * 0x100000001b3ull;
	row->make(v, row->mode);
}

void vector_close(struct vector *v)
{
	unsigned int i;

	for (i = 0; i < v->regions; i++)
		free(v->region[i].want);
	qh_destroy(v->h);
}

/* ---- Text ---- */

#define LINE	48

static void put_hex(FILE *f, const uint8_t *p, size_t n)
{
	while (n--)
		fprintf(f, "%02x", *p++);
	fputc('\n', f);
}

static size_t run_length(const uint8_t *p, size_t n)
{
	size_t i = 1;

	while (i < n && p[i] == p[0])
		i++;
	return i;
}

/* Lines of hexadecimal bytes; a long run of one byte is a line of its own. */
static void put_data(FILE *f, const uint8_t *p, size_t n)
{
	size_t same, len;

	while (n) {
		same = run_length(p, n);
		if (same >= 16) {
			fprintf(f, "  %zu*%02x\n", same, *p);
			len = same;
		} else {
			for (len = 0; len < n && len < LINE; len++)
				if (run_length(p + len, n - len) >= 16)
					break;
			fputs("  ", f);
			put_hex(f, p, len);
		}
		p += len;
		n -= len;
	}
}

static bool all_untouched(const uint8_t *p, size_t n)
{
	while (n)
		if (p[--n] != UNTOUCHED)
			return false;
	return true;
}

static void put_record(FILE *f, const uint8_t *p)
{
	size_t n = QUILL_CMD_SIZE;

	while (n > 1 && !p[n - 1])
		n--;
	fputs("cmd ", f);
	put_hex(f, p, n);
}

static void put_vector(FILE *f, const struct vector *v)
{
	const struct vector_region *r;
	unsigned int i;

	fprintf(f, "\nvector %s\n", v->name);
	for (i = 0; i < v->s.count; i++)
		put_record(f, (const uint8_t *)&v->s.cmd[i]);
	for (r = v->region; r < v->region + v->regions; r++) {
		if (!all_untouched(r->buf->ptr, r->buf->size)) {
			fprintf(f, "in %#llx %zu\n", (unsigned long long)r->buf->va, r->buf->size);
			put_data(f, r->buf->ptr, r->buf->size);
		}
		if (r->want) {
			fprintf(f, "out %#llx %zu\n", (unsigned long long)r->buf->va, r->buf->size);
			put_data(f, r->want, r->buf->size);
		}
	}
}

char *vector_file_text(const struct vector_file *file)
{
	unsigned int count, i;
	const struct vector_row *row = file->table(&count);
	struct vector v;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("# SPDX-License-Identifier: MIT\n"
	      "# Made by \"make vectors\"; README.md has the format.\n", f);
	for (i = 0; i < count; i++) {
		vector_open(&v, &row[i]);
		put_vector(f, &v);
		vector_close(&v);
	}
	fclose(f);
	return text;
}
