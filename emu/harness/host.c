// SPDX-License-Identifier: MIT
/*
 * The harness: the device's life, boot, admin ring.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host_internal.h"

#define ADMIN_ENTRIES	16
#define LOG_SIZE	4096

void qh_die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "quill_host: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

static void raise_msix(void *opaque, unsigned int vector)
{
	struct quill_host *h = opaque;

	pthread_mutex_lock(&h->lock);
	if (vector < QUILL_MAX_VECTORS)
		h->msix[vector]++;
	pthread_cond_broadcast(&h->raised);
	pthread_mutex_unlock(&h->lock);
}

static void print_trace(void *opaque, const char *line)
{
	fprintf(stderr, "quill: %s\n", line);
}

static void tell_event(void *opaque, const struct quill_event *event)
{
	struct quill_host *h = opaque;

	h->config.event(h->config.event_arg, event);
}

unsigned int qh_msix_count(struct quill_host *h, unsigned int vector)
{
	unsigned int n;

	pthread_mutex_lock(&h->lock);
	n = h->msix[vector];
	pthread_mutex_unlock(&h->lock);
	return n;
}

static struct timespec after_ms(unsigned int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000l;
	if (t.tv_nsec >= 1000000000l) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000l;
	}
	return t;
}

bool qh_wait_word(struct quill_host *h, const uint32_t *word, uint32_t value,
		  unsigned int timeout_ms)
{
	struct timespec end = after_ms(timeout_ms);
	int err = 0;
	bool there;

	pthread_mutex_lock(&h->lock);
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value && !err)
		err = pthread_cond_timedwait(&h->raised, &h->lock, &end);
	there = __atomic_load_n(word, __ATOMIC_ACQUIRE) == value;
	pthread_mutex_unlock(&h->lock);
	return there;
}

/* ---- the image ------------------------------------------------------------- */

/* build/tests/x, build/san-y/tests/x: the image built with this program is in ../firmware. */
static void image_beside_program(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash = NULL;

	path[n > 0 ? n : 0] = 0;
	slash = strrchr(path, '/');
	snprintf(slash ? slash : path, size - (slash ? slash - path : 0),
		 "/../firmware/quill_fw.bin");
}

static void load_image(struct quill_host *h)
{
	const char *path = h->config.firmware;
	char beside[4096];
	FILE *f;

	if (!path)
		path = getenv("QUILL_FIRMWARE");
	if (!path) {
		image_beside_program(beside, sizeof(beside));
		path = access(beside, R_OK) ? "build/firmware/quill_fw.bin" : beside;
	}
	f = fopen(path, "rb");
	if (!f)
		qh_die("firmware image %s: %s (`make firmware` makes it)", path, strerror(errno));
	h->image = malloc(QUILL_FW_MAX_SIZE);
	if (!h->image)
		qh_die("no memory");
	h->image_size = fread(h->image, 1, QUILL_FW_MAX_SIZE, f);
	fclose(f);
	h->image_bus = qh_ram_alloc(h, QUILL_FW_MAX_SIZE, 4096);
}

const struct quill_fw_boot *qh_core_args(struct quill_host *h, unsigned int core)
{
	return &h->cores[core].args;
}

const void *qh_image(struct quill_host *h, size_t *size)
{
	*size = h->image_size;
	return h->image;
}

/* ---- life --------------------------------------------------------------------- */

static void set_defaults(struct quill_host_config *c)
{
	if (!c->emu.mem)
		c->emu.mem = 16 << 20;
	if (!c->emu.cores)
		c->emu.cores = 1;
	if (!c->emu.queues)
		c->emu.queues = 8;
	if (!c->ram)
		c->ram = 256 << 20;
	if (!c->heartbeat_us)
		c->heartbeat_us = 10000;
}

