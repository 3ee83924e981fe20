/* SPDX-License-Identifier: MIT */
/*
 * libaccel: applications' way to a Quill inference accelerator.
 *
 * Layers, each usable without those below it in this file:
 *
 *   device, buffer objects, address spaces, queues	what the kernel driver offers
 *   streams and commands				what the device executes
 *   quantise, pack					native helpers on plain memory
 *   operations on tensors				one call: copy in, run, wait, copy out
 *
 * Rules that hold for all of it:
 *
 * - A function that can fail returns 0 or a negative errno value (unless it says otherwise), and
 *   has then changed nothing that the caller can see. What was wrong and what was expected stands
 *   in accel_last_error() of the device that the object belongs to.
 * - A pointer to a result is written on success only.
 * - Every object (device, bo, vm, queue, stream, ...) may be destroyed in any order: it holds what
 *   it needs. Destroying NULL does nothing.
 * - Nothing is printed, unless ACCEL_LOG_LEVEL is set when the device is opened: 1 errors, 2 also
 *   objects made and destroyed, 3 also submits and waits. It goes to standard error.
 * - No threads, no signals, no global state. Threads may use different objects of one device
 *   at the same time (submit on one queue, wait on another, encode a third stream); one and the
 *   same object is for one thread at a time. accel_last_error() is that of the device's last
 *   failure in any thread.
 * - Addresses named va and those in commands are device addresses of one vm. Sizes are bytes and
 *   strides elements, unless stated.
 *
 * Experts find the raw commands in <quill/isa.h> and the ioctls in <drm/quill_accel.h>, beside this
 * file.
 */
#ifndef ACCEL_H
#define ACCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ACCEL_VERSION_MAJOR	0
#define ACCEL_VERSION_MINOR	1

struct accel_device;
struct accel_bo;
struct accel_vm;
struct accel_queue;
struct accel_stream;
struct accel_weights;
struct accel_ops;

/* ---- Device ------------------------------------------------------------------- */

/** ACCEL_PATH_MAX: room for the path of a device, with its final zero. */
#define ACCEL_PATH_MAX	64
/** ACCEL_ERROR_MAX: no text of an error is longer, with its final zero. */
#define ACCEL_ERROR_MAX	512

/**
 * struct accel_device_info - what a device is and what it can do
 */
struct accel_device_info {
	/** @path: that was opened. */
	char path[ACCEL_PATH_MAX];
	/** @driver: name of the kernel driver: "quill". */
	char driver[32];
	/** @driver_major: version of the driver. */
	uint32_t driver_major;
	/** @driver_minor: version of the driver. */
	uint32_t driver_minor;
	/** @hw_major: version of the hardware. */
	uint32_t hw_major;
	/** @hw_minor: version of the hardware. */
	uint32_t hw_minor;
	/** @fw_major: version of the running firmware. */
	uint32_t fw_major;
	/** @fw_minor: version of the running firmware. */
	uint32_t fw_minor;
	/** @features: of the driver, DRM_QUILL_FEATURE_* in drm/quill_accel.h. */
	uint64_t features;
	/** @mem_size: bytes of device memory for objects. */
	uint64_t mem_size;
	/** @va_start: first device address that can be bound. */
	uint64_t va_start;
	/** @va_end: first device address behind those that can be bound. */
	uint64_t va_end;
	/** @cores: control processors, each with its engines. */
	uint32_t cores;
	/** @hw_queues: hardware queues, all cores together. */
	uint32_t hw_queues;
	/** @clock_khz: device cycles in a millisecond of device time. */
	uint32_t clock_khz;
	/** @sram_size: bytes of scratchpad of a core. */
	uint32_t sram_size;
	/** @page_size: granule of binds. */
	uint32_t page_size;
	/** @max_queues: queues that an ordinary user can have at once. */
	uint32_t max_queues;
	/** @max_vms: address spaces that an ordinary user can have at once. */
	uint32_t max_vms;
	/** @reset_count: resets since the driver was bound. */
	uint32_t reset_count;
	/** @max_timeout_ms: largest job timeout of a queue. */
	uint32_t max_timeout_ms;
	/** @default_timeout_ms: job timeout of a queue that asks for none. */
	uint32_t default_timeout_ms;
	/** @max_stream_size: largest stream of one job, in bytes. */
	uint32_t max_stream_size;
	/** @pad: zero. */
	uint32_t pad;
	/** @mem_free: bytes of device memory that no object has. */
	uint64_t mem_free;
	/** @reserved: zero. */
	uint32_t reserved[6];
};

/**
 * accel_device_list() - find the Quill devices of this machine
 * @paths: filled with the paths of the first @max of them, in the order of their numbers; may be
 *	NULL if @max is 0
 * @max: room in @paths
 *
 * Nodes that this user may not open are left out.
 *
 * Return: how many there are (maybe more than @max), or a negative errno value.
 */
