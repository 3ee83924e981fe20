// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl_fuzz: calls of every ioctl of the driver, and of DRM's that its objects take part in, by several threads on
 * the same few files.
 *
 * Most calls are nearly right: fields have values that fit their names, and one in some has a value from the edges,
 * of another file, or of what is gone. What each thread draws follows from the seed alone (what the calls find there does
 * not, with more than one thread). Afterwards the device has to work, and nothing may be left of all that was made. The kernel's
 * log is looked at by who started the machine.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "quill_test.h"

#define FILES		4
#define POOL		32
#define MAX_THREADS	16
#define SCRATCH		(64 * 1024)

struct field {
	const char *name;
	size_t offset, size;
	/* of an array: the structure of its elements; else -1 */
	int element;
};

struct record {
	const char *name;
	size_t size;
	const struct field *fields;
	size_t count;
};

struct request {
	const char *name;
	unsigned long number;
	int record;
};

#define FIELD(type, field, of) { #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), of }
#define RECORD(type) [STRUCT_##type] = { #type, sizeof(struct type), fields_##type, ARRAY_SIZE(fields_##type) }
#define REQUEST(number, type) { #number, number, STRUCT_##type }
#include "uapi_tables.h"

/* What has been made on a file: ids, without any lock, so that threads meet. */
enum kind { BO, VM, QUEUE, SYNCOBJ, KINDS };

struct file {
	_Atomic int fd;
	_Atomic uint32_t id[KINDS][POOL];
};

static struct file files[FILES];
static atomic_ulong calls_done, tried[ARRAY_SIZE(requests)], went_well[ARRAY_SIZE(requests)];
static unsigned long calls = 1000000, seed = 1;
static unsigned int threads = 4;

struct fuzzer {
	pthread_t thread;
	uint64_t state;
	struct file *file;
	uint8_t *scratch;	/* behind it, a page that is not there */
	uint8_t *readonly;
	size_t used;
};

static uint32_t draw(struct fuzzer *f)
{
	f->state = f->state * 6364136223846793005ull + 1442695040888963407ull;
	return f->state >> 33;
}

static bool one_in(struct fuzzer *f, uint32_t n)
{
	return draw(f) % n == 0;
}

static uint64_t draw64(struct fuzzer *f)
{
	return (uint64_t)draw(f) << 33 ^ draw(f);
}

/* ---- Values --------------------------------------------------------------------------- */

static uint32_t id_of(struct fuzzer *f, enum kind kind)
{
	struct file *file = one_in(f, 32) ? &files[draw(f) % FILES] : f->file;

	return file->id[kind][draw(f) % POOL];
}

static bool is(const struct field *field, const char *name)
{
	return !strcmp(field->name, name);
}

static uint64_t fitting(struct fuzzer *f, const struct record *r, const struct field *field)
{
	if (is(field, "handle"))
		return id_of(f, strstr(r->name, "sync") ? SYNCOBJ : BO);
	if (is(field, "vm_id"))
		return id_of(f, VM);
	if (is(field, "queue_id"))
		return id_of(f, QUEUE);
	if (is(field, "va"))
		return BASE_VA + draw(f) % 64 * PAGE;
	if (is(field, "stream"))
		return BASE_VA + draw(f) % 256 * 64;
	if (is(field, "stream_size"))
		return 64 * (1 + draw(f) % 64);
	if (is(field, "size") && field->size == 8)
		return (1 + draw(f) % 16) * PAGE;
	if (strstr(field->name, "offset"))
		return draw(f) % 4 * PAGE;
	if (is(field, "timeout_ms"))
		return 10 + draw(f) % 100;
	if (is(field, "ptr") || is(field, "size"))
		return is(field, "ptr") ? (uintptr_t)f->scratch : draw(f) % 1024;
	if (!strncmp(field->name, "pad", 3) || (is(field, "flags") && !one_in(f, 8)))
		return 0;
	return draw(f) % 4 ? draw(f) % 3 : draw(f) % 16;
}

