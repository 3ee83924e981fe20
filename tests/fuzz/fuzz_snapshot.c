// SPDX-License-Identifier: MIT
/*
 * A snapshot that somebody has been at: a real one, with words changed, cut, stretched, or two of them spliced.
 *
 * It is refused with a reason, and the device is as after a reset; or it is taken, and then it is a state like any
 * other: it can be saved, the copy says the same, and the device goes on with it for a moment, whatever it then
 * does. Afterwards a proper boot leads to a device that runs a job.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "host_internal.h"

#define CORES		2u
#define QUEUES		4u
#define BASES		3u
#define MAX_EDITS	24u

static struct {
	struct quill_host *h;
	uint32_t as;
	struct qh_stream job;
	struct {
		uint8_t *data;
		size_t size;
	} base[BASES];
	/* guest memory as it was, for what a broken state writes there */
	uint8_t *ram;
} f;

/* ---- snapshots to begin with ---- */

static void keep(unsigned int i)
{
	quill_emu_pause(f.h->emu);
	f.base[i].data = quill_emu_save(f.h->emu, &f.base[i].size);
	fuzz_expect(f.base[i].data, "a paused device cannot be saved");
	quill_emu_resume(f.h->emu);
}

/* Something waits behind something long in every engine, for two slots; the scratchpad is not empty. */
static uint32_t submit_busy(uint32_t q)
{
	const uint64_t pad = QUILL_VA_SRAM;
	struct qh_buf *b = qh_alloc(f.h, f.as, 65536, QH_RW);
	struct qh_stream s;
	unsigned int i;

	qh_stream_init(&s, f.h, f.as, 64);
	qh_fill(&s, pad, 4, 0x3f800000, 4096);
	for (i = 0; i < 6; i++) {
		qh_gemm(&s, pad, pad, pad, 256, 256, 512);
		qh_fill(&s, b->va, 4, i, b->size);
		qh_softmax(&s, b->va, b->va, 64, 256, 1.0f);
	}
	return qh_submit_stream(f.h, q, &s);
}

static void start(void)
{
	const struct quill_host_config config = {
		.emu = { .mem = 1 << 20, .cores = CORES, .queues = QUEUES, .threads = 2 },
		.ram = 16 << 20,
	};
	struct quill_job_cpl cpl;
	struct qh_buf *b;
	uint32_t q, seq[QUEUES];

	f.h = qh_create(&config);
	f.as = qh_as_create(f.h);
	b = qh_alloc(f.h, f.as, 2 * QUILL_PAGE_SIZE, QH_RW);
	qh_stream_init(&f.job, f.h, f.as, 4);
	qh_copy(&f.job, b->va, b->va + QUILL_PAGE_SIZE, QUILL_PAGE_SIZE);
	keep(0);
	for (q = 0; q < QUEUES; q++) {
		qh_queue_create(f.h, q, f.as, q % QUILL_FW_PRIORITY_COUNT, 16);
		seq[q] = submit_busy(q);
	}
	keep(1);
	usleep(20000);
	keep(2);
	for (q = 0; q < QUEUES; q++)
		fuzz_expect(qh_wait(f.h, q, seq[q], QH_TIMEOUT_MS, &cpl), "a job does not end");
	quill_emu_pause(f.h->emu);
	f.ram = malloc(f.h->ram_used);
	fuzz_expect(f.ram, "no memory");
	memcpy(f.ram, f.h->ram, f.h->ram_used);
}

/* ---- what an input does to one ---- */

struct image {
	uint8_t *data;
	size_t size;
};

static void put64(struct image *m, size_t at, uint64_t value)
{
	memcpy(m->data + at, &value, m->size - at < 8 ? m->size - at : 8);
}

static void edit(struct image *m, struct fuzz_in *in)
{
	uint8_t op = fuzz_u8(in);
	size_t at = (size_t)fuzz_u16(in) * 8 + (op & 0x80 ? fuzz_u8(in) % 8 : 0), n;
	uint64_t word = 0;

	at %= m->size;
	memcpy(&word, m->data + at, m->size - at < 8 ? m->size - at : 8);
	switch (op & 7) {
	case 0:
		put64(m, at, fuzz_u8(in));
		break;
	case 1:
		put64(m, at, fuzz_u64(in));
		break;
	case 2:
		put64(m, at, word ^ 1ull << fuzz_u8(in) % 64);
		break;
	case 3:
		put64(m, at, word + (int8_t)fuzz_u8(in));
		break;
	case 4:
		n = fuzz_u8(in);
		fuzz_bytes(in, m->data + at, n < m->size - at ? n : m->size - at);
		break;
	case 5:
		/* seldom, since it ends most of them */
		if (!fuzz_u8(in))
			m->size = at ? at : 1;
		break;
	case 6:
		n = fuzz_u8(in);
		if (n < m->size - at)
			memmove(m->data + at + n, m->data + at, m->size - at - n);
		break;
	default:
		/* the rest of another one */
		n = fuzz_u8(in) % BASES;
		if (f.base[n].size > at && f.base[n].size <= m->size)
			memcpy(m->data + at, f.base[n].data + at, f.base[n].size - at);
		break;
	}
}