int accel_device_list(char (*paths)[ACCEL_PATH_MAX], unsigned int max);

/**
 * accel_device_open() - open a device
 * @path: of its node ("/dev/accel/accel0"), or NULL: the first node there whose driver is quill.
 *	"emu:" (the device in this process) is reserved and not supported yet
 * @out: the handle; close it with accel_device_close()
 * @err: on failure, what was wrong and what was expected; may be NULL
 * @err_size: bytes of @err; ACCEL_ERROR_MAX is always enough
 *
 * Return: 0, -ENODEV (no such node, or its driver is not quill), -EACCES (no permission), -ENOTSUP
 * ("emu:"), -ENOMEM, or what open() says.
 */
int accel_device_open(const char *path, struct accel_device **out, char *err, size_t err_size);

/**
 * accel_device_close() - give a handle back; objects made from it stay usable until they are
 * destroyed
 */
void accel_device_close(struct accel_device *dev);

/**
 * accel_device_info() - describe the device, as of now
 * @dev: the device
 * @info: filled in
 *
 * Return: 0, -ENODEV (it is gone).
 */
int accel_device_info(struct accel_device *dev, struct accel_device_info *info);

/**
 * accel_last_error() - what the last failure on this device was
 * @dev: the device
 *
 * Return: a sentence without a newline, "" if nothing has failed yet; it belongs to @dev and
 * changes with the next failure.
 */
const char *accel_last_error(struct accel_device *dev);

/** accel_device_fd() - the open node, for ioctls that this library lacks; it stays the library's */
int accel_device_fd(struct accel_device *dev);

/* ---- Buffer objects -------------------------------------------------------------- */

/** ACCEL_BO_WC: map write-combined into the process (written once, hardly read); else cached. */
#define ACCEL_BO_WC	(1u << 0)
/** ACCEL_BO_DEVICE: in the device's own memory; mapped write-combined. */
#define ACCEL_BO_DEVICE	(1u << 1)

/**
 * accel_bo_create() - make a buffer object, in system memory if no flag says other; it reads as zero
 * @dev: the device
 * @size: bytes, over 0; rounded up to whole pages
 * @flags: ACCEL_BO_*
 * @out: the object; give it back with accel_bo_destroy()
 *
 * Return: 0, -EINVAL (size 0, unknown flag), -ENOMEM, -ENOSPC (not as much device memory is free), -E2BIG.
 */
int accel_bo_create(struct accel_device *dev, size_t size, uint32_t flags, struct accel_bo **out);

/** accel_bo_destroy() - unmap and give back; addresses that it is bound at keep its memory */
void accel_bo_destroy(struct accel_bo *bo);

/** accel_bo_size() - bytes of an object: whole pages */
size_t accel_bo_size(const struct accel_bo *bo);

/** accel_bo_handle() - the GEM handle, for experts */
uint32_t accel_bo_handle(const struct accel_bo *bo);

/**
 * accel_bo_map() - make an object's memory visible to the process
 * @bo: the object
 * @ptr: where it is, page aligned; valid until accel_bo_destroy(). A second call gives the same
 *
 * Memory is coherent with the device: no flushing. A job's results are there when its wait has
 * returned.
 *
 * Return: 0, -ENOMEM, or what mmap() says.
 */
int accel_bo_map(struct accel_bo *bo, void **ptr);

/**
 * accel_bo_seal() - make an object read-only, for the device and every process, for good
 * @bo: the object: bound nowhere but with ACCEL_BIND_READONLY, and mapped by no other process
 *
 * What accel_bo_map() gave is void from here on, even on an error; it maps again, to read.
 *
 * Return: 0, -EBUSY (somebody can still write, or it was exported).
 */
int accel_bo_seal(struct accel_bo *bo);

/**
 * accel_bo_export() - an object as a dma-buf, for other processes, devices and drivers
 * @bo: the object
 * @fd: the dma-buf, close-on-exec; the caller's to close. Of a sealed object it is read-only
 *
 * Return: 0, or what the driver says.
 */
int accel_bo_export(struct accel_bo *bo, int *fd);

/**
 * accel_bo_import() - an object for the memory of a dma-buf
 * @dev: the device
 * @fd: the dma-buf; may be closed afterwards
 * @out: the object; give it back with accel_bo_destroy(). Of memory that @dev has shared already it is
 *	the same one, to be given back once for each call
 *
 * Return: 0, -EBADF, -EINVAL (no dma-buf, or not of whole pages), -EACCES (a read-only one of an object of
 * this device that is not sealed), -EOPNOTSUPP (device memory of another device), -ENOMEM.
 */
int accel_bo_import(struct accel_device *dev, int fd, struct accel_bo **out);

/* ---- Address spaces ---------------------------------------------------------------- */

/** ACCEL_BIND_READONLY: the device may not write there. */
#define ACCEL_BIND_READONLY	(1u << 0)

