// SPDX-License-Identifier: MIT
/* Attention problems with random operands. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "attention_cases.h"

static float *random_scales(struct ref_random *rnd, size_t n, float most)
{
	float *p = guard_alloc(n * sizeof(*p));
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = ref_random_float(rnd, most / 8, most);
	return p;
}

/* int8 as they come, floats -4 .. 4 */
static void *random_values(struct ref_random *rnd, size_t n, uint32_t type)
{
	void *p = guard_alloc(n * quill_type_size(type));
	size_t i;

	if (type == QUILL_TYPE_S8)
		ref_random_s8(rnd, p, n);
	for (i = 0; i < n && type == QUILL_TYPE_BF16; i++)
		((uint16_t *)p)[i] = ref_to_bf16(ref_random_float(rnd, -4, 4));
	for (i = 0; i < n && type == QUILL_TYPE_F32; i++)
		((float *)p)[i] = ref_random_float(rnd, -4, 4);
	return p;
}

struct problem problem_make(struct ref_random *rnd, const struct problem_shape *s)
{
	struct problem p;
	struct ref_attention *t = &p.t;
	size_t dim = s->dim;

	memset(&p, 0, sizeof(p));
	t->n_q = s->n_q;
	t->n_kv = s->n_kv;
	t->n_heads = s->heads;
	t->n_kv_heads = s->kv_heads;
	t->head_dim = s->dim;
	t->causal = s->causal;
	t->window = s->window;
	t->round = s->round;
	t->q_stride = (s->heads + ref_random_below(rnd, 2)) * dim;
	t->out_stride = s->heads * dim + ref_random_below(rnd, 5);
	/* [key][head] or, as a cache may have it, [head][key] */
	if (ref_random(rnd) & 1) {
		t->kv_head_stride = dim;
		t->kv_stride = s->kv_heads * dim;
	} else {
		t->kv_stride = dim;
		t->kv_head_stride = (s->n_kv + ref_random_below(rnd, 3)) * dim;
	}
	t->softmax_scale = 1.0f / sqrtf((float)dim);
	p.q_size = (s->n_q - 1) * t->q_stride + s->heads * dim;
	p.kv_size = (s->n_kv - 1) * t->kv_stride + (s->kv_heads - 1) * t->kv_head_stride + dim;
	p.q_scales = p.q_size / dim;
	p.kv_scales = p.kv_size / dim;
	p.out_size = ((s->n_q - 1) * t->out_stride + s->heads * dim) * sizeof(float);
	t->type_kv = s->bf16 ? QUILL_TYPE_BF16 : QUILL_TYPE_S8;
	t->type_q = !s->bf16 ? QUILL_TYPE_S8 : s->q_bf16 ? QUILL_TYPE_BF16 : QUILL_TYPE_F32;
	t->q = random_values(rnd, p.q_size, t->type_q);
	t->k = random_values(rnd, p.kv_size, t->type_kv);
	t->v = random_values(rnd, p.kv_size, t->type_kv);
	t->q_scale = random_scales(rnd, p.q_scales, 0.02f);
	t->k_scale = random_scales(rnd, p.kv_scales, 0.02f);
	t->v_scale = random_scales(rnd, p.kv_scales, 0.05f);
	t->out = guard_alloc(p.out_size);
	p.want = guard_alloc(p.out_size);
	p.state_size = (size_t)s->n_q * s->heads * 2 * sizeof(float);
	if (s->state) {
		t->state = guard_alloc(p.state_size);
		p.want_state = guard_alloc(p.state_size);
	}
	return p;
}

void problem_free(struct problem *p)
{
	guard_free((void *)p->t.q, p->q_size * quill_type_size(p->t.type_q));
	guard_free((void *)p->t.k, p->kv_size * quill_type_size(p->t.type_kv));
	guard_free((void *)p->t.v, p->kv_size * quill_type_size(p->t.type_kv));
	guard_free((void *)p->t.q_scale, p->q_scales * 4);
	guard_free((void *)p->t.k_scale, p->kv_scales * 4);
	guard_free((void *)p->t.v_scale, p->kv_scales * 4);
	guard_free(p->t.out, p->out_size);
	guard_free(p->want, p->out_size);
	if (p->t.state) {
		guard_free(p->t.state, p->state_size);
		guard_free(p->want_state, p->state_size);
	}
}

