// SPDX-License-Identifier: MIT
/*
 * Access to memory by device address: runs, cursors, rows and views.
 *
 * A run is what is contiguous in the host from some address on: consecutive pages that follow each
 * other in bus addresses are merged, then mapped with one call. The other three are loops over runs.
 * A mapping lives from dma_open() to dma_close(), always between dma_begin() and dma_end(), so
 * that an invalidation can tell when the last one that it concerns is gone.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

struct dma_ctx *dma_ctx_new(struct quill_emu *emu)
{
	struct dma_ctx *ctx;

	if (emu->mmu.ctxs == MMU_MAX_CTX)
		return NULL;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return NULL;
	ctx->emu = emu;
	emu->mmu.ctx[emu->mmu.ctxs++] = ctx;
	return ctx;
}

void dma_ctx_free(struct dma_ctx *ctx)
{
	unsigned int i;

	if (!ctx)
		return;
	for (i = 0; i < DMA_SCRATCH_COUNT; i++)
		free(ctx->scratch[i].ptr);
	free(ctx);
}

/* A buffer of this thread, 64-byte aligned, its contents undefined; NULL: the host has no more. */
void *dma_scratch(struct dma_ctx *ctx, enum dma_scratch which, uint64_t size)
{
	size = (size + 4095) & ~4095ull;
	if (ctx->scratch[which].size < size) {
		free(ctx->scratch[which].ptr);
		ctx->scratch[which].size = 0;
		ctx->scratch[which].ptr = aligned_alloc(64, size);
		if (ctx->scratch[which].ptr)
			ctx->scratch[which].size = size;
	}
	return ctx->scratch[which].ptr;
}

void dma_begin(struct dma_ctx *ctx)
{
	/*
	 * Sequentially consistent with mmu_invalidate(): either it sees this access, or this
	 * access sees the new generation.
	 */
	atomic_store(&ctx->epoch, atomic_load(&ctx->emu->mmu.epoch));
}

void dma_end(struct dma_ctx *ctx)
{
	unsigned int i;

	atomic_store_explicit(&ctx->epoch, 0, memory_order_release);
	for (i = 0; i < DMA_SCRATCH_COUNT; i++) {
		if (ctx->scratch[i].size <= DMA_SCRATCH_KEEP)
			continue;
		free(ctx->scratch[i].ptr);
		ctx->scratch[i].ptr = NULL;
		ctx->scratch[i].size = 0;
	}
}

static uint32_t open_bus(struct dma_ctx *ctx, uint64_t addr, uint64_t len, bool write,
			 struct dma_run *run)
{
	uint64_t mapped;

	/* The last byte of the space may be reached, not passed. */
	if (len - 1 > UINT64_MAX - addr)
		len = UINT64_MAX - addr + 1;
	mapped = len;
	run->ptr = ctx->emu->ops.dma_map(ctx->emu->opaque, addr, &mapped, write);
	if (!run->ptr)
		return QUILL_FAULT_BUS;
	run->mapped = mapped;
	run->write = write;
	run->len = mapped < len ? mapped : len;
	if (run->len)
		return QUILL_FAULT_NONE;
	dma_close(ctx, run);
	return QUILL_FAULT_BUS;
}

static uint32_t open_devmem(struct dma_ctx *ctx, uint64_t offset, uint64_t len, bool write,
			    struct dma_run *run)
{
	uint64_t size = ctx->emu->mem_size;

	if (offset >= size)
		return QUILL_FAULT_BUS;
	run->ptr = ctx->emu->mem + offset;
	run->len = len < size - offset ? len : size - offset;
	run->mapped = 0;
	run->write = write;
	return QUILL_FAULT_NONE;
}

static void sram_mark(struct slot *slot, uint64_t offset, uint64_t len)
{
	uint64_t i;

	for (i = offset / SRAM_GRANULE; i <= (offset + len - 1) / SRAM_GRANULE; i++)
		atomic_fetch_or_explicit(&slot->sram_dirty[i / 64], 1ull << i % 64,
					 memory_order_relaxed);
}

static uint32_t open_sram(struct dma_ctx *ctx, const struct dma_port *port, uint64_t va,
			  uint64_t len, bool write, struct dma_run *run)
{
	uint64_t size = ctx->emu->profile.sram_size;
	uint64_t offset = va - QUILL_VA_SRAM;
	uint8_t *sram;

	if (offset >= size)
		return QUILL_FAULT_ADDRESS;
	if (!(atomic_load_explicit(&ctx->emu->mmu.as[port->as].ctrl, memory_order_relaxed) &
	      QUILL_AS_CTRL_ENABLE))
		return QUILL_FAULT_AS;
	sram = slot_sram(port->core, port->slot);
	if (!sram)
		return QUILL_FAULT_INTERNAL;
	run->ptr = sram + offset;
	run->len = len < size - offset ? len : size - offset;
	run->mapped = 0;
	run->write = write;
	if (write)
		sram_mark(&port->core->slot[port->slot], offset, run->len);
	return QUILL_FAULT_NONE;
}

