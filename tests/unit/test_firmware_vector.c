// SPDX-License-Identifier: MIT
/*
 * VECTOR commands and the firmware: it holds them to the rules, issues them to their engine, and orders
 * that with the others.
 */
#include <math.h>

#include "firmware_fixture.h"
#include "ref.h"
#include "ref_vector.h"

#define FW	QUILL_ENGINE_FW
#define ORDERED	QUILL_CMD_ORDERED

/* ---- rules: a good command of each kind, and one field of it spoilt ---------------- */

/* All operands are float, in the fixture's first buffer. */
static union quill_cmd *good(struct fixture *f, uint8_t opcode)
{
	struct qh_stream *s = &f->s;
	uint64_t va = f->a->va;

	switch (opcode) {
	case QUILL_OP_RMSNORM:
	case QUILL_OP_LAYERNORM:
		return qh_norm(s, opcode, va, va, va, 2, 8, 0);
	case QUILL_OP_SOFTMAX:
		return qh_softmax(s, va, va, 2, 8, 1);
	case QUILL_OP_ROPE:
		return qh_rope(s, va, va, va + 4096, 2, 2, 4);
	case QUILL_OP_QUANTISE:
		return qh_quantise_by(s, va + 4096, va, va + 8192, 2, 8, 4);
	case QUILL_OP_DEQUANTISE:
		return qh_dequantise(s, va + 4096, va, va + 8192, 2, 8, 4);
	case QUILL_OP_ELTWISE:
		return qh_eltwise(s, QUILL_ELTWISE_ADD, va, va, va, 2, 8);
	case QUILL_OP_ACT:
		return qh_act(s, QUILL_ACT_SILU, va, va, va, 2, 8);
	case QUILL_OP_REDUCE:
		return qh_reduce(s, QUILL_REDUCE_ARGMAX, va + 4096, va, 2, 8);
	case QUILL_OP_TOPK:
		return qh_topk(s, va + 4096, va + 8192, va, 2, 8, 3);
	case QUILL_OP_SAMPLE:
		return qh_sample(s, va + 4096, va, 2, 8, 1);
	default:
		return qh_gather_s8(s, va + 4096, va, va + 8192, va + 12288, 2, 8, 2);
	}
}

struct rule {
	uint8_t opcode;
	uint32_t offset;	/* of the field, from the command's first byte */
	uint32_t size;
	uint64_t value;
	uint32_t fault;
};

