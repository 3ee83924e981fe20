/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * Quill: the ioctls of /dev/accel/accelN.
 *
 * The contract between the driver and userspace (libaccel). Rules that hold for all of it:
 *
 * - every structure is a multiple of 8 bytes, has no implicit padding and grows only
 *   at its end; a shorter one of an older program is taken as if zero-extended (DRM's
 *   rule for ioctls; an element of an array that is longer than the driver knows must have a
 *   zero excess, else -E2BIG);
 * - every pad and reserved field must be zero and every flag must be known: -EINVAL;
 * - an array is passed as struct drm_quill_array with the size of one element;
 * - a handle or id belongs to the file that made it; another file's is -ENOENT;
 * - addresses called "device" are virtual, 48-bit and belong to a VM;
 * - a call that fails has changed nothing, unless it says otherwise.
 */
#ifndef QUILL_ACCEL_DRM_H
#define QUILL_ACCEL_DRM_H

#if defined(__KERNEL__)
#include <drm/drm.h>
#else
#include <drm.h>
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_QUILL_DEV_QUERY		0x00
#define DRM_QUILL_BO_CREATE		0x01
#define DRM_QUILL_BO_MMAP_OFFSET	0x02
#define DRM_QUILL_VM_CREATE		0x03
#define DRM_QUILL_VM_DESTROY		0x04
#define DRM_QUILL_VM_BIND		0x05
#define DRM_QUILL_QUEUE_CREATE		0x06
#define DRM_QUILL_QUEUE_DESTROY		0x07
#define DRM_QUILL_QUEUE_QUERY		0x08
#define DRM_QUILL_SUBMIT		0x09
#define DRM_QUILL_BO_SEAL		0x0a
#define DRM_QUILL_QUEUE_SIGNAL		0x0b

#define DRM_IOCTL_QUILL_DEV_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_DEV_QUERY, struct drm_quill_dev_query)
#define DRM_IOCTL_QUILL_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_BO_CREATE, struct drm_quill_bo_create)
#define DRM_IOCTL_QUILL_BO_MMAP_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_BO_MMAP_OFFSET, struct drm_quill_bo_mmap_offset)
#define DRM_IOCTL_QUILL_VM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_VM_CREATE, struct drm_quill_vm_create)
#define DRM_IOCTL_QUILL_VM_DESTROY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_VM_DESTROY, struct drm_quill_vm_destroy)
#define DRM_IOCTL_QUILL_VM_BIND \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_VM_BIND, struct drm_quill_vm_bind)
#define DRM_IOCTL_QUILL_QUEUE_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_QUEUE_CREATE, struct drm_quill_queue_create)
#define DRM_IOCTL_QUILL_QUEUE_DESTROY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_QUEUE_DESTROY, struct drm_quill_queue_destroy)
#define DRM_IOCTL_QUILL_QUEUE_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_QUEUE_QUERY, struct drm_quill_queue_query)
#define DRM_IOCTL_QUILL_SUBMIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_SUBMIT, struct drm_quill_submit)
#define DRM_IOCTL_QUILL_BO_SEAL \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_BO_SEAL, struct drm_quill_bo_seal)
#define DRM_IOCTL_QUILL_QUEUE_SIGNAL \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_QUILL_QUEUE_SIGNAL, struct drm_quill_queue_signal)

/**
 * struct drm_quill_array - an array in user memory
 */
struct drm_quill_array {
	/** @ptr: user address of element 0. */
	__u64 ptr;
	/** @count: number of elements. */
	__u32 count;
	/** @stride: bytes of one element, as the caller knows it: a multiple of 8. */
	__u32 stride;
};

/* ---- Device ---------------------------------------------------------------- */

/** enum drm_quill_dev_query_type - what DEV_QUERY can be asked for */
enum drm_quill_dev_query_type {
	/** @DRM_QUILL_DEV_QUERY_INFO: struct drm_quill_dev_info. */
	DRM_QUILL_DEV_QUERY_INFO = 0,
	/**
	 * @DRM_QUILL_DEV_QUERY_COUNTERS: struct drm_quill_queue_query: its jobs, faults and
	 * counters, of all queues since the driver was bound; all else in it is 0. They tell one
	 * user of the others: CAP_PERFMON.
	 */
	DRM_QUILL_DEV_QUERY_COUNTERS = 1,
	/** @DRM_QUILL_DEV_QUERY_RESETS: struct drm_quill_dev_resets. */
	DRM_QUILL_DEV_QUERY_RESETS = 2,
};

