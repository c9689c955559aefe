# `make bundle` runs the main job on a fresh machine; `make test` passes the tests.

GO        ?= go
TOOLS     := $(CURDIR)/.tools
export PATH := $(TOOLS)/bin:$(PATH)

WASM_TOOLS_VERSION    := 1.263.0
GOLANGCI_LINT_VERSION := v2.15.0
PACKAGING_VERSION     := 26.3
UV_VERSION            := 0.13.9
PACKAGING             := $(TOOLS)/packaging-$(PACKAGING_VERSION)

# wazero names its cache after the version it finds in the build info, which
# `go test` does not have; the name is pinned so that tests and binaries
# share native code.
WAZERO_VERSION := $(shell $(GO) list -m -f '{{.Version}}' github.com/tetratelabs/wazero 2>/dev/null)
LDFLAGS := -X github.com/tetratelabs/wazero/internal/version.version=$(WAZERO_VERSION)

PREIMPORT ?= json,re
BUNDLE    ?= dist/python.eryx
BIN       ?= bin

.PHONY: all build bundle setup test race lint vet fuzz bench bench-numpy soak generate generate-check numpy conformance conformance-numpy clean

all: build

build:
	$(GO) build -o $(BIN)/eryx-build ./cmd/eryx-build

bundle: build
	@mkdir -p $(dir $(BUNDLE))
	$(BIN)/eryx-build bundle --preimport $(PREIMPORT) -o $(BUNDLE)
	$(BIN)/eryx-build run $(BUNDLE) examples/hello.py

# What the tests need beside Go: wasm-tools and Python's packaging as the other
# implementations, uv as the other package client, ziglang to build the guest again, golangci-lint.
setup: $(TOOLS)/bin/wasm-tools $(TOOLS)/bin/golangci-lint $(PACKAGING)/.installed $(TOOLS)/bin/uv runtime-tools

$(TOOLS)/bin/wasm-tools:
	cargo install wasm-tools --quiet --version $(WASM_TOOLS_VERSION) --locked --root $(TOOLS) \
		--no-default-features --features validate,component,print,parse,objdump,strip

$(TOOLS)/bin/golangci-lint:
	GOBIN=$(TOOLS)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(PACKAGING)/.installed:
	@rm -rf $(PACKAGING)
	$(PYTHON3) -m pip install --quiet --disable-pip-version-check --target $(PACKAGING) packaging==$(PACKAGING_VERSION)
	@touch $@

$(TOOLS)/bin/uv:
	@rm -rf $(TOOLS)/uv-$(UV_VERSION)
	$(PYTHON3) -m pip install --quiet --disable-pip-version-check --only-binary=:all: --target $(TOOLS)/uv-$(UV_VERSION) uv==$(UV_VERSION)
	@mkdir -p $(TOOLS)/bin && ln -sf ../uv-$(UV_VERSION)/bin/uv $@

test: setup lint runtime-check runtime-test generate-check
	$(GO) test -ldflags '$(LDFLAGS)' -timeout 40m ./...

race: setup
	$(GO) test -race -ldflags '$(LDFLAGS)' -timeout 60m ./...

lint: vet
	golangci-lint run ./...

vet:
	$(GO) vet ./...

# Bindings are generated from wit/ and committed.
generate:
	$(GO) generate ./internal/...

generate-check:
	$(GO) test -C wit/bindgen ./...

# Every fuzz test for a while, one after the other.
FUZZTIME ?= 30s
fuzz:
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$f"; \
			$(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 3x $$pkg || exit 1; \
		done; \
	done

# The peer is pyeryx, which needs Python 3.12 or newer: name one with
# PEER_PYTHON where none of these is on the PATH.
PYERYX_VERSION := 0.11.0
PEER := $(TOOLS)/pyeryx-$(PYERYX_VERSION)
PEER_PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && { echo $$p; break; }; done)

# The numpy of sandboxes, and a native one of the same version.
NUMPY        := numpy==2.5.5
NUMPY_NATIVE := $(TOOLS)/$(subst ==,-,$(NUMPY))

# componentize-py's component, under wasmtime, is given the same wheel.
COMPONENTIZE := $(TOOLS)/componentize-py-0.24.0

# ONLY names the parts to measure, such as cpu,sessions; all of them are shown by
# `bin/bench -help`. What only numpy needs is left out if it is not among them.
ONLY ?=
comma := ,
with-numpy := $(if $(ONLY),$(filter numpy,$(subst $(comma), ,$(ONLY))),all)

