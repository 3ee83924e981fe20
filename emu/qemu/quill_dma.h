/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QUILL_DMA_H
#define QUILL_DMA_H

#include "compat.h"

/*
 * Guest RAM at bus address @addr as @dev sees it, for any thread, with or without the big lock. *@len is what is
 * wanted and becomes what is mapped, which may be less. NULL: not RAM, and never followed.
 */
void *quill_dma_map(PCIDevice *dev, uint64_t addr, uint64_t *len, bool write);

/* End of the access; the first @written bytes were changed. */
void quill_dma_unmap(PCIDevice *dev, void *ptr, uint64_t len, bool write, uint64_t written);

#endif /* QUILL_DMA_H */
