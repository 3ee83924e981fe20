// SPDX-License-Identifier: MIT
/*
 * Whose turn it is.
 *
 * A dozen jobs can run at a time, one a queue; some places are kept for each priority, so that none
 * shuts out another. Jobs of the highest priority that there is have the core to themselves: they
 * take turns in decoding, and the engines share out device time among them (emu/core/slot.c). Others keep what they have
 * in the engines' FIFOs, but nothing of it starts: not even in gaps, since a command cannot be interrupted, and one
 * of a batch job in each gap would make an urgent job of many small commands as slow as the batch. What keeps
 * them from starving is ageing: one that has waited for FW_AGE_US is let in beside the others for a tick.
 *
 * The engines know of an urgent job from its doorbell on (QUILL_CB_DB_CLASS), before the firmware does.
 */
#include "fw.h"

static struct job jobs[FW_JOBS];

static struct {
	__u32 running;
	/* Jobs that are there, a bit each. */
	__u32 live;
	/* Places held by each priority; and those that are kept free for one or another. */
	__u32 held[QUILL_FW_PRIORITY_COUNT];
	__u32 kept;
	/* The class of those whose turn it is, and what the engines were told. */
	__u32 top;
	__u32 floor;
	/* Retirements that make an interrupt. */
	__u32 retire_level;
	/* The slot register. */
	__u32 selected;
	/* Whose turn it was last. */
	__u32 last;
	__u32 watchdog_us;
	/* How many have their turn; and up to when time was charged to them. */
	__u32 served;
	__u64 charged;
	/* Who has their turn is to be found out anew. */
	bool changed;
} sched;

#define for_each_job(j)								\
	for (__u32 left_ = sched.live, i_ = 0; left_; left_ >>= 1, i_++)		\
		if (left_ & 1 && (j = &jobs[i_]))

void sched_init(__u32 watchdog_us)
{
	sched.watchdog_us = watchdog_us;
	sched.selected = ~0u;
	sched.kept = QUILL_FW_PRIORITY_COUNT * FW_JOBS_KEPT;
	sched.retire_level = 1;
	sched_update();
}

struct job *sched_job(__u32 index)
{
	return index < FW_JOBS && jobs[index].state != JOB_NONE ? &jobs[index] : NULL;
}

__u32 sched_index(const struct job *j)
{
	return j - jobs;
}

bool sched_working(void)
{
	return sched.running;
}

void sched_select(const struct job *j)
{
	__u32 value = sched_index(j) | (__u32)j->class << QUILL_SLOT_CLASS_SHIFT;

	if (value == sched.selected)
		return;
	sched.selected = value;
	cb_write(QUILL_CB_SLOT, value);
}

bool sched_executes(const struct job *j)
{
	__u32 e;

	for (e = 0; e < QUILL_ENGINE_COUNT; e++)
		if (cb_read(QUILL_CB_ENGINE_RUNS(e)) == (QUILL_ENGINE_RUNS_VALID | sched_index(j)))
			return true;
	return false;
}

static void set_floor(__u32 class)
{
	if (class == sched.floor)
		return;
	sched.floor = class;
	cb_write(QUILL_CB_FLOOR, class);
}

static void set_class(struct job *j, __u32 class)
{
	if (j->class == class)
		return;
	j->class = class;
	j->blocked = false;
	sched_select(j);
}

/* It is this job's turn, with others of the class. */
static bool is_served(const struct job *j)
{
	return j->state == JOB_RUNS && j->class == sched.top;
}

/* ---- Time ---- */

/* Share out the time since the last look among those that were served. */
static void charge(__u64 now)
{
	__u32 share = sched.served ? (__u32)(now - sched.charged) / sched.served : 0;
	struct job *j;

	sched.charged = now;
	if (!share)
		return;
	for_each_job(j)
		if (is_served(j))
			j->served += share;
}

__u64 sched_served(struct job *j)
{
	charge(cb_read64(QUILL_CB_TIME_LO));
	return j->served;
}

/* ---- Who is served ---- */

static __u32 own_class(const struct job *j)
{
	return queue_class(j->queue);
}

void sched_changed(void)
{
	sched.changed = true;
}

void sched_update(void)
{
	__u64 now = cb_read64(QUILL_CB_TIME_LO);
	__u32 top = FW_CLASS(0);
	struct job *j;

	sched.changed = false;
	charge(now);
	for_each_job(j)
		if (j->state == JOB_RUNS && own_class(j) > top)
			top = own_class(j);
	sched.top = top;
	sched.served = 0;
	for_each_job(j) {
		if (j->state != JOB_RUNS)
			continue;
		/* one that was let in keeps that till the tick, unless the top has come down to it */
		if (j->queue->suspended || j->class < own_class(j) || j->class > top)
			set_class(j, own_class(j));
		if (j->class != top)
			continue;
		j->turn_at = now;
		sched.served++;
	}
	set_floor(top);
}

