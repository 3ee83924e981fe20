# SPDX-License-Identifier: MIT
#
# tests/kselftest/X.c -> build/kselftest/X: programs for the VM, on the kernel's own harness, which is taken
# from the kernel's source in the cache (KSELFTEST_INC). Static, so that the VM needs no libraries for them.

KSELFTEST_SRC := $(wildcard tests/kselftest/*.c)
KSELFTEST_H   := $(wildcard tests/kselftest/*.h uapi/drm/*.h uapi/quill/*.h)
KSELFTEST_SH  := $(wildcard tests/kselftest/*.sh)
KSELFTEST_BIN := $(KSELFTEST_SRC:tests/kselftest/%.c=$(B)/kselftest/%) \
		 $(KSELFTEST_SH:tests/kselftest/%=$(B)/kselftest/%) $(STRESS_BIN)

$(B)/kselftest/%: tests/kselftest/%.c $(KSELFTEST_H) $(wildcard uapi/*/*.h) | $(KSELFTEST_DEP)
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 $(OPT) -Wall -D_GNU_SOURCE -Iuapi -I$(KSELFTEST_INC) \
		$(shell pkg-config --cflags libdrm) -static -o $@ $<

$(B)/kselftest/%.sh: tests/kselftest/%.sh
	@mkdir -p $(@D)
	@install -m 755 $< $@

.PHONY: kselftest
kselftest: $(KSELFTEST_BIN)
