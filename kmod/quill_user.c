// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: what each user has.
 *
 * Hardware queues and address spaces are few. A user without CAP_SYS_ADMIN gets at most half of
 * either, counted over all files of that user: opening the device again wins nothing.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "quill_compat.h"
#include "quill_device.h"
#include "quill_user.h"

struct quill_user {
	struct list_head node;
	struct kref ref;
	struct quill_device *qdev;
	kuid_t uid;
	unsigned int used[QUILL_SHARE_COUNT];
};

/* Of all devices: a record may live longer than its device. Opens are rare. */
static LIST_HEAD(quill_users);
static DEFINE_MUTEX(quill_users_lock);

/*
 * quill_user_get_current() - the record of the calling process's user, made if there is none
 *
 * Return: a reference, or NULL without memory.
 */
struct quill_user *quill_user_get_current(struct quill_device *qdev)
{
	kuid_t uid = current_euid();
	struct quill_user *user;

	mutex_lock(&quill_users_lock);
	list_for_each_entry(user, &quill_users, node) {
		if (user->qdev == qdev && uid_eq(user->uid, uid)) {
			kref_get(&user->ref);
			goto out;
		}
	}
	user = kzalloc_obj(*user, GFP_KERNEL);
	if (user) {
		kref_init(&user->ref);
		user->qdev = qdev;
		user->uid = uid;
		list_add(&user->node, &quill_users);
	}
out:
	mutex_unlock(&quill_users_lock);
	return user;
}

struct quill_user *quill_user_get(struct quill_user *user)
{
	kref_get(&user->ref);
	return user;
}

static void quill_user_release(struct kref *ref)
{
	struct quill_user *user = container_of(ref, struct quill_user, ref);

	list_del(&user->node);
	mutex_unlock(&quill_users_lock);
	kfree(user);
}

void quill_user_put(struct quill_user *user)
{
	kref_put_mutex(&user->ref, quill_user_release, &quill_users_lock);
}

/*
 * quill_user_limit() - what one user without CAP_SYS_ADMIN can have at once
 */
unsigned int quill_user_limit(struct quill_device *qdev, enum quill_share share)
{
	unsigned int all = share == QUILL_SHARE_VM ? qdev->nr_as - 1 : qdev->nr_queues;

	return max(all / 2, 1u);
}

/*
 * quill_user_charge() - count one more
 *
 * Return: 0, or -ENOSPC if the share is used up.
 */
int quill_user_charge(struct quill_device *qdev, struct quill_user *user, enum quill_share share)
{
	int ret = 0;

	mutex_lock(&quill_users_lock);
	if (user->used[share] >= quill_user_limit(qdev, share) && !capable(CAP_SYS_ADMIN))
		ret = -ENOSPC;
	else
		user->used[share]++;
	mutex_unlock(&quill_users_lock);
	return ret;
}

void quill_user_uncharge(struct quill_user *user, enum quill_share share)
{
	mutex_lock(&quill_users_lock);
	user->used[share]--;
	mutex_unlock(&quill_users_lock);
}
