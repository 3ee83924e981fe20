// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: /sys/kernel/debug/accel/<device>/: fw_log, queues, vms, objects, recover, inject.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/string_choices.h>
#include <linux/uaccess.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>

#include "quill_debugfs.h"
#include "quill_device.h"
#include "quill_gem.h"
#include "quill_pm.h"
#include "quill_queue.h"
#include "quill_reset.h"
#include "quill_uqueue.h"
#include "quill_vm.h"

/*
 * The firmware writes while this reads: text may be torn, but only text, and never beyond the
 * buffer.
 */
static void quill_debugfs_core_log(struct seq_file *m, struct quill_core *core)
{
	const u32 size = QUILL_LOG_SIZE - sizeof(struct quill_fw_log);
	const struct quill_fw_log *log = (void *)core->mem->log;
	u32 end = READ_ONCE(log->written);
	u32 at = end > size ? end - size : 0;

	seq_printf(m, "core %u: %s, %u bytes written\n", core->id,
		   str_up_down(READ_ONCE(core->up)), end);
	for (; at != end; at++) {
		u8 c = core->mem->log[sizeof(*log) + at % size];

		seq_putc(m, c == '\n' || (c >= ' ' && c < 0x7f) ? c : '.');
	}
	seq_putc(m, '\n');
}

static int quill_debugfs_fw_log(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct quill_device *qdev = to_quill(entry->dev);
	unsigned int i;
	int idx;

	if (!drm_dev_enter(&qdev->drm, &idx))
		return -ENODEV;
	for (i = 0; i < qdev->nr_cores; i++)
		quill_debugfs_core_log(m, &qdev->core[i]);
	drm_dev_exit(idx);
	return 0;
}

/* hwq_lock keeps the queue: it leaves the table before it goes. */
static void quill_debugfs_queue(struct seq_file *m, struct quill_queue *queue)
{
	spin_lock(&queue->lock);
	seq_printf(m, "queue %u: as %u priority %u vector %u timeout %u ms%s%s%s error %d\n",
		   queue->hwq, queue->vm->mmu.as, queue->priority, queue->vector,
		   queue->timeout_ms, queue->uq ? " user-mode" : "", queue->halted ? " halted" : "",
		   queue->banned ? " banned" : "", queue->error);
	seq_printf(m, "  ring: %u written, %u completed; jobs: %d alive, %llu ended, %llu failed\n",
		   queue->uq ? quill_uqueue_tail(queue) : queue->tail, queue->seen,
		   atomic_read(&queue->jobs), queue->stats.jobs, queue->stats.faults);
	spin_unlock(&queue->lock);
}

static int quill_debugfs_queues(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct quill_device *qdev = to_quill(entry->dev);
	unsigned int i;

	seq_printf(m, "resets: %d: job %d core %d device %d function %d; banned %d%s\n",
		   atomic_read(&qdev->reset_count), atomic_read(&qdev->resets[QUILL_RUNG_JOB]),
		   atomic_read(&qdev->resets[QUILL_RUNG_CORE]),
		   atomic_read(&qdev->resets[QUILL_RUNG_DEVICE]),
		   atomic_read(&qdev->resets[QUILL_RUNG_FUNCTION]), atomic_read(&qdev->banned),
		   READ_ONCE(qdev->dead) ? ", given up" : "");
	spin_lock_irq(&qdev->hwq_lock);
	for (i = 0; i < qdev->nr_queues; i++)
		if (qdev->hwq[i])
			quill_debugfs_queue(m, qdev->hwq[i]);
	spin_unlock_irq(&qdev->hwq_lock);
	return 0;
}

static int quill_debugfs_vms(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct quill_device *qdev = to_quill(entry->dev);
	unsigned int i;

	/* as_lock keeps the VM: it leaves the table before it goes. */
	mutex_lock(&qdev->as_lock);
	for (i = 0; i < qdev->nr_as; i++) {
		struct quill_vm *vm = qdev->as[i].vm;

		if (vm)
			seq_printf(m, "as %u: root 0x%llx, %llu bytes mapped\n", i,
				   qdev->as[i].root, READ_ONCE(vm->mapped));
	}
	mutex_unlock(&qdev->as_lock);
	return 0;
}

static const char *quill_debugfs_kind(struct quill_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;

	if (bo->vram)
		return "device";
	return obj->filp ? "system" : "dma-buf";
}

