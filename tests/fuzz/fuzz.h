/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: bytes of an input as values, a device that lives as long as the process, jobs
 * that are killed where they take too long, and memory that must not change.
 *
 * A target that finds something wrong says what it expected and aborts; libFuzzer keeps the input.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quill_host.h"

/* A job may take this long before it is killed: some loop for ever. */
#define FUZZ_JOB_MS	4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* ---- the input ---- */

/** struct fuzz_in - what is left of an input; reads as zero behind its end */
struct fuzz_in {
	const uint8_t *p;
	size_t left;
};

void fuzz_bytes(struct fuzz_in *in, void *to, size_t size);
uint8_t fuzz_u8(struct fuzz_in *in);
uint16_t fuzz_u16(struct fuzz_in *in);
uint32_t fuzz_u32(struct fuzz_in *in);
uint64_t fuzz_u64(struct fuzz_in *in);

/** fuzz_expect() - abort with a message unless @ok */
void fuzz_expect(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- the device ---- */

/** fuzz_end() - wait for job @seq of queue @q, and kill it if it does not end soon */
struct quill_job_cpl fuzz_end(struct quill_host *h, uint32_t q, uint32_t seq);
/** fuzz_no_maps() - wait for the last mapping of host memory to be gone; it must not take long */
void fuzz_no_maps(struct quill_host *h);

/* ---- memory that must not change ---- */

/** struct fuzz_watch - a copy of a region, and which of its bytes may differ from it */
struct fuzz_watch {
	const char *name;
	uint8_t *mem;
	size_t size;
	uint8_t *copy;
	/* 0xff: may change */
	uint8_t *may;
};

/** fuzz_watch_init() - nothing may change yet */
void fuzz_watch_init(struct fuzz_watch *w, const char *name, void *mem, size_t size);
void fuzz_watch_allow(struct fuzz_watch *w, size_t offset, size_t size);
/** fuzz_watch_forbid() - the reverse; the bytes are now what the copy says */
void fuzz_watch_forbid(struct fuzz_watch *w, size_t offset, size_t size);
/** fuzz_watch_update() - the host changed these bytes itself */
void fuzz_watch_update(struct fuzz_watch *w, size_t offset, size_t size);
/** fuzz_watch_guard() - the device may not even read these */
void fuzz_watch_guard(struct fuzz_watch *w, size_t offset, size_t size);
/** fuzz_watch_check() - abort if a byte changed that may not */
void fuzz_watch_check(const struct fuzz_watch *w);

#endif /* FUZZ_H */
