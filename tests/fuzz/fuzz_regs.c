// SPDX-License-Identifier: MIT
/*
 * Arbitrary accesses to BAR0 and BAR2, of all sizes, while the device boots, works, stops and is reset.
 *
 * Whatever was written: no access waits, a reset leaves no mapping of host memory and every core off, and then a proper
 * boot leads to a device that runs a job. Every sixteenth kind of input ends by destroying the device as it is.
 */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "host_internal.h"

#define PAGE		QUILL_PAGE_SIZE
#define CORES		2u
#define QUEUES		4u
#define ENTRIES		16u
#define STREAMS		5u
#define MAX_OPS		16u
#define BYTES		(8u << 20)

static struct {
	struct quill_host *h;
	uint32_t as;
	uint64_t root;
	struct qh_stream stream[STREAMS];
	struct quill_fw_boot args[CORES];
	uint64_t args_bus[CORES];
	uint64_t ring[QUEUES], cpl[QUEUES];
	/* what this program has put into the rings */
	uint32_t admin_tail[CORES], tail[QUEUES];
} f;

/* ---- a device, and work for it ---- */

/* Every kind of being busy: decoding for ever, moving memory, multiplying, waiting for nothing, a short job. */
static void make_streams(void)
{
	struct qh_buf *b = qh_alloc(f.h, f.as, 4 * PAGE, QH_RW);
	uint32_t i;

	for (i = 0; i < STREAMS; i++)
		qh_stream_init(&f.stream[i], f.h, f.as, 16);
	qh_nop(&f.stream[0]);
	qh_jump(&f.stream[0], 0);
	qh_fill(&f.stream[1], QUILL_VA_SRAM, 4, 7, BYTES);
	qh_copy(&f.stream[1], QUILL_VA_SRAM + BYTES, QUILL_VA_SRAM, BYTES);
	qh_jump(&f.stream[1], 0);
	qh_gemm(&f.stream[2], QUILL_VA_SRAM, QUILL_VA_SRAM + BYTES, QUILL_VA_SRAM + 2 * BYTES, 512,
		512, 2048);
	qh_fill(&f.stream[2], b->va, 4, 1, b->size);
	qh_jump(&f.stream[2], 0);
	qh_wait_sem(qh_fill(&f.stream[3], b->va, 4, 1, PAGE), 1, 1);
	qh_copy(&f.stream[4], b->va, b->va + PAGE, PAGE);
}

static void start(void)
{
	const struct quill_host_config config = {
		.emu = { .mem = 1 << 20, .cores = CORES, .queues = QUEUES, .threads = 2 },
		.ram = 64 << 20,
		.no_boot = true,
	};
	uint32_t i;

	f.h = qh_create(&config);
	f.as = qh_as_create(f.h);
	f.root = qh_read(f.h, QUILL_REG_AS(f.as) + QUILL_AS_ROOT_LO) |
		 (uint64_t)qh_read(f.h, QUILL_REG_AS(f.as) + QUILL_AS_ROOT_HI) << 32;
	make_streams();
	for (i = 0; i < CORES; i++) {
		f.args[i] = qh_boot_args(f.h, i);
		f.args_bus[i] = qh_ram_alloc(f.h, sizeof(f.args[i]), 64);
		memcpy(qh_ram(f.h, f.args_bus[i]), &f.args[i], sizeof(f.args[i]));
	}
	for (i = 0; i < QUEUES; i++) {
		f.ring[i] = qh_ram_alloc(f.h, ENTRIES * sizeof(struct quill_job_desc), 64);
		f.cpl[i] = qh_ram_alloc(f.h, ENTRIES * sizeof(struct quill_job_cpl), 64);
	}
	memcpy(qh_ram(f.h, f.h->image_bus), f.h->image, f.h->image_size);
}

static void clear_rings(void)
{
	uint32_t i;

	for (i = 0; i < CORES; i++) {
		memset(qh_ram(f.h, f.args[i].admin_ring), 0,
		       f.args[i].admin_entries * sizeof(struct quill_admin_msg));
		memset(qh_ram(f.h, f.args[i].admin_cpl), 0,
		       f.args[i].admin_entries * sizeof(struct quill_admin_cpl));
		f.admin_tail[i] = 0;
	}
	for (i = 0; i < QUEUES; i++) {
		memset(qh_ram(f.h, f.cpl[i]), 0, ENTRIES * sizeof(struct quill_job_cpl));
		f.tail[i] = 0;
	}
}

