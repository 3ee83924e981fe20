// SPDX-License-Identifier: MIT
/*
 * The firmware on the whole device: streams, checks, faults, kill, results, many jobs.
 */
#include <unistd.h>

#include "firmware_fixture.h"
#include "ref.h"

#define FW	QUILL_ENGINE_FW

static void empty_job_completes(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;

	qh_nop(&f->s)->hdr.seq = 7;
	assert_true(qh_wait(f->h, 0, qh_submit(f->h, 0, f->s.buf->va, 64, 0x1122334455667788),
			    QH_TIMEOUT_MS, &cpl));
	expect_ok(cpl);
	assert_true(cpl.job == 0x1122334455667788);
	assert_int_equal(cpl.seq, 1);
	assert_int_equal(cpl.counters[QUILL_COUNTER_COMMANDS], 1);
	assert_true(cpl.counters[QUILL_COUNTER_CYCLES] > 0);
	usleep(1000);
	assert_int_equal(qh_msix_count(f->h, 1), 1);
}

/* ---- checks: one row a rule ------------------------------------------------------ */

struct bad_case {
	const char *name;
	uint32_t fault;
	uint32_t offset;	/* of the bad field, from the command's first byte */
	void (*make)(struct fixture *f);
};

#define AT(type, field)	((uint32_t)offsetof(struct type, field))
#define EXT(type, field) (64 + AT(type, field))

static void bad_opcode(struct fixture *f) { qh_cmd(&f->s, 0x77); }
static void zero_opcode(struct fixture *f) { qh_cmd(&f->s, 0); }
static void stray_ext(struct fixture *f) { qh_cmd(&f->s, QUILL_OP_EXT); }
static void bad_version(struct fixture *f) { qh_nop(&f->s)->hdr.version = 1; }
static void bad_flags(struct fixture *f) { qh_nop(&f->s)->hdr.flags = 0x8000; }
static void fence_flags(struct fixture *f) { qh_fence(&f->s)->hdr.flags = QUILL_CMD_ORDERED; }
static void bad_type(struct fixture *f) { qh_nop(&f->s)->hdr.type_a = QUILL_TYPE_S8; }
static void huge_type(struct fixture *f) { qh_nop(&f->s)->hdr.type_d = 200; }
static void bad_sem(struct fixture *f) { qh_nop(&f->s)->hdr.signal_sem = QUILL_SEMAPHORES; }
static void bad_wait_sem(struct fixture *f) { qh_nop(&f->s)->hdr.wait_sem = 255; }
static void value_without_sem(struct fixture *f) { qh_nop(&f->s)->hdr.wait_value = 1; }
static void superfluous_ext(struct fixture *f) { qh_nop(&f->s)->hdr.ext = 1; }
static void nop_body(struct fixture *f) { qh_nop(&f->s)->raw[7] = 1ull << 56; }
static void nop_body_first(struct fixture *f) { qh_nop(&f->s)->raw[2] = 1; }
static void wait_for_none(struct fixture *f) { qh_cmd(&f->s, QUILL_OP_SEM_WAIT); }
static void signal_none(struct fixture *f) { qh_cmd(&f->s, QUILL_OP_SEM_SIGNAL); }
static void jump_odd(struct fixture *f) { qh_jump(&f->s, 0)->jump.target = 32; }
static void jump_away(struct fixture *f) { qh_jump(&f->s, 2); }
static void jump_far(struct fixture *f) { qh_jump(&f->s, 0)->jump.target = 1ull << 63; }
static void jump_body(struct fixture *f) { qh_jump(&f->s, 0)->jump.reserved[4] = 1; }
static void timestamp_align(struct fixture *f) { qh_timestamp(&f->s, f->a->va + 4); }
static void timestamp_null(struct fixture *f) { qh_timestamp(&f->s, 0); }
static void copy_empty(struct fixture *f) { qh_copy(&f->s, f->a->va, f->b->va, 0); }
static void copy_wide(struct fixture *f) { qh_copy(&f->s, f->a->va, f->b->va, (1ull << 40) + 1); }
static void copy_flat(struct fixture *f) { qh_copy(&f->s, f->a->va, f->b->va, 1)->copy.height = 0; }
static void copy_stride(struct fixture *f) { qh_copy_2d(&f->s, f->a->va, 15, f->b->va, 16, 16, 2); }
static void copy_wraps(struct fixture *f) { qh_copy(&f->s, (1ull << 48) - 8, f->b->va, 16); }
static void copy_beyond(struct fixture *f) { qh_copy(&f->s, f->a->va, 1ull << 48, 16); }
static void copy_reserved(struct fixture *f)
{
	qh_copy(&f->s, f->a->va, f->b->va, 16)->copy.reserved1 = 1;
}
static void turn_elem(struct fixture *f) { qh_transpose(&f->s, f->a->va, f->b->va, 2, 2, 3); }
static void turn_large(struct fixture *f) { qh_transpose(&f->s, f->a->va, f->b->va, 1 << 24, 1 << 17, 1); }
static void turn_step(struct fixture *f) { qh_transpose(&f->s, f->a->va, f->b->va, 2, 2, 1)->transpose.batch = 2; }
static void turn_stride(struct fixture *f) { qh_transpose(&f->s, f->a->va, f->b->va, 2, 2, 1)->transpose.src_stride = 1; }
static void fill_elem(struct fixture *f) { qh_fill(&f->s, f->a->va, 3, 0, 12); }
static void fill_value(struct fixture *f) { qh_fill(&f->s, f->a->va, 1, 256, 12); }
static void fill_align(struct fixture *f) { qh_fill(&f->s, f->a->va + 2, 4, 0, 12); }
static void gemm_no_ext(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va, 1, 1, 1)->hdr.ext = 0;
}
static void gemm_ext_missing(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va, 1, 1, 1);
	f->s.count--;	/* the stream ends between the two */
}
static void gemm_ext_other(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va, 1, 1, 1)[1].hdr.opcode = QUILL_OP_NOP;
}
static void gemm_ext_header(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va, 1, 1, 1)[1].hdr.seq = 1;
}
static void gemm_k(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va, 1, 1, QUILL_GEMM_MAX_K + 1);
}
static void gemm_b_align(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va + 32, f->a->va, 1, 1, 1);
}
static void gemm_type(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va, 1, 1, 1)->hdr.type_b = QUILL_TYPE_F32;
}
static void gemm_scale(struct fixture *f)
{
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va, 1, 1, 1)[1].gemm_ext.scale = f->b->va;
}

