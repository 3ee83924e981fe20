// SPDX-License-Identifier: MIT
/*
 * The PCI device as a guest's firmware and kernel meet it, without one: BARs, MSI-X, function level reset, reset and
 * unplugging while busy, DMA to where there is no RAM, the device's own BARs among it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine.h"

#define CORE		QUILL_REG_CORE(0)
#define PROPS		"mem=16M,queues=4,threads=2"
#define VECTORS		5u

/* A register of the PCI Express capability of a root port: slot control, and what it says. */
#define SLOT_CONTROL		0x18
#define   SLOT_INDICATOR_OFF	(3u << 8)
#define   SLOT_INDICATOR_ON	(1u << 8)
#define   SLOT_POWER_OFF	(1u << 10)

static struct machine *m;
static struct device *d;

static int setup(void **state)
{
	m = machine_start(1, PROPS, NULL);
	d = &m->dev[0];
	return 0;
}

static int teardown(void **state)
{
	machine_stop(m);
	return 0;
}

static uint32_t config(unsigned int offset)
{
	return config_read(m, d->bus, 0, offset);
}

/* Booted, one space, queue 0. */
static void bring_up(struct space *s)
{
	device_boot_firmware(d);
	space_make(d, s, 1);
	assert_int_equal(queue_make(d, 0, s), QUILL_ADMIN_OK);
}

static void expect_job_works(const struct space *s, uint32_t value)
{
	const union quill_cmd fill = cmd_fill(DATA_VA + 4096, value, 4096);
	struct quill_job_cpl cpl = queue_run(d, 0, s, &fill, 1);

	assert_int_equal(cpl.status, 0);
	assert_int_equal(qt_read(m->q, s->data + 4096, 4), value);
	assert_int_equal(qt_read(m->q, s->data + 8188, 4), value);
}

/* Fills 256 KiB with a new value each round, for ever. */
static void submit_endless(const struct space *s)
{
	const union quill_cmd cmd[] = {
		cmd_fill(DATA_VA, 0x11111111, 256 << 10),
		cmd_fill(DATA_VA, 0x22222222, 256 << 10),
		cmd_jump(0),
	};

	queue_submit(d, 0, s, 1, cmd, 3);
}

static void wait_for_fills(const struct space *s)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;

	while (!qt_read(m->q, s->data, 4) && qt_now_ms() < end)
		usleep(500);
	assert_int_not_equal(qt_read(m->q, s->data, 4), 0);
}

static void expect_memory_is_left_alone(const struct space *s)
{
	unsigned int i;

	qt_write(m->q, s->data, 4, 0x5a5a5a5a);
	for (i = 0; i < 20; i++) {
		usleep(2000);
		assert_int_equal(qt_read(m->q, s->data, 4), 0x5a5a5a5a);
	}
}

/* ---- configuration space ---- */

static void configuration_space_says_what_it_is(void **state)
{
	assert_int_equal(config(PCI_ID), QUILL_PCI_VENDOR_ID | QUILL_PCI_DEVICE_ID << 16);
	assert_int_equal(config(PCI_CLASS), (uint32_t)QUILL_PCI_CLASS << 16 | QUILL_PCI_REVISION);
	assert_int_not_equal(d->pcie, 0);
	/* an endpoint that can FLR; vectors 0 to queues */
	assert_int_equal(config(d->pcie) >> 20 & 15, 0);
	assert_int_not_equal(config(d->pcie + 4) & 1u << 28, 0);
	assert_int_not_equal(d->msix, 0);
	assert_int_equal((config(d->msix) >> 16 & 0x7ff) + 1, VECTORS);
	assert_int_equal(config(d->msix + 4) & 7, QUILL_BAR_MSIX);
}

static uint64_t bar_size(unsigned int n, uint32_t *type)
{
	uint64_t mask;

	config_write(m, d->bus, 0, PCI_BAR(n), ~0u);
	mask = config(PCI_BAR(n));
	*type = mask & 15;
	mask &= ~15ull;
	if (*type & 4) {
		config_write(m, d->bus, 0, PCI_BAR(n + 1), ~0u);
		mask |= (uint64_t)config(PCI_BAR(n + 1)) << 32;
	} else {
		mask |= 0xffffffffull << 32;
	}
	return ~mask + 1;
}

