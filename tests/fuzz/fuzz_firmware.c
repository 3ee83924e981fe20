// SPDX-License-Identifier: MIT
/*
 * Arbitrary firmware: a header that may be wrong, and behind it any program.
 *
 * The device survives whatever its control processor does: it can be stopped at any moment, holds no host memory
 * then, and boots the real firmware, which runs a job. (A program may write all of the host's memory: address
 * space 0 is the firmware's. So memory is put back as it was after each input.)
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core.h"
#include "fuzz.h"
#include "host_internal.h"
#include "rv32_script.h"
#include "stream.h"

#define PAGE		QUILL_PAGE_SIZE
#define RAM_SIZE	(1u << 20)
#define ENTRIES		16u
#define CORE		QUILL_REG_CORE(0)
/* A program may run so long; and stopping it may take so long, with sanitizers, on a busy host. */
#define RUN_US		100u
#define STOP_MS		10000u

/* The first byte of an input. */
enum {
	MODE_RAW,	/* the rest is the payload */
	MODE_SCRIPT,	/* it is a script */
	MODE_PATCH,	/* it changes bytes of the real firmware, which then has a job to run */
	MODE_HEADER,	/* a script behind a header that is changed and keeps its mistakes */
};

static struct {
	struct quill_host *h;
	uint32_t as;
	uint64_t root, args, stream, ring, cpl;
	uint8_t *ram, *saved;
	struct quill_fw_header header;
} f;

static uint32_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void write64(uint64_t reg, uint64_t value)
{
	qh_write(f.h, reg, value);
	qh_write(f.h, reg + 4, value >> 32);
}

static uint32_t status(void)
{
	return qh_read(f.h, CORE + QUILL_CORE_STATUS);
}

