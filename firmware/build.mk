# SPDX-License-Identifier: MIT
#
# The control processor's program: firmware/*.c -> build/firmware/quill_fw.bin.

FIRMWARE     := $(B)/firmware/quill_fw.bin
FW_VERSION   := 2.1
FW_CC         = riscv64-unknown-elf-gcc
FW_CFLAGS     = -std=gnu11 -march=rv32imc_zicsr_zifencei -mabi=ilp32 -O2 -g -ffreestanding -fno-common \
		-fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections -msmall-data-limit=0 \
		$(WARN) -Werror -Iuapi -MMD -MP
FW_OBJ       := $(patsubst firmware/%,$(B)/obj/firmware/%.o,\
		$(sort $(filter-out firmware/mkimage.c,$(wildcard firmware/*.c)) firmware/start.S))
FW_MKIMAGE    = $(B)/firmware/mkimage -V $(FW_VERSION)

# Images that a driver must refuse, and what is wrong with each.
FW_BAD_corrupt       := --bad-payload-crc
FW_BAD_header-crc    := --bad-header-crc
FW_BAD_truncated     := --truncate=1000
FW_BAD_wrong-magic   := --magic=12345678
FW_BAD_too-old-abi   := --abi=1.9
FW_BAD_too-new-abi   := --abi=3.0
FW_BAD_wrong-hw      := --hw=3.0
FIRMWARE_BAD := $(patsubst %,$(B)/firmware/bad/%.bin,\
		corrupt header-crc truncated wrong-magic too-old-abi too-new-abi wrong-hw)

$(B)/obj/firmware/%.o: firmware/%
	$(call say,FWCC,$<)
	@mkdir -p $(@D)
	@$(FW_CC) $(FW_CFLAGS) -c -o $@ $<

$(B)/firmware/quill_fw.elf: $(FW_OBJ) firmware/link.ld
	$(call say,FWLD,$@)
	@mkdir -p $(@D)
	@$(FW_CC) -march=rv32imc -mabi=ilp32 -nostdlib -static -Wl,--gc-sections \
		-Wl,--no-warn-rwx-segments -T firmware/link.ld -o $@ $(FW_OBJ) -lgcc

# The host's tool: never under a sanitizer or a cross compiler.
$(B)/firmware/mkimage: firmware/mkimage.c $(wildcard uapi/quill/*.h)
	@mkdir -p $(@D)
	@gcc $(filter-out -MMD -MP,$(CFLAGS)) -o $@ $<

$(FIRMWARE): $(B)/firmware/quill_fw.elf $(B)/firmware/mkimage
	$(call say,FWIMG,$@)
	@$(FW_MKIMAGE) -o $@ $<

$(B)/firmware/bad/%.bin: $(B)/firmware/quill_fw.elf $(B)/firmware/mkimage
	@mkdir -p $(@D)
	@$(FW_MKIMAGE) $(FW_BAD_$*) -o $@ $<

.PHONY: firmware firmware-bad
firmware: $(FIRMWARE) $(FIRMWARE_BAD)
firmware-bad: $(FIRMWARE_BAD)
