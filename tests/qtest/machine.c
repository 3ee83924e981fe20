// SPDX-License-Identifier: MIT
/* A machine with quill devices, and a driver of a few functions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc
#define BRIDGE_BUSES	0x18
#define BRIDGE_MEMORY	0x20
#define BRIDGE_PREFETCH	0x24
#define ROOT_PORT_ID	0x000c1b36u

/* Windows of a root port: registers below 4 GiB, device memory above. */
#define WINDOW		(16ull << 20)
#define WINDOW_BASE	0xc0000000ull
#define PREFETCH	(1ull << 30)
#define PREFETCH_BASE	0x800000000ull

#define RAM_FIRST	(16u << 20)
#define CORE		QUILL_REG_CORE(0)

/* ---- configuration space ---- */

uint32_t config_read(struct machine *m, unsigned int bus, unsigned int devfn, unsigned int offset)
{
	qt_outl(m->q, CONFIG_ADDRESS, 1u << 31 | bus << 16 | devfn << 8 | offset);
	return qt_inl(m->q, CONFIG_DATA);
}

void config_write(struct machine *m, unsigned int bus, unsigned int devfn, unsigned int offset,
		  uint32_t value)
{
	qt_outl(m->q, CONFIG_ADDRESS, 1u << 31 | bus << 16 | devfn << 8 | offset);
	qt_outl(m->q, CONFIG_DATA, value);
}

unsigned int config_cap(struct machine *m, unsigned int bus, unsigned int devfn, unsigned int id)
{
	unsigned int at = config_read(m, bus, devfn, 0x34) & 0xfc;
	uint32_t head;

	for (; at; at = head >> 8 & 0xfc) {
		head = config_read(m, bus, devfn, at);
		if ((head & 0xff) == id)
			return at;
	}
	return 0;
}

static void open_port(struct machine *m, unsigned int devfn, unsigned int n)
{
	uint64_t window = WINDOW_BASE + n * WINDOW, prefetch = PREFETCH_BASE + n * PREFETCH;
	uint64_t end = prefetch + PREFETCH - 1;

	config_write(m, 0, devfn, BRIDGE_BUSES, (n + 1) << 8 | (n + 1) << 16);
	config_write(m, 0, devfn, BRIDGE_MEMORY,
		     window >> 16 | ((window + WINDOW - 1) >> 16 & 0xfff0) << 16);
	config_write(m, 0, devfn, BRIDGE_PREFETCH,
		     (prefetch >> 16 & 0xfff0) | (end >> 16 & 0xfff0) << 16);
	config_write(m, 0, devfn, BRIDGE_PREFETCH + 4, prefetch >> 32);
	config_write(m, 0, devfn, BRIDGE_PREFETCH + 8, end >> 32);
	config_write(m, 0, devfn, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void find_devices(struct machine *m)
{
	unsigned int devfn, n = 0;

	for (devfn = 0; devfn < 256 && n < m->devices; devfn += 8) {
		if (config_read(m, 0, devfn, PCI_ID) != ROOT_PORT_ID)
			continue;
		open_port(m, devfn, n);
		m->dev[n] = (struct device){ .m = m, .n = n, .bus = n + 1, .port = devfn };
		device_place(&m->dev[n]);
		n++;
	}
	if (n < m->devices)
		qt_die("%u root ports found, expected %u", n, m->devices);
}

static struct qtest *start_qemu(const struct machine *m, const char *const *more)
{
	char port[MAX_DEVICES][64], quill[MAX_DEVICES][256];
	/* Unplugging by the slot's own registers. */
	const char *args[64] = { "-machine", "q35", "-m", "256M", "-global",
				 "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off" };
	unsigned int i, n = 6;

	for (i = 0; i < m->devices; i++) {
		snprintf(port[i], sizeof(port[i]), "pcie-root-port,id=rp%u,slot=%u,chassis=%u", i,
			 i + 1, i + 1);
		snprintf(quill[i], sizeof(quill[i]), "quill,id=quill%u,bus=rp%u%s%s", i, i,
			 *m->props ? "," : "", m->props);
		args[n++] = "-device";
		args[n++] = port[i];
		args[n++] = "-device";
		args[n++] = quill[i];
	}
	for (; more && *more; more++)
		args[n++] = *more;
	return qt_start(args);
}

struct machine *machine_start(unsigned int devices, const char *props, const char *const *more)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m || devices > MAX_DEVICES)
		qt_die("no memory, or %u devices", devices);
	m->devices = devices;
	m->props = props;
	m->ram_used = RAM_FIRST;
	m->q = start_qemu(m, more);
	find_devices(m);
	return m;
}