/**
 * struct accel_wait - a job, or a bind, to wait for before something else is done
 */
struct accel_wait {
	/** @queue: of the same device; NULL: a bind is meant. */
	struct accel_queue *queue;
	/** @point: of accel_queue_submit() on @queue or of a bind of @vm; 0: nothing to wait for. */
	uint64_t point;
	/** @vm: of the same device; used if @queue is NULL. */
	struct accel_vm *vm;
};

/** ACCEL_MAX_WAITS: most waits of one call. */
#define ACCEL_MAX_WAITS	62

/** ACCEL_WAIT_FOREVER: timeout that never ends; a job's own limit still does. */
#define ACCEL_WAIT_FOREVER	INT64_MAX

/**
 * accel_vm_create() - make an address space
 * @dev: the device
 * @out: the space; give it back with accel_vm_destroy()
 *
 * Return: 0, -ENOSPC (none left, or the user's share is used up), -ENOMEM.
 */
int accel_vm_create(struct accel_device *dev, struct accel_vm **out);

/** accel_vm_destroy() - give a space back; queues, streams and buffers made on it keep it */
void accel_vm_destroy(struct accel_vm *vm);

/** accel_vm_device() - the device of a space */
struct accel_device *accel_vm_device(struct accel_vm *vm);

/**
 * accel_vm_bind() - show a range of an object to the device
 * @vm: the space
 * @bo: the object, of the same device; may be destroyed afterwards, its memory stays while bound
 * @offset: where in @bo the range starts, a multiple of the page size
 * @size: bytes, a multiple of the page size; 0: from @offset to the object's end
 * @flags: ACCEL_BIND_*
 * @va: in: the device address wanted, a multiple of the page size, or 0: the library chooses
 *	(2 MiB aligned for 2 MiB and more, and with an unmapped page before and behind). Out: the
 *	device address
 *
 * Return: 0, -EINVAL (alignment, range outside the object or the space, unknown flag), -EEXIST
 * (part of the range at *@va is in use), -ENOSPC (no free range that large), -ENOMEM.
 */
int accel_vm_bind(struct accel_vm *vm, struct accel_bo *bo, uint64_t offset, uint64_t size,
		  uint32_t flags, uint64_t *va);

/**
 * accel_vm_unbind() - take a range of addresses from the device
 * @vm: the space
 * @va: first address, a multiple of the page size
 * @size: bytes, over 0, a multiple of the page size; may cover part of a bind, several, or gaps
 *
 * Jobs that still use the range will fault.
 *
 * Return: 0, -EINVAL (alignment, size, range outside the space), -ENOMEM.
 */
int accel_vm_unbind(struct accel_vm *vm, uint64_t va, uint64_t size);

/**
 * accel_vm_bind_async() - bind when others have ended, without waiting for it
 * @vm, @bo, @offset, @size, @flags, @va: as of accel_vm_bind(); the address is settled at once
 * @waits: jobs and binds that must have ended (well or not) before; NULL if @n_waits is 0
 * @n_waits: 0..ACCEL_MAX_WAITS
 * @point: the bind's point on the space's timeline: 1, 2, 3, ..., for accel_vm_wait() and struct
 *	accel_wait; may be NULL
 *
 * Binds and unbinds of a space are done in the order of their calls, those that do not wait
 * and those that do.
 *
 * Return: 0, -EINVAL (as accel_vm_bind(); waits), -EEXIST, -ENOSPC, -ENOMEM, -ENODEV.
 */
int accel_vm_bind_async(struct accel_vm *vm, struct accel_bo *bo, uint64_t offset, uint64_t size,
			uint32_t flags, uint64_t *va, const struct accel_wait *waits,
			unsigned int n_waits, uint64_t *point);

/**
 * accel_vm_unbind_async() - unbind when others have ended, without waiting for it
 * @vm, @va, @size: as of accel_vm_unbind()
 * @waits, @n_waits, @point: as of accel_vm_bind_async(); with the jobs that use the range, none faults
 *
 * The addresses can be bound again at once: that is done behind it.
 *
 * Return: 0, -EINVAL (alignment, size, range outside the space, waits), -ENOMEM, -ENODEV.
 */
int accel_vm_unbind_async(struct accel_vm *vm, uint64_t va, uint64_t size,
			  const struct accel_wait *waits, unsigned int n_waits, uint64_t *point);

/**
 * accel_vm_wait() - wait until a bind or unbind, and so all before it on its space, has been done
 * @vm: the space
 * @point: of accel_vm_bind_async() or accel_vm_unbind_async(); 0 is always over
 * @timeout_ns: longest wait in nanoseconds; 0: only look; ACCEL_WAIT_FOREVER
 *
 * Return: 0; -ETIMEDOUT if it has not ended yet; -EINVAL if there is no such point; -ENODEV.
 */
