// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quill: what the device was at when something went wrong, as text: /sys/class/devcoredump.
 *
 * DOC: The dump
 *
 * Taken before a step of the ladder destroys what it is about, and so under hw_lock, where nobody
 * may wait for memory: whoever frees some may wait for the very fences that the recovery is to
 * signal. So the text goes into a buffer that has been there since probe, and is copied when the
 * recovery has ended. All of this runs on the ordered reset_wq: the buffer needs no lock.
 *
 * Nothing that is read is trusted. Rings and log are the firmware's, streams the user's: they are
 * copied, printed as numbers or printable characters, and never followed but for the address
 * of a stream, which the VM's mappings translate. A VM that somebody is changing is not waited
 * for: that somebody may be waiting for this recovery.
 *
 * While a dump waits to be read (devcoredump keeps one a device, five minutes) no other is made.
 */
#include <linux/devcoredump.h>
#include <linux/highmem.h>
#include <linux/kernfs.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/seq_buf.h>
#include <linux/sysfs.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include <quill/isa_fields.h>

#include "quill_coredump.h"
#include "quill_device.h"
#include "quill_gem.h"
#include "quill_job.h"
#include "quill_pm.h"
#include "quill_queue.h"
#include "quill_uqueue.h"
#include "quill_vm.h"

/* Of the text: grows when a reader of the last one would go wrong. */
#define QUILL_DUMP_VERSION	1

#define QUILL_DUMP_FIXED	SZ_64K
#define QUILL_DUMP_CORE		(QUILL_LOG_SIZE + SZ_1K)
#define QUILL_DUMP_QUEUE	SZ_2K

/* Of what may be long, so many are shown. */
#define QUILL_DUMP_JOBS		8
#define QUILL_DUMP_BEFORE	4
#define QUILL_DUMP_AFTER	8

static bool quill_dump_faults;
module_param_named(dump_faults, quill_dump_faults, bool, 0644);
MODULE_PARM_DESC(dump_faults, "Take a device coredump of a job whose command faults, too");

/* ---- Registers ------------------------------------------------------------------ */

struct quill_dump_reg {
	const char *name;
	u32 offset;
};

static const struct quill_dump_reg quill_dump_device_regs[] = {
	{ "ID", QUILL_REG_ID },
	{ "VERSION", QUILL_REG_VERSION },
	{ "CAPS", QUILL_REG_CAPS },
	{ "STATUS", QUILL_REG_STATUS },
	{ "RESET_COUNT", QUILL_REG_RESET_COUNT },
	{ "MMU_STATUS", QUILL_REG_MMU_STATUS },
};

static const struct quill_dump_reg quill_dump_core_regs[] = {
	{ "FW_ADDR_LO", QUILL_CORE_FW_ADDR_LO },
	{ "FW_ADDR_HI", QUILL_CORE_FW_ADDR_HI },
	{ "FW_SIZE", QUILL_CORE_FW_SIZE },
	{ "BOOT_ARGS_LO", QUILL_CORE_BOOT_ARGS_LO },
	{ "BOOT_ARGS_HI", QUILL_CORE_BOOT_ARGS_HI },
	{ "STATUS", QUILL_CORE_STATUS },
	{ "ERROR", QUILL_CORE_ERROR },
	{ "HEARTBEAT", QUILL_CORE_HEARTBEAT },
	{ "FW_VERSION", QUILL_CORE_FW_VERSION },
	{ "FW_ABI", QUILL_CORE_FW_ABI },
	{ "FW_FEATURES", QUILL_CORE_FW_FEATURES },
	{ "PC", QUILL_CORE_PC },
	{ "INSN_LO", QUILL_CORE_INSN_LO },
	{ "INSN_HI", QUILL_CORE_INSN_HI },
};

static const struct quill_dump_reg quill_dump_as_regs[] = {
	{ "ROOT_LO", QUILL_AS_ROOT_LO },
	{ "ROOT_HI", QUILL_AS_ROOT_HI },
	{ "CTRL", QUILL_AS_CTRL },
	{ "FAULT_STATUS", QUILL_AS_FAULT_STATUS },
	{ "FAULT_ADDR_LO", QUILL_AS_FAULT_ADDR_LO },
	{ "FAULT_ADDR_HI", QUILL_AS_FAULT_ADDR_HI },
	{ "FAULT_COUNT", QUILL_AS_FAULT_COUNT },
};

