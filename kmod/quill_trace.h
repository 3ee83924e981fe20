/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM quill

#if !defined(QUILL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define QUILL_TRACE_H

#include <linux/tracepoint.h>

#include <drm/quill_accel.h>

#include "quill_job.h"
#include "quill_queue.h"

DECLARE_EVENT_CLASS(quill_job_class,
	TP_PROTO(const struct quill_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__field(unsigned int, hwq)
		__field(u64, id)
		__field(u64, stream)
		__field(u32, size)
	),
	TP_fast_assign(
		__entry->hwq = job->queue->hwq;
		__entry->id = job->id;
		__entry->stream = job->stream;
		__entry->size = job->size;
	),
	TP_printk("hwq=%u job=%llu stream=0x%llx size=%u", __entry->hwq, __entry->id,
		  __entry->stream, __entry->size)
);

/* The user has submitted it. */
DEFINE_EVENT(quill_job_class, quill_submit,
	TP_PROTO(const struct quill_job *job), TP_ARGS(job));
/* It is in the ring. */
DEFINE_EVENT(quill_job_class, quill_run,
	TP_PROTO(const struct quill_job *job), TP_ARGS(job));

TRACE_EVENT(quill_done,
	TP_PROTO(const struct quill_job *job, int error),
	TP_ARGS(job, error),
	TP_STRUCT__entry(
		__field(unsigned int, hwq)
		__field(u64, id)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->hwq = job->queue->hwq;
		__entry->id = job->id;
		__entry->error = error;
	),
	TP_printk("hwq=%u job=%llu error=%d", __entry->hwq, __entry->id, __entry->error)
);

TRACE_EVENT(quill_fault,
	TP_PROTO(unsigned int hwq, const struct quill_job_cpl *rec),
	TP_ARGS(hwq, rec),
	TP_STRUCT__entry(
		__field(unsigned int, hwq)
		__field(u64, job)
		__field(u32, status)
		__field(u32, command)
		__field(u64, address)
		__field(u8, access)
		__field(u8, engine)
		__field(u8, opcode)
	),
	TP_fast_assign(
		__entry->hwq = hwq;
		__entry->job = rec->job;
		__entry->status = rec->status;
		__entry->command = rec->command;
		__entry->address = rec->address;
		__entry->access = rec->access;
		__entry->engine = rec->engine;
		__entry->opcode = rec->opcode;
	),
	TP_printk("hwq=%u job=%llu status=%u command=%u address=0x%llx access=%u engine=%u opcode=%u",
		  __entry->hwq, __entry->job, __entry->status, __entry->command,
		  __entry->address, __entry->access, __entry->engine, __entry->opcode)
);

/* One operation of VM_BIND; its error, if it failed. */
TRACE_EVENT(quill_bind,
	TP_PROTO(unsigned int as, const struct drm_quill_bind_op *op, int error),
	TP_ARGS(as, op, error),
	TP_STRUCT__entry(
		__field(unsigned int, as)
		__field(u32, op)
		__field(u32, flags)
		__field(u32, handle)
		__field(u64, va)
		__field(u64, size)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->as = as;
		__entry->op = op->op;
		__entry->flags = op->flags;
		__entry->handle = op->handle;
		__entry->va = op->va;
		__entry->size = op->size;
		__entry->error = error;
	),
	TP_printk("as=%u op=%u flags=0x%x handle=%u va=0x%llx size=0x%llx error=%d", __entry->as,
		  __entry->op, __entry->flags, __entry->handle, __entry->va, __entry->size,
		  __entry->error)
);

/* A step of the reset ladder. */
TRACE_EVENT(quill_reset,
	TP_PROTO(const char *rung, unsigned long cores, int error),
	TP_ARGS(rung, cores, error),
	TP_STRUCT__entry(
		__string(rung, rung)
		__field(unsigned long, cores)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(rung);
		__entry->cores = cores;
		__entry->error = error;
	),
	TP_printk("rung=%s cores=0x%lx error=%d", __get_str(rung), __entry->cores, __entry->error)
);

#endif /* QUILL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE quill_trace
#include <trace/define_trace.h>