static void bars_have_their_sizes_and_types(void **state)
{
	uint32_t type;

	config_write(m, d->bus, 0, PCI_COMMAND, 0);
	assert_int_equal(bar_size(QUILL_BAR_REGS, &type), QUILL_BAR_REGS_SIZE);
	assert_int_equal(type, 0);
	assert_int_equal(bar_size(QUILL_BAR_MSIX, &type), 4096);
	assert_int_equal(type, 0);
	assert_int_equal(bar_size(QUILL_BAR_DOORBELL, &type), QUILL_BAR_DOORBELL_SIZE);
	assert_int_equal(type, 0);
	/* 64 bits, prefetchable */
	assert_int_equal(bar_size(QUILL_BAR_MEM, &type), 16 << 20);
	assert_int_equal(type, 12);
	device_place(d);
	assert_int_equal(device_read(d, QUILL_REG_ID), QUILL_ID);
}

static void registers_doorbells_and_memory_answer(void **state)
{
	uint64_t regs = d->bar[QUILL_BAR_REGS];

	assert_int_equal(device_read(d, QUILL_REG_ID), QUILL_ID);
	assert_int_equal(device_read(d, QUILL_REG_CAPS),
			 1 | 4 << QUILL_CAPS_QUEUES_SHIFT | QUILL_MAX_AS << QUILL_CAPS_AS_SHIFT);
	assert_int_equal(device_read(d, QUILL_REG_MEM_SIZE_LO), 16 << 20);
	/* odd accesses come through as they are, and are answered with ones */
	assert_int_equal(qt_read(m->q, regs, 1), 0xff);
	assert_int_equal(qt_read(m->q, regs, 2), 0xffff);
	assert_true(qt_read(m->q, regs, 8) == UINT64_MAX);
	assert_int_equal(qt_read(m->q, d->bar[QUILL_BAR_DOORBELL], 4), 0);
	qt_write(m->q, d->bar[QUILL_BAR_MEM] + (16 << 20) - 8, 8, 0x0123456789abcdefull);
	assert_true(qt_read(m->q, d->bar[QUILL_BAR_MEM] + (16 << 20) - 8, 8) == 0x0123456789abcdefull);
	/* memory decoding off: nobody answers */
	config_write(m, d->bus, 0, PCI_COMMAND, 0);
	assert_int_not_equal(device_read(d, QUILL_REG_ID), QUILL_ID);
}

/* ---- jobs and interrupts ---- */

static void job_runs_and_raises_its_vector(void **state)
{
	uint64_t messages = machine_alloc(m, 4096, 4096);
	struct space s;
	unsigned int i;

	for (i = 0; i < VECTORS; i++)
		device_vector(d, i, messages + i * 4, 100 + i, false);
	bring_up(&s);
	assert_int_equal(qt_read(m->q, messages, 4), 100);
	assert_int_equal(qt_read(m->q, messages + 4, 4), 0);
	expect_job_works(&s, 0x12345678);
	/* the message is on its way through the main loop, behind the record */
	for (i = 0; i < 1000 && !qt_read(m->q, messages + 4, 4); i++)
		usleep(1000);
	assert_int_equal(qt_read(m->q, messages + 4, 4), 101);
	for (i = 2; i < VECTORS; i++)
		assert_int_equal(qt_read(m->q, messages + i * 4, 4), 0);
}

static void masked_vector_waits_until_it_is_unmasked(void **state)
{
	uint64_t messages = machine_alloc(m, 4096, 4096), pba;
	struct space s;
	unsigned int i;

	device_vector(d, 0, messages, 100, false);
	device_vector(d, 1, messages + 4, 101, true);
	bring_up(&s);
	expect_job_works(&s, 1);
	assert_int_equal(config(d->msix + 8) & 7, QUILL_BAR_MSIX);
	pba = d->bar[QUILL_BAR_MSIX] + (config(d->msix + 8) & ~7u);
	for (i = 0; i < 1000 && !(qt_read(m->q, pba, 4) & 2); i++)
		usleep(1000);
	assert_int_equal(qt_read(m->q, pba, 4) & 2, 2);
	assert_int_equal(qt_read(m->q, messages + 4, 4), 0);
	qt_write(m->q, d->bar[QUILL_BAR_MSIX] + 16 + 12, 4, 0);
	assert_int_equal(qt_read(m->q, messages + 4, 4), 101);
	assert_int_equal(qt_read(m->q, pba, 4) & 2, 0);
}