/* Ask until the answer holds @want. */
static void wait_for(struct qtest *q, const char *question, const char *want)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;
	const char *answer;

	for (;;) {
		answer = qt_qmp(q, "{\"execute\": \"%s\"}", question);
		if (strstr(answer, want))
			return;
		if (strstr(answer, "failed") || qt_now_ms() > end)
			qt_die("%s: %s, expected %s", question, answer, want);
		usleep(1000);
	}
}

void machine_move(struct machine *m)
{
	char file[] = "/tmp/quill-qtest-XXXXXX", uri[64];
	const char *more[] = { "-incoming", uri, NULL };
	const char *answer;

	close(mkstemp(file));
	answer = qt_qmp(m->q, "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"exec:cat >%s\"}}",
			file);
	if (strstr(answer, "error"))
		qt_die("migrate: %s", answer);
	wait_for(m->q, "query-migrate", "\"completed\"");
	qt_stop(m->q);

	snprintf(uri, sizeof(uri), "exec:cat %s", file);
	m->q = start_qemu(m, more);
	wait_for(m->q, "query-status", "\"running\": true");
	unlink(file);
}

void machine_stop(struct machine *m)
{
	qt_stop(m->q);
	free(m);
}

uint64_t machine_alloc(struct machine *m, uint64_t size, uint64_t align)
{
	uint64_t at = (m->ram_used + align - 1) & ~(align - 1);

	m->ram_used = at + size;
	if (m->ram_used > RAM_SIZE)
		qt_die("guest memory is used up");
	return at;
}

/* ---- a device ---- */

void device_place(struct device *d)
{
	uint64_t window = WINDOW_BASE + d->n * WINDOW;

	d->pcie = config_cap(d->m, d->bus, 0, PCI_CAP_PCIE);
	d->msix = config_cap(d->m, d->bus, 0, PCI_CAP_MSIX);
	d->bar[QUILL_BAR_REGS] = window;
	d->bar[QUILL_BAR_MSIX] = window + (1 << 20);
	d->bar[QUILL_BAR_DOORBELL] = window + (2 << 20);
	d->bar[QUILL_BAR_MEM] = PREFETCH_BASE + d->n * PREFETCH;
	config_write(d->m, d->bus, 0, PCI_BAR(0), d->bar[0]);
	config_write(d->m, d->bus, 0, PCI_BAR(1), d->bar[1]);
	config_write(d->m, d->bus, 0, PCI_BAR(2), d->bar[2]);
	config_write(d->m, d->bus, 0, PCI_BAR(4), d->bar[4]);
	config_write(d->m, d->bus, 0, PCI_BAR(5), d->bar[4] >> 32);
	config_write(d->m, d->bus, 0, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	/* MSI-X enable */
	config_write(d->m, d->bus, 0, d->msix, 1u << 31);
}

void device_flr(struct device *d)
{
	uint32_t control = config_read(d->m, d->bus, 0, d->pcie + 8) & 0xffff;

	config_write(d->m, d->bus, 0, d->pcie + 8, control | 1u << 15);
}

uint32_t device_read(struct device *d, uint64_t reg)
{
	return qt_read(d->m->q, d->bar[QUILL_BAR_REGS] + reg, 4);
}

void device_write(struct device *d, uint64_t reg, uint32_t value)
{
	qt_write(d->m->q, d->bar[QUILL_BAR_REGS] + reg, 4, value);
}

void device_write64(struct device *d, uint64_t reg, uint64_t value)
{
	device_write(d, reg, value);
	device_write(d, reg + 4, value >> 32);
}

bool device_wait(struct device *d, uint64_t reg, uint32_t value)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;

	while (device_read(d, reg) != value) {
		if (qt_now_ms() > end)
			return false;
		usleep(500);
	}
	return true;
}

