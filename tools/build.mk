# SPDX-License-Identifier: MIT
#
# tools/X.c -> build/bin/X, with libaccel; tools/X/ has its own build.mk. quill-smi and quill-dis are built with libaccel.

TOOL_SRC := $(filter-out tools/quill-smi.c tools/quill-dis.c,$(wildcard tools/quill-*.c))
TOOL_BIN := $(TOOL_SRC:tools/%.c=$(B)/bin/%) $(patsubst tools/%/build.mk,$(B)/bin/%,$(wildcard tools/quill-*/build.mk))

include tools/vm.mk
include $(wildcard tools/quill-*/build.mk)

$(TOOL_SRC:tools/%.c=$(B)/bin/%): $(B)/bin/%: tools/%.c $(LIBACCEL_SO)
	$(call say,CC,$@)
	@mkdir -p $(@D) $(B)/obj/tools
	@$(CC) $(CFLAGS) $(ACCEL_CFLAGS) -MF $(B)/obj/tools/$*.d -o $@ $< $(ACCEL_LDLIBS) -lm

.PHONY: tools
tools: $(TOOL_BIN) $(LIBACCEL_TOOLS)
