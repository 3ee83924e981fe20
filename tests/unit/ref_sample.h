/* SPDX-License-Identifier: MIT */
/* The reference for TOPK and SAMPLE: docs/isa.md in plain C, by sorting everything; for tests only. */
#ifndef REF_SAMPLE_H
#define REF_SAMPLE_H

#include <stdint.h>

/** ref_philox() - Philox4x32-10 */
void ref_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

/** ref_topk() - one row; @value may be NULL */
void ref_topk(const float *x, uint32_t n, uint32_t k, float *value, int32_t *index);

struct ref_sample {
	float temperature, top_p;
	uint32_t top_k;
	uint64_t seed, counter;
};

/** ref_sample_weights() - of a row, by index */
void ref_sample_weights(const struct ref_sample *s, const float *x, uint32_t n, uint64_t *weight);
/** ref_sample() - the token of row @row, and its probability */
int32_t ref_sample(const struct ref_sample *s, const float *x, uint32_t n, uint32_t row, float *prob);

#endif /* REF_SAMPLE_H */
