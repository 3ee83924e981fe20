// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: one operation of VM_BIND: what it needs, then what it changes.
 *
 * Running one neither allocates nor frees, nor takes the reservation lock of an object: somebody
 * may wait for a fence that depends on it. So mappings come from a stock, and those that are
 * gone keep their objects until quill_bind_drop().
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "quill_bind_op.h"
#include "quill_compat.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_gem.h"
#include "quill_trace.h"
#include "quill_vm.h"

/* A mapping through which the object can be written, and which it counts. */
#define QUILL_VA_WRITES	DRM_GPUVA_USERBITS

/* ---- Stock --------------------------------------------------------------------- */

void quill_bind_stock_init(struct quill_bind_stock *stock)
{
	quill_pt_reserve_init(&stock->tables);
	INIT_LIST_HEAD(&stock->mappings);
}

static int quill_bind_stock_mappings(struct quill_bind_stock *stock, unsigned int count)
{
	struct drm_gpuva *va;

	while (count--) {
		va = quill_fail(QUILL_FAIL_ALLOC) ? NULL : kzalloc_obj(*va, GFP_KERNEL_ACCOUNT);
		if (!va)
			return -ENOMEM;
		list_add(&va->rb.entry, &stock->mappings);
	}
	return 0;
}

/* There is one: see quill_bind_op_prepare(). */
static struct drm_gpuva *quill_bind_stock_take(struct quill_bind_stock *stock)
{
	struct drm_gpuva *va = list_first_entry(&stock->mappings, struct drm_gpuva, rb.entry);

	list_del(&va->rb.entry);
	return va;
}

/*
 * quill_bind_stock_finish() - give back what was not used
 */
void quill_bind_stock_finish(struct quill_bind_stock *stock, struct quill_vm *vm)
{
	struct drm_gpuva *va, *next;

	list_for_each_entry_safe(va, next, &stock->mappings, rb.entry)
		kfree(va);
	quill_pt_unreserve(&vm->mmu.cache, &stock->tables);
}

/* ---- Mappings ------------------------------------------------------------------ */

/* A new mapping of what can be written already if it can be. */
static void quill_bind_link(struct quill_vm *vm, struct drm_gpuva *va, struct drm_gpuvm_bo *vm_bo,
			    enum drm_gpuva_flags flags)
{
	struct quill_bo *bo = to_quill_bo(va->gem.obj);

	va->flags = flags;
	if (flags & QUILL_VA_WRITES)
		atomic_inc(&bo->writers);
	mutex_lock(&bo->gpuva_lock);
	drm_gpuva_link(va, vm_bo);
	mutex_unlock(&bo->gpuva_lock);
	vm->mapped += va->va.range;
}

/*
 * quill_bind_unlink() - a mapping is gone; it keeps its object until quill_bind_drop()
 */
void quill_bind_unlink(struct quill_vm *vm, struct drm_gpuva *va)
{
	list_add_tail(&va->rb.entry, &vm->unlinked);
	vm->mapped -= va->va.range;
}

/*
 * quill_bind_drop() - let go of the objects of mappings that are gone, when the device has
 * forgotten them
 */
void quill_bind_drop(struct list_head *unlinked)
{
	struct drm_gpuva *va, *next;

	list_for_each_entry_safe(va, next, unlinked, rb.entry) {
		struct drm_gem_object *obj = va->gem.obj;
		struct quill_bo *bo = to_quill_bo(obj);

		list_del(&va->rb.entry);
		/* The mapping's reference may be the last; the lock lives in the object. */
		drm_gem_object_get(obj);
		mutex_lock(&bo->gpuva_lock);
		drm_gpuva_unlink(va);
		mutex_unlock(&bo->gpuva_lock);
		if (va->flags & QUILL_VA_WRITES)
			quill_bo_put_writer(bo);
		drm_gem_object_put(obj);
		kfree(va);
	}
}

static int quill_bind_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *va = op->unmap.va;
	struct quill_vm *vm = to_quill_vm(va->vm);

	quill_mmu_unmap(&vm->mmu, va->va.addr, va->va.range);
	drm_gpuva_unmap(&op->unmap);
	quill_bind_unlink(vm, va);
	return 0;
}

/* What is left of a mapping that is cut keeps its flags, and the object in its own name. */
static int quill_bind_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *va = op->remap.unmap->va, *prev = NULL, *next = NULL;
	struct quill_vm *vm = to_quill_vm(va->vm);
	struct quill_bind_stock *stock = priv;
	u64 addr, range;

	if (op->remap.prev)
		prev = quill_bind_stock_take(stock);
	if (op->remap.next)
		next = quill_bind_stock_take(stock);

	drm_gpuva_op_remap_to_unmap_range(&op->remap, &addr, &range);
	quill_mmu_unmap(&vm->mmu, addr, range);
	drm_gpuva_remap(prev, next, &op->remap);
	if (prev)
		quill_bind_link(vm, prev, va->vm_bo, va->flags);
	if (next)
		quill_bind_link(vm, next, va->vm_bo, va->flags);
	quill_bind_unlink(vm, va);
	return 0;
}

const struct drm_gpuvm_ops quill_bind_gpuvm_ops = {
	.vm_free = quill_vm_free,
	.sm_step_unmap = quill_bind_step_unmap,
	.sm_step_remap = quill_bind_step_remap,
};

/* ---- Preparing ------------------------------------------------------------------- */

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

