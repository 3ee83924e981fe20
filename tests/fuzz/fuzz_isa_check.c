// SPDX-License-Identifier: MIT
/*
 * quill_cmd_check(): reads no byte beyond the records that it was given, says the same when asked again, names a
 * field where it refuses; and what it lets pass, the timing model takes without overflow of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "quill/isa_check.h"
#include "stream.h"
#include "timing.h"

/* One check of a copy that ends where the records do. */
static uint32_t check(const uint8_t *records, uint32_t n, struct quill_check *why)
{
	union quill_cmd *copy = malloc(n * sizeof(*copy));
	uint32_t fault;

	fuzz_expect(copy, "no memory");
	memcpy(copy, records, n * sizeof(*copy));
	memset(why, 0xee, sizeof(*why));
	fault = quill_cmd_check(copy, n, why);
	fuzz_expect(!memcmp(copy, records, n * sizeof(*copy)), "the check changed the command");
	free(copy);
	return fault;
}

static void check_refusal(uint32_t fault, const struct quill_check *why, uint32_t n)
{
	fuzz_expect(why->fault == fault, "returned %u, but says %u", fault, why->fault);
	fuzz_expect(fault >= QUILL_FAULT_OPCODE && fault <= QUILL_FAULT_PARAM ? true :
		    fault == QUILL_FAULT_JUMP, "fault %u is none of a check", fault);
	fuzz_expect(why->record < n && why->offset < QUILL_CMD_SIZE,
		    "refused at record %u, offset %u, of %u records", why->record, why->offset, n);
}

static void check_pass(const uint8_t *records, uint32_t n)
{
	const struct quill_op_info *op = quill_op_info(records[0]);
	const struct profile *profile = profile_get(NULL);
	const struct quill_cmd_hdr *h = (const struct quill_cmd_hdr *)records;
	union quill_cmd cmd[QUILL_MAX_RECORDS] = { 0 };
	struct cost cost;

	fuzz_expect(op && h->ext < n && h->ext >= op->ext && h->ext <= op->ext_max,
		    "passed with %u records of %u, opcode %u", 1u + h->ext, n, records[0]);
	if (op->engine == QUILL_ENGINE_FW)
		return;
	memcpy(cmd, records, (1 + h->ext) * sizeof(*cmd));
	timing_cost(profile, cmd, &cost);
	fuzz_expect(cost.cycles && cost.cycles < 1ull << 60, "%s takes %llu cycles", op->name,
		    (unsigned long long)cost.cycles);
	fuzz_expect(cost.compute <= cost.cycles, "%s works for %llu of %llu cycles", op->name,
		    (unsigned long long)cost.compute, (unsigned long long)cost.cycles);
	fuzz_expect(cost.bytes >= cost.read + cost.written, "%s moves %llu bytes, but %llu + %llu",
		    op->name, (unsigned long long)cost.bytes, (unsigned long long)cost.read,
		    (unsigned long long)cost.written);
}

static void one(const uint8_t *records, uint32_t n)
{
	struct quill_check why, again;
	uint32_t fault = check(records, n, &why);

	fuzz_expect(check(records, n, &again) == fault && !memcmp(&why, &again, sizeof(why)),
		    "fault %u, another when asked again", fault);
	if (fault)
		check_refusal(fault, &why, n);
	else
		check_pass(records, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < sizeof(struct stream_head))
		return 0;
	data += sizeof(struct stream_head);
	size -= sizeof(struct stream_head);
	for (; size >= QUILL_CMD_SIZE; data += QUILL_CMD_SIZE, size -= QUILL_CMD_SIZE) {
		one(data, 1);
		if (size >= 2 * QUILL_CMD_SIZE)
			one(data, 2);
	}
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return stream_mutate(data, size, max, seed);
}
