// SPDX-License-Identifier: MIT
/*
 * Arbitrary page tables, and COPY and FILL over them, some memory refused by the host.
 *
 * The rules of translation are written down here a second time (translate()). From them follows what a job may write, to
 * the byte, and how it must end: a FILL that can be done is done, one that cannot ends with the first address
 * that fails and why. Tables change between jobs, behind an invalidation.
 */
#include <string.h>

#include "fuzz.h"
#include "host_internal.h"

#define PAGE		QUILL_PAGE_SIZE
#define TABLES		12u	/* pages that entries point to as tables; the first is the root */
#define DATA		QUILL_PT_ENTRIES	/* pages that entries point to as data: one huge page */
#define RAM_SIZE	(2 * QUILL_HUGE_SIZE)
#define DEVMEM_SIZE	(1u << 20)
#define ENTRIES		16u
#define COMMANDS	6u
#define ROUNDS		4u
#define MAX_ROWS	8u
#define MAX_WIDTH	(3 * PAGE)
/* The root's entry under which the stream lies, in tables that no input reaches. */
#define VA_STREAM	(0x1ffull << 30 | 255ull << 39)

static struct {
	struct quill_host *h;
	uint32_t as;
	uint64_t table[TABLES];
	uint64_t data, stream, pinned;
	uint64_t hole, hole_size;
	struct fuzz_watch ram, devmem;
	/* what the job under way may write */
	struct allowed {
		struct fuzz_watch *w;
		size_t offset, size;
	} allowed[COMMANDS * MAX_ROWS * (MAX_WIDTH / PAGE + 2)];
	uint32_t n_allowed;
} f;

/* ---- the rules, once more ---- */

static bool is_ram(uint64_t bus)
{
	return bus - QH_RAM_BASE < RAM_SIZE && bus - f.hole >= f.hole_size;
}

/* Where the byte at @va is; a fault, if it cannot be accessed. */
static uint32_t translate(uint64_t va, bool write, struct fuzz_watch **w, size_t *offset)
{
	const uint64_t perms = QUILL_PTE_READ | QUILL_PTE_WRITE;
	const uint64_t leaf = QUILL_PTE_VALID | QUILL_PTE_LEAF | QUILL_PTE_DEVMEM | perms;
	uint64_t at = f.table[0], size, pte, addr;
	int level;

	*w = NULL;
	if (va >= QUILL_VA_SRAM)
		return va - QUILL_VA_SRAM < 24u << 20 ? QUILL_FAULT_NONE : QUILL_FAULT_ADDRESS;
	if (va < PAGE)
		return QUILL_FAULT_UNMAPPED;
	for (level = QUILL_PT_LEVELS - 1; ; level--) {
		size = 1ull << QUILL_PT_SHIFT(level);
		at += (va / size % QUILL_PT_ENTRIES) * 8;
		if (!is_ram(at))
			return QUILL_FAULT_BUS;
		memcpy(&pte, qh_ram(f.h, at), 8);
		if (!(pte & QUILL_PTE_VALID))
			return QUILL_FAULT_UNMAPPED;
		if (!level || (level == 1 && pte & QUILL_PTE_LEAF))
			break;
		if (pte & ~(QUILL_PTE_ADDR_MASK | QUILL_PTE_VALID))
			return QUILL_FAULT_PTE;
		at = pte & QUILL_PTE_ADDR_MASK;
	}
	addr = pte & QUILL_PTE_ADDR_MASK;
	if (!(pte & QUILL_PTE_LEAF) || pte & ~(QUILL_PTE_ADDR_MASK | leaf) || addr % size)
		return QUILL_FAULT_PTE;
	if (!(pte & (write ? QUILL_PTE_WRITE : QUILL_PTE_READ)))
		return write ? QUILL_FAULT_WRITE_PERM : QUILL_FAULT_READ_PERM;
	addr += va % size;
	if (pte & QUILL_PTE_DEVMEM ? addr >= DEVMEM_SIZE : !is_ram(addr))
		return QUILL_FAULT_BUS;
	*w = pte & QUILL_PTE_DEVMEM ? &f.devmem : &f.ram;
	*offset = pte & QUILL_PTE_DEVMEM ? addr : addr - QH_RAM_BASE;
	return QUILL_FAULT_NONE;
}

