// SPDX-License-Identifier: MIT
/*
 * The firmware of one core: start, and the loop that everything else hangs on.
 *
 * There are no interrupt handlers. What is pending is looked at between steps, and WFI sleeps until
 * something is; so nothing here is concurrent.
 */
#include "fw.h"

int main(void);

void service(void)
{
	__u32 pending = cb_read(QUILL_CB_IRQ_PENDING);

	if (likely(!pending))
		return;
	if (pending & QUILL_CB_IRQ_ENGINE) {
		job_retire_all();
		admin_poll();
	}
	if (pending & QUILL_CB_IRQ_TIMER)
		heartbeat_timer();
	if (pending & QUILL_CB_IRQ_ADMIN) {
		/* cleared before the ring is read: what comes after is pending again */
		cb_write(QUILL_CB_IRQ_PENDING, QUILL_CB_IRQ_ADMIN);
		admin_serve();
	}
	if (pending & QUILL_CB_IRQ_DOORBELL)
		queue_doorbells();
}

static void refuse(const char *what, __u64 found, const char *required, __u32 error)
{
	log_line("boot: %s is %x%x, required: %s", what, (unsigned int)(found >> 32),
		 (unsigned int)found, required);
	panic(error);
}

static void check_boot_log(const struct quill_fw_boot *b)
{
	if (!b->log && !b->log_size)
		return;
	if (!b->log || b->log & 7)
		refuse("log", b->log, "an address, a multiple of 8, if log_size is given",
		       QUILL_BOOT_ARGS);
	if (!is_power_of_two(b->log_size) || b->log_size < 256 || b->log_size > 65536)
		refuse("log_size", b->log_size, "a power of two, 256..65536, if log is given",
		       QUILL_BOOT_ARGS);
}

static void check_boot(const struct quill_fw_boot *b)
{
	__u32 i;

	if (b->magic != QUILL_FW_BOOT_MAGIC)
		refuse("magic", b->magic, "QUILL_FW_BOOT_MAGIC", QUILL_BOOT_ARGS);
	if (b->abi_min > b->abi_max || b->abi_min > FW_ABI_MAX || b->abi_max < FW_ABI_MIN)
		refuse("abi_min, abi_max", (__u32)b->abi_min << 16 | b->abi_max,
		       "a range that has a version in QUILL_FW_ABI_MAJOR", QUILL_BOOT_ARGS_VERSION);
	if (!b->admin_ring || b->admin_ring & 7)
		refuse("admin_ring", b->admin_ring, "an address, a multiple of 8",
		       QUILL_BOOT_ARGS);
	if (!b->admin_cpl || b->admin_cpl & 7)
		refuse("admin_cpl", b->admin_cpl, "an address, a multiple of 8",
		       QUILL_BOOT_ARGS);
	if (!is_power_of_two(b->admin_entries) || b->admin_entries < 2 ||
	    b->admin_entries > QUILL_ADMIN_MAX_ENTRIES)
		refuse("admin_entries", b->admin_entries, "a power of two, 2..64",
		       QUILL_BOOT_ARGS);
	if (b->heartbeat_us < 1000 || b->heartbeat_us > 10000000)
		refuse("heartbeat_us", b->heartbeat_us, "1000..10000000", QUILL_BOOT_ARGS);
	if (b->watchdog_us && (b->watchdog_us < 1000 || b->watchdog_us > 60000000))
		refuse("watchdog_us", b->watchdog_us, "0, or 1000..60000000", QUILL_BOOT_ARGS);
	for (i = 0; i < sizeof(b->reserved) / sizeof(b->reserved[0]); i++)
		if (b->reserved[i])
			refuse("reserved", b->reserved[i], "0", QUILL_BOOT_ARGS);
	check_boot_log(b);
	if (!xfer_reachable(b->admin_ring, b->admin_entries, sizeof(struct quill_admin_msg)))
		refuse("admin_ring", b->admin_ring, "memory", QUILL_BOOT_DMA);
	if (!xfer_reachable(b->admin_cpl, b->admin_entries, sizeof(struct quill_admin_cpl)))
		refuse("admin_cpl", b->admin_cpl, "memory", QUILL_BOOT_DMA);
}

static void boot(void)
{
	__u64 addr = cb_read64(QUILL_CB_BOOT_ARGS_LO);
	struct quill_fw_boot args;

	cb_write(QUILL_CB_FW_VERSION, FW_VERSION);
	if (xfer_read(QUILL_AS_HOST, addr, &args, sizeof(args)))
		refuse("address of the boot arguments", addr, "memory", QUILL_BOOT_DMA);
	check_boot(&args);
	log_init(args.log, args.log_size);
	admin_init(&args);
	heartbeat_init(args.heartbeat_us);
	sched_init(args.watchdog_us);
	cb_write(QUILL_CB_FW_ABI, args.abi_max < FW_ABI_MAX ? args.abi_max : FW_ABI_MAX);
	cb_write(QUILL_CB_FW_FEATURES, FW_FEATURES);
	cb_write(QUILL_CB_IRQ_ENABLE, QUILL_CB_IRQ_DOORBELL | QUILL_CB_IRQ_ADMIN |
				      QUILL_CB_IRQ_ENGINE | QUILL_CB_IRQ_TIMER);
	log_line("quill firmware %u.%u on core %u", FW_VERSION >> 16, FW_VERSION & 0xffff,
		 (unsigned int)cb_read(QUILL_CB_CORE));
	cb_write(QUILL_CB_STATUS, QUILL_CORE_READY);
}

int main(void)
{
	struct job *j;

	boot();
	for (;;) {
		if (interrupt_pending())
			service();
		sched_begin();
		j = sched_next();
		if (j)
			job_step(j);
		else
			sched_sleep();
	}
}
