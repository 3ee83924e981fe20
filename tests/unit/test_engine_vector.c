// SPDX-License-Identifier: MIT
/*
 * The VECTOR commands: every set of kernels that this processor runs equals the reference to the bit, for
 * any shape, stride, cut and value. (What the values are: test_engine_vector_values.c.)
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "guard.h"
#include "ref.h"
#include "ref_vector.h"

#define AREAS 8

/* Memory of a command, operand or result alike: what it holds before, and what it must hold after. */
struct area {
	void *p, *before, *want;
	size_t size;
};

struct shape {
	uint32_t rows, n;
	/* elements between rows, at most */
	uint32_t room;
	/* NaN, infinities, denormals and the like among the values */
	bool wild;
	/* the result takes the place of an operand */
	bool in_place;
	/* past the caches, rows at whole cache lines */
	bool stream;
	/* chooses what else the command has: each reads its own bits */
	uint32_t variant;
	/* rows and columns of a tile; 0: all */
	uint32_t tile_rows, tile_columns;
};

struct problem {
	struct ref_random rnd;
	const struct shape *shape;
	struct area area[AREAS];
	unsigned int areas;
	union {
		struct ref_norm norm;
		struct ref_softmax softmax;
		struct ref_rope rope;
		struct ref_quantise quantise;
		struct ref_eltwise eltwise;
		struct ref_act act;
		struct ref_reduce reduce;
	} c;
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* ---- Operands ---- */

static float odd_float(struct ref_random *rnd)
{
	static const uint32_t odd[] = {
		0x7f800000, 0xff800000, 0x7fc00000, 0x7fc00001, 0xffffffff, 0x7f800001, 0x00000001,
		0x80000001, 0x007fffff, 0x80000000, 0x00000000, 0x7f7fffff, 0xff7fffff, 0x00800000,
	};
	uint32_t x = ref_random(rnd);
	float f;

	if (x & 1)
		x = odd[ref_random_below(rnd, sizeof(odd) / sizeof(odd[0]))];
	else
		x = ref_random(rnd);
	memcpy(&f, &x, sizeof(f));
	return f;
}

static void *add_area(struct problem *p, size_t size)
{
	struct area *a = &p->area[p->areas++];

	assert_true(p->areas <= AREAS);
	a->p = guard_alloc(size);
	a->before = malloc(size);
	a->want = malloc(size);
	a->size = size;
	memset(a->p, 0x5a, size);
	return a->p;
}

static size_t some_stride(struct problem *p, uint32_t n, uint32_t size)
{
	size_t stride = n + ref_random_below(&p->rnd, p->shape->room + 1), line = 64 / size;

	return p->shape->stream ? (stride + line - 1) / line * line : stride;
}

/* A row in five is wild in all its elements, one in five in some. */
static float *add_matrix(struct problem *p, uint32_t rows, uint32_t n, size_t *stride)
{
	size_t i, all, wild = p->shape->wild ? ref_random_below(&p->rnd, 5) : 2;
	float *x;

	*stride = some_stride(p, n, sizeof(*x));
	all = (rows - 1) * *stride + (p->shape->stream ? *stride : n);
	x = add_area(p, all * sizeof(*x));
	for (i = 0; i < all; i++) {
		x[i] = ref_random_float(&p->rnd, -4, 4);
		if (wild == 0 || (wild == 1 && !ref_random_below(&p->rnd, 20)))
			x[i] = odd_float(&p->rnd);
	}
	return x;
}

static struct ref_rows add_rows(struct problem *p)
{
	struct ref_rows r;

