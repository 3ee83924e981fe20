/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the firmware image, its boot arguments, rings and records.
 *
 * The contract between the driver (kmod), the firmware and the boot ROM (emu). All
 * structures are little endian and have no implicit padding; reserved fields are zero
 * and are checked to be. Indices are running 32-bit counts, taken modulo the ring's size.
 */
#ifndef QUILL_FW_ABI_H
#define QUILL_FW_ABI_H

#include "types.h"

/* ---- Image -------------------------------------------------------------- */

#define QUILL_FW_NAME		"quill/quill_fw.bin"
#define QUILL_FW_MAGIC		0x57464c51	/* "QLFW" */
#define QUILL_FW_HEADER_VERSION	1
#define QUILL_FW_MAX_SIZE	(64 * 1024)

/*
 * What driver and firmware say to each other: boot arguments, rings, records. Another major is another
 * language; a minor adds to it. The driver runs firmware whose major is its own and whose minor is at least what it
 * needs; in the boot arguments it says from which version to which it speaks, and the firmware
 * takes the latest that both do, and shows it in QUILL_CORE_FW_ABI.
 */
#define QUILL_FW_ABI_MAJOR	2
#define QUILL_FW_ABI_MINOR	1
#define QUILL_FW_ABI(major, minor)	((major) << 8 | (minor))

/* QUILL_CORE_FW_FEATURES. */
#define QUILL_FW_FEATURE_PREEMPT	(1u << 0) /* jobs of several queues run at a time */
#define QUILL_FW_FEATURE_SUSPEND	(1u << 1) /* QUEUE_SUSPEND, QUEUE_RESUME */
#define QUILL_FW_FEATURE_CONTEXT_KILL	(1u << 2) /* CONTEXT_KILL */
#define QUILL_FW_FEATURE_WATCHDOG	(1u << 3) /* watchdog_us */
#define QUILL_FW_FEATURE_QUERY		(1u << 4) /* QUEUE_QUERY */
/* What queues need whose rings a process writes: QUILL_JOB_QUIET, start of CREATE, pending of QUERY. Since ABI 2.1. */
#define QUILL_FW_FEATURE_USER		(1u << 5)

/**
 * struct quill_fw_header - the first 64 bytes of the image
 *
 * The payload follows. The boot ROM copies it to @load_addr, clears @bss_size bytes behind
 * it and jumps to @entry. CRCs are CRC-32 (IEEE 802.3, as zlib's crc32()).
 */
struct quill_fw_header {
	/** @magic: QUILL_FW_MAGIC. */
	__u32 magic;
	/** @header_version: QUILL_FW_HEADER_VERSION. */
	__u16 header_version;
	/** @header_size: bytes of this header; the payload starts there. */
	__u16 header_size;
	/** @hw_major: QUILL_HW_MAJOR that the image was made for. */
	__u16 hw_major;
	/** @hw_minor: least QUILL_HW_MINOR that it needs. */
	__u16 hw_minor;
	/** @abi_major: QUILL_FW_ABI_MAJOR that it speaks. */
	__u16 abi_major;
	/** @abi_minor: QUILL_FW_ABI_MINOR that it speaks. */
	__u16 abi_minor;
	/** @version: of the firmware itself: major << 16 | minor. */
	__u32 version;
	/** @payload_size: bytes that follow the header, to the file's end. */
	__u32 payload_size;
	/** @load_addr: where the payload goes in local memory, 4-byte aligned. */
	__u32 load_addr;
	/** @bss_size: bytes behind the payload to clear. */
	__u32 bss_size;
	/** @entry: first instruction, inside the payload. */
	__u32 entry;
	/** @payload_crc: of the payload. */
	__u32 payload_crc;
	/** @reserved: zero. */
	__u32 reserved[5];
	/** @header_crc: of all bytes of the header before this field. */
	__u32 header_crc;
};

/* ---- Boot arguments ------------------------------------------------------- */

#define QUILL_FW_BOOT_MAGIC	0x54424c51	/* "QLBT" */

