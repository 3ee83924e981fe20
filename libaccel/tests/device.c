// SPDX-License-Identifier: MIT
/*
 * libaccel on the device: runs in the VM beside the kselftests, in TAP. What the device computes is
 * compared with == to the processor's arithmetic; every teardown compares the device's resets with
 * those expected.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "fixture.h"
#include "quill/isa.h"

static int8_t next_s8(void)
{
	static uint32_t seed = 7;

	seed = seed * 1664525u + 1013904223u;
	return (int8_t)(seed >> 24);
}

/* ---- Device, memory, address spaces ---- */

static void the_device_is_listed_and_described(void **state)
{
	char paths[4][ACCEL_PATH_MAX];
	struct accel_device_info info;
	struct fixture *f = *state;
	int n;

	ok(f, accel_device_info(f->dev, &info));
	assert_string_equal(info.driver, "quill");
	assert_int_equal(info.hw_major, QUILL_HW_MAJOR);
	assert_int_equal(info.page_size, PAGE);
	assert_in_range(info.cores, 1, 8);
	assert_in_range(info.hw_queues, info.cores, QUILL_MAX_QUEUES);
	assert_in_range(info.clock_khz, 1, UINT32_MAX);
	assert_true(info.va_start < info.va_end);
	n = accel_device_list(paths, 4);
	assert_in_range(n, 1, 4);
	assert_string_equal(paths[0], info.path);
	assert_int_equal(accel_device_list(NULL, 0), n);
}

static void binds_are_where_they_were_asked_for_and_apart(void **state)
{
	struct fixture *f = *state;
	uint64_t a = 0, b = 0, c = 0x40000000, d = 0x40001000;
	struct accel_bo *bo;
	void *ptr, *again;

	ok(f, accel_bo_create(f->dev, 3 * PAGE - 5, 0, &bo));
	assert_int_equal(accel_bo_size(bo), 3 * PAGE);
	ok(f, accel_vm_bind(f->vm, bo, 0, 0, 0, &a));
	ok(f, accel_vm_bind(f->vm, bo, PAGE, PAGE, ACCEL_BIND_READONLY, &b));
	ok(f, accel_vm_bind(f->vm, bo, 0, 3 * PAGE, 0, &c));
	assert_int_equal(c, 0x40000000);
	assert_true(a + 4 * PAGE <= b || b + 2 * PAGE <= a);
	assert_int_equal(accel_vm_bind(f->vm, bo, 0, PAGE, 0, &d), -EEXIST);
	expect_text(f, "overlap a bind");
	assert_int_equal(accel_vm_bind(f->vm, bo, PAGE, 3 * PAGE, 0, &d), -EINVAL);
	expect_text(f, "which has 0x3000 bytes");
	d = 0x1001;
	assert_int_equal(accel_vm_bind(f->vm, bo, 0, PAGE, 0, &d), -EINVAL);
	expect_text(f, "multiples of the page size");
	/* a hole in the middle can be bound again */
	ok(f, accel_vm_unbind(f->vm, c + PAGE, PAGE));
	d = c + PAGE;
	ok(f, accel_vm_bind(f->vm, bo, 0, PAGE, 0, &d));
	ok(f, accel_vm_unbind(f->vm, c, 3 * PAGE));
	ok(f, accel_bo_map(bo, &ptr));
	ok(f, accel_bo_map(bo, &again));
	assert_ptr_equal(ptr, again);
	accel_bo_destroy(bo);
}

static void device_memory_is_counted_and_computed_in(void **state)
{
	struct accel_device_info before, info;
	struct fixture *f = *state;
	struct accel_bo *bo, *all;
	uint64_t va = 0;
	uint32_t *ptr;

	ok(f, accel_device_info(f->dev, &before));
	assert_in_range(before.mem_free, 1 << 20, before.mem_size);
	ok(f, accel_bo_create(f->dev, 1 << 20, ACCEL_BO_DEVICE, &bo));
	ok(f, accel_device_info(f->dev, &info));
	assert_int_equal(info.mem_free, before.mem_free - (1 << 20));
	assert_int_equal(accel_bo_create(f->dev, before.mem_free, ACCEL_BO_DEVICE, &all), -ENOSPC);
	ok(f, accel_bo_map(bo, (void **)&ptr));
	ok(f, accel_vm_bind(f->vm, bo, 0, 0, 0, &va));
	ptr[1] = 0x1234;
	ok(f, accel_cmd_copy(f->stream, va + PAGE, va, PAGE, NULL));
	run(f);
	assert_int_equal(ptr[1024], 0);
	assert_int_equal(ptr[1025], 0x1234);
	accel_bo_destroy(bo);
	ok(f, accel_vm_unbind(f->vm, va, 1 << 20));
	ok(f, accel_device_info(f->dev, &info));
	assert_int_equal(info.mem_free, before.mem_free);
}