#define REC(op, type, field, value, fault) \
	{ QUILL_OP_##op, offsetof(struct type, field), sizeof(((struct type *)0)->field), value, \
	  QUILL_FAULT_##fault }
#define EXT(op, type, field, value, fault) \
	{ QUILL_OP_##op, 64 + offsetof(struct type, field), sizeof(((struct type *)0)->field), \
	  value, QUILL_FAULT_##fault }

static const struct rule rules[] = {
	REC(RMSNORM, quill_cmd_hdr, flags, QUILL_CMD_HALVES, FLAGS),
	REC(RMSNORM, quill_cmd_hdr, type_a, QUILL_TYPE_S8, TYPE),
	REC(RMSNORM, quill_cmd_hdr, ext, 0, EXT),
	REC(RMSNORM, quill_cmd_norm, rows, 0, SHAPE),
	REC(RMSNORM, quill_cmd_norm, n, (1 << 24) + 1, SHAPE),
	REC(LAYERNORM, quill_cmd_norm, dst_stride, 7, STRIDE),
	REC(LAYERNORM, quill_cmd_norm, weight, 0, RANGE),
	EXT(RMSNORM, quill_ext_norm, bias, 0x1000, PARAM),
	EXT(RMSNORM, quill_ext_norm, sum, 0x1000, PARAM),
	EXT(LAYERNORM, quill_ext_norm, bias, 0x1002, ALIGN),
	EXT(LAYERNORM, quill_ext_norm, residual_stride, 8, PARAM),
	EXT(LAYERNORM, quill_ext_norm, eps, 0x7f800000, PARAM),
	EXT(LAYERNORM, quill_ext_norm, eps, 0x80000000, PARAM),
	EXT(LAYERNORM, quill_ext_norm, reserved, 1, RESERVED),
	REC(SOFTMAX, quill_cmd_softmax, scale, 0x7fc00000, PARAM),
	REC(SOFTMAX, quill_cmd_softmax, src, 0x1002, ALIGN),
	REC(SOFTMAX, quill_cmd_softmax, reserved1, 1, RESERVED),
	REC(ROPE, quill_cmd_rope, dim, 5, SHAPE),
	REC(ROPE, quill_cmd_rope, heads, 1025, SHAPE),
	REC(ROPE, quill_cmd_rope, rotary, 3, SHAPE),
	REC(ROPE, quill_cmd_rope, rotary, 6, SHAPE),
	REC(ROPE, quill_cmd_rope, reserved, 1, RESERVED),
	REC(ROPE, quill_cmd_rope, table, 1ull << 48, RANGE),
	REC(QUANTISE, quill_cmd_quantise, group, 3, SHAPE),
	REC(QUANTISE, quill_cmd_hdr, type_d, QUILL_TYPE_F32, TYPE),
	REC(QUANTISE, quill_cmd_hdr, ext, 2, EXT),
	REC(QUANTISE, quill_cmd_quantise, scale_stride, 1, STRIDE),
	EXT(QUANTISE, quill_ext_quantise, zero, 128, PARAM),
	EXT(QUANTISE, quill_ext_quantise, lo, 128, PARAM),
	EXT(QUANTISE, quill_ext_quantise, hi, 128, PARAM),
	EXT(QUANTISE, quill_ext_quantise, reserved0, 1, RESERVED),
	EXT(QUANTISE, quill_ext_quantise, reserved, 1, RESERVED),
	REC(DEQUANTISE, quill_cmd_quantise, scale_stride, 1, STRIDE),
	REC(DEQUANTISE, quill_cmd_quantise, dst, 0x1002, ALIGN),
	REC(ELTWISE, quill_cmd_eltwise, op, QUILL_ELTWISE_COUNT, PARAM),
	REC(ELTWISE, quill_cmd_eltwise, b_stride, 7, STRIDE),
	REC(ACT, quill_cmd_act, op, QUILL_ACT_COUNT, PARAM),
	REC(ACT, quill_cmd_act, gate, 0, RANGE),
	REC(REDUCE, quill_cmd_reduce, op, QUILL_REDUCE_COUNT, PARAM),
	REC(REDUCE, quill_cmd_hdr, type_d, QUILL_TYPE_F32, TYPE),
	REC(REDUCE, quill_cmd_reduce, reserved, 1, RESERVED),
	REC(GATHER, quill_cmd_gather, table_rows, 0, SHAPE),
	REC(GATHER, quill_cmd_gather, index, (1ull << 48) - 4, RANGE),
	REC(GATHER, quill_cmd_gather, reserved, 1, RESERVED),
	REC(GATHER, quill_cmd_hdr, ext, 0, EXT),
	EXT(GATHER, quill_ext_gather, scale, 0x1002, ALIGN),
	EXT(GATHER, quill_ext_gather, scale, 0, RANGE),
	EXT(GATHER, quill_ext_gather, scale, (1ull << 48) - 4, RANGE),
	EXT(GATHER, quill_ext_gather, reserved0, 1, RESERVED),
	EXT(GATHER, quill_ext_gather, reserved, 1, RESERVED),
	REC(TOPK, quill_cmd_hdr, type_d, QUILL_TYPE_S32, TYPE),
	REC(TOPK, quill_cmd_topk, k, 9, SHAPE),
	REC(TOPK, quill_cmd_topk, value_stride, 2, STRIDE),
	REC(TOPK, quill_cmd_topk, index_stride, 2, STRIDE),
	REC(SAMPLE, quill_cmd_hdr, ext, 0, EXT),
	REC(SAMPLE, quill_cmd_sample, temperature, 0x80000000, PARAM),
	REC(SAMPLE, quill_cmd_sample, temperature, 0x7f800000, PARAM),
	REC(SAMPLE, quill_cmd_sample, temperature, 1, PARAM),
	REC(SAMPLE, quill_cmd_sample, top_p, 0, PARAM),
	REC(SAMPLE, quill_cmd_sample, prob, 0x1002, ALIGN),
	EXT(SAMPLE, quill_ext_sample, reserved, 1, RESERVED),
};

static void every_rule_is_kept_by_the_firmware(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	unsigned int i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];

		f->s.count = 0;
		qh_nop(&f->s);
		memcpy((uint8_t *)good(f, r->opcode) + r->offset, &r->value, r->size);
		cpl = qh_run(f->h, 0, &f->s);
		if (cpl.status != r->fault || cpl.address != r->offset || cpl.command != 1 ||
		    cpl.opcode != r->opcode || cpl.engine != FW)
			fail_msg("rule %u: fault %u at %#llx, opcode %#x, engine %u; expected %u at "
				 "%#x, opcode %#x", i, cpl.status, (unsigned long long)cpl.address,
				 cpl.opcode, cpl.engine, r->fault, r->offset, r->opcode);
	}
}

