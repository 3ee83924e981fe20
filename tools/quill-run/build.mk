# SPDX-License-Identifier: MIT
#
# build/bin/quill-run.

QUILL_RUN_OBJ := $(patsubst tools/quill-run/%.c,$(B)/obj/quill-run/%.o,$(wildcard tools/quill-run/*.c))

# Rounding is lrintf() and square roots are instructions only where errno need not be set.
$(B)/obj/quill-run/%.o: tools/quill-run/%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -fno-math-errno -ffp-contract=off -Ilibaccel/include -c -o $@ $<

# All arithmetic of the float64 check and of --eval-host is in this file's inner loops.
$(B)/obj/quill-run/reference.o: OPT := -O3 -g

$(B)/bin/quill-run: $(QUILL_RUN_OBJ) $(LIBACCEL_SO)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	@$(CC) -o $@ $(QUILL_RUN_OBJ) $(ACCEL_LDLIBS) -lm

# Unit tests of all but model.c and what uses it, which need a device. The library gives them its quantiser.
QUILL_RUN_TESTS := $(B)/tests/test_gguf $(B)/tests/test_quill_run
$(QUILL_RUN_TESTS:$(B)/tests/%=$(B)/obj/tests/%.o): CFLAGS += -Ilibaccel/include -Itools/quill-run
$(QUILL_RUN_TESTS): $(B)/tests/%: $(B)/obj/tests/%.o $(addprefix $(B)/obj/quill-run/,gguf.o weights.o reference.o text.o) $(LIBACCEL_A)
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ $(DRM_LIBS) -lcmocka -lm -lpthread

.PHONY: quill-run
quill-run: $(B)/bin/quill-run
