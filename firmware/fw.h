/* SPDX-License-Identifier: MIT */
/*
 * The firmware's own header: hardware access, and what the files show each other. README.md says
 * how it works as a whole.
 */
#ifndef FW_H
#define FW_H

#include <stdbool.h>
#include <stddef.h>

#include "quill/fw_abi.h"
#include "quill/isa_check.h"
#include "quill/regs.h"

#define FW_VERSION	(2u << 16 | 1)
#define FW_ABI_MIN	QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, 0)
#define FW_ABI_MAX	QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR)
#define FW_FEATURES	(QUILL_FW_FEATURE_PREEMPT | QUILL_FW_FEATURE_SUSPEND | \
			 QUILL_FW_FEATURE_CONTEXT_KILL | QUILL_FW_FEATURE_WATCHDOG | \
			 QUILL_FW_FEATURE_QUERY | QUILL_FW_FEATURE_USER)

/* ---- What can be tuned ---- */

/* Jobs that can run at a time; and how many of them are kept for each priority. */
#define FW_JOBS		12
#define FW_JOBS_KEPT	2
/* Records that a job decodes before others of its priority, and requests of the driver, have their turn. */
#define FW_BURST	32
/* Commands that may finish before the firmware looks, while the engines have as many more. */
#define FW_RETIRE_LEVEL	(QUILL_ENGINE_FIFO / 2)
/* How often waiting jobs are looked at, in microseconds; and the watchdog. */
#define FW_TICK_US	10000
/* A job held back by others for so long is let in beside them until the next tick. */
#define FW_AGE_US	50000
/* How far decoding may be ahead of the oldest command that has not retired. A power of two. */
#define FW_WINDOW	64
#define FW_ENGINES_ALL	((1u << QUILL_ENGINE_COUNT) - 1)

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* ---- hw.c: the control block ---------------------------------------------- */

static inline __u32 cb_read(__u32 offset)
{
	return *(volatile __u32 *)(QUILL_RV_CB_BASE + offset);
}

static inline void cb_write(__u32 offset, __u32 value)
{
	*(volatile __u32 *)(QUILL_RV_CB_BASE + offset) = value;
}

static inline __u64 cb_read64(__u32 offset)
{
	__u32 lo = cb_read(offset);

	return (__u64)cb_read(offset + 4) << 32 | lo;
}

static inline void cb_write64(__u32 offset, __u64 value)
{
	cb_write(offset, value);
	cb_write(offset + 4, value >> 32);
}

/* Sleep until an interrupt is pending. */
static inline void wait_for_interrupt(void)
{
	asm volatile("wfi" ::: "memory");
}

/* Something is pending: cheaper than asking the control block what. */
static inline bool interrupt_pending(void)
{
	__u32 mip;

	asm volatile("csrr %0, mip" : "=r"(mip));
	return mip;
}

