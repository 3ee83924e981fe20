// SPDX-License-Identifier: MIT
/*
 * Address spaces, binds, and buffers: object, bind and map in one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xf86drm.h>

#include "queue.h"

/* From this size on, addresses are aligned so that the driver can use huge pages. */
#define ACCEL_HUGE	QUILL_HUGE_SIZE

int accel_vm_create(struct accel_device *dev, struct accel_vm **out)
{
	struct drm_quill_vm_create args = { 0 };
	struct accel_vm *vm;
	int ret;

	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return accel_error(dev, -ENOMEM, "accel_vm_create: no memory for the space");

	ret = accel_ioctl(dev, DRM_IOCTL_QUILL_VM_CREATE, &args);
	if (ret) {
		free(vm);
		return accel_error(dev, ret, "accel_vm_create: the driver refused%s: %s",
				   ret == -ENOSPC ? " (all address spaces, or this user's share of "
				   "them, are in use)" : "", strerror(-ret));
	}
	atomic_init(&vm->refs, 1);
	pthread_mutex_init(&vm->lock, NULL);
	accel_va_init(&vm->va, dev->va_start, dev->va_end);
	vm->dev = accel_device_get(dev);
	vm->id = args.vm_id;
	accel_log(dev, ACCEL_LOG_OBJECT, "vm %u: created", vm->id);
	*out = vm;
	return 0;
}

struct accel_vm *accel_vm_get(struct accel_vm *vm)
{
	atomic_fetch_add(&vm->refs, 1);
	return vm;
}

void accel_vm_destroy(struct accel_vm *vm)
{
	struct drm_quill_vm_destroy args = { 0 };

	if (!vm || atomic_fetch_sub(&vm->refs, 1) != 1)
		return;
	accel_log(vm->dev, ACCEL_LOG_OBJECT, "vm %u: destroyed", vm->id);
	args.vm_id = vm->id;
	accel_ioctl(vm->dev, DRM_IOCTL_QUILL_VM_DESTROY, &args);
	if (vm->timeline)
		drmSyncobjDestroy(vm->dev->fd, vm->timeline);
	accel_va_fini(&vm->va);
	pthread_mutex_destroy(&vm->lock);
	accel_device_close(vm->dev);
	free(vm);
}

struct accel_device *accel_vm_device(struct accel_vm *vm)
{
	return vm->dev;
}

uint64_t accel_vm_points(struct accel_vm *vm)
{
	uint64_t points;

	pthread_mutex_lock(&vm->lock);
	points = vm->points;
	pthread_mutex_unlock(&vm->lock);
	return points;
}

/* How an operation is done that is not waited for. */
struct accel_later {
	struct accel_syncs syncs;
	uint64_t point;
};

/* With the vm's lock. @later: NULL: now; else it also signals the space's next point. */
static int accel_vm_op(struct accel_vm *vm, struct drm_quill_bind_op *op, struct accel_later *later)
{
	struct drm_quill_vm_bind args = {
		.vm_id = vm->id,
		.ops = { .ptr = (uintptr_t)op, .count = 1, .stride = sizeof(*op) },
	};
	int ret;

	if (!later)
		return accel_ioctl(vm->dev, DRM_IOCTL_QUILL_VM_BIND, &args);
	if (!vm->timeline) {
		ret = accel_drm_ret(drmSyncobjCreate(vm->dev->fd, 0, &vm->timeline));
		if (ret)
			return ret;
	}
	accel_syncs_signal(&later->syncs, vm->timeline, vm->points + 1);
	args.flags = DRM_QUILL_VM_BIND_ASYNC;
	args.syncs.ptr = (uintptr_t)later->syncs.sync;
	args.syncs.count = later->syncs.count;
	args.syncs.stride = sizeof(later->syncs.sync[0]);
	ret = accel_ioctl(vm->dev, DRM_IOCTL_QUILL_VM_BIND, &args);
	if (!ret)
		later->point = ++vm->points;
	return ret;
}

static bool accel_vm_holds(const struct accel_vm *vm, uint64_t va, uint64_t size)
{
	return va >= vm->va.start && va < vm->va.end && size <= vm->va.end - va;
}

