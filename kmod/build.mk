# SPDX-License-Identifier: GPL-2.0-only
#
# kmod/ -> build/kmod/quill.ko, against the headers in the cache (KVER=debug: build/kmod-debug/, for the kernel of
# tests/debug-kernel). kbuild puts objects beside their sources, so it
# gets a folder of links to them. BTF of modules is off: it would need pahole and the kernel's vmlinux.

# Debian's 6.12, in the cache; tools/vm.mk has the rule.
STOCK    := build/kernel
KERNEL   := $(STOCK)$(KVER:%=-%)
KMOD_DIR := build/kmod$(KVER:%=-%)
KMOD     := $(KMOD_DIR)/quill.ko
KMOD_SRC := $(wildcard kmod/*.c kmod/*.h kmod/tests/*.c kmod/tests/*.h) kmod/Kbuild
KMOD_MAKE = $(MAKE) --no-print-directory -C $(KERNEL)/headers M=$(ROOT)/$(KMOD_DIR) QUILL_UAPI=$(ROOT)/uapi \
	    CONFIG_DEBUG_INFO_BTF_MODULES=

KMOD_KBUILD_SRC := $(KMOD_SRC) $(wildcard uapi/quill/*.h uapi/drm/*.h)

$(KMOD): $(KMOD_KBUILD_SRC) $(KERNEL)/release
	$(call say,KMOD,$@)
	@mkdir -p $(KMOD_DIR) build/log
	@find $(KMOD_DIR) -type l -delete
	@for f in $(patsubst kmod/%,%,$(KMOD_SRC)); do \
		mkdir -p $(KMOD_DIR)/$$(dirname $$f) && ln -s $(ROOT)/kmod/$$f $(KMOD_DIR)/$$f || exit 1; \
	done
	+@$(KMOD_MAKE) $(KMOD_FLAGS) modules >build/log/kmod.log 2>&1 || \
		{ grep -A 5 -E 'error|ERROR|\*\*\*' build/log/kmod.log | head -n 40; echo 'The whole log is build/log/kmod.log.'; false; }
	@grep -A 5 'warning:' build/log/kmod.log || true
	@# kbuild leaves it alone where a header changed that it does not include
	@touch $@

.PHONY: kmod
kmod: $(KMOD)