static uint64_t at_the_edge(struct fuzzer *f, size_t size)
{
	uint64_t max = size < 8 ? (1ull << size * 8) - 1 : ~0ull;

	switch (draw(f) % 10) {
	case 0: return 0;
	case 1: return 1;
	case 2: return max;
	case 3: return max - 1;
	case 4: return max / 2 + 1;
	case 5: return max & ~(PAGE - 1);
	case 6: return (uintptr_t)f->readonly;
	case 7: return (uintptr_t)(f->scratch + SCRATCH);
	case 8: return 1ull << draw(f) % (size * 8);
	default: return draw64(f) & max;
	}
}

static void put(uint8_t *record, const struct field *field, uint64_t value)
{
	memcpy(record + field->offset, &value, field->size < 8 ? field->size : 8);
}

static uint64_t get(const uint8_t *record, const struct field *field)
{
	uint64_t value = 0;

	memcpy(&value, record + field->offset, field->size < 8 ? field->size : 8);
	return value;
}

static void fill_record(struct fuzzer *f, const struct record *r, uint8_t *out, unsigned int edges);

/* An array in the scratch memory, and sometimes not quite there. */
static void fill_array(struct fuzzer *f, int element, struct drm_quill_array *array)
{
	const struct record *r = &records[element];
	/* there are calls that take an array only with a flag */
	uint32_t count = one_in(f, 3) ? 0 : draw(f) % 5, i;
	uint8_t *at;

	if (f->used + count * r->size > SCRATCH)
		f->used = 0;
	/* up to the missing page, or anywhere */
	at = one_in(f, 8) ? f->scratch + SCRATCH - count * r->size : f->scratch + f->used;
	f->used += count * r->size;
	for (i = 0; i < count; i++)
		fill_record(f, r, at + i * r->size, 24);
	*array = (struct drm_quill_array){ (uintptr_t)at, count, r->size };
	if (one_in(f, 16))
		array->count = at_the_edge(f, 4);
	if (one_in(f, 16))
		array->stride = one_in(f, 2) ? at_the_edge(f, 4) : r->size + 8;
	if (one_in(f, 16))
		array->ptr = one_in(f, 2) ? at_the_edge(f, 8) : array->ptr + 1;
}

static void fill_record(struct fuzzer *f, const struct record *r, uint8_t *out, unsigned int edges)
{
	size_t i;

	memset(out, 0, r->size);
	for (i = 0; i < r->count; i++) {
		const struct field *field = &r->fields[i];
		uint64_t value;

		if (field->element >= 0) {
			fill_array(f, field->element, (struct drm_quill_array *)(out + field->offset));
			continue;
		}
		value = one_in(f, edges) ? at_the_edge(f, field->size) : fitting(f, r, field);
		/* the machine's memory is not what is tested: no object between 4 MiB and what no machine has */
		if (is(field, "size") && value > 4 << 20 && value < 1ull << 41)
			value &= (4 << 20) - 1;
		put(out, field, value);
	}
}

/* ---- Calls ---------------------------------------------------------------------------- */

static int call(struct fuzzer *f, unsigned long request, void *arg)
{
	atomic_fetch_add(&calls_done, 1);
	return ioctl(f->file->fd, request, arg);
}

static void keep(struct fuzzer *f, enum kind kind, uint32_t id)
{
	f->file->id[kind][draw(f) % POOL] = id;
}

/* What a call has made, by the name of the last field that takes it. */
static void keep_made(struct fuzzer *f, const struct request *q, const uint8_t *arg)
{
	static const struct { const char *name; enum kind kind; } made[] = {
		{ "queue_id", QUEUE }, { "vm_id", VM }, { "handle", BO },
	};
	const struct record *r = &records[q->record];
	size_t i, m;

	if (!strstr(q->name, "CREATE"))
		return;
	for (m = 0; m < ARRAY_SIZE(made); m++)
		for (i = 0; i < r->count; i++)
			if (is(&r->fields[i], made[m].name)) {
				keep(f, made[m].kind, get(arg, &r->fields[i]));
				return;
			}
}

