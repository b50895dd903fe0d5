# make, make demo, make check; README.md begins with them, HACKING.md
# explains the rest.
PREFIX  = /usr/local
CFLAGS  = -O2 -g
WARN    = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
          -Wmissing-prototypes -Wconversion -Wwrite-strings -Wvla -Wformat=2
B       = build$(V)
BIN     = $(if $(V),$(B)/)bin
ALL     = $(CPPFLAGS) $(CFLAGS) $(WARN) -std=c11 -D_GNU_SOURCE \
          -D_FILE_OFFSET_BITS=64 -Ilib -MMD -MP
# Where cppcheck 2.10 is known to be wrong: it does not know noreturn, a key
# of bsearch that is set in part, or compound literals behind "?".
WRONG   = normalCheckLevelMaxBranches va_end_missing internalAstError \
          uninitvar:lib/store/folders.c uninitvar:lib/store/reap.c
# LMDB is linked statically: every connection is a new process, and shared
# libraries cost more than exec itself.  So is OpenSSL, in an object of ours
# that is opened when TLS is asked for (lib/net/tls.c); the programs have no
# more of it than two hashes.  ICU and libsasl2 are opened at first use, too
# (lib/text/icu.c, lib/auth/sasl.c).  Whatever is linked lies at a random
# address: OpenSSL's tables are moved there in the object only, by packed
# relocations.
ALL    += -fPIC -fvisibility=hidden -DTLS_SHAPE=$(SHAPE)u
SHAPE  := $(shell cat lib/base/buf.h lib/base/span.h lib/net/stream.h \
          lib/net/tls.h lib/net/tls_object.h | cksum | cut -d' ' -f1)
STATIC  = -Wl,-Bstatic $(1) -Wl,-Bdynamic -ldl -lpthread
LDLIBS  = $(call STATIC,-lssl -lcrypto -llmdb)
wrap    = $(shell grep -o '^__wrap_[A-Za-z_]*' $(1) | \
          sed 's/__wrap_/-Wl,--wrap=/')
TLS     = $(if $(V),$(B)/)libexec/lemon/tls.so
SAN     = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
          -fno-sanitize-recover=undefined
FUZZING = $(SAN) -fsanitize=fuzzer-no-link -fprofile-instr-generate \
          -fcoverage-mapping

