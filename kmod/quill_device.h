/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quill: the device, its cores, and who may touch what under which lock.
 *
 * Lock order, outermost first:
 *
 *	vm->lock		mappings and page tables of one VM
 *	  qdev->slot_lock	who owns which hardware queue; rings of queues
 *	    qdev->hw_lock	rwsem; read: the hardware is up and stays so; write: recovery
 *	      qdev->as_lock	who owns which address space; its registers
 *	      qdev->mmu_lock	the one invalidation at a time
 *	      core->admin_lock	the one admin request at a time
 *		qdev->hwq_lock	spinlock, irqs: from hardware queue to struct quill_queue
 *		  queue->lock	spinlock, irqs: ring, running jobs, counters
 *		    fence->lock
 *		    qdev->totals.lock	spinlock, irqs: counters of all queues
 *
 * uq->map_lock (quill_uqueue.h) nests in mmap_lock and takes queue->lock alone.
 * queue->submit_lock is taken with none of these held and takes none but queue->lock.
 * bo->gpuva_lock nests in vm->lock and takes none. vm->binds.mutex is taken with none held, and
 * takes vm->binds.lock and the locks of syncobjs. qdev->bo_lock nests in the DRM device's
 * object_name_lock, and takes the dma_resv lock of an object. vram.lock takes none.
 * A fault of device memory takes hw_lock, for reading, inside the process's mmap_lock.
 *
 * quill_pm_get() may wake the device, which takes hw_lock for writing: it is called outside of it.
 *
 * A bind, and so the fence of one, waits for vm->lock, bo->gpuva_lock, hw_lock, as_lock and
 * mmu_lock: no memory is allocated under these, and no dma_resv lock taken (quill_bind.c).
 *
 * Work that recovers runs on the ordered reset_wq: no two recoveries at a time. It takes no
 * vm->lock, no slot_lock and no submit_lock, so their holders may wait for it, if they do not
 * hold hw_lock.
 */
#ifndef QUILL_DEVICE_H
#define QUILL_DEVICE_H

#include <linux/completion.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/seq_buf.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>

#include <quill/fw_abi.h>
#include <quill/regs.h>

#include "quill_vram.h"

#ifdef __BIG_ENDIAN
#error "quill: structures shared with the device are little endian; this host is not"
#endif

#define QUILL_ADMIN_ENTRIES	16
#define QUILL_LOG_SIZE		16384
#define QUILL_HEARTBEAT_US	250000

struct quill_device;
struct quill_mmu;
struct quill_queue;
struct quill_vm;

/**
 * struct quill_core_mem - what one core's firmware and the driver share, in coherent memory
 */
struct quill_core_mem {
	struct quill_fw_boot boot;
	struct quill_admin_msg ring[QUILL_ADMIN_ENTRIES];
	struct quill_admin_cpl cpl[QUILL_ADMIN_ENTRIES];
	u8 log[QUILL_LOG_SIZE];
};

/**
 * struct quill_core - one control processor
 */
struct quill_core {
	struct quill_device *qdev;
	unsigned int id;
	struct quill_core_mem *mem;
	dma_addr_t mem_dma;
	/** @admin_lock: one request at a time. */
	struct mutex admin_lock;
	wait_queue_head_t admin_wait;
	/** @admin_seq: of the last request since the firmware's start. */
	u32 admin_seq;
	/** @up: the firmware answers. Written under hw_lock, or when it has stopped answering. */
	bool up;
	/**
	 * @watched: had work at the last health check; @heartbeat: seen then; @heartbeat_at:
	 * when it changed.
	 */
	bool watched;
	u32 heartbeat;
	unsigned long heartbeat_at;
};

/**
 * struct quill_as - a hardware address space, as it is to be after every reset
 */
struct quill_as {
	struct quill_vm *vm;
	struct quill_mmu *mmu;
	u64 root;
};

/**
 * struct quill_vector - what an interrupt handler is given
 */
struct quill_vector {
	struct quill_device *qdev;
	unsigned int number;
};

/* Steps of the reset ladder that are counted; the last are those that others take. */
enum quill_rung {
	QUILL_RUNG_JOB,
	QUILL_RUNG_CORE,
	QUILL_RUNG_DEVICE,
	QUILL_RUNG_FUNCTION,
	QUILL_RUNG_COUNT,
};

/**
 * struct quill_device - one device
 */
