// SPDX-License-Identifier: MIT
/* Device time of DMA commands. */
#include "timing_internal.h"

void cost_copy(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_copy *c = &cmd->copy;

	cost_read(p, cost, c->src, c->height, c->width);
	cost_write(p, cost, c->dst, c->height, c->width);
	cost->bytes = c->height * (p->burst + 2 * c->width);
	/* The DMA engine takes a cycle for a row at least. */
	finish(p, c->height * div_up(c->width, p->dma_width), cost);
}

void cost_fill(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_fill *c = &cmd->fill;

	cost_write(p, cost, c->dst, c->height, c->width);
	cost->bytes = c->height * (p->burst + c->width);
	finish(p, c->height * div_up(c->width, p->dma_width), cost);
}

void cost_timestamp(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	cost_write(p, cost, cmd->timestamp.dst, 1, sizeof(__u64));
	/* posted: nothing waits for it */
	cost->cycles = cost->compute = 1;
}

void cost_transpose(const struct profile *p, const union quill_cmd *cmd, struct cost *cost)
{
	const struct quill_cmd_transpose *c = &cmd->transpose;
	uint64_t rows = (uint64_t)c->batch * c->rows, cols = (uint64_t)c->batch * c->cols;
	uint64_t in = (uint64_t)c->cols * c->elem, out = (uint64_t)c->rows * c->elem;

	cost_read(p, cost, c->src, rows, in);
	cost_write(p, cost, c->dst, cols, out);
	cost->bytes = rows * p->burst + cols * p->burst + 2 * rows * in;
	/* rows in and rows out, a cycle each at least; both go on at the same time */
	finish(p, max64(rows * div_up(in, p->dma_width), cols * div_up(out, p->dma_width)), cost);
}
