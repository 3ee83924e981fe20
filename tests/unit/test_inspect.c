// SPDX-License-Identifier: MIT
/*
 * What the device tells about itself: events while it works, and its state as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

#define MAX_EVENTS	4096

struct heard {
	pthread_mutex_t lock;
	unsigned int count;
	struct quill_event event[MAX_EVENTS];
};

static void hear(void *arg, const struct quill_event *event)
{
	struct heard *heard = arg;

	pthread_mutex_lock(&heard->lock);
	if (heard->count < MAX_EVENTS)
		heard->event[heard->count++] = *event;
	pthread_mutex_unlock(&heard->lock);
}

struct expected {
	enum quill_event_type type;
	uint64_t arg[QUILL_EVENT_ARGS];
	/* of the arguments that matter */
	unsigned int mask;
};

/* These come in this order, others between them. */
static void expect_events(struct heard *heard, const struct expected *want, unsigned int n)
{
	unsigned int i, j, at = 0;

	pthread_mutex_lock(&heard->lock);
	for (i = 0; i < heard->count && at < n; i++) {
		if (heard->event[i].type != want[at].type)
			continue;
		for (j = 0; j < QUILL_EVENT_ARGS; j++)
			if (want[at].mask >> j & 1 && heard->event[i].arg[j] != want[at].arg[j])
				break;
		at += j == QUILL_EVENT_ARGS;
	}
	pthread_mutex_unlock(&heard->lock);
	if (at < n)
		fail_msg("event %u of the %u expected (type %u) is not among the %u that came", at, n,
			 want[at].type, i);
}

static struct quill_host *make(struct heard *heard)
{
	const struct quill_host_config config = {
		.emu.threads = 2,
		.event = heard ? hear : NULL,
		.event_arg = heard,
	};

	if (heard) {
		memset(heard, 0, sizeof(*heard));
		pthread_mutex_init(&heard->lock, NULL);
	}
	return qh_create(&config);
}

static void events_tell_the_life_of_a_job(void **state)
{
	static struct heard heard;
	struct quill_host *h = make(&heard);
	uint32_t as = qh_as_create(h);
	struct qh_buf *buf = qh_alloc(h, as, 4096, QH_RW);
	struct quill_job_cpl cpl;
	struct qh_stream s;

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 4);
	qh_fill(&s, buf->va, 4, 7, 4096);
	cpl = qh_run(h, 0, &s);
	assert_int_equal(cpl.status, 0);
	qh_invalidate(h, as);
	quill_emu_reset(qh_emu(h));

	const struct expected want[] = {
		{ QUILL_EVENT_CORE, { 0, QUILL_CORE_BOOTING }, 3 },
		{ QUILL_EVENT_CORE, { 0, QUILL_CORE_READY, 0 }, 7 },
		/* the request, the descriptor, the stream */
		{ QUILL_EVENT_FETCH, { 0, 0, qh_core_args(h, 0)->admin_ring, 64, 0 }, 0x1f },
		{ QUILL_EVENT_FETCH, { 0, 0, qh_queue_ring(h, 0), 32, 0 }, 0x17 },
		{ QUILL_EVENT_FETCH, { 0, as, s.buf->va, 64, 0 }, 0x17 },
		{ QUILL_EVENT_ISSUE, { 0, QUILL_ENGINE_DMA, 0, QUILL_OP_FILL, as }, 0x1b },
		{ QUILL_EVENT_RETIRE, { 0, QUILL_ENGINE_DMA, 0, 0 }, 0x0b },
		{ QUILL_EVENT_STORE, { 0, 0, qh_queue_cpl(h, 0) }, 0x07 },
		{ QUILL_EVENT_INVALIDATE, { as }, 1 },
		{ QUILL_EVENT_CORE, { 0, QUILL_CORE_OFF }, 3 },
		{ QUILL_EVENT_RESET, { 1 }, 1 },
	};

	expect_events(&heard, want, sizeof(want) / sizeof(want[0]));
	qh_destroy(h);
}

static void events_tell_a_fault_and_its_retirement(void **state)
{
	static struct heard heard;
	struct quill_host *h = make(&heard);
	uint32_t as = qh_as_create(h);
	struct qh_stream s;

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 4);
	qh_fill(&s, 0x700000, 4, 7, 4096);
	assert_int_equal(qh_run(h, 0, &s).status, QUILL_FAULT_UNMAPPED);

	const struct expected want[] = {
		{ QUILL_EVENT_FAULT, { as, QUILL_FAULT_UNMAPPED, QUILL_ACCESS_WRITE,
				       QUILL_ENGINE_DMA, 0x700000 }, 0x1f },
		{ QUILL_EVENT_RETIRE, { 0, QUILL_ENGINE_DMA, 0, QUILL_FAULT_UNMAPPED, 0x700000 },
		  0x1b },
	};

	expect_events(&heard, want, sizeof(want) / sizeof(want[0]));
	qh_destroy(h);
}

