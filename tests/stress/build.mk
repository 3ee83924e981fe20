# SPDX-License-Identifier: MIT
#
# tests/stress/X.c -> build/kselftest/X, for the VM: ioctl_fuzz and soak run with the kselftests, longer by `make soak`.

$(B)/gen/uapi_tables.h: tests/stress/uapi.awk uapi/drm/quill_accel.h
	@mkdir -p $(@D)
	@awk -f $^ >$@.new && mv $@.new $@

STRESS_BIN := $(patsubst tests/stress/%.c,$(B)/kselftest/%,$(wildcard tests/stress/*.c))

$(STRESS_BIN): $(B)/kselftest/%: tests/stress/%.c $(B)/gen/uapi_tables.h tests/kselftest/quill_test.h | $(KSELFTEST_DEP)
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 $(OPT) -Wall -Wno-unused-function -D_GNU_SOURCE -Iuapi -Itests/kselftest -I$(B)/gen \
		-I$(KSELFTEST_INC) $(shell pkg-config --cflags libdrm) -static -pthread -o $@ $<
