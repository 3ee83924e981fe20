// SPDX-License-Identifier: MIT
/*
 * Faults on demand, to test those who have to live with a device that has them: the next so many of an event.
 *
 * Armed by text (the property `inject`) or, where that allows it, by QUILL_REG_INJECT. Where nothing is armed an event costs
 * the load of a word.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"

#define MAX_ARMED	65535u

static const char *const names[QUILL_INJECT_COUNT] = {
	[QUILL_INJECT_LOST_IRQ] = "lost-irq",
	[QUILL_INJECT_LOST_DOORBELL] = "lost-doorbell",
	[QUILL_INJECT_STUCK_FIRMWARE] = "stuck-firmware",
	[QUILL_INJECT_CORRUPT_COMPLETION] = "corrupt-completion",
	[QUILL_INJECT_DMA_ERROR] = "dma-error",
	[QUILL_INJECT_SLOW] = "slow",
	[QUILL_INJECT_STUCK_INVALIDATE] = "stuck-invalidate",
};

/* Does the event happen now? */
bool inject_take(struct quill_emu *emu, enum quill_inject what)
{
	uint32_t left = atomic_load_explicit(&emu->inject.armed[what], memory_order_relaxed);

	while (left)
		if (atomic_compare_exchange_weak(&emu->inject.armed[what], &left, left - 1)) {
			core_trace(emu, "inject: %s, %u left", names[what], left - 1);
			return true;
		}
	return false;
}

bool inject_armed(struct quill_emu *emu, enum quill_inject what)
{
	return atomic_load_explicit(&emu->inject.armed[what], memory_order_relaxed);
}

/* A command that is slow: its engine does nothing for a while, unless it is aborted. */
void inject_slow(struct quill_emu *emu, _Atomic bool *abort)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int i;

	if (!inject_take(emu, QUILL_INJECT_SLOW))
		return;
	for (i = 0; i < QUILL_INJECT_SLOW_MS && !atomic_load(abort); i++)
		nanosleep(&ms, NULL);
}

uint32_t inject_read(struct quill_emu *emu)
{
	uint32_t i, sum = 0;

	if (!atomic_load(&emu->inject.on))
		return 0;
	for (i = 0; i < QUILL_INJECT_COUNT; i++)
		sum += atomic_load(&emu->inject.armed[i]);
	return QUILL_INJECT_ON | (sum < MAX_ARMED ? sum : MAX_ARMED);
}

void inject_write(struct quill_emu *emu, uint32_t value)
{
	uint32_t what = value & 0xff;

	if (!atomic_load(&emu->inject.on) || value & 0xff00 || !what || what >= QUILL_INJECT_COUNT)
		return;
	atomic_store(&emu->inject.armed[what], value >> 16);
}

/* One "name" or "name:count". Return: which, or 0. */
static unsigned int parse(const char *word, uint32_t *count)
{
	const char *colon = strchr(word, ':');
	size_t len = colon ? (size_t)(colon - word) : strlen(word);
	char *end = NULL;
	unsigned int i;

	*count = 1;
	if (colon) {
		*count = strtoul(colon + 1, &end, 10);
		if (colon[1] < '0' || colon[1] > '9' || *end || !*count || *count > MAX_ARMED)
			return 0;
	}
	for (i = 1; i < QUILL_INJECT_COUNT; i++)
		if (strlen(names[i]) == len && !strncmp(names[i], word, len))
			return i;
	return 0;
}

bool quill_emu_inject(struct quill_emu *emu, const char *text, char *err, size_t err_size)
{
	uint32_t armed[QUILL_INJECT_COUNT] = { 0 }, count;
	char copy[256], *word, *rest = copy;
	bool on = text && *text && strcmp(text, "off");
	unsigned int i;

	if (on && strcmp(text, "on")) {
		snprintf(copy, sizeof(copy), "%s", text);
		while ((word = strsep(&rest, "+"))) {
			i = parse(word, &count);
			if (!i) {
				snprintf(err, err_size, "inject: found \"%s\", required off, on, or lost-irq, lost-doorbell, "
					 "stuck-firmware, corrupt-completion, dma-error, slow or stuck-invalidate, "
					 "each maybe with :COUNT (1 to 65535), joined by +", word);
				return false;
			}
			armed[i] = count;
		}
	}
	for (i = 0; i < QUILL_INJECT_COUNT; i++)
		atomic_store(&emu->inject.armed[i], armed[i]);
	atomic_store(&emu->inject.on, on);
	return true;
}
