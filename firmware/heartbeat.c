// SPDX-License-Identifier: MIT
/*
 * The heartbeat: a counter that the driver watches while it has jobs out.
 *
 * Its timer is also what the scheduler's ticks come from. It runs only while there is work; it fires once more after the last of it and then sleeps,
 * so that an idle machine costs its host nothing. While idle, the driver may PING.
 */
#include "fw.h"

/* Every how many ticks it beats, and how many are left until it does. */
static __u32 ticks_a_beat;
static __u32 ticks_left;
static __u32 tick_us;
static __u32 beats;
static bool armed;

void heartbeat_beat(void)
{
	cb_write(QUILL_CB_HEARTBEAT, ++beats);
}

static void arm(void)
{
	cb_write64(QUILL_CB_TIMER_LO, cb_read64(QUILL_CB_TIME_LO) + tick_us);
	armed = true;
}

void heartbeat_init(__u32 period_us)
{
	tick_us = period_us < FW_TICK_US ? period_us : FW_TICK_US;
	ticks_a_beat = period_us / tick_us;
	ticks_left = ticks_a_beat;
	heartbeat_beat();
}

void heartbeat_work(void)
{
	if (!armed)
		arm();
}

void heartbeat_timer(void)
{
	/* out of reach first: what is pending follows the comparison */
	cb_write64(QUILL_CB_TIMER_LO, ~0ull);
	cb_write(QUILL_CB_IRQ_PENDING, QUILL_CB_IRQ_TIMER);
	if (!--ticks_left) {
		ticks_left = ticks_a_beat;
		heartbeat_beat();
	}
	armed = false;
	sched_tick();
	if (sched_working())
		arm();
}
