/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOC: DMA without the big lock
 *
 * The device's threads read and write guest memory while virtual processors run and while the main loop
 * holds the big lock, possibly to wait for these very threads (reset). So nothing here may take it.
 *
 * What makes a translation safe without it is RCU: the memory map that address_space_translate() walks
 * lives until the grace period after its replacement, and a reference on the region found keeps the memory itself
 * until the unmap. RCU knows only threads that registered. The library makes threads as
 * it likes, so a thread is registered at its first access, and a destructor of thread-specific data takes it
 * out when it ends.
 *
 * Only RAM is followed. A mapping of a register (some device's, or our own BAR0) would run that
 * device's code in our thread: the hole behind CVE-2021-3929. Memory that belongs to a PCI device, as
 * our own BAR4 does, is refused too, because it may go away with its device while a grace period is all that
 * protects it. QEMU's bounce buffer, which address_space_map() offers for the rest, is never used.
 */
#include "compat.h"
#include "qemu/rcu.h"
#include "trace.h"

#include "quill_dma.h"

static pthread_key_t quill_dma_thread_key;
static pthread_once_t quill_dma_thread_once = PTHREAD_ONCE_INIT;

static void quill_dma_thread_exit(void *unused)
{
	rcu_unregister_thread();
}

static void quill_dma_thread_init(void)
{
	if (pthread_key_create(&quill_dma_thread_key, quill_dma_thread_exit))
		abort();
}

/* Threads of QEMU are registered already; they come here, if ever, with the big lock held. */
static void quill_dma_thread_register(void)
{
	if (quill_bql_locked())
		return;

	pthread_once(&quill_dma_thread_once, quill_dma_thread_init);
	if (pthread_getspecific(quill_dma_thread_key))
		return;

	rcu_register_thread();
	pthread_setspecific(quill_dma_thread_key, &quill_dma_thread_key);
}

/* Why @mr is not for DMA, or NULL if it is. */
static const char *quill_dma_refusal(MemoryRegion *mr, bool write)
{
	Object *owner;

	if (!memory_region_is_ram(mr))
		return "not RAM";
	if (!quill_ram_is_direct(mr, write))
		return write ? "read-only or device memory" : "device memory";

	owner = memory_region_owner(mr);
	if (owner && object_dynamic_cast(owner, TYPE_PCI_DEVICE))
		return "memory of a PCI device";
	return NULL;
}

void *quill_dma_map(PCIDevice *dev, uint64_t addr, uint64_t *len, bool write)
{
	AddressSpace *as = pci_get_address_space(dev);
	hwaddr mapped = *len;
	const char *why;
	MemoryRegion *mr;
	hwaddr offset;

	if (!*len || addr + (*len - 1) < addr) {
		trace_quill_dma_refused(addr, *len, write, "empty, or wraps");
		return NULL;
	}

	quill_dma_thread_register();

	RCU_READ_LOCK_GUARD();
	mr = address_space_translate(as, addr, &offset, &mapped, write, MEMTXATTRS_UNSPECIFIED);
	why = mapped ? quill_dma_refusal(mr, write) : "no such address";
	if (why) {
		trace_quill_dma_refused(addr, *len, write, why);
		return NULL;
	}

	memory_region_ref(mr);
	trace_quill_dma_map(addr, *len, write, mapped);
	*len = mapped;
	return (uint8_t *)memory_region_get_ram_ptr(mr) + offset;
}

void quill_dma_unmap(PCIDevice *dev, void *ptr, uint64_t len, bool write, uint64_t written)
{
	trace_quill_dma_unmap(ptr, len, write, written);
	RCU_READ_LOCK_GUARD();
	/*
	 * Finds the region by its host address, marks what was written dirty, drops translated code made
	 * from it, and gives back the reference.
	 */
	address_space_unmap(pci_get_address_space(dev), ptr, len, write, written);
}