static bool follows(uint64_t first, uint64_t next, uint64_t distance)
{
	return (next & QUILL_PTE_ADDR_MASK) == (first & QUILL_PTE_ADDR_MASK) + distance &&
	       (next & QUILL_PTE_DEVMEM) == (first & QUILL_PTE_DEVMEM);
}

static uint32_t pages_of(uint64_t va, uint64_t size)
{
	return (va % QUILL_PAGE_SIZE + size + QUILL_PAGE_SIZE - 1) >> QUILL_PAGE_SHIFT;
}

/**
 * dma_open() - make memory from @va on accessible, up to @want bytes of it
 * @run: what was opened: at least one byte; closed by dma_close()
 *
 * Return: enum quill_fault, of the first byte.
 */
uint32_t dma_open(struct dma_ctx *ctx, const struct dma_port *port, uint64_t va, uint64_t want,
		  bool write, struct dma_run *run)
{
	uint64_t pte, next, addr, len, left;
	uint32_t fault;

	memset(run, 0, sizeof(*run));
	if (want > DMA_RUN_MAX)
		want = DMA_RUN_MAX;
	if (port->as == QUILL_AS_HOST)
		return open_bus(ctx, va, want, write, run);
	if (port->as >= QUILL_MAX_AS)
		return QUILL_FAULT_AS;
	if (va >= QUILL_VA_SRAM)
		return open_sram(ctx, port, va, want, write, run);
	if (want > QUILL_VA_END - va)
		want = QUILL_VA_END - va;

	fault = mmu_translate(ctx, port->as, va, pages_of(va, want), write, &pte, &len);
	if (fault)
		return fault;

	addr = (pte & QUILL_PTE_ADDR_MASK) + va % QUILL_PAGE_SIZE;
	while (len < want && !mmu_translate(ctx, port->as, va + len, pages_of(va + len, want - len),
					    write, &next, &left) &&
	       follows(pte, next, len + va % QUILL_PAGE_SIZE))
		len += left;
	if (len > want)
		len = want;
	if (pte & QUILL_PTE_DEVMEM)
		return open_devmem(ctx, addr, len, write, run);
	if (port->engine != QUILL_ENGINE_FW && inject_take(ctx->emu, QUILL_INJECT_DMA_ERROR))
		return QUILL_FAULT_BUS;
	return open_bus(ctx, addr, len, write, run);
}

void dma_close(struct dma_ctx *ctx, struct dma_run *run)
{
	if (run->mapped)
		ctx->emu->ops.dma_unmap(ctx->emu->opaque, run->ptr, run->mapped, run->write,
					run->write ? run->len : 0);
	memset(run, 0, sizeof(*run));
}

/* Read from a bus address, for page tables and the boot ROM. */
bool dma_bus_read(struct quill_emu *emu, uint64_t addr, void *buf, uint64_t len)
{
	uint64_t part, done, mapped;
	uint8_t *ptr;

	for (done = 0; done < len; done += part) {
		if (addr + done < addr)
			return false;
		part = len - done;
		if (part - 1 > UINT64_MAX - (addr + done))
			return false;
		mapped = part;
		ptr = emu->ops.dma_map(emu->opaque, addr + done, &mapped, false);
		if (!ptr)
			return false;
		if (part > mapped)
			part = mapped;
		memcpy((uint8_t *)buf + done, ptr, part);
		emu->ops.dma_unmap(emu->opaque, ptr, mapped, false, 0);
		if (!part)
			return false;
	}
	return true;
}

void dma_cursor_init(struct dma_cursor *cur, const struct dma_port *port,
		     const struct dma_rows *rows, bool write)
{
	memset(cur, 0, sizeof(*cur));
	cur->port = port;
	cur->end = rows->va + (rows->rows - 1) * rows->stride + rows->width;
	cur->write = write;
	/* Pages between rows that are far apart are not worth their translation. */
	cur->lead = rows->stride <= DMA_LEAD_STRIDE || rows->rows == 1 ? DMA_LEAD : 0;
}

/**
 * dma_cursor_at() - host memory of @va
 * @want: bytes that are wanted, at least 1
 * @len: bytes that there are, 1..@want
 */
uint32_t dma_cursor_at(struct dma_ctx *ctx, struct dma_cursor *cur, uint64_t va, uint64_t want,
		       uint8_t **ptr, uint64_t *len, struct dma_fault *fault)
{
	uint64_t reach, left;
	uint32_t what;

	if (!cur->run.len || va < cur->va || va - cur->va >= cur->run.len) {
		dma_close(ctx, &cur->run);
		reach = cur->end - va < cur->lead ? cur->end - va : cur->lead;
		what = dma_open(ctx, cur->port, va, want > reach ? want : reach, cur->write,
				&cur->run);
		if (what)
			return dma_fail(fault, what,
					cur->write ? QUILL_ACCESS_WRITE : QUILL_ACCESS_READ, va);
		cur->va = va;
	}
	left = cur->run.len - (va - cur->va);
	*ptr = cur->run.ptr + (va - cur->va);
	*len = want < left ? want : left;
	return QUILL_FAULT_NONE;
}

