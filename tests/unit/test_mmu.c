// SPDX-License-Identifier: MIT
/*
 * Address translation and access to memory, without firmware: this thread is one that touches memory,
 * with a context of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

#define PAGE	QUILL_PAGE_SIZE
#define VA	0x40000000ull

struct rig {
	struct quill_host *h;
	struct quill_emu *emu;
	struct dma_ctx *ctx;
	struct dma_port port;
	struct dma_fault fault;
};

static int setup_with(void **state, const struct quill_host_config *config)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->h = qh_create(config);
	r->emu = qh_emu(r->h);
	r->ctx = dma_ctx_new(r->emu);
	r->port.core = &r->emu->core[0];
	r->port.as = qh_as_create(r->h);
	*state = r;
	return 0;
}

static int setup(void **state)
{
	const struct quill_host_config config = { .no_boot = true };

	return setup_with(state, &config);
}

static int setup_scattered(void **state)
{
	const struct quill_host_config config = { .no_boot = true, .scatter = true };

	return setup_with(state, &config);
}

static int setup_short_maps(void **state)
{
	const struct quill_host_config config = { .no_boot = true, .map_limit = 7 };

	return setup_with(state, &config);
}

static int teardown(void **state)
{
	struct rig *r = *state;

	assert_int_equal(qh_dma_maps(r->h), 0);
	qh_destroy(r->h);
	free(r);
	return 0;
}

static uint32_t try_read(struct rig *r, uint64_t va, void *buf, uint64_t len)
{
	uint32_t what;

	r->fault = (struct dma_fault){ 0 };
	dma_begin(r->ctx);
	what = dma_read(r->ctx, &r->port, va, buf, len, &r->fault);
	dma_end(r->ctx);
	assert_int_equal(what, r->fault.fault);
	assert_int_equal(qh_dma_maps(r->h), 0);
	return what;
}

static uint32_t try_write(struct rig *r, uint64_t va, const void *buf, uint64_t len)
{
	uint32_t what;

	r->fault = (struct dma_fault){ 0 };
	dma_begin(r->ctx);
	what = dma_write(r->ctx, &r->port, va, buf, len, &r->fault);
	dma_end(r->ctx);
	assert_int_equal(what, r->fault.fault);
	assert_int_equal(qh_dma_maps(r->h), 0);
	return what;
}

static void expect_fault(struct rig *r, uint64_t va, uint64_t len, bool write, uint32_t fault,
			 uint64_t at)
{
	uint8_t *buf = calloc(1, len);
	uint32_t what = write ? try_write(r, va, buf, len) : try_read(r, va, buf, len);

	free(buf);
	assert_int_equal(what, fault);
	assert_int_equal(r->fault.addr, at);
	assert_int_equal(r->fault.access, write ? QUILL_ACCESS_WRITE : QUILL_ACCESS_READ);
}

/* The entry of @va at @level (1..3), found by walking from the root register. */
static uint64_t *table_entry(struct rig *r, uint64_t va, unsigned int level)
{
	uint64_t table = atomic_load(&r->emu->mmu.as[r->port.as].root);
	unsigned int l;

	for (l = QUILL_PT_LEVELS - 1; l > level; l--)
		table = ((uint64_t *)qh_ram(r->h, table))[va >> QUILL_PT_SHIFT(l) & 511] &
			QUILL_PTE_ADDR_MASK;
	return (uint64_t *)qh_ram(r->h, table) + (va >> QUILL_PT_SHIFT(level) & 511);
}

static void mapped_page_reads_and_writes(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->port.as, PAGE, QH_RW);
	char text[8] = "";

	assert_int_equal(try_write(r, b->va + 100, "quilled", 8), 0);
	assert_string_equal(b->ptr + 100, "quilled");
	assert_int_equal(try_read(r, b->va + 100, text, 8), 0);
	assert_string_equal(text, "quilled");
}

