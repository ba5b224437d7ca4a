# redis-role-agent: `make help` lists the targets. Variants (sanitizers, coverage, lint) are the same rules
# run again with another BUILD folder. Pieces are found by wildcard: a new file needs no line here.

V ?= 0
Q := $(if $(filter 1,$(V)),,@)
BUILD ?= build
CC ?= cc
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
RUN ?=
SEEDS ?= 10000
FUZZ_SECONDS ?= 20

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
CONFDIR = $(SYSCONFDIR)/redis-role-agent

# A tarball made by `make dist` carries its version in a file; elsewhere git is asked, and told that it may
# answer root too (`sudo make install`).
GIT := git -c safe.directory='$(CURDIR)'
VERSION := $(shell cat .version 2>/dev/null || $(GIT) describe --tags --always --dirty 2>/dev/null || \
	echo unreleased)

# ---- flags -----------------------------------------------------------------------------------------------

PACKAGES := libuv hiredis libconfig jansson libsystemd
# Asked at first use, once: reading this file must work (and say nothing) before `make deps` has run.
LIBRARIES = $(eval LIBRARIES := $(if $(shell $(PKG_CONFIG) --exists $(PACKAGES) 2>&1 || echo no),\
	$(error $(PKG_CONFIG) does not find all of $(PACKAGES): run `make deps`),yes))$(LIBRARIES)
