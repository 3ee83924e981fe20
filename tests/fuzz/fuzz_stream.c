// SPDX-License-Identifier: MIT
/*
 * Arbitrary bytes as a command stream, through the real firmware on the real core.
 *
 * Whatever the stream is, its job ends (or is killed in time), nothing is written but what its address space maps for
 * writing, nothing is read that the space does not map (the sanitizer watches), the completion makes sense, and
 * the next job finds the device well and the scratchpad empty.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host_internal.h"
#include "stream.h"

#define PAGE		QUILL_PAGE_SIZE
#define RAM_SIZE	(2 * QUILL_HUGE_SIZE)
#define DEVMEM_SIZE	(1u << 20)
#define DEVMEM_AT	0x10000u
#define ENTRIES		16u

static struct {
	struct quill_host *h;
	uint32_t as[LAYOUT_COUNT];
	/* bus addresses */
	uint64_t rw, ro, wo, stream, alive, huge;
	uint64_t guards[8];
	uint32_t n_guards;
	struct fuzz_watch ram, devmem;
} f;

static size_t offset(uint64_t bus)
{
	return bus - QH_RAM_BASE;
}

/* Memory with a page before it, and behind the last one, that is for nobody. */
static uint64_t guarded(size_t size)
{
	uint64_t guard = qh_ram_alloc(f.h, PAGE, PAGE);

	f.guards[f.n_guards++] = guard;
	return size ? qh_ram_alloc(f.h, size, PAGE) : guard;
}

static void map_ram(uint32_t layout, uint64_t va, uint64_t bus, uint32_t size, uint64_t rights)
{
	uint32_t at, to;

	for (at = 0; at < size; at += PAGE) {
		to = layout == LAYOUT_SCATTER ? size - PAGE - at : at;
		qh_map(f.h, f.as[layout], va + at, bus + to, PAGE, rights);
	}
}

static void make_layout(uint32_t layout)
{
	uint32_t as = qh_as_create(f.h);

	f.as[layout] = as;
	map_ram(layout, VA_RO, f.ro, SIZE_RO, QH_R);
	qh_map(f.h, as, VA_STREAM, f.stream, PAGE, QH_R);
	switch (layout) {
	case LAYOUT_PLAIN:
	case LAYOUT_SCATTER:
		map_ram(layout, VA_RW, f.rw, SIZE_RW, QH_RW);
		map_ram(layout, VA_WO, f.wo, SIZE_WO, QH_W);
		break;
	case LAYOUT_HUGE:
		qh_map(f.h, as, VA_RW, f.huge, QUILL_HUGE_SIZE, QH_RW);
		qh_map(f.h, as, VA_WO, DEVMEM_AT, SIZE_WO, QH_W | QUILL_PTE_DEVMEM);
		break;
	case LAYOUT_DEVMEM:
		qh_map(f.h, as, VA_RW, DEVMEM_AT, SIZE_RW, QH_RW | QUILL_PTE_DEVMEM);
		/* its last page ends where device memory does */
		qh_map(f.h, as, VA_WO, DEVMEM_SIZE - SIZE_WO, SIZE_WO, QH_W | QUILL_PTE_DEVMEM);
		break;
	}
	/* where the job that asks for the device's health puts its answer */
	qh_map(f.h, as, VA_STREAM + 4 * PAGE, f.alive, PAGE, QH_RW);
	fuzz_expect(!qh_queue_create(f.h, layout, as, QUILL_FW_PRIORITY_MEDIUM, ENTRIES),
		    "no queue");
}

/* What the device writes of its own, and what this program does. */
static void allow_rings(void)
{
	const struct quill_fw_boot *args = qh_core_args(f.h, 0);
	uint32_t q;

	fuzz_watch_allow(&f.ram, offset(args->log), args->log_size);
	fuzz_watch_allow(&f.ram, offset(args->admin_ring),
			 args->admin_entries * sizeof(struct quill_admin_msg));
	fuzz_watch_allow(&f.ram, offset(args->admin_cpl),
			 args->admin_entries * sizeof(struct quill_admin_cpl));
	for (q = 0; q < LAYOUT_COUNT; q++) {
		fuzz_watch_allow(&f.ram, offset(qh_queue_ring(f.h, q)),
				 ENTRIES * sizeof(struct quill_job_desc));
		fuzz_watch_allow(&f.ram, offset(qh_queue_cpl(f.h, q)),
				 ENTRIES * sizeof(struct quill_job_cpl));
	}
}