struct quill_device {
	struct drm_device drm;
	void __iomem *regs;
	void __iomem *doorbells;
	u32 hw_version;
	u32 fw_version;
	u32 clock_khz;
	u32 sram_size;
	u64 mem_size;
	unsigned int nr_cores;
	unsigned int nr_queues;
	unsigned int nr_as;
	unsigned int nr_vectors;

	/** @fw: the image, for every start of a core. */
	void *fw;
	dma_addr_t fw_dma;
	u32 fw_size;

	struct quill_core core[QUILL_MAX_CORES];
	struct quill_vector vector[QUILL_MAX_VECTORS];

	struct rw_semaphore hw_lock;
	/** @bounces: the system bounces DMA: see quill_device_memory(). */
	bool bounces;
	/** @dead: given up; written under hw_lock, read anywhere. */
	bool dead;
	/** @asleep: the cores are off, and waking up announces everything anew; under hw_lock. */
	bool asleep;
	/** @stopped: unplugged, and the hardware does nothing any more. */
	struct completion stopped;
	/** @own_reset: the driver resets the function itself: reset_prepare has nothing to do. */
	bool own_reset;

	/** @as_lock: @as, and the registers of the address spaces. */
	struct mutex as_lock;
	struct quill_as as[QUILL_MAX_AS];
	/** @mmu_lock: one invalidation at a time. */
	struct mutex mmu_lock;

	/** @slot_lock: who owns which entry of @hwq; the rings of those queues. */
	struct mutex slot_lock;
	/** @hwq_lock: @hwq, for those who only look, also in interrupts. */
	spinlock_t hwq_lock;
	struct quill_queue *hwq[QUILL_MAX_QUEUES];

	/** @bo_lock: @bos, all buffer objects. */
	struct mutex bo_lock;
	struct list_head bos;
	struct quill_vram vram;

	struct workqueue_struct *submit_wq;
	struct workqueue_struct *reset_wq;
	struct work_struct reset_work;
	struct delayed_work health_work;
	/** @reset_pending: what reset_work is to do: a bit a core, and QUILL_RESET_ALL. */
	unsigned long reset_pending;
	/** @recoveries: that have ended, however; under hw_lock. */
	unsigned long recoveries;
	/** @resets: steps of the ladder that were taken; @reset_count: all of them. */
	atomic_t resets[QUILL_RUNG_COUNT];
	atomic_t reset_count;
	/** @banned: queues that were. */
	atomic_t banned;

	/** @dump: the coredump under way: reset_wq's, but for @queue and @count. */
	struct {
		struct seq_buf text;
		struct work_struct work;
		/** @queue: whose @job has faulted, for @work; NULL: @work has none. */
		struct quill_queue *queue;
		u64 job;
		/** @count: dumps handed over. */
		atomic_t count;
	} dump;

	/** @totals: of all queues since the driver was bound, those that are gone included. */
	struct {
		/** @totals.lock: of the rest; innermost. */
		spinlock_t lock;
		u64 jobs;
		u64 faults;
		u64 counters[QUILL_COUNTER_COUNT];
	} totals;
};

#define to_quill(d) container_of(d, struct quill_device, drm)

static inline u32 quill_read(struct quill_device *qdev, u32 reg)
{
	return readl(qdev->regs + reg);
}

static inline void quill_write(struct quill_device *qdev, u32 reg, u32 value)
{
	writel(value, qdev->regs + reg);
}

static inline u32 quill_core_read(struct quill_core *core, u32 reg)
{
	return quill_read(core->qdev, QUILL_REG_CORE(core->id) + reg);
}

static inline void quill_core_write(struct quill_core *core, u32 reg, u32 value)
{
	quill_write(core->qdev, QUILL_REG_CORE(core->id) + reg, value);
}

/* The ring's new tail. Everything written to it before is visible to the device first. */
static inline void quill_doorbell(struct quill_device *qdev, unsigned int hwq, u32 tail)
{
	dma_wmb();
	writel(tail, qdev->doorbells + QUILL_DOORBELL(hwq));
}

static inline struct quill_core *quill_queue_core(struct quill_device *qdev, unsigned int hwq)
{
	return &qdev->core[hwq % qdev->nr_cores];
}

/* Whether there is hardware to be told of anything. */
static inline bool quill_device_up(struct quill_device *qdev)
{
	lockdep_assert_held(&qdev->hw_lock);
	return !qdev->dead && !qdev->asleep;
}

int quill_device_init(struct quill_device *qdev);
void quill_device_fini(struct quill_device *qdev);
int quill_device_reset_hw(struct quill_device *qdev);

#endif /* QUILL_DEVICE_H */
