// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: page tables and the registers of the address spaces.
 *
 * DOC: MMU
 *
 * An address space is a root register and a tree of four levels, in host memory, that the
 * device walks by itself. The driver keeps a shadow tree (struct quill_pt) with the same shape
 * to find tables by processor address; the entries themselves are never read back from what the
 * device could have changed (it cannot: tables are mapped for it to read).
 *
 * Two rules make unmapping safe while jobs run:
 *
 * - A page or a table is given back only after the invalidation has ended, for until then the
 *   device may use what it cached. The hardware ends it when every access that used an old
 *   translation has finished. Tables wait in mmu->limbo, objects in the VM's list of unlinked
 *   mappings.
 * - If the invalidation does not end, the device is reset, and if that does not help it loses
 *   bus mastering. Either way it has forgotten all when quill_mmu_flush() returns, so that
 *   callers have no case in which to leak memory.
 *
 * Filling an empty entry needs no invalidation: the device does not cache what is not valid.
 *
 * Changes cannot fail: the tables that they may need, be it to split a 2 MiB leaf, are reserved
 * before (quill_pt.c).
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/mm.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "quill_compat.h"
#include "quill_device.h"
#include "quill_mmu.h"
#include "quill_reset.h"

/* In-flight accesses end with their command; the longest takes seconds on a slow host. */
#define QUILL_INVALIDATE_TIMEOUT_US	10000000

static unsigned int quill_pt_index(u64 va, unsigned int level)
{
	return va >> QUILL_PT_SHIFT(level) & (QUILL_PT_ENTRIES - 1);
}

static u64 quill_pt_span(unsigned int level)
{
	return 1ull << QUILL_PT_SHIFT(level);
}

/* One entry, as one 64-bit write: the device may walk the table at any time. */
static void quill_pt_set(struct quill_mmu *mmu, struct quill_pt *pt, unsigned int i, u64 entry)
{
	pt->used += !!entry - !!pt->entry[i];
	WRITE_ONCE(pt->entry[i], entry);
	dma_sync_single_for_device(mmu->qdev->drm.dev, pt->dma + i * sizeof(entry), sizeof(entry),
				   DMA_TO_DEVICE);
}

static void quill_pt_link(struct quill_mmu *mmu, struct quill_pt *pt, unsigned int i,
			  struct quill_pt *child)
{
	/* What the child holds has to be visible before the child is. */
	dma_wmb();
	pt->child[i] = child;
	quill_pt_set(mmu, pt, i, child->dma | QUILL_PTE_VALID);
}

/*
 * struct quill_walk - a range of an object, run by run of bus addresses
 */
struct quill_walk {
	struct quill_mmu *mmu;
	struct quill_pt_reserve *reserve;
	u64 flags;
};

typedef int (*quill_walk_fn)(struct quill_walk *walk, u64 va, u64 addr, u64 size);

static int quill_mmu_walk(struct quill_walk *walk, quill_walk_fn fn, u64 va, struct sg_table *sgt,
			  u64 offset, u64 size)
{
	struct scatterlist *sg;
	int i, ret = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 len = sg_dma_len(sg);
		u64 run;

		if (offset >= len) {
			offset -= len;
			continue;
		}
		run = min(len - offset, size);
		ret = fn(walk, va, sg_dma_address(sg) + offset, run);
		offset = 0;
		va += run;
		size -= run;
		if (ret || !size)
			return ret;
	}
	return -ERANGE;
}

static bool quill_mmu_is_huge(u64 va, u64 addr, u64 size)
{
	return IS_ALIGNED(va | addr, QUILL_HUGE_SIZE) && size >= QUILL_HUGE_SIZE;
}

static int quill_mmu_reserve_run(struct quill_walk *walk, u64 va, u64 addr, u64 size)
{
	u64 end = va + size;
	int ret = 0;

	if ((addr | (addr + size - 1)) & ~(QUILL_PTE_ADDR_MASK | (QUILL_PAGE_SIZE - 1)))
		return -ERANGE;

	while (va < end && !ret) {
		u64 next = min(ALIGN_DOWN(va, QUILL_HUGE_SIZE) + QUILL_HUGE_SIZE, end);

		if (!quill_mmu_is_huge(va, addr, end - va))
			ret = quill_pt_reserve_span(&walk->mmu->cache, walk->reserve, 0, va,
						    next - va);
		addr += next - va;
		va = next;
	}
	return ret;
}