static void quill_dump_regs(struct quill_device *qdev, u32 base, const struct quill_dump_reg *regs,
			    unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		seq_buf_printf(&qdev->dump.text, "%s=0x%08x\n", regs[i].name,
			       quill_read(qdev, base + regs[i].offset));
}

static void quill_dump_spaces(struct quill_device *qdev)
{
	unsigned int i;

	for (i = 1; i < qdev->nr_as; i++) {
		/* Looked at, not followed: as_lock may be held by who waits for this recovery. */
		if (!READ_ONCE(qdev->as[i].vm))
			continue;
		seq_buf_printf(&qdev->dump.text, "\n[space %u]\nroot=0x%llx\n", i,
			       READ_ONCE(qdev->as[i].root));
		quill_dump_regs(qdev, QUILL_REG_AS(i), quill_dump_as_regs,
				ARRAY_SIZE(quill_dump_as_regs));
	}
}

/* ---- Cores ------------------------------------------------------------------------ */

static void quill_dump_log(struct seq_buf *text, const struct quill_core *core)
{
	const u32 size = QUILL_LOG_SIZE - sizeof(struct quill_fw_log);
	const struct quill_fw_log *log = (void *)core->mem->log;
	u32 end = READ_ONCE(log->written);
	u32 at = end > size ? end - size : 0;

	seq_buf_printf(text, "\n[log of core %u]\nwritten=%u\n", core->id, end);
	for (; at != end; at++) {
		u8 c = core->mem->log[sizeof(*log) + at % size];

		seq_buf_putc(text, c == '\n' || (c >= ' ' && c < 0x7f) ? c : '.');
	}
}

static void quill_dump_cores(struct quill_device *qdev)
{
	unsigned int i;

	for (i = 0; i < qdev->nr_cores; i++) {
		const struct quill_core *core = &qdev->core[i];

		seq_buf_printf(&qdev->dump.text, "\n[core %u]\nanswers=%u\nadmin_seq=%u\n", i,
			       READ_ONCE(core->up), core->admin_seq);
		quill_dump_regs(qdev, QUILL_REG_CORE(i), quill_dump_core_regs,
				ARRAY_SIZE(quill_dump_core_regs));
		quill_dump_log(&qdev->dump.text, core);
	}
}

/* ---- Queues ------------------------------------------------------------------------- */

static void quill_dump_jobs(struct seq_buf *text, struct quill_queue *queue)
{
	struct quill_job *job;
	unsigned int n = 0;

	list_for_each_entry(job, &queue->running, node) {
		if (n++ == QUILL_DUMP_JOBS)
			break;
		seq_buf_printf(text, "job=%llu stream=0x%llx size=%u posted=%u replays=%u\n",
			       job->id, job->stream, job->size, job->posted, job->replays);
	}
}

/* What the firmware was given and has not answered, as it lies in the ring. */
static u32 quill_dump_tail(const struct quill_queue *queue)
{
	return queue->uq ? quill_uqueue_tail(queue) : queue->tail;
}

/* A process may write its ring meanwhile: this is text, and no more. */
static void quill_dump_ring(struct seq_buf *text, const struct quill_queue *queue)
{
	const struct quill_job_desc *ring = queue->uq ? queue->uq->rings->desc :
							queue->rings->desc;
	u32 at, tail = quill_dump_tail(queue);

	for (at = queue->seen; at != tail && at - queue->seen < QUILL_DUMP_JOBS; at++) {
		struct quill_job_desc desc = ring[at % QUILL_RING_ENTRIES];

		seq_buf_printf(text, "ring=%u job=%llu stream=0x%llx size=%u\n", at, desc.job,
			       desc.stream, desc.size);
	}
}

static void quill_dump_queue(struct seq_buf *text, struct quill_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	seq_buf_printf(text, "\n[queue %u]\nspace=%u\npriority=%u\nvector=%u\nlimit_ms=%u\n",
		       queue->hwq, queue->vm->mmu.as, queue->priority, queue->vector,
		       queue->timeout_ms);
	seq_buf_printf(text, "user=%u\n", !!queue->uq);
	seq_buf_printf(text, "tail=%u\nhead=%u\nhalted=%u\nbroken=%u\nbanned=%u\nerror=%d\n",
		       quill_dump_tail(queue), queue->seen, queue->halted, queue->broken,
		       queue->banned, queue->error);
	seq_buf_printf(text, "jobs_ended=%llu\nfaults=%llu\nwaiting=%u\n", queue->stats.jobs,
		       queue->stats.faults, queue->waiting);
	quill_dump_jobs(text, queue);
	if (queue->rings || queue->uq)
		quill_dump_ring(text, queue);
}

