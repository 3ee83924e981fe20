/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_FAIL_H
#define QUILL_FAIL_H

#include <linux/types.h>

/**
 * enum quill_fail_site - what can be made to fail where the kernel has fault injection
 */
enum quill_fail_site {
	/** @QUILL_FAIL_ALLOC: memory for a VM, queue, job or bind. */
	QUILL_FAIL_ALLOC,
	/** @QUILL_FAIL_PIN: the pages of an object. */
	QUILL_FAIL_PIN,
	/** @QUILL_FAIL_DMA_MAP: a mapping for the device: page tables, rings. */
	QUILL_FAIL_DMA_MAP,
	/** @QUILL_FAIL_ADMIN: the firmware's answer does not come. */
	QUILL_FAIL_ADMIN,
	/** @QUILL_FAIL_PROBE: a step of probe. */
	QUILL_FAIL_PROBE,
	QUILL_FAIL_COUNT,
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
bool quill_fail(enum quill_fail_site site);
void quill_fail_init(void);
void quill_fail_fini(void);
#else
static inline bool quill_fail(enum quill_fail_site site) { return false; }
static inline void quill_fail_init(void) {}
static inline void quill_fail_fini(void) {}
#endif

#endif /* QUILL_FAIL_H */
