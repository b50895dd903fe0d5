# make, make check, make demo; see README.md and HACKING.md.
PREFIX  = /usr/local
CFLAGS  = -O2 -g
WARN    = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
          -Wmissing-prototypes -Wconversion -Wwrite-strings -Wvla -Wformat=2
B       = build$(V)
BIN     = $(if $(V),$(B)/)bin
ALL     = $(CPPFLAGS) $(CFLAGS) $(WARN) -std=c11 -D_GNU_SOURCE \
          -D_FILE_OFFSET_BITS=64 -Ilib -MMD -MP
# OpenSSL and LMDB are linked statically: every connection is a new process,
# and their shared libraries cost more than exec itself.  ICU and libsasl2 are
# opened at first use (lib/text/icu.c, lib/auth/sasl.c).
LDLIBS  = -Wl,-Bstatic -lssl -lcrypto -llmdb -Wl,-Bdynamic -ldl -lpthread

TOOLS  := $(notdir $(wildcard tools/lemon-*))
LIB    := $(patsubst %.c,$(B)/%.o,$(wildcard lib/*/*.c))
UNIT   := $(patsubst %.c,$(B)/%.t,$(wildcard t/unit/*/*.c))
obj     = $(patsubst %.c,$(B)/%.o,$(wildcard tools/$(1)/*.c))

all: $(TOOLS:%=$(BIN)/%)

define tool
$(BIN)/$(1): $(call obj,$(1)) $(B)/liblemon.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))

$(B)/liblemon.a: $(LIB)
	@rm -f $@
	$(AR) rcs $@ $^
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL) -c -o $@ $<
$(B)/t/%.t: $(B)/t/%.o $(B)/liblemon.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

units: $(UNIT)

check: all units
	prove -r --ext .t --ext .bats $(B)/t/unit t

clean:
	rm -rf build* $(TOOLS:%=bin/%)

-include $(wildcard $(B)/*/*/*.d $(B)/*/*/*/*.d)
.PHONY: all units check clean
.PRECIOUS: $(B)/%.o
