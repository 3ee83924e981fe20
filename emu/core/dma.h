/* SPDX-License-Identifier: MIT */
/*
 * How the device reaches memory: translation (mmu.c) and access (dma.c).
 *
 * A thread that touches memory owns a struct dma_ctx: its TLB, its scratch buffers, and the mark
 * that says since when it has been using translations. Nothing in it is shared but that mark, so
 * a translation costs no lock and no shared cache line is written.
 */
#ifndef QUILL_CORE_DMA_H
#define QUILL_CORE_DMA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/regs.h"

struct core;
struct quill_emu;

#define DMA_TLB_ENTRIES	1024u
#define DMA_HUGE_ENTRIES	128u
/* A run is never longer, which bounds the work of one translation. */
#define DMA_RUN_MAX	(1ull << 30)
/* How far ahead of what was asked for a cursor maps, and the largest stride that makes it worth it. */
#define DMA_LEAD	(2ull << 20)
#define DMA_LEAD_STRIDE	(64u << 10)
/* Scratch that is larger goes back to the host after the tile that wanted it. */
#define DMA_SCRATCH_KEEP	(16u << 20)

/* A leaf: 4 KiB or, in a table of their own, 2 MiB. */
struct tlb_entry {
	uint64_t tag;		/* page number | address space << 36 | 1 << 63; 0: empty */
	uint64_t pte;		/* as in the table */
	uint32_t gen;		/* of the address space when this was read */
};

/* What a tile keeps in scratch at one time. */
enum dma_scratch {
	DMA_SCRATCH_A,
	DMA_SCRATCH_SUMS,
	DMA_SCRATCH_B,
	DMA_SCRATCH_D,
	DMA_SCRATCH_BIAS,
	DMA_SCRATCH_SCALE,
	DMA_SCRATCH_ROW_SCALE,
	DMA_SCRATCH_STRIP,
	DMA_SCRATCH_UNPACK,
	DMA_SCRATCH_GATE,
	DMA_SCRATCH_RESIDUAL,
	DMA_SCRATCH_ROWS,
	DMA_SCRATCH_COUNT,
};

struct dma_ctx {
	struct quill_emu *emu;
	/* The epoch in which the access that is under way began; 0: none is. */
	_Atomic uint64_t epoch;
	struct {
		void *ptr;
		size_t size;
	} scratch[DMA_SCRATCH_COUNT];
	struct tlb_entry tlb[DMA_TLB_ENTRIES];
	struct tlb_entry huge[DMA_HUGE_ENTRIES];
};

/* Who accesses, and in which space. */
struct dma_port {
	struct core *core;
	uint8_t as;
	uint8_t engine;		/* enum quill_engine */
	uint8_t slot;		/* whose scratchpad lies in the window */
};

/* What went wrong first. */
struct dma_fault {
	uint32_t fault;		/* enum quill_fault */
	uint32_t access;	/* enum quill_access */
	uint64_t addr;
};

/* Bytes that are contiguous in the host. */
struct dma_run {
	uint8_t *ptr;
	uint64_t len;
	uint64_t mapped;	/* what dma_map returned, to be unmapped; 0: device memory or SRAM */
	bool write;
};

/* A moving window on a region, for accesses that follow each other. */
struct dma_cursor {
	const struct dma_port *port;
	struct dma_run run;	/* len 0: none */
	uint64_t va;		/* of the run's first byte */
	uint64_t end;		/* of the region: nothing beyond is mapped */
	uint64_t lead;
	bool write;
};

/* Rows of @width bytes, @stride apart. */
struct dma_rows {
	uint64_t va;
	uint64_t rows;
	uint64_t stride;
	uint64_t width;
};

/* A region as one pointer: the host's own memory or a copy. */
struct dma_view {
	void *ptr;
	uint64_t stride;
	struct dma_run run;
	bool direct;
};

/* ---- mmu.c ---- */