void sched_announce(__u32 priority)
{
	if (FW_CLASS(priority) > sched.floor)
		set_floor(FW_CLASS(priority));
}

/* A job of @priority may take a place: enough are left for the other priorities. */
static bool may_hold(__u32 priority)
{
	/* of those that are kept it may take its own */
	return sched.held[priority] < FW_JOBS_KEPT || sched.running + sched.kept < FW_JOBS;
}

static struct job *free_job(void)
{
	__u32 i = 0;

	while (sched.live >> i & 1)
		i++;
	sched.live |= 1u << i;
	return &jobs[i];
}

static void begin(struct queue *q)
{
	struct job *j = free_job();

	sched.running++;
	if (sched.held[q->priority]++ < FW_JOBS_KEPT)
		sched.kept--;
	j->class = queue_class(q);
	job_begin(j, q);
	if (j->state == JOB_NONE)
		return;
	j->served = 0;
	j->moved = true;
	j->turn_at = cb_read64(QUILL_CB_TIME_LO);
	sched_changed();
}

void sched_begin(void)
{
	struct queue *q;
	__u32 p;

	if (likely(!queues_ready && !sched.changed && sched.floor == sched.top))
		return;
	for (p = QUILL_FW_PRIORITY_COUNT; p-- > 0 && queues_ready;)
		while (queues_ready >> p & 1 && may_hold(p)) {
			q = queue_pick(p);
			if (q->head != q->tail)
				begin(q);
			else
				queue_report_overrun(q);
		}
	/* a doorbell that has brought nothing holds nothing back */
	if (sched.changed)
		sched_update();
	else
		set_floor(sched.top);
}

void sched_ended(struct job *j)
{
	sched.running--;
	sched.live &= ~(1u << sched_index(j));
	if (--sched.held[j->queue->priority] < FW_JOBS_KEPT)
		sched.kept++;
}

/* The first job from number @from on that has its turn and something to do; FW_JOBS: none. */
static __u32 first_ready(__u32 from)
{
	__u32 left = sched.live >> from, i;

	for (i = from; left; i++, left >>= 1)
		if (left & 1 && is_served(&jobs[i]) && !jobs[i].blocked)
			return i;
	return FW_JOBS;
}

struct job *sched_next(void)
{
	__u32 i = first_ready(sched.last + 1);

	if (i == FW_JOBS)
		i = first_ready(0);
	if (i == FW_JOBS)
		return NULL;
	sched.last = i;
	return &jobs[i];
}

/*
 * The engines need not tell of every command that finishes while they have enough of them and nobody waits for a
 * particular one. That is most of what the firmware costs in a stream of large commands.
 */
static void set_retire_level(__u32 level)
{
	if (level == sched.retire_level)
		return;
	sched.retire_level = level;
	cb_write(QUILL_CB_RETIRE_LEVEL, level);
}

void sched_blocked(struct job *j)
{
	j->blocked = true;
	j->waits = !window_full(j) || (!j->stream.ended && window_room(j, j->stream.order));
	if (j->waits)
		set_retire_level(1);
}

void sched_sleep(void)
{
	struct job *j;

	__u32 level = admin_waits() ? 1 : FW_RETIRE_LEVEL;

	for_each_job(j)
		if (j->state == JOB_STOPS || (is_served(j) && j->waits))
			level = 1;
	set_retire_level(level);
	wait_for_interrupt();
}

/* ---- Ticks ---- */

/* One that was let in steps back; one that has waited long enough is let in. */
static void age(struct job *j, __u64 now)
{
	if (j->state != JOB_RUNS || j->queue->suspended)
		return;
	if (j->class != own_class(j))
		set_class(j, own_class(j));
	if (is_served(j))
		j->turn_at = now;
	else if (now - j->turn_at >= FW_AGE_US) {
		set_class(j, sched.top);
		j->turn_at = now;
	}
}

/* Only who occupies an engine is to blame: others may be waiting for it. */
static void watch(struct job *j, __u64 now)
{
	if (j->state != JOB_RUNS)
		return;
	if (j->moved || !sched_executes(j)) {
		j->moved = false;
		j->moved_at = now;
	} else if (now - j->moved_at >= sched.watchdog_us) {
		job_timeout(j);
	}
}

void sched_tick(void)
{
	__u64 now = cb_read64(QUILL_CB_TIME_LO);
	struct job *j;

	charge(now);
	for_each_job(j) {
		age(j, now);
		if (sched.watchdog_us)
			watch(j, now);
	}
	sched_changed();
}