static void a_dma_buf_leads_to_one_object_however_often_it_is_imported(void **state)
{
	struct accel_bo *bo, *again, *other;
	struct fixture *f = *state;
	struct accel_device *dev;
	uint8_t *ptr, *seen;
	int fd;

	ok(f, accel_device_open(NULL, &dev, NULL, 0));
	ok(f, accel_bo_create(f->dev, 2 * PAGE, 0, &bo));
	ok(f, accel_bo_map(bo, (void **)&ptr));
	ok(f, accel_bo_export(bo, &fd));
	ok(f, accel_bo_import(f->dev, fd, &again));
	assert_ptr_equal(again, bo);
	accel_bo_destroy(again);
	ptr[5] = 55;

	ok(f, accel_bo_import(dev, fd, &other));
	ok(f, accel_bo_import(dev, fd, &again));
	assert_ptr_equal(again, other);
	close(fd);
	accel_bo_destroy(again);
	/* the first import is good still, and without its exporter */
	accel_bo_destroy(bo);
	assert_int_equal(accel_bo_size(other), 2 * PAGE);
	ok(f, accel_bo_map(other, (void **)&seen));
	assert_int_equal(seen[5], 55);
	accel_bo_destroy(other);

	assert_int_equal(accel_bo_import(f->dev, -1, &other), -EBADF);
	expect_text(f, "file -1");
	accel_device_close(dev);
}

static void a_sealed_object_is_read_and_not_written(void **state)
{
	struct fixture *f = *state;
	struct accel_bo *bo;
	uint64_t va = 0;
	void *ptr;

	ok(f, accel_bo_create(f->dev, PAGE, 0, &bo));
	ok(f, accel_bo_map(bo, &ptr));
	memset(ptr, 0x5a, PAGE);
	ok(f, accel_vm_bind(f->vm, bo, 0, 0, 0, &va));
	assert_int_equal(accel_bo_seal(bo), -EBUSY);
	expect_text(f, "bound without ACCEL_BIND_READONLY");
	ok(f, accel_vm_unbind(f->vm, va, PAGE));
	ok(f, accel_bo_seal(bo));
	assert_int_equal(accel_vm_bind(f->vm, bo, 0, 0, 0, &va), -EACCES);
	va = 0;
	ok(f, accel_vm_bind(f->vm, bo, 0, 0, ACCEL_BIND_READONLY, &va));
	ok(f, accel_bo_map(bo, &ptr));
	ok(f, accel_cmd_copy(f->stream, f->buf.va, va, PAGE, NULL));
	run(f);
	assert_memory_equal(f->buf.ptr, ptr, PAGE);
	accel_bo_destroy(bo);
}

static void bad_arguments_are_refused_in_words(void **state)
{
	struct accel_queue_params params = { .timeout_ms = UINT32_MAX };
	struct fixture *f = *state;
	struct accel_stream *stream;
	struct accel_queue *queue;
	struct accel_bo *bo;

	assert_int_equal(accel_bo_create(f->dev, 0, 0, &bo), -EINVAL);
	expect_text(f, "size is 0");
	assert_int_equal(accel_bo_create(f->dev, PAGE, 8, &bo), -EINVAL);
	expect_text(f, "flags are 0x8");
	assert_int_equal(accel_stream_create(f->vm, 0, &stream), -EINVAL);
	expect_text(f, "max_records is 0");
	assert_int_equal(accel_queue_create(f->vm, &params, &queue), -EINVAL);
	expect_text(f, "timeout_ms is 4294967295");
	params = (struct accel_queue_params) { .priority = (enum accel_priority)9 };
	assert_int_equal(accel_queue_create(f->vm, &params, &queue), -EINVAL);
	expect_text(f, "priority is 9");
	assert_int_equal(accel_queue_submit(f->queue, f->stream, NULL, 0, NULL), -EINVAL);
	expect_text(f, "the stream is empty");
	assert_int_equal(accel_queue_wait(f->queue, 1, 0), -EINVAL);
	expect_text(f, "point is 1");
	ok(f, accel_cmd_jump(f->stream, 5));
	assert_int_equal(accel_queue_submit(f->queue, f->stream, NULL, 0, NULL), -EINVAL);
	expect_text(f, "JUMP or LOOP goes to record 5");
}

/* ---- Commands ---- */

static void copies_and_fills_do_what_they_say(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = f->buf.ptr, want[512];
	uint64_t va = f->buf.va;
	struct accel_copy_2d copy = { va + 4096, va, 5, 7, 9, 11 };
	struct accel_fill fill = { va + 8192 + 2, 0xbeef, 6, 2, 3, 10 };
	int i;

	for (i = 0; i < 256; i++)
		p[i] = (uint8_t)next_s8();
	ok(f, accel_cmd_copy(f->stream, va + 2048, va + 1, 100, NULL));
	ok(f, accel_cmd_copy_2d(f->stream, &copy, NULL));
	ok(f, accel_cmd_fill(f->stream, &fill, NULL));
	run(f);
	assert_memory_equal(p + 2048, p + 1, 100);
	memset(want, 0, sizeof(want));
	for (i = 0; i < 7; i++)
		memcpy(want + i * 9, p + i * 11, 5);
	assert_memory_equal(p + 4096, want, sizeof(want));
	memset(want, 0, sizeof(want));
	for (i = 0; i < 9; i++)
		memcpy(want + 2 + i / 3 * 10 + i % 3 * 2, "\xef\xbe", 2);
	assert_memory_equal(p + 8192, want, sizeof(want));
}

