// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: VM_BIND.
 *
 * DOC: VM_BIND
 *
 * A call is done in four parts, so that what can be interrupted or can fail for reasons of
 * memory comes first:
 *
 * 1. Without the VM's lock: copy the operations in, look the objects up, pin and DMA-map their
 *    pages, allocate mappings and page tables. Only here can a signal end the call, before
 *    anything has changed: a call that libdrm repeats must not find its own half-done work.
 * 2. Under vm->lock: the operations in order, up to the first that fails.
 * 3. Still under vm->lock: one invalidation for all of them. So the operations of one call become
 *    visible to running jobs in any order, and all before it ends.
 * 4. Without it again: objects and tables that nobody needs any more are let go.
 *
 * A synchronous call does this from begin to end. Of an asynchronous one, 2 to 4 are done by work
 * items, when the fences that it waits for have signalled and all binds before it have ended; its
 * own fence signals between 3 and 4. So 2 and 3 are what others may wait for with any lock held
 * that takes part in freeing memory: they allocate nothing, and no lock that they take is held
 * elsewhere across an allocation (lockdep checks: dma_fence_begin_signalling()). 4 takes
 * reservation locks, under which others wait for fences, so it has a work item of its own.
 *
 * There is no drm_sched in it. That ends a job that it waits with only when what the job waits
 * for has ended, and so closing a VM, or unplugging the device, would wait for fences of others;
 * here both end every bind at once. What it would give for that, a ring's credits and a
 * timeout, a bind has no use for.
 *
 * Order: a call sees what all have done that had returned before it was made. A synchronous one
 * waits for the last that was queued then.
 */
#include <linux/dma-fence.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gpuvm.h>

#include "quill_bind.h"
#include "quill_bind_op.h"
#include "quill_compat.h"
#include "quill_drv.h"
#include "quill_fail.h"
#include "quill_fence.h"
#include "quill_sync.h"
#include "quill_vm.h"

/*
 * struct quill_bind - one call under way
 */
struct quill_bind {
	struct quill_vm *vm;
	/** @node: in one of the VM's lists, if it is asynchronous. */
	struct list_head node;
	struct dma_fence *fence;
	struct quill_syncs syncs;
	/** @next: of @syncs, which it waits for; @armed: by way of @cb. */
	u32 next;
	bool armed;
	struct dma_fence_cb cb;

	struct quill_bind_stock stock;
	/** @unlinked: mappings that are gone and that the device has forgotten. */
	struct list_head unlinked;
	u32 count;
	struct quill_bind_op op[] __counted_by(count);
};

static struct quill_bind *quill_bind_alloc(struct quill_vm *vm,
					   const struct drm_quill_bind_op *ops, u32 count)
{
	struct quill_bind *bind;
	u32 i;

	bind = kvzalloc(struct_size(bind, op, count), GFP_KERNEL_ACCOUNT);
	if (!bind)
		return NULL;
	bind->vm = vm;
	bind->count = count;
	quill_bind_stock_init(&bind->stock);
	INIT_LIST_HEAD(&bind->unlinked);
	for (i = 0; i < count; i++)
		bind->op[i].args = ops[i];
	return bind;
}

/* Without vm->lock; before an unplug has ended. */
static void quill_bind_free(struct quill_bind *bind)
{
	u32 i;

	quill_bind_drop(&bind->unlinked);
	for (i = 0; i < bind->count; i++)
		quill_bind_op_finish(&bind->op[i]);
	quill_bind_stock_finish(&bind->stock, bind->vm);
	quill_syncs_put(&bind->syncs);
	dma_fence_put(bind->fence);
	kvfree(bind);
}

/* Behind an operation that will fail none is done, nor prepared. */
static int quill_bind_prepare(struct quill_bind *bind, struct drm_file *file)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < bind->count && !ret; i++) {
		ret = quill_bind_op_prepare(&bind->op[i], bind->vm, file, &bind->stock);
		if (bind->op[i].error)
			break;
	}
	return ret;
}

