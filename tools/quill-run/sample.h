/* SPDX-License-Identifier: MIT */
/* From logits to the next token. */
#ifndef QUILL_RUN_SAMPLE_H
#define QUILL_RUN_SAMPLE_H

#include <stdint.h>

/** struct sampler - how to choose; a given seed makes the same choices from the same logits */
struct sampler {
	/** @temperature: 0: always the most likely token, the lowest of equals. */
	double temperature;
	/** @top_k: choose among so many most likely tokens; 0: all. */
	uint32_t top_k;
	/** @top_p: of these, among the fewest whose probabilities sum to this; 1: all. */
	double top_p;
	/** @state: of the random numbers: the seed, at first. */
	uint64_t state;
};

/** sample() - choose a token by its logits, float [VOCAB] */
uint8_t sample(struct sampler *s, const float *logits);

#endif /* QUILL_RUN_SAMPLE_H */