static void every_command_is_issued_to_its_engine(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	unsigned int code, count = 0;

	for (code = QUILL_OP_RMSNORM; code <= QUILL_OP_GATHER; code++, count++)
		good(f, code)->hdr.seq = code;
	for (code = QUILL_OP_TOPK; code <= QUILL_OP_SAMPLE; code++, count++)
		good(f, code)->hdr.seq = code;
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	assert_int_equal(cpl.counters[QUILL_COUNTER_COMMANDS], count);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BUSY_TENSOR], 0);
	assert_int_equal(cpl.counters[QUILL_COUNTER_BUSY_TENSOR + QUILL_ENGINE_DMA], 0);
	assert_true(cpl.counters[QUILL_COUNTER_BUSY_TENSOR + QUILL_ENGINE_VECTOR] > 0);
}

static void norm_without_its_second_record(void **state)
{
	struct fixture *f = *state;

	good(f, QUILL_OP_RMSNORM);
	f->s.count--;
	expect_fault(qh_run(f->h, 0, &f->s), QUILL_FAULT_EXT, 0, offsetof(struct quill_cmd_hdr, ext),
		     0, FW);
}

/* ---- order -------------------------------------------------------------------------- */

static void more_commands_than_the_engine_has_slots_run_in_order(void **state)
{
	struct fixture *f = *state;
	float *p = (float *)f->a->ptr;
	unsigned int i;

	/* from 0, x = x * 2 + 1 ten times, of one element and of many: run at once and by the engine's thread */
	p[8192] = 2;
	p[8193] = 1;
	for (i = 0; i < 200; i++) {
		uint32_t n = i % 20 < 10 ? 1 : 8000, add = i % 2;
		union quill_cmd *c;

		if (i % 20 == 0)
			qh_fill(&f->s, f->a->va, 4, 0, 4)->hdr.flags = ORDERED;
		c = qh_eltwise(&f->s, add ? QUILL_ELTWISE_ADD : QUILL_ELTWISE_MUL, f->a->va,
			       f->a->va, f->a->va + 32768 + 4 * add, 1, n);
		c->hdr.flags = i % 20 == 0 ? ORDERED : 0;
	}
	expect_ok(qh_run(f->h, 0, &f->s));
	assert_true(p[0] == 1023);
}

