/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_IRQ_H
#define QUILL_IRQ_H

#include <linux/types.h>

struct quill_device;
struct quill_job_cpl;
struct quill_queue;

int quill_irq_init(struct quill_device *qdev);
unsigned int quill_irq_vector(struct quill_device *qdev, unsigned int hwq);
void quill_irq_process(struct quill_queue *queue);
void quill_irq_process_locked(struct quill_queue *queue);
bool quill_irq_record_valid(const struct quill_job_cpl *rec);
void quill_irq_broken(struct quill_queue *queue, const char *what, u64 found, u64 required);
void quill_irq_fault(struct quill_queue *queue, const struct quill_job_cpl *rec, u32 elapsed);

#endif /* QUILL_IRQ_H */