static void a_vector_aimed_at_the_device_itself_is_survived(void **state)
{
	struct space s;

	/* a hostile table: the message goes to our own doorbell and reset register */
	device_vector(d, 0, d->bar[QUILL_BAR_REGS] + QUILL_REG_CONTROL, QUILL_CONTROL_RESET, false);
	device_vector(d, 1, d->bar[QUILL_BAR_DOORBELL], 1, false);
	device_boot_firmware(d);
	space_make(d, &s, 1);
	/* the answer to a request raises vector 0, and so resets the device, sooner or later: it must survive */
	qt_write(m->q, d->bar[QUILL_BAR_REGS] + CORE + QUILL_CORE_ADMIN_DB, 4, 1);
	usleep(50000);
	assert_true(device_wait(d, QUILL_REG_STATUS, 0));
	assert_int_equal(device_read(d, QUILL_REG_ID), QUILL_ID);
}

/* ---- resets ---- */

static void expect_reset(uint32_t resets)
{
	assert_int_equal(device_read(d, QUILL_REG_RESET_COUNT), resets);
	assert_int_equal(device_read(d, CORE + QUILL_CORE_STATUS), QUILL_CORE_OFF);
	assert_int_equal(device_read(d, QUILL_REG_AS(1) + QUILL_AS_CTRL), 0);
}

static void flr_while_busy_stops_everything(void **state)
{
	uint32_t resets = device_read(d, QUILL_REG_RESET_COUNT);
	struct space s;

	bring_up(&s);
	submit_endless(&s);
	wait_for_fills(&s);
	device_flr(d);
	assert_int_equal(config(PCI_COMMAND) & 7, 0);
	assert_int_equal(config(PCI_BAR(0)) & ~15u, 0);
	assert_int_equal(config(d->msix) >> 31, 0);
	expect_memory_is_left_alone(&s);
	device_place(d);
	expect_reset(resets + 1);
	bring_up(&s);
	expect_job_works(&s, 3);
}

static void reset_register_while_busy_stops_everything(void **state)
{
	uint32_t resets = device_read(d, QUILL_REG_RESET_COUNT);
	struct space s;

	bring_up(&s);
	submit_endless(&s);
	wait_for_fills(&s);
	device_write(d, QUILL_REG_CONTROL, QUILL_CONTROL_RESET);
	assert_true(device_wait(d, QUILL_REG_CONTROL, 0));
	expect_reset(resets + 1);
	expect_memory_is_left_alone(&s);
	bring_up(&s);
	expect_job_works(&s, 4);
}

static void machine_reset_while_busy_stops_everything(void **state)
{
	struct space s;

	bring_up(&s);
	submit_endless(&s);
	wait_for_fills(&s);
	qt_qmp(m->q, "{\"execute\": \"system_reset\"}");
	assert_true(qt_event(m->q, "\"RESET\""));
	expect_memory_is_left_alone(&s);
}

static void quit_while_busy_ends(void **state)
{
	struct space s;

	bring_up(&s);
	submit_endless(&s);
	wait_for_fills(&s);
	/* teardown quits */
}

/* ---- power ---- */

static void set_power(unsigned int state)
{
	config_write(m, d->bus, 0, config_cap(m, d->bus, 0, PCI_CAP_PM) + 4, state);
}

