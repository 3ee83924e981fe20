// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: the PCI driver, the DRM driver, and what the ioctls have in common.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>

#include "quill_compat.h"
#include "quill_debugfs.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_gem.h"
#include "quill_job.h"
#include "quill_pm.h"
#include "quill_queue.h"
#include "quill_reset.h"
#include "quill_stats.h"
#include "quill_uqueue.h"
#include "quill_vm.h"

static unsigned int quill_timeout_ms = QUILL_DEFAULT_TIMEOUT_MS;
module_param_named(timeout_ms, quill_timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Job timeout of a queue that asks for none, in ms (1..3600000)");

static unsigned int quill_timeouts = QUILL_DEFAULT_MAX_TIMEOUTS;
module_param_named(max_timeouts, quill_timeouts, uint, 0644);
MODULE_PARM_DESC(max_timeouts, "Jobs in a row that run too long, after which a queue is banned; 0: never");

struct workqueue_struct *quill_cleanup_wq;

unsigned int quill_default_timeout_ms(void)
{
	return clamp(READ_ONCE(quill_timeout_ms), 1u, (unsigned int)QUILL_MAX_TIMEOUT_MS);
}

unsigned int quill_max_timeouts(void)
{
	return READ_ONCE(quill_timeouts);
}

static int quill_check_array(const struct drm_quill_array *array, u32 max)
{
	u64 end;

	if (array->count > max)
		return -E2BIG;
	if (!array->stride || array->stride % 8)
		return -EINVAL;
	if (array->stride > PAGE_SIZE)
		return -E2BIG;
	if (check_add_overflow(array->ptr, (u64)array->count * array->stride, &end))
		return -EFAULT;
	return 0;
}

/*
 * quill_copy_few() - copy an array in, once
 * @array: as the user passed it
 * @copy: room for all of its elements
 * @size: bytes of one, as the driver knows it
 *
 * Elements that are shorter than ours are extended by zeros; what a longer one has beyond must
 * be zero.
 */
int quill_copy_few(const struct drm_quill_array *array, void *copy, size_t size)
{
	int ret;
	u32 i;

	if (!array->count)
		return 0;
	ret = quill_check_array(array, array->count);
	for (i = 0; !ret && i < array->count; i++)
		ret = copy_struct_from_user(copy + i * size, size,
					    u64_to_user_ptr(array->ptr + (u64)i * array->stride),
					    array->stride);
	return ret;
}

/*
 * quill_copy_array() - as above, into memory for it
 * @max: most elements
 *
 * Return: the copy, for kvfree(); NULL if the array is empty; or ERR_PTR().
 */
void *quill_copy_array(const struct drm_quill_array *array, u32 max, size_t size)
{
	void *copy;
	int ret;

	if (!array->count)
		return NULL;
	ret = quill_check_array(array, max);
	if (ret)
		return ERR_PTR(ret);
	copy = kvcalloc(array->count, size, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	ret = quill_copy_few(array, copy, size);
	if (ret) {
		kvfree(copy);
		return ERR_PTR(ret);
	}
	return copy;
}

static void quill_dev_info(struct quill_device *qdev, struct drm_quill_dev_info *info)
{
	memset(info, 0, sizeof(*info));
	info->hw_version = qdev->hw_version;
	info->fw_version = qdev->fw_version;
	info->features = DRM_QUILL_FEATURE_BO_SEAL | DRM_QUILL_FEATURE_BIND_ASYNC;
	if (!qdev->bounces)
		info->features |= DRM_QUILL_FEATURE_USER_QUEUES;
	if (quill_vram_size(qdev))
		info->features |= DRM_QUILL_FEATURE_BO_DEVICE;
	info->cores = qdev->nr_cores;
	info->hw_queues = qdev->nr_queues;
	info->clock_khz = qdev->clock_khz;
	info->sram_size = qdev->sram_size;
	info->mem_size = quill_vram_size(qdev);
	info->mem_free = quill_vram_free(qdev);
	info->va_start = QUILL_PAGE_SIZE;
	info->va_end = QUILL_VA_END;
	info->page_size = PAGE_SIZE;
	info->max_queues = quill_user_limit(qdev, QUILL_SHARE_QUEUE);
	info->max_vms = quill_user_limit(qdev, QUILL_SHARE_VM);
	info->reset_count = atomic_read(&qdev->reset_count);
	info->max_timeout_ms = QUILL_MAX_TIMEOUT_MS;
	info->default_timeout_ms = quill_default_timeout_ms();
	info->max_stream_size = DRM_QUILL_MAX_STREAM_SIZE;
}

static void quill_dev_resets(struct quill_device *qdev, struct drm_quill_dev_resets *resets)
{
	memset(resets, 0, sizeof(*resets));
	resets->job = atomic_read(&qdev->resets[QUILL_RUNG_JOB]);
	resets->core = atomic_read(&qdev->resets[QUILL_RUNG_CORE]);
	resets->device = atomic_read(&qdev->resets[QUILL_RUNG_DEVICE]);
	resets->function = atomic_read(&qdev->resets[QUILL_RUNG_FUNCTION]);
	resets->dead = READ_ONCE(qdev->dead);
	resets->banned = atomic_read(&qdev->banned);
	resets->dumps = atomic_read(&qdev->dump.count);
}

/* @size bytes of an answer, or how many there are. */
static int quill_dev_answer(struct drm_quill_dev_query *args, const void *answer, u32 size)
{
	if (!args->ptr) {
		args->size = size;
		return 0;
	}
	args->size = min_t(u32, args->size, size);
	return copy_to_user(u64_to_user_ptr(args->ptr), answer, args->size) ? -EFAULT : 0;
}

static int quill_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_dev_query *args = data;
	struct drm_quill_queue_query counters;
	struct drm_quill_dev_resets resets;
	struct drm_quill_dev_info info;
	int ret;

	switch (args->type) {
	case DRM_QUILL_DEV_QUERY_INFO:
		quill_dev_info(to_quill(drm), &info);
		return quill_dev_answer(args, &info, sizeof(info));
	case DRM_QUILL_DEV_QUERY_COUNTERS:
		ret = quill_stats_device(to_quill(drm), &counters);
		return ret ? ret : quill_dev_answer(args, &counters, sizeof(counters));
	case DRM_QUILL_DEV_QUERY_RESETS:
		quill_dev_resets(to_quill(drm), &resets);
		return quill_dev_answer(args, &resets, sizeof(resets));
	default:
		return -EINVAL;
	}
}

static int quill_open(struct drm_device *drm, struct drm_file *file)
{
	struct quill_device *qdev = to_quill(drm);
	struct quill_file *qfile;

	qfile = kzalloc_obj(*qfile, GFP_KERNEL);
	if (!qfile)
		return -ENOMEM;
	qfile->qdev = qdev;
	qfile->usage = quill_usage_new();
	if (!qfile->usage)
		goto err_free;
	qfile->user = quill_user_get_current(qdev);
	if (!qfile->user)
		goto err_usage;
	xa_init_flags(&qfile->vms, XA_FLAGS_ALLOC1);
	xa_init_flags(&qfile->queues, XA_FLAGS_ALLOC1);
	file->driver_priv = qfile;
	return 0;

err_usage:
	quill_usage_put(qfile->usage);
err_free:
	kfree(qfile);
	return -ENOMEM;
}

static void quill_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct quill_file *qfile = file->driver_priv;

	quill_queue_close_all(qfile);
	quill_vm_close_all(qfile);
	/*
	 * What the file had is gone when close() returns: hardware queues, and fences that pin
	 * the module.
	 */
	flush_workqueue(quill_cleanup_wq);
	xa_destroy(&qfile->queues);
	xa_destroy(&qfile->vms);
	quill_user_put(qfile->user);
	quill_usage_put(qfile->usage);
	kfree(qfile);
}