/* ---- text ---- */

static void expect_text(struct quill_host *h, const char *want)
{
	char *text = quill_emu_dump(qh_emu(h));

	assert_non_null(text);
	if (!strstr(text, want))
		fail_msg("the dump has no \"%s\":\n%s", want, text);
	free(text);
}

static void dump_of_an_idle_device_tells_what_it_is(void **state)
{
	struct quill_host *h = make(NULL);
	uint32_t as = qh_as_create(h);
	char line[64];

	expect_text(h, "device: version 2.1, profile quill-1 at 1450000 kHz, 1 cores, 8 queues, 2 threads");
	expect_text(h, "core 0: ready, error 0x0, firmware ");
	expect_text(h, "engine TENSOR: idle");
	snprintf(line, sizeof(line), "space %u: enabled, root 0x1", as);
	expect_text(h, line);
	qh_destroy(h);
}

static void dump_tells_what_waits_behind_what(void **state)
{
	struct quill_host *h = make(NULL);
	uint32_t as = qh_as_create(h), i, seq;
	struct quill_job_cpl cpl;
	struct qh_stream s;
	char *text = NULL;

	qh_queue_create(h, 3, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 8);
	/* some hundred milliseconds each */
	for (i = 0; i < 3; i++)
		qh_gemm(&s, QUILL_VA_SRAM, QUILL_VA_SRAM + (4 << 20), QUILL_VA_SRAM + (16 << 20),
			2048, 1024, 1536);
	seq = qh_submit_stream(h, 3, &s);
	for (i = 0; i < 5000 && (!text || !strstr(text, "engine TENSOR: runs a command of slot 0, 2 waiting")); i++) {
		free(text);
		usleep(100);
		text = quill_emu_dump(qh_emu(h));
	}
	if (!strstr(text, "engine TENSOR: runs a command of slot 0, 2 waiting"))
		fail_msg("the dump never has a running TENSOR engine with 2 waiting:\n%s", text);
	assert_non_null(strstr(text, "waits: tag "));
	assert_non_null(strstr(text, ", GEMM, space 1, ends at cycle "));
	assert_non_null(strstr(text, "queue 3: doorbell 1"));
	free(text);
	assert_true(qh_wait(h, 3, seq, QH_TIMEOUT_MS, &cpl));
	assert_int_equal(cpl.status, 0);
	qh_destroy(h);
}

static void dump_tells_the_last_fault_of_a_space(void **state)
{
	struct quill_host *h = make(NULL);
	uint32_t as = qh_as_create(h);
	struct qh_stream s;

	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
	qh_stream_init(&s, h, as, 4);
	qh_fill(&s, 0x700000, 4, 7, 4096);
	assert_int_equal(qh_run(h, 0, &s).status, QUILL_FAULT_UNMAPPED);
	expect_text(h, "faults 1, the last: 1 at 0x700000 writing by DMA");
	qh_destroy(h);
}

static void dump_shows_the_registers_of_a_dead_processor(void **state)
{
	struct quill_host_config config = { .emu.threads = 1, .no_boot = true };
	struct quill_host *h = qh_create(&config);
	struct quill_fw_boot args = qh_boot_args(h, 0);
	/* li ra, 0x123; an illegal instruction */
	const uint32_t code[] = { 0x12300093, 0 };
	struct {
		struct quill_fw_header header;
		uint32_t code[2];
	} image = {
		.header = {
			.magic = QUILL_FW_MAGIC,
			.header_version = QUILL_FW_HEADER_VERSION,
			.header_size = sizeof(image.header),
			.hw_major = QUILL_HW_MAJOR,
			.payload_size = sizeof(code),
			.load_addr = QUILL_RV_TCM_BASE,
			.entry = QUILL_RV_TCM_BASE,
			.payload_crc = boot_crc32(code, sizeof(code)),
		},
	};

	memcpy(image.code, code, sizeof(code));
	image.header.header_crc = boot_crc32(&image.header,
					     offsetof(struct quill_fw_header, header_crc));
	assert_int_equal(qh_boot(h, 0, &args, &image, sizeof(image)), QUILL_CORE_PANIC);
	/* its thread is on its way out */
	usleep(100000);
	expect_text(h, "core 0: panic, error 0x80000002");
	expect_text(h, "trap: cause 0x2, value 0x0");
	expect_text(h, " x1 0x00000123");
	qh_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_tell_the_life_of_a_job),
		cmocka_unit_test(events_tell_a_fault_and_its_retirement),
		cmocka_unit_test(dump_of_an_idle_device_tells_what_it_is),
		cmocka_unit_test(dump_tells_what_waits_behind_what),
		cmocka_unit_test(dump_tells_the_last_fault_of_a_space),
		cmocka_unit_test(dump_shows_the_registers_of_a_dead_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
