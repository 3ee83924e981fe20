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
	/** @features: feature bits of the driver; none is defined yet. */
	uint64_t features;
	/** @mem_size: bytes of device memory. */
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
	/** @reserved: zero. */
	uint32_t reserved[9];
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

/**
 * accel_bo_create() - make a buffer object in system memory; it reads as zero
 * @dev: the device
 * @size: bytes, over 0; rounded up to whole pages
 * @flags: ACCEL_BO_*
 * @out: the object; give it back with accel_bo_destroy()
 *
 * Return: 0, -EINVAL (size 0, unknown flag), -ENOMEM, -E2BIG.
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

/* ---- Address spaces ---------------------------------------------------------------- */

/** ACCEL_BIND_READONLY: the device may not write there. */
#define ACCEL_BIND_READONLY	(1u << 0)

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
 * A command that breaks a rule is written with what is wrong and what is required, unless a PATCH stands before it: that
 * makes another command of it, which only the device sees.
 *
 * Return: how many commands break a rule, or -EIO.
 */
int accel_stream_print(FILE *out, const void *records, uint32_t count, bool json);

/* ---- Commands ----------------------------------------------------------------------- */

/*
 * One function a command. Each checks its command as the device will, appends it and returns 0,
 * -EINVAL (the error names the field, what it is and what it must be) or -ENOSPC (the stream is
 * full). Memory is looked at only when the command runs: an address that is not bound then is a
 * fault of the job.
 */

/** enum accel_type - of an element */
enum accel_type {
	/** @ACCEL_S8: int8_t */
	ACCEL_S8 = 1,
	/** @ACCEL_S32: int32_t */
	ACCEL_S32 = 2,
	/** @ACCEL_F32: IEEE binary32 */
	ACCEL_F32 = 3,
	/** @ACCEL_BF16: bfloat16, the upper half of a float */
	ACCEL_BF16 = 4,
	/** @ACCEL_F16: IEEE binary16 */
	ACCEL_F16 = 5,
	/** @ACCEL_E4M3: OCP's 8-bit float with 4 bits of exponent */
	ACCEL_E4M3 = 6,
	/** @ACCEL_E5M2: OCP's 8-bit float with 5 bits of exponent */
	ACCEL_E5M2 = 7,
	/** @ACCEL_Q8_0: GGUF's blocks of 32 values of 8 bits and a scale */
	ACCEL_Q8_0 = 8,
	/** @ACCEL_Q4_0: GGUF's blocks of 32 values of 4 bits and a scale */
	ACCEL_Q4_0 = 9,
	/** @ACCEL_S4: -8..7, two to a byte */
	ACCEL_S4 = 10,
};

/**
 * struct accel_cmd_opts - when a command runs; NULL or all zero: when all earlier ones have
 * finished
 *
 * A job has 31 semaphores, 1..31, that start at 0.
 */
struct accel_cmd_opts {
	/** @unordered: start without waiting for earlier commands, but in order on its engine. */
	bool unordered;
	/** @wait_sem: start when this semaphore has reached @wait_value; 0: none. */
	uint8_t wait_sem;
	/** @signal_sem: add one to this semaphore at the end; 0: none. */
	uint8_t signal_sem;
	/** @seq: a mark in the record, for who reads streams; the driver does not hand it back yet. */
	uint16_t seq;
	/** @wait_value: for @wait_sem; 0 if that is 0. */
	uint32_t wait_value;
};

/** accel_cmd_nop() - do nothing */
int accel_cmd_nop(struct accel_stream *stream, const struct accel_cmd_opts *opts);

/**
 * accel_cmd_fence() - decode no further until all earlier commands have finished; opts->unordered
 * has no meaning
 */
int accel_cmd_fence(struct accel_stream *stream, const struct accel_cmd_opts *opts);

/**
 * accel_cmd_sem_wait() - decode no further until a semaphore has reached a value
 * @stream: the stream
 * @sem: 1..31
 * @value: least value
 */
int accel_cmd_sem_wait(struct accel_stream *stream, uint32_t sem, uint32_t value);

/**
 * accel_cmd_sem_signal() - add one to a semaphore
 * @stream: the stream
 * @sem: 1..31
 * @opts: or NULL; its signal_sem must be 0
 */
int accel_cmd_sem_signal(struct accel_stream *stream, uint32_t sem,
			 const struct accel_cmd_opts *opts);

/**
 * accel_cmd_jump() - go on at another record of the stream
 * @stream: the stream
 * @record: index of the record, as accel_stream_records() counts; one still to come is
 *	checked by accel_queue_submit()
 */
int accel_cmd_jump(struct accel_stream *stream, uint32_t record);

/**
 * accel_cmd_call() - decode another stream to its end, then go on
 * @stream: the stream
 * @callee: a stream of the same vm, as long as it is now; it must be neither reset nor destroyed while
 *	a job that calls it is on its way. It may call others: 8 deep.
 */
int accel_cmd_call(struct accel_stream *stream, const struct accel_stream *callee);

/* Registers of a job, all 0 at its start; fields that one PATCH changes; values that end one LOOP. */
#define ACCEL_REGISTERS		16
#define ACCEL_PATCHES		6
#define ACCEL_LOOP_STOPS	4

/**
 * struct accel_loop - a loop, from @record to here
 */
struct accel_loop {
	/** @record: where a round begins: index of a record, as accel_stream_records() counted. */
	uint32_t record;
	/** @reg: register that counts the rounds, 0..15: it grows by one. */
	uint32_t reg;
	/** @limit: the loop ends when @reg has reached it. */
	uint32_t limit;
	/** @stops: or, if this is not 0, when the int32 at @word is one of the first @stops of @stop. */
	uint32_t stops;
	int32_t stop[ACCEL_LOOP_STOPS];
	/** @word: device address, 4-byte aligned, or 0; with it, LOOP waits for all earlier commands. */
	uint64_t word;
};

/** accel_cmd_loop() - once more, or on */
int accel_cmd_loop(struct accel_stream *stream, const struct accel_loop *loop);