/* Hold one side of a command against the tables: the first fault by address, and what it may write. */
static uint32_t walk(uint64_t va, uint64_t width, uint64_t stride, uint32_t rows, bool write,
		     uint64_t *where)
{
	uint32_t fault, first = QUILL_FAULT_NONE;
	struct fuzz_watch *w;
	uint64_t at, n, row;
	size_t offset;

	for (row = 0; row < rows; row++) {
		for (at = va + row * stride; at < va + row * stride + width; at += n) {
			n = PAGE - at % PAGE;
			if (n > va + row * stride + width - at)
				n = va + row * stride + width - at;
			fault = translate(at, write, &w, &offset);
			if (fault && !first) {
				first = fault;
				*where = at;
			}
			if (!fault && write && w)
				f.allowed[f.n_allowed++] = (struct allowed){ w, offset, n };
		}
	}
	return first;
}

/* ---- tables from the input ---- */

/*
 * What the input may not say: that something is writable on which the firmware, this program or the tables live; that
 * a table lies where jobs write, so that nobody knows what they will do.
 */
static uint64_t tame(uint64_t pte)
{
	uint64_t addr = pte & QUILL_PTE_ADDR_MASK;
	bool ram = addr - QH_RAM_BASE < RAM_SIZE;
	uint32_t i;

	if (!ram || !(pte & QUILL_PTE_VALID))
		return pte;
	if (pte & QUILL_PTE_LEAF)
		return pte & QUILL_PTE_DEVMEM || addr >= f.data ? pte : pte & ~QUILL_PTE_WRITE;
	for (i = 0; i < TABLES; i++)
		if (addr == f.table[i])
			return pte;
	return pte & ~QUILL_PTE_VALID;
}

static uint64_t make_entry(struct fuzz_in *in)
{
	uint8_t kind = fuzz_u8(in), n = fuzz_u8(in);
	uint64_t pte;

	switch (kind % 8) {
	case 0:
		pte = 0;
		break;
	case 1:
	case 2:
		pte = f.table[n % TABLES] | QUILL_PTE_VALID;
		break;
	case 3:
	case 4:
		pte = (f.data + n * 2 % DATA * PAGE) | QUILL_PTE_VALID | QUILL_PTE_LEAF |
		      (n & 3 ? QH_RW : n & 4 ? QH_R : QH_W);
		break;
	case 5:
		pte = (uint64_t)n % (DEVMEM_SIZE / PAGE + 2) * PAGE | QUILL_PTE_VALID |
		      QUILL_PTE_LEAF | QUILL_PTE_DEVMEM | QH_RW;
		break;
	case 6:
		pte = f.data | QUILL_PTE_VALID | QUILL_PTE_LEAF | (n & 1 ? QH_RW : QH_R);
		break;
	default:
		pte = fuzz_u64(in);
		break;
	}
	if (kind & 8)
		pte ^= 1ull << n % 64;
	return tame(pte);
}

static void set_entry(uint64_t table, uint32_t index, uint64_t pte)
{
	uint64_t *e = (uint64_t *)qh_ram(f.h, table) + index;

	__atomic_store_n(e, pte, __ATOMIC_RELEASE);
	fuzz_watch_update(&f.ram, table - QH_RAM_BASE + index * 8, 8);
}

/* Indices are small, so that tables meet; the last ones are for what runs over an edge. */
static uint32_t index_of(uint8_t v)
{
	return v & 0x80 ? QUILL_PT_ENTRIES - 1 - v % 4 : v % 16;
}

static void make_tables(struct fuzz_in *in)
{
	uint32_t n = fuzz_u8(in) % 32, table, index;

	while (n--) {
		table = fuzz_u8(in) % TABLES;
		index = index_of(fuzz_u8(in));
		set_entry(f.table[table], index, make_entry(in));
	}
	set_entry(f.table[0], 255, f.pinned | QUILL_PTE_VALID);
}

static void clear_tables(void)
{
	uint32_t i;

	for (i = 0; i < TABLES; i++) {
		memset(qh_ram(f.h, f.table[i]), 0, PAGE);
		fuzz_watch_update(&f.ram, f.table[i] - QH_RAM_BASE, PAGE);
	}
}

/* ---- commands from the input ---- */

/* The @n-th entry of a table that is not empty, so that addresses lead somewhere. */
static uint32_t find_entry(const uint64_t *table, uint32_t n)
{
	uint32_t i, count = 0, at;

	for (i = 0; i < 20; i++)
		count += !!table[i < 16 ? i : QUILL_PT_ENTRIES - 20 + i];
	if (!count)
		return n % 16;
	for (i = 0, at = n % count; i < 20; i++) {
		n = i < 16 ? i : QUILL_PT_ENTRIES - 20 + i;
		if (table[n] && !at--)
			break;
	}
	return n;
}