/* The object's place in the VM: made here unless it has one. */
static int quill_bind_obtain(struct quill_bind_op *op, struct quill_vm *vm)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_create(&vm->base, &op->bo->base.base);

	if (!vm_bo)
		return -ENOMEM;
	mutex_lock(&op->bo->gpuva_lock);
	op->vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
	mutex_unlock(&op->bo->gpuva_lock);
	return 0;
}

static int quill_bind_prepare_map(struct quill_bind_op *op, struct quill_vm *vm,
				  struct drm_file *file, struct quill_bind_stock *stock)
{
	const struct drm_quill_bind_op *args = &op->args;
	struct drm_gem_object *obj;
	u64 end;
	int ret;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	op->bo = to_quill_bo(obj);
	if (check_add_overflow(args->bo_offset, args->size, &end) || end > obj->size)
		return -EINVAL;
	if (!(args->flags & DRM_QUILL_BIND_READONLY)) {
		op->writes = quill_bo_get_writer(op->bo);
		if (!op->writes)
			return -EACCES;
	}

	op->sgt = quill_fail(QUILL_FAIL_PIN) ? ERR_PTR(-ENOMEM) : quill_gem_map_dma(op->bo);
	if (IS_ERR(op->sgt))
		return PTR_ERR(op->sgt);
	ret = quill_bind_obtain(op, vm);
	if (!ret)
		ret = quill_bind_stock_mappings(stock, 1);
	if (!ret)
		ret = quill_mmu_reserve_map(&vm->mmu, &stock->tables, args->va, op->sgt,
					    args->bo_offset, args->size);
	return ret;
}

/* An unmap can cut one mapping at each end, and so needs two new ones at most. */
static int quill_bind_prepare_unmap(struct quill_vm *vm, struct quill_bind_stock *stock)
{
	int ret = quill_bind_stock_mappings(stock, 2);

	return ret ? ret : quill_mmu_reserve_unmap(&vm->mmu, &stock->tables);
}

/*
 * quill_bind_op_prepare() - check it, look up, pin, allocate
 *
 * Return: 0, or what an interrupted wait returned; any other error is left in @op.
 */
int quill_bind_op_prepare(struct quill_bind_op *op, struct quill_vm *vm, struct drm_file *file,
			  struct quill_bind_stock *stock)
{
	int ret;

	ret = quill_bind_expand(&op->args);
	if (!ret)
		ret = quill_bind_check(&op->args);
	if (!ret)
		ret = op->args.op == DRM_QUILL_BIND_MAP ?
			quill_bind_prepare_map(op, vm, file, stock) :
			quill_bind_prepare_unmap(vm, stock);
	if (ret == -ERESTARTSYS || ret == -EINTR)
		return ret;
	op->error = ret;
	return 0;
}

/*
 * quill_bind_op_finish() - let go of what was looked up
 */
void quill_bind_op_finish(struct quill_bind_op *op)
{
	if (!op->bo)
		return;
	mutex_lock(&op->bo->gpuva_lock);
	drm_gpuvm_bo_put(op->vm_bo);
	mutex_unlock(&op->bo->gpuva_lock);
	if (op->writes)
		quill_bo_put_writer(op->bo);
	drm_gem_object_put(&op->bo->base.base);
}

/* ---- Running, under vm->lock ------------------------------------------------------ */

static int quill_bind_run_map(struct quill_bind_op *op, struct quill_vm *vm,
			      struct quill_bind_stock *stock)
{
	u64 flags = QUILL_PTE_VALID | QUILL_PTE_LEAF | QUILL_PTE_READ;
	const struct drm_quill_bind_op *args = &op->args;
	struct drm_gpuva *va;
	int ret;

	if (!drm_gpuvm_interval_empty(&vm->base, args->va, args->size))
		return -EEXIST;
	va = quill_bind_stock_take(stock);
	drm_gpuva_init(va, args->va, args->size, &op->bo->base.base, args->bo_offset);
	ret = drm_gpuva_insert(&vm->base, va);
	if (ret) {
		list_add(&va->rb.entry, &stock->mappings);
		return ret;
	}
	quill_bind_link(vm, va, op->vm_bo, op->writes ? QUILL_VA_WRITES : 0);
	if (op->writes)
		flags |= QUILL_PTE_WRITE;
	if (op->bo->vram)
		flags |= QUILL_PTE_DEVMEM;
	quill_mmu_map(&vm->mmu, &stock->tables, args->va, op->sgt, args->bo_offset, args->size,
		      flags);
	return 0;
}

static int quill_bind_run_unmap(struct quill_bind_op *op, struct quill_vm *vm,
				struct quill_bind_stock *stock)
{
	const struct drm_quill_bind_op *args = &op->args;

	quill_mmu_split(&vm->mmu, &stock->tables, args->va);
	quill_mmu_split(&vm->mmu, &stock->tables, args->va + args->size);
	return drm_gpuvm_sm_unmap(&vm->base, stock, args->va, args->size);
}

/*
 * quill_bind_op_run() - do it
 *
 * Return: 0; -EEXIST; or what was wrong from the beginning. Either way all or nothing.
 */
int quill_bind_op_run(struct quill_bind_op *op, struct quill_vm *vm,
		      struct quill_bind_stock *stock)
{
	int ret = op->error;

	lockdep_assert_held(&vm->lock);
	if (!ret && op->args.op == DRM_QUILL_BIND_MAP)
		ret = quill_bind_run_map(op, vm, stock);
	else if (!ret)
		ret = quill_bind_run_unmap(op, vm, stock);
	trace_quill_bind(vm->mmu.as, &op->args, ret);
	return ret;
}