/** accel_cmd_set() - register @reg becomes @value */
int accel_cmd_set(struct accel_stream *stream, uint32_t reg, uint32_t value);

/** accel_cmd_add() - register @reg grows by @value, modulo 2^32 */
int accel_cmd_add(struct accel_stream *stream, uint32_t reg, uint32_t value);

/**
 * accel_cmd_load() - a register becomes what lies in memory when all earlier commands have finished
 * @stream: the stream
 * @reg: 0..15
 * @word: device address of a uint32_t, 4-byte aligned
 * @max: a larger value ends the job with a fault
 */
int accel_cmd_load(struct accel_stream *stream, uint32_t reg, uint64_t word, uint32_t max);

/**
 * struct accel_patch - a field of the next command grows by a register times a factor
 */
struct accel_patch {
	/** @field: its name in uapi/quill/isa.h ("n_kv", "src"); one of 32 or 64 bits. */
	const char *field;
	/** @reg: 0..15. */
	uint32_t reg;
	int32_t scale;
};

/**
 * accel_cmd_patch() - let registers change the next command, each time that it is decoded
 * @stream: the stream
 * @patches: what to change
 * @count: 1..ACCEL_PATCHES
 *
 * Written when the next command is; if that one is refused, this is forgotten too. What the command is without
 * the registers has to keep all rules, and on the device what it is with them.
 *
 * Return: 0 or -EINVAL.
 */
int accel_cmd_patch(struct accel_stream *stream, const struct accel_patch *patches,
		    unsigned int count);

/**
 * accel_cmd_timestamp() - store the device time since the job's start, in cycles
 * @stream: the stream
 * @dst: device address of a uint64_t, 8-byte aligned
 * @opts: or NULL
 */
int accel_cmd_timestamp(struct accel_stream *stream, uint64_t dst,
			const struct accel_cmd_opts *opts);

/**
 * accel_cmd_copy() - copy memory, as memmove() would
 * @stream: the stream
 * @dst: device address
 * @src: device address
 * @size: bytes, 1..2^40
 * @opts: or NULL
 */