static void missing_entry_of_each_level_is_unmapped(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc_at(r->h, r->port.as, VA, PAGE, QH_RW);
	unsigned int level;

	/* what was never mapped, at the distance that each level spans */
	for (level = 0; level < QUILL_PT_LEVELS; level++)
		expect_fault(r, VA + (1ull << QUILL_PT_SHIFT(level)), 1, false,
			     QUILL_FAULT_UNMAPPED, VA + (1ull << QUILL_PT_SHIFT(level)));
	for (level = QUILL_PT_LEVELS - 1; level < QUILL_PT_LEVELS; level--) {
		uint64_t *e = level ? table_entry(r, VA, level) : qh_pte(r->h, r->port.as, VA);
		uint64_t good = *e;

		*e = good & ~QUILL_PTE_VALID;
		qh_invalidate(r->h, r->port.as);
		expect_fault(r, b->va, 1, true, QUILL_FAULT_UNMAPPED, b->va);
		*e = good;
	}
}

static void permissions_are_held_apart(void **state)
{
	struct rig *r = *state;
	struct qh_buf *ro = qh_alloc(r->h, r->port.as, PAGE, QH_R);
	struct qh_buf *wo = qh_alloc(r->h, r->port.as, PAGE, QH_W);
	struct qh_buf *no = qh_alloc(r->h, r->port.as, PAGE, 0);
	char c = 1;

	assert_int_equal(try_read(r, ro->va, &c, 1), 0);
	expect_fault(r, ro->va + 5, 1, true, QUILL_FAULT_WRITE_PERM, ro->va + 5);
	assert_int_equal(try_write(r, wo->va, &c, 1), 0);
	expect_fault(r, wo->va + 5, 1, false, QUILL_FAULT_READ_PERM, wo->va + 5);
	expect_fault(r, no->va, 1, false, QUILL_FAULT_READ_PERM, no->va);
	expect_fault(r, no->va, 1, true, QUILL_FAULT_WRITE_PERM, no->va);
	assert_int_equal(ro->ptr[5], 0);
}

static void malformed_entries_are_refused(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc_at(r->h, r->port.as, VA, PAGE, QH_RW);
	uint64_t *leaf = qh_pte(r->h, r->port.as, VA);
	uint64_t good = *leaf;
	const uint64_t bad_leaf[] = {
		good & ~QUILL_PTE_LEAF, good | 1 << 4, good | 1 << 5, good | 1 << 6,
		good | 1 << 8, good | 1 << 11, good | 1ull << 52, good | 1ull << 63,
	};
	const uint64_t table_bits[] = {
		QUILL_PTE_READ, QUILL_PTE_WRITE, QUILL_PTE_DEVMEM, 1 << 4, 1ull << 52, 1ull << 63,
	};
	unsigned int i, level;

	for (i = 0; i < sizeof(bad_leaf) / sizeof(bad_leaf[0]); i++) {
		*leaf = bad_leaf[i];
		expect_fault(r, b->va, 4, false, QUILL_FAULT_PTE, b->va);
	}
	*leaf = good;

	for (level = 1; level < QUILL_PT_LEVELS; level++) {
		uint64_t *e = table_entry(r, VA, level);
		uint64_t table = *e;

		for (i = 0; i < sizeof(table_bits) / sizeof(table_bits[0]); i++) {
			*e = table | table_bits[i];
			expect_fault(r, b->va, 4, false, QUILL_FAULT_PTE, b->va);
		}
		*e = table;
	}
	/* leaves exist at levels 0 and 1 only */
	for (level = 2; level < QUILL_PT_LEVELS; level++) {
		uint64_t *e = table_entry(r, VA, level);
		uint64_t table = *e;

		*e = QUILL_PTE_VALID | QUILL_PTE_READ | QUILL_PTE_LEAF;
		expect_fault(r, b->va, 4, false, QUILL_FAULT_PTE, b->va);
		*e = table;
	}
	assert_int_equal(try_read(r, b->va, &i, 4), 0);
}