/* Something to compute with: as float32, as int8, as mult and shift of a requantisation. */
static void fill_operand(void *mem, size_t size)
{
	uint32_t *word = mem;
	size_t i;

	for (i = 0; i < size / 4; i++)
		word[i] = i & 1 ? i / 2 % 63 : 0x3f000000 + (uint32_t)i * 0x10203;
}

static void start(void)
{
	const struct quill_host_config config = {
		.emu = {
			.mem = DEVMEM_SIZE, .queues = LAYOUT_COUNT, .threads = 2,
			.kernels = getenv("FUZZ_KERNELS"),
		},
		.ram = RAM_SIZE,
	};
	uint32_t layout, i;

	f.h = qh_create(&config);
	f.rw = guarded(SIZE_RW);
	f.ro = guarded(SIZE_RO);
	f.wo = guarded(SIZE_WO);
	f.stream = guarded(PAGE);
	f.alive = guarded(PAGE);
	guarded(0);
	/* the upper half; what is allocated comes from the lower */
	f.huge = QH_RAM_BASE + QUILL_HUGE_SIZE;
	fill_operand(qh_ram(f.h, f.rw), SIZE_RW);
	fill_operand(qh_ram(f.h, f.ro), SIZE_RO);
	fill_operand(qh_ram(f.h, f.huge), SIZE_RW);
	fill_operand(quill_emu_mem(qh_emu(f.h)), DEVMEM_SIZE);
	for (layout = 0; layout < LAYOUT_COUNT; layout++)
		make_layout(layout);

	fuzz_watch_init(&f.ram, "guest memory", qh_ram(f.h, QH_RAM_BASE), RAM_SIZE);
	fuzz_watch_init(&f.devmem, "device memory", quill_emu_mem(qh_emu(f.h)), DEVMEM_SIZE);
	allow_rings();
	fuzz_watch_allow(&f.ram, offset(f.stream), PAGE);
	fuzz_watch_allow(&f.ram, offset(f.alive), PAGE);
	for (i = 0; i < f.n_guards; i++)
		fuzz_watch_guard(&f.ram, offset(f.guards[i]), PAGE);
}

/* What the layout maps for writing. Not @may: and it is again as it was at the start. */
static void set_writable(uint32_t layout, bool may)
{
	void (*set)(struct fuzz_watch *w, size_t offset, size_t size) =
		may ? fuzz_watch_allow : fuzz_watch_forbid;

	switch (layout) {
	case LAYOUT_PLAIN:
	case LAYOUT_SCATTER:
		set(&f.ram, offset(f.rw), SIZE_RW);
		set(&f.ram, offset(f.wo), SIZE_WO);
		break;
	case LAYOUT_HUGE:
		set(&f.ram, offset(f.huge), QUILL_HUGE_SIZE);
		set(&f.devmem, DEVMEM_AT, SIZE_WO);
		break;
	case LAYOUT_DEVMEM:
		set(&f.devmem, DEVMEM_AT, SIZE_RW);
		set(&f.devmem, DEVMEM_SIZE - SIZE_WO, SIZE_WO);
		break;
	}
}

static void check_completion(const struct quill_job_cpl *cpl, uint32_t records, uint64_t job)
{
	static const uint8_t zero[sizeof(cpl->reserved1)];

	fuzz_expect(cpl->job == job, "completion of job %llu, expected %llu",
		    (unsigned long long)cpl->job, (unsigned long long)job);
	fuzz_expect(!cpl->reserved0 && !memcmp(cpl->reserved1, zero, sizeof(zero)),
		    "reserved bytes of a completion are not zero");
	fuzz_expect(cpl->command < records, "fault at record %u of %u", cpl->command, records);
	fuzz_expect(cpl->status <= QUILL_FAULT_AS ||
		    (cpl->status >= QUILL_FAULT_OPCODE && cpl->status <= QUILL_FAULT_PARAM) ||
		    (cpl->status >= QUILL_FAULT_STREAM && cpl->status <= QUILL_FAULT_KILLED) ||
		    cpl->status == QUILL_FAULT_CALL,
		    "fault %u is none that a stream can have", cpl->status);
}

