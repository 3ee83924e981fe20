// SPDX-License-Identifier: MIT
/* KV_APPEND: keys and values of new tokens, quantised head by head or rounded, into the cache. A tile is some tokens. */
#include "kv.h"

#define TILE_TOKENS	8u

struct append {
	struct exec *x;
	const struct quill_cmd_kv_append *cmd;
	const struct quill_ext_kv_append *ext;
	struct kv_pages pages;
};

/* What one tile works on. */
struct part {
	struct append *a;
	struct dma_ctx *ctx;
	struct dma_fault *fault;
};

/* All heads of one token, @unit bytes each: @offset is where the token is in the cache, in heads. */
static uint32_t write_heads(struct part *p, const void *from, uint64_t to, uint64_t offset, uint32_t unit)
{
	const struct quill_cmd_kv_append *c = p->a->cmd;
	struct dma_rows rows = {
		.va = to + offset * unit,
		.rows = c->heads,
		.stride = (uint64_t)(p->a->ext->kv_head_stride / c->dim) * unit,
		.width = unit,
	};

	return dma_write_rows(p->ctx, &p->a->x->port, &rows, from, unit, p->fault);
}

/* A token's heads as the cache has them, to @to and @scale. */
static void convert_heads(const struct part *p, const float *src, void *to, float *scale)
{
	const struct quill_cmd_kv_append *c = p->a->cmd;
	const struct quill_kernels *kernels = p->a->x->emu->kernels;

	if (c->hdr.type_d == QUILL_TYPE_BF16)
		kernels->convert(&(struct quill_convert_tile){
			.src = src, .dst = to, .rows = 1, .n = (uint32_t)c->heads * c->dim,
			.type_a = QUILL_TYPE_F32, .type_d = QUILL_TYPE_BF16,
		});
	else
		kernels->quantise(&(struct quill_quantise_tile){
			.src = src, .src_stride = c->dim, .dst = to, .dst_stride = c->dim,
			.scale = scale, .scale_stride = 1, .rows = c->heads, .n = c->dim,
			.group = c->dim,
		});
}

static uint32_t append_one(struct part *p, uint32_t token, uint64_t src, uint64_t to, uint64_t scales,
			   uint64_t offset)
{
	const struct quill_cmd_kv_append *c = p->a->cmd;
	uint32_t size = quill_type_size(c->hdr.type_d), what;
	uint64_t row = (uint64_t)c->heads * c->dim;
	struct dma_rows from = {
		.va = src + (uint64_t)token * c->src_stride * 4, .rows = 1, .width = row * 4,
	};
	void *heads = dma_scratch(p->ctx, DMA_SCRATCH_D, row * size);
	float *scale = dma_scratch(p->ctx, DMA_SCRATCH_SCALE, (uint64_t)c->heads * 4);
	struct dma_view view;

	if (!heads || !scale)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, from.va);
	what = dma_view_read(p->ctx, &p->a->x->port, &from, 4, DMA_SCRATCH_A, &view, p->fault);
	if (what)
		return what;
	convert_heads(p, view.ptr, heads, scale);
	dma_view_close(p->ctx, &view);
	what = write_heads(p, heads, to, offset, c->dim * size);
	if (what || c->hdr.type_d == QUILL_TYPE_BF16)
		return what;
	return write_heads(p, scale, scales, offset, 4);
}

static uint32_t append_token(struct part *p, uint32_t token)
{
	const struct quill_cmd_kv_append *c = p->a->cmd;
	const struct quill_ext_kv_append *e = p->a->ext;
	uint32_t key = c->pos + token, page, what;
	uint64_t offset;

	what = kv_page(p->ctx, &p->a->pages, key, &page, p->fault);
	if (what)
		return what;
	if (e->table)
		key %= e->page_size;
	offset = ((uint64_t)page * e->page_stride + (uint64_t)key * e->kv_stride) / c->dim;
	what = append_one(p, token, c->k_src, c->k, e->k_scale, offset);
	if (!what)
		what = append_one(p, token, c->v_src, c->v, e->v_scale, offset);
	return what;
}

static uint32_t append(void *arg, struct dma_ctx *ctx, uint64_t tile, struct dma_fault *fault)
{
	struct append *a = arg;
	struct part p = { .a = a, .ctx = ctx, .fault = fault };
	uint32_t token = tile * TILE_TOKENS, i, what = 0;

	for (i = token; i < a->cmd->tokens && i - token < TILE_TOKENS && !what; i++)
		what = append_token(&p, i);
	return what;
}

uint32_t exec_kv_append(struct exec *x, struct dma_fault *fault)
{
	struct append a = {
		.x = x, .cmd = &x->cmd[0].kv_append, .ext = &x->cmd[1].kv_append_ext,
	};
	struct pool_job job = { .tile = append, .arg = &a, .abort = x->abort };

	a.pages = (struct kv_pages){ &x->port, a.ext->table, a.ext->page_size, a.ext->pages };
	job.tiles = (a.cmd->tokens + TILE_TOKENS - 1) / TILE_TOKENS;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
