/* SPDX-License-Identifier: MIT */
/* How the next token is chosen, by the device's SAMPLE. */
#ifndef QUILL_RUN_SAMPLE_H
#define QUILL_RUN_SAMPLE_H

#include <stdint.h>

/** struct sampler - how to choose; a given seed makes the same choices from the same logits */
struct sampler {
	/** @temperature: 0: always the most likely token, the lowest of equals. */
	float temperature;
	/** @top_k: choose among so many most likely tokens; 0: all. */
	uint32_t top_k;
	/** @top_p: of these, among the fewest whose probabilities sum to this; 1: all. */
	float top_p;
	/** @seed: of the random numbers; which of them a token gets is its position. */
	uint64_t seed;
};

#endif /* QUILL_RUN_SAMPLE_H */
