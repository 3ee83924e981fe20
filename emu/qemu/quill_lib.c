/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "trace.h"

#include <dlfcn.h>

#include "quill_lib.h"

#define QUILL_LIB_DEFAULT	"libquill-emu.so.1"

static bool quill_lib_resolve(struct quill_lib *lib, void *handle, const char *path, Error **errp)
{
#define X(fn)								\
	lib->fn = (__typeof__(lib->fn))dlsym(handle, "quill_emu_" #fn);	\
	if (!lib->fn) {							\
		error_setg(errp, "quill: %s has no function quill_emu_" #fn, path); \
		return false;						\
	}
	QUILL_LIB_FUNCTIONS(X)
#undef X
	return true;
}

/* Called with the big lock held, like every realize. The library stays: its threads may run its code to the end. */
const struct quill_lib *quill_lib_get(Error **errp)
{
	const char *path = getenv("QUILL_EMU_LIB") ?: QUILL_LIB_DEFAULT;
	static struct quill_lib loaded;
	struct quill_lib lib;
	void *handle;

	if (loaded.abi)
		return &loaded;

	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		error_setg(errp, "quill: cannot load the device's library: %s", dlerror());
		error_append_hint(errp, "QUILL_EMU_LIB names it: build/lib/libquill-emu.so of the project.\n");
		return NULL;
	}
	if (!quill_lib_resolve(&lib, handle, path, errp)) {
		dlclose(handle);
		return NULL;
	}
	if (lib.abi() != QUILL_EMU_ABI) {
		error_setg(errp, "quill: %s has interface version %u, this QEMU needs %u",
			   path, lib.abi(), QUILL_EMU_ABI);
		dlclose(handle);
		return NULL;
	}
	loaded = lib;
	trace_quill_realize(path, QUILL_EMU_ABI);
	return &loaded;
}
