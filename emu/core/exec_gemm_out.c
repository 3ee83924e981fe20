// SPDX-License-Identifier: MIT
/*
 * GEMM: where a tile's results go, and what it reads on the way: gate, residual, D itself.
 *
 * D is written in place where it is contiguous in the host, else by way of the thread's scratch. So are floats that are
 * quantised by scales that are given. Rows that are quantised each by its own scale have to be whole before: they are
 * collected in a buffer, some at a time.
 */
#include "exec_gemm.h"

/* Of rows that wait to be whole. */
#define BUFFER_BYTES	(8u << 20)
/* Rows that are quantised by one tile. */
#define QUANTISE_BYTES	(256u << 10)

static const union quill_cmd no_post;

void gemm_out_init(struct gemm_out *out, struct exec *x)
{
	*out = (struct gemm_out){ .x = x, .cmd = &x->cmd->gemm, .post = &no_post.gemm_post };
	if (x->cmd->hdr.ext >= 2)
		out->post = &x->cmd[2].gemm_post;
	out->type = out->post->d_scale ? QUILL_TYPE_F32 : x->cmd->hdr.type_d;
	out->size = quill_type_size(out->type);
	out->given = quill_gemm_given_scales(x->cmd);
	out->by_row = out->post->d_scale && !out->given;
}

uint32_t gemm_out_rows(const struct gemm_out *out)
{
	uint32_t rows = BUFFER_BYTES / ((uint64_t)out->cmd->n * sizeof(float));

	if (!out->by_row)
		return UINT32_MAX;
	return rows ? rows : 1;
}

uint32_t gemm_out_begin(struct gemm_out *out, uint32_t first, uint32_t rows,
			struct dma_fault *fault)
{
	out->first = first;
	if (!out->by_row)
		return QUILL_FAULT_NONE;
	out->buffer = dma_scratch(out->x->ctx, DMA_SCRATCH_ROWS,
				  (uint64_t)rows * out->cmd->n * sizeof(float));
	if (out->buffer)
		return QUILL_FAULT_NONE;
	return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, out->cmd->d);
}

/* ---- Quantised rows ---- */

struct quantise {
	const struct gemm_out *out;
	uint32_t rows, step;
};

static uint32_t quantise_rows(void *arg, struct dma_ctx *ctx, uint64_t index,
			      struct dma_fault *fault)
{
	const struct quantise *q = arg;
	const struct gemm_out *out = q->out;
	uint32_t n = out->cmd->n, row = (uint32_t)index * q->step, what;
	uint32_t rows = q->rows - row < q->step ? q->rows - row : q->step;
	uint64_t at = out->first + row;
	struct dma_rows to = {
		.va = out->cmd->d + at * out->cmd->ldd, .rows = rows, .stride = out->cmd->ldd,
		.width = n,
	};
	float *scale = dma_scratch(ctx, DMA_SCRATCH_ROW_SCALE, (uint64_t)rows * sizeof(*scale));
	int8_t *d = dma_scratch(ctx, DMA_SCRATCH_D, (uint64_t)rows * n);

	if (!scale || !d)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, to.va);
	out->x->emu->kernels->quantise(&(struct quill_quantise_tile){
		.src = out->buffer + (uint64_t)row * n, .src_stride = n, .dst = d, .dst_stride = n,
		.scale = scale, .scale_stride = 1, .rows = rows, .n = n, .group = n,
	});
	what = dma_write_rows(ctx, &out->x->port, &to, d, n, fault);
	if (what)
		return what;
	return dma_write(ctx, &out->x->port, out->post->d_scale + at * sizeof(*scale), scale,
			 (uint64_t)rows * sizeof(*scale), fault);
}

uint32_t gemm_out_end(struct gemm_out *out, uint32_t rows, struct dma_fault *fault)
{
	struct quantise q = { .out = out, .rows = rows };
	struct pool_job job = { .tile = quantise_rows, .arg = &q, .abort = out->x->abort };

	if (!out->buffer)
		return QUILL_FAULT_NONE;
	q.step = QUANTISE_BYTES / ((uint64_t)out->cmd->n * sizeof(float)) + 1;
	job.tiles = (rows + q.step - 1) / q.step;
	return pool_run(out->x->emu->pool, &job, out->x->ctx, !out->x->small, fault);
}

/* ---- A tile's place ---- */

/* The part of a matrix of @size-byte elements that lies over the place; none at address 0. */
static uint32_t open_matrix(struct gemm_place *p, uint64_t va, uint64_t stride, uint32_t size,
			    uint64_t at, enum dma_scratch scratch, struct dma_view *view)
{
	struct dma_rows rows = {
		.va = va + at * size,
		.rows = p->rows.rows,
		.stride = stride * size,
		.width = (uint64_t)p->cols * size,
	};

	if (!va)
		return QUILL_FAULT_NONE;
	return dma_view_read(p->ctx, &p->out->x->port, &rows, size, scratch, view, p->fault);
}