/* GEMM, then QUANTISE of its result, then GEMM of that: on two engines, by semaphores alone. */
static void semaphores_hand_results_from_engine_to_engine(void **state)
{
	enum { M = 64, N = 256, K = 2048 };
	struct fixture *f = *state;
	struct qh_buf *a = qh_alloc(f->h, f->as, M * K, QH_RW);
	struct qh_buf *b = qh_alloc(f->h, f->as, quill_packed_size(N, K), QH_RW);
	struct qh_buf *d = qh_alloc(f->h, f->as, M * N * 4, QH_RW);
	struct qh_buf *q = qh_alloc(f->h, f->as, M * N, QH_RW);
	struct qh_buf *out = qh_alloc(f->h, f->as, M * 4, QH_RW);
	struct ref_random rnd = { .state = 5 };
	float *scale = (float *)f->a->ptr, want_d[M * N], want_scale[M];
	int8_t plain[N * K], want_q[M * N], ones[N];
	int32_t want[M];
	union quill_cmd *c;
	unsigned int i;

	ref_random_s8(&rnd, (int8_t *)a->ptr, M * K);
	ref_random_s8(&rnd, plain, N * K);
	ref_pack(plain, N, K, 0, b->ptr);
	memset(ones, 1, sizeof(ones));
	ref_pack(ones, 1, N, 0, f->b->ptr);
	for (i = 0; i < N; i++)
		scale[i] = ref_random_float(&rnd, -1, 1);

	c = qh_gemm(&f->s, a->va, b->va, d->va, M, N, K);
	c[0].hdr.type_d = QUILL_TYPE_F32;
	c[1].gemm_ext.scale = f->a->va;
	qh_signal_sem(c, 1);
	qh_signal_sem(qh_wait_sem(qh_quantise(&f->s, q->va, f->a->va + 4096, d->va, M, N, N), 1, 1), 2);
	qh_wait_sem(qh_gemm(&f->s, q->va, f->b->va, out->va, M, 1, N), 2, 1);
	expect_ok(qh_run(f->h, 0, &f->s));

	ref_gemm(&(struct ref_gemm){ .m = M, .n = N, .k = K, .a = (int8_t *)a->ptr, .lda = K,
				     .b = plain, .type_d = QUILL_TYPE_F32, .d = want_d, .ldd = N,
				     .scale = scale });
	ref_quantise(&(struct ref_quantise){ .q = want_q, .q_stride = N, .f = want_d, .f_stride = N,
					     .scale = want_scale, .scale_stride = 1, .rows = M,
					     .n = N, .group = N });
	ref_gemm(&(struct ref_gemm){ .m = M, .n = 1, .k = N, .a = want_q, .lda = N, .b = ones,
				     .type_d = QUILL_TYPE_S32, .d = want, .ldd = 1 });
	assert_memory_equal(d->ptr, want_d, sizeof(want_d));
	assert_memory_equal(q->ptr, want_q, sizeof(want_q));
	assert_memory_equal(f->a->ptr + 4096, want_scale, sizeof(want_scale));
	assert_memory_equal(out->ptr, want, sizeof(want));
}

static void vector_and_dma_engines_work_at_the_same_time(void **state)
{
	struct fixture *f = *state;
	struct quill_job_cpl cpl;
	uint64_t *stamp = (uint64_t *)f->b->ptr, end;

	/* the stamp does not wait for the command before it, unless it is told to */
	qh_act(&f->s, QUILL_ACT_GELU, f->a->va, f->a->va, 0, 1, 16384);
	qh_timestamp(&f->s, f->b->va);
	qh_timestamp(&f->s, f->b->va + 8)->hdr.flags = ORDERED;
	cpl = qh_run(f->h, 0, &f->s);
	expect_ok(cpl);
	end = cpl.counters[QUILL_COUNTER_CYCLES] -
	      cpl.counters[QUILL_COUNTER_IDLE + QUILL_ENGINE_VECTOR];
	assert_true(stamp[0] < end - cpl.counters[QUILL_COUNTER_BUSY_VECTOR] / 2);
	assert_true(stamp[1] > end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(every_rule_is_kept_by_the_firmware),
		FIXTURE_TEST(every_command_is_issued_to_its_engine),
		FIXTURE_TEST(norm_without_its_second_record),
		FIXTURE_TEST(more_commands_than_the_engine_has_slots_run_in_order),
		FIXTURE_TEST(semaphores_hand_results_from_engine_to_engine),
		FIXTURE_TEST(vector_and_dma_engines_work_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
