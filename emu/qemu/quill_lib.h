/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libquill-emu, loaded when a device is made and not linked: so QEMU is built once for every state of
 * the device, and a checkout's QEMU does not name another checkout's library.
 */
#ifndef QUILL_LIB_H
#define QUILL_LIB_H

#include "quill_emu.h"

/* The functions of quill_emu.h: name in struct quill_lib, type of which is that of the declaration. */
#define QUILL_LIB_FUNCTIONS(X) \
	X(abi) X(create) X(destroy) X(reset) X(read) X(write) X(mem) X(dump) X(pause) X(resume) X(save) X(load) X(inject)

struct quill_lib {
#define X(fn) __typeof__(&quill_emu_##fn) fn;
	QUILL_LIB_FUNCTIONS(X)
#undef X
};

/* The library that QUILL_EMU_LIB names, else the one that the loader finds; NULL and @errp if there is none. */
const struct quill_lib *quill_lib_get(Error **errp);

#endif /* QUILL_LIB_H */