static int quill_bind_run(struct quill_bind *bind, u32 *done)
{
	struct quill_vm *vm = bind->vm;
	int ret = 0, flush = 0;
	u32 i;

	lockdep_assert_held(&vm->lock);
	for (i = 0; i < bind->count; i++) {
		ret = quill_bind_op_run(&bind->op[i], vm, &bind->stock);
		if (ret)
			break;
	}
	*done = i;
	if (!list_empty(&vm->unlinked) || !list_empty(&vm->mmu.limbo))
		flush = quill_mmu_flush(&vm->mmu);
	/* While it is being unplugged, the device may still reach them: they go with the VM. */
	if (flush != -ENODEV)
		list_splice_init(&vm->unlinked, &bind->unlinked);
	return ret ? ret : flush;
}

/* ---- Asynchronous ------------------------------------------------------------------ */

static void quill_bind_wake(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct quill_bind *bind = container_of(cb, struct quill_bind, cb);
	struct quill_vm *vm = bind->vm;

	queue_work(vm->qdev->submit_wq, &vm->binds.work);
}

static void quill_bind_disarm(struct quill_bind *bind)
{
	/* It may be about to be called: this waits for that. */
	if (bind->armed)
		dma_fence_remove_callback(bind->syncs.sync[bind->next].wait, &bind->cb);
	bind->armed = false;
}

/* Whether all that it waits for has signalled; if not, the work item is queued when it has. */
static bool quill_bind_is_ready(struct quill_bind *bind)
{
	struct dma_fence *wait;

	for (; bind->next < bind->syncs.count; bind->next++) {
		wait = bind->syncs.sync[bind->next].wait;
		if (!wait)
			continue;
		if (!bind->armed)
			bind->armed = !dma_fence_add_callback(wait, &bind->cb, quill_bind_wake);
		if (bind->armed && !dma_fence_is_signaled(wait))
			return false;
		quill_bind_disarm(bind);
	}
	return true;
}

static struct quill_bind *quill_bind_first(struct quill_bind_queue *binds)
{
	struct quill_bind *bind;

	spin_lock(&binds->lock);
	bind = list_first_entry_or_null(&binds->queued, struct quill_bind, node);
	spin_unlock(&binds->lock);
	return bind;
}

/* From here on it belongs to the cleanup. */
static void quill_bind_end(struct quill_bind *bind, int error)
{
	struct quill_bind_queue *binds = &bind->vm->binds;
	struct dma_fence *fence = dma_fence_get(bind->fence);

	spin_lock(&binds->lock);
	list_move_tail(&bind->node, &binds->ended);
	spin_unlock(&binds->lock);
	quill_fence_signal(fence, error);
	dma_fence_put(fence);
}

static int quill_bind_run_async(struct quill_bind *bind)
{
	struct quill_vm *vm = bind->vm;
	int idx, ret;
	u32 done;

	if (!drm_dev_enter(&vm->qdev->drm, &idx))
		return -ENODEV;
	mutex_lock(&vm->lock);
	ret = quill_bind_run(bind, &done);
	mutex_unlock(&vm->lock);
	drm_dev_exit(idx);
	return ret;
}

static int quill_bind_queue_error(struct quill_vm *vm)
{
	return drm_dev_is_unplugged(&vm->qdev->drm) ? -ENODEV : READ_ONCE(vm->binds.error);
}

static void quill_bind_work(struct work_struct *work)
{
	struct quill_bind_queue *binds = container_of(work, struct quill_bind_queue, work);
	struct quill_vm *vm = container_of(binds, struct quill_vm, binds);
	bool cookie = dma_fence_begin_signalling();
	struct quill_bind *bind;
	int error;

	while ((bind = quill_bind_first(binds))) {
		error = quill_bind_queue_error(vm);
		if (error)
			quill_bind_disarm(bind);
		else if (quill_bind_is_ready(bind))
			error = quill_bind_run_async(bind);
		else
			break;
		quill_bind_end(bind, error);
	}
	dma_fence_end_signalling(cookie);
	queue_work(quill_cleanup_wq, &binds->cleanup);
}

