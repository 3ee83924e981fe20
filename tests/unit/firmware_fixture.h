/* SPDX-License-Identifier: MIT */
/*
 * What the firmware's tests share: the real device, booted with the real image, one address
 * space, queue 0. Each test ends by asking the firmware whether it is still well.
 */
#ifndef FIRMWARE_FIXTURE_H
#define FIRMWARE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "quill_host.h"

#define ENTRIES	16

struct fixture {
	struct quill_host *h;
	uint32_t as;
	struct qh_stream s;
	struct qh_buf *a, *b;
};

static inline int fixture_setup_config(void **state, const struct quill_host_config *config)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->h = qh_create(config);
	f->as = qh_as_create(f->h);
	f->a = qh_alloc(f->h, f->as, 65536, QH_RW);
	f->b = qh_alloc(f->h, f->as, 65536, QH_RW);
	qh_stream_init(&f->s, f->h, f->as, 4096);
	*state = f;
	return qh_queue_create(f->h, 0, f->as, QUILL_FW_PRIORITY_MEDIUM, ENTRIES);
}

static inline int fixture_setup(void **state)
{
	return fixture_setup_config(state, NULL);
}

/* A job that needs every engine to be well. */
static inline void fixture_check_alive(struct fixture *f)
{
	struct quill_admin_msg ping = { .op = QUILL_ADMIN_PING };
	struct quill_admin_cpl cpl;

	assert_true(qh_admin(f->h, 0, &ping, &cpl));
	assert_int_equal(cpl.status, QUILL_ADMIN_OK);
	assert_int_equal(qh_read(f->h, QUILL_REG_CORE(0) + QUILL_CORE_STATUS), QUILL_CORE_READY);
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	fixture_check_alive(f);
	qh_destroy(f->h);
	free(f);
	return 0;
}

static inline void expect_ok(struct quill_job_cpl cpl)
{
	if (cpl.status)
		fail_msg("job: fault %u, expected 0; command %u, opcode %#x, address %#llx",
			 cpl.status, cpl.command, cpl.opcode, (unsigned long long)cpl.address);
}

/* Every field that a report of a fault fills in. */
static inline void expect_fault(struct quill_job_cpl cpl, uint32_t fault, uint32_t command,
				uint64_t address, uint32_t access, uint32_t engine)
{
	if (cpl.status == fault && cpl.command == command && cpl.address == address &&
	    cpl.access == access && cpl.engine == engine)
		return;
	fail_msg("fault %u command %u address %#llx access %u engine %u, "
		 "expected fault %u command %u address %#llx access %u engine %u",
		 cpl.status, cpl.command, (unsigned long long)cpl.address, cpl.access, cpl.engine,
		 fault, command, (unsigned long long)address, access, engine);
}

#define FIXTURE_TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif /* FIRMWARE_FIXTURE_H */
