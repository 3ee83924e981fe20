// SPDX-License-Identifier: MIT
/*
 * Semaphores of the job that runs: what they count, and at what device time.
 *
 * A semaphore counts the commands that signal it and have retired: that decides when a wait may pass, in
 * wall time. Device time must not depend on the host, so it is not taken from the order in
 * which engines happened to finish. Signals are numbered in the order of decoding, and the
 * moment at which "the count reached v" is the v-th earliest end among the first N signals,
 * N being those decoded before the wait (or v, if that is more). An end is known
 * when a command is issued; a strict wait also waits for all N to be issued. Programs exist
 * for which that never happens although the count is reached (a signal whose command waits for
 * the waiter): they go on as soon as nothing else can (not strict), which is a moment that
 * depends on the program alone too.
 *
 * The window (FW_WINDOW) bounds how many signals can be numbered behind one that is not issued, and
 * so how many ends have to be remembered.
 */
#include "fw.h"

#define ENDS		(2 * FW_WINDOW)
#define NOT_ISSUED	(~0ull)

static struct sem {
	/* Signals retired, decoded, issued; and issued without a gap from the first. */
	__u32 value;
	__u32 decoded;
	__u32 issued;
	__u32 prefix;
	/* By number modulo ENDS: the end, and the latest end up to this number. */
	__u64 end[ENDS];
	__u64 latest[ENDS];
} sems[QUILL_SEMAPHORES];

void sem_reset(void)
{
	struct sem *s;

	for (s = sems; s < sems + QUILL_SEMAPHORES; s++) {
		s->value = 0;
		s->decoded = 0;
		s->issued = 0;
		s->prefix = 0;
		s->latest[0] = 0;
	}
}

void sem_decode_wait(struct sem_wait *w, const struct quill_cmd_hdr *hdr)
{
	__u32 before = sems[hdr->wait_sem].decoded;

	w->sem = hdr->wait_sem;
	w->value = hdr->wait_value;
	w->prefix = before > hdr->wait_value ? before : hdr->wait_value;
}

__u32 sem_decode_signal(__u32 sem)
{
	struct sem *s = &sems[sem];

	s->decoded++;
	s->end[s->decoded % ENDS] = NOT_ISSUED;
	return s->decoded;
}

void sem_issue_signal(__u32 sem, __u32 number, __u64 end)
{
	struct sem *s = &sems[sem];

	s->issued++;
	s->end[number % ENDS] = end;
	while (s->prefix != s->decoded && s->end[(s->prefix + 1) % ENDS] != NOT_ISSUED) {
		end = s->latest[s->prefix % ENDS];
		s->prefix++;
		s->latest[s->prefix % ENDS] = max64(end, s->end[s->prefix % ENDS]);
	}
}

void sem_retire_signal(__u32 sem)
{
	sems[sem].value++;
}

bool sem_reached(const struct sem_wait *w, bool strict)
{
	const struct sem *s = &sems[w->sem];

	if (!w->sem)
		return true;
	return s->value >= w->value && (!strict || s->prefix >= w->prefix);
}

/* The end at place @rank (0: the latest) of the signals numbered @first..@last. */
static __u64 end_at_rank(const struct sem *s, __u32 first, __u32 last, __u32 rank)
{
	__u64 bound = NOT_ISSUED, best, end;
	__u32 n, equal;

	/* descend from value to value; each stands for as many ranks as have it */
	for (;;) {
		best = 0;
		equal = 0;
		for (n = first; n != last + 1; n++) {
			end = s->end[n % ENDS];
			if (end >= bound || end < best)
				continue;
			equal = end == best ? equal + 1 : 1;
			best = end;
		}
		if (rank < equal || !best)
			return best;
		rank -= equal;
		bound = best;
	}
}

/* One engine's signals end in order; then the one looked for is simply that number. */
static bool in_order(const struct sem *s, __u32 first, __u32 last)
{
	for (; first != last + 1; first++)
		if (s->latest[first % ENDS] != s->end[first % ENDS])
			return false;
	return true;
}

__u64 sem_time(const struct sem_wait *w, bool strict)
{
	const struct sem *s = &sems[w->sem];
	__u32 last = strict ? w->prefix : s->decoded;
	__u32 known = strict ? w->prefix : s->issued;
	__u32 rank = known - w->value;
	__u32 first;

	if (!w->sem || !w->value)
		return 0;
	if (strict && !rank)
		return s->latest[last % ENDS];
	/* what is older than the window has its place taken by the oldest in it */
	if (rank > FW_WINDOW - 1)
		rank = FW_WINDOW - 1;
	if (strict && in_order(s, last - rank, last))
		return s->end[(last - rank) % ENDS];
	first = last >= FW_WINDOW ? last - FW_WINDOW + 1 : 1;
	return end_at_rank(s, first, last, rank);
}