/*
 * quill_mmu_reserve_map() - as many tables as quill_mmu_map() of the same range can need
 *
 * Return: 0, -ENOMEM, or -ERANGE (a bus address that an entry cannot hold).
 */
int quill_mmu_reserve_map(struct quill_mmu *mmu, struct quill_pt_reserve *reserve, u64 va,
			  struct sg_table *sgt, u64 offset, u64 size)
{
	struct quill_walk walk = {
		.mmu = mmu,
		.reserve = reserve,
	};
	unsigned int level;
	int ret;

	ret = quill_mmu_walk(&walk, quill_mmu_reserve_run, va, sgt, offset, size);
	for (level = 1; level < QUILL_PT_LEVELS - 1 && !ret; level++)
		ret = quill_pt_reserve_span(&mmu->cache, reserve, level, va, size);
	return ret;
}

/*
 * quill_mmu_reserve_unmap() - as many tables as quill_mmu_split() at both ends of a range can need
 */
int quill_mmu_reserve_unmap(struct quill_mmu *mmu, struct quill_pt_reserve *reserve)
{
	return quill_pt_reserve_splits(&mmu->cache, reserve, 2);
}

/* ---- Changes: none can fail ------------------------------------------------------ */

/* The table of @level that covers @va, linked if it is missing. */
static struct quill_pt *quill_mmu_table(struct quill_walk *walk, u64 va, unsigned int level)
{
	struct quill_pt *pt = walk->mmu->root;

	while (pt->level > level) {
		unsigned int i = quill_pt_index(va, pt->level);

		if (!pt->child[i])
			quill_pt_link(walk->mmu, pt, i,
				      quill_pt_take(walk->reserve, pt->level - 1));
		pt = pt->child[i];
	}
	return pt;
}

static int quill_mmu_map_run(struct quill_walk *walk, u64 va, u64 addr, u64 size)
{
	while (size) {
		bool huge = quill_mmu_is_huge(va, addr, size);
		struct quill_pt *pt = quill_mmu_table(walk, va, huge ? 1 : 0);
		u64 step = huge ? QUILL_HUGE_SIZE : QUILL_PAGE_SIZE;

		quill_pt_set(walk->mmu, pt, quill_pt_index(va, pt->level), addr | walk->flags);
		va += step;
		addr += step;
		size -= step;
	}
	return 0;
}

/*
 * quill_mmu_map() - map a range of an object
 * @reserve: has had quill_mmu_reserve_map() for it
 * @va: device address; nothing is mapped in [va, va + size)
 * @sgt: the object, mapped for DMA
 * @offset: where in the object the range starts
 * @flags: QUILL_PTE_* of each leaf
 */
void quill_mmu_map(struct quill_mmu *mmu, struct quill_pt_reserve *reserve, u64 va,
		   struct sg_table *sgt, u64 offset, u64 size, u64 flags)
{
	struct quill_walk walk = {
		.mmu = mmu,
		.reserve = reserve,
		.flags = flags,
	};

	quill_mmu_walk(&walk, quill_mmu_map_run, va, sgt, offset, size);
}

/*
 * quill_mmu_split() - let no leaf cross @va, and leave every translation as it was
 * @reserve: has had quill_mmu_reserve_unmap() for it
 */
void quill_mmu_split(struct quill_mmu *mmu, struct quill_pt_reserve *reserve, u64 va)
{
	struct quill_pt *pt = mmu->root, *child;
	unsigned int i, k;
	u64 entry;

	if (IS_ALIGNED(va, QUILL_HUGE_SIZE))
		return;
	while (pt && pt->level > 1)
		pt = pt->child[quill_pt_index(va, pt->level)];
	if (!pt)
		return;
	i = quill_pt_index(va, 1);
	entry = pt->entry[i];
	if (!(entry & QUILL_PTE_LEAF))
		return;

	child = quill_pt_take(reserve, 0);
	for (k = 0; k < QUILL_PT_ENTRIES; k++)
		quill_pt_set(mmu, child, k, entry + (u64)k * QUILL_PAGE_SIZE);
	quill_pt_link(mmu, pt, i, child);
}