void device_vector(struct device *d, unsigned int vector, uint64_t addr, uint32_t data, bool masked)
{
	uint64_t entry = d->bar[QUILL_BAR_MSIX] + vector * 16;

	qt_write(d->m->q, entry + 12, 4, 1);
	qt_write(d->m->q, entry, 4, addr);
	qt_write(d->m->q, entry + 4, 4, addr >> 32);
	qt_write(d->m->q, entry + 8, 4, data);
	qt_write(d->m->q, entry + 12, 4, masked);
}

/* ---- boot and admin ring ---- */

uint32_t device_boot(struct device *d, uint64_t image, uint32_t size, uint64_t args)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;
	uint32_t status;

	device_write64(d, CORE + QUILL_CORE_FW_ADDR_LO, image);
	device_write(d, CORE + QUILL_CORE_FW_SIZE, size);
	device_write64(d, CORE + QUILL_CORE_BOOT_ARGS_LO, args);
	device_write(d, CORE + QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);
	do {
		status = device_read(d, CORE + QUILL_CORE_STATUS);
		if (status != QUILL_CORE_BOOTING)
			return status;
		usleep(500);
	} while (qt_now_ms() < end);
	return status;
}

uint64_t device_image(struct device *d, uint32_t *size)
{
	const char *path = getenv("QUILL_FIRMWARE");
	static uint8_t image[QUILL_FW_MAX_SIZE];
	uint64_t bus;
	FILE *f;

	f = fopen(path && *path ? path : "build/firmware/quill_fw.bin", "rb");
	if (!f)
		qt_die("no firmware image: `make firmware` makes it");
	*size = fread(image, 1, sizeof(image), f);
	fclose(f);
	bus = machine_alloc(d->m, *size, 4096);
	qt_put(d->m->q, bus, image, *size);
	return bus;
}

uint64_t device_boot_args(struct device *d)
{
	struct quill_fw_boot args = {
		.magic = QUILL_FW_BOOT_MAGIC,
		.abi_min = QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, 0),
		.abi_max = QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR),
		.admin_ring = machine_alloc(d->m, ENTRIES * sizeof(struct quill_admin_msg), 64),
		.admin_cpl = machine_alloc(d->m, ENTRIES * sizeof(struct quill_admin_cpl), 64),
		.admin_entries = ENTRIES,
		.heartbeat_us = 10000,
	};
	uint64_t bus = machine_alloc(d->m, sizeof(args), 64);

	qt_put(d->m->q, bus, &args, sizeof(args));
	d->admin_ring = args.admin_ring;
	d->admin_cpl = args.admin_cpl;
	d->admin_seq = 0;
	return bus;
}

void device_boot_firmware(struct device *d)
{
	uint64_t args = device_boot_args(d), image;
	uint32_t size, status;

	image = device_image(d, &size);
	status = device_boot(d, image, size, args);
	if (status != QUILL_CORE_READY)
		qt_die("quill%u: status %u, error 0x%x after a boot, expected %u (ready)", d->n, status,
		       device_read(d, CORE + QUILL_CORE_ERROR), QUILL_CORE_READY);
}

/* Until the 32-bit word in guest memory is @value. */
static bool wait_word(struct machine *m, uint64_t bus, uint32_t value)
{
	uint64_t end = qt_now_ms() + QT_TIMEOUT_MS;

	while (qt_read(m->q, bus, 4) != value) {
		if (qt_now_ms() > end)
			return false;
		usleep(500);
	}
	return true;
}

uint32_t device_admin(struct device *d, struct quill_admin_msg *msg)
{
	uint32_t at = d->admin_seq % ENTRIES;
	struct quill_admin_cpl cpl;
	uint64_t slot = d->admin_cpl + at * sizeof(cpl);

	msg->seq = ++d->admin_seq;
	qt_put(d->m->q, d->admin_ring + at * sizeof(*msg), msg, sizeof(*msg));
	device_write(d, CORE + QUILL_CORE_ADMIN_DB, d->admin_seq);
	if (!wait_word(d->m, slot + offsetof(struct quill_admin_cpl, seq), msg->seq))
		qt_die("quill%u: no answer to request %u", d->n, msg->op);
	qt_get(d->m->q, slot, &cpl, sizeof(cpl));
	return cpl.status;
}

/* ---- address spaces ---- */

