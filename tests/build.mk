# SPDX-License-Identifier: MIT
#
# tests/unit/test_X.c -> build/tests/test_X: a cmocka program that runs natively. It may use the
# engine, the core and the harness, all inside libquill-emu and build/obj/harness.

UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
# What tests share (reference implementations and the like): every other file there.
UNIT_LIB := $(patsubst tests/unit/%.c,$(B)/obj/tests/%.o,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)))

$(B)/obj/tests/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -ffp-contract=off -Iemu/engine -Iemu/core -Iemu/harness -Itests/unit -c -o $@ $<

$(B)/tests/%: $(B)/obj/tests/%.o $(UNIT_LIB) $(EMU_OBJ) $(HARNESS_OBJ)
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ -lcmocka -lm -lpthread -lz

include tests/vectors/build.mk
include tests/stress/build.mk
include tests/kselftest/build.mk
include tests/fuzz/build.mk
include tests/qtest/build.mk

.PHONY: unit
unit: $(UNIT_BIN) $(QTEST_BIN) $(FIRMWARE)
