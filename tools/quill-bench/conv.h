/* SPDX-License-Identifier: MIT */
/* Suite conv: the convolution that both sides compute. */
#ifndef QUILL_BENCH_CONV_H
#define QUILL_BENCH_CONV_H

#include <stdbool.h>
#include <stdint.h>

/* struct conv_case - of square images: src, dst NHWC, weight [out_c][in_c / groups][taps][taps], in the peer's memory */
struct conv_case {
	const char *name;
	uint32_t in, out;	/* sides */
	uint32_t in_c, out_c, groups;
	uint32_t taps, stride, pad;
	int8_t *src, *weight, *dst;
	float *scale;
};

struct conv_peer;

struct conv_peer *conv_peer_new(const struct conv_case *c, unsigned int threads);
void conv_peer_free(struct conv_peer *p);
/* One convolution; for struct bench_side. */
bool conv_peer_run(void *peer);

#endif /* QUILL_BENCH_CONV_H */
