/* SPDX-License-Identifier: MIT */
/*
 * The device's inside. Everything in emu/core includes this; nobody else does, but for tests.
 *
 * Threads: the supervisor (resets, starts and stops of cores), and for each core the control processor
 * and one an engine; and the pool's workers. Locks, outer before inner: supervisor's, a core's,
 * mmu's, pool's. None is held while a callback of struct quill_emu_ops or a kernel runs.
 */
#ifndef QUILL_CORE_H
#define QUILL_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "quill/fw_abi.h"
#include "quill/isa.h"
#include "quill/regs.h"
#include "quill_emu.h"
#include "rv32.h"

#include "dma.h"
#include "pool.h"
#include "timing.h"

#define CORE_MAX_THREADS	64u
/* Fits all retirements: a place in a FIFO is free again when its command's retirement was popped. */
#define CORE_RETIRE_RING	(QUILL_SLOTS * QUILL_ENGINE_COUNT * QUILL_ENGINE_FIFO)
/* A scratchpad is cleared in pieces of this size, those that were written to. */
#define SRAM_GRANULE		65536u
#define SRAM_MAX_GRANULES	1024u
/* Set in QUILL_CORE_ERROR when the processor died of a trap; mcause is in the low bits. */
#define CORE_ERROR_TRAP		0x80000000u

/*
 * What a guest can see of the structures below is part of a snapshot: what is added to them belongs in snapshot.c or
 * snapshot_slot.c as well. What is injected is not: a snapshot is of a device that works.
 */
struct issued {
	union quill_cmd rec[QUILL_MAX_RECORDS];
	uint64_t end;		/* device time at which it has finished */
	uint64_t cycles;	/* of device time that it takes */
	uint16_t tag;
	uint8_t slot;
	uint8_t as;
	bool small;		/* not worth a worker or another thread */
};

struct retirement {
	uint32_t head;		/* as QUILL_CB_RETIRE */
	uint32_t fault;		/* as QUILL_CB_RETIRE_FAULT */
	uint64_t addr;
	uint8_t slot;
};

/* A slot's commands in one engine. */
struct lane {
	/* under the core's lock */
	struct issued fifo[QUILL_ENGINE_FIFO];
	unsigned int head, count;
	unsigned int doomed;	/* the first of them, which retire as KILLED behind what runs */
	unsigned int unpopped;	/* commands issued whose retirement was not popped */
	bool stopped;		/* by a fault or an abort, until RESUME */
	uint64_t served;	/* device time had, for the engine's choice: see slot.c */
	uint64_t free_at;	/* device time */
};

/* What belongs to one job alone. */
struct slot {
	struct lane lane[QUILL_ENGINE_COUNT];
	/* NULL: not touched yet, reads as zero. */
	_Atomic(uint8_t *) sram;
	_Atomic uint64_t sram_dirty[SRAM_MAX_GRANULES / 64];
	/* under the core's lock */
	uint8_t class;
	uint64_t counters[QUILL_COUNTER_COUNT];
};

struct engine {
	struct core *core;
	unsigned int id;	/* enum quill_engine */
	pthread_t thread;
	bool threaded;
	struct dma_ctx *ctx;
	pthread_cond_t wake;
	/* Stops what runs at its next tile. */
	_Atomic bool abort;

	/* under the core's lock */
	uint64_t waiting;	/* slots that have commands in their FIFO, a bit each */
	bool running;
	uint8_t slot;		/* whose command runs */
	uint64_t served;	/* what the slot had had whose command was taken last */
};

/* What the transfer unit and the issue port hold; the control processor's thread only. */
struct cb_ports {
	uint64_t xfer_addr;
	uint32_t xfer_local, xfer_len, xfer_result;
	uint64_t xfer_fault;
	uint32_t slot;
	uint32_t check_cmd, check_result;
	uint32_t issue_cmd;
	uint64_t issue_ready, issue_decoded, issue_held;
	uint64_t job_clock, job_records;
	uint32_t issue_result;
	uint64_t issue_end;
	struct retirement popped;
	uint32_t time_hi;
	uint32_t timer_lo;
	char line[128];
	unsigned int line_len;
};

/* Who runs a control processor's program. */
enum processor_place {
	PROCESSOR_OWN,		/* its thread */
	PROCESSOR_ASLEEP,	/* nobody: it is in a WFI, and its thread sleeps */
	PROCESSOR_LENT,		/* a thread that wrote a doorbell, while its own waits */
};

struct core {
	struct quill_emu *emu;
	unsigned int id;
	pthread_t thread;
	bool threaded;
	struct rv32 *cpu;
	uint8_t *tcm;
	struct dma_ctx *ctx;
	struct cb_ports ports;
	struct engine engine[QUILL_ENGINE_COUNT];
	struct slot slot[QUILL_SLOTS];