/* The job after: copies what the last one may have left in the scratchpad, to see that it is zero. */
static void check_alive(uint32_t layout, uint64_t sram)
{
	union quill_cmd *cmd = qh_ram(f.h, f.alive);
	uint64_t *out = qh_ram(f.h, f.alive + PAGE / 2);
	struct quill_job_cpl cpl;
	uint32_t i;

	memset(cmd, 0, 2 * sizeof(*cmd));
	memset(out, 0xaa, PAGE / 2);
	cmd[0].hdr.opcode = QUILL_OP_NOP;
	cmd[1].hdr.opcode = QUILL_OP_COPY;
	cmd[1].copy.src = sram;
	cmd[1].copy.dst = VA_STREAM + 4 * PAGE + PAGE / 2;
	cmd[1].copy.width = PAGE / 2;
	cmd[1].copy.height = 1;
	fuzz_expect(qh_wait(f.h, layout, qh_submit(f.h, layout, VA_STREAM + 4 * PAGE,
						   2 * QUILL_CMD_SIZE, 1), QH_TIMEOUT_MS, &cpl),
		    "the job after does not end");
	fuzz_expect(!cpl.status, "the job after ends with fault %u at %#llx", cpl.status,
		    (unsigned long long)cpl.address);
	for (i = 0; i < PAGE / 2 / 8; i++)
		fuzz_expect(!out[i], "scratchpad at %#llx: %#llx is left of the job before",
			    (unsigned long long)(sram + i * 8), (unsigned long long)out[i]);
}

/* Somewhere in the scratchpad where the stream looks as if it wrote there. */
static uint64_t scratchpad_of(const union quill_cmd *cmd, uint32_t count)
{
	const uint64_t size = 24u << 20;
	uint32_t i, word;

	for (i = 0; i < count; i++)
		for (word = 2; word < 8; word++)
			if (cmd[i].raw[word] - QUILL_VA_SRAM < size - PAGE)
				return cmd[i].raw[word];
	return QUILL_VA_SRAM;
}

/* The records into the stream's page; where they begin. */
static uint32_t place(const struct stream_head *head, const uint8_t *records, uint32_t count)
{
	uint32_t at = head->more & 0x80 ? PAGE - count * QUILL_CMD_SIZE : 0;

	memcpy((uint8_t *)qh_ram(f.h, f.stream) + at, records, count * QUILL_CMD_SIZE);
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t limits[] = { 0, 7, 64, PAGE };
	struct fuzz_in in = { data, size };
	struct stream_head head;
	struct quill_job_cpl cpl;
	uint32_t layout, count, records, at;

	if (size < sizeof(head) + QUILL_CMD_SIZE)
		return 0;
	if (!f.h)
		start();
	fuzz_bytes(&in, &head, sizeof(head));
	count = in.left / QUILL_CMD_SIZE < STREAM_MAX ? in.left / QUILL_CMD_SIZE : STREAM_MAX;
	records = count + (head.more & 7);
	layout = head.layout % LAYOUT_COUNT;
	at = place(&head, in.p, count);
	set_writable(layout, true);
	f.h->config.map_limit = limits[head.map_limit % 4];
	if (head.hole)
		qh_hole(f.h, f.rw + (head.hole - 1) % (SIZE_RW / PAGE) * PAGE, PAGE);

	cpl = fuzz_end(f.h, layout, qh_submit(f.h, layout, VA_STREAM + at,
					      records * QUILL_CMD_SIZE, size));
	check_completion(&cpl, records, size);
	qh_hole(f.h, 0, 0);
	check_alive(layout, scratchpad_of((const union quill_cmd *)
					  ((uint8_t *)qh_ram(f.h, f.stream) + at), count));
	fuzz_no_maps(f.h);
	fuzz_watch_check(&f.ram);
	fuzz_watch_check(&f.devmem);
	set_writable(layout, false);
	memset(qh_ram(f.h, f.stream), 0, PAGE);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return stream_mutate(data, size, max, seed);
}
