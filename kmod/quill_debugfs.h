/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_DEBUGFS_H
#define QUILL_DEBUGFS_H

struct quill_device;

#ifdef CONFIG_DEBUG_FS
void quill_debugfs_init(struct quill_device *qdev);
#else
static inline void quill_debugfs_init(struct quill_device *qdev) {}
#endif

#endif /* QUILL_DEBUGFS_H */
