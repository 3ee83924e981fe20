// SPDX-License-Identifier: MIT
/*
 * ATTENTION: from a command to tiles.
 *
 * A tile is some queries of some of the heads that share a head of keys and values, over all the keys that
 * they see: so the softmax never crosses tiles, and keys that have to be gathered are gathered for several heads at
 * once.
 */
#include <string.h>

#include "core.h"

#define MAX_QUERIES	32u
/* Between two looks at the abort flag, in multiply-adds. */
#define TILE_MACS	(256ull << 20)

struct attention {
	struct exec *x;
	const struct quill_cmd_attention *cmd;
	const struct quill_ext_attention *ext;
	float softmax_scale;
	bool causal;
	uint32_t share;		/* heads of queries to one of keys */
	uint32_t queries;	/* of a tile */
	uint32_t heads;		/* of a tile, at most @share */
	uint32_t q_tiles;
	uint32_t h_tiles;	/* to one head of keys */
};

/* What one tile works on. */
struct part {
	struct attention *t;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
	uint32_t query, queries;
	uint32_t head, heads;
	uint32_t kv_head;
	uint32_t keys;		/* that the last query sees */
	struct dma_view kv[2], kv_scale[2];
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Two regions of the same shape with one stride for both: in place, or else both copied. */
static uint32_t open_pair(struct part *p, struct dma_rows *rows, uint64_t k, uint64_t v,
			  const enum dma_scratch scratch[2], struct dma_view view[2])
{
	const struct dma_port *port = &p->t->x->port;
	uint32_t align = rows->width == 4 ? 4 : 1;
	uint64_t offset = rows->va;
	uint32_t what;

	rows->va = k + offset;
	if (dma_view_direct(p->ctx, port, rows, align, false, &view[0])) {
		rows->va = v + offset;
		if (dma_view_direct(p->ctx, port, rows, align, false, &view[1]))
			return QUILL_FAULT_NONE;
		dma_view_close(p->ctx, &view[0]);
	}

	rows->va = k + offset;
	what = dma_view_copy(p->ctx, port, rows, scratch[0], &view[0], p->fault);
	rows->va = v + offset;
	if (!what)
		what = dma_view_copy(p->ctx, port, rows, scratch[1], &view[1], p->fault);
	return what;
}

static uint32_t open_keys(struct part *p)
{
	static const enum dma_scratch values[] = { DMA_SCRATCH_A, DMA_SCRATCH_B };
	static const enum dma_scratch scales[] = { DMA_SCRATCH_SCALE, DMA_SCRATCH_ROW_SCALE };
	const struct quill_cmd_attention *c = p->t->cmd;
	const struct quill_ext_attention *e = p->t->ext;
	uint32_t dim = c->head_dim;
	struct dma_rows rows = {
		.va = (uint64_t)p->kv_head * e->kv_head_stride,
		.rows = p->keys,
		.stride = e->kv_stride,
		.width = dim,
	};
	struct dma_rows scale_rows = {
		.va = (uint64_t)p->kv_head * (e->kv_head_stride / dim) * 4,
		.rows = p->keys,
		.stride = (uint64_t)(e->kv_stride / dim) * 4,
		.width = 4,
	};
	uint32_t what;

	what = open_pair(p, &rows, c->k, c->v, values, p->kv);
	if (!what)
		what = open_pair(p, &scale_rows, e->k_scale, e->v_scale, scales, p->kv_scale);
	return what;
}

static void close_keys(struct part *p)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		dma_view_close(p->ctx, &p->kv[i]);
		dma_view_close(p->ctx, &p->kv_scale[i]);
	}
}

static void run_kernel(struct part *p, const struct dma_view *q, const struct dma_view *q_scale,
		       float *out, uint64_t out_stride)
{
	const struct attention *t = p->t;
	struct quill_attention_tile tile = {
		.q = q->ptr,
		.q_stride = q->stride,
		.q_scale = q_scale->ptr,
		.q_scale_stride = q_scale->stride / 4,
		.k = p->kv[0].ptr,
		.v = p->kv[1].ptr,
		.kv_stride = p->kv[0].stride,
		.k_scale = p->kv_scale[0].ptr,
		.v_scale = p->kv_scale[1].ptr,
		.kv_scale_stride = p->kv_scale[0].stride / 4,
		.out = out,
		.out_stride = out_stride,
		.n_q = p->queries,
		.n_kv = t->causal ? t->cmd->n_kv - t->cmd->n_q + p->query + 1 : t->cmd->n_kv,
		.causal = t->causal,
		.head_dim = t->cmd->head_dim,
		.softmax_scale = t->softmax_scale,
	};

	t->x->emu->kernels->attention(&tile);
}

