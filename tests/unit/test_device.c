// SPDX-License-Identifier: MIT
/*
 * The device from outside: registers, boot ROM, resets, life and death.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "core.h"
#include "quill_host.h"

#define CORE	QUILL_REG_CORE(0)

static struct quill_host *make(bool boot, unsigned int cores)
{
	struct quill_host_config config = {
		.no_boot = !boot,
		.emu.cores = cores,
		.emu.threads = 2,
	};

	return qh_create(&config);
}

static uint64_t read_sized(struct quill_host *h, unsigned int bar, uint64_t at, unsigned int size)
{
	return quill_emu_read(qh_emu(h), bar, at, size);
}

static uint64_t now_ms(void)
{
	return core_now_ns() / 1000000;
}

/* Wait until a register has a value; false if it does not come. */
static bool wait_reg(struct quill_host *h, uint64_t reg, uint32_t value)
{
	uint64_t end = now_ms() + 5000;

	while (qh_read(h, reg) != value) {
		if (now_ms() > end)
			return false;
		usleep(50);
	}
	return true;
}

/* ---- registers ---- */

static void identity_registers_tell_the_configuration(void **state)
{
	struct quill_host *h = make(false, 3);

	assert_int_equal(qh_read(h, QUILL_REG_ID), QUILL_ID);
	assert_int_equal(qh_read(h, QUILL_REG_VERSION), QUILL_HW_MAJOR << 16 | QUILL_HW_MINOR);
	assert_int_equal(qh_read(h, QUILL_REG_CAPS), 3 | 8 << 8 | QUILL_MAX_AS << 20);
	assert_int_equal(qh_read(h, QUILL_REG_MEM_SIZE_LO), 16 << 20);
	assert_int_equal(qh_read(h, QUILL_REG_MEM_SIZE_HI), 0);
	assert_int_equal(qh_read(h, QUILL_REG_SRAM_SIZE), 24 << 20);
	assert_int_equal(qh_read(h, QUILL_REG_CLOCK_KHZ), 1450000);
	assert_int_equal(qh_read(h, QUILL_REG_STATUS), 0);
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 0);
	qh_destroy(h);
}

static void unassigned_offsets_read_zero_and_ignore_writes(void **state)
{
	struct quill_host *h = make(false, 2);
	const uint64_t at[] = {
		0x28, 0x3c, 0x48, 0xffc, QUILL_REG_CORE(0) + 0x38, QUILL_REG_CORE(2),
		QUILL_REG_CORE(7) + QUILL_CORE_FW_SIZE, 0x3ffc, QUILL_REG_AS(0) + QUILL_AS_ROOT_LO,
		QUILL_REG_AS(0) + QUILL_AS_CTRL, QUILL_REG_AS(1) + 0x1c, QUILL_REG_AS(QUILL_MAX_AS),
		QUILL_BAR_REGS_SIZE - 4, QUILL_BAR_REGS_SIZE, 1ull << 40, UINT64_MAX - 3,
	};
	unsigned int i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		quill_emu_write(qh_emu(h), QUILL_BAR_REGS, at[i], UINT64_MAX, 4);
		assert_int_equal(read_sized(h, QUILL_BAR_REGS, at[i], 4), 0);
	}
	/* doorbells cannot be read; those of queues that are not there do nothing */
	for (i = 0; i < QUILL_BAR_DOORBELL_SIZE; i += 0x7fc) {
		quill_emu_write(qh_emu(h), QUILL_BAR_DOORBELL, i, 1, 4);
		assert_int_equal(read_sized(h, QUILL_BAR_DOORBELL, i, 4), 0);
	}
	qh_destroy(h);
}

