// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: from a job that does not end to a device that works.
 *
 * DOC: The reset ladder
 *
 * Who calls for it: a queue's watchdog (a job has run too long), the health check (a core's
 * firmware has panicked or lost its heartbeat), the reader of completions (nonsense), an admin
 * request or an invalidation without an answer. What is done, each step only if the one before
 * has not helped:
 *
 * 1. The firmware is asked to end the queue's jobs. The one that ran too long fails with
 *    -ETIME; those behind it are put into the ring again.
 * 2. Its core is stopped, the firmware started anew, its queues created again. Jobs that had
 *    ended are counted as such, all others run again, from their start. The job that made step
 *    1 fail ends with -ETIME, and its queue is banned: it takes no more jobs. If the firmware did
 *    not even say how long the job was served, the firmware is at fault and the job runs again.
 * 3. The whole device is reset, by its own register or else by a function level reset, and all
 *    cores as in 2.
 * 4. The device is given up: it loses bus mastering, and every fence signals -ENODEV.
 *
 * A job that was the first of its queue in QUILL_MAX_REPLAYS restarts of its core ends with
 * -EIO instead of a further attempt: it may be what takes the core down.
 *
 * All of this runs on an ordered workqueue, which makes one recovery wait for the other. What
 * it does not run is: during probe, remove and suspend, for the work items are disabled then.
 *
 * A core shares its time out among the jobs of its queues, and holds those of low priority back
 * for others, so a job may be under way for much longer than it runs. The watchdog therefore asks
 * the firmware, before it acts, how long the job has been served, and only that counts.
 */
#include <linux/jiffies.h>
#include <linux/pci.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "quill_coredump.h"
#include "quill_device.h"
#include "quill_fw.h"
#include "quill_irq.h"
#include "quill_job.h"
#include "quill_mmu.h"
#include "quill_pm.h"
#include "quill_queue.h"
#include "quill_reset.h"
#include "quill_trace.h"
#include "quill_uqueue.h"

#define QUILL_HEALTH_PERIOD	HZ
#define QUILL_HEARTBEAT_TIMEOUT	(10 * HZ)
#define QUILL_MAX_REPLAYS	3

static unsigned long quill_reset_all_cores(struct quill_device *qdev)
{
	return GENMASK(qdev->nr_cores - 1, 0);
}

/*
 * quill_reset_count() - a step is taken: to be called before a fence can tell of it
 */
void quill_reset_count(struct quill_device *qdev, enum quill_rung rung)
{
	atomic_inc(&qdev->resets[rung]);
	atomic_inc(&qdev->reset_count);
}

/* The queue on hardware queue @i, if there is one and its core is among @cores. */
static struct quill_queue *quill_reset_queue(struct quill_device *qdev, unsigned int i,
					     unsigned long cores)
{
	lockdep_assert_held_write(&qdev->hw_lock);
	return cores & BIT(i % qdev->nr_cores) ? READ_ONCE(qdev->hwq[i]) : NULL;
}

/* ---- Parts of a recovery, with hw_lock held for writing ------------------------- */

/* From here on nobody writes to the rings or asks the cores for anything. */
static void quill_reset_halt(struct quill_device *qdev, unsigned long cores)
{
	struct quill_queue *queue;
	unsigned int i;

	lockdep_assert_held_write(&qdev->hw_lock);
	for_each_set_bit(i, &cores, qdev->nr_cores)
		quill_fw_disconnect(&qdev->core[i]);
	for (i = 0; i < qdev->nr_queues; i++) {
		queue = quill_reset_queue(qdev, i, cores);
		if (!queue)
			continue;
		spin_lock_irq(&queue->lock);
		queue->halted = true;
		spin_unlock_irq(&queue->lock);
	}
}