int accel_cmd_copy(struct accel_stream *stream, uint64_t dst, uint64_t src, uint64_t size,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_copy_2d - rows to copy, one after the other
 */
struct accel_copy_2d {
	/** @dst: device address. */
	uint64_t dst;
	/** @src: device address. */
	uint64_t src;
	/** @width: bytes of a row, 1..2^40. */
	uint64_t width;
	/** @height: rows, 1..2^24. */
	uint32_t height;
	/** @dst_stride: bytes from row to row, at least @width. */
	uint32_t dst_stride;
	/** @src_stride: bytes from row to row; 0 repeats one row. */
	uint32_t src_stride;
};

/** accel_cmd_copy_2d() - copy rows of bytes */
int accel_cmd_copy_2d(struct accel_stream *stream, const struct accel_copy_2d *copy,
		      const struct accel_cmd_opts *opts);

/**
 * struct accel_transpose - matrices to transpose, all of one shape
 *
 * Element (i, j) of matrix b is at src + (b * src_step + i * src_stride + j) * elem, and goes to
 * dst + (b * dst_step + j * dst_stride + i) * elem.
 */
struct accel_transpose {
	/** @dst: device address, a multiple of @elem. */
	uint64_t dst;
	/** @src: device address, a multiple of @elem. */
	uint64_t src;
	/** @rows: of @src, 1..2^24. */
	uint32_t rows;
	/** @cols: of @src, 1..2^24. */
	uint32_t cols;
	/** @elem: bytes of an element: 1, 2, 4 or 8. */
	uint32_t elem;
	/** @dst_stride: elements from row to row, at least @rows; 0: @rows. */
	uint32_t dst_stride;
	/** @src_stride: elements from row to row, at least @cols; 0: @cols. */
	uint32_t src_stride;
	/** @batch: matrices, 1..2^24; 0: 1. There are at most 2^40 elements in all. */
	uint32_t batch;
	/** @dst_step: elements from matrix to matrix; 0: @rows * @cols. */
	uint32_t dst_step;
	/** @src_step: elements from matrix to matrix; 0: the same one for all. */
	uint32_t src_step;
};

/** accel_cmd_transpose() - transpose matrices; results must not overlap */
int accel_cmd_transpose(struct accel_stream *stream, const struct accel_transpose *transpose,
			const struct accel_cmd_opts *opts);

/**
 * struct accel_fill - rows to fill with one element
 */
struct accel_fill {
	/** @dst: device address, a multiple of @elem. */
	uint64_t dst;
	/** @value: the element; bits beyond @elem are zero. */
	uint64_t value;
	/** @width: bytes of a row, a multiple of @elem, @elem..2^40. */
	uint64_t width;
	/** @elem: bytes of the element: 1, 2, 4 or 8. */
	uint32_t elem;
	/** @height: rows, 1..2^24; 0 is taken as 1. */
	uint32_t height;
	/**
	 * @dst_stride: bytes from row to row, a multiple of @elem, at least @width (if @height is
	 *	over 1).
	 */
	uint32_t dst_stride;
};

/** accel_cmd_fill() - fill memory */
int accel_cmd_fill(struct accel_stream *stream, const struct accel_fill *fill,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_requant - a real factor as mult / 2^shift; same bytes as struct quill_requant
 */
struct accel_requant {
	/** @mult: 0..2^31-1. */
	int32_t mult;
	/** @shift: 0..62. */
	int32_t shift;
};

/** enum accel_gemm_act - a function of a float result: that of accel_cmd_act() */
enum accel_gemm_act {
	ACCEL_GEMM_NO_ACT = 0,
	ACCEL_GEMM_RELU = 1,
	ACCEL_GEMM_SIGMOID = 2,
	ACCEL_GEMM_SILU = 3,
	ACCEL_GEMM_TANH = 4,
	ACCEL_GEMM_GELU = 5,
};

/** enum accel_gemm_layout - how B of int8 lies in memory */
enum accel_gemm_layout {
	/** @ACCEL_GEMM_PACKED: as accel_pack_s8() makes it. */
	ACCEL_GEMM_PACKED = 0,
	/** @ACCEL_GEMM_ROWS: B[k][n] at b + k * ldb + n. */
	ACCEL_GEMM_ROWS = 1,
	/** @ACCEL_GEMM_COLUMNS: B[k][n] at b + n * ldb + k. */
	ACCEL_GEMM_COLUMNS = 2,
};

/**
 * struct accel_gemm_batch - many products, alike but for where their operands are
 *
 * Steps are in bytes from one product's operand to the next's, multiples of what the operand is aligned to; 0: all use the
 * same. Of row_scale and d_scale each product has its own m entries, one behind the other.
 */
struct accel_gemm_batch {
	/** @count: products, 1..65536. */
	uint32_t count;
	/** @column_step: entries of bias and of scale from one product to the next; 0: all use the same. */
	uint32_t column_step;
	uint64_t a_step;
	uint64_t b_step;
	uint64_t d_step;
	/** @gate_step: 0 without a gate. */
	uint64_t gate_step;
	/** @residual_step: 0 without a residual. */
	uint64_t residual_step;
};

/**
 * struct accel_gemm - D[m][n] = epilogue(sum over k of A[m][k] * B[k][n])
 *
 * A is row-major int8, B was packed by accel_pack_s8(), D is row-major. Sums are exact. By @type_d:
 *
 *  ACCEL_S32: sum + bias[n] (int32_t bias), modulo 2^32;
 *  ACCEL_S8: clamp(round((sum + bias[n]) * mult[n] / 2^shift[n]) + zero, lo, hi), one rounding,
 *  half to even;
 *  ACCEL_F32: sum * scale[n] (* row_scale[m]), or that fused with + bias[n] (float bias).
 *
 * With other weights than int8 sums are float, and so is D. @type_b ACCEL_Q8_0 and ACCEL_Q4_0: B is as in a GGUF file,
 * a row an output; ACCEL_S4: B was packed by accel_pack() and has a scale for each @group of k; A is int8, with a scale a
 * row or a group (as accel_cmd_quantise() makes them), or none. @type_a and @type_b ACCEL_BF16,
 * ACCEL_E4M3 or ACCEL_E5M2, in any combination: B was packed by accel_pack(). docs/isa.md has the order of additions.
 *
 * A field of 0 takes the default that it names, so that a dense GEMM sets a, b, d, m, n, k, type_d
 * (and scale).
 */
struct accel_gemm {
	/** @a: device address of A[m][lda], of @type_a. */
	uint64_t a;
	/**
	 * @b: device address of packed B, 64-byte aligned, accel_packed_size_of(type_b, n, k) bytes; or of n rows of
	 *	blocks, @ldb bytes apart, 2-byte aligned.
	 */
	uint64_t b;
	/** @d: device address of D[m][ldd], aligned to its element. */
	uint64_t d;
	/** @m: rows of A and D, 1..2^24. */
	uint32_t m;
	/** @n: columns of B and D, 1..2^24. */
	uint32_t n;
	/** @k: columns of A, rows of B, 1..65536. */
	uint32_t k;
	/** @lda: elements from row to row of A, at least @k; 0: @k. */
	uint32_t lda;
	/** @ldd: elements from row to row of D, at least @n; 0: @n. */
	uint32_t ldd;
	/** @type_d: elements of D. */
	enum accel_type type_d;
	/** @type_a: elements of A; 0: ACCEL_S8. */
	enum accel_type type_a;
	/** @type_b: elements of B; 0: ACCEL_S8. */
	enum accel_type type_b;
	/** @bias: device address of int32_t[n] (ACCEL_F32: float[n]), 4-byte aligned; 0: none. */
	uint64_t bias;
	/**
	 * @scale: device address. ACCEL_S8: struct accel_requant[n], 8-byte aligned; ACCEL_F32:
	 *	float[n]; ACCEL_S32: 0. With @type_b ACCEL_S4: float[k / group][n]; with other weights than
	 *	int8 0 stands for ones.
	 */
	uint64_t scale;
	/** @row_scale: ACCEL_F32: device address of float[m], or see @row_scale_stride; 0: none. */
	uint64_t row_scale;
	/** @ldb: ACCEL_Q8_0, ACCEL_Q4_0: bytes from row to row of blocks, even; 0: no gaps. */
	uint32_t ldb;
	/** @group: ACCEL_S4: elements of k that share a scale, a multiple of 32 that divides @k. */
	uint32_t group;
	/**
	 * @row_scale_stride: with blocks or ACCEL_S4: float[m][k / group] is at @row_scale, so many floats from row to
	 *	row; 0: float[m].
	 */
	uint32_t row_scale_stride;
	/** @zero: ACCEL_S8: zero point, -128..127. */
	int32_t zero;
	/** @lo: ACCEL_S8: least result, -128..127. Both @lo and @hi 0: -128 and 127. */
	int32_t lo;
	/** @hi: ACCEL_S8: largest result, @lo..127. */
	int32_t hi;
	/** @act: of float results, with scales and bias behind them. */
	enum accel_gemm_act act;
	/** @gate: device address of float[m][gate_stride], which float results are multiplied by then; 0: none. */
	uint64_t gate;
	/** @residual: device address of float[m][residual_stride], which is added last; 0: none. */
	uint64_t residual;
	/** @gate_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t gate_stride;
	/** @residual_stride: likewise. */
	uint32_t residual_stride;
	/**
	 * @d_scale: with @type_d ACCEL_S8: device address of float[m], a result: the results are floats (so @scale is
	 *	float[n]), of which each row is quantised by its own scale, as accel_cmd_quantise() does; 0: by @scale.
	 */
	uint64_t d_scale;
	/** @accumulate: ACCEL_S32, ACCEL_F32: the result is added to D; without @residual. */
	bool accumulate;
	/** @a_transposed: int8: A[m][k] is at a + k * lda + m; @lda at least @m, 0: @m. */
	bool a_transposed;
	/** @layout: of B of int8; with @ldb in elements if it is not packed, 0: no gaps. */
	enum accel_gemm_layout layout;
	/** @batch: NULL: one product. */
	const struct accel_gemm_batch *batch;
};

/** accel_cmd_gemm() - multiply matrices; takes two records, three with what follows @hi, four with a batch */
int accel_cmd_gemm(struct accel_stream *stream, const struct accel_gemm *gemm,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_pages - where the pages of a cache of keys and values are
 *
 * All zero: there are none, and keys follow each other. Otherwise key j is key j % page_size of page
 * table[j / page_size], which begins page_stride elements behind the one before it, in K and V and,
 * divided by the elements of a head, in their scales. Results do not depend on where pages are.
 */
struct accel_pages {
	/** @table: device address of uint32_t, one for each page_size keys; entries below @count. */
	uint64_t table;
	/** @page_size: keys of a page: 16, 32, ... 65536. */
	uint32_t page_size;
	/** @page_stride: elements from page to page; 0: page_size * kv_stride. */
	uint32_t page_stride;
	/** @count: pages of the pool, up to 2^24. */
	uint32_t count;
};

/** enum accel_attention_weights - how attention multiplies weights with values */
enum accel_attention_weights {
	/** @ACCEL_WEIGHTS_F32: in float, key by key */
	ACCEL_WEIGHTS_F32 = 0,
	/** @ACCEL_WEIGHTS_S16: rounded to 16 bits, 64 keys at a time: faster, and within 1/1024 */
	ACCEL_WEIGHTS_S16 = 1,
};

/**
 * struct accel_attention - out = softmax(Q K^T * softmax_scale) V, head by head
 *
 * n_heads / n_kv_heads consecutive heads of queries share a head of keys and values. Element e of
 * head h of query i is at q + i * q_stride + h * head_dim + e, in out likewise; element e of head g
 * of key j is at k + j * kv_stride + g * kv_head_stride + e, in v likewise. Each (i, h) of q and
 * each (j, g) of k and of v has a float scale, in arrays that have the layout of their tensor with
 * the last dimension dropped: strides divided by head_dim. Scales are those of
 * accel_quantise_rows_s8() with a row a head.
 *
 * A stride of 0 takes the default that it names: dense tensors.
 */
struct accel_attention {
	/**
	 * @type_kv: of k and v: ACCEL_S8 (or 0), with q the same; or ACCEL_BF16, without scales
	 */
	enum accel_type type_kv;
	/** @type_q: of q: if @type_kv is ACCEL_BF16: ACCEL_F32 (or 0) or ACCEL_BF16. */
	enum accel_type type_q;
	/** @q: device address of Q. */
	uint64_t q;
	/** @k: device address of K. */
	uint64_t k;
	/** @v: device address of V. */
	uint64_t v;
	/** @out: device address of the result, float, 4-byte aligned. */
	uint64_t out;
	/** @q_scale: ACCEL_S8: device address of floats, 4-byte aligned; else 0. */
	uint64_t q_scale;
	/** @k_scale: ACCEL_S8: device address of floats, 4-byte aligned; else 0. */
	uint64_t k_scale;
	/** @v_scale: ACCEL_S8: device address of floats, 4-byte aligned; else 0. */
	uint64_t v_scale;
	/** @n_q: queries, 1..65536; at most @n_kv if @causal. */
	uint32_t n_q;
	/** @n_kv: keys, 1..2^20. */
	uint32_t n_kv;
	/** @n_heads: heads of queries, 1..1024, a multiple of @n_kv_heads. */
	uint32_t n_heads;
	/** @n_kv_heads: heads of keys and values, 1..1024. */
	uint32_t n_kv_heads;
	/** @head_dim: elements of a head: 16, 32, ... 256. */
	uint32_t head_dim;
	/**
	 * @q_stride: elements from query to query, a multiple of @head_dim; 0: n_heads * head_dim.
	 */
	uint32_t q_stride;
	/** @out_stride: elements from query to query of the result; 0: n_heads * head_dim. */
	uint32_t out_stride;
	/**
	 * @kv_stride: elements from key to key, a multiple of @head_dim; 0: n_kv_heads * head_dim.
	 */
	uint32_t kv_stride;
	/**
	 * @kv_head_stride: elements from head to head of K and V, a multiple of @head_dim; 0:
	 *	@head_dim.
	 */
	uint32_t kv_head_stride;
	/** @softmax_scale: finite; 1 / sqrt(head_dim) as a rule. */
	float softmax_scale;
	/** @causal: query i sees keys 0 .. n_kv - n_q + i; else all. */
	bool causal;
	/** @window: if @causal: and of these the last @window; 0: all. */
	uint32_t window;
	/** @weights: ACCEL_WEIGHTS_F32 unless speed is more. */
	enum accel_attention_weights weights;
	/**
	 * @state: device address of float[n_q][n_heads][2]: where the largest score and the sum of
	 *	each query and head go, for accel_cmd_merge(); 0: nowhere.
	 */
	uint64_t state;
	/** @pages: of keys and values, and of their scales. */
	struct accel_pages pages;
};

/**
 * accel_cmd_attention() - fused attention; takes two records, and a third for window, weights, state or
 * pages
 */
int accel_cmd_attention(struct accel_stream *stream, const struct accel_attention *attention,
			const struct accel_cmd_opts *opts);

/**
 * struct accel_merge - attention over all keys from results over parts of them
 *
 * A part is what accel_cmd_attention() stored in out and state, the parts one behind the other.
 */
struct accel_merge {
	/** @src: device address of the results, float[parts][rows][heads][dim]. */
	uint64_t src;
	/** @state: device address of float[parts][rows][heads][2]. */
	uint64_t state;
	/** @dst: device address of the result, float[rows][heads][dim]. */
	uint64_t dst;
	/** @dst_state: where the state of the whole goes, float[rows][heads][2]; 0: nowhere. */
	uint64_t dst_state;
	/** @rows: queries, 1..65536. */
	uint32_t rows;
	/** @parts: 1..1024. */
	uint32_t parts;
	/** @heads: 1..1024. */
	uint32_t heads;
	/** @dim: elements of a head: 16, 32, ... 256. */
	uint32_t dim;
	/** @src_stride: elements from query to query; 0: heads * dim. */
	uint32_t src_stride;
	/** @dst_stride: elements from query to query; 0: heads * dim. */
	uint32_t dst_stride;
	/** @part_stride: elements from part to part of src; 0: rows * src_stride. */
	uint32_t part_stride;
	/** @state_stride: floats from part to part of state; 0: rows * heads * 2. */
	uint32_t state_stride;
};

/** accel_cmd_merge() - join splits of a long context; VECTOR, takes two records */
int accel_cmd_merge(struct accel_stream *stream, const struct accel_merge *merge,
		    const struct accel_cmd_opts *opts);

/**
 * struct accel_kv_append - keys and values of new tokens into a cache that attention reads
 *
 * Token i becomes key pos + i. For a cache of ACCEL_S8 each head of it is quantised with a scale of
 * its own, as by accel_quantise_rows_s8() with a row a head; for ACCEL_BF16 it is rounded.
 */
struct accel_kv_append {
	/** @type_kv: of the cache: ACCEL_S8 (or 0), or ACCEL_BF16, without scales. */
	enum accel_type type_kv;
	/** @k_src: device address of keys, float[tokens][heads][dim]. */
	uint64_t k_src;
	/** @v_src: device address of values, likewise. */
	uint64_t v_src;
	/** @k: device address of the cache's K, as in struct accel_attention. */
	uint64_t k;
	/** @v: device address of the cache's V. */
	uint64_t v;
	/** @k_scale: ACCEL_S8: device address of floats; else 0. */
	uint64_t k_scale;
	/** @v_scale: ACCEL_S8: device address of floats; else 0. */
	uint64_t v_scale;
	/** @tokens: 1..65536. */
	uint32_t tokens;
	/** @pos: keys in the cache before these. */
	uint32_t pos;
	/** @heads: of keys and values, 1..1024. */
	uint32_t heads;
	/** @dim: elements of a head: 16, 32, ... 256. */
	uint32_t dim;
	/** @src_stride: elements from token to token of k_src and v_src; 0: heads * dim. */
	uint32_t src_stride;
	/** @kv_stride: elements from key to key; 0: heads * dim. */
	uint32_t kv_stride;
	/** @kv_head_stride: elements from head to head; 0: dim. */
	uint32_t kv_head_stride;
	/** @pages: as in struct accel_attention. */
	struct accel_pages pages;
};

/** accel_cmd_kv_append() - quantise into the cache; VECTOR, takes two records */
int accel_cmd_kv_append(struct accel_stream *stream, const struct accel_kv_append *append,
			const struct accel_cmd_opts *opts);

/*
 * Commands of the VECTOR engine work on matrices of float, row by row: row i of an operand is at
 * its address plus i strides. Addresses are 4-byte aligned (those of int8_t need not be). A stride
 * of 0 is that of a dense matrix. A result may replace an operand of the same type, with the same
 * address and stride; otherwise it must not overlap one. docs/isa.md says what they compute, to the
 * bit, and what becomes of NaN and infinity.
 */

/**
 * struct accel_norm - rows of RMSNORM or LAYERNORM, of x = src or src + residual
 */
struct accel_norm {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @weight: device address of float[n]. */
	uint64_t weight;
	/** @bias: LAYERNORM: device address of float[n]; 0: none. */
	uint64_t bias;
	/** @residual: device address of float[rows][residual_stride], added to @src; 0: none. */
	uint64_t residual;
	/** @sum: where src + residual goes, float[rows][src_stride]; 0: nowhere. */
	uint64_t sum;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @residual_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t residual_stride;
	/** @eps: added to the mean square or variance: finite, not negative. */
	float eps;
};

/** accel_cmd_rmsnorm() - x / sqrt(mean(x^2) + eps) * weight; takes two records */
int accel_cmd_rmsnorm(struct accel_stream *stream, const struct accel_norm *norm,
		      const struct accel_cmd_opts *opts);

/**
 * accel_cmd_layernorm() - (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias; takes two
 * records
 */
int accel_cmd_layernorm(struct accel_stream *stream, const struct accel_norm *norm,
			const struct accel_cmd_opts *opts);

/**
 * struct accel_softmax - exp(x * scale - max) / sum, a row at a time
 */
struct accel_softmax {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @scale: finite; 0: 1. */
	float scale;
};

/** accel_cmd_softmax() - softmax of rows */
int accel_cmd_softmax(struct accel_stream *stream, const struct accel_softmax *softmax,
		      const struct accel_cmd_opts *opts);

/**
 * struct accel_rope - rotary position embedding: pairs of elements turn by angles
 *
 * The table has, for each row, dim / 2 pairs of cosine and sine: pair j turns (x, y), the j-th pair
 * of every head of that row, into (x cos - y sin, x sin + y cos).
 */
struct accel_rope {
	/** @src: device address of float[rows][src_stride], a row being [heads][dim]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @table: device address of float[rows][dim / 2][2]. */
	uint64_t table;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @heads: of a row, 1..1024. */
	uint32_t heads;
	/** @dim: elements of a head, even, 2..256. */
	uint32_t dim;
	/** @src_stride: elements from row to row, at least heads * dim; 0: heads * dim. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least heads * dim; 0: heads * dim. */
	uint32_t dst_stride;
	/**
	 * @halves: pair j is elements j and j + dim / 2 (GPT-NeoX), not 2j and 2j + 1 (Llama's GGUF
	 *	files).
	 */
	bool halves;
};

/** accel_cmd_rope() - turn rows by their positions */
int accel_cmd_rope(struct accel_stream *stream, const struct accel_rope *rope,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_quantise - rows of float to or from int8_t, with a scale for each group of elements
 */
struct accel_quantise {
	/** @src: device address of [rows][src_stride]: float to quantise, int8_t to dequantise. */
	uint64_t src;
	/** @dst: device address of the result, [rows][dst_stride], of the other type. */
	uint64_t dst;
	/**
	 * @scale: device address of float[rows][scale_stride], one a group: a result to quantise, an
	 *	operand to dequantise.
	 */
	uint64_t scale;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @group: elements that share a scale, divides @n; 0: @n, a scale a row. */
	uint32_t group;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @scale_stride: scales from row to row, at least n / group; 0: n / group. */
	uint32_t scale_stride;
};

/**
 * accel_cmd_quantise() - float to int8_t: scale = max |x| / 127 of the group, round(x / scale); the
 * bits of accel_quantise_rows_s8()
 */
int accel_cmd_quantise(struct accel_stream *stream, const struct accel_quantise *quantise,
		       const struct accel_cmd_opts *opts);

/** accel_cmd_dequantise() - int8_t to float: x * scale */
int accel_cmd_dequantise(struct accel_stream *stream, const struct accel_quantise *quantise,
			 const struct accel_cmd_opts *opts);

/** enum accel_eltwise_op - of two elements */
enum accel_eltwise_op {
	/** @ACCEL_ELTWISE_ADD: a + b */
	ACCEL_ELTWISE_ADD = 0,
	/** @ACCEL_ELTWISE_SUB: a - b */
	ACCEL_ELTWISE_SUB = 1,
	/** @ACCEL_ELTWISE_MUL: a * b */
	ACCEL_ELTWISE_MUL = 2,
	/** @ACCEL_ELTWISE_MAX: the larger */
	ACCEL_ELTWISE_MAX = 3,
	/** @ACCEL_ELTWISE_MIN: the smaller */
	ACCEL_ELTWISE_MIN = 4,
};

/**
 * struct accel_eltwise - dst = a op b
 */
struct accel_eltwise {
	/** @a: device address of float[rows][a_stride]. */
	uint64_t a;
	/** @b: device address of float[rows][b_stride], or of float[n] if @b_row. */
	uint64_t b;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @op: what to do. */
	enum accel_eltwise_op op;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @a_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t a_stride;
	/** @b_stride: elements from row to row, at least @n; 0: @n. Not looked at if @b_row. */
	uint32_t b_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @b_row: b is one row, for all of a's. */
	bool b_row;
};

/** accel_cmd_eltwise() - combine two matrices element by element */
int accel_cmd_eltwise(struct accel_stream *stream, const struct accel_eltwise *eltwise,
		      const struct accel_cmd_opts *opts);

/** enum accel_act_op - a function of an element */
enum accel_act_op {
	/** @ACCEL_ACT_RELU: max(x, 0) */
	ACCEL_ACT_RELU = 0,
	/** @ACCEL_ACT_SIGMOID: 1 / (1 + exp(-x)) */
	ACCEL_ACT_SIGMOID = 1,
	/** @ACCEL_ACT_SILU: x * sigmoid(x) */
	ACCEL_ACT_SILU = 2,
	/** @ACCEL_ACT_TANH: tanh(x) */
	ACCEL_ACT_TANH = 3,
	/** @ACCEL_ACT_GELU: the form with tanh */
	ACCEL_ACT_GELU = 4,
};

/**
 * struct accel_act - dst = f(src), or f(src) * gate
 */
struct accel_act {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @gate: device address of float[rows][gate_stride]; 0: none. */
	uint64_t gate;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @op: the function. */
	enum accel_act_op op;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @gate_stride: elements from row to row, at least @n; 0: @n, or 0 without @gate. */
	uint32_t gate_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
};

/** accel_cmd_act() - apply a function to each element */
int accel_cmd_act(struct accel_stream *stream, const struct accel_act *act,
		  const struct accel_cmd_opts *opts);

/** enum accel_reduce_op - of a row */
enum accel_reduce_op {
	/** @ACCEL_REDUCE_SUM: sum of the elements, float */
	ACCEL_REDUCE_SUM = 0,
	/** @ACCEL_REDUCE_MAX: the largest, float */
	ACCEL_REDUCE_MAX = 1,
	/** @ACCEL_REDUCE_ARGMAX: index of the largest, int32_t; of equal ones the lowest */
	ACCEL_REDUCE_ARGMAX = 2,
};

/**
 * struct accel_reduce - one value a row
 */
struct accel_reduce {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the result, float[rows] or int32_t[rows], as @op gives. */
	uint64_t dst;
	/** @op: which value. */
	enum accel_reduce_op op;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
};

/** accel_cmd_reduce() - one value of each row */
int accel_cmd_reduce(struct accel_stream *stream, const struct accel_reduce *reduce,
		     const struct accel_cmd_opts *opts);

/**
 * struct accel_gather - row i of dst is row index[i] of a table: an embedding, say
 *
 * An index outside the table is a fault of the job.
 */
struct accel_gather {
	/** @table: device address of @type[table_rows][table_stride]; Q8_0, Q4_0: rows of blocks, as a GGUF file has them. */
	uint64_t table;
	/** @index: device address of int32_t[rows]. */
	uint64_t index;
	/** @dst: device address of the result, float[rows][dst_stride]. */
	uint64_t dst;
	/** @rows: of the result, 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @table_rows: 1..2^24. */
	uint32_t table_rows;
	/** @table_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t table_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @type: of the table: ACCEL_F32, BF16, F16, Q8_0 or Q4_0; 0: ACCEL_F32. Its elements become float. */
	enum accel_type type;
};

/** accel_cmd_gather() - copy rows of a table by their indices */
int accel_cmd_gather(struct accel_stream *stream, const struct accel_gather *gather,
		     const struct accel_cmd_opts *opts);

/**
 * struct accel_topk - the k largest values of each row, largest first
 *
 * Of equal values, the one with the lowest index comes first; NaN come last.
 */
struct accel_topk {
	/** @src: device address of float[rows][src_stride]. */
	uint64_t src;
	/** @value: device address of the values, float[rows][value_stride], or 0: not wanted. */
	uint64_t value;
	/** @index: device address of where they are in their row, int32_t[rows][index_stride]. */
	uint64_t index;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @k: 1..1024, at most @n. */
	uint32_t k;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @value_stride: elements from row to row, at least @k; 0: @k. */
	uint32_t value_stride;
	/** @index_stride: elements from row to row, at least @k; 0: @k. */
	uint32_t index_stride;
};

/** accel_cmd_topk() - the largest values of each row, and their indices */
int accel_cmd_topk(struct accel_stream *stream, const struct accel_topk *topk,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_sample - a token for each row of logits
 *
 * Of the @top_k most likely, those that together have @top_p of the probability; of these one at random, by its probability.
 * The same logits, seed, counter and row give the same token, whenever and wherever.
 */
struct accel_sample {
	/** @src: device address of the logits, float[rows][src_stride]. */
	uint64_t src;
	/** @dst: device address of the tokens, int32_t[rows]. */
	uint64_t dst;
	/** @prob: device address of their probabilities in the softmax of the row, float[rows], or 0: not wanted. */
	uint64_t prob;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24: the vocabulary. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @temperature: what logits are divided by; 0: the largest is taken. */
	float temperature;
	/** @top_k: 0: no limit. */
	uint32_t top_k;
	/** @top_p: above 0, at most 1; 0: 1. */
	float top_p;
	/** @seed: which sequence of random numbers. */
	uint64_t seed;
	/** @counter: where in it: another for each step. */
	uint64_t counter;
};

/** accel_cmd_sample() - choose a token of each row; takes two records */
int accel_cmd_sample(struct accel_stream *stream, const struct accel_sample *sample,
		     const struct accel_cmd_opts *opts);

/* ---- Commands on images ---------------------------------------------------------------- */

/*
 * Images are NHWC: element c of pixel (y, x) of image b is at its address plus
 * ((b * height + y) * width + x) * stride + c elements. A stride over the number of channels makes a tensor a
 * slice of a wider one. A field of 0 takes the default that it names.
 */

/**
 * struct accel_window - images, and the windows that slide over them
 */
struct accel_window {
	/** @batch: images, 1..65535; 0: 1. In and out have at most 2^24 pixels each, all images together. */
	uint32_t batch;
	/** @in_h: lines of an image, 1..65535. */
	uint32_t in_h;
	/** @in_w: pixels of a line, 1..65535. */
	uint32_t in_w;
	/** @kh: taps of a window, down; accel_cmd_conv2d(): 1..255. */
	uint32_t kh;
	/** @kw: across. */
	uint32_t kw;
	/** @stride_h: lines from window to window, 1..255; 0: 1. */
	uint32_t stride_h;
	/** @stride_w: pixels from window to window, 1..255; 0: 1. */
	uint32_t stride_w;
	/** @dilation_h: lines from tap to tap, 1..255; 0: 1. accel_cmd_pool(): 0 or 1. */
	uint32_t dilation_h;
	/** @dilation_w: pixels from tap to tap, 1..255; 0: 1. accel_cmd_pool(): 0 or 1. */
	uint32_t dilation_w;
	/** @pad_top: lines of padding above an image, less than a window's height. */
	uint32_t pad_top;
	/** @pad_left: pixels of padding left of a line, less than a window's width. */
	uint32_t pad_left;
	/** @pad_bottom: below; looked at where @out_h is 0. */
	uint32_t pad_bottom;
	/** @pad_right: on the right; looked at where @out_w is 0. */
	uint32_t pad_right;
	/** @out_h: lines of the result; 0: as many as fit the input and its padding. */
	uint32_t out_h;
	/** @out_w: pixels of a line of the result; 0: as many as fit. */
	uint32_t out_w;
	/** @src_stride: elements from pixel to pixel, at least the channels; 0: dense. */
	uint32_t src_stride;
	/** @dst_stride: elements from pixel to pixel, at least the channels; 0: dense. */
	uint32_t dst_stride;
	/** @pad_value: int8: what a padded tap reads: the input's zero point. */
	int32_t pad_value;
};

/**
 * struct accel_conv2d - a convolution of int8 images, exact sums, with the epilogue of struct accel_gemm
 *
 * An input with a zero point other than 0 is dealt with by the bias, less zero point * sum of the channel's
 * weights, and by @window.pad_value.
 */
struct accel_conv2d {
	/** @src: device address of int8_t images with @in_c channels. */
	uint64_t src;
	/** @weight: device address of weights packed by accel_pack_conv_s8(), 64-byte aligned. */
	uint64_t weight;
	/** @dst: device address of the result, aligned to its element. */
	uint64_t dst;
	/** @window: shapes. */
	struct accel_window window;
	/** @in_c: channels of the input, 1..65535, a multiple of @groups. */
	uint32_t in_c;
	/** @out_c: channels of the result, 1..65535, a multiple of @groups. */
	uint32_t out_c;
	/** @groups: parts of the channels that do not mix; 0: 1. As many as channels: depthwise. */
	uint32_t groups;
	/** @type_d: elements of the result. */
	enum accel_type type_d;
	/** @bias: device address of int32_t[out_c] (ACCEL_F32: float[out_c]); 0: none. */
	uint64_t bias;
	/**
	 * @scale: device address. ACCEL_S8: struct accel_requant[out_c], 8-byte aligned; ACCEL_F32:
	 *	float[out_c]; ACCEL_S32: 0.
	 */
	uint64_t scale;
	/** @zero: ACCEL_S8: zero point of the result, -128..127. */
	int32_t zero;
	/** @lo: ACCEL_S8: least result; the zero point makes a ReLU. Both @lo and @hi 0: -128 and 127. */
	int32_t lo;
	/** @hi: ACCEL_S8: largest result, @lo..127. */
	int32_t hi;
	/**
	 * @residual: ACCEL_S8: device address of int8_t images of the shape of the result; 0: none. May be @dst, with the
	 *	same stride. (residual - @residual_zero) * residual_mult[o] joins the channel's sum * mult
	 *	before both are divided by 2^shift and rounded, once.
	 */
	uint64_t residual;
	/** @residual_mult: device address of int32_t[out_c]: scale of the residual / that of the result * 2^shift. */
	uint64_t residual_mult;
	/** @residual_stride: elements from pixel to pixel, at least @out_c; 0: dense. */
	uint32_t residual_stride;
	/** @residual_zero: zero point of the residual, -128..127. */
	int32_t residual_zero;
};

/** accel_cmd_conv2d() - convolve images; takes two records, with a residual three */
int accel_cmd_conv2d(struct accel_stream *stream, const struct accel_conv2d *conv,
		     const struct accel_cmd_opts *opts);

/** enum accel_pool_op - what becomes of a window's taps */
enum accel_pool_op {
	/** @ACCEL_POOL_MAX: the largest; padding does not count. */
	ACCEL_POOL_MAX = 0,
	/** @ACCEL_POOL_MEAN: the mean of those that are no padding. */
	ACCEL_POOL_MEAN = 1,
	/** @ACCEL_POOL_MEAN_PADDED: the mean of all; padding counts as window.pad_value. */
	ACCEL_POOL_MEAN_PADDED = 2,
};

/**
 * struct accel_pool - the largest or the mean of each window, channel by channel
 *
 * Global pooling is a window of the size of the image.
 */
struct accel_pool {
	/** @src: device address of images of @type. */
	uint64_t src;
	/** @dst: device address of the result, of @type. */
	uint64_t dst;
	/** @window: shapes; kh * kw is at most 65536. */
	struct accel_window window;
	/** @channels: 1..65535. */
	uint32_t channels;
	/** @type: ACCEL_S8 or ACCEL_F32. */
	enum accel_type type;
	/** @op: what is made of a window. */
	enum accel_pool_op op;
};

/** accel_cmd_pool() - the largest or the mean of windows */
int accel_cmd_pool(struct accel_stream *stream, const struct accel_pool *pool,
		   const struct accel_cmd_opts *opts);

/**
 * struct accel_convert - numbers of one float type as another
 *
 * To the nearest, ties to even. A NaN is the type's one NaN.
 */
struct accel_convert {
	/** @src: device address of [rows][src_stride] elements. */
	uint64_t src;
	/** @dst: device address of the result, [rows][dst_stride] elements. */
	uint64_t dst;
	/** @src_type: ACCEL_F32, ACCEL_BF16, ACCEL_F16, ACCEL_E4M3 or ACCEL_E5M2. */
	enum accel_type src_type;
	/** @dst_type: one of these, too. */
	enum accel_type dst_type;
	/** @rows: 1..2^24. */
	uint32_t rows;
	/** @n: elements of a row, 1..2^24. */
	uint32_t n;
	/** @src_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t src_stride;
	/** @dst_stride: elements from row to row, at least @n; 0: @n. */
	uint32_t dst_stride;
	/** @saturate: what is too large becomes the largest finite number; not for ACCEL_F32. */
	bool saturate;
};

/** accel_cmd_convert() - convert numbers between float types */
int accel_cmd_convert(struct accel_stream *stream, const struct accel_convert *convert,
		      const struct accel_cmd_opts *opts);

/** enum accel_order - how the matrix B[k][n] lies in memory */
enum accel_order {
	/**
	 * @ACCEL_ORDER_NK: a row an output channel: element (n, k) at n * ld + k (PyTorch's Linear,
	 *	GGUF).
	 */
	ACCEL_ORDER_NK = 0,
	/** @ACCEL_ORDER_KN: a row an input channel: element (n, k) at k * ld + n. */
	ACCEL_ORDER_KN = 1,
};

/**
 * struct accel_repack - a matrix in the layout that GEMM reads: what accel_pack() does, on the device
 */
struct accel_repack {
	/** @src: device address of a row-major matrix; of ACCEL_S4 a byte for each element. */
	uint64_t src;
	/** @dst: device address of accel_packed_size_of(type, n, k) bytes, 64-byte aligned. */
	uint64_t dst;
	/** @type: ACCEL_S8, ACCEL_S4, ACCEL_BF16, ACCEL_E4M3 or ACCEL_E5M2. */
	enum accel_type type;
	/** @n: columns of B: output channels, 1..2^24. */
	uint32_t n;
	/** @k: rows of B: input channels, 1..65536. */
	uint32_t k;
	/** @src_stride: elements from row to row, at least a row; 0: a row. */
	uint32_t src_stride;
	/** @order: of @src. */
	enum accel_order order;
};

/** accel_cmd_repack() - pack the weights of a GEMM */
int accel_cmd_repack(struct accel_stream *stream, const struct accel_repack *repack,
		     const struct accel_cmd_opts *opts);

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
 * struct accel_queue_params - of a queue; all zero: the defaults
 */
struct accel_queue_params {
	/** @priority: enum accel_priority. */
	enum accel_priority priority;
	/** @timeout_ms: a job that runs longer is ended; 0: the device's default. */
	uint32_t timeout_ms;
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
 * struct accel_wait - a job to wait for before another starts
 */
struct accel_wait {
	/** @queue: of the same device. */
	struct accel_queue *queue;
	/** @point: of accel_queue_submit() on @queue; 0: nothing to wait for. */
	uint64_t point;
};

/** ACCEL_MAX_WAITS: most waits of one submit. */
#define ACCEL_MAX_WAITS	62

/**
 * accel_queue_submit() - run a stream; does not wait
 * @queue: the queue
 * @stream: at least one record, of the queue's vm. It may be submitted again, but not changed while
 *	a job of it is under way
 * @waits: jobs of other queues that must have ended (well or not) before; NULL if @n_waits is 0
 * @n_waits: 0..ACCEL_MAX_WAITS
 * @point: the job's point on the queue's timeline: 1, 2, 3, ...; may be NULL
 *
 * Return: 0, -EINVAL (empty stream, stream of another vm, jump out of the stream, waits),
 * -ECANCELED (a job of it could only be ended by a restart: it takes no more), -ENOMEM, -ENODEV.
 */
int accel_queue_submit(struct accel_queue *queue, struct accel_stream *stream,
		       const struct accel_wait *waits, unsigned int n_waits, uint64_t *point);

/** ACCEL_WAIT_FOREVER: timeout that never ends; the job's own limit still does. */
#define ACCEL_WAIT_FOREVER	INT64_MAX

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
