# Builds the guest's shim, and the linker's dlopen. `make runtime` writes
# runtime-src/prebuilt and linker/dl/libdl.so, which are committed;
# `make runtime-check` builds them again and compares.

RUNTIME_SRC      := runtime-src
RUNTIME_PREBUILT := $(RUNTIME_SRC)/prebuilt
RUNTIME_BUILD    := $(CURDIR)/$(BIN)/runtime
RUNTIME_SOURCES  := $(wildcard $(RUNTIME_SRC)/shim/*.c)
DL               := linker/dl
RUNTIME_HEADERS  := $(wildcard $(RUNTIME_SRC)/shim/*.h)

# ziglang carries a clang and an lld of a known version for every platform. Its
# optimizer decides the bytes, so the prebuilt is only reproduced by it; another
# clang can be tried with CLANG=clang WASM_LD=wasm-ld.
ZIGLANG_VERSION := 0.17.1
ZIG_ENV         := $(TOOLS)/ziglang-$(ZIGLANG_VERSION)
PYTHON3         ?= python3

ifdef CLANG
RUNTIME_TOOLS :=
RUNTIME_CC    := $(CLANG) --target=wasm32-unknown-unknown
WASM_LD       ?= wasm-ld
RUNTIME_LD    := $(WASM_LD)
else
RUNTIME_TOOLS := $(ZIG_ENV)/.installed
RUNTIME_CC    := $(ZIG_ENV)/bin/python -m ziglang cc -target wasm32-wasi -mcpu=generic
RUNTIME_LD    := $(ZIG_ENV)/bin/python -m ziglang wasm-ld
endif

# Compiled from within the source directory, so that no path of this machine
# can get into the output.
RUNTIME_CFLAGS  := -std=c17 -Oz -g0 -fPIC -ffreestanding -fvisibility=hidden -Wall -Wextra -Werror
RUNTIME_LDFLAGS := -shared --experimental-pic --unresolved-symbols=import-dynamic \
	--Bsymbolic --no-entry --strip-debug

.PHONY: runtime runtime-check runtime-test runtime-tools

runtime-tools: $(RUNTIME_TOOLS)

$(ZIG_ENV)/.installed:
	@rm -rf $(ZIG_ENV)
	$(PYTHON3) -m venv $(ZIG_ENV)
	$(ZIG_ENV)/bin/python -m pip install --quiet --disable-pip-version-check ziglang==$(ZIGLANG_VERSION)
	@touch $@

$(RUNTIME_BUILD)/liberyx.so: $(RUNTIME_SOURCES) $(RUNTIME_HEADERS) $(RUNTIME_SRC)/runtime.mk $(RUNTIME_TOOLS)
	@mkdir -p $(RUNTIME_BUILD)
	@for source in $(notdir $(RUNTIME_SOURCES:.c=)); do \
		(cd $(RUNTIME_SRC)/shim && $(RUNTIME_CC) $(RUNTIME_CFLAGS) -c $$source.c \
			-o $(RUNTIME_BUILD)/$$source.o) || exit 1; \
	done
	$(RUNTIME_LD) $(RUNTIME_LDFLAGS) -o $@.tmp $(patsubst %.c,$(RUNTIME_BUILD)/%.o,$(notdir $(RUNTIME_SOURCES)))
	@chmod 644 $@.tmp && mv $@.tmp $@

$(RUNTIME_BUILD)/libdl.so: $(DL)/dl.c $(RUNTIME_SRC)/runtime.mk $(RUNTIME_TOOLS)
	@mkdir -p $(RUNTIME_BUILD)
	@cd $(DL) && $(RUNTIME_CC) $(RUNTIME_CFLAGS) -c dl.c -o $(RUNTIME_BUILD)/dl.o
	$(RUNTIME_LD) $(RUNTIME_LDFLAGS) -o $@.tmp $(RUNTIME_BUILD)/dl.o
	@chmod 644 $@.tmp && mv $@.tmp $@

runtime: $(RUNTIME_BUILD)/liberyx.so $(RUNTIME_BUILD)/libdl.so
	cp $(RUNTIME_BUILD)/libdl.so $(DL)/libdl.so.tmp
	mv $(DL)/libdl.so.tmp $(DL)/libdl.so
	@mkdir -p $(RUNTIME_PREBUILT)
	cp $(RUNTIME_BUILD)/liberyx.so $(RUNTIME_PREBUILT)/liberyx.so.tmp
	mv $(RUNTIME_PREBUILT)/liberyx.so.tmp $(RUNTIME_PREBUILT)/liberyx.so
	cd $(RUNTIME_PREBUILT) && $(PYTHON3) -c 'import hashlib; print(hashlib.sha256(open("liberyx.so", "rb").read()).hexdigest() + "  liberyx.so")' > liberyx.so.sha256

runtime-check:
	@rm -rf $(TOOLS)/runtime-check
	@$(MAKE) --no-print-directory RUNTIME_BUILD=$(TOOLS)/runtime-check \
		$(TOOLS)/runtime-check/liberyx.so $(TOOLS)/runtime-check/libdl.so
	cmp $(TOOLS)/runtime-check/liberyx.so $(RUNTIME_PREBUILT)/liberyx.so
	cmp $(TOOLS)/runtime-check/libdl.so $(DL)/libdl.so

# The support modules' tests that need no sandbox.
runtime-test:
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) -m unittest discover --start-directory $(RUNTIME_SRC)/python_test