PKG_CFLAGS = $(if $(LIBRARIES),$(eval PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))))$(PKG_CFLAGS)
PKG_LIBS = $(if $(LIBRARIES),$(eval PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))))$(PKG_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
	-Wwrite-strings -Wformat=2 -Wvla $(if $(WERROR),-Werror)
HARDENING ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
LDFLAGS ?= -pie -Wl,-z,relro,-z,now
LANGUAGE := -std=gnu11 -D_GNU_SOURCE -Iinclude
ALL_CFLAGS = $(LANGUAGE) $(WARNINGS) $(HARDENING) $(PKG_CFLAGS) $(CFLAGS) $(VARIANT)

# ---- the program -----------------------------------------------------------------------------------------

CORE := $(wildcard agent/core/*.c) agent/base/mem.c agent/base/text.c
SOURCES := $(wildcard agent/base/*.c agent/core/*.c agent/config/*.c agent/io/*.c agent/app/*.c)
object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

all: $(BUILD)/redis-role-agent ## Builds build/redis-role-agent (V=1 shows commands, WERROR=1 refuses warnings).

$(BUILD)/libcore.a: $(call object,$(CORE))
$(BUILD)/libagent.a: $(call object,$(SOURCES))
%.a:
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

define link
@mkdir -p $(@D)
@echo "  LD    $@"
$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)
endef

$(BUILD)/redis-role-agent: $(BUILD)/obj/agent/main.o $(BUILD)/libagent.a
	$(link) $(PKG_LIBS)

$(BUILD)/obj/agent/core/%.o: WARNINGS += -Wconversion
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# One object knows the version; it is made anew when the version has changed, and only then.
VERSIONED := $(call object,$(or $(wildcard agent/app/cmd_version.c),agent/main.c))
$(VERSIONED): ALL_CFLAGS += -DVERSION='"$(VERSION)"' \
	-DLIBSYSTEMD='"$(shell $(PKG_CONFIG) --modversion libsystemd)"'
$(VERSIONED): $(BUILD)/version
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@

# ---- test programs ---------------------------------------------------------------------------------------

# Unit tests of core, and the scenario player, link libcore.a and nothing else of ours; all others link
# everything. A fuzz target is linked with replay_main.c, so that the unit run replays its seeds and past
# crashes; `make fuzz` puts libFuzzer in that place.
UNIT_CORE := $(wildcard tests/unit/core/test_*.c)
UNIT_REST := $(wildcard tests/unit/base/test_*.c tests/unit/config/test_*.c)
ADAPTER := $(wildcard tests/adapter/test_*.c)
ADAPTER_HELP := $(filter-out $(ADAPTER),$(wildcard tests/adapter/*.c))
SCENARIO := $(wildcard tests/scenario/*.c)
TIMELINES := $(sort $(wildcard tests/scenario/timelines/*.txt))
FUZZ := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_MAIN := $(if $(LIBFUZZER),,$(call object,tests/fuzz/replay_main.c))
PLAYER := $(BUILD)/tests/scenario/player
program = $(patsubst %.c,$(BUILD)/%,$(1))

$(call program,$(UNIT_CORE)): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libcore.a
	$(link) -lcmocka
$(call program,$(UNIT_REST)): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libagent.a
	$(link) $(PKG_LIBS) -lcmocka
$(call program,$(ADAPTER)): $(BUILD)/%: $(BUILD)/obj/%.o $(call object,$(ADAPTER_HELP)) $(BUILD)/libagent.a
	$(link) $(PKG_LIBS) -lcmocka
$(call program,$(FUZZ)): $(BUILD)/%: $(BUILD)/obj/%.o $(FUZZ_MAIN) $(BUILD)/libagent.a
	$(link) $(LIBFUZZER) $(PKG_LIBS)
$(PLAYER): $(call object,$(SCENARIO)) $(BUILD)/libcore.a
	$(link)

# Runs each program, with the arguments if any, and fails at the end with the names of those that failed.
run_each = $(Q)failed=; for p in $(1); do $(RUN) $$p $(2) || failed="$$failed $$p"; done; \
	test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }
CORPUS := tests/fuzz/corpus/$${p\#\#*/fuzz_}

unit: $(call program,$(UNIT_CORE) $(UNIT_REST) $(FUZZ)) ## Runs the unit tests and replays the fuzzers' seeds.
	$(call run_each,$(call program,$(UNIT_CORE) $(UNIT_REST)))
	$(call run_each,$(call program,$(FUZZ)),$(CORPUS))

scenario: $(PLAYER) ## Plays all timelines, and SEEDS=n random ones (default 10000), through the decision.
	$(Q)$(RUN) $(PLAYER) $(TIMELINES)
	$(Q)$(RUN) $(PLAYER) --random $(SEEDS)

adapter: $(call program,$(ADAPTER)) ## Runs the adapter tests: real sockets on loopback, fakes as peers.
	$(call run_each,$(call program,$(ADAPTER)))

e2e: all ## Runs the end-to-end tests: real redis-server, redis-sentinel and haproxy.
	$(Q)AGENT=$(abspath $(BUILD)/redis-role-agent) $(PYTHON) -m pytest tests/e2e $(PYTEST_FLAGS)

bench: all ## Measures the push against real HAProxies and Redis, beside its goals.
	$(Q)$(PYTHON) tests/bench/push.py --agent $(BUILD)/redis-role-agent $(BENCH)

layers: ## Proves that core needs nothing but libc's memory and text, and that includes point down.
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/plain HARDENING= CFLAGS=-O2 LDFLAGS= \
		$(BUILD)/plain/libcore.a
	$(Q)tests/check_layers.sh $(BUILD)/plain/libcore.a

checks: layers all ## Runs the layer proof and checks options, manual and installation.
	$(Q)tests/check_options.sh $(BUILD)/redis-role-agent
	$(Q)tests/check_manual.sh
	$(Q)tests/check_reasons.sh
	$(Q)tests/check_install.sh $(BUILD)

programs: all $(PLAYER) $(call program,$(UNIT_CORE) $(UNIT_REST) $(FUZZ) $(ADAPTER))

# ---- one command from clone to result --------------------------------------------------------------------

BUILD_NEEDS := gcc libc6-dev make pkg-config libuv1-dev libhiredis-dev libconfig-dev libjansson-dev \
	libsystemd-dev
TEST_NEEDS := libcmocka-dev python3 python3-pytest redis-server redis-sentinel haproxy iproute2 mandoc procps \
	varnish
LINT_NEEDS := clang clang-format clang-tidy cppcheck shellcheck mandoc libclang-rt-dev valgrind
# What is built after `deps` is built by another make, and on all processors unless -j says otherwise.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
AGAIN = +$(Q)$(MAKE) --no-print-directory

deps: ## Installs what is missing to build (Debian, Ubuntu; elsewhere names it). Starts no service.
	$(Q)tests/deps.sh $(BUILD_NEEDS)
deps-test: ## The same for the tests and the demonstration.
	$(Q)tests/deps.sh $(TEST_NEEDS)
deps-lint: ## The same for `make lint`, `make valgrind` and `make fuzz`.
	$(Q)tests/deps.sh $(LINT_NEEDS)

demo: deps deps-test ## Shows a failover live; KEEP=1 leaves it running.
	$(AGAIN) $(PARALLEL) all
	$(Q)$(PYTHON) tests/e2e/demo.py --agent $(BUILD)/redis-role-agent $(if $(KEEP),--keep)

test: deps deps-test ## Runs everything: checks, unit, scenario, adapter, e2e.
	$(AGAIN) $(PARALLEL) programs
	$(AGAIN) checks
	$(AGAIN) unit
	$(AGAIN) scenario
	$(AGAIN) adapter
	$(AGAIN) e2e

# ---- variants --------------------------------------------------------------------------------------------

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan: SEEDS := 2000
asan: ## Runs unit, scenario (SEEDS=2000) and adapter with address and undefined-behaviour sanitizers.
	$(AGAIN) $(PARALLEL) BUILD=$(BUILD)/asan HARDENING=-fPIE CFLAGS='-O1 -g' VARIANT='$(SANITIZE)' programs
	$(Q)ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) \
		--no-print-directory BUILD=$(BUILD)/asan HARDENING=-fPIE CFLAGS='-O1 -g' VARIANT='$(SANITIZE)' \
		SEEDS=$(SEEDS) unit scenario adapter

