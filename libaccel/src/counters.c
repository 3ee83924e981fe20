// SPDX-License-Identifier: MIT
/*
 * Counters: of a job, of a queue (queue.c), of a device.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static struct accel_engine_counters accel_engine_counters(const struct drm_quill_queue_query *query,
							  unsigned int engine)
{
	return (struct accel_engine_counters) {
		.compute = query->busy[engine] - query->stall_memory[engine],
		.memory = query->stall_memory[engine],
		.dependency = query->stall_dependency[engine],
		.firmware = query->stall_firmware[engine],
		.idle = query->idle[engine],
	};
}

void accel_counters_from_drm(struct accel_counters *counters,
			     const struct drm_quill_queue_query *query)
{
	*counters = (struct accel_counters) {
		.cycles = query->cycles,
		.tensor = accel_engine_counters(query, QUILL_ENGINE_TENSOR),
		.vector = accel_engine_counters(query, QUILL_ENGINE_VECTOR),
		.dma = accel_engine_counters(query, QUILL_ENGINE_DMA),
		.commands = query->commands,
		.macs = query->macs,
		.vector_ops = query->vector_ops,
		.bytes_read = query->bytes_read,
		.bytes_written = query->bytes_written,
		.sram_read = query->sram_read,
		.sram_written = query->sram_written,
		.link_bytes = query->link_bytes,
		.energy_pj = query->energy_pj,
	};
}

int accel_device_counters(struct accel_device *dev, uint64_t *jobs, struct accel_counters *counters)
{
	struct drm_quill_queue_query answer = { 0 };
	struct drm_quill_dev_query query = {
		.type = DRM_QUILL_DEV_QUERY_COUNTERS,
		.size = sizeof(answer),
		.ptr = (uintptr_t)&answer,
	};
	int ret = accel_ioctl(dev, DRM_IOCTL_QUILL_DEV_QUERY, &query);

	if (ret)
		return accel_error(dev, ret, "accel_device_counters: %s", ret == -EACCES ?
				   "what all users have done is told only with CAP_PERFMON" :
				   strerror(-ret));
	if (jobs)
		*jobs = answer.jobs;
	accel_counters_from_drm(counters, &answer);
	return 0;
}