static void start_core(size_t size)
{
	write64(QUILL_REG_AS(f.as) + QUILL_AS_ROOT_LO, f.root);
	qh_write(f.h, QUILL_REG_AS(f.as) + QUILL_AS_CTRL, QUILL_AS_CTRL_ENABLE);
	qh_invalidate(f.h, f.as);
	write64(CORE + QUILL_CORE_FW_ADDR_LO, f.h->image_bus);
	qh_write(f.h, CORE + QUILL_CORE_FW_SIZE, size);
	write64(CORE + QUILL_CORE_BOOT_ARGS_LO, f.args);
	qh_write(f.h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
}

static void stop_core(void)
{
	uint32_t began = now_ms();

	qh_write(f.h, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	while (status() != QUILL_CORE_OFF) {
		fuzz_expect(now_ms() - began < STOP_MS, "STOP: status %u after %u ms, expected 0",
			    status(), STOP_MS);
		usleep(20);
	}
	fuzz_expect(!qh_dma_maps(f.h), "%ld DMA mappings after STOP", qh_dma_maps(f.h));
}

/* A space with some memory, a stream of one COPY, and rings for one queue. */
static void start(void)
{
	const struct quill_host_config config = {
		.emu = { .mem = 1 << 20, .queues = 1, .threads = 2 },
		.ram = RAM_SIZE,
		.no_boot = true,
	};
	struct quill_fw_boot args;
	struct qh_stream s;

	f.h = qh_create(&config);
	f.as = qh_as_create(f.h);
	f.root = qh_read(f.h, QUILL_REG_AS(f.as) + QUILL_AS_ROOT_LO) | QH_RAM_BASE;
	qh_map(f.h, f.as, VA_RW, qh_ram_alloc(f.h, SIZE_RW, PAGE), SIZE_RW, QH_RW);
	qh_stream_init(&s, f.h, f.as, 4);
	qh_copy(&s, VA_RW, VA_RW + PAGE, PAGE);
	f.stream = s.buf->va;
	f.ring = qh_ram_alloc(f.h, ENTRIES * sizeof(struct quill_job_desc), 64);
	f.cpl = qh_ram_alloc(f.h, ENTRIES * sizeof(struct quill_job_cpl), 64);
	args = qh_boot_args(f.h, 0);
	f.args = qh_ram_alloc(f.h, sizeof(args), 64);
	memcpy(qh_ram(f.h, f.args), &args, sizeof(args));
	f.h->cores[0].args = args;
	memcpy(&f.header, f.h->image, sizeof(f.header));

	f.ram = qh_ram(f.h, QH_RAM_BASE);
	f.saved = malloc(RAM_SIZE);
	fuzz_expect(f.saved, "no memory");
	memcpy(f.saved, f.ram, RAM_SIZE);
}

/* A queue and a job for it, asked of the firmware that is to boot. */
static void ask_for_job(void)
{
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_CREATE, .seq = 1, .as = f.as, .vector = 1, .ring = f.ring,
		.cpl = f.cpl, .entries = ENTRIES,
	};
	struct quill_job_desc desc = { .stream = f.stream, .size = QUILL_CMD_SIZE };

	memcpy(qh_ram(f.h, f.h->cores[0].args.admin_ring), &msg, sizeof(msg));
	memcpy(qh_ram(f.h, f.ring), &desc, sizeof(desc));
	qh_write(f.h, CORE + QUILL_CORE_ADMIN_DB, 1);
}

static void ring_doorbell(void)
{
	quill_emu_write(f.h->emu, QUILL_BAR_DOORBELL, QUILL_DOORBELL(0), 1, 4);
}

/* ---- images ---- */

static void set_crcs(uint8_t *image, size_t size)
{
	struct quill_fw_header *h = (struct quill_fw_header *)image;

	h->payload_crc = boot_crc32(image + sizeof(*h), size - sizeof(*h));
	h->header_crc = boot_crc32(h, offsetof(struct quill_fw_header, header_crc));
}

/* Flip bits of up to @n bytes. */
static void patch(struct fuzz_in *in, uint32_t n, uint8_t *bytes, size_t size)
{
	size_t at;

	for (; n && in->left; n--) {
		at = fuzz_u16(in) % size;
		bytes[at] ^= fuzz_u8(in);
	}
}

/* What is right, what is just not, what is at an edge of local memory, or anything. */
static uint32_t make_field(struct fuzz_in *in, uint32_t right, uint32_t edge)
{
	uint8_t how = fuzz_u8(in);

	switch (how % 4) {
	case 0:
		return right;
	case 1:
		return right + how / 4 % 16 - 8;
	case 2:
		return edge + how / 4 % 16 * 4 - 32;
	default:
		return fuzz_u32(in);
	}
}

/* Where the program goes, and what is cleared behind it: mistakes that no CRC finds. */
static void make_layout(struct fuzz_in *in, struct quill_fw_header *h, size_t size)
{
	const uint32_t end = QUILL_RV_TCM_BASE + QUILL_RV_TCM_SIZE;

	h->load_addr = make_field(in, QUILL_RV_TCM_BASE, end - size);
	h->entry = make_field(in, h->load_addr, h->load_addr + size);
	h->bss_size = make_field(in, 0, end - size - h->load_addr);
	h->payload_size = make_field(in, size, QUILL_RV_TCM_SIZE);
}

/* The image for @mode, where the boot ROM will find it; its size. */
static size_t make_image(struct fuzz_in *in, uint32_t mode)
{
	uint8_t *image = qh_ram(f.h, f.h->image_bus), *payload = image + sizeof(f.header);
	struct quill_fw_header *h = (struct quill_fw_header *)image;
	uint8_t how = 0;
	size_t size;

	if (mode == MODE_PATCH) {
		memcpy(image, f.h->image, f.h->image_size);
		patch(in, 32, payload, f.h->image_size - sizeof(f.header));
		set_crcs(image, f.h->image_size);
		return f.h->image_size;
	}
	*h = f.header;
	h->load_addr = QUILL_RV_TCM_BASE;
	h->entry = QUILL_RV_TCM_BASE;
	h->bss_size = 0;
	if (mode == MODE_HEADER) {
		how = fuzz_u8(in);
		make_layout(in, h, SCRIPT_SIZE);
	}
	size = SCRIPT_SIZE;
	if (mode == MODE_RAW) {
		size = in->left < 4096 ? in->left : 4096;
		memcpy(payload, in->p, size);
	} else {
		script_compile(in, payload);
	}
	if (mode != MODE_HEADER)
		h->payload_size = size;
	set_crcs(image, sizeof(*h) + size);
	/* mistakes that they do find */
	if (how & 1)
		patch(in, how / 2 % 4, image, sizeof(*h));
	if (how & 0x80)
		set_crcs(image, sizeof(*h) + size);
	return sizeof(*h) + size;
}

/* ---- a run ---- */

/* Let it run for a while, or until it is dead. */
static void run(uint32_t mode, uint32_t slices)
{
	uint32_t i;

	for (i = 0; i <= slices; i++) {
		if (status() == QUILL_CORE_PANIC || status() == QUILL_CORE_BOOT_FAILED)
			return;
		if (mode == MODE_PATCH && i == 1)
			ask_for_job();
		if (mode == MODE_PATCH && i == 2)
			ring_doorbell();
		usleep(RUN_US);
	}
}

static void check_boot(void)
{
	struct quill_job_cpl *cpl = qh_ram(f.h, f.cpl);
	struct quill_admin_cpl *answer = qh_ram(f.h, f.h->cores[0].args.admin_cpl);
	uint32_t tries;

	memcpy(qh_ram(f.h, f.h->image_bus), f.h->image, f.h->image_size);
	start_core(f.h->image_size);
	for (tries = 0; status() != QUILL_CORE_READY; tries++) {
		fuzz_expect(tries < 1000000 / 20 * 10, "the real firmware does not boot: status %u",
			    status());
		usleep(20);
	}
	ask_for_job();
	fuzz_expect(qh_wait_word(f.h, &answer->seq, 1, QH_TIMEOUT_MS) && !answer->status,
		    "QUEUE_CREATE fails on the real firmware");
	ring_doorbell();
	fuzz_expect(qh_wait_word(f.h, &cpl->seq, 1, QH_TIMEOUT_MS) && !cpl->status,
		    "a job fails on the real firmware: fault %u", cpl->status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint8_t head = fuzz_u8(&in);
	uint32_t mode = head % 4;

	if (size < 2)
		return 0;
	if (!f.h)
		start();
	start_core(make_image(&in, mode));
	run(mode, mode == MODE_PATCH ? 6 : head / 4 % 8);
	stop_core();
	memcpy(f.ram, f.saved, RAM_SIZE);
	check_boot();
	stop_core();
	memcpy(f.ram, f.saved, RAM_SIZE);
	return 0;
}
