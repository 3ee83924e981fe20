# SPDX-License-Identifier: MIT
#
# build/bin/quill-bench. It is native: the device without QEMU, from emu/core and the harness, with oneDNN linked in as
# the peer. It reads the firmware's image when it starts.

QUILL_BENCH_OBJ := $(patsubst tools/quill-bench/%.c,$(B)/obj/quill-bench/%.o,$(wildcard tools/quill-bench/*.c))

$(B)/obj/quill-bench/%.o: tools/quill-bench/%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -fopenmp -Iemu/engine -Iemu/core -Iemu/harness -c -o $@ $<

$(B)/bin/quill-bench: $(QUILL_BENCH_OBJ) $(EMU_OBJ) $(HARNESS_OBJ) $(FIRMWARE)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	@$(CC) -fopenmp -o $@ $(QUILL_BENCH_OBJ) $(EMU_OBJ) $(HARNESS_OBJ) -ldnnl -lm -lpthread

.PHONY: quill-bench
quill-bench: $(B)/bin/quill-bench
