// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: failures on demand, where the kernel has it: /sys/kernel/debug/quill/fail_*
 *
 * Each site has the knobs of Documentation/fault-injection: with probability 100, times 1 and
 * space n, its n-th use fails. They belong to the module, not to a device: probe is one of them.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "quill_fail.h"

static struct fault_attr quill_fail_attr[QUILL_FAIL_COUNT] = {
	[0 ... QUILL_FAIL_COUNT - 1] = FAULT_ATTR_INITIALIZER,
};

static struct dentry *quill_fail_dir;

/* Only at its own knobs' word: fail-nth is for memory. */
bool quill_fail(enum quill_fail_site site)
{
	struct fault_attr *attr = &quill_fail_attr[site];

	return attr->probability && should_fail(attr, 1);
}

void quill_fail_init(void)
{
	static const char * const names[] = {
		[QUILL_FAIL_ALLOC] = "fail_alloc",
		[QUILL_FAIL_PIN] = "fail_pin",
		[QUILL_FAIL_DMA_MAP] = "fail_dma_map",
		[QUILL_FAIL_ADMIN] = "fail_admin",
		[QUILL_FAIL_PROBE] = "fail_probe",
	};
	int i;

	quill_fail_dir = debugfs_create_dir("quill", NULL);
	for (i = 0; i < QUILL_FAIL_COUNT; i++)
		fault_create_debugfs_attr(names[i], quill_fail_dir, &quill_fail_attr[i]);
}

void quill_fail_fini(void)
{
	debugfs_remove(quill_fail_dir);
}
