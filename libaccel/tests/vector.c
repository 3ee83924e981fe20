// SPDX-License-Identifier: MIT
/*
 * The VECTOR commands by way of library, driver and firmware: runs in the VM, in TAP. The values are such that
 * the processor's arithmetic gives the exact bits; that the engine has them for all others, the unit tests show.
 */
#include <errno.h>
#include <math.h>

#include "fixture.h"
#include "quill/isa.h"

#define ROWS	5
#define N	64

/* Operand @i: two pages of the buffer. */
static float *at(struct fixture *f, unsigned int i)
{
	return (float *)f->buf.ptr + i * 2048;
}

static uint64_t va(struct fixture *f, unsigned int i)
{
	return f->buf.va + i * 8192;
}

static float next_float(void)
{
	static uint32_t seed = 11;

	seed = seed * 1664525u + 1013904223u;
	return (float)(int32_t)seed * 0x1p-28f;
}

static void fill(float *p, unsigned int n)
{
	while (n--)
		*p++ = next_float();
}

static void rmsnorm_adds_the_residual_and_keeps_the_sum(void **state)
{
	struct fixture *f = *state;
	struct accel_norm norm = {
		.src = va(f, 0), .residual = va(f, 1), .sum = va(f, 2), .dst = va(f, 3),
		.weight = va(f, 4), .rows = ROWS, .n = N,
	};
	unsigned int i;

	/* the sums are 2 or -2: their mean square is 4 */
	fill(at(f, 4), N);
	for (i = 0; i < ROWS * N; i++) {
		at(f, 0)[i] = (float)(i % 7);
		at(f, 1)[i] = (i % 3 ? 2.0f : -2.0f) - (float)(i % 7);
	}
	ok(f, accel_cmd_rmsnorm(f->stream, &norm, NULL));
	run(f);
	for (i = 0; i < ROWS * N; i++) {
		assert_true(at(f, 2)[i] == (i % 3 ? 2 : -2));
		assert_true(at(f, 3)[i] == (i % 3 ? 1 : -1) * at(f, 4)[i % N]);
	}
}

static void layernorm_has_mean_variance_and_bias(void **state)
{
	struct fixture *f = *state;
	struct accel_norm norm = {
		.src = va(f, 0), .dst = va(f, 0), .weight = va(f, 1), .bias = va(f, 2),
		.rows = ROWS, .n = N,
	};
	unsigned int i;

	/* 3 and -1: mean 1, variance 4 */
	for (i = 0; i < ROWS * N; i++)
		at(f, 0)[i] = i % 2 ? 3 : -1;
	fill(at(f, 1), N);
	fill(at(f, 2), N);
	ok(f, accel_cmd_layernorm(f->stream, &norm, NULL));
	run(f);
	for (i = 0; i < ROWS * N; i++)
		assert_true(at(f, 0)[i] == (i % 2 ? 1 : -1) * at(f, 1)[i % N] + at(f, 2)[i % N]);
}

static void softmax_of_equals_and_of_what_is_far_below(void **state)
{
	struct fixture *f = *state;
	struct accel_softmax softmax = {
		.src = va(f, 0), .dst = va(f, 1), .rows = ROWS, .n = N, .scale = 0.5f,
	};
	unsigned int i;

	for (i = 0; i < ROWS * N; i++)
		at(f, 0)[i] = i % 4 ? -1000 : (float)(i / N);
	ok(f, accel_cmd_softmax(f->stream, &softmax, NULL));
	run(f);
	for (i = 0; i < ROWS * N; i++)
		assert_true(at(f, 1)[i] == (i % 4 ? 0 : 1.0f / 16));
}