/**
 * struct drm_quill_dev_query - ask for a description of the device
 *
 * With @ptr 0, @size is set to the bytes that the answer has. Otherwise at most @size
 * bytes are written to @ptr and @size is set to what was written.
 *
 * Errors: -EINVAL (unknown type), -EACCES (COUNTERS), -EFAULT.
 */
struct drm_quill_dev_query {
	/** @type: enum drm_quill_dev_query_type. */
	__u32 type;
	/** @size: in: room at @ptr; out: bytes of the answer. */
	__u32 size;
	/** @ptr: user address of the answer, or 0. */
	__u64 ptr;
};

/* Feature bits of struct drm_quill_dev_info: what came after the first version. */
/** DRM_QUILL_FEATURE_BO_SEAL: BO_SEAL, and read-only dma-bufs stay so. */
#define DRM_QUILL_FEATURE_BO_SEAL	(1ull << 0)
/** DRM_QUILL_FEATURE_USER_QUEUES: DRM_QUILL_QUEUE_CREATE_USER, QUEUE_SIGNAL. */
#define DRM_QUILL_FEATURE_USER_QUEUES	(1ull << 1)
/** DRM_QUILL_FEATURE_BO_DEVICE: DRM_QUILL_BO_DEVICE, and @mem_free. */
#define DRM_QUILL_FEATURE_BO_DEVICE	(1ull << 2)
/** DRM_QUILL_FEATURE_BIND_ASYNC: VM_BIND knows DRM_QUILL_VM_BIND_ASYNC. */
#define DRM_QUILL_FEATURE_BIND_ASYNC	(1ull << 3)

/**
 * struct drm_quill_dev_info - what the device is and what it can do
 */
struct drm_quill_dev_info {
	/** @hw_version: major << 16 | minor. */
	__u32 hw_version;
	/** @fw_version: of the running firmware, major << 16 | minor. */
	__u32 fw_version;
	/** @features: feature bits. */
	__u64 features;
	/** @cores: control processors, each with its engines. */
	__u32 cores;
	/** @hw_queues: hardware queues, all cores together. */
	__u32 hw_queues;
	/** @clock_khz: device cycles in a millisecond. */
	__u32 clock_khz;
	/** @sram_size: bytes of scratchpad of a core, at device address QUILL_VA_SRAM. */
	__u32 sram_size;
	/** @mem_size: bytes of device memory for objects. */
	__u64 mem_size;
	/** @va_start: first device address that can be bound. */
	__u64 va_start;
	/** @va_end: first device address behind those that can be bound. */
	__u64 va_end;
	/** @page_size: granule of binds, in bytes. */
	__u32 page_size;
	/** @max_queues: queues that one user without CAP_SYS_ADMIN can have at once. */
	__u32 max_queues;
	/** @max_vms: VMs that one user without CAP_SYS_ADMIN can have at once. */
	__u32 max_vms;
	/** @reset_count: resets since the driver was bound, of any rung of the ladder. */
	__u32 reset_count;
	/** @max_timeout_ms: largest job timeout of a queue. */
	__u32 max_timeout_ms;
	/** @default_timeout_ms: what a queue created with timeout 0 gets. */
	__u32 default_timeout_ms;
	/** @max_stream_size: largest stream of one job, in bytes. */
	__u32 max_stream_size;
	/** @pad: zero. */
	__u32 pad;
	/** @mem_free: bytes of device memory that no object has, as of now. */
	__u64 mem_free;
};

/**
 * struct drm_quill_dev_resets - steps of the reset ladder since the driver was bound
 *
 * The first four add up to reset_count of struct drm_quill_dev_info.
 */