	pthread_mutex_t lock;
	pthread_cond_t wake;	/* the control processor sleeps here */
	pthread_cond_t idle;	/* the supervisor waits here */
	/* The control processor leaves its loop; engines drop what they have. */
	_Atomic bool stop;
	/* The control processor leaves its loop and keeps its place; engines begin nothing. */
	_Atomic bool pause;
	/* Stands still until it is stopped: see inject.c. */
	_Atomic bool stuck;
	/* The interrupt line, readable without the lock. */
	_Atomic bool irq;
	_Atomic uint32_t pc;
	_Atomic uint64_t insn;

	/* under lock */
	bool quit;
	bool run;		/* asked to boot */
	bool active;		/* boots or runs */
	bool frozen;		/* active, but has left its loop for a pause */
	enum processor_place place;
	uint64_t alarm;		/* while its thread sleeps: the timer's time that it knows of */
	bool want_stop, want_start;	/* requests to the supervisor */
	uint32_t status;	/* enum quill_core_status */
	uint32_t error;
	uint32_t fw_version;
	uint32_t fw_abi;
	uint32_t fw_features;
	uint32_t heartbeat;
	uint64_t fw_addr;
	uint32_t fw_size;
	uint64_t boot_args;
	uint32_t irq_latched;	/* ADMIN and TIMER */
	uint32_t irq_enable;
	uint64_t timer;
	bool timer_armed;
	uint32_t admin_tail;
	uint32_t db_words;
	uint32_t db_pending[QUILL_MAX_QUEUES / 32];
	uint32_t db_tail[QUILL_MAX_QUEUES];
	uint8_t db_class[QUILL_MAX_QUEUES];
	uint8_t floor;		/* class below which nothing starts; and the same for pending doorbells */
	uint8_t db_floor;
	/* Scratchpads that no slot has, all zero. */
	uint8_t *spare_sram[QUILL_SLOTS];
	unsigned int spare_srams;
	struct retirement retired[CORE_RETIRE_RING];
	unsigned int retired_head, retired_count;
	unsigned int retire_level;	/* as many make an interrupt */
	bool retire_urgent;		/* and so do these */
	unsigned int spin_ns;	/* how long it paid to wait awake, lately */
};

struct quill_emu {
	struct quill_emu_ops ops;
	void *opaque;
	bool lend;
	uint64_t mem_size;
	uint32_t cores, queues, threads;
	const struct quill_kernels *kernels;
	struct profile profile;
	char profile_name[64];	/* as asked for; cut, if it is a long path */
	uint8_t *mem;
	/* When the device's clock was 0, had it never stood still. */
	_Atomic uint64_t power_on_ns;
	struct mmu mmu;
	struct {
		_Atomic bool on;
		_Atomic uint32_t armed[QUILL_INJECT_COUNT];
		_Atomic bool stuck_invalidate;
	} inject;
	struct pool *pool;
	struct core core[QUILL_MAX_CORES];

	/* The supervisor, who alone starts, stops and resets. */
	pthread_t supervisor;
	bool supervised;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_cond_t done;
	_Atomic bool resetting;
	_Atomic uint32_t reset_count;
	uint64_t resets_wanted, resets_done;	/* under lock */
	bool cores_wanted;			/* under lock */
	struct device_call *call;		/* under lock */
	bool quit;				/* under lock */

	/* the supervisor's only */
	bool paused;
	uint64_t paused_ns;			/* since when */
};

static inline uint32_t core_irq_pending(const struct core *core)
{
	return core->irq_latched | (core->db_words ? QUILL_CB_IRQ_DOORBELL : 0) |
	       (core->retired_count >= core->retire_level || core->retire_urgent ?
		QUILL_CB_IRQ_ENGINE : 0);
}

static inline struct core *core_of_queue(struct quill_emu *emu, uint32_t queue)
{
	return &emu->core[queue % emu->cores];
}

/*
 * core_event(emu, type, arguments...): where nobody listens, a branch, and the arguments are not
 * evaluated. Under no lock.
 */
