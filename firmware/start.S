/* SPDX-License-Identifier: MIT */
/*
 * First instruction, and the trap vector. The boot ROM has copied the image and cleared bss.
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	la	sp, fw_stack_top
	la	t0, trap
	csrw	mtvec, t0
	call	main
1:	wfi
	j	1b

/* No trap is expected: whatever comes is a defect, told on a fresh stack. */
	.balign	4
trap:
	la	sp, fw_stack_top
	csrr	a0, mcause
	csrr	a1, mepc
	csrr	a2, mtval
	j	panic_trap
