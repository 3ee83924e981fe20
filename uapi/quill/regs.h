/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: PCI identity, BARs, registers and doorbells.
 *
 * The contract between the device (emu), its control processor's program
 * (firmware) and the driver (kmod). All registers are 32 bits wide, little
 * endian, and are accessed with aligned 32-bit reads and writes; a 64-bit value
 * is a LO/HI pair. Other access sizes read as all ones and write nothing.
 * Unassigned offsets read as zero and ignore writes.
 */
#ifndef QUILL_REGS_H
#define QUILL_REGS_H

/* ---- PCI ------------------------------------------------------------- */

#define QUILL_PCI_VENDOR_ID		0x1234
#define QUILL_PCI_DEVICE_ID		0x514c
#define QUILL_PCI_CLASS			0x1200	/* processing accelerator */
#define QUILL_PCI_REVISION		1

#define QUILL_BAR_REGS			0	/* registers, 32-bit */
#define QUILL_BAR_MSIX			1	/* MSI-X table and PBA */
#define QUILL_BAR_DOORBELL		2	/* one 4 KiB page a hardware queue */
#define QUILL_BAR_MEM			4	/* device memory, 64-bit, prefetchable */

#define QUILL_BAR_REGS_SIZE		0x10000
#define QUILL_DOORBELL_STRIDE		0x1000
#define QUILL_BAR_DOORBELL_SIZE		(QUILL_MAX_QUEUES * QUILL_DOORBELL_STRIDE)

#define QUILL_MAX_CORES			8
#define QUILL_MAX_QUEUES		256
/* Address spaces. Number 0 is the host's bus addresses: firmware only. */
#define QUILL_MAX_AS			128
#define QUILL_AS_HOST			0
/*
 * Vector 0 carries every core's admin completions and events, the others completions of queues. A device has one more than
 * queues, and no more than these: then queues share.
 */
#define QUILL_MAX_VECTORS		65
#define QUILL_VECTORS(queues)	\
	((queues) < QUILL_MAX_VECTORS - 1 ? 1 + (queues) : QUILL_MAX_VECTORS)
#define QUILL_VECTOR_ADMIN		0

/* ---- BAR0: identity and whole-device control ------------------------- */

#define QUILL_REG_ID			0x0000	/* RO: QUILL_ID */
#define   QUILL_ID			0x4c495551	/* "QUIL" */
#define QUILL_REG_VERSION		0x0004	/* RO: hardware major << 16 | minor */
#define   QUILL_HW_MAJOR		2
#define   QUILL_HW_MINOR		1
#define QUILL_REG_CAPS			0x0008	/* RO */
#define   QUILL_CAPS_CORES_MASK		0x000000ffu
#define   QUILL_CAPS_QUEUES_MASK	0x000fff00u
#define   QUILL_CAPS_QUEUES_SHIFT	8
#define   QUILL_CAPS_AS_MASK		0xfff00000u
#define   QUILL_CAPS_AS_SHIFT		20
#define QUILL_REG_CLOCK_KHZ		0x000c	/* RO: one device cycle, from the profile */
#define QUILL_REG_MEM_SIZE_LO		0x0010	/* RO: bytes of device memory (BAR4) */
#define QUILL_REG_MEM_SIZE_HI		0x0014
#define QUILL_REG_SRAM_SIZE		0x0018	/* RO: bytes of scratchpad, a core */
#define QUILL_REG_CONTROL		0x001c	/* WO */
#define   QUILL_CONTROL_RESET		(1u << 0) /* whole device; done when read back as 0 */
#define QUILL_REG_STATUS		0x0020	/* RO */
#define   QUILL_STATUS_RESETTING	(1u << 0)
/* Counts resets of any kind since power-on, so that none can pass unseen. */
#define QUILL_REG_RESET_COUNT		0x0024	/* RO */

/* ---- BAR0: address translation ---------------------------------------- */

/*
 * Write QUILL_MMU_INVALIDATE_ALL or an address-space number. Translations cached
 * from before the write are gone, and every access that used one has finished,
 * once QUILL_REG_MMU_STATUS reads without QUILL_MMU_STATUS_BUSY.
 */