static const struct bad_case bad_cases[] = {
	{ "unknown opcode", QUILL_FAULT_OPCODE, 0, bad_opcode },
	{ "opcode 0", QUILL_FAULT_OPCODE, 0, zero_opcode },
	{ "an extension by itself", QUILL_FAULT_OPCODE, 0, stray_ext },
	{ "version", QUILL_FAULT_OPCODE, AT(quill_cmd_hdr, version), bad_version },
	{ "flag", QUILL_FAULT_FLAGS, AT(quill_cmd_hdr, flags), bad_flags },
	{ "flag of another opcode", QUILL_FAULT_FLAGS, AT(quill_cmd_hdr, flags), fence_flags },
	{ "type", QUILL_FAULT_TYPE, AT(quill_cmd_hdr, type_a), bad_type },
	{ "type beyond the bits", QUILL_FAULT_TYPE, AT(quill_cmd_hdr, type_d), huge_type },
	{ "semaphore", QUILL_FAULT_SEMAPHORE, AT(quill_cmd_hdr, signal_sem), bad_sem },
	{ "semaphore to wait for", QUILL_FAULT_SEMAPHORE, AT(quill_cmd_hdr, wait_sem), bad_wait_sem },
	{ "value without semaphore", QUILL_FAULT_RESERVED, AT(quill_cmd_hdr, wait_value),
	  value_without_sem },
	{ "superfluous extension", QUILL_FAULT_EXT, AT(quill_cmd_hdr, ext), superfluous_ext },
	{ "NOP with a body, last byte", QUILL_FAULT_RESERVED, 63, nop_body },
	{ "NOP with a body, first byte", QUILL_FAULT_RESERVED, 16, nop_body_first },
	{ "SEM_WAIT for none", QUILL_FAULT_SEMAPHORE, AT(quill_cmd_hdr, wait_sem), wait_for_none },
	{ "SEM_SIGNAL of none", QUILL_FAULT_SEMAPHORE, AT(quill_cmd_hdr, signal_sem), signal_none },
	{ "JUMP between records", QUILL_FAULT_JUMP, AT(quill_cmd_jump, target), jump_odd },
	{ "JUMP to the end", QUILL_FAULT_JUMP, AT(quill_cmd_jump, target), jump_away },
	{ "JUMP far away", QUILL_FAULT_JUMP, AT(quill_cmd_jump, target), jump_far },
	{ "JUMP with a body", QUILL_FAULT_RESERVED, AT(quill_cmd_jump, reserved) + 32, jump_body },
	{ "TIMESTAMP alignment", QUILL_FAULT_ALIGN, AT(quill_cmd_timestamp, dst), timestamp_align },
	{ "TIMESTAMP at 0", QUILL_FAULT_RANGE, AT(quill_cmd_timestamp, dst), timestamp_null },
	{ "COPY of nothing", QUILL_FAULT_SHAPE, AT(quill_cmd_copy, width), copy_empty },
	{ "COPY too wide", QUILL_FAULT_SHAPE, AT(quill_cmd_copy, width), copy_wide },
	{ "COPY of no rows", QUILL_FAULT_SHAPE, AT(quill_cmd_copy, height), copy_flat },
	{ "COPY stride", QUILL_FAULT_STRIDE, AT(quill_cmd_copy, dst_stride), copy_stride },
	{ "COPY wraps", QUILL_FAULT_RANGE, AT(quill_cmd_copy, dst), copy_wraps },
	{ "COPY beyond 48 bits", QUILL_FAULT_RANGE, AT(quill_cmd_copy, src), copy_beyond },
	{ "COPY reserved", QUILL_FAULT_RESERVED, AT(quill_cmd_copy, reserved1), copy_reserved },
	{ "TRANSPOSE element", QUILL_FAULT_PARAM, AT(quill_cmd_transpose, elem), turn_elem },
	{ "TRANSPOSE too large", QUILL_FAULT_SHAPE, AT(quill_cmd_transpose, batch), turn_large },
	{ "TRANSPOSE step", QUILL_FAULT_STRIDE, AT(quill_cmd_transpose, dst_step), turn_step },
	{ "TRANSPOSE stride", QUILL_FAULT_STRIDE, AT(quill_cmd_transpose, src_stride), turn_stride },
	{ "FILL element", QUILL_FAULT_PARAM, AT(quill_cmd_fill, elem), fill_elem },
	{ "FILL value", QUILL_FAULT_PARAM, AT(quill_cmd_fill, value), fill_value },
	{ "FILL alignment", QUILL_FAULT_ALIGN, AT(quill_cmd_fill, dst), fill_align },
	{ "GEMM says no extension", QUILL_FAULT_EXT, AT(quill_cmd_hdr, ext), gemm_no_ext },
	{ "GEMM at the stream's end", QUILL_FAULT_EXT, AT(quill_cmd_hdr, ext), gemm_ext_missing },
	{ "GEMM with a NOP behind", QUILL_FAULT_EXT, 64, gemm_ext_other },
	{ "GEMM extension's header", QUILL_FAULT_RESERVED, 65, gemm_ext_header },
	{ "GEMM K", QUILL_FAULT_SHAPE, AT(quill_cmd_gemm, k), gemm_k },
	{ "GEMM B alignment", QUILL_FAULT_ALIGN, AT(quill_cmd_gemm, b), gemm_b_align },
	{ "GEMM type", QUILL_FAULT_TYPE, AT(quill_cmd_hdr, type_b), gemm_type },
	{ "GEMM S32 with scale", QUILL_FAULT_PARAM, EXT(quill_ext_gemm, scale), gemm_scale },
};