bench: build $(PEER)/.installed $(if $(with-numpy),$(NUMPY_NATIVE)/.installed $(COMPONENTIZE)/.installed bench-numpy)
	@mkdir -p $(dir $(BUNDLE))
	$(BIN)/eryx-build bundle --quiet --preimport $(PREIMPORT) -o $(BUNDLE)
	$(GO) build -o $(BIN)/bench ./internal/bench
	$(BIN)/bench -bundle $(BUNDLE) -cli $(BIN)/eryx-build -peer $(PEER) $(addprefix -only ,$(ONLY)) \
		$(if $(with-numpy),-numpy dist/numpy.eryx -numpy-python $(NUMPY_NATIVE)/bin/python \
		-numpy-componentize $(COMPONENTIZE) -numpy-wheel dist/$(subst ==,-,$(NUMPY))-cp314-cp314-wasi_wasm32.whl)

bench-numpy: build
	@mkdir -p dist
	$(BIN)/eryx-build bundle --quiet --no-project -p $(NUMPY) --preimport numpy -o dist/numpy.eryx
	$(BIN)/eryx-build wheel --quiet $(NUMPY) -o dist

$(COMPONENTIZE)/.installed:
	@test -n "$(PEER_PYTHON)" || { echo "make bench: no Python 3.12 or newer for componentize-py; name one with PEER_PYTHON=..." >&2; exit 1; }
	@rm -rf $(COMPONENTIZE)
	$(PEER_PYTHON) -m venv $(COMPONENTIZE)
	$(COMPONENTIZE)/bin/pip install --quiet --disable-pip-version-check componentize-py==0.24.0 wasmtime==50.0.1
	@touch $@

# Pools' interpreters lent many times over, to users who misbehave in all the ways
# there are; fails if the process grows.
SOAK ?= 100000
soak: build
	@mkdir -p $(dir $(BUNDLE))
	$(BIN)/eryx-build bundle --quiet --preimport $(PREIMPORT) -o $(BUNDLE)
	CGO_ENABLED=0 $(GO) build -o $(BIN)/soak ./internal/bench
	$(BIN)/soak -bundle $(BUNDLE) -soak $(SOAK)

$(NUMPY_NATIVE)/.installed:
	@test -n "$(PEER_PYTHON)" || { echo "make bench: no Python 3.12 or newer for numpy; name one with PEER_PYTHON=..." >&2; exit 1; }
	@rm -rf $(NUMPY_NATIVE)
	$(PEER_PYTHON) -m venv $(NUMPY_NATIVE)
	$(NUMPY_NATIVE)/bin/pip install --quiet --disable-pip-version-check $(NUMPY)
	@touch $@

$(PEER)/.installed:
	@test -n "$(PEER_PYTHON)" || { echo "make bench: no Python 3.12 or newer for pyeryx; name one with PEER_PYTHON=..." >&2; exit 1; }
	@rm -rf $(PEER)
	$(PEER_PYTHON) -m venv $(PEER)
	$(PEER)/bin/pip install --quiet --disable-pip-version-check pyeryx==$(PYERYX_VERSION)
	@touch $@

# What numpy has to get right, beside the results of a native one; and numpy's
# own tests. The first time, numpy is built from its sources.
NUMPY_TESTING := pytest==9.2.0 hypothesis==6.155.7

numpy: build
	@mkdir -p dist
	$(BIN)/eryx-build bundle --no-project -p $(NUMPY) --preimport numpy -o dist/numpy.eryx
	$(GO) run ./conformance -bundle dist/numpy.eryx checks
	$(GO) run ./examples/numpy dist/numpy.eryx

# CPython's own tests, in sandboxes. They come from the machine's package client
# (Debian's packages libpython3.14-testsuite and -stdlib), or from the directory
# that TESTSUITE names, such as the lib/python3.14 of an installed Python. MODULES
# names some of them.
TESTSUITE ?=
MODULES   ?=

conformance: build
	@mkdir -p dist
	rm -rf dist/testsuite
	$(GO) run ./conformance testsuite dist/testsuite $(TESTSUITE)
	$(BIN)/eryx-build bundle --no-project --stdlib full -p dist/testsuite -o dist/testsuite.eryx
	$(GO) build -o $(BIN)/conformance ./conformance
	nice $(BIN)/conformance -bundle dist/testsuite.eryx cpython $(MODULES)

conformance-numpy: build
	@mkdir -p dist
	$(BIN)/eryx-build bundle --no-project -p $(NUMPY) $(addprefix -p ,$(NUMPY_TESTING)) --preimport numpy -o dist/numpy-tests.eryx
	$(GO) run ./conformance -bundle dist/numpy-tests.eryx tests

clean:
	rm -rf bin dist

include runtime-src/runtime.mk
