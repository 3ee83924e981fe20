// SPDX-License-Identifier: MIT
/*
 * Buffer objects: memory that the kernel keeps for the device and the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "internal.h"

static void accel_bo_init(struct accel_bo *bo, struct accel_device *dev, uint32_t handle, size_t size)
{
	bo->dev = accel_device_get(dev);
	bo->handle = handle;
	bo->size = size;
	bo->refs = 1;
	accel_log(dev, ACCEL_LOG_OBJECT, "bo %u: %zu bytes", handle, size);
}

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
	accel_bo_init(bo, dev, args.handle, args.size);
	*out = bo;
	return 0;
}

static void accel_bo_unmap(struct accel_bo *bo)
{
	if (bo->ptr)
		munmap(bo->ptr, bo->size);
	bo->ptr = NULL;
}

/* With bo_lock. */
static void accel_bo_share(struct accel_bo *bo)
{
	if (bo->shared)
		return;
	bo->shared = true;
	bo->next = bo->dev->shared;
	bo->dev->shared = bo;
}

/* Closed under bo_lock, too: an import gets the handle while it is good, or a new one. */
static bool accel_bo_put(struct accel_bo *bo)
{
	struct accel_bo **at = &bo->dev->shared;
	bool last;

	pthread_mutex_lock(&bo->dev->bo_lock);
	last = !--bo->refs;
	while (last && bo->shared && *at != bo)
		at = &(*at)->next;
	if (last && bo->shared)
		*at = bo->next;
	if (last)
		drmCloseBufferHandle(bo->dev->fd, bo->handle);
	pthread_mutex_unlock(&bo->dev->bo_lock);
	return last;
}

void accel_bo_destroy(struct accel_bo *bo)
{
	if (!bo || !accel_bo_put(bo))
		return;
	accel_log(bo->dev, ACCEL_LOG_OBJECT, "bo %u: destroyed", bo->handle);
	accel_bo_unmap(bo);
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

int accel_bo_export(struct accel_bo *bo, int *fd)
{
	uint32_t flags = bo->readonly ? DRM_CLOEXEC : DRM_CLOEXEC | DRM_RDWR;
	int ret;

	pthread_mutex_lock(&bo->dev->bo_lock);
	ret = drmPrimeHandleToFD(bo->dev->fd, bo->handle, flags, fd) ? -errno : 0;
	if (!ret)
		accel_bo_share(bo);
	pthread_mutex_unlock(&bo->dev->bo_lock);
	if (ret)
		return accel_error(bo->dev, ret, "accel_bo_export: the driver refused bo %u: %s",
				   bo->handle, strerror(-ret));
	return 0;
}

/* With bo_lock: what @handle is, or NULL. */
static struct accel_bo *accel_bo_find(struct accel_device *dev, uint32_t handle)
{
	struct accel_bo *bo = dev->shared;

	while (bo && bo->handle != handle)
		bo = bo->next;
	return bo;
}

static int accel_bo_import_locked(struct accel_device *dev, int fd, struct accel_bo *fresh,
				  struct accel_bo **out)
{
	off_t size = lseek(fd, 0, SEEK_END);
	int mode = fcntl(fd, F_GETFL);
	uint32_t handle;

	if (mode < 0 || drmPrimeFDToHandle(dev->fd, fd, &handle))
		return -errno;
	*out = accel_bo_find(dev, handle);
	if (*out) {
		(*out)->refs++;
		return 0;
	}
	if (size <= 0) {
		drmCloseBufferHandle(dev->fd, handle);
		return -EINVAL;
	}
	accel_bo_init(fresh, dev, handle, (size_t)size);
	fresh->readonly = (mode & O_ACCMODE) == O_RDONLY;
	accel_bo_share(fresh);
	*out = fresh;
	return 0;
}

int accel_bo_import(struct accel_device *dev, int fd, struct accel_bo **out)
{
	struct accel_bo *fresh = calloc(1, sizeof(*fresh)), *bo = NULL;
	int ret = -ENOMEM;

	if (fresh) {
		pthread_mutex_lock(&dev->bo_lock);
		ret = accel_bo_import_locked(dev, fd, fresh, &bo);
		pthread_mutex_unlock(&dev->bo_lock);
	}
	if (bo != fresh)
		free(fresh);
	if (ret)
		return accel_error(dev, ret, "accel_bo_import: the driver refused file %d: %s", fd,
				   strerror(-ret));
	*out = bo;
	return 0;
}