int accel_vm_wait(struct accel_vm *vm, uint64_t point, int64_t timeout_ns);

/**
 * struct accel_buffer - memory that process and device share: object, bind and map in one
 */
struct accel_buffer {
	/** @ptr: where the process sees it, page aligned. */
	void *ptr;
	/** @va: where the device sees it, page aligned. */
	uint64_t va;
	/** @size: bytes: whole pages. */
	size_t size;
	/** @bo: the object. */
	struct accel_bo *bo;
	/** @vm: the space; held by the buffer. */
	struct accel_vm *vm;
};

/**
 * accel_buffer_create() - make a buffer; it reads as zero
 * @vm: the space
 * @size: bytes, over 0; rounded up to whole pages
 * @out: filled in; give it back with accel_buffer_destroy()
 *
 * Return: 0, or as accel_bo_create(), accel_vm_bind() and accel_bo_map().
 */
int accel_buffer_create(struct accel_vm *vm, size_t size, struct accel_buffer *out);

/**
 * accel_buffer_destroy() - unbind, unmap, give back, and set *@buf to zero; a zero buffer is left
 * alone
 */
void accel_buffer_destroy(struct accel_buffer *buf);

/* ---- Streams ----------------------------------------------------------------------- */

/** ACCEL_RECORD_SIZE: bytes of one record of a stream. */
#define ACCEL_RECORD_SIZE	64

/**
 * accel_stream_create() - make an empty stream
 * @vm: the space that its commands' addresses are in
 * @max_records: room; GEMM, ATTENTION, RMSNORM and LAYERNORM take two records each, the other
 *	commands one
 * @out: the stream; give it back with accel_stream_destroy()
 *
 * Return: 0, -EINVAL (@max_records 0 or over the device's largest stream), or as
 * accel_buffer_create().
 */
int accel_stream_create(struct accel_vm *vm, uint32_t max_records, struct accel_stream **out);

/** accel_stream_destroy() - give a stream back; a submit that has not finished keeps its memory */
void accel_stream_destroy(struct accel_stream *stream);

/**
 * accel_stream_reset() - empty a stream. No job of it may be under way: the device reads this very
 * memory
 */
void accel_stream_reset(struct accel_stream *stream);

/** accel_stream_records() - records written so far: the index that the next command gets */
uint32_t accel_stream_records(const struct accel_stream *stream);

/** accel_stream_va() - device address of record 0 */
uint64_t accel_stream_va(const struct accel_stream *stream);

/** accel_stream_data() - the records, to read: accel_stream_records() of union quill_cmd */
const void *accel_stream_data(const struct accel_stream *stream);

/**
 * accel_stream_emit() - append one command that the caller has encoded
 * @stream: the stream
 * @records: union quill_cmd, with its extension record if it has one
 * @count: records at @records; those that the command takes
 *
 * Return: 0, -EINVAL (it breaks a rule of isa.h), -ENOSPC (stream is full).
 */
int accel_stream_emit(struct accel_stream *stream, const void *records, uint32_t count);

/**
 * accel_stream_print() - write commands as text, every field by its name
 * @out: where to
 * @records: union quill_cmd, of a stream (accel_stream_data()) or of a file; no device is needed
 * @count: records
 * @json: as one JSON array, an object a command; else for people
 *
 * A command that breaks a rule is written with what is wrong and what is required. Behind a PATCH, which makes another
 * command of it that only the device sees, this is a remark, beside what the PATCH adds.
 *
 * Return: how many commands break a rule, or -EIO.
 */
int accel_stream_print(FILE *out, const void *records, uint32_t count, bool json);

#include "accel_cmd.h"

/* ---- Queues ------------------------------------------------------------------------- */

/** enum accel_priority - which queue goes first */
enum accel_priority {
	/** @ACCEL_PRIORITY_DEFAULT: medium. */
	ACCEL_PRIORITY_DEFAULT = 0,
	/** @ACCEL_PRIORITY_LOW: batch work. */
	ACCEL_PRIORITY_LOW = 1,
	/** @ACCEL_PRIORITY_MEDIUM: what most want. */
	ACCEL_PRIORITY_MEDIUM = 2,
	/** @ACCEL_PRIORITY_HIGH: needs CAP_SYS_NICE. */
	ACCEL_PRIORITY_HIGH = 3,
};

/**
 * ACCEL_QUEUE_USER: the process serves the queue's ring itself: jobs are submitted, and found to have
 * ended, without a call of the system. For short jobs whose latency counts: waiting looks at memory for a
 * moment before it sleeps. A submit waits itself for the jobs that it is to wait for, and when 128 jobs
 * are under way, for the oldest; a job that runs too long takes those behind it along.
 */
#define ACCEL_QUEUE_USER	(1u << 0)

/**
 * struct accel_queue_params - of a queue; all zero: the defaults
 */