#define QUILL_REG_MMU_INVALIDATE	0x0040	/* WO */
#define   QUILL_MMU_INVALIDATE_ALL	0xffffffffu
#define QUILL_REG_MMU_STATUS		0x0044	/* RO */
#define   QUILL_MMU_STATUS_BUSY		(1u << 0)

/*
 * Faults on demand, for tests: write the next so many (0..65535) of an event << 16 | enum quill_inject. Reads as 0
 * where the device was not made for it, and ignores writes; else QUILL_INJECT_ON | how many are left of all events.
 */
#define QUILL_REG_INJECT		0x0048	/* RW */
#define   QUILL_INJECT_ON		(1u << 31)
#define   QUILL_INJECT_LEFT_MASK	0x0000ffffu
#define QUILL_INJECT_SLOW_MS		100

enum quill_inject {
	QUILL_INJECT_LOST_IRQ = 1,	/* the vector of a queue is not raised */
	QUILL_INJECT_LOST_DOORBELL = 2,	/* of a queue */
	QUILL_INJECT_STUCK_FIRMWARE = 3, /* at a doorbell the control processor stands still until STOP */
	QUILL_INJECT_CORRUPT_COMPLETION = 4, /* a record with another job's number */
	QUILL_INJECT_DMA_ERROR = 5,	/* an engine's access to host memory fails: QUILL_FAULT_BUS */
	QUILL_INJECT_SLOW = 6,		/* a command takes QUILL_INJECT_SLOW_MS longer, of the host's time */
	QUILL_INJECT_STUCK_INVALIDATE = 7, /* MMU_STATUS stays BUSY until the device is reset */
	QUILL_INJECT_COUNT = 8,
};

/* One block an address space, n in 1..QUILL_MAX_AS-1 (block 0 reads as zero). */
#define QUILL_REG_AS(n)			(0x4000 + (n) * 0x20)
#define QUILL_AS_ROOT_LO		0x00	/* RW: bus address of the root table, 4 KiB aligned */
#define QUILL_AS_ROOT_HI		0x04
#define QUILL_AS_CTRL			0x08	/* RW */
#define   QUILL_AS_CTRL_ENABLE		(1u << 0)
/* The last fault of the space; write anything to FAULT_STATUS to clear the record. */
#define QUILL_AS_FAULT_STATUS		0x0c	/* enum quill_fault | access << 8 | engine << 16 */
#define QUILL_AS_FAULT_ADDR_LO		0x10	/* RO */
#define QUILL_AS_FAULT_ADDR_HI		0x14	/* RO */
#define QUILL_AS_FAULT_COUNT		0x18	/* RO */

/* ---- BAR0: one block a core ------------------------------------------- */

#define QUILL_REG_CORE(n)		(0x1000 + (n) * 0x100)
/* Where the boot ROM finds the firmware image: bus address and bytes. */
#define QUILL_CORE_FW_ADDR_LO		0x00	/* RW */
#define QUILL_CORE_FW_ADDR_HI		0x04	/* RW */
#define QUILL_CORE_FW_SIZE		0x08	/* RW */
/* Bus address of struct quill_fw_boot, handed to the firmware. */
#define QUILL_CORE_BOOT_ARGS_LO		0x0c	/* RW */
#define QUILL_CORE_BOOT_ARGS_HI		0x10	/* RW */
#define QUILL_CORE_CTRL			0x14	/* WO */
#define   QUILL_CORE_CTRL_START		(1u << 0) /* run the boot ROM */
#define   QUILL_CORE_CTRL_STOP		(1u << 1) /* stop processor and engines, forget their work */
#define QUILL_CORE_STATUS		0x18	/* RO: enum quill_core_status */
/* RO: why the core is in QUILL_CORE_BOOT_FAILED (enum quill_boot_error) or _PANIC. */
#define QUILL_CORE_ERROR		0x1c
#define QUILL_CORE_HEARTBEAT		0x20	/* RO: grows while the firmware lives */
/* Write: the admin ring's new tail (a running count). */
#define QUILL_CORE_ADMIN_DB		0x24	/* WO */
#define QUILL_CORE_FW_VERSION		0x28	/* RO: major << 16 | minor, set by the firmware */
#define QUILL_CORE_PC			0x2c	/* RO: control processor's pc, for dumps */
#define QUILL_CORE_INSN_LO		0x30	/* RO: instructions retired */
#define QUILL_CORE_INSN_HI		0x34	/* RO */
#define QUILL_CORE_FW_ABI		0x38	/* RO: what driver and firmware agreed on, QUILL_FW_ABI() */
#define QUILL_CORE_FW_FEATURES		0x3c	/* RO: what the firmware can, QUILL_FW_FEATURE_* */