static void quill_call(struct fuzzer *f)
{
	const struct request *q = &requests[draw(f) % ARRAY_SIZE(requests)];
	const struct record *r = &records[q->record];
	unsigned long number = q->number;
	uint8_t arg[4096], *at = arg;

	/* or nothing would live long enough to be used, and be writable so long */
	if ((strstr(q->name, "DESTROY") || strstr(q->name, "SEAL")) && !one_in(f, 10))
		return;
	fill_record(f, r, arg, 24);
	if (one_in(f, 64))
		number = _IOC(_IOC_DIR(number), _IOC_TYPE(number), _IOC_NR(number),
			      one_in(f, 2) ? r->size - 8 : draw(f) % 4000);
	if (one_in(f, 64)) {
		at = f->scratch + SCRATCH - draw(f) % (r->size + 1);
		memcpy(at, arg, f->scratch + SCRATCH - at);
	} else if (one_in(f, 64)) {
		at = one_in(f, 2) ? f->readonly : NULL;
	}
	atomic_fetch_add(&tried[q - requests], 1);
	if (call(f, number, at))
		return;
	atomic_fetch_add(&went_well[q - requests], 1);
	if (at == arg)
		keep_made(f, q, arg);
}

static union quill_cmd any_command(struct fuzzer *f)
{
	union quill_cmd cmd;
	size_t i;

	switch (draw(f) % 64) {
	case 0: return q_endless();
	case 1 ... 9:
		for (i = 0; i < sizeof(cmd); i++)
			((uint8_t *)&cmd)[i] = draw(f);
		return cmd;
	case 10 ... 30: return q_fill(BASE_VA + draw(f) % 256 * 64, draw(f), 64);
	default: return q_cmd(QUILL_OP_NOP);
	}
}

static void write_streams(struct fuzzer *f)
{
	struct drm_quill_bo_mmap_offset offset = { .handle = id_of(f, BO) };
	union quill_cmd *cmd;
	size_t i;

	if (call(f, DRM_IOCTL_QUILL_BO_MMAP_OFFSET, &offset))
		return;
	cmd = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, f->file->fd, offset.offset);
	if (cmd == MAP_FAILED)
		return;
	for (i = 0; i < PAGE / sizeof(*cmd); i++)
		cmd[i] = any_command(f);
	munmap(cmd, PAGE);
}

static void drm_call(struct fuzzer *f)
{
	struct drm_gem_close gem = { .handle = id_of(f, BO) };
	struct drm_syncobj_create create = { .flags = draw(f) % 2 };
	struct drm_syncobj_destroy destroy = { .handle = id_of(f, SYNCOBJ) };
	uint32_t handles[2] = { id_of(f, SYNCOBJ), id_of(f, SYNCOBJ) };
	struct drm_syncobj_array array = { .handles = (uintptr_t)handles, .count_handles = 1 + draw(f) % 2 };
	struct drm_syncobj_wait wait = {
		.handles = (uintptr_t)handles, .count_handles = 1 + draw(f) % 2, .flags = draw(f) % 8,
	};
	struct drm_prime_handle prime = { .handle = id_of(f, BO), .flags = DRM_RDWR };

	switch (draw(f) % 8) {
	case 0:
		if (one_in(f, 4))
			call(f, DRM_IOCTL_GEM_CLOSE, &gem);
		break;
	case 1:
	case 2:
		if (!call(f, DRM_IOCTL_SYNCOBJ_CREATE, &create))
			keep(f, SYNCOBJ, create.handle);
		break;
	case 3:
		call(f, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
		break;
	case 4:
		call(f, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
		break;
	case 5:
		call(f, draw(f) % 2 ? DRM_IOCTL_SYNCOBJ_SIGNAL : DRM_IOCTL_SYNCOBJ_RESET, &array);
		break;
	case 6:
		if (call(f, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime))
			break;
		f->file = &files[draw(f) % FILES];
		if (!call(f, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime))
			keep(f, BO, prime.handle);
		close(prime.fd);
		break;
	case 7:
		write_streams(f);
		break;
	}
}

/* In one step, so that the number never belongs to anything else. */
static void reopen(struct fuzzer *f)
{
	int fd = q_open();

	if (fd < 0)
		return;
	dup2(fd, f->file->fd);
	close(fd);
}

static void *fuzz(void *arg)
{
	struct fuzzer *f = arg;

	while (atomic_load(&calls_done) < calls) {
		f->file = &files[draw(f) % FILES];
		if (one_in(f, 2000))
			reopen(f);
		else if (one_in(f, 3))
			drm_call(f);
		else
			quill_call(f);
	}
	return NULL;
}

/* ---- Before and after --------------------------------------------------------------------- */

static bool start(struct fuzzer *f, unsigned int number)
{
	f->state = seed * 0x9e3779b97f4a7c15ull + number;
	f->scratch = mmap(NULL, SCRATCH + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	f->readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->scratch == MAP_FAILED || f->readonly == MAP_FAILED || mprotect(f->scratch + SCRATCH, PAGE, PROT_NONE))
		return false;
	return !pthread_create(&f->thread, NULL, fuzz, f);
}

static bool run(void)
{
	static struct fuzzer fuzzers[MAX_THREADS];
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		files[i].fd = q_open();
		if (files[i].fd < 0)
			return false;
	}
	for (i = 0; i < threads; i++)
		if (!start(&fuzzers[i], i))
			return false;
	for (i = 0; i < threads; i++)
		pthread_join(fuzzers[i].thread, NULL);
	for (i = 0; i < FILES; i++)
		close(files[i].fd);
	return atomic_load(&calls_done) >= calls;
}

/* A fuzzer of which nothing goes well tests the first check of each call alone. */
static bool each_went_well(void)
{
	bool all = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		printf("# %s: %lu of %lu calls went well\n", requests[i].name, went_well[i], tried[i]);
		all &= went_well[i] > 0;
	}
	return all;
}

