/* SPDX-License-Identifier: MIT */
/*
 * CONV2D and POOL commands, ready to run: operands in the device's memory, the command in a stream, and what the
 * reference says the result is.
 */
#ifndef CONV_CASES_H
#define CONV_CASES_H

#include "quill_host.h"
#include "ref.h"
#include "ref_conv.h"

struct conv_rig {
	struct quill_host *h;
	uint32_t as;
	struct qh_stream s;
	struct ref_random rnd;
};

/* struct conv_case - one command; the buffers stay with the rig */
struct conv_case {
	struct ref_images images;
	struct qh_buf *src, *weight, *dst, *bias, *scale, *residual, *mult;
	struct ref_conv2d ref;
	union quill_cmd *cmd;
	uint32_t element;	/* bytes of one of the result */
	int8_t *plain;		/* weights as the reference has them */
	uint8_t *want;		/* what all of @dst is to be */
	char what[200];
};

void conv_rig_open(struct conv_rig *r, const struct quill_host_config *config);
void conv_rig_close(struct conv_rig *r);
/** conv_rig_run() - the stream so far, as a job; then it is empty */
struct quill_job_cpl conv_rig_run(struct conv_rig *r);

/** conv_images() - fill in what is zero: strides, dilations, groups 1, batch 1, out_h and out_w: as many as fit */
struct ref_images conv_images(struct ref_images s);
/** conv_make() - append a CONV2D with all of the epilogue that @type_d has; @gap: elements between pixels */
struct conv_case conv_make(struct conv_rig *r, const struct ref_images *s, uint32_t type_d,
			   uint32_t gap);
/** conv_add_residual() - to a CONV2D to S8, directly after it was made; @in_place: it is what the result replaces */
void conv_add_residual(struct conv_rig *r, struct conv_case *c, uint32_t gap, bool in_place);
/** pool_make() - append a POOL; @special: some floats are NaN, infinite or -0 */
struct conv_case pool_make(struct conv_rig *r, const struct ref_images *s, uint32_t type, uint32_t op,
			   uint32_t gap, bool special);
/** conv_check() - fail unless all of the result's memory, gaps included, is as it should be; frees */
void conv_check(struct conv_case *c);
void conv_free(struct conv_case *c);

#endif /* CONV_CASES_H */