static void boot_all(struct quill_host *h)
{
	struct quill_fw_boot args;
	uint32_t core, status;

	for (core = 0; core < h->config.emu.cores; core++) {
		args = qh_boot_args(h, core);
		status = qh_boot(h, core, &args, h->image, h->image_size);
		if (status != QUILL_CORE_READY)
			qh_die("core %u: status %u, error %#x after boot; expected %u (ready)",
			       core, status,
			       qh_read(h, QUILL_REG_CORE(core) + QUILL_CORE_ERROR),
			       QUILL_CORE_READY);
	}
}

static struct quill_emu *make_emu(struct quill_host *h)
{
	const struct quill_emu_ops ops = {
		.dma_map = qh_dma_map,
		.dma_unmap = qh_dma_unmap,
		.msix = raise_msix,
		.trace = h->config.trace ? print_trace : NULL,
		.event = h->config.event ? tell_event : NULL,
	};
	struct quill_emu *emu;
	char err[256] = "";

	emu = quill_emu_create(&h->config.emu, &ops, h, err, sizeof(err));
	if (!emu)
		qh_die("%s", err);
	return emu;
}

struct quill_host *qh_create(const struct quill_host_config *config)
{
	struct quill_host *h = calloc(1, sizeof(*h));
	pthread_condattr_t attr;

	if (!h)
		qh_die("no memory");
	if (config)
		h->config = *config;
	set_defaults(&h->config);
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->raised, &attr);
	pthread_condattr_destroy(&attr);
	qh_memory_init(h);
	load_image(h);
	h->emu = make_emu(h);
	if (!h->config.no_boot)
		boot_all(h);
	return h;
}

void qh_destroy(struct quill_host *h)
{
	if (!h)
		return;
	quill_emu_destroy(h->emu);
	if (h->maps)
		qh_die("the device left %ld DMA mappings, expected none", (long)h->maps);
	qh_memory_exit(h);
	pthread_cond_destroy(&h->raised);
	pthread_mutex_destroy(&h->lock);
	free(h->image);
	free(h);
}

void qh_move(struct quill_host *h, const struct quill_emu_config *config)
{
	uint64_t mem_size = h->config.emu.mem;
	void *mem = malloc(mem_size), *data;
	char err[256] = "";
	size_t size;

	data = quill_emu_save(h->emu, &size);
	if (!mem || !data)
		qh_die("a snapshot: no memory, or not paused");
	if (h->maps)
		qh_die("the paused device has %ld DMA mappings, expected none", (long)h->maps);
	memcpy(mem, quill_emu_mem(h->emu), mem_size);
	quill_emu_destroy(h->emu);

	if (config)
		h->config.emu = *config;
	h->emu = make_emu(h);
	quill_emu_pause(h->emu);
	memcpy(quill_emu_mem(h->emu), mem, mem_size);
	if (!quill_emu_load(h->emu, data, size, err, sizeof(err)))
		qh_die("loading a snapshot: %s", err);
	free(data);
	free(mem);
}

struct quill_emu *qh_emu(struct quill_host *h)
{
	return h->emu;
}

uint32_t qh_read(struct quill_host *h, uint64_t reg)
{
	return quill_emu_read(h->emu, QUILL_BAR_REGS, reg, 4);
}

void qh_write(struct quill_host *h, uint64_t reg, uint32_t value)
{
	quill_emu_write(h->emu, QUILL_BAR_REGS, reg, value, 4);
}

/* ---- boot ------------------------------------------------------------------------ */

struct quill_fw_boot qh_boot_args(struct quill_host *h, unsigned int core)
{
	struct quill_fw_boot args = {
		.magic = QUILL_FW_BOOT_MAGIC,
		.abi_min = QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, 0),
		.abi_max = QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR),
		.admin_ring = qh_ram_alloc(h, ADMIN_ENTRIES * sizeof(struct quill_admin_msg), 64),
		.admin_cpl = qh_ram_alloc(h, ADMIN_ENTRIES * sizeof(struct quill_admin_cpl), 64),
		.admin_entries = ADMIN_ENTRIES,
		.heartbeat_us = h->config.heartbeat_us,
		.watchdog_us = h->config.watchdog_us,
		.log = qh_ram_alloc(h, LOG_SIZE, 64),
		.log_size = LOG_SIZE,
	};

	return args;
}