static void quill_dump_queues(struct quill_device *qdev)
{
	unsigned int i;

	spin_lock_irq(&qdev->hwq_lock);
	for (i = 0; i < qdev->nr_queues; i++) {
		if (!qdev->hwq[i])
			continue;
		spin_lock(&qdev->hwq[i]->lock);
		quill_dump_queue(&qdev->dump.text, qdev->hwq[i]);
		spin_unlock(&qdev->hwq[i]->lock);
	}
	spin_unlock_irq(&qdev->hwq_lock);
}

/* ---- Streams -------------------------------------------------------------------------- */

/* One record, if its memory is bound and not imported. Under vm->lock. */
static bool quill_dump_fetch(struct quill_vm *vm, u64 addr, union quill_cmd *cmd)
{
	struct drm_gpuva *va;
	struct quill_bo *bo;
	u64 at;

	lockdep_assert_held(&vm->lock);
	va = drm_gpuva_find_first(&vm->base, addr, sizeof(*cmd));
	if (!va || !va->gem.obj || addr < va->va.addr ||
	    addr - va->va.addr > va->va.range - sizeof(*cmd))
		return false;
	bo = to_quill_bo(va->gem.obj);
	at = va->gem.offset + (addr - va->va.addr);
	/* Records do not cross pages. */
	if (bo->vram)
		return quill_vram_read(bo, at, cmd, sizeof(*cmd));
	if (!bo->base.pages || at >= bo->base.base.size)
		return false;
	memcpy_from_page((char *)cmd, bo->base.pages[at >> PAGE_SHIFT], offset_in_page(at),
			 sizeof(*cmd));
	return true;
}

static void quill_dump_field(struct seq_buf *text, const union quill_cmd *cmd,
			     const struct quill_field *field)
{
	const u8 *at = (const u8 *)cmd + field->offset;
	u64 value = 0;

	if (field->kind == QUILL_KIND_ZERO)
		return;
	if (field->size > sizeof(value)) {
		seq_buf_printf(text, " %s=%*phN", field->name, field->size, at);
		return;
	}
	memcpy(&value, at, field->size);
	switch (field->kind) {
	case QUILL_KIND_ADDR:
	case QUILL_KIND_REAL:
	case QUILL_KIND_WORD:
		seq_buf_printf(text, " %s=0x%llx", field->name, value);
		break;
	default:
		seq_buf_printf(text, " %s=%llu", field->name, value);
	}
}

static void quill_dump_fields(struct seq_buf *text, const union quill_cmd *cmd, u32 record)
{
	unsigned int i;

	for (i = 0; i < QUILL_FIELD_COUNT; i++)
		if (quill_fields[i].record == record)
			quill_dump_field(text, cmd, &quill_fields[i]);
}

/*
 * A command from the table of isa.h: name=value of its header, its record and its extensions.
 * What is none, or has no extensions where its row wants some, as far as it goes.
 */
static void quill_dump_command(struct quill_device *qdev, struct quill_vm *vm, u64 addr)
{
	const struct quill_op_info *op;
	struct seq_buf *text = &qdev->dump.text;
	union quill_cmd cmd;
	unsigned int i;

	if (!quill_dump_fetch(vm, addr, &cmd)) {
		seq_buf_puts(text, "command=not readable\n");
		return;
	}
	op = quill_op_info(cmd.hdr.opcode);
	seq_buf_printf(text, "command=%s", op ? op->name : "unknown");
	quill_dump_fields(text, &cmd, QUILL_RECORD_none);
	for (i = 0; op && i <= op->ext_max; i++) {
		if (i && (i > cmd.hdr.ext ||
			  !quill_dump_fetch(vm, addr + i * QUILL_CMD_SIZE, &cmd) ||
			  cmd.hdr.opcode != QUILL_OP_EXT))
			break;
		quill_dump_fields(text, &cmd, op->record[i]);
	}
	seq_buf_putc(text, '\n');
}

