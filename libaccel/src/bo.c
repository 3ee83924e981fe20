// SPDX-License-Identifier: MIT
/*
 * Buffer objects: memory that the kernel keeps for the device and the process.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "internal.h"

int accel_bo_create(struct accel_device *dev, size_t size, uint32_t flags, struct accel_bo **out)
{
	struct drm_quill_bo_create args = { .size = size };
	struct accel_bo *bo;
	int ret;

	if (!size)
		return accel_error(dev, -EINVAL, "accel_bo_create: size is 0; required: at least 1");
	if (flags & ~(ACCEL_BO_WC | ACCEL_BO_DEVICE))
		return accel_error(dev, -EINVAL, "accel_bo_create: flags are 0x%x; required: none but "
				   "ACCEL_BO_WC (0x%x) and ACCEL_BO_DEVICE (0x%x)", flags,
				   ACCEL_BO_WC, ACCEL_BO_DEVICE);
	if (flags & ACCEL_BO_WC)
		args.flags |= DRM_QUILL_BO_WC;
	if (flags & ACCEL_BO_DEVICE)
		args.flags |= DRM_QUILL_BO_DEVICE;

	bo = calloc(1, sizeof(*bo));
	if (!bo)
		return accel_error(dev, -ENOMEM, "accel_bo_create: no memory for the object");

	ret = accel_ioctl(dev, DRM_IOCTL_QUILL_BO_CREATE, &args);
	if (ret) {
		free(bo);
		return accel_error(dev, ret, "accel_bo_create: the driver refused %zu bytes: %s",
				   size, strerror(-ret));
	}
	bo->dev = accel_device_get(dev);
	bo->handle = args.handle;
	bo->size = args.size;
	accel_log(dev, ACCEL_LOG_OBJECT, "bo %u: %zu bytes", bo->handle, bo->size);
	*out = bo;
	return 0;
}

static void accel_bo_unmap(struct accel_bo *bo)
{
	if (bo->ptr)
		munmap(bo->ptr, bo->size);
	bo->ptr = NULL;
}

void accel_bo_destroy(struct accel_bo *bo)
{
	if (!bo)
		return;
	accel_log(bo->dev, ACCEL_LOG_OBJECT, "bo %u: destroyed", bo->handle);
	accel_bo_unmap(bo);
	drmCloseBufferHandle(bo->dev->fd, bo->handle);
	accel_device_close(bo->dev);
	free(bo);
}

size_t accel_bo_size(const struct accel_bo *bo)
{
	return bo->size;
}

uint32_t accel_bo_handle(const struct accel_bo *bo)
{
	return bo->handle;
}

int accel_bo_map(struct accel_bo *bo, void **ptr)
{
	struct drm_quill_bo_mmap_offset args = { .handle = bo->handle };
	void *p;
	int ret;

	if (bo->ptr) {
		*ptr = bo->ptr;
		return 0;
	}

	ret = accel_ioctl(bo->dev, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &args);
	if (ret)
		return accel_error(bo->dev, ret, "accel_bo_map: the driver refused bo %u: %s",
				   bo->handle, strerror(-ret));

	p = mmap(NULL, bo->size, bo->readonly ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED,
		 bo->dev->fd, (off_t)args.offset);
	if (p == MAP_FAILED) {
		ret = -errno;
		return accel_error(bo->dev, ret, "accel_bo_map: cannot map %zu bytes of bo %u: %s",
				   bo->size, bo->handle, strerror(-ret));
	}
	bo->ptr = p;
	*ptr = p;
	return 0;
}

int accel_bo_seal(struct accel_bo *bo)
{
	struct drm_quill_bo_seal args = { .handle = bo->handle };
	int ret;

	accel_bo_unmap(bo);
	ret = accel_ioctl(bo->dev, DRM_IOCTL_QUILL_BO_SEAL, &args);
	if (ret)
		return accel_error(bo->dev, ret, "accel_bo_seal: the driver refused bo %u%s: %s",
				   bo->handle, ret == -EBUSY ? " (it is bound without "
				   "ACCEL_BIND_READONLY, mapped elsewhere, or was exported)" : "",
				   strerror(-ret));
	bo->readonly = true;
	return 0;
}