/* A generation in one job: a called stream makes the next token, the loop keeps it, until one is the stop. */
static void a_loop_generates_until_its_stop(void **state)
{
	struct fixture *f = *state;
	uint32_t *p = f->buf.ptr, i;
	uint64_t va = f->buf.va;
	struct accel_fill token = { .dst = va, .width = 4, .elem = 4, .value = 100 };
	struct accel_loop loop = { .reg = 1, .limit = 50, .word = va, .stops = 2, .stop = { -1, 170 } };
	const struct accel_patch next = { "value", 1, 7 }, keep = { "dst", 1, 4 };
	struct accel_stream *step;

	ok(f, accel_stream_create(f->vm, 8, &step));
	ok(f, accel_cmd_patch(step, &next, 1));
	ok(f, accel_cmd_fill(step, &token, NULL));
	ok(f, accel_cmd_call(f->stream, step));
	ok(f, accel_cmd_patch(f->stream, &keep, 1));
	ok(f, accel_cmd_copy(f->stream, va + 4096, va, 4, NULL));
	ok(f, accel_cmd_loop(f->stream, &loop));
	memset(p + 1024, 0, 256);
	run(f);
	for (i = 0; i < 50; i++)
		assert_int_equal(p[1024 + i], i <= 10 ? 100 + 7 * i : 0);

	/* a fault in a called stream is one of the job */
	accel_stream_reset(step);
	token.dst = 0x7000000;
	ok(f, accel_cmd_fill(step, &token, NULL));
	assert_int_equal(accel_queue_wait(f->queue, submit(f), 60 * SECOND), -EIO);
	expect_text(f, "device address 0x7000000");
	accel_stream_destroy(step);
}

static void semaphores_order_engines_and_time_passes(void **state)
{
	struct accel_cmd_opts signal = { .unordered = true, .signal_sem = 5 };
	struct accel_cmd_opts wait = { .unordered = true, .wait_sem = 5, .wait_value = 2 };
	struct fixture *f = *state;
	uint64_t *t = f->buf.ptr;

	ok(f, accel_cmd_timestamp(f->stream, f->buf.va, NULL));
	ok(f, accel_cmd_sem_signal(f->stream, 5, NULL));
	ok(f, accel_cmd_copy(f->stream, f->buf.va + 4096, f->buf.va, 8, &signal));
	ok(f, accel_cmd_sem_wait(f->stream, 5, 2));
	ok(f, accel_cmd_fence(f->stream, NULL));
	ok(f, accel_cmd_nop(f->stream, NULL));
	ok(f, accel_cmd_timestamp(f->stream, f->buf.va + 8, &wait));
	run(f);
	assert_true(t[0] > 0 && t[1] > t[0]);
	assert_int_equal(t[512], t[0]);
}

static void gemm_requantises_as_defined(void **state)
{
	enum { M = 5, N = 70, K = 33 };
	struct fixture *f = *state;
	uint64_t va = f->buf.va, b = va + PAGE, d = va + 8 * PAGE, scale = va + 10 * PAGE,
		 bias = va + 12 * PAGE;
	int8_t *a = f->buf.ptr, *out = (int8_t *)f->buf.ptr + 8 * PAGE, src[N * K];
	struct accel_requant *rq = (void *)((char *)f->buf.ptr + 10 * PAGE);
	int32_t *bs = (void *)((char *)f->buf.ptr + 12 * PAGE), acc;
	struct accel_gemm gemm = {
		.a = va, .b = b, .d = d, .m = M, .n = N, .k = K, .type_d = ACCEL_S8, .scale = scale,
		.bias = bias, .zero = 3, .lo = -100, .hi = 90,
	};
	int m, n, k;
	double want;

	for (k = 0; k < M * K; k++)
		a[k] = next_s8();
	for (k = 0; k < N * K; k++)
		src[k] = next_s8();
	for (n = 0; n < N; n++) {
		assert_int_equal(accel_requant_from_scale(0.0005 * (n + 1), &rq[n]), 0);
		bs[n] = n * 100 - 3000;
	}
	accel_pack_s8((char *)f->buf.ptr + PAGE, src, N, K, 0, ACCEL_ORDER_NK);
	ok(f, accel_cmd_gemm(f->stream, &gemm, NULL));
	run(f);
	for (m = 0; m < M; m++)
		for (n = 0; n < N; n++) {
			for (acc = bs[n], k = 0; k < K; k++)
				acc += a[m * K + k] * src[n * K + k];
			/* |acc| < 2^20 and mult < 2^31: exact in a double */
			want = nearbyint(ldexp((double)acc * rq[n].mult, -rq[n].shift)) + 3;
			want = want < -100 ? -100 : want > 90 ? 90 : want;
			assert_int_equal(out[m * N + n], (int)want);
		}
}

/* ---- Jobs and their errors ---- */

static void many_jobs_in_flight_all_end_well(void **state)
{
	struct accel_queue_stats before, after;
	struct fixture *f = *state;
	uint64_t point = 0, i;

	ok(f, accel_queue_stats(f->queue, &before));
	ok(f, accel_cmd_nop(f->stream, NULL));
	for (i = 1; i <= 150; i++) {
		point = submit(f);
		assert_int_equal(point, i);
	}
	ok(f, accel_queue_wait(f->queue, 3, 60 * SECOND));
	ok(f, accel_queue_wait(f->queue, point, 60 * SECOND));
	for (i = 0; i <= 150; i++)
		ok(f, accel_queue_wait(f->queue, i, 0));
	ok(f, accel_queue_stats(f->queue, &after));
	assert_int_equal(after.jobs - before.jobs, 150);
	assert_int_equal(after.commands - before.commands, 150);
	assert_int_equal(after.faults, 0);
	assert_false(after.banned);
}

