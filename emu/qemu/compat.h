/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between QEMU 7.2 (Debian 12) and 10.x (Debian 13). Everything that asks which QEMU this is
 * stands here.
 */
#ifndef QUILL_COMPAT_H
#define QUILL_COMPAT_H

#include "qemu/osdep.h"

/* Headers that moved: 8.0 split pci.h, 10.1 renamed exec/ to system/. */
#if __has_include("hw/pci/pci_device.h")
#include "hw/pci/pci_device.h"
#else
#include "hw/pci/pci.h"
#endif

#if __has_include("system/memory.h")
#include "system/memory.h"
#else
#include "exec/memory.h"
#endif

#if __has_include("hw/core/qdev-properties.h")
#include "hw/core/qdev-properties.h"
#else
#include "hw/qdev-properties.h"
#endif

#define QUILL_QEMU(major, minor) \
	(QEMU_VERSION_MAJOR > (major) || \
	 (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

#if QUILL_QEMU(9, 0)
#define quill_bql_locked()		bql_locked()
#else
#define quill_bql_locked()		qemu_mutex_iothread_locked()
#endif

#if QUILL_QEMU(9, 2)
#define quill_set_reset(dc, fn)		device_class_set_legacy_reset(dc, fn)
#else
#define quill_set_reset(dc, fn)		((dc)->reset = (fn))
#endif

/* In sysemu/ before 10.0. */
#if __has_include("system/runstate.h")
#include "system/runstate.h"
#else
#include "sysemu/runstate.h"
#endif

/* Lists of fields became const in 9.0. */
#if QUILL_QEMU(9, 0)
#define QUILL_FIELD_CONST		const
#else
#define QUILL_FIELD_CONST
#endif

/* RAM that may be touched through a pointer; asks for the transaction's attributes since 10.0. */
#if QUILL_QEMU(10, 0)
#define quill_ram_is_direct(mr, write)	memory_access_is_direct(mr, write, MEMTXATTRS_UNSPECIFIED)
#else
#define quill_ram_is_direct(mr, write)	memory_access_is_direct(mr, write)
#endif

/* Property lists became const and lost their terminator in 10.0. */
#if QUILL_QEMU(10, 0)
#define QUILL_PROP_CONST		const
#define QUILL_PROP_END
#else
#define QUILL_PROP_CONST
#define QUILL_PROP_END			DEFINE_PROP_END_OF_LIST(),
#endif

/* Class data and interface lists became const in 10.1. */
#if QUILL_QEMU(10, 1)
#define QUILL_CLASS_CONST		const
#else
#define QUILL_CLASS_CONST
#endif

#endif /* QUILL_COMPAT_H */