/* A new file's job gives the right result. */
static bool works(void)
{
	struct q_context ctx;
	union quill_cmd cmd;
	bool ok;

	if (q_context_init(&ctx, 0))
		return false;
	cmd = q_fill(q_data(&ctx), 0x600d600d, PAGE);
	ok = !q_run_wait(&ctx, &cmd, 1) && *(uint32_t *)(ctx.ptr + PAGE + 64) == 0x600d600d;
	q_context_fini(&ctx);
	return ok;
}

/* As many queues and VMs can be made as at first: by now, or when what still runs has timed out. */
static unsigned int most_that_can_be_made(void)
{
	unsigned int count = 0;
	uint32_t id, vm;
	int fd = q_open();

	while (!q_vm_create(fd, &vm))
		count++;
	while (count && !q_queue_create(fd, 1, 0, &id))
		count += 1000;
	close(fd);
	return count;
}

static bool nothing_is_left(unsigned int at_first)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		if (most_that_can_be_made() == at_first)
			return true;
		usleep(200000);
	}
	return false;
}

static int result(int number, bool ok, const char *what)
{
	printf("%sok %d %s\n", ok ? "" : "not ", number, what);
	fflush(stdout);
	return !ok;
}

static int usage(FILE *to)
{
	fprintf(to, "usage: ioctl_fuzz [--calls N] [--seed N] [--threads 1..%u]\n", MAX_THREADS);
	return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "calls", required_argument, NULL, 'c' }, { "seed", required_argument, NULL, 's' },
		{ "threads", required_argument, NULL, 't' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	unsigned int at_first;
	int opt, bad = 0;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'c': calls = strtoul(optarg, NULL, 0); break;
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case 't': threads = strtoul(optarg, NULL, 0); break;
		case 'h': return usage(stdout);
		default: return usage(stderr);
		}
	}
	if (!calls || !threads || threads > MAX_THREADS || optind != argc)
		return usage(stderr);
	printf("TAP version 13\n1..4\n# seed %lu, %lu calls, %u threads\n", seed, calls, threads);
	fflush(stdout);
	at_first = most_that_can_be_made();
	bad |= result(1, at_first > 1000 && run(), "every_ioctl_survives_any_argument");
	bad |= result(2, each_went_well(), "some_calls_of_every_ioctl_go_well");
	bad |= result(3, works(), "the_device_works_afterwards");
	bad |= result(4, nothing_is_left(at_first), "no_queue_and_no_address_space_is_left");
	return bad;
}
