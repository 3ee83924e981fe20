// SPDX-License-Identifier: MIT
/*
 * Giving up: say why, show it in the registers, and sleep until the driver resets the core.
 */
#include "fw.h"

void panic(__u32 error)
{
	cb_write(QUILL_CB_ERROR, error);
	cb_write(QUILL_CB_STATUS, QUILL_CORE_PANIC);
	cb_write(QUILL_CB_IRQ_ENABLE, 0);
	/* the driver may be waiting for an admin completion: make it look */
	cb_write(QUILL_CB_MSIX, QUILL_VECTOR_ADMIN);
	for (;;)
		wait_for_interrupt();
}

void panic_trap(__u32 cause, __u32 pc, __u32 value)
{
	log_line("panic: trap %u at %x, value %x", (unsigned int)cause, (unsigned int)pc,
		 (unsigned int)value);
	panic(FW_ERROR_TRAP + cause);
}