static uint32_t open_operands(struct gemm_place *p, uint32_t row, uint32_t col)
{
	const struct quill_ext_gemm_post *post = p->out->post;
	const struct quill_cmd_gemm *c = p->out->cmd;
	uint64_t residual = post->residual, stride = post->residual_stride;
	uint32_t what;

	if (post->options & QUILL_GEMM_ACCUMULATE && p->out->type == QUILL_TYPE_F32) {
		residual = c->d;
		stride = c->ldd;
	}
	what = open_matrix(p, post->gate, post->gate_stride, sizeof(float),
			   (uint64_t)row * post->gate_stride + col, DMA_SCRATCH_GATE, &p->gate);
	if (what)
		return what;
	return open_matrix(p, residual, stride, p->out->type == QUILL_TYPE_S8 ? 1 : sizeof(float),
			   row * stride + col, DMA_SCRATCH_RESIDUAL, &p->residual);
}

/* In scratch; and what D holds, if int32 is added to it. */
static uint32_t open_copy(struct gemm_place *p)
{
	bool accumulates = p->out->post->options & QUILL_GEMM_ACCUMULATE;

	p->d = dma_scratch(p->ctx, DMA_SCRATCH_D, p->rows.rows * (uint64_t)p->cols * p->out->size);
	p->ldd = p->cols;
	if (!p->d)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, p->rows.va);
	if (!accumulates || p->out->type != QUILL_TYPE_S32)
		return QUILL_FAULT_NONE;
	return dma_read_rows(p->ctx, &p->out->x->port, &p->rows, p->d, p->rows.width, p->fault);
}

uint32_t gemm_place_open(struct gemm_place *p, uint32_t row, uint32_t rows, uint32_t col,
			 uint32_t cols)
{
	const struct gemm_out *out = p->out;
	bool reads = out->post->options & QUILL_GEMM_ACCUMULATE && out->type == QUILL_TYPE_S32;
	uint64_t size = quill_type_size(out->cmd->hdr.type_d);
	uint32_t what;

	p->col = col;
	p->cols = cols;
	p->rows = (struct dma_rows){
		.va = out->cmd->d + ((uint64_t)row * out->cmd->ldd + col) * size,
		.rows = rows,
		.stride = out->cmd->ldd * size,
		.width = cols * size,
	};
	what = open_operands(p, row, col);
	if (what)
		return what;
	if (out->buffer) {
		p->d = (uint8_t *)(out->buffer + (uint64_t)(row - out->first) * out->cmd->n + col);
		p->ldd = out->cmd->n;
		return QUILL_FAULT_NONE;
	}
	/* What is to be read as well as written goes the way that asks for both rights. */
	if (reads || out->given ||
	    !dma_view_direct(p->ctx, &out->x->port, &p->rows, out->size, true, &p->direct))
		return open_copy(p);
	p->d = p->direct.ptr;
	p->ldd = out->cmd->ldd;
	return QUILL_FAULT_NONE;
}

/* Floats in scratch to D, by scales that are given. */
static uint32_t quantise_place(struct gemm_place *p)
{
	const struct gemm_out *out = p->out;
	const struct quill_ext_gemm *e = &out->x->cmd[1].gemm_ext;
	bool columns = out->post->options & QUILL_GEMM_SCALE_COLUMNS;
	uint32_t count = columns ? p->cols : 1, what;
	float *scale = dma_scratch(p->ctx, DMA_SCRATCH_ROW_SCALE, count * sizeof(*scale));
	int8_t *d = dma_scratch(p->ctx, DMA_SCRATCH_UNPACK, p->rows.rows * (uint64_t)p->cols);

	if (!scale || !d)
		return dma_fail(p->fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_WRITE, p->rows.va);
	what = dma_read(p->ctx, &out->x->port,
			out->post->d_scale + (columns ? p->col * sizeof(*scale) : 0), scale,
			count * sizeof(*scale), p->fault);
	if (what)
		return what;
	out->x->emu->kernels->quantise_by(&(struct quill_quantise_by_tile){
		.src = (float *)p->d, .src_stride = p->ldd, .dst = d, .dst_stride = p->cols,
		.scale = scale, .rows = (uint32_t)p->rows.rows, .n = p->cols,
		.group = columns ? 1 : p->cols, .zero = e->zero, .lo = e->lo, .hi = e->hi,
	});
	return dma_write_rows(p->ctx, &out->x->port, &p->rows, d, p->cols, p->fault);
}

uint32_t gemm_place_close(struct gemm_place *p, uint32_t what)
{
	bool copied = !p->direct.direct && !p->out->buffer;

	dma_view_close(p->ctx, &p->gate);
	dma_view_close(p->ctx, &p->residual);
	dma_view_close(p->ctx, &p->direct);
	if (what || !copied)
		return what;
	if (p->out->given)
		return quantise_place(p);
	return dma_write_rows(p->ctx, &p->out->x->port, &p->rows, p->d, p->rows.width, p->fault);
}

static const float *from_column(const struct dma_view *view, uint32_t col)
{
	return view->ptr ? (const float *)view->ptr + col : NULL;
}

struct quill_gemm_floats gemm_place_floats(const struct gemm_place *p, uint32_t col)
{
	return (struct quill_gemm_floats){
		.d = p->d + (uint64_t)col * p->out->size,
		.ldd = p->ldd,
		.type_d = p->out->type,
		.act = p->out->post->act,
		.gate = from_column(&p->gate, col),
		.gate_stride = p->gate.stride / sizeof(float),
		.residual = from_column(&p->residual, col),
		.residual_stride = p->residual.stride / sizeof(float),
	};
}