enum quill_core_status {
	QUILL_CORE_OFF = 0,
	QUILL_CORE_BOOTING = 1,		/* boot ROM runs, or firmware initialises */
	QUILL_CORE_BOOT_FAILED = 2,	/* the boot ROM refused the image */
	QUILL_CORE_READY = 3,		/* firmware serves its rings */
	QUILL_CORE_PANIC = 4,		/* firmware gave up, or the processor took a fatal trap */
};

/* What the boot ROM can find wrong with an image. */
enum quill_boot_error {
	QUILL_BOOT_OK = 0,
	QUILL_BOOT_DMA = 1,		/* image or boot arguments not readable */
	QUILL_BOOT_SIZE = 2,		/* smaller than its header or larger than local memory */
	QUILL_BOOT_MAGIC = 3,
	QUILL_BOOT_HEADER_CRC = 4,
	QUILL_BOOT_IMAGE_CRC = 5,
	QUILL_BOOT_ABI = 6,		/* hardware major the image was not made for */
	QUILL_BOOT_LAYOUT = 7,		/* load, entry or bss outside local memory */
	/* From here on: reported by the firmware itself. */
	QUILL_BOOT_ARGS = 16,		/* boot arguments malformed */
	QUILL_BOOT_ARGS_VERSION = 17,	/* host ABI out of the firmware's range */
};

/* ---- BAR2: doorbells --------------------------------------------------- */

/* Page q belongs to hardware queue q. Write: the ring's new tail (a running count). */
#define QUILL_DOORBELL(q)		((q) * QUILL_DOORBELL_STRIDE)

/* ---- Page tables -------------------------------------------------------- */

/*
 * 48-bit addresses, four levels of 512 eight-byte entries, like x86's. An entry of
 * levels 3, 2 and 1 points to the next table (VALID alone); with LEAF at level 1
 * it maps 2 MiB. Level 0 entries map 4 KiB (LEAF set as well). Bits that have no
 * meaning must be zero; an entry that breaks this is QUILL_FAULT_PTE.
 */
#define QUILL_VA_BITS			48
#define QUILL_PAGE_SHIFT		12
#define QUILL_PAGE_SIZE			(1u << QUILL_PAGE_SHIFT)
#define QUILL_HUGE_SHIFT		21
#define QUILL_HUGE_SIZE			(1u << QUILL_HUGE_SHIFT)
#define QUILL_PT_LEVELS			4
#define QUILL_PT_ENTRIES		512
#define QUILL_PT_SHIFT(level)		(12 + 9 * (level))
#define QUILL_PTE_VALID			(1ull << 0)
#define QUILL_PTE_READ			(1ull << 1)
#define QUILL_PTE_WRITE			(1ull << 2)
#define QUILL_PTE_DEVMEM		(1ull << 3) /* address is an offset into device memory */
#define QUILL_PTE_LEAF			(1ull << 7)
#define QUILL_PTE_ADDR_MASK		0x000ffffffffff000ull
/*
 * The top of the space is the core's scratchpad SRAM, without page-table entries.
 * It reads as zero when a job starts and belongs to that job alone.
 */
#define QUILL_VA_SRAM			0x0000ff0000000000ull
/* First address that is not for mappings: [QUILL_PAGE_SIZE, QUILL_VA_END). Page 0 is a trap. */
#define QUILL_VA_END			QUILL_VA_SRAM

enum quill_access {
	QUILL_ACCESS_READ = 0,
	QUILL_ACCESS_WRITE = 1,
	QUILL_ACCESS_FETCH = 2,		/* stream, ring or report access by the firmware */
};

enum quill_engine {
	QUILL_ENGINE_TENSOR = 0,	/* GEMM, ATTENTION */
	QUILL_ENGINE_VECTOR = 1,
	QUILL_ENGINE_DMA = 2,		/* COPY, FILL, TIMESTAMP */
	QUILL_ENGINE_COUNT = 3,
	QUILL_ENGINE_FW = 3,		/* not an engine: the control processor */
};