	r.p = add_matrix(p, p->shape->rows, p->shape->n, &r.stride);
	return r;
}

/* A matrix of its own, or (in place) @operand. */
static float *add_result(struct problem *p, struct ref_rows operand, size_t *stride)
{
	if (!p->shape->in_place)
		return add_matrix(p, p->shape->rows, p->shape->n, stride);
	*stride = operand.stride;
	return (float *)operand.p;
}

/* ---- Each command: a random one, the reference, and the engine in tiles ---- */

static void make_norm(struct problem *p)
{
	const struct shape *s = p->shape;
	struct ref_norm *c = &p->c.norm;
	size_t ignored;

	*c = (struct ref_norm){ .rows = s->rows, .n = s->n, .layer = s->variant & 1 };
	c->src = add_rows(p);
	c->weight = add_matrix(p, 1, s->n, &ignored);
	if (c->layer && s->variant & 2)
		c->bias = add_matrix(p, 1, s->n, &ignored);
	if (s->variant & 4)
		c->residual = add_rows(p);
	c->dst = add_result(p, s->variant & 16 && c->residual.p ? c->residual : c->src,
			    &c->dst_stride);
	/* in the place of the operand that the result leaves */
	if (s->variant & 4 && s->variant & 8)
		c->sum = add_result(p, s->variant & 16 ? c->src : c->residual, &c->sum_stride);
	c->eps = s->variant & 32 ? 0 : 1e-5f;
}

static void run_ref_norm(const struct problem *p)
{
	ref_norm(&p->c.norm);
}

static void run_norm(const struct quill_kernels *e, const struct problem *p, uint32_t row,
		     uint32_t rows)
{
	const struct ref_norm *c = &p->c.norm;

	e->norm(&(struct quill_norm_tile){
		.src = c->src.p + row * c->src.stride,
		.src_stride = c->src.stride,
		.residual = c->residual.p ? c->residual.p + row * c->residual.stride : NULL,
		.residual_stride = c->residual.stride,
		.sum = c->sum ? c->sum + row * c->sum_stride : NULL,
		.sum_stride = c->sum_stride,
		.weight = c->weight,
		.bias = c->bias,
		.dst = c->dst + row * c->dst_stride,
		.dst_stride = c->dst_stride,
		.rows = rows,
		.n = c->n,
		.eps = c->eps,
		.layer = c->layer,
		.stream = p->shape->stream,
	});
}

static void make_softmax(struct problem *p)
{
	const struct shape *s = p->shape;
	struct ref_softmax *c = &p->c.softmax;

	*c = (struct ref_softmax){ .rows = s->rows, .n = s->n };
	c->src = add_rows(p);
	c->dst = add_result(p, c->src, &c->dst_stride);
	c->scale = s->variant & 1 ? 20 : -0.125f;
}

static void run_ref_softmax(const struct problem *p)
{
	ref_softmax(&p->c.softmax);
}

static void run_softmax(const struct quill_kernels *e, const struct problem *p, uint32_t row,
			uint32_t rows)
{
	const struct ref_softmax *c = &p->c.softmax;

	e->softmax(&(struct quill_softmax_tile){
		.src = c->src.p + row * c->src.stride,
		.src_stride = c->src.stride,
		.dst = c->dst + row * c->dst_stride,
		.dst_stride = c->dst_stride,
		.rows = rows,
		.n = c->n,
		.scale = c->scale,
		.stream = p->shape->stream,
	});
}

/* The shape's n is twice the dimension's half, or heads of 2 to 6 elements. */
static void make_rope(struct problem *p)
{
	struct shape s = *p->shape;
	struct ref_rope *c = &p->c.rope;

	*c = (struct ref_rope){ .rows = s.rows, .halves = s.variant & 1 };
	c->heads = 1 + (s.variant >> 1) % 3;
	c->dim = 2 * min32((s.n + 1) / 2, QUILL_ATTENTION_MAX_HEAD_DIM / 2);
	c->rotary = s.variant & 8 ? 2 * (1 + ref_random_below(&p->rnd, c->dim / 2)) : c->dim;
	s.n = c->heads * c->dim;
	p->shape = &s;
	c->src = add_rows(p);
	c->dst = add_result(p, c->src, &c->dst_stride);
	c->table.p = add_matrix(p, s.rows, c->rotary, &c->table.stride);
}

static void run_ref_rope(const struct problem *p)
{
	ref_rope(&p->c.rope);
}

/* All heads at once, or (with tiles of columns) one by one. */
static void run_rope(const struct quill_kernels *e, const struct problem *p, uint32_t row,
		     uint32_t rows)
{
	const struct ref_rope *c = &p->c.rope;
	uint32_t h, part = p->shape->tile_columns ? 1 : c->heads;

	for (h = 0; h < c->heads; h += part)
		e->rope(&(struct quill_rope_tile){
			.src = c->src.p + row * c->src.stride + h * c->dim,
			.src_stride = c->src.stride,
			.dst = c->dst + row * c->dst_stride + h * c->dim,
			.dst_stride = c->dst_stride,
			.table = c->table.p + row * c->table.stride,
			.table_stride = c->table.stride,
			.rows = rows,
			.heads = part,
			.dim = c->dim,
			.rotary = c->rotary,
			.halves = c->halves,
			.stream = p->shape->stream,
		});
}

static uint32_t some_group(uint32_t n, uint32_t variant)
{
	static const uint32_t groups[] = { 1, 2, 3, 5, 16, 32, 20 };
	uint32_t group = groups[variant % 7];

	return n % group ? n : group;
}

static void make_quantise(struct problem *p)
{
	const struct shape *s = p->shape;
	struct ref_quantise *c = &p->c.quantise;
	size_t i;

	*c = (struct ref_quantise){ .rows = s->rows, .n = s->n };
	c->group = some_group(s->n, s->variant);
	c->f = add_matrix(p, s->rows, s->n, &c->f_stride);
	c->q_stride = some_stride(p, s->n, 1);
	c->q = add_area(p, (s->rows - 1) * c->q_stride + (s->stream ? c->q_stride : s->n));
	for (i = 0; i < p->area[1].size; i++)
		c->q[i] = (int8_t)ref_random(&p->rnd);
	c->scale = add_matrix(p, s->rows, s->n / c->group, &c->scale_stride);
}

static void run_ref_quantise(const struct problem *p)
{
	ref_quantise(&p->c.quantise);
}

static void run_quantise(const struct quill_kernels *e, const struct problem *p, uint32_t row,
			 uint32_t rows)
{
	const struct ref_quantise *c = &p->c.quantise;
	uint32_t g, groups = c->n / c->group;
	uint32_t part = p->shape->tile_columns ? min32(p->shape->tile_columns, groups) : groups;

	for (g = 0; g < groups; g += part)
		e->quantise(&(struct quill_quantise_tile){
			.src = c->f + row * c->f_stride + g * c->group,
			.src_stride = c->f_stride,
			.dst = c->q + row * c->q_stride + g * c->group,
			.dst_stride = c->q_stride,
			.scale = c->scale + row * c->scale_stride + g,
			.scale_stride = c->scale_stride,
			.rows = rows,
			.n = min32(part, groups - g) * c->group,
			.group = c->group,
			.stream = p->shape->stream,
		});
}

/* Scales of which most make quotients within the clamp. */
static void make_quantise_by(struct problem *p)
{
	struct ref_quantise *c = &p->c.quantise;
	uint32_t clamp = ref_random(&p->rnd);
	size_t i;

	make_quantise(p);
	for (i = 0; i < p->area[2].size / sizeof(float); i++)
		c->scale[i] /= 60;
	if (p->shape->variant & 8)
		c->scale_stride = 0;
	c->zero = (int8_t)ref_random(&p->rnd);
	c->lo = -(int32_t)(clamp & 128);
	c->hi = 127 - (int32_t)(clamp >> 8 & 127);
}

static void run_ref_quantise_by(const struct problem *p)
{
	ref_quantise_by(&p->c.quantise);
}

static uint32_t tile_columns(const struct problem *p, uint32_t n)
{
	return p->shape->tile_columns ? p->shape->tile_columns : n;
}

static void run_quantise_by(const struct quill_kernels *e, const struct problem *p, uint32_t row,
			    uint32_t rows)
{
	const struct ref_quantise *c = &p->c.quantise;
	uint32_t at, part = tile_columns(p, c->n);

	for (at = 0; at < c->n; at += part)
		e->quantise_by(&(struct quill_quantise_by_tile){
			.src = c->f + row * c->f_stride + at,
			.src_stride = c->f_stride,
			.dst = c->q + row * c->q_stride + at,
			.dst_stride = c->q_stride,
			.scale = c->scale + row * c->scale_stride + at / c->group,
			.scale_stride = c->scale_stride,
			.rows = rows,
			.n = min32(part, c->n - at),
			.group = c->group,
			.skip = at % c->group,
			.zero = c->zero,
			.lo = c->lo,
			.hi = c->hi,
			.stream = p->shape->stream,
		});
}

static void run_ref_dequantise(const struct problem *p)
{
	ref_dequantise(&p->c.quantise);
}

static void run_dequantise(const struct quill_kernels *e, const struct problem *p, uint32_t row,
			   uint32_t rows)
{
	const struct ref_quantise *c = &p->c.quantise;
	uint32_t at, part = tile_columns(p, c->n);

	for (at = 0; at < c->n; at += part)
		e->dequantise(&(struct quill_dequantise_tile){
			.src = c->q + row * c->q_stride + at,
			.src_stride = c->q_stride,
			.dst = c->f + row * c->f_stride + at,
			.dst_stride = c->f_stride,
			.scale = c->scale + row * c->scale_stride + at / c->group,
			.scale_stride = c->scale_stride,
			.rows = rows,
			.n = min32(part, c->n - at),
			.group = c->group,
			.skip = at % c->group,
			.stream = p->shape->stream,
		});
}

static void make_eltwise(struct problem *p)
{
	const struct shape *s = p->shape;
	struct ref_eltwise *c = &p->c.eltwise;

	*c = (struct ref_eltwise){ .rows = s->rows, .n = s->n };
	c->op = s->variant % QUILL_ELTWISE_COUNT;
	c->a = add_rows(p);
	c->b = add_rows(p);
	c->dst = add_result(p, s->variant & 8 ? c->a : c->b, &c->dst_stride);
	/* one row for all */
	if (s->variant & 16 && c->dst != c->b.p)
		c->b.stride = 0;
}

static void run_ref_eltwise(const struct problem *p)
{
	ref_eltwise(&p->c.eltwise);
}

static void run_eltwise(const struct quill_kernels *e, const struct problem *p, uint32_t row,
			uint32_t rows)
{
	const struct ref_eltwise *c = &p->c.eltwise;
	uint32_t at, part = tile_columns(p, c->n);

	for (at = 0; at < c->n; at += part)
		e->eltwise(&(struct quill_eltwise_tile){
			.a = c->a.p + row * c->a.stride + at,
			.a_stride = c->a.stride,
			.b = c->b.p + row * c->b.stride + at,
			.b_stride = c->b.stride,
			.dst = c->dst + row * c->dst_stride + at,
			.dst_stride = c->dst_stride,
			.rows = rows,
			.n = min32(part, c->n - at),
			.op = c->op,
			.stream = p->shape->stream,
		});
}

static void make_act(struct problem *p)
{
	const struct shape *s = p->shape;
	struct ref_act *c = &p->c.act;

	*c = (struct ref_act){ .rows = s->rows, .n = s->n };
	c->op = s->variant % QUILL_ACT_COUNT;
	c->src = add_rows(p);
	if (s->variant & 8)
		c->gate = add_rows(p);
	c->dst = add_result(p, s->variant & 16 && c->gate.p ? c->gate : c->src, &c->dst_stride);
}

static void run_ref_act(const struct problem *p)
{
	ref_act(&p->c.act);
}

static void run_act(const struct quill_kernels *e, const struct problem *p, uint32_t row,
		    uint32_t rows)
{
	const struct ref_act *c = &p->c.act;
	uint32_t at, part = tile_columns(p, c->n);

	for (at = 0; at < c->n; at += part)
		e->act(&(struct quill_act_tile){
			.src = c->src.p + row * c->src.stride + at,
			.src_stride = c->src.stride,
			.gate = c->gate.p ? c->gate.p + row * c->gate.stride + at : NULL,
			.gate_stride = c->gate.stride,
			.dst = c->dst + row * c->dst_stride + at,
			.dst_stride = c->dst_stride,
			.rows = rows,
			.n = min32(part, c->n - at),
			.op = c->op,
			.stream = p->shape->stream,
		});
}

static void make_reduce(struct problem *p)
{
	const struct shape *s = p->shape;
	struct ref_reduce *c = &p->c.reduce;

	*c = (struct ref_reduce){ .rows = s->rows, .n = s->n };
	c->op = s->variant % QUILL_REDUCE_COUNT;
	c->src = add_rows(p);
	c->dst = add_area(p, s->rows * 4);
}

static void run_ref_reduce(const struct problem *p)
{
	ref_reduce(&p->c.reduce);
}

static void run_reduce(const struct quill_kernels *e, const struct problem *p, uint32_t row,
		       uint32_t rows)
{
	const struct ref_reduce *c = &p->c.reduce;

	e->reduce(&(struct quill_reduce_tile){
		.src = c->src.p + row * c->src.stride,
		.src_stride = c->src.stride,
		.dst = (uint32_t *)c->dst + row,
		.rows = rows,
		.n = c->n,
		.op = c->op,
	});
}

static const struct command {
	const char *name;
	void (*make)(struct problem *p);
	void (*ref)(const struct problem *p);
	/* rows from @row on as one tile, or several side by side */
	void (*run)(const struct quill_kernels *e, const struct problem *p, uint32_t row,
		    uint32_t rows);
} commands[] = {
	{ "norm", make_norm, run_ref_norm, run_norm },
	{ "softmax", make_softmax, run_ref_softmax, run_softmax },
	{ "rope", make_rope, run_ref_rope, run_rope },
	{ "quantise", make_quantise, run_ref_quantise, run_quantise },
	{ "quantise_by", make_quantise_by, run_ref_quantise_by, run_quantise_by },
	{ "dequantise", make_quantise, run_ref_dequantise, run_dequantise },
	{ "eltwise", make_eltwise, run_ref_eltwise, run_eltwise },
	{ "act", make_act, run_ref_act, run_act },
	{ "reduce", make_reduce, run_ref_reduce, run_reduce },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* ---- The comparison ---- */

static void restore(struct problem *p)
{
	unsigned int i;

	for (i = 0; i < p->areas; i++)
		memcpy(p->area[i].p, p->area[i].before, p->area[i].size);
}

static void run_ref(struct problem *p, const struct command *command)
{
	unsigned int i;

	for (i = 0; i < p->areas; i++)
		memcpy(p->area[i].before, p->area[i].p, p->area[i].size);
	command->ref(p);
	for (i = 0; i < p->areas; i++)
		memcpy(p->area[i].want, p->area[i].p, p->area[i].size);
}

static void explain(const struct quill_kernels *e, const struct problem *p,
		    const struct command *command, const struct area *a)
{
	const uint8_t *got = a->p, *want = a->want;
	const struct shape *s = p->shape;
	size_t i = 0;

	while (got[i] == want[i])
		i++;
	fail_msg("%s: %s: rows %u n %u variant %#x wild %d in_place %d stream %d tile %ux%u: byte %zu of area %td is %02x, expected %02x",
		 e->name, command->name, s->rows, s->n, s->variant, s->wild, s->in_place, s->stream,
		 s->tile_rows, s->tile_columns, i, a - p->area, got[i], want[i]);
}

/* Operands are compared too: nobody may write to them, nor between rows. */
static void run_engine(const struct quill_kernels *e, struct problem *p,
		       const struct command *command)
{
	uint32_t row, part = p->shape->tile_rows ? p->shape->tile_rows : p->shape->rows;
	unsigned int i;

	restore(p);
	for (row = 0; row < p->shape->rows; row += part)
		command->run(e, p, row, min32(part, p->shape->rows - row));
	for (i = 0; i < p->areas; i++)
		if (memcmp(p->area[i].p, p->area[i].want, p->area[i].size))
			explain(e, p, command, &p->area[i]);
}

static void check(const struct command *command, const struct shape *shape)
{
	struct problem p = { .rnd = { shape->n * 64 + shape->variant }, .shape = shape };
	const struct quill_kernels *e;
	unsigned int i;

	command->make(&p);
	p.shape = shape;
	run_ref(&p, command);
	for (i = 0; (e = quill_engine_at(i)); i++)
		if (e->supported())
			run_engine(e, &p, command);
	for (i = 0; i < p.areas; i++) {
		guard_free(p.area[i].p, p.area[i].size);
		free(p.area[i].before);
		free(p.area[i].want);
	}
}

/* ---- Tests ---- */

static void check_lengths(uint32_t from, uint32_t to, struct shape s)
{
	unsigned int i;

	for (s.n = from; s.n <= to; s.n++) {
		for (i = 0; i < COMMANDS; i++) {
			for (s.variant = 0; s.variant < 64; s.variant += 1 + s.n % 5) {
				s.rows = 1 + (s.variant + s.n) % 5;
				check(&commands[i], &s);
			}
		}
	}
}

static void every_length_to_100(void **state)
{
	check_lengths(1, 100, (struct shape){ .room = 3 });
}

static void lengths_around_256(void **state)
{
	check_lengths(255, 260, (struct shape){ .room = 3 });
	check_lengths(255, 260, (struct shape){ .room = 3, .wild = true, .in_place = true });
}

static void results_may_take_the_place_of_operands(void **state)
{
	check_lengths(1, 40, (struct shape){ .room = 3, .in_place = true });
}

static void results_may_go_past_the_caches(void **state)
{
	check_lengths(1, 70, (struct shape){ .room = 3, .stream = true });
	check_lengths(126, 131, (struct shape){ .stream = true, .wild = true });
	check_lengths(1, 40, (struct shape){ .stream = true, .in_place = true });
}

static void odd_values_give_what_the_isa_says(void **state)
{
	check_lengths(1, 70, (struct shape){ .room = 2, .wild = true });
	check_lengths(28, 36, (struct shape){ .wild = true, .in_place = true });
}

static void tiles_may_be_cut_anywhere(void **state)
{
	struct shape s = { .rows = 5, .n = 120, .room = 1, .wild = true };
	unsigned int i;

	for (i = 0; i < COMMANDS; i++)
		for (s.variant = 0; s.variant < 14; s.variant++)
			for (s.tile_rows = 1; s.tile_rows <= 5; s.tile_rows++)
				for (s.tile_columns = 0; s.tile_columns < 40; s.tile_columns += 3)
					check(&commands[i], &s);
}

/* Above REDUCE's blocks, and sums long enough for their order to show. */
static void long_rows(void **state)
{
	struct shape s = { .rows = 2, .room = 1 };
	unsigned int i;

	for (i = 0; i < COMMANDS; i++) {
		for (s.variant = 0; s.variant < 16; s.variant++) {
			s.n = 5000 + s.variant;
			s.wild = s.variant & 4;
			s.stream = s.variant & 2;
			check(&commands[i], &s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_to_100),
		cmocka_unit_test(lengths_around_256),
		cmocka_unit_test(results_may_take_the_place_of_operands),
		cmocka_unit_test(results_may_go_past_the_caches),
		cmocka_unit_test(odd_values_give_what_the_isa_says),
		cmocka_unit_test(tiles_may_be_cut_anywhere),
		cmocka_unit_test(long_rows),
	};

	return cmocka_run_group_tests_name("engine: VECTOR", tests, NULL, NULL);
}