static void expect_whole(const struct accel_engine_counters *e, uint64_t cycles)
{
	assert_true(e->compute + e->memory + e->dependency + e->firmware + e->idle == cycles);
}

static void counters_of_jobs_add_up_to_the_queue_s(void **state)
{
	struct accel_counters job, whole, before;
	struct fixture *f = *state;
	const struct accel_fill fill = { .dst = f->buf.va, .elem = 1, .width = PAGE, .height = 1 };
	uint64_t point = 0, cycles = 0, energy = 0, i;

	ok(f, accel_queue_counters(f->queue, 0, &before));
	ok(f, accel_cmd_fill(f->stream, &fill, NULL));
	for (i = 0; i < 70; i++) {
		point = submit(f);
		ok(f, accel_queue_wait(f->queue, point, 60 * SECOND));
		ok(f, accel_queue_counters(f->queue, point, &job));
		assert_true(job.cycles > 0 && job.energy_pj > 0);
		assert_int_equal(job.commands, 1);
		assert_int_equal(job.bytes_written, 4096);
		assert_int_equal(job.link_bytes, 64);
		expect_whole(&job.tensor, job.cycles);
		expect_whole(&job.vector, job.cycles);
		expect_whole(&job.dma, job.cycles);
		cycles += job.cycles;
		energy += job.energy_pj;
	}
	ok(f, accel_queue_counters(f->queue, 0, &whole));
	assert_true(whole.cycles - before.cycles == cycles);
	assert_true(whole.energy_pj - before.energy_pj == energy);
	expect_whole(&whole.dma, whole.cycles);
	ok(f, accel_queue_counters(f->queue, point - 63, &job));
	assert_int_equal(accel_queue_counters(f->queue, point - 64, &job), -ENOENT);
	assert_int_equal(accel_queue_counters(f->queue, point + 1, &job), -EINVAL);
}

static void a_fault_is_told_in_words_and_the_queue_goes_on(void **state)
{
	struct fixture *f = *state;
	uint64_t good, bad, next;
	struct accel_fault fault;

	ok(f, accel_cmd_nop(f->stream, NULL));
	good = submit(f);
	ok(f, accel_queue_wait(f->queue, good, 60 * SECOND));
	ok(f, accel_cmd_copy(f->stream, 0x7000000000, f->buf.va, 64, NULL));
	bad = submit(f);
	assert_int_equal(accel_queue_wait(f->queue, bad, 60 * SECOND), -EIO);
	expect_text(f, "job 2 failed: command 1 (COPY): write by DMA at device address 0x7000000000: "
		    "nothing is bound there");
	ok(f, accel_queue_fault(f->queue, &fault));
	assert_int_equal(fault.point, bad);
	assert_int_equal(fault.address, 0x7000000000);
	assert_int_equal(fault.status, QUILL_FAULT_UNMAPPED);
	assert_int_equal(fault.record, 1);

	accel_stream_reset(f->stream);
	ok(f, accel_cmd_nop(f->stream, NULL));
	next = submit(f);
	ok(f, accel_queue_wait(f->queue, next, 60 * SECOND));
	ok(f, accel_queue_wait(f->queue, good, 0));
	assert_int_equal(accel_queue_wait(f->queue, bad, 0), -EIO);
	expect_text(f, "job 2 failed: command 1 (COPY)");
}

/*
 * Jobs fail in a row before anyone waits: each wait still tells the truth. 15 of them, so that the
 * library has no reason to look at any (its first slots are 16) before all have failed.
 */
static void each_job_has_its_own_error(void **state)
{
	struct fixture *f = *state;
	struct accel_stream *faulty;
	uint64_t point = 0;
	int i;

	ok(f, accel_cmd_nop(f->stream, NULL));
	ok(f, accel_stream_create(f->vm, 1, &faulty));
	ok(f, accel_cmd_copy(faulty, f->buf.va, 0x7000000000, 64, NULL));
	for (i = 1; i <= 15; i++)
		ok(f, accel_queue_submit(f->queue, i % 3 ? f->stream : faulty, NULL, 0, &point));
	accel_stream_destroy(faulty);
	for (i = 15; i >= 1; i--)
		assert_int_equal(accel_queue_wait(f->queue, (uint64_t)i, 60 * SECOND),
				 i % 3 ? 0 : -EIO);
	expect_text(f, "job 3 failed: Input/output error; its details are gone: a later job failed");
	assert_int_equal(accel_queue_wait(f->queue, 15, 0), -EIO);
	expect_text(f, "job 15 failed: command 0 (COPY): read by DMA at device address 0x7000000000");
}

static void a_readonly_bind_cannot_be_written(void **state)
{
	struct fixture *f = *state;
	struct accel_bo *bo;
	uint64_t va = 0;
	uint8_t *p;

	ok(f, accel_bo_create(f->dev, PAGE, 0, &bo));
	ok(f, accel_bo_map(bo, (void **)&p));
	p[0] = 42;
	ok(f, accel_vm_bind(f->vm, bo, 0, 0, ACCEL_BIND_READONLY, &va));
	ok(f, accel_cmd_copy(f->stream, f->buf.va, va, 1, NULL));
	run(f);
	assert_int_equal(*(uint8_t *)f->buf.ptr, 42);
	ok(f, accel_cmd_copy(f->stream, va, f->buf.va + 1, 1, NULL));
	assert_int_equal(accel_queue_wait(f->queue, submit(f), 60 * SECOND), -EIO);
	expect_text(f, "the bind is read-only");
	assert_int_equal(p[0], 42);
	accel_bo_destroy(bo);
}