static void rope_turns_pairs_and_halves_of_heads_or_their_part(void **state)
{
	enum { HEADS = 2, DIM = 8, ROW = HEADS * DIM };
	static const unsigned int rotary[] = { 0, 0, 4, 6 };
	struct fixture *f = *state;
	struct accel_rope rope = {
		.src = va(f, 0), .table = va(f, 1), .dst = va(f, 2), .rows = ROWS, .heads = HEADS,
		.dim = DIM,
	};
	unsigned int i, h, j, halves, kind, turn;

	fill(at(f, 0), ROWS * ROW);
	fill(at(f, 1), ROWS * DIM);
	for (kind = 0; kind < 4; kind++) {
		halves = kind & 1;
		turn = rotary[kind] ? rotary[kind] : DIM;
		rope.halves = halves;
		rope.rotary = rotary[kind];
		accel_stream_reset(f->stream);
		ok(f, accel_cmd_rope(f->stream, &rope, NULL));
		run(f);
		for (i = 0; i < ROWS; i++) {
			for (h = 0; h < HEADS; h++) {
				for (j = 0; j < turn / 2; j++) {
					unsigned int first = halves ? j : 2 * j;
					unsigned int second = halves ? j + turn / 2 : 2 * j + 1;
					const float *src = at(f, 0) + i * ROW + h * DIM;
					const float *dst = at(f, 2) + i * ROW + h * DIM;
					float cos = at(f, 1)[i * turn + 2 * j];
					float sin = at(f, 1)[i * turn + 2 * j + 1];

					assert_true(dst[first] ==
						    fmaf(src[first], cos, -(src[second] * sin)));
					assert_true(dst[second] ==
						    fmaf(src[second], cos, src[first] * sin));
				}
				assert_memory_equal(at(f, 2) + i * ROW + h * DIM + turn,
						    at(f, 0) + i * ROW + h * DIM + turn,
						    (DIM - turn) * sizeof(float));
			}
		}
	}
}

static void quantise_has_the_library_s_bits_and_dequantise_goes_back(void **state)
{
	struct fixture *f = *state;
	struct accel_quantise quantise = {
		.src = va(f, 0), .dst = va(f, 1), .scale = va(f, 2), .rows = ROWS, .n = N, .group = 32,
	};
	struct accel_quantise back = {
		.src = va(f, 1), .dst = va(f, 3), .scale = va(f, 2), .rows = ROWS, .n = N, .group = 32,
	};
	int8_t want[ROWS * N];
	float scale[ROWS * N / 32];
	unsigned int i;

	fill(at(f, 0), ROWS * N);
	memset(at(f, 0) + 32, 0, 32 * sizeof(float));
	ok(f, accel_cmd_quantise(f->stream, &quantise, NULL));
	ok(f, accel_cmd_dequantise(f->stream, &back, NULL));
	run(f);
	assert_int_equal(accel_quantise_rows_s8(at(f, 0), ROWS * N / 32, 32, 0, want, 0, scale), 0);
	assert_memory_equal(at(f, 1), want, sizeof(want));
	assert_memory_equal(at(f, 2), scale, sizeof(scale));
	for (i = 0; i < ROWS * N; i++)
		assert_true(at(f, 3)[i] == (float)want[i] * scale[i / 32]);
}

static void quantise_by_a_scale_and_a_zero_point_and_back_by_column(void **state)
{
	struct fixture *f = *state;
	struct accel_quantise quantise = {
		.src = va(f, 0), .dst = va(f, 1), .scale = va(f, 2), .rows = ROWS, .n = N,
		.given = true, .scale_row = true, .zero = -3, .lo = -3, .hi = 4,
	};
	struct accel_quantise back = {
		.src = va(f, 1), .dst = va(f, 3), .scale = va(f, 2), .rows = ROWS, .n = N, .group = 1,
		.scale_row = true,
	};
	const int8_t *q = (const int8_t *)at(f, 1);
	float want;
	unsigned int i;

	for (i = 0; i < ROWS * N; i++)
		at(f, 0)[i] = (float)(i % 19) - 4;
	for (i = 0; i < N; i++)
		at(f, 2)[i] = i % 2 ? 0.25f : 0.5f;
	ok(f, accel_cmd_quantise(f->stream, &quantise, NULL));
	ok(f, accel_cmd_dequantise(f->stream, &back, NULL));
	run(f);
	for (i = 0; i < ROWS * N; i++) {
		want = fminf(fmaxf(at(f, 0)[i] * 2 - 3, -3), 4);
		assert_true((float)q[i] == want);
		assert_true(at(f, 3)[i] == want * at(f, 2)[i % N]);
	}
}

static void eltwise_combines_matrices_and_rows(void **state)
{
	struct fixture *f = *state;
	struct accel_eltwise add = {
		.a = va(f, 0), .b = va(f, 1), .dst = va(f, 2), .rows = ROWS, .n = N,
	};
	struct accel_eltwise mul = {
		.a = va(f, 2), .b = va(f, 1), .dst = va(f, 3), .rows = ROWS, .n = N, .b_row = true,
		.op = ACCEL_ELTWISE_MUL,
	};
	float sum;
	unsigned int i;

	fill(at(f, 0), ROWS * N);
	fill(at(f, 1), ROWS * N);
	ok(f, accel_cmd_eltwise(f->stream, &add, NULL));
	ok(f, accel_cmd_eltwise(f->stream, &mul, NULL));
	run(f);
	for (i = 0; i < ROWS * N; i++) {
		sum = at(f, 0)[i] + at(f, 1)[i];
		assert_true(at(f, 2)[i] == sum);
		assert_true(at(f, 3)[i] == sum * at(f, 1)[i % N]);
	}
}

