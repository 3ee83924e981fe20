/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QUILL_IRQ_H
#define QUILL_IRQ_H

struct quill_device;
struct quill_queue;

int quill_irq_init(struct quill_device *qdev);
unsigned int quill_irq_vector(struct quill_device *qdev, unsigned int hwq);
void quill_irq_process(struct quill_queue *queue);
void quill_irq_process_locked(struct quill_queue *queue);

#endif /* QUILL_IRQ_H */
