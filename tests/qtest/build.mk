# SPDX-License-Identifier: MIT
#
# tests/qtest/test_X.c -> build/tests/qtest_X: a cmocka program that drives a QEMU without a guest. It sees uapi only.

QTEST_SRC := $(wildcard tests/qtest/test_*.c)
QTEST_BIN := $(QTEST_SRC:tests/qtest/test_%.c=$(B)/tests/qtest_%)
QTEST_LIB := $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(QTEST_SRC),$(wildcard tests/qtest/*.c)))

$(B)/obj/tests/qtest/%.o: tests/qtest/%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -c -o $@ $<

$(QTEST_BIN): $(B)/tests/qtest_%: $(B)/obj/tests/qtest/test_%.o $(QTEST_LIB)
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ -lcmocka

.PHONY: qtest
qtest: $(QTEST_BIN)
