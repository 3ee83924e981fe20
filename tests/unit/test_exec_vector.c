// SPDX-License-Identifier: MIT
/*
 * VECTOR commands through the whole device (firmware, issue port, tiles, threads, views) against the
 * reference, to the bit, wherever the operands lie; and their faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"
#include "vector_cases.h"

#define PAGE	4096ull

static const struct quill_host_config configs[] = {
	{ .emu.threads = 1 },
	{ .emu.threads = 4 },
	{ .emu.threads = 4, .scatter = true },
	{ .emu.threads = 2, .map_limit = 1001 },
	{ .emu.threads = 2, .emu.kernels = "scalar" },
};

#define CONFIGS	(sizeof(configs) / sizeof(configs[0]))

struct rig {
	struct quill_host *h;
	struct qh_stream s;
	struct vector_case c;
};

static void open_rig(struct rig *r, const struct quill_host_config *config)
{
	uint32_t as;

	memset(r, 0, sizeof(*r));
	r->h = qh_create(config);
	as = qh_as_create(r->h);
	assert_int_equal(qh_queue_create(r->h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 8), 0);
	qh_stream_init(&r->s, r->h, as, 128);
	r->c = (struct vector_case){ .h = r->h, .s = &r->s, .as = as, .rnd.state = 4711 };
}

static void close_rig(struct rig *r)
{
	assert_int_equal(qh_dma_maps(r->h), 0);
	assert_int_equal(qh_read(r->h, QUILL_REG_RESET_COUNT), 0);
	qh_destroy(r->h);
}

static struct quill_job_cpl run(struct rig *r)
{
	struct quill_job_cpl cpl = qh_run(r->h, 0, &r->s);

	r->s.count = 0;
	return cpl;
}

static void check_kind(struct rig *r, const struct case_kind *kind, const struct case_shape *shape)
{
	struct quill_job_cpl cpl;

	r->c.shape = *shape;
	case_make(&r->c, kind);
	cpl = run(r);
	if (cpl.status)
		fail_msg("%s, %u rows of %u: fault %u at %#llx", kind->name, shape->rows, shape->n,
			 cpl.status, (unsigned long long)cpl.address);
	case_check(&r->c, kind);
	case_free(&r->c);
}

static void check_all_kinds(struct rig *r, const struct case_shape *shape)
{
	unsigned int i;

	for (i = 0; i < case_kinds_count; i++)
		check_kind(r, &case_kinds[i], shape);
}

static void results_equal_the_reference_wherever_operands_lie(void **state)
{
	const struct case_shape shapes[] = {
		{ .rows = 1, .n = 1 },
		{ .rows = 1, .n = 17, .in_place = true },
		{ .rows = 9, .n = 37, .pad = 5, .special = true },
		{ .rows = 70, .n = 130, .pad = 2000, .special = true, .in_place = true },	/* rows on pages of their own */
		{ .rows = 700, .n = 64 },			/* several tiles of whole rows, no gaps */
		{ .rows = 300, .n = 3, .pad = 1, .special = true },
		{ .rows = 3, .n = 20000, .pad = 7, .in_place = true },	/* rows longer than a tile */
		{ .rows = 1, .n = 40001 },
	};
	unsigned int c, i;
	struct rig r;

	for (c = 0; c < CONFIGS; c++) {
		for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
			open_rig(&r, &configs[c]);
			check_all_kinds(&r, &shapes[i]);
			close_rig(&r);
		}
	}
}

/* Their results are written past the caches, where that can be. */
static void commands_larger_than_the_caches(void **state)
{
	static const char *const names[] = {
		"RMSNORM and the sum", "LAYERNORM with everything", "SOFTMAX", "ROPE of halves",
		"ROPE of a part", "QUANTISE by given scales by 32",
		"QUANTISE by 32", "DEQUANTISE", "ELTWISE ADD", "ACT SILU with gate",
	};
	const struct case_shape shape = { .rows = 1700, .n = 4096, .special = true };
	const struct quill_host_config config = { .emu.threads = 2 };
	unsigned int i, k;
	struct rig r;

	for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		open_rig(&r, &config);
		for (i = 0; i < case_kinds_count; i++)
			if (!strcmp(case_kinds[i].name, names[k]))
				check_kind(&r, &case_kinds[i], &shape);
		close_rig(&r);
	}
}

