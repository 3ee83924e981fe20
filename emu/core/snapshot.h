/* SPDX-License-Identifier: MIT */
/* The parts of a snapshot: each is saved and loaded where its structures are known. */
#ifndef QUILL_CORE_SNAPSHOT_H
#define QUILL_CORE_SNAPSHOT_H

#include "snap.h"

struct core;
struct rv32;

/* rv32_snap.c: everything but local memory and the interrupt line. */
void rv32_snap(struct rv32 *cpu, struct snap *s);
/* snapshot_slot.c: FIFOs, retirements, counters; under the core's lock. */
void snap_slots(struct core *core, struct snap *s);
/* Not under it. */
void snap_scratchpads(struct core *core, struct snap *s);

#endif /* QUILL_CORE_SNAPSHOT_H */