struct accel_queue_params {
	/** @priority: enum accel_priority. */
	enum accel_priority priority;
	/** @timeout_ms: a job that runs longer is ended; 0: the device's default. */
	uint32_t timeout_ms;
	/** @flags: ACCEL_QUEUE_*. */
	uint32_t flags;
};

/**
 * accel_queue_create() - make a queue: its jobs run one after the other
 * @vm: address space of its jobs
 * @params: or NULL: the defaults
 * @out: the queue; give it back with accel_queue_destroy()
 *
 * Return: 0, -EINVAL (priority, timeout over the device's largest), -EACCES (priority), -ENOSPC (no
 * hardware queue left, or the user's share is used up), -ENOMEM, -ENODEV.
 */
int accel_queue_create(struct accel_vm *vm, const struct accel_queue_params *params,
		       struct accel_queue **out);

/**
 * accel_queue_destroy() - end a queue; jobs that have not finished are cancelled. A workspace
 * (accel_ops) keeps its queue
 */
void accel_queue_destroy(struct accel_queue *queue);

/**
 * accel_queue_submit() - run a stream; does not wait
 * @queue: the queue
 * @stream: at least one record, of the queue's vm. It may be submitted again, but not changed while
 *	a job of it is under way
 * @waits: jobs of other queues, and binds, that must have ended (well or not) before; NULL if
 *	@n_waits is 0
 * @n_waits: 0..ACCEL_MAX_WAITS
 * @point: the job's point on the queue's timeline: 1, 2, 3, ...; may be NULL
 *
 * Return: 0, -EINVAL (empty stream, stream of another vm, jump out of the stream, waits),
 * -ECANCELED (a job of it could only be ended by a restart: it takes no more), -ENOMEM, -ENODEV.
 */
int accel_queue_submit(struct accel_queue *queue, struct accel_stream *stream,
		       const struct accel_wait *waits, unsigned int n_waits, uint64_t *point);

/**
 * accel_queue_wait() - wait until a job, and so all before it on its queue, has ended
 * @queue: the queue
 * @point: of accel_queue_submit(); 0 is always over
 * @timeout_ns: longest wait in nanoseconds; 0: only look; ACCEL_WAIT_FOREVER
 *
 * Return: 0 if that job ended well; -ETIMEDOUT if it has not ended yet; -EINVAL if there is no such
 * point. Else the job's error, and accel_last_error() tells the fault in words: -EIO (a command
 * failed), -ETIME (the job ran longer than the queue's limit), -ECANCELED, -ENODEV. Failures of the
 * last 64 failed jobs of a queue are remembered, so that each can be waited for in any order and
 * more than once.
 */
int accel_queue_wait(struct accel_queue *queue, uint64_t point, int64_t timeout_ns);

/**
 * struct accel_queue_stats - counters of a queue: the sums of all jobs that have ended
 */
struct accel_queue_stats {
	/** @jobs: that ended, well or not. */
	uint64_t jobs;
	/** @faults: of these, those that failed. */
	uint64_t faults;
	/** @cycles: device cycles. */
	uint64_t cycles;
	/** @busy_tensor: device cycles that the TENSOR engine worked. */
	uint64_t busy_tensor;
	/** @busy_vector: device cycles that the VECTOR engine worked. */
	uint64_t busy_vector;
	/** @busy_dma: device cycles that the DMA engine worked. */
	uint64_t busy_dma;
	/** @commands: executed. */
	uint64_t commands;
	/** @macs: multiply-accumulates. */
	uint64_t macs;
	/** @bytes_read: by the engines. */
	uint64_t bytes_read;
	/** @bytes_written: by the engines. */
	uint64_t bytes_written;
	/** @timeout_ms: the queue's limit for a job. */
	uint32_t timeout_ms;
	/** @banned: a job of it could only be ended by a restart: it takes no more. */
	bool banned;
};

/**
 * accel_queue_stats() - read a queue's counters; those of a job are in them when its wait returns
 */
int accel_queue_stats(struct accel_queue *queue, struct accel_queue_stats *stats);

/**
 * struct accel_engine_counters - what one engine did with a job's time, in device cycles
 *
 * The parts do not overlap, and add up to the cycles of struct accel_counters.
 */
struct accel_engine_counters {
	/** @compute: it worked. */
	uint64_t compute;
	/** @memory: it had a command, which waited for memory. */
	uint64_t memory;
	/** @dependency: its next command waited for others: semaphores, ORDERED, FENCE. */
	uint64_t dependency;
	/** @firmware: its next command was not decoded yet. */
	uint64_t firmware;
	/** @idle: it had no more commands. */
	uint64_t idle;
};

/**
 * struct accel_counters - what jobs cost on the modelled chip; of several jobs, the sums
 *
 * They depend on the commands and the device's timing profile alone. All are modulo 2^64.
 */
