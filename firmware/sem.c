// SPDX-License-Identifier: MIT
/*
 * Semaphores of a job: what they count, and at what device time.
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

#define ENDS		FW_SEM_ENDS
#define NOT_ISSUED	(~0ull)

void sem_reset(struct job *j)
{
	j->sems_used = 0;
}

/* A semaphore costs a job nothing before it is named. */
static struct sem *sem_get(struct job *j, __u32 number)
{
	struct sem *s = &j->sem[number];

	if (j->sems_used >> number & 1)
		return s;
	j->sems_used |= 1u << number;
	s->value = 0;
	s->decoded = 0;
	s->issued = 0;
	s->prefix = 0;
	s->disorder = 0;
	s->latest = 0;
	s->forgotten = 0;
	return s;
}

void sem_decode_wait(struct job *j, struct sem_wait *w, const struct quill_cmd_hdr *hdr)
{
	__u32 before;

	w->sem = hdr->wait_sem;
	if (!w->sem)
		return;
	before = sem_get(j, w->sem)->decoded;
	w->value = hdr->wait_value;
	w->prefix = before > hdr->wait_value ? before : hdr->wait_value;
}

__u32 sem_decode_signal(struct job *j, __u32 sem)
{
	struct sem *s = sem_get(j, sem);
	__u64 *end = &s->end[++s->decoded % ENDS];

	if (s->decoded > ENDS)
		s->forgotten = max64(s->forgotten, *end);
	*end = NOT_ISSUED;
	return s->decoded;
}

void sem_issue_signal(struct job *j, __u32 sem, __u32 number, __u64 end)
{
	struct sem *s = &j->sem[sem];

	s->issued++;
	s->end[number % ENDS] = end;
	while (s->prefix != s->decoded) {
		end = s->end[(s->prefix + 1) % ENDS];
		if (end == NOT_ISSUED)
			break;
		s->prefix++;
		if (end < s->latest)
			s->disorder = s->prefix;
		else
			s->latest = end;
	}
}

void sem_retire_signal(struct job *j, __u32 sem)
{
	j->sem[sem].value++;
}

bool sem_reached(struct job *j, const struct sem_wait *w, bool strict)
{
	const struct sem *s = &j->sem[w->sem];

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

/* The latest end of the signals numbered 1..@last, those included that are not remembered. */
static __u64 latest_end(const struct sem *s, __u32 last)
{
	__u32 n = s->decoded > ENDS ? s->decoded - ENDS + 1 : 1;
	__u64 latest = s->forgotten;

	for (; n != last + 1; n++)
		latest = max64(latest, s->end[n % ENDS]);
	return latest;
}

__u64 sem_time(struct job *j, const struct sem_wait *w, bool strict)
{
	const struct sem *s = &j->sem[w->sem];
	__u32 last, known, rank, first;

	if (!w->sem || !w->value)
		return 0;
	last = strict ? w->prefix : s->decoded;
	known = strict ? w->prefix : s->issued;
	rank = known - w->value;
	/* what is older than the window has its place taken by the oldest in it */
	if (rank > FW_WINDOW - 1)
		rank = FW_WINDOW - 1;
	/* one engine's signals end in order; then the one looked for is simply that number */
	if (strict && last - rank > s->disorder)
		return s->end[(last - rank) % ENDS];
	if (strict && !rank)
		return latest_end(s, last);
	first = last >= FW_WINDOW ? last - FW_WINDOW + 1 : 1;
	return end_at_rank(s, first, last, rank);
}
