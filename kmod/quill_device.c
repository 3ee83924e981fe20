// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: bringing the device up and taking it down.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/pci.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "quill_bind.h"
#include "quill_coredump.h"
#include "quill_device.h"
#include "quill_fail.h"
#include "quill_fw.h"
#include "quill_gem.h"
#include "quill_irq.h"
#include "quill_mmu.h"
#include "quill_queue.h"
#include "quill_reset.h"

#define QUILL_RESET_TIMEOUT_US	5000000

static int quill_device_map(struct quill_device *qdev)
{
	struct pci_dev *pdev = to_pci_dev(qdev->drm.dev);
	static const struct {
		int bar;
		resource_size_t size;
	} need[] = {
		{ QUILL_BAR_REGS, QUILL_BAR_REGS_SIZE },
		{ QUILL_BAR_DOORBELL, QUILL_BAR_DOORBELL_SIZE },
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(need); i++) {
		resource_size_t len = pci_resource_len(pdev, need[i].bar);

		if (len >= need[i].size)
			continue;
		drm_err(&qdev->drm, "BAR%d has %pa bytes, %pa required\n", need[i].bar, &len,
			&need[i].size);
		return -ENODEV;
	}

	ret = pcim_iomap_regions(pdev, BIT(QUILL_BAR_REGS) | BIT(QUILL_BAR_DOORBELL), "quill");
	if (ret) {
		drm_err(&qdev->drm, "BARs cannot be mapped: error %d\n", ret);
		return ret;
	}
	qdev->regs = pcim_iomap_table(pdev)[QUILL_BAR_REGS];
	qdev->doorbells = pcim_iomap_table(pdev)[QUILL_BAR_DOORBELL];
	return 0;
}

/* What the device says of itself is checked before anything is sized by it. */
static int quill_device_identify(struct quill_device *qdev)
{
	u32 id = quill_read(qdev, QUILL_REG_ID);
	u32 caps = quill_read(qdev, QUILL_REG_CAPS);

	if (id != QUILL_ID) {
		drm_err(&qdev->drm, "ID register reads 0x%08x, 0x%08x required\n", id, QUILL_ID);
		return -ENODEV;
	}
	qdev->hw_version = quill_read(qdev, QUILL_REG_VERSION);
	if (qdev->hw_version >> 16 != QUILL_HW_MAJOR) {
		drm_err(&qdev->drm, "hardware version %u.%u found, %u.x required\n",
			qdev->hw_version >> 16, qdev->hw_version & 0xffff, QUILL_HW_MAJOR);
		return -ENODEV;
	}

	qdev->nr_cores = caps & QUILL_CAPS_CORES_MASK;
	qdev->nr_queues = (caps & QUILL_CAPS_QUEUES_MASK) >> QUILL_CAPS_QUEUES_SHIFT;
	qdev->nr_as = (caps & QUILL_CAPS_AS_MASK) >> QUILL_CAPS_AS_SHIFT;
	if (!qdev->nr_cores || qdev->nr_cores > QUILL_MAX_CORES ||
	    qdev->nr_queues < qdev->nr_cores || qdev->nr_queues > QUILL_MAX_QUEUES ||
	    qdev->nr_as < 2 || qdev->nr_as > QUILL_MAX_AS) {
		drm_err(&qdev->drm, "%u cores, %u queues, %u address spaces found; "
			"1..%u, cores..%u, 2..%u required\n", qdev->nr_cores, qdev->nr_queues,
			qdev->nr_as, QUILL_MAX_CORES, QUILL_MAX_QUEUES, QUILL_MAX_AS);
		return -ENODEV;
	}

	qdev->clock_khz = quill_read(qdev, QUILL_REG_CLOCK_KHZ);
	qdev->sram_size = quill_read(qdev, QUILL_REG_SRAM_SIZE);
	qdev->mem_size = quill_read(qdev, QUILL_REG_MEM_SIZE_LO) |
			 (u64)quill_read(qdev, QUILL_REG_MEM_SIZE_HI) << 32;
	return 0;
}

/*
 * Processes and the device share an object's pages while jobs run. Where the system has every
 * mapping bounced (swiotlb=force), each would see its own copy: objects are in device memory then.
 */
static int quill_device_find_bounce(struct quill_device *qdev)
{
	struct device *dev = qdev->drm.dev;
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	dma_addr_t addr;

	if (!page)
		return -ENOMEM;
	addr = dma_map_page(dev, page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, addr)) {
		__free_page(page);
		return -ENOMEM;
	}
	qdev->bounces = dma_need_sync(dev, addr);
	dma_unmap_page(dev, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	__free_page(page);
	return 0;
}

static int quill_device_memory(struct quill_device *qdev)
{
	int ret = quill_vram_init(qdev);

	if (ret || !qdev->bounces)
		return ret;
	if (!quill_vram_size(qdev)) {
		drm_err(&qdev->drm, "DMA is bounced (swiotlb=force?), and there is no device memory: memory that both see is required\n");
		return -EOPNOTSUPP;
	}
	drm_info(&qdev->drm, "DMA is bounced: all objects are in device memory\n");
	return 0;
}

static int quill_device_dma(struct quill_device *qdev)
{
	static const int bits[] = { 64, 48, 32 };
	struct device *dev = qdev->drm.dev;
	int i, ret = -EIO;

	for (i = 0; i < ARRAY_SIZE(bits) && ret; i++)
		ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits[i]));
	if (ret) {
		drm_err(&qdev->drm, "no DMA mask of 64, 48 or 32 bits is possible: error %d\n",
			ret);
		return ret;
	}
	dma_set_max_seg_size(dev, UINT_MAX);
	return quill_device_find_bounce(qdev);
}

