// SPDX-License-Identifier: MIT
/*
 * Words for what was wrong: with a command while it is encoded, and with a job on the device.
 *
 * isa_check.h says which field of which record broke a rule; the table below says what the field
 * is called and what it must be. A rule that has no row here is still reported, by its offset.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

enum accel_kind {
	KIND_NUMBER,
	KIND_SIGNED,
	KIND_HEX,
};

/**
 * struct accel_field - what a field must be
 */
struct accel_field {
	/** @opcode: whose record it is in; 0: the header of any. */
	uint8_t opcode;
	uint8_t record;
	uint8_t offset;
	uint8_t size;
	uint8_t kind;
	/** @fault: rule that it broke. */
	uint8_t fault;
	const char *name;
	const char *required;
	/** @other: a field of record 0 that @required speaks of, or NULL. */
	const char *other;
	uint8_t other_offset;
	uint8_t other_size;
};

#define SIZE(type, field)	sizeof(((struct type *)0)->field)
#define FIELD(op, rec, type, field, kind, fault, required) \
	{ op, rec, QUILL_OFF(struct type, field), SIZE(type, field), KIND_##kind, \
	  QUILL_FAULT_##fault, #field, required, NULL, 0, 0 }
#define FIELD_BESIDE(op, rec, type, field, kind, fault, required, type0, other) \
	{ op, rec, QUILL_OFF(struct type, field), SIZE(type, field), KIND_##kind, \
	  QUILL_FAULT_##fault, #field, required, #other, QUILL_OFF(struct type0, other), \
	  SIZE(type0, other) }

#define HEADER(...)	FIELD(0, 0, quill_cmd_hdr, __VA_ARGS__)
#define SEM_WAIT(...)	FIELD(QUILL_OP_SEM_WAIT, 0, quill_cmd_hdr, __VA_ARGS__)
#define SEM_SIGNAL(...)	FIELD(QUILL_OP_SEM_SIGNAL, 0, quill_cmd_hdr, __VA_ARGS__)
#define JUMP(...)	FIELD(QUILL_OP_JUMP, 0, quill_cmd_jump, __VA_ARGS__)
#define TIMESTAMP(...)	FIELD(QUILL_OP_TIMESTAMP, 0, quill_cmd_timestamp, __VA_ARGS__)
#define COPY(...)	FIELD(QUILL_OP_COPY, 0, quill_cmd_copy, __VA_ARGS__)
#define COPY_BESIDE(field, kind, fault, required, other) \
	FIELD_BESIDE(QUILL_OP_COPY, 0, quill_cmd_copy, field, kind, fault, required, \
		     quill_cmd_copy, other)
#define FILL(...)	FIELD(QUILL_OP_FILL, 0, quill_cmd_fill, __VA_ARGS__)
#define FILL_BESIDE(field, kind, fault, required, other) \
	FIELD_BESIDE(QUILL_OP_FILL, 0, quill_cmd_fill, field, kind, fault, required, \
		     quill_cmd_fill, other)
#define GEMM(...)	FIELD(QUILL_OP_GEMM, 0, quill_cmd_gemm, __VA_ARGS__)
#define GEMM_BESIDE(field, kind, fault, required, other) \
	FIELD_BESIDE(QUILL_OP_GEMM, 0, quill_cmd_gemm, field, kind, fault, required, \
		     quill_cmd_gemm, other)
#define GEMM_EXT(...)	FIELD(QUILL_OP_GEMM, 1, quill_ext_gemm, __VA_ARGS__)
#define GEMM_TYPED(field, kind, fault, required) \
	FIELD_BESIDE(QUILL_OP_GEMM, 1, quill_ext_gemm, field, kind, fault, required, \
		     quill_cmd_hdr, type_d)
#define ATT(...)	FIELD(QUILL_OP_ATTENTION, 0, quill_cmd_attention, __VA_ARGS__)
#define ATT_BESIDE(field, kind, fault, required, other) \
	FIELD_BESIDE(QUILL_OP_ATTENTION, 0, quill_cmd_attention, field, kind, fault, required, \
		     quill_cmd_attention, other)
#define ATT_EXT(...)	FIELD(QUILL_OP_ATTENTION, 1, quill_ext_attention, __VA_ARGS__)
#define ATT_EXT_BESIDE(field, kind, fault, required, other) \
	FIELD_BESIDE(QUILL_OP_ATTENTION, 1, quill_ext_attention, field, kind, fault, required, \
		     quill_cmd_attention, other)

/* RMSNORM and LAYERNORM have one record, QUANTISE and DEQUANTISE another. */
#define NORM(...) \
	FIELD(QUILL_OP_RMSNORM, 0, quill_cmd_norm, __VA_ARGS__), \
	FIELD(QUILL_OP_LAYERNORM, 0, quill_cmd_norm, __VA_ARGS__)
#define NORM_BESIDE_N(op, rec, type, field) \
	FIELD_BESIDE(op, rec, type, field, NUMBER, STRIDE, "at least n", quill_cmd_norm, n)
#define NORM_STRIDE(rec, type, field) \
	NORM_BESIDE_N(QUILL_OP_RMSNORM, rec, type, field), \
	NORM_BESIDE_N(QUILL_OP_LAYERNORM, rec, type, field)
#define NORM_EXT(...) \
	FIELD(QUILL_OP_RMSNORM, 1, quill_ext_norm, __VA_ARGS__), \
	FIELD(QUILL_OP_LAYERNORM, 1, quill_ext_norm, __VA_ARGS__)
#define SCALED(...) \
	FIELD(QUILL_OP_QUANTISE, 0, quill_cmd_quantise, __VA_ARGS__), \
	FIELD(QUILL_OP_DEQUANTISE, 0, quill_cmd_quantise, __VA_ARGS__)
#define SCALED_BESIDE(...) \
	FIELD_BESIDE(QUILL_OP_QUANTISE, 0, quill_cmd_quantise, __VA_ARGS__), \
	FIELD_BESIDE(QUILL_OP_DEQUANTISE, 0, quill_cmd_quantise, __VA_ARGS__)
/* A field of a VECTOR command's only record: its name as in the table, and as in the union's. */
#define VEC(NAME, name, ...)	FIELD(QUILL_OP_##NAME, 0, quill_cmd_##name, __VA_ARGS__)
#define VEC_BESIDE(NAME, name, field, kind, fault, required, other) \
	FIELD_BESIDE(QUILL_OP_##NAME, 0, quill_cmd_##name, field, kind, fault, required, \
		     quill_cmd_##name, other)
#define VEC_STRIDE(NAME, name, field) \
	VEC_BESIDE(NAME, name, field, NUMBER, STRIDE, "at least n", n)
#define VEC_DIMS(NAME, name) \
	VEC(NAME, name, rows, NUMBER, SHAPE, "1..2^24"), \
	VEC(NAME, name, n, NUMBER, SHAPE, "1..2^24")
#define VEC_ADDRESS(NAME, name, field) \
	VEC(NAME, name, field, HEX, ALIGN, "a multiple of 4"), \
	VEC(NAME, name, field, HEX, RANGE, IN_48_BITS)

#define IN_48_BITS	"an address that is not 0, from which all of the operand lies below 2^48"

static const struct accel_field accel_fields[] = {
	SEM_WAIT(wait_sem, NUMBER, SEMAPHORE, "1..31"),
	SEM_SIGNAL(signal_sem, NUMBER, SEMAPHORE, "1..31"),

	FIELD_BESIDE(QUILL_OP_REDUCE, 0, quill_cmd_hdr, type_d, NUMBER, TYPE,
		     "S32 (2) for ARGMAX (2), else F32 (3)", quill_cmd_reduce, op),

	HEADER(opcode, NUMBER, OPCODE, "an opcode of isa.h"),
	HEADER(version, NUMBER, OPCODE, "0"),
	HEADER(flags, HEX, FLAGS, "none but the flags that the command has"),
	HEADER(type_a, NUMBER, TYPE, "a type that the command takes"),
	HEADER(type_b, NUMBER, TYPE, "a type that the command takes"),
	HEADER(type_d, NUMBER, TYPE, "a type that the command gives (1 S8, 2 S32, 3 F32)"),
	HEADER(ext, NUMBER, EXT, "the extension records of the command, all at hand"),
	HEADER(wait_sem, NUMBER, SEMAPHORE, "0 (none) or 1..31"),
	HEADER(signal_sem, NUMBER, SEMAPHORE, "0 (none) or 1..31"),
	HEADER(wait_value, NUMBER, RESERVED, "0, since wait_sem is 0"),

	JUMP(target, NUMBER, JUMP, "a multiple of 64, inside the stream"),

	TIMESTAMP(dst, HEX, ALIGN, "a multiple of 8"),
	TIMESTAMP(dst, HEX, RANGE, IN_48_BITS),

	COPY(width, NUMBER, SHAPE, "1..2^40"),
	COPY(height, NUMBER, SHAPE, "1..2^24"),
	COPY_BESIDE(dst_stride, NUMBER, STRIDE, "at least the width", width),
	COPY(dst, HEX, RANGE, IN_48_BITS),
	COPY(src, HEX, RANGE, IN_48_BITS),

	FILL(elem, NUMBER, PARAM, "1, 2, 4 or 8"),
	FILL_BESIDE(value, HEX, PARAM, "no bits beyond the element", elem),
	FILL_BESIDE(width, NUMBER, SHAPE, "1..2^40 and a multiple of the element", elem),
	FILL(height, NUMBER, SHAPE, "1..2^24"),
	FILL_BESIDE(dst_stride, NUMBER, STRIDE, "at least the width, and a multiple of the element",
		    width),
	FILL_BESIDE(dst, HEX, ALIGN, "a multiple of the element", elem),
	FILL(dst, HEX, RANGE, IN_48_BITS),

	GEMM(m, NUMBER, SHAPE, "1..2^24"),
	GEMM(n, NUMBER, SHAPE, "1..2^24"),
	GEMM(k, NUMBER, SHAPE, "1..65536"),
	GEMM_BESIDE(lda, NUMBER, STRIDE, "at least k", k),
	GEMM_BESIDE(ldd, NUMBER, STRIDE, "at least n", n),
	GEMM(b, HEX, ALIGN, "a multiple of 64"),
	GEMM(d, HEX, ALIGN, "a multiple of the element's size"),
	GEMM(a, HEX, RANGE, IN_48_BITS),
	GEMM(b, HEX, RANGE, IN_48_BITS),
	GEMM(d, HEX, RANGE, IN_48_BITS),
	GEMM_EXT(bias, HEX, ALIGN, "a multiple of 4"),
	GEMM_EXT(bias, HEX, RANGE, IN_48_BITS),
	GEMM_TYPED(scale, HEX, PARAM, "0 for S32 (2), an address for S8 (1) and F32 (3)"),
	GEMM_TYPED(scale, HEX, ALIGN, "a multiple of 8 for S8 (1), of 4 for F32 (3)"),
	GEMM_EXT(scale, HEX, RANGE, IN_48_BITS),
	GEMM_TYPED(row_scale, HEX, PARAM, "0, but for F32 (3)"),
	GEMM_EXT(row_scale, HEX, ALIGN, "a multiple of 4"),
	GEMM_EXT(row_scale, HEX, RANGE, IN_48_BITS),
	GEMM_TYPED(zero, SIGNED, PARAM, "-128..127 for S8 (1), else 0"),
	GEMM_TYPED(lo, SIGNED, PARAM, "-128..127 for S8 (1), else 0"),
	GEMM_TYPED(hi, SIGNED, PARAM, "lo..127 for S8 (1), else 0"),

	ATT(n_kv, NUMBER, SHAPE, "1..2^20"),
	ATT_BESIDE(n_q, NUMBER, SHAPE, "1..65536, and at most n_kv if causal", n_kv),
	ATT(n_kv_heads, NUMBER, SHAPE, "1..1024"),
	ATT_BESIDE(n_heads, NUMBER, SHAPE, "1..1024, a multiple of n_kv_heads", n_kv_heads),
	ATT(head_dim, NUMBER, SHAPE, "16, 32, ... 256"),
	ATT(q, HEX, RANGE, IN_48_BITS),
	ATT(k, HEX, RANGE, IN_48_BITS),
	ATT(v, HEX, RANGE, IN_48_BITS),
	ATT(out, HEX, ALIGN, "a multiple of 4"),
	ATT(out, HEX, RANGE, IN_48_BITS),
	ATT_EXT_BESIDE(q_stride, NUMBER, STRIDE,
		       "at least n_heads * head_dim, and a multiple of head_dim", head_dim),
	ATT_EXT_BESIDE(out_stride, NUMBER, STRIDE, "at least n_heads * head_dim", head_dim),
	ATT_EXT_BESIDE(kv_stride, NUMBER, STRIDE, "over 0, and a multiple of head_dim", head_dim),
	ATT_EXT_BESIDE(kv_head_stride, NUMBER, STRIDE, "over 0, and a multiple of head_dim",
		       head_dim),
	ATT_EXT(softmax_scale, HEX, PARAM, "the bits of a finite float"),
	ATT_EXT(q_scale, HEX, ALIGN, "a multiple of 4"),
	ATT_EXT(k_scale, HEX, ALIGN, "a multiple of 4"),
	ATT_EXT(v_scale, HEX, ALIGN, "a multiple of 4"),
	ATT_EXT(q_scale, HEX, RANGE, IN_48_BITS),
	ATT_EXT(k_scale, HEX, RANGE, IN_48_BITS),
	ATT_EXT(v_scale, HEX, RANGE, IN_48_BITS),

	NORM(rows, NUMBER, SHAPE, "1..2^24"),
	NORM(n, NUMBER, SHAPE, "1..2^24"),
	NORM_STRIDE(0, quill_cmd_norm, src_stride),
	NORM_STRIDE(0, quill_cmd_norm, dst_stride),
	NORM_STRIDE(1, quill_ext_norm, residual_stride),
	NORM(src, HEX, ALIGN, "a multiple of 4"),
	NORM(src, HEX, RANGE, IN_48_BITS),
	NORM(dst, HEX, ALIGN, "a multiple of 4"),
	NORM(dst, HEX, RANGE, IN_48_BITS),
	NORM(weight, HEX, ALIGN, "a multiple of 4"),
	NORM(weight, HEX, RANGE, IN_48_BITS),
	NORM(residual, HEX, ALIGN, "a multiple of 4"),
	NORM(residual, HEX, RANGE, IN_48_BITS),
	NORM_EXT(bias, HEX, PARAM, "0, but for LAYERNORM"),
	NORM_EXT(bias, HEX, ALIGN, "a multiple of 4"),
	NORM_EXT(bias, HEX, RANGE, IN_48_BITS),
	NORM_EXT(sum, HEX, PARAM, "0, since residual is 0"),
	NORM_EXT(sum, HEX, ALIGN, "a multiple of 4"),
	NORM_EXT(sum, HEX, RANGE, IN_48_BITS),
	NORM_EXT(residual_stride, NUMBER, PARAM, "0, since residual is 0"),
	NORM_EXT(eps, HEX, PARAM, "the bits of a finite float that is not negative"),

	VEC_DIMS(SOFTMAX, softmax),
	VEC_STRIDE(SOFTMAX, softmax, src_stride),
	VEC_STRIDE(SOFTMAX, softmax, dst_stride),
	VEC_ADDRESS(SOFTMAX, softmax, src),
	VEC_ADDRESS(SOFTMAX, softmax, dst),
	VEC(SOFTMAX, softmax, scale, HEX, PARAM, "the bits of a finite float"),

	VEC(ROPE, rope, rows, NUMBER, SHAPE, "1..2^24"),
	VEC(ROPE, rope, heads, NUMBER, SHAPE, "1..1024"),
	VEC(ROPE, rope, dim, NUMBER, SHAPE, "2, 4, ... 256"),
	VEC_BESIDE(ROPE, rope, src_stride, NUMBER, STRIDE, "at least heads * dim", dim),
	VEC_BESIDE(ROPE, rope, dst_stride, NUMBER, STRIDE, "at least heads * dim", dim),
	VEC_ADDRESS(ROPE, rope, src),
	VEC_ADDRESS(ROPE, rope, dst),
	VEC_ADDRESS(ROPE, rope, table),

	SCALED(rows, NUMBER, SHAPE, "1..2^24"),
	SCALED(n, NUMBER, SHAPE, "1..2^24"),
	SCALED_BESIDE(group, NUMBER, SHAPE, "a divisor of n", quill_cmd_quantise, n),
	SCALED_BESIDE(src_stride, NUMBER, STRIDE, "at least n", quill_cmd_quantise, n),
	SCALED_BESIDE(dst_stride, NUMBER, STRIDE, "at least n", quill_cmd_quantise, n),
	SCALED_BESIDE(scale_stride, NUMBER, STRIDE, "at least n / group", quill_cmd_quantise, group),
	SCALED(src, HEX, ALIGN, "a multiple of the element's size"),
	SCALED(src, HEX, RANGE, IN_48_BITS),
	SCALED(dst, HEX, ALIGN, "a multiple of the element's size"),
	SCALED(dst, HEX, RANGE, IN_48_BITS),
	SCALED(scale, HEX, ALIGN, "a multiple of 4"),
	SCALED(scale, HEX, RANGE, IN_48_BITS),

	VEC_DIMS(ELTWISE, eltwise),
	VEC_STRIDE(ELTWISE, eltwise, a_stride),
	VEC_STRIDE(ELTWISE, eltwise, b_stride),
	VEC_STRIDE(ELTWISE, eltwise, dst_stride),
	VEC_ADDRESS(ELTWISE, eltwise, a),
	VEC_ADDRESS(ELTWISE, eltwise, b),
	VEC_ADDRESS(ELTWISE, eltwise, dst),
	VEC(ELTWISE, eltwise, op, NUMBER, PARAM, "0..4 (ADD, SUB, MUL, MAX, MIN)"),

	VEC_DIMS(ACT, act),
	VEC_STRIDE(ACT, act, src_stride),
	VEC_STRIDE(ACT, act, gate_stride),
	VEC_STRIDE(ACT, act, dst_stride),
	VEC_ADDRESS(ACT, act, src),
	VEC_ADDRESS(ACT, act, gate),
	VEC_ADDRESS(ACT, act, dst),
	VEC(ACT, act, gate, HEX, PARAM, "0, since type_b is NONE"),
	VEC(ACT, act, gate_stride, NUMBER, PARAM, "0, since there is no gate"),
	VEC(ACT, act, op, NUMBER, PARAM, "0..4 (RELU, SIGMOID, SILU, TANH, GELU)"),

	VEC_DIMS(REDUCE, reduce),
	VEC_STRIDE(REDUCE, reduce, src_stride),
	VEC_ADDRESS(REDUCE, reduce, src),
	VEC_ADDRESS(REDUCE, reduce, dst),
	VEC(REDUCE, reduce, op, NUMBER, PARAM, "0..2 (SUM, MAX, ARGMAX)"),

	VEC_DIMS(GATHER, gather),
	VEC(GATHER, gather, table_rows, NUMBER, SHAPE, "1..2^24"),
	VEC_STRIDE(GATHER, gather, table_stride),
	VEC_STRIDE(GATHER, gather, dst_stride),
	VEC_ADDRESS(GATHER, gather, table),
	VEC_ADDRESS(GATHER, gather, index),
	VEC_ADDRESS(GATHER, gather, dst),
};

#define ACCEL_COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct accel_field *accel_field_find(uint8_t opcode, const struct quill_check *why)
{
	const struct accel_field *f;
	size_t i;

	for (i = 0; i < ACCEL_COUNT(accel_fields); i++) {
		f = &accel_fields[i];
		if ((f->opcode == opcode || !f->opcode) && f->record == why->record &&
		    f->offset == why->offset && f->fault == why->fault)
			return f;
	}
	return NULL;
}

static uint64_t accel_field_value(const union quill_cmd *cmd, uint32_t offset, uint32_t size)
{
	uint64_t value = 0;

	/* Little endian, as is every processor that the device is built for. */
	memcpy(&value, (const char *)cmd + offset, size);
	return value;
}

static void accel_print_value(char *text, size_t size, const struct accel_field *f, uint64_t value)
{
	if (f->kind == KIND_HEX)
		snprintf(text, size, "0x%llx", (unsigned long long)value);
	else if (f->kind == KIND_SIGNED)
		snprintf(text, size, "%d", (int32_t)value);
	else
		snprintf(text, size, "%llu", (unsigned long long)value);
}

/* @cmd has the extension record behind it if @why speaks of it. */
void accel_describe_cmd(const union quill_cmd *cmd, const struct quill_check *why, char *text,
			size_t size)
{
	const struct quill_op_info *op = quill_op_info(cmd->hdr.opcode);
	const struct accel_field *f = accel_field_find(cmd->hdr.opcode, why);
	const char *name = op ? op->name : "command";
	char found[32];

	if (!f) {
		snprintf(text, size, "%s: byte %u of record %u is 0x%02x; required: %s", name,
			 why->offset, why->record, ((const uint8_t *)&cmd[why->record])[why->offset],
			 why->fault == QUILL_FAULT_RESERVED ? "0 (reserved)" : "what isa.h says");
		return;
	}

	accel_print_value(found, sizeof(found), f,
			  accel_field_value(&cmd[f->record], f->offset, f->size));
	if (f->other)
		snprintf(text, size, "%s: %s is %s; required: %s (%s is %llu)", name, f->name, found,
			 f->required, f->other,
			 (unsigned long long)accel_field_value(cmd, f->other_offset, f->other_size));
	else
		snprintf(text, size, "%s: %s is %s; required: %s", name, f->name, found,
			 f->required);
}

/* ---- Faults of jobs ---- */

static const struct {
	uint32_t fault;
	const char *text;
} accel_fault_texts[] = {
	{ QUILL_FAULT_UNMAPPED, "nothing is bound there" },
	{ QUILL_FAULT_READ_PERM, "the bind does not permit reading" },
	{ QUILL_FAULT_WRITE_PERM, "the bind is read-only" },
	{ QUILL_FAULT_PTE, "malformed page-table entry" },
	{ QUILL_FAULT_ADDRESS, "beyond 48 bits, or outside the scratchpad" },
	{ QUILL_FAULT_BUS, "the host refused the access: no memory there" },
	{ QUILL_FAULT_AS, "the address space is not enabled" },
	{ QUILL_FAULT_OPCODE, "unknown opcode or version" },
	{ QUILL_FAULT_RESERVED, "a reserved field is not 0" },
	{ QUILL_FAULT_FLAGS, "a flag that the opcode does not have" },
	{ QUILL_FAULT_TYPE, "a data type that the opcode does not take" },
	{ QUILL_FAULT_SHAPE, "a dimension out of range" },
	{ QUILL_FAULT_STRIDE, "a stride smaller than its row" },
	{ QUILL_FAULT_ALIGN, "a misaligned address" },
	{ QUILL_FAULT_RANGE, "an operand beyond 48 bits" },
	{ QUILL_FAULT_EXT, "extension record missing, superfluous or misplaced" },
	{ QUILL_FAULT_SEMAPHORE, "semaphore out of range" },
	{ QUILL_FAULT_PARAM, "a parameter out of range" },
	{ QUILL_FAULT_STREAM, "the stream is empty, misaligned, or is read past its end" },
	{ QUILL_FAULT_DEADLOCK, "every engine waits for a semaphore that no command will signal" },
	{ QUILL_FAULT_JUMP, "jump out of the stream" },
	{ QUILL_FAULT_KILLED, "the driver ended the job" },
	{ QUILL_FAULT_RING, "malformed job descriptor: a bug of the driver" },
	{ QUILL_FAULT_INTERNAL, "the firmware broke a rule of the hardware: a bug of it" },
};

static const char *accel_fault_text(uint32_t fault)
{
	size_t i;

	for (i = 0; i < ACCEL_COUNT(accel_fault_texts); i++)
		if (accel_fault_texts[i].fault == fault)
			return accel_fault_texts[i].text;
	return "a fault that this library does not know";
}

static const char *accel_access_text(uint32_t access)
{
	static const char *const texts[] = { "read", "write", "fetch" };

	return access < ACCEL_COUNT(texts) ? texts[access] : "access";
}

static const char *accel_engine_text(uint32_t engine)
{
	static const char *const texts[] = { "TENSOR", "VECTOR", "DMA", "control processor" };

	return engine < ACCEL_COUNT(texts) ? texts[engine] : "unknown engine";
}

/* @cmd: the command at fault and @records from it on, if the stream still has it; else NULL. */
void accel_describe_fault(const struct drm_quill_queue_query *fault, const union quill_cmd *cmd,
			  uint32_t records, char *text, size_t size)
{
	const struct quill_op_info *op = cmd ? quill_op_info(cmd->hdr.opcode) : NULL;
	const char *name = op ? op->name : "opcode unknown";
	struct quill_check why = { 0 };
	char field[ACCEL_ERROR_MAX / 2];

	if (fault->fault_elapsed_ms) {
		snprintf(text, size, "it ran for %u ms, its queue's limit is %u ms; it was at command "
			 "%u (%s)", fault->fault_elapsed_ms, fault->timeout_ms,
			 fault->fault_command, name);
	} else if (fault->fault_status && fault->fault_status < QUILL_FAULT_OPCODE) {
		snprintf(text, size, "command %u (%s): %s by %s at device address 0x%llx: %s",
			 fault->fault_command, name, accel_access_text(fault->fault_access),
			 accel_engine_text(fault->fault_engine),
			 (unsigned long long)fault->fault_addr,
			 accel_fault_text(fault->fault_status));
	} else if (cmd && quill_cmd_check(cmd, records, &why)) {
		accel_describe_cmd(cmd, &why, field, sizeof(field));
		snprintf(text, size, "command %u is malformed: %s", fault->fault_command, field);
	} else {
		snprintf(text, size, "command %u (%s): %s (0x%llx)", fault->fault_command, name,
			 accel_fault_text(fault->fault_status),
			 (unsigned long long)fault->fault_addr);
	}
}