static void huge_leaf_maps_two_megabytes(void **state)
{
	struct rig *r = *state;
	uint64_t bus = qh_ram_alloc(r->h, QUILL_HUGE_SIZE, QUILL_HUGE_SIZE);
	uint8_t *ram = qh_ram(r->h, bus);
	struct dma_run run;
	uint64_t *e;
	char c = 0;

	qh_map(r->h, r->port.as, VA, bus, QUILL_HUGE_SIZE, QH_R);
	ram[QUILL_HUGE_SIZE - 1] = 42;
	assert_int_equal(try_read(r, VA + QUILL_HUGE_SIZE - 1, &c, 1), 0);
	assert_int_equal(c, 42);
	expect_fault(r, VA + 4096, 1, true, QUILL_FAULT_WRITE_PERM, VA + 4096);
	expect_fault(r, VA + QUILL_HUGE_SIZE - 1, 2, false, QUILL_FAULT_UNMAPPED,
		     VA + QUILL_HUGE_SIZE);

	/* all of it is one run */
	dma_begin(r->ctx);
	assert_int_equal(dma_open(r->ctx, &r->port, VA + 3, 1ull << 30, false, &run), 0);
	assert_int_equal(run.len, QUILL_HUGE_SIZE - 3);
	assert_ptr_equal(run.ptr, ram + 3);
	dma_close(r->ctx, &run);
	dma_end(r->ctx);

	/* an address that is not aligned to the leaf */
	e = table_entry(r, VA, 1);
	*e |= 0x1000;
	qh_invalidate(r->h, r->port.as);
	expect_fault(r, VA, 1, false, QUILL_FAULT_PTE, VA);
}

static void ranges_across_pages_arrive_whole(void **state)
{
	struct rig *r = *state;
	size_t size = 5 * PAGE;
	struct qh_buf *b = qh_alloc(r->h, r->port.as, size, QH_RW);
	uint8_t *in = malloc(size), *out = malloc(size);
	unsigned int i;
	size_t from, len;

	for (i = 0; i < size; i++)
		in[i] = i * 31 + i / 251;
	/* short, unaligned, straddling one or many boundaries */
	for (from = PAGE - 9; from < PAGE + 9; from += 3) {
		for (len = 1; from + len <= size; len = len * 3 + 1) {
			memset(b->ptr, 0xee, size);
			assert_int_equal(try_write(r, b->va + from, in, len), 0);
			assert_memory_equal(b->ptr + from, in, len);
			assert_int_equal(b->ptr[from - 1], 0xee);
			if (from + len < size)
				assert_int_equal(b->ptr[from + len], 0xee);
			assert_int_equal(try_read(r, b->va + from, out, len), 0);
			assert_memory_equal(out, in, len);
		}
	}
	/* the fault is where the mapping ends, not where the access began */
	expect_fault(r, b->va + size - 3, 8, false, QUILL_FAULT_UNMAPPED, b->va + size);
	free(in);
	free(out);
}

static void contiguous_pages_are_one_run_and_others_are_not(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc_at(r->h, r->port.as, VA, 8 * PAGE, QH_RW);
	uint64_t *pte = qh_pte(r->h, r->port.as, VA), swap;
	struct dma_run run;

	dma_begin(r->ctx);
	assert_int_equal(dma_open(r->ctx, &r->port, b->va + 1, 8 * PAGE - 1, true, &run), 0);
	assert_int_equal(run.len, 8 * PAGE - 1);
	dma_close(r->ctx, &run);

	swap = pte[4];
	pte[4] = pte[5];
	pte[5] = swap;
	qh_write(r->h, QUILL_REG_MMU_INVALIDATE, r->port.as);
	assert_int_equal(dma_open(r->ctx, &r->port, b->va + 1, 8 * PAGE - 1, true, &run), 0);
	assert_int_equal(run.len, 4 * PAGE - 1);
	dma_close(r->ctx, &run);
	dma_end(r->ctx);
}