static const struct drm_ioctl_desc quill_ioctls[] = {
	DRM_IOCTL_DEF_DRV(QUILL_DEV_QUERY, quill_ioctl_dev_query, 0),
	DRM_IOCTL_DEF_DRV(QUILL_BO_CREATE, quill_ioctl_bo_create, 0),
	DRM_IOCTL_DEF_DRV(QUILL_BO_MMAP_OFFSET, quill_ioctl_bo_mmap_offset, 0),
	DRM_IOCTL_DEF_DRV(QUILL_VM_CREATE, quill_ioctl_vm_create, 0),
	DRM_IOCTL_DEF_DRV(QUILL_VM_DESTROY, quill_ioctl_vm_destroy, 0),
	DRM_IOCTL_DEF_DRV(QUILL_VM_BIND, quill_ioctl_vm_bind, 0),
	DRM_IOCTL_DEF_DRV(QUILL_QUEUE_CREATE, quill_ioctl_queue_create, 0),
	DRM_IOCTL_DEF_DRV(QUILL_QUEUE_DESTROY, quill_ioctl_queue_destroy, 0),
	DRM_IOCTL_DEF_DRV(QUILL_QUEUE_QUERY, quill_ioctl_queue_query, 0),
	DRM_IOCTL_DEF_DRV(QUILL_SUBMIT, quill_ioctl_submit, 0),
	DRM_IOCTL_DEF_DRV(QUILL_BO_SEAL, quill_ioctl_bo_seal, 0),
	DRM_IOCTL_DEF_DRV(QUILL_QUEUE_SIGNAL, quill_ioctl_queue_signal, 0),
};