static void quill_pt_clear(struct quill_mmu *mmu, struct quill_pt *pt, u64 va, u64 end)
{
	u64 span = quill_pt_span(pt->level);

	while (va < end) {
		u64 next = min(ALIGN_DOWN(va, span) + span, end);
		unsigned int i = quill_pt_index(va, pt->level);
		struct quill_pt *child = pt->level ? pt->child[i] : NULL;

		if (child)
			quill_pt_clear(mmu, child, va, next);
		if (child && !child->used) {
			pt->child[i] = NULL;
			list_add(&child->node, &mmu->limbo);
			quill_pt_set(mmu, pt, i, 0);
		} else if (!child && pt->entry[i]) {
			quill_pt_set(mmu, pt, i, 0);
		}
		va = next;
	}
}

/*
 * quill_mmu_unmap() - clear a range. Cannot fail; quill_mmu_flush() makes it known to the device.
 *
 * Leaves that cross its ends must have been split.
 */
void quill_mmu_unmap(struct quill_mmu *mmu, u64 va, u64 size)
{
	quill_pt_clear(mmu, mmu->root, va, va + size);
}

static void quill_mmu_write_as(struct quill_device *qdev, unsigned int as)
{
	u32 reg = QUILL_REG_AS(as);
	u64 root = qdev->as[as].root;

	quill_write(qdev, reg + QUILL_AS_ROOT_LO, lower_32_bits(root));
	quill_write(qdev, reg + QUILL_AS_ROOT_HI, upper_32_bits(root));
	quill_write(qdev, reg + QUILL_AS_CTRL, root ? QUILL_AS_CTRL_ENABLE : 0);
}

static int quill_mmu_invalidate(struct quill_device *qdev, unsigned int as)
{
	u32 status;
	int ret;

	down_read(&qdev->hw_lock);
	if (!quill_device_up(qdev)) {
		up_read(&qdev->hw_lock);
		return 0;
	}
	mutex_lock(&qdev->mmu_lock);
	quill_write(qdev, QUILL_REG_MMU_INVALIDATE, as);
	status = quill_read(qdev, QUILL_REG_MMU_STATUS);
	ret = 0;
	if (status & QUILL_MMU_STATUS_BUSY)
		ret = read_poll_timeout(quill_read, status, !(status & QUILL_MMU_STATUS_BUSY), 20,
					QUILL_INVALIDATE_TIMEOUT_US, false, qdev,
					QUILL_REG_MMU_STATUS);
	mutex_unlock(&qdev->mmu_lock);
	up_read(&qdev->hw_lock);
	return ret;
}

/* The device uses these tables no more. */
static void quill_mmu_free_limbo(struct quill_mmu *mmu)
{
	struct quill_pt *pt, *next;

	lockdep_assert_held(&mmu->qdev->as_lock);
	list_for_each_entry_safe(pt, next, &mmu->limbo, node) {
		list_del(&pt->node);
		quill_pt_put(&mmu->cache, pt);
	}
}

/*
 * quill_mmu_flush() - make the device forget what was unmapped, and free the tables that held it
 *
 * Return: 0; -ETIMEDOUT: the device had to be given up for that; in both cases it uses no old
 * translation. -ENODEV: it is being unplugged, and may still use what it knows until it is stopped:
 * nothing was freed. (The caller cannot wait for that: who has entered keeps the unplug waiting.)
 */
int quill_mmu_flush(struct quill_mmu *mmu)
{
	struct quill_device *qdev = mmu->qdev;
	int idx, ret;

	if (!drm_dev_enter(&qdev->drm, &idx))
		return -ENODEV;
	ret = quill_mmu_invalidate(qdev, mmu->as);
	if (ret) {
		drm_err_ratelimited(&qdev->drm, "address space %u: invalidation has not ended after %d ms\n",
				    mmu->as, QUILL_INVALIDATE_TIMEOUT_US / 1000);
		ret = quill_reset_sync(qdev, QUILL_RESET_ALL) ? -ETIMEDOUT : 0;
	}
	drm_dev_exit(idx);
	mutex_lock(&qdev->as_lock);
	quill_mmu_free_limbo(mmu);
	mutex_unlock(&qdev->as_lock);
	return ret;
}

