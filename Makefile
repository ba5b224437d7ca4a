# redis-role-agent: `make help` lists the targets.

V ?= 0
Q := $(if $(filter 1,$(V)),,@)
BUILD ?= build
CC ?= cc
PKG_CONFIG ?= pkg-config

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)

PACKAGES := libuv hiredis libconfig jansson libsystemd
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
	-Wwrite-strings -Wformat=2 -Wvla $(if $(WERROR),-Werror)
HARDENING ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Iinclude $(WARNINGS) $(HARDENING) \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES)) $(CFLAGS) $(VARIANT)
LDFLAGS ?= -pie -Wl,-z,relro,-z,now
LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES))

CORE := $(wildcard agent/core/*.c) agent/base/mem.c agent/base/text.c
SOURCES := $(wildcard agent/base/*.c agent/core/*.c agent/config/*.c agent/io/*.c agent/app/*.c)
object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

all: $(BUILD)/redis-role-agent

$(BUILD)/libcore.a: $(call object,$(CORE))
$(BUILD)/libagent.a: $(call object,$(SOURCES))
%.a:
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/redis-role-agent: $(BUILD)/obj/agent/main.o $(BUILD)/libagent.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/obj/agent/core/%.o: ALL_CFLAGS += -Wconversion
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests of core link libcore.a and nothing else of ours; those of base and config, and the adapter
# tests, link everything. One program a file.
UNIT_CORE := $(wildcard tests/unit/core/test_*.c)
UNIT_REST := $(wildcard tests/unit/base/test_*.c tests/unit/config/test_*.c)
ADAPTER := $(wildcard tests/adapter/test_*.c)
ADAPTER_HELP := $(filter-out $(ADAPTER),$(wildcard tests/adapter/*.c))
program = $(patsubst %.c,$(BUILD)/%,$(1))

$(call program,$(UNIT_CORE)): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka
$(call program,$(UNIT_REST)): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
$(call program,$(ADAPTER)): $(BUILD)/%: $(BUILD)/obj/%.o $(call object,$(ADAPTER_HELP)) $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

unit: $(call program,$(UNIT_CORE) $(UNIT_REST))
	$(Q)for program in $^; do $$program || exit 1; done
adapter: $(call program,$(ADAPTER))
	$(Q)for program in $^; do $$program || exit 1; done

clean:
	rm -rf $(BUILD)

.PHONY: all unit adapter clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