/**
 * struct quill_fw_boot - what the driver tells one core's firmware at start
 */
struct quill_fw_boot {
	/** @magic: QUILL_FW_BOOT_MAGIC. */
	__u32 magic;
	/** @abi_min: the oldest QUILL_FW_ABI() that the driver speaks. */
	__u16 abi_min;
	/** @abi_max: and the newest. */
	__u16 abi_max;
	/** @admin_ring: bus address of the ring of struct quill_admin_msg. */
	__u64 admin_ring;
	/** @admin_cpl: bus address of the ring of struct quill_admin_cpl, of as many entries. */
	__u64 admin_cpl;
	/** @admin_entries: power of two, 2..QUILL_ADMIN_MAX_ENTRIES. */
	__u32 admin_entries;
	/** @heartbeat_us: period of the heartbeat while work is under way, 1000..10000000. */
	__u32 heartbeat_us;
	/** @log: bus address of the log buffer, or 0. The firmware writes it as a ring of bytes. */
	__u64 log;
	/** @log_size: its bytes, power of two, 256..65536, or 0. */
	__u32 log_size;
	/**
	 * @watchdog_us: a job whose command an engine executes for longer ends with QUILL_FAULT_TIMEOUT,
	 * 1000..60000000; 0: never. It is looked at every 10 ms.
	 */
	__u32 watchdog_us;
	/** @reserved: zero. */
	__u32 reserved[4];
};

#define QUILL_ADMIN_MAX_ENTRIES	64

/**
 * struct quill_fw_log - head of the log buffer; the text follows
 */
struct quill_fw_log {
	/** @written: bytes written since start; the next goes to @written % (log_size - 16). */
	__u32 written;
	/** @reserved: zero. */
	__u32 reserved[3];
};

/* ---- Admin ring: driver to firmware ---------------------------------------- */

enum quill_admin_op {
	QUILL_ADMIN_PING = 1,
	QUILL_ADMIN_QUEUE_CREATE = 2,
	QUILL_ADMIN_QUEUE_DESTROY = 3,	/* -EBUSY unless idle and empty */
	/*
	 * End what the queue runs and all jobs in its ring up to the doorbell's last value: each
	 * gets a completion, the running one with QUILL_FAULT_KILLED. Answered when done.
	 */
	QUILL_ADMIN_QUEUE_KILL = 4,
	/*
	 * Hold the queue at the next boundary between commands: none of its job starts any more, and no job of it.
	 * Answered when none is being executed. The job keeps its state, until RESUME or KILL.
	 */
	QUILL_ADMIN_QUEUE_SUSPEND = 5,
	QUILL_ADMIN_QUEUE_RESUME = 6,
	/* QUEUE_KILL of every queue of this core whose address space is @as. Answered when all is done. */
	QUILL_ADMIN_CONTEXT_KILL = 7,
	/*
	 * How long the queue's job has been served: detail is its share of the core's time in ms, 0 if
	 * none runs. Time in which it was held back for others does not count. pending is the number of jobs known
	 * that have not ended; 0: the queue is at rest.
	 */
	QUILL_ADMIN_QUEUE_QUERY = 8,
};

/**
 * struct quill_admin_msg - one request, 64 bytes
 *
 * Unused fields are zero and are checked.
 */
struct quill_admin_msg {
	/** @op: enum quill_admin_op. */
	__u16 op;
	/** @queue: hardware queue, for the queue operations. */
	__u16 queue;
	/** @seq: handed back in the completion; running count from 1. */
	__u32 seq;
	/** @as: CREATE: address space that the streams use, 1..QUILL_MAX_AS-1; CONTEXT_KILL: the space. */
	__u16 as;
	/** @vector: CREATE: MSI-X vector to raise on completion. */
	__u16 vector;
	/** @priority: CREATE: enum quill_fw_priority. */
	__u16 priority;
	/** @flags: CREATE: zero. */
	__u16 flags;
	/** @ring: CREATE: bus address of the ring of struct quill_job_desc. */
	__u64 ring;
	/** @cpl: CREATE: bus address of the ring of struct quill_job_cpl. */
	__u64 cpl;
	/** @entries: CREATE: entries of both rings, power of two, 2..QUILL_RING_MAX_ENTRIES. */
	__u32 entries;
	/** @start: CREATE: jobs ended and completions written before, of an earlier life of the queue: counts go on from it. */
	__u32 start;
	/** @reserved: zero. */
	__u32 reserved[6];
};