static void every_check_is_reported_with_its_field(void **state)
{
	struct fixture *f = *state;
	const struct bad_case *c;
	struct quill_job_cpl cpl;

	for (c = bad_cases; c < bad_cases + sizeof(bad_cases) / sizeof(*bad_cases); c++) {
		f->s.count = 0;
		qh_nop(&f->s);
		c->make(f);
		f->s.cmd[1].hdr.seq = 0xbeef;
		cpl = qh_run(f->h, 0, &f->s);
		if (cpl.status != c->fault || cpl.command != 1 || cpl.address != c->offset ||
		    cpl.engine != FW || cpl.opcode != f->s.cmd[1].hdr.opcode ||
		    cpl.cmd_seq != 0xbeef)
			fail_msg("%s: fault %u command %u offset %llu engine %u opcode %#x seq %#x; "
				 "expected %u, 1, %u, %u, %#x, 0xbeef", c->name, cpl.status,
				 cpl.command, (unsigned long long)cpl.address, cpl.engine,
				 cpl.opcode, cpl.cmd_seq, c->fault, c->offset, FW,
				 f->s.cmd[1].hdr.opcode);
	}
	f->s.count = 0;
	qh_nop(&f->s);
	expect_ok(qh_run(f->h, 0, &f->s));
}

static void commands_before_a_bad_one_have_run(void **state)
{
	struct fixture *f = *state;

	qh_fill(&f->s, f->a->va, 4, 0x11111111, 65536);
	qh_cmd(&f->s, 0x77);
	qh_fill(&f->s, f->b->va, 4, 0x22222222, 4);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_OPCODE, 1, 0, 0, FW);
	assert_int_equal(f->a->ptr[65535], 0x11);
	assert_int_equal(f->b->ptr[0], 0);
}

static void an_earlier_fault_is_reported_before_a_later_one(void **state)
{
	struct fixture *f = *state;

	/* the decoder finds record 2 long before the engine comes to record 1 */
	qh_fill(&f->s, f->a->va, 1, 1, 65536);
	qh_fill(&f->s, f->a->va + 0x40000000, 1, 1, 16);
	qh_cmd(&f->s, 0x77);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_UNMAPPED, 1, f->a->va + 0x40000000,
		     QUILL_ACCESS_WRITE, QUILL_ENGINE_DMA);
}

/* ---- the stream itself ----------------------------------------------------------------- */

