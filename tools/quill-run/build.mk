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

$(B)/bin/quill-run: $(QUILL_RUN_OBJ) $(LIBACCEL_A)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ -ldrm -lm

# Its unit test uses the reader alone.
$(B)/obj/tests/test_gguf.o: CFLAGS += -Itools/quill-run
$(B)/tests/test_gguf: $(B)/obj/quill-run/gguf.o
