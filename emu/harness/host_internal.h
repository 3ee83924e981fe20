/* SPDX-License-Identifier: MIT */
/* The harness's insides: host.c (device, boot, admin), memory.c, queue.c, stream.c. */
#ifndef HOST_INTERNAL_H
#define HOST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "quill_host.h"

struct qh_core {
	/* bus addresses of its rings and log; and their running count */
	struct quill_fw_boot args;
	uint32_t admin_seq;
};

struct qh_queue {
	uint64_t ring;
	uint64_t cpl;
	uint32_t entries;
	uint32_t tail;
};

struct qh_space {
	uint64_t root;
	/* next free address */
	uint64_t next;
};

struct quill_host {
	struct quill_host_config config;
	struct quill_emu *emu;
	int memfd;
	uint8_t *ram;
	uint64_t ram_used;
	/* buffers, for freeing */
	struct qh_buf **bufs;
	size_t n_bufs;
	uint8_t *image;
	size_t image_size;
	uint64_t image_bus;
	uint32_t n_spaces;
	struct qh_space spaces[QUILL_MAX_AS];
	struct qh_core cores[QUILL_MAX_CORES];
	struct qh_queue queues[QUILL_MAX_QUEUES];

	/* guards msix; signalled whenever a vector is raised */
	pthread_mutex_t lock;
	pthread_cond_t raised;
	unsigned int msix[QUILL_MAX_VECTORS];
	atomic_long maps;
	/* what pretends not to be RAM */
	atomic_ullong hole;
	atomic_ullong hole_size;
	/* guards memory and tables */
	pthread_mutex_t memory_lock;
};

__attribute__((noreturn, format(printf, 1, 2))) void qh_die(const char *fmt, ...);

/* Wait until the 32-bit word at @word is @value, looking whenever a vector is raised. */
bool qh_wait_word(struct quill_host *h, const uint32_t *word, uint32_t value,
		  unsigned int timeout_ms);

void qh_memory_init(struct quill_host *h);
void qh_memory_exit(struct quill_host *h);
void *qh_dma_map(void *opaque, uint64_t addr, uint64_t *len, bool write);
void qh_dma_unmap(void *opaque, void *ptr, uint64_t len, bool write, uint64_t written);

#endif /* HOST_INTERNAL_H */