uint32_t qh_boot(struct quill_host *h, unsigned int core, const struct quill_fw_boot *args,
		 const void *image, size_t size)
{
	uint64_t base = QUILL_REG_CORE(core);
	uint64_t args_bus = qh_ram_alloc(h, sizeof(*args), 64);
	uint32_t status, tries;

	if (size > QUILL_FW_MAX_SIZE)
		qh_die("an image of %zu bytes, at most %u fit", size, QUILL_FW_MAX_SIZE);
	h->cores[core].args = *args;
	h->cores[core].admin_seq = 0;
	memcpy(qh_ram(h, args_bus), args, sizeof(*args));
	memcpy(qh_ram(h, h->image_bus), image, size);
	qh_write(h, base + QUILL_CORE_FW_ADDR_LO, h->image_bus);
	qh_write(h, base + QUILL_CORE_FW_ADDR_HI, h->image_bus >> 32);
	qh_write(h, base + QUILL_CORE_FW_SIZE, size);
	qh_write(h, base + QUILL_CORE_BOOT_ARGS_LO, args_bus);
	qh_write(h, base + QUILL_CORE_BOOT_ARGS_HI, args_bus >> 32);
	qh_write(h, base + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	for (tries = 0; tries < QH_TIMEOUT_MS * 10; tries++) {
		status = qh_read(h, base + QUILL_CORE_STATUS);
		if (status != QUILL_CORE_BOOTING && status != QUILL_CORE_OFF)
			break;
		usleep(100);
	}
	return status;
}

size_t qh_log(struct quill_host *h, unsigned int core, char *text, size_t size)
{
	const struct quill_fw_boot *args = &h->cores[core].args;
	const struct quill_fw_log *log = qh_ram(h, args->log);
	const char *bytes = (const char *)(log + 1);
	uint32_t room = args->log_size - sizeof(*log);
	uint32_t written = __atomic_load_n(&log->written, __ATOMIC_ACQUIRE);
	uint32_t from = written > room ? written - room : 0;
	size_t n = 0;

	while (from != written && n + 1 < size)
		text[n++] = bytes[from++ % room];
	text[n] = 0;
	return n;
}

/* ---- admin ring --------------------------------------------------------------------- */

uint32_t qh_admin_send(struct quill_host *h, unsigned int core, struct quill_admin_msg *msg)
{
	struct qh_core *c = &h->cores[core];
	uint32_t at = c->admin_seq % c->args.admin_entries;
	struct quill_admin_msg *ring = qh_ram(h, c->args.admin_ring);

	msg->seq = ++c->admin_seq;
	ring[at] = *msg;
	qh_write(h, QUILL_REG_CORE(core) + QUILL_CORE_ADMIN_DB, c->admin_seq);
	return msg->seq;
}

bool qh_admin_wait(struct quill_host *h, unsigned int core, uint32_t seq,
		   struct quill_admin_cpl *cpl)
{
	struct qh_core *c = &h->cores[core];
	struct quill_admin_cpl *ring = qh_ram(h, c->args.admin_cpl);
	struct quill_admin_cpl *slot = &ring[(seq - 1) % c->args.admin_entries];

	if (!qh_wait_word(h, &slot->seq, seq, QH_TIMEOUT_MS))
		return false;
	*cpl = *slot;
	return true;
}

bool qh_admin(struct quill_host *h, unsigned int core, struct quill_admin_msg *msg,
	      struct quill_admin_cpl *cpl)
{
	return qh_admin_wait(h, core, qh_admin_send(h, core, msg), cpl);
}
