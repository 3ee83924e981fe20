# SPDX-License-Identifier: MIT
#
# tests/fuzz/fuzz_X.c -> build/fuzz/fuzz_X: a libFuzzer target. Everything that it fuzzes is built again, by clang, with
# its sanitizers: apart, in build/fuzz/obj. Debian's packages: clang libclang-rt-14-dev.
#
#   make fuzz                              every target, a minute each, one after the other
#   make fuzz SECONDS=600 FUZZ=stream      one target, ten minutes; SECONDS=0: the seeds and the corpus only
#   build/fuzz/fuzz_stream build/fuzz/crash/stream-crash-...      what was found, again

SECONDS ?= 60
FUZZ    ?= isa_check stream mmu regs firmware snapshot

FUZZ_CC    ?= clang
FUZZ_SAN   := -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all
# clang knows nothing of gcc's attribute optimize(), with which the interpreter's loop is tuned.
FUZZ_CFLAGS = -std=gnu11 -O2 -g $(WARN) -Wno-unknown-attributes -Werror -Iuapi -MMD -MP -pthread \
	      -fno-omit-frame-pointer -ffp-contract=off -fno-strict-aliasing \
	      $(FUZZ_SAN) -fsanitize=fuzzer-no-link

FUZZ_O   := $(B)/fuzz/obj
FUZZ_BIN := $(patsubst %,$(B)/fuzz/fuzz_%,$(FUZZ))
# The kernels are the normal build's: clang takes a quarter of an hour for them under its sanitizers. `make check-san` has
# gcc's look at them.
FUZZ_KERNEL_OBJ := $(filter $(B)/obj/emu/engine/kernels_%,$(ENGINE_OBJ))
FUZZ_OBJ := $(patsubst %.c,$(FUZZ_O)/%.o,$(filter-out emu/engine/kernels_%,\
		$(wildcard emu/engine/*.c emu/core/*.c emu/harness/*.c tests/fuzz/*.c)))
# What targets share: everything but targets and the maker of seeds.
FUZZ_LIB := $(filter-out $(FUZZ_O)/tests/fuzz/fuzz_% $(FUZZ_O)/tests/fuzz/seeds.o,$(FUZZ_OBJ)) $(FUZZ_KERNEL_OBJ)

# The layers see each other as in emu/build.mk.
FUZZ_INC_emu/engine :=
FUZZ_INC_emu/core   := -Iemu/engine
FUZZ_INC_emu/harness := -Iemu/core
FUZZ_INC_tests/fuzz := -Iemu/engine -Iemu/core -Iemu/harness

$(FUZZ_OBJ): $(FUZZ_O)/%.o: %.c
	$(call say,FUZZCC,$<)
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) \
		$(FUZZ_INC_$(patsubst %/,%,$(dir $<))) -c -o $@ $<

$(FUZZ_O)/emu/core/profile_data.o: $(PROFILES)

$(FUZZ_BIN): $(B)/fuzz/fuzz_%: $(FUZZ_O)/tests/fuzz/fuzz_%.o $(FUZZ_LIB)
	$(call say,FUZZLD,$@)
	@$(FUZZ_CC) $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $^ -lm -lpthread

# The seeds in the tree are what this writes.
$(B)/fuzz/seeds: tests/fuzz/seeds.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -Itests/fuzz -o $@ $<

.PHONY: fuzz fuzz-build fuzz-seeds
fuzz-build: $(FUZZ_BIN)

fuzz: fuzz-build $(FIRMWARE)
	@tests/fuzz/run $(SECONDS) $(FUZZ)

fuzz-seeds: $(B)/fuzz/seeds
	@$< tests/fuzz/seeds