/* Into the result itself where that is contiguous, else by way of scratch. */
static uint32_t run_out(struct part *p, uint32_t head, const struct dma_view *q,
			const struct dma_view *q_scale)
{
	const struct attention *t = p->t;
	uint32_t dim = t->cmd->head_dim;
	struct dma_rows rows = {
		.va = t->cmd->out + ((uint64_t)p->query * t->ext->out_stride +
				     (uint64_t)head * dim) * 4,
		.rows = p->queries,
		.stride = (uint64_t)t->ext->out_stride * 4,
		.width = (uint64_t)dim * 4,
	};
	struct dma_view out;
	float *buf;

	if (dma_view_direct(p->ctx, &t->x->port, &rows, 4, true, &out)) {
		run_kernel(p, q, q_scale, out.ptr, t->ext->out_stride);
		dma_view_close(p->ctx, &out);
		return QUILL_FAULT_NONE;
	}

	buf = dma_scratch(p->ctx, DMA_SCRATCH_D, rows.rows * rows.width);
	if (!buf)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, rows.va);
	run_kernel(p, q, q_scale, buf, dim);
	return dma_write_rows(p->ctx, &t->x->port, &rows, buf, rows.width, p->fault);
}

static uint32_t run_head(struct part *p, uint32_t head)
{
	const struct attention *t = p->t;
	uint32_t dim = t->cmd->head_dim;
	struct dma_rows q_rows = {
		.va = t->cmd->q + (uint64_t)p->query * t->ext->q_stride + (uint64_t)head * dim,
		.rows = p->queries,
		.stride = t->ext->q_stride,
		.width = dim,
	};
	struct dma_rows scale_rows = {
		.va = t->ext->q_scale + ((uint64_t)p->query * (t->ext->q_stride / dim) + head) * 4,
		.rows = p->queries,
		.stride = (uint64_t)(t->ext->q_stride / dim) * 4,
		.width = 4,
	};
	struct dma_view q, q_scale = { 0 };
	uint32_t what;

	what = dma_view_read(p->ctx, &t->x->port, &q_rows, 1, DMA_SCRATCH_SUMS, &q, p->fault);
	if (!what)
		what = dma_view_read(p->ctx, &t->x->port, &scale_rows, 4, DMA_SCRATCH_BIAS,
				     &q_scale, p->fault);
	if (!what)
		what = run_out(p, head, &q, &q_scale);
	dma_view_close(p->ctx, &q);
	dma_view_close(p->ctx, &q_scale);
	return what;
}

static uint32_t attend(void *arg, struct dma_ctx *ctx, uint64_t index, struct dma_fault *fault)
{
	struct attention *t = arg;
	struct part p = { .t = t, .ctx = ctx, .fault = fault };
	uint32_t i, what;

	p.query = index % t->q_tiles * t->queries;
	p.queries = min32(t->queries, t->cmd->n_q - p.query);
	index /= t->q_tiles;
	p.kv_head = index / t->h_tiles;
	i = index % t->h_tiles * t->heads;
	p.heads = min32(t->heads, t->share - i);
	p.head = p.kv_head * t->share + i;
	p.keys = t->causal ? t->cmd->n_kv - t->cmd->n_q + p.query + p.queries : t->cmd->n_kv;

	what = open_keys(&p);
	for (i = 0; i < p.heads && !what; i++)
		what = run_head(&p, p.head + i);
	close_keys(&p);
	return what;
}

/* Cut the command into tiles. Nothing of this shows in the result. */
static void plan(struct attention *t)
{
	uint64_t one = 2ull * t->cmd->n_kv * t->cmd->head_dim;	/* one query, one head */
	uint64_t most = TILE_MACS / one + 1;

	t->share = t->cmd->n_heads / t->cmd->n_kv_heads;
	t->queries = min32(t->cmd->n_q, most < MAX_QUERIES ? most : MAX_QUERIES);
	t->q_tiles = (t->cmd->n_q + t->queries - 1) / t->queries;
	most = most / t->queries + 1;
	t->heads = most < t->share ? most : t->share;
	if ((uint64_t)t->q_tiles * t->cmd->n_kv_heads < 2 * t->x->emu->threads && !t->x->small)
		t->heads = (t->heads + 1) / 2;
	t->h_tiles = (t->share + t->heads - 1) / t->heads;
}

uint32_t exec_attention(struct exec *x, struct dma_fault *fault)
{
	struct attention t = {
		.x = x,
		.cmd = &x->cmd[0].attention,
		.ext = &x->cmd[1].attention_ext,
		.causal = x->cmd->hdr.flags & QUILL_CMD_CAUSAL,
	};
	struct pool_job job = { .tile = attend, .arg = &t, .abort = x->abort };

	memcpy(&t.softmax_scale, &t.ext->softmax_scale, sizeof(t.softmax_scale));
	plan(&t);
	job.tiles = (uint64_t)t.q_tiles * t.cmd->n_kv_heads * t.h_tiles;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