static inline __u64 max64(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

static inline bool is_power_of_two(__u32 v)
{
	return v && !(v & (v - 1));
}

/* Move @len bytes between local memory and address space @as: enum quill_fault. */
__u32 xfer_read(__u32 as, __u64 addr, void *local, __u32 len);
__u32 xfer_write(__u32 as, __u64 addr, const void *local, __u32 len);
/* The first address that failed in the last transfer. */
__u64 xfer_fault_address(void);
/* A table of @entries entries of @size bytes lies in memory: its first and last can be read. */
bool xfer_reachable(__u64 addr, __u32 entries, __u32 size);

/* ---- log.c ------------------------------------------------------------------ */

void log_init(__u64 addr, __u32 size);
/* One line; knows %u, %x and %s. */
__attribute__((format(printf, 1, 2))) void log_line(const char *fmt, ...);

/* ---- panic.c ------------------------------------------------------------------ */

/* QUILL_CORE_ERROR of a firmware that trapped: this plus mcause. */
#define FW_ERROR_TRAP	0x1000u

__attribute__((noreturn)) void panic(__u32 error);
__attribute__((noreturn)) void panic_trap(__u32 cause, __u32 pc, __u32 value);

/* ---- heartbeat.c ---------------------------------------------------------------- */

void heartbeat_init(__u32 period_us);
void heartbeat_beat(void);
/* Work begins: see that the timer runs. */
void heartbeat_work(void);
/* The timer has fired. */
void heartbeat_timer(void);

/* ---- queue.c ---------------------------------------------------------------------- */

enum queue_state {
	QUEUE_NONE = 0,
	QUEUE_ACTIVE,
	/* Its ring makes no sense, or its completions cannot be delivered. */
	QUEUE_STOPPED,
};

struct job;

/* What the hardware calls class: higher ones first. Below the least that starts anything: suspended. */
#define FW_CLASS_SUSPENDED	0
#define FW_CLASS(priority)	(1 + (priority))

struct queue {
	__u8 state;
	__u8 priority;
	__u8 as;
	/* No job of it begins: the driver has suspended it; or a KILL is under way. */
	bool suspended;
	bool killing;
	/* The doorbell claims more jobs than the ring holds; @bad_tail is what it said. */
	bool overrun;
	__u32 bad_tail;
	__u32 number;
	__u32 vector;
	__u32 entries;
	__u64 ring;
	__u64 cpl;
	/* Running counts: jobs ended; jobs known; completions written. */
	__u32 head;
	__u32 tail;
	__u32 seq;
	/* The job that runs, which is the one at @head; or NULL. */
	struct job *job;
};

/* This core's queue @number, or NULL if it is none of this core's. */
struct queue *queue_get(__u32 number);
/* Put a queue into service, with counts from @start on; what its doorbell said before is forgotten. */
void queue_start(struct queue *q, __u32 start);
void queue_stop(struct queue *q);
/* Take notice of the doorbells that have been rung. */
void queue_doorbells(void);
/* The class of its jobs. */
static inline __u32 queue_class(const struct queue *q)
{
	return q->suspended ? FW_CLASS_SUSPENDED : FW_CLASS(q->priority);
}

/* A set of queues; @some: a bit for each word that is not zero. */
#define FW_QUEUE_WORDS	(QUILL_MAX_QUEUES / 32)

struct queue_set {
	__u32 some;
	__u32 word[FW_QUEUE_WORDS];
};

void queue_set_add(struct queue_set *s, __u32 n);
/* The first member from @from on; QUILL_MAX_QUEUES: none. */
__u32 queue_set_next(const struct queue_set *s, __u32 from);

#define for_each_queue(n, set)	\
	for (n = queue_set_next(set, 0); n < QUILL_MAX_QUEUES; n = queue_set_next(set, n + 1))

/* Priorities that have a queue of which a job may begin, a bit each. */
extern __u32 queues_ready;
/* What decides whether a job of @q may begin has changed. */
void queue_update(struct queue *q);
/* A queue of @priority of which a job may begin, or NULL; round robin. */
struct queue *queue_pick(__u32 priority);
/* Add this core's queues in address space @as to an empty set. */
void queues_of_space(__u32 as, struct queue_set *found);
/* Read the descriptor of job @q->head. Enum quill_fault; *@addr is where it failed. */
__u32 queue_fetch(struct queue *q, struct quill_job_desc *desc, __u64 *addr);
/* The descriptor at @q->head says QUIET, still. */
bool queue_quiet(struct queue *q);
/* The job at @q->head has ended. */
void queue_advance(struct queue *q);
/* End every job that waits in the ring; not the one that runs. */
void queue_flush(struct queue *q);
/* Tell of a ring overrun, and serve the queue no more. */
void queue_report_overrun(struct queue *q);

/* ---- complete.c -------------------------------------------------------------------- */

/**
 * struct report - what a completion says about a fault
 */
struct report {
	__u32 fault;
	/* Place in the order of decoding: the earliest fault is the one to report. */
	__u32 order;
	__u32 index;
	__u64 stream;
	__u64 address;
	__u8 access;
	__u8 engine;
	__u8 opcode;
	__u32 cmd_seq;
};

/*
 * Write a completion record for @job and raise the queue's vector, unless it is @quiet and has ended well. With @commands,
 * the record has the counters of the slot that is selected, and so many commands more; NULL: the job was not begun.
 */
void complete(struct queue *q, __u64 job, const struct report *r, const __u32 *commands, bool quiet);

/* ---- admin.c ------------------------------------------------------------------------- */

void admin_init(const struct quill_fw_boot *boot);
/* Answer what is in the admin ring. */
void admin_serve(void);
/* No job of @q runs any more: a KILL may be waiting for that. */
void admin_job_ended(struct queue *q);
/* Engines have finished something: a SUSPEND may be waiting for that. */
void admin_poll(void);
/* A request waits to be answered. */
bool admin_waits(void);

/* ---- What one running job consists of ----------------------------------------------------- */

/**
 * struct sem_wait - a wait, as decoded
 */
struct sem_wait {
	__u32 sem;	/* 0: none */
	__u32 value;
	/* Signals, in the order of decoding, that decide the time: see sem.c. */
	__u32 prefix;
};

/* Ends remembered: those that a wait may look back to, and those decoded ahead of it. */
#define FW_SEM_ENDS	(2 * FW_WINDOW)

struct sem {
	/* Signals retired, decoded, issued; and issued without a gap from the first. */
	__u32 value;
	__u32 decoded;
	__u32 issued;
	__u32 prefix;
	/* The last signal of the prefix that ended before an earlier one. */
	__u32 disorder;
	/* The latest end of the prefix, and of those that are not in @end any more. */
	__u64 latest;
	__u64 forgotten;
	/* By number modulo FW_SEM_ENDS. */
	__u64 end[FW_SEM_ENDS];
};

/**
 * struct entry - a command between decoder and engine
 */
struct entry {
	/* The command, and its extensions. */
	union quill_cmd cmd[QUILL_MAX_RECORDS];
	__u64 ready;	/* decoded */
	__u64 held;	/* decoding last went on after a wait */
	__u64 end;
	struct sem_wait wait;
	__u32 signal;	/* number of its signal */
	__u32 order;
	/* Where it stands: the stream's address, and the record there. */
	__u64 stream;
	__u32 index;
	__u8 engine;
	__u8 state;
};

struct window {
	/* Running counts: oldest entry, next entry. */
	__u32 head;
	__u32 tail;
	/* Commands that the engines have: all, and of each. */
	__u32 in_flight;
	__u32 engine_has[QUILL_ENGINE_COUNT];
	/* Device time at which all commands that have left the window had ended. */
	__u64 end;
	/* Entries of each engine that are not issued, in order. */
	struct {
		__u8 entry[FW_WINDOW];
		__u32 head;
		__u32 tail;
	} fifo[QUILL_ENGINE_COUNT];
	struct entry entry[FW_WINDOW];
};

struct stream {
	__u64 addr;
	/* Records of the stream; the next one to decode. */
	__u32 records;
	__u32 pc;
	/* Commands decoded: their order. */
	__u32 order;
	/* Commands that needed no engine. */
	__u32 commands;
	__u32 overhead;
	/* All is decoded, or decoding has failed. */
	bool ended;
	/* Device time up to which decoding has come, and at which it last went on after a wait. */
	__u64 clock;
	__u64 held;
	/* Decoded, extensions included. */
	__u64 decoded;
	__u32 reg[QUILL_REGISTERS];
	/* The last command was a PATCH, and this one. */
	bool patched;
	__u64 patch[QUILL_PATCHES];
	/* Streams that wait for this one to end, and where they go on. */
	__u32 depth;
	struct {
		__u64 addr;
		__u32 records;
		__u32 pc;
	} caller[QUILL_CALL_DEPTH];
	/* Records [first, first + count) of the stream, as fetched. */
	__u32 first;
	__u32 count;
	union quill_cmd record[QUILL_XFER_MAX / QUILL_CMD_SIZE];
};

enum job_state {
	JOB_NONE = 0,
	JOB_RUNS,
	/* What it has in the engines is being taken down. */
	JOB_STOPS,
};

/**
 * struct job - a job that runs: everything that belongs to it alone
 */
struct job {
	struct queue *queue;
	/* What the submitter calls it; and whether he waits for no interrupt. */
	__u64 name;
	bool quiet;
	__u8 state;
	/* The present one: that of its priority, or what ageing lifts it to, or suspended. */
	__u8 class;
	/* Nothing to do before an engine reports; but every command that finishes may change that. */
	bool blocked;
	bool waits;
	/* It has moved since the last tick. */
	bool moved;
	/* An engine has found a fault: what is left is to be dropped. */
	bool stop;
	/* TIME in microseconds: when it was last seen to move, to have its turn; and its share of TIME. */
	__u64 moved_at;
	__u64 turn_at;
	__u64 served;
	/* The semaphores that hold something; the others are as if zero. */
	__u32 sems_used;
	struct report report;
	struct stream stream;
	struct window window;
	struct sem sem[QUILL_SEMAPHORES];
};

/* ---- sem.c: semaphores of a job ------------------------------------------------------------- */

void sem_reset(struct job *j);
void sem_decode_wait(struct job *j, struct sem_wait *w, const struct quill_cmd_hdr *hdr);
/* A command that signals @sem was decoded: the signal's number. */
__u32 sem_decode_signal(struct job *j, __u32 sem);
/* It was issued and will end at @end. */
void sem_issue_signal(struct job *j, __u32 sem, __u32 number, __u64 end);
/* It has retired. */
void sem_retire_signal(struct job *j, __u32 sem);
bool sem_reached(struct job *j, const struct sem_wait *w, bool strict);
/* Device time at which @w was reached. */
__u64 sem_time(struct job *j, const struct sem_wait *w, bool strict);

/* ---- window.c: commands between decoder and engines ------------------------------------------ */

void window_reset(struct job *j);
bool window_empty(const struct job *j);
/* There is room, and decoding command @order does not run too far ahead. */
bool window_room(const struct job *j, __u32 order);
/* Where to put the next command; window_push() makes it part of the window. */
struct entry *window_slot(struct job *j);
void window_push(struct job *j, struct entry *e);
/* The oldest command that has not retired, or NULL. */
struct entry *window_oldest(struct job *j);
/*
 * Issue what may start. True: something was. Not @strict: one command at most, whose wait is
 * reached by count alone.
 */
bool window_issue(struct job *j, bool strict);
/* What waits in the window waits for room in an engine's FIFO, and for nothing else. */
bool window_full(const struct job *j);
/* Command @index of the window is over; what it came to can be read from the control block. */
void window_retire(struct job *j, __u32 index);

/* ---- stream.c: fetch and decode ------------------------------------------------------------- */

void stream_reset(struct job *j, __u64 addr, __u32 size);
/* Decoding cannot go on: @cmd is what could not be decoded, if it could be fetched. */
void stream_fail(struct job *j, const union quill_cmd *cmd, __u32 index, __u32 fault,
		 __u32 access, __u64 address);
/* Decode up to @most records, as far as it goes. How many were. */
__u32 stream_decode(struct job *j, __u32 most, bool strict);
/* Fill in where the decoder stands. */
void stream_position(const struct job *j, struct report *r);

/* ---- control.c: commands without an engine --------------------------------------------------- */

/* Execute @cmd, which was checked. False: it has to wait, or is at fault. */
bool control_execute(struct job *j, const union quill_cmd *cmd, bool strict);
/* Add what the last PATCH says to @cmd. False: that is the job's fault. */
bool control_patch(struct job *j, union quill_cmd *cmd, __u32 records);
/* Go on behind the CALL that brought decoding here. */
void control_return(struct job *j);

/* ---- job.c: one job from descriptor to completion ------------------------------------------------ */

/* Begin the job at @q->head in @j. */
void job_begin(struct job *j, struct queue *q);
/* Let it do what it can, for a moment. */
void job_step(struct job *j);
/* End it; it may be over when this returns. */
void job_kill(struct job *j);
/* An engine does not come to an end with its command. */
void job_timeout(struct job *j);
/* The engine or the decoder found a fault. @stop: what is left is to be dropped. */
void job_fault(struct job *j, const struct report *r, bool stop);
/* Take in what the engines have finished. */
void job_retire_all(void);

/* ---- sched.c: whose turn it is -------------------------------------------------------------------- */

void sched_init(__u32 watchdog_us);
/* Job number @index. */
struct job *sched_job(__u32 index);
__u32 sched_index(const struct job *j);
/* Some job runs. */
bool sched_working(void);
/* Jobs have begun, ended, been suspended or resumed: see who has their turn, soon or now. */
void sched_changed(void);
void sched_update(void);
/* A doorbell of @priority has been rung: what is below is to start nothing before the job is looked at. */
void sched_announce(__u32 priority);
/* Begin jobs that may. */
void sched_begin(void);
/* @j gives its place back. */
void sched_ended(struct job *j);
/* The job that is next, or NULL: none can do anything before an engine reports. */
struct job *sched_next(void);
/* @j is blocked. */
void sched_blocked(struct job *j);
/* Until something is pending. */
void sched_sleep(void);
/* Some time has passed: ageing, watchdog, accounting. */
void sched_tick(void);
/* How long @j has been served, in microseconds. */
__u64 sched_served(struct job *j);
/* Make @j's slot the one that the control block speaks of, with its class. */
void sched_select(const struct job *j);
/* An engine executes a command of @j. */
bool sched_executes(const struct job *j);

/* ---- main.c ----------------------------------------------------------------------------------- */

/* Serve admin ring, doorbells and timer; often enough for a driver to notice no delay. */
void service(void);

#endif /* FW_H */
