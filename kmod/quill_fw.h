/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_FW_H
#define QUILL_FW_H

#include <linux/types.h>

struct quill_admin_msg;
struct quill_core;
struct quill_device;

int quill_fw_init(struct quill_device *qdev);
int quill_fw_boot(struct quill_core *core);
int quill_fw_boot_all(struct quill_device *qdev);
int quill_fw_stop(struct quill_core *core);
void quill_fw_stop_all(struct quill_device *qdev);
void quill_fw_disconnect(struct quill_core *core);
int quill_fw_admin(struct quill_core *core, struct quill_admin_msg *msg);
int quill_fw_served_ms(struct quill_core *core, unsigned int hwq, u32 *pending);

#endif /* QUILL_FW_H */
