// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: VMs.
 */
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "quill_bind_op.h"
#include "quill_compat.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_vm.h"

void quill_vm_free(struct drm_gpuvm *base)
{
	kfree(to_quill_vm(base));
}

static struct quill_vm *quill_vm_create(struct quill_file *qfile)
{
	struct quill_device *qdev = qfile->qdev;
	struct drm_gem_object *resv;
	struct quill_vm *vm;
	int ret;

	ret = quill_user_charge(qdev, qfile->user, QUILL_SHARE_VM);
	if (ret)
		return ERR_PTR(ret);
	ret = -ENOMEM;
	vm = quill_fail(QUILL_FAIL_ALLOC) ? NULL : kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		goto err_uncharge;
	resv = drm_gpuvm_resv_object_alloc(&qdev->drm);
	if (!resv)
		goto err_free;

	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->unlinked);
	quill_bind_queue_init(&vm->binds);
	vm->qdev = qdev;
	vm->user = quill_user_get(qfile->user);
	drm_gpuvm_init(&vm->base, "quill", 0, &qdev->drm, resv, QUILL_PAGE_SIZE,
		       QUILL_VA_END - QUILL_PAGE_SIZE, 0, 0, &quill_bind_gpuvm_ops);
	drm_gem_object_put(resv);

	ret = quill_mmu_init(&vm->mmu, qdev, vm);
	if (ret)
		goto err_put;
	return vm;

err_put:
	quill_user_put(vm->user);
	drm_gpuvm_put(&vm->base);
	quill_user_uncharge(qfile->user, QUILL_SHARE_VM);
	return ERR_PTR(ret);
err_free:
	kfree(vm);
err_uncharge:
	quill_user_uncharge(qfile->user, QUILL_SHARE_VM);
	return ERR_PTR(ret);
}

/* No id and no queue is left, so no bind and no job: only the mappings are. */
static void quill_vm_release(struct kref *ref)
{
	struct quill_vm *vm = container_of(ref, struct quill_vm, ref);
	struct drm_gpuva *va, *next;

	quill_bind_queue_fini(vm);
	quill_mmu_fini(&vm->mmu);
	drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
		drm_gpuva_remove(va);
		quill_bind_unlink(vm, va);
	}
	quill_bind_drop(&vm->unlinked);
	quill_user_uncharge(vm->user, QUILL_SHARE_VM);
	quill_user_put(vm->user);
	mutex_destroy(&vm->lock);
	drm_gpuvm_put(&vm->base);
}

struct quill_vm *quill_vm_get(struct quill_vm *vm)
{
	kref_get(&vm->ref);
	return vm;
}

/*
 * quill_vm_put() - drop a reference. May sleep, and may wait for a recovery of the device or, so
 * that the last may not be dropped inside drm_dev_enter(), for an unplug.
 */
void quill_vm_put(struct quill_vm *vm)
{
	kref_put(&vm->ref, quill_vm_release);
}

/*
 * quill_vm_lookup() - from id to a reference, or NULL
 */
struct quill_vm *quill_vm_lookup(struct quill_file *qfile, u32 id)
{
	struct quill_vm *vm;

	xa_lock(&qfile->vms);
	vm = xa_load(&qfile->vms, id);
	if (vm)
		quill_vm_get(vm);
	xa_unlock(&qfile->vms);
	return vm;
}

/* Its id is gone: no more binds. Jobs of its queues go on. */
static void quill_vm_close(struct quill_vm *vm)
{
	quill_bind_queue_close(vm);
	quill_vm_put(vm);
}

void quill_vm_close_all(struct quill_file *qfile)
{
	struct quill_vm *vm;
	unsigned long id;

	xa_for_each(&qfile->vms, id, vm) {
		xa_erase(&qfile->vms, id);
		quill_vm_close(vm);
	}
}

int quill_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct quill_file *qfile = file->driver_priv;
	struct drm_quill_vm_create *args = data;
	struct quill_vm *vm;
	int idx, ret;

	if (args->flags)
		return -EINVAL;
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	vm = quill_vm_create(qfile);
	ret = PTR_ERR_OR_ZERO(vm);
	if (!ret)
		ret = xa_alloc(&qfile->vms, &args->vm_id, vm, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	drm_dev_exit(idx);
	if (ret && !IS_ERR(vm))
		quill_vm_put(vm);
	return ret;
}

int quill_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct quill_file *qfile = file->driver_priv;
	struct drm_quill_vm_destroy *args = data;
	struct quill_vm *vm;

	if (args->pad)
		return -EINVAL;
	vm = xa_erase(&qfile->vms, args->vm_id);
	if (!vm)
		return -ENOENT;
	quill_vm_close(vm);
	return 0;
}
