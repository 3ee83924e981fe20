// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: system sleep.
 *
 * Jobs that have not ended when the system goes to sleep are stopped and run again, from their
 * start, when it wakes. Between the two, the PCI core saves and restores configuration and
 * vectors.
 */
#include <linux/device.h>
#include <linux/pm.h>

#include "quill_drv.h"
#include "quill_pm.h"
#include "quill_reset.h"

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

DEFINE_SIMPLE_DEV_PM_OPS(quill_pm_ops, quill_pm_suspend, quill_pm_resume);
