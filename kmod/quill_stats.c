// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: what a queue's jobs have cost, and how the last that failed did: QUEUE_QUERY.
 *
 * Counters come from the device and mean nothing to the driver: it adds them up, modulo 2^64 as
 * they are defined, by queue and for the whole device, and keeps those of the last jobs. What the
 * whole device has done tells one user of the others, so it takes CAP_PERFMON to see it.
 */
#include <linux/capability.h>
#include <linux/math64.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "quill_compat.h"
#include "quill_device.h"
#include "quill_drv.h"
#include "quill_gem.h"
#include "quill_irq.h"
#include "quill_queue.h"
#include "quill_stats.h"

int quill_stats_init(struct quill_queue *queue)
{
	queue->stats.history = kvcalloc(DRM_QUILL_QUEUE_HISTORY, sizeof(*queue->stats.history),
					GFP_KERNEL_ACCOUNT);
	return queue->stats.history ? 0 : -ENOMEM;
}

void quill_stats_fini(struct quill_queue *queue)
{
	kvfree(queue->stats.history);
}

/*
 * quill_stats_end_job() - a job has ended, however
 */
void quill_stats_end_job(struct quill_queue *queue, int error)
{
	struct quill_device *qdev = queue->qdev;

	lockdep_assert_held(&queue->lock);
	queue->stats.jobs++;
	queue->stats.faults += !!error;
	spin_lock(&qdev->totals.lock);
	qdev->totals.jobs++;
	qdev->totals.faults += !!error;
	spin_unlock(&qdev->totals.lock);
}

/*
 * quill_stats_count() - take in the record of a job that has ended
 */
void quill_stats_count(struct quill_queue *queue, const struct quill_job_cpl *rec)
{
	struct quill_queue_stats *stats = &queue->stats;
	struct quill_device *qdev = queue->qdev;
	struct quill_job_counters *entry;
	int i;

	BUILD_BUG_ON(ARRAY_SIZE(rec->counters) != QUILL_COUNTER_COUNT);
	BUILD_BUG_ON(sizeof(*rec) != 256);
	lockdep_assert_held(&queue->lock);
	entry = &stats->history[stats->recorded++ % DRM_QUILL_QUEUE_HISTORY];
	entry->job = rec->job;
	for (i = 0; i < QUILL_COUNTER_COUNT; i++) {
		entry->counters[i] = rec->counters[i];
		stats->counters[i] += rec->counters[i];
	}
	spin_lock(&qdev->totals.lock);
	for (i = 0; i < QUILL_COUNTER_COUNT; i++)
		qdev->totals.counters[i] += rec->counters[i];
	spin_unlock(&qdev->totals.lock);
	spin_lock(&queue->usage->lock);
	for (i = 0; i < QUILL_COUNTER_COUNT; i++)
		queue->usage->counters[i] += rec->counters[i];
	spin_unlock(&queue->usage->lock);
}

/* ---- By file: fdinfo -------------------------------------------------------- */

struct quill_usage *quill_usage_new(void)
{
	struct quill_usage *usage = kzalloc_obj(*usage, GFP_KERNEL);

	if (usage) {
		kref_init(&usage->ref);
		spin_lock_init(&usage->lock);
	}
	return usage;
}

struct quill_usage *quill_usage_get(struct quill_usage *usage)
{
	kref_get(&usage->ref);
	return usage;
}

static void quill_usage_release(struct kref *ref)
{
	kfree(container_of(ref, struct quill_usage, ref));
}

void quill_usage_put(struct quill_usage *usage)
{
	kref_put(&usage->ref, quill_usage_release);
}

/* What the file has handles to; "memory" is the system's. */
static void quill_stats_fdinfo_memory(struct drm_printer *p, struct drm_file *file)
{
	struct drm_memory_stats stats[2] = {};
	struct drm_gem_object *obj;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, id) {
		struct quill_bo *bo = to_quill_bo(obj);
		struct drm_memory_stats *s = &stats[bo->vram];

		if (obj->handle_count > 1 || obj->dma_buf)
			s->shared += obj->size;
		else
			s->private += obj->size;
		if (quill_bo_pinned(bo) || READ_ONCE(bo->base.pages))
			s->resident += obj->size;
	}
	spin_unlock(&file->table_lock);
	drm_print_memory_stats(p, &stats[0], DRM_GEM_OBJECT_RESIDENT, "memory");
	drm_print_memory_stats(p, &stats[1], DRM_GEM_OBJECT_RESIDENT, "vram");
}

/*
 * quill_stats_fdinfo() - Documentation/gpu/drm-usage-stats.rst: the engines' time, and memory
 *
 * Time is the device's own: what the modelled chip takes, not what emulating it takes.
 */