/* The job that the watchdog could not end by itself. */
static void quill_reset_ban(struct quill_queue *queue, struct quill_job *job)
{
	s64 elapsed = ktime_ms_delta(ktime_get(), queue->head_since);

	lockdep_assert_held(&queue->lock);
	queue->stats.fault = (struct quill_job_cpl) {
		.job = job->id,
		.status = QUILL_FAULT_KILLED,
		.engine = QUILL_ENGINE_FW,
	};
	queue->stats.fault_elapsed_ms = min_t(s64, elapsed, U32_MAX);
	quill_queue_end_job(queue, job, -ETIME);
	quill_queue_ban(queue);
}

/*
 * The cores are stopped: take in what they had completed, and decide about the rest. @blame: the
 * first job may be what made that necessary.
 */
static void quill_reset_collect_queue(struct quill_queue *queue, bool blame)
{
	bool known = queue->created;
	struct quill_job *head;

	quill_irq_process(queue);
	queue->created = false;
	spin_lock_irq(&queue->lock);
	if (queue->uq && known)
		quill_uqueue_collect(queue, blame);
	head = list_first_entry_or_null(&queue->running, struct quill_job, node);
	if (head && queue->killing && head->id == queue->guilty)
		quill_reset_ban(queue, head);
	else if (blame && head && head->posted && ++head->replays > QUILL_MAX_REPLAYS)
		quill_queue_end_job(queue, head, -EIO);
	queue->killing = false;
	if (queue->error)
		quill_queue_fail_all(queue, queue->error);
	spin_unlock_irq(&queue->lock);
}

static void quill_reset_collect(struct quill_device *qdev, unsigned long cores, bool blame)
{
	struct quill_queue *queue;
	unsigned int i;

	for (i = 0; i < qdev->nr_queues; i++) {
		queue = quill_reset_queue(qdev, i, cores);
		if (queue)
			quill_reset_collect_queue(queue, blame);
	}
}

