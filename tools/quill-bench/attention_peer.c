// SPDX-License-Identifier: MIT
/*
 * Suite attention: oneDNN's matmul, softmax and matmul, each over all heads at once.
 *
 * Rows that share keys are rows of one product. The first product is int8 to scaled float32, with one scale for all (a
 * scale a key, by its binary post-op, takes its reference implementation: hundreds of times as long), the softmax in
 * place, the second product in float32 by values that were multiplied with their scale beforehand, uncounted.
 */
#include <stdlib.h>

#include "attention.h"
#include "bench.h"
#include "dnnl.h"

struct attention_peer {
	struct bench_dnnl dnnl;
	dnnl_primitive_t scores, softmax, result;
	dnnl_memory_t q, k, s, v, out;
	float *s_bytes, *v_bytes;
};

struct descs {
	dnnl_memory_desc_t q, k, s, v, out;
};

static bool make_descs(struct descs *m, const struct attention_case *c)
{
	dnnl_dim_t g = c->kv_heads, rows = (dnnl_dim_t)c->n_q * c->share, keys = c->n_kv, dim = c->dim;
	dnnl_dims_t q = { g, rows, dim }, k = { g, dim, keys }, s = { g, rows, keys };
	dnnl_dims_t v = { g, keys, dim }, k_strides = { keys * dim, 1, dim };

	return DNNL(dnnl_memory_desc_init_by_tag(&m->q, 3, q, dnnl_s8, dnnl_abc)) &&
	       DNNL(dnnl_memory_desc_init_by_strides(&m->k, 3, k, dnnl_s8, k_strides)) &&
	       DNNL(dnnl_memory_desc_init_by_tag(&m->s, 3, s, dnnl_f32, dnnl_abc)) &&
	       DNNL(dnnl_memory_desc_init_by_tag(&m->v, 3, v, dnnl_f32, dnnl_abc)) &&
	       DNNL(dnnl_memory_desc_init_by_tag(&m->out, 3, q, dnnl_f32, dnnl_abc));
}

static bool make_matmul(struct attention_peer *p, const dnnl_memory_desc_t *a,
			const dnnl_memory_desc_t *b, const dnnl_memory_desc_t *d, const float *scale,
			dnnl_primitive_t *matmul)
{
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_matmul_desc_t op;
	bool ok;

	ok = DNNL(dnnl_matmul_desc_init(&op, a, b, NULL, d)) &&
	     DNNL(dnnl_primitive_attr_create(&attr)) &&
	     (!scale || DNNL(dnnl_primitive_attr_set_output_scales(attr, 1, 0, scale))) &&
	     DNNL(dnnl_primitive_desc_create(&desc, &op, attr, p->dnnl.engine, NULL)) &&
	     DNNL(dnnl_primitive_create(matmul, desc));
	dnnl_primitive_desc_destroy(desc);
	dnnl_primitive_attr_destroy(attr);
	return ok;
}

static bool make_softmax(struct attention_peer *p, const dnnl_memory_desc_t *s)
{
	dnnl_primitive_desc_t desc = NULL;
	dnnl_softmax_desc_t op;
	bool ok;

	ok = DNNL(dnnl_softmax_forward_desc_init(&op, dnnl_forward_inference, s, 2)) &&
	     DNNL(dnnl_primitive_desc_create(&desc, &op, NULL, p->dnnl.engine, NULL)) &&
	     DNNL(dnnl_primitive_create(&p->softmax, desc));
	dnnl_primitive_desc_destroy(desc);
	return ok;
}

static bool make_memory(struct attention_peer *p, const struct attention_case *c, const struct descs *m)
{
	size_t rows = (size_t)c->kv_heads * c->n_q * c->share, keys = (size_t)c->kv_heads * c->n_kv, i;

	p->s_bytes = bench_alloc(rows * c->n_kv * sizeof(float));
	p->v_bytes = bench_alloc(keys * c->dim * sizeof(float));
	for (i = 0; i < keys * c->dim; i++)
		p->v_bytes[i] = (float)c->v[i] * c->kv_scale;
	return DNNL(dnnl_memory_create(&p->q, &m->q, p->dnnl.engine, c->q)) &&
	       DNNL(dnnl_memory_create(&p->k, &m->k, p->dnnl.engine, c->k)) &&
	       DNNL(dnnl_memory_create(&p->s, &m->s, p->dnnl.engine, p->s_bytes)) &&
	       DNNL(dnnl_memory_create(&p->v, &m->v, p->dnnl.engine, p->v_bytes)) &&
	       DNNL(dnnl_memory_create(&p->out, &m->out, p->dnnl.engine, c->out));
}

struct attention_peer *attention_peer_new(const struct attention_case *c, unsigned int threads)
{
	struct attention_peer *p = calloc(1, sizeof(*p));
	float scale = c->q_scale * c->kv_scale * attention_softmax_scale(c);
	struct descs m;

	if (p && bench_dnnl_init(&p->dnnl, threads) && make_descs(&m, c) &&
	    make_matmul(p, &m.q, &m.k, &m.s, &scale, &p->scores) && make_softmax(p, &m.s) &&
	    make_matmul(p, &m.s, &m.v, &m.out, NULL, &p->result) && make_memory(p, c, &m))
		return p;
	attention_peer_free(p);
	return NULL;
}

bool attention_peer_run(void *peer)
{
	struct attention_peer *p = peer;
	dnnl_exec_arg_t scores[] = {
		{ DNNL_ARG_SRC, p->q }, { DNNL_ARG_WEIGHTS, p->k }, { DNNL_ARG_DST, p->s },
	};
	dnnl_exec_arg_t softmax[] = { { DNNL_ARG_SRC, p->s }, { DNNL_ARG_DST, p->s } };
	dnnl_exec_arg_t result[] = {
		{ DNNL_ARG_SRC, p->s }, { DNNL_ARG_WEIGHTS, p->v }, { DNNL_ARG_DST, p->out },
	};

	return DNNL(dnnl_primitive_execute(p->scores, p->dnnl.stream, 3, scores)) &&
	       DNNL(dnnl_primitive_execute(p->softmax, p->dnnl.stream, 2, softmax)) &&
	       DNNL(dnnl_primitive_execute(p->result, p->dnnl.stream, 3, result)) &&
	       DNNL(dnnl_stream_wait(p->dnnl.stream));
}

void attention_peer_free(struct attention_peer *p)
{
	if (!p)
		return;
	dnnl_primitive_destroy(p->scores);
	dnnl_primitive_destroy(p->softmax);
	dnnl_primitive_destroy(p->result);
	dnnl_memory_destroy(p->q);
	dnnl_memory_destroy(p->k);
	dnnl_memory_destroy(p->s);
	dnnl_memory_destroy(p->v);
	dnnl_memory_destroy(p->out);
	bench_dnnl_exit(&p->dnnl);
	free(p->s_bytes);
	free(p->v_bytes);
	free(p);
}
