/* SPDX-License-Identifier: MIT */
/* Suite gemm_s8: the product that both sides compute. */
#ifndef QUILL_BENCH_GEMM_S8_H
#define QUILL_BENCH_GEMM_S8_H

#include <stdbool.h>
#include <stdint.h>

/* struct gemm_case - A (m by k), B (k by n) and D (m by n), row-major, in the peer's memory */
struct gemm_case {
	uint32_t m, n, k;
	/* of the weights: used in turn, so that they come from memory if they are larger than the cache */
	unsigned int copies;
	int8_t *a;
	int8_t *b;
	int8_t *d;
	float *scale;
};

struct gemm_peer;

struct gemm_peer *gemm_peer_new(const struct gemm_case *g, unsigned int threads);
void gemm_peer_free(struct gemm_peer *p);
/* One product, with the next copy of the weights; for struct bench_side. */
bool gemm_peer_run(void *peer);

#endif /* QUILL_BENCH_GEMM_S8_H */
