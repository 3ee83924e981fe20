/* SPDX-License-Identifier: MIT */
/* The control block without a processor: the test takes the firmware's place. */
#ifndef ISSUE_FIXTURE_H
#define ISSUE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

#define CMD	QUILL_RV_TCM_BASE
#define BUF	(QUILL_RV_TCM_BASE + 0x1000)
#define BIG	(64u << 20)

struct rig {
	struct quill_host *h;
	struct core *core;
	uint32_t as;
	struct qh_stream s;	/* encodes; the test carries the commands over itself */
};

static inline int setup(void **state)
{
	const struct quill_host_config config = { .no_boot = true, .emu.threads = 2 };
	struct rig *r = calloc(1, sizeof(*r));

	r->h = qh_create(&config);
	r->core = &qh_emu(r->h)->core[0];
	r->as = qh_as_create(r->h);
	qh_stream_init(&r->s, r->h, r->as, 32);
	*state = r;
	return 0;
}

static inline int teardown(void **state)
{
	struct rig *r = *state;

	qh_destroy(r->h);
	free(r);
	return 0;
}

static inline uint32_t rd(struct rig *r, uint32_t offset)
{
	return cb_bus.read(r->core, offset);
}

static inline uint64_t rd64(struct rig *r, uint32_t lo)
{
	uint32_t low = rd(r, lo);

	return low | (uint64_t)rd(r, lo + 4) << 32;
}

static inline void wr(struct rig *r, uint32_t offset, uint32_t value)
{
	cb_bus.write(r->core, offset, value);
}

static inline uint32_t issue_at(struct rig *r, uint32_t local, uint32_t engine, uint32_t tag,
				uint64_t ready)
{
	wr(r, QUILL_CB_ISSUE_CMD, local);
	wr(r, QUILL_CB_ISSUE_READY_LO, ready);
	wr(r, QUILL_CB_ISSUE_READY_HI, ready >> 32);
	wr(r, QUILL_CB_ISSUE_GO, engine | tag << 8 | r->as << 24);
	return rd(r, QUILL_CB_ISSUE_RESULT);
}

/* The encoded stream's record @index to the port. */
static inline uint32_t issue(struct rig *r, uint32_t index, uint32_t engine, uint32_t tag)
{
	memcpy(r->core->tcm, &r->s.cmd[index], 2 * QUILL_CMD_SIZE);
	return issue_at(r, CMD, engine, tag, 0);
}

static inline uint32_t pop_wait(struct rig *r)
{
	uint64_t end = core_now_ns() + 5000000000ull;
	uint32_t head;

	do {
		head = rd(r, QUILL_CB_RETIRE);
	} while (!head && core_now_ns() < end && !usleep(20));
	assert_int_not_equal(head, 0);
	return head;
}

static inline void expect_retired(struct rig *r, uint32_t engine, uint32_t tag, uint32_t fault)
{
	assert_int_equal(pop_wait(r), QUILL_RETIRE_VALID | engine << 16 | tag);
	assert_int_equal(rd(r, QUILL_CB_RETIRE_FAULT) & 0xff, fault);
}

static inline struct qh_buf *big(struct rig *r)
{
	return qh_alloc(r->h, r->as, BIG, QH_RW);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif /* ISSUE_FIXTURE_H */