static void page_zero_is_a_trap(void **state)
{
	struct rig *r = *state;

	qh_map(r->h, r->port.as, 0, qh_ram_alloc(r->h, 2 * PAGE, PAGE), 2 * PAGE, QH_RW);
	expect_fault(r, 0, 1, false, QUILL_FAULT_UNMAPPED, 0);
	expect_fault(r, PAGE - 1, 1, true, QUILL_FAULT_UNMAPPED, PAGE - 1);
	expect_fault(r, PAGE, 1, false, QUILL_FAULT_NONE, 0);
}

static void last_page_of_the_space_is_usable_and_sram_follows(void **state)
{
	struct rig *r = *state;
	uint64_t last = QUILL_VA_END - PAGE;
	struct qh_buf *b = qh_alloc_at(r->h, r->port.as, last, PAGE, QH_RW);
	uint16_t both = 0x1234;

	assert_int_equal(try_write(r, QUILL_VA_END - 1, &both, 2), 0);
	assert_int_equal(b->ptr[PAGE - 1], 0x34);
	assert_int_equal(slot_sram(&r->emu->core[0], 0)[0], 0x12);
}

static void sram_window_has_its_bounds(void **state)
{
	struct rig *r = *state;
	uint64_t size = qh_read(r->h, QUILL_REG_SRAM_SIZE);
	uint64_t end = QUILL_VA_SRAM + size;
	uint32_t word = 0xdeadbeef, back = 0;

	assert_int_equal(try_write(r, end - 4, &word, 4), 0);
	assert_int_equal(try_read(r, end - 4, &back, 4), 0);
	assert_int_equal(back, word);
	expect_fault(r, end - 4, 5, false, QUILL_FAULT_ADDRESS, end);
	expect_fault(r, end, 1, true, QUILL_FAULT_ADDRESS, end);
	expect_fault(r, (1ull << 48) - 1, 1, false, QUILL_FAULT_ADDRESS, (1ull << 48) - 1);
	expect_fault(r, 1ull << 48, 1, false, QUILL_FAULT_ADDRESS, 1ull << 48);
	expect_fault(r, UINT64_MAX, 1, true, QUILL_FAULT_ADDRESS, UINT64_MAX);
}

static void sram_is_cleared_for_the_next_job(void **state)
{
	struct rig *r = *state;
	uint64_t at[] = { 0, SRAM_GRANULE - 1, 5 * SRAM_GRANULE + 7,
			  qh_read(r->h, QUILL_REG_SRAM_SIZE) - 1 };
	unsigned int i;
	char c = 1;

	for (i = 0; i < 4; i++)
		assert_int_equal(try_write(r, QUILL_VA_SRAM + at[i], &c, 1), 0);
	slot_job_begin(&r->emu->core[0]);
	for (i = 0; i < 4; i++) {
		assert_int_equal(try_read(r, QUILL_VA_SRAM + at[i], &c, 1), 0);
		assert_int_equal(c, 0);
	}
}

static void device_memory_is_reached_by_offset_and_bounded(void **state)
{
	struct rig *r = *state;
	uint8_t *mem = quill_emu_mem(r->emu);
	uint64_t size = r->emu->mem_size;
	char c = 7;

	qh_map(r->h, r->port.as, VA, size - PAGE, 2 * PAGE, QH_RW | QUILL_PTE_DEVMEM);
	assert_int_equal(try_write(r, VA + 9, &c, 1), 0);
	assert_int_equal(mem[size - PAGE + 9], 7);
	expect_fault(r, VA + PAGE - 1, 2, true, QUILL_FAULT_BUS, VA + PAGE);
	qh_map(r->h, r->port.as, VA + 2 * PAGE, QUILL_PTE_ADDR_MASK, PAGE,
	       QH_RW | QUILL_PTE_DEVMEM);
	expect_fault(r, VA + 2 * PAGE, 1, true, QUILL_FAULT_BUS, VA + 2 * PAGE);
}

