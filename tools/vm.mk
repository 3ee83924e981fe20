# SPDX-License-Identifier: MIT
#
# What a person types. Each of these first installs what is missing (tools/deps), then calls make again
# for the rest, because what is found at parse time (pkg-config) may just have been installed.

# Not from the environment, where a shell may have a PROMPT of its own; and as it was typed, with what make would expand.
ifeq ($(origin PROMPT),command line)
override PROMPT := $(value PROMPT)
else
PROMPT := The kernel
endif
TOKENS ?= 64
export PROMPT TOKENS
# QEMU_RELEASE=trixie: another Debian release's (emu/qemu/build)
QEMU   := build/qemu$(QEMU_RELEASE:%=-%)/qemu-system-x86_64
export QEMU_RELEASE

KSELFTEST_INC := $(STOCK)/selftests
KSELFTEST_DEP := $(STOCK)/release

$(STOCK)/release:
	@tools/kernel

build/kernel-debug/release: tests/debug-kernel/fragment.config tests/debug-kernel/build
	@tests/debug-kernel/build

$(QEMU): $(wildcard emu/qemu/*) emu/core/quill_emu.h $(wildcard uapi/quill/*.h)
	@emu/qemu/build

MAKE_J := $(MAKE) --no-print-directory -j$(shell nproc)

.PHONY: help deps all everything run vm check bench train clean qemu kernel checks check-san check-debug check-static soak

help:
	@echo 'Quill, an inference accelerator in emulation. Targets:'
	@echo
	@echo '  make run     boot the VM and let a small language model write (PROMPT="..." TOKENS=64)'
	@echo '  make check   every test, native and in the VM'
	@echo '  make check-san    the native tests under ASan and UBSan, then under TSan'
	@echo '  make check-static  W=1, sparse, checkpatch and coccicheck on the module'
	@echo '  make check-debug  the tests in the VM on a kernel with KASAN, lockdep, kmemleak and fault injection'
	@echo '  make soak    a long run under kills, resets, unplugs and suspends (MINUTES=30), and 20 million ioctls'
	@echo '  make vm      a shell in the VM: module loaded, tools and manual at hand'
	@echo '  make bench   measure beside peers; writes build/bench.jsonl'
	@echo '  make fuzz    fuzz the device, SECONDS=60 a target (needs clang and libclang-rt-14-dev)'
	@echo '  make         build everything, run nothing'
	@echo '  make deps    install the packages that are missing (all targets do; DEPS=no leaves it out)'
	@echo '  make train   train the model again (needs python3-torch)'
	@echo '  make clean   remove build/; the cache with QEMU and kernel stays'
	@echo
	@echo 'QEMU and kernel are kept in $(CACHE).'

deps:
	@tools/deps

all: deps
	@$(MAKE_J) everything

# Kernel and QEMU are downloaded, or compiled for minutes, the first time; the rest goes on meanwhile.
everything: $(QEMU) $(KERNEL)/release emu firmware libaccel tools kmod kselftest

qemu: $(QEMU)
kernel: $(KERNEL)/release

run: all
	@tools/vm run -- quill-run --prompt "$$PROMPT" --tokens "$$TOKENS"

vm: all
	@tools/vm shell

check: all
	@$(MAKE_J) unit
	@tests/run

# Each sanitizer's objects are apart; a finding ends its test with a status of its own.
check-san: deps
	@for san in address,undefined thread; do \
		$(MAKE_J) SAN=$$san unit && SAN=$$san tests/run native || exit 1; \
	done

check-static:
	@tools/deps static
	@tools/kernel
	@tests/check-static

# The kernel is compiled once, into the cache. KVER tells the scripts too.
check-debug: all
	@$(MAKE_J) KVER=debug kmod
	@KVER=debug tests/run vm

soak: all
	@tests/stress/run --minutes $(or $(MINUTES),30)

bench: all
	@tools/bench

# MINUTES=30 of training; then the figures, which fail if quantisation loses 2 % or more.
train:
	@tools/deps train
	@/usr/bin/python3 -B tools/train/train.py --corpus "$$(tools/kernel source)" --minutes $(or $(MINUTES),30)
	@/usr/bin/python3 -B tools/train/eval.py --checkpoint build/train/quill-tiny.npz

clean:
	@rm -rf build
