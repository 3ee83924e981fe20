// SPDX-License-Identifier: MIT
/* Device time of CONV2D and POOL. */
#include "timing_internal.h"

/* Images as rows: a line each if their pixels are dense, else a pixel. */
struct image_rows {
	uint64_t rows, width;
};

static struct image_rows image_rows(uint64_t batch, uint64_t h, uint64_t w, uint64_t channels,
				    uint64_t stride, uint64_t size)
{
	if (stride == channels)
		return (struct image_rows){ batch * h, w * channels * size };
	return (struct image_rows){ batch * h * w, channels * size };
}

/*
 * A product of the windows with each group's weights. Groups that are small share squares of the array: they stand on
 * its diagonal, as many as fit.
 */
static uint64_t conv_blocks(const struct profile *p, const struct quill_cmd_conv2d *c)
{
	uint64_t k = (uint64_t)c->kh * c->kw * (c->in_c / c->groups), n = c->out_c / c->groups;

	if (max64(k, n) <= p->array_dim)
		return div_up(c->groups, p->array_dim / max64(k, n));
	return c->groups * div_up(k, p->array_dim) * div_up(n, p->array_dim);
}

void cost_conv2d(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_conv2d *c = &cmd[0].conv2d;
	const struct quill_ext_conv2d *e = &cmd[1].conv2d_ext;
	const struct quill_ext_conv2d_residual *r = &cmd[2].conv2d_residual;
	uint64_t windows = (uint64_t)c->batch * c->out_h * c->out_w;
	uint64_t input = (uint64_t)c->batch * c->in_h * c->in_w * c->in_c;
	uint64_t scale = c->hdr.type_d == QUILL_TYPE_S8 ? sizeof(struct quill_requant) : 4;
	struct image_rows src = image_rows(c->batch, c->in_h, c->in_w, c->in_c, e->src_stride, 1);
	struct image_rows dst = image_rows(c->batch, c->out_h, c->out_w, c->out_c, e->dst_stride,
					   quill_type_size(c->hdr.type_d));

	cost->macs = windows * c->out_c * ((uint64_t)c->kh * c->kw * (c->in_c / c->groups));
	cost_read(p, cost, c->src, src.rows, src.width);
	/* The input stays in half of the SRAM; where it does not fit, the weights come once for each part of it. */
	cost_read(p, cost, c->weight, div_up(input, p->sram_size / 2),
		  quill_conv_packed_size(c->in_c, c->out_c, c->groups, c->kh, c->kw));
	cost_read(p, cost, e->bias, 1, (uint64_t)c->out_c * 4);
	cost_read(p, cost, e->scale, 1, c->out_c * scale);
	cost_write(p, cost, c->dst, dst.rows, dst.width);
	if (c->hdr.ext > 1) {
		struct image_rows rows = image_rows(c->batch, c->out_h, c->out_w, c->out_c, r->stride, 1);

		cost_read(p, cost, r->residual, rows.rows, rows.width);
		cost_read(p, cost, r->mult, 1, (uint64_t)c->out_c * 4);
	}
	finish(p, systolic_cycles(p, conv_blocks(p, c), windows, cost->mac_kind), cost);
}

void cost_pool(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_pool *c = &cmd->pool;
	uint64_t size = quill_type_size(c->hdr.type_a);
	struct image_rows src = image_rows(c->batch, c->in_h, c->in_w, c->channels, c->src_stride,
					   size);
	struct image_rows dst = image_rows(c->batch, c->out_h, c->out_w, c->channels,
					   c->dst_stride, size);

	cost_read(p, cost, c->src, src.rows, src.width);
	cost_write(p, cost, c->dst, dst.rows, dst.width);
	/* each tap, and a mean is divided */
	finish_vector(p, (uint64_t)c->batch * c->out_h * c->out_w, c->channels,
		      (uint64_t)c->kh * c->kw + (c->op != QUILL_POOL_MAX), cost);
}
