// SPDX-License-Identifier: MIT
/* Suite gemm_s8: oneDNN's matmul with weights packed beforehand as it likes them best. */
#include <stdlib.h>

#include "dnnl.h"
#include "gemm_s8.h"

#define MAX_COPIES 16

struct gemm_peer {
	struct bench_dnnl dnnl;
	dnnl_primitive_t matmul;
	dnnl_memory_t a, d, b[MAX_COPIES];
	unsigned int copies, next;
};

static bool make_memory(struct gemm_peer *p, const struct gemm_case *g, dnnl_primitive_desc_t desc)
{
	const dnnl_memory_desc_t *wanted =
		dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
	const dnnl_memory_desc_t *a = dnnl_primitive_desc_query_md(desc, dnnl_query_src_md, 0);
	const dnnl_memory_desc_t *d = dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0);
	dnnl_dims_t dims = { g->k, g->n };
	dnnl_memory_desc_t plain;
	unsigned int i;

	if (!DNNL(dnnl_memory_desc_init_by_tag(&plain, 2, dims, dnnl_s8, dnnl_ab)) ||
	    !DNNL(dnnl_memory_create(&p->a, a, p->dnnl.engine, g->a)) ||
	    !DNNL(dnnl_memory_create(&p->d, d, p->dnnl.engine, g->d)))
		return false;
	p->copies = g->copies < MAX_COPIES ? g->copies : MAX_COPIES;
	for (i = 0; i < p->copies; i++)
		if (!bench_dnnl_reorder(&p->dnnl, &plain, g->b, wanted, &p->b[i]))
			return false;
	return true;
}

static bool make_matmul(struct gemm_peer *p, const struct gemm_case *g)
{
	dnnl_dims_t da = { g->m, g->k }, db = { g->k, g->n }, dd = { g->m, g->n };
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_memory_desc_t a, b, d;
	dnnl_matmul_desc_t op;
	bool ok;

	ok = DNNL(dnnl_memory_desc_init_by_tag(&a, 2, da, dnnl_s8, dnnl_ab)) &&
	     DNNL(dnnl_memory_desc_init_by_tag(&b, 2, db, dnnl_s8, dnnl_format_tag_any)) &&
	     DNNL(dnnl_memory_desc_init_by_tag(&d, 2, dd, dnnl_s8, dnnl_ab)) &&
	     DNNL(dnnl_matmul_desc_init(&op, &a, &b, NULL, &d)) &&
	     DNNL(dnnl_primitive_attr_create(&attr)) &&
	     DNNL(dnnl_primitive_attr_set_output_scales(attr, g->n, 1 << 1, g->scale)) &&
	     DNNL(dnnl_primitive_desc_create(&desc, &op, attr, p->dnnl.engine, NULL)) &&
	     DNNL(dnnl_primitive_create(&p->matmul, desc)) && make_memory(p, g, desc);
	dnnl_primitive_desc_destroy(desc);
	dnnl_primitive_attr_destroy(attr);
	return ok;
}

struct gemm_peer *gemm_peer_new(const struct gemm_case *g, unsigned int threads)
{
	struct gemm_peer *p = calloc(1, sizeof(*p));

	if (p && bench_dnnl_init(&p->dnnl, threads) && make_matmul(p, g))
		return p;
	gemm_peer_free(p);
	return NULL;
}

bool gemm_peer_run(void *peer)
{
	struct gemm_peer *p = peer;
	dnnl_exec_arg_t args[] = {
		{ DNNL_ARG_SRC, p->a },
		{ DNNL_ARG_WEIGHTS, p->b[p->next] },
		{ DNNL_ARG_DST, p->d },
	};

	p->next = (p->next + 1) % p->copies;
	return DNNL(dnnl_primitive_execute(p->matmul, p->dnnl.stream, 3, args)) &&
	       DNNL(dnnl_stream_wait(p->dnnl.stream));
}

void gemm_peer_free(struct gemm_peer *p)
{
	unsigned int i;

	if (!p)
		return;
	dnnl_primitive_destroy(p->matmul);
	dnnl_memory_destroy(p->a);
	dnnl_memory_destroy(p->d);
	for (i = 0; i < p->copies; i++)
		dnnl_memory_destroy(p->b[i]);
	bench_dnnl_exit(&p->dnnl);
	free(p);
}