/* ---- what must hold ---- */

static void check_refused(const char *err)
{
	uint32_t i;

	fuzz_expect(*err, "refused without a reason");
	for (i = 0; i < CORES; i++)
		fuzz_expect(qh_read(f.h, QUILL_REG_CORE(i) + QUILL_CORE_STATUS) == QUILL_CORE_OFF,
			    "core %u is not off after a snapshot was refused", i);
	for (i = 1; i < QUILL_MAX_AS; i++)
		fuzz_expect(!qh_read(f.h, QUILL_REG_AS(i) + QUILL_AS_CTRL),
			    "space %u is enabled after a snapshot was refused", i);
}

static void check_taken(void)
{
	size_t size, size2;
	uint8_t *one, *two;
	char err[256] = "";

	one = quill_emu_save(f.h->emu, &size);
	fuzz_expect(one, "what was loaded cannot be saved");
	fuzz_expect(quill_emu_load(f.h->emu, one, size, err, sizeof(err)),
		    "what was loaded and saved is refused: %s", err);
	two = quill_emu_save(f.h->emu, &size2);
	fuzz_expect(two && size == size2 && !memcmp(one, two, size),
		    "what was loaded and saved is not what it is");
	free(one);
	free(two);

	quill_emu_resume(f.h->emu);
	usleep(300);
	quill_emu_pause(f.h->emu);
	fuzz_expect(!qh_dma_maps(f.h), "%ld DMA mappings in a paused device", qh_dma_maps(f.h));
	one = quill_emu_save(f.h->emu, &size);
	fuzz_expect(one, "a device that went on cannot be saved");
	free(one);
}

static void check_boot(void)
{
	struct quill_fw_boot args = f.h->cores[0].args;
	size_t used = f.h->ram_used;
	uint64_t root = f.h->spaces[f.as].root, base = QUILL_REG_AS(f.as);

	quill_emu_reset(f.h->emu);
	memcpy(f.h->ram, f.ram, used);
	memset(qh_ram(f.h, args.admin_cpl), 0, args.admin_entries * sizeof(struct quill_admin_cpl));
	quill_emu_resume(f.h->emu);
	fuzz_expect(qh_boot(f.h, 0, &args, f.h->image, f.h->image_size) == QUILL_CORE_READY,
		    "the firmware does not boot afterwards");
	qh_write(f.h, base + QUILL_AS_ROOT_LO, root);
	qh_write(f.h, base + QUILL_AS_ROOT_HI, root >> 32);
	qh_write(f.h, base + QUILL_AS_CTRL, QUILL_AS_CTRL_ENABLE);
	fuzz_expect(!qh_queue_create(f.h, 0, f.as, QUILL_FW_PRIORITY_MEDIUM, 4),
		    "QUEUE_CREATE fails afterwards");
	fuzz_expect(!qh_run(f.h, 0, &f.job).status, "a job has a fault afterwards");
	quill_emu_pause(f.h->emu);
	/* its rings need not be kept */
	memset(f.h->ram + used, 0, f.h->ram_used - used);
	f.h->ram_used = used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct image m;
	char err[256] = "";
	uint8_t head;
	unsigned int i;

	if (!f.h)
		start();
	head = fuzz_u8(&in);
	m.size = f.base[head % BASES].size;
	m.data = malloc(m.size);
	fuzz_expect(m.data, "no memory");
	memcpy(m.data, f.base[head % BASES].data, m.size);
	for (i = 0; i < MAX_EDITS && in.left; i++)
		edit(&m, &in);
	/* of exactly this size, so that the sanitizer sees its end */
	m.data = realloc(m.data, m.size);

	if (quill_emu_load(f.h->emu, m.data, m.size, err, sizeof(err)))
		check_taken();
	else
		check_refused(err);
	free(m.data);
	if (head % 8 == 7)
		check_boot();
	return 0;
}