valgrind: SEEDS := 100
valgrind: ## Runs unit, scenario (SEEDS=100) and adapter under valgrind.
	$(AGAIN) $(PARALLEL) programs
	$(AGAIN) SEEDS=$(SEEDS) unit scenario adapter RUN='valgrind --quiet --error-exitcode=9 \
		--leak-check=full --errors-for-leak-kinds=definite,possible'

fuzz: ## Runs each fuzzer for FUZZ_SECONDS=n (default 20), with clang's libFuzzer.
	$(AGAIN) $(PARALLEL) BUILD=$(BUILD)/fuzz CC=clang HARDENING= LDFLAGS= LIBFUZZER=-fsanitize=fuzzer \
		VARIANT='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzzers
	$(Q)mkdir -p $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/found/%,$(FUZZ))
	$(call run_each,$(patsubst %.c,$(BUILD)/fuzz/%,$(FUZZ)),-max_total_time=$(FUZZ_SECONDS) -timeout=5 \
		-verbosity=0 -print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/ \
		$(BUILD)/fuzz/found/$${p##*/} $(CORPUS))
fuzzers: $(call program,$(FUZZ))

coverage: ## Prints the share of lines that unit, scenario and adapter tests run, by file.
	$(AGAIN) $(PARALLEL) BUILD=$(BUILD)/coverage HARDENING=-fPIE CFLAGS='-O0 -g' VARIANT=--coverage programs
	$(Q)find $(BUILD)/coverage -name '*.gcda' -delete
	$(AGAIN) BUILD=$(BUILD)/coverage HARDENING=-fPIE CFLAGS='-O0 -g' VARIANT=--coverage \
		unit scenario adapter
	$(Q)tests/coverage.sh $(BUILD)/coverage

# ---- lint ------------------------------------------------------------------------------------------------

C_FILES := $(SOURCES) agent/main.c $(UNIT_CORE) $(UNIT_REST) $(ADAPTER) $(ADAPTER_HELP) $(SCENARIO) $(FUZZ) \
	tests/fuzz/replay_main.c
H_FILES := $(wildcard include/*/*.h agent/*/*.h tests/*/*.h tests/*/*/*.h)
TIDY := $(patsubst %.c,$(BUILD)/tidy/%.ok,$(C_FILES))

lint: ## Refuses wrong format, warnings of gcc and clang, and findings of clang-tidy, cppcheck, shellcheck.
	$(Q)clang-format --dry-run -Werror $(C_FILES) $(H_FILES)
	$(Q)tests/lint.sh
	$(AGAIN) $(PARALLEL) BUILD=$(BUILD)/gcc WERROR=1 CC=gcc programs
	$(AGAIN) $(PARALLEL) BUILD=$(BUILD)/clang WERROR=1 CC=clang programs
	$(AGAIN) $(PARALLEL) --keep-going cppcheck tidy

cppcheck:
	@echo "  CPPCHECK"
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
		--std=c11 -D_GNU_SOURCE -Iinclude --suppress=missingIncludeSystem $(C_FILES)

# One file at a time (of several at once the va_list check of clang-tidy 14 is wrong), and only those that
# changed since they were last found clean.
tidy: $(TIDY)
$(BUILD)/tidy/%.ok: $(BUILD)/clang/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY  $*.c"
	$(Q)clang-tidy --quiet $*.c -- $(LANGUAGE) $(PKG_CFLAGS) -DVERSION='""' -DLIBSYSTEMD='""' 2>$@.log || \
		{ cat $@.log >&2; exit 1; }
	@touch $@

format: ## Formats all C files.
	$(Q)clang-format -i $(C_FILES) $(H_FILES)

# ---- installation ----------------------------------------------------------------------------------------

MANUALS := $(wildcard agent/man/*.[1-8])
PATHS = sed -e 's,/usr/local/bin/,$(BINDIR)/,g' -e 's,/etc/redis-role-agent,$(CONFDIR),g'

install: all ## Installs program, units, manual and sample (PREFIX, DESTDIR, SYSCONFDIR, UNITDIR, MANDIR).
	$(Q)install -D -m 755 $(BUILD)/redis-role-agent $(DESTDIR)$(BINDIR)/redis-role-agent
	$(Q)install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(CONFDIR)
	$(Q)for unit in service socket; do $(PATHS) systemd/redis-role-agent.$$unit \
		>$(DESTDIR)$(UNITDIR)/redis-role-agent.$$unit || exit 1; done
	$(Q)install -D -m 644 systemd/redis-role-agent.sysusers $(DESTDIR)$(SYSUSERSDIR)/redis-role-agent.conf
	$(Q)install -D -m 644 systemd/redis-role-agent.tmpfiles $(DESTDIR)$(TMPFILESDIR)/redis-role-agent.conf
	$(Q)for page in $(MANUALS); do install -D -m 644 $$page \
		$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	$(Q)install -m 644 systemd/redis-role-agent.cfg $(DESTDIR)$(CONFDIR)/redis-role-agent.cfg.sample
	$(Q)test -e $(DESTDIR)$(CONFDIR)/redis-role-agent.cfg || \
		install -m 644 systemd/redis-role-agent.cfg $(DESTDIR)$(CONFDIR)/redis-role-agent.cfg
	@test -n '$(DESTDIR)' || echo 'Next: systemd-sysusers; systemctl daemon-reload;' \
		'edit $(CONFDIR)/redis-role-agent.cfg; systemctl enable --now redis-role-agent'

uninstall: ## Removes what install put there, but leaves redis-role-agent.cfg.
	$(Q)rm -f $(DESTDIR)$(BINDIR)/redis-role-agent $(DESTDIR)$(UNITDIR)/redis-role-agent.service \
		$(DESTDIR)$(UNITDIR)/redis-role-agent.socket $(DESTDIR)$(SYSUSERSDIR)/redis-role-agent.conf \
		$(DESTDIR)$(TMPFILESDIR)/redis-role-agent.conf $(DESTDIR)$(CONFDIR)/redis-role-agent.cfg.sample \
		$(foreach page,$(MANUALS),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))

dist: ## Packs the committed sources as build/redis-role-agent-VERSION.tar.gz.
	@mkdir -p $(BUILD)
	$(Q)echo '$(VERSION)' >$(BUILD)/.version
	$(Q)$(GIT) archive --prefix=redis-role-agent-$(VERSION)/ --add-file=$(BUILD)/.version \
		-o $(BUILD)/redis-role-agent-$(VERSION).tar.gz HEAD

clean: ## Removes the build folder.
	$(Q)rm -rf $(BUILD)

help: ## Lists the targets.
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r name text; do printf '%-10s %s\n' "$$name" "$$text"; done

FORCE:
.PHONY: all unit scenario adapter e2e bench layers checks programs deps deps-test deps-lint demo test asan valgrind \
	fuzz fuzzers coverage lint cppcheck tidy format install uninstall dist clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
-include $(patsubst %.o,%.d,$(call object,$(C_FILES)))
