/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI side of Quill: configuration space, BARs, MSI-X and resets. What the device does is in libquill-emu
 * (emu/core and emu/engine), which runs on threads of its own, outside QEMU's big lock.
 *
 * Three things meet here:
 *
 * - A virtual processor accesses BAR0 or BAR2, under the big lock: handed to the library, which returns at once.
 * - A thread of the library wants guest memory: quill_dma.c, which takes no lock.
 * - A thread of the library raises a vector: noted in a bitmap, delivered by a bottom half in the main loop.
 *   Taking the big lock instead would deadlock with a reset, which holds it and waits for the threads.
 */
#include "compat.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "migration/vmstate.h"
#include "monitor/monitor.h"
#include "qapi/error.h"
#include "qapi/type-helpers.h"
#include "qemu/bitmap.h"
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "qom/object.h"
#include "trace.h"

#include "quill/regs.h"
#include "quill_dma.h"
#include "quill_lib.h"

#define TYPE_QUILL "quill"
OBJECT_DECLARE_SIMPLE_TYPE(QuillState, QUILL)

#define QUILL_MEM_MIN		MiB
#define QUILL_MEM_DEFAULT	(256 * MiB)
/* What x86 can address physically, with room for the rest of the machine. */
#define QUILL_MEM_MAX		(64 * GiB)

struct QuillState {
	PCIDevice parent_obj;

	const struct quill_lib *lib;
	struct quill_emu *emu;

	MemoryRegion regs;
	MemoryRegion doorbells;
	MemoryRegion mem;

	QEMUBH *msix_bh;
	DECLARE_BITMAP(msix_pending, QUILL_MAX_VECTORS);
	unsigned int vectors;
	/* The device stands still while the virtual machine does. */
	VMChangeStateEntry *run_state;
	/* A snapshot on its way out or in: libquill-emu's, which QEMU does not look into. */
	void *snapshot;
	uint32_t snapshot_size;
	/* Where in configuration space power management is. */
	uint8_t pm;
	/* Set once the device leaves its bus: from then on it touches neither memory nor interrupts. */
	bool gone;
	/* In D3hot it has nothing but its configuration space: BARs read as ones, DMA and vectors have to wait. */
	bool asleep;

	uint64_t prop_mem;
	uint32_t prop_cores;
	uint32_t prop_queues;
	uint32_t prop_threads;
	char *prop_profile;
	char *prop_inject;
	char *prop_kernels;
};

/* ---- BAR0 and BAR2 ----------------------------------------------------- */

static uint64_t quill_regs_read(void *opaque, hwaddr addr, unsigned int size)
{
	QuillState *s = opaque;
	uint64_t value = s->asleep ? UINT64_MAX : s->lib->read(s->emu, QUILL_BAR_REGS, addr, size);

	trace_quill_reg_read(addr, size, value);
	return value;
}

static void quill_regs_write(void *opaque, hwaddr addr, uint64_t value, unsigned int size)
{
	QuillState *s = opaque;

	trace_quill_reg_write(addr, size, value);
	if (!s->asleep)
		s->lib->write(s->emu, QUILL_BAR_REGS, addr, value, size);
}

static uint64_t quill_doorbell_read(void *opaque, hwaddr addr, unsigned int size)
{
	QuillState *s = opaque;

	return s->asleep ? UINT64_MAX : s->lib->read(s->emu, QUILL_BAR_DOORBELL, addr, size);
}

static void quill_doorbell_write(void *opaque, hwaddr addr, uint64_t value, unsigned int size)
{
	QuillState *s = opaque;

	trace_quill_doorbell(addr / QUILL_DOORBELL_STRIDE, addr % QUILL_DOORBELL_STRIDE, size, value);
	if (!s->asleep)
		s->lib->write(s->emu, QUILL_BAR_DOORBELL, addr, value, size);
}

/* Every size goes through as it is: the device says what an odd access does, not QEMU. */
#define QUILL_ACCESS { .min_access_size = 1, .max_access_size = 8, .unaligned = true }

static const MemoryRegionOps quill_regs_ops = {
	.read = quill_regs_read,
	.write = quill_regs_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = QUILL_ACCESS,
	.impl = QUILL_ACCESS,
};

static const MemoryRegionOps quill_doorbell_ops = {
	.read = quill_doorbell_read,
	.write = quill_doorbell_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = QUILL_ACCESS,
	.impl = QUILL_ACCESS,
};