static int accel_vm_bind_check(struct accel_vm *vm, struct accel_bo *bo, uint64_t offset,
			       uint64_t size, uint32_t flags, uint64_t va)
{
	uint64_t page = vm->dev->page_size;

	if (bo->dev != vm->dev)
		return accel_error(vm->dev, -EINVAL, "accel_vm_bind: the object belongs to another "
				   "handle (%s); required: that of the vm", bo->dev->path);
	if (flags & ~ACCEL_BIND_READONLY)
		return accel_error(vm->dev, -EINVAL, "accel_vm_bind: flags are 0x%x; required: none "
				   "but ACCEL_BIND_READONLY (0x%x)", flags, ACCEL_BIND_READONLY);
	if (offset % page || size % page || va % page)
		return accel_error(vm->dev, -EINVAL, "accel_vm_bind: offset 0x%llx, size 0x%llx, va "
				   "0x%llx; required: multiples of the page size, 0x%llx",
				   (unsigned long long)offset, (unsigned long long)size,
				   (unsigned long long)va, (unsigned long long)page);
	if (!size || offset > bo->size || size > bo->size - offset)
		return accel_error(vm->dev, -EINVAL, "accel_vm_bind: offset 0x%llx, size 0x%llx; "
				   "required: a range of the object, which has 0x%zx bytes",
				   (unsigned long long)offset, (unsigned long long)size, bo->size);
	if (va && !accel_vm_holds(vm, va, size))
		return accel_error(vm->dev, -EINVAL, "accel_vm_bind: 0x%llx bytes at va 0x%llx; "
				   "required: inside 0x%llx..0x%llx", (unsigned long long)size,
				   (unsigned long long)va, (unsigned long long)vm->va.start,
				   (unsigned long long)vm->va.end);
	return 0;
}

/* With the vm's lock: settle on an address, bind, take note. */
static int accel_vm_bind_locked(struct accel_vm *vm, struct drm_quill_bind_op *op,
				struct accel_later *later)
{
	uint64_t page = vm->dev->page_size;
	int ret;

	if (accel_va_reserve(&vm->va))
		return accel_error(vm->dev, -ENOMEM, "accel_vm_bind: no memory for the range");
	if (op->va && accel_va_in_use(&vm->va, op->va, op->size))
		return accel_error(vm->dev, -EEXIST, "accel_vm_bind: 0x%llx bytes at va 0x%llx "
				   "overlap a bind; required: a free range, or va 0",
				   (unsigned long long)op->size, (unsigned long long)op->va);
	if (!op->va)
		op->va = accel_va_find(&vm->va, op->size, op->size >= ACCEL_HUGE ? ACCEL_HUGE : page,
				       page);
	if (!op->va)
		return accel_error(vm->dev, -ENOSPC, "accel_vm_bind: no free range of 0x%llx bytes "
				   "in the space", (unsigned long long)op->size);

	ret = accel_vm_op(vm, op, later);
	if (ret)
		return accel_error(vm->dev, ret, "accel_vm_bind: the driver refused to bind 0x%llx "
				   "bytes at va 0x%llx: %s", (unsigned long long)op->size,
				   (unsigned long long)op->va, strerror(-ret));
	accel_va_add(&vm->va, op->va, op->size);
	return 0;
}

static int accel_vm_do_bind(struct accel_vm *vm, struct accel_bo *bo, uint64_t offset,
			    uint64_t size, uint32_t flags, uint64_t *va, struct accel_later *later)
{
	struct drm_quill_bind_op op = { .op = DRM_QUILL_BIND_MAP };
	int ret;

	if (!size && offset < bo->size)
		size = bo->size - offset;
	ret = accel_vm_bind_check(vm, bo, offset, size, flags, *va);
	if (ret)
		return ret;

	op.flags = flags & ACCEL_BIND_READONLY ? DRM_QUILL_BIND_READONLY : 0;
	op.handle = bo->handle;
	op.bo_offset = offset;
	op.va = *va;
	op.size = size;

	pthread_mutex_lock(&vm->lock);
	ret = accel_vm_bind_locked(vm, &op, later);
	pthread_mutex_unlock(&vm->lock);
	if (ret)
		return ret;
	accel_log(vm->dev, ACCEL_LOG_OBJECT, "vm %u: bo %u at va 0x%llx, 0x%llx bytes", vm->id,
		  bo->handle, (unsigned long long)op.va, (unsigned long long)op.size);
	*va = op.va;
	return 0;
}

int accel_vm_bind(struct accel_vm *vm, struct accel_bo *bo, uint64_t offset, uint64_t size,
		  uint32_t flags, uint64_t *va)
{
	return accel_vm_do_bind(vm, bo, offset, size, flags, va, NULL);
}

static int accel_vm_do_unbind(struct accel_vm *vm, uint64_t va, uint64_t size,
			      struct accel_later *later)
{
	struct drm_quill_bind_op op = { .op = DRM_QUILL_BIND_UNMAP, .va = va, .size = size };
	uint64_t page = vm->dev->page_size;
	int ret;

	if (!size || va % page || size % page || !accel_vm_holds(vm, va, size))
		return accel_error(vm->dev, -EINVAL, "accel_vm_unbind: 0x%llx bytes at va 0x%llx; "
				   "required: at least a page (0x%llx), whole pages, inside "
				   "0x%llx..0x%llx", (unsigned long long)size, (unsigned long long)va,
				   (unsigned long long)page, (unsigned long long)vm->va.start,
				   (unsigned long long)vm->va.end);