static uint64_t make_va(struct fuzz_in *in)
{
	uint64_t table = f.table[0], va = 0, index;
	int level;
	uint8_t v;

	if (fuzz_u8(in) % 16 == 15)
		return QUILL_VA_SRAM - 2 * PAGE + fuzz_u16(in);
	for (level = QUILL_PT_LEVELS - 1; level >= 0; level--) {
		v = fuzz_u8(in);
		index = v & 0x40 ? index_of(v) : find_entry(qh_ram(f.h, table), v);
		va |= index << QUILL_PT_SHIFT(level);
		table = *((uint64_t *)qh_ram(f.h, table) + index) & QUILL_PTE_ADDR_MASK;
		if (table - QH_RAM_BASE >= RAM_SIZE)
			table = f.table[0];
	}
	return va | fuzz_u16(in) % PAGE;
}

static void make_command(struct fuzz_in *in, union quill_cmd *cmd)
{
	uint32_t width = 1 + fuzz_u16(in) % MAX_WIDTH, rows = 1 + fuzz_u8(in) % MAX_ROWS;
	uint32_t gap = fuzz_u16(in);

	memset(cmd, 0, sizeof(*cmd));
	if (gap & 1) {
		cmd->hdr.opcode = QUILL_OP_FILL;
		cmd->fill.elem = 1;
		cmd->fill.value = 0x5a;
		cmd->fill.width = width;
		cmd->fill.height = rows;
		cmd->fill.dst_stride = width + gap;
		cmd->fill.dst = make_va(in);
		return;
	}
	cmd->hdr.opcode = QUILL_OP_COPY;
	cmd->copy.width = width;
	cmd->copy.height = rows;
	cmd->copy.dst_stride = width + gap;
	cmd->copy.src_stride = gap & 2 ? 0 : gap & 4 ? width : gap * 8;
	cmd->copy.dst = make_va(in);
	cmd->copy.src = make_va(in);
}

/* ---- a job ---- */

/* What must become of a stream. */
struct expected {
	uint32_t command;
	bool fails, exact;
	uint32_t fault;
	uint64_t address;
};

static bool check_range(uint64_t va, uint32_t rows, uint64_t stride, uint64_t width)
{
	return va && va < 1ull << 48 && (rows - 1) * stride + width <= (1ull << 48) - va;
}

/* One command: false, if the job ends at it. */
static bool expect_command(const union quill_cmd *cmd, struct expected *e)
{
	uint32_t source = QUILL_FAULT_NONE;
	uint64_t where;

	if (cmd->hdr.opcode == QUILL_OP_FILL) {
		e->exact = check_range(cmd->fill.dst, cmd->fill.height, cmd->fill.dst_stride,
				       cmd->fill.width);
		e->fails = !e->exact;
		if (e->exact)
			e->fault = walk(cmd->fill.dst, cmd->fill.width, cmd->fill.dst_stride,
					cmd->fill.height, true, &e->address);
		e->fails |= e->fault != 0;
		return !e->fails;
	}
	e->exact = false;
	e->fails = !check_range(cmd->copy.dst, cmd->copy.height, cmd->copy.dst_stride,
				cmd->copy.width) ||
		   !check_range(cmd->copy.src, cmd->copy.height, cmd->copy.src_stride,
				cmd->copy.width);
	if (e->fails)
		return false;
	source = walk(cmd->copy.src, cmd->copy.width, cmd->copy.src_stride, cmd->copy.height,
		      false, &where);
	e->fault = walk(cmd->copy.dst, cmd->copy.width, cmd->copy.dst_stride, cmd->copy.height,
			true, &where);
	e->fails = source || e->fault;
	return !e->fails;
}

static void check_completion(const struct quill_job_cpl *cpl, const struct expected *e)
{
	fuzz_expect(!!cpl->status == e->fails, "job: fault %u at %#llx, command %u; expected %s",
		    cpl->status, (unsigned long long)cpl->address, cpl->command,
		    e->fails ? "one" : "none");
	if (!e->fails)
		return;
	fuzz_expect(cpl->command == e->command, "fault %u in command %u, expected in %u",
		    cpl->status, cpl->command, e->command);
	fuzz_expect(!e->exact || (cpl->status == e->fault && cpl->address == e->address),
		    "FILL: fault %u at %#llx, expected %u at %#llx", cpl->status,
		    (unsigned long long)cpl->address, e->fault, (unsigned long long)e->address);
}

static void set_allowed(bool may)
{
	uint32_t i;

	for (i = 0; i < f.n_allowed; i++)
		(may ? fuzz_watch_allow : fuzz_watch_forbid)(f.allowed[i].w, f.allowed[i].offset,
							     f.allowed[i].size);
}

