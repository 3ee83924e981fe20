/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_PM_H
#define QUILL_PM_H

#include <linux/pm.h>

extern const struct dev_pm_ops quill_pm_ops;

#endif /* QUILL_PM_H */