/* Start cores that are stopped, give them their queues, and the queues their jobs. */
static int quill_reset_start(struct quill_device *qdev, unsigned long cores)
{
	struct quill_queue *queue;
	unsigned int i;
	int ret;

	for_each_set_bit(i, &cores, qdev->nr_cores) {
		ret = quill_fw_boot(&qdev->core[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < qdev->nr_queues; i++) {
		queue = quill_reset_queue(qdev, i, cores);
		if (!queue || queue->error)
			continue;
		ret = quill_queue_hw_create(queue);
		if (ret)
			return ret;
	}
	return 0;
}

static int quill_reset_restart_cores(struct quill_device *qdev, unsigned long cores)
{
	unsigned int i;
	int ret = 0;

	quill_reset_count(qdev, QUILL_RUNG_CORE);
	quill_reset_halt(qdev, cores);
	for_each_set_bit(i, &cores, qdev->nr_cores)
		if (!ret)
			ret = quill_fw_stop(&qdev->core[i]);
	if (!ret) {
		quill_reset_collect(qdev, cores, true);
		ret = quill_reset_start(qdev, cores);
	}
	trace_quill_reset("cores", cores, ret);
	drm_err_ratelimited(&qdev->drm, "cores 0x%lx: firmware restarted: %s\n", cores,
			    ret ? "no success" : "success");
	return ret;
}

/* After a reset of the whole device, by whatever means, and the collection of what it had done. */
static int quill_reset_bring_up(struct quill_device *qdev)
{
	u32 id = quill_read(qdev, QUILL_REG_ID);

	if (id != QUILL_ID) {
		drm_err(&qdev->drm, "after a reset the ID register reads 0x%08x, 0x%08x required\n",
			id, QUILL_ID);
		return -EIO;
	}
	quill_mmu_restore_all(qdev);
	return quill_reset_start(qdev, quill_reset_all_cores(qdev));
}

static int quill_reset_function(struct quill_device *qdev)
{
	int ret;

	quill_vram_zap(qdev);
	qdev->own_reset = true;
	/* It only tries to lock the device: remove holds that lock while it waits for us. */
	ret = pci_try_reset_function(to_pci_dev(qdev->drm.dev));
	qdev->own_reset = false;
	if (ret)
		drm_err(&qdev->drm, "function level reset: error %d\n", ret);
	return ret;
}

static int quill_reset_device(struct quill_device *qdev)
{
	int ret;

	quill_reset_count(qdev, QUILL_RUNG_DEVICE);
	quill_reset_halt(qdev, quill_reset_all_cores(qdev));
	ret = quill_device_reset_hw(qdev);
	if (ret)
		ret = quill_reset_function(qdev);
	if (!ret) {
		quill_reset_collect(qdev, quill_reset_all_cores(qdev), true);
		ret = quill_reset_bring_up(qdev);
	}
	trace_quill_reset("device", quill_reset_all_cores(qdev), ret);
	drm_err_ratelimited(&qdev->drm, "device reset: %s\n", ret ? "no success" : "success");
	return ret;
}

static void quill_reset_give_up(struct quill_device *qdev)
{
	struct quill_queue *queue;
	unsigned int i;

	lockdep_assert_held_write(&qdev->hw_lock);
	drm_err(&qdev->drm, "given up: no reset has helped; unbind or replace the device\n");
	quill_reset_halt(qdev, quill_reset_all_cores(qdev));
	WRITE_ONCE(qdev->dead, true);
	pci_clear_master(to_pci_dev(qdev->drm.dev));
	trace_quill_reset("dead", quill_reset_all_cores(qdev), -ENODEV);
	for (i = 0; i < qdev->nr_queues; i++) {
		queue = quill_reset_queue(qdev, i, quill_reset_all_cores(qdev));
		if (!queue)
			continue;
		quill_irq_process(queue);
		spin_lock_irq(&queue->lock);
		queue->killing = false;
		if (!queue->error)
			queue->error = -ENODEV;
		quill_queue_fail_all(queue, queue->error);
		spin_unlock_irq(&queue->lock);
	}
}

/* What is to be reset, with the first job of each of its queues. */
static void quill_reset_dump(struct quill_device *qdev, unsigned long what)
{
	unsigned long cores = what & QUILL_RESET_ALL ? quill_reset_all_cores(qdev) : what;
	struct quill_queue *queue;
	struct quill_job *head;
	unsigned int i;
	u64 job;

	quill_coredump_state(qdev, what & QUILL_RESET_ALL ? "device" : "cores");
	for (i = 0; i < qdev->nr_queues; i++) {
		queue = quill_reset_queue(qdev, i, cores);
		if (!queue)
			continue;
		spin_lock_irq(&queue->lock);
		head = list_first_entry_or_null(&queue->running, struct quill_job, node);
		job = head ? head->id : 0;
		spin_unlock_irq(&queue->lock);
		if (job)
			quill_coredump_job(queue, job);
	}
}

static void quill_reset_recover(struct quill_device *qdev, unsigned long what)
{
	unsigned long cores = what & quill_reset_all_cores(qdev);
	unsigned int i;
	int ret = -EAGAIN;

	/* Who waits for an answer holds hw_lock: let them go first. */
	for_each_set_bit(i, &cores, qdev->nr_cores)
		quill_fw_disconnect(&qdev->core[i]);
	down_write(&qdev->hw_lock);
	if (!qdev->dead) {
		quill_reset_dump(qdev, what);
		if (!(what & QUILL_RESET_ALL))
			ret = quill_reset_restart_cores(qdev, cores);
		if (ret)
			ret = quill_reset_device(qdev);
		if (ret)
			quill_reset_give_up(qdev);
	}
	WRITE_ONCE(qdev->recoveries, qdev->recoveries + 1);
	up_write(&qdev->hw_lock);
	quill_coredump_publish(qdev);
}

/* ---- The watchdog of a queue ------------------------------------------------------ */

/* The timer keeps the device awake: a reference a shot. */
static void quill_reset_arm_health(struct quill_device *qdev)
{
	if (queue_delayed_work(qdev->reset_wq, &qdev->health_work, QUILL_HEALTH_PERIOD))
		quill_pm_get_async(qdev);
}

/*
 * quill_reset_watch() - the queue has jobs: see that they end, first in @ms
 *
 * Under queue->lock: the health check looks at every queue before it lets go of the reference that
 * it was armed with.
 */
void quill_reset_watch(struct quill_queue *queue, u32 ms)
{
	struct quill_device *qdev = queue->qdev;

	/* Timers that run already stay as they are: they look at the clock when they end. */
	queue_delayed_work(qdev->reset_wq, &queue->watchdog, msecs_to_jiffies(ms));
	quill_reset_arm_health(qdev);
}

/*
 * How long the first job, *@job, may still be under way before one asks how long it ran, in ms;
 * 0: it is time; negative: there is none.
 */
static s64 quill_reset_time_left(struct quill_queue *queue, u64 *job)
{
	struct quill_job *head;
	s64 left = -1;

	spin_lock_irq(&queue->lock);
	head = list_first_entry_or_null(&queue->running, struct quill_job, node);
	if (head && !queue->halted) {
		*job = head->id;
		left = max(queue->timeout_ms - ktime_ms_delta(ktime_get(), queue->head_since), 0);
	}
	spin_unlock_irq(&queue->lock);
	return left;
}

/* Return: whether the core has work. What was lost on the way to it or back is made good. */
static bool quill_reset_core_busy(struct quill_device *qdev, unsigned int core)
{
	struct quill_queue *queue;
	bool busy = false;
	unsigned int i;

	spin_lock_irq(&qdev->hwq_lock);
	for (i = core; i < qdev->nr_queues; i += qdev->nr_cores) {
		queue = qdev->hwq[i];
		if (!queue)
			continue;
		spin_lock(&queue->lock);
		/* A second is longer than an interrupt or a doorbell takes. */
		if (ktime_ms_delta(ktime_get(), queue->head_since) >= MSEC_PER_SEC)
			quill_queue_nudge(queue);
		busy |= !list_empty(&queue->running) || quill_uqueue_busy(queue);
		spin_unlock(&queue->lock);
	}
	spin_unlock_irq(&qdev->hwq_lock);
	return busy;
}

/* Return: whether @job is still the first, and is now to be killed. */
static bool quill_reset_begin_kill(struct quill_queue *queue, u64 job)
{
	struct quill_job *head;
	bool kill;

	spin_lock_irq(&queue->lock);
	head = list_first_entry_or_null(&queue->running, struct quill_job, node);
	kill = head && head->id == job;
	if (kill) {
		queue->killing = true;
		queue->guilty = job;
		queue->halted = true;
	}
	spin_unlock_irq(&queue->lock);
	return kill;
}

/* Return: whether the ring is empty, as after a KILL; then what is left goes back to it. */
static bool quill_reset_end_kill(struct quill_queue *queue)
{
	struct quill_job *job;
	bool empty = true;

	spin_lock_irq(&queue->lock);
	list_for_each_entry(job, &queue->running, node)
		empty &= !job->posted;
	if (empty && !queue->broken) {
		queue->killing = false;
		queue->halted = false;
		queue->head_since = ktime_get();
		/* The one that was ended may have been one too many. */
		if (queue->error)
			quill_queue_fail_all(queue, queue->error);
		else
			quill_queue_post(queue);
	}
	empty &= !queue->broken;
	spin_unlock_irq(&queue->lock);
	return empty;
}

/* Step 1 of the ladder. Return: whether the others are needed. */
static bool quill_reset_kill(struct quill_queue *queue, u64 job)
{
	struct quill_device *qdev = queue->qdev;
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_KILL,
		.queue = queue->hwq,
	};
	int ret;

	lockdep_assert_held(&qdev->hw_lock);
	if (!quill_reset_begin_kill(queue, job))
		return false;
	ret = quill_fw_admin(quill_queue_core(qdev, queue->hwq), &msg);
	quill_irq_process(queue);
	return ret || !quill_reset_end_kill(queue);
}

/*
 * The first job has been under way for too long: ask how long it was served, and end it if that
 * is too long, too. A firmware that does not answer is itself at fault: then nobody is to blame.
 *
 * Return: how much longer it may be served, in ms; 0: it was ended; negative: restart the core.
 */
static s64 quill_reset_overdue(struct quill_queue *queue, u64 job)
{
	struct quill_device *qdev = queue->qdev;
	int served = quill_fw_served_ms(quill_queue_core(qdev, queue->hwq), queue->hwq, NULL);
	bool more;

	if (served < 0)
		return served;
	if (served < queue->timeout_ms)
		return queue->timeout_ms - served;
	quill_coredump_state(qdev, "timeout");
	more = quill_reset_kill(queue, job);
	quill_coredump_job(queue, job);
	return more ? -EIO : 0;
}

/*
 * quill_reset_watchdog() - a queue's time is up, or was to be looked at
 */
void quill_reset_watchdog(struct work_struct *work)
{
	struct quill_queue *queue = container_of(to_delayed_work(work), struct quill_queue,
						 watchdog);
	struct quill_device *qdev = queue->qdev;
	bool awake = false, more = false;
	u64 job = 0;
	s64 left;
	int idx;

	if (!drm_dev_enter(&qdev->drm, &idx))
		return;
	left = queue->uq ? 0 : quill_reset_time_left(queue, &job);
	if (!left && !quill_pm_get(qdev)) {
		down_read(&qdev->hw_lock);
		if (!qdev->dead)
			left = queue->uq ? quill_uqueue_look(queue) :
					   quill_reset_overdue(queue, job);
		more = left < 0;
		up_read(&qdev->hw_lock);
		awake = true;
	}
	if (left > 0)
		queue_delayed_work(qdev->reset_wq, &queue->watchdog, msecs_to_jiffies(left) + 1);
	if (more)
		quill_reset_recover(qdev, BIT(queue->hwq % qdev->nr_cores));
	else
		quill_coredump_publish(qdev);
	if (awake)
		quill_pm_put(qdev);
	drm_dev_exit(idx);
}

/* ---- Health -------------------------------------------------------------------- */

/* Return: whether the core, which has work, is alive. */
static bool quill_reset_core_alive(struct quill_core *core)
{
	u32 status = quill_core_read(core, QUILL_CORE_STATUS);
	u32 beat = quill_core_read(core, QUILL_CORE_HEARTBEAT);

	if (status != QUILL_CORE_READY) {
		drm_err_ratelimited(&core->qdev->drm, "core %u: status %u found, %u required; error %u, pc 0x%08x\n",
				    core->id, status, QUILL_CORE_READY,
				    quill_core_read(core, QUILL_CORE_ERROR),
				    quill_core_read(core, QUILL_CORE_PC));
		return false;
	}
	if (!core->watched || beat != core->heartbeat) {
		core->watched = true;
		core->heartbeat = beat;
		core->heartbeat_at = jiffies;
		return true;
	}
	if (time_before(jiffies, core->heartbeat_at + QUILL_HEARTBEAT_TIMEOUT))
		return true;
	drm_err_ratelimited(&core->qdev->drm, "core %u: no heartbeat for %u ms, one in %u ms required\n",
			    core->id, jiffies_to_msecs(jiffies - core->heartbeat_at),
			    QUILL_HEARTBEAT_US / 1000);
	return false;
}

static void quill_reset_look_at_cores(struct quill_device *qdev)
{
	unsigned long sick = 0;
	bool busy = false;
	unsigned int i;

	for (i = 0; i < qdev->nr_cores; i++) {
		struct quill_core *core = &qdev->core[i];

		if (!quill_reset_core_busy(qdev, i)) {
			core->watched = false;
			continue;
		}
		busy = true;
		if (!quill_reset_core_alive(core))
			sick |= BIT(i);
	}
	if (sick)
		quill_reset_recover(qdev, sick);
	if (busy)
		quill_reset_arm_health(qdev);
}

/* Cores that have work are looked at every second; when there is none, the timer stops. */
static void quill_reset_health(struct work_struct *work)
{
	struct quill_device *qdev = container_of(to_delayed_work(work), struct quill_device,
						 health_work);
	int idx;

	if (drm_dev_enter(&qdev->drm, &idx)) {
		/* It may have been armed by a job that found the device asleep. */
		if (!quill_pm_get(qdev)) {
			if (!qdev->dead)
				quill_reset_look_at_cores(qdev);
			quill_pm_put(qdev);
		}
		drm_dev_exit(idx);
	}
	quill_pm_put(qdev);
}

/* ---- Requests from elsewhere ------------------------------------------------------ */

static void quill_reset_work(struct work_struct *work)
{
	struct quill_device *qdev = container_of(work, struct quill_device, reset_work);
	unsigned long what = xchg(&qdev->reset_pending, 0);
	int idx;

	if (!what || !drm_dev_enter(&qdev->drm, &idx))
		return;
	/* What cannot be woken is given up by who waits for this. */
	if (!quill_pm_get(qdev)) {
		quill_reset_recover(qdev, what);
		quill_pm_put(qdev);
	}
	drm_dev_exit(idx);
}

/*
 * quill_reset_request() - have cores restarted or all reset, soon. From any context.
 */
void quill_reset_request(struct quill_device *qdev, unsigned long what)
{
	unsigned int bit;

	for_each_set_bit(bit, &what, BITS_PER_LONG)
		set_bit(bit, &qdev->reset_pending);
	queue_work(qdev->reset_wq, &qdev->reset_work);
}

/*
 * quill_reset_sync() - have cores restarted or all reset, and wait until that is done
 *
 * When it returns, what was to be reset has forgotten all that it knew: if no recovery may run
 * at this time, as during suspend or when the device is about to be unplugged, it is given up.
 *
 * Without hw_lock; inside drm_dev_enter().
 *
 * Return: 0, or -ENODEV if the device had to be given up.
 */
int quill_reset_sync(struct quill_device *qdev, unsigned long what)
{
	unsigned long before = READ_ONCE(qdev->recoveries);

	quill_reset_request(qdev, what);
	flush_work(&qdev->reset_work);
	down_write(&qdev->hw_lock);
	if (qdev->recoveries == before && !qdev->dead)
		quill_reset_give_up(qdev);
	up_write(&qdev->hw_lock);
	return READ_ONCE(qdev->dead) ? -ENODEV : 0;
}

/* ---- When a recovery may run -------------------------------------------------------- */

/*
 * quill_reset_init() - during probe: no recovery, for there is nothing yet to recover
 */
void quill_reset_init(struct quill_device *qdev)
{
	INIT_WORK(&qdev->reset_work, quill_reset_work);
	INIT_DELAYED_WORK(&qdev->health_work, quill_reset_health);
	disable_work(&qdev->reset_work);
	disable_delayed_work(&qdev->health_work);
}

/*
 * quill_reset_allow() - the device is whole: from here on it may be recovered
 *
 * There may be jobs already, of before the system's sleep.
 */
void quill_reset_allow(struct quill_device *qdev)
{
	enable_delayed_work(&qdev->health_work);
	enable_work(&qdev->reset_work);
	quill_reset_arm_health(qdev);
}

/*
 * quill_reset_fini() - wait for a recovery that runs, and let no other begin
 */
void quill_reset_fini(struct quill_device *qdev)
{
	disable_work_sync(&qdev->reset_work);
	if (disable_delayed_work_sync(&qdev->health_work))
		quill_pm_put(qdev);
}

static void quill_reset_stop(struct quill_device *qdev)
{
	quill_reset_halt(qdev, quill_reset_all_cores(qdev));
	quill_fw_stop_all(qdev);
	quill_reset_collect(qdev, quill_reset_all_cores(qdev), false);
}

static void quill_reset_unhalt(struct quill_queue *queue)
{
	spin_lock_irq(&queue->lock);
	queue->halted = false;
	quill_queue_post(queue);
	spin_unlock_irq(&queue->lock);
}

/* Halt every queue, if none has a job. Jobs come without hw_lock: queue->lock has the last word. */
static bool quill_reset_halt_idle(struct quill_device *qdev)
{
	unsigned long all = quill_reset_all_cores(qdev);
	struct quill_queue *queue;
	bool idle = true;
	unsigned int i;

	for (i = 0; i < qdev->nr_queues; i++) {
		queue = quill_reset_queue(qdev, i, all);
		if (!queue)
			continue;
		spin_lock_irq(&queue->lock);
		idle = list_empty(&queue->running);
		if (idle)
			queue->halted = true;
		spin_unlock_irq(&queue->lock);
		if (!idle)
			break;
	}
	while (!idle && i--) {
		queue = quill_reset_queue(qdev, i, all);
		if (queue && queue->created)
			quill_reset_unhalt(queue);
	}
	return idle;
}

/*
 * quill_reset_sleep() - stop the cores if they have nothing to do
 *
 * Return: 0, or -EBUSY.
 */
int quill_reset_sleep(struct quill_device *qdev)
{
	int ret = 0;

	down_write(&qdev->hw_lock);
	if (!qdev->dead && !quill_reset_halt_idle(qdev))
		ret = -EBUSY;
	else if (!qdev->dead)
		quill_reset_stop(qdev);
	if (!ret)
		quill_vram_zap(qdev);
	qdev->asleep = !ret;
	up_write(&qdev->hw_lock);
	return ret;
}

/*
 * quill_reset_wake() - the device has power, and may have forgotten everything
 *
 * Return: 0, or -ENODEV if it has been, or had to be, given up.
 */
int quill_reset_wake(struct quill_device *qdev)
{
	int ret = -ENODEV;

	down_write(&qdev->hw_lock);
	qdev->asleep = false;
	if (!qdev->dead) {
		ret = quill_device_reset_hw(qdev);
		if (!ret)
			ret = quill_reset_bring_up(qdev);
		if (ret)
			quill_reset_give_up(qdev);
	}
	up_write(&qdev->hw_lock);
	return ret ? -ENODEV : 0;
}

/*
 * quill_reset_suspend() - stop the cores; jobs that have not ended stay, to run again
 */
void quill_reset_suspend(struct quill_device *qdev)
{
	quill_reset_fini(qdev);
	down_write(&qdev->hw_lock);
	quill_vram_zap(qdev);
	if (!qdev->dead)
		quill_reset_stop(qdev);
	qdev->asleep = true;
	up_write(&qdev->hw_lock);
}

/*
 * quill_reset_resume() - the system is back, and with it the device
 */
int quill_reset_resume(struct quill_device *qdev)
{
	int ret = quill_reset_wake(qdev);

	quill_reset_allow(qdev);
	return ret;
}

/* ---- Resets by others: /sys/.../reset, VFIO, AER -------------------------------------- */

static void quill_reset_prepare(struct pci_dev *pdev)
{
	struct quill_device *qdev = pci_get_drvdata(pdev);
	unsigned int i;

	if (qdev->own_reset)
		return;
	for (i = 0; i < qdev->nr_cores; i++)
		quill_fw_disconnect(&qdev->core[i]);
	/* Held until quill_reset_done(), which the same thread calls. */
	down_write(&qdev->hw_lock);
	quill_vram_zap(qdev);
	if (quill_device_up(qdev))
		quill_reset_stop(qdev);
}

static void quill_reset_done(struct pci_dev *pdev)
{
	struct quill_device *qdev = pci_get_drvdata(pdev);
	int ret;

	if (qdev->own_reset)
		return;
	if (quill_device_up(qdev)) {
		quill_reset_count(qdev, QUILL_RUNG_FUNCTION);
		ret = quill_reset_bring_up(qdev);
		trace_quill_reset("function", quill_reset_all_cores(qdev), ret);
		if (ret)
			quill_reset_give_up(qdev);
	}
	up_write(&qdev->hw_lock);
}

const struct pci_error_handlers quill_reset_handlers = {
	.reset_prepare = quill_reset_prepare,
	.reset_done = quill_reset_done,
};