static void rows_too_far_apart_for_one_tile(void **state)
{
	const struct case_shape shape = { .rows = 5, .n = 8, .pad = 300000 };
	struct quill_host_config config = { .emu.threads = 2, .ram = 1u << 30 };
	struct rig r;

	open_rig(&r, &config);
	check_all_kinds(&r, &shape);
	close_rig(&r);
}

static void operands_in_sram_and_device_memory(void **state)
{
	const uint64_t window = 0x700000000ull, sram = QUILL_VA_SRAM + 4;
	const struct case_kind *kind = &case_kinds[0];
	struct case_operand *src, *dst;
	union quill_cmd *cmd;
	unsigned int i;
	struct rig r;

	open_rig(&r, &configs[2]);
	qh_map(r.h, r.c.as, window, 0x4000, 0x10000, QH_RW | QUILL_PTE_DEVMEM);
	r.c.shape = (struct case_shape){ .rows = 20, .n = 100 };
	case_make(&r.c, kind);
	src = &r.c.op[0];
	dst = &r.c.op[2];
	cmd = r.s.cmd;
	/* the norm from device memory to SRAM, between copies there and back */
	memmove(&cmd[1], &cmd[0], 2 * sizeof(*cmd));
	r.s.count = 0;
	qh_copy(&r.s, window + 4, src->buf->va, 8000);
	r.s.count = 3;
	cmd[1].norm.src = window + 4;
	cmd[1].norm.dst = sram;
	qh_copy(&r.s, dst->buf->va, sram, 8000);
	for (i = 1; i < 4; i += 2)
		cmd[i].hdr.flags = QUILL_CMD_ORDERED;
	assert_int_equal(run(&r).status, 0);
	case_check(&r.c, kind);
	case_free(&r.c);
	close_rig(&r);
}

/* ---- Faults ---- */

/* The first byte of @page that the command touches, by the order in which it does. */
static uint64_t first_touched(const struct case_operand *op, uint64_t page)
{
	uint32_t i, count = op->index ? op->lookups : op->rows;
	uint64_t from, to;

	for (i = 0; i < count; i++) {
		from = op->buf->va + (op->index ? (uint32_t)op->index[i] : i) * op->stride;
		to = from + op->width;
		from = from < page ? page : from;
		to = to > page + PAGE ? page + PAGE : to;
		if (from < to)
			return from;
	}
	return 0;
}

static void expect_fault(const struct quill_job_cpl *cpl, uint32_t fault, uint32_t access,
			 uint64_t addr, const char *kind, const char *operand)
{
	if (cpl->status != fault || cpl->access != access || cpl->address != addr ||
	    cpl->engine != QUILL_ENGINE_VECTOR || cpl->command != 0)
		fail_msg("%s: %s: fault %u access %u engine %u command %u at %#llx; "
			 "expected %u, %u at %#llx", kind, operand, cpl->status, cpl->access,
			 cpl->engine, cpl->command, (unsigned long long)cpl->address, fault, access,
			 (unsigned long long)addr);
}

/* Whatever was written: nothing but elements of results. */
static void expect_gaps_untouched(const struct vector_case *c, const char *kind)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < c->ops; i++) {
		const struct case_operand *op = &c->op[i];

		for (at = 0; op->want && at < op->buf->size; at++)
			if ((at >= op->rows * op->stride || at % op->stride >= op->width) &&
			    op->buf->ptr[at] != op->want[at])
				fail_msg("%s: byte %zu of %s, a gap, was written", kind, at, op->name);
	}
}

/*
 * Take away the first or last page of operand @i: all of it, or the right that the command needs. False if there
 * is no such operand.
 */
