# SPDX-License-Identifier: MIT
#
# tests/vectors/*.c: the tables of which tests/vectors/*.txt are made, and what reads these. `make vectors` makes them
# anew; test_vectors holds the files against the tables, and runs them.

VECTORS_OBJ  := $(patsubst tests/vectors/%.c,$(B)/obj/vectors/%.o,$(filter-out %/make.c,$(wildcard tests/vectors/*.c)))
MAKE_VECTORS := $(B)/tests/make-vectors

$(B)/obj/vectors/%.o: tests/vectors/%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -ffp-contract=off -Iemu/engine -Iemu/core -Iemu/harness -Itests/unit -c -o $@ $<

$(MAKE_VECTORS): $(B)/obj/vectors/make.o $(VECTORS_OBJ) $(UNIT_LIB) $(EMU_OBJ) $(HARNESS_OBJ)
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ -lcmocka -lm -lpthread

$(B)/obj/tests/test_vectors.o: CFLAGS += -Itests/vectors
$(B)/tests/test_vectors: $(VECTORS_OBJ)

.PHONY: vectors
vectors: $(MAKE_VECTORS)
	@$< tests/vectors
