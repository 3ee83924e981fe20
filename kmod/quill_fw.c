// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: the firmware: its image, its start, and what it is asked.
 *
 * DOC: Firmware
 *
 * One image for all cores, read at probe and kept, so that a recovery needs no file system. It
 * is input like any other: everything that the driver or the boot ROM relies on is checked
 * here, with one message for each thing that can be wrong, for the boot ROM can only report a
 * number. (It checks again: between our check and its reading lies memory.)
 *
 * A core is started with the bus addresses of the image and of struct quill_core_mem, and is up
 * when it says READY. Requests go through its admin ring one at a time. One that is not
 * answered in time disconnects the core: nothing more is asked of it until a recovery has
 * restarted it.
 */
#include <linux/crc32.h>
#include <linux/dma-mapping.h>
#include <linux/firmware.h>
#include <linux/iopoll.h>

#include <drm/drm_print.h>

#include "quill_device.h"
#include "quill_fail.h"
#include "quill_fw.h"

/* Emulated processors of a busy host take their time. */
#define QUILL_BOOT_TIMEOUT_US	10000000
#define QUILL_STOP_TIMEOUT_US	5000000
#define QUILL_ADMIN_TIMEOUT	(5 * HZ)
#define QUILL_POLL_US		50

/* The one version that this driver speaks, and what it asks of a firmware beyond it. */
#define QUILL_FW_ABI_WANTED	QUILL_FW_ABI(QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR)
#define QUILL_FW_FEATURES_WANTED	(QUILL_FW_FEATURE_PREEMPT | QUILL_FW_FEATURE_QUERY | \
					 QUILL_FW_FEATURE_USER)

#define fw_bad(qdev, fmt, ...) ({ \
	drm_err(&(qdev)->drm, "firmware " QUILL_FW_NAME ": " fmt "\n", ##__VA_ARGS__); \
	-EINVAL; \
})

static const char *quill_boot_error_text(u32 error)
{
	switch (error) {
	case QUILL_BOOT_OK:
		return "no error given";
	case QUILL_BOOT_DMA:
		return "image or boot arguments not readable";
	case QUILL_BOOT_SIZE:
		return "image smaller than its header or larger than local memory";
	case QUILL_BOOT_MAGIC:
		return "not a firmware image";
	case QUILL_BOOT_HEADER_CRC:
		return "header corrupt";
	case QUILL_BOOT_IMAGE_CRC:
		return "payload corrupt";
	case QUILL_BOOT_ABI:
		return "image made for other hardware";
	case QUILL_BOOT_LAYOUT:
		return "load, entry or bss outside local memory";
	case QUILL_BOOT_ARGS:
		return "boot arguments malformed";
	case QUILL_BOOT_ARGS_VERSION:
		return "driver's ABI out of the firmware's range";
	default:
		return "unknown error";
	}
}

static const char *quill_core_status_text(u32 status)
{
	switch (status) {
	case QUILL_CORE_OFF:
		return "off";
	case QUILL_CORE_BOOTING:
		return "booting";
	case QUILL_CORE_BOOT_FAILED:
		return "boot failed";
	case QUILL_CORE_READY:
		return "ready";
	case QUILL_CORE_PANIC:
		return "panic";
	default:
		return "unknown";
	}
}

static u32 quill_crc(const void *data, size_t size)
{
	return ~crc32_le(~0u, data, size);
}

static int quill_fw_check_header(struct quill_device *qdev, const struct quill_fw_header *h,
				 size_t size)
{
	u32 crc;

	if (size < sizeof(*h))
		return fw_bad(qdev, "truncated: %zu bytes found, at least %zu required", size,
			      sizeof(*h));
	if (size > QUILL_FW_MAX_SIZE)
		return fw_bad(qdev, "too large: %zu bytes found, at most %u possible", size,
			      QUILL_FW_MAX_SIZE);
	if (h->magic != QUILL_FW_MAGIC)
		return fw_bad(qdev, "not an image: magic 0x%08x found, 0x%08x required", h->magic,
			      QUILL_FW_MAGIC);
	if (h->header_version != QUILL_FW_HEADER_VERSION || h->header_size != sizeof(*h))
		return fw_bad(qdev, "header version %u, %u bytes found, version %u, %zu required",
			      h->header_version, h->header_size, QUILL_FW_HEADER_VERSION,
			      sizeof(*h));
	crc = quill_crc(h, offsetof(struct quill_fw_header, header_crc));
	if (crc != h->header_crc)
		return fw_bad(qdev, "header corrupt: CRC 0x%08x found, 0x%08x required", crc,
			      h->header_crc);
	return 0;
}

