// SPDX-License-Identifier: MIT
/* The DMA engine: TIMESTAMP, COPY, FILL. */
#include <string.h>

#include "core.h"

/* Between two looks at the abort flag, and what goes through a buffer at once. */
#define STEP	(64u << 10)
/* A part counts as this many bytes more, so that tiny rows too let invalidations pass. */
#define PART_COST	64u

/* A COPY that is under way. */
struct copier {
	struct exec *x;
	struct dma_fault *fault;
	struct dma_cursor src, dst;
	/* Bytes since the access began anew: a big copy lets invalidations pass. */
	uint64_t since;
};

uint32_t exec_timestamp(struct exec *x, struct dma_fault *fault)
{
	uint64_t time = x->end;
	uint32_t what;

	dma_begin(x->ctx);
	what = dma_write(x->ctx, &x->port, x->cmd->timestamp.dst, &time, sizeof(time), fault);
	dma_end(x->ctx);
	return what;
}

/* End the access that is under way and begin a new one, so that an invalidation need not wait. */
static void renew(struct exec *x, struct dma_cursor *a, struct dma_cursor *b)
{
	dma_cursor_close(x->ctx, a);
	if (b)
		dma_cursor_close(x->ctx, b);
	dma_end(x->ctx);
	dma_begin(x->ctx);
}

/* Up to @len bytes; returns how many were copied, or 0 and a fault. */
static uint64_t copy_some(struct copier *c, uint64_t dst, uint64_t src, uint64_t len)
{
	uint64_t got, room;
	uint8_t *from, *to;

	if (dma_cursor_at(c->x->ctx, &c->src, src, len, &from, &got, c->fault) ||
	    dma_cursor_at(c->x->ctx, &c->dst, dst, got, &to, &room, c->fault))
		return 0;
	memmove(to, from, room);
	return room;
}

/* @len bytes, at most STEP, through a buffer. */
static uint32_t copy_buffered(struct copier *c, uint64_t dst, uint64_t src, uint64_t len)
{
	struct exec *x = c->x;
	uint32_t what;
	void *buf;

	buf = dma_scratch(x->ctx, DMA_SCRATCH_A, STEP);
	if (!buf)
		return dma_fail(c->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, src);
	what = dma_read(x->ctx, &x->port, src, buf, len, c->fault);
	if (what)
		return what;
	return dma_write(x->ctx, &x->port, dst, buf, len, c->fault);
}

/*
 * One row, as if through a buffer that holds all of it. Where the regions overlap, the
 * direction keeps what is yet to be read from being written; otherwise forward, straight.
 */
static uint32_t copy_row(struct copier *c, uint64_t dst, uint64_t src, uint64_t width)
{
	bool overlap = dst < src + width && src < dst + width;
	uint64_t done, part;
	uint32_t what;

	for (done = 0; done < width; done += part) {
		if (exec_aborted(c->x))
			return QUILL_FAULT_KILLED;
		part = width - done < STEP ? width - done : STEP;
		if (overlap && dst > src) {
			uint64_t at = width - done - part;

			what = copy_buffered(c, dst + at, src + at, part);
		} else if (overlap) {
			what = copy_buffered(c, dst + done, src + done, part);
		} else {
			part = copy_some(c, dst + done, src + done, part);
			what = part ? 0 : c->fault->fault;
		}
		if (what)
			return what;
		c->since += part + PART_COST;
		if (c->since >= DMA_LEAD) {
			renew(c->x, &c->src, &c->dst);
			c->since = 0;
		}
	}
	return QUILL_FAULT_NONE;
}

uint32_t exec_copy(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_copy *cmd = &x->cmd->copy;
	struct dma_rows src = { cmd->src, cmd->height, cmd->src_stride, cmd->width };
	struct dma_rows dst = { cmd->dst, cmd->height, cmd->dst_stride, cmd->width };
	struct copier c = { .x = x, .fault = fault };
	uint32_t what = 0;
	uint64_t row;

	dma_cursor_init(&c.src, &x->port, &src, false);
	dma_cursor_init(&c.dst, &x->port, &dst, true);
	dma_begin(x->ctx);
	for (row = 0; row < cmd->height && !what; row++)
		what = copy_row(&c, dst.va + row * dst.stride, src.va + row * src.stride,
				cmd->width);
	dma_cursor_close(x->ctx, &c.src);
	dma_cursor_close(x->ctx, &c.dst);
	dma_end(x->ctx);
	return what;
}

static uint64_t replicate(uint64_t value, uint32_t elem)
{
	for (; elem < 8; elem *= 2)
		value |= value << 8 * elem;
	return value;
}

uint32_t exec_fill(struct exec *x, struct dma_fault *fault)
{
	const struct quill_cmd_fill *cmd = &x->cmd->fill;
	struct dma_rows rows = { cmd->dst, cmd->height, cmd->dst_stride, cmd->width };
	uint64_t row, done, part, i, since = 0;
	struct dma_cursor cur;
	uint64_t *pattern;
	uint32_t what = 0;
	uint8_t *ptr;

	pattern = dma_scratch(x->ctx, DMA_SCRATCH_A, STEP + 8);
	if (!pattern)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, cmd->dst);
	for (i = 0; i <= STEP / 8 && i <= cmd->width / 8 + 1; i++)
		pattern[i] = replicate(cmd->value, cmd->elem);

	dma_cursor_init(&cur, &x->port, &rows, true);
	dma_begin(x->ctx);
	for (row = 0; row < cmd->height && !what; row++) {
		for (done = 0; done < cmd->width && !what && !exec_aborted(x); done += part) {
			part = cmd->width - done < STEP ? cmd->width - done : STEP;
			what = dma_cursor_at(x->ctx, &cur, cmd->dst + row * cmd->dst_stride + done,
					     part, &ptr, &part, fault);
			if (what)
				break;
			/* The host may hand out any length: keep the element's phase. */
			memcpy(ptr, (uint8_t *)pattern + done % 8, part);
			since += part + PART_COST;
			if (since >= DMA_LEAD) {
				renew(x, &cur, NULL);
				since = 0;
			}
		}
		if (exec_aborted(x))
			break;
	}
	dma_cursor_close(x->ctx, &cur);
	dma_end(x->ctx);
	return what;
}
