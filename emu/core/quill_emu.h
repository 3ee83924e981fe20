/* SPDX-License-Identifier: MIT */
/*
 * libquill-emu: the device, as QEMU and the native harness see it.
 *
 * One struct quill_emu is one PCI device. It has threads of its own: one a core for the control
 * processor, one an engine, and `threads` workers for the arithmetic. Calls of this interface may come from
 * any thread, and return without waiting for work, but for quill_emu_reset(), quill_emu_pause() and
 * quill_emu_destroy().
 */
#ifndef QUILL_EMU_H
#define QUILL_EMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with every incompatible change of this header; QEMU's glue checks it. */
#define QUILL_EMU_ABI 5

/* The library hides everything but this interface. */
#pragma GCC visibility push(default)

struct quill_emu;

/**
 * struct quill_emu_config - the properties of a device
 */
struct quill_emu_config {
	/** @mem: bytes of device memory: a power of two, at least 1 MiB. */
	uint64_t mem;
	/** @cores: 1..QUILL_MAX_CORES. */
	uint32_t cores;
	/** @queues: hardware queues, @cores..QUILL_MAX_QUEUES. */
	uint32_t queues;
	/** @threads: host threads for arithmetic; 0: one a host processor. */
	uint32_t threads;
	/** @profile: timing profile: "quill-1", "unit" or the path of a file; NULL: "quill-1". */
	const char *profile;
	/** @inject: as quill_emu_inject() takes it. */
	const char *inject;
	/** @kernels: "scalar", "avx2", "avx512"; NULL: the best that the processor has. */
	const char *kernels;
	/**
	 * @lend: a thread that writes a doorbell may run the control processor itself for a moment, and so call @ops. It
	 * holds nothing then that they, or a thread that holds it and calls this interface, would wait for.
	 */
	bool lend;
};

/**
 * enum quill_event_type - what happened inside; behind each, what its arguments are
 *
 * What crosses this interface (registers, doorbells, mappings, vectors) its host sees without being told.
 */
enum quill_event_type {
	/** @QUILL_EVENT_CORE: core, enum quill_core_status, its error */
	QUILL_EVENT_CORE,
	/** @QUILL_EVENT_RESET: of the device: resets since power-on */
	QUILL_EVENT_RESET,
	/** @QUILL_EVENT_INVALIDATE: address space, or QUILL_MMU_INVALIDATE_ALL */
	QUILL_EVENT_INVALIDATE,
	/** @QUILL_EVENT_FETCH: into local memory: core, address space, address, bytes, enum quill_fault */
	QUILL_EVENT_FETCH,
	/** @QUILL_EVENT_STORE: out of local memory, likewise */
	QUILL_EVENT_STORE,
	/** @QUILL_EVENT_ISSUE: core, enum quill_engine, tag, opcode, address space, device time of its end */
	QUILL_EVENT_ISSUE,
	/** @QUILL_EVENT_REFUSE: a command that the issue port did not take: core, its GO, enum quill_fault */
	QUILL_EVENT_REFUSE,
	/** @QUILL_EVENT_RETIRE: seen by the firmware: core, engine, tag, enum quill_fault, address */
	QUILL_EVENT_RETIRE,
	/** @QUILL_EVENT_FAULT: of translation: address space, enum quill_fault, access, engine, address */
	QUILL_EVENT_FAULT,
	QUILL_EVENT_COUNT
};

#define QUILL_EVENT_ARGS 6

/**
 * struct quill_event - one event
 */
struct quill_event {
	/** @type: what happened. */
	enum quill_event_type type;
	/** @arg: as @type says; those that it does not have are 0. */
	uint64_t arg[QUILL_EVENT_ARGS];
};

/**
 * struct quill_emu_ops - what the device asks of its host
 *
 * Called from the device's threads, without any lock that a caller of this interface holds.
 */