static int quill_fw_check_payload(struct quill_device *qdev, const struct quill_fw_header *h,
				  size_t size)
{
	size_t found = size - sizeof(*h);
	u32 crc;

	if (found < h->payload_size)
		return fw_bad(qdev, "truncated: payload of %zu bytes found, %u required", found,
			      h->payload_size);
	if (found > h->payload_size)
		return fw_bad(qdev, "%zu bytes found behind the header, %u required", found,
			      h->payload_size);
	crc = quill_crc(h + 1, found);
	if (crc != h->payload_crc)
		return fw_bad(qdev, "payload corrupt: CRC 0x%08x found, 0x%08x required", crc,
			      h->payload_crc);
	return 0;
}

static int quill_fw_check_versions(struct quill_device *qdev, const struct quill_fw_header *h)
{
	u32 hw_minor = qdev->hw_version & 0xffff;

	if (h->hw_major != QUILL_HW_MAJOR || h->hw_minor > hw_minor)
		return fw_bad(qdev, "made for hardware %u.%u, which is not this %u.%u",
			      h->hw_major, h->hw_minor, qdev->hw_version >> 16, hw_minor);
	if (h->abi_major < QUILL_FW_ABI_MAJOR ||
	    (h->abi_major == QUILL_FW_ABI_MAJOR && h->abi_minor < QUILL_FW_ABI_MINOR))
		return fw_bad(qdev, "too old: ABI %u.%u found, %u.%u or a later %u.x required",
			      h->abi_major, h->abi_minor, QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR,
			      QUILL_FW_ABI_MAJOR);
	if (h->abi_major > QUILL_FW_ABI_MAJOR)
		return fw_bad(qdev, "too new: ABI %u.%u found, %u.%u or a later %u.x required",
			      h->abi_major, h->abi_minor, QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR,
			      QUILL_FW_ABI_MAJOR);
	return 0;
}

static int quill_fw_check_layout(struct quill_device *qdev, const struct quill_fw_header *h)
{
	u64 end = (u64)h->load_addr + h->payload_size + h->bss_size;
	u64 limit = (u64)QUILL_RV_TCM_BASE + QUILL_RV_TCM_SIZE;

	if (h->load_addr < QUILL_RV_TCM_BASE || h->load_addr % 4 || end > limit)
		return fw_bad(qdev, "occupies 0x%x..0x%llx, local memory is 0x%x..0x%llx",
			      h->load_addr, end, QUILL_RV_TCM_BASE, limit);
	if (h->entry < h->load_addr || h->entry - h->load_addr >= h->payload_size)
		return fw_bad(qdev, "entry 0x%x is outside its payload at 0x%x, %u bytes",
			      h->entry, h->load_addr, h->payload_size);
	return 0;
}

static int quill_fw_check(struct quill_device *qdev, const void *data, size_t size)
{
	const struct quill_fw_header *h = data;
	int ret;

	ret = quill_fw_check_header(qdev, h, size);
	if (!ret)
		ret = quill_fw_check_payload(qdev, h, size);
	if (!ret)
		ret = quill_fw_check_versions(qdev, h);
	if (!ret)
		ret = quill_fw_check_layout(qdev, h);
	return ret;
}

static int quill_fw_load(struct quill_device *qdev)
{
	struct device *dev = qdev->drm.dev;
	const struct firmware *fw;
	int ret;

	ret = firmware_request_nowarn(&fw, QUILL_FW_NAME, dev);
	if (ret) {
		drm_err(&qdev->drm, "firmware %s: not found (error %d), required in /lib/firmware\n",
			QUILL_FW_NAME, ret);
		return ret;
	}
	ret = quill_fw_check(qdev, fw->data, fw->size);
	if (ret)
		goto out;
	ret = -ENOMEM;
	qdev->fw = dmam_alloc_coherent(dev, fw->size, &qdev->fw_dma, GFP_KERNEL);
	if (!qdev->fw)
		goto out;
	memcpy(qdev->fw, fw->data, fw->size);
	qdev->fw_size = fw->size;
	qdev->fw_version = ((const struct quill_fw_header *)fw->data)->version;
	ret = 0;
out:
	release_firmware(fw);
	return ret;
}

/*
 * quill_fw_init() - read and check the image, get memory for every core
 */