static void read_only_registers_ignore_writes(void **state)
{
	struct quill_host *h = make(false, 1);
	const uint64_t at[] = {
		QUILL_REG_ID, QUILL_REG_VERSION, QUILL_REG_CAPS, QUILL_REG_CLOCK_KHZ,
		QUILL_REG_MEM_SIZE_LO, QUILL_REG_SRAM_SIZE, QUILL_REG_STATUS,
		QUILL_REG_RESET_COUNT, QUILL_REG_MMU_STATUS, CORE + QUILL_CORE_STATUS,
		CORE + QUILL_CORE_ERROR, CORE + QUILL_CORE_HEARTBEAT, CORE + QUILL_CORE_FW_VERSION,
		CORE + QUILL_CORE_PC, CORE + QUILL_CORE_INSN_LO,
		QUILL_REG_AS(1) + QUILL_AS_FAULT_COUNT,
	};
	unsigned int i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint32_t before = qh_read(h, at[i]);

		qh_write(h, at[i], ~before);
		assert_int_equal(qh_read(h, at[i]), before);
	}
	qh_destroy(h);
}

static void accesses_of_odd_size_read_ones_and_write_nothing(void **state)
{
	struct quill_host *h = make(false, 1);
	uint64_t at = CORE + QUILL_CORE_FW_SIZE;

	qh_write(h, at, 0x12345678);
	quill_emu_write(qh_emu(h), QUILL_BAR_REGS, at, 0, 1);
	quill_emu_write(qh_emu(h), QUILL_BAR_REGS, at, 0, 2);
	quill_emu_write(qh_emu(h), QUILL_BAR_REGS, at, 0, 8);
	quill_emu_write(qh_emu(h), QUILL_BAR_REGS, at + 2, 0, 4);
	assert_int_equal(qh_read(h, at), 0x12345678);
	assert_int_equal(read_sized(h, QUILL_BAR_REGS, 0, 1), 0xff);
	assert_int_equal(read_sized(h, QUILL_BAR_REGS, 0, 2), 0xffff);
	assert_true(read_sized(h, QUILL_BAR_REGS, 0, 8) == UINT64_MAX);
	assert_int_equal(read_sized(h, QUILL_BAR_REGS, 1, 4), 0xffffffff);
	assert_int_equal(read_sized(h, QUILL_BAR_DOORBELL, 0, 2), 0xffff);
	assert_int_equal(read_sized(h, QUILL_BAR_MEM, 0, 4), 0xffffffff);
	qh_destroy(h);
}

static void address_space_registers_keep_what_they_can_hold(void **state)
{
	struct quill_host *h = make(false, 1);
	uint64_t as = QUILL_REG_AS(63);

	qh_write(h, as + QUILL_AS_ROOT_LO, 0xffffffff);
	qh_write(h, as + QUILL_AS_ROOT_HI, 0xffffffff);
	qh_write(h, as + QUILL_AS_CTRL, 0xffffffff);
	assert_int_equal(qh_read(h, as + QUILL_AS_ROOT_LO), 0xfffff000);
	assert_int_equal(qh_read(h, as + QUILL_AS_ROOT_HI), 0x000fffff);
	assert_int_equal(qh_read(h, as + QUILL_AS_CTRL), QUILL_AS_CTRL_ENABLE);
	assert_int_equal(qh_read(h, QUILL_REG_AS(62) + QUILL_AS_CTRL), 0);
	qh_destroy(h);
}

/* ---- the boot ROM ---- */

struct image {
	struct quill_fw_header header;
	uint32_t code[16];
};

static void seal(struct image *image)
{
	image->header.payload_crc = crc32(0, (const void *)image->code, sizeof(image->code));
	image->header.header_crc = crc32(0, (const void *)&image->header,
					 offsetof(struct quill_fw_header, header_crc));
}

/* An image that sleeps for ever: wfi; j . - 4. */
static struct image good_image(void)
{
	struct image image = {
		.header = {
			.magic = QUILL_FW_MAGIC,
			.header_version = QUILL_FW_HEADER_VERSION,
			.header_size = sizeof(struct quill_fw_header),
			.hw_major = QUILL_HW_MAJOR,
			.hw_minor = QUILL_HW_MINOR,
			.abi_major = QUILL_FW_ABI_MAJOR,
			.payload_size = sizeof(image.code),
			.load_addr = QUILL_RV_TCM_BASE,
			.bss_size = 64,
			.entry = QUILL_RV_TCM_BASE,
		},
		.code = { 0x10500073, 0xffdff06f },
	};