	pthread_mutex_lock(&vm->lock);
	ret = accel_va_reserve(&vm->va);
	if (!ret)
		ret = accel_vm_op(vm, &op, later);
	if (!ret)
		accel_va_remove(&vm->va, va, size);
	pthread_mutex_unlock(&vm->lock);
	if (ret)
		return accel_error(vm->dev, ret, "accel_vm_unbind: cannot unbind 0x%llx bytes at va "
				   "0x%llx: %s", (unsigned long long)size, (unsigned long long)va,
				   strerror(-ret));
	return 0;
}

int accel_vm_unbind(struct accel_vm *vm, uint64_t va, uint64_t size)
{
	return accel_vm_do_unbind(vm, va, size, NULL);
}

/* ---- Without waiting ---- */

static int accel_later_init(struct accel_later *later, struct accel_vm *vm, const char *what,
			    const struct accel_wait *waits, unsigned int n_waits)
{
	int ret = accel_waits_check(vm->dev, what, waits, n_waits);

	if (ret)
		return ret;
	ret = accel_syncs_init(&later->syncs, waits, n_waits);
	if (!ret)
		return 0;
	accel_syncs_free(vm->dev, &later->syncs);
	return accel_error(vm->dev, ret, "%s: cannot wait for jobs: %s", what, strerror(-ret));
}

static int accel_later_end(struct accel_later *later, struct accel_vm *vm, int ret, uint64_t *point)
{
	accel_syncs_free(vm->dev, &later->syncs);
	if (!ret && point)
		*point = later->point;
	return ret;
}

int accel_vm_bind_async(struct accel_vm *vm, struct accel_bo *bo, uint64_t offset, uint64_t size,
			uint32_t flags, uint64_t *va, const struct accel_wait *waits,
			unsigned int n_waits, uint64_t *point)
{
	struct accel_later later;
	int ret;

	ret = accel_later_init(&later, vm, "accel_vm_bind_async", waits, n_waits);
	if (ret)
		return ret;
	ret = accel_vm_do_bind(vm, bo, offset, size, flags, va, &later);
	return accel_later_end(&later, vm, ret, point);
}

int accel_vm_unbind_async(struct accel_vm *vm, uint64_t va, uint64_t size,
			  const struct accel_wait *waits, unsigned int n_waits, uint64_t *point)
{
	struct accel_later later;
	int ret;

	ret = accel_later_init(&later, vm, "accel_vm_unbind_async", waits, n_waits);
	if (ret)
		return ret;
	ret = accel_vm_do_unbind(vm, va, size, &later);
	return accel_later_end(&later, vm, ret, point);
}

int accel_vm_wait(struct accel_vm *vm, uint64_t point, int64_t timeout_ns)
{
	uint64_t last = accel_vm_points(vm);
	int ret;

	if (!point)
		return 0;
	if (point > last)
		return accel_error(vm->dev, -EINVAL, "accel_vm_wait: point is %llu; required: at most "
				   "%llu, that of the last bind", (unsigned long long)point,
				   (unsigned long long)last);
	ret = accel_drm_ret(drmSyncobjTimelineWait(vm->dev->fd, &vm->timeline, &point, 1,
						   accel_deadline(timeout_ns), 0, NULL));
	if (ret == -ETIME)
		return accel_error(vm->dev, -ETIMEDOUT, "bind %llu has not ended within %lld ns",
				   (unsigned long long)point, (long long)timeout_ns);
	return ret ? accel_error(vm->dev, ret, "cannot wait for bind %llu: %s",
				 (unsigned long long)point, strerror(-ret)) : 0;
}

/* ---- Buffers ---- */

int accel_buffer_create(struct accel_vm *vm, size_t size, struct accel_buffer *out)
{
	struct accel_buffer buf = { 0 };
	int ret;

	ret = accel_bo_create(vm->dev, size, 0, &buf.bo);
	if (ret)
		return ret;
	ret = accel_bo_map(buf.bo, &buf.ptr);
	if (ret)
		goto err_bo;
	ret = accel_vm_bind(vm, buf.bo, 0, 0, 0, &buf.va);
	if (ret)
		goto err_bo;

	buf.size = buf.bo->size;
	buf.vm = accel_vm_get(vm);
	*out = buf;
	return 0;

err_bo:
	accel_bo_destroy(buf.bo);
	return ret;
}

void accel_buffer_destroy(struct accel_buffer *buf)
{
	if (!buf || !buf->bo)
		return;
	accel_vm_unbind(buf->vm, buf->va, buf->size);
	accel_bo_destroy(buf->bo);
	accel_vm_destroy(buf->vm);
	memset(buf, 0, sizeof(*buf));
}