/* ---- What the device asks of QEMU, from its own threads ------------------ */

static void *quill_op_dma_map(void *opaque, uint64_t addr, uint64_t *len, bool write)
{
	QuillState *s = opaque;

	if (qatomic_read(&s->gone) || qatomic_read(&s->asleep)) {
		trace_quill_dma_refused(addr, *len, write, s->gone ? "unplugged" : "D3hot");
		return NULL;
	}
	return quill_dma_map(PCI_DEVICE(s), addr, len, write);
}

static void quill_op_dma_unmap(void *opaque, void *ptr, uint64_t len, bool write, uint64_t written)
{
	QuillState *s = opaque;

	quill_dma_unmap(PCI_DEVICE(s), ptr, len, write, written);
}

/* With the big lock held. Masked vectors stay pending in the PBA, as msix_notify() does it. */
static void quill_msix_deliver(void *opaque)
{
	DECLARE_BITMAP(raised, QUILL_MAX_VECTORS);
	QuillState *s = opaque;
	unsigned long vector;

	if (s->asleep)
		return;
	bitmap_copy_and_clear_atomic(raised, s->msix_pending, QUILL_MAX_VECTORS);
	if (s->gone)
		return;

	for (vector = find_first_bit(raised, s->vectors); vector < s->vectors;
	     vector = find_next_bit(raised, s->vectors, vector + 1)) {
		if (!msix_enabled(PCI_DEVICE(s))) {
			trace_quill_msix_dropped(vector, "MSI-X is disabled");
			continue;
		}
		trace_quill_msix(vector);
		msix_notify(PCI_DEVICE(s), vector);
	}
}

static void quill_op_msix(void *opaque, unsigned int vector)
{
	QuillState *s = opaque;

	if (vector >= s->vectors) {
		trace_quill_msix_dropped(vector, "the device has no such vector");
		return;
	}
	set_bit_atomic(vector, s->msix_pending);
	/* A processor's thread that wrote a doorbell. The device's own have no business with the big lock: see quill_reset(). */
	if (quill_bql_locked())
		quill_msix_deliver(s);
	else
		qemu_bh_schedule(s->msix_bh);
}

static void quill_op_trace(void *opaque, const char *line)
{
	trace_quill_core(line);
}

/* Each is one of trace-events, which says whether anybody listens. */
static void quill_op_event(void *opaque, const struct quill_event *event)
{
	const uint64_t *a = event->arg;

	switch (event->type) {
	case QUILL_EVENT_CORE:
		trace_quill_core_status(a[0], a[1], a[2]);
		break;
	case QUILL_EVENT_RESET:
		trace_quill_reset_done(a[0]);
		break;
	case QUILL_EVENT_INVALIDATE:
		trace_quill_invalidate(a[0]);
		break;
	case QUILL_EVENT_FETCH:
		trace_quill_fetch(a[0], a[1], a[2], a[3], a[4]);
		break;
	case QUILL_EVENT_STORE:
		trace_quill_store(a[0], a[1], a[2], a[3], a[4]);
		break;
	case QUILL_EVENT_ISSUE:
		trace_quill_issue(a[0], a[1], a[2], a[3], a[4], a[5]);
		break;
	case QUILL_EVENT_REFUSE:
		trace_quill_refuse(a[0], a[1], a[2]);
		break;
	case QUILL_EVENT_RETIRE:
		trace_quill_retire(a[0], a[1], a[2], a[3], a[4]);
		break;
	case QUILL_EVENT_FAULT:
		trace_quill_fault(a[0], a[1], a[2], a[3], a[4]);
		break;
	default:
		break;
	}
}

static const struct quill_emu_ops quill_ops = {
	.dma_map = quill_op_dma_map,
	.dma_unmap = quill_op_dma_unmap,
	.msix = quill_op_msix,
	.trace = quill_op_trace,
	.event = quill_op_event,
};

/* ---- Power: D0 and D3hot ------------------------------------------------------ */

