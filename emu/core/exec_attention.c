// SPDX-License-Identifier: MIT
/*
 * ATTENTION: from a command to tiles.
 *
 * A tile is some queries of some of the heads that share a head of keys and values, over all the keys that
 * they see: so the softmax never crosses tiles, and keys that have to be gathered are gathered for several heads at
 * once.
 */
#include <string.h>

#include "kv.h"

/* Rows (queries times heads) of a tile: two of the kernel's parts, so that keys that are gathered serve both. */
#define TILE_ROWS	(2 * QUILL_ATTENTION_TILE_ROWS)
/* Between two looks at the abort flag, in multiply-adds. */
#define TILE_MACS	(256ull << 20)

struct attention {
	struct exec *x;
	const struct quill_cmd_attention *cmd;
	const struct quill_ext_attention *ext;
	const struct quill_ext_attention_more *more;
	struct kv_pages pages;
	float softmax_scale;
	bool causal;
	uint32_t share;		/* heads of queries to one of keys */
	uint32_t queries;	/* of a tile */
	uint32_t heads;		/* of a tile, at most @share and what a kernel takes */
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
	uint32_t key;		/* first that is wanted, a multiple of a block */
	uint32_t keys;		/* from there, to the last that the last query sees */
	struct dma_view kv[2], kv_scale[2];
	float state[TILE_ROWS * 2];
};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Two regions of the same shape with one stride for both: in place, or else both copied. */
static uint32_t open_pair(struct part *p, const struct kv_array array[2],
			  const enum dma_scratch scratch[2], struct dma_view view[2])
{
	const struct dma_port *port = &p->t->x->port;
	struct dma_rows rows[2];
	uint32_t align = array->align, i, what;

	for (i = 0; i < 2; i++)
		rows[i] = (struct dma_rows){
			.va = array[i].va + p->key * array[i].stride,
			.rows = p->keys,
			.stride = array[i].stride,
			.width = array[i].width,
		};
	if (dma_view_direct(p->ctx, port, &rows[0], align, false, &view[0])) {
		if (dma_view_direct(p->ctx, port, &rows[1], align, false, &view[1]))
			return QUILL_FAULT_NONE;
		dma_view_close(p->ctx, &view[0]);
	}
	what = dma_view_copy(p->ctx, port, &rows[0], scratch[0], &view[0], p->fault);
	if (!what)
		what = dma_view_copy(p->ctx, port, &rows[1], scratch[1], &view[1], p->fault);
	return what;
}

enum { KEYS, VALUES, KEY_SCALES, VALUE_SCALES, ARRAYS };

static const enum dma_scratch scratches[ARRAYS] = {
	DMA_SCRATCH_A, DMA_SCRATCH_B, DMA_SCRATCH_SCALE, DMA_SCRATCH_ROW_SCALE,
};

static bool scaled(const struct attention *t)
{
	return t->cmd->hdr.type_b == QUILL_TYPE_S8;
}

static uint32_t gather_keys(struct part *p, const struct kv_array array[ARRAYS])
{
	struct dma_view *view[ARRAYS] = { &p->kv[0], &p->kv[1], &p->kv_scale[0], &p->kv_scale[1] };
	unsigned int i, arrays = scaled(p->t) ? ARRAYS : KEY_SCALES;
	uint8_t *to[ARRAYS];

	for (i = 0; i < arrays; i++) {
		to[i] = dma_scratch(p->ctx, scratches[i], p->keys * array[i].width);
		if (!to[i])
			return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ,
					array[i].va);
		view[i]->ptr = to[i];
		view[i]->stride = array[i].width;
	}
	return kv_gather(p->ctx, &p->t->pages, array, to, arrays, p->key, p->keys, p->fault);
}

static uint32_t open_keys(struct part *p)
{
	const struct quill_cmd_attention *c = p->t->cmd;
	const struct quill_ext_attention *e = p->t->ext;
	const struct quill_ext_attention_more *m = p->t->more;
	uint64_t head = (uint64_t)p->kv_head * e->kv_head_stride, dim = c->head_dim;
	uint64_t page = m ? m->page_stride : 0, size = quill_type_size(c->hdr.type_b);
	struct kv_array keys = {
		.page_stride = page * size, .stride = e->kv_stride * size, .width = dim * size,
		.align = size,
	};
	struct kv_array scales = {
		.page_stride = page / dim * 4, .stride = e->kv_stride / dim * 4, .width = 4,
		.align = 4,
	};
	struct kv_array array[ARRAYS] = { keys, keys, scales, scales };
	uint32_t what;

	array[KEYS].va = c->k + head * size;
	array[VALUES].va = c->v + head * size;
	array[KEY_SCALES].va = e->k_scale + head / dim * 4;
	array[VALUE_SCALES].va = e->v_scale + head / dim * 4;
	if (p->t->pages.table)
		return gather_keys(p, array);
	what = open_pair(p, &array[KEYS], &scratches[KEYS], p->kv);
	if (!what && scaled(p->t))
		what = open_pair(p, &array[KEY_SCALES], &scratches[KEY_SCALES], p->kv_scale);
	return what;
}