static void a_command_spoiled_behind_the_library_is_told_by_its_field(void **state)
{
	struct fixture *f = *state;
	union quill_cmd *cmd = (union quill_cmd *)accel_stream_data(f->stream);

	ok(f, accel_cmd_nop(f->stream, NULL));
	ok(f, accel_cmd_copy(f->stream, f->buf.va, f->buf.va, 1, NULL));
	cmd[1].copy.width = 0;
	assert_int_equal(accel_queue_wait(f->queue, submit(f), 60 * SECOND), -EIO);
	expect_text(f, "command 1 is malformed: COPY: width is 0; required: 1..2^40");
}

static void a_command_spoiled_by_patch_is_told_by_its_field(void **state)
{
	const struct accel_patch patch = { .field = "width", .reg = 1, .scale = -1 };
	struct fixture *f = *state;

	ok(f, accel_cmd_set(f->stream, 1, 8));
	ok(f, accel_cmd_patch(f->stream, &patch, 1));
	ok(f, accel_cmd_copy(f->stream, f->buf.va, f->buf.va, 8, NULL));
	assert_int_equal(accel_queue_wait(f->queue, submit(f), 60 * SECOND), -EIO);
	expect_text(f, "command 2 is malformed: COPY: width after PATCH (width += r1 * -1); required: "
		    "1..2^40");
}

static void a_deadlock_is_found_and_told(void **state)
{
	struct fixture *f = *state;

	ok(f, accel_cmd_sem_wait(f->stream, 1, 1));
	assert_int_equal(accel_queue_wait(f->queue, submit(f), 60 * SECOND), -EIO);
	expect_text(f, "command 0 (SEM_WAIT): every engine waits for a semaphore");
}

static void an_endless_job_is_ended_at_its_limit(void **state)
{
	struct accel_queue_params params = { .timeout_ms = 300 };
	struct fixture *f = *state;
	struct accel_queue *queue;
	uint64_t point;

	ok(f, accel_queue_create(f->vm, &params, &queue));
	ok(f, accel_cmd_jump(f->stream, 0));
	ok(f, accel_queue_submit(queue, f->stream, NULL, 0, &point));
	assert_int_equal(accel_queue_wait(queue, point, 1000), -ETIMEDOUT);
	expect_text(f, "job 1 has not ended within 1000 ns");
	assert_int_equal(accel_queue_wait(queue, point, 60 * SECOND), -ETIME);
	expect_text(f, "its queue's limit is 300 ms");
	accel_queue_destroy(queue);
	f->resets++;
}

static void jobs_wait_for_those_of_other_queues(void **state)
{
	struct fixture *f = *state;
	struct accel_wait wait = { .queue = f->queue };
	uint32_t *p = f->buf.ptr;
	struct accel_stream *second;
	struct accel_queue *queue;
	uint64_t point;
	int i;

	ok(f, accel_queue_create(f->vm, NULL, &queue));
	ok(f, accel_stream_create(f->vm, 1, &second));
	/* long enough that the second would overtake it */
	for (i = 0; i < 40; i++)
		ok(f, accel_cmd_copy(f->stream, f->buf.va + 8 * PAGE, f->buf.va + PAGE, 4 * PAGE, NULL));
	ok(f, accel_cmd_fill(f->stream, &(struct accel_fill) {
		.dst = f->buf.va, .value = 0xabcd, .width = 4, .elem = 4 }, NULL));
	ok(f, accel_cmd_copy(second, f->buf.va + 4, f->buf.va, 4, NULL));
	wait.point = submit(f);
	ok(f, accel_queue_submit(queue, second, &wait, 1, &point));
	ok(f, accel_queue_wait(queue, point, 60 * SECOND));
	assert_int_equal(p[1], 0xabcd);
	wait.point = 99;
	assert_int_equal(accel_queue_submit(queue, second, &wait, 1, &point), -EINVAL);
	expect_text(f, "waits[0].point is 99");
	accel_stream_destroy(second);
	accel_queue_destroy(queue);
}