static struct quill_job_cpl run_raw(struct fixture *f, uint64_t stream, uint32_t size)
{
	struct quill_job_cpl cpl;

	assert_true(qh_wait(f->h, 0, qh_submit(f->h, 0, stream, size, 1), QH_TIMEOUT_MS, &cpl));
	return cpl;
}

static void malformed_streams_are_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t va = f->s.buf->va;

	qh_nop(&f->s);
	expect_fault(run_raw(f, va, 0), QUILL_FAULT_STREAM, 0, va, 0, FW);
	expect_fault(run_raw(f, va, 63), QUILL_FAULT_STREAM, 0, va, 0, FW);
	expect_fault(run_raw(f, va, 65), QUILL_FAULT_STREAM, 0, va, 0, FW);
	expect_fault(run_raw(f, va + 32, 64), QUILL_FAULT_STREAM, 0, va + 32, 0, FW);
	expect_fault(run_raw(f, -64ull, 128), QUILL_FAULT_STREAM, 0, -64ull, 0, FW);
	expect_fault(run_raw(f, 1ull << 48, 64), QUILL_FAULT_ADDRESS, 0, 1ull << 48,
		     QUILL_ACCESS_FETCH, FW);
	expect_fault(run_raw(f, 0, 64), QUILL_FAULT_UNMAPPED, 0, 0, QUILL_ACCESS_FETCH, FW);
	expect_ok(run_raw(f, va, 64));
}

static void stream_past_its_mapping_faults_where_the_mapping_ends(void **state)
{
	struct fixture *f = *state;
	struct qh_stream s;
	uint32_t i;

	qh_stream_init(&s, f->h, f->as, 128);
	for (i = 0; i < 128; i++)
		qh_nop(&s);
	s.count = 200;
	expect_fault(qh_run(f->h, 0, &s), QUILL_FAULT_UNMAPPED, 128, s.buf->va + 8192,
		     QUILL_ACCESS_FETCH, FW);
	/* records that are not reached need not be there */
	s.count = 127;
	qh_jump(&s, 0);
	s.cmd[0] = (union quill_cmd){ .jump.hdr.opcode = QUILL_OP_JUMP, .jump.target = 199 * 64 };
	s.count = 200;
	expect_fault(qh_run(f->h, 0, &s), QUILL_FAULT_UNMAPPED, 199, s.buf->va + 199 * 64,
		     QUILL_ACCESS_FETCH, FW);
}

static void stream_that_may_not_be_read_faults(void **state)
{
	struct fixture *f = *state;
	struct qh_buf *w = qh_alloc(f->h, f->as, 4096, QH_W);

	expect_fault(run_raw(f, w->va, 64), QUILL_FAULT_READ_PERM, 0, w->va, QUILL_ACCESS_FETCH, FW);
}

static void command_may_lie_across_a_page(void **state)
{
	struct fixture *f = *state;
	int8_t b = 5;
	uint32_t i;

	for (i = 0; i < 63; i++)
		qh_nop(&f->s);
	f->a->ptr[0] = (uint8_t)-3;
	qh_pack_b(f->b->ptr, &b, 1, 1);
	qh_gemm(&f->s, f->a->va, f->b->va, f->a->va + 64, 1, 1, 1);
	qh_nop(&f->s);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(*(int32_t *)(f->a->ptr + 64), -15);
}

static void long_streams_run_to_their_end(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t i;

	for (i = 0; i < 4096; i++)
		qh_nop(&f->s);
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	assert_int_equal(cpl.counters[QUILL_COUNTER_COMMANDS], 4096);
}

static void jump_skips_and_goes_on(void **state)
{
	struct fixture *f = *state;

	qh_jump(&f->s, 2);
	qh_cmd(&f->s, 0x77);
	qh_jump(&f->s, 4);
	qh_fill(&f->s, f->a->va, 1, 2, 1);
	qh_fill(&f->s, f->a->va + 1, 1, 3, 1);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(f->a->ptr[0], 0);
	assert_int_equal(f->a->ptr[1], 3);
}

static void malformed_descriptors_are_reported(void **state)
{
	struct fixture *f = *state;
	struct quill_job_desc desc = { .stream = f->s.buf->va, .size = 64, .job = 9 };
	struct quill_job_cpl cpl;

	qh_nop(&f->s);
	desc.flags = QUILL_JOB_QUIET << 1;
	qh_wait(f->h, 0, qh_submit_desc(f->h, 0, &desc, true), QH_TIMEOUT_MS, &cpl);
	expect_fault(cpl, QUILL_FAULT_RING, 0, offsetof(struct quill_job_desc, flags),
		     QUILL_ACCESS_FETCH, FW);
	assert_int_equal(cpl.job, 9);
	desc.flags = 0;
	desc.reserved = 1ull << 63;
	qh_wait(f->h, 0, qh_submit_desc(f->h, 0, &desc, true), QH_TIMEOUT_MS, &cpl);
	expect_fault(cpl, QUILL_FAULT_RING, 0, offsetof(struct quill_job_desc, reserved),
		     QUILL_ACCESS_FETCH, FW);
	expect_ok(qh_run(f->h, 0, &f->s));
}

