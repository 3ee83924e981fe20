/* SPDX-License-Identifier: MIT */
/*
 * A machine with quill devices behind root ports, and a driver of a few functions for them: what a guest's
 * firmware and kernel would do, over qtest.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "quill/fw_abi.h"
#include "quill/isa.h"
#include "quill/regs.h"

#include "qtest.h"

#define MAX_DEVICES	4
#define RAM_SIZE	(256u << 20)

/* Configuration space: what this needs of it. */
#define PCI_ID			0x00
#define PCI_COMMAND		0x04
#define   PCI_COMMAND_MEMORY	2u
#define   PCI_COMMAND_MASTER	4u
#define PCI_CLASS		0x08
#define PCI_BAR(n)		(0x10 + (n) * 4)
#define PCI_CAP_MSIX		0x11
#define PCI_CAP_PM		0x01
#define PCI_CAP_PCIE		0x10

/* Buffers and streams of a space lie in one 2 MiB page. */
#define DATA_VA			0x40000000ull
#define STREAM_VA		(DATA_VA + (1u << 20))
#define ENTRIES			8u

struct machine;

struct device {
	struct machine *m;
	unsigned int n;			/* quillN behind rpN */
	unsigned int bus, port;		/* bus of its own; devfn of its root port */
	unsigned int pcie, msix;	/* offsets of capabilities */
	uint64_t bar[6];
	uint32_t admin_seq;
	uint64_t admin_ring, admin_cpl;
	struct {
		uint64_t ring, cpl;
		uint32_t tail;
	} queue[QUILL_MAX_QUEUES];
};

struct space {
	unsigned int as;
	uint64_t root;
	uint64_t data;			/* bus address of DATA_VA */
};

struct machine {
	struct qtest *q;
	const char *props;
	unsigned int devices;
	struct device dev[MAX_DEVICES];
	uint64_t ram_used;
};

/** machine_start() - with @devices of these properties (may be ""), found, placed and enabled; @more: for QEMU, or NULL */
struct machine *machine_start(unsigned int devices, const char *props, const char *const *more);
void machine_stop(struct machine *m);
/** machine_move() - migrate it through a file into another QEMU, which goes on; devices are where they were */
void machine_move(struct machine *m);
/** machine_alloc() - guest RAM, zeroed */
uint64_t machine_alloc(struct machine *m, uint64_t size, uint64_t align);

uint32_t config_read(struct machine *m, unsigned int bus, unsigned int devfn, unsigned int offset);
void config_write(struct machine *m, unsigned int bus, unsigned int devfn, unsigned int offset,
		  uint32_t value);
/** config_cap() - offset of a capability, 0: it has none */
unsigned int config_cap(struct machine *m, unsigned int bus, unsigned int devfn, unsigned int id);

/** device_place() - give it its addresses and enable it, as after power-on or FLR */
void device_place(struct device *d);
/** device_flr() - function level reset; the device has to be placed again */
void device_flr(struct device *d);
uint32_t device_read(struct device *d, uint64_t reg);
void device_write(struct device *d, uint64_t reg, uint32_t value);
void device_write64(struct device *d, uint64_t reg, uint64_t value);
/** device_wait() - until a register has a value; false: it does not come */
bool device_wait(struct device *d, uint64_t reg, uint32_t value);
/** device_vector() - program an entry of the MSI-X table */
void device_vector(struct device *d, unsigned int vector, uint64_t addr, uint32_t data, bool masked);

/** device_boot() - start core 0 from this image; its status when it is no longer BOOTING */
uint32_t device_boot(struct device *d, uint64_t image, uint32_t size, uint64_t args);
/** device_boot_firmware() - with the real firmware; aborts if it does not come up */
void device_boot_firmware(struct device *d);
/** device_image() - the firmware in guest memory */
uint64_t device_image(struct device *d, uint32_t *size);
/** device_boot_args() - good boot arguments in guest memory */
uint64_t device_boot_args(struct device *d);
/** device_admin() - send a request, wait for its answer: enum quill_admin_status */
uint32_t device_admin(struct device *d, struct quill_admin_msg *msg);

/** space_make() - an enabled address space whose data is mapped for reading and writing */
void space_make(struct device *d, struct space *s, unsigned int as);
/** space_map() - one entry of level 0 or 1 (2 MiB); tables on the way are made */
void space_map(struct device *d, struct space *s, unsigned int level, uint64_t va, uint64_t pte);

/** queue_make() - @vector is 1 + @queue; enum quill_admin_status */
uint32_t queue_make(struct device *d, unsigned int queue, const struct space *s);
/** queue_submit() - copy @records to the stream's place (@slot of 16 KiB) and ring */
void queue_submit(struct device *d, unsigned int queue, const struct space *s, unsigned int slot,
		  const union quill_cmd *cmd, unsigned int records);
/** queue_wait() - for the completion of the last job submitted; aborts if none comes */
struct quill_job_cpl queue_wait(struct device *d, unsigned int queue);
/** queue_run() - both, in slot 0 */
struct quill_job_cpl queue_run(struct device *d, unsigned int queue, const struct space *s,
			       const union quill_cmd *cmd, unsigned int records);

/** cmd_fill(), cmd_jump() - one record */
union quill_cmd cmd_fill(uint64_t va, uint32_t value, uint64_t bytes);
union quill_cmd cmd_jump(unsigned int record);

#endif /* MACHINE_H */