static bool fault_once(struct rig *r, const struct case_kind *kind, unsigned int i, bool last,
		       bool unmap)
{
	struct quill_job_cpl cpl;
	struct case_operand *op;
	uint64_t page, right;
	uint32_t fault;

	case_make(&r->c, kind);
	if (i >= r->c.ops) {
		r->s.count = 0;
		case_free(&r->c);
		return false;
	}
	op = &r->c.op[i];
	page = op->buf->va;
	if (last)
		page = (page + (op->rows - 1) * op->stride + op->width - 1) & ~(PAGE - 1);
	right = op->write ? QUILL_PTE_WRITE : QUILL_PTE_READ;
	*qh_pte(r->h, r->c.as, page) &= unmap ? 0 : ~right;
	qh_invalidate(r->h, r->c.as);
	fault = unmap ? QUILL_FAULT_UNMAPPED :
		op->write ? QUILL_FAULT_WRITE_PERM : QUILL_FAULT_READ_PERM;
	cpl = run(r);
	/* a row of a table that no index names is not looked at */
	if (!first_touched(op, page))
		assert_int_equal(cpl.status, 0);
	else
		expect_fault(&cpl, fault, op->write ? QUILL_ACCESS_WRITE : QUILL_ACCESS_READ,
			     first_touched(op, page), kind->name, op->name);
	expect_gaps_untouched(&r->c, kind->name);
	case_free(&r->c);
	return true;
}

static void every_operand_faults_at_its_first_bad_byte(void **state)
{
	const struct case_shape shapes[] = {
		{ .rows = 60, .n = 300, .pad = 9 }, { .rows = 2, .n = 20000, .pad = 1 },
	};
	unsigned int c, k, i, shape, faults = 0;
	struct rig r;

	for (c = 1; c < 4; c++) {
		for (shape = 0; shape < 2; shape++) {
			open_rig(&r, &configs[c]);
			r.c.shape = shapes[shape];
			for (k = 0; k < case_kinds_count; k++)
				for (i = 0; fault_once(&r, &case_kinds[k], i, i % 2, true); i++)
					faults += fault_once(&r, &case_kinds[k], i, true, false);
			close_rig(&r);
		}
	}
	/* at least an operand to read and a result, for each */
	assert_true(faults >= 3 * 2 * 2 * case_kinds_count);
}

static const struct case_kind *kind_named(const char *name)
{
	unsigned int i;

	for (i = 0; strcmp(case_kinds[i].name, name); i++)
		;
	return &case_kinds[i];
}

static void index_outside_the_table_faults_at_its_address(void **state)
{
	const int32_t bad[] = { -1, 7, INT32_MIN, INT32_MAX };
	const struct case_kind *kind = kind_named("GATHER");
	struct quill_job_cpl cpl;
	unsigned int c, i;
	struct rig r;

	for (c = 0; c < CONFIGS; c++) {
		open_rig(&r, &configs[c]);
		r.c.shape = (struct case_shape){ .rows = 900, .n = 70, .pad = 3 };
		for (i = 0; i < 4; i++) {
			const struct qh_buf *index;

			case_make(&r.c, kind);
			assert_string_equal(r.c.op[1].name, "index");
			index = r.c.op[1].buf;
			/* two of them: the first counts, whichever thread finds which */
			((int32_t *)index->ptr)[500] = bad[i];
			((int32_t *)index->ptr)[899] = bad[i];
			cpl = run(&r);
			expect_fault(&cpl, QUILL_FAULT_PARAM, QUILL_ACCESS_READ, index->va + 500 * 4,
				     kind->name, "index");
			expect_gaps_untouched(&r.c, kind->name);
			case_free(&r.c);
		}
		close_rig(&r);
	}
}