/* ---- faults of engines ---------------------------------------------------------------------- */

static void engine_faults_name_everything(void **state)
{
	struct fixture *f = *state;
	struct qh_buf *ro = qh_alloc(f->h, f->as, 4096, QH_R);
	struct qh_buf *wo = qh_alloc(f->h, f->as, 4096, QH_W);
	struct quill_job_cpl cpl;

	qh_nop(&f->s);
	qh_fill(&f->s, ro->va + 8, 1, 1, 16)->hdr.seq = 0x1234;
	cpl = qh_run(f->h, 0, &f->s);
	expect_fault(cpl, QUILL_FAULT_WRITE_PERM, 1, ro->va + 8, QUILL_ACCESS_WRITE,
		     QUILL_ENGINE_DMA);
	assert_int_equal(cpl.opcode, QUILL_OP_FILL);
	assert_int_equal(cpl.cmd_seq, 0x1234);

	f->s.count = 0;
	qh_copy(&f->s, f->a->va, wo->va, 16);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_READ_PERM, 0, wo->va, QUILL_ACCESS_READ,
		     QUILL_ENGINE_DMA);

	f->s.count = 0;
	qh_gemm(&f->s, f->a->va, 0x70000000000, f->b->va, 4, 4, 4);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_UNMAPPED, 0, 0x70000000000,
		     QUILL_ACCESS_READ, QUILL_ENGINE_TENSOR);
}

static void mapping_that_is_not_ram_is_a_bus_fault(void **state)
{
	struct fixture *f = *state;

	qh_map(f->h, f->as, 0x50000000, 0x1000, 4096, QH_RW);
	qh_fill(&f->s, 0x50000000, 1, 1, 16);
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_BUS, 0, 0x50000000, QUILL_ACCESS_WRITE,
		     QUILL_ENGINE_DMA);
}

static void space_that_is_disabled_faults(void **state)
{
	struct fixture *f = *state;
	uint32_t as = qh_as_create(f->h);
	struct quill_job_cpl cpl;

	assert_int_equal(qh_queue_create(f->h, 1, as, 1, 4), QUILL_ADMIN_OK);
	qh_as_disable(f->h, as);
	qh_wait(f->h, 1, qh_submit(f->h, 1, 0x1000, 64, 0), QH_TIMEOUT_MS, &cpl);
	expect_fault(cpl, QUILL_FAULT_AS, 0, 0x1000, QUILL_ACCESS_FETCH, FW);
}

static void nothing_runs_behind_a_fault(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	qh_fill(&f->s, 0x70000000000, 1, 1, 16);
	for (i = 0; i < 100; i++)
		qh_fill(&f->s, f->a->va + i, 1, 1, 1)->hdr.flags = QUILL_CMD_ORDERED;
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_UNMAPPED, 0, 0x70000000000,
		     QUILL_ACCESS_WRITE, QUILL_ENGINE_DMA);
	for (i = 0; i < 100; i++)
		assert_int_equal(f->a->ptr[i], 0);
	/* and the engine is well again */
	f->s.count = 0;
	qh_fill(&f->s, f->a->va, 1, 7, 100);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_int_equal(f->a->ptr[99], 7);
}

static void fault_in_one_context_leaves_another_right(void **state)
{
	struct fixture *f = *state;
	uint32_t as = qh_as_create(f->h), i, bad[8], good[8];
	struct qh_buf *mine = qh_alloc(f->h, as, 4096, QH_RW);
	struct quill_job_cpl cpl;
	struct qh_stream s;

	assert_int_equal(qh_queue_create(f->h, 1, as, QUILL_FW_PRIORITY_MEDIUM, 16), 0);
	qh_stream_init(&s, f->h, as, 16);
	qh_fill(&s, mine->va, 4, 0x600df00d, 4096);
	/* the other's addresses mean nothing in this space */
	qh_fill(&f->s, mine->va + 0x10000000, 4, 0xbadbad, 4096);
	for (i = 0; i < 8; i++) {
		bad[i] = qh_submit_stream(f->h, 0, &f->s);
		good[i] = qh_submit_stream(f->h, 1, &s);
	}
	for (i = 0; i < 8; i++) {
		assert_true(qh_wait(f->h, 0, bad[i], QH_TIMEOUT_MS, &cpl));
		assert_int_equal(cpl.status, QUILL_FAULT_UNMAPPED);
		assert_true(qh_wait(f->h, 1, good[i], QH_TIMEOUT_MS, &cpl));
		expect_ok(cpl);
	}
	for (i = 0; i < 1024; i++)
		assert_int_equal(((uint32_t *)mine->ptr)[i], 0x600df00d);
}