int quill_fw_init(struct quill_device *qdev)
{
	unsigned int i;

	for (i = 0; i < qdev->nr_cores; i++) {
		struct quill_core *core = &qdev->core[i];

		core->qdev = qdev;
		core->id = i;
		init_waitqueue_head(&core->admin_wait);
		mutex_init(&core->admin_lock);
		core->mem = dmam_alloc_coherent(qdev->drm.dev, sizeof(*core->mem), &core->mem_dma,
						GFP_KERNEL);
		if (!core->mem)
			return -ENOMEM;
	}
	return quill_fw_load(qdev);
}

static void quill_fw_fill_boot(struct quill_core *core)
{
	struct quill_core_mem *mem = core->mem;

	memset(mem, 0, sizeof(*mem));
	core->admin_seq = 0;
	mem->boot = (struct quill_fw_boot) {
		.magic = QUILL_FW_BOOT_MAGIC,
		.abi_min = QUILL_FW_ABI_WANTED,
		.abi_max = QUILL_FW_ABI_WANTED,
		.admin_ring = core->mem_dma + offsetof(struct quill_core_mem, ring),
		.admin_cpl = core->mem_dma + offsetof(struct quill_core_mem, cpl),
		.admin_entries = QUILL_ADMIN_ENTRIES,
		.heartbeat_us = QUILL_HEARTBEAT_US,
		.log = core->mem_dma + offsetof(struct quill_core_mem, log),
		.log_size = QUILL_LOG_SIZE,
	};
	dma_wmb();
}

/* What the firmware says that it agreed to and can. */
static int quill_fw_check_running(struct quill_core *core)
{
	u32 abi = quill_core_read(core, QUILL_CORE_FW_ABI);
	u32 features = quill_core_read(core, QUILL_CORE_FW_FEATURES);

	if (abi == QUILL_FW_ABI_WANTED &&
	    (features & QUILL_FW_FEATURES_WANTED) == QUILL_FW_FEATURES_WANTED)
		return 0;
	drm_err(&core->qdev->drm, "core %u: ABI 0x%x, features 0x%x found, 0x%x and at least 0x%x required\n",
		core->id, abi, features, QUILL_FW_ABI_WANTED, QUILL_FW_FEATURES_WANTED);
	return -EIO;
}

/*
 * quill_fw_boot() - start a core that is off, and wait for it
 */
int quill_fw_boot(struct quill_core *core)
{
	struct quill_device *qdev = core->qdev;
	u32 status, error;
	int ret;

	quill_fw_fill_boot(core);
	quill_core_write(core, QUILL_CORE_FW_ADDR_LO, lower_32_bits(qdev->fw_dma));
	quill_core_write(core, QUILL_CORE_FW_ADDR_HI, upper_32_bits(qdev->fw_dma));
	quill_core_write(core, QUILL_CORE_FW_SIZE, qdev->fw_size);
	quill_core_write(core, QUILL_CORE_BOOT_ARGS_LO, lower_32_bits(core->mem_dma));
	quill_core_write(core, QUILL_CORE_BOOT_ARGS_HI, upper_32_bits(core->mem_dma));
	quill_core_write(core, QUILL_CORE_CTRL, QUILL_CORE_CTRL_START);

	ret = read_poll_timeout(quill_core_read, status,
				status != QUILL_CORE_OFF && status != QUILL_CORE_BOOTING,
				QUILL_POLL_US, QUILL_BOOT_TIMEOUT_US, false, core,
				QUILL_CORE_STATUS);
	if (!ret && status == QUILL_CORE_READY) {
		ret = quill_fw_check_running(core);
		if (ret)
			return ret;
		core->watched = false;
		WRITE_ONCE(core->up, true);
		return 0;
	}

	error = quill_core_read(core, QUILL_CORE_ERROR);
	drm_err(&qdev->drm, "core %u: status %u (%s) found, %u (ready) required; error %u (%s), pc 0x%08x\n",
		core->id, status, quill_core_status_text(status), QUILL_CORE_READY, error,
		quill_boot_error_text(error), quill_core_read(core, QUILL_CORE_PC));
	return ret ? ret : -EIO;
}

int quill_fw_boot_all(struct quill_device *qdev)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < qdev->nr_cores && !ret; i++)
		ret = quill_fw_boot(&qdev->core[i]);
	return ret;
}

/*
 * quill_fw_disconnect() - ask nothing more of a core, and let who waits for an answer go
 */
void quill_fw_disconnect(struct quill_core *core)
{
	WRITE_ONCE(core->up, false);
	wake_up_all(&core->admin_wait);
}

/*
 * quill_fw_stop() - stop a core and its engines
 *
 * Return: 0 when it does nothing any more, or -ETIMEDOUT.
 */
