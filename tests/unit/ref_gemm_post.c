// SPDX-License-Identifier: MIT
/* The reference: a GEMM's float results. */
#include <math.h>
#include <string.h>

#include "ref_block.h"
#include "ref_gemm_post.h"
#include "ref_vector.h"

static void store(const struct ref_gemm_post *p, uint32_t m, uint32_t n, float y)
{
	const uint32_t nan = 0x7fc00000;
	size_t at = m * p->ldd + n;

	if (p->type_d == QUILL_TYPE_BF16)
		((uint16_t *)p->d)[at] = (uint16_t)ref_narrow(QUILL_TYPE_BF16, y, false);
	else if (isnan(y))
		memcpy((float *)p->d + at, &nan, sizeof(nan));
	else
		((float *)p->d)[at] = y;
}

void ref_gemm_post(const struct ref_gemm_post *p, float *y)
{
	uint32_t m, n;
	float *x;

	for (m = 0; m < p->m; m++) {
		for (n = 0; n < p->n; n++) {
			x = &y[m * p->n + n];
			if (p->act)
				*x = ref_function(p->act - 1, *x);
			if (p->gate)
				*x = *x * p->gate[m * p->gate_stride + n];
			if (p->residual)
				*x = *x + p->residual[m * p->residual_stride + n];
			if (p->accumulate)
				*x = *x + ((float *)p->d)[m * p->ldd + n];
			if (p->type_d != QUILL_TYPE_S8)
				store(p, m, n, *x);
		}
	}
	if (p->type_d == QUILL_TYPE_S8 && p->given)
		ref_quantise_by(&(struct ref_quantise){
			.q = p->d, .q_stride = p->ldd, .f = y, .f_stride = p->n,
			.scale = (float *)p->given, .rows = p->m, .n = p->n,
			.group = p->given_one ? p->n : 1, .zero = p->zero, .lo = p->lo, .hi = p->hi,
		});
	else if (p->type_d == QUILL_TYPE_S8)
		ref_quantise(&(struct ref_quantise){
			.q = p->d, .q_stride = p->ldd, .f = y, .f_stride = p->n,
			.scale = p->d_scale, .scale_stride = 1, .rows = p->m, .n = p->n,
			.group = p->n,
		});
}