/* ---- results -------------------------------------------------------------------------------- */

static void check_gemm(struct fixture *f, uint32_t m, uint32_t n, uint32_t k)
{
	struct qh_buf *a = qh_alloc(f->h, f->as, m * k, QH_R);
	struct qh_buf *b = qh_alloc(f->h, f->as, quill_packed_size(n, k), QH_R);
	struct qh_buf *d = qh_alloc(f->h, f->as, m * n * 4, QH_RW);
	struct ref_random r = { .state = m * 31 + n * 7 + k };
	int8_t *plain = malloc(n * k);
	int32_t *want = malloc(m * n * 4);
	struct ref_gemm g = {
		.m = m, .n = n, .k = k, .a = (int8_t *)a->ptr, .lda = k, .b = plain,
		.type_d = QUILL_TYPE_S32, .d = want, .ldd = n,
	};

	ref_random_s8(&r, (int8_t *)a->ptr, m * k);
	ref_random_s8(&r, plain, n * k);
	qh_pack_b(b->ptr, plain, n, k);
	ref_gemm(&g);
	f->s.count = 0;
	qh_gemm(&f->s, a->va, b->va, d->va, m, n, k);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_memory_equal(d->ptr, want, m * n * 4);
	free(want);
	free(plain);
}

static void gemm_equals_the_reference(void **state)
{
	check_gemm(*state, 1, 1, 1);
	check_gemm(*state, 33, 130, 67);
	check_gemm(*state, 128, 256, 1024);
}

static void attention_equals_the_reference(void **state)
{
	struct fixture *f = *state;
	enum { Q = 9, KV = 150, H = 4, G = 2, D = 32 };
	struct qh_buf *in = qh_alloc(f->h, f->as, 65536, QH_R);
	struct qh_buf *out = qh_alloc(f->h, f->as, Q * H * D * 4, QH_RW);
	uint32_t at_k = 4096, at_v = at_k + KV * G * D, at_qs = at_v + KV * G * D;
	uint32_t at_ks = at_qs + Q * H * 4, at_vs = at_ks + KV * G * 4, i;
	float want[Q * H * D];
	struct ref_random r = { .state = 5 };
	struct qh_attention t = {
		.q = in->va, .k = in->va + at_k, .v = in->va + at_v, .out = out->va,
		.q_scale = in->va + at_qs, .k_scale = in->va + at_ks, .v_scale = in->va + at_vs,
		.n_q = Q, .n_kv = KV, .n_heads = H, .n_kv_heads = G, .head_dim = D,
		.softmax_scale = 0.17f, .causal = true,
	};
	struct ref_attention ref = {
		.q = (int8_t *)in->ptr, .k = (int8_t *)in->ptr + at_k,
		.v = (int8_t *)in->ptr + at_v, .q_scale = (float *)(in->ptr + at_qs),
		.k_scale = (float *)(in->ptr + at_ks), .v_scale = (float *)(in->ptr + at_vs),
		.out = want, .n_q = Q, .n_kv = KV, .n_heads = H, .n_kv_heads = G, .head_dim = D,
		.q_stride = H * D, .out_stride = H * D, .kv_stride = G * D, .kv_head_stride = D,
		.softmax_scale = 0.17f, .causal = true,
	};

	ref_random_s8(&r, (int8_t *)in->ptr, at_qs);
	for (i = at_qs; i < at_vs + KV * G * 4; i += 4)
		*(float *)(in->ptr + i) = ref_random_float(&r, 0.001f, 0.02f);
	ref_attention(&ref);
	qh_attention(&f->s, &t);
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_memory_equal(out->ptr, want, sizeof(want));
}

static void copies_and_fills_do_rows(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	for (i = 0; i < 65536; i++)
		f->a->ptr[i] = i * 7 + (i >> 8);
	qh_copy_2d(&f->s, f->b->va + 3, 101, f->a->va + 1, 333, 77, 150);
	expect_ok(qh_run(f->h, 0, &f->s));
	for (i = 0; i < 150; i++)
		assert_memory_equal(f->b->ptr + 3 + i * 101, f->a->ptr + 1 + i * 333, 77);
	assert_int_equal(f->b->ptr[2], 0);
	assert_int_equal(f->b->ptr[3 + 77], 0);

	f->s.count = 0;
	qh_fill(&f->s, f->b->va + 8, 8, 0x0123456789abcdef, 16)->fill.height = 3;
	f->s.cmd[0].fill.dst_stride = 4096;
	expect_ok(qh_run(f->h, 0, &f->s));
	for (i = 0; i < 3; i++)
		assert_true(*(uint64_t *)(f->b->ptr + 16 + i * 4096) == 0x0123456789abcdef);
}

