/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quill: what differs between kernels, told by the presence of an interface (Kbuild looks).
 */
#ifndef QUILL_COMPAT_H
#define QUILL_COMPAT_H

#include <linux/slab.h>
#include <drm/gpu_scheduler.h>

#ifdef QUILL_HAVE_GPU_BUDDY
#include <linux/gpu_buddy.h>
#else
#include <drm/drm_buddy.h>
#define gpu_buddy			drm_buddy
#define gpu_buddy_block			drm_buddy_block
#define gpu_buddy_block_offset		drm_buddy_block_offset
#define gpu_buddy_block_size		drm_buddy_block_size
#define gpu_buddy_init			drm_buddy_init
#define gpu_buddy_fini			drm_buddy_fini
#define gpu_buddy_alloc_blocks		drm_buddy_alloc_blocks
#define gpu_buddy_free_list		drm_buddy_free_list
#endif

#ifndef QUILL_HAVE_KZALLOC_OBJ
#define kzalloc_obj(P, GFP)		kzalloc(sizeof(P), GFP)
#define kvzalloc_objs(P, COUNT, GFP)	kvcalloc(COUNT, sizeof(P), GFP)
#endif

static inline int quill_sched_init(struct drm_gpu_scheduler *sched,
				   const struct drm_sched_backend_ops *ops,
				   struct workqueue_struct *wq, u32 credits, struct device *dev)
{
#ifdef QUILL_HAVE_SCHED_INIT_ARGS
	const struct drm_sched_init_args args = {
		.ops = ops,
		.submit_wq = wq,
		.num_rqs = 1,
		.credit_limit = credits,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "quill",
		.dev = dev,
	};

	return drm_sched_init(sched, &args);
#else
	return drm_sched_init(sched, ops, wq, 1, credits, 0, MAX_SCHEDULE_TIMEOUT, NULL, NULL,
			      "quill", dev);
#endif
}

static inline int quill_sched_job_init(struct drm_sched_job *job, struct drm_sched_entity *entity,
				       u64 client_id)
{
#ifdef QUILL_HAVE_SCHED_CLIENT_ID
	return drm_sched_job_init(job, entity, 1, NULL, client_id);
#else
	return drm_sched_job_init(job, entity, 1, NULL);
#endif
}

#endif /* QUILL_COMPAT_H */
