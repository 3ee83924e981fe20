/* SPDX-License-Identifier: MIT */
/*
 * A driver in miniature: the device in this process, with memory, page tables, queues and streams, for
 * unit tests, fuzzers and benchmarks. No VM, no kernel.
 *
 *	struct quill_host *h = qh_create(NULL);		// device booted with the real firmware
 *	uint32_t as = qh_as_create(h);			// an address space
 *	struct qh_buf *a = qh_alloc(h, as, 4096, QH_RW);	// memory mapped into it
 *	struct qh_stream s;
 *
 *	qh_queue_create(h, 0, as, QUILL_FW_PRIORITY_MEDIUM, 16);
 *	qh_stream_init(&s, h, as, 64);
 *	qh_fill(&s, a->va, 4, 0x12345678, 4096);
 *	cpl = qh_run(h, 0, &s);				// submit, wait
 *
 * The qh_ functions abort with a message where something fails that is not the caller's to test
 * (no memory, no firmware image); what a test wants to see fail is returned. One thread may use
 * a queue at a time; different queues, address spaces and buffers made before may be used in parallel.
 */
#ifndef QUILL_HOST_H
#define QUILL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill/fw_abi.h"
#include "quill/isa.h"
#include "quill/regs.h"
#include "quill_emu.h"

/* Rights of a mapping. */
#define QH_R	QUILL_PTE_READ
#define QH_W	QUILL_PTE_WRITE
#define QH_RW	(QUILL_PTE_READ | QUILL_PTE_WRITE)

/* Where guest memory begins on the bus; addresses outside are not RAM. */
#define QH_RAM_BASE	0x100000000ull

#define QH_TIMEOUT_MS	20000

struct quill_host;

/**
 * struct quill_host_config - what qh_create() makes; zero fields take the defaults given
 */
struct quill_host_config {
	/** @emu: the device: mem 16 MiB, cores 1, queues 8, others as quill_emu.h says. */
	struct quill_emu_config emu;
	/** @ram: bytes of guest memory (256 MiB); only what is touched costs. */
	size_t ram;
	/** @scatter: no two neighbouring pages of a buffer are neighbours in memory. */
	bool scatter;
	/** @huge: memory in the host's huge pages, as QEMU gives it to a guest; not with @scatter. */
	bool huge;
	/** @map_limit: dma_map gives at most this many bytes at a time (0: no limit). */
	uint64_t map_limit;
	/** @no_boot: leave the cores off. */
	bool no_boot;
	/** @firmware: path of the image; else $QUILL_FIRMWARE, else build/firmware/quill_fw.bin. */
	const char *firmware;
	/** @heartbeat_us: 10000. */
	uint32_t heartbeat_us;
	/** @watchdog_us: none. */
	uint32_t watchdog_us;
	/** @trace: print the device's trace to stderr. */
	bool trace;
	/** @event: hears what happens in the device, on the device's threads, with @event_arg. */
	void (*event)(void *event_arg, const struct quill_event *event);
	void *event_arg;
};

/** qh_create() - @config may be NULL */
struct quill_host *qh_create(const struct quill_host_config *config);
void qh_destroy(struct quill_host *h);
struct quill_emu *qh_emu(struct quill_host *h);

/** qh_move() - take a snapshot of the paused device, and put it into a new one of this configuration; NULL: the same */
void qh_move(struct quill_host *h, const struct quill_emu_config *config);

/* ---- registers and raw memory ------------------------------------------------- */

uint32_t qh_read(struct quill_host *h, uint64_t reg);
void qh_write(struct quill_host *h, uint64_t reg, uint32_t value);
/** qh_ram() - guest memory at bus address @bus; aborts if it is not RAM */
void *qh_ram(struct quill_host *h, uint64_t bus);
/** qh_ram_alloc() - zeroed contiguous guest memory; never freed */
uint64_t qh_ram_alloc(struct quill_host *h, size_t size, size_t align);
/** qh_hole() - from now on, [bus, bus + size) is not RAM for the device; one hole at a time, size 0: none */
void qh_hole(struct quill_host *h, uint64_t bus, uint64_t size);
/** qh_msix_count() - how often a vector was raised */
unsigned int qh_msix_count(struct quill_host *h, unsigned int vector);
/** qh_dma_maps() - mappings that the device holds now */
long qh_dma_maps(struct quill_host *h);