void quill_stats_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	static const struct { const char *name; unsigned int counter; } engines[] = {
		{ "tensor", QUILL_COUNTER_BUSY_TENSOR },
		{ "vector", QUILL_COUNTER_BUSY_VECTOR },
		{ "dma", QUILL_COUNTER_BUSY_DMA },
	};
	struct quill_file *qfile = file->driver_priv;
	u32 khz = max(qfile->qdev->clock_khz, 1u);
	u64 counters[QUILL_COUNTER_COUNT];
	int i;

	spin_lock_irq(&qfile->usage->lock);
	memcpy(counters, qfile->usage->counters, sizeof(counters));
	spin_unlock_irq(&qfile->usage->lock);
	for (i = 0; i < ARRAY_SIZE(engines); i++) {
		u64 cycles = counters[engines[i].counter];

		drm_printf(p, "drm-engine-%s:\t%llu ns\n", engines[i].name,
			   mul_u64_u32_div(cycles, 1000000, khz));
		drm_printf(p, "drm-engine-capacity-%s:\t%u\n", engines[i].name,
			   qfile->qdev->nr_cores);
		drm_printf(p, "drm-cycles-%s:\t%llu\n", engines[i].name, cycles);
		drm_printf(p, "drm-maxfreq-%s:\t%u Hz\n", engines[i].name, khz * 1000);
	}
	quill_stats_fdinfo_memory(p, file);
}

/* The counters of one job, or the sums; NULL if the job is not remembered. Job 0 is none. */
static const u64 *quill_stats_counters(struct quill_queue *queue, u64 job)
{
	int i;

	lockdep_assert_held(&queue->lock);
	if (!job)
		return queue->stats.counters;
	for (i = 0; i < DRM_QUILL_QUEUE_HISTORY; i++)
		if (queue->stats.history[i].job == job)
			return queue->stats.history[i].counters;
	return NULL;
}

static void quill_stats_fill_counters(struct drm_quill_queue_query *args, const u64 *counters)
{
	int i;

	BUILD_BUG_ON(ARRAY_SIZE(args->busy) != QUILL_ENGINE_COUNT);
	args->cycles = counters[QUILL_COUNTER_CYCLES];
	for (i = 0; i < QUILL_ENGINE_COUNT; i++) {
		args->busy[i] = counters[QUILL_COUNTER_BUSY + i];
		args->stall_memory[i] = counters[QUILL_COUNTER_MEMORY + i];
		args->stall_dependency[i] = counters[QUILL_COUNTER_DEPENDENCY + i];
		args->stall_firmware[i] = counters[QUILL_COUNTER_FIRMWARE + i];
		args->idle[i] = counters[QUILL_COUNTER_IDLE + i];
	}
	args->commands = counters[QUILL_COUNTER_COMMANDS];
	args->macs = counters[QUILL_COUNTER_MACS];
	args->vector_ops = counters[QUILL_COUNTER_VECTOR_OPS];
	args->bytes_read = counters[QUILL_COUNTER_BYTES_READ];
	args->bytes_written = counters[QUILL_COUNTER_BYTES_WRITTEN];
	args->sram_read = counters[QUILL_COUNTER_SRAM_READ];
	args->sram_written = counters[QUILL_COUNTER_SRAM_WRITTEN];
	args->link_bytes = counters[QUILL_COUNTER_BYTES_LINK];
	args->energy_pj = counters[QUILL_COUNTER_ENERGY];
}

static void quill_stats_fill_state(struct quill_queue *queue, struct drm_quill_queue_query *args)
{
	const struct quill_queue_stats *stats = &queue->stats;

	args->state = stats->faults ? DRM_QUILL_QUEUE_FAULTED : 0;
	args->state |= queue->banned ? DRM_QUILL_QUEUE_BANNED : 0;
	args->jobs = stats->jobs;
	args->faults = stats->faults;
	args->fault_job = stats->fault.job;
	args->fault_addr = stats->fault.address;
	args->fault_status = stats->fault.status;
	args->fault_command = stats->fault.command;
	args->fault_stream = stats->fault.stream;
	args->fault_access = stats->fault.access;
	args->fault_engine = stats->fault.engine;
	args->fault_elapsed_ms = stats->fault_elapsed_ms;
	args->timeout_ms = queue->timeout_ms;
}

/*
 * quill_stats_device() - DEV_QUERY's answer: what all queues have done
 */
int quill_stats_device(struct quill_device *qdev, struct drm_quill_queue_query *answer)
{
	memset(answer, 0, sizeof(*answer));
	if (!perfmon_capable())
		return -EACCES;
	spin_lock_irq(&qdev->totals.lock);
	answer->jobs = qdev->totals.jobs;
	answer->faults = qdev->totals.faults;
	quill_stats_fill_counters(answer, qdev->totals.counters);
	spin_unlock_irq(&qdev->totals.lock);
	return 0;
}

int quill_ioctl_queue_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_queue_query *args = data;
	struct drm_quill_queue_query answer = {
		.queue_id = args->queue_id,
		.of_job = args->of_job,
	};
	struct quill_queue *queue;
	const u64 *counters;

	queue = quill_queue_lookup(file->driver_priv, args->queue_id);
	if (!queue)
		return -ENOENT;
	spin_lock_irq(&queue->lock);
	/* Of jobs that ended quietly, nobody has told us. */
	quill_irq_process_locked(queue);
	counters = quill_stats_counters(queue, args->of_job);
	if (counters) {
		quill_stats_fill_counters(&answer, counters);
		quill_stats_fill_state(queue, &answer);
	}
	spin_unlock_irq(&queue->lock);
	quill_queue_put(queue);
	if (!counters)
		return -ENOENT;
	*args = answer;
	return 0;
}