	seal(&image);
	return image;
}

/* Start a core without waiting for what becomes of it. */
static void start(struct quill_host *h, const struct image *image, size_t size)
{
	struct quill_fw_boot args = qh_boot_args(h, 0);
	uint64_t bus = qh_ram_alloc(h, 8192, 4096);

	memcpy(qh_ram(h, bus), image, sizeof(*image));
	memcpy(qh_ram(h, bus + 4096), &args, sizeof(args));
	qh_write(h, CORE + QUILL_CORE_FW_ADDR_LO, bus);
	qh_write(h, CORE + QUILL_CORE_FW_ADDR_HI, bus >> 32);
	qh_write(h, CORE + QUILL_CORE_FW_SIZE, size);
	qh_write(h, CORE + QUILL_CORE_BOOT_ARGS_LO, bus + 4096);
	qh_write(h, CORE + QUILL_CORE_BOOT_ARGS_HI, (bus + 4096) >> 32);
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
}

static uint32_t boot_error(struct quill_host *h, const struct image *image, size_t size)
{
	struct quill_fw_boot args = qh_boot_args(h, 0);

	assert_int_equal(qh_boot(h, 0, &args, image, size), QUILL_CORE_BOOT_FAILED);
	return qh_read(h, CORE + QUILL_CORE_ERROR);
}

#define REFUSES(change, error)							\
	do {									\
		struct image i = good_image();					\
		change;								\
		seal(&i);							\
		assert_int_equal(boot_error(h, &i, sizeof(i)), error);		\
	} while (0)

static void boot_rom_names_what_is_wrong_with_an_image(void **state)
{
	struct quill_host *h = make(false, 1);
	const uint32_t end = QUILL_RV_TCM_BASE + QUILL_RV_TCM_SIZE;
	struct image image = good_image();

	assert_int_equal(boot_error(h, &image, sizeof(image.header) - 1), QUILL_BOOT_SIZE);
	assert_int_equal(boot_error(h, &image, sizeof(image) - 4), QUILL_BOOT_SIZE);
	REFUSES(i.header.magic++, QUILL_BOOT_MAGIC);
	REFUSES(i.header.header_version = 2, QUILL_BOOT_ABI);
	REFUSES(i.header.hw_major = 0, QUILL_BOOT_ABI);
	REFUSES(i.header.hw_major = QUILL_HW_MAJOR + 1, QUILL_BOOT_ABI);
	REFUSES(i.header.hw_minor = QUILL_HW_MINOR + 1, QUILL_BOOT_ABI);
	REFUSES(i.header.header_size = 68, QUILL_BOOT_SIZE);
	REFUSES(i.header.payload_size += 4, QUILL_BOOT_SIZE);
	REFUSES(i.header.load_addr -= 4, QUILL_BOOT_LAYOUT);
	REFUSES(i.header.load_addr += 2, QUILL_BOOT_LAYOUT);
	REFUSES(i.header.load_addr = end - 4, QUILL_BOOT_LAYOUT);
	REFUSES(i.header.bss_size = 0xffffffff, QUILL_BOOT_LAYOUT);
	REFUSES(i.header.entry++, QUILL_BOOT_LAYOUT);
	REFUSES(i.header.entry += sizeof(i.code), QUILL_BOOT_LAYOUT);
	REFUSES(i.header.entry -= 4, QUILL_BOOT_LAYOUT);

	image.header.reserved[0] ^= 1;
	assert_int_equal(boot_error(h, &image, sizeof(image)), QUILL_BOOT_HEADER_CRC);
	image = good_image();
	image.code[15] ^= 1;
	assert_int_equal(boot_error(h, &image, sizeof(image)), QUILL_BOOT_IMAGE_CRC);
	qh_destroy(h);
}