/* ---- boot ------------------------------------------------------------------------ */

/** qh_boot_args() - good boot arguments for a core, with rings and a log of their own */
struct quill_fw_boot qh_boot_args(struct quill_host *h, unsigned int core);
/** qh_boot() - start a core with these arguments and the image; its status when it is no longer BOOTING */
uint32_t qh_boot(struct quill_host *h, unsigned int core, const struct quill_fw_boot *args,
		 const void *image, size_t size);
/** qh_core_args() - what qh_boot() last gave to the core */
const struct quill_fw_boot *qh_core_args(struct quill_host *h, unsigned int core);
/** qh_image() - the firmware image of the configuration */
const void *qh_image(struct quill_host *h, size_t *size);
/** qh_log() - copy out a core's log as a string; its length */
size_t qh_log(struct quill_host *h, unsigned int core, char *text, size_t size);
/** qh_admin() - send @msg (seq is filled in), wait; false if no answer came in time */
bool qh_admin(struct quill_host *h, unsigned int core, struct quill_admin_msg *msg,
	      struct quill_admin_cpl *cpl);
/** qh_admin_send() - send only; the request's seq */
uint32_t qh_admin_send(struct quill_host *h, unsigned int core, struct quill_admin_msg *msg);
bool qh_admin_wait(struct quill_host *h, unsigned int core, uint32_t seq,
		   struct quill_admin_cpl *cpl);

/* ---- address spaces and memory ------------------------------------------------------ */

/** struct qh_buf - memory that the device sees at @va and the test at @ptr, contiguous in both views */
struct qh_buf {
	uint64_t va;
	size_t size;
	uint8_t *ptr;
	uint32_t as;
	/* bus address of the first page; of page i without scatter: + i * 4096 */
	uint64_t bus;
};

/** qh_as_create() - a new address space, enabled and empty; its number */
uint32_t qh_as_create(struct quill_host *h);
void qh_as_disable(struct quill_host *h, uint32_t as);
/** qh_map() - map @size bytes at @va to bus address @bus; 2 MiB pages where they fit; @bits: rights, DEVMEM */
void qh_map(struct quill_host *h, uint32_t as, uint64_t va, uint64_t bus, uint64_t size,
	    uint64_t bits);
/** qh_unmap() - unmap and wait for the invalidation */
void qh_unmap(struct quill_host *h, uint32_t as, uint64_t va, uint64_t size);
/** qh_pte() - the level 0 entry of @va, tables made as needed: for tests that break it */
uint64_t *qh_pte(struct quill_host *h, uint32_t as, uint64_t va);
void qh_invalidate(struct quill_host *h, uint32_t as);
/** qh_alloc() - zeroed memory at a fresh address, an unmapped page before and behind */
struct qh_buf *qh_alloc(struct quill_host *h, uint32_t as, size_t size, uint64_t rights);
/** qh_alloc_at() - likewise, at @va (page aligned) */
struct qh_buf *qh_alloc_at(struct quill_host *h, uint32_t as, uint64_t va, size_t size,
			   uint64_t rights);

/* ---- queues and jobs -------------------------------------------------------------------- */

/** qh_queue_create() - make hardware queue @q with vector 1 + q; enum quill_admin_status */
uint32_t qh_queue_create(struct quill_host *h, uint32_t q, uint32_t as, uint32_t priority,
			 uint32_t entries);
uint32_t qh_queue_destroy(struct quill_host *h, uint32_t q);
uint32_t qh_queue_kill(struct quill_host *h, uint32_t q);
/** qh_queue_ring(), qh_queue_cpl() - bus addresses of a queue's rings */
uint64_t qh_queue_ring(struct quill_host *h, uint32_t q);
uint64_t qh_queue_cpl(struct quill_host *h, uint32_t q);
/** qh_submit() - a job into the ring, and the doorbell; number of its completion. Waits while the ring is full */
uint32_t qh_submit(struct quill_host *h, uint32_t q, uint64_t stream, uint32_t size, uint64_t job);
/** qh_submit_desc() - likewise, any descriptor; @ring: ring the doorbell */
uint32_t qh_submit_desc(struct quill_host *h, uint32_t q, const struct quill_job_desc *desc,
			bool ring);