static void quill_device_wq_free(struct drm_device *drm, void *wq)
{
	destroy_workqueue(wq);
}

static int quill_device_software(struct quill_device *qdev)
{
	struct drm_device *drm = &qdev->drm;
	int ret;

	init_rwsem(&qdev->hw_lock);
	init_completion(&qdev->stopped);
	spin_lock_init(&qdev->hwq_lock);
	spin_lock_init(&qdev->totals.lock);
	INIT_LIST_HEAD(&qdev->bos);
	ret = drmm_mutex_init(drm, &qdev->as_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &qdev->mmu_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &qdev->slot_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &qdev->bo_lock);
	if (ret)
		return ret;

	/* Bound to the submitter's processor: waking another costs more than what it runs. */
	qdev->submit_wq = alloc_workqueue("quill-submit", WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!qdev->submit_wq)
		return -ENOMEM;
	ret = drmm_add_action_or_reset(drm, quill_device_wq_free, qdev->submit_wq);
	if (ret)
		return ret;

	qdev->reset_wq = alloc_ordered_workqueue("quill-reset", WQ_MEM_RECLAIM);
	if (!qdev->reset_wq)
		return -ENOMEM;
	ret = drmm_add_action_or_reset(drm, quill_device_wq_free, qdev->reset_wq);
	if (ret)
		return ret;

	quill_reset_init(qdev);
	return quill_coredump_init(qdev);
}

/*
 * quill_device_reset_hw() - put the whole device into its state after power-on
 *
 * Return: 0, or -ETIMEDOUT.
 */
int quill_device_reset_hw(struct quill_device *qdev)
{
	u32 control, status;
	int ret;

	quill_write(qdev, QUILL_REG_CONTROL, QUILL_CONTROL_RESET);
	ret = read_poll_timeout(quill_read, control, !(control & QUILL_CONTROL_RESET), 50,
				QUILL_RESET_TIMEOUT_US, false, qdev, QUILL_REG_CONTROL);
	if (!ret)
		ret = read_poll_timeout(quill_read, status, !(status & QUILL_STATUS_RESETTING), 50,
					QUILL_RESET_TIMEOUT_US, false, qdev, QUILL_REG_STATUS);
	if (ret)
		drm_err_ratelimited(&qdev->drm, "reset has not ended after %d ms\n",
				    QUILL_RESET_TIMEOUT_US / 1000);
	return ret;
}

static int quill_device_step(struct quill_device *qdev, int (*step)(struct quill_device *qdev))
{
	return quill_fail(QUILL_FAIL_PROBE) ? -EIO : step(qdev);
}

/*
 * quill_device_init() - from a bare PCI function to cores that serve their rings
 *
 * Everything that is acquired is managed, but for the running cores: on an error they are stopped.
 */
int quill_device_init(struct quill_device *qdev)
{
	struct pci_dev *pdev = to_pci_dev(qdev->drm.dev);
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = quill_device_step(qdev, quill_device_map);
	if (ret)
		return ret;
	ret = quill_device_step(qdev, quill_device_identify);
	if (ret)
		return ret;
	ret = quill_device_step(qdev, quill_device_dma);
	if (ret)
		return ret;
	ret = quill_device_step(qdev, quill_device_software);
	if (ret)
		return ret;
	ret = quill_device_step(qdev, quill_device_memory);
	if (ret)
		return ret;
	/* Whoever drove it before may have left it at work: only then let it reach memory. */
	ret = quill_device_step(qdev, quill_device_reset_hw);
	if (ret)
		return ret;
	pci_set_master(pdev);
	ret = quill_device_step(qdev, quill_fw_init);
	if (ret)
		goto err_master;
	ret = quill_device_step(qdev, quill_irq_init);
	if (ret)
		goto err_master;
	ret = quill_device_step(qdev, quill_fw_boot_all);
	if (ret)
		goto err_stop;

	drm_info(&qdev->drm, "%u cores, %u queues, firmware %u.%u\n", qdev->nr_cores,
		 qdev->nr_queues, qdev->fw_version >> 16, qdev->fw_version & 0xffff);
	return 0;

err_stop:
	quill_fw_stop_all(qdev);
err_master:
	pci_clear_master(pdev);
	return ret;
}

/*
 * quill_device_fini() - the end of all hardware access
 *
 * The DRM device is unplugged: nobody enters any more. Objects that files, fences or other
 * drivers still hold live on without hardware; what they have mapped for DMA is unmapped here,
 * while the device is bound.
 */
void quill_device_fini(struct quill_device *qdev)
{
	quill_reset_fini(qdev);

	down_write(&qdev->hw_lock);
	WRITE_ONCE(qdev->dead, true);
	quill_fw_stop_all(qdev);
	quill_device_reset_hw(qdev);
	pci_clear_master(to_pci_dev(qdev->drm.dev));
	up_write(&qdev->hw_lock);
	complete_all(&qdev->stopped);

	quill_bind_unplug_all(qdev);
	quill_queue_unplug_all(qdev);
	quill_mmu_unplug_all(qdev);
	quill_gem_unplug_all(qdev);
	/* What has ended meanwhile may have asked for a dump. */
	quill_coredump_fini(qdev);
}
