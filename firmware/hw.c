// SPDX-License-Identifier: MIT
/*
 * The transfer unit, and the few functions that a compiler takes for granted.
 */
#include "fw.h"

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

void *memcpy(void *to, const void *from, size_t n)
{
	char *d = to;
	const char *s = from;

	if (!(((__u32)d | (__u32)s) & 3)) {
		/* commands are copied often: as many words at a time as there are registers to spare */
		for (; n >= 16; n -= 16, d += 16, s += 16) {
			const __u32 *from4 = (const __u32 *)s;
			__u32 a = from4[0], b = from4[1], c = from4[2], e = from4[3];

			((__u32 *)d)[0] = a;
			((__u32 *)d)[1] = b;
			((__u32 *)d)[2] = c;
			((__u32 *)d)[3] = e;
		}
		for (; n >= 4; n -= 4, d += 4, s += 4)
			*(__u32 *)d = *(const __u32 *)s;
	}
	while (n--)
		*d++ = *s++;
	return to;
}

void *memset(void *to, int c, size_t n)
{
	__u32 word = (__u8)c * 0x01010101u;
	char *d = to;

	if (!((__u32)d & 3)) {
		for (; n >= 16; n -= 16, d += 16) {
			((__u32 *)d)[0] = word;
			((__u32 *)d)[1] = word;
			((__u32 *)d)[2] = word;
			((__u32 *)d)[3] = word;
		}
		for (; n >= 4; n -= 4, d += 4)
			*(__u32 *)d = word;
	}
	while (n--)
		*d++ = c;
	return to;
}

static __u32 xfer(__u32 go, __u64 addr, __u32 local, __u32 len)
{
	cb_write64(QUILL_CB_XFER_ADDR_LO, addr);
	cb_write(QUILL_CB_XFER_LOCAL, local);
	cb_write(QUILL_CB_XFER_LEN, len);
	/* local memory is read or written behind the compiler's back */
	asm volatile("" ::: "memory");
	cb_write(QUILL_CB_XFER_GO, go);
	asm volatile("" ::: "memory");
	return cb_read(QUILL_CB_XFER_RESULT);
}

__u32 xfer_read(__u32 as, __u64 addr, void *local, __u32 len)
{
	return xfer(as, addr, (__u32)local, len);
}

__u32 xfer_write(__u32 as, __u64 addr, const void *local, __u32 len)
{
	return xfer(as | QUILL_XFER_TO_MEMORY, addr, (__u32)local, len);
}

__u64 xfer_fault_address(void)
{
	return cb_read64(QUILL_CB_XFER_FAULT_LO);
}

bool xfer_reachable(__u64 addr, __u32 entries, __u32 size)
{
	__u64 last = addr + (__u64)(entries - 1) * size;
	/* of the largest entry there is */
	__u8 probe[sizeof(struct quill_job_cpl)];

	if (last < addr || last + size < last || size > sizeof(probe))
		return false;
	return !xfer_read(QUILL_AS_HOST, addr, probe, size) &&
	       !xfer_read(QUILL_AS_HOST, last, probe, size);
}