TOOLS  := $(patsubst tools/%/main.c,%,$(wildcard tools/lemon-*/main.c))
LIB    := $(patsubst %.c,$(B)/%.o,$(wildcard lib/*/*.c))
UNIT   := $(patsubst %.c,$(B)/%.t,$(wildcard t/unit/*/*.c))
LOADS   = load floor hello
FUZZ   := $(filter-out replay,$(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*.c)))
SCRIPT := $(filter-out $(TOOLS),$(notdir $(wildcard bin/lemon-*)))
MAN    := $(wildcard doc/*.[1-8])
obj     = $(patsubst %.c,$(B)/%.o,$(wildcard tools/$(1)/*.c))
RUN     = PATH="$$PWD/$(BIN):$$PWD/bin:$$PATH" LEMON_BUILD="$$PWD/$(B)"

all: $(TOOLS:%=$(BIN)/%) $(TLS)

define tool
$(BIN)/$(1): $(call obj,$(1)) $(B)/liblemon.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -pie $$(LDFLAGS) -o $$@ $$^ \
	    $$(call STATIC,-lcrypto -llmdb)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))
ifdef V
# The shell programs look for the compiled ones beside themselves.
all: $(SCRIPT:%=$(BIN)/%)
$(SCRIPT:%=$(BIN)/%): $(BIN)/%: bin/%
	@mkdir -p $(@D)
	cp $< $@
endif

$(TLS): $(patsubst %.c,$(B)/%.o,$(wildcard lib/tls/*.c)) $(B)/liblemon.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-Bsymbolic \
	    -Wl,--exclude-libs,ALL -Wl,-z,pack-relative-relocs \
	    $(call wrap,lib/tls/lean.c) -o $@ $^ $(LDLIBS)

$(B)/liblemon.a: $(LIB)
	@rm -f $@
	$(AR) rcs $@ $^
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL) -c -o $@ $<
$(B)/t/unit/%.t: $(B)/t/unit/%.o $(B)/liblemon.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(FUZZ:%=$(B)/t/fuzz/%): $(B)/t/fuzz/%: $(B)/t/fuzz/%.o $(B)/t/fuzz/replay.o \
    $(B)/liblemon.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/t/storm/watch $(B)/t/urlfetch: %: %.o $(B)/liblemon.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What the crash sweep needs, and programs with one fault each that it has to
# find: a file of t/sweep/mutant wraps the functions that it names.
SWEEP  := stop numbers $(foreach m,$(basename $(notdir $(wildcard \
          t/sweep/mutant/*.c))),$(m)/lemon-imapd $(m)/lemon-deliver)
wraps   = $(call wrap,t/sweep/mutant/$*.c)
$(B)/t/sweep/stop $(B)/t/sweep/numbers: %: %.o $(B)/liblemon.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
define mutant
$(B)/t/sweep/%/$(1): $(B)/t/sweep/mutant/%.o $(call obj,$(1)) $(B)/liblemon.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(wraps) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach t,lemon-imapd lemon-deliver,$(eval $(call mutant,$(t))))

# Preloaded by tests; its own code is not checked by a sanitizer.
$(B)/t/fault.so: t/fault.c
	@mkdir -p $(@D)
	$(CC) $(WARN) -std=c11 -D_GNU_SOURCE -O1 -g -fPIC -shared -o $@ $<

units: $(UNIT)
sweeper: all $(SWEEP:%=$(B)/t/sweep/%) $(B)/t/fault.so
tests: sweeper units $(FUZZ:%=$(B)/t/fuzz/%) $(B)/t/storm/watch \
    $(B)/t/urlfetch
check: deps
	@$(MAKE) -s -j"$$(nproc)" tests
	@rm -rf $(B)/tap && mkdir -p $(B)/tap
	$(RUN) prove -e t/keep -j"$$(nproc)" -r --ext .t --ext .bats $(PROVE) \
	    $(B)/t/unit t || { \
	    awk '/^ok/ { no = 0; why = "" } !no && /^#/ { why = why $$0 "\n" } \
	    /^not ok/ { no = 1; printf "%s\n%s", FILENAME, why; why = "" } no' \
	    $(B)/tap/*; exit 1; }
	@for f in sweep errors; do \
	    sed -n "s/^# all /$$f: /p" $(B)/tap/t_$$f.t; done
sweep: deps
	@$(MAKE) -s -j"$$(nproc)" sweeper
	$(RUN) t/sweep.t -a
sweep-errors: deps
	@$(MAKE) -s -j"$$(nproc)" sweeper
	$(RUN) t/errors.t $(or $(POINTS:%=-n %),-c)
# Damage the index of a living store, and look at what clients see.
damage: all $(B)/t/sweep/numbers
	$(RUN) t/index_damage.py -v -j 2 -n $(or $(TRIALS),10000)
asan:
	t/sanitized $(MAKE) V=-asan CFLAGS='$(SAN)' check
cov:
	$(MAKE) V=-cov CFLAGS='-O0 -g --coverage' check
deps:
	@.ci/install build demo test
demo:
	@.ci/install build demo
	@$(MAKE) -s -j"$$(nproc)" all
	@demo/demo.sh
bench:
	@.ci/install build demo bench
	@$(MAKE) -s -j"$$(nproc)" all $(LOADS:%=$(B)/bench/%)
	$(RUN) bench/run.py $(BENCH)
$(B)/bench/load: $(B)/bench/load.o $(B)/bench/client.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/bench/floor $(B)/bench/hello: %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $^
# make storm SECONDS=180 SEED=1: many writers at once, random ones killed.
storm: all $(B)/t/storm/watch
	@.ci/install build demo test
	$(RUN) t/storm/run $(or $(SECONDS),180) $(or $(SEED),1) \
	    $(or $(LOOKS),10000)
# Ten minutes for each target: make fuzz SECONDS=600.  fuzz-cov says which
# lines the corpora and what was found beside them reach.
fuzz: $(FUZZ:%=fuzz-%)
fuzz-%: fuzz-lib
	@mkdir -p build-fuzz/corpus-$*
	clang $(FUZZING) -fsanitize=fuzzer -o build-fuzz/fuzz-$* \
	    build-fuzz/t/fuzz/$*.o build-fuzz/liblemon.a $(LDLIBS)
	LLVM_PROFILE_FILE=/dev/null build-fuzz/fuzz-$* -timeout=20 \
	    -max_total_time=$(or $(SECONDS),60) build-fuzz/corpus-$* \
	    t/fuzz/corpus/$*
fuzz-lib:
	@.ci/install build fuzz
	@$(MAKE) -s -j"$$(nproc)" V=-fuzz CC=clang CFLAGS='$(FUZZING)' \
	    build-fuzz/liblemon.a $(FUZZ:%=build-fuzz/t/fuzz/%.o)
fuzz-cov:
	@t/fuzz/coverage build-fuzz $(FUZZ)
# What a session does that somebody has taken over (t/evil/evil.c).
EVILS  := $(patsubst %.c,$(B)/%.o,$(wildcard t/evil/*.c))
EVIL   := lemon-imapd lemon-submit lemon-deliver lemon-urlauth
define evil
$(B)/evil/$(1): $(call obj,$(1)) $(EVILS) $(B)/liblemon.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -Wl,--wrap=confine_paths \
	    -Wl,--wrap=reader_command -Wl,--wrap=smtp_mail_parse \
	    -o $$@ $$^ $$(LDLIBS)
endef
$(foreach t,$(EVIL),$(eval $(call evil,$(t))))
tests: $(EVIL:%=$(B)/evil/%)
$(B)/t/unit/auth/work.t: LDFLAGS += -Wl,--wrap=hmac_stretch
$(B)/t/unit/store/overtaken.t: LDFLAGS += -Wl,--wrap=mdb_env_info
$(B)/t/unit/store/refused.t: LDFLAGS += -Wl,--wrap=mdb_env_info \
    -Wl,--wrap=mdb_txn_begin -Wl,--wrap=mdb_env_set_mapsize
$(B)/t/unit/auth/work.t: LDLIBS += -lm
timing: $(B)/t/unit/auth/work.t
	$< time $(or $(N),100000)
lint: all
	@.ci/install build lint
	cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr -Ilib \
	    --enable=warning,portability $(WRONG:%=--suppress=%) lib tools
	mandoc -Tlint -Wwarning $(MAN)
	$(RUN) prove t/style.t t/layers.t t/docs.t
install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin libexec/lemon) \
	    $(foreach s,1 5 7 8,$(DESTDIR)$(PREFIX)/share/man/man$(s))
	install -m 644 $(TLS) $(DESTDIR)$(PREFIX)/libexec/lemon/tls.so.new
	mv -f $(DESTDIR)$(PREFIX)/libexec/lemon/tls.so.new \
	    $(DESTDIR)$(PREFIX)/libexec/lemon/tls.so
	install -m 755 $(TOOLS:%=$(BIN)/%) $(SCRIPT:%=bin/%) \
	    $(DESTDIR)$(PREFIX)/bin
	for m in $(MAN); do install -m 644 $$m \
	    $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; done
	mkdir -p $(DESTDIR)$(PREFIX)/share/lemon/examples
	cp -R etc/. $(DESTDIR)$(PREFIX)/share/lemon/examples
clean:
	rm -rf build build-* libexec $(TOOLS:%=bin/%)

-include $(wildcard $(B)/t/*.d $(B)/*/*/*.d $(B)/*/*/*/*.d $(B)/t/fuzz/*.d $(B)/bench/*.d)
.PHONY: damage all units sweeper tests check sweep sweep-errors timing asan cov deps lint install clean \
        demo bench storm fuzz fuzz-lib fuzz-cov
.PRECIOUS: $(B)/%.o