static int quill_add_pm(PCIDevice *dev, Error **errp)
{
	int at = pci_add_capability(dev, PCI_CAP_ID_PM, 0, PCI_PM_SIZEOF, errp);

	if (at < 0)
		return at;
	QUILL(dev)->pm = at;
	pci_set_word(dev->config + at + PCI_PM_PMC, PCI_PM_CAP_VER_1_2);
	pci_set_word(dev->config + at + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_word(dev->wmask + at + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	return 0;
}

/* Follow what the guest has written to the capability, or a snapshot has brought. What the device was, it stays. */
static void quill_update_power(QuillState *s)
{
	uint16_t control = pci_get_word(PCI_DEVICE(s)->config + s->pm + PCI_PM_CTRL);
	bool asleep = (control & PCI_PM_CTRL_STATE_MASK) == PCI_PM_CTRL_STATE_MASK;

	if (asleep == s->asleep)
		return;
	trace_quill_power(asleep ? "D3hot" : "D0");
	qatomic_set(&s->asleep, asleep);
	memory_region_set_enabled(&s->mem, !asleep);
	if (!asleep)
		quill_msix_deliver(s);
}

/* ---- Reset ---------------------------------------------------------------- */

/*
 * Power-on, secondary bus reset and FLR all end here, with the big lock held. Joining the device's
 * threads under it is safe: none of them ever asks for it.
 */
static void quill_reset(DeviceState *dev)
{
	QuillState *s = QUILL(dev);

	trace_quill_reset();
	s->lib->reset(s->emu);
	bitmap_zero(s->msix_pending, QUILL_MAX_VECTORS);
	pci_word_test_and_clear_mask(PCI_DEVICE(s)->config + s->pm + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	quill_update_power(s);
}

static void quill_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, int len)
{
	pci_default_write_config(dev, addr, value, len);
	pcie_cap_flr_write_config(dev, addr, value, len);
	quill_update_power(QUILL(dev));
}

/* ---- Stop and go, snapshots ------------------------------------------------------ */

/*
 * Before anybody looks at guest memory for the last time, the device has to stand still: it writes there without asking
 * the processors. What it wrote to its own memory nobody has noted page by page, so all of that counts as changed. Vectors
 * on their way are delivered, since a bottom half would come too late for the snapshot.
 */
static void quill_run_state(void *opaque, bool running, RunState state)
{
	QuillState *s = opaque;

	trace_quill_run_state(running);
	if (running) {
		s->lib->resume(s->emu);
		return;
	}
	s->lib->pause(s->emu);
	quill_msix_deliver(s);
	memory_region_set_dirty(&s->mem, 0, s->prop_mem);
}

static int quill_pre_save(void *opaque)
{
	QuillState *s = opaque;
	size_t size = 0;

	s->snapshot = s->lib->save(s->emu, &size);
	if (!s->snapshot || size > UINT32_MAX) {
		error_report("quill: no snapshot: not enough memory, or the device is not paused");
		return -ENOMEM;
	}
	s->snapshot_size = size;
	trace_quill_save(size);
	return 0;
}

static void quill_drop_snapshot(QuillState *s)
{
	/* On the way out it is the library's, on the way in g_malloc()'s: the same allocator. */
	free(s->snapshot);
	s->snapshot = NULL;
	s->snapshot_size = 0;
}

static int quill_post_save(void *opaque)
{
	quill_drop_snapshot(opaque);
	return 0;
}

static int quill_post_load(void *opaque, int version_id)
{
	QuillState *s = opaque;
	char why[256] = "";
	bool loaded;

	loaded = s->lib->load(s->emu, s->snapshot, s->snapshot_size, why, sizeof(why));
	trace_quill_load(s->snapshot_size, loaded);
	quill_drop_snapshot(s);
	if (!loaded) {
		error_report("quill: snapshot refused: %s", why);
		return -EINVAL;
	}
	quill_update_power(s);
	return 0;
}

static const VMStateDescription quill_vmstate = {
	.name = TYPE_QUILL,
	.version_id = 1,
	.minimum_version_id = 1,
	.pre_save = quill_pre_save,
	.post_save = quill_post_save,
	.post_load = quill_post_load,
	.fields = (QUILL_FIELD_CONST VMStateField[]) {
		VMSTATE_PCI_DEVICE(parent_obj, QuillState),
		VMSTATE_MSIX(parent_obj, QuillState),
		VMSTATE_UINT32(snapshot_size, QuillState),
		VMSTATE_VBUFFER_ALLOC_UINT32(snapshot, QuillState, 1, NULL, snapshot_size),
		VMSTATE_END_OF_LIST()
	},
};

/* ---- Coming and going -------------------------------------------------------- */

/* What the glue itself relies on; the rest of the configuration is the library's to judge. */
static bool quill_check(QuillState *s, Error **errp)
{
	PCIDevice *dev = PCI_DEVICE(s);

	if (!pci_bus_is_express(pci_get_bus(dev))) {
		error_setg(errp, "quill: found a conventional PCI bus, needs PCI Express (-machine q35)");
		return false;
	}
	if (!is_power_of_2(s->prop_mem) || s->prop_mem < QUILL_MEM_MIN || s->prop_mem > QUILL_MEM_MAX) {
		error_setg(errp, "quill: mem is %" PRIu64 " bytes, must be a power of two from %" PRIu64
			   " to %" PRIu64, s->prop_mem, (uint64_t)QUILL_MEM_MIN, (uint64_t)QUILL_MEM_MAX);
		return false;
	}
	if (!s->prop_queues || s->prop_queues > QUILL_MAX_QUEUES) {
		error_setg(errp, "quill: queues is %u, must be 1 to %u", s->prop_queues, QUILL_MAX_QUEUES);
		return false;
	}
	return true;
}

static bool quill_create(QuillState *s, Error **errp)
{
	struct quill_emu_config config = {
		.mem = s->prop_mem,
		.cores = s->prop_cores,
		.queues = s->prop_queues,
		.threads = s->prop_threads,
		.profile = s->prop_profile,
		.inject = s->prop_inject,
		.kernels = s->prop_kernels,
		.lend = true,
	};
	char why[512] = "";

	s->lib = quill_lib_get(errp);
	if (!s->lib)
		return false;

	s->emu = s->lib->create(&config, &quill_ops, s, why, sizeof(why));
	if (!s->emu)
		error_setg(errp, "quill: %s", why);
	return s->emu;
}

static void quill_register_bars(QuillState *s)
{
	PCIDevice *dev = PCI_DEVICE(s);

	memory_region_init_io(&s->regs, OBJECT(s), &quill_regs_ops, s, "quill-regs", QUILL_BAR_REGS_SIZE);
	pci_register_bar(dev, QUILL_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->regs);

	memory_region_init_io(&s->doorbells, OBJECT(s), &quill_doorbell_ops, s, "quill-doorbells",
			      QUILL_BAR_DOORBELL_SIZE);
	pci_register_bar(dev, QUILL_BAR_DOORBELL, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->doorbells);

	memory_region_init_ram_ptr(&s->mem, OBJECT(s), "quill-mem", s->prop_mem, s->lib->mem(s->emu));
	vmstate_register_ram(&s->mem, DEVICE(s));
	pci_register_bar(dev, QUILL_BAR_MEM,
			 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
			 PCI_BASE_ADDRESS_MEM_PREFETCH, &s->mem);
}

static void quill_realize(PCIDevice *dev, Error **errp)
{
	QuillState *s = QUILL(dev);
	unsigned int i;

	if (!quill_check(s, errp))
		return;
	if (pcie_endpoint_cap_init(dev, 0) < 0) {
		error_setg(errp, "quill: no room for the PCI Express capability");
		return;
	}
	pcie_cap_flr_init(dev);
	if (quill_add_pm(dev, errp) < 0)
		goto err_pcie;

	s->vectors = QUILL_VECTORS(s->prop_queues);
	if (msix_init_exclusive_bar(dev, s->vectors, QUILL_BAR_MSIX, errp))
		goto err_pcie;
	for (i = 0; i < s->vectors; i++)
		msix_vector_use(dev, i);

	/* Before the library has a thread that could raise a vector. */
	s->msix_bh = qemu_bh_new(quill_msix_deliver, s);
	if (!quill_create(s, errp))
		goto err_msix;

	quill_register_bars(s);
	s->run_state = qdev_add_vm_change_state_handler(DEVICE(s), quill_run_state, s);
	/* A device that comes before the machine runs waits for it; and for a snapshot, maybe. */
	if (!runstate_is_running())
		s->lib->pause(s->emu);
	return;

err_msix:
	qemu_bh_delete(s->msix_bh);
	s->msix_bh = NULL;
	msix_uninit_exclusive_bar(dev);
err_pcie:
	pcie_cap_exit(dev);
}

/*
 * Unplugged: all work stops here. The device itself goes in quill_finalize(), because old memory maps may still hold
 * BAR4's memory, and a virtual processor in an access to BAR0 may have been on its way.
 */
static void quill_exit(PCIDevice *dev)
{
	QuillState *s = QUILL(dev);

	qemu_del_vm_change_state_handler(s->run_state);
	qatomic_set(&s->gone, true);
	s->lib->reset(s->emu);
	bitmap_zero(s->msix_pending, QUILL_MAX_VECTORS);
	vmstate_unregister_ram(&s->mem, DEVICE(s));
	msix_uninit_exclusive_bar(dev);
	pcie_cap_exit(dev);
}

static void quill_finalize(Object *obj)
{
	QuillState *s = QUILL(obj);

	g_free(s->prop_inject);
	if (!s->emu)
		return;
	s->lib->destroy(s->emu);
	qemu_bh_delete(s->msix_bh);
}

/* ---- The state as text: `qom-get PATH state`, and `info quill` for people ---------- */

static char *quill_get_state(Object *obj, Error **errp)
{
	QuillState *s = QUILL(obj);
	char *text, *copy;

	if (!s->emu)
		return g_strdup("not realized\n");
	text = s->lib->dump(s->emu);
	/* Another allocator's, strictly speaking. */
	copy = g_strdup(text ?: "not enough memory\n");
	free(text);
	return copy;
}

/* ---- Faults on demand: `-device quill,inject=`, and `qom-set PATH inject` while it runs ----- */

static char *quill_get_inject(Object *obj, Error **errp)
{
	return g_strdup(QUILL(obj)->prop_inject ?: "");
}

static void quill_set_inject(Object *obj, const char *text, Error **errp)
{
	QuillState *s = QUILL(obj);
	char why[512] = "";

	/* Before the device is there, quill_emu_create() judges it. */
	if (s->emu && !s->lib->inject(s->emu, text, why, sizeof(why))) {
		error_setg(errp, "quill: %s", why);
		return;
	}
	g_free(s->prop_inject);
	s->prop_inject = g_strdup(text);
}

static int quill_add_info(Object *obj, void *opaque)
{
	g_autofree char *path = NULL, *text = NULL;
	GString *info = opaque;

	if (!object_dynamic_cast(obj, TYPE_QUILL))
		return 0;
	path = object_get_canonical_path(obj);
	text = quill_get_state(obj, NULL);
	g_string_append_printf(info, "%s\n%s", path, text);
	return 0;
}

static HumanReadableText *quill_info(Error **errp)
{
	g_autoptr(GString) info = g_string_new("");

	object_child_foreach_recursive(object_get_root(), quill_add_info, info);
	return human_readable_text_from_str(info);
}

static QUILL_PROP_CONST Property quill_properties[] = {
	DEFINE_PROP_SIZE("mem", QuillState, prop_mem, QUILL_MEM_DEFAULT),
	DEFINE_PROP_UINT32("cores", QuillState, prop_cores, 1),
	DEFINE_PROP_UINT32("queues", QuillState, prop_queues, 16),
	DEFINE_PROP_UINT32("threads", QuillState, prop_threads, 0),
	DEFINE_PROP_STRING("profile", QuillState, prop_profile),
	DEFINE_PROP_STRING("kernels", QuillState, prop_kernels),
	QUILL_PROP_END
};

static void quill_class_init(ObjectClass *klass, QUILL_CLASS_CONST void *data)
{
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
	DeviceClass *dc = DEVICE_CLASS(klass);

	pc->realize = quill_realize;
	pc->exit = quill_exit;
	pc->config_write = quill_write_config;
	pc->vendor_id = QUILL_PCI_VENDOR_ID;
	pc->device_id = QUILL_PCI_DEVICE_ID;
	pc->class_id = QUILL_PCI_CLASS;
	pc->revision = QUILL_PCI_REVISION;

	dc->desc = "Quill inference accelerator";
	dc->vmsd = &quill_vmstate;
	quill_set_reset(dc, quill_reset);
	device_class_set_props(dc, quill_properties);
	object_class_property_add_str(klass, "inject", quill_get_inject, quill_set_inject);
	object_class_property_add_str(klass, "state", quill_get_state, NULL);
	set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo quill_type = {
	.name = TYPE_QUILL,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(QuillState),
	.instance_finalize = quill_finalize,
	.class_init = quill_class_init,
	.interfaces = (QUILL_CLASS_CONST InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ }
	},
};

static void quill_register(void)
{
	type_register_static(&quill_type);
	monitor_register_hmp_info_hrt("quill", quill_info);
}

type_init(quill_register)