/* One of a dma-buf that an unplug has let go of is neither imported nor pinned. */
static void quill_debugfs_object(struct seq_file *m, struct quill_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;

	seq_printf(m, "pid %d: %zu bytes %s, handles %u, writable mappings %d%s%s%s%s%s\n", bo->pid,
		   obj->size, quill_debugfs_kind(bo), obj->handle_count,
		   max(atomic_read(&bo->writers), 0), quill_bo_pinned(bo) ? ", pinned" : "",
		   bo->vram || bo->base.map_wc ? ", write-combined" : "",
		   quill_bo_readonly(bo) ? ", read-only" : "",
		   obj->import_attach ? ", imported" : "",
		   obj->dma_buf && !obj->import_attach ? ", exported" : "");
}

static int quill_debugfs_objects(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct quill_device *qdev = to_quill(entry->dev);
	u64 bytes[2] = {};
	struct quill_bo *bo;

	/* For handles and dma-bufs; and to keep the objects: they leave the list before they go. */
	mutex_lock(&qdev->drm.object_name_lock);
	mutex_lock(&qdev->bo_lock);
	list_for_each_entry(bo, &qdev->bos, node) {
		quill_debugfs_object(m, bo);
		bytes[bo->vram] += bo->base.base.size;
	}
	mutex_unlock(&qdev->bo_lock);
	mutex_unlock(&qdev->drm.object_name_lock);
	seq_printf(m, "total: system %llu bytes, device %llu bytes; free %llu of %llu\n", bytes[0],
		   bytes[1], quill_vram_free(qdev), quill_vram_size(qdev));
	return 0;
}

static const struct drm_debugfs_info quill_debugfs_files[] = {
	{ "fw_log", quill_debugfs_fw_log, 0, NULL },
	{ "queues", quill_debugfs_queues, 0, NULL },
	{ "vms", quill_debugfs_vms, 0, NULL },
	{ "objects", quill_debugfs_objects, 0, NULL },
};

/* "cores" or "device": climb the ladder to that step. Jobs of users must not notice. */
static ssize_t quill_debugfs_recover(struct file *file, const char __user *buf, size_t size,
				     loff_t *pos)
{
	struct quill_device *qdev = file->private_data;
	char word[16] = {};
	int idx;

	if (size >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, buf, size))
		return -EFAULT;
	if (!drm_dev_enter(&qdev->drm, &idx))
		return -ENODEV;
	if (sysfs_streq(word, "cores"))
		quill_reset_sync(qdev, GENMASK(qdev->nr_cores - 1, 0));
	else if (sysfs_streq(word, "device"))
		quill_reset_sync(qdev, QUILL_RESET_ALL);
	else
		size = -EINVAL;
	drm_dev_exit(idx);
	return size;
}

static const struct file_operations quill_debugfs_recover_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = quill_debugfs_recover,
	.llseek = noop_llseek,
};

/* QUILL_REG_INJECT: reads 0 where the device was not made for it. */
static int quill_debugfs_get_inject(void *data, u64 *value)
{
	struct quill_device *qdev = data;
	int idx, ret;

	if (!drm_dev_enter(&qdev->drm, &idx))
		return -ENODEV;
	ret = quill_pm_get(qdev);
	if (!ret) {
		*value = quill_read(qdev, QUILL_REG_INJECT);
		quill_pm_put(qdev);
	}
	drm_dev_exit(idx);
	return ret;
}

static int quill_debugfs_set_inject(void *data, u64 value)
{
	struct quill_device *qdev = data;
	int idx, ret;

	if (!drm_dev_enter(&qdev->drm, &idx))
		return -ENODEV;
	ret = quill_pm_get(qdev);
	if (!ret) {
		quill_write(qdev, QUILL_REG_INJECT, value);
		quill_pm_put(qdev);
	}
	drm_dev_exit(idx);
	return ret;
}

DEFINE_DEBUGFS_ATTRIBUTE(quill_debugfs_inject, quill_debugfs_get_inject, quill_debugfs_set_inject,
			 "0x%llx\n");

void quill_debugfs_init(struct quill_device *qdev)
{
	drm_debugfs_add_files(&qdev->drm, quill_debugfs_files, ARRAY_SIZE(quill_debugfs_files));
	debugfs_create_file("recover", 0200, qdev->drm.debugfs_root, qdev,
			    &quill_debugfs_recover_fops);
	debugfs_create_file("inject", 0600, qdev->drm.debugfs_root, qdev, &quill_debugfs_inject);
}
