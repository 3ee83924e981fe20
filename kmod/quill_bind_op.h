/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_BIND_OP_H
#define QUILL_BIND_OP_H

#include <linux/list.h>

#include <drm/quill_accel.h>

#include "quill_pt.h"

struct drm_file;
struct drm_gpuva;
struct drm_gpuvm_bo;
struct quill_bo;
struct quill_vm;
struct sg_table;

/**
 * struct quill_bind_stock - what the operations of a call may need, allocated before they begin
 */
struct quill_bind_stock {
	struct quill_pt_reserve tables;
	/** @mappings: of struct drm_gpuva, by rb.entry. */
	struct list_head mappings;
};

/**
 * struct quill_bind_op - one operation of VM_BIND under way
 */
struct quill_bind_op {
	struct drm_quill_bind_op args;
	/** @error: found while preparing, reported when its turn comes. */
	int error;
	/** @bo, @sgt, @vm_bo: MAP: the object, its pages, its place in the VM. */
	struct quill_bo *bo;
	struct sg_table *sgt;
	struct drm_gpuvm_bo *vm_bo;
	/** @writes: MAP: it may, and @bo counts it. */
	bool writes;
};

int quill_bind_op_prepare(struct quill_bind_op *op, struct quill_vm *vm, struct drm_file *file,
			  struct quill_bind_stock *stock);
int quill_bind_op_run(struct quill_bind_op *op, struct quill_vm *vm,
		      struct quill_bind_stock *stock);
void quill_bind_op_finish(struct quill_bind_op *op);

void quill_bind_stock_init(struct quill_bind_stock *stock);
void quill_bind_stock_finish(struct quill_bind_stock *stock, struct quill_vm *vm);

void quill_bind_unlink(struct quill_vm *vm, struct drm_gpuva *va);
void quill_bind_drop(struct list_head *unlinked);

#endif /* QUILL_BIND_OP_H */