/* Why a translation, a command or a job failed. 0 is success. */
enum quill_fault {
	QUILL_FAULT_NONE = 0,
	/* Found by the hardware while translating. */
	QUILL_FAULT_UNMAPPED = 1,	/* no valid entry */
	QUILL_FAULT_READ_PERM = 2,
	QUILL_FAULT_WRITE_PERM = 3,
	QUILL_FAULT_PTE = 4,		/* malformed entry */
	QUILL_FAULT_ADDRESS = 5,	/* beyond 48 bits, wraps, or outside SRAM */
	QUILL_FAULT_BUS = 6,		/* host refused the DMA: not RAM, or no such address */
	QUILL_FAULT_AS = 7,		/* address space is not enabled */
	/* Found by the firmware or the issue port while checking a command. */
	QUILL_FAULT_OPCODE = 16,	/* unknown opcode or version */
	QUILL_FAULT_RESERVED = 17,	/* a reserved bit or field is not zero */
	QUILL_FAULT_FLAGS = 18,		/* a flag that the opcode does not have */
	QUILL_FAULT_TYPE = 19,		/* a data type that the opcode does not take */
	QUILL_FAULT_SHAPE = 20,		/* a dimension is zero, over its limit, or does not divide */
	QUILL_FAULT_STRIDE = 21,	/* a stride is smaller than its row */
	QUILL_FAULT_ALIGN = 22,		/* an address is not aligned to its element */
	QUILL_FAULT_RANGE = 23,		/* an operand reaches beyond 48 bits or wraps */
	QUILL_FAULT_EXT = 24,		/* extension command missing, superfluous or misplaced */
	QUILL_FAULT_SEMAPHORE = 25,	/* semaphore number out of range */
	QUILL_FAULT_PARAM = 26,		/* another parameter is out of range */
	/* Found by the firmware while running a stream. */
	QUILL_FAULT_STREAM = 32,	/* size zero, not a multiple of 64, misaligned, or read past the end */
	QUILL_FAULT_DEADLOCK = 33,	/* every engine waits for a semaphore that none will signal */
	QUILL_FAULT_JUMP = 34,		/* jump target outside the stream */
	QUILL_FAULT_KILLED = 35,	/* the driver ended the job */
	QUILL_FAULT_RING = 36,		/* a job descriptor is malformed */
	QUILL_FAULT_TIMEOUT = 37,	/* an engine did not come to an end with a command in time */
	QUILL_FAULT_CALL = 38,		/* streams call one another more than QUILL_CALL_DEPTH deep */
	QUILL_FAULT_INTERNAL = 63,	/* the firmware broke a rule of the issue port */
};

/* ---- The control processor's own view ---------------------------------- */

/*
 * RV32IMC, machine mode only, little endian. Local memory holds code and data. The
 * machine external interrupt is the OR of (CB_IRQ_PENDING & CB_IRQ_ENABLE); WFI
 * sleeps until it rises, whether or not mstatus.MIE is set. No other interrupt
 * source exists. Accesses outside the two windows trap.
 */
#define QUILL_RV_TCM_BASE		0x10000000u	/* local memory */
#define QUILL_RV_TCM_SIZE		0x00100000u	/* 1 MiB */
#define QUILL_RV_CB_BASE		0x20000000u	/* control block, 32-bit accesses only */
#define QUILL_RV_CB_SIZE		0x00001000u

/* Identity and state. */
#define QUILL_CB_CORE			0x000	/* RO: number of this core */
#define QUILL_CB_QUEUES			0x004	/* RO: hardware queues of the device */
#define QUILL_CB_HW_VERSION		0x008	/* RO: as QUILL_REG_VERSION */
#define QUILL_CB_STATUS			0x00c	/* RW: shown as QUILL_CORE_STATUS (READY or PANIC) */
#define QUILL_CB_ERROR			0x010	/* RW: shown as QUILL_CORE_ERROR */
#define QUILL_CB_FW_VERSION		0x014	/* RW: shown as QUILL_CORE_FW_VERSION */
#define QUILL_CB_HEARTBEAT		0x018	/* RW: shown as QUILL_CORE_HEARTBEAT */
#define QUILL_CB_BOOT_ARGS_LO		0x01c	/* RO */
#define QUILL_CB_BOOT_ARGS_HI		0x020	/* RO */
#define QUILL_CB_PUTC			0x024	/* WO: a character for the device's trace */
#define QUILL_CB_CORES			0x028	/* RO: cores of the device */
#define QUILL_CB_FW_ABI			0x02c	/* RW: shown as QUILL_CORE_FW_ABI */
#define QUILL_CB_FW_FEATURES		0x030	/* RW: shown as QUILL_CORE_FW_FEATURES */

