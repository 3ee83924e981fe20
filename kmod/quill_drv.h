/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_DRV_H
#define QUILL_DRV_H

#include <linux/xarray.h>

#include <drm/drm_file.h>
#include <drm/quill_accel.h>

#include "quill_device.h"
#include "quill_user.h"

/* Longest job timeout that a queue can ask for, and what it gets unasked. */
#define QUILL_MAX_TIMEOUT_MS		(3600 * 1000)
#define QUILL_DEFAULT_TIMEOUT_MS	(10 * 1000)
/* Timeouts in a row that ban a queue. */
#define QUILL_DEFAULT_MAX_TIMEOUTS	8

/**
 * struct quill_file - one open file: tables from ids to objects
 *
 * A look-up takes its reference under the lock of the table (xa_lock). An object enters when it
 * is whole.
 */
struct quill_file {
	struct quill_device *qdev;
	struct quill_user *user;
	struct quill_usage *usage;
	struct xarray vms;
	struct xarray queues;
};

/*
 * For what outlives a device's files: it belongs to the module, so that the last one may free
 * the device.
 */
extern struct workqueue_struct *quill_cleanup_wq;

unsigned int quill_default_timeout_ms(void);
unsigned int quill_max_timeouts(void);
int quill_copy_few(const struct drm_quill_array *array, void *copy, size_t size);
void *quill_copy_array(const struct drm_quill_array *array, u32 max, size_t size);

/*
 * An array of @type in user memory, as one that kvfree() frees; NULL if it is empty; or an
 * ERR_PTR().
 */
#define QUILL_COPY_ARRAY(type, array, max) ((type *)quill_copy_array(array, max, sizeof(type)))

#endif /* QUILL_DRV_H */
