/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_PM_H
#define QUILL_PM_H

#include <linux/pm.h>
#include <linux/types.h>

struct quill_device;

void quill_pm_init(struct quill_device *qdev);
void quill_pm_fini(struct quill_device *qdev);

int quill_pm_get(struct quill_device *qdev);
void quill_pm_get_async(struct quill_device *qdev);
bool quill_pm_get_if_awake(struct quill_device *qdev);
void quill_pm_put(struct quill_device *qdev);
void quill_pm_put_quietly(struct quill_device *qdev);

extern const struct dev_pm_ops quill_pm_ops;

#endif