/* ---- Time ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void a_long_command_ends_at_its_next_tile(void **state)
{
	const uint32_t rows = 1u << 22, n = 1u << 14;
	const uint64_t va = 0x1000000000ull, size = (uint64_t)rows * n * 4;
	struct quill_job_cpl cpl;
	struct qh_buf *dst;
	uint64_t at, bus;
	uint32_t seq;
	double start;
	struct rig r;

	/* 256 GiB to read, all of them the same 2 MiB of memory: six seconds at 40 GB/s */
	open_rig(&r, &configs[1]);
	dst = qh_alloc(r.h, r.c.as, rows * 4ull, QH_RW);
	bus = qh_ram_alloc(r.h, QUILL_HUGE_SIZE, QUILL_HUGE_SIZE);
	for (at = 0; at < size; at += QUILL_HUGE_SIZE)
		qh_map(r.h, r.c.as, va + at, bus, QUILL_HUGE_SIZE, QH_R);
	qh_reduce(&r.s, QUILL_REDUCE_SUM, dst->va, va, rows, n);
	seq = qh_submit_stream(r.h, 0, &r.s);
	assert_false(qh_wait(r.h, 0, seq, 50, &cpl));
	start = seconds();
	assert_int_equal(qh_queue_kill(r.h, 0), QUILL_ADMIN_OK);
	assert_true(qh_wait(r.h, 0, seq, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
	assert_true(seconds() - start < 2);
	close_rig(&r);
}

/* A stream of all kinds; counters and the time at its end. */
static void run_all_kinds(const struct quill_host_config *config,
			  uint64_t result[QUILL_COUNTER_COUNT + 1])
{
	struct quill_job_cpl cpl;
	struct qh_buf *b;
	unsigned int i;
	struct rig r;

	open_rig(&r, config);
	r.c.shape = (struct case_shape){ .rows = 50, .n = 200, .pad = 3 };
	b = qh_alloc(r.h, r.c.as, 8, QH_RW);
	for (i = 0; i < case_kinds_count; i++) {
		case_make(&r.c, &case_kinds[i]);
		case_free(&r.c);
	}
	qh_timestamp(&r.s, b->va)->hdr.flags = QUILL_CMD_ORDERED;
	cpl = run(&r);
	assert_int_equal(cpl.status, 0);
	memcpy(result, cpl.counters, sizeof(cpl.counters));
	memcpy(&result[QUILL_COUNTER_COUNT], b->ptr, 8);
	close_rig(&r);
}

static void device_time_and_counters_are_those_of_the_commands(void **state)
{
	uint64_t want[QUILL_COUNTER_COUNT + 1], got[QUILL_COUNTER_COUNT + 1];
	unsigned int i;

	run_all_kinds(&configs[0], want);
	assert_int_equal(want[QUILL_COUNTER_COMMANDS], case_kinds_count + 1);
	assert_int_equal(want[QUILL_COUNTER_MACS], 0);
	assert_int_equal(want[QUILL_COUNTER_BUSY_TENSOR], 0);
	assert_true(want[QUILL_COUNTER_BUSY_TENSOR + QUILL_ENGINE_VECTOR] > 725 * case_kinds_count);
	assert_true(want[QUILL_COUNTER_CYCLES] >=
		    want[QUILL_COUNTER_BUSY_TENSOR + QUILL_ENGINE_VECTOR]);
	/* all but REDUCE's one column, QUANTISE's bytes: 50 rows of 200 floats, in whole bursts */
	assert_true(want[QUILL_COUNTER_BYTES_WRITTEN] > 20ull * 50 * 832);
	for (i = 0; i < 2 * CONFIGS; i++) {
		run_all_kinds(&configs[i % CONFIGS], got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_equal_the_reference_wherever_operands_lie),
		cmocka_unit_test(commands_larger_than_the_caches),
		cmocka_unit_test(rows_too_far_apart_for_one_tile),
		cmocka_unit_test(operands_in_sram_and_device_memory),
		cmocka_unit_test(every_operand_faults_at_its_first_bad_byte),
		cmocka_unit_test(index_outside_the_table_faults_at_its_address),
		cmocka_unit_test(a_long_command_ends_at_its_next_tile),
		cmocka_unit_test(device_time_and_counters_are_those_of_the_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