struct drm_quill_dev_resets {
	/** @job: jobs ended for running too long. */
	__u32 job;
	/** @core: restarts of one or more cores. */
	__u32 core;
	/** @device: resets of the whole device by the driver. */
	__u32 device;
	/** @function: resets of the function by others, as through sysfs. */
	__u32 function;
	/**
	 * @dead: 1: given up; every call that needs the hardware is -ENODEV until it is bound anew.
	 */
	__u32 dead;
	/** @banned: queues banned. */
	__u32 banned;
	/** @dumps: device coredumps taken. */
	__u32 dumps;
	/** @pad: zero. */
	__u32 pad;
};

/* ---- Buffer objects ---------------------------------------------------------- */

/** DRM_QUILL_BO_WC: map write-combined into processes; else cached. */
#define DRM_QUILL_BO_WC			(1u << 0)
/**
 * DRM_QUILL_BO_DEVICE: in device memory; always mapped write-combined. It outlasts resets and
 * sleep. After an unplug a mapping of it ends in SIGBUS. Its dma-buf is for other files of the
 * device and for mmap(): another device cannot attach it (-EOPNOTSUPP).
 */
#define DRM_QUILL_BO_DEVICE		(1u << 1)
#define DRM_QUILL_BO_FLAGS		(DRM_QUILL_BO_WC | DRM_QUILL_BO_DEVICE)

/**
 * struct drm_quill_bo_create - make a buffer object, in system memory if no flag says other
 *
 * It reads as zero. Where the system bounces DMA, all are in device memory. Freed with
 * DRM_IOCTL_GEM_CLOSE, when its binds and jobs are done too.
 *
 * Errors: -EINVAL (size 0, flags), -ENOMEM, -ENOSPC (not as much device memory is free), -E2BIG
 * (size over that of the address space), -ENODEV.
 */
struct drm_quill_bo_create {
	/** @size: in: bytes wanted; out: rounded up to whole pages. */
	__u64 size;
	/** @flags: DRM_QUILL_BO_*. */
	__u32 flags;
	/** @handle: out: GEM handle. */
	__u32 handle;
};

/**
 * struct drm_quill_bo_mmap_offset - what to pass to mmap() as offset
 *
 * Errors: -ENOENT (handle).
 */
struct drm_quill_bo_mmap_offset {
	/** @handle: GEM handle. */
	__u32 handle;
	/** @flags: zero. */
	__u32 flags;
	/** @offset: out: for mmap() on the device's file descriptor. */
	__u64 offset;
};

/**
 * struct drm_quill_bo_seal - make an object read-only, for good
 *
 * From then on processes cannot map it with PROT_WRITE nor make it so with mprotect(), VM_BIND has
 * to say DRM_QUILL_BIND_READONLY, and DRM_IOCTL_PRIME_HANDLE_TO_FD cannot say DRM_RDWR: -EACCES. A
 * dma-buf of others whose file is read-only is such an object from its import on. To seal what is
 * read-only does nothing.
 *
 * Errors: -ENOENT (handle), -EINVAL (flags; a dma-buf of others), -EBUSY (it is bound without
 * DRM_QUILL_BIND_READONLY, or mapped so that mprotect() could make it writable, or was exported).
 */
struct drm_quill_bo_seal {
	/** @handle: GEM handle. */
	__u32 handle;
	/** @flags: zero. */
	__u32 flags;
};

/* ---- Synchronisation ---------------------------------------------------------- */

/** DRM_QUILL_SYNC_SIGNAL: signal when the job or bind ends; without it: wait before it starts. */
#define DRM_QUILL_SYNC_SIGNAL		(1u << 0)
#define DRM_QUILL_SYNC_FLAGS		(DRM_QUILL_SYNC_SIGNAL)

/**
 * struct drm_quill_sync - a syncobj to wait for or to signal
 */
struct drm_quill_sync {
	/** @handle: of a DRM syncobj. */
	__u32 handle;
	/** @flags: DRM_QUILL_SYNC_*. */
	__u32 flags;
	/** @point: timeline point, or 0 for a binary syncobj. */
	__u64 point;
};

/** DRM_QUILL_MAX_SYNCS: most entries of @syncs. */
#define DRM_QUILL_MAX_SYNCS		64

/* ---- Address spaces ----------------------------------------------------------- */

/**
 * struct drm_quill_vm_create - make an address space
 *
 * Errors: -EINVAL, -ENOSPC (no address space left, or the user's share is used up).
 */
