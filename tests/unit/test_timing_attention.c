// SPDX-License-Identifier: MIT
/* Device time of ATTENTION's third record, MERGE and KV_APPEND. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "timing_internal.h"

static union quill_cmd cmd[3];

static struct cost cost_now(void)
{
	struct cost cost;

	timing_cost(profile_get("quill-1"), cmd, &cost);
	return cost;
}

static struct cost attention(uint32_t n_q, uint32_t n_kv, uint32_t window)
{
	struct quill_cmd_attention *a = &cmd[0].attention;
	struct quill_ext_attention *e = &cmd[1].attention_ext;

	memset(cmd, 0, sizeof(cmd));
	a->hdr.opcode = QUILL_OP_ATTENTION;
	a->hdr.type_a = a->hdr.type_b = QUILL_TYPE_S8;
	a->hdr.flags = QUILL_CMD_CAUSAL;
	a->hdr.ext = 2;
	a->n_q = n_q;
	a->n_kv = n_kv;
	a->n_heads = a->n_kv_heads = 1;
	a->head_dim = 64;
	a->q = a->k = a->v = a->out = 0x100000;
	e->q_scale = e->k_scale = e->v_scale = 0x100000;
	cmd[2].attention_more.window = window;
	return cost_now();
}

static void a_window_counts_the_pairs_that_are_seen(void **state)
{
	uint32_t n_q, n_kv, w, i, n;
	uint64_t pairs;

	for (n_q = 1; n_q <= 12; n_q += 3) {
		for (n_kv = n_q; n_kv <= 20; n_kv += 2) {
			for (w = 0; w <= 22; w++) {
				for (i = 0, pairs = 0; i < n_q; i++) {
					n = n_kv - n_q + i + 1;
					pairs += w && w < n ? w : n;
				}
				assert_int_equal(attention(n_q, n_kv, w).macs, 2 * pairs * 64);
			}
		}
	}
}

static void a_window_bounds_the_time_of_a_step(void **state)
{
	struct cost near = attention(1, 4096, 1024), far = attention(1, 1 << 20, 1024);

	assert_int_equal(near.cycles, far.cycles);
	assert_int_equal(near.read, far.read);
	assert_true(attention(1, 1 << 20, 0).cycles > 100 * far.cycles);
}

static void tables_and_states_are_traffic(void **state)
{
	struct cost plain = attention(4, 1000, 0), more;

	cmd[2].attention_more.table = 0x100000;
	cmd[2].attention_more.page_size = 16;
	cmd[2].attention_more.state = 0x100000;
	more = cost_now();
	assert_int_equal(more.read - plain.read, 63 * 4 + 4);	/* rounded up to bursts of 64 */
	assert_int_equal(more.written - plain.written, 4 * 64);
	assert_int_equal(more.macs, plain.macs);
}

static void merge_reads_its_parts_once(void **state)
{
	struct quill_cmd_merge *m = &cmd[0].merge;
	struct cost c;

	memset(cmd, 0, sizeof(cmd));
	m->hdr.opcode = QUILL_OP_MERGE;
	m->hdr.ext = 1;
	m->src = m->state = m->dst = 0x100000;
	m->rows = 10;
	m->parts = 8;
	m->heads = 16;
	m->dim = 64;
	c = cost_now();
	assert_int_equal(c.read, 8 * 10 * (16 * 64 * 4 + 16 * 8));
	assert_int_equal(c.written, 10 * 16 * 64 * 4);
	assert_true(c.cycles > 0);
}

static void append_writes_a_quarter_of_what_it_reads_and_scales(void **state)
{
	struct quill_cmd_kv_append *a = &cmd[0].kv_append;
	struct quill_ext_kv_append *e = &cmd[1].kv_append_ext;
	struct cost c;

	memset(cmd, 0, sizeof(cmd));
	a->hdr.opcode = QUILL_OP_KV_APPEND;
	a->hdr.type_d = QUILL_TYPE_S8;
	a->hdr.ext = 1;
	a->k_src = a->v_src = a->k = a->v = e->k_scale = e->v_scale = 0x100000;
	a->tokens = 32;
	a->heads = 16;
	a->dim = 128;
	c = cost_now();
	assert_int_equal(c.read, 2 * 32 * 16 * 128 * 4);
	assert_int_equal(c.written, 2 * 32 * (16 * 128 + 16 * 4));
	a->hdr.type_d = QUILL_TYPE_BF16;
	assert_int_equal(cost_now().written, 2 * 32 * (16 * 128 * 2 + 16 * 4));
	a->hdr.type_d = QUILL_TYPE_S8;
	a->pos = 100000;
	assert_int_equal(cost_now().cycles, c.cycles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_counts_the_pairs_that_are_seen),
		cmocka_unit_test(a_window_bounds_the_time_of_a_step),
		cmocka_unit_test(tables_and_states_are_traffic),
		cmocka_unit_test(merge_reads_its_parts_once),
		cmocka_unit_test(append_writes_a_quarter_of_what_it_reads_and_scales),
	};

	return cmocka_run_group_tests_name("device time: attention", tests, NULL, NULL);
}
