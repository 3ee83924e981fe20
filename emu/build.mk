# SPDX-License-Identifier: MIT
#
# The device: engine (arithmetic), core (the machine), harness (a driver in miniature for
# native tests). The include paths below are the layers: engine knows nothing of core, core
# nothing of who hosts it.

# make SAN=thread unit, make SAN=address,undefined unit: the same, under a sanitizer, apart.
ifdef SAN
comma := ,
B  := build/san-$(subst $(comma),-,$(SAN))
CC := gcc -fsanitize=$(SAN) -fno-omit-frame-pointer
else
# A sanitizer's own symbols are found when the program starts; all others have to be there.
EMU_DEFS := -Wl,-z,defs
endif

EMU_CFLAGS = $(CFLAGS) -fPIC -fvisibility=hidden -ffp-contract=off -fno-strict-aliasing -pthread
EMU_ISA_avx2   := -O3 -mavx2 -mfma -mf16c
EMU_ISA_avx512 := -O3 -mprfchw -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c
# A kernel's instruction set is the end of its file's name: gemm_avx2.c.
emu_isa = $(EMU_ISA_$(lastword $(subst _, ,$(basename $(notdir $(1))))))

ENGINE_OBJ  := $(patsubst emu/%.c,$(B)/obj/emu/%.o,$(sort $(wildcard emu/engine/*.c)))
CORE_OBJ    := $(patsubst emu/%.c,$(B)/obj/emu/%.o,$(sort $(wildcard emu/core/*.c)))
EMU_OBJ     := $(ENGINE_OBJ) $(CORE_OBJ)
HARNESS_OBJ := $(patsubst emu/harness/%.c,$(B)/obj/harness/%.o,$(sort $(wildcard emu/harness/*.c)))
EMU_LIB     := $(B)/lib/libquill-emu.so

$(ENGINE_OBJ): $(B)/obj/emu/engine/%.o: emu/engine/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	@$(CC) $(EMU_CFLAGS) $(call emu_isa,$<) -c -o $@ $<

$(CORE_OBJ): $(B)/obj/emu/core/%.o: emu/core/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	@$(CC) $(EMU_CFLAGS) -Iemu/engine -c -o $@ $<

# The built-in profiles are taken in by the assembler, of which the compiler's list of headers does not know.
PROFILES := $(wildcard emu/profiles/*.profile)
$(B)/obj/emu/core/profile_data.o: $(PROFILES)

$(HARNESS_OBJ): $(B)/obj/harness/%.o: emu/harness/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	@$(CC) $(EMU_CFLAGS) -Iemu/core -c -o $@ $<

# The list of objects is a file, so that a source file that went away relinks the library.
$(B)/obj/emu/objects: FORCE
	@mkdir -p $(@D)
	@echo '$(EMU_OBJ)' | cmp -s - $@ || echo '$(EMU_OBJ)' > $@

$(EMU_LIB).1: $(EMU_OBJ) emu/core/libquill-emu.map $(B)/obj/emu/objects
	$(call say,LD,$@)
	@mkdir -p $(@D)
	@$(CC) -shared -Wl,-soname,libquill-emu.so.1 -Wl,--version-script=emu/core/libquill-emu.map \
		$(EMU_DEFS) -o $@ $(EMU_OBJ) -lm -lpthread

$(EMU_LIB): $(EMU_LIB).1
	@ln -sf $(notdir $<) $@

.PHONY: emu FORCE
FORCE:
emu: $(EMU_LIB) $(HARNESS_OBJ)