static void boot_rom_refuses_what_it_cannot_read_or_hold(void **state)
{
	struct quill_host *h = make(false, 1);
	struct image image = good_image();

	start(h, &image, QUILL_RV_TCM_SIZE + 1);
	assert_true(wait_reg(h, CORE + QUILL_CORE_STATUS, QUILL_CORE_BOOT_FAILED));
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_ERROR), QUILL_BOOT_SIZE);

	qh_write(h, CORE + QUILL_CORE_FW_SIZE, sizeof(image));
	qh_write(h, CORE + QUILL_CORE_BOOT_ARGS_HI, 0);
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	assert_true(wait_reg(h, CORE + QUILL_CORE_STATUS, QUILL_CORE_BOOT_FAILED));
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_ERROR), QUILL_BOOT_DMA);

	qh_write(h, CORE + QUILL_CORE_FW_ADDR_LO, 0xffffffff);
	qh_write(h, CORE + QUILL_CORE_FW_ADDR_HI, 0xffffffff);
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	assert_true(wait_reg(h, CORE + QUILL_CORE_STATUS, QUILL_CORE_BOOT_FAILED));
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_ERROR), QUILL_BOOT_DMA);
	qh_destroy(h);
}

static void fatal_trap_is_reported_as_panic_with_its_cause(void **state)
{
	struct quill_host *h = make(false, 1);
	struct quill_fw_boot args = qh_boot_args(h, 0);
	struct image image = good_image();

	/* an instruction that does not exist, and no handler */
	image.code[0] = 0;
	seal(&image);
	assert_int_equal(qh_boot(h, 0, &args, &image, sizeof(image)), QUILL_CORE_PANIC);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_ERROR), CORE_ERROR_TRAP | 2);
	assert_int_equal(qh_msix_count(h, QUILL_VECTOR_ADMIN), 1);
	/* the core can be started again */
	image = good_image();
	start(h, &image, sizeof(image));
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_STATUS), QUILL_CORE_BOOTING);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_ERROR), 0);
	qh_destroy(h);
}

static void firmware_that_never_sleeps_can_be_stopped(void **state)
{
	struct quill_host *h = make(false, 1);
	struct image image = good_image();
	uint64_t end = now_ms() + 5000;
	uint32_t insn;

	image.code[0] = 0x0000006f;	/* j . */
	seal(&image);
	start(h, &image, sizeof(image));
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_STATUS), QUILL_CORE_BOOTING);
	while (qh_read(h, CORE + QUILL_CORE_INSN_LO) <= 1000 && now_ms() < end)
		usleep(1000);
	assert_true(qh_read(h, CORE + QUILL_CORE_INSN_LO) > 1000);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_PC), QUILL_RV_TCM_BASE);
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	assert_true(wait_reg(h, CORE + QUILL_CORE_STATUS, QUILL_CORE_OFF));
	insn = qh_read(h, CORE + QUILL_CORE_INSN_LO);
	usleep(5000);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_INSN_LO), insn);
	qh_destroy(h);
}

/* ---- configuration ---- */

static void *no_map(void *opaque, uint64_t addr, uint64_t *len, bool write)
{
	return NULL;
}

static void no_unmap(void *opaque, void *ptr, uint64_t len, bool write, uint64_t written)
{
}

static void no_msix(void *opaque, unsigned int vector)
{
}

static void expect_refusal(struct quill_emu_config config, const char *found)
{
	const struct quill_emu_ops ops = {
		.dma_map = no_map, .dma_unmap = no_unmap, .msix = no_msix,
	};
	char err[200] = "";

	assert_null(quill_emu_create(&config, &ops, NULL, err, sizeof(err)));
	if (!strstr(err, found) || !strstr(err, "required"))
		fail_msg("error \"%s\", expected it to say \"%s\" and what is required", err, found);
}