static void memory_that_is_not_ram_is_a_bus_fault(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc_at(r->h, r->port.as, VA, PAGE, QH_RW);

	/* 0xfe000000: where a BAR would be, below guest memory */
	qh_map(r->h, r->port.as, VA + PAGE, 0xfe000000, PAGE, QH_RW);
	expect_fault(r, VA + PAGE, 1, true, QUILL_FAULT_BUS, VA + PAGE);
	expect_fault(r, VA, PAGE + 1, false, QUILL_FAULT_BUS, VA + PAGE);
	assert_non_null(b);

	/* tables that are not RAM, at each level */
	*table_entry(r, VA, 1) = 0xfe000000 | QUILL_PTE_VALID;
	qh_invalidate(r->h, r->port.as);
	expect_fault(r, VA, 1, false, QUILL_FAULT_BUS, VA);
	*table_entry(r, VA, 3) = 0xfe000000 | QUILL_PTE_VALID;
	expect_fault(r, VA, 1, false, QUILL_FAULT_BUS, VA);
	qh_write(r->h, QUILL_REG_AS(r->port.as) + QUILL_AS_ROOT_LO, 0xfe000000);
	qh_write(r->h, QUILL_REG_AS(r->port.as) + QUILL_AS_ROOT_HI, 0);
	expect_fault(r, VA, 1, false, QUILL_FAULT_BUS, VA);
}

static void disabled_space_faults_even_with_a_warm_tlb(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->port.as, PAGE, QH_RW);
	char c;

	assert_int_equal(try_read(r, b->va, &c, 1), 0);
	qh_write(r->h, QUILL_REG_AS(r->port.as) + QUILL_AS_CTRL, 0);
	expect_fault(r, b->va, 1, false, QUILL_FAULT_AS, b->va);
	expect_fault(r, QUILL_VA_SRAM, 1, false, QUILL_FAULT_AS, QUILL_VA_SRAM);
	r->port.as = QUILL_MAX_AS;
	expect_fault(r, b->va, 1, false, QUILL_FAULT_AS, b->va);
}

static void invalidation_drops_the_tlb_and_only_that_spaces(void **state)
{
	struct rig *r = *state;
	uint32_t first = r->port.as, other = qh_as_create(r->h);
	struct qh_buf *b = qh_alloc_at(r->h, first, VA, PAGE, QH_RW);
	struct qh_buf *c = qh_alloc_at(r->h, other, VA, PAGE, QH_RW);
	uint64_t *pte = qh_pte(r->h, first, VA);
	uint64_t moved = qh_ram_alloc(r->h, PAGE, PAGE);
	uint8_t byte;

	b->ptr[0] = 1;
	c->ptr[0] = 2;
	*(uint8_t *)qh_ram(r->h, moved) = 3;
	assert_int_equal(try_read(r, VA, &byte, 1), 0);
	assert_int_equal(byte, 1);

	*pte = moved | QH_RW | QUILL_PTE_VALID | QUILL_PTE_LEAF;
	/* cached: this is what an invalidation is for */
	assert_int_equal(try_read(r, VA, &byte, 1), 0);
	assert_int_equal(byte, 1);
	qh_invalidate(r->h, other);
	assert_int_equal(try_read(r, VA, &byte, 1), 0);
	assert_int_equal(byte, 1);
	qh_write(r->h, QUILL_REG_MMU_INVALIDATE, QUILL_AS_HOST);
	qh_write(r->h, QUILL_REG_MMU_INVALIDATE, QUILL_MAX_AS);
	assert_int_equal(try_read(r, VA, &byte, 1), 0);
	assert_int_equal(byte, 1);
	qh_invalidate(r->h, first);
	assert_int_equal(try_read(r, VA, &byte, 1), 0);
	assert_int_equal(byte, 3);

	*pte = 0;
	qh_invalidate(r->h, QUILL_MMU_INVALIDATE_ALL);
	expect_fault(r, VA, 1, false, QUILL_FAULT_UNMAPPED, VA);
	/* the same address of another space is another address */
	r->port.as = other;
	assert_int_equal(try_read(r, VA, &byte, 1), 0);
	assert_int_equal(byte, 2);
}

