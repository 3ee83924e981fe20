// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: VMs and binds.
 *
 * DOC: VM_BIND
 *
 * A call is done in three parts, so that what can be interrupted or can fail for reasons of
 * memory comes first:
 *
 * 1. Without the VM's lock: copy the operations in, look the objects up, pin and DMA-map their
 *    pages. Only here can a signal end the call, before anything has changed: a call that
 *    libdrm repeats must not find its own half-done work. An error that belongs to one
 *    operation is kept with it.
 * 2. Under vm->lock: the operations in order, up to the first that fails.
 * 3. Still under vm->lock: one invalidation for all of them, and only then are objects and
 *    tables let go. So the operations of one call become visible to running jobs in any order,
 *    and all before it returns.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "quill_compat.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_gem.h"
#include "quill_trace.h"
#include "quill_vm.h"

/* A mapping through which the object can be written, and which it counts. */
#define QUILL_VA_WRITES	DRM_GPUVA_USERBITS

/*
 * struct quill_bind - one operation under way
 */
struct quill_bind {
	struct quill_vm *vm;
	struct drm_quill_bind_op op;
	struct quill_bo *bo;
	struct sg_table *sgt;
	/** @error: found while preparing, reported when its turn comes. */
	int error;
	/** @spare: an unmap can cut one mapping at each end, and so needs two new ones at most. */
	struct drm_gpuva *spare[2];
};

static void quill_vm_free(struct drm_gpuvm *base)
{
	kfree(container_of(base, struct quill_vm, base));
}

/* Take a mapping out of its object's list; it keeps the object until quill_vm_drop_unlinked(). */
static void quill_vm_unlink(struct quill_vm *vm, struct drm_gpuva *va)
{
	list_add_tail(&va->rb.entry, &vm->unlinked);
	vm->mapped -= va->va.range;
}

static void quill_vm_free_va(struct quill_bo *bo, struct drm_gpuva *va)
{
	if (va->flags & QUILL_VA_WRITES)
		quill_bo_put_writer(bo);
	kfree(va);
}

static void quill_vm_drop_unlinked(struct quill_vm *vm)
{
	struct drm_gpuva *va, *next;

	list_for_each_entry_safe(va, next, &vm->unlinked, rb.entry) {
		struct drm_gem_object *obj = va->gem.obj;
		struct quill_bo *bo = to_quill_bo(obj);

		list_del(&va->rb.entry);
		/* The mapping's reference may be the last; the lock lives in the object. */
		drm_gem_object_get(obj);
		mutex_lock(&bo->gpuva_lock);
		drm_gpuva_unlink(va);
		mutex_unlock(&bo->gpuva_lock);
		quill_vm_free_va(bo, va);
		drm_gem_object_put(obj);
	}
}

static int quill_vm_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *va = op->unmap.va;
	struct quill_bind *bind = priv;

	quill_mmu_unmap(&bind->vm->mmu, va->va.addr, va->va.range);
	drm_gpuva_unmap(&op->unmap);
	quill_vm_unlink(bind->vm, va);
	return 0;
}

static struct drm_gpuva *quill_bind_take_spare(struct quill_bind *bind)
{
	int i = bind->spare[0] ? 0 : 1;
	struct drm_gpuva *va = bind->spare[i];

	bind->spare[i] = NULL;
	return va;
}

/* What is left of a mapping that was cut keeps its flags, and its object in its own name. */
static void quill_vm_link_rest(struct quill_vm *vm, struct drm_gpuva *rest, struct drm_gpuva *old)
{
	struct quill_bo *bo = to_quill_bo(old->gem.obj);

	rest->flags = old->flags;
	if (rest->flags & QUILL_VA_WRITES)
		atomic_inc(&bo->writers);
	mutex_lock(&bo->gpuva_lock);
	drm_gpuva_link(rest, old->vm_bo);
	mutex_unlock(&bo->gpuva_lock);
	vm->mapped += rest->va.range;
}

static int quill_vm_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *va = op->remap.unmap->va, *prev = NULL, *next = NULL;
	struct quill_bind *bind = priv;
	u64 addr, range;

	if (op->remap.prev)
		prev = quill_bind_take_spare(bind);
	if (op->remap.next)
		next = quill_bind_take_spare(bind);
	if ((op->remap.prev && !prev) || (op->remap.next && !next))
		return -ENOMEM;

	drm_gpuva_op_remap_to_unmap_range(&op->remap, &addr, &range);
	quill_mmu_unmap(&bind->vm->mmu, addr, range);
	drm_gpuva_remap(prev, next, &op->remap);
	if (prev)
		quill_vm_link_rest(bind->vm, prev, va);
	if (next)
		quill_vm_link_rest(bind->vm, next, va);
	quill_vm_unlink(bind->vm, va);
	return 0;
}

