// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: power: sleep with the system, and by itself when there is nothing to do.
 *
 * DOC: Power
 *
 * Asleep, the cores are off and the function is in D3hot. Nothing is lost by that: waking up is
 * what follows a reset of the device, and all that the hardware has to know, page tables and
 * queues, the driver has. So only what waits for an answer of the hardware wakes it. Binds, the
 * end of queues, and making and destroying address spaces happen in memory (qdev->asleep, under
 * hw_lock, says that there is nobody to be told).
 *
 * Awake it is kept by references (runtime PM's usage count) of
 *
 * - work: the health check's timer holds one while it is armed, and it is as long as a queue has
 *   jobs (quill_reset_watch()). So the reference costs a job nothing, and after the last one the
 *   device stays up for up to a second more than the autosuspend delay;
 * - who needs an answer: the creation of a queue, a recovery, fault injection.
 *
 * A job that comes to a sleeping device does not wait for it to wake: it stays with its queue,
 * which is halted, and is posted by the resume. A job that comes while the device is on its way to
 * sleep is seen under queue->lock, and calls that off.
 *
 * Jobs that have not ended when the system goes to sleep are stopped and run again, from their
 * start, when it wakes. Between the two, the PCI core saves and restores configuration and
 * vectors.
 */
#include <linux/device.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>

#include "quill_device.h"
#include "quill_drv.h"
#include "quill_pm.h"
#include "quill_reset.h"

#define QUILL_AUTOSUSPEND_MS	1000

/*
 * quill_pm_get() - wake the device if it sleeps, and keep it awake
 *
 * Neither with hw_lock held nor with anything inside it; not in an interrupt.
 *
 * Return: 0, or -ENODEV.
 */
int quill_pm_get(struct quill_device *qdev)
{
	return pm_runtime_resume_and_get(qdev->drm.dev) < 0 ? -ENODEV : 0;
}

/*
 * quill_pm_get_async() - keep the device awake, and have it wake soon if it sleeps
 *
 * From any context.
 */
void quill_pm_get_async(struct quill_device *qdev)
{
	pm_runtime_get(qdev->drm.dev);
}

/*
 * quill_pm_get_if_awake() - keep the device awake if it is. For those who only look.
 */
bool quill_pm_get_if_awake(struct quill_device *qdev)
{
	return pm_runtime_get_if_active(qdev->drm.dev) > 0;
}

/*
 * quill_pm_put() - the counterpart of each get. From any context.
 */
void quill_pm_put(struct quill_device *qdev)
{
	pm_runtime_mark_last_busy(qdev->drm.dev);
	pm_runtime_put_autosuspend(qdev->drm.dev);
}

/*
 * quill_pm_put_quietly() - the same, of quill_pm_get_if_awake(): looking puts off no sleep
 */
void quill_pm_put_quietly(struct quill_device *qdev)
{
	pm_runtime_put_autosuspend(qdev->drm.dev);
}

/*
 * quill_pm_init() - at the end of probe: from now on it may sleep
 */
void quill_pm_init(struct quill_device *qdev)
{
	struct device *dev = qdev->drm.dev;

	pm_runtime_set_autosuspend_delay(dev, QUILL_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	/* The PCI core forbids it until somebody knows better, and holds a reference for probe. */
	pm_runtime_allow(dev);
	quill_pm_put(qdev);
}

/*
 * quill_pm_fini() - the device is being removed, and awake for that: it does not sleep again
 */
void quill_pm_fini(struct quill_device *qdev)
{
	struct device *dev = qdev->drm.dev;

	pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);
	pm_runtime_dont_use_autosuspend(dev);
}

static int quill_pm_suspend(struct device *dev)
{
	/* Tasks are frozen. What they left to be released still wants the hardware. */
	flush_workqueue(quill_cleanup_wq);
	quill_reset_suspend(dev_get_drvdata(dev));
	return 0;
}

static int quill_pm_resume(struct device *dev)
{
	return quill_reset_resume(dev_get_drvdata(dev));
}

static int quill_pm_runtime_suspend(struct device *dev)
{
	return quill_reset_sleep(dev_get_drvdata(dev));
}

/* A device that had to be given up is awake all the same: everybody is told by qdev->dead. */
static int quill_pm_runtime_resume(struct device *dev)
{
	quill_reset_wake(dev_get_drvdata(dev));
	return 0;
}

const struct dev_pm_ops quill_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(quill_pm_suspend, quill_pm_resume)
	RUNTIME_PM_OPS(quill_pm_runtime_suspend, quill_pm_runtime_resume, NULL)
};
