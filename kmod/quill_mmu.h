/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_MMU_H
#define QUILL_MMU_H

#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "quill_pt.h"

struct quill_device;
struct quill_vm;

/**
 * struct quill_mmu - the page tables of one address space
 */
struct quill_mmu {
	struct quill_device *qdev;
	/** @as: number of the hardware address space; 0: none. */
	unsigned int as;
	struct quill_pt *root;
	/** @limbo: tables that are unlinked; free once the device has forgotten them. */
	struct list_head limbo;
	struct quill_pt_cache cache;
};

int quill_mmu_init(struct quill_mmu *mmu, struct quill_device *qdev, struct quill_vm *vm);
void quill_mmu_fini(struct quill_mmu *mmu);
int quill_mmu_reserve_map(struct quill_mmu *mmu, struct quill_pt_reserve *reserve, u64 va,
			  struct sg_table *sgt, u64 offset, u64 size);
int quill_mmu_reserve_unmap(struct quill_mmu *mmu, struct quill_pt_reserve *reserve);
void quill_mmu_map(struct quill_mmu *mmu, struct quill_pt_reserve *reserve, u64 va,
		   struct sg_table *sgt, u64 offset, u64 size, u64 flags);
void quill_mmu_split(struct quill_mmu *mmu, struct quill_pt_reserve *reserve, u64 va);
void quill_mmu_unmap(struct quill_mmu *mmu, u64 va, u64 size);
int quill_mmu_flush(struct quill_mmu *mmu);
void quill_mmu_restore_all(struct quill_device *qdev);
void quill_mmu_unplug_all(struct quill_device *qdev);

#endif /* QUILL_MMU_H */