struct accel_counters {
	/** @cycles: device cycles, from start to end of a job. */
	uint64_t cycles;
	/** @tensor: the TENSOR engine. */
	struct accel_engine_counters tensor;
	/** @vector: the VECTOR engine. */
	struct accel_engine_counters vector;
	/** @dma: the DMA engine. */
	struct accel_engine_counters dma;
	/** @commands: executed. */
	uint64_t commands;
	/** @macs: multiply-accumulates. */
	uint64_t macs;
	/** @vector_ops: float32 operations. */
	uint64_t vector_ops;
	/** @bytes_read: from memory. */
	uint64_t bytes_read;
	/** @bytes_written: to memory. */
	uint64_t bytes_written;
	/** @sram_read: bytes, from the scratchpad. */
	uint64_t sram_read;
	/** @sram_written: bytes, to the scratchpad. */
	uint64_t sram_written;
	/** @link_bytes: of streams, from the host. */
	uint64_t link_bytes;
	/** @energy_pj: in picojoules. */
	uint64_t energy_pj;
};

/**
 * accel_queue_counters() - read the counters of one job, or of all that have ended
 * @queue: the queue
 * @point: of accel_queue_submit(): that job; 0: the sums
 * @counters: filled in
 *
 * Those of a job are there when its wait returns. Return: 0; -EINVAL if there is no such point; -ENOENT if the job has not
 * ended, did so without the device (it was cancelled, say), or is not among the last 64 of the queue.
 */
int accel_queue_counters(struct accel_queue *queue, uint64_t point,
			 struct accel_counters *counters);

/**
 * accel_device_counters() - read the counters of all queues of all users, since the driver was bound
 * @dev: the device
 * @jobs: jobs that have ended, or NULL
 * @counters: filled in
 *
 * Return: 0; -EACCES without CAP_PERFMON, for they tell of what others do.
 */
int accel_device_counters(struct accel_device *dev, uint64_t *jobs, struct accel_counters *counters);

/**
 * struct accel_fault - the last fault of a queue, for programs; accel_queue_wait() has it in words
 */
struct accel_fault {
	/** @point: of the job that failed; 0: none has. */
	uint64_t point;
	/** @address: device address at fault, or for a bad command the offset of the bad field. */
	uint64_t address;
	/** @status: enum quill_fault of <quill/regs.h>. */
	uint32_t status;
	/** @record: index of the command in @stream. */
	uint32_t record;
	/** @access: enum quill_access. */
	uint32_t access;
	/** @engine: enum quill_engine. */
	uint32_t engine;
	/** @elapsed_ms: after a timeout, how long the job had run; else 0. */
	uint32_t elapsed_ms;
	/** @stream: device address of the stream: the job's (accel_stream_va()), or one that it called. */
	uint64_t stream;
};

/** accel_queue_fault() - read a queue's last fault */
int accel_queue_fault(struct accel_queue *queue, struct accel_fault *fault);

/* ---- Native helpers: quantise and pack ------------------------------------------------- */

/*
 * Pure functions of their arguments, on the processor: no device, any thread. Rounding is to
 * nearest, ties to even, which is what processors do unless the program has changed their rounding
 * mode. A NaN or an infinity among the inputs gives -EDOM, and then no output has been written.
 */

/** accel_packed_size() - bytes of packed B; 0 if @n is not in 1..2^24 or @k not in 1..65536 */
uint64_t accel_packed_size(uint32_t n, uint32_t k);

/**
 * accel_pack_s8() - bring a matrix into the device's own layout
 * @dst: accel_packed_size(n, k) bytes, all written (padding as 0x80, which stands for 0)
 * @src: the matrix
 * @n: columns of B: output channels
 * @k: rows of B: input channels
 * @ld: elements from row to row of @src; 0: dense
 * @order: of @src
 *
 * Return: 0, -EINVAL (dimensions, @ld below a row).
 */
int accel_pack_s8(void *dst, const int8_t *src, uint32_t n, uint32_t k, size_t ld,
		  enum accel_order order);

/**
 * accel_packed_size_of() - bytes of packed B of a type; 0 if @n is not in 1..2^24, @k not in 1..65536, or the type is
 * none of ACCEL_S8, ACCEL_S4, ACCEL_BF16, ACCEL_E4M3, ACCEL_E5M2
 */
uint64_t accel_packed_size_of(enum accel_type type, uint32_t n, uint32_t k);

/**
 * accel_pack() - bring a matrix of any type that is packed into the device's own layout
 * @dst: accel_packed_size_of(type, n, k) bytes, all written (padding stands for 0)
 * @type: ACCEL_S8, ACCEL_S4 (whose elements are an int8_t of -8..7 each), ACCEL_BF16, ACCEL_E4M3 or ACCEL_E5M2
 * @src: the matrix
 * @n: columns of B: output channels
 * @k: rows of B: input channels
 * @ld: elements from row to row of @src; 0: dense
 * @order: of @src
 *
 * Return: 0, -EINVAL (type, dimensions, @ld below a row), -EDOM (an element of ACCEL_S4 is out of its range; nothing has
 * been written).
 */