static int setup_scattered(void **state)
{
	const struct quill_host_config c = { .scatter = true, .map_limit = 1000 };

	return fixture_setup_config(state, &c);
}

/* ---- killing ---------------------------------------------------------------------------------- */

static void endless_jump_is_killed(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t seq;

	qh_nop(&f->s);
	qh_jump(&f->s, 0);
	seq = qh_submit_stream(f->h, 0, &f->s);
	assert_false(qh_wait(f->h, 0, seq, 50, &cpl));
	fixture_check_alive(f);		/* the admin ring is served meanwhile */
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	/* the completion comes before the answer */
	assert_true(qh_wait(f->h, 0, seq, 0, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
	f->s.count = 0;
	qh_nop(&f->s);
	expect_ok(qh_run(f->h, 0, &f->s));
}

static void kill_ends_all_that_waits_in_the_ring(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint32_t first, i;

	qh_jump(&f->s, 0);
	first = qh_submit_stream(f->h, 0, &f->s);
	for (i = 1; i < ENTRIES; i++)
		assert_int_equal(qh_submit(f->h, 0, f->s.buf->va, 64, 100 + i), first + i);
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	for (i = 0; i < ENTRIES; i++) {
		assert_true(qh_wait(f->h, 0, first + i, 0, &cpl));
		assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
		assert_true(!i || cpl.job == 100 + i);
	}
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);	/* an idle queue */
	assert_int_equal(qh_queue_destroy(f->h, 0), QUILL_ADMIN_OK);
}

static void long_gemm_is_killed_soon(void **state)
{
	struct fixture *f = *state;
	const uint32_t m = 4096, n = 4096, k = 4096;
	struct qh_buf *a = qh_alloc(f->h, f->as, m * k, QH_R);
	struct qh_buf *b = qh_alloc(f->h, f->as, quill_packed_size(n, k), QH_R);
	struct qh_buf *d = qh_alloc(f->h, f->as, (size_t)m * n * 4, QH_RW);
	struct quill_job_cpl cpl;
	uint32_t seq, i;

	for (i = 0; i < 20; i++)
		qh_gemm(&f->s, a->va, b->va, d->va, m, n, k)->hdr.seq = i;
	seq = qh_submit_stream(f->h, 0, &f->s);
	assert_false(qh_wait(f->h, 0, seq, 20, &cpl));
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	assert_true(qh_wait(f->h, 0, seq, 0, &cpl));
	assert_int_equal(cpl.status, QUILL_FAULT_KILLED);
	assert_int_equal(cpl.opcode, QUILL_OP_GEMM);
	assert_int_equal(cpl.engine, QUILL_ENGINE_TENSOR);
	assert_int_equal(cpl.command, 2 * cpl.cmd_seq);
	assert_true(cpl.cmd_seq < 19);
	check_gemm(f, 3, 3, 3);
}

static void killing_one_queue_leaves_the_others(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	struct qh_stream s;
	uint32_t endless, waiting;

	assert_int_equal(qh_queue_create(f->h, 1, f->as, QUILL_FW_PRIORITY_LOW, 4), 0);
	qh_stream_init(&s, f->h, f->as, 4);
	qh_fill(&s, f->b->va, 1, 9, 1);
	qh_jump(&f->s, 0);
	endless = qh_submit_stream(f->h, 0, &f->s);
	waiting = qh_submit_stream(f->h, 1, &s);
	assert_false(qh_wait(f->h, 1, waiting, 20, &cpl));
	assert_int_equal(qh_queue_kill(f->h, 0), QUILL_ADMIN_OK);
	assert_true(qh_wait(f->h, 0, endless, 0, &cpl));
	assert_true(qh_wait(f->h, 1, waiting, QH_TIMEOUT_MS, &cpl));
	expect_ok(cpl);
	assert_int_equal(f->b->ptr[0], 9);
}

/* ---- many --------------------------------------------------------------------------------------- */

static void run_many(struct fixture *f, uint32_t queues, uint32_t jobs)
{
	uint32_t q, i, last[8];
	struct quill_job_cpl cpl;
	struct qh_buf *d[8];
	struct qh_stream s[8];

	for (q = 0; q < queues; q++) {
		if (q)
			assert_int_equal(qh_queue_create(f->h, q, f->as, q % 3, 8), 0);
		d[q] = qh_alloc(f->h, f->as, 4096, QH_RW);
		qh_stream_init(&s[q], f->h, f->as, 8);
		qh_fill(&s[q], d[q]->va, 4, 0x01010101 * (q + 1), 4096);
		qh_copy(&s[q], d[q]->va + 8, d[q]->va, 8)->hdr.flags = QUILL_CMD_ORDERED;
	}
	for (i = 0; i < jobs; i++)
		last[i % queues] = qh_submit_stream(f->h, i % queues, &s[i % queues]);
	for (q = 0; q < queues; q++) {
		assert_true(qh_wait(f->h, q, last[q], QH_TIMEOUT_MS, &cpl));
		expect_ok(cpl);
		assert_int_equal(cpl.seq, last[q]);
		assert_int_equal(d[q]->ptr[4095], q + 1);
	}
}

static void thousand_jobs_over_six_queues(void **state)
{
	run_many(*state, 6, 1002);
}

static int setup_two_cores(void **state)
{
	const struct quill_host_config c = { .emu = { .cores = 2, .queues = 4 } };

	return fixture_setup_config(state, &c);
}

static void two_cores_work_at_once(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	struct qh_stream s;
	uint32_t endless;

	/* core 1 works while core 0 is busy for ever */
	assert_int_equal(qh_queue_create(f->h, 1, f->as, 1, 8), 0);
	qh_stream_init(&s, f->h, f->as, 4);
	qh_fill(&s, f->a->va, 1, 1, 100);
	qh_jump(&f->s, 0);
	endless = qh_submit_stream(f->h, 0, &f->s);
	expect_ok(qh_run(f->h, 1, &s));
	assert_int_equal(qh_queue_kill(f->h, 0), 0);
	assert_true(qh_wait(f->h, 0, endless, 0, &cpl));
}

static void two_cores_share_many_jobs(void **state)
{
	run_many(*state, 4, 400);
}

static void high_priority_goes_first(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	struct qh_stream low, high, endless;
	uint32_t l, h;

	/* both wait behind a job that is then killed; each puts its mark behind the other's */
	assert_int_equal(qh_queue_create(f->h, 1, f->as, QUILL_FW_PRIORITY_LOW, 4), 0);
	assert_int_equal(qh_queue_create(f->h, 2, f->as, QUILL_FW_PRIORITY_HIGH, 4), 0);
	qh_stream_init(&low, f->h, f->as, 4);
	qh_stream_init(&high, f->h, f->as, 4);
	qh_stream_init(&endless, f->h, f->as, 4);
	qh_copy(&low, f->a->va + 1, f->a->va, 1);
	qh_fill(&high, f->a->va, 1, 42, 1);
	qh_jump(&endless, 0);
	qh_submit_stream(f->h, 0, &endless);
	l = qh_submit_stream(f->h, 1, &low);
	h = qh_submit_stream(f->h, 2, &high);
	assert_int_equal(qh_queue_kill(f->h, 0), 0);
	assert_true(qh_wait(f->h, 1, l, QH_TIMEOUT_MS, &cpl));
	assert_true(qh_wait(f->h, 2, h, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(f->a->ptr[1], 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(empty_job_completes),
		FIXTURE_TEST(every_check_is_reported_with_its_field),
		FIXTURE_TEST(commands_before_a_bad_one_have_run),
		FIXTURE_TEST(an_earlier_fault_is_reported_before_a_later_one),
		FIXTURE_TEST(malformed_streams_are_refused),
		FIXTURE_TEST(stream_past_its_mapping_faults_where_the_mapping_ends),
		FIXTURE_TEST(stream_that_may_not_be_read_faults),
		FIXTURE_TEST(command_may_lie_across_a_page),
		FIXTURE_TEST(long_streams_run_to_their_end),
		FIXTURE_TEST(jump_skips_and_goes_on),
		FIXTURE_TEST(malformed_descriptors_are_reported),
		FIXTURE_TEST(engine_faults_name_everything),
		FIXTURE_TEST(mapping_that_is_not_ram_is_a_bus_fault),
		FIXTURE_TEST(space_that_is_disabled_faults),
		FIXTURE_TEST(nothing_runs_behind_a_fault),
		FIXTURE_TEST(fault_in_one_context_leaves_another_right),
		FIXTURE_TEST(gemm_equals_the_reference),
		FIXTURE_TEST(attention_equals_the_reference),
		FIXTURE_TEST(copies_and_fills_do_rows),
		cmocka_unit_test_setup_teardown(gemm_equals_the_reference, setup_scattered,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(attention_equals_the_reference, setup_scattered,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(copies_and_fills_do_rows, setup_scattered,
						fixture_teardown),
		FIXTURE_TEST(endless_jump_is_killed),
		FIXTURE_TEST(kill_ends_all_that_waits_in_the_ring),
		FIXTURE_TEST(long_gemm_is_killed_soon),
		FIXTURE_TEST(killing_one_queue_leaves_the_others),
		FIXTURE_TEST(thousand_jobs_over_six_queues),
		cmocka_unit_test_setup_teardown(two_cores_work_at_once, setup_two_cores,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(two_cores_share_many_jobs, setup_two_cores,
						fixture_teardown),
		FIXTURE_TEST(high_priority_goes_first),
	};

	return cmocka_run_group_tests_name("firmware", tests, NULL, NULL);
}