static bool busy(struct rig *r)
{
	return qh_read(r->h, QUILL_REG_MMU_STATUS) & QUILL_MMU_STATUS_BUSY;
}

static void invalidation_is_busy_until_older_accesses_end(void **state)
{
	struct rig *r = *state;
	struct qh_buf *b = qh_alloc(r->h, r->port.as, PAGE, QH_RW);
	struct dma_ctx *second = dma_ctx_new(r->emu);
	struct dma_run run;

	assert_false(busy(r));
	dma_begin(r->ctx);
	assert_int_equal(dma_open(r->ctx, &r->port, b->va, 1, true, &run), 0);
	assert_false(busy(r));
	qh_write(r->h, QUILL_REG_MMU_INVALIDATE, r->port.as);
	assert_true(busy(r));
	/* one that begins now is not waited for */
	dma_begin(second);
	assert_true(busy(r));
	dma_close(r->ctx, &run);
	dma_end(r->ctx);
	assert_false(busy(r));
	dma_end(second);
}

static void more_pages_than_the_tlb_holds_translate_right(void **state)
{
	struct rig *r = *state;
	unsigned int pages = 3 * DMA_TLB_ENTRIES, i, round;
	struct qh_buf *b = qh_alloc(r->h, r->port.as, (size_t)pages * PAGE, QH_RW);
	uint32_t value;

	for (i = 0; i < pages; i++)
		memcpy(b->ptr + (size_t)i * PAGE, &i, 4);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < pages; i++) {
			assert_int_equal(try_read(r, b->va + (uint64_t)i * PAGE, &value, 4), 0);
			assert_int_equal(value, i);
		}
	}
}

static void rows_skip_the_gaps_between_them(void **state)
{
	struct rig *r = *state;
	/* rows 3 pages apart, of which the middle one is not mapped */
	struct dma_rows rows = { .va = VA + 4000, .rows = 4, .stride = 3 * PAGE, .width = 200 };
	struct qh_buf *page[8];
	uint8_t out[4][200];
	struct dma_view view;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		page[2 * i] = qh_alloc_at(r->h, r->port.as, VA + 3 * i * PAGE, PAGE, QH_RW);
		page[2 * i + 1] = qh_alloc_at(r->h, r->port.as, VA + (3 * i + 1) * PAGE, PAGE,
					      QH_RW);
		memset(page[2 * i]->ptr + 4000, 10 + i, 96);
		memset(page[2 * i + 1]->ptr, 20 + i, 104);
	}
	dma_begin(r->ctx);
	assert_int_equal(dma_read_rows(r->ctx, &r->port, &rows, out, 200, &r->fault), 0);
	assert_false(dma_view_direct(r->ctx, &r->port, &rows, 1, false, &view));
	assert_int_equal(dma_view_read(r->ctx, &r->port, &rows, 1, DMA_SCRATCH_B, &view,
				       &r->fault), 0);
	assert_memory_equal(view.ptr, out, sizeof(out));
	dma_view_close(r->ctx, &view);
	dma_end(r->ctx);
	for (i = 0; i < 4; i++) {
		assert_int_equal(out[i][0], 10 + i);
		assert_int_equal(out[i][95], 10 + i);
		assert_int_equal(out[i][96], 20 + i);
		assert_int_equal(out[i][199], 20 + i);
	}
	rows.rows = 5;
	dma_begin(r->ctx);
	assert_int_equal(dma_read_rows(r->ctx, &r->port, &rows, out, 0, &r->fault),
			 QUILL_FAULT_UNMAPPED);
	dma_end(r->ctx);
	assert_int_equal(r->fault.addr, rows.va + 4 * rows.stride);
}