struct drm_quill_vm_create {
	/** @flags: zero. */
	__u32 flags;
	/** @vm_id: out: id, never 0. */
	__u32 vm_id;
};

/**
 * struct drm_quill_vm_destroy - give an address space back
 *
 * Queues that were made on it keep it alive; nothing more can be bound, and asynchronous binds
 * whose turn has not come are cancelled.
 *
 * Errors: -ENOENT, -EINVAL (pad).
 */
struct drm_quill_vm_destroy {
	/** @vm_id: of VM_CREATE. */
	__u32 vm_id;
	/** @pad: zero. */
	__u32 pad;
};

/** enum drm_quill_bind_op_type - what one operation of VM_BIND does */
enum drm_quill_bind_op_type {
	/** @DRM_QUILL_BIND_MAP: map a range of an object; the addresses must be free. */
	DRM_QUILL_BIND_MAP = 0,
	/** @DRM_QUILL_BIND_UNMAP: unmap a range, splitting mappings at its ends as needed. */
	DRM_QUILL_BIND_UNMAP = 1,
	/** @DRM_QUILL_BIND_UNMAP_ALL: unmap all that is mapped; every other field is 0. */
	DRM_QUILL_BIND_UNMAP_ALL = 2,
};

/** DRM_QUILL_BIND_READONLY: MAP: the device may not write. */
#define DRM_QUILL_BIND_READONLY		(1u << 0)
#define DRM_QUILL_BIND_FLAGS		(DRM_QUILL_BIND_READONLY)

/**
 * struct drm_quill_bind_op - one operation of VM_BIND
 *
 * @va, @size and @bo_offset are multiples of the page size.
 */
struct drm_quill_bind_op {
	/** @op: enum drm_quill_bind_op_type. */
	__u32 op;
	/** @flags: DRM_QUILL_BIND_*. */
	__u32 flags;
	/** @handle: MAP: GEM handle; UNMAP: 0. */
	__u32 handle;
	/** @pad: zero. */
	__u32 pad;
	/** @bo_offset: MAP: where in the object the range starts; UNMAP: 0. */
	__u64 bo_offset;
	/** @va: device address. */
	__u64 va;
	/** @size: bytes, not 0 (but with UNMAP_ALL). */
	__u64 size;
};

/** DRM_QUILL_MAX_BIND_OPS: most operations of one call. */
#define DRM_QUILL_MAX_BIND_OPS		4096

/**
 * DRM_QUILL_VM_BIND_ASYNC: the call does not wait: the operations are done when what @syncs wait
 * for has signalled and all binds before it have ended. Feature DRM_QUILL_FEATURE_BIND_ASYNC.
 */
#define DRM_QUILL_VM_BIND_ASYNC		(1u << 0)
#define DRM_QUILL_VM_BIND_FLAGS		(DRM_QUILL_VM_BIND_ASYNC)

/**
 * struct drm_quill_vm_bind - change an address space
 *
 * The operations are done in order, before the call returns or, with ASYNC, before its fence
 * signals. If one fails those before it stay done, and @done tells how many. Binds of one VM are
 * done in the order of their calls, asynchronous ones or not.
 *
 * With ASYNC, what can be told at once is: then nothing is queued. The fence ends with 0, -EEXIST,
 * -ETIMEDOUT, -ECANCELED (the VM was destroyed, or its file closed, before its turn came) or
 * -ENODEV. Each bind is done whatever became of those before it.
 *
 * Errors: -ENOENT (VM, object, syncobj), -EACCES (the object is read-only), -EINVAL (alignment,
 * size 0, flags, pads, range outside the object, or outside [va_start, va_end), or it wraps; syncs
 * without ASYNC; a syncobj to wait for that has no fence yet), -EEXIST (MAP on a range in use),
 * -ENOMEM, -E2BIG (too many operations or syncs), -EFAULT, -ENODEV, -ETIMEDOUT (device did not drop
 * the old translations).
 */