static void quill_bind_cleanup(struct quill_bind_queue *binds)
{
	struct quill_bind *bind, *next;
	LIST_HEAD(ended);

	spin_lock(&binds->lock);
	list_splice_init(&binds->ended, &ended);
	spin_unlock(&binds->lock);
	list_for_each_entry_safe(bind, next, &ended, node)
		quill_bind_free(bind);
}

static void quill_bind_cleanup_work(struct work_struct *work)
{
	quill_bind_cleanup(container_of(work, struct quill_bind_queue, cleanup));
}

/* The point of no return: on success the bind is no longer the caller's. */
static int quill_bind_enqueue(struct quill_bind *bind)
{
	struct quill_vm *vm = bind->vm;
	struct quill_bind_queue *binds = &vm->binds;

	mutex_lock(&binds->mutex);
	if (binds->closed) {
		mutex_unlock(&binds->mutex);
		return -ENOENT;
	}
	quill_fence_init(bind->fence, "bind", binds->fence_context, ++binds->last);
	quill_syncs_publish(&bind->syncs, bind->fence);
	spin_lock(&binds->lock);
	list_add_tail(&bind->node, &binds->queued);
	spin_unlock(&binds->lock);
	queue_work(vm->qdev->submit_wq, &binds->work);
	mutex_unlock(&binds->mutex);
	return 0;
}

/* Before a synchronous call: let those end that are queued. */
static int quill_bind_wait_queued(struct quill_vm *vm)
{
	struct quill_bind_queue *binds = &vm->binds;
	struct dma_fence *fence = NULL;
	int ret = 0;

	spin_lock(&binds->lock);
	if (!list_empty(&binds->queued))
		fence = dma_fence_get(list_last_entry(&binds->queued, struct quill_bind,
						      node)->fence);
	spin_unlock(&binds->lock);
	if (fence)
		ret = dma_fence_wait(fence, true);
	dma_fence_put(fence);
	return ret;
}

/* ---- Begin and end of a VM, and of the device ------------------------------------------ */

void quill_bind_queue_init(struct quill_bind_queue *binds)
{
	mutex_init(&binds->mutex);
	spin_lock_init(&binds->lock);
	INIT_LIST_HEAD(&binds->queued);
	INIT_LIST_HEAD(&binds->ended);
	INIT_WORK(&binds->work, quill_bind_work);
	INIT_WORK(&binds->cleanup, quill_bind_cleanup_work);
	binds->fence_context = dma_fence_context_alloc(1);
}

/*
 * quill_bind_queue_close() - take no more binds; those that have not begun end with -ECANCELED
 */
void quill_bind_queue_close(struct quill_vm *vm)
{
	struct quill_bind_queue *binds = &vm->binds;

	mutex_lock(&binds->mutex);
	binds->closed = true;
	WRITE_ONCE(binds->error, -ECANCELED);
	mutex_unlock(&binds->mutex);
	queue_work(vm->qdev->submit_wq, &binds->work);
	flush_work(&binds->work);
}

/*
 * quill_bind_queue_fini() - it is closed; what has ended is freed
 */
void quill_bind_queue_fini(struct quill_vm *vm)
{
	struct quill_bind_queue *binds = &vm->binds;

	disable_work_sync(&binds->work);
	disable_work_sync(&binds->cleanup);
	quill_bind_cleanup(binds);
	mutex_destroy(&binds->mutex);
}

/*
 * quill_bind_unplug_all() - end all that is queued on any VM with -ENODEV
 *
 * The device is unplugged: nothing more is queued.
 */