static void in_d3hot_it_answers_nobody_and_in_d0_it_is_what_it_was(void **state)
{
	uint64_t mem = d->bar[QUILL_BAR_MEM];
	uint32_t resets;
	struct space s;

	bring_up(&s);
	expect_job_works(&s, 7);
	resets = device_read(d, QUILL_REG_RESET_COUNT);
	qt_write(m->q, mem, 4, 0x12345678);
	set_power(3);
	assert_int_equal(device_read(d, QUILL_REG_ID), 0xffffffff);
	assert_int_equal(qt_read(m->q, d->bar[QUILL_BAR_DOORBELL], 4), 0xffffffff);
	assert_int_not_equal(qt_read(m->q, mem, 4), 0x12345678);
	device_write(d, QUILL_REG_CONTROL, QUILL_CONTROL_RESET);
	device_write(d, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	qt_write(m->q, mem, 4, 0);
	set_power(0);
	assert_int_equal(device_read(d, QUILL_REG_ID), QUILL_ID);
	assert_int_equal(device_read(d, QUILL_REG_RESET_COUNT), resets);
	assert_int_equal(device_read(d, CORE + QUILL_CORE_STATUS), QUILL_CORE_READY);
	assert_int_equal(qt_read(m->q, mem, 4), 0x12345678);
	expect_job_works(&s, 8);
}

static void in_d3hot_a_busy_device_reaches_no_memory(void **state)
{
	struct space s;

	bring_up(&s);
	submit_endless(&s);
	wait_for_fills(&s);
	set_power(3);
	usleep(20000);
	expect_memory_is_left_alone(&s);
	device_flr(d);
	device_place(d);
	assert_int_equal(device_read(d, QUILL_REG_ID), QUILL_ID);
	bring_up(&s);
	expect_job_works(&s, 9);
}

/* ---- unplugging ---- */

static void slot_power(bool on)
{
	unsigned int cap = config_cap(m, 0, d->port, PCI_CAP_PCIE);
	uint32_t control = config_read(m, 0, d->port, cap + SLOT_CONTROL) & 0xffff;

	control &= ~(SLOT_INDICATOR_OFF | SLOT_POWER_OFF);
	control |= on ? SLOT_INDICATOR_ON : SLOT_INDICATOR_OFF | SLOT_POWER_OFF;
	config_write(m, 0, d->port, cap + SLOT_CONTROL, control);
}

static void unplug_while_busy_stops_everything(void **state)
{
	unsigned int round;
	struct space s;

	for (round = 0; round < 3; round++) {
		bring_up(&s);
		submit_endless(&s);
		wait_for_fills(&s);
		assert_null(strstr(qt_qmp(m->q, "{\"execute\": \"device_del\", \"arguments\": {\"id\": \"quill0\"}}"),
				   "error"));
		slot_power(false);
		assert_true(qt_event(m->q, "DEVICE_DELETED"));
		assert_int_equal(config(PCI_ID), 0xffffffff);
		expect_memory_is_left_alone(&s);
		assert_null(strstr(qt_qmp(m->q, "{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"quill\","
					  " \"id\": \"quill0\", \"bus\": \"rp0\", \"mem\": 16777216, \"queues\": 4}}"),
				   "error"));
		slot_power(true);
		device_place(d);
		assert_int_equal(device_read(d, QUILL_REG_ID), QUILL_ID);
	}
	bring_up(&s);
	expect_job_works(&s, 5);
}

/* ---- DMA to what is not RAM ---- */

/* Bus addresses that answer, or do not, and are no RAM. */
static unsigned int not_ram(uint64_t addr[8])
{
	unsigned int n = 0;

	addr[n++] = d->bar[QUILL_BAR_REGS];
	addr[n++] = d->bar[QUILL_BAR_DOORBELL];
	addr[n++] = d->bar[QUILL_BAR_MSIX];
	addr[n++] = d->bar[QUILL_BAR_MEM];
	addr[n++] = RAM_SIZE;
	addr[n++] = 0x700000000000ull;
	addr[n++] = 0xfffffffffffff000ull;
	return n;
}

static void images_and_arguments_outside_ram_are_refused(void **state)
{
	uint64_t addr[8], args = device_boot_args(d), image;
	unsigned int i, n = not_ram(addr);
	uint32_t size;

	image = device_image(d, &size);
	for (i = 0; i < n; i++) {
		assert_int_equal(device_boot(d, addr[i], size, args), QUILL_CORE_BOOT_FAILED);
		assert_int_equal(device_read(d, CORE + QUILL_CORE_ERROR), QUILL_BOOT_DMA);
		assert_int_equal(device_boot(d, image, size, addr[i]), QUILL_CORE_BOOT_FAILED);
		assert_int_equal(device_read(d, CORE + QUILL_CORE_ERROR), QUILL_BOOT_DMA);
	}
	assert_int_equal(device_boot(d, image, size, args), QUILL_CORE_READY);
}

static void an_image_that_reaches_over_the_end_of_ram_is_refused(void **state)
{
	uint64_t args = device_boot_args(d);

	assert_int_equal(device_boot(d, RAM_SIZE - 4096, 8192, args), QUILL_CORE_BOOT_FAILED);
	assert_int_equal(device_read(d, CORE + QUILL_CORE_ERROR), QUILL_BOOT_DMA);
}

static void without_bus_mastering_nothing_is_reached(void **state)
{
	uint64_t args = device_boot_args(d), image;
	struct space s;
	uint32_t size;

	image = device_image(d, &size);
	config_write(m, d->bus, 0, PCI_COMMAND, PCI_COMMAND_MEMORY);
	assert_int_equal(device_boot(d, image, size, args), QUILL_CORE_BOOT_FAILED);
	assert_int_equal(device_read(d, CORE + QUILL_CORE_ERROR), QUILL_BOOT_DMA);
	config_write(m, d->bus, 0, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	bring_up(&s);
	expect_job_works(&s, 6);
}

static void rings_outside_ram_are_refused(void **state)
{
	struct quill_admin_msg msg;
	unsigned int i, n;
	uint64_t addr[8];
	struct space s;

	bring_up(&s);
	n = not_ram(addr);
	for (i = 0; i < n; i++) {
		msg = (struct quill_admin_msg){
			.op = QUILL_ADMIN_QUEUE_CREATE, .queue = 1, .as = 1, .vector = 2, .entries = 2,
			.ring = addr[i], .cpl = machine_alloc(m, 4096, 4096),
		};
		assert_int_equal(device_admin(d, &msg), QUILL_ADMIN_DMA);
		msg.cpl = msg.ring;
		msg.ring = machine_alloc(m, 4096, 4096);
		assert_int_equal(device_admin(d, &msg), QUILL_ADMIN_DMA);
	}
	expect_job_works(&s, 7);
}

static void expect_bus_fault(const struct space *s, uint64_t va)
{
	const union quill_cmd fill = cmd_fill(va, 0x1, 64);
	struct quill_job_cpl cpl = queue_run(d, 0, s, &fill, 1);

	assert_int_equal(cpl.status, QUILL_FAULT_BUS);
	assert_true(cpl.address == va);
	assert_int_equal(device_read(d, QUILL_REG_AS(1) + QUILL_AS_FAULT_STATUS) & 0xff, QUILL_FAULT_BUS);
}

static void pages_outside_ram_fault_and_are_not_written(void **state)
{
	const uint64_t bits = QUILL_PTE_VALID | QUILL_PTE_LEAF | QUILL_PTE_READ | QUILL_PTE_WRITE;
	uint32_t resets = device_read(d, QUILL_REG_RESET_COUNT);
	uint64_t addr[8], va = DATA_VA + (64 << 20);
	unsigned int i, n;
	struct space s;

	bring_up(&s);
	n = not_ram(addr);
	for (i = 0; i < n; i++, va += QUILL_PAGE_SIZE) {
		space_map(d, &s, 0, va, (addr[i] & QUILL_PTE_ADDR_MASK) | bits);
		expect_bus_fault(&s, va);
	}
	/* what a FILL with ones over BAR0 and the doorbells would have done */
	assert_int_equal(device_read(d, QUILL_REG_RESET_COUNT), resets);
	assert_int_equal(device_read(d, CORE + QUILL_CORE_STATUS), QUILL_CORE_READY);
	assert_int_equal(qt_read(m->q, d->bar[QUILL_BAR_MEM], 4), 0);
	expect_job_works(&s, 8);
}

static void page_tables_outside_ram_fault(void **state)
{
	uint64_t addr[8];
	unsigned int i, n;
	struct space s;

	bring_up(&s);
	n = not_ram(addr);
	for (i = 0; i < n; i++) {
		space_map(d, &s, 2, (i + 8ull) << QUILL_PT_SHIFT(2),
			  (addr[i] & QUILL_PTE_ADDR_MASK) | QUILL_PTE_VALID);
		expect_bus_fault(&s, (i + 8ull) << QUILL_PT_SHIFT(2));
	}
	/* the root itself */
	device_write64(d, QUILL_REG_AS(1) + QUILL_AS_ROOT_LO, d->bar[QUILL_BAR_MEM]);
	device_write(d, QUILL_REG_MMU_INVALIDATE, 1);
	assert_true(device_wait(d, QUILL_REG_MMU_STATUS, 0));
	{
		const union quill_cmd fill = cmd_fill(DATA_VA, 1, 64);
		struct quill_job_cpl cpl = queue_run(d, 0, &s, &fill, 1);

		/* the stream itself cannot be fetched */
		assert_int_equal(cpl.status, QUILL_FAULT_BUS);
		assert_int_equal(cpl.access, QUILL_ACCESS_FETCH);
	}
	device_write64(d, QUILL_REG_AS(1) + QUILL_AS_ROOT_LO, s.root);
	device_write(d, QUILL_REG_MMU_INVALIDATE, 1);
	expect_job_works(&s, 9);
}

/* ---- what is told ---- */

static void info_quill_and_the_property_show_the_state(void **state)
{
	const char *text;
	struct space s;

	bring_up(&s);
	expect_job_works(&s, 10);
	text = qt_hmp(m->q, "info quill");
	assert_non_null(strstr(text, "/machine/peripheral/quill0"));
	assert_non_null(strstr(text, "core 0: ready, error 0x0, firmware"));
	text = qt_qmp(m->q, "{\"execute\": \"qom-get\", \"arguments\": {\"path\": \"/machine/peripheral/quill0\","
		      " \"property\": \"state\"}}");
	assert_non_null(strstr(text, "queue 0: doorbell 1"));
}

/* These events, by their names, appear in the log of a life with everything in it that a guest does. */
static void trace_events_tell_what_happens(void **state)
{
	static const char *const names[] = {
		"quill_reg_read", "quill_reg_write", "quill_doorbell", "quill_msix", "quill_dma_map",
		"quill_dma_unmap", "quill_dma_refused", "quill_core_status", "quill_reset",
		"quill_reset_done", "quill_invalidate", "quill_fetch", "quill_store", "quill_issue",
		"quill_retire", "quill_fault", "quill_core", "quill_realize", "quill_run_state",
	};
	char log[] = "/tmp/quill-trace-XXXXXX", line[512], found[sizeof(names) / sizeof(names[0])] = { 0 };
	const char *more[] = { "-trace", "quill_*", "-D", log, NULL };
	const union quill_cmd fill = cmd_fill(DATA_VA + (64 << 20), 1, 64);
	struct space s;
	unsigned int i;
	FILE *f;

	close(mkstemp(log));
	m = machine_start(1, PROPS, more);
	d = &m->dev[0];
	bring_up(&s);
	expect_job_works(&s, 11);
	assert_int_equal(queue_run(d, 0, &s, &fill, 1).status, QUILL_FAULT_UNMAPPED);
	device_write(d, QUILL_REG_MMU_INVALIDATE, 1);
	assert_int_equal(device_boot(d, d->bar[0], 4096, 0), QUILL_CORE_BOOT_FAILED);
	device_write(d, QUILL_REG_CONTROL, QUILL_CONTROL_RESET);
	assert_true(device_wait(d, QUILL_REG_CONTROL, 0));
	machine_stop(m);

	f = fopen(log, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			const char *at = strstr(line, names[i]);

			found[i] |= at && at[strlen(names[i])] == ' ';
		}
	fclose(f);
	unlink(log);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!found[i])
			fail_msg("the log has no %s", names[i]);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(configuration_space_says_what_it_is),
		TEST(bars_have_their_sizes_and_types),
		TEST(registers_doorbells_and_memory_answer),
		TEST(job_runs_and_raises_its_vector),
		TEST(masked_vector_waits_until_it_is_unmasked),
		TEST(a_vector_aimed_at_the_device_itself_is_survived),
		TEST(flr_while_busy_stops_everything),
		TEST(reset_register_while_busy_stops_everything),
		TEST(machine_reset_while_busy_stops_everything),
		TEST(quit_while_busy_ends),
		TEST(in_d3hot_it_answers_nobody_and_in_d0_it_is_what_it_was),
		TEST(in_d3hot_a_busy_device_reaches_no_memory),
		TEST(unplug_while_busy_stops_everything),
		TEST(images_and_arguments_outside_ram_are_refused),
		TEST(an_image_that_reaches_over_the_end_of_ram_is_refused),
		TEST(without_bus_mastering_nothing_is_reached),
		TEST(rings_outside_ram_are_refused),
		TEST(pages_outside_ram_fault_and_are_not_written),
		TEST(page_tables_outside_ram_fault),
		TEST(info_quill_and_the_property_show_the_state),
		cmocka_unit_test(trace_events_tell_what_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
