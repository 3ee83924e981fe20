/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_USER_H
#define QUILL_USER_H

#include <linux/types.h>

struct quill_device;
struct quill_user;

enum quill_share {
	QUILL_SHARE_VM,
	QUILL_SHARE_QUEUE,
	QUILL_SHARE_COUNT,
};

struct quill_user *quill_user_get_current(struct quill_device *qdev);
struct quill_user *quill_user_get(struct quill_user *user);
void quill_user_put(struct quill_user *user);
unsigned int quill_user_limit(struct quill_device *qdev, enum quill_share share);
int quill_user_charge(struct quill_device *qdev, struct quill_user *user, enum quill_share share);
void quill_user_uncharge(struct quill_user *user, enum quill_share share);

#endif /* QUILL_USER_H */