static void write64(uint64_t reg, uint64_t value)
{
	qh_write(f.h, reg, value);
	qh_write(f.h, reg + 4, value >> 32);
}

static void enable_space(void)
{
	write64(QUILL_REG_AS(f.as) + QUILL_AS_ROOT_LO, f.root);
	qh_write(f.h, QUILL_REG_AS(f.as) + QUILL_AS_CTRL, QUILL_AS_CTRL_ENABLE);
}

/* ---- what an input does ---- */

static void start_core(uint32_t core)
{
	uint64_t base = QUILL_REG_CORE(core);

	write64(base + QUILL_CORE_FW_ADDR_LO, f.h->image_bus);
	qh_write(f.h, base + QUILL_CORE_FW_SIZE, f.h->image_size);
	write64(base + QUILL_CORE_BOOT_ARGS_LO, f.args_bus[core]);
	qh_write(f.h, base + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	f.admin_tail[core] = 0;
}

/* Until the boot is over, but not for ever: the input may have broken it. */
static void wait_ready(uint32_t core)
{
	unsigned int tries;

	for (tries = 0; tries < 12; tries++) {
		if (qh_read(f.h, QUILL_REG_CORE(core) + QUILL_CORE_STATUS) != QUILL_CORE_BOOTING)
			return;
		usleep(50);
	}
}

static struct quill_admin_msg create_message(uint32_t q)
{
	return (struct quill_admin_msg){
		.op = QUILL_ADMIN_QUEUE_CREATE, .queue = q, .as = f.as, .vector = 1 + q,
		.priority = q % QUILL_FW_PRIORITY_COUNT, .ring = f.ring[q], .cpl = f.cpl[q],
		.entries = ENTRIES,
	};
}

static void send_admin(uint32_t op, uint32_t q)
{
	uint32_t core = q % CORES, at = f.admin_tail[core]++ % f.args[core].admin_entries;
	struct quill_admin_msg *slot = qh_ram(f.h, f.args[core].admin_ring), msg = { .op = op };

	if (op == QUILL_ADMIN_QUEUE_CREATE)
		msg = create_message(q);
	else if (op != QUILL_ADMIN_PING)
		msg.queue = q;
	msg.seq = f.admin_tail[core];
	slot[at] = msg;
	qh_write(f.h, QUILL_REG_CORE(core) + QUILL_CORE_ADMIN_DB, f.admin_tail[core]);
}

static void post(uint32_t q, const struct qh_stream *s)
{
	struct quill_job_desc *ring = qh_ram(f.h, f.ring[q]);

	ring[f.tail[q]++ % ENTRIES] = (struct quill_job_desc){
		.stream = s->buf->va, .size = s->count * QUILL_CMD_SIZE, .job = f.tail[q],
	};
	quill_emu_write(f.h->emu, QUILL_BAR_DOORBELL, QUILL_DOORBELL(q), f.tail[q], 4);
}

/* A register that exists. */
static uint64_t known_register(struct fuzz_in *in)
{
	uint8_t n = fuzz_u8(in), which = fuzz_u8(in);

	if (n < 0x40)
		return which % 0x13 * 4;
	if (n < 0xa0)
		return QUILL_REG_CORE(n % (CORES + 1)) + which % 14 * 4;
	return QUILL_REG_AS(n % 3 ? f.as : n % QUILL_MAX_AS) + which % 8 * 4;
}

static uint64_t known_value(struct fuzz_in *in)
{
	uint8_t n = fuzz_u8(in);

	switch (n % 8) {
	case 0:
		return fuzz_u32(in);
	case 1:
		return f.root;
	case 2:
		return f.h->image_bus + n / 8 * 4096u;
	case 3:
		return f.args_bus[n / 8 % CORES];
	case 4:
		return f.h->image_size - n / 8;
	case 5:
		return ~0ull << n / 8;
	case 6:
		return 1ull << n / 8;
	default:
		return n / 8;
	}
}

static void raw_access(struct fuzz_in *in, bool write)
{
	static const uint8_t bars[] = { QUILL_BAR_REGS, QUILL_BAR_DOORBELL, QUILL_BAR_MEM, 1 };
	uint8_t how = fuzz_u8(in);
	uint64_t at = fuzz_u32(in) & (how & 0x80 ? ~0u : 0xffff);
	unsigned int size = 1u << (how >> 2 & 3);
	uint64_t value;

	if (write) {
		value = fuzz_u64(in);
		quill_emu_write(f.h->emu, bars[how & 3], at, value, size);
		return;
	}
	value = quill_emu_read(f.h->emu, bars[how & 3], at, size);
	fuzz_expect(size == 8 || !(value >> size * 8), "a read of %u bytes gives %#llx", size,
		    (unsigned long long)value);
}

static void one_op(struct fuzz_in *in)
{
	uint8_t op = fuzz_u8(in), n = op >> 4;
	uint64_t reg;

	switch (op & 15) {
	case 0:
	case 1:
		raw_access(in, op & 1);
		break;
	case 2:
		qh_read(f.h, known_register(in));
		break;
	case 3:
	case 4:
		reg = known_register(in);
		qh_write(f.h, reg, known_value(in));
		break;
	case 5:
		start_core(n % CORES);
		break;
	case 6:
		start_core(n % CORES);
		enable_space();
		wait_ready(n % CORES);
		send_admin(QUILL_ADMIN_QUEUE_CREATE, n % QUEUES);
		break;
	case 7:
		wait_ready(n % CORES);
		break;
	case 8:
		send_admin(1 + n / 4, n % QUEUES);
		break;
	case 9:
	case 10:
		post(n % QUEUES, &f.stream[(n / 4 + (op & 1) * 2) % STREAMS]);
		break;
	case 11:
		usleep(n * 16);
		break;
	case 12:
		qh_write(f.h, QUILL_REG_CORE(n % CORES) + QUILL_CORE_CTRL, n / 2);
		break;
	case 13:
		qh_write(f.h, QUILL_REG_CONTROL, n);
		break;
	case 14:
		/* n of 15: a queue that is not there, far away maybe, or its doorbell not quite */
		reg = n < 15 ? QUILL_DOORBELL(n) : (uint64_t)fuzz_u16(in) << (fuzz_u8(in) % 32);
		quill_emu_write(f.h->emu, QUILL_BAR_DOORBELL, reg, fuzz_u8(in), 4);
		break;
	default:
		if (n & 1)
			quill_emu_reset(f.h->emu);
		else
			enable_space();
		break;
	}
}

/* ---- afterwards ---- */

static void check_reset(void)
{
	uint64_t reg;
	uint32_t i;

	quill_emu_reset(f.h->emu);
	fuzz_expect(!qh_dma_maps(f.h), "%ld DMA mappings after a reset", qh_dma_maps(f.h));
	fuzz_expect(!qh_read(f.h, QUILL_REG_STATUS), "RESETTING shows after a reset");
	for (i = 0; i < CORES; i++)
		fuzz_expect(qh_read(f.h, QUILL_REG_CORE(i) + QUILL_CORE_STATUS) == QUILL_CORE_OFF,
			    "core %u is not off after a reset", i);
	for (i = 1; i < QUILL_MAX_AS; i++)
		for (reg = QUILL_REG_AS(i); reg <= QUILL_REG_AS(i) + QUILL_AS_FAULT_COUNT; reg += 4)
			fuzz_expect(!qh_read(f.h, reg), "register %#llx is %#x after a reset",
				    (unsigned long long)reg, qh_read(f.h, reg));
}

static void check_boot(uint32_t core)
{
	struct quill_admin_msg msg = create_message(core);
	struct quill_admin_cpl answer;
	struct quill_job_cpl *cpl = qh_ram(f.h, f.cpl[core]);
	uint32_t status;

	clear_rings();
	status = qh_boot(f.h, core, &f.args[core], f.h->image, f.h->image_size);
	fuzz_expect(status == QUILL_CORE_READY, "core %u: status %u after a proper boot", core,
		    status);
	enable_space();
	fuzz_expect(qh_admin(f.h, core, &msg, &answer) && !answer.status,
		    "core %u: QUEUE_CREATE fails after a proper boot", core);
	post(core, &f.stream[STREAMS - 1]);
	fuzz_expect(qh_wait_word(f.h, &cpl->seq, 1, QH_TIMEOUT_MS),
		    "core %u: a job does not end after a proper boot", core);
	fuzz_expect(!cpl->status, "core %u: a job has fault %u after a proper boot", core,
		    cpl->status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint8_t head = fuzz_u8(&in);
	unsigned int n;

	if (!f.h)
		start();
	clear_rings();
	for (n = 0; n < MAX_OPS && in.left; n++)
		one_op(&in);
	if (head % 16 == 15 || f.h->ram_used > f.h->config.ram / 2) {
		qh_destroy(f.h);
		memset(&f, 0, sizeof(f));
		return 0;
	}
	check_reset();
	check_boot(head & 1);
	return 0;
}
