/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_VRAM_H
#define QUILL_VRAM_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "quill_compat.h"

struct drm_device;
struct quill_bo;
struct quill_device;
struct vm_area_struct;

/**
 * struct quill_vram - the device's own memory
 */
struct quill_vram {
	/** @base: all of it, mapped write-combined; NULL: the processor cannot reach it. */
	void __iomem *base;
	/** @phys: where processes' mappings of it point to. */
	phys_addr_t phys;
	/** @lock: @buddy; innermost. */
	struct mutex lock;
	struct gpu_buddy buddy;
};

int quill_vram_init(struct quill_device *qdev);
u64 quill_vram_size(struct quill_device *qdev);
u64 quill_vram_free(struct quill_device *qdev);
struct quill_bo *quill_vram_create(struct drm_device *drm, u64 size);
void quill_vram_release(struct quill_bo *bo);
int quill_vram_mmap(struct vm_area_struct *vma);
bool quill_vram_read(struct quill_bo *bo, u64 offset, void *buf, size_t size);
void quill_vram_zap(struct quill_device *qdev);

#endif /* QUILL_VRAM_H */