static void bad_configurations_are_refused_with_what_was_found(void **state)
{
	const struct quill_emu_config good = { .mem = 1 << 20, .cores = 1, .queues = 4 };
	struct quill_emu_config c;

	c = good, c.mem = 0, expect_refusal(c, "mem: found 0");
	c = good, c.mem = 3 << 20, expect_refusal(c, "mem: found 3145728");
	c = good, c.mem = 1ull << 63, expect_refusal(c, "mem: found");
	c = good, c.cores = 0, expect_refusal(c, "cores: found 0");
	c = good, c.cores = 9, c.queues = 9, expect_refusal(c, "cores: found 9");
	c = good, c.cores = 5, expect_refusal(c, "queues: found 4");
	c = good, c.queues = 257, expect_refusal(c, "queues: found 257");
	c = good, c.threads = 65, expect_refusal(c, "threads: found 65");
	c = good, c.profile = "tpu", expect_refusal(c, "profile: found \"tpu\"");
	c = good, c.kernels = "mmx", expect_refusal(c, "kernels: found \"mmx\"");
	c = good, c.inject = "all", expect_refusal(c, "inject: found \"all\"");
	c = good, c.inject = "slow+", expect_refusal(c, "inject: found \"\"");
	c = good, c.inject = "slow:0", expect_refusal(c, "inject: found \"slow:0\"");
	c = good, c.inject = "slow:65536", expect_refusal(c, "inject: found \"slow:65536\"");
}

/* ---- reset ---- */

struct job {
	uint32_t as;
	struct qh_buf *buf;
	struct qh_stream stream;
};

/* A stream that jumps back to its copy never ends, and keeps processor and DMA engine at work. */
static void start_endless_job(struct quill_host *h, struct job *job)
{
	job->as = qh_as_create(h);
	job->buf = qh_alloc(h, job->as, 4 << 20, QH_RW);
	assert_int_equal(qh_queue_create(h, 0, job->as, QUILL_FW_PRIORITY_MEDIUM, 4), 0);
	qh_stream_init(&job->stream, h, job->as, 8);
	qh_copy(&job->stream, job->buf->va, job->buf->va + (2 << 20), 1 << 20);
	qh_jump(&job->stream, 0);
	qh_submit_stream(h, 0, &job->stream);
	usleep(3000);
}

static void reset_while_busy_leaves_nothing_behind(void **state)
{
	struct quill_host *h = make(true, 1);
	struct job job;
	unsigned int i;

	start_endless_job(h, &job);
	quill_emu_reset(qh_emu(h));
	assert_int_equal(qh_dma_maps(h), 0);
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 1);
	assert_int_equal(qh_read(h, QUILL_REG_STATUS), 0);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_STATUS), QUILL_CORE_OFF);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_FW_SIZE), 0);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_HEARTBEAT), 0);
	assert_int_equal(qh_read(h, QUILL_REG_AS(job.as) + QUILL_AS_CTRL), 0);
	assert_int_equal(qh_read(h, QUILL_REG_AS(job.as) + QUILL_AS_ROOT_LO), 0);
	for (i = 0; i < 3; i++)
		quill_emu_reset(qh_emu(h));
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 4);
	qh_destroy(h);
}

static void device_works_again_after_a_reset_while_busy(void **state)
{
	struct quill_host *h = make(true, 1);
	struct quill_fw_boot args;
	struct quill_job_cpl cpl;
	struct qh_stream s;
	struct job job;
	const void *image;
	size_t size;
	uint32_t as;

	start_endless_job(h, &job);
	qh_write(h, QUILL_REG_CONTROL, QUILL_CONTROL_RESET);
	assert_true(wait_reg(h, QUILL_REG_STATUS, 0));
	assert_int_equal(qh_read(h, QUILL_REG_CONTROL), 0);
	args = qh_boot_args(h, 0);
	image = qh_image(h, &size);
	assert_int_equal(qh_boot(h, 0, &args, image, size), QUILL_CORE_READY);
	as = qh_as_create(h);
	assert_int_equal(qh_queue_create(h, 1, as, QUILL_FW_PRIORITY_HIGH, 4), 0);
	qh_stream_init(&s, h, as, 8);
	qh_nop(&s);
	cpl = qh_run(h, 1, &s);
	assert_int_equal(cpl.status, 0);
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 1);
	qh_destroy(h);
}