void space_map(struct device *d, struct space *s, unsigned int level, uint64_t va, uint64_t pte)
{
	uint64_t table = s->root, at, next;
	unsigned int l;

	for (l = QUILL_PT_LEVELS - 1;; l--) {
		at = table + (va >> QUILL_PT_SHIFT(l) & (QUILL_PT_ENTRIES - 1)) * 8;
		if (l == level)
			break;
		next = qt_read(d->m->q, at, 8);
		if (!next) {
			next = machine_alloc(d->m, QUILL_PAGE_SIZE, QUILL_PAGE_SIZE) | QUILL_PTE_VALID;
			qt_write(d->m->q, at, 8, next);
		}
		table = next & QUILL_PTE_ADDR_MASK;
	}
	qt_write(d->m->q, at, 8, pte);
}

void space_make(struct device *d, struct space *s, unsigned int as)
{
	s->as = as;
	s->root = machine_alloc(d->m, QUILL_PAGE_SIZE, QUILL_PAGE_SIZE);
	s->data = machine_alloc(d->m, QUILL_HUGE_SIZE, QUILL_HUGE_SIZE);
	space_map(d, s, 1, DATA_VA, s->data | QUILL_PTE_VALID | QUILL_PTE_LEAF | QUILL_PTE_READ |
		  QUILL_PTE_WRITE);
	device_write64(d, QUILL_REG_AS(as) + QUILL_AS_ROOT_LO, s->root);
	device_write(d, QUILL_REG_AS(as) + QUILL_AS_CTRL, QUILL_AS_CTRL_ENABLE);
}

/* ---- queues ---- */

uint32_t queue_make(struct device *d, unsigned int queue, const struct space *s)
{
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_CREATE, .queue = queue, .as = s->as, .vector = 1 + queue,
		.priority = QUILL_FW_PRIORITY_MEDIUM, .entries = ENTRIES,
		.ring = machine_alloc(d->m, ENTRIES * sizeof(struct quill_job_desc), 64),
		.cpl = machine_alloc(d->m, ENTRIES * sizeof(struct quill_job_cpl), 64),
	};

	d->queue[queue].ring = msg.ring;
	d->queue[queue].cpl = msg.cpl;
	d->queue[queue].tail = 0;
	return device_admin(d, &msg);
}

void queue_submit(struct device *d, unsigned int queue, const struct space *s, unsigned int slot,
		  const union quill_cmd *cmd, unsigned int records)
{
	struct quill_job_desc desc = {
		.stream = STREAM_VA + slot * 16384, .size = records * QUILL_CMD_SIZE, .job = slot,
	};
	uint32_t at = d->queue[queue].tail++ % ENTRIES;

	qt_put(d->m->q, s->data + (desc.stream - DATA_VA), cmd, desc.size);
	qt_put(d->m->q, d->queue[queue].ring + at * sizeof(desc), &desc, sizeof(desc));
	qt_write(d->m->q, d->bar[QUILL_BAR_DOORBELL] + QUILL_DOORBELL(queue), 4, d->queue[queue].tail);
}

struct quill_job_cpl queue_wait(struct device *d, unsigned int queue)
{
	uint32_t seq = d->queue[queue].tail;
	uint64_t slot = d->queue[queue].cpl + (seq - 1) % ENTRIES * sizeof(struct quill_job_cpl);
	struct quill_job_cpl cpl;

	if (!wait_word(d->m, slot + offsetof(struct quill_job_cpl, seq), seq))
		qt_die("quill%u: queue %u: job %u does not end", d->n, queue, seq);
	qt_get(d->m->q, slot, &cpl, sizeof(cpl));
	return cpl;
}

struct quill_job_cpl queue_run(struct device *d, unsigned int queue, const struct space *s,
			       const union quill_cmd *cmd, unsigned int records)
{
	queue_submit(d, queue, s, 0, cmd, records);
	return queue_wait(d, queue);
}

union quill_cmd cmd_fill(uint64_t va, uint32_t value, uint64_t bytes)
{
	return (union quill_cmd){
		.fill = {
			.hdr.opcode = QUILL_OP_FILL,
			.dst = va, .value = value, .width = bytes, .height = 1, .elem = 4,
		},
	};
}

union quill_cmd cmd_jump(unsigned int record)
{
	return (union quill_cmd){
		.jump = { .hdr.opcode = QUILL_OP_JUMP, .target = record * QUILL_CMD_SIZE },
	};
}