static void binds_and_jobs_wait_for_each_other(void **state)
{
	struct fixture *f = *state;
	struct accel_wait bind = { .vm = f->vm }, job = { .queue = f->queue };
	uint64_t va = 0, again, point;
	struct accel_bo *bo;
	uint32_t *p;
	void *ptr;

	ok(f, accel_bo_create(f->dev, PAGE, 0, &bo));
	ok(f, accel_bo_map(bo, &ptr));
	p = ptr;
	ok(f, accel_vm_bind_async(f->vm, bo, 0, 0, 0, &va, NULL, 0, &bind.point));
	assert_int_equal(bind.point, 1);
	ok(f, accel_cmd_fill(f->stream, &(struct accel_fill) {
		.dst = va, .value = 0xb1d, .width = 4, .elem = 4 }, NULL));
	ok(f, accel_queue_submit(f->queue, f->stream, &bind, 1, &job.point));
	ok(f, accel_vm_unbind_async(f->vm, va, PAGE, &job, 1, &bind.point));
	assert_int_equal(bind.point, 2);
	/* what is bound there now is bound behind the unbind */
	again = va;
	ok(f, accel_vm_bind(f->vm, bo, 0, 0, 0, &again));
	ok(f, accel_vm_wait(f->vm, 2, 0));
	ok(f, accel_queue_wait(f->queue, job.point, 0));
	assert_int_equal(p[0], 0xb1d);
	ok(f, accel_vm_wait(f->vm, 0, 0));
	assert_int_equal(accel_vm_wait(f->vm, 3, 0), -EINVAL);
	expect_text(f, "point is 3");
	bind.point = 3;
	assert_int_equal(accel_queue_submit(f->queue, f->stream, &bind, 1, &point), -EINVAL);
	expect_text(f, "that of the last bind");
	bind.vm = NULL;
	assert_int_equal(accel_vm_unbind_async(f->vm, va, PAGE, &bind, 1, NULL), -EINVAL);
	expect_text(f, "neither queue nor vm");
	ok(f, accel_vm_unbind_async(f->vm, va, PAGE, NULL, 0, NULL));
	ok(f, accel_vm_wait(f->vm, 3, 60 * SECOND));
	accel_bo_destroy(bo);
}

static void objects_go_in_any_order(void **state)
{
	struct accel_stream *stream;
	struct fixture *f = *state;
	struct accel_buffer buf;
	struct accel_queue *queue;
	struct accel_device *dev;
	struct accel_ops *ops;
	struct accel_vm *vm;
	int8_t one = 1;
	int32_t d = 0;
	struct accel_weights *w;

	ok(f, accel_device_open(NULL, &dev, NULL, 0));
	ok(f, accel_vm_create(dev, &vm));
	ok(f, accel_queue_create(vm, NULL, &queue));
	ok(f, accel_stream_create(vm, 4, &stream));
	ok(f, accel_buffer_create(vm, 1, &buf));
	ok(f, accel_ops_create(queue, &ops));
	ok(f, accel_weights_create_s8(vm, &one, 1, 1, 0, ACCEL_ORDER_NK, NULL, NULL, &w));
	ok(f, accel_cmd_nop(stream, NULL));
	ok(f, accel_queue_submit(queue, stream, NULL, 0, NULL));
	accel_device_close(dev);
	accel_vm_destroy(vm);
	accel_stream_destroy(stream);
	accel_queue_destroy(queue);
	ok(f, accel_matmul_s8(ops, w, &one, 0, 1, &d, 0));
	assert_int_equal(d, 1);
	accel_buffer_destroy(&buf);
	accel_ops_destroy(ops);
	accel_weights_destroy(w);
}

/* Make queues until there are none left, and see that every one comes back. */
static void exhausted_queues_are_told_and_come_back(void **state)
{
	struct accel_queue *queues[QUILL_MAX_QUEUES + 1];
	struct fixture *f = *state;
	int round, n, ret, first = 0;

	for (round = 0; round < 2; round++) {
		for (n = 0; n <= QUILL_MAX_QUEUES; n++) {
			ret = accel_queue_create(f->vm, NULL, &queues[n]);
			if (ret)
				break;
		}
		assert_int_equal(ret, -ENOSPC);
		expect_text(f, "all hardware queues, or this user's share of them, are in use");
		assert_in_range(n, 1, QUILL_MAX_QUEUES);
		assert_int_equal(n, round ? first : n);
		first = n;
		while (n--)
			accel_queue_destroy(queues[n]);
	}
}

static void exhausted_spaces_are_told_and_come_back(void **state)
{
	struct fixture *f = *state;
	struct accel_vm *vms[QUILL_MAX_AS + 1];
	int round, n, ret, first = 0;

	for (round = 0; round < 2; round++) {
		for (n = 0; n <= QUILL_MAX_AS; n++) {
			ret = accel_vm_create(f->dev, &vms[n]);
			if (ret)
				break;
		}
		assert_int_equal(ret, -ENOSPC);
		expect_text(f, "this user's share of them, are in use");
		assert_in_range(n, 1, QUILL_MAX_AS);
		assert_int_equal(n, round ? first : n);
		first = n;
		while (n--)
			accel_vm_destroy(vms[n]);
	}
}

static void absurd_sizes_are_refused(void **state)
{
	struct accel_bo *bo = NULL;
	struct fixture *f = *state;

	assert_true(accel_bo_create(f->dev, SIZE_MAX, 0, &bo) < 0);
	expect_text(f, "the driver refused 18446744073709551615 bytes");
	assert_true(accel_bo_create(f->dev, 1ull << 60, 0, &bo) < 0);
	assert_null(bo);
}

/* ---- Operations ---- */

