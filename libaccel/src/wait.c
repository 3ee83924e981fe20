// SPDX-License-Identifier: MIT
/*
 * What jobs and binds wait for: points of timelines, one of each queue and one of each space.
 */
#include <xf86drm.h>

#include "queue.h"

static uint64_t accel_wait_last(const struct accel_wait *wait)
{
	return wait->queue ? wait->queue->submitted : accel_vm_points(wait->vm);
}

static int accel_wait_check(struct accel_device *dev, const char *what,
			    const struct accel_wait *wait, unsigned int i)
{
	const char *kind = wait->queue ? "queue" : "vm";
	uint64_t last;

	if (!wait->queue && !wait->vm)
		return accel_error(dev, -EINVAL, "%s: waits[%u] has neither queue nor vm; required: "
				   "one", what, i);
	if ((wait->queue ? wait->queue->vm : wait->vm)->dev != dev)
		return accel_error(dev, -EINVAL, "%s: waits[%u] is a %s of another device handle; "
				   "required: one of this", what, i, kind);
	last = accel_wait_last(wait);
	if (wait->point > last)
		return accel_error(dev, -EINVAL, "%s: waits[%u].point is %llu; required: at most "
				   "%llu, that of the last %s", what, i,
				   (unsigned long long)wait->point, (unsigned long long)last,
				   wait->queue ? "job" : "bind");
	return 0;
}

int accel_waits_check(struct accel_device *dev, const char *what, const struct accel_wait *waits,
		      unsigned int n_waits)
{
	unsigned int i;
	int ret = 0;

	if (n_waits > ACCEL_MAX_WAITS)
		return accel_error(dev, -EINVAL, "%s: n_waits is %u; required: at most %u", what,
				   n_waits, ACCEL_MAX_WAITS);
	for (i = 0; i < n_waits && !ret; i++)
		ret = accel_wait_check(dev, what, &waits[i], i);
	return ret;
}

static int accel_syncs_wait(struct accel_syncs *syncs, const struct accel_wait *wait)
{
	struct drm_quill_sync sync = { .point = wait->point };
	int ret;

	if (!wait->point)
		return 0;
	sync.handle = wait->queue ? wait->queue->timeline : wait->vm->timeline;
	if (wait->queue && wait->queue->user) {
		ret = accel_uqueue_fence(wait->queue, wait->point, &sync.handle);
		if (ret || !sync.handle)
			return ret;
		sync.point = 0;
		syncs->fences[syncs->n_fences++] = sync.handle;
	}
	syncs->sync[syncs->count++] = sync;
	return 0;
}

int accel_syncs_init(struct accel_syncs *syncs, const struct accel_wait *waits, unsigned int n_waits)
{
	unsigned int i;
	int ret = 0;

	syncs->count = 0;
	syncs->n_fences = 0;
	for (i = 0; i < n_waits && !ret; i++)
		ret = accel_syncs_wait(syncs, &waits[i]);
	return ret;
}

void accel_syncs_signal(struct accel_syncs *syncs, uint32_t syncobj, uint64_t point)
{
	syncs->sync[syncs->count++] = (struct drm_quill_sync) {
		.handle = syncobj,
		.flags = DRM_QUILL_SYNC_SIGNAL,
		.point = point,
	};
}

void accel_syncs_free(struct accel_device *dev, const struct accel_syncs *syncs)
{
	uint32_t i;

	for (i = 0; i < syncs->n_fences; i++)
		drmSyncobjDestroy(dev->fd, syncs->fences[i]);
}