static void reset_keeps_device_memory(void **state)
{
	struct quill_host *h = make(true, 1);
	uint8_t *mem = quill_emu_mem(qh_emu(h));

	mem[0] = 1;
	mem[(16 << 20) - 1] = 2;
	quill_emu_reset(qh_emu(h));
	assert_int_equal(mem[0], 1);
	assert_int_equal(mem[(16 << 20) - 1], 2);
	qh_destroy(h);
}

/* Play a control processor that does not stop, or that has. */
static void pretend_active(struct core *core, bool active)
{
	pthread_mutex_lock(&core->lock);
	core->active = active;
	pthread_cond_broadcast(&core->idle);
	pthread_mutex_unlock(&core->lock);
}

static void reset_register_returns_before_the_reset_is_done(void **state)
{
	struct quill_host *h = make(false, 1);
	struct core *core = &qh_emu(h)->core[0];

	pretend_active(core, true);
	/* a write that waited would hang */
	alarm(20);
	qh_write(h, QUILL_REG_CONTROL, QUILL_CONTROL_RESET);
	usleep(5000);
	assert_int_equal(qh_read(h, QUILL_REG_STATUS), QUILL_STATUS_RESETTING);
	assert_int_equal(qh_read(h, QUILL_REG_CONTROL), QUILL_CONTROL_RESET);
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 0);
	/* forgotten: a reset is under way */
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	pretend_active(core, false);
	assert_true(wait_reg(h, QUILL_REG_STATUS, 0));
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 1);
	assert_int_equal(qh_read(h, CORE + QUILL_CORE_STATUS), QUILL_CORE_OFF);
	qh_write(h, QUILL_REG_CONTROL, ~QUILL_CONTROL_RESET);
	assert_int_equal(qh_read(h, QUILL_REG_STATUS), 0);

	/* likewise the stop of a core */
	pretend_active(core, true);
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	pretend_active(core, false);
	alarm(0);
	qh_destroy(h);
}

static void stopped_core_counts_as_a_reset_and_spares_the_others(void **state)
{
	struct quill_host *h = make(true, 2);
	struct quill_job_cpl cpl;
	struct qh_stream s;
	struct job job;

	start_endless_job(h, &job);
	assert_int_equal(qh_queue_create(h, 1, job.as, QUILL_FW_PRIORITY_MEDIUM, 4), 0);
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	assert_true(wait_reg(h, CORE + QUILL_CORE_STATUS, QUILL_CORE_OFF));
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 1);
	qh_stream_init(&s, h, job.as, 8);
	qh_fill(&s, job.buf->va, 4, 0x01020304, 1 << 16);
	cpl = qh_run(h, 1, &s);
	assert_int_equal(cpl.status, 0);
	/* stopping what is off is no reset */
	qh_write(h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	usleep(5000);
	assert_int_equal(qh_read(h, QUILL_REG_RESET_COUNT), 1);
	qh_destroy(h);
}

static void destroy_while_busy_ends(void **state)
{
	unsigned int round;
	struct job job;

	for (round = 0; round < 5; round++) {
		struct quill_host *h = make(true, 1 + round % 2);

		start_endless_job(h, &job);
		/* also checks that no mapping is left */
		qh_destroy(h);
	}
}

static void two_devices_in_a_process_are_independent(void **state)
{
	struct quill_host *a = make(true, 1), *b = make(true, 1);
	struct quill_job_cpl cpl;
	struct qh_buf *buf_a, *buf_b;
	struct qh_stream s;
	uint32_t as;
	struct job job;

	start_endless_job(a, &job);
	as = qh_as_create(b);
	buf_a = job.buf;
	buf_b = qh_alloc_at(b, as, buf_a->va, 4096, QH_RW);
	assert_int_equal(qh_queue_create(b, 0, as, QUILL_FW_PRIORITY_MEDIUM, 4), 0);
	qh_stream_init(&s, b, as, 8);
	qh_fill(&s, buf_b->va, 1, 0x5a, 4096);
	cpl = qh_run(b, 0, &s);
	assert_int_equal(cpl.status, 0);
	assert_int_equal(buf_b->ptr[0], 0x5a);
	quill_emu_reset(qh_emu(a));
	assert_int_equal(buf_a->ptr[0], 0);
	assert_int_equal(qh_read(b, QUILL_REG_RESET_COUNT), 0);
	assert_int_equal(qh_read(b, CORE + QUILL_CORE_STATUS), QUILL_CORE_READY);
	cpl = qh_run(b, 0, &s);
	assert_int_equal(cpl.status, 0);
	qh_destroy(a);
	cpl = qh_run(b, 0, &s);
	assert_int_equal(cpl.status, 0);
	qh_destroy(b);
}