static void check_matmul_s8(struct fixture *f, struct accel_ops *ops, uint32_t m, uint32_t n,
			    uint32_t k, uint32_t room)
{
	int8_t *a = malloc(m * (k + room)), *b = malloc(n * k);
	int32_t *d = calloc(m * (n + room), sizeof(*d)), sum;
	struct accel_weights *w;
	uint32_t i, x, y;

	for (i = 0; i < m * (k + room); i++)
		a[i] = i % 5 ? next_s8() : -128;
	for (i = 0; i < n * k; i++)
		b[i] = i % 7 ? next_s8() : -128;
	ok(f, accel_weights_create_s8(f->vm, b, n, k, 0, ACCEL_ORDER_NK, NULL, NULL, &w));
	ok(f, accel_matmul_s8(ops, w, a, room ? k + room : 0, m, d, room ? n + room : 0));
	for (x = 0; x < m; x++)
		for (y = 0; y < n + room; y++) {
			for (sum = 0, i = 0; y < n && i < k; i++)
				sum += a[x * (k + room) + i] * b[y * k + i];
			assert_int_equal(d[x * (n + room) + y], sum);
		}
	accel_weights_destroy(w);
	free(a);
	free(b);
	free(d);
}

static void matmul_s8_is_exact(void **state)
{
	static const uint32_t shapes[][4] = {
		{ 1, 1, 1, 0 }, { 1, 64, 4, 0 }, { 3, 65, 5, 3 }, { 17, 130, 77, 0 }, { 64, 96, 256, 1 },
		{ 2, 3, 5000, 0 },
	};
	struct fixture *f = *state;
	struct accel_ops *ops;
	size_t i;

	ok(f, accel_ops_create(f->queue, &ops));
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		check_matmul_s8(f, ops, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
	accel_ops_destroy(ops);
}

struct worker {
	struct fixture *f;
	pthread_t thread;
	int wrong;
};

/* No assertions here: they jump, and this is not the test's stack. */
static void *work(void *arg)
{
	enum { M = 4, N = 20, K = 50 };
	int8_t a[M * K], b[N * K];
	struct worker *me = arg;
	struct accel_weights *w;
	struct accel_queue *queue;
	struct accel_ops *ops;
	int32_t d[M * N], sum;
	int i, j, k, round;

	for (i = 0; i < M * K; i++)
		a[i] = (int8_t)(i * 37 + (int)(intptr_t)me);
	for (i = 0; i < N * K; i++)
		b[i] = (int8_t)(i * 11);
	me->wrong = 1;
	if (accel_queue_create(me->f->vm, NULL, &queue))
		return NULL;
	if (accel_ops_create(queue, &ops))
		return NULL;
	for (me->wrong = 0, round = 0; round < 25; round++) {
		if (accel_weights_create_s8(me->f->vm, b, N, K, 0, ACCEL_ORDER_NK, NULL, NULL, &w)) {
			me->wrong++;
			break;
		}
		me->wrong += accel_matmul_s8(ops, w, a, 0, M, d, 0) != 0;
		accel_weights_destroy(w);
		for (i = 0; i < M; i++)
			for (j = 0; j < N; j++) {
				for (sum = 0, k = 0; k < K; k++)
					sum += a[i * K + k] * b[j * K + k];
				me->wrong += d[i * N + j] != sum;
			}
	}
	accel_ops_destroy(ops);
	accel_queue_destroy(queue);
	return NULL;
}

static void threads_with_queues_of_their_own_share_a_space(void **state)
{
	struct worker workers[4] = { { .f = *state }, { .f = *state }, { .f = *state }, { .f = *state } };
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (i = 0; i < 4; i++)
		pthread_join(workers[i].thread, NULL);
	for (i = 0; i < 4; i++)
		if (workers[i].wrong)
			fail_msg("thread %d: %d wrong; last error: %s", i, workers[i].wrong,
				 accel_last_error(f->dev));
}

static void matmul_f32_is_the_definition_to_the_bit(void **state)
{
	enum { M = 7, N = 70, K = 100 };
	static float a[M * K], b[N * K], bias[N], d[M * N], sa[M], sb[N];
	static int8_t qa[M * K], qb[N * K];
	struct fixture *f = *state;
	struct accel_weights *w;
	struct accel_ops *ops;
	int m, n, k, acc;
	float want;

	for (k = 0; k < M * K; k++)
		a[k] = next_s8() * 0.01f + next_s8() * 1e-5f;
	for (k = 0; k < N * K; k++)
		b[k] = next_s8() * 0.02f + next_s8() * 1e-5f;
	for (n = 0; n < N; n++)
		bias[n] = next_s8() * 0.1f;
	ok(f, accel_weights_create_f32(f->vm, b, N, K, 0, ACCEL_ORDER_NK, bias, &w));
	ok(f, accel_ops_create(f->queue, &ops));
	ok(f, accel_matmul_f32(ops, w, a, 0, M, d, 0));
	accel_quantise_rows_s8(a, M, K, 0, qa, 0, sa);
	accel_quantise_rows_s8(b, N, K, 0, qb, 0, sb);
	for (m = 0; m < M; m++)
		for (n = 0; n < N; n++) {
			for (acc = 0, k = 0; k < K; k++)
				acc += qa[m * K + k] * qb[n * K + k];
			want = fmaf((float)acc, sb[n] * sa[m], bias[n]);
			assert_memory_equal(&d[m * N + n], &want, sizeof(want));
		}
	a[5] = NAN;
	assert_int_equal(accel_matmul_f32(ops, w, a, 0, M, d, 0), -EDOM);
	expect_text(f, "NaN");
	assert_int_equal(accel_matmul_f32(ops, w, a, 0, 0, d, 0), -EINVAL);
	expect_text(f, "GEMM: m is 0");
	assert_int_equal(accel_matmul_f32(ops, w, a, K - 1, M, d, 0), -EINVAL);
	expect_text(f, "lda is 99");
	accel_ops_destroy(ops);
	accel_weights_destroy(w);
}

/* Softmax attention of one query and head over the quantised values, in double. */
static void reference_attention(const struct accel_attention_f32 *p, const int8_t *q, const float *sq,
				const int8_t *k, const float *sk, const int8_t *v, const float *sv,
				uint32_t i, uint32_t h, double *out)
{
	uint32_t g = h / (p->n_heads / p->n_kv_heads), dim = p->head_dim, j, e, at;
	uint32_t seen = p->causal ? p->n_kv - p->n_q + i + 1 : p->n_kv;
	double sum = 0, weight;
	int32_t score;

	memset(out, 0, dim * sizeof(*out));
	for (j = 0; j < seen; j++) {
		at = j * p->n_kv_heads + g;
		for (score = 0, e = 0; e < dim; e++)
			score += q[(i * p->n_heads + h) * dim + e] * k[at * dim + e];
		weight = exp((double)score * sq[i * p->n_heads + h] * sk[at] * p->softmax_scale);
		sum += weight;
		for (e = 0; e < dim; e++)
			out[e] += weight * sv[at] * v[at * dim + e];
	}
	for (e = 0; e < dim; e++)
		out[e] /= sum;
}

static void attention_is_near_exact_arithmetic(void **state)
{
	enum { NQ = 3, NKV = 150, H = 4, G = 2, D = 32 };
	static float q[NQ * H * D], k[NKV * G * D], v[NKV * G * D], out[NQ * H * D];
	static float sq[NQ * H], sk[NKV * G], sv[NKV * G];
	static int8_t qq[NQ * H * D], qk[NKV * G * D], qv[NKV * G * D];
	struct accel_attention_f32 p = {
		.q = q, .k = k, .v = v, .out = out, .n_q = NQ, .n_kv = NKV, .n_heads = H,
		.n_kv_heads = G, .head_dim = D, .softmax_scale = 0.1767767f, .causal = true,
	};
	struct fixture *f = *state;
	struct accel_ops *ops;
	double want[D], error = 0;
	int i, e;

	for (i = 0; i < NQ * H * D; i++)
		q[i] = next_s8() * 0.02f;
	for (i = 0; i < NKV * G * D; i++) {
		k[i] = next_s8() * 0.02f;
		v[i] = next_s8() * 0.02f;
	}
	ok(f, accel_ops_create(f->queue, &ops));
	ok(f, accel_attention_f32(ops, &p));
	accel_quantise_rows_s8(q, NQ * H, D, 0, qq, 0, sq);
	accel_quantise_rows_s8(k, NKV * G, D, 0, qk, 0, sk);
	accel_quantise_rows_s8(v, NKV * G, D, 0, qv, 0, sv);
	for (i = 0; i < NQ * H; i++) {
		reference_attention(&p, qq, sq, qk, sk, qv, sv, (uint32_t)i / H, (uint32_t)i % H, want);
		for (e = 0; e < D; e++)
			error = fmax(error, fabs(out[i * D + e] - want[e]));
	}
	/*
	 * |v| is at most 2.56; sums of 150 terms in float32 stay far below this, a wrong key does
	 * not
	 */
	if (!(error < 2e-5))
		fail_msg("largest error against float64 is %g; expected: below 2e-5", error);
	p.n_q = NKV + 1;
	assert_int_equal(accel_attention_f32(ops, &p), -EINVAL);
	expect_text(f, "ATTENTION: n_q is 151");
	accel_ops_destroy(ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_device_is_listed_and_described),
		TEST(binds_are_where_they_were_asked_for_and_apart),
		TEST(device_memory_is_counted_and_computed_in),
		TEST(a_dma_buf_leads_to_one_object_however_often_it_is_imported),
		TEST(a_sealed_object_is_read_and_not_written),
		TEST(bad_arguments_are_refused_in_words),
		TEST(copies_and_fills_do_what_they_say),
		TEST(a_loop_generates_until_its_stop),
		TEST(semaphores_order_engines_and_time_passes),
		TEST(gemm_requantises_as_defined),
		TEST(counters_of_jobs_add_up_to_the_queue_s),
		TEST(many_jobs_in_flight_all_end_well),
		TEST(a_fault_is_told_in_words_and_the_queue_goes_on),
		TEST(each_job_has_its_own_error),
		TEST(a_readonly_bind_cannot_be_written),
		TEST(a_command_spoiled_by_patch_is_told_by_its_field),
		TEST(a_command_spoiled_behind_the_library_is_told_by_its_field),
		TEST(a_deadlock_is_found_and_told),
		TEST(an_endless_job_is_ended_at_its_limit),
		TEST(jobs_wait_for_those_of_other_queues),
		TEST(binds_and_jobs_wait_for_each_other),
		TEST(objects_go_in_any_order),
		TEST(exhausted_queues_are_told_and_come_back),
		TEST(exhausted_spaces_are_told_and_come_back),
		TEST(absurd_sizes_are_refused),
		TEST(matmul_s8_is_exact),
		TEST(threads_with_queues_of_their_own_share_a_space),
		TEST(matmul_f32_is_the_definition_to_the_bit),
		TEST(attention_is_near_exact_arithmetic),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
