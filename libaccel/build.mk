# SPDX-License-Identifier: MIT
#
# libaccel: shared and static library, pkg-config file, examples, and `make install` of what
# applications need (PREFIX, DESTDIR). Also quill-smi and quill-dis, which need nothing else.

LIBACCEL_VERSION  := 0.1
LIBACCEL_SONAME   := libaccel.so.0
LIBACCEL_SRC      := $(sort $(wildcard libaccel/src/*.c))
LIBACCEL_OBJ      := $(LIBACCEL_SRC:libaccel/src/%.c=$(B)/obj/libaccel/%.o)
LIBACCEL_SO       := $(B)/lib/libaccel.so
LIBACCEL_A        := $(B)/lib/libaccel.a
LIBACCEL_PC       := $(B)/lib/pkgconfig/libaccel.pc
LIBACCEL_EXAMPLES := $(patsubst libaccel/examples/%.c,$(B)/bin/example-%,$(wildcard libaccel/examples/*.c))

DRM_CFLAGS := $(shell pkg-config --cflags libdrm 2>/dev/null || echo -I/usr/include/libdrm)
DRM_LIBS   := -ldrm

# What an application gets: the public header, and the contracts beside it.
ACCEL_CFLAGS := -Ilibaccel/include
# Programs find the library beside their own folder: build/bin and build/lib, or an installed tree.
ACCEL_LDLIBS := -L$(B)/lib -laccel -Wl,-rpath,'$$ORIGIN/../lib'

$(LIBACCEL_OBJ): $(B)/obj/libaccel/%.o: libaccel/src/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -fPIC -ffp-contract=off -pthread $(ACCEL_CFLAGS) $(DRM_CFLAGS) -c -o $@ $<

# The list of objects is a file, so that a source file that went away relinks the library.
$(B)/obj/libaccel/objects: FORCE
	@mkdir -p $(@D)
	@echo '$(LIBACCEL_OBJ)' | cmp -s - $@ || echo '$(LIBACCEL_OBJ)' > $@

$(LIBACCEL_SO).$(LIBACCEL_VERSION): $(LIBACCEL_OBJ) libaccel/libaccel.map $(B)/obj/libaccel/objects
	$(call say,LD,$@)
	@mkdir -p $(@D)
	@$(CC) -shared -Wl,-soname,$(LIBACCEL_SONAME) -Wl,--version-script=libaccel/libaccel.map \
		-Wl,-z,defs -o $@ $(LIBACCEL_OBJ) $(DRM_LIBS) -lm -lpthread

$(LIBACCEL_SO): $(LIBACCEL_SO).$(LIBACCEL_VERSION)
	@ln -sf $(notdir $<) $(B)/lib/$(LIBACCEL_SONAME)
	@ln -sf $(LIBACCEL_SONAME) $@

$(LIBACCEL_A): $(LIBACCEL_OBJ) $(B)/obj/libaccel/objects
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $(LIBACCEL_OBJ)

# $(1) prefix, $(2) lib, $(3) include, $(4) further flags
libaccel_pc = sed -e 's|@PREFIX@|$(1)|' -e 's|@LIBDIR@|$(2)|' -e 's|@INCLUDEDIR@|$(3)|' \
	-e 's|@CFLAGS@|$(4)|' -e 's|@VERSION@|$(LIBACCEL_VERSION)|' libaccel/libaccel.pc.in

# Of the build tree: relative to where the file itself lies.
$(LIBACCEL_PC): libaccel/libaccel.pc.in libaccel/build.mk
	@mkdir -p $(@D)
	@$(call libaccel_pc,$${pcfiledir}/../..,$${pcfiledir}/..,$${pcfiledir}/../../../libaccel/include,-I$${includedir} -I$${pcfiledir}/../../../uapi) > $@

$(B)/bin/example-%: libaccel/examples/%.c $(LIBACCEL_SO)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(ACCEL_CFLAGS) -MF $(B)/obj/libaccel/example-$*.d -o $@ $< $(ACCEL_LDLIBS)

LIBACCEL_TOOLS := $(B)/bin/quill-smi $(B)/bin/quill-dis

$(LIBACCEL_TOOLS): $(B)/bin/%: tools/%.c $(LIBACCEL_SO)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(ACCEL_CFLAGS) -MF $(B)/obj/libaccel/$*.d -o $@ $< $(ACCEL_LDLIBS)

# Unit tests of the library see its inside, so they take the static one.
$(B)/obj/tests/test_libaccel_%.o: tests/unit/test_libaccel_%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(ACCEL_CFLAGS) $(DRM_CFLAGS) -Ilibaccel/src -Itests/unit -ffp-contract=off \
		-DLIBACCEL_TREE='"$(ROOT)"' -DLIBACCEL_SO='"$(abspath $(LIBACCEL_SO))"' -c -o $@ $<

$(B)/tests/test_libaccel_%: $(B)/obj/tests/test_libaccel_%.o $(LIBACCEL_A) $(LIBACCEL_SO)
	@mkdir -p $(@D)
	@$(CC) -o $@ $< $(LIBACCEL_A) $(DRM_LIBS) -lcmocka -lm -lpthread

# This one runs the program too.
$(B)/tests/test_libaccel_print: | $(B)/bin/quill-dis

# The library against the device: programs for the VM, beside the kselftests, and like them in TAP.
LIBACCEL_TESTS := $(B)/kselftest/libaccel $(B)/kselftest/libaccel_vector $(B)/kselftest/libaccel_conv $(B)/kselftest/libaccel_user

$(B)/kselftest/libaccel: libaccel/tests/device.c
$(B)/kselftest/libaccel_vector: libaccel/tests/vector.c
$(B)/kselftest/libaccel_conv: libaccel/tests/conv.c
$(B)/kselftest/libaccel_user: libaccel/tests/user.c
$(LIBACCEL_TESTS): libaccel/tests/fixture.h $(LIBACCEL_SO)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(ACCEL_CFLAGS) -ffp-contract=off -MF $(B)/obj/libaccel/$(@F)-test.d -o $@ \
		$(filter %.c,$^) $(ACCEL_LDLIBS) -lcmocka -lm -lpthread

kselftest: $(LIBACCEL_TESTS)

.PHONY: libaccel install-libaccel
libaccel: $(LIBACCEL_SO) $(LIBACCEL_A) $(LIBACCEL_PC) $(LIBACCEL_EXAMPLES) $(LIBACCEL_TOOLS)

# ---- install ----

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include/libaccel
MANDIR     ?= $(PREFIX)/share/man

# A page of section 3 is found under the name of each of its functions.
install-libaccel: libaccel
	@install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/drm \
		$(DESTDIR)$(INCLUDEDIR)/quill $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3 \
		$(DESTDIR)$(MANDIR)/man7
	@install -m 755 $(LIBACCEL_SO).$(LIBACCEL_VERSION) $(DESTDIR)$(LIBDIR)
	@ln -sf libaccel.so.$(LIBACCEL_VERSION) $(DESTDIR)$(LIBDIR)/$(LIBACCEL_SONAME)
	@ln -sf $(LIBACCEL_SONAME) $(DESTDIR)$(LIBDIR)/libaccel.so
	@install -m 644 $(LIBACCEL_A) $(DESTDIR)$(LIBDIR)
	@$(call libaccel_pc,$(PREFIX),$(LIBDIR),$(INCLUDEDIR),-I$${includedir}) \
		> $(DESTDIR)$(LIBDIR)/pkgconfig/libaccel.pc
	@install -m 644 libaccel/include/accel.h libaccel/include/accel_cmd.h $(DESTDIR)$(INCLUDEDIR)
	@install -m 644 uapi/drm/quill_accel.h $(DESTDIR)$(INCLUDEDIR)/drm
	@install -D -m 644 tools/udev/60-quill.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-quill.rules
	@install -m 644 $(addprefix uapi/quill/,types.h regs.h) $(wildcard uapi/quill/isa*.h) $(DESTDIR)$(INCLUDEDIR)/quill
	@install -m 755 $(LIBACCEL_TOOLS) $(DESTDIR)$(BINDIR)
	@install -m 644 $(LIBACCEL_TOOLS:$(B)/bin/%=tools/man/%.1) $(DESTDIR)$(MANDIR)/man1
	@install -m 644 libaccel/man/*.3 $(DESTDIR)$(MANDIR)/man3
	@install -m 644 libaccel/man/*.7 $(DESTDIR)$(MANDIR)/man7
	@for page in $(notdir $(wildcard libaccel/man/*.3)); do \
		sed -n 's/^\.Nm \(accel_[a-z0-9_]*\).*/\1/p' libaccel/man/$$page | while read -r name; do \
			[ $$name.3 = $$page ] || ln -sf $$page $(DESTDIR)$(MANDIR)/man3/$$name.3; \
		done; \
	done
	@printf '  %-8s %s\n' INSTALL '$(DESTDIR)$(PREFIX)'