/* Interrupts. PENDING is what is pending now; write ones to clear, but for ENGINE and
 * DOORBELL, which follow their sources. */
#define QUILL_CB_IRQ_PENDING		0x040
#define QUILL_CB_IRQ_ENABLE		0x044
#define   QUILL_CB_IRQ_DOORBELL		(1u << 0) /* CB_DB_WORDS is not zero */
#define   QUILL_CB_IRQ_ADMIN		(1u << 1) /* QUILL_CORE_ADMIN_DB was written */
#define   QUILL_CB_IRQ_ENGINE		(1u << 2) /* retirements can be popped: see RETIRE_LEVEL */
#define   QUILL_CB_IRQ_TIMER		(1u << 3) /* TIME has reached TIMER */
/* Wall time in microseconds since power-on: for heartbeats, never for results. */
#define QUILL_CB_TIME_LO		0x048	/* RO; reading it latches HI */
#define QUILL_CB_TIME_HI		0x04c	/* RO */
#define QUILL_CB_TIMER_LO		0x050	/* WO */
#define QUILL_CB_TIMER_HI		0x054	/* WO: arms the comparison */
#define QUILL_CB_ADMIN_TAIL		0x058	/* RO: last value written to QUILL_CORE_ADMIN_DB */
#define QUILL_CB_MSIX			0x05c	/* WO: raise this vector */

/* Doorbells of the queues that are rung and belong to this core (queue % cores == core). */
#define QUILL_CB_DB_WORDS		0x060	/* RO: a bit for each DB_PENDING that is not zero */
#define QUILL_CB_DB_PENDING(w)		(0x200 + (w) * 4) /* RW: queues from 32 * w on, a bit each; write ones to clear */
#define QUILL_CB_DB_TAIL(q)		(0x800 + (q) * 4) /* RO: last value written */
#define QUILL_CB_DB_CLASS(q)		(0xc00 + (q) * 4) /* RW: class of that queue's jobs, see below; 0 at reset */

/*
 * Transfer unit: up to 4 KiB between local memory and an address space (0 is the
 * host's bus addresses). Writing GO runs it to its end; RESULT is then an
 * enum quill_fault and XFER_FAULT_* the first address that failed. Transfers take place one after the other, also to whom
 * memory is shared with.
 */
#define QUILL_CB_XFER_ADDR_LO		0x080
#define QUILL_CB_XFER_ADDR_HI		0x084
#define QUILL_CB_XFER_LOCAL		0x088	/* address in local memory */
#define QUILL_CB_XFER_LEN		0x08c	/* bytes, 1..QUILL_XFER_MAX */
#define QUILL_CB_XFER_GO		0x090	/* WO: address space | direction */
#define   QUILL_XFER_AS_MASK		0xffu
#define   QUILL_XFER_TO_MEMORY		(1u << 8) /* else: to local memory */
#define QUILL_CB_XFER_RESULT		0x094	/* RO */
#define QUILL_CB_XFER_FAULT_LO		0x098	/* RO */
#define QUILL_CB_XFER_FAULT_HI		0x09c	/* RO */
#define QUILL_XFER_MAX			4096

/*
 * Slots. Commands of several jobs can be in the engines at a time. What belongs to a job alone (device time,
 * counters, scratchpad, and whether its commands are stopped) is kept in a slot. SLOT selects the one that is meant by JOB_*, ISSUE_*, ENGINE_ABORT, _RESUME and _BUSY, the
 * counters, and a transfer that reaches into the scratchpad; and it sets that slot's class.
 *
 * An engine takes the next command from the slot of the highest class that has one, among equals from the one that has
 * had the least device time; a command that runs is not interrupted. Commands of one slot start in order in
 * each engine. Engines start nothing of a class below FLOOR, nor below the class of a doorbell that is pending
 * (DB_CLASS), so that a job has the engines from the moment that it is announced, but for what runs.
 */