static void quill_dump_record(struct seq_buf *text, struct quill_vm *vm, u64 addr, bool here)
{
	const struct quill_op_info *op;
	union quill_cmd cmd;
	unsigned int i;

	seq_buf_printf(text, "%c 0x%llx:", here ? '>' : ' ', addr);
	if (!quill_dump_fetch(vm, addr, &cmd)) {
		seq_buf_puts(text, " not readable\n");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(cmd.raw); i++)
		seq_buf_printf(text, " %016llx", cmd.raw[i]);
	op = quill_op_info(cmd.hdr.opcode);
	seq_buf_printf(text, " %s\n", op ? op->name : cmd.hdr.opcode == QUILL_OP_EXT ? "+" : "?");
}

static void quill_dump_stream(struct quill_device *qdev, struct quill_vm *vm, u64 stream,
			      u32 command)
{
	u32 i, first = command > QUILL_DUMP_BEFORE ? command - QUILL_DUMP_BEFORE : 0;
	u64 at = stream + (u64)command * QUILL_CMD_SIZE;
	struct seq_buf *text = &qdev->dump.text;

	if (!stream || !IS_ALIGNED(stream, QUILL_CMD_SIZE))
		return;
	if (!mutex_trylock(&vm->lock)) {
		seq_buf_puts(text, "command=not readable: the address space is being changed\n");
		return;
	}
	quill_dump_command(qdev, vm, at);
	seq_buf_printf(text, "\n[stream at 0x%llx]\n", stream);
	for (i = first; i < command + QUILL_DUMP_AFTER; i++)
		quill_dump_record(text, vm, stream + (u64)i * QUILL_CMD_SIZE, i == command);
	mutex_unlock(&vm->lock);
}

/* ---- One dump --------------------------------------------------------------------------- */

/* devcoredump makes this link for as long as it has a dump of the device. */
static bool quill_coredump_unread(struct quill_device *qdev)
{
	struct kernfs_node *link = sysfs_get_dirent(qdev->drm.dev->kobj.sd, "devcoredump");

	sysfs_put(link);
	return link;
}

/*
 * quill_coredump_state() - registers, rings, logs as they are, unless a dump is under way or unread
 * @reason: a word for it
 *
 * On reset_wq, with hw_lock held, either way. Of several calls before quill_coredump_publish(), the
 * first counts.
 */
void quill_coredump_state(struct quill_device *qdev, const char *reason)
{
	struct seq_buf *text = &qdev->dump.text;

	lockdep_assert_held(&qdev->hw_lock);
	if (seq_buf_used(text) || quill_coredump_unread(qdev))
		return;
	seq_buf_printf(text, "quill coredump %u\nreason=%s\ntime=%lld\nkernel=%s\ndevice=%s\n",
		       QUILL_DUMP_VERSION, reason, ktime_get_real_seconds(), utsname()->release,
		       dev_name(qdev->drm.dev));
	seq_buf_printf(text, "hardware=%u.%u\nfirmware=%u.%u\nabi=%u.%u\nresets=%d\n",
		       qdev->hw_version >> 16, qdev->hw_version & 0xffff, qdev->fw_version >> 16,
		       qdev->fw_version & 0xffff, QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR,
		       atomic_read(&qdev->reset_count));
	seq_buf_puts(text, "\n[device]\n");
	quill_dump_regs(qdev, 0, quill_dump_device_regs, ARRAY_SIZE(quill_dump_device_regs));
	quill_dump_cores(qdev);
	quill_dump_spaces(qdev);
	quill_dump_queues(qdev);
}

/*
 * quill_coredump_job() - add the job that the dump is about, and what became of it so far
 *
 * After quill_coredump_state(), likewise.
 */