/* ---- what guests do ---- */

static void any_value_in_any_register_is_survived(void **state)
{
	struct quill_host *h = make(true, 2);
	struct quill_emu *emu = qh_emu(h);
	uint64_t x = 88172645463325252ull;
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		/* mostly where registers are; a reset only now and then, or nothing else would happen */
		uint64_t at = x % 3 ? 0x1000 + (x >> 20) % 0x200 / 4 * 4 : (x >> 20) % 0x5000;

		if (at == QUILL_REG_CONTROL && x >> 60)
			continue;
		if (x >> 62)
			quill_emu_write(emu, x >> 62 == 1 ? 2 : 0, at, x >> 8, 4);
		else
			quill_emu_read(emu, 0, at, 4);
	}
	quill_emu_reset(emu);
	assert_int_equal(qh_read(h, QUILL_REG_STATUS), 0);
	assert_int_equal(qh_dma_maps(h), 0);
	qh_destroy(h);
}

static uint64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000ull + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static void idle_device_costs_no_processor_time(void **state)
{
	struct quill_host *h = make(true, 2);
	struct quill_job_cpl cpl;
	struct qh_stream s;
	uint64_t before;
	uint32_t as;

	as = qh_as_create(h);
	assert_int_equal(qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 4), 0);
	qh_stream_init(&s, h, as, 8);
	qh_nop(&s);
	cpl = qh_run(h, 0, &s);
	assert_int_equal(cpl.status, 0);
	usleep(50000);
	before = cpu_us();
	usleep(400000);
	/* half a percent, of which the test's own sleep takes some */
	assert_in_range(cpu_us() - before, 0, 2000);
	qh_destroy(h);
}

static void heartbeat_grows_while_a_job_runs(void **state)
{
	struct quill_host *h = make(true, 1);
	struct job job;
	uint32_t before;

	start_endless_job(h, &job);
	before = qh_read(h, CORE + QUILL_CORE_HEARTBEAT);
	usleep(100000);
	assert_int_not_equal(qh_read(h, CORE + QUILL_CORE_HEARTBEAT), before);
	qh_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_registers_tell_the_configuration),
		cmocka_unit_test(unassigned_offsets_read_zero_and_ignore_writes),
		cmocka_unit_test(read_only_registers_ignore_writes),
		cmocka_unit_test(accesses_of_odd_size_read_ones_and_write_nothing),
		cmocka_unit_test(address_space_registers_keep_what_they_can_hold),
		cmocka_unit_test(boot_rom_names_what_is_wrong_with_an_image),
		cmocka_unit_test(boot_rom_refuses_what_it_cannot_read_or_hold),
		cmocka_unit_test(fatal_trap_is_reported_as_panic_with_its_cause),
		cmocka_unit_test(firmware_that_never_sleeps_can_be_stopped),
		cmocka_unit_test(bad_configurations_are_refused_with_what_was_found),
		cmocka_unit_test(reset_while_busy_leaves_nothing_behind),
		cmocka_unit_test(device_works_again_after_a_reset_while_busy),
		cmocka_unit_test(reset_keeps_device_memory),
		cmocka_unit_test(reset_register_returns_before_the_reset_is_done),
		cmocka_unit_test(stopped_core_counts_as_a_reset_and_spares_the_others),
		cmocka_unit_test(destroy_while_busy_ends),
		cmocka_unit_test(two_devices_in_a_process_are_independent),
		cmocka_unit_test(any_value_in_any_register_is_survived),
		cmocka_unit_test(idle_device_costs_no_processor_time),
		cmocka_unit_test(heartbeat_grows_while_a_job_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