void quill_bind_unplug_all(struct quill_device *qdev)
{
	struct quill_vm *vm;
	unsigned int as;

	mutex_lock(&qdev->as_lock);
	for (as = 0; as < qdev->nr_as; as++) {
		vm = qdev->as[as].vm;
		if (vm)
			queue_work(qdev->submit_wq, &vm->binds.work);
	}
	mutex_unlock(&qdev->as_lock);
	flush_workqueue(qdev->submit_wq);
}

/* ---- The ioctl ---------------------------------------------------------------------- */

static int quill_bind_now(struct quill_bind *bind, struct drm_file *file, u32 *done)
{
	struct quill_vm *vm = bind->vm;
	int ret;

	ret = quill_bind_prepare(bind, file);
	if (!ret)
		ret = mutex_lock_interruptible(&vm->lock);
	if (ret)
		return ret;
	ret = quill_bind_run(bind, done);
	mutex_unlock(&vm->lock);
	return ret;
}

/* What can be told now is told now: nothing is queued of a call that would fail. */
static int quill_bind_later(struct quill_bind *bind, struct drm_file *file,
			    const struct drm_quill_array *syncs)
{
	u32 i;
	int ret;

	ret = quill_syncs_get(&bind->syncs, file, syncs, bind->vm->binds.fence_context);
	if (!ret)
		ret = quill_bind_prepare(bind, file);
	for (i = 0; i < bind->count && !ret; i++)
		ret = bind->op[i].error;
	if (ret)
		return ret;
	bind->fence = quill_fail(QUILL_FAIL_ALLOC) ? NULL : quill_fence_alloc();
	if (!bind->fence)
		return -ENOMEM;
	ret = quill_bind_enqueue(bind);
	if (ret) {
		quill_fence_abandon(bind->fence);
		bind->fence = NULL;
	}
	return ret;
}

/* Inside drm_dev_enter(), the end of what has not been queued too. */
static int quill_vm_bind(struct quill_vm *vm, struct drm_file *file,
			 struct drm_quill_vm_bind *args, const struct drm_quill_bind_op *ops)
{
	struct quill_bind *bind;
	int ret;

	bind = quill_bind_alloc(vm, ops, args->ops.count);
	if (!bind)
		return -ENOMEM;
	if (args->flags & DRM_QUILL_VM_BIND_ASYNC) {
		ret = quill_bind_later(bind, file, &args->syncs);
		if (!ret)
			return 0;
	} else {
		ret = quill_bind_now(bind, file, &args->done);
	}
	quill_bind_free(bind);
	return ret;
}

static int quill_vm_bind_check(const struct drm_quill_vm_bind *args)
{
	if (args->flags & ~DRM_QUILL_VM_BIND_FLAGS || args->pad)
		return -EINVAL;
	return args->syncs.count && !(args->flags & DRM_QUILL_VM_BIND_ASYNC) ? -EINVAL : 0;
}

int quill_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_quill_vm_bind *args = data;
	struct drm_quill_bind_op *ops;
	struct quill_vm *vm;
	int idx, ret;

	args->done = 0;
	ret = quill_vm_bind_check(args);
	if (ret)
		return ret;
	ops = QUILL_COPY_ARRAY(struct drm_quill_bind_op, &args->ops, DRM_QUILL_MAX_BIND_OPS);
	if (IS_ERR(ops))
		return PTR_ERR(ops);

	vm = quill_vm_lookup(file->driver_priv, args->vm_id);
	ret = vm ? 0 : -ENOENT;
	if (!vm)
		goto out_ops;
	/* Not inside drm_dev_enter(): an unplug is what may end it. */
	if (!(args->flags & DRM_QUILL_VM_BIND_ASYNC))
		ret = quill_bind_wait_queued(vm);
	if (ret)
		goto out_vm;

	ret = -ENODEV;
	if (drm_dev_enter(drm, &idx)) {
		ret = quill_vm_bind(vm, file, args, ops);
		drm_dev_exit(idx);
	}
out_vm:
	quill_vm_put(vm);
out_ops:
	kvfree(ops);
	return ret;
}