struct quill_emu_ops {
	/**
	 * @dma_map: make host memory at bus address @addr accessible
	 *
	 * *@len is what is wanted, and on return what is mapped: 1..*@len bytes (less, where the host's memory
	 * is not contiguous). NULL: not RAM, or no such address.
	 */
	void *(*dma_map)(void *opaque, uint64_t addr, uint64_t *len, bool write);
	/** @dma_unmap: end of an access; @len as returned by dma_map, @written bytes changed. */
	void (*dma_unmap)(void *opaque, void *ptr, uint64_t len, bool write, uint64_t written);
	/** @msix: raise a vector. Does not block. */
	void (*msix)(void *opaque, unsigned int vector);
	/** @trace: one line for the log, or NULL. */
	void (*trace)(void *opaque, const char *line);
	/** @event: what just happened, or NULL. */
	void (*event)(void *opaque, const struct quill_event *event);
};

/**
 * quill_emu_create() - make a device, powered on and reset
 * @config: copied
 * @ops: copied
 * @opaque: handed to every call of @ops
 * @err: on failure, what was wrong and what was expected
 * @err_size: bytes of @err
 *
 * Return: the device, or NULL.
 */
struct quill_emu *quill_emu_create(const struct quill_emu_config *config,
				   const struct quill_emu_ops *ops, void *opaque,
				   char *err, size_t err_size);

/** quill_emu_destroy() - stop all work, join the threads, free. No ops are called afterwards. */
void quill_emu_destroy(struct quill_emu *emu);

/**
 * quill_emu_reset() - as after power-on, but for device memory and QUILL_REG_RESET_COUNT
 *
 * Waits for the threads to leave what they were doing; when it returns, no mapping made by dma_map is left.
 */
void quill_emu_reset(struct quill_emu *emu);

/**
 * quill_emu_pause() - let the device stand still
 *
 * Processors stop between two instructions, engines after the command that they are at; when it returns, nothing of
 * the host's is touched and no vector is raised until quill_emu_resume(). The device's clock stands still too.
 * Registers and doorbells may be accessed and the device may be reset meanwhile; what it would do, it does then.
 */
void quill_emu_pause(struct quill_emu *emu);

/** quill_emu_resume() - go on from where quill_emu_pause() or quill_emu_load() left it */
void quill_emu_resume(struct quill_emu *emu);

/**
 * quill_emu_save() - all that a guest can see of a paused device, but for its memory
 * @size: bytes of it
 *
 * Device memory (quill_emu_mem()) and the host's are the caller's to keep.
 *
 * Return: to be freed with free(); NULL: not enough memory, or not paused.
 */
void *quill_emu_save(struct quill_emu *emu, size_t *size);

/**
 * quill_emu_load() - put what quill_emu_save() gave into a paused device of the same configuration
 * @data: is not trusted
 * @err: on failure, what was found and what was required
 *
 * Kernels and threads may differ. Jobs go on with the same results and the same device time.
 *
 * Return: false: the device is now as after a reset.
 */
bool quill_emu_load(struct quill_emu *emu, const void *data, size_t size, char *err, size_t err_size);

/** quill_emu_read() - a guest's read of BAR0 or BAR2 */
uint64_t quill_emu_read(struct quill_emu *emu, unsigned int bar, uint64_t offset, unsigned int size);

/** quill_emu_write() - a guest's write to BAR0 or BAR2 */
void quill_emu_write(struct quill_emu *emu, unsigned int bar, uint64_t offset, uint64_t value,
		     unsigned int size);

/** quill_emu_mem() - device memory, page aligned, @mem bytes: BAR4 */
void *quill_emu_mem(struct quill_emu *emu);

/**
 * quill_emu_dump() - the device's state as text, for people; the device goes on meanwhile
 *
 * Return: to be freed by the caller with free(); NULL: not enough memory.
 */
char *quill_emu_dump(struct quill_emu *emu);

/**
 * quill_emu_inject() - faults on demand: the next so many of an event. At any time.
 * @text: NULL, "" or "off": none; "on": those that QUILL_REG_INJECT arms; or "lost-irq:3+slow": these, and the register.
 * @err: on failure, what was found and what was required
 */
bool quill_emu_inject(struct quill_emu *emu, const char *text, char *err, size_t err_size);

/** quill_emu_abi() - QUILL_EMU_ABI of the library */
unsigned int quill_emu_abi(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* QUILL_EMU_H */
