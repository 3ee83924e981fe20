/* SPDX-License-Identifier: MIT */
/* quill-bench: the device with its firmware, driven through rings and doorbells as the kernel does it. */
#ifndef QUILL_BENCH_HOST_H
#define QUILL_BENCH_HOST_H

#include "bench.h"
#include "quill_host.h"

/**
 * struct bench_job - a stream that is one job of a queue
 */
struct bench_job {
	struct quill_host *host;
	uint32_t queue;
	struct qh_stream stream;
};

/** bench_host_new() - @queues hardware queues on one core, @memory bytes for buffers; queue 0 is made */
struct quill_host *bench_host_new(struct bench *b, uint32_t queues, size_t memory, uint32_t *as);
/** bench_job_run() - a struct bench_job, to its end: for struct bench_side */
bool bench_job_run(void *job);
/** bench_percentile() - of @n values, which are sorted by this */
double bench_percentile(double *values, unsigned int n, double percent);

#endif /* QUILL_BENCH_HOST_H */