void quill_coredump_job(struct quill_queue *queue, u64 job)
{
	struct quill_device *qdev = queue->qdev;
	struct seq_buf *text = &qdev->dump.text;
	struct quill_job_cpl rec = {};
	struct quill_job *head;
	u32 elapsed = 0;

	if (!seq_buf_used(text))
		return;
	spin_lock_irq(&queue->lock);
	head = list_first_entry_or_null(&queue->running, struct quill_job, node);
	if (queue->stats.fault.job == job) {
		rec = queue->stats.fault;
		elapsed = queue->stats.fault_elapsed_ms;
	} else if (head && head->id == job) {
		rec.stream = head->stream;
		elapsed = min_t(s64, ktime_ms_delta(ktime_get(), queue->head_since), U32_MAX);
	}
	spin_unlock_irq(&queue->lock);

	seq_buf_printf(text, "\n[job]\nqueue=%u\njob=%llu\nelapsed_ms=%u\nlimit_ms=%u\n",
		       queue->hwq, job, elapsed, queue->timeout_ms);
	seq_buf_printf(text, "status=%u\nengine=%u\naccess=%u\nopcode=%u\naddress=0x%llx\n",
		       rec.status, rec.engine, rec.access, rec.opcode, rec.address);
	seq_buf_printf(text, "stream=0x%llx\nindex=%u\nseq=%u\n", rec.stream, rec.command,
		       rec.cmd_seq);
	quill_dump_stream(qdev, queue->vm, rec.stream, rec.command);
}

/*
 * quill_coredump_publish() - hand the dump over, if there is one. On reset_wq, without hw_lock.
 */
void quill_coredump_publish(struct quill_device *qdev)
{
	struct seq_buf *text = &qdev->dump.text;
	size_t size = seq_buf_used(text);
	void *copy;

	if (!size)
		return;
	copy = __vmalloc(size, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (copy) {
		memcpy(copy, text->buffer, size);
		atomic_inc(&qdev->dump.count);
		dev_coredumpv(qdev->drm.dev, copy, size, GFP_KERNEL);
	}
	seq_buf_clear(text);
}

/* ---- Of jobs that fault -------------------------------------------------------------------- */

static void quill_coredump_work(struct work_struct *work)
{
	struct quill_device *qdev = container_of(work, struct quill_device, dump.work);
	struct quill_queue *queue = READ_ONCE(qdev->dump.queue);
	int idx;

	if (drm_dev_enter(&qdev->drm, &idx)) {
		if (!quill_pm_get(qdev)) {
			down_read(&qdev->hw_lock);
			if (quill_device_up(qdev)) {
				quill_coredump_state(qdev, "fault");
				quill_coredump_job(queue, qdev->dump.job);
			}
			up_read(&qdev->hw_lock);
			quill_pm_put(qdev);
		}
		quill_coredump_publish(qdev);
		drm_dev_exit(idx);
	}
	/* With cmpxchg_acquire() below: the next one writes the job after this one has read it. */
	smp_store_release(&qdev->dump.queue, NULL);
	quill_queue_put(queue);
}

/*
 * quill_coredump_fault() - a job has ended with a fault: from the interrupt, under queue->lock
 *
 * What a user's command did wrong, QUEUE_QUERY tells him. It is worth a dump to who asks for one
 * (dump_faults), and what only hardware and firmware can do wrong always is.
 */
void quill_coredump_fault(struct quill_queue *queue, const struct quill_job_cpl *rec)
{
	struct quill_device *qdev = queue->qdev;

	if (rec->status != QUILL_FAULT_INTERNAL && !READ_ONCE(quill_dump_faults))
		return;
	if (cmpxchg_acquire(&qdev->dump.queue, NULL, queue))
		return;
	qdev->dump.job = rec->job;
	quill_queue_get(queue);
	if (queue_work(qdev->reset_wq, &qdev->dump.work))
		return;
	/* The queue is in the table of hardware queues: this is not the last reference. */
	WRITE_ONCE(qdev->dump.queue, NULL);
	quill_queue_put(queue);
}

static void quill_coredump_free(struct drm_device *drm, void *buffer)
{
	vfree(buffer);
}

int quill_coredump_init(struct quill_device *qdev)
{
	size_t size = QUILL_DUMP_FIXED + qdev->nr_cores * QUILL_DUMP_CORE +
		      qdev->nr_queues * QUILL_DUMP_QUEUE;
	void *buffer = vmalloc(size);

	if (!buffer)
		return -ENOMEM;
	INIT_WORK(&qdev->dump.work, quill_coredump_work);
	seq_buf_init(&qdev->dump.text, buffer, size);
	return drmm_add_action_or_reset(&qdev->drm, quill_coredump_free, buffer);
}

void quill_coredump_fini(struct quill_device *qdev)
{
	/* Not cancelled: it holds a queue. Nothing completes any more, so it is the last. */
	flush_work(&qdev->dump.work);
}
