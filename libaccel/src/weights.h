/* SPDX-License-Identifier: MIT */
/* The inside of weights, for the operations. */
#ifndef ACCEL_WEIGHTS_H
#define ACCEL_WEIGHTS_H

#include "accel.h"

struct accel_weights {
	/* Packed B at 0, then the channels' scales and bias. */
	struct accel_buffer buf;
	uint64_t scale_offset, bias_offset;
	uint32_t n, k;
	bool has_bias;
};

#endif /* ACCEL_WEIGHTS_H */