int accel_pack(void *dst, enum accel_type type, const void *src, uint32_t n, uint32_t k, size_t ld,
	       enum accel_order order);

/** enum accel_conv_order - how a convolution's weights lie in memory, without gaps */
enum accel_conv_order {
	/** @ACCEL_CONV_OIHW: [out_c][in_c / groups][kh][kw] (PyTorch, ONNX). */
	ACCEL_CONV_OIHW = 0,
	/** @ACCEL_CONV_OHWI: [out_c][kh][kw][in_c / groups] (TensorFlow Lite). */
	ACCEL_CONV_OHWI = 1,
	/** @ACCEL_CONV_HWIO: [kh][kw][in_c / groups][out_c] (TensorFlow; depthwise in TensorFlow Lite). */
	ACCEL_CONV_HWIO = 2,
};

/**
 * struct accel_conv_shape - of a convolution's weights
 */
struct accel_conv_shape {
	/** @in_c: channels of the input, 1..65535, a multiple of @groups. */
	uint32_t in_c;
	/** @out_c: channels of the result, 1..65535, a multiple of @groups. */
	uint32_t out_c;
	/** @groups: 0: 1. */
	uint32_t groups;
	/** @kh: taps down, 1..255; kh * kw * in_c / groups is at most 65536. */
	uint32_t kh;
	/** @kw: taps across, 1..255. */
	uint32_t kw;
};

/** accel_conv_packed_size() - bytes of packed weights; 0 if the shape is not possible */
uint64_t accel_conv_packed_size(const struct accel_conv_shape *shape);

/**
 * accel_pack_conv_s8() - bring a convolution's weights into the device's own layout
 * @dst: accel_conv_packed_size() bytes, all written (padding as 0x80, which stands for 0)
 * @src: the weights
 * @shape: their shape
 * @order: of @src
 *
 * Return: 0, -EINVAL (shape or order).
 */
int accel_pack_conv_s8(void *dst, const int8_t *src, const struct accel_conv_shape *shape,
		       enum accel_conv_order order);

/**
 * accel_quantise_rows_s8() - float to int8, symmetric, with a scale a row
 * @src: float [m][ld]
 * @m: rows
 * @k: columns
 * @ld: elements from row to row of @src; 0: @k
 * @dst: int8_t [m][ldd]
 * @ldd: elements from row to row of @dst; 0: @k
 * @scale: float [m]: x is about q * scale
 *
 * scale = max |x| / 127 and q = round(x / scale), both in float arithmetic: q is in -127..127. A
 * row whose largest magnitude is below 127 * FLT_MIN (a row of zeros above all) gets scale 0 and q
 * 0.
 *
 * Return: 0, -EINVAL (@k 0, a stride below @k), -EDOM (NaN or infinity).
 */
int accel_quantise_rows_s8(const float *src, size_t m, size_t k, size_t ld, int8_t *dst,
			   size_t ldd, float *scale);

/**
 * accel_quantise_channels_s8() - the same for a matrix B, with a scale an output channel
 * @src: the matrix
 * @n: columns of B: output channels
 * @k: rows of B: input channels
 * @ld: elements from row to row of @src; 0: dense
 * @order: of @src, and of @dst
 * @dst: dense: int8_t [n][k] or [k][n]
 * @scale: float [n]
 *
 * Return: as accel_quantise_rows_s8(); 0 for @n 0.
 */
int accel_quantise_channels_s8(const float *src, size_t n, size_t k, size_t ld,
			       enum accel_order order, int8_t *dst, float *scale);

/**
 * accel_requant_from_scale() - a real factor as an integer and a shift
 * @scale: 0 <= scale < 2^31, finite
 * @out: mult / 2^shift, nearest to @scale with 31 bits of mult (fewer below 2^-32: shift ends at
 *	62)
 *
 * Return: 0, -EDOM (NaN, infinite, negative), -ERANGE (it rounds to 2^31 or more).
 */
int accel_requant_from_scale(double scale, struct accel_requant *out);

/* ---- Operations on tensors --------------------------------------------------------------- */

/*
 * For who wants a result and no streams: inputs and outputs are plain memory of the process, and
 * each call copies in, runs one job, waits for it and copies out. Who needs more overlap encodes
 * streams over buffers of their own; the weights made here serve there too.
 */

/**
 * accel_weights_create_s8() - put an int8 matrix on the device, packed once
 * @vm: the address space
 * @src: the matrix
 * @n: columns of B: output channels, 1..2^24
 * @k: rows of B: input channels, 1..65536
 * @ld: elements from row to row of @src; 0: dense
 * @order: of @src
 * @scale: float [n], of the output channels; NULL: 1.0 each
 * @bias: float [n], added by accel_matmul_f32(); NULL: none
 * @out: the weights; give them back with accel_weights_destroy()
 *
 * Return: 0, -EINVAL (dimensions, stride), -EDOM (NaN or infinity in @scale or @bias), or as
 * accel_buffer_create().
 */
