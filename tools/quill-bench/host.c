// SPDX-License-Identifier: MIT
/* The device with its firmware, in this process. */
#include <stdlib.h>

#include "host.h"

#define RING	64

struct quill_host *bench_host_new(struct bench *b, uint32_t queues, size_t memory, uint32_t *as)
{
	const struct quill_host_config config = {
		.emu = { .kernels = b->kernels->name, .queues = queues },
		.ram = memory + (64u << 20),
		.huge = true,
	};
	struct quill_host *h = qh_create(&config);

	*as = qh_as_create(h);
	if (!qh_queue_create(h, 0, *as, QUILL_FW_PRIORITY_MEDIUM, RING))
		return h;
	fprintf(stderr, "quill-bench: the firmware makes no queue\n");
	qh_destroy(h);
	return NULL;
}

bool bench_job_run(void *arg)
{
	const struct bench_job *job = arg;
	struct quill_job_cpl cpl = qh_run(job->host, job->queue, &job->stream);

	if (cpl.status)
		fprintf(stderr, "quill-bench: a job ended with fault %u at command %u, expected 0\n",
			cpl.status, cpl.command);
	return !cpl.status;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_percentile(double *values, unsigned int n, double percent)
{
	unsigned int at = (unsigned int)(n * percent / 100);

	qsort(values, n, sizeof(*values), compare);
	return values[at < n ? at : n - 1];
}
