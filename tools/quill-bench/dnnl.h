/* SPDX-License-Identifier: MIT */
/* oneDNN as a peer: what the suites that use it share. */
#ifndef QUILL_BENCH_DNNL_H
#define QUILL_BENCH_DNNL_H

#include <stdbool.h>

#include <oneapi/dnnl/dnnl.h>

/* struct bench_dnnl - its processor, with as many threads as the device */
struct bench_dnnl {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
};

bool bench_dnnl_ok(dnnl_status_t status, const char *what);

/** DNNL() - a call that may fail: true, or false and said */
#define DNNL(call) bench_dnnl_ok(call, #call)

bool bench_dnnl_init(struct bench_dnnl *d, unsigned int threads);
void bench_dnnl_exit(struct bench_dnnl *d);
/** bench_dnnl_name() - with its version */
const char *bench_dnnl_name(void);
/** bench_dnnl_reorder() - @from, in the layout @plain, to a new memory of the layout @wanted */
bool bench_dnnl_reorder(struct bench_dnnl *d, const dnnl_memory_desc_t *plain, void *from,
			const dnnl_memory_desc_t *wanted, dnnl_memory_t *to);

#endif /* QUILL_BENCH_DNNL_H */