int accel_weights_create_s8(struct accel_vm *vm, const int8_t *src, uint32_t n, uint32_t k, size_t ld,
			    enum accel_order order, const float *scale, const float *bias,
			    struct accel_weights **out);

/**
 * accel_weights_create_f32() - quantise a float matrix per output channel, and put it on the device
 *
 * Arguments and errors as accel_weights_create_s8(); the scales are those of
 * accel_quantise_channels_s8().
 */
int accel_weights_create_f32(struct accel_vm *vm, const float *src, uint32_t n, uint32_t k, size_t ld,
			     enum accel_order order, const float *bias, struct accel_weights **out);

/** accel_weights_destroy() - give weights back; no job that uses them may be under way */
void accel_weights_destroy(struct accel_weights *weights);

/**
 * accel_weights_gemm() - fill in what a GEMM command needs to know of weights
 * @weights: the weights
 * @type_d: ACCEL_F32 (sets scale and bias too) or ACCEL_S32
 * @gemm: b, n, k, type_d, scale, bias are set, everything else to 0: set a, d, m (and row_scale)
 *
 * Return: 0, -EINVAL (@type_d).
 */
int accel_weights_gemm(const struct accel_weights *weights, enum accel_type type_d,
		       struct accel_gemm *gemm);

/**
 * accel_ops_create() - make the workspace that the operations below need
 * @queue: where they run; its vm holds the workspace
 * @out: the workspace; grows with the largest operation. Give it back with accel_ops_destroy()
 *
 * Return: 0, or as accel_stream_create().
 */
int accel_ops_create(struct accel_queue *queue, struct accel_ops **out);

/** accel_ops_destroy() - give a workspace back */
void accel_ops_destroy(struct accel_ops *ops);

/**
 * accel_matmul_s8() - D = A B, exact
 * @ops: workspace
 * @weights: B[k][n], of the same vm; scale and bias are not looked at
 * @a: int8_t A[m][lda]
 * @lda: elements from row to row of @a; 0: k
 * @m: rows of A and D, 1..2^24
 * @d: int32_t D[m][ldd]
 * @ldd: elements from row to row of @d; 0: n
 *
 * Return: 0, -EINVAL (dimensions, strides, weights of another vm), or as accel_buffer_create(),
 * accel_queue_submit() and accel_queue_wait().
 */
int accel_matmul_s8(struct accel_ops *ops, const struct accel_weights *weights, const int8_t *a,
		    size_t lda, uint32_t m, int32_t *d, size_t ldd);

/**
 * accel_matmul_f32() - D = A B + bias, A quantised row by row
 *
 * Arguments as accel_matmul_s8(), in float. A is quantised by accel_quantise_rows_s8().
 *
 * Return: as accel_matmul_s8(), or -EDOM (NaN or infinity in @a).
 */
int accel_matmul_f32(struct accel_ops *ops, const struct accel_weights *weights, const float *a,
		     size_t lda, uint32_t m, float *d, size_t ldd);

/**
 * struct accel_attention_f32 - attention over dense float tensors of the process
 */
struct accel_attention_f32 {
	/** @q: float [n_q][n_heads][head_dim]. */
	const float *q;
	/** @k: float [n_kv][n_kv_heads][head_dim]. */
	const float *k;
	/** @v: float [n_kv][n_kv_heads][head_dim]. */
	const float *v;
	/** @out: float [n_q][n_heads][head_dim]. */
	float *out;
	/** @n_q: as in struct accel_attention. */
	uint32_t n_q;
	/** @n_kv: as in struct accel_attention. */
	uint32_t n_kv;
	/** @n_heads: as in struct accel_attention. */
	uint32_t n_heads;
	/** @n_kv_heads: as in struct accel_attention. */
	uint32_t n_kv_heads;
	/** @head_dim: as in struct accel_attention. */
	uint32_t head_dim;
	/** @softmax_scale: as in struct accel_attention. */
	float softmax_scale;
	/** @causal: as in struct accel_attention. */
	bool causal;
};

/**
 * accel_attention_f32() - attention; Q, K and V are quantised per position and head
 * @ops: workspace
 * @attention: what to compute
 *
 * Return: 0, -EINVAL (as accel_cmd_attention()), -EDOM (NaN or infinity in an input), or as
 * accel_buffer_create(), accel_queue_submit() and accel_queue_wait().
 */
int accel_attention_f32(struct accel_ops *ops, const struct accel_attention_f32 *attention);

#ifdef __cplusplus
}
#endif

#endif /* ACCEL_H */