static const struct file_operations quill_fops = {
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = quill_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_driver quill_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE | DRIVER_GEM_GPUVA,
	.open = quill_open,
	.postclose = quill_postclose,
	.gem_create_object = quill_gem_create_object,
	.gem_prime_import = quill_gem_import,
	.gem_prime_import_sg_table = quill_gem_import_sg_table,
	.ioctls = quill_ioctls,
	.num_ioctls = ARRAY_SIZE(quill_ioctls),
	.fops = &quill_fops,
	.show_fdinfo = quill_stats_fdinfo,
	.name = "quill",
	.desc = "Quill inference accelerator",
	.major = 1,
	.minor = 0,
};

static int quill_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct quill_device *qdev;
	int ret;

	qdev = devm_drm_dev_alloc(&pdev->dev, &quill_drm_driver, struct quill_device, drm);
	if (IS_ERR(qdev))
		return PTR_ERR(qdev);
	pci_set_drvdata(pdev, qdev);

	ret = quill_device_init(qdev);
	if (ret)
		return ret;
	quill_debugfs_init(qdev);
	ret = drm_dev_register(&qdev->drm, 0);
	if (ret) {
		quill_device_fini(qdev);
		return ret;
	}
	quill_reset_allow(qdev);
	quill_pm_init(qdev);
	return 0;
}

static void quill_remove(struct pci_dev *pdev)
{
	struct quill_device *qdev = pci_get_drvdata(pdev);

	quill_pm_fini(qdev);
	drm_dev_unplug(&qdev->drm);
	quill_device_fini(qdev);
	flush_workqueue(quill_cleanup_wq);
}

static const struct pci_device_id quill_ids[] = {
	{ PCI_DEVICE(QUILL_PCI_VENDOR_ID, QUILL_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, quill_ids);

static struct pci_driver quill_pci_driver = {
	.name = "quill",
	.id_table = quill_ids,
	.probe = quill_probe,
	.remove = quill_remove,
	.shutdown = quill_remove,
	.err_handler = &quill_reset_handlers,
	.driver.pm = pm_ptr(&quill_pm_ops),
};

static int __init quill_init(void)
{
	int ret;

	quill_cleanup_wq = alloc_workqueue("quill-cleanup", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!quill_cleanup_wq)
		return -ENOMEM;
	quill_fail_init();
	ret = pci_register_driver(&quill_pci_driver);
	if (ret) {
		quill_fail_fini();
		destroy_workqueue(quill_cleanup_wq);
	}
	return ret;
}

static void __exit quill_exit(void)
{
	pci_unregister_driver(&quill_pci_driver);
	quill_fail_fini();
	destroy_workqueue(quill_cleanup_wq);
	/* Fences are freed after a grace period. */
	rcu_barrier();
}

module_init(quill_init);
module_exit(quill_exit);

MODULE_DESCRIPTION("Quill inference accelerator");
MODULE_AUTHOR("The Quill developers");
MODULE_LICENSE("GPL");
MODULE_FIRMWARE(QUILL_FW_NAME);
