/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_RESET_H
#define QUILL_RESET_H

#include <linux/bits.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#include "quill_device.h"

struct quill_queue;

/* Beside a bit a core: reset the whole device. */
#define QUILL_RESET_ALL	BIT(16)

extern const struct pci_error_handlers quill_reset_handlers;

void quill_reset_count(struct quill_device *qdev, enum quill_rung rung);
void quill_reset_init(struct quill_device *qdev);
void quill_reset_allow(struct quill_device *qdev);
void quill_reset_fini(struct quill_device *qdev);
void quill_reset_watch(struct quill_queue *queue, u32 ms);
void quill_reset_watchdog(struct work_struct *work);
void quill_reset_request(struct quill_device *qdev, unsigned long what);
int quill_reset_sync(struct quill_device *qdev, unsigned long what);
int quill_reset_sleep(struct quill_device *qdev);
int quill_reset_wake(struct quill_device *qdev);
void quill_reset_suspend(struct quill_device *qdev);
int quill_reset_resume(struct quill_device *qdev);

#endif /* QUILL_RESET_H */