int quill_fw_stop(struct quill_core *core)
{
	u32 status;
	int ret;

	quill_fw_disconnect(core);
	quill_core_write(core, QUILL_CORE_CTRL, QUILL_CORE_CTRL_STOP);
	ret = read_poll_timeout(quill_core_read, status, status == QUILL_CORE_OFF, QUILL_POLL_US,
				QUILL_STOP_TIMEOUT_US, false, core, QUILL_CORE_STATUS);
	if (ret)
		drm_err_ratelimited(&core->qdev->drm, "core %u: status %u (%s) found %d ms after STOP, %u (off) required\n",
				    core->id, status, quill_core_status_text(status),
				    QUILL_STOP_TIMEOUT_US / 1000, QUILL_CORE_OFF);
	return ret;
}

void quill_fw_stop_all(struct quill_device *qdev)
{
	unsigned int i;

	for (i = 0; i < qdev->nr_cores; i++)
		quill_fw_stop(&qdev->core[i]);
}

static int quill_fw_answer(struct quill_core *core, const struct quill_admin_msg *msg,
			   const struct quill_admin_cpl *cpl)
{
	if (cpl->status == QUILL_ADMIN_OK)
		return 0;
	drm_err_ratelimited(&core->qdev->drm, "core %u: admin request %u for queue %u: status %u found, %u required (detail %u)\n",
			    core->id, msg->op, msg->queue, cpl->status, QUILL_ADMIN_OK,
			    cpl->detail);
	return cpl->status == QUILL_ADMIN_BUSY ? -EBUSY : -EIO;
}

static int quill_fw_ask(struct quill_core *core, struct quill_admin_msg *msg,
			struct quill_admin_cpl *answer)
{
	struct quill_admin_cpl *cpl;
	unsigned int slot;
	int ret = -EIO;

	lockdep_assert_held(&core->qdev->hw_lock);
	mutex_lock(&core->admin_lock);
	if (!READ_ONCE(core->up))
		goto out;
	if (quill_fail(QUILL_FAIL_ADMIN)) {
		quill_fw_disconnect(core);
		ret = -ETIMEDOUT;
		goto out;
	}
	slot = core->admin_seq % QUILL_ADMIN_ENTRIES;
	msg->seq = ++core->admin_seq;
	core->mem->ring[slot] = *msg;
	dma_wmb();
	quill_core_write(core, QUILL_CORE_ADMIN_DB, core->admin_seq);

	cpl = &core->mem->cpl[slot];
	wait_event_timeout(core->admin_wait,
			   READ_ONCE(cpl->seq) == msg->seq || !READ_ONCE(core->up),
			   QUILL_ADMIN_TIMEOUT);
	if (READ_ONCE(cpl->seq) == msg->seq) {
		dma_rmb();
		*answer = *cpl;
		ret = quill_fw_answer(core, msg, answer);
	} else if (READ_ONCE(core->up)) {
		drm_err_ratelimited(&core->qdev->drm, "core %u: no answer to admin request %u for queue %u after %u ms\n",
				    core->id, msg->op, msg->queue,
				    jiffies_to_msecs(QUILL_ADMIN_TIMEOUT));
		quill_fw_disconnect(core);
		ret = -ETIMEDOUT;
	}
out:
	mutex_unlock(&core->admin_lock);
	return ret;
}

/*
 * quill_fw_admin() - ask a core's firmware for something, and wait
 * @msg: the request; its seq is filled in
 *
 * With hw_lock held, either way.
 *
 * Return: 0; -EIO if the firmware refused or is not up; -EBUSY; -ETIMEDOUT.
 */
int quill_fw_admin(struct quill_core *core, struct quill_admin_msg *msg)
{
	struct quill_admin_cpl answer;

	return quill_fw_ask(core, msg, &answer);
}

/*
 * quill_fw_served_ms() - how long a hardware queue's job has been served
 * @pending: how many jobs of it wait or run; may be NULL
 *
 * With hw_lock held, either way.
 *
 * Return: its share of the core's time in ms, 0 if it has not begun; or as quill_fw_admin().
 */
int quill_fw_served_ms(struct quill_core *core, unsigned int hwq, u32 *pending)
{
	struct quill_admin_msg msg = {
		.op = QUILL_ADMIN_QUEUE_QUERY,
		.queue = hwq,
	};
	struct quill_admin_cpl answer;
	int ret = quill_fw_ask(core, &msg, &answer);

	if (ret)
		return ret;
	if (pending)
		*pending = answer.pending;
	return min_t(u32, answer.detail, INT_MAX);
}