static const struct drm_gpuvm_ops quill_vm_ops = {
	.vm_free = quill_vm_free,
	.sm_step_unmap = quill_vm_step_unmap,
	.sm_step_remap = quill_vm_step_remap,
};

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
	vm->qdev = qdev;
	vm->user = quill_user_get(qfile->user);
	drm_gpuvm_init(&vm->base, "quill", 0, &qdev->drm, resv, QUILL_PAGE_SIZE,
		       QUILL_VA_END - QUILL_PAGE_SIZE, 0, 0, &quill_vm_ops);
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

	quill_mmu_fini(&vm->mmu);
	drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
		drm_gpuva_remove(va);
		quill_vm_unlink(vm, va);
	}
	quill_vm_drop_unlinked(vm);
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

void quill_vm_close_all(struct quill_file *qfile)
{
	struct quill_vm *vm;
	unsigned long id;

	xa_for_each(&qfile->vms, id, vm) {
		xa_erase(&qfile->vms, id);
		quill_vm_put(vm);
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
	quill_vm_put(vm);
	return 0;
}

/* UNMAP_ALL is UNMAP of all that there can be. */
static int quill_bind_expand(struct drm_quill_bind_op *op)
{
	if (op->op != DRM_QUILL_BIND_UNMAP_ALL)
		return 0;
	if (op->flags || op->handle || op->pad || op->bo_offset || op->va || op->size)
		return -EINVAL;
	op->op = DRM_QUILL_BIND_UNMAP;
	op->va = QUILL_PAGE_SIZE;
	op->size = QUILL_VA_END - QUILL_PAGE_SIZE;
	return 0;
}

static int quill_bind_check(const struct drm_quill_bind_op *op)
{
	u64 end;

	if (op->pad || op->flags & ~DRM_QUILL_BIND_FLAGS || !op->size)
		return -EINVAL;
	if (!PAGE_ALIGNED(op->va | op->size | op->bo_offset))
		return -EINVAL;
	if (check_add_overflow(op->va, op->size, &end))
		return -EINVAL;
	if (op->va < QUILL_PAGE_SIZE || end > QUILL_VA_END)
		return -EINVAL;

	switch (op->op) {
	case DRM_QUILL_BIND_MAP:
		return 0;
	case DRM_QUILL_BIND_UNMAP:
		return op->handle || op->bo_offset || op->flags ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* Return: 0, or what an interrupted wait returned; any other error is left in @bind. */
static int quill_bind_prepare(struct quill_bind *bind, struct drm_file *file)
{
	const struct drm_quill_bind_op *op = &bind->op;
	struct drm_gem_object *obj;
	u64 end;
	int ret;

	bind->error = quill_bind_expand(&bind->op);
	if (!bind->error)
		bind->error = quill_bind_check(op);
	if (bind->error || op->op != DRM_QUILL_BIND_MAP)
		return 0;

	obj = drm_gem_object_lookup(file, op->handle);
	if (!obj) {
		bind->error = -ENOENT;
		return 0;
	}
	bind->bo = to_quill_bo(obj);
	if (check_add_overflow(op->bo_offset, op->size, &end) || end > obj->size) {
		bind->error = -EINVAL;
		return 0;
	}

	bind->sgt = quill_fail(QUILL_FAIL_PIN) ? ERR_PTR(-ENOMEM) :
						 quill_gem_map_dma(bind->bo);
	if (!IS_ERR(bind->sgt))
		return 0;
	ret = PTR_ERR(bind->sgt);
	if (ret == -ERESTARTSYS || ret == -EINTR)
		return ret;
	bind->error = ret;
	return 0;
}

/* A mapping to be, which may write if the object allows it. */
static struct drm_gpuva *quill_bind_new_va(struct quill_bind *bind)
{
	bool writes = !(bind->op.flags & DRM_QUILL_BIND_READONLY);
	struct drm_gpuva *va;

	if (writes && !quill_bo_get_writer(bind->bo))
		return ERR_PTR(-EACCES);
	va = quill_fail(QUILL_FAIL_ALLOC) ? NULL : kzalloc_obj(*va, GFP_KERNEL_ACCOUNT);
	if (va) {
		va->flags = writes ? QUILL_VA_WRITES : 0;
		return va;
	}
	if (writes)
		quill_bo_put_writer(bind->bo);
	return ERR_PTR(-ENOMEM);
}

static int quill_bind_map(struct quill_bind *bind)
{
	const struct drm_quill_bind_op *op = &bind->op;
	u64 flags = QUILL_PTE_VALID | QUILL_PTE_LEAF | QUILL_PTE_READ;
	struct drm_gem_object *obj = &bind->bo->base.base;
	struct quill_vm *vm = bind->vm;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	int ret;

	if (!drm_gpuvm_interval_empty(&vm->base, op->va, op->size))
		return -EEXIST;
	va = quill_bind_new_va(bind);
	if (IS_ERR(va))
		return PTR_ERR(va);
	if (va->flags & QUILL_VA_WRITES)
		flags |= QUILL_PTE_WRITE;
	if (bind->bo->vram)
		flags |= QUILL_PTE_DEVMEM;
	mutex_lock(&bind->bo->gpuva_lock);
	vm_bo = drm_gpuvm_bo_obtain(&vm->base, obj);
	mutex_unlock(&bind->bo->gpuva_lock);
	if (IS_ERR(vm_bo)) {
		quill_vm_free_va(bind->bo, va);
		return PTR_ERR(vm_bo);
	}

	ret = quill_mmu_map(&vm->mmu, op->va, bind->sgt, op->bo_offset, op->size, flags);
	if (!ret) {
		drm_gpuva_init(va, op->va, op->size, obj, op->bo_offset);
		ret = drm_gpuva_insert(&vm->base, va);
		if (ret)
			quill_mmu_unmap(&vm->mmu, op->va, op->size);
	}

	mutex_lock(&bind->bo->gpuva_lock);
	if (!ret)
		drm_gpuva_link(va, vm_bo);
	drm_gpuvm_bo_put(vm_bo);
	mutex_unlock(&bind->bo->gpuva_lock);
	if (ret)
		quill_vm_free_va(bind->bo, va);
	else
		vm->mapped += op->size;
	return ret;
}

static int quill_bind_unmap(struct quill_bind *bind)
{
	const struct drm_quill_bind_op *op = &bind->op;
	struct quill_vm *vm = bind->vm;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(bind->spare); i++) {
		bind->spare[i] = kzalloc_obj(*bind->spare[i], GFP_KERNEL_ACCOUNT);
		ret = bind->spare[i] ? 0 : -ENOMEM;
		if (ret)
			goto out;
	}
	ret = quill_mmu_split(&vm->mmu, op->va);
	if (!ret)
		ret = quill_mmu_split(&vm->mmu, op->va + op->size);
	if (!ret)
		ret = drm_gpuvm_sm_unmap(&vm->base, bind, op->va, op->size);
out:
	for (i = 0; i < ARRAY_SIZE(bind->spare); i++)
		kfree(bind->spare[i]);
	return ret;
}

static int quill_bind_one(struct quill_bind *bind)
{
	int ret = bind->error;

	if (!ret && bind->op.op == DRM_QUILL_BIND_MAP)
		ret = quill_bind_map(bind);
	else if (!ret)
		ret = quill_bind_unmap(bind);
	trace_quill_bind(bind->vm->mmu.as, &bind->op, ret);
	return ret;
}

static int quill_vm_bind(struct quill_vm *vm, struct drm_file *file, struct quill_bind *binds,
			 u32 count, u32 *done)
{
	int ret = 0, flush = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		binds[i].vm = vm;
		ret = quill_bind_prepare(&binds[i], file);
		if (ret)
			return ret;
	}

	ret = mutex_lock_interruptible(&vm->lock);
	if (ret)
		return ret;
	for (i = 0; i < count; i++) {
		ret = quill_bind_one(&binds[i]);
		if (ret)
			break;
	}
	*done = i;
	if (!list_empty(&vm->unlinked) || !list_empty(&vm->mmu.limbo))
		flush = quill_mmu_flush(&vm->mmu);
	/* while it is being unplugged, the device may still reach them: they go with the VM */
	if (flush != -ENODEV)
		quill_vm_drop_unlinked(vm);
	mutex_unlock(&vm->lock);
	return ret ? ret : flush;
}

int quill_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_vm_bind *args = data;
	struct drm_quill_bind_op *ops;
	struct quill_bind *binds;
	struct quill_vm *vm;
	int idx, ret;
	u32 i;

	args->done = 0;
	if (args->flags || args->pad)
		return -EINVAL;
	ops = QUILL_COPY_ARRAY(struct drm_quill_bind_op, &args->ops, DRM_QUILL_MAX_BIND_OPS);
	if (IS_ERR(ops))
		return PTR_ERR(ops);

	ret = -ENOENT;
	vm = quill_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		goto out_ops;
	ret = -ENOMEM;
	binds = kvzalloc_objs(*binds, max(args->ops.count, 1u), GFP_KERNEL_ACCOUNT);
	if (!binds)
		goto out_vm;
	for (i = 0; i < args->ops.count; i++)
		binds[i].op = ops[i];

	ret = -ENODEV;
	if (drm_dev_enter(drm, &idx)) {
		ret = quill_vm_bind(vm, file, binds, args->ops.count, &args->done);
		drm_dev_exit(idx);
	}
	for (i = 0; i < args->ops.count; i++)
		if (binds[i].bo)
			drm_gem_object_put(&binds[i].bo->base.base);
	kvfree(binds);
out_vm:
	quill_vm_put(vm);
out_ops:
	kvfree(ops);
	return ret;
}