#define QUILL_SLOTS			64
#define QUILL_CLASSES			4
#define QUILL_CB_SLOT			0x0dc	/* RW: slot | class << 8 */
#define   QUILL_SLOT_MASK		0xffu
#define   QUILL_SLOT_CLASS_SHIFT	8
#define QUILL_CB_FLOOR			0x0ec	/* RW: class */
/* RO, an engine each: VALID | slot of the command that it executes, or 0. */
#define QUILL_CB_ENGINE_RUNS(e)		(0x0f0 + (e) * 4)
#define   QUILL_ENGINE_RUNS_VALID	(1u << 31)

/*
 * Issue port. A command (with its extensions) lies in local memory; READY is the device
 * time before which it may not start. Writing GO copies it, checks it again,
 * times it, and puts it in the slot's FIFO of that engine: RESULT is then an enum quill_fault and END
 * the device time at which it will have finished. RESULT is BUSY if the FIFO
 * is full: nothing was done. A slot's commands execute and retire in order in each engine.
 */
#define QUILL_CB_ISSUE_CMD		0x0a0	/* address in local memory */
#define QUILL_CB_ISSUE_READY_LO		0x0a4
#define QUILL_CB_ISSUE_READY_HI		0x0a8
#define QUILL_CB_ISSUE_GO		0x0ac	/* WO: engine | tag << 8 | address space << 24 */
#define QUILL_CB_ISSUE_RESULT		0x0b0	/* RO */
#define   QUILL_ISSUE_BUSY		0xffffffffu
#define QUILL_CB_ISSUE_END_LO		0x0b4	/* RO */
#define QUILL_CB_ISSUE_END_HI		0x0b8	/* RO */
#define QUILL_ENGINE_FIFO		16
/*
 * Why a command could not start before READY, for the counters: it was decoded at DECODED, and HELD is when decoding last went on
 * after a wait (a FENCE, say), or 0.
 */
#define QUILL_CB_ISSUE_DECODED_LO	0x400
#define QUILL_CB_ISSUE_DECODED_HI	0x404
#define QUILL_CB_ISSUE_HELD_LO		0x408
#define QUILL_CB_ISSUE_HELD_HI		0x40c

/*
 * The decoder's check. A command lies at CHECK_CMD in local memory; writing how many of its records are there to CHECK_GO holds
 * it against the rules of isa_check.h. RESULT is 0, or fault | record << 8 | offset << 16. The issue port checks again.
 */
#define QUILL_CB_CHECK_CMD		0x430	/* WO: address in local memory, a multiple of 4 */
#define QUILL_CB_CHECK_GO		0x434	/* WO: records, 1..QUILL_MAX_RECORDS */
#define QUILL_CB_CHECK_RESULT		0x438	/* RO */
#define   QUILL_CHECK_FAULT_MASK	0xffu
#define   QUILL_CHECK_RECORD_SHIFT	8
#define   QUILL_CHECK_RECORD_MASK	0xffu
#define   QUILL_CHECK_OFFSET_SHIFT	16

/*
 * Retirements, of all slots: reading RETIRE pops one: VALID | engine << 16 | tag, and fills
 * RETIRE_FAULT* with what happened to it. After a fault the engine drops what is left of
 * that slot in it: each of those commands retires as QUILL_FAULT_KILLED, and so does any of the slot that is
 * issued to that engine before ENGINE_RESUME. Other slots are not concerned. Reads as 0 when there is none.
 */
#define QUILL_CB_RETIRE			0x0c0	/* RO, pops */
/* RW: retirements that make an ENGINE interrupt; fewer do if one has a fault or leaves its engine without work. 1 at reset. */
#define QUILL_CB_RETIRE_LEVEL		0x0fc
#define   QUILL_RETIRE_VALID		(1u << 31)
#define   QUILL_RETIRE_TAG_MASK		0xffffu
#define   QUILL_RETIRE_ENGINE_SHIFT	16
#define   QUILL_RETIRE_ENGINE_MASK	0xffu
#define QUILL_CB_RETIRE_FAULT		0x0c4	/* RO: enum quill_fault | access << 8 */
#define QUILL_CB_RETIRE_ADDR_LO		0x0c8	/* RO */
#define QUILL_CB_RETIRE_ADDR_HI		0x0cc	/* RO */
/* Masks of engines. ABORT stops the slot's command that runs at its next tile and drops its FIFO. */
#define QUILL_CB_ENGINE_ABORT		0x0d0	/* WO */
#define QUILL_CB_ENGINE_RESUME		0x0d4	/* WO */
#define QUILL_CB_ENGINE_BUSY		0x0d8	/* RO: has a command of the slot that has not retired */