/** qh_doorbell() - write a queue's doorbell */
void qh_doorbell(struct quill_host *h, uint32_t q, uint32_t tail);
/** qh_wait() - wait for completion @seq of @q; false if it did not come in @timeout_ms */
bool qh_wait(struct quill_host *h, uint32_t q, uint32_t seq, unsigned int timeout_ms,
	     struct quill_job_cpl *cpl);

/* ---- streams --------------------------------------------------------------------------------- */

/** struct qh_stream - commands in a buffer of their own */
struct qh_stream {
	struct quill_host *host;
	struct qh_buf *buf;
	union quill_cmd *cmd;
	uint32_t count;
	uint32_t max;
};

void qh_stream_init(struct qh_stream *s, struct quill_host *h, uint32_t as, uint32_t max);
/** qh_submit_stream() - the stream as a job; number of its completion */
uint32_t qh_submit_stream(struct quill_host *h, uint32_t q, const struct qh_stream *s);
/** qh_run() - submit and wait; aborts if it takes longer than QH_TIMEOUT_MS */
struct quill_job_cpl qh_run(struct quill_host *h, uint32_t q, const struct qh_stream *s);

/*
 * Encoders: append, and return the record so that the caller can add flags, semaphores, seq, or
 * mistakes. qh_wait_sem() and qh_signal_sem() do it in line.
 */
union quill_cmd *qh_cmd(struct qh_stream *s, uint8_t opcode);
union quill_cmd *qh_nop(struct qh_stream *s);
union quill_cmd *qh_fence(struct qh_stream *s);
union quill_cmd *qh_sem_wait(struct qh_stream *s, uint8_t sem, uint32_t value);
union quill_cmd *qh_sem_signal(struct qh_stream *s, uint8_t sem);
/** qh_jump() - to record @index */
union quill_cmd *qh_jump(struct qh_stream *s, uint32_t index);
/** qh_call() - CALL of another stream, as it is now */
union quill_cmd *qh_call(struct qh_stream *s, const struct qh_stream *callee);
/** qh_loop() - LOOP to record @index, @limit rounds counted by register @reg; the caller may add a word to look at */
union quill_cmd *qh_loop(struct qh_stream *s, uint32_t index, uint16_t reg, uint32_t limit);
/** qh_set() - SET register @reg; @op is an enum quill_set_op */
union quill_cmd *qh_set(struct qh_stream *s, uint16_t reg, uint16_t op, uint32_t value);
/** qh_patch() - PATCH with one entry: the field @offset bytes from the next command's start += @reg * @scale */
union quill_cmd *qh_patch(struct qh_stream *s, uint32_t reg, uint32_t offset, bool wide,
			  int32_t scale);
union quill_cmd *qh_timestamp(struct qh_stream *s, uint64_t dst);
union quill_cmd *qh_copy(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t bytes);
union quill_cmd *qh_copy_2d(struct qh_stream *s, uint64_t dst, uint32_t dst_stride, uint64_t src,
			    uint32_t src_stride, uint64_t width, uint32_t height);
union quill_cmd *qh_fill(struct qh_stream *s, uint64_t dst, uint32_t elem, uint64_t value,
			 uint64_t bytes);
/** qh_transpose() - one matrix, dense */
union quill_cmd *qh_transpose(struct qh_stream *s, uint64_t dst, uint64_t src, uint32_t rows,
			      uint32_t cols, uint32_t elem);
/** qh_gemm() - S32 result, dense, no bias; the epilogue is in [1].gemm_ext for the caller to change */
union quill_cmd *qh_gemm(struct qh_stream *s, uint64_t a, uint64_t b, uint64_t d, uint32_t m,
			 uint32_t n, uint32_t k);
/** struct qh_attention - operands of qh_attention(); strides of 0: dense, [token][head][dim] */
struct qh_attention {
	uint64_t q, k, v, out, q_scale, k_scale, v_scale;
	uint32_t n_q, n_kv, n_heads, n_kv_heads, head_dim;
	uint32_t q_stride, out_stride, kv_stride, kv_head_stride;
	float softmax_scale;
	bool causal;
};
union quill_cmd *qh_attention(struct qh_stream *s, const struct qh_attention *a);

