/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_VM_H
#define QUILL_VM_H

#include <linux/kref.h>
#include <linux/mutex.h>

#include <drm/drm_gpuvm.h>

#include "quill_bind.h"
#include "quill_mmu.h"

struct drm_device;
struct drm_file;
struct quill_device;
struct quill_file;
struct quill_user;

/**
 * struct quill_vm - a user's address space
 *
 * Held by its id and by every queue on it. Its mappings hold the objects.
 */
struct quill_vm {
	/**
	 * @base: mappings. Its own count is held by them, so it cannot tell when a VM is
	 * unused.
	 */
	struct drm_gpuvm base;
	struct kref ref;
	struct quill_device *qdev;
	struct quill_user *user;
	/** @lock: mappings and page tables. Not held across an allocation: see quill_bind.c. */
	struct mutex lock;
	struct quill_mmu mmu;
	/** @unlinked: mappings that are gone, but whose objects the device may still reach. */
	struct list_head unlinked;
	/** @mapped: bytes; written under @lock. */
	u64 mapped;
	struct quill_bind_queue binds;
};

#define to_quill_vm(v) container_of(v, struct quill_vm, base)

extern const struct drm_gpuvm_ops quill_bind_gpuvm_ops;

struct quill_vm *quill_vm_get(struct quill_vm *vm);
void quill_vm_put(struct quill_vm *vm);
struct quill_vm *quill_vm_lookup(struct quill_file *qfile, u32 id);
void quill_vm_free(struct drm_gpuvm *base);
void quill_vm_close_all(struct quill_file *qfile);
int quill_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file);
int quill_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* QUILL_VM_H */