/*
 * A job's bounds. Writing JOB_BEGIN (any value) sets the slot's device time and counters to zero and clears its
 * scratchpad; writing JOB_END gives the scratchpad up, whose contents are then lost. The slot must have no command in an
 * engine.
 */
#define QUILL_CB_JOB_BEGIN		0x0e0	/* WO */
#define QUILL_CB_CMD_OVERHEAD		0x0e4	/* RO: device cycles to decode one command, from the profile */
#define QUILL_CB_JOB_END		0x0e8	/* WO */
/* Device cycles from the doorbell until a job's first record is there: a round trip to the host. */
#define QUILL_CB_LINK_LATENCY		0x410	/* RO, from the profile */
/*
 * The job's end. CLOCK is the device time to which decoding has come, RECORDS how many records were decoded. Writing
 * RECORDS_HI makes the counters whole: CYCLES, IDLE, BYTES_LINK and the rest of ENERGY.
 */
#define QUILL_CB_JOB_CLOCK_LO		0x418	/* WO */
#define QUILL_CB_JOB_CLOCK_HI		0x41c	/* WO */
#define QUILL_CB_JOB_RECORDS_LO		0x420	/* WO */
#define QUILL_CB_JOB_RECORDS_HI		0x424	/* WO */
/* The counters are 64-bit pairs; order as enum quill_counter. COUNTERS_TO writes all to that address in local memory. */
#define QUILL_CB_COUNTERS_TO		0x414	/* WO */
#define QUILL_CB_COUNTER_LO(i)		(0x300 + (i) * 8)
#define QUILL_CB_COUNTER_HI(i)		(0x304 + (i) * 8)

/*
 * The counters of a job. They add up: for each engine, BUSY + DEPENDENCY + FIRMWARE + IDLE = CYCLES, and what of BUSY is not
 * MEMORY is arithmetic. docs/device.md says what is counted as what. All are modulo 2^64.
 */
enum quill_counter {
	QUILL_COUNTER_CYCLES = 0,	/* device cycles from the job's start to its end */
	/* An engine each, by enum quill_engine: it has a command. */
	QUILL_COUNTER_BUSY = 1,
	QUILL_COUNTER_BUSY_TENSOR = 1,
	QUILL_COUNTER_BUSY_VECTOR = 2,
	QUILL_COUNTER_BUSY_DMA = 3,
	QUILL_COUNTER_COMMANDS = 4,	/* that engines were given, or the firmware executed */
	QUILL_COUNTER_MACS = 5,
	QUILL_COUNTER_BYTES_READ = 6,	/* from device memory */
	QUILL_COUNTER_BYTES_WRITTEN = 7,	/* to device memory */
	/* An engine each: it has a command, which waits for memory. Part of BUSY. */
	QUILL_COUNTER_MEMORY = 8,
	/* An engine each: its next command waits for other commands (semaphores, ORDERED, FENCE). */
	QUILL_COUNTER_DEPENDENCY = 11,
	/* An engine each: its next command was not decoded yet. */
	QUILL_COUNTER_FIRMWARE = 14,
	/* An engine each: its last command has ended. */
	QUILL_COUNTER_IDLE = 17,
	QUILL_COUNTER_VECTOR_OPS = 20,	/* float32 operations */
	QUILL_COUNTER_SRAM_READ = 21,	/* bytes */
	QUILL_COUNTER_SRAM_WRITTEN = 22,
	QUILL_COUNTER_BYTES_LINK = 23,	/* of the stream, over the link to the host */
	QUILL_COUNTER_ENERGY = 24,	/* picojoules */
	QUILL_COUNTER_COUNT = 25,
};

#endif /* QUILL_REGS_H */