static void run_job(struct fuzz_in *in)
{
	union quill_cmd *cmd = qh_ram(f.h, f.stream);
	struct expected e = { 0 };
	struct quill_job_cpl cpl;
	uint32_t n, i;

	n = 1 + fuzz_u8(in) % COMMANDS;
	for (i = 0; i < n; i++)
		make_command(in, &cmd[i]);
	f.n_allowed = 0;
	/* the stream's order is the engine's: what stands behind a fault does not run */
	for (i = 0; i < n && expect_command(&cmd[i], &e); i++)
		;
	e.command = i;
	set_allowed(true);
	qh_invalidate(f.h, f.as);
	fuzz_expect(qh_wait(f.h, 0, qh_submit(f.h, 0, VA_STREAM, n * QUILL_CMD_SIZE, n),
			    QH_TIMEOUT_MS, &cpl), "the job does not end");
	check_completion(&cpl, &e);
	fuzz_no_maps(f.h);
	/* what was rightly written is undone, so that the rest shows when all rounds are over */
	set_allowed(false);
}

/* ---- the whole ---- */

static void pin_stream(void)
{
	uint64_t level1 = qh_ram_alloc(f.h, PAGE, PAGE), level0 = qh_ram_alloc(f.h, PAGE, PAGE);

	f.pinned = qh_ram_alloc(f.h, PAGE, PAGE);
	f.stream = qh_ram_alloc(f.h, PAGE, PAGE);
	*((uint64_t *)qh_ram(f.h, f.pinned) + 511) = level1 | QUILL_PTE_VALID;
	*(uint64_t *)qh_ram(f.h, level1) = level0 | QUILL_PTE_VALID;
	*(uint64_t *)qh_ram(f.h, level0) = f.stream | QUILL_PTE_VALID | QUILL_PTE_LEAF | QH_R;
}

static void set_root(void)
{
	uint32_t i;

	for (i = 0; i < TABLES; i++)
		f.table[i] = qh_ram_alloc(f.h, PAGE, PAGE);
	f.as = qh_as_create(f.h);
	qh_write(f.h, QUILL_REG_AS(f.as) + QUILL_AS_ROOT_LO, f.table[0]);
	qh_write(f.h, QUILL_REG_AS(f.as) + QUILL_AS_ROOT_HI, f.table[0] >> 32);
}

static void start(void)
{
	const struct quill_host_config config = {
		.emu = { .mem = DEVMEM_SIZE, .queues = 1, .threads = 1 },
		.ram = RAM_SIZE,
	};
	const struct quill_fw_boot *args;
	size_t size = sizeof(struct quill_job_cpl);

	f.h = qh_create(&config);
	f.data = QH_RAM_BASE + QUILL_HUGE_SIZE;
	set_root();
	pin_stream();
	memset(qh_ram(f.h, f.data), 0xd1, QUILL_HUGE_SIZE);
	fuzz_expect(!qh_queue_create(f.h, 0, f.as, QUILL_FW_PRIORITY_MEDIUM, ENTRIES), "no queue");

	fuzz_watch_init(&f.ram, "guest memory", qh_ram(f.h, QH_RAM_BASE), RAM_SIZE);
	fuzz_watch_init(&f.devmem, "device memory", quill_emu_mem(qh_emu(f.h)), DEVMEM_SIZE);
	args = qh_core_args(f.h, 0);
	fuzz_watch_allow(&f.ram, args->log - QH_RAM_BASE, args->log_size);
	fuzz_watch_allow(&f.ram, f.stream - QH_RAM_BASE, PAGE);
	fuzz_watch_allow(&f.ram, qh_queue_ring(f.h, 0) - QH_RAM_BASE,
			 ENTRIES * sizeof(struct quill_job_desc));
	fuzz_watch_allow(&f.ram, qh_queue_cpl(f.h, 0) - QH_RAM_BASE, ENTRIES * size);
}

/* Some pages of data or tables that the host refuses. */
static void make_hole(struct fuzz_in *in)
{
	uint8_t where = fuzz_u8(in), pages = fuzz_u8(in) % 4;

	f.hole_size = where ? pages * PAGE : 0;
	f.hole = where & 1 ? f.table[1 + where / 2 % (TABLES - 4)] : f.data + where * PAGE;
	qh_hole(f.h, f.hole, f.hole_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t limits[] = { 0, 1000, PAGE, 116 };
	struct fuzz_in in = { data, size };
	unsigned int round;

	if (!f.h)
		start();
	f.h->config.map_limit = limits[fuzz_u8(&in) % 4];
	make_hole(&in);
	clear_tables();
	for (round = 0; round < ROUNDS && in.left; round++) {
		make_tables(&in);
		run_job(&in);
	}
	f.hole_size = 0;
	qh_hole(f.h, 0, 0);
	fuzz_watch_check(&f.ram);
	fuzz_watch_check(&f.devmem);
	return 0;
}
