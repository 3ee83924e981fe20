/* SPDX-License-Identifier: MIT */
/*
 * What libaccel's files share and applications do not see.
 *
 * Objects are counted: each holds a reference to what it was made from, so that applications may
 * destroy them in any order.
 */
#ifndef ACCEL_INTERNAL_H
#define ACCEL_INTERNAL_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "accel.h"
#include "drm/quill_accel.h"
/* Rules with their words: describe.c prints them. */
#define QUILL_CHECK_WORDS
#include "quill/isa_check.h"

#define ACCEL_ALIGN(x, a)	(((x) + (a) - 1) / (a) * (a))
/* A byte of packed weights that stands for 0: with its sign bit flipped. */
#define ACCEL_PAD		0x80

enum accel_log_level {
	ACCEL_LOG_NONE = 0,
	ACCEL_LOG_ERROR = 1,
	ACCEL_LOG_OBJECT = 2,
	ACCEL_LOG_JOB = 3,
};

struct accel_device {
	atomic_uint refs;
	int fd;
	int log_level;
	/* What does not change while the device is open. */
	uint64_t va_start, va_end;
	uint32_t page_size;
	uint32_t max_stream_size;
	uint32_t max_timeout_ms;
	char path[ACCEL_PATH_MAX];
	/*
	 * Guards @shared, the objects that a dma-buf may lead back to: the kernel then gives the handle that there is,
	 * which is to be closed once.
	 */
	pthread_mutex_t bo_lock;
	struct accel_bo *shared;
	/* Guards @error. */
	pthread_mutex_t lock;
	char error[ACCEL_ERROR_MAX];
};

struct accel_bo {
	struct accel_device *dev;
	uint32_t handle;
	size_t size;
	void *ptr;
	bool readonly;
	/* Below: under the device's bo_lock. More than one if it was imported while it was there. */
	unsigned int refs;
	bool shared;
	struct accel_bo *next;
};

/* The addresses of a VM: ranges in use, which do not overlap. */
struct accel_va {
	uint64_t start, end;
	struct accel_va_range *root, *spare;
	uint32_t random;
};

struct accel_vm {
	atomic_uint refs;
	struct accel_device *dev;
	uint32_t id;
	/* Guards @va, and orders binds with it. */
	pthread_mutex_t lock;
	struct accel_va va;
	/* Of binds that do not wait: a syncobj, once there has been one, and its last point; under @lock. */
	uint32_t timeline;
	uint64_t points;
};

struct accel_stream {
	atomic_uint refs;
	struct accel_vm *vm;
	struct accel_buffer buf;
	union quill_cmd *cmds;
	uint32_t count, max;
	/* One more than the largest record that a jump goes to. */
	uint32_t jump_end;
	/* What the next command is to be patched with. */
	unsigned int patches;
	struct {
		char field[24];
		uint32_t reg;
		int32_t scale;
	} patch[ACCEL_PATCHES];
	/* Grows with every reset: records of older numbers are gone. */
	uint64_t generation;
};

/* device.c */
struct accel_device *accel_device_get(struct accel_device *dev);
int accel_ioctl(struct accel_device *dev, unsigned long request, void *arg);
int accel_error(struct accel_device *dev, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void accel_log(struct accel_device *dev, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* va.c */
void accel_va_init(struct accel_va *va, uint64_t start, uint64_t end);
void accel_va_fini(struct accel_va *va);
int accel_va_reserve(struct accel_va *va);
bool accel_va_in_use(const struct accel_va *va, uint64_t start, uint64_t size);
uint64_t accel_va_find(const struct accel_va *va, uint64_t size, uint64_t align, uint64_t guard);
void accel_va_add(struct accel_va *va, uint64_t start, uint64_t size);
void accel_va_remove(struct accel_va *va, uint64_t start, uint64_t size);

/* vm.c */
struct accel_vm *accel_vm_get(struct accel_vm *vm);

/* stream.c */
struct accel_stream *accel_stream_get(struct accel_stream *stream);

/* cmd.c */
int accel_check_u16(struct accel_stream *stream, const char *cmd, const char *field,
		    uint32_t value, uint32_t max);
int accel_patch_encode(struct accel_stream *stream, const union quill_cmd *cmd,
		       union quill_cmd *patch);
void accel_cmd_extend(union quill_cmd *cmd, uint8_t ext);
void accel_cmd_header(union quill_cmd *cmd, uint8_t opcode, const struct accel_cmd_opts *opts);

/* queue.c */
struct accel_queue *accel_queue_get(struct accel_queue *queue);
struct accel_vm *accel_queue_vm(struct accel_queue *queue);
uint64_t accel_vm_points(struct accel_vm *vm);

/* describe.c: words for what was wrong */
void accel_counters_from_drm(struct accel_counters *counters,
			     const struct drm_quill_queue_query *query);
struct quill_field;
uint32_t accel_field_element(const struct quill_field *f);
void accel_describe_cmd(const union quill_cmd *cmd, const struct quill_check *why, char *text,
			size_t size);
void accel_describe_fault(const struct drm_quill_queue_query *fault, const union quill_cmd *cmd,
			  uint32_t records, const union quill_cmd *patch, char *text, size_t size);

/* patch.c: words for what PATCH does */
void accel_describe_patch(const union quill_cmd *patch, const union quill_cmd *cmd, char *text,
			  size_t size);
bool accel_patch_misplaced(const union quill_cmd *patch, const union quill_cmd *cmd, char *text,
			   size_t size);
bool accel_describe_patched(const union quill_cmd *patch, const union quill_cmd *cmd, uint32_t records,
			    uint32_t fault, uint64_t offset, char *text, size_t size);

/* quantise.c */
bool accel_all_finite(const float *x, size_t n);

#endif /* ACCEL_INTERNAL_H */
