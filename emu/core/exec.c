// SPDX-License-Identifier: MIT
/* Execution: from an opcode to its executor. */
#include "core.h"

#define EXEC_FW(name)		NULL
#define EXEC_TENSOR(name)	exec_##name
#define EXEC_VECTOR(name)	exec_##name
#define EXEC_DMA(name)		exec_##name

static uint32_t (*const executors[256])(struct exec *x, struct dma_fault *fault) = {
#define QUILL_X(NAME, name, code, engine, ...) [code] = EXEC_##engine(name),
	QUILL_OPCODES(QUILL_X)
#undef QUILL_X
};

/* Run a command that the issue port has checked, to its end or its first fault. */
uint32_t exec_run(struct exec *x, struct dma_fault *fault)
{
	uint32_t what;

	*fault = (struct dma_fault){ 0 };
	what = executors[x->cmd->hdr.opcode](x, fault);
	if (exec_aborted(x))
		what = dma_fail(fault, QUILL_FAULT_KILLED, 0, 0);
	return what;
}
