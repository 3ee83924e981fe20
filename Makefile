# SPDX-License-Identifier: MIT
#
# Quill. `make help` lists what to type. Each folder's build.mk says how its part is built; all
# output goes to build/, big downloads and builds to the cache.

ROOT  := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
B     := build
CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/quill

CC      = gcc
OPT    ?= -O2 -g
WARN   := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter
CFLAGS  = -std=gnu11 $(OPT) $(WARN) -Werror -Iuapi -MMD -MP

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
# Objects stay, so that the next build is a short one.
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

# A line on the terminal; the command's whole output in build/log/.
say = @printf '  %-8s %s\n' '$(1)' '$(2)'

include emu/build.mk firmware/build.mk kmod/build.mk libaccel/build.mk tools/build.mk tests/build.mk

# The list of an older build may still name a source file that has gone: what needs one stops all the same, in the compiler.
%.c: ;

-include $(shell find $(B) -name '*.d' 2>/dev/null)