/* As the device does it: the heads that share keys together, the queries in parts. */
void problem_run(const struct quill_kernels *e, const struct ref_attention *t, uint32_t part)
{
	uint32_t dim = t->head_dim, share = t->n_heads / t->n_kv_heads, g, i;
	uint32_t q_size = quill_type_size(t->type_q), kv_size = quill_type_size(t->type_kv);

	for (g = 0; g < t->n_kv_heads; g++) {
		size_t kv = g * t->kv_head_stride;

		for (i = 0; i < t->n_q; i += part) {
			size_t q = i * t->q_stride + g * share * dim;
			struct quill_attention_tile tile = {
				.type_q = t->type_q,
				.type_kv = t->type_kv,
				.q = (const char *)t->q + q * q_size,
				.q_stride = t->q_stride,
				.q_scale = t->q_scale + q / dim,
				.q_scale_stride = t->q_stride / dim,
				.k = (const char *)t->k + kv * kv_size,
				.v = (const char *)t->v + kv * kv_size,
				.kv_stride = t->kv_stride,
				.k_scale = t->k_scale + kv / dim,
				.v_scale = t->v_scale + kv / dim,
				.kv_scale_stride = t->kv_stride / dim,
				.out = t->out + i * t->out_stride + g * share * dim,
				.out_stride = t->out_stride,
				.state = t->state ? t->state + (i * t->n_heads + g * share) * 2 :
						    NULL,
				.state_stride = t->n_heads * 2,
				.n_q = t->n_q - i < part ? t->n_q - i : part,
				.heads = share,
				.n_kv = t->causal ? t->n_kv - t->n_q + 1 + i : t->n_kv,
				.window = t->window,
				.causal = t->causal,
				.round = t->round,
				.head_dim = dim,
				.softmax_scale = t->softmax_scale,
			};

			e->attention(&tile);
		}
	}
}

static void explain(const struct quill_kernels *e, const struct problem *p, const char *what,
		    const void *got_bytes, const void *want_bytes)
{
	const uint32_t *got = got_bytes, *want = want_bytes;
	size_t i = 0;

	while (got[i] == want[i])
		i++;
	fail_msg("%s: n_q %u n_kv %u heads %u/%u dim %u causal %d window %u round %d: %s %zu is %08x, expected %08x",
		 e->name, p->t.n_q, p->t.n_kv, p->t.n_heads, p->t.n_kv_heads, p->t.head_dim,
		 p->t.causal, p->t.window, p->t.round, what, i, got[i], want[i]);
}

void problem_check(struct problem *p, uint32_t part)
{
	const struct quill_kernels *e;
	unsigned int i;

	memset(p->t.out, 0x5a, p->out_size);
	ref_attention(&p->t);
	memcpy(p->want, p->t.out, p->out_size);
	if (p->t.state)
		memcpy(p->want_state, p->t.state, p->state_size);
	for (i = 0; (e = quill_engine_at(i)); i++) {
		if (!e->supported())
			continue;
		memset(p->t.out, 0x5a, p->out_size);
		if (p->t.state)
			memset(p->t.state, 0x5a, p->state_size);
		problem_run(e, &p->t, part);
		if (memcmp(p->t.out, p->want, p->out_size))
			explain(e, p, "element", p->t.out, p->want);
		if (p->t.state && memcmp(p->t.state, p->want_state, p->state_size))
			explain(e, p, "state", p->t.state, p->want_state);
	}
}

void problem_check_shape(struct ref_random *rnd, const struct problem_shape *s)
{
	struct problem p = problem_make(rnd, s);

	problem_check(&p, s->n_q);
	problem_free(&p);
}