#define core_event(emu, what, ...) do {							\
	struct quill_emu *event_emu = (emu);						\
											\
	if (event_emu->ops.event)							\
		event_emu->ops.event(event_emu->opaque, &(struct quill_event){		\
				     .type = QUILL_EVENT_##what, .arg = { __VA_ARGS__ } });	\
} while (0)

/* ---- device.c ---- */
int core_thread(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg);
void core_trace(struct quill_emu *emu, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
uint64_t core_now_ns(void);
void device_request_reset(struct quill_emu *emu);
void device_request_core(struct core *core, bool stop, bool start);
void device_call(struct quill_emu *emu, void (*fn)(struct quill_emu *emu, void *arg), void *arg);
void device_reset(struct quill_emu *emu);

/* ---- processor.c ---- */
int processor_init(struct core *core);
void processor_fini(struct core *core);
void processor_stop(struct core *core);
void processor_start(struct core *core);
void processor_pause(struct core *core);
void processor_resume(struct core *core);
void processor_irq(struct core *core);
/* Take the processor from its thread, if that sleeps. Under the core's lock. Then, without it: run it and give it back. */
bool processor_take(struct core *core);
void processor_lent(struct core *core);
uint64_t processor_time_us(struct core *core);
void processor_timer(struct core *core);

/* ---- boot.c ---- */
uint32_t boot_rom(struct core *core, uint32_t *entry);
uint32_t boot_crc32(const void *data, size_t len);

/* ---- cb.c ---- */
extern const struct rv32_bus cb_bus;
void cb_reset(struct core *core);
void cb_doorbell(struct core *core, uint32_t queue, uint32_t tail);
void cb_admin(struct core *core, uint32_t tail);

/* ---- issue.c ---- */
int issue_init(struct core *core);
void issue_fini(struct core *core);
void issue_go(struct core *core, uint32_t go);
uint32_t issue_check(const struct issued *cmd, uint32_t records, unsigned int engine);
void issue_abort(struct core *core, uint32_t mask);
void issue_abort_all(struct core *core);
void issue_resume(struct core *core, uint32_t mask);
bool issue_any_busy(struct core *core);
bool issue_any_runs(const struct core *core);
uint32_t issue_runs(struct core *core, unsigned int engine);
void issue_pop(struct core *core, struct retirement *out);
void issue_drop(struct core *core);
void issue_reset(struct core *core);
void issue_kick(struct core *core);

/* ---- inject.c ---- */
bool inject_take(struct quill_emu *emu, enum quill_inject what);
bool inject_armed(struct quill_emu *emu, enum quill_inject what);
void inject_slow(struct quill_emu *emu, _Atomic bool *abort);
uint32_t inject_read(struct quill_emu *emu);
void inject_write(struct quill_emu *emu, uint32_t value);

/* ---- slot.c ---- */
void slot_select(struct core *core, uint32_t value);
bool slot_may_start(const struct core *core, unsigned int slot);
int slot_next(const struct engine *engine);
void slot_push(struct engine *engine, const struct issued *cmd);
void slot_take(struct engine *engine, unsigned int slot, struct issued *cmd);
void slot_serve(struct engine *engine, const struct issued *cmd);
uint32_t slot_busy(struct core *core, unsigned int slot);
uint8_t *slot_sram(struct core *core, unsigned int slot);
void slot_job_begin(struct core *core);
void slot_job_end(struct core *core);
void slot_reset(struct core *core);
void slot_fini(struct core *core);

/* ---- counters.c ---- */
uint64_t counters_issue(struct core *core, unsigned int engine, const struct cost *cost);
void counters_finish(struct core *core, uint64_t clock, uint64_t records);
void counters_reset(struct slot *slot);

/* ---- exec.c and the executors ---- */
struct exec {
	struct quill_emu *emu;
	struct dma_ctx *ctx;
	struct dma_port port;
	const union quill_cmd *cmd;
	uint64_t end;
	_Atomic bool *abort;
	bool small;
};

uint32_t exec_run(struct exec *x, struct dma_fault *fault);
uint32_t exec_timestamp(struct exec *x, struct dma_fault *fault);
uint32_t exec_copy(struct exec *x, struct dma_fault *fault);
uint32_t exec_fill(struct exec *x, struct dma_fault *fault);
uint32_t exec_transpose(struct exec *x, struct dma_fault *fault);
uint32_t exec_gemm(struct exec *x, struct dma_fault *fault);
uint32_t exec_repack(struct exec *x, struct dma_fault *fault);
uint32_t exec_convert(struct exec *x, struct dma_fault *fault);
uint32_t exec_conv2d(struct exec *x, struct dma_fault *fault);
uint32_t exec_attention(struct exec *x, struct dma_fault *fault);
uint32_t exec_merge(struct exec *x, struct dma_fault *fault);
uint32_t exec_rmsnorm(struct exec *x, struct dma_fault *fault);
uint32_t exec_layernorm(struct exec *x, struct dma_fault *fault);
uint32_t exec_softmax(struct exec *x, struct dma_fault *fault);
uint32_t exec_rope(struct exec *x, struct dma_fault *fault);
uint32_t exec_quantise(struct exec *x, struct dma_fault *fault);
uint32_t exec_dequantise(struct exec *x, struct dma_fault *fault);
uint32_t exec_eltwise(struct exec *x, struct dma_fault *fault);
uint32_t exec_act(struct exec *x, struct dma_fault *fault);
uint32_t exec_reduce(struct exec *x, struct dma_fault *fault);
uint32_t exec_gather(struct exec *x, struct dma_fault *fault);
uint32_t exec_kv_append(struct exec *x, struct dma_fault *fault);
uint32_t exec_topk(struct exec *x, struct dma_fault *fault);
uint32_t exec_sample(struct exec *x, struct dma_fault *fault);
uint32_t exec_pool(struct exec *x, struct dma_fault *fault);

static inline bool exec_aborted(const struct exec *x)
{
	return atomic_load_explicit(x->abort, memory_order_relaxed);
}

#endif /* QUILL_CORE_H */
