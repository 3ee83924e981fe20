// SPDX-License-Identifier: MIT
/* Suite conv: oneDNN's convolution, on NHWC images, with weights packed beforehand as it likes them best. */
#include <stdlib.h>

#include "conv.h"
#include "dnnl.h"

struct conv_peer {
	struct bench_dnnl dnnl;
	dnnl_primitive_t conv;
	dnnl_memory_t src, dst, weight;
};

/* Weights without groups have four dimensions, with groups five. */
static bool weight_desc(dnnl_memory_desc_t *desc, const struct conv_case *c, bool any)
{
	dnnl_dims_t dims = { c->groups, c->out_c / c->groups, c->in_c / c->groups, c->taps, c->taps };
	dnnl_dims_t plain = { c->out_c, c->in_c, c->taps, c->taps };

	if (c->groups == 1)
		return DNNL(dnnl_memory_desc_init_by_tag(desc, 4, plain, dnnl_s8,
							 any ? dnnl_format_tag_any : dnnl_oihw));
	return DNNL(dnnl_memory_desc_init_by_tag(desc, 5, dims, dnnl_s8,
						 any ? dnnl_format_tag_any : dnnl_goihw));
}

static bool make_memory(struct conv_peer *p, const struct conv_case *c, dnnl_primitive_desc_t desc)
{
	dnnl_memory_desc_t plain;

	return weight_desc(&plain, c, false) &&
	       DNNL(dnnl_memory_create(&p->src, dnnl_primitive_desc_query_md(desc, dnnl_query_src_md, 0),
				       p->dnnl.engine, c->src)) &&
	       DNNL(dnnl_memory_create(&p->dst, dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0),
				       p->dnnl.engine, c->dst)) &&
	       bench_dnnl_reorder(&p->dnnl, &plain, c->weight,
				  dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0),
				  &p->weight);
}

static bool make_conv(struct conv_peer *p, const struct conv_case *c)
{
	dnnl_dims_t src = { 1, c->in_c, c->in, c->in }, dst = { 1, c->out_c, c->out, c->out };
	dnnl_dims_t stride = { c->stride, c->stride }, pad = { c->pad, c->pad };
	int64_t behind = (int64_t)(c->out - 1) * c->stride + c->taps - c->in - c->pad;
	dnnl_dims_t pad_r = { behind, behind };
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_memory_desc_t a, b, d;
	dnnl_convolution_desc_t op;
	bool ok;

	ok = DNNL(dnnl_memory_desc_init_by_tag(&a, 4, src, dnnl_s8, dnnl_nhwc)) &&
	     weight_desc(&b, c, true) &&
	     DNNL(dnnl_memory_desc_init_by_tag(&d, 4, dst, dnnl_s8, dnnl_nhwc)) &&
	     DNNL(dnnl_convolution_forward_desc_init(&op, dnnl_forward_inference,
						     dnnl_convolution_direct, &a, &b, NULL, &d,
						     stride, pad, pad_r)) &&
	     DNNL(dnnl_primitive_attr_create(&attr)) &&
	     DNNL(dnnl_primitive_attr_set_output_scales(attr, c->out_c, 1 << 1, c->scale)) &&
	     DNNL(dnnl_primitive_desc_create(&desc, &op, attr, p->dnnl.engine, NULL)) &&
	     DNNL(dnnl_primitive_create(&p->conv, desc)) && make_memory(p, c, desc);
	dnnl_primitive_desc_destroy(desc);
	dnnl_primitive_attr_destroy(attr);
	return ok;
}

struct conv_peer *conv_peer_new(const struct conv_case *c, unsigned int threads)
{
	struct conv_peer *p = calloc(1, sizeof(*p));

	if (p && bench_dnnl_init(&p->dnnl, threads) && make_conv(p, c))
		return p;
	conv_peer_free(p);
	return NULL;
}

bool conv_peer_run(void *peer)
{
	struct conv_peer *p = peer;
	dnnl_exec_arg_t args[] = {
		{ DNNL_ARG_SRC, p->src },
		{ DNNL_ARG_WEIGHTS, p->weight },
		{ DNNL_ARG_DST, p->dst },
	};

	return DNNL(dnnl_primitive_execute(p->conv, p->dnnl.stream, 3, args)) &&
	       DNNL(dnnl_stream_wait(p->dnnl.stream));
}

void conv_peer_free(struct conv_peer *p)
{
	if (!p)
		return;
	dnnl_primitive_destroy(p->conv);
	dnnl_memory_destroy(p->src);
	dnnl_memory_destroy(p->dst);
	dnnl_memory_destroy(p->weight);
	bench_dnnl_exit(&p->dnnl);
	free(p);
}