struct drm_quill_vm_bind {
	/** @vm_id: of VM_CREATE. */
	__u32 vm_id;
	/** @flags: DRM_QUILL_VM_BIND_*. */
	__u32 flags;
	/** @ops: of struct drm_quill_bind_op; with ASYNC none is fine too. */
	struct drm_quill_array ops;
	/** @done: out: operations done; 0 with ASYNC. */
	__u32 done;
	/** @pad: zero. */
	__u32 pad;
	/** @syncs: of struct drm_quill_sync; only with ASYNC. */
	struct drm_quill_array syncs;
};

/* ---- Queues -------------------------------------------------------------------- */

/** enum drm_quill_priority - which queue goes first */
enum drm_quill_priority {
	/** @DRM_QUILL_PRIORITY_LOW: batch work. */
	DRM_QUILL_PRIORITY_LOW = 0,
	/** @DRM_QUILL_PRIORITY_MEDIUM: what most want. */
	DRM_QUILL_PRIORITY_MEDIUM = 1,
	/** @DRM_QUILL_PRIORITY_HIGH: needs CAP_SYS_NICE or DRM master. */
	DRM_QUILL_PRIORITY_HIGH = 2,
};

/**
 * DRM_QUILL_QUEUE_CREATE_USER: a user-mode queue: the process writes the ring and rings the
 * doorbell, without SUBMIT; see "User-mode queues" below. Feature DRM_QUILL_FEATURE_USER_QUEUES.
 */
#define DRM_QUILL_QUEUE_CREATE_USER	(1u << 0)
#define DRM_QUILL_QUEUE_CREATE_FLAGS	(DRM_QUILL_QUEUE_CREATE_USER)

/**
 * struct drm_quill_queue_create - make a queue
 *
 * Jobs of one queue run in the order of their submission.
 *
 * Errors: -ENOENT (VM), -EINVAL (priority, flags, timeout over max_timeout_ms), -EACCES (priority),
 * -ENOSPC (no hardware queue left, or the user's share is used up), -EOPNOTSUPP (USER, and the
 * system bounces DMA), -ENODEV.
 */
struct drm_quill_queue_create {
	/** @vm_id: address space of its jobs. */
	__u32 vm_id;
	/** @priority: enum drm_quill_priority. */
	__u32 priority;
	/** @flags: DRM_QUILL_QUEUE_CREATE_*. */
	__u32 flags;
	/** @timeout_ms: a job that runs longer is ended; 0: the default. */
	__u32 timeout_ms;
	/** @queue_id: out: id, never 0. */
	__u32 queue_id;
	/** @pad: zero. */
	__u32 pad;
	/**
	 * @max_faults: so many jobs in a row that fail, for whatever reason, ban the queue; 0: any
	 * number may.
	 */
	__u32 max_faults;
	/** @pad2: zero. */
	__u32 pad2;
	/** @map_offset: out: USER: where its parts are for mmap(); else 0. */
	__u64 map_offset;
	/** @entries: out: USER: of the ring, and of the ring of records; else 0. */
	__u32 entries;
	/** @pad3: zero. */
	__u32 pad3;
};

/**
 * struct drm_quill_queue_destroy - end a queue
 *
 * Jobs that have not finished are cancelled; their fences signal with -ECANCELED.
 *
 * Errors: -ENOENT, -EINVAL (pad).
 */
struct drm_quill_queue_destroy {
	/** @queue_id: of QUEUE_CREATE. */
	__u32 queue_id;
	/** @pad: zero. */
	__u32 pad;
};

/** DRM_QUILL_QUEUE_FAULTED: at least one job of it has failed; @fault_* describe the last. */
#define DRM_QUILL_QUEUE_FAULTED		(1u << 0)
/**
 * DRM_QUILL_QUEUE_BANNED: it takes no more jobs (-ECANCELED): ending a job of it took a restart; or
 * too many in a row ran too long (the driver's parameter max_timeouts), or failed (@max_faults).
 */
#define DRM_QUILL_QUEUE_BANNED		(1u << 1)

/** DRM_QUILL_QUEUE_HISTORY: of how many of its last jobs a queue remembers the counters. */
#define DRM_QUILL_QUEUE_HISTORY		64