/** struct qh_conv2d - operands of qh_conv2d(): shapes as in isa.h; strides and dilations of 0 are 1 */
struct qh_conv2d {
	uint64_t src, weight, dst;
	uint32_t batch, in_h, in_w, in_c, out_h, out_w, out_c, groups;
	uint32_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
	int8_t pad_value;
};
/** qh_conv2d() - S32 result, dense, no bias; the epilogue is in [1].conv2d_ext for the caller to change */
union quill_cmd *qh_conv2d(struct qh_stream *s, const struct qh_conv2d *c);
/** qh_pool() - @c: no weight, groups, dilation nor out_c; @type of source and result; dense */
union quill_cmd *qh_pool(struct qh_stream *s, const struct qh_conv2d *c, uint32_t type, uint32_t op);

/*
 * VECTOR commands: dense, with none of the operands that may be absent, for the caller to change. A result
 * comes first, as in memcpy().
 */
/** qh_norm() - @opcode: RMSNORM or LAYERNORM; the second record is [1].norm_ext */
union quill_cmd *qh_norm(struct qh_stream *s, uint8_t opcode, uint64_t dst, uint64_t src,
			 uint64_t weight, uint32_t rows, uint32_t n, float eps);
union quill_cmd *qh_softmax(struct qh_stream *s, uint64_t dst, uint64_t src, uint32_t rows,
			    uint32_t n, float scale);
union quill_cmd *qh_rope(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t table,
			 uint32_t rows, uint32_t heads, uint32_t dim);
union quill_cmd *qh_quantise(struct qh_stream *s, uint64_t dst, uint64_t scale, uint64_t src,
			     uint32_t rows, uint32_t n, uint32_t group);
/** qh_quantise_by() - @scale is read; the second record is [1].quantise_ext, zero 0 and all of int8 */
union quill_cmd *qh_quantise_by(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t scale,
				uint32_t rows, uint32_t n, uint32_t group);
union quill_cmd *qh_dequantise(struct qh_stream *s, uint64_t dst, uint64_t src, uint64_t scale,
			       uint32_t rows, uint32_t n, uint32_t group);
union quill_cmd *qh_convert(struct qh_stream *s, uint32_t type_d, uint64_t dst, uint32_t type_a,
			    uint64_t src, uint32_t rows, uint32_t n);
/** qh_repack() - TENSOR; of one dense matrix. S4 is made of S8 */
union quill_cmd *qh_repack(struct qh_stream *s, uint32_t type, uint64_t dst, uint64_t src,
			   uint32_t n, uint32_t k, uint32_t order);
union quill_cmd *qh_eltwise(struct qh_stream *s, uint32_t op, uint64_t dst, uint64_t a, uint64_t b,
			    uint32_t rows, uint32_t n);
/** qh_act() - @gate: 0 for none */
union quill_cmd *qh_act(struct qh_stream *s, uint32_t op, uint64_t dst, uint64_t src, uint64_t gate,
			uint32_t rows, uint32_t n);
union quill_cmd *qh_reduce(struct qh_stream *s, uint32_t op, uint64_t dst, uint64_t src,
			   uint32_t rows, uint32_t n);
/** qh_topk() - @value: 0 for none */
union quill_cmd *qh_topk(struct qh_stream *s, uint64_t value, uint64_t index, uint64_t src,
			 uint32_t rows, uint32_t n, uint32_t k);
/** qh_sample() - no limits, no probabilities; the second record is [1].sample_ext */
union quill_cmd *qh_sample(struct qh_stream *s, uint64_t dst, uint64_t src, uint32_t rows,
			   uint32_t n, float temperature);
union quill_cmd *qh_gather(struct qh_stream *s, uint64_t dst, uint64_t table, uint64_t index,
			   uint32_t rows, uint32_t n, uint32_t table_rows);
/** qh_gather_s8() - with a scale a row; the second record is [1].gather_ext */
union quill_cmd *qh_gather_s8(struct qh_stream *s, uint64_t dst, uint64_t table, uint64_t scale,
			      uint64_t index, uint32_t rows, uint32_t n, uint32_t table_rows);

static inline union quill_cmd *qh_wait_sem(union quill_cmd *cmd, uint8_t sem, uint32_t value)
{
	cmd->hdr.wait_sem = sem;
	cmd->hdr.wait_value = value;
	return cmd;
}

static inline union quill_cmd *qh_signal_sem(union quill_cmd *cmd, uint8_t sem)
{
	cmd->hdr.signal_sem = sem;
	return cmd;
}

/** qh_pack_b() - row-major B (k by n) into packed panels */
void qh_pack_b(uint8_t *packed, const int8_t *b, uint32_t n, uint32_t k);

#endif /* QUILL_HOST_H */
