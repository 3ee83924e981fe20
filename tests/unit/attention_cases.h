/* SPDX-License-Identifier: MIT */
/* Attention problems with random operands, and all sets of kernels held against the reference on them. */
#ifndef ATTENTION_CASES_H
#define ATTENTION_CASES_H

#include "engine.h"
#include "guard.h"
#include "ref.h"

struct problem {
	struct ref_attention t;
	float *want, *want_state;
	size_t q_size, kv_size, q_scales, kv_scales, out_size, state_size;
};

struct problem_shape {
	uint32_t n_q, n_kv, heads, kv_heads, dim;
	bool causal;
	uint32_t window;
	/* with state, and weights of 16 bits */
	bool state, round;
	/* bfloat16 keys and values, and queries too or else float32 */
	bool bf16, q_bf16;
};

#define SHAPE(queries, keys, q_heads, k_heads, elems, see, ...)				\
	(&(struct problem_shape){ .n_q = (queries), .n_kv = (keys), .heads = (q_heads),	\
				  .kv_heads = (k_heads), .dim = (elems), .causal = (see),	\
				  ##__VA_ARGS__ })

/* problem_make() - operands end where memory does; problem_free() */
struct problem problem_make(struct ref_random *rnd, const struct problem_shape *s);
void problem_free(struct problem *p);

/* problem_run() - as the device does it: heads that share keys together, @part queries at a time */
void problem_run(const struct quill_kernels *e, const struct ref_attention *t, uint32_t part);

/* problem_check() - every set of kernels equals the reference to the bit */
void problem_check(struct problem *p, uint32_t part);
void problem_check_shape(struct ref_random *rnd, const struct problem_shape *s);

#endif /* ATTENTION_CASES_H */