/**
 * struct drm_quill_queue_query - state, last fault and counters of a queue
 *
 * A job's counters are added before its fences signal. Counters are those of the device's enum
 * quill_counter: sums over the queue's jobs, modulo 2^64, or with @of_job those of one. They add
 * up: for each engine, @busy + @stall_dependency + @stall_firmware + @idle = @cycles; and what of
 * @busy is not @stall_memory is arithmetic.
 *
 * Errors: -ENOENT (queue; @of_job is none of the last DRM_QUILL_QUEUE_HISTORY that the device has
 * completed).
 */
struct drm_quill_queue_query {
	/** @queue_id: of QUEUE_CREATE. */
	__u32 queue_id;
	/** @state: out: DRM_QUILL_QUEUE_*. */
	__u32 state;
	/** @jobs: out: jobs that ended, well or not. */
	__u64 jobs;
	/** @faults: out: of these, those that failed. */
	__u64 faults;
	/** @cycles: out: device cycles. */
	__u64 cycles;
	/** @busy: out: device cycles that TENSOR, VECTOR and DMA worked. */
	__u64 busy[3];
	/** @commands: out: commands executed. */
	__u64 commands;
	/** @macs: out: multiply-accumulates. */
	__u64 macs;
	/** @bytes_read: out: bytes that engines read from memory. */
	__u64 bytes_read;
	/** @bytes_written: out: bytes that engines wrote to memory. */
	__u64 bytes_written;
	/** @fault_job: out: job number (of SUBMIT) of the last fault. */
	__u64 fault_job;
	/** @fault_addr: out: device address at fault, or offset of the bad field in its command. */
	__u64 fault_addr;
	/** @fault_status: out: enum quill_fault. */
	__u32 fault_status;
	/** @fault_command: out: index of the command in @fault_stream (64-byte records). */
	__u32 fault_command;
	/** @fault_access: out: enum quill_access. */
	__u32 fault_access;
	/** @fault_engine: out: enum quill_engine. */
	__u32 fault_engine;
	/** @fault_elapsed_ms: out: after a timeout, how long the job had run; else 0. */
	__u32 fault_elapsed_ms;
	/** @timeout_ms: out: the queue's limit. */
	__u32 timeout_ms;
	/** @of_job: in: number (of SUBMIT) of the job whose counters are wanted; 0: the sums. */
	__u64 of_job;
	/** @stall_memory: out: of @busy, device cycles that the engine waited for memory. */
	__u64 stall_memory[3];
	/**
	 * @stall_dependency: out: device cycles that the engine's next command waited for others.
	 */
	__u64 stall_dependency[3];
	/**
	 * @stall_firmware: out: device cycles that the engine's next command was not decoded yet.
	 */
	__u64 stall_firmware[3];
	/** @idle: out: device cycles from the engine's last command to its job's end. */
	__u64 idle[3];
	/** @vector_ops: out: float32 operations. */
	__u64 vector_ops;
	/** @sram_read: out: bytes that engines read from the scratchpad. */
	__u64 sram_read;
	/** @sram_written: out: bytes that engines wrote to the scratchpad. */
	__u64 sram_written;
	/** @link_bytes: out: bytes of streams. */
	__u64 link_bytes;
	/** @energy_pj: out: picojoules, as the device's timing profile has them. */
	__u64 energy_pj;
	/**
	 * @fault_stream: out: device address of the stream that @fault_command counts in: the
	 * job's, or one that it called.
	 */
	__u64 fault_stream;
};

/* ---- Jobs ----------------------------------------------------------------------- */

/** DRM_QUILL_MAX_STREAM_SIZE: largest @stream_size (bytes). */
#define DRM_QUILL_MAX_STREAM_SIZE	(1u << 30)

/**
 * struct drm_quill_submit - run a command stream
 *
 * The commands are read by the device, from the queue's VM, when the job runs. Every fence signals:
 * with 0, -EIO (a command failed: ask QUEUE_QUERY), -ETIME (timeout), -ECANCELED, -ENODEV.
 *
 * Errors: -ENOENT (queue, syncobj), -EINVAL (address, size, flags, pads; a user-mode queue; a
 * syncobj to wait for that has no fence yet), -ECANCELED (queue is banned), -E2BIG (too many
 * syncs), -ENOMEM, -EFAULT, -ENODEV.
 */