void dma_cursor_close(struct dma_ctx *ctx, struct dma_cursor *cur)
{
	dma_close(ctx, &cur->run);
}

/* A naturally aligned word appears whole, and after what was written before it. */
static void copy_bytes(void *dst, const void *src, uint64_t len)
{
	uintptr_t both = (uintptr_t)dst | (uintptr_t)src;

	if (len == 4 && both % 4 == 0)
		__atomic_store_n((uint32_t *)dst,
				 __atomic_load_n((const uint32_t *)src, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
	else if (len == 8 && both % 8 == 0)
		__atomic_store_n((uint64_t *)dst,
				 __atomic_load_n((const uint64_t *)src, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
	else
		memcpy(dst, src, len);
}

static uint32_t copy_rows(struct dma_ctx *ctx, const struct dma_port *port,
			  const struct dma_rows *rows, uint8_t *buf, uint64_t buf_stride,
			  bool write, struct dma_fault *fault)
{
	uint64_t row, done, part;
	struct dma_cursor cur;
	uint32_t what = 0;
	uint8_t *ptr;

	dma_cursor_init(&cur, port, rows, write);
	for (row = 0; row < rows->rows; row++, buf += buf_stride) {
		for (done = 0; done < rows->width; done += part) {
			what = dma_cursor_at(ctx, &cur, rows->va + row * rows->stride + done,
					     rows->width - done, &ptr, &part, fault);
			if (what)
				goto out;
			if (write)
				copy_bytes(ptr, buf + done, part);
			else
				copy_bytes(buf + done, ptr, part);
		}
	}
out:
	dma_cursor_close(ctx, &cur);
	return what;
}

uint32_t dma_read_rows(struct dma_ctx *ctx, const struct dma_port *port,
		       const struct dma_rows *rows, void *buf, uint64_t buf_stride,
		       struct dma_fault *fault)
{
	return copy_rows(ctx, port, rows, buf, buf_stride, false, fault);
}

uint32_t dma_write_rows(struct dma_ctx *ctx, const struct dma_port *port,
			const struct dma_rows *rows, const void *buf, uint64_t buf_stride,
			struct dma_fault *fault)
{
	return copy_rows(ctx, port, rows, (uint8_t *)(uintptr_t)buf, buf_stride, true, fault);
}

uint32_t dma_read(struct dma_ctx *ctx, const struct dma_port *port, uint64_t va, void *buf,
		  uint64_t len, struct dma_fault *fault)
{
	struct dma_rows rows = { .va = va, .rows = 1, .width = len };

	return copy_rows(ctx, port, &rows, buf, 0, false, fault);
}

uint32_t dma_write(struct dma_ctx *ctx, const struct dma_port *port, uint64_t va, const void *buf,
		   uint64_t len, struct dma_fault *fault)
{
	struct dma_rows rows = { .va = va, .rows = 1, .width = len };

	return dma_write_rows(ctx, port, &rows, buf, 0, fault);
}

/**
 * dma_view_direct() - the host's own memory as a view, where all of the region is one run
 * @align: of the pointer: the host need not give the device address's alignment
 */
bool dma_view_direct(struct dma_ctx *ctx, const struct dma_port *port,
		     const struct dma_rows *rows, uint64_t align, bool write,
		     struct dma_view *view)
{
	uint64_t span = (rows->rows - 1) * rows->stride + rows->width;

	memset(view, 0, sizeof(*view));
	if (span > DMA_RUN_MAX || dma_open(ctx, port, rows->va, span, write, &view->run))
		return false;
	if (view->run.len < span || (uintptr_t)view->run.ptr % align) {
		dma_close(ctx, &view->run);
		return false;
	}
	view->ptr = view->run.ptr;
	view->stride = rows->stride;
	view->direct = true;
	return true;
}

/* A region copied to @scratch, row after row. */
uint32_t dma_view_copy(struct dma_ctx *ctx, const struct dma_port *port,
		       const struct dma_rows *rows, enum dma_scratch scratch,
		       struct dma_view *view, struct dma_fault *fault)
{
	memset(view, 0, sizeof(*view));
	view->ptr = dma_scratch(ctx, scratch, rows->rows * rows->width);
	if (!view->ptr)
		return dma_fail(fault, QUILL_FAULT_INTERNAL, QUILL_ACCESS_READ, rows->va);
	view->stride = rows->width;
	return dma_read_rows(ctx, port, rows, view->ptr, rows->width, fault);
}

/* A region to read as one pointer: direct, or else copied to @scratch. */
uint32_t dma_view_read(struct dma_ctx *ctx, const struct dma_port *port,
		       const struct dma_rows *rows, uint64_t align, enum dma_scratch scratch,
		       struct dma_view *view, struct dma_fault *fault)
{
	if (dma_view_direct(ctx, port, rows, align, false, view))
		return QUILL_FAULT_NONE;
	return dma_view_copy(ctx, port, rows, scratch, view, fault);
}

void dma_view_close(struct dma_ctx *ctx, struct dma_view *view)
{
	if (view->direct)
		dma_close(ctx, &view->run);
	view->direct = false;
}
