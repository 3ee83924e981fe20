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

# Its unit test reads and loads models; the library's quantiser is all that it needs of libaccel.
$(B)/obj/tests/test_gguf.o: CFLAGS += -Ilibaccel/include -Itools/quill-run
$(B)/tests/test_gguf: $(B)/obj/tests/test_gguf.o $(B)/obj/quill-run/gguf.o $(B)/obj/quill-run/weights.o $(LIBACCEL_A)
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ $(DRM_LIBS) -lcmocka -lm -lpthread

.PHONY: quill-run
quill-run: $(B)/bin/quill-run