static void act_has_its_functions_limits(void **state)
{
	static const float x[] = { 0, 100, -100 };
	static const float want[][3] = {
		[ACCEL_ACT_RELU] = { 0, 100, 0 },
		[ACCEL_ACT_SIGMOID] = { 0.5f, 1, 0 },
		[ACCEL_ACT_SILU] = { 0, 100, 0 },
		[ACCEL_ACT_TANH] = { 0, 1, -1 },
		[ACCEL_ACT_GELU] = { 0, 100, 0 },
		[ACCEL_ACT_GELU_ERF] = { 0, 100, 0 },
	};
	struct fixture *f = *state;
	unsigned int op, i;

	memcpy(at(f, 0), x, sizeof(x));
	for (i = 0; i < 3; i++)
		at(f, 1)[i] = 3;
	for (op = 0; op < 6; op++) {
		struct accel_act act = {
			.src = va(f, 0), .gate = op % 2 ? va(f, 1) : 0, .dst = va(f, 2) + 16 * op,
			.op = (enum accel_act_op)op, .rows = 1, .n = 3,
		};

		ok(f, accel_cmd_act(f->stream, &act, NULL));
	}
	run(f);
	for (op = 0; op < 6; op++)
		for (i = 0; i < 3; i++)
			assert_true(at(f, 2)[op * 4 + i] == want[op][i] * (op % 2 ? 3 : 1));
}

static void reduce_gives_sum_maximum_and_the_first_index(void **state)
{
	struct fixture *f = *state;
	int32_t *index = (int32_t *)at(f, 3);
	unsigned int op, i;

	for (i = 0; i < ROWS * N; i++)
		at(f, 0)[i] = (float)(i % 10 + i / N);
	for (op = 0; op < 3; op++) {
		struct accel_reduce reduce = {
			.src = va(f, 0), .dst = va(f, 1 + op), .op = (enum accel_reduce_op)op,
			.rows = ROWS, .n = N,
		};

		ok(f, accel_cmd_reduce(f->stream, &reduce, NULL));
	}
	run(f);
	for (i = 0; i < ROWS; i++) {
		float sum = 0, max = -1;
		int32_t first = -1;
		unsigned int e;

		for (e = 0; e < N; e++) {
			sum += at(f, 0)[i * N + e];
			if (at(f, 0)[i * N + e] > max) {
				max = at(f, 0)[i * N + e];
				first = (int32_t)e;
			}
		}
		assert_true(at(f, 1)[i] == sum);
		assert_true(at(f, 2)[i] == max);
		assert_int_equal(index[i], first);
	}
}

static void gather_from_int8_multiplies_by_the_row_s_scale(void **state)
{
	static const int32_t index[ROWS] = { 3, 0, 3, 9, 1 };
	struct fixture *f = *state;
	struct accel_gather gather = {
		.table = va(f, 0) + 1, .index = va(f, 1), .dst = va(f, 2), .scale = va(f, 3),
		.rows = ROWS, .n = N, .table_rows = 10, .type = ACCEL_S8,
	};
	const int8_t *table = (const int8_t *)at(f, 0) + 1;
	unsigned int i;

	fill(at(f, 0), 10 * N);
	fill(at(f, 3), 10);
	memcpy(at(f, 1), index, sizeof(index));
	ok(f, accel_cmd_gather(f->stream, &gather, NULL));
	run(f);
	for (i = 0; i < ROWS * N; i++)
		assert_true(at(f, 2)[i] ==
			    (float)table[index[i / N] * N + (int)(i % N)] * at(f, 3)[index[i / N]]);
}