/* One address space's registers. */
struct mmu_as {
	_Atomic uint64_t root;
	_Atomic uint32_t ctrl;
	_Atomic uint32_t gen;
	/* the fault record, under struct mmu's lock */
	uint32_t fault_status;
	uint64_t fault_addr;
	uint32_t fault_count;
};

#define MMU_MAX_CTX	128

struct mmu {
	pthread_mutex_t lock;
	/* Grows with every invalidation; an access that began in an older one may use old entries. */
	_Atomic uint64_t epoch;
	struct mmu_as as[QUILL_MAX_AS];
	struct dma_ctx *ctx[MMU_MAX_CTX];
	unsigned int ctxs;
};

int mmu_init(struct quill_emu *emu);
void mmu_fini(struct quill_emu *emu);
void mmu_reset(struct quill_emu *emu);
uint32_t mmu_translate(struct dma_ctx *ctx, uint32_t as, uint64_t va, uint32_t pages, bool write,
		       uint64_t *pte, uint64_t *left);
void mmu_invalidate(struct quill_emu *emu, uint32_t what);
bool mmu_busy(struct quill_emu *emu);
void mmu_record(struct quill_emu *emu, const struct dma_port *port, const struct dma_fault *fault);

/* ---- dma.c ---- */

struct dma_ctx *dma_ctx_new(struct quill_emu *emu);
void dma_ctx_free(struct dma_ctx *ctx);
void *dma_scratch(struct dma_ctx *ctx, enum dma_scratch which, uint64_t size);
void dma_begin(struct dma_ctx *ctx);
void dma_end(struct dma_ctx *ctx);

uint32_t dma_open(struct dma_ctx *ctx, const struct dma_port *port, uint64_t va, uint64_t want,
		  bool write, struct dma_run *run);
void dma_close(struct dma_ctx *ctx, struct dma_run *run);

void dma_cursor_init(struct dma_cursor *cur, const struct dma_port *port,
		     const struct dma_rows *rows, bool write);
uint32_t dma_cursor_at(struct dma_ctx *ctx, struct dma_cursor *cur, uint64_t va, uint64_t want,
		       uint8_t **ptr, uint64_t *len, struct dma_fault *fault);
void dma_cursor_close(struct dma_ctx *ctx, struct dma_cursor *cur);

uint32_t dma_read_rows(struct dma_ctx *ctx, const struct dma_port *port,
		       const struct dma_rows *rows, void *buf, uint64_t buf_stride,
		       struct dma_fault *fault);
uint32_t dma_write_rows(struct dma_ctx *ctx, const struct dma_port *port,
			const struct dma_rows *rows, const void *buf, uint64_t buf_stride,
			struct dma_fault *fault);
uint32_t dma_read(struct dma_ctx *ctx, const struct dma_port *port, uint64_t va, void *buf,
		  uint64_t len, struct dma_fault *fault);
uint32_t dma_write(struct dma_ctx *ctx, const struct dma_port *port, uint64_t va, const void *buf,
		   uint64_t len, struct dma_fault *fault);

bool dma_view_direct(struct dma_ctx *ctx, const struct dma_port *port,
		     const struct dma_rows *rows, uint64_t align, bool write,
		     struct dma_view *view);
uint32_t dma_view_copy(struct dma_ctx *ctx, const struct dma_port *port,
		       const struct dma_rows *rows, enum dma_scratch scratch,
		       struct dma_view *view, struct dma_fault *fault);
uint32_t dma_view_read(struct dma_ctx *ctx, const struct dma_port *port,
		       const struct dma_rows *rows, uint64_t align, enum dma_scratch scratch,
		       struct dma_view *view, struct dma_fault *fault);
void dma_view_close(struct dma_ctx *ctx, struct dma_view *view);

bool dma_bus_read(struct quill_emu *emu, uint64_t addr, void *buf, uint64_t len);

static inline uint32_t dma_fail(struct dma_fault *fault, uint32_t what, uint32_t access,
				uint64_t addr)
{
	fault->fault = what;
	fault->access = access;
	fault->addr = addr;
	return what;
}

#endif /* QUILL_CORE_DMA_H */