/* Query @i sees keys below this. */
static uint32_t seen_by(const struct attention *t, uint32_t i)
{
	return t->causal ? t->cmd->n_kv - t->cmd->n_q + i + 1 : t->cmd->n_kv;
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
	const struct quill_ext_attention_more *m = t->more;
	struct quill_attention_tile tile = {
		.type_q = t->cmd->hdr.type_a,
		.type_kv = t->cmd->hdr.type_b,
		.q = q->ptr,
		.q_stride = q->stride / quill_type_size(t->cmd->hdr.type_a),
		.q_scale = q_scale->ptr,
		.q_scale_stride = q_scale->stride / 4,
		.k = p->kv[0].ptr,
		.v = p->kv[1].ptr,
		.kv_stride = p->kv[0].stride / quill_type_size(t->cmd->hdr.type_b),
		.k_scale = p->kv_scale[0].ptr,
		.v_scale = p->kv_scale[1].ptr,
		.kv_scale_stride = p->kv_scale[0].stride / 4,
		.out = out,
		.out_stride = out_stride,
		.state = m && m->state ? p->state : NULL,
		.state_stride = 2 * p->heads,
		.n_q = p->queries,
		.heads = p->heads,
		.n_kv = seen_by(t, p->query),
		.window = m ? m->window : 0,
		.first_key = p->key,
		.causal = t->causal,
		.round = m && m->weights == QUILL_WEIGHTS_S16,
		.head_dim = t->cmd->head_dim,
		.softmax_scale = t->softmax_scale,
	};

	t->x->emu->kernels->attention(&tile);
}

/* Into the result itself where that is contiguous, else by way of scratch. */
static uint32_t run_out(struct part *p, const struct dma_view *q, const struct dma_view *q_scale)
{
	const struct attention *t = p->t;
	uint32_t dim = t->cmd->head_dim;
	struct dma_rows rows = {
		.va = t->cmd->out + ((uint64_t)p->query * t->ext->out_stride +
				     (uint64_t)p->head * dim) * 4,
		.rows = p->queries,
		.stride = (uint64_t)t->ext->out_stride * 4,
		.width = (uint64_t)p->heads * dim * 4,
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
	run_kernel(p, q, q_scale, buf, (uint64_t)p->heads * dim);
	return dma_write_rows(p->ctx, &t->x->port, &rows, buf, rows.width, p->fault);
}

static uint32_t write_state(struct part *p)
{
	const struct attention *t = p->t;
	uint64_t pairs = t->cmd->n_heads;
	struct dma_rows rows;

	if (!t->more || !t->more->state)
		return QUILL_FAULT_NONE;
	rows = (struct dma_rows){
		.va = t->more->state + (p->query * pairs + p->head) * 8,
		.rows = p->queries,
		.stride = pairs * 8,
		.width = p->heads * 8,
	};
	return dma_write_rows(p->ctx, &t->x->port, &rows, p->state, rows.width, p->fault);
}

static uint32_t run_queries(struct part *p)
{
	const struct attention *t = p->t;
	uint32_t dim = t->cmd->head_dim, size = quill_type_size(t->cmd->hdr.type_a);
	struct dma_rows q_rows = {
		.va = t->cmd->q + ((uint64_t)p->query * t->ext->q_stride +
				   (uint64_t)p->head * dim) * size,
		.rows = p->queries,
		.stride = (uint64_t)t->ext->q_stride * size,
		.width = (uint64_t)p->heads * dim * size,
	};
	struct dma_rows scale_rows = {
		.va = t->ext->q_scale +
		      ((uint64_t)p->query * (t->ext->q_stride / dim) + p->head) * 4,
		.rows = p->queries,
		.stride = (uint64_t)(t->ext->q_stride / dim) * 4,
		.width = (uint64_t)p->heads * 4,
	};
	struct dma_view q, q_scale = { 0 };
	uint32_t what;

	what = dma_view_read(p->ctx, &t->x->port, &q_rows, size, DMA_SCRATCH_SUMS, &q, p->fault);
	if (!what && scaled(t))
		what = dma_view_read(p->ctx, &t->x->port, &scale_rows, 4, DMA_SCRATCH_BIAS,
				     &q_scale, p->fault);
	if (!what)
		what = run_out(p, &q, &q_scale);
	if (!what)
		what = write_state(p);
	dma_view_close(p->ctx, &q);
	dma_view_close(p->ctx, &q_scale);
	return what;
}

/* The block of the first key that @query sees. */
static uint32_t first_key(const struct attention *t, uint32_t query)
{
	uint32_t window = t->more ? t->more->window : 0, keys = seen_by(t, query);

	return window && keys > window ? (keys - window) / QUILL_ATTENTION_BLOCK * QUILL_ATTENTION_BLOCK : 0;
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
	p.key = first_key(t, p.query);
	p.keys = seen_by(t, p.query + p.queries - 1) - p.key;

	what = open_keys(&p);
	if (!what)
		what = run_queries(&p);
	close_keys(&p);
	return what;
}

/* Cut the command into tiles, whatever the number of threads. Nothing of this shows in the result. */
static void plan(struct attention *t)
{
	uint64_t one = 2ull * t->cmd->n_kv * t->cmd->head_dim;	/* one row */
	uint64_t rows = TILE_MACS / one + 1;

	if (rows > TILE_ROWS)
		rows = TILE_ROWS;
	t->share = t->cmd->n_heads / t->cmd->n_kv_heads;
	t->heads = min32(t->share, min32(rows, QUILL_ATTENTION_TILE_ROWS));
	t->queries = min32(t->cmd->n_q, rows / t->heads);
	t->q_tiles = (t->cmd->n_q + t->queries - 1) / t->queries;
	/* One query and one head of keys: let there be work for two threads nevertheless. */
	if (t->q_tiles * t->cmd->n_kv_heads == 1 && t->heads == t->share)
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

	if (x->cmd->hdr.ext > 1) {
		t.more = &x->cmd[2].attention_more;
		t.pages = (struct kv_pages){ &x->port, t.more->table, t.more->page_size,
					     t.more->pages };
	}
	memcpy(&t.softmax_scale, &t.ext->softmax_scale, sizeof(t.softmax_scale));
	plan(&t);
	job.tiles = (uint64_t)t.q_tiles * t.cmd->n_kv_heads * t.h_tiles;
	return pool_run(x->emu->pool, &job, x->ctx, !x->small, fault);
}