static void gather_copies_rows_and_tells_of_bad_indices(void **state)
{
	static const int32_t index[ROWS] = { 3, 0, 3, 9, 1 };
	struct fixture *f = *state;
	struct accel_gather gather = {
		.table = va(f, 0), .index = va(f, 1), .dst = va(f, 2), .rows = ROWS, .n = N,
		.table_rows = 10,
	};
	struct accel_fault fault;
	unsigned int i;

	fill(at(f, 0), 10 * N);
	memcpy(at(f, 1), index, sizeof(index));
	ok(f, accel_cmd_gather(f->stream, &gather, NULL));
	run(f);
	for (i = 0; i < ROWS; i++)
		assert_memory_equal(at(f, 2) + i * N, at(f, 0) + index[i] * N, N * sizeof(float));

	((int32_t *)at(f, 1))[2] = 10;
	assert_int_equal(accel_queue_wait(f->queue, submit(f), 60 * SECOND), -EIO);
	expect_text(f, "command 0 (GATHER): a parameter out of range");
	ok(f, accel_queue_fault(f->queue, &fault));
	assert_int_equal(fault.status, QUILL_FAULT_PARAM);
	assert_int_equal(fault.address, gather.index + 8);
}

static void faults_name_the_vector_engine(void **state)
{
	struct fixture *f = *state;
	struct accel_softmax softmax = {
		.src = va(f, 0), .dst = 0x7000000000, .rows = ROWS, .n = N,
	};

	ok(f, accel_cmd_softmax(f->stream, &softmax, NULL));
	assert_int_equal(accel_queue_wait(f->queue, submit(f), 60 * SECOND), -EIO);
	expect_text(f, "command 0 (SOFTMAX): write by VECTOR at device address 0x7000000000: "
		    "nothing is bound there");
}

/* GEMM to float, SILU, QUANTISE: two engines, by semaphores alone. */
static void semaphores_order_tensor_and_vector(void **state)
{
	struct accel_cmd_opts first = { .unordered = true, .signal_sem = 1 };
	struct accel_cmd_opts then = { .unordered = true, .wait_sem = 1, .wait_value = 1 };
	struct accel_cmd_opts last = { .unordered = true };
	struct fixture *f = *state;
	int8_t b[N * N] = { 0 }, *a = (int8_t *)at(f, 0), *q = (int8_t *)at(f, 6);
	struct accel_gemm gemm = {
		.a = va(f, 0), .b = va(f, 1), .d = va(f, 3), .scale = va(f, 4), .m = ROWS, .n = N,
		.k = N, .type_d = ACCEL_F32,
	};
	struct accel_act act = {
		.src = va(f, 3), .dst = va(f, 5), .op = ACCEL_ACT_RELU, .rows = ROWS, .n = N,
	};
	struct accel_quantise quantise = {
		.src = va(f, 5), .dst = va(f, 6), .scale = va(f, 7), .rows = ROWS, .n = N,
	};
	unsigned int i;

	/* B is the identity, and each row of A has 127 in it: what is not negative comes back */
	for (i = 0; i < N; i++) {
		b[i * N + i] = 1;
		at(f, 4)[i] = 0.25f;
	}
	for (i = 0; i < ROWS * N; i++)
		a[i] = i % N ? (int8_t)(i * 37) : 127;
	accel_pack_s8(at(f, 1), b, N, N, 0, ACCEL_ORDER_NK);
	ok(f, accel_cmd_gemm(f->stream, &gemm, &first));
	ok(f, accel_cmd_act(f->stream, &act, &then));
	ok(f, accel_cmd_quantise(f->stream, &quantise, &last));
	run(f);
	for (i = 0; i < ROWS * N; i++)
		assert_int_equal(q[i], a[i] > 0 ? a[i] : 0);
	for (i = 0; i < ROWS; i++)
		assert_true(at(f, 7)[i] == 0.25f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rmsnorm_adds_the_residual_and_keeps_the_sum),
		TEST(layernorm_has_mean_variance_and_bias),
		TEST(softmax_of_equals_and_of_what_is_far_below),
		TEST(rope_turns_pairs_and_halves_of_heads_or_their_part),
		TEST(quantise_has_the_library_s_bits_and_dequantise_goes_back),
		TEST(quantise_by_a_scale_and_a_zero_point_and_back_by_column),
		TEST(eltwise_combines_matrices_and_rows),
		TEST(act_has_its_functions_limits),
		TEST(reduce_gives_sum_maximum_and_the_first_index),
		TEST(gather_copies_rows_and_tells_of_bad_indices),
		TEST(gather_from_int8_multiplies_by_the_row_s_scale),
		TEST(faults_name_the_vector_engine),
		TEST(semaphores_order_tensor_and_vector),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
