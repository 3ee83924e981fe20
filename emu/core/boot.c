// SPDX-License-Identifier: MIT
/*
 * The boot ROM: fetches the firmware image, holds it against its header, and puts it in local memory.
 *
 * The image is copied once and only the copy is looked at, since the host's memory may change meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define HEADER_CRC_SIZE	offsetof(struct quill_fw_header, header_crc)

/* CRC-32 of IEEE 802.3, bit by bit: an image is 64 KiB at most and a boot is rare. */
uint32_t boot_crc32(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t crc = ~0u;
	unsigned int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static uint32_t refuse(struct core *core, uint32_t error, const char *what, uint64_t found,
		       uint64_t required)
{
	core_trace(core->emu, "core %u: boot: %s: found 0x%llx, required 0x%llx", core->id, what,
		   (unsigned long long)found, (unsigned long long)required);
	return error;
}

static uint32_t check_header(struct core *core, const struct quill_fw_header *h, uint32_t size)
{
	uint32_t crc = boot_crc32(h, HEADER_CRC_SIZE);

	if (h->magic != QUILL_FW_MAGIC)
		return refuse(core, QUILL_BOOT_MAGIC, "magic", h->magic, QUILL_FW_MAGIC);
	if (h->header_crc != crc)
		return refuse(core, QUILL_BOOT_HEADER_CRC, "header CRC", h->header_crc, crc);
	if (h->header_version != QUILL_FW_HEADER_VERSION)
		return refuse(core, QUILL_BOOT_ABI, "header version", h->header_version,
			      QUILL_FW_HEADER_VERSION);
	if (h->hw_major != QUILL_HW_MAJOR)
		return refuse(core, QUILL_BOOT_ABI, "hardware major", h->hw_major,
			      QUILL_HW_MAJOR);
	if (h->hw_minor > QUILL_HW_MINOR)
		return refuse(core, QUILL_BOOT_ABI, "hardware minor, at most", h->hw_minor,
			      QUILL_HW_MINOR);
	if (h->header_size != sizeof(*h))
		return refuse(core, QUILL_BOOT_SIZE, "header size", h->header_size, sizeof(*h));
	if (h->payload_size != size - sizeof(*h))
		return refuse(core, QUILL_BOOT_SIZE, "payload size", h->payload_size,
			      size - sizeof(*h));
	return QUILL_BOOT_OK;
}

static uint32_t check_layout(struct core *core, const struct quill_fw_header *h)
{
	uint64_t end = (uint64_t)QUILL_RV_TCM_BASE + QUILL_RV_TCM_SIZE;
	uint64_t need = (uint64_t)h->load_addr + h->payload_size + h->bss_size;

	if (h->load_addr < QUILL_RV_TCM_BASE || h->load_addr % 4)
		return refuse(core, QUILL_BOOT_LAYOUT, "load address, 4-byte aligned, at least",
			      h->load_addr, QUILL_RV_TCM_BASE);
	if (need > end)
		return refuse(core, QUILL_BOOT_LAYOUT, "end of payload and bss, at most", need,
			      end);
	if (h->entry < h->load_addr || h->entry % 2)
		return refuse(core, QUILL_BOOT_LAYOUT, "entry, 2-byte aligned, at least", h->entry,
			      h->load_addr);
	if ((uint64_t)h->entry + 2 > (uint64_t)h->load_addr + h->payload_size)
		return refuse(core, QUILL_BOOT_LAYOUT, "entry, before", h->entry,
			      (uint64_t)h->load_addr + h->payload_size);
	return QUILL_BOOT_OK;
}

static uint32_t load(struct core *core, const uint8_t *image, uint32_t size, uint32_t *entry)
{
	const uint8_t *payload = image + sizeof(struct quill_fw_header);
	struct quill_fw_header h;
	uint32_t error, crc;

	memcpy(&h, image, sizeof(h));
	error = check_header(core, &h, size);
	if (error)
		return error;
	crc = boot_crc32(payload, h.payload_size);
	if (h.payload_crc != crc)
		return refuse(core, QUILL_BOOT_IMAGE_CRC, "payload CRC", h.payload_crc, crc);
	error = check_layout(core, &h);
	if (error)
		return error;

	memset(core->tcm, 0, QUILL_RV_TCM_SIZE);
	memcpy(core->tcm + (h.load_addr - QUILL_RV_TCM_BASE), payload, h.payload_size);
	rv32_tcm_written(core->cpu, QUILL_RV_TCM_BASE, QUILL_RV_TCM_SIZE);
	*entry = h.entry;
	return QUILL_BOOT_OK;
}

/* Return: enum quill_boot_error; with QUILL_BOOT_OK, *@entry is where to begin. */
uint32_t boot_rom(struct core *core, uint32_t *entry)
{
	uint64_t addr, args_addr;
	struct quill_fw_boot args;
	uint32_t size, error;
	uint8_t *image;

	pthread_mutex_lock(&core->lock);
	addr = core->fw_addr;
	size = core->fw_size;
	args_addr = core->boot_args;
	pthread_mutex_unlock(&core->lock);

	if (size < sizeof(struct quill_fw_header))
		return refuse(core, QUILL_BOOT_SIZE, "image size, at least", size,
			      sizeof(struct quill_fw_header));
	if (size > QUILL_RV_TCM_SIZE)
		return refuse(core, QUILL_BOOT_SIZE, "image size, at most", size,
			      QUILL_RV_TCM_SIZE);

	image = malloc(size);
	if (!image)
		return refuse(core, QUILL_BOOT_DMA, "host memory for the image", 0, size);
	dma_begin(core->ctx);
	if (!dma_bus_read(core->emu, addr, image, size))
		error = refuse(core, QUILL_BOOT_DMA, "image not readable, at", addr, size);
	else if (!dma_bus_read(core->emu, args_addr, &args, sizeof(args)))
		error = refuse(core, QUILL_BOOT_DMA, "boot arguments not readable, at", args_addr,
			       sizeof(args));
	else
		error = load(core, image, size, entry);
	dma_end(core->ctx);
	free(image);
	return error;
}