enum quill_fw_priority {
	/* Strict: a job runs when no queue of higher priority has one, but for what ageing gives it. */
	QUILL_FW_PRIORITY_LOW = 0,
	QUILL_FW_PRIORITY_MEDIUM = 1,
	QUILL_FW_PRIORITY_HIGH = 2,
	QUILL_FW_PRIORITY_COUNT = 3,
};

enum quill_admin_status {
	QUILL_ADMIN_OK = 0,
	QUILL_ADMIN_BAD_OP = 1,
	QUILL_ADMIN_BAD_PARAM = 2,
	QUILL_ADMIN_BUSY = 3,		/* queue exists already, or is not idle */
	QUILL_ADMIN_NO_QUEUE = 4,	/* no such queue, or it is another core's */
	QUILL_ADMIN_DMA = 5,		/* a ring cannot be reached */
};

/**
 * struct quill_admin_cpl - one answer, 16 bytes; @seq is written last
 */
struct quill_admin_cpl {
	/** @status: enum quill_admin_status. */
	__u32 status;
	/** @detail: which parameter (its offset in struct quill_admin_msg), for BAD_PARAM; what QUERY found. */
	__u32 detail;
	/** @pending: QUERY: jobs that wait or run; else zero. */
	__u32 pending;
	/** @seq: of the request. */
	__u32 seq;
};

/* ---- Queue ring: jobs, and what became of them ------------------------------ */

#define QUILL_RING_MAX_ENTRIES	1024

/*
 * The submitter looks for the record himself: no interrupt if the job ends well, but for every (entries / 2)th of the queue,
 * so that a driver who reads records at interrupts misses none. The flag is read again behind the record's write: who
 * clears it, and then finds no record, gets an interrupt.
 */
#define QUILL_JOB_QUIET		(1u << 0)

/**
 * struct quill_job_desc - one job, 32 bytes
 */
struct quill_job_desc {
	/** @stream: device address of the command stream, 64-byte aligned. */
	__u64 stream;
	/** @size: its bytes, a multiple of 64, at least 64. */
	__u32 size;
	/** @flags: QUILL_JOB_*. */
	__u32 flags;
	/** @job: the submitter's number for it, handed back. */
	__u64 job;
	/** @reserved: zero. */
	__u64 reserved;
};

/**
 * struct quill_job_cpl - what became of one job, 256 bytes; @seq is written last
 *
 * Records of one queue come in the order of its jobs.
 */
struct quill_job_cpl {
	/** @job: of the descriptor. */
	__u64 job;
	/** @status: enum quill_fault; 0 is success. */
	__u32 status;
	/** @command: index in @stream of the command at fault (records of 64 bytes). */
	__u32 command;
	/** @address: device address at fault, or for a bad command the offset of the bad field. */
	__u64 address;
	/** @access: enum quill_access. */
	__u8 access;
	/** @engine: enum quill_engine. */
	__u8 engine;
	/** @opcode: of the command at fault. */
	__u8 opcode;
	/** @reserved0: zero. */
	__u8 reserved0;
	/** @cmd_seq: the header's seq of the command at fault. */
	__u32 cmd_seq;
	/** @counters: by enum quill_counter (QUILL_COUNTER_COUNT of them). */
	__u64 counters[25];
	/**
	 * @stream: device address of the stream that @command counts in: the descriptor's, or one that was
	 * called; 0 if the job was not begun.
	 */
	__u64 stream;
	/** @reserved1: zero. */
	__u32 reserved1[3];
	/** @seq: running count of this queue's completions, from 1. */
	__u32 seq;
};

#endif /* QUILL_FW_ABI_H */
