// SPDX-License-Identifier: MIT
/*
 * The heartbeat: a counter that the driver watches while it has jobs out.
 *
 * The timer runs only while there is work; it fires once more after the last of it and then sleeps,
 * so that an idle machine costs its host nothing. While idle, the driver may PING.
 */
#include "fw.h"

static __u32 period;
static __u32 beats;
static bool armed;

void heartbeat_beat(void)
{
	cb_write(QUILL_CB_HEARTBEAT, ++beats);
}

static void arm(void)
{
	cb_write64(QUILL_CB_TIMER_LO, cb_read64(QUILL_CB_TIME_LO) + period);
	armed = true;
}

void heartbeat_init(__u32 period_us)
{
	period = period_us;
	heartbeat_beat();
}

void heartbeat_work(void)
{
	if (!armed)
		arm();
}

void heartbeat_timer(bool working)
{
	/* out of reach first: what is pending follows the comparison */
	cb_write64(QUILL_CB_TIMER_LO, ~0ull);
	cb_write(QUILL_CB_IRQ_PENDING, QUILL_CB_IRQ_TIMER);
	heartbeat_beat();
	armed = false;
	if (working)
		arm();
}
