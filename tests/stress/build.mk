# SPDX-License-Identifier: MIT
#
# tests/stress: build/kselftest/ioctl_fuzz, run with the kselftests.

$(B)/gen/uapi_tables.h: tests/stress/uapi.awk uapi/drm/quill_accel.h
	@mkdir -p $(@D)
	@awk -f $^ >$@.new && mv $@.new $@

$(B)/kselftest/ioctl_fuzz: tests/stress/ioctl_fuzz.c $(B)/gen/uapi_tables.h tests/kselftest/quill_test.h | $(KSELFTEST_DEP)
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 $(OPT) -Wall -Wno-unused-function -D_GNU_SOURCE -Iuapi -Itests/kselftest -I$(B)/gen -I$(KSELFTEST_INC) \
		$(shell pkg-config --cflags libdrm) -static -pthread -o $@ $<