/*
 * Under hw_lock and as_lock. The registers are written if the hardware is there; a recovery, and
 * waking up, write them again.
 */
static void quill_mmu_publish(struct quill_device *qdev, unsigned int as, u64 root)
{
	int idx;

	lockdep_assert_held(&qdev->as_lock);
	qdev->as[as].root = root;
	if (!drm_dev_enter(&qdev->drm, &idx))
		return;
	if (quill_device_up(qdev))
		quill_mmu_write_as(qdev, as);
	drm_dev_exit(idx);
}

/*
 * quill_mmu_init() - take an address space and give it empty tables
 *
 * Return: 0, -ENOSPC or -ENOMEM.
 */
int quill_mmu_init(struct quill_mmu *mmu, struct quill_device *qdev, struct quill_vm *vm)
{
	unsigned int as;
	int ret = 0;

	INIT_LIST_HEAD(&mmu->limbo);
	quill_pt_cache_init(&mmu->cache, qdev->drm.dev);
	mmu->qdev = qdev;
	mmu->root = quill_pt_alloc(&mmu->cache, QUILL_PT_LEVELS - 1);
	if (!mmu->root)
		return -ENOMEM;

	down_read(&qdev->hw_lock);
	mutex_lock(&qdev->as_lock);
	for (as = QUILL_AS_HOST + 1; as < qdev->nr_as && qdev->as[as].mmu; as++)
		;
	if (as < qdev->nr_as) {
		mmu->as = as;
		qdev->as[as].mmu = mmu;
		qdev->as[as].vm = vm;
		quill_mmu_publish(qdev, as, mmu->root->dma);
	} else {
		ret = -ENOSPC;
	}
	mutex_unlock(&qdev->as_lock);
	up_read(&qdev->hw_lock);
	if (ret) {
		quill_pt_free_tree(&mmu->cache, mmu->root);
		mmu->root = NULL;
	}
	return ret;
}

/*
 * quill_mmu_fini() - disable the address space, free its tables and give it back
 *
 * No job uses it any more, nor will. Outside of drm_dev_enter(): it may wait for an unplug.
 */
void quill_mmu_fini(struct quill_mmu *mmu)
{
	struct quill_device *qdev = mmu->qdev;

	down_read(&qdev->hw_lock);
	mutex_lock(&qdev->as_lock);
	quill_mmu_publish(qdev, mmu->as, 0);
	mutex_unlock(&qdev->as_lock);
	up_read(&qdev->hw_lock);
	if (quill_mmu_flush(mmu) == -ENODEV)
		wait_for_completion(&qdev->stopped);

	mutex_lock(&qdev->as_lock);
	quill_mmu_free_limbo(mmu);
	quill_pt_cache_close(&mmu->cache);
	if (mmu->root)
		quill_pt_free_tree(&mmu->cache, mmu->root);
	mmu->root = NULL;
	memset(&qdev->as[mmu->as], 0, sizeof(qdev->as[mmu->as]));
	mutex_unlock(&qdev->as_lock);
}

/*
 * quill_mmu_restore_all() - write every address space's registers, after a reset
 */
void quill_mmu_restore_all(struct quill_device *qdev)
{
	unsigned int as;

	mutex_lock(&qdev->as_lock);
	for (as = QUILL_AS_HOST + 1; as < qdev->nr_as; as++)
		quill_mmu_write_as(qdev, as);
	mutex_unlock(&qdev->as_lock);
}

/*
 * quill_mmu_unplug_all() - free every table, for they are mapped for DMA
 *
 * The device is unplugged and stopped: no bind is under way and none will come.
 */
void quill_mmu_unplug_all(struct quill_device *qdev)
{
	unsigned int as;

	mutex_lock(&qdev->as_lock);
	for (as = QUILL_AS_HOST + 1; as < qdev->nr_as; as++) {
		struct quill_mmu *mmu = qdev->as[as].mmu;

		if (!mmu || !mmu->root)
			continue;
		quill_mmu_free_limbo(mmu);
		quill_pt_cache_close(&mmu->cache);
		quill_pt_free_tree(&mmu->cache, mmu->root);
		mmu->root = NULL;
	}
	mutex_unlock(&qdev->as_lock);
}