struct drm_quill_submit {
	/** @queue_id: of QUEUE_CREATE. */
	__u32 queue_id;
	/** @flags: zero. */
	__u32 flags;
	/** @stream: device address of the first command, a multiple of 64. */
	__u64 stream;
	/** @stream_size: bytes, a multiple of 64, 64..DRM_QUILL_MAX_STREAM_SIZE. */
	__u32 stream_size;
	/** @pad: zero. */
	__u32 pad;
	/** @syncs: of struct drm_quill_sync. */
	struct drm_quill_array syncs;
	/** @job: out: number of the job, unique on its queue. */
	__u64 job;
};

/* ---- User-mode queues ------------------------------------------------------------- */

/*
 * Job n of the queue (1, 2, 3, ...) is descriptor (n - 1) % entries, a struct quill_job_desc
 * (quill/fw_abi.h); its record, a struct quill_job_cpl, is there when the record's seq, the low
 * half of n, is. A descriptor may be written anew when the job before it in its place has its
 * record.
 *
 * To submit: write descriptors; then, with release semantics, control.tail = the low half of the
 * last job's n; then the same 32-bit number to the doorbell page, at its first byte. To wait: look
 * for the record (acquire), or, if QUILL_JOB_QUIET spared the interrupt or not, QUEUE_SIGNAL.
 * state.error ends every wait: then no more records come.
 *
 * A job that runs longer than timeout_ms, and all behind it in the ring, end with
 * QUILL_FAULT_KILLED. A doorbell that is further ahead of the records than the ring has entries
 * bans the queue. After a restart of the hardware, what has no record runs again, by itself.
 *
 * Mappings outlive the queue and the device: they then lead nowhere. They are MAP_SHARED, whole,
 * and lie at map_offset plus:
 */
/** DRM_QUILL_USER_DOORBELL: one page, to write. */
#define DRM_QUILL_USER_DOORBELL		0x00000
/**
 * DRM_QUILL_USER_RING: entries descriptors, up to a page's end; then a page that begins with struct
 * drm_quill_user_control. To read and write.
 */
#define DRM_QUILL_USER_RING		0x10000
/**
 * DRM_QUILL_USER_STATE: a page that begins with struct drm_quill_user_state; then entries records.
 * To read: PROT_WRITE is -EACCES.
 */
#define DRM_QUILL_USER_STATE		0x20000

/**
 * struct drm_quill_user_control - what the process tells of its ring
 */
struct drm_quill_user_control {
	/** @tail: what was rung last: read if a doorbell is to be rung again. */
	__u32 tail;
	/** @pad: zero. */
	__u32 pad;
};

/**
 * struct drm_quill_user_state - what the driver tells of the queue
 */
struct drm_quill_user_state {
	/** @error: 0, or a positive errno: the queue has ended (as SUBMIT's errors). */
	__u32 error;
	/** @restarts: how often its core was restarted while jobs had no record: they run again. */
	__u32 restarts;
};

/**
 * struct drm_quill_queue_signal - signal a syncobj when a job of a user-mode queue has ended
 *
 * The job has been rung. The syncobj gets a fence, which ends with 0, -EIO (it failed: see its
 * record), -ETIME (it ran too long), -ECANCELED (cancelled; queue banned or closed; or the queue
 * came to rest without it) or -ENODEV. It takes QUILL_JOB_QUIET from the job's descriptor. The
 * error of a job whose record has been overwritten is forgotten: 0.
 *
 * Errors: -ENOENT (queue, syncobj), -EINVAL (no user-mode queue; count 0, or over jobs ended +
 * entries; flags, pad), -ENOSPC (256 wait already), -ECANCELED (queue is banned), -ENOMEM, -ENODEV.
 */
struct drm_quill_queue_signal {
	/** @queue_id: of QUEUE_CREATE. */
	__u32 queue_id;
	/** @syncobj: handle of a DRM syncobj. */
	__u32 syncobj;
	/** @point: timeline point, or 0 for a binary syncobj. */
	__u64 point;
	/** @count: n of the job: 64 bits, never wraps. */
	__u64 count;
	/** @flags: zero. */
	__u32 flags;
	/** @pad: zero. */
	__u32 pad;
};

#if defined(__cplusplus)
}
#endif

#endif /* QUILL_ACCEL_DRM_H */