static void fault_registers_hold_the_last_fault_and_clear(void **state)
{
	struct rig *r = *state;
	uint64_t base = QUILL_REG_AS(r->port.as);
	const struct dma_fault fault = { QUILL_FAULT_WRITE_PERM, QUILL_ACCESS_WRITE,
					 0x123456789abcull };
	const struct dma_fault param = { QUILL_FAULT_PARAM, QUILL_ACCESS_READ, 1 };

	r->port.engine = QUILL_ENGINE_DMA;
	mmu_record(r->emu, &r->port, &fault);
	/* not of translation: not for these registers */
	mmu_record(r->emu, &r->port, &param);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_STATUS),
			 QUILL_FAULT_WRITE_PERM | QUILL_ACCESS_WRITE << 8 | QUILL_ENGINE_DMA << 16);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_ADDR_LO), 0x56789abc);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_ADDR_HI), 0x1234);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_COUNT), 1);
	qh_write(r->h, base + QUILL_AS_FAULT_ADDR_LO, 0);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_ADDR_LO), 0x56789abc);
	qh_write(r->h, base + QUILL_AS_FAULT_STATUS, 0xffffffff);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_STATUS), 0);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_ADDR_LO), 0);
	assert_int_equal(qh_read(r->h, base + QUILL_AS_FAULT_COUNT), 1);
}

static void host_space_is_bus_addresses_and_refuses_what_is_not_ram(void **state)
{
	struct rig *r = *state;
	uint64_t bus = qh_ram_alloc(r->h, PAGE, PAGE);
	char c = 9;

	r->port.as = QUILL_AS_HOST;
	assert_int_equal(try_write(r, bus + 1, &c, 1), 0);
	assert_int_equal(((uint8_t *)qh_ram(r->h, bus))[1], 9);
	expect_fault(r, QH_RAM_BASE - 1, 1, true, QUILL_FAULT_BUS, QH_RAM_BASE - 1);
	expect_fault(r, UINT64_MAX, 1, false, QUILL_FAULT_BUS, UINT64_MAX);
}

#define TEST(fn, how)	cmocka_unit_test_setup_teardown(fn, how, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mapped_page_reads_and_writes, setup),
		TEST(missing_entry_of_each_level_is_unmapped, setup),
		TEST(permissions_are_held_apart, setup),
		TEST(malformed_entries_are_refused, setup),
		TEST(huge_leaf_maps_two_megabytes, setup),
		TEST(ranges_across_pages_arrive_whole, setup),
		{ "ranges_across_scattered_pages_arrive_whole", ranges_across_pages_arrive_whole,
		  setup_scattered, teardown, NULL },
		{ "ranges_in_maps_shorter_than_asked_arrive_whole",
		  ranges_across_pages_arrive_whole, setup_short_maps, teardown, NULL },
		TEST(contiguous_pages_are_one_run_and_others_are_not, setup),
		TEST(page_zero_is_a_trap, setup),
		TEST(last_page_of_the_space_is_usable_and_sram_follows, setup),
		TEST(sram_window_has_its_bounds, setup),
		TEST(sram_is_cleared_for_the_next_job, setup),
		TEST(device_memory_is_reached_by_offset_and_bounded, setup),
		TEST(memory_that_is_not_ram_is_a_bus_fault, setup),
		TEST(disabled_space_faults_even_with_a_warm_tlb, setup),
		TEST(invalidation_drops_the_tlb_and_only_that_spaces, setup),
		TEST(invalidation_is_busy_until_older_accesses_end, setup),
		TEST(more_pages_than_the_tlb_holds_translate_right, setup_scattered),
		TEST(rows_skip_the_gaps_between_them, setup),
		TEST(fault_registers_hold_the_last_fault_and_clear, setup),
		TEST(host_space_is_bus_addresses_and_refuses_what_is_not_ram, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
